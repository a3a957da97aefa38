//! A Python module as plain data: expressions in an arena, scopes with their bindings, all with spans.
//!
//! **Invariant:** expressions stand in the arena in the order in which Python evaluates them, so an [`ExprId`] is also a
//! point in time: a name at expression `e` sees the bindings with `at <= e` of its own scope. Nothing here is recursive in
//! memory; anyone who follows ids must bound the depth.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::index::{IndexVec, define_id};
use crate::source::{FileId, Span, Text};

define_id! {
    /// Index into [`PythonModule::exprs`].
    ExprId;
    /// Index into [`PythonModule::scopes`].
    ScopeId;
    /// Index into [`PythonModule::blocks`].
    BlockId;
}

impl ExprId {
    pub const FIRST: Self = Self(0);
    /// After every expression.
    pub const END: Self = Self(u32::MAX);
}

impl ScopeId {
    /// The module itself.
    pub const MODULE: Self = Self(0);
}

impl BlockId {
    /// The body of the module.
    pub const MODULE: Self = Self(0);
}

/// One file of Python.
#[derive(Debug)]
pub struct PythonModule {
    pub file: FileId,
    pub exprs: IndexVec<ExprId, PythonExpr>,
    pub scopes: IndexVec<ScopeId, Scope>,
    pub blocks: IndexVec<BlockId, StatementRun>,
    /// `object.name = …`, in order.
    pub attributes: Vec<AttributeBinding>,
    /// Stands for what runs only as a script, after `if __name__ == "__main__"`; nothing is bound in it.
    pub script: Option<ScopeId>,
    /// Something kept us from reading part of it: what it does cannot be wholly known.
    pub partial: bool,
}

/// What an expression is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    Load,
    /// The target of an assignment or deletion.
    Store,
    /// The function of a call.
    Callee,
}

#[derive(Debug)]
pub struct PythonExpr {
    pub kind: ExprKind,
    pub span: Span,
    pub scope: ScopeId,
    pub block: BlockId,
    pub usage: Usage,
}

#[derive(Debug)]
pub enum ExprKind {
    Name(Arc<str>),
    Attr {
        of: ExprId,
        name: Arc<str>,
        name_span: Span,
    },
    Call(Box<CallExpr>),
    Str(Text),
    /// An f-string, or neighbouring strings of which one is an f-string.
    Join(Vec<FStringPart>),
    Num(Arc<str>),
    Bool(bool),
    None,
    /// Also sets.
    List(Vec<ExprId>),
    Tuple(Vec<ExprId>),
    Dict(Vec<Pair>),
    /// `+`, `%`, `|`, …
    Binary {
        op: Arc<str>,
        left: ExprId,
        right: ExprId,
    },
    /// `and`, `or`.
    Either {
        left: ExprId,
        right: ExprId,
    },
    Conditional {
        test: ExprId,
        then: ExprId,
        other: ExprId,
    },
    Index {
        of: ExprId,
        index: ExprId,
    },
    Lambda(ScopeId),
    /// A comprehension or generator: `key` only of a dict.
    Comprehension {
        scope: ScopeId,
        key: Option<ExprId>,
        element: ExprId,
    },
    Await(ExprId),
    /// `*x`
    Star(ExprId),
    /// `name := value`
    Walrus(ExprId),
    /// `==`, `in`, `<`, …: the operands.
    Comparison(Vec<ExprId>),
    /// Operators and shapes whose value we don't follow; their operands.
    Other(Vec<ExprId>),
}

#[derive(Debug)]
pub struct CallExpr {
    pub function: ExprId,
    pub args: Vec<Arg>,
}

