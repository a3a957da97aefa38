//! One finding: a line, and below it the source with its labels, the path, and what to do.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::HtmlPage;
use super::facets::Facets;
use crate::finding::{Label, LabelRole};
use crate::phrase::count;
use crate::report::excerpt::{ExcerptFile, Excerpts, LabelPlace};
use crate::report::human::{folded_note, shown_labels};
use crate::report::{escape_uri, offline};
use crate::source::one_line;
use crate::triage::{ReportedFinding, Status};

/// Columns of source; longer lines are cut to what is around the labels.
const COLUMNS: usize = 120;
/// What stands for a tab.
const TAB: &str = "    ";

impl HtmlPage<'_> {
    pub(super) fn push_finding(self, out: &mut String, f: &ReportedFinding, number: usize, facets: &Facets<'_>) {
        let page = self.page;
        let at = page.sources.positions(f.span()).0;
        let severity = f.severity.name();
        let ignored = match f.status {
            Status::Suppressed => "<span class=\"state\">ignored</span> ",
            _ => "",
        };
        let _ = writeln!(
            out,
            "<li id=\"f{number}\" {}><details>\n<summary><span class=\"severity {severity}\">{severity}</span> <span \
             class=\"message\">{ignored}{}</span> <span class=\"place\"><code>{}:{}</code> <code>{}</code></span></summary>\n<div \
             class=\"body\">",
            facets.attributes(page, f),
            self.prose(&f.finding.message),
            self.text(page.path(f.span())),
            at.line,
            self.text(f.rule())
        );
        if page.options.source {
            self.push_excerpts(out, f);
        }
        self.push_path(out, f);
        self.push_advice(out, f);
        self.push_facts(out, f);
        out.push_str("</div>\n</details></li>\n");
    }

    fn push_excerpts(self, out: &mut String, f: &ReportedFinding) {
        let page = self.page;
        let (labels, hidden) = shown_labels(page, f);
        let spans: Vec<_> = labels.iter().map(|l| l.span).collect();
        let (excerpts, places) = Excerpts::new(page.sources, &page.mask, &spans, COLUMNS, &|_| String::new());
        for (part, file) in excerpts.files().enumerate() {
            let mut marks: Vec<ExcerptMark<'_>> = labels
                .iter()
                .zip(&places)
                .filter(|(_, place)| place.part == part)
                .map(|(label, place)| ExcerptMark { label, place })
                .collect();
            marks.sort_by_key(|m| m.place.range.start);
            let first = labels.iter().find(|l| l.span.file == file.file);
            let place = first.map_or_else(
                || page.sources.path(file.file).to_owned(),
                |label| {
                    let at = page.sources.positions(label.span).0;
                    format!("{}:{}:{}", page.sources.path(file.file), at.line, at.column)
                },
            );
            let _ = writeln!(
                out,
                "<figure><figcaption><code>{}</code></figcaption>\n<pre tabindex=\"0\">{}</pre></figure>",
                self.text(&place),
                self.excerpt(&file, &marks)
            );
        }
        if hidden > 0 {
            let _ = writeln!(out, "<p>And {}.</p>", count(hidden, "more place", "more places"));
        }
    }

    /// Lines with their numbers and without their common indentation; below a line, the texts of the labels that begin in it.
    fn excerpt(self, file: &ExcerptFile<'_>, marks: &[ExcerptMark<'_>]) -> String {
        let digits = file.lines.last().map_or(1, |(number, _)| number.to_string().len());
        let mut out = String::new();
        let mut before: Option<usize> = None;
        let indentation = common_indentation(file, marks);
        for (number, range) in &file.lines {
            let range = (range.start + indentation).min(range.end)..range.end;
            if before.is_some_and(|before| before + 1 < *number) {
                let _ = writeln!(out, "<span class=\"number\">{:>digits$} │</span>", "…");
            }
            before = Some(*number);
            let _ = write!(out, "<span class=\"number\">{number:>digits$} │</span> ");
            push_marked(&mut out, file.text, range.clone(), marks);
            out.push('\n');
            for mark in marks
                .iter()
                .filter(|m| range.contains(&m.place.range.start) || m.place.range.start == range.end)
            {
                if mark.label.text.is_empty() {
                    continue;
                }
                let indent = columns(&file.text[range.start..mark.place.range.start]);
                let _ = writeln!(
                    out,
                    "<span class=\"number\">{:>digits$} │</span> {:indent$}<span class=\"{}\">╰ {}</span>",
                    "",
                    "",
                    mark.class(),
                    self.text(&mark.label.text)
                );
            }
        }
        out
    }

    /// The steps of a flow, such as from who starts to what is gained.
    fn push_path(self, out: &mut String, f: &ReportedFinding) {
        if f.finding.flow.is_empty() {
            return;
        }
        out.push_str("<h4>Path</h4>\n<ol class=\"path\">\n");
        for step in &f.finding.flow {
            let at = self.page.sources.positions(step.span).0;
            let text = without_number(&step.text);
            let _ = writeln!(
                out,
                "<li><span>{}</span> <code>{}</code></li>",
                self.prose(text),
                self.location(self.page.path(step.span), at)
            );
        }
        out.push_str("</ol>\n");
    }

    fn push_advice(self, out: &mut String, f: &ReportedFinding) {
        for note in f.finding.notes.iter().cloned().chain(folded_note(f)) {
            let note = note.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(out, "<p><b>Note:</b> {}</p>", self.prose(&note));
        }
        if let Some(help) = &f.finding.help {
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(out, "<p><b>Help:</b> {}</p>", self.prose(&help));
        }
        if let Some(fix) = f.fixes.first() {
            let (kind, command) = match fix.safe {
                true => ("Fix", "overgrant fix"),
                false => ("Unsafe fix", "overgrant fix --unsafe"),
            };
            let _ = writeln!(
                out,
                "<p><b>{kind}:</b> {} (<code>{command}</code>)</p>",
                self.prose(&fix.title)
            );
        }
        if let Some(s) = &f.suppression {
            let reason = s.reason.as_deref().unwrap_or("no reason given");
            let _ = writeln!(
                out,
                "<p><b>Ignored:</b> {} (<code>{}:{}</code>)</p>",
                self.prose(&one_line(reason)),
                self.text(&s.path),
                s.line
            );
        }
    }

    fn push_facts(self, out: &mut String, f: &ReportedFinding) {
        let subject = &f.finding.subject;
        let rule = match self.page.ruleset.get(f.rule()) {
            Some(rule) => format!(
                "<a href=\"#rule-{}\">{}</a>: {}",
                offline::markup(&escape_uri(f.rule())),
                self.text(f.rule()),
                self.prose(rule.title())
            ),
            None => self.text(f.rule()),
        };
        let mut holders: Vec<String> = subject.holders.names.iter().map(|name| self.text(name)).collect();
        if subject.holders.more > 0 {
            holders.push(format!("and {} more", subject.holders.more));
        }
        let resource = [&*subject.address, &*subject.attribute].map(|part| self.text(part));
        let resource: Vec<&str> = resource
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        let facts = [
            ("Rule", rule),
            ("Confidence", f.confidence.name().to_owned()),
            ("Resource", resource.join(", ")),
            (
                "Sid",
                subject.sid.as_deref().map_or_else(String::new, |sid| self.text(sid)),
            ),
            ("Identities", holders.join(", ")),
            ("Fingerprint", self.text(&f.identity.fingerprint)),
        ];
        out.push_str("<dl>\n");
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        out.push_str("</dl>\n");
    }
}

