//! What one call needs: actions, what triggers the conditional ones, and the resources as far as they are known.

mod nested;
mod resources;

use std::collections::BTreeMap;

use super::sites::{Site, Target, callee_span};
use super::{Actions, Call, Conditional};
use crate::iam::sdk::{self, Client, Operation, Trigger};
use crate::model::python::objects::Place;
use crate::model::python::{Arg, ArgName, ExprId, ExprKind, Module, Values};
use crate::source::Text;
use crate::value::{Branch, Kind, Value, guard};

/// Three answers to "is this argument given?".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Yes,
    No,
    Perhaps,
}

/// Reads the arguments of calls of one module.
pub(super) struct Needs<'v, 'p> {
    values: &'v Values<'p>,
    m: &'p Module,
    module: usize,
    /// The calls of `paginate` and `wait`, by the expression that made the paginator or waiter.
    begun: BTreeMap<ExprId, Vec<ExprId>>,
}

impl<'v, 'p> Needs<'v, 'p> {
    pub(super) fn new(values: &'v Values<'p>, m: &'p Module, module: usize) -> Self {
        let mut begun: BTreeMap<ExprId, Vec<ExprId>> = BTreeMap::new();
        for (call, e) in (0..).zip(&m.exprs) {
            if let ExprKind::Call(c) = &e.kind
                && let ExprKind::Attr { of, name, .. } = &m.expr(c.function).kind
                && matches!(&**name, "paginate" | "wait")
                && let Some(maker) = m.made_by(*of)
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

    pub(super) fn of(&self, site: &Site) -> Call {
        let e = self.m.expr(site.at.1);
        let scope = self.m.function_of(e.scope);
        let span = callee_span(self.m, site.at.1);
        let mut on = nested::On::new();
        let (service, operation, actions, resources, source) = match &site.target {
            Target::Operation(client, op) => {
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
            Target::Actions { service, all, any } => {
                let (required, any_of) = if *any {
                    (Vec::new(), all.clone())
                } else {
                    (all.clone(), Vec::new())
                };
                let actions = Actions {
                    required,
                    any_of,
                    conditional: Vec::new(),
                };
                (service.clone(), None, actions, self.named(service, site, span), None)
            }
        };
        Call {
            service,
            method: site.method.clone(),
            operation,
            actions,
            resources,
            source,
            on,
            span,
            at: Place {
                module: self.module,
                scope,
            },
            function: self.m.scope(scope).qualname.clone(),
            certain: site.certain,
            callers: site.callers.clone(),
        }
    }

    /// The call that has the operation's parameters.
    fn call(&self, site: &Site) -> Option<&crate::model::python::Call> {
        let made = site.call?;
        let at = match self.begun.get(&made).map(Vec::as_slice) {
            Some([one]) if matches!(&*site.method, "get_paginator" | "get_waiter") => *one,
            _ => made,
        };
        self.m.call(at)
    }

    /// The value of a parameter, also from `**{…}`, `Params={…}` of a presigned URL, `ExtraArgs={…}` of a transfer and the
    /// positional parameters of transfers.
    fn argument(&self, site: &Site, name: &str) -> Option<Value> {
        let call = self.call(site)?;
        if let Some(e) = call.keyword(name) {
            return Some(self.values.value(self.module, e));
        }
        if let Some(i) = positional(site).iter().position(|p| *p == name)
            && let Some(e) = call.positional(i)
        {
            return Some(self.values.value(self.module, e));
        }
        for a in &call.args {
            if holds_parameters(site, call, a)
                && let Some(v) = self.values.value(self.module, a.value).get(name)
            {
                return Some(v.clone());
            }
        }
        None
    }

    fn given(&self, site: &Site, name: &str) -> Given {
        if self.argument(site, name).is_some() {
            return Given::Yes;
        }
        let Some(call) = self.call(site) else { return Given::No };
        let open = call.args.iter().any(|a| {
            a.name == ArgName::Star
                || holds_parameters(site, call, a) && {
                    let v = self.values.value(self.module, a.value);
                    v.entries().is_none_or(|e| e.iter().any(|e| e.key.known().is_none()))
                }
        });
        if open { Given::Perhaps } else { Given::No }
    }

    fn actions(&self, client: Client, op: Operation, site: &Site) -> Actions {
        let mut conditional: Vec<Conditional> = Vec::new();
        for c in op.conditional() {
            match c.trigger {
                Trigger::Never | Trigger::Bucket(_) => {}
                Trigger::Unknown => conditional.push(Conditional::possible(c.action)),
                Trigger::Params(params) => {
                    let mut perhaps = false;
                    for p in params {
                        match self.given(site, p) {
                            Given::Yes => {
                                conditional.push(Conditional {
                                    trigger: Some(p.into()),
                                    ..Conditional::possible(c.action)
                                });
                                perhaps = false;
                                break;
                            }
                            Given::Perhaps => perhaps = true,
                            Given::No => {}
                        }
                    }
                    if perhaps {
                        conditional.push(Conditional::possible(c.action));
                    }
                }
            }
        }
        if let Some(pass) = op.pass_role() {
            self.pass_role(&pass, site, &mut conditional);
        }
        conditional.extend(op.kms_actions(client).into_iter().map(Conditional::possible));
        let mut any_of: Vec<&'static str> = op.any_of().collect();
        if let Some(one) = self.argument(site, "Statement").and_then(|s| partiql(&any_of, &s)) {
            any_of = vec![one];
        }
        let mut actions = Actions {
            required: op.required().collect(),
            any_of,
            conditional,
        };
        self.replace(client, op, site, &mut actions);
        actions
    }

    /// The role that the call passes, if it does.
    fn pass_role(&self, pass: &sdk::PassRole, site: &Site, out: &mut Vec<Conditional>) {
        let possible = Conditional {
            passed_to: pass.to.clone(),
            ..Conditional::possible("iam:PassRole")
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
                Some(v) => match inside(&v, &parts.collect::<Vec<_>>(), 0) {
                    (Given::Yes, role) => {
                        out.push(Conditional {
                            trigger: Some(first.into()),
                            resources: role.into_iter().collect(),
                            ..possible
                        });
                        return;
                    }
                    (Given::Perhaps, _) => perhaps = true,
                    (Given::No, _) => {}
                },
                None => perhaps |= self.given(site, first) == Given::Perhaps,
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
        Kind::Str(t) => Some(t.clone()),
        Kind::Unknown(h) => Some(Text::hole((**h).clone())),
        _ => None,
    }
}

/// Whether something stands at a path inside a value, and what, when it is a text.
fn inside(v: &Value, path: &[&str], depth: u32) -> (Given, Option<Text>) {
    if depth > 12 {
        return (Given::Perhaps, None);
    }
    let Some((first, rest)) = path.split_first() else {
        return match &v.kind {
            Kind::Null => (Given::No, None),
            // What a branch of the code sets may not be there.
            Kind::OneOf(branches) => {
                let given = |b: &Branch| matches!(inside(&b.value, path, depth + 1).0, Given::Yes);
                let guards = branches.iter().filter(|b| given(b)).map(|b| &b.when);
                match guard::is_certain(guards) {
                    true => (Given::Yes, None),
                    false => (Given::Perhaps, None),
                }
            }
            _ => (Given::Yes, text_of(v)),
        };
    };
    match &v.kind {
        Kind::Map(entries) => match v.get(first) {
            Some(inner) => inside(inner, rest, depth + 1),
            None if *first == "[]" => inside(v, rest, depth + 1),
            None if entries.iter().any(|e| e.key.known().is_none()) => (Given::Perhaps, None),
            None => (Given::No, None),
        },
        Kind::Seq(items) => {
            let path = if *first == "[]" { rest } else { path };
            let mut answer = (Given::No, None);
            for i in items.iter().take(50) {
                match inside(i, path, depth + 1) {
                    yes @ (Given::Yes, _) => return yes,
                    perhaps @ (Given::Perhaps, _) => answer = perhaps,
                    (Given::No, _) => {}
                }
            }
            answer
        }
        Kind::Unknown(_) | Kind::OneOf(_) => (Given::Perhaps, None),
        _ => (Given::No, None),
    }
}

/// Whether an argument is a dict of parameters of the operation.
fn holds_parameters(site: &Site, call: &crate::model::python::Call, a: &Arg) -> bool {
    match &a.name {
        ArgName::Spread => true,
        ArgName::Keyword(k, _) => is_open_ended(k),
        ArgName::Positional => positional(site)
            .iter()
            .enumerate()
            .any(|(i, p)| is_open_ended(p) && call.positional(i) == Some(a.value)),
        ArgName::Star => false,
    }
}

/// Whether a parameter holds parameters of the operation: `extra_args` is S3Transfer's name for `ExtraArgs`, `api_params`
/// is botocore's for all of them.
fn is_open_ended(parameter: &str) -> bool {
    matches!(parameter, "Params" | "ExtraArgs" | "extra_args" | "api_params")
}

/// Positional parameters of boto3's transfer methods (boto3 reference, "S3.Client.upload_file", "S3.Bucket.upload_file",
/// "S3.Object.upload_file"): an object is told nothing that it knows.
fn positional(site: &Site) -> &'static [&'static str] {
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