#[derive(Debug)]
pub struct Arg {
    pub name: ArgName,
    pub value: ExprId,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgName {
    Positional,
    Keyword(Arc<str>, Span),
    /// `*x`
    Star,
    /// `**x`
    Spread,
}

/// A part of an f-string.
#[derive(Debug)]
pub enum FStringPart {
    Lit(Text),
    Value(ExprId),
}

/// `key: value`, or `**value`.
#[derive(Debug)]
pub struct Pair {
    pub key: Option<ExprId>,
    pub value: ExprId,
}

impl Scope {
    /// One without anything in it.
    pub fn new(kind: ScopeKind, parent: ScopeId, qualname: Arc<str>, header: Span, extent: Span) -> Self {
        Self {
            kind,
            parent,
            root: BlockId::MODULE,
            qualname,
            header,
            extent,
            bindings: BTreeMap::new(),
            mutations: Vec::new(),
            wildcards: Vec::new(),
            wildcard_spans: Vec::new(),
            returns: Vec::new(),
            decorators: Vec::new(),
            bases: Vec::new(),
            params: Vec::new(),
            returns_type: None,
            at: ExprId::FIRST,
            block: BlockId::MODULE,
        }
    }
}

impl ExprKind {
    /// Gives each expression that is directly a part of this one.
    pub fn each_part(&self, f: &mut dyn FnMut(ExprId)) {
        match self {
            Self::Attr { of, .. } => f(*of),
            Self::Call(c) => {
                f(c.function);
                c.args.iter().for_each(|a| f(a.value));
            }
            Self::Join(parts) => parts.iter().for_each(|p| {
                if let FStringPart::Value(e) = p {
                    f(*e);
                }
            }),
            Self::List(all) | Self::Tuple(all) | Self::Comparison(all) | Self::Other(all) => {
                all.iter().for_each(|e| f(*e));
            }
            Self::Dict(pairs) => {
                for p in pairs {
                    p.key.into_iter().for_each(&mut *f);
                    f(p.value);
                }
            }
            Self::Binary { left, right, .. } | Self::Either { left, right } => {
                f(*left);
                f(*right);
            }
            Self::Conditional { test, then, other } => [test, then, other].into_iter().for_each(|e| f(*e)),
            Self::Index { of, index } => {
                f(*of);
                f(*index);
            }
            Self::Comprehension { key, element, .. } => {
                key.iter().for_each(|e| f(*e));
                f(*element);
            }
            Self::Await(e) | Self::Star(e) | Self::Walrus(e) => f(*e),
            Self::Name(_) | Self::Str(_) | Self::Num(_) | Self::Bool(_) | Self::None | Self::Lambda(_) => {}
        }
    }
}

impl CallExpr {
    /// The n-th positional argument, where no `*x` stands before it.
    pub fn positional(&self, n: usize) -> Option<ExprId> {
        self.args
            .iter()
            .take_while(|a| a.name != ArgName::Star)
            .filter(|a| a.name == ArgName::Positional)
            .nth(n)
            .map(|a| a.value)
    }

    pub fn keyword(&self, name: &str) -> Option<ExprId> {
        self.args
            .iter()
            .find(|a| matches!(&a.name, ArgName::Keyword(k, _) if &**k == name))
            .map(|a| a.value)
    }

    /// The argument given by keyword or at this position.
    pub fn argument(&self, n: usize, name: &str) -> Option<ExprId> {
        self.keyword(name).or_else(|| self.positional(n))
    }

