//! Which bindings a name may mean at a point: reaching definitions, by blocks.

use crate::python::{Binding, BindingValue, BlockId, BlockKind, ExprId, ExprKind, PythonModule, ScopeId, ScopeKind};

/// More alternatives than these are not distinguished.
const MAX_ALTERNATIVES: usize = 32;

/// The bindings that a name may mean.
#[derive(Debug)]
pub struct ReachingBindings<'m> {
    /// The scope that binds it.
    pub scope: ScopeId,
    /// Latest first; never empty.
    pub bindings: Vec<&'m Binding>,
    /// The last point whose changes of the value can be seen.
    pub until: ExprId,
}

/// What a name means.
#[derive(Debug)]
pub enum Reaching<'m> {
    Found(ReachingBindings<'m>),
    /// No binding in this module: a builtin, or from `from m import *`.
    Free,
}

impl PythonModule {
    /// The bindings that `name`, read at expression `at`, may mean.
    pub fn reaching_bindings(&self, name: &str, at: ExprId) -> Reaching<'_> {
        let e = self.expr(at);
        self.reaching_from(name, e.scope, e.block, at)
    }

    /// The same for a name that is read in `scope` after everything there has run.
    pub fn at_end(&self, name: &str, scope: ScopeId) -> Reaching<'_> {
        self.reaching_from(name, scope, self.scope(scope).root, ExprId::END)
    }

    /// The expression whose value `expr` certainly is, through the name that holds it.
    pub fn defining_expression(&self, expr: ExprId) -> Option<ExprId> {
        let ExprKind::Name(name) = &self.expr(expr).kind else {
            return Some(expr);
        };
        let Reaching::Found(found) = self.reaching_bindings(name, expr) else {
            return None;
        };
        match found.bindings.as_slice() {
            [one] => match &one.bound {
                BindingValue::Value(source) if source.steps.is_empty() => Some(source.expr),
                _ => None,
            },
            _ => None,
        }
    }

    fn reaching_from(&self, name: &str, scope: ScopeId, block: BlockId, at: ExprId) -> Reaching<'_> {
        let (mut scope, mut block, mut at) = (scope, block, at);
        let mut first = true;
        loop {
            let s = self.scope(scope);
            if (first || s.kind != ScopeKind::Class)
                && let Some(all) = s.bindings.get(name)
            {
                let mut bindings = self.collect(all, block, at);
                if bindings.is_empty() {
                    // Bound later only: a loop's next round, or a mistake.
                    bindings = self.collect(all, s.root, ExprId::END);
                }
                if !bindings.is_empty() {
                    return Reaching::Found(ReachingBindings {
                        scope,
                        bindings,
                        until: at,
                    });
                }
            }
            if s.kind == ScopeKind::Module {
                return Reaching::Free;
            }
            // A comprehension runs where it stands; a function runs later, after all of the scope around it.
            if s.kind == ScopeKind::Comprehension {
                block = s.block;
            } else {
                first = false;
                at = ExprId::END;
                block = self.scope(s.parent).root;
            }
            scope = s.parent;
        }
    }

    /// What a name may hold in addition to what `found` says because a loop around the expression runs again: later bindings of
    /// the loop, unless it binds the name before.
    pub fn of_next_rounds<'m>(&'m self, name: &str, at: ExprId, found: &ReachingBindings<'m>) -> Vec<&'m Binding> {
        let block = self.expr(at).block;
        let Some(all) = self.scope(found.scope).bindings.get(name) else {
            return Vec::new();
        };
        let later = &all[all.partition_point(|b| b.at <= at)..];
        if later.is_empty() || self.expr(at).scope != found.scope {
            return Vec::new();
        }
        let is_bound_in = |around: BlockId| {
            let before = found.bindings.iter().filter(|b| b.at <= at);
            before
                .filter(|b| self.covers(b.block, block))
                .any(|b| self.stands_in(b.block, around))
        };
        let is_carried = |b: &&Binding| {
            let mut around = b.block;
            loop {
                let a = &self.blocks[around];
                if a.kind == BlockKind::Perhaps && self.stands_in(block, around) {
                    return !is_bound_in(around);
                }
                if a.kind == BlockKind::Root || a.parent == around {
                    return false;
                }
                around = a.parent;
            }
        };
        later.iter().filter(is_carried).collect()
    }

    /// Whether a block is `around`, or in it.
    fn stands_in(&self, mut block: BlockId, around: BlockId) -> bool {
        loop {
            if block == around {
                return true;
            }
            let b = &self.blocks[block];
            if b.kind == BlockKind::Root || b.parent == block {
                return false;
            }
            block = b.parent;
        }
    }

    fn collect<'m>(&'m self, all: &'m [Binding], block: BlockId, at: ExprId) -> Vec<&'m Binding> {
        let mut found: Vec<&Binding> = Vec::new();
        let end = all.partition_point(|b| b.at <= at);
        for b in all[..end].iter().rev() {
            if self.exclusive(b.block, block) || found.iter().any(|later| self.covers(later.block, b.block)) {
                continue;
            }
            found.push(b);
            if self.covers(b.block, block) || self.all_arms(&found, block) || found.len() >= MAX_ALTERNATIVES {
                break;
            }
        }
        found
    }

    /// The nearest block that is executed exactly when `block` is.
    fn effective(&self, mut block: BlockId) -> BlockId {
        while self.blocks[block].kind == BlockKind::Always {
            block = self.blocks[block].parent;
        }
        block
    }

    /// Whether `outer` is executed whenever `inner` is.
    pub fn covers(&self, outer: BlockId, inner: BlockId) -> bool {
        let outer = self.effective(outer);
        let mut at = inner;
        loop {
            if at == outer {
                return true;
            }
            let b = &self.blocks[at];
            if b.parent == at || b.kind == BlockKind::Root {
                return false;
            }
            at = b.parent;
        }
    }

    /// Whether the two stand in different alternatives of one statement.
    fn exclusive(&self, a: BlockId, b: BlockId) -> bool {
        if a == b {
            return false;
        }
        let (arms_a, arms_b) = (self.arms(a), self.arms(b));
        arms_a
            .iter()
            .any(|(of, block)| arms_b.iter().any(|(of_b, block_b)| of == of_b && block != block_b))
    }

    /// The arms that `block` stands in: statement and arm.
    fn arms(&self, block: BlockId) -> Vec<(u32, BlockId)> {
        let mut out = Vec::new();
        let mut at = block;
        loop {
            let b = &self.blocks[at];
            match &b.kind {
                BlockKind::Root => return out,
                BlockKind::Arm { of, .. } | BlockKind::LastArm { of, .. } => out.push((*of, at)),
                BlockKind::Always | BlockKind::Perhaps => {}
            }
            at = b.parent;
        }
    }

    /// Whether `found` binds in every alternative of a statement that `block` comes after.
    fn all_arms(&self, found: &[&Binding], block: BlockId) -> bool {
        let last = found.iter().find_map(|b| match &self.blocks[self.effective(b.block)] {
            arm if matches!(arm.kind, BlockKind::LastArm { .. }) => Some(arm),
            _ => None,
        });
        let Some(last) = last else { return false };
        let BlockKind::LastArm { of, arms, .. } = last.kind else {
            return false;
        };
        if !self.covers(last.parent, block) {
            return false;
        }
        let mut bound: Vec<BlockId> = found
            .iter()
            .map(|b| self.effective(b.block))
            .filter(|b| {
                matches!(&self.blocks[*b].kind,
                    BlockKind::Arm { of: o, .. } | BlockKind::LastArm { of: o, .. } if *o == of)
            })
            .collect();
        bound.sort_unstable();
        bound.dedup();
        bound.len() >= arms as usize
    }

    /// "if IsProd", for a binding in one alternative.
    pub fn label(&self, block: BlockId) -> Option<&std::sync::Arc<str>> {
        match &self.blocks[self.effective(block)].kind {
            BlockKind::Arm { label, .. } | BlockKind::LastArm { label, .. } => Some(label),
            _ => None,
        }
    }
}
