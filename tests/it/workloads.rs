//! Code and roles that no template links: `[[workload]]`, containers and instances.

use crate::support::repository::{Ran, Repository};

fn check_usage(repository: &Repository, args: &[&str]) -> Ran {
    repository.check(&[&["--only", "usage,unreadable-input"], args].concat())
}

/// Rule, `path:line` and text of each label of every finding.
fn labels(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let findings = json["findings"].as_array().unwrap();
    let label = |l: &serde_json::Value| {
        let [path, text] = ["path", "text"].map(|k| l[k].as_str().unwrap().to_owned());
        format!("{path}:{} {text}", l["span"]["start"]["line"])
    };
    let all = findings.iter().map(|f| {
        let labels: Vec<String> = f["labels"].as_array().unwrap().iter().map(label).collect();
        format!("{}: {}", f["rule"].as_str().unwrap(), labels.join("; "))
    });
    all.collect()
}

const ROLE: &str = r#"resource "aws_iam_role" "billing" {
  name               = "billing-task"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "billing" {
  role   = aws_iam_role.billing.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:PurgeQueue"], Resource = "*" }]
  })
}
"#;

const TASK: &str = r#"
resource "aws_ecs_task_definition" "billing" {
  family                = "billing"
  task_role_arn         = aws_iam_role.billing.arn
  container_definitions = jsonencode([{ name = "app", image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/billing:1" }])
}
"#;

const CODE: &str = "import boto3

sqs = boto3.client('sqs')


def main():
    sqs.receive_message(QueueUrl='q')


def drop():
    sqs.delete_message(QueueUrl='q', ReceiptHandle='r')


if __name__ == '__main__':
    main()
";

fn billing_repository(settings: &str, more: &[(&str, &str)]) -> Repository {
    let mut files = vec![
        ("overgrant.toml", settings),
        ("infra/main.tf", ROLE),
        ("svc/billing/main.py", CODE),
    ];
    files.extend(more);
    Repository::new(&files)
}

#[test]
fn code_without_an_entry_counts_whole() {
    let settings = r#"[[workload]]
code = "svc/billing/"
role = "aws_iam_role.billing"
"#;
    // The settings, the policy and the call are in three files. Nothing says that `delete_message` runs.
    let expected = "unused-grant: infra/main.tf:12 never called; overgrant.toml:2 the code that runs with this role; svc/billing/main.py:7 requires `sqs:ReceiveMessage`";
    let ran = check_usage(&billing_repository(settings, &[]), &[]);
    assert_eq!(labels(&ran), [expected]);
    // How sure that is, and why.
    let finding = &ran.json()["findings"][0];
    assert_eq!(finding["confidence"], "medium");
    let notes = finding["notes"].to_string();
    assert!(notes.contains("entry point is unknown"), "{notes}");
    // The same with the task that the role is for.
    let task = ROLE.to_owned() + TASK;
    assert_eq!(
        labels(&check_usage(
            &billing_repository(settings, &[("infra/main.tf", &task)]),
            &[]
        )),
        [expected]
    );
}

#[test]
fn code_without_an_entry_counts_what_it_imports_from_other_folders() {
    let settings = "[[workload]]\ncode = \"svc/billing/\"\nrole = \"aws_iam_role.billing\"\n";
    let purge = "import boto3\n\n\ndef purge(url):\n    boto3.client('sqs').purge_queue(QueueUrl=url)\n";
    for import in [
        "from queues.purging import purge\n",
        "import queues.purging\npurge = queues.purging.purge\n",
        "from queues import purging\npurge = purging.purge\n",
    ] {
        let code = format!("{import}\n{CODE}\n\ndef handler(event, context):\n    purge(event['url'])\n");
        let more = [
            ("svc/billing/main.py", &*code),
            ("shared/python/queues/__init__.py", ""),
            ("shared/python/queues/purging.py", purge),
        ];
        let ran = check_usage(&billing_repository(settings, &more), &[]);
        assert_eq!(ran.rules(), Vec::<String>::new(), "{import}{}", ran.out);
    }
}

#[test]
fn an_entry_says_what_runs() {
    let settings = r#"[[workload]]
code = "svc/billing/"
role = "aws_iam_role.billing"
entry = "main.py"
"#;
    let more = CODE.replace(
        "    main()\n",
        r"    main()
    drop()
",
    );
    let repository = billing_repository(settings, &[("svc/billing/main.py", &more)]);
    let found = labels(&check_usage(&repository, &[]));
    assert_eq!(
        found,
        [
            "unused-grant: infra/main.tf:12 never called; overgrant.toml:2 the code that runs with this role; svc/billing/main.py:7 requires `sqs:ReceiveMessage`",
            "missing-grant: svc/billing/main.py:11 requires `sqs:DeleteMessage`; overgrant.toml:3 the code runs with this role; infra/main.tf:1 no policy of this role allows the action",
        ]
    );
    // A function, in each way to name it; one that is not reached is not missed.
    for entry in [
        "main.py:main",
        "main:main",
        "svc.billing.main:main",
        "svc/billing/main.py:main",
    ] {
        repository.write("overgrant.toml", settings.replace("main.py", entry).as_bytes());
        assert_eq!(check_usage(&repository, &[]).rules(), ["unused-grant"], "{entry}");
    }
}

#[test]
fn a_role_goes_by_any_of_its_names() {
    for role in [
        "aws_iam_role.billing",
        "billing-task",
        "arn:aws:iam::111122223333:role/billing-task",
        "infra:aws_iam_role.billing",
        "infra/main.tf:billing-task",
    ] {
        let settings = format!(
            r#"[[workload]]
code = ["svc/billing/main.py"]
role = "{role}"
"#
        );
        assert_eq!(
            check_usage(&billing_repository(&settings, &[]), &[]).rules(),
            ["unused-grant"],
            "{role}"
        );
    }
    // In a module, with and without the way to it.
    for role in [
        "module.billing.aws_iam_role.billing",
        r#"module.many["a"].aws_iam_role.billing"#,
    ] {
        let settings = format!(
            r#"[[workload]]
code = "svc/"
role = '{role}'
"#
        );
        let root = r#"module "billing" {
  source = "./infra"
}
module "many" {
  source   = "./infra"
  for_each = toset(["a", "b"])
}
"#;
        assert_eq!(
            check_usage(&billing_repository(&settings, &[("main.tf", root)]), &[]).rules(),
            ["unused-grant"],
            "{role}"
        );
    }
    let cloudformation = r#"
Resources:
  TaskRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: ["sqs:ReceiveMessage", "sqs:PurgeQueue"], Resource: "*"}]
"#;
    let settings = r#"[[workload]]
code = "svc"
role = "TaskRole"
"#;
    let one = billing_repository(settings, &[("a/stack.yaml", cloudformation)]);
    assert_eq!(check_usage(&one, &[]).rules(), ["unused-grant"]);
    // Two of the name: which is meant must be said.
    let two = billing_repository(
        settings,
        &[("a/stack.yaml", cloudformation), ("b/stack.yaml", cloudformation)],
    );
    assert_eq!(
        labels(&check_usage(&two, &[])),
        [
            "unreadable-input: overgrant.toml:3 several roles have this name (a/stack.yaml, b/stack.yaml): write PATH:TaskRole"
        ]
    );
    two.write("overgrant.toml", settings.replace("TaskRole", "b:TaskRole").as_bytes());
    assert_eq!(
        labels(&check_usage(&two, &[])),
        [
            "unused-grant: b/stack.yaml:13 never called; overgrant.toml:2 the code that runs with this role; svc/billing/main.py:7 requires `sqs:ReceiveMessage`"
        ]
    );
}

