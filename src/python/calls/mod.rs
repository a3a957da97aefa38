//! What Python code calls of AWS: which operations, where, with which actions and resources, and what runs from an entry
//! point.
//!
//! **Invariant:** a call is listed when its receiver is a client for all we know; what only looks like one is listed as not
//! certain, or, where not even a service can be named, as unresolved. Results are in the order of files and of the text,
//! whatever the number of threads.

pub(crate) mod call_sites;
mod library_models;
mod lost_values;
mod minimal_policy;
mod permissions;
mod references;
mod spelled;
mod spelled_operations;
mod switched_off;
mod unlisted_calls;

pub use crate::python::call_graph::{UnresolvedCall, UnresolvedReason};
pub use crate::python::points_to::ScopeRef;
pub use call_sites::CallForm;
pub use minimal_policy::{MinimalGrant, minimal_grants};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::iam::sdk::{self, LibraryEffect};
use crate::python::call_graph::{self, CallEdges, CallGraph};
use crate::python::points_to::{AbstractValue, ObjectEvaluator, ObjectIndex, Params};
use crate::python::{ConstantEvaluator, Program, ScopeId, ScopeKind};
use crate::source::{FileId, Span, Text, is_within};

/// One call of one operation.
#[derive(Clone, Debug)]
pub struct ApiCall {
    /// boto3's name of the service: `stepfunctions`; the prefix of the actions for calls into other libraries.
    pub service: Arc<str>,
    /// As written: `list_objects_v2`, `get_paginator`, `batch_writer`, the attribute that is read.
    pub method: Arc<str>,
    /// `ListObjectsV2`; none for calls into other libraries, and of methods that the API data does not have.
    pub operation: Option<&'static str>,
    pub actions: Actions,
    /// ARNs as far as they are known, with holes; empty when nothing is.
    pub resources: Vec<Text>,
    /// For copies, which write to `resources`: what is read. Empty when it is not known.
    pub source: Option<Vec<Text>>,
    /// What these of the actions are needed on, in place of `resources`; empty where it is not known.
    pub on: BTreeMap<&'static str, Vec<Text>>,
    /// The callee: `s3.get_object`.
    pub span: Span,
    /// The function it stands in, and that function's qualified name, `<module>` at module level.
    pub at: ScopeRef,
    pub function: Arc<str>,
    /// The receiver is known to be a client of this service, and the method is called.
    pub certain: bool,
    pub form: CallForm,
    /// Where callers name the operation (`get_waiter(name)`): those that name this one, of which one has to run; empty where
    /// it is the same for all.
    pub callers: Vec<ScopeRef>,
}

impl ApiCall {
    /// Whether the API data does not have the method: what it needs is a guess.
    pub fn is_unlisted(&self) -> bool {
        self.operation.is_none() && self.actions.required.is_empty() && self.actions.any_of.is_empty()
    }

    /// What it may need because the service works with the rights of its caller, as patterns.
    pub fn companion_actions(&self) -> impl Iterator<Item = &'static str> {
        let guessed = self.actions.conditional.first().filter(|_| self.is_unlisted());
        let guessed = guessed.and_then(|c| c.action.split(':').nth(1));
        let mut passed = self.actions.conditional.iter().filter(|c| c.action == "iam:PassRole");
        let role = passed.find_map(|c| c.trigger.as_deref());
        sdk::companion_actions(&self.service, self.operation.or(guessed).unwrap_or(""), role)
    }

    /// Those of the resources that `action`, one that the call needs, is needed on.
    pub fn resources_of(&self, action: &str) -> &[Text] {
        if let Some(on) = self.on.get(action) {
            return on;
        }
        let given = self.actions.conditional.iter().find(|c| c.action == action);
        match (&self.source, given) {
            (_, Some(given)) if !given.resources.is_empty() => &given.resources,
            (Some(source), _) if action.starts_with("s3:Get") || self.operation == Some("HeadObject") => source,
            _ => &self.resources,
        }
    }
}

/// What a call needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// All of these.
    pub required: Vec<&'static str>,
    /// And one of these, when there are any.
    pub any_of: Vec<&'static str>,
    pub conditional: Vec<ConditionalAction>,
    /// Any action of the service with this prefix may be needed: the API data does not have the method.
    pub any_of_service: Option<&'static str>,
}

impl Actions {
    /// The pattern of [`Self::any_of_service`].
    pub fn service_pattern(&self) -> Option<String> {
        self.any_of_service.map(|prefix| format!("{prefix}:*"))
    }
}

/// An action that only some calls of the operation need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionalAction {
    pub action: &'static str,
    /// The parameter of this call that makes it needed; none when it is possible, no more.
    pub trigger: Option<Arc<str>>,
    /// For `iam:PassRole`: the services.
    pub passed_to: Vec<&'static str>,
    /// What it is needed on where that is not what the call is about: the role that is passed. As far as it is known.
    pub resources: Vec<Text>,
}

impl ConditionalAction {
    fn possible(action: &'static str) -> Self {
        Self {
            action,
            trigger: None,
            passed_to: Vec::new(),
            resources: Vec::new(),
        }
    }
}

