//! Cuts a stream into JSON objects: the elements of `Records` and `Events`, lines, and values one after another.
//!
//! **Invariant:** it holds one object at a time; a broken object costs what is up to the next one, and nothing after it.

use std::io::{self, Read};

/// Bytes of the largest object that is read. CloudTrail's events have 1 MB at most.
const MOST_BYTES: usize = 16 << 20;
/// Bytes of one read.
const CHUNK: usize = 256 << 10;
/// The deepest nesting of an object.
const MOST_DEPTH: u32 = 120;
/// How each event in a log file begins.
const EVENT_START: &[u8] = b"{\"eventVersion\"";

/// Where an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectPlace {
    /// By itself.
    Top,
    /// In `Records` of a log file.
    Records,
    /// In `Events` of `aws cloudtrail lookup-events`.
    Events,
    /// In `findings` of IAM Access Analyzer.
    Findings,
}

impl ObjectPlace {
    fn of_key(key: &[u8]) -> Option<Self> {
        match key {
            b"Records" => Some(Self::Records),
            b"Events" => Some(Self::Events),
            b"findings" => Some(Self::Findings),
            _ => None,
        }
    }
}

/// What is next in the stream.
#[derive(Debug)]
pub(super) enum JsonPiece<'a> {
    Object(&'a [u8], ObjectPlace),
    /// Something that is not a JSON object. It was skipped.
    Broken,
    /// The stream ends inside an object or a list.
    Truncated,
    /// The stream cannot be read further.
    Unreadable(io::Error),
}

/// Cuts a stream.
#[derive(Debug)]
pub(super) struct JsonPieces<R> {
    input: R,
    buffer: Vec<u8>,
    /// What is before is done.
    at: usize,
    has_ended: bool,
    failure: Option<io::Error>,
    place: ObjectPlace,
    /// After a broken object at the top: what is up to the next line with one is part of it.
    is_skipping: bool,
    /// Whether each object at the top is on a line of its own, as the first one.
    is_lines: Option<bool>,
    is_done: bool,
}

/// How far an object was walked. Offsets are from its first byte.
#[derive(Default)]
struct ObjectWalk {
    at: usize,
    depth: u32,
    /// A bit for each level: 1 in an object.
    objects: u128,
    /// A new line ends it in any case.
    ends_with_line: bool,
    in_string: bool,
    expects_key: bool,
    key_start: usize,
    is_key: bool,
    key: Option<ObjectPlace>,
}

enum Step {
    /// One after the last byte.
    End(usize),
    /// One after the bracket of the list.
    List(ObjectPlace, usize),
    More,
    Broken(usize),
}

impl<R: Read> JsonPieces<R> {
    /// `head` was read from the input before.
    pub(super) fn new(head: Vec<u8>, input: R) -> Self {
        Self {
            input,
            buffer: head,
            at: 0,
            has_ended: false,
            failure: None,
            place: ObjectPlace::Top,
            is_skipping: false,
            is_lines: None,
            is_done: false,
        }
    }

