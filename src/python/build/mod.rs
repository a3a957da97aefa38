//! From the syntax tree to [`PythonModule`]: one walk, bounded in depth, in the order of evaluation.

mod binding;
mod expressions;
mod scopes;
mod statements;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::index::IndexVec;
use crate::python::syntax::{K, Node, PythonCode, Tree, kind};
use crate::python::{
    BlockId, BlockKind, ExprId, ExprKind, PythonExpr, PythonModule, Scope, ScopeId, ScopeKind, StatementRun, Usage,
};
use crate::source::Span;

/// How deep expressions and blocks may nest before the rest counts as unknown.
const MAX_DEPTH: u32 = 110;

/// Walks `tree`, the tree of `code`. In addition, the first place where a policy nests too deep to be read.
pub(crate) fn build(code: &PythonCode<'_>, tree: Option<&Tree>) -> (PythonModule, Option<Span>) {
    let all = code.span(0..code.text().len());
    let mut b = ModuleBuilder {
        code,
        names: HashSet::new(),
        module: PythonModule {
            file: code.file(),
            exprs: IndexVec::new(),
            scopes: IndexVec::new(),
            blocks: IndexVec::from_vec(vec![StatementRun::new(BlockId::MODULE, BlockKind::Root)]),
            attributes: Vec::new(),
            script: None,
            partial: tree.is_none_or(|t| t.root_node().has_error()),
        },
        scope: ScopeId::MODULE,
        block: BlockId::MODULE,
        depth: 0,
        statements: 0,
        outer: BTreeMap::new(),
        unread: None,
    };
    b.module.scopes.push(Scope::new(
        ScopeKind::Module,
        ScopeId::MODULE,
        "<module>".into(),
        all,
        all,
    ));
    if let Some(tree) = tree {
        b.body(tree.root_node());
    }
    if b.module.blocks.iter().any(StatementRun::is_of_script) {
        let script = Scope::new(ScopeKind::Module, ScopeId::MODULE, "<module>".into(), all, all);
        b.module.script = Some(b.module.scopes.push(script));
    }
    for s in &mut b.module.scopes {
        for bindings in s.bindings.values_mut() {
            bindings.sort_by_key(|b| b.at);
        }
    }
    (b.module, b.unread)
}

struct ModuleBuilder<'c, 'a> {
    code: &'c PythonCode<'a>,
    names: HashSet<Arc<str>>,
    module: PythonModule,
    scope: ScopeId,
    block: BlockId,
    depth: u32,
    statements: u32,
    /// `global x` and `nonlocal x`: where the name of this scope really lives.
    outer: BTreeMap<(ScopeId, Arc<str>), ScopeId>,
    unread: Option<Span>,
}

fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|n| kind(*n) != K::Comment)
        .collect()
}

impl ModuleBuilder<'_, '_> {
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

    fn next_id(&self) -> ExprId {
        self.module.exprs.next_id()
    }

    fn push(&mut self, kind: ExprKind, span: Span) -> ExprId {
        self.module.exprs.push(PythonExpr {
            kind,
            span,
            scope: self.scope,
            block: self.block,
            usage: Usage::Load,
        })
    }
}
