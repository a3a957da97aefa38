//! What the plugin `serverless-lift` lets the functions of a service do. Lift documentation, "Permissions" of each construct.

use super::generated::{document, map};
use crate::formats::cloudformation::eval::text;
use crate::source::{HoleKind, Span};
use crate::value::Value;

/// What functions may do with a construct, by its type.
const CONSTRUCTS: &[(&str, &[&str])] = &[
    (
        "database/dynamodb-single-table",
        &[
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:ConditionCheckItem",
        ],
    ),
    ("queue", &["sqs:SendMessage"]),
    (
        "storage",
        &["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"],
    ),
];

/// The plugin's own policy on the constructs of a service.
pub(super) fn policy(constructs: &Value, at: Span) -> Option<Value> {
    let statements: Vec<Value> = constructs
        .entries()?
        .iter()
        .filter_map(|construct| {
            let kind = construct.value.get("type")?.as_str()?;
            let (_, actions) = CONSTRUCTS.iter().find(|(name, _)| *name == kind)?;
            let resource = Value::text(text::hole(HoleKind::Outside, &construct.key.display(), at), at);
            let actions = actions.iter().map(|a| Value::synthetic(a, at)).collect();
            let entries = vec![
                ("Effect", Value::synthetic("Allow", at)),
                ("Action", Value::seq(actions, at)),
                ("Resource", Value::seq(vec![resource], at)),
            ];
            Some(map(entries, at))
        })
        .collect();
    let made = |text: &str| Value::synthetic(text, at);
    (!statements.is_empty()).then(|| {
        let entries = vec![
            ("PolicyName", made("constructs")),
            ("GeneratedFor", made("constructs")),
            ("PolicyDocument", document(statements, at, at)),
        ];
        map(entries, at)
    })
}
