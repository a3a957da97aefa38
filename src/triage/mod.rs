//! From findings to a report: folding, suppressions, configuration, order.
//!
//! **Invariant:** the same findings in any order give the same report, byte for byte; what is suppressed or known stays in
//! the report, with the reason; nothing of a secret enters a fingerprint.

mod baseline;
mod comments;
mod fingerprint;
mod fold;
mod holders;
#[cfg(feature = "cli")]
mod merge;
mod renderings;
mod stale;
mod suppress;
mod suppression;
mod unite;
mod unjudged;

use crate::finding::{Confidence, Finding, Fix, LabelRole, Severity};
use crate::iam::DocumentOrigin;
use crate::project::Project;
use crate::rules::{Rule, RuleId, Ruleset, ids};
use crate::secrets::Mask;
use crate::settings::{Date, FailOn, Glob, NAMES, Settings};
use crate::source::{FileId, Problem, ProblemKind, Sources, Span, file_name, one_line};
use crate::unjudged::{Language, Unjudged, UnjudgedReason, sorted};

pub use baseline::{Baseline, BaselineEntry, BaselineFate, Comparison, Extent, FILE as BASELINE_FILE, LoadedBaseline};
pub use fingerprint::FindingIdentity;
#[cfg(feature = "cli")]
pub use merge::merge_reports;
pub use suppression::{ForeignSuppression, SuppressionKind};

/// What settling needs in addition to the findings.
#[derive(Clone, Copy)]
pub struct TriageOptions<'a> {
    pub ruleset: &'a Ruleset,
    /// The settings that govern the file shown under this path.
    pub settings: &'a dyn Fn(&str) -> &'a Settings,
    /// The absolute path of the file shown under this path.
    pub absolute: &'a dyn Fn(&str) -> String,
    /// Whether the file shown under this path is test code.
    pub is_test: &'a dyn Fn(&str) -> bool,
    /// Where the paths in fingerprints start: the git root or, without one, the folder of the settings or the working
    /// directory. Absolute.
    pub root: &'a str,
    pub today: Date,
    /// All of the repository was analyzed, so that a suppression that nothing needs is unused.
    pub is_whole: bool,
    /// Suppressions count.
    pub ignores: bool,
    /// Paths of exceptions that match no file.
    pub unmatched: &'a [&'a Glob],
    /// An unused suppression is an error.
    pub strict_ignores: bool,
    pub baseline: Option<LoadedBaseline<'a>>,
    /// What an earlier revision has: it is left out of the report.
    pub earlier: Option<LoadedBaseline<'a>>,
}

impl TriageOptions<'_> {
    /// Nothing is reported of what stands there: test code grants nothing and calls no account.
    /// `span` is `None` for a file as a whole.
    pub fn excludes_test_code(&self, project: &Project<'_>, path: &str, span: Option<Span>) -> bool {
        let inside = span.is_some_and(|s| project.is_in_test_code(s));
        !(self.settings)(path).tests && (inside || (self.is_test)(path))
    }
}

impl std::fmt::Debug for TriageOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    New,
    /// In the baseline.
    Baselined,
    /// In the baseline under another path.
    Moved,
    Suppressed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Baselined => "baselined",
            Self::Moved => "moved",
            Self::Suppressed => "suppressed",
        }
    }
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub kind: SuppressionKind,
    pub reason: Option<String>,
    pub until: Option<Date>,
    pub owner: Option<String>,
    /// Where it is written: path as shown, and line.
    pub path: String,
    pub line: usize,
}

/// A finding as it is reported.
#[derive(Clone, Debug)]
pub struct ReportedFinding {
    pub finding: Finding,
    pub severity: Severity,
    pub confidence: Confidence,
    pub family: String,
    pub identity: FindingIdentity,
    pub status: Status,
    pub suppression: Option<Suppression>,
    /// Severe enough, where it stands, to make the exit code 1.
    pub fails: bool,
    /// What would make it go away, as it would be written: `fix::write` fills it in.
    pub fixes: Vec<Fix>,
}

impl ReportedFinding {
    pub fn rule(&self) -> &str {
        &self.finding.rule
    }

    /// The primary label's place.
    pub fn span(&self) -> Span {
        self.finding.span().expect("only findings with a place are reported")
    }

    /// How many findings it tells of: itself, and those that it counts.
    pub fn count(&self) -> usize {
        1 + self.finding.more
    }

