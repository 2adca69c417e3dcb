//! Parameters that no driver would send. The connection or a new one goes on; nothing is waited for
//! without end.

use super::arena::Arena;
use super::message::{Value, bind, describe, execute, extended, frame, parse, sync};
use super::target::Settings;
use super::turn;
use super::wire::Trouble;

/// Object identifiers of types.
const BOOL: u32 = 16;
const INT8: u32 = 20;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const JSON: u32 = 114;
const FLOAT8: u32 = 701;
const INT4_ARRAY: u32 = 1007;
const DATE: u32 = 1082;
const TIMESTAMP: u32 = 1114;
const INTERVAL: u32 = 1186;
const NUMERIC: u32 = 1700;

/// Bytes that are sent after log-in.
pub(super) struct Case {
    name: String,
    bytes: Vec<u8>,
    /// Whether the server has all that it may wait for, and must say something or close.
    whole: bool,
}

/// What is sent whole.
pub(super) fn case(name: &str, bytes: Vec<u8>) -> Case {
    Case { name: name.to_owned(), bytes, whole: true }
}

/// What is cut off, so that the server may wait for more.
pub(super) fn cut(name: &str, bytes: Vec<u8>) -> Case {
    Case { whole: false, ..case(name, bytes) }
}

/// Sends each on a connection of its own.
pub(super) fn send(cases: &[Case]) {
    let _turn = turn();
    let mut arena = Arena::open(Settings::tight());
    for case in cases {
        let Ok(mut client) = arena.target.client() else {
            arena.fault(format!("no connection for {}", case.name));
            arena.after(&case.name);
            continue;
        };
        if case.whole {
            let reply = client.exchange(&case.bytes);
            println!(
                "{}: {:?}",
                case.name,
                reply.as_ref().map(|reply| (reply.code(), reply.cell()))
            );
            if reply.is_err_and(|trouble| trouble == Trouble::Silent) {
                arena.fault(format!("{}: nothing comes", case.name));
            }
        } else {
            // It is for the server to wait or to close.
            let _ = client.say(&case.bytes);
            client.vanish();
        }
        arena.after(&case.name);
    }
    arena.close();
}

/// A binding by hand: formats, values, formats of results, each with a count that may lie.
fn raw_bind(formats: &[i16], count: i16, values: &[u8], results: &[i16]) -> Vec<u8> {
    let mut content = vec![0, 0];
    let push = |content: &mut Vec<u8>, all: &[i16]| {
        content.extend_from_slice(&(all.len() as i16).to_be_bytes());
        all.iter().for_each(|one| content.extend_from_slice(&one.to_be_bytes()));
    };
    push(&mut content, formats);
    content.extend_from_slice(&count.to_be_bytes());
    content.extend_from_slice(values);
    push(&mut content, results);
    frame(b'B', &content)
}

fn rest() -> Vec<u8> {
    [describe(b'P', ""), execute("", 0), sync()].concat()
}

fn bound(sql: &str, types: &[u32], bind: Vec<u8>) -> Vec<u8> {
    [parse("", sql, types), bind, rest()].concat()
}

fn binary(bytes: &[u8]) -> Vec<Value> {
    vec![Value::Binary(bytes.to_vec())]
}

