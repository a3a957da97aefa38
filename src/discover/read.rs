//! Bytes to text, keeping offsets.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::secrets;

/// What reading one file gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    /// Not UTF-8; each offending byte became a `?`, so that offsets stay true.
    Mended(String),
    Binary,
    /// Larger than the cap; its size.
    TooLarge(u64),
}

/// Reads a file of at most `cap` bytes.
pub(super) fn read(path: &Path, cap: u64) -> io::Result<Content> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.len() > cap {
        let mut head = Vec::new();
        file.take(HEAD as u64).read_to_end(&mut head)?;
        return Ok(if is_binary(&head) {
            Content::Binary
        } else {
            Content::TooLarge(meta.len())
        });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    // One byte past the cap tells a file that grew or lied about its size.
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Ok(Content::TooLarge(bytes.len() as u64));
    }
    Ok(decode(bytes))
}

/// UTF-8, or UTF-16 (then offsets are those of the UTF-8 text); else mended.
pub(super) fn decode(bytes: Vec<u8>) -> Content {
    if let Some(text) = utf16(&bytes) {
        return Content::Text(text);
    }
    let binary = is_binary(&bytes);
    let text = match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text),
        Err(e) => Content::Mended(mend(e.as_bytes())),
    };
    match text {
        // A few bytes that are not text do not hide what is next to them.
        Content::Text(t) | Content::Mended(t) if binary && !secrets::has_secrets(&t) => Content::Binary,
        text => text,
    }
}

/// How much of a file is looked at to tell whether it is text, in bytes.
const HEAD: usize = 8192;

/// Whether more than one byte in a hundred is NUL at the start of a file.
fn is_binary(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(HEAD)).unwrap_or_default();
    memchr::memchr_iter(0, head).count() * 100 > head.len()
}

fn mend(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    out
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let (unit, mark): (fn([u8; 2]) -> u16, usize) = match bytes {
        [0xFF, 0xFE, ..] => (u16::from_le_bytes, 2),
        [0xFE, 0xFF, ..] => (u16::from_be_bytes, 2),
        // Without a mark: four characters of ASCII, each with a NUL.
        [a, 0, b, 0, c, 0, d, 0, ..] if [a, b, c, d].iter().all(|b| is_ascii_text(**b)) => (u16::from_le_bytes, 0),
        [0, a, 0, b, 0, c, 0, d, ..] if [a, b, c, d].iter().all(|b| is_ascii_text(**b)) => (u16::from_be_bytes, 0),
        _ => return None,
    };
    let units = bytes.get(mark..)?.chunks_exact(2).map(|b| unit([b[0], b[1]]));
    Some(
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}

fn is_ascii_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_bytes_keep_their_place() {
        let Content::Mended(text) = decode(b"caf\xe9 = \"x\"".to_vec()) else {
            panic!("expected mended text");
        };
        assert_eq!(text, "caf? = \"x\"");
    }

    #[test]
    fn utf16_is_read_and_binaries_are_not() {
        let mut bytes = vec![0xFF, 0xFE];
        bytes.extend("{\"a\": 1}".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(decode(bytes), Content::Text("{\"a\": 1}".to_owned()));
        let bytes: Vec<u8> = "{\"a\": 1}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(bytes), Content::Text("{\"a\": 1}".to_owned()));
        assert_eq!(decode(b"\x7fELF\0\0\0\xff".to_vec()), Content::Binary);
    }

    #[test]
    fn a_key_among_bytes_that_are_not_text_is_read() {
        let id = ["AKIA", "4QZ7W2", "MXK5T3", "HVBN"].concat();
        let bytes = [b"\0\0\0\xff".as_slice(), id.as_bytes(), b"\0\0"].concat();
        assert!(matches!(decode(bytes), Content::Mended(text) if text.contains(&id)));
    }
}
