//! `overgrant policies`: every document once, where it is written, with whose it is and where it came from.

use crate::support::repository::Repository;

/// One line for each policy: place, kind, source, owner, identities that get it, and what is not known of it.
fn listed(files: &[(&str, &str)], args: &[&str]) -> Vec<String> {
    let args = [&["policies", "--format", "json"], args].concat();
    let json = Repository::new(files).run(&args).json();
    let policies = json["policies"].as_array().unwrap().iter();
    let texts = |v: &serde_json::Value, key: &str| -> Vec<String> {
        let items = v.as_array().unwrap().iter();
        let text = |i: &serde_json::Value| if key.is_empty() { i.clone() } else { i[key].clone() };
        items.map(|i| text(i).as_str().unwrap().to_owned()).collect()
    };
    policies
        .map(|p| {
            let text = |v: &serde_json::Value| v.as_str().unwrap_or("-").to_owned();
            format!(
                "{}:{} {} {} {} on {:?} unknown {:?}",
                text(&p["path"]),
                p["span"]["start"]["line"],
                text(&p["kind"]),
                text(&p["source"]),
                text(&p["owner"]["address"]),
                texts(&p["attached_to"], ""),
                texts(&p["unknown"], "name"),
            )
        })
        .collect()
}

const SOURCE: &str = r#"variable "action" {}
resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = var.action, Resource = "*" }] })
}
"#;

const PLAN: &str = r#"{"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {"root_module": {"resources": [
  {"address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "name": "r", "values":
   {"assume_role_policy": "{\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"}}]}"}},
  {"address": "aws_iam_role_policy.p", "mode": "managed", "type": "aws_iam_role_policy", "name": "p", "values":
   {"policy": "{\"Statement\":[{\"Action\":\"iam:*\",\"Effect\":\"Allow\",\"Resource\":\"*\"}]}"}}]}},
"resource_changes": [{"address": "aws_iam_role_policy.p", "change": {"after_unknown": {"role": true}}}],
"configuration": {"root_module": {"resources": [
  {"address": "aws_iam_role_policy.p", "expressions": {"role": {"references": ["aws_iam_role.r.id", "aws_iam_role.r"]}}}]}}}"#;

