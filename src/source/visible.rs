//! Text as it may be shown.

use std::borrow::Cow;

/// `text` without what would move the cursor of a terminal or turn the direction of writing (a file's name, a `Sid`, a
/// message that cites them): a replacement character stands for each, so that columns stay true. Tabs and line feeds stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_visible) {
        return Cow::Borrowed(text);
    }
    let shown = |c| match c {
        '\u{feff}' => ' ',
        c if is_visible(c) => c,
        _ => '\u{fffd}',
    };
    Cow::Owned(text.chars().map(shown).collect())
}

fn is_visible(c: char) -> bool {
    match c {
        '\t' | '\n' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => false,
        c => !c.is_control(),
    }
}
