//! TLS, with certificates of clients where they are asked for.

use std::path::PathBuf;

/// Files in PEM. They are read once; the service is restarted for new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The service's certificate, and those that lead to its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities whose certificates clients must show, where they must.
    pub clients: Option<PathBuf>,
}

#[cfg(feature = "tls")]
pub(super) use with::Acceptor;
#[cfg(not(feature = "tls"))]
pub(super) use without::Acceptor;

#[cfg(feature = "tls")]
mod with {
    use std::io;
    use std::path::Path;
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{RootCertStore, ServerConfig, crypto};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    use super::super::refused::Refused;
    use super::Tls;

    pub struct Acceptor(TlsAcceptor);

    impl Acceptor {
        pub fn new(files: &Tls) -> Result<Self, Refused> {
            let Tls { certificate, key, clients } = files;
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| Refused::File(key.clone(), words(&error)))?;
            let failed = |error: &dyn std::fmt::Display| Refused::Tls(error.to_string());
            let provider = Arc::new(crypto::ring::default_provider());
            let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|error| failed(&error))?;
            let builder = match clients {
                None => builder.with_no_client_auth(),
                Some(file) => {
                    let mut roots = RootCertStore::empty();
                    for root in certificates(file)? {
                        let added = roots.add(root);
                        added.map_err(|error| Refused::File(file.clone(), error.to_string()))?;
                    }
                    let roots = Arc::new(roots);
                    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                    let verifier = verifier.build().map_err(|error| failed(&error))?;
                    builder.with_client_cert_verifier(verifier)
                }
            };
            let mut config =
                builder.with_single_cert(chain, key).map_err(|error| failed(&error))?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(Self(TlsAcceptor::from(Arc::new(config))))
        }

        pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
            self.0.accept(stream).await
        }
    }

    fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Refused> {
        let bad = |why: String| Refused::File(file.to_owned(), why);
        let all: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| bad(words(&error)))?;
        if all.is_empty() {
            return Err(bad("there is no certificate in it".to_owned()));
        }
        Ok(all)
    }

    fn words(error: &pem::Error) -> String {
        match error {
            pem::Error::Io(error) => error.to_string(),
            pem::Error::NoItemsFound => "there is no private key in it".to_owned(),
            // It grows with rustls.
            error => error.to_string(),
        }
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use std::io;

    use tokio::net::TcpStream;

    use super::super::refused::Refused;
    use super::Tls;

    /// There is none.
    pub enum Acceptor {}

    impl Acceptor {
        pub fn new(_files: &Tls) -> Result<Self, Refused> {
            Err(Refused::NoTls)
        }

        pub async fn accept(&self, _stream: TcpStream) -> io::Result<TcpStream> {
            match *self {}
        }
    }
}
