//! What the service shows to whoever asks: `/healthz`, `/readyz`, `/metrics`, `/status` and a
//! page at `/`.
//!
//! It only reads the board. It has a thread and a runtime of its own, so that no client can make
//! the loop wait, and so that a loop that hangs is still told of.

mod access;
mod answer;
mod health;
mod refused;
mod server;
mod tls;

pub use access::{Access, Token};
pub use refused::Refused;
pub use server::{Limits, Server, start, start_within};
pub use tls::Tls;
