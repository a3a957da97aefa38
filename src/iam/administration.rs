//! Actions that make an administrator.
//!
//! IAM User Guide, "Policies and permissions in IAM"; Rhino Security Labs, "AWS IAM privilege escalation".

use std::sync::OnceLock;

use super::{ActionSet, catalogue};

/// With any of these on every resource, an identity can give itself the rest.
pub const KEYS_TO_ALL: [&str; 7] = [
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicyVersion",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:CreateAccessKey",
];

/// More than half of what `all` changes, or of all of it where it only reads.
pub fn is_majority(part: &ActionSet, all: &ActionSet) -> bool {
    let mut part = part.clone();
    part.intersect(all);
    let mut changing = changing().clone();
    changing.intersect(all);
    match changing.len() {
        0 => part.len() * 2 > all.len(),
        n => {
            part.intersect(&changing);
            part.len() * 2 > n
        }
    }
}

/// Every action that changes something.
fn changing() -> &'static ActionSet {
    static CHANGING: OnceLock<ActionSet> = OnceLock::new();
    CHANGING.get_or_init(|| catalogue().actions().filter(|a| a.level().changes()).collect())
}

/// Those of [`KEYS_TO_ALL`].
pub fn keys_to_all() -> &'static ActionSet {
    static KEYS: OnceLock<ActionSet> = OnceLock::new();
    KEYS.get_or_init(|| KEYS_TO_ALL.iter().filter_map(|k| catalogue().action(k)).collect())
}
