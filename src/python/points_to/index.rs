//! Look-ups over a program that need no evaluation: classes, attributes, changes of containers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::iam::sdk::{self, Client, SdkResourceType};
use crate::python::points_to::abstract_value::{ExprRef, ScopeRef};
use crate::python::points_to::made_resources;
use crate::python::{
    ArgName, BindingValue, ExprId, ExprKind, ObjectChange, Program, PythonModule, Reaching, ScopeId, ScopeKind,
    ValueSource,
};

/// Classes above or below one that are looked at.
const MAX_CLASSES: usize = 48;

/// Longest name of a client that is looked for, in bytes.
const MAX_NAME: usize = 40;

/// Shortest and longest name of an operation that is looked for, in bytes.
const MIN_OPERATION: usize = 4;
const MAX_OPERATION: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct ObjectIndex {
    bases: BTreeMap<ScopeRef, Vec<ScopeRef>>,
    subclasses: BTreeMap<ScopeRef, Vec<ScopeRef>>,
    /// Classes with a base that is not in the repository.
    open: Vec<ScopeRef>,
    /// `self.name = …`, by class and name: module and index into `Module::attributes`.
    attributes: BTreeMap<(ScopeRef, Arc<str>), Vec<usize>>,
    /// `object.name = …` for other objects, as they are written.
    assigned: BTreeMap<(usize, String, Arc<str>), Vec<usize>>,
    /// The same by the name alone: modules, with indices of their attributes.
    assigned_names: BTreeMap<Arc<str>, Vec<(usize, usize)>>,
    /// Methods by name.
    methods: BTreeMap<Arc<str>, Vec<ScopeRef>>,
    /// Values put into a container after it was made: key and value.
    added: BTreeMap<ExprRef, Vec<(Option<ExprId>, ExprId)>>,
    /// Containers whose parts were put into a container after it was made.
    extended: BTreeMap<ExprRef, Vec<ExprId>>,
    /// Containers that were changed in a way that is not followed.
    changed: BTreeSet<ExprRef>,
    /// Services that the program names: clients that it makes are of one of them.
    services: Vec<Client>,
    /// The literal strings of the program that name operations of these, sorted.
    operation_names: Vec<Arc<str>>,
    /// The types of the resource API of which it may make objects.
    resource_types: Vec<(Client, SdkResourceType)>,
}

