//! What is found in a file is the same whether the file is named, or the whole repository.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;

use crate::cases::case_folders;
use crate::support::generated;
use crate::support::repository::Repository;

/// The files below a folder, by path.
fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let files = entries
        .into_iter()
        .map(Result::unwrap)
        .filter(|e| e.file_type().is_file());
    files
        .map(|e| {
            let path = e.path().strip_prefix(folder).unwrap().to_str().unwrap();
            (path.replace('\\', "/"), std::fs::read(e.path()).unwrap())
        })
        .collect()
}

/// The findings that have a label in one of the files at `path`.
fn findings_in(report: &Value, path: &str) -> Vec<Value> {
    let has_label = |f: &&Value| f["labels"].as_array().unwrap().iter().any(|l| l["path"] == path);
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(has_label)
        .cloned()
        .collect()
}

/// Checks every file alone and all of them together: the same is found.
fn same_alone(name: &str, files: &[(String, Vec<u8>)]) -> usize {
    let repository = Repository::new(&[]);
    files.iter().for_each(|(path, bytes)| repository.write(path, bytes));
    let arguments = ["--isolated", "--tests", "--profile", "audit"];
    let whole = repository.check(&[&arguments[..], &["."]].concat()).json();
    let wrong: Vec<String> = files
        .par_iter()
        .filter_map(|(path, _)| {
            let alone = repository.check(&[&arguments[..], &[path]].concat()).json();
            let (alone, expected) = (alone["findings"].as_array().unwrap().clone(), findings_in(&whole, path));
            let shown = |all: &[Value]| all.iter().map(|f| format!("{f:#}")).collect::<Vec<_>>().join("\n");
            (alone != expected).then(|| format!("{name}/{path}\n{}\n--- whole\n{}", shown(&alone), shown(&expected)))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    whole["findings"].as_array().unwrap().len()
}

#[test]
fn the_files_of_small_repositories() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let more = ["example", "rosetta"].map(|folder| testdata.join(folder));
    let folders: Vec<PathBuf> = case_folders().into_iter().chain(more).collect();
    let found = folders
        .par_iter()
        .map(|folder| same_alone(&folder.to_string_lossy(), &files_below(folder)));
    assert!(found.sum::<usize>() > 100);
}

/// Files of the generated repository: projects of twenty files each.
const GENERATED_FILES: usize = 120;
const FILES_OF_PROJECT: usize = 20;

#[test]
fn the_files_of_generated_repositories() {
    let projects = (0..GENERATED_FILES / FILES_OF_PROJECT).flat_map(|p| {
        let files = generated::repository(FILES_OF_PROJECT).into_iter();
        files.map(move |(path, text)| (format!("p{p}/{path}"), text.replace("own-", &format!("own{p}-"))))
    });
    for (name, files) in [("projects", projects.collect()), ("modules", generated::terraform(20))] {
        let files: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .map(|(path, text)| (path, text.into_bytes()))
            .collect();
        assert!(same_alone(name, &files) > 0);
    }
}
