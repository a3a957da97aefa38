//! Which of the repository's identities and resources an item of `Resource` is about.
//!
//! **Invariant:** an item is about what it refers to, and about what its ARN certainly matches; a name or an account that is
//! not known makes it about nothing else. IAM User Guide, "IAM identifiers"; Service Authorization Reference, "Resource types".

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::classes::{BUCKET, Class, USER, class_of};
use super::graph::{AccessNode, NodeId};
use super::home::{Deployment, Deployments, home_accounts};
use crate::iam::arn::{Arn, ArnField, is_account_id};
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::{Pattern, is_star};
use crate::iam::{ClauseItem, Statement};
use crate::index::IndexVec;
use crate::model::{Resource, resource_types};
use crate::project::{Project, ResourceId};
use crate::source::{Hole, HoleKind, Piece, Span, Text};
use crate::value::Value;

/// A name that no one gives: what matches it matches every name.
const ANY_NAME: &str = "\u{1}";
/// So many names are compared with one pattern.
const MAX_COMPARED: usize = 4096;

/// What an item is about.
#[derive(Clone, Debug)]
pub(super) enum ActionTargets {
    /// Everything of the class.
    All,
    /// The caller itself: `user/${aws:username}`.
    Caller,
    These(Rc<[NodeId]>),
}

impl ActionTargets {
    /// Whether a node is one of those that are named.
    pub(super) fn name(&self, node: NodeId) -> bool {
        matches!(self, Self::These(nodes) if nodes.binary_search(&node).is_ok())
    }
}

/// What an item is about, before it is known who asks.
#[derive(Clone, Debug)]
pub(super) enum MatchedNodes {
    All,
    Caller,
    /// By reference or by a whole name, and by a pattern.
    These {
        named: Rc<[NodeId]>,
        matched: Rc<[NodeId]>,
    },
}

impl MatchedNodes {
    fn none() -> Self {
        Self::named(Vec::new())
    }

    fn named(nodes: Vec<NodeId>) -> Self {
        Self::These {
            named: nodes.into(),
            matched: Rc::new([]),
        }
    }
}

/// The names of all nodes.
pub(super) struct NodeNames<'p> {
    project: &'p Project<'p>,
    nodes: IndexVec<NodeId, NodeName>,
    /// By class, and by what is known of the beginning of the name.
    index: HashMap<Class, BTreeMap<String, Vec<NodeId>>>,
    together: BTreeMap<(Class, Deployment), Vec<NodeId>>,
    by_resource: HashMap<ResourceId, NodeId>,
    memo: RefCell<HashMap<(*const ClauseItem, Class), MatchedNodes>>,
    /// The numbers of accounts, where they are known.
    homes: HashMap<Deployment, String>,
}

/// How a node is called.
pub(super) struct NodeName {
    pub(super) class: Option<Class>,
    /// Without what stands before it, and without the path of an identity.
    pub(super) name: Option<Text>,
    /// What follows the account in its ARN.
    rest: Text,
    pattern: Pattern,
    deployment: Deployment,
    resource: Option<ResourceId>,
    /// AWS makes the name.
    generated: bool,
}

impl<'p> NodeNames<'p> {
    pub(super) fn new(project: &'p Project<'p>, nodes: &IndexVec<NodeId, AccessNode>) -> Self {
        let mut out = Self {
            project,
            nodes: IndexVec::new(),
            index: HashMap::new(),
            together: BTreeMap::new(),
            by_resource: HashMap::new(),
            memo: RefCell::default(),
            homes: HashMap::new(),
        };
        let mut deployments = Deployments::new(project);
        for (id, node) in nodes.iter_enumerated() {
            let resource = match node {
                AccessNode::Identity(i) => Some(project.identities[*i].resource),
                AccessNode::Resource(r) => Some(*r),
                _ => None,
            };
            let deployment = deployments.of(resource.map(|r| &project.resources[r]));
            let mut named = match (node, resource) {
                (AccessNode::Identity(i), Some(r)) => {
                    let identity = &project.identities[*i];
                    let class = Class::of_identity(identity.kind);
                    let r = &project.resources[r];
                    name_of(r, class, identity.name.clone().or_else(|| prefixed(r)), deployment)
                }
                (_, Some(r)) => {
                    let r = &project.resources[r];
                    name_of(r, class_of(&r.kind), name_property(r), deployment)
                }
                _ => NodeName {
                    class: None,
                    name: None,
                    rest: Text::default(),
                    pattern: Pattern::resource(&Text::default()),
                    deployment,
                    resource: None,
                    generated: true,
                },
            };
            named.resource = resource;
            if let (Some(resource), Some(class)) = (resource, named.class) {
                out.by_resource.insert(resource, id);
                let known = named.rest.prefix();
                out.index.entry(class).or_default().entry(known).or_default().push(id);
                out.together.entry((class, deployment)).or_default().push(id);
            }
            out.nodes.push(named);
        }
        out.homes = home_accounts(project, &out);
        out
    }

