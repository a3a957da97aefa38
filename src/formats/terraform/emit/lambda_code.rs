//! Where the code of functions and layers is. AWS provider, "aws_lambda_function", "aws_s3_object"; archive provider, "archive_file"; registry module
//! `terraform-aws-modules/lambda`, "source_path".

use crate::model::kinds;
use crate::source::{Piece, Sources, Text, join_path};
use crate::value::{MapEntry, Value, ValueKind};

/// `props` of a resource of this kind, with its paths as `SourceFile::path` has them. Terraform runs in the
/// folder `root`.
pub(crate) fn with_paths(root: &str, sources: &Sources, kind: &str, props: Value) -> Value {
    let (package, folders): (&str, &[&str]) = match kind {
        "AWS::Lambda::Function" | "AWS::Lambda::LayerVersion" => ("Filename", &["SourcePath"]),
        "AWS::S3::Object" => ("Source", &[]),
        kinds::ARCHIVE => ("OutputPath", &["SourceDir", "SourceFile"]),
        _ => return props,
    };
    let mut more: Vec<MapEntry> = Vec::new();
    if let Some(value) = props.get(package)
        && let Some(text) = value.as_text()
    {
        // With its unknown parts: two that are spelled alike are one file.
        let path = join_path(root, &text.display());
        more.push(MapEntry::synthetic(
            "PackagePath",
            value.span,
            Value::synthetic(&path, value.span),
        ));
    }
    if let Some(value) = folders.iter().find_map(|name| props.get(name)) {
        let paths: Option<Vec<Value>> = value.items().iter().map(|item| path(root, item)).collect();
        more.extend(paths.map(|paths| MapEntry::synthetic("CodePaths", value.span, Value::seq(paths, value.span))));
    } else if kind == kinds::ARCHIVE {
        more.extend(contents(sources, &props));
    }
    if more.is_empty() {
        return props;
    }
    let entries = props.entries().unwrap_or(&[]).iter().cloned().chain(more).collect();
    Value::map(entries, props.span)
}

/// What an archive is made of piece by piece: the files that are read for it, with their names in it, or the one text.
/// Archive provider, "archive_file", "source", "source_content".
fn contents(sources: &Sources, props: &Value) -> Vec<MapEntry> {
    let pieces: Vec<(&Value, &Value)> = match (props.get("SourceContent"), props.get("SourceContentFilename")) {
        (Some(content), Some(name)) => vec![(content, name)],
        _ => {
            let blocks = props.get("Source").map_or(&[][..], Value::items).iter();
            blocks
                .filter_map(|b| Some((b.get("Content")?, b.get("Filename")?)))
                .collect()
        }
    };
    let whole = |content: &Value| match content.as_text()?.pieces() {
        [Piece::Lit(lit)] => Some(sources.path(lit.map.file)).filter(|path| path.ends_with(".py")),
        _ => None,
    };
    if let [(content, name)] = pieces.as_slice()
        && whole(content).is_none()
        && name.as_str().is_some_and(|name| name.ends_with(".py"))
    {
        let code = vec![MapEntry::synthetic("ZipFile", content.span, (*content).clone())];
        return vec![MapEntry::synthetic(
            "Code",
            content.span,
            Value::map(code, content.span),
        )];
    }
    let mut paths = Vec::new();
    let mut files = Vec::new();
    for (content, name) in pieces {
        let Some(path) = whole(content) else { continue };
        let at = content.span;
        paths.push(Value::synthetic(path, at));
        let file = vec![
            MapEntry::synthetic("Name", name.span, name.clone()),
            MapEntry::synthetic("Path", at, Value::synthetic(path, at)),
        ];
        files.push(Value::map(file, at));
    }
    let Some(at) = paths.first().map(|p| p.span) else {
        return Vec::new();
    };
    vec![
        MapEntry::synthetic("CodePaths", at, Value::seq(paths, at)),
        MapEntry::synthetic("CodeFiles", at, Value::seq(files, at)),
    ]
}

/// A path, or an object that has one; what is not known stays out.
fn path(root: &str, item: &Value) -> Option<Value> {
    let item = match &item.kind {
        ValueKind::Map(_) => item.get("path")?,
        _ => item,
    };
    let known = item.as_text().and_then(Text::known)?;
    Some(Value::synthetic(&join_path(root, &known), item.span))
}
