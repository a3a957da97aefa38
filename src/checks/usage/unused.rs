//! Grants that the code does not need.

use std::rc::Rc;

use super::comparison::RoleComparison;
use super::platform;
use super::recorded::{RecordedStatements, check_text, with_recorded};
use super::roles::{UsedActions, calls_requiring};
use super::shared_text::SharedTexts;
use super::templates::PolicyBundle;
use super::unused_managed;
use super::words::{actor, role_label};
use crate::checks::allow_statements::writing_actions;
use crate::finding::{Confidence, Finding, Remedy};
use crate::iam::condition::strength;
use crate::iam::pattern::has_wildcard;
use crate::iam::{AccessLevel, ActionSet, ClauseItem, DocumentOrigin, Statement, catalogue};
use crate::phrase;
use crate::project::targets::ResourceRefs;
use crate::project::{DocumentId, IdentityId, PolicyUse, Project, StatementRef};
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

/// Maximum number of actions that a text names; beyond it, they are counted.
const MAX_NAMED: usize = 4;
/// Maximum number of actions that a help text lists; beyond it, they are counted.
pub(super) const MAX_LISTED: usize = 8;
/// From this number of unused items on, if they are at least three quarters of the list, they count as a wildcard.
const MANY: usize = 5;
/// Maximum number of calls shown as proof of use.
const MAX_CALLS: usize = 3;

pub(super) fn check(cx: &Context<'_>, comparison: &RoleComparison<'_, '_>, out: &mut FindingSink<'_>) {
    let mut texts = SharedTexts::new(comparison);
    let recorded = (!cx.project.evidence.is_empty()).then(|| RecordedStatements::new(comparison));
    for (document, holders) in &comparison.holders {
        if !matches!(comparison.used_of_policy(*document), Some(Ok(_))) {
            continue;
        }
        let d = &cx.project.documents[*document];
        // Of what is written in one place for several roles, all that these need counts.
        let parts = texts.parts(comparison, *document).into_iter().enumerate();
        for (nth, (text, statements)) in parts {
            let grant = UsedDocument {
                cx,
                actor: actor(cx.project, &text.used),
                places: &comparison.roles.places,
                document: *document,
                holders,
                used: match d.origin {
                    DocumentOrigin::Written => text.used,
                    _ => with_recorded(cx.project, &text.used, holders),
                },
                others: text.others,
            };
            match &d.origin {
                DocumentOrigin::Written if recorded.is_some() => {
                    let recorded = recorded.iter();
                    recorded.for_each(|recorded| check_text(&grant, &statements, recorded, out));
                }
                DocumentOrigin::Written => grant.check_statements(&statements, out),
                // The caller lists the actions.
                DocumentOrigin::CdkGrant(method) if PolicyBundle::grant(method).written_actions().is_none() => {
                    grant.check_statements(&statements, out);
                }
                // What is written there is a name, one for all of it.
                _ if nth > 0 => {}
                DocumentOrigin::SamTemplate(template) => {
                    out.findings_of(grant.bundle(&PolicyBundle::template(template)))
                }
                DocumentOrigin::CdkGrant(method) => out.findings_of(grant.bundle(&PolicyBundle::grant(method))),
                DocumentOrigin::AwsManaged(_) | DocumentOrigin::Generated(_) => {}
            }
        }
    }
    for (role, used) in comparison.used_roles() {
        unused_managed::check(cx, role, used, out);
    }
}

impl FindingSink<'_> {
    fn findings_of(&mut self, finding: Option<Finding>) {
        finding.into_iter().for_each(|f| self.push(f));
    }
}

