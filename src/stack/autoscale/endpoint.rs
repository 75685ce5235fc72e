//! Where a source of demand answers: `redis://host:6379/0`, `https://host/path`.

/// An address of a service, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What it speaks, in small letters.
    pub scheme: String,
    /// Who asks, where the address says so.
    pub user: Option<String>,
    /// The host; without brackets where it is an IPv6 address.
    pub host: String,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// What follows, with its slash and its query; empty where nothing does.
    pub path: String,
}

/// Parts of a query that hold secrets.
const SECRET: [&str; 9] =
    ["password", "passwd", "pass", "pwd", "secret", "token", "access_token", "apikey", "api_key"];

impl Endpoint {
    /// Reads an address. What it says of a bad one never repeats it, since it may hold a secret.
    pub fn read(text: &str) -> Result<Self, String> {
        let bad = |why: &str| Err(why.to_owned());
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return bad("holds a space or a character that no address has");
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return bad("does not say what it speaks");
        };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        if path.contains('#') || authority.contains('#') {
            return bad("holds a #, after which nothing is sent");
        }
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return bad(PASSWORD),
            Some((user, place)) => (Some(user.to_owned()).filter(|it| !it.is_empty()), place),
            None => (None, authority),
        };
        if secret_in(path) {
            return bad(PASSWORD);
        }
        let (host, port) = match split(place) {
            Some(found) => found,
            None => return bad("does not name a host and at most a port"),
        };
        let scheme = scheme.to_ascii_lowercase();
        Ok(Self { scheme, user, host: host.to_owned(), port, path: path.to_owned() })
    }

    /// Whether it is this machine.
    pub fn is_here(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Host and port as HTTP writes them.
    pub fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        self.port.map_or(host.clone(), |port| format!("{host}:{port}"))
    }
}

/// What is said of an address with a password in it.
const PASSWORD: &str = "holds a credential, which everybody with this file could read";

fn secret_in(path: &str) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let key = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    query.split('&').any(|pair| SECRET.contains(&key(pair).as_str()))
}

fn split(place: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, rest)
        }
        None => {
            let at = place.find(':').unwrap_or(place.len());
            let (host, rest) = place.split_at(at);
            let fine = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            (Some(host).filter(|host| !host.is_empty() && host.chars().all(fine))?, rest)
        }
    };
    match port {
        "" => Some((host, None)),
        _ => Some((host, Some(port.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let read = |text: &str| Endpoint::read(text).expect(text);
        let redis = read("rediss://ops@cache.internal:6380/2");
        assert_eq!((redis.scheme.as_str(), redis.user.as_deref()), ("rediss", Some("ops")));
        assert_eq!(
            (redis.authority().as_str(), redis.path.as_str()),
            ("cache.internal:6380", "/2")
        );
        assert!(!redis.is_here() && read("http://[::1]:9090/x?y=1").is_here());
        assert_eq!(read("HTTP://[::1]:9090/x?y=1").authority(), "[::1]:9090");
        assert!(read("http://localhost").is_here() && read("http://127.0.0.9/").is_here());
    }

    #[test]
    fn what_is_no_address_or_holds_a_secret_is_refused_and_not_repeated() {
        for bad in [
            "",
            "localhost:6379",
            "http://",
            "http://:80",
            "http://a:b",
            "http://a:0",
            "http://a b",
            "http://[::1",
            "http://[x]:1",
            "http://a:99999",
            "http://a/#x",
            "http://h\u{e9}",
            "redis://:hunter2@h",
            "redis://u:hunter2@h:1/0",
            "http://h/?token=hunter2",
            "http://h/x?a=1&Password=hunter2",
        ] {
            let said = Endpoint::read(bad).expect_err(bad);
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
