//! Places as the protocol has them: lines from 0, and characters in the units that the client and the server agreed on.

use std::ops::Range as ByteRange;
use std::sync::Arc;

use lsp_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent};

use crate::source::LineIndex;

/// What a character of a [`Position`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Units {
    /// Bytes of UTF-8.
    Utf8,
    /// Units of UTF-16: what every client knows.
    #[default]
    Utf16,
}

impl Units {
    /// UTF-8 if the client offers it.
    pub(super) fn of_client(offered: Option<&[PositionEncodingKind]>) -> Self {
        match offered.is_some_and(|all| all.contains(&PositionEncodingKind::UTF8)) {
            true => Self::Utf8,
            false => Self::Utf16,
        }
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn count(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
        }
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A text with its lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    index: &'t LineIndex,
    units: Units,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str, index: &'t LineIndex, units: Units) -> Self {
        Self { text, index, units }
    }

    pub(super) fn position(self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.index.line(offset);
        let start = self.index.start_of(line);
        Position::new(number(line - 1), number(self.units.count(&self.text[start..offset])))
    }

    pub(super) fn range(self, range: ByteRange<usize>) -> Range {
        Range::new(self.position(range.start), self.position(range.end))
    }

    /// The byte at a position: the end of the line for a character after it, the end of the text for a line after it.
    pub(super) fn offset(self, position: Position) -> usize {
        let line = position.line as usize;
        if line >= self.index.count() {
            return self.text.len();
        }
        let start = self.index.start_of(line + 1);
        let rest = &self.text[start..];
        let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
        let rest = &rest[..end];
        let wanted = position.character as usize;
        match self.units {
            Units::Utf8 => start + rest.floor_char_boundary(wanted.min(rest.len())),
            Units::Utf16 => {
                let mut before = 0;
                let found = rest.char_indices().find(|(_, c)| {
                    let is_here = before >= wanted || before + c.len_utf16() > wanted;
                    before += c.len_utf16();
                    is_here
                });
                start + found.map_or(rest.len(), |(at, _)| at)
            }
        }
    }
}

/// The text after changes, each of which is of the text after the one before.
pub(super) fn changed(text: &Arc<str>, changes: Vec<TextDocumentContentChangeEvent>, units: Units) -> Arc<str> {
    let mut out = text.to_string();
    for change in changes {
        let Some(range) = change.range else {
            out = change.text;
            continue;
        };
        let index = LineIndex::new(&out);
        let lines = Lines::new(&out, &index, units);
        let (start, end) = (lines.offset(range.start), lines.offset(range.end));
        out.replace_range(start.min(end)..end.max(start), &change.text);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_lead_back_to_their_bytes() {
        let text = "a\u{1f600}b\r\né\rx\n";
        let index = LineIndex::new(text);
        for units in [Units::Utf8, Units::Utf16] {
            let lines = Lines::new(text, &index, units);
            for (at, c) in text.char_indices().filter(|(_, c)| !matches!(c, '\r' | '\n')) {
                assert_eq!(lines.offset(lines.position(at)), at, "{units:?} {c:?}");
            }
            assert_eq!(lines.offset(Position::new(0, 99)), text.find('\r').unwrap());
            assert_eq!(lines.offset(Position::new(99, 0)), text.len());
        }
        let utf16 = Lines::new(text, &index, Units::Utf16);
        assert_eq!(utf16.position(5), Position::new(0, 3));
        // A place between the halves of a pair is the place of the pair.
        assert_eq!(utf16.offset(Position::new(0, 2)), 1);
    }

    #[test]
    fn changes_follow_one_another() {
        let change = |line, from, to, text: &str| TextDocumentContentChangeEvent {
            range: Some(Range::new(Position::new(line, from), Position::new(line, to))),
            range_length: None,
            text: text.to_owned(),
        };
        let before: Arc<str> = "one\ntwo\n".into();
        let after = changed(
            &before,
            vec![change(0, 0, 3, "1\n1"), change(2, 1, 2, "")],
            Units::Utf16,
        );
        assert_eq!(&*after, "1\n1\nto\n");
    }
}
