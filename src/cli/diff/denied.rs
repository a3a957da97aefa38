//! What a policy on a resource denies to those whom other policies allow it.

use std::collections::BTreeSet;

use super::doubts::{BEYOND_LIMITS, named, possible};
use super::subjects::{SubjectList, SubjectPair};
use super::{changes, shown};
use crate::access::sets::{Values, compare_as};
use crate::iam::pattern::is_star;
use crate::iam::{
    ClauseItem, Document, Effect, PrincipalClause, PrincipalItem, PrincipalType, SourceFormat, Statement,
};
use crate::project::{AccessSubject, CombinedPolicy, SubjectKind, statement_text};
use crate::report::{DiffChange, DiffUnknown};
use crate::source::{HoleKind, Piece, Sources, Text};
use crate::value::Guard;

/// Conditions of Deny statements that are taken apart.
const MAX_CASES: usize = 8;

/// Both sides of a comparison: what is gained is looked for from `from` to `to`.
pub(super) struct ComparedSides<'a> {
    pub(super) from: &'a SubjectList,
    pub(super) to: &'a SubjectList,
    pub(super) to_sources: &'a Sources,
    pub(super) is_gain: bool,
}

/// What the identities of the repository are denied no more, and what others may be denied no more.
#[derive(Default)]
pub(super) struct NoLongerDenied {
    pub(super) changes: Vec<DiffChange>,
    pub(super) unknown: Vec<DiffUnknown>,
}

