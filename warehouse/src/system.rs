//! Tables that the product fills about itself: their schemas, and those that are read straight
//! from the declarations without being stored.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;

use crate::names::{Schema, Sensitivity, TableName, Text};
use crate::spec::{self, Declarations, QueryKind};

/// A stored table of the product's own: name, schema, and what it is for people.
#[derive(Debug, Clone)]
pub struct SystemTable {
    /// Its name.
    pub name: TableName,
    /// Its columns.
    pub schema: SchemaRef,
    /// What it is called.
    pub title: Text,
    /// What one row is.
    pub grain: Text,
    /// Who may read it.
    pub sensitivity: Sensitivity,
}

/// The table of refused rows.
const QUARANTINE: &str = "cach_ly";

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn int(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn date(name: &str) -> Field {
    Field::new(name, DataType::Date32, true)
}

fn instant(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true)
}

fn table(
    schema: Schema,
    name: &str,
    fields: Vec<Field>,
    title: (&str, &str),
    grain: (&str, &str),
) -> SystemTable {
    SystemTable {
        name: TableName::new(schema, name).expect("names in this module are snake case"),
        schema: Arc::new(ArrowSchema::new(fields)),
        title: Text::new(title.0, title.1),
        grain: Text::new(grain.0, grain.1),
        // Everyone sees of the product's records what is about tables that they may see whole; what
        // was in refused rows is for the sector only.
        sensitivity: if name == QUARANTINE { Sensitivity::Internal } else { Sensitivity::Open },
    }
}

/// `chi_tieu.gia_tri`: the one long table of indicators.
pub fn indicator_values() -> SystemTable {
    let amount = |name| Field::new(name, DataType::Decimal128(20, 4), true);
    let number = |name| Field::new(name, DataType::Float64, true);
    table(
        Schema::ChiTieu,
        "gia_tri",
        vec![
            text("ma_chi_tieu"),
            text("don_vi"),
            date("ky"),
            text("loai_ky"),
            text("phan_to"),
            amount("tu_so"),
            amount("mau_so"),
            number("he_so"),
            number("gia_tri"),
            text("phien_ban"),
        ],
        ("Giá trị chỉ tiêu", "Indicator values"),
        (
            "Một chỉ tiêu, một đơn vị, một kỳ, một phân tổ",
            "One indicator, unit, period and breakdown",
        ),
    )
}

/// `he_thong.lan_chay`: what each night did to each table.
pub fn runs() -> SystemTable {
    table(
        Schema::HeThong,
        "lan_chay",
        vec![
            date("dem"),
            text("bang"),
            text("buoc"),
            text("ket_qua"),
            text("ma_lo"),
            int("so_dong_doc"),
            int("so_dong_ghi"),
            int("so_dong_cach_ly"),
            int("phien_ban"),
            instant("bat_dau"),
            instant("ket_thuc"),
            text("ly_do"),
            int("so_phan_vung"),
            int("so_dong_xoa"),
        ],
        ("Lần chạy hằng đêm", "Nightly runs"),
        ("Một bảng trong một đêm", "One table in one night"),
    )
}

/// `he_thong.kiem_tra`: results of the declared checks.
pub fn checks() -> SystemTable {
    table(
        Schema::HeThong,
        "kiem_tra",
        vec![
            date("dem"),
            text("bang"),
            text("ten"),
            text("tieu_de_vi"),
            text("tieu_de_en"),
            text("hanh_dong"),
            int("so_loi"),
            Field::new("dat", DataType::Boolean, true),
        ],
        ("Kết quả kiểm tra chất lượng", "Results of quality checks"),
        ("Một phép kiểm tra trên một bảng trong một đêm", "One check on one table in one night"),
    )
}

