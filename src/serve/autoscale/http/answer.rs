//! What is answered to whom.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde::Serialize;

use super::super::metrics;
use super::super::status::{Board, FORMAT, Status};
use super::access::Access;
use super::health::{healthy, ready};

/// All that is answered is made at once.
pub type Body = Full<Bytes>;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page runs what comes from here and nothing else, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The answer to a request.
pub fn answer(request: &Parts, board: &Board, access: &Access) -> Response<Body> {
    let mut answer = route(request, board, access);
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    answer
}

fn route(request: &Parts, board: &Board, access: &Access) -> Response<Body> {
    let (code, kind) = (StatusCode::OK, TEXT);
    if !access.is_host(&request.headers) {
        let why = "the request names another host than this machine; use localhost\n";
        return make(StatusCode::FORBIDDEN, kind, why);
    }
    if request.method != Method::GET && request.method != Method::HEAD {
        let mut answer = make(StatusCode::METHOD_NOT_ALLOWED, kind, "only GET and HEAD\n");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    if has_body(request) {
        return make(StatusCode::PAYLOAD_TOO_LARGE, kind, "no body is read\n");
    }
    let known = access.is_known(&request.headers);
    let path = request.uri.path();
    match path {
        "/healthz" => return verdict(healthy(&board.read(), &board.pulse()), known),
        "/readyz" => return verdict(ready(&board.read()), known),
        _ => {}
    }
    if !known {
        let mut answer = make(StatusCode::UNAUTHORIZED, kind, "the token is missing or wrong\n");
        let ask = HeaderValue::from_static("Basic realm=\"mlinfra\", charset=\"UTF-8\"");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
        return answer;
    }
    match path {
        "/" => make(code, HTML, include_str!("../../assets/page.html")),
        "/page.js" => make(code, SCRIPT, include_str!("../../assets/page.js")),
        "/page.css" => make(code, STYLE, include_str!("../../assets/page.css")),
        "/uplot.js" => make(code, SCRIPT, include_str!("../../../show/assets/uPlot.iife.min.js")),
        "/uplot.css" => make(code, STYLE, include_str!("../../../show/assets/uPlot.min.css")),
        "/licence" => make(code, kind, include_str!("../../../show/assets/uPlot.LICENSE")),
        "/metrics" => make(code, METRICS, metrics::text(&board.read(), &board.pulse())),
        "/status" => make(code, JSON, status(board, after(request))),
        _ => make(StatusCode::NOT_FOUND, kind, "there is nothing here\n"),
    }
}

fn make(code: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = code;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn has_body(request: &Parts) -> bool {
    let length = request.headers.get(header::CONTENT_LENGTH);
    length.is_some_and(|it| it != "0") || request.headers.contains_key(header::TRANSFER_ENCODING)
}

/// Probes have no token: what they learn without one is a word.
fn verdict(verdict: Result<(), String>, known: bool) -> Response<Body> {
    match verdict {
        Ok(()) => make(StatusCode::OK, TEXT, "ok\n"),
        Err(why) => {
            let why = if known { format!("{why}\n") } else { "no\n".to_owned() };
            make(StatusCode::SERVICE_UNAVAILABLE, TEXT, why)
        }
    }
}

/// `after=1795858200000`: whoever has read up to there wants only what came since.
fn after(request: &Parts) -> Option<i64> {
    let query = request.uri.query()?;
    query.split('&').find_map(|it| it.strip_prefix("after=")?.parse().ok())
}

/// The document at `/status`.
#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    status: Status,
    /// Seconds since the last look ended, by a clock that nobody sets.
    looked_ago_s: Option<u64>,
    /// Whether `/healthz` is content, and what it says otherwise.
    unhealthy: Option<String>,
    /// The same of `/readyz`.
    unready: Option<String>,
}

fn status(board: &Board, after: Option<i64>) -> Vec<u8> {
    let (mut status, pulse) = (board.read(), board.pulse());
    status.format_version = FORMAT.to_owned();
    if let Some(after) = after {
        for cluster in status.clusters.values_mut() {
            cluster.samples.retain(|it| it.at.0 > after);
            cluster.log.retain(|it| it.at.0 > after);
        }
    }
    let unhealthy = healthy(&status, &pulse).err();
    let unready = ready(&status).err();
    let looked_ago_s = pulse.since_look.map(|it| it.as_secs());
    let document = Document { status, looked_ago_s, unhealthy, unready };
    serde_json::to_vec(&document).unwrap_or_default()
}
