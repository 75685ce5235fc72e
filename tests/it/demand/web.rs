//! `source "http"` against services that are good, bad and hostile.

use std::time::Duration;

use mlinfra::demand::What;
use mlinfra::fleet::Shape;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Around, known, told};

/// What a service answers, whatever it is asked.
#[derive(Clone)]
pub enum Page {
    /// These bytes, and the end.
    Bytes(Vec<u8>),
    /// This only to who says `Authorization: …`.
    For(&'static str, Vec<u8>),
    /// Nothing, for ever.
    Silence,
    /// Without an end.
    Flood,
}

impl Page {
    pub fn text(text: &str) -> Self {
        Self::answer("200 OK", "", text)
    }

    fn answer(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
        Self::Bytes(format!("{head}{body}").into_bytes())
    }
}

/// A service; it ends with this value.
pub struct Web {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Web {
    pub async fn serve(page: Page) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let page = page.clone();
                tokio::spawn(async move {
                    let mut asked = vec![0; 4096];
                    let length = stream.read(&mut asked).await.unwrap_or(0);
                    let asked = String::from_utf8_lossy(&asked[..length]).to_lowercase();
                    answer(&mut stream, &asked, page).await;
                });
            }
        });
        Self { port, task }
    }
}

async fn answer(stream: &mut tokio::net::TcpStream, asked: &str, page: Page) {
    let head = b"HTTP/1.1 200 OK\r\n\r\n[";
    match page {
        Page::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Page::For(who, bytes) => {
            let known = asked.contains(&format!("authorization: {who}").to_lowercase());
            let refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_vec();
            let _ = stream.write_all(if known { &bytes } else { &refusal }).await;
        }
        Page::Silence => std::future::pending().await,
        Page::Flood => {
            let _ = stream.write_all(head).await;
            while stream.write_all(&[b' '; 65_536]).await.is_ok() {}
        }
    }
}

async fn around<T>(page: Page, then: impl AsyncFnOnce(Around<'_>, &str) -> T) -> T {
    let web = Web::serve(page).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = format!(
        "source \"http\" {{\n url = \"http://127.0.0.1:{}/queue?x=1\"\n timeout = \"2s\"\n \
         pointer = \"/queue\"\n job = {{ gpus = 1 }}\n}}",
        web.port
    );
    then(Around::folder(folder.path()), &source).await
}

#[tokio::test]
async fn numbers_and_jobs_over_http_are_read() {
    let page = Page::text(r#"{"queue":3}"#);
    around(page, async |around, source| {
        assert_eq!(known(&around.look(source).await), (vec![(3, Shape::single(1))], 0));
        let elsewhere = source.replace("/queue\"\n job", "/depth\"\n job");
        let trouble = around.trouble(&elsewhere).await;
        told(&trouble, What::Answer, "nothing stands at \"/depth\"; at the top there is \"queue\"");
    })
    .await;
    let page = Page::text(r#"{"queue":[{"gpus":8,"nodes":4},{"gpus":2,"running":true}]}"#);
    around(page, async |around, source| {
        assert_eq!(known(&around.look(source).await), (vec![(1, Shape::gang(8, 4))], 1));
    })
    .await;
}

#[tokio::test]
async fn credentials_go_where_they_are_wanted_and_nowhere_else() {
    let good = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"queue\":1}".to_vec();
    // ops:hunter2
    for (who, attributes) in [
        ("Basic b3BzOmh1bnRlcjI=", "user = \"ops\"\n password_env = \"PW\""),
        ("Bearer hunter2", "token_file = \"token\""),
    ] {
        around(Page::For(who, good.clone()), async |around, source| {
            let around = around.with("PW", "hunter2").with("EMPTY", "").with("TWO", "a\nb");
            std::fs::write(around.folder.join("token"), "hunter2\n").expect("a file");
            let with = |more: &str| source.replace("timeout", &format!("{more}\n timeout"));
            assert_eq!(known(&around.look(&with(attributes)).await).0.len(), 1);
            told(&around.trouble(source).await, What::Denied, "HTTP 401");
            let empty = around.trouble(&with("token_env = \"EMPTY\"")).await;
            told(&empty, What::Setup, "its credential in $EMPTY is empty");
            let two = around.trouble(&with("token_env = \"TWO\"")).await;
            told(&two, What::Setup, "holds a line break");
            let none = around.trouble(&with("token_file = \"none\"")).await;
            told(&none, What::Setup, "none cannot be read: No such file");
            let folder = around.trouble(&with("token_file = \".\"")).await;
            told(&folder, What::Setup, "is no file");
        })
        .await;
    }
}

#[tokio::test]
async fn what_strangers_answer_is_told_without_their_tricks() {
    let bell = "\u{1b}[2J\u{7}pay \u{202e}now";
    let redirect = "Location: http://evil/?hunter3\r\n";
    for (page, what, part) in [
        (Page::answer("500 Oh", "", bell), What::Answer, "Server Error: \"\u{fffd}[2J\u{fffd}pay"),
        (Page::answer("302 Found", redirect, ""), What::Answer, "redirects are not followed"),
        (Page::answer("403 No", "", ""), What::Denied, "HTTP 403"),
        (Page::text("<html>"), What::Answer, "the answer is no JSON"),
        (Page::text(""), What::Answer, "the answer is empty"),
        (Page::text(r#"{"queue":-1}"#), What::Absurd, "-1 is no number of jobs"),
        (Page::text(r#"{"queue":[{"gpus":-8}]}"#), What::Absurd, "job 0 of the list: -8"),
        (Page::text(r#"{"queue":{"x":1}}"#), What::Answer, "an object, and not a number or a list"),
        (Page::text(&"[".repeat(1000)), What::Answer, "recursion limit"),
        (Page::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec()), What::Answer, "no HTTP"),
        (
            Page::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n1".to_vec()),
            What::Answer,
            "read",
        ),
        (Page::Bytes(Vec::new()), What::Answer, "no HTTP"),
        (Page::Silence, What::Timeout, "no answer within 2 s"),
    ] {
        around(page, async |around, source| {
            told(&around.trouble(source).await, what, part);
        })
        .await;
    }
    // It ends by its size or by the clock, whichever comes first, and never by memory.
    let begin = std::time::Instant::now();
    around(Page::Flood, async |around, source| {
        let trouble = around.trouble(source).await;
        assert!(matches!(trouble.what, What::Answer | What::Timeout), "{trouble}");
    })
    .await;
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn nobody_there_is_told_with_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = super::peer::free_port();
    let source = format!("source \"http\" {{\n url = \"http://127.0.0.1:{port}/\"\n}}");
    let trouble = Around::folder(folder.path()).trouble(&source).await;
    told(&trouble, What::Unreachable, &format!("127.0.0.1:{port} cannot be reached"));
}
