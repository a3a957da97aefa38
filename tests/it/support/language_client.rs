//! An editor, as far as the language server can see.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::repository::Repository;

/// For a machine that is busy; an answer takes far less.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct LanguageClient {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// Came while something else was waited for.
    kept: VecDeque<Value>,
    root: PathBuf,
    next_id: i32,
    version: i32,
}

impl LanguageClient {
    /// A server that is not initialized, whose files are those of a repository.
    pub(crate) fn spawn(r: &Repository) -> Self {
        let mut command = r.command(&["lsp"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            loop {
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if output.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    if line == "\r\n" {
                        break;
                    }
                    if let Some(value) = line.strip_prefix("Content-Length: ") {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                output.read_exact(&mut body).unwrap();
                if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            input,
            messages,
            kept: VecDeque::new(),
            root: r.path(""),
            next_id: 1,
            version: 1,
        }
    }

    /// A server for the folder of the repository.
    pub(crate) fn start(r: &Repository) -> Self {
        let mut client = Self::spawn(r);
        client.initialize(json!({}));
        client
    }

    /// Initializes with these parameters; the folder of the repository is the root, if they do not say otherwise.
    pub(crate) fn initialize(&mut self, more: Value) -> Value {
        let mut params = json!({"processId": null, "rootUri": self.uri(""), "capabilities": {}});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        let answer = self.request("initialize", params);
        self.notify("initialized", json!({}));
        answer["capabilities"].clone()
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        let path = self.root.join(path);
        let path = path.to_str().unwrap().replace('\\', "/");
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("file://{slash}{}", path.trim_end_matches('/'))
    }

    /// Bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Asks, and does not wait.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> i32 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// The next message for which this holds; others are kept.
    pub(crate) fn wait(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&is_wanted) {
            return self.kept.remove(at).unwrap();
        }
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|e| panic!("{e}: {:#?}", self.kept));
            if is_wanted(&message) {
                return message;
            }
            self.kept.push_back(message);
        }
    }

    /// The whole answer to a request.
    pub(crate) fn answer(&mut self, id: i32) -> Value {
        self.wait(|m| m["id"] == id && m.get("method").is_none())
    }

    /// The result of a request that succeeds.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        let answer = self.answer(id);
        assert!(answer.get("error").is_none(), "{answer:#}");
        answer["result"].clone()
    }

    /// The error code of a request that fails.
    pub(crate) fn failure(&mut self, method: &str, params: Value) -> i64 {
        let id = self.ask(method, params);
        self.answer(id)["error"]["code"].as_i64().unwrap()
    }

    pub(crate) fn open(&mut self, path: &str) {
        let text = std::fs::read_to_string(self.root.join(path)).unwrap();
        self.open_text(path, &text);
    }

    pub(crate) fn open_text(&mut self, path: &str, text: &str) {
        self.version += 1;
        let document = json!({"uri": self.uri(path), "languageId": "plaintext", "version": self.version, "text": text});
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Puts another text in the place of the whole.
    pub(crate) fn change(&mut self, path: &str, text: &str) {
        self.edit(path, &json!([{ "text": text }]));
    }

    pub(crate) fn edit(&mut self, path: &str, changes: &Value) {
        self.version += 1;
        let document = json!({"uri": self.uri(path), "version": self.version});
        let params = json!({"textDocument": document, "contentChanges": changes});
        self.notify("textDocument/didChange", params);
    }

    /// What is published of the newest text of an open file.
    pub(crate) fn diagnostics(&mut self, path: &str) -> Vec<Value> {
        let uri = self.uri(path);
        let version = self.version;
        let is_of = |m: &Value| {
            m["method"] == "textDocument/publishDiagnostics"
                && m["params"]["uri"] == *uri
                && m["params"]["version"] == version
        };
        let published = self.wait(is_of);
        published["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// The next list that is published of a file.
    pub(crate) fn next_diagnostics(&mut self, path: &str) -> Vec<Value> {
        let uri = self.uri(path);
        let published = self.wait(|m| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == *uri);
        published["params"]["diagnostics"].as_array().unwrap().clone()
    }

    pub(crate) fn at(&self, path: &str, line: u32, character: u32) -> Value {
        json!({
            "textDocument": {"uri": self.uri(path)},
            "position": {"line": line, "character": character},
        })
    }

    /// Ends the input.
    pub(crate) fn end_input(&mut self) -> ExitStatus {
        self.input = None;
        self.child.wait().unwrap()
    }

    /// `shutdown` and `exit`.
    pub(crate) fn stop(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }

    pub(crate) fn exit_status(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for LanguageClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rules of diagnostics, in their order.
pub(crate) fn rules(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().map(|d| d["code"].as_str().unwrap()).collect()
}
