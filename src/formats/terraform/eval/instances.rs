//! `count` and `for_each`: how many instances a block makes, and what tells them apart.

use std::rc::Rc;

use crate::source::{Hole, HoleKind, Text};
use crate::syntax::hcl::Body;
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::guard::combined;
use crate::value::{Guard, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::eval::switches::Switches;
use crate::formats::terraform::eval::to_string;
use crate::formats::terraform::eval::values::{inherit, is_spread, pairs, told_apart};
use crate::formats::terraform::parse::directory::Decl;

/// How many instances of one resource or module are distinguished.
const MAX_INSTANCES: usize = 500;

/// How many instances a block makes.
pub(crate) enum InstanceCount {
    One,
    Count(usize),
    /// Keys and values, in order.
    Each(Vec<(Text, Value)>),
    /// `count` or `for_each` is not known.
    Unknown,
}

/// `Expansion`, and under which condition there are any.
pub(crate) struct ConditionalExpansion {
    pub(crate) shape: InstanceCount,
    pub(crate) branch: Option<Guard>,
    /// Certainly no instance.
    pub(crate) none: bool,
    /// No instance in another alternative.
    perhaps_none: bool,
    /// Instances differ: the block says `each.` or `count.` somewhere.
    pub(crate) varies: bool,
    /// There are none by default: defaults that stand for nothing are replaced where there are some.
    given: bool,
    /// There are none by default: these variables have another value where there are some.
    switches: Switches,
}

impl ConditionalExpansion {
    fn new(shape: InstanceCount, branch: Option<Guard>) -> Self {
        let none = match &shape {
            InstanceCount::Count(n) => *n == 0,
            InstanceCount::Each(keys) => keys.is_empty(),
            _ => false,
        };
        Self {
            shape,
            branch,
            none,
            perhaps_none: false,
            varies: false,
            given: false,
            switches: Switches::default(),
        }
    }
}

/// Reads the value of `count` or `for_each`, under a condition.
type InstanceReader<'a> = fn(&TerraformEvaluator<'a>, &Value, Option<Guard>) -> ConditionalExpansion;

/// One instance of a block.
pub(crate) struct Instance<'a> {
    /// As in an address: `0`, `"key"`; `None` where instances are not distinguished.
    pub(crate) key: Option<String>,
    pub(crate) env: EvalScope<'a>,
}

