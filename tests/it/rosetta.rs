//! One policy in every spelling: each folder of `testdata/rosetta` says the same and is reported the same.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::repository::Repository;

/// The files of a spelling, as they are.
fn spelling(dir: &Path) -> Repository {
    let repository = Repository::new(&[]);
    for entry in walkdir::WalkDir::new(dir).into_iter().flatten() {
        if entry.file_type().is_file() {
            let path = entry
                .path()
                .strip_prefix(dir)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            repository.write(&path, &std::fs::read(entry.path()).unwrap());
        }
    }
    repository
}

/// What is said of a spelling, places aside.
fn finding_messages(repository: &Repository) -> Vec<String> {
    let templates: Vec<String> = repository
        .files()
        .into_iter()
        .filter(|f| f.starts_with("cdk.out/"))
        .collect();
    let mut args = vec!["check", "--isolated", "--format", "json", "."];
    args.extend(templates.iter().map(String::as_str));
    let json = repository.run(&args).json();
    let mut messages: Vec<String> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let parts = ["rule", "severity", "confidence", "message", "evidence", "help"];
            parts.map(|part| f[part].to_string()).join(" ")
        })
        .collect();
    messages.sort();
    messages
}

#[test]
fn every_spelling_of_a_policy_is_told_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rosetta");
    let mut by_finding: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let dir = entry.unwrap().path();
        let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
        by_finding
            .entry(finding_messages(&spelling(&dir)))
            .or_default()
            .push(name);
    }
    let spellings: usize = by_finding.values().map(Vec::len).sum();
    assert!(spellings >= 12, "{spellings}");
    assert_eq!(by_finding.len(), 1, "{by_finding:#?}");
    let told = by_finding.keys().next().unwrap();
    assert_eq!(told.len(), 2, "{told:#?}");
}

#[test]
fn every_spelling_is_the_same_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rosetta");
    for entry in std::fs::read_dir(root).unwrap() {
        let dir = entry.unwrap().path();
        let repository = spelling(&dir);
        let templates: Vec<String> = repository
            .files()
            .into_iter()
            .filter(|f| f.starts_with("cdk.out/"))
            .collect();
        let mut args = vec!["policies", "--format", "json", "."];
        args.extend(templates.iter().map(String::as_str));
        let json = repository.run(&args).json();
        let documents: Vec<&serde_json::Value> = json["policies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| p["kind"] == "identity" && p["source"].is_null() && p["document"]["Statement"].is_array())
            .filter(|p| p["document"].to_string().contains("s3:*"))
            .collect();
        assert_eq!(documents.len(), 1, "{}: {json:#}", dir.display());
        let document = documents[0];
        assert_eq!(document["complete"], true, "{}", dir.display());
        assert_eq!(document["unknown"].as_array().map(Vec::len), Some(0));
        let all = |element: &str| -> Vec<String> {
            let statements = document["document"]["Statement"].as_array().unwrap();
            let text = |v: &serde_json::Value| match v {
                serde_json::Value::Array(items) => items.iter().map(ToString::to_string).collect(),
                v => v.to_string(),
            };
            statements.iter().map(|s| text(&s[element])).collect()
        };
        assert_eq!(all("Effect"), [r#""Allow""#; 2], "{}", dir.display());
        assert_eq!(all("Action"), [r#""s3:*""#, r#""iam:PassRole""#], "{}", dir.display());
        assert_eq!(all("Resource"), [r#""*""#; 2], "{}", dir.display());
    }
}