/// A label, and where it is in an excerpt.
struct ExcerptMark<'l> {
    label: &'l Label,
    place: &'l LabelPlace,
}

impl ExcerptMark<'_> {
    fn class(&self) -> &'static str {
        match self.label.role {
            LabelRole::Primary => "primary",
            _ => "secondary",
        }
    }
}

/// The bytes of white space with which every line begins that is not blank, up to where a label begins or ends.
fn common_indentation(file: &ExcerptFile<'_>, marks: &[ExcerptMark<'_>]) -> usize {
    let borders: Vec<usize> = marks
        .iter()
        .flat_map(|m| [m.place.range.start, m.place.range.end])
        .collect();
    let mut common: Option<&str> = None;
    for (_, range) in &file.lines {
        let line = file.text.get(range.clone()).unwrap_or_default();
        let indented = line.len() - line.trim_start_matches([' ', '\t']).len();
        let border = borders.iter().filter(|at| range.contains(at)).min();
        // A blank line says nothing, unless a label is in it.
        let end = match (border, indented == line.len()) {
            (None, true) => continue,
            (None, false) => indented,
            (Some(at), _) => indented.min(at - range.start),
        };
        let indentation = &line[..end];
        let same = common.map_or(end, |c| {
            c.bytes().zip(indentation.bytes()).take_while(|(a, b)| a == b).count()
        });
        common = Some(&indentation[..same]);
    }
    common.map_or(0, str::len)
}

/// A line with its marks. What several labels cover has the mark of the primary one.
fn push_marked(out: &mut String, text: &str, line: std::ops::Range<usize>, marks: &[ExcerptMark<'_>]) {
    let inside = |at: &usize| line.contains(at);
    let mut borders: Vec<usize> = marks
        .iter()
        .flat_map(|m| [m.place.range.start, m.place.range.end])
        .collect();
    borders.retain(inside);
    borders.extend([line.start, line.end]);
    borders.sort_unstable();
    borders.dedup();
    for pair in borders.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let part = offline::markup_line(text.get(from..to).unwrap_or_default()).replace('\t', TAB);
        let covering = || {
            marks
                .iter()
                .filter(|m| m.place.range.start <= from && to <= m.place.range.end)
        };
        let primary = covering().find(|m| m.label.role == LabelRole::Primary);
        match primary.or_else(|| covering().next()) {
            Some(mark) => out.extend(["<mark class=\"", mark.class(), "\">", &part, "</mark>"]),
            None => out.push_str(&part),
        }
    }
}

/// How wide `text` is.
fn columns(text: &str) -> usize {
    text.replace('\t', TAB).width()
}

/// The text of a step without its number, which the list has.
fn without_number(text: &str) -> &str {
    match text.split_once(". ") {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => text,
    }
}
