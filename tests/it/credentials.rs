//! Credentials wherever they stand: one finding for each, on its bytes, and never its text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use overgrant::internals::finding::Finding;
use overgrant::internals::grade::Severity;
use overgrant::internals::iam::Ownership;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::rules::{Profile, Ruleset, Selection, run};
use overgrant::internals::source::Sources;

use crate::support::repository::{Repository, key_pair};

/// Put together here, so that no file of the project holds one.
fn id() -> String {
    ["AKIA", "4QZ7W2", "MXK5T3", "HVBN"].concat()
}

fn session_id() -> String {
    ["ASIA", "4QZ7W2", "MXK5T3", "HVBN"].concat()
}

fn secret() -> String {
    ["kR8vT2mZq1", "Xw5LpN+9sD", "fG7hJ3bVc0", "YtU/4eAoQi"].concat()
}

fn credentials(path: &str, text: &str) -> (Vec<Finding>, Sources) {
    let sources = Sources::from_strings(&[(path, text)]);
    let own = Ownership::default();
    let analysis = analyze(&sources, &own);
    let ruleset = Ruleset::builtin();
    let words = |w: &[&str]| -> Vec<String> { w.iter().map(|w| (*w).to_owned()).collect() };
    let selection = Selection::new(
        &ruleset,
        Profile::Default,
        &words(&["credentials", "py-hardcoded-credentials", "py-config-env-credential"]),
        &[],
        &words(&["aws-account-id-literal"]),
    )
    .unwrap();
    let outcome = run(&analysis.project, &ruleset, &selection);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    (outcome.findings, sources)
}

/// The only finding: its rule, severity, the text under its primary label, and what is folded into it.
fn one(path: &str, text: &str) -> (String, Severity, String, Vec<String>) {
    let (findings, sources) = credentials(path, text);
    assert_eq!(findings.len(), 1, "{path}: {findings:#?}");
    let f = &findings[0];
    let span = f.span().unwrap();
    for text in f.labels.iter().map(|l| &l.text).chain(&f.notes).chain([&f.message]) {
        for hidden in [id(), session_id(), secret()] {
            assert!(!text.contains(&hidden), "{text}");
        }
    }
    assert!(
        f.secrets.iter().any(|s| s.contains(span)),
        "{path}: the primary span is not masked"
    );
    (
        f.rule.to_string(),
        f.severity.unwrap(),
        sources.slice(span).to_owned(),
        f.folded.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn the_place_raises_and_is_folded() {
    let (id, secret) = (id(), secret());
    let pair = ["aws-access-key-id", "aws-secret-access-key"];
    for (path, text, place) in [
        (
            "main.tf",
            format!(
                r#"provider "aws" {{
  access_key = "{id}"
  secret_key = "{secret}"
}}
"#
            ),
            "tf-provider-static-credentials",
        ),
        (
            "main.tf",
            format!(
                r#"terraform {{
  backend "s3" {{
    access_key = "{id}"
    secret_key = "{secret}"
  }}
}}
"#
            ),
            "tf-backend-static-credentials",
        ),
        (
            "app.py",
            format!(
                r"import boto3
boto3.client('s3', aws_access_key_id='{id}', aws_secret_access_key='{secret}')
"
            ),
            "py-hardcoded-credentials",
        ),
        (
            "app.py",
            format!(
                r"import os
os.environ['AWS_ACCESS_KEY_ID'] = '{id}'
os.environ['AWS_SECRET_ACCESS_KEY'] = '{secret}'
"
            ),
            "py-config-env-credential",
        ),
        (
            "t.yaml",
            format!(
                r"Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          KEY: {id}
          SECRET: {secret}
"
            ),
            "lambda-env-credential",
        ),
        (
            "t.json",
            format!(
                r##"{{"Resources":{{"I":{{"Type":"AWS::EC2::Instance","Properties":{{"UserData":{{"Fn::Base64":"#!/bin/sh\nexport AWS_ACCESS_KEY_ID={id}\nexport AWS_SECRET_ACCESS_KEY={secret}\n"}}}}}}}}}}"##
            ),
            "ec2-user-data-credential",
        ),
    ] {
        let (rule, severity, at, folded) = one(path, &text);
        assert_eq!(
            (&*rule, severity, at),
            ("aws-key-pair-together", Severity::Critical, id.clone()),
            "{place}"
        );
        let mut expected = vec![pair[0], pair[1], place];
        expected.sort_unstable();
        assert_eq!(folded, expected);
    }
}

