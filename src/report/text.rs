//! Short text: by file, and as Markdown.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::human::{severity_counts, summary, verdict};
use super::unjudged::groups;
use super::{FindingOrder, Page, page_url};
use crate::finding::Severity;
use crate::layout::fit;
use crate::source::{FileId, one_line, push_line};
use crate::triage::ReportedFinding;
use crate::unjudged::counted_kinds;

/// A heading for each file, and in a synthesized template for each construct; a line for each finding.
pub(super) fn grouped(page: &Page<'_>) -> String {
    let mut out = String::new();
    let mut file: Option<FileId> = None;
    let mut construct: Option<&str> = None;
    let palette = page.palette();
    for f in by_file(page) {
        if file != Some(f.span().file) {
            if file.is_some() {
                out.push('\n');
            }
            let mut heading = String::new();
            push_line(&mut heading, page.path(f.span()));
            out.push_str(&palette.strong(heading.trim_end()));
            out.push('\n');
            file = Some(f.span().file);
            construct = None;
        }
        if construct != f.finding.construct.as_deref() {
            construct = f.finding.construct.as_deref();
            push_line(&mut out, &format!("  {}", construct.unwrap_or("(no construct)")));
        }
        let at = page.sources.positions(f.span()).0;
        let place = format!("{}:{}", at.line, at.column);
        let severity = palette.severity(f.severity, &format!("{:<8}", f.severity.name()));
        let line = format!(
            "  {place:<8} {severity} {}  [{}]",
            one_line(&f.finding.message),
            f.rule()
        );
        out.push_str(&fit(&page.masked(line), page.options.width));
        out.push('\n');
    }
    if page.options.summary {
        if file.is_some() {
            out.push('\n');
        }
        out.push_str(&summary(page));
    }
    out
}

/// The findings by file and construct, those with the worst first.
fn by_file<'a>(page: &Page<'a>) -> Vec<&'a ReportedFinding> {
    let mut findings: Vec<&ReportedFinding> = page.active().collect();
    if page.options.order == FindingOrder::Path {
        return findings;
    }
    let mut of_file: BTreeMap<FileId, Severity> = BTreeMap::new();
    let mut of_construct: BTreeMap<(FileId, Option<&str>), Severity> = BTreeMap::new();
    for f in &findings {
        let file = f.span().file;
        let worst = of_file.entry(file).or_insert(f.severity);
        *worst = f.severity.max(*worst);
        let worst = of_construct
            .entry((file, f.finding.construct.as_deref()))
            .or_insert(f.severity);
        *worst = f.severity.max(*worst);
    }
    findings.sort_by_key(|f| {
        let (file, construct) = (f.span().file, f.finding.construct.as_deref());
        let worst = (of_file.get(&file), of_construct.get(&(file, construct)));
        (Reverse(worst.0), file, Reverse(worst.1), construct, Reverse(f.severity))
    });
    findings
}

/// A table of counts, then the findings of each rule folded away: for comments on pull requests.
pub(super) fn markdown(page: &Page<'_>) -> String {
    let mut by_rule: BTreeMap<&str, Vec<&ReportedFinding>> = BTreeMap::new();
    for f in page.ordered(page.active()) {
        by_rule.entry(f.rule()).or_default().push(f);
    }
    if by_rule.is_empty() {
        return format!("### overgrant\n\n{}{}", verdict(page), unjudged(page));
    }
    let mut rules: Vec<(&str, Vec<&ReportedFinding>)> = by_rule.into_iter().collect();
    rules.sort_by_key(|(rule, fs)| (fs.iter().map(|f| f.severity).max().map(std::cmp::Reverse), *rule));
    let mut out = format!(
        "### overgrant: {}\n\n| severity | rule | findings |\n|---|---|---:|\n",
        severity_counts(page)
    );
    for (rule, fs) in &rules {
        let worst = fs.iter().map(|f| f.severity).max().map_or("", |s| s.name());
        let _ = writeln!(out, "| {worst} | [{rule}]({}) | {} |", page_url(rule), fs.len());
    }
    for (rule, fs) in &rules {
        let _ = write!(out, "\n<details><summary>{rule}</summary>\n\n");
        for f in fs {
            let at = page.sources.positions(f.span()).0;
            let _ = writeln!(
                out,
                "- `{}:{}:{}` {}",
                page.shown_path(f.span().file).replace('`', "'"),
                at.line,
                at.column,
                inline(&f.finding.message)
            );
        }
        if let Some(help) = fs.first().and_then(|f| f.finding.help.as_deref()) {
            let _ = write!(out, "\n{}\n", inline(&help.replace('\n', " ")));
        }
        out.push_str("\n</details>\n");
    }
    out.push_str(&unjudged(page));
    out
}

/// A list of what was not judged, folded away.
fn unjudged(page: &Page<'_>) -> String {
    let all = &page.report.unjudged;
    let Some(counted) = counted_kinds(all) else {
        return String::new();
    };
    let mut out = format!("\n<details><summary>Not judged: {counted}</summary>\n\n");
    for group in groups(all) {
        let (place, text) = group.parts(page.sources);
        let _ = writeln!(out, "- `{}` {}", one_line(&place).replace('`', "'"), inline(&text));
    }
    out.push_str("\n</details>\n");
    out
}

/// `text` with its code between back-ticks, and everything else escaped: whatever it cites, nothing of it is a link, an
/// image, or HTML (CommonMark, "Backslash escapes" and "Code spans").
fn inline(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        // Code has a back-tick on both sides; a last one alone opens nothing.
        let is_code = i % 2 == 1 && i + 1 < parts.len();
        match (is_code, part.is_empty()) {
            (true, true) => out.push_str("\\`\\`"),
            (true, false) => {
                out.push('`');
                out.push_str(part);
                out.push('`');
            }
            (false, _) => {
                if i % 2 == 1 {
                    out.push_str("\\`");
                }
                for c in part.chars() {
                    match c {
                        '&' => out.push_str("&amp;"),
                        '<' => out.push_str("&lt;"),
                        '[' | ']' | '!' | '*' | '_' | '~' | '|' | '\\' => out.extend(['\\', c]),
                        c => out.push(c),
                    }
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::inline;

    #[test]
    fn what_a_message_cites_is_no_markdown() {
        for (text, expected) in [
            ("`s3:*` is allowed on `*`", "`s3:*` is allowed on `*`"),
            ("a <b> & [c](d)", "a &lt;b> &amp; \\[c\\](d)"),
            ("`a`](http://x)![i](y)` is", "`a`\\](http://x)\\!\\[i\\](y)\\` is"),
            ("a\n# heading", "a\u{fffd}# heading"),
            ("``", "\\`\\`"),
        ] {
            assert_eq!(inline(text), expected);
        }
    }
}