    fn suppress(&mut self, by: Option<Suppression>) {
        if by.is_some() {
            self.status = Status::Suppressed;
            self.suppression = by;
        }
    }

    /// Whether it is to be acted on.
    pub fn is_active(&self) -> bool {
        self.status == Status::New
    }
}

/// Everything that renderers show.
#[derive(Debug, Default)]
pub struct Report {
    /// By path, start, rule. Suppressed and known ones too.
    pub findings: Vec<ReportedFinding>,
    pub errors: Vec<Problem>,
    /// What was not judged: in order, each once.
    pub unjudged: Vec<Unjudged>,
    /// Understood in part, on purpose: the first place of each file and message.
    pub unevaluated: Vec<Problem>,
    pub stats: Stats,
    /// Findings that carry other tools' markers, which do not count.
    pub foreign: Vec<ForeignSuppression>,
    /// Suppressions that end soon, with the days that are left.
    pub ending: Vec<(Suppression, i64)>,
    /// Of each repository that has one.
    pub baselines: Vec<BaselineStats>,
    /// Only findings that an earlier revision does not have are reported.
    pub compared: Option<ComparedRevision>,
    /// Bytes that must not be shown.
    pub secrets: Vec<Span>,
    /// A rule broke down: the run could not do all of its work.
    pub broken: bool,
    /// The settings want the exit code 1 for something that was not judged.
    pub fails_unjudged: bool,
}

impl Report {
    /// Those that are to be acted on.
    pub fn active(&self) -> impl Iterator<Item = &ReportedFinding> {
        self.findings.iter().filter(|f| f.is_active())
    }

    pub fn count(&self, status: Status) -> usize {
        self.findings.iter().filter(|f| f.status == status).count()
    }

    /// Adds what others than settling know of, and leaves out what is in test code. A snapshot, which a test makes, shows what
    /// the application itself makes.
    pub fn add_unjudged(
        &mut self,
        more: impl IntoIterator<Item = Unjudged>,
        project: &Project<'_>,
        terms: &TriageOptions<'_>,
    ) {
        self.unjudged.extend(more);
        let (left_out, kept): (Vec<_>, Vec<_>) =
            sorted(std::mem::take(&mut self.unjudged)).into_iter().partition(|u| {
                u.why != UnjudgedReason::Language(Language::Snapshot)
                    && terms.excludes_test_code(project, &u.path, u.span)
            });
        self.stats.unjudged_in_tests += left_out.iter().filter(|u| u.counts()).count();
        self.unjudged = kept;
    }

    /// Whether the exit code is 1.
    pub fn fails(&self) -> bool {
        self.fails_unjudged || self.active().any(|f| f.fails)
    }
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub files: usize,
    pub skipped: usize,
    /// Ours, and not wholly read; folders that cannot be listed count too.
    pub failed: usize,
    pub policies: usize,
    pub statements: usize,
    /// Findings in test code that are not reported.
    pub in_tests: usize,
    /// What was not judged in test code, and is not listed.
    pub unjudged_in_tests: usize,
    /// The files were analyzed without the repository around them.
    pub without_context: bool,
    /// The files of the Git index were analyzed.
    pub staged: bool,
    pub bytes: u64,
    pub elapsed_ms: Option<u64>,
}

/// What a run was compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedRevision {
    /// As the user named it.
    pub reference: String,
    /// The commit from which it and `HEAD` went separate ways: its findings are known.
    pub merge_base: String,
}

impl std::fmt::Display for ComparedRevision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = self.merge_base.get(..7).unwrap_or(&self.merge_base);
        write!(f, "{} (merge base {short})", one_line(&self.reference))
    }
}

/// How the run compares with the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaselineStats {
    pub path: String,
    /// Entries that nothing matches any more.
    pub fixed: usize,
}

