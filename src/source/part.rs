//! A part of a text, looked at where it stands.

use std::borrow::Cow;
use std::ops::Range;

use super::{Hole, Piece, Span, Text};

/// The part of a [`Text`] that [`Text::slice`] would make a text of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextSlice<'t> {
    text: &'t Text,
    start: usize,
    end: usize,
}

impl Text {
    /// The part `range` (of [`Text::with_placeholders`]), which must lie on character borders.
    pub fn part(&self, range: Range<usize>) -> TextSlice<'_> {
        TextSlice {
            text: self,
            start: range.start,
            end: range.end,
        }
    }
}

impl<'t> TextSlice<'t> {
    /// The part as a text of its own.
    pub fn to_text(self) -> Text {
        self.text.slice(self.start..self.end)
    }

    /// Its characters, in a text that is one known run.
    fn known_run(self) -> Option<&'t str> {
        match self.text.pieces() {
            [Piece::Lit(l)] => l.text.get(self.start..self.end),
            _ => None,
        }
    }

    /// See [`Text::known`].
    pub fn known(self) -> Option<Cow<'t, str>> {
        match self.known_run() {
            Some(run) => Some(Cow::Borrowed(run)),
            None => self.to_text().known().map(|known| Cow::Owned(known.into_owned())),
        }
    }

    pub fn is_known(self) -> bool {
        self.known_run().is_some() || self.to_text().is_known()
    }

    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Length in bytes of [`TextSlice::with_placeholders`].
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// The single hole that is the whole part.
    pub fn as_hole(self) -> Option<&'t Hole> {
        let mut at = 0;
        self.text.pieces().iter().find_map(|piece| {
            let from = at;
            at += Text::piece_len(piece);
            match piece {
                Piece::Hole(hole) if (from, at) == (self.start, self.end) => Some(&**hole),
                _ => None,
            }
        })
    }

    /// See [`Text::with_placeholders`].
    pub fn with_placeholders(self) -> Cow<'t, str> {
        match self.known_run() {
            Some(run) => Cow::Borrowed(run),
            None => Cow::Owned(self.to_text().with_placeholders().into_owned()),
        }
    }

    /// The known characters before the first hole.
    pub fn prefix(self) -> Cow<'t, str> {
        match self.known_run() {
            Some(run) => Cow::Borrowed(run),
            None => Cow::Owned(self.to_text().prefix()),
        }
    }

    /// See [`Text::display`].
    pub fn display(self) -> String {
        match self.known_run() {
            Some(run) => run.to_owned(),
            None => self.to_text().display(),
        }
    }

    /// See [`Text::span_of`]; `range` is one of [`TextSlice::with_placeholders`].
    pub fn span_of(self, range: Range<usize>) -> Option<Span> {
        self.text.span_of(self.start + range.start..self.start + range.end)
    }

    /// What follows its first `skipped` bytes, on a character border.
    pub fn after(self, skipped: usize) -> Self {
        Self {
            start: (self.start + skipped).min(self.end),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, HoleKind};

    #[test]
    fn a_part_answers_as_its_text_would() {
        let hole = || Hole::new(HoleKind::Region, "r", Span::new(FileId(0), 4, 8));
        let mut holed = Text::verbatim("arn:", FileId(0), 0);
        holed.append(&Text::hole(hole()));
        holed.append(&Text::verbatim(":x*", FileId(0), 8));
        for text in [Text::verbatim("arn:aws:x*", FileId(0), 3), holed] {
            let len = text.len();
            for (start, end) in [(0, len), (0, 4), (4, 8), (4, len), (8, len), (len, len)] {
                let (part, slice) = (text.part(start..end), text.slice(start..end));
                assert_eq!(part.known(), slice.known(), "{text:?} {start}..{end}");
                assert_eq!(part.is_known(), slice.is_known());
                assert_eq!(part.is_empty(), slice.is_empty());
                assert_eq!(part.len(), slice.len());
                assert_eq!(part.as_hole(), slice.as_hole());
                assert_eq!(part.with_placeholders(), slice.with_placeholders());
                assert_eq!(part.prefix(), slice.prefix());
                assert_eq!(part.display(), slice.display());
                if start < end {
                    assert_eq!(part.span_of(0..end - start), slice.span_of(0..end - start));
                    assert_eq!(part.after(1).len(), end - start - 1);
                }
            }
        }
    }
}
