//! Escalation methods that need a powerful target, if the target is in the repository: the statement names it, and it
//! or its role has administrator permissions.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::iam::condition::strength;
use crate::iam::glob::CaseSensitivity;
use crate::iam::principal::{IdentityType, PrincipalOrigin, origin_of};
use crate::iam::{Action, ClauseItem, catalogue, pattern};
use crate::model::Resource;
use crate::model::resource_types::{self, RoleHolder};
use crate::paths::methods::{Danger, Technique, grants_technique, is_service, passes_to, techniques};
use crate::phrase::{self, MAX_LABEL};
use crate::project::{
    DocumentId, Effective, EffectiveGrant, IdentityId, PolicySource, Power, ResourceId, StatementRef,
};
use crate::rules::{Context, FindingSink, ids};
use crate::source::{Piece, Span};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut search = TargetSearch {
        cx,
        named: BTreeMap::new(),
    };
    search.named = search.holders_named_in_trust();
    for (id, identity) in cx.project.identities.iter_enumerated() {
        if cx.effects.power(id).is_some() {
            continue;
        }
        let effective = cx.effects.of(id);
        if effective.boundary.is_some() {
            continue;
        }
        // One finding for each statement that names a target.
        let mut seen = Vec::new();
        let granted = effective.actions();
        for technique in techniques().iter().filter(|t| t.is_granted_by(&granted)) {
            if let Some((key, f)) = search.find_target(effective, technique)
                && !seen.contains(&key)
            {
                seen.push(key);
                out.push(f.scope(identity.header, ""));
            }
        }
        if let Some((key, f)) = search.assume(effective) {
            if !seen.contains(&key) {
                out.push(f.scope(identity.header, ""));
            }
        } else {
            search.trusted_by_name(effective).into_iter().for_each(|f| out.push(f));
        }
    }
}

struct TargetSearch<'s, 'a> {
    cx: &'s Context<'a>,
    /// The roles whose trust policies name an identity of the repository.
    named: BTreeMap<IdentityId, Vec<TrustedHolder<'a>>>,
}

/// The role, the statement of its trust policy, and where that names the identity.
type TrustedHolder<'p> = (IdentityId, StatementRef<'p>, Span);

/// A grant that names a target.
struct TargetGrant<'h, 'a> {
    grant: &'h EffectiveGrant<'a>,
    action: Action,
    item: &'h ClauseItem,
    role: IdentityId,
    what: &'static str,
}

/// The statement that names the target.
type Key = (DocumentId, usize);

