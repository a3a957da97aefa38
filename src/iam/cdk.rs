//! What the constructs of the AWS CDK grant. The table: `rules/facts/hand/cdk-grants.txt`.

use std::sync::LazyLock;

use super::catalogue::tables;

/// A method of a construct that allows something to what it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdkGrant {
    /// `Table`.
    pub class: &'static str,
    /// As Python calls it: `grant_read_data`.
    pub method: &'static str,
    pub actions: Vec<&'static str>,
    /// On the key with which the resource is encrypted.
    pub key_actions: Vec<&'static str>,
}

/// Every one of them.
pub fn cdk_grants() -> &'static [CdkGrant] {
    static GRANTS: LazyLock<Vec<CdkGrant>> = LazyLock::new(|| {
        let list = |text: &'static str| text.split(", ").filter(|a| !a.is_empty()).collect();
        let grant = |row: Vec<&'static str>| {
            let (class, method) = row.first()?.split_once('.')?;
            Some(CdkGrant {
                class,
                method,
                actions: list(row.get(1).copied().unwrap_or_default()),
                key_actions: list(row.get(2).copied().unwrap_or_default()),
            })
        };
        tables::fields("cdk-grants").filter_map(grant).collect()
    });
    &GRANTS
}

/// The one of a class and a method.
pub fn cdk_grant(class: &str, method: &str) -> Option<&'static CdkGrant> {
    cdk_grants().iter().find(|g| g.class == class && g.method == method)
}
