//! `primaryLocationLineHash` as GitHub's uploader computes it: a rolling hash over 100 characters from the start of a
//! line, blanks and tabs left out, each kind of line end one line feed; then how often that hash was met.

use std::collections::BTreeMap;

const BLOCK: usize = 100;
const MOD: u64 = 37;
const TAB: u64 = 9;
const LF: u64 = 10;
const CR: u64 = 13;
const SPACE: u64 = 32;
const EOF: u64 = 65_535;

/// The hashes of the 1-based `lines` of `text`.
pub(super) fn line_hashes(text: &str, lines: &[usize]) -> BTreeMap<usize, String> {
    let mut hash = Hash::new(lines.iter().map(|l| (*l, String::new())).collect());
    for unit in text.encode_utf16() {
        hash.character(u64::from(unit));
    }
    hash.character(EOF);
    for _ in 0..BLOCK {
        hash.output();
        hash.update(0);
    }
    hash.wanted
}

struct Hash {
    window: [u64; BLOCK],
    /// The line that starts at this place of the window; 0 for none.
    starts: [usize; BLOCK],
    raw: u64,
    first_mod: u64,
    index: usize,
    line: usize,
    line_start: bool,
    after_cr: bool,
    counts: BTreeMap<u64, usize>,
    wanted: BTreeMap<usize, String>,
}

impl Hash {
    fn new(wanted: BTreeMap<usize, String>) -> Self {
        Self {
            window: [0; BLOCK],
            starts: [0; BLOCK],
            raw: 0,
            first_mod: (0..BLOCK).fold(1, |m: u64, _| m.wrapping_mul(MOD)),
            index: 0,
            line: 0,
            line_start: true,
            after_cr: false,
            counts: BTreeMap::new(),
            wanted,
        }
    }

    fn output(&mut self) {
        let line = std::mem::take(&mut self.starts[self.index]);
        if line == 0 {
            return;
        }
        let count = self.counts.entry(self.raw).or_default();
        *count += 1;
        if let Some(slot) = self.wanted.get_mut(&line) {
            *slot = format!("{:x}:{count}", self.raw);
        }
    }

    fn update(&mut self, current: u64) {
        let begin = std::mem::replace(&mut self.window[self.index], current);
        self.raw = MOD
            .wrapping_mul(self.raw)
            .wrapping_add(current)
            .wrapping_sub(self.first_mod.wrapping_mul(begin));
        self.index = (self.index + 1) % BLOCK;
    }

    fn character(&mut self, current: u64) {
        let after_cr = std::mem::replace(&mut self.after_cr, current == CR);
        if current == SPACE || current == TAB || (after_cr && current == LF) {
            self.after_cr = false;
            return;
        }
        let current = if current == CR { LF } else { current };
        self.output();
        if std::mem::take(&mut self.line_start) {
            self.line += 1;
            self.starts[self.index] = self.line;
        }
        self.line_start = current == LF;
        self.update(current);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, n: usize) -> Vec<String> {
        let lines: Vec<usize> = (1..=n).collect();
        line_hashes(text, &lines).into_values().collect()
    }

    /// Vectors of the tests of GitHub's uploader.
    #[test]
    fn hashes_are_githubs() {
        assert_eq!(all("", 1), ["c129715d7a2bc9a3:1"]);
        let four = [
            "271789c17abda88f:1",
            "54703d4cd895b18:1",
            "180aee12dab6264:1",
            "a23a3dc5e078b07b:1",
        ];
        for text in [" a\nb\n  \t\tc\n d", " a\rb\r  \t\tc\r d", " a\r\nb\r\n  \t\tc\r\n d"] {
            assert_eq!(all(text, 4), four, "{text:?}");
        }
        assert_eq!(
            all(" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End", 6),
            [
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1",
            ]
        );
    }

    #[test]
    fn equal_lines_are_counted() {
        let hashes = all("x\nx\n", 2);
        assert_eq!(hashes.len(), 2);
        assert_ne!(hashes[0], hashes[1]);
    }
}
