//! What an identity may do in all: the one question that spans every policy put on it.
//!
//! [`Effective::new`] unites the inline policies, the attached policies of the repository, AWS's managed policies and the SAM
//! policy templates of an identity (of a user, those of its groups too), within its permissions boundary and less what is
//! denied outright.
//!
//! ```text
//! let effective = Effective::of(project, role);
//! effective.allows(action)               // Yes, No, or Unknown where a policy cannot be seen
//! for grant in effective.granting(action) {
//!     grant.span(action)                 // the item of Action, or the reference to an AWS managed policy
//!     grant.statement.resource           // on what
//!     grant.narrowed()                   // under a condition that keeps something out
//!     grant.through                      // the attachment, with its place
//! }
//! for gap in &effective.gaps { … }       // why more may be granted than is here
//! ```
//!
//! It costs time linear in the statements of the identity's policies; what documents grant is worked out once for all
//! identities, and [`Effects`] works out each identity once for all checks. [`Effective::admin_power`] says what counts as an
//! administrator.
//!
//! **Invariant:** a grant is certain, in at least one alternative of the deployment, on some resource, perhaps under
//! conditions. What may be granted and cannot be seen is a [`Gap`]. Service control policies
//! count where the settings or the repository say that they are attached above the account, see [`Guardrail`]; resource control
//! policies and the resource's own policies are not looked at. IAM User Guide, "Policy evaluation logic", "Permissions boundaries for IAM entities".

mod boundary;
mod given;
mod guardrails;
mod managed;
mod never_granted;
mod power;
mod unknowns;

use std::borrow::Cow;
use std::sync::OnceLock;

pub use boundary::Boundary;
pub use given::StatementGrant;
pub use guardrails::{Guardrail, GuardrailLevel};
pub use managed::AwsManaged;
pub(super) use never_granted::withheld;
pub use never_granted::{EXCEPT_DENIED, Withheld};
pub use power::{Power, Reach, is_majority};
pub(super) use unknowns::gaps_of_identity;
pub use unknowns::{Gap, UnknownPolicies};

use super::{DocumentId, Identity, IdentityId, PolicyRef, PolicyUse, Project};
use crate::iam::condition::{Strength, strength};
use crate::iam::document_permissions::AllowedStatement;
use crate::iam::glob::CaseSensitivity;
use crate::iam::{
    Action, ActionSet, Clause, ClauseItem, Document, DocumentPermissions, PolicyKind, Statement, Truth, pattern,
};
use crate::index::IndexVec;
use crate::source::Span;

/// Deny statements on some resources only are weighed up to this many; AWS's quotas leave no room for more.
const MAX_LIMITS: usize = 64;

/// What an identity may do in all; see the module's page.
#[derive(Debug)]
pub struct Effective<'p> {
    pub identity: IdentityId,
    /// One for each Allow statement that still grants something, in the order of the policies.
    pub grants: Vec<EffectiveGrant<'p>>,
    /// Denied by some policy on every resource, without a condition; taken out of `grants`.
    pub denied: ActionSet,
    /// Actions outside a complete boundary are taken out of `grants`.
    pub boundary: Option<Boundary>,
    pub gaps: Vec<Gap>,
    limits: Vec<(&'p Statement, &'p ActionSet)>,
    /// What each level above the account allows, where that is known to be less than everything.
    above: Vec<ActionSet>,
}

/// What each identity of a project may do, worked out when it is first asked for.
#[derive(Debug)]
pub struct Effects<'p> {
    project: &'p Project<'p>,
    of: IndexVec<IdentityId, OnceLock<Effective<'p>>>,
    power: IndexVec<IdentityId, OnceLock<Option<Power<'p>>>>,
}

impl<'p> Effects<'p> {
    pub fn new(project: &'p Project<'p>) -> Self {
        Self {
            project,
            of: IndexVec::with_len_of(&project.identities, OnceLock::new),
            power: IndexVec::with_len_of(&project.identities, OnceLock::new),
        }
    }

    pub fn of(&self, id: IdentityId) -> &Effective<'p> {
        self.of[id].get_or_init(|| Effective::new(self.project, id))
    }

    /// Why an identity is as good as an administrator, if it is.
    pub fn power(&self, id: IdentityId) -> Option<&Power<'p>> {
        self.power[id].get_or_init(|| self.of(id).admin_power()).as_ref()
    }
}

