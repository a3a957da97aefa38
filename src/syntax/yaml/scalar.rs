//! What a scalar says, each byte knowing where it stands in the file.
//!
//! **Invariant:** the text is always granit's value; the offset map is made by walking value and source together, and
//! where the two do not fit, all of the value maps to all of the scalar.

use std::ops::Range;

use granit_parser::ScalarStyle;

use crate::source::{FileId, OffsetMap, Span, Text, TextBuilder};

use super::super::NodeKind;

/// An empty text at a place.
pub(super) fn empty(place: Span) -> Text {
    Text::mapped("", OffsetMap::verbatim(place.file, place.start as usize, 0))
}

/// The text of a scalar and the bytes it really takes: without what granit's mark of a block scalar takes of the next
/// line. The header (`|-`) of a block scalar is not part of them.
pub(super) fn text(
    file: FileId,
    src: &str,
    value: &str,
    style: ScalarStyle,
    range: Range<usize>,
) -> (Text, Range<usize>) {
    let raw = src.get(range.clone()).unwrap_or("");
    match style {
        ScalarStyle::Plain if raw == value => (Text::verbatim(value, file, range.start), range),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
            if raw.len() >= 2 && raw.get(1..raw.len() - 1) == Some(value) =>
        {
            (Text::verbatim(value, file, range.start + 1), range)
        }
        ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            let quotes = usize::from(style != ScalarStyle::Plain);
            let inner = range.start + quotes..range.end.saturating_sub(quotes).max(range.start + quotes);
            let place = Span::new(file, range.start, range.end);
            let text = flow(file, src, style, inner.clone())
                .filter(|t| t.known().as_deref() == Some(value))
                .unwrap_or_else(|| Text::synthetic(value, place));
            (text, range)
        }
        ScalarStyle::Literal | ScalarStyle::Folded => {
            // granit ends the last line of a file without a line break with one.
            let unfinished = range.end == src.len() && !src.ends_with(['\n', '\r']);
            let value = match value.strip_suffix('\n') {
                Some(value) if unfinished => value,
                _ => value,
            };
            let trimmed = range.start..range.start + raw.trim_end().len();
            let place = Span::new(file, trimmed.start, trimmed.end);
            match block(file, src, value, range.clone()) {
                Some((text, end)) => (text, range.start..end),
                None => (Text::synthetic(value, place), trimmed),
            }
        }
    }
}

/// The text of a quoted scalar as `src` has it, whatever granit made of a repaired copy.
pub(super) fn quoted(file: FileId, src: &str, style: ScalarStyle, range: Range<usize>) -> Option<Text> {
    flow(file, src, style, range.start + 1..range.end.checked_sub(1)?)
}

/// A flow scalar over several lines, or with escapes. YAML 1.2.2, section 6.5 "Line folding".
fn flow(file: FileId, src: &str, style: ScalarStyle, range: Range<usize>) -> Option<Text> {
    let bytes = src.as_bytes();
    let mut out = TextBuilder::new();
    let mut at = range.start;
    let mut run = at;
    while at < range.end {
        match bytes[at] {
            b'\n' | b'\r' => {
                let text_end = run + src.get(run..at)?.trim_end_matches([' ', '\t']).len();
                out.verbatim(src.get(run..text_end)?, file, run);
                let (next, breaks) = line_breaks(bytes, at, range.end);
                let place = Span::new(file, text_end, next);
                match breaks {
                    1 => out.unit(" ", place),
                    n => (1..n).for_each(|_| out.unit("\n", place)),
                }
                at = next;
                run = at;
            }
            b'\'' if style == ScalarStyle::SingleQuoted => {
                out.verbatim(src.get(run..at)?, file, run);
                out.unit("'", Span::new(file, at, at + 2));
                at += 2;
                run = at;
            }
            b'\\' if style == ScalarStyle::DoubleQuoted => {
                out.verbatim(src.get(run..at)?, file, run);
                if matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) {
                    let (next, breaks) = line_breaks(bytes, at + 1, range.end);
                    (1..breaks).for_each(|_| out.unit("\n", Span::new(file, at, next)));
                    at = next;
                } else {
                    let (c, len) = escape(bytes.get(at..range.end)?)?;
                    out.unit(c.encode_utf8(&mut [0; 4]), Span::new(file, at, at + len));
                    at += len;
                }
                run = at;
            }
            _ => at += 1,
        }
    }
    out.verbatim(src.get(run..range.end)?, file, run);
    Some(out.finish(Span::new(file, range.start, range.end)))
}

