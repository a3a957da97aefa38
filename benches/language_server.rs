//! How long it takes from an edit to its diagnostics, and how much memory the language server holds after many edits.
//!
//! ```console
//! cargo bench --bench language_server                # repositories of 500 and 14,000 files, 200 edits each
//! cargo bench --bench language_server -- 500 10000   # as many files and edits
//! ```
//!
//! What is linked to the edited file is analyzed again: six files, or five hundred that share a module.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/it/support/generated.rs"]
#[allow(dead_code, reason = "other trees are for other benches")]
mod generated;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const FILES: [usize; 2] = [500, 14_000];
const EDITS: usize = 200;
/// Files that are linked to each other: a repository is made of parts of so many.
const LINKED: [usize; 2] = [6, 500];
/// The file of a part that is edited, and what is put in the place of what.
const EDITED: [(&str, &str, &str); 2] = [
    ("services/s0/main.tf", "\"s3:Get*\"", "\"s3:*\""),
    ("services/s0/app.py", "get_item", "put_item"),
];

fn main() {
    // Cargo adds `--bench`.
    let args: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (sizes, edits) = match args[..] {
        [files, edits] => (vec![files], edits),
        [files] => (vec![files], EDITS),
        _ => (FILES.to_vec(), EDITS),
    };
    println!(
        "{:>7} {:>7}  {:<22} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "files", "linked", "edited", "edits", "first ms", "median ms", "p99 ms", "CPU ms", "MB first", "MB last"
    );
    for files in sizes {
        for linked in LINKED {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), files, linked);
            for edited in EDITED {
                measure(dir.path(), (files, linked), edits, edited);
            }
        }
    }
}

fn write(folder: &Path, count: usize, linked: usize) {
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    for part in 0..count.div_ceil(linked) {
        for (path, text) in generated::repository(linked) {
            let path = folder.join(format!("p{part}")).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
}

fn measure(folder: &Path, (files, linked): (usize, usize), edits: usize, (name, was, with): (&str, &str, &str)) {
    let path = &*format!("p0/{name}");
    let mut server = Server::start(folder);
    let uri = format!("file://{}", folder.join(path).display());
    let text = std::fs::read_to_string(folder.join(path)).unwrap();
    let other = text.replace(was, with);
    let start = Instant::now();
    let document = json!({"uri": uri, "languageId": "plaintext", "version": 0, "text": text});
    server.notify("textDocument/didOpen", &json!({ "textDocument": document }));
    server.wait_for(&uri, 0);
    let first = start.elapsed();
    // What is found out after the first answer is not a part of the next.
    std::thread::sleep(Duration::from_millis(300));
    let (before, cpu) = (server.megabytes(), server.cpu());
    let mut times = Vec::new();
    for version in 1..=edits {
        let text = if version % 2 == 0 { &text } else { &other };
        let start = Instant::now();
        let document = json!({"uri": uri, "version": version});
        let changes = json!([{ "text": text }]);
        server.notify(
            "textDocument/didChange",
            &json!({"textDocument": document, "contentChanges": changes}),
        );
        server.wait_for(&uri, version);
        times.push(start.elapsed());
        // A person types more slowly; what the server does after its answer is done by then.
        if edits <= EDITS {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let cpu = (server.cpu() - cpu) / edits as f64;
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{files:>7} {linked:>7}  {name:<22} {edits:>7} {:>9.1} {:>9.1} {:>9.1} {cpu:>9.1} {before:>9.1} {:>9.1}",
        ms(first),
        ms(times[times.len() / 2]),
        ms(times[times.len() * 99 / 100]),
        server.megabytes()
    );
}

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_overgrant"))
            .arg("lsp")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, input, output };
        let root = format!("file://{}", folder.display());
        let params = json!({"processId": null, "rootUri": root, "capabilities": {}});
        server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}));
        server.read();
        server.notify("initialized", &json!({}));
        server
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the server has ended");
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn wait_for(&mut self, uri: &str, version: usize) {
        loop {
            let message = self.read();
            let params = &message["params"];
            if params["uri"] == *uri && params["version"] == version {
                return;
            }
        }
    }

    /// Milliseconds of all threads so far, in hundredths of a second; none where the system does not tell.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // User and system time; the name before the parenthesis may have spaces.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: u32 = fields.skip(11).take(2).filter_map(|n| n.parse::<u32>().ok()).sum();
        f64::from(ticks) * 10.0
    }

    /// What is resident; none where the system does not tell.
    fn megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kilobytes.unwrap_or(0.0) / 1e3
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
