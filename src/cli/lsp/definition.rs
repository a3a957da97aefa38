//! From a reference to what it leads to: from a role to its policies and to the code that runs with it, and back.

use lsp_types::{GotoDefinitionParams, Location, Range};

use super::text::{Lines, Units};
use super::uri;
use super::workspace::Workspace;
use crate::cli::run::Loaded;
use crate::iam::Document;
use crate::project::{CodePlace, DocumentId, IdentityId, PolicyRef, Project, Workload, WorkloadContent};
use crate::source::{FileId, LineIndex, Sources, Span};

pub(super) fn definition(workspace: &mut Workspace, params: &GotoDefinitionParams) -> Vec<Location> {
    let at = &params.text_document_position_params;
    let path = workspace.key(&at.text_document.uri);
    let units = workspace.units;
    let Some(text) = workspace.text(&path) else {
        return Vec::new();
    };
    let index = LineIndex::new(&text);
    let offset = Lines::new(&text, &index, units).offset(at.position);
    let found = workspace.with_analysis(&path, |read, analysis| {
        let project = &analysis.project;
        let file = project.sources.find(&read.governing.display_path(&path))?;
        let targets = targets(project, file, offset);
        let places = targets
            .into_iter()
            .filter_map(|span| location(read, project.sources, span, units));
        Some(places.collect::<Vec<_>>()).filter(|all| !all.is_empty())
    });
    found.unwrap_or_default()
}

fn location(read: &Loaded<'_>, sources: &Sources, span: Span, units: Units) -> Option<Location> {
    if !span.is_in_source() {
        return None;
    }
    let file = sources.file(span.file);
    // What is long is shown by its first line.
    let start = span.start as usize;
    let text = file.text.get(span.range())?;
    let end = start + text.find('\n').unwrap_or(text.len());
    let range: Range = Lines::new(&file.text, file.lines(), units).range(start..end);
    Some(Location::new(
        uri::of_path(&read.governing.absolute(&file.path))?,
        range,
    ))
}

/// A place, and where it leads. Of several, the smallest one counts.
struct Links {
    file: FileId,
    offset: usize,
    smallest: Option<u32>,
    targets: Vec<Span>,
}

impl Links {
    fn add(&mut self, from: Span, to: impl IntoIterator<Item = Span>) {
        let is_here = from.file == self.file
            && from.is_in_source()
            && (from.start as usize..=from.end as usize).contains(&self.offset);
        if !is_here {
            return;
        }
        let length = from.end - from.start;
        let to: Vec<Span> = to.into_iter().filter(|to| to.is_in_source() && *to != from).collect();
        if to.is_empty() || self.smallest.is_some_and(|smallest| smallest < length) {
            return;
        }
        if self.smallest != Some(length) {
            self.targets.clear();
        }
        self.smallest = Some(length);
        self.targets.extend(to);
    }
}

fn targets(project: &Project<'_>, file: FileId, offset: usize) -> Vec<Span> {
    let mut links = Links {
        file,
        offset,
        smallest: None,
        targets: Vec::new(),
    };
    for (id, identity) in project.identities.iter_enumerated() {
        for used in identity.policies.iter().chain(&identity.boundary) {
            let documents = match &used.policy {
                PolicyRef::Documents(ids) => ids.iter().map(|d| project.documents[*d].span).collect(),
                _ => Vec::new(),
            };
            if let Some(by) = used.by {
                // What attaches a policy leads to both.
                let ends = documents.iter().copied().chain([identity.header]);
                links.add(project.resources[by].extent, ends);
            }
            links.add(used.span, documents);
        }
        links.add(identity.header, of_identity(project, id));
    }
    for workload in &project.workloads {
        for role in &workload.roles {
            links.add(role.span, [project.identities[role.role].header]);
        }
        let code = code(project, workload);
        if let Ok(WorkloadContent::Code(content)) = &workload.content {
            links.add(content.span, code);
        }
        if let Some(handler) = project.resources[workload.resource].get("Handler") {
            links.add(handler.span, code);
        }
        let header = project.resources[workload.resource].header;
        let roles = workload.roles.iter().map(|role| project.identities[role.role].header);
        links.add(header, code.into_iter().chain(roles));
        if let Some(code) = code {
            let roles = workload.roles.iter().map(|role| project.identities[role.role].header);
            links.add(code, [header].into_iter().chain(roles));
        }
    }
    for (id, document) in project.documents.iter_enumerated() {
        let (uses, holders) = (uses(document), holders(project, id));
        links.add(document.span, uses.iter().copied().chain(holders));
        for place in uses {
            links.add(place, [document.span]);
        }
    }
    links.targets.sort_unstable();
    links.targets.dedup();
    links.targets
}

/// Its policies, and the code that runs with it.
fn of_identity(project: &Project<'_>, id: IdentityId) -> Vec<Span> {
    let identity = &project.identities[id];
    let documents = identity.documents().map(|d| project.documents[d].span);
    let running = project
        .workloads
        .iter()
        .filter(|w| w.roles.iter().any(|role| role.role == id));
    let running = running.map(|w| code(project, w).unwrap_or(project.resources[w.resource].header));
    documents.chain(running).collect()
}

fn holders(project: &Project<'_>, id: DocumentId) -> Vec<Span> {
    project
        .holders(id)
        .iter()
        .map(|holder| project.identities[*holder].header)
        .collect()
}

fn uses(document: &Document) -> Vec<Span> {
    document.used_at.iter().map(|used| used.span).collect()
}

/// The first line of the function that runs first, or of the file.
fn code(project: &Project<'_>, workload: &Workload) -> Option<Span> {
    let code = workload.code()?;
    let sources = project.sources;
    if let Some(handler) = &code.handler {
        let text = sources.text(handler.file);
        let function = handler.function.as_deref();
        let at = function.and_then(|name| definition_of(text, name.rsplit('.').next()?));
        let (start, end) = at.unwrap_or((0, 0));
        return Some(Span::new(handler.file, start, end));
    }
    match &code.place {
        CodePlace::Paths(paths) => {
            let file = paths.iter().find_map(|path| sources.find(path))?;
            Some(Span::new(file, 0, 0))
        }
        CodePlace::Inline(_) => None,
    }
}

/// The name in `def name(`.
fn definition_of(text: &str, name: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        let rest = rest.strip_prefix("async ").unwrap_or(rest);
        let defined = rest.strip_prefix("def ").or_else(|| rest.strip_prefix("class "));
        if let Some(defined) = defined
            && defined
                .strip_prefix(name)
                .is_some_and(|after| after.starts_with(['(', ':', ' ']))
        {
            let start = at + line.len() - defined.len();
            return Some((start, start + name.len()));
        }
        at += line.len();
    }
    None
}
