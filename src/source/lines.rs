//! Byte offsets to lines and columns.

/// A place for people: both 1-based, `column` in Unicode code points, `offset` in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
    pub offset: usize,
}

/// The line starts of one text. Lines end at `\n`, `\r\n` or a lone `\r`.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    /// Code points before each block of [`BLOCK`] bytes, so that a column in a line of megabytes costs one block; empty
    /// for ASCII, where bytes are code points.
    blocks: Vec<u32>,
}

/// Bytes.
const BLOCK: usize = 1024;

impl LineIndex {
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for i in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let crlf = bytes[i] == b'\r' && bytes.get(i + 1) == Some(&b'\n');
            if !crlf {
                starts.push(u32::try_from(i + 1).unwrap_or(u32::MAX));
            }
        }
        let mut blocks = Vec::new();
        if !text.is_ascii() {
            let mut before = 0;
            for block in bytes.chunks(BLOCK) {
                blocks.push(before);
                before += code_points(block);
            }
        }
        Self { starts, blocks }
    }

    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// 1-based line that holds the byte `offset`.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&s| s as usize <= offset)
    }

    /// Byte offset at which the 1-based `line` starts; the last line's start for a line past the end.
    pub fn start_of(&self, line: usize) -> usize {
        let i = line.clamp(1, self.starts.len()) - 1;
        self.starts[i] as usize
    }

    /// Line and column of the byte `offset` in `text`, the text this index was made from. A byte order mark at the start
    /// of the file takes no column.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line(offset);
        let start = self.start_of(line);
        let marked = usize::from(start == 0 && text[..offset].starts_with('\u{feff}'));
        Position {
            line,
            column: self.code_points_before(text, offset) - self.code_points_before(text, start) - marked + 1,
            offset,
        }
    }

    fn code_points_before(&self, text: &str, offset: usize) -> usize {
        if self.blocks.is_empty() {
            return offset;
        }
        let block = (offset / BLOCK).min(self.blocks.len() - 1);
        (self.blocks[block] + code_points(&text.as_bytes()[block * BLOCK..offset])) as usize
    }
}

/// Code points that start in these bytes of UTF-8.
fn code_points(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|b| *b & 0xc0 != 0x80).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_code_points_however_long_the_line() {
        let text = format!("\u{feff}a\n{}x", "aé€😀".repeat(700));
        let index = LineIndex::new(&text);
        let start = index.start_of(2);
        for (n, (i, _)) in text[start..].char_indices().enumerate() {
            let at = index.position(&text, start + i);
            assert_eq!((at.line, at.column), (2, n + 1));
        }
        assert_eq!(index.position(&text, 3).column, 1);
        assert_eq!(index.position(&text, 4).column, 2);
        // A byte order mark has no column of its own.
        assert_eq!(index.position(&text, 0).column, 1);
    }
}
