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
            ("grants.yaml", "acts:\n  - \"iam:*\"\n"),
            (
                "main.tf",
                "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = yamldecode(file(\"grants.yaml\")).acts, Resource = \"*\" }] })\n}\n",
            ),
        ],
        place: "grants.yaml:2:",
    },
    Case {
        what: "every file that a pattern lists",
        files: &[
            ("grants/eu/a.json", "{\"acts\": [\n\"iam:*\"]}\n"),
            (
                "main.tf",
                "resource \"aws_iam_policy\" \"p\" {\n  for_each = fileset(\"grants\", \"**/*.json\")\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = jsondecode(file(\"grants/${each.value}\")).acts, Resource = \"*\" }] })\n}\n",
            ),
        ],
        place: "grants/eu/a.json:2:",
    },
    Case {
        what: "a data file that nothing reads",
        files: &[("grants.yaml", "acts:\n  - \"iam:*\"\n"), ("main.tf", "locals {}\n")],
        place: "",
    },
    Case {
        what: "the second caller of a module",
        files: &[
            ("m/main.tf", MODULE),
            (
                "main.tf",
                "module \"a\" {\n  source = \"./m\"\n  act = \"cloudwatch:PutMetricData\"\n}\nmodule \"b\" {\n  source = \"./m\"\n  act = \"iam:*\"\n}\n",
            ),
        ],
        place: "main.tf:7:",
    },
    Case {
        what: "each file for -var-file",
        files: &[
            ("main.tf", MODULE),
            ("envs/a.tfvars", "act = \"cloudwatch:PutMetricData\"\n"),
            ("envs/b.tfvars", "act = \"iam:*\"\n"),
        ],
        place: "envs/b.tfvars:1:",
    },
    Case {
        what: "values in a folder of their own",
        files: &[
            ("tf/main.tf", MODULE),
            ("vars/live.tfvars.json", "{\n\"act\": \"iam:*\"}\n"),
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
                "Resources:\n  A:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: child.yaml, Parameters: {Act: cloudwatch:PutMetricData}}\n  B:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: child.yaml, Parameters: {Act: \"iam:*\"}}\n",
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
                "resource \"aws_cloudformation_stack\" \"s\" {\n  template_body = file(\"t.yaml\")\n  parameters = {\n    Act = \"iam:*\"\n  }\n}\n",
            ),
        ],
        place: "main.tf:4:",
    },
    Case {
        what: "a file that Terragrunt writes",
        files: &[(
            "terragrunt.hcl",
            "generate \"g\" {\n  path = \"g.tf\"\n  contents = <<EOF\nresource \"aws_iam_role_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"iam:*\", Resource = \"*\" }] })\n}\nEOF\n}\n",
        )],
        place: "terragrunt.hcl:5:",
    },
    Case {
        what: "a file that Terragrunt writes with its own names",
        files: &[(
            "live/terragrunt.hcl",
            "locals {\n  act = \"iam:*\"\n}\ngenerate \"g\" {\n  path = \"g.tf\"\n  contents = <<EOF\nresource \"aws_iam_role_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"${local.act}\", Resource = \"*\" }] })\n}\nEOF\n}\n",
        )],
        place: "live/terragrunt.hcl:2:",
    },
    Case {
        what: "a table of values",
        files: &[
            ("grants.csv", "name,act\norders,iam:*\n"),
            (
                "main.tf",
                "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = [for r in csvdecode(file(\"grants.csv\")) : r.act], Resource = \"*\" }] })\n}\n",
            ),
        ],
        place: "grants.csv:2:",
    },
    Case {
        what: "the file of each stage",
        files: &[
            ("config.dev.yml", "act: cloudwatch:PutMetricData\n"),
            ("config.prod.yml", "act: \"iam:*\"\n"),
            (
                "serverless.yml",
                "service: s\nprovider:\n  name: aws\n  stage: ${opt:stage, 'dev'}\n  iam: {role: {statements: [{Effect: Allow, Action: \"${file(./config.${opt:stage, self:provider.stage}.yml):act}\", Resource: \"*\"}]}}\nfunctions:\n  f: {handler: f.f}\n",
            ),
        ],
        place: "config.prod.yml:1:",
    },
    Case {
        what: "the parameters of each stage",
        files: &[(
            "serverless.yml",
            "service: s\nprovider:\n  name: aws\n  iam: {role: {statements: [{Effect: Allow, Action: \"${param:act}\", Resource: \"*\"}]}}\nfunctions:\n  f: {handler: f.f}\nparams:\n  dev: {act: cloudwatch:PutMetricData}\n  prod: {act: \"iam:*\"}\n",
        )],
        place: "serverless.yml:9:",
    },
    Case {
        what: "a value that somebody else changes",
        files: &[(
            "main.tf",
            "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"iam:*\", Resource = \"*\" }] })\n  lifecycle {\n    ignore_changes = [policy]\n  }\n}\n",
        )],
        place: "",
    },
    Case {
        what: "both statements of a Sid that stands twice",
        files: &[(
            "main.tf",
            "data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    sid = \"A\"\n    actions = [\"iam:*\"]\n    resources = [\"*\"]\n  }\n  statement {\n    sid = \"A\"\n    actions = [\"s3:GetObject\"]\n    resources = [\"arn:aws:s3:::orders/*\"]\n  }\n}\n",
        )],
        place: "main.tf:4:",
    },
    Case {
        what: "a literal policy beside an expression that costs too much",
        files: &[
            (
                "a.tf",
                "resource \"aws_s3_bucket\" \"b\" {\n  bucket = join(\"-\", flatten([for i in range(100) : [for j in range(100) : [for k in range(100) : k]]]))\n}\n",
            ),
            (
                "b.tf",
                "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"iam:*\", Resource = \"*\" }] })\n}\n",
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
                "[\n{\"ParameterKey\": \"Act\", \"ParameterValue\": \"iam:*\"}]\n",
            ),
            (
                "orders.dev.json",
                "[\n{\"ParameterKey\": \"Act\", \"ParameterValue\": \"sqs:SendMessage\"}]\n",
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
                "{\"Parameters\": {\n\"Act\": \"iam:*\"}, \"Tags\": {\"team\": \"orders\"}}\n",
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
                "version = 0.1\n[prod.deploy.parameters]\nparameter_overrides = \"Stage=prod Act=iam:*\"\n",
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
                "[{\"ParameterKey\": \"Other\", \"ParameterValue\": \"iam:*\"}]\n",
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
                "[\n{\"ParameterKey\": \"Act\", \"ParameterValue\": \"iam:*\"}]\n",
            ),
        ],
        place: "params/stock.json:2:",
    },
    Case {
        what: "what Terragrunt generates from a quoted text",
        files: &[(
            "terragrunt.hcl",
            "generate \"p\" {\n  path = \"p.tf\"\n  contents = \"resource \\\"aws_iam_policy\\\" \\\"p\\\" {\\n  policy = jsonencode({ Version = \\\"2012-10-17\\\", Statement = [{ Effect = \\\"Allow\\\", Action = \\\"iam:*\\\", Resource = \\\"*\\\" }] })\\n}\\n\"\n}\n",
        )],
        place: "terragrunt.hcl:3:",
    },
    Case {
        what: "what Terragrunt generates from a file",
        files: &[
            (
                "terragrunt.hcl",
                "generate \"p\" {\n  path = \"p.tf\"\n  contents = file(\"${get_terragrunt_dir()}/p.txt\")\n}\n",
            ),
            (
                "p.txt",
                "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"iam:*\", Resource = \"*\" }] })\n}\n",
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
                "terraform {\n  source = \"../../modules//p\"\n}\ninputs = {\n  act = \"iam:*\"\n}\n",
            ),
            (
                "live/dev/terragrunt.hcl",
                "terraform {\n  source = \"../../modules/p\"\n}\ninputs = {\n  act = \"sqs:SendMessage\"\n}\n",
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
            "{}:\n{out}",
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
