//! Identifiers planted in every column of a source come out nowhere: not in the lake, not in
//! quarantine, not in what is published, not in the logs.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use arrow::array::Array;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use connectors::claims_xml::writer::{ClaimsWriter, Header, Part};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pipelines::simulate::{Options, Reference, simulate};
use warehouse::spec::Origin;

use crate::support::{self, khoyte};

/// What a careless clerk might type: identity and insurance numbers, telephones, a name in four
/// spellings, an address of electronic mail.
const PLANTED: [&str; 13] = [
    "001085123456",
    "079201987654",
    "DN4010123456789",
    "0912345678",
    "+84 912 345 679",
    "0912 - 345 - 677",
    "0987/654/321",
    "024 3825 3535",
    "Nguyễn Thị Hồng Nhung",
    "NGUYEN THI HONG NHUNG",
    "Tran Van Thanh",
    "Le\u{302} Va\u{306}n Luye\u{323}\u{302}n",
    "hong.nhung@example.vn",
];

#[test]
fn planted_identifiers_are_found_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let sources = folder.path().join("sources");
    let dir = folder.path().join("product");
    fs::create_dir_all(&dir).unwrap();
    let config = format!("sources_folder = {:?}\n", sources.display().to_string());
    fs::write(dir.join("khoyte.toml"), config).unwrap();

    let mut needles: Vec<String> = PLANTED.iter().map(|&text| text.to_owned()).collect();
    needles.extend(fill(&sources));
    let claims = plant_claims(&sources.join("bhyt").join(support::NIGHT));
    assert!(claims > 200, "every field of the claims holds every identifier");
    plant(&sources.join("mo_phong/nhan_luc/nhan_vien.csv"));

    let output = khoyte(&dir)
        .env("KHOYTE_LOG", "trace")
        .args(["night", "--date", support::NIGHT])
        .output()
        .unwrap();
    let warehouse = support::open(&dir);
    let loaded = support::rows(
        &warehouse,
        "SELECT (SELECT count(*) FROM nguon.bhyt_ho_so) AS luot, \
         (SELECT count(*) FROM nguon.nhan_luc_nhan_vien) AS nguoi, \
         (SELECT count(*) FROM he_thong.cach_ly) AS cach_ly",
    );
    let count = |at: usize| loaded.rows[0][at].as_i64().unwrap();
    assert!(count(0) > 10_000 && count(1) > 100, "clean rows are loaded: {:?}", loaded.rows);
    assert!(count(2) > 50, "rows with identifiers are in quarantine");

    let hay = Hay::new(needles);
    hay.search("standard error", &output.stderr);
    hay.search("standard output", &output.stdout);
    let mut files = 0;
    hay.search_folder(&dir, &mut files);
    assert!(files > 50, "{files} files were searched");
}

/// Simulated sources, and the identifiers of the simulated persons themselves.
fn fill(sources: &Path) -> Vec<String> {
    let declarations = support::declarations();
    let text = |name: &str| {
        let (_, table) = declarations.source_table(&name.parse().unwrap()).unwrap();
        match &table.origin {
            Origin::Declared { text, .. } => text.clone(),
            Origin::Read { .. } => panic!("{name} is declared"),
        }
    };
    let (units_csv, successors_csv) = (&text("danh_muc.don_vi"), &text("danh_muc.don_vi_ke_thua"));
    // The day before the night.
    let options = Options::demo("2026-11-19".parse().unwrap());
    let reference = Reference { units_csv, successors_csv };
    let summary = simulate(sources, options, reference, &mut |_| {}).unwrap();
    // Short ones and plain words would be found by chance in any compressed file.
    let distinct = summary.planted.into_iter().filter(|one| one.chars().count() >= 10);
    distinct.take(3000).collect()
}

/// A claim without fault.
const CLAIM: [(&str, &str); 23] = [
    ("MA_LK", "LK0001"),
    ("MA_BN", "BN0001"),
    ("HO_TEN", ""),
    ("SO_CCCD", ""),
    ("NGAY_SINH", "197005010000"),
    ("GIOI_TINH", "2"),
    ("DIA_CHI", ""),
    ("MATINH_CU_TRU", "01"),
    ("DIEN_THOAI", ""),
    ("MA_THE_BHYT", ""),
    ("LY_DO_VV", ""),
    ("MA_BENH_CHINH", "I10"),
    ("NGAY_VAO", "202611190800"),
    ("NGAY_RA", "202611191500"),
    ("SO_NGAY_DTRI", "0"),
    ("KET_QUA_DTRI", "2"),
    ("T_TONGCHI_BV", "100000.00"),
    ("T_TONGCHI_BH", "100000.00"),
    ("T_BNTT", "0.00"),
    ("T_BNCCT", "20000.00"),
    ("T_BHTT", "80000.00"),
    ("MA_LOAI_KCB", "01"),
    ("MA_CSKCB", "01001"),
];

