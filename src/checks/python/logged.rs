//! Credentials that are printed or logged.

use crate::finding::{Finding, Subject};
use crate::python::{BindingValue, CallExpr, ExprId, ExprKind, FStringPart, PythonModule, Reaching};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;

const RULE: RuleId = ids::PY_CREDENTIALS_LOGGED;
/// How many names, keys and calls are followed.
const MAX_DEPTH: u32 = 10;

/// Operations that answer with credentials, and where in the answer.
const ANSWERS: &[(&str, &str)] = &[
    ("assume_role", "Credentials"),
    ("assume_role_with_saml", "Credentials"),
    ("assume_role_with_web_identity", "Credentials"),
    ("get_session_token", "Credentials"),
    ("get_federation_token", "Credentials"),
    ("create_access_key", "AccessKey"),
];
/// What of them is secret.
const SECRET: &[&str] = &["SecretAccessKey", "SessionToken", "secret_key", "token"];
const LEVELS: &[&str] = &[
    "critical",
    "debug",
    "error",
    "exception",
    "fatal",
    "info",
    "log",
    "warn",
    "warning",
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    if !out.is_selected(RULE) {
        return;
    }
    for m in &cx.project.modules {
        let text = cx.project.sources.text(m.file);
        if memchr::memmem::find(text.as_bytes(), b"boto").is_none() {
            continue;
        }
        for expr in m.ids() {
            let Some(call) = m.call(expr).filter(|c| is_output(m, c)) else {
                continue;
            };
            for a in &call.args {
                for (at, answer) in secrets(m, a.value, 0) {
                    let mut f =
                        Finding::new(RULE, "credentials are printed or logged").primary(at, "contains the secret");
                    f.subject = Subject {
                        kind: "python".to_owned(),
                        address: m.scope(m.function_of(m.expr(expr).scope)).qualname.to_string(),
                        ..Subject::default()
                    };
                    if !answer.touches(at) {
                        f = f.secondary(answer, "returns the credentials");
                    }
                    out.push(f);
                }
            }
        }
    }
}

/// `print(…)`, `logger.info(…)`.
fn is_output(m: &PythonModule, call: &CallExpr) -> bool {
    match &m.expr(call.function).kind {
        ExprKind::Name(n) => {
            matches!(&**n, "print" | "pprint") && matches!(m.reaching(n, call.function), Reaching::Free)
                || &**n == "pprint"
        }
        ExprKind::Attr { of, name, .. } => {
            let of = m.dotted(*of).unwrap_or_default().to_ascii_lowercase();
            let object = of.rsplit('.').next().unwrap_or("").trim_start_matches('_');
            LEVELS.contains(&&**name) && matches!(object, "log" | "logger" | "logging")
        }
        _ => false,
    }
}

/// The parts of an argument that show a secret, each with the call that gave it.
fn secrets(m: &PythonModule, expr: ExprId, depth: u32) -> Vec<(Span, Span)> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    if let Some(origin) = origin(m, expr, 0) {
        return if origin.is_secret() {
            vec![(m.expr(expr).span, origin.span)]
        } else {
            Vec::new()
        };
    }
    let inner: Vec<ExprId> = match &m.expr(expr).kind {
        ExprKind::Join(parts) => parts
            .iter()
            .filter_map(|p| match p {
                FStringPart::Value(e) => Some(*e),
                FStringPart::Lit(_) => None,
            })
            .collect(),
        ExprKind::Binary { left, right, .. } => vec![*left, *right],
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().take(50).copied().collect(),
        ExprKind::Dict(pairs) => pairs.iter().take(50).map(|p| p.value).collect(),
        // What shows its argument: `json.dumps(answer)`, `"{}".format(answer)`.
        ExprKind::Call(c) => {
            let name = m.dotted(c.function).unwrap_or_default();
            let shows = match &m.expr(c.function).kind {
                ExprKind::Attr { name, .. } if &**name == "format" => true,
                _ => matches!(
                    name.as_str(),
                    "str" | "repr" | "json.dumps" | "dumps" | "pformat" | "pprint.pformat"
                ),
            };
            if shows {
                c.args.iter().map(|a| a.value).collect()
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    };
    inner.into_iter().flat_map(|e| secrets(m, e, depth + 1)).collect()
}

/// Where a value comes from: the call that answered, and the keys that lead from its answer to the value.
struct ValueOrigin {
    span: Span,
    /// The key that holds the credentials; none for an object of boto3's credentials.
    holder: Option<&'static str>,
    path: Vec<String>,
}

impl ValueOrigin {
    fn is_secret(&self) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match (self.holder, path.as_slice()) {
            // boto3's credentials object shows none of what it holds.
            (None, [part]) => SECRET.contains(part),
            (None, _) => false,
            (Some(_), []) => true,
            (Some(holder), [first]) => *first == holder,
            (Some(holder), [first, part]) => *first == holder && SECRET.contains(part),
            _ => false,
        }
    }
}

fn origin(m: &PythonModule, expr: ExprId, depth: u32) -> Option<ValueOrigin> {
    if depth > MAX_DEPTH {
        return None;
    }
    let e = m.expr(expr);
    let step = |of: ExprId, key: &str| {
        let mut origin = origin(m, of, depth + 1)?;
        origin.path.push(key.to_owned());
        Some(origin)
    };
    match &e.kind {
        ExprKind::Name(name) => {
            let Reaching::Found(found) = m.reaching(name, expr) else {
                return None;
            };
            match found.bindings.as_slice() {
                [b] => match &b.bound {
                    BindingValue::Value(s) if s.steps.is_empty() => origin(m, s.expr, depth + 1),
                    _ => None,
                },
                _ => None,
            }
        }
        ExprKind::Index { of, index } => step(*of, &m.string(*index)?),
        ExprKind::Await(inner) => origin(m, *inner, depth + 1),
        ExprKind::Attr { of, name, .. } => {
            let held = origin(m, *of, depth + 1)?;
            (held.holder.is_none() && held.path.is_empty()).then_some(())?;
            step(*of, name)
        }
        ExprKind::Call(call) => {
            let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
                return None;
            };
            if &**name == "get" {
                return step(*of, &m.string(call.positional(0)?)?);
            }
            let gives = |holder| {
                Some(ValueOrigin {
                    span: m.expr(call.function).span,
                    holder,
                    path: Vec::new(),
                })
            };
            if &**name == "get_credentials" && call.args.is_empty() {
                return gives(None);
            }
            let (_, holder) = ANSWERS.iter().find(|(method, _)| *method == &**name)?;
            // boto3 takes keywords only: a function of the same name that takes others is not it.
            let keyed = call
                .args
                .iter()
                .all(|a| !matches!(a.name, crate::python::ArgName::Positional));
            let named = !name.starts_with("assume_role") || call.keyword("RoleArn").is_some();
            if keyed && named { gives(Some(*holder)) } else { None }
        }
        _ => None,
    }
}
