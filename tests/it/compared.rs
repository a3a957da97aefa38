//! What the comparison of code with roles must not say, and what it must: unlisted methods, broken files, folders, shared texts,
//! decorators, policies of resources.

use crate::support::calls::{analyze, line};
use crate::support::lint::found;
use crate::usage::usage_findings;

/// A function of SAM whose role allows these actions on everything.
fn function(actions: &str, properties: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         Runtime: python3.13\n      Handler: app.handler\n{properties}      Policies:\n        - Statement:\n            - \
         Effect: Allow\n              Action: {actions}\n              Resource: '*'\n"
    )
}

const SRC: &str = "      CodeUri: src/\n";

fn said(actions: &str, code: &str) -> Vec<String> {
    usage_findings(&[("template.yaml", &function(actions, SRC)), ("src/app.py", code)])
}

/// The help of each finding of `unused-grant`.
fn helps(files: &[(&str, &str)]) -> Vec<String> {
    let (_, findings) = found(files);
    let unused = findings.iter().filter(|f| &*f.rule == "unused-grant");
    let mut out: Vec<String> = unused.map(|f| f.help.clone().unwrap_or_default()).collect();
    out.dedup();
    out
}

/// What `handler` reaches, of a file with `body` in it.
fn reached(code: &str) -> Vec<String> {
    analyze(&[("m.py", code)], |sources, calls| {
        let file = sources.ids().next().expect("a file");
        let reach = calls.reach(file, "handler");
        let shown = |i: &usize| {
            let call = &calls.calls[*i];
            assert!(
                call.actions.required.is_empty() || !call.is_unlisted(),
                "{}",
                line(sources, call)
            );
            let guessed = call.actions.conditional.iter().map(|c| c.action.to_owned());
            let guessed: Vec<String> = guessed.chain(call.actions.service_pattern()).collect();
            match call.is_unlisted() {
                true => format!("{}.{} {}", call.service, call.method, guessed.join(" ")),
                false => format!("{}.{}", call.service, call.method),
            }
        };
        let mut out: Vec<String> = reach.calls.iter().map(shown).collect();
        out.extend(
            reach
                .unresolved
                .iter()
                .map(|u| calls.unresolved[*u].why.text().to_owned()),
        );
        out.sort();
        out.dedup();
        out
    })
}

#[test]
fn methods_that_the_data_does_not_have_count_as_a_guess() {
    let cases: &[(&str, &[&str])] = &[
        // Of a service without a client: the action of its name, or any.
        (
            "boto3.client('lookoutvision').detect_anomalies()",
            &["lookoutvision.detect_anomalies lookoutvision:DetectAnomalies"],
        ),
        (
            "boto3.client('lookoutvision').brand_new()",
            &["lookoutvision.brand_new lookoutvision:*"],
        ),
        ("boto3.client('batch').brand_new()", &["batch.brand_new batch:*"]),
        (
            "f = boto3.client('batch').brand_new\n    f()",
            &["batch.brand_new batch:*"],
        ),
        (
            "boto3.client('batch').get_paginator('list_new')",
            &["batch.list_new batch:*"],
        ),
        (
            "boto3.client('batch').get_waiter('new_done')",
            &["batch.new_done batch:*"],
        ),
        // Which actions it has is not known.
        (
            "boto3.client('no-such-service').call_it()",
            &["client of unknown service"],
        ),
        ("boto3.client(event['s']).call_it()", &["client of unknown service"]),
        // What every client has, and what is listed.
        ("boto3.client('lookoutvision').close()", &[]),
        ("boto3.client('batch').exceptions", &[]),
        ("boto3.client('batch').can_paginate('x')", &[]),
        ("boto3.client('batch').list_jobs()", &["batch.list_jobs"]),
        (
            "boto3.client(event.get('s', 'sqs') or 'sqs').send_message()",
            &["sqs.send_message"],
        ),
    ];
    for (body, expected) in cases {
        let code = format!("import boto3\ndef handler(event, context):\n    {body}\n");
        assert_eq!(reached(&code), *expected, "{body}");
    }
}

