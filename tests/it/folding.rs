//! One mistake is one finding: what findings are made one, and what stays apart.

use overgrant::internals::rules::ids;
use overgrant::internals::source::Sources;
use overgrant::internals::triage::Status;

use crate::support::lint::report;

/// `rule at line, line` with the lines of all labels, for what is to be acted on.
fn seen(files: &[(&str, &str)], rules: &[&str]) -> Vec<String> {
    let report = report(files, rules, "");
    let sources = Sources::from_strings(files);
    let line = |span: overgrant::internals::source::Span| sources.file(span.file).lines().line(span.start as usize);
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
        let report = report(&[(path, &text)], &["star-only-action-on-arn"], "");
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
    let report = report(&[("main.tf", text)], &["star-only-action-on-arn"], "");
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
    let text = format!(
        r#"a = "{key}"
b = "{key}"
c = "{other}"
d = ["{key}"]
"#
    );
    let findings = seen(&[("app/config.py", &text)], &["aws-access-key-id"]);
    assert_eq!(
        findings,
        ["aws-access-key-id at 1, 2, 4", "aws-access-key-id at 3"],
        "the same key three times, and another one"
    );
    let report = report(&[("app/config.py", &text)], &["aws-access-key-id"], "");
    let secrets: usize = report.findings.iter().map(|f| f.finding.secrets.len()).sum();
    assert_eq!(secrets, 4, "each place is masked");
    // In two files it is two things to change.
    let text = format!(r#"a = "{key}""#);
    let two = seen(&[("a.py", &text), ("b.py", &text)], &["aws-access-key-id"]);
    assert_eq!(two.len(), 2, "{two:?}");
}

#[test]
fn one_account_in_several_documents_of_a_file_is_one_finding() {
    let policy = |name: &str, account: &str| {
        format!(
            r#"resource "aws_iam_policy" "{name}" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:eu-west-1:{account}:{name}" }}] }})
}}
"#
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
    let found = report(&[("t.yaml", &text)], &["write-actions-on-star"], "");
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
    // Of several rules, one covers the others, in whatever statement these are.
    let text = shared("sqs:SendMessage", "secretsmanager:GetSecretValue", "*");
    let rules = ["write-actions-on-star", "secrets-read-star"];
    let found = report(&[("t.yaml", &text)], &rules, "");
    let [f] = found.findings.as_slice() else {
        panic!("{:?}", seen(&[("t.yaml", &text)], &rules));
    };
    assert_eq!(f.rule(), "secrets-read-star");
    assert!(
        f.finding.folded.contains(&ids::WRITE_ACTIONS_ON_STAR),
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

/// `rule severity confidence` of what is to be acted on.
fn graded(files: &[(&str, &str)], rules: &[&str]) -> Vec<String> {
    let report = report(files, rules, "");
    let findings = report.findings.iter().filter(|f| f.status == Status::New);
    findings
        .map(|f| format!("{} {} {}", f.rule(), f.severity.name(), f.confidence.name()))
        .collect()
}

fn identity_policy(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

#[test]
fn policies_without_a_version_in_one_file_are_one_finding() {
    let policy =
        "{Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:eu-west-1:111122223333:q'}]}";
    let one = |name: &str| {
        format!(
            r"  {name}:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {policy}
"
        )
    };
    let template = format!(
        r"Resources:
{}{}",
        one("A"),
        one("B")
    );
    let found = seen(&[("a.yaml", &template), ("b.yaml", &template)], &["missing-version"]);
    assert_eq!(found, ["missing-version at 5, 9", "missing-version at 5, 9"]);
}

#[test]
fn one_arn_is_one_finding() {
    let secrets = identity_policy(
        r#"{"Effect": "Allow", "Action": "secretsmanager:DeleteSecret", "Resource": "arn:aws:secretsmanager:*:*:secret:*"}"#,
    );
    let rules = ["resource-wildcard-account", "resource-wildcard-id-too-broad"];
    assert_eq!(
        seen(&[("p.json", &secrets)], &rules),
        ["resource-wildcard-id-too-broad at 1"]
    );
    let buckets =
        identity_policy(r#"{"Effect": "Allow", "Action": "s3:PutBucketPolicy", "Resource": "arn:aws:s3:::*"}"#);
    let rules = ["permissions-management-on-star", "resource-policy-grants-escalation"];
    assert_eq!(
        seen(&[("p.json", &buckets)], &rules),
        ["permissions-management-on-star at 1"]
    );
}

#[test]
fn a_role_and_the_function_that_has_it_are_one_finding() {
    let template = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies:
        - PolicyName: p
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "iam:PutRolePolicy", Resource: "*"}]}
  Function:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn, Runtime: python3.12, Handler: index.handler, Code: {S3Bucket: b, S3Key: k}}
"#;
    let rules = ["privesc-single-action", "lambda-privileged-role"];
    assert_eq!(
        graded(&[("t.yaml", template)], &rules),
        ["privesc-single-action high high"]
    );
}

#[test]
fn what_aws_publishes_is_low() {
    let interfaces = identity_policy(
        r#"{"Effect": "Allow", "Action": ["ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"], "Resource": "*"}"#,
    );
    let alone =
        identity_policy(r#"{"Effect": "Allow", "Action": "ec2:CreateNetworkInterfacePermission", "Resource": "*"}"#);
    let agent = identity_policy(
        r#"{"Effect": "Allow", "Action": ["ssm:UpdateInstanceInformation", "ssmmessages:OpenDataChannel"], "Resource": "*"}"#,
    );
    let rules = ["permissions-management-on-star", "write-actions-on-star"];
    for (policy, expected) in [
        (&interfaces, "permissions-management-on-star medium high"),
        (&alone, "permissions-management-on-star high high"),
        (&agent, "write-actions-on-star low high"),
    ] {
        assert_eq!(graded(&[("p.json", policy)], &rules), [expected], "{policy}");
    }
    let names = identity_policy(
        r#"{"Effect": "Allow", "Action": ["SNS:Receive", "sns:Publish"], "Resource": "arn:aws:sns:eu-west-1:111122223333:t"}"#,
    );
    assert_eq!(
        graded(&[("p.json", &names)], &["unknown-action"]),
        ["unknown-action low low"]
    );
}

#[test]
fn a_role_that_one_service_has_is_graded_by_it() {
    let role = |service: &str, action: &str, resource: &str| {
        format!(
            r#"
resource "aws_iam_role" "r" {{
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = {{ Service = "{service}" }}, Action = "sts:AssumeRole" }}] }})
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.r.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "{action}", Resource = "{resource}" }}] }})
}}
"#
        )
    };
    for (service, action, resource, expected) in [
        (
            "application-autoscaling.amazonaws.com",
            "application-autoscaling:*",
            "*",
            "service-wildcard medium high",
        ),
        (
            "lambda.amazonaws.com",
            "application-autoscaling:*",
            "*",
            "service-wildcard high high",
        ),
        (
            "backup.amazonaws.com",
            "s3:GetObject",
            "arn:aws:s3:::*/*",
            "data-exfiltration low high",
        ),
        (
            "lambda.amazonaws.com",
            "s3:GetObject",
            "arn:aws:s3:::*/*",
            "data-exfiltration medium high",
        ),
    ] {
        let text = role(service, action, resource);
        let rules = ["service-wildcard", "data-exfiltration", "resource-effectively-star"];
        assert_eq!(graded(&[("main.tf", &text)], &rules), [expected], "{service} {action}");
    }
}

