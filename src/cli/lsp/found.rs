//! What is found, as it is kept between edits: with the places of the protocol, and without anything of the analysis.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location,
    NumberOrString, Range, Uri,
};

use super::text::{Lines, Units};
use super::uri;
use crate::cli::run::Loaded;
use crate::finding::{Confidence, Fix, LabelRole, Severity};
use crate::report::page_url;
use crate::secrets::Mask;
use crate::source::{Problem, Sources, Span, one_line};
use crate::triage::{Report, ReportedFinding};
use crate::unjudged::{Unjudged, UnjudgedReason};

/// The name of the server, as its diagnostics have it.
pub(super) const SOURCE: &str = "overgrant";
/// The code of what was not judged.
const NOT_JUDGED: &str = "not-judged";

/// A range of a file, by its absolute path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FilePlace {
    pub(super) path: String,
    pub(super) range: Range,
}

/// An edit of one or several files that makes a finding go away.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FoundFix {
    pub(super) title: String,
    pub(super) is_safe: bool,
    pub(super) edits: Vec<(FilePlace, String)>,
}

/// One finding, problem, or thing that was not judged, in the file whose list holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeptFinding {
    pub(super) diagnostic: Diagnostic,
    /// The rule; `None` if it is not a finding.
    pub(super) rule: Option<String>,
    pub(super) fingerprint: String,
    pub(super) severity: Option<Severity>,
    pub(super) confidence: Option<Confidence>,
    pub(super) notes: Vec<String>,
    pub(super) help: Option<String>,
    pub(super) fixes: Vec<FoundFix>,
}

/// By absolute path.
pub(super) type FoundByFile = BTreeMap<String, Vec<KeptFinding>>;

/// Makes what is kept of a report.
pub(super) struct Keeper<'r> {
    pub(super) read: &'r Loaded<'r>,
    pub(super) sources: &'r Sources,
    pub(super) report: &'r Report,
    pub(super) units: Units,
}

