//! What no real configuration needs and only a mistake or an attack reaches.

use std::cell::Cell;

use crate::model::Problem;

use super::codes;
use super::value::{Data, Value};

/// Bytes in one file.
pub const FILE_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that `file()` reads.
pub const READ_BYTES: usize = 4 * 1024 * 1024;
/// Blocks in all files.
pub const BLOCKS: usize = 100_000;
/// Blocks that `for_each`, `count` and modules make of them.
pub const INSTANCES: u64 = 200_000;
/// The highest `count`.
pub const COUNT: u32 = 100_000;
/// Characters of a stack's name.
pub const STACK_NAME: usize = 30;
/// Modules within modules.
pub const MODULES: usize = 32;
/// Nested brackets, blocks or values.
pub const DEPTH: usize = 64;
/// Entries written out in one object: the parser compares each with all before it.
pub const OBJECT_ITEMS: usize = 2_000;
/// Steps of evaluation, and how many more for every block.
pub const STEPS: u64 = 1_000_000;
/// See [`STEPS`].
pub const BLOCK_STEPS: u64 = 200;
/// Bytes of text that evaluation builds, and how many more for every block.
pub const TEXT_BYTES: u64 = 16 * 1024 * 1024;
/// See [`TEXT_BYTES`].
pub const BLOCK_BYTES: u64 = 1024;
/// Elements that `for` or `range` make.
pub const ELEMENTS: usize = 100_000;
/// Problems that are reported one by one.
pub const PROBLEMS: usize = 50;
/// Stack of the thread that parses and evaluates. Only touched pages cost memory.
pub const STACK: usize = 256 * 1024 * 1024;

/// What is left of the limits while one configuration is evaluated.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    instances: Cell<u64>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: Cell::new(STEPS),
            bytes: Cell::new(TEXT_BYTES),
            instances: Cell::new(INSTANCES),
        }
    }
}

/// A limit was reached; what was asked for.
#[derive(Debug)]
pub(crate) struct Spent(pub &'static str);

impl Spent {
    pub(crate) fn problem(&self) -> Problem {
        Problem::error(codes::LIMIT, format!("evaluation was stopped: {}", self.0))
            .help("no real configuration needs this much; look for a `for`, `count` or module over a very large range")
    }
}

impl Budget {
    /// Begins a block, which brings what blocks may cost.
    pub(crate) fn block(&self) -> Result<(), Spent> {
        take(&self.instances, 1).ok_or(Spent("more than 200,000 blocks"))?;
        self.steps.set(self.steps.get() + BLOCK_STEPS);
        self.bytes.set(self.bytes.get() + BLOCK_BYTES);
        Ok(())
    }

    pub(crate) fn steps(&self, count: u64) -> Result<(), Spent> {
        take(&self.steps, count).ok_or(Spent("more than 1,000,000 steps and 200 per block"))
    }

    pub(crate) fn bytes(&self, count: usize) -> Result<(), Spent> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        take(&self.bytes, count).ok_or(Spent("more than 16 MiB of text and 1 KiB per block"))
    }

    /// Pays for a copy of a value, so that doubling a list twenty times ends early.
    pub(crate) fn copy(&self, value: &Value) -> Result<(), Spent> {
        match &value.data {
            Data::String(text) => self.steps(1 + u64::try_from(text.len()).unwrap_or(0) / 64),
            Data::List(items) => {
                self.steps(1)?;
                items.iter().try_for_each(|item| self.copy(item))
            }
            Data::Map(map) | Data::Object(map) => {
                self.steps(1)?;
                map.values().try_for_each(|item| self.copy(item))
            }
            Data::Unknown(unknown) => {
                self.steps(1 + u64::try_from(unknown.pieces.len()).unwrap_or(0))
            }
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Block(_) => self.steps(1),
        }
    }
}

fn take(left: &Cell<u64>, count: u64) -> Option<()> {
    left.set(left.get().checked_sub(count)?);
    Some(())
}
