//! Values that come from elsewhere: data files, callers, files for `-var-file`, stacks of other formats, plans. Every caller is
//! judged, and what no one can know is no finding.

use crate::support::repository::Repository;

/// A wide grant that only one of several callers makes, or the lack of one.
struct Case {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// Where the first wide grant is reported, `path:line:`; empty where there is not one.
    place: &'static str,
}

const MODULE: &str = r#"variable "act" {}
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = var.act, Resource = "*" }] })
}
"#;

const TEMPLATE: &str = r#"Parameters:
  Act: {Type: String}
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: !Ref Act, Resource: "*"}]
"#;

const CASES: &[Case] = &[
    Case {
        what: "a data file that names nothing of AWS by itself",
        files: &[
            (
                "grants.yaml",
                r#"acts:
  - "iam:*"
"#,
            ),
            (
                "main.tf",
                r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = yamldecode(file("grants.yaml")).acts, Resource = "*" }] })
}
"#,
            ),
        ],
        place: "grants.yaml:2:",
    },
    Case {
        what: "every file that a pattern lists",
        files: &[
            (
                "grants/eu/a.json",
                r#"{"acts": [
"iam:*"]}
"#,
            ),
            (
                "main.tf",
                r#"resource "aws_iam_policy" "p" {
  for_each = fileset("grants", "**/*.json")
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = jsondecode(file("grants/${each.value}")).acts, Resource = "*" }] })
}
"#,
            ),
        ],
        place: "grants/eu/a.json:2:",
    },
    Case {
        what: "a data file that nothing reads",
        files: &[
            (
                "grants.yaml",
                r#"acts:
  - "iam:*"
"#,
            ),
            ("main.tf", "locals {}\n"),
        ],
        place: "",
    },
    Case {
        what: "the second caller of a module",
        files: &[
            ("m/main.tf", MODULE),
            (
                "main.tf",
                r#"module "a" {
  source = "./m"
  act = "cloudwatch:PutMetricData"
}
module "b" {
  source = "./m"
  act = "iam:*"
}
"#,
            ),
        ],
        place: "main.tf:7:",
    },
    Case {
        what: "each file for -var-file",
        files: &[
            ("main.tf", MODULE),
            ("envs/a.tfvars", r#"act = "cloudwatch:PutMetricData""#),
            ("envs/b.tfvars", r#"act = "iam:*""#),
        ],
        place: "envs/b.tfvars:1:",
    },
    Case {
        what: "values in a folder of their own",
        files: &[
            ("tf/main.tf", MODULE),
            (
                "vars/live.tfvars.json",
                r#"{
"act": "iam:*"}
"#,
            ),
        ],
        place: "vars/live.tfvars.json:2:",
    },
    Case {
        what: "a required input without a value",
        files: &[("main.tf", MODULE)],
        place: "",
    },
    Case {
        what: "the second stack of a template",
        files: &[
            ("child.yaml", TEMPLATE),
            (
                "root.yaml",
                r#"Resources:
  A:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: child.yaml, Parameters: {Act: cloudwatch:PutMetricData}}
  B:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: child.yaml, Parameters: {Act: "iam:*"}}
"#,
            ),
        ],
        place: "root.yaml:7:",
    },
    Case {
        what: "parameters of a stack that Terraform makes of a file",
        files: &[
            ("t.yaml", TEMPLATE),
            (
                "main.tf",
                r#"resource "aws_cloudformation_stack" "s" {
  template_body = file("t.yaml")
  parameters = {
    Act = "iam:*"
  }
}
"#,
            ),
        ],
        place: "main.tf:4:",
    },
    Case {
        what: "a file that Terragrunt writes",
        files: &[(
            "terragrunt.hcl",
            r#"generate "g" {
  path = "g.tf"
  contents = <<EOF
resource "aws_iam_role_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }] })
}
EOF
}
"#,
        )],
        place: "terragrunt.hcl:5:",
    },
    Case {
        what: "a file that Terragrunt writes with its own names",
        files: &[(
            "live/terragrunt.hcl",
            r#"locals {
  act = "iam:*"
}
generate "g" {
  path = "g.tf"
  contents = <<EOF
resource "aws_iam_role_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "${local.act}", Resource = "*" }] })
}
EOF
}
"#,
        )],
        place: "live/terragrunt.hcl:2:",
    },
    Case {
        what: "a table of values",
        files: &[
            (
                "grants.csv",
                r"name,act
orders,iam:*
",
            ),
            (
                "main.tf",
                r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = [for r in csvdecode(file("grants.csv")) : r.act], Resource = "*" }] })
}
"#,
            ),
        ],
        place: "grants.csv:2:",
    },
    Case {
        what: "the file of each stage",
        files: &[
            ("config.dev.yml", "act: cloudwatch:PutMetricData\n"),
            ("config.prod.yml", r#"act: "iam:*""#),
            (
                "serverless.yml",
                r#"service: s
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  iam: {role: {statements: [{Effect: Allow, Action: "${file(./config.${opt:stage, self:provider.stage}.yml):act}", Resource: "*"}]}}
functions:
  f: {handler: f.f}
"#,
            ),
        ],
        place: "config.prod.yml:1:",
    },
    Case {
        what: "the parameters of each stage",
        files: &[(
            "serverless.yml",
            r#"service: s
provider:
  name: aws
  iam: {role: {statements: [{Effect: Allow, Action: "${param:act}", Resource: "*"}]}}
functions:
  f: {handler: f.f}
params:
  dev: {act: cloudwatch:PutMetricData}
  prod: {act: "iam:*"}
"#,
        )],
        place: "serverless.yml:9:",
    },
    Case {
        what: "a value that somebody else changes",
        files: &[(
            "main.tf",
            r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }] })
  lifecycle {
    ignore_changes = [policy]
  }
}
"#,
        )],
        place: "",
    },
    Case {
        what: "both statements of a Sid that stands twice",
        files: &[(
            "main.tf",
            r#"data "aws_iam_policy_document" "d" {
  statement {
    sid = "A"
    actions = ["iam:*"]
    resources = ["*"]
  }
  statement {
    sid = "A"
    actions = ["s3:GetObject"]
    resources = ["arn:aws:s3:::orders/*"]
  }
}
"#,
        )],
        place: "main.tf:4:",
    },
    Case {
        what: "a literal policy beside an expression that costs too much",
        files: &[
            (
                "a.tf",
                r#"resource "aws_s3_bucket" "b" {
  bucket = join("-", flatten([for i in range(100) : [for j in range(100) : [for k in range(100) : k]]]))
}
"#,
            ),
            (
                "b.tf",
                r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }] })
}
"#,
            ),
        ],
        place: "b.tf:2:",
    },
    Case {
        what: "a list of parameters beside its template",
        files: &[
            ("orders.yaml", TEMPLATE),
            (
                "orders.prod.json",
                r#"[
{"ParameterKey": "Act", "ParameterValue": "iam:*"}]
"#,
            ),
            (
                "orders.dev.json",
                r#"[
{"ParameterKey": "Act", "ParameterValue": "sqs:SendMessage"}]
"#,
            ),
        ],
        place: "orders.prod.json:2:",
    },
    Case {
        what: "the template configuration of a pipeline",
        files: &[
            ("template.yaml", TEMPLATE),
            (
                "config/prod.json",
                r#"{"Parameters": {
"Act": "iam:*"}, "Tags": {"team": "orders"}}
"#,
            ),
        ],
        place: "config/prod.json:2:",
    },
    Case {
        what: "the overrides of SAM",
        files: &[
            ("template.yaml", TEMPLATE),
            (
                "samconfig.toml",
                r#"version = 0.1
[prod.deploy.parameters]
parameter_overrides = "Stage=prod Act=iam:*"
"#,
            ),
        ],
        place: "samconfig.toml:3:",
    },
    Case {
        what: "a list of parameters for another template",
        files: &[
            ("orders.yaml", TEMPLATE),
            (
                "other.json",
                r#"[{"ParameterKey": "Other", "ParameterValue": "iam:*"}]"#,
            ),
        ],
        place: "",
    },
    Case {
        what: "one of several templates, by its name",
        files: &[
            ("orders.yaml", TEMPLATE),
            ("stock.yaml", TEMPLATE),
            (
                "params/stock.json",
                r#"[
{"ParameterKey": "Act", "ParameterValue": "iam:*"}]
"#,
            ),
        ],
        place: "params/stock.json:2:",
    },
    Case {
        what: "what Terragrunt generates from a quoted text",
        files: &[(
            "terragrunt.hcl",
            r#"generate "p" {
  path = "p.tf"
  contents = "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"iam:*\", Resource = \"*\" }] })\n}\n"
}
"#,
        )],
        place: "terragrunt.hcl:3:",
    },
    Case {
        what: "what Terragrunt generates from a file",
        files: &[
            (
                "terragrunt.hcl",
                r#"generate "p" {
  path = "p.tf"
  contents = file("${get_terragrunt_dir()}/p.txt")
}
"#,
            ),
            (
                "p.txt",
                r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }] })
}
"#,
            ),
        ],
        place: "p.txt:2:",
    },
    Case {
        what: "the inputs of Terragrunt",
        files: &[
            ("modules/p/main.tf", MODULE),
            (
                "live/prod/terragrunt.hcl",
                r#"terraform {
  source = "../../modules//p"
}
inputs = {
  act = "iam:*"
}
"#,
            ),
            (
                "live/dev/terragrunt.hcl",
                r#"terraform {
  source = "../../modules/p"
}
inputs = {
  act = "sqs:SendMessage"
}
"#,
            ),
        ],
        place: "live/prod/terragrunt.hcl:5:",
    },
];