    /// `*x` or `**x` stands among the arguments.
    pub fn has_unpacking(&self) -> bool {
        self.args
            .iter()
            .any(|a| matches!(a.name, ArgName::Star | ArgName::Spread))
    }
}

/// A run of statements that is executed, or not, as a whole.
#[derive(Debug)]
pub struct StatementRun {
    pub parent: BlockId,
    pub kind: BlockKind,
    /// Nothing of it runs from here on: it returns or raises.
    pub ends: ExprId,
}

impl StatementRun {
    pub fn new(parent: BlockId, kind: BlockKind) -> Self {
        Self {
            parent,
            kind,
            ends: ExprId::END,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// The body of a scope.
    Root,
    /// Executed whenever its parent is: `with`, `try`, `finally`.
    Always,
    /// One of the alternatives of the statement with this number; `label` says which: "if IsProd".
    Arm { of: u32, label: Arc<str> },
    /// The last alternative: `else`, `case _`; with as many arms in all.
    LastArm { of: u32, arms: u32, label: Arc<str> },
    /// A loop's body, a handler: perhaps executed.
    Perhaps,
}

impl StatementRun {
    /// Whether it follows `if __name__ == "__main__"`. The Python documentation, "__main__".
    pub fn is_of_script(&self) -> bool {
        matches!(&self.kind, BlockKind::Arm { label, .. } if label.starts_with("if __name__ =="))
    }
}

/// Module, class, function or comprehension.
#[derive(Debug)]
pub struct Scope {
    pub kind: ScopeKind,
    pub parent: ScopeId,
    pub root: BlockId,
    /// `Class.method`; `<module>` for the module.
    pub qualname: Arc<str>,
    /// The name in the definition.
    pub header: Span,
    pub extent: Span,
    pub bindings: BTreeMap<Arc<str>, Vec<Binding>>,
    pub mutations: Vec<Mutation>,
    /// `from m import *`
    pub wildcards: Vec<ImportFrom>,
    /// Where each of them names its module.
    pub wildcard_spans: Vec<Span>,
    /// `return` and `yield` values.
    pub returns: Vec<ExprId>,
    pub decorators: Vec<ExprId>,
    /// A class's bases.
    pub bases: Vec<ExprId>,
    pub params: Vec<FunctionParam>,
    /// The annotation of what a function returns.
    pub returns_type: Option<ExprId>,
    /// Where in the enclosing scope it is defined.
    pub at: ExprId,
    pub block: BlockId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    Module,
    Class,
    Function,
    Lambda,
    Comprehension,
}

#[derive(Debug)]
pub struct FunctionParam {
    pub name: Arc<str>,
    pub span: Span,
    pub kind: ParamKind,
    pub default: Option<ExprId>,
    pub annotation: Option<ExprId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    Plain,
    KeywordOnly,
    /// `*args`
    Star,
    /// `**kwargs`
    Spread,
}

/// A name gets a value.
#[derive(Debug)]
pub struct Binding {
    pub bound: BindingValue,
    pub at: ExprId,
    pub block: BlockId,
    /// The name.
    pub span: Span,
    pub annotation: Option<ExprId>,
}

#[derive(Debug)]
pub enum BindingValue {
    Value(ValueSource),
    /// Index into [`Scope::params`].
    Param(u32),
    Function(ScopeId),
    Class(ScopeId),
    Import(Import),
    From(ImportFrom),
    /// Deleted, an exception, a match pattern.
    Other,
}

/// `import module` binds the first part; `import module as x` the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub module: Arc<str>,
    /// The module that is imported, where that is more than what is bound: `a.b` of `import a.b`.
    pub full: Arc<str>,
}

/// `from ..module import name`; `name` is `*` in [`Scope::wildcards`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImportFrom {
    /// Number of dots.
    pub level: u32,
    pub module: Arc<str>,
    pub name: Arc<str>,
}

/// Part of the value of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSource {
    pub expr: ExprId,
    pub steps: Vec<AccessStep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessStep {
    /// Each item: a loop.
    Each,
    /// The n-th item: unpacking.
    Item(u32),
    /// What `with` gives.
    Enter,
    /// `*rest`
    Rest,
}

/// `object.name = source`
#[derive(Debug)]
pub struct AttributeBinding {
    pub object: ExprId,
    pub name: Arc<str>,
    /// None for `op=` and the like.
    pub source: Option<ValueSource>,
    pub annotation: Option<ExprId>,
    pub scope: ScopeId,
    pub at: ExprId,
    pub span: Span,
}

/// A change of what a name holds: `d["k"] = v`, `d["k"].append(v)`, `d.update(v)`.
#[derive(Debug)]
pub struct Mutation {
    /// A name, or attributes of one: `os.environ`.
    pub name: Arc<str>,
    pub path: Vec<ExprId>,
    pub change: ObjectChange,
    pub at: ExprId,
    pub block: BlockId,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectChange {
    /// `path` gets this value.
    Set(ExprId),
    Append(ExprId),
    Extend(ExprId),
    Update(ExprId),
    /// Something that we don't follow.
    Other,
}

/// The expression that each one is a part of.
pub type Wholes = IndexVec<ExprId, Option<ExprId>>;

impl PythonModule {
    /// What each expression is a part of, of those that count.
    pub fn wholes(&self, counts: impl Fn(&ExprKind) -> bool) -> Wholes {
        let mut out = IndexVec::with_len_of(&self.exprs, || None);
        for id in self.ids().filter(|id| counts(&self.expr(*id).kind)) {
            self.expr(id).kind.each_part(&mut |part| out[part] = Some(id));
        }
        out
    }

