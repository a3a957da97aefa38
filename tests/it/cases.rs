//! Small repositories, each a folder of `testdata/cases`: real files with the expected findings marked in them.
//!
//! `# expect: rule-a, rule-b` at the end of a line names the rules whose findings start there, `# label: text` a secondary label
//! that starts there. For JSON, which has no comments, `expected.txt` of the folder has a line `PATH:LINE rule` for each
//! finding. What is not expected must not be reported, and no other one may have the text of a marked label: every rule of
//! the default profile runs, or those that `overgrant.toml` selects. A folder of cases has one for all of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::support::repository::Repository;

const EXPECT: &str = "# expect: ";
const LABEL: &str = "# label: ";
const SETTINGS: &str = "overgrant.toml";

/// `path:line rule` and `path:line label: text`.
type Marks = BTreeSet<String>;

struct Case {
    name: String,
    /// By path below the folder.
    files: Vec<(String, String)>,
    expected: Marks,
}

/// The folder of each case. Some folders hold cases themselves, and settings for all of them.
pub(crate) fn case_folders() -> Vec<PathBuf> {
    let children = |folder: &Path| -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        all.sort();
        all
    };
    let cases = children(&root()).into_iter().flat_map(|folder| {
        let inside = children(&folder);
        match inside.iter().any(|p| p.is_file() && !p.ends_with(SETTINGS)) {
            true => vec![folder],
            false => inside.into_iter().filter(|p| p.is_dir()).collect(),
        }
    });
    cases.collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cases")
}

fn load_cases() -> Vec<Case> {
    let root = root();
    let shared = |folder: &PathBuf| {
        let above = folder.parent().filter(|above| *above != root)?;
        std::fs::read_to_string(above.join(SETTINGS)).ok()
    };
    let folders = case_folders().into_iter();
    folders.map(|folder| case(&root, &folder, shared(&folder))).collect()
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/")
}

fn case(root: &Path, folder: &Path, settings: Option<String>) -> Case {
    let mut files: Vec<(String, String)> = settings.into_iter().map(|s| (SETTINGS.to_owned(), s)).collect();
    let mut expected = Marks::new();
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    for entry in entries
        .into_iter()
        .map(Result::unwrap)
        .filter(|e| e.file_type().is_file())
    {
        let path = relative(folder, entry.path());
        let text = std::fs::read_to_string(entry.path()).unwrap();
        if path == "expected.txt" {
            expected.extend(text.lines().filter(|l| !l.is_empty()).map(str::to_owned));
            continue;
        }
        for (n, line) in (1..).zip(text.lines()) {
            let (line, label) = line.split_once(LABEL).unwrap_or((line, ""));
            let rules = line.split_once(EXPECT).map_or("", |(_, rules)| rules);
            let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty());
            expected.extend(rules.map(|rule| format!("{path}:{n} {rule}")));
            if !label.is_empty() {
                expected.insert(format!("{path}:{n} label: {label}"));
            }
        }
        files.push((path, text));
    }
    Case {
        name: relative(root, folder),
        files,
        expected,
    }
}

/// What is reported of a case: every finding, and the labels with a text that is marked in it.
fn reported_marks(case: &Case) -> Marks {
    let files: Vec<(&str, &str)> = case.files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let marked: BTreeSet<&str> = case
        .expected
        .iter()
        .filter_map(|e| Some(e.split_once(" label: ")?.1))
        .collect();
    let report = Repository::new(&files).run(&["check", "--format", "json"]).json();
    let mut out = Marks::new();
    for f in report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["status"] == "new")
    {
        let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
        let place = |at: &serde_json::Value| format!("{}:{}", text(&at["path"]), at["span"]["start"]["line"]);
        out.insert(format!("{} {}", place(f), text(&f["rule"])));
        let labels = f["labels"].as_array().unwrap().iter();
        let labels = labels.filter(|l| l["primary"] == false && marked.contains(l["text"].as_str().unwrap()));
        out.extend(labels.map(|l| format!("{} label: {}", place(l), text(&l["text"]))));
    }
    out
}

#[test]
fn every_folder_gives_exactly_what_it_expects() {
    let cases = load_cases();
    assert!(!cases.is_empty());
    let wrong: Vec<String> = cases
        .par_iter()
        .flat_map_iter(|case| {
            let reported = reported_marks(case);
            let name = &case.name;
            let missing = case
                .expected
                .difference(&reported)
                .map(|m| format!("{name}: not reported: {m}"));
            let more = reported
                .difference(&case.expected)
                .map(|m| format!("{name}: not expected: {m}"));
            missing.chain(more).collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
