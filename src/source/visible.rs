//! Text as it may be shown: the one place that escapes what files say.

use std::borrow::Cow;

/// `text` without what would move the cursor of a terminal or turn the direction of writing (a file's name, a `Sid`, a
/// message that cites them): a replacement character stands for each, so that columns stay true. Tabs and line feeds stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    shown(text, is_visible)
}

/// [`visible`] on one line: no text can begin a line of its own, whatever counts as the end of a line (Unicode Standard
/// Annex 14, classes BK, CR, LF, and NL).
pub fn one_line(text: &str) -> Cow<'_, str> {
    shown(text, |c| is_visible(c) && c != '\n')
}

fn shown(text: &str, is_shown: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&is_shown) {
        return Cow::Borrowed(text);
    }
    let shown = |c| match c {
        '\u{feff}' => ' ',
        c if is_shown(c) => c,
        _ => '\u{fffd}',
    };
    Cow::Owned(text.chars().map(shown).collect())
}

fn is_visible(c: char) -> bool {
    match c {
        '\t' | '\n' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => false,
        c => !c.is_control(),
    }
}
