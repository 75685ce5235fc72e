//! `source "postgres"`: what a query answers, in a transaction that can only read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use rustls::ClientConfig;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, NoTls, Socket};
use tokio_rustls::TlsConnector;

use crate::model::Moment;

use super::secret::Secret;
use super::trouble::{Trouble, What, whole};
use super::wanted::{Opened, Source, Wanted};
use super::work::{Bounds, Reading};
use super::{rows, tls};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: String,
    query: String,
    password_env: Option<String>,
    password_file: Option<String>,
    ca_file: Option<String>,
    #[serde(default)]
    cleartext: bool,
}

struct Postgres {
    config: Config,
    tls: Option<Tls>,
    query: String,
    secret: Option<Secret>,
    bounds: Bounds,
}

pub(super) fn open(wanted: &Wanted<'_>) -> Opened {
    let settings: Settings = wanted.settings()?;
    let endpoint = wanted.endpoint(&settings.url)?;
    let secret =
        wanted.secret(settings.password_env.as_deref(), settings.password_file.as_deref())?;
    // On this machine nobody listens, and a database there seldom has a certificate.
    let trusted = settings.ca_file.is_some();
    let encrypted = trusted || !(settings.cleartext || endpoint.is_here());
    let mut config = Config::new();
    config.host(&endpoint.host).port(endpoint.port.unwrap_or(5432));
    config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
    config.application_name("mlinfra");
    // The server gives up when we do, so that no query outlives the question.
    let limit = wanted.source.timeout.saturating_mul(1000);
    config.options(format!("-c default_transaction_read_only=on -c statement_timeout={limit}"));
    if let Some(user) = &endpoint.user {
        config.user(user);
    }
    let database = endpoint.path.split('?').next().unwrap_or_default().trim_matches('/');
    if !database.is_empty() {
        config.dbname(database);
    }
    if let Some(secret) = &secret {
        config.password(secret.reveal());
    }
    let ca = settings.ca_file.as_deref().map(|name| wanted.file(name)).transpose()?;
    let tls = encrypted.then(|| tls::config(ca.as_deref())).transpose()?.map(Tls);
    let query = rows::wrap(&settings.query, wanted.bounds.most);
    Ok(Box::new(Postgres { config, tls, query, secret, bounds: wanted.bounds }))
}

#[async_trait]
impl Source for Postgres {
    async fn read(&self, now: Moment) -> Result<Reading, Trouble> {
        let asked = match &self.tls {
            Some(tls) => self.ask(tls.clone()).await,
            None => self.ask(NoTls).await,
        };
        let told = asked.map_err(|trouble| trouble.without(self.secret.as_ref()))?;
        rows::read(&told, &self.bounds, now)
    }
}

impl Postgres {
    /// The rows, each as JSON. The connection is part of what is waited for, and ends with it.
    async fn ask<T>(&self, tls: T) -> Result<Vec<String>, Trouble>
    where
        T: MakeTlsConnect<Socket> + Send,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, connection) = self.config.connect(tls).await.map_err(|it| sort(&it))?;
        tokio::select! {
            rows = rows_of(client, &self.query) => rows,
            ended = connection => Err(match ended {
                Err(error) => sort(&error),
                Ok(()) => Trouble::new(What::Unreachable, "PostgreSQL ended the connection"),
            }),
        }
    }
}

async fn rows_of(client: Client, query: &str) -> Result<Vec<String>, Trouble> {
    let rows = client.query(query, &[]).await.map_err(|error| sort(&error))?;
    let text = |row: &tokio_postgres::Row| row.try_get(0).map_err(|error| sort(&error));
    rows.iter().map(text).collect()
}

fn sort(error: &tokio_postgres::Error) -> Trouble {
    let Some(database) = error.as_db_error() else {
        let text = whole(error);
        let what = if text.contains("password") { What::Denied } else { What::Unreachable };
        return Trouble::new(what, format!("PostgreSQL: {text}"));
    };
    let code = database.code();
    let denied = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INSUFFICIENT_PRIVILEGE,
    ];
    let what = match *code == SqlState::QUERY_CANCELED {
        true => What::Timeout,
        false if denied.contains(code) => What::Denied,
        false => What::Answer,
    };
    Trouble::new(what, format!("PostgreSQL: {} ({})", database.message(), code.code()))
}

/// rustls, as tokio-postgres wants it.
#[derive(Clone)]
struct Tls(Arc<ClientConfig>);

struct Connect {
    config: Arc<ClientConfig>,
    host: String,
}

struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Stream;
    type TlsConnect = Connect;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Connect> {
        Ok(Connect { config: Arc::clone(&self.0), host: host.to_owned() })
    }
}

impl TlsConnect<Socket> for Connect {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let name = tls::name(&self.host).map_err(|bad| io::Error::other(bad.text))?;
            let connector = TlsConnector::from(self.config);
            connector.connect(name, stream).await.map(Stream)
        })
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