#[test]
fn what_is_guessed_is_used_and_not_required() {
    let code = "import boto3\ndef handler(e, c):\n    boto3.client('batch').brand_new()\n";
    assert_eq!(
        said("[glacier:DeleteVault, 'batch:*']", code),
        ["unused-grant glacier:DeleteVault"]
    );
    assert_eq!(said("glacier:DeleteVault", code), ["unused-grant glacier:DeleteVault"]);
}

#[test]
fn calls_that_act_alone_use_themselves_only() {
    let calls = [
        "organizations').tag_resource()",
        "servicecatalog').list_portfolios()",
        "codepipeline').delete_pipeline()",
        "bedrock-agentcore').invoke_agent_runtime()",
        "cloudformation').delete_change_set()",
    ];
    for call in calls {
        let code = format!("import boto3\ndef handler(e, c):\n    boto3.client('{call}\n");
        let found = said("glacier:DeleteVault", &code);
        assert!(
            found.contains(&"unused-grant glacier:DeleteVault".to_owned()),
            "{call}: {found:?}"
        );
    }
    let code = "import boto3\ndef handler(e, c):\n    boto3.client('cloudformation').create_stack()\n";
    assert!(
        !said("glacier:DeleteVault", code)
            .iter()
            .any(|f| f.starts_with("unused"))
    );
}

#[test]
fn a_function_without_code_uri_has_the_folder_of_its_template() {
    let send = "import boto3\ndef handler(e, c):\n    boto3.client('sqs').send_message()\n";
    let template = function("[sqs:SendMessage, glacier:DeleteVault]", "");
    let files = [
        ("one/template.yaml", template.as_str()),
        ("one/app.py", send),
        ("two/template.yaml", &template),
        ("two/app.py", send),
    ];
    assert_eq!(usage_findings(&files), ["unused-grant glacier:DeleteVault"; 2]);
    // Never a file of another folder.
    assert_eq!(usage_findings(&[files[0], files[3]]), Vec::<String>::new());
    let nested = template.replace("app.handler", "src/api/a.handler");
    assert_eq!(
        usage_findings(&[("one/template.yaml", &nested), ("two/src/api/a.py", send)]),
        Vec::<String>::new()
    );
}

const DECORATED: &str = "import boto3, functools
calls = []
def retry(func):
    @functools.wraps(func)
    def wrapper(*args):
        return func(*args)
    return wrapper
def keep(func):
    calls.append(func)
    return func
@DECORATOR
def drop(e):
    boto3.client('glacier').delete_vault(vaultName=e)
@retry
def read(e):
    boto3.client('sqs').send_message()
";

#[test]
fn what_is_only_wrapped_runs_where_it_is_named() {
    let run = |decorator: &str, body: &str| {
        let code = DECORATED.replace("DECORATOR", decorator);
        let code = format!("{code}@retry\ndef handler(e, c):\n    {body}\n");
        said("[glacier:DeleteVault, 'sqs:SendMessage']", &code)
    };
    let unused = ["unused-grant glacier:DeleteVault"];
    assert_eq!(run("retry", "read(e)"), unused);
    assert_eq!(run("retry", "read(e); drop(e)"), Vec::<String>::new());
    assert_eq!(run("retry", "for f in [read, drop]: f(e)"), Vec::<String>::new());
    // What it is kept for is not known.
    assert_eq!(run("keep", "read(e)"), Vec::<String>::new());
    assert_eq!(run("app.get('/x')", "read(e)"), Vec::<String>::new());
}

#[test]
fn what_is_decorated_elsewhere_runs_where_it_is_named() {
    let helpers = DECORATED.replace("DECORATOR", "retry");
    let template = function("[glacier:DeleteVault, 'sqs:SendMessage']", SRC);
    let run = |handler: &str| {
        let package = "from .helpers import drop, read\n";
        usage_findings(&[
            ("template.yaml", template.as_str()),
            ("src/app.py", handler),
            ("src/own/__init__.py", package),
            ("src/own/helpers.py", &helpers),
        ])
    };
    let handlers = [
        "from own import read, drop\ndef handler(e, c):\n    read(e), drop(e)\n",
        "from own.helpers import *\ndef handler(e, c):\n    read(e), drop(e)\n",
        "import own.helpers as h\ndef handler(e, c):\n    h.read(e), h.drop(e)\n",
    ];
    for handler in handlers {
        assert_eq!(run(handler), Vec::<String>::new(), "{handler}");
    }
    let one = "from own import read\ndef handler(e, c):\n    read(e)\n";
    assert_eq!(run(one), ["unused-grant glacier:DeleteVault"]);
}

