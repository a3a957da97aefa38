//! What has policies: each identity with all of its own as one, trust, what is on resources, and documents by themselves.
//!
//! **Invariant:** two combined policies with one text grant the same; every statement knows a place in the repository.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::{AwsManaged, DocumentId, Identity, PolicyRef, PolicyUse, Project, RepositoryPlace, ResourceId};
use crate::iam::pattern::is_star;
use crate::iam::{Clause, ClauseItem, Document, Effect, PolicyKind, SourceFormat, Statement};
use crate::model::{full_address, resource_types};
use crate::source::{Hole, Piece, Span, Text, WithSpan};
use crate::value::Value;

/// What a policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// What an identity may do.
    Identity,
    /// Who may become a role.
    Trust,
    /// What is on a resource.
    Resource,
    /// A document that nothing here puts to use.
    Document,
}

/// Something with policies.
#[derive(Debug)]
pub struct AccessSubject {
    pub kind: SubjectKind,
    /// With the calls of modules that lead there. Of a bare document nothing: its path says which it is.
    pub address: Option<String>,
    /// The address without these calls.
    pub local: String,
    /// What is deployed as one: the folder or the file of it.
    pub root: String,
    /// The physical name, where it is known.
    pub name: Option<String>,
    /// The ARNs of the identity, or of what the policy is on: of a bucket and its objects.
    pub on: Vec<Text>,
    /// The ARN that the identity of a policy asks with, in the account of examples.
    pub caller: Option<String>,
    /// What a person points at to name it.
    pub span: Span,
    pub policy: CombinedPolicy,
}

impl AccessSubject {
    /// A policy of identities that nothing here attaches.
    pub fn is_unattached(&self) -> bool {
        let is_of_identities = matches!(
            self.policy.document.kind,
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Unknown
        );
        self.kind == SubjectKind::Document && self.address.is_some() && is_of_identities
    }
}

/// Several policies as one.
#[derive(Debug)]
pub struct CombinedPolicy {
    pub document: Document,
    /// Of each statement: where the repository puts its policy to use, for those that AWS wrote.
    pub places: Vec<Span>,
    /// Policies of which only a name is here.
    pub elsewhere: BTreeMap<String, Span>,
    /// The text of a boundary or control policy that is not a list of actions: it may take away more.
    pub limits: BTreeSet<String>,
    /// Of statements, by index, that refer to what is gone: the reference.
    pub dangling: BTreeMap<usize, String>,
}

impl CombinedPolicy {
    pub(super) fn new(like: &Document) -> Self {
        Self {
            document: Document {
                statements: Vec::new(),
                open: false,
                // Each statement says so itself.
                branch: None,
                format: like.format,
                ..like.clone()
            },
            places: Vec::new(),
            elsewhere: BTreeMap::new(),
            limits: BTreeSet::new(),
            dangling: BTreeMap::new(),
        }
    }