/// Makes the report. `findings` are complete (severity, confidence, help); their order does not matter.
pub fn triage(project: &Project<'_>, findings: Vec<Finding>, terms: &TriageOptions<'_>) -> Report {
    let sources = project.sources;
    let secrets = secrets(&findings);
    let mask = Mask::new(sources, &secrets);
    let renderings = renderings::Renderings::new(project);
    // What was not asked for is a part of it up to the end: whatever was named, the rest is the same.
    let mut findings: Vec<Finding> = findings
        .into_iter()
        .filter(|f| !renderings.is_generated(f, project))
        .collect();
    sort(&mut findings);
    let mut findings = fold::dedupe(findings);
    fold::fold(&mut findings, project, terms.ruleset);
    if fold::gather_shared_values(&mut findings, project) {
        sort(&mut findings);
        findings = fold::merge_alike(findings);
        fold::fold(&mut findings, project, terms.ruleset);
    }
    fold::count_in_message(&mut findings);

    let ruled = |findings: Vec<Finding>| -> Vec<ReportedFinding> {
        let mut reported: Vec<ReportedFinding> = findings
            .into_iter()
            .filter_map(|f| apply_grade(sources, f, terms))
            .collect();
        fingerprint::identify(sources, &mut reported, terms, &mask);
        reported
    };
    let book = suppress::Suppressions::new(project, terms);
    let mut reported = ruled(findings);
    for f in &mut reported {
        let suppression = book.suppression(f);
        f.suppress(suppression);
    }
    // Each part has been asked for its own suppression before they become one.
    let left_out = |f: &ReportedFinding| is_in_excluded_test_code(project, f, terms);
    let united = unite::unite_findings(&mut reported, sources, terms.ruleset, &left_out);
    if !united.is_empty() {
        fingerprint::identify(sources, &mut reported, terms, &mask);
        for i in united {
            let suppression = book.by_fingerprint(&reported[i]);
            reported[i].suppress(suppression);
        }
    }
    renderings.unite_renderings(&mut reported, sources, &left_out);
    let mut extra = stale::findings(&book, project, terms);
    sort(&mut extra);
    reported.extend(ruled(extra));
    reported.sort_by(|a, b| (a.span(), &a.finding.rule).cmp(&(b.span(), &b.finding.rule)));
    let baseline = (terms.baseline).map(|known| baseline::apply(&known, sources, &mut reported));
    if let Some(earlier) = &terms.earlier {
        baseline::remove_known(earlier, sources, &mut reported);
    }
    reported.retain(|f| in_scope(sources, &f.finding) && is_shown(sources, f, terms));
    let mut in_tests = 0;
    reported.retain(|f| {
        let left_out = is_in_excluded_test_code(project, f, terms);
        if left_out && f.is_active() {
            in_tests += f.count();
        }
        !left_out
    });
    holders::name_holders(project, &mut reported);

    Report {
        errors: errors(project),
        unjudged: sorted(unjudged::collect(project)),
        unevaluated: unevaluated(project),
        stats: Stats {
            in_tests,
            without_context: !terms.is_whole,
            ..stats(project)
        },
        foreign: book.foreign(),
        ending: book.ending(&reported),
        findings: reported,
        baselines: baseline.into_iter().collect(),
        compared: None,
        secrets,
        broken: false,
        fails_unjudged: false,
    }
}

/// One of the labels lies in a file that is in scope. Settings are read whatever was asked for: they count only where they
/// are what the finding is about.
fn in_scope(sources: &Sources, finding: &Finding) -> bool {
    let settings = |path: &str| NAMES.contains(&file_name(path));
    finding.labels.iter().any(|l| {
        let file = sources.file(l.span.file);
        file.in_scope && (l.role == LabelRole::Primary || !settings(&file.path))
    })
}

/// By place, rule and message: file ids are ordered by path.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| (a.span(), &a.rule, &a.message).cmp(&(b.span(), &b.rule, &b.message)));
}

fn secrets(findings: &[Finding]) -> Vec<Span> {
    let mut spans: Vec<Span> = findings.iter().flat_map(|f| f.secrets.iter().copied()).collect();
    spans.sort();
    spans.dedup();
    spans
}

/// Gives a finding the grade that the settings of its file ask for; `None` where they do not run its rule.
fn apply_grade(sources: &Sources, finding: Finding, terms: &TriageOptions<'_>) -> Option<ReportedFinding> {
    let path = sources.path(finding.span()?.file);
    let settings = (terms.settings)(path);
    let rule: Option<&Rule> = terms.ruleset.get(&finding.rule);
    let family = rule.map_or("tool", Rule::family).to_owned();
    let on = settings.selection.as_ref().is_none_or(|s| s.is_on(&finding.rule))
        || is_always_reported(settings, &family, finding.rule);
    let (ignored, fail_on) = settings.for_file(&(terms.absolute)(path));
    if !on || ignored.iter().any(|s| s.covers(&family, &finding.rule)) {
        return None;
    }
    let mut finding = finding.sanitized();
    let severity = settings
        .severities
        .get(&*finding.rule)
        .copied()
        .or(finding.severity)
        .unwrap_or_else(|| rule.map_or(Severity::High, Rule::severity));
    let confidence = finding
        .confidence
        .unwrap_or_else(|| rule.map_or(Confidence::High, Rule::confidence));
    // Findings that were made here have no help yet.
    if finding.help.is_none() {
        finding.help = rule.map(|r| r.help().to_owned());
    }
    Some(ReportedFinding {
        severity,
        confidence,
        family,
        identity: FindingIdentity::default(),
        status: Status::New,
        suppression: None,
        fails: is_failure(&finding, severity, fail_on),
        fixes: Vec::new(),
        finding,
    })
}

