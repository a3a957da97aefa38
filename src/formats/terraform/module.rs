//! Module instances: a directory with the arguments of one call, and everything that is evaluated in it, once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::source::{Hole, HoleKind, Span, Target, Text, join_path};
use crate::syntax::hcl::Body;
use crate::syntax::{Kind as Node, Tree};
use crate::value::{Entry, Kind, Value};

use super::directory::{Decl, Directory, Expr};
use super::eval::{Env, Evaluator, both_labels, is_spread, pairs};
use super::{policy_document, registry, texts, types};

/// Deepest nesting of module calls.
const MAX_MODULES_DEEP: usize = 24;
/// How many module instances one root may have.
const MAX_MODULES: usize = 20_000;
/// How many instances of one resource or module are told apart.
const MAX_INSTANCES: usize = 500;

/// A directory seen from one call.
pub(super) struct Module<'a> {
    pub(super) directory: &'a Directory<'a>,
    pub(super) scope: Arc<str>,
    /// Addresses of the calls that lead here, from the root.
    pub(super) path: Vec<String>,
    /// The call's arguments and where they are evaluated; `None` for a root module.
    arguments: Option<(BTreeMap<&'a str, Expr<'a>>, Env<'a>)>,
    memo: RefCell<HashMap<(Slot, bool), Memo>>,
    expansions: RefCell<HashMap<String, Rc<Expanded>>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Slot {
    Variable(String),
    Local(String),
    Output(String),
    /// Address and attribute of a resource.
    Attribute(String, String),
}

enum Memo {
    Running,
    Done { value: Value, tainted: bool, failed: bool },
}

/// How many instances a block makes.
pub(super) enum Expansion {
    One,
    Count(usize),
    /// Keys and values, in order.
    Each(Vec<(Text, Value)>),
    /// `count` or `for_each` is not known.
    Unknown,
}

/// [`Expansion`], and under which condition there are any.
pub(super) struct Expanded {
    pub(super) shape: Expansion,
    pub(super) branch: Option<Arc<str>>,
    /// Certainly no instance.
    pub(super) none: bool,
    /// Instances differ: the block says `each.` or `count.` somewhere.
    pub(super) varies: bool,
}

impl Expanded {
    fn new(shape: Expansion, branch: Option<Arc<str>>) -> Self {
        let none = match &shape {
            Expansion::Count(n) => *n == 0,
            Expansion::Each(keys) => keys.is_empty(),
            _ => false,
        };
        Self {
            shape,
            branch,
            none,
            varies: false,
        }
    }
}

/// Reads the value of `count` or `for_each`, under a condition.
type Expand<'a> = fn(&Evaluator<'a>, &Value, Option<Arc<str>>) -> Expanded;

/// One instance of a block.
pub(super) struct Instance<'a> {
    /// As in an address: `0`, `"key"`; `None` where instances are not told apart.
    pub(super) key: Option<String>,
    pub(super) env: Env<'a>,
}

impl<'a> Module<'a> {
    pub(super) fn root(directory: &'a Directory<'a>) -> Rc<Self> {
        Rc::new(Self {
            directory,
            scope: directory.path.as_str().into(),
            path: Vec::new(),
            arguments: None,
            memo: RefCell::default(),
            expansions: RefCell::default(),
        })
    }

    pub(super) fn env(self: &Rc<Self>) -> Env<'a> {
        Env {
            module: self.clone(),
            frame: None,
            link: false,
        }
    }

    /// `path.module`: from the root module's directory.
    pub(super) fn relative_path(&self, root: &str) -> String {
        let mut here: Vec<&str> = self.directory.path.split('/').filter(|p| !p.is_empty()).collect();
        let root: Vec<&str> = root.split('/').filter(|p| !p.is_empty()).collect();
        let common = here.iter().zip(&root).take_while(|(a, b)| a == b).count();
        let mut parts = vec![".."; root.len() - common];
        parts.extend(here.drain(common..));
        if parts.is_empty() {
            ".".to_owned()
        } else {
            parts.join("/")
        }
    }
}

