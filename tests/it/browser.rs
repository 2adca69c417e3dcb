//! Headless Chromium over its debugging protocol: just enough to open a page at a given width, run
//! a script in it and take its picture.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    session: String,
    next_id: u64,
    _profile: TempDir,
}

impl Browser {
    /// Starts Debian's Chromium with an empty profile.
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Chromium is installed by tests/run");
        let address = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned))
            .expect("Chromium says where it listens");
        let (socket, _) = tungstenite::connect(address).unwrap();
        let session = String::new();
        let mut browser = Self { child, socket, session, next_id: 0, _profile: profile };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({}));
        // Our pages forbid scripts; the examination itself is one.
        browser.call("Page.setBypassCSP", json!({"enabled": true}));
        browser
    }

    /// Calls a method and waits for its answer; events in between are let go.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let answer = self.read();
            if answer["id"] == json!(id) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    fn read(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Opens a page in a window of that width and waits until it is loaded.
    pub(crate) fn open(&mut self, url: &str, width: u32) {
        let mobile = width < 600;
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": mobile});
        self.call("Emulation.setDeviceMetricsOverride", size);
        self.call("Page.navigate", json!({"url": url}));
        loop {
            if self.read()["method"] == json!("Page.loadEventFired") {
                return;
            }
        }
    }

    /// Runs a script that leaves the page, and waits until the next one is loaded.
    pub(crate) fn leave(&mut self, script: &str) {
        self.next_id += 1;
        let params = json!({"expression": script});
        let message = json!({
            "id": self.next_id,
            "method": "Runtime.evaluate",
            "params": params,
            "sessionId": self.session,
        });
        self.socket.send(Message::text(message.to_string())).unwrap();
        while self.read()["method"] != json!("Page.loadEventFired") {}
    }

    /// Sends a cookie along from now on, given as the header that a client sends.
    pub(crate) fn set_cookie(&mut self, url: &str, header: &str) {
        let (name, value) = header.trim().trim_start_matches("Cookie: ").split_once('=').unwrap();
        let set = self.call("Network.setCookie", json!({"url": url, "name": name, "value": value}));
        assert_eq!(set["success"], json!(true));
    }

    /// Runs a script and returns the value that it, or its promise, comes to.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Already gone is as good as stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