#[test]
fn a_place_raises_a_lone_id() {
    let text = format!(
        r#"provider "aws" {{
  access_key = "{}"
}}
"#,
        id()
    );
    let (rule, severity, _, folded) = one("main.tf", &text);
    assert_eq!((&*rule, severity), ("aws-access-key-id", Severity::Critical));
    assert_eq!(folded, ["tf-provider-static-credentials"]);
    assert_eq!(one("a.txt", &id()).1, Severity::High);
    assert_eq!(one("a.txt", &session_id()).1, Severity::Low);
}

#[test]
fn base64_is_read() {
    let script = format!(
        r"#!/bin/sh
export AWS_ACCESS_KEY_ID={}
export AWS_SECRET_ACCESS_KEY={}
",
        id(),
        secret()
    );
    let encoded = STANDARD.encode(script);
    let text = format!(
        r"Resources:
  I:
    Type: AWS::EC2::Instance
    Properties:
      UserData: {encoded}
"
    );
    let (rule, severity, at, folded) = one("t.yaml", &text);
    assert_eq!((&*rule, severity), ("aws-key-pair-together", Severity::Critical));
    assert!(encoded.contains(&at) && at.len() < encoded.len(), "{at}");
    assert!(folded.contains(&"ec2-user-data-credential".to_owned()));
}

#[test]
fn a_literal_without_the_form_of_a_key_is_low() {
    for (id, secret) in [
        ("orders", "secret-key-of-tests"),
        ("test-access", "this-is-for-tests-only"),
    ] {
        let text = format!(
            r"import boto3
boto3.client('s3', aws_access_key_id='{id}', aws_secret_access_key='{secret}')
"
        );
        let (findings, _) = credentials("client.py", &text);
        assert!(
            findings.iter().all(|f| f.severity == Some(Severity::Low)),
            "{findings:#?}"
        );
    }
}

#[test]
fn the_region_of_a_signer_is_no_secret() {
    for call in [
        r"requests_aws4auth import AWS4Auth
AWS4Auth(os.environ['A'], os.environ['B'], 'us-east-2', 'es')",
        r"aws_requests_auth.aws_auth import AWSRequestsAuth
AWSRequestsAuth(a, b, 'search.example.com', 'us-east-2', 'es')",
    ] {
        let (findings, _) = credentials(
            "search.py",
            &format!(
                r"import os
from {call}
"
            ),
        );
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

#[test]
fn a_password_that_is_guessed_first_is_not_a_placeholder() {
    let severity = |password: &str| {
        let text = format!(
            r"Resources:
  Db:
    Type: AWS::RDS::DBInstance
    Properties:
      MasterUserPassword: {password}
"
        );
        let (findings, _) = credentials("t.yaml", &text);
        findings.iter().map(|f| f.severity).collect::<Vec<_>>()
    };
    assert_eq!(severity("password"), [Some(Severity::High)]);
    assert_eq!(severity("Sommer-31-Wolke"), [Some(Severity::High)]);
    assert_eq!(severity("<your-password>"), [Some(Severity::Low)]);
}

#[test]
fn a_switch_named_after_passwords_is_no_password() {
    let text = r"Resources:
  S:
    Type: AWS::CloudFormation::Stack
    Properties:
      Parameters:
        AllowUsersToChangePassword: 'true'
        DbPassword: arn:aws:secretsmanager:eu-west-1:111122223333:secret:db
";
    let (findings, _) = credentials("t.yaml", text);
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_value_is_found_where_it_is_written() {
    let text = format!(
        r#"locals {{
  k = "{}"
}}
provider "aws" {{
  access_key = local.k
}}
"#,
        id()
    );
    let (findings, sources) = credentials("main.tf", &text);
    assert_eq!(findings.len(), 1);
    let shown: Vec<&str> = findings[0].labels.iter().map(|l| sources.slice(l.span)).collect();
    assert_eq!(shown, [id().as_str(), "local.k"]);
}

#[test]
fn the_account_is_shown() {
    let (findings, _) = credentials("notes.md", &id());
    let note = &findings[0].notes[0];
    let digits: String = note.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 12, "{note}");
    let old = ["AKIA", "J", "QZ7W2MXK5T3HVBN"].concat();
    let (findings, _) = credentials("notes.md", &old);
    assert!(findings[0].notes.is_empty(), "{:?}", findings[0].notes);
}

