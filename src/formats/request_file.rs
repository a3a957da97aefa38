//! A request with the policies that apply to it, in a file of its own.
//!
//! **Invariant:** such a file is read as it stands: nothing in it is a placeholder of a tool, and what is not in it is not
//! there. What does not fit is an error with its place.

use crate::access::{AccessRequest, Caller, ContextValue, PolicyGroup, RequestContext, RequestPolicies};
use crate::iam::arn::is_account_id;
use crate::iam::condition::OperatorFamily;
use crate::iam::{Condition, Defect, DefectKind, Document, PolicyKind};
use crate::source::{FileId, Position, Sources, Span};
use crate::syntax::{data, json};
use crate::value::{MapEntry, Value, ValueKind};

use super::policies;

/// A request file, read.
#[derive(Clone, Debug)]
pub struct RequestFile {
    pub request: AccessRequest,
    identity: Vec<Document>,
    resource: Option<Document>,
    boundary: Vec<Document>,
    session: Option<Document>,
    scp: Vec<Vec<Document>>,
    rcp: Vec<Vec<Document>>,
    endpoint: Vec<Document>,
}

/// What is wrong with a request file: one sentence, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{}:{}: {what}", .at.line, .at.column)]
pub struct RequestFileError {
    path: String,
    at: Position,
    what: String,
}

type FileReading<T> = Result<T, (Span, String)>;

impl RequestFile {
    /// Reads a file that holds a request.
    ///
    /// # Errors
    /// It is not JSON, has a key that request files do not have or a value of another type, lacks something, or one of its
    /// policies breaks the grammar.
    pub fn read(sources: &Sources, file: FileId) -> Result<Self, RequestFileError> {
        let text = sources.text(file).trim_start_matches('\u{feff}');
        let error = |at, what| RequestFileError {
            path: sources.path(file).to_owned(),
            at,
            what,
        };
        if let Err(e) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
            let at = Position {
                line: e.line(),
                column: e.column(),
                offset: 0,
            };
            let what = e.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            return Err(error(at, format!("not JSON: {what}")));
        }
        let tree = json::parse(file, sources.text(file));
        let value = tree.roots.first().map(|root| data::value(&tree, *root, |text| text));
        let whole = Span::new(file, 0, 0);
        let read = match (value, tree.problems.first()) {
            (_, Some(problem)) => Err((problem.span, problem.message.clone())),
            (Some(value), None) => request_file(&value),
            (None, None) => Err((whole, "a request is missing".to_owned())),
        };
        read.map_err(|(span, what)| error(sources.positions(span).0, what))
    }

    pub fn policies(&self) -> RequestPolicies<'_> {
        RequestPolicies {
            identity: PolicyGroup::of(&self.identity),
            resource: PolicyGroup::of(&self.resource),
            boundary: group(&self.boundary),
            session: self.session.as_ref().map(|d| PolicyGroup::of([d])),
            scp: self.scp.iter().map(PolicyGroup::of).collect(),
            rcp: self.rcp.iter().map(PolicyGroup::of).collect(),
            endpoint: group(&self.endpoint),
        }
    }
}

/// `None` for no policies.
fn group(documents: &[Document]) -> Option<PolicyGroup<'_>> {
    (!documents.is_empty()).then(|| PolicyGroup::of(documents))
}

fn request_file(value: &Value) -> FileReading<RequestFile> {
    let object = FileObject::new(value, "a request file", &["request", "policies"])?;
    let request = request(object.required("request")?)?;
    let mut file = RequestFile {
        request,
        identity: Vec::new(),
        resource: None,
        boundary: Vec::new(),
        session: None,
        scp: Vec::new(),
        rcp: Vec::new(),
        endpoint: Vec::new(),
    };
    let Some(value) = object.get("policies") else {
        return Ok(file);
    };
    let names = ["identity", "resource", "boundary", "session", "scp", "rcp", "endpoint"];
    let object = FileObject::new(value, "`policies`", &names)?;
    file.identity = object.documents("identity", PolicyKind::Identity)?;
    file.boundary = object.documents("boundary", PolicyKind::Boundary)?;
    file.endpoint = object.documents("endpoint", PolicyKind::Resource)?;
    file.scp = object.levels("scp", PolicyKind::Scp)?;
    file.rcp = object.levels("rcp", PolicyKind::Rcp)?;
    let one = |name: &str, kind| object.get(name).map(|v| document(v, name, kind)).transpose();
    file.resource = one("resource", PolicyKind::Resource)?;
    file.session = one("session", PolicyKind::Session)?;
    let no_principal = file.resource.iter().flat_map(|d| &d.statements);
    if let Some(s) = no_principal.into_iter().find(|s| s.principal.is_none()) {
        return Err((
            s.span,
            "a statement of a resource policy needs a `Principal`".to_owned(),
        ));
    }
    Ok(file)
}

