//! Bytes to text, keeping offsets.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::sealed::seal_of;
use crate::secrets;
use crate::unjudged::Seal;

/// What reading one file gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    /// UTF-16, as the UTF-8 that stands for it.
    Converted(String),
    /// Not UTF-8; each offending byte became a `?`, so that offsets stay true.
    Repaired(String),
    Binary,
    /// Encrypted, or not here.
    Sealed(Seal),
    /// Larger than the cap; its size, and whether words of a policy stand in it.
    TooLarge(u64, bool),
}

/// Words of which one stands in every file with a policy.
const POLICY_WORDS: [&str; 8] = [
    "Statement",
    "statement",
    "2012-10-17",
    "AWS::",
    "aws_iam",
    "boto3",
    "PolicyDocument",
    "aws_s3_bucket_policy",
];
/// Of a file that is too large so much is looked through for them.
const MAX_LOOK: u64 = 1 << 30;
/// Bytes that are looked through at a time.
const CHUNK: usize = 1 << 20;

/// Opens a regular file. Pipes and devices would wait, or never end.
fn open_regular_file(path: &Path) -> io::Result<(File, u64)> {
    let special = || io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
    if !std::fs::metadata(path)?.is_file() {
        return Err(special());
    }
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() {
        Ok((file, meta.len()))
    } else {
        Err(special())
    }
}

/// The text of a regular file of at most `cap` bytes: settings, patterns, baselines.
pub fn text(path: &Path, cap: u64) -> io::Result<String> {
    let (file, size) = open_regular_file(path)?;
    let mut text = String::new();
    if size <= cap {
        file.take(cap.saturating_add(1)).read_to_string(&mut text)?;
    }
    if size > cap || text.len() as u64 > cap {
        return Err(too_large(cap));
    }
    Ok(text)
}

pub(super) fn too_large(cap: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {cap} bytes"))
}

/// Whether words of a policy stand in the file; taken for granted of what is not looked through.
fn mentions_policy(mut file: impl Read) -> bool {
    let Ok(words) = aho_corasick::AhoCorasick::new(POLICY_WORDS) else {
        return true;
    };
    let longest = POLICY_WORDS.iter().map(|w| w.len()).max().unwrap_or(0);
    let mut buffer = Vec::with_capacity(CHUNK + longest);
    let mut looked = 0u64;
    loop {
        let kept = buffer.len().min(longest);
        buffer.drain(..buffer.len() - kept);
        match file.by_ref().take(CHUNK as u64).read_to_end(&mut buffer) {
            Ok(0) => return false,
            Ok(n) => looked += n as u64,
            Err(_) => return true,
        }
        if words.is_match(&buffer) || looked > MAX_LOOK {
            return true;
        }
    }
}

/// Reads a file of at most `cap` bytes.
pub(super) fn read(path: &Path, cap: u64) -> io::Result<Content> {
    let (file, size) = open_regular_file(path)?;
    content(file, size, cap)
}

/// Reads at most `cap` bytes of what says that it has `size` bytes.
pub(super) fn content(mut file: impl Read, size: u64, cap: u64) -> io::Result<Content> {
    if size > cap {
        let mut head = Vec::new();
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        return Ok(if is_binary(&head) {
            Content::Binary
        } else {
            Content::TooLarge(size, mentions_policy(head.as_slice().chain(file)))
        });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    // One byte past the cap tells a file that grew or lied about its size.
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(classify_content(bytes, cap))
}

/// What at most `cap` bytes, and one that shows that there are more, hold.
pub(super) fn classify_content(bytes: Vec<u8>, cap: u64) -> Content {
    match bytes.len() as u64 > cap {
        true => Content::TooLarge(bytes.len() as u64, true),
        false => decode(bytes),
    }
}

/// UTF-8, or UTF-16 (then offsets are those of the UTF-8 text); else repaired.
fn decode(bytes: Vec<u8>) -> Content {
    if let Some(seal) = seal_of(&bytes) {
        return Content::Sealed(seal);
    }
    if let Some(text) = utf16(&bytes) {
        return Content::Converted(text);
    }
    let binary = is_binary(&bytes);
    let text = match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text),
        Err(e) => Content::Repaired(replace_invalid_bytes(e.as_bytes())),
    };
    match text {
        // A few bytes that are not text do not hide what is next to them.
        Content::Text(t) | Content::Repaired(t) if binary && !secrets::has_secrets(&t) => Content::Binary,
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

/// The text with a `?` in place of each byte that is not UTF-8.
fn replace_invalid_bytes(bytes: &[u8]) -> String {
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
        let Content::Repaired(text) = decode(b"caf\xe9 = \"x\"".to_vec()) else {
            panic!("expected fixed text");
        };
        assert_eq!(text, r#"caf? = "x""#);
    }

    #[test]
    fn utf16_is_read_and_binaries_are_not() {
        let mut bytes = vec![0xFF, 0xFE];
        bytes.extend(r#"{"a": 1}"#.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(decode(bytes), Content::Converted(r#"{"a": 1}"#.to_owned()));
        let bytes: Vec<u8> = r#"{"a": 1}"#.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(bytes), Content::Converted(r#"{"a": 1}"#.to_owned()));
        assert_eq!(decode(b"\x7fELF\0\0\0\xff".to_vec()), Content::Binary);
    }

    #[test]
    fn a_key_among_bytes_that_are_not_text_is_read() {
        let id = ["AKIA", "4QZ7W2", "MXK5T3", "HVBN"].concat();
        let bytes = [b"\0\0\0\xff".as_slice(), id.as_bytes(), b"\0\0"].concat();
        assert!(matches!(decode(bytes), Content::Repaired(text) if text.contains(&id)));
    }
}
