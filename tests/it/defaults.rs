//! What holds at the default of an input: what is lacking there may be given.

use serde_json::Value as Json;

use crate::support::repository::{Repository, findings_of, grades};

/// Rules that object to what is lacking, empty, said elsewhere, or never met.
const CLOSED: [&str; 9] = [
    "arn-bad-prefix",
    "condition-empty-values",
    "empty-action-list",
    "empty-principal",
    "empty-resource-list",
    "missing-resource",
    "missing-statement",
    "redundant-statement",
    "statement-no-effect",
];

const INPUTS: &str = r#"
variable "list" {
  type    = list(string)
  default = []
}
variable "map" {
  type    = map(string)
  default = {}
}
variable "objects" {
  type    = list(object({ arn = string, on = bool }))
  default = []
}
variable "blank" {
  type    = string
  default = ""
}
variable "none" {
  type    = string
  default = null
}
variable "flag" {
  type    = bool
  default = false
}
variable "until" {
  type    = string
  default = "2001-01-01T00:00:00Z"
}
locals {
  all   = sort(distinct(concat(var.list, keys(var.map), [for o in var.objects : o.arn if o.on])))
  given = compact([var.blank, var.none])
  more  = var.flag ? ["arn:aws:iam::111122223333:role/more"] : []
}
"#;

#[test]
fn what_an_input_may_fill_is_not_empty() {
    let values = [
        "var.list",
        "local.all",
        "local.given",
        "local.more",
        "keys(var.map)",
        "values(var.map)",
        "flatten([var.list, local.more])",
        "setunion(var.list, keys(var.map))",
        "[for o in var.objects : o.arn]",
        r#"[for k, v in var.map : "arn:aws:iam::${k}:role/${v}"]"#,
        "var.objects[*].arn",
    ];
    for value in values {
        let document = format!(
            r#"
data "aws_iam_policy_document" "d" {{
  statement {{
    actions   = ["kms:*"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:role/admin"]
    }}
  }}
  statement {{
    actions   = ["kms:Decrypt"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = {value}
    }}
  }}
  statement {{
    actions   = ["kms:Encrypt"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = concat(["arn:aws:iam::111122223333:role/admin"], {value})
    }}
    condition {{
      test     = "StringEquals"
      variable = "aws:PrincipalArn"
      values   = {value}
    }}
  }}
}}
resource "aws_kms_key" "k" {{
  policy = data.aws_iam_policy_document.d.json
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [
      {{ Effect = "Allow", Action = "s3:GetObject", Resource = {value} }},
      {{ Effect = "Allow", Action = {value}, Resource = "arn:aws:s3:::orders/*" }},
    ]
  }})
}}
resource "aws_iam_policy" "q" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = {value} }})
}}
"#
        );
        let text = format!("{INPUTS}{document}");
        let root = findings_of(&CLOSED, &[("main.tf", &text)]);
        match value {
            // The user of the repository sets it, and the empty list is what holds otherwise.
            "var.list" | "local.given" | "local.more" => {
                assert!(grades(&root).iter().all(|f| f.ends_with(" low low")), "{value}");
                assert!(grades(&root).iter().all(|f| !f.contains("redundant")), "{value}");
            }
            _ => assert_eq!(grades(&root), Vec::<String>::new(), "{value}"),
        }
        let call = r#"module "m" {
  source = "./m"
}
"#;
        let called = findings_of(&CLOSED, &[("main.tf", call), ("m/main.tf", &text)]);
        assert_eq!(grades(&called), Vec::<String>::new(), "{value} of a module");
    }
    let empty = r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = concat([], []) }] })
}
"#;
    assert_eq!(
        grades(&findings_of(&CLOSED, &[("main.tf", empty)])),
        ["empty-resource-list medium high"]
    );
}

