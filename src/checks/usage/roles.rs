//! Roles, and everything that runs with them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::handed_on::HandedOn;
use super::obstacle::Obstacle;
use super::platform;
use super::references::other_references;
use super::sources::EventSources;
use crate::iam::principal::{self, Oidc};
use crate::iam::states::TaskActions;
use crate::iam::{ActionId, ActionSet, PrincipalItem, Statement, catalogue};
use crate::model::{Address, Resource};
use crate::project::targets::{ResourceRef, ResourceRefs};
use crate::project::{Codebase, Effective, Effects, IdentityId, Project, Required, RunsAs, Workload, WorkloadKind};
use crate::python::calls::ApiCall;
use crate::source::Span;
use crate::value::Value;

/// Maximum number of distinct places kept for one action.
const MAX_PLACES: usize = 64;

/// Every role of the repository that a workload uses.
pub(super) struct UsedRoles<'c, 'p> {
    /// By role.
    pub(super) users: BTreeMap<IdentityId, Vec<RoleUser<'c>>>,
    /// Scopes in which results of functions go to a destination.
    destinations: BTreeSet<Arc<str>>,
    handed_on: HandedOn,
    /// Of roles that something with a definition has, where something else names them.
    other_references: BTreeMap<IdentityId, Span>,
    /// Layers of the repository.
    layers: BTreeSet<(Arc<str>, Arc<str>)>,
    pub(super) places: ResourceRefs<'p>,
}

/// Something that runs with a role.
pub(super) struct RoleUser<'c> {
    /// Index into [`Project::workloads`].
    pub(super) workload: usize,
    pub(super) runs_as: RunsAs,
    /// `None` if its code is unknown.
    pub(super) required: Option<Rc<Required<'c>>>,
}

/// Actions that everything that runs with a role may use, with the proof.
#[derive(Default)]
pub(super) struct UsedActions<'c> {
    /// Possibly used on any resource: never reported as unused.
    pub(super) actions: ActionSet,
    /// Possibly used on these resources, and on no others if not in `actions`.
    pub(super) somewhere: BTreeMap<ActionId, Vec<ResourceRef>>,
    /// Definitely used: by calls, or by the platform for the workloads as they are configured.
    pub(super) needed: ActionSet,
    /// Those of `needed` that the platform calls.
    pub(super) declared: ActionSet,
    /// Those of `actions` that the platform may call.
    pub(super) platform: ActionSet,
    /// Those of `actions` that something beside the code may call, by what it is.
    pub(super) beside: BTreeMap<&'static str, ActionSet>,
    /// In the order of files and positions.
    pub(super) calls: Vec<&'c ApiCall>,
    /// Whether every entry point is a known handler.
    pub(super) exact: bool,
    pub(super) workloads: Vec<usize>,
}

impl UsedActions<'_> {
    fn put_beside(&mut self, what: &'static str, actions: &ActionSet) {
        self.actions.union_with(actions);
        self.beside.entry(what).or_default().union_with(actions);
    }
}

impl<'c, 'p> UsedRoles<'c, 'p> {
    pub(super) fn new(project: &'p Project<'p>, code: &Codebase<'c, '_>) -> Self {
        let mut users: BTreeMap<IdentityId, Vec<RoleUser<'c>>> = BTreeMap::new();
        // Functions often share code.
        let mut seen: BTreeMap<_, Option<Rc<Required<'c>>>> = BTreeMap::new();
        for (workload, w) in project.workloads.iter().enumerate() {
            let required = w.code().filter(|_| !w.roles.is_empty()).and_then(|c| {
                seen.entry((&c.place, &c.handler))
                    .or_insert_with(|| code.required(c).map(Rc::new))
                    .clone()
            });
            for runs_as in &w.roles {
                users.entry(runs_as.role).or_default().push(RoleUser {
                    workload,
                    runs_as: *runs_as,
                    required: required.clone(),
                });
            }
        }
        let scopes = |which: fn(&Resource) -> bool| {
            let found = project.resources.iter().filter(|r| which(r));
            found.map(|r| r.address.scope.clone()).collect()
        };
        Self {
            other_references: other_references(project, &users),
            users,
            destinations: scopes(platform::has_destination),
            handed_on: HandedOn::new(project),
            layers: project
                .resources
                .iter()
                .filter(|r| &*r.kind == "AWS::Lambda::LayerVersion")
                .map(|r| (r.address.scope.clone(), r.address.name.clone()))
                .collect(),
            places: ResourceRefs::new(project),
        }
    }

    /// Whether the name or ARN of a resource is passed to code or to other stacks.
    pub(super) fn is_passed_on(&self, address: &Address) -> bool {
        self.handed_on.resource(address).is_some()
    }

    fn is_own_layer(&self, layer: &Value) -> bool {
        let target = layer.as_hole().and_then(|h| h.target.as_ref());
        target.is_some_and(|t| self.layers.contains(&(t.scope.clone(), t.address.clone())))
    }

