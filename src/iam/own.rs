//! What the user says is theirs.

use std::collections::BTreeMap;

/// The `[own]` table of `overgrant.toml`: turns "external account" into facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Account id to the name it was given.
    pub accounts: BTreeMap<String, String>,
    pub organization: Option<String>,
    /// GitHub organisations whose OIDC subjects are expected.
    pub github: Vec<String>,
    /// Accounts of others that may be trusted, id to name.
    pub trusted_accounts: BTreeMap<String, String>,
}
