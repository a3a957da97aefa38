//! Strings, numbers and names of JSON.

use crate::source::{Hole, Text, TextBuilder};

use super::{JsonParser, MAX_BROKEN_STRING};
use crate::syntax::{NodeId, NodeKind, NodeStyle};

impl JsonParser<'_> {
    /// A number, a literal name, a bare hole, or something else without quotes.
    pub(super) fn bare_word(&mut self, start: usize) -> NodeId {
        self.at = self.word_end(start);
        let word = &self.src[start..self.at];
        let kind = match word {
            "true" | "false" => NodeKind::Bool,
            "null" => NodeKind::Null,
            "True" | "False" | "TRUE" | "FALSE" => {
                let lower = word.to_ascii_lowercase();
                self.problem(start, self.at, &format!("`{word}` is not JSON; write `{lower}`"));
                NodeKind::Bool
            }
            "None" | "NULL" | "Null" | "nil" | "undefined" => {
                self.problem(start, self.at, &format!("`{word}` is not JSON; write `null`"));
                NodeKind::Null
            }
            _ if self.host.is_some() && word.chars().any(|c| Text::placeholder(c).is_some()) => NodeKind::Str,
            _ if is_number(word.as_bytes()) => NodeKind::Num,
            _ => {
                self.problem(start, self.at, "value without quotes");
                if word.parse::<f64>().is_ok() {
                    NodeKind::Num
                } else {
                    NodeKind::Unknown
                }
            }
        };
        self.plain_scalar(kind, start, self.at)
    }

    /// A scalar whose text is the source itself.
    pub(super) fn plain_scalar(&mut self, kind: NodeKind, start: usize, end: usize) -> NodeId {
        let node = self.push(kind, NodeStyle::Plain, start, end);
        if kind != NodeKind::Unknown {
            let text = self.slice(start, end);
            self.tree.set_text(node, text);
        }
        node
    }

    /// A string; the current byte is its opening quote.
    pub(super) fn string(&mut self, quote: u8) -> NodeId {
        let start = self.at;
        let mut at = start + 1;
        let mut escaped = false;
        let mut control = None;
        let end = loop {
            let rest = &self.bytes[at..];
            let Some(skip) = rest.iter().position(|&b| b == quote || b == b'\\' || b < 0x20) else {
                break None;
            };
            at += skip;
            match self.bytes[at] {
                b'\\' => {
                    escaped = true;
                    at += 1;
                    if !matches!(self.bytes.get(at), None | Some(b'\n' | b'\r')) {
                        at += 1;
                        while !self.src.is_char_boundary(at) {
                            at += 1;
                        }
                    }
                }
                b'\n' | b'\r' => {
                    let close = self.closing_quote(at, quote);
                    if close.is_some() {
                        control.get_or_insert(at);
                        escaped = true;
                    }
                    break close;
                }
                b if b == quote => break Some(at),
                _ => {
                    control.get_or_insert(at);
                    at += 1;
                }
            }
        };
        let mut cut = false;
        let (content_end, end) = match end {
            Some(end) => {
                if let Some(at) = control {
                    let what = if matches!(self.bytes[at], b'\n' | b'\r') {
                        "line break in a string"
                    } else {
                        "control character in a string"
                    };
                    self.problem(at, at + 1, what);
                }
                (end, end + 1)
            }
            None => {
                self.report_misread(start, start + 1, "unclosed string");
                let line = &self.bytes[start..];
                let eol = start + memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
                // On the last line more is missing than a quote.
                cut = self.src[eol..].trim().is_empty();
                let end = self.src[..eol]
                    .trim_end_matches([' ', '\t', ',', ']', '}'])
                    .len()
                    .max(start + 1);
                (end, end)
            }
        };
        self.at = end;
        let node = self.push(NodeKind::Str, NodeStyle::Double, start, end);
        let mut text = if escaped {
            self.unescape(start + 1, content_end)
        } else {
            self.slice(start + 1, content_end)
        };
        if cut {
            text.append(&Text::hole(Hole::broken(self.span(end, end))));
        }
        self.tree.set_text(node, text);
        node
    }

    /// Where a string with a raw line break at `at` seems to end properly further on; `None` if it rather lacks its quote.
    pub(super) fn closing_quote(&self, at: usize, quote: u8) -> Option<usize> {
        let mut end = self.bytes.len().min(at + MAX_BROKEN_STRING);
        while !self.src.is_char_boundary(end) {
            end -= 1;
        }
        let mut close = at;
        loop {
            close += memchr::memchr2(quote, b'\\', &self.bytes[close..end])?;
            if self.bytes[close] == quote {
                break;
            }
            close = (close + 2).min(end);
        }
        let after = self.bytes[close + 1..].iter().find(|b| !b.is_ascii_whitespace());
        matches!(after, None | Some(b',' | b':' | b']' | b'}')).then_some(close)
    }

    pub(super) fn unescape(&mut self, start: usize, end: usize) -> Text {
        let mut out = TextBuilder::new();
        let mut run = start;
        let mut at = start;
        while let Some(skip) = memchr::memchr(b'\\', &self.bytes[at..end]) {
            at += skip;
            self.copy(&mut out, run, at);
            let (c, len) = escape(&self.bytes[at..end]);
            let mut to = (at + len).min(end);
            while !self.src.is_char_boundary(to) {
                to += 1;
            }
            match c {
                Some(c) => out.unit(c.encode_utf8(&mut [0; 4]), self.span(at, to)),
                None => {
                    self.problem(at, to, "invalid escape");
                    self.copy(&mut out, at, to);
                }
            }
            at = to;
            run = at;
        }
        self.copy(&mut out, run, end);
        out.finish(self.span(start, end))
    }

    pub(super) fn copy(&self, out: &mut TextBuilder, start: usize, end: usize) {
        match &self.host {
            None => out.verbatim(&self.src[start..end], self.tree.file, start),
            Some(host) => out.append(&host.index.slice(start..end)),
        }
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> Text {
        match &self.host {
            None => Text::verbatim(&self.src[start..end], self.tree.file, start),
            Some(_) if start == end => TextBuilder::new().finish(self.span(start, end)),
            Some(host) => host.index.slice(start..end),
        }
    }
}

/// The grammar of RFC 8259, section 6.
fn is_number(word: &[u8]) -> bool {
    let digits = |b: &[u8]| b.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = word.strip_prefix(b"-").unwrap_or(word);
    let n = digits(rest);
    if n == 0 || (n > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[n..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', e @ ..] => e,
            e => e,
        };
        let n = digits(exponent);
        if n == 0 {
            return false;
        }
        rest = &exponent[n..];
    }
    rest.is_empty()
}

/// The character that the escape at the start of `bytes` stands for, and how long the escape is. A lone surrogate, which
/// RFC 8259 lets pass, is U+FFFD.
fn escape(bytes: &[u8]) -> (Option<char>, usize) {
    let simple = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'u') => {
            let Some(high) = hex(bytes, 2) else {
                return (None, 2);
            };
            if let 0xD800..=0xDBFF = high
                && bytes.get(6..8) == Some(b"\\u")
                && let Some(low @ 0xDC00..=0xDFFF) = hex(bytes, 8)
            {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return (char::from_u32(code), 12);
            }
            return (Some(char::from_u32(high).unwrap_or('\u{fffd}')), 6);
        }
        _ => return (None, 2),
    };
    (Some(simple), 2)
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits
        .iter()
        .try_fold(0, |n, b| Some(n * 16 + (*b as char).to_digit(16)?))
}
