//! Sources from strings, read and judged in this process.

use std::sync::{Arc, LazyLock};

use overgrant::internals::finding::Finding;
use overgrant::internals::fix;
use overgrant::internals::formats::Format;
use overgrant::internals::iam::Ownership;
use overgrant::internals::model::LoweredUnit;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::project::Project;
use overgrant::internals::rules::examples::{self, ExampleCase};
use overgrant::internals::rules::{self, Ruleset, Selection};
use overgrant::internals::settings::{Date, Selector, parse};
use overgrant::internals::source::Sources;
use overgrant::internals::triage::{Report, TriageOptions, triage};
use rayon::prelude::*;

pub(crate) static RULESET: LazyLock<Ruleset> = LazyLock::new(Ruleset::builtin);

/// What `format` makes of these files.
pub(crate) fn lower(format: &impl Format, files: &[(&str, &str)]) -> (Sources, Vec<LoweredUnit>) {
    let sources = Sources::from_strings(files);
    let ids: Vec<_> = sources.ids().collect();
    let units = format.lower(&sources, &ids);
    (sources, units)
}

/// Everything that any rule finds, before it is decided what is reported.
pub(crate) fn found(files: &[(&str, &str)]) -> (Sources, Vec<Finding>) {
    let sources = Sources::from_strings(files);
    let own = Ownership::default();
    let outcome = rules::run(&analyze(&sources, &own).project, &RULESET, &Selection::all(&RULESET));
    (sources, outcome.findings)
}

/// What is reported of these rules, with the settings written in `toml`.
pub(crate) fn report(files: &[(&str, &str)], rules: &[&str], toml: &str) -> Report {
    let mut files = files.to_vec();
    if !toml.is_empty() {
        files.push(("overgrant.toml", toml));
    }
    report_of(&Sources::from_strings(&files), rules, toml)
}

/// As [`report`], of any sources.
pub(crate) fn report_of(sources: &Sources, rules: &[&str], toml: &str) -> Report {
    report_of_own(sources, rules, toml, &Ownership::default())
}

/// As [`report_of`], with these accounts and names of one's own.
pub(crate) fn report_of_own(sources: &Sources, rules: &[&str], toml: &str, own: &Ownership) -> Report {
    let mut project = analyze(sources, own).project;
    rules::examples::give_evidence(&mut project);
    report_of_project(sources, &project, rules, toml)
}

/// As [`report_of`], of what was analyzed.
pub(crate) fn report_of_project(sources: &Sources, project: &Project<'_>, rules: &[&str], toml: &str) -> Report {
    let mut settings = parse("overgrant.toml", "/repo", toml, &|_| Err(String::new())).unwrap();
    settings.select.0 = rules.iter().chain(&["tool"]).map(|r| Selector::from(*r)).collect();
    settings.resolve(&RULESET).unwrap();
    let outcome = rules::run(project, &RULESET, &Selection::all(&RULESET));
    let options = TriageOptions {
        is_test: &|path| path.starts_with("tests/"),
        ruleset: &RULESET,
        settings: &|_| &settings,
        absolute: &|path| format!("/repo/{path}"),
        root: "/repo",
        today: Date::parse("2026-11-22").unwrap(),
        is_whole: true,
        ignores: true,
        unmatched: &[],
        strict_ignores: false,
        baseline: None,
        earlier: None,
    };
    let mut report = triage(project, outcome.findings, &options);
    fix::write(sources, &mut report);
    report
}

/// An example of what a rule reports, and what is reported of it.
pub(crate) struct LintedExample {
    pub(crate) case: ExampleCase,
    pub(crate) sources: Sources,
    pub(crate) report: Report,
}

/// All of them, linted once for all tests that look at them.
pub(crate) fn bad_examples() -> &'static [LintedExample] {
    static LINTED: LazyLock<Vec<LintedExample>> = LazyLock::new(|| {
        let cases: Vec<_> = RULESET.iter().flat_map(examples::cases).filter(|c| c.bad).collect();
        let linted = cases.into_par_iter().map(|case| {
            let files = case.files.iter().map(|(p, t)| (p.clone(), Arc::from(t.as_str()), true));
            let sources = Sources::new(files);
            let report = report_of_own(&sources, &["all"], "", case.ownership());
            LintedExample { case, sources, report }
        });
        linted.collect()
    });
    &LINTED
}
