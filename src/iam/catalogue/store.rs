//! Reads the packed facts in place.
//!
//! **Invariant:** no allocation, but for the documents of managed policies; nothing is parsed; every number comes from
//! [`super::layout`]'s packer, which ran when the crate was built.

use std::sync::{LazyLock, OnceLock};

use super::layout::{Document, DocumentBlock, Table, WordRange};

static WORDS: &[[u8; 4]] = include_bytes!(concat!(env!("OUT_DIR"), "/facts.words")).as_chunks().0;
static STRINGS: &str = include_str!(concat!(env!("OUT_DIR"), "/facts.strings"));
static DOCUMENTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/facts.documents"));

fn word(at: usize) -> u32 {
    let word = WORDS.get(at).expect("the packer wrote as many words as it said");
    u32::from_le_bytes(*word)
}

/// The word at `index` of a section.
pub(in crate::iam) fn at(section: WordRange, index: usize) -> u32 {
    word(word(section as usize * 2) as usize + index)
}

/// How many words a section has.
pub(in crate::iam) fn len(section: WordRange) -> usize {
    word(section as usize * 2 + 1) as usize
}

pub(in crate::iam) fn rows<T: Table>() -> u32 {
    (len(T::SECTION) / T::WIDTH) as u32
}

pub(in crate::iam) fn cell<T: Table>(row: u32, column: T) -> u32 {
    at(T::SECTION, row as usize * T::WIDTH + column.column())
}

/// The string with this id.
pub(in crate::iam) fn string(id: u32) -> &'static str {
    let start = at(WordRange::StringStarts, id as usize) as usize;
    let end = at(WordRange::StringStarts, id as usize + 1) as usize;
    STRINGS.get(start..end).expect("the packer wrote whole strings")
}

/// The string in a cell.
pub(in crate::iam) fn text<T: Table>(row: u32, column: T) -> &'static str {
    string(cell(row, column))
}

/// The document in this row. The first look-up in its block unpacks the block.
pub(super) fn document(row: u32) -> &'static str {
    static BLOCKS: LazyLock<Vec<OnceLock<String>>> =
        LazyLock::new(|| (0..rows::<DocumentBlock>()).map(|_| OnceLock::new()).collect());
    let block = cell(row, Document::Block);
    let text = BLOCKS
        .get(block as usize)
        .map(|text| text.get_or_init(|| unpack(block)));
    let start = cell(row, Document::Start) as usize;
    let end = start + cell(row, Document::Length) as usize;
    text.and_then(|text| text.get(start..end))
        .expect("the packer wrote whole documents")
}

fn unpack(block: u32) -> String {
    let start = cell(block, DocumentBlock::Start) as usize;
    let end = start + cell(block, DocumentBlock::Length) as usize;
    DOCUMENTS
        .get(start..end)
        .and_then(|bytes| lz4_flex::block::decompress(bytes, cell(block, DocumentBlock::Unpacked) as usize).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .expect("the packer wrote whole blocks")
}

/// The list in a cell.
pub(in crate::iam) fn list<T: Table>(row: u32, column: T) -> List {
    list_at(cell(row, column))
}

/// The list that begins there.
pub(in crate::iam) fn list_at(start: u32) -> List {
    List {
        next: start + 1,
        left: at(WordRange::Lists, start as usize),
    }
}

/// The strings of the list in a cell.
pub(in crate::iam) fn texts<T: Table>(row: u32, column: T) -> impl ExactSizeIterator<Item = &'static str> {
    list(row, column).map(string)
}

/// The row whose key orders `Equal`, in a table that is sorted by it.
pub(in crate::iam) fn search<T: Table>(
    range: std::ops::Range<u32>,
    column: T,
    order: impl Fn(&'static str) -> std::cmp::Ordering,
) -> Option<u32> {
    let row = lower_bound(range.clone(), column, |key| order(key).is_lt());
    (row < range.end && order(text(row, column)).is_eq()).then_some(row)
}

/// The first row of the range whose key is not `less`.
pub(in crate::iam) fn lower_bound<T: Table>(
    range: std::ops::Range<u32>,
    column: T,
    less: impl Fn(&'static str) -> bool,
) -> u32 {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low.midpoint(high);
        if less(text(middle, column)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The items of a list: row numbers or string ids.
#[derive(Clone, Debug)]
pub(in crate::iam) struct List {
    next: u32,
    left: u32,
}

impl Iterator for List {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let item = at(WordRange::Lists, self.next as usize);
        self.next += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for List {}
