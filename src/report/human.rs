//! For people: the source with its labels, by codespan-reporting.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use codespan_reporting::diagnostic::{Diagnostic, Label as Mark, Severity as Level};
use codespan_reporting::term::{self, Chars, Config, DisplayStyle, Styles, StylesWriter, termcolor};
use rayon::prelude::*;

use super::excerpt::Excerpts;
use super::{FindingOrder, Page, page_url};
use crate::finding::{Label, LabelRole, Severity};
use crate::layout::{Palette, columns, fit, hang};
use crate::phrase::count;
use crate::source::{FileId, one_line};
use crate::triage::{ReportedFinding, Status};
use crate::unjudged::counted_kinds;

/// More labels than this are counted, not shown.
const MAX_LABELS: usize = 6;
/// Findings that are alike, beyond so many, are listed in one line.
const MAX_ALIKE: usize = 5;
/// Places of findings that are listed in one line.
const MAX_PLACES: usize = 5;
/// Columns before the source, and before a note.
const GUTTER: usize = 8;
/// Notes are no wider, however wide the terminal is.
const MAX_PROSE: usize = 120;

/// How severities are called in every output with three levels.
pub(super) fn level(severity: Severity) -> Level {
    match severity {
        Severity::Critical | Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        Severity::Low => Level::Note,
    }
}

pub(super) fn render(page: &Page<'_>) -> String {
    let mut out = Buffer::new(page.options.color);
    let config = Config {
        display_style: if page.options.source {
            DisplayStyle::Rich
        } else {
            DisplayStyle::Medium
        },
        tab_width: 4,
        chars: Chars::box_drawing(),
        ..Config::default()
    };
    let mut alike: BTreeMap<(&str, &str), Vec<&ReportedFinding>> = BTreeMap::new();
    let mut single: Vec<&ReportedFinding> = Vec::new();
    for f in page.ordered(shown_findings(page)) {
        let group = alike.entry((f.rule(), &f.finding.message)).or_default();
        group.push(f);
        if group.len() <= MAX_ALIKE || !page.options.collapse {
            single.push(f);
        }
    }
    let blocks: Vec<String> = single
        .par_iter()
        .map(|f| {
            let mut block = Buffer::new(page.options.color);
            block.diagnostic(page, &config, f);
            fit(&block.finish(), width(page))
        })
        .collect();
    blocks.iter().for_each(|block| out.text(block));
    let mut more: Vec<&Vec<&ReportedFinding>> = alike.values().filter(|g| g.len() > MAX_ALIKE).collect();
    let by_severity = page.options.order == FindingOrder::Severity;
    more.sort_by_key(|g| {
        let first = g[MAX_ALIKE];
        let worst = by_severity.then_some(Reverse(first.severity));
        (worst, first.span(), first.rule())
    });
    if page.options.collapse {
        for group in more {
            let mut block = Buffer::new(page.options.color);
            block.push_rest(page, &config, &group[MAX_ALIKE..]);
            out.text(&fit(&block.finish(), width(page)));
        }
    }
    if page.options.statistics {
        out.text(&statistics(page));
    }
    if page.options.summary {
        out.text(&summary(page));
    }
    out.finish()
}

/// The columns that lines may have.
fn width(page: &Page<'_>) -> usize {
    page.options.width.max(40)
}

/// The findings that are shown, in order.
pub(super) fn shown_findings<'a>(page: &Page<'a>) -> impl Iterator<Item = &'a ReportedFinding> {
    let suppressed = page.options.show_suppressed;
    page.report
        .findings
        .iter()
        .filter(move |f| f.is_active() || (suppressed && f.status == Status::Suppressed))
}

/// Colored or plain bytes.
pub(super) enum Buffer {
    Plain(termcolor::NoColor<Vec<u8>>),
    Coloured(termcolor::Ansi<Vec<u8>>, Box<Styles>),
}

