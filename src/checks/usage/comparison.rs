//! What is compared with its role, and why the rest is not.
//!
//! **Invariant:** this is the one place that decides it, for the rules and for `overgrant workloads`.

use std::collections::BTreeMap;

use super::counted::{CountedActions, PLATFORM, counted_actions};
use super::obstacle::Obstacle;
use super::roles::{RoleUser, UsedActions, UsedRoles};
use crate::iam::{ActionSet, DocumentOrigin, PolicyKind};
use crate::project::{
    Codebase, DocumentId, Effects, IdentityId, PolicyRef, PolicyUse, Project, RunsAs, Uncertainty, UnreadableParts,
    Workload, WorkloadContent,
};
use crate::source::Span;
use crate::unjudged::Doubt;

/// The roles of a project, with what is used of them.
pub struct RoleComparison<'c, 'p> {
    pub(super) project: &'p Project<'p>,
    pub(super) effects: &'c Effects<'p>,
    pub(super) roles: UsedRoles<'c, 'p>,
    /// What everything that runs with a role uses, of each role that a workload has.
    used: BTreeMap<IdentityId, Result<UsedActions<'c>, Obstacle>>,
    /// The policies of these roles and of others, with what has them.
    pub(super) holders: BTreeMap<DocumentId, Vec<(IdentityId, &'p PolicyUse)>>,
    broken: UnreadableParts<'p>,
}

/// What is said of a workload.
#[derive(Clone, Debug)]
pub struct ComparedWorkload {
    /// Index into [`Project::workloads`].
    pub workload: usize,
    /// Why `unused-grant` says nothing of its roles.
    pub unused: Option<Obstacle>,
    /// Why `missing-grant` says nothing of its calls.
    pub missing: Option<Obstacle>,
    /// Of what its roles allow, this is left out by `unused-grant`.
    pub left_out: Vec<Obstacle>,
    /// What counts as used beyond the calls.
    pub counted: Vec<CountedActions>,
    /// `None` where what runs is not known.
    pub figures: Option<ComparedFigures>,
}

/// How much is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparedFigures {
    /// Calls of the code, or states and other parts that call something.
    pub calls: usize,
    /// Actions that these need.
    pub needed: usize,
    /// Actions that the roles grant, as far as their policies are known.
    pub granted: usize,
}

impl<'c, 'p> RoleComparison<'c, 'p> {
    pub(super) fn new(project: &'p Project<'p>, effects: &'c Effects<'p>, code: &Codebase<'c, '_>) -> Self {
        let roles = UsedRoles::new(project, code);
        let used = roles.users.keys();
        let used = used.map(|role| (*role, roles.used_actions(project, effects, *role)));
        let mut holders: BTreeMap<DocumentId, Vec<(IdentityId, &PolicyUse)>> = BTreeMap::new();
        for (id, identity) in project.identities.iter_enumerated() {
            for policy in &identity.policies {
                if let PolicyRef::Documents(ids) = &policy.policy {
                    ids.iter()
                        .for_each(|d| holders.entry(*d).or_default().push((id, policy)));
                }
            }
        }
        let mut all = Self {
            used: used.collect(),
            project,
            effects,
            roles,
            holders,
            broken: UnreadableParts::new(project),
        };
        let rendered: Vec<(IdentityId, usize)> = all.rendered_roles().collect();
        for (role, source) in rendered {
            all.used.insert(role, Err(Obstacle::Rendered(source)));
        }
        all
    }

    /// The roles of synthesized templates of which all is said where the code of the CDK makes them, with a workload there.
    fn rendered_roles(&self) -> impl Iterator<Item = (IdentityId, usize)> {
        self.roles.users.iter().filter_map(|(role, users)| {
            let mut sources = users.iter().map(|u| self.project.rendered.get(&u.workload).copied());
            let first = sources.next()??;
            let role_of = |w: usize| match self.project.workloads[w].roles.as_slice() {
                [one] => Some(one.role),
                _ => None,
            };
            let own = role_of(first)?;
            let is_whole = sources.all(|w| w.is_some_and(|w| role_of(w) == Some(own)))
                && self.used.get(&own).is_some_and(Result::is_ok)
                && self.effects.of(own).gaps.is_empty();
            is_whole.then_some((*role, first))
        })
    }

    /// The roles of which all use is known.
    pub(super) fn used_roles(&self) -> impl Iterator<Item = (IdentityId, &UsedActions<'c>)> {
        self.used
            .iter()
            .filter_map(|(role, used)| Some((*role, used.as_ref().ok()?)))
    }