    /// The next piece; `None` at the end.
    pub(super) fn next(&mut self) -> Option<JsonPiece<'_>> {
        loop {
            if self.is_done {
                return None;
            }
            let Some(byte) = self.peek() else {
                self.is_done = true;
                return match self.failure.take() {
                    Some(e) => Some(JsonPiece::Unreadable(e)),
                    None if self.place != ObjectPlace::Top => Some(JsonPiece::Truncated),
                    None => None,
                };
            };
            let is_top = self.place == ObjectPlace::Top;
            match byte {
                b'{' => {
                    self.is_skipping = false;
                    match self.object() {
                        Walked::Object(end) => {
                            let start = self.at;
                            self.at += end;
                            if is_top && self.is_lines.is_none() {
                                self.is_lines = Some(!self.buffer[start..self.at].contains(&b'\n'));
                            }
                            return Some(JsonPiece::Object(&self.buffer[start..start + end], self.place));
                        }
                        Walked::List => {}
                        Walked::Broken => return Some(JsonPiece::Broken),
                        Walked::Truncated => {
                            self.is_done = true;
                            return Some(match self.failure.take() {
                                Some(e) => JsonPiece::Unreadable(e),
                                None => JsonPiece::Truncated,
                            });
                        }
                    }
                }
                b',' | b'[' => self.at += 1,
                b']' if is_top => self.at += 1,
                b']' => {
                    // The rest of the object around the list.
                    self.at += 1;
                    self.place = ObjectPlace::Top;
                    let mut rest = ObjectWalk {
                        depth: 1,
                        objects: 1,
                        ..ObjectWalk::default()
                    };
                    if let Walked::Truncated = self.walk(&mut rest, false) {
                        self.is_done = true;
                        return Some(JsonPiece::Truncated);
                    }
                    self.at += rest.at;
                }
                _ if is_top => {
                    let is_first = !std::mem::replace(&mut self.is_skipping, true);
                    self.skip_line();
                    if is_first {
                        return Some(JsonPiece::Broken);
                    }
                }
                _ => {
                    self.skip_to_event();
                    return Some(JsonPiece::Broken);
                }
            }
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let rest = &self.buffer[self.at..];
            let is_blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0xef | 0xbb | 0xbf | 0x1e);
            match rest.iter().position(|b| !is_blank(b)) {
                Some(offset) => {
                    self.at += offset;
                    return Some(self.buffer[self.at]);
                }
                None => {
                    self.at = self.buffer.len();
                    if !self.fill() {
                        return None;
                    }
                }
            }
        }
    }

    /// Reads more after the buffer; what is done goes. `false` at the end.
    fn fill(&mut self) -> bool {
        if self.has_ended {
            return false;
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[length..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = read.unwrap_or_else(|e| {
            self.failure = Some(e);
            0
        });
        self.buffer.truncate(length + count);
        self.has_ended = count == 0;
        count > 0
    }

    /// Walks the object that begins here.
    fn object(&mut self) -> Walked {
        let is_top = self.place == ObjectPlace::Top;
        let mut walk = ObjectWalk {
            ends_with_line: is_top && self.is_lines == Some(true),
            ..ObjectWalk::default()
        };
        self.walk(&mut walk, is_top)
    }

    fn walk(&mut self, walk: &mut ObjectWalk, finds_lists: bool) -> Walked {
        loop {
            match walk.step(&self.buffer[self.at..], finds_lists) {
                Step::End(end) => {
                    walk.at = end;
                    return Walked::Object(end);
                }
                Step::List(place, end) => {
                    self.at += end;
                    self.place = place;
                    return Walked::List;
                }
                Step::Broken(at) => {
                    self.resume_after(at);
                    return Walked::Broken;
                }
                Step::More => {
                    if self.buffer.len() - self.at > MOST_BYTES {
                        self.resume_after(walk.at);
                        return Walked::Broken;
                    }
                    if !self.fill() {
                        return Walked::Truncated;
                    }
                }
            }
        }
    }

    /// Goes on after an object that is broken at an offset.
    fn resume_after(&mut self, offset: usize) {
        if self.place == ObjectPlace::Top {
            self.at += offset;
            // An object on a new line, where a key should be, is the next one.
            let before = self.buffer[..self.at]
                .iter()
                .rev()
                .find(|b| !matches!(b, b' ' | b'\t' | b'\r'));
            if self.buffer.get(self.at) == Some(&b'{') && before == Some(&b'\n') {
                return;
            }
            self.is_skipping = true;
            self.skip_line();
        } else {
            self.at += 1;
            self.skip_to_event();
        }
    }

    fn skip_line(&mut self) {
        loop {
            match memchr::memchr(b'\n', &self.buffer[self.at..]) {
                Some(end) => {
                    self.at += end + 1;
                    return;
                }
                None => {
                    self.at = self.buffer.len();
                    if !self.fill() {
                        return;
                    }
                }
            }
        }
    }

    fn skip_to_event(&mut self) {
        let finder = memchr::memmem::Finder::new(EVENT_START);
        loop {
            match finder.find(&self.buffer[self.at..]) {
                Some(offset) => {
                    self.at += offset;
                    return;
                }
                None => {
                    let keep = self.buffer.len().saturating_sub(EVENT_START.len());
                    self.at = self.at.max(keep);
                    if !self.fill() {
                        self.at = self.buffer.len();
                        return;
                    }
                }
            }
        }
    }
}

enum Walked {
    Object(usize),
    List,
    Broken,
    Truncated,
}

impl ObjectWalk {
    /// Walks on in the bytes from the first byte of the object.
    fn step(&mut self, bytes: &[u8], finds_lists: bool) -> Step {
        while self.at < bytes.len() {
            if self.in_string {
                let Some(offset) = memchr::memchr3(b'"', b'\\', b'\n', &bytes[self.at..]) else {
                    self.at = bytes.len();
                    return Step::More;
                };
                let at = self.at + offset;
                match bytes[at] {
                    b'"' => {
                        self.in_string = false;
                        self.at = at + 1;
                        if self.is_key {
                            self.key = ObjectPlace::of_key(&bytes[self.key_start..at]);
                        }
                    }
                    b'\\' if at + 1 < bytes.len() => self.at = at + 2,
                    b'\\' => {
                        self.at = at;
                        return Step::More;
                    }
                    _ => return Step::Broken(at),
                }
                continue;
            }
            let byte = bytes[self.at];
            if self.expects_key && !matches!(byte, b'"' | b'}' | b' ' | b'\n' | b'\r' | b'\t') {
                return Step::Broken(self.at);
            }
            match byte {
                b'\n' if self.ends_with_line => return Step::Broken(self.at),
                b'"' => {
                    self.in_string = true;
                    self.is_key = finds_lists && self.expects_key && self.depth == 1;
                    self.key_start = self.at + 1;
                    self.expects_key = false;
                }
                b'{' | b'[' => {
                    if byte == b'['
                        && self.depth == 1
                        && let Some(place) = self.key
                    {
                        return Step::List(place, self.at + 1);
                    }
                    if self.depth == MOST_DEPTH {
                        return Step::Broken(self.at);
                    }
                    self.key = None;
                    self.depth += 1;
                    self.objects = self.objects << 1 | u128::from(byte == b'{');
                    self.expects_key = byte == b'{';
                }
                b'}' | b']' => {
                    if (self.objects & 1 == 1) != (byte == b'}') {
                        return Step::Broken(self.at);
                    }
                    self.depth -= 1;
                    self.objects >>= 1;
                    self.expects_key = false;
                    if self.depth == 0 {
                        return Step::End(self.at + 1);
                    }
                }
                b',' => {
                    self.key = None;
                    self.expects_key = self.objects & 1 == 1;
                }
                _ => {}
            }
            self.at += 1;
        }
        Step::More
    }
}
