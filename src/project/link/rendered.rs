//! What stands in the code of the CDK and in what it synthesized: which are the same.

use std::collections::BTreeMap;

use crate::iam::SourceFormat;
use crate::model::Resource;
use crate::project::{CodePlace, Handler, Project, RoleGap, Workload, WorkloadCode, WorkloadKind};
use crate::source::{is_synthesized, is_within, parent_path};

/// The functions of synthesized templates, each with the one in Python that is asked about and that makes it.
pub(super) fn rendered(project: &Project<'_>, workloads: &[Workload]) -> BTreeMap<usize, usize> {
    let functions = workloads
        .iter()
        .enumerate()
        .filter(|(_, w)| w.kind == WorkloadKind::Function);
    let mut of_python: Vec<(usize, &Workload)> = Vec::new();
    let mut of_templates: Vec<(usize, &Workload, ConstructId)> = Vec::new();
    for (i, w) in functions {
        let r = &project.resources[w.resource];
        match ConstructId::of(project, r) {
            Some(id) => of_templates.push((i, w, id)),
            None if r.format == SourceFormat::Python && project.sources.file(r.header.file).in_scope => {
                of_python.push((i, w));
            }
            None => {}
        }
    }
    let mut out = BTreeMap::new();
    for (i, template, id) in of_templates {
        let alike = || {
            of_python
                .iter()
                .filter(|(_, source)| is_same_code(project, template, source))
        };
        let called = |source: &Workload| id.is_of(last_part(&project.resources[source.resource].address.name));
        let is_unknown_alike = |source: &Workload| match (&template.content, &source.content) {
            (Err(one), Err(other)) => one == other,
            _ => false,
        };
        let by_id = alike().find(|(_, source)| called(source));
        let by_id = by_id.or_else(|| of_python.iter().find(|(_, w)| called(w) && is_unknown_alike(w)));
        let only = || {
            // The ID of what a loop makes is not written out.
            let mut all = alike();
            let one = all.next().filter(|_| all.next().is_none())?;
            let address = &project.resources[one.1.resource].address.name;
            last_part(address).contains("${").then_some(one)
        };
        if let Some((source, _)) = by_id.or_else(only) {
            out.insert(i, *source);
        }
    }
    out
}

/// What the code of the CDK leaves to its run, each with what it made of it in a synthesized template of the same application.
pub(super) fn synthesized(
    project: &Project<'_>,
    workloads: &[Workload],
    rendered: &BTreeMap<usize, usize>,
) -> BTreeMap<usize, usize> {
    let resource = |w: &Workload| &project.resources[w.resource];
    let all = || workloads.iter().enumerate();
    let in_templates: Vec<(usize, &Workload, ConstructId)> = all()
        .filter_map(|(i, w)| Some((i, w, ConstructId::of(project, resource(w))?)))
        .collect();
    let is_open =
        |w: &Workload| w.content.is_err() || matches!(w.role_gap, Some(RoleGap::Synthesized | RoleGap::Unknown(_)));
    let of_python = all().filter(|(_, w)| resource(w).format == SourceFormat::Python && is_open(w));
    let made = of_python.filter_map(|(i, source)| {
        let path = project.sources.path(resource(source).header.file);
        let name = last_part(&resource(source).address.name);
        let is_unknown = name.starts_with("${") && name.ends_with('}');
        let is_made = |(template, w, id): &&(usize, &Workload, ConstructId)| {
            let output = parent_path(project.sources.path(resource(w).header.file));
            let app = output
                .find("cdk.out")
                .map_or(parent_path(output), |at| parent_path(&output[..at]));
            let is_free = is_unknown && !rendered.contains_key(template);
            w.kind == source.kind && is_within(path, app) && (is_free || id.is_of(name))
        };
        let (template, ..) = in_templates.iter().find(is_made)?;
        Some((i, *template))
    });
    made.collect()
}

/// What a synthesized template says of the ID of a construct.
enum ConstructId {
    /// `Save` of the path `Orders/Save/Resource`.
    Last(String),
    /// `OrdersSave` of the logical ID `OrdersSave096A6EEB`, without what is neither a letter nor a digit. AWS CDK Developer Guide,
    /// "Identifiers".
    Joined(String),
}

impl ConstructId {
    /// Digits of the hash at the end of a logical ID.
    const HASH: usize = 8;

    /// That of a resource of a synthesized template.
    fn of(project: &Project<'_>, r: &Resource) -> Option<Self> {
        if !r.format.is_cloudformation() {
            return None;
        }
        if let Some(path) = r.construct_path() {
            return Some(Self::Last(last_part(&path).to_owned()));
        }
        let name = &r.address.name;
        let (start, hash) = name.split_at_checked(name.len().checked_sub(Self::HASH)?)?;
        let is_hash = hash.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'A'..=b'F'));
        let is_made = is_hash && !start.is_empty() && is_synthesized(project.sources.text(r.header.file));
        is_made.then(|| Self::Joined(start.to_owned()))
    }

    /// Whether the source writes it so; parts may be known only when the source runs: `Save-${name}`.
    fn is_of(&self, written: &str) -> bool {
        let (start, end) = match (written.split_once("${"), written.rsplit_once('}')) {
            (Some((start, _)), Some((_, end))) => (start, end),
            _ => {
                return match self {
                    Self::Last(id) => id == written,
                    Self::Joined(id) => id.ends_with(&plain(written)),
                };
            }
        };
        match self {
            Self::Last(id) => {
                start.len() + end.len() > 0
                    && id.len() > start.len() + end.len()
                    && id.starts_with(start)
                    && id.ends_with(end)
            }
            Self::Joined(id) => {
                let (start, end) = (plain(start), plain(end));
                start.len() + end.len() > 0 && id.contains(&start) && id.ends_with(&end)
            }
        }
    }
}

/// Letters and digits of an ID.
fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// `Save` of `Orders/Save#2`.
fn last_part(address: &str) -> &str {
    let name = address.rsplit('/').next().unwrap_or(address);
    name.split('#').next().unwrap_or(name)
}

fn is_same_code(project: &Project<'_>, one: &Workload, other: &Workload) -> bool {
    // A staged file is not known to be a copy of one of several that have its text.
    let text = |handler: &Handler| project.sources.text(handler.file);
    match (one.code(), other.code()) {
        (Some(one), Some(other)) => match (&one.handler, &other.handler) {
            (Some(a), Some(b)) => {
                a.function == b.function && (text(a) == text(b) || is_inline(one) && is_inline(other))
            }
            _ => one.place == other.place,
        },
        _ => false,
    }
}

fn is_inline(code: &WorkloadCode) -> bool {
    matches!(code.place, CodePlace::Inline(_))
}
