//! Repositories made by rule, as large as asked for.

use std::fmt::Write as _;

/// Resources that each module of [`terraform`] declares.
pub(crate) const RESOURCES_PER_MODULE: usize = 5;
/// Modules that one root calls.
const MODULES_PER_ROOT: usize = 50;

/// `modules` modules in as many folders: each with a role, a policy from a document, its attachment, an inline policy and a
/// function; called from roots of fifty, each getting an output of the one before.
pub(crate) fn terraform(modules: usize) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut root = String::new();
    for i in 0..modules {
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
        if (i + 1) % MODULES_PER_ROOT == 0 || i + 1 == modules {
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