    /// Nothing is known of the items that refer to what is gone.
    pub fn hide(&mut self, is_gone: &dyn Fn(&Hole) -> bool) {
        for (at, s) in self.document.statements.iter_mut().enumerate() {
            let mut is_there = |item: &ClauseItem| {
                let gone = item.text.holes().find(|h| is_gone(h));
                gone.map(|h| self.dangling.insert(at, h.name.to_string())).is_none()
            };
            for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
                let before = clause.items.len();
                clause.items.retain(&mut is_there);
                clause.complete &= clause.items.len() == before;
                clause.sets = Default::default();
            }
            if let Some(clause) = &mut s.principal {
                let before = clause.items.len();
                clause.items.retain(|i| is_there(&i.value));
                clause.complete &= clause.items.len() == before;
            }
            for c in &mut s.conditions {
                let before = c.values.len();
                c.values.retain(&mut is_there);
                c.complete &= c.values.len() == before;
            }
        }
    }

    /// The same subject without any policy.
    pub fn nothing(&self) -> Self {
        Self::new(&self.document)
    }

    /// Where the token is, or where its policy is put to use.
    pub fn place(&self, statement: usize, token: Span) -> Span {
        let used = self.places.get(statement).copied().unwrap_or(Span::NOWHERE);
        match () {
            () if token.is_in_source() => token,
            () if used.is_in_source() => used,
            () => self.document.span,
        }
    }

    /// All that it says, in no order and without places.
    pub fn text(&self) -> String {
        let mut all: Vec<String> = self.document.statements.iter().map(statement_text).collect();
        all.sort_unstable();
        all.dedup();
        let mut out = all.concat();
        for name in self.elsewhere.keys().chain(&self.limits) {
            let _ = write!(out, "\n+{name}");
        }
        if self.document.open {
            out.push_str("\nopen");
        }
        out
    }

    fn add(&mut self, document: &Document, used: Span, place: &RepositoryPlace<'_>) {
        if self.document.statements.is_empty() {
            self.document.version.clone_from(&document.version);
            self.document.format = document.format;
        }
        let version = |d: &Document| d.version.as_ref().map(|v| v.text.display());
        // Only the current version of the language has variables.
        let differs = version(&self.document) != version(document);
        if differs && has_variables(document.statements.iter().chain(&self.document.statements)) {
            self.document.open = true;
        }
        if document.format != SourceFormat::Json {
            self.document.format = document.format;
        }
        self.document.open |= document.open;
        for s in &document.statements {
            let mut s = s.clone();
            if s.branch.is_none() {
                s.branch.clone_from(&document.branch);
            }
            complete_items(&mut s);
            place.fill_statement(&mut s);
            self.document.statements.push(s);
            self.places.push(used);
        }
    }

    /// The document without the Allow statements that the other one has too, where it denies no more than this one.
    pub fn beyond(&self, other: &Self) -> Document {
        let mut out = self.document.clone();
        let version = |d: &Document| d.version.as_ref().map(|v| v.text.display());
        let of = |all: &[Statement], effect: Effect| -> HashSet<String> {
            let own = all
                .iter()
                .filter(|s| s.effect.as_ref().is_some_and(|e| e.value == effect));
            own.map(statement_text).collect()
        };
        let (own, others) = (&self.document.statements, &other.document.statements);
        let is_decided = |s: &Statement| s.effect.as_ref().is_none_or(|e| e.value != Effect::Unknown);
        let denies_no_more = of(others, Effect::Deny).is_subset(&of(own, Effect::Deny));
        if !denies_no_more || version(&self.document) != version(&other.document) || !others.iter().all(is_decided) {
            return out;
        }
        let known = of(others, Effect::Allow);
        for s in &mut out.statements {
            let is_known = known.contains(&statement_text(s));
            if let Some(effect) = s.effect.as_mut().filter(|_| is_known) {
                effect.value = Effect::Invalid;
            }
        }
        out
    }

    /// Takes away what the policies of a boundary, or of one level of control policies, deny or do not list.
    fn add_limit(&mut self, documents: &[&Document], allows_all: bool, used: Span, place: &RepositoryPlace<'_>) {
        let is_list = |s: &Statement| {
            let any = s
                .resource
                .as_ref()
                .is_some_and(|c| !c.negated && c.items.iter().any(|i| is_star(&i.text)));
            let listed = s.action.as_ref().is_some_and(|c| !c.negated && c.is_known());
            any && listed && s.conditions.is_empty() && s.condition_key.is_none() && s.branch.is_none() && !s.open
        };
        let allows = || {
            let all = documents.iter().flat_map(|d| &d.statements);
            all.filter(|s| s.effect.as_ref().is_some_and(|e| e.value == Effect::Allow))
        };
        let is_open = documents.iter().any(|d| d.open || d.branch.is_some());
        if is_open || !allows_all && !allows().all(is_list) {
            for document in documents {
                let texts: Vec<String> = document.statements.iter().map(statement_text).collect();
                self.limits.insert(texts.concat());
            }
            return;
        }
        for document in documents {
            let mut denials = (*document).clone();
            denials.statements.retain(|s| !s.allows());
            self.add(&denials, used, place);
        }
        let items: Vec<ClauseItem> = allows()
            .filter_map(|s| s.action.as_ref())
            .flat_map(|c| &c.items)
            .cloned()
            .collect();
        if allows_all || items.iter().any(|i| is_star(&i.text)) {
            return;
        }
        let Some((like, action)) = allows().find_map(|s| Some((s, s.action.as_ref()?))) else {
            return;
        };
        let rest = Statement {
            effect: Some(WithSpan::new(Effect::Deny, like.span)),
            action: Some(Clause {
                negated: true,
                items,
                sets: Default::default(),
                ..action.clone()
            }),
            strength: Default::default(),
            nothing: Default::default(),
            ..like.clone()
        };
        self.document.statements.push(rest);
        self.places.push(used);
    }
}

