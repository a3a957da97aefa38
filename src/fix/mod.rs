//! Fixes: from what a finding's remedy says to edits of files, and from edits to files that are linted again.
//!
//! **Invariant:** a fix is offered only where it can be written exactly, in the manner of what stands around it and with
//! the escapes of the strings that it lies in; what it does not name it does not touch. A fix is made only when the files,
//! linted again, have fewer findings and no new one; what is ignored or known is left alone. A safe fix is made only when the
//! policies grant exactly what they granted before ([`grants`]).
//!
//! A check asks for a [`crate::finding::Remedy`] in terms of the model's spans. [`write`] finds the part of the file that is
//! written there ([`code`]), the list or object that it is an element of ([`sequence`]), and spells what is new
//! ([`render`], [`quoting`]). [`apply_fixes`] applies them, in rounds: of two that touch the same bytes, the first.

mod apply;
mod code;
mod grants;
mod quoting;
mod render;
mod sequence;
mod write;

#[cfg(test)]
mod tests;

#[cfg(feature = "cli")]
pub use apply::diff;
pub use apply::{AppliedFixes, LintedState, Texts, apply_fixes};
pub use write::write;
