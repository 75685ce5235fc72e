//! `source "prometheus"`: an instant query of PromQL.

use async_trait::async_trait;
use hyper::StatusCode;

use crate::model::Moment;

use super::get::{self, Client, Settings};
use super::promql;
use super::trouble::Trouble;
use super::wanted::{Opened, Source, Wanted};
use super::work::{Bounds, Reading};

struct Prometheus {
    client: Client,
    query: String,
    bounds: Bounds,
}

pub(super) fn open(wanted: &Wanted<'_>) -> Opened {
    let settings: Settings = wanted.settings()?;
    let client = Client::new(wanted, &settings)?;
    Ok(Box::new(Prometheus { client, query: settings.query, bounds: wanted.bounds }))
}

#[async_trait]
impl Source for Prometheus {
    async fn read(&self, now: Moment) -> Result<Reading, Trouble> {
        let query = promql::escape(&self.query);
        let path = format!("{}/api/v1/query?query={query}", self.client.base());
        let (status, body) = self.client.get(&path).await?;
        match promql::read(&body, &self.bounds, now) {
            // What stands before Prometheus answers in its own words.
            None => Err(get::wrong(status, &body)),
            Some(Ok(_)) if status != StatusCode::OK => Err(get::wrong(status, &body)),
            Some(read) => read,
        }
    }
}
