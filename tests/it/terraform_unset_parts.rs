//! Parts of policies that a default of a root variable leaves out, and what else defaults and value files decide.

use serde_json::Value;

use crate::support::diff::{changes, compared, edited, only, unknown};
use crate::support::repository::findings_of;

const STAR: &str = "resource-policy-star-action-generic";

/// A policy with the statement `OWN` and, for those who ask, one more, in each spelling.
const SPELLINGS: [(&str, &str); 16] = [
    (
        "concat",
        "jsonencode({ Statement = concat([OWN], var.x ? [MORE] : []) })",
    ),
    (
        "negated",
        "jsonencode({ Statement = concat([OWN], !var.x ? [] : [MORE]) })",
    ),
    (
        "and",
        "jsonencode({ Statement = concat([OWN], var.x && var.y ? [MORE] : []) })",
    ),
    (
        "flatten",
        "jsonencode({ Statement = flatten([OWN, var.x ? [MORE] : []]) })",
    ),
    (
        "merge",
        "jsonencode({ Statement = values(merge({ a = OWN }, var.x ? { b = MORE } : {})) })",
    ),
    (
        "filter",
        r#"jsonencode({ Statement = [for s in [OWN, MORE] : s if s.Sid == "own" || var.x] })"#,
    ),
    (
        "attribute",
        "jsonencode({ Statement = [for s in [{ on = true, it = OWN }, { on = var.x, it = MORE }] : s.it if s.on] })",
    ),
    ("local", "jsonencode({ Statement = concat([OWN], local.more) })"),
    (
        "whole",
        "var.x ? jsonencode({ Statement = [OWN, MORE] }) : jsonencode({ Statement = [OWN] })",
    ),
    ("documents", "var.x ? local.both : local.one"),
    ("file", r#"templatefile("${path.module}/p.tpl", { on = var.x })"#),
    (
        "number",
        "jsonencode({ Statement = concat([OWN], var.n > 0 ? [MORE] : []) })",
    ),
    (
        "text",
        r#"jsonencode({ Statement = concat([OWN], [for s in [MORE] : s if var.t != ""]) })"#,
    ),
    (
        "list",
        r#"jsonencode({ Statement = concat([OWN], contains(var.l, "logs") ? [MORE] : []) })"#,
    ),
    (
        "object",
        "jsonencode({ Statement = concat([OWN], var.o.on ? [MORE] : []) })",
    ),
    ("null", "var.u == null ? local.one : local.both"),
];
const OWN: &str = r#"{ Sid = "own", Effect = "Allow", Action = "kms:DescribeKey", Principal = { AWS = "arn:aws:iam::111122223333:root" }, Resource = "*" }"#;
const MORE: &str = r#"{ Sid = "more", Effect = "Allow", Action = "kms:Encrypt", Principal = { AWS = "arn:aws:iam::444455556666:root" }, Resource = "*" }"#;
const TEMPLATE: &str = r#"{ "Statement": [
  { "Sid": "own", "Effect": "Allow", "Action": "kms:DescribeKey", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Resource": "*" }
  %{ if on }
  , { "Sid": "more", "Effect": "Allow", "Action": "kms:Encrypt", "Principal": { "AWS": "arn:aws:iam::444455556666:root" }, "Resource": "*" }
  %{ endif }
] }"#;

/// A key for each of [`SPELLINGS`].
fn keys() -> String {
    let mut out = r#"variable "x" { default = false }
variable "y" { default = false }
variable "n" { default = 0 }
variable "t" { default = "" }
variable "l" { default = [] }
variable "u" { default = null }
variable "o" { default = { on = false } }
locals {
  more = var.x ? [MORE] : []
  one  = jsonencode({ Statement = [OWN] })
  both = jsonencode({ Statement = [OWN, MORE] })
}
"#
    .to_owned();
    for (name, policy) in SPELLINGS {
        out += &format!("resource \"aws_kms_key\" \"{name}\" {{\n  policy = {policy}\n}}\n");
    }
    out.replace("OWN", OWN).replace("MORE", MORE)
}

/// What the part that is left out gains, with a file of values.
fn widened(values: &str) -> Value {
    let main = keys();
    let [new, template] = [&main, TEMPLATE].map(|text| text.replace("kms:Encrypt", "kms:*"));
    let with = |main, template| [("main.tf", main), ("p.tpl", template), ("terraform.tfvars", values)];
    compared(&with(&main, TEMPLATE), &with(&new, &template))
}

#[test]
fn an_edit_of_a_part_that_a_default_leaves_out_is_seen_in_every_spelling() {
    let json = widened("");
    let gained = changes(&json, "gained");
    for (name, _) in SPELLINGS {
        assert!(
            gained.iter().any(|g| g.contains(&format!("aws_kms_key.{name}"))),
            "{name}: {json:#}"
        );
    }
    assert_eq!(unknown(&json), Vec::<String>::new());
    // A file of values decides.
    let off = "x = false\ny = false\nn = 0\nt = \"\"\nl = []\nu = null\no = { on = false }\n";
    let gained = changes(&widened(off), "gained");
    assert!(!gained.iter().any(|g| g.contains("aws_kms_key")), "{gained:#?}");
}