impl<'a> Evaluator<'a> {
    fn remember(
        &self,
        module: &Rc<Module<'a>>,
        slot: Slot,
        link: bool,
        name: &str,
        span: Span,
        make: impl FnOnce() -> Value,
    ) -> Value {
        let key = (slot, link);
        match module.memo.borrow().get(&key) {
            Some(Memo::Running) => return Value::unknown(Hole::new(HoleKind::Other, name, span)),
            Some(Memo::Done { value, tainted, failed }) => {
                self.tainted.set(self.tainted.get() | tainted);
                self.failed.set(self.failed.get() | failed);
                return value.clone();
            }
            None => {}
        }
        module.memo.borrow_mut().insert(key.clone(), Memo::Running);
        let outer = (self.tainted.replace(false), self.failed.replace(false));
        let value = self
            .deeper(make)
            .unwrap_or_else(|| Value::unknown(Hole::new(HoleKind::Other, name, span)));
        let (tainted, failed) = (self.tainted.get(), self.failed.get());
        self.tainted.set(outer.0 | tainted);
        self.failed.set(outer.1 | failed);
        let done = Memo::Done {
            value: value.clone(),
            tainted,
            failed,
        };
        module.memo.borrow_mut().insert(key, done);
        value
    }

    pub(super) fn variable(&self, module: &Rc<Module<'a>>, name: &str, link: bool, span: Span) -> Value {
        let shown = format!("var.{name}");
        self.remember(module, Slot::Variable(name.to_owned()), link, &shown, span, || {
            let decl = module.directory.variables.get(name);
            let given = match &module.arguments {
                Some((arguments, env)) => arguments.get(name).map(|e| self.expr(*e, &env.linking(link))),
                None => module.directory.values.get(name).map(|e| self.expr(*e, &module.env())),
            };
            let nullable = || {
                let nullable = decl.and_then(|d| d.expr("nullable"));
                nullable.is_none_or(|e| self.expr(e, &module.env()).as_bool() != Some(false))
            };
            let given = given.filter(|v| !v.is_null() || nullable());
            let value = match given {
                Some(value) => value,
                None => match decl.and_then(|d| d.expr("default")) {
                    Some(default) => {
                        if module.arguments.is_none() {
                            self.tainted.set(true);
                        }
                        self.expr(default, &module.env())
                    }
                    None => {
                        let at = decl.map_or(span, |d| d.block().header);
                        return Value::unknown(Hole::new(HoleKind::Input, shown.as_str(), at));
                    }
                },
            };
            match decl.and_then(|d| d.expr("type")) {
                Some(wanted) => types::convert(self, value, wanted.tree, wanted.node, &module.env()),
                None => value,
            }
        })
    }

    pub(super) fn local(&self, module: &Rc<Module<'a>>, name: &str, link: bool, span: Span) -> Value {
        let shown = format!("local.{name}");
        self.remember(
            module,
            Slot::Local(name.to_owned()),
            link,
            &shown,
            span,
            || match module.directory.locals.get(name) {
                Some((_, expr)) => self.expr(*expr, &module.env().linking(link)),
                None => Value::unknown(Hole::new(HoleKind::Other, shown.as_str(), span)),
            },
        )
    }

    pub(super) fn output(&self, module: &Rc<Module<'a>>, name: &str, link: bool, span: Span) -> Value {
        let slot = Slot::Output(name.to_owned());
        self.remember(module, slot, link, name, span, || {
            match module.directory.outputs.get(name).and_then(|d| d.expr("value")) {
                Some(expr) => self.expr(expr, &module.env().linking(link)),
                None => self.fail(name, span),
            }
        })
    }

    /// `module.name.output`.
    pub(super) fn module_output(
        &self,
        caller: &Rc<Module<'a>>,
        name: &str,
        key: Option<&Value>,
        output: &str,
        link: bool,
        span: Span,
    ) -> Value {
        let shown = |kind| Value::unknown(Hole::new(kind, self.name(span), span));
        let Some(decl) = caller.directory.modules.get(name) else {
            return shown(HoleKind::Other);
        };
        let instances = self.calls(caller, name, decl);
        let wanted = key
            .and_then(texts::to_text)
            .and_then(|t| t.known().map(|k| k.into_owned()));
        let called = instances.iter().find(|(k, _)| match (k, &wanted) {
            (Some(k), Some(w)) => k.trim_matches('"') == w,
            _ => true,
        });
        match called {
            Some((_, module)) => self.output(module, output, link, span),
            None => registry::output(caller, name, decl, output, span).unwrap_or_else(|| shown(outside(output))),
        }
    }