    /// The name of an identity or a resource.
    pub(super) fn of(&self, node: NodeId) -> Option<&NodeName> {
        self.nodes.get(node)
    }

    pub(super) fn node_of(&self, resource: ResourceId) -> Option<NodeId> {
        self.by_resource.get(&resource).copied()
    }

    pub(super) fn is_of(&self, node: NodeId, class: Class) -> bool {
        self.of(node).and_then(|n| n.class) == Some(class)
    }

    /// What of a class a text refers to.
    pub(super) fn referred_in(&self, text: &Text, class: Class) -> Option<NodeId> {
        let referred = text
            .holes()
            .filter_map(|h| self.project.resource_at(h.target.as_ref()?));
        let nodes = referred.filter_map(|(id, _)| self.node_of(id));
        nodes.into_iter().find(|n| self.is_of(*n, class))
    }

    /// All of a class whose names are known and accepted.
    pub(super) fn named_so(&self, class: Class, accepts: impl Fn(&str) -> bool) -> impl Iterator<Item = NodeId> {
        self.every(class).filter(move |n| {
            self.of(*n)
                .and_then(|n| n.name.as_ref()?.known())
                .is_some_and(|name| accepts(&name))
        })
    }

    /// The value of a tag, where the repository says it.
    pub(super) fn tag(&self, node: NodeId, key: &str) -> Option<Cow<'p, str>> {
        let resource = &self.project.resources[self.nodes.get(node)?.resource?];
        let tags = resource.get("Tags")?;
        let named = |item: &'p Value| item.get("Key").and_then(Value::as_str).as_deref() == Some(key);
        match tags.get(key) {
            Some(value) => value.as_str(),
            None => tags.items().iter().find(|item| named(item))?.get("Value")?.as_str(),
        }
    }

    /// All of a class that is deployed together, in their order.
    pub(super) fn all(&self, class: Class, of: Deployment) -> &[NodeId] {
        self.together.get(&(class, of)).map_or(&[], Vec::as_slice)
    }

    /// All of a class that the same root module makes in other accounts.
    pub(super) fn in_other_accounts(&self, class: Class, of: Deployment) -> impl Iterator<Item = NodeId> {
        let others = self.together.iter();
        let others = others.filter(move |((c, d), _)| *c == class && of.is_of_other_account(*d));
        others.flat_map(|(_, nodes)| nodes).copied()
    }

    /// All of a class.
    pub(super) fn every(&self, class: Class) -> impl Iterator<Item = NodeId> {
        let nodes = self.nodes.iter_enumerated();
        nodes.filter_map(move |(id, n)| (n.class == Some(class)).then_some(id))
    }

    pub(super) fn deployment(&self, node: NodeId) -> Deployment {
        self.nodes.get(node).map_or(Deployment::NONE, |n| n.deployment)
    }

    /// What of a class a statement's `Resource` is about for an identity of a deployment; nothing for a statement without one.
    pub(super) fn of_statement(&self, s: &Statement, class: Class, of: Deployment) -> ActionTargets {
        let Some(clause) = &s.resource else {
            return ActionTargets::These(Rc::new([]));
        };
        let mut these = Vec::new();
        let mut caller = false;
        for item in &clause.items {
            match self.of_item(item, class) {
                MatchedNodes::All if clause.negated => return ActionTargets::These(Rc::new([])),
                MatchedNodes::All => return ActionTargets::All,
                MatchedNodes::Caller => caller = true,
                MatchedNodes::These { named, matched } => {
                    these.extend(named.iter().copied());
                    these.extend(matched.iter().copied().filter(|n| self.deployment(*n) == of));
                }
            }
        }
        these.sort_unstable();
        these.dedup();
        match (clause.negated, caller) {
            (true, _) => {
                let spared = |n: &NodeId| these.binary_search(n).is_err();
                ActionTargets::These(self.all(class, of).iter().copied().filter(spared).collect())
            }
            (false, true) if these.is_empty() => ActionTargets::Caller,
            (false, _) => ActionTargets::These(these.into()),
        }
    }

    /// The number of the account of a deployment.
    pub(super) fn home(&self, of: Deployment) -> Option<&str> {
        self.homes.get(&of).map(String::as_str)
    }

    /// The item of a statement that is about a node, or about all of a class.
    pub(super) fn item_on<'s>(&self, s: &'s Statement, class: Class, node: Option<NodeId>) -> Option<&'s ClauseItem> {
        let clause = s.resource.as_ref().filter(|c| !c.negated)?;
        let about = |i: &&ClauseItem| match (self.of_item(i, class), node) {
            (MatchedNodes::All, _) => true,
            (MatchedNodes::Caller, node) => node.is_none(),
            (MatchedNodes::These { named, matched }, Some(node)) => {
                named.binary_search(&node).is_ok() || matched.binary_search(&node).is_ok()
            }
            (MatchedNodes::These { .. }, None) => false,
        };
        clause.items.iter().find(about)
    }

    /// Whether a statement is certainly on a node.
    pub(super) fn is_on(&self, s: &Statement, node: NodeId) -> bool {
        s.resource.as_ref().is_some_and(|r| {
            let mut items = r.items.iter().filter(|i| i.branch.is_none());
            let about = items.any(|i| self.is_about(i, node));
            about != r.negated && (!r.negated || r.complete)
        })
    }

    /// Whether an item is about a node.
    pub(super) fn is_about(&self, item: &ClauseItem, node: NodeId) -> bool {
        let Some(class) = self.of(node).and_then(|n| n.class) else {
            return false;
        };
        match self.of_item(item, class) {
            MatchedNodes::All => true,
            MatchedNodes::Caller => false,
            MatchedNodes::These { named, matched } => {
                named.binary_search(&node).is_ok() || matched.binary_search(&node).is_ok()
            }
        }
    }

    pub(super) fn of_item(&self, item: &ClauseItem, class: Class) -> MatchedNodes {
        let key = (std::ptr::from_ref(item), class);
        if let Some(known) = self.memo.borrow().get(&key) {
            return known.clone();
        }
        let found = self.find(&item.text, class);
        self.memo.borrow_mut().insert(key, found.clone());
        found
    }

    fn find(&self, text: &Text, class: Class) -> MatchedNodes {
        if is_star(text) {
            return MatchedNodes::All;
        }
        let referred = self.referred(text, class);
        if !referred.is_empty() {
            return MatchedNodes::named(referred);
        }
        let Some(arn) = Arn::parse(text) else {
            return MatchedNodes::none();
        };
        let service = Pattern::new(&arn.service.to_text(), CaseSensitivity::Sensitive);
        let of_ecs = class.service == "ecs" && service.matches("ecs", CaseSensitivity::Sensitive).is_yes();
        if of_ecs {
            // Tasks are named by their cluster, which does not say what they run.
            return MatchedNodes::All;
        }
        if !service.matches(class.service, CaseSensitivity::Sensitive).is_yes() || self.is_elsewhere(&arn) {
            return MatchedNodes::none();
        }
        let rest = arn.resource.to_text();
        if class == USER && rest.display().to_ascii_lowercase().contains("${aws:username") {
            return MatchedNodes::Caller;
        }
        let rest = match Self::bucket_of(&rest).filter(|_| class == BUCKET) {
            Some(mut bucket) => {
                bucket.append(&Text::synthetic("/*", Span::NOWHERE));
                bucket
            }
            None => rest,
        };
        let pattern = Pattern::resource(&rest);
        let every = format!("{}{ANY_NAME}", class.before);
        if pattern.matches(&every, CaseSensitivity::Sensitive).is_yes() {
            return MatchedNodes::All;
        }
        let Some(index) = self.index.get(&class) else {
            return MatchedNodes::none();
        };
        let whole = rest.prefix();
        let prefix = whole.split(['*', '?']).next().unwrap_or_default();
        let shorter = (0..prefix.len()).filter(|at| prefix.is_char_boundary(*at));
        let shorter = shorter.filter_map(|at| index.get(&prefix[..at]));
        let longer = index
            .range(prefix.to_owned()..)
            .take_while(|(k, _)| k.starts_with(prefix));
        let candidates = shorter.chain(longer.map(|(_, v)| v)).flatten().copied();
        let mut found: Vec<NodeId> = candidates
            .take(MAX_COMPARED)
            .filter(|n| self.matches(&pattern, *n))
            .collect();
        found.sort_unstable();
        // What follows the name of a bucket or secret is not of the name.
        let name = whole
            .trim_end_matches("/*")
            .trim_end_matches("-??????")
            .trim_end_matches("-*");
        match name.contains(['*', '?']) {
            true => MatchedNodes::These {
                named: Rc::new([]),
                matched: found.into(),
            },
            false => MatchedNodes::named(found),
        }
    }

    /// Whether the part of an ARN after the account matches a node, or something in it.
    fn matches(&self, pattern: &Pattern, node: NodeId) -> bool {
        pattern.covers(&self.nodes[node].pattern).is_yes()
    }

    /// The bucket's part of a pattern for some of its objects: `logs` of `logs/2026/*`. One object is not the data of a bucket.
    fn bucket_of(rest: &Text) -> Option<Text> {
        let flat = rest.with_placeholders();
        let (bucket, key) = flat.split_once('/')?;
        let some = key.ends_with('*') && !bucket.trim_matches('*').is_empty();
        some.then(|| rest.slice(0..bucket.len()))
    }

    /// What an item refers to, whatever stands around the reference.
    fn referred(&self, text: &Text, class: Class) -> Vec<NodeId> {
        // What is in a bucket comes after a slash, and one object is not the data of a bucket.
        let objects = |t: &Text| {
            let flat = t.with_placeholders();
            let key = flat.split_once('/').map(|(_, key)| key);
            key.is_some_and(|k| k.ends_with(|c| c == '*' || Text::placeholder(c).is_some()))
        };
        if class == BUCKET && !objects(text) {
            return Vec::new();
        }
        let targets = text.holes().filter_map(|h| h.target.as_ref());
        let resources = targets.flat_map(|t| self.project.resources_at(t));
        let nodes = resources.filter_map(|r| self.node_of(*r));
        let mut nodes: Vec<NodeId> = nodes.filter(|n| self.nodes[*n].class == Some(class)).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The identity or resource that a text refers to or names by its ARN.
    pub(super) fn named_by(&self, text: &Text) -> Option<NodeId> {
        let referred = text.as_hole().and_then(|h| h.target.as_ref());
        if let Some(target) = referred {
            return self.node_of(self.project.resource_at(target)?.0);
        }
        let identity = self.project.identity_named(text)?;
        let node = self.node_of(self.project.identities[identity].resource)?;
        let arn = Arn::parse(text)?;
        let home = self.home(self.deployment(node));
        let other = home.is_some_and(|home| matches!(arn.account(), ArnField::Literal(id) if id != home));
        (!other && !self.is_elsewhere(&arn)).then_some(node)
    }

    /// In an account that the settings say is not ours.
    fn is_elsewhere(&self, arn: &Arn<'_>) -> bool {
        let own = &self.project.own.accounts;
        match arn.account() {
            // `aws` is the account of AWS's own policies.
            ArnField::Literal(id) => !is_account_id(&id) || !own.is_empty() && !own.contains_key(&*id),
            _ => false,
        }
    }
}