    /// What the users of `role` use, if all of it is understood and no one else can use the role.
    pub(super) fn used_actions(
        &self,
        project: &Project<'_>,
        effects: &Effects<'_>,
        role: IdentityId,
    ) -> Result<UsedActions<'c>, Obstacle> {
        let users = self.users.get(&role).map_or(&[][..], Vec::as_slice);
        if let Some(span) = self.other_references.get(&role) {
            return Err(Obstacle::UsedElsewhere(*span));
        }
        if let Some(span) = self.handed_on.role(project, role) {
            return Err(Obstacle::HandedOn(span));
        }
        let mut used = UsedActions {
            actions: platform::actions_of_any_role().clone(),
            platform: platform::actions_of_any_role().clone(),
            exact: true,
            ..UsedActions::default()
        };
        let granted = effects.of(role).actions();
        let workloads: Vec<&Workload> = users.iter().map(|u| &project.workloads[u.workload]).collect();
        trusts_only_services_of(project, role, &workloads)?;
        for (user, w) in users.iter().zip(workloads) {
            if w.kind.has_definition() {
                let definition = w.definition().ok_or(Obstacle::Neighbor(user.workload))?;
                used.workloads.push(user.workload);
                if is_everything(&definition.actions) {
                    return Err(Obstacle::AnyAction(w.name(project).to_owned(), definition.span));
                }
                used.actions.union_with(&definition.actions);
                if w.kind == WorkloadKind::Machine {
                    used.platform.union_with(&TaskActions::of_part("platform").set());
                }
                definition.required.iter().for_each(|a| used.needed.expand_into(a));
                continue;
            }
            let understood = user.required.as_ref().filter(|r| r.doubts.is_empty());
            let required = understood.ok_or(Obstacle::Neighbor(user.workload))?;
            used.exact &= required.exact;
            used.workloads.push(user.workload);
            if let Some(obstacle) = uses_everything(required) {
                return Err(obstacle);
            }
            used.actions.union_with(&required.libraries);
            if w.kind == WorkloadKind::Function {
                let r = &project.resources[w.resource];
                let sent = self.destinations.contains(&r.address.scope);
                used.actions.union_with(&platform::actions_of_function(r, sent));
                if platform::has_other_layers(r, |l| self.is_own_layer(l)) {
                    used.put_beside(
                        "a layer that is not in the repository",
                        platform::actions_of_extensions(),
                    );
                }
                let sources = EventSources::new(project, &self.places, r);
                used.platform.union_with(&sources.possible_actions(&granted));
                used.declared.union_with(&sources.required_actions());
                used.declared.union_with(&platform::platform_actions(r));
            }
            if w.kind == WorkloadKind::Job {
                used.put_beside("AWS Glue", platform::actions_of_job());
            }
            if matches!(
                w.kind,
                WorkloadKind::Task | WorkloadKind::Instance | WorkloadKind::BatchJob
            ) {
                let beside =
                    platform::sidecar_actions(&project.resources[w.resource], user.workload, w.code().map(|c| c.span))?;
                used.put_beside("agents beside the code", &beside);
            }
            for call in &required.calls {
                self.add_call(w, call, &mut used);
                certain_actions(call).for_each(|action| used.needed.expand_into(action));
                used.calls.push(call);
            }
        }
        used.actions.union_with(&used.platform);
        let declared = used.declared.clone();
        used.needed.union_with(&declared);
        used.calls.sort_by_key(|c| c.span);
        used.calls.dedup_by(|a, b| std::ptr::eq(*a, *b));
        self.count_other_grants(effects.of(role), &mut used);
        Ok(used)
    }

    /// An action that no grant allows on the called resources is missing there; its other grants then count as used.
    fn count_other_grants(&self, effective: &Effective<'_>, used: &mut UsedActions<'_>) {
        if used.somewhere.is_empty() {
            return;
        }
        for (id, places) in std::mem::take(&mut used.somewhere) {
            let mut grants = effective.grants_of(id.action());
            let reached =
                places.len() <= MAX_PLACES && grants.any(|g| !self.places.grants_none_of(g.statement, &places));
            if reached {
                used.somewhere.insert(id, places);
            } else {
                used.actions.insert(id.action());
            }
        }
    }

    /// Adds everything that a call may need.
    fn add_call(&self, w: &Workload, call: &ApiCall, used: &mut UsedActions<'c>) {
        let a = &call.actions;
        for name in a.required.iter().chain(&a.any_of) {
            let Some(action) = catalogue().action(name) else {
                used.actions.expand_into(name);
                continue;
            };
            match self.places.targets_of_call(w, call, action) {
                Some(places) => {
                    let known = used.somewhere.entry(action.id()).or_default();
                    for place in places {
                        if !known.contains(&place) {
                            known.push(place);
                        }
                    }
                }
                None => used.actions.union_with(&std::iter::once(action).collect()),
            }
        }
        let conditional = a.conditional.iter().map(|c| c.action);
        for pattern in conditional.chain(call.companion_actions()) {
            used.actions.expand_into(pattern);
        }
        if let Some(pattern) = a.service_pattern() {
            used.actions.expand_into(&pattern);
        }
    }
}

