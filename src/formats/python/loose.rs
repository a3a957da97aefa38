//! Policies that no lowered call takes: dicts and JSON texts with the shape of a document, and bare statements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::resources::{CallLowering, literal_starts, method_of, synthetic_entry};
use crate::formats::cfn_fragments::with_holes;
use crate::formats::data;
use crate::formats::recognize;
use crate::iam::{POLICY_ELEMENTS, PolicyHolder, PolicyKind, SourceFormat};
use crate::model::{Address, LoweredUnit, UnattachedPolicy};
use crate::python::{
    BindingValue, ExprId, ExprKind, FStringPart, Pair, PythonModule, Reaching, ScopeId, Usage, Wholes,
};
use crate::source::{FileId, Span};
use crate::value::{MapEntry, Value, ValueKind};

/// How often a name may be bound for its uses to be looked at.
const MAX_BINDINGS: usize = 32;

/// How deep in dicts a document may stand whose variable is followed.
const MAX_KEYS: usize = 8;

/// Methods that tell what a policy allows or whether it is valid, and give it to no one.
/// IAM API Reference, `SimulateCustomPolicy`; IAM Access Analyzer API Reference, "Actions".
const SIMULATORS: [&str; 5] = [
    "simulate_custom_policy",
    "validate_policy",
    "check_no_new_access",
    "check_access_not_granted",
    "check_no_public_access",
];

/// Classes whose objects have policies, the kind as in ARNs, and the keyword of its name: of the CDK's first level, of Pulumi and
/// of Troposphere.
const CONSTRUCTS: [(&str, &str, &str); 13] = [
    ("CfnGroup", "group", "group_name"),
    ("CfnGroupPolicy", "group", "group_name"),
    ("CfnManagedPolicy", "policy", "managed_policy_name"),
    ("CfnRole", "role", "role_name"),
    ("CfnRolePolicy", "role", "role_name"),
    ("CfnUser", "user", "user_name"),
    ("CfnUserPolicy", "user", "user_name"),
    ("GroupPolicy", "group", "group"),
    ("Role", "role", "RoleName"),
    ("Role", "role", "name"),
    ("RolePolicy", "role", "role"),
    ("User", "user", "UserName"),
    ("UserPolicy", "user", "user"),
];

/// Starts of literals that are part of a document already.
pub(super) type UsedLiterals = BTreeSet<(FileId, u32)>;

pub(super) fn mark_used(v: &Value, used: &mut UsedLiterals) {
    let mut starts = Vec::new();
    literal_starts(v, &mut starts);
    used.extend(starts);
}

/// The literals that everything in `unit` is made of.
pub(super) fn literals_of(unit: &LoweredUnit) -> UsedLiterals {
    let mut used = UsedLiterals::new();
    for r in &unit.resources {
        mark_used(&r.props, &mut used);
    }
    for l in &unit.loose {
        mark_used(&l.value, &mut used);
    }
    used
}