    /// `module.name` without an output: an object of all outputs, or a list of such.
    pub(super) fn module_object(&self, caller: &Rc<Module<'a>>, name: &str, link: bool, span: Span) -> Value {
        let Some(decl) = caller.directory.modules.get(name) else {
            return self.unknown(HoleKind::Other, span);
        };
        let object = |module: &Rc<Module<'a>>| {
            let entries = module.directory.outputs.iter().map(|(output, d)| Entry {
                key: Text::made(output, d.block().header),
                key_span: d.block().header,
                value: self.output(module, output, link, span),
            });
            Value::map(entries.collect(), span)
        };
        let calls = self.calls(caller, name, decl);
        let expanded = self.expansion(caller, &format!("module.{name}"), decl);
        match (calls.as_slice(), &expanded.shape) {
            ([], _) => self.unknown(HoleKind::Other, span),
            ([(_, only)], Expansion::One) => object(only),
            (_, Expansion::Count(n)) => {
                let all = calls.iter().cycle().take(*n).map(|(_, m)| object(m));
                Value::seq(all.collect(), span)
            }
            (_, Expansion::Each(keys)) => {
                let entries = keys
                    .iter()
                    .zip(calls.iter().cycle())
                    .map(|((key, value), (_, m))| Entry {
                        key: key.clone(),
                        key_span: value.span,
                        value: object(m),
                    });
                Value::map(entries.collect(), span)
            }
            _ => self.unknown(HoleKind::Other, span),
        }
    }

    /// The instances of a local module call; empty where it is not local, or too deep.
    pub(super) fn calls(
        &self,
        caller: &Rc<Module<'a>>,
        name: &str,
        decl: &Decl<'a>,
    ) -> Vec<(Option<String>, Rc<Module<'a>>)> {
        let Some(directory) = self.called_directory(caller, decl) else {
            return Vec::new();
        };
        let address = format!("module.{name}");
        let mut out = Vec::new();
        for instance in self.instances(caller, &address, decl) {
            let step = match &instance.key {
                Some(key) => format!("{address}[{key}]"),
                None => address.clone(),
            };
            let mut path = caller.path.clone();
            path.push(step);
            let scope: Arc<str> = format!("{}#{}", self.root, path.join(".")).into();
            if let Some(module) = self.modules.borrow().get(&scope) {
                out.push((instance.key, module.clone()));
                continue;
            }
            if path.len() > MAX_MODULES_DEEP || self.modules.borrow().len() >= MAX_MODULES {
                continue;
            }
            let mut arguments = BTreeMap::new();
            for part in &decl.parts {
                for a in &part.block.body.attributes {
                    let expr = Expr {
                        tree: part.tree,
                        node: a.value,
                    };
                    arguments.insert(&*a.name, expr);
                }
            }
            for meta in ["source", "version", "count", "for_each", "providers", "depends_on"] {
                arguments.remove(meta);
            }
            let module = Rc::new(Module {
                directory,
                scope: scope.clone(),
                path,
                arguments: Some((arguments, instance.env)),
                memo: RefCell::default(),
                expansions: RefCell::default(),
            });
            self.modules.borrow_mut().insert(scope, module.clone());
            out.push((instance.key, module));
        }
        out
    }

    /// The directory that a module call's `source` names, when it is local.
    fn called_directory(&self, caller: &Rc<Module<'a>>, decl: &Decl<'a>) -> Option<&'a Directory<'a>> {
        let source = super::source_of(decl)?;
        let path = join_path(&caller.directory.path, &source);
        let found = self.repository.directories.get(path.as_str());
        if found.is_none() {
            self.wanted.borrow_mut().insert(format!("{path}/"));
        }
        found
    }

    /// How many instances `count` or `for_each` makes.
    pub(super) fn expansion(&self, module: &Rc<Module<'a>>, address: &str, decl: &Decl<'a>) -> Rc<Expanded> {
        if let Some(done) = module.expansions.borrow().get(address) {
            return done.clone();
        }
        let outer = self.failed.get();
        // While it is being evaluated it is one of unknown many.
        let running = Rc::new(Expanded::new(Expansion::Unknown, None));
        module.expansions.borrow_mut().insert(address.to_owned(), running);
        let tainted = self.tainted.replace(false);
        let mut expanded = if let Some(count) = decl.expr("count") {
            let value = self.expr(count, &module.env());
            self.counted(&value, None)
        } else if let Some(for_each) = decl.expr("for_each") {
            let value = self.expr(for_each, &module.env());
            self.each_of(&value, None)
        } else {
            Expanded::new(Expansion::One, None)
        };
        if expanded.none && self.tainted.get() {
            // Nothing by default, and the module's user may want otherwise.
            expanded = if decl.expr("count").is_some() {
                Expanded::new(Expansion::Count(1), Some("if `count` is not 0".into()))
            } else {
                Expanded::new(Expansion::Unknown, Some("if `for_each` is not empty".into()))
            };
        }
        expanded.varies = varies(decl);
        self.tainted.set(tainted | self.tainted.get());
        self.failed.set(outer);
        let expanded = Rc::new(expanded);
        module
            .expansions
            .borrow_mut()
            .insert(address.to_owned(), expanded.clone());
        expanded
    }

    fn counted(&self, value: &Value, branch: Option<Arc<str>>) -> Expanded {
        if matches!(value.kind, Kind::OneOf(_)) {
            return self.first_branch(value, branch, Self::counted);
        }
        let shape = match value.as_number() {
            Some(n) if n < 0.5 => Expansion::Count(0),
            Some(n) if n <= MAX_INSTANCES as f64 => Expansion::Count(n as usize),
            _ => Expansion::Unknown,
        };
        Expanded::new(shape, branch)
    }

    fn each_of(&self, value: &Value, branch: Option<Arc<str>>) -> Expanded {
        let is_set = matches!(value.kind, Kind::Seq(_));
        let known = match &value.kind {
            Kind::OneOf(_) => return self.first_branch(value, branch, Self::each_of),
            Kind::Seq(items) if items.iter().any(is_spread) => None,
            Kind::Seq(_) | Kind::Map(_) | Kind::Null => pairs(value),
            _ => None,
        };
        let shape = match known {
            Some(items) if items.len() <= MAX_INSTANCES => {
                let keyed = items.into_iter().map(|(k, v)| {
                    let key = texts::to_text(if is_set { &v } else { &k });
                    (key.unwrap_or_default(), v)
                });
                Expansion::Each(keyed.collect())
            }
            _ => Expansion::Unknown,
        };
        Expanded::new(shape, branch)
    }

    /// Of alternatives, the first that makes an instance.
    fn first_branch(&self, value: &Value, branch: Option<Arc<str>>, f: Expand<'a>) -> Expanded {
        let Kind::OneOf(branches) = &value.kind else {
            return f(self, value, branch);
        };
        let mut none = None;
        for b in branches.iter() {
            let label = both_labels(branch.as_deref().unwrap_or(""), &b.label);
            let inner = super::eval::inherit(&b.value, &value.via);
            let expanded = f(self, &inner, Some(label.into()));
            if !expanded.none {
                return expanded;
            }
            none = Some(expanded);
        }
        none.unwrap_or_else(|| Expanded::new(Expansion::Unknown, branch))
    }

    /// The instances of a block that need to be told apart, each with its `each` or `count`.
    pub(super) fn instances(&self, module: &Rc<Module<'a>>, address: &str, decl: &Decl<'a>) -> Vec<Instance<'a>> {
        let expanded = self.expansion(module, address, decl);
        let count = match &expanded.shape {
            _ if expanded.none => 0,
            Expansion::Count(n) if expanded.varies => *n,
            Expansion::Each(keys) if expanded.varies => keys.len(),
            _ => 1,
        };
        (0..count).map(|i| self.instance(module, decl, &expanded, i)).collect()
    }

    /// The `i`-th instance of a block that has as many.
    fn instance(&self, module: &Rc<Module<'a>>, decl: &Decl<'a>, expanded: &Expanded, i: usize) -> Instance<'a> {
        let env = module.env();
        let at = decl.block().header;
        match &expanded.shape {
            Expansion::Count(_) if expanded.varies => {
                let index = Value::new(Kind::Num(i.to_string().into()), at);
                Instance {
                    key: Some(i.to_string()),
                    env: self.instance_env(&env, decl, "count", &[("index", index)]),
                }
            }
            Expansion::Each(keys) if expanded.varies => {
                let (key, value) = &keys[i];
                let each = [("key", Value::text(key.clone(), value.span)), ("value", value.clone())];
                Instance {
                    key: Some(format!("{:?}", key.display())),
                    env: self.instance_env(&env, decl, "each", &each),
                }
            }
            Expansion::Unknown => {
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

    fn instance_env(&self, env: &Env<'a>, decl: &Decl<'a>, name: &str, values: &[(&str, Value)]) -> Env<'a> {
        let at = decl.block().header;
        let entries = values.iter().map(|(key, value)| Entry {
            key: Text::made(key, at),
            key_span: at,
            value: value.clone(),
        });
        env.with(name, Value::map(entries.collect(), at), true)
    }

    /// The instance of `decl` that an address with a key names.
    fn instance_of(
        &self,
        module: &Rc<Module<'a>>,
        base: &str,
        decl: &Decl<'a>,
        key: Option<&str>,
    ) -> Option<Instance<'a>> {
        let expanded = self.expansion(module, base, decl);
        if expanded.none {
            return None;
        }
        let i = match (&expanded.shape, key) {
            (Expansion::Count(n), Some(key)) if expanded.varies => key.parse().ok().filter(|i| i < n)?,
            (Expansion::Each(keys), Some(key)) if expanded.varies => {
                keys.iter().position(|(k, _)| format!("{:?}", k.display()) == key)?
            }
            _ => 0,
        };
        Some(self.instance(module, decl, &expanded, i))
    }

    /// `resource.name`: an argument's value, or a hole that names the resource.
    pub(super) fn resource_attribute(&self, target: &Target, name: &str, link: bool, span: Span) -> Value {
        let wanted = Target {
            attribute: name.into(),
            ..target.clone()
        };
        let shown = format!("{}.{name}", target.address);
        let hole = |kind: HoleKind| Value::unknown(Hole::new(kind, shown.as_str(), span));
        let reference = || Value::unknown(Hole::new(HoleKind::Resource, shown.as_str(), span).to(wanted.clone()));
        let Some(module) = self.modules.borrow().get(&target.scope).cloned() else {
            return hole(HoleKind::Other);
        };
        let (base, key) = split_key(&target.address);
        let Some(decl) = module.directory.resource(base) else {
            return hole(HoleKind::Other);
        };
        let kind = decl.block().label(0);
        let argument = || {
            let slot = Slot::Attribute(target.address.to_string(), name.to_owned());
            self.remember(&module, slot, link, &shown, span, || {
                let instance = self.instance_of(&module, base, decl, key);
                match (instance, decl.expr(name)) {
                    (Some(instance), Some(expr)) => self.expr(expr, &instance.env.linking(link)),
                    _ => reference(),
                }
            })
        };
        let has = decl.expr(name).is_some();
        if !base.starts_with("data.") {
            return if has && !(link && names_resource(name)) {
                argument()
            } else {
                reference()
            };
        }
        match (kind, name) {
            ("aws_iam_policy_document", "json" | "minified_json") => {
                let slot = Slot::Attribute(target.address.to_string(), "json".to_owned());
                self.remember(&module, slot, false, &shown, span, || {
                    match self.instance_of(&module, base, decl, key) {
                        Some(instance) => policy_document::document(self, decl, &instance.env),
                        None => hole(HoleKind::Other),
                    }
                })
            }
            ("aws_caller_identity", "account_id" | "id") => hole(HoleKind::Account),
            ("terraform_remote_state", "outputs") => hole(HoleKind::Outside),
            ("aws_partition", "partition" | "id") => hole(HoleKind::Partition),
            ("aws_partition", "dns_suffix") => hole(HoleKind::UrlSuffix),
            ("aws_region", "name" | "id" | "region") if !has => hole(HoleKind::Region),
            ("aws_iam_policy", "arn" | "id") => match decl.expr("arn") {
                Some(_) if name == "arn" => argument(),
                _ => reference(),
            },
            ("aws_service_principal", "name") => {
                let service = self
                    .instance_of(&module, base, decl, key)
                    .and_then(|i| Some(self.expr(decl.expr("service_name")?, &i.env)));
                match service.as_ref().and_then(texts::to_text) {
                    Some(service) => {
                        let suffix = Text::made(".amazonaws.com", span);
                        Value::text(texts::concat(&[service, suffix], span), span)
                    }
                    None => hole(HoleKind::Other),
                }
            }
            ("template_file", "rendered") => match self.instance_of(&module, base, decl, key) {
                Some(i) => super::functions::files::template_file(self, decl, &i.env, span),
                None => hole(HoleKind::Other),
            },
            ("local_file", "content") => match self.instance_of(&module, base, decl, key) {
                Some(i) => match decl.expr("filename") {
                    Some(path) => super::functions::files::file(self, &self.expr(path, &i.env), span),
                    None => hole(HoleKind::Other),
                },
                None => hole(HoleKind::Other),
            },
            _ if has => argument(),
            (kind, _) if kind.starts_with("aws_") && names_thing(name) => hole(HoleKind::Existing),
            (kind, _) if is_secret(kind) => hole(HoleKind::Dynamic),
            _ => hole(HoleKind::Lookup),
        }
    }
}