/// One Allow statement and what it grants the identity.
#[derive(Clone, Debug)]
pub struct EffectiveGrant<'p> {
    /// The policy's place on the identity, or on the group that grants it.
    pub through: &'p PolicyUse,
    /// The group, where the grant comes through one.
    pub group: Option<IdentityId>,
    pub source: PolicySource,
    pub document: &'p Document,
    /// The statement, and its index in the document.
    pub index: usize,
    pub statement: &'p Statement,
    /// What it grants in the end: never empty.
    pub actions: Cow<'p, ActionSet>,
}

/// Where a policy's document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicySource {
    /// The repository's; [`PolicyUse::inline`] says whether it is a part of the identity.
    Written(DocumentId),
    /// AWS's own, by its name without path. The spans of its document are [`Span::NOWHERE`].
    AwsManaged(&'static str),
}

impl<'p> EffectiveGrant<'p> {
    /// Under a condition that keeps something out.
    pub fn is_narrowed(&self) -> bool {
        self.strength().narrows()
    }

    pub fn strength(&self) -> &Strength {
        strength(self.statement)
    }

    /// The first item of `Action` that grants `action`; `None` for a `NotAction`.
    pub fn item(&self, action: Action) -> Option<&'p ClauseItem> {
        self.positive_clause()?.item_naming(action)
    }

    /// Where to point for `action`: the item that grants it, the key of a `NotAction`, the reference to a policy of AWS's.
    pub fn span(&self, action: Action) -> Span {
        match (self.source, &self.statement.action) {
            (PolicySource::AwsManaged(_), _) | (_, None) => self.through.span,
            (_, Some(clause)) => self.item(action).map_or(clause.key, |i| i.span),
        }
    }

    fn positive_clause(&self) -> Option<&'p Clause> {
        self.statement.action.as_ref().filter(|c| !c.negated)
    }
}

/// Something that keeps an identity from what its policies allow, and that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLimit {
    Boundary,
    /// A policy of the identity's own: index into [`Identity::policies`].
    Policy(usize),
}

impl<'p> Effective<'p> {
    pub fn new(project: &'p Project<'_>, id: IdentityId) -> Self {
        Self::with(project, id, None)
    }

    /// What the identity may do once something that limits it is gone.
    pub fn without(project: &'p Project<'_>, id: IdentityId, limit: AccessLimit) -> Self {
        Self::with(project, id, Some(limit))
    }

    fn with(project: &'p Project<'_>, id: IdentityId, gone: Option<AccessLimit>) -> Self {
        let identity = &project.identities[id];
        let bounded = identity
            .boundary
            .as_ref()
            .filter(|_| gone != Some(AccessLimit::Boundary));
        let mut out = Self {
            identity: id,
            grants: Vec::new(),
            denied: ActionSet::empty(),
            boundary: bounded.map(|b| Boundary::new(project, b)),
            gaps: gaps_of_identity(project, identity),
            limits: Vec::new(),
            above: Vec::new(),
        };
        out.collect(project, identity, None, gone);
        for membership in &identity.groups {
            match membership.group {
                Some(group) => {
                    let holder = &project.identities[group];
                    out.gaps.extend(gaps_of_identity(project, holder));
                    out.collect(project, holder, Some(group), None);
                }
                None => out
                    .gaps
                    .push(Gap::new(membership.span, UnknownPolicies::GroupElsewhere)),
            }
        }
        for g in project.guardrails(Some(identity.resource)) {
            out.deny(&project.documents[g.document], project.granted(g.document));
        }
        out.above = project.allowed_above(Some(identity.resource));
        out.apply_denies_and_boundary();
        out
    }

    /// Everything that is granted can be seen.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Whether the identity may do this, on some resource.
    pub fn allows(&self, action: Action) -> Truth {
        let (id, granted) = (action.id(), self.grants_of(action).next().is_some());
        let within = self.boundary.as_ref().map_or(Truth::Yes, |b| b.allows(action));
        if self.denied.contains(id) || self.above.iter().any(|level| !level.contains(id)) {
            return Truth::No;
        }
        let granted = match granted {
            true => Truth::Yes,
            false if self.is_complete() => Truth::No,
            false => Truth::Unknown,
        };
        granted.and(within)
    }

