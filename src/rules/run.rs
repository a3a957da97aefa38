//! Runs the rules that are on over a project.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::origin::add_origin;
use super::recorded_use::add_recorded_use;
use super::spec::{Logic, RuleCase};
use super::{CodeCheck, Context, FindingSink, Rule, RuleId, Ruleset, Selection, eval, ids};
use crate::finding::{Cause, Confidence, Finding, Label, LabelRole, Severity};
use crate::iam::catalogue::catalogue;
use crate::iam::{ActionSet, Document, LikelyKind, PolicyKind, Statement};
use crate::model::Resource;
use crate::project::{Effects, Project, UnreadableParts};
use crate::source::Span;
use crate::unjudged::Unjudged;
use crate::value::Guard;

/// What a run of the rules gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Ordered by place, rule and message; severity, confidence and help are filled in.
    pub findings: Vec<Finding>,
    /// What checks could not judge, in no order.
    pub unjudged: Vec<Unjudged>,
    /// Checks that broke down; the run could not do all of its work.
    pub failures: Vec<RulePanic>,
}

/// A panic in a rule: a bug of the linter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePanic {
    /// The rules that were not checked, separated by commas.
    pub rule: String,
    pub message: String,
}

/// Runs every selected rule. The same project gives the same findings in the same order, whatever the number of threads.
pub fn run(project: &Project<'_>, ruleset: &Ruleset, selection: &Selection) -> Outcome {
    let effects = Effects::new(project);
    let context = Context {
        project,
        effects: &effects,
        ruleset,
        selection,
    };
    let mut outcome = run_jobs(&context, &jobs(ruleset, selection));
    for f in &mut outcome.findings {
        complete_finding(f, project, ruleset, selection);
    }
    let broken = UnreadableParts::new(project);
    let unseen = |f: &Finding, at: Span| {
        let absence = ruleset.get(&f.rule).is_some_and(Rule::absence);
        absence && broken.around(project.sources, at.file).is_some()
    };
    outcome
        .findings
        .retain(|f| f.span().is_some_and(|at| !unseen(f, at)) && !is_about_iam_only(f, project, ruleset));
    outcome
        .findings
        .sort_by(|a, b| (a.span(), &a.rule, &a.message).cmp(&(b.span(), &b.rule, &b.message)));
    outcome
}

/// Does the jobs, in parallel; results in the order of the jobs.
fn run_jobs(context: &Context<'_>, jobs: &[Job<'_>]) -> Outcome {
    let results: Vec<_> = jobs
        .par_iter()
        // They differ in size by orders of magnitude: each is handed out by itself.
        .with_max_len(1)
        .map(|job| {
            let run = || {
                let mut out = FindingSink::new(context.selection);
                match &job.work {
                    Work::Check(check) => check(context, &mut out),
                    Work::Match(rule, cases) => eval::run(context, rule, cases, &mut out),
                }
                (out.findings, out.unjudged)
            };
            catch_unwind(AssertUnwindSafe(run)).map_err(|panic| RulePanic {
                rule: job.rules.join(", "),
                message: panic_text(&*panic),
            })
        })
        .collect();
    let mut outcome = Outcome::default();
    for result in results {
        match result {
            Ok((found, unjudged)) => {
                outcome.findings.extend(found);
                outcome.unjudged.extend(unjudged);
            }
            Err(failure) => outcome.failures.push(failure),
        }
    }
    outcome
}

struct Job<'r> {
    rules: Vec<RuleId>,
    work: Work<'r>,
}

enum Work<'r> {
    Check(CodeCheck),
    Match(&'r Rule, &'r [RuleCase]),
}

