//! One append-only file of framed records: `length checksum key\n bytes \n`.
//!
//! A journal record costs one write and one fsync. The checksum is that of the key and
//! the bytes. A process that dies while it writes leaves a torn tail, which never was
//! durable and is cut off; nothing whole can stand behind a torn tail, so where something
//! does, and for damage anywhere else, the last good record is reported.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::StoreError;
use super::store::hex;

/// A record of the file.
pub(super) struct Framed {
    /// Its key.
    pub key: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The whole file: its records, how many bytes of it are good, and how long it is.
pub(super) struct Contents {
    pub records: Vec<Framed>,
    pub good: u64,
    pub length: u64,
}

/// The checksum of a record. With its key: a record under another key is another record.
fn sum(key: &[u8], bytes: &[u8]) -> String {
    hex(&Sha256::new().chain_update(key).chain_update(b"\n").chain_update(bytes).finalize())
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
    let length = bytes.len() as u64;
    let mut contents = Contents { records: Vec::new(), good: 0, length };
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let problem = match frame(rest) {
            Frame::Good(record, length) => {
                contents.records.push(record);
                contents.good += length as u64;
                rest = &rest[length..];
                continue;
            }
            Frame::Torn if !whole_behind(rest) => break,
            Frame::Torn => "a record is cut short",
            Frame::Damaged(problem) => problem,
        };
        return Err(StoreError::Corrupt {
            place: path.display().to_string(),
            problem: format!(
                "{problem} at byte {}; the {} records before it are good",
                contents.good,
                contents.records.len()
            ),
        });
    }
    Ok(contents)
}

/// Whether a whole record begins anywhere behind a broken one.
fn whole_behind(broken: &[u8]) -> bool {
    let ends = broken.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| &broken[at + 1..]).any(|rest| matches!(frame(rest), Frame::Good(..)))
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
    let Some((length, told, key)) = head(&rest[..end]) else {
        return Frame::Damaged("the head of a record cannot be read");
    };
    let (start, stop) = (end + 1, (end + 1).saturating_add(length));
    let Some(bytes) = rest.get(start..stop) else {
        return Frame::Torn;
    };
    if sum(key.as_bytes(), bytes) != told {
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

/// Length, checksum and key.
fn head(line: &[u8]) -> Option<(usize, &str, &str)> {
    let mut words = std::str::from_utf8(line).ok()?.splitn(3, ' ');
    Some((words.next()?.parse().ok()?, words.next()?, words.next()?))
}

/// Where the bytes of a record stand.
pub(super) type Place = (u64, usize);

/// Appends records behind `good` and makes all of them durable with one write; returns the
/// new good length and where each stands.
pub(super) fn append(
    path: &Path,
    good: u64,
    records: &[(String, Vec<u8>)],
) -> Result<(u64, Vec<Place>), StoreError> {
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
    let (mut framed, mut places) = (Vec::new(), Vec::new());
    for (key, bytes) in records {
        let head = format!("{} {} {key}\n", bytes.len(), sum(key.as_bytes(), bytes));
        framed.extend_from_slice(head.as_bytes());
        places.push((good + framed.len() as u64, bytes.len()));
        framed.extend_from_slice(bytes);
        framed.push(b'\n');
    }
    if let Err(error) = file.write_all(&framed).and_then(|()| file.sync_data()) {
        // What is refused must not be found later. If this fails too, it is a torn tail.
        drop(file.set_len(good));
        return Err(fail(error));
    }
    Ok((good + framed.len() as u64, places))
}

/// Reads the bytes of one record again.
pub(super) fn at(path: &Path, (start, length): Place) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; length];
    File::open(path)
        .and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut bytes)
        })
        .map_err(|error| io(path, &error))?;
    Ok(bytes)
}
