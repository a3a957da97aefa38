//! Which of our formats a file holds, from its name and one pass over its bytes.

use crate::source::SourceFile;

/// What a file may hold; several may be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// JSON or YAML with a policy document, or an export that holds some.
    pub policy: bool,
    /// CloudFormation or SAM, JSON or YAML.
    pub cloudformation: bool,
    pub serverless: bool,
    /// `.tf`, `.tofu`, `.tf.json`, `.tfvars`, `terragrunt.hcl`.
    pub terraform: bool,
    pub python: bool,
    /// Searched for credentials.
    pub text: bool,
    /// A credential-like token occurs in it.
    pub key_hit: bool,
}

impl Kinds {
    /// None of our business.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

pub fn classify(file: &SourceFile) -> Kinds {
    let _ = file;
    Kinds::default()
}
