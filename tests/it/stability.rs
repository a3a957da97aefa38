//! What a user relies on from one version to the next: `docs/book/stability.md` says what may change. A change shows in the
//! difference of these files, and belongs in the changelog.

use std::fmt::Write as _;

use overgrant::internals::rules::Ruleset;

use crate::support::golden;
use crate::support::repository::finished;

#[test]
fn names_and_grades_of_rules_change_only_on_purpose() {
    let mut lines: Vec<String> = Ruleset::builtin()
        .iter()
        .map(|r| {
            let (severity, confidence) = (r.severity().name(), r.confidence().name());
            let mut line = format!("{} {severity} {confidence} {}", r.id(), r.profile().name());
            for old in r.renamed_from() {
                let _ = write!(line, " renamed-from={old}");
            }
            line
        })
        .collect();
    lines.sort();
    golden::check("stability/rules.txt", &(lines.join("\n") + "\n"));
}

#[test]
fn fingerprints_of_the_example_change_only_on_purpose() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_overgrant"));
    command.args(["check", "testdata/example", "--tests", "--isolated", "--format", "json"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let json = finished(command).json();
    let mut lines = format!("schema_version {}\n", json["schema_version"].as_str().unwrap());
    for f in json["findings"].as_array().unwrap() {
        let word = |key: &str| f[key].as_str().unwrap();
        let (severity, confidence) = (word("severity"), word("confidence"));
        let _ = writeln!(
            lines,
            "{} {} {severity} {confidence} {}",
            word("fingerprint"),
            word("rule"),
            word("path")
        );
    }
    golden::check("stability/fingerprints.txt", &lines);
}
