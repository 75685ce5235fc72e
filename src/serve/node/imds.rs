//! The instance metadata service, version 2: HTTP on a link-local address, a token in a
//! header. Small enough to be spoken by hand.

use std::io::{Error, Result};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Where it is on every instance.
pub const HOME: &str = "http://169.254.169.254";

/// An answer takes milliseconds; a service that is overloaded gets a little more.
const PATIENCE: Duration = Duration::from_secs(2);
/// Answers are a few lines.
const LONGEST: u64 = 1 << 20;
/// Six hours, the longest that a token may live.
const LIFE: &str = "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n";

/// A client of it.
#[derive(Debug)]
pub struct Imds {
    host: String,
    token: Mutex<Option<String>>,
}

impl Imds {
    /// For the service at an address such as [`HOME`].
    pub fn at(url: &str) -> Option<Self> {
        let host = url.strip_prefix("http://")?.trim_end_matches('/');
        let fine = |c: char| c.is_ascii_alphanumeric() || ".:[]-".contains(c);
        (!host.is_empty() && host.chars().all(fine))
            .then(|| Self { host: host.to_owned(), token: Mutex::new(None) })
    }

    /// What stands under `/latest/meta-data/`; none when there is no such thing.
    pub async fn get(&self, path: &str) -> Result<Option<String>> {
        let path = format!("/latest/meta-data/{path}");
        // A token ends with its life, or with the service's.
        for _ in 0..2 {
            let token = self.token().await?;
            let header = format!("X-aws-ec2-metadata-token: {token}\r\n");
            match self.ask("GET", &path, &header).await? {
                (200, body) => return Ok(Some(body)),
                (404, _) => return Ok(None),
                (401, _) => *self.token.lock().await = None,
                (code, _) => return Err(Error::other(format!("{path}: HTTP {code}"))),
            }
        }
        Err(Error::other(format!("{path}: HTTP 401")))
    }

    async fn token(&self) -> Result<String> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref() {
            return Ok(token.clone());
        }
        match self.ask("PUT", "/latest/api/token", LIFE).await? {
            // What is sent back in a header must be one line of it.
            (200, token) if !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic()) => {
                *held = Some(token.clone());
                Ok(token)
            }
            (code, _) => Err(Error::other(format!("no token: HTTP {code}"))),
        }
    }

    async fn ask(&self, verb: &str, path: &str, header: &str) -> Result<(u16, String)> {
        let asked = timeout(PATIENCE, self.ask_now(verb, path, header)).await;
        asked.unwrap_or_else(|_| Err(Error::other("no answer within 2 s")))
    }

    async fn ask_now(&self, verb: &str, path: &str, header: &str) -> Result<(u16, String)> {
        let bare = self.host.rsplit(']').next().unwrap_or_default();
        let address =
            if bare.contains(':') { self.host.clone() } else { format!("{}:80", self.host) };
        let mut stream = TcpStream::connect(&address).await?;
        let host = &self.host;
        let request = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {host}\r\n{header}Content-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        parse(&answer).ok_or_else(|| Error::other("the answer is no HTTP"))
    }
}

/// Status and body of an answer that ended with its connection.
fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    match length {
        // It was cut off.
        Some(length) if body.len() < length => None,
        Some(length) => Some((status, body.get(..length)?.to_owned())),
        None => Some((status, body.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let answer = |text: &str| parse(text.as_bytes());
        let good = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ni-1";
        assert_eq!(answer(good), Some((200, "i-1".to_owned())));
        assert_eq!(answer("HTTP/1.0 404 Not Found\r\n\r\n"), Some((404, String::new())));
        assert_eq!(answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ni-1"), None);
        assert_eq!(answer("SSH-2.0-OpenSSH\r\n\r\n"), None);
        assert_eq!(answer(""), None);
    }

    #[test]
    fn only_plain_addresses_are_asked() {
        assert!(Imds::at(HOME).is_some());
        assert!(Imds::at("http://[fd00:ec2::254]/").is_some());
        for bad in ["https://x", "169.254.169.254", "http://", "http://a b", "http://a/b\r\nX: y"] {
            assert!(Imds::at(bad).is_none(), "{bad:?}");
        }
    }
}
