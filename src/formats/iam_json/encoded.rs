//! Documents that the IAM API writes as text: plain, or percent-encoded (RFC 3986) as `GetRole` and
//! `GetAccountAuthorizationDetails` answer them.

use crate::formats::data;
use crate::source::{Problem, Span, Text, TextBuilder, TextIndex};
use crate::value::Value;

/// The document that a string holds; any other value itself.
pub(super) fn document(value: &Value) -> (Value, Vec<Problem>) {
    let Some(text) = value.as_text() else {
        return (value.clone(), Vec::new());
    };
    let decoded = percent_decoded(text, value.span);
    match data::embedded(decoded.as_ref().unwrap_or(text), value.span) {
        Some((inner, problems)) => {
            let mut outer = Value::json(inner, value.span);
            outer.via.clone_from(&value.via);
            (outer, problems)
        }
        None => (value.clone(), Vec::new()),
    }
}

/// Decodes a text that begins with an encoded brace.
fn percent_decoded(text: &Text, span: Span) -> Option<Text> {
    let flat = text.with_placeholders();
    if !flat.trim_start().starts_with("%7B") && !flat.trim_start().starts_with("%7b") {
        return None;
    }
    let index = TextIndex::new(text);
    let mut out = TextBuilder::new();
    let bytes = flat.as_bytes();
    let mut at = 0;
    let mut run = 0;
    while let Some(i) = memchr::memchr(b'%', &bytes[at..]) {
        at += i;
        let Some((c, len)) = character(&bytes[at..]) else {
            at += 1;
            continue;
        };
        out.append(&index.slice(run..at));
        out.unit(c.encode_utf8(&mut [0; 4]), index.span_of(at..at + len).unwrap_or(span));
        at += len;
        run = at;
    }
    out.append(&index.slice(run..bytes.len()));
    Some(out.finish(span))
}

/// The character that the escapes at the start of `bytes` are the UTF-8 of, and how long they are.
fn character(bytes: &[u8]) -> Option<(char, usize)> {
    let mut utf8 = [0u8; 4];
    for n in 0..4 {
        let [b'%', high, low] = bytes.get(n * 3..n * 3 + 3)? else {
            return None;
        };
        let digit = |b: u8| (b as char).to_digit(16);
        utf8[n] = (digit(*high)? * 16 + digit(*low)?) as u8;
        if let Ok(text) = std::str::from_utf8(&utf8[..=n]) {
            return Some((text.chars().next()?, n * 3 + 3));
        }
    }
    None
}
