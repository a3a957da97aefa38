//! What findings are counted and filtered by.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::HtmlPage;
use crate::finding::Severity;
use crate::report::Page;
use crate::triage::ReportedFinding;

/// The findings, counted in several ways.
pub(super) struct Facets<'f> {
    families: FindingFacet<'f>,
    rules: FindingFacet<'f>,
    files: FindingFacet<'f>,
    identities: FindingFacet<'f>,
}

/// The values that findings have of one kind, those of the worst findings first.
struct FindingFacet<'f> {
    /// With the number of findings of each severity.
    rows: Vec<(&'f str, [usize; 4])>,
    index: BTreeMap<&'f str, usize>,
}

impl<'f> FindingFacet<'f> {
    fn new(found: impl Iterator<Item = (&'f str, Severity)>) -> Self {
        let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
        for (value, severity) in found {
            counts.entry(value).or_default()[rank(severity)] += 1;
        }
        let mut rows: Vec<(&str, [usize; 4])> = counts.into_iter().collect();
        rows.sort_by_key(|(value, counts)| (Reverse(counts.iter().rev().copied().collect::<Vec<_>>()), *value));
        let index = rows.iter().enumerate().map(|(i, (value, _))| (*value, i)).collect();
        Self { rows, index }
    }

    fn table(&self, html: HtmlPage<'_>, (facet, title, noun): (&str, &str, &str)) -> String {
        let shown: Vec<Severity> = Severity::ALL
            .into_iter()
            .rev()
            .filter(|s| self.rows.iter().any(|(_, counts)| counts[rank(*s)] > 0))
            .collect();
        if shown.is_empty() {
            return String::new();
        }
        let mut out = format!(
            "<details class=\"facet\" data-facet=\"{facet}\" open>\n<summary>{title} <span class=\"count\">{}</span></summary>\n<div \
             class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">{noun}</th>",
            self.rows.len()
        );
        for severity in &shown {
            let _ = write!(out, "<th scope=\"col\">{}</th>", severity.name());
        }
        out.push_str("<th scope=\"col\">all</th></tr></thead>\n<tbody>\n");
        for (value, counts) in &self.rows {
            let _ = write!(out, "<tr><th scope=\"row\">{}</th>", html.text(value));
            for severity in &shown {
                let _ = match counts[rank(*severity)] {
                    0 => write!(out, "<td></td>"),
                    n => write!(out, "<td>{n}</td>"),
                };
            }
            let _ = writeln!(out, "<td>{}</td></tr>", counts.iter().sum::<usize>());
        }
        out.push_str("</tbody>\n</table>\n</div>\n</details>\n");
        out
    }
}

impl<'f> Facets<'f> {
    pub(super) fn new(page: &Page<'f>, findings: &[&'f ReportedFinding]) -> Self {
        let all = || findings.iter().copied();
        let holders = |f: &'f ReportedFinding| f.finding.subject.holders.names.iter().map(|name| (&**name, f.severity));
        Self {
            families: FindingFacet::new(all().map(|f| (&*f.family, f.severity))),
            rules: FindingFacet::new(all().map(|f| (f.rule(), f.severity))),
            files: FindingFacet::new(all().map(|f| (page.path(f.span()), f.severity))),
            identities: FindingFacet::new(all().flat_map(holders)),
        }
    }

    /// The overview: a table for each kind of value that the findings have.
    pub(super) fn overview(&self, html: HtmlPage<'_>) -> String {
        let tables = [
            self.families.table(html, ("f", "By family", "family")),
            self.rules.table(html, ("r", "By rule", "rule")),
            self.files.table(html, ("p", "By file", "file")),
            self.identities.table(html, ("i", "By identity", "identity")),
        ]
        .concat();
        match tables.is_empty() {
            true => tables,
            false => format!(
                "<section aria-labelledby=\"overview\">\n<h2 id=\"overview\">Overview</h2>\n<div \
                 class=\"facets\">\n{tables}</div>\n</section>\n"
            ),
        }
    }

    /// The values of a finding as attributes: each is the number of a row.
    pub(super) fn attributes(&self, page: &Page<'_>, f: &ReportedFinding) -> String {
        let number = |facet: &FindingFacet<'_>, value: &str| facet.index.get(value).copied().unwrap_or_default();
        let names = f.finding.subject.holders.names.iter();
        let holders: Vec<String> = names.map(|name| number(&self.identities, name).to_string()).collect();
        format!(
            "data-s=\"{}\" data-f=\"{}\" data-r=\"{}\" data-p=\"{}\" data-i=\"{}\"",
            rank(f.severity),
            number(&self.families, &f.family),
            number(&self.rules, f.rule()),
            number(&self.files, page.path(f.span())),
            holders.join(" ")
        )
    }
}

/// 0 is low, 3 is critical.
fn rank(severity: Severity) -> usize {
    match severity {
        Severity::Low => 0,
        Severity::Medium => 1,
        Severity::High => 2,
        Severity::Critical => 3,
    }
}
