//! A file for those who read here and there in it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use super::bucket::Object;

/// Bytes that are asked of a store at once: readers take small pieces, close to each other.
const BLOCK_BYTES: u64 = 2 << 20;

/// An open file. Its clones share what they know.
#[derive(Debug, Clone)]
pub(crate) enum Chunks {
    /// Of this machine.
    File(Arc<File>),
    /// Of a store.
    Object(Arc<Blocks>),
}

/// An object, and the blocks of it that were asked for last.
#[derive(Debug)]
pub(crate) struct Blocks {
    object: Object,
    /// How many are kept, at least one.
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Number and bytes, the one that was used last at the end.
    blocks: Vec<(u64, Bytes)>,
    failure: Option<io::Error>,
}

impl Chunks {
    pub(super) fn of(object: Object, kept: usize) -> Self {
        Self::Object(Arc::new(Blocks { object, most: kept.max(1), kept: Mutex::default() }))
    }

    /// Reads from the beginning to the end. Nobody else may read on in the same open file meanwhile;
    /// pieces of it may be had.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::File(file) => {
                let mut file = Arc::clone(file);
                file.seek(SeekFrom::Start(0))?;
                Box::new(file)
            }
            Self::Object(blocks) => Box::new(blocks.object.reader(0)),
        })
    }

    /// Fills a buffer with the bytes from one on.
    pub(crate) fn fill(&self, buffer: &mut [u8], start: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(buffer, start),
            Self::Object(blocks) => {
                let mut pieces = Piecewise { blocks: Arc::clone(blocks), at: start };
                let filled = pieces.read_exact(buffer);
                filled.map_err(|error| self.failure().unwrap_or(error))
            }
        }
    }

    /// Why the store did not give what a reader asked for; readers tell no more than that they
    /// failed.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        match self {
            Self::File(_) => None,
            Self::Object(blocks) => blocks.kept().failure.take(),
        }
    }
}

impl Blocks {
    /// Whether the store still has the object as it was.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        self.object.is_same()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Blocks are whole whoever panicked.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a block.
    fn block(&self, number: u64) -> io::Result<Bytes> {
        let mut kept = self.kept();
        if let Some(at) = kept.blocks.iter().position(|(own, _)| *own == number) {
            let block = kept.blocks.remove(at);
            let bytes = block.1.clone();
            kept.blocks.push(block);
            return Ok(bytes);
        }
        let begin = number * BLOCK_BYTES;
        let end = self.object.meta.size.min(begin + BLOCK_BYTES);
        match self.object.bytes(begin..end) {
            Ok(bytes) => {
                if kept.blocks.len() >= self.most {
                    kept.blocks.remove(0);
                }
                kept.blocks.push((number, bytes.clone()));
                Ok(bytes)
            }
            Err(error) => {
                let told = io::Error::other("the store did not give them");
                kept.failure = Some(error);
                Err(told)
            }
        }
    }

    /// Bytes from `begin` on that lie in one block; none at the end of the file.
    fn piece(&self, begin: u64) -> io::Result<Bytes> {
        if begin >= self.object.meta.size {
            return Ok(Bytes::new());
        }
        let mut block = self.block(begin / BLOCK_BYTES)?;
        // Less than a block.
        Ok(block.split_off((begin % BLOCK_BYTES) as usize))
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file.as_ref()),
            Self::Object(blocks) => blocks.object.meta.size,
        }
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(match self {
            Self::File(file) => Box::new(file.get_read(start)?),
            Self::Object(blocks) => Box::new(Piecewise { blocks: Arc::clone(blocks), at: start }),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let blocks = match self {
            Self::File(file) => return file.get_bytes(start, length),
            Self::Object(blocks) => blocks,
        };
        let end = start.checked_add(length as u64).filter(|end| *end <= blocks.object.meta.size);
        let Some(end) = end else {
            return Err(ParquetError::EOF("a piece lies beyond the end".to_owned()));
        };
        let first = blocks.piece(start)?;
        if first.len() >= length {
            return Ok(first.slice(..length));
        }
        let mut bytes = BytesMut::with_capacity(length);
        bytes.extend_from_slice(&first);
        while bytes.len() < length {
            let piece = blocks.piece(start + bytes.len() as u64)?;
            let wanted = piece.len().min(length - bytes.len());
            bytes.extend_from_slice(&piece[..wanted]);
        }
        debug_assert_eq!(start + bytes.len() as u64, end);
        Ok(bytes.freeze())
    }
}

/// Reads on from a byte.
struct Piecewise {
    blocks: Arc<Blocks>,
    at: u64,
}

impl Read for Piecewise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.blocks.piece(self.at)?;
        let read = piece.len().min(buffer.len());
        buffer[..read].copy_from_slice(&piece[..read]);
        self.at += read as u64;
        Ok(read)
    }
}
