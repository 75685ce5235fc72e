//! Who may ask. Whoever is on this machine, by default; anybody else only with a token or a
//! certificate.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST};
use sha2::{Digest, Sha256};

use super::refused::Refused;
use super::tls::{Acceptor, Tls};

/// A token is at least this long: what is shorter can be guessed.
const SHORTEST: usize = 16;

/// What whoever asks must show.
pub struct Access {
    loopback: bool,
    token: Option<Token>,
    tls: Option<Acceptor>,
}

/// A secret that whoever asks must know. Only its digest is kept.
pub struct Token([u8; 32]);

impl Token {
    /// The token in a text, without blanks around it.
    pub fn new(text: &str) -> Result<Self, Refused> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refused::Odd);
        }
        if text.len() < SHORTEST {
            return Err(Refused::Short(text.len()));
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    /// Takes as long for every text of a length: the digests are compared to the end.
    fn is(&self, text: &str) -> bool {
        let other: [u8; 32] = Sha256::digest(text).into();
        let differ = self.0.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
        std::hint::black_box(differ) == 0
    }
}

impl Access {
    /// What is asked of whoever comes to an address. Refuses an address that others can reach
    /// when nothing is asked of them.
    pub fn new(at: SocketAddr, token: Option<Token>, tls: Option<&Tls>) -> Result<Self, Refused> {
        let loopback = at.ip().is_loopback();
        let asked = token.is_some() || tls.is_some_and(|tls| tls.clients.is_some());
        if !loopback && !asked {
            return Err(Refused::Open(at));
        }
        let tls = tls.map(Acceptor::new).transpose()?;
        Ok(Self { loopback, token, tls })
    }

    /// What speaks TLS, where it is spoken.
    pub(super) fn tls(&self) -> Option<&Acceptor> {
        self.tls.as_ref()
    }

    /// Whether a request meant this machine. A page of somebody else's whose name was turned to
    /// 127.0.0.1 still says its own name.
    pub(super) fn is_host(&self, headers: &HeaderMap) -> bool {
        if !self.loopback || self.token.is_some() || self.tls.is_some() {
            return true;
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(is_local)
    }

    /// Whether a request shows the token, where there is one: `Bearer`, or as the password of
    /// `Basic`, which browsers ask for by themselves.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let shown = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let Some((scheme, shown)) = shown.and_then(|it| it.split_once(' ')) else { return false };
        let shown = shown.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return token.is(shown);
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return false;
        }
        let plain = STANDARD.decode(shown).ok().and_then(|it| String::from_utf8(it).ok());
        plain.as_deref().and_then(|it| it.split_once(':')).is_some_and(|(_, it)| token.is(it))
    }
}

/// `localhost`, `127.0.0.1:8080`, `[::1]:8080`
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef";

    fn headers(name: hyper::header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    fn access(at: &str, token: Option<&str>) -> Result<Access, Refused> {
        let token = token.map(Token::new).transpose()?;
        Access::new(at.parse().expect("an address"), token, None)
    }

    #[test]
    fn other_machines_need_something_to_show() {
        for open in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1"] {
            let refused = access(open, None).err().expect("refused");
            assert_eq!(refused, Refused::Open(open.parse().expect("it")));
            assert!(refused.to_string().contains("set a token"));
            assert!(access(open, Some(LONG)).is_ok());
        }
        assert!(access("127.0.0.1:1", None).is_ok());
        assert!(access("[::1]:1", None).is_ok());
    }

    #[test]
    fn a_token_is_long_and_of_one_word() {
        assert_eq!(Token::new("").err(), Some(Refused::Short(0)));
        assert_eq!(Token::new("0123456789abcde\n").err(), Some(Refused::Short(15)));
        assert_eq!(Token::new("0123456789 abcdef").err(), Some(Refused::Odd));
        assert_eq!(Token::new("0123456789abcdefé").err(), Some(Refused::Odd));
        assert!(Token::new("  0123456789abcdef\n").is_ok());
    }

    #[test]
    fn only_the_token_itself_opens() {
        let access = access("0.0.0.0:1", Some(LONG)).expect("it");
        let known = |value: &str| access.is_known(&headers(AUTHORIZATION, value));
        assert!(known(&format!("Bearer {LONG}")));
        assert!(known(&format!("bearer  {LONG}")));
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert!(known(&basic(&format!("anybody:{LONG}"))));
        assert!(!access.is_known(&HeaderMap::new()));
        let bad = ["", "Bearer", "Bearer ", "Bearer x", "Basic ?", "Digest 0123456789abcdef"];
        for bad in bad.into_iter().map(str::to_owned).chain([
            format!("Bearer {LONG}0"),
            format!("Bearer {}", &LONG[..15]),
            LONG.to_owned(),
            basic(LONG),
            basic(&format!("{LONG}:")),
        ]) {
            assert!(!known(&bad), "{bad}");
        }
    }

    #[test]
    fn a_page_of_somebody_else_s_is_turned_away() {
        let access = access("127.0.0.1:1", None).expect("it");
        let host = |value: &str| access.is_host(&headers(HOST, value));
        for good in
            ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.9.9.9", "[::1]:80", "[::1]"]
        {
            assert!(host(good), "{good}");
        }
        for bad in
            ["", "evil.example", "localhost.evil.example:80", "10.0.0.1", "[::2]", "127.0.0.1.x"]
        {
            assert!(!host(bad), "{bad}");
        }
        assert!(!access.is_host(&HeaderMap::new()));
    }
}
