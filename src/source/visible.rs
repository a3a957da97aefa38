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

/// Adds `line`, which begins with a path or cites one, to `out`, with its end. It stays one line, and none that a runner of
/// a pipeline takes for a command: `::error …`, `##[group]` ("Workflow commands for GitHub Actions", GitHub Docs; "Logging
/// commands", Azure Pipelines documentation).
pub fn push_line(out: &mut String, line: &str) {
    let line = one_line(line);
    let start = line.trim_start();
    if start.starts_with("::") || start.starts_with("##") {
        out.push_str("./");
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_a_line_of_its_own() {
        let pushed = |line: &str| {
            let mut out = String::new();
            push_line(&mut out, line);
            out
        };
        for (line, expected) in [
            ("a.tf:1:1: fine", "a.tf:1:1: fine\n"),
            ("a\n::error::x", "a\u{fffd}::error::x\n"),
            (
                "a\r\u{85}\u{2028}\u{2029}\u{b}\u{c}b",
                "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}b\n",
            ),
            ("::add-mask::x.json:1: y", "./::add-mask::x.json:1: y\n"),
            ("##vso[task.complete]", "./##vso[task.complete]\n"),
            ("\u{1b}[31mred\u{9b}0m", "\u{fffd}[31mred\u{fffd}0m\n"),
            ("a\u{202e}b", "a\u{fffd}b\n"),
        ] {
            assert_eq!(pushed(line), expected);
        }
    }
}