#[test]
fn an_empty_list_of_a_block_and_an_empty_part_of_an_arn_are_what_a_default_gives() {
    let document = |argument: &str| {
        format!(
            r#"{INPUTS}
data "aws_iam_policy_document" "d" {{
  statement {{
    actions = ["s3:GetObject"]
    {argument}
  }}
}}
resource "aws_iam_policy" "p" {{
  policy = data.aws_iam_policy_document.d.json
}}
"#
        )
    };
    let name = r#"var.flag ? "orders" : """#;
    for (argument, expected) in [
        ("resources = var.list".to_owned(), &["empty-resource-list low low"][..]),
        ("resources = local.more".to_owned(), &[]),
        ("not_resources = var.list".to_owned(), &[]),
        ("resources = []".to_owned(), &["missing-resource high high"]),
        (format!(r#"resources = ["arn:aws:s3:::${{{name}}}"]"#), &[]),
        (format!(r#"resources = ["arn:aws:s3:::${{{name}}}/*"]"#), &[]),
        (
            r#"resources = ["arn:aws:s3:::"]"#.to_owned(),
            &["arn-missing-fields high high"],
        ),
    ] {
        let mut rules = CLOSED.to_vec();
        rules.push("arn-missing-fields");
        let found = findings_of(&rules, &[("main.tf", &document(&argument))]);
        assert_eq!(grades(&found), expected, "{argument}");
    }
    let heredoc = format!(
        r#"{INPUTS}
resource "aws_iam_policy" "p" {{
  policy = <<EOF
{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": ["arn:aws:s3:::${{{name}}}"]}}]}}
EOF
}}
"#
    );
    assert_eq!(
        grades(&findings_of(&["arn-missing-fields"], &[("main.tf", &heredoc)])),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_default_gives_is_judged_all_the_same() {
    let text = format!(
        r#"{INPUTS}
variable "actions" {{
  default = ["iam:*"]
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = concat(var.actions, var.list), Resource = concat(["*"], local.all) }}]
  }})
}}
"#
    );
    let all = findings_of(&["service-wildcard"], &[("main.tf", &text)]);
    assert_eq!(all.len(), 1, "{all:?}");
    let ran = Repository::new(&[("main.tf", &text)]).run(&["check", "--isolated", "-f", "json"]);
    assert_eq!(ran.json()["unjudged"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_time_that_a_default_gives_may_be_another() {
    let json = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*", "Condition": {"DateLessThan": {"aws:CurrentTime": UNTIL}}}]}"#;
    let template = format!(
        r"Parameters:
  Until:
    Type: String
    Default: 2001-01-01T00:00:00Z
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {}
",
        json.replace("UNTIL", r#"{"Ref": "Until"}"#)
    );
    let statements = json[json.find('[').unwrap()..].trim_end_matches('}');
    let service = |until: &str| {
        format!(
            r"service: s
provider:
  name: aws
  iam:
    role:
      statements: {}
functions: {{}}
",
            format!("{statements}}}]")
                .replace("}}]}]", "}}]")
                .replace("UNTIL", until)
        )
    };
    let terraform = format!(
        r#"{INPUTS}resource "aws_iam_policy" "p" {{
  policy = jsonencode({})
}}
"#,
        json.replace("UNTIL", "var.until")
    );
    let fallback = service(r#""${opt:until, '2001-01-01T00:00:00Z'}""#);
    for (name, text) in [
        ("t.yaml", &template),
        ("serverless.yml", &fallback),
        ("main.tf", &terraform),
    ] {
        let all = findings_of(&["statement-no-effect"], &[(name, text)]);
        assert_eq!(grades(&all), Vec::<String>::new(), "{text}");
    }
    let written = service(r#""2001-01-01T00:00:00Z""#);
    let all = findings_of(&["statement-no-effect"], &[("serverless.yml", &written)]);
    assert_eq!(grades(&all), ["statement-no-effect medium high"], "{written}");
}

#[test]
fn a_fallback_that_is_empty_is_no_value() {
    let text = r"service: s
provider:
  name: aws
  iam:
    role:
      statements:
        - Effect: Allow
          Action: s3:GetObject
          Resource: ${param:arns, ''}
functions: {}
";
    assert_eq!(
        grades(&findings_of(&CLOSED, &[("serverless.yml", text)])),
        Vec::<String>::new()
    );
}

const LOGS: &str = r#"
resource "aws_s3_bucket" "b" {
  bucket = "orders-logs"
}
resource "aws_s3_bucket_policy" "p" {
  bucket = aws_s3_bucket.b.id
  policy = data.aws_iam_policy_document.d.json
}
data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.b.arn}/*"]
    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }
    dynamic "condition" {
      for_each = EACH
      content {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = ["111122223333"]
      }
    }
  }
}
"#;

#[test]
fn a_condition_that_an_input_adds_is_not_surely_missing() {
    for each in [
        "var.list",
        "toset(var.list)",
        "var.map",
        "length(var.list) > 0 ? [1] : []",
        "length(var.list) != 0 ? [1] : []",
        "var.flag ? [1] : []",
        "local.more",
        r#"var.blank == "" ? [] : [1]"#,
        "var.none != null ? [var.none] : []",
        r#"try(var.list[0], "") != "" ? [1] : []"#,
    ] {
        let text = format!("{INPUTS}{}", LOGS.replace("EACH", each));
        let all = findings_of(&["service-principal-without-source"], &[("main.tf", &text)]);
        assert_eq!(grades(&all), ["service-principal-without-source low low"], "{each}");
        let safe = |f: &Json| {
            f["fixes"]
                .as_array()
                .is_some_and(|all| all.iter().any(|x| x["safety"] == "safe"))
        };
        assert!(!all.iter().any(safe), "{each}");
    }
    let none = format!("{INPUTS}{}", LOGS.replace("EACH", "[]"));
    let all = findings_of(&["service-principal-without-source"], &[("main.tf", &none)]);
    assert_eq!(grades(&all), ["service-principal-without-source medium high"]);
}

#[test]
fn a_statement_that_a_flag_adds_is_said_to_be_off() {
    for each in [
        "var.flag ? [1] : []",
        "local.more",
        "length(var.list) > 0 ? [1] : []",
        "local.on ? [1] : []",
        r#"toset(local.on ? ["x"] : [])"#,
    ] {
        let text = format!(
            r#"{INPUTS}
locals {{
  on = var.flag && length(var.list) > 0
}}
data "aws_iam_policy_document" "d" {{
  statement {{
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::orders/*"]
  }}
  dynamic "statement" {{
    for_each = {each}
    content {{
      actions   = ["sqs:*"]
      resources = ["*"]
    }}
  }}
}}
resource "aws_iam_policy" "p" {{
  policy = data.aws_iam_policy_document.d.json
}}
"#
        );
        let all = findings_of(&["service-wildcard"], &[("main.tf", &text)]);
        assert_eq!(grades(&all), ["service-wildcard low high"], "{each}");
        let notes = all[0]["notes"].to_string();
        assert!(
            notes.contains("by default, not deployed") && notes.contains("applies "),
            "{each}: {notes}"
        );
    }
}

#[test]
fn a_document_out_of_a_list_exists_where_its_flag_is_on() {
    let text = format!(
        r#"{INPUTS}
data "aws_iam_policy_document" "d" {{
  count = var.flag ? 1 : 0
  statement {{
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::orders/*"]
    principals {{
      type        = "AWS"
      identifiers = length(var.list) > 0 ? var.list : ["*"]
    }}
  }}
}}
resource "aws_s3_bucket_policy" "p" {{
  bucket = "orders"
  policy = join("", data.aws_iam_policy_document.d[*].json)
}}
"#
    );
    let all = findings_of(&["resource-policy-public"], &[("main.tf", &text)]);
    assert_eq!(grades(&all), ["resource-policy-public low high"]);
    assert!(
        all[0]["notes"].to_string().contains("applies if var.flag is true"),
        "{all:?}"
    );
}

#[test]
fn a_token_that_is_replaced_is_no_value() {
    let document = |resource: &str| {
        format!(
            r#"
data "aws_iam_policy_document" "d" {{
  statement {{
    actions   = ["s3:ListBucket"]
    resources = ["{resource}"]
    principals {{
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:role/x"]
    }}
  }}
}}
"#
        )
    };
    let child = r#"
variable "policy" {}
resource "aws_s3_bucket" "b" {
  bucket = "orders"
}
resource "aws_s3_bucket_policy" "p" {
  bucket = aws_s3_bucket.b.id
  policy = replace(var.policy, "the-bucket-arn", aws_s3_bucket.b.arn)
}
"#;
    let call = r#"module "m" {
  source = "./m"
  policy = data.aws_iam_policy_document.d.json
}
"#;
    let root = format!("{}{call}", document("the-bucket-arn"));
    let all = findings_of(&["arn-bad-prefix"], &[("main.tf", &root), ("m/main.tf", child)]);
    assert_eq!(grades(&all), Vec::<String>::new());
    // What replaces it is not here.
    let remote = root
        .replace("./m", "example/m/aws")
        .replace("the-bucket-arn", "_BUCKET_ARN_");
    assert_eq!(
        grades(&findings_of(&["arn-bad-prefix"], &[("main.tf", &remote)])),
        Vec::<String>::new()
    );
    // Nothing replaces this one.
    let other = format!("{}{call}", document("another-bucket-arn"));
    let all = findings_of(&["arn-bad-prefix"], &[("main.tf", &other), ("m/main.tf", child)]);
    assert_eq!(grades(&all), ["arn-bad-prefix high high"]);
}

#[test]
fn a_trust_policy_that_no_role_has_is_of_low_severity() {
    let document = r#"
data "aws_iam_policy_document" "t" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"]
    }
  }
}
"#;
    let role = r#"resource "aws_iam_role" "r" {
  assume_role_policy = data.aws_iam_policy_document.t.json
}
"#;
    let output = r#"output "trust" {
  value = data.aws_iam_policy_document.t.json
}
"#;
    let module = r#"module "r" {
  source = "example/role/aws"
  trust = data.aws_iam_policy_document.t.json
}
"#;
    for (more, severity) in [("", "low"), (output, "low"), (role, "medium"), (module, "medium")] {
        let text = format!("{document}{more}");
        let all = findings_of(&["trust-cross-account-without-external-id"], &[("main.tf", &text)]);
        let expected = format!("trust-cross-account-without-external-id {severity} low");
        assert_eq!(grades(&all), [expected], "{more}");
    }
}
