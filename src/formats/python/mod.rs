//! Python: policies written in code, what boto3 calls create, and the modules for the analysis of calls.
//!
//! **Invariant:** one unit a file, in the order of the files, then one for each file that imports one of them; a document is lowered once, in the file that uses it, else in
//! the one that writes it.

mod candidates;
mod cdk;
mod cdk_policies;
mod cdk_source;
mod domains;
mod handlers;
mod importers;
mod inline;
mod loose;
mod mocks;
mod parameters;
mod resources;
mod sdk_copies;
mod session;
mod statement;

pub use handlers::handlers;
pub(crate) use importers::imports;
pub use inline::inline;
pub(crate) use resources::unseen_call;
pub(crate) use sdk_copies::SdkCopies;

use cdk_source::AttributeUses;

use crate::classify::{FileClues, hit};
use crate::python::receiver::Objects;
use rayon::prelude::*;

use crate::formats::{Format, FormatClaim, each_file};
use crate::model::LoweredUnit;
use crate::python::syntax;
use crate::python::syntax::Parsed;
use crate::python::{Program, PythonModule};
use crate::source::{FileId, Problem, Sources, Span};

/// The format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Python;

impl Format for Python {
    fn title(&self) -> &'static str {
        "Python"
    }

    fn claim(&self, file: &FileClues<'_>) -> FormatClaim {
        let is_python = matches!(&*file.extension, "py" | "ipynb");
        let words = file.has_any(hit::PYTHON | hit::KEY_NAME) || file.has(hit::STATEMENT | hit::EFFECT);
        FormatClaim::shared_if(is_python && words)
    }

    fn names_files(&self) -> bool {
        false
    }

    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<LoweredUnit> {
        let copies = SdkCopies::new(sources);
        let files: Vec<FileId> = files.iter().copied().filter(|f| !copies.has(sources, *f)).collect();
        let files = files.as_slice();
        let more = importers::importers(sources, files, &copies);
        let mut all: Vec<FileId> = files.iter().chain(&more).copied().collect();
        all.extend(importers::helpers(sources, &all, &copies));
        let mut units = each_file(&all, |f| read(sources, f));
        // Of the importers only the code counts; that one cannot be read is no one's concern.
        for unit in &mut units[files.len()..] {
            unit.problems.clear();
            unit.extents.clear();
        }
        let modules: Vec<PythonModule> = units
            .iter_mut()
            .zip(&all)
            .map(|(u, f)| u.modules.pop().unwrap_or_else(|| PythonModule::unreadable(*f)))
            .collect();
        let program = Program::new(sources, &modules);
        let of = |file: FileId| program.index_of(file).unwrap_or(0);
        let asked: Vec<usize> = files.iter().map(|f| of(*f)).collect();
        let objects = objects_of(&program, &asked);
        let uses = AttributeUses::default();
        add(
            &mut units,
            each_file(files, |f| resources_of(&program, of(f), &objects, &uses)),
        );
        let used: Vec<loose::UsedLiterals> = units.par_iter().map(loose::literals_of).collect();
        let used: loose::UsedLiterals = used.into_iter().flatten().collect();
        let documents = each_file(files, |f| {
            let mut own: loose::UsedLiterals = used.range((f, 0)..=(f, u32::MAX)).copied().collect();
            resources::CallLowering::new(&program, of(f), &objects).unattached_policies(&mut own)
        });
        add(&mut units, documents);
        for (unit, module) in units.iter_mut().zip(modules) {
            unit.modules.push(module);
        }
        units
    }
}

fn add(units: &mut [LoweredUnit], more: Vec<LoweredUnit>) {
    for (unit, more) in units.iter_mut().zip(more) {
        unit.resources.extend(more.resources);
        unit.loose.extend(more.loose);
        unit.problems.extend(more.problems);
    }
}

/// What is known of the objects of a program, where a call of these modules asks for it.
fn objects_of(program: &Program<'_>, modules: &[usize]) -> Objects {
    let asks = |module: &&usize| candidates::may_create_resources(&program.modules[**module]);
    let asking: Vec<usize> = modules.par_iter().filter(asks).copied().collect();
    if asking.is_empty() {
        return Objects::default();
    }
    let objects = Objects::new(program);
    let depends: Vec<bool> = asking
        .par_iter()
        .map(|m| candidates::asks_for_params(program, *m, &objects))
        .collect();
    match depends.contains(&true) {
        true => objects.with_params(program),
        false => objects,
    }
}

fn resources_of(program: &Program<'_>, module: usize, objects: &Objects, uses: &AttributeUses) -> LoweredUnit {
    let mut unit = LoweredUnit::default();
    let mut lowering = resources::CallLowering::new(program, module, objects);
    let sites = lowering.find_calls();
    for site in &sites {
        lowering.lower(site, &mut unit);
    }
    lowering.constructors(&mut unit);
    lowering.environment(&mut unit);
    lowering.cdk(&mut unit, uses);
    unit
}

/// What the only module of `program` creates and writes.
fn lower_program(program: &Program<'_>) -> LoweredUnit {
    let objects = objects_of(program, &[0]);
    let mut unit = resources_of(program, 0, &objects, &AttributeUses::default());
    let mut used = loose::literals_of(&unit);
    let documents = resources::CallLowering::new(program, 0, &objects).unattached_policies(&mut used);
    unit.loose.extend(documents.loose);
    unit
}

fn read(sources: &Sources, file: FileId) -> LoweredUnit {
    let text = sources.text(file);
    let Parsed {
        code,
        tree,
        mut problems,
    } = syntax::parse(file, sources.path(file), text);
    let (module, unread) = crate::python::build::build(&code, tree.as_ref());
    problems.extend(unread.map(|span| Problem::syntax(span, "nested too deep")));
    let extents = match &tree {
        Some(tree) if memchr::memmem::find(text.as_bytes(), b"overgrant:").is_some() => extents(&code, tree),
        _ => Vec::new(),
    };
    let test_code = tree
        .as_ref()
        .map_or_else(Vec::new, |tree| mocks::test_code(&code, tree));
    LoweredUnit {
        problems,
        extents,
        test_code,
        modules: vec![module],
        ..LoweredUnit::default()
    }
}

/// Every node that a comment can stand above or beside.
fn extents(code: &syntax::PythonCode<'_>, tree: &syntax::Tree) -> Vec<Span> {
    let mut out = Vec::new();
    let mut cursor = tree.walk();
    if !cursor.goto_first_child() {
        return out;
    }
    loop {
        let node = cursor.node();
        if node.is_named() && crate::python::syntax::kind(node) != crate::python::syntax::K::Comment {
            out.push(code.span(node.byte_range()));
        }
        if cursor.goto_first_child() {
            continue;
        }
        loop {
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return out;
            }
        }
    }
}
