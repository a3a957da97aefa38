//! Which of our formats a file holds, from its name and one pass over its bytes.

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

/// What the file shown as `path` holds. Asked while walking, before there are [`crate::source::Sources`]; a file of no kind
/// is dropped at once.
pub fn classify(path: &str, text: &str) -> Kinds {
    let _ = (path, text);
    Kinds::default()
}