/// All calls of a program.
pub struct Calls<'p> {
    pub program: &'p Program<'p>,
    /// In the order of files and of the text.
    pub calls: Vec<ApiCall>,
    pub unresolved: Vec<UnresolvedCall>,
    /// Indices by where they stand.
    calls_at: BTreeMap<ScopeRef, Vec<usize>>,
    unresolved_at: BTreeMap<ScopeRef, Vec<usize>>,
    graph: CallGraph,
    index: ObjectIndex,
    params: Params,
}

/// What runs from an entry point.
#[derive(Debug)]
pub struct EntryReach {
    /// Indices into [`Calls::calls`].
    pub calls: Vec<usize>,
    /// Those of `calls` that stand in functions which are called by name, rather than perhaps. None without an entry point.
    pub named: Vec<usize>,
    /// Indices into [`Calls::unresolved`].
    pub unresolved: Vec<usize>,
    /// Modules of which anything runs.
    pub modules: Vec<FileId>,
    /// The entry point was found and is a function: what does not run from it is not counted.
    pub exact: bool,
}

impl<'p> Calls<'p> {
    /// Analyses all modules of the program.
    pub fn new(program: &'p Program<'p>) -> Self {
        Self::of(program, &program.all_modules())
    }

    /// Analyzes some of the modules, sorted: nothing runs of the others.
    pub fn of(program: &'p Program<'p>, modules: &[usize]) -> Self {
        let index = ObjectIndex::of(program, modules);
        let params = Params::of(program, &index, modules);
        let found: Vec<_> = modules
            .par_iter()
            .map(|m| module_calls(program, &index, &params, *m))
            .collect();
        let mut calls = Vec::new();
        let mut unresolved = Vec::new();
        let mut edges = Vec::new();
        for (c, u, e) in found {
            calls.extend(c);
            unresolved.extend(u);
            edges.push(e);
        }
        Self {
            program,
            calls_at: index_by_scope(calls.iter().map(|c| c.at)),
            unresolved_at: index_by_scope(unresolved.iter().map(|u| u.at)),
            calls,
            unresolved,
            graph: CallGraph::new(edges),
            index,
            params,
        }
    }

    /// What runs when `function` of `file` is called; the whole module, and what it imports, when it has none such.
    pub fn reach(&self, file: FileId, function: &str) -> EntryReach {
        let Some(module) = self.program.index_of(file) else {
            return self.collect(&BTreeSet::new(), &BTreeSet::new(), false);
        };
        let mut entries = vec![ScopeRef {
            module,
            scope: ScopeId::MODULE,
        }];
        let evaluator = ObjectEvaluator::new(self.program, &self.index, &self.params);
        let mut exact = false;
        // Whatever decorators make of it, it runs.
        entries.extend(call_graph::exported_functions(self.program, module, function));
        let mut path = function.split('.');
        let mut values = evaluator.export(module, path.next().unwrap_or(""));
        for name in path {
            let all: Vec<AbstractValue> = values
                .iter()
                .flat_map(|t| evaluator.attribute(t, name).to_vec())
                .collect();
            values = all.into();
        }
        for t in values.iter() {
            match t {
                AbstractValue::Function(f) | AbstractValue::Method(f, _) => {
                    entries.push(*f);
                    exact = true;
                }
                AbstractValue::Class(c) | AbstractValue::Instance(c) => {
                    exact = true;
                    for class in self.index.lineage(*c) {
                        entries.extend(self.methods(class));
                    }
                }
                // Every function that a decorator gave it is run by the module.
                AbstractValue::Library(name) => {
                    exact |= sdk::library_effects(name).contains(&LibraryEffect::RunsFunctions);
                }
                _ => {}
            }
        }
        if !exact {
            // A handler made by a library (`Mangum(app)`): all of the module may be what it calls.
            let m = &self.program.modules[module];
            entries.extend(m.scopes.ids().map(|scope| ScopeRef { module, scope }));
        }
        let called = if exact {
            self.graph.certainly_reachable(&entries)
        } else {
            BTreeSet::new()
        };
        // Where the path begins that its name is looked for on is not known: these run perhaps.
        let around = self.program.packages_around(module);
        entries.extend(around.map(|module| ScopeRef {
            module,
            scope: ScopeId::MODULE,
        }));
        self.collect(&self.reachable(&entries), &called, exact)
    }

    /// What runs when `file` is run as a script.
    pub fn script(&self, file: FileId) -> EntryReach {
        let module = self.program.index_of(file);
        let parts = module.into_iter().flat_map(|module| {
            let script = self.program.modules[module].script;
            let all = [Some(ScopeId::MODULE), script].into_iter().flatten();
            all.map(move |scope| ScopeRef { module, scope })
        });
        let entries: Vec<ScopeRef> = parts.collect();
        let called = self.graph.certainly_reachable(&entries);
        self.collect(&self.reachable(&entries), &called, !entries.is_empty())
    }

    fn reachable(&self, entries: &[ScopeRef]) -> BTreeSet<ScopeRef> {
        let run = self.program.with_imported(entries.iter().map(|e| e.module));
        let has_run = |method: &&ScopeRef| run.binary_search(&method.module).is_ok();
        let methods = |name: &str| self.index.methods(name).iter().filter(has_run).copied().collect();
        self.graph.reachable(entries, methods)
    }

