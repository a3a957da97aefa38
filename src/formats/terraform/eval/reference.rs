//! `var.x`, `local.x`, `each.value`, `module.m.out`, `data.t.n.json`, `aws_iam_role.r.arn` and what is read out of values.

use std::sync::Arc;

use crate::source::{Hole, HoleKind, HoleTarget, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::guard::Fact;
use crate::value::{Guard, Value, ValueKind};

use crate::formats::terraform::eval::branches::MAX_BRANCHES;
use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::instances::InstanceCount;
use crate::formats::terraform::eval::values::{entry_of, first, inherit, is_spread, pairs, sorted_entries, spread_of};

/// One step of a traversal, with the span of all up to its end.
enum TraversalStep<'t> {
    Name(&'t str, Span),
    Index(NodeId, Span),
}

impl TraversalStep<'_> {
    fn span(&self) -> Span {
        match self {
            Self::Name(_, s) | Self::Index(_, s) => *s,
        }
    }
}

impl<'a> TerraformEvaluator<'a> {
    pub(crate) fn traversal(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
        let mut steps = Vec::new();
        let mut at = node;
        loop {
            match tree.kind(at) {
                Node::Attr => steps.push(TraversalStep::Name(tree.name(at), tree.span(at))),
                Node::Index => {
                    let Some(index) = tree.children(at).nth(1) else { break };
                    steps.push(TraversalStep::Index(index, tree.span(at)));
                }
                _ => break,
            }
            let Some(child) = tree.children(at).next() else { break };
            at = child;
        }
        steps.reverse();
        let span = tree.span(node);
        if tree.kind(at) == Node::Splat {
            let source = self.splat(tree, at, env);
            return self.walk(source, &steps, tree, env);
        }
        if tree.kind(at) != Node::Ident {
            let base = self.eval(tree, at, env);
            return self.walk(base, &steps, tree, env);
        }
        let (value, used) = self.resolve(tree.name(at), &steps, tree, span, env);
        // Every use of a long text is one more copy of it.
        if !self.spend(value.as_text().map_or(0, Text::len) / 64) {
            return self.unknown(HoleKind::Other, span);
        }
        self.walk(value, &steps[used.min(steps.len())..], tree, env)
    }

