//! AWS API calls that fail because the role does not allow them.

use std::collections::BTreeMap;

use super::comparison::RoleComparison;
use super::recorded::denied_note;
use super::resource_grants::ResourceGrants;
use super::roles::RoleUser;
use super::words::has_role;
use crate::finding::{Cause, Confidence, Finding, Remedy};
use crate::iam::pattern::{self, Pattern};
use crate::iam::{Action, ClauseItem, DocumentOrigin, Statement, Truth, catalogue};
use crate::model::Resource;
use crate::phrase;
use crate::project::targets::{ResourceRef, ResourceRefs};
use crate::project::{Effective, Handler, IdentityId, MachineTask, PolicySource, Project, Workload, WorkloadKind};
use crate::python::ScopeId;
use crate::python::calls::ApiCall;
use crate::rules::{Context, FindingSink, ids};
use crate::source::{Span, Text};

pub(super) fn check(cx: &Context<'_>, comparison: &RoleComparison<'_, '_>, out: &mut FindingSink<'_>) {
    if !out.is_selected(ids::MISSING_GRANT) {
        return;
    }
    let by_resources = ResourceGrants::new(cx.project);
    for (role, users) in &comparison.roles.users {
        let effective = cx.effects.of(*role);
        for user in users.iter().filter(|user| comparison.missing_obstacle(user).is_none()) {
            let granted = WorkloadPermissions {
                role: *role,
                user: &cx.project.resources[cx.project.workloads[user.workload].resource],
                effective,
                by_resources: &by_resources,
                places: &comparison.roles.places,
                workload: &cx.project.workloads[user.workload],
            };
            check_user(cx, *role, user, &granted, out);
        }
    }
}

/// The permissions of a workload.
struct WorkloadPermissions<'g> {
    role: IdentityId,
    /// What declares the workload.
    user: &'g Resource,
    effective: &'g Effective<'g>,
    by_resources: &'g ResourceGrants<'g>,
    places: &'g ResourceRefs<'g>,
    workload: &'g Workload,
}

/// Why a call fails.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fails {
    Denied,
    NotGranted,
    /// Granted, but only on resources other than those of the call.
    OutOfReach,
}

/// A call of the code, or what a state or another part calls.
#[derive(Clone, Copy)]
enum DeployedCall<'c> {
    Code(&'c ApiCall),
    State(&'c MachineTask),
}

impl<'c> DeployedCall<'c> {
    fn span(self) -> Span {
        match self {
            Self::Code(call) => call.span,
            Self::State(task) => task.span,
        }
    }

    fn call(self) -> Option<&'c ApiCall> {
        match self {
            Self::Code(call) => Some(call),
            Self::State(_) => None,
        }
    }
}

/// Calls that fail, and the actions that they lack.
#[derive(Default)]
struct FailingCalls<'c> {
    /// Each with the place of the first call that needs it.
    actions: Vec<(Option<Span>, &'static str)>,
    calls: Vec<DeployedCall<'c>>,
}

