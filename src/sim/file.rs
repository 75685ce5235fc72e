//! The world in a folder: a log of events, one JSON line each, that is only appended to.
//!
//! Every operation takes the lock, reads what others have appended, acts, appends and
//! lets go, so that any number of processes see one world. A process that dies while it
//! appends leaves a torn last line, which the next one cuts off: that mutation never
//! happened. When a log has grown long it is folded into a new one; the fold's number
//! stands in its first line, so that the others notice.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SimError;
use super::object::Event;
use super::world::World;

/// Lines that a log may have beyond two for each thing to remember.
const SLACK: u64 = 1000;
const FORMAT: u32 = 1;

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    mlinfra_world: u32,
    fold: u64,
}

/// The open log of a world.
pub(super) struct Log {
    path: PathBuf,
    lock: File,
    head: Option<Head>,
    offset: u64,
    lines: u64,
    /// The log, and which file it was when it was opened.
    file: Option<(File, Identity)>,
}

/// What tells a file from the one that replaces it: device and number. A number is not
/// given away again while the file is open.
type Identity = (u64, u64);

impl Log {
    /// Opens the log in a folder and reads the world from it.
    pub fn open(folder: &Path, world: &mut World) -> Result<Self, SimError> {
        let mut log = Self::at(folder)?;
        log.lock(world)?;
        let folded = log.tidy(world);
        log.unlock();
        folded.map(|()| log)
    }

    /// Folds a log that has grown long; only while locked.
    pub fn tidy(&mut self, world: &World) -> Result<(), SimError> {
        let things = world.objects.len() + world.answers.len() + world.resting.len();
        let long = self.lines > 2 * things as u64 + SLACK;
        if long { self.fold(Some(world)) } else { Ok(()) }
    }

    /// Starts a new world in a folder, whatever was there.
    pub fn reset(folder: &Path) -> Result<(), SimError> {
        let mut log = Self::at(folder)?;
        log.lock.lock().map_err(SimError::io(&log.path))?;
        // The number must be another one than that of the old world, even of a broken one.
        log.head = match log.enter(&mut World::default()) {
            Ok(()) => log.head,
            Err(_) => {
                let length = std::fs::metadata(&log.path).map_or(0, |file| file.len());
                Some(Head { mlinfra_world: FORMAT, fold: (1 << 32) + length })
            }
        };
        let done = log.fold(None);
        log.unlock();
        done
    }

    fn at(folder: &Path) -> Result<Self, SimError> {
        std::fs::create_dir_all(folder).map_err(SimError::io(folder))?;
        let guard = folder.join("world.lock");
        let mut options = OpenOptions::new();
        let lock = options.read(true).write(true).create(true).truncate(false).open(&guard);
        let lock = lock.map_err(SimError::io(&guard))?;
        let path = folder.join("world.jsonl");
        Ok(Self { path, lock, head: None, offset: 0, lines: 0, file: None })
    }

    /// Takes the lock and reads what others did.
    pub fn lock(&mut self, world: &mut World) -> Result<(), SimError> {
        // Held for the length of one operation only, so that waiting is short.
        self.lock.lock().map_err(SimError::io(&self.path))?;
        let entered = self.enter(world);
        if entered.is_err() {
            self.unlock();
        }
        entered
    }

    /// Gives the lock back.
    pub fn unlock(&mut self) {
        // It cannot fail in a way that matters: closing the file gives it back too.
        drop(self.lock.unlock());
    }