impl ComparedSides<'_> {
    fn pair(&self, pair: &SubjectPair) -> (Option<usize>, Option<usize>) {
        match self.is_gain {
            true => (pair.old, pair.new),
            false => (pair.new, pair.old),
        }
    }

    /// Of a policy on a resource, whose name is `subject`.
    pub(super) fn no_longer_denied(&self, subject: &str, on: &SubjectPair, all: &[SubjectPair]) -> NoLongerDenied {
        let mut out = NoLongerDenied::default();
        let (from, to) = self.pair(on);
        let Some(before) = from.and_then(|at| self.from.all.get(at)) else {
            return out;
        };
        let after = to.and_then(|at| self.to.all.get(at));
        // A document by itself may stand beside others that allow something.
        let is_alone = |policy: &CombinedPolicy| policy.document.statements.iter().all(Statement::is_written_as_deny);
        let counts = match before.kind {
            SubjectKind::Resource => true,
            SubjectKind::Document => is_alone(&before.policy),
            SubjectKind::Identity | SubjectKind::Trust => false,
        };
        if !counts {
            return out;
        }
        let nothing = before.policy.nothing();
        let policy = after.map_or(&nothing, |s| &s.policy);
        let kept: BTreeSet<String> = denials(policy).map(|(_, s)| statement_text(s)).collect();
        let gone: Vec<(usize, &Statement)> = denials(&before.policy)
            .filter(|(_, s)| !kept.contains(&statement_text(s)))
            .collect();
        if gone.is_empty() || !denies_less(&before.policy, policy, service_of(&before.on)) {
            return out;
        }
        let on_target = after.map_or(&before.on, |s| &s.on);
        for pair in all {
            let (Some(from), Some(to)) = self.pair(pair) else {
                continue;
            };
            let (was, is) = (&self.from.all[from], &self.to.all[to]);
            let is_own = after.map_or_else(|| is_of_account(before, was), |after| is_of_account(after, is));
            if is.kind == SubjectKind::Identity && is_own {
                let denied = [applied(&before.policy, &before.on, was), applied(policy, on_target, is)];
                let changes = self.changes(to, denied);
                match is.policy.is_limited() {
                    false => out.changes.extend(changes),
                    // A boundary that is not known may not allow it.
                    true => {
                        let possible = changes.into_iter().map(|c| possible(c, self.is_gain, BEYOND_LIMITS));
                        out.unknown.extend(possible);
                    }
                }
            }
        }
        let is_of_others = |s: &Statement| {
            let of_services = |p: &PrincipalClause| {
                !p.negated && p.complete && p.items.iter().all(|i| i.kind == PrincipalType::Service)
            };
            // What services may do, no policy elsewhere says.
            !s.principal.as_ref().is_some_and(of_services)
        };
        out.unknown
            .extend(gone.iter().filter(|(_, s)| is_of_others(s)).map(|(at, s)| {
                let actions: Vec<String> = s.written_actions().map(ClauseItem::display).collect();
                let (verb, may) = match self.is_gain {
                    true => ("denies less of", "gain"),
                    false => ("denies more of", "lose"),
                };
                DiffUnknown {
                    subject: subject.to_owned(),
                    why: format!(
                        "{verb} {}: those whom other policies allow it may {may} it",
                        named(&actions)
                    ),
                    is_new: !self.is_gain,
                    is_gain: self.is_gain,
                    span: Some(before.policy.place(*at, s.effect.as_ref().map_or(s.span, |e| e.span))),
                }
            }));
        out
    }

    /// What an identity gains by that, in each case in which there is a Deny.
    fn changes(&self, identity: usize, [before, after]: [Vec<Statement>; 2]) -> Vec<DiffChange> {
        let mut cases: Vec<Option<Guard>> = before.iter().map(|s| s.branch.clone()).collect();
        cases.sort_by_key(|case| case.as_ref().map(|c| c.label().to_owned()));
        cases.dedup();
        let in_case = |all: &[Statement], case: &Option<Guard>, is_before: bool| -> Vec<Statement> {
            let own = |s: &Statement| match (&s.branch, case) {
                (Some(branch), Some(case)) if case.implies(branch) => Some(Statement {
                    branch: None,
                    ..s.clone()
                }),
                (Some(branch), Some(case)) if case.excludes(branch) => None,
                (Some(_), _) if is_before => None,
                _ => Some(s.clone()),
            };
            all.iter().filter_map(own).collect()
        };
        let of_case =
            |case| self.changes_in_case(identity, [in_case(&before, case, true), in_case(&after, case, false)]);
        cases.iter().take(MAX_CASES).flat_map(of_case).collect()
    }

    fn changes_in_case(&self, at: usize, denied: [Vec<Statement>; 2]) -> Vec<DiffChange> {
        let [before, after] = denied;
        let identity = &self.to.all[at];
        let root = self
            .to
            .is_in_several_roots(identity)
            .then(|| self.to.roots[at].as_str());
        let policy = |denied: Vec<Statement>| {
            let mut out = CombinedPolicy {
                document: identity.policy.document.clone(),
                places: identity.policy.places.clone(),
                ..identity.policy.nothing()
            };
            out.places.extend(denied.iter().map(|s| s.span));
            out.document.statements.extend(denied);
            out
        };
        if before.is_empty() {
            return Vec::new();
        }
        let (before, after) = (policy(before), policy(after));
        let found = compare_as(
            &before.document,
            &after.document,
            &Values::new(),
            identity.caller.as_deref(),
        );
        changes(
            &shown(identity, self.to_sources, root),
            identity,
            &found,
            &before,
            (&after, &after.document),
        )
    }
}

/// Whether an identity is taken to be of the account of a resource: other root modules of Terraform are often deployed to
/// other accounts, whose identities a policy that only denies lets in nowhere.
fn is_of_account(owner: &AccessSubject, identity: &AccessSubject) -> bool {
    let is_told_alike = owner.deployed_to.is_some() && owner.deployed_to == identity.deployed_to;
    let is_apart = owner.policy.document.format == SourceFormat::Terraform && owner.root != identity.root;
    owner.account == identity.account && (!is_apart || is_told_alike)
}

fn denials(policy: &CombinedPolicy) -> impl Iterator<Item = (usize, &Statement)> {
    let all = policy.document.statements.iter().enumerate();
    all.filter(|(_, s)| s.effect.as_ref().is_some_and(|e| e.value == Effect::Deny))
}

