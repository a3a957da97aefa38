//! What holds at the default of an input: what is lacking there may be given.

use serde_json::Value as Json;

use crate::support::repository::Repository;

/// All findings of a run.
fn found(files: &[(&str, &str)], only: &[&str]) -> Vec<Json> {
    let mut args = vec!["check", "--isolated", "-f", "json"];
    for rule in only {
        args.extend(["--only", rule]);
    }
    let ran = Repository::new(files).run(&args);
    ran.json()["findings"].as_array().unwrap().clone()
}

/// Each `rule severity confidence`.
fn shown(all: &[Json]) -> Vec<String> {
    let word = |f: &Json, key: &str| f[key].as_str().unwrap().to_owned();
    all.iter()
        .map(|f| format!("{} {} {}", word(f, "rule"), word(f, "severity"), word(f, "confidence")))
        .collect()
}

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
        "[for k, v in var.map : \"arn:aws:iam::${k}:role/${v}\"]",
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
        let root = found(&[("main.tf", &text)], &CLOSED);
        match value {
            // The user of the repository sets it, and the empty list is what holds otherwise.
            "var.list" | "local.given" => {
                assert!(shown(&root).iter().all(|f| f.ends_with(" low low")), "{value}");
                assert!(shown(&root).iter().all(|f| !f.contains("redundant")), "{value}");
            }
            _ => assert_eq!(shown(&root), Vec::<String>::new(), "{value}"),
        }
        let call = "module \"m\" {\n  source = \"./m\"\n}\n";
        let called = found(&[("main.tf", call), ("m/main.tf", &text)], &CLOSED);
        assert_eq!(shown(&called), Vec::<String>::new(), "{value} of a module");
    }
    let empty = r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = concat([], []) }] })
}
"#;
    assert_eq!(
        shown(&found(&[("main.tf", empty)], &CLOSED)),
        ["empty-resource-list medium high"]
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
    let all = found(&[("main.tf", &text)], &["service-wildcard"]);
    assert_eq!(all.len(), 1, "{all:?}");
    let ran = Repository::new(&[("main.tf", &text)]).run(&["check", "--isolated", "-f", "json"]);
    assert_eq!(ran.json()["unjudged"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_time_that_a_default_gives_may_be_another() {
    let json = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*", "Condition": {"DateLessThan": {"aws:CurrentTime": UNTIL}}}]}"#;
    let template = format!(
        "Parameters:\n  Until:\n    Type: String\n    Default: 2001-01-01T00:00:00Z\nResources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument: {}\n",
        json.replace("UNTIL", r#"{"Ref": "Until"}"#)
    );
    let statements = json[json.find('[').unwrap()..].trim_end_matches('}');
    let service = |until: &str| {
        format!(
            "service: s\nprovider:\n  name: aws\n  iam:\n    role:\n      statements: {}\nfunctions: {{}}\n",
            format!("{statements}}}]")
                .replace("}}]}]", "}}]")
                .replace("UNTIL", until)
        )
    };
    let terraform = format!(
        "{INPUTS}resource \"aws_iam_policy\" \"p\" {{\n  policy = jsonencode({})\n}}\n",
        json.replace("UNTIL", "var.until")
    );
    let fallback = service(r#""${opt:until, '2001-01-01T00:00:00Z'}""#);
    for (name, text) in [
        ("t.yaml", &template),
        ("serverless.yml", &fallback),
        ("main.tf", &terraform),
    ] {
        let all = found(&[(name, text)], &["statement-no-effect"]);
        assert_eq!(shown(&all), Vec::<String>::new(), "{text}");
    }
    let written = service(r#""2001-01-01T00:00:00Z""#);
    let all = found(&[("serverless.yml", &written)], &["statement-no-effect"]);
    assert_eq!(shown(&all), ["statement-no-effect medium high"], "{written}");
}

#[test]
fn a_fallback_that_is_empty_is_no_value() {
    let text = "service: s\nprovider:\n  name: aws\n  iam:\n    role:\n      statements:\n        - Effect: Allow\n          Action: s3:GetObject\n          Resource: ${param:arns, ''}\nfunctions: {}\n";
    assert_eq!(
        shown(&found(&[("serverless.yml", text)], &CLOSED)),
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
        "var.blank == \"\" ? [] : [1]",
        "var.none != null ? [var.none] : []",
        "try(var.list[0], \"\") != \"\" ? [1] : []",
    ] {
        let text = format!("{INPUTS}{}", LOGS.replace("EACH", each));
        let all = found(&[("main.tf", &text)], &["service-principal-without-source"]);
        assert_eq!(shown(&all), ["service-principal-without-source low low"], "{each}");
        let safe = |f: &Json| {
            f["fixes"]
                .as_array()
                .is_some_and(|all| all.iter().any(|x| x["safety"] == "safe"))
        };
        assert!(!all.iter().any(safe), "{each}");
    }
    let none = format!("{INPUTS}{}", LOGS.replace("EACH", "[]"));
    let all = found(&[("main.tf", &none)], &["service-principal-without-source"]);
    assert_eq!(shown(&all), ["service-principal-without-source medium high"]);
}

#[test]
fn a_statement_that_a_flag_adds_is_said_to_be_off() {
    for each in [
        "var.flag ? [1] : []",
        "local.more",
        "length(var.list) > 0 ? [1] : []",
        "local.on ? [1] : []",
        "toset(local.on ? [\"x\"] : [])",
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
        let all = found(&[("main.tf", &text)], &["service-wildcard"]);
        assert_eq!(shown(&all), ["service-wildcard low high"], "{each}");
        let notes = all[0]["notes"].to_string();
        assert!(
            notes.contains("by default this is not deployed") && notes.contains("holds "),
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
    let all = found(&[("main.tf", &text)], &["resource-policy-public"]);
    assert_eq!(shown(&all), ["resource-policy-public low high"]);
    assert!(
        all[0]["notes"].to_string().contains("holds if var.flag is true"),
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
    let call = "module \"m\" {\n  source = \"./m\"\n  policy = data.aws_iam_policy_document.d.json\n}\n";
    let root = format!("{}{call}", document("the-bucket-arn"));
    let all = found(&[("main.tf", &root), ("m/main.tf", child)], &["arn-bad-prefix"]);
    assert_eq!(shown(&all), Vec::<String>::new());
    // What replaces it is not here.
    let remote = root
        .replace("./m", "example/m/aws")
        .replace("the-bucket-arn", "_BUCKET_ARN_");
    assert_eq!(
        shown(&found(&[("main.tf", &remote)], &["arn-bad-prefix"])),
        Vec::<String>::new()
    );
    // Nothing replaces this one.
    let other = format!("{}{call}", document("another-bucket-arn"));
    let all = found(&[("main.tf", &other), ("m/main.tf", child)], &["arn-bad-prefix"]);
    assert_eq!(shown(&all), ["arn-bad-prefix high high"]);
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
    let role = "resource \"aws_iam_role\" \"r\" {\n  assume_role_policy = data.aws_iam_policy_document.t.json\n}\n";
    let output = "output \"trust\" {\n  value = data.aws_iam_policy_document.t.json\n}\n";
    let module = "module \"r\" {\n  source = \"example/role/aws\"\n  trust = data.aws_iam_policy_document.t.json\n}\n";
    for (more, severity) in [("", "low"), (output, "low"), (role, "medium"), (module, "medium")] {
        let text = format!("{document}{more}");
        let all = found(&[("main.tf", &text)], &["trust-cross-account-without-external-id"]);
        let expected = format!("trust-cross-account-without-external-id {severity} low");
        assert_eq!(shown(&all), [expected], "{more}");
    }
}
