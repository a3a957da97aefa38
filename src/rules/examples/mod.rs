//! The proof of a rule: its examples, run in every format.
//!
//! **Invariant:** a bad example gives exactly the marked places for its rule, a good one none; the same runner serves our
//! own tests and `test-rules`.

mod forms;
mod marked;
mod marks;

pub use forms::Form;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::options::{OptionValues, RuleOptions};
use super::spec::{OwnTable, RuleExample};
use super::{Rule, Ruleset, Selection};
use crate::evidence::Evidence;
use crate::finding::{Finding, LabelRole};
use crate::iam::{Document, Ownership};
use crate::pipeline::analyze;
use crate::project::{EvidenceFile, Project, ProjectEvidence};
use crate::source::{Sources, Span};
use crate::terms::PolicyKind;
use marks::Marks;
pub(super) use marks::without_marks;

/// The file of an example that is evidence of what was used.
const EVIDENCE: &str = "evidence.txt";

/// One example in one form: what is run and what is expected.
#[derive(Clone, Debug)]
pub struct ExampleCase {
    pub rule: String,
    pub title: String,
    pub bad: bool,
    pub form: Form,
    /// Path to text without marks.
    pub files: BTreeMap<String, String>,
    marks: BTreeMap<String, Marks>,
    own: Ownership,
    options: OptionValues,
    /// What a bare document must be taken for, or the form does not show what the example says.
    wanted: Option<(PolicyKind, Option<String>)>,
}

/// What running a case gave.
#[derive(Debug, Default)]
pub struct CaseOutcome {
    /// Findings of the case's rule.
    pub findings: Vec<Finding>,
    pub sources: Sources,
    /// Why the case fails; empty when it holds.
    pub wrong: Vec<String>,
}

/// Every case of a rule: its examples as they are and corrected, and bare policies in every form that can hold them.
pub fn cases(rule: &Rule) -> Vec<ExampleCase> {
    let examples = &rule.docs().examples;
    let corrected: Vec<RuleExample> = examples.bad.iter().filter_map(RuleExample::corrected).collect();
    let bad = examples.bad.iter().map(|e| (e, true));
    bad.chain(examples.good.iter().chain(&corrected).map(|e| (e, false)))
        .flat_map(|(e, bad)| cases_of(&rule.id(), e, bad))
        .collect()
}

fn cases_of(rule: &str, e: &RuleExample, bad: bool) -> Vec<ExampleCase> {
    let own = ownership(&e.own);
    let case = |form: Form, files: BTreeMap<String, String>| {
        let mut case = ExampleCase {
            rule: rule.to_owned(),
            title: e.title.clone(),
            bad,
            form,
            files: BTreeMap::new(),
            marks: BTreeMap::new(),
            own: own.clone(),
            options: e.options.clone(),
            wanted: None,
        };
        for (path, text) in files {
            let (text, marks) = marks::strip(&text);
            case.files.insert(path.clone(), text);
            case.marks.insert(path, marks);
        }
        case
    };
    let Some(policy) = &e.policy else {
        return vec![case(Form::Files, e.files.clone())];
    };
    let kind = e.kind.unwrap_or(PolicyKind::Identity);
    let mut out = Vec::new();
    for form in Form::WRAPPINGS {
        // A Terraform document always has a version of its own.
        if form == Form::TerraformDocument && rule.contains("version") {
            continue;
        }
        if let Some((path, text)) = form.wrap(policy, kind, e.service.as_deref()) {
            let mut case = case(form, BTreeMap::from([(path, text)]));
            if form == Form::Json {
                case.wanted = Some((kind, e.service.clone()));
            }
            out.push(case);
        }
    }
    out
}

fn ownership(t: &OwnTable) -> Ownership {
    Ownership {
        accounts: t.accounts.clone(),
        organization: t.organization.clone(),
        github: t.github.clone(),
        trusted_accounts: t.trusted_accounts.clone(),
        sensitive: Vec::new(),
        workloads: Vec::new(),
        contracts: Vec::new(),
        today: None,
    }
}

/// Gives a project the evidence among its files, if there is any; what is wrong with it.
pub fn give_evidence(project: &mut Project<'_>) -> Vec<String> {
    let Some(file) = project.sources.find(EVIDENCE) else {
        return Vec::new();
    };
    match Evidence::parse(project.sources.text(file)) {
        Ok((evidence, problems)) => {
            let path = EVIDENCE.to_owned();
            project.evidence = ProjectEvidence::for_all(project.sources, EvidenceFile { path, evidence });
            problems.iter().map(|p| format!("{EVIDENCE}: {p}")).collect()
        }
        Err(failure) => vec![format!("{EVIDENCE}: {failure}")],
    }
}

impl ExampleCase {
    /// What the example says is one's own.
    #[cfg(any(test, feature = "internals"))]
    pub fn ownership(&self) -> &Ownership {
        &self.own
    }

    /// Runs the rule alone over the files.
    pub fn run(&self, ruleset: &Ruleset) -> CaseOutcome {
        let files = self.files.iter().map(|(p, t)| (p.clone(), t.as_str().into(), true));
        let sources = Sources::new(files);
        let mut project = analyze(&sources, &self.own).project;
        let mut ran = CaseOutcome::default();
        ran.wrong.extend(give_evidence(&mut project));
        if project.documents.iter().all(|d| self.is_expected_kind(d)) {
            let options = BTreeMap::from([(self.rule.clone(), self.options.clone())]);
            let selection = Selection::single_rule(&self.rule).with_options(RuleOptions::for_all_files(options));
            let outcome = super::run(&project, ruleset, &selection);
            ran.findings = outcome.findings;
            let panics = outcome.failures.iter().map(|f| format!("panic: {}", f.message));
            ran.wrong.extend(panics);
            self.compare(&ran.findings, &sources, &mut ran.wrong);
        }
        drop(project);
        ran.sources = sources;
        ran
    }

