//! Known privilege escalation methods. How they are kept: `method_table.rs`.

use std::sync::OnceLock;

use super::method_table::MethodTable;
use crate::iam::arn::{self, Breadth};
use crate::iam::condition::{Grade, Operator, OperatorFamily, strength};
use crate::iam::pattern;
use crate::iam::resource_fit::may_be_resource_of;
use crate::iam::service::admits_service;
use crate::iam::{Action, ActionSet, ClauseItem, Statement, catalogue};

/// How a method gains permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Changes the holder's own policies or groups.
    Own,
    /// Takes over another principal.
    Other,
    /// Passes a role to a new resource.
    Pass,
    /// Passes a role to what is started from a resource that is there already: only a path says whether there is such a role.
    Start,
    /// Uses a resource that runs already.
    Target,
}

pub struct Technique {
    pub how: Danger,
    pub actions: Vec<&'static str>,
    /// The same actions, from the catalogue.
    pub ids: Vec<Action>,
    pub what: &'static str,
    /// The services that get the role: `ecs-tasks` for `ecs-tasks.amazonaws.com`.
    pub services: Vec<&'static str>,
    /// Of [`Danger::Target`]: the types of what runs already, as CloudFormation names them.
    pub on: Vec<&'static str>,
    /// A policy alone does not show it.
    pub(super) only_paths: bool,
    /// EC2 gets the role, and the service makes the instance profile.
    pub(super) makes_profile: bool,
}

impl Technique {
    /// `None` if the catalogue does not have one of the actions.
    pub(super) fn new(how: Danger, actions: Vec<&'static str>, what: &'static str) -> Option<Self> {
        let ids = actions.iter().map(|a| catalogue().action(a)).collect::<Option<_>>()?;
        Some(Self {
            how,
            actions,
            ids,
            what,
            services: Vec::new(),
            on: Vec::new(),
            only_paths: false,
            makes_profile: false,
        })
    }

    /// Whether `granted` has all its actions.
    pub fn is_granted_by(&self, granted: &ActionSet) -> bool {
        self.ids.iter().all(|action| granted.contains(action.id()))
    }
}

/// The methods that a policy alone shows.
pub fn techniques() -> &'static [Technique] {
    let all = all_methods();
    let end = all.partition_point(|t| !t.only_paths);
    all.get(..end).unwrap_or_default()
}

/// Those that only paths show come last.
pub fn all_methods() -> &'static [Technique] {
    &table().methods
}

/// Whether a service runs code of the customer's, which has the credentials of the role that the service assumes.
pub fn runs_code(principal: &str) -> bool {
    is_service(principal, &table().running)
}

/// Read on first use.
fn table() -> &'static MethodTable {
    static TABLE: OnceLock<MethodTable> = OnceLock::new();
    TABLE.get_or_init(MethodTable::read)
}

/// Whether a statement that grants `action` grants it widely enough for the method.
pub fn grants_technique(s: &Statement, action: Action, technique: &Technique) -> bool {
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
            Danger::Pass | Danger::Start if pass => arn::covers_every(&r.text, "role"),
            // A resource that does not exist yet can be named in advance.
            Danger::Pass | Danger::Start => {
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
pub fn passes_to(s: &Statement, services: &[&str]) -> bool {
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

/// Whether `principal` (`ecs-tasks.amazonaws.com`, `tasks.apprunner.amazonaws.com`) is one of the services.
pub fn is_service(principal: &str, services: &[&str]) -> bool {
    let name = principal.strip_suffix(".amazonaws.com").unwrap_or(principal);
    services.contains(&name)
}
