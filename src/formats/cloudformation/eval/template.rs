//! One template ready to be evaluated: its sections by name, and what its parent passes to it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::source::{Hole, HoleKind, HoleTarget, Span, Text, join_path, parent_path};
use crate::syntax::{NodeId, NodeKind, Tree};
use crate::value::{Value, ValueKind as V};

use crate::formats::placeholders::{is_stand_in, means_disabled};
use crate::formats::text_templates::with_brace_holes;

use crate::formats::cloudformation::eval::env::TemplateScope;
use crate::formats::cloudformation::eval::world::{Export, World};
use crate::formats::cloudformation::parse::doc::{Doc, superseded};

/// How many nested stacks are followed, one inside the other.
const MAX_NESTING: u32 = 6;

/// How many conditions expensive resources may look at together.
const STEPS: u32 = 200_000;
/// How many nodes each resource may make, and how many conditions it may look at, whatever the others used up.
const RESERVE: i64 = 20_000;
const RESERVED_STEPS: u32 = 5_000;
/// How many times the common store all reserves together may use up.
const MAX_RESERVES: u32 = 20;

/// A template under evaluation.
pub(crate) struct Template<'w> {
    pub(crate) world: &'w World<'w>,
    pub(crate) doc: &'w Doc,
    /// Where the names of its resources mean something: this template, deployed in this way.
    pub(crate) scope: Arc<str>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) mappings: BTreeMap<String, NodeId>,
    pub(crate) conditions: BTreeMap<String, NodeId>,
    pub(crate) resources: BTreeMap<String, DeclaredResource>,
    /// How many more nodes the resource that is being evaluated may make: templates are small, loops in them need not be.
    budget: Cell<i64>,
    /// How many more conditions may be looked at for it: they can refer to each other in ways that multiply.
    steps: Cell<u32>,
    /// What expensive resources may still use of both.
    stores: Cell<(i64, u32)>,
    /// What all resources together may still use of both.
    totals: Cell<(i64, u32)>,
    /// What met a bound.
    pub(crate) cut: RefCell<BTreeSet<Span>>,
    /// Local files that were referred to and are not there.
    pub(crate) wanted: RefCell<BTreeSet<String>>,
    /// Macros in the place of entries, which bring what no one knows.
    pub(crate) macros: RefCell<BTreeSet<(Span, Arc<str>)>>,
    children: RefCell<BTreeMap<String, Option<Rc<Self>>>>,
    nesting: u32,
}

/// A resource by its logical id.
pub(crate) struct DeclaredResource {
    pub(crate) kind: String,
    /// `None` for one that a loop or an include brings.
    pub(crate) node: Option<NodeId>,
}

/// A template parameter.
///
/// A `Ref` to it is the value that a parent of the repository passes; else its `Default`, since that is what is deployed
/// unless someone says otherwise (NoEcho and ARN parameters included: a default is written text like any other), seen
/// through the reference; else its only `AllowedValues`. An empty default means "not given", and conditions nearly always
/// guard its use; it stays unknown, as does what comes from the parameter store. What conditions compare is never the
/// default: both branches may be deployed.
pub(crate) struct Parameter {
    pub(crate) value: Value,
    /// What is certain: differs from `value` where that is only the default.
    pub(crate) certain: Value,
    /// Written in this template, or passed by its parent: the `Ref` is a step of the value's way.
    pub(crate) known: bool,
    /// The default, where that counts and says that something is off or not given.
    pub(crate) off: Option<String>,
    /// Where the default is written, if that counts.
    pub(crate) default: Option<Span>,
}

impl<'w> Template<'w> {
    /// The template with no parameters given.
    pub(crate) fn new(world: &'w World<'w>, index: usize) -> Self {
        Self::with_parameters(world, index, &BTreeMap::new())
    }

    /// The template as each of those that use it does: one evaluation for each set of parameters, since each is a stack of
    /// its own.
    pub(crate) fn uses(world: &'w World<'w>, index: usize) -> Vec<Self> {
        let callers = world.callers(index).iter();
        callers
            .map(|c| Self::with(world, &world.docs[index], &c.given, c.scope.clone(), 0))
            .collect()
    }

    /// The template with these parameters.
    pub(crate) fn with_parameters(world: &'w World<'w>, index: usize, given: &BTreeMap<String, Value>) -> Self {
        let doc = &world.docs[index];
        Self::with(world, doc, given, doc.scope.clone(), 0)
    }

