//! What one call needs: actions, what triggers the conditional ones, and the resources as far as they are known.

mod caller_rights;
mod nested;
mod resources;

use std::collections::BTreeMap;

use crate::iam::sdk::{self, Client, SdkOperation, Trigger};
use crate::iam::unlisted::UnlistedMethod;
use crate::python::calls::call_sites::{CallSite, CallTarget, callee_span};
use crate::python::calls::{Actions, ApiCall, CallForm, ConditionalAction};
use crate::python::points_to::ScopeRef;
use crate::python::{Arg, ArgName, ConstantEvaluator, ExprId, ExprKind, PythonModule};
use crate::source::Text;
use crate::value::{Branch, Value, ValueKind, guard};

/// Three answers to "is this argument given?".
#[derive(Clone, Copy, PartialEq, Eq)]
enum ArgumentPresence {
    Yes,
    No,
    Perhaps,
}

/// Reads the arguments of calls of one module.
pub(super) struct ArgumentReader<'v, 'p> {
    values: &'v ConstantEvaluator<'p>,
    m: &'p PythonModule,
    module: usize,
    /// The calls of `paginate` and `wait`, by the expression that made the paginator or waiter.
    begun: BTreeMap<ExprId, Vec<ExprId>>,
}

impl<'v, 'p> ArgumentReader<'v, 'p> {
    pub(super) fn new(values: &'v ConstantEvaluator<'p>, m: &'p PythonModule, module: usize) -> Self {
        let mut begun: BTreeMap<ExprId, Vec<ExprId>> = BTreeMap::new();
        for (call, e) in m.exprs.iter_enumerated() {
            if let ExprKind::Call(c) = &e.kind
                && let ExprKind::Attr { of, name, .. } = &m.expr(c.function).kind
                && matches!(&**name, "paginate" | "wait")
                && let Some(maker) = m.defining_expression(*of)
            {
                begun.entry(maker).or_default().push(call);
            }
        }
        Self {
            values,
            m,
            module,
            begun,
        }
    }

    pub(super) fn api_call(&self, site: &CallSite) -> ApiCall {
        let scope = self.m.runs_in(site.at.1);
        let span = callee_span(self.m, site.at.1);
        let mut on = nested::NeededOn::new();
        let (service, operation, actions, resources, source) = match &site.target {
            CallTarget::Operation(client, op) => {
                let mut actions = self.actions(*client, *op, site);
                on = self.items(*client, *op, site, &mut actions);
                (
                    client.name().into(),
                    Some(op.name()),
                    actions,
                    self.resources(*client, *op, site, span),
                    self.copy_source(*client, *op, site, span),
                )
            }
            CallTarget::Unlisted { service, needs, .. } => {
                let mut actions = Actions::default();
                match needs {
                    UnlistedMethod::Action(action) => actions.conditional.push(ConditionalAction::possible(action)),
                    UnlistedMethod::AnyOf(prefix) => actions.any_of_service = Some(prefix),
                }
                (service.clone(), None, actions, Vec::new(), None)
            }
            CallTarget::Actions { service, all, any } => {
                let (required, any_of) = if *any {
                    (Vec::new(), all.clone())
                } else {
                    (all.clone(), Vec::new())
                };
                let actions = Actions {
                    required,
                    any_of,
                    ..Actions::default()
                };
                (
                    service.clone(),
                    None,
                    actions,
                    self.named_resources(service, site, span),
                    None,
                )
            }
        };
        ApiCall {
            service,
            method: site.method.clone(),
            operation,
            actions,
            resources,
            source,
            on,
            span,
            at: ScopeRef {
                module: self.module,
                scope,
            },
            function: self.m.scope(scope).qualname.clone(),
            certain: site.certain,
            form: site.form,
            callers: site.callers.clone(),
        }
    }

    /// The call that has the operation's parameters.
    fn call(&self, site: &CallSite) -> Option<&crate::python::CallExpr> {
        let made = site.call?;
        let at = match self.begun.get(&made).map(Vec::as_slice) {
            Some([one]) if matches!(&*site.method, "get_paginator" | "get_waiter") => *one,
            _ => made,
        };
        self.m.call(at)
    }

    /// The value of a parameter, also from `**{…}`, `Params={…}` of a presigned URL, `ExtraArgs={…}` of a transfer and the
    /// positional parameters of transfers.
    fn argument(&self, site: &CallSite, name: &str) -> Option<Value> {
        let call = self.call(site)?;
        if let Some(e) = call.keyword(name) {
            return Some(self.values.value(self.module, e));
        }
        if let Some(i) = positional(site).iter().position(|p| *p == name)
            && let Some(e) = call.positional(i + site.skipped())
        {
            return Some(self.values.value(self.module, e));
        }
        for a in &call.args {
            if is_parameter_dict(site, call, a)
                && let Some(v) = self.values.value(self.module, a.value).get(name)
            {
                return Some(v.clone());
            }
        }
        None
    }

