//! boto3 calls to canonical resources.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::candidates::{candidate_calls, has_key, is_open};
use super::cdk_source::Making;
use super::loose::is_document;
use super::parameters::positional;
use crate::formats::cfn_fragments::has_functions;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::{PolicyKind, SourceFormat};
use crate::model::resource_types::{self, CallOutput, LoweredOperation, OPERATIONS};
use crate::model::{Address, LoweredUnit, Resource, UnattachedPolicy};
use crate::python::receiver::{Objects, Receiver, Receivers};
use crate::python::{ArgName, CallExpr, ConstantEvaluator, ExprId, ExprKind, Program, PythonModule};
use crate::source::{Span, Text};
use crate::value::{Branch, MapEntry, Value, ValueKind};

/// Lowers the calls of one module.
pub(super) struct CallLowering<'p> {
    pub program: &'p Program<'p>,
    pub module: usize,
    pub values: ConstantEvaluator<'p>,
    /// For what is judged: with every value that may be meant.
    pub judged: ConstantEvaluator<'p>,
    /// In which of its makings a construct of the CDK is evaluated.
    pub(super) making: RefCell<Making>,
    pub(super) receivers: Receivers<'p>,
    /// The module mentions an AWS SDK.
    pub sdk: bool,
    pub scope: Arc<str>,
    /// Whether functions of CloudFormation may be written in it.
    pub(super) functions: bool,
}

/// A call that was recognised, before its arguments are read.
pub(super) struct LoweredCall {
    expr: ExprId,
    operations: Vec<&'static LoweredOperation>,
    receiver: Receiver,
    address: Address,
}

impl<'p> CallLowering<'p> {
    pub(super) fn new(program: &'p Program<'p>, module: usize, objects: &'p Objects) -> Self {
        let file = program.modules[module].file;
        let text = program.sources.text(file);
        let sdk = ["boto", "aws_cdk"]
            .iter()
            .any(|w| memchr::memmem::find(text.as_bytes(), w.as_bytes()).is_some());
        Self {
            program,
            module,
            values: ConstantEvaluator::new(program),
            judged: ConstantEvaluator::with_alternatives(program),
            making: RefCell::default(),
            receivers: Receivers::new(program, module, objects),
            sdk,
            functions: has_functions(text),
            scope: program.sources.path(file).into(),
        }
    }

