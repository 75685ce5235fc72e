//! TLS with certificates that are checked, for every source that speaks it.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::trouble::{Trouble, What};

/// Trusts these certificates in PEM, or the machine's.
pub(super) fn config(ca: Option<&str>) -> Result<Arc<ClientConfig>, Trouble> {
    let bad = |text: String| Trouble::new(What::Setup, text);
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for found in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let found = found.map_err(|error| bad(format!("ca_file: {error}")))?;
                roots.add(found).map_err(|error| bad(format!("ca_file: {error}")))?;
            }
            if roots.is_empty() {
                return Err(bad("ca_file holds no certificate".to_owned()));
            }
        }
        None => {
            // What cannot be read among them is no reason to trust fewer of the others.
            let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The name that the other side's certificate must be for.
pub(super) fn name(host: &str) -> Result<ServerName<'static>, Trouble> {
    ServerName::try_from(host.to_owned())
        .map_err(|_| Trouble::new(What::Setup, format!("{host:?} is no name for a certificate")))
}