pub(super) fn union<'c>(all: &[&UsedActions<'c>]) -> UsedActions<'c> {
    let mut out = UsedActions {
        exact: true,
        ..UsedActions::default()
    };
    for used in all {
        out.actions.union_with(&used.actions);
        out.needed.union_with(&used.needed);
        out.declared.union_with(&used.declared);
        out.platform.union_with(&used.platform);
        for (what, actions) in &used.beside {
            out.beside.entry(what).or_default().union_with(actions);
        }
        for (action, places) in &used.somewhere {
            out.somewhere.entry(*action).or_default().extend_from_slice(places);
        }
        out.calls.extend(&used.calls);
        out.exact &= used.exact;
        out.workloads.extend(&used.workloads);
    }
    out.workloads.sort_unstable();
    out.workloads.dedup();
    out
}

/// A document, and everything that is used of it.
#[derive(Clone)]
pub(super) struct UsedDocument<'g, 'c, 'p> {
    pub(super) cx: &'g Context<'p>,
    pub(super) places: &'g ResourceRefs<'g>,
    pub(super) document: DocumentId,
    holders: &'g [(IdentityId, &'g PolicyUse)],
    pub(super) used: Rc<UsedActions<'c>>,
    /// A role that has the same text, and of which not all use is known.
    others: Option<IdentityId>,
    /// What uses it, for a sentence.
    actor: &'static str,
}

/// An item of `Action` that grants more than the code may use.
struct Excess<'d> {
    item: &'d ClauseItem,
    granted: ActionSet,
    needed: ActionSet,
    unused: ActionSet,
    /// Those of `unused` that are used on other resources.
    elsewhere: ActionSet,
}