#[test]
fn examples_of_the_documentation_are_low_and_say_so() {
    let (findings, _) = credentials("app.py", "key = 'AKIAIOSFODNN7EXAMPLE'\n");
    assert_eq!(findings[0].severity, Some(Severity::Low));
    assert!(findings[0].message.contains("example"), "{}", findings[0].message);
}

#[test]
fn a_broken_file_is_searched_all_the_same() {
    let text = format!(
        r#"Resources: [
  {{ "x": : {}
"#,
        id()
    );
    let (findings, _) = credentials("t.yaml", &text);
    assert!(findings.iter().any(|f| f.rule == "aws-access-key-id"));
}

#[test]
fn a_secret_in_a_name_is_in_no_output_and_in_no_file_that_is_written() {
    let (id, secret) = key_pair();
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "{id}", "Effect": "Allow", "Action": "*", "Resource": "*"}}, {{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::orders/*", "Condition": {{"StringEquals": {{"aws:RequestTag/a": "{id}:{secret}"}}}}}}]}}"#
    );
    let terraform = format!(
        r#"resource "aws_db_instance" "a" {{
  username = "a"
  password = "{secret}"
}}
resource "aws_iam_policy" "p" {{
  name   = "{secret}"
  policy = jsonencode({{ Statement = [{{ Sid = "{secret}", Effect = "Allow", Action = "*", Resource = "*" }}] }})
}}
resource "aws_iam_policy" "q" {{
  policy = var.x["{secret}"]
}}
"#
    );
    let r = Repository::new(&[("p.json", &policy), ("main.tf", &terraform)]);
    let clean = |text: &str| {
        let lower = text.to_lowercase();
        !lower.contains(&id.to_lowercase()) && !lower.contains(&secret.to_lowercase())
    };
    for args in [
        &["check", "--profile", "audit"][..],
        &["check", "-f", "json"],
        &["check", "-f", "sarif"],
        &["check", "-f", "markdown"],
        &["policies"],
        &["policies", "--unjudged"],
        &["needs"],
        &["workloads"],
        &["fix", "--unsafe", "--diff"],
        &["explain", "p.json:1"],
        &["explain", "main.tf:7"],
        &["ignore", "p.json:1", "--rule", "admin-star-star", "--reason", "known"],
        &["baseline", "create", "--include-secrets"],
    ] {
        let ran = r.run(args);
        assert!(clean(&ran.out) && clean(&ran.err), "{args:?}: {} {}", ran.out, ran.err);
    }
    let baseline = r.read(".overgrant-baseline.json");
    assert!(clean(&baseline), "{baseline}");
    assert!(clean(&r.read("overgrant.toml")));
    // What is hidden still tells findings apart, also where the file was moved.
    std::fs::rename(r.path("main.tf"), r.path("moved.tf")).unwrap();
    let ran = r.run(&["check", "-f", "json"]);
    assert_eq!(ran.rules(), [""; 0], "{}", ran.out);
}

#[test]
fn private_keys_for_tests_are_low_and_keys_of_aws_are_not() {
    let body = "kR8vT2mZq1Xw5LpN9sDfG7hJ3bVc0YtU4eAoQikR8vT2mZq1Xw5LpN9sDfG7hJ3b\n".repeat(3);
    let pem = [
        "-----BEGIN RSA PRIVATE",
        " KEY-----\n",
        &body,
        "-----END RSA PRIVATE",
        " KEY-----\n",
    ]
    .concat();
    let encoded = STANDARD.encode(&pem);
    for (path, text, severity) in [
        ("certs/key.pem", pem.clone(), Severity::High),
        ("local-ssl/certs/key.pem", pem.clone(), Severity::Low),
        (
            "deploy.sh",
            format!(
                r"# aws, throwaway
{pem}"
            ),
            Severity::Low,
        ),
        (
            "app.yaml",
            format!(
                r#"aws:
  KEY: "{encoded}"
"#
            ),
            Severity::High,
        ),
        (
            "app.yaml",
            format!(
                r#"aws:
  KEY: "{encoded}" # pragma: allowlist secret
"#
            ),
            Severity::Low,
        ),
        (
            "docker-compose.yml",
            format!(
                r#"aws:
  KEY: "{encoded}"
"#
            ),
            Severity::Low,
        ),
    ] {
        let (rule, found, ..) = one(path, &text);
        assert_eq!((&*rule, found), ("private-key-in-source", severity), "{path}");
    }
    let (id, secret) = (id(), secret());
    let text = format!(
        r"services:
  app:
    environment:
      # Throwaway key for local dev only.
      AWS_ACCESS_KEY_ID: {id}
      AWS_SECRET_ACCESS_KEY: {secret}
"
    );
    let (rule, severity, ..) = one("docker-compose.yml", &text);
    assert_eq!((&*rule, severity), ("aws-key-pair-together", Severity::Critical));
}

#[test]
fn variables_of_a_list_count_by_their_type() {
    const CODEBUILD: [(&str, &str, usize); 8] = [
        (
            "EnvironmentVariables",
            "{Name: AWS_SECRET_ACCESS_KEY, Value: hunter2-of-the-team}",
            1,
        ),
        (
            "EnvironmentVariables",
            "{Name: AWS_SECRET_ACCESS_KEY, Type: PLAINTEXT, Value: hunter2-of-the-team}",
            1,
        ),
        (
            "EnvironmentVariables",
            "{Name: AWS_SECRET_ACCESS_KEY, Type: PARAMETER_STORE, Value: hunter2-of-the-team}",
            0,
        ),
        (
            "EnvironmentVariables",
            "{Name: AWS_SECRET_ACCESS_KEY, Type: SECRETS_MANAGER, Value: hunter2-of-the-team}",
            0,
        ),
        (
            "EnvironmentVariables",
            "{Name: AWS_SECRET_ACCESS_KEY, Type: !Ref Kind, Value: hunter2-of-the-team}",
            0,
        ),
        (
            "environmentVariables",
            "{name: AWS_SECRET_ACCESS_KEY, value: hunter2-of-the-team}",
            1,
        ),
        (
            "environmentVariables",
            "{name: AWS_SECRET_ACCESS_KEY, type: PLAINTEXT, value: hunter2-of-the-team}",
            1,
        ),
        (
            "environmentVariables",
            "{name: AWS_SECRET_ACCESS_KEY, type: SECRETS_MANAGER, value: hunter2-of-the-team}",
            0,
        ),
    ];
    for (list, item, count) in CODEBUILD {
        let template = format!(
            r"Parameters:
  Kind: {{Type: String}}
Resources:
  P:
    Type: AWS::CodeBuild::Project
    Properties:
      Environment:
        {list}:
          - {item}
"
        );
        let (findings, _) = credentials("t.yaml", &template);
        assert_eq!(findings.len(), count, "{list}: {item}: {findings:#?}");
    }
    for (containers, list, item) in [
        (
            "ContainerDefinitions",
            "Environment",
            "{Name: AWS_SECRET_ACCESS_KEY, Value: hunter2-of-the-team}",
        ),
        (
            "containerDefinitions",
            "environment",
            "{name: AWS_SECRET_ACCESS_KEY, value: hunter2-of-the-team}",
        ),
    ] {
        let template = format!(
            r"Resources:
  T:
    Type: AWS::ECS::TaskDefinition
    Properties:
      {containers}:
        - {list}:
            - {item}
"
        );
        let (rule, ..) = one("t.yaml", &template);
        assert_eq!(rule, "ecs-task-env-credential", "{containers}");
    }
}
