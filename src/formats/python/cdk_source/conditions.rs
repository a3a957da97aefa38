//! Which statements run in a making: conditions on what it is given.

use super::Making;
use crate::python::{BlockId, BlockKind, PythonModule};
use crate::value::ValueKind;

impl Making {
    /// Whether what is given says that a block does not run: `if folder is not None` where it is.
    pub(super) fn excludes(&self, m: &PythonModule, block: BlockId) -> bool {
        let mut at = block;
        loop {
            let run = &m.blocks[at];
            let (of, own) = match &run.kind {
                BlockKind::Arm { of, label } => (Some(*of), self.holds(label)),
                BlockKind::LastArm { of, .. } => (Some(*of), None),
                _ => (None, None),
            };
            if own == Some(false) || of.is_some_and(|of| self.takes_earlier(m, of, at)) {
                return true;
            }
            if run.parent == at {
                return false;
            }
            at = run.parent;
        }
    }

    /// Whether a block certainly runs before what stands in another one.
    pub(super) fn takes(&self, m: &PythonModule, block: BlockId, before: BlockId) -> bool {
        let mut at = block;
        while !is_in_block(m, before, at) {
            let runs = match &m.blocks[at].kind {
                BlockKind::Arm { of, label } => self.holds(label) == Some(true) && self.skips_earlier(m, *of, at),
                BlockKind::LastArm { of, .. } => self.skips_earlier(m, *of, at),
                BlockKind::Always => true,
                BlockKind::Root | BlockKind::Perhaps => false,
            };
            if !runs {
                return false;
            }
            at = m.blocks[at].parent;
        }
        true
    }

    /// Whether no earlier arm of the same statement runs.
    fn skips_earlier(&self, m: &PythonModule, statement: u32, arm: BlockId) -> bool {
        earlier_arms(m, statement, arm).all(|label| self.holds(label) == Some(false))
    }

    /// Whether an earlier arm of the same statement runs.
    fn takes_earlier(&self, m: &PythonModule, statement: u32, arm: BlockId) -> bool {
        let mut arms = earlier_arms(m, statement, arm);
        arms.any(|label| self.holds(label) == Some(true))
    }

    /// Whether a condition on one name holds: `if x`, `elif x is not None`.
    fn holds(&self, label: &str) -> Option<bool> {
        let condition = label.split_once(' ')?.1.trim_end_matches(':');
        let (condition, negated) = match condition.strip_prefix("not ") {
            Some(rest) => (rest, true),
            None => (condition, false),
        };
        let (name, is_none) = match condition.split_once(" is ") {
            Some((name, "None")) => (name, Some(true)),
            Some((name, "not None")) => (name, Some(false)),
            Some(_) => return None,
            None => (condition, None),
        };
        let mut all = self.names.iter().rev().flat_map(|(_, names)| names);
        let (_, value) = all.find(|(n, _)| &**n == name)?;
        let holds = match (&value.kind, is_none) {
            (ValueKind::Unknown(_) | ValueKind::OneOf(_), _) => return None,
            (ValueKind::Null, Some(is_none)) => is_none,
            (_, Some(is_none)) => !is_none,
            (ValueKind::Null, None) => false,
            (ValueKind::Bool(b), None) => *b,
            (ValueKind::Str(text), None) if text.is_known() => !text.is_empty(),
            _ => return None,
        };
        Some(holds != negated)
    }
}

/// The conditions of the arms of a statement that stand before one of them.
fn earlier_arms(m: &PythonModule, statement: u32, arm: BlockId) -> impl Iterator<Item = &str> {
    let earlier = m.blocks.iter_enumerated().take_while(move |(id, _)| *id != arm);
    earlier.filter_map(move |(_, run)| match &run.kind {
        BlockKind::Arm { of, label } if *of == statement => Some(&**label),
        _ => None,
    })
}

/// Whether a block is another one or in it.
pub(super) fn is_in_block(m: &PythonModule, block: BlockId, outer: BlockId) -> bool {
    let mut at = block;
    loop {
        if at == outer {
            return true;
        }
        let parent = m.blocks[at].parent;
        if parent == at {
            return false;
        }
        at = parent;
    }
}
