//! One mistake is one finding: what findings are made one, and what stays apart.

use overgrant::iam::Own;
use overgrant::rules::{self, Ruleset, Selection};
use overgrant::settings::{Date, Selector, Settings};
use overgrant::settle::{Report, Status, Terms, settle};
use overgrant::source::Sources;

pub(crate) fn report(files: &[(&str, &str)], rules: &[&str]) -> Report {
    let ruleset = Ruleset::builtin();
    let mut settings = Settings::defaults("/repo");
    settings.choice.select = rules
        .iter()
        .chain(&["tool"])
        .map(|r| Selector((*r).to_owned()))
        .collect();
    settings.resolve(&ruleset).unwrap();
    let sources = Sources::from_strings(files);
    let own = Own::default();
    let analysis = overgrant::analyse(&sources, &own);
    let outcome = rules::run(&analysis.project, &ruleset, &Selection::all(&ruleset));
    let terms = Terms {
        is_test: &|path| path.starts_with("tests/"),
        is_named: &|_| false,
        ruleset: &ruleset,
        settings: &|_| &settings,
        absolute: &|path| format!("/repo/{path}"),
        root: "/repo",
        today: Date::parse("2026-11-22").unwrap(),
        ignores: true,
        strict_ignores: false,
        baseline: None,
    };
    settle(&analysis.project, outcome.findings, &terms)
}

/// `rule at line, line` with the lines of all labels, for what is to be acted on.
fn seen(files: &[(&str, &str)], rules: &[&str]) -> Vec<String> {
    let report = report(files, rules);
    let sources = Sources::from_strings(files);
    let line = |span: overgrant::source::Span| sources.file(span.file).lines().line(span.start as usize);
    let findings = report.findings.iter().filter(|f| f.status == Status::New);
    findings
        .map(|f| {
            let mut lines: Vec<String> = f.finding.labels.iter().map(|l| line(l.span).to_string()).collect();
            lines.dedup();
            format!("{} at {}", f.rule(), lines.join(", "))
        })
        .collect()
}

/// The same mistakes in each item of a list, in a format: actions on lines of their own.
fn listing(format: &str) -> (&'static str, String) {
    match format {
        "json" => (
            "p.json",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [
"dynamodb:GetItem",
"dynamodb:ListTables",
"dynamodb:DescribeLimits",
"dynamodb:ListBackups"
], "Resource":
"arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}]}"#
                .to_owned(),
        ),
        "yaml" => (
            "t.yaml",
            r#"Resources:
  P: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: [
      "dynamodb:ListTables",
      "dynamodb:DescribeLimits",
      "dynamodb:ListBackups",
      "dynamodb:GetItem"], Resource:
      "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}]}}}
"#
            .to_owned(),
        ),
        "terraform" => (
            "main.tf",
            r#"data "aws_iam_policy_document" "p" {
  statement {
    actions = [
      "dynamodb:ListTables",
      "dynamodb:DescribeLimits",
      "dynamodb:ListBackups",
      "dynamodb:GetItem",
    ]
    resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"]
  }
}
"#
            .to_owned(),
        ),
        _ => (
            "app.py",
            r#"import json
import boto3

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [
    "dynamodb:ListTables",
    "dynamodb:DescribeLimits",
    "dynamodb:ListBackups",
    "dynamodb:GetItem",
], "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}]}

boto3.client("iam").create_policy(PolicyName="p", PolicyDocument=json.dumps(POLICY))
"#
            .to_owned(),
        ),
    }
}

#[test]
fn the_items_of_one_list_are_one_finding() {
    for format in ["json", "yaml", "terraform", "python"] {
        let (path, text) = listing(format);
        let report = report(&[(path, &text)], &["star-only-action-on-arn"]);
        let [f] = report.findings.as_slice() else {
            panic!("{format}: {:?}", report.findings.len());
        };
        assert_eq!(
            f.finding.evidence.actions,
            ["dynamodb:listtables", "dynamodb:describelimits", "dynamodb:listbackups"],
            "{format}"
        );
        assert_eq!(f.finding.notes.len(), 2, "{format}: {:?}", f.finding.notes);
        assert_eq!(
            f.finding
                .labels
                .iter()
                .filter(|l| l.text.contains("never allowed"))
                .count(),
            3,
            "{format}"
        );
    }
}

#[test]
fn two_statements_are_two_mistakes() {
    let text = r#"{"Version": "2012-10-17", "Statement": [
{"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/a"},
{"Effect": "Allow", "Action": "dynamodb:ListBackups", "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/b"}]}"#;
    assert_eq!(
        seen(&[("p.json", text)], &["star-only-action-on-arn"]),
        ["star-only-action-on-arn at 2", "star-only-action-on-arn at 3"]
    );
}

#[test]
fn what_is_graded_differently_stays_apart() {
    // AWS may check the second one against the ARN.
    let text = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [
"kinesis:ListStreams",
"kinesis:UpdateShardCount"
], "Resource": "arn:aws:kinesis:eu-west-1:111122223333:stream/a"}]}"#;
    assert_eq!(
        seen(&[("p.json", text)], &["star-only-action-on-arn"]),
        ["star-only-action-on-arn at 2, 4", "star-only-action-on-arn at 3, 4"]
    );
}

