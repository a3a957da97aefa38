//! What the pages for browsers share: each is one file that loads nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::source::one_line;

/// Colors of both schemes, as custom properties.
pub(super) const PALETTE: &str = include_str!("palette.css");

/// `template` with a text in the place of each mark. The marks stand there once, in this order; no text is searched for marks.
pub(super) fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let size = parts.iter().map(|(_, text)| text.len()).sum::<usize>();
    let mut out = String::with_capacity(template.len() + size);
    let mut rest = template;
    for (mark, text) in parts {
        let Some((before, after)) = rest.split_once(mark) else {
            continue;
        };
        out.push_str(before);
        out.push_str(text);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The content security policy of a page with this style and this script, and nothing else.
pub(super) fn content_policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

/// A text as the content, or the value of an attribute, of HTML and SVG.
pub(super) fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// [`markup`] of a text that may hold anything, on one line.
pub(super) fn markup_line(text: &str) -> String {
    markup(&one_line(text))
}

/// [`markup_line`], with what stands between back-ticks as code.
pub(super) fn markup_prose(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::with_capacity(text.len());
    for (i, part) in parts.iter().enumerate() {
        // Code has a back-tick on both sides; a last one alone opens nothing.
        match (i % 2 == 1, i + 1 < parts.len()) {
            (true, true) if part.is_empty() => out.push_str("``"),
            (true, true) => out.extend(["<code>", &markup(part), "</code>"]),
            (true, false) => out.extend(["`", &markup(part)]),
            (false, _) => out.push_str(&markup(part)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{filled, markup_prose};

    #[test]
    fn code_stands_between_back_ticks() {
        for (text, expected) in [
            ("`s3:*` on `<*>`", "<code>s3:*</code> on <code>&lt;*&gt;</code>"),
            ("one ` alone", "one ` alone"),
            ("`` none", "`` none"),
            ("a\n<b>", "a\u{fffd}&lt;b&gt;"),
        ] {
            assert_eq!(markup_prose(text), expected);
        }
    }

    #[test]
    fn a_text_is_not_searched_for_marks() {
        assert_eq!(filled("<1>-<2>", &[("<1>", "<2>"), ("<2>", "b")]), "<2>-b");
    }
}
