//! Small static files from memory, compressed once: the style sheet, and files of the open-data
//! site that many ask for at the same time.
//!
//! A file is looked at again at most once a second, so what a release writes shows within that.
//! Large files, ranges and everything unusual about an address are the file server's.

mod kept;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::http::header;
use axum::http::{Method, Request};
use axum::response::Response;

use crate::pages::files::{self, OPEN_DATA};

use self::kept::{Kept, Stamp};
pub(crate) use self::kept::{is_text, is_unchanged, tag};

/// Larger files come from the disk.
const LARGEST: u64 = 256 << 10;

/// All files in memory together, as they are and compressed.
const ROOM: usize = 64 << 20;

/// How long a file is taken for unchanged, in milliseconds.
const FRESH_MS: u64 = 1000;

/// The files in memory.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: Option<PathBuf>,
    /// By path of their address.
    stock: RwLock<Stock>,
    loading: tokio::sync::Mutex<()>,
    started: Instant,
    style: Kept,
}

#[derive(Debug, Default)]
struct Stock {
    files: HashMap<String, Arc<Kept>>,
    bytes: usize,
}

impl Shelf {
    /// The style sheet, and room for files of the open-data site in `folder`.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            stock: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
            started: Instant::now(),
            style: Kept::built_in(
                files::STYLE.as_bytes(),
                "text/css; charset=utf-8",
                files::style_sum(),
            ),
        }
    }

    /// The answer, if it is a small file that may come from memory.
    pub(crate) async fn answer<B>(&self, request: &Request<B>) -> Option<Response> {
        let head = request.method() == Method::HEAD;
        if !head && request.method() != Method::GET {
            return None;
        }
        let (path, headers) = (request.uri().path(), request.headers());
        if path == files::style_address() {
            return Some(self.style.answer(headers, head));
        }
        if !path.starts_with(OPEN_DATA) || headers.contains_key(header::RANGE) {
            return None;
        }
        let kept = match self.kept(path) {
            Some(kept) if self.is_fresh(&kept) => kept,
            Some(kept) => self.look_again(path, &kept).await?,
            None => self.load(path).await?,
        };
        Some(kept.answer(headers, head))
    }

    fn kept(&self, path: &str) -> Option<Arc<Kept>> {
        let stock = self.stock.read().unwrap_or_else(PoisonError::into_inner);
        stock.files.get(path).cloned()
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the file needs no look at the disk; of many who ask when it does, one looks.
    fn is_fresh(&self, kept: &Kept) -> bool {
        let (seen, now) = (kept.seen_ms.load(Ordering::Relaxed), self.now_ms());
        let taken = || {
            kept.seen_ms.compare_exchange(seen, now, Ordering::Relaxed, Ordering::Relaxed).is_err()
        };
        now.saturating_sub(seen) < FRESH_MS || taken()
    }

    async fn look_again(&self, path: &str, kept: &Arc<Kept>) -> Option<Arc<Kept>> {
        let file = self.place(path)?;
        if Stamp::of(&file).await.is_some_and(|stamp| kept.stamp == Some(stamp)) {
            return Some(Arc::clone(kept));
        }
        self.stock_mut(|stock| stock.remove(path));
        self.load(path).await
    }

    async fn load(&self, path: &str) -> Option<Arc<Kept>> {
        let file = self.place(path)?;
        let kind = files::known_type(path)?;
        Stamp::of(&file).await.filter(|stamp| stamp.bytes <= LARGEST)?;
        // One at a time: of many who ask for a new file, one reads and compresses it.
        let _turn = self.loading.lock().await;
        if let Some(kept) = self.kept(path) {
            return Some(kept);
        }
        let keep = files::kept(path);
        let now = self.now_ms();
        let read = tokio::task::spawn_blocking(move || Kept::read(&file, kind, keep, LARGEST, now));
        let kept = Arc::new(read.await.ok()??);
        self.stock_mut(|stock| stock.add(path, &kept));
        Some(kept)
    }

    fn stock_mut(&self, change: impl FnOnce(&mut Stock)) {
        change(&mut self.stock.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The file of an address; `None` for what is better left to the file server.
    fn place(&self, path: &str) -> Option<PathBuf> {
        let inside = path.strip_prefix(OPEN_DATA)?;
        let mut file = self.folder.clone()?;
        let mut parts = inside.split('/').peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            let plain = part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
            match part {
                "" if last => file.push("index.html"),
                "" => return None,
                part if plain && !part.starts_with('.') => file.push(part),
                _ => return None,
            }
        }
        Some(file)
    }
}

impl Stock {
    fn add(&mut self, path: &str, kept: &Arc<Kept>) {
        self.remove(path);
        self.bytes += kept.size();
        self.files.insert(path.to_owned(), Arc::clone(kept));
        // Those that nobody has asked for the longest make room.
        while self.bytes > ROOM {
            let oldest =
                self.files.iter().min_by_key(|(_, kept)| kept.seen_ms.load(Ordering::Relaxed));
            let Some(oldest) = oldest.map(|(path, _)| path.clone()) else { return };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, path: &str) {
        if let Some(kept) = self.files.remove(path) {
            self.bytes -= kept.size();
        }
    }
}

#[cfg(test)]
mod tests;
