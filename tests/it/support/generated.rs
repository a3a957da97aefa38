//! Repositories made by rule, as large as asked for. The same number gives the same files.

use std::fmt::Write as _;

/// Path and text of each file.
pub(crate) type Files = Vec<(String, String)>;

/// A tree of files that has as many of one thing as asked for.
pub(crate) struct Tree {
    pub(crate) name: &'static str,
    /// What is counted.
    pub(crate) unit: &'static str,
    /// A number of units that is analyzed in about a second.
    pub(crate) large: usize,
    pub(crate) files: fn(usize) -> Files,
}

pub(crate) const TREES: [Tree; 8] = [
    Tree {
        name: "files",
        unit: "file",
        large: 100_000,
        files: mixed_files,
    },
    Tree {
        name: "policies",
        unit: "policy",
        large: 8_000,
        files: policies,
    },
    Tree {
        name: "statements",
        unit: "statement of one policy",
        large: 8_000,
        files: statements,
    },
    Tree {
        name: "workloads",
        unit: "function with code",
        large: 1_600,
        files: workloads,
    },
    Tree {
        name: "terraform-modules",
        unit: "module",
        large: 1_600,
        files: terraform,
    },
    Tree {
        name: "python-modules",
        unit: "module",
        large: 1_600,
        files: python_modules,
    },
    Tree {
        name: "cloudformation",
        unit: "template",
        large: 500,
        files: cloudformation,
    },
    Tree {
        name: "repository",
        unit: "file",
        large: 500,
        files: repository,
    },
];

/// Two actions each that go together: read, write, harmless alone, dangerous in company.
const ACTIONS: [[&str; 2]; 16] = [
    ["s3:GetObject", "s3:GetObjectVersion"],
    ["s3:PutObject", "s3:AbortMultipartUpload"],
    ["dynamodb:GetItem", "dynamodb:Query"],
    ["dynamodb:PutItem", "dynamodb:UpdateItem"],
    ["sqs:SendMessage", "sqs:GetQueueUrl"],
    ["sns:Publish", "sns:GetTopicAttributes"],
    ["logs:CreateLogStream", "logs:PutLogEvents"],
    ["kms:Decrypt", "kms:GenerateDataKey*"],
    ["ec2:Describe*", "ec2:Get*"],
    ["s3:DeleteObject", "s3:Get*"],
    ["iam:GetRole", "iam:PassRole"],
    ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
    ["states:StartExecution", "states:DescribeStateMachine"],
    ["events:PutEvents", "events:DescribeEventBus"],
    ["lambda:InvokeFunction", "lambda:GetFunction"],
    ["ssm:GetParameter", "ssm:GetParametersByPath"],
];

/// Those of [`ACTIONS`] for `i`, in an order that looks like none.
fn actions(i: usize) -> [&'static str; 2] {
    ACTIONS[(i * 7 + i / 16 * 3) % ACTIONS.len()]
}

/// What the action is on.
fn resource(action: &str, i: usize) -> String {
    let service = action.split(':').next().unwrap_or(action);
    match service {
        "s3" => format!("arn:aws:s3:::bucket-{i}/*"),
        "dynamodb" => format!("arn:aws:dynamodb:eu-west-1:123456789012:table/t{i}"),
        "sqs" | "sns" => format!("arn:aws:{service}:eu-west-1:123456789012:n{i}"),
        "lambda" => format!("arn:aws:lambda:eu-west-1:123456789012:function:f{i}"),
        "iam" => format!("arn:aws:iam::123456789012:role/r{i}"),
        "kms" => format!("arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-{i:012}"),
        "secretsmanager" => format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s{i}-*"),
        "ssm" => format!("arn:aws:ssm:eu-west-1:123456789012:parameter/p{i}"),
        "states" => format!("arn:aws:states:eu-west-1:123456789012:stateMachine:m{i}"),
        "logs" => format!("arn:aws:logs:eu-west-1:123456789012:log-group:/app/{i}:*"),
        "events" => format!("arn:aws:events:eu-west-1:123456789012:event-bus/b{i}"),
        _ => "*".to_owned(),
    }
}

