//! Libraries that call AWS on the code's behalf: what we know of them, conservatively.

use crate::iam::sdk;
use crate::python::{CallExpr, ExprId, ExprKind, FStringPart, PythonModule};

pub(crate) struct LibraryHint {
    pub actions: Vec<&'static str>,
    /// One of them is enough.
    pub any: bool,
    pub certain: bool,
}

const READ: &[&str] = &["s3:GetObject", "s3:ListBucket"];
const WRITE: &[&str] = &["s3:PutObject"];

/// What a call of the library function `name` needs.
pub(crate) fn hint(m: &PythonModule, call: &CallExpr, name: &str) -> Option<LibraryHint> {
    if let Some(actions) = sdk::library_call(&canonical(name)) {
        return Some(LibraryHint {
            actions,
            any: false,
            certain: name.starts_with("aws_lambda_powertools."),
        });
    }
    let hint = |actions: &[&'static str]| {
        Some(LibraryHint {
            actions: actions.to_vec(),
            any: false,
            certain: false,
        })
    };
    let (library, function) = name.rsplit_once('.')?;
    match library {
        "pandas" | "polars" | "dask.dataframe" if function.starts_with("read_") || function.starts_with("scan_") => {
            on_s3(m, call).then(|| hint(READ))?
        }
        "smart_open" | "fsspec" => {
            if !on_s3(m, call) {
                return None;
            }
            let writes = call
                .argument(1, "mode")
                .and_then(|a| m.string(a))
                .is_some_and(|mode| mode.contains(['w', 'a', 'x']));
            hint(if writes { WRITE } else { READ })
        }
        "awswrangler.s3" | "awswrangler.s3.wr" => match function {
            f if f.starts_with("read_") || f.starts_with("download") => hint(READ),
            f if f.starts_with("to_") || f.starts_with("upload") => hint(&["s3:PutObject", "s3:ListBucket"]),
            f if f.starts_with("delete") => hint(&["s3:DeleteObject", "s3:ListBucket"]),
            f if f.starts_with("copy") => hint(&["s3:GetObject", "s3:PutObject", "s3:ListBucket"]),
            f if f.starts_with("list_") || f.starts_with("does_") => hint(&["s3:ListBucket"]),
            _ => None,
        },
        "s3fs.S3FileSystem" => match function {
            "open" | "put" | "put_file" | "pipe" | "touch" | "write_text" | "write_bytes" => {
                let reads = function == "open"
                    && call
                        .argument(1, "mode")
                        .and_then(|a| m.string(a))
                        .is_none_or(|mode| !mode.contains(['w', 'a', 'x']));
                hint(if reads { READ } else { WRITE })
            }
            "get" | "get_file" | "cat" | "cat_file" | "read_text" | "read_bytes" => hint(READ),
            "ls" | "glob" | "find" | "exists" | "walk" | "isfile" | "isdir" | "du" | "info" => hint(READ),
            "rm" | "rm_file" | "delete" => hint(&["s3:DeleteObject", "s3:ListBucket"]),
            "cp" | "copy" | "mv" | "move" => hint(&["s3:GetObject", "s3:PutObject", "s3:ListBucket"]),
            _ => None,
        },
        "requests_aws4auth" if function == "AWS4Auth" => {
            let service = call.argument(3, "service").and_then(|a| m.string(a))?;
            let actions: &[&'static str] = match &*service {
                "es" => &[
                    "es:ESHttpGet",
                    "es:ESHttpPost",
                    "es:ESHttpPut",
                    "es:ESHttpDelete",
                    "es:ESHttpHead",
                ],
                "execute-api" => &["execute-api:Invoke"],
                "aoss" => &["aoss:APIAccessAll"],
                _ => return None,
            };
            Some(LibraryHint {
                actions: actions.to_vec(),
                any: true,
                certain: false,
            })
        }
        _ => None,
    }
}

/// `frame.to_parquet("s3://…")`: the actions of writing there.
pub(crate) fn written_path(m: &PythonModule, call: &CallExpr, method: &str) -> Option<Vec<&'static str>> {
    (method.starts_with("to_") && on_s3(m, call)).then(|| WRITE.to_vec())
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