impl<'a> TargetSearch<'_, 'a> {
    fn find_target(&self, effective: &Effective<'a>, technique: &Technique) -> Option<(Key, Finding)> {
        // The action that names the target or the role.
        let leading = match technique.how {
            Danger::Own | Danger::Start => return None,
            Danger::Pass => *technique.ids.iter().find(|a| a.name() == "iam:PassRole")?,
            Danger::Target | Danger::Other => *technique.ids.first()?,
        };
        let (grant, item, role) = effective.grants_of(leading).find_map(|g| {
            let resource = g.statement.resource.as_ref().filter(|r| !r.negated)?;
            let (item, role) = resource.items.iter().find_map(|item| {
                let role = match technique.how {
                    Danger::Pass => self.identity(item)?,
                    Danger::Other => self.identity(item).filter(|id| self.applies_to(leading, *id))?,
                    _ => self.runs_as(self.target(item)?.1)?,
                };
                (role != effective.identity && !self.is_denied(effective, leading, item)).then_some((item, role))
            })?;
            let applies = technique.how != Danger::Pass
                || (passes_to(g.statement, &technique.services) && self.trusts_service(role, &technique.services));
            applies.then_some((g, item, role))
        })?;
        let power = self.cx.effects.power(role)?;
        // A resource that does not exist yet can be named in advance.
        let suited = |g: &EffectiveGrant<'_>, other: Action| {
            technique.how != Danger::Pass || grants_technique(g.statement, other, technique)
        };
        let open = technique
            .ids
            .iter()
            .filter(|a| **a != leading)
            .all(|a| effective.grants_of(*a).any(|g| suited(g, *a)));
        if !open {
            return None;
        }
        let hit = TargetGrant {
            grant,
            action: leading,
            item,
            role,
            what: technique.what,
        };
        self.report(effective, &hit, power)
    }

    /// `sts:AssumeRole` on a role in the repository that trusts this identity.
    fn assume(&self, effective: &Effective<'a>) -> Option<(Key, Finding)> {
        let action = catalogue().action("sts:AssumeRole")?;
        effective.grants_of(action).find_map(|g| {
            let resource = g.statement.resource.as_ref().filter(|r| !r.negated)?;
            resource.items.iter().find_map(|item| {
                let role = self.identity(item)?;
                let power = self.cx.effects.power(role)?;
                let denied = self.is_denied(effective, action, item);
                if denied || role == effective.identity || !self.trusts(role, effective.identity) {
                    return None;
                }
                let hit = TargetGrant {
                    grant: g,
                    action,
                    item,
                    role,
                    what: "assumes the role",
                };
                self.report(effective, &hit, power)
            })
        })
    }

    fn holders_named_in_trust(&self) -> BTreeMap<IdentityId, Vec<TrustedHolder<'a>>> {
        let mut out: BTreeMap<IdentityId, Vec<TrustedHolder<'a>>> = BTreeMap::new();
        for (role, target) in self.cx.project.identities.iter_enumerated() {
            for d in &target.trust {
                for s in self.cx.project.statements(*d).filter(|s| s.allows()) {
                    let principals = s
                        .statement
                        .principal
                        .iter()
                        .filter(|p| !p.negated)
                        .flat_map(|p| &p.items);
                    for p in principals {
                        if let Some(id) = self.identity(&p.value) {
                            out.entry(id).or_default().push((role, s, p.value.span));
                        }
                    }
                }
            }
        }
        out
    }

    /// Privileged roles whose trust policies name this identity. Within one account, it then needs no identity-based
    /// permission.
    /// AWS STS API Reference, "AssumeRole", "Permissions".
    fn trusted_by_name(&self, effective: &Effective<'a>) -> Vec<Finding> {
        let project = self.cx.project;
        let identity = &project.identities[effective.identity];
        let lost = |action: Option<Action>| action.is_none_or(|a| effective.denied.contains(a.id()));
        if lost(catalogue().action("sts:AssumeRole")) {
            return Vec::new();
        }
        let named = self.named.get(&effective.identity).into_iter().flatten();
        let report = |&(role, s, span): &TrustedHolder<'_>| {
            let power = self.cx.effects.power(role).filter(|_| role != effective.identity)?;
            let message = format!(
                "the trust policy of a privileged role allows this {} to assume it",
                identity.kind.name()
            );
            let mut f = self
                .cx
                .at_statement(ids::PRIVESC_TARGET_IN_REPO, s, message)
                .primary(span, "needs no identity-based permission")
                .secondary(power.span, format!("the role: {}", power.reach.text()))
                .secondary(identity.header, "gets the role's permissions")
                .other_evidence(project.resources[identity.resource].address.name.to_string());
            f.steps_down += u8::from(strength(&s).narrows());
            Some(f)
        };
        named.filter_map(report).collect()
    }

    fn report(
        &self,
        effective: &Effective<'a>,
        hit: &TargetGrant<'_, 'a>,
        power: &Power<'_>,
    ) -> Option<(Key, Finding)> {
        let TargetGrant {
            grant,
            action,
            item,
            role,
            what,
        } = *hit;
        let PolicySource::Written(d) = grant.source else {
            return None;
        };
        let identity = |id: IdentityId| &self.cx.project.identities[id];
        let resource = |id| &self.cx.project.resources[identity(id).resource];
        let message = format!(
            "`{}` gives this {} a privileged {}'s permissions",
            action.name(),
            identity(effective.identity).kind.name(),
            identity(role).kind.name(),
        );
        let mut f = self
            .cx
            .at_statement(
                ids::PRIVESC_TARGET_IN_REPO,
                self.cx.project.statement(d, grant.index),
                message,
            )
            .primary(item.span, phrase::clip(what, MAX_LABEL))
            .secondary(grant.span(action), "grants the action");
        f = f.secondary(power.span, format!("the target: {}", power.reach.text()));
        f.steps_down += u8::from(grant.is_narrowed() && action.name() != "iam:PassRole");
        let written = grant.item(action).map(|i| i.display().to_lowercase());
        let f = f.actions(written).resources([item.display()]);
        Some((
            (d, grant.index),
            f.other_evidence(resource(role).address.name.to_string()),
        ))
    }

    /// Whether a Deny covers the action on the resource that an item of `Resource` names.
    fn is_denied(&self, effective: &Effective<'a>, action: Action, item: &ClauseItem) -> bool {
        let identity = self.identity(item);
        effective.denies(action, |deny| {
            let same = identity.is_some() && self.identity(deny) == identity;
            same || pattern::covers(&deny.text, &item.text, CaseSensitivity::Sensitive).is_yes()
        })
    }

    /// The resource in the repository that an item of `Resource` refers to, directly or by a version or alias.
    fn target(&self, item: &ClauseItem) -> Option<(ResourceId, &'a Resource)> {
        let hole = match item.text.pieces() {
            [.., Piece::Hole(hole), Piece::Lit(after)] if after.text.starts_with(':') => hole,
            [.., Piece::Hole(hole)] => hole,
            _ => return None,
        };
        self.cx.project.resource_at(hole.target.as_ref()?)
    }

    /// The identity in the repository that an item of `Resource` refers to, or names in its ARN.
    fn identity(&self, item: &ClauseItem) -> Option<IdentityId> {
        match self.target(item) {
            Some((id, _)) => self.cx.project.identity_of(id),
            None => self.cx.project.identity_named(&item.text),
        }
    }

    /// Whether an IAM action applies to this kind of identity.
    fn applies_to(&self, action: Action, id: IdentityId) -> bool {
        let kind = self.cx.project.identities[id].kind.name();
        action.resource_types().any(|t| t.name() == kind)
    }

    fn runs_as(&self, target: &Resource) -> Option<IdentityId> {
        let mut properties = resource_types::roles(&target.kind).iter();
        let property = properties.find(|p| p.holder == RoleHolder::Runs)?;
        let value = target.path(property.path)?;
        match property.instance_profile {
            true => self.cx.project.instance_profile(value).map(|(_, role)| role),
            false => self.cx.project.role(value),
        }
    }

    /// Whether the trust policy of a role certainly trusts the service.
    fn trusts_service(&self, role: IdentityId, services: &[&str]) -> bool {
        self.trusted_principals(role)
            .any(|p| matches!(p, PrincipalOrigin::Service { name } if is_service(&name, services)))
    }

    /// Whether the trust policy of a role trusts the identity by name, or delegates to the account's IAM policies.
    fn trusts(&self, role: IdentityId, who: IdentityId) -> bool {
        let own = self.cx.project.identities[who].resource;
        self.trusted_principals(role).any(|p| match p {
            PrincipalOrigin::Everyone
            | PrincipalOrigin::AnyAccount(_)
            | PrincipalOrigin::OwnAccount {
                who: IdentityType::Root,
                ..
            } => true,
            PrincipalOrigin::Resource(target) => self.cx.project.resource_at(&target).is_some_and(|(id, _)| id == own),
            _ => false,
        })
    }

    fn trusted_principals(&self, role: IdentityId) -> impl Iterator<Item = PrincipalOrigin> + use<'_, 'a> {
        let project = self.cx.project;
        let trust = &project.identities[role].trust;
        trust
            .iter()
            .flat_map(|d| &project.documents[*d].statements)
            .filter(|s| s.allows())
            .filter_map(|s| s.principal.as_ref().filter(|p| !p.negated))
            .flat_map(|p| &p.items)
            .map(|p| origin_of(p, project.own, None))
    }
}
