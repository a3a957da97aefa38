//! What objects an expression of Python may stand for, as far as calls of AWS are concerned: clients, what they make, and the
//! repository's own classes and functions. Whether a call is one of AWS is decided here, for every rule.
//!
//! **Invariant:** evaluation is on demand and its work is bounded; what is cut short is [`AbstractValue::More`], never nothing.

mod abstract_value;
mod callable_names;
mod evaluate;
mod index;
mod made_resources;
mod params;

pub use abstract_value::ScopeRef;
pub(crate) use abstract_value::{AbstractValue, ExprRef, ResourceOrigin, is_aws};
pub(crate) use evaluate::{MODULES, ObjectEvaluator, decorator_name, makes_classes, sub_resource};
pub(crate) use index::{ObjectIndex, class_named};
pub(crate) use params::{Params, constructor};
