//! The JSON of `terraform show -json`: resources with the values that the plan has resolved.
//!
//! Terraform documentation, "JSON Output Format". What is known only after `apply` is unknown, or the resource that its
//! expression refers to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::iam::SourceFormat;
use crate::model::{Address, LoweredUnit, Resource, UnattachedPolicy, resource_types};
use crate::source::{FileId, Hole, HoleKind, HoleTarget, Sources, Span, Text, join_path, parent_path};
use crate::syntax::{NodeId, NodeKind as Node, Tree, json};
use crate::value::{MapEntry, Value, ValueKind};

use crate::formats::data;
use crate::formats::terraform::emit::aws;
use crate::formats::terraform::emit::properties::properties;
use crate::formats::terraform::emit::resources::{any_policy, has_unknown_policy};
use crate::formats::terraform::eval::blocks::BlockItem;
use crate::formats::terraform::eval::policy_document;
use crate::formats::vendors::is_vendor_type;

/// Deepest nesting of modules.
const MAX_DEPTH: u32 = 32;

/// Whether a file is such an output, by its beginning.
pub(crate) fn is_plan(path: &str, text: &str) -> bool {
    path.ends_with(".json") && {
        let mut end = text.len().min(512);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let head = &text[..end];
        head.contains("\"format_version\"") && head.contains("\"terraform_version\"")
    }
}

/// Where resources are written, by directory and address, for those whose source is there.
pub(crate) type DeclaredPlaces = BTreeMap<(String, String), (Span, Span)>;

pub(crate) fn lower(sources: &Sources, file: FileId, written: &DeclaredPlaces) -> LoweredUnit {
    let tree = json::parse(file, sources.text(file));
    let mut unit = LoweredUnit {
        problems: tree.problems.clone(),
        ..LoweredUnit::default()
    };
    let root = tree.roots.first().copied();
    let values = root.and_then(|root| {
        let values = tree.get(root, "planned_values").or_else(|| tree.get(root, "values"))?;
        tree.get(values, "root_module")
    });
    if let (Some(root), Some(module)) = (root, values) {
        let mut plan = Plan {
            tree: &tree,
            scope: sources.path(file),
            written,
            later: BTreeMap::new(),
            expressions: BTreeMap::new(),
            directories: BTreeMap::new(),
            documents: BTreeMap::new(),
            used: RefCell::default(),
        };
        plan.collect_unknown_changes(root);
        let configuration = tree.get(root, "configuration").and_then(|c| tree.get(c, "root_module"));
        let directory = parent_path(sources.path(file)).to_owned();
        match configuration {
            Some(configured) => plan.read_configuration(configured, String::new(), directory, 0),
            None => {
                plan.directories.insert(String::new(), directory);
            }
        }
        plan.find_deferred_documents(root, module);
        plan.module(module, "", 0, &mut unit);
        plan.unused_documents(&mut unit);
    }
    unit
}

struct Plan<'p> {
    tree: &'p Tree,
    scope: &'p str,
    written: &'p DeclaredPlaces,
    /// `after_unknown` by the resource's address.
    later: BTreeMap<String, NodeId>,
    /// `expressions` by the resource's address without keys.
    expressions: BTreeMap<String, NodeId>,
    /// Directories by the module's address without keys.
    directories: BTreeMap<String, String>,
    /// Policy documents that are read only during `apply`, by address: their statements are in the plan.
    documents: BTreeMap<String, Value>,
    /// Addresses of those that something uses.
    used: RefCell<BTreeSet<String>>,
}

/// The data source whose documents are put together from what a plan says.
const DOCUMENT: &str = "aws_iam_policy_document";