impl CallLowering<'_> {
    pub(super) fn module_ref(&self) -> &PythonModule {
        &self.program.modules[self.module]
    }

    /// Finds the documents of the module that `used` does not hold yet.
    pub(super) fn unattached_policies(&self, used: &mut UsedLiterals) -> LoweredUnit {
        let mut found = LoweredUnit::default();
        let unit = &mut found;
        let m = self.module_ref();
        let mut names = None;
        let mut parents = None;
        let mut statements = Vec::new();
        for expr in m.ids() {
            match &m.expr(expr).kind {
                ExprKind::Dict(pairs) => {
                    let has = |name: &str| {
                        pairs
                            .iter()
                            .any(|p| p.key.is_some_and(|k| m.string(k).as_deref() == Some(name)))
                    };
                    let holds = |p: &Pair| {
                        p.key
                            .and_then(|k| m.string(k))
                            .is_some_and(|k| recognize::is_statement_key(&k))
                    };
                    if has("Statement") || has("Version") && pairs.iter().any(holds) {
                        let names = names.get_or_insert_with(|| AssignedNames::new(m));
                        let parents = parents.get_or_insert_with(|| parents_of(m));
                        self.document(expr, names, parents, used, unit);
                    } else if has("Effect") && (has("Action") || has("NotAction")) {
                        statements.push(expr);
                    }
                }
                ExprKind::Str(t)
                    if t.len() > 40 && recognize::may_be_policy_text(&strip_braces(&t.with_placeholders())) =>
                {
                    let parents = parents.get_or_insert_with(|| parents_of(m));
                    let names = names.get_or_insert_with(|| AssignedNames::new(m));
                    self.text(expr, parents, names, used, unit);
                }
                ExprKind::Join(parts) => {
                    let flat: String = parts
                        .iter()
                        .map(|p| match p {
                            FStringPart::Lit(t) => t.with_placeholders().into_owned(),
                            FStringPart::Value(_) => "_".to_owned(),
                        })
                        .collect();
                    if recognize::may_be_policy_text(&flat) {
                        let parents = parents.get_or_insert_with(|| parents_of(m));
                        let names = names.get_or_insert_with(|| AssignedNames::new(m));
                        self.text(expr, parents, names, used, unit);
                    }
                }
                _ => {}
            }
        }
        for expr in statements {
            let span = m.expr(expr).span;
            if used.contains(&(span.file, span.start)) {
                continue;
            }
            let names = names.get_or_insert_with(|| AssignedNames::new(m));
            let v = names.value(self, expr);
            let parents = parents.get_or_insert_with(|| parents_of(m));
            if recognize::is_lone_statement(&v)
                && !self.is_sample(expr, names, parents)
                && !self.is_in_other_tools_object(expr, parents)
            {
                mark_used(&v, used);
                let name = names.address(self, expr);
                unit.loose.push(self.unattached_policy(document_of(v), name, "dict"));
            }
        }
        found
    }

    pub(super) fn unattached_policy(&self, value: Value, name: Option<Address>, type_name: &str) -> UnattachedPolicy {
        UnattachedPolicy {
            value: if self.functions { with_holes(&value, 0) } else { value },
            format: SourceFormat::Python,
            kind: None,
            suggested: None,
            holders: Vec::new(),
            roles: Vec::new(),
            service: None,
            name,
            type_name: type_name.into(),
        }
    }

    fn document(
        &self,
        expr: ExprId,
        names: &AssignedNames,
        parents: &Wholes,
        used: &mut UsedLiterals,
        unit: &mut LoweredUnit,
    ) {
        let m = self.module_ref();
        let span = m.expr(expr).span;
        if used.contains(&(span.file, span.start)) {
            return;
        }
        let v = names.value(self, expr);
        if !is_document(&v) {
            return;
        }
        mark_used(&v, used);
        // Without statements, and handed to no call, it is a start that other code goes on with, or a default.
        let empty = v
            .get("Statement")
            .and_then(Value::as_seq)
            .is_some_and(<[Value]>::is_empty);
        if empty || self.is_sample(expr, names, parents) || self.is_in_recorded_call(expr, parents) {
            return;
        }
        let mut loose = self.unattached_policy(v, names.address(self, expr), "dict");
        loose.kind = names.keyword(expr);
        loose.holders.extend(self.holder_of(expr, parents));
        unit.loose.push(loose);
    }

    /// Whether a policy is only looked at: handed to a simulator, or it has a name, and all that is done by that name is to
    /// hand it there, to compare others with it, or to gather it with others that have no version. It is given to no one.
    fn is_sample(&self, expr: ExprId, names: &AssignedNames, parents: &Wholes) -> bool {
        let m = self.module_ref();
        let parent = |e: ExprId| parents[e];
        let calls = |e: ExprId, methods: &[&str]| m.call(e).is_some_and(|c| methods.contains(&method_of(m, c)));
        let simulated = |e: ExprId| {
            let holder = parent(e).filter(|p| matches!(m.expr(*p).kind, ExprKind::List(_)));
            parent(holder.unwrap_or(e)).is_some_and(|call| calls(call, &SIMULATORS))
        };
        let text = parent(expr).filter(|p| calls(*p, &["dumps"]));
        let expr = text
            .filter(|p| simulated(*p) || names.bound.contains_key(p))
            .unwrap_or(expr);
        if simulated(expr) {
            return true;
        }
        let Some((scope, name, n)) = names.bound.get(&expr) else {
            return false;
        };
        let all = &m.scope(*scope).bindings[name];
        if all.len() > MAX_BINDINGS {
            return false;
        }
        let reads = |e: &ExprId| {
            matches!(m.reaching_bindings(name, *e), Reaching::Found(found)
                if found.bindings.iter().any(|b| std::ptr::eq(*b, &all[*n])))
        };
        let is_sample = |read: ExprId| {
            let Some(holder) = parent(read) else { return false };
            match &m.expr(holder).kind {
                ExprKind::Comparison(_) => true,
                _ if simulated(read) => true,
                ExprKind::List(_) => parent(holder).is_some_and(|dict| {
                    let dated = |p: &Pair| p.key.is_some_and(|k| m.string(k).as_deref() == Some("Version"));
                    let gathered = |e| m.call(e).is_some_and(|c| matches!(method_of(m, c), "append" | "add"));
                    matches!(&m.expr(dict).kind, ExprKind::Dict(pairs) if !pairs.iter().any(dated))
                        && parent(dict).is_some_and(gathered)
                }),
                _ => false,
            }
        };
        let read = names.reads.get(name).into_iter().flatten();
        let mut read = read.copied().filter(reads).peekable();
        read.peek().is_some()
            && read.all(is_sample)
            && !(*scope == ScopeId::MODULE && self.program.is_imported_elsewhere(self.module, name))
    }

    /// Whether a statement is part of an object that belongs to another tool.
    fn is_in_other_tools_object(&self, expr: ExprId, parents: &Wholes) -> bool {
        let m = self.module_ref();
        let text = |e: ExprId| m.string(e);
        let kind = |p: &Pair| {
            p.key.and_then(text).as_deref() == Some("type")
                && text(p.value).is_some_and(|t| recognize::is_specification(&t))
        };
        self.is_in_dict(expr, parents, |pairs| pairs.iter().any(kind))
    }

    /// Whether a policy is part of a recorded call of the AWS API.
    fn is_in_recorded_call(&self, expr: ExprId, parents: &Wholes) -> bool {
        let m = self.module_ref();
        self.is_in_dict(expr, parents, |pairs| {
            recognize::has_event_keys(|key| {
                pairs
                    .iter()
                    .any(|p| p.key.and_then(|k| m.string(k)).as_deref() == Some(key))
            })
        })
    }

    /// What has a policy among its arguments.
    fn holder_of(&self, expr: ExprId, parents: &Wholes) -> Option<PolicyHolder> {
        let m = self.module_ref();
        let above = std::iter::successors(Some(expr), |e| parents[*e]);
        let calls = above.take(8).filter_map(|e| m.call(e));
        let mut found = calls.filter_map(|call| {
            let class = self.class_of(call);
            let mut rows = CONSTRUCTS.iter().filter(|(name, ..)| *name == class);
            rows.find_map(|(_, kind, keyword)| {
                let name = self.values.value(self.module, call.keyword(keyword)?);
                let name = name.as_text().filter(|t| t.is_known())?.clone();
                Some(PolicyHolder { kind, name })
            })
        });
        found.next()
    }

    /// Whether a dict around an expression, or the expression itself, is such a one.
    fn is_in_dict(&self, expr: ExprId, parents: &Wholes, is: impl Fn(&[Pair]) -> bool) -> bool {
        let m = self.module_ref();
        let mut holders = std::iter::successors(Some(expr), |e| parents[*e]).take(5);
        holders.any(|e| matches!(&m.expr(e).kind, ExprKind::Dict(pairs) if is(pairs)))
    }

    /// A JSON text, with the operations that are done to it where it stands: `"…" % x`, `"…".format(x)`.
    fn text(
        &self,
        expr: ExprId,
        parents: &Wholes,
        names: &AssignedNames,
        used: &mut UsedLiterals,
        unit: &mut LoweredUnit,
    ) {
        let m = self.module_ref();
        let span = m.expr(expr).span;
        let here = (span.file, span.start)..(span.file, span.end);
        if used.range(here).next().is_some() {
            return;
        }
        let mut top = expr;
        for _ in 0..8 {
            let Some(parent) = parents[top] else { break };
            top = match &m.expr(parent).kind {
                ExprKind::Binary { op, left, .. } if matches!(&**op, "%" | "+") && *left == top => parent,
                ExprKind::Attr { of, name, .. }
                    if *of == top && matches!(&**name, "format" | "replace" | "strip" | "encode") =>
                {
                    match parents[parent] {
                        Some(call) => call,
                        None => break,
                    }
                }
                ExprKind::Call(c)
                    if c.positional(0) == Some(top) && matches!(method_of(m, c), "loads" | "dedent" | "cleandoc") =>
                {
                    parent
                }
                _ => break,
            };
        }
        let v = match self.judged.value(self.module, top) {
            v if is_document(&v) => v,
            _ => self.judged.value(self.module, expr),
        };
        if !is_document(&v) {
            return;
        }
        mark_used(&v, used);
        if self.is_sample(top, names, parents) || self.is_in_recorded_call(top, parents) {
            return;
        }
        let name = names.address(self, top);
        match documents_in(&v) {
            Some(inner) => {
                let each = inner
                    .into_iter()
                    .map(|d| self.unattached_policy(d, name.clone(), "str"));
                unit.loose.extend(each);
            }
            None => unit.loose.push(self.unattached_policy(v, name, "str")),
        }
    }
}

