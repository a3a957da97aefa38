//! Short text: by file, and as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::human::{counts, summary};
use super::{Page, url};
use crate::settle::Reported;
use crate::source::FileId;

/// A heading for each file, and in a synthesized template for each construct; a line for each finding.
pub(super) fn grouped(page: &Page<'_>) -> String {
    let mut out = String::new();
    let mut file: Option<FileId> = None;
    let mut construct: Option<&str> = None;
    for f in page.active() {
        if file != Some(f.span().file) {
            if file.is_some() {
                out.push('\n');
            }
            let _ = writeln!(out, "{}", page.shown_path(f.span().file));
            file = Some(f.span().file);
            construct = None;
        }
        if construct != f.finding.construct.as_deref() {
            construct = f.finding.construct.as_deref();
            let _ = writeln!(out, "  {}", construct.unwrap_or("(no construct)"));
        }
        let at = page.sources.positions(f.span()).0;
        let place = format!("{}:{}", at.line, at.column);
        let _ = writeln!(
            out,
            "  {place:<8} {:<8} {}  [{}]",
            f.severity.name(),
            f.finding.message,
            f.rule()
        );
    }
    if page.options.summary {
        if file.is_some() {
            out.push('\n');
        }
        out.push_str(&summary(page));
    }
    out
}

/// A table of counts, then the findings of each rule folded away: for comments on pull requests.
pub(super) fn markdown(page: &Page<'_>) -> String {
    let mut by_rule: BTreeMap<&str, Vec<&Reported>> = BTreeMap::new();
    for f in page.active() {
        by_rule.entry(f.rule()).or_default().push(f);
    }
    if by_rule.is_empty() {
        return format!("### overgrant\n\n{}", summary(page));
    }
    let mut rules: Vec<(&str, Vec<&Reported>)> = by_rule.into_iter().collect();
    rules.sort_by_key(|(rule, fs)| (fs.iter().map(|f| f.severity).max().map(std::cmp::Reverse), *rule));
    let mut out = format!(
        "### overgrant: {}\n\n| severity | rule | findings |\n|---|---|---:|\n",
        counts(page)
    );
    for (rule, fs) in &rules {
        let worst = fs.iter().map(|f| f.severity).max().map_or("", |s| s.name());
        let family = fs.first().map_or("", |f| f.family.as_str());
        let _ = writeln!(out, "| {worst} | [{rule}]({}) | {} |", url(family, rule), fs.len());
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
                cell(&f.finding.message)
            );
        }
        if let Some(help) = fs.first().and_then(|f| f.finding.help.as_deref()) {
            let _ = write!(out, "\n{}\n", cell(help));
        }
        out.push_str("\n</details>\n");
    }
    out
}

/// Without what Markdown would take for HTML.
fn cell(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', " ")
}
