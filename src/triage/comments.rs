//! Suppressions written as comments.
//!
//! `overgrant: ignore[ID(, ID)*] (until=YYYY-MM-DD)? (-- reason)?`, and `ignore-file[…]` in the first comment block.

use super::suppression::SuppressionFault;
use crate::settings::Date;
use crate::source::{FileId, Sources, Span};

const MARK: &str = "overgrant:";
/// What may open a comment, longest first where one ends another.
const OPENERS: &[&str] = &["<!--", "/*", "//", "{#", "#", "--", ";", "*"];

/// One comment that asks for findings to be ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    /// From its opener to its end.
    pub(super) span: Span,
    /// 1-based.
    pub(super) line: usize,
    /// Nothing but white space stands before it.
    pub(super) own_line: bool,
    /// `ignore-file`.
    pub(super) whole_file: bool,
    pub(super) ids: Vec<(String, Span)>,
    pub(super) until: Option<(Option<Date>, Span)>,
    pub(super) reason: Option<String>,
    /// Why it cannot be read.
    pub(super) fault: Option<SuppressionFault>,
}

/// All directives of a file, in order.
pub(super) fn directives(sources: &Sources, file: FileId) -> Vec<Directive> {
    let text: &str = sources.text(file);
    let lines = sources.file(file).lines();
    let mut out = Vec::new();
    if is_sarif(text) {
        return out;
    }
    for at in memchr::memmem::find_iter(text.as_bytes(), MARK) {
        let line = lines.line(at);
        let start = lines.start_of(line);
        let end = text[at..].find(['\n', '\r']).map_or(text.len(), |i| at + i);
        let Some(opener) = opener(&text[start..at]).map(|i| start + i) else {
            continue;
        };
        let body = &text[at + MARK.len()..end];
        let close = ["*/", "-->", "#}"].iter().filter_map(|c| body.find(c)).min();
        // In a notebook the line is a JSON string.
        let close = close.or_else(|| {
            sources
                .path(file)
                .ends_with(".ipynb")
                .then(|| body.find("\\n\""))
                .flatten()
        });
        let body = &body[..close.unwrap_or(body.len())];
        let base = at + MARK.len();
        let Some(mut directive) = CommentParser {
            file,
            body,
            base,
            at: 0,
        }
        .parse() else {
            continue;
        };
        directive.span = Span::new(file, opener, base + body.trim_end().len());
        directive.line = line;
        directive.own_line = text[start..opener].trim_start_matches('\u{feff}').trim().is_empty();
        if directive.whole_file && !in_first_block(&text[..start]) {
            directive.fault = Some(SuppressionFault::FileTooLate);
        }
        out.push(directive);
    }
    out
}

/// A SARIF log has the texts of rules, which show a suppression, and no comments.
fn is_sarif(text: &str) -> bool {
    let head = text.as_bytes().get(..256).unwrap_or(text.as_bytes());
    text.starts_with('{')
        && ["\"$schema\"", "sarif"]
            .iter()
            .all(|w| memchr::memmem::find(head, w.as_bytes()).is_some())
}

/// Where the comment opens that ends `before`: the part of the line before the mark.
fn opener(before: &str) -> Option<usize> {
    let trimmed = before.trim_end();
    let opener = OPENERS.iter().find(|o| trimmed.ends_with(**o))?;
    let head = trimmed[..trimmed.len() - opener.len()].trim_end_matches(opener.chars().last().unwrap_or('#'));
    let fits = head
        .chars()
        .next_back()
        .is_none_or(|c| c.is_whitespace() || ",;{}[]()\"'`\u{feff}".contains(c));
    fits.then_some(head.len())
}

/// Everything in `before` is blank, a comment, or what files open with.
fn in_first_block(before: &str) -> bool {
    before.trim_start_matches('\u{feff}').lines().all(|line| {
        let line = line.trim();
        line.is_empty()
            || line == "---"
            || line.starts_with("%YAML")
            || ["#", "//", "/*", "*", ";", "<!--"].iter().any(|o| line.starts_with(o))
    })
}

struct CommentParser<'b> {
    file: FileId,
    body: &'b str,
    /// Where `body` starts in the file.
    base: usize,
    at: usize,
}

