//! Statements: blocks, their alternatives, imports.

use crate::python::build::{MAX_DEPTH, ModuleBuilder, children};
use crate::python::syntax::{Field, K, Node, field, kind};
use crate::python::{
    AccessStep, BindingValue, BlockId, BlockKind, Import, ImportFrom, ScopeId, StatementRun, ValueSource,
};
use std::sync::Arc;

impl ModuleBuilder<'_, '_> {
    pub(super) fn body(&mut self, block: Node<'_>) {
        if self.depth >= MAX_DEPTH {
            self.module.partial = true;
            return;
        }
        self.depth += 1;
        for node in children(block) {
            self.statement(node);
        }
        self.depth -= 1;
    }

    /// A body in a block of its own.
    pub(super) fn block_of(&mut self, kind: BlockKind, body: Option<Node<'_>>) {
        let outer = self.enter_block(kind);
        if let Some(body) = body {
            self.body(body);
        }
        self.block = outer;
    }

    pub(super) fn enter_block(&mut self, kind: BlockKind) -> BlockId {
        let outer = self.block;
        self.block = self.module.blocks.next_id();
        self.module.blocks.push(StatementRun::new(outer, kind));
        outer
    }

    pub(super) fn statement(&mut self, node: Node<'_>) {
        match kind(node) {
            K::ExpressionStatement => {
                for child in children(node) {
                    // A string that stands alone is a comment.
                    if kind(child) != K::String {
                        self.expr(child);
                    }
                }
            }
            K::ReturnStatement => {
                for child in children(node) {
                    let e = self.expr(child);
                    self.module.scopes[self.scope].returns.push(e);
                }
                self.end_block();
            }
            K::RaiseStatement => {
                self.expr(node);
                self.end_block();
            }
            K::IfStatement => self.if_statement(node),
            K::ForStatement => self.for_statement(node),
            K::WhileStatement => {
                if let Some(c) = field(node, Field::Condition) {
                    self.expr(c);
                }
                self.block_of(BlockKind::Perhaps, field(node, Field::Body));
                self.else_of(node);
            }
            K::TryStatement => self.try_statement(node),
            K::WithStatement => self.with_statement(node),
            K::FunctionDefinition => self.function(node, &[]),
            K::ClassDefinition => self.class(node, &[]),
            K::DecoratedDefinition => self.decorated(node),
            K::Import => self.import(node),
            K::ImportFrom => self.import_from(node),
            K::FutureImport | K::Comment => {}
            K::GlobalStatement => self.outer_names(node, true),
            K::NonlocalStatement => self.outer_names(node, false),
            K::MatchStatement => self.match_statement(node),
            K::Block | K::Module | K::Error => self.body(node),
            K::IfClause | K::CaseClause => self.body(node),
            // del, assert, print, exec, type aliases, and what an error left: their expressions.
            _ => {
                self.expr(node);
            }
        }
    }

    /// Nothing of the block runs after this.
    fn end_block(&mut self) {
        let next = self.next_id();
        let ends = &mut self.module.blocks[self.block].ends;
        *ends = next.min(*ends);
    }

    pub(super) fn if_statement(&mut self, node: Node<'_>) {
        let of = self.statements;
        self.statements += 1;
        let mut cursor = node.walk();
        let alternatives: Vec<Node<'_>> = node
            .named_children(&mut cursor)
            .filter(|n| matches!(kind(*n), K::ElifClause | K::ElseClause))
            .collect();
        let condition = field(node, Field::Condition);
        let label = self.label("if ", condition);
        if let Some(c) = condition {
            self.expr(c);
        }
        let first_label = self.label("unless ", condition);
        self.block_of(BlockKind::Arm { of, label }, field(node, Field::Consequence));
        let arms = alternatives.len() as u32 + 1;
        for a in &alternatives {
            if kind(*a) == K::ElifClause {
                let condition = field(*a, Field::Condition);
                let label = self.label("if ", condition);
                if let Some(c) = condition {
                    self.expr(c);
                }
                self.block_of(BlockKind::Arm { of, label }, field(*a, Field::Consequence));
            } else {
                let label = if arms == 2 { first_label.clone() } else { "else".into() };
                self.block_of(BlockKind::LastArm { of, arms, label }, field(*a, Field::Body));
            }
        }
    }

