//! `iam:PassRole` and `sts:AssumeRole` on more roles than needed.
//! IAM User Guide, "Grant a user permissions to pass a role to an AWS service".

use crate::checks::allow_statements::except_denied;
use crate::checks::narrowing;
use crate::finding::Finding;
use crate::iam::arn::{self, Breadth};
use crate::iam::condition::{Grade, strength};
use crate::iam::{Action, ActionSet, Clause, ClauseItem, PolicyKind, Statement, catalogue};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let Some(pass_role) = catalogue().action("iam:PassRole") else {
        return;
    };
    for s in cx.statements() {
        if !matches!(s.document.kind, PolicyKind::Identity | PolicyKind::Session) || !s.allows() {
            continue;
        }
        if strength(&s).is_bound("iam:PassedToService", Grade::Narrows) {
            continue;
        }
        let Some(grant) = PassRoleGrant::new(&s, pass_role) else {
            continue;
        };
        if cx
            .project
            .withheld(s.document_id)
            .for_statement(s.index)
            .contains(pass_role.id())
        {
            continue;
        }
        let Some(reach) = RoleReach::new(&s) else {
            if let Some(f) = check_named_roles(cx, s, &grant) {
                out.push(f);
            }
            continue;
        };
        let at = |rule, message: &str| cx.at_statement(rule, s, message.to_owned());
        let f: Finding = match (&grant, &reach) {
            (PassRoleGrant::Not(clause), _) => at(
                ids::PASS_ROLE_WITH_NOT_ACTION,
                "`NotAction` allows `iam:PassRole` on every role",
            )
            .primary(clause.key, "does not exclude `iam:PassRole`"),
            (PassRoleGrant::By(item) | PassRoleGrant::Exact(item), RoleReach::Not(clause)) => at(
                ids::PASS_ROLE_WITH_NOT_RESOURCE,
                "`NotResource` allows `iam:PassRole` on almost every role",
            )
            .primary(item.span, "allows passing roles to services")
            .secondary(clause.key, "every role except these"),
            (PassRoleGrant::Exact(item), RoleReach::Wide(resource)) => at(
                ids::PASS_ROLE_STAR,
                "`iam:PassRole` is allowed on every role, for any service",
            )
            .primary(resource.span, "every role in the account")
            .secondary(item.span, "allows passing any role to any service"),
            (PassRoleGrant::By(item), RoleReach::Wide(resource)) => at(
                ids::PASS_ROLE_STAR_BY_ACTION_WILDCARD,
                "wildcard action grants `iam:PassRole` on every role, for any service",
            )
            .primary(item.span, "includes `iam:PassRole`")
            .secondary(resource.span, "every role in the account"),
        };
        let mut f = f;
        f.steps_down += u8::from(strength(&s).narrows());
        f.remedies
            .extend(narrowing::add_passed_to_service(cx, s.document_id, &s));
        let f = except_denied(cx, s, &single_action(pass_role), f);
        out.push(
            f.actions(grant.item().map(|i| i.display().to_lowercase()))
                .resources(reach.item().map(ClauseItem::display)),
        );
    }
}

pub(super) fn assume(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let Some(assume_role) = catalogue().action("sts:AssumeRole") else {
        return;
    };
    for s in cx.statements() {
        if !matches!(s.document.kind, PolicyKind::Identity | PolicyKind::Session) || !s.allows() {
            continue;
        }
        let (Some(PassRoleGrant::Exact(item) | PassRoleGrant::By(item)), Some(RoleReach::Wide(resource))) =
            (PassRoleGrant::new(&s, assume_role), RoleReach::new(&s))
        else {
            continue;
        };
        if cx
            .project
            .withheld(s.document_id)
            .for_statement(s.index)
            .contains(assume_role.id())
        {
            continue;
        }
        let mut f = cx
            .at_statement(ids::ASSUME_ROLE_STAR, s, "`sts:AssumeRole` is allowed on every role")
            .primary(resource.span, "every role")
            .secondary(item.span, "grants `sts:AssumeRole`")
            .actions(std::iter::once(item.display().to_lowercase()).chain(session_actions(&s)))
            .resources([resource.display()]);
        if strength(&s).narrows() {
            f.steps_down += 1;
        }
        out.push(except_denied(cx, s, &single_action(assume_role), f));
    }
}