impl Buffer {
    pub(super) fn new(color: bool) -> Self {
        if color {
            Self::Coloured(termcolor::Ansi::new(Vec::new()), Box::default())
        } else {
            Self::Plain(termcolor::NoColor::new(Vec::new()))
        }
    }

    pub(super) fn emit(&mut self, config: &Config, files: &Excerpts, diagnostic: &Diagnostic<usize>) {
        // Writing to memory cannot fail, and every place of a label was put into the excerpts.
        let _ = match self {
            Self::Plain(w) => term::emit_to_io_write(w, config, files, diagnostic),
            Self::Coloured(w, styles) => {
                let mut writer = StylesWriter::new(w, styles);
                term::emit_to_write_style(&mut writer, config, files, diagnostic)
            }
        };
    }

    pub(super) fn text(&mut self, text: &str) {
        let bytes = match self {
            Self::Plain(w) => w.get_mut(),
            Self::Coloured(w, _) => w.get_mut(),
        };
        bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn finish(self) -> String {
        let bytes = match self {
            Self::Plain(w) => w.into_inner(),
            Self::Coloured(w, _) => w.into_inner(),
        };
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn diagnostic(&mut self, page: &Page<'_>, config: &Config, f: &ReportedFinding) {
        let (labels, hidden) = shown_labels(page, f);
        let spans: Vec<_> = labels.iter().map(|l| l.span).collect();
        let name = |file: FileId| linked(page, file);
        let (files, places) = Excerpts::new(page.sources, &page.mask, &spans, width(page) - GUTTER, &name);
        let marks = labels
            .iter()
            .zip(places)
            .map(|(label, place)| {
                let mark = match label.role {
                    LabelRole::Primary => Mark::primary(place.part, place.range),
                    _ => Mark::secondary(place.part, place.range),
                };
                mark.with_message(page.masked(label.text.clone()))
            })
            .collect();
        let mut notes = vec![grade(f)];
        let suppressed = f.suppression.as_ref().map(|s| {
            let reason = s.reason.as_deref().unwrap_or("no reason given");
            one_line(&format!("ignored: {reason} ({}:{})", s.path, s.line)).into_owned()
        });
        notes.extend(suppressed);
        if hidden > 0 {
            let places = if hidden == 1 { "place" } else { "places" };
            notes.push(format!("and {hidden} more {places}"));
        }
        notes.extend(f.finding.notes.iter().map(|n| wrap(page, "note: ", n)));
        notes.extend(folded_note(f).map(|n| wrap(page, "note: ", &n)));
        if let Some(help) = &f.finding.help {
            let tail = format!("(overgrant explain {})", f.rule());
            notes.push(wrapped_with(page, "help: ", help, Some(&tail)));
        }
        notes.extend(f.fixes.first().map(|fix| {
            let (kind, command) = match fix.safe {
                true => ("fix", "overgrant fix"),
                false => ("unsafe fix", "overgrant fix --unsafe"),
            };
            wrapped_with(page, &format!("{kind}: "), &fix.title, Some(&format!("({command})")))
        }));
        let code = if page.options.hyperlinks {
            format!("\u{1b}]8;;{}\u{1b}\\{}\u{1b}]8;;\u{1b}\\", page_url(f.rule()), f.rule())
        } else {
            f.rule().to_owned()
        };
        let diagnostic = Diagnostic::new(level(f.severity))
            .with_code(code)
            .with_message(page.masked(f.finding.message.clone()))
            .with_labels(marks)
            .with_notes(notes);
        self.emit(config, &files, &diagnostic);
        if !page.options.source {
            self.text("\n");
        }
    }

    /// One diagnostic for the findings of a group that are not shown one by one.
    fn push_rest(&mut self, page: &Page<'_>, config: &Config, group: &[&ReportedFinding]) {
        let Some(first) = group.first() else { return };
        let mut places: Vec<String> = group
            .iter()
            .take(MAX_PLACES)
            .map(|f| {
                format!(
                    "{}:{}",
                    page.shown_path(f.span().file),
                    page.sources.positions(f.span()).0.line
                )
            })
            .collect();
        if group.len() > places.len() {
            places.push(format!("… {} more", group.len() - places.len()));
        }
        let diagnostic = Diagnostic::new(level(first.severity))
            .with_code(first.rule())
            .with_message(format!("{}: {} more", first.finding.message, group.len()))
            .with_notes(vec![
                wrap(page, "at ", &places.join(", ")),
                "use --no-collapse to list each".to_owned(),
            ]);
        self.emit(config, &Excerpts::default(), &diagnostic);
        if !page.options.source {
            self.text("\n");
        }
    }
}

/// The labels that are shown, the primary first, and how many are not.
pub(super) fn shown_labels<'f>(page: &Page<'_>, f: &'f ReportedFinding) -> (Vec<&'f Label>, usize) {
    let line = |l: &Label| {
        let (start, end) = page.sources.positions(l.span);
        (l.span.file, start.line, end.line)
    };
    let mut out: Vec<&Label> = Vec::new();
    let mut hidden = 0;
    for label in &f.finding.labels {
        let (file, start, end) = line(label);
        let same = out.iter().any(|o| o.span == label.span);
        let scope = label.role == LabelRole::Scope
            && (start != end || out.first().is_some_and(|p| line(p).0 == file && line(p).1 == start));
        if same || scope {
            continue;
        }
        if out.len() < MAX_LABELS {
            out.push(label);
        } else {
            hidden += 1;
        }
    }
    (out, hidden)
}

/// A file's name; on terminals that can, a link to the file.
fn linked(page: &Page<'_>, file: FileId) -> String {
    let path = page.shown_path(file);
    if !page.options.hyperlinks {
        return path;
    }
    let absolute = crate::source::join_path(&page.options.cwd, page.sources.path(file));
    format!(
        "\u{1b}]8;;file://{}\u{1b}\\{path}\u{1b}]8;;\u{1b}\\",
        super::escape_uri(&absolute)
    )
}

fn grade(f: &ReportedFinding) -> String {
    format!(
        "severity: {}   confidence: {}   fingerprint: {}",
        f.severity.name(),
        f.confidence.name(),
        f.identity.fingerprint
    )
}

pub(super) fn folded_note(f: &ReportedFinding) -> Option<String> {
    let names = &f.finding.folded;
    match names.len() {
        0 => None,
        1 => Some(format!("includes 1 narrower finding: {}", names[0])),
        n => Some(format!("includes {n} narrower findings: {}", names.join(", "))),
    }
}

/// `text` behind `lead`, broken at spaces to fit the width; codespan indents what follows the first line by two.
fn wrap(page: &Page<'_>, lead: &str, text: &str) -> String {
    wrapped_with(page, lead, text, None)
}

/// The same, with a `tail` that is not broken.
fn wrapped_with(page: &Page<'_>, lead: &str, text: &str, tail: Option<&str>) -> String {
    // What is broken into lines is no longer found in one piece.
    let text = page.masked(text.to_owned());
    let words: Vec<&str> = text.split_whitespace().collect();
    let width = width(page).min(MAX_PROSE) - GUTTER;
    let mut out = hang(&format!("{lead}{}", words.join(" ")), width, lead.len());
    if let Some(tail) = tail {
        let last = out.rsplit('\n').next().map_or(0, columns);
        match last + 1 + columns(tail) <= width {
            true => out.push(' '),
            false => {
                out.push('\n');
                out.push_str(&" ".repeat(lead.len()));
            }
        }
        out.push_str(tail);
    }
    out
}

/// "2 critical, 3 high"
pub(super) fn severity_counts(page: &Page<'_>) -> String {
    let parts: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .filter_map(|s| {
            let of_severity = page.active().filter(|f| f.severity == s);
            let n: usize = of_severity.map(ReportedFinding::count).sum();
            (n > 0).then(|| format!("{n} {}", s.name()))
        })
        .collect();
    parts.join(", ")
}

/// How many groups of what was not judged the summary shows.
const MAX_UNJUDGED: usize = 3;

/// The first few of what was not judged.
fn unjudged(page: &Page<'_>) -> String {
    let mut out = String::new();
    let groups = super::unjudged::groups(&page.report.unjudged);
    for group in groups.iter().take(MAX_UNJUDGED) {
        let _ = writeln!(out, "  {}", group.line(page.sources));
    }
    if groups.len() > MAX_UNJUDGED {
        out.push_str("  … (run overgrant policies --unjudged to list all)\n");
    }
    out
}

pub(super) fn summary(page: &Page<'_>) -> String {
    let mut out = fit(&(verdict(page) + &unjudged(page)), width(page));
    out.push_str(&severities(page));
    out.push_str(&next_steps(page));
    out
}

/// A table of what was found, the worst first.
fn severities(page: &Page<'_>) -> String {
    let mut out = String::new();
    for severity in Severity::ALL.into_iter().rev() {
        let found: Vec<&ReportedFinding> = page.active().filter(|f| f.severity == severity).collect();
        if found.is_empty() {
            continue;
        }
        if out.is_empty() {
            out.push_str("\n  severity  findings   files   fixes\n");
        }
        let n: usize = found.iter().map(|f| f.count()).sum();
        let files: BTreeSet<FileId> = found.iter().map(|f| f.span().file).collect();
        let fixes = found.iter().filter(|f| !f.fixes.is_empty()).count();
        let name = page.palette().severity(severity, &format!("{:<8}", severity.name()));
        let _ = writeln!(out, "  {name}  {n:>8}  {:>6}  {fixes:>6}", files.len());
    }
    out
}

/// Steps that the summary names, at most.
const MAX_STEPS: usize = 3;
/// Of so many rules, counts by rule say more than a list.
const MANY_RULES: usize = 3;

/// The commands that a person may want next.
fn next_steps(page: &Page<'_>) -> String {
    let ordered = page.ordered(page.active());
    let Some(first) = ordered.first() else {
        return String::new();
    };
    let rules: BTreeSet<&str> = ordered.iter().map(|f| f.rule()).collect();
    let has_fix = ordered.iter().any(|f| f.fixes.first().is_some_and(|fix| fix.safe));
    let steps = [
        (
            true,
            format!("overgrant explain {}", first.rule()),
            "why it matters, and what to do",
        ),
        (has_fix, "overgrant fix --diff".to_owned(), "what the safe fixes change"),
        (
            rules.len() > MANY_RULES && !page.options.statistics,
            "overgrant check --statistics".to_owned(),
            "how many findings each rule has",
        ),
        (
            page.report.baselines.is_empty() && page.report.compared.is_none(),
            "overgrant baseline create".to_owned(),
            "from now on, only new findings fail",
        ),
    ];
    let applicable: Vec<&(bool, String, &str)> =
        steps.iter().filter(|(applies, ..)| *applies).take(MAX_STEPS).collect();
    let width_of_commands = applicable
        .iter()
        .map(|(_, command, _)| command.len())
        .max()
        .unwrap_or(0);
    let mut out = "\nNext:\n".to_owned();
    for (_, command, what) in applicable {
        let padding = " ".repeat(width_of_commands - command.len());
        let _ = writeln!(out, "  {}{padding}  {what}", page.palette().place(command));
    }
    out
}

/// What was found, and in how much.
pub(super) fn verdict(page: &Page<'_>) -> String {
    verdict_after(page, page.report.stats.elapsed_ms)
}

/// The same, with the milliseconds that the run took, if any.
pub(super) fn verdict_after(page: &Page<'_>, elapsed_ms: Option<u64>) -> String {
    let report = page.report;
    let stats = &report.stats;
    let mut looked = format!(
        "{}, {}, {}",
        count(stats.files, "file", "files"),
        count(stats.policies, "policy", "policies"),
        count(stats.statements, "statement", "statements")
    );
    for (n, what) in [
        (stats.failed, "not read completely"),
        (report.count(Status::Suppressed), "ignored"),
        (
            report.count(Status::Baselined) + report.count(Status::Moved),
            "baselined",
        ),
        (stats.in_tests, "in test code (--tests shows them)"),
        (stats.unjudged_in_tests, "not judged in test code (--tests shows them)"),
    ] {
        if n > 0 {
            let _ = write!(looked, ", {n} {what}");
        }
    }
    if stats.without_context {
        looked.push_str(", analyzed without the repository around them (--no-context)");
    }
    if stats.staged {
        looked.push_str(", from the index (--staged)");
    }
    if let Some(ms) = elapsed_ms {
        let _ = write!(looked, ", {ms} ms");
    }
    let total: usize = page.active().map(ReportedFinding::count).sum();
    let counted = counted_kinds(&report.unjudged);
    if total == 0 {
        let verdict = match &counted {
            Some(what) => {
                let were = if what.starts_with("1 ") && !what.contains(" and ") {
                    "was"
                } else {
                    "were"
                };
                format!("No findings in what could be judged; {what} {were} not judged")
            }
            None if stats.files == 0 => "Nothing to check".to_owned(),
            None => "All clear".to_owned(),
        };
        let compared = report.compared.as_ref();
        let compared = compared.map_or_else(String::new, |with| format!(", compared with {with}"));
        return format!("{verdict}: {looked}{compared}.\n");
    }
    let mut files: Vec<FileId> = page.active().map(|f| f.span().file).collect();
    files.dedup();
    format!(
        "Found {}{} in {}: {}.{}\n{looked}.\n{}",
        count(total, "problem", "problems"),
        (report.compared.as_ref()).map_or_else(String::new, |with| format!(" not in {with}")),
        count(files.len(), "file", "files"),
        severity_counts(page),
        fixable(page),
        counted.map_or_else(String::new, |what| format!("Not judged: {what}.\n"))
    )
}

/// How many of the findings have a fix, and what makes them.
fn fixable(page: &Page<'_>) -> String {
    let has = |safe: bool| {
        let first = |f: &&ReportedFinding| f.fixes.first().is_some_and(|fix| fix.safe == safe);
        page.active().filter(first).count()
    };
    match (has(true), has(false)) {
        (0, 0) => String::new(),
        (safe, 0) => format!("  {} (overgrant fix).", count(safe, "fix", "fixes")),
        (0, risky) => format!(
            "  {} (overgrant fix --unsafe --diff).",
            count(risky, "unsafe fix", "unsafe fixes")
        ),
        (safe, risky) => format!(
            "  {} (overgrant fix), {} (--unsafe).",
            count(safe, "fix", "fixes"),
            count(risky, "unsafe one", "unsafe ones")
        ),
    }
}

/// Counts by rule and severity, the most frequent rule first.
pub(super) fn statistics(page: &Page<'_>) -> String {
    let mut counts: BTreeMap<&str, BTreeMap<Severity, usize>> = BTreeMap::new();
    for f in page.active() {
        *counts.entry(f.rule()).or_default().entry(f.severity).or_default() += f.count();
    }
    let mut rules: Vec<_> = counts.into_iter().collect();
    rules.sort_by_key(|(rule, by_severity)| (Reverse(by_severity.values().sum::<usize>()), *rule));
    let palette: Palette = page.palette();
    let mut out = String::new();
    let rows = rules
        .iter()
        .flat_map(|(rule, by_severity)| by_severity.iter().rev().map(move |(severity, n)| (rule, *severity, n)));
    for (rule, severity, n) in rows {
        let name = palette.severity(severity, &format!("{:<8}", severity.name()));
        let _ = writeln!(out, "{n:>6}  {name}  {rule}");
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
