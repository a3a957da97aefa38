//! Base64 in a text: what it encodes, and which of its characters encode which bytes.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use super::shape::is_base64;

/// Lines of wrapped base64 have at least this many characters.
const SHORTEST_LINE: usize = 48;

/// Larger runs are not decoded, in bytes. User data has at most 16 KiB and a Kubernetes Secret 1 MiB.
const LONGEST: usize = 2 << 20;

/// Base64 that was decoded.
pub(super) struct DecodedBase64 {
    pub(super) text: String,
    /// The places of the characters of base64, without line breaks.
    at: Vec<usize>,
}

impl DecodedBase64 {
    /// The characters that encode these bytes of the text.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        let first = range.start * 4 / 3;
        let last = (range.end * 4).div_ceil(3).max(first + 1);
        let end = self.at.len();
        let place = |i: usize| self.at.get(i.min(end.saturating_sub(1))).copied().unwrap_or_default();
        place(first)..place(last - 1) + 1
    }
}

/// Decodes the run of base64 around `hit`, which may be wrapped to lines: its text, where it is one, and the end of the run in
/// `bytes`. No other hit before that end gives anything else.
pub(super) fn decode_around(bytes: &[u8], hit: Range<usize>) -> (Option<DecodedBase64>, usize) {
    let mut start = hit.start;
    loop {
        while start > 0 && is_base64(bytes[start - 1]) {
            start -= 1;
            if hit.start - start > LONGEST {
                let rest = bytes[hit.start..].iter().take_while(|b| is_base64(**b)).count();
                return (None, hit.start + rest);
            }
        }
        // The line before, if it is base64 to its end and long.
        let blanks = bytes[..start]
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        let end = start - blanks;
        let broken = bytes[end..start].contains(&b'\n');
        let before = bytes[..end]
            .iter()
            .rev()
            .take_while(|b| is_base64(**b))
            .take(SHORTEST_LINE)
            .count();
        if !broken || before < SHORTEST_LINE || blanks > 64 {
            break;
        }
        start = end;
    }
    decode(bytes, start)
}

/// Decodes the base64 that starts at `start`, and says where it ends.
fn decode(bytes: &[u8], start: usize) -> (Option<DecodedBase64>, usize) {
    let mut at: Vec<usize> = Vec::new();
    let mut next = start;
    let mut line = start;
    while at.len() < LONGEST {
        match bytes.get(next) {
            Some(b) if is_base64(*b) => {
                at.push(next);
                next += 1;
            }
            // The last line may be short.
            Some(b'\n' | b'\r') if next - line >= SHORTEST_LINE => {
                let blanks = bytes[next..]
                    .iter()
                    .take(64)
                    .take_while(|b| b.is_ascii_whitespace())
                    .count();
                next += blanks;
                line = next;
            }
            _ => break,
        }
    }
    let end = at.last().map_or(start, |at| at + 1);
    at.truncate(at.len() - usize::from(at.len() % 4 == 1));
    (text_of(bytes, at), end)
}

/// The text that the characters of base64 at these places encode.
fn text_of(bytes: &[u8], at: Vec<usize>) -> Option<DecodedBase64> {
    let compact: Vec<u8> = at.iter().map(|i| bytes[*i]).collect();
    // What follows the last whole byte may be anything: the run may be cut off.
    let engine = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
    let decoded = engine.decode(compact).ok()?;
    let text = match String::from_utf8(decoded) {
        Ok(text) => text,
        // A short line below may be no base64 at all.
        Err(e) => {
            let valid = e.utf8_error().valid_up_to();
            let mut bytes = e.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).ok()?
        }
    };
    (text.len() >= 12).then_some(DecodedBase64 { text, at })
}

/// The text that all of `base64` encodes, line breaks aside.
pub fn decoded(base64: &str) -> Option<String> {
    let compact: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let body = compact.trim_end_matches('=');
    if body.len() < 24 || !body.bytes().all(is_base64) {
        return None;
    }
    let engine = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
    String::from_utf8(engine.decode(body).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose;

    #[test]
    fn bytes_are_found_in_the_base64() {
        let script = "#!/bin/sh\nexport A=0123456789\n";
        let text = format!("data: {}", general_purpose::STANDARD.encode(script));
        let found = decode_around(text.as_bytes(), 6..10).0.unwrap();
        assert_eq!(found.text, script);
        assert_eq!(found.source(0..3), 6..10);
        assert_eq!(found.source(3..6), 10..14);
        assert_eq!(found.source(4..5), 11..13);
    }

    #[test]
    fn wrapped_base64_is_one() {
        let long = "#!/bin/sh\n".repeat(12);
        let encoded = general_purpose::STANDARD.encode(&long);
        let lines: Vec<&str> = (0..encoded.len())
            .step_by(60)
            .map(|i| &encoded[i..(i + 60).min(encoded.len())])
            .collect();
        let text = format!("data: |\n  {}\n", lines.join("\n  "));
        let hit = text.find(lines[1]).unwrap();
        assert_eq!(decode_around(text.as_bytes(), hit..hit + 4).0.unwrap().text, long);
    }
}
