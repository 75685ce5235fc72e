//! Names by which the fleet's parts are told apart. They are shared and not copied: one
//! decision handles a hundred thousand of them.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! shared_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// It as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    )*};
}

shared_id! {
    /// A node: its instance id; `#<batch>/<number>` for as long as nobody has told that.
    NodeId,
    /// A job, as its queue or engine names it.
    JobId,
    /// A queue, as the configuration names it.
    QueueId,
    /// An offer, as [`crate::kinds::Offer::key`] writes it.
    OfferKey,
}

/// A length of time in whole seconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Seconds {
    /// So many minutes.
    pub const fn minutes(minutes: u32) -> Self {
        Self(minutes.saturating_mul(60))
    }

    /// It in milliseconds, as moments count.
    pub fn millis(self) -> i64 {
        i64::from(self.0) * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_json_ids_are_text_and_times_are_seconds() {
        let json = serde_json::to_string(&(NodeId::from("i-1"), Seconds::minutes(10)));
        assert_eq!(json.expect("JSON"), r#"["i-1",600]"#);
        let read: NodeId = serde_json::from_str("\"#7/0\"").expect("an id");
        assert_eq!(read.as_str(), "#7/0");
    }
}
