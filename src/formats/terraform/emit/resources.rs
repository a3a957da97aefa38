//! Evaluated declarations to canonical resources.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::iam::SourceFormat;
use crate::model::resource_types::{self, TerraformType};
use crate::model::{Address, Resource, UnattachedPolicy, kinds};
use crate::source::{Problem, ProblemKind, Span};
use crate::value::{Branch, MAX_DEPTH, MapEntry, Value, ValueKind};

use crate::formats::recognize::{is_event, is_policy_or_text, is_policy_property};
use crate::formats::vendors::is_vendor_type;

use crate::formats::terraform::emit::properties::properties;
use crate::formats::terraform::emit::{handed_on, lambda_code, registry};
use crate::formats::terraform::eval::blocks;
use crate::formats::terraform::eval::blocks::BlockItem;
use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator, View};
use crate::formats::terraform::eval::instances::InstanceCount;
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::parse::directory::{Decl, FileBlock};

/// How many parts one property may have, on top of all that is written.
const MAX_SIZE: usize = 100_000;

/// The data source that makes a policy of blocks.
pub(crate) const DOCUMENT: &str = "data.aws_iam_policy_document";

/// What one root module and its calls amount to.
#[derive(Default)]
pub(crate) struct Emitted {
    pub(crate) resources: Vec<Resource>,
    /// Values that may be policies and stand in no resource: settled when all uses are known.
    pub(crate) loose: Vec<UnattachedPolicy>,
    /// See [`crate::model::LoweredUnit::defaults`].
    pub(crate) defaults: Vec<(Span, Arc<str>)>,
    /// See [`crate::model::LoweredUnit::deployed_to`].
    pub(crate) deployed_to: Vec<(Arc<str>, Arc<str>)>,
    /// See [`crate::model::LoweredUnit::unattached`].
    pub(crate) unattached: Vec<Span>,
    /// Statements that others replace where their document is merged into another one.
    pub(crate) replaced: HashSet<Span>,
    /// Directories that were evaluated.
    pub(crate) visited: BTreeSet<String>,
}

pub(crate) struct Emitter<'e, 'a> {
    pub(crate) evaluator: &'e TerraformEvaluator<'a>,
    pub(crate) out: Emitted,
}