/// `he_thong.cach_ly`: rows that were refused, de-identified, with the reason.
pub fn quarantine() -> SystemTable {
    table(
        Schema::HeThong,
        QUARANTINE,
        vec![
            date("dem"),
            text("bang"),
            text("ma_lo"),
            int("dong"),
            text("cot"),
            text("ly_do"),
            text("noi_dung"),
        ],
        ("Dòng bị cách ly", "Quarantined rows"),
        ("Một dòng nguồn bị từ chối", "One refused source row"),
    )
}

/// `he_thong.dong_chay`: which table was made from which.
pub fn lineage() -> SystemTable {
    table(
        Schema::HeThong,
        "dong_chay",
        vec![date("dem"), text("bang"), text("phan"), text("tu_bang"), text("ma_lo_vao")],
        ("Dòng chảy dữ liệu", "Lineage"),
        ("Một bảng nguồn của một bảng kết quả", "One input of one table"),
    )
}

/// `he_thong.rui_ro`: how exposed the persons of each table are.
pub fn risks() -> SystemTable {
    let number = |name| Field::new(name, DataType::Float64, true);
    table(
        Schema::HeThong,
        "rui_ro",
        vec![
            date("dem"),
            text("bang"),
            text("phep_do"),
            text("cot"),
            text("muc"),
            number("gia_tri"),
            number("nguong"),
            int("so_nguoi"),
            text("dem_theo"),
        ],
        ("Rủi ro lộ danh tính", "Disclosure risk"),
        ("Một phép đo trên một bảng trong một đêm", "One measure of one table in one night"),
    )
}

/// `he_thong.phat_hanh`: open datasets released.
pub fn releases() -> SystemTable {
    table(
        Schema::HeThong,
        "phat_hanh",
        vec![
            text("bo_du_lieu"),
            int("phien_ban"),
            date("ngay"),
            int("so_dong"),
            int("so_o_an"),
            text("sha256"),
            text("duong_dan"),
        ],
        ("Bộ dữ liệu mở đã phát hành", "Open datasets released"),
        ("Một phiên bản của một bộ dữ liệu", "One version of one dataset"),
    )
}

/// `he_thong.mo_phong`: what holds rows that come from simulated sources, after the newest night.
pub fn simulated() -> SystemTable {
    table(
        Schema::HeThong,
        "mo_phong",
        vec![text("bang")],
        ("Bảng và chỉ tiêu có số liệu mô phỏng", "Tables and indicators with simulated data"),
        (
            "Một bảng hoặc một chỉ tiêu (chi_tieu.gia_tri/mã) có dòng mô phỏng",
            "One table or indicator (chi_tieu.gia_tri/id) that holds simulated rows",
        ),
    )
}

/// `he_thong.truy_van`: the account of every query. It is not in the lake but in the state room,
/// and only inspectors read it.
pub fn queries() -> SystemTable {
    let table = table(
        Schema::HeThong,
        "truy_van",
        vec![
            int("so"),
            text("nguoi"),
            text("vai_tro"),
            text("cua"),
            text("bang"),
            text("cot"),
            instant("bat_dau"),
            text("ket_qua"),
            int("so_dong"),
            int("so_byte"),
            int("thoi_gian_ms"),
        ],
        ("Sổ truy vấn", "Account of queries"),
        ("Một truy vấn", "One query"),
    );
    SystemTable { sensitivity: Sensitivity::Restricted, ..table }
}

/// All stored tables of the product's own.
pub fn stored() -> Vec<SystemTable> {
    vec![
        indicator_values(),
        runs(),
        checks(),
        quarantine(),
        lineage(),
        risks(),
        releases(),
        simulated(),
    ]
}

/// Tables answered from the declarations alone, with their one batch.
///
/// # Errors
/// Never in practice: the columns are built together.
pub fn virtual_tables(
    declarations: &Declarations,
) -> Result<Vec<(SystemTable, RecordBatch)>, ArrowError> {
    Ok(vec![tables(declarations)?, columns(declarations)?, definitions(declarations)?])
}

type Described = (SystemTable, RecordBatch);