fn request(value: &Value) -> FileReading<AccessRequest> {
    let names = ["principal", "action", "resource", "resource_account", "context"];
    let object = FileObject::new(value, "`request`", &names)?;
    let action = object.required("action")?;
    let resources = match object.get("resource") {
        None => vec!["*".to_owned()],
        Some(value) => texts(value, "`resource`")?,
    };
    if resources.is_empty() || resources.iter().any(String::is_empty) {
        return Err((value.span, "`resource` needs an ARN or `*`".to_owned()));
    }
    let resource_account = match object.get("resource_account") {
        None => None,
        Some(value) => Some(
            text(value, "`resource_account`").and_then(|account| match is_account_id(&account) {
                true => Ok(account),
                false => Err((value.span, format!("`{account}` is not a 12-digit account ID"))),
            })?,
        ),
    };
    Ok(AccessRequest {
        caller: caller(object.required("principal")?)?,
        action: action_name(action)?,
        resources,
        resource_account,
        context: object.get("context").map(context).transpose()?.unwrap_or_default(),
    })
}

fn action_name(value: &Value) -> FileReading<String> {
    let action = text(value, "`action`")?;
    let is_word = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match action.split_once(':') {
        Some((prefix, name)) if is_word(prefix) && is_word(name) => Ok(action),
        _ => Err((
            value.span,
            format!("`{action}` is not an action such as `s3:GetObject`"),
        )),
    }
}

fn caller(value: &Value) -> FileReading<Caller> {
    if value.entries().is_some() {
        let object = FileObject::new(value, "`principal`", &["type"])?;
        let kind = object.required("type")?;
        return match &*text(kind, "`type`")? {
            "Anonymous" => Ok(Caller::Anonymous),
            other => Err((
                kind.span,
                format!("`{other}` is not a type of principal; the only one is `Anonymous`"),
            )),
        };
    }
    let name = text(value, "`principal`")?;
    Caller::parse(&name).ok_or_else(|| {
        let what = format!("`{name}` is not the ARN of a user, role, or session, and not the name of a service");
        (value.span, what)
    })
}

fn context(value: &Value) -> FileReading<RequestContext> {
    let mut context = RequestContext::closed();
    for entry in value.entries().ok_or_else(|| wrong(value, "`context`", "an object"))? {
        let key = entry.key.display();
        if context.has(&key) {
            return Err((entry.key_span, format!("the key `{key}` is given twice")));
        }
        let values = texts(&entry.value, &format!("`{key}`"))?;
        context.set(&key, ContextValue::Known(values));
    }
    Ok(context)
}

/// An object of the file.
struct FileObject<'v> {
    entries: &'v [MapEntry],
    what: &'static str,
    span: Span,
}

impl<'v> FileObject<'v> {
    fn new(value: &'v Value, what: &'static str, names: &[&str]) -> FileReading<Self> {
        let entries = value.entries().ok_or_else(|| wrong(value, what, "an object"))?;
        for (i, entry) in entries.iter().enumerate() {
            let name = entry.key.display();
            if !names.contains(&&*name) {
                return Err((entry.key_span, format!("{what} has no key `{name}`")));
            }
            if entries.iter().take(i).any(|e| e.key == entry.key) {
                return Err((entry.key_span, format!("the key `{name}` is given twice")));
            }
        }
        Ok(Self {
            entries,
            what,
            span: value.span,
        })
    }

    /// What is there and is not null.
    fn get(&self, name: &str) -> Option<&'v Value> {
        let entry = self.entries.iter().find(|e| e.key.known().as_deref() == Some(name));
        entry.map(|e| &e.value).filter(|v| !v.is_null())
    }

    fn required(&self, name: &str) -> FileReading<&'v Value> {
        let missing = || (self.span, format!("{} needs `{name}`", self.what));
        self.get(name).ok_or_else(missing)
    }

    fn documents(&self, name: &str, kind: PolicyKind) -> FileReading<Vec<Document>> {
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        list(value, name)?.iter().map(|v| document(v, name, kind)).collect()
    }

    fn levels(&self, name: &str, kind: PolicyKind) -> FileReading<Vec<Vec<Document>>> {
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        let level = |v: &Value| list(v, name)?.iter().map(|v| document(v, name, kind)).collect();
        list(value, name)?.iter().map(level).collect()
    }
}