#[test]
fn what_a_default_leaves_out_is_judged_as_what_someone_asks_for() {
    let text = keys().replace("kms:Encrypt", "kms:*");
    let template = TEMPLATE.replace("kms:Encrypt", "kms:*");
    let all = findings_of(&[STAR], &[("main.tf", &text), ("p.tpl", &template)]);
    assert!(!all.is_empty());
    for f in &all {
        let notes = f["notes"].to_string();
        assert!(
            f["severity"] == "low" && notes.contains("by default, not deployed"),
            "{f:#}"
        );
    }
    let on = findings_of(
        &[STAR],
        &[
            ("main.tf", &text),
            ("p.tpl", &template),
            ("terraform.tfvars", "x = true\n"),
        ],
    );
    assert!(on.iter().any(|f| f["severity"] != "low"), "{on:#?}");
}

#[test]
fn what_is_deployed_by_default_is_not_said_to_be_left_out() {
    let own = |more: &str| {
        format!(
            r#"variable "x" {{
  default = false
}}
resource "aws_kms_key" "k" {{
  policy = <<EOT
{{ "Statement": [
  {{ "Effect": "Allow", "Action": "kms:*", "Principal": {{ "Service": "logs.us-east-1.amazonaws.com" }}, "Resource": "*" }}
  %{{ if var.x }}
  , {{ "Effect": "Allow", "Action": "{more}", "Principal": {{ "AWS": "arn:aws:iam::444455556666:root" }}, "Resource": "*" }}
  %{{ endif }}
] }}
EOT
}}
"#
        )
    };
    let all = findings_of(&[STAR], &[("main.tf", &own("kms:DescribeKey"))]);
    assert_eq!(all.len(), 1);
    assert!(
        all[0]["severity"] != "low" && !all[0]["notes"].to_string().contains("not deployed"),
        "{all:#?}"
    );
}

#[test]
fn names_that_an_input_gives_go_with_their_resources() {
    let text = r#"variable "prod" {
  default = false
}
locals {
  name = var.prod ? "orders-prod" : "orders"
}
resource "aws_s3_bucket_policy" "b" {
  bucket = "orders"
  policy = jsonencode({ Statement = [{
    Effect = "Allow", Action = "s3:GetObject", Principal = { AWS = "arn:aws:iam::444455556666:root" }
    Resource = "arn:aws:s3:::${local.name}/*"
  }] })
}
"#;
    assert!(findings_of(&["resource-policy-wrong-arn"], &[("main.tf", text)]).is_empty());
}

#[test]
fn only_the_attribute_that_is_asked_decides() {
    let root = |mode: &str| {
        format!(
            "variable \"environment\" {{\n  default = null\n}}\nvariable \"mode\" {{\n  default = null\n}}\nmodule \"m\" {{\n  source = \"./m\"\n  config = {{\n    prefix  = var.environment\n    tracing = {{ mode = {mode} }}\n  }}\n}}\n"
        )
    };
    let module = |action: &str| {
        format!(
            r#"variable "config" {{}}
resource "aws_iam_policy" "xray" {{
  count  = var.config.tracing.mode != null ? 1 : 0
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "{action}", Resource = "*" }}] }})
}}
"#
        )
    };
    let (old, new) = (module("xray:PutTraceSegments"), module("iam:*"));
    let written = root("null");
    let json = compared(
        &[("main.tf", &written), ("m/main.tf", &old)],
        &[("main.tf", &written), ("m/main.tf", &new)],
    );
    only(&json, &[], &[]);
    let given = root("var.mode");
    let all = findings_of(&["service-wildcard"], &[("main.tf", &given), ("m/main.tf", &new)]);
    assert_eq!(all.len(), 1);
    assert!(
        all[0]["notes"].to_string().contains("applies if var.mode is given"),
        "{all:#?}"
    );
}