/// An item that is known in part, or is one thing of the repository, hides no others.
fn complete_items(s: &mut Statement) {
    fn is_complete<'i>(items: impl Iterator<Item = &'i ClauseItem> + Clone) -> bool {
        let unknown = items.filter(|i| !i.text.is_known());
        let is_one = |i: &ClauseItem| i.text.as_hole().is_none_or(|h| h.kind.is_placeholder());
        unknown.clone().next().is_some() && unknown.clone().all(is_one)
    }
    for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
        clause.complete |= is_complete(clause.items.iter());
    }
    if let Some(clause) = &mut s.principal {
        clause.complete |= is_complete(clause.items.iter().map(|i| &i.value));
    }
    for condition in &mut s.conditions {
        condition.complete |= is_complete(condition.values.iter());
    }
}

/// What holds a document, and its property.
fn owner_address(document: &Document) -> Option<String> {
    let owner = document.owner.as_ref()?;
    Some(format!(
        "{}.{}",
        full_address(&owner.scope, &owner.address),
        owner.attribute
    ))
}

fn has_variables<'s>(statements: impl Iterator<Item = &'s Statement>) -> bool {
    let of = |s: &Statement| {
        let values = s.conditions.iter().flat_map(|c| &c.values);
        let mut items = s.written_resources().chain(values);
        items.any(|i| i.text.display().contains("${"))
    };
    let mut statements = statements;
    statements.any(of)
}

/// All that a statement says; an unknown part is not taken for a text.
pub fn statement_text(s: &Statement) -> String {
    let mut out = format!("\n{:?}", s.effect.as_ref().map(|e| e.value));
    let branch = |item: &ClauseItem| item.branch.as_ref().map(|b| b.label().to_owned());
    let list = |out: &mut String, name: &str, negated: bool, items: &mut dyn Iterator<Item = (String, &ClauseItem)>| {
        let mut all: Vec<String> = items
            .map(|(kind, i)| format!("{kind}{:?}{:?}", plain_text(&i.text), branch(i)))
            .collect();
        all.sort_unstable();
        all.dedup();
        let _ = write!(out, " {name}{negated}{}", all.join(","));
    };
    let untyped = |i| (String::new(), i);
    let actions = [(&s.action, "action"), (&s.second_action, "more actions")];
    let resources = [(&s.resource, "resource"), (&s.second_resource, "more resources")];
    for (clause, name) in actions.into_iter().chain(resources) {
        if let Some(c) = clause {
            list(&mut out, name, c.negated, &mut c.items.iter().map(untyped));
            let _ = write!(out, "{}", c.complete);
        }
    }
    if let Some(p) = &s.principal {
        let items = p.items.iter().map(|i| (format!("{:?}", i.kind), &i.value));
        list(&mut out, "principal", p.negated, &mut items.into_iter());
        let _ = write!(out, "{}", p.complete);
    }
    let mut conditions: Vec<String> = Vec::new();
    for c in &s.conditions {
        let mut text = format!("{} {}", c.operator.display(), c.lower_key);
        list(&mut text, "values", false, &mut c.values.iter().map(untyped));
        let _ = write!(text, "{}", c.complete);
        conditions.push(text);
    }
    conditions.sort_unstable();
    out += &conditions.concat();
    let guard = s.branch.as_ref().map(|b| b.label().to_owned());
    let _ = write!(out, " {guard:?}{}{}", s.open, s.condition_key.is_some());
    out
}

fn plain_text(text: &Text) -> String {
    let pieces = text.pieces().iter().map(|p| match p {
        Piece::Lit(lit) => lit.text.to_string(),
        Piece::Hole(hole) => format!("\u{0}{}\u{0}", hole.name),
    });
    pieces.collect()
}