fn check_user(
    cx: &Context<'_>,
    role: IdentityId,
    user: &RoleUser<'_>,
    granted: &WorkloadPermissions<'_>,
    out: &mut FindingSink<'_>,
) {
    let (project, effective, w) = (cx.project, granted.effective, granted.workload);
    let mut missing: BTreeMap<(&'static str, Fails), Vec<DeployedCall<'_>>> = BTreeMap::new();
    for caller in deployed_calls(project, user, w) {
        let lacks = match caller {
            DeployedCall::Code(call) => granted.missing_actions(call),
            DeployedCall::State(task) => granted.missing_actions_of_task(task),
        };
        for (action, why) in lacks {
            missing.entry((action.name(), why)).or_default().push(caller);
        }
    }
    // One finding for actions that the same calls lack for the same reason, and for a service that the role lacks in
    // one file.
    let services = effective.actions();
    let services = services.services();
    let mut troubles: BTreeMap<(Fails, Vec<Span>, &str), FailingCalls<'_>> = BTreeMap::new();
    for ((action, why), mut calls) in missing {
        calls.sort_by_key(|c| c.span());
        let service = action.split(':').next().unwrap_or_default();
        let lacks_all = why == Fails::NotGranted && !services.contains(&service);
        let file = calls.first().map(|c| Span::new(c.span().file, 0, 0));
        let key = match file.filter(|_| lacks_all) {
            Some(file) => (why, vec![file], service),
            None => (why, calls.iter().map(|c| c.span()).collect(), ""),
        };
        let trouble = troubles.entry(key).or_default();
        trouble.actions.push((calls.first().map(|c| c.span()), action));
        trouble.calls.extend(calls);
    }
    let identity = &project.identities[role];
    for ((why, ..), FailingCalls { mut actions, mut calls }) in troubles {
        calls.sort_by_key(|c| c.span());
        calls.dedup_by_key(|c| c.span());
        actions.sort_by_key(|(at, _)| *at);
        let actions: Vec<&'static str> = actions.into_iter().map(|(_, action)| action).collect();
        let (Some((first, others)), Some((action, more))) = (calls.split_first(), actions.split_first()) else {
            continue;
        };
        let what = match why {
            Fails::Denied => "denied by the role",
            Fails::NotGranted => "not allowed by the role",
            Fails::OutOfReach => "allowed only on other resources",
        };
        let also = match more {
            [] => String::new(),
            [one] => format!("; also `{one}`"),
            _ => format!("; also {} more actions", more.len()),
        };
        let name = w.name(project);
        let (from, other, runs) = match (first, w.kind) {
            (DeployedCall::State(task), kind) if !task.is_state => (
                format!("needed for the {} of `{name}`", task.state),
                "another part needs it",
                has_role(kind),
            ),
            (DeployedCall::State(task), _) => (
                format!("called by the state `{}` of `{name}`", task.state),
                "another state calls it",
                "the state machine runs with this role",
            ),
            (DeployedCall::Code(_), WorkloadKind::Function) => (
                format!("called from the handler of `{name}`"),
                "another call",
                "the code runs with this role",
            ),
            (DeployedCall::Code(_), _) => (
                format!("called from the entry point of `{name}`"),
                "another call",
                "the code runs with this role",
            ),
        };
        let mut f = cx
            .at_resource(
                ids::MISSING_GRANT,
                w.resource,
                format!("`{action}` is required but {what}{also}"),
            )
            .cause(Cause::Place(first.span()))
            .primary(first.span(), format!("requires `{action}`"))
            .confidence(Confidence::High)
            .actions(actions.iter().map(|a| a.to_lowercase()));
        for call in others.iter().filter(|c| c.span() != first.span()).take(2) {
            f = f.secondary(call.span(), other);
        }
        f = f.secondary(user.runs_as.span, runs);
        match (why, catalogue().action(action)) {
            (Fails::OutOfReach, Some(known)) => {
                for item in effective
                    .grants_of(known)
                    .filter_map(|g| g.statement.resource.as_ref()?.items.first())
                    .take(2)
                {
                    f = f.secondary(item.span, "allowed on this resource");
                }
                if let Some(call) = first.call()
                    && let [one] = granted.missing_resources(call, known).as_slice()
                {
                    f = f.help(format!(
                        "Allow `{action}` on `{}`.",
                        granted.places.display_resource(w, one)
                    ));
                }
            }
            _ if identity.header.touches(user.runs_as.span) => {}
            _ => f = f.secondary(identity.header, "no policy of this role allows the action"),
        }
        if why == Fails::NotGranted {
            f.remedies.extend(remedy(effective, &actions));
        }
        f = f.note(from);
        out.push(denied_note(project, role, &actions).into_iter().fold(f, Finding::note));
    }
}

/// What of a workload certainly calls.
fn deployed_calls<'c>(project: &Project<'_>, user: &'c RoleUser<'_>, w: &'c Workload) -> Vec<DeployedCall<'c>> {
    if let Some(definition) = w.definition() {
        return definition.tasks.iter().map(DeployedCall::State).collect();
    }
    let named = user.required.iter().flat_map(|r| r.named.iter().copied());
    let deployed = named.filter(|c| c.certain && is_deployed_call(project, w, c));
    deployed.map(DeployedCall::Code).collect()
}

/// Calls that, depending on their parameters, need the second action instead of the first. Amazon SES Developer Guide,
/// "Sending raw email".
const ALTERNATIVES: &[(&str, &str)] = &[("ses:SendEmail", "ses:SendRawEmail")];

/// Whether the deployed code makes a call, rather than a script that a person starts.
fn is_deployed_call(project: &Project<'_>, w: &Workload, call: &ApiCall) -> bool {
    let script = |h: &Handler| h.function.is_none() && h.file == call.span.file;
    call.at.scope != ScopeId::MODULE
        || w.code().and_then(|c| c.handler.as_ref()).is_some_and(script)
        || !project.sources.text(call.span.file).contains("__main__")
}

/// Adds the actions to the statement of the role that grants others of the service, if there is exactly one.
pub(super) fn remedy(effective: &Effective<'_>, actions: &[&'static str]) -> Option<Remedy> {
    let prefix = actions.first()?.split(':').next()?;
    if actions.iter().any(|a| a.split(':').next() != Some(prefix)) {
        return None;
    }
    let of_service = |item: &ClauseItem| {
        let text = item.text.known()?;
        let (service, _) = text.split_once(':')?;
        (service.eq_ignore_ascii_case(prefix) && item.via.is_none()).then_some(item.span)
    };
    let mut places = effective.grants.iter().filter_map(|grant| {
        let written =
            matches!(grant.source, PolicySource::Written(_)) && grant.document.origin == DocumentOrigin::Written;
        let clause = grant.statement.action.as_ref().filter(|c| written && !c.negated)?;
        let place = clause.items.iter().rev().find_map(of_service)?;
        Some((place, grant.statement))
    });
    let ((place, statement), None) = (places.next()?, places.next()) else {
        return None;
    };
    if !actions.iter().all(|name| applies_to_resources(statement, name)) {
        return None;
    }
    let title = format!("also allow {} here", phrase::all_of(actions));
    Some(Remedy::granting(title).add(place, actions.to_vec()))
}