/// The documents inside an object of JSON that is not one itself: a template, a list of policies by name. `None` for a document,
/// and for what cannot be read as an object.
fn documents_in(v: &Value) -> Option<Vec<Value>> {
    let ValueKind::Str(text) = &v.kind else { return None };
    let (whole, _) = data::embedded(text, v.span)?;
    let is_element = |e: &MapEntry| e.key.known().is_none_or(|k| POLICY_ELEMENTS.contains(&&*k));
    if whole.entries()?.iter().any(is_element) {
        return None;
    }
    let (mut found, mut open) = (Vec::new(), vec![&whole]);
    while let Some(value) = open.pop() {
        if recognize::is_event(value) {
            continue;
        }
        if is_document(value) && value.entries().is_some() {
            found.push(value.clone());
            continue;
        }
        match &value.kind {
            ValueKind::Map(entries) => open.extend(entries.iter().rev().map(|e| &e.value)),
            ValueKind::Seq(items) => open.extend(items.iter().rev()),
            _ => {}
        }
    }
    Some(found)
}

/// A document with statements of its own, as a dict or as JSON text.
pub(super) fn is_document(v: &Value) -> bool {
    recognize::is_policy_or_text(v) && !recognize::is_assembled(v)
}

/// A statement alone as a document; what the document adds points at the statement.
pub(super) fn document_of(statement: Value) -> Value {
    let span = statement.span;
    document_with(vec![statement], span)
}