#[test]
fn a_plan_beside_its_source_is_told_with_it() {
    let both = [("main.tf", SOURCE), ("plan.json", PLAN)];
    assert_eq!(
        listed(&both, &["."]),
        [
            r#"main.tf:3 trust - aws_iam_role.r on ["aws_iam_role.r"] unknown []"#,
            r#"main.tf:7 identity - aws_iam_role_policy.p on ["aws_iam_role.r"] unknown []"#,
        ]
    );
    // Where only the plan is asked about, it speaks for itself.
    let plan = listed(&both, &["plan.json"]);
    assert!(
        plan.iter().all(|p| p.starts_with("plan.json:")) && plan.len() == 2,
        "{plan:?}"
    );
    let findings = Repository::new(&both).run(&["check", "--format", "json", "."]).json();
    let places: Vec<_> = findings["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["path"])
        .collect();
    assert!(
        !places.is_empty() && places.iter().all(|p| *p == "main.tf"),
        "{places:?}"
    );
}

#[test]
fn what_a_service_takes_from_other_files_is_told_once() {
    let files = [
        (
            "serverless.yml",
            r"service: s
provider:
  name: aws
  iam:
    role: ${file(./role.yml)}
functions:
  f: {handler: a.h}
resources: ${file(./resources.yml)}
",
        ),
        (
            "role.yml",
            r"statements:
  - {Effect: Allow, Action: 'iam:*', Resource: '*'}
",
        ),
        (
            "resources.yml",
            r"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: [{Effect: Allow, Action: 'sts:*', Resource: '*'}]}
",
        ),
    ];
    let role = "IamRoleLambdaExecution";
    assert_eq!(
        listed(&files, &["."]),
        [
            "resources.yml:5 identity - P on [] unknown []".to_owned(),
            format!(r#"role.yml:2 identity - {role} on ["{role}"] unknown []"#),
            format!(r#"serverless.yml:5 trust generated {role} on ["{role}"] unknown []"#),
            format!(r#"serverless.yml:5 identity generated {role} on ["{role}"] unknown []"#),
        ]
    );
    let rules = Repository::new(&files).run(&["check", "--format", "json", "."]).rules();
    assert_eq!(
        rules.iter().filter(|r| *r == "service-wildcard").count(),
        2,
        "{rules:?}"
    );
}

#[test]
fn what_a_named_template_includes_is_a_part_of_it() {
    let files = [
        (
            "template.yaml",
            r"Resources:
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: ./more.yaml}}
",
        ),
        (
            "more.yaml",
            r"P:
  Type: AWS::IAM::ManagedPolicy
  Properties:
    PolicyDocument: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}
",
        ),
    ];
    for asked in [".", "template.yaml"] {
        assert_eq!(
            listed(&files, &[asked]),
            ["more.yaml:4 identity - P on [] unknown []"],
            "{asked}"
        );
        let rules = Repository::new(&files)
            .run(&["check", "--format", "json", asked])
            .rules();
        assert!(rules.contains(&"admin-star-star".to_owned()), "{asked}: {rules:?}");
    }
}

#[test]
fn directives_of_terraforms_templates_are_read_over() {
    let template = r"Version: '2012-10-17'
Statement:
%{ for b in buckets ~}
  - Effect: Allow
    Action: 's3:*'
    Resource: 'arn:aws:s3:::${b}/*'
%{ endfor ~}
";
    let used = r#"resource "aws_iam_policy" "p" {
  policy = jsonencode(yamldecode(templatefile("${path.module}/p.yaml.tftpl", { buckets = ["a", "b"] })))
}
"#;
    assert_eq!(
        listed(&[("p.yaml.tftpl", template)], &["."]),
        [r#"p.yaml.tftpl:1 identity - - on [] unknown ["b"]"#]
    );
    let both = [("main.tf", used), ("p.yaml.tftpl", template)];
    assert_eq!(
        listed(&both, &["."]),
        ["p.yaml.tftpl:1 identity - aws_iam_policy.p on [] unknown []"]
    );
    let ran = Repository::new(&[("p.yaml.tftpl", template)]).run(&["check", "--format", "json", "."]);
    assert!(!ran.rules().contains(&"unreadable-input".to_owned()), "{}", ran.out);
    assert!(ran.json()["errors"].as_array().is_none_or(Vec::is_empty), "{}", ran.out);
    // One of two branches is deployed: they are not compared.
    let branches = r"Version: '2012-10-17'
Statement:
%{ if admin }
  - {Effect: Allow, Action: '*', Resource: '*'}
%{ else }
  - {Effect: Allow, Action: 's3:GetBucketLocation', Resource: '*'}
%{ endif }
";
    let rules = Repository::new(&[("p.yaml.tftpl", branches)])
        .run(&["check", "--format", "json", "."])
        .rules();
    assert!(!rules.contains(&"redundant-statement".to_owned()), "{rules:?}");
}

/// Keys and sids of two branches of a template are never there together.
#[test]
fn what_stands_in_two_branches_is_no_duplicate() {
    let statement = |first: &str, then: &str| {
        format!(
            r#"{{
  "Version": "2012-10-17",
  "Statement": [{{
    "Sid": "Read",
    "Effect": "Allow",
{first}
    "Resource": "arn:aws:s3:::orders/*",
{then}
    "Resource": "arn:aws:s3:::orders/public/*",
    "Action": "s3:GetObject"
  }}]
}}
"#
        )
    };
    let yaml = |first: &str, then: &str, end: &str| {
        format!(
            "Version: '2012-10-17'\nStatement:\n  - Effect: Allow\n    Action: s3:GetObject\n{first}\n    Resource: arn:aws:s3:::orders/*\n{then}\n    Resource: arn:aws:s3:::public/*\n{end}\n"
        )
    };
    for (first, then, end, branches) in [
        ("%{ if x }", "%{ else }", "%{ endif }", true),
        ("%{if x ~}", "%{else ~}", "%{endif ~}", true),
        ("{% if x %}", "{% else %}", "{% endif %}", true),
        ("<% if x %>", "<% else %>", "<% end %>", true),
        ("{{ if .x }}", "{{ else }}", "{{ end }}", true),
        ("{{#if x}}", "{{else}}", "{{/if}}", true),
        ("", "", "", false),
    ] {
        for (name, text) in [
            ("policy.json", statement(first, then)),
            ("policy.json.tpl", statement(first, then)),
            ("policy.yaml", yaml(first, then, end)),
        ] {
            let rules = Repository::new(&[(name, &text)])
                .run(&["check", "--format", "json", "."])
                .rules();
            let found = rules.iter().any(|r| r.starts_with("duplicate-"));
            assert_eq!(found, !branches, "{name}: {text}{rules:?}");
        }
    }
}

