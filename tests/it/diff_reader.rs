//! `diff` of small edits, as a reader of its sentences would judge them.

use serde_json::Value;

use crate::support::diff::{self, compared_sides as compared, edited, words};
use crate::support::repository::Repository;

fn sides(path: &str, old: &str, new: &str) -> Repository {
    diff::sides(&[(path, old)], &[(path, new)])
}

fn list<'v>(json: &'v Value, name: &str) -> &'v [Value] {
    json[name].as_array().unwrap()
}

/// `severity subject: actions on resources`.
fn gained(json: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let line = |c: &Value| {
        let (actions, resources) = (words(&c["actions"]), words(&c["resources"]));
        let (severity, subject) = (text(&c["severity"]), text(&c["subject"]));
        format!("{severity} {subject}: {actions} on {resources}")
    };
    list(json, "gained").iter().map(line).collect()
}

const STACK_SET: &str = r"Resources:
  StackSet:
    Type: AWS::IAM::Role
    Properties:
      RoleName: stackset
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {Service: [cloudformation.amazonaws.com]}
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: sts:AssumeRole
                Resource: !Sub arn:${AWS::Partition}:iam::*:role/execution
  Execution:
    Type: AWS::IAM::Role
    Properties:
      RoleName: execution
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root'}
";

#[test]
fn a_role_that_more_services_assume_gains_nothing_itself() {
    let services = [
        "[cloudformation.amazonaws.com]",
        "[cloudformation.amazonaws.com, sagemaker.amazonaws.com]",
    ];
    for [from, to] in [services, [services[1], services[0]]] {
        let text = STACK_SET.replace(services[0], from);
        let json = edited("t.yaml", &text, from, to);
        assert_eq!(list(&json, "opened"), [] as [Value; 0]);
        assert_eq!(list(&json, "closed"), [] as [Value; 0]);
        assert_eq!(list(&json, "gained").len() + list(&json, "lost").len(), 1);
    }
    // What it may assume is new.
    let json = edited("t.yaml", STACK_SET, "role/execution", "role/another");
    assert_eq!(list(&json, "opened"), [] as [Value; 0]);
    let text = STACK_SET.replace("cloudformation", "sagemaker");
    let json = edited(
        "t.yaml",
        &text.replace("role/execution", "role/another"),
        "role/another",
        "role/execution",
    );
    assert_eq!(list(&json, "opened").len(), 1);
}

const BY_NAME: &str = r#"resource "aws_iam_role_policy" "p" {
  role   = "push"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "ecr:PutImage", Resource = "arn:aws:ecr:${var.region}:${var.account_id}:repository/*" },
      { Effect = "Allow", Action = "ecr:PutImage", Resource = "arn:aws:ecr:us-west-2:${var.account_id}:repository/*" }
    ]
  })
}
"#;

#[test]
fn a_role_that_is_only_named_is_who_gains() {
    let west = "\"arn:aws:ecr:us-west-2:${var.account_id}:repository/*\"";
    let json = edited("m.tf", BY_NAME, west, "\"*\"");
    assert_eq!(gained(&json), ["medium role/push: ecr:PutImage on *"]);
    let request = &list(&json, "gained")[0]["request"];
    assert_eq!(
        request["resource"],
        "arn:aws-cn:ecr:cn-north-1:111122223333:repository/example"
    );
    assert_eq!(request["principal"], "arn:aws-cn:iam::111122223333:role/push");
    // Of another kind, and of another file.
    let template = r"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Users: [ada]
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Action: s3:GetObject, Resource: 'arn:aws:s3:::b/*'}]
";
    let json = edited("t.yaml", template, "s3:GetObject", "s3:PutObject");
    assert_eq!(gained(&json), ["medium user/ada: s3:PutObject on arn:aws:s3:::b/*"]);
}

#[test]
fn what_is_attached_to_a_name_is_gained() {
    let attachment = r#"resource "aws_iam_role_policy_attachment" "p" {
  role       = "deploy"
  policy_arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
}
"#;
    let json = edited("m.tf", attachment, "AmazonS3ReadOnlyAccess", "AdministratorAccess");
    assert_eq!(gained(&json), ["critical role/deploy: * on *"]);
    // The same role, once it is declared.
    let role = "resource \"aws_iam_role\" \"deploy\" {\n  name = \"deploy\"\n}\n";
    let declared = format!(
        "{role}{}",
        attachment.replace("\"deploy\"\n  pol", "aws_iam_role.deploy.name\n  pol")
    );
    let json = compared(&sides("m.tf", attachment, &declared));
    assert_eq!(gained(&json), [] as [&str; 0]);
    assert_eq!(list(&json, "lost"), [] as [Value; 0]);
}

const ROLE: &str = r#"resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = "{}"
}
resource "aws_iam_role_policy" "p" {
  role = aws_iam_role.r.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["macie2:ListMembers", "iam:ListRoles"], Resource = "*" }]
  })
}
"#;

