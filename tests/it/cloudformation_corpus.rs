//! Every template below the folder `OVERGRANT_CORPUS` is read: what is not read is truly broken, and is listed.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use overgrant::internals::formats::Format as _;
use overgrant::internals::formats::cloudformation::CloudFormation;
use overgrant::internals::source::Sources;
use overgrant::internals::value::{Value, ValueKind};

#[test]
fn templates_of_a_corpus() {
    let Ok(root) = std::env::var("OVERGRANT_CORPUS") else {
        return;
    };
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&root).into_iter().flatten() {
        let path = entry.path();
        let wanted = path
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| matches!(e, "json" | "yaml" | "yml" | "template"));
        if !wanted || !entry.file_type().is_file() {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let shown = path
            .strip_prefix(Path::new(&root))
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        files.push((shown, Arc::from(text), true));
    }
    let sources = Sources::new(files);
    let ids: Vec<_> = sources
        .ids()
        .filter(|id| sources.text(*id).contains("Resources"))
        .collect();
    let start = Instant::now();
    let units = CloudFormation.lower(&sources, &ids);
    let took = start.elapsed();
    let mut unknown = std::collections::BTreeMap::new();
    let (mut read, mut resources) = (0, 0);
    for (id, unit) in ids.iter().zip(&units) {
        read += usize::from(!unit.resources.is_empty());
        resources += unit.resources.len();
        if unit.resources.is_empty() {
            eprintln!("no template: {}", sources.path(*id));
        }
        for problem in &unit.problems {
            let (at, _) = sources.positions(problem.span);
            eprintln!("{}:{}:{} {}", sources.path(*id), at.line, at.column, problem.message);
        }
        for resource in &unit.resources {
            assert!(!sources.slice(resource.header).is_empty(), "{:?}", resource.address);
            count(&resource.props, &mut unknown);
        }
        if std::env::var("OVERGRANT_WANTED").is_ok() {
            for w in &unit.wanted {
                eprintln!("wanted by {}: {w}", sources.path(*id));
            }
        }
    }
    eprintln!("{} files, {read} templates, {resources} resources, {took:?}", ids.len());
    let mut unknown: Vec<_> = unknown.into_iter().collect();
    unknown.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), name.clone()));
    for (name, n) in unknown.iter().take(40) {
        eprintln!("{n:6} {name}");
    }
}

fn count(value: &Value, unknown: &mut std::collections::BTreeMap<String, usize>) {
    match &value.kind {
        ValueKind::Unknown(h) => *unknown.entry(format!("{:?} {}", h.kind, h.name)).or_default() += 1,
        ValueKind::Str(t) => {
            for h in t.holes().filter(|h| h.target.is_none()) {
                *unknown.entry(format!("{:?} {}", h.kind, h.name)).or_default() += 1;
            }
        }
        ValueKind::Seq(items) => items.iter().for_each(|v| count(v, unknown)),
        ValueKind::Map(entries) => entries.iter().for_each(|e| count(&e.value, unknown)),
        ValueKind::OneOf(branches) => branches.iter().for_each(|b| count(&b.value, unknown)),
        ValueKind::Json(inner) => count(inner, unknown),
        _ => {}
    }
}