    fn with(
        world: &'w World<'w>,
        doc: &'w Doc,
        given: &BTreeMap<String, Value>,
        scope: Arc<str>,
        nesting: u32,
    ) -> Self {
        let mut template = Self {
            world,
            doc,
            scope,
            parameters: BTreeMap::new(),
            mappings: BTreeMap::new(),
            conditions: BTreeMap::new(),
            resources: BTreeMap::new(),
            budget: Cell::new(0),
            steps: Cell::new(STEPS),
            stores: Cell::new((0, STEPS)),
            totals: Cell::new((0, 0)),
            cut: RefCell::default(),
            wanted: RefCell::default(),
            macros: RefCell::default(),
            children: RefCell::default(),
            nesting,
        };
        template.budget.set(template.max_nodes());
        template.parameters = template
            .section_entries("Parameters")
            .map(|(name, node)| {
                let parameter = template.parameter(&name, node, given.get(&name));
                (name, parameter)
            })
            .collect();
        template.mappings = template.section_entries("Mappings").collect();
        template.conditions = template.section_entries("Conditions").collect();
        let mut resources = BTreeMap::new();
        if let Some(section) = doc.section("Resources") {
            template.entries(template.env(), section, &mut |env, key, _, node| {
                let own = env.is_bare(&doc.tree);
                if let Some(kind) = env
                    .tree
                    .get(node, "Type")
                    .and_then(|t| env.tree.text(t))
                    .and_then(Text::known)
                {
                    resources.insert(
                        key.display(),
                        DeclaredResource {
                            kind: kind.into_owned(),
                            node: own.then_some(node),
                        },
                    );
                }
            });
        }
        template.resources = resources;
        // What it took to find the names is not taken from what they say.
        let most = template.max_nodes();
        template.budget.set(most);
        template.stores.set((most, STEPS));
        template.totals.set((
            most.saturating_mul(MAX_RESERVES.into()),
            STEPS.saturating_mul(MAX_RESERVES),
        ));
        template
    }