#[test]
fn a_wildcard_on_one_account_with_its_worst_denied_is_medium() {
    let allow =
        r#"{"Effect": "Allow", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:eu-west-1:111122223333:*"}"#;
    let deny = r#"{"Effect": "Deny", "Action": "codecommit:DeleteRepository", "Resource": "arn:aws:codecommit:eu-west-1:111122223333:*"}"#;
    for (statements, severity) in [(allow.to_owned(), "high"), (format!("{allow}, {deny}"), "medium")] {
        let found = graded(&[("p.json", &identity_policy(&statements))], &["service-wildcard"]);
        assert_eq!(found, [format!("service-wildcard {severity} high")]);
    }
}

#[test]
fn what_is_not_known_of_others_lowers_the_confidence() {
    let group = |role: &str| {
        format!(
            r#"
resource "aws_iam_group" "ops" {{
  name = "ops"
}}
resource "aws_iam_group_policy" "ops" {{
  group  = aws_iam_group.ops.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Resource = "{role}" }}] }})
}}
"#
        )
    };
    for (role, expected) in [
        (
            "arn:aws:iam::111122223333:role/elsewhere",
            "mfa-not-enforced-group medium low",
        ),
        ("*", "mfa-not-enforced-group medium high"),
    ] {
        let found = graded(&[("main.tf", &group(role))], &["mfa-not-enforced-group"]);
        assert_eq!(found, [expected], "{role}");
    }
}
