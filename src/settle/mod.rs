//! From findings to a report: folding, suppressions, configuration, order.
//!
//! **Invariant:** the same findings in any order give the same report, byte for byte.
