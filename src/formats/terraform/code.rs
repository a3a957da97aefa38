//! Where the code of functions is. AWS provider, "aws_lambda_function"; archive provider, "archive_file"; registry module
//! `terraform-aws-modules/lambda`, "source_path".

use crate::model::kinds;
use crate::source::{Text, join_path};
use crate::value::{Entry, Kind, Value};

use super::emit::made;

/// `props` of a resource of this kind, with its paths as [`crate::source::SourceFile::path`] has them. Terraform runs in the
/// folder `root`.
pub(super) fn placed(root: &str, kind: &str, props: Value) -> Value {
    let (package, sources): (&str, &[&str]) = match kind {
        "AWS::Lambda::Function" => ("Filename", &["SourcePath"]),
        kinds::ARCHIVE => ("OutputPath", &["SourceDir", "SourceFile"]),
        _ => return props,
    };
    let mut more: Vec<Entry> = Vec::new();
    if let Some(value) = props.get(package)
        && let Some(text) = value.as_text()
    {
        // With its unknown parts: two that are spelled alike are one file.
        let path = join_path(root, &text.display());
        more.push(made("PackagePath", value.span, Value::made(&path, value.span)));
    }
    if let Some(value) = sources.iter().find_map(|name| props.get(name)) {
        let paths: Option<Vec<Value>> = value.items().iter().map(|item| path(root, item)).collect();
        more.extend(paths.map(|paths| made("CodePaths", value.span, Value::seq(paths, value.span))));
    }
    if more.is_empty() {
        return props;
    }
    let entries = props.entries().unwrap_or(&[]).iter().cloned().chain(more).collect();
    Value::map(entries, props.span)
}

/// A path, or an object that has one; what is not known stays out.
fn path(root: &str, item: &Value) -> Option<Value> {
    let item = match &item.kind {
        Kind::Map(_) => item.get("path")?,
        _ => item,
    };
    let known = item.as_text().and_then(Text::known)?;
    Some(Value::made(&join_path(root, &known), item.span))
}
