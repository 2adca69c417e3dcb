//! A small server of HTTP/1.1 on a free port: each request is answered by a function, then the
//! connection ends.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// A running server; it ends with this value.
pub(crate) struct Server {
    pub(crate) address: Url,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers the n-th request (from 0) for a path with query by the bytes of `answer`.
    pub(crate) async fn start(
        answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::speak(move |number, request| answer(number, request.split(' ').nth(1).unwrap())).await
    }

    /// The same, of a server that looks at the whole request: its head, and its body where there is
    /// one.
    pub(crate) async fn speak(
        answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let mut request = String::from_utf8(head).unwrap();
                    let lower = request.to_lowercase();
                    if let Some((_, length)) = lower.split_once("content-length: ") {
                        let length = length.lines().next().unwrap().parse().unwrap();
                        let mut body = vec![0; length];
                        stream.read_exact(&mut body).await.unwrap();
                        request.push_str(&String::from_utf8(body).unwrap());
                    }
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    // A client that has enough goes away.
                    let _ = stream.write_all(&answer(number, &request)).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        let address = Url::parse(&format!("http://127.0.0.1:{port}/api/")).unwrap();
        Self { address, asked, task }
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Their paths with queries.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect()
    }
}

/// A whole answer with these header lines.
pub(crate) fn reply(status: u16, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    text.into_bytes()
}

pub(crate) fn json(body: &str) -> Vec<u8> {
    reply(200, &["Content-Type: application/json"], body)
}
