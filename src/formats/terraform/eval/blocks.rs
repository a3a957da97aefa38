//! Bodies of blocks to values: attributes, nested blocks, dynamic blocks.

use crate::source::{Hole, HoleKind, Span, Text};
use crate::syntax::hcl::{Attribute, Body, HclBlock};
use crate::syntax::{NodeKind as Node, Tree};
use crate::value::guard::combined;
use crate::value::{Guard, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::attributes::{is_changed_outside, is_reference_attribute};
use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::values::{inherit, pairs};
use crate::formats::terraform::parse::directory::{Decl, FileBlock};

/// Arguments and blocks that Terraform itself reads, on resources, data sources and modules.
const META: [&str; 9] = [
    "count",
    "for_each",
    "depends_on",
    "provider",
    "providers",
    "lifecycle",
    "provisioner",
    "connection",
    "timeouts",
];

/// One argument or nested block, evaluated.
pub(crate) struct BlockItem {
    pub(crate) entry: MapEntry,
    /// A block, whose keys are arguments too, rather than an argument with a value.
    pub(crate) block: bool,
}

/// What a declaration says without Terraform's own arguments. Blocks that occur several times are several items.
pub(crate) fn items<'a>(
    evaluator: &TerraformEvaluator<'a>,
    decl: &Decl<'a>,
    env: &EvalScope<'a>,
    links: &dyn Fn(&str) -> bool,
) -> Vec<BlockItem> {
    let mut out = Vec::new();
    let overridden = |i: usize, name: &str, block: bool| {
        decl.parts[i + 1..].iter().any(|p: &FileBlock<'a>| {
            let body = &p.block.body;
            if block {
                has_block(body, name)
            } else {
                body.attribute(name).is_some()
            }
        })
    };
    for (i, part) in decl.parts.iter().enumerate() {
        let body = &part.block.body;
        for a in &body.attributes {
            if META.contains(&&*a.name) || overridden(i, &a.name, false) {
                continue;
            }
            if is_initial_value(decl, &a.name, links) {
                out.push(first_value(evaluator, &a.name, a.name_span, a.span, false));
                continue;
            }
            let env = env.linking(links(&a.name));
            out.push(evaluator.with_allowance(a.span, || attribute(evaluator, part.tree, a, &env)));
        }
        for b in &body.blocks {
            let name = block_name(b);
            if META.contains(&name) || overridden(i, name, true) {
                continue;
            }
            if is_initial_value(decl, name, links) {
                out.push(first_value(evaluator, name, b.kind_span, b.span, true));
                continue;
            }
            evaluator.with_allowance(b.span, || block(evaluator, part.tree, b, env, &mut out));
        }
        out.extend(broken_item(body));
    }
    out
}

/// What is written is only the first value, and not the name of the resource or of the one it belongs to.
fn is_initial_value(decl: &Decl<'_>, name: &str, links: &dyn Fn(&str) -> bool) -> bool {
    is_changed_outside(decl, name) && !links(name) && !is_reference_attribute(name)
}

/// An argument or block whose value someone else decides.
fn first_value(evaluator: &TerraformEvaluator<'_>, name: &str, key: Span, written: Span, block: bool) -> BlockItem {
    BlockItem {
        block,
        ..named(name, key, evaluator.unknown(HoleKind::Dynamic, written))
    }
}

/// What may have been meant to stand where a body is broken.
fn broken_item(body: &Body) -> Option<BlockItem> {
    let hole = Hole::broken(body.gap?);
    let span = hole.span;
    Some(BlockItem {
        entry: MapEntry {
            key: Text::hole(hole.clone()),
            key_span: span,
            value: Value::unknown(hole),
        },
        block: false,
    })
}

/// Whether a body has blocks of this type.
fn has_block(body: &Body, name: &str) -> bool {
    body.blocks.iter().any(|b| block_name(b) == name)
}

/// The type of a block, seen through `dynamic`.
fn block_name(block: &HclBlock) -> &str {
    if &*block.kind == "dynamic" {
        block.label(0)
    } else {
        &block.kind
    }
}

fn attribute<'a>(evaluator: &TerraformEvaluator<'a>, tree: &Tree, a: &Attribute, env: &EvalScope<'a>) -> BlockItem {
    BlockItem {
        entry: MapEntry {
            key: Text::verbatim(&a.name, a.name_span.file, a.name_span.start as usize),
            key_span: a.name_span,
            value: evaluator.with_possible_additions(tree, a.value, env, &a.name),
        },
        block: false,
    }
}

fn block<'a>(
    evaluator: &TerraformEvaluator<'a>,
    tree: &Tree,
    b: &HclBlock,
    env: &EvalScope<'a>,
    out: &mut Vec<BlockItem>,
) {
    if &*b.kind == "dynamic" {
        dynamic(evaluator, tree, b, env, out);
        return;
    }
    if b.kind.is_empty() {
        return;
    }
    let value = evaluator
        .descend(|| body(evaluator, tree, &b.body, b.span, env))
        .unwrap_or_else(|| Value::unknown_other(&*b.kind, b.span));
    out.push(named(&b.kind, b.kind_span, value));
}

