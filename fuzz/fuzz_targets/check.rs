//! The whole check on arbitrary bytes, from files under the names of every format to every report: no panic, no broken rule,
//! every label on character borders, every machine format whole.
#![no_main]

use std::sync::LazyLock;

use clap::ValueEnum as _;
use libfuzzer_sys::fuzz_target;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::iam::Ownership;
use overgrant::internals::report::{OutputFormat, Page, RenderOptions};
use overgrant::internals::rules::{self, Ruleset, Selection};
use overgrant::internals::settings::{Date, Settings};
use overgrant::internals::triage::{TriageOptions, triage};
use overgrant::internals::source::{ProblemKind, Sources};

const NAMES: [&str; 8] = [
    "policy.json",
    "policy.yaml",
    "template.yaml",
    "serverless.yml",
    "main.tf",
    "main.tf.json",
    "handler.py",
    "notes.txt",
];

static RULESET: LazyLock<Ruleset> = LazyLock::new(Ruleset::builtin);
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let mut settings = Settings::defaults("/repo");
    settings.resolve(&RULESET).expect("defaults name no rule");
    settings
});

fuzz_target!(|input: (u8, &[u8])| {
    let (first, bytes) = input;
    let text = String::from_utf8_lossy(bytes);
    // One file, or several with a record separator between them, under the names that follow the first.
    let files: Vec<(&str, &str)> = text
        .split('\u{1e}')
        .take(NAMES.len())
        .enumerate()
        .map(|(i, text)| (NAMES[(first as usize + i) % NAMES.len()], text))
        .collect();
    let sources = Sources::from_strings(&files);
    let own = Ownership::default();
    let project = analyze(&sources, &own).project;
    let within = |span: overgrant::internals::source::Span| sources.text(span.file).get(span.range()).is_some();
    for problem in &project.problems {
        assert!(problem.kind != ProblemKind::Internal, "{problem:?}");
        assert!(within(problem.span));
    }
    let outcome = rules::run(&project, &RULESET, &Selection::all(&RULESET));
    assert_eq!(outcome.failures, []);
    for label in outcome.findings.iter().flat_map(|f| &f.labels) {
        assert!(within(label.span));
    }
    let terms = TriageOptions {
        is_test: &|_| false,
        is_whole: true,
        ruleset: &RULESET,
        settings: &|_| &SETTINGS,
        absolute: &|path| format!("/repo/{path}"),
        root: "/repo",
        today: Date::from_days(20_000),
        ignores: true,
        unmatched: &[],
        strict_ignores: false,
        baseline: None,
        earlier: None,
    };
    let report = triage(&project, outcome.findings, &terms);
    let page = Page::new(&report, &sources, &RULESET, RenderOptions::default());
    for format in OutputFormat::value_variants() {
        let out = page.render(*format);
        if matches!(format, OutputFormat::Json | OutputFormat::Sarif | OutputFormat::Gitlab | OutputFormat::Rdjson) {
            serde_json::from_str::<serde::de::IgnoredAny>(&out).expect("a whole document");
        }
    }
});