/// Each check once, whatever the number of rules it serves; then each declared rule.
fn jobs<'r>(ruleset: &'r Ruleset, selection: &Selection) -> Vec<Job<'r>> {
    let mut by_check: BTreeMap<&str, Vec<RuleId>> = BTreeMap::new();
    let mut declared = Vec::new();
    for rule in ruleset.iter().filter(|r| selection.is_on(&r.id())) {
        match rule.logic() {
            Logic::Check(name) => by_check.entry(name).or_default().push(rule.id()),
            Logic::Match(cases) => declared.push(Job {
                rules: vec![rule.id()],
                work: Work::Match(rule, cases),
            }),
        }
    }
    // Checks take longest: none of them is left to run alone in the end.
    let mut jobs = Vec::new();
    for (name, check) in crate::checks::table() {
        if let Some(rules) = by_check.remove(name) {
            jobs.push(Job {
                rules,
                work: Work::Check(*check),
            });
        }
    }
    jobs.append(&mut declared);
    jobs
}

/// What the note on the instances of a resource starts with.
pub const HOLDS_FOR: &str = "applies to";
/// The note of what exists only where someone asks for it.
pub const NOT_BY_DEFAULT: &str = "by default, not deployed";

/// Fills in what the check left to the rule, and the places that put the document to use.
fn complete_finding(f: &mut Finding, project: &Project<'_>, ruleset: &Ruleset, selection: &Selection) {
    if let Some(rule) = ruleset.get(&f.rule) {
        let severity = f
            .severity
            .unwrap_or_else(|| (0..f.steps_down).fold(rule.severity(), |severity, _| severity.lower()));
        f.severity = Some(selection.severity(&rule.id()).unwrap_or(severity));
        f.confidence.get_or_insert(rule.confidence());
        if f.help.is_none() {
            f.help = Some(rule.help().to_owned());
        }
    }
    if let Cause::Statement(d, _) | Cause::Document(d) = f.cause
        && let Some(document) = project.documents.get(d)
    {
        let likely = document.suggested;
        if let Some(likely) = likely.filter(|likely| grades_grants(ruleset, f, document, *likely)) {
            f.severity = Some(Severity::Low);
            f.confidence = Some(Confidence::Low);
            f.notes.push(match likely {
                LikelyKind::Kind(kind) => format!(
                    "the file name suggests {}; set the kind under `[policy-kind]` in overgrant.toml",
                    kind.described()
                ),
                LikelyKind::Endpoint => "this looks like a VPC endpoint policy, which grants nothing".to_owned(),
            });
        }
        if project.is_unused(document.span) {
            f.confidence = f.confidence.map(|c| c.min(Confidence::Medium));
            f.notes.push("nothing in this repository uses this policy".to_owned());
        }
        for used in &document.used_at {
            if f.labels.iter().all(|l| l.span != used.span) {
                f.labels.push(Label {
                    span: used.span,
                    role: LabelRole::Secondary,
                    text: used.what.clone(),
                });
            }
        }
    }
    lower_confidence(f, project, ruleset, selection);
    add_recorded_use(f, project);
    if f.branch.is_none() {
        f.branch = branch(f, project).map(|when| when.label().into());
    }
    let Some(resource) = resource(f, project) else { return };
    if let Some(n) = resource.instances {
        f.notes.push(format!("{HOLDS_FOR} {n} instances of the resource"));
    }
    if let Some(path) = resource.construct_path() {
        add_origin(f, project, resource, &path);
        f.notes.push(format!("made by the construct `{path}`"));
        f.construct = Some(path.into());
    }
}

