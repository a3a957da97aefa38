//! What names say: of methods, of waiters, of variables that hold clients.

use crate::iam::sdk::{self, Client, SdkOperation};
use crate::python::{ExprId, ExprKind, FStringPart, PythonModule};

/// Fewer known characters of a waiter's name say nothing.
const MIN_WAITER: usize = 4;

/// The operation of a method as Python writes it.
pub(crate) fn operation(client: Client, method: &str) -> Option<SdkOperation> {
    if method.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    client.operation(method).filter(|o| {
        // `getobject` is no method, whatever the comparison without underscores says.
        o.method() == method
    })
}

/// The operations of the waiters that an f-string may name: `f"db_instance_{state}"`.
pub(crate) fn waiters_like(m: &PythonModule, name: ExprId, client: Client) -> Vec<SdkOperation> {
    let ExprKind::Join(parts) = &m.expr(name).kind else {
        return Vec::new();
    };
    let literal = |p: Option<&FStringPart>| match p {
        Some(FStringPart::Lit(t)) => t.prefix(),
        _ => String::new(),
    };
    let (start, end) = (literal(parts.first()), literal(parts.last()));
    if start.len() + end.len() < MIN_WAITER {
        return Vec::new();
    }
    let all = client
        .waiters()
        .filter(|(n, _)| n.starts_with(&start) && n.ends_with(&end));
    let mut found: Vec<SdkOperation> = all.map(|(_, o)| o).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether some client has this method, and other objects hardly do.
pub(crate) fn is_method_of_any(method: &str) -> bool {
    method.contains('_') && sdk::clients().any(|c| operation(c, method).is_some())
}

/// The service that a variable's name says: `s3`, `s3_client`, `dynamodb_resource`, `_sqs`.
pub(crate) fn service_named(name: &str) -> Option<Client> {
    let name = name.trim_matches('_').to_ascii_lowercase();
    let base = ["_client", "_resource", "client", "_svc", "_service"]
        .iter()
        .find_map(|s| name.strip_suffix(s))
        .unwrap_or(&name)
        .trim_end_matches('_')
        .replace('_', "-");
    sdk::client(match base.as_str() {
        "ddb" | "dynamo" => "dynamodb",
        "sfn" | "step-functions" => "stepfunctions",
        "cfn" => "cloudformation",
        "cw" => "cloudwatch",
        "secrets" | "secrets-manager" | "sm" => "secretsmanager",
        "eventbridge" => "events",
        other => other,
    })
}
