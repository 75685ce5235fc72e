//! The independent peer: moto's server in a process of its own, behind a proxy that
//! does what AWS does and moto does not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::moto_groups::Groups;
use aws_credential_types::Credentials;
use mlinfra::aws::{Aws, Connect};
use mlinfra::model::Region;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The parameters of one request.
pub type Params = BTreeMap<String, String>;

/// What the proxy remembers.
#[derive(Default)]
struct Memory {
    /// Answers by action and client token.
    answers: BTreeMap<(String, String), (Params, Vec<u8>)>,
    /// Everything that was sent in forms, in order.
    sent: Vec<Params>,
    /// moto has no placement groups.
    groups: Groups,
}

/// A running server; it ends with this value, also when a test panics.
pub struct Moto {
    server: Child,
    /// The server itself.
    pub direct: String,
    /// The server behind the proxy.
    pub endpoint: String,
    memory: Arc<Mutex<Memory>>,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where the peers are installed.
pub fn peers() -> PathBuf {
    std::env::var_os("MLINFRA_PEERS").map_or_else(|| PathBuf::from("target/peers"), PathBuf::from)
}

fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address").port()
}

impl Moto {
    pub async fn start() -> Self {
        let (binary, port) = (peers().join("bin/moto_server"), free_port());
        let server = Command::new(&binary)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|bad| panic!("{}: {bad}; `make peers` installs it", binary.display()));
        let direct = format!("127.0.0.1:{port}");
        let memory = Arc::new(Mutex::new(Memory::default()));
        let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", proxy.local_addr().expect("its address"));
        let moto = Self { server, direct: direct.clone(), endpoint, memory: memory.clone() };
        for _ in 0..600 {
            if TcpStream::connect(&direct).await.is_ok() {
                tokio::spawn(serve(proxy, direct, memory));
                return moto;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("moto does not answer");
    }

    /// How our adapter reaches it.
    pub fn connect(&self) -> Connect {
        Connect {
            path_style: true,
            endpoint: Some(self.endpoint.clone()),
            credentials: Some(credentials()),
            ..Connect::to(Region::from("us-east-1"))
        }
    }

    pub async fn aws(&self) -> Aws {
        Aws::connect(self.connect()).await.expect("moto's account")
    }

    /// All forms so far.
    pub fn all_sent(&self) -> Vec<Params> {
        self.memory.lock().expect("no panic under the lock").sent.clone()
    }

    /// The requests of one action so far.
    pub fn sent(&self, action: &str) -> Vec<Params> {
        let memory = self.memory.lock().expect("no panic under the lock");
        let of = |params: &&Params| params.get("Action").map(String::as_str) == Some(action);
        memory.sent.iter().filter(of).cloned().collect()
    }

    /// An EC2 request to the server itself.
    pub async fn form(&self, body: &str) -> String {
        self.service("ec2", body).await
    }

    /// A form to one service of the server itself.
    pub async fn service(&self, service: &str, body: &str) -> String {
        self.send("POST", "/", body, service).await
    }

    /// A plain S3 request to the server itself.
    pub async fn raw(&self, method: &str, path: &str, body: &str) -> String {
        self.send(method, path, body, "s3").await
    }

    /// A request to one service of the server itself.
    pub async fn rest(&self, method: &str, path: &str, body: &str, service: &str) -> String {
        self.send(method, path, body, service).await
    }

    /// Writes an SSM parameter on the server itself.
    pub async fn put_parameter(&self, name: &str, value: &str) {
        let body = serde_json::json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
        let answer = self.send("POST", "/", &body.to_string(), "ssm").await;
        assert!(is_success(answer.as_bytes()), "{answer}");
    }

    async fn send(&self, method: &str, path: &str, body: &str, service: &str) -> String {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.direct);
        let form = match service {
            "s3" => "text/plain",
            "route53" => "application/xml",
            "ssm" => "application/x-amz-json-1.1\r\nX-Amz-Target: AmazonSSM.PutParameter",
            _ => "application/x-www-form-urlencoded",
        };
        let head = format!("{head}Content-Type: {form}\r\n");
        let length = body.len();
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/{service}/aws4_request"
        );
        let head = format!("{head}Authorization: {signed}, SignedHeaders=host, Signature=0\r\n");
        let text = format!("{head}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        let answer = forward(&self.direct, text.as_bytes()).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

pub fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests")
}

/// Lets a request pass to the server and reads the whole answer.
async fn forward(direct: &str, request: &[u8]) -> Vec<u8> {
    let mut server = TcpStream::connect(direct).await.expect("moto answers");
    server.write_all(request).await.expect("moto reads");
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.expect("moto writes");
    answer
}

async fn serve(proxy: TcpListener, direct: String, memory: Arc<Mutex<Memory>>) {
    while let Ok((client, _)) = proxy.accept().await {
        tokio::spawn(one(client, direct.clone(), memory.clone()));
    }
}

/// One request per connection keeps the proxy to a page.
async fn one(mut client: TcpStream, direct: String, memory: Arc<Mutex<Memory>>) {
    let Some((head, body)) = read_request(&mut client).await else { return };
    let form = params(&body);
    let key = form.get("Action").cloned().zip(form.get("ClientToken").cloned());
    if form.contains_key("Action") {
        memory.lock().expect("no panic under the lock").sent.push(form.clone());
    }
    let before = key
        .as_ref()
        .and_then(|key| memory.lock().expect("no panic under the lock").answers.get(key).cloned());
    // moto looks whether a condition holds, and writes later: two at once may both win.
    let conditional =
        ["if-match", "if-none-match"].iter().any(|name| header(&head, name).is_some());
    let _turn = if conditional { Some(CONDITIONAL.lock().await) } else { None };
    let group = memory.lock().expect("no panic under the lock").groups.answer(&form);
    let group = group.or_else(|| no_associations(&head));
    let answer = match before {
        _ if group.is_some() => group.unwrap_or_default(),
        Some((same, answer)) if same == form => answer,
        Some(_) => mismatch(),
        None => {
            let answer = repair(forward(&direct, &closing(&head, &body)).await);
            if is_success(&answer) {
                tag_new_bucket(&direct, &head, &body).await;
                if let Some(key) = key {
                    let mut memory = memory.lock().expect("no panic under the lock");
                    memory.answers.insert(key, (form, answer.clone()));
                }
            }
            answer
        }
    };
    let _ = client.write_all(&answer).await;
    let _ = client.shutdown().await;
}

/// moto's FSx knows no data repository associations: there are none.
fn no_associations(head: &str) -> Option<Vec<u8>> {
    let target = header(head, "x-amz-target")?;
    let asked = target.ends_with(".DescribeDataRepositoryAssociations");
    asked.then(|| http("200 OK", "{\"Associations\":[]}"))
}

/// Roots that moto names after the operation, and AWS and the SDK by their shape.
const ROOTS: &[(&str, &str)] = &[("GetBucketVersioningResponse", "VersioningConfiguration")];

fn repair(answer: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&answer) else { return answer };
    let Some((wrong, right)) = ROOTS.iter().find(|(wrong, _)| text.contains(wrong)) else {
        return answer;
    };
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return answer };
    let body = body.replace(wrong, right);
    let mut lines: Vec<&str> = head.lines().collect();
    lines.retain(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    let head = lines.join("\r\n");
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// One conditional write at a time.
static CONDITIONAL: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn is_success(answer: &[u8]) -> bool {
    answer.get(9..12) == Some(b"200")
}

async fn read_request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut buffer = [0_u8; 65536];
    let end = loop {
        let count = client.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        all.extend_from_slice(&buffer[..count]);
        if let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(all[..end].to_vec()).ok()?;
    let mut body = all.split_off(end + 4);
    let length = header(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while body.len() < length {
        let count = client.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        body.extend_from_slice(&buffer[..count]);
    }
    Some((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn closing(head: &str, body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&str> = head.lines().collect();
    lines.retain(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut out = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n")).into_bytes();
    out.extend_from_slice(body);
    out
}

/// A form's fields, decoded.
pub fn params(body: &[u8]) -> Params {
    let Ok(text) = std::str::from_utf8(body) else { return Params::new() };
    if !text.starts_with("Action=") {
        return Params::new();
    }
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn mismatch() -> Vec<u8> {
    ec2_error("IdempotentParameterMismatch")
}

/// An error as EC2 says it.
pub fn ec2_error(code: &str) -> Vec<u8> {
    http(
        "400 Bad Request",
        &format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>from the proxy</Message>\
             </Error></Errors><RequestID>req-1</RequestID></Response>"
        ),
    )
}

/// A whole answer.
pub fn http(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// moto forgets the tags of a CreateBucket call: they are put right behind it.
async fn tag_new_bucket(direct: &str, head: &str, body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let (Some(from), Some(to)) = (text.find("<Tags>"), text.find("</Tags>")) else { return };
    if !text.contains("<CreateBucketConfiguration") {
        return;
    }
    let path = head.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap_or("/");
    let tags = &text[from + 6..to];
    let body = format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
    let auth = header(head, "authorization").unwrap_or_default();
    let head = format!(
        "PUT {path}?tagging HTTP/1.1\r\nHost: {direct}\r\nAuthorization: {auth}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    forward(direct, format!("{head}{body}").as_bytes()).await;
}