/// Statements as a document; what it adds points at `span`.
pub(super) fn document_with(statements: Vec<Value>, span: Span) -> Value {
    let entries = vec![
        synthetic_entry("Version", Value::synthetic("2012-10-17", span)),
        synthetic_entry("Statement", Value::seq(statements, span)),
    ];
    Value::map(entries, span)
}

/// A text for `str.format` has its braces doubled.
fn strip_braces(text: &str) -> String {
    if text.trim_start().starts_with("{{") {
        text.replace("{{", "{").replace("}}", "}")
    } else {
        text.to_owned()
    }
}

/// Of parts that may be a document or hold one.
fn parents_of(m: &PythonModule) -> Wholes {
    m.wholes(|kind| {
        !matches!(
            kind,
            ExprKind::Join(_)
                | ExprKind::Conditional { .. }
                | ExprKind::Comprehension { .. }
                | ExprKind::Await(_)
                | ExprKind::Star(_)
                | ExprKind::Walrus(_)
        )
    })
}

/// Which variables expressions are assigned to.
pub(super) struct AssignedNames {
    /// Expression → scope, name, index of the binding.
    bound: BTreeMap<ExprId, (ScopeId, Arc<str>, usize)>,
    attributes: BTreeMap<ExprId, (ScopeId, Arc<str>)>,
    keywords: BTreeMap<ExprId, Arc<str>>,
    /// The dict that a value stands in, and its key there.
    held: BTreeMap<ExprId, (ExprId, Arc<str>)>,
    /// Where names are read.
    reads: BTreeMap<Arc<str>, Vec<ExprId>>,
}

