//! Policies that let their holder rewrite its own permissions: by name, not by a wildcard.

use std::collections::BTreeMap;

use crate::checks::allow_statements::{AllowStatement, identity_allow_statements};
use crate::checks::self_reference::{CallerPattern, OwnedResource, caller, groups_of_user, own_policies};
use crate::finding::{Confidence, Finding, Severity};
use crate::iam::condition::{Grade, Strength};
use crate::iam::glob::CaseSensitivity;
use crate::iam::{Action, ActionSet, ClauseItem, catalogue, pattern};
use crate::project::{
    DocumentId, Effective, EffectiveGrant, Identity, IdentityId, IdentityKind, PolicySource, is_denied,
};
use crate::rules::{Context, FindingSink, RuleId, ids};

/// What the action changes, which is also what the ARN names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnTarget {
    Identity,
    Group,
    Policy,
    Boundary,
}

/// The actions that give an identity of this kind more permissions when applied to itself.
/// Service Authorization Reference, "AWS Identity and Access Management (IAM)".
fn self_mutations(kind: IdentityKind) -> &'static [(&'static str, OwnTarget)] {
    match kind {
        IdentityKind::Role => &[
            ("iam:PutRolePolicy", OwnTarget::Identity),
            ("iam:AttachRolePolicy", OwnTarget::Identity),
            ("iam:CreatePolicyVersion", OwnTarget::Policy),
            ("iam:DeleteRolePermissionsBoundary", OwnTarget::Boundary),
            ("iam:PutRolePermissionsBoundary", OwnTarget::Boundary),
        ],
        IdentityKind::User => &[
            ("iam:PutUserPolicy", OwnTarget::Identity),
            ("iam:AttachUserPolicy", OwnTarget::Identity),
            ("iam:PutGroupPolicy", OwnTarget::Group),
            ("iam:AttachGroupPolicy", OwnTarget::Group),
            ("iam:CreatePolicyVersion", OwnTarget::Policy),
            ("iam:DeleteUserPermissionsBoundary", OwnTarget::Boundary),
            ("iam:PutUserPermissionsBoundary", OwnTarget::Boundary),
        ],
        IdentityKind::Group => &[
            ("iam:PutGroupPolicy", OwnTarget::Identity),
            ("iam:AttachGroupPolicy", OwnTarget::Identity),
            ("iam:CreatePolicyVersion", OwnTarget::Policy),
        ],
        IdentityKind::PermissionSet => &[],
    }
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, identity) in cx.project.identities.iter_enumerated() {
        let holder = MutatingIdentity::new(cx, id, identity);
        if let Some(hit) = holder.as_ref().and_then(MutatingIdentity::self_mutations) {
            out.push(hit.report(cx, identity));
        }
    }
    for g in identity_allow_statements(cx) {
        if let Some(f) = caller_variable_finding(cx, &g) {
            out.push(f);
        }
    }
    check_holders_known_by_name(cx, |on| on != OwnTarget::Boundary, &mut |f| out.push(f));
}

/// Holders that can lift their own boundary but cannot grant themselves everything directly.
pub(super) fn boundaries(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, identity) in cx.project.identities.iter_enumerated() {
        let Some(holder) = MutatingIdentity::new(cx, id, identity).filter(|h| h.self_mutations().is_none()) else {
            continue;
        };
        if let Some(hit) = holder.find_mutation(|on| on == OwnTarget::Boundary) {
            let mut f = hit.report(cx, identity);
            let boundary = holder.effective.boundary.as_ref();
            if boundary.is_none_or(|b| !b.complete) {
                f.steps_down += 1;
                f = f.note(match boundary {
                    None => "no permissions boundary is declared for the identity",
                    Some(_) => "the permissions boundary is not in the repository and may deny the action",
                });
                f.confidence = boundary.map_or(f.confidence, |_| Some(Confidence::Low));
            }
            out.push(f);
        }
    }
    check_holders_known_by_name(cx, |on| on == OwnTarget::Boundary, &mut |mut f| {
        f.steps_down += 1;
        out.push(f.note("no permissions boundary is declared for the identity"));
    });
    let names = ["iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"];
    for g in identity_allow_statements(cx).filter(|g| !g.strength.is_bound("iam:PermissionsBoundary", Grade::Narrows)) {
        if let Some((action, item, _)) = granted_on_caller(cx, &g, &names) {
            let message = "each user can change its own permissions boundary".to_owned();
            let f = report_on_caller(cx, &g, ids::BOUNDARY_REMOVAL, (action, item), message);
            f.into_iter().for_each(|f| out.push(f));
        }
    }
}