#[test]
fn a_suppressed_item_leaves_the_others() {
    let text = r#"data "aws_iam_policy_document" "p" {
  statement {
    actions = [
      "dynamodb:ListTables", # overgrant: ignore[star-only-action-on-arn] -- the console asks
      "dynamodb:DescribeLimits",
      "dynamodb:ListBackups",
    ]
    resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"]
  }
}
"#;
    let report = report(&[("main.tf", text)], &["star-only-action-on-arn"]);
    let statuses: Vec<_> = report.findings.iter().map(|f| (f.rule(), f.status.name())).collect();
    assert_eq!(
        statuses,
        [
            ("star-only-action-on-arn", "suppressed"),
            ("star-only-action-on-arn", "new")
        ]
    );
}

#[test]
fn one_value_in_several_places_is_one_finding() {
    let key = ["AKIA", "Z7QW5RTYPLKJHGFD"].concat();
    let other = ["AKIA", "Q2WN6RTZ5LKV3GFH"].concat();
    let text = format!("a = \"{key}\"\nb = \"{key}\"\nc = \"{other}\"\nd = [\"{key}\"]\n");
    let findings = seen(&[("app/config.py", &text)], &["aws-access-key-id"]);
    assert_eq!(
        findings,
        ["aws-access-key-id at 1, 2, 4", "aws-access-key-id at 3"],
        "the same key three times, and another one"
    );
    let report = report(&[("app/config.py", &text)], &["aws-access-key-id"]);
    let secrets: usize = report.findings.iter().map(|f| f.finding.secrets.len()).sum();
    assert_eq!(secrets, 4, "each place is masked");
    // In two files it is two things to change.
    let text = format!("a = \"{key}\"\n");
    let two = seen(&[("a.py", &text), ("b.py", &text)], &["aws-access-key-id"]);
    assert_eq!(two.len(), 2, "{two:?}");
}

#[test]
fn one_account_in_several_documents_of_a_file_is_one_finding() {
    let policy = |name: &str, account: &str| {
        format!(
            "resource \"aws_iam_policy\" \"{name}\" {{\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ \
             Effect = \"Allow\", Action = \"sqs:SendMessage\", Resource = \"arn:aws:sqs:eu-west-1:{account}:{name}\" }}] }})\n}}\n"
        )
    };
    let text = [
        policy("a", "444455556666"),
        policy("b", "444455556666"),
        policy("c", "777788889999"),
    ]
    .concat();
    assert_eq!(
        seen(&[("main.tf", &text)], &["resource-hardcoded-account"]),
        ["resource-hardcoded-account at 2, 5", "resource-hardcoded-account at 8"]
    );
}

/// Two statements that take their `Resource` from one parameter.
fn shared(first: &str, second: &str, default: &str) -> String {
    format!(
        r#"Parameters:
  Target:
    Type: String
    Default: "{default}"
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {{Effect: Allow, Action: {first}, Resource: !Ref Target}}
          - {{Effect: Allow, Action: {second}, Resource: !Ref Target}}
"#
    )
}

#[test]
fn a_value_that_is_written_once_is_one_finding_for_all_that_use_it() {
    let text = shared("sqs:SendMessage", "sqs:DeleteMessage", "*");
    let found = report(&[("t.yaml", &text)], &["write-actions-on-star"]);
    let [f] = found.findings.as_slice() else {
        panic!("{:?}", seen(&[("t.yaml", &text)], &["write-actions-on-star"]));
    };
    assert!(
        f.finding.labels[0].text.contains("every resource"),
        "{:?}",
        f.finding.labels
    );
    assert_eq!(
        seen(&[("t.yaml", &text)], &["write-actions-on-star"]),
        ["write-actions-on-star at 4, 13, 12"]
    );
    // Of several rules, one takes in the others, in whatever statement these are.
    let text = shared("sqs:SendMessage", "secretsmanager:GetSecretValue", "*");
    let rules = ["write-actions-on-star", "secrets-read-star"];
    let found = report(&[("t.yaml", &text)], &rules);
    let [f] = found.findings.as_slice() else {
        panic!("{:?}", seen(&[("t.yaml", &text)], &rules));
    };
    assert_eq!(f.rule(), "secrets-read-star");
    assert!(
        f.finding.folded.contains(&"write-actions-on-star".into()),
        "{:?}",
        f.finding.folded
    );
}

#[test]
fn a_value_in_two_places_is_two_findings() {
    let text = r#"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: sqs:SendMessage, Resource: "*"}
          - {Effect: Allow, Action: sqs:DeleteMessage, Resource: "*"}
"#;
    assert_eq!(
        seen(&[("t.yaml", text)], &["write-actions-on-star"]),
        ["write-actions-on-star at 8", "write-actions-on-star at 9"]
    );
}