fn described(table: SystemTable, columns: Vec<ArrayRef>) -> Result<Described, ArrowError> {
    let batch = RecordBatch::try_new(Arc::clone(&table.schema), columns)?;
    Ok((table, batch))
}

fn strings(rows: &[Vec<Option<String>>], width: usize) -> Vec<ArrayRef> {
    (0..width)
        .map(|at| {
            Arc::new(rows.iter().map(|row| row[at].clone()).collect::<StringArray>()) as ArrayRef
        })
        .collect()
}

fn numbers(groups: &[crate::names::Group]) -> String {
    groups.iter().map(|group| group.number().to_string()).collect::<Vec<_>>().join(";")
}

const TABLE_COLUMNS: [&str; 10] = [
    "ten",
    "luoc_do",
    "loai",
    "tieu_de_vi",
    "tieu_de_en",
    "hat_vi",
    "hat_en",
    "nhay_cam",
    "nhom",
    "nguon_goc",
];

fn tables(declarations: &Declarations) -> Result<Described, ArrowError> {
    let mut rows = Vec::new();
    let mut persons = Vec::new();
    for contract in &declarations.contracts {
        for table in &contract.tables {
            let kind = if table.master { "du_lieu_chu" } else { "nguon" };
            rows.push(table_row(
                &table.name,
                kind,
                &table.title,
                &table.grain,
                table.sensitivity,
                numbers(&contract.groups),
                &contract.id,
            ));
            persons.push(None);
        }
    }
    for query in declarations.of_kind(QueryKind::Mart) {
        if let Some(name) = query.table() {
            let from = query.reads.iter().map(ToString::to_string).collect::<Vec<_>>().join(";");
            let groups = numbers(&query.groups);
            let class = query.sensitivity;
            rows.push(table_row(&name, "kho", &query.title, &query.grain, class, groups, &from));
            persons.push(declarations.fewest_persons(query).map(i64::from));
        }
    }
    for table in stored() {
        let (name, class) = (&table.name, table.sensitivity);
        rows.push(table_row(
            name,
            "he_thong",
            &table.title,
            &table.grain,
            class,
            String::new(),
            "",
        ));
        persons.push(None);
    }
    // How many persons a row stands for at least, where it is made of persons.
    let mut fields: Vec<Field> = TABLE_COLUMNS.map(text).into();
    fields.push(int("so_nguoi_it_nhat"));
    let mut columns = strings(&rows, TABLE_COLUMNS.len());
    columns.push(Arc::new(Int64Array::from(persons)));
    let table = table(
        Schema::HeThong,
        "bang",
        fields,
        ("Danh mục bảng", "Catalogue of tables"),
        ("Một bảng", "One table"),
    );
    described(table, columns)
}

fn table_row(
    name: &TableName,
    kind: &str,
    title: &Text,
    grain: &Text,
    class: Sensitivity,
    groups: String,
    from: &str,
) -> Vec<Option<String>> {
    [
        name.to_string().as_str(),
        name.schema().as_str(),
        kind,
        &title.vi,
        &title.en,
        &grain.vi,
        &grain.en,
        class.as_str(),
        &groups,
        from,
    ]
    .map(|value| Some(value.to_owned()))
    .into()
}

const COLUMN_COLUMNS: [&str; 8] =
    ["bang", "ten", "nhan_vi", "nhan_en", "kieu", "don_vi_tinh_vi", "don_vi_tinh_en", "nhay_cam"];