    fn argument_presence(&self, site: &CallSite, name: &str) -> ArgumentPresence {
        if self.argument(site, name).is_some() {
            return ArgumentPresence::Yes;
        }
        let Some(call) = self.call(site) else {
            // The arguments are given where the method is called.
            return match site.form {
                CallForm::Direct => ArgumentPresence::No,
                CallForm::ByValue | CallForm::Reference => ArgumentPresence::Perhaps,
            };
        };
        // A call of what `partial` makes may give more.
        let open = site.skipped() > 0
            || call.args.iter().any(|a| {
                a.name == ArgName::Star
                    || is_parameter_dict(site, call, a) && {
                        let v = self.values.value(self.module, a.value);
                        v.entries().is_none_or(|e| e.iter().any(|e| e.key.known().is_none()))
                    }
            });
        if open {
            ArgumentPresence::Perhaps
        } else {
            ArgumentPresence::No
        }
    }

    fn actions(&self, client: Client, op: SdkOperation, site: &CallSite) -> Actions {
        let mut conditional: Vec<ConditionalAction> = Vec::new();
        for c in op.conditional() {
            match c.trigger {
                Trigger::Never | Trigger::Bucket(_) => {}
                Trigger::Unknown => conditional.push(ConditionalAction::possible(c.action)),
                Trigger::Params(params) => {
                    let mut perhaps = false;
                    for p in params {
                        match self.argument_presence(site, p) {
                            ArgumentPresence::Yes => {
                                conditional.push(ConditionalAction {
                                    trigger: Some(p.into()),
                                    ..ConditionalAction::possible(c.action)
                                });
                                perhaps = false;
                                break;
                            }
                            ArgumentPresence::Perhaps => perhaps = true,
                            ArgumentPresence::No => {}
                        }
                    }
                    if perhaps {
                        conditional.push(ConditionalAction::possible(c.action));
                    }
                }
            }
        }
        if let Some(pass) = op.pass_role() {
            self.pass_role(&pass, site, &mut conditional);
        }
        conditional.extend(self.caller_rights(client, op, site));
        conditional.extend(op.kms_actions(client).into_iter().map(ConditionalAction::possible));
        let mut any_of: Vec<&'static str> = op.alternative_actions().collect();
        if let Some(one) = self.argument(site, "Statement").and_then(|s| partiql(&any_of, &s)) {
            any_of = vec![one];
        }
        let mut actions = Actions {
            required: op.required().collect(),
            any_of,
            conditional,
            any_of_service: None,
        };
        self.replace(client, op, site, &mut actions);
        actions
    }

    /// The role that the call passes, if it does.
    fn pass_role(&self, pass: &sdk::PassRole, site: &CallSite, out: &mut Vec<ConditionalAction>) {
        let possible = ConditionalAction {
            passed_to: pass.to.clone(),
            ..ConditionalAction::possible("iam:PassRole")
        };
        if pass.params.is_empty() {
            out.push(possible);
            return;
        }
        let mut perhaps = false;
        for path in &pass.params {
            let mut parts = path.split('.');
            let first = parts.next().unwrap_or("");
            match self.argument(site, first) {
                Some(v) => match presence_at(&v, &parts.collect::<Vec<_>>(), 0) {
                    (ArgumentPresence::Yes, role) => {
                        out.push(ConditionalAction {
                            trigger: Some(first.into()),
                            resources: role.into_iter().collect(),
                            ..possible
                        });
                        return;
                    }
                    (ArgumentPresence::Perhaps, _) => perhaps = true,
                    (ArgumentPresence::No, _) => {}
                },
                None => perhaps |= self.argument_presence(site, first) == ArgumentPresence::Perhaps,
            }
        }
        if perhaps {
            out.push(possible);
        }
    }
}

