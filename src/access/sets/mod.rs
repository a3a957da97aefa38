//! Sets of requests as values: what one document grants and another one does not, with a request that proves it.
//!
//! A request has a caller, an action, a resource, and a state of each condition key. A statement is a test of each of these
//! by itself, so that it is a box; a document is the union of its Allow boxes without the union of its Deny boxes. The
//! difference of two documents is searched for box by box: each box that must not match is left in one of its dimensions.
//!
//! - **Nothing new** is said where every way to leave the boxes is impossible: each dimension is decided exactly, as a regular
//!   language (`glob`, `search`) or by the values around all limits (`keys`).
//! - **Something new** is said with a request that was decided against both documents (`concrete`, by `decide`).
//! - Anything else is **unknown**, with the reason: too many states, a part that is not known, an operator that is not read.
//!
//! Two dimensions are treated as independent, except for the keys that repeat the principal (`callers`).

mod callers;
mod cells;
mod common;
mod compare;
mod concrete;
mod describe;
mod fill;
mod gains;
mod glob;
mod keys;
mod one_thing;
mod real;
mod request;
mod search;
mod severity;
mod shown_actions;
mod solve;
mod statements;
mod witness;
mod worlds;

pub use common::{AskedCallers, AskedRequests, CommonAccess, find_common};
#[cfg(any(test, feature = "internals"))]
pub use compare::compare;
pub use compare::compare_as;
pub use concrete::Values;
#[cfg(any(test, feature = "internals"))]
pub use concrete::allows;
pub use describe::{Change, Describer};
pub use gains::{Difference, Undecided};
#[cfg(any(test, feature = "internals"))]
pub use gains::{GrantPart, NewGrant};
#[cfg(any(test, feature = "internals"))]
pub use glob::{Reading, Symbols, TextGlob};
#[cfg(any(test, feature = "internals"))]
pub use keys::KeyState;
pub use request::{Witness, WitnessPrincipal, WitnessValue};
#[cfg(any(test, feature = "internals"))]
pub use search::{Constraint, FoundText, member};
pub use shown_actions::named_actions;
