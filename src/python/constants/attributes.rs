//! Attributes and items: of modules, classes, results of calls.

use crate::python::constants::{ConstantEvaluator, cdk};
use crate::python::{Binding, BindingValue, ExprId, ExprKind, Reaching, ScopeId, ScopeKind};
use crate::source::{Hole, HoleKind, HoleTarget};
use crate::value::{Value, ValueKind};
use std::sync::Arc;

impl ConstantEvaluator<'_> {
    pub(super) fn attribute(&self, module: usize, expr: ExprId, of: ExprId, name: &str) -> Value {
        let m = self.module(module);
        let span = self.span(module, expr);
        if let Some((scope, address)) = self.creation(module, of) {
            let hole = Hole::new(HoleKind::Resource, self.source_text(span), span);
            return Value::unknown(hole.to(HoleTarget {
                scope,
                address,
                attribute: name.into(),
            }));
        }
        if let ExprKind::Name(base) = &m.expr(of).kind
            && let Reaching::Found(f) = m.reaching_bindings(base, of)
        {
            match f.bindings.as_slice() {
                [b] => match &b.bound {
                    BindingValue::Import(i) => {
                        if let Some(other) = self.program.import(m.file, 0, &i.module) {
                            return self.export(other, name, module, expr).used_at(span);
                        }
                    }
                    BindingValue::From(i) => {
                        if let (_, Some(other)) = self.program.import_from(m.file, i) {
                            return self.export(other, name, module, expr).used_at(span);
                        }
                    }
                    BindingValue::Class(class) => {
                        if let Some(v) = self.class_value(module, *class, name) {
                            return v.used_at(span);
                        }
                    }
                    BindingValue::Param(0) => {
                        if let Some(class) = self.class_of_method(module, f.scope)
                            && let Some(v) = self.self_value(module, class, base, name)
                        {
                            return v.used_at(span);
                        }
                    }
                    _ => {}
                },
                _ => return self.unknown(module, expr),
            }
        }
        if let Some(v) = self.cdk_attribute(module, of, name, span) {
            return v;
        }
        if let Some(arn) = self.construct_arn(module, of, name, span) {
            return Value::text(arn, span);
        }
        match self.environment(module, of, name) {
            Some(kind) => self.hole(module, expr, kind),
            None => self.unknown(module, expr),
        }
    }

    /// What an attribute says about where the code is deployed: regions of sessions and clients, a stack of the AWS CDK
    /// (`self.account`, `Stack.of(self).partition`), its pseudo parameters (`Aws.ACCOUNT_ID`).
    /// AWS CDK API Reference, `aws_cdk.Stack` and `aws_cdk.Aws`.
    fn environment(&self, module: usize, of: ExprId, name: &str) -> Option<HoleKind> {
        let m = self.module(module);
        let base = m.dotted(of).unwrap_or_default();
        let called = m.call(of).and_then(|c| m.dotted(c.function)).unwrap_or_default();
        let last = base.rsplit('.').next().unwrap_or_default();
        let stack = matches!(last, "self" | "stack" | "scope" | "env") || called.ends_with("Stack.of");
        Some(match name {
            "region_name" | "region" => HoleKind::Region,
            "REGION" if last == "Aws" => HoleKind::Region,
            "ACCOUNT_ID" if last == "Aws" => HoleKind::Account,
            "PARTITION" if last == "Aws" => HoleKind::Partition,
            "URL_SUFFIX" if last == "Aws" => HoleKind::UrlSuffix,
            "account" if stack => HoleKind::Account,
            "partition" if stack => HoleKind::Partition,
            "url_suffix" if stack => HoleKind::UrlSuffix,
            _ => return None,
        })
    }

    /// What an attribute is, where one place of the class around gives it a value: `self.table`.
    pub fn assigned_attribute(&self, module: usize, attribute: ExprId) -> Option<ExprId> {
        let m = self.module(module);
        let e = m.expr(attribute);
        let ExprKind::Attr { of, name, .. } = &e.kind else {
            return None;
        };
        let class = |scope| self.class_of_method(module, m.function_of(scope));
        let (shown, own) = (m.dotted(*of)?, class(e.scope));
        let mut all = m
            .attributes
            .iter()
            .filter(|a| a.name == *name && class(a.scope) == own && m.dotted(a.object).as_deref() == Some(&*shown));
        let source = all.next()?.source.as_ref().filter(|s| s.steps.is_empty())?;
        all.next().is_none().then_some(source.expr)
    }

    /// The class whose method the function `scope` is.
    pub fn class_of_method(&self, module: usize, scope: ScopeId) -> Option<ScopeId> {
        let m = self.module(module);
        let s = m.scope(scope);
        (s.kind == ScopeKind::Function && m.scope(s.parent).kind == ScopeKind::Class).then_some(s.parent)
    }

    /// A class variable that is bound once.
    pub(super) fn class_value(&self, module: usize, class: ScopeId, name: &str) -> Option<Value> {
        let m = self.module(module);
        let bindings = m.scope(class).bindings.get(name)?;
        match bindings.as_slice() {
            [one] => match &one.bound {
                BindingValue::Value(source) => Some(self.source(module, source)),
                _ => None,
            },
            _ => None,
        }
    }

    /// `self.name`, when one place in the class binds it.
    pub(super) fn self_value(&self, module: usize, class: ScopeId, receiver: &str, name: &str) -> Option<Value> {
        let m = self.module(module);
        let mut found = m.attributes.iter().filter(|a| {
            &*a.name == name
                && m.scope(a.scope).parent == class
                && matches!(&m.expr(a.object).kind, ExprKind::Name(n) if &**n == receiver)
        });
        match (found.next(), found.next()) {
            (None, _) => self.class_value(module, class, name),
            (Some(one), None) if !m.scope(class).bindings.contains_key(name) => {
                one.source.as_ref().map(|s| self.source(module, s))
            }
            _ => None,
        }
    }

    pub(super) fn index(&self, module: usize, expr: ExprId, of: ExprId, index: ExprId) -> Value {
        let m = self.module(module);
        let span = self.span(module, expr);
        let key = self.value(module, index);
        let key_text = key.as_str().map(|s| s.into_owned());
        if let Some(key) = &key_text {
            if m.dotted(of).as_deref() == Some("os.environ") || m.dotted(of).as_deref() == Some("environ") {
                return Value::unknown(Hole::new(cdk::variable(key), format!("env.{key}"), span));
            }
            if key == "Account" && self.is_caller_identity(module, of, 0) {
                return self.hole(module, expr, HoleKind::Account);
            }
            if let Some((scope, address)) = self.creation(module, of) {
                let hole = Hole::new(HoleKind::Resource, self.source_text(span), span);
                return Value::unknown(hole.to(HoleTarget {
                    scope,
                    address,
                    attribute: key.as_str().into(),
                }));
            }
        }
        let base = self.value(module, of);
        if self.joins {
            let found = self.find((&base, &key), self.span(module, index), None, span);
            return found.map_or_else(|| self.unknown(module, expr), |v| v.used_at(span));
        }
        let found = match (&base.kind, &key.kind) {
            (ValueKind::Map(_), ValueKind::Str(_)) => key_text.and_then(|k| base.get(&k).cloned()),
            (ValueKind::Seq(items), ValueKind::Num(n)) if items.iter().all(|i| !i.is_unknown()) => {
                match n.parse::<usize>() {
                    Ok(n) => items.get(n).cloned(),
                    Err(_) => None,
                }
            }
            _ => None,
        };
        match found {
            Some(v) => v.used_at(span),
            None => self.unknown(module, expr),
        }
    }

    /// The resource that `expr`, or the call that it takes a part of, creates.
    pub(super) fn creation(&self, module: usize, expr: ExprId) -> Option<(Arc<str>, Arc<str>)> {
        if self.targets.is_empty() {
            return None;
        }
        let m = self.module(module);
        let mut at = expr;
        for _ in 0..8 {
            if let Some(t) = self.targets.get(&(module, at)) {
                return Some(t.clone());
            }
            at = match &m.expr(at).kind {
                ExprKind::Index { of, .. } | ExprKind::Attr { of, .. } => *of,
                ExprKind::Await(inner) => *inner,
                ExprKind::Name(n) => match m.reaching_bindings(n, at) {
                    Reaching::Found(f) => match f.bindings.as_slice() {
                        [
                            Binding {
                                bound: BindingValue::Value(s),
                                ..
                            },
                        ] if s.steps.is_empty() => s.expr,
                        _ => return None,
                    },
                    Reaching::Free => return None,
                },
                _ => return None,
            };
        }
        None
    }

    pub(super) fn is_caller_identity(&self, module: usize, expr: ExprId, depth: u32) -> bool {
        let m = self.module(module);
        match &m.expr(expr).kind {
            ExprKind::Call(c) => {
                matches!(&m.expr(c.function).kind, ExprKind::Attr { name, .. } if &**name == "get_caller_identity")
            }
            ExprKind::Name(n) if depth < 4 => match m.reaching_bindings(n, expr) {
                Reaching::Found(f) => matches!(f.bindings.as_slice(),
                    [Binding { bound: BindingValue::Value(s), .. }] if self.is_caller_identity(module, s.expr, depth + 1)),
                Reaching::Free => false,
            },
            _ => false,
        }
    }
}