/// Actions that take over users whose names start or end like the caller's.
pub(super) fn check_similar_users(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    const NAMES: [&str; 5] = [
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:UpdateLoginProfile",
        "iam:CreateServiceSpecificCredential",
        "iam:ResetServiceSpecificCredential",
    ];
    for g in identity_allow_statements(cx) {
        if let Some((action, item, CallerPattern::WithOthers)) = granted_on_caller(cx, &g, &NAMES) {
            let message = format!(
                "`{}` also covers users whose names resemble the caller's",
                action.name()
            );
            let f = report_on_caller(cx, &g, ids::PRIVESC_SINGLE_ACTION, (action, item), message);
            f.into_iter().for_each(|f| out.push(f.severity(Severity::Medium)));
        }
    }
}

/// An identity and its effective permissions.
struct MutatingIdentity<'c, 'a> {
    cx: &'c Context<'a>,
    identity: &'a Identity,
    effective: &'c Effective<'a>,
    withheld: ActionSet,
}

/// A grant that lets the holder change its own permissions.
struct SelfMutation<'h, 'a> {
    action: Action,
    on: OwnTarget,
    grant: &'h EffectiveGrant<'a>,
    document: DocumentId,
    item: &'h ClauseItem,
}

impl<'c, 'a> MutatingIdentity<'c, 'a> {
    fn new(cx: &'c Context<'a>, id: IdentityId, identity: &'a Identity) -> Option<Self> {
        if identity.policies.is_empty() {
            return None;
        }
        let effective = cx.effects.of(id);
        Some(Self {
            cx,
            identity,
            withheld: effective.withheld(),
            effective,
        })
    }

    /// A grant that lets the holder give itself any permission.
    fn self_mutations(&self) -> Option<SelfMutation<'_, 'a>> {
        self.find_mutation(|on| on != OwnTarget::Boundary)
    }

    fn find_mutation(&self, wanted: fn(OwnTarget) -> bool) -> Option<SelfMutation<'_, 'a>> {
        let (cx, effective) = (self.cx, self.effective);
        let names = self_mutations(self.identity.kind).iter().filter(|(_, on)| wanted(*on));
        let actions = names.filter_map(|(name, on)| Some((catalogue().action(name)?, *on)));
        actions.into_iter().find_map(|(action, on)| {
            let bounded = effective.boundary.as_ref().is_some_and(|b| match b.complete {
                true => !b.most.contains(action.id()),
                false => on != OwnTarget::Boundary,
            });
            if bounded || self.withheld.contains(action.id()) {
                return None;
            }
            // An action that is denied on one of them may be allowed on another.
            let mut mine = own_resources(cx, self.identity, on);
            mine.retain(|own| !effective.denies(action, |r| is_within(cx, self.identity, on, *own, r)));
            effective.grants_of(action).find_map(|grant| {
                let resource = grant.statement.resource.as_ref().filter(|r| !r.negated)?;
                let is_own = |r: &&ClauseItem| {
                    is_reported_per_holder(on, r) && mine.iter().any(|own| own.is_referenced_by(cx, &r.text))
                };
                let item = resource.items.iter().find(is_own)?;
                match grant.source {
                    PolicySource::Written(document) if !is_limited(grant) => Some(SelfMutation {
                        action,
                        on,
                        grant,
                        document,
                        item,
                    }),
                    _ => None,
                }
            })
        })
    }
}

/// The rule, the message, and the label of the holder's resource.
fn describe(kind: &str, on: OwnTarget, action: Action) -> (RuleId, String, String) {
    let rule = match on {
        OwnTarget::Boundary => ids::BOUNDARY_REMOVAL,
        _ => ids::SELF_MUTATION,
    };
    let what = match on {
        OwnTarget::Policy => format!("the {kind} can rewrite a policy that is attached to it"),
        OwnTarget::Boundary => format!("the {kind} can change its own permissions boundary"),
        OwnTarget::Identity | OwnTarget::Group => {
            format!("the {kind} can give itself any permission with `{}`", action.name())
        }
    };
    let label = match on {
        OwnTarget::Policy => format!("attached to the {kind}"),
        OwnTarget::Group => format!("a group of the {kind}"),
        OwnTarget::Identity | OwnTarget::Boundary => format!("the {kind} that holds this policy"),
    };
    (rule, what, label)
}