/// Documents that other things hold are those documents, and what holds them is not one.
#[test]
fn what_holds_documents_is_no_document() {
    let statement = r#"{"Effect": "Allow", "Action": "*", "Resource": {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}}"#;
    let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
    let resource = format!(r#"{{"Type": "AWS::IAM::ManagedPolicy", "Properties": {{"PolicyDocument": {policy}}}}}"#);
    let template = format!(r#"{{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {{"P": {resource}}}}}"#);
    let stack = r#"{"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}, {"Effect": "Deny", "Action": ["Update:Replace"], "Principal": "*", "Resource": "LogicalResourceId/Database"}]}"#;
    let model = r#"{"shapes": {"R": {"members": {"PolicyName": {"shape": "n"}, "PolicyDocument": {"shape": "d", "documentation": "The policy."}}}}}"#;
    let list =
        format!(r#"{{"A": {{"Document": {policy}, "CreateDate": "2026-01-01"}}, "B": {{"Document": {policy}}}}}"#);
    for (path, text, documents) in [
        ("text.py", format!(r#"T = """{template}""""#), 1),
        ("dict.py", format!("T = {template}\n"), 1),
        ("list.py", format!(r#"T = """{list}""""#), 2),
        ("fragment.json", format!(r#"{{"MyTemplate": {policy}}}"#), 1),
        ("service-2.json", model.to_owned(), 0),
        ("stack.json", stack.to_owned(), 0),
        ("stack.yaml", stack.to_owned(), 0),
        (
            "stack.tf",
            format!(
                r#"resource "aws_cloudformation_stack" "s" {{
  name = "s"
  policy_body = <<EOT
{stack}
EOT
}}
"#
            ),
            0,
        ),
    ] {
        let repository = Repository::new(&[(path, &text)]);
        let rules = repository.run(&["check", "--format", "json", "."]).rules();
        assert_eq!(rules, vec!["action-star"; documents], "{path}");
        let json = repository.run(&["policies", "--format", "json", "."]).json();
        let all = json["policies"].as_array().unwrap();
        assert_eq!(all.len(), documents, "{path}");
        for p in all {
            let resource = &p["document"]["Statement"][0]["Resource"];
            assert_eq!(resource, "arn:aws:s3:::${Bucket}/*", "{path}");
        }
    }
    // As a file of its own it is a part of a template.
    let repository = Repository::new(&[("policy.json", &policy)]);
    let rules = repository.run(&["check", "--format", "json", "."]).rules();
    assert_eq!(rules, ["action-star"]);
}

#[test]
fn condition_blocks_of_one_test_are_one_operator() {
    let line = |variable: &str| {
        format!(
            r#"    condition {{
      test     = "StringEquals"
      variable = "{variable}"
      values   = ["x"]
    }}
"#
        )
    };
    let document = format!(
        r#"data "aws_iam_policy_document" "p" {{
  statement {{
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::b/*"]
{}{}{}  }}
}}
"#,
        line("aws:PrincipalOrgID"),
        line("aws:PrincipalTag/a"),
        line("aws:PrincipalTag/a"),
    );
    let repository = Repository::new(&[("main.tf", &document)]);
    let json = repository.run(&["policies", "--format", "json", "."]).json();
    assert_eq!(
        json["policies"][0]["document"]["Statement"][0]["Condition"],
        serde_json::json!({"StringEquals": {"aws:PrincipalOrgID": ["x"], "aws:PrincipalTag/a": ["x", "x"]}}),
    );
    let rules = repository.run(&["check", "--format", "json", "."]).rules();
    assert!(!rules.contains(&"duplicate-json-key".to_owned()), "{rules:?}");
}

#[test]
fn a_json_template_is_broken_only_where_it_is_filled_in_to_be() {
    let template = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${bucket}/*"},
    %{ if wide ~}
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    %{ else ~}
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::${bucket}"}
    %{ endif ~}
  ]
}
"#;
    let filled = r#"variable "wide" {}
resource "aws_iam_policy" "p" {
  policy = templatefile("${path.module}/p.json.tftpl", { bucket = "b", wide = var.wide })
}
"#;
    let check = |files: &[(&str, &str)]| {
        let ran = Repository::new(files).run(&["check", "--format", "json", "."]);
        (ran.rules(), ran.err)
    };
    let wide = vec!["service-wildcard".to_owned()];
    let (rules, told) = check(&[("p.json.tftpl", template)]);
    assert_eq!(rules, wide);
    assert!(
        told.contains("p.json.tftpl:5:5: template expression is not evaluated"),
        "{told}"
    );
    // Terraform's own reading has evaluated it.
    let (rules, told) = check(&[("main.tf", filled), ("p.json.tftpl", template)]);
    assert_eq!((rules, &*told), (wide, ""));
    // What the directives decide about is broken in each of the ways that they leave.
    let broken = template.replace(r#""Version": "2012-10-17","#, r#""Version": ,"#);
    let (rules, told) = check(&[("main.tf", filled), ("p.json.tftpl", &broken)]);
    assert!(rules.contains(&"json-syntax-error".to_owned()), "{rules:?} {told}");
    // Without directives nothing can be left out.
    let plain = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject" "Resource": "arn:aws:s3:::${bucket}/*"}]}"#;
    let (rules, _) = check(&[("p.json.tftpl", plain)]);
    assert_eq!(rules, ["json-syntax-error"]);
}

#[test]
fn policies_of_modules_say_which_call_makes_them() {
    let files = [
        (
            "main.tf",
            r#"module "app" {
  source = "./app"
}
"#,
        ),
        (
            "app/main.tf",
            r#"resource "aws_iam_user" "u" { name = "u" }
resource "aws_iam_user_policy" "p" {
  user   = aws_iam_user.u.name
  policy = jsonencode({ Statement = [] })
}
"#,
        ),
    ];
    assert_eq!(
        listed(&files, &["."]),
        [r#"app/main.tf:4 identity - module.app.aws_iam_user_policy.p on ["module.app.aws_iam_user.u"] unknown []"#]
    );
}

#[test]
fn a_policy_that_sam_would_add_anyway_is_attached_once() {
    let template = r"Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [AWSLambdaBasicExecutionRole]
";
    assert_eq!(
        listed(&[("template.yaml", template)], &["."]),
        [
            r#"template.yaml:3 trust sam-template FRole on ["FRole"] unknown []"#,
            r#"template.yaml:6 identity aws-managed - on ["FRole"] unknown []"#,
        ]
    );
}

#[test]
fn a_statement_that_another_replaces_is_not_a_policy_of_its_own() {
    let document = |name: &str, rest: &str| {
        format!(
            r#"data "aws_iam_policy_document" "{name}" {{
{rest}}}
"#
        )
    };
    let statement = |action: &str| {
        format!(
            r#"  statement {{
    sid       = "Orders"
    actions   = ["{action}"]
    resources = ["*"]
  }}
"#
        )
    };
    let base_listed = |all: &[String]| all.iter().any(|l| l.contains("aws_iam_policy_document.base"));
    let base = document("base", &statement("iam:*"));
    let base_json = "data.aws_iam_policy_document.base.json";
    let used = r#"resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.made.json
}
"#;
    let read = statement("s3:ListAllMyBuckets");
    for (how, made) in [
        (
            "own",
            document(
                "made",
                &format!(
                    r"  source_policy_documents = [{base_json}]
{read}"
                ),
            ),
        ),
        (
            "override",
            document("over", &read)
                + &document(
                    "made",
                    &format!(
                        r"  source_json = {base_json}
  override_policy_documents = [data.aws_iam_policy_document.over.json]
"
                    ),
                ),
        ),
    ] {
        let main = format!("{base}{made}{used}");
        let all = listed(&[("main.tf", &main)], &["."]);
        let p = all.iter().filter(|l| l.contains("aws_iam_policy.p"));
        assert_eq!((p.count(), base_listed(&all)), (1, false), "{how}: {all:?}");
    }
    let alone = listed(&[("main.tf", &base)], &["."]);
    assert!(base_listed(&alone), "{alone:?}");
}
