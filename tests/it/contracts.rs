//! `overgrant contracts`: what is promised about access, and whether it is so.

use serde_json::Value;

use crate::support::repository::Repository;

/// Files of a repository, by path.
type ContractFiles = &'static [(&'static str, &'static str)];

const TERRAFORM: ContractFiles = &[
    (
        "overgrant.toml",
        r#"[[contract]]
name = "only billing reaches the ledger"
actions = ["dynamodb:*"]
resources = ["aws_dynamodb_table.ledger"]
only = ["aws_iam_role.billing"]

[[contract]]
name = "CI never manages identities"
who = ["aws_iam_role.ci"]
never = ["iam:*", "organizations:*"]

[[contract]]
name = "nothing public reaches a secret"
who = ["public"]
never = ["secretsmanager:GetSecretValue"]
reach = "any path"
"#,
    ),
    (
        "main.tf",
        r#"resource "aws_dynamodb_table" "ledger" {
  name = "ledger"
}
resource "aws_secretsmanager_secret" "key" {
  name = "key"
}
resource "aws_iam_role" "billing" {
  name               = "billing"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "billing" {
  role   = aws_iam_role.billing.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "dynamodb:*", Resource = aws_dynamodb_table.ledger.arn }] })
}
resource "aws_iam_role" "ci" {
  name               = "ci"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "ci" {
  role   = aws_iam_role.ci.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}
resource "aws_iam_role" "api" {
  name               = "api"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "api" {
  role   = aws_iam_role.api.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }] })
}
resource "aws_lambda_function" "api" {
  function_name = "api"
  role          = aws_iam_role.api.arn
}
resource "aws_lambda_function_url" "api" {
  function_name      = aws_lambda_function.api.function_name
  authorization_type = "NONE"
}
"#,
    ),
];

const CLOUDFORMATION: ContractFiles = &[
    (
        "ledger.access.toml",
        r#"[[contract]]
name = "a"
actions = ["dynamodb:*"]
resources = ["Ledger"]
only = []
"#,
    ),
    (
        "t.yaml",
        r#"Resources:
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: ledger
  Reader:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:*:*:table/orders"}]
"#,
    ),
];

const SAM: ContractFiles = &[
    (
        "ledger.access.toml",
        r#"[[contract]]
name = "a"
actions = ["dynamodb:*"]
resources = ["Ledger"]
only = []
"#,
    ),
    (
        "t.yaml",
        r"Transform: AWS::Serverless-2016-10-31
Resources:
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: ledger
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
  Report:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      Policies:
        - DynamoDBReadPolicy: {TableName: !Ref Orders}
",
    ),
    (
        "src/app.py",
        r"def handler(event, context):
    pass
",
    ),
];