#[test]
fn the_policy_of_a_resource_grants_its_own_actions_to_those_that_it_names() {
    let bucket = |principal: &str| {
        format!(
            "Resources:\n  B:\n    Type: AWS::S3::Bucket\n  P:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: \
             !Ref B\n      PolicyDocument:\n        Statement:\n          - {{Effect: Allow, Principal: {principal}, Action: '*', \
             Resource: !GetAtt B.Arn}}\n"
        )
    };
    let template = function("glacier:DeleteVault", SRC);
    let lacks = |folder: &str, principal: &str, call: &str| {
        let code = format!("import boto3\ndef handler(e, c):\n    boto3.client({call})\n");
        let found = usage_findings(&[
            ("a/template.yaml", template.as_str()),
            ("a/src/app.py", &code),
            (&format!("{folder}/template.yml"), &bucket(principal)),
        ]);
        found.iter().any(|f| f.starts_with("missing-grant"))
    };
    let (iot, s3) = ("'iot').delete_certificate(", "'s3').list_objects_v2(Bucket=e['b']");
    assert!(lacks("b", "'*'", iot));
    assert!(lacks("a", "'*'", iot));
    // A bucket that is not known may be this one.
    assert!(!lacks("a", "'*'", s3));
    assert!(lacks("b", "'*'", "'s3').list_objects_v2(Bucket='other'"));
    assert!(lacks("a", "{Service: cloudfront.amazonaws.com}", s3));
}

#[test]
fn a_broken_template_compares_nothing() {
    let template = function("[sqs:SendMessage, glacier:DeleteVault]", SRC);
    let send = "import boto3\ndef handler(e, c):\n    boto3.client('sqs').send_message()\n";
    let broken = template.replace("Resources:", "Description: >\nThis is not indented\n\nResources:");
    let (_, findings) = found(&[("template.yaml", &broken), ("src/app.py", send)]);
    assert!(findings.iter().all(|f| &*f.rule != "unused-grant"));
}

