//! A comparison for people, with the source.

use codespan_reporting::diagnostic::{Diagnostic, Label as Mark};
use codespan_reporting::term::{Chars, Config};

use super::super::excerpt::Excerpts;
use super::super::human::{Buffer, level};
use super::entries::{DiffEntry, PathEntry};
use super::{DiffPage, NAMED, denied, moved, place, request, undecided};
use crate::finding::Severity;
use crate::layout::fit;
use crate::source::{FileId, Span, push_line};

/// Columns before the source.
const GUTTER: usize = 8;

/// For people, with the source.
pub fn diff_human(page: &DiffPage<'_>, width: usize, color: bool) -> String {
    let mut out = Buffer::new(color);
    let gained = DiffEntry::all(&page.gained, true);
    let lost = DiffEntry::all(&page.lost, false);
    for entry in gained.iter().chain(&lost) {
        let c = &entry.first.change;
        let mut notes = vec![format!("request: {}", request(&c.request))];
        notes.extend(denied(page, entry));
        let sentence = entry.sentence(NAMED);
        out.text(&block(
            page,
            c.span,
            entry.is_gain,
            c.severity,
            sentence,
            notes,
            (width, color),
        ));
    }
    let opened = PathEntry::all(&page.opened, true);
    let closed = PathEntry::all(&page.closed, false);
    for entry in opened.iter().chain(&closed) {
        let p = &entry.first;
        let at = p.span.unwrap_or(Span::NOWHERE);
        let severity = p.path.severity;
        let needs = p.path.hops.iter().map(|hop| format!("{}: {}", hop.by, hop.to.text()));
        let title = format!(
            "path {}: {}",
            if entry.is_gain { "opened" } else { "closed" },
            entry.sentence()
        );
        out.text(&block(
            page,
            at,
            entry.is_gain,
            severity,
            title,
            needs.collect(),
            (width, color),
        ));
    }
    let mut rest = String::new();
    for (subjects, u) in undecided(&page.unknown) {
        push_line(
            &mut rest,
            &page.masked(format!("unknown: {subjects}: {}{}", u.why, place(page, u))),
        );
    }
    for m in &page.moved {
        push_line(&mut rest, &page.masked(format!("moved: {}", moved(page, m))));
    }
    for p in page
        .old
        .errors
        .iter()
        .map(|p| (p, false))
        .chain(page.new.errors.iter().map(|p| (p, true)))
    {
        let side = page.side(p.1);
        let at = side.sources.positions(p.0.span).0;
        let path = side.sources.path(p.0.span.file);
        push_line(
            &mut rest,
            &format!("{path}:{}:{}: not read: {}", at.line, at.column, p.0.message),
        );
    }
    let end = match page.is_empty() {
        true => "nothing is gained or lost".to_owned(),
        false => page.counts(),
    };
    let assumed = page.assumption().map(|a| format!(", {a}")).unwrap_or_default();
    push_line(&mut rest, &format!("{end}{assumed}"));
    out.text(&rest);
    out.finish()
}

/// One change with its source.
fn block(
    page: &DiffPage<'_>,
    at: Span,
    is_gain: bool,
    severity: Severity,
    sentence: String,
    notes: Vec<String>,
    (width, color): (usize, bool),
) -> String {
    let side = page.side(is_gain);
    let name = |file: FileId| side.sources.path(file).to_owned();
    let spans: Vec<Span> = at.is_in_source().then_some(at).into_iter().collect();
    let (files, places) = Excerpts::new(side.sources, &side.mask, &spans, width - GUTTER, &name);
    let label = match is_gain {
        true => "allows it",
        false => "allowed it",
    };
    let marks = places
        .into_iter()
        .map(|place| Mark::primary(place.part, place.range).with_message(label));
    let diagnostic = Diagnostic::new(level(if is_gain { severity } else { Severity::Low }))
        .with_message(page.masked(sentence))
        .with_labels(marks.collect())
        .with_notes(notes.into_iter().map(|n| page.masked(n)).collect());
    let config = Config {
        tab_width: 4,
        chars: Chars::box_drawing(),
        ..Config::default()
    };
    let mut out = Buffer::new(color);
    out.emit(&config, &files, &diagnostic);
    fit(&out.finish(), width)
}