    pub(super) fn module(&self) -> &'p PythonModule {
        &self.program.modules[self.module]
    }

    /// Finds the calls that make resources, and tells the evaluator their addresses: their results are references.
    pub(super) fn find_calls(&mut self) -> Vec<LoweredCall> {
        let m = self.module();
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut sites = Vec::new();
        for (expr, of, candidates) in candidate_calls(m) {
            let Some(call) = m.call(expr) else { continue };
            let receiver = self.receivers.receiver(of);
            let operations: Vec<&'static LoweredOperation> = candidates
                .iter()
                .copied()
                .filter(|o| self.accepts(o, &receiver, call))
                .collect();
            if operations.is_empty() {
                continue;
            }
            let function = m.scope(m.function_of(m.expr(expr).scope));
            let name = match &*function.qualname {
                "<module>" => method_of(m, call).to_owned(),
                q => format!("{q}>{}", method_of(m, call)),
            };
            let n = counts.entry(name.clone()).or_insert(0);
            *n += 1;
            let address = Address {
                scope: self.scope.clone(),
                name: if *n == 1 {
                    name.into()
                } else {
                    format!("{name}#{n}").into()
                },
            };
            for values in [&mut self.values, &mut self.judged] {
                values.set_target(self.module, expr, address.scope.clone(), address.name.clone());
            }
            sites.push(LoweredCall {
                expr,
                operations,
                receiver,
                address,
            });
        }
        sites
    }

    /// Whether a call with this receiver is that operation, for all we know.
    fn accepts(&self, o: &LoweredOperation, receiver: &Receiver, call: &CallExpr) -> bool {
        let open = is_open(call);
        let has_key = has_key(o, call);
        let sub = o.method.split_once('.').map(|(t, _)| t);
        let keyed = has_key || o.keys.is_empty() || (open && !matches!(receiver, Receiver::Unknown));
        match receiver {
            Receiver::Client(service) => {
                sub.is_none()
                    && keyed
                    && service
                        .as_ref()
                        .is_none_or(|s| o.services.is_empty() || o.services.contains(&&**s))
            }
            Receiver::Object { kind, .. } => sub == Some(&**kind) && keyed,
            // A role object that came from elsewhere is recognized by the policy's ARN or the document.
            Receiver::Unknown if sub.is_some() => {
                self.sdk && has_key && sub == Some("Role") && o.method.ends_with("attach_policy")
            }
            Receiver::Unknown => has_key && (self.sdk || self.has_document_argument(call)),
            Receiver::Session => false,
            Receiver::Other => sub.is_none() && has_key && self.has_document_argument(call),
        }
    }

    fn has_document_argument(&self, call: &CallExpr) -> bool {
        call.args
            .iter()
            .any(|a| is_document(&self.judged.value(self.module, a.value)))
    }

    /// The keyword arguments of a call as entries; `**known` spreads are laid open. Only arguments that are `judged` may
    /// have alternatives.
    pub(super) fn arguments(&self, call: &CallExpr, names: &[&str], judged: impl Fn(&str) -> bool) -> Vec<MapEntry> {
        let mut out: Vec<MapEntry> = Vec::new();
        let mut n = 0;
        for a in &call.args {
            let name = match &a.name {
                ArgName::Keyword(k, _) => Some(&**k),
                ArgName::Positional => names.get(n).copied(),
                ArgName::Star | ArgName::Spread => None,
            };
            let v = match name.is_some_and(&judged) {
                true => self.judged.value(self.module, a.value),
                false => self.values.value(self.module, a.value),
            };
            match &a.name {
                ArgName::Keyword(k, span) => out.push(MapEntry {
                    key: Text::verbatim(k, span.file, span.start as usize),
                    key_span: *span,
                    value: v,
                }),
                ArgName::Positional => {
                    if let Some(name) = names.get(n) {
                        out.push(synthetic_entry(name, v));
                    }
                    n += 1;
                }
                ArgName::Spread => match v.entries() {
                    Some(more) => out.extend(more.iter().cloned()),
                    None => out.push(open_entry(&v)),
                },
                ArgName::Star => {}
            }
        }
        out
    }

    /// Lowers one recognised call.
    pub(super) fn lower(&self, site: &LoweredCall, unit: &mut LoweredUnit) {
        let m = self.module();
        let Some(call) = m.call(site.expr) else { return };
        for o in &site.operations {
            let mut entries = self.arguments(call, positional(o.method), |name| !is_name(name));
            self.identity(&site.receiver, o.method, &mut entries);
            match o.makes {
                CallOutput::Resource(renames) => {
                    if o.kind == "AWS::Events::EventBusPolicy" && entries.iter().any(|e| is_key(e, "Policy")) {
                        continue;
                    }
                    for e in &mut entries {
                        rename(e, renames);
                    }
                    unit.resources.push(self.resource(site, o.kind, entries));
                }
                CallOutput::Document(keyword, kind) => {
                    let Some(v) = entries
                        .iter()
                        .rev()
                        .find(|e| is_key(e, keyword))
                        .map(|e| e.value.clone())
                    else {
                        continue;
                    };
                    // Glacier wraps the text: policy={"Policy": "…"}.
                    let v = match v.get("Policy") {
                        Some(inner) if !is_document(&v) => inner.clone(),
                        _ => v,
                    };
                    // A session never gets more than its role, whatever its policy says.
                    if v.is_unknown() && kind == PolicyKind::Session {
                        continue;
                    }
                    let service = match kind {
                        PolicyKind::Resource => resource_types::service_of(o.kind),
                        _ => None,
                    };
                    unit.loose.push(UnattachedPolicy {
                        value: v,
                        format: SourceFormat::Python,
                        kind: Some(kind),
                        suggested: None,
                        holders: Vec::new(),
                        roles: Vec::new(),
                        service: service.map(Arc::from),
                        name: Some(site.address.clone()),
                        type_name: method_of(m, call).into(),
                    });
                }
                CallOutput::Call => {
                    let mut all = vec![
                        synthetic_entry(
                            "Operation",
                            Value::synthetic(&pascal(method_of(m, call)), self.header(call)),
                        ),
                        synthetic_entry("Service", self.service_of(o, site, call)),
                    ];
                    all.append(&mut entries);
                    unit.resources.push(self.resource(site, o.kind, all));
                }
                CallOutput::Attributes(owner, list) => {
                    let policy = entries
                        .iter()
                        .find(|e| is_key(e, "Attributes"))
                        .and_then(|e| e.value.entry("Policy"))
                        .cloned();
                    if let Some(policy) = policy {
                        let props = policy_props(policy, &entries, owner, list);
                        unit.resources.push(self.resource(site, o.kind, props));
                    }
                }
                CallOutput::Shares(property, paths) => {
                    let takes_away = entries
                        .iter()
                        .any(|e| is_key(e, "OperationType") && e.value.as_str().as_deref() == Some("remove"));
                    let whole = Value::map(entries, m.expr(site.expr).span);
                    let mut shared = Vec::new();
                    for path in paths {
                        values_at(&whole, path, &mut shared);
                    }
                    if let Some(first) = shared.first().filter(|_| !takes_away) {
                        let span = first.span;
                        let nested = |value, name: &&str| Value::map(vec![synthetic_entry(name, value)], span);
                        let shared = match shared.as_slice() {
                            [one] => one.clone(),
                            _ => Value::seq(shared, span),
                        };
                        let props = property.iter().rev().fold(shared, nested);
                        let props = props.entries().unwrap_or_default().to_vec();
                        unit.resources.push(self.resource(site, o.kind, props));
                    }
                }
                CallOutput::Attribute(owner, list) => {
                    let is_policy = entries
                        .iter()
                        .any(|e| is_key(e, "AttributeName") && e.value.as_str().as_deref() == Some("Policy"));
                    let value = entries.iter().find(|e| is_key(e, "AttributeValue")).cloned();
                    if let (true, Some(policy)) = (is_policy, value) {
                        let props = policy_props(policy, &entries, owner, list);
                        unit.resources.push(self.resource(site, o.kind, props));
                    }
                }
            }
        }
    }

    /// `iam.Role("x").attach_policy(...)`: the object's own name joins the arguments.
    fn identity(&self, receiver: &Receiver, method: &str, entries: &mut Vec<MapEntry>) {
        let Receiver::Object { kind, call } = receiver else {
            return;
        };
        let Some(call) = self.module().call(*call) else { return };
        let names: &[&str] = match &**kind {
            "Role" if method == "Role.attach_policy" => &["Role"],
            "User" if method == "User.attach_policy" => &["User"],
            "Group" if method == "Group.attach_policy" => &["Group"],
            "Policy" if method.starts_with("Policy.attach") => &["PolicyArn"],
            "User" => &["UserName"],
            "Group" => &["GroupName"],
            "RolePolicy" => &["RoleName", "PolicyName"],
            "UserPolicy" => &["UserName", "PolicyName"],
            "GroupPolicy" => &["GroupName", "PolicyName"],
            "AssumeRolePolicy" => &["RoleName"],
            "BucketPolicy" | "BucketAcl" | "Bucket" => &["Bucket"],
            "Object" | "ObjectAcl" => &["Bucket", "Key"],
            "Queue" => &["QueueUrl"],
            "Topic" => &["TopicArn"],
            _ => return,
        };
        // The ids of the objects that it was reached through come first: `iam.Role("r").Policy("p")`.
        let mut ids = Vec::new();
        self.add_identifiers(call, &mut ids, 0);
        for (name, v) in names.iter().zip(ids) {
            if !entries.iter().any(|e| is_key(e, name)) {
                entries.push(synthetic_entry(name, v));
            }
        }
    }

    fn add_identifiers(&self, call: &CallExpr, out: &mut Vec<Value>, depth: u32) {
        let m = self.module();
        if let ExprKind::Attr { of, .. } = &m.expr(call.function).kind
            && depth < 4
            && let Receiver::Object { call: outer, .. } = self.receivers.receiver(*of)
            && let Some(outer) = m.call(outer)
        {
            self.add_identifiers(outer, out, depth + 1);
        }
        for a in &call.args {
            if matches!(a.name, ArgName::Positional | ArgName::Keyword(..)) {
                out.push(self.values.value(self.module, a.value));
            }
        }
    }

    fn service_of(&self, o: &LoweredOperation, site: &LoweredCall, call: &CallExpr) -> Value {
        let span = self.header(call);
        match (&site.receiver, o.services) {
            (Receiver::Client(Some(s)), _) => Value::synthetic(s, span),
            (_, [one, ..]) => Value::synthetic(one, span),
            _ => Value::unknown_other("service", span),
        }
    }

    fn header(&self, call: &CallExpr) -> Span {
        let m = self.module();
        match &m.expr(call.function).kind {
            ExprKind::Attr { name_span, .. } => *name_span,
            _ => m.expr(call.function).span,
        }
    }

    fn resource(&self, site: &LoweredCall, kind: &str, entries: Vec<MapEntry>) -> Resource {
        self.made_resource(kind, site.expr, site.address.clone(), entries)
    }

    /// The resource that a call makes.
    pub(super) fn made_resource(&self, kind: &str, expr: ExprId, address: Address, entries: Vec<MapEntry>) -> Resource {
        let m = self.module();
        let extent = m.expr(expr).span;
        let (header, type_name) = match m.call(expr) {
            Some(c) => (m.expr(c.function).span, method_of(m, c)),
            None => (extent, ""),
        };
        Resource {
            kind: kind.into(),
            type_name: type_name.into(),
            address,
            format: SourceFormat::Python,
            header,
            extent,
            props: Value::map(entries, extent),
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        }
    }

    pub(super) fn plain_resource(
        &self,
        kind: &str,
        type_name: &str,
        expr: ExprId,
        header: Span,
        entries: Vec<MapEntry>,
    ) -> Resource {
        let m = self.module();
        let e = m.expr(expr);
        let function = m.scope(m.function_of(e.scope));
        let name: Arc<str> = match &*function.qualname {
            "<module>" => type_name.into(),
            q => format!("{q}>{type_name}").into(),
        };
        Resource {
            kind: kind.into(),
            type_name: type_name.into(),
            address: Address {
                scope: self.scope.clone(),
                name,
            },
            format: SourceFormat::Python,
            header,
            extent: e.span,
            props: Value::map(entries, e.span),
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        }
    }
}