const POLICY_JSON: ContractFiles = &[
    (
        "ci.access.toml",
        r#"[[contract]]
name = "CI stays within its bound"
who = ["ci"]
policy = "max.json"
"#,
    ),
    (
        "main.tf",
        r#"resource "aws_iam_role" "ci" {
  name               = "ci"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "ci" {
  role   = aws_iam_role.ci.id
  policy = file("ci.json")
}
"#,
    ),
    (
        "ci.json",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}]}"#,
    ),
    (
        "max.json",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::reports/*"}]}"#,
    ),
];

const BOTO3: ContractFiles = &[
    (
        "export.access.toml",
        r#"[[contract]]
name = "a"
who = ["export"]
never = ["dynamodb:*"]
resources = ["arn:aws:dynamodb:us-east-1:111122223333:table/ledger"]
"#,
    ),
    (
        "app.py",
        r#"import json
import boto3

iam = boto3.client("iam")
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:us-east-1:111122223333:table/orders"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:us-east-1:111122223333:table/ledger"}]}
iam.create_role(RoleName="billing", AssumeRolePolicyDocument=json.dumps(TRUST))
iam.put_role_policy(RoleName="billing", PolicyName="p", PolicyDocument=json.dumps(READ))
iam.create_role(RoleName="export", AssumeRolePolicyDocument=json.dumps(TRUST))
iam.put_role_policy(RoleName="export", PolicyName="p", PolicyDocument=json.dumps(POLICY))
"#,
    ),
];

const OUTSIDE: ContractFiles = &[
    (
        "overgrant.toml",
        r#"[own]
accounts = ["111122223333"]

[[contract]]
name = "a"
who = ["public"]
never = ["lambda:InvokeFunction"]

[[contract]]
name = "b"
who = ["other-accounts"]
never = ["lambda:InvokeFunction"]

[[contract]]
name = "c"
actions = ["lambda:InvokeFunction"]
resources = ["aws_lambda_function.f"]
only = ["service:events"]
"#,
    ),
    (
        "main.tf",
        r#"resource "aws_lambda_function" "f" {
  function_name = "f"
}
resource "aws_lambda_permission" "f" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "events.amazonaws.com"
}
"#,
    ),
];

const TRUST: ContractFiles = &[
    (
        "ci.access.toml",
        r#"[[contract]]
name = "a"
who = ["ci"]
never = ["sts:AssumeRole"]
resources = ["aws_iam_role.admin"]
"#,
    ),
    (
        "main.tf",
        r#"resource "aws_iam_role" "ci" {
  name               = "ci"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "ci" {
  role   = aws_iam_role.ci.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}
resource "aws_iam_role" "admin" {
  name               = "admin"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
"#,
    ),
];

/// One change of a repository: in a file, each text is replaced by another one; an empty text is the end of the file.
struct ContractMutation {
    base: ContractFiles,
    what: &'static str,
    file: &'static str,
    changes: &'static [(&'static str, &'static str)],
    /// Of each contract: kept, broken, undecided, or about nothing.
    states: &'static str,
}

const MUTATIONS: &[ContractMutation] = &[
    ContractMutation {
        base: TERRAFORM,
        what: "nothing is changed",
        file: "",
        changes: &[],
        states: "KKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "CI may do everything",
        file: "main.tf",
        changes: &[(r#""s3:*""#, r#""*""#)],
        states: "BBK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "CI may do everything but what is denied",
        file: "main.tf",
        changes: &[(
            r#"Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }]"#,
            r#"Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }, { Effect = "Deny", Action = ["iam:*", "organizations:*", "dynamodb:*"], Resource = "*" }]"#,
        )],
        states: "KKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a Deny under a condition",
        file: "main.tf",
        changes: &[(
            r#"Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }]"#,
            r#"Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }, { Effect = "Deny", Action = "iam:*", Resource = "*", Condition = { Bool = { "aws:MultiFactorAuthPresent" = "false" } } }]"#,
        )],
        states: "KBK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a pattern that covers the ledger",
        file: "main.tf",
        changes: &[(
            r#""s3:*", Resource = "*""#,
            r#""dynamodb:Scan", Resource = "arn:aws:dynamodb:*:*:table/led*""#,
        )],
        states: "BKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a pattern of another table",
        file: "main.tf",
        changes: &[(
            r#""s3:*", Resource = "*""#,
            r#""dynamodb:Scan", Resource = "arn:aws:dynamodb:*:*:table/legends*""#,
        )],
        states: "KKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "an index of the ledger",
        file: "main.tf",
        changes: &[(
            r#""s3:*", Resource = "*""#,
            r#""dynamodb:Query", Resource = "${aws_dynamodb_table.ledger.arn}/index/*""#,
        )],
        states: "BKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a table whose name is not known",
        file: "main.tf",
        changes: &[(
            r#""s3:*", Resource = "*""#,
            r#""dynamodb:Scan", Resource = "arn:aws:dynamodb:*:*:table/${var.table}""#,
        )],
        states: "UKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the name of the ledger is not known",
        file: "main.tf",
        changes: &[(r#"name = "ledger""#, r#"name = "ledger-${var.stage}""#)],
        states: "KKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a pattern for a ledger whose name is known in part",
        file: "main.tf",
        changes: &[
            (r#"name = "ledger""#, r#"name = "ledger-${var.stage}""#),
            (
                r#""s3:*", Resource = "*""#,
                r#""dynamodb:Scan", Resource = "arn:aws:dynamodb:*:*:table/ledger-*""#,
            ),
        ],
        states: "BKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the public function reads the secret",
        file: "main.tf",
        changes: &[(
            r#""logs:PutLogEvents", Resource = "*""#,
            r#""secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.key.arn"#,
        )],
        states: "KKB",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the function is not public",
        file: "main.tf",
        changes: &[
            (
                r#""logs:PutLogEvents", Resource = "*""#,
                r#""secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.key.arn"#,
            ),
            (r#""NONE""#, r#""AWS_IAM""#),
        ],
        states: "KKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the secret is public",
        file: "main.tf",
        changes: &[(
            "",
            r#"resource "aws_secretsmanager_secret_policy" "key" {
  secret_arn = aws_secretsmanager_secret.key.arn
  policy     = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Principal = "*", Resource = "*" }] })
}
"#,
        )],
        states: "KKB",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the secret is for an organization",
        file: "main.tf",
        changes: &[(
            r#""NONE"
}
"#,
            r#""AWS_IAM"
}
resource "aws_secretsmanager_secret_policy" "key" {
  secret_arn = aws_secretsmanager_secret.key.arn
  policy     = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Principal = "*", Resource = "*", Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-1234567890" } } }] })
}
"#,
        )],
        states: "KKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the secret is for someone unknown",
        file: "main.tf",
        changes: &[(
            "",
            r#"resource "aws_secretsmanager_secret_policy" "key" {
  secret_arn = aws_secretsmanager_secret.key.arn
  policy     = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Principal = { AWS = var.readers }, Resource = "*" }] })
}
"#,
        )],
        states: "KKU",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the ledger was renamed",
        file: "overgrant.toml",
        changes: &[("aws_dynamodb_table.ledger", "aws_dynamodb_table.ledgers")],
        states: "NKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a service that does not exist",
        file: "overgrant.toml",
        changes: &[(r#""iam:*""#, r#""iamm:*""#)],
        states: "KNK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "AWS manages the policy",
        file: "main.tf",
        changes: &[(
            "",
            r#"resource "aws_iam_role_policy_attachment" "ci" {
  role       = aws_iam_role.ci.name
  policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
}
"#,
        )],
        states: "KBK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a policy of another repository",
        file: "main.tf",
        changes: &[(
            "",
            r#"resource "aws_iam_role_policy_attachment" "ci" {
  role       = aws_iam_role.ci.name
  policy_arn = var.policy
}
"#,
        )],
        states: "UUK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a boundary keeps CI from it",
        file: "main.tf",
        changes: &[
            (r#""s3:*", Resource"#, r#""*", Resource"#),
            (
                r#""aws_iam_role" "ci" {"#,
                r#""aws_iam_role" "ci" {
  permissions_boundary = aws_iam_policy.most.arn"#,
            ),
            (
                "",
                r#"resource "aws_iam_policy" "most" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:*", "logs:*"], Resource = "*" }] })
}
"#,
            ),
        ],
        states: "KKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "the table lets another account in",
        file: "main.tf",
        changes: &[(
            "",
            r#"resource "aws_dynamodb_resource_policy" "ledger" {
  resource_arn = aws_dynamodb_table.ledger.arn
  policy       = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "dynamodb:GetItem", Principal = { AWS = "arn:aws:iam::444455556666:root" }, Resource = "*" }] })
}
"#,
        )],
        states: "BKK",
    },
    ContractMutation {
        base: TERRAFORM,
        what: "a file is broken",
        file: "broken.tf",
        changes: &[("", r#"resource "aws_iam_role" {"#)],
        states: "UUU",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "nothing is changed",
        file: "",
        changes: &[],
        states: "K",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "the role reads the ledger",
        file: "t.yaml",
        changes: &[(r#""arn:aws:dynamodb:*:*:table/orders""#, "!GetAtt Ledger.Arn")],
        states: "B",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "a Deny beside it",
        file: "t.yaml",
        changes: &[(
            r#"[{Effect: Allow, Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:*:*:table/orders"}]"#,
            r#"[{Effect: Allow, Action: "dynamodb:*", Resource: "*"}, {Effect: Deny, Action: "dynamodb:*", Resource: !GetAtt Ledger.Arn}, {Effect: Deny, Action: "dynamodb:*", Resource: !Sub "${Ledger.Arn}/*"}]"#,
        )],
        states: "K",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "the table is a parameter",
        file: "t.yaml",
        changes: &[
            (
                r"Resources:
",
                r"Parameters: {Table: {Type: String}}
Resources:
",
            ),
            (
                r#""arn:aws:dynamodb:*:*:table/orders""#,
                r#"!Sub "arn:aws:dynamodb:*:*:table/${Table}""#,
            ),
        ],
        states: "U",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "the role is allowed",
        file: "ledger.access.toml",
        changes: &[("only = []", r#"only = ["Reader"]"#)],
        states: "K",
    },
    ContractMutation {
        base: SAM,
        what: "nothing is changed",
        file: "",
        changes: &[],
        states: "K",
    },
    ContractMutation {
        base: SAM,
        what: "the function reads the ledger",
        file: "t.yaml",
        changes: &[("!Ref Orders", "!Ref Ledger")],
        states: "B",
    },
    ContractMutation {
        base: POLICY_JSON,
        what: "nothing is changed",
        file: "",
        changes: &[],
        states: "K",
    },
    ContractMutation {
        base: POLICY_JSON,
        what: "another folder",
        file: "ci.json",
        changes: &[("reports/*", "*")],
        states: "B",
    },
    ContractMutation {
        base: POLICY_JSON,
        what: "an action beyond the bound",
        file: "ci.json",
        changes: &[("s3:GetObject", "s3:PutObject")],
        states: "B",
    },
    ContractMutation {
        base: POLICY_JSON,
        what: "the bound was moved",
        file: "ci.access.toml",
        changes: &[("max.json", "most.json")],
        states: "N",
    },
    ContractMutation {
        base: POLICY_JSON,
        what: "a bound with a Deny",
        file: "max.json",
        changes: &[(
            r#""Statement": ["#,
            r#""Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/private/*"}, "#,
        )],
        states: "B",
    },
    ContractMutation {
        base: BOTO3,
        what: "nothing is changed",
        file: "",
        changes: &[],
        states: "K",
    },
    ContractMutation {
        base: BOTO3,
        what: "the role reads the ledger",
        file: "app.py",
        changes: &[("table/orders", "table/ledger")],
        states: "B",
    },
    ContractMutation {
        base: BOTO3,
        what: "the role reads every table",
        file: "app.py",
        changes: &[("table/orders", "table/*")],
        states: "B",
    },
    ContractMutation {
        base: BOTO3,
        what: "the table comes from outside",
        file: "app.py",
        changes: &[(r#""arn:aws:dynamodb:us-east-1:111122223333:table/orders""#, "TABLE")],
        states: "U",
    },
    ContractMutation {
        base: BOTO3,
        what: "another name",
        file: "export.access.toml",
        changes: &[(r#"who = ["export"]"#, r#"who = ["import"]"#)],
        states: "N",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "the ledger has no name, and a pattern covers it",
        file: "t.yaml",
        changes: &[
            (
                r"      TableName: ledger
",
                r"      BillingMode: PAY_PER_REQUEST
",
            ),
            ("table/orders", "table/*Ledger*"),
        ],
        states: "B",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "the ledger has no name, and a reference leads to it",
        file: "t.yaml",
        changes: &[
            (
                r"      TableName: ledger
",
                r"      BillingMode: PAY_PER_REQUEST
",
            ),
            (r#""arn:aws:dynamodb:*:*:table/orders""#, "!GetAtt Ledger.Arn"),
        ],
        states: "B",
    },
    ContractMutation {
        base: CLOUDFORMATION,
        what: "the ledger has no name",
        file: "t.yaml",
        changes: &[(
            r"      TableName: ledger
",
            r"      BillingMode: PAY_PER_REQUEST
",
        )],
        states: "K",
    },
    ContractMutation {
        base: OUTSIDE,
        what: "a service invokes the function",
        file: "",
        changes: &[],
        states: "KKK",
    },
    ContractMutation {
        base: OUTSIDE,
        what: "anyone invokes the function",
        file: "main.tf",
        changes: &[(r#""events.amazonaws.com""#, r#""*""#)],
        states: "BBB",
    },
    ContractMutation {
        base: OUTSIDE,
        what: "another account invokes the function",
        file: "main.tf",
        changes: &[(r#""events.amazonaws.com""#, r#""444455556666""#)],
        states: "KBB",
    },
    ContractMutation {
        base: OUTSIDE,
        what: "another service invokes the function",
        file: "main.tf",
        changes: &[(r#""events.amazonaws.com""#, r#""s3.amazonaws.com""#)],
        states: "KKB",
    },
    ContractMutation {
        base: OUTSIDE,
        what: "who invokes the function is not known",
        file: "main.tf",
        changes: &[(r#""events.amazonaws.com""#, "var.principal")],
        states: "UUU",
    },
    ContractMutation {
        base: TRUST,
        what: "the role trusts a service",
        file: "",
        changes: &[],
        states: "K",
    },
    ContractMutation {
        base: TRUST,
        what: "the role trusts CI",
        file: "main.tf",
        changes: &[(
            r#"Principal = { Service = "ec2.amazonaws.com" }"#,
            "Principal = { AWS = aws_iam_role.ci.arn }",
        )],
        states: "B",
    },
    ContractMutation {
        base: TRUST,
        what: "the role trusts the account, and CI may not",
        file: "main.tf",
        changes: &[
            (
                r#"Principal = { Service = "ec2.amazonaws.com" }"#,
                r#"Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }"#,
            ),
            (
                "",
                r#"data "aws_caller_identity" "me" {}
"#,
            ),
        ],
        states: "K",
    },
    ContractMutation {
        base: TRUST,
        what: "the role trusts the account, and CI may",
        file: "main.tf",
        changes: &[
            (
                r#"Principal = { Service = "ec2.amazonaws.com" }"#,
                r#"Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }"#,
            ),
            (r#""s3:*""#, r#""sts:AssumeRole""#),
            (
                "",
                r#"data "aws_caller_identity" "me" {}
"#,
            ),
        ],
        states: "B",
    },
];

impl ContractMutation {
    fn files(&self) -> Vec<(&'static str, String)> {
        let mut files: Vec<(&str, String)> = self
            .base
            .iter()
            .map(|(path, text)| (*path, (*text).to_owned()))
            .collect();
        if !self.file.is_empty() && files.iter().all(|(path, _)| *path != self.file) {
            files.push((self.file, String::new()));
        }
        for (path, text) in files.iter_mut().filter(|(path, _)| *path == self.file) {
            for (from, to) in self.changes {
                match from.is_empty() {
                    true => text.push_str(to),
                    false => {
                        assert!(text.contains(from), "{}: {path} has no {from}", self.what);
                        *text = text.replacen(from, to, 1);
                    }
                }
            }
        }
        files
    }
}

fn repository(files: &[(&'static str, String)]) -> Repository {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    Repository::new(&files)
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn states(json: &Value) -> String {
    let state = |c: &Value| match (c["state"].as_str(), list(c, "names_nothing").is_empty()) {
        (Some("kept"), true) => 'K',
        (Some("broken"), _) => 'B',
        (Some("undecided"), true) => 'U',
        (Some("undecided"), false) => 'N',
        _ => '?',
    };
    list(json, "contracts").iter().map(state).collect()
}

#[test]
fn mutations_break_keep_and_leave_open() {
    let mut wrong = Vec::new();
    for m in MUTATIONS {
        let r = repository(&m.files());
        let ran = r.run(&["contracts", "--format", "json"]);
        let json = ran.json();
        let found = states(&json);
        if found != m.states {
            wrong.push(format!("{}: {found}, not {}", m.what, m.states));
        }
        let fails = m.states.contains('B') || !list(&json, "errors").is_empty();
        if ran.code != i32::from(fails) {
            wrong.push(format!("{}: exit code {}", m.what, ran.code));
        }
        for c in list(&json, "contracts") {
            for b in list(c, "broken_by") {
                let request = &b["request"];
                let whole = ["principal", "action", "resource", "context"];
                if !whole.iter().all(|key| !request[key].is_null()) {
                    wrong.push(format!("{}: no request in {b}", m.what));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A request of a broken contract is one that `can` allows.
#[test]
fn requests_are_allowed() {
    for m in MUTATIONS
        .iter()
        .filter(|m| m.states.starts_with('B') && m.file == "main.tf")
    {
        let r = repository(&m.files());
        let json = r.run(&["contracts", "--format", "json"]).json();
        let first = &list(&json["contracts"][0], "broken_by")[0];
        let who = first["who"].as_str().unwrap();
        if !who.starts_with("aws_iam_role.") {
            continue;
        }
        let (action, resource) = (&first["request"]["action"], &first["request"]["resource"]);
        let ask = [
            "can",
            who,
            action.as_str().unwrap(),
            resource.as_str().unwrap(),
            "--format",
            "json",
        ];
        let answer = r.run(&ask).json();
        assert_ne!(answer["decision"], "implicitly-denied", "{}: {answer}", m.what);
        assert_ne!(answer["decision"], "explicitly-denied", "{}: {answer}", m.what);
    }
}

fn mutation(what: &str) -> &'static ContractMutation {
    MUTATIONS.iter().find(|m| m.what == what).unwrap()
}

#[test]
fn findings_stand_at_the_token_and_have_the_path() {
    let r = repository(&mutation("the public function reads the secret").files());
    let report = r.run(&["check", "--only", "contracts", "--format", "json"]).json();
    let [finding] = list(&report, "findings") else {
        panic!("{report}");
    };
    assert_eq!(finding["rule"], "contract-broken");
    let text = finding.to_string();
    assert!(text.contains("secretsmanager:GetSecretValue"), "{text}");
    assert!(text.contains("anyone → function/api → role/api"), "{text}");
    let human = r.run(&["contracts"]);
    assert!(
        human.out.contains("broken: nothing public reaches a secret"),
        "{}",
        human.out
    );
    assert!(
        human.out.contains("function/api has the credentials of the role"),
        "{}",
        human.out
    );

    let r = repository(&mutation("a pattern that covers the ledger").files());
    let report = r
        .run(&["check", "--only", "contract-broken", "--format", "json"])
        .json();
    let at = &list(&report, "findings")[0]["labels"][0];
    let text = r.read("main.tf");
    let offset = |end: &str| usize::try_from(at["span"][end]["offset"].as_u64().unwrap()).unwrap();
    assert_eq!(&text[offset("start")..offset("end")], "\"dynamodb:Scan\"", "{report}");
}

#[test]
fn what_is_wrong_in_a_contract_is_told_with_its_place() {
    let bad = [
        ("name = 'a'\nwho = ['x']\nnevr = ['s3:*']\n", "unknown key `nevr`"),
        ("name = 'a'\nnever = ['s3:*']\nreach = 'far'\n", "unknown value `far`"),
        ("name = 'a'\n", "this contract has neither"),
        ("name = 'a'\nnever = []\n", "`never` is an empty list"),
        ("name = 'a'\nactions = ['s3:*']\n", "`actions` needs `only`"),
        ("name = 'a'\nonly = ['x']\n", "`only` needs `actions`"),
        ("never = ['s3:*']\n", "this contract has no `name`"),
    ];
    for (terms, message) in bad {
        let text = format!("[[contract]]\n{terms}");
        let r = Repository::new(&[("overgrant.toml", &text), ("main.tf", "")]);
        let ran = r.run(&["contracts"]);
        assert_eq!(ran.code, 2, "{terms}: {}", ran.err);
        assert!(ran.err.contains(message), "{terms}: {}", ran.err);
        let r = Repository::new(&[("a.access.toml", &text), ("main.tf", "")]);
        let ran = r.run(&["contracts"]);
        assert_eq!(ran.code, 1, "{terms}: {}", ran.out);
        let report = r.run(&["check", "--format", "json"]).json();
        assert_eq!(list(&report, "findings")[0]["rule"], "unreadable-input", "{report}");
    }
}

/// Names are looked for at and below the folder of an access file first.
#[test]
fn an_access_file_is_about_its_folder() {
    let table = "resource \"aws_dynamodb_table\" \"t\" {\n  name = \"NAME\"\n}\nresource \"aws_iam_user\" \"u\" {\n  name = \"NAME\"\n}\n\
                 resource \"aws_iam_user_policy\" \"u\" {\n  user   = aws_iam_user.u.name\n  policy = jsonencode({ Version = \"2012-10-17\", \
                 Statement = [{ Effect = \"Allow\", Action = \"dynamodb:GetItem\", Resource = aws_dynamodb_table.t.arn }] })\n}\n";
    let contract = "[[contract]]\nname = \"a\"\nactions = [\"dynamodb:*\"]\nresources = [\"aws_dynamodb_table.t\"]\nonly = [\"aws_iam_user.u\"]\n";
    let (one, two) = (table.replace("NAME", "one"), table.replace("NAME", "two"));
    let r = Repository::new(&[
        ("one/main.tf", &one),
        ("two/main.tf", &two),
        ("one/t.access.toml", contract),
    ]);
    assert_eq!(states(&r.run(&["contracts", "--format", "json"]).json()), "K");
    let both = one.replace("aws_dynamodb_table.t.arn", "\"arn:aws:dynamodb:*:*:table/two\"");
    let r = Repository::new(&[
        ("one/main.tf", &both),
        ("two/main.tf", &two),
        ("two/t.access.toml", contract),
    ]);
    assert_eq!(states(&r.run(&["contracts", "--format", "json"]).json()), "B");
}

#[test]
fn init_proposes_contracts_that_are_kept() {
    let files = mutation("nothing is changed").files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let files: Vec<(&str, &str)> = files
        .into_iter()
        .filter(|(path, _)| *path != "overgrant.toml")
        .collect();
    let r = Repository::new(&files);
    assert_eq!(r.run(&["init"]).code, 0);
    let text = r.read("overgrant.toml");
    assert_eq!(text.matches("\n[[contract]]\n").count(), 3, "{text}");
    let ran = r.run(&["contracts", "--format", "json"]);
    assert_eq!((states(&ran.json()).as_str(), ran.code), ("KKK", 0), "{text}");
}

#[test]
fn undecided_contracts_fail_on_request() {
    let r = repository(&mutation("a policy of another repository").files());
    assert_eq!(r.run(&["contracts"]).code, 0);
    assert_eq!(r.run(&["contracts", "--fail-on-unjudged"]).code, 1);
    let none = Repository::new(&[("main.tf", "")]);
    assert_eq!(none.run(&["contracts"]).out, "No contracts.\n");
}
