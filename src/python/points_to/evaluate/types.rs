//! Annotations.

use crate::iam::sdk::{self, Client, LibraryResult};
use crate::python::points_to::abstract_value::{AbstractValue, ResourceOrigin, ValueSet, ValueSetBuilder, single};
use crate::python::points_to::evaluate::ObjectEvaluator;
use crate::python::{ExprId, ExprKind, Reaching, ScopeId};
use std::sync::Arc;

impl ObjectEvaluator<'_> {
    /// What an annotation says: `S3Client`, `"mypy_boto3_s3.S3Client"`, `Optional[Table]`, a class of the repository.
    pub(crate) fn values_of_annotation(&self, module: usize, annotation: ExprId, depth: u32) -> ValueSet {
        let m = self.module(module);
        if depth > 6 {
            return self.nothing.clone();
        }
        match &m.expr(annotation).kind {
            ExprKind::Name(_) | ExprKind::Attr { .. } => self.types(&self.eval(module, annotation, None)),
            ExprKind::Str(t) => match t.known() {
                Some(s) => {
                    // `"Optional[S3Client]"`, `"S3Client | None"`
                    let s = s.trim();
                    let inside = s
                        .rsplit_once("Optional[")
                        .or_else(|| s.rsplit_once("Union["))
                        .and_then(|(_, rest)| rest.strip_suffix(']'))
                        .unwrap_or(s);
                    let mut out = ValueSetBuilder::default();
                    for part in inside.split(['|', ',']).take(8) {
                        out.put_all(&self.types(&self.values_of_name(module, part.trim())));
                    }
                    out.finish()
                }
                None => self.nothing.clone(),
            },
            ExprKind::Index { of, index } => {
                let name = m.dotted(*of).unwrap_or_default();
                match name.rsplit('.').next().unwrap_or("") {
                    "Optional" | "Union" | "Annotated" | "ClassVar" | "Final" | "InitVar" | "Awaitable"
                    // Dagster's fields that another resource is given for.
                    | "ResourceDependency" => self.values_of_annotation(module, *index, depth + 1),
                    // What a generator yields stands for the generator.
                    "Generator" | "Iterator" | "AsyncGenerator" | "AsyncIterator" => {
                        self.values_of_annotation(module, *index, depth + 1)
                    }
                    "dict" | "Dict" | "Mapping" | "MutableMapping" | "defaultdict" | "list" | "List" | "Sequence"
                    | "Iterable" | "tuple" | "Tuple" | "set" | "Set" => {
                        let mut out = ValueSetBuilder::default();
                        for t in self.values_of_annotation(module, *index, depth + 1).iter() {
                            out.put(AbstractValue::Entry("".into(), Arc::new(t.clone())));
                        }
                        out.finish()
                    }
                    _ => self.nothing.clone(),
                }
            }
            ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Other(items) => {
                let mut out = ValueSetBuilder::default();
                for i in items.iter().take(8) {
                    out.put_all(&self.values_of_annotation(module, *i, depth + 1));
                }
                out.finish()
            }
            ExprKind::Binary { left, right, .. } => {
                let mut out = ValueSetBuilder::default();
                out.put_all(&self.values_of_annotation(module, *left, depth + 1));
                out.put_all(&self.values_of_annotation(module, *right, depth + 1));
                out.finish()
            }
            _ => self.nothing.clone(),
        }
    }

    /// A dotted name in a string.
    pub(crate) fn values_of_name(&self, module: usize, dotted: &str) -> ValueSet {
        let mut parts = dotted.split('.');
        let first = parts.next().unwrap_or("");
        if first.is_empty() || !first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return self.nothing.clone();
        }
        let mut values = match self.module(module).at_end(first, ScopeId::MODULE) {
            Reaching::Found(_) => self.export(module, first),
            Reaching::Free => single(AbstractValue::Library(first.into())),
        };
        for p in parts {
            let mut out = ValueSetBuilder::default();
            for t in values.iter() {
                out.put_all(&self.attribute(t, p));
            }
            values = out.finish();
        }
        values
    }

    pub(crate) fn types(&self, named: &[AbstractValue]) -> ValueSet {
        let mut out = ValueSetBuilder::default();
        for t in named {
            match t {
                AbstractValue::Class(c) => out.put(AbstractValue::Instance(*c)),
                AbstractValue::Library(name) => {
                    if let Some(t) = library_type(name) {
                        out.put(t);
                    }
                }
                _ => {}
            }
        }
        out.finish()
    }
}

/// `mypy_boto3_s3.client.S3Client`, `types_aiobotocore_dynamodb.service_resource.Table`, `boto3.Session`.
fn library_type(name: &str) -> Option<AbstractValue> {
    match sdk::library_result(name) {
        Some(LibraryResult::Session) => return Some(AbstractValue::Session),
        Some(LibraryResult::UnknownClient) => return Some(AbstractValue::SomeClient),
        _ => {}
    }
    let (package, rest) = name.split_once('.')?;
    let service = package
        .strip_prefix("mypy_boto3_")
        .or_else(|| package.strip_prefix("types_aiobotocore_"))
        .or_else(|| package.strip_prefix("types_boto3_"))?;
    let client: Client = sdk::client(&service.replace('_', "-"))?;
    let class = rest.rsplit('.').next().unwrap_or(rest);
    if class.ends_with("ServiceResource") {
        return client
            .service_resource()
            .map(|t| AbstractValue::Resource(client, t, ResourceOrigin::Unknown));
    }
    if class.ends_with("Client") {
        return Some(AbstractValue::Client(client));
    }
    client
        .resource_type(class)
        .map(|t| AbstractValue::Resource(client, t, ResourceOrigin::Unknown))
}