/// Whether an argument says which thing is meant, rather than how it is set up.
fn is_name(argument: &str) -> bool {
    const ENDS: [&str; 9] = [
        "Name",
        "Id",
        "Identifier",
        "Identity",
        "Url",
        "Arn",
        "Bucket",
        "Key",
        "Body",
    ];
    argument != "PolicyArn" && ENDS.iter().any(|end| argument.ends_with(end))
}

/// The method's name as written.
pub(super) fn method_of<'m>(m: &'m PythonModule, call: &CallExpr) -> &'m str {
    match &m.expr(call.function).kind {
        ExprKind::Attr { name, .. } | ExprKind::Name(name) => name,
        _ => "",
    }
}

/// `put_object_acl` to `PutObjectAcl`.
/// Why no call of an operation, in AWS's spelling or as a pattern, is looked at by itself; `service` may be `*`.
pub(crate) fn unseen_call(service: &str, operation: &str) -> Option<String> {
    let is_named = |o: &&LoweredOperation| {
        let method = o.method.rsplit('.').next().unwrap_or(o.method);
        let of_service = service == "*" || o.services.is_empty() || o.services.contains(&service);
        of_service && glob::matches(operation, &pascal(method), CaseSensitivity::Sensitive)
    };
    let named: Vec<_> = OPERATIONS.iter().filter(is_named).collect();
    if named.iter().any(|o| matches!(o.makes, CallOutput::Call)) {
        return None;
    }
    let first = named.first()?;
    Some(match first.makes {
        CallOutput::Document(..) => format!("`{operation}` takes a policy: match its statements"),
        _ => format!(
            "`{operation}` makes the resource `{}`: match that with `resource`",
            first.kind
        ),
    })
}

