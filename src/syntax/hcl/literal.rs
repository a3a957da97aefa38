//! The literal parts of templates, decoded.

use crate::source::{FileId, Lit, OffsetMap, Piece, Segment, Segments, Text};

/// Decoded text in the making: literal bytes with the places they come from.
pub(super) struct LiteralBuilder {
    text: String,
    segments: Segments,
}

impl LiteralBuilder {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            segments: Segments::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Bytes that stand in the file as they are.
    pub(super) fn run(&mut self, text: &str, src: usize) {
        if text.is_empty() {
            return;
        }
        let (at, len) = (self.text.len() as u32, text.len() as u32);
        self.text.push_str(text);
        if let Some(last) = self.segments.last_mut()
            && last.len == last.src_len
            && last.src + last.src_len == src as u32
        {
            last.len += len;
            last.src_len += len;
            return;
        }
        self.segments.push(Segment {
            at,
            len,
            src: src as u32,
            src_len: len,
        });
    }

    /// One escape: all of `text` comes from `src_len` bytes at `src`.
    pub(super) fn unit(&mut self, text: &str, src: usize, src_len: usize) {
        self.segments.push(Segment {
            at: self.text.len() as u32,
            len: text.len() as u32,
            src: src as u32,
            src_len: src_len as u32,
        });
        self.text.push_str(text);
    }

    /// The text without blanks at its end (`~` before an interpolation), which reach no further than the last line.
    pub(super) fn trim_end(&mut self) {
        let before = self.text.strip_suffix('\n').unwrap_or(&self.text);
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let len = line + self.text[line..].trim_end().len();
        self.text.truncate(len);
        while let Some(last) = self.segments.last_mut() {
            if last.at as usize >= len {
                self.segments.pop();
                continue;
            }
            let over = (last.at + last.len).saturating_sub(len as u32);
            if last.len == last.src_len {
                last.src_len -= over;
            }
            last.len -= over;
            break;
        }
    }

    pub(super) fn into_text(self, file: FileId) -> Text {
        let map = OffsetMap {
            file,
            segments: self.segments,
        };
        Text::from_pieces([Piece::Lit(Lit {
            text: self.text.into(),
            map,
        })])
    }
}
