//! From sources to a project: classify, lower each format, find the policies, link.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::classify::{Kinds, classify};
use crate::date::Date;
use crate::formats::{self, Lower};
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

/// Whether a format takes files of these kinds.
type Takes = fn(Kinds) -> bool;

/// Each format and the files it takes.
const FORMATS: &[(&dyn Lower, Takes)] = &[
    (&formats::iam_json::IamJson, |k| k.policy),
    (&formats::cloudformation::CloudFormation, |k| k.cloudformation),
    (&formats::python::Python, |k| k.python),
    (&formats::terraform::Terraform, |k| k.terraform),
    (&formats::serverless::Serverless, |k| k.serverless),
];

/// Names of the formats that can be read.
pub fn format_names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(format, _)| format.name())
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
    let mut kinds: Vec<Kinds> = ids
        .par_iter()
        .map(|id| classify(sources.path(*id), sources.text(*id)))
        .collect();
    let templates = ids.iter().copied().filter(|id| {
        let k = kinds[id.0 as usize];
        k.cloudformation || k.terraform || k.serverless
    });
    for file in formats::python::handlers(sources, &templates.collect::<Vec<_>>()) {
        kinds[file.0 as usize].python = true;
    }
    lap("classify");
    let mut units: Vec<_> = FORMATS
        .par_iter()
        .flat_map(|(format, takes)| {
            let files: Vec<FileId> = ids.iter().copied().filter(|id| takes(kinds[id.0 as usize])).collect();
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
