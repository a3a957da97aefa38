//! From the syntax tree to [`Module`]: one walk, bounded in depth, in the order of evaluation.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::model::python::{
    Arg, ArgName, AttributeBinding, Binding, Block, BlockId, BlockKind, Bound, Call, Change, Expr, ExprId, ExprKind,
    Import, ImportFrom, Module, Mutation, Pair, Param, ParamKind, Part, Scope, ScopeId, ScopeKind, Source, Step, Usage,
};
use crate::source::{Span, Text};
use crate::syntax::python::{Code, Field, K, Node, Tree, field, kind};

/// How deep expressions and blocks may nest before the rest counts as unknown.
const MAX_DEPTH: u32 = 110;

/// Walks `tree`, the tree of `code`.
pub(super) fn build(code: &Code<'_>, tree: Option<&Tree>) -> Module {
    let all = code.span(0..code.text().len());
    let mut b = Builder {
        code,
        names: HashSet::new(),
        module: Module {
            file: code.file(),
            exprs: Vec::new(),
            scopes: Vec::new(),
            blocks: vec![Block {
                parent: 0,
                kind: BlockKind::Root,
            }],
            attributes: Vec::new(),
            partial: tree.is_none_or(|t| t.root_node().has_error()),
        },
        scope: 0,
        block: 0,
        depth: 0,
        statements: 0,
        outer: BTreeMap::new(),
    };
    b.module
        .scopes
        .push(Scope::new(ScopeKind::Module, 0, "<module>".into(), all, all));
    if let Some(tree) = tree {
        b.body(tree.root_node());
    }
    for s in &mut b.module.scopes {
        for bindings in s.bindings.values_mut() {
            bindings.sort_by_key(|b| b.at);
        }
    }
    b.module
}

struct Builder<'c, 'a> {
    code: &'c Code<'a>,
    names: HashSet<Arc<str>>,
    module: Module,
    scope: ScopeId,
    block: BlockId,
    depth: u32,
    statements: u32,
    /// `global x` and `nonlocal x`: where the name of this scope really lives.
    outer: BTreeMap<(ScopeId, Arc<str>), ScopeId>,
}

fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|n| kind(*n) != K::Comment)
        .collect()
}

impl Builder<'_, '_> {
    fn text(&self, node: Node<'_>) -> &str {
        self.code.slice(node.byte_range())
    }

    fn span(&self, node: Node<'_>) -> Span {
        self.code.span(node.byte_range())
    }

    fn name(&mut self, text: &str) -> Arc<str> {
        if let Some(n) = self.names.get(text) {
            return n.clone();
        }
        let n: Arc<str> = Arc::from(text);
        self.names.insert(n.clone());
        n
    }

    fn name_of(&mut self, node: Node<'_>) -> Arc<str> {
        let text = self.code.slice(node.byte_range()).to_owned();
        self.name(&text)
    }

    fn now(&self) -> ExprId {
        self.module.exprs.len() as ExprId
    }

    fn push(&mut self, kind: ExprKind, span: Span) -> ExprId {
        let id = self.now();
        self.module.exprs.push(Expr {
            kind,
            span,
            scope: self.scope,
            block: self.block,
            usage: Usage::Load,
        });
        id
    }

    // ---- statements ----