impl UsedDocument<'_, '_, '_> {
    fn check_statements(&self, statements: &[usize], out: &mut FindingSink<'_>) {
        let all = &self.cx.project.granted(self.document).allowed;
        for allowed in all.iter().filter(|a| statements.contains(&a.statement)) {
            let statement = self.cx.project.statement(self.document, allowed.statement);
            out.findings_of(self.judge(statement));
        }
    }

    /// What of a statement is not needed.
    pub(super) fn judge(&self, statement: StatementRef<'_>) -> Option<Finding> {
        let clause = statement.action.as_ref().filter(|c| !c.negated)?;
        let items = clause.items.iter();
        let excess: Vec<Excess<'_>> = items.filter_map(|item| self.excess(item, statement)).collect();
        (!excess.is_empty()).then(|| self.finding(statement, &self.granted(statement), &excess))
    }

    /// What the items of `Action` of a statement effectively grant.
    pub(super) fn granted(&self, statement: StatementRef<'_>) -> ActionSet {
        let mut granted = ActionSet::empty();
        for item in statement.action.iter().flat_map(|clause| &clause.items) {
            granted.union_with(&self.cx.project.granted_by(statement, item));
        }
        granted
    }

    /// The part of `actions` that a statement effectively grants.
    fn effectively_granted(&self, statement: StatementRef<'_>, actions: &ActionSet) -> ActionSet {
        self.cx.project.granted_part(statement, actions).fitting
    }

    fn excess<'d>(&self, item: &'d ClauseItem, statement: StatementRef<'_>) -> Option<Excess<'d>> {
        let granted = self.cx.project.granted_by(statement, item);
        let mut unused = granted.clone();
        unused.subtract(&self.used.possibly_used_on(&granted, &statement, self.places));
        let needed = self.certainly_used(&granted, &statement);
        (!unused.is_empty()).then(|| Excess {
            item,
            needed,
            unused,
            elsewhere: self.used.used_on_others(&granted, &statement, self.places),
            granted,
        })
    }

    /// What an item grants that the code may use.
    fn possible(&self, excess: &Excess<'_>) -> ActionSet {
        let mut possible = excess.granted.clone();
        possible.subtract(&excess.unused);
        possible.subtract(&self.used.platform);
        possible
    }

    fn finding(&self, statement: StatementRef<'_>, granted: &ActionSet, excess: &[Excess<'_>]) -> Finding {
        let needed = self.certainly_used(granted, &statement);
        let called = names(&needed);
        let total: usize = granted.len();
        let mut unused = granted.clone();
        unused.subtract(&self.used.possibly_used_on(granted, &statement, self.places));
        let unused = unused.len();
        let elsewhere = self.used.used_on_others(granted, &statement, self.places);
        let (first, others) = (&excess[0], &excess[1..]);
        let shown = first.item.display();
        let actor = self.actor;
        let message = match (others.is_empty(), first.granted.len()) {
            (true, 1) if !elsewhere.is_empty() => format!("`{shown}` is granted on resources that {actor} never uses"),
            (true, 1) => format!("`{shown}` is granted, but {actor} never calls it"),
            (true, n) => format!(
                "`{shown}` grants {n} actions; {}",
                count_used(first.needed.len(), self.possible(first).len(), actor)
            ),
            _ if unused == total => format!("{total} actions are granted here, but {actor} calls none of them"),
            _ => format!("{unused} of the {total} actions granted here are never called"),
        };
        let mut f = self
            .cx
            .at_statement(ids::UNUSED_GRANT, statement, message)
            .primary(first.item.span, label(first))
            .actions(excess.iter().map(|e| e.item.display().to_lowercase()));
        for other in others.iter().take(MAX_NAMED) {
            f = f.secondary(other.item.span, label(other));
        }
        match others.len().saturating_sub(MAX_NAMED) {
            0 => {}
            1 => f = f.note("1 more item of the list grants actions that are never called"),
            n => {
                f = f.note(format!(
                    "{n} more items of the list grant actions that are never called"
                ))
            }
        }
        f.evidence.expanded_actions = Some(unused);
        for _ in 0..severity_reduction(&statement, excess) {
            f = f.lower_severity();
        }
        f = self.label_attachments(f);
        f = self.label_other_calls(f, &elsewhere);
        f = self.label_evidence(f, &called);
        let perhaps = self.possibly_needed(&statement, excess);
        // More than a few are typical of the service rather than of this code.
        if (1..=MAX_NAMED).contains(&perhaps.len()) {
            f = f.note(format!("may also need: {}", phrase::list(names(&perhaps))));
        }
        // If more may be needed, the replacement is unknown.
        if perhaps.is_empty() && self.others.is_none() {
            f.remedies.extend(remedy(&statement, excess, &self.used.declared));
        }
        let mut kept = needed.clone();
        kept.union_with(&perhaps);
        let help = match called.len() {
            _ if !elsewhere.is_empty() => {
                format!("Limit the grant to the resources that {actor} uses, or remove it.")
            }
            _ if !perhaps.is_empty() && kept.len() <= MAX_LISTED + MAX_NAMED => format!(
                "Allow only the actions that are used or may be: {}.",
                phrase::all_of(&names(&kept))
            ),
            _ if !perhaps.is_empty() => format!("Allow only the {} actions that are used or may be.", kept.len()),
            0 if statement.action.as_ref().is_some_and(|c| c.items.len() > excess.len()) => {
                "Remove the actions that are never called.".to_owned()
            }
            0 => "Remove the grant.".to_owned(),
            n if n <= MAX_LISTED => self.replacement(&needed),
            n => format!("Allow only the {n} actions that are used."),
        };
        f.help(self.others.map_or(help, |other| self.split(other)))
    }

    /// The replacement: the actions that the code calls, and separately those that the platform calls.
    fn replacement(&self, needed: &ActionSet) -> String {
        let (mut calls, mut platform) = (needed.clone(), needed.clone());
        calls.subtract(&self.used.declared);
        platform.intersect(&self.used.declared);
        match (names(&calls).as_slice(), names(&platform).as_slice()) {
            (calls, []) => format!("Allow only the actions that are used: {}.", phrase::all_of(calls)),
            ([], platform) => format!(
                "Allow only the actions that Lambda needs to run the function: {}.",
                phrase::all_of(platform)
            ),
            (calls, platform) => format!(
                "Allow only the actions that {} uses ({}) and those that Lambda needs to run the function ({}).",
                self.actor,
                phrase::all_of(calls),
                phrase::all_of(platform)
            ),
        }
    }

    /// Those of `granted` that are definitely used.
    fn certainly_used(&self, granted: &ActionSet, statement: &Statement) -> ActionSet {
        let mut needed = self.used.possibly_used_on(granted, statement, self.places);
        needed.intersect(&self.used.needed);
        needed
    }

    /// What to do where another role has the same text.
    fn split(&self, other: IdentityId) -> String {
        let other = phrase::clip(address(self.cx.project, other), 40);
        format!(
            "Give this role a policy of its own: `{other}` has the same one, and what it needs of it is not all known."
        )
    }

    /// Actions that the wildcards cover and a call may also need: relevant when the wildcards are replaced.
    fn possibly_needed(&self, statement: &Statement, excess: &[Excess<'_>]) -> ActionSet {
        let mut perhaps = ActionSet::empty();
        for e in excess {
            let mut of = self.used.possibly_used_on(&e.granted, statement, self.places);
            of.subtract(&e.needed);
            perhaps.union_with(&of);
        }
        perhaps.subtract(&self.used.platform);
        perhaps
    }

    /// Labels the calls that use a granted action on another resource.
    fn label_other_calls(&self, mut f: Finding, actions: &ActionSet) -> Finding {
        let calls = calls_requiring(&self.used.calls, actions);
        for (call, action) in calls.iter().take(MAX_CALLS) {
            f = f.secondary(call.span, format!("calls `{action}` on another resource"));
        }
        f
    }

    /// Labels the places where the policy is attached to its roles, if they are outside the policy.
    fn label_attachments(&self, mut f: Finding) -> Finding {
        let d = &self.cx.project.documents[self.document];
        for (role, policy) in self.holders.iter().take(2) {
            if !d.span.touches(policy.span) {
                let address = address(self.cx.project, *role);
                f = f.secondary(policy.span, format!("attached to `{}` here", phrase::clip(address, 40)));
            }
        }
        f
    }

    /// Labels the code, and the calls that need one of `called`.
    fn label_evidence(&self, f: Finding, called: &[&'static str]) -> Finding {
        label_used_code(self.cx.project, f, &self.used, called)
    }

    /// What only an event source may use of a grant of the CDK that is not enough to read from it, and what answers of Amazon S3
    /// depend on, which is no reason for a grant of its own.
    fn idle_actions(&self, bundle: &PolicyBundle<'_>) -> ActionSet {
        let Some(written) = bundle.written_actions() else {
            return ActionSet::empty();
        };
        let mut idle = platform::actions_of_other_sources(&written);
        let file = self.cx.project.documents[self.document].span.file;
        let text = self.cx.project.sources.text(file);
        if ["EventSource", "event_source"].iter().any(|word| text.contains(word)) {
            // Credentials of a broker.
            idle.subtract(&ActionSet::expand("secretsmanager:*"));
        }
        for call in self.used.calls.iter().filter(|call| &*call.service == "s3") {
            idle.union_with(&ActionSet::expand_all(call.companion_actions()));
        }
        for call in &self.used.calls {
            let a = &call.actions;
            let conditional = a.conditional.iter().map(|c| c.action);
            let all = a.required.iter().chain(&a.any_of).copied().chain(conditional);
            idle.subtract(&ActionSet::expand_all(all));
            a.service_pattern()
                .iter()
                .for_each(|all| idle.subtract(&ActionSet::expand(all)));
        }
        idle
    }

    fn bundle(&self, bundle: &PolicyBundle<'_>) -> Option<Finding> {
        let name = bundle.name();
        let [mut granted, mut used, mut elsewhere] = [(); 3].map(|()| ActionSet::empty());
        for a in &self.cx.project.granted(self.document).allowed {
            let statement = self.cx.project.statement(self.document, a.statement);
            let given = self.effectively_granted(statement, &a.actions);
            used.union_with(&self.used.possibly_used_on(&given, &statement, self.places));
            elsewhere.union_with(&self.used.used_on_others(&given, &statement, self.places));
            granted.union_with(&given);
        }
        let others = bundle.on_other_resources();
        used.subtract(&self.idle_actions(bundle));
        granted.subtract(&others);
        used.subtract(&others);
        if granted.is_subset(&used) {
            return None;
        }
        elsewhere.subtract(&used);
        let mut called = used.clone();
        called.intersect(&self.used.needed);
        let mut possible = used.clone();
        possible.subtract(&self.used.platform);
        let narrower = bundle.narrower(&used, &granted);
        let n = granted.len();
        let actor = self.actor;
        let (message, help) = match narrower {
            _ if used.is_empty() && !elsewhere.is_empty() => (
                format!("`{name}` grants {} on resources that {actor} never uses", actions(n)),
                format!(
                    "Remove the {}, or limit it to the resources that {actor} uses.",
                    bundle.what()
                ),
            ),
            _ if used.is_empty() => (
                format!("`{name}` grants {}, but {actor} calls none of them", actions(n)),
                format!("Remove the {}.", bundle.what()),
            ),
            Some(narrower) => (
                format!(
                    "`{name}` grants {}; {}",
                    actions(n),
                    count_used(called.len(), possible.len(), actor)
                ),
                format!("Use `{narrower}` instead."),
            ),
            None => return None,
        };
        let f = self
            .cx
            .at_document(bundle.rule(), self.document, message)
            .primary(
                self.cx.project.documents[self.document].span,
                format!("grants {}", actions(n)),
            )
            .actions([name.to_lowercase()]);
        let mut f = self.label_other_calls(f, &elsewhere);
        for _ in 0..bundle.severity_reduction(&granted) {
            f = f.lower_severity();
        }
        let at = self.cx.project.documents[self.document].span;
        let narrower = narrower.filter(|_| self.others.is_none());
        let f = f.remedies(narrower.map(|narrower| narrower_name(at, name, narrower)));
        let help = self.others.map_or(help, |other| self.split(other));
        Some(self.label_evidence(f, &names(&called)).help(help))
    }
}

/// Another policy of AWS in place of this one.
fn narrower_name(at: Span, name: &str, narrower: &str) -> Remedy {
    Remedy::risky(format!("write `{narrower}`")).replace_token(at, name, narrower)
}

/// Adds the code that runs, and the calls that need some of `called`.
pub(super) fn label_used_code(
    project: &Project<'_>,
    mut f: Finding,
    used: &UsedActions<'_>,
    called: &[&'static str],
) -> Finding {
    for w in used.workloads.iter().take(2).map(|w| &project.workloads[*w]) {
        if let Some(code) = w.code() {
            f = f.secondary(code.span, "the code that runs with this role");
        }
        if let Some(definition) = w.definition() {
            f = f.secondary(definition.span, role_label(w.kind));
        }
    }
    let set: ActionSet = called.iter().filter_map(|a| catalogue().action(a)).collect();
    for (call, action) in calls_requiring(&used.calls, &set).into_iter().take(MAX_CALLS) {
        f = f.secondary(call.span, format!("requires `{action}`"));
    }
    let mut names: Vec<&str> = used
        .workloads
        .iter()
        .map(|w| project.workloads[*w].name(project))
        .collect();
    // Several integrations of one API have its name.
    names.dedup();
    if let [_, _, ..] = names.as_slice() {
        let shown = phrase::list(names.iter().copied().take(MAX_NAMED));
        let more = phrase::and_more(MAX_NAMED, names.len().saturating_sub(MAX_NAMED));
        f = f.note(format!("calls by {shown}{more} are also counted"));
    }
    match used.exact {
        true => f.confidence(Confidence::High),
        // The reason for the lower confidence.
        false => f
            .confidence(Confidence::Medium)
            .note("the entry point is unknown, so calls anywhere in the code are counted"),
    }
}

pub(super) fn actions(n: usize) -> String {
    phrase::count(n, "action", "actions")
}

/// How many actions are used for certain, of those that may be.
pub(super) fn count_used(called: usize, possible: usize, actor: &str) -> String {
    match (called, possible) {
        (0, 0) => format!("{actor} calls none of them"),
        (0, n) => format!("{actor} may use {n} of them"),
        (n, _) => format!("{actor} uses {n} of them"),
    }
}

fn label(e: &Excess<'_>) -> String {
    match (e.granted.len(), e.unused.len()) {
        (1, _) if !e.elsewhere.is_empty() => "never called on this resource".to_owned(),
        (1, _) => "never called".to_owned(),
        (n, m) if n == m => format!("grants {n} actions, none of which is called"),
        (n, 1) => format!("grants {n} actions, 1 of which is never called"),
        (n, m) => format!("grants {n} actions, {m} of which are never called"),
    }
}

pub(super) fn names(set: &ActionSet) -> Vec<&'static str> {
    set.iter().map(|a| a.name()).collect()
}

fn address<'p>(project: &'p Project<'_>, role: IdentityId) -> &'p str {
    &project.resources[project.identities[role].resource].address.name
}

/// Replaces wildcards with the actions that are used, and removes items that are never called. `None` if use is
/// uncertain, if nothing would be left, if the list is also used elsewhere, or if the resource may be what is wrong.
/// What the platform needs, `declared`, comes last.
fn remedy(statement: &Statement, excess: &[Excess<'_>], declared: &ActionSet) -> Option<Remedy> {
    let clause = statement.action.as_ref()?;
    let unsure = |e: &Excess<'_>| {
        e.item.via.is_some() || !e.elsewhere.is_empty() || e.needed.is_empty() && e.unused.len() < e.granted.len()
    };
    let kept = clause.items.len() > excess.len() || excess.iter().any(|e| !e.needed.is_empty());
    if !kept || excess.iter().any(unsure) {
        return None;
    }
    let title = match excess {
        [one] if !one.needed.is_empty() => match one.needed.len() {
            1 => "replace with the action that is used".to_owned(),
            n => format!("replace with the {n} actions that are used"),
        },
        [one] if one.granted.len() == 1 => "remove the action that is never called".to_owned(),
        [_] => "remove the actions that are never called".to_owned(),
        _ => "keep only the actions that are used".to_owned(),
    };
    Some(
        excess
            .iter()
            .fold(Remedy::risky(title), |remedy, e| match e.needed.is_empty() {
                true => remedy.remove(e.item.span),
                false => {
                    let (mut calls, mut platform) = (e.needed.clone(), e.needed.clone());
                    calls.subtract(declared);
                    platform.intersect(declared);
                    let all: Vec<&str> = names(&calls).into_iter().chain(names(&platform)).collect();
                    remedy.replace(e.item.span, all)
                }
            }),
    )
}

/// How many severity steps a grant is below one of a whole service with writes.
fn severity_reduction(statement: &Statement, excess: &[Excess<'_>]) -> u8 {
    let writes = |e: &Excess<'_>| {
        let grave = [AccessLevel::Write, AccessLevel::PermissionsManagement];
        let unused = writing_actions(&e.unused);
        grave.iter().any(|l| !unused.with_level(*l).is_empty())
    };
    let whole = |e: &Excess<'_>| {
        let text = e.item.display();
        text.rsplit(':')
            .next()
            .is_some_and(|action| action.bytes().all(|b| b == b'*'))
    };
    let base = excess
        .iter()
        .map(|e| match (whole(e), has_wildcard(&e.item.text), writes(e)) {
            (true, _, true) => 0,
            (_, true, true) => 1,
            _ => 2,
        })
        .min()
        .unwrap_or(2);
    let written = statement.action.as_ref().map_or(0, |c| c.items.len());
    let most = excess.len() >= MANY && excess.len() * 4 >= written * 3;
    let base = if most { base.min(1) } else { base };
    base + u8::from(strength(statement).narrows())
}
