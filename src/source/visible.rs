//! Text as it may be shown: the one place that escapes what files say.

use std::borrow::Cow;

use serde::Serialize;

/// `text` without what would move the cursor of a terminal or turn the direction of writing (a file's name, a `Sid`, a
/// message that cites them), and without commands: a replacement character stands for each, so that columns stay true.
/// Tabs and line feeds stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    match replace_hidden(text, is_visible) {
        Cow::Borrowed(text) => without_commands(text),
        Cow::Owned(text) => Cow::Owned(without_commands(&text).into_owned()),
    }
}

/// Commands that a runner of a pipeline obeys wherever they stand in a line: of GitHub's runner and of the agent of Azure
/// Pipelines ("Logging commands", Azure Pipelines documentation).
const ANYWHERE: [&str; 2] = ["##[", "##vso["];
/// What a command begins with that counts at the start of a line only, after blanks ("Workflow commands for GitHub Actions",
/// GitHub Docs).
const AT_START: &str = "::";

/// `text` in which a runner of a pipeline finds no command: of each the first character is replaced. Everything else stays
/// as it is.
pub fn without_commands(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| line.trim_start().starts_with(AT_START);
    if !text.lines().any(begins) {
        return without_marks(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for line in without_marks(text).split_inclusive('\n') {
        match begins(line) {
            true => out.push_str(&line.replacen(':', "\u{fffd}", 1)),
            false => out.push_str(line),
        }
    }
    Cow::Owned(out)
}

fn without_marks(text: &str) -> Cow<'_, str> {
    if !ANYWHERE.iter().any(|mark| text.contains(mark)) {
        return Cow::Borrowed(text);
    }
    let replaced = |text: String, mark: &&str| text.replace(mark, &format!("\u{fffd}{}", &mark[1..]));
    Cow::Owned(ANYWHERE.iter().fold(text.to_owned(), replaced))
}

/// The text of a JSON document in which a runner finds no command and a terminal no control character: the same values, with
/// a character written as its number.
pub fn json_without_commands(text: String) -> String {
    numbered(text, |c| format!("\\u{:04x}", u32::from(c)))
}

/// A whole JSON document: indented, with a line end.
pub fn pretty_json(value: &impl Serialize) -> String {
    let mut out = serde_json::to_string_pretty(value).unwrap_or_default();
    out.push('\n');
    out
}

/// As [`json_without_commands`], for XML.
pub fn xml_without_commands(text: String) -> String {
    numbered(text, |c| format!("&#{};", u32::from(c)))
}

fn numbered(text: String, number: impl Fn(char) -> String) -> String {
    let marked = ANYWHERE.iter().fold(text, |text, mark| match text.contains(mark) {
        true => text.replace(mark, &format!("{}{}", number('#'), &mark[1..])),
        false => text,
    });
    let is_shown = |c: char| is_visible(c) || c == '\r';
    if marked.chars().all(is_shown) {
        return marked;
    }
    let mut out = String::with_capacity(marked.len() + 16);
    for c in marked.chars() {
        match is_shown(c) {
            true => out.push(c),
            false => out.push_str(&number(c)),
        }
    }
    out
}

/// [`visible`] on one line: no text can begin a line of its own, whatever counts as the end of a line (Unicode Standard
/// Annex 14, classes BK, CR, LF, and NL).
pub fn one_line(text: &str) -> Cow<'_, str> {
    match replace_hidden(text, |c| is_visible(c) && c != '\n') {
        Cow::Borrowed(text) => without_marks(text),
        Cow::Owned(text) => Cow::Owned(without_marks(&text).into_owned()),
    }
}

fn replace_hidden(text: &str, is_shown: impl Fn(char) -> bool) -> Cow<'_, str> {
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

/// Whether a runner of a pipeline may take a line that begins like this for a command.
pub fn begins_command(text: &str) -> bool {
    text.trim_start().starts_with(AT_START)
}

/// Adds `line`, which begins with a path or cites one, to `out`, with its end. It stays one line, and none that a runner of
/// a pipeline takes for a command.
pub fn push_line(out: &mut String, line: &str) {
    let line = one_line(line);
    if begins_command(&line) {
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
            ("##vso[task.complete]", "\u{fffd}#vso[task.complete]\n"),
            ("a ##[error]b", "a \u{fffd}#[error]b\n"),
            ("  ::x", "./  ::x\n"),
            ("## a heading, a::b", "## a heading, a::b\n"),
            ("\u{1b}[31mred\u{9b}0m", "\u{fffd}[31mred\u{fffd}0m\n"),
            ("a\u{202e}b", "a\u{fffd}b\n"),
        ] {
            assert_eq!(pushed(line), expected);
        }
    }

    #[test]
    fn no_line_of_a_text_is_a_command() {
        for (text, expected) in [
            ("a\n  ::error::b\n::c", "a\n  \u{fffd}:error::b\n\u{fffd}:c"),
            (" ::warning::a\r\n", " \u{fffd}:warning::a\r\n"),
            ("+::error::b\na::b\n", "+::error::b\na::b\n"),
            (
                "-- ##vso[task.complete]\n##[add-mask]x",
                "-- \u{fffd}#vso[task.complete]\n\u{fffd}#[add-mask]x",
            ),
            ("## a\n# b", "## a\n# b"),
        ] {
            assert_eq!(without_commands(text), expected);
        }
        assert_eq!(json_without_commands("[\"##[a]\"]".to_owned()), "[\"\\u0023#[a]\"]");
        assert_eq!(xml_without_commands("##vso[a]".to_owned()), "&#35;#vso[a]");
        for (c, json, xml) in [('\u{9b}', "\\u009b", "&#155;"), ('\u{202e}', "\\u202e", "&#8238;")] {
            assert_eq!(
                json_without_commands(format!("[\"é{c}31m\"]\n")),
                format!("[\"é{json}31m\"]\n")
            );
            assert_eq!(xml_without_commands(format!("é{c}31m")), format!("é{xml}31m"));
        }
    }
}
