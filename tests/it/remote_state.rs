//! What a root module reads from the state of another one that is in the repository.

use crate::support::diff::{changes, compared, unknown};

const POLICY: &str = r#"resource "aws_iam_policy" "send" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" }] })
}
output "send_arn" {
  value = aws_iam_policy.send.arn
}
"#;

const ROLE: &str = r#"resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [] })
}
"#;

/// A role that gets what a state in `iam/` and `other/` says, by this backend and configuration.
fn gained(backends: [&str; 2], backend: &str, config: &str) -> (Vec<String>, usize) {
    let state = format!(
        "data \"terraform_remote_state\" \"iam\" {{\n  backend = \"{backend}\"\n  config  = {{ {config} }}\n}}\n"
    );
    let attachment = "resource \"aws_iam_role_policy_attachment\" \"a\" {\n  role       = aws_iam_role.r.name\n  policy_arn = data.terraform_remote_state.iam.outputs.send_arn\n}\n";
    let [iam, other] = backends.map(|b| format!("terraform {{\n{b}}}\n{POLICY}"));
    let [old, new] = ["", attachment].map(|more| format!("{state}{ROLE}{more}"));
    let side = |app| {
        [
            ("iam/main.tf", iam.as_str()),
            ("other/main.tf", &other),
            ("app/main.tf", app),
        ]
    };
    let json = compared(&side(&old), &side(&new));
    (changes(&json, "gained"), unknown(&json).len())
}

#[test]
fn outputs_of_another_root_are_what_they_say() {
    let is_known = (vec!["aws_iam_role.r: sqs:SendMessage on *".to_owned()], 0);
    let s3 =
        |bucket: &str, key: &str| format!("backend \"s3\" {{\n  bucket = \"{bucket}\"\n  key    = \"{key}\"\n}}\n");
    let (iam, other) = (s3("states", "iam.tfstate"), s3("states", "other.tfstate"));
    let with_s3 = [iam.as_str(), other.as_str()];
    let local = "backend \"local\" {\n  path = \"../states/iam.tfstate\"\n}\n";
    for (backends, backend, config) in [
        (["", ""], "local", "path = \"${path.module}/../iam/terraform.tfstate\""),
        (["", ""], "local", "path = \"../iam/terraform.tfstate\""),
        ([local, ""], "local", "path = \"../states/iam.tfstate\""),
        (
            with_s3,
            "s3",
            "bucket = \"states\", key = \"iam.tfstate\", region = \"eu-west-1\"",
        ),
    ] {
        assert_eq!(gained(backends, backend, config), is_known, "{backend} {config}");
    }
    let same = [iam.as_str(), iam.as_str()];
    for (backends, backend, config) in [
        (["", ""], "local", "path = \"../elsewhere/terraform.tfstate\""),
        (["", ""], "local", "path = \"../iam/other.tfstate\""),
        (["", ""], "local", "path = var.path"),
        (with_s3, "s3", "bucket = \"others\", key = \"iam.tfstate\""),
        (with_s3, "s3", "bucket = var.bucket, key = \"iam.tfstate\""),
        (with_s3, "gcs", "bucket = \"states\", prefix = \"iam\""),
        // Which of the two it is, nobody knows.
        (same, "s3", "bucket = \"states\", key = \"iam.tfstate\""),
    ] {
        let (gained, unknown) = gained(backends, backend, config);
        assert_eq!((gained.len(), unknown), (0, 1), "{backend} {config}");
    }
}

#[test]
fn roots_that_read_each_other_come_to_an_end() {
    let side = |own: &str, other: &str| {
        format!(
            "data \"terraform_remote_state\" \"s\" {{\n  backend = \"local\"\n  config  = {{ path = \"../{other}/terraform.tfstate\" }}\n}}\n{}output \"send_arn\" {{\n  value = data.terraform_remote_state.s.outputs.send_arn\n}}\nresource \"aws_iam_role_policy_attachment\" \"a\" {{\n  role       = aws_iam_role.{own}.name\n  policy_arn = data.terraform_remote_state.s.outputs.send_arn\n}}\n",
            ROLE.replace("\"r\"", &format!("\"{own}\""))
        )
    };
    let (a, b) = (side("a", "b"), side("b", "a"));
    let json = compared(
        &[("a/main.tf", ""), ("b/main.tf", "")],
        &[("a/main.tf", &a), ("b/main.tf", &b)],
    );
    assert_eq!(
        (changes(&json, "gained").len(), unknown(&json).len()),
        (0, 2),
        "{json:#}"
    );
}
