//! What calls give: the standard library that policies are written with, and functions of the repository.

use std::sync::Arc;

use crate::iam::sdk::{self, LibraryResult};
use crate::python::constants::{
    ConstantEvaluator, MAX_FRAMES, NameFrame, cdk, map_alternatives, merge, open_entry, strings,
};
use crate::python::{
    ArgName, BindingValue, CallExpr, ExprId, ExprKind, ParamKind, Program, Reaching, ScopeId, ScopeKind,
};
use crate::source::{Hole, HoleKind, HoleTarget, Span, Text};
use crate::syntax::data;
use crate::syntax::json;
use crate::value::{MapEntry, Value, ValueKind};

/// Longest text of JSON that is decoded, in bytes.
const MAX_DECODED: usize = 64 << 10;

impl Program<'_> {
    /// The library name that `expr` stands for, imports followed: `json.dumps`, `os.environ.get`; a builtin is itself.
    /// Names of the repository's own have none.
    pub fn library(&self, module: usize, expr: ExprId) -> Option<String> {
        let m = &self.modules[module];
        let mut attrs: Vec<&str> = Vec::new();
        let mut at = expr;
        let base = loop {
            match &m.expr(at).kind {
                ExprKind::Attr { of, name, .. } if attrs.len() < 8 => {
                    attrs.push(name);
                    at = *of;
                }
                ExprKind::Name(n) => match m.reaching_bindings(n, at) {
                    Reaching::Free => break n.to_string(),
                    Reaching::Found(f) => match &f.bindings.last()?.bound {
                        BindingValue::Import(i) if f.bindings.len() == 1 || f.bindings.len() == 2 => {
                            if self.import(m.file, 0, &i.module).is_some() || self.is_hidden(m.file, &i.module) {
                                return None;
                            }
                            break i.module.to_string();
                        }
                        BindingValue::From(i) if f.bindings.len() == 1 && i.level == 0 => {
                            if self.import(m.file, 0, &i.module).is_some() || self.is_hidden(m.file, &i.module) {
                                return None;
                            }
                            break format!("{}.{}", i.module, i.name);
                        }
                        _ => return None,
                    },
                },
                _ => return None,
            }
        };
        let mut out = base;
        for a in attrs.iter().rev() {
            out.push('.');
            out.push_str(a);
        }
        Some(out)
    }
}

