//! The JSON of `terraform show -json`: resources with the values that the plan has resolved.
//!
//! Terraform documentation, "JSON Output Format". What is known only after `apply` is not in it, and so is no property.

use std::collections::BTreeMap;

use crate::iam::Format;
use crate::model::{Address, Resource, Unit};
use crate::source::{FileId, Sources, Span, parent_path};
use crate::syntax::{NodeId, Tree, json};
use crate::value::Value;

use super::aws;
use super::blocks::Item;
use super::emit::{any_policy, properties};
use crate::formats::plain;

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
pub(super) type Written = BTreeMap<(String, String), (Span, Span)>;

pub(super) fn lower(sources: &Sources, file: FileId, written: &Written) -> Unit {
    let tree = json::parse(file, sources.text(file));
    let mut unit = Unit {
        problems: tree.problems.clone(),
        ..Unit::default()
    };
    let values = tree.roots.first().and_then(|root| {
        let values = tree
            .get(*root, "planned_values")
            .or_else(|| tree.get(*root, "values"))?;
        tree.get(values, "root_module")
    });
    if let Some(module) = values {
        let plan = Plan {
            tree: &tree,
            scope: sources.path(file),
            dir: parent_path(sources.path(file)),
            written,
        };
        plan.module(module, 0, &mut unit);
    }
    unit
}

struct Plan<'p> {
    tree: &'p Tree,
    scope: &'p str,
    dir: &'p str,
    written: &'p Written,
}

impl Plan<'_> {
    fn module(&self, module: NodeId, depth: u32, unit: &mut Unit) {
        if depth > MAX_DEPTH {
            return;
        }
        let each = |name| self.tree.get(module, name).map(|list| self.tree.children(list));
        for resource in each("resources").into_iter().flatten() {
            unit.resources.extend(self.resource(resource));
        }
        for child in each("child_modules").into_iter().flatten() {
            self.module(child, depth + 1, unit);
        }
    }

    fn resource(&self, node: NodeId) -> Option<Resource> {
        let text = |name| Some(self.tree.text(self.tree.get(node, name)?)?.display());
        let (address, kind) = (text("address")?, text("type")?);
        let data = text("mode")? == "data";
        let type_name = if data { format!("data.{kind}") } else { kind };
        let row = aws::find(&type_name);
        if data && row.is_none() {
            return None;
        }
        let values = self.tree.get(node, "values")?;
        let span = self.tree.span(node);
        let given = plain::value(self.tree, values);
        let items: Vec<Item> = given
            .entries()?
            .iter()
            .map(|e| Item {
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
        if row.is_none() && !any_policy(&props, 0) {
            return None;
        }
        let own = self.tree.get(node, "address").map_or(span, |n| self.tree.span(n));
        // Where the source is there, the resource is named where it is written.
        let base = address.split('[').next().unwrap_or(&address).to_owned();
        let place = self.written.get(&(self.dir.to_owned(), base));
        Some(Resource {
            kind: row.map_or(type_name.as_str(), |r| r.kind).into(),
            type_name: type_name.as_str().into(),
            address: Address {
                scope: self.scope.into(),
                name: address.as_str().into(),
            },
            format: Format::Terraform,
            header: place.map_or(own, |p| p.0),
            extent: place.map_or(span, |p| p.1),
            props,
            metadata: None,
            instances: None,
            branch: None,
        })
    }
}