/// What is not deployed by default is of low severity. What a default says holds only as long as no one gives another
/// value: less is certain, and a default that AWS rejects is often a stand-in for the value.
fn lower_confidence(f: &mut Finding, project: &Project<'_>, ruleset: &Ruleset, selection: &Selection) {
    let is_set = selection.severity(&f.rule).is_some();
    if is_opt_in(f, project) {
        f.severity = f.severity.map(|s| if is_set { s } else { s.min(Severity::Low) });
        f.notes.push(NOT_BY_DEFAULT.to_owned());
    }
    let unattached = parts(f, project)
        .0
        .is_some_and(|d| d.kind == PolicyKind::Trust && project.is_unattached(d));
    if unattached && !is_set {
        f.severity = f.severity.map(|s| s.min(Severity::Low));
        f.notes.push("no role in this repository uses this document".to_owned());
    }
    let default = f.span().and_then(|at| project.default_at(at));
    let unlimited = parts(f, project).1.is_some_and(|s| s.unlimited);
    if ruleset.get(&f.rule).is_some_and(Rule::closed) && (unlimited || default.is_some()) {
        f.severity = f.severity.map(|s| if is_set { s } else { s.min(Severity::Low) });
        f.confidence = Some(Confidence::Low);
        f.remedies.retain(|remedy| !remedy.safe);
        if unlimited {
            f.notes
                .push("by default, without a condition that an input adds".to_owned());
        }
    }
    let Some(name) = default.filter(|_| !matches!(f.cause, Cause::Place(_))) else {
        return;
    };
    f.notes.push(format!("applies with the default of `{name}`"));
    f.confidence = f.confidence.map(|c| c.min(Confidence::Medium));
    let family = ruleset.get(&f.rule).map(Rule::family);
    if family.is_some_and(|family| ["conditions", "validity"].contains(&family)) && !is_set {
        f.severity = f.severity.map(Severity::lower);
    }
}

/// Whether what is objected to, or what it is a part of, exists only where someone asks for it.
fn is_opt_in(f: &Finding, project: &Project<'_>) -> bool {
    let (document, statement) = parts(f, project);
    let guards = [
        statement.and_then(|s| s.branch.as_ref()),
        document.and_then(|d| d.branch.as_ref()),
        resource(f, project).and_then(|r| r.branch.as_ref()),
        branch(f, project),
    ];
    guards.into_iter().flatten().any(Guard::is_opt_in)
}

/// Whether a finding is about what is granted, which a boundary or a control policy never is. That boundaries may be lifted is
/// as bad in a boundary: it lets its holder out.
fn grades_grants(ruleset: &Ruleset, f: &Finding, document: &Document, likely: LikelyKind) -> bool {
    const GRANTS: [&str; 6] = ["actions", "data", "escalation", "exposure", "resources", "trust"];
    let family = ruleset.get(&f.rule).map(Rule::family);
    // The keys that tell owners and callers apart mean something else on the way to a resource than on it.
    let of_endpoint = |family| likely == LikelyKind::Endpoint && ["conditions", "deputy"].contains(&family);
    family.is_some_and(|family| GRANTS.contains(&family) || of_endpoint(family)) && !lifts_boundaries(f, document)
}

/// Whether the actions of a finding remove or replace boundaries, and nothing in the document denies that.
/// IAM User Guide, "Delegating responsibility to others using permissions boundaries".
fn lifts_boundaries(f: &Finding, document: &Document) -> bool {
    const LIFTING: [&str; 4] = [
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteUserPermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:PutUserPermissionsBoundary",
    ];
    let lifted: Vec<_> = LIFTING.iter().filter_map(|name| catalogue().action(name)).collect();
    let holds = |pattern: &str| {
        let set = ActionSet::expand(pattern);
        lifted.iter().any(|a| set.contains(a.id()))
    };
    let named = |a: &String| a.to_ascii_lowercase().starts_with("iam:") && holds(a);
    let denies = |s: &Statement| {
        let patterns = s.action.iter().flat_map(|c| &c.items).filter_map(|i| i.text.known());
        !s.allows() && patterns.into_iter().any(|p| holds(&p))
    };
    f.evidence.actions.iter().any(named) && !document.statements.iter().any(denies)
}

