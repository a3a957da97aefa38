//! Roles that are passed to something new.
//! IAM User Guide, "Grant a user permissions to pass a role to an AWS service".

use std::collections::BTreeSet;

use super::classes::ROLE;
use super::edge::NeedAt;
use super::grants::{is_denied_everywhere, need};
use super::graph::{Actor, Graph, Hub, trusted};
use super::methods::{Danger, Technique, all_methods, grants_technique, is_service, passes_to};
use crate::iam::arn::Arn;
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::overlaps;
use crate::iam::{Action, Clause, ClauseItem, catalogue};
use crate::project::EffectiveGrant;

pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    let passing = actor.granted(graph, "iam:PassRole", ROLE);
    if passing.is_empty() {
        return;
    }
    let granted = actor.effective.actions();
    let methods: Vec<(&'static Technique, Vec<NeedAt>)> = all_methods()
        .iter()
        .filter(|t| matches!(t.how, Danger::Pass | Danger::Start) && t.is_granted_by(&granted))
        .filter_map(|t| Some((t, needs(graph, actor, t)?)))
        .collect();
    if methods.is_empty() {
        return;
    }
    for service in graph.services.clone() {
        let Some((method, needs)) = methods.iter().find(|(t, _)| is_service(&service, &t.services)) else {
            continue;
        };
        let hub = Hub::Trusting(service.clone(), actor.deployment);
        let actor = &Actor {
            passed_to: Some(&method.services),
            ..actor.clone()
        };
        let passing = actor.granted(graph, "iam:PassRole", ROLE);
        graph.add_targets(actor, &passing, &hub, ROLE, &|graph, g, role| {
            if !passes_to(g.grant.statement, &method.services) {
                return None;
            }
            let takes_profile = is_service(&service, &["ec2"]) && !method.makes_profile;
            let profile = !takes_profile || role.is_none_or(|r| graph.has_instance_profile(r));
            let mut edge = actor.edge(graph, g, role, method.what);
            edge.needs.extend(needs.iter().cloned());
            edge.conditions
                .retain(|k| !k.eq_ignore_ascii_case("iam:PassedToService"));
            if !profile {
                edge.unknown
                    .push("no instance profile of the role is in the repository".to_owned());
            }
            if let Some(role) = role {
                let way = graph.trust.get(&role)?.trusts_service(&service)?;
                edge.needs.push(trusted(way.span));
                edge.conditions.extend(way.conditions.iter().cloned());
            }
            Some(edge)
        });
    }
}

/// What lets someone into an instance.
const WAYS_IN: &[&str] = &[
    "ec2-instance-connect:SendSSHPublicKey",
    "ec2:ModifyInstanceAttribute",
    "ssm:SendCommand",
    "ssm:StartSession",
];

/// Where the actor is granted the other actions of a method, wide enough for something new.
fn needs<'p>(graph: &Graph<'p>, actor: &Actor<'p>, method: &Technique) -> Option<Vec<NeedAt>> {
    let mut found: Vec<(Action, &EffectiveGrant<'p>)> = Vec::new();
    for action in method.ids.iter().filter(|a| a.name() != "iam:PassRole") {
        if is_denied_everywhere(actor.effective, &actor.asking(graph), *action) {
            return None;
        }
        let grant = actor.effective.grants_of(*action).find(|g| {
            let met = actor.asking(graph).meets_all(g.statement).may_be();
            met && grants_technique(g.statement, *action, method) && found.iter().all(|(_, other)| may_be_one(other, g))
        })?;
        found.push((*action, grant));
    }
    let mut needs: Vec<NeedAt> = found.iter().map(|(action, grant)| need(grant, *action)).collect();
    // A role given to an instance is of use only to those who get into it.
    if matches!(
        method.actions[..],
        [
            _,
            "ec2:AssociateIamInstanceProfile" | "ec2:ReplaceIamInstanceProfileAssociation"
        ]
    ) {
        let ways = WAYS_IN.iter().filter_map(|a| catalogue().action(a));
        let (action, grant) = ways
            .filter_map(|a| Some((a, actor.effective.grants_of(a).next()?)))
            .next()?;
        needs.push(need(grant, action));
    }
    Some(needs)
}

/// Whether two statements may be on one resource, where both name ARNs of one service.
fn may_be_one(a: &EffectiveGrant<'_>, b: &EffectiveGrant<'_>) -> bool {
    let (Some(a), Some(b)) = (&a.statement.resource, &b.statement.resource) else {
        return true;
    };
    let service = |c: &Clause| {
        let services: Option<BTreeSet<String>> = c
            .items
            .iter()
            .map(|i| Some(Arn::parse(&i.text)?.service()?.into_owned()))
            .collect();
        services.filter(|s| s.len() == 1 && !c.negated)
    };
    if service(a).is_none() || service(a) != service(b) {
        return true;
    }
    let kind = |c: &Clause| {
        c.items
            .first()
            .and_then(|i| Some(Arn::parse(&i.text)?.resource_type().into_owned()))
    };
    kind(a) != kind(b)
        || a.items.iter().any(|x| {
            let mut others = b.items.iter();
            let rest = |i: &ClauseItem| Some(Arn::parse(&i.text)?.resource.to_text());
            others.any(|y| match (rest(x), rest(y)) {
                (Some(x), Some(y)) => overlaps(&x, &y, CaseSensitivity::Sensitive).may_be(),
                _ => true,
            })
        })
}