    fn body(&mut self, block: Node<'_>) {
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
    fn block_of(&mut self, kind: BlockKind, body: Option<Node<'_>>) {
        let outer = self.enter_block(kind);
        if let Some(body) = body {
            self.body(body);
        }
        self.block = outer;
    }

    fn enter_block(&mut self, kind: BlockKind) -> BlockId {
        let outer = self.block;
        self.block = self.module.blocks.len() as BlockId;
        self.module.blocks.push(Block { parent: outer, kind });
        outer
    }

    fn statement(&mut self, node: Node<'_>) {
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
                    self.module.scopes[self.scope as usize].returns.push(e);
                }
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
            // del, raise, assert, print, exec, type aliases, and what an error left: their expressions.
            _ => {
                let id = self.expr(node);
                let _ = id;
            }
        }
    }

    fn if_statement(&mut self, node: Node<'_>) {
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

    fn label(&self, word: &str, condition: Option<Node<'_>>) -> Arc<str> {
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

    fn for_statement(&mut self, node: Node<'_>) {
        let iter = field(node, Field::Right).map(|r| self.expr(r));
        let outer = self.enter_block(BlockKind::Perhaps);
        if let (Some(left), Some(iter)) = (field(node, Field::Left), iter) {
            let source = Source {
                expr: iter,
                steps: vec![Step::Each],
            };
            self.bind(left, Some(&source), None);
        }
        if let Some(body) = field(node, Field::Body) {
            self.body(body);
        }
        self.block = outer;
        self.else_of(node);
    }

    fn else_of(&mut self, node: Node<'_>) {
        if let Some(alternative) = field(node, Field::Alternative) {
            self.block_of(BlockKind::Always, field(alternative, Field::Body));
        }
    }

    fn try_statement(&mut self, node: Node<'_>) {
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

    fn with_statement(&mut self, node: Node<'_>) {
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
    fn as_pattern(&mut self, node: Node<'_>, exception: bool) {
        let parts = children(node);
        let Some(value) = parts.first() else { return };
        let expr = self.expr(*value);
        let Some(target) = field(node, Field::Alias) else {
            return;
        };
        for t in children(target) {
            let source = Source {
                expr,
                steps: vec![Step::Enter],
            };
            self.bind(t, (!exception).then_some(&source), None);
        }
    }

    fn match_statement(&mut self, node: Node<'_>) {
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
    fn captures(&mut self, pattern: Node<'_>) {
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

    fn outer_names(&mut self, node: Node<'_>, global: bool) {
        for child in children(node) {
            let name = self.name_of(child);
            let target = if global {
                0
            } else {
                let mut at = self.module.scopes[self.scope as usize].parent;
                while at != 0 && !self.module.scopes[at as usize].bindings.contains_key(&name) {
                    at = self.module.scopes[at as usize].parent;
                }
                at
            };
            self.outer.insert((self.scope, name), target);
        }
    }

    fn import(&mut self, node: Node<'_>) {
        for child in children(node) {
            let (dotted, alias) = aliased(child);
            let Some(dotted) = dotted else { continue };
            let module = self.text(dotted).replace(char::is_whitespace, "");
            match alias {
                Some(a) => {
                    let module = self.name(&module);
                    let name = self.name_of(a);
                    let span = self.span(a);
                    let full = module.clone();
                    self.bind_name(name, Bound::Import(Import { module, full }), span, None);
                }
                None => {
                    let first = module.split('.').next().unwrap_or("").to_owned();
                    let name = self.name(&first);
                    let span = self.span(dotted);
                    let import = Import {
                        module: name.clone(),
                        full: self.name(&module),
                    };
                    self.bind_name(name, Bound::Import(import), span, None);
                }
            }
        }
    }

    fn import_from(&mut self, node: Node<'_>) {
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
                self.module.scopes[self.scope as usize].wildcards.push(ImportFrom {
                    level,
                    module: module.clone(),
                    name: "*".into(),
                });
                continue;
            }
            let (dotted, alias) = aliased(child);
            let Some(dotted) = dotted else { continue };
            let name = self.name_of(dotted);
            let bound = Bound::From(ImportFrom {
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

    fn decorated(&mut self, node: Node<'_>) {
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

    fn open_scope(&mut self, kind: ScopeKind, name: &str, header: Span, extent: Span) -> (ScopeId, BlockId) {
        let outer = (self.scope, self.block);
        let parent = &self.module.scopes[self.scope as usize];
        let qualname: Arc<str> = if parent.kind == ScopeKind::Module || name.is_empty() {
            if name.is_empty() {
                parent.qualname.clone()
            } else {
                name.into()
            }
        } else {
            format!("{}.{name}", parent.qualname).into()
        };
        let id = self.module.scopes.len() as ScopeId;
        let mut s = Scope::new(kind, self.scope, qualname, header, extent);
        s.root = self.module.blocks.len() as BlockId;
        s.at = self.now();
        s.block = self.block;
        self.module.blocks.push(Block {
            parent: s.root,
            kind: BlockKind::Root,
        });
        self.block = s.root;
        self.module.scopes.push(s);
        self.scope = id;
        outer
    }

    fn close_scope(&mut self, outer: (ScopeId, BlockId)) -> ScopeId {
        let id = self.scope;
        (self.scope, self.block) = outer;
        id
    }

    fn function(&mut self, node: Node<'_>, decorators: &[ExprId]) {
        let Some(name_node) = field(node, Field::Name) else {
            return self.body(node);
        };
        let name = self.name_of(name_node);
        let header = self.span(name_node);
        let params = field(node, Field::Parameters).map_or_else(Vec::new, |p| self.params(p));
        let returns_type = field(node, Field::ReturnType).and_then(|t| self.annotation(t));
        let outer = self.open_scope(ScopeKind::Function, &name, header, self.span(node));
        self.take_params(params);
        let s = &mut self.module.scopes[self.scope as usize];
        s.decorators = decorators.to_vec();
        s.returns_type = returns_type;
        if let Some(body) = field(node, Field::Body) {
            self.body(body);
        }
        let id = self.close_scope(outer);
        self.bind_name(name, Bound::Function(id), header, None);
    }

    /// Defaults and annotations are evaluated around the function.
    fn params(&mut self, node: Node<'_>) -> Vec<Param> {
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
            out.push(Param {
                name: self.name_of(name_node),
                span: self.span(name_node),
                kind,
                default,
                annotation,
            });
        }
        out
    }

    fn take_params(&mut self, params: Vec<Param>) {
        for (i, p) in params.iter().enumerate() {
            let (name, span, annotation) = (p.name.clone(), p.span, p.annotation);
            self.bind_name(name, Bound::Param(i as u32), span, annotation);
        }
        self.module.scopes[self.scope as usize].params = params;
    }

    fn annotation(&mut self, node: Node<'_>) -> Option<ExprId> {
        let inner = children(node).into_iter().next()?;
        Some(self.expr(inner))
    }

    fn class(&mut self, node: Node<'_>, decorators: &[ExprId]) {
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
        let s = &mut self.module.scopes[self.scope as usize];
        s.decorators = decorators.to_vec();
        s.bases = bases;
        if let Some(body) = field(node, Field::Body) {
            self.body(body);
        }
        let id = self.close_scope(outer);
        self.bind_name(name, Bound::Class(id), header, None);
    }

    // ---- binding ----

    fn bind_name(&mut self, name: Arc<str>, bound: Bound, span: Span, annotation: Option<ExprId>) {
        let at = self.now();
        let (scope, block) = match self.outer.get(&(self.scope, name.clone())) {
            Some(&outer) if outer != self.scope => {
                // Runs when the function runs: perhaps, seen from the scope that holds the name.
                let block = self.module.blocks.len() as BlockId;
                self.module.blocks.push(Block {
                    parent: self.module.scopes[outer as usize].root,
                    kind: BlockKind::Perhaps,
                });
                (outer, block)
            }
            _ => (self.scope, self.block),
        };
        self.module.scopes[scope as usize]
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

    /// Binds the target `node` to `source` (nothing known where there is none).
    fn bind(&mut self, node: Node<'_>, source: Option<&Source>, annotation: Option<ExprId>) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        match kind(node) {
            K::Identifier => {
                let (name, span) = (self.name_of(node), self.span(node));
                let bound = source.map_or(Bound::Other, |s| Bound::Value(s.clone()));
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
                self.module.exprs[id as usize].usage = Usage::Store;
                if let ExprKind::Attr { of, name, name_span } = &self.module.exprs[id as usize].kind {
                    let (object, name, span) = (*of, name.clone(), *name_span);
                    self.module.attributes.push(AttributeBinding {
                        object,
                        name,
                        source: source.cloned(),
                        annotation,
                        scope: self.scope,
                        at: self.now(),
                        span,
                    });
                }
            }
            K::Subscript => {
                let id = self.expr(node);
                self.module.exprs[id as usize].usage = Usage::Store;
                let change = match source {
                    Some(s) if s.steps.is_empty() => Change::Set(s.expr),
                    _ => Change::Other,
                };
                self.mutate(id, change);
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

    fn bind_items(&mut self, node: Node<'_>, source: Option<&Source>) {
        let targets = children(node);
        let starred = targets
            .iter()
            .position(|t| matches!(kind(*t), K::ListSplatPattern | K::ListSplat));
        for (i, target) in targets.iter().enumerate() {
            let part = source.map(|s| {
                // `a, b = x, y` needs no list.
                if s.steps.is_empty()
                    && starred.is_none()
                    && let ExprKind::Tuple(items) | ExprKind::List(items) = &self.module.exprs[s.expr as usize].kind
                    && items.len() == targets.len()
                {
                    return Source {
                        expr: items[i],
                        steps: Vec::new(),
                    };
                }
                let mut s = s.clone();
                s.steps.push(match starred {
                    Some(at) if i >= at => Step::Rest,
                    _ => Step::Item(i as u32),
                });
                s
            });
            self.bind(*target, part.as_ref(), None);
        }
    }

    /// Records a change of what a name holds; `place` is `name[k1][k2]`.
    fn mutate(&mut self, place: ExprId, change: Change) {
        let mut path = Vec::new();
        let mut at = place;
        let name = loop {
            match &self.module.exprs[at as usize].kind {
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
            at: self.now(),
            block: self.block,
        };
        self.module.scopes[self.scope as usize].mutations.push(mutation);
    }

    // ---- expressions ----

    fn expr(&mut self, node: Node<'_>) -> ExprId {
        let span = self.span(node);
        if self.depth >= MAX_DEPTH {
            self.module.partial = true;
            return self.push(ExprKind::Other(Vec::new()), span);
        }
        self.depth += 1;
        let id = self.expr_inner(node, span);
        self.depth -= 1;
        id
    }

    fn expr_inner(&mut self, node: Node<'_>, span: Span) -> ExprId {
        match kind(node) {
            K::Identifier => {
                let n = self.name_of(node);
                self.push(ExprKind::Name(n), span)
            }
            K::ParenthesizedExpression | K::Type => match children(node).as_slice() {
                [one] => self.expr(*one),
                many => self.other(many, span),
            },
            K::Attribute => self.attribute(node, span),
            K::Call => self.call(node, span),
            K::String => self.string(&[node], span),
            K::ConcatenatedString => self.string(&children(node), span),
            K::Integer | K::Float => {
                let n = self.name_of(node);
                self.push(ExprKind::Num(n), span)
            }
            K::True => self.push(ExprKind::Bool(true), span),
            K::False => self.push(ExprKind::Bool(false), span),
            K::None => self.push(ExprKind::None, span),
            K::List | K::Set => {
                let items = self.exprs(node);
                self.push(ExprKind::List(items), span)
            }
            K::Tuple | K::ExpressionList | K::PatternList => {
                let items = self.exprs(node);
                self.push(ExprKind::Tuple(items), span)
            }
            K::Dictionary => self.dictionary(node, span),
            K::BinaryOperator => self.binary(node, span),
            K::BooleanOperator => match (field(node, Field::Left), field(node, Field::Right)) {
                (Some(l), Some(r)) => {
                    let (left, right) = (self.expr(l), self.expr(r));
                    self.push(ExprKind::Either { left, right }, span)
                }
                _ => self.other(&children(node), span),
            },
            K::ConditionalExpression => match children(node).as_slice() {
                [then, test, other] => {
                    let test = self.expr(*test);
                    let (then, other) = (self.expr(*then), self.expr(*other));
                    self.push(ExprKind::Conditional { test, then, other }, span)
                }
                many => self.other(many, span),
            },
            K::Subscript => self.subscript(node, span),
            K::Lambda => self.lambda(node, span),
            K::ListComprehension | K::SetComprehension | K::GeneratorExpression | K::DictionaryComprehension => {
                self.comprehension(node, span)
            }
            K::Await => match children(node).as_slice() {
                [one] => {
                    let e = self.expr(*one);
                    self.push(ExprKind::Await(e), span)
                }
                many => self.other(many, span),
            },
            K::ListSplat | K::ListSplatPattern => match children(node).as_slice() {
                [one] => {
                    let e = self.expr(*one);
                    self.push(ExprKind::Star(e), span)
                }
                many => self.other(many, span),
            },
            K::NamedExpression => match (field(node, Field::Name), field(node, Field::Value)) {
                (Some(n), Some(v)) => {
                    let value = self.expr(v);
                    let source = Source {
                        expr: value,
                        steps: Vec::new(),
                    };
                    self.bind(n, Some(&source), None);
                    self.push(ExprKind::Walrus(value), span)
                }
                _ => self.other(&children(node), span),
            },
            K::Yield => {
                let parts = children(node);
                let items: Vec<ExprId> = parts.iter().map(|p| self.expr(*p)).collect();
                let scope = self.module.function_of(self.scope);
                self.module.scopes[scope as usize].returns.extend(&items);
                self.push(ExprKind::Other(items), span)
            }
            K::Assignment => self.assignment(node, span),
            K::AugmentedAssignment => self.augmented(node, span),
            K::AsPattern => {
                self.as_pattern(node, false);
                self.push(ExprKind::Other(Vec::new()), span)
            }
            K::FunctionDefinition | K::ClassDefinition | K::IfStatement | K::ForStatement | K::Block => {
                self.statement(node);
                self.push(ExprKind::Other(Vec::new()), span)
            }
            _ => self.other(&children(node), span),
        }
    }

    fn exprs(&mut self, node: Node<'_>) -> Vec<ExprId> {
        children(node).into_iter().map(|c| self.expr(c)).collect()
    }

    fn other(&mut self, parts: &[Node<'_>], span: Span) -> ExprId {
        let items = parts.iter().map(|p| self.expr(*p)).collect();
        self.push(ExprKind::Other(items), span)
    }

    fn assignment(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let annotation = field(node, Field::Type).and_then(|t| self.annotation(t));
        let value = field(node, Field::Right).map(|r| self.expr(r));
        let Some(left) = field(node, Field::Left) else {
            return value.unwrap_or_else(|| self.push(ExprKind::Other(Vec::new()), span));
        };
        match value {
            Some(expr) => {
                let source = Source {
                    expr,
                    steps: Vec::new(),
                };
                self.bind(left, Some(&source), annotation);
                expr
            }
            None => {
                // `x: T` alone says a type and binds nothing, but the type is worth knowing.
                if annotation.is_some() {
                    self.bind(left, None, annotation);
                }
                self.push(ExprKind::Other(Vec::new()), span)
            }
        }
    }

    fn augmented(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let (Some(left), Some(right)) = (field(node, Field::Left), field(node, Field::Right)) else {
            return self.other(&children(node), span);
        };
        let value = self.expr(right);
        let place = self.expr(left);
        let op = field(node, Field::Operator).map_or("", |o| self.text(o));
        let change = match op {
            "+=" => Change::Extend(value),
            "|=" => Change::Update(value),
            _ => Change::Other,
        };
        self.mutate(place, change);
        if let ExprKind::Attr { of, name, name_span } = &self.module.exprs[place as usize].kind {
            let (object, name, span) = (*of, name.clone(), *name_span);
            self.module.attributes.push(AttributeBinding {
                object,
                name,
                source: None,
                annotation: None,
                scope: self.scope,
                at: self.now(),
                span,
            });
        }
        self.push(ExprKind::Other(vec![value, place]), span)
    }

    /// `a.b.c`: long chains without recursion.
    fn attribute(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let (Some(object), Some(name)) = (field(node, Field::Object), field(node, Field::Attribute)) else {
            return self.other(&children(node), span);
        };
        let of = self.expr(object);
        let (name, name_span) = (self.name_of(name), self.span(name));
        self.push(ExprKind::Attr { of, name, name_span }, span)
    }

    fn call(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let (Some(f), Some(arguments)) = (field(node, Field::Function), field(node, Field::Arguments)) else {
            return self.other(&children(node), span);
        };
        let function = self.expr(f);
        self.module.exprs[function as usize].usage = Usage::Callee;
        let mut args = Vec::new();
        if kind(arguments) == K::ArgumentList {
            for a in children(arguments) {
                let (name, value) = match kind(a) {
                    K::KeywordArgument => match (field(a, Field::Name), field(a, Field::Value)) {
                        (Some(n), Some(v)) => {
                            let name = ArgName::Keyword(self.name_of(n), self.span(n));
                            (name, v)
                        }
                        _ => continue,
                    },
                    K::ListSplat => match children(a).as_slice() {
                        [v] => (ArgName::Star, *v),
                        _ => continue,
                    },
                    K::DictionarySplat => match children(a).as_slice() {
                        [v] => (ArgName::Spread, *v),
                        _ => continue,
                    },
                    _ => (ArgName::Positional, a),
                };
                let value = self.expr(value);
                args.push(Arg { name, value });
            }
        } else {
            let value = self.expr(arguments);
            args.push(Arg {
                name: ArgName::Positional,
                value,
            });
        }
        // `x.append(v)`, `x["k"].update(v)`: a change of what `x` holds.
        if let ExprKind::Attr { of, name, .. } = &self.module.exprs[function as usize].kind {
            let of = *of;
            let first = match args.first() {
                Some(a) if args.len() == 1 && a.name == ArgName::Positional => Some(a.value),
                _ => None,
            };
            let change = match (&**name, first) {
                ("append" | "add", Some(v)) => Some(Change::Append(v)),
                ("extend", Some(v)) => Some(Change::Extend(v)),
                ("update", Some(v)) => Some(Change::Update(v)),
                ("insert", _) if args.len() == 2 => Some(Change::Append(args[1].value)),
                ("setdefault" | "pop" | "clear" | "update" | "remove", _) => Some(Change::Other),
                _ => None,
            };
            if let Some(change) = change {
                self.mutate(of, change);
            }
        }
        self.push(ExprKind::Call(Box::new(Call { function, args })), span)
    }

    fn dictionary(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let mut pairs = Vec::new();
        for child in children(node) {
            match kind(child) {
                K::Pair => {
                    if let (Some(k), Some(v)) = (field(child, Field::Key), field(child, Field::Value)) {
                        let key = Some(self.expr(k));
                        let value = self.expr(v);
                        pairs.push(Pair { key, value });
                    }
                }
                K::DictionarySplat => {
                    for v in children(child) {
                        let value = self.expr(v);
                        pairs.push(Pair { key: None, value });
                    }
                }
                _ => {
                    self.expr(child);
                }
            }
        }
        self.push(ExprKind::Dict(pairs), span)
    }

    /// Left-deep chains (`"a" + "b" + …`) of any length without recursion.
    fn binary(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let mut chain = Vec::new();
        let mut at = node;
        while kind(at) == K::BinaryOperator {
            let (Some(l), Some(r)) = (field(at, Field::Left), field(at, Field::Right)) else {
                break;
            };
            chain.push((at, r));
            at = l;
        }
        if chain.is_empty() {
            return self.other(&children(node), span);
        }
        let mut left = self.expr(at);
        for (n, r) in chain.into_iter().rev() {
            let right = self.expr(r);
            let op = field(n, Field::Operator).map_or_else(String::new, |o| self.text(o).to_owned());
            let op = self.name(&op);
            let span = self.span(n);
            left = self.push(ExprKind::Binary { op, left, right }, span);
        }
        left
    }

    fn subscript(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let Some(value) = field(node, Field::Value) else {
            return self.other(&children(node), span);
        };
        let of = self.expr(value);
        let rest: Vec<Node<'_>> = children(node).into_iter().filter(|c| c.id() != value.id()).collect();
        let index = match rest.as_slice() {
            [one] => self.expr(*one),
            many => {
                let items = many.iter().map(|p| self.expr(*p)).collect();
                self.push(ExprKind::Tuple(items), span)
            }
        };
        self.push(ExprKind::Index { of, index }, span)
    }

    fn lambda(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let params = field(node, Field::Parameters).map_or_else(Vec::new, |p| self.params(p));
        let outer = self.open_scope(ScopeKind::Lambda, "<lambda>", span, span);
        self.take_params(params);
        if let Some(body) = field(node, Field::Body) {
            let e = self.expr(body);
            self.module.scopes[self.scope as usize].returns.push(e);
        }
        let id = self.close_scope(outer);
        self.push(ExprKind::Lambda(id), span)
    }

    fn comprehension(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let outer = self.open_scope(ScopeKind::Comprehension, "", span, span);
        let body = field(node, Field::Body);
        for child in children(node) {
            match kind(child) {
                K::ForInClause => {
                    let iter = field(child, Field::Right).map(|r| self.expr(r));
                    if let (Some(left), Some(expr)) = (field(child, Field::Left), iter) {
                        let source = Source {
                            expr,
                            steps: vec![Step::Each],
                        };
                        self.bind(left, Some(&source), None);
                    }
                }
                K::IfClause => {
                    for c in children(child) {
                        self.expr(c);
                    }
                }
                _ => {}
            }
        }
        let (key, element) = match body {
            Some(b) if kind(b) == K::Pair => (
                field(b, Field::Key).map(|k| self.expr(k)),
                field(b, Field::Value).map(|v| self.expr(v)),
            ),
            Some(b) => (None, Some(self.expr(b))),
            None => (None, None),
        };
        let element = element.unwrap_or_else(|| self.push(ExprKind::Other(Vec::new()), span));
        let scope = self.close_scope(outer);
        self.push(ExprKind::Comprehension { scope, key, element }, span)
    }

    /// One or several neighbouring string tokens.
    fn string(&mut self, tokens: &[Node<'_>], span: Span) -> ExprId {
        let mut parts: Vec<Part> = Vec::new();
        let mut text = Text::default();
        for token in tokens {
            if kind(*token) == K::String {
                self.string_token(*token, &mut text, &mut parts);
            }
        }
        if parts.is_empty() {
            return self.push(ExprKind::Str(text), span);
        }
        if !text.is_empty() {
            parts.push(Part::Lit(text));
        }
        self.push(ExprKind::Join(parts), span)
    }

    fn string_token(&mut self, node: Node<'_>, text: &mut Text, parts: &mut Vec<Part>) {
        let range = node.byte_range();
        let all = self.code.slice(range.clone());
        let prefix: String = all
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let quoted = &all[prefix.len()..];
        let quotes = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") {
            3
        } else {
            1
        };
        let start = (range.start + prefix.len() + quotes).min(range.end);
        let mut end = range.end;
        let mut cursor = node.walk();
        let mut interpolations = Vec::new();
        for child in node.named_children(&mut cursor) {
            match kind(child) {
                K::Interpolation => interpolations.push(child),
                K::StringEnd => end = child.start_byte(),
                _ => {}
            }
        }
        let end = end.max(start);
        let (raw, formatted) = (prefix.contains('r'), prefix.contains('f') || prefix.contains('t'));
        let mut from = start;
        for i in interpolations {
            let r = i.byte_range();
            if r.start < from || r.end > end {
                continue;
            }
            self.code.decode(from..r.start, raw, formatted, text);
            from = r.end;
            if !text.is_empty() {
                parts.push(Part::Lit(std::mem::take(text)));
            }
            let value = match field(i, Field::Expression) {
                Some(e) => self.expr(e),
                None => {
                    let span = self.span(i);
                    self.push(ExprKind::Other(Vec::new()), span)
                }
            };
            parts.push(Part::Value(value));
        }
        self.code.decode(from..end, raw, formatted, text);
    }
}

/// `name as alias`, or the name alone.
fn aliased(node: Node<'_>) -> (Option<Node<'_>>, Option<Node<'_>>) {
    if kind(node) == K::AliasedImport {
        (field(node, Field::Name), field(node, Field::Alias))
    } else {
        (Some(node), None)
    }
}
