//! What must not be in the file: e-mail addresses and access keys.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

/// Bytes of a text in the file.
const MOST_BYTES: usize = 1024;

/// The text with `*` in place of each e-mail address and access key, at a bounded length.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    static MAIL: OnceLock<Regex> = OnceLock::new();
    if !text.contains('@') && !text.contains("%40") {
        return cleaned_name(text);
    }
    let mail = MAIL.get_or_init(|| {
        Regex::new(r"(?i)[a-z0-9._%+'!#$&~^-]+(?:@|%40)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
            .expect("the pattern is valid")
    });
    let text = mail.replace_all(bounded(text), "*");
    Cow::Owned(cleaned_name(&text).into_owned())
}

/// The same for names of IAM users and roles, which stay.
pub(super) fn cleaned_name(text: &str) -> Cow<'_, str> {
    static KEY: OnceLock<Regex> = OnceLock::new();
    let text = bounded(text);
    if !text.contains("KIA") && !text.contains("SIA") {
        return Cow::Borrowed(text);
    }
    let key = KEY.get_or_init(|| Regex::new("(?:AKIA|ASIA)[A-Z0-9]{12,}").expect("the pattern is valid"));
    key.replace_all(text, "*")
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_BYTES)]
}
