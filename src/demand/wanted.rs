//! A source as it is wanted, what it finds around it, and what it must be able to do.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::model::Moment;
use crate::stack;
#[cfg(feature = "tls")]
use crate::stack::Endpoint;

#[cfg(feature = "tls")]
use super::secret::Secret;
use super::sqs_port::Queues;
use super::trouble::{Trouble, What};
use super::work::{Bounds, Reading};

/// Somebody who knows how much work there is.
#[async_trait]
pub trait Source: Send + Sync {
    /// All that is known now. Must leave everything as it is, and may be given up at any time.
    async fn read(&self, now: Moment) -> Result<Reading, Trouble>;
}

/// What sources find around them.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The environment, for credentials.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The folder of the stack, from which names of files and programs count.
    pub folder: &'a Path,
    /// Who counts the messages of SQS queues: AWS, or the simulated region.
    pub queues: Option<&'a Arc<dyn Queues>>,
}

/// A source as it is wanted.
pub(super) struct Wanted<'a> {
    /// What is written.
    pub source: &'a stack::Source,
    /// What is believed of its answers.
    pub bounds: Bounds,
    /// What it finds.
    pub world: World<'a>,
}

/// A source that is ready, or what it lacks.
pub(super) type Opened = Result<Box<dyn Source>, Trouble>;

impl Wanted<'_> {
    /// What stands in the source's own table. The block was checked against it.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        let settings = serde_json::Value::Object(self.source.settings.clone());
        serde_json::from_value(settings)
            .map_err(|error| Trouble::new(What::Setup, format!("its block: {error}")))
    }
}

#[cfg(feature = "tls")]
impl Wanted<'_> {
    /// Where it answers. The block was checked, but its text may have come from elsewhere.
    pub fn endpoint(&self, url: &str) -> Result<Endpoint, Trouble> {
        Endpoint::read(url).map_err(|bad| Trouble::new(What::Setup, format!("its url {bad}")))
    }

    /// The credential that one of two attributes names, if one of them is written.
    pub fn secret(&self, env: Option<&str>, file: Option<&str>) -> Result<Option<Secret>, Trouble> {
        let (place, text) = match (env, file) {
            (Some(name), _) => (format!("${name}"), self.variable(name)?),
            (None, Some(name)) => (name.to_owned(), self.file(name)?),
            (None, None) => return Ok(None),
        };
        let bad = |what: &str| {
            Err(Trouble::new(What::Setup, format!("its credential in {place} {what}")))
        };
        // Editors end files with a line; a credential is what stands in the first one.
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            return bad("is empty");
        }
        if text.chars().any(char::is_control) {
            return bad("holds a line break or a control character");
        }
        Ok(Some(Secret::new(text)))
    }

    fn variable(&self, name: &str) -> Result<String, Trouble> {
        (self.world.env)(name).ok_or_else(|| {
            let text = format!("the environment variable {name} with its credential is not set");
            Trouble::new(What::Setup, text)
        })
    }

    /// What a file holds: a credential, or certificates.
    pub fn file(&self, name: &str) -> Result<String, Trouble> {
        read(&self.world.folder.join(name))
            .map_err(|why| Trouble::new(What::Setup, format!("{name} cannot be read: {why}")))
    }
}

/// More in a file is no credential, and no bundle of certificates.
#[cfg(feature = "tls")]
const LONGEST: u64 = 1 << 20;

#[cfg(feature = "tls")]
fn read(path: &Path) -> Result<String, String> {
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    // A device or a pipe could keep a service waiting for ever.
    if !about.is_file() || about.len() > LONGEST {
        return Err("it is no file, or larger than 1 MiB".to_owned());
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// Refuses to send credentials where others can read them.
#[cfg(feature = "tls")]
pub(super) fn guard(endpoint: &Endpoint, exposed: bool) -> Result<(), Trouble> {
    if !exposed || endpoint.is_here() {
        return Ok(());
    }
    let place = endpoint.authority();
    let text = format!(
        "its credential would travel to {place} without encryption; use TLS, or write \
         cleartext = true"
    );
    Err(Trouble::new(What::Setup, text))
}
