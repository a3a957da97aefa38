//! The report for a browser: one file that loads nothing, with every finding in it. Without its script it is a list.

mod facets;
mod finding;

use std::fmt::Write as _;

use facets::Facets;

use super::human::{shown_findings, verdict_after};
use super::offline::{PALETTE, content_policy, filled};
use super::unjudged::groups;
use super::{FindingOrder, Page, escape_uri, offline};
use crate::phrase::count;
use crate::source::{Position, Problem};
use crate::triage::ReportedFinding;
use crate::unjudged::counted_kinds;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const CODE: &str = include_str!("page.js");

/// Longer lists are folded.
const MAX_OPEN: usize = 8;

pub(super) fn render(page: &Page<'_>) -> String {
    let html = HtmlPage { page };
    let findings = page.ordered(shown_findings(page));
    let facets = Facets::new(page, &findings);
    let style = format!("\n{PALETTE}{STYLE}");
    let script = format!("\n{CODE}");
    let facts = crate::iam::catalogue().data_date();
    filled(
        PAGE,
        &[
            ("<!--policy-->", &content_policy(&style, &script)),
            ("<!--style-->", &style),
            ("<!--verdict-->", &html.verdict()),
            ("<!--problems-->", &html.problems()),
            ("<!--overview-->", &facets.overview(html)),
            ("<!--findings-->", &html.findings(&findings, &facets)),
            ("<!--rules-->", &html.rules(&findings)),
            ("<!--version-->", env!("CARGO_PKG_VERSION")),
            ("<!--facts-->", facts),
            ("<!--script-->", &script),
        ],
    )
}

/// Writes texts of a page: without secrets, and with nothing in them that is markup.
#[derive(Clone, Copy)]
struct HtmlPage<'p> {
    page: &'p Page<'p>,
}

