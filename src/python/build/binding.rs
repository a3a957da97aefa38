//! Names and places that get a value.

use crate::python::build::{MAX_DEPTH, ModuleBuilder, children};
use crate::python::syntax::{K, Node, kind};
use crate::python::{
    AccessStep, AttributeBinding, Binding, BindingValue, BlockKind, ExprId, ExprKind, Mutation, ObjectChange,
    StatementRun, Usage, ValueSource,
};
use crate::source::Span;
use std::sync::Arc;

impl ModuleBuilder<'_, '_> {
    pub(super) fn bind_name(&mut self, name: Arc<str>, bound: BindingValue, span: Span, annotation: Option<ExprId>) {
        let at = self.next_id();
        let (scope, block) = match self.outer.get(&(self.scope, name.clone())) {
            Some(&outer) if outer != self.scope => {
                // Runs when the function runs: perhaps, seen from the scope that holds the name.
                let block = self.module.blocks.next_id();
                let parent = self.module.scopes[outer].root;
                self.module.blocks.push(StatementRun::new(parent, BlockKind::Perhaps));
                (outer, block)
            }
            _ => (self.scope, self.block),
        };
        self.module.scopes[scope]
            .bindings
            .entry(name)
            .or_default()
            .push(Binding {
                bound,
                at,
                block,
                span,
                annotation,
            });
    }

    /// Binds the target `node` to `source` (nothing known where there is not one).
    pub(super) fn bind(&mut self, node: Node<'_>, source: Option<&ValueSource>, annotation: Option<ExprId>) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        match kind(node) {
            K::Identifier => {
                let (name, span) = (self.name_of(node), self.span(node));
                let bound = source.map_or(BindingValue::Other, |s| BindingValue::Value(s.clone()));
                self.bind_name(name, bound, span, annotation);
            }
            K::PatternList | K::TuplePattern | K::ListPattern | K::ExpressionList | K::Tuple | K::List => {
                self.bind_items(node, source);
            }
            K::ListSplatPattern | K::ListSplat => {
                for c in children(node) {
                    self.bind(c, source, None);
                }
            }
            K::Attribute => {
                let id = self.expr(node);
                self.module.exprs[id].usage = Usage::Store;
                if let ExprKind::Attr { of, name, name_span } = &self.module.exprs[id].kind {
                    let (object, name, span) = (*of, name.clone(), *name_span);
                    self.module.attributes.push(AttributeBinding {
                        object,
                        name,
                        source: source.cloned(),
                        annotation,
                        scope: self.scope,
                        at: self.next_id(),
                        span,
                    });
                }
            }
            K::Subscript => {
                let id = self.expr(node);
                self.module.exprs[id].usage = Usage::Store;
                let change = match source {
                    Some(s) if s.steps.is_empty() => ObjectChange::Set(s.expr),
                    _ => ObjectChange::Other,
                };
                self.record_change(id, change);
            }
            K::ParenthesizedExpression => {
                for c in children(node) {
                    self.bind(c, source, annotation);
                }
            }
            _ => {
                self.expr(node);
            }
        }
        self.depth -= 1;
    }

    pub(super) fn bind_items(&mut self, node: Node<'_>, source: Option<&ValueSource>) {
        let targets = children(node);
        let starred = targets
            .iter()
            .position(|t| matches!(kind(*t), K::ListSplatPattern | K::ListSplat));
        for (i, target) in targets.iter().enumerate() {
            let part = source.map(|s| {
                // `a, b = x, y` needs no list.
                if s.steps.is_empty()
                    && starred.is_none()
                    && let ExprKind::Tuple(items) | ExprKind::List(items) = &self.module.exprs[s.expr].kind
                    && items.len() == targets.len()
                {
                    return ValueSource {
                        expr: items[i],
                        steps: Vec::new(),
                    };
                }
                let mut s = s.clone();
                s.steps.push(match starred {
                    Some(at) if i >= at => AccessStep::Rest,
                    _ => AccessStep::Item(i as u32),
                });
                s
            });
            self.bind(*target, part.as_ref(), None);
        }
    }

    /// Records a change of what a name holds; `place` is `name[k1][k2]`.
    pub(super) fn record_change(&mut self, place: ExprId, change: ObjectChange) {
        let mut path = Vec::new();
        let mut at = place;
        let name = loop {
            match &self.module.exprs[at].kind {
                ExprKind::Index { of, index } if path.len() < 16 => {
                    path.push(*index);
                    at = *of;
                }
                ExprKind::Name(n) => break n.clone(),
                // `os.environ["X"] = …`, `self.policy["Statement"].append(…)`
                ExprKind::Attr { .. } => match self.module.dotted(at) {
                    Some(dotted) => break dotted.into(),
                    None => return,
                },
                _ => return,
            }
        };
        path.reverse();
        let mutation = Mutation {
            name,
            path,
            change,
            at: self.next_id(),
            block: self.block,
        };
        self.module.scopes[self.scope].mutations.push(mutation);
    }
}
