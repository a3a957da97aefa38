//! The Serverless Framework's `serverless.yml`. Serverless Framework, "AWS Lambda Functions", "IAM Permissions For
//! Functions"; the plugin `serverless-iam-roles-per-function`.
//!
//! **Invariant:** as for CloudFormation, of which a service's `resources` are a part: what a person wrote keeps its place,
//! what the framework adds (the trust policy, permission to write logs) is marked as its own.

mod constructs;
mod functions;
mod generated;
mod plugins;
mod variables;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::classify::{FileClues, hit};
use crate::formats::cloudformation::{Doc, Template, World, extents};
use crate::formats::{Format, FormatClaim, data, each_file};
use crate::iam::SourceFormat;
use crate::model::{LoweredUnit, Resource};
use crate::source::{FileId, Sources};
use crate::syntax::{NodeId, NodeKind, Tree};

use variables::ServerlessService;
pub(super) use variables::framework_variable;

/// The services of a repository.
pub struct Serverless;

impl Format for Serverless {
    fn title(&self) -> &'static str {
        "Serverless"
    }

    fn claim(&self, file: &FileClues<'_>) -> FormatClaim {
        let named = file.name.strip_prefix("serverless").is_some_and(|rest| {
            matches!(
                rest.rsplit_once('.'),
                Some(("" | "-compose", _)) | Some((_, "yml" | "yaml"))
            )
        });
        let provider = file.has(hit::PROVIDER) || file.text.starts_with("provider:");
        let functions = file.has(hit::FUNCTIONS) || file.text.starts_with("functions:");
        FormatClaim::shared_if(file.is_data() && (named || provider && functions))
    }

    fn names_code(&self) -> bool {
        true
    }

    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<LoweredUnit> {
        each_file(files, |file| {
            let tree = Arc::new(data::parse(file, sources.path(file), sources.text(file)));
            let mut unit = LoweredUnit::default();
            if let Some(&root) = tree.roots.iter().find(|root| is_service(&tree, **root)) {
                service(sources, &tree, root, &mut unit);
                unit.problems.extend(tree.problems.iter().cloned());
                if sources.text(file).contains("overgrant:") {
                    unit.extents = extents(&tree);
                }
            } else if tree.roots.is_empty() {
                unit.problems.extend(tree.problems.iter().cloned());
            }
            unit
        })
    }

    /// What a service covers from a file of its own is the service's: it is no template beside it.
    fn finish(&self, sources: &Sources, units: &mut [LoweredUnit]) {
        let elsewhere = |r: &&Resource| {
            r.format == SourceFormat::Serverless
                && sources.path(r.header.file) != &*r.address.scope
                && r.kind.contains("::")
        };
        let taken: BTreeSet<FileId> = units
            .iter()
            .flat_map(|u| u.resources.iter().filter(elsewhere))
            .map(|r| r.header.file)
            .collect();
        let template = |r: &Resource| matches!(r.format, SourceFormat::Cloudformation | SourceFormat::Sam);
        for unit in units.iter_mut().filter(|_| !taken.is_empty()) {
            unit.resources
                .raw
                .retain(|r| !(template(r) && taken.contains(&r.header.file)));
        }
    }
}

/// A map with a provider and something to deploy; functions may be left to plugins.
fn is_service(tree: &Tree, root: NodeId) -> bool {
    let has = |key| tree.get(root, key).is_some();
    tree.kind(root) == NodeKind::Map && has("provider") && (has("functions") || has("resources") || has("service"))
}

fn service(sources: &Sources, tree: &Arc<Tree>, root: NodeId, unit: &mut LoweredUnit) {
    let variables = ServerlessService::new(tree.clone(), root);
    let scope: Arc<str> = sources.path(tree.file).into();
    let mut docs = vec![Doc::serverless_part(tree.clone(), root, scope.clone())];
    let resources = tree.get(root, "resources");
    let parts: Vec<NodeId> = match resources.map(|r| (r, tree.kind(r))) {
        Some((r, NodeKind::Seq)) => tree.children(r).collect(),
        Some((r, _)) => vec![r],
        None => Vec::new(),
    };
    docs.extend(
        parts
            .iter()
            .map(|&part| Doc::serverless_part(tree.clone(), part, scope.clone())),
    );
    // Parts that are files: their resources are the service's.
    for &part in &parts {
        let Some(path) = included_file(tree, part, sources) else {
            continue;
        };
        match sources.find(&path) {
            Some(file) => {
                let other = Arc::new(data::parse(file, sources.path(file), sources.text(file)));
                let root = other.roots.first().copied();
                docs.extend(root.map(|root| Doc::serverless_part(other, root, scope.clone())));
            }
            None => unit.wanted.push(path),
        }
    }
    let world = World::new(sources, docs, Some(&variables));
    let main = Template::new(&world, 0);
    functions::lower(&main, root, unit);
    unit.wanted.extend(main.wanted.take());
    for index in 1..world.docs.len() {
        Template::new(&world, index).lower(unit);
    }
    unit.defaults.extend(variables.fallbacks());
    let completed = plugins::completions(tree, root).into_iter();
    unit.completed.extend(completed.map(|span| (span, scope.clone())));
}

/// The file that a part of `resources` is: `${file(resources/tables.yml)}`.
fn included_file(tree: &Tree, part: NodeId, sources: &Sources) -> Option<String> {
    let text = tree.text(part)?.known()?;
    let path = text.trim().strip_prefix("${file(")?.strip_suffix(")}")?;
    let data = [".yml", ".yaml", ".json"].iter().any(|end| path.ends_with(end));
    let here = crate::source::parent_path(sources.path(tree.file));
    (data && !path.contains(['$', ')'])).then(|| crate::source::join_path(here, path.trim()))
}
