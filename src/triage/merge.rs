//! One report of several, each of which is about a repository of its own.

use super::{Report, ReportedFinding, Stats};
use crate::finding::{Cause, Label};
use crate::source::{FileId, Problem, Sources, Span};
use crate::unjudged::sorted;

/// Where the files of one report are among those of all.
struct Moves(Vec<FileId>);

impl Moves {
    fn span(&self, span: &mut Span) {
        if span.is_in_source() {
            span.file = self.0.get(span.file.0 as usize).copied().unwrap_or(Span::NOWHERE.file);
        }
    }

    fn finding(&self, f: &mut ReportedFinding) {
        let ReportedFinding { finding, fixes, .. } = f;
        let labels = finding.labels.iter_mut().chain(&mut finding.flow);
        let labels = labels.map(|Label { span, .. }| span);
        let edits = fixes
            .iter_mut()
            .flat_map(|fix| &mut fix.edits)
            .map(|edit| &mut edit.span);
        labels
            .chain(&mut finding.secrets)
            .chain(edits)
            .for_each(|span| self.span(span));
        if let Cause::Place(span) = &mut finding.cause {
            self.span(span);
        }
        // They have become fixes.
        finding.remedies.clear();
    }

    fn problem(&self, p: &mut Problem) {
        self.span(&mut p.span);
        p.text.iter_mut().for_each(|span| self.span(span));
    }
}

/// Joins reports, each with the paths of its files in the order of their ids. `sources` has all of these files.
pub fn merge_reports(parts: impl IntoIterator<Item = (Report, Vec<String>)>, sources: &Sources) -> Report {
    let mut all = Report::default();
    for (mut part, paths) in parts {
        let place = |path: String| sources.find(&path).unwrap_or(Span::NOWHERE.file);
        let moves = Moves(paths.into_iter().map(place).collect());
        part.findings.iter_mut().for_each(|f| moves.finding(f));
        let problems = part.errors.iter_mut().chain(&mut part.unevaluated);
        problems.for_each(|p| moves.problem(p));
        let unjudged = part.unjudged.iter_mut().filter_map(|u| u.span.as_mut());
        unjudged.chain(&mut part.secrets).for_each(|span| moves.span(span));
        all.add(part);
    }
    all.findings
        .sort_by(|a, b| (a.span(), &a.finding.rule).cmp(&(b.span(), &b.finding.rule)));
    all.errors
        .sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    all.unjudged = sorted(std::mem::take(&mut all.unjudged));
    all.secrets.sort();
    all.secrets.dedup();
    all
}

impl Report {
    fn add(&mut self, part: Self) {
        let Self {
            findings,
            errors,
            unjudged,
            unevaluated,
            stats,
            foreign,
            ending,
            baselines,
            compared,
            secrets,
            broken,
            fails_unjudged,
        } = part;
        self.findings.extend(findings);
        self.errors.extend(errors);
        self.unjudged.extend(unjudged);
        self.unevaluated.extend(unevaluated);
        self.stats.add(&stats);
        for more in foreign {
            match self.foreign.iter_mut().find(|known| known.marker == more.marker) {
                Some(known) => known.findings += more.findings,
                None => self.foreign.push(more),
            }
        }
        self.ending.extend(ending);
        self.baselines.extend(baselines);
        self.compared = self.compared.take().or(compared);
        self.secrets.extend(secrets);
        self.broken |= broken;
        self.fails_unjudged |= fails_unjudged;
    }
}

impl Stats {
    fn add(&mut self, more: &Self) {
        let Self {
            files,
            skipped,
            failed,
            policies,
            statements,
            in_tests,
            unjudged_in_tests,
            without_context,
            staged,
            bytes,
            elapsed_ms,
        } = more;
        self.files += files;
        self.skipped += skipped;
        self.failed += failed;
        self.policies += policies;
        self.statements += statements;
        self.in_tests += in_tests;
        self.unjudged_in_tests += unjudged_in_tests;
        self.without_context |= without_context;
        self.staged |= staged;
        self.bytes += bytes;
        self.elapsed_ms = self.elapsed_ms.max(*elapsed_ms);
    }
}
