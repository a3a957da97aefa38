//! Functions that stand in the code of the CDK and in what it synthesized: which are the same.

use std::collections::BTreeMap;

use crate::iam::SourceFormat;
use crate::project::{CodePlace, Project, Workload, WorkloadCode, WorkloadKind};

/// The functions of synthesized templates, each with the one in Python that is asked about and that makes it.
pub(super) fn rendered(project: &Project<'_>, workloads: &[Workload]) -> BTreeMap<usize, usize> {
    let functions = workloads
        .iter()
        .enumerate()
        .filter(|(_, w)| w.kind == WorkloadKind::Function);
    let mut of_python: Vec<(usize, &Workload)> = Vec::new();
    let mut of_templates: Vec<(usize, &Workload, String)> = Vec::new();
    for (i, w) in functions {
        let r = &project.resources[w.resource];
        match r.construct_path() {
            Some(path) if r.format.is_cloudformation() => of_templates.push((i, w, path)),
            _ if r.format == SourceFormat::Python && project.sources.file(r.header.file).in_scope => {
                of_python.push((i, w));
            }
            _ => {}
        }
    }
    let mut out = BTreeMap::new();
    for (i, template, path) in of_templates {
        let id = path.rsplit('/').next().unwrap_or_default();
        let alike = || of_python.iter().filter(|(_, source)| is_same_code(template, source));
        let called = |source: &Workload| last_part(&project.resources[source.resource].address.name) == id;
        let is_unknown_alike = |source: &Workload| match (&template.content, &source.content) {
            (Err(one), Err(other)) => one == other,
            _ => false,
        };
        let by_id = alike().find(|(_, source)| called(source));
        let by_id = by_id.or_else(|| of_python.iter().find(|(_, w)| called(w) && is_unknown_alike(w)));
        let only = || {
            // The ID of what a loop makes is not written out, and stands for the class.
            let mut all = alike();
            let one = all.next().filter(|_| all.next().is_none())?;
            let address = &project.resources[one.1.resource].address.name;
            last_part(address).ends_with("Function").then_some(one)
        };
        if let Some((source, _)) = by_id.or_else(only) {
            out.insert(i, *source);
        }
    }
    out
}

/// `Save` of `Orders/Save#2`.
fn last_part(address: &str) -> &str {
    let name = address.rsplit('/').next().unwrap_or(address);
    name.split('#').next().unwrap_or(name)
}

fn is_same_code(one: &Workload, other: &Workload) -> bool {
    match (one.code(), other.code()) {
        (Some(one), Some(other)) => match (&one.handler, &other.handler) {
            (Some(a), Some(b)) => a.function == b.function && (a.file == b.file || is_inline(one) && is_inline(other)),
            _ => one.place == other.place,
        },
        _ => false,
    }
}

fn is_inline(code: &WorkloadCode) -> bool {
    matches!(code.place, CodePlace::Inline(_))
}
