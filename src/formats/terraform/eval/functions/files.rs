//! Functions that read files, which are the other sources of the run.

use std::rc::Rc;

use crate::source::{FileId, HoleKind, MATCHING, Span, Text, file_name, join_path, parent_path};
use crate::syntax::hcl;
use crate::value::{Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, MAX_ITEMS, TerraformEvaluator};
use crate::formats::terraform::eval::functions::FunctionCall;
use crate::formats::terraform::eval::to_string::to_text;
use crate::formats::terraform::eval::values::pairs;
use crate::formats::terraform::parse::directory::Decl;

pub(super) fn apply<'a>(call: &FunctionCall<'_, 'a>, env: &EvalScope<'a>) -> Option<Value> {
    Some(match call.name {
        "file" => match call.get(0) {
            Some(path) => file(call.evaluator, path, call.span),
            None => call.fail(),
        },
        "templatefile" => match (call.get(0), call.get(1)) {
            (Some(path), Some(variables)) => match find(call.evaluator, path) {
                Some(id) => template(call.evaluator, id, variables, env, call.span),
                None => call.evaluator.unknown(missing_file_hole(path), call.span),
            },
            _ => call.fail(),
        },
        "fileexists" => match call.get(0).and_then(|p| find(call.evaluator, p)) {
            Some(_) => call.bool(true),
            None => call.unknown(),
        },
        "fileset" => fileset(call),
        "dirname" => map_path(call, |p| match parent_path(p) {
            "" => ".".to_owned(),
            parent => parent.to_owned(),
        }),
        "basename" => map_path(call, |p| file_name(p).to_owned()),
        // Whose home `~` is, only the machine knows that runs Terraform.
        "pathexpand" if call.known_text(0).is_none_or(|path| path.starts_with('~')) => call.unknown(),
        "pathexpand" => map_path(call, str::to_owned),
        _ => return None,
    })
}

fn map_path(call: &FunctionCall<'_, '_>, f: impl Fn(&str) -> String) -> Value {
    match call.known_text(0) {
        Some(path) => Value::synthetic(&f(&path), call.span),
        None => call.unknown(),
    }
}

/// The source that a path in an expression names; one that is not there is wanted.
fn find(evaluator: &TerraformEvaluator<'_>, path: &Value) -> Option<FileId> {
    let text = to_text(path)?;
    let path = text.known()?;
    if path.is_empty() {
        return None;
    }
    let path = join_path(evaluator.root, &path);
    let found = evaluator.sources.find(&path);
    if found.is_none() {
        evaluator.wanted.borrow_mut().insert(path);
    }
    found
}

/// Why a file was not found: it is not here, or its name is not known.
fn missing_file_hole(path: &Value) -> HoleKind {
    match path.as_str() {
        Some(_) => HoleKind::Outside,
        None => crate::formats::terraform::eval::values::derived_kind(std::slice::from_ref(path)),
    }
}

/// `file(path)`: written in that file, used here.
pub(in crate::formats::terraform) fn file(evaluator: &TerraformEvaluator<'_>, path: &Value, span: Span) -> Value {
    match find(evaluator, path) {
        Some(id) => {
            let text = evaluator.sources.text(id);
            let whole = Span::new(id, 0, text.len());
            Value::text(Text::verbatim(text, id, 0), whole).used_at(span)
        }
        None => evaluator.unknown(missing_file_hole(path), span),
    }
}

/// `templatefile(path, variables)`.
fn template<'a>(
    evaluator: &TerraformEvaluator<'a>,
    id: FileId,
    variables: &Value,
    env: &EvalScope<'a>,
    span: Span,
) -> Value {
    let text = evaluator.sources.text(id);
    let known = evaluator.templates.borrow().get(&id).cloned();
    let tree = match known {
        Some(tree) => tree,
        None => {
            let tree = Rc::new(hcl::parse_template(id, text));
            evaluator.templates.borrow_mut().insert(id, tree.clone());
            evaluator.problems.borrow_mut().extend(tree.problems.iter().cloned());
            tree
        }
    };
    let Some(&root) = tree.roots.first() else {
        return evaluator.unknown(HoleKind::Other, span);
    };
    // Only the variables are in scope; any other reference is an error there.
    let mut inner = EvalScope {
        frame: None,
        ..env.clone()
    };
    for (name, value) in pairs(variables).unwrap_or_default().into_iter().take(MAX_ITEMS) {
        if let Some(name) = to_text(&name).as_ref().and_then(Text::known) {
            inner = inner.with_binding(&name, value, false);
        }
    }
    let value = evaluator
        .descend(|| evaluator.eval(&tree, root, &inner))
        .unwrap_or_else(|| evaluator.unknown(HoleKind::Other, span));
    let whole = Span::new(id, 0, text.len());
    let value = match value.kind {
        ValueKind::Str(_) => Value { span: whole, ..value },
        _ => value,
    };
    value.used_at(span)
}

/// `data "template_file"`, the way of writing `templatefile` before Terraform 0.12.
pub(in crate::formats::terraform) fn template_file<'a>(
    evaluator: &TerraformEvaluator<'a>,
    decl: &Decl<'a>,
    env: &EvalScope<'a>,
    span: Span,
) -> Value {
    let unknown = || evaluator.unknown(HoleKind::Other, span);
    let Some(template_value) = decl.expr("template").map(|e| evaluator.expr(e, env)) else {
        return unknown();
    };
    let variables = match decl.expr("vars") {
        Some(e) => evaluator.expr(e, env),
        None => Value::map(Vec::new(), span),
    };
    let ValueKind::Str(text) = &template_value.kind else {
        return unknown();
    };
    // A whole file, as `file()` gives it, is read as a template in its place.
    let place = text.span_of(0..text.len()).unwrap_or(template_value.span);
    let source = evaluator.sources.text(place.file);
    if text.known().as_deref() == Some(&**source) {
        return template(evaluator, place.file, &variables, env, span);
    }
    template_value.clone().used_at(span)
}

fn fileset(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(dir), Some(pattern)) = (call.known_text(0), call.known_text(1)) else {
        return call.unknown();
    };
    let dir = join_path(call.evaluator.root, &dir);
    let glob = globset::GlobBuilder::new(&pattern).literal_separator(true).build();
    let Ok(glob) = glob.map(|g| g.compile_matcher()) else {
        return call.fail();
    };
    let sources = call.evaluator.sources;
    if !call.evaluator.spend(sources.len()) {
        return call.unknown();
    }
    let inside = |path: &str| match dir.as_str() {
        "" => Some(path.to_owned()),
        dir => Some(path.strip_prefix(dir)?.strip_prefix('/')?.to_owned()),
    };
    let found: Vec<Value> = sources
        .ids()
        .filter_map(|id| inside(sources.path(id)))
        .filter(|path| glob.is_match(path))
        .map(|path| Value::synthetic(&path, call.span))
        .collect();
    // Some of the files may not have been read, since they name nothing of AWS by themselves.
    let folder = if dir.is_empty() { "." } else { &dir };
    let files = format!("{folder}/{MATCHING}{pattern}");
    call.evaluator.wanted.borrow_mut().insert(files);
    if found.is_empty() {
        return call.unknown();
    }
    call.seq(found)
}
