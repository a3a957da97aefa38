//! What takes findings out: comments, CloudFormation `Metadata`, `[[exception]]`, and other tools' markers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::comments::{Directive, directives};
use super::suppression::{
    EndReason, ForeignSuppression, SuppressedRule, SuppressionEntry, SuppressionFault, SuppressionKind,
    SuppressionReach, SuppressionState,
};
use super::{ReportedFinding, Suppression, TriageOptions, scope_spans};
use crate::iam::glob::{self, CaseSensitivity};
use crate::project::Project;
use crate::settings::{Date, Exception, Selector, Settings, markers};
use crate::source::{FileId, LineIndex, Sources, Span};
use crate::value::Value;

/// All suppressions of a run.
pub(super) struct Suppressions<'a, 't> {
    sources: &'a Sources,
    terms: &'a TriageOptions<'t>,
    pub(super) entries: Vec<SuppressionEntry>,
    by_file: BTreeMap<FileId, Vec<usize>>,
    exceptions: Vec<(&'t Settings, &'t Exception)>,
    /// Extents of resources in files with other tools' markers.
    resources: Vec<Span>,
    unhonoured: Cell<BTreeMap<String, usize>>,
    /// Whether another tool's marker stands anywhere in a file: asked once a file, since most have none.
    marked: RefCell<BTreeMap<FileId, bool>>,
}

impl<'a, 't> Suppressions<'a, 't> {
    pub(super) fn new(project: &'a Project<'_>, terms: &'a TriageOptions<'t>) -> Self {
        let mut book = Self {
            sources: project.sources,
            terms,
            entries: Vec::new(),
            by_file: BTreeMap::new(),
            exceptions: Vec::new(),
            resources: project.resources.iter().map(|r| r.extent).collect(),
            unhonoured: Cell::default(),
            marked: RefCell::default(),
        };
        if !terms.ignores {
            return book;
        }
        book.comments(project);
        book.metadata(project);
        book.exceptions(project.sources);
        for (i, entry) in book.entries.iter().enumerate() {
            let files: Vec<FileId> = match &entry.reach {
                SuppressionReach::Line(file, _) | SuppressionReach::File(file) => vec![*file],
                SuppressionReach::Inside(spans) => spans.iter().map(|s| s.file).collect(),
                SuppressionReach::Exception(_) => Vec::new(),
            };
            for file in files {
                let list = book.by_file.entry(file).or_default();
                if list.last() != Some(&i) {
                    list.push(i);
                }
            }
        }
        book
    }