/// `count` files as a repository has them: one in ten is of a kind that is read.
pub(crate) fn mixed_files(count: usize) -> Files {
    let file = |i: usize| {
        let folder = format!("d{}/e{}", i / 1_000, i / 50 % 20);
        let (name, text) = match i % 50 {
            3 => ("policy.json", policy(i, 3)),
            13 => ("main.tf", module(i)),
            23 => ("template.yaml", template(i, 1)),
            33 => ("app.py", handler(i)),
            43 => ("settings.yaml", format!("name: n{i}\nvalues: [1, 2, 3]\n")),
            n if n % 3 == 0 => (
                "view.ts",
                format!("export const view{i} = (n: number) => n + {i};\n").repeat(20),
            ),
            n if n % 3 == 1 => (
                "notes.md",
                format!("# Notes {i}\n\nWhat was decided on day {i}.\n").repeat(10),
            ),
            _ => (
                "main.go",
                format!("package main\n\nfunc f{i}() int {{ return {i} }}\n").repeat(10),
            ),
        };
        (format!("{folder}/f{i}-{name}"), text)
    };
    (0..count).map(file).collect()
}

/// `count` policies of three statements, each in its file.
pub(crate) fn policies(count: usize) -> Files {
    (0..count)
        .map(|i| (format!("policies/p{}/p{i}.json", i / 100), policy(i, 3)))
        .collect()
}

/// One policy of `count` statements.
pub(crate) fn statements(count: usize) -> Files {
    vec![("policy.json".to_owned(), policy(0, count))]
}

/// A policy of `count` statements.
fn policy(seed: usize, count: usize) -> String {
    let statement = |n: usize| {
        let i = seed * 3 + n;
        let [first, second] = actions(i);
        let resource = resource(first, i);
        format!(
            r#"    {{"Sid": "S{n}", "Effect": "Allow", "Action": ["{first}", "{second}"], "Resource": "{resource}"}}"#
        )
    };
    let all: Vec<String> = (0..count).map(statement).collect();
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}\n",
        all.join(",\n")
    )
}

/// Functions of one SAM template.
const FUNCTIONS_PER_TEMPLATE: usize = 20;

/// `count` functions of SAM templates, each with a policy and a Python file that needs a part of it.
pub(crate) fn workloads(count: usize) -> Files {
    let mut files = Vec::new();
    let mut template = String::new();
    for i in 0..count {
        let folder = format!("services/s{}", i / FUNCTIONS_PER_TEMPLATE);
        if template.is_empty() {
            template.push_str(
                "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nResources:\n",
            );
        }
        let [action, _] = actions(i);
        let _ = write!(
            template,
            "  F{i}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      CodeUri: f{i}/
      Handler: app.handler
      Environment:
        Variables:
          TABLE: t{i}
      Policies:
        - Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: [dynamodb:GetItem, dynamodb:PutItem]
              Resource: !Sub arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/t{i}
            - Effect: Allow
              Action: '{action}'
              Resource: '{}'
",
            resource(action, i)
        );
        files.push((format!("{folder}/f{i}/app.py"), handler(i)));
        if (i + 1) % FUNCTIONS_PER_TEMPLATE == 0 || i + 1 == count {
            files.push((format!("{folder}/template.yaml"), std::mem::take(&mut template)));
        }
    }
    files
}

/// The code of a function that reads a table and writes a bucket.
fn handler(i: usize) -> String {
    format!(
        r#"import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
s3 = boto3.client("s3")


def load(key):
    return table.get_item(Key={{"id": key}})["Item"]


def store(key, item):
    s3.put_object(Bucket="bucket-{i}", Key=f"items/{{key}}", Body=json.dumps(item))


def handler(event, context):
    for record in event["Records"]:
        item = load(record["id"])
        item["n"] = item["n"] + {i}
        store(record["id"], item)
    return {{"done": len(event["Records"])}}
"#
    )
}

/// Modules of one Python package.
const MODULES_PER_PACKAGE: usize = 40;

