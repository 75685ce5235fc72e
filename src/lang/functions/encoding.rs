//! JSON, base64 and hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::model::{Encoder, Piece};

use super::super::json;
use super::super::value::{Data, Value};
use super::{Function, bad};

pub(super) const TABLE: &[Function] = &[
    Function::new("jsonencode", "value", "The value as JSON.", (1, 1), |call| {
        match json::encode(call.arg(0)?) {
            Ok(value) => Ok(value),
            Err(text) => bad(0, text),
        }
    }),
    Function::new("jsondecode", "text", "The value that JSON describes.", (1, 1), |call| {
        let text = call.text(0)?;
        match json::decode(&text) {
            Ok(value) => Ok(value),
            Err(error) => bad(0, error),
        }
    }),
    Function::new("base64encode", "text", "The text in base64.", (1, 1), |call| {
        if let Data::Unknown(unknown) = &call.arg(0)?.data {
            let inner = unknown.pieces.clone();
            return Ok(Value::pieces(vec![Piece::Encoded(Encoder::Base64, inner)]));
        }
        Ok(Value::from(STANDARD.encode(call.text(0)?)))
    }),
    Function::new("base64decode", "text", "The text that base64 encodes.", (1, 1), |call| {
        let Ok(bytes) = STANDARD.decode(call.text(0)?) else {
            return bad(0, "is not base64");
        };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Value::from(text)),
            Err(_) => bad(0, "encodes bytes that are no UTF-8 text"),
        }
    }),
    Function::new("sha256", "text", "The SHA-256 of the text, in hex.", (1, 1), |call| {
        Ok(Value::from(hex(call.text(0)?.as_bytes())))
    }),
];

/// SHA-256 in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
