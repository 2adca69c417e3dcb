use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use connectors::claims_xml::ClaimsXml;
use connectors::fill::Cells;
use connectors::http_json::HttpJson;
use connectors::service::Service;
use connectors::xlsx::Xlsx;
use connectors::{Request, Secret, SecretPlace, Source, Span};
use futures::TryStreamExt as _;
use proptest::prelude::*;
use regex::Regex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use warehouse::geography::Geography;
use warehouse::spec::{ColumnType, Contract, Treatment, load_embedded};

use super::super::random::Random;
use super::course::Row;
use super::pattern::Pattern;
use super::shape::{Make, On};
use super::*;

const UNITS: &str = include_str!("../../../reference/don_vi.csv");
const SUCCESSORS: &str = include_str!("../../../reference/ke_thua.csv");
const ROWS: u64 = 40;
const NIGHTS: u64 = 3;

/// The contracts of the product, read once.
static DECLARED: LazyLock<Declarations> = LazyLock::new(|| load_embedded().declarations);

fn reference() -> Reference<'static> {
    Reference { units_csv: UNITS, successors_csv: SUCCESSORS }
}

fn first() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 7, 7).unwrap()
}

/// All tables that are read from a source, three nights on.
fn each(seed: u64, with_faults: bool, mut look: impl FnMut(&Contract, &Course<'_>)) {
    let declared = &*DECLARED;
    let places = Places::read(reference(), seed).unwrap();
    let world = World { seed, places: &places, rows: ROWS, first: first() };
    for contract in &declared.contracts {
        for table in &contract.tables {
            if matches!(table.origin, Origin::Declared { .. }) {
                continue;
            }
            let shape = Shape::of(declared, table)
                .unwrap_or_else(|reason| panic!("{}: {reason}", table.name));
            let mut course = Course::new(&contract.id, shape, world, with_faults);
            (0..NIGHTS).for_each(|_| course.begin());
            look(contract, &course);
        }
    }
}

fn rows(course: &Course<'_>) -> Vec<Row> {
    (0..NIGHTS).flat_map(|night| course.rows(night)).collect()
}

#[test]
fn every_cell_fits_its_own_declaration() {
    let geography = Geography::from_declared(UNITS, SUCCESSORS).unwrap();
    let mut refused = Vec::new();
    each(1, false, |_, course| {
        let rows = rows(course);
        for (at, field) in course.shape.fields.iter().enumerate() {
            let column = field.column;
            let name = format!("{}.{}", course.shape.table.name, column.name);
            let pattern = column.pattern.as_ref().filter(|_| column.treatment == Treatment::Keep);
            let pattern = pattern.map(|text| Regex::new(&format!("^(?:{text})$")).unwrap());
            let (mut cells, mut leaks) = (0, 0);
            for row in &rows {
                let Some(cell) = &row.cells[at] else {
                    assert!(!field.required, "{name} is empty");
                    continue;
                };
                assert!(!cell.trim().is_empty(), "{name}");
                if let Some(pattern) = &pattern {
                    assert!(pattern.is_match(cell.trim()), "{name}: {cell}");
                }
                if column.treatment == Treatment::Keep && !column.values.is_empty() {
                    assert!(column.values.contains(cell), "{name}: {cell}");
                }
                if matches!(field.make, Make::Number { .. } | Make::Year | Make::Line) {
                    let value: f64 = cell.parse().unwrap();
                    assert!(column.min.is_none_or(|min| value >= min), "{name}: {cell}");
                    assert!(column.max.is_none_or(|max| value <= max), "{name}: {cell}");
                }
                if let (ColumnType::Unit { .. }, Make::Unit(on)) = (&column.ty, &field.make) {
                    let day = match on {
                        On::Day(day) => *day,
                        On::Field(day) => row.cells[*day].as_ref().unwrap()[..10].parse().unwrap(),
                    };
                    assert!(geography.find(cell, day).is_some(), "{name}: {cell} on {day}");
                }
                cells += 1;
                leaks += u32::from(!field.fits(cell));
            }
            if leaks * 20 > cells {
                refused.push(name);
            }
        }
    });
    assert!(refused.is_empty(), "what the scan would refuse is made in {refused:?}");
}

#[test]
fn mothers_are_of_an_age_at_which_children_are_born() {
    let mut mothers = 0;
    each(1, false, |_, course| {
        let fields = &course.shape.fields;
        let Some(at) = fields.iter().position(|field| field.name == "NGAYSINH_NND") else { return };
        for row in rows(course) {
            let Some(born) = &row.cells[at] else { continue };
            let born: NaiveDate = born[..10].parse().unwrap();
            assert!((15..=50).contains(&first().years_since(born).unwrap()), "{born}");
            mothers += 1;
        }
    });
    assert!(mothers > 50, "{mothers}");
}

#[test]
fn codes_are_of_the_list_of_their_day_and_stays_have_their_days() {
    let mut lists = BTreeSet::new();
    let mut stays = 0;
    each(1, false, |_, course| {
        let at = |name: &str| {
            let fields = &course.shape.fields;
            fields.iter().position(|field| field.column.name == name)
        };
        let rows = rows(course);
        if let (Some(list), Some(day)) = (at("phien_ban_icd"), at("thang_den")) {
            for row in &rows {
                let (Some(list), Some(day)) = (&row.cells[list], &row.cells[day]) else { continue };
                assert_eq!(list == "TT06-2026", day.as_str() >= "2026-07-01", "{list} on {day}");
                lists.insert(list.clone());
            }
        }
        if let (Some(from), Some(to), Some(days)) =
            (at("thang_vao"), at("thang_ra"), at("so_ngay_dieu_tri"))
        {
            for row in &rows {
                let day = |at: usize| row.cells[at].as_ref()?.get(..10)?.parse::<NaiveDate>().ok();
                let (Some(from), Some(to), Some(days)) = (day(from), day(to), &row.cells[days])
                else {
                    continue;
                };
                assert_eq!(((to - from).num_days() + 1).to_string(), *days);
                stays += 1;
            }
        }
    });
    assert_eq!(lists.len(), 2, "{lists:?}");
    assert!(stays > 50, "{stays}");
}

#[test]
fn a_claim_adds_up_and_its_papers_tell_of_the_same_disease() {
    let mut claims = BTreeMap::new();
    let mut papers = BTreeMap::new();
    each(1, false, |_, course| {
        let at = |name: &str| {
            let fields = &course.shape.fields;
            fields.iter().position(|field| field.column.name == name).unwrap()
        };
        let diseases = || {
            let disease = at("ma_benh_chinh");
            rows(course).into_iter().map(move |row| (row.spot, row.cells[disease].clone()))
        };
        match course.shape.table.name.to_string().as_str() {
            "nguon.bhyt_ho_so" => {
                let amounts =
                    ["t_tongchi_bv", "t_tongchi_bh", "t_bntt", "t_bncct", "t_bhtt"].map(at);
                for row in rows(course) {
                    let [total, insured, own, shared, fund] = amounts.map(|at| {
                        let hundredths = row.cells[at].as_ref().unwrap().replace('.', "");
                        hundredths.parse::<u64>().unwrap()
                    });
                    assert_eq!((insured + own, fund + shared), (total, insured));
                }
                claims.extend(diseases());
            }
            "nguon.bhyt_giay_hen_kham_lai" => papers.extend(diseases()),
            _ => {}
        }
    });
    let told = papers.iter().filter(|(_, disease)| disease.is_some());
    let same = told.clone().filter(|(spot, disease)| claims.get(*spot) == Some(*disease)).count();
    assert!(same * 10 > told.count() * 7, "{same}");
}

#[test]
fn the_same_seed_gives_the_same_rows_and_another_others() {
    let told = |seed| {
        let mut all = BTreeMap::new();
        each(seed, true, |_, course| {
            let cells: Vec<Cells> = rows(course).into_iter().map(|row| row.cells).collect();
            all.insert(course.shape.table.name.to_string(), cells);
        });
        all
    };
    let one = told(1);
    assert_eq!(one, told(1));
    assert_ne!(one["nguon.kcb_luot_kham"], told(2)["nguon.kcb_luot_kham"]);
}

#[test]
fn a_key_is_new_once_and_comes_again_only_corrected_or_deleted() {
    let mut changed = BTreeSet::new();
    each(3, false, |_, course| {
        if course.shape.key.is_empty() {
            return;
        }
        let mut spots = HashSet::new();
        let mut keys = BTreeMap::new();
        for row in rows(course) {
            let key = course.key(&row.cells);
            let known = *keys.entry(key).or_insert(row.spot);
            assert_eq!(known, row.spot, "{}", course.shape.table.name);
            if !spots.insert((row.spot.night, row.spot.index)) {
                changed.insert((course.shape.table.name.to_string(), row.is_gone));
            }
        }
    });
    assert!(changed.contains(&("nguon.kcb_luot_kham".to_owned(), false)));
    assert!(changed.contains(&("nguon.kcb_luot_kham".to_owned(), true)));
    // Where keys are compared, without a sign.
    assert!(changed.contains(&("nguon.tiem_chung_phan_ung".to_owned(), true)));
}

#[test]
fn persons_are_the_same_in_several_systems_and_come_again() {
    let mut people: BTreeMap<String, Vec<String>> = BTreeMap::new();
    each(1, false, |contract, course| {
        for (at, field) in course.shape.fields.iter().enumerate() {
            let Treatment::Pseudonymise { domain } = &field.column.treatment else { continue };
            if domain == "nguoi_benh" {
                let numbers = rows(course).into_iter().filter_map(|row| row.cells[at].clone());
                people.entry(contract.id.clone()).or_default().extend(numbers);
            }
        }
    });
    let distinct = |source: &str| people[source].iter().collect::<BTreeSet<_>>();
    assert!(distinct("kcb").len() < people["kcb"].len());
    assert!(distinct("kcb").intersection(&distinct("tiem_chung")).count() > 10);
    assert!(people["kcb"].iter().all(|number| number.len() == 12));
}

#[test]
fn planted_faults_are_few_and_named() {
    let mut kinds = BTreeSet::new();
    each(5, true, |_, course| {
        let rows = rows(course);
        let faults = rows.iter().filter_map(|row| row.fault.as_ref());
        let count = faults.clone().count();
        assert!(count * 10 <= rows.len() + 20, "{}", course.shape.table.name);
        kinds.extend(faults.map(|fault| fault.kind.as_str()));
    });
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

fn wish<'a>(
    declarations: &'a Declarations,
    servers: &'a BTreeMap<String, Server>,
    folder: &'a Path,
    only: &'a [String],
) -> Wish<'a> {
    Wish {
        declarations,
        reference: reference(),
        only,
        servers,
        folder: Some(folder),
        first: first(),
        nights: 2,
        night: None,
        rows: 20,
        seed: 1,
        faults: None,
    }
}