impl<'a> Emitter<'_, 'a> {
    pub(crate) fn module(&mut self, module: &Rc<TerraformModule<'a>>) {
        let directory = module.directory;
        self.out.visited.insert(directory.path.clone());
        if module.arguments.is_none() {
            let account = self.evaluator.account_number(module);
            self.out
                .deployed_to
                .extend(account.map(|number| (module.scope.clone(), number)));
            let defaults = directory
                .variables
                .iter()
                .filter(|(name, _)| !module.chosen.contains_key(**name) && !directory.values.contains_key(**name));
            self.out.defaults.extend(defaults.filter_map(|(name, decl)| {
                let default = decl.expr("default")?;
                Some((default.tree.span(default.node), format!("var.{name}").into()))
            }));
        }
        let documents = directory
            .resources
            .iter()
            .filter(|(_, d)| d.block().label(0) == "aws_iam_policy_document");
        let unattached = documents.filter(|(_, d)| !directory.refers_to_document(d.block().label(1)));
        self.out.unattached.extend(unattached.map(|(_, d)| d.block().span));
        for (address, decl) in &directory.resources {
            self.emit_declared(module, address, decl);
        }
        for decl in &directory.providers {
            self.provider(module, decl);
        }
        for part in &directory.backends {
            self.backend(module, *part);
        }
        for (name, decl) in &directory.variables {
            self.variable(module, name, decl);
        }
        for (name, decl) in &directory.outputs {
            self.output(module, name, decl);
        }
        for (name, (attribute, _)) in &directory.locals {
            let value = self
                .evaluator
                .local_value(module, name, View::default(), attribute.name_span);
            self.emit_unattached(module, &format!("local.{name}"), "local", &value);
        }
        for (name, decl) in &directory.modules {
            let calls = self.evaluator.calls(module, name, decl);
            if calls.is_empty() {
                match crate::formats::terraform::source_of(decl) {
                    None => registry::resources(self, module, name, decl),
                    Some(source) if self.evaluator.called_directory(module, decl).is_none() => {
                        self.note_missing_module(decl, source);
                        self.hand_on(module, decl, &module.env(), &format!("module.{name}"));
                    }
                    Some(_) => {}
                }
            }
            for (_, called) in calls {
                self.module(&called);
            }
        }
    }

    /// A module that is not among what was read: what it makes is not judged.
    pub(crate) fn note_missing_module(&self, decl: &Decl<'a>, source: String) {
        if registry::is_of_another_provider(&source) {
            return;
        }
        let problem = Problem::new(ProblemKind::Module, decl.block().header, source);
        self.evaluator.problems.borrow_mut().push(problem);
    }

    fn emit_declared(&mut self, module: &Rc<TerraformModule<'a>>, address: &str, decl: &Decl<'a>) {
        let kind = decl.block().label(0);
        let is_data = address.starts_with("data.");
        let type_name = if is_data {
            format!("data.{kind}")
        } else {
            kind.to_owned()
        };
        if kind == "aws_iam_policy_document" && is_data {
            self.documents(module, address, decl);
            return;
        }
        let known = resource_types::terraform(&type_name);
        if is_data && known.is_none() {
            return;
        }
        let expanded = self.evaluator.expansion(module, address, decl);
        let instances = match &expanded.shape {
            // Each is a resource of its own, with values of its own.
            _ if expanded.varies => None,
            InstanceCount::Count(n) => Some(*n),
            InstanceCount::Each(keys) => Some(keys.len()),
            _ => None,
        };
        for instance in self.evaluator.instances(module, address, decl) {
            let items = blocks::items(
                self.evaluator,
                decl,
                &instance.env,
                &resource_types::is_reference_argument,
            );
            let name = match &instance.key {
                Some(key) => format!("{address}[{key}]"),
                None => address.to_owned(),
            };
            let props = match known {
                Some(row) => {
                    let props = self.properties(row, items, decl.block().span);
                    lambda_code::with_paths(self.evaluator.root, self.evaluator.sources, row.kind, props)
                }
                None => {
                    let entries: Vec<_> = items.into_iter().map(|i| self.bounded_entry(i.entry)).collect();
                    if handed_on::may_hand_on(kind) {
                        self.hand_on(module, decl, &instance.env, &name);
                    }
                    let props = Value::map(entries, decl.block().span);
                    if is_vendor_type(kind) || !(any_policy(&props, 0) || has_unknown_policy(kind, &props)) {
                        continue;
                    }
                    props
                }
            };
            // Where it exists, what decides that is decided.
            let props = module.decide_in_module(props, expanded.branch.as_ref());
            self.out.resources.push(Resource {
                kind: known.map_or(type_name.as_str(), |t| t.kind).into(),
                type_name: type_name.as_str().into(),
                address: Address {
                    scope: module.scope.clone(),
                    name: name.as_str().into(),
                },
                format: SourceFormat::Terraform,
                header: decl.block().header,
                extent: decl.block().span,
                props,
                metadata: None,
                instances: instances.filter(|n| *n > 1).and_then(|n| u32::try_from(n).ok()),
                branch: module.existence_guard(expanded.branch.as_ref()),
                account: self.evaluator.account(module, decl),
            });
        }
    }

    /// Keeps what is given to something that is not read.
    pub(crate) fn hand_on(
        &mut self,
        module: &Rc<TerraformModule<'a>>,
        decl: &Decl<'a>,
        env: &EvalScope<'a>,
        name: &str,
    ) {
        let block = decl.block();
        // A name stays a reference to what it is the name of.
        let items = blocks::items(self.evaluator, decl, env, &|_| true);
        let arguments: Vec<_> = items.into_iter().map(|i| self.bounded_entry(i.entry)).collect();
        if let Some(props) = handed_on::given(&arguments, block.span) {
            let by = if &*block.kind == "module" {
                "module"
            } else {
                block.label(0)
            };
            let name = format!("{name}>given");
            self.emit_resource(module, kinds::HANDED_ON, by, &name, block.header, block.span, props);
        }
    }

    /// A `data "aws_iam_policy_document"`: seen through its use, or by itself where no one uses it.
    fn documents(&mut self, module: &Rc<TerraformModule<'a>>, address: &str, decl: &Decl<'a>) {
        let expanded = self.evaluator.expansion(module, address, decl);
        for instance in self.evaluator.instances(module, address, decl) {
            let name = match &instance.key {
                Some(key) => format!("{address}[{key}]"),
                None => address.to_owned(),
            };
            let target = crate::source::HoleTarget {
                scope: module.scope.clone(),
                address: name.as_str().into(),
                attribute: Arc::from(""),
            };
            let value = self
                .evaluator
                .resource_attribute(&target, "json", instance.env.view, decl.block().header);
            let value = module.decide_in_module(value, expanded.branch.as_ref());
            self.push_loose(module, &name, DOCUMENT, value);
        }
    }

    fn push_loose(&mut self, module: &Rc<TerraformModule<'a>>, name: &str, type_name: &str, value: Value) {
        self.out.loose.push(UnattachedPolicy {
            value: self.limit_size(value),
            format: SourceFormat::Terraform,
            kind: None,
            suggested: None,
            holders: Vec::new(),
            roles: Vec::new(),
            service: None,
            name: Some(Address {
                scope: module.scope.clone(),
                name: name.into(),
            }),
            type_name: type_name.into(),
        });
    }

    /// Every policy inside a value that is no resource's.
    pub(crate) fn emit_unattached(
        &mut self,
        module: &Rc<TerraformModule<'a>>,
        name: &str,
        type_name: &str,
        value: &Value,
    ) {
        let mut found = Vec::new();
        policies_in(value, 0, &mut found);
        for policy in found {
            self.push_loose(module, name, type_name, policy);
        }
    }

    fn provider(&mut self, module: &Rc<TerraformModule<'a>>, decl: &Decl<'a>) {
        let block = decl.block();
        if !matches!(block.label(0), "aws" | "awscc") {
            return;
        }
        let items = blocks::items(self.evaluator, decl, &module.env(), &|_| false);
        let alias = decl.expr("alias").map(|e| self.evaluator.expr(e, &module.env()));
        let alias = alias.as_ref().and_then(Value::as_str).map(|a| format!(".{a}"));
        let name = format!("provider.{}{}", block.label(0), alias.unwrap_or_default());
        let row = TerraformType {
            name: "",
            kind: kinds::PROVIDER,
            arguments: &[],
        };
        let props = self.properties(&row, items, block.span);
        self.emit_resource(
            module,
            kinds::PROVIDER,
            "provider",
            &name,
            block.header,
            block.span,
            props,
        );
    }

    fn backend(&mut self, module: &Rc<TerraformModule<'a>>, part: FileBlock<'a>) {
        if part.block.label(0) != "s3" {
            return;
        }
        let decl = Decl { parts: vec![part] };
        let items = blocks::items(self.evaluator, &decl, &module.env(), &|_| false);
        let row = TerraformType {
            name: "",
            kind: kinds::BACKEND,
            arguments: &[],
        };
        let block = part.block;
        let props = self.properties(&row, items, block.span);
        self.emit_resource(
            module,
            kinds::BACKEND,
            "backend",
            "backend.s3",
            block.header,
            block.span,
            props,
        );
    }

    fn variable(&mut self, module: &Rc<TerraformModule<'a>>, name: &str, decl: &Decl<'a>) {
        let env = module.env();
        let block = decl.block();
        let mut entries = vec![MapEntry::synthetic("Name", block.header, label(decl))];
        let mut telling = false;
        if let Some((a, e)) = decl.attribute("default") {
            let value = self
                .evaluator
                .with_allowance(block.span, || self.evaluator.expr(e, &env));
            self.emit_unattached(module, &format!("var.{name}"), "variable", &value);
            telling = match &value.kind {
                ValueKind::Str(t) => !t.is_empty(),
                ValueKind::Seq(items) => !items.is_empty(),
                ValueKind::Map(entries) => !entries.is_empty(),
                _ => false,
            };
            entries.push(MapEntry::synthetic("Default", a.name_span, without_policies(&value, 0)));
        }
        if let Some((a, e)) = decl.attribute("sensitive") {
            telling = true;
            entries.push(MapEntry::synthetic("NoEcho", a.name_span, self.evaluator.expr(e, &env)));
        }
        // Switches and counts tell no one anything.
        if !telling {
            return;
        }
        let props = self.limit_size(Value::map(entries, block.span));
        let address = format!("var.{name}");
        self.emit_resource(
            module,
            kinds::PARAMETER,
            "variable",
            &address,
            block.header,
            block.span,
            props,
        );
    }

    fn output(&mut self, module: &Rc<TerraformModule<'a>>, name: &str, decl: &Decl<'a>) {
        let Some((attribute, _)) = decl.attribute("value") else {
            return;
        };
        let block = decl.block();
        // Which resource it is matters more than what the resource is called.
        let value = self
            .evaluator
            .output(module, name, View::default().linking(true), attribute.name_span);
        self.emit_unattached(module, &format!("output.{name}"), "output", &value);
        let mut entries = vec![
            MapEntry::synthetic("Name", block.header, label(decl)),
            MapEntry::synthetic("Value", attribute.name_span, without_policies(&value, 0)),
        ];
        if let Some((a, e)) = decl.attribute("sensitive") {
            entries.push(MapEntry::synthetic(
                "Sensitive",
                a.name_span,
                self.evaluator.expr(e, &module.env()),
            ));
        }
        let props = self.limit_size(Value::map(entries, block.span));
        let address = format!("output.{name}");
        self.emit_resource(
            module,
            kinds::OUTPUT,
            "output",
            &address,
            block.header,
            block.span,
            props,
        );
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a resource")]
    pub(crate) fn emit_resource(
        &mut self,
        module: &Rc<TerraformModule<'a>>,
        kind: &str,
        type_name: &str,
        name: &str,
        header: Span,
        extent: Span,
        props: Value,
    ) {
        self.out.resources.push(Resource {
            kind: kind.into(),
            type_name: type_name.into(),
            address: Address {
                scope: module.scope.clone(),
                name: name.into(),
            },
            format: SourceFormat::Terraform,
            header,
            extent,
            props,
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        });
    }

    fn properties(&self, row: &TerraformType, items: Vec<BlockItem>, span: Span) -> Value {
        let bounded = items.into_iter().map(|i| BlockItem {
            entry: self.bounded_entry(i.entry),
            ..i
        });
        properties(row, bounded.collect(), span)
    }

    fn bounded_entry(&self, entry: MapEntry) -> MapEntry {
        MapEntry {
            value: self.limit_size(entry.value),
            ..entry
        }
    }

    /// A value of bounded size: shared parts may make a small value endless to walk.
    pub(crate) fn limit_size(&self, value: Value) -> Value {
        let most = MAX_SIZE.saturating_add(usize::try_from(self.evaluator.repository.nodes).unwrap_or(usize::MAX));
        let mut left = most;
        if is_within_bounds(&value, 0, &mut left) {
            return value;
        }
        let message = "too complex to evaluate: the value is treated as unknown";
        let problem = Problem::new(ProblemKind::Exhausted, value.span, message);
        self.evaluator.problems.borrow_mut().push(problem);
        Value::unknown_other(self.evaluator.name(value.span), value.span)
    }
}