#[test]
fn what_is_not_there_is_said() {
    let said = |settings: &str| {
        let ran = check_usage(
            &billing_repository(settings, &[("web/index.js", "var AWS = 'aws-sdk';\n")]),
            &[],
        );
        assert_eq!(ran.code, 1, "{settings}: {}", ran.err);
        labels(&ran)
    };
    assert_eq!(
        said(
            r#"[[workload]]
code = "svc/billing/"
role = "aws_iam_role.biling"
"#
        ),
        ["unreadable-input: overgrant.toml:3 role `aws_iam_role.biling` was not found in the files that were read"]
    );
    assert_eq!(
        said(
            r#"[[workload]]
code = "web"
role = "aws_iam_role.billing"
"#
        ),
        ["unreadable-input: overgrant.toml:2 `web` contains no Python code that uses AWS"]
    );
    assert_eq!(
        said(
            r#"[[workload]]
code = "svc"
role = "aws_iam_role.billing"
entry = "worker.py"
"#
        ),
        ["unreadable-input: overgrant.toml:4 `worker.py` was not found in the code"]
    );
    // It is reported where the settings are asked for.
    let repository = billing_repository(
        r#"[[workload]]
code = "svc"
role = "aws_iam_role.elsewhere"
"#,
        &[],
    );
    assert_eq!(check_usage(&repository, &["svc/billing/main.py"]).rules(), [""; 0]);
    assert_eq!(check_usage(&repository, &["svc"]).rules(), [""; 0]);
    // Machines hear of it in the commands that have no findings.
    let needs = repository.run(&["needs", ".", "--format", "json"]);
    assert_eq!(needs.code, 1);
    assert_eq!(
        needs.json()["errors"][0]["message"],
        "role `aws_iam_role.elsewhere` was not found in the files that were read"
    );
}