impl UsedActions<'_> {
    /// Possibly used, on any resource.
    pub(super) fn possibly_used(&self) -> ActionSet {
        let mut all = self.actions.clone();
        self.somewhere.keys().for_each(|id| all.insert(id.action()));
        all
    }

    /// Those of `granted` that are used, but never on the resources of `statement`.
    pub(super) fn used_on_others(
        &self,
        granted: &ActionSet,
        statement: &Statement,
        places: &ResourceRefs<'_>,
    ) -> ActionSet {
        let only = |id: &ActionId| granted.contains(*id) && !self.actions.contains(*id);
        self.somewhere
            .iter()
            .filter(|(id, at)| only(id) && places.grants_none_of(statement, at))
            .map(|(id, _)| id.action())
            .collect()
    }

    /// Those of `granted` that may be used on the resources of `statement`.
    pub(super) fn possibly_used_on(
        &self,
        granted: &ActionSet,
        statement: &Statement,
        places: &ResourceRefs<'_>,
    ) -> ActionSet {
        let mut used = granted.clone();
        used.intersect(&self.possibly_used());
        used.subtract(&self.used_on_others(granted, statement, places));
        used
    }
}

/// Fails unless a role's trust policies allow only the services of these workloads.
fn trusts_only_services_of(project: &Project<'_>, role: IdentityId, workloads: &[&Workload]) -> Result<(), Obstacle> {
    let runs = |name: &str| workloads.iter().any(|w| w.kind.is_run_by(name));
    // EKS pods assume roles through the OIDC provider of the cluster.
    let pods = |i: &PrincipalItem| {
        let place = || principal::origin_of(i, project.own, None);
        workloads.iter().any(|w| w.kind == WorkloadKind::Declared)
            && matches!(
                place(),
                principal::PrincipalOrigin::Oidc {
                    provider: Oidc::Eks,
                    ..
                }
            )
    };
    let identity = &project.identities[role];
    let trust = &identity.trust;
    let statements = trust.iter().flat_map(|d| &project.documents[*d].statements);
    // A module that creates both without a known trust policy creates the role for the function.
    let of_module = || {
        let role = &project.resources[identity.resource];
        let mut all = workloads.iter().map(|w| &project.resources[w.resource]);
        role.get("AssumeRolePolicyDocument").is_none() && all.all(|r| r.extent == role.extent)
    };
    if trust.is_empty() && !of_module() {
        return Err(Obstacle::UnknownTrust);
    }
    for s in statements.filter(|s| !s.denies()) {
        let known = s.principal.as_ref().filter(|p| p.complete && !p.negated);
        let principal = known.ok_or(Obstacle::UnknownTrust)?;
        let other = principal.items.iter().find(|i| {
            let service = match principal::origin_of(i, project.own, None) {
                principal::PrincipalOrigin::Service { name } => runs(&name),
                _ => false,
            };
            !(service || pods(i))
        });
        if let Some(other) = other {
            return Err(Obstacle::Trusts(other.value.text.display(), other.value.span));
        }
    }
    Ok(())
}

/// What of a workload's code may use all that its role allows.
fn uses_everything(required: &Required<'_>) -> Option<Obstacle> {
    let library = required.imported.iter().find(|l| is_everything(&l.actions));
    let of_library = library.map(|l| Obstacle::AnyAction(l.name.to_string(), l.span));
    let any = |call: &&&ApiCall| call.companion_actions().any(|pattern| pattern == "*");
    of_library.or_else(|| {
        let call = required.calls.iter().find(any)?;
        let by = call.actions.required.first().copied();
        let by = by.map_or_else(|| format!("{}.{}", call.service, call.method), str::to_owned);
        Some(Obstacle::AnyAction(by, call.span))
    })
}

fn is_everything(actions: &ActionSet) -> bool {
    ActionSet::expand("*").is_subset(actions)
}

/// Actions that a call needs as written; of alternatives, all of them.
pub(super) fn certain_actions(call: &ApiCall) -> impl Iterator<Item = &'static str> {
    let a = &call.actions;
    let given = a.conditional.iter().filter(|c| c.trigger.is_some());
    a.required
        .iter()
        .chain(&a.any_of)
        .copied()
        .chain(given.map(|c| c.action))
}

/// One call for each of `actions` that needs it, with the action.
pub(super) fn calls_requiring<'c>(calls: &[&'c ApiCall], actions: &ActionSet) -> Vec<(&'c ApiCall, &'static str)> {
    let mut left = actions.clone();
    let mut out = Vec::new();
    for call in calls {
        for action in certain_actions(call) {
            let Some(known) = catalogue().action(action) else {
                continue;
            };
            if left.contains(known.id()) {
                left.subtract(&std::iter::once(known).collect());
                out.push((*call, action));
            }
        }
    }
    out
}
