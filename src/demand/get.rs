//! One GET over HTTP/1.1, with TLS where the address says so. No redirect is followed: it could
//! carry credentials to another host.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::stack::Endpoint;

use super::secret::Secret;
use super::tls;
use super::trouble::{Trouble, What, one_line, whole};
use super::wanted::{Wanted, guard};

/// More is no answer.
const LONGEST: usize = 64 << 20;

/// What the blocks of sources over HTTP have in common.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    pub url: String,
    pub query: String,
    pub pointer: String,
    user: Option<String>,
    password_env: Option<String>,
    password_file: Option<String>,
    token_env: Option<String>,
    token_file: Option<String>,
    ca_file: Option<String>,
    cleartext: bool,
}

/// Whom to ask, and how to say who asks.
pub(super) struct Client {
    endpoint: Endpoint,
    tls: Option<Arc<ClientConfig>>,
    authorization: Option<HeaderValue>,
    secret: Option<Secret>,
}

impl Client {
    pub(super) fn new(wanted: &Wanted<'_>, settings: &Settings) -> Result<Self, Trouble> {
        let endpoint = wanted.endpoint(&settings.url)?;
        let token = wanted.secret(settings.token_env.as_deref(), settings.token_file.as_deref())?;
        let password =
            wanted.secret(settings.password_env.as_deref(), settings.password_file.as_deref())?;
        let words = match (&token, &password) {
            (Some(token), _) => Some(format!("Bearer {}", token.reveal())),
            (None, Some(password)) => {
                let user = settings.user.as_deref().or(endpoint.user.as_deref());
                Some(basic(user.unwrap_or_default(), password))
            }
            (None, None) => None,
        };
        let authorization = words.map(|words| header(&words)).transpose()?;
        let encrypted = endpoint.scheme == "https";
        let exposed = authorization.is_some() && !encrypted;
        guard(&endpoint, exposed && !settings.cleartext)?;
        let ca = settings.ca_file.as_deref().map(|name| wanted.file(name)).transpose()?;
        let tls = encrypted.then(|| tls::config(ca.as_deref())).transpose()?;
        Ok(Self { endpoint, tls, authorization, secret: token.or(password) })
    }

    /// Fetches what stands at a path. Code and body, unless the code says that we are nobody.
    pub(super) async fn get(&self, path: &str) -> Result<(StatusCode, Bytes), Trouble> {
        let got = self.fetch(path).await;
        got.map_err(|trouble| trouble.without(self.secret.as_ref()))
    }

    /// The path of its address, below which others stand.
    pub(super) fn base(&self) -> &str {
        self.endpoint.path.split('?').next().unwrap_or_default().trim_end_matches('/')
    }

    /// Path and query of its address.
    pub(super) fn whole_path(&self) -> String {
        match self.endpoint.path.starts_with('/') {
            true => self.endpoint.path.clone(),
            false => format!("/{}", self.endpoint.path),
        }
    }

    async fn fetch(&self, path: &str) -> Result<(StatusCode, Bytes), Trouble> {
        let Endpoint { host, port, .. } = &self.endpoint;
        let away = |error: &dyn std::fmt::Display| {
            let place = self.endpoint.authority();
            Trouble::new(What::Unreachable, format!("{place} cannot be reached: {error}"))
        };
        let port = port.unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|it| away(&it))?;
        match &self.tls {
            None => self.ask(stream, path).await,
            Some(config) => {
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(tls::name(host)?, stream).await;
                self.ask(stream.map_err(|it| away(&it))?, path).await
            }
        }
    }

    async fn ask<S>(&self, stream: S, path: &str) -> Result<(StatusCode, Bytes), Trouble>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |error: hyper::Error| {
            Trouble::new(What::Answer, format!("the answer is no HTTP: {}", whole(&error)))
        };
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let mut request = Request::get(path)
            .header(HOST, self.endpoint.authority())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("mlinfra/", env!("CARGO_PKG_VERSION")));
        if let Some(words) = &self.authorization {
            request = request.header(AUTHORIZATION, words.clone());
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|error| Trouble::new(What::Setup, format!("its address: {error}")))?;
        let asked = async move {
            let answer = sender.send_request(request).await.map_err(broken)?;
            let status = answer.status();
            refused(status, answer.headers().get(LOCATION))?;
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| {
                let text = format!("the answer cannot be read: {}", whole(&*error));
                Trouble::new(What::Answer, text)
            })?;
            Ok((status, body.to_bytes()))
        };
        // Nothing is left behind when whoever waits gives up: the connection is part of it.
        let connection = async {
            let ended = connection.await;
            let () = ended.map_or_else(|_| (), |()| ());
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answer = asked => answer,
            () = connection => Err(Trouble::new(What::Answer, "the connection ended")),
        }
    }
}

/// What needs no look at the body.
fn refused(status: StatusCode, location: Option<&HeaderValue>) -> Result<(), Trouble> {
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(Trouble::new(What::Denied, format!("the answer is HTTP {status}")));
    }
    if status.is_redirection() {
        let to = location.and_then(|it| it.to_str().ok()).unwrap_or("nowhere");
        let text = format!("the answer is HTTP {status} to {to:?}: redirects are not followed");
        return Err(Trouble::new(What::Answer, text));
    }
    Ok(())
}

/// An answer with any other code than 200, in words.
pub(super) fn wrong(status: StatusCode, body: &[u8]) -> Trouble {
    let head: String = String::from_utf8_lossy(body).chars().take(120).collect();
    Trouble::new(What::Answer, format!("the answer is HTTP {status}: {:?}", one_line(&head)))
}

fn basic(user: &str, password: &Secret) -> String {
    use base64::Engine as _;
    let pair = format!("{user}:{}", password.reveal());
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

fn header(words: &str) -> Result<HeaderValue, Trouble> {
    let mut value = HeaderValue::from_str(words)
        .map_err(|_| Trouble::new(What::Setup, "its credential fits into no header"))?;
    value.set_sensitive(true);
    Ok(value)
}