#[tokio::test]
async fn files_of_all_forms_are_written_and_what_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let servers = BTreeMap::new();
    let filled = fill(wish(&DECLARED, &servers, folder.path(), &[]), &mut |_, _| {}).await;
    let filled = filled.unwrap();
    for file in [
        "bhyt/2026-07-08/01901_mo_phong.xml",
        "bhyt/2026-07-08/01901_mo_phong.xml.done",
        "benh_an/2026-07-07/Patientmo_phong.ndjson",
        "ngo_doc/vu_cu/mo_phong.csv",
        "vn_notifiable_diseases/notifiable_diseases_1980_2017.parquet",
        "thong_ke/2026-07-08/bct_01_08mo_phong_0001.xlsx",
        "hiv_bao_cao/2026-07-08/mo_phong_0001.xlsx.done",
        "dich_vu/giam_sat/nguon.giam_sat_ca_benh/00001.json",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}: {:?}", filled.left_out);
    }
    let reason = |name: &str| {
        let found = filled.left_out.iter().find(|(table, _)| table.to_string() == name);
        found.map(|(_, reason)| reason.as_str()).unwrap_or_default()
    };
    assert!(reason("nguon.kcb_luot_kham").contains("[servers.kcb]"));
    assert!(reason("nguon.dan_so_ho").contains("[servers.dan_so]"), "{:?}", filled.left_out);
}

