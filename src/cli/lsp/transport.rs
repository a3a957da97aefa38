//! Messages over standard input and output.

use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::Sender;

use lsp_server::{ErrorCode, Message, RequestId};
use serde_json::{Value, json};

/// What came in.
#[derive(Debug)]
pub(super) enum Incoming {
    Message(Message),
    Malformed(Malformed),
    End,
}

/// A message that cannot be understood.
#[derive(Debug)]
pub(super) struct Malformed {
    id: Value,
    code: ErrorCode,
    message: String,
}

impl Malformed {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            id: Value::Null,
            code,
            message: message.into(),
        }
    }
}

/// Longer messages are not read, in bytes.
const MAX_MESSAGE: u64 = 256 << 20;
/// Longest line of a header, in bytes.
const MAX_HEADER: u64 = 8 << 10;

/// Sends on what comes in, until the input ends, `exit` comes, or no one listens.
pub(super) fn read_all(mut input: impl BufRead, to: &Sender<Incoming>) {
    loop {
        let incoming = read_message(&mut input).unwrap_or(Incoming::End);
        let is_last = match &incoming {
            Incoming::End => true,
            Incoming::Message(Message::Notification(n)) => n.method == "exit",
            _ => false,
        };
        if to.send(incoming).is_err() || is_last {
            return;
        }
    }
}

fn read_message(input: &mut impl BufRead) -> io::Result<Incoming> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_HEADER).read_until(b'\n', &mut line)? == 0 {
            return Ok(Incoming::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let header = line.split_once(':');
        if let Some((_, value)) = header.filter(|(name, _)| name.eq_ignore_ascii_case("Content-Length")) {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let Some(length) = length else {
        let why = "a message without a valid `Content-Length`";
        return Ok(Incoming::Malformed(Malformed::new(ErrorCode::ParseError, why)));
    };
    let mut body = input.by_ref().take(length);
    if length > MAX_MESSAGE {
        io::copy(&mut body, &mut io::sink())?;
        let why = format!("a message of {length} bytes, more than {MAX_MESSAGE}");
        return Ok(Incoming::Malformed(Malformed::new(ErrorCode::InvalidRequest, why)));
    }
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Ok(Incoming::End);
    }
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(e) => return Incoming::Malformed(Malformed::new(ErrorCode::ParseError, format!("invalid JSON: {e}"))),
    };
    let id = value["id"].clone();
    match serde_json::from_value(value) {
        Ok(message) => Incoming::Message(message),
        Err(_) => Incoming::Malformed(Malformed {
            id: if id.is_string() || id.is_i64() { id } else { Value::Null },
            code: ErrorCode::InvalidRequest,
            message: "neither a request, nor a response, nor a notification".to_owned(),
        }),
    }
}

/// Where messages go.
pub(super) struct Output<W: Write> {
    to: W,
    /// Of the next request to the client.
    next_id: i32,
}

impl<W: Write> Output<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, next_id: 1 }
    }

    fn send(&mut self, message: &Value) -> io::Result<()> {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        self.to.flush()
    }

    pub(super) fn result(&mut self, id: &RequestId, result: &Value) -> io::Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
    }

    pub(super) fn error(&mut self, id: &RequestId, code: ErrorCode, message: &str) -> io::Result<()> {
        let error = json!({"code": code as i32, "message": message});
        self.send(&json!({"jsonrpc": "2.0", "id": id, "error": error}))
    }

    pub(super) fn malformed(&mut self, malformed: &Malformed) -> io::Result<()> {
        let error = json!({"code": malformed.code as i32, "message": malformed.message});
        self.send(&json!({"jsonrpc": "2.0", "id": malformed.id, "error": error}))
    }

    pub(super) fn notification(&mut self, method: &str, params: &Value) -> io::Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// Asks the client; what it answers is not waited for.
    /// Asks the client; gives the number of the request.
    pub(super) fn request(&mut self, method: &str, params: &Value) -> io::Result<RequestId> {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        Ok(RequestId::from(id))
    }
}
