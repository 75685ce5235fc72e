//! Ids that earlier steps returned.

use crate::cloud::{Class, Failure, Left};
use crate::model::{Address, CloudId, Link};

use super::hands::Trouble;

/// What is known of ids while the steps run.
pub(super) type Ids<'a> = &'a (dyn Fn(&Address) -> Option<CloudId> + Sync);

/// Nodes that earlier steps launched at an address.
pub(super) type Launched<'a> = &'a (dyn Fn(&Address) -> Vec<CloudId> + Sync);

/// What no cloud should answer.
pub(super) fn odd(api: &str, text: impl Into<String>) -> Trouble {
    Trouble::Failed(Failure::new(Class::Unknown, Left::Unknown, api, "Unexpected", text))
}

/// The id behind a link.
pub(super) fn link<T: Clone + Into<String>>(
    link: &Link<T>,
    ids: Ids<'_>,
) -> Result<CloudId, Trouble> {
    match link {
        Link::Id(id) => Ok(CloudId(id.clone().into())),
        Link::To(address) => {
            ids(address).ok_or_else(|| odd("launch", format!("{address} has no id yet")))
        }
    }
}
