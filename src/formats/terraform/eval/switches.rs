//! Switches: variables of a root module whose defaults decide that something does not exist.
//!
//! `default = false` together with `count = var.create ? 1 : 0` is how a module says that something is there on demand. Where
//! it is there, the variable has another value than its default, and so has everything that rests on it.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::Guard;
use crate::value::guard::Fact;

use crate::formats::terraform::eval::evaluator::{TerraformEvaluator, View};
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::parse::directory::{Decl, HclExpr};

/// How many nodes are looked at for the switches of one resource.
const MAX_NODES: usize = 2_000;
/// How many variables of one resource are tried.
const MAX_TRIED: usize = 8;

/// A set of switches of one root module: what is met after as many as there are bits is not one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Switches([u128; 4]);

impl Switches {
    const MOST: usize = 4 * u128::BITS as usize;

    fn one(at: usize) -> Self {
        let mut bits = [0; 4];
        if let Some(word) = bits.get_mut(at / u128::BITS as usize) {
            *word = 1 << (at % u128::BITS as usize);
        }
        Self(bits)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & !other.0[i]))
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Each by itself, in the order in which they were met.
    pub(crate) fn each(self) -> impl Iterator<Item = Self> {
        let all = (0..Self::MOST).map(Self::one);
        all.filter(move |one| one.without(self).is_empty())
    }
}

/// The switches of a block that has no instance by default.
pub(crate) struct Found<'a> {
    pub(crate) switches: Switches,
    /// What they are called.
    pub(crate) names: Vec<&'a str>,
    /// Where it is one, that it does not have its default.
    pub(crate) changed: Option<Guard>,
    /// There are several, each of which is enough.
    pub(crate) several: bool,
}

impl<'a> TerraformEvaluator<'a> {
    /// Whether a variable of the root module is a switch that may have another value than its default.
    pub(crate) fn is_switched(&self, view: View, name: &str) -> bool {
        if view.switches.is_empty() {
            return false;
        }
        let met = self.switches.borrow();
        let at = met.iter().position(|n| n == name);
        at.is_some_and(|i| Switches::one(i).without(view.switches).is_empty())
    }

    pub(crate) fn switch(&self, name: &str) -> Switches {
        let mut met = self.switches.borrow_mut();
        let at = met.iter().position(|n| n == name).unwrap_or(met.len());
        if at >= Switches::MOST {
            return Switches::default();
        }
        if at == met.len() {
            met.push(name.to_owned());
        }
        Switches::one(at)
    }

    /// What the only one of these is called.
    pub(crate) fn only_switch(&self, switches: Switches) -> Option<String> {
        let met = self.switches.borrow();
        let mut names = (0..met.len()).filter(|i| Switches::one(*i).without(switches).is_empty());
        let at = names.next().filter(|_| names.next().is_none())?;
        met.get(at).cloned()
    }

    /// The switches of a block that has no instance by default: each that is enough by itself for one to exist, or all that
    /// its guard reads.
    pub(crate) fn switches_of(
        &self,
        module: &Rc<TerraformModule<'a>>,
        decl: &Decl<'a>,
        exists: impl Fn(Switches) -> bool,
    ) -> Found<'a> {
        let guard = decl.expr("count").or_else(|| decl.expr("for_each"));
        let names = guard.map(|guard| variables(module, guard)).unwrap_or_default();
        let all: Vec<&str> = names.into_iter().take(MAX_TRIED).collect();
        let enough = all.iter().copied().filter(|name| exists(self.switch(name)));
        let enough: Vec<&str> = enough.collect();
        let several = enough.len() > 1;
        let which = if enough.is_empty() { all } else { enough };
        let switches = which.iter().map(|name| self.switch(name));
        let switches = switches.fold(Switches::default(), Switches::and);
        let changed = match which.as_slice() {
            [only] if module.path.is_empty() => self.changed(module, only),
            _ => None,
        };
        Found {
            switches,
            names: which,
            changed,
            several,
        }
    }

    /// A variable of the root module does not have its default.
    fn changed(&self, root: &Rc<TerraformModule<'a>>, name: &str) -> Option<Guard> {
        let default = root.directory.variables.get(name)?.expr("default")?;
        let value = self.expr(default, &root.env());
        let subject = format!("var.{name}");
        let fact = match value.as_bool() {
            Some(is) => Fact::condition(&subject, !is),
            None => Fact::equals(&subject, &value.as_str()?, false),
        };
        Some(Guard::new("", vec![fact]))
    }
}

/// The variables of the root module whose defaults, each a single value, an expression reads: through locals and arguments.
fn variables<'a>(module: &Rc<TerraformModule<'a>>, guard: HclExpr<'a>) -> Vec<&'a str> {
    let mut out: Vec<&'a str> = Vec::new();
    let mut met = BTreeSet::new();
    let mut open: Vec<(Rc<TerraformModule<'a>>, &'a Tree, NodeId)> = vec![(module.clone(), guard.tree, guard.node)];
    for _ in 0..MAX_NODES {
        let Some((module, tree, node)) = open.pop() else { break };
        let root = tree.children(node).next();
        let root = root.filter(|r| tree.kind(node) == Node::Attr && tree.kind(*r) == Node::Ident);
        match root.map(|r| tree.name(r)) {
            Some(kind @ ("var" | "local")) => {
                let name = tree.name(node);
                if !met.insert((module.scope.clone(), kind, name)) {
                    continue;
                }
                let (from, read) = match (kind, &module.arguments) {
                    ("local", _) => (module.clone(), module.directory.locals.get(name).map(|(_, e)| *e)),
                    (_, Some((arguments, env))) => (env.module.clone(), arguments.get(name).copied()),
                    (_, None) => {
                        if is_switch(&module, name) && !out.contains(&name) {
                            out.push(name);
                        }
                        continue;
                    }
                };
                open.extend(read.map(|e| (from, e.tree, e.node)));
            }
            _ => open.extend(tree.children(node).map(|child| (module.clone(), tree, child))),
        }
    }
    out
}

/// A variable of the root module has a single value as its default, which nothing replaces.
fn is_switch(module: &TerraformModule<'_>, name: &str) -> bool {
    let given = module.chosen.contains_key(name) || module.directory.values.contains_key(name);
    let declared = module.directory.variables.get(name);
    let default = declared.and_then(|d| d.expr("default")).filter(|_| !given);
    default.is_some_and(|e| matches!(e.tree.kind(e.node), Node::Bool | Node::Str | Node::Num))
}