/// An input that could not be read is reported whatever was selected, unless it was switched off by name.
fn is_always_reported(settings: &Settings, family: &str, rule: RuleId) -> bool {
    matches!(rule, ids::UNREADABLE_INPUT | ids::JSON_SYNTAX_ERROR)
        && !settings.ignore.iter().any(|s| s.covers(family, &rule))
}

fn is_failure(finding: &Finding, severity: Severity, fail_on: FailOn) -> bool {
    match fail_on.severity() {
        Some(least) => severity >= least || finding.rule == ids::UNREADABLE_INPUT,
        None => false,
    }
}

fn is_shown(sources: &Sources, f: &ReportedFinding, terms: &TriageOptions<'_>) -> bool {
    let settings = (terms.settings)(sources.path(f.span().file));
    f.severity >= settings.min_severity && f.confidence >= settings.min_confidence
}

/// A finding in test code. A credential that looks real opens what it opens; the ID of a key, without its secret, is not one.
fn is_in_excluded_test_code(project: &Project<'_>, f: &ReportedFinding, terms: &TriageOptions<'_>) -> bool {
    let span = f.span();
    let names_only = matches!(
        f.finding.rule,
        ids::AWS_ACCESS_KEY_ID | ids::AWS_TEMPORARY_ACCESS_KEY_ID
    );
    let secret = !f.finding.secrets.is_empty() && !names_only && !f.rule().contains("password");
    let credential = f.severity >= Severity::High && secret;
    !credential && terms.excludes_test_code(project, project.sources.path(span.file), Some(span))
}

fn is_error(problem: &Problem) -> bool {
    is_unread(problem) || matches!(problem.kind, ProblemKind::Settings | ProblemKind::Rule)
}

fn is_unread(problem: &Problem) -> bool {
    matches!(problem.kind, ProblemKind::Syntax | ProblemKind::Input)
}

fn errors(project: &Project<'_>) -> Vec<Problem> {
    let mut errors: Vec<Problem> = project
        .problems
        .iter()
        .filter(|p| is_error(p) && project.sources.file(p.span.file).in_scope)
        .cloned()
        .collect();
    errors.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    errors.dedup();
    errors
}

fn unevaluated(project: &Project<'_>) -> Vec<Problem> {
    let mut seen = std::collections::BTreeSet::new();
    let is = |p: &&Problem| p.kind == ProblemKind::NotEvaluated && project.sources.file(p.span.file).in_scope;
    let first = |p: &&Problem| seen.insert((p.span.file, p.message.clone()));
    project.problems.iter().filter(is).filter(first).cloned().collect()
}

fn stats(project: &Project<'_>) -> Stats {
    let sources = project.sources;
    let unread = errors(project).into_iter().filter(is_unread);
    let mut failed: Vec<FileId> = unread.map(|p| p.span.file).collect();
    failed.dedup();
    let written: Vec<_> = project
        .documents
        .iter()
        .filter(|d| matches!(d.origin, DocumentOrigin::Written))
        .filter(|d| {
            let mut places = d.used_at.iter().map(|u| u.span).chain([d.span]);
            places.any(|span| sources.file(span.file).in_scope)
        })
        .collect();
    let mut places: Vec<(Span, usize)> = written.iter().map(|d| (d.span, d.statements.len())).collect();
    places.sort();
    places.dedup_by_key(|(span, _)| *span);
    Stats {
        files: sources.ids().filter(|id| sources.file(*id).in_scope).count(),
        failed: failed.len(),
        policies: places.len(),
        statements: places.iter().map(|(_, n)| n).sum(),
        ..Stats::default()
    }
}

/// The first line of every label whose role is `Scope`.
fn scope_spans(finding: &Finding) -> impl Iterator<Item = Span> + '_ {
    finding
        .labels
        .iter()
        .filter(|l| l.role == LabelRole::Scope)
        .map(|l| l.span)
}
