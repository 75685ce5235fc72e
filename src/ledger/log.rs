//! One append-only file of framed records: `length checksum key\n bytes \n`.
//!
//! A journal record costs one write and one fsync. A process that dies while it
//! writes leaves a torn tail, which never was durable and is cut off; damage anywhere
//! else is reported with the last good record.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::StoreError;
use super::store::Version;

/// A record of the file.
pub(super) struct Framed {
    /// Its key.
    pub key: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The whole file: its records, and how many bytes of it are good.
pub(super) struct Contents {
    pub records: Vec<Framed>,
    pub good: u64,
}

pub(super) fn io(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { place: path.display().to_string(), problem: error.to_string() }
}

/// Reads a log; one that is absent is empty.
pub(super) fn read(path: &Path) -> Result<Contents, StoreError> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(mut file) => {
            file.read_to_end(&mut bytes).map_err(|error| io(path, &error))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(io(path, &error)),
    }
    let mut contents = Contents { records: Vec::new(), good: 0 };
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        match frame(rest) {
            Frame::Good(record, length) => {
                contents.records.push(record);
                contents.good += length as u64;
                rest = &rest[length..];
            }
            Frame::Torn => break,
            Frame::Damaged(problem) => {
                return Err(StoreError::Corrupt {
                    place: path.display().to_string(),
                    problem: format!(
                        "{problem} at byte {}; the {} records before it are good",
                        contents.good,
                        contents.records.len()
                    ),
                });
            }
        }
    }
    Ok(contents)
}

enum Frame {
    Good(Framed, usize),
    Torn,
    Damaged(&'static str),
}

fn frame(rest: &[u8]) -> Frame {
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
        return Frame::Torn;
    };
    let head = String::from_utf8_lossy(&rest[..end]);
    let mut words = head.splitn(3, ' ');
    let (Some(Ok(length)), Some(sum), Some(key)) =
        (words.next().map(str::parse::<usize>), words.next(), words.next())
    else {
        return Frame::Damaged("the head of a record cannot be read");
    };
    let (start, stop) = (end + 1, (end + 1).saturating_add(length));
    let Some(bytes) = rest.get(start..stop) else {
        return Frame::Torn;
    };
    if Version::of(bytes).0 != sum {
        // The last record of a process that died may have its length but not all its bytes.
        let last = rest.len() <= stop + 1;
        return if last { Frame::Torn } else { Frame::Damaged("a record is damaged") };
    }
    match rest.get(stop) {
        Some(b'\n') => Frame::Good(Framed { key: key.to_owned(), bytes: bytes.to_vec() }, stop + 1),
        Some(_) => Frame::Damaged("a record has no end"),
        None => Frame::Torn,
    }
}

/// Appends one record behind `good` and makes it durable; returns the new good length.
pub(super) fn append(path: &Path, good: u64, key: &str, bytes: &[u8]) -> Result<u64, StoreError> {
    let fail = |error: std::io::Error| io(path, &error);
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    file.set_len(good).map_err(fail)?;
    file.seek(SeekFrom::Start(good)).map_err(fail)?;
    let mut framed = format!("{} {} {key}\n", bytes.len(), Version::of(bytes).0).into_bytes();
    framed.extend_from_slice(bytes);
    framed.push(b'\n');
    file.write_all(&framed).map_err(fail)?;
    file.sync_data().map_err(fail)?;
    Ok(good + framed.len() as u64)
}
