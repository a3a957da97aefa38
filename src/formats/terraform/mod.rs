//! Terraform and OpenTofu: directories of `.tf` files, evaluated as far as they can be before deployment.
//!
//! **Invariant:** a root module is a directory that no other local directory calls; everything is evaluated from the
//! roots, so that a module is seen with the arguments of its callers. One unit for each root and each way to apply it, in the
//! order of their paths.

pub(crate) mod emit;
mod eval;
mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::classify::FileClues;
use crate::formats::{Format, FormatClaim};
use crate::index::IndexVec;
use crate::model::{LoweredUnit, UnattachedPolicy};
use crate::source::{FileId, Problem, ProblemKind, Sources, Span, join_path, parent_path};
use crate::syntax::hcl;
use crate::value::Value;

use crate::formats::terraform::emit::resources::{Emitted, Emitter};
use crate::formats::terraform::eval::evaluator::TerraformEvaluator;
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::parse::directory::{Directory, File, FileRole, Repository, RootVariables, source_of};
pub(crate) use crate::formats::terraform::parse::directory::{is_code_file, is_hcl_file, is_values_file};

/// Evaluation is deep by nature: bounded by [`eval`], and given room.
const STACK: usize = 256 << 20;

/// How many documents that are written at one place and differ by the arguments of their module's callers are distinguished.
const MAX_TOLD_APART: usize = 100;

/// Terraform, OpenTofu, their values, Terragrunt.
#[derive(Debug)]
pub struct Terraform;

/// A root module and one way to apply it.
#[derive(Clone)]
struct Root<'a> {
    path: &'a str,
    /// Scope of its names; differs from the path where there are several ways.
    scope: Arc<str>,
    chosen: RootVariables<'a>,
}

impl Format for Terraform {
    fn title(&self) -> &'static str {
        "Terraform"
    }

    fn claim(&self, file: &FileClues<'_>) -> FormatClaim {
        let name = &*file.name;
        let is_named = is_code_file(name) || is_values_file(name) || name == "terragrunt.hcl";
        if is_named || emit::plan::is_plan(name, file.text) {
            FormatClaim::Whole
        } else {
            FormatClaim::None
        }
    }

    fn names_code(&self) -> bool {
        true
    }

    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<LoweredUnit> {
        let is_plan =
            |id: &&FileId| crate::formats::terraform::emit::plan::is_plan(sources.path(**id), sources.text(**id));
        let plans: Vec<FileId> = files.iter().filter(is_plan).copied().collect();
        let files = parse(sources, files);
        let mut by_directory: BTreeMap<String, Vec<File>> = BTreeMap::new();
        let mut first = LoweredUnit::default();
        for file in files {
            first.problems.extend(file.hcl.tree.problems.iter().cloned());
            if sources.text(file.id).contains("overgrant:") {
                crate::formats::terraform::parse::extents::collect(&file.hcl, &mut first.extents);
            }
            first.wanted.extend(file.wanted.iter().cloned());
            let dir = parent_path(sources.path(file.id)).to_owned();
            by_directory.entry(dir).or_default().push(file);
        }
        let nodes = by_directory
            .values()
            .flatten()
            .map(|f| f.hcl.tree.node_count() as u64)
            .sum();
        let repository = Repository {
            nodes,
            directories: by_directory
                .iter()
                .map(|(path, files)| (path.as_str(), Directory::new(path.clone(), files)))
                .collect(),
        };
        let mut written = crate::formats::terraform::emit::plan::DeclaredPlaces::new();
        if !plans.is_empty() {
            for d in repository.directories.values() {
                for (address, decl) in &d.resources {
                    let place = (decl.block().header, decl.block().span);
                    written.insert((d.path.clone(), address.clone()), place);
                }
            }
        }
        let mut units = vec![first];
        let (mut emitted, wanted) = evaluate(&by_directory, &repository, sources);
        let mut plans: Vec<LoweredUnit> = plans
            .iter()
            .map(|id| crate::formats::terraform::emit::plan::lower(sources, *id, &written))
            .collect();
        for (_, emitted) in &mut emitted {
            crate::formats::terraform::emit::plan_merge::merge_plans(sources, &mut plans, emitted);
        }
        units.append(&mut plans);
        units[0].wanted.extend(wanted);
        let used = crate::formats::terraform::emit::used_policies::UsedPolicies::new(emitted.iter().map(|(_, e)| e));
        let mut seen: BTreeMap<Span, Vec<Value>> = BTreeMap::new();
        let mut left_out = Vec::new();
        let mut is_new = |value: &Value| {
            let before = seen.entry(value.span).or_default();
            if before
                .iter()
                .any(|other| crate::formats::terraform::eval::values::is_equivalent(other, value, 0))
            {
                return false;
            }
            if before.len() == MAX_TOLD_APART {
                left_out.push(value.span);
                return false;
            }
            before.push(value.clone());
            true
        };
        // A file with documents and nothing else is a part of something that is not here.
        let deploys = emitted
            .iter()
            .any(|(_, e)| e.resources.iter().any(|r| r.kind.starts_with("AWS::")))
            || deploys_elsewhere(sources);
        for (problems, emitted) in emitted {
            let loose: Vec<UnattachedPolicy> = emitted
                .loose
                .into_iter()
                .filter(|l| !used.contains(&l.value) && is_new(&l.value))
                .collect();
            units.push(LoweredUnit {
                resources: IndexVec::from_vec(emitted.resources),
                loose,
                problems,
                defaults: emitted.defaults,
                unattached: emitted.unattached,
                deployed_to: emitted.deployed_to,
                ..LoweredUnit::default()
            });
        }
        if deploys {
            let unused = crate::formats::terraform::emit::unused::unused_documents(
                sources,
                by_directory.values().flatten().map(|f| f.id),
                units.iter().flat_map(|u| &u.loose),
            );
            units[0].unused = unused;
        }
        let message = "too many different policies are defined here: the rest are not judged";
        let problems = left_out
            .into_iter()
            .map(|at| Problem::new(ProblemKind::Exhausted, at, message));
        units[0].problems.extend(problems);
        units
    }
}

