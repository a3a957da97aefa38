//! Libraries that call AWS on the code's behalf: `rules/facts/hand/library-calls.txt`, applied to a call.

use crate::iam::sdk;
use crate::python::{CallExpr, ExprId, ExprKind, FStringPart, PythonModule};

pub(crate) struct LibraryNeeds {
    pub actions: Vec<&'static str>,
    /// One of them is enough.
    pub any: bool,
    pub certain: bool,
}

/// What a call of the library function `name` needs.
pub(crate) fn library_needs(m: &PythonModule, call: &CallExpr, name: &str) -> Option<LibraryNeeds> {
    let name = match call.argument(3, "service").and_then(|a| m.string(a)) {
        Some(service) if name.ends_with(".AWS4Auth") => format!("{name}({service})"),
        _ => canonical(name),
    };
    let known = sdk::library_call(&name).filter(|known| !known.on_s3 || on_s3(m, call))?;
    let writes = !known.writes.is_empty()
        && call
            .argument(1, "mode")
            .and_then(|a| m.string(a))
            .is_some_and(|mode| mode.contains(['w', 'a', 'x']));
    Some(LibraryNeeds {
        actions: if writes { &known.writes } else { &known.actions }.clone(),
        any: known.any,
        certain: known.certain,
    })
}

/// `frame.to_parquet("s3://…")`: the actions of writing there.
pub(crate) fn written_path(m: &PythonModule, call: &CallExpr, method: &str) -> Option<Vec<&'static str>> {
    (method.starts_with("to_") && on_s3(m, call)).then(|| vec!["s3:PutObject"])
}

/// Names as the facts have them: Powertools' public paths, whatever submodule it was imported from.
fn canonical(name: &str) -> String {
    let Some(rest) = name.strip_prefix("aws_lambda_powertools.utilities.") else {
        return name.to_owned();
    };
    // `parameters.ssm.SSMProvider.get`, `idempotency.persistence.dynamodb.DynamoDBPersistenceLayer`
    let parts: Vec<&str> = rest.split('.').collect();
    let is_class = |part: &&&str| part.starts_with(|c: char| c.is_ascii_uppercase());
    let from = match parts.iter().position(|part| is_class(&part)) {
        Some(class) => class,
        None => parts.len() - 1,
    };
    let public = parts[from.max(1).min(parts.len())..].join(".");
    format!("aws_lambda_powertools.utilities.{}.{public}", parts[0])
}

/// Whether the first argument is a literal that begins with `s3://`.
fn on_s3(m: &PythonModule, call: &CallExpr) -> bool {
    let starts = |e: ExprId| match &m.expr(e).kind {
        ExprKind::Str(t) => t.prefix().starts_with("s3://"),
        ExprKind::Join(parts) => matches!(parts.first(), Some(FStringPart::Lit(t)) if t.prefix().starts_with("s3://")),
        ExprKind::Binary { left, .. } => m.string(*left).is_some_and(|s| s.starts_with("s3://")),
        _ => false,
    };
    call.args.first().is_some_and(|a| starts(a.value))
}
