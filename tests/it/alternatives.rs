//! What exists under conditions only: reported as if it were the value, and never combined with what never stands beside it.

use crate::support::repository::Repository;

/// The findings of a file, `rule: notes`, of those rules.
fn with_notes(name: &str, text: &str, rules: &[&str]) -> Vec<String> {
    let findings = Repository::new(&[(name, text)]).check(&["."]).findings();
    let said = |f: &serde_json::Value| {
        let notes: Vec<&str> = f["notes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|n| n.as_str())
            .collect();
        format!(
            "{} {}: {}",
            f["rule"].as_str().unwrap(),
            f["severity"].as_str().unwrap(),
            notes.join("; ")
        )
    };
    let of = |f: &&serde_json::Value| rules.iter().any(|r| f["rule"] == *r || f["family"] == *r);
    findings.iter().filter(of).map(said).collect()
}

const LOCK: &str = r#"{"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}"#;

/// A queue policy of CloudFormation in which these stand for principal and condition.
fn queue(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Conditions": {{"Lock": {{"Fn::Equals": [{{"Ref": "AWS::Region"}}, "eu-west-1"]}},
  "Open": {{"Fn::Not": [{{"Condition": "Lock"}}]}},
  "Both": {{"Fn::And": [{{"Condition": "Lock"}}, {{"Fn::Equals": [{{"Ref": "AWS::StackName"}}, "a"]}}]}}}},
 "Resources": {{"Q": {{"Type": "AWS::SQS::QueuePolicy", "Properties": {{"Queues": ["q"], "PolicyDocument": {{"Version": "2012-10-17",
  "Statement": [{{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Principal": {principal}{condition}}}]}}}}}}}}}}"#
    )
}

#[test]
fn a_condition_that_one_case_leaves_out() {
    let none = r#"{"Ref": "AWS::NoValue"}"#;
    let own = r#"{"AWS": "arn:aws:iam::111122223333:role/a"}"#;
    let either = |name: &str, yes: &str, no: &str| format!(r#"{{"Fn::If": ["{name}", {yes}, {no}]}}"#);
    let with = |condition: &str| format!(r#", "Condition": {condition}"#);
    for (principal, condition, label) in [
        (r#""*""#.to_owned(), with(LOCK), None),
        (
            r#""*""#.to_owned(),
            with(&either("Lock", LOCK, none)),
            Some("applies unless Lock"),
        ),
        (
            r#""*""#.to_owned(),
            with(&either("Open", none, LOCK)),
            Some("applies if Open"),
        ),
        (r#""*""#.to_owned(), with(&either("Lock", LOCK, LOCK)), None),
        // The condition is there whenever everyone is let in.
        (either("Lock", r#""*""#, own), with(&either("Lock", LOCK, none)), None),
        (either("Open", own, r#""*""#), with(&either("Lock", LOCK, none)), None),
        (either("Both", r#""*""#, own), with(&either("Lock", LOCK, none)), None),
        // It is not.
        (
            either("Lock", r#""*""#, own),
            with(&either("Lock", none, LOCK)),
            Some("applies if Lock"),
        ),
        (
            either("Lock", r#""*""#, own),
            with(&either("Both", LOCK, none)),
            Some("applies"),
        ),
    ] {
        let text = queue(&principal, &condition);
        let found = with_notes("t.json", &text, &["resource-policy-public"]);
        match label {
            Some(label) => assert!(
                matches!(found.as_slice(), [f] if (f.contains(" high") || f.contains(" critical")) && f.contains(label)),
                "{text}: {found:?}"
            ),
            None => assert!(found.is_empty(), "{text}: {found:?}"),
        }
    }
}

/// A policy of Terraform, with a variable that no one knows, in which these stand for effect and action.
fn staged_policy(effect: &str, action: &str) -> String {
    format!(
        r#"variable "stage" {{}}
locals {{
  dev = var.stage == "dev"
  effects = {{ dev = "Allow", prod = "Deny" }}
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = {effect}, Action = {action}, Resource = "*" }}] }})
}}
"#
    )
}

#[test]
fn an_effect_that_a_condition_decides() {
    for (effect, action, is_admin) in [
        (r#"local.dev ? "Allow" : "Deny""#, r#""*""#, true),
        (r#"!local.dev ? "Deny" : "Deny""#, r#""*""#, false),
        (
            r#"local.dev ? "Allow" : "Deny""#,
            r#"local.dev ? "s3:ListAllMyBuckets" : "*""#,
            false,
        ),
        (
            r#"local.dev ? "Allow" : "Deny""#,
            r#"var.stage == "dev" ? "s3:ListAllMyBuckets" : "*""#,
            false,
        ),
        (
            r#"local.dev ? "Allow" : "Deny""#,
            r#"var.stage == "prod" ? "*" : "s3:ListAllMyBuckets""#,
            false,
        ),
        (
            r#"var.stage != "dev" ? "Allow" : "Deny""#,
            r#"var.stage == "prod" ? "*" : "s3:ListAllMyBuckets""#,
            true,
        ),
        ("local.effects[var.stage]", r#""*""#, true),
        (
            r#"lookup(local.effects, var.stage, "Deny")"#,
            r#"var.stage == "prod" ? "*" : "s3:ListAllMyBuckets""#,
            false,
        ),
    ] {
        let text = staged_policy(effect, action);
        let found = with_notes("main.tf", &text, &["admin-star-star"]);
        assert_eq!(!found.is_empty(), is_admin, "{text}: {found:?}");
    }
}

#[test]
fn settings_that_a_condition_decides() {
    let permission = |principal: &str, source: &str| {
        format!(
            r#"variable "pub" {{}}
resource "aws_lambda_permission" "p" {{
  function_name = "f"
  action = "lambda:InvokeFunction"
  principal = {principal}
  source_account = {source}
}}
"#
        )
    };
    let service = r#""sns.amazonaws.com""#;
    let account = r#""111122223333""#;
    for (principal, source, rule, is_open) in [
        (
            service.to_owned(),
            format!("var.pub ? null : {account}"),
            "lambda-permission-without-source",
            true,
        ),
        (
            service.to_owned(),
            account.to_owned(),
            "lambda-permission-without-source",
            false,
        ),
        // Without a source where no service is let in.
        (
            format!("var.pub ? {account} : {service}"),
            format!("var.pub ? null : {account}"),
            "lambda-permission-without-source",
            false,
        ),
        (
            format!(r#"var.pub ? "*" : {account}"#),
            "null".to_owned(),
            "lambda-permission-public",
            true,
        ),
    ] {
        let text = permission(&principal, &source);
        let found = with_notes("main.tf", &text, &[rule]);
        assert_eq!(!found.is_empty(), is_open, "{text}: {found:?}");
        assert!(found.iter().all(|f| f.contains("var.pub")), "{found:?}");
    }
}

#[test]
fn python_that_adds_a_condition_in_one_case() {
    let text = |change: &str| {
        format!(
            r#"import boto3, json

def f(lock):
    s = {{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::orders/*"}}
    {change}
    boto3.client("s3").put_bucket_policy(Bucket="orders", Policy=json.dumps({{"Version": "2012-10-17", "Statement": [s]}}))
"#
        )
    };
    for (change, is_public) in [
        (format!(r#"s["Condition"] = {LOCK}"#), false),
        (
            format!(
                r#"if lock:
        s["Condition"] = {LOCK}"#
            ),
            true,
        ),
        (
            format!(
                r#"if lock:
        s.update({{"Condition": {LOCK}}})"#
            ),
            true,
        ),
        (
            format!(
                r#"if lock:
        s["Condition"] = {LOCK}
    else:
        s["Principal"] = {{"AWS": "111122223333"}}"#
            ),
            false,
        ),
    ] {
        let text = text(&change);
        let found = with_notes("a.py", &text, &["resource-policy-public"]);
        assert_eq!(!found.is_empty(), is_public, "{text}: {found:?}");
    }
}

#[test]
fn a_default_that_stands_for_nothing_is_no_value() {
    let policy = |guard: &str, resource: &str| {
        format!(
            r#"variable "arn" {{
  default = ""
}}
variable "arns" {{
  default = []
}}
variable "word" {{
  default = "NOT_SET"
}}
variable "on" {{
  default = true
}}
resource "aws_iam_policy" "p" {{
  {guard}
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Resource = {resource} }}] }})
}}
"#
        )
    };
    let path = r#""${var.arn}/*""#;
    for (guard, resource, is_broken) in [
        ("", path, true),
        ("count = var.on ? 1 : 0", path, true),
        (r#"count = var.arn == "" ? 0 : 1"#, path, false),
        (r#"count = var.on && var.arn != "" ? 1 : 0"#, path, false),
        ("count = length(var.arns)", "var.arns[count.index]", false),
        ("for_each = toset(var.arns)", "each.value", false),
        (r#"count = var.word != "NOT_SET" ? 1 : 0"#, "var.word", false),
        ("", "var.word", true),
        ("", "compact([var.arn])", false),
        ("", r#"[for a in [var.arn] : "${a}/*" if a != ""]"#, false),
        ("", r#"var.arn == "" ? ["*"] : ["${var.arn}/*"]"#, false),
    ] {
        let text = policy(guard, resource);
        let found = with_notes("main.tf", &text, &["validity"]);
        assert_eq!(!found.is_empty(), is_broken, "{text}: {found:?}");
    }
}

#[test]
fn an_action_that_does_not_exist_lets_nobody_in() {
    let policy = |actions: &str| {
        format!(
            r#"resource "aws_sqs_queue_policy" "p" {{
  queue_url = "q"
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = "*", Action = {actions}, Resource = "*" }}] }})
}}
"#
        )
    };
    for (actions, is_open) in [
        (r#""sqs:SendMessage""#, true),
        (r#"["sqs:SendMesage", "sqs:SendMessage"]"#, true),
        (r#""sqs:SendMesage""#, false),
        (r#"[""]"#, false),
        (r#""sns:Publish""#, false),
    ] {
        let found = with_notes("main.tf", &policy(actions), &["exposure", "deputy"]);
        let public = found.iter().any(|f| f.starts_with("resource-policy-public"));
        assert_eq!(public, is_open, "{actions}: {found:?}");
    }
}