/// The one PartiQL action of these that the statement's first word says.
fn partiql(any_of: &[&'static str], statement: &Value) -> Option<&'static str> {
    any_of.iter().find(|a| a.starts_with("dynamodb:PartiQL"))?;
    let text = statement.as_text()?.prefix();
    let word = text.split_whitespace().next()?.to_ascii_lowercase();
    let mut named = any_of.iter().copied();
    named.find(|a| a.to_ascii_lowercase().ends_with(&format!("partiql{word}")))
}

fn text_of(v: &Value) -> Option<Text> {
    match &v.kind {
        ValueKind::Str(t) => Some(t.clone()),
        ValueKind::Unknown(h) => Some(Text::hole((**h).clone())),
        _ => None,
    }
}

/// Whether something stands at a path inside a value, and what, when it is a text.
fn presence_at(v: &Value, path: &[&str], depth: u32) -> (ArgumentPresence, Option<Text>) {
    if depth > 12 {
        return (ArgumentPresence::Perhaps, None);
    }
    let Some((first, rest)) = path.split_first() else {
        return match &v.kind {
            ValueKind::Null => (ArgumentPresence::No, None),
            // What a branch of the code sets may not be there.
            ValueKind::OneOf(branches) => {
                let given = |b: &Branch| matches!(presence_at(&b.value, path, depth + 1).0, ArgumentPresence::Yes);
                let guards = branches.iter().filter(|b| given(b)).map(|b| &b.when);
                match guard::is_certain(guards) {
                    true => (ArgumentPresence::Yes, None),
                    false => (ArgumentPresence::Perhaps, None),
                }
            }
            _ => (ArgumentPresence::Yes, text_of(v)),
        };
    };
    match &v.kind {
        ValueKind::Map(entries) => match v.get(first) {
            Some(inner) => presence_at(inner, rest, depth + 1),
            None if *first == "[]" => presence_at(v, rest, depth + 1),
            None if entries.iter().any(|e| e.key.known().is_none()) => (ArgumentPresence::Perhaps, None),
            None => (ArgumentPresence::No, None),
        },
        ValueKind::Seq(items) => {
            let path = if *first == "[]" { rest } else { path };
            let mut answer = (ArgumentPresence::No, None);
            for i in items.iter().take(50) {
                match presence_at(i, path, depth + 1) {
                    yes @ (ArgumentPresence::Yes, _) => return yes,
                    perhaps @ (ArgumentPresence::Perhaps, _) => answer = perhaps,
                    (ArgumentPresence::No, _) => {}
                }
            }
            answer
        }
        ValueKind::Unknown(_) | ValueKind::OneOf(_) => (ArgumentPresence::Perhaps, None),
        _ => (ArgumentPresence::No, None),
    }
}

/// Whether an argument is a dict of parameters of the operation.
fn is_parameter_dict(site: &CallSite, call: &crate::python::CallExpr, a: &Arg) -> bool {
    match &a.name {
        ArgName::Spread => true,
        ArgName::Keyword(k, _) => is_parameter_container(k),
        ArgName::Positional => positional(site)
            .iter()
            .enumerate()
            .any(|(i, p)| is_parameter_container(p) && call.positional(i + site.skipped()) == Some(a.value)),
        ArgName::Star => false,
    }
}

/// Whether a parameter holds parameters of the operation: `extra_args` is S3Transfer's name for `ExtraArgs`, `api_params`
/// is botocore's for all of them.
fn is_parameter_container(parameter: &str) -> bool {
    matches!(parameter, "Params" | "ExtraArgs" | "extra_args" | "api_params")
}

/// Positional parameters of boto3's transfer methods (boto3 reference, "S3.Client.upload_file", "S3.Bucket.upload_file",
/// "S3.Object.upload_file"): an object does not need what it knows.
fn positional(site: &CallSite) -> &'static [&'static str] {
    if let Some(object) = site.object {
        return match (object.ty.name(), &*site.method) {
            ("Bucket", "upload_file") => &["Filename", "Key", "ExtraArgs"],
            ("Bucket", "upload_fileobj") => &["Fileobj", "Key", "ExtraArgs"],
            ("Bucket", "download_file") => &["Key", "Filename", "ExtraArgs"],
            ("Bucket", "download_fileobj") => &["Key", "Fileobj", "ExtraArgs"],
            ("Bucket", "copy") => &["CopySource", "Key", "ExtraArgs"],
            (_, "upload_file" | "download_file") => &["Filename", "ExtraArgs"],
            (_, "upload_fileobj" | "download_fileobj") => &["Fileobj", "ExtraArgs"],
            (_, "copy") => &["CopySource", "ExtraArgs"],
            _ => &[],
        };
    }
    match &*site.method {
        "upload_file" => &["Filename", "Bucket", "Key", "ExtraArgs"],
        "upload_fileobj" => &["Fileobj", "Bucket", "Key", "ExtraArgs"],
        "download_file" => &["Bucket", "Key", "Filename", "ExtraArgs"],
        "download_fileobj" => &["Bucket", "Key", "Fileobj", "ExtraArgs"],
        "copy" => &["CopySource", "Bucket", "Key", "ExtraArgs"],
        "generate_presigned_url" => &["ClientMethod", "Params", "ExpiresIn", "HttpMethod"],
        "_make_api_call" => &["operation_name", "api_params"],
        "generate_presigned_post" => &["Bucket", "Key"],
        _ => &[],
    }
}