    /// Whether a bare document is taken for what the example says it is; the other forms have a place that says so.
    fn is_expected_kind(&self, d: &Document) -> bool {
        self.wanted.as_ref().is_none_or(|(kind, service)| {
            d.kind.name() == kind.name() && service.as_deref().is_none_or(|s| d.service.as_deref() == Some(s))
        })
    }

    /// What is wrong with `findings` of the case's rule over its files: for rules whose findings are made after the rules ran.
    #[cfg(any(test, feature = "internals"))]
    pub fn mistakes(&self, findings: &[Finding], sources: &Sources) -> Vec<String> {
        let mut wrong = Vec::new();
        self.compare(findings, sources, &mut wrong);
        wrong
    }

    fn compare(&self, findings: &[Finding], sources: &Sources, wrong: &mut Vec<String>) {
        let mut expected = self.spans(sources, |m| &m.primary);
        for f in findings {
            let Some(span) = f.span() else { continue };
            let same = |e: &Span| {
                *e == span || (self.form.rewrites_text() && is_similar(sources.slice(*e), sources.slice(span)))
            };
            match expected
                .iter()
                .position(|e| *e == span)
                .or_else(|| expected.iter().position(same))
            {
                Some(at) => {
                    expected.remove(at);
                }
                None => wrong.push(format!(
                    "reported and not marked: {}",
                    location(sources, span, &f.message)
                )),
            }
        }
        for span in expected {
            wrong.push(format!("marked and not reported: {}", location(sources, span, "")));
        }
        if self.form.rewrites_text() {
            return;
        }
        for span in self.spans(sources, |m| &m.secondary) {
            let labels = findings.iter().flat_map(|f| &f.labels);
            let mut others = labels.filter(|l| l.role != LabelRole::Primary);
            if !others.any(|l| l.span == span) {
                wrong.push(format!("no second label at {}", location(sources, span, "")));
            }
        }
    }

    fn spans(&self, sources: &Sources, which: fn(&Marks) -> &Vec<std::ops::Range<usize>>) -> Vec<Span> {
        let mut spans = Vec::new();
        for (path, marks) in &self.marks {
            if let Some(file) = sources.find(path) {
                spans.extend(which(marks).iter().map(|r| Span::new(file, r.start, r.end)));
            }
        }
        spans
    }

    /// For a person: the case, what is wrong with it, and its files with line numbers.
    pub fn describe(&self, ran: &CaseOutcome) -> String {
        let kind = if self.bad { "bad" } else { "good" };
        let mut out = format!(
            "{}: {kind} example `{}` as {}\n",
            self.rule,
            self.title,
            self.form.name()
        );
        for w in &ran.wrong {
            let _ = writeln!(out, "  {w}");
        }
        for (path, text) in &self.files {
            let _ = writeln!(out, "  --- {path}");
            for (n, line) in (1..).zip(text.lines()) {
                let _ = writeln!(out, "  {n:>3} {line}");
            }
        }
        out
    }
}

/// Equal but for quotes, brackets and white space: what conversion changes around a token.
fn is_similar(a: &str, b: &str) -> bool {
    let bare = |s: &str| -> String {
        s.chars()
            .filter(|c| !matches!(c, '"' | '\'' | '[' | ']' | '$') && !c.is_whitespace())
            .collect()
    };
    bare(a) == bare(b)
}

fn location(sources: &Sources, span: Span, message: &str) -> String {
    let (start, end) = sources.positions(span);
    let mut slice: String = sources.slice(span).chars().take(60).collect();
    if slice.len() < span.len() {
        slice.push('…');
    }
    let to = if start.line == end.line {
        end.column.to_string()
    } else {
        format!("{}:{}", end.line, end.column)
    };
    let at = format!(
        "{}:{}:{}-{to} `{slice}`",
        sources.path(span.file),
        start.line,
        start.column
    );
    if message.is_empty() {
        at
    } else {
        format!("{at}: {message}")
    }
}

/// What testing the rules of a folder gave.
#[derive(Debug, Default)]
pub struct ExampleReport {
    pub rules: usize,
    pub cases: usize,
    pub wrong: usize,
    /// One text for each example that fails, in the first form in which it does.
    pub failures: Vec<String>,
}

/// Runs the examples of `rules`, which `ruleset` holds.
pub fn test<'r>(ruleset: &Ruleset, rules: impl IntoIterator<Item = &'r Rule>) -> ExampleReport {
    let mut tested = ExampleReport::default();
    for rule in rules {
        tested.rules += 1;
        if rule.is_about_suppressions() {
            continue;
        }
        let cases = cases(rule);
        tested.cases += cases.len();
        for example in cases.chunk_by(|a, b| (a.bad, &a.title) == (b.bad, &b.title)) {
            let ran = example.iter().map(|case| (case, case.run(ruleset)));
            let failed: Vec<(&ExampleCase, CaseOutcome)> = ran.filter(|(_, ran)| !ran.wrong.is_empty()).collect();
            tested.wrong += failed.len();
            let Some(((first, ran), others)) = failed.split_first() else {
                continue;
            };
            let mut text = first.describe(ran);
            if !others.is_empty() {
                let names: Vec<&str> = others.iter().map(|(case, _)| case.form.name()).collect();
                let _ = writeln!(text, "  likewise as {}", names.join(", "));
            }
            tested.failures.push(text);
        }
    }
    tested
}