fn attached(policy: &str) -> Repository {
    let attachment = format!(
        "resource \"aws_iam_role_policy_attachment\" \"p\" {{\n  role       = aws_iam_role.r.name\n  policy_arn = \
         \"arn:aws:iam::aws:policy/{policy}\"\n}}\n"
    );
    sides("m.tf", ROLE, &format!("{ROLE}{attachment}"))
}

#[test]
fn all_but_some_is_said_so() {
    let r = attached("PowerUserAccess");
    let sentence = "gains every action but `iam:*`, `organizations:*`, `account:*` on any resource, and `iam:";
    let human = r.run(&["diff", "old", "new"]).out;
    assert!(human.replace("\n    ", " ").contains(sentence), "{human}");
    let markdown = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    assert!(markdown.contains(sentence), "{markdown}");
    assert!(gained(&compared(&r))[0].contains("not iam:* not organizations:*"));
    // What is denied is not gained.
    let allows = [
        "Action = \"s3:GetObject\", Resource = \"*\" }",
        "Action = \"*\", Resource = \"*\" },\n      { Effect = \"Deny\", Action = \"iam:*\", Resource = \"*\" }",
    ];
    let text = ROLE.replace(
        "Action = [\"macie2:ListMembers\", \"iam:ListRoles\"], Resource = \"*\" }",
        allows[0],
    );
    let json = edited("m.tf", &text, allows[0], allows[1]);
    assert_eq!(gained(&json), ["high aws_iam_role.r: not iam:* not s3:GetObject on *"]);
}

#[test]
fn an_administrator_is_one_whatever_it_had() {
    let json = compared(&attached("AdministratorAccess"));
    assert_eq!(gained(&json), ["critical aws_iam_role.r: * on *"]);
}

#[test]
fn no_output_has_stand_ins() {
    let template = r"Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub scan-${AWS::Region}-${AWS::AccountId}
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/ReadOnlyAccess
      AssumeRolePolicyDocument: {}
";
    let r = sides(
        "t.yaml",
        template,
        &template.replace("ReadOnlyAccess", "AdministratorAccess"),
    );
    let json = compared(&r);
    assert_eq!(gained(&json), ["critical R: * on *"]);
    let caller = &list(&json, "gained")[0]["request"]["principal"];
    assert_eq!(caller, "arn:aws:iam::111122223333:role/scan-us-east-1-111122223333");
}

#[test]
fn reading_all_secrets_is_not_low() {
    let severity = |from: &str, to: &str| {
        let of = |on: &str| format!(r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", {on}}}]}}"#);
        let json = compared(&sides("p.json", &of(from), &of(to)));
        list(&json, "gained")[0]["severity"].as_str().unwrap().to_owned()
    };
    let own = |action: &str, on: &str| format!(r#""Action": "{action}", "Resource": "{on}""#);
    for (action, one) in [
        (
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-*",
        ),
        (
            "ssm:GetParametersByPath",
            "arn:aws:ssm:us-east-1:111122223333:parameter/app/*",
        ),
        ("s3:GetObject", "arn:aws:s3:::b/*"),
    ] {
        assert_eq!(severity(&own(action, one), &own(action, "*")), "medium", "{action}");
    }
    let objects = |bucket: &str| own("s3:GetObject", &format!("arn:aws:s3:::{bucket}/*"));
    assert_eq!(severity(&objects("a"), &objects("b")), "low");
    let list = |on: &str| own("s3:ListBucket", on);
    assert_eq!(severity(&list("arn:aws:s3:::b"), &list("*")), "low");
}

#[test]
fn each_of_several_alternatives_is_named() {
    let secret = |name: &str| {
        format!(
            "resource \"aws_secretsmanager_secret_version\" \"{name}\" {{\n  count     = var.env == \"production\" ? 0 : 1\n  secret_id = \"{name}\"\n}}\n"
        )
    };
    let text = r#"variable "env" {
  type = string
}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = "{}"
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = data.aws_iam_policy_document.p.json
}
data "aws_iam_policy_document" "p" {
  statement {
    actions = ["secretsmanager:GetSecretValue"]
    resources = [
      var.env == "production" ? "" : aws_secretsmanager_secret_version.phone[0].arn,
      var.env == "production" ? "" : aws_secretsmanager_secret_version.email[0].arn,
    ]
  }
}
"#;
    let text = format!("{text}{}{}", secret("phone"), secret("email"));
    let json = edited("m.tf", &text, ":GetSecretValue", ":PutSecretValue");
    let arn = |name: &str| format!("${{aws_secretsmanager_secret_version.{name}.arn}}");
    let (phone, email) = (arn("phone"), arn("email"));
    assert_eq!(
        gained(&json),
        [format!(
            "medium aws_iam_role.r: secretsmanager:PutSecretValue on {phone} {email}"
        )]
    );
}
