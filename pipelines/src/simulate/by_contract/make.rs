//! How the cells of a column are made up, from what the contract says of it.

use regex::Regex;
use warehouse::names::TableName;
use warehouse::spec::{Column, ColumnType, Declarations, Generalisation, Origin, Treatment};

use super::super::visits::Bill;
use super::pattern::Pattern;
use super::shape::{About, Make, When};

/// How the cells of a column are made; what hinders otherwise. `part` is the column in the source,
/// `gone` the values that say that a row's key is gone.
pub(super) fn make(
    declarations: &Declarations,
    column: &Column,
    part: &str,
    gone: &[String],
) -> Result<Make, String> {
    let called = format!("{} {}", part, column.name).to_lowercase();
    if let Treatment::Pseudonymise { domain } = &column.treatment {
        return Ok(match domain.as_str() {
            "nguoi_benh" => Make::Person(About::Number),
            "nhan_vien" => Make::Staff(About::Number),
            "chung_chi_hanh_nghe" => Make::Staff(About::Licence),
            _ => Make::Entity,
        });
    }
    match column.treatment {
        Treatment::Generalise(Generalisation::AgeBand) => return Ok(Make::Person(About::Age)),
        Treatment::Generalise(_) => return Ok(Make::Day(when(column, &called))),
        _ => {}
    }
    Ok(match &column.ty {
        ColumnType::Text if column.treatment == Treatment::Drop => unread(&called),
        ColumnType::Text => text(declarations, column, &called, gone)?,
        ColumnType::Integer if is_days(&called) => Make::Days,
        ColumnType::Integer | ColumnType::Decimal { .. } => number(column),
        ColumnType::Date => Make::Day(when(column, &called)),
        ColumnType::Boolean if column.treatment == Treatment::Drop => Make::Truth { share: 0.02 },
        ColumnType::Boolean => Make::Truth { share: 0.3 },
        // The day of its list is looked up when all fields are known.
        ColumnType::Unit { .. } => Make::Sentence,
    })
}

fn text(
    declarations: &Declarations,
    column: &Column,
    called: &str,
    gone: &[String],
) -> Result<Make, String> {
    if let Some(make) = of_care(column, called) {
        return Ok(make);
    }
    if !column.values.is_empty() {
        let left: Vec<String> =
            column.values.iter().filter(|value| !gone.contains(value)).cloned().collect();
        let is_sex = called.contains("gioi_tinh")
            && ["1", "2"].iter().all(|sex| column.values.iter().any(|value| value == sex));
        return Ok(if is_sex && !called.contains("con") {
            Make::Person(About::Sex)
        } else {
            Make::Values(if left.is_empty() { column.values.clone() } else { left })
        });
    }
    if let Some((table, name)) = &column.references {
        let values = declared(declarations, table, name);
        return match values {
            Some(values) if !values.is_empty() => Ok(Make::Values(values)),
            _ => Err(format!("`{}` refers to {table}, which is not declared", column.name)),
        };
    }
    if let Some(vocabulary) = &column.vocabulary {
        return Ok(Make::Values(vocabulary.all().map(str::to_owned).collect()));
    }
    let Some(text) = &column.pattern else { return Ok(Make::Sentence) };
    let pattern = Pattern::of(text);
    let pattern =
        pattern.ok_or_else(|| format!("the pattern of `{}` cannot be read", column.name))?;
    let any = |words: &[&str]| words.iter().any(|word| called.contains(word));
    let takes = |sample: &str| {
        Regex::new(&format!("^(?:{text})$")).is_ok_and(|pattern| pattern.is_match(sample))
    };
    let is_disease = any(&["ma_benh", "icd10"]) && !any(&["bao_cao", "benh_id", "yhct"]);
    Ok(if is_disease && takes("I10") && takes("E11.9") {
        Make::Disease(pattern)
    } else if any(&["cskcb", "co_so"]) && takes("01001") {
        Make::Facility(pattern)
    } else {
        Make::Pattern(pattern)
    })
}