    pub(super) fn label(&self, word: &str, condition: Option<Node<'_>>) -> Arc<str> {
        let text = condition.map_or("", |c| self.text(c));
        let shown: String = text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(40)
            .collect();
        format!("{word}{shown}").into()
    }

    pub(super) fn for_statement(&mut self, node: Node<'_>) {
        let iter = field(node, Field::Right).map(|r| self.expr(r));
        let outer = self.enter_block(BlockKind::Perhaps);
        if let (Some(left), Some(iter)) = (field(node, Field::Left), iter) {
            let source = ValueSource {
                expr: iter,
                steps: vec![AccessStep::Each],
            };
            self.bind(left, Some(&source), None);
        }
        if let Some(body) = field(node, Field::Body) {
            self.body(body);
        }
        self.block = outer;
        self.else_of(node);
    }

    pub(super) fn else_of(&mut self, node: Node<'_>) {
        if let Some(alternative) = field(node, Field::Alternative) {
            self.block_of(BlockKind::Always, field(alternative, Field::Body));
        }
    }

    pub(super) fn try_statement(&mut self, node: Node<'_>) {
        self.block_of(BlockKind::Always, field(node, Field::Body));
        for child in children(node) {
            match kind(child) {
                K::ExceptClause | K::ExceptGroupClause => {
                    let outer = self.enter_block(BlockKind::Perhaps);
                    for part in children(child) {
                        match kind(part) {
                            K::Block => self.body(part),
                            K::AsPattern => self.as_pattern(part, true),
                            K::Identifier if field(child, Field::Alias).is_some_and(|a| a.id() == part.id()) => {
                                self.bind(part, None, None);
                            }
                            _ => {
                                self.expr(part);
                            }
                        }
                    }
                    self.block = outer;
                }
                K::ElseClause => self.block_of(BlockKind::Always, field(child, Field::Body)),
                K::FinallyClause => {
                    let body = children(child).into_iter().find(|c| kind(*c) == K::Block);
                    self.block_of(BlockKind::Always, body);
                }
                _ => {}
            }
        }
    }

    pub(super) fn with_statement(&mut self, node: Node<'_>) {
        let outer = self.enter_block(BlockKind::Always);
        let mut stack: Vec<Node<'_>> = children(node);
        stack.reverse();
        // with_clause, and the tuple that a parenthesised list of items may be read as, hold the items.
        while let Some(n) = stack.pop() {
            match kind(n) {
                K::Block => self.body(n),
                K::WithItem => match field(n, Field::Value) {
                    Some(v) if kind(v) == K::AsPattern => self.as_pattern(v, false),
                    Some(v) if kind(v) == K::Tuple => stack.extend(children(v).into_iter().rev()),
                    Some(v) => {
                        self.expr(v);
                    }
                    None => {}
                },
                K::AsPattern => self.as_pattern(n, false),
                K::Other => stack.extend(children(n).into_iter().rev()),
                _ => {
                    self.expr(n);
                }
            }
        }
        self.block = outer;
    }

    /// `value as target`, of `with` or `except`.
    pub(super) fn as_pattern(&mut self, node: Node<'_>, exception: bool) {
        let parts = children(node);
        let Some(value) = parts.first() else { return };
        let expr = self.expr(*value);
        let Some(target) = field(node, Field::Alias) else {
            return;
        };
        for t in children(target) {
            let source = ValueSource {
                expr,
                steps: vec![AccessStep::Enter],
            };
            self.bind(t, (!exception).then_some(&source), None);
        }
    }

    pub(super) fn match_statement(&mut self, node: Node<'_>) {
        let of = self.statements;
        self.statements += 1;
        let subject = field(node, Field::Subject);
        if let Some(s) = subject {
            self.expr(s);
        }
        let Some(body) = field(node, Field::Body) else { return };
        for case in children(body) {
            if kind(case) != K::CaseClause {
                continue;
            }
            let label = self.label("case of ", subject);
            let outer = self.enter_block(BlockKind::Arm { of, label });
            for part in children(case) {
                match kind(part) {
                    K::Block => self.body(part),
                    K::IfClause => {
                        self.expr(part);
                    }
                    _ => self.captures(part),
                }
            }
            self.block = outer;
        }
    }