/// Data sources whose values come out of a store of secrets or parameters.
fn is_secret(kind: &str) -> bool {
    ["secret", "aws_ssm_parameter", "aws_kms_", "vault_", "random_password"]
        .iter()
        .any(|part| kind.contains(part))
}

/// What an output of a module or stack is that is not in this repository.
pub(super) fn outside(output: &str) -> HoleKind {
    if names_thing(output) {
        HoleKind::Existing
    } else {
        HoleKind::Outside
    }
}

/// Attributes and outputs that hold the name or ARN of a thing, or of several: `arn`, `queue_arn`, `subnet_ids`.
fn names_thing(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or(name);
    matches!(last, "arn" | "arns" | "id" | "ids" | "name" | "names") || names_resource(name)
}

/// Attributes that say which resource is meant, rather than something about it.
fn names_resource(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "id"
            | "arn"
            | "bucket"
            | "function_name"
            | "key_id"
            | "user"
            | "role"
            | "group"
            | "url"
            | "repository"
    )
}

/// `aws_iam_role.r["key"]` as its base and the key.
fn split_key(address: &str) -> (&str, Option<&str>) {
    match address.split_once('[') {
        Some((base, key)) => (base, key.strip_suffix(']')),
        None => (address, None),
    }
}

/// Whether the instances of a block differ: it says `each.` or `count.` somewhere.
fn varies(decl: &Decl<'_>) -> bool {
    fn in_body(tree: &Tree, body: &Body) -> bool {
        body.attributes
            .iter()
            .any(|a| !matches!(&*a.name, "count" | "for_each") && mentions(tree, a.value))
            || body.blocks.iter().any(|b| in_body(tree, &b.body))
    }
    decl.parts.iter().any(|p| in_body(p.tree, &p.block.body))
}

fn mentions(tree: &Tree, node: crate::syntax::NodeId) -> bool {
    let mut stack = vec![node];
    while let Some(n) = stack.pop() {
        if tree.kind(n) == Node::Ident && matches!(tree.name(n), "each" | "count") {
            return true;
        }
        stack.extend(tree.children(n));
    }
    false
}
