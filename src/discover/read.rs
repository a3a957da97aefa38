//! Bytes to text, keeping offsets.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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
        return Ok(Content::TooLarge(meta.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    // One byte past the cap tells a file that grew or lied about its size.
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Ok(Content::TooLarge(bytes.len() as u64));
    }
    Ok(decode(bytes))
}

/// UTF-8, or UTF-16 with a byte order mark (then offsets are those of the UTF-8 text); else mended.
pub(super) fn decode(bytes: Vec<u8>) -> Content {
    if let Some(text) = utf16(&bytes) {
        return Content::Text(text);
    }
    let head = bytes.get(..bytes.len().min(8192)).unwrap_or_default();
    let binary = memchr::memchr(0, head).is_some();
    match String::from_utf8(bytes) {
        Ok(text) if binary && text.bytes().filter(|&b| b == 0).count() * 100 > text.len() => Content::Binary,
        Ok(text) => Content::Text(text),
        Err(_) if binary => Content::Binary,
        Err(e) => Content::Mended(mend(e.as_bytes())),
    }
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
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = bytes.get(2..)?.chunks_exact(2).map(|b| unit([b[0], b[1]]));
    Some(
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
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
        assert_eq!(decode(b"\x7fELF\0\0\0\xff".to_vec()), Content::Binary);
    }
}