/// Whether someone whom everything is allowed gains something, or may.
fn denies_less(before: &CombinedPolicy, after: &CombinedPolicy, service: Option<String>) -> bool {
    let actions = service.map_or_else(|| "*".to_owned(), |service| format!("{service}:*"));
    let with_everything = |policy: &CombinedPolicy| {
        let mut out = Document {
            version: before.document.version.clone(),
            format: before.document.format,
            kind: before.document.kind,
            ..Document::empty()
        };
        out.statements.extend(denials(policy).map(|(_, s)| s.clone()));
        let like = out
            .statements
            .first()
            .or_else(|| denials(before).next().map(|(_, s)| s))
            .cloned();
        out.statements.extend(like.map(|s| everything(s, &actions)));
        out
    };
    let found = compare_as(&with_everything(before), &with_everything(after), &Values::new(), None);
    !found.gained.is_empty() || !found.unknown.is_empty()
}

/// The service of what a policy is on, where its ARN says so: a policy on a resource decides no action of another one.
fn service_of(on: &[Text]) -> Option<String> {
    let fields: Vec<Text> = on.first()?.split(':');
    let service = fields.get(2)?.known()?.into_owned();
    (fields.len() > 5 && !service.is_empty()).then_some(service)
}

/// An Allow of these actions, on everything and to everyone.
fn everything(mut s: Statement, actions: &str) -> Statement {
    if let Some(effect) = &mut s.effect {
        effect.value = Effect::Allow;
    }
    s.action = s.action.map(|clause| clause.of_text(actions));
    s.resource = s.resource.map(|clause| clause.of_text("*"));
    if let Some(clause) = &mut s.principal {
        (clause.negated, clause.complete) = (false, true);
        clause.items = vec![PrincipalItem {
            kind: PrincipalType::Everyone,
            type_key: None,
            value: ClauseItem::new(Text::synthetic("*", clause.span), clause.span),
            home: None,
        }];
    }
    Statement {
        conditions: Vec::new(),
        condition_key: None,
        second_action: None,
        second_resource: None,
        branch: None,
        open: false,
        strength: Default::default(),
        nothing: Default::default(),
        ..s
    }
}

/// What a policy on a resource denies to an identity of its account, as statements of the identity.
fn applied(policy: &CombinedPolicy, on: &[Text], identity: &AccessSubject) -> Vec<Statement> {
    let mut out = Vec::new();
    for (_, s) in denials(policy) {
        let is_named = s
            .principal
            .as_ref()
            .is_some_and(|p| !p.negated && p.items.iter().any(|i| names(i, identity)));
        let mut s = s.clone();
        let Some(resources) = s.resource.as_mut().filter(|_| is_named) else {
            continue;
        };
        if resources.items.iter().any(|i| is_star(&i.text)) {
            // It is about what the policy is on, and about nothing if that is not known.
            let span = resources.span;
            resources.items = on.iter().map(|t| ClauseItem::new(t.clone(), span)).collect();
        }
        if resources.items.is_empty() {
            continue;
        }
        s.principal = None;
        out.push(s);
    }
    out
}

/// Whether a principal of a Deny is everyone, the account of the identity, or the identity.
fn names(item: &PrincipalItem, identity: &AccessSubject) -> bool {
    let text = &item.value.text;
    match item.kind {
        PrincipalType::Everyone => true,
        PrincipalType::Aws if is_star(text) => true,
        PrincipalType::Aws => is_own_account(text) || identity.on.iter().any(|arn| arn.display() == text.display()),
        _ => false,
    }
}

/// The account that is deployed to, or its root.
fn is_own_account(text: &Text) -> bool {
    let mut rest = String::new();
    let mut is_account = false;
    for piece in text.pieces() {
        match piece {
            Piece::Hole(h) if h.kind == HoleKind::Account => is_account = true,
            Piece::Hole(h) if h.kind == HoleKind::Partition => rest.push_str("aws"),
            Piece::Hole(_) => return false,
            Piece::Lit(lit) => rest.push_str(&lit.text),
        }
    }
    is_account && (rest.is_empty() || rest == "arn:aws:iam:::root")
}