/// Whether an action applies to the resources of a statement.
fn applies_to_resources(statement: &Statement, name: &str) -> bool {
    let (Some(action), Some(clause)) = (catalogue().action(name), &statement.resource) else {
        return false;
    };
    clause.items.iter().any(|item| {
        let arn = Pattern::resource(&item.text);
        pattern::is_star(&item.text) || action.resource_types().any(|t| t.matches(&arn).may_be())
    })
}

/// Actions that a call always needs if it has the parameter for them (Amazon S3 API Reference, "PutObject"; IAM User
/// Guide, "Grant a user permissions to pass a role to an AWS service").
const BY_PARAMETER: &[&str] = &["iam:PassRole", "s3:PutObjectAcl", "s3:PutObjectTagging"];

impl WorkloadPermissions<'_> {
    /// The actions of a call that nothing grants for sure.
    fn missing_actions(&self, call: &ApiCall) -> Vec<(Action, Fails)> {
        let a = &call.actions;
        let given = a.conditional.iter().filter(|c| c.trigger.is_some());
        let given = given.map(|c| c.action).filter(|name| BY_PARAMETER.contains(name));
        let sure = a.required.iter().copied().chain(given);
        let mut out: Vec<(Action, Fails)> = sure
            .filter_map(|name| self.denied_action(name, Some(call), None))
            .collect();
        let any: Option<Vec<(Action, Fails)>> = a
            .any_of
            .iter()
            .map(|name| self.denied_action(name, Some(call), None))
            .collect();
        out.extend(any.and_then(|all| all.first().copied()));
        out
    }

    fn missing_actions_of_task(&self, task: &MachineTask) -> Vec<(Action, Fails)> {
        let certain = task.actions.certain.iter();
        let denied = |name: &str| {
            self.denied_action(name, None, task.named.as_ref())
                .or_else(|| self.out_of_reach(name, task.named.as_ref()?))
        };
        certain.filter_map(|name| denied(name)).collect()
    }

    /// An action that is allowed, and not on what a definition names.
    fn out_of_reach(&self, name: &str, named: &Text) -> Option<(Action, Fails)> {
        let action = catalogue().action(name)?;
        let is_allowed = self.effective.allows(action) == Truth::Yes;
        let place = self.places.place_of(named, action).filter(|_| is_allowed)?;
        let fails = self.is_not_granted(action, &place) && !self.is_granted_there(action, &[place]);
        fails.then_some((action, Fails::OutOfReach))
    }

    /// Whether nothing grants an action at a place.
    fn is_not_granted(&self, action: Action, place: &ResourceRef) -> bool {
        let mut grants = self.effective.grants_of(action);
        grants.all(|g| self.places.grants_none_of(g.statement, std::slice::from_ref(place)))
    }

    /// The resources of a call that nothing grants an action on.
    fn missing_resources<'c>(&self, call: &'c ApiCall, action: Action) -> Vec<&'c Text> {
        let places = self.places.known_resources(self.workload, call, action);
        let missed = places
            .into_iter()
            .filter(|(_, place)| self.is_not_granted(action, place));
        missed.map(|(text, _)| text).collect()
    }

    /// Whether the policy of a resource may grant an action, on these places as far as they are known.
    fn is_granted_there(&self, action: Action, places: &[ResourceRef]) -> bool {
        let asked = (self.places, places);
        self.by_resources.may_grant(self.role, self.user, action, asked)
    }

    /// Why an action is not allowed, on the resources of the call if it is one of code, or on what a definition names.
    fn denied_action(&self, name: &str, call: Option<&ApiCall>, named: Option<&Text>) -> Option<(Action, Fails)> {
        let action = catalogue().action(name)?;
        let other = ALTERNATIVES.iter().find(|(a, _)| *a == name);
        let other = other.and_then(|(_, other)| catalogue().action(other));
        let may_do = |a: Action| self.effective.allows(a) != Truth::No;
        if action.is_retired() || other.is_some_and(may_do) {
            return None;
        }
        let fails = match self.effective.allows(action) {
            Truth::No if self.effective.denied.contains(action.id()) => Some((action, Fails::Denied)),
            Truth::No => Some((action, Fails::NotGranted)),
            Truth::Unknown => None,
            Truth::Yes => {
                let places = self.places.known_resources(self.workload, call?, action);
                // A call on several resources needs the action on each.
                let fails = places.iter().any(|(_, place)| self.is_not_granted(action, place));
                fails.then_some((action, Fails::OutOfReach))
            }
        };
        let places = || -> Vec<ResourceRef> {
            let of_call = call.map(|call| self.places.known_resources(self.workload, call, action));
            let of_call = of_call.into_iter().flatten().map(|(_, place)| place);
            let of_named = named.and_then(|named| self.places.place_of(named, action));
            of_call.chain(of_named).collect()
        };
        fails.filter(|_| !self.is_granted_there(action, &places()))
    }
}
