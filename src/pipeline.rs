//! From sources to a project: classify, lower each format, find the policies, link.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::date::Date;
use crate::formats::{self, FORMATS, FileKinds, Format};
use crate::iam::Ownership;
use crate::iam::catalogue::catalogue;
use crate::iam::condition::dead::{DeadStatement, find_dead};
use crate::model::LoweredUnit;
use crate::project::{Project, link};
use crate::source::{FileId, Sources, Span};

/// What was understood of a set of sources.
#[derive(Debug)]
pub struct Analysis<'a> {
    pub project: Project<'a>,
    /// Paths that are referred to and not among the sources; see [`crate::model::Unit::wanted`]. Sorted.
    pub wanted: Vec<String>,
    /// What each stage took, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Understands `sources`. Pure; deterministic for any number of threads.
pub fn analyze<'a>(sources: &'a Sources, own: &'a Ownership) -> Analysis<'a> {
    let mut timings = Vec::new();
    let mut clock = Instant::now();
    let mut lap = |name: &'static str| {
        timings.push((name, clock.elapsed()));
        clock = Instant::now();
    };
    let today = own.today.or_else(|| Date::parse(catalogue().data_date()));
    let today = today.unwrap_or(Date::from_days(0));
    let ids: Vec<FileId> = sources.ids().collect();
    let mut kinds: Vec<FileKinds> = ids
        .par_iter()
        .map(|id| FileKinds::of(sources.path(*id), sources.text(*id)))
        .collect();
    let files_of = |kinds: &[FileKinds], is_of: &dyn Fn(FileKinds) -> bool| -> Vec<FileId> {
        ids.iter().copied().filter(|id| is_of(kinds[id.0 as usize])).collect()
    };
    let templates = files_of(&kinds, &|kinds| kinds.formats().any(Format::names_code));
    for handler in formats::python::handlers(sources, &templates) {
        kinds[handler.0 as usize].add(&formats::python::Python);
    }
    lap("classify");
    let mut units: Vec<_> = FORMATS
        .par_iter()
        .flat_map(|format| {
            let files = files_of(&kinds, &|kinds| kinds.is_read_by(*format));
            if files.is_empty() {
                Vec::new()
            } else {
                format.lower(sources, &files)
            }
        })
        .collect();
    formats::serverless::remove_claimed_units(sources, &mut units);
    units.push(LoweredUnit {
        test_code: formats::samples::for_semgrep(sources),
        unused: formats::text_templates::unloaded_templates(sources),
        ..LoweredUnit::default()
    });
    lap("parse and lower");
    units.par_iter_mut().for_each(|unit| {
        formats::cloudformation::bodies(sources, unit);
        formats::python::inline(sources, unit);
        formats::policies::lower(unit);
        formats::text_templates::drop_template_problems(sources, unit);
        let by_default = |at: Span| unit.defaults.iter().any(|(default, _)| default.contains(at));
        for statement in unit.documents.iter_mut().flat_map(|d| &mut d.statements) {
            // Another value than the default may bring it to life.
            let of_default = |dead: &DeadStatement| by_default(dead.span) || dead.other.is_some_and(by_default);
            statement.dead = find_dead(statement, today).filter(|dead| !of_default(dead));
        }
    });
    lap("policies");

    let mut wanted: Vec<String> = units.iter_mut().flat_map(|u| std::mem::take(&mut u.wanted)).collect();
    let mut project = link(sources, own, units);
    wanted.append(&mut project.wanted);
    wanted.sort();
    wanted.dedup();
    lap("link");
    Analysis {
        project,
        wanted,
        timings,
    }
}
