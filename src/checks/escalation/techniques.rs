//! Known privilege escalation methods: `rules/facts/hand/escalation.txt`.

use std::sync::OnceLock;

use super::pass_role::is_every_role;
use crate::iam::arn::Breadth;
use crate::iam::condition::{Grade, Operator, OperatorFamily, strength};
use crate::iam::pattern;
use crate::iam::resource_fit::may_be_resource_of;
use crate::iam::service::admits_service;
use crate::iam::{Action, ActionSet, ClauseItem, Statement, catalogue};

/// How a method gains permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Danger {
    /// Changes the holder's own policies or groups.
    Own,
    /// Takes over another principal.
    Other,
    /// Passes a role to a new resource.
    Pass,
    /// Uses a resource that runs already.
    Target,
}

pub(super) struct Technique {
    pub(super) how: Danger,
    pub(super) actions: Vec<&'static str>,
    /// The same actions, from the catalogue.
    pub(super) ids: Vec<Action>,
    pub(super) what: &'static str,
    /// The prefixes of the service principals that get the role: `lambda`, or `ecs` for `ecs-tasks.amazonaws.com`.
    pub(super) services: Vec<&'static str>,
}

impl Technique {
    /// Whether `granted` has all its actions.
    pub(super) fn is_granted_by(&self, granted: &ActionSet) -> bool {
        self.ids.iter().all(|action| granted.contains(action.id()))
    }
}

/// The table, read on first use.
pub(super) fn techniques() -> &'static [Technique] {
    static WAYS: OnceLock<Vec<Technique>> = OnceLock::new();
    WAYS.get_or_init(|| {
        include_str!("../../../rules/facts/hand/escalation.txt")
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| {
                let mut fields = l.split('\t');
                let _name = fields.next()?;
                let how = match fields.next()? {
                    "self" => Danger::Own,
                    "other" => Danger::Other,
                    "pass" => Danger::Pass,
                    _ => Danger::Target,
                };
                let actions: Vec<_> = fields.next()?.split(' ').collect();
                let ids = actions.iter().map(|a| catalogue().action(a)).collect::<Option<_>>()?;
                let what = fields.next()?;
                let own = actions.iter().filter(|a| !a.starts_with("iam:"));
                let services = match fields.next() {
                    Some(services) => services.split(' ').collect(),
                    None => own.filter_map(|a| a.split(':').next()).take(1).collect(),
                };
                Some(Technique {
                    how,
                    actions,
                    ids,
                    what,
                    services,
                })
            })
            .collect()
    })
}

/// Whether a statement that grants `action` grants it widely enough for the method.
pub(super) fn grants_technique(s: &Statement, action: Action, technique: &Technique) -> bool {
    let how = technique.how;
    let pass = action.name() == "iam:PassRole";
    if pass && !passes_to(s, &technique.services) {
        return false;
    }
    if matches!(how, Danger::Own | Danger::Other) && strength(s).limits_attachable_policies() {
        return false;
    }
    let Some(resource) = &s.resource else { return false };
    // `*` covers every role and every resource of the action.
    resource.negated
        || resource.items.iter().any(|r| pattern::is_star(&r.text))
        || resource.items.iter().any(|r| match how {
            Danger::Pass if pass => is_every_role(r),
            // A resource that does not exist yet can be named in advance.
            Danger::Pass => {
                let known = r.breadth() != Breadth::Unknown || r.text.as_hole().is_none();
                known && may_be_resource_of(&r.text, action)
            }
            Danger::Own | Danger::Other | Danger::Target => {
                r.breadth() <= Breadth::WholeType && may_be_resource_of(&r.text, action)
            }
        })
}

/// Whether a statement allows passing roles to one of the services: it has no condition on `iam:PassedToService`, or
/// one that names the service.
pub(super) fn passes_to(s: &Statement, services: &[&str]) -> bool {
    if !strength(s).is_bound("iam:PassedToService", Grade::Narrows) {
        return true;
    }
    s.conditions
        .iter()
        .filter(|c| c.lower_key == "iam:passedtoservice")
        .all(|c| {
            let operator = c.parsed;
            let named =
                |v: &ClauseItem, o: Operator| admits_service(&v.text, o.wildcards, |name| is_service(name, services));
            operator
                .filter(|o| o.family == OperatorFamily::String && !o.negated)
                .is_some_and(|o| c.values.iter().any(|v| named(v, o)))
        })
}

/// Whether `principal` (`ecs-tasks.amazonaws.com`, `tasks.apprunner.amazonaws.com`) belongs to one of the services.
pub(super) fn is_service(principal: &str, services: &[&str]) -> bool {
    let own = |part: &str| {
        services.iter().any(|service| {
            part.strip_prefix(service)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    principal.split('.').any(own)
}