/// Whether a finding reads the policy of an AWS IoT device as if IAM evaluated it. Such a policy grants data-plane operations
/// of AWS IoT and nothing else, whatever else it names. AWS IoT Core Developer Guide, "AWS IoT Core policies".
fn is_about_iam_only(f: &Finding, project: &Project<'_>, ruleset: &Ruleset) -> bool {
    const OF_GRANTS: [RuleId; 10] = [
        ids::ACTION_STAR,
        ids::ACTIONS_NEVER_USED_BY_SERVICE,
        ids::ADMIN_STAR_STAR,
        ids::ALLOW_NOT_ACTION,
        ids::ALLOW_NOT_ACTION_AND_NOT_RESOURCE,
        ids::PREFIX_WILDCARD_TOO_BROAD,
        ids::REDUNDANT_STATEMENT,
        ids::SENSITIVE_ACTION_WITHOUT_CONDITION,
        ids::SERVICE_WILDCARD,
        ids::POLICY_TOO_COMPLEX,
    ];
    let (document, _) = parts(f, project);
    if document.is_none_or(|d| d.service.as_deref() != Some("iot")) {
        return false;
    }
    let family = ruleset.get(&f.rule).map_or("", Rule::family);
    match family {
        "actions" => OF_GRANTS.contains(&f.rule),
        "exposure" => !f.rule.starts_with("iot-"),
        family => ["data", "escalation", "resources", "usage"].contains(&family),
    }
}

/// The resource that a finding is about, or that holds its document.
fn resource<'p>(f: &Finding, project: &'p Project<'_>) -> Option<&'p Resource> {
    let id = match f.cause {
        Cause::Statement(d, _) | Cause::Document(d) => project.documents.get(d)?.resource?,
        Cause::Identity(i) => project.identities.get(i)?.resource,
        Cause::Resource(r) => r,
        Cause::Place(_) | Cause::Alone => return None,
    };
    project.resources.get(id)
}

/// The condition under which what is objected to is there at all: of the token, its statement, its document or the
/// resource, whichever is nearest.
fn branch<'p>(f: &Finding, project: &'p Project<'_>) -> Option<&'p Guard> {
    let (document, statement) = parts(f, project);
    let item = statement.and_then(|s| {
        let items = [&s.action, &s.resource].into_iter().flatten().flat_map(|c| &c.items);
        let principals = s.principal.iter().flat_map(|c| &c.items).map(|i| &i.value);
        // Of principals, what is there by default says less than the statement does.
        let asked = principals.filter(|i| i.branch.as_ref().is_some_and(Guard::is_opt_in));
        items
            .chain(asked)
            .filter(|i| Some(i.span) == f.span())
            .find_map(|i| i.branch.as_ref())
    });
    item.or_else(|| statement?.branch.as_ref())
        .or_else(|| document?.branch.as_ref())
        .or_else(|| resource(f, project)?.branch.as_ref())
}

/// The document and the statement that a finding is about.
fn parts<'p>(f: &Finding, project: &'p Project<'_>) -> (Option<&'p Document>, Option<&'p Statement>) {
    let document = match f.cause {
        Cause::Statement(d, _) | Cause::Document(d) => project.documents.get(d),
        _ => None,
    };
    let statement = match f.cause {
        Cause::Statement(_, s) => document.and_then(|d| d.statements.get(s)),
        _ => None,
    };
    (document, statement)
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("unknown panic").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sources;
    use crate::iam::Ownership;

    #[test]
    fn a_check_that_breaks_down_costs_its_rules_only() {
        let (sources, own) = (Sources::from_strings(&[]), Ownership::default());
        let project = crate::project::link(&sources, &own, Vec::new());
        let ok: CodeCheck = |_, out| out.push(Finding::new(RuleId::user_rule("fine"), "found"));
        let broken: CodeCheck = |_, _| panic!("out of paper");
        let job = |rule, check| Job {
            rules: vec![RuleId::user_rule(rule)],
            work: Work::Check(check),
        };
        let jobs = [job("broken", broken), job("fine", ok)];
        let context = Context {
            project: &project,
            effects: &Effects::new(&project),
            ruleset: &Ruleset::builtin(),
            selection: &Selection::single_rule("fine"),
        };
        let outcome = run_jobs(&context, &jobs);
        assert_eq!(outcome.findings.len(), 1);
        let failure = RulePanic {
            rule: "broken".to_owned(),
            message: "out of paper".to_owned(),
        };
        assert_eq!(outcome.failures, [failure]);
    }
}