    fn settings(&self, file: FileId) -> &'t Settings {
        (self.terms.settings)(self.sources.path(file))
    }

    fn comments(&mut self, project: &Project<'_>) {
        let mut extents: Vec<Span> = project.extents.clone();
        extents.sort();
        extents.dedup();
        for file in self.sources.ids().filter(|file| self.sources.is_analyzed(*file)) {
            for d in directives(self.sources, file) {
                let from = extents.partition_point(|s| s.file < file);
                let to = extents.partition_point(|s| s.file <= file);
                let reach = covered_range(self.sources, &extents[from..to], file, &d);
                let standing = self.state_of(file, &d);
                let text = Suppression {
                    kind: SuppressionKind::Inline,
                    reason: d.reason.clone(),
                    until: d.until.and_then(|(date, _)| date),
                    owner: None,
                    path: self.sources.path(file).to_owned(),
                    line: d.line,
                };
                self.entries.push(SuppressionEntry {
                    named: d
                        .ids
                        .into_iter()
                        .map(|(id, span)| suppressed_rule(id, Some(span)))
                        .collect(),
                    reach,
                    sid: None,
                    text,
                    span: Some(d.span),
                    until: d.until.map(|(_, span)| span),
                    standing,
                });
            }
        }
    }

    fn state_of(&self, file: FileId, d: &Directive) -> SuppressionState {
        if let Some(fault) = d.fault {
            return SuppressionState::Faulty(fault);
        }
        if let Some((None, span)) = d.until {
            return SuppressionState::Ended(EndReason::NotADate(self.sources.slice(span).to_owned()));
        }
        let until = d.until.and_then(|(date, _)| date);
        self.state_until(self.settings(file), until, d.reason.is_some())
    }

    fn state_until(&self, settings: &Settings, until: Option<Date>, has_reason: bool) -> SuppressionState {
        let today = self.terms.today;
        if let Some(until) = until
            && until < today
        {
            return SuppressionState::Ended(EndReason::Expired(until));
        }
        if settings.max_ignore_days > 0 {
            match until {
                None => return SuppressionState::Ended(EndReason::Missing),
                Some(until) if until.days() - today.days() > settings.max_ignore_days => {
                    return SuppressionState::Ended(EndReason::TooFar(settings.max_ignore_days));
                }
                Some(_) => {}
            }
        }
        if settings.require_reason && !has_reason {
            return SuppressionState::NoReason;
        }
        SuppressionState::Good
    }

    /// `Metadata: {overgrant: {ignore: [{id: …, sid: …, reason: …, until: …}]}}` on a resource.
    fn metadata(&mut self, project: &Project<'_>) {
        for r in &project.resources {
            let Some(list) = r.metadata.as_ref().and_then(|m| m.path(&["overgrant", "ignore"])) else {
                continue;
            };
            for item in list.items() {
                let ids = item.get("id").unwrap_or(item);
                let named: Vec<SuppressedRule> = ids
                    .items()
                    .iter()
                    .filter_map(|v| v.as_str().map(|s| suppressed_rule(s.into_owned(), Some(v.span))))
                    .collect();
                let field = |key: &str| item.get(key).and_then(Value::as_str).map(|s| s.trim().to_owned());
                let reason = field("reason").filter(|r| !r.is_empty());
                let until = item.get("until");
                let date = field("until").as_deref().and_then(Date::parse);
                let file = item.span.file;
                let standing = match (named.is_empty(), until, date) {
                    (true, ..) => SuppressionState::Faulty(SuppressionFault::NoRuleInMetadata),
                    (_, Some(_), None) => SuppressionState::Ended(EndReason::NotADate("until".to_owned())),
                    _ => self.state_until(self.settings(file), date, reason.is_some()),
                };
                self.entries.push(SuppressionEntry {
                    named,
                    reach: SuppressionReach::Inside(vec![r.extent]),
                    sid: field("sid"),
                    text: Suppression {
                        kind: SuppressionKind::Metadata,
                        reason,
                        until: date,
                        owner: field("owner"),
                        path: self.sources.path(file).to_owned(),
                        line: self.sources.positions(item.span).0.line,
                    },
                    span: Some(item.span),
                    until: until.map(|v| v.span),
                    standing,
                });
            }
        }
    }

    fn exceptions(&mut self, sources: &'a Sources) {
        let mut seen: Vec<*const Settings> = Vec::new();
        for file in sources.ids() {
            let settings = self.settings(file);
            if seen.contains(&std::ptr::from_ref(settings)) {
                continue;
            }
            seen.push(std::ptr::from_ref(settings));
            for e in &settings.exceptions {
                let (path, line) = settings.location(e.range.start);
                let span = settings_line(sources, path, line);
                self.entries.push(SuppressionEntry {
                    named: e.rules.iter().map(|r| suppressed_rule(r.name.clone(), span)).collect(),
                    reach: SuppressionReach::Exception(self.exceptions.len()),
                    sid: e.sid.clone(),
                    text: Suppression {
                        kind: SuppressionKind::Config,
                        reason: e.reason().map(str::to_owned),
                        until: e.until,
                        owner: e.owner.clone(),
                        path: path.to_owned(),
                        line,
                    },
                    span,
                    until: None,
                    standing: self.state_until(settings, e.until, e.reason().is_some()),
                });
                self.exceptions.push((settings, e));
            }
        }
    }

    /// The exception of an entry, and whether a file that was read is under its pattern.
    pub(super) fn applicable_exception(&self, entry: &SuppressionEntry) -> Option<bool> {
        let SuppressionReach::Exception(i) = entry.reach else {
            return None;
        };
        let (settings, e) = self.exceptions[i];
        let known = self
            .sources
            .find(&entry.text.path)
            .is_some_and(|f| self.sources.file(f).in_scope);
        let in_play = known
            && self.sources.ids().any(|id| {
                let file = self.sources.file(id);
                file.in_scope && settings.covers(&e.path, &(self.terms.absolute)(&file.path))
            });
        Some(in_play)
    }

    /// Where the path of an exception stands, and the path, if no file matches it.
    pub(super) fn unmatched_path(&self, entry: &SuppressionEntry) -> Option<(Span, &'t str)> {
        let SuppressionReach::Exception(i) = entry.reach else {
            return None;
        };
        let (settings, e) = self.exceptions[i];
        let is_unmatched = self.terms.unmatched.iter().any(|glob| std::ptr::eq(*glob, &e.path));
        let (path, bytes) = settings.place_of(&e.path).filter(|_| is_unmatched)?;
        let file = self.sources.find(path)?;
        Some((Span::new(file, bytes.start, bytes.end), &e.path.written))
    }

    /// What takes `f` out, if anything does. Marks what it finds as used.
    pub(super) fn suppression(&self, f: &ReportedFinding) -> Option<Suppression> {
        let span = f.span();
        let line = self.sources.file(span.file).lines().line(span.start as usize);
        let mut found: Option<&SuppressionEntry> = None;
        let of_file = self
            .by_file
            .get(&span.file)
            .into_iter()
            .flatten()
            .map(|&i| &self.entries[i]);
        let everywhere = self
            .entries
            .iter()
            .filter(|e| matches!(e.reach, SuppressionReach::Exception(_)));
        for entry in of_file.chain(everywhere) {
            let reaches = self.covers(entry, f, line);
            // It may be there for one of those that are counted and not reported.
            if !reaches && f.finding.more == 0 {
                continue;
            }
            for named in &entry.named {
                let id = self.terms.ruleset.current_name(&named.id);
                let takes = is_allowed(id) && Selector::from(id).covers(&f.family, f.rule());
                // A rule that another one took in did fire here.
                if takes || f.finding.folded.iter().any(|r| r == id) {
                    named.used.set(true);
                }
                if reaches && takes && entry.standing == SuppressionState::Good && found.is_none() {
                    found = Some(entry);
                }
            }
        }
        found
            .map(|e| e.text.clone())
            .or_else(|| self.foreign_suppression(f, line))
    }

    /// The exception that names `f` by its fingerprint, if one does. Marks it as used.
    pub(super) fn by_fingerprint(&self, f: &ReportedFinding) -> Option<Suppression> {
        let named = |e: &&SuppressionEntry| matches!(e.reach, SuppressionReach::Exception(i) if self.exceptions[i].1.fingerprint.is_some());
        let mut entries = self.entries.iter().filter(named);
        let entry = entries.find(|e| e.standing == SuppressionState::Good && self.covers(e, f, 0))?;
        let current = |id: &str| Selector::from(self.terms.ruleset.current_name(id));
        let takes = |id: &str| is_allowed(id) && current(id).covers(&f.family, f.rule());
        let rule = entry.named.iter().find(|n| takes(&n.id))?;
        rule.used.set(true);
        Some(entry.text.clone())
    }

    /// Whether `print` is the finding's fingerprint, or was under a name that its rule had before.
    fn has_fingerprint(&self, f: &ReportedFinding, print: &str) -> bool {
        let names = self.terms.ruleset.get(f.rule()).map_or(&[][..], |r| r.renamed_from());
        print == f.identity.fingerprint || names.iter().any(|old| print == f.identity.with_rule(old))
    }

    fn covers(&self, entry: &SuppressionEntry, f: &ReportedFinding, line: usize) -> bool {
        let span = f.span();
        if entry.sid.is_some() && entry.sid != f.finding.subject.sid {
            return false;
        }
        match &entry.reach {
            SuppressionReach::File(file) => *file == span.file,
            SuppressionReach::Inside(spans) => spans.iter().any(|s| {
                s.contains(Span {
                    end: span.start,
                    ..span
                })
            }),
            SuppressionReach::Line(file, at) => {
                let lines: &LineIndex = self.sources.file(*file).lines();
                *file == span.file
                    && (*at == line
                        || scope_spans(&f.finding).any(|s| s.file == *file && lines.line(s.start as usize) == *at))
            }
            SuppressionReach::Exception(i) => self.exception_reaches(self.exceptions[*i], f),
        }
    }

    fn exception_reaches(&self, (settings, e): (&Settings, &Exception), f: &ReportedFinding) -> bool {
        let subject = &f.finding.subject;
        let evidence = &f.finding.evidence;
        let has = |list: &[String], wanted: &str| list.iter().any(|i| i.eq_ignore_ascii_case(wanted));
        let wild = |wanted: &str, text: &str| glob::matches(wanted, text, CaseSensitivity::Sensitive);
        let path = self.sources.path(f.span().file);
        settings.covers(&e.path, &(self.terms.absolute)(path))
            && e.pointer.as_deref().is_none_or(|p| is_under(&subject.pointer, p))
            && e.resource.as_deref().is_none_or(|r| wild(r, &subject.address))
            && e.action.as_deref().is_none_or(|a| has(&evidence.actions, a))
            && e.principal.as_deref().is_none_or(|p| has(&evidence.principals, p))
            && e.fingerprint.as_deref().is_none_or(|p| self.has_fingerprint(f, p))
    }

    fn foreign_suppression(&self, f: &ReportedFinding, line: usize) -> Option<Suppression> {
        let span = f.span();
        let text: &str = self.sources.text(span.file);
        let lines = self.sources.file(span.file).lines();
        let mut marked = self.marked.borrow_mut();
        if !*marked
            .entry(span.file)
            .or_insert_with(|| markers::ALL.iter().any(|m| text.contains(m)))
        {
            return None;
        }
        let (marker, at) = self.marker(f, text, lines, line)?;
        if !self.terms.ignores || !self.settings(span.file).honor_foreign.iter().any(|m| m.0 == marker) {
            let mut counts = self.unhonoured.take();
            *counts.entry(marker.to_owned()).or_default() += 1;
            self.unhonoured.set(counts);
            return None;
        }
        Some(Suppression {
            kind: SuppressionKind::ForeignSuppression,
            reason: Some(marker.to_owned()),
            until: None,
            owner: None,
            path: self.sources.path(span.file).to_owned(),
            line: lines.line(at),
        })
    }

    /// Another tool's marker that speaks of this finding, and where it stands.
    fn marker(&self, f: &ReportedFinding, text: &str, lines: &LineIndex, line: usize) -> Option<(&'static str, usize)> {
        let start = lines.start_of(line);
        let end = text[start..].find(['\n', '\r']).map_or(text.len(), |i| start + i);
        let own = &text[start..end];
        if f.family == "credentials" {
            for marker in [markers::GITLEAKS, markers::DETECT_SECRETS, markers::BANDIT] {
                if let Some(i) = own.find(marker) {
                    return Some((marker, start + i));
                }
            }
        }
        let span = f.span();
        let block = self
            .resources
            .iter()
            .filter(|r| r.contains(span))
            .min_by_key(|r| r.len());
        // Trivy's comments stand above the block, checkov's inside it.
        let from = match block {
            Some(b) => lines.start_of(lines.line(b.start as usize).saturating_sub(1).max(1)),
            None => lines.start_of(line.saturating_sub(1).max(1)),
        };
        let to = block.map_or(end, |b| (b.end as usize).min(text.len()));
        let near = text.get(from..to.max(from))?;
        for (marker, before_id) in [(markers::CHECKOV, "="), (markers::TRIVY, ":")] {
            for (i, _) in near.match_indices(marker) {
                let rest = near[i + marker.len()..].strip_prefix(before_id).unwrap_or("");
                let id: &str = rest
                    .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
                    .next()
                    .unwrap_or("");
                let rule = self.terms.ruleset.get(f.rule())?;
                if !id.is_empty() && rule.docs().peers.iter().any(|p| peer_id(p).eq_ignore_ascii_case(id)) {
                    return Some((marker, from + i));
                }
            }
        }
        None
    }

    /// Markers that did not count.
    pub(super) fn foreign(&self) -> Vec<ForeignSuppression> {
        let counts = self.unhonoured.take();
        counts
            .into_iter()
            .map(|(marker, findings)| ForeignSuppression { marker, findings })
            .collect()
    }

    /// Suppressions in use that end within 30 days.
    pub(super) fn ending(&self, reported: &[ReportedFinding]) -> Vec<(Suppression, i64)> {
        let mut out: Vec<(Suppression, i64)> = Vec::new();
        for s in reported.iter().filter_map(|f| f.suppression.as_ref()) {
            if let Some(until) = s.until {
                let left = until.days() - self.terms.today.days();
                if left <= 30 && !out.iter().any(|(o, _)| o == s) {
                    out.push((s.clone(), left));
                }
            }
        }
        out
    }
}

