//! Text for a terminal: what its colors mean, and lines that fit its width.
//!
//! **Invariant:** without colors and at any width, the words are the same and in the same order; no line that is broken begins
//! with what a runner of a pipeline takes for a command.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::grade::Severity;
use crate::source::begins_command;

/// The colors of all that is written for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    pub color: bool,
}

const RESET: &str = "\u{1b}[0m";

impl Palette {
    fn paint(self, codes: &str, text: &str) -> String {
        match self.color && !text.is_empty() {
            true => format!("\u{1b}[{codes}m{text}{RESET}"),
            false => text.to_owned(),
        }
    }

    /// In the color of a severity.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        let codes = match severity {
            Severity::Critical | Severity::High => "1;91",
            Severity::Medium => "1;93",
            Severity::Low => "1;92",
        };
        self.paint(codes, text)
    }

    /// A heading, or the name of what follows.
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// A place in a file, or a command.
    pub fn place(self, text: &str) -> String {
        self.paint("36", text)
    }
}

/// Columns that a text after a mark must have; with less, it starts further left.
const MIN_TEXT: usize = 28;
/// Further lines of what is no annotation are indented by so many columns more.
const HANGING: usize = 4;

/// A piece of a line without spaces, as it is written, and its columns.
struct Word<'t> {
    text: &'t str,
    spaces: usize,
    columns: usize,
}

/// The text with lines of at most `width` columns, broken at spaces. Lines of source, which have a number in front, stay as they
/// are, and so does what has no space.
pub fn fit(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = match line.strip_suffix('\n') {
            Some(body) => (body, "\n"),
            None => (line, ""),
        };
        match columns(body) <= width || is_source(body) {
            true => out.push_str(body),
            false => fit_line(body, width, &mut out),
        }
        out.push_str(end);
    }
    out
}

/// The columns of a text with escape sequences.
pub fn columns(text: &str) -> usize {
    plain(text).width()
}

/// The text without escape sequences: colors and links.
fn plain(text: &str) -> String {
    if !text.contains('\u{1b}') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = &rest[at + escape_length(&rest[at..])..];
    }
    out.push_str(rest);
    out
}

/// Bytes of the escape sequence that the text starts with, of a color or of a link.
fn escape_length(text: &str) -> usize {
    let end = match text.as_bytes().get(1) {
        Some(b']') => text.find("\u{1b}\\").map(|at| at + 2),
        _ => text.find(|c: char| c.is_ascii_alphabetic()).map(|at| at + 1),
    };
    end.unwrap_or(text.len())
}

/// `19 │ Action: "*"`
fn is_source(line: &str) -> bool {
    let line = plain(line);
    let number = line.split_once('│').map_or("", |(number, _)| number.trim());
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// One line, of which further lines are indented by `indent` columns.
pub fn hang(line: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let lead = Lead {
        start: indent.min(columns(line)),
        indent: " ".repeat(indent),
        pushes_down: false,
    };
    lead.fit(line, width, &mut out);
    out
}

/// What stands before the text of a line.
struct Lead {
    /// The column that the text starts at.
    start: usize,
    /// What further lines begin with.
    indent: String,
    /// The text starts on a line of its own.
    pushes_down: bool,
}

fn fit_line(line: &str, width: usize, out: &mut String) {
    let shown = plain(line);
    let before_text = shown.find(is_of_text).unwrap_or(shown.len());
    let (lead, text) = shown.split_at(before_text);
    let is_annotation = lead.trim_start().starts_with('│');
    let start = lead.width();
    let room = width.saturating_sub(start);
    let mut pushes_down = false;
    let indent = match is_annotation {
        true if room >= MIN_TEXT.min(text.width()) => bars(lead, start),
        true => {
            pushes_down = lead.contains(['^', '-']);
            let wanted = text.width().min(MIN_TEXT.max(width / 2));
            bars(lead, width.saturating_sub(wanted).min(start))
        }
        false => " ".repeat(shown.len() - shown.trim_start().len() + HANGING),
    };
    let lead = Lead {
        start,
        indent,
        pushes_down,
    };
    lead.fit(line, width, out);
}

impl Lead {
    fn fit(mut self, line: &str, width: usize, out: &mut String) {
        let mut at = 0;
        let mut color = "";
        let mut is_lead = true;
        for word in words(line) {
            is_lead &= at + word.spaces + word.columns <= self.start;
            let begins_text = !is_lead && self.pushes_down;
            let fits = at + word.spaces + word.columns <= width;
            let gains = begins_text || !fits && at + word.spaces > self.indent.width();
            if gains && !is_lead && !begins_command(&plain(word.text)) {
                self.pushes_down = false;
                if !color.is_empty() {
                    out.push_str(RESET);
                }
                out.push('\n');
                out.push_str(&self.indent);
                out.push_str(color);
                at = self.indent.width();
            } else {
                (0..word.spaces).for_each(|_| out.push(' '));
                at += word.spaces;
            }
            out.push_str(word.text);
            at += word.columns;
            color = color_after(color, word.text);
        }
    }
}

/// What a label or message begins with; marks, lines, and spaces come before it.
fn is_of_text(c: char) -> bool {
    c.is_alphanumeric() || "`\"'(*{[<…".contains(c)
}

/// The vertical lines of `lead`, as wide as `width`.
fn bars(lead: &str, width: usize) -> String {
    let mut out = String::new();
    let mut columns = 0;
    for c in lead.chars() {
        let of_char = c.width().unwrap_or(0);
        if columns + of_char > width {
            break;
        }
        columns += of_char;
        match c {
            '│' => out.push(c),
            _ => out.push_str(&" ".repeat(of_char)),
        }
    }
    out + &" ".repeat(width - columns)
}

fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let text = rest.trim_start_matches(' ');
        if text.is_empty() {
            return None;
        }
        let spaces = rest.len() - text.len();
        let end = word_end(text);
        rest = &text[end..];
        Some(Word {
            text: &text[..end],
            spaces,
            columns: columns(&text[..end]),
        })
    })
}