pub(super) fn pascal(method: &str) -> String {
    let mut out = String::new();
    for part in method.split('_') {
        let mut chars = part.chars();
        if let Some(c) = chars.next() {
            out.extend(c.to_uppercase());
            out.push_str(chars.as_str());
        }
    }
    out
}

/// An entry whose key stands nowhere; it points at its value.
pub(super) fn synthetic_entry(key: &str, value: Value) -> MapEntry {
    MapEntry::synthetic(key, value.span, value)
}

fn open_entry(v: &Value) -> MapEntry {
    let hole = crate::source::Hole::new(crate::source::HoleKind::Other, "**", v.span);
    MapEntry {
        key: Text::hole(hole.clone()),
        key_span: v.span,
        value: Value::unknown(hole),
    }
}

fn is_key(e: &MapEntry, key: &str) -> bool {
    e.key.known().as_deref() == Some(key)
}

pub(super) fn rename(e: &mut MapEntry, renames: &[(&str, &str)]) {
    let Some(key) = e.key.known() else { return };
    if let Some((_, to)) = renames.iter().find(|(from, _)| *from == key) {
        e.key = Text::synthetic(to, e.key_span);
    }
}

/// What stands at a path, in each item of lists on the way.
fn values_at(value: &Value, path: &[&str], out: &mut Vec<Value>) {
    if let Some(items) = value.as_seq() {
        return items.iter().for_each(|item| values_at(item, path, out));
    }
    if let ValueKind::OneOf(branches) = &value.kind
        && !path.is_empty()
    {
        let below = branches.iter().map(|b| {
            let mut found = Vec::new();
            values_at(&b.value, path, &mut found);
            Branch {
                when: b.when.clone(),
                value: Value::seq(found, b.value.span),
            }
        });
        return out.push(Value::new(ValueKind::OneOf(below.collect()), value.span));
    }
    match path.split_first() {
        Some((first, rest)) => value.get(first).into_iter().for_each(|v| values_at(v, rest, out)),
        None => out.push(value.clone()),
    }
}