    /// Whether control policies above the account keep it from an action.
    pub fn is_outside_account(&self, action: Action) -> bool {
        self.above.iter().any(|level| !level.contains(action.id()))
    }

    /// The statements that grant an action.
    pub fn grants_of(&self, action: Action) -> impl Iterator<Item = &EffectiveGrant<'p>> {
        self.grants.iter().filter(move |g| g.actions.contains(action.id()))
    }

    /// All that is granted.
    pub fn actions(&self) -> ActionSet {
        let mut all = ActionSet::empty();
        for grant in &self.grants {
            all.union_with(&grant.actions);
        }
        all
    }

    /// Deny statements that take an action away under a condition, or on some resources only.
    pub fn limiting_denies(&self, action: Action) -> impl Iterator<Item = &'p Statement> {
        let limits = self.limits.iter().take(MAX_LIMITS);
        limits.filter_map(move |(s, actions)| actions.contains(action.id()).then_some(*s))
    }

    /// Whether a Deny without a condition takes an action away on a resource that is one of those that are asked about.
    pub fn denies(&self, action: Action, is: impl Fn(&ClauseItem) -> bool) -> bool {
        denies(self.limits.iter().copied(), action, is)
    }

    /// Every Deny statement that takes something away under a condition, or on some resources only.
    pub fn all_limits(&self) -> impl Iterator<Item = &'p Statement> {
        self.limits.iter().map(|(s, _)| *s)
    }

    /// Adds the policies of `holder`, the identity or a group of it, without one that is gone.
    fn collect(
        &mut self,
        project: &'p Project<'_>,
        holder: &'p Identity,
        group: Option<IdentityId>,
        gone: Option<AccessLimit>,
    ) {
        for (i, through) in holder.policies.iter().enumerate() {
            if gone == Some(AccessLimit::Policy(i)) {
                continue;
            }
            match &through.policy {
                PolicyRef::Documents(ids) => {
                    if ids.is_empty() {
                        self.gaps.push(Gap::new(through.span, UnknownPolicies::Elsewhere));
                    }
                    for id in ids {
                        let (document, granted) = (&project.documents[*id], project.granted(*id));
                        if is_permissions(document) {
                            self.note_unknown(granted, None);
                            self.add_document(through, group, PolicySource::Written(*id), document, granted);
                        }
                    }
                }
                PolicyRef::AwsManaged(name) => match managed::managed(name) {
                    Some(m) => {
                        self.note_unknown(&m.granted, Some(through.span));
                        let source = PolicySource::AwsManaged(m.name);
                        self.add_document(through, group, source, &m.document, &m.granted);
                    }
                    None => self.gaps.push(Gap::new(through.span, UnknownPolicies::NotShownByAws)),
                },
                PolicyRef::Elsewhere(_) => self.gaps.push(Gap::new(through.span, UnknownPolicies::Elsewhere)),
            }
        }
    }

    fn note_unknown(&mut self, granted: &DocumentPermissions, at: Option<Span>) {
        let gaps = granted
            .unclear
            .iter()
            .map(|s| Gap::new(at.unwrap_or(*s), UnknownPolicies::Unclear));
        self.gaps.extend(gaps);
    }

    fn add_document(
        &mut self,
        through: &'p PolicyUse,
        group: Option<IdentityId>,
        source: PolicySource,
        document: &'p Document,
        granted: &'p DocumentPermissions,
    ) {
        self.deny(document, granted);
        let statement = |a: &AllowedStatement| &document.statements[a.statement];
        self.grants.extend(granted.allowed.iter().map(|a| EffectiveGrant {
            through,
            group,
            source,
            document,
            index: a.statement,
            statement: statement(a),
            actions: Cow::Borrowed(&a.actions),
        }));
    }

    fn deny(&mut self, document: &'p Document, granted: &'p DocumentPermissions) {
        if let Some(denied) = &granted.denied {
            self.denied.union_with(denied);
        }
        let limits = granted.limits.iter();
        self.limits
            .extend(limits.map(|a| (&document.statements[a.statement], &a.actions)));
    }

    /// Takes out of the grants what is denied and what is outside the boundary.
    fn apply_denies_and_boundary(&mut self) {
        let within = self.boundary.as_ref().filter(|b| b.complete).map(|b| &b.most);
        let limits: Vec<_> = self
            .limits
            .iter()
            .take(MAX_LIMITS)
            .filter(|(s, _)| is_certain(s))
            .collect();
        for grant in &mut self.grants {
            if grant.actions.intersects(&self.denied) {
                grant.actions.to_mut().subtract(&self.denied);
            }
            for within in within.into_iter().chain(&self.above) {
                if !grant.actions.is_subset(within) {
                    grant.actions.to_mut().intersect(within);
                }
            }
            for (deny, actions) in &limits {
                if grant.actions.intersects(actions) && denies_all(deny, grant.statement) {
                    grant.actions.to_mut().subtract(actions);
                }
            }
        }
        self.grants.retain(|g| !g.actions.is_empty());
    }
}

