//! CloudFormation and SAM templates, in YAML and JSON.
//!
//! **Invariant:** every intrinsic is evaluated as far as the templates of the repository decide it, and no further: both
//! branches of an open condition are kept, what only a deployment knows is a hole. Evaluation is bounded in depth and in
//! the number of values it makes, whatever loops, aliases and conditions a template holds. Values lie where they are
//! written; what the SAM translator makes lies at the SAM source that asks for it.

mod emit;
pub(crate) mod eval;
mod parse;

use std::sync::Arc;

use rayon::prelude::*;

use crate::classify::{FileClues, hit};
use crate::formats::{Format, FormatClaim, data, guarded};
use crate::model::LoweredUnit;
use crate::source::{FileId, Problem, ProblemKind, Sources, Span};
use crate::syntax::{NodeKind, Tree};

pub use crate::formats::cloudformation::emit::bodies::bodies;
pub(crate) use crate::formats::cloudformation::eval::template::Template;
pub(crate) use crate::formats::cloudformation::eval::world::{Variables, World};
pub(crate) use crate::formats::cloudformation::parse::doc::{Doc, is_template};
pub(crate) use crate::formats::cloudformation::parse::parameter_files::is_parameter_file;

/// The templates of a repository.
pub struct CloudFormation;

impl Format for CloudFormation {
    fn title(&self) -> &'static str {
        "CloudFormation"
    }

    fn claim(&self, file: &FileClues<'_>) -> FormatClaim {
        let words = [hit::AWS_TYPE | hit::SECTION, hit::SERVERLESS_TYPE, hit::TEMPLATE];
        FormatClaim::shared_if(file.is_data() && words.iter().any(|bits| file.has(*bits)))
    }

    fn names_code(&self) -> bool {
        true
    }

    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<LoweredUnit> {
        let trees: Vec<Arc<Tree>> = files
            .par_iter()
            .map(|&file| Arc::new(data::parse(file, sources.path(file), sources.text(file))))
            .collect();
        let mut docs = Vec::new();
        let mut firsts = Vec::new();
        for tree in &trees {
            firsts.push(docs.len());
            docs.extend(documents(sources, tree));
        }
        firsts.push(docs.len());
        let world = World::new(sources, docs, None);
        trees
            .par_iter()
            .zip(firsts.par_windows(2))
            .map(|(tree, range)| {
                guarded(tree.file, || {
                    let mut unit = LoweredUnit::default();
                    for index in range[0]..range[1] {
                        for template in Template::uses(&world, index) {
                            template.lower(&mut unit);
                        }
                        if world.omits_callers(index) {
                            let message =
                                "too many parameter sets are passed to this template: the rest are not judged";
                            let at = tree.span(world.docs[index].root);
                            let start = Span { end: at.start, ..at };
                            unit.problems.push(Problem::new(ProblemKind::Exhausted, start, message));
                        }
                    }
                    unit.problems.extend(tree.problems.iter().cloned());
                    if sources.text(tree.file).contains("overgrant:") {
                        unit.extents = extents(tree);
                    }
                    unit
                })
            })
            .collect()
    }
}

/// The templates of a stream.
fn documents(sources: &Sources, tree: &Arc<Tree>) -> Vec<Doc> {
    let path = sources.path(tree.file);
    let mut docs = Vec::new();
    for &root in tree.roots.iter().filter(|root| is_template(tree, **root)) {
        let scope = match docs.len() {
            0 => Arc::from(path),
            n => Arc::from(format!("{path}#{}", n + 1)),
        };
        docs.push(Doc::new(tree.clone(), root, scope));
    }
    docs
}

/// Every entry of a map and every item of a list: what a comment above it covers.
pub(crate) fn extents(tree: &Tree) -> Vec<Span> {
    let mut out = Vec::new();
    let mut open = tree.roots.clone();
    while let Some(node) = open.pop() {
        if tree.is_alias(node) {
            continue;
        }
        match tree.kind(node) {
            NodeKind::Map => {
                for (key, value) in tree.entries(node) {
                    out.push(tree.span(key).cover(tree.span(value)));
                    open.push(value);
                }
            }
            NodeKind::Seq => {
                for item in tree.children(node) {
                    out.push(tree.span(item));
                    open.push(item);
                }
            }
            NodeKind::Call => open.extend(tree.children(node)),
            _ => {}
        }
    }
    out.sort_unstable();
    out
}
