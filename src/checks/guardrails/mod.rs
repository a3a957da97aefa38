//! Checks of the family `guardrails`: service and resource control policies.
//!
//! **Invariant:** these policies grant nothing; they are judged by whether they hold what they are meant to hold. Service
//! control policies have the whole policy language since September 2025: what was an error before is not one.

mod control;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[("control-policies", control::check)];
