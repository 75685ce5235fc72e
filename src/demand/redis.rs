//! `source "redis"`: the length of a list, or what a consumer group has yet to read.

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, IntoConnectionInfo as _,
    RedisConnectionInfo, RedisError, ServerErrorKind, TlsCertificates, Value,
};
use serde::Deserialize;

use crate::model::Moment;

use super::lag;
use super::secret::Secret;
use super::trouble::{Trouble, What, whole};
use super::wanted::{Opened, Source, Wanted, guard};
use super::work::{Bounds, Reading};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: String,
    list: Option<String>,
    running: Option<String>,
    stream: Option<String>,
    group: Option<String>,
    user: Option<String>,
    password_env: Option<String>,
    password_file: Option<String>,
    ca_file: Option<String>,
    #[serde(default)]
    cleartext: bool,
}

struct Redis {
    client: Client,
    settings: Settings,
    secret: Option<Secret>,
    bounds: Bounds,
}

pub(super) fn open(wanted: &Wanted<'_>) -> Opened {
    let settings: Settings = wanted.settings()?;
    let endpoint = wanted.endpoint(&settings.url)?;
    let secret =
        wanted.secret(settings.password_env.as_deref(), settings.password_file.as_deref())?;
    let encrypted = endpoint.scheme == "rediss";
    guard(&endpoint, secret.is_some() && !encrypted && !settings.cleartext)?;
    let setup = |text: String| Trouble::new(What::Setup, text);
    let database = endpoint.path.trim_start_matches('/');
    let database: i64 = match database {
        "" => 0,
        number => {
            number.parse().map_err(|_| setup(format!("{number:?} is no number of a database")))?
        }
    };
    let mut login = RedisConnectionInfo::default().set_db(database).set_skip_set_lib_name();
    if let Some(user) = settings.user.as_deref().or(endpoint.user.as_deref()) {
        login = login.set_username(user);
    }
    if let Some(secret) = &secret {
        login = login.set_password(secret.reveal());
    }
    let (host, port) = (endpoint.host.clone(), endpoint.port.unwrap_or(6379));
    let address = match encrypted {
        true => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        false => ConnectionAddr::Tcp(host, port),
    };
    let made = |error: RedisError| setup(whole(&error)).without(secret.as_ref());
    let about = address.into_connection_info().map_err(made)?.set_redis_settings(login);
    let ca = settings.ca_file.as_deref().map(|name| wanted.file(name)).transpose()?;
    let client = match ca {
        Some(pem) if encrypted => {
            let root_cert = Some(pem.into_bytes());
            Client::build_with_tls(about, TlsCertificates { client_tls: None, root_cert })
        }
        Some(_) | None => Client::open(about),
    };
    let client = client.map_err(made)?;
    Ok(Box::new(Redis { client, settings, secret, bounds: wanted.bounds }))
}

#[async_trait]
impl Source for Redis {
    async fn read(&self, _: Moment) -> Result<Reading, Trouble> {
        let (waiting, running) =
            self.ask().await.map_err(|trouble| trouble.without(self.secret.as_ref()))?;
        // Lengths are far below what a float holds exactly; if not, they are not believed.
        #[allow(clippy::cast_precision_loss)]
        Reading::depth(&self.bounds, waiting as f64, running as f64)
    }
}

impl Redis {
    async fn ask(&self) -> Result<(i64, i64), Trouble> {
        // Who waits for us has a clock of its own.
        let patient =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connected = self.client.get_multiplexed_async_connection_with_config(&patient).await;
        let mut connection = connected.map_err(|error| sort(&error))?;
        let Settings { list, running, stream, group, .. } = &self.settings;
        if let (Some(stream), Some(group)) = (stream, group) {
            let answer = run(&mut connection, "XINFO", &["GROUPS", stream]).await?;
            return lag::lag(&plain(answer), stream, group);
        }
        let list = list.as_deref().unwrap_or_default();
        let waiting = length(&mut connection, list).await?;
        let running = match running {
            Some(key) => length(&mut connection, key).await?,
            None => 0,
        };
        Ok((waiting, running))
    }
}

async fn run(
    connection: &mut MultiplexedConnection,
    command: &str,
    arguments: &[&str],
) -> Result<Value, Trouble> {
    let mut command = Cmd::new().arg(command).to_owned();
    for argument in arguments {
        command.arg(*argument);
    }
    command.query_async(connection).await.map_err(|error| sort(&error))
}

async fn length(connection: &mut MultiplexedConnection, key: &str) -> Result<i64, Trouble> {
    match run(connection, "LLEN", &[key]).await? {
        Value::Int(length) => Ok(length),
        _ => Err(Trouble::new(What::Answer, format!("the length of {key:?} is no number"))),
    }
}

/// An answer as JSON, whichever version of the protocol it came in.
fn plain(found: Value) -> serde_json::Value {
    use serde_json::Value as Json;
    let text = |bytes: Vec<u8>| Json::from(String::from_utf8_lossy(&bytes).into_owned());
    match found {
        Value::Int(number) => Json::from(number),
        Value::BulkString(bytes) => text(bytes),
        Value::SimpleString(text) => Json::from(text),
        Value::Boolean(truth) => Json::from(truth),
        Value::Array(items) | Value::Set(items) => items.into_iter().map(plain).collect(),
        Value::Map(pairs) => {
            pairs.into_iter().flat_map(|(key, value)| [plain(key), plain(value)]).collect()
        }
        _ => Json::Null,
    }
}

/// What an error means for whoever has to mend it.
fn sort(error: &RedisError) -> Trouble {
    let text = whole(error);
    let what = match error.kind() {
        ErrorKind::AuthenticationFailed => What::Denied,
        ErrorKind::Server(ServerErrorKind::NoPerm) => What::Denied,
        ErrorKind::Io => What::Unreachable,
        _ if ["NOAUTH", "WRONGPASS", "NOPERM"].iter().any(|word| text.contains(word)) => {
            What::Denied
        }
        _ => What::Answer,
    };
    Trouble::new(what, format!("Redis: {text}"))
}