fn label(decl: &Decl<'_>) -> Value {
    let block = decl.block();
    let span = block.labels.first().map_or(block.header, |l| l.span);
    Value::synthetic(block.label(0), span)
}

fn is_within_bounds(value: &Value, depth: u32, left: &mut usize) -> bool {
    if depth > MAX_DEPTH || *left == 0 {
        return false;
    }
    *left -= 1;
    match &value.kind {
        ValueKind::Seq(items) => items.iter().all(|v| is_within_bounds(v, depth + 1, left)),
        ValueKind::Map(entries) => entries.iter().all(|e| is_within_bounds(&e.value, depth + 1, left)),
        ValueKind::Json(inner) => is_within_bounds(inner, depth + 1, left),
        ValueKind::OneOf(branches) => branches.iter().all(|b| is_within_bounds(&b.value, depth + 1, left)),
        _ => true,
    }
}

/// A value in which policies are unknown: an output or a variable is no place where one is put to use.
fn without_policies(value: &Value, depth: u32) -> Value {
    if depth > 8 || is_policy_or_text(value) {
        return Value::unknown_other("policy", value.span);
    }
    let each = |v: &Value| without_policies(v, depth + 1);
    let kind = match &value.kind {
        ValueKind::Seq(items) => ValueKind::Seq(items.iter().map(each).collect()),
        ValueKind::Map(entries) => ValueKind::Map(
            entries
                .iter()
                .map(|e| MapEntry {
                    value: each(&e.value),
                    ..e.clone()
                })
                .collect(),
        ),
        ValueKind::OneOf(branches) => ValueKind::OneOf(
            branches
                .iter()
                .map(|b| Branch {
                    when: b.when.clone(),
                    value: each(&b.value),
                })
                .collect(),
        ),
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

/// Whether an argument that is a policy by its name has a value that is not known.
pub(crate) fn has_unknown_policy(kind: &str, props: &Value) -> bool {
    let unknown = |e: &MapEntry| e.value.is_unknown() && is_policy_property(kind, &e.key.display());
    props.entries().is_some_and(|entries| entries.iter().any(unknown))
}

pub(crate) fn any_policy(value: &Value, depth: u32) -> bool {
    let mut found = Vec::new();
    policies_in(value, depth, &mut found);
    !found.is_empty()
}

/// Every policy inside a value.
fn policies_in(value: &Value, depth: u32, out: &mut Vec<Value>) {
    if depth > 8 || out.len() > 200 || is_event(value) {
        return;
    }
    if !matches!(value.kind, ValueKind::OneOf(_)) && is_policy_or_text(value) {
        out.push(value.clone());
        return;
    }
    match &value.kind {
        ValueKind::Seq(items) => items.iter().for_each(|v| policies_in(v, depth + 1, out)),
        ValueKind::Map(entries) => entries.iter().for_each(|e| policies_in(&e.value, depth + 1, out)),
        ValueKind::Json(inner) => policies_in(inner, depth + 1, out),
        ValueKind::OneOf(branches) => branches.iter().for_each(|b| policies_in(&b.value, depth + 1, out)),
        _ => {}
    }
}
