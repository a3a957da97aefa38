//! Small repositories, each a folder of `testdata/cases`: real files with the expected findings marked in them.
//!
//! `# expect: rule-a, rule-b` at the end of a line names the rules whose findings start there. For JSON, which has no comments,
//! `expected.txt` of the folder has a line `PATH:LINE rule` for each finding. What is not expected must not be reported: every
//! rule of the default profile runs, or those that `overgrant.toml` of the folder selects.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::repository::Repository;

const MARK: &str = "# expect:";

/// `path:line rule`, sorted.
type Expected = BTreeSet<String>;

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cases");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The files of a folder by path below it, and what they expect.
fn read(folder: &Path) -> (Vec<(String, String)>, Expected) {
    let mut files = Vec::new();
    let mut expected = Expected::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let path = entry
            .path()
            .strip_prefix(folder)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        let text = std::fs::read_to_string(entry.path()).unwrap();
        if path == "expected.txt" {
            expected.extend(text.lines().filter(|l| !l.is_empty()).map(str::to_owned));
            continue;
        }
        for (n, line) in (1..).zip(text.lines()) {
            let rules = line.split_once(MARK).map_or("", |(_, rules)| rules);
            let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty());
            expected.extend(rules.map(|rule| format!("{path}:{n} {rule}")));
        }
        files.push((path, text));
    }
    (files, expected)
}

fn reported(files: &[(String, String)]) -> Expected {
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let report = Repository::new(&files).run(&["check", "--format", "json"]).json();
    let findings = report["findings"].as_array().unwrap();
    let place = |f: &serde_json::Value| {
        let (path, line) = (&f["path"], &f["span"]["start"]["line"]);
        format!("{}:{line} {}", path.as_str().unwrap(), f["rule"].as_str().unwrap())
    };
    findings.iter().filter(|f| f["status"] == "new").map(place).collect()
}

#[test]
fn every_folder_gives_exactly_what_it_expects() {
    let mut wrong = Vec::new();
    let folders = folders();
    assert!(!folders.is_empty());
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let (files, expected) = read(&folder);
        let reported = reported(&files);
        wrong.extend(
            expected
                .difference(&reported)
                .map(|f| format!("{name}: not reported: {f}")),
        );
        wrong.extend(
            reported
                .difference(&expected)
                .map(|f| format!("{name}: not expected: {f}")),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
