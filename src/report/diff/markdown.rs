//! A comparison as a comment on a pull request.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::entries::{DiffEntry, PathEntry};
use super::{DiffPage, NAMED, denied, moved, place, request, undecided};
use crate::finding::Severity;
use crate::source::{Span, one_line};

/// Items of a list that are named where it is folded.
const NAMED_IN_FULL: usize = 20;
/// Characters of a comment. GitHub's limit of one.
const MAX_COMMENT: usize = 65_536;
/// Lines of a comment.
const MAX_LINES: usize = 15;
/// Lines that say that there is more, with the empty line before.
const FOLD_LINES: usize = 2;

/// One entry of the list: a line, and one below it.
struct MarkdownItem {
    lines: Vec<String>,
    /// The same where it is folded, which is longer.
    in_full: Vec<String>,
}

/// For pull requests.
pub fn diff_markdown(page: &DiffPage<'_>) -> String {
    let mut head = String::new();
    let heading = match page.is_empty() {
        true => "No access is gained or lost".to_owned(),
        false => format!("Access: {}", page.counts()),
    };
    let _ = writeln!(
        head,
        "**{heading}** ({} → {})",
        code(page.old.name),
        code(page.new.name)
    );
    if let Some(assumed) = page.assumption() {
        let _ = writeln!(head, "\nCompared {assumed}.");
    }
    let items = items(page);
    if items.is_empty() {
        return head;
    }
    head.push('\n');
    let lines: usize = items.iter().map(|i| i.lines.len()).sum();
    let left = MAX_LINES.saturating_sub(head.lines().count());
    let shown = match lines <= left {
        true => items.len(),
        false => {
            let mut rest = left.saturating_sub(FOLD_LINES);
            let fits = |item: &&MarkdownItem| {
                let fits = item.lines.len() <= rest;
                rest = rest.saturating_sub(item.lines.len());
                fits
            };
            items.iter().take_while(fits).count()
        }
    };
    let mut out = head;
    for item in &items[..shown] {
        let _ = writeln!(out, "- {}", item.lines.join("  \n  "));
    }
    if shown < items.len() {
        fold(&mut out, &items[shown..]);
    }
    out
}

/// What is not shown at once is one line, in the HTML that GitHub folds.
fn fold(out: &mut String, items: &[MarkdownItem]) {
    let _ = write!(out, "\n<details><summary>{} more</summary><ul>", items.len());
    for (n, item) in items.iter().enumerate() {
        let text: Vec<String> = item.in_full.iter().map(|line| html(line)).collect();
        let text = format!("<li>{}</li>", text.join("<br>"));
        if out.len() + text.len() > MAX_COMMENT - 200 {
            let _ = write!(out, "<li>… and {} more</li>", items.len() - n);
            break;
        }
        out.push_str(&text);
    }
    out.push_str("</ul></details>\n");
}

/// The worst first, and what is lost after what is gained.
fn items(page: &DiffPage<'_>) -> Vec<MarkdownItem> {
    let mut gained: Vec<(Reverse<Severity>, MarkdownItem)> = Vec::new();
    let mut lost: Vec<MarkdownItem> = Vec::new();
    for (list, is_gain) in [(&page.gained, true), (&page.lost, false)] {
        for entry in DiffEntry::all(list, is_gain) {
            let severity = entry.first.change.severity;
            let item = change(page, &entry);
            match is_gain {
                true => gained.push((Reverse(severity), item)),
                false => lost.push(item),
            }
        }
    }
    for (list, is_gain) in [(&page.opened, true), (&page.closed, false)] {
        for entry in PathEntry::all(list, is_gain) {
            let item = path(page, &entry);
            match is_gain {
                true => gained.push((Reverse(entry.first.path.severity), item)),
                false => lost.push(item),
            }
        }
    }
    gained.sort_by_key(|(severity, _)| *severity);
    let mut out: Vec<MarkdownItem> = gained.into_iter().map(|(_, item)| item).chain(lost).collect();
    let line = |text: String| vec![one_line(&page.masked(text)).into_owned()];
    let rest = undecided(&page.unknown)
        .into_iter()
        .map(|(subjects, u)| format!("unknown: {subjects}: {}{}", u.why, place(page, u)));
    let rest = rest.chain(page.moved.iter().map(|m| format!("moved: {}", moved(page, m))));
    out.extend(rest.map(|text| MarkdownItem {
        in_full: line(text.clone()),
        lines: line(text),
    }));
    out
}

fn at(page: &DiffPage<'_>, span: Span, is_gain: bool) -> String {
    let sources = page.side(is_gain).sources;
    match span.is_in_source() {
        true => format!("{}:{}", sources.path(span.file), sources.positions(span).0.line),
        false => "a managed policy of AWS".to_owned(),
    }
}

fn marked(severity: Severity, is_gain: bool) -> String {
    match is_gain {
        true => format!("**{}** ", severity.name()),
        false => String::new(),
    }
}

fn change(page: &DiffPage<'_>, entry: &DiffEntry<'_>) -> MarkdownItem {
    let c = &entry.first.change;
    let denied = denied(page, entry).map(|d| format!("; {d}")).unwrap_or_default();
    let place = at(page, c.span, entry.is_gain);
    let lines = |most: usize| {
        let first = format!(
            "{}{} ({place}{denied})",
            marked(c.severity, entry.is_gain),
            entry.sentence(most)
        );
        let both = [first, format!("Request: {}", request(&c.request))];
        both.map(|text| one_line(&page.masked(text)).into_owned()).to_vec()
    };
    MarkdownItem {
        lines: lines(NAMED),
        in_full: lines(NAMED_IN_FULL),
    }
}

fn path(page: &DiffPage<'_>, entry: &PathEntry<'_>) -> MarkdownItem {
    let p = &entry.first;
    let verb = if entry.is_gain { "opens" } else { "closes" };
    let place = p.span.map(|span| format!(" ({})", at(page, span, entry.is_gain)));
    let text = format!(
        "{}path {verb}: {}{}",
        marked(p.path.severity, entry.is_gain),
        entry.sentence(),
        place.unwrap_or_default()
    );
    let lines = vec![one_line(&page.masked(text)).into_owned()];
    MarkdownItem {
        in_full: lines.clone(),
        lines,
    }
}

fn code(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'"))
}

/// A line of Markdown as HTML: what is between backticks is code, and between double stars strong.
fn html(line: &str) -> String {
    let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut out = String::new();
    for (n, part) in escaped.split('`').enumerate() {
        match n % 2 {
            0 => out.push_str(&part.replace("**", "")),
            _ => drop(write!(out, "<code>{part}</code>")),
        }
    }
    out
}
