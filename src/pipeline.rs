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
    /// Paths that are referred to and not among the sources; see [`crate::model::LoweredUnit::wanted`]. Sorted.
    pub wanted: Vec<String>,
    /// What each stage took, in order; one may come in parts.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Understands `sources`. Pure; deterministic for any number of threads.
pub fn analyze<'a>(sources: &'a Sources, own: &'a Ownership) -> Analysis<'a> {
    PartialAnalysis::new(sources).finish(own)
}

/// An analysis up to where the formats are lowered that may name files which were not read: the costly ones wait for these.
#[derive(Debug)]
pub struct PartialAnalysis<'a> {
    sources: &'a Sources,
    kinds: Vec<FileKinds>,
    /// In the order of [`FORMATS`]; none where a format is not lowered yet.
    lowered: Vec<Option<Vec<LoweredUnit>>>,
    timings: Vec<(&'static str, Duration)>,
}

impl<'a> PartialAnalysis<'a> {
    pub fn new(sources: &'a Sources) -> Self {
        let mut clock = Instant::now();
        let ids: Vec<FileId> = sources.ids().collect();
        let mut kinds: Vec<FileKinds> = ids
            .par_iter()
            .map(|id| match sources.is_analyzed(*id) {
                true => FileKinds::of(sources.path(*id), sources.text(*id)),
                false => FileKinds::default(),
            })
            .collect();
        let templates = files_of(sources, &kinds, |kinds| kinds.formats().any(Format::names_code));
        for handler in formats::python::handlers(sources, &templates) {
            kinds[handler.0 as usize].add(&formats::python::Python);
        }
        let classified = clock.elapsed();
        clock = Instant::now();
        let lowered = FORMATS
            .par_iter()
            .map(|format| format.names_files().then(|| lower(*format, sources, &kinds)))
            .collect();
        Self {
            sources,
            kinds,
            lowered,
            timings: vec![("classify", classified), ("parse and lower", clock.elapsed())],
        }
    }

    /// What [`Analysis::wanted`] has, as far as it is known. Sorted.
    pub fn wanted(&self) -> Vec<String> {
        let units = || self.lowered.iter().flatten().flatten();
        let mut wanted: Vec<String> = units().flat_map(|u| u.wanted.iter().cloned()).collect();
        // What an image starts is asked when all is linked, which is late.
        let files = units()
            .flat_map(|u| &u.resources)
            .filter_map(|r| r.get("Dockerfile")?.as_str());
        wanted.extend(files.filter(|path| self.sources.find(path).is_none()).map(Into::into));
        wanted.sort();
        wanted.dedup();
        wanted
    }

    pub fn finish(self, own: &'a Ownership) -> Analysis<'a> {
        let Self {
            sources,
            kinds,
            lowered,
            mut timings,
        } = self;
        let mut clock = Instant::now();
        let mut lap = |name: &'static str| {
            timings.push((name, clock.elapsed()));
            clock = Instant::now();
        };
        let today = own.today.or_else(|| Date::parse(catalogue().data_date()));
        let today = today.unwrap_or(Date::from_days(0));
        let mut units: Vec<LoweredUnit> = lowered
            .into_par_iter()
            .zip(FORMATS)
            .flat_map(|(lowered, format)| lowered.unwrap_or_else(|| lower(*format, sources, &kinds)))
            .collect();
        for format in FORMATS {
            format.finish(sources, &mut units);
        }
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
            formats::text_templates::drop_alternative_defects(sources, unit);
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
}

fn files_of(sources: &Sources, kinds: &[FileKinds], is_of: impl Fn(FileKinds) -> bool) -> Vec<FileId> {
    sources.ids().filter(|id| is_of(kinds[id.0 as usize])).collect()
}

fn lower(format: &dyn Format, sources: &Sources, kinds: &[FileKinds]) -> Vec<LoweredUnit> {
    let files = files_of(sources, kinds, |kinds| kinds.is_read_by(format));
    if files.is_empty() {
        return Vec::new();
    }
    format.lower(sources, &files)
}