fn named(name: &str, span: Span, value: Value) -> BlockItem {
    let verbatim = span.len() == name.len();
    BlockItem {
        entry: MapEntry {
            key: if verbatim {
                Text::verbatim(name, span.file, span.start as usize)
            } else {
                Text::synthetic(name, span)
            },
            key_span: span,
            value,
        },
        block: true,
    }
}

/// A nested body as an object; blocks of one type stay several entries.
fn body<'a>(evaluator: &TerraformEvaluator<'a>, tree: &Tree, body: &Body, span: Span, env: &EvalScope<'a>) -> Value {
    let mut out: Vec<BlockItem> = body
        .attributes
        .iter()
        .map(|a| attribute(evaluator, tree, a, env))
        .collect();
    for b in &body.blocks {
        block(evaluator, tree, b, env, &mut out);
    }
    out.extend(broken_item(body));
    Value::map(out.into_iter().map(|i| i.entry).collect(), span)
}

/// Terraform documentation, "dynamic Blocks".
fn dynamic<'a>(
    evaluator: &TerraformEvaluator<'a>,
    tree: &Tree,
    b: &HclBlock,
    env: &EvalScope<'a>,
    out: &mut Vec<BlockItem>,
) {
    let (Some(label), Some(content)) = (b.labels.first(), b.body.blocks("content").next()) else {
        return;
    };
    let Some(for_each) = b.body.attribute("for_each") else {
        return;
    };
    let iterator = b
        .body
        .attribute("iterator")
        .filter(|a| tree.kind(a.value) == Node::Ident)
        .map_or(&*label.text, |a| tree.name(a.value));
    let (mut collection, by_default) = evaluator.run_noting_defaults(|| evaluator.eval(tree, for_each.value, env));
    let given = env.without_unset_defaults();
    let is_empty = |v: &Value| pairs(v).is_some_and(|items| items.is_empty());
    if by_default && is_empty(&collection) {
        // Nothing by default, and the module's user may want otherwise.
        let other = evaluator.eval(tree, for_each.value, &given);
        if !is_empty(&other) {
            collection = other;
        } else if let Some(asked) = evaluator.requested_items(tree, for_each.value, env) {
            collection = asked;
        }
    }
    let replaced = by_default && matches!(collection.kind, ValueKind::OneOf(_) | ValueKind::Unknown(_));
    // Without it where no one asks for it.
    let is_asked = replaced && evaluator.is_empty_by_default(tree, for_each.value, env);
    let asked = |when: &Guard| match is_asked {
        true => when.clone().opt_in(),
        false => when.clone(),
    };
    let env = if replaced { &given } else { env };
    let mut one = |key: Value, value: Value, branch: Option<&Guard>| {
        let at = value.span;
        let entries = [("key", key), ("value", value)].map(|(name, value)| MapEntry {
            key: Text::synthetic(name, at),
            key_span: at,
            value,
        });
        let inner = env.with_binding(iterator, Value::map(entries.to_vec(), at), true);
        let made = evaluator
            .descend(|| body(evaluator, tree, &content.body, content.span, &inner))
            .unwrap_or_else(|| Value::unknown_other(&*label.text, content.span));
        let made = match branch {
            Some(branch) => evaluator.one_of(vec![(branch.clone(), made)], content.span),
            None => made,
        };
        out.push(named(&label.text, label.span, made));
    };
    let mut every = |collection: &Value, branch: Option<&Guard>| match pairs(collection) {
        Some(items) => {
            // Of a set, the key is the element itself.
            let is_list = matches!(collection.kind, ValueKind::Seq(_));
            for (key, value) in items {
                if !evaluator.spend(1) {
                    return;
                }
                let scalar = is_list && matches!(value.kind, ValueKind::Str(_));
                one(if scalar { value.clone() } else { key }, value, branch);
            }
        }
        None => {
            let unknown = |name: &str| {
                evaluator
                    .derived(collection, for_each.span)
                    .named(format!("{iterator}.{name}"))
            };
            let label = format!("for each of {}", evaluator.name(tree.span(for_each.value)));
            let label = asked(&combined(branch, &label.into()));
            one(unknown("key"), unknown("value"), Some(&label));
        }
    };
    match &collection.kind {
        ValueKind::OneOf(branches) => {
            for b in branches.iter() {
                every(&inherit(&b.value, &collection.via), Some(&asked(&b.when)));
            }
        }
        _ => every(&collection, None),
    }
}

trait NamedBlock {
    fn named(self, name: String) -> Self;
}

impl NamedBlock for Value {
    /// An unknown value under another name.
    fn named(mut self, name: String) -> Self {
        if let ValueKind::Unknown(hole) = &self.kind {
            let mut hole = (**hole).clone();
            hole.name = name.into();
            self.kind = ValueKind::Unknown(hole.into());
        }
        self
    }
}