impl ConstantEvaluator<'_> {
    pub(super) fn call(&self, module: usize, expr: ExprId, call: &CallExpr) -> Value {
        let span = self.span(module, expr);
        if let Some((scope, address)) = self.targets.get(&(module, expr)) {
            let hole = Hole::new(HoleKind::Resource, self.source_text(span), span);
            return Value::unknown(hole.to(HoleTarget {
                scope: scope.clone(),
                address: address.clone(),
                attribute: "".into(),
            }));
        }
        if let Some(name) = self.program.library(module, call.function)
            && let Some(v) = self
                .library_call(module, expr, call, &name)
                .or_else(|| self.cdk_call(module, expr, call, &name))
        {
            return v;
        }
        if let ExprKind::Attr { of, name, .. } = &self.module(module).expr(call.function).kind
            && let Some(v) = self.method(module, expr, call, *of, name)
        {
            return v;
        }
        if let ExprKind::Attr { name, .. } = &self.module(module).expr(call.function).kind
            && cdk::is_method(name)
            && let Some(v) = self.cdk_call(module, expr, call, name)
        {
            return v;
        }
        self.inline_call(module, expr, call)
            .unwrap_or_else(|| self.unknown(module, expr))
    }

    fn library_call(&self, module: usize, expr: ExprId, call: &CallExpr, name: &str) -> Option<Value> {
        let span = self.span(module, expr);
        let first = call.positional(0);
        Some(match sdk::library_result(name)? {
            LibraryResult::Json => Value::json(self.value(module, first.or_else(|| call.keyword("obj"))?), span),
            LibraryResult::ParsedJson => {
                let v = self.value(module, first.or_else(|| call.keyword("s"))?);
                match &v.kind {
                    ValueKind::Json(inner) => (**inner).clone(),
                    ValueKind::Str(text) => match decoded(text, span) {
                        Some(inner) => inner.used_at(span),
                        // What is wrong with a document is said where it is used.
                        None if !text.is_known() || text.display().contains("Statement") => v,
                        None => return None,
                    },
                    _ => return None,
                }
            }
            LibraryResult::Argument => match first.map(|e| self.value(module, e)) {
                Some(v) if v.as_seq().is_some() || v.entries().is_some() => v,
                Some(_) => return None,
                None => Value::seq(Vec::new(), span),
            },
            LibraryResult::Dictionary => {
                let mut entries: Vec<MapEntry> = Vec::new();
                for a in &call.args {
                    let v = self.value(module, a.value);
                    match &a.name {
                        ArgName::Keyword(k, key_span) => entries.push(MapEntry {
                            key: Text::verbatim(k, key_span.file, key_span.start as usize),
                            key_span: *key_span,
                            value: v,
                        }),
                        _ => match v.entries() {
                            Some(more) => merge(&mut entries, more),
                            None => entries.push(open_entry(&v)),
                        },
                    }
                }
                Value::map(entries, span)
            }
            LibraryResult::Text => Value::text(self.as_text(module, first?), span),
            LibraryResult::Dedented => {
                let v = self.value(module, first?);
                let t = strings::dedent(v.as_text()?);
                Value {
                    kind: ValueKind::Str(t),
                    ..v
                }
            }
            LibraryResult::Variable => {
                let name = self.value(module, first?);
                let (kind, name) = (cdk::variable(&name.as_str()?), format!("env.{}", name.as_str()?));
                let default = call.positional(1).or_else(|| call.keyword("default"));
                let set = Value::unknown(Hole::new(kind, name.as_str(), span));
                self.default_or_set(default.map(|d| self.value(module, d)), &name, set)
            }
            LibraryResult::Cast => self.value(module, call.positional(1)?),
            _ => return None,
        })
    }

    /// Methods of strings, dicts and lists.
    fn method(&self, module: usize, expr: ExprId, call: &CallExpr, of: ExprId, name: &str) -> Option<Value> {
        if !matches!(
            name,
            "format"
                | "join"
                | "replace"
                | "strip"
                | "lstrip"
                | "rstrip"
                | "encode"
                | "decode"
                | "copy"
                | "get"
                | "items"
                | "keys"
                | "values"
                | "lower"
                | "upper"
        ) {
            return None;
        }
        let span = self.span(module, expr);
        if name == "get"
            && call
                .positional(0)
                .is_some_and(|k| self.module(module).string(k).as_deref() == Some("Account"))
            && self.is_caller_identity(module, of, 0)
        {
            return Some(self.hole(module, expr, HoleKind::Account));
        }
        let base = self.value(module, of);
        if let (ValueKind::Json(_), "encode" | "strip") = (&base.kind, name) {
            return Some(base);
        }
        let of_dict = matches!(name, "get" | "items" | "keys" | "values");
        if self.joins && of_dict && (base.entries().is_some() || matches!(base.kind, ValueKind::OneOf(_))) {
            if name != "get" {
                return map_alternatives(&base, span, &|base| self.items_of(base, name));
            }
            let (key, otherwise) = (call.positional(0)?, call.positional(1));
            let otherwise = otherwise.map(|e| self.value(module, e));
            let found = (&base, &self.value(module, key));
            let found = self.find(found, self.span(module, key), otherwise.as_ref(), span);
            return found.map(|v| v.used_at(span));
        }
        if base.entries().is_some() {
            return match name {
                "copy" => Some(base),
                "get" => {
                    let key = self.value(module, call.positional(0)?);
                    base.get(&key.as_str()?).cloned().map(|v| v.used_at(span))
                }
                _ => None,
            };
        }
        if base.as_seq().is_some() && name == "copy" {
            return Some(base);
        }
        let text = base.as_text()?;
        let made = match name {
            "format" => {
                let positional: Vec<Text> = call
                    .args
                    .iter()
                    .take_while(|a| a.name == ArgName::Positional)
                    .map(|a| self.as_text(module, a.value))
                    .collect();
                strings::format(text, |key, n| match key {
                    "" => positional.get(n).cloned(),
                    k => match k.parse::<usize>() {
                        Ok(i) => positional.get(i).cloned(),
                        Err(_) => call.keyword(k).map(|v| self.as_text(module, v)),
                    },
                })
            }
            "join" => {
                let items = self.value(module, call.positional(0)?);
                let mut out = Text::default();
                for (i, item) in items.as_seq()?.iter().enumerate() {
                    if i > 0 {
                        out.append(text);
                    }
                    match &item.kind {
                        ValueKind::Str(t) => out.append(t),
                        ValueKind::Unknown(h) => out.append(&Text::hole((**h).clone())),
                        _ => return None,
                    }
                }
                out
            }
            "replace" => {
                let from = self.value(module, call.positional(0)?);
                let to = self.as_text(module, call.positional(1)?);
                strings::replace(text, &from.as_str()?, &to)?
            }
            "strip" | "lstrip" | "rstrip" if call.args.is_empty() => {
                strings::strip(text, name != "rstrip", name != "lstrip")
            }
            "lower" => Text::synthetic(&text.known()?.to_lowercase(), base.span),
            "upper" => Text::synthetic(&text.known()?.to_uppercase(), base.span),
            "encode" | "decode" => text.clone(),
            _ => return None,
        };
        Some(Value {
            kind: ValueKind::Str(made),
            ..base
        })
    }

    /// `format % argument`.
    pub(super) fn percent(&self, module: usize, text: &Text, right: ExprId) -> Text {
        let named = self.value(module, right);
        let positional: Vec<Text> = match &self.module(module).expr(right).kind {
            ExprKind::Tuple(items) => items.iter().map(|i| self.as_text(module, *i)).collect(),
            _ => match named.as_seq() {
                Some(_) => Vec::new(),
                None => vec![self.as_text(module, right)],
            },
        };
        strings::percent(text, |key, n| match key {
            "" => positional.get(n).cloned(),
            k => match &named.get(k)?.kind {
                ValueKind::Str(t) => Some(t.clone()),
                ValueKind::Num(n) => Some(Text::synthetic(n, named.get(k)?.span)),
                ValueKind::Unknown(h) => Some(Text::hole((**h).clone())),
                _ => None,
            },
        })
    }

    /// A call of a function of the repository that does nothing but return one expression, as far as that matters.
    fn inline_call(&self, module: usize, expr: ExprId, call: &CallExpr) -> Option<Value> {
        let (home, scope, bound) = self.repository_function(module, call.function)?;
        let function = self.program.modules[home].scope(scope);
        let [returned] = function.returns.as_slice() else {
            return None;
        };
        if self.frames.borrow().len() >= MAX_FRAMES {
            return None;
        }
        let mut names: Vec<(Arc<str>, Value)> = Vec::new();
        let skip = usize::from(bound);
        for (i, p) in function.params.iter().enumerate() {
            if i < skip || p.kind == ParamKind::Star || p.kind == ParamKind::Spread {
                continue;
            }
            let given = match p.kind {
                ParamKind::KeywordOnly => call.keyword(&p.name),
                _ => call.argument(i - skip, &p.name),
            };
            let v = match (given, p.default) {
                (Some(e), _) => self.value(module, e),
                (None, Some(d)) if !call.has_unpacking() => self.value(home, d),
                _ => Value::unknown(Hole::new(HoleKind::Input, p.name.clone(), self.span(module, expr))),
            };
            names.push((p.name.clone(), v));
        }
        self.frames.borrow_mut().push(NameFrame {
            module: home,
            scope,
            names,
        });
        let v = self.value(home, *returned);
        self.frames.borrow_mut().pop();
        (!v.is_unknown()).then(|| v.used_at(self.span(module, expr)))
    }

    /// The function of the repository that `callee` names, and whether its first parameter is the receiver.
    pub(crate) fn repository_function(&self, module: usize, callee: ExprId) -> Option<(usize, ScopeId, bool)> {
        let m = self.module(module);
        let exported = |other: usize, name: &str| match self.module(other).at_end(name, ScopeId::MODULE) {
            Reaching::Found(f) => match f.bindings.as_slice() {
                [one] => match one.bound {
                    BindingValue::Function(s) => Some((other, s, false)),
                    _ => None,
                },
                _ => None,
            },
            Reaching::Free => None,
        };
        match &m.expr(callee).kind {
            ExprKind::Name(n) => match m.reaching_bindings(n, callee) {
                Reaching::Found(f) => match f.bindings.as_slice() {
                    [one] => match &one.bound {
                        BindingValue::Function(s) => Some((module, *s, false)),
                        BindingValue::From(i) => exported(self.program.import_from(m.file, i).0?, &i.name),
                        _ => None,
                    },
                    _ => None,
                },
                Reaching::Free => None,
            },
            ExprKind::Attr { of, name, .. } => {
                let ExprKind::Name(base) = &m.expr(*of).kind else {
                    return None;
                };
                let Reaching::Found(f) = m.reaching_bindings(base, *of) else {
                    return None;
                };
                let [one] = f.bindings.as_slice() else { return None };
                match &one.bound {
                    BindingValue::Import(i) => exported(self.program.import(m.file, 0, &i.module)?, name),
                    BindingValue::From(i) => exported(self.program.import_from(m.file, i).1?, name),
                    BindingValue::Param(0) => {
                        let class = self.class_of_method(module, f.scope)?;
                        self.method_of(module, class, name)
                    }
                    BindingValue::Class(class) => self.method_of(module, *class, name),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    pub(super) fn method_of(&self, module: usize, class: ScopeId, name: &str) -> Option<(usize, ScopeId, bool)> {
        let m = self.module(module);
        match m.scope(class).bindings.get(name)?.as_slice() {
            [one] => match one.bound {
                BindingValue::Function(s) => {
                    let f = m.scope(s);
                    let is_static = f
                        .decorators
                        .iter()
                        .any(|d| m.dotted(*d).as_deref() == Some("staticmethod"));
                    (f.kind == ScopeKind::Function).then_some((module, s, !is_static))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// The value that a text is the JSON of. A text that is a hole may be anything.
fn decoded(text: &Text, span: Span) -> Option<Value> {
    if text.len() > MAX_DECODED || text.as_hole().is_some() {
        return None;
    }
    let tree = json::parse_text(text, span);
    let root = *tree.roots.first()?;
    tree.problems.is_empty().then(|| data::value(&tree, root, |text| text))
}