#[test]
fn parameters_that_are_no_values() {
    let text = |text: &str| vec![Value::Text(text.to_owned())];
    let mut cases = vec![
        case("no value for two", bound("SELECT $1::int + $2::int", &[], bind("", "", &[]))),
        case(
            "three values for none",
            bound("SELECT 1", &[], bind("", "", &[Value::Null, Value::Null, Value::Null])),
        ),
        case(
            "a length of -2",
            bound("SELECT $1::int", &[], raw_bind(&[], 1, &(-2_i32).to_be_bytes(), &[])),
        ),
        case(
            "a length of the least",
            bound("SELECT $1::int", &[], raw_bind(&[], 1, &i32::MIN.to_be_bytes(), &[])),
        ),
        case(
            "a length beyond the message",
            bound("SELECT $1::int", &[], raw_bind(&[], 1, &i32::MAX.to_be_bytes(), &[])),
        ),
        case(
            "a count beyond the message",
            bound("SELECT $1::int", &[], raw_bind(&[], i16::MAX, &[], &[])),
        ),
        case("a count below nothing", bound("SELECT $1::int", &[], raw_bind(&[], -1, &[], &[]))),
        case(
            "a count of the least",
            bound("SELECT $1::int", &[], raw_bind(&[], i16::MIN, &[], &[])),
        ),
        case(
            "a format that is none",
            bound("SELECT $1::int", &[INT4], raw_bind(&[7], 1, &[0, 0, 0, 1, b'1'], &[])),
        ),
        case(
            "formats for more values",
            bound("SELECT $1::int", &[INT4], raw_bind(&[1, 0, 1], 1, &[0, 0, 0, 1, b'1'], &[])),
        ),
        case(
            "results in a format that is none",
            bound("SELECT 1", &[], raw_bind(&[], 0, &[], &[9])),
        ),
        case(
            "results of more columns",
            bound("SELECT 1", &[], raw_bind(&[], 0, &[], &[1, 0, 1, 0, 1])),
        ),
        case(
            "30,000 formats of results",
            bound("SELECT 1", &[], raw_bind(&[], 0, &[], &[1; 30_000])),
        ),
        case(
            "text that is no text",
            bound("SELECT $1::text", &[TEXT], raw_bind(&[0], 1, &[0, 0, 0, 2, 0xff, 0xfe], &[])),
        ),
        case(
            "binary text that is no text",
            extended("SELECT $1::text", &[TEXT], &binary(&[0xff, 0xfe])),
        ),
        case("text with a NUL", extended("SELECT $1::text", &[TEXT], &text("a\0b"))),
        case("a number that is none", extended("SELECT $1::int", &[INT4], &text("mười"))),
        case(
            "a number too large",
            extended("SELECT $1::int", &[INT4], &text("99999999999999999999")),
        ),
        case(
            "an exact number with a huge exponent",
            extended("SELECT $1::numeric", &[NUMERIC], &text("1e999999999")),
        ),
        case(
            "an exact number of 1 MB",
            extended("SELECT $1::numeric", &[NUMERIC], &text(&"9".repeat(1 << 20))),
        ),
        case("a day that is infinite", extended("SELECT $1::date", &[DATE], &text("infinity"))),
        case("a day that is none", extended("SELECT $1::date", &[DATE], &text("2026-02-31"))),
        case(
            "an instant beyond",
            extended("SELECT $1::timestamp", &[TIMESTAMP], &text("294277-01-01")),
        ),
        case(
            "an array that is none",
            extended("SELECT $1::int[]", &[INT4_ARRAY], &text("{1,{2,{{{")),
        ),
        case(
            "an array of 1,000,000",
            extended(
                "SELECT $1::int[]",
                &[INT4_ARRAY],
                &text(&format!("{{{}1}}", "1,".repeat(1_000_000))),
            ),
        ),
        case(
            "an array 10,000 deep",
            extended(
                "SELECT $1::int[]",
                &[INT4_ARRAY],
                &text(&("{".repeat(10_000) + &"}".repeat(10_000))),
            ),
        ),
        case("JSON 50,000 deep", extended("SELECT $1::json", &[JSON], &text(&"[".repeat(50_000)))),
        case(
            "a text of 50 MB",
            extended("SELECT length($1::text)", &[TEXT], &text(&"x".repeat(50 << 20))),
        ),
        case(
            "a text of 50 MB, of no type",
            extended("SELECT length($1)", &[], &text(&"x".repeat(50 << 20))),
        ),
        case(
            "a pattern by parameter",
            extended("SELECT 'a' ~ $1", &[TEXT], &text("(((a{1,100}){1,100}){1,100})")),
        ),
        case(
            "a boundary by parameter",
            extended("SELECT count(*) FROM chi_tieu_tai($1)", &[DATE], &text("2025-07-01")),
        ),
        case("a limit by parameter", extended("SELECT 1 LIMIT $1", &[INT8], &text("-1"))),
        case(
            "growth by parameter",
            extended(
                "SELECT length(repeat($1, $2::int))",
                &[TEXT, INT4],
                &[Value::Text("x".repeat(1_000)), Value::Text("2000000000".into())],
            ),
        ),
        case(
            "null for everything",
            extended(
                "SELECT repeat($1, $2), $3::date + $4::interval",
                &[TEXT, INT4, DATE, INTERVAL],
                &[Value::Null, Value::Null, Value::Null, Value::Null],
            ),
        ),
        case("null where a name stands", extended("SELECT * FROM $1", &[], &[Value::Null])),
        case(
            "types that are not there",
            extended("SELECT $1, $2", &[999_999, u32::MAX], &[Value::Null, Value::Null]),
        ),
        case(
            "more types than placeholders",
            [parse("", "SELECT 1", &[INT4; 60_000]), bind("", "", &[]), rest()].concat(),
        ),
        case("no type for a placeholder", extended("SELECT $1", &[], &text("a"))),
        case(
            "a placeholder of many types",
            extended("SELECT $1::int, $1::date, $1::text", &[], &text("1")),
        ),
    ];
    let placeholders: Vec<String> = (1..=60_000).map(|i| format!("${i}::int")).collect();
    cases.push(case(
        "60,000 parameters",
        extended(
            &format!("SELECT {}", placeholders.join("+")),
            &[],
            &vec![Value::Text("1".into()); 60_000],
        ),
    ));
    let list = (1..=60_000).map(|i| format!("${i}")).collect::<Vec<_>>().join(",");
    cases.push(case(
        "60,000 parameters in a list",
        extended(
            &format!("SELECT 1 WHERE 'a' IN ({list})"),
            &[],
            &vec![Value::Text("1".into()); 60_000],
        ),
    ));
    send(&cases);
}