impl NodeName {
    /// What is known of the name; what is not known at its end is left out with the separator before it.
    pub(super) fn shown(&self) -> Option<String> {
        let mut pieces = self.name.as_ref().filter(|_| !self.generated)?.pieces();
        while let Some((Piece::Hole(_), before)) = pieces.split_last() {
            pieces = before;
            if let Some((Piece::Lit(l), earlier)) = pieces.split_last()
                && l.text.chars().all(|c| matches!(c, '-' | '_' | '.' | '/'))
            {
                pieces = earlier;
            }
        }
        let shown = Text::from_pieces(pieces.iter().cloned()).display();
        let shown = shown.trim_end_matches(['-', '_', '.', '/']);
        (!shown.is_empty()).then(|| shown.to_owned())
    }

    /// Its ARN, with `${…}` for what is not known.
    pub(super) fn arn(&self) -> Option<String> {
        let class = self.class?;
        self.name.as_ref()?;
        let place = match class.service {
            "s3" => "::",
            "iam" => ":${account}:",
            _ => "${region}:${account}:",
        };
        let rest = match class.kind {
            "AWS::S3::Bucket"
            | "AWS::AppRunner::Service"
            | "AWS::CloudFormation::Stack"
            | "AWS::CloudFormation::StackSet"
            | "AWS::BedrockAgentCore::CodeInterpreterCustom" => {
                format!("{}{}", class.before, self.name.as_ref()?.display())
            }
            "AWS::SecretsManager::Secret" => format!("secret:{}", self.name.as_ref()?.display()),
            _ => self.rest.display(),
        };
        Some(format!("arn:aws:{}:{place}{rest}", class.service))
    }

