//! Parameters that decide which action a call needs, and on what, although they are deep inside the request.
//!
//! Sources: Amazon S3 API Reference, the section "Permissions" of each operation; Amazon DynamoDB Developer Guide, "Using IAM
//! with DynamoDB transactions"; AWS Key Management Service API Reference, "ReEncrypt".

use std::collections::BTreeMap;

use crate::iam::sdk::{Client, SdkOperation};
use crate::python::calls::permissions::resources::arn;
use crate::python::calls::permissions::{ArgumentPresence, ArgumentReader, CallSite, presence_at};
use crate::python::calls::{Actions, ConditionalAction};
use crate::source::Text;
use crate::value::{Value, ValueKind};

/// Service and operation, the parameter that replaces an action, that action, and the one in its place.
const REPLACED: &[(&str, &str, &str, &str, &str)] = &[
    ("s3", "GetObject", VERSION, "s3:GetObject", "s3:GetObjectVersion"),
    ("s3", "HeadObject", VERSION, "s3:GetObject", "s3:GetObjectVersion"),
    (
        "s3",
        "GetObjectAttributes",
        VERSION,
        "s3:GetObject",
        "s3:GetObjectVersion",
    ),
    (
        "s3",
        "GetObjectAttributes",
        VERSION,
        "s3:GetObjectAttributes",
        "s3:GetObjectVersionAttributes",
    ),
    (
        "s3",
        "GetObjectAcl",
        VERSION,
        "s3:GetObjectAcl",
        "s3:GetObjectVersionAcl",
    ),
    (
        "s3",
        "PutObjectAcl",
        VERSION,
        "s3:PutObjectAcl",
        "s3:PutObjectVersionAcl",
    ),
    (
        "s3",
        "GetObjectTagging",
        VERSION,
        "s3:GetObjectTagging",
        "s3:GetObjectVersionTagging",
    ),
    (
        "s3",
        "PutObjectTagging",
        VERSION,
        "s3:PutObjectTagging",
        "s3:PutObjectVersionTagging",
    ),
    (
        "s3",
        "DeleteObjectTagging",
        VERSION,
        "s3:DeleteObjectTagging",
        "s3:DeleteObjectVersionTagging",
    ),
    (
        "s3",
        "DeleteObject",
        VERSION,
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
    ),
    (
        "s3",
        "DeleteObjects",
        "Delete.Objects.[].VersionId",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
    ),
    ("s3", "CopyObject", COPIED, "s3:GetObject", "s3:GetObjectVersion"),
    ("s3", "UploadPartCopy", COPIED, "s3:GetObject", "s3:GetObjectVersion"),
];

/// Actions that may be asked for beside the one that replaces them. Amazon S3 API Reference, `DeleteObject`: "you must
/// always specify the `s3:DeleteObject` permission".
const STILL_ASKED: [&str; 1] = ["s3:DeleteObject"];

const VERSION: &str = "VersionId";
const COPIED: &str = "CopySource.VersionId";

/// Operations that do what each of their items says: service, operation, the list, the item's key, the action, and where in
/// the item its table is.
const ITEMS: &[(&str, &str, &str, &str, &str, &str)] = &[
    (
        "dynamodb",
        "TransactWriteItems",
        "TransactItems",
        "Put",
        "dynamodb:PutItem",
        "TableName",
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        "TransactItems",
        "Update",
        "dynamodb:UpdateItem",
        "TableName",
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        "TransactItems",
        "Delete",
        "dynamodb:DeleteItem",
        "TableName",
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        "TransactItems",
        "ConditionCheck",
        "dynamodb:ConditionCheckItem",
        "TableName",
    ),
    (
        "dynamodb",
        "TransactGetItems",
        "TransactItems",
        "Get",
        "dynamodb:GetItem",
        "TableName",
    ),
];

/// Operations on what the keys of a parameter name.
const KEYED: &[(&str, &str, &str)] = &[
    ("dynamodb", "BatchWriteItem", "RequestItems"),
    ("dynamodb", "BatchGetItem", "RequestItems"),
];

/// Actions of one operation that are needed on different things: service, operation, action, parameter, and the form of
/// [`arn`].
const APART: &[(&str, &str, &str, &str, &str)] = &[
    ("kms", "ReEncrypt", "kms:ReEncryptFrom", "SourceKeyId", "key/"),
    ("kms", "ReEncrypt", "kms:ReEncryptTo", "DestinationKeyId", "key/"),
];

/// Operations that run statements of PartiQL, which are in a list.
const STATEMENTS: &[(&str, &str, &str)] = &[
    ("dynamodb", "BatchExecuteStatement", "Statements"),
    ("dynamodb", "ExecuteTransaction", "TransactStatements"),
];

/// What some actions are needed on; empty where it is not known.
pub(super) type NeededOn = BTreeMap<&'static str, Vec<Text>>;

/// How often something is there.
#[derive(Default)]
struct Count {
    yes: bool,
    no: bool,
    perhaps: bool,
}

impl ArgumentReader<'_, '_> {
    /// Puts the actions that parameters ask for in the place of those that they replace.
    pub(super) fn replace(&self, client: Client, op: SdkOperation, site: &CallSite, actions: &mut Actions) {
        let rows = REPLACED.iter().filter(|r| (r.0, r.1) == (client.name(), op.name()));
        for (_, _, path, plain, special) in rows {
            if !actions.required.contains(plain) {
                continue;
            }
            actions.conditional.retain(|c| c.action != *special);
            let count = self.count_at(site, path);
            match (count.yes, count.no, count.perhaps) {
                (false, _, false) => {}
                (true, false, false) => {
                    actions.required.retain(|a| a != plain);
                    actions.required.push(special);
                    if STILL_ASKED.contains(plain) {
                        actions.conditional.push(ConditionalAction::possible(plain));
                    }
                }
                (true, ..) => actions.required.push(special),
                (false, _, true) => {
                    actions.required.retain(|a| a != plain);
                    actions.any_of.extend([*plain, *special]);
                }
            }
        }
    }