/// From a line break on: where the next text begins, and how many breaks lie before it.
fn line_breaks(bytes: &[u8], mut at: usize, end: usize) -> (usize, usize) {
    let mut breaks = 0;
    while at < end {
        match bytes[at] {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {
                breaks += 1;
                at += 2;
            }
            b'\n' | b'\r' => {
                breaks += 1;
                at += 1;
            }
            b' ' | b'\t' => at += 1,
            _ => break,
        }
    }
    (at, breaks)
}

/// YAML 1.2.2, section 5.7 "Escaped characters".
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let hex = |from: usize, to: usize| {
        let digits = std::str::from_utf8(bytes.get(from..to)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let c = match bytes.get(1)? {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        b' ' => ' ',
        b'"' => '"',
        b'/' => '/',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        b'x' => return Some((char::from_u32(hex(2, 4)?)?, 4)),
        b'u' => {
            let high = hex(2, 6)?;
            if let 0xD800..=0xDBFF = high
                && bytes.get(6..8) == Some(b"\\u")
                && let low @ 0xDC00..=0xDFFF = hex(8, 12)?
            {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return Some((char::from_u32(code)?, 12));
            }
            return Some((char::from_u32(high)?, 6));
        }
        b'U' => return Some((char::from_u32(hex(2, 10)?)?, 10)),
        _ => return None,
    };
    Some((c, 2))
}

/// A literal or folded block: the value's lines are the source's lines without their indentation; only what stands for
/// the breaks between them differs. Gives the text and where its last line ends.
fn block(file: FileId, src: &str, value: &str, range: Range<usize>) -> Option<(Text, usize)> {
    let bytes = src.as_bytes();
    let line_start = src.get(..range.start)?.rfind(['\n', '\r']).map_or(0, |i| i + 1);
    let indent = range.start - line_start;
    let mut out = TextBuilder::new();
    let mut left = value;
    let mut at = range.start;
    let mut end = range.start;
    // Breaks before the first line of text lie before the mark.
    while let Some(rest) = left.strip_prefix('\n') {
        out.unit("\n", Span::new(file, at, at));
        left = rest;
    }
    while !left.is_empty() {
        let eol = line_end(bytes, at);
        let line = src.get(at..eol)?;
        left = left.strip_prefix(line)?;
        out.verbatim(line, file, at);
        end = eol;
        // The breaks up to the next line that has text of its own.
        let mut breaks: Vec<Range<usize>> = Vec::new();
        let mut next = eol;
        while let Some(after) = after_break(bytes, next) {
            breaks.push(next..after);
            next = after + blanks(bytes, after, indent);
            if next < bytes.len() && !matches!(bytes[next], b'\n' | b'\r') {
                break;
            }
        }
        let newlines = left.len() - left.trim_start_matches('\n').len();
        if newlines == 0 {
            if left.is_empty() {
                break;
            }
            left = left.strip_prefix(' ')?;
            let place = breaks.first()?;
            out.unit(" ", Span::new(file, place.start, next));
        }
        for i in 0..newlines {
            let skipped = breaks.len().saturating_sub(newlines);
            let place = breaks.get(i + skipped).cloned().unwrap_or(next..next);
            match place.len() {
                1 if bytes.get(place.start) == Some(&b'\n') => out.verbatim("\n", file, place.start),
                _ => out.unit("\n", Span::new(file, place.start, place.end)),
            }
        }
        left = &left[newlines..];
        at = next;
    }
    let place = Span::new(file, range.start, range.start);
    Some((out.finish(place), end))
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    at + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())
}

fn after_break(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'\r' if bytes.get(at + 1) == Some(&b'\n') => Some(at + 2),
        b'\n' | b'\r' => Some(at + 1),
        _ => None,
    }
}

/// How many blanks there are at `at`, at most `most`.
fn blanks(bytes: &[u8], at: usize, most: usize) -> usize {
    bytes.iter().skip(at).take(most).take_while(|b| **b == b' ').count()
}

/// What an unquoted scalar is: YAML 1.2.2, section 10.3 "Core schema", as libyaml's users read it: a number with a leading
/// zero is text, and so are `yes`, `on` and dates.
pub(super) fn kind(value: &str) -> NodeKind {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => NodeKind::Bool,
        _ if is_number(value) => NodeKind::Num,
        _ => NodeKind::Str,
    }
}

fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(value, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            return !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        }
    }
    let starts = |s: &str| s.starts_with(|c: char| c.is_ascii_digit());
    let fraction = unsigned.strip_prefix('.').is_some_and(starts);
    let leading_zero = unsigned.len() > 1 && unsigned.bytes().all(|b| b.is_ascii_digit()) && unsigned.starts_with('0');
    (starts(unsigned) || fraction)
        && !leading_zero
        && unsigned
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && unsigned.parse::<f64>().is_ok()
}