/// The same for holders that the repository knows only by name, through the policies that are attached to that name.
fn check_holders_known_by_name(cx: &Context<'_>, wanted: fn(OwnTarget) -> bool, report: &mut dyn FnMut(Finding)) {
    let mut by_document: BTreeMap<DocumentId, Vec<(IdentityKind, OwnTarget, OwnedResource<'_>)>> = BTreeMap::new();
    let elsewhere = cx.project.elsewhere.iter();
    for (put, document) in elsewhere.flat_map(|put| put.documents().iter().map(move |d| (put, *d))) {
        let mine = by_document.entry(document).or_default();
        let named = OwnedResource::from_name(put.kind.name(), &put.name);
        mine.extend([
            (put.kind, OwnTarget::Identity, named),
            (put.kind, OwnTarget::Boundary, named),
        ]);
        let d = &cx.project.documents[document];
        let r = d
            .resource
            .filter(|r| &*cx.project.resources[*r].kind == "AWS::IAM::ManagedPolicy");
        mine.extend(r.map(|r| (put.kind, OwnTarget::Policy, OwnedResource::policy(cx, r))));
    }
    for (id, d) in cx.documents() {
        for holder in &d.holders {
            let named = OwnedResource::from_name(holder.kind, &holder.name);
            let kinds = [IdentityKind::Role, IdentityKind::User, IdentityKind::Group];
            let mine = by_document.entry(id).or_default();
            match kinds.into_iter().find(|k| k.name() == holder.kind) {
                Some(kind) => mine.extend([(kind, OwnTarget::Identity, named), (kind, OwnTarget::Boundary, named)]),
                None => mine.push((IdentityKind::Role, OwnTarget::Policy, named)),
            }
        }
    }
    if by_document.is_empty() {
        return;
    }
    for g in identity_allow_statements(cx) {
        let Some(mine) = by_document.get(&g.statement.document_id) else {
            continue;
        };
        let resource = g.statement.resource.as_ref().filter(|r| !r.negated);
        let Some(resource) = resource.filter(|_| !g.strength.limits_attachable_policies()) else {
            continue;
        };
        let hit = mine
            .iter()
            .filter(|(_, on, _)| wanted(*on))
            .find_map(|(kind, on, own)| {
                let item = resource.items.iter().find(|r| own.is_referenced_by(cx, &r.text))?;
                let actions = self_mutations(*kind).iter().filter(|(_, of)| of == on);
                let mut actions = actions.filter_map(|(name, _)| catalogue().action(name));
                let denied = |a| is_denied(cx.project, g.statement.document_id, a, |r| own.is_within(cx, &r.text));
                let action = actions.find(|a| g.actions.contains(a.id()) && !denied(*a))?;
                Some((kind, on, item, action))
            });
        let Some((kind, on, item, action)) = hit else { continue };
        let written = g
            .statement
            .action
            .as_ref()
            .filter(|c| !c.negated)
            .and_then(|c| c.item_naming(action));
        let Some(written) = written else { continue };
        let (rule, mut what, mut label) = describe(kind.name(), *on, action);
        if *on == OwnTarget::Policy {
            what = "the holder of this policy can rewrite it".to_owned();
            label = "the policy itself".to_owned();
        }
        let mut f = cx
            .at_statement(rule, g.statement, what)
            .primary(written.span, "applies to the holder itself")
            .secondary(item.span, label)
            .actions([written.display().to_lowercase()])
            .resources([item.display()]);
        f.steps_down += u8::from(g.strength.narrows());
        report(label_weak_limits(f, g.strength));
    }
}

impl SelfMutation<'_, '_> {
    fn report(&self, cx: &Context<'_>, identity: &Identity) -> Finding {
        let (rule, what, label) = describe(identity.kind.name(), self.on, self.action);
        let mut f = cx
            .at_statement(rule, cx.project.statement(self.document, self.grant.index), what)
            .primary(self.grant.span(self.action), "applies to the holder itself")
            .secondary(self.item.span, label)
            .scope(identity.header, "");
        f.steps_down += u8::from(self.grant.is_narrowed());
        f = label_weak_limits(f, self.grant.strength());
        let written = self.grant.item(self.action).map(|i| i.display().to_lowercase());
        f.actions(written).resources([self.item.display()])
    }
}

/// The holder's own identity, groups, or policies that an action can change.
fn own_resources<'a>(cx: &Context<'a>, identity: &'a Identity, on: OwnTarget) -> Vec<OwnedResource<'a>> {
    match on {
        OwnTarget::Identity | OwnTarget::Boundary => vec![OwnedResource::identity(identity)],
        OwnTarget::Group => groups_of_user(cx, identity).collect(),
        OwnTarget::Policy => own_policies(cx, identity).collect(),
    }
}

/// A resource with a caller variable is reported once for the policy, not for each holder.
fn is_reported_per_holder(on: OwnTarget, r: &ClauseItem) -> bool {
    !matches!(on, OwnTarget::Identity | OwnTarget::Boundary) || caller(&r.text).is_none()
}

/// Whether a resource of a Deny covers it.
fn is_within(cx: &Context<'_>, identity: &Identity, on: OwnTarget, own: OwnedResource<'_>, r: &ClauseItem) -> bool {
    let user = matches!(on, OwnTarget::Identity | OwnTarget::Boundary) && identity.kind == IdentityKind::User;
    own.is_within(cx, &r.text) || (user && caller(&r.text).is_some())
}

/// Labels for conditions on policies or boundaries that allow too much.
fn label_weak_limits(f: Finding, strength: &Strength) -> Finding {
    let keys = ["iam:PolicyARN", "iam:PermissionsBoundary"];
    let bounds = keys.iter().flat_map(|key| strength.bounds_of(key));
    bounds.fold(f, |f, b| match b.weakness {
        Some(weakness) => f.secondary(b.span, weakness.text()),
        None => f,
    })
}

fn is_limited(grant: &EffectiveGrant<'_>) -> bool {
    grant.strength().limits_attachable_policies()
}

/// Grants on the calling user through `${aws:username}`.
fn caller_variable_finding(cx: &Context<'_>, g: &AllowStatement<'_>) -> Option<Finding> {
    if g.strength.limits_attachable_policies() {
        return None;
    }
    let (action, item, _) = granted_on_caller(cx, g, &["iam:PutUserPolicy", "iam:AttachUserPolicy"])?;
    let message = format!("each user can give itself any permission with `{}`", action.name());
    report_on_caller(cx, g, ids::SELF_MUTATION, (action, item), message)
}

/// The first of `names` that a statement grants on the calling user and its document does not deny there.
fn granted_on_caller<'a>(
    cx: &Context<'_>,
    g: &AllowStatement<'a>,
    names: &[&str],
) -> Option<(Action, &'a ClauseItem, CallerPattern)> {
    let resource = g.statement.statement.resource.as_ref().filter(|r| !r.negated)?;
    let named = resource.items.iter().filter_map(|r| Some((r, caller(&r.text)?)));
    let (item, who) = named.max_by_key(|(_, who)| *who == CallerPattern::WithOthers)?;
    let covers = |deny: &ClauseItem| pattern::covers(&deny.text, &item.text, CaseSensitivity::Sensitive).is_yes();
    let mut actions = names.iter().filter_map(|name| catalogue().action(name));
    let action =
        actions.find(|a| g.actions.contains(a.id()) && !is_denied(cx.project, g.statement.document_id, *a, covers))?;
    Some((action, item, who))
}

fn report_on_caller(
    cx: &Context<'_>,
    g: &AllowStatement<'_>,
    rule: RuleId,
    (action, item): (Action, &ClauseItem),
    message: String,
) -> Option<Finding> {
    let written = g
        .statement
        .action
        .as_ref()
        .filter(|c| !c.negated)?
        .item_naming(action)?;
    let mut f = cx
        .at_statement(rule, g.statement, message)
        .primary(written.span, "applies to the holder itself")
        .secondary(item.span, "the calling user")
        .actions([written.display().to_lowercase()])
        .resources([item.display()]);
    f.steps_down += u8::from(g.strength.narrows());
    Some(label_weak_limits(f, g.strength))
}