fn columns(declarations: &Declarations) -> Result<Described, ArrowError> {
    let mut rows = Vec::new();
    for table in declarations.contracts.iter().flat_map(|contract| &contract.tables) {
        let schema = spec::arrow_schema(table);
        for column in &table.columns {
            let Ok(field) = schema.field_with_name(&column.name) else { continue };
            let class = column.sensitivity.min(table.sensitivity);
            let (name, unit) = (&table.name, column.unit.as_ref());
            rows.push(column_row(name, field, &column.label, unit, class));
        }
    }
    for query in declarations.of_kind(QueryKind::Mart) {
        let Some(name) = query.table() else { continue };
        for column in &query.columns {
            let Ok(field) = query.schema.field_with_name(&column.name) else { continue };
            let (label, unit) = (&column.label, column.unit.as_ref());
            rows.push(column_row(&name, field, label, unit, query.sensitivity));
        }
    }
    let table = table(
        Schema::HeThong,
        "cot",
        COLUMN_COLUMNS.map(text).into(),
        ("Danh mục cột", "Catalogue of columns"),
        ("Một cột của một bảng", "One column of one table"),
    );
    described(table, strings(&rows, COLUMN_COLUMNS.len()))
}

fn column_row(
    table: &TableName,
    field: &Field,
    label: &Text,
    unit: Option<&Text>,
    class: Sensitivity,
) -> Vec<Option<String>> {
    vec![
        Some(table.to_string()),
        Some(field.name().clone()),
        Some(label.vi.clone()),
        Some(label.en.clone()),
        Some(type_name(field.data_type())),
        unit.map(|unit| unit.vi.clone()),
        unit.map(|unit| unit.en.clone()),
        Some(class.as_str().to_owned()),
    ]
}

/// A type as SQL writes it.
pub fn type_name(ty: &DataType) -> String {
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".into(),
        DataType::Int64 | DataType::UInt64 => "bigint".into(),
        DataType::Int32 | DataType::Int16 | DataType::Int8 => "integer".into(),
        DataType::Float64 | DataType::Float32 => "double precision".into(),
        DataType::Decimal128(precision, scale) => format!("numeric({precision},{scale})"),
        DataType::Date32 => "date".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Timestamp(..) => "timestamptz".into(),
        DataType::Dictionary(_, value) => type_name(value),
        other => other.to_string().to_lowercase(),
    }
}

const DEFINITION_COLUMNS: [&str; 15] = [
    "ma_chi_tieu",
    "ten_vi",
    "ten_en",
    "mo_ta_vi",
    "mo_ta_en",
    "don_vi_tinh_vi",
    "don_vi_tinh_en",
    "tu_so_vi",
    "tu_so_en",
    "mau_so_vi",
    "mau_so_en",
    "loai_ky",
    "nhom",
    "nguon_vi",
    "phien_ban",
];

fn definitions(declarations: &Declarations) -> Result<Described, ArrowError> {
    let mut rows = Vec::new();
    let mut factors = Vec::new();
    for query in declarations.of_kind(QueryKind::Indicator) {
        let Some(indicator) = &query.indicator else { continue };
        let below = indicator.denominator.as_ref();
        rows.push(vec![
            Some(query.id.clone()),
            Some(query.title.vi.clone()),
            Some(query.title.en.clone()),
            Some(query.description.vi.clone()),
            Some(query.description.en.clone()),
            Some(indicator.unit.vi.clone()),
            Some(indicator.unit.en.clone()),
            Some(indicator.numerator.vi.clone()),
            Some(indicator.numerator.en.clone()),
            below.map(|text| text.vi.clone()),
            below.map(|text| text.en.clone()),
            Some(indicator.period.as_str().to_owned()),
            Some(numbers(&query.groups)),
            Some(query.source.vi.clone()),
            Some(version_of(&query.fingerprint)),
        ]);
        factors.push(indicator.factor);
    }
    let mut fields: Vec<Field> = DEFINITION_COLUMNS.map(text).into();
    fields.push(Field::new("he_so", DataType::Float64, true));
    let mut columns = strings(&rows, DEFINITION_COLUMNS.len());
    columns.push(Arc::new(Float64Array::from(factors)));
    let table = table(
        Schema::ChiTieu,
        "dinh_nghia",
        fields,
        ("Định nghĩa chỉ tiêu", "Definitions of indicators"),
        ("Một chỉ tiêu", "One indicator"),
    );
    described(table, columns)
}

/// The version of an indicator as figures carry it: the first 12 digits of its fingerprint.
pub fn version_of(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}