    /// Everything in files under `folder` (or in this one file), and what it calls elsewhere.
    pub fn folder(&self, folder: &str) -> EntryReach {
        let inside = |file: FileId| is_within(self.program.sources.path(file), folder);
        let mut entries = Vec::new();
        for (module, m) in self.program.modules.iter().enumerate() {
            if inside(m.file) {
                entries.extend(m.scopes.ids().map(|scope| ScopeRef { module, scope }));
            }
        }
        let mut seen = self.reachable(&entries);
        seen.extend(entries);
        self.collect(&seen, &BTreeSet::new(), false)
    }

    /// Indices of all calls, without the methods that are only read and that others of them call by value.
    pub fn listed(&self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.calls.len()).collect();
        self.drop_followed(&mut all);
        all
    }

    /// Leaves out, of these calls, the methods that are only read and that others of these call by value.
    fn drop_followed(&self, which: &mut Vec<usize>) {
        let operation = |call: &'_ ApiCall| Some((call.service.clone(), call.operation?));
        let by_value: BTreeSet<_> = which
            .iter()
            .map(|i| &self.calls[*i])
            .filter(|call| call.form == CallForm::ByValue)
            .filter_map(operation)
            .collect();
        which.retain(|i| {
            let call = &self.calls[*i];
            let is_followed = || operation(call).is_some_and(|o| by_value.contains(&o));
            call.form != CallForm::Reference || !is_followed()
        });
    }

    fn methods(&self, class: ScopeRef) -> Vec<ScopeRef> {
        let m = &self.program.modules[class.module];
        m.scopes
            .ids()
            .filter(|s| m.scope(*s).parent == class.scope && m.scope(*s).kind == ScopeKind::Function)
            .map(|scope| ScopeRef {
                module: class.module,
                scope,
            })
            .collect()
    }

    fn collect(&self, seen: &BTreeSet<ScopeRef>, called: &BTreeSet<ScopeRef>, exact: bool) -> EntryReach {
        let mut modules: Vec<FileId> = seen.iter().map(|p| self.program.modules[p.module].file).collect();
        modules.sort_unstable();
        modules.dedup();
        let which = |at: &BTreeMap<ScopeRef, Vec<usize>>, seen: &BTreeSet<ScopeRef>| {
            let mut found: Vec<usize> = seen.iter().filter_map(|p| at.get(p)).flatten().copied().collect();
            found.sort_unstable();
            found
        };
        let asked = |seen: &BTreeSet<ScopeRef>| {
            let mut found = which(&self.calls_at, seen);
            found.retain(|i| {
                let callers = &self.calls[*i].callers;
                callers.is_empty() || callers.iter().any(|c| seen.contains(c))
            });
            self.drop_followed(&mut found);
            found
        };
        EntryReach {
            calls: asked(seen),
            named: asked(called),
            unresolved: which(&self.unresolved_at, seen),
            modules,
            exact,
        }
    }
}

/// The indices of things by where they stand.
fn index_by_scope(places: impl Iterator<Item = ScopeRef>) -> BTreeMap<ScopeRef, Vec<usize>> {
    let mut out: BTreeMap<ScopeRef, Vec<usize>> = BTreeMap::new();
    for (i, place) in places.enumerate() {
        out.entry(place).or_default().push(i);
    }
    out
}

/// Modules of Python as [`Program`] and [`Calls`] take them, sorted by file.
#[cfg(any(test, feature = "internals"))]
pub fn sorted(mut modules: Vec<crate::python::PythonModule>) -> Vec<crate::python::PythonModule> {
    modules.sort_by_key(|m| m.file);
    modules.dedup_by_key(|m| m.file);
    modules
}

type FoundCalls = (Vec<ApiCall>, Vec<UnresolvedCall>, CallEdges);

fn module_calls<'p>(program: &'p Program<'p>, index: &ObjectIndex, params: &Params, module: usize) -> FoundCalls {
    let evaluator = ObjectEvaluator::new(program, index, params);
    let values = ConstantEvaluator::new(program);
    let m = &program.modules[module];
    let (sites, mut unresolved) = call_sites::find_call_sites(&evaluator, module);
    let needs = permissions::ArgumentReader::new(&values, m, module);
    let mut calls: Vec<ApiCall> = sites.iter().map(|s| needs.api_call(s)).collect();
    calls.dedup_by(|b, a| {
        a.span == b.span && a.operation == b.operation && a.service == b.service && a.method == b.method
    });
    let (edges, unclear) = call_graph::edges(&evaluator, module);
    unresolved.extend(unclear);
    if m.partial || evaluator.is_exhausted() {
        unresolved.push(UnresolvedCall {
            span: m.scope(ScopeId::MODULE).extent,
            at: ScopeRef {
                module,
                scope: ScopeId::MODULE,
            },
            why: UnresolvedReason::Partial,
        });
    }
    unresolved.sort_by_key(|u| (u.span.start, u.why));
    unresolved.dedup();
    (calls, unresolved, edges)
}