/// `count` Python modules in packages of forty: each imports the one before, the last is the code of a function.
pub(crate) fn python_modules(count: usize) -> Files {
    let mut files = Vec::new();
    for i in 0..count {
        let (package, n) = (i / MODULES_PER_PACKAGE, i % MODULES_PER_PACKAGE);
        let folder = format!("services/p{package}");
        let before = n.checked_sub(1);
        let import = before.map_or_else(String::new, |m| format!("from lib import m{m}\n"));
        let call = before.map_or_else(|| "key".to_owned(), |m| format!("m{m}.Store(\"b{m}\").load(key)"));
        let text = format!(
            r#"import boto3
{import}

class Store:
    def __init__(self, bucket):
        self.bucket = bucket
        self.client = boto3.client("s3")

    def load(self, key):
        before = {call}
        self.client.get_object(Bucket=self.bucket, Key=before)
        return self.name(key)

    def name(self, key):
        return f"m{n}/{{key}}"
"#
        );
        files.push((format!("{folder}/src/lib/m{n}.py"), text));
        if n + 1 == MODULES_PER_PACKAGE || i + 1 == count {
            files.push((format!("{folder}/src/lib/__init__.py"), String::new()));
            let app = format!(
                "from lib.m{n} import Store\n\n\ndef handler(event, context):\n    return Store(event[\"bucket\"]).load(event[\"key\"])\n"
            );
            files.push((format!("{folder}/src/app.py"), app));
            let template = format!(
                "AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  F{package}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      CodeUri: src/
      Handler: app.handler
      Policies:
        - Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: [s3:GetObject, s3:PutObject]
              Resource: arn:aws:s3:::b*/*
"
            );
            files.push((format!("{folder}/template.yaml"), template));
        }
    }
    files
}

const ROLES_PER_TEMPLATE: usize = 10;
const INLINE_POLICIES_PER_ROLE: usize = 4;
/// Templates whose roles share a managed policy.
const TEMPLATES_PER_POLICY: usize = 2;

/// `count` templates of ten roles. A role has four inline policies of three statements, and a managed policy that twenty roles
/// share; a third of the roles may assume another.
pub(crate) fn cloudformation(count: usize) -> Files {
    (0..count)
        .map(|i| {
            (
                format!("stacks/s{}/t{i}.yaml", i / 25),
                template(i, INLINE_POLICIES_PER_ROLE),
            )
        })
        .collect()
}

fn template(i: usize, inline: usize) -> String {
    let mut out = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n".to_owned();
    let shared = i / TEMPLATES_PER_POLICY;
    let declares = i.is_multiple_of(TEMPLATES_PER_POLICY);
    if declares {
        let _ = write!(
            out,
            "  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: shared-{shared}
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: [logs:CreateLogStream, logs:PutLogEvents]
            Resource: arn:aws:logs:eu-west-1:123456789012:log-group:/shared/{shared}:*
"
        );
    }
    let attached = match declares {
        true => "!Ref Shared".to_owned(),
        false => format!("!Sub arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/shared-{shared}"),
    };
    for r in 0..ROLES_PER_TEMPLATE {
        let trusted = match r % 3 {
            1 => format!("AWS: !GetAtt R{}.Arn", r - 1),
            _ => "Service: lambda.amazonaws.com".to_owned(),
        };
        let _ = write!(
            out,
            "  R{r}:
    Type: AWS::IAM::Role
    Properties:
      RoleName: role-{i}-{r}
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal:
              {trusted}
            Action: sts:AssumeRole
      ManagedPolicyArns:
        - {attached}
      Policies:
"
        );
        for p in 0..inline {
            let _ = write!(
                out,
                "        - PolicyName: p{p}
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
"
            );
            for s in 0..3 {
                let n = ((i * ROLES_PER_TEMPLATE + r) * inline + p) * 3 + s;
                let [first, second] = actions(n);
                let _ = write!(
                    out,
                    "              - Effect: Allow
                Action: ['{first}', '{second}']
                Resource: '{}'
",
                    resource(first, n)
                );
            }
        }
    }
    out
}

/// `count` files in all, of a Terraform repository as teams keep it: services with a root, its values for two environments, a
/// module of their own, and a Python handler; all roots call a module that they share.
pub(crate) fn repository(count: usize) -> Files {
    let mut files = vec![("modules/role/main.tf".to_owned(), SHARED_ROLE.to_owned())];
    for i in 0.. {
        let folder = format!("services/s{i}");
        let root = format!(
            r#"variable "stage" {{ type = string }}
variable "tables" {{ type = list(string) }}
module "role" {{
  source    = "../../modules/role"
  name      = "s{i}-${{var.stage}}"
  actions   = ["dynamodb:GetItem", "dynamodb:{}"]
  resources = var.tables
}}
module "own" {{
  source   = "./own"
  name     = "own-{i}"
  before   = module.role.arn
  actions  = ["s3:Get*"]
}}
data "archive_file" "code" {{
  type        = "zip"
  source_file = "${{path.module}}/app.py"
  output_path = "${{path.module}}/app.zip"
}}
resource "aws_lambda_function" "f" {{
  function_name = "s{i}-${{var.stage}}"
  role          = module.role.arn
  filename      = data.archive_file.code.output_path
  runtime       = "python3.12"
  handler       = "app.handler"
  environment {{
    variables = {{ TABLE = "t{i}" }}
  }}
}}
"#,
            ["Query", "Scan", "PutItem"][i % 3]
        );
        let values = |stage: &str| {
            let table = resource("dynamodb:GetItem", i);
            format!("stage  = \"{stage}\"\ntables = [\"{table}-{stage}\"]\n")
        };
        files.extend([
            (format!("{folder}/main.tf"), root),
            (format!("{folder}/terraform.tfvars"), values("dev")),
            (format!("{folder}/prod.tfvars"), values("prod")),
            (format!("{folder}/own/main.tf"), module(i)),
            (format!("{folder}/app.py"), handler(i)),
        ]);
        if files.len() >= count {
            break;
        }
    }
    files.truncate(count);
    files
}

const SHARED_ROLE: &str = r#"variable "name" { type = string }
variable "actions" { type = list(string) }
variable "resources" { type = list(string) }
resource "aws_iam_role" "r" {
  name = var.name
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "p" {
  role = aws_iam_role.r.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = var.actions, Resource = var.resources }]
  })
}
output "arn" { value = aws_iam_role.r.arn }
"#;

/// Modules that one root calls.
const MODULES_PER_ROOT: usize = 50;

/// `count` modules in as many folders: each with a role, a policy from a document, its attachment, an inline policy and a
/// function; called from roots of fifty, each getting an output of the one before.
pub(crate) fn terraform(count: usize) -> Files {
    let mut files = Vec::new();
    let mut root = String::new();
    for i in 0..count {
        files.push((format!("modules/m{i}/main.tf"), module(i)));
        let before = match i % MODULES_PER_ROOT {
            0 => "\"arn:aws:s3:::first\"".to_owned(),
            _ => format!("module.m{}.queue", i - 1),
        };
        let _ = write!(
            root,
            "module \"m{i}\" {{\n  source  = \"../../modules/m{i}\"\n  name    = \"m{i}\"\n  actions = [\"s3:Get*\", \"sqs:Send*\"]\n  \
             before  = {before}\n}}\n"
        );
        if (i + 1) % MODULES_PER_ROOT == 0 || i + 1 == count {
            let n = i / MODULES_PER_ROOT;
            files.push((format!("roots/r{n}/main.tf"), std::mem::take(&mut root)));
        }
    }
    files
}

fn module(i: usize) -> String {
    format!(
        r#"variable "name" {{ type = string }}
variable "before" {{ type = string }}
variable "actions" {{ type = list(string) }}
locals {{
  actions = concat(var.actions, ["dynamodb:GetItem"])
  queue   = "arn:aws:sqs:eu-west-1:123456789012:q{i}"
}}
data "aws_iam_policy_document" "d" {{
  statement {{
    actions   = local.actions
    resources = [var.before, local.queue]
  }}
  dynamic "statement" {{
    for_each = toset(["logs", "xray"])
    content {{
      actions   = ["${{statement.value}}:Put*"]
      resources = ["arn:aws:${{statement.value}}:*:123456789012:*"]
    }}
  }}
}}
resource "aws_iam_role" "r" {{
  name = "role-${{var.name}}"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "lambda.amazonaws.com" }} }}]
  }})
}}
resource "aws_iam_policy" "p" {{
  name   = var.name
  policy = data.aws_iam_policy_document.d.json
}}
resource "aws_iam_role_policy_attachment" "a" {{
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.p.arn
}}
resource "aws_iam_role_policy" "inline" {{
  role   = aws_iam_role.r.id
  policy = <<EOF
{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "${{local.queue}}"}}]}}
EOF
}}
resource "aws_lambda_function" "f" {{
  function_name = var.name
  role          = aws_iam_role.r.arn
  handler       = "app.handler"
}}
output "queue" {{ value = local.queue }}
"#
    )
}