    /// A file of which nothing is known.
    pub fn unreadable(file: FileId) -> Self {
        let span = Span::new(file, 0, 0);
        Self {
            file,
            exprs: IndexVec::new(),
            scopes: IndexVec::from_vec(vec![Scope::new(
                ScopeKind::Module,
                ScopeId::MODULE,
                "<module>".into(),
                span,
                span,
            )]),
            blocks: IndexVec::from_vec(vec![StatementRun::new(BlockId::MODULE, BlockKind::Root)]),
            attributes: Vec::new(),
            script: None,
            partial: true,
        }
    }

    pub fn expr(&self, id: ExprId) -> &PythonExpr {
        &self.exprs[id]
    }

    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id]
    }

    pub fn ids(&self) -> impl Iterator<Item = ExprId> + use<> {
        self.exprs.ids()
    }

    /// Every `from … import`, of one name or of all.
    pub fn all_from_imports(&self) -> impl Iterator<Item = &ImportFrom> {
        self.scopes.iter().flat_map(|s| {
            let named = s.bindings.values().flatten().filter_map(|b| match &b.bound {
                BindingValue::From(i) => Some(i),
                _ => None,
            });
            named.chain(&s.wildcards)
        })
    }

    /// The call that `id` is.
    pub fn call(&self, id: ExprId) -> Option<&CallExpr> {
        match &self.expr(id).kind {
            ExprKind::Call(c) => Some(c),
            _ => None,
        }
    }

    /// The string that `id` is, when it is a literal without holes.
    pub fn string(&self, id: ExprId) -> Option<std::borrow::Cow<'_, str>> {
        match &self.expr(id).kind {
            ExprKind::Str(t) => t.known(),
            _ => None,
        }
    }

    /// `a.b.c` as written, for names and attributes of names.
    pub fn dotted(&self, id: ExprId) -> Option<String> {
        let mut parts = Vec::new();
        let mut at = id;
        loop {
            match &self.expr(at).kind {
                ExprKind::Name(n) => {
                    parts.push(n.clone());
                    break;
                }
                ExprKind::Attr { of, name, .. } if parts.len() < 16 => {
                    parts.push(name.clone());
                    at = *of;
                }
                _ => return None,
            }
        }
        parts.reverse();
        Some(parts.join("."))
    }

    /// Where an expression runs: in the nearest function, in the module, or in what runs only as a script.
    pub fn runs_in(&self, expr: ExprId) -> ScopeId {
        let e = self.expr(expr);
        let function = self.function_of(e.scope);
        let script = self
            .script
            .filter(|_| function == ScopeId::MODULE && self.only_as_script(e.block));
        script.unwrap_or(function)
    }

    /// Whether a block is, or stands in, what follows `if __name__ == "__main__"`.
    fn only_as_script(&self, block: BlockId) -> bool {
        let mut at = block;
        loop {
            let b = &self.blocks[at];
            if b.is_of_script() {
                return true;
            }
            if b.parent >= at {
                return false;
            }
            at = b.parent;
        }
    }

    /// The nearest enclosing function's name, `<module>` at the top.
    pub fn function_of(&self, scope: ScopeId) -> ScopeId {
        let mut at = scope;
        loop {
            let s = self.scope(at);
            match s.kind {
                ScopeKind::Module | ScopeKind::Function => return at,
                _ if s.parent == at => return at,
                _ => at = s.parent,
            }
        }
    }
}
