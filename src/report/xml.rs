//! JUnit and checkstyle.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Page;
use crate::finding::Severity;
use crate::source::FileId;
use crate::triage::ReportedFinding;
use crate::unjudged::Unjudged;

/// Text for XML 1.0: markup escaped, characters that XML cannot hold replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn by_file<'a>(page: &Page<'a>) -> BTreeMap<FileId, Vec<&'a ReportedFinding>> {
    let mut files: BTreeMap<FileId, Vec<&ReportedFinding>> = BTreeMap::new();
    for file in page.sources.ids().filter(|id| page.sources.file(*id).in_scope) {
        files.entry(file).or_default();
    }
    for f in page.active() {
        files.entry(f.span().file).or_default().push(f);
    }
    files
}

/// One suite for each file: a failing case for each finding, a passing one for a clean file.
pub(super) fn junit(page: &Page<'_>) -> String {
    let total = page.active().count();
    let files = by_file(page);
    let unjudged: Vec<&Unjudged> = page.report.unjudged.iter().filter(|u| u.counts()).collect();
    let cases: usize = files.values().map(|f| f.len().max(1)).sum::<usize>() + unjudged.len();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"overgrant\" tests=\"{cases}\" failures=\"{total}\" skipped=\"{}\">",
        unjudged.len()
    );
    for (file, findings) in files {
        let path = escape(page.sources.path(file));
        let tests = findings.len().max(1);
        let failures = findings.len();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\">"
        );
        if findings.is_empty() {
            let _ = writeln!(out, "    <testcase name=\"clean\" classname=\"{path}\"/>");
        }
        for f in findings {
            let at = page.sources.positions(f.span()).0;
            let name = format!("{}:{}:{}", f.rule(), at.line, at.column);
            let mut text = format!(
                "{}:{}:{}: {}",
                page.path(f.span()),
                at.line,
                at.column,
                f.finding.message
            );
            if let Some(help) = &f.finding.help {
                let _ = write!(text, "\nhelp: {help}");
            }
            let _ = writeln!(
                out,
                "    <testcase name=\"{}\" classname=\"{path}\"><failure type=\"{}\" message=\"{}\">{}</failure></testcase>",
                escape(&name),
                f.severity.name(),
                escape(&f.finding.message),
                escape(&text)
            );
        }
        out.push_str("  </testsuite>\n");
    }
    if !unjudged.is_empty() {
        let n = unjudged.len();
        let _ = writeln!(
            out,
            "  <testsuite name=\"not judged\" tests=\"{n}\" failures=\"0\" skipped=\"{n}\">"
        );
        for u in unjudged {
            let line = u.span.map(|at| format!(":{}", page.sources.positions(at).0.line));
            let name = format!("{}{}", u.noun().0, line.unwrap_or_default());
            let _ = writeln!(
                out,
                "    <testcase name=\"{}\" classname=\"{}\"><skipped message=\"{}\"/></testcase>",
                escape(&name),
                escape(&u.path),
                escape(&u.text())
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

pub(super) fn checkstyle(page: &Page<'_>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n");
    for (file, findings) in by_file(page).into_iter().filter(|(_, f)| !f.is_empty()) {
        let _ = writeln!(out, "  <file name=\"{}\">", escape(page.sources.path(file)));
        for f in findings {
            let at = page.sources.positions(f.span()).0;
            let severity = match f.severity {
                Severity::Critical | Severity::High => "error",
                Severity::Medium => "warning",
                Severity::Low => "info",
            };
            let _ = writeln!(
                out,
                "    <error line=\"{}\" column=\"{}\" severity=\"{severity}\" message=\"{}\" source=\"overgrant.{}\"/>",
                at.line,
                at.column,
                escape(&f.finding.message),
                escape(f.rule())
            );
        }
        out.push_str("  </file>\n");
    }
    out.push_str("</checkstyle>\n");
    out
}
