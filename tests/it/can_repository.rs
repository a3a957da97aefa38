//! `overgrant can WHO ACTION [RESOURCE]`: questions about what a repository declares.

use serde_json::json;

use crate::support::repository::Repository;

const TERRAFORM: &str = r#"
data "aws_caller_identity" "me" {}

resource "aws_s3_bucket" "reports" {
  bucket = "reports"
}

resource "aws_s3_bucket_policy" "reports" {
  bucket = aws_s3_bucket.reports.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Public"
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.reports.arn}/public/*"
    }]
  })
}

resource "aws_iam_role" "app" {
  name                 = "app"
  permissions_boundary = aws_iam_policy.limit.arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Lambda"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_policy" "limit" {
  name = "limit"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:*", "sqs:*"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy" "app" {
  role = aws_iam_role.app.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Objects", Effect = "Allow", Action = "s3:*", Resource = "${aws_s3_bucket.reports.arn}/*" },
      { Sid = "Queues", Effect = "Allow", Action = "sqs:*", Resource = "arn:aws:sqs:*:${data.aws_caller_identity.me.account_id}:*" },
      { Sid = "Tls", Effect = "Deny", Action = "s3:Delete*", Resource = "*", Condition = { Bool = { "aws:SecureTransport" = "false" } } },
      { Sid = "Users", Effect = "Allow", Action = "iam:CreateUser", Resource = "*" },
    ]
  })
}

resource "aws_iam_role" "app_admin" {
  name               = "app-admin"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = aws_iam_role.app.arn }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "app_admin" {
  role       = aws_iam_role.app_admin.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
"#;

#[test]
fn questions_about_a_repository() {
    let repository = Repository::new(&[("main.tf", TERRAFORM)]);
    for (question, decision, by) in [
        (
            &["app", "s3:GetObject", "arn:aws:s3:::reports/x"][..],
            "allowed",
            "`Objects`",
        ),
        (&["aws_iam_role.app", "s3:GetObject"], "allowed", "`Objects`"),
        (
            &["app", "s3:GetObject", "arn:aws:s3:::other/x"],
            "implicitly denied",
            "",
        ),
        (
            &["app", "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q"],
            "allowed",
            "`Queues`",
        ),
        (
            &["app", "s3:DeleteObject", "arn:aws:s3:::reports/x"],
            "unknown",
            "`Tls`",
        ),
        (
            &[
                "app",
                "s3:DeleteObject",
                "arn:aws:s3:::reports/x",
                "--context",
                "aws:SecureTransport=true",
            ],
            "allowed",
            "`Objects`",
        ),
        (
            &[
                "app",
                "s3:DeleteObject",
                "arn:aws:s3:::reports/x",
                "--context",
                "aws:securetransport=false",
            ],
            "explicitly denied",
            "`Tls`",
        ),
        (&["app", "iam:CreateUser"], "implicitly denied", ""),
        (
            &["public", "s3:GetObject", "arn:aws:s3:::reports/public/x"],
            "allowed",
            "`Public`",
        ),
        (
            &["public", "s3:GetObject", "arn:aws:s3:::reports/x"],
            "implicitly denied",
            "",
        ),
        (
            &["lambda.amazonaws.com", "sts:AssumeRole", "aws_iam_role.app"],
            "allowed",
            "`Lambda`",
        ),
        (
            &["ec2.amazonaws.com", "sts:AssumeRole", "aws_iam_role.app"],
            "implicitly denied",
            "",
        ),
        (
            &["app", "sts:AssumeRole", "aws_iam_role.app_admin"],
            "implicitly denied",
            "",
        ),
        (&["app-admin", "iam:CreateUser"], "allowed", "AdministratorAccess"),
    ] {
        let ran = repository.run(&[&["can"], question].concat());
        assert_eq!(ran.code, 0, "{question:?}: {}", ran.err);
        assert!(
            ran.out.starts_with(&format!("{decision}: ")),
            "{question:?}: {}",
            ran.out
        );
        assert!(ran.out.contains(by), "{question:?}: {}", ran.out);
    }
    let answer = repository.run(&["can", "app", "s3:GetObject", "-f", "json"]).json();
    assert_eq!(
        (&answer["decision"], &answer["schema_version"]),
        (&json!("allowed"), &json!("1.0"))
    );
    assert_eq!(
        (&answer["by"][0]["path"], &answer["by"][0]["sid"]),
        (&json!("main.tf"), &json!("Objects"))
    );
    for (question, what) in [
        (&["nobody", "s3:GetObject"][..], "no role or user here is `nobody`"),
        (&["app*", "s3:GetObject"], "`app*` is more than one:"),
        (&["app", "GetObject"], "`GetObject` is not an action"),
        (&["app", "s3:GetObject", "nothing"], "no resource here is `nothing`"),
    ] {
        let ran = repository.run(&[&["can"], question].concat());
        assert_eq!((ran.code, &*ran.out), (2, ""), "{question:?}");
        assert!(ran.err.contains(what), "{question:?}: {}", ran.err);
    }
}

/// A resource control policy on the root of the organization, on `target`.
fn limited(target: &str) -> String {
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "Ours", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": { "StringNotEqualsIfExists": { "aws:PrincipalOrgID": "o-example" } },
    }] });
    format!(
        "resource \"aws_organizations_policy\" \"p\" {{
  name    = \"p\"
  type    = \"RESOURCE_CONTROL_POLICY\"
  content = jsonencode({policy})
}}
resource \"aws_organizations_policy_attachment\" \"p\" {{
  policy_id = aws_organizations_policy.p.id
  target_id = \"{target}\"
}}
"
    )
}

#[test]
fn resource_control_policies_on_the_root_limit_resources() {
    let answer = |target: &str, more: &[&str]| {
        let repository = Repository::new(&[("main.tf", TERRAFORM), ("org/main.tf", &limited(target))]);
        let question = ["can", "app", "s3:GetObject", "arn:aws:s3:::reports/x"];
        let ran = repository.run(&[&question, more].concat());
        ran.out.split(':').next().unwrap().to_owned()
    };
    let outside = ["--context", "aws:PrincipalOrgID=o-other"];
    let inside = ["--context", "aws:PrincipalOrgID=o-example"];
    assert_eq!(answer("r-ab12", &outside), "explicitly denied");
    assert_eq!(answer("r-ab12", &inside), "allowed");
    assert_eq!(answer("r-ab12", &[]), "unknown");
    assert_eq!(answer("ou-ab12-cdefghij", &outside), "allowed");
}

#[test]
fn without_a_resource_the_roles_that_a_policy_names_are_asked() {
    let more = r#"
resource "aws_iam_role" "far" {
  name               = "far"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "App", Effect = "Allow", Principal = { AWS = aws_iam_role.app_admin.arn }, Action = "sts:AssumeRole" }]
  })
}
"#;
    let repository = Repository::new(&[("main.tf", &format!("{TERRAFORM}{more}"))]);
    for (question, decision) in [
        (&["app-admin", "sts:AssumeRole"][..], "allowed"),
        // A role elsewhere may trust it.
        (&["far", "sts:AssumeRole"], "unknown"),
        (&["far", "s3:GetObject"], "implicitly denied"),
    ] {
        let ran = repository.run(&[&["can"], question].concat());
        assert!(
            ran.out.starts_with(&format!("{decision}: ")),
            "{question:?}: {}",
            ran.out
        );
    }
}

#[test]
fn names_as_lists_write_them() {
    let repository = Repository::new(&[("main.tf", TERRAFORM)]);
    let by_name = repository.run(&["can", "app", "s3:GetObject"]);
    assert_eq!(by_name.code, 0, "{}", by_name.err);
    for who in ["role app", "role/app"] {
        assert_eq!(repository.run(&["can", who, "s3:GetObject"]).out, by_name.out, "{who}");
    }
    let other = repository.run(&["can", "user app", "s3:GetObject"]);
    assert_eq!(other.code, 2, "{}", other.out);
    assert!(
        other.err.contains("no role or user here is `user app`"),
        "{}",
        other.err
    );
}

#[test]
fn what_is_misspelled_is_no_safe_answer() {
    let repository = Repository::new(&[("main.tf", TERRAFORM)]);
    let ran = repository.run(&["can", "app", "s3:GetObjct"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("did you mean `s3:GetObject`?"), "{}", ran.err);
    for args in [
        &["paths", "--from", "nobody"][..],
        &["paths", "--to", "aws_s3_bucket.reprots"],
    ] {
        let ran = repository.run(args);
        assert_eq!(ran.code, 2, "{args:?} {}", ran.out);
        assert!(ran.err.contains("nothing here is `"), "{}", ran.err);
    }
    assert_eq!(repository.run(&["paths", "--from", "app"]).code, 0);
    assert_eq!(repository.run(&["paths", "--to", "admin"]).code, 0);
}