    fn walk(&self, mut value: Value, steps: &[TraversalStep<'_>], tree: &Tree, env: &EvalScope<'a>) -> Value {
        let mut steps = steps.iter();
        while let Some(step) = steps.next() {
            value = match step {
                TraversalStep::Name(name, span) => self.attribute(&value, name, *span, env),
                TraversalStep::Index(index, span) => {
                    let index = self.eval(tree, *index, env);
                    match (steps.as_slice().first(), one_of_many(&value, &index)) {
                        (Some(TraversalStep::Name(name, span)), Some(one)) => {
                            steps.next();
                            self.attribute(&one, name, *span, env)
                        }
                        _ => self.index(&value, &index, *span, env),
                    }
                }
            };
        }
        value
    }

    /// The value of a name and how many steps it took.
    fn resolve(
        &self,
        root: &str,
        steps: &[TraversalStep<'_>],
        tree: &Tree,
        span: Span,
        env: &EvalScope<'a>,
    ) -> (Value, usize) {
        if let Some((value, records_step)) = env.lookup(root) {
            let value = if records_step {
                value.clone().used_at(span)
            } else {
                value.clone()
            };
            return (read_at(value, span), 0);
        }
        let name = |i: usize| match steps.get(i) {
            Some(TraversalStep::Name(n, _)) => Some(*n),
            _ => None,
        };
        let to = |i: usize| steps.get(i).map_or(span, TraversalStep::span);
        let module = &env.module;
        match (root, name(0)) {
            ("var", Some(n)) => (
                read_at(self.variable(module, n, env.view, to(0)).used_at(to(0)), to(0)),
                1,
            ),
            ("local", Some(n)) => (
                read_at(self.local_value(module, n, env.view, to(0)).used_at(to(0)), to(0)),
                1,
            ),
            ("path", Some(n)) => {
                let path = match n {
                    "module" => module.relative_path(self.root),
                    _ => ".".to_owned(),
                };
                (Value::synthetic(&path, to(0)), 1)
            }
            ("terraform", Some("workspace")) => (
                Value::unknown(Hole::new(HoleKind::Input, "terraform.workspace", to(0))),
                1,
            ),
            ("module", Some(n)) => self.module_reference(n, steps, tree, env),
            ("data" | "ephemeral", Some(kind)) => match name(1) {
                Some(n) => {
                    let address = format!("{root}.{kind}.{n}");
                    (self.resource(env, &address, to(1)), 2)
                }
                None => (self.unknown(HoleKind::Other, span), steps.len()),
            },
            // The long form of a reference. Terraform language, "References to named values", "Resources".
            ("resource", Some(kind)) => match name(1) {
                Some(n) => (self.resource(env, &format!("{kind}.{n}"), to(1)), 2),
                None => (self.unknown(HoleKind::Other, span), steps.len()),
            },
            ("each" | "count" | "self", Some(_)) | (_, None) => {
                self.failed.set(true);
                (self.unknown(HoleKind::Other, span), steps.len())
            }
            (kind, Some(n)) => (self.resource(env, &format!("{kind}.{n}"), to(0)), 1),
        }
    }

    /// `module.m`, `module.m["key"]`: then the output.
    fn module_reference(
        &self,
        name: &str,
        steps: &[TraversalStep<'_>],
        tree: &Tree,
        env: &EvalScope<'a>,
    ) -> (Value, usize) {
        let to = |i: usize| steps.get(i).map_or(Span::new(tree.file, 0, 0), TraversalStep::span);
        let (key, at) = match steps.get(1) {
            Some(TraversalStep::Index(index, _)) => (Some(self.eval(tree, *index, env)), 2),
            _ => (None, 1),
        };
        let span = to(steps.len() - 1);
        match steps.get(at) {
            Some(TraversalStep::Name(output, span)) => {
                let value = self.module_output(&env.module, name, key.as_ref(), output, env.view, *span);
                (read_at(value.used_at(*span), *span), at + 1)
            }
            _ => (self.module_object(&env.module, name, env.view, span), at),
        }
    }

    /// A resource as a whole: a hole that [`TerraformEvaluator::attribute`] looks into, or a list or object of such holes.
    fn resource(&self, env: &EvalScope<'a>, address: &str, span: Span) -> Value {
        let module = &env.module;
        let Some(decl) = module.directory.resource(address) else {
            let hole = Hole::new(HoleKind::Other, address, span);
            return Value::unknown(hole);
        };
        let expanded = self.expansion(module, address, decl);
        let one = |key: Option<&str>| {
            let address = match key {
                Some(key) if expanded.varies => format!("{address}[{key}]"),
                _ => address.to_owned(),
            };
            let target = HoleTarget {
                scope: module.scope.clone(),
                address: address.as_str().into(),
                attribute: Arc::from(""),
            };
            Value::unknown(Hole::new(HoleKind::Resource, address, span).to(target))
        };
        match &expanded.shape {
            InstanceCount::One | InstanceCount::Unknown => one(None),
            InstanceCount::Count(n) => {
                let items = (0..*n).map(|i| one(Some(&i.to_string()))).collect();
                Value::seq(items, span)
            }
            InstanceCount::Each(keys) => {
                let entries = keys
                    .iter()
                    .map(|(key, _)| crate::value::MapEntry {
                        key: key.clone(),
                        key_span: span,
                        value: one(Some(&format!("{:?}", key.display()))),
                    })
                    .collect();
                Value::map(entries, span)
            }
        }
    }

    /// `value.name`.
    pub(crate) fn attribute(&self, value: &Value, name: &str, span: Span, env: &EvalScope<'a>) -> Value {
        match &value.kind {
            ValueKind::Map(entries) => match value.entry(name) {
                Some(e) => read_at(inherit(&e.value, &value.via), span),
                None if entries.iter().any(|e| !e.key.is_known()) => self.unknown(HoleKind::Other, span),
                None => self.unsupported(name, span),
            },
            ValueKind::OneOf(branches) => {
                let read = |b: &crate::value::Branch| {
                    let inner = inherit(&b.value, &value.via);
                    (b.when.clone(), self.attribute(&inner, name, span, env))
                };
                let items = branches.iter().map(read).collect();
                self.one_of(items, span)
            }
            ValueKind::Unknown(hole) => match &hole.target {
                Some(target) if target.attribute.is_empty() => {
                    let via = value.clone().used_at(span).via;
                    let read = self.resource_attribute(target, name, env.view, span);
                    let seen = inherit(&read, &None);
                    read_at(
                        Value {
                            via: if seen.via.is_some() { seen.via.clone() } else { via },
                            ..seen
                        },
                        span,
                    )
                }
                _ => Value::unknown(Hole {
                    kind: match hole.kind {
                        HoleKind::Outside => crate::formats::terraform::eval::attributes::outside_hole_kind(name),
                        kind => kind,
                    },
                    name: format!("{}.{name}", hole.name).into(),
                    target: None,
                    span,
                    others: None,
                }),
            },
            // `aws_instance.x.id` of a counted resource, as before Terraform 0.12.
            ValueKind::Seq(items) if items.len() == 1 => self.attribute(&items[0], name, span, env),
            _ => self.unsupported(name, span),
        }
    }

    /// `value[index]`.
    pub(crate) fn index(&self, value: &Value, index: &Value, span: Span, env: &EvalScope<'a>) -> Value {
        if let ValueKind::OneOf(_) = &index.kind {
            return crate::formats::terraform::eval::operators::spread_over(
                self,
                std::slice::from_ref(index),
                span,
                &|i| self.index(value, &i[0], span, env),
            );
        }
        match &value.kind {
            ValueKind::OneOf(branches) => {
                let read = |b: &crate::value::Branch| {
                    let inner = inherit(&b.value, &value.via);
                    (b.when.clone(), self.index(&inner, index, span, env))
                };
                let items = branches.iter().map(read).collect();
                self.one_of(items, span)
            }
            ValueKind::Seq(items) => {
                let Some(n) = index.as_number() else {
                    return match items.as_ref() {
                        // Whichever is meant, all are the same resource to us.
                        [only] if !is_spread(only) => inherit(only, &value.via),
                        _ => self.unknown(HoleKind::Other, span),
                    };
                };
                let n = if n >= 0.0 { n as usize } else { usize::MAX };
                if let (0, Some(item)) = (n, first(items)) {
                    return read_at(inherit(&item, &value.via), span);
                }
                if items.iter().take(n.saturating_add(1)).any(is_spread) {
                    return self.unknown(HoleKind::Other, span);
                }
                match items.get(n) {
                    Some(item) => read_at(inherit(item, &value.via), span),
                    None => self.unsupported("no such index", span),
                }
            }
            ValueKind::Map(_) => match crate::formats::terraform::eval::to_string::to_text(index)
                .as_ref()
                .and_then(Text::known)
            {
                Some(key) => self.attribute(value, &key, span, env),
                None => self
                    .by_key(value, index, None, span)
                    .unwrap_or_else(|| self.unknown(HoleKind::Other, span)),
            },
            ValueKind::Unknown(hole) => match &hole.target {
                // Instances that cannot be distinguished share the address.
                Some(target) if target.attribute.is_empty() => value.clone(),
                _ => Value::unknown(Hole {
                    name: self.name(span).into(),
                    target: None,
                    others: None,
                    span,
                    ..(**hole).clone()
                }),
            },
            _ => self.unsupported("no list", span),
        }
    }

    /// What a key that is not known finds in an object, or `otherwise`: each of its values, as long as they are few.
    pub(crate) fn by_key(&self, map: &Value, key: &Value, otherwise: Option<&Value>, span: Span) -> Option<Value> {
        if let Some(entry) = key.as_text().and_then(|key| entry_of(map, key)) {
            return Some(read_at(inherit(&entry.value, &map.via), span));
        }
        let subject = &key.as_hole().filter(|h| h.kind == HoleKind::Input)?.name;
        let entries = sorted_entries(map);
        let most = MAX_BRANCHES - usize::from(otherwise.is_some());
        if entries.is_empty() || entries.len() > most || entries.iter().any(|e| !e.key.is_known()) {
            return None;
        }
        let fact = |key: &str| match otherwise {
            Some(_) => Fact::equals(subject, key, true),
            None => Fact::key(subject, key),
        };
        let each = entries.iter().map(|e| {
            let key = e.key.display();
            let when = Guard::new(&format!("for {key}"), vec![fact(&key)]);
            (when, inherit(&e.value, &map.via))
        });
        let none: Vec<Fact> = entries
            .iter()
            .map(|e| Fact::equals(subject, &e.key.display(), false))
            .collect();
        let other = otherwise.map(|value| (Guard::new("for any other", none), value.clone()));
        Some(self.one_of(each.chain(other).collect(), span))
    }

    fn splat(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
        let span = tree.span(node);
        let mut children = tree.children(node);
        let (Some(source), Some(each)) = (children.next(), children.next()) else {
            return self.unknown(HoleKind::Other, span);
        };
        let source = self.eval(tree, source, env);
        crate::formats::terraform::eval::operators::spread_over(self, &[source], span, &|values| {
            let source = &values[0];
            let one = |item: Value| {
                let rest = (is_spread(&item) && item.is_unknown()).then(|| item.clone());
                let condition = item.as_hole().and_then(|h| self.condition_of(h.target.as_ref()?));
                let result = self.eval(tree, each, &env.with_binding("*", item, false));
                let result = rest.map_or(result, |rest| spread_of(&rest, span, &self.name(span)));
                // A document that may be missing: what is made of several adds up what is there.
                match condition {
                    Some(condition) if matches!(result.kind, ValueKind::Json(_)) => {
                        self.one_of(vec![(condition, result)], span)
                    }
                    _ => result,
                }
            };
            match &source.kind {
                ValueKind::Null => Value::seq(Vec::new(), span),
                ValueKind::Seq(_) => {
                    let items = pairs(source).unwrap_or_default();
                    Value::seq(items.into_iter().map(|(_, v)| one(v)).collect(), span)
                }
                // One resource without `count` becomes a list of one; of an unknown number, a list of any number.
                ValueKind::Unknown(h) if h.target.as_ref().is_some_and(|t| t.attribute.is_empty()) => {
                    Value::seq(vec![one(source.clone())], span)
                }
                ValueKind::Unknown(_) => self.derived(source, span),
                _ => Value::seq(vec![one(source.clone())], span),
            }
        })
    }
}

/// A resource of which there are unknown many, with a key that is known.
fn one_of_many(resource: &Value, key: &Value) -> Option<Value> {
    let hole = resource.as_hole()?;
    let target = hole.target.as_ref().filter(|t| t.attribute.is_empty())?;
    let key = match &key.kind {
        ValueKind::Num(n) => n.to_string(),
        _ => format!("{:?}", key.as_text()?.known()?),
    };
    let one = HoleTarget {
        address: format!("{}[{key}]", target.address).into(),
        ..target.clone()
    };
    Some(Value {
        via: resource.via.clone(),
        ..Value::unknown(hole.clone().to(one))
    })
}

/// An unknown value is written where it is read, as far as anyone can tell.
pub(crate) fn read_at(value: Value, span: Span) -> Value {
    match &value.kind {
        ValueKind::Unknown(hole) => Value {
            kind: ValueKind::Unknown(Arc::new(Hole {
                span,
                ..(**hole).clone()
            })),
            span,
            via: value.via,
        },
        _ => value,
    }
}