fn single_action(action: Action) -> ActionSet {
    std::iter::once(action).collect()
}

/// Session actions of a statement, which have no effect without `sts:AssumeRole`.
/// IAM User Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed roles".
fn session_actions(s: &Statement) -> impl Iterator<Item = String> {
    let items = s.action.iter().filter(|c| !c.negated).flat_map(|c| &c.items);
    items
        .map(|i| i.display().to_lowercase())
        .filter(|a| matches!(&**a, "sts:setsourceidentity" | "sts:tagsession"))
}

/// `iam:PassRole` on named roles, for any service that they trust.
fn check_named_roles(cx: &Context<'_>, s: StatementRef<'_>, grant: &PassRoleGrant<'_>) -> Option<Finding> {
    let resource = s.resource.as_ref()?;
    let first = resource
        .items
        .first()
        .filter(|r| r.text.as_hole().is_none_or(|h| h.target.is_some()))?;
    let open = s.open || (s.condition_key.is_some() && !s.complete);
    if open || resource.items.iter().any(|r| r.breadth() == Breadth::Unknown) {
        return None;
    }
    let mut f = cx
        .at_statement(
            ids::PASS_ROLE_MISSING_PASSED_TO_SERVICE,
            s,
            "`iam:PassRole` has no condition on `iam:PassedToService`",
        )
        .primary(grant.span(), "for any service that the role trusts")
        .secondary(first.span, "this role");
    f.remedies
        .extend(narrowing::add_passed_to_service(cx, s.document_id, &s));
    Some(f.actions(grant.item().map(|i| i.display().to_lowercase())))
}

/// How a statement grants one action.
pub(super) enum PassRoleGrant<'a> {
    /// By its name, in any case.
    Exact(&'a ClauseItem),
    /// By a wildcard.
    By(&'a ClauseItem),
    /// By a `NotAction` that does not name it.
    Not(&'a Clause),
}

impl<'a> PassRoleGrant<'a> {
    pub(super) fn new(s: &'a Statement, action: Action) -> Option<Self> {
        let clause = s.action.as_ref()?;
        if clause.negated {
            return (!clause.may_name(action)).then_some(Self::Not(clause));
        }
        // The exact name takes precedence over a wildcard, in any order.
        let is_exact = |i: &ClauseItem| i.text.known().is_some_and(|t| t.eq_ignore_ascii_case(action.name()));
        let mut by = None;
        for item in clause.items_naming(action) {
            if is_exact(item) {
                return Some(Self::Exact(item));
            }
            by.get_or_insert(item);
        }
        by.map(Self::By)
    }

    pub(super) fn item(&self) -> Option<&'a ClauseItem> {
        match self {
            Self::Exact(i) | Self::By(i) => Some(i),
            Self::Not(_) => None,
        }
    }

    /// Where to point: the item, or the key of a `NotAction`.
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Exact(i) | Self::By(i) => i.span,
            Self::Not(clause) => clause.key,
        }
    }
}

/// The roles that a statement covers, if they are more than a few named ones.
enum RoleReach<'a> {
    Wide(&'a ClauseItem),
    Not(&'a Clause),
}

impl<'a> RoleReach<'a> {
    fn new(s: &'a Statement) -> Option<Self> {
        let clause = s.resource.as_ref()?;
        if clause.negated {
            return Some(Self::Not(clause));
        }
        clause.items.iter().find(|i| is_every_role(i)).map(Self::Wide)
    }

    fn item(&self) -> Option<&'a ClauseItem> {
        match self {
            Self::Wide(i) => Some(i),
            Self::Not(_) => None,
        }
    }
}

/// `*`, `arn:aws:iam::*:role/*`, `arn:aws:iam::111122223333:role/*`, and patterns that are as wide; not `role/app-*`.
pub(super) fn is_every_role(item: &ClauseItem) -> bool {
    arn::covers_every(&item.text, "role")
}
