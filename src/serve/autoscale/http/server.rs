//! The server: connections are few and short, and none of them can hold it up.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::status::Board;
use super::access::Access;
use super::answer::{Body, answer};

/// How much of it anybody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. More wait for their turn.
    pub connections: usize,
    /// The head of a request, or the next one, comes within this time.
    pub head: Duration,
    /// A connection lasts this long at most: whoever reads slowly, or keeps it, makes place.
    pub whole: Duration,
    /// Whoever is being answered when the service ends has this long to read on.
    pub end: Duration,
    /// Bytes in the head of a request: browsers send a tenth of that.
    pub head_bytes: usize,
    /// Fields in the head of a request.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            head: Duration::from_secs(10),
            whole: Duration::from_secs(60),
            end: Duration::from_secs(2),
            head_bytes: 16 * 1024,
            fields: 64,
        }
    }
}

/// A server that runs.
pub struct Server {
    address: SocketAddr,
    secure: bool,
    thread: JoinHandle<()>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its page is.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// Waits until it has ended: some seconds after `stop` at most. Blocks.
    pub fn wait(self) {
        // Had it panicked, everything it has to do would be done, too.
        drop(self.thread.join());
    }
}

/// Answers whoever asks, from a thread of its own, until `stop`.
pub fn start(
    listener: TcpListener,
    board: Arc<Board>,
    access: Access,
    stop: CancellationToken,
) -> io::Result<Server> {
    start_within(listener, board, access, stop, Limits::default())
}

/// The same with other limits.
pub fn start_within(
    listener: TcpListener,
    board: Arc<Board>,
    access: Access,
    stop: CancellationToken,
    limits: Limits,
) -> io::Result<Server> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _in = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let secure = access.tls().is_some();
    let shared = Arc::new(Shared { board, access, stop, limits });
    let thread = std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || runtime.block_on(listen(&listener, &shared)))?;
    Ok(Server { address, secure, thread })
}

struct Shared {
    board: Arc<Board>,
    access: Access,
    stop: CancellationToken,
    limits: Limits,
}

async fn listen(listener: &tokio::net::TcpListener, shared: &Arc<Shared>) {
    let room = Arc::new(Semaphore::new(shared.limits.connections));
    let mut open = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            (place, came) = next => match came {
                Ok((stream, _)) => {
                    let shared = Arc::clone(shared);
                    open.spawn(async move {
                        serve(stream, &shared).await;
                        drop(place);
                    });
                }
                // Too many files are open, or the client has gone already.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = open.join_next() => {}
            () = shared.stop.cancelled() => break,
        }
    }
    let rest = async { while open.join_next().await.is_some() {} };
    let _ = timeout(shared.limits.end, rest).await;
}

async fn serve(stream: TcpStream, shared: &Arc<Shared>) {
    match shared.access.tls() {
        None => talk(stream, shared).await,
        Some(tls) => {
            // Whoever cannot shake hands learns no more than that.
            if let Ok(Ok(stream)) = timeout(shared.limits.head, tls.accept(stream)).await {
                talk(stream, shared).await;
            }
        }
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Arc<Shared>) {
    let service = service_fn(|request: Request<Incoming>| {
        // What comes behind the head is never read.
        let (head, _) = request.into_parts();
        let answer: Response<Body> = answer(&head, &shared.board, &shared.access);
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.head)
        .max_header_size(shared.limits.head_bytes)
        .max_headers(shared.limits.fields);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(shared.limits.whole) => {}
        () = shared.stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(shared.limits.end, connection).await;
}