/// Whether files that are not analyzed have resources of AWS.
fn deploys_elsewhere(sources: &Sources) -> bool {
    let mut others = sources
        .ids()
        .filter(|id| !sources.is_analyzed(*id) && is_code_file(sources.path(*id)));
    others.any(|id| sources.text(id).contains("resource \"aws_"))
}

/// Parses the files, in parallel; of `x.tf` and `x.tofu` the latter counts.
fn parse(sources: &Sources, files: &[FileId]) -> Vec<File> {
    let tofu: BTreeSet<&str> = files
        .iter()
        .filter_map(|id| sources.path(*id).strip_suffix(".tofu"))
        .collect();
    files
        .par_iter()
        .filter(|id| {
            let path = sources.path(**id);
            !path.strip_suffix(".tf").is_some_and(|stem| tofu.contains(stem))
        })
        .filter(|id| {
            let path = sources.path(**id);
            is_code_file(path) || is_values_file(path) || FileRole::of(path) == FileRole::Terragrunt
        })
        .flat_map_iter(|&id| {
            let path = sources.path(id);
            let parse = if path.ends_with(".json") {
                crate::formats::terraform::parse::json::parse
            } else {
                hcl::parse
            };
            let hcl = parse(id, sources.text(id));
            let mut more = crate::formats::terraform::parse::terragrunt::GeneratedFile::default();
            let (role, mut hcl) = match FileRole::of(path) {
                FileRole::Terragrunt => {
                    more = crate::formats::terraform::parse::terragrunt::generated(sources, id, &hcl);
                    crate::formats::terraform::parse::terragrunt::rewrite(hcl)
                }
                role => (role, hcl),
            };
            hcl.tree.problems.append(&mut more.problems);
            let mut wanted = more.wanted;
            let made = more.made.into_iter().map(|hcl| (FileRole::Config, hcl));
            let all: Vec<_> = std::iter::once((role, hcl)).chain(made).collect();
            all.into_iter().map(move |(role, hcl)| File {
                id,
                role,
                hcl,
                wanted: std::mem::take(&mut wanted),
            })
        })
        .collect()
}

type EvaluatedRoot = (Vec<Problem>, Emitted);