#[test]
fn binary_parameters_of_wrong_shapes() {
    let types: [(&str, u32, &str); 9] = [
        ("bool", BOOL, "boolean"),
        ("int4", INT4, "int"),
        ("int8", INT8, "bigint"),
        ("float8", FLOAT8, "double precision"),
        ("date", DATE, "date"),
        ("timestamp", TIMESTAMP, "timestamp"),
        ("interval", INTERVAL, "interval"),
        ("numeric", NUMERIC, "numeric"),
        ("int4[]", INT4_ARRAY, "int[]"),
    ];
    let mut cases = Vec::new();
    for (name, oid, written) in types {
        for bytes in [
            &b""[..],
            &[1],
            &[0x80; 3],
            &[0xff; 4],
            &[0x7f; 8],
            &[0xff; 12],
            &[0x80; 16],
            &[0xff; 400],
        ] {
            let sql = format!("SELECT $1::{written}");
            let what = format!("{name} of {} bytes of {:?}", bytes.len(), bytes.first());
            cases.push(case(&what, extended(&sql, &[oid], &binary(bytes))));
        }
    }
    let numeric = |digits: u16, weight: i16, sign: u16, scale: u16, more: &[u8]| {
        [
            &digits.to_be_bytes()[..],
            &weight.to_be_bytes(),
            &sign.to_be_bytes(),
            &scale.to_be_bytes(),
            more,
        ]
        .concat()
    };
    for (what, bytes) in [
        ("digits that are not there", numeric(60_000, 0, 0, 0, &[])),
        ("a weight of the most", numeric(1, i16::MAX, 0, 0, &[0, 1])),
        ("a weight of the least", numeric(1, i16::MIN, 0, 0, &[0, 1])),
        ("a sign that is none", numeric(1, 0, 0x1234, 0, &[0, 1])),
        ("a scale of the most", numeric(1, 0, 0, u16::MAX, &[0, 1])),
        ("a digit above 9,999", numeric(1, 0, 0, 0, &[0xff, 0xff])),
        ("no number", numeric(0, 0, 0xc000, 0, &[])),
        ("infinity", numeric(0, 0, 0xd000, 0, &[])),
        ("60,000 digits", numeric(30_000, 30_000, 0, 0, &[9; 60_000])),
    ] {
        cases.push(case(
            &format!("numeric: {what}"),
            extended("SELECT $1::numeric", &[NUMERIC], &binary(&bytes)),
        ));
    }
    let array = |dimensions: i32, more: &[i32]| {
        let head = [dimensions, 0, 23];
        head.iter().chain(more).flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>()
    };
    for (what, bytes) in [
        ("a billion dimensions", array(1_000_000_000, &[])),
        ("dimensions below nothing", array(-1, &[])),
        ("two billion elements", array(1, &[i32::MAX, 1])),
        ("elements below nothing", array(1, &[-5, 1])),
        ("two dimensions of two billion", array(2, &[i32::MAX, 1, i32::MAX, 1])),
        ("an element that is longer", array(1, &[1, 1, i32::MAX])),
    ] {
        cases.push(case(
            &format!("array: {what}"),
            extended("SELECT $1::int[]", &[INT4_ARRAY], &binary(&bytes)),
        ));
    }
    send(&cases);
}
