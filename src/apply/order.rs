//! What is to be launched: the words that launching and booting share.

use crate::kinds::{Care, Tags};
use crate::model::{Address, CloudId};

/// What a launch asks for, wherever it happens.
pub(super) struct Order<'a> {
    pub address: &'a Address,
    pub batch: u32,
    pub count: u32,
    pub gang: bool,
    pub template: CloudId,
    pub tags: &'a Tags,
    pub care: Care,
}

pub(super) fn nodes_of(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}