impl HtmlPage<'_> {
    fn text(self, text: &str) -> String {
        offline::markup_line(&self.page.masked(text.to_owned()))
    }

    /// With what stands between back-ticks as code.
    fn prose(self, text: &str) -> String {
        offline::markup_prose(&self.page.masked(text.to_owned()))
    }

    /// Paragraphs, of a text in which an empty line separates them.
    fn paragraphs(self, text: &str) -> String {
        let paragraphs = text
            .split("\n\n")
            .map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
        paragraphs
            .filter(|p| !p.is_empty())
            .map(|p| format!("<p>{}</p>\n", self.prose(&p)))
            .collect()
    }

    fn location(self, path: &str, at: Position) -> String {
        self.text(&format!("{path}:{}:{}", at.line, at.column))
    }

    /// What was found, and whether all was judged.
    fn verdict(self) -> String {
        let report = self.page.report;
        let judged = counted_kinds(&report.unjudged).is_none() && report.errors.is_empty() && !report.broken;
        let found = report.active().next().is_some();
        let class = match (found, judged && report.stats.files > 0) {
            (true, _) => "bad",
            (false, false) => "warn",
            (false, true) => "good",
        };
        // The time that the run took would make another file of the same report.
        let text = verdict_after(self.page, None);
        let mut lines = text.lines();
        let mut out = format!(
            "<p class=\"verdict {class}\">{}</p>\n",
            self.prose(lines.next().unwrap_or_default())
        );
        for line in lines {
            let _ = writeln!(out, "<p>{}</p>", self.prose(line));
        }
        if report.broken {
            out.push_str("<p class=\"warn\">A rule failed with an internal error: not everything was checked.</p>\n");
        }
        out
    }

    /// What could not be read or judged.
    fn problems(self) -> String {
        let (page, report) = (self.page, self.page.report);
        let mut out = String::new();
        let problem = |p: &Problem| {
            let at = page.sources.positions(p.span).0;
            format!(
                "<li><code>{}</code> {}</li>\n",
                self.location(page.path(p.span), at),
                self.prose(&p.message)
            )
        };
        if !report.errors.is_empty() {
            let _ = writeln!(
                out,
                "<h3 id=\"unread\">Not read completely ({})</h3>\n<ul class=\"problems\">\n{}</ul>",
                report.errors.len(),
                report.errors.iter().map(problem).collect::<String>()
            );
        }
        let counted = counted_kinds(&report.unjudged);
        let has_unjudged = counted.is_some();
        if let Some(counted) = counted {
            let groups = groups(&report.unjudged);
            let open = if groups.len() > MAX_OPEN { "" } else { " open" };
            let _ = writeln!(
                out,
                "<details id=\"unjudged\"{open}><summary>{}</summary>\n<ul class=\"problems\">",
                self.text(&counted)
            );
            for group in &groups {
                let (place, text) = group.parts(page.sources);
                let _ = writeln!(out, "<li><code>{}</code> {}</li>", self.text(&place), self.prose(&text));
            }
            out.push_str("</ul>\n</details>\n");
        }
        if !report.unevaluated.is_empty() {
            let _ = writeln!(
                out,
                "<details><summary>Understood in part: {}</summary>\n<ul class=\"problems\">\n{}</ul>\n</details>",
                count(report.unevaluated.len(), "place", "places"),
                report.unevaluated.iter().map(problem).collect::<String>()
            );
        }
        let heading = match report.errors.is_empty() && !has_unjudged {
            true => "Understood in part",
            false => "Not judged",
        };
        match out.is_empty() {
            true => out,
            false => {
                format!("<section aria-labelledby=\"problems\">\n<h2 id=\"problems\">{heading}</h2>\n{out}</section>\n")
            }
        }
    }

    /// The findings below a heading for each severity, the worst first.
    fn findings(self, findings: &[&ReportedFinding], facets: &Facets<'_>) -> String {
        let mut out = String::new();
        let mut number = 0;
        let mut rest = findings;
        while let Some(first) = rest.first() {
            let severity = first.severity;
            // In the order of paths, severities alternate.
            let (same, others) = match self.page.options.order {
                FindingOrder::Severity => rest.split_at(rest.iter().take_while(|f| f.severity == severity).count()),
                FindingOrder::Path => (rest, &[][..]),
            };
            let heading = match self.page.options.order {
                FindingOrder::Severity => severity.name(),
                FindingOrder::Path => "By path",
            };
            let _ = writeln!(
                out,
                "<section class=\"group\">\n<h3>{heading} <span class=\"count\">{}</span></h3>\n<ol role=\"list\">",
                same.len()
            );
            for f in same {
                self.push_finding(&mut out, f, number, facets);
                number += 1;
            }
            out.push_str("</ol>\n</section>\n");
            rest = others;
        }
        // Scripts draw the list from this text, a part at a time: as elements, thousands of findings make a browser slow.
        match findings.is_empty() {
            true => "<p class=\"none\">There are no findings.</p>\n".to_owned(),
            false => format!("<noscript>\n{out}</noscript>\n"),
        }
    }

    /// What each rule that found something is about.
    fn rules(self, findings: &[&ReportedFinding]) -> String {
        let mut ids: Vec<&str> = findings.iter().map(|f| f.rule()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut out = String::new();
        for rule in ids.iter().filter_map(|id| self.page.ruleset.get(id)) {
            let id = rule.id();
            let _ = writeln!(
                out,
                "<details id=\"rule-{}\">\n<summary><code>{}</code> <span>{}</span></summary>\n<div class=\"body\">\n<p>Family: {}. \
                 Severity: {}. Confidence: {}.</p>\n{}<p><b>Help:</b> {}</p>\n<p><code>overgrant explain {}</code> shows \
                 examples.</p>\n</div>\n</details>",
                offline::markup(&escape_uri(&id)),
                self.text(&id),
                self.prose(rule.title()),
                self.text(rule.family()),
                rule.severity().name(),
                rule.confidence().name(),
                self.paragraphs(&rule.docs().why),
                self.prose(rule.help()),
                self.text(&id)
            );
        }
        match out.is_empty() {
            true => out,
            false => format!("<section aria-labelledby=\"rules\">\n<h2 id=\"rules\">Rules</h2>\n{out}</section>\n"),
        }
    }
}
