//! AWS's own managed policies and the SAM policy templates.

use super::layout::{ManagedPolicy as Column, SamTemplate};
use super::{Catalogue, compare, store};

/// A managed policy of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// `AmazonS3FullAccess`.
    pub name: &'static str,
    /// In the partition `aws`, with its path: `arn:aws:iam::aws:policy/service-role/AWSLambdaRole`.
    pub arn: &'static str,
    /// `v3`; empty where unknown.
    pub version: &'static str,
    /// AWS has withdrawn it: it cannot be attached any more.
    pub deprecated: bool,
    /// The managed policy that AWS names in its place.
    pub replacement: Option<&'static str>,
    /// The cell of the table.
    document: u32,
}

impl ManagedPolicy {
    fn at(row: u32) -> Self {
        let some = |s: &'static str| (!s.is_empty()).then_some(s);
        Self {
            name: store::text(row, Column::Name),
            arn: store::text(row, Column::Arn),
            version: store::text(row, Column::Version),
            deprecated: store::cell(row, Column::Flags) != 0,
            replacement: some(store::text(row, Column::Replacement)),
            document: store::cell(row, Column::Document),
        }
    }

    /// The document as JSON. AWS keeps the documents of deprecated policies from view, so some have none.
    pub fn document_json(&self) -> Option<&'static str> {
        self.document.checked_sub(1).map(store::document)
    }
}

impl Catalogue {
    /// In the order of their names.
    #[cfg(any(test, feature = "internals", feature = "cli"))]
    pub fn managed_policies(&self) -> impl ExactSizeIterator<Item = ManagedPolicy> + use<> {
        (0..store::rows::<Column>()).map(ManagedPolicy::at)
    }

    /// By bare name, name with path, or ARN in any partition. Names of policies have no case.
    pub fn managed_policy(&self, name_or_arn: &str) -> Option<ManagedPolicy> {
        let name = match name_or_arn.strip_prefix("arn:") {
            Some(rest) => {
                let mut parts = rest.splitn(5, ':');
                let partition = parts.next()?;
                if !partition.starts_with("aws") {
                    return None;
                }
                if (parts.next()?, parts.next()?, parts.next()?) != ("iam", "", "aws") {
                    return None;
                }
                parts.next()?.strip_prefix("policy/")?
            }
            None => name_or_arn,
        };
        let name = name.rsplit('/').next()?;
        let rows = 0..store::rows::<Column>();
        store::search(rows, Column::Name, |key| compare(key, name)).map(ManagedPolicy::at)
    }

    /// The SAM policy template with this name, as a JSON object `{"Parameters":…,"Definition":…}`; names have a case.
    pub fn sam_template(&self, name: &str) -> Option<&'static str> {
        let rows = 0..store::rows::<SamTemplate>();
        let row = store::search(rows, SamTemplate::Name, |key| key.cmp(name))?;
        Some(store::text(row, SamTemplate::Json))
    }

    pub fn sam_templates(&self) -> impl ExactSizeIterator<Item = &'static str> + use<> {
        (0..store::rows::<SamTemplate>()).map(|row| store::text(row, SamTemplate::Name))
    }
}