/// The ID in `checkov CKV_AWS_1`.
fn peer_id(peer: &str) -> &str {
    peer.rsplit(' ').next().unwrap_or(peer)
}

/// There is no blanket ignore.
pub(super) fn is_allowed(id: &str) -> bool {
    id != "all" && !id.bytes().all(|b| b == b'*')
}

fn suppressed_rule(id: String, span: Option<Span>) -> SuppressedRule {
    SuppressedRule {
        id,
        span,
        used: Cell::new(false),
    }
}

/// JSON pointer `pointer` is `top` or lies under it.
fn is_under(pointer: &str, top: &str) -> bool {
    pointer
        .strip_prefix(top.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The text of a line of a settings file that is among the sources.
fn settings_line(sources: &Sources, path: &str, line: usize) -> Option<Span> {
    let file = sources.find(path)?;
    let text: &str = sources.text(file);
    let start = sources.file(file).lines().start_of(line);
    let end = text[start..].find(['\n', '\r']).map_or(text.len(), |i| start + i);
    Some(Span::new(file, start, end))
}

/// What a comment covers: its line, or the node that starts on the next line with code. In Python, a comment after the
/// bracket or quotes that end a node covers that node.
fn covered_range(sources: &Sources, extents: &[Span], file: FileId, d: &Directive) -> SuppressionReach {
    if d.whole_file {
        return SuppressionReach::File(file);
    }
    let text: &str = sources.text(file);
    let lines = sources.file(file).lines();
    if !d.own_line {
        let code = text[lines.start_of(d.line)..d.span.start as usize].trim_end();
        let closes = code.ends_with([')', ']', '}', '"', '\'']) && sources.path(file).ends_with(".py");
        let end = lines.start_of(d.line) + code.len();
        let ending = extents
            .iter()
            .filter(|s| s.end as usize == end && !is_block(sources, **s));
        return match ending.max_by_key(|s| s.len()) {
            Some(node) if closes && lines.line(node.start as usize) < d.line => {
                SuppressionReach::Inside(vec![*node, line_span(sources, file, d.line)])
            }
            _ => SuppressionReach::Line(file, d.line),
        };
    }
    let mut line = d.line + 1;
    while line <= lines.count() {
        let start = lines.start_of(line);
        let end = if line < lines.count() {
            lines.start_of(line + 1)
        } else {
            text.len()
        };
        let code = text[start..end].trim();
        let comment = code.is_empty()
            || (["#", "//", "/*", "<!--"].iter().any(|o| code.starts_with(o)) && !code.ends_with(['{', '[', '(']));
        if comment {
            line += 1;
            continue;
        }
        let whole = whole_file(text);
        let starting: Vec<Span> = extents
            .iter()
            .copied()
            .filter(|s| (start..end).contains(&(s.start as usize)))
            .collect();
        // A file's root starts where its first entry does; the entry is meant.
        let smaller = starting.iter().filter(|s| s.range() != whole).max_by_key(|s| s.len());
        let node = smaller.or_else(|| starting.iter().max_by_key(|s| s.len())).copied();
        let own = line_span(sources, file, line);
        return SuppressionReach::Inside(node.into_iter().chain([own]).collect());
    }
    SuppressionReach::Line(file, d.line)
}

/// From the first to the last character that is not white space, comments at the top left out.
fn whole_file(text: &str) -> std::ops::Range<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let t = line.trim_start_matches('\u{feff}').trim();
        if t.is_empty() || t.starts_with('#') || t.starts_with("//") || t == "---" {
            start += line.len();
        } else {
            start += line.len() - line.trim_start().len();
            break;
        }
    }
    start.min(text.len())..text.trim_end().len()
}

/// A Python statement with a body: its end is the end of the last statement in it.
fn is_block(sources: &Sources, span: Span) -> bool {
    let head = sources
        .slice(span)
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or("");
    matches!(
        head,
        "def" | "class" | "if" | "for" | "while" | "with" | "try" | "async" | "match" | "else" | "elif" | "except"
    )
}

fn line_span(sources: &Sources, file: FileId, line: usize) -> Span {
    let text: &str = sources.text(file);
    let start = sources.file(file).lines().start_of(line);
    let end = text[start..].find(['\n', '\r']).map_or(text.len(), |i| start + i);
    Span::new(file, start, end)
}