#[test]
fn the_rest_of_a_set_is_none_of_its_known_items() {
    let text = r#"locals {
  repos  = distinct(concat(["a", "b"], data.tfe_outputs.o.values.names))
  lambda = ["b"]
}
data "aws_iam_policy_document" "d" {
  for_each = { for r in local.repos : "x/${r}" => r }
  statement {
    actions = ["ecr:BatchCheckLayerAvailability"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111111111111:root"]
    }
  }
  dynamic "statement" {
    for_each = contains(local.lambda, each.value) ? [each.key] : []
    content {
      actions = ["ecr:BatchGetImage"]
      principals {
        type        = "Service"
        identifiers = ["lambda.amazonaws.com"]
      }
    }
  }
}
resource "aws_ecr_repository_policy" "p" {
  for_each   = { for r in local.repos : "x/${r}" => r }
  repository = each.key
  policy     = data.aws_iam_policy_document.d[each.key].json
}
"#;
    let json = edited(
        "main.tf",
        text,
        "\"lambda.amazonaws.com\"",
        "\"lambda.amazonaws.com\", \"sagemaker.amazonaws.com\"",
    );
    let gained = changes(&json, "gained");
    assert!(
        gained.len() == 1 && gained[0].starts_with("aws_ecr_repository_policy.p[\"x/b\"]:"),
        "{gained:#?}"
    );
    assert_eq!(unknown(&json), Vec::<String>::new());
    // One that no known item is may be among the rest.
    let other = text.replace(
        r#"["b"]
}"#,
        r#"["c"]
}"#,
    );
    let json = edited(
        "main.tf",
        &other,
        "\"lambda.amazonaws.com\"",
        "\"lambda.amazonaws.com\", \"sagemaker.amazonaws.com\"",
    );
    assert_eq!(changes(&json, "gained").len(), 1, "{json:#}");
}

#[test]
fn values_for_all_are_no_way_to_apply_one() {
    let text = r#"variable "launch" {}
variable "stage" {}
resource "aws_iam_role" "r" {
  count = var.launch ? 1 : 0
  name  = "r"
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["ec2.amazonaws.com"] } }] })
}
"#;
    let new = text.replace("[\"ec2", "[\"lambda.amazonaws.com\", \"ec2");
    let values = [
        ("variables/test/a.tfvars", "launch = false\n"),
        ("variables/test/common.tfvars", "stage = \"test\"\n"),
        ("variables/production/common.tfvars", "stage = \"production\"\n"),
    ];
    let with = |main, values: &[(&'static str, &'static str)]| [&[("a/main.tf", main)], values].concat();
    only(&compared(&with(text, &values), &with(&new, &values)), &[], &[]);
    // Under another name it is an environment of its own.
    let named = values.map(|(path, text)| {
        (
            if path.contains("production") {
                "variables/production/b.tfvars"
            } else {
                path
            },
            text,
        )
    });
    let json = compared(&with(text, &named), &with(&new, &named));
    assert_eq!(changes(&json, "gained").len(), 1, "{json:#}");
}

#[test]
fn an_empty_list_is_the_same_default_in_each_environment() {
    let text = r#"variable "stage" {}
variable "ips" {
  default = []
}
resource "aws_s3_bucket" "b" {
  bucket = "assets-${var.stage}"
}
data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::assets-${var.stage}/*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "IpAddress"
      variable = "aws:SourceIp"
      values   = var.ips
    }
  }
  statement {
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::assets-${var.stage}"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:root"]
    }
  }
}
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = data.aws_iam_policy_document.d.json
}
"#;
    let new = text.replace("s3:ListBucket\"", "s3:ListBucket\", \"s3:GetBucketAcl\"");
    let values = [
        ("v/test/a.tfvars", "stage = \"test\"\n"),
        ("v/production/a.tfvars", "stage = \"production\"\n"),
    ];
    let with = |main| [&[("a/main.tf", main)], &values[..]].concat();
    let json = compared(&with(text), &with(&new));
    assert_eq!(unknown(&json), Vec::<String>::new());
}

#[test]
fn without_a_condition_requests_that_lack_its_key_are_allowed() {
    let text = |condition: &str| {
        format!(
            r#"variable "one" {{}}
variable "all" {{}}
resource "aws_s3_bucket_policy" "b" {{
  bucket = "orders"
  policy = jsonencode({{ Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Principal = "*", Resource = "arn:aws:s3:::orders/*"{condition} }}] }})
}}
"#
        )
    };
    let new = text("");
    let test = |condition: &str| compared(&[("m.tf", &text(condition))], &[("m.tf", &new)]);
    for condition in [
        r#", Condition = { IpAddress = { "aws:SourceIp" = [var.one] } }"#,
        r#", Condition = { IpAddress = { "aws:SourceIp" = var.all } }"#,
        r#", Condition = { StringLike = { "aws:SourceVpce" = var.all } }"#,
    ] {
        let json = test(condition);
        only(
            &json,
            &["aws_s3_bucket_policy.b: s3:GetObject on arn:aws:s3:::orders/* for *"],
            &[],
        );
    }
    // Those without the key had it, or every request has the key.
    for condition in [
        r#", Condition = { IpAddressIfExists = { "aws:SourceIp" = var.all } }"#,
        r#", Condition = { NotIpAddress = { "aws:SourceIp" = var.all } }"#,
        r#", Condition = { Bool = { "aws:SecureTransport" = var.one } }"#,
    ] {
        let json = test(condition);
        assert!(
            changes(&json, "gained").is_empty() && !unknown(&json).is_empty(),
            "{condition}: {json:#}"
        );
    }
}
