//! Broken input: one finding that says where, nothing false beside it, and what could be read is still linted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::lint::found;
use crate::support::repository::Repository;

/// Rules that say that something is broken.
const SYNTAX: [&str; 2] = ["unreadable-input", "json-syntax-error"];

/// Rule and place of everything that is found.
type Found = BTreeSet<(String, u32)>;

fn finding_places(path: &str, text: &str) -> Found {
    let (_, findings) = found(&[(path, text)]);
    findings
        .iter()
        .map(|f| (f.rule.to_string(), f.span().map_or(0, |s| s.start)))
        .collect()
}

/// The files of `testdata/broken`, which are whole there.
fn whole_files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/broken");
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut files: Vec<(String, String)> = entries
        .map(|e| {
            let text = std::fs::read_to_string(e.path()).unwrap();
            (e.file_name().into_string().unwrap(), text)
        })
        .collect();
    files.sort();
    assert!(files.len() >= 7);
    files
}

/// The part of the text before `at`, for messages.
fn before(text: &str, at: usize) -> &str {
    text.get(at.saturating_sub(50)..at).unwrap_or_default()
}

fn is_broken(found: &Found) -> bool {
    found.iter().any(|(rule, _)| SYNTAX.contains(&&**rule))
}

/// What the broken text is reported and the whole one is not.
fn false_alarms<'f>(part: &'f Found, whole: &'f Found) -> impl Iterator<Item = &'f str> {
    let syntax = |rule: &str| SYNTAX.contains(&rule);
    part.difference(whole)
        .map(|(rule, _)| &**rule)
        .filter(move |r| !syntax(r))
}

