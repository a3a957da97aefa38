//! Very many of one thing: all of it is counted, some of it is shown, none of it is lost.

use serde_json::Value;

use crate::support::repository::{Repository, key_pair};

/// How many findings of one rule are reported of one document.
const TOLD: usize = 1_000;

/// A policy that allows `count` actions that do not exist.
fn policy_of_unknown_actions(count: usize) -> String {
    let actions: Vec<String> = (0..count).map(|i| format!(r#""s3:Nothing{i}""#)).collect();
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Resource": "arn:aws:s3:::example/*", "Action": [
{}
]}}]}}"#,
        actions.join(",\n")
    )
}

fn of_rule<'r>(json: &'r Value, rule: &str) -> Vec<&'r Value> {
    let findings = json["findings"].as_array().unwrap();
    findings.iter().filter(|f| f["rule"] == rule).collect()
}

#[test]
fn a_long_list_is_told_in_part_and_counted_in_whole() {
    let (few, many) = (policy_of_unknown_actions(TOLD), policy_of_unknown_actions(TOLD + 234));
    let ran = Repository::new(&[("few.json", &few), ("many.json", &many)]).check(&[]);
    let json = ran.json();
    let found = of_rule(&json, "unknown-action");
    let counting = |path: &str| -> Vec<&str> {
        let messages = found
            .iter()
            .filter(|f| f["path"] == path)
            .map(|f| f["message"].as_str().unwrap());
        messages.filter(|m| m.contains("more like it")).collect()
    };
    assert_eq!(found.len(), 2 * TOLD);
    assert_eq!(counting("few.json"), Vec::<&str>::new());
    assert_eq!(
        counting("many.json"),
        ["unknown action `s3:Nothing999`, and 234 more like it here"]
    );
    assert_eq!(ran.code, 1);
    // One more of them is something new to a baseline.
    let last = |json: &Value| of_rule(json, "unknown-action").last().unwrap()["fingerprint"].clone();
    let more = Repository::new(&[
        ("few.json", &few),
        ("many.json", &policy_of_unknown_actions(TOLD + 235)),
    ])
    .check(&[])
    .json();
    assert_ne!(last(&json), last(&more));
}

/// An access policy of OpenSearch Service may be 100 KiB: whatever fits is compared to the last of it.
#[test]
fn the_longest_policy_there_can_be_is_compared_whole() {
    let statement = |action: &str, resources: &[String]| {
        let list = resources.join(r#"",""#);
        format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":["{list}"]}}"#)
    };
    let document = |statements: &[String]| {
        let list = statements.join(",\n");
        format!(
            r#"{{"Version":"2012-10-17","Statement":[
{list}
]}}"#
        )
    };
    let bucket = |i: usize| format!("arn:aws:s3:::b{i}/*");
    let mut statements: Vec<String> = (0..300).map(|i| statement("s3:GetObject", &[bucket(i)])).collect();
    statements.push(statement("s3:GetObject", &[bucket(7)]));
    let mut resources: Vec<String> = (0..2_500).map(bucket).collect();
    resources.push(bucket(7));
    let (statements, items) = (
        document(&statements),
        document(&[statement("s3:GetObject", &resources)]),
    );
    let ran =
        Repository::new(&[("statements.json", &statements), ("items.json", &items)]).check(&["--profile", "strict"]);
    let json = ran.json();
    for (rule, path, line) in [
        ("redundant-statement", "statements.json", 302),
        ("redundant-resource", "items.json", 2),
    ] {
        let found = of_rule(&json, rule);
        assert_eq!(found.len(), 1, "{rule}");
        let at = (&found[0]["path"], &found[0]["span"]["start"]["line"]);
        assert_eq!(at, (&path.into(), &line.into()), "{rule}");
    }
}

#[test]
fn secrets_that_are_only_counted_are_hidden_too() {
    let (id, _) = key_pair();
    let ids: Vec<String> = (0..TOLD + 200).map(|i| format!("{}{}", &id[..16], base32(i))).collect();
    let lines: Vec<String> = ids.iter().map(|id| format!("KEY={id}")).collect();
    let repository = Repository::new(&[(".env", &lines.join("\n"))]);
    for format in ["human", "json", "sarif", "compact"] {
        let ran = repository.run(&["check", "--format", format, "--no-collapse"]);
        assert_eq!(ran.code, 1);
        assert!(ran.out.contains("and 200 more like it here"), "{format}");
        assert!(
            format != "human" || ran.out.contains("Found 1200 problems in 1 file"),
            "{}",
            ran.out
        );
        // All of them begin alike.
        let starts = ran.out.match_indices(&id[..16]).map(|(at, _)| ran.out.get(at..at + 20));
        let shown: Vec<&str> = starts
            .flatten()
            .filter(|found| ids.iter().any(|id| id == found))
            .collect();
        assert_eq!(shown, Vec::<&str>::new(), "{format}");
    }
}

/// Four letters of a key's alphabet.
fn base32(n: usize) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    (0..4).map(|at| char::from(letters[n >> (5 * at) & 31])).collect()
}

#[test]
fn an_ignore_for_what_is_only_counted_is_in_use() {
    let actions: String = (0..TOLD + 10)
        .map(|i| format!("              - s3:Nothing{i}\n"))
        .collect();
    let template = format!(
        r#"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Resource: arn:aws:s3:::example/*
            Action:
{actions}              - s3:Last # overgrant: ignore[unknown-action] -- of next year
"#
    );
    let ran = Repository::new(&[("template.yaml", &template)]).check(&[]);
    assert_eq!(of_rule(&ran.json(), "unknown-action").len(), TOLD);
    assert_eq!(of_rule(&ran.json(), "unused-ignore").len(), 0);
}

#[test]
fn what_terraform_writes_out_is_read_and_what_it_multiplies_is_bounded_aloud() {
    let actions = r#""s3:GetObject", "#.repeat(100_001);
    let data = |actions: &str| {
        format!(
            r#"data "aws_iam_policy_document" "d" {{
  statement {{
    actions = [{actions}]
    resources = ["*"]
  }}
}}
"#
        )
    };
    let written = Repository::new(&[("main.tf", &data(&actions))]).check(&[]);
    assert_eq!(written.json()["summary"]["policies"], 1, "{}", written.err);
    assert_eq!(written.json()["unjudged"], serde_json::json!([]), "{}", written.out);
    let lists = "[local.a], ".repeat(300);
    let locals = format!(
        r"locals {{
  a = range(1000)
  b = [{lists}]
}}
"
    );
    let multiplied = Repository::new(&[("main.tf", &format!("{locals}{}", data("local.b")))]).check(&[]);
    let why = multiplied.json()["unjudged"][0]["why"].to_string();
    assert!(why.contains("too complex to evaluate"), "{why}");
}
