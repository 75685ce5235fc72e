//! `source "http"`: JSON that some service tells.

use async_trait::async_trait;
use hyper::StatusCode;

use crate::model::Moment;

use super::answer;
use super::get::{self, Client, Settings};
use super::trouble::Trouble;
use super::wanted::{Opened, Source, Wanted};
use super::work::{Bounds, Reading};

struct Http {
    client: Client,
    pointer: String,
    bounds: Bounds,
}

pub(super) fn open(wanted: &Wanted<'_>) -> Opened {
    let settings: Settings = wanted.settings()?;
    let client = Client::new(wanted, &settings)?;
    Ok(Box::new(Http { client, pointer: settings.pointer, bounds: wanted.bounds }))
}

#[async_trait]
impl Source for Http {
    async fn read(&self, now: Moment) -> Result<Reading, Trouble> {
        let (status, body) = self.client.get(&self.client.whole_path()).await?;
        if status != StatusCode::OK {
            return Err(get::wrong(status, &body));
        }
        let found = answer::json(&body)?;
        Reading::json(&self.bounds, answer::at(&found, &self.pointer)?, now)
    }
}
