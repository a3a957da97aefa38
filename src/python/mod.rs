//! Python: one engine for everything that is asked of Python code.
//!
//! `syntax` parses a file or notebook, `build` makes the [`ast`] of it, `program` finds the modules that imports name, `reaching`
//! the assignments that a name may see, `constants` the values of expressions, and `points_to` the objects that they may be:
//! boto3 clients among them, for which `receiver` has the one answer. `call_graph` says what runs from an entry point, and
//! [`calls`] which AWS operations that calls, with which actions and resources. Formats lower Python by querying this module.
//!
//! **Invariant:** what is not known is a value with a reason; an object that evaluation loses is never "no client". Work is
//! bounded by the size of the code, whatever its nesting, recursion, or imports.

pub mod ast;
pub(crate) mod build;
pub(crate) mod call_graph;
pub mod calls;
mod constants;
pub(crate) mod points_to;
mod program;
mod reaching;
pub(crate) mod receiver;
pub mod syntax;

pub use ast::*;
pub use constants::{ConstantEvaluator, cdk};
pub use program::{IMPORT_ROOTS, Program, is_known_library};
pub use reaching::{Reaching, ReachingBindings};