impl ObjectIndex {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        Self::of(program, &program.all_modules())
    }

    /// The same for some of the modules, sorted.
    pub(crate) fn of(program: &Program<'_>, modules: &[usize]) -> Self {
        let services = services(program, modules);
        let mut index = Self {
            resource_types: made_resources::types(program, modules, &services),
            operation_names: operation_names(program, modules, &services),
            services,
            ..Self::default()
        };
        for module in modules {
            index.module(program, *module, &program.modules[*module]);
        }
        index.open.sort_unstable();
        index.open.dedup();
        index
    }

    fn module(&mut self, program: &Program<'_>, module: usize, m: &PythonModule) {
        for (scope, s) in m.scopes.iter_enumerated() {
            let place = ScopeRef { module, scope };
            if s.kind == ScopeKind::Class {
                for base in &s.bases {
                    match class_named(program, module, *base) {
                        Some(b) if b != place => {
                            self.bases.entry(place).or_default().push(b);
                            self.subclasses.entry(b).or_default().push(place);
                        }
                        _ if is_plain_base(m, *base) => {}
                        _ => self.open.push(place),
                    }
                }
            }
            if s.kind == ScopeKind::Function && m.scope(s.parent).kind == ScopeKind::Class {
                let name: Arc<str> = s.qualname.rsplit('.').next().unwrap_or("").into();
                self.methods.entry(name).or_default().push(place);
            }
        }
        for (i, a) in m.attributes.iter().enumerate() {
            let function = m.scope(m.function_of(a.scope));
            let class = m.scope(function.parent);
            let receiver = function.params.first().map(|p| &p.name);
            let on_self = matches!(&m.expr(a.object).kind, ExprKind::Name(n) if Some(n) == receiver);
            // `cls._instance.name = …`
            let on_new = function.qualname.ends_with(".__new__");
            if class.kind == ScopeKind::Class && (on_self || on_new) {
                let place = ScopeRef {
                    module,
                    scope: function.parent,
                };
                self.attributes.entry((place, a.name.clone())).or_default().push(i);
            } else if let Some(object) = m.dotted(a.object) {
                let key = (module, object, a.name.clone());
                self.assigned.entry(key).or_default().push(i);
                self.assigned_names.entry(a.name.clone()).or_default().push((module, i));
            }
        }
        self.collect_changes(module, m);
    }

    fn collect_changes(&mut self, module: usize, m: &PythonModule) {
        for (scope, s) in m.scopes.iter_enumerated() {
            for c in &s.mutations {
                let (key, value) = match (&c.change, c.path.as_slice()) {
                    (ObjectChange::Set(v), [k]) => (Some(*k), *v),
                    (ObjectChange::Append(v), []) => (None, *v),
                    (change, path) => {
                        let containers = self.containers(module, m, scope, &c.name);
                        if let (ObjectChange::Extend(v) | ObjectChange::Update(v), []) = (change, path) {
                            for e in &containers {
                                self.extended.entry((module, *e)).or_default().push(*v);
                            }
                        }
                        self.changed.extend(containers.into_iter().map(|e| (module, e)));
                        continue;
                    }
                };
                for source in self.containers(module, m, scope, &c.name) {
                    self.added.entry((module, source)).or_default().push((key, value));
                }
            }
        }
    }

    /// The literals that a name, or `self.name`, holds.
    fn containers(&self, module: usize, m: &PythonModule, scope: ScopeId, name: &str) -> Vec<ExprId> {
        let plain = |s: &ValueSource| s.steps.is_empty().then_some(s.expr);
        if let Some((receiver, attribute)) = name.split_once('.') {
            let function = m.scope(m.function_of(scope));
            if function.params.first().is_none_or(|p| &*p.name != receiver) {
                return Vec::new();
            }
            let place = ScopeRef {
                module,
                scope: function.parent,
            };
            let mut out: Vec<ExprId> = self
                .attributes
                .get(&(place, attribute.into()))
                .into_iter()
                .flatten()
                .filter_map(|i| m.attributes[*i].source.as_ref().and_then(plain))
                .collect();
            if m.scope(place.scope).kind == ScopeKind::Class
                && let Some(all) = m.scope(place.scope).bindings.get(attribute)
            {
                out.extend(all.iter().filter_map(|b| match &b.bound {
                    BindingValue::Value(s) => plain(s),
                    _ => None,
                }));
            }
            return out;
        }
        match m.at_end(name, scope) {
            Reaching::Found(f) => f
                .bindings
                .iter()
                .filter_map(|b| match &b.bound {
                    BindingValue::Value(s) => plain(s),
                    _ => None,
                })
                .collect(),
            Reaching::Free => Vec::new(),
        }
    }

    /// Whether a container may hold what [`Self::added`] does not list.
    pub(crate) fn is_changed(&self, at: ExprRef) -> bool {
        self.changed.contains(&at)
    }

    pub(crate) fn extended(&self, at: ExprRef) -> &[ExprId] {
        self.extended.get(&at).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn added(&self, at: ExprRef) -> &[(Option<ExprId>, ExprId)] {
        self.added.get(&at).map_or(&[], Vec::as_slice)
    }

    /// The class and those it inherits from, nearest first.
    pub(crate) fn lineage(&self, class: ScopeRef) -> Vec<ScopeRef> {
        self.walk(class, &self.bases)
    }

    /// The classes that inherit from `class`, without itself.
    pub(crate) fn subclasses(&self, class: ScopeRef) -> Vec<ScopeRef> {
        let mut all = self.walk(class, &self.subclasses);
        all.remove(0);
        all
    }

    fn walk(&self, class: ScopeRef, edges: &BTreeMap<ScopeRef, Vec<ScopeRef>>) -> Vec<ScopeRef> {
        let mut out = vec![class];
        let mut at = 0;
        while at < out.len() && out.len() < MAX_CLASSES {
            for next in edges.get(&out[at]).into_iter().flatten() {
                if out.len() >= MAX_CLASSES {
                    break;
                }
                if !out.contains(next) {
                    out.push(*next);
                }
            }
            at += 1;
        }
        out
    }

    /// Whether something outside the repository may call the class's methods.
    pub(crate) fn may_be_called_externally(&self, class: ScopeRef) -> bool {
        self.lineage(class).iter().any(|c| self.open.binary_search(c).is_ok())
    }

    pub(crate) fn attributes(&self, class: ScopeRef, name: &str) -> &[usize] {
        self.attributes.get(&(class, name.into())).map_or(&[], Vec::as_slice)
    }

    /// Where the module assigns to an attribute of an object that is written as `of` is.
    pub(crate) fn assigned(&self, m: &PythonModule, module: usize, of: ExprId, name: &Arc<str>) -> &[usize] {
        if self.assigned.is_empty() {
            return &[];
        }
        let Some(object) = m.dotted(of) else { return &[] };
        self.assigned
            .get(&(module, object, name.clone()))
            .map_or(&[], Vec::as_slice)
    }

    /// Where an attribute of this name is assigned to on something other than the `self` of a method: modules, with indices of
    /// their attributes.
    pub(crate) fn assigned_anywhere(&self, name: &str) -> &[(usize, usize)] {
        self.assigned_names.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn services(&self) -> &[Client] {
        &self.services
    }

    /// The literal strings of the program that name operations of its services.
    pub(crate) fn operation_names(&self) -> &[Arc<str>] {
        &self.operation_names
    }

    pub(crate) fn resource_types(&self) -> &[(Client, SdkResourceType)] {
        &self.resource_types
    }

    pub(crate) fn methods(&self, name: &str) -> &[ScopeRef] {
        self.methods.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Bases that call nothing.
fn is_plain_base(m: &PythonModule, base: ExprId) -> bool {
    let name = match &m.expr(base).kind {
        ExprKind::Index { of, .. } => m.dotted(*of),
        _ => m.dotted(base),
    };
    let name = name.unwrap_or_default();
    matches!(
        name.rsplit('.').next().unwrap_or(""),
        "object"
            | "ABC"
            | "ABCMeta"
            | "Enum"
            | "StrEnum"
            | "IntEnum"
            | "str"
            | "int"
            | "dict"
            | "list"
            | "Exception"
            | "Protocol"
            | "Generic"
            | "NamedTuple"
            | "TypedDict"
            | "BaseModel"
            | "type"
            | "Singleton"
    ) || name.ends_with("Error")
}

/// The class of the repository that a base expression names.
pub(crate) fn class_named(program: &Program<'_>, module: usize, expr: ExprId) -> Option<ScopeRef> {
    let m = &program.modules[module];
    match &m.expr(expr).kind {
        ExprKind::Name(n) => match m.reaching_bindings(n, expr) {
            Reaching::Found(f) => bound_class(program, module, &f.bindings.first()?.bound, 0),
            Reaching::Free => m.scope(ScopeId::MODULE).wildcards.iter().find_map(|w| {
                let other = program.import(m.file, w.level, &w.module)?;
                exported_class(program, other, n, 0)
            }),
        },
        ExprKind::Attr { of, name, .. } => {
            let ExprKind::Name(base) = &m.expr(*of).kind else {
                return None;
            };
            let Reaching::Found(f) = m.reaching_bindings(base, *of) else {
                return None;
            };
            match &f.bindings.first()?.bound {
                BindingValue::Import(i) => exported_class(program, program.import(m.file, 0, &i.module)?, name, 0),
                BindingValue::From(i) => exported_class(program, program.import_from(m.file, i).1?, name, 0),
                _ => None,
            }
        }
        ExprKind::Index { of, .. } => class_named(program, module, *of),
        _ => None,
    }
}

fn bound_class(program: &Program<'_>, module: usize, bound: &BindingValue, depth: u32) -> Option<ScopeRef> {
    match bound {
        BindingValue::Class(scope) => Some(ScopeRef { module, scope: *scope }),
        BindingValue::From(i) if depth < 6 => {
            let (other, _) = program.import_from(program.modules[module].file, i);
            exported_class(program, other?, &i.name, depth + 1)
        }
        _ => None,
    }
}

fn exported_class(program: &Program<'_>, module: usize, name: &str, depth: u32) -> Option<ScopeRef> {
    match program.modules[module].at_end(name, ScopeId::MODULE) {
        Reaching::Found(f) => bound_class(program, module, &f.bindings.first()?.bound, depth),
        Reaching::Free => None,
    }
}

/// The clients that the program names, if it makes any: by literal strings, and, where one is made of a name that is not
/// written there, by attributes and keywords too.
fn services(program: &Program<'_>, modules: &[usize]) -> Vec<Client> {
    let of_these = || modules.iter().map(|module| &program.modules[*module]);
    let boto = |module: &usize| {
        let m = &program.modules[*module];
        let text = program.sources.text(m.file);
        memchr::memmem::find(text.as_bytes(), b"boto").is_some()
            && m.ids().any(|e| match &m.expr(e).kind {
                ExprKind::Attr { .. } | ExprKind::Name(_) => program
                    .library(*module, e)
                    .is_some_and(|name| name.split('.').next().is_some_and(|root| root.contains("boto"))),
                _ => false,
            })
    };
    if !modules.iter().any(boto) {
        return Vec::new();
    }
    let exprs = || of_these().flat_map(|m| m.exprs.iter().map(move |e| (m, e)));
    let by_variable = exprs().any(|(m, e)| match &e.kind {
        ExprKind::Call(c) => {
            let makes = matches!(&m.expr(c.function).kind, ExprKind::Attr { name, .. }
                if matches!(&**name, "client" | "resource" | "create_client"));
            makes && c.args.first().is_some_and(|a| m.string(a.value).is_none())
        }
        _ => false,
    });
    let mut out: Vec<Client> = Vec::new();
    for (_, e) in exprs() {
        match &e.kind {
            ExprKind::Str(t) if t.len() <= MAX_NAME => out.extend(t.known().and_then(|name| sdk::client(&name))),
            ExprKind::Attr { name, .. } if by_variable => out.extend(sdk::client(&name.replace('_', "-"))),
            ExprKind::Call(c) if by_variable => out.extend(c.args.iter().filter_map(|a| match &a.name {
                ArgName::Keyword(name, _) => sdk::client(&name.replace('_', "-")),
                _ => None,
            })),
            _ => {}
        }
    }
    if by_variable {
        let names = of_these().flat_map(|m| &m.scopes).flat_map(|s| s.bindings.keys());
        out.extend(names.filter_map(|name| sdk::client(&name.replace('_', "-"))));
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The literal strings that name operations of these services, as methods (`put_object`) or as the API does (`PutObject`).
fn operation_names(program: &Program<'_>, modules: &[usize], services: &[Client]) -> Vec<Arc<str>> {
    if services.is_empty() {
        return Vec::new();
    }
    let exprs = modules.iter().flat_map(|module| &program.modules[*module].exprs);
    let texts: BTreeSet<Arc<str>> = exprs
        .filter_map(|e| match &e.kind {
            ExprKind::Str(t) if (MIN_OPERATION..=MAX_OPERATION).contains(&t.len()) => t.known().map(|t| Arc::from(&*t)),
            _ => None,
        })
        .collect();
    let is_named = |text: &Arc<str>| {
        let names = |c: &Client| c.operation(text).is_some() || c.injected(text).is_some();
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && services.iter().any(names)
    };
    texts.into_iter().filter(is_named).collect()
}