fn assert_none_wrong(wrong: &BTreeMap<(String, String), Vec<&str>>) {
    let shown = wrong
        .iter()
        .map(|((path, rule), places)| format!("{path} {rule}: {places:#?}"));
    assert!(wrong.is_empty(), "{}", shown.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_cut_file_is_told_to_be_broken_and_nothing_false() {
    let files = whole_files();
    let mut wrong: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (path, text) in &files {
        let whole = finding_places(path, text);
        assert!(!is_broken(&whole), "{path}");
        let mut recognised = false;
        let mut broken = 0;
        for cut in (1..text.trim_end().len()).step_by(19) {
            let part = finding_places(path, &text[..cut]);
            if is_broken(&part) {
                broken += 1;
                for rule in false_alarms(&part, &whole) {
                    let at = wrong.entry((path.clone(), rule.to_owned())).or_default();
                    at.push(before(text, cut));
                }
            } else if recognised {
                // Once it is known for a policy or a template, JSON is never silently half read.
                let at = wrong.entry((path.clone(), "silence".to_owned())).or_default();
                at.push(before(text, cut));
            }
            recognised |= path.ends_with("json") && is_broken(&part);
        }
        assert!(broken >= 10, "{path}: {broken}");
    }
    assert_none_wrong(&wrong);
}

/// A quote, bracket or comma is gone. Which of several braces it is that lacks its partner, no one can tell.
#[test]
fn a_lost_mark_is_told_and_nothing_false() {
    let files = whole_files();
    let mut wrong: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (path, text) in &files {
        let whole = finding_places(path, text);
        for (at, mark) in text.match_indices(['"', '[', ']', ',']).step_by(7) {
            let mut mutant = text.clone();
            mutant.replace_range(at..at + mark.len(), " ");
            let part = finding_places(path, &mutant);
            if is_broken(&part) {
                for rule in false_alarms(&part, &whole) {
                    let places = wrong.entry((path.clone(), rule.to_owned())).or_default();
                    places.push(before(text, at + mark.len()));
                }
            } else if path.ends_with("json") && serde_json::from_str::<serde_json::Value>(&mutant).is_err() {
                let places = wrong.entry((path.clone(), "silence".to_owned())).or_default();
                places.push(before(text, at + mark.len()));
            }
        }
    }
    assert_none_wrong(&wrong);
}

#[test]
fn what_is_whole_in_a_broken_file_is_linted() {
    let admin = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
    let cases = [
        (
            "p.json",
            format!(r#"{{"Version": "2012-10-17", "Statement": [{admin}, {{"Effect": "All"#),
        ),
        (
            "t.yaml",
            format!(
                r#"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {{Version: '2012-10-17', Statement: [{admin}]}}
  Q:
    Type: "AWS::S3"#
            ),
        ),
        (
            "main.tf",
            format!(
                r#"resource "aws_iam_policy" "p" {{
  policy = jsonencode({{Version = "2012-10-17", Statement = [{}]}})
}}
resource "aws_sqs_queue" "q" {{
  name = "x
"#,
                admin.replace(':', " =")
            ),
        ),
        (
            "a.py",
            format!(
                r#"P = {{"Version": "2012-10-17", "Statement": [{admin}]}}


def f(:
    pass
"#
            ),
        ),
    ];
    for (path, text) in cases {
        let found = finding_places(path, &text);
        let has = |rule: &str| found.iter().any(|(r, _)| r == rule);
        assert!(is_broken(&found) && has("admin-star-star"), "{path}: {found:?}");
    }
}

/// What follows a statement that lacks its brace is linted all the same.
#[test]
fn a_lost_brace_hides_no_other_statement() {
    let text = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*", "Condition": {"Bool": {"aws:SecureTransport": "true"}},
    {"Effect": "Allow", "Action": "*", "Resource": "*"}
  ]
}"#;
    let at = |needle: &str| u32::try_from(text.find(needle).unwrap()).unwrap();
    let found = finding_places("policy.json", text);
    let expected = [
        ("admin-star-star".to_owned(), at(r#""*", "Resource""#)),
        (
            "json-syntax-error".to_owned(),
            at(r#"{"Effect": "Allow", "Action": "s3"#),
        ),
    ];
    let others = |(rule, _): &&(String, u32)| expected.iter().all(|(r, _)| r != rule) && SYNTAX.contains(&&**rule);
    assert!(expected.iter().all(|e| found.contains(e)), "{found:?}");
    assert_eq!(found.iter().filter(others).count(), 0, "{found:?}");
}

#[test]
fn a_notebook_is_read_as_far_as_it_goes() {
    let cells = |source: &str| format!(r#"{{"cells": [{{"cell_type": "code", "source": [{source}]}}]}}"#);
    let call = r#""import boto3\n", "boto3.client('s3').get_object(Bucket='b', Key='k')""#;
    let whole = cells(&format!(r#""%matplotlib inline\n", "!pip install x\n", {call}"#));
    let half = cells(&format!(r#""def f(:\n", {call}"#));
    let cut = &whole[..whole.len() - 30];
    for (text, code, needs) in [(&*whole, 0, true), (&*half, 1, true), (cut, 1, false)] {
        let repository = Repository::new(&[("n.ipynb", text)]);
        let ran = repository.run(&["check", "--format", "json", "."]);
        assert_eq!(ran.code, code, "{text}: {}", ran.out);
        assert_eq!(
            ran.rules().contains(&"unreadable-input".to_owned()),
            code == 1,
            "{text}"
        );
        let needed = repository.run(&["needs", "n.ipynb"]).out;
        assert_eq!(needed.contains("s3:GetObject"), needs, "{text}: {needed}");
        assert_eq!(needed.contains("not read"), code == 1, "{text}: {needed}");
    }
}

#[test]
fn a_text_that_nests_without_end_is_told_and_what_stands_beside_it_is_read() {
    let deep = [
        "%{ if true }".repeat(20_000) + "{}" + &"%{ endif }".repeat(20_000),
        r#"${""#.repeat(20_000) + "x" + &r#""}"#.repeat(20_000),
    ];
    for text in deep {
        let file = format!(
            r#"resource "aws_iam_policy" "a" {{
  policy = jsonencode({{ Statement = [{{ Effect = "Allow", Action = "*", Resource = "*" }}] }})
}}
locals {{
  a = <<EOT
{text}
EOT
}}
"#
        );
        let ran = Repository::new(&[("main.tf", &file)]).run(&["check", "--format", "json", "."]);
        assert_eq!(ran.code, 1);
        for rule in ["admin-star-star", "unreadable-input"] {
            assert!(ran.rules().contains(&rule.to_owned()), "{rule}: {}", ran.err);
        }
    }
}
