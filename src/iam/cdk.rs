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

/// The classes behind `bucket.grants`, by the class that has it.
const FACADES: [(&str, &str); 9] = [
    ("Bucket", "BucketGrants"),
    ("DeliveryStream", "DeliveryStreamGrants"),
    ("EventBus", "EventBusGrants"),
    ("Key", "KeyGrants"),
    ("LogGroup", "LogGroupGrants"),
    ("Queue", "QueueGrants"),
    ("StateMachine", "StateMachineGrants"),
    ("Table", "TableGrants"),
    ("Topic", "TopicGrants"),
];

/// `bucket.grants.read(…)` of `bucket.grant_read(…)`.
fn of_facade(grant: &CdkGrant) -> Option<CdkGrant> {
    let (_, class) = FACADES.iter().find(|(class, _)| *class == grant.class)?;
    let method = grant.method.strip_prefix("grant_").filter(|m| !m.contains("stream"))?;
    Some(CdkGrant {
        class,
        method,
        ..grant.clone()
    })
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
        let mut all: Vec<CdkGrant> = tables::fields("cdk-grants").filter_map(grant).collect();
        let of_facades: Vec<CdkGrant> = all.iter().filter_map(of_facade).collect();
        all.extend(of_facades);
        all
    });
    &GRANTS
}

/// The one of a class and a method.
pub fn cdk_grant(class: &str, method: &str) -> Option<&'static CdkGrant> {
    cdk_grants().iter().find(|g| g.class == class && g.method == method)
}