    /// What is used of a policy, by everything that has it; `None` where it is no policy that is compared.
    pub(super) fn used_of_policy(&self, document: DocumentId) -> Option<Result<Vec<&UsedActions<'c>>, Obstacle>> {
        let d = &self.project.documents[document];
        let is_compared = matches!(d.kind, PolicyKind::Identity | PolicyKind::Unknown)
            && matches!(
                d.origin,
                DocumentOrigin::Written | DocumentOrigin::SamTemplate(_) | DocumentOrigin::CdkGrant(_)
            );
        let holders = self.holders.get(&document).filter(|_| is_compared)?;
        if let Some(at) = self.broken.around(self.project.sources, d.span.file) {
            return Some(Err(Obstacle::Broken(at)));
        }
        let used = |(role, through): &(IdentityId, &PolicyUse)| {
            let used = self.used.get(role).and_then(|used| used.as_ref().ok());
            used.ok_or(Obstacle::SharedPolicy(through.span, *role))
        };
        Some(holders.iter().map(used).collect())
    }

    /// Actions that what runs with a role certainly calls, as far as it can be seen, and whether all of it can be seen.
    pub fn calls_of(&self, role: IdentityId) -> (ActionSet, bool) {
        let mut calls = ActionSet::empty();
        for user in self.roles.users.get(&role).into_iter().flatten() {
            let w = &self.project.workloads[user.workload];
            let required = w.definition().into_iter().flat_map(|d| &d.required);
            required.for_each(|name| calls.expand_into(name));
            let named = user.required.iter().flat_map(|r| &r.calls);
            let named = named.copied().flat_map(super::roles::certain_actions);
            named.for_each(|name| calls.expand_into(name));
        }
        let used = self.used.get(&role).and_then(|used| used.as_ref().ok());
        if let Some(used) = used {
            calls.union_with(&used.needed);
        }
        (calls, used.is_some())
    }

    /// Why `missing-grant` says nothing of what a workload calls with a role.
    pub(super) fn missing_obstacle(&self, user: &RoleUser<'_>) -> Option<Obstacle> {
        let w = &self.project.workloads[user.workload];
        if let Some(obstacle) = content_obstacle(w, user) {
            return Some(obstacle);
        }
        if w.roles.len() != 1 {
            return Some(Obstacle::SeveralRoles);
        }
        let effective = self.effects.of(user.runs_as.role);
        if let Some(gap) = effective.gaps.first() {
            return Some(Obstacle::UnknownPolicies(*gap));
        }
        if let Some(source) = self.project.rendered.get(&user.workload)
            && self
                .users(*source)
                .next()
                .is_some_and(|user| self.missing_obstacle(user).is_none())
        {
            return Some(Obstacle::Rendered(*source));
        }
        match user.required.as_ref() {
            Some(required) if !required.exact => Some(Obstacle::UnknownEntry),
            // With another role or identity, the calls may succeed.
            Some(required) => required.other_identity.map(Obstacle::OtherIdentity),
            None => None,
        }
    }

    /// Why `unused-grant` says nothing of the roles of a workload.
    pub(super) fn unused_obstacle(&self, workload: usize) -> Option<Obstacle> {
        let w = &self.project.workloads[workload];
        if let Some(template) = self.project.synthesized.get(&workload) {
            return Some(Obstacle::Rendered(*template));
        }
        if let Some(gap) = &w.role_gap {
            return Some(Obstacle::Role(gap.clone()));
        }
        let of_content = self.users(workload).find_map(|user| {
            let doubts = user.required.as_ref().and_then(|r| Obstacle::of_doubts(&r.doubts));
            content_obstacle(w, user).or(doubts)
        });
        let of_role = |runs_as: &RunsAs| self.used.get(&runs_as.role)?.as_ref().err().cloned();
        of_content
            .or_else(|| w.roles.iter().find_map(of_role))
            .or_else(|| self.broken_policies(w))
    }

    /// Where all policies of a workload's roles that would be compared stand in files that are broken, or the roles do.
    fn broken_policies(&self, w: &Workload) -> Option<Obstacle> {
        let roles = || w.roles.iter().map(|runs_as| &self.project.identities[runs_as.role]);
        let at = |span: Span| self.broken.around(self.project.sources, span.file);
        let mut first = roles().find_map(|role| at(role.header));
        for document in roles().flat_map(|role| role.documents()) {
            match self.used_of_policy(document) {
                Some(Err(Obstacle::Broken(at))) => first = first.or(Some(at)),
                Some(_) => return None,
                None => {}
            }
        }
        first.map(Obstacle::Broken)
    }

    /// A workload, as each of its roles has it.
    fn users(&self, workload: usize) -> impl Iterator<Item = &RoleUser<'c>> {
        let roles = self.project.workloads[workload].roles.iter();
        let users = roles.filter_map(|r| self.roles.users.get(&r.role)).flatten();
        users.filter(move |u| u.workload == workload)
    }

    /// What is said of a workload, an index into [`Project::workloads`].
    pub fn of(&self, workload: usize) -> ComparedWorkload {
        let w = &self.project.workloads[workload];
        let synthesized = self.project.synthesized.get(&workload);
        let missing = match (synthesized, &w.role_gap) {
            (Some(template), _) => Some(Obstacle::Rendered(*template)),
            (None, Some(gap)) => Some(Obstacle::Role(gap.clone())),
            (None, None) => self.users(workload).find_map(|user| self.missing_obstacle(user)),
        };
        let unused = self.unused_obstacle(workload);
        let left_out = match unused {
            Some(_) => Vec::new(),
            None => w.roles.iter().flat_map(|r| self.left_out(r.role)).collect(),
        };
        let counted = match unused {
            Some(_) => Vec::new(),
            None => self.counted(workload),
        };
        ComparedWorkload {
            counted,
            workload,
            unused,
            missing,
            left_out,
            figures: self.figures(workload),
        }
    }

    /// What `unused-grant` leaves out of the policies of a role that is compared.
    fn left_out(&self, role: IdentityId) -> Vec<Obstacle> {
        let mut out = Vec::new();
        for document in self.project.identities[role].documents() {
            match self.used_of_policy(document) {
                Some(Err(obstacle)) => out.push(obstacle),
                Some(Ok(_)) => {
                    let allowed = &self.project.granted(document).allowed;
                    let statements = allowed.iter().map(|a| self.project.statement(document, a.statement));
                    let negated = statements.filter_map(|s| s.action.as_ref().filter(|c| c.negated).map(|_| s.span));
                    out.extend(negated.map(Obstacle::NotAction));
                }
                None => {}
            }
        }
        out.extend(
            self.effects
                .of(role)
                .gaps
                .iter()
                .copied()
                .map(Obstacle::UnknownPolicies),
        );
        out.sort();
        out.dedup();
        out
    }

    /// What the roles of a workload grant.
    fn granted(&self, workload: usize) -> ActionSet {
        let mut granted = ActionSet::empty();
        for role in &self.project.workloads[workload].roles {
            granted.union_with(&self.effects.of(role.role).actions());
        }
        granted
    }

    /// What of it counts as used although no call needs it.
    fn counted(&self, workload: usize) -> Vec<CountedActions> {
        let Some(required) = self.users(workload).find_map(|user| user.required.as_ref()) else {
            return Vec::new();
        };
        let w = &self.project.workloads[workload];
        let mut beside: BTreeMap<&str, ActionSet> = BTreeMap::new();
        for used in w.roles.iter().filter_map(|r| self.used.get(&r.role)?.as_ref().ok()) {
            let of_platform = [(PLATFORM, &used.platform)].into_iter();
            for (what, actions) in of_platform.chain(used.beside.iter().map(|(what, actions)| (*what, actions))) {
                let more = actions.difference(&used.needed);
                beside.entry(what).or_default().union_with(&more);
            }
        }
        let at = self.project.resources[w.resource].header;
        counted_actions(required, &self.granted(workload), (&beside, at))
    }

    fn figures(&self, workload: usize) -> Option<ComparedFigures> {
        let w = &self.project.workloads[workload];
        let user = self.users(workload).next()?;
        let granted = self.granted(workload);
        let mut needed: Vec<&str> = Vec::new();
        let calls = match (&w.content, &user.required) {
            (Ok(WorkloadContent::Definition(definition)), _) => {
                needed.extend(definition.tasks.iter().flat_map(|t| &t.actions.required));
                definition.tasks.len()
            }
            (_, Some(required)) => {
                needed.extend(required.calls.iter().copied().flat_map(super::roles::certain_actions));
                required.calls.len()
            }
            _ => return None,
        };
        needed.sort_unstable();
        needed.dedup();
        Some(ComparedFigures {
            calls,
            needed: needed.len(),
            granted: granted.len(),
        })
    }
}

/// Why it is not known what runs.
fn content_obstacle(w: &Workload, user: &RoleUser<'_>) -> Option<Obstacle> {
    match (&w.content, &user.required) {
        (Err(gap), _) => Some(Obstacle::Content(gap.clone())),
        (Ok(WorkloadContent::Code(_)), None) => Some(Obstacle::CodeNotRead),
        _ => None,
    }
}

impl Obstacle {
    /// Of the places that may hide calls, those of the kind that says most.
    pub(super) fn of_doubts(doubts: &[Uncertainty]) -> Option<Self> {
        // What starts other code concerns all of its file.
        let order = |u: &&Uncertainty| (u.span.file, u.doubt != Doubt::Hidden, u.span);
        let first = doubts.iter().min_by_key(order)?.doubt;
        Some(Self::Doubts(
            doubts.iter().filter(|u| u.doubt == first).cloned().collect(),
        ))
    }
}