fn policy_props(policy: MapEntry, entries: &[MapEntry], owner: &str, list: &str) -> Vec<MapEntry> {
    let mut out = vec![MapEntry {
        key: Text::synthetic("PolicyDocument", policy.key_span),
        ..policy
    }];
    if let Some(e) = entries.iter().find(|e| is_key(e, owner)) {
        let v = Value::seq(vec![e.value.clone()], e.value.span);
        out.push(synthetic_entry(list, v));
    }
    out
}

/// The starts of all literals that `v` is made of: what is used in a resource is no document of its own.
pub(super) fn literal_starts(v: &Value, out: &mut Vec<(crate::source::FileId, u32)>) {
    let mut stack = vec![v];
    let mut budget = 200_000;
    while let Some(v) = stack.pop() {
        budget -= 1;
        if budget == 0 {
            return;
        }
        match &v.kind {
            ValueKind::Map(entries) => {
                out.push((v.span.file, v.span.start));
                stack.extend(entries.iter().map(|e| &e.value));
            }
            ValueKind::Seq(items) => stack.extend(items.iter()),
            ValueKind::Json(inner) => stack.push(inner),
            ValueKind::OneOf(branches) => stack.extend(branches.iter().map(|b| &b.value)),
            ValueKind::Str(t) => {
                if let Some(span) = t.pieces().first().and_then(|_| t.span_of(0..1.min(t.len()))) {
                    out.push((span.file, span.start));
                }
            }
            ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) | ValueKind::Unknown(_) => {}
        }
    }
}
