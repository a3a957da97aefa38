//! AWS's own managed policies as documents, each read once and only when someone refers to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::formats::policies::aws_managed;
use crate::iam::{Document, DocumentPermissions, catalogue};

/// A managed policy of AWS, read.
#[derive(Debug)]
pub struct AwsManaged {
    /// Without path.
    pub(super) name: &'static str,
    pub(super) document: Document,
    pub(super) granted: DocumentPermissions,
}

impl AwsManaged {
    /// By name with or without path; `None` for one that AWS does not have or does not show.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        managed(name)
    }

    /// All its spans are [`crate::source::Span::NOWHERE`].
    pub fn document(&self) -> &Document {
        &self.document
    }

    pub fn granted(&self) -> &DocumentPermissions {
        &self.granted
    }
}

type PolicyCell = Arc<OnceLock<Option<&'static AwsManaged>>>;

/// By name with or without path; `None` for one that AWS does not have or does not show.
pub(super) fn managed(name: &str) -> Option<&'static AwsManaged> {
    static READ: Mutex<BTreeMap<&'static str, PolicyCell>> = Mutex::new(BTreeMap::new());
    let policy = catalogue().managed_policy(name)?;
    let json = policy.document_json()?;
    let slot = READ
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(policy.name)
        .or_default()
        .clone();
    *slot.get_or_init(|| {
        let name = policy.name;
        let document = aws_managed(name, json)?;
        let granted = DocumentPermissions::new(&document);
        // As many as AWS has policies, for as long as the process lives.
        Some(Box::leak(Box::new(AwsManaged {
            name,
            document,
            granted,
        })))
    })
}
