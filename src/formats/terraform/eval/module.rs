//! Module instances: a directory with the arguments of one call, and everything that is evaluated in it, once.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::source::{Hole, HoleKind, Span, Text, join_path, relative_path};
use crate::value::guard::combined;
use crate::value::{Guard, MapEntry, Value};

use crate::formats::terraform::eval::accounts::ProviderAccounts;
use crate::formats::terraform::eval::attributes::outside_hole_kind;
use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator, View};
use crate::formats::terraform::eval::instances::{ConditionalExpansion, InstanceCount};
use crate::formats::terraform::eval::left_out::Reliance;
use crate::formats::terraform::eval::registry_modules;
use crate::formats::terraform::eval::unset::{is_example, is_unset};
use crate::formats::terraform::eval::{to_string, types};
use crate::formats::terraform::parse::directory::{Decl, Directory, HclExpr, RootVariables};

/// Deepest nesting of module calls.
const MAX_MODULES_DEEP: usize = 24;
/// How many module instances one root may have.
const MAX_MODULES: usize = 20_000;

/// A directory seen from one call.
pub(crate) struct TerraformModule<'a> {
    pub(crate) directory: &'a Directory<'a>,
    pub(crate) scope: Arc<str>,
    /// Addresses of the calls that lead here, from the root.
    pub(crate) path: Vec<String>,
    /// Directories of the modules that lead here, from the root.
    above: Vec<&'a str>,
    /// Of a root module, the values that a file for `-var-file` gives.
    pub(crate) chosen: RootVariables<'a>,
    /// The call's arguments and where they are evaluated; `None` for a root module.
    pub(crate) arguments: Option<(BTreeMap<&'a str, HclExpr<'a>>, EvalScope<'a>)>,
    /// When there is one.
    when: Option<Guard>,
    /// The accounts of the providers that a call hands in.
    pub(crate) handed: ProviderAccounts,
    pub(crate) accounts: OnceCell<ProviderAccounts>,
    /// They are being read, or were.
    pub(crate) reads_accounts: Cell<bool>,
    memo: RefCell<HashMap<(ValueSlot, View), EvaluationMemo>>,
    pub(crate) expansions: RefCell<HashMap<String, Rc<ConditionalExpansion>>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum ValueSlot {
    Variable(String),
    Local(String),
    Output(String),
    /// Address and attribute of a resource.
    Attribute(String, String),
}

enum EvaluationMemo {
    Running,
    Done {
        value: Value,
        reliance: Reliance,
        failed: bool,
    },
}

impl<'a> TerraformModule<'a> {
    pub(crate) fn root(directory: &'a Directory<'a>, scope: Arc<str>, chosen: RootVariables<'a>) -> Rc<Self> {
        Rc::new(Self {
            directory,
            scope,
            path: Vec::new(),
            above: Vec::new(),
            chosen,
            arguments: None,
            when: None,
            handed: ProviderAccounts::new(),
            accounts: OnceCell::new(),
            reads_accounts: Cell::new(false),
            memo: RefCell::default(),
            expansions: RefCell::default(),
        })
    }

    pub(crate) fn env(self: &Rc<Self>) -> EvalScope<'a> {
        EvalScope {
            module: self.clone(),
            frame: None,
            view: View::default(),
        }
    }

    /// A value where the module is there, and what is made under this condition in it.
    pub(crate) fn decide_in_module(&self, value: Value, branch: Option<&Guard>) -> Value {
        let when = branch.map(|branch| combined(self.when.as_ref(), branch));
        let when = when.as_ref().or(self.when.as_ref());
        when.and_then(|when| value.decide(when)).unwrap_or(value)
    }

    /// When there is what is made under this condition in the module, as far as it is said: a call that has to be asked for
    /// is a condition of all that it makes.
    pub(crate) fn existence_guard(&self, branch: Option<&Guard>) -> Option<Guard> {
        let asked = self.when.as_ref().filter(|when| when.is_opt_in());
        branch.map(|branch| combined(asked, branch)).or_else(|| asked.cloned())
    }

    /// `path.module`: from the root module's directory.
    pub(crate) fn relative_path(&self, root: &str) -> String {
        let path = relative_path(root, &self.directory.path);
        if path.is_empty() { ".".to_owned() } else { path }
    }
}