impl<'b> CommentParser<'b> {
    fn rest(&self) -> &'b str {
        self.body.get(self.at..).unwrap_or("")
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.base + start, self.base + end)
    }

    /// `None` when the comment talks of something else.
    fn parse(mut self) -> Option<Directive> {
        self.blanks();
        let mut directive = Directive {
            span: self.span(0, 0),
            line: 0,
            own_line: false,
            whole_file: false,
            ids: Vec::new(),
            until: None,
            reason: None,
            fault: None,
        };
        if self.take("ignore-file") {
            directive.whole_file = true;
        } else if !self.take("ignore") {
            return None;
        }
        self.blanks();
        if !self.take("[") {
            // `overgrant: ignored by design` is prose.
            let word = self
                .rest()
                .chars()
                .next()
                .is_some_and(|c| c.is_alphanumeric() && self.body.as_bytes()[self.at - 1] != b' ');
            if word {
                return None;
            }
            directive.fault = Some(SuppressionFault::NoRuleInComment);
            return Some(directive);
        }
        let Some(close) = self.rest().find(']') else {
            directive.fault = Some(SuppressionFault::Unclosed);
            return Some(directive);
        };
        let list = &self.rest()[..close];
        let mut at = self.at;
        for part in list.split(',') {
            let id = part.trim();
            let start = at + (part.len() - part.trim_start().len());
            if !id.is_empty() {
                directive.ids.push((id.to_owned(), self.span(start, start + id.len())));
            }
            at += part.len() + 1;
        }
        if directive.ids.is_empty() {
            directive.fault = Some(SuppressionFault::NoRuleInComment);
        }
        self.at += close + 1;
        self.blanks();
        if self.take("until=") {
            let start = self.at;
            let word = self.rest().split_whitespace().next().unwrap_or("");
            self.at += word.len();
            directive.until = Some((Date::parse(word), self.span(start, start + word.len())));
            self.blanks();
        }
        if self.take("--") {
            let reason = self.rest().trim();
            directive.reason = (!reason.is_empty()).then(|| reason.to_owned());
        }
        Some(directive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Vec<Directive> {
        directives(&Sources::from_strings(&[(path, text)]), FileId(0))
    }

    #[test]
    fn a_sarif_log_quotes_suppressions() {
        let log = r##"{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "text": "write `# overgrant: ignore[a]`"}"##;
        assert_eq!(read("out.sarif", log), []);
        assert_eq!(read("a.json", &log.replace("sarif", "x")).len(), 1);
    }

    #[test]
    fn spellings() {
        // Text, ids, own line, reason, fault.
        type SyntaxRow<'a> = (&'a str, &'a [&'a str], bool, Option<&'a str>, bool);
        let table: &[SyntaxRow<'_>] = &[
            ("# overgrant: ignore[a-b]", &["a-b"], true, None, false),
            ("#overgrant:ignore[a-b,c]", &["a-b", "c"], true, None, false),
            (
                "  // overgrant: ignore[ a , b ] -- because",
                &["a", "b"],
                true,
                Some("because"),
                false,
            ),
            (
                "x = 1 # overgrant: ignore[a] -- SEC-1",
                &["a"],
                false,
                Some("SEC-1"),
                false,
            ),
            (
                "x = 1 /* overgrant: ignore[a] -- y */ z",
                &["a"],
                false,
                Some("y"),
                false,
            ),
            ("<!-- overgrant: ignore[a] -- y -->", &["a"], true, Some("y"), false),
            (r#""Action": "*" // overgrant: ignore[a]"#, &["a"], false, None, false),
            ("; overgrant: ignore[a]", &["a"], true, None, false),
            ("## overgrant: ignore[a]", &["a"], true, None, false),
            ("# overgrant: ignore", &[], true, None, true),
            ("# overgrant: ignore[]", &[], true, None, true),
            ("# overgrant: ignore[a", &[], true, None, true),
            ("# overgrant: ignore[a] --", &["a"], true, None, false),
        ];
        for (text, ids, own_line, reason, fault) in table {
            let found = read("a.tf", text);
            assert_eq!(found.len(), 1, "{text}");
            let d = &found[0];
            assert_eq!(
                d.ids.iter().map(|(i, _)| i.as_str()).collect::<Vec<_>>(),
                *ids,
                "{text}"
            );
            assert_eq!(d.own_line, *own_line, "{text}");
            assert_eq!(d.reason.as_deref(), *reason, "{text}");
            assert_eq!(d.fault.is_some(), *fault, "{text}");
        }
        for text in [
            "overgrant: ignore[a]",
            "# overgrant: ignored for now",
            "# overgrant is a linter",
            r#"url = "https://overgrant: ignore[a]""#,
            "# overgrant: look here",
        ] {
            assert!(read("a.tf", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn dates_and_places() {
        let d = &read(
            "a.yaml",
            r"a: 1
# overgrant: ignore[x, yy] until=2027-03-31 -- why",
        )[0];
        assert_eq!(d.until.map(|(d, _)| d), Some(Date::parse("2027-03-31")));
        assert_eq!(d.line, 2);
        let sources = Sources::from_strings(&[(
            "a.yaml",
            r"a: 1
# overgrant: ignore[x, yy] until=2027-13-31",
        )]);
        let d = &directives(&sources, FileId(0))[0];
        assert_eq!(sources.slice(d.ids[1].1), "yy");
        assert_eq!(d.until.map(|(d, s)| (d, sources.slice(s))), Some((None, "2027-13-31")));
    }

    #[test]
    fn a_whole_file_only_from_its_first_comments() {
        assert_eq!(
            read(
                "a.py",
                r"#!/usr/bin/python
# overgrant: ignore-file[a]"
            )[0]
            .fault,
            None
        );
        assert!(read("a.py", "x = 1\n# overgrant: ignore-file[a]")[0].fault.is_some());
    }
}