impl Keeper<'_> {
    pub(super) fn keep(&self) -> FoundByFile {
        let mask = Mask::new(self.sources, &self.report.secrets);
        let mut kept = FoundByFile::new();
        let mut add = |(path, found): (String, KeptFinding)| kept.entry(path).or_default().push(found);
        self.report.active().for_each(|f| add(self.finding(f, &mask)));
        let covered: Vec<Span> = self.report.active().map(ReportedFinding::span).collect();
        let errors = self.report.errors.iter().filter(|p| !covered.contains(&p.span));
        errors.for_each(|p| add(self.problem(p, &mask)));
        for u in self.report.unjudged.iter().filter(|u| u.counts()) {
            if !self.is_covered(u, &covered)
                && let Some(found) = self.unjudged(u, &mask)
            {
                add(found);
            }
        }
        kept
    }

    fn place(&self, span: Span) -> FilePlace {
        let file = self.sources.file(span.file);
        FilePlace {
            path: self.read.governing.absolute(&file.path),
            range: Lines::new(&file.text, file.lines(), self.units).range(span.range()),
        }
    }

    fn finding(&self, f: &ReportedFinding, mask: &Mask) -> (String, KeptFinding) {
        let place = self.place(f.span());
        let masked = |text: &str| mask.text(text.to_owned());
        let mut message = masked(&f.finding.message);
        let primary = f.finding.labels.iter().find(|l| l.role == LabelRole::Primary);
        // `grants 58 actions` after a message that says so tells nothing new.
        let is_said = |label: &str| message.contains(label.split([',', ';']).next().unwrap_or(label));
        if let Some(label) = primary.filter(|l| !l.text.is_empty() && !is_said(&l.text)) {
            message.push_str(&format!(": {}", masked(&label.text)));
        }
        let others = f.finding.labels.iter().chain(&f.finding.flow);
        let others = others.filter(|l| l.role != LabelRole::Primary && !l.text.is_empty());
        let mut related: Vec<DiagnosticRelatedInformation> = Vec::new();
        for label in others {
            let information = self.related(&self.place(label.span), masked(&label.text));
            related.extend(information.filter(|new| !related.contains(new)));
        }
        let fixes: Vec<FoundFix> = f.fixes.iter().map(|fix| self.fix(fix)).collect();
        let removes = |fix: &Fix| fix.edits.iter().all(|edit| edit.text.trim().is_empty());
        let diagnostic = Diagnostic {
            range: place.range,
            severity: Some(match f.severity {
                Severity::Critical | Severity::High => DiagnosticSeverity::ERROR,
                Severity::Medium => DiagnosticSeverity::WARNING,
                Severity::Low => DiagnosticSeverity::INFORMATION,
            }),
            code: Some(NumberOrString::String(f.rule().to_owned())),
            code_description: Uri::from_str(&page_url(f.rule()))
                .ok()
                .map(|href| CodeDescription { href }),
            source: Some(SOURCE.to_owned()),
            message,
            related_information: Some(related).filter(|related| !related.is_empty()),
            tags: f.fixes.iter().any(removes).then(|| vec![DiagnosticTag::UNNECESSARY]),
            data: Some(f.identity.fingerprint.clone().into()),
        };
        let found = KeptFinding {
            diagnostic,
            rule: Some(f.rule().to_owned()),
            fingerprint: f.identity.fingerprint.clone(),
            severity: Some(f.severity),
            confidence: Some(f.confidence),
            notes: f.finding.notes.iter().map(|note| masked(note)).collect(),
            help: f.finding.help.as_deref().map(masked),
            fixes,
        };
        (place.path, found)
    }

    fn related(&self, place: &FilePlace, message: String) -> Option<DiagnosticRelatedInformation> {
        let location = Location::new(uri::of_path(&place.path)?, place.range);
        Some(DiagnosticRelatedInformation { location, message })
    }

    fn fix(&self, fix: &Fix) -> FoundFix {
        let edits = fix.edits.iter();
        FoundFix {
            title: fix.title.clone(),
            is_safe: fix.safe,
            edits: edits.map(|edit| (self.place(edit.span), edit.text.clone())).collect(),
        }
    }

    fn problem(&self, p: &Problem, mask: &Mask) -> (String, KeptFinding) {
        let place = self.place(p.span);
        let message = mask.text(one_line(&p.message).into_owned());
        let found = plain(place.range, DiagnosticSeverity::WARNING, "unreadable-input", message);
        (place.path, found)
    }

    /// A finding or a problem says the same.
    fn is_covered(&self, u: &Unjudged, covered: &[Span]) -> bool {
        let mut errors = self.report.errors.iter().map(|p| p.span).chain(covered.iter().copied());
        match (u.span, &u.why) {
            (Some(span), UnjudgedReason::Broken(_)) => {
                errors.any(|e| e == span || e.file == span.file && span.contains(e))
            }
            (Some(span), _) => self.report.errors.iter().any(|p| p.span == span),
            (None, UnjudgedReason::Unread(_) | UnjudgedReason::Broken(_)) => {
                errors.any(|e| self.sources.path(e.file) == u.path)
            }
            (None, _) => false,
        }
    }

    fn unjudged(&self, u: &Unjudged, mask: &Mask) -> Option<(String, KeptFinding)> {
        let place = match u.span {
            Some(span) => self.place(span),
            None => FilePlace {
                path: self.read.governing.absolute(&u.path),
                range: Range::default(),
            },
        };
        let message = format!(
            "{} not judged: {}",
            u.noun().0,
            mask.text(one_line(&u.text()).into_owned())
        );
        let mut found = plain(place.range, DiagnosticSeverity::INFORMATION, NOT_JUDGED, message);
        let causes = u.causes.iter();
        let related =
            causes.filter_map(|cause| self.related(&self.place(cause.span), mask.text(cause.name.to_string())));
        found.diagnostic.related_information = Some(related.collect::<Vec<_>>()).filter(|all| !all.is_empty());
        Some((place.path, found))
    }
}

/// What is no finding.
pub(super) fn plain(range: Range, severity: DiagnosticSeverity, code: &str, message: String) -> KeptFinding {
    KeptFinding {
        diagnostic: Diagnostic {
            range,
            severity: Some(severity),
            code: Some(NumberOrString::String(code.to_owned())),
            source: Some(SOURCE.to_owned()),
            message,
            ..Diagnostic::default()
        },
        rule: None,
        fingerprint: String::new(),
        severity: None,
        confidence: None,
        notes: Vec::new(),
        help: None,
        fixes: Vec::new(),
    }
}