impl<'a> TerraformEvaluator<'a> {
    /// How many instances `count` or `for_each` makes.
    pub(crate) fn expansion(
        &self,
        module: &Rc<TerraformModule<'a>>,
        address: &str,
        decl: &Decl<'a>,
    ) -> Rc<ConditionalExpansion> {
        if let Some(done) = module.expansions.borrow().get(address) {
            return done.clone();
        }
        let outer = self.failed.get();
        // While it is being evaluated it is one of unknown many.
        let running = Rc::new(ConditionalExpansion::new(InstanceCount::Unknown, None));
        module.expansions.borrow_mut().insert(address.to_owned(), running);
        let expanded_in = |env: &EvalScope<'a>| {
            let written = |name: &str| {
                let (a, e) = decl.attribute(name)?;
                Some(self.with_allowance(a.span, || self.expr(e, env)))
            };
            if let Some(value) = written("count") {
                self.expand_count(&value, None)
            } else if let Some(value) = written("for_each") {
                self.each_of(&value, None)
            } else {
                ConditionalExpansion::new(InstanceCount::One, None)
            }
        };
        let (mut expanded, by_default) = self.run_noting_defaults(|| expanded_in(&module.env()));
        let optional = by_default && (expanded.none || expanded.perhaps_none);
        let absent = by_default && expanded.none;
        let given = module.env().without_unset_defaults();
        if expanded.none && by_default {
            // Nothing by default, and the module's user may want otherwise.
            expanded = expanded_in(&given);
        }
        // An attribute of an object is asked for, and not the object: no input reaches one that is written out.
        let settable = by_default && !expanded_in(&module.env().without_inputs()).none;
        let mut asked = if absent && settable {
            self.flag(module, decl, &[])
        } else {
            None
        };
        if expanded.none && settable {
            let exists = |switches| !expanded_in(&given.with_switches(switches)).none;
            let found = self.switches_of(module, decl, exists);
            asked = self.flag(module, decl, &found.names);
            expanded = expanded_in(&given.with_switches(found.switches));
            if expanded.none || matches!(expanded.shape, InstanceCount::Unknown) {
                let written = expanded.branch.filter(|_| !expanded.none);
                let (shape, when) = match decl.expr("count") {
                    Some(_) => (InstanceCount::Count(1), format!("if `count` of {address} is not 0")),
                    None => (
                        InstanceCount::Unknown,
                        format!("if `for_each` of {address} is not empty"),
                    ),
                };
                // The flag says it better.
                let when = written.or_else(|| asked.is_none().then(|| when.into()));
                expanded = ConditionalExpansion::new(shape, when);
            }
            if let (Some(branch), Some(changed)) = (&expanded.branch, found.changed) {
                expanded.branch = Some(branch.and(&changed));
            }
            expanded.switches = found.switches;
            if found.several {
                // Each of them is enough: none has to be on.
                asked = asked.map(|flag| expanded.branch.take().unwrap_or(flag).opt_in());
            }
        }
        if let Some(asked) = asked {
            expanded.branch = Some(match &expanded.branch {
                Some(branch) => asked.with(branch),
                None => asked,
            });
        }
        expanded.varies = names_instance(decl);
        expanded.given = optional;
        self.failed.set(outer);
        let expanded = Rc::new(expanded);
        module
            .expansions
            .borrow_mut()
            .insert(address.to_owned(), expanded.clone());
        expanded
    }

    fn expand_count(&self, value: &Value, branch: Option<Guard>) -> ConditionalExpansion {
        if matches!(value.kind, ValueKind::OneOf(_)) {
            return self.first_branch(value, branch, Self::expand_count);
        }
        let shape = match value.as_number() {
            Some(n) if n < 0.5 => InstanceCount::Count(0),
            Some(n) if n <= MAX_INSTANCES as f64 => InstanceCount::Count(n as usize),
            _ => InstanceCount::Unknown,
        };
        ConditionalExpansion::new(shape, branch)
    }

    fn each_of(&self, value: &Value, branch: Option<Guard>) -> ConditionalExpansion {
        let is_set = matches!(value.kind, ValueKind::Seq(_));
        let known = match &value.kind {
            ValueKind::OneOf(_) => return self.first_branch(value, branch, Self::each_of),
            ValueKind::Seq(items) if items.iter().any(is_spread) => None,
            ValueKind::Seq(_) | ValueKind::Map(_) | ValueKind::Null => pairs(value),
            _ => None,
        };
        let shape = match known {
            Some(items) if items.len() <= MAX_INSTANCES => {
                let keys = items.iter().map(|(k, v)| {
                    let named = if is_set { v } else { k };
                    // Which it is stays open, as for a key that is chosen from several.
                    let open = || Text::hole(Hole::new(HoleKind::Input, "each.key", named.span));
                    to_string::to_text(named).unwrap_or_else(open)
                });
                let keys = told_apart(keys).into_iter();
                InstanceCount::Each(keys.zip(items.into_iter().map(|(_, v)| v)).collect())
            }
            _ => InstanceCount::Unknown,
        };
        ConditionalExpansion::new(shape, branch)
    }

    /// Of alternatives, the first that makes an instance.
    fn first_branch(&self, value: &Value, branch: Option<Guard>, f: InstanceReader<'a>) -> ConditionalExpansion {
        let ValueKind::OneOf(branches) = &value.kind else {
            return f(self, value, branch);
        };
        let mut none: Option<ConditionalExpansion> = None;
        let mut chosen: Option<ConditionalExpansion> = None;
        for b in branches.iter() {
            let when = combined(branch.as_ref(), &b.when);
            let inner = inherit(&b.value, &value.via);
            let expanded = f(self, &inner, Some(when));
            match expanded.none {
                true => none = Some(expanded),
                false => chosen = chosen.or(Some(expanded)),
            }
        }
        match (chosen, none) {
            (Some(chosen), none) => ConditionalExpansion {
                perhaps_none: chosen.perhaps_none || none.is_some(),
                ..chosen
            },
            (None, Some(none)) => none,
            (None, None) => ConditionalExpansion::new(InstanceCount::Unknown, branch),
        }
    }

    /// The instances of a block that need to be distinguished, each with its `each` or `count`.
    pub(crate) fn instances(
        &self,
        module: &Rc<TerraformModule<'a>>,
        address: &str,
        decl: &Decl<'a>,
    ) -> Vec<Instance<'a>> {
        let expanded = self.expansion(module, address, decl);
        let count = match &expanded.shape {
            _ if expanded.none => 0,
            InstanceCount::Count(n) if expanded.varies => *n,
            InstanceCount::Each(keys) if expanded.varies => keys.len(),
            _ => 1,
        };
        (0..count).map(|i| self.instance(module, decl, &expanded, i)).collect()
    }

    /// The `i`-th instance of a block that has as many.
    fn instance(
        &self,
        module: &Rc<TerraformModule<'a>>,
        decl: &Decl<'a>,
        expanded: &ConditionalExpansion,
        i: usize,
    ) -> Instance<'a> {
        let env = module.env().with_switches(expanded.switches);
        let env = if expanded.given {
            env.without_unset_defaults()
        } else {
            env
        };
        let at = decl.block().header;
        match &expanded.shape {
            InstanceCount::Count(_) if expanded.varies => {
                let index = Value::new(ValueKind::Num(i.to_string().into()), at);
                Instance {
                    key: Some(i.to_string()),
                    env: self.instance_env(&env, decl, "count", &[("index", index)]),
                }
            }
            InstanceCount::Each(keys) if expanded.varies => {
                let (key, value) = &keys[i];
                let each = [("key", Value::text(key.clone(), value.span)), ("value", value.clone())];
                Instance {
                    key: Some(format!("{:?}", key.display())),
                    env: self.instance_env(&env, decl, "each", &each),
                }
            }
            InstanceCount::Unknown => {
                let hole = |name: &str| Value::unknown(Hole::new(HoleKind::Input, name, at));
                let each = [("key", hole("each.key")), ("value", hole("each.value"))];
                let env = self.instance_env(&env, decl, "each", &each);
                let count = [("index", hole("count.index"))];
                Instance {
                    key: None,
                    env: self.instance_env(&env, decl, "count", &count),
                }
            }
            _ => Instance { key: None, env },
        }
    }

    fn instance_env(
        &self,
        env: &EvalScope<'a>,
        decl: &Decl<'a>,
        name: &str,
        values: &[(&str, Value)],
    ) -> EvalScope<'a> {
        let at = decl.block().header;
        let entries = values.iter().map(|(key, value)| MapEntry {
            key: Text::synthetic(key, at),
            key_span: at,
            value: value.clone(),
        });
        env.with_binding(name, Value::map(entries.collect(), at), true)
    }

    /// The instance of `decl` that an address with a key names.
    pub(crate) fn instance_of(
        &self,
        module: &Rc<TerraformModule<'a>>,
        base: &str,
        decl: &Decl<'a>,
        key: Option<&str>,
    ) -> Option<Instance<'a>> {
        let expanded = self.expansion(module, base, decl);
        if expanded.none {
            return None;
        }
        let i = match (&expanded.shape, key) {
            (InstanceCount::Count(n), Some(key)) if expanded.varies => key.parse().ok().filter(|i| i < n)?,
            (InstanceCount::Each(keys), Some(key)) if expanded.varies => {
                keys.iter().position(|(k, _)| format!("{:?}", k.display()) == key)?
            }
            (InstanceCount::Unknown, Some(key)) => {
                let instance = self.instance(module, decl, &expanded, 0);
                return Some(self.with_key(instance, decl, key));
            }
            _ => 0,
        };
        Some(self.instance(module, decl, &expanded, i))
    }

    /// One of unknown many, of which the key is known.
    fn with_key(&self, instance: Instance<'a>, decl: &Decl<'a>, key: &str) -> Instance<'a> {
        let at = decl.block().header;
        let Some(name) = key.strip_prefix('"').and_then(|k| k.strip_suffix('"')) else {
            let index = Value::new(ValueKind::Num(key.into()), at);
            let env = self.instance_env(&instance.env, decl, "count", &[("index", index)]);
            return Instance { env, ..instance };
        };
        let key = Value::synthetic(name, at);
        // Of a set, the value is the key.
        let value = match decl.expr("for_each").map(|e| self.expr(e, &instance.env).kind) {
            Some(ValueKind::Seq(_)) => key.clone(),
            _ => Value::unknown(Hole::new(HoleKind::Input, "each.value", at)),
        };
        let env = self.instance_env(&instance.env, decl, "each", &[("key", key), ("value", value)]);
        Instance { env, ..instance }
    }
}

/// Whether the instances of a block differ: it says `each.` or `count.` somewhere. The block's own `count` and `for_each`
/// cannot; those of a `dynamic` block can.
fn names_instance(decl: &Decl<'_>) -> bool {
    fn in_body(tree: &Tree, body: &Body, own: &[&str]) -> bool {
        let mut written = body.attributes.iter().filter(|a| !own.contains(&&*a.name));
        written.any(|a| mentions(tree, a.value)) || body.blocks.iter().any(|b| in_body(tree, &b.body, &[]))
    }
    let own = ["count", "for_each"];
    decl.parts.iter().any(|p| in_body(p.tree, &p.block.body, &own))
}

fn mentions(tree: &Tree, node: NodeId) -> bool {
    let mut stack = vec![node];
    while let Some(n) = stack.pop() {
        if tree.kind(n) == Node::Ident && matches!(tree.name(n), "each" | "count") {
            return true;
        }
        stack.extend(tree.children(n));
    }
    false
}