impl<'a> TerraformEvaluator<'a> {
    /// The value of `slot`, made once; `span` is where it is read, `at` where it is written.
    pub(crate) fn memoized_value(
        &self,
        module: &Rc<TerraformModule<'a>>,
        slot: ValueSlot,
        view: View,
        name: &str,
        (span, at): (Span, Span),
        make: impl FnOnce() -> Value,
    ) -> Value {
        let key = (slot, view);
        match module.memo.borrow().get(&key) {
            Some(EvaluationMemo::Running) => return Value::unknown(Hole::new(HoleKind::Other, name, span)),
            Some(EvaluationMemo::Done {
                value,
                reliance,
                failed,
            }) => {
                self.reliance.set(self.reliance.get().and(*reliance));
                self.failed.set(self.failed.get() | failed);
                return value.clone();
            }
            None => {}
        }
        module.memo.borrow_mut().insert(key.clone(), EvaluationMemo::Running);
        let outer = (self.reliance.take(), self.failed.replace(false));
        let value = self
            .with_allowance(at, || self.descend(make))
            .unwrap_or_else(|| Value::unknown(Hole::new(HoleKind::Other, name, span)));
        let (reliance, failed) = (self.reliance.get(), self.failed.get());
        self.reliance.set(outer.0.and(reliance));
        self.failed.set(outer.1 | failed);
        let done = EvaluationMemo::Done {
            value: value.clone(),
            reliance,
            failed,
        };
        module.memo.borrow_mut().insert(key, done);
        value
    }

