//! The whole check on arbitrary bytes under the names of every format: no panic, every label on character borders.
#![no_main]

use libfuzzer_sys::fuzz_target;
use overgrant::analyse;
use overgrant::iam::Own;
use overgrant::rules::{self, Ruleset, Selection};
use overgrant::source::{ProblemKind, Sources};

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

fuzz_target!(|input: (u8, &str)| {
    let (name, text) = input;
    let sources = Sources::from_strings(&[(NAMES[name as usize % NAMES.len()], text)]);
    let own = Own::default();
    let project = analyse(&sources, &own).project;
    for problem in &project.problems {
        assert!(problem.kind != ProblemKind::Internal, "{problem:?}");
        assert!(text.get(problem.span.range()).is_some());
    }
    let ruleset = Ruleset::builtin();
    let outcome = rules::run(&project, &ruleset, &Selection::all(&ruleset));
    assert_eq!(outcome.failures, []);
    for label in outcome.findings.iter().flat_map(|f| &f.labels) {
        assert!(text.get(label.span.range()).is_some());
    }
});