impl Plan<'_> {
    fn text(&self, node: NodeId, name: &str) -> Option<String> {
        Some(self.tree.text(self.tree.get(node, name)?)?.display())
    }

    fn named_items(&self, node: NodeId, name: &str) -> impl Iterator<Item = NodeId> + use<'_> {
        let list = self.tree.get(node, name);
        list.into_iter().flat_map(|list| self.tree.children(list))
    }

    /// What the plan leaves open.
    fn collect_unknown_changes(&mut self, root: NodeId) {
        let mut later = BTreeMap::new();
        for change in self.named_items(root, "resource_changes") {
            let unknown = self
                .tree
                .get(change, "change")
                .and_then(|c| self.tree.get(c, "after_unknown"));
            if let (Some(address), Some(unknown)) = (self.text(change, "address"), unknown) {
                later.insert(address, unknown);
            }
        }
        self.later = later;
    }

    /// Finds the documents that the plan defers.
    fn find_deferred_documents(&mut self, root: NodeId, module: NodeId) {
        let tree = self.tree;
        let mut found: Vec<(NodeId, Option<NodeId>)> = Vec::new();
        for change in self.named_items(root, "resource_changes") {
            found.push((change, tree.get(change, "change").and_then(|c| tree.get(c, "after"))));
        }
        let mut open = vec![(module, 0)];
        while let Some((module, depth)) = open.pop() {
            found.extend(
                self.named_items(module, "resources")
                    .map(|r| (r, tree.get(r, "values"))),
            );
            if depth < MAX_DEPTH {
                open.extend(
                    self.named_items(module, "child_modules")
                        .map(|child| (child, depth + 1)),
                );
            }
        }
        for (node, values) in found {
            let is = |name, word| self.text(node, name).as_deref() == Some(word);
            let (Some(address), Some(values)) = (self.text(node, "address"), values) else {
                continue;
            };
            if !is("mode", "data") || !is("type", DOCUMENT) || tree.get(values, "statement").is_none() {
                continue;
            }
            let bare = without_keys(&address);
            let prefix = address.find("data.").map_or("", |at| &address[..at]);
            let given = self.with_unknown(
                data::value(tree, values),
                &address,
                &bare,
                &PlanPlace::new(prefix, tree.span(node), DOCUMENT),
            );
            let document = policy_document::planned_document(&given, tree.span(node));
            self.documents.insert(address, document);
        }
    }

    /// The deferred document whose JSON a value is, by the address of the data source.
    fn document(&self, address: &str) -> Option<Value> {
        let bare = without_keys(address);
        let of_all = || {
            let mut same = self.documents.keys().filter(|a| without_keys(a) == bare);
            same.next().filter(|_| same.next().is_none())
        };
        let (address, document) = match self.documents.get_key_value(address) {
            Some(found) => found,
            None => self.documents.get_key_value(of_all()?)?,
        };
        self.used.borrow_mut().insert(address.clone());
        Some(document.clone())
    }

    /// Deferred documents that nothing is seen to use.
    fn unused_documents(&self, unit: &mut LoweredUnit) {
        let used = self.used.borrow();
        let unused = self.documents.iter().filter(|(address, _)| !used.contains(*address));
        unit.loose.extend(unused.map(|(address, value)| UnattachedPolicy {
            value: value.clone(),
            format: SourceFormat::Terraform,
            kind: None,
            suggested: None,
            holders: Vec::new(),
            roles: Vec::new(),
            service: None,
            name: Some(Address {
                scope: self.scope.into(),
                name: address.as_str().into(),
            }),
            type_name: format!("data.{DOCUMENT}").into(),
        }));
    }

    /// What is written of a module at `path`, whose address without keys is `prefix`.
    fn read_configuration(&mut self, module: NodeId, prefix: String, directory: String, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        let tree = self.tree;
        let resources: Vec<NodeId> = self.named_items(module, "resources").collect();
        for resource in resources {
            if let (Some(address), Some(expressions)) =
                (self.text(resource, "address"), tree.get(resource, "expressions"))
            {
                self.expressions.insert(format!("{prefix}{address}"), expressions);
            }
        }
        let calls = tree.get(module, "module_calls");
        for (key, call) in calls.into_iter().flat_map(|c| tree.entries(c)) {
            let (Some(name), Some(called)) = (tree.text(key).and_then(Text::known), tree.get(call, "module")) else {
                continue;
            };
            // A module of a registry lies nowhere.
            let local = self
                .text(call, "source")
                .filter(|s| s.starts_with("./") || s.starts_with("../"));
            let inner = local.map_or_else(|| format!("{directory}#{name}"), |s| join_path(&directory, &s));
            self.read_configuration(called, format!("{prefix}module.{name}."), inner, depth + 1);
        }
        self.directories.insert(prefix, directory);
    }

    /// The resources of a module whose address, with a dot after it, is `prefix`.
    fn module(&self, module: NodeId, prefix: &str, depth: u32, unit: &mut LoweredUnit) {
        if depth > MAX_DEPTH {
            return;
        }
        for resource in self.named_items(module, "resources") {
            unit.resources.extend(self.resource(resource, prefix));
        }
        for child in self.named_items(module, "child_modules") {
            let prefix = self
                .text(child, "address")
                .map_or_else(String::new, |a| format!("{a}."));
            self.module(child, &prefix, depth + 1, unit);
        }
    }

    fn resource(&self, node: NodeId, prefix: &str) -> Option<Resource> {
        let text = |name| self.text(node, name);
        let (address, kind) = (text("address")?, text("type")?);
        let data = text("mode")? == "data";
        let type_name = if data { format!("data.{kind}") } else { kind };
        let row = resource_types::terraform(&type_name);
        if data && row.is_none() {
            return None;
        }
        let values = self.tree.get(node, "values")?;
        let span = self.tree.span(node);
        let own = self.tree.get(node, "address").map_or(span, |n| self.tree.span(n));
        let bare = without_keys(&address);
        let given = self.with_unknown(
            data::value(self.tree, values),
            &address,
            &bare,
            &PlanPlace::new(prefix, own, &type_name),
        );
        let items: Vec<BlockItem> = given
            .entries()?
            .iter()
            .map(|e| BlockItem {
                entry: e.clone(),
                // Blocks are lists of objects here.
                block: e
                    .value
                    .as_seq()
                    .is_some_and(|s| s.iter().all(|v| v.entries().is_some()) && !s.is_empty()),
            })
            .collect();
        let props = match row {
            Some(row) => properties(row, items, span),
            None => Value::map(items.into_iter().map(|i| i.entry).collect(), span),
        };
        let policies = || any_policy(&props, 0) || has_unknown_policy(&type_name, &props);
        if row.is_none() && (is_vendor_type(&type_name) || !policies()) {
            return None;
        }
        // Where the source is there, the resource is named where it is written.
        let module = without_keys(prefix);
        let place = self.directories.get(&module).and_then(|directory| {
            let local = bare.strip_prefix(module.as_str())?;
            self.written.get(&(directory.clone(), local.to_owned()))
        });
        Some(Resource {
            kind: row.map_or(type_name.as_str(), |r| r.kind).into(),
            type_name: type_name.as_str().into(),
            address: Address {
                scope: self.scope.into(),
                name: address.as_str().into(),
            },
            format: SourceFormat::Terraform,
            header: place.map_or(own, |p| p.0),
            extent: place.map_or(span, |p| p.1),
            props,
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        })
    }

    /// The values of a resource, with what is written for it and known only after `apply`.
    fn with_unknown(&self, values: Value, address: &str, bare: &str, place: &PlanPlace<'_>) -> Value {
        let Some(later) = self.later.get(address) else {
            return values;
        };
        let written = self.expressions.get(bare).copied();
        self.merge_unknown(Some(&values), *later, written, place, 0)
            .unwrap_or(values)
    }

    /// `value` with holes where `later` says `true` and an expression is written; `None` where there is nothing of it.
    fn merge_unknown(
        &self,
        value: Option<&Value>,
        later: NodeId,
        written: Option<NodeId>,
        place: &PlanPlace<'_>,
        depth: u32,
    ) -> Option<Value> {
        let tree = self.tree;
        let known = value.filter(|v| !v.is_null());
        if depth > MAX_DEPTH {
            return known.cloned();
        }
        match tree.kind(later) {
            Node::Bool => {
                let unknown = tree.text(later).and_then(Text::known).as_deref() == Some("true");
                match (known, written) {
                    (None, Some(written)) if unknown => Some(self.computed_value(written, place)),
                    // A plan that does not say what is written: what `apply` computes and what is given look alike.
                    (None, None) if unknown && place.policy && self.expressions.is_empty() => Some(Value::unknown(
                        Hole::new(HoleKind::Applied, "known after apply", place.at),
                    )),
                    _ => known.cloned(),
                }
            }
            Node::Map => {
                let mut entries = value.and_then(Value::entries).unwrap_or(&[]).to_vec();
                for (key, inner) in tree.entries(later) {
                    let Some(name) = tree.text(key).and_then(Text::known) else {
                        continue;
                    };
                    let at = entries.iter().position(|e| e.key.known().as_deref() == Some(&*name));
                    let written = written.and_then(|w| tree.get(w, &name));
                    let own = at.map(|i| &entries[i].value);
                    let place = PlanPlace {
                        link: resource_types::is_reference_argument(&name),
                        policy: aws::is_required(place.type_name, &name),
                        ..*place
                    };
                    let Some(value) = self.merge_unknown(own, inner, written, &place, depth + 1) else {
                        continue;
                    };
                    match at {
                        Some(i) => entries[i].value = value,
                        None => entries.push(MapEntry {
                            key: Text::synthetic(&name, place.at),
                            key_span: place.at,
                            value,
                        }),
                    }
                }
                Some(Value::map(entries, value.map_or(place.at, |v| v.span)))
            }
            Node::Seq => {
                let items = value.and_then(Value::as_seq)?;
                let parts: Vec<NodeId> = tree.children(later).collect();
                let blocks: Vec<NodeId> = match written {
                    Some(w) if tree.kind(w) == Node::Seq => tree.children(w).collect(),
                    _ => Vec::new(),
                };
                let items = items.iter().enumerate().map(|(i, item)| {
                    let written = blocks.get(i).copied().or(written);
                    let merged = parts
                        .get(i)
                        .and_then(|p| self.merge_unknown(Some(item), *p, written, place, depth + 1));
                    merged.unwrap_or_else(|| item.clone())
                });
                Some(Value {
                    kind: ValueKind::Seq(items.collect()),
                    ..value?.clone()
                })
            }
            _ => known.cloned(),
        }
    }

    /// The value of an expression that only `apply` knows: what it refers to, where it refers to one thing.
    fn computed_value(&self, written: NodeId, place: &PlanPlace<'_>) -> Value {
        let references: Vec<String> = self
            .named_items(written, "references")
            .filter_map(|r| Some(self.tree.text(r)?.display()))
            .collect();
        let document = references.first().and_then(|r| r.strip_suffix(".json"));
        if let Some(address) = document.filter(|a| a.starts_with("data.aws_iam_policy_document."))
            && let Some(document) = self.document(&format!("{}{address}", place.prefix))
        {
            return document;
        }
        // Each reference is followed by what it is a part of: `aws_iam_role.r.id`, `aws_iam_role.r`.
        let resource = match references.as_slice() {
            [attribute, resource] if place.link && resource.starts_with("aws_") => attribute
                .strip_prefix(resource.as_str())
                .and_then(|rest| rest.strip_prefix('.'))
                .map(|rest| (resource, rest)),
            _ => None,
        };
        let name = references.first().map_or("known after apply", String::as_str);
        let Some((resource, attribute)) = resource else {
            return Value::unknown(Hole::new(HoleKind::Applied, name, place.at));
        };
        let target = HoleTarget {
            scope: self.scope.into(),
            address: format!("{}{resource}", place.prefix).into(),
            attribute: attribute.into(),
        };
        Value::unknown(Hole::new(HoleKind::Resource, name, place.at).to(target))
    }
}

/// Where a resource is: the address of its module with a dot after it, what stands for it in the plan, and its type; and
/// whether the value says which other resource is meant, or is a policy that must be given.
#[derive(Clone, Copy)]
struct PlanPlace<'a> {
    prefix: &'a str,
    at: Span,
    type_name: &'a str,
    link: bool,
    policy: bool,
}

impl<'a> PlanPlace<'a> {
    fn new(prefix: &'a str, at: Span, type_name: &'a str) -> Self {
        Self {
            prefix,
            at,
            type_name,
            link: false,
            policy: false,
        }
    }
}

/// `module.m[0].aws_iam_role.r["key"]` as `module.m.aws_iam_role.r`.
pub(crate) fn without_keys(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let (mut depth, mut quoted, mut escaped) = (0u32, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}