#[test]
fn every_caller_is_judged_and_shown_where_the_value_is_written() {
    for case in CASES {
        let r = Repository::new(case.files);
        let out = r
            .run(&["check", "--isolated", "-f", "compact", "--only", "service-wildcard"])
            .out;
        let found = out.lines().find(|line| line.contains("service-wildcard")).unwrap_or("");
        assert!(
            if case.place.is_empty() {
                found.is_empty()
            } else {
                found.starts_with(case.place)
            },
            r"{}:
{out}",
            case.what
        );
    }
}

#[test]
fn what_the_provider_computes_is_not_null() {
    let r = Repository::new(&[(
        "main.tf",
        r#"variable "region" {
  default = null
}
data "aws_region" "here" {
  region = var.region
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:${data.aws_region.here.region}:111122223333:orders" }]
  })
}
"#,
    )]);
    let out = r.run(&["policies", "--isolated", "-f", "json"]).out;
    assert!(
        out.contains("arn:aws:sqs:${data.aws_region.here.region}:111122223333:orders"),
        "{out}"
    );
}

#[test]
fn a_document_that_a_plan_defers_is_judged() {
    let r = Repository::new(&[(
        "plan.json",
        r#"{"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": [
{"address": "data.aws_iam_policy_document.d", "mode": "data", "type": "aws_iam_policy_document", "name": "d",
 "values": {"statement": [{"actions": ["kms:*"], "resources": ["*"], "effect": null, "condition": []}, {"actions": ["s3:GetObject"], "resources": [null]}]}}
]}}}"#,
    )]);
    let out = r
        .run(&["check", "--isolated", "-f", "compact", "--only", "service-wildcard"])
        .out;
    assert!(out.starts_with("plan.json:3:"), "{out}");
}