/// What is asked of a table's source in the last of the nights.
fn request(table: &SourceTable) -> Request {
    let Origin::Read { place, settings, .. } = &table.origin else { panic!("{}", table.name) };
    let read = table.columns.iter().filter(|column| column.treatment != Treatment::Drop);
    let columns: BTreeSet<String> = read.map(|column| column.from.clone()).collect();
    Request {
        place: place.replace("{night}", "2026-07-08"),
        columns: columns.into_iter().collect(),
        span: None,
        settings: settings.clone(),
    }
}

/// How many rows a connector reads.
async fn count(source: &impl Source, request: &Request) -> usize {
    let snapshot = source.open(request).await.unwrap().unwrap();
    let batches: Vec<RecordBatch> = snapshot.rows.try_collect().await.unwrap();
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn workbooks_are_read_back_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let servers = BTreeMap::new();
    let only = ["thong_ke".to_owned(), "hiv_bao_cao".to_owned()];
    // A later run with fewer rows leaves none of the forms of before.
    for rows in [60, 40] {
        let wish = Wish { rows, ..wish(&DECLARED, &servers, folder.path(), &only) };
        let filled = fill(wish, &mut |_, _| {}).await.unwrap();
        assert!(filled.left_out.is_empty(), "{:?}", filled.left_out);
        let mut tables = 0;
        for (name, night, rows) in &filled.tables {
            let (_, table) = DECLARED.source_table(name).unwrap();
            let is_form = matches!(&table.origin, Origin::Read { kind: SourceKind::Xlsx, .. });
            if is_form && night.to_string() == "2026-07-08" {
                let source = Xlsx::new(Some(folder.path().to_owned()));
                assert_eq!(count(&source, &request(table)).await as u64, *rows, "{name}");
                assert!(*rows > 5, "{name}: {rows}");
                tables += 1;
            }
        }
        assert_eq!(tables, 7);
    }
}

