//! Where the autoscaler answers, and to whom.

use std::net::TcpListener;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::serve::autoscale::Board;
use crate::serve::autoscale::http::{self, Access, Server, Tls, Token};

use super::autoscale_args::ListenArgs;
use super::halt::Halt;
use super::load;
use super::machine::env;

/// The variable that may hold the token.
const TOKEN: &str = "MLINFRA_AUTOSCALE_TOKEN";

/// Listens, or says why not; none where nobody wants it.
pub fn start(
    args: &ListenArgs,
    board: &Arc<Board>,
    stop: &CancellationToken,
) -> Result<Option<Server>, Halt> {
    let Some(at) = args.listen.filter(|_| !args.no_listen) else { return Ok(None) };
    let refused = |error: http::Refused| {
        Halt::one("S012", error.to_string(), "see `mlinfra autoscale run --help`")
    };
    let token = match &args.token_file {
        Some(path) => Some(load::read(path)?),
        None => env(TOKEN),
    };
    let token = token.map(|text| Token::new(&text)).transpose().map_err(refused)?;
    let tls = args.tls_cert.clone().zip(args.tls_key.clone()).map(|(certificate, key)| Tls {
        certificate,
        key,
        clients: args.tls_client_ca.clone(),
    });
    let access = Access::new(at, token, tls.as_ref()).map_err(refused)?;
    let taken = |error: std::io::Error| {
        let text = format!("cannot listen on {at}: {error}");
        Halt::one("S012", text, "choose another address with --listen, or --no-listen")
    };
    let listener = TcpListener::bind(at).map_err(taken)?;
    let server = http::start(listener, Arc::clone(board), access, stop.clone()).map_err(taken)?;
    Ok(Some(server))
}