#[test]
fn a_named_template_finds_its_code_and_others_stay_out() {
    let settings = r#"[[workload]]
code = "svc/billing/"
role = "aws_iam_role.billing"
"#;
    let repository = billing_repository(settings, &[("other.py", "x = 1\n")]);
    assert_eq!(check_usage(&repository, &["infra"]).rules(), ["unused-grant"]);
    assert_eq!(repository.run(&["check", "other.py"]).code, 0);
    // With an exception in it the settings are read whatever is asked for.
    let excepting = format!(
        r#"{settings}[[exception]]
rule = "admin-star-star"
path = "x.json"
reason = "r"
"#
    );
    repository.write("overgrant.toml", excepting.as_bytes());
    assert_eq!(check_usage(&repository, &["other.py"]).rules(), [""; 0]);
}

#[test]
fn settings_are_checked_and_shown() {
    let fault = |text: &str| {
        Repository::new(&[("overgrant.toml", text)])
            .run(&["config", "check"])
            .err
    };
    assert!(
        fault(
            r#"[[workload]]
code = "a"
"#
        )
        .contains("overgrant.toml:1:1: this workload has no `role`")
    );
    assert!(
        fault(
            r#"[[workload]]
role = "a"
cod = "x"
"#
        )
        .contains("did you mean `code`?")
    );
    assert!(
        fault(
            r#"[workload]
role = "a"
"#
        )
        .contains("each written `[[workload]]`")
    );
    assert!(
        fault(
            r"[[workload]]
code = []
role = 3
"
        )
        .contains("expected a string, found")
    );
    assert!(
        fault(
            r#"[[workload]]
code = ""
role = "r"
"#
        )
        .contains("not empty")
    );
    let shown = billing_repository(
        r#"[[workload]]
code = ["svc/billing/", "lib"]
role = "aws_iam_role.billing"
entry = "main.py"
"#,
        &[],
    )
    .run(&["config", "show"])
    .out;
    assert!(
        shown.contains(
            r#"# overgrant.toml:1
code = ["svc/billing/", "lib"]
role = "aws_iam_role.billing"
"#
        ),
        "{shown}"
    );
    let schema = Repository::new(&[]).run(&["config", "schema"]).json();
    assert_eq!(schema["properties"]["workload"]["items"]["required"][1], "role");
}

