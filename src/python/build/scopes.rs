//! Functions, classes and their scopes.

use crate::python::build::{ModuleBuilder, children};
use crate::python::syntax::{Field, K, Node, field, kind};
use crate::python::{
    BindingValue, BlockId, BlockKind, ExprId, FunctionParam, ParamKind, Scope, ScopeId, ScopeKind, StatementRun,
};
use crate::source::Span;
use std::sync::Arc;

impl ModuleBuilder<'_, '_> {
    pub(super) fn open_scope(&mut self, kind: ScopeKind, name: &str, header: Span, extent: Span) -> (ScopeId, BlockId) {
        let outer = (self.scope, self.block);
        let parent = &self.module.scopes[self.scope];
        let qualname: Arc<str> = if parent.kind == ScopeKind::Module || name.is_empty() {
            if name.is_empty() {
                parent.qualname.clone()
            } else {
                name.into()
            }
        } else {
            format!("{}.{name}", parent.qualname).into()
        };
        let id = self.module.scopes.next_id();
        let mut s = Scope::new(kind, self.scope, qualname, header, extent);
        s.root = self.module.blocks.next_id();
        s.at = self.next_id();
        s.block = self.block;
        self.module.blocks.push(StatementRun::new(s.root, BlockKind::Root));
        self.block = s.root;
        self.module.scopes.push(s);
        self.scope = id;
        outer
    }

    pub(super) fn close_scope(&mut self, outer: (ScopeId, BlockId)) -> ScopeId {
        let id = self.scope;
        (self.scope, self.block) = outer;
        id
    }

    pub(super) fn function(&mut self, node: Node<'_>, decorators: &[ExprId]) {
        let Some(name_node) = field(node, Field::Name) else {
            return self.body(node);
        };
        let name = self.name_of(name_node);
        let header = self.span(name_node);
        let params = field(node, Field::Parameters).map_or_else(Vec::new, |p| self.params(p));
        let returns_type = field(node, Field::ReturnType).and_then(|t| self.annotation(t));
        let outer = self.open_scope(ScopeKind::Function, &name, header, self.span(node));
        self.take_params(params);
        let s = &mut self.module.scopes[self.scope];
        s.decorators = decorators.to_vec();
        s.returns_type = returns_type;
        if let Some(body) = field(node, Field::Body) {
            self.body(body);
        }
        let id = self.close_scope(outer);
        self.bind_name(name, BindingValue::Function(id), header, None);
    }

    /// Defaults and annotations are evaluated around the function.
    pub(super) fn params(&mut self, node: Node<'_>) -> Vec<FunctionParam> {
        let mut out = Vec::new();
        let mut keyword_only = false;
        for child in children(node) {
            let plain = if keyword_only {
                ParamKind::KeywordOnly
            } else {
                ParamKind::Plain
            };
            let default = field(child, Field::Value).map(|v| self.expr(v));
            let annotation = field(child, Field::Type).and_then(|t| self.annotation(t));
            let inner = match kind(child) {
                K::TypedParameter => children(child).into_iter().find(|c| kind(*c) != K::Type),
                K::DefaultParameter | K::TypedDefaultParameter => field(child, Field::Name),
                _ => Some(child),
            };
            let Some(inner) = inner else { continue };
            let (kind, name_node) = match kind(inner) {
                K::Identifier => (plain, Some(inner)),
                K::ListSplatPattern | K::ListSplat => (ParamKind::Star, children(inner).into_iter().next()),
                K::DictionarySplatPattern | K::DictionarySplat => {
                    (ParamKind::Spread, children(inner).into_iter().next())
                }
                _ if self.text(inner).starts_with('*') => {
                    keyword_only = true;
                    continue;
                }
                _ => continue,
            };
            let Some(name_node) = name_node else { continue };
            keyword_only |= kind == ParamKind::Star;
            out.push(FunctionParam {
                name: self.name_of(name_node),
                span: self.span(name_node),
                kind,
                default,
                annotation,
            });
        }
        out
    }

    pub(super) fn take_params(&mut self, params: Vec<FunctionParam>) {
        for (i, p) in params.iter().enumerate() {
            let (name, span, annotation) = (p.name.clone(), p.span, p.annotation);
            self.bind_name(name, BindingValue::Param(i as u32), span, annotation);
        }
        self.module.scopes[self.scope].params = params;
    }

    pub(super) fn annotation(&mut self, node: Node<'_>) -> Option<ExprId> {
        let inner = children(node).into_iter().next()?;
        Some(self.expr(inner))
    }

    pub(super) fn class(&mut self, node: Node<'_>, decorators: &[ExprId]) {
        let Some(name_node) = field(node, Field::Name) else {
            return self.body(node);
        };
        let name = self.name_of(name_node);
        let header = self.span(name_node);
        let mut bases = Vec::new();
        if let Some(list) = field(node, Field::Superclasses) {
            for base in children(list) {
                let value = match kind(base) {
                    K::KeywordArgument => field(base, Field::Value),
                    _ => Some(base),
                };
                if let Some(v) = value {
                    bases.push(self.expr(v));
                }
            }
        }
        let outer = self.open_scope(ScopeKind::Class, &name, header, self.span(node));
        let s = &mut self.module.scopes[self.scope];
        s.decorators = decorators.to_vec();
        s.bases = bases;
        if let Some(body) = field(node, Field::Body) {
            self.body(body);
        }
        let id = self.close_scope(outer);
        self.bind_name(name, BindingValue::Class(id), header, None);
    }
}
