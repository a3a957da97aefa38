//! What the user says is theirs.

use std::collections::BTreeMap;
use std::ops::Range;

use super::contract::DeclaredContract;
use crate::date::Date;

/// The `[own]` table of `overgrant.toml`, which turns "external account" into facts, and its `[[workload]]` and `[[contract]]`
/// entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Account id to the name it was given.
    pub accounts: BTreeMap<String, String>,
    pub organization: Option<String>,
    /// GitHub organizations whose OIDC subjects are expected.
    pub github: Vec<String>,
    /// Accounts of others that may be trusted, id to name.
    pub trusted_accounts: BTreeMap<String, String>,
    /// Names, addresses, or ARNs of sensitive data, as patterns.
    pub sensitive: Vec<String>,
    pub workloads: Vec<DeclaredWorkload>,
    pub contracts: Vec<DeclaredContract>,
    /// The day of the run; without one, the day of the catalogue's data.
    pub today: Option<Date>,
}

impl Ownership {
    /// The account, where the settings name one alone.
    pub fn only_account(&self) -> Option<&str> {
        let only = self.accounts.keys().next().filter(|_| self.accounts.len() == 1);
        only.map(String::as_str)
    }
}

/// One `[[workload]]`: code, and the role that it runs with, where no template says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredWorkload {
    /// The settings file, as the path of a source.
    pub file: String,
    /// Files and folders, as paths of sources.
    pub code: Vec<SettingValue>,
    /// The logical id, Terraform address, or name of what the code is of. Without it, it is what alone has the role and no known
    /// code, else a workload of its own.
    pub name: Option<SettingValue>,
    /// A logical id, a Terraform address, a role's name or ARN; with `PATH:` before it only those under that path, which
    /// is relative to the settings file.
    pub role: SettingValue,
    /// What runs first: `main.py`, `main.py:run`, `package.main:run`, or the Dockerfile that says it. Without one, all of the
    /// code may run.
    pub entry: Option<SettingValue>,
    /// All that the settings govern is read: what is not found there does not exist.
    pub whole: bool,
}

/// A value of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingValue {
    pub text: String,
    /// In bytes of the file, with its quotes.
    pub place: Range<usize>,
}
