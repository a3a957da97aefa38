//! The text that is parsed, and where each byte of it stands in the file.

use std::borrow::Cow;
use std::ops::Range;

use crate::source::{FileId, Lit, OffsetMap, Piece, Segment, Segments, Span, Text};

/// Python source: a file as it is, the joined cells of a notebook, or a string of another language.
#[derive(Debug)]
pub struct PythonCode<'a> {
    file: FileId,
    text: Cow<'a, str>,
    /// Decoded runs, in order, where the text is not the file's.
    runs: Option<Vec<Segment>>,
}

impl<'a> PythonCode<'a> {
    pub fn plain(file: FileId, text: &'a str) -> Self {
        Self {
            file,
            text: Cow::Borrowed(text),
            runs: None,
        }
    }

    /// A string of a file, be it broken up, indented or escaped there. Holes are single characters that stand in no name.
    pub(super) fn embedded(file: FileId, text: &Text) -> PythonCode<'static> {
        let mut runs = Vec::new();
        let mut at = 0;
        for piece in text.pieces() {
            match piece {
                Piece::Lit(lit) => {
                    let here = lit.map.segments.iter().filter(|_| lit.map.file == file);
                    runs.extend(here.map(|s| Segment { at: s.at + at, ..*s }));
                    at += lit.text.len() as u32;
                }
                Piece::Hole(hole) => {
                    let len = char::MAX.len_utf8() as u32;
                    runs.push(Segment {
                        at,
                        len,
                        src: hole.span.start,
                        src_len: hole.span.end - hole.span.start,
                    });
                    at += len;
                }
            }
        }
        PythonCode::mapped(file, text.with_placeholders().into_owned(), runs)
    }

    pub(super) fn mapped(file: FileId, text: String, runs: Vec<Segment>) -> Self {
        Self {
            file,
            text: Cow::Owned(text),
            runs: Some(runs),
        }
    }

    pub fn file(&self) -> FileId {
        self.file
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or("")
    }

    /// Where `range` of the text is written.
    pub fn span(&self, range: Range<usize>) -> Span {
        match &self.runs {
            None => Span::new(self.file, range.start, range.end),
            Some(runs) => {
                let start = locate(runs, range.start, false);
                let end = if range.is_empty() {
                    start
                } else {
                    locate(runs, range.end, true)
                };
                Span::new(self.file, start, end)
            }
        }
    }

    /// Appends to `to` the runs that place `range` of the text at offset `at` of a decoded string.
    fn append_segments(&self, range: Range<usize>, at: usize, to: &mut Segments) {
        let Some(runs) = &self.runs else {
            push(to, at, range.len(), range.start, range.len());
            return;
        };
        let first = runs.partition_point(|r| (r.at + r.len) as usize <= range.start);
        for r in &runs[first..] {
            let (from, end) = (r.at as usize, (r.at + r.len) as usize);
            let (a, b) = (from.max(range.start), end.min(range.end));
            if a >= b {
                break;
            }
            let at = at + a - range.start;
            if r.len == r.src_len {
                push(to, at, b - a, r.src as usize + a - from, b - a);
            } else {
                push(to, at, b - a, r.src as usize, r.src_len as usize);
            }
        }
    }
}

fn push(to: &mut Segments, at: usize, len: usize, src: usize, src_len: usize) {
    to.push(Segment {
        at: at as u32,
        len: len as u32,
        src: src as u32,
        src_len: src_len as u32,
    });
}

fn locate(runs: &[Segment], at: usize, is_end: bool) -> usize {
    let i = if is_end {
        runs.partition_point(|r| (r.at as usize) < at)
    } else {
        runs.partition_point(|r| r.at as usize <= at)
    };
    let Some(r) = i.checked_sub(1).and_then(|i| runs.get(i)) else {
        return 0;
    };
    let inside = at - r.at as usize;
    if r.len == r.src_len {
        r.src as usize + inside.min(r.len as usize)
    } else if is_end || inside >= r.len as usize {
        (r.src + r.src_len) as usize
    } else {
        r.src as usize
    }
}

/// Builds the decoded text of one literal run.
#[derive(Debug)]
struct DecodedLiteral<'c, 'a> {
    code: &'c PythonCode<'a>,
    text: String,
    segments: Segments,
}

impl<'c, 'a> DecodedLiteral<'c, 'a> {
    fn new(code: &'c PythonCode<'a>) -> Self {
        Self {
            code,
            text: String::new(),
            segments: Segments::new(),
        }
    }

    /// Source bytes that stand for themselves.
    fn verbatim(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            let at = self.text.len();
            self.text.push_str(self.code.slice(range.clone()));
            self.code.append_segments(range, at, &mut self.segments);
        }
    }

    /// Source bytes that stand for `decoded`.
    fn escape(&mut self, range: Range<usize>, decoded: char) {
        let (at, len) = (self.text.len(), decoded.len_utf8());
        self.text.push(decoded);
        let span = self.code.span(range);
        push(&mut self.segments, at, len, span.start as usize, span.len());
    }

    fn finish(self) -> Option<Piece> {
        (!self.text.is_empty()).then(|| {
            Piece::Lit(Lit {
                text: self.text.into(),
                map: OffsetMap {
                    file: self.code.file,
                    segments: self.segments,
                },
            })
        })
    }
}