fn list<'v>(value: &'v Value, name: &str) -> FileReading<&'v [Value]> {
    match &value.kind {
        ValueKind::Seq(items) => Ok(items),
        _ => Err(wrong(value, &format!("`{name}`"), "a list")),
    }
}

fn wrong(value: &Value, what: &str, expected: &str) -> (Span, String) {
    (value.span, format!("{what} is {}, not {expected}", value.type_name()))
}

fn text(value: &Value, what: &str) -> FileReading<String> {
    match &value.kind {
        ValueKind::Str(text) => text
            .known()
            .map(|t| t.into_owned())
            .ok_or_else(|| wrong(value, what, "a string")),
        _ => Err(wrong(value, what, "a string")),
    }
}

/// A value or a list of values; numbers and booleans as they are written.
fn texts(value: &Value, what: &str) -> FileReading<Vec<String>> {
    let one = |value: &Value| match &value.kind {
        ValueKind::Bool(b) => Ok(b.to_string()),
        ValueKind::Num(n) => Ok(n.to_string()),
        ValueKind::Str(_) => text(value, what),
        _ => Err(wrong(value, what, "a string or a list of strings")),
    };
    match &value.kind {
        ValueKind::Seq(items) => items.iter().map(one).collect(),
        _ => Ok(vec![one(value)?]),
    }
}

/// A policy that fits the grammar. IAM User Guide, "Grammar of the IAM JSON policy language".
fn document(value: &Value, name: &str, kind: PolicyKind) -> FileReading<Document> {
    let Some(document) = policies::literal(value, kind) else {
        return Err(wrong(value, &format!("a policy of `{name}`"), "an object"));
    };
    if let Some(mistake) = document.defects.iter().find_map(defect) {
        return Err(mistake);
    }
    let is_on_resource = matches!(kind, PolicyKind::Resource | PolicyKind::Rcp);
    for s in &document.statements {
        if s.action.is_none() {
            return Err((s.span, "a statement needs an `Action`".to_owned()));
        }
        if let Some(principal) = s.principal.as_ref().filter(|_| !is_on_resource) {
            return Err((principal.key, format!("a policy of `{name}` cannot have a `Principal`")));
        }
        if s.resource.is_none() && !is_on_resource {
            return Err((s.span, "a statement needs a `Resource`".to_owned()));
        }
        if let Some(mistake) = s.conditions.iter().find_map(operator) {
            return Err(mistake);
        }
    }
    Ok(document)
}

/// What AWS refuses. Empty lists match nothing, and a repeated `Sid` changes nothing.
fn defect(defect: &Defect) -> Option<(Span, String)> {
    let element = &defect.element;
    let what = match &defect.kind {
        DefectKind::Empty | DefectKind::DuplicateSid { .. } => return None,
        DefectKind::UnknownElement => format!("`{element}` is not an element of a policy"),
        DefectKind::DuplicateKey { .. } => format!("the key `{element}` is given twice"),
        DefectKind::WrongType { expected, found } => format!("`{element}` is {found}, not {expected}"),
        DefectKind::Missing => format!("`{element}` is missing"),
        DefectKind::InvalidEffect(text) => format!("the effect `{text}` is neither `Allow` nor `Deny`"),
        DefectKind::InvalidVersion(text) => format!("the version `{text}` is neither `2012-10-17` nor `2008-10-17`"),
        DefectKind::Conflict { .. } => format!("`{element}` stands beside the element that it negates"),
        DefectKind::UnknownPrincipalType => format!("`{element}` is not a type of principal"),
    };
    Some((defect.span, what))
}

fn operator(c: &Condition) -> Option<(Span, String)> {
    let known = c.parsed.filter(|o| o.family != OperatorFamily::Null || !o.if_exists);
    let unknown = || {
        (
            c.operator.span,
            format!("`{}` is not a condition operator", c.operator.display()),
        )
    };
    known.is_none().then(unknown)
}
