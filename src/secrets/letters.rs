//! Letters of a secret as files write them: plain, or escaped for JSON, for a URL, or for XML.

use std::ops::Range;

use super::shape::is_base64;

/// The base64 letter that is written at `at`, and in how many bytes: `/`, `\/`, `\u002f`, `\x2f`, `%2F`, `%252F`, `&#x2F;`, `&#47;`.
/// A JSON document inside a string doubles its backslashes.
pub(super) fn letter(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let first = *bytes.get(at)?;
    let rest = &bytes[at..];
    let found = match first {
        b'\\' => {
            let slashes = rest.iter().take(5).take_while(|b| **b == b'\\').count();
            match rest.get(slashes)? {
                b'/' => (b'/', slashes + 1),
                b'u' if slashes < 4 => (hex(rest, slashes + 1, 4)?, slashes + 5),
                b'x' if slashes < 4 => (hex(rest, slashes + 1, 2)?, slashes + 3),
                _ => return None,
            }
        }
        b'%' if rest.starts_with(b"%25") => (hex(rest, 3, 2)?, 5),
        b'%' => (hex(rest, 1, 2)?, 3),
        b'&' if rest.starts_with(b"&#") => {
            let end = rest.iter().take(8).position(|b| *b == b';')?;
            let (digits, radix) = match rest.get(2..end)? {
                [b'x' | b'X', digits @ ..] => (digits, 16),
                digits => (digits, 10),
            };
            (
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?,
                end + 1,
            )
        }
        b => (b, 1),
    };
    is_base64(found.0).then_some(found)
}

/// The value of `len` hexadecimal digits.
fn hex(bytes: &[u8], at: usize, len: usize) -> Option<u8> {
    let digits = std::str::from_utf8(bytes.get(at..at + len)?).ok()?;
    let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
    u8::try_from(u32::from_str_radix(digits, 16).ok().filter(|_| plain)?).ok()
}

/// Where the run of at most `most` letters from `at` on ends, and how many letters it has.
pub(super) fn run(bytes: &[u8], at: usize, most: usize) -> (usize, usize) {
    let (mut end, mut count) = (at, 0);
    while count < most
        && let Some((_, len)) = letter(bytes, end)
    {
        end += len;
        count += 1;
    }
    (end, count)
}

/// The letters of a run without their escapes.
pub(super) fn plain(bytes: &[u8], range: Range<usize>) -> String {
    let mut out = String::with_capacity(range.len());
    let mut at = range.start;
    while at < range.end
        && let Some((b, len)) = letter(bytes, at)
    {
        out.push(char::from(b));
        at += len;
    }
    out
}

/// A secret without the escapes of the file that it is written in.
pub fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        let (b, len) = letter(bytes, at).unwrap_or((*b, 1));
        out.push(b);
        at += len;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_what_its_escape_stands_for() {
        for (text, expected) in [
            ("a", Some((b'a', 1))),
            ("/x", Some((b'/', 1))),
            ("\\/x", Some((b'/', 2))),
            ("\\\\/x", Some((b'/', 3))),
            ("\\u002Fx", Some((b'/', 6))),
            ("\\\\u002bx", Some((b'+', 7))),
            ("\\x2fx", Some((b'/', 4))),
            ("%2Fx", Some((b'/', 3))),
            ("%252bx", Some((b'+', 5))),
            ("&#x2F;x", Some((b'/', 6))),
            ("&#47;x", Some((b'/', 5))),
            ("%3D", None),
            ("%zz", None),
            ("\\n", None),
            ("\"", None),
            ("&amp;", None),
            ("\\", None),
            ("", None),
        ] {
            assert_eq!(letter(text.as_bytes(), 0), expected, "{text}");
        }
    }

    #[test]
    fn escapes_are_one_letter_of_a_run() {
        let text = b"ab\\/c%2Bd\"e";
        assert_eq!(run(text, 0, 64), (9, 6));
        assert_eq!(plain(text, 0..9), "ab/c+d");
    }
}
