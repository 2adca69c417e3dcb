//! A web service of the test's own: pages by number, for those who show the token.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use url::Url;

/// What it wants to be shown.
pub(super) const TOKEN: &str = "the-ra-vao-cua-dich-vu";

/// It answers until the test process ends.
pub(super) struct Web {
    pub(super) port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    rows: Vec<Value>,
    asked: AtomicUsize,
    pause: Mutex<()>,
}

impl Web {
    /// Serves these rows.
    pub(super) fn start(rows: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner { rows, asked: AtomicUsize::new(0), pause: Mutex::new(()) });
        let own = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = Arc::clone(&own);
                std::thread::spawn(move || own.serve(stream));
            }
        });
        Self { port, inner }
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Lets those who ask wait until the guard is dropped.
    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        self.inner.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Answers one request. Who asked may be gone before it is answered.
    fn serve(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        drop(self.pause.lock().unwrap_or_else(PoisonError::into_inner));
        let head = String::from_utf8(head).unwrap();
        let (status, body) = self.answer(number, &head);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    }

    fn answer(&self, number: usize, head: &str) -> (&'static str, String) {
        let shown = format!("authorization: bearer {TOKEN}");
        if !head.lines().any(|line| line.eq_ignore_ascii_case(&shown)) {
            return ("401 Unauthorized", String::new());
        }
        // Once, on the second page that it is ever asked for.
        if number == 1 {
            return ("503 Service Unavailable", String::new());
        }
        let target = head.split(' ').nth(1).unwrap();
        let url = Url::parse("http://here").unwrap().join(target).unwrap();
        if url.path() != "/api/v1/luot" {
            return ("404 Not Found", String::new());
        }
        let asked = |name: &str| -> usize {
            let mut pairs = url.query_pairs();
            pairs.find(|(key, _)| key == name).unwrap().1.parse().unwrap()
        };
        let (page, size) = (asked("page"), asked("size"));
        let items: Vec<&Value> = self.rows.iter().skip((page - 1) * size).take(size).collect();
        let answer = json!({ "data": { "total": self.rows.len(), "items": items } });
        ("200 OK", answer.to_string())
    }
}