impl PythonCode<'_> {
    /// Decodes the inside of a string token: escapes unless `raw`, doubled braces when `formatted`. Python Language
    /// Reference, "String and Bytes literals".
    pub fn decode(&self, range: Range<usize>, raw: bool, formatted: bool, to: &mut Text) {
        let bytes = self.slice(range.clone()).as_bytes();
        let mut out = DecodedLiteral::new(self);
        let mut from = 0;
        let mut i = 0;
        while i < bytes.len() {
            let base = range.start;
            match bytes[i] {
                b'\\' if !raw => {
                    let Some((len, c)) = escape(&bytes[i..]) else {
                        i += 2;
                        continue;
                    };
                    out.verbatim(base + from..base + i);
                    if let Some(c) = c {
                        out.escape(base + i..base + i + len, c);
                    }
                    i += len;
                    from = i;
                }
                c @ (b'{' | b'}') if formatted && bytes.get(i + 1) == Some(&c) => {
                    out.verbatim(base + from..base + i);
                    out.escape(base + i..base + i + 2, c as char);
                    i += 2;
                    from = i;
                }
                _ => i += 1,
            }
        }
        out.verbatim(range.start + from.min(bytes.len())..range.end);
        if let Some(piece) = out.finish() {
            to.push(piece);
        }
    }
}

/// Length of the escape at the start of `b`, and the character it stands for (none for a continued line); `None` where the
/// backslash stands for itself.
fn escape(b: &[u8]) -> Option<(usize, Option<char>)> {
    let hex = |n: usize| {
        let digits = std::str::from_utf8(b.get(2..2 + n)?).ok()?;
        let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?).unwrap_or('\u{fffd}');
        Some((2 + n, Some(c)))
    };
    Some(match *b.get(1)? {
        b'\n' => (2, None),
        b'\r' if b.get(2) == Some(&b'\n') => (3, None),
        b'\\' => (2, Some('\\')),
        b'\'' => (2, Some('\'')),
        b'"' => (2, Some('"')),
        b'a' => (2, Some('\u{7}')),
        b'b' => (2, Some('\u{8}')),
        b'f' => (2, Some('\u{c}')),
        b'n' => (2, Some('\n')),
        b'r' => (2, Some('\r')),
        b't' => (2, Some('\t')),
        b'v' => (2, Some('\u{b}')),
        b'x' => return hex(2),
        b'u' => return hex(4),
        b'U' => return hex(8),
        b'0'..=b'7' => {
            let n = b[1..].iter().take(3).take_while(|c| (b'0'..=b'7').contains(c)).count();
            let code = b[1..=n].iter().fold(0u32, |v, c| v * 8 + u32::from(c - b'0'));
            (1 + n, Some(char::from_u32(code).unwrap_or('\u{fffd}')))
        }
        b'N' if b.get(2) == Some(&b'{') => {
            let n = b.iter().take(MAX_CHARACTER_NAME).position(|c| *c == b'}')?;
            let name = std::str::from_utf8(&b[3..n]).unwrap_or("");
            (n + 1, Some(character(name).unwrap_or('\u{fffd}')))
        }
        _ => return None,
    })
}

/// Longest name of a character, in bytes, with what stands around it; the longest of Unicode 16 has 88.
const MAX_CHARACTER_NAME: usize = 128;

/// The printable characters of ASCII that are no letters and no digits, by their names and aliases (Unicode Character
/// Database, `UnicodeData.txt` and `NameAliases.txt`).
const CHARACTERS: &[(&str, char)] = &[
    ("SPACE", ' '),
    ("EXCLAMATION MARK", '!'),
    ("QUOTATION MARK", '"'),
    ("NUMBER SIGN", '#'),
    ("DOLLAR SIGN", '$'),
    ("PERCENT SIGN", '%'),
    ("AMPERSAND", '&'),
    ("APOSTROPHE", '\''),
    ("LEFT PARENTHESIS", '('),
    ("RIGHT PARENTHESIS", ')'),
    ("ASTERISK", '*'),
    ("PLUS SIGN", '+'),
    ("COMMA", ','),
    ("HYPHEN-MINUS", '-'),
    ("FULL STOP", '.'),
    ("SOLIDUS", '/'),
    ("COLON", ':'),
    ("SEMICOLON", ';'),
    ("LESS-THAN SIGN", '<'),
    ("EQUALS SIGN", '='),
    ("GREATER-THAN SIGN", '>'),
    ("QUESTION MARK", '?'),
    ("COMMERCIAL AT", '@'),
    ("LEFT SQUARE BRACKET", '['),
    ("REVERSE SOLIDUS", '\\'),
    ("RIGHT SQUARE BRACKET", ']'),
    ("CIRCUMFLEX ACCENT", '^'),
    ("LOW LINE", '_'),
    ("GRAVE ACCENT", '`'),
    ("LEFT CURLY BRACKET", '{'),
    ("VERTICAL LINE", '|'),
    ("RIGHT CURLY BRACKET", '}'),
    ("TILDE", '~'),
    ("LINE FEED", '\n'),
    ("NEW LINE", '\n'),
    ("CHARACTER TABULATION", '\t'),
    ("CARRIAGE RETURN", '\r'),
];

const DIGITS: &[&str] = &[
    "ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE",
];

/// The character of ASCII with this name, in either case: what policies are made of.
fn character(name: &str) -> Option<char> {
    let name = name.to_ascii_uppercase();
    let letter = |rest: &str| match rest.as_bytes() {
        [one] if one.is_ascii_uppercase() => Some(char::from(*one)),
        _ => None,
    };
    if let Some(rest) = name.strip_prefix("LATIN CAPITAL LETTER ") {
        return letter(rest);
    }
    if let Some(rest) = name.strip_prefix("LATIN SMALL LETTER ") {
        return letter(rest).map(|c| c.to_ascii_lowercase());
    }
    if let Some(rest) = name.strip_prefix("DIGIT ") {
        let digit = (b'0'..).zip(DIGITS).find(|(_, word)| **word == rest);
        return digit.map(|(digit, _)| char::from(digit));
    }
    CHARACTERS.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}