/// Policies of other kinds in an identity's place give it nothing.
fn is_permissions(d: &Document) -> bool {
    matches!(
        d.kind,
        PolicyKind::Identity | PolicyKind::Session | PolicyKind::Boundary | PolicyKind::Unknown
    )
}

/// See [`Effective::denies`]: what a document denies itself.
pub fn is_denied(
    project: &Project<'_>,
    document: DocumentId,
    action: Action,
    is: impl Fn(&ClauseItem) -> bool,
) -> bool {
    let statements = &project.documents[document].statements;
    let limits = project.granted(document).limits.iter();
    denies(limits.map(|a| (&statements[a.statement], &a.actions)), action, is)
}

fn denies<'p>(
    mut limits: impl Iterator<Item = (&'p Statement, &'p ActionSet)>,
    action: Action,
    is: impl Fn(&ClauseItem) -> bool,
) -> bool {
    let mut few = limits.by_ref().take(MAX_LIMITS);
    few.any(|(deny, actions)| {
        let resource = deny.resource.as_ref().filter(|r| !r.negated);
        actions.contains(action.id())
            && is_certain(deny)
            && resource.is_some_and(|r| r.items.iter().any(|item| item.branch.is_none() && is(item)))
    })
}

fn is_certain(deny: &Statement) -> bool {
    deny.conditions.is_empty() && deny.condition_key.is_none() && deny.branch.is_none() && !deny.open
}

/// Whether a Deny is on every resource that an Allow is on.
fn denies_all(deny: &Statement, allow: &Statement) -> bool {
    let (Some(deny), Some(allow)) = (&deny.resource, &allow.resource) else {
        return false;
    };
    if allow.negated || !allow.complete || allow.items.is_empty() || !deny.complete {
        return false;
    }
    if deny.negated {
        // Of what a `NotResource` spares, the Allow is on nothing.
        let mut spared = deny.items.iter();
        return !spared.any(|d| {
            allow
                .items
                .iter()
                .any(|a| pattern::overlaps(&d.text, &a.text, CaseSensitivity::Sensitive).may_be())
        });
    }
    allow.items.iter().all(|a| {
        deny.items
            .iter()
            .any(|d| pattern::covers(&d.text, &a.text, CaseSensitivity::Sensitive).is_yes())
    })
}

/// Whether a Deny is on some resource that an Allow is on.
fn denies_some(deny: &Statement, allow: &Statement) -> bool {
    let (Some(deny), Some(allow)) = (&deny.resource, &allow.resource) else {
        return false;
    };
    let covers = |outer: &Clause, inner: &Clause| {
        let covered = |i: &ClauseItem| {
            let mut items = outer.items.iter();
            items.any(|o| pattern::covers(&o.text, &i.text, CaseSensitivity::Sensitive).is_yes())
        };
        inner.items.iter().all(covered)
    };
    match (deny.negated, allow.negated) {
        (false, false) => deny.items.iter().any(|d| {
            let mut items = allow.items.iter();
            items.any(|a| pattern::overlaps(&d.text, &a.text, CaseSensitivity::Sensitive).may_be())
        }),
        (true, false) => !covers(deny, allow),
        (false, true) => !covers(allow, deny),
        (true, true) => true,
    }
}