/// What lists of care, of its outcome and of diseases are; `None` of other columns.
fn of_care(column: &Column, called: &str) -> Option<Make> {
    if called.contains("ma_loai_kcb") && column.values.iter().any(|code| code == "01") {
        return Some(Make::Care(column.values.clone()));
    }
    if called.contains("ket_qua_dtri") && column.values.iter().any(|code| code == "6") {
        return Some(Make::Outcome);
    }
    if called.contains("phien_ban_icd") {
        let lists: Result<[String; 2], _> = column.values.clone().try_into();
        return lists.ok().map(Make::DiseaseList);
    }
    None
}

/// The share of a visit's bill that a column is.
pub(super) fn bill(column: &str) -> Option<fn(&Bill) -> u64> {
    Some(match column {
        "t_tongchi_bv" => |bill| bill.total,
        "t_tongchi_bh" => |bill| bill.insured,
        "t_bhtt" => |bill| bill.fund,
        "t_bncct" => |bill| bill.shared,
        "t_bntt" => |bill| bill.own,
        _ => return None,
    })
}

fn is_days(called: &str) -> bool {
    ["so_ngay_dtri", "so_ngay_dieu_tri"].iter().any(|name| called.contains(name))
}

/// What a source holds in a column that is never read: of persons, mostly.
fn unread(called: &str) -> Make {
    let any = |words: &[&str]| words.iter().any(|word| called.contains(word));
    if any(&["dien_thoai", "telecom", "phone", "sdt"]) {
        Make::Person(About::Phone)
    } else if any(&["dia_chi", "address", "cu_tru", "noi_o", "location"]) {
        Make::Person(About::Address)
    } else if any(&["cccd", "cmnd", "dinh_danh", "national_id"]) {
        Make::Person(About::Number)
    } else if any(&["ma_the", "the_bhyt", "insurance"]) {
        Make::Person(About::Card)
    } else if any(&["ho_ten", "name", "nguoi", "ten_bs", "chu_nhiem"]) {
        Make::Person(About::Name)
    } else {
        Make::Sentence
    }
}

fn number(column: &Column) -> Make {
    let (low, high) = (column.min.unwrap_or(0.0), column.max.unwrap_or(1000.0));
    let digits = match column.ty {
        // What money and measures mostly have.
        ColumnType::Decimal { scale, .. } => usize::from(scale.unsigned_abs()).min(2),
        _ => 0,
    };
    if (1800.0..=2100.0).contains(&low) && high <= 2300.0 {
        return Make::Year;
    }
    Make::Number { low, high, digits }
}

fn when(column: &Column, called: &str) -> When {
    let any = |words: &[&str]| words.iter().any(|word| called.contains(word));
    let is_year = column.treatment == Treatment::Generalise(Generalisation::Year);
    if any(&["ngay_sinh", "ngaysinh", "birth", "nam_sinh"]) && (is_year || !any(&["con"])) {
        When::Born
    } else if any(&["het_han", "han_dung", "han_kiem", "hieu_luc_den", "expir"]) {
        When::Future
    } else if is_year || any(&["ngay_cap", "cap_phep"]) {
        When::Past
    } else if any(&["cap_nhat", "tao_luc", "ngay_tao", "ngaylap", "lastupdated"]) {
        When::Written
    } else if any(&["_xong", "ngay_ra", "ket_thuc", "end", "ket_luan", "_kq", "bao_cao", "report"])
    {
        When::After
    } else {
        When::Event
    }
}

/// The values of a column of a declared table.
fn declared(declarations: &Declarations, table: &TableName, name: &str) -> Option<Vec<String>> {
    let (_, table) = declarations.source_table(table)?;
    let Origin::Declared { text, .. } = &table.origin else { return None };
    let from = &table.column(name)?.from;
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let at = reader.headers().ok()?.iter().position(|header| header == from)?;
    let cells = reader.records().filter_map(|record| record.ok()?.get(at).map(str::to_owned));
    Some(cells.filter(|cell| !cell.trim().is_empty()).collect())
}