impl AssignedNames {
    pub(super) fn new(m: &PythonModule) -> Self {
        let mut bound = BTreeMap::new();
        for (i, s) in m.scopes.iter_enumerated() {
            for (name, all) in &s.bindings {
                for (n, b) in all.iter().enumerate() {
                    if let BindingValue::Value(source) = &b.bound
                        && source.steps.is_empty()
                    {
                        bound.insert(source.expr, (i, name.clone(), n));
                    }
                }
            }
        }
        let attributes = m
            .attributes
            .iter()
            .filter_map(|a| {
                let s = a.source.as_ref().filter(|s| s.steps.is_empty())?;
                Some((s.expr, (a.scope, a.name.clone())))
            })
            .collect();
        let mut keywords = BTreeMap::new();
        let mut held = BTreeMap::new();
        let mut reads: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for id in m.ids() {
            match &m.expr(id).kind {
                ExprKind::Name(name) if m.expr(id).usage == Usage::Load => {
                    reads.entry(name.clone()).or_default().push(id);
                }
                ExprKind::Call(c) => {
                    for a in &c.args {
                        if let crate::python::ArgName::Keyword(k, _) = &a.name {
                            keywords.insert(a.value, k.clone());
                        }
                    }
                }
                ExprKind::Dict(pairs) => {
                    for p in pairs {
                        if let Some(k) = p.key.and_then(|k| m.string(k)) {
                            keywords.insert(p.value, Arc::from(&*k));
                            held.insert(p.value, (id, Arc::from(&*k)));
                        }
                    }
                }
                _ => {}
            }
        }
        Self {
            bound,
            attributes,
            keywords,
            held,
            reads,
        }
    }

    /// The value, with all that is done to the variable that holds it, or that holds the dict that it stands in.
    fn value(&self, l: &CallLowering<'_>, expr: ExprId) -> Value {
        let (mut keys, mut top) = (Vec::new(), expr);
        while let Some((dict, key)) = self.held.get(&top).filter(|_| keys.len() < MAX_KEYS) {
            keys.push(&**key);
            top = *dict;
        }
        if !keys.is_empty() && self.bound.contains_key(&top) {
            keys.reverse();
            let whole = self.final_value(l, top);
            if let Some(v) = whole.path(&keys).filter(|v| v.span == l.module_ref().expr(expr).span) {
                return v.clone();
            }
        }
        self.final_value(l, expr)
    }

    fn final_value(&self, l: &CallLowering<'_>, expr: ExprId) -> Value {
        match self.bound.get(&expr) {
            Some((scope, name, n)) => {
                let m = &l.program.modules[l.module];
                match m.scope(*scope).bindings.get(name).and_then(|b| b.get(*n)) {
                    Some(b) => l.judged.final_value(l.module, *scope, name, b, expr),
                    None => l.judged.value(l.module, expr),
                }
            }
            None => l.judged.value(l.module, expr),
        }
    }

    /// What the argument or key that holds the document says it is.
    fn keyword(&self, expr: ExprId) -> Option<PolicyKind> {
        match self.keywords.get(&expr).map(|k| &**k) {
            Some("AssumeRolePolicyDocument" | "assume_role_policy_document" | "assume_role_policy") => {
                Some(PolicyKind::Trust)
            }
            _ => None,
        }
    }

    pub(super) fn address(&self, l: &CallLowering<'_>, expr: ExprId) -> Option<Address> {
        let m = &l.program.modules[l.module];
        let named = |scope: ScopeId, name: &str| {
            let q = &m.scope(scope).qualname;
            let name = if &**q == "<module>" {
                name.to_owned()
            } else {
                format!("{q}.{name}")
            };
            Some(Address {
                scope: l.scope.clone(),
                name: name.into(),
            })
        };
        if let Some((scope, name, _)) = self.bound.get(&expr) {
            return named(*scope, name);
        }
        if let Some((scope, name)) = self.attributes.get(&expr) {
            return named(*scope, name);
        }
        let function = m.scope(m.function_of(m.expr(expr).scope));
        Some(Address {
            scope: l.scope.clone(),
            name: function.qualname.clone(),
        })
    }

    pub(super) fn function(l: &CallLowering<'_>, expr: ExprId, what: &str) -> Address {
        let m = &l.program.modules[l.module];
        let function = m.scope(m.function_of(m.expr(expr).scope));
        let name = match &*function.qualname {
            "<module>" => what.to_owned(),
            q => format!("{q}>{what}"),
        };
        Address {
            scope: l.scope.clone(),
            name: name.into(),
        }
    }
}
