//! Who may do what: sets of requests.
//!
//! **Invariant:** an answer is proven; what cannot be decided is an answer of its own.

pub mod sets;