#[test]
fn who_else_may_have_the_role_silences() {
    let settings = r#"[[workload]]
code = "svc/billing/"
role = "aws_iam_role.billing"
"#;
    for (from, to) in [
        (
            r#"Service = "ecs-tasks.amazonaws.com""#,
            r#"AWS = "arn:aws:iam::111122223333:root""#,
        ),
        (
            r#""ecs-tasks.amazonaws.com" }"#,
            r#"["ecs-tasks.amazonaws.com"], AWS = "*" }"#,
        ),
    ] {
        let role = ROLE.replace(from, to);
        assert_ne!(role, ROLE);
        assert_eq!(
            check_usage(&billing_repository(settings, &[("infra/main.tf", &role)]), &[]).rules(),
            [""; 0],
            "{to}"
        );
    }
    // A container of another image may call anything; one that is known for what it does may not.
    let with = |image: &str| {
        let second = format!(r#"billing:1" }}, {{ name = "b", image = "{image}" }}])"#);
        let tasks = ROLE.to_owned() + &TASK.replace(r#"billing:1" }])"#, &second);
        check_usage(&billing_repository(settings, &[("infra/main.tf", &tasks)]), &[]).rules()
    };
    assert_eq!(with("acme/exporter:2"), [""; 0]);
    assert_eq!(with("public.ecr.aws/xray/aws-xray-daemon:3.x"), ["unused-grant"]);
}

#[test]
fn needs_names_the_workload() {
    let settings = r#"[[workload]]
code = "svc/billing/"
role = "aws_iam_role.billing"
"#;
    let json = billing_repository(settings, &[])
        .run(&["needs", ".", "--format", "json"])
        .json();
    assert_eq!(json["calls"][0]["reached_from"][0], "svc/billing");
}

#[test]
fn a_dockerfile_says_what_runs() {
    let settings = r#"[[workload]]
code = "svc/"
role = "aws_iam_role.billing"
entry = "svc/Dockerfile"
"#;
    let with = |command: &str| {
        let dockerfile = format!(
            r#"FROM python:3.12-slim
WORKDIR /app
COPY billing/ .
ENTRYPOINT ["tini", "--"]
CMD {command}
"#
        );
        let code = CODE.replace(
            "    main()\n",
            r"    main()
    drop()
",
        );
        let files = [("svc/Dockerfile", dockerfile.as_str()), ("svc/billing/main.py", &code)];
        check_usage(&billing_repository(settings, &files), &[]).rules()
    };
    for command in [
        r#"["python", "-u", "main.py"]"#,
        r#"["python", "/app/main.py"]"#,
        "python -m main",
        r#"["sh", "-c", "exec python -m billing.main"]"#,
    ] {
        assert_eq!(with(command), ["unused-grant", "missing-grant"], "{command}");
    }
    // A server that is handed a function.
    assert_eq!(with("gunicorn -w 2 main:main"), ["unused-grant"]);
    // What cannot be determined is said.
    assert_eq!(with(r#"["/start.sh"]"#), ["unreadable-input"]);
}

#[test]
fn instances_by_their_profile() {
    let stack = |kind: &str, properties: &str| {
        format!(
            r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Principal: {{Service: ec2.amazonaws.com}}, Action: "sts:AssumeRole"}}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{{Effect: Allow, Action: ["sqs:ReceiveMessage", "sqs:PurgeQueue", "ssm:UpdateInstanceInformation"], Resource: "*"}}]
  Profile:
    Type: AWS::IAM::InstanceProfile
    Properties: {{Roles: [!Ref Role]}}
  Machine:
    Type: AWS::EC2::{kind}
    Properties:
{properties}
"#
        )
    };
    let found = |stack: &str| {
        let settings = r#"[[workload]]
code = "svc"
role = "Role"
"#;
        labels(&check_usage(
            &Repository::new(&[("overgrant.toml", settings), ("t.yaml", stack), ("svc/main.py", CODE)]),
            &[],
        ))
    };
    let expected = [
        "unused-grant: t.yaml:13 never called; overgrant.toml:2 the code that runs with this role; svc/main.py:7 requires `sqs:ReceiveMessage`",
    ];
    let start = r"      UserData:
        Fn::Base64: |
          #!/bin/bash
          ";
    assert_eq!(
        found(&stack("Instance", "      IamInstanceProfile: !Ref Profile")),
        expected
    );
    assert_eq!(
        found(&stack(
            "LaunchTemplate",
            r"      LaunchTemplateData:
        IamInstanceProfile: {Arn: !GetAtt Profile.Arn}"
        )),
        expected
    );
    let quiet = format!(
        r"      IamInstanceProfile: !Ref Profile
{start}aws ecr get-login-password | docker login
"
    );
    assert_eq!(found(&stack("Instance", &quiet)), expected);
    // What the start script calls may be anything.
    let calling = format!(
        r"      IamInstanceProfile: !Ref Profile
{start}aws sqs purge-queue --queue-url q
"
    );
    assert_eq!(found(&stack("Instance", &calling)), [""; 0]);
}

#[test]
fn a_handler_that_only_one_file_has() {
    let function = |package: &str, handler: &str| {
        let role = ROLE.replace("ecs-tasks", "lambda");
        role + &format!(
            "resource \"aws_lambda_function\" \"f\" {{\n  function_name = \"f\"\n  runtime = \"python3.12\"\n  handler = \
             \"{handler}\"\n  role = aws_iam_role.billing.arn\n  {package}\n}}\n"
        )
    };
    let code = CODE.replace("def main():", "def handler(event, context):");
    let other = code.replace("def handler", "def run");
    let stored = "s3_bucket = \"packages\"\n  s3_key = \"releases/billing-reader.zip\"";
    let built = "filename = \"${path.module}/dist/billing-reader.zip\"";
    for (package, handler, files, found) in [
        (stored, "reader.handler", &[("src/reader.py", &code)][..], true),
        (built, "reader.handler", &[("src/reader.py", &code)], true),
        (built, "jobs.reader.handler", &[("src/jobs/reader.py", &code)], true),
        (
            built,
            "reader.handler",
            &[("src/reader.py", &code), ("src/writer.py", &code)],
            true,
        ),
        (
            built,
            "reader.handler",
            &[("src/reader.py", &code), ("lib/reader.py", &other)],
            true,
        ),
        (
            built,
            "reader.handler",
            &[("src/reader.py", &code), ("tests/reader.py", &code)],
            true,
        ),
        (
            built,
            "app.handler",
            &[("billing_reader/app.py", &code), ("writer/app.py", &code)],
            true,
        ),
        (built, "app.handler", &[("billing-reader/app.py", &code)], true),
        (built, "app.handler", &[("src/app.py", &code)], false),
        // Which one it is is not known, or it is none of them.
        (built, "app.handler", &[("a/app.py", &code), ("b/app.py", &code)], false),
        (built, "reader.run", &[("src/reader.py", &code)], false),
        (built, "reader.handler", &[("src/my_reader.py", &code)], false),
        (built, "jobs.reader.handler", &[("src/reader.py", &code)], false),
    ] {
        let main = function(package, handler);
        let mut all = vec![("main.tf", main.as_str())];
        all.extend(files.iter().map(|(path, text)| (*path, text.as_str())));
        let ran = check_usage(&Repository::new(&all), &[]);
        let found_here = labels(&ran).iter().any(|l| l.starts_with("unused-grant"));
        assert_eq!(found_here, found, "{handler} {files:?} {:?}", labels(&ran));
    }
}

#[test]
fn what_a_plugin_or_a_macro_completes() {
    let code = "import boto3\n\n\ndef run(event, context):\n    boto3.client('sqs').send_message(QueueUrl='q', MessageBody='m')\n";
    let service = "service: orders\nprovider:\n  name: aws\n  runtime: python3.12\n  iam:\n    role:\n      statements:\n        - \
                   Effect: Allow\n          Action: sqs:ReceiveMessage\n          Resource: '*'\nfunctions:\n  run:\n    handler: \
                   jobs.run\n";
    let sam = "Transform: [AWS::Serverless-2016-10-31]\nResources:\n  Run:\n    Type: AWS::Serverless::Function\n    \
               Properties:\n      Runtime: python3.12\n      Handler: jobs.run\n      CodeUri: ./\n      Policies:\n        - \
               Statement:\n            - Effect: Allow\n              Action: sqs:ReceiveMessage\n              Resource: '*'\n";
    let with = |more: &str| service.to_owned() + more;
    let extension = |property: &str| {
        with(&format!(
            "resources:\n  extensions:\n    IamRoleLambdaExecution:\n      Properties:\n        {property}\n"
        ))
    };
    for (file, text, missing) in [
        ("serverless.yml", service.to_owned(), true),
        (
            "serverless.yml",
            with("plugins:\n  - serverless-python-requirements\n"),
            true,
        ),
        (
            "serverless.yml",
            with("plugins:\n  modules:\n    - serverless-offline\n"),
            true,
        ),
        ("serverless.yml", with("plugins:\n  - ./plugins/grants\n"), false),
        (
            "serverless.yml",
            with("plugins:\n  modules:\n    - acme-grants\n"),
            false,
        ),
        (
            "serverless.yml",
            extension("ManagedPolicyArns: ['arn:aws:iam::111122223333:policy/send']"),
            false,
        ),
        ("serverless.yml", extension("MaxSessionDuration: 3600"), true),
        ("template.yaml", sam.to_owned(), true),
        ("template.yaml", sam.replace("[AWS", "[Grants, AWS"), false),
        (
            "template.yaml",
            sam.replace("[AWS", "[AWS::LanguageExtensions, AWS"),
            true,
        ),
    ] {
        let ran = check_usage(&Repository::new(&[(file, &text), ("jobs.py", code)]), &[]);
        let is_missing = labels(&ran).iter().any(|l| l.starts_with("missing-grant"));
        assert_eq!(is_missing, missing, "{text} {:?}", labels(&ran));
    }
}

#[test]
fn needs_lists_code_in_templates() {
    let template = "Resources:\n  Send:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: python3.12\n      \
                    Handler: index.handler\n      Role: arn:aws:iam::111122223333:role/send\n      Code:\n        ZipFile: |\n          \
                    import boto3\n          def handler(event, context):\n              \
                    boto3.client('sns').publish(TopicArn='t', Message='m')\n";
    let r = Repository::new(&[("template.yaml", template)]);
    let json = r.run(&["needs", "--format", "json"]).json();
    let call = &json["calls"][0];
    assert_eq!(call["actions"]["required"], serde_json::json!(["sns:Publish"]));
    assert_eq!(call["span"]["start"]["line"], 12);
    assert_eq!(call["reached_from"], serde_json::json!(["Send"]));
    // What a parameter of the call needs is required by it.
    let code = "import boto3\nboto3.client('s3').put_object(Bucket='b', Key='k', ACL='private')\n";
    let r = Repository::new(&[("app.py", code)]);
    let json = r.run(&["needs", "--format", "json"]).json();
    let required = &json["calls"][0]["actions"]["required"];
    assert_eq!(*required, serde_json::json!(["s3:PutObject", "s3:PutObjectAcl"]));
}

#[test]
fn jobs_of_glue() {
    let job = |location: &str| {
        let role = ROLE.replace("ecs-tasks", "glue");
        role + &format!(
            r#"resource "aws_s3_object" "script" {{
  bucket = "scripts"
  key    = "jobs/reader.py"
  source = "${{path.module}}/jobs/reader.py"
}}
resource "aws_glue_job" "reader" {{
  name     = "reader"
  role_arn = aws_iam_role.billing.arn
  command {{
    script_location = "{location}"
  }}
}}
"#
        )
    };
    let code = "import boto3\n\nboto3.client('sqs').receive_message(QueueUrl='q')\n";
    let spark = code.replace("import boto3\n", "import boto3\nimport acme_helpers\n");
    for (location, code, found) in [
        (
            "s3://${aws_s3_object.script.bucket}/${aws_s3_object.script.key}",
            code,
            true,
        ),
        ("s3://scripts/${aws_s3_object.script.key}", code, true),
        ("s3://scripts/jobs/reader.py", code, true),
        ("s3://scripts/jobs/other.py", code, false),
        ("s3://scripts/jobs/reader.py", &spark, false),
    ] {
        let ran = check_usage(
            &Repository::new(&[("main.tf", &job(location)), ("jobs/reader.py", code)]),
            &[],
        );
        let all = labels(&ran);
        let is_found = all.iter().any(|l| l.starts_with("unused-grant: main.tf:12"));
        assert_eq!(is_found, found, "{location} {all:?}");
    }
}