    /// The outermost place of this template.
    pub(crate) fn env(&self) -> TemplateScope<'w> {
        TemplateScope::new(&self.doc.tree)
    }

    /// Entries of a section as they are written.
    fn section_entries(&self, section: &str) -> impl Iterator<Item = (String, NodeId)> + use<'_, 'w> {
        let tree = &self.doc.tree;
        self.doc
            .section(section)
            .into_iter()
            .flat_map(|node| tree.entries(node))
            .filter_map(|(k, v)| Some((tree.text(k)?.known()?.into_owned(), v)))
    }

    /// How many nodes may be made.
    fn max_nodes(&self) -> i64 {
        200_000 + 4 * self.doc.tree.node_count() as i64
    }

    /// All that may be made is made: what came later is left out or unknown.
    pub(crate) fn exhausted(&self) -> bool {
        self.budget.get() <= 0 || self.steps.get() == 0
    }

    /// Evaluates the entry of a section at `at` with an allowance of its own: what one uses up limits no other.
    pub(crate) fn with_allowance<T>(&self, at: Span, f: impl FnOnce() -> T) -> T {
        let (stores, totals) = (self.stores.get(), self.totals.get());
        let most = (
            RESERVE.max(stores.0 / 2).min(totals.0),
            RESERVED_STEPS.max(stores.1 / 2).min(totals.1),
        );
        let outer = (self.budget.replace(most.0), self.steps.replace(most.1));
        let result = f();
        if self.exhausted() {
            self.cut.borrow_mut().insert(at);
        }
        let used = (
            most.0 - self.budget.replace(outer.0).max(0),
            most.1 - self.steps.replace(outer.1),
        );
        self.stores.set((stores.0 - used.0, stores.1.saturating_sub(used.1)));
        self.totals.set((totals.0 - used.0, totals.1.saturating_sub(used.1)));
        result
    }

    /// Takes `n` nodes from what may still be made.
    pub(crate) fn spend_nodes(&self, n: usize) -> bool {
        let left = self.budget.get() - n as i64;
        self.budget.set(left);
        left > 0
    }

    /// Takes one look at a condition from those that may still be taken.
    pub(crate) fn spend_step(&self) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left > 0
    }

    /// The path that `rest`, written in `tree`, names.
    pub(crate) fn local_path(&self, tree: &Tree, rest: &str) -> Option<String> {
        let rest = rest.trim();
        let remote = rest.is_empty() || rest.contains("://") || rest.contains("${") || rest.starts_with('/');
        (!remote).then(|| join_path(parent_path(self.world.sources.path(tree.file)), rest))
    }

    pub(crate) fn request_file(&self, path: String) {
        self.wanted.borrow_mut().insert(path);
    }

    pub(crate) fn target(&self, address: &str, attribute: &str) -> HoleTarget {
        HoleTarget {
            scope: self.scope.clone(),
            address: address.into(),
            attribute: attribute.into(),
        }
    }

    /// The entries of a section that are maps: place, name, span of the name, node.
    /// Of those with one name the last one counts.
    pub(crate) fn each_entry(&self, section: &str, f: &mut dyn FnMut(TemplateScope<'_>, Text, Span, NodeId)) {
        if let Some(node) = self.doc.section(section) {
            let superseded = superseded(&self.doc.tree, node);
            self.entries(self.env(), node, &mut |env, key, header, node| {
                if !superseded.contains_key(&header) {
                    self.with_allowance(header, || f(env, key, header, node));
                }
            });
        }
    }

    /// Export names, as far as they are known, and values.
    pub(crate) fn exports(&self) -> Vec<Export> {
        let mut out = Vec::new();
        self.each_entry("Outputs", &mut |env, _, _, node| {
            let tree = env.tree;
            let name = tree.get(node, "Export").and_then(|e| tree.get(e, "Name"));
            let certain = name.and_then(|n| self.value(env.certain(), n)?.as_text().cloned());
            let name = name.and_then(|n| self.value(env, n)?.as_text().cloned());
            let value = tree.get(node, "Value").and_then(|v| self.value(env, v));
            if let (Some(name), Some(value)) = (name, value) {
                out.push(Export { name, certain, value });
            }
        });
        out
    }

    fn parameter(&self, name: &str, node: NodeId, given: Option<&Value>) -> Parameter {
        let tree: &Tree = &self.doc.tree;
        let scalar = |key: &str| tree.get(node, key).filter(|n| tree.text(*n).is_some());
        let kind = scalar("Type").and_then(|n| tree.text(n)?.known()).unwrap_or_default();
        let list = kind.contains("List<") || kind == "CommaDelimitedList";
        let stored = kind.starts_with("AWS::SSM::Parameter::Value");
        // CloudFormation takes only the name of something that exists: `AWS::EC2::VPC::Id`, `List<AWS::EC2::Subnet::Id>`.
        let checked = !stored && kind.trim_start_matches("List<").starts_with("AWS::");
        let span = tree.span(node);
        let unknown = |kind: HoleKind| {
            let hole = Hole::new(kind, name, span).to(self.target(name, ""));
            if list {
                Value::unknown(hole)
            } else {
                Value::text(Text::hole(hole), span)
            }
        };
        let open = unknown(match (stored, checked) {
            (true, _) => HoleKind::Dynamic,
            (_, true) => HoleKind::Existing,
            _ => HoleKind::Input,
        });
        if let Some(given) = given {
            let value = match given.as_text() {
                Some(text) if list => comma_list(text, given.span),
                _ => given.clone(),
            };
            return Parameter {
                certain: value.clone(),
                value,
                known: true,
                off: None,
                default: None,
            };
        }
        let default = scalar("Default").filter(|_| !stored);
        let off = default
            .and_then(|n| tree.text(n)?.known())
            .filter(|text| means_disabled(text))
            .map(|text| text.into_owned());
        let default = default.map(|n| tree.span(n));
        let only_allowed = || {
            let values = tree.get(node, "AllowedValues")?;
            let mut items = tree.children(values);
            let first = items.next()?;
            (items.next().is_none() && tree.kind(values) == NodeKind::Seq).then_some(first)
        };
        let written = scalar("Default")
            .or_else(only_allowed)
            .filter(|n| !stored && tree.text(*n).is_some_and(|t| !t.is_empty()) && tree.kind(*n) != NodeKind::Null)
            .filter(|n| !tree.text(*n).and_then(|t| t.known()).is_some_and(|t| is_stand_in(&t)));
        match written.and_then(|n| Some((tree.text(n)?, tree.span(n)))) {
            Some((text, at)) => Parameter {
                value: match list {
                    true => comma_list(text, at),
                    false => Value::text(with_brace_holes(text.clone()), at),
                },
                certain: open,
                known: true,
                off,
                default,
            },
            None => Parameter {
                value: open.clone(),
                certain: open,
                known: false,
                off,
                default: None,
            },
        }
    }

    /// The template of the nested stack `id`, evaluated with the parameters that this template passes to it; `None` where
    /// it is not a file of the repository or is being evaluated already.
    pub(crate) fn child(&self, id: &str) -> Option<Rc<Self>> {
        if self.nesting >= MAX_NESTING {
            return None;
        }
        if let Some(child) = self.children.borrow().get(id) {
            return child.clone();
        }
        let stack = self.resources.get(id)?;
        let index = self.world.nested(self.doc, stack.node?)?;
        // A reference to this very stack from its own parameters finds this entry.
        self.children.borrow_mut().insert(id.to_owned(), None);
        let passed = self.passed_parameters(stack.node?);
        let doc = &self.world.docs[index];
        let scope = self.world.scope_of(index, &passed);
        let child = Rc::new(Self::with(self.world, doc, &passed, scope, self.nesting + 1));
        self.children.borrow_mut().insert(id.to_owned(), Some(child.clone()));
        Some(child)
    }

    /// The parameters that the nested stack at `node` gets.
    pub(crate) fn passed_parameters(&self, node: NodeId) -> BTreeMap<String, Value> {
        let tree: &Tree = &self.doc.tree;
        tree.get(node, "Properties")
            .and_then(|p| tree.get(p, "Parameters"))
            .and_then(|p| self.value(self.env(), p))
            .and_then(|v| {
                Some(
                    v.entries()?
                        .iter()
                        .map(|e| (e.key.display(), e.value.clone()))
                        .collect(),
                )
            })
            .unwrap_or_default()
    }
}

/// `a, b` as a list; each item lies where it is written.
pub(crate) fn comma_list(text: &Text, span: Span) -> Value {
    let items = text
        .split(',')
        .into_iter()
        .map(|item| {
            let flat = item.with_placeholders().into_owned();
            let trimmed = flat.trim();
            let start = flat.len() - flat.trim_start().len();
            let item = item.slice(start..start + trimmed.len());
            let at = item.span_of(0..item.len()).unwrap_or(span);
            Value::text(item, at)
        })
        .collect();
    Value::new(V::Seq(items), span)
}
