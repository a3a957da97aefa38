//! Makes a [`Text`] piece by piece, and finds places in one fast.

use std::ops::Range;
use std::sync::Arc;

use super::{FileId, Hole, Lit, OffsetMap, Piece, Segment, Segments, Span, Text};

/// Collects literal runs and holes; neighbouring runs of one file become one literal with one offset map.
#[derive(Debug, Default)]
pub struct TextBuilder {
    pieces: Vec<Piece>,
    file: Option<FileId>,
    run: String,
    segments: Segments,
}

impl TextBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// `text` as it stands in `file` from byte `src` on.
    pub fn verbatim(&mut self, text: &str, file: FileId, src: usize) {
        let (at, len, src) = (self.run.len() as u32, text.len() as u32, src as u32);
        if len == 0 {
            return;
        }
        self.enter(file);
        let at = if self.run.is_empty() { 0 } else { at };
        match self.segments.last_mut() {
            Some(last) if last.len == last.src_len && last.src + last.len == src && last.at + last.len == at => {
                last.len += len;
                last.src_len += len;
            }
            _ => self.segments.push(Segment {
                at,
                len,
                src,
                src_len: len,
            }),
        }
        self.run.push_str(text);
    }

    /// `text` that all of `span` stands for: an escape, a folded line break.
    pub fn unit(&mut self, text: &str, span: Span) {
        self.enter(span.file);
        self.segments.push(Segment {
            at: self.run.len() as u32,
            len: text.len() as u32,
            src: span.start,
            src_len: span.end - span.start,
        });
        self.run.push_str(text);
    }

    /// Appends a text that was made elsewhere.
    pub fn append(&mut self, text: &Text) {
        for piece in text.pieces() {
            match piece {
                Piece::Lit(lit) => {
                    self.enter(lit.map.file);
                    let at = self.run.len() as u32;
                    self.segments
                        .extend(lit.map.segments.iter().map(|s| Segment { at: s.at + at, ..*s }));
                    self.run.push_str(&lit.text);
                }
                Piece::Hole(hole) => {
                    self.flush();
                    self.pieces.push(Piece::Hole(hole.clone()));
                }
            }
        }
    }

    pub fn hole(&mut self, hole: Hole) {
        self.flush();
        self.pieces.push(Piece::Hole(Arc::new(hole)));
    }

    /// The text; an empty one keeps `place` as the place it stands at.
    pub fn finish(mut self, place: Span) -> Text {
        self.flush();
        if self.pieces.is_empty() {
            return Text::mapped("", OffsetMap::verbatim(place.file, place.start as usize, 0));
        }
        Text::from_pieces(self.pieces)
    }

    fn enter(&mut self, file: FileId) {
        if self.file != Some(file) {
            self.flush();
            self.file = Some(file);
        }
    }

    fn flush(&mut self) {
        if let (Some(file), false) = (self.file, self.run.is_empty()) {
            self.pieces.push(Piece::Lit(Lit {
                text: Arc::from(self.run.as_str()),
                map: OffsetMap {
                    file,
                    segments: std::mem::take(&mut self.segments),
                },
            }));
            self.run.clear();
        }
        self.segments.clear();
        self.file = None;
    }
}

/// [`Text::slice`] and [`Text::span_of`] in logarithmic time, for parsers that ask them once per token.
#[derive(Debug)]
pub struct TextIndex<'t> {
    text: &'t Text,
    /// Where each piece starts in [`Text::with_placeholders`], and the total length.
    starts: Vec<usize>,
}

impl<'t> TextIndex<'t> {
    pub fn new(text: &'t Text) -> Self {
        let mut at = 0;
        let mut starts = Vec::with_capacity(text.pieces().len() + 1);
        for piece in text.pieces() {
            starts.push(at);
            at += Text::piece_len(piece);
        }
        starts.push(at);
        Self { text, starts }
    }

    /// See [`Text::span_of`].
    pub fn span_of(&self, range: Range<usize>) -> Option<Span> {
        let (pieces, base) = self.window(&range);
        let whole = range.start.checked_sub(base)?..range.end.checked_sub(base)?;
        Text::span_in(pieces, whole)
    }

    /// See [`Text::slice`].
    pub fn slice(&self, range: Range<usize>) -> Text {
        let (pieces, base) = self.window(&range);
        Text::slice_in(pieces, range.start.saturating_sub(base)..range.end.saturating_sub(base))
    }

    /// The pieces that `range` touches and where the first of them starts.
    fn window(&self, range: &Range<usize>) -> (&'t [Piece], usize) {
        let pieces = self.text.pieces();
        let last = pieces.len();
        // An empty range at a border may belong to the piece before.
        let from = self.starts[..last]
            .partition_point(|s| *s < range.start.max(1))
            .saturating_sub(1);
        let to = self.starts[..last]
            .partition_point(|s| *s <= range.end)
            .max(from)
            .min(last);
        (
            pieces.get(from..to).unwrap_or(&[]),
            self.starts.get(from).copied().unwrap_or(0),
        )
    }
}
