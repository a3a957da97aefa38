//! Operations of an OpenAPI definition without security.
//! API Gateway Developer Guide, "API Gateway extensions to OpenAPI"; OpenAPI Specification, "Operation Object".

use super::apis::equals_ignoring_case;
use crate::source::{Span, Text};
use crate::value::{MapEntry, Value};

/// An operation that anyone can call.
pub(super) struct OpenOperation<'v> {
    /// The key that names its method.
    pub(super) key: Span,
    pub(super) method: &'v MapEntry,
    pub(super) path: &'v Text,
}

const METHODS: [&str; 8] = [
    "get",
    "put",
    "post",
    "delete",
    "head",
    "patch",
    "trace",
    "x-amazon-apigateway-any-method",
];

/// The operations without security. An unknown value may add security, and a policy in the definition covers all
/// operations.
pub(super) fn open_operations(definition: &Value) -> Vec<OpenOperation<'_>> {
    let paths = definition.get("paths").and_then(Value::entries).unwrap_or(&[]);
    if definition.get("x-amazon-apigateway-policy").is_some() || definition.is_unknown() {
        return Vec::new();
    }
    let everywhere = definition.get("security");
    let mut out = Vec::new();
    for path in paths {
        for method in path.value.entries().unwrap_or(&[]) {
            let name = method.key.known().unwrap_or_default().to_ascii_lowercase();
            if METHODS.contains(&&*name) && is_open(method, &path.value, everywhere) {
                out.push(OpenOperation {
                    key: method.key_span,
                    method,
                    path: &path.key,
                });
            }
        }
    }
    out
}

fn is_open(method: &MapEntry, path: &Value, everywhere: Option<&Value>) -> bool {
    let operation = &method.value;
    let signed = |of: &Value| {
        let auth = of.get("x-amazon-apigateway-auth");
        auth.is_some_and(|a| !a.get("type").is_some_and(|t| equals_ignoring_case(t, "NONE")))
    };
    // An operation that is defined elsewhere is not a map here.
    if operation.entries().is_none() || signed(operation) || signed(path) {
        return false;
    }
    match operation.get("security").or(everywhere) {
        None => true,
        // `[]` turns security off, and `{}` makes it optional.
        Some(security) => {
            let none = |choice: &Value| choice.entries().is_some_and(<[MapEntry]>::is_empty);
            let items = security.items();
            !security.is_unknown() && (items.is_empty() || items.iter().any(none))
        }
    }
}