/// All roots, each with what it amounts to, in the order of their paths; and the files that were wanted.
fn evaluate<'a>(
    files: &'a BTreeMap<String, Vec<File>>,
    repository: &'a Repository<'a>,
    sources: &Sources,
) -> (Vec<EvaluatedRoot>, Vec<String>) {
    let called: BTreeSet<String> = repository
        .directories
        .values()
        .flat_map(|d| {
            let calls = d.modules.values().filter_map(source_of);
            calls
                .map(|source| join_path(&d.path, &source))
                .filter(|path| *path != d.path)
        })
        .collect();
    let paths: Vec<&str> = repository
        .directories
        .keys()
        .copied()
        .filter(|path| !called.contains(*path))
        .collect();
    let (mut variable_sets, left_out) =
        crate::formats::terraform::parse::var_files::variable_sets(files, &repository.directories, &paths, sources);
    let roots: Vec<Root<'a>> = paths
        .iter()
        .flat_map(|path| {
            applied(
                &repository.directories[path],
                variable_sets.remove(path).unwrap_or_default(),
            )
        })
        .collect();
    let mut results = in_parallel(repository, sources, &roots);
    // Directories that only call each other, or that were out of reach, stand for themselves.
    let mut visited: BTreeSet<String> = results.iter().flat_map(|r| r.1.1.visited.iter().cloned()).collect();
    for directory in repository.directories.values() {
        if !visited.contains(&directory.path) {
            let more = in_parallel(repository, sources, &applied(directory, Vec::new()));
            visited.extend(more.iter().flat_map(|r| r.1.1.visited.iter().cloned()));
            results.extend(more);
        }
    }
    results.sort_by(|a, b| a.0.cmp(&b.0));
    let mut wanted = BTreeSet::new();
    let results = results
        .into_iter()
        .map(|(_, result, files)| {
            wanted.extend(files);
            result
        })
        .collect();
    let mut results: Vec<EvaluatedRoot> = results;
    if !left_out.is_empty() {
        results.push((left_out, Emitted::default()));
    }
    (results, wanted.into_iter().collect())
}

/// A root module in each way that it is applied: as it stands, unless that lacks a value which the files give.
fn applied<'a>(directory: &'a Directory<'a>, variable_sets: Vec<RootVariables<'a>>) -> Vec<Root<'a>> {
    let plain = variable_sets.is_empty() || !directory.needs_values();
    let variable_sets = plain.then(RootVariables::new).into_iter().chain(variable_sets);
    variable_sets
        .enumerate()
        .map(|(i, chosen)| Root {
            path: &directory.path,
            scope: match i {
                0 => directory.path.as_str().into(),
                _ => format!("{}@{}", directory.path, i + 1).into(),
            },
            chosen,
        })
        .collect()
}

type RootResult = (Arc<str>, EvaluatedRoot, BTreeSet<String>);

/// Evaluates roots on as many threads as there are, each with room for deep values.
fn in_parallel<'a>(repository: &'a Repository<'a>, sources: &Sources, roots: &[Root<'a>]) -> Vec<RootResult> {
    let next = Mutex::new(roots.iter());
    let done = Mutex::new(Vec::with_capacity(roots.len()));
    let work = || {
        loop {
            let root = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(root) = root else { return };
            let result = evaluate_root(repository, sources, root);
            done.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        }
    };
    let threads = rayon::current_num_threads().min(roots.len()).max(1);
    std::thread::scope(|scope| {
        let start = |_| {
            std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, work)
                .ok()
        };
        // A thread that is left alone while it ends crashes some versions of the C library (glibc bug 19951).
        let started: Vec<_> = (0..threads).map_while(start).collect();
        for thread in started {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    // Where no thread could be had, the work is still to be done.
    work();
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn evaluate_root<'a>(repository: &'a Repository<'a>, sources: &Sources, root: &Root<'a>) -> RootResult {
    let directory = &repository.directories[root.path];
    let evaluator = TerraformEvaluator::new(repository, sources, root.path, root.scope.clone());
    let module = TerraformModule::root(directory, root.scope.clone(), root.chosen.clone());
    let scope: Arc<str> = module.scope.clone();
    evaluator.modules.borrow_mut().insert(scope, module.clone());
    let mut emitter = Emitter {
        evaluator: &evaluator,
        out: Emitted::default(),
    };
    emitter.module(&module);
    let mut emitted = emitter.out;
    emitted.replaced = evaluator.replaced.take();
    let mut problems = evaluator.problems.take();
    problems.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    problems.dedup();
    (root.scope.clone(), (problems, emitted), evaluator.wanted.take())
}