#[tokio::test]
async fn claims_are_read_back_row_by_row_with_corrections_and_repeated_visits() {
    let folder = tempfile::tempdir().unwrap();
    let servers = BTreeMap::new();
    let only = ["bhyt".to_owned()];
    let faults = folder.path().join("loi.csv");
    let wish = wish(&DECLARED, &servers, folder.path(), &only);
    let wish = Wish { rows: 400, faults: Some(&faults), ..wish };
    let filled = fill(wish, &mut |_, _| {}).await.unwrap();
    let planted = std::fs::read_to_string(&faults).unwrap();
    assert!(planted.contains("nguon.bhyt_ho_so,trung_khoa"), "a visit comes twice");
    let mut tables = 0;
    for (name, night, rows) in &filled.tables {
        let (_, table) = DECLARED.source_table(name).unwrap();
        let is_claims = matches!(&table.origin, Origin::Read { kind: SourceKind::ClaimsXml, .. });
        if is_claims && night.to_string() == "2026-07-08" {
            let source = ClaimsXml::new(Some(folder.path().to_owned()));
            assert_eq!(count(&source, &request(table)).await as u64, *rows, "{name}");
            assert!(*rows > 400, "{name}: {rows}, corrections among them");
            tables += 1;
        }
    }
    assert_eq!(tables, 11);
}

