//! Requests of the web that mean two things, or nothing: what proxies and servers read differently,
//! what is far too long, and addresses that reach for files.

/// Requests that mean two things, or nothing.
pub(super) fn shapes(host: &str) -> Vec<(String, Vec<u8>)> {
    let post = |headers: &str, body: &str| {
        format!("POST /sql HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n{body}").into_bytes()
    };
    let get = |headers: &str| {
        format!("GET /health HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").into_bytes()
    };
    let inner = format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let chunked = "Transfer-Encoding: chunked\r\n";
    let long = "x".repeat(1 << 20);
    let mut all: Vec<(&str, Vec<u8>)> = vec![
        (
            "a length and chunks",
            post(&format!("Content-Length: 6\r\n{chunked}"), &format!("0\r\n\r\n{inner}")),
        ),
        (
            "chunks and a length",
            post(&format!("{chunked}Content-Length: 4\r\n"), "5c\r\nx\r\n0\r\n\r\n"),
        ),
        ("two lengths", post("Content-Length: 3\r\nContent-Length: 30\r\n", "q=1")),
        ("a list of lengths", post("Content-Length: 3, 30\r\n", "q=1")),
        ("a length below nothing", post("Content-Length: -1\r\n", "")),
        ("a length with a sign", post("Content-Length: +3\r\n", "q=1")),
        ("a length beyond", post("Content-Length: 99999999999999999999999\r\n", "q=1")),
        ("a length of 8 EiB", post("Content-Length: 9223372036854775807\r\n", "q=1")),
        ("a length in hexadecimal", post("Content-Length: 0x3\r\n", "q=1")),
        ("chunks in a list", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
        ("chunks twice", post(&format!("{chunked}{chunked}"), "0\r\n\r\n")),
        ("chunks by another spelling", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")),
        ("chunks with a tab", post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n")),
        ("chunks folded", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")),
        ("a blank before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
        ("a chunk of no size", post(chunked, "\r\n\r\n")),
        ("a chunk of letters", post(chunked, "zz\r\n\r\n")),
        ("a chunk of 8 EiB", post(chunked, "7fffffffffffffff\r\nabc")),
        ("a chunk of more than all", post(chunked, "ffffffffffffffffff\r\nabc")),
        ("a chunk below nothing", post(chunked, "-1\r\nabc\r\n")),
        ("a chunk that is longer", post(chunked, "2\r\nabcdef\r\n0\r\n\r\n")),
        ("a chunk with 1 MB of remarks", post(chunked, &format!("1;{long}\r\na\r\n0\r\n\r\n"))),
        ("100,000 chunks", post(chunked, &("1\r\na\r\n".repeat(100_000) + "0\r\n\r\n"))),
        (
            "10,000 trailers",
            post(chunked, &("0\r\n".to_owned() + &"a: b\r\n".repeat(10_000) + "\r\n")),
        ),
        ("10,000 headers", get(&"X-A: b\r\n".repeat(10_000))),
        ("a header of 1 MB", get(&format!("X-A: {long}\r\n"))),
        ("a header name of 1 MB", get(&format!("{long}: a\r\n"))),
        ("a cookie of 1 MB", get(&format!("Cookie: a={long}\r\n"))),
        ("10,000 cookies", get(&format!("Cookie: {}\r\n", "phien=a; ".repeat(10_000)))),
        ("a header without a colon", get("khong co gi\r\n")),
        ("a header of no name", get(": a\r\n")),
        (
            "a header that is no text",
            [b"GET /health HTTP/1.1\r\nX: \xff\xfe\0\r\n\r\n".as_slice()].concat(),
        ),
        ("a header with a lone return", get("X-A: b\rX-B: c\r\n")),
        (
            "lines that end otherwise",
            format!("GET /health HTTP/1.1\nHost: {host}\n\n").into_bytes(),
        ),
        ("no host", b"GET /health HTTP/1.1\r\n\r\n".to_vec()),
        ("two hosts", get("Host: evil.example\r\n")),
        ("an empty host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n".to_vec()),
        ("a host that is no host", b"GET / HTTP/1.1\r\nHost: @[::]:99999/../\r\n\r\n".to_vec()),
        (
            "an address of 1 MB",
            format!("GET /{long} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
        ),
        (
            "a whole address",
            format!("GET http://{host}/health HTTP/1.1\r\nHost: evil.example\r\n\r\n").into_bytes(),
        ),
        (
            "an address of another protocol",
            format!("GET file:///etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
        ),
        (
            "an address of a star",
            format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
        ),
        ("a tunnel", format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()),
        (
            "another protocol",
            get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n"),
        ),
        (
            "an upgrade to version 2",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            ),
        ),
        ("version 2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0".to_vec()),
        ("version 1.0", b"GET /health HTTP/1.0\r\n\r\n".to_vec()),
        ("version 0.9", b"GET /health\r\n\r\n".to_vec()),
        ("version 9.9", b"GET /health HTTP/9.9\r\n\r\n".to_vec()),
        ("no version", b"GET /health HTTP/\r\n\r\n".to_vec()),
        ("a method of 1 MB", format!("{long} / HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()),
        ("a method that is none", format!("G\0T / HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()),
        ("a greeting of TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
        ("a first message of the wire", super::message::startup("ke_hoach", &[])),
        ("an expectation", post("Expect: 100-continue\r\nContent-Length: 3\r\n", "q=1")),
        ("an expectation that is none", post("Expect: 200-ok\r\nContent-Length: 3\r\n", "q=1")),
        ("1,000 ranges", get(&format!("Range: bytes={}\r\n", "0-0,".repeat(1_000)))),
        ("500 requests at once", inner.repeat(500).into_bytes()),
        ("nothing but line ends", b"\r\n".repeat(50_000)),
        (
            "a form of 1 MB",
            post(
                &format!(
                    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                    long.len() + 2
                ),
                &format!("q={long}"),
            ),
        ),
        ("a form of 300,000 fields", {
            let body = "q=1&".repeat(300_000);
            post(
                &format!(
                    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                    body.len()
                ),
                &body,
            )
        }),
        (
            "a form of broken escapes",
            post(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n",
                "q=%&%=%FF%zz%0&&=",
            ),
        ),
        (
            "a form of another kind",
            post("Content-Type: multipart/form-data; boundary=\r\nContent-Length: 4\r\n", "----"),
        ),
        (
            "a body that is packed",
            post(
                "Content-Encoding: gzip\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n",
                "\x1f\u{8b}a",
            ),
        ),
    ];
    for path in [
        "/%FF%FE",
        "/bang/%00",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/du-lieu-mo/../../khoyte.toml",
        "/du-lieu-mo/%2e%2e/khoyte.toml",
        "/du-lieu-mo/..%2fpassword.txt",
        "/du-lieu-mo/%2Fetc%2Fpasswd",
        "//etc/passwd",
        "/bang/kho.lao_quy%27--",
        "/chi-tieu/%F0%9F%8F%A5",
        "/en/en/en/en",
        "/?%FF=%FF&&&=",
        "/bang-dieu-khien?tinh=%00&ky=99999999999999999999&moc=-1",
        "/chi-tieu/sxh_so_mac_thang?nam=999999999999",
        "/sql?q=%FF",
        "/%",
        "/%zz",
    ] {
        all.push((
            path,
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .into_bytes(),
        ));
    }
    all.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}