    /// For comparing with a condition on `aws:PrincipalArn`.
    pub(super) fn rest(&self) -> &Text {
        &self.rest
    }
}

fn name_of(r: &Resource, class: Option<Class>, name: Option<Text>, deployment: Deployment) -> NodeName {
    let mut rest = Text::default();
    let mut put = |text: &str| rest.append(&Text::synthetic(text, r.header));
    let generated = name.is_none();
    let name = name.or_else(|| r.generated_name());
    if let Some(class) = class {
        put(class.before);
        let path = r.get("Path").and_then(Value::as_str);
        if class.service == "iam"
            && let Some(path) = path.filter(|p| p.len() > 1)
        {
            put(path.trim_start_matches('/'));
        }
        match &name {
            Some(name) if class.kind == "AWS::SSM::Parameter" && name.prefix().starts_with('/') => {
                rest = Text::synthetic("parameter", r.header);
                rest.append(name);
            }
            Some(name) => rest.append(name),
            // A name that AWS makes is like no other.
            None => rest.append(&Text::synthetic(&format!("{ANY_NAME}{}", r.address.full()), r.header)),
        }
        match class.kind {
            "AWS::S3::Bucket" => rest.append(&Text::synthetic(&format!("/{ANY_NAME}"), r.header)),
            "AWS::AppRunner::Service" | "AWS::CloudFormation::Stack" => {
                rest.append(&Text::synthetic(&format!("/{ANY_NAME}"), r.header));
            }
            "AWS::CloudFormation::StackSet" => rest.append(&Text::synthetic(&format!(":{ANY_NAME}"), r.header)),
            "AWS::BedrockAgentCore::CodeInterpreterCustom" => {
                rest.append(&Text::synthetic(&format!("-{ANY_NAME}"), r.header));
            }
            "AWS::SecretsManager::Secret" => {
                rest.append(&Text::synthetic(&format!("-{}", ANY_NAME.repeat(6)), r.header))
            }
            _ => {}
        }
    }
    NodeName {
        resource: None,
        pattern: Pattern::resource(&rest),
        class,
        name,
        rest,
        deployment,
        generated,
    }
}

/// The name of a resource as its properties say it.
fn name_property(r: &Resource) -> Option<Text> {
    let form = resource_types::find(&r.kind).and_then(|t| t.arn.as_ref()?.property);
    const NAMES: [&str; 10] = [
        "Name",
        "FunctionName",
        "ManagedPolicyName",
        "PolicyName",
        "EndpointName",
        "NotebookInstanceName",
        "Family",
        "StackName",
        "ServiceName",
        "JobDefinitionName",
    ];
    let value = form.into_iter().chain(NAMES).find_map(|p| r.get(p));
    let value = value
        .or_else(|| r.path(&["LaunchTemplateName"]))
        .filter(|v| !v.is_null());
    value.and_then(Value::to_text).or_else(|| prefixed(r))
}

/// The name that Terraform makes of a prefix.
fn prefixed(r: &Resource) -> Option<Text> {
    let prefix = ["NamePrefix", "BucketPrefix"]
        .iter()
        .find_map(|p| r.get(p)?.as_text())?;
    let mut out = prefix.clone();
    out.append(&Text::hole(Hole::new(HoleKind::Existing, "suffix", r.header)));
    Some(out)
}