#[test]
fn user_data_says_what_an_instance_runs() {
    let found = |data: &str, files: &[(&str, &str)]| {
        let data: String = data.lines().map(|line| format!("          {line}\n")).collect();
        let template = format!(
            "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument:\n        Statement: \
             [{{Effect: Allow, Principal: {{Service: ec2.amazonaws.com}}, Action: 'sts:AssumeRole'}}]\n      Policies:\n        - \
             PolicyName: p\n          PolicyDocument: {{Statement: [{{Effect: Allow, Action: ['sqs:ReceiveMessage', \
             'sqs:PurgeQueue'], Resource: '*'}}]}}\n  Profile:\n    Type: AWS::IAM::InstanceProfile\n    Properties: {{Roles: [!Ref \
             Role]}}\n  Host:\n    Type: AWS::EC2::Instance\n    Properties:\n      IamInstanceProfile: !Ref Profile\n      \
             UserData:\n        Fn::Base64: |\n{data}"
        );
        let mut all = vec![("template.yaml", template.as_str())];
        all.extend_from_slice(files);
        let json = Repository::new(&all).run(&["workloads", "--format", "json"]).json();
        let w = json["workloads"][0].clone();
        let entry = w["code"]["entry"].as_str().unwrap_or("-").to_owned();
        (entry, w["unused_grant"]["compared"].as_bool().unwrap_or_default())
    };
    let worker = "import boto3\n\nboto3.client('sqs').receive_message(QueueUrl='q')\n";
    let one = [("svc/worker.py", worker)];
    let head = "#!/bin/bash\nyum install -y python3\n";
    for start in [
        "python3 /opt/svc/worker.py",
        "cd /opt/svc && nohup python3 worker.py &",
        "sudo python3.12 -u /opt/svc/worker.py --loop",
    ] {
        assert_eq!(
            found(&format!("{head}{start}\n"), &one),
            ("svc/worker.py".to_owned(), true),
            "{start}"
        );
    }
    // It also starts something else, or calls AWS.
    for more in [
        "docker run image",
        "bash /opt/other.sh",
        "aws s3 cp s3://b/svc/worker.py /opt/svc/worker.py",
    ] {
        let data = format!("{head}{more}\npython3 /opt/svc/worker.py\n");
        assert_eq!(found(&data, &one), ("svc/worker.py".to_owned(), false), "{more}");
    }
    // Not known which file it is.
    for (data, files) in [
        (
            "python3 /opt/a.py\npython3 /opt/svc/worker.py\n",
            &[("svc/worker.py", worker), ("svc/a.py", worker)][..],
        ),
        (
            "python3 worker.py\n",
            &[("a/worker.py", worker), ("b/worker.py", worker)],
        ),
        (
            "cat <<EOF > /opt/worker.py\nprint()\nEOF\npython3 /opt/worker.py\n",
            &one,
        ),
        ("python3 -m http.server\n", &one),
    ] {
        assert_eq!(
            found(&format!("{head}{data}"), files),
            ("-".to_owned(), false),
            "{data}"
        );
    }
}