impl Project<'_> {
    /// Whether a hole is a reference to a resource of one of these addresses.
    pub fn refers_to(hole: &Hole, addresses: &HashSet<Arc<str>>) -> bool {
        let target = hole.target.as_ref().map(|t| &*t.address);
        // What is declared nowhere is an address and attributes.
        let ends = hole.name.match_indices('.').map(|(at, _)| at);
        let parts = ends.chain([hole.name.len()]).filter_map(|end| hole.name.get(..end));
        target
            .into_iter()
            .chain(parts)
            .any(|address| addresses.contains(address))
    }

    /// Everything in scope that has policies, in the order of the project.
    pub fn access_subjects(&self) -> Vec<AccessSubject> {
        let mut out = Vec::new();
        let place = &RepositoryPlace::anywhere(self);
        let mut used: BTreeSet<DocumentId> = BTreeSet::new();
        for identity in &self.identities {
            if !self.sources.file(identity.header.file).in_scope {
                continue;
            }
            out.extend(self.identity_subject(identity, place));
            used.extend(identity.documents());
            if let Some(PolicyRef::Documents(ids)) = identity.boundary.as_ref().map(|b| &b.policy) {
                used.extend(ids);
            }
            used.extend(&identity.trust);
            out.extend(self.trust_subject(identity, place));
        }
        let mut others: BTreeMap<(SubjectKind, String, String, PolicyKind), AccessSubject> = BTreeMap::new();
        for (id, document) in self.documents.iter_enumerated() {
            let in_scope = document.span.is_in_source() && self.sources.file(document.span.file).in_scope;
            if !in_scope || used.contains(&id) {
                continue;
            }
            let subject = self.document_subject(document, place);
            let key = (
                subject.kind,
                subject.root.clone(),
                subject.address.clone().unwrap_or_default(),
                document.kind,
            );
            let same = others.entry(key).or_insert(subject);
            same.policy.add(document, document.span, place);
        }
        for stated in place.stated_policies(&place.targets_by_name()) {
            let document = &stated.document;
            let Some(holder) = document
                .resource
                .filter(|_| self.sources.file(document.span.file).in_scope)
            else {
                continue;
            };
            let subject = self.resource_subject(stated.on.unwrap_or(holder), document, place);
            let key = (
                subject.kind,
                subject.root.clone(),
                subject.address.clone().unwrap_or_default(),
                document.kind,
            );
            let same = others.entry(key).or_insert(subject);
            same.policy.add(document, document.span, place);
        }
        for ((.., kind), mut subject) in others {
            if kind == PolicyKind::Scp {
                subject.policy.allow_the_rest(place);
            }
            out.push(subject);
        }
        out
    }

    /// One document by itself.
    pub fn document_policy(&self, document: &Document, place: &RepositoryPlace<'_>) -> CombinedPolicy {
        let mut policy = CombinedPolicy::new(document);
        policy.add(document, document.span, place);
        policy
    }

    /// The addresses of policies of identities in scope.
    pub fn used_policies(&self) -> BTreeSet<String> {
        let in_scope = |i: &&Identity| self.sources.file(i.header.file).in_scope;
        let documents = self.identities.iter().filter(in_scope).flat_map(Identity::documents);
        documents.filter_map(|id| owner_address(&self.documents[id])).collect()
    }

    fn subject(
        &self,
        kind: SubjectKind,
        identity: &Identity,
        policy: CombinedPolicy,
        place: &RepositoryPlace<'_>,
    ) -> AccessSubject {
        let address = &self.resources[identity.resource].address;
        AccessSubject {
            kind,
            address: Some(address.full().into_owned()),
            local: address.name.to_string(),
            root: address.root().to_owned(),
            name: identity.name.as_ref().and_then(Text::known).map(|n| n.into_owned()),
            on: place.arns_of(identity.resource),
            caller: None,
            span: identity.header,
            policy,
        }
    }

    /// All that is attached to an identity and to its groups, less what limits it.
    fn identity_subject(&self, identity: &Identity, place: &RepositoryPlace<'_>) -> Option<AccessSubject> {
        let uses: Vec<&PolicyUse> = self.policies_of(identity).collect();
        let first = uses.iter().find_map(|used| self.documents_of(used).first().copied());
        let any = first.or_else(|| AwsManaged::by_name("AdministratorAccess").map(AwsManaged::document))?;
        let mut policy = CombinedPolicy::new(any);
        policy.document.kind = PolicyKind::Identity;
        policy.document.span = identity.header;
        for used in uses {
            self.add_use(used, &mut policy, place);
        }
        for membership in identity.groups.iter().filter(|m| m.group.is_none()) {
            let name = self.text_at(membership.span);
            policy.elsewhere.insert(format!("group {name}"), membership.span);
        }
        if !policy.document.statements.is_empty() {
            self.add_limits(identity, &mut policy, place);
        }
        let mut subject = self.subject(SubjectKind::Identity, identity, policy, place);
        subject.caller = place.example_arn(identity);
        Some(subject)
    }

    fn add_limits(&self, identity: &Identity, policy: &mut CombinedPolicy, place: &RepositoryPlace<'_>) {
        if let Some(boundary) = &identity.boundary {
            let documents = self.documents_of(boundary);
            match documents.is_empty() {
                true => drop(policy.limits.insert(self.text_at(boundary.span))),
                false => policy.add_limit(&documents, false, boundary.span, place),
            }
        }
        for (documents, allows_all) in self.levels_above(identity.resource) {
            policy.add_limit(&documents, allows_all, identity.header, place);
        }
    }

    fn trust_subject(&self, identity: &Identity, place: &RepositoryPlace<'_>) -> Option<AccessSubject> {
        let mut policy = CombinedPolicy::new(&self.documents[*identity.trust.first()?]);
        for id in &identity.trust {
            policy.add(&self.documents[*id], self.documents[*id].span, place);
        }
        Some(self.subject(SubjectKind::Trust, identity, policy, place))
    }

    /// A policy on a resource, without its statements.
    fn resource_subject(&self, on: ResourceId, document: &Document, place: &RepositoryPlace<'_>) -> AccessSubject {
        let address = &self.resources[on].address;
        AccessSubject {
            kind: SubjectKind::Resource,
            address: Some(address.full().into_owned()),
            local: address.name.to_string(),
            root: address.root().to_owned(),
            name: None,
            on: place.arns_of(on),
            caller: None,
            span: document.span,
            policy: CombinedPolicy::new(document),
        }
    }

    /// Without its statements.
    fn document_subject(&self, document: &Document, place: &RepositoryPlace<'_>) -> AccessSubject {
        let holder = document.resource.filter(|_| document.kind == PolicyKind::Resource);
        if let Some(holder) = holder {
            return self.resource_subject(self.policy_target(holder).unwrap_or(holder), document, place);
        }
        let owner = document.owner.as_ref();
        let local = owner.map(|o| format!("{}.{}", o.address, o.attribute));
        let scope = owner.and_then(|o| o.scope.split('#').next());
        AccessSubject {
            kind: SubjectKind::Document,
            address: owner_address(document),
            root: scope.map_or_else(|| self.sources.path(document.span.file).to_owned(), str::to_owned),
            local: local.unwrap_or_default(),
            name: None,
            on: Vec::new(),
            caller: None,
            span: document.span,
            policy: CombinedPolicy::new(document),
        }
    }

    /// The resource that a resource with a policy puts it on, if it is another one of the repository.
    fn policy_target(&self, holder: ResourceId) -> Option<ResourceId> {
        let resource = &self.resources[holder];
        let target = |value: &Value| {
            let target = value.as_hole()?.target.as_ref()?;
            let (id, found) = self.resource_at(target)?;
            let fits = found.namespace() == resource.namespace() && resource_types::find(&found.kind).is_some();
            (fits && id != holder).then_some(id)
        };
        let entries = resource.props.entries().unwrap_or(&[]);
        entries.iter().flat_map(|e| e.value.items()).find_map(target)
    }

    fn documents_of(&self, used: &PolicyUse) -> Vec<&Document> {
        match &used.policy {
            PolicyRef::Documents(ids) => ids.iter().map(|id| &self.documents[*id]).collect(),
            PolicyRef::AwsManaged(name) => AwsManaged::by_name(name)
                .map(AwsManaged::document)
                .into_iter()
                .collect(),
            PolicyRef::Elsewhere(_) => Vec::new(),
        }
    }

    pub(super) fn add_use(&self, used: &PolicyUse, policy: &mut CombinedPolicy, place: &RepositoryPlace<'_>) {
        let documents = self.documents_of(used);
        if documents.is_empty() {
            let name = match &used.policy {
                PolicyRef::AwsManaged(name) => name.to_string(),
                PolicyRef::Elsewhere(text) => text.display(),
                PolicyRef::Documents(_) => return,
            };
            policy.elsewhere.insert(name, used.span);
        }
        for document in documents {
            policy.add(document, used.span, place);
        }
    }

    fn text_at(&self, span: Span) -> String {
        if !span.is_in_source() {
            return String::new();
        }
        self.sources.slice(span).to_owned()
    }
}

impl CombinedPolicy {
    /// AWS attaches `FullAWSAccess` beside control policies that only deny.
    fn allow_the_rest(&mut self, place: &RepositoryPlace<'_>) {
        if self.document.statements.iter().any(|s| !s.is_written_as_deny()) {
            return;
        }
        if let Some(full) = AwsManaged::by_name("AdministratorAccess") {
            self.add(full.document(), self.document.span, place);
        }
    }
}
