//! What a run did not judge is said in every output, and is never called clean.

use crate::support::repository::{Ran, Repository};

const UNKNOWN: &str = "variable \"document\" {\n  type = string\n}\nresource \"aws_iam_policy\" \"orders\" {\n  policy = var.document\n}\n";
const CDK: &str = "import * as iam from 'aws-cdk-lib/aws-iam';\nnew iam.PolicyStatement({ actions: ['s3:*'] });\n";
const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

/// `what path: why` of each entry.
fn entries(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let all = json["unjudged"].as_array().unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    let one = |u: &serde_json::Value| format!("{} {}: {}", text(&u["what"]), text(&u["path"]), text(&u["why"]));
    all.iter().map(one).collect()
}

fn of(files: &[(&str, &str)]) -> Vec<String> {
    entries(&Repository::new(files).run(&["check", "-f", "json"]))
}

fn template(resources: &str) -> String {
    format!("Parameters:\n  Text: {{Type: String}}\n  List: {{Type: CommaDelimitedList}}\nResources:\n{resources}")
}

#[test]
fn what_decides_a_verdict_and_is_unknown_is_listed_in_every_format() {
    let policy = |document: &str| {
        template(&format!(
            "  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:{document}\n"
        ))
    };
    let statement = |action: &str, resource: &str| {
        policy(&format!(
            "\n        Version: '2012-10-17'\n        Statement:\n          - Effect: Allow\n            Action: {action}\n            Resource: {resource}"
        ))
    };
    let jsonencode = |statement: &str| {
        format!(
            "variable \"x\" {{\n  type = any\n}}\nresource \"aws_iam_policy\" \"p\" {{\n  policy = jsonencode({{Version = \"2012-10-17\", Statement = [{statement}]}})\n}}\n"
        )
    };
    for (path, text, expected) in [
        ("main.tf", UNKNOWN.to_owned(), "policy main.tf: the policy is `var.document`"),
        ("t.yaml", policy(" !Ref Text"), "policy t.yaml: the policy is `Text`"),
        ("t.yaml", policy(" '{{resolve:ssm:/p}}'"), "policy t.yaml: the policy is `resolve:ssm`"),
        ("t.yaml", statement("!Ref List", "'*'"), "statement t.yaml: actions come from `List`"),
        ("main.tf", jsonencode("var.x"), "statement main.tf: statements come from `var.x`"),
        (
            "main.tf",
            jsonencode("{Effect = var.x, Action = \"s3:GetObject\", Resource = \"arn:aws:s3:::b/*\"}"),
            "statement main.tf: the effect is `var.x`",
        ),
        (
            "a.py",
            "import boto3\n\n\ndef put(doc):\n    boto3.client(\"iam\").create_policy(PolicyName=\"p\", PolicyDocument=doc)\n".to_owned(),
            "policy a.py: the policy is `doc`",
        ),
        (
            "a.py",
            "import boto3\n\n\ndef trust(doc):\n    boto3.client(\"iam\").update_assume_role_policy(RoleName=\"r\", PolicyDocument=doc)\n".to_owned(),
            "policy a.py: the policy is `doc`",
        ),
        (
            "a.py",
            "import boto3\n\n\ndef share(doc):\n    boto3.client(\"ses\").put_identity_policy(Identity=\"i\", PolicyName=\"p\", Policy=doc)\n".to_owned(),
            "policy a.py: the policy is `doc`",
        ),
        (
            "serverless.yml",
            "service: a\nprovider:\n  name: aws\n  iamRoleStatements:\n    - Effect: Allow\n      Action: ${env:ACTIONS}\n      Resource: arn:aws:s3:::b/*\n".to_owned(),
            "statement serverless.yml: actions come from `env:ACTIONS`",
        ),
        (
            "main.tf",
            "module \"roles\" {\n  source  = \"example/roles/aws\"\n  version = \"1.0.0\"\n}\n".to_owned(),
            "file main.tf: `example/roles/aws`: the module is not in this repository",
        ),
        (
            "main.tf",
            "module \"roles\" {\n  source = \"./roles\"\n}\n".to_owned(),
            "file main.tf: `./roles`: the module is not in this repository",
        ),
        (
            "t.yaml",
            "Transform: Orders\nResources:\n  T:\n    Type: AWS::SNS::Topic\n".to_owned(),
            "file t.yaml: `Orders`: CloudFormation runs this macro",
        ),
        (
            "t.yaml",
            "Resources:\n  Fn::Transform:\n    Name: AWS::Include\n    Parameters: {Location: s3://b/r.yaml}\n".to_owned(),
            "file t.yaml: `AWS::Include`: CloudFormation runs this macro",
        ),
        ("lib/stack.ts", CDK.to_owned(), "file lib/stack.ts: defines IAM with the CDK"),
    ] {
        let all = of(&[(path, &text)]);
        assert!(all.len() == 1 && all[0].starts_with(expected), "{expected}\n{all:?}\n{text}");
    }
    // Of test code nothing is reported.
    let r = Repository::new(&[("lib/stack.test.ts", CDK), ("tests/main.tf", UNKNOWN)]);
    let ran = r.run(&["check", "-f", "json"]);
    assert!(entries(&ran).is_empty());
    assert_eq!(ran.json()["summary"]["unjudged_in_tests"], 2);
    let shown = r.run(&["check"]).out;
    assert!(
        shown.starts_with("All clear") && shown.contains("2 not judged in test code"),
        "{shown}"
    );
    assert_eq!(entries(&r.run(&["check", "-f", "json", "--tests"])).len(), 2);
    // A name that is open in an otherwise known statement is judged.
    for known in [
        statement("s3:GetObject", "!Sub arn:aws:s3:::${Text}/*"),
        jsonencode("{Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"arn:aws:s3:::${var.x}/*\"}"),
    ] {
        let path = if known.starts_with("variable") {
            "main.tf"
        } else {
            "t.yaml"
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(of(&[(path, &known)]), none, "{known}");
    }
}

#[test]
fn a_run_is_all_clear_only_where_everything_was_judged() {
    let r = Repository::new(&[("main.tf", UNKNOWN)]);
    let ran = r.run(&["check"]);
    assert_eq!(ran.code, 0);
    let expected = "No findings in what could be judged; 1 policy was not judged: 1 file, 0 policies, 0 statements.\n  main.tf:5:12: policy: the policy is `var.document`: given from outside, and no value is written here\n";
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
            "policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = {acts}, Resource = \"*\" }}] }})"
        )
    };
    let module = format!(
        "variable \"act\" {{}}\nresource \"aws_iam_policy\" \"p\" {{\n  {}\n}}\n",
        document("var.act")
    );
    let values: Vec<(String, String)> = (0..40)
        .map(|i| (format!("env/{i}.tfvars"), format!("act = \"sqs:Send{i}\"\n")))
        .collect();
    let mut files: Vec<(&str, &str)> = values
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    files.push(("main.tf", &module));
    let listed = of(&files);
    let left_out = listed.iter().filter(|l| l.contains("too many variable files")).count();
    assert_eq!(left_out, 8, "{listed:?}");

    let unused = format!("variable \"act\" {{}}\nlocals {{\n  {}\n}}\n", document("var.act"));
    let calls: String = (0..110)
        .map(|i| format!("module \"m{i}\" {{\n  source = \"./m\"\n  act = \"sqs:Send{i}\"\n}}\n"))
        .collect();
    let listed = of(&[("m/main.tf", &unused), ("main.tf", &calls)]);
    assert!(
        listed
            .iter()
            .any(|l| l.contains("too many different policies are written here")),
        "{listed:?}"
    );

    let stacks: String = (0..110)
        .map(|i| format!("  S{i}:\n    Type: AWS::CloudFormation::Stack\n    Properties: {{TemplateURL: child.yaml, Parameters: {{Act: 'sqs:Send{i}'}}}}\n"))
        .collect();
    let parent = format!("Resources:\n{stacks}");
    let child = "Parameters:\n  Act: {Type: String}\nResources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: !Ref Act, Resource: '*'}]}\n";
    let listed = of(&[("parent.yaml", &parent), ("child.yaml", child)]);
    assert!(
        listed.iter().any(|l| l.contains("too many sets of parameters")),
        "{listed:?}"
    );

    let generated: String = (0..30)
        .map(|i| format!("generate \"g{i}\" {{\n  path = \"g{i}.tf\"\n  contents = \"locals {{}}\"\n}}\n"))
        .collect();
    let listed = of(&[("terragrunt.hcl", &generated)]);
    assert!(
        listed.iter().any(|l| l.contains("too many `generate` blocks")),
        "{listed:?}"
    );
}

#[test]
fn documentation_with_a_policy_is_listed_and_does_not_count() {
    let guide = format!("# Install\n\n```json\n{ADMIN}\n```\n");
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
    let all = entries(&ran);
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
    "AWSTemplateFormatVersion: '2010-09-09'\nDescription: >\n  {{ cookiecutter.name }}\n\n  A service\n",
    "{%- if cookiecutter.wide %}\nMetadata:\n  Doc: |\n    {# a long comment of the template #}\n    text\n{%- endif %}\n",
    "Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      {{ include \"name\" . }}\n",
    "      PolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n          - Effect: Allow\n            Action: '*'\n            Resource: '*'\n",
);

#[test]
fn templates_of_other_languages_are_read_as_far_as_they_go() {
    let ran = Repository::new(&[("template.yaml", SAM_TEMPLATE)]).run(&["check", "-f", "json"]);
    assert_eq!(ran.rules(), ["admin-star-star"]);
    assert_eq!(entries(&ran), [""; 0]);
}

#[test]
fn what_must_be_rendered_first_is_not_called_broken() {
    let python = "import boto3\ndef handler(e, c)\n    boto3.client('s3').list_buckets()\n";
    let files = [
        ("{{cookiecutter.name}}/app.py", python.to_owned()),
        ("app.py", format!("{{%- if x %}}\n{python}")),
        (
            "t.yaml",
            "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  F: {{ x }}\n   Type: [AWS::IAM::Role\n".to_owned(),
        ),
    ];
    for (path, text) in &files {
        let ran = Repository::new(&[(path, text)]).run(&["check", "-f", "json"]);
        assert_eq!(ran.rules(), [""; 0], "{path}");
        let all = entries(&ran);
        assert!(all.iter().any(|e| e.contains("text template")), "{path} {all:?}");
    }
}

#[test]
fn a_policy_that_must_be_given_is_unknown_where_nobody_gives_one() {
    for (default, resource, attribute) in [
        ("null", "aws_s3_bucket_policy", "policy"),
        ("\"\"", "aws_iam_role", "assume_role_policy"),
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
            "variable \"document\" {{\n  {default}\n}}\nresource \"{resource}\" \"r\" {{\n  {attribute} = var.document\n}}\n"
        );
        let entries = of(&[("main.tf", &main)]);
        assert_eq!(entries.len(), 1, "{main}{entries:?}");
        assert!(entries[0].starts_with("policy main.tf: the policy is"), "{entries:?}");
    }
    // An argument that may be left out is left out.
    let queue = "variable \"document\" {\n  default = null\n}\nresource \"aws_sqs_queue\" \"q\" {\n  policy = var.document\n}\n";
    assert_eq!(of(&[("main.tf", queue)]), Vec::<String>::new());
    let given = queue.replace("  default = null\n", "  type = string\n");
    assert_eq!(of(&[("main.tf", &given)]).len(), 1, "{given}");
    // A plan without its configuration.
    let plan = r#"{"format_version":"1.2","terraform_version":"1.5.0","planned_values":{"root_module":{"resources":[{"address":"aws_s3_bucket_policy.r","mode":"managed","type":"aws_s3_bucket_policy","name":"r","values":{}}]}},"resource_changes":[{"address":"aws_s3_bucket_policy.r","change":{"actions":["create"],"after":{},"after_unknown":{"policy":true,"id":true,"bucket":true}}}]}"#;
    assert_eq!(of(&[("tfplan.json", plan)]).len(), 1);
}

#[test]
fn a_handler_of_another_language_says_so_without_a_runtime() {
    let text = "Transform: AWS::Serverless-2016-10-31\nParameters:\n  Runtime: {Type: String}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: orders.App::handleRequest\n      Runtime: !Ref Runtime\n      CodeUri: app\n";
    let all = of(&[("template.yaml", text)]);
    let expected = "workload template.yaml: `F`: not compared with its role: the code is not Python";
    assert_eq!(all, [expected]);
}

#[test]
fn a_broken_text_is_one_entry_and_an_unrendered_template_is_not_called_broken() {
    let broken = format!("{} {} x y", ADMIN.replace(", \"Action\"", " \"Action\""), "{,,");
    assert_eq!(of(&[("p.json", &broken)]).len(), 1);
    let two = format!(
        "resource \"aws_iam_policy\" \"a\" {{\n  policy = <<E\n{broken}\nE\n}}\nresource \"aws_iam_policy\" \"b\" {{\n  policy = <<E\n{broken}\nE\n}}\n"
    );
    assert_eq!(of(&[("main.tf", &two)]).len(), 2);
    for (path, text) in [
        (
            "p.json.njk",
            ADMIN.replace("\"*\"}", "{% if wide %} \"*\" {% endif %}}"),
        ),
        (
            "main.tf.j2",
            "resource \"aws_iam_policy\" \"a\" {\n{% if a %}\n}\n".to_owned(),
        ),
    ] {
        let all = of(&[(path, &text)]);
        let expected = format!("file {path}: text template, such as Jinja or ERB: render it, then check the result");
        assert_eq!(all, [expected], "{text}");
    }
}

#[test]
fn a_module_for_another_provider_makes_nothing_here() {
    let module = |source: &str| format!("module \"m\" {{\n  source = \"{source}\"\n}}\n");
    assert_eq!(of(&[("main.tf", &module("cloudposse/label/null"))]), [""; 0]);
    assert_eq!(of(&[("main.tf", &module("example/label/aws"))]).len(), 1);
}
