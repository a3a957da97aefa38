//! Whether a principal may do something, and what one policy allows that another one does not.
//!
//! [`decide`] is the one place that answers the first as AWS does: it takes a request and the policies that apply to it. What is
//! true of the texts of policies is asked of `iam`. [`sets`] compares all requests that two policies allow.
//!
//! **Invariant:** a request is decided by what is said in it and in its policies alone; what is not known makes the answer
//! [`Decision::Unknown`] unless every value of it gives the same answer.

mod compare;
mod condition;
mod decide;
mod derived;
mod policies;
mod principal;
mod request;
pub mod sets;
mod statement;
mod text;

pub use decide::{AccessAnswer, Decision, decide};
pub use policies::{DecidingStatement, PolicyGroup, RequestPolicies};
pub use request::{AccessRequest, Caller, ContextValue, RequestContext};
