//! What a run did not judge is said in every output, and is never called clean.

use crate::support::repository::{Ran, Repository};

const UNKNOWN: &str = r#"variable "document" {
  type = string
}
resource "aws_iam_policy" "orders" {
  policy = var.document
}
"#;
const CDK: &str = r"import * as iam from 'aws-cdk-lib/aws-iam';
new iam.PolicyStatement({ actions: ['s3:*'] });
";
const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

/// `what path: why` of each entry.
fn entries_with_kind(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let all = json["unjudged"].as_array().unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    let one = |u: &serde_json::Value| format!("{} {}: {}", text(&u["what"]), text(&u["path"]), text(&u["why"]));
    all.iter().map(one).collect()
}

fn unjudged_entries(files: &[(&str, &str)]) -> Vec<String> {
    entries_with_kind(&Repository::new(files).run(&["check", "-f", "json"]))
}

fn resources_template(resources: &str) -> String {
    format!(
        r"Parameters:
  Text: {{Type: String}}
  List: {{Type: CommaDelimitedList}}
Resources:
{resources}"
    )
}

#[test]
fn what_decides_a_verdict_and_is_unknown_is_listed_in_every_format() {
    let policy = |document: &str| {
        resources_template(&format!(
            r"  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:{document}
"
        ))
    };
    let statement = |action: &str, resource: &str| {
        policy(&format!(
            r"
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: {action}
            Resource: {resource}"
        ))
    };
    let jsonencode = |statement: &str| {
        format!(
            r#"variable "x" {{
  type = any
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{Version = "2012-10-17", Statement = [{statement}]}})
}}
"#
        )
    };
    for (path, text, expected) in [
        (
            "main.tf",
            UNKNOWN.to_owned(),
            "policy main.tf: the policy is `var.document`",
        ),
        ("t.yaml", policy(" !Ref Text"), "policy t.yaml: the policy is `Text`"),
        (
            "t.yaml",
            policy(" '{{resolve:ssm:/p}}'"),
            "policy t.yaml: the policy is `resolve:ssm`",
        ),
        (
            "t.yaml",
            statement("!Ref List", "'*'"),
            "statement t.yaml: actions come from `List`",
        ),
        (
            "main.tf",
            jsonencode("var.x"),
            "statement main.tf: statements come from `var.x`",
        ),
        (
            "main.tf",
            jsonencode(r#"{Effect = var.x, Action = "s3:GetObject", Resource = "arn:aws:s3:::b/*"}"#),
            "statement main.tf: the effect is `var.x`",
        ),
        (
            "a.py",
            r#"import boto3


def put(doc):
    boto3.client("iam").create_policy(PolicyName="p", PolicyDocument=doc)
"#
            .to_owned(),
            "policy a.py: the policy is `doc`",
        ),
        (
            "a.py",
            r#"import boto3


def trust(doc):
    boto3.client("iam").update_assume_role_policy(RoleName="r", PolicyDocument=doc)
"#
            .to_owned(),
            "policy a.py: the policy is `doc`",
        ),
        (
            "a.py",
            r#"import boto3


def share(doc):
    boto3.client("ses").put_identity_policy(Identity="i", PolicyName="p", Policy=doc)
"#
            .to_owned(),
            "policy a.py: the policy is `doc`",
        ),
        (
            "serverless.yml",
            r"service: a
provider:
  name: aws
  iamRoleStatements:
    - Effect: Allow
      Action: ${env:ACTIONS}
      Resource: arn:aws:s3:::b/*
"
            .to_owned(),
            "statement serverless.yml: actions come from `env:ACTIONS`",
        ),
        (
            "main.tf",
            r#"module "roles" {
  source  = "example/roles/aws"
  version = "1.0.0"
}
"#
            .to_owned(),
            "file main.tf: `example/roles/aws`: the module is not in this repository",
        ),
        (
            "main.tf",
            r#"module "roles" {
  source = "./roles"
}
"#
            .to_owned(),
            "file main.tf: `./roles`: the module is not in this repository",
        ),
        (
            "t.yaml",
            r"Transform: Orders
Resources:
  T:
    Type: AWS::SNS::Topic
"
            .to_owned(),
            "file t.yaml: `Orders`: CloudFormation runs this macro",
        ),
        (
            "t.yaml",
            r"Resources:
  Fn::Transform:
    Name: AWS::Include
    Parameters: {Location: s3://b/r.yaml}
"
            .to_owned(),
            "file t.yaml: `AWS::Include`: CloudFormation runs this macro",
        ),
        (
            "lib/stack.ts",
            CDK.to_owned(),
            "file lib/stack.ts: defines IAM with the CDK",
        ),
    ] {
        let all = unjudged_entries(&[(path, &text)]);
        assert!(
            all.len() == 1 && all[0].starts_with(expected),
            r"{expected}
{all:?}
{text}"
        );
    }
    // Of test code nothing is reported.
    let r = Repository::new(&[("lib/stack.test.ts", CDK), ("tests/main.tf", UNKNOWN)]);
    let ran = r.run(&["check", "-f", "json"]);
    assert!(entries_with_kind(&ran).is_empty());
    assert_eq!(ran.json()["summary"]["unjudged_in_tests"], 2);
    let shown = r.run(&["check"]).out;
    assert!(
        shown.starts_with("All clear") && shown.contains("2 not judged in test code"),
        "{shown}"
    );
    assert_eq!(entries_with_kind(&r.run(&["check", "-f", "json", "--tests"])).len(), 2);
    // A name that is open in an otherwise known statement is judged.
    for known in [
        statement("s3:GetObject", "!Sub arn:aws:s3:::${Text}/*"),
        jsonencode(r#"{Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::${var.x}/*"}"#),
    ] {
        let path = if known.starts_with("variable") {
            "main.tf"
        } else {
            "t.yaml"
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(unjudged_entries(&[(path, &known)]), none, "{known}");
    }
}

#[test]
fn a_run_is_all_clear_only_where_everything_was_judged() {
    let r = Repository::new(&[("main.tf", UNKNOWN)]);
    let ran = r.run(&["check"]);
    assert_eq!(ran.code, 0);
    let expected = r"No findings in what could be judged; 1 policy was not judged: 1 file, 0 policies, 0 statements.
  main.tf:5:12: policy: the policy is `var.document`: an input without a value in this repository
";
    assert_eq!(ran.out, expected);
    let sarif = r.run(&["check", "-f", "sarif"]).json();
    let notes = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes[0]["descriptor"]["id"], "unjudged", "{notes}");
    for (format, text) in [
        ("junit", "<skipped message="),
        ("github", "::notice::not judged: 1 policy"),
    ] {
        let out = r.run(&["check", "-f", format]).out;
        assert!(out.contains(text), "{out}");
    }
    let compact = r.run(&["check", "-f", "compact"]);
    assert!(compact.err.contains("not judged: 1 policy"), "{}", compact.err);
    let listed = r.run(&["policies", "--unjudged"]).out;
    assert!(
        listed.contains("main.tf:5:12: policy:") && listed.ends_with("Not judged: 1 policy.\n"),
        "{listed}"
    );
    // The exit code is asked for.
    assert_eq!(r.run(&["check", "--fail-on-unjudged"]).code, 1);
    r.write("overgrant.toml", b"fail-on-unjudged = true\n");
    assert_eq!(r.run(&["check"]).code, 1);
    let clean = Repository::new(&[("p.json", &ADMIN.replace('*', "sqs:SendMessage"))]);
    assert_eq!(
        clean.run(&["check", "--fail-on-unjudged", "--fail-on", "never"]).code,
        0
    );
}

#[test]
fn what_a_bound_leaves_out_is_listed() {
    let document = |acts: &str| {
        format!(
            r#"policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = {acts}, Resource = "*" }}] }})"#
        )
    };
    let module = format!(
        r#"variable "act" {{}}
resource "aws_iam_policy" "p" {{
  {}
}}
"#,
        document("var.act")
    );
    let values: Vec<(String, String)> = (0..40)
        .map(|i| {
            (
                format!("env/{i}.tfvars"),
                format!(
                    r#"act = "sqs:Send{i}"
"#
                ),
            )
        })
        .collect();
    let mut files: Vec<(&str, &str)> = values
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    files.push(("main.tf", &module));
    let listed = unjudged_entries(&files);
    let left_out = listed.iter().filter(|l| l.contains("too many variable files")).count();
    assert_eq!(left_out, 8, "{listed:?}");

    let unused = format!(
        r#"variable "act" {{}}
locals {{
  {}
}}
"#,
        document("var.act")
    );
    let calls: String = (0..110)
        .map(|i| {
            format!(
                r#"module "m{i}" {{
  source = "./m"
  act = "sqs:Send{i}"
}}
"#
            )
        })
        .collect();
    let listed = unjudged_entries(&[("m/main.tf", &unused), ("main.tf", &calls)]);
    assert!(
        listed
            .iter()
            .any(|l| l.contains("too many different policies are defined here")),
        "{listed:?}"
    );

    let stacks: String = (0..110)
        .map(|i| {
            format!(
                r"  S{i}:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: child.yaml, Parameters: {{Act: 'sqs:Send{i}'}}}}
"
            )
        })
        .collect();
    let parent = format!(
        r"Resources:
{stacks}"
    );
    let child = r"Parameters:
  Act: {Type: String}
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: !Ref Act, Resource: '*'}]}
";
    let listed = unjudged_entries(&[("parent.yaml", &parent), ("child.yaml", child)]);
    assert!(
        listed.iter().any(|l| l.contains("too many parameter sets")),
        "{listed:?}"
    );

    let generated: String = (0..30)
        .map(|i| {
            format!(
                r#"generate "g{i}" {{
  path = "g{i}.tf"
  contents = "locals {{}}"
}}
"#
            )
        })
        .collect();
    let listed = unjudged_entries(&[("terragrunt.hcl", &generated)]);
    assert!(
        listed.iter().any(|l| l.contains("too many `generate` blocks")),
        "{listed:?}"
    );
}

#[test]
fn documentation_with_a_policy_is_listed_and_does_not_count() {
    let guide = format!(
        r"# Install

```json
{ADMIN}
```
"
    );
    let r = Repository::new(&[("README.md", &guide), ("p.json", "{}")]);
    let ran = r.run(&["check", "--fail-on-unjudged"]);
    assert!(ran.code == 0 && !ran.out.contains("not judged"), "{}", ran.out);
    let files = r.run(&["files"]).out;
    assert!(
        files.contains("README.md: skipped, documentation that contains a policy"),
        "{files}"
    );
}

#[test]
fn synthesized_templates_are_read_unless_they_are_ignored() {
    let template = format!(
        r#"{{"Resources": {{"P": {{"Type": "AWS::IAM::ManagedPolicy", "Properties": {{"PolicyDocument": {ADMIN}}}}}}}}}"#
    );
    let r = Repository::new(&[("app/cdk.out/S.template.json", &template)]);
    let rules = |args: &[&str]| r.run(&[&["check", "-f", "json", "--only", "admin-star-star"], args].concat());
    assert_eq!(rules(&[]).rules().len(), 1);
    r.write("app/.gitignore", b"cdk.out\nnode_modules\n");
    let ran = rules(&[]);
    assert!(ran.rules().is_empty());
    let all = entries_with_kind(&ran);
    assert!(
        all.len() == 1 && all[0].starts_with("file app/cdk.out: synthesized"),
        "{all:?}"
    );
    assert_eq!(rules(&["app/cdk.out"]).rules().len(), 1);
    assert_eq!(rules(&["--no-gitignore"]).rules().len(), 1);
    r.write(".git/p.json", ADMIN.as_bytes());
    assert!(rules(&[".git"]).rules().is_empty());
}

const SAM_TEMPLATE: &str = concat!(
    r"AWSTemplateFormatVersion: '2010-09-09'
Description: >
  {{ cookiecutter.name }}

  A service
",
    r"{%- if cookiecutter.wide %}
Metadata:
  Doc: |
    {# a long comment of the template #}
    text
{%- endif %}
",
    r#"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      {{ include "name" . }}
"#,
    r"      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: '*'
            Resource: '*'
",
);

#[test]
fn templates_of_other_languages_are_read_as_far_as_they_go() {
    let ran = Repository::new(&[("template.yaml", SAM_TEMPLATE)]).run(&["check", "-f", "json"]);
    assert_eq!(ran.rules(), ["admin-star-star"]);
    assert_eq!(entries_with_kind(&ran), [""; 0]);
}

#[test]
fn what_must_be_rendered_first_is_not_called_broken() {
    let python = r"import boto3
def handler(e, c)
    boto3.client('s3').list_buckets()
";
    let files = [
        ("{{cookiecutter.name}}/app.py", python.to_owned()),
        (
            "app.py",
            format!(
                r"{{%- if x %}}
{python}"
            ),
        ),
        (
            "t.yaml",
            r"AWSTemplateFormatVersion: '2010-09-09'
Resources:
  F: {{ x }}
   Type: [AWS::IAM::Role
"
            .to_owned(),
        ),
    ];
    for (path, text) in &files {
        let ran = Repository::new(&[(path, text)]).run(&["check", "-f", "json"]);
        assert_eq!(ran.rules(), [""; 0], "{path}");
        let all = entries_with_kind(&ran);
        assert!(all.iter().any(|e| e.contains("text template")), "{path} {all:?}");
    }
}

#[test]
fn a_policy_that_must_be_given_is_unknown_where_nobody_gives_one() {
    for (default, resource, attribute) in [
        ("null", "aws_s3_bucket_policy", "policy"),
        (r#""""#, "aws_iam_role", "assume_role_policy"),
        ("null", "aws_glacier_vault_lock", "policy"),
        ("null", "aws_codeartifact_domain_permissions_policy", "policy_document"),
        ("", "aws_prometheus_resource_policy", "policy"),
    ] {
        let default = if default.is_empty() {
            "type = string".to_owned()
        } else {
            format!("default = {default}")
        };
        let main = format!(
            r#"variable "document" {{
  {default}
}}
resource "{resource}" "r" {{
  {attribute} = var.document
}}
"#
        );
        let entries = unjudged_entries(&[("main.tf", &main)]);
        assert_eq!(entries.len(), 1, "{main}{entries:?}");
        assert!(entries[0].starts_with("policy main.tf: the policy is"), "{entries:?}");
    }
    // An argument that may be left out is left out.
    let queue = r#"variable "document" {
  default = null
}
resource "aws_sqs_queue" "q" {
  policy = var.document
}
"#;
    assert_eq!(unjudged_entries(&[("main.tf", queue)]), Vec::<String>::new());
    let given = queue.replace("  default = null\n", "  type = string\n");
    assert_eq!(unjudged_entries(&[("main.tf", &given)]).len(), 1, "{given}");
    // A plan without its configuration.
    let plan = r#"{"format_version":"1.2","terraform_version":"1.5.0","planned_values":{"root_module":{"resources":[{"address":"aws_s3_bucket_policy.r","mode":"managed","type":"aws_s3_bucket_policy","name":"r","values":{}}]}},"resource_changes":[{"address":"aws_s3_bucket_policy.r","change":{"actions":["create"],"after":{},"after_unknown":{"policy":true,"id":true,"bucket":true}}}]}"#;
    assert_eq!(unjudged_entries(&[("tfplan.json", plan)]).len(), 1);
}

#[test]
fn a_handler_of_another_language_says_so_without_a_runtime() {
    let text = r"Transform: AWS::Serverless-2016-10-31
Parameters:
  Runtime: {Type: String}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: orders.App::handleRequest
      Runtime: !Ref Runtime
      CodeUri: app
";
    let all = unjudged_entries(&[("template.yaml", text)]);
    let expected = "workload template.yaml: `F`: not compared with its role: the code is not Python";
    assert_eq!(all, [expected]);
}

#[test]
fn a_broken_text_is_one_entry_and_an_unrendered_template_is_not_called_broken() {
    let broken = format!("{} {} x y", ADMIN.replace(r#", "Action""#, r#" "Action""#), "{,,");
    assert_eq!(unjudged_entries(&[("p.json", &broken)]).len(), 1);
    let two = format!(
        r#"resource "aws_iam_policy" "a" {{
  policy = <<E
{broken}
E
}}
resource "aws_iam_policy" "b" {{
  policy = <<E
{broken}
E
}}
"#
    );
    assert_eq!(unjudged_entries(&[("main.tf", &two)]).len(), 2);
    for (path, text) in [
        (
            "p.json.njk",
            ADMIN.replace(r#""*"}"#, r#"{% if wide %} "*" {% endif %}}"#),
        ),
        (
            "main.tf.j2",
            r#"resource "aws_iam_policy" "a" {
{% if a %}
}
"#
            .to_owned(),
        ),
    ] {
        let all = unjudged_entries(&[(path, &text)]);
        let expected = format!("file {path}: text template, such as Jinja or ERB: render it, then check the result");
        assert_eq!(all, [expected], "{text}");
    }
}

#[test]
fn a_module_for_another_provider_makes_nothing_here() {
    let module = |source: &str| {
        format!(
            r#"module "m" {{
  source = "{source}"
}}
"#
        )
    };
    assert_eq!(
        unjudged_entries(&[("main.tf", &module("cloudposse/label/null"))]),
        [""; 0]
    );
    assert_eq!(unjudged_entries(&[("main.tf", &module("example/label/aws"))]).len(), 1);
}

#[test]
fn the_import_that_keeps_a_function_from_being_compared_is_named() {
    let template = r"Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: src
      Policies: [{Statement: [{Effect: Allow, Action: s3:GetObject, Resource: '*'}]}]
";
    let r = Repository::new(&[("template.yaml", template), ("src/app.py", "")]);
    for (code, causes) in [
        (
            "import boto3\nimport acme.cloud as c\ndef handler(e, x): pass\n",
            "calls an unknown library: `acme.cloud` (src/app.py:2)",
        ),
        (
            "from acme import go\nfrom beta import *\ndef handler(e, x):\n    import gamma, epsilon9\n    import acme2\n",
            "calls an unknown library: `acme.go` (src/app.py:1), `beta` (src/app.py:2), `gamma` (src/app.py:4), and 2 more",
        ),
        (
            "from .inner import go\ndef handler(e, x): go()\n",
            "calls an unknown library: `.inner.go` (src/app.py:1)",
        ),
        (
            "import acme\nimport subprocess\ndef handler(e, x):\n    subprocess.run(['aws'])\n    eval('x')\n",
            "may call AWS in a way that is not followed: `subprocess` (src/app.py:2), `eval` (src/app.py:5)",
        ),
    ] {
        r.write("src/app.py", code.as_bytes());
        let text = format!("`F`: not compared with its role: {causes}");
        assert_eq!(unjudged_of(&r), [format!("workload template.yaml: {text}")], "{code}");
        let listed = r.run(&["policies", "--unjudged"]).out;
        assert!(
            listed.contains(&format!("template.yaml:3:3: function: {text}\n")),
            "{listed}"
        );
        let explained = r.run(&["explain", "template.yaml:3"]);
        assert!(explained.code == 0 && explained.out.contains(&text), "{explained:?}");
        let summary = r.run(&["check"]).out;
        let flat: String = summary.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(causes), "{summary}");
    }
    let absent = r.run(&["explain", "template.yaml:1"]);
    assert!(
        absent.code == 2 && absent.err.contains("no finding at template.yaml:1"),
        "{absent:?}"
    );
}

fn unjudged_of(r: &Repository) -> Vec<String> {
    entries_with_kind(&r.run(&["check", "-f", "json"]))
}
