//! Renders a report.
//!
//! **Invariant:** no output ever holds a byte of a secret; the same report gives the same bytes.