    fn enter(&mut self, world: &mut World) -> Result<(), SimError> {
        let now = std::fs::metadata(&self.path).ok();
        let now = now.map(|data| ((data.dev(), data.ino()), data.len()));
        let (mut file, identity) = match (self.file.take(), now) {
            // The same file, to which nobody has added anything.
            (Some((file, identity)), Some(now)) if now == (identity, self.offset) => {
                self.file = Some((file, identity));
                return Ok(());
            }
            (_, _) => self.open_log()?,
        };
        if self.head.is_none_or(|head| !self.same(&mut file, head)) {
            *world = World::default();
            (self.head, self.offset, self.lines) = (None, 0, 0);
        }
        file.seek(SeekFrom::Start(self.offset)).map_err(SimError::io(&self.path))?;
        let (mut lines, mut line) = (BufReader::new(file), Vec::new());
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line).map_err(SimError::io(&self.path))?;
            if line.last() == Some(&b'\n') {
                self.line(&line, world)?;
                continue;
            }
            let file = lines.into_inner();
            if read > 0 {
                file.set_len(self.offset).map_err(SimError::io(&self.path))?;
            }
            self.file = Some((file, identity));
            break;
        }
        match self.head {
            Some(_) => Ok(()),
            None => {
                let head = Head { mlinfra_world: FORMAT, fold: 0 };
                self.head = Some(head);
                self.write(&head)
            }
        }
    }

    fn open_log(&self) -> Result<(File, Identity), SimError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(&self.path);
        let file = file.map_err(SimError::io(&self.path))?;
        let data = file.metadata().map_err(SimError::io(&self.path))?;
        Ok((file, (data.dev(), data.ino())))
    }

    /// Whether a file still begins with the head that was read before.
    fn same(&self, file: &mut File, head: Head) -> bool {
        let Ok(want) = text(&head) else { return false };
        let mut found = vec![0; want.len()];
        let length = file.metadata().map_or(0, |data| data.len());
        length >= self.offset && file.read_exact(&mut found).is_ok() && found == want
    }

    fn line(&mut self, line: &[u8], world: &mut World) -> Result<(), SimError> {
        let number = self.lines + 1;
        let file = self.path.clone();
        let bad = |why: String| SimError::Unreadable { file: file.clone(), line: number, why };
        if self.head.is_none() {
            let head: Head = serde_json::from_slice(line).map_err(|why| bad(why.to_string()))?;
            if head.mlinfra_world != FORMAT {
                let why = format!("format {}, and this mlinfra reads {FORMAT}", head.mlinfra_world);
                return Err(bad(why));
            }
            self.head = Some(head);
        } else {
            let read = serde_json::from_slice::<(u64, Event)>(line);
            let (at, event) = read.map_err(|why| bad(why.to_string()))?;
            world.apply(at, event);
        }
        self.lines = number;
        self.offset += line.len() as u64;
        Ok(())
    }

    /// Appends an event; only while locked.
    pub fn append(&mut self, at: u64, event: &Event) -> Result<(), SimError> {
        self.write(&(at, event))
    }

    fn write<T: Serialize>(&mut self, what: &T) -> Result<(), SimError> {
        let Some((file, _)) = &mut self.file else { return Ok(()) };
        let line = text(what).map_err(SimError::io(&self.path))?;
        if let Err(why) = file.write_all(&line) {
            // Half a line would spoil the next one.
            drop(file.set_len(self.offset));
            return Err(SimError::Io { file: self.path.clone(), why });
        }
        self.offset += line.len() as u64;
        self.lines += 1;
        Ok(())
    }

    /// Replaces the log by one that holds what is remembered and nothing else.
    fn fold(&mut self, world: Option<&World>) -> Result<(), SimError> {
        let fold = self.head.map_or(0, |head| head.fold) + 1;
        let head = Head { mlinfra_world: FORMAT, fold };
        let bad = || SimError::io(&self.path);
        let mut bytes = text(&head).map_err(bad())?;
        let mut lines = 1;
        if let Some(world) = world {
            for event in world.remembered() {
                bytes.extend(text(&(world.time, event)).map_err(bad())?);
                lines += 1;
            }
        }
        let draft = self.path.with_extension("draft");
        let mut file = File::create(&draft).map_err(SimError::io(&draft))?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(SimError::io(&draft))?;
        std::fs::rename(&draft, &self.path).map_err(bad())?;
        (self.head, self.offset, self.lines) = (Some(head), bytes.len() as u64, lines);
        self.file = Some(self.open_log()?);
        Ok(())
    }
}

fn text<T: Serialize>(what: &T) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    Ok(line)
}