#[test]
fn help_does_not_take_away_what_something_else_needs() {
    let machine = "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {Statement: [{Effect: \
                   Allow, Principal: {Service: states.amazonaws.com}, Action: 'sts:AssumeRole'}]}\n      Policies:\n        - \
                   PolicyName: p\n          PolicyDocument: {Statement: [{Effect: Allow, Action: 'events:*', Resource: '*'}, \
                   {Effect: Allow, Action: 'states:*', Resource: '*'}]}\n  M:\n    Type: AWS::StepFunctions::StateMachine\n    \
                   Properties:\n      RoleArn: !GetAtt R.Arn\n      DefinitionString: '{\"StartAt\": \"A\", \"States\": {\"A\": \
                   {\"Type\": \"Task\", \"Resource\": \"arn:aws:states:::states:startExecution.sync:2\", \"Parameters\": \
                   {\"StateMachineArn\": \"arn:aws:states:eu-west-1:111122223333:stateMachine:x\"}, \"End\": true}}}'\n";
    let all = helps(&[("template.yaml", machine)]);
    assert!(all.iter().any(|h| h.contains("`events:PutRule`")), "{all:?}");
    assert!(!all.iter().any(|h| h == "Remove the grant."), "{all:?}");
    // A text that two roles have.
    let shared = r#"
data "aws_iam_policy_document" "p" {
  statement {
    actions   = ["rekognition:GetCelebrityRecognition", "rekognition:StartCelebrityRecognition", "glacier:DeleteVault"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}
"#;
    let one = r#"
resource "aws_iam_role" "X" {
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
resource "aws_iam_role_policy" "X" {
  role   = aws_iam_role.X.id
  policy = data.aws_iam_policy_document.p.json
}
data "archive_file" "X" {
  type        = "zip"
  source_dir  = "${path.module}/X"
  output_path = "X.zip"
}
resource "aws_lambda_function" "X" {
  function_name = "X"
  role          = aws_iam_role.X.arn
  runtime       = "python3.13"
  handler       = "index.handler"
  filename      = data.archive_file.X.output_path
}
"#;
    let main = format!("{shared}{}{}", one.replace('X', "fa"), one.replace('X', "fb"));
    let code = |method: &str| {
        format!("import boto3\ndef handler(e, c):\n    boto3.client('rekognition').{method}_celebrity_recognition()\n")
    };
    let (get, start) = (code("get"), code("start"));
    let files = [
        ("main.tf", main.as_str()),
        ("fa/index.py", &get),
        ("fb/index.py", &start),
    ];
    let mut found = usage_findings(&files);
    found.dedup();
    assert_eq!(found, [r#"unused-grant "glacier:DeleteVault""#]);
}

#[test]
fn what_an_action_depends_on_is_not_unused() {
    let said = |actions: &str, call: &str| {
        let code = format!("import boto3\n\n\ndef handler(event, context):\n    boto3.client({call}\n");
        said(actions, &code)
    };
    for (action, dependent, call) in [
        (
            "securityhub:EnableOrganizationAdminAccount",
            "organizations:RegisterDelegatedAdministrator",
            "'securityhub').enable_organization_admin_account(AdminAccountId=event['a'])",
        ),
        (
            "fms:AssociateAdminAccount",
            "organizations:EnableAWSServiceAccess",
            "'fms').associate_admin_account(AdminAccount=event['a'])",
        ),
        (
            "ec2:EnableReachabilityAnalyzerOrganizationSharing",
            "organizations:EnableAWSServiceAccess",
            "'ec2').enable_reachability_analyzer_organization_sharing()",
        ),
    ] {
        assert_eq!(said(&format!("['{action}', '{dependent}']"), call), [""; 0], "{action}");
        // What tells of it is another call.
        let other = said(&format!("['sqs:ListQueues', '{dependent}']"), "'sqs').list_queues()");
        assert_eq!(other.len(), 1, "{other:?}");
    }
}

#[test]
fn a_stack_with_a_role_of_its_own_does_not_use_that_of_its_caller() {
    let delete = |more: &str| {
        let code = format!(
            "import boto3\n\n\ndef handler(event, context):\n    boto3.client('cloudformation').delete_stack(StackName='s'{more})\n"
        );
        said(
            "['cloudformation:DeleteStack', 'iam:PassRole', 'sqs:DeleteQueue']",
            &code,
        )
    };
    assert_eq!(delete(", RoleARN=event['role']"), ["unused-grant 'sqs:DeleteQueue'"]);
    assert_eq!(delete(""), [""; 0]);
}

#[test]
fn what_may_be_called_is_not_called_never() {
    let code = "import boto3\n\n\ndef handler(event, context):\n    boto3.client('lookoutvision').detect_anomalies()\n";
    let (_, findings) = found(&[
        ("template.yaml", &function("['lookoutvision:*']", SRC)),
        ("src/app.py", code),
    ]);
    let unused: Vec<&str> = findings
        .iter()
        .filter(|f| &*f.rule == "unused-grant")
        .map(|f| &*f.message)
        .collect();
    assert_eq!(unused.len(), 1);
    assert!(unused[0].ends_with("actions; the code may use 1 of them"), "{unused:?}");
}

#[test]
fn of_two_policies_that_allow_the_same_one_stays() {
    let template = "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
                    Runtime: python3.13\n      Handler: app.handler\n      CodeUri: src/\n      Policies: [CloudWatchEventsFullAccess, \
                    AmazonEventBridgeFullAccess]\n";
    let code =
        "import boto3\n\n\ndef handler(event, context):\n    boto3.client('events').put_events(Entries=event['e'])\n";
    let (_, findings) = found(&[("template.yaml", template), ("src/app.py", code)]);
    let unused = findings.iter().filter(|f| &*f.rule == "unused-managed-grant");
    let mut help: Vec<&str> = unused.map(|f| f.help.as_deref().unwrap_or_default()).collect();
    help.sort_unstable();
    assert_eq!(
        help,
        [
            "Detach the policy: another policy of the role allows what the code calls.",
            "Use a statement that allows only `events:PutEvents` instead."
        ]
    );
}