    /// Names that a pattern binds; dotted names are values.
    pub(super) fn captures(&mut self, pattern: Node<'_>) {
        let mut stack = vec![pattern];
        let mut budget = 1000;
        while let Some(n) = stack.pop() {
            budget -= 1;
            if budget == 0 {
                return;
            }
            if kind(n) == K::Identifier {
                self.bind(n, None, None);
            } else if kind(n) == K::DottedName && n.named_child_count() > 1 {
                continue;
            } else {
                stack.extend(children(n));
            }
        }
    }

    pub(super) fn outer_names(&mut self, node: Node<'_>, global: bool) {
        for child in children(node) {
            let name = self.name_of(child);
            let target = if global {
                ScopeId::MODULE
            } else {
                let mut at = self.module.scopes[self.scope].parent;
                while at != ScopeId::MODULE && !self.module.scopes[at].bindings.contains_key(&name) {
                    at = self.module.scopes[at].parent;
                }
                at
            };
            self.outer.insert((self.scope, name), target);
        }
    }

    pub(super) fn import(&mut self, node: Node<'_>) {
        for child in children(node) {
            let (dotted, alias) = split_alias(child);
            let Some(dotted) = dotted else { continue };
            let module = self.text(dotted).replace(char::is_whitespace, "");
            match alias {
                Some(a) => {
                    let module = self.name(&module);
                    let name = self.name_of(a);
                    let span = self.span(a);
                    let full = module.clone();
                    self.bind_name(name, BindingValue::Import(Import { module, full }), span, None);
                }
                None => {
                    let first = module.split('.').next().unwrap_or("").to_owned();
                    let name = self.name(&first);
                    let span = self.span(dotted);
                    let import = Import {
                        module: name.clone(),
                        full: self.name(&module),
                    };
                    self.bind_name(name, BindingValue::Import(import), span, None);
                }
            }
        }
    }

    pub(super) fn import_from(&mut self, node: Node<'_>) {
        let Some(from) = field(node, Field::ModuleName) else {
            return;
        };
        let text = self.text(from).replace(char::is_whitespace, "");
        let level = text.len() - text.trim_start_matches('.').len();
        let module = self.name(text.trim_start_matches('.'));
        for child in children(node) {
            if child.id() == from.id() {
                continue;
            }
            let level = level as u32;
            if kind(child) == K::WildcardImport {
                self.module.scopes[self.scope].wildcards.push(ImportFrom {
                    level,
                    module: module.clone(),
                    name: "*".into(),
                });
                let span = self.span(from);
                self.module.scopes[self.scope].wildcard_spans.push(span);
                continue;
            }
            let (dotted, alias) = split_alias(child);
            let Some(dotted) = dotted else { continue };
            let name = self.name_of(dotted);
            let bound = BindingValue::From(ImportFrom {
                level,
                module: module.clone(),
                name: name.clone(),
            });
            let (shown, span) = match alias {
                Some(a) => (self.name_of(a), self.span(a)),
                None => (name, self.span(dotted)),
            };
            self.bind_name(shown, bound, span, None);
        }
    }

    pub(super) fn decorated(&mut self, node: Node<'_>) {
        let mut decorators = Vec::new();
        for child in children(node) {
            if kind(child) == K::Decorator {
                for d in children(child) {
                    decorators.push(self.expr(d));
                }
            }
        }
        if let Some(definition) = field(node, Field::Definition) {
            match kind(definition) {
                K::ClassDefinition => self.class(definition, &decorators),
                _ => self.function(definition, &decorators),
            }
        }
    }
}

/// `name as alias`, or the name alone.
fn split_alias(node: Node<'_>) -> (Option<Node<'_>>, Option<Node<'_>>) {
    if kind(node) == K::AliasedImport {
        (field(node, Field::Name), field(node, Field::Alias))
    } else {
        (Some(node), None)
    }
}