    pub(crate) fn variable(&self, module: &Rc<TerraformModule<'a>>, name: &str, view: View, span: Span) -> Value {
        let shown = format!("var.{name}");
        let decl = module.directory.variables.get(name);
        let at = decl.map_or(span, |d| d.block().span);
        self.memoized_value(
            module,
            ValueSlot::Variable(name.to_owned()),
            view,
            &shown,
            (span, at),
            || {
                let given = match &module.arguments {
                    Some((arguments, env)) => arguments.get(name).map(|e| self.expr(*e, &env.with_view(view))),
                    None => {
                        let value = module.chosen.get(name).or_else(|| module.directory.values.get(name));
                        value.map(|e| self.expr(*e, &module.env()))
                    }
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
                            let value = self.expr(default, &module.env());
                            let is_root = module.arguments.is_none();
                            let unset = || view.given && is_unset(module.directory, name, &value);
                            if is_root {
                                self.note_default(name, Some(&value));
                            }
                            if view.open || is_root && (unset() || is_example(&value) || self.is_switched(view, name)) {
                                let at = decl.map_or(span, |d| d.block().header);
                                return Value::unknown(Hole::new(HoleKind::Input, shown.as_str(), at));
                            }
                            value
                        }
                        None => {
                            let at = decl.map_or(span, |d| d.block().header);
                            let unknown = Value::unknown(Hole::new(HoleKind::Input, shown.as_str(), at));
                            let wanted = decl.and_then(|d| d.expr("type"));
                            let object = wanted
                                .filter(|_| !view.given)
                                .and_then(|w| types::required_object(self, w.tree, w.node, &shown, at, &module.env()));
                            if object.is_some() {
                                self.note_default(name, None);
                            }
                            return object.unwrap_or(unknown);
                        }
                    },
                };
                match decl.and_then(|d| d.expr("type")) {
                    Some(wanted) => types::convert(self, value, wanted.tree, wanted.node, &module.env()),
                    None => value,
                }
            },
        )
    }

    pub(crate) fn local_value(&self, module: &Rc<TerraformModule<'a>>, name: &str, view: View, span: Span) -> Value {
        let shown = format!("local.{name}");
        let written = module.directory.locals.get(name);
        let at = written.map_or(span, |(attribute, _)| attribute.span);
        let slot = ValueSlot::Local(name.to_owned());
        self.memoized_value(module, slot, view, &shown, (span, at), || match written {
            Some((_, expr)) => self.expr(*expr, &module.env().with_view(view)),
            None => Value::unknown(Hole::new(HoleKind::Other, shown.as_str(), span)),
        })
    }

    pub(crate) fn output(&self, module: &Rc<TerraformModule<'a>>, name: &str, view: View, span: Span) -> Value {
        let slot = ValueSlot::Output(name.to_owned());
        let decl = module.directory.outputs.get(name);
        let at = decl.map_or(span, |d| d.block().span);
        self.memoized_value(module, slot, view, name, (span, at), || {
            match decl.and_then(|d| d.expr("value")) {
                Some(expr) => self.expr(expr, &module.env().with_view(view)),
                None => self.unsupported(name, span),
            }
        })
    }

    /// `module.name.output`.
    pub(crate) fn module_output(
        &self,
        caller: &Rc<TerraformModule<'a>>,
        name: &str,
        key: Option<&Value>,
        output: &str,
        view: View,
        span: Span,
    ) -> Value {
        let shown = |kind| Value::unknown(Hole::new(kind, self.name(span), span));
        let Some(decl) = caller.directory.modules.get(name) else {
            return shown(HoleKind::Other);
        };
        let instances = self.calls(caller, name, decl);
        let wanted = key
            .and_then(to_string::to_text)
            .and_then(|t| t.known().map(|k| k.into_owned()));
        let called = instances.iter().find(|(k, _)| match (k, &wanted) {
            (Some(k), Some(w)) => k.trim_matches('"') == w,
            _ => true,
        });
        match called {
            Some((_, module)) => self.output(module, output, view, span),
            None => registry_modules::output(caller, name, decl, output, span)
                .unwrap_or_else(|| shown(outside_hole_kind(output))),
        }
    }

    /// `module.name` without an output: an object of all outputs, or a list of such.
    pub(crate) fn module_object(&self, caller: &Rc<TerraformModule<'a>>, name: &str, view: View, span: Span) -> Value {
        let Some(decl) = caller.directory.modules.get(name) else {
            return self.unknown(HoleKind::Other, span);
        };
        let object = |module: &Rc<TerraformModule<'a>>| {
            let entries = module.directory.outputs.iter().map(|(output, d)| MapEntry {
                key: Text::synthetic(output, d.block().header),
                key_span: d.block().header,
                value: self.output(module, output, view, span),
            });
            Value::map(entries.collect(), span)
        };
        let calls = self.calls(caller, name, decl);
        let expanded = self.expansion(caller, &format!("module.{name}"), decl);
        match (calls.as_slice(), &expanded.shape) {
            ([], _) => self.unknown(HoleKind::Other, span),
            ([(_, only)], InstanceCount::One) => object(only),
            (_, InstanceCount::Count(n)) => {
                let all = calls.iter().cycle().take(*n).map(|(_, m)| object(m));
                Value::seq(all.collect(), span)
            }
            (_, InstanceCount::Each(keys)) => {
                let entries = keys
                    .iter()
                    .zip(calls.iter().cycle())
                    .map(|((key, value), (_, m))| MapEntry {
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
    pub(crate) fn calls(
        &self,
        caller: &Rc<TerraformModule<'a>>,
        name: &str,
        decl: &Decl<'a>,
    ) -> Vec<(Option<String>, Rc<TerraformModule<'a>>)> {
        let Some(directory) = self.called_directory(caller, decl) else {
            return Vec::new();
        };
        let mut above = caller.above.clone();
        above.push(&caller.directory.path);
        if above.contains(&&*directory.path) {
            // Terraform refuses modules that call themselves.
            return Vec::new();
        }
        let address = format!("module.{name}");
        let branch = self.expansion(caller, &address, decl).branch.clone();
        let when = branch.map(|branch| combined(caller.when.as_ref(), &branch));
        let when = when.or_else(|| caller.when.clone());
        let mut out = Vec::new();
        for instance in self.instances(caller, &address, decl) {
            let step = match &instance.key {
                Some(key) => format!("{address}[{key}]"),
                None => address.clone(),
            };
            let mut path = caller.path.clone();
            path.push(step);
            let root = caller.scope.split('#').next().unwrap_or_default();
            let scope: Arc<str> = format!("{root}#{}", path.join(".")).into();
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
                    let expr = HclExpr {
                        tree: part.tree,
                        node: a.value,
                    };
                    arguments.insert(&*a.name, expr);
                }
            }
            for meta in ["source", "version", "count", "for_each", "providers", "depends_on"] {
                arguments.remove(meta);
            }
            let module = Rc::new(TerraformModule {
                directory,
                scope: scope.clone(),
                path,
                above: above.clone(),
                chosen: RootVariables::new(),
                arguments: Some((arguments, instance.env)),
                when: when.clone(),
                handed: self.handed(caller, decl),
                accounts: OnceCell::new(),
                reads_accounts: Cell::new(false),
                memo: RefCell::default(),
                expansions: RefCell::default(),
            });
            self.modules.borrow_mut().insert(scope, module.clone());
            out.push((instance.key, module));
        }
        out
    }

    /// The directory that a module call's `source` names, when it is local.
    pub(crate) fn called_directory(
        &self,
        caller: &Rc<TerraformModule<'a>>,
        decl: &Decl<'a>,
    ) -> Option<&'a Directory<'a>> {
        let source = crate::formats::terraform::parse::directory::source_of(decl)?;
        let path = join_path(&caller.directory.path, &source);
        let found = self.repository.directories.get(path.as_str());
        if found.is_none() {
            self.wanted.borrow_mut().insert(format!("{path}/"));
        }
        found
    }
}