    /// What the items of a transaction do, and on which tables.
    pub(super) fn items(&self, client: Client, op: SdkOperation, site: &CallSite, actions: &mut Actions) -> NeededOn {
        let mut on = NeededOn::new();
        let of = |service: &str, operation: &str| (service, operation) == (client.name(), op.name());
        for (_, _, action, parameter, form) in APART.iter().filter(|r| of(r.0, r.1)) {
            let key = self
                .argument(site, parameter)
                .and_then(|v| arn(client.iam_prefix(), form, &v));
            on.insert(action, key.into_iter().collect());
        }
        for (_, _, list) in STATEMENTS.iter().filter(|r| of(r.0, r.1)) {
            let all = self.argument(site, list);
            let words: Option<Vec<&'static str>> = all.as_ref().and_then(Value::as_seq).and_then(|items| {
                let words = items
                    .iter()
                    .map(|i| crate::python::calls::permissions::partiql(&actions.any_of, i.get("Statement")?));
                words.collect()
            });
            if let Some(words) = words.filter(|w| !w.is_empty()) {
                actions.any_of.clear();
                actions.required.extend(words);
                actions.required.sort_unstable();
                actions.required.dedup();
            }
        }
        let rows: Vec<_> = ITEMS.iter().filter(|r| of(r.0, r.1)).collect();
        let Some(list) = rows.first().map(|r| r.2) else {
            return on;
        };
        let Some(given) = self.argument(site, list) else {
            return on;
        };
        let mut known = given.as_seq().is_some();
        for item in given.as_seq().unwrap_or_default() {
            let row = item.entries().and_then(|entries| {
                let row = rows.iter().find(|r| item.get(r.3).is_some());
                row.filter(|_| entries.iter().all(|e| e.key.known().is_some()))
            });
            let Some((_, _, _, key, action, table)) = row else {
                known = false;
                continue;
            };
            let place = item.get(key).and_then(|v| v.get(table));
            let place = place.and_then(|v| arn(client.iam_prefix(), "table/", v));
            let places = on.entry(action).or_default();
            // One unknown table makes the action's places unknown.
            match place {
                Some(place) => places.push(place),
                None => known = false,
            }
        }
        let found: Vec<&'static str> = on.keys().copied().collect();
        if known && !found.is_empty() {
            actions
                .any_of
                .retain(|a| !found.contains(a) && !rows.iter().any(|r| r.4 == *a));
        }
        for action in found {
            if !actions.required.contains(&action) {
                actions.required.push(action);
            }
        }
        if !known {
            on.clear();
        }
        on
    }

    /// What the keys of a parameter name.
    pub(super) fn keyed(&self, client: Client, op: SdkOperation, site: &CallSite) -> Option<Vec<Text>> {
        let (_, _, parameter) = KEYED.iter().find(|r| (r.0, r.1) == (client.name(), op.name()))?;
        let items = self.argument(site, parameter)?;
        let entries = items.entries()?;
        entries
            .iter()
            .map(|e| arn(client.iam_prefix(), "table/", &Value::text(e.key.clone(), e.key_span)))
            .collect()
    }

    /// How often something stands at a path of the request.
    fn count_at(&self, site: &CallSite, path: &str) -> Count {
        let mut count = Count::default();
        let is_version = site.object.is_some_and(|o| o.ty.name() == "ObjectVersion");
        if is_version && path.ends_with(VERSION) && path != COPIED {
            count.yes = true;
            return count;
        }
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let rest: Vec<&str> = rest.split('.').filter(|p| !p.is_empty()).collect();
        match self.argument(site, first) {
            Some(v) if path == COPIED && v.as_text().is_some() => {
                // `bucket/key?versionId=…`
                let text = v
                    .as_text()
                    .map(|t| t.with_placeholders().into_owned())
                    .unwrap_or_default();
                match (text.contains("versionId="), v.as_text().is_some_and(Text::is_known)) {
                    (true, _) => count.yes = true,
                    (false, true) => count.no = true,
                    (false, false) => count.perhaps = true,
                }
            }
            Some(v) => add_count(&v, &rest, &mut count, 0),
            None => match self.argument_presence(site, first) {
                ArgumentPresence::No => count.no = true,
                ArgumentPresence::Yes | ArgumentPresence::Perhaps => count.perhaps = true,
            },
        }
        count
    }
}

/// Counts what stands at a path, item by item.
fn add_count(v: &Value, path: &[&str], count: &mut Count, depth: u32) {
    match (path.iter().position(|p| *p == "[]"), depth) {
        (Some(at), 0..4) => {
            let mut list = Some(v);
            for key in &path[..at] {
                list = list.and_then(|v| v.get(key));
            }
            match list.map(|v| &v.kind) {
                Some(ValueKind::Seq(items)) => {
                    // The other items of a comprehension have the place of the one that it writes, and are like it.
                    let like_another = |item: &Value| {
                        item.is_unknown() && items.first().is_some_and(|i| !i.is_unknown() && i.span == item.span)
                    };
                    for item in items.iter().take(1000).filter(|i| !like_another(i)) {
                        add_count(item, &path[at + 1..], count, depth + 1);
                    }
                }
                _ => count.perhaps = true,
            }
        }
        _ => match presence_at(v, path, 0).0 {
            ArgumentPresence::Yes => count.yes = true,
            ArgumentPresence::No => count.no = true,
            ArgumentPresence::Perhaps => count.perhaps = true,
        },
    }
}