#[tokio::test]
async fn a_service_answers_page_by_page_and_only_to_those_who_show_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let secret = SecretPlace::Value(Secret::new("the".to_owned()));
    let server = Server {
        address: "http://127.0.0.1:1/goc".to_owned(),
        secret: Some(secret),
        ..Server::default()
    };
    let servers = BTreeMap::from([("giam_sat".to_owned(), server)]);
    let only = ["giam_sat".to_owned()];
    let filled = fill(wish(&DECLARED, &servers, folder.path(), &only), &mut |_, _| {}).await;
    let name = |row: &&(TableName, NaiveDate, u64)| row.0.to_string() == "nguon.giam_sat_ca_benh";
    let written = filled.unwrap().tables.iter().find(name).unwrap().2;

    let declarations = &*DECLARED;
    let serving = Serving { declarations, only: &only, servers: &servers, folder: folder.path() };
    let services = Services::of(serving).await.unwrap();
    assert_eq!(services.paths().next().unwrap(), ("giam_sat", "/goc", 4));
    let elsewhere = Services::listen("0.0.0.0:0".parse().unwrap()).await;
    assert!(matches!(elsewhere, Err(SimulateError::Options(_))));
    let listener = Services::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(services.serve(listener));

    let path = "/goc/v1/ca-benh?so_dong=7";
    assert!(ask(at, path, "Bearer khac").await.starts_with("HTTP/1.1 401"));
    assert!(ask(at, "/goc/v1/khac", "Bearer the").await.starts_with("HTTP/1.1 404"));
    let address = format!("http://{at}/goc").parse().unwrap();
    let token = servers["giam_sat"].secret.clone();
    let service = Service {
        address,
        token,
        client_certificate: None,
        ca_file: None,
        requests_per_second: 1_000,
        timeout_secs: 10,
    };
    let source = HttpJson::new(&service).unwrap();
    let table = DECLARED.contracts.iter().flat_map(|contract| &contract.tables);
    let mut table = table.filter(|table| table.name.to_string() == "nguon.giam_sat_ca_benh");
    let mut request = request(table.next().unwrap());
    request.settings.insert("size".to_owned(), "7".to_owned());
    assert_eq!(count(&source, &request).await as u64, written);
    // The second night tells what the first did not.
    let from = NaiveDate::from_ymd_opt(2026, 7, 7).unwrap().and_hms_opt(0, 0, 0);
    let column = "ngay_cap_nhat".to_owned();
    request.span = Some(Span { column, from, below: None });
    assert!((1..written).contains(&(count(&source, &request).await as u64)));
}

async fn ask(at: std::net::SocketAddr, path: &str, shown: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {shown}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

#[tokio::test]
async fn a_real_file_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("mo_phong/nhan_luc/nhan_vien.csv");
    std::fs::create_dir_all(real.parent().unwrap()).unwrap();
    std::fs::write(&real, "ma_nv\nthật\n").unwrap();
    let (servers, only) = (BTreeMap::new(), ["nhan_luc".to_owned()]);
    let filled = fill(wish(&DECLARED, &servers, folder.path(), &only), &mut |_, _| {}).await;
    assert!(matches!(filled, Err(SimulateError::Foreign { .. })), "{filled:?}");
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "ma_nv\nthật\n");
    // Nor is one that stands where a simulated one stood, beside its sign.
    std::fs::remove_file(&real).unwrap();
    fill(wish(&DECLARED, &servers, folder.path(), &only), &mut |_, _| {}).await.unwrap();
    fill(wish(&DECLARED, &servers, folder.path(), &only), &mut |_, _| {}).await.unwrap();
    std::fs::write(&real, "ma_nv\nthật\n").unwrap();
    let filled = fill(wish(&DECLARED, &servers, folder.path(), &only), &mut |_, _| {}).await;
    assert!(matches!(filled, Err(SimulateError::Foreign { .. })), "{filled:?}");
}

/// Every pattern of every contract.
fn patterns() -> Vec<String> {
    let tables = DECLARED.contracts.iter().flat_map(|contract| &contract.tables);
    let columns = tables.flat_map(|table| &table.columns);
    let all: BTreeSet<String> = columns.filter_map(|column| column.pattern.clone()).collect();
    all.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_made_of_a_pattern_matches_it(seed in any::<u64>(), more in 0_u64..20) {
        for text in patterns() {
            let pattern = Pattern::of(&text).unwrap();
            let made = pattern.text(&mut Random::of(seed, &[1]), more);
            let whole = Regex::new(&format!("^(?:{text})$")).unwrap();
            prop_assert!(whole.is_match(&made), "{text}: {made}");
        }
    }
}
