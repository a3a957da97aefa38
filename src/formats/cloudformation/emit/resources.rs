//! What a template says: its resources, parameters and outputs, as the model has them.

use std::sync::Arc;

use crate::iam::SourceFormat;
use crate::model::{Address, LoweredUnit, Resource, kinds};
use crate::source::{Problem, ProblemKind, Span, Text};
use crate::syntax::{NodeId, NodeKind};
use crate::value::{Guard, MapEntry, Value, ValueKind};

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::eval::env::TemplateScope;
use crate::formats::cloudformation::eval::template::Template;
use crate::formats::cloudformation::parse::doc::{superseded, template_location};

/// What every resource made from one entry of the template has in common.
pub(crate) struct Base {
    pub(crate) kind: Arc<str>,
    pub(crate) id: Arc<str>,
    /// The logical id.
    pub(crate) header: Span,
    pub(crate) extent: Span,
    pub(crate) metadata: Option<Value>,
    pub(crate) branch: Option<Guard>,
}

impl Template<'_> {
    /// Adds all that the template says to `unit`.
    pub(crate) fn lower(&self, unit: &mut LoweredUnit) {
        let defaults = self
            .parameters
            .iter()
            .filter_map(|(name, p)| Some((p.default?, name.as_str().into())));
        unit.defaults.extend(defaults);
        self.lower_parameters(unit);
        self.lower_resources(unit);
        self.lower_outputs(unit);
        unit.wanted.extend(self.wanted.take());
        let assembly = self.world.assembly(self.doc);
        unit.wanted
            .extend(assembly.into_iter().flat_map(|a| a.wanted.iter().cloned()));
        let mut cut = self.cut.take();
        let mut macros = self.macros.take();
        let transforms = self.transforms();
        let completed = transforms.iter().map(|(span, _)| (*span, self.scope.clone()));
        unit.completed.extend(completed);
        macros.extend(transforms);
        let problems = macros
            .into_iter()
            .map(|(span, name)| Problem::new(ProblemKind::Macro, span, &*name));
        unit.problems.extend(problems);
        if self.exhausted() {
            cut.insert(Span::new(self.doc.tree.file, 0, 0));
        }
        let message = "too complex to evaluate completely: some values are treated as unknown";
        let problems = cut
            .into_iter()
            .map(|at| Problem::new(ProblemKind::Exhausted, at, message));
        unit.problems.extend(problems);
    }

    /// Macros of the account that change the whole template. CloudFormation Template Reference, "Transform".
    fn transforms(&self) -> Vec<(Span, Arc<str>)> {
        let tree = &self.doc.tree;
        let Some(transform) = tree.get(self.doc.root, "Transform") else {
            return Vec::new();
        };
        let items: Vec<NodeId> = match tree.kind(transform) {
            NodeKind::Seq => tree.children(transform).collect(),
            _ => vec![transform],
        };
        let name = |item: NodeId| {
            let named = tree.get(item, "Name").unwrap_or(item);
            let text = tree.text(named)?.known()?;
            // Those of AWS bring no policies that are not in the template.
            (!text.starts_with("AWS::")).then(|| (tree.span(named), Arc::from(&*text)))
        };
        items.into_iter().filter_map(name).collect()
    }

    pub(crate) fn address(&self, name: &str) -> Address {
        Address {
            scope: self.scope.clone(),
            name: name.into(),
        }
    }

    /// What is declared again further down does not exist.
    fn duplicate_ids(&self) -> Vec<Problem> {
        let Some(node) = self.doc.section("Resources") else {
            return Vec::new();
        };
        let problem = |(span, name): (Span, String)| {
            let message =
                format!("the logical ID `{name}` is declared again in this template: only the last declaration counts");
            Problem::new(ProblemKind::NotEvaluated, span, message)
        };
        superseded(&self.doc.tree, node).into_iter().map(problem).collect()
    }

    fn lower_resources(&self, unit: &mut LoweredUnit) {
        unit.problems.extend(self.duplicate_ids());
        let sam = Sam::new(self);
        self.each_entry("Resources", &mut |env, key, header, node| {
            let tree = env.tree;
            let Some(kind) = tree.get(node, "Type").and_then(|t| tree.text(t)) else {
                return;
            };
            let kind = env.fill_identifiers(kind).display();
            if !kind.contains("::") {
                return;
            }
            let id = key.display();
            let condition = tree
                .get(node, "Condition")
                .and_then(|c| self.name(env, c))
                .unwrap_or_default();
            let assumed = env.assume(&condition, true);
            let env = if condition.is_empty() {
                env
            } else {
                env.with_assumed(&assumed)
            };
            let extent = if header.file == tree.file {
                header.cover(tree.span(node))
            } else {
                header
            };
            if let Some(location) = template_location(tree, node) {
                self.request_template(env, &location);
            }
            let props = tree
                .get(node, "Properties")
                .and_then(|p| self.value(env, p))
                .unwrap_or_else(|| Value::map(Vec::new(), header));
            // A macro that writes all of them may write policies.
            let transform = tree.get(node, "Properties").and_then(|p| tree.get(p, "Fn::Transform"));
            if let (Some(at), Some(hole)) = (transform, props.as_hole()) {
                self.macros.borrow_mut().insert((tree.span(at), hole.name.clone()));
            }
            let props = env.seen_by_includer(props);
            let base = Base {
                kind: kind.into(),
                id: id.into(),
                header,
                extent,
                metadata: tree
                    .get(node, "Metadata")
                    .and_then(|m| self.value(env, m))
                    .map(|m| self.with_places(m)),
                branch: (!condition.is_empty()).then(|| self.guard(&condition, true)),
            };
            if self.doc.format == SourceFormat::Sam
                && let Some(connectors) = tree.get(node, "Connectors").and_then(|c| self.value(env, c))
            {
                sam.embedded_connectors(&base, &connectors, &mut unit.resources.raw);
            }
            if base.kind.starts_with("AWS::Serverless::") {
                sam.lower(&base, &props, &mut unit.resources.raw);
            } else {
                let props = self.with_code(&base, props);
                unit.resources.push(self.resource(&base, props));
            }
        });
    }

    /// The metadata of a resource of the CDK, with where its construct is made: `MadeAt`, `ChangedAt`.
    fn with_places(&self, metadata: Value) -> Value {
        let path = metadata.get("aws:cdk:path").and_then(Value::as_str);
        let Some((assembly, path)) = self.world.assembly(self.doc).zip(path) else {
            return metadata;
        };
        let places = assembly.places(&path);
        let at = |span: &Span| Value::new(ValueKind::Bool(true), *span);
        let made = places
            .made
            .iter()
            .map(|span| MapEntry::synthetic("MadeAt", *span, at(span)));
        let changed = (!places.changed.is_empty()).then(|| {
            let all = places.changed.iter().map(at).collect();
            MapEntry::synthetic("ChangedAt", metadata.span, Value::seq(all, metadata.span))
        });
        let entries = metadata.entries().unwrap_or(&[]).iter().cloned();
        let entries = entries.chain(made).chain(changed).collect();
        Value::map(entries, metadata.span)
    }

    /// A resource of the template as it is written.
    pub(crate) fn resource(&self, base: &Base, props: Value) -> Resource {
        Resource {
            kind: base.kind.clone(),
            type_name: base.kind.clone(),
            address: self.address(&base.id),
            format: self.doc.format,
            header: base.header,
            extent: base.extent,
            props,
            metadata: base.metadata.clone(),
            instances: None,
            branch: base.branch.clone(),
            account: None,
        }
    }

    fn request_template(&self, env: TemplateScope<'_>, location: &str) {
        if let Some(path) = self.local_path(env.tree, location)
            && self.world.sources.find(&path).is_none()
        {
            self.request_file(path);
        }
    }

    fn lower_parameters(&self, unit: &mut LoweredUnit) {
        self.each_entry("Parameters", &mut |env, key, header, node| {
            let tree = env.tree;
            let mut entries = vec![MapEntry::synthetic("Name", header, Value::text(key.clone(), header))];
            for (k, v) in tree.entries(node) {
                let known = tree.text(k).and_then(Text::known).unwrap_or_default();
                if matches!(&*known, "Default" | "NoEcho" | "Type" | "AllowedValues" | "Description")
                    && let Some(value) = self.value(env, v)
                {
                    entries.push(MapEntry::synthetic(&known, tree.span(k), value));
                }
            }
            unit.resources.push(self.plain_resource(
                kinds::PARAMETER,
                "Parameter",
                &key.display(),
                header,
                tree.span(node),
                entries,
            ));
        });
    }

    fn lower_outputs(&self, unit: &mut LoweredUnit) {
        self.each_entry("Outputs", &mut |env, key, header, node| {
            let tree = env.tree;
            let condition = tree
                .get(node, "Condition")
                .and_then(|c| self.name(env, c))
                .unwrap_or_default();
            let assumed = env.assume(&condition, true);
            let env = if condition.is_empty() {
                env
            } else {
                env.with_assumed(&assumed)
            };
            let mut entries = vec![MapEntry::synthetic("Name", header, Value::text(key.clone(), header))];
            if let Some(value) = tree.get(node, "Value").and_then(|v| self.value(env, v)) {
                entries.push(MapEntry::synthetic("Value", value.span, value));
            }
            let export = tree.get(node, "Export").and_then(|e| tree.get(e, "Name"));
            if let Some(name) = export.and_then(|n| self.value(env, n)) {
                entries.push(MapEntry::synthetic("Export", name.span, name));
            }
            let id = format!("Outputs.{}", key.display());
            unit.resources
                .push(self.plain_resource(kinds::OUTPUT, "Output", &id, header, tree.span(node), entries));
        });
    }

    fn plain_resource(
        &self,
        kind: &str,
        name: &str,
        id: &str,
        header: Span,
        node: Span,
        entries: Vec<MapEntry>,
    ) -> Resource {
        let extent = header.cover(node);
        Resource {
            kind: kind.into(),
            type_name: name.into(),
            address: self.address(id),
            format: self.doc.format,
            header,
            extent,
            props: Value::map(entries, extent),
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        }
    }
}
