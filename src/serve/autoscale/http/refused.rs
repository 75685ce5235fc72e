//! Why the service does not listen where it was told to.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the service does not listen.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Anybody could ask.
    #[error(
        "{0} can be reached from other machines: listen on 127.0.0.1, or set a token, or give a \
         certificate, its key and the authority of the clients' certificates"
    )]
    Open(SocketAddr),
    /// The token is too short.
    #[error("the token has {0} characters; it needs at least 16: `openssl rand -hex 32` makes one")]
    Short(usize),
    /// The token has characters that no header carries.
    #[error("the token may have only visible ASCII characters, and no blanks")]
    Odd,
    /// A file cannot be used.
    #[error("{path}: {why}", path = .0.display(), why = .1)]
    File(PathBuf, String),
    /// The files do not fit together.
    #[error("TLS with this certificate and key does not work: {0}")]
    Tls(String),
    /// This build has no TLS.
    #[error("this mlinfra was built without TLS: build it with the feature `tls`")]
    NoTls,
}