/// The next space that is not in an escape sequence.
fn word_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find([' ', '\u{1b}']) {
        at += found;
        if text[at..].starts_with(' ') {
            return at;
        }
        at += escape_length(&text[at..]);
    }
    text.len()
}

/// The color that is on after a word.
fn color_after<'t>(mut color: &'t str, word: &'t str) -> &'t str {
    for (at, _) in word.match_indices("\u{1b}[") {
        let code = &word[at..at + escape_length(&word[at..])];
        color = if code == RESET { "" } else { code };
    }
    color
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_broken_at_spaces() {
        assert_eq!(fit("error[x]: one two three\n", 14), "error[x]: one\n    two three\n");
        assert_eq!(fit("  a bb ccc\n", 7), "  a bb\n      ccc\n");
        assert_eq!(fit("short\n", 10), "short\n");
    }

    #[test]
    fn what_has_no_space_stays_whole() {
        let arn = "arn:aws:iam::111122223333:role/a-very-long-name";
        assert_eq!(fit(arn, 20), arn);
        assert_eq!(fit(&format!("granted on {arn}"), 20), format!("granted on\n    {arn}"));
    }

    #[test]
    fn a_label_stays_beside_its_mark() {
        let line = "   │     ^^^^ this token grants more than is needed here\n";
        assert_eq!(
            fit(line, 46),
            "   │     ^^^^ this token grants more than is\n   │          needed here\n"
        );
    }

    #[test]
    fn a_label_without_room_goes_below_its_mark() {
        let line = "   │                                ^^^^ grants every action\n";
        assert_eq!(
            fit(line, 40),
            "   │                                ^^^^\n   │                 grants every action\n"
        );
    }

    #[test]
    fn the_lines_of_other_labels_go_on() {
        let line = "   │   │     the role that this function runs with in production\n";
        assert_eq!(
            fit(line, 44),
            "   │   │     the role that this function\n   │   │     runs with in production\n"
        );
    }

    #[test]
    fn no_broken_line_is_a_command() {
        let line = "see what it says: ::error::no and more";
        assert_eq!(fit(line, 12), "see what it\n    says: ::error::no\n    and more");
        assert_eq!(hang("name  a b c", 9, 6), "name  a b\n      c");
    }

    #[test]
    fn source_is_not_broken() {
        let line = "19 │ Action: [\"s3:GetObject\", \"s3:PutObject\"]\n";
        assert_eq!(fit(line, 20), line);
    }

    #[test]
    fn colors_and_links_have_no_width() {
        let red = Palette { color: true }.severity(Severity::High, "three two");
        assert_eq!(columns(&red), 9);
        assert_eq!(fit(&red, 9), red);
        assert_eq!(fit(&red, 8), "\u{1b}[1;91mthree\u{1b}[0m\n    \u{1b}[1;91mtwo\u{1b}[0m");
        let link = "\u{1b}]8;;https://example.com\u{1b}\\name\u{1b}]8;;\u{1b}\\";
        assert_eq!(columns(link), 4);
    }
}