/// A file of claims with every identifier in every field, one in each claim; returns how many.
fn plant_claims(folder: &Path) -> usize {
    let cells = (0..CLAIM.len()).flat_map(|field| PLANTED.map(|identifier| (field, identifier)));
    let cells: Vec<_> = cells.collect();
    let hoso = cells.len() as u64;
    let header = Header { facility: "01001", made_on: "20261119", hoso };
    let mut writer = ClaimsWriter::begin(Vec::new(), header).unwrap();
    for (number, (field, identifier)) in cells.iter().enumerate() {
        let mut claim = CLAIM;
        let key = format!("LK{number:04}");
        claim[0].1 = &key;
        claim[*field].1 = identifier;
        writer.hoso(&[Part { table: 1, records: &[claim.as_slice()] }]).unwrap();
    }
    fs::write(folder.join("khac.xml"), writer.end().unwrap()).unwrap();
    fs::write(folder.join("khac.xml.done"), "").unwrap();
    cells.len()
}

/// Puts every identifier into every column, one cell a row.
fn plant(file: &Path) {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header = reader.headers().unwrap().clone();
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    // Few enough that the batch as a whole still passes.
    let wanted = (rows.len() / 50).min(header.len() * PLANTED.len());
    for (index, row) in rows.iter_mut().take(wanted).enumerate() {
        let (column, identifier) = (index % header.len(), index / header.len());
        row[column] = PLANTED[(identifier + column) % PLANTED.len()].to_owned();
    }
    let mut writer = csv::Writer::from_path(file).unwrap();
    writer.write_record(&header).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.flush().unwrap();
}

/// What must be found nowhere.
pub(crate) struct Hay {
    needles: Vec<String>,
    automaton: regex::bytes::RegexSet,
    /// A number loses its leading zeros: those of digits alone, as they are then.
    bare: HashSet<String>,
}

impl Hay {
    pub(crate) fn new(needles: Vec<String>) -> Self {
        let is_number = |needle: &&String| needle.bytes().all(|b| b.is_ascii_digit());
        let bare = needles.iter().filter(is_number);
        let bare = bare.map(|needle| needle.trim_start_matches('0').to_owned()).collect();
        let patterns = needles.iter().map(|needle| regex::escape(needle));
        let automaton =
            regex::bytes::RegexSetBuilder::new(patterns).size_limit(1 << 30).build().unwrap();
        Self { needles, automaton, bare }
    }

    /// Those that are in there.
    pub(crate) fn found(&self, bytes: &[u8]) -> Vec<&str> {
        self.automaton.matches(bytes).iter().map(|at| self.needles[at].as_str()).collect()
    }

    pub(crate) fn search(&self, place: &str, bytes: &[u8]) {
        let found = self.found(bytes);
        assert!(found.is_empty(), "{place} holds {found:?}");
    }

    pub(crate) fn search_folder(&self, dir: &Path, files: &mut usize) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                self.search_folder(&path, files);
                continue;
            }
            *files += 1;
            let place = path.display().to_string();
            self.search(&place, &fs::read(&path).unwrap());
            if path.extension().is_some_and(|extension| extension == "parquet") {
                self.search_parquet(&path);
            }
        }
    }

    /// Pages are compressed: every column is decoded and read as text.
    fn search_parquet(&self, path: &Path) {
        let file = fs::File::open(path).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                let Ok(text) = cast(column, &DataType::Utf8) else { continue };
                let text = text.as_any().downcast_ref::<arrow::array::StringArray>().unwrap();
                let joined = text.iter().flatten().collect::<Vec<_>>().join("\n");
                self.search(&format!("{}:{}", path.display(), field.name()), joined.as_bytes());
                let bare = text.iter().flatten().find(|cell| self.bare.contains(*cell));
                assert!(bare.is_none(), "{}:{} holds {bare:?}", path.display(), field.name());
            }
        }
    }
}
