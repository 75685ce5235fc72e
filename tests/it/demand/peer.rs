//! Processes of others: found or missed with words, ended whatever happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::net::TcpStream;

/// A process that ends with this value, with all that it has started.
pub struct Peer {
    child: Child,
    log: PathBuf,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.signal("-CONT");
        self.signal("-KILL");
        let _ = self.child.wait();
    }
}

impl Peer {
    /// Starts it in a group of its own; what it says goes to a file beside it.
    pub fn start(folder: &Path, name: &str, command: &mut Command) -> Self {
        use std::os::unix::process::CommandExt as _;
        let log = folder.join(format!("{name}.log"));
        let file = fs::File::create(&log).expect("a log");
        let both = file.try_clone().expect("a log");
        command.stdin(Stdio::null()).stdout(file).stderr(both).process_group(0);
        let child = command.spawn().unwrap_or_else(|bad| panic!("{name}: {bad}; {INSTALL}"));
        Self { child, log }
    }

    /// Sends a signal to it and to what it has started.
    pub fn signal(&self, signal: &str) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
    }

    /// Ends it at once.
    pub fn kill(mut self) {
        self.signal("-KILL");
        let _ = self.child.wait();
    }

    /// Waits until somebody listens on a port.
    pub async fn listens(&mut self, port: u16) {
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("it ended with {status}: {}", self.said());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("nobody listens on port {port}: {}", self.said());
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// What to do where a peer is missing. A test that cannot run has failed.
pub const INSTALL: &str = "`make peers` installs it (tests/peer/queues)";

/// Where a program is, among those that only root has in its path too.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not installed; {INSTALL}"))
}

/// Runs a program to its end, which must be a good one.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|bad| panic!("{command:?}: {bad}; {INSTALL}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{err}");
    text
}

/// A port that nobody has just now.
pub fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address").port()
}

/// An authority and a certificate of it for localhost: `ca.pem`, `cert.pem`, `key.pem`; and
/// `other.pem`, an authority that has nothing to do with it.
pub fn certificates(folder: &Path) {
    let openssl = |words: &str| {
        run(Command::new(program("openssl")).args(words.split(' ')).current_dir(folder));
    };
    let new = "req -x509 -newkey rsa:2048 -nodes -days 2";
    openssl(&format!("{new} -subj /CN=ca -keyout ca.key -out ca.pem"));
    openssl(&format!("{new} -subj /CN=other -keyout other.key -out other.pem"));
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out csr.pem");
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    fs::write(folder.join("names"), names).expect("a file");
    openssl(
        "x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
         -out cert.pem",
    );
}
