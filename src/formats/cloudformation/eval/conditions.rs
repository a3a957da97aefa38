//! The Conditions section: three-valued, since parameters may be overridden.

use crate::iam::Truth;
use crate::source::Text;
use crate::syntax::{NodeId, NodeKind as Node};
use crate::value::guard::{Fact, FactParts};
use crate::value::{Guard, Value, ValueKind};

use crate::formats::cloudformation::eval::env::TemplateScope;
use crate::formats::cloudformation::eval::nodes::intrinsic;
use crate::formats::cloudformation::eval::template::Template;

/// How deep conditions may refer to each other.
const MAX_DEPTH: u32 = 24;

/// What says as much as a condition does.
enum SaidBy {
    /// The facts that follow from it, all together.
    Facts,
    /// What it is made of.
    Parts(FactParts),
    LessThanAll,
}

impl Template<'_> {
    /// Whether the condition `name` is met; certain only where no parameter's default decides.
    pub(crate) fn is_met(&self, env: TemplateScope<'_>, name: &str) -> Truth {
        self.named_condition(env, name, 0)
    }

    /// The condition that `Fn::If` names; a condition written in its place is named by what it says.
    pub(crate) fn condition_name(&self, env: TemplateScope<'_>, node: NodeId) -> Option<String> {
        match env.tree.kind(node) {
            Node::Str => self.name(env, node),
            Node::Call if env.tree.name(node) == "Condition" => {
                let argument = env.tree.children(node).next()?;
                self.name(env, argument)
            }
            _ => env
                .tree
                .get(node, "Condition")
                .and_then(|n| self.name(env, n))
                .or_else(|| Some("the condition".to_owned())),
        }
    }

    /// When the condition `name` is met, or is not.
    pub(crate) fn guard(&self, name: &str, is: bool) -> Guard {
        let mut facts = Vec::new();
        self.named_facts(name, is, 0, &mut facts);
        let word = if is { "if" } else { "unless" };
        let guard = Guard::new(&format!("{word} {name}"), facts);
        let off = self
            .parameters
            .iter()
            .filter_map(|(name, p)| Some((name, p.off.as_ref()?)));
        let left_out = |(name, default): (&String, &String)| {
            guard.excludes(&Guard::new("", vec![Fact::equals(name, default, true)]))
        };
        match off.into_iter().any(left_out) {
            true => guard.opt_in(),
            false => guard,
        }
    }

    fn named_facts(&self, name: &str, is: bool, depth: u32, out: &mut Vec<Fact>) {
        let before = out.len();
        let node = self.conditions.get(name).filter(|_| depth < 8 && self.spend_step());
        let fact = Fact::condition(name, is);
        let fact = match node.map_or(SaidBy::LessThanAll, |node| self.facts(*node, is, depth + 1, out)) {
            SaidBy::Facts => return,
            SaidBy::Parts(parts) => fact.made_of(parts),
            SaidBy::LessThanAll => fact,
        };
        out.insert(before, fact);
    }

    /// What a condition is made of, where it is met, or is not: `all` of these parts, or one of them. Adds what follows from it.
    fn parts(&self, parts: &[NodeId], all: bool, is: bool, depth: u32, out: &mut Vec<Fact>) -> FactParts {
        let mut made = FactParts {
            facts: Vec::new(),
            all,
            complete: true,
        };
        for part in parts {
            let mut facts = Vec::new();
            let exact = matches!(self.facts(*part, is, depth + 1, &mut facts), SaidBy::Facts);
            let brings_the_rest = |first: &Fact| facts.iter().skip(1).all(|f| first.brings().contains(f));
            match facts.first().filter(|first| exact && brings_the_rest(first)) {
                Some(first) => made.facts.push(first.clone()),
                None => {
                    made.complete = false;
                    if all {
                        made.facts.extend(facts.iter().cloned());
                    }
                }
            }
            if all {
                out.extend(facts);
            }
        }
        made
    }

    /// Adds what follows from a condition being met, or not.
    fn facts(&self, node: NodeId, is: bool, depth: u32, out: &mut Vec<Fact>) -> SaidBy {
        let tree = &self.doc.tree;
        let condition = |argument: NodeId| tree.text(argument).and_then(Text::known);
        let (function, argument) = match tree.kind(node) {
            Node::Call => match tree.children(node).next() {
                Some(argument) => (tree.name(node).to_owned(), argument),
                None => return SaidBy::LessThanAll,
            },
            _ => match (tree.get(node, "Condition"), intrinsic(tree, node)) {
                (Some(argument), _) => ("Condition".to_owned(), argument),
                (None, Some(found)) => found,
                (None, None) => return SaidBy::LessThanAll,
            },
        };
        let parts: Vec<NodeId> = tree.children(argument).collect();
        match (&*function, parts.as_slice()) {
            ("Condition", _) => match condition(argument) {
                Some(name) => {
                    self.named_facts(&name, is, depth + 1, out);
                    SaidBy::Facts
                }
                None => SaidBy::LessThanAll,
            },
            ("Not", [part]) => self.facts(*part, !is, depth + 1, out),
            ("And" | "Or", parts) => SaidBy::Parts(self.parts(parts, (function == "And") == is, is, depth, out)),
            ("Equals", [a, b]) => {
                let literal = |n: NodeId| match tree.kind(n) {
                    Node::Str | Node::Num | Node::Bool => tree.text(n)?.known().map(std::borrow::Cow::into_owned),
                    _ => None,
                };
                let (subject, value) = match (literal(*a), literal(*b)) {
                    (None, Some(value)) => (*a, value),
                    (Some(value), None) => (*b, value),
                    _ => return SaidBy::LessThanAll,
                };
                out.push(Fact::equals(&self.subject(self.env(), subject), &value, is));
                SaidBy::Facts
            }
            _ => SaidBy::LessThanAll,
        }
    }

    /// Whether the conditions of this place exclude that the parameter has this value.
    pub(crate) fn excludes_value(&self, env: TemplateScope<'_>, name: &str, value: &Value) -> bool {
        let text = match value.items() {
            [only] => only.as_str(),
            _ => None,
        };
        let Some(text) = text else { return false };
        let default = Guard::new("", vec![Fact::equals(name, &text, true)]);
        env.assumptions()
            .any(|(assumed, holds)| self.guard(assumed, holds).excludes(&default))
    }

    /// What the parameter is by the conditions of this place.
    pub(crate) fn assumed_equal(&self, env: TemplateScope<'_>, name: &str) -> Option<String> {
        let guards = env.assumptions().map(|(assumed, holds)| self.guard(assumed, holds));
        guards.into_iter().find_map(|g| g.equal(name).map(str::to_owned))
    }

    /// What an expression is called in facts: a parameter or pseudo parameter by its name, anything else as it is written.
    pub(crate) fn subject(&self, env: TemplateScope<'_>, node: NodeId) -> String {
        let tree = env.tree;
        let reference = match tree.kind(node) {
            Node::Call if tree.name(node) == "Ref" => tree.children(node).next(),
            Node::Map => intrinsic(tree, node).and_then(|(name, argument)| (name == "Ref").then_some(argument)),
            _ => None,
        };
        // `!Join ["", !Ref X]` asks what `X` is.
        if let Some(list) = self.joined_list(env, node) {
            return self.subject(env, list);
        }
        match reference.and_then(|n| tree.text(n)) {
            Some(name) => name.display(),
            None => self.world.sources.slice(tree.span(node)).to_owned(),
        }
    }

    /// The list that a `Join` joins.
    fn joined_list(&self, env: TemplateScope<'_>, node: NodeId) -> Option<NodeId> {
        let tree = env.tree;
        let argument = match tree.kind(node) {
            Node::Call if tree.name(node) == "Join" => tree.children(node).next()?,
            Node::Map => intrinsic(tree, node).filter(|(name, _)| name == "Join")?.1,
            _ => return None,
        };
        tree.children(argument)
            .nth(1)
            .filter(|list| tree.kind(*list) != Node::Seq)
    }

    fn named_condition(&self, env: TemplateScope<'_>, name: &str, depth: u32) -> Truth {
        for (assumed, holds) in env.assumptions() {
            match self.implied_truth(assumed, holds, name, 0) {
                Some(true) => return Truth::Yes,
                Some(false) => return Truth::No,
                None => {}
            }
        }
        match self.conditions.get(name) {
            Some(&node) => self.truth(env.in_file(&self.doc.tree).certain(), node, depth + 1),
            None => Truth::Unknown,
        }
    }

    /// What `assumed` being met, or not, says about `name`: `NotProd` that is `!Not [!Condition IsProd]` decides both.
    fn implied_truth(&self, assumed: &str, holds: bool, name: &str, depth: u32) -> Option<bool> {
        if assumed == name {
            return Some(holds);
        }
        if depth > 4 || !self.spend_step() {
            return None;
        }
        let tree = &self.doc.tree;
        let node = *self.conditions.get(assumed)?;
        let (function, argument) = match tree.kind(node) {
            Node::Call => (tree.name(node).to_owned(), tree.children(node).next()?),
            _ => intrinsic(tree, node)?,
        };
        let (decides, part_holds) = match &*function {
            "Not" => (true, !holds),
            "And" => (holds, true),
            "Or" => (!holds, false),
            _ => (false, false),
        };
        if !decides {
            return None;
        }
        tree.children(argument).find_map(|part| {
            let other = match tree.kind(part) {
                Node::Call if tree.name(part) == "Condition" => tree.children(part).next()?,
                _ => tree.get(part, "Condition")?,
            };
            let other = tree.text(other)?.known()?;
            self.implied_truth(&other, part_holds, name, depth + 1)
        })
    }

    fn truth(&self, env: TemplateScope<'_>, node: NodeId, depth: u32) -> Truth {
        if depth > MAX_DEPTH || !self.spend_step() {
            return Truth::Unknown;
        }
        let tree = env.tree;
        match tree.kind(node) {
            Node::Call => match tree.children(node).next() {
                Some(argument) => self.truth_of(env, tree.name(node), argument, depth),
                None => Truth::Unknown,
            },
            Node::Map => match intrinsic(tree, node) {
                Some((name, argument)) => self.truth_of(env, &name, argument, depth),
                None => match tree.get(node, "Condition") {
                    Some(argument) => self.truth_of(env, "Condition", argument, depth),
                    None => Truth::Unknown,
                },
            },
            _ => match self.value(env, node).and_then(|v| v.as_bool()) {
                Some(true) => Truth::Yes,
                Some(false) => Truth::No,
                None => Truth::Unknown,
            },
        }
    }

    /// The condition function `name` of `argument`.
    pub(crate) fn truth_of(&self, env: TemplateScope<'_>, name: &str, argument: NodeId, depth: u32) -> Truth {
        let env = env.certain();
        let mut parts = env.tree.children(argument);
        match name {
            "Condition" => match self.name(env, argument) {
                Some(name) => self.named_condition(env, &name, depth + 1),
                None => Truth::Unknown,
            },
            "Not" => match parts.next().map(|p| self.truth(env, p, depth + 1)) {
                Some(Truth::Yes) => Truth::No,
                Some(Truth::No) => Truth::Yes,
                _ => Truth::Unknown,
            },
            "And" | "Or" => {
                // What one part alone decides.
                let decisive = if name == "And" { Truth::No } else { Truth::Yes };
                let mut all_known = true;
                for part in parts {
                    match self.truth(env, part, depth + 1) {
                        t if t == decisive => return decisive,
                        Truth::Unknown => all_known = false,
                        _ => {}
                    }
                }
                match (all_known, name) {
                    (false, _) => Truth::Unknown,
                    (true, "And") => Truth::Yes,
                    (true, _) => Truth::No,
                }
            }
            "Equals" => {
                let (Some(a), Some(b)) = (parts.next(), parts.next()) else {
                    return Truth::Unknown;
                };
                let known = |node| {
                    let value = self.value(env, node)?;
                    match &value.kind {
                        ValueKind::Bool(b) => Some(b.to_string()),
                        ValueKind::Num(n) => Some(n.to_string()),
                        ValueKind::Str(text) => Some(text.known()?.into_owned()),
                        _ => None,
                    }
                };
                match (known(a), known(b)) {
                    (Some(a), Some(b)) if a == b => Truth::Yes,
                    (Some(_), Some(_)) => Truth::No,
                    _ => Truth::Unknown,
                }
            }
            _ => Truth::Unknown,
        }
    }
}
