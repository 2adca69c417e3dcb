//! Messages after log-in that are out of order or out of shape.

use super::message::{
    bind, close, describe, execute, extended, frame, frame_of_length, parse, query, startup, sync,
    tls,
};
use super::parameters::{case, cut, send};

#[test]
fn messages_out_of_order_and_out_of_shape() {
    let text = |content: &[u8]| frame(b'Q', content);
    send(&[
        case("a query that is no text", text(b"SELECT '\xff\xfe'\0")),
        case("a query with a NUL inside", text(b"SELECT 1\0; DROP TABLE x\0")),
        cut("a query without its end", text(b"SELECT 1")),
        case("an empty query", text(b"\0")),
        cut("a query of no length", frame_of_length(b'Q', 4, b"")),
        cut("a length of 0", frame_of_length(b'Q', 0, b"SELECT 1\0")),
        cut("a length of 3", frame_of_length(b'Q', 3, b"SELECT 1\0")),
        cut("a length of 2 GiB", frame_of_length(b'Q', u32::MAX / 2, b"SELECT 1\0")),
        cut("a length of 4 GiB", frame_of_length(b'Q', u32::MAX, b"SELECT 1\0")),
        cut("a length below", frame_of_length(b'Q', 0x8000_0000, b"SELECT 1\0")),
        cut("a kind that is none", frame(b'!', b"abc")),
        cut("a kind of 0", frame(0, b"")),
        cut("a call of a function", frame(b'F', &[0; 12])),
        case(
            "copied rows without a copy",
            [frame(b'd', b"1\t2\n"), frame(b'c', b""), sync()].concat(),
        ),
        case("a copy that failed without a copy", [frame(b'f', b"no\0"), sync()].concat()),
        cut("a password after log-in", frame(b'p', b"secret\0")),
        cut("a first message after log-in", startup("ke_hoach", &[])),
        cut("a question for TLS after log-in", tls()),
        cut("words after the end", [frame(b'X', b""), query("SELECT 1")].concat()),
        case("10,000 times ready", [sync().repeat(10_000), query("SELECT 1")].concat()),
        case("10,000 times flush", [frame(b'H', b"").repeat(10_000), sync()].concat()),
        case("a portal that is not there", [execute("khong_co", 0), sync()].concat()),
        case("a statement that is not there", [bind("", "khong_co", &[]), sync()].concat()),
        case("a description of nothing", [describe(b'S', "khong_co"), sync()].concat()),
        case("a description of no kind", [describe(b'?', ""), sync()].concat()),
        case("the end of nothing", [close(b'P', "khong_co"), close(b'S', ""), sync()].concat()),
        case("the end of no kind", [close(b'?', ""), sync()].concat()),
        case(
            "fewer rows than none",
            [parse("", "SELECT 1", &[]), bind("", "", &[]), execute("", -1), sync()].concat(),
        ),
        case(
            "the least of rows",
            [parse("", "SELECT 1", &[]), bind("", "", &[]), execute("", i32::MIN), sync()].concat(),
        ),
        case(
            "one row at a time, too often",
            [
                parse("", "SELECT value FROM generate_series(1, 3)", &[]),
                bind("", "", &[]),
                execute("", 1).repeat(50),
                sync(),
            ]
            .concat(),
        ),
        case(
            "a portal used after its end",
            [
                parse("", "SELECT 1", &[]),
                bind("p", "", &[]),
                close(b'P', "p"),
                execute("p", 0),
                sync(),
            ]
            .concat(),
        ),
        case(
            "a statement ended under its portal",
            [
                parse("s", "SELECT 1", &[]),
                bind("p", "s", &[]),
                close(b'S', "s"),
                execute("p", 0),
                sync(),
            ]
            .concat(),
        ),
        case("a name of 1 MB", [parse(&"s".repeat(1 << 20), "SELECT 1", &[]), sync()].concat()),
        case("a name that is no text", [frame(b'P', b"\xff\xfe\0SELECT 1\0\0\0"), sync()].concat()),
        case("a parse without its types", [frame(b'P', b"\0SELECT 1\0"), sync()].concat()),
        case(
            "a parse with fewer types than it says",
            [frame(b'P', b"\0SELECT 1\0\xff\xff\0\0"), sync()].concat(),
        ),
        case(
            "a parse with bytes behind",
            [frame(b'P', b"\0SELECT 1\0\0\0abcdef"), sync()].concat(),
        ),
        case("two statements in a parse", extended("SELECT 1; SELECT 2", &[], &[])),
        case("nothing in a parse", extended("", &[], &[])),
        case("only a remark in a parse", extended("-- không có gì", &[], &[])),
        case(
            "a fault and 1,000 messages behind it",
            [
                parse("", "SELEC", &[]),
                [bind("", "", &[]), execute("", 0)].concat().repeat(1_000),
                sync(),
            ]
            .concat(),
        ),
        case(
            "a query between parse and bind",
            [parse("", "SELECT 1", &[]), query("SELECT 2")].concat(),
        ),
        case("LISTEN and NOTIFY", query("LISTEN a; NOTIFY a, 'b'; UNLISTEN *")),
        case("a copy in", query("COPY danh_muc.don_vi FROM STDIN")),
        case("a copy out", query("COPY danh_muc.don_vi TO STDOUT")),
    ]);
}
