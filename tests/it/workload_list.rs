//! `overgrant workloads`: what runs, and why it is not compared with its role.

use crate::support::repository::Repository;

const SEND: &str = "import boto3\n\n\ndef handler(event, context):\n    \
                    boto3.client('sqs').send_message(QueueUrl='q', MessageBody='m')\n";

/// A function of SAM with its own role.
fn sam(properties: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Send:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         Policies: [{{Statement: [{{Effect: Allow, Action: 'sqs:*', Resource: '*'}}]}}]\n      {properties}\n"
    )
}

const PYTHON: &str = "{Runtime: python3.13, Handler: app.handler, CodeUri: src/}";

/// Properties in flow style as lines.
fn lines(flow: &str) -> String {
    flow.trim_matches(['{', '}']).replace(", ", "\n      ")
}

fn listed(files: &[(&str, &str)]) -> String {
    let ran = Repository::new(files).run(&["workloads"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

#[test]
fn what_is_compared_says_how_much() {
    let template = sam(&lines(PYTHON));
    let files = [("template.yaml", template.as_str()), ("src/app.py", SEND)];
    assert_eq!(
        listed(&files),
        "template.yaml:3:3: function Send\n  code: src/app.py, `handler`\n  role: SendRole (template.yaml:3:3)\n  compared: 1 \
         call needs 1 action, the role grants 23 actions\n  counted as used: sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:ReceiveMessage (the platform, if it is set up so elsewhere, \
         template.yaml:3:3)\n1 workload, 1 compared\n"
    );
    let r = Repository::new(&files);
    let json = r.run(&["workloads", "--format", "json"]).json();
    assert_eq!(json["schema_version"], "1.0");
    assert_eq!(json["errors"], serde_json::json!([]));
    assert_eq!(json["unjudged"], serde_json::json!([]));
    let w = &json["workloads"][0];
    assert_eq!(w["code"]["entry"], "src/app.py");
    assert_eq!(w["roles"][0]["address"], "SendRole");
    assert_eq!(
        w["unused_grant"],
        serde_json::json!({"compared": true, "obstacle": null})
    );
    assert_eq!(w["figures"]["needed"], 1);
    let markdown = r.run(&["workloads", "-f", "markdown"]).out;
    assert_eq!(
        markdown,
        "| workload | code | role | comparison |\n|---|---|---|---|\n| function Send (template.yaml:3:3) | src/app.py, `handler` | \
         SendRole (template.yaml:3:3) | compared: 1 call needs 1 action, the role grants 23 actions<br>counted as used: sqs:DeleteMessage, \
         sqs:GetQueueAttributes, sqs:ReceiveMessage (the platform, if it is set up so elsewhere, template.yaml:3:3) |\n\n1 workload, 1 compared\n"
    );
    // Only what is declared in what was asked for.
    assert_eq!(r.run(&["workloads", "src"]).out, "0 workloads\n");
}

#[test]
fn exit_codes() {
    let template = sam(&lines(PYTHON));
    let r = Repository::new(&[("template.yaml", &template), ("broken.tf", "resource {")]);
    let ran = r.run(&["workloads"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("broken.tf:1:"), "{}", ran.out);
    assert_eq!(r.run(&["workloads", "--format", "xml"]).code, 2);
    assert_eq!(r.run(&["workloads", "nowhere"]).code, 2);
}

#[test]
fn each_gap_has_its_reason() {
    let own = |properties: &str| sam(&lines(properties));
    for (template, more, line) in [
        (
            own("{Runtime: nodejs22.x, Handler: app.handler, CodeUri: src/}"),
            &[][..],
            "code not known: the runtime is `nodejs22.x`, and only Python is read",
        ),
        (
            own(PYTHON),
            &[],
            "code not known: `src/app.py` is not among the files that were read: if the code is elsewhere, name it in the settings",
        ),
        (
            own(PYTHON),
            &[("src/app.py", "handler = print\n")],
            "code not known: `src/app.py` has no word of AWS, so it was not analyzed",
        ),
        (
            own("{Runtime: python3.13, Handler: app.handler, CodeUri: 's3://b/send.zip'}"),
            &[],
            "code not known: nothing that was read uploads `s3://b/send.zip`: if the code is in this repository, name it in the settings",
        ),
        (
            own("{Runtime: python3.13, Handler: app.handler, CodeUri: dist/send.zip}"),
            &[],
            "code not known: nothing that was read makes the package `dist/send.zip`: name the code in the settings",
        ),
        (
            own("{PackageType: Image, ImageUri: 'a/b:1'}"),
            &[],
            "code not known: it is in a container image, and nothing says of which Dockerfile: name the code and the Dockerfile in the settings",
        ),
        (
            own("{Runtime: python3.13, Handler: app.handler, InlineCode: 'x = 1'}"),
            &[],
            "code not known: the code in the template is a placeholder, since the handler names another module: name the code in the settings",
        ),
        (
            own(&PYTHON.replace("CodeUri", "Role: 'arn:aws:iam::111122223333:role/x', CodeUri")),
            &[("src/app.py", SEND)],
            "role not known: `arn:aws:iam::111122223333:role/x` is not in the files that were read: check the folder that has it as well",
        ),
        (
            own(&PYTHON.replace("CodeUri", "Role: !ImportValue x, CodeUri")),
            &[("src/app.py", SEND)],
            "role not known: which role `${x}` is, is not known here",
        ),
    ] {
        let mut files = vec![("template.yaml", template.as_str())];
        files.extend(more);
        let out = listed(&files);
        assert!(out.contains(&format!("\n  {line}\n")), "{line}\n{out}");
        assert!(out.contains("\n  not compared\n"), "{out}");
        assert!(out.ends_with("1 workload, 1 not compared\n"), "{out}");
    }
}

#[test]
fn each_doubt_has_its_place() {
    let template = sam(&lines(PYTHON));
    for (code, line) in [
        (
            SEND.replace("import boto3\n", "import boto3\nimport acme_helpers\n"),
            "not compared by unused-grant: what these imports call is not known\n    src/app.py:2:8: `acme_helpers`\n",
        ),
        (
            SEND.replace("import boto3\n", "import boto3\nimport subprocess\n"),
            "not compared by unused-grant: this may call AWS in a way that is not followed\n    src/app.py:2:8: `subprocess`\n",
        ),
        (
            SEND.replace("'sqs'", "event['service']"),
            "not compared by unused-grant: the service of this client is chosen at run time: write its name here\n    src/app.py:5:5\n",
        ),
        (
            SEND.replace("'sqs'", "'sqs', aws_access_key_id=event['k']"),
            "not compared by missing-grant: its code may call as someone else, or another end point, so which calls need the role is not certain\n",
        ),
    ] {
        let out = listed(&[("template.yaml", &template), ("src/app.py", &code)]);
        assert!(out.contains(line), "{line}\n{out}");
        assert!(out.ends_with("1 workload, 1 compared in part\n"), "{out}");
    }
}

#[test]
fn what_else_has_the_role_is_named() {
    let template = |principal: &str, more: &str| {
        format!(
            "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument:\n        Statement: \
             [{{Effect: Allow, Principal: {principal}, Action: 'sts:AssumeRole'}}]\n      Policies:\n        - PolicyName: p\n          \
             PolicyDocument: {{Statement: [{{Effect: Allow, Action: 'sqs:SendMessage', Resource: '*'}}]}}\n  Send:\n    Type: \
             AWS::Lambda::Function\n    Properties: {{Runtime: python3.13, Handler: app.handler, Code: src/, Role: !GetAtt Role.Arn}}\n{more}"
        )
    };
    let lambda = "{Service: lambda.amazonaws.com}";
    for (text, line) in [
        (
            template("{AWS: '*'}", ""),
            "not compared by unused-grant: the role also trusts `*`, which may use it: give each its own role\n    template.yaml:6:",
        ),
        (
            template(
                lambda,
                "Outputs:\n  Arn: {Value: !GetAtt Role.Arn, Export: {Name: role}}\n",
            ),
            "not compared by unused-grant: the role is handed on here, so something else may use it: give each its own role\n    template.yaml:",
        ),
        (
            template(
                lambda,
                "  Other:\n    Type: AWS::Lambda::Function\n    Properties: {Runtime: nodejs22.x, Handler: a.b, Code: js/, Role: !GetAtt Role.Arn}\n",
            ),
            "not compared by unused-grant: `Other` has the same role, and is not understood: see there\n",
        ),
        (
            template(
                lambda,
                "  More:\n    Type: AWS::IAM::RolePolicy\n    Properties: {PolicyName: m, RoleName: !Ref Role, PolicyDocument: !Ref Text}\nParameters:\n  Text: {Type: String}\n",
            ),
            "not compared by missing-grant: ",
        ),
    ] {
        let out = listed(&[("template.yaml", &text), ("src/app.py", SEND)]);
        assert!(out.contains(line), "{line}\n{out}");
    }
}

#[test]
fn what_to_add_to_the_settings_helps() {
    let template = sam(&lines(&PYTHON.replace("src/", "dist/bundle.zip")));
    let r = Repository::new(&[
        ("infra/template.yaml", &template),
        ("infra/functions/send/app.py", SEND),
        ("other/app.py", SEND),
        ("infra/functions/send/tests/app.py", SEND),
    ]);
    let json = r.run(&["workloads", "--format", "json"]).json();
    let settings = json["workloads"][0]["settings"].as_str().unwrap();
    assert_eq!(
        settings,
        "[[workload]]\ncode = \"infra/functions/send\"\nrole = \"SendRole\"\nentry = \"app.py:handler\"\n"
    );
    let human = r.run(&["workloads", "infra"]).out;
    assert!(
        human.contains("  add to overgrant.toml:\n    [[workload]]\n    code ="),
        "{human}"
    );
    r.write("overgrant.toml", settings.as_bytes());
    let out = r.run(&["workloads"]).out;
    assert!(
        out.contains("  code: infra/functions/send/app.py, `handler`\n"),
        "{out}"
    );
    assert!(out.ends_with("1 workload, 1 compared\n"), "{out}");
    assert_eq!(r.check(&["--only", "usage"]).rules(), ["unused-grant"]);
}

#[test]
fn tasks_jobs_and_entries_of_the_settings() {
    let role = |service: &str| {
        format!(
            "resource \"aws_iam_role\" \"r\" {{\n  name = \"r\"\n  assume_role_policy = jsonencode({{\n    Statement = [{{ Effect = \
             \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ Service = \"{service}.amazonaws.com\" }} }}]\n  }})\n}}\n"
        )
    };
    let task = role("ecs-tasks")
        + "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"t\"\n  task_role_arn = aws_iam_role.r.arn\n  \
           container_definitions = jsonencode([{ name = \"a\", image = \"b\" }])\n}\n";
    let files = [("main.tf", task.as_str()), ("app/main.py", SEND)];
    let out = listed(&files);
    assert!(out.contains("main.tf:7:1: task aws_ecs_task_definition.t\n"), "{out}");
    assert!(
        out.contains("    role = \"aws_iam_role.r\"\n    entry = \"path/to/code/Dockerfile\"\n"),
        "{out}"
    );
    let settings = "[[workload]]\ncode = \"app\"\nrole = \"aws_iam_role.r\"\n";
    let out = listed(&[files[0], files[1], ("overgrant.toml", settings)]);
    let entry =
        "not compared by missing-grant: nothing says where its code begins to run: name the `entry` in the settings\n";
    assert!(out.contains(entry), "{out}");
    let job = role("glue")
        + "resource \"aws_glue_job\" \"j\" {\n  name = \"j\"\n  role_arn = aws_iam_role.r.arn\n  command {\n    script_location = \
           \"s3://b/main.py\"\n  }\n}\n";
    let out = listed(&[("main.tf", &job), files[1]]);
    assert!(out.contains("main.tf:7:1: job aws_glue_job.j\n"), "{out}");
    assert!(
        out.contains("    code = \"app\"\n    role = \"aws_iam_role.r\"\n    entry = \"main.py\"\n"),
        "{out}"
    );
}

/// Two functions with one role and packages that nothing makes.
const SHARED: &str = "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {Statement: \
                      [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}\n      Policies: \
                      [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: [sqs:SendMessage, sns:Publish], \
                      Resource: '*'}]}}]\n  One:\n    Type: AWS::Lambda::Function\n    Properties: {Runtime: python3.13, Handler: \
                      app.handler, Role: !GetAtt Role.Arn, Code: {S3Bucket: b, S3Key: x1.zip}}\n  Two:\n    Type: \
                      AWS::Lambda::Function\n    Properties: {Runtime: python3.13, Handler: app.handler, Role: !GetAtt Role.Arn, \
                      Code: {S3Bucket: b, S3Key: x2.zip}}\n";

#[test]
fn an_entry_of_the_settings_is_the_code_of_one_function() {
    let publish =
        "import boto3\n\n\ndef handler(event, context):\n    boto3.client('sns').publish(TopicArn='t', Message='m')\n";
    let r = Repository::new(&[("t.yaml", SHARED), ("a/app.py", SEND), ("b/app.py", publish)]);
    let blocks = || -> Vec<String> {
        let json = r.run(&["workloads", "--format", "json"]).json();
        let all = json["workloads"].as_array().unwrap();
        let texts = all.iter().filter_map(|w| w["settings"].as_str());
        texts.map(str::to_owned).collect()
    };
    // Of several folders, none is a guess.
    assert_eq!(
        blocks(),
        ["One", "Two"].map(|name| format!(
            "[[workload]]\nname = \"{name}\"\ncode = \"path/to/code\"  # such as a, b\nrole = \"Role\"\nentry = \
             \"app.py:handler\"\n"
        ))
    );
    let of = |name: &str, code: &str| {
        format!("[[workload]]\nname = \"{name}\"\ncode = \"{code}\"\nrole = \"Role\"\nentry = \"app.py:handler\"\n")
    };
    r.write("overgrant.toml", of("One", "a").as_bytes());
    let out = r.run(&["workloads"]).out;
    assert_eq!(out.matches("code: a/app.py").count(), 1, "{out}");
    assert_eq!(out.matches("code not known").count(), 1, "{out}");
    assert!(r.check(&["--only", "usage"]).rules().is_empty());
    r.write("overgrant.toml", (of("One", "a") + &of("Two", "b")).as_bytes());
    let out = r.run(&["workloads"]).out;
    assert!(
        out.contains("code: a/app.py") && out.contains("code: b/app.py"),
        "{out}"
    );
    assert!(out.ends_with("2 workloads, 2 compared\n"), "{out}");
    assert!(r.check(&["--only", "usage"]).rules().is_empty());
    // Without a name it is not known which one is meant.
    r.write(
        "overgrant.toml",
        of("One", "a").replace("name = \"One\"\n", "").as_bytes(),
    );
    let out = r.run(&["workloads"]).out;
    assert_eq!(out.matches("code not known").count(), 2, "{out}");
    assert!(r.check(&["--only", "usage"]).rules().is_empty());
    r.write("overgrant.toml", of("Three", "a").as_bytes());
    let ran = r.run(&["check"]);
    let told = format!("{}{}", ran.out, ran.err);
    assert!(told.contains("nothing called `Three` runs with this role"), "{told}");
}

#[test]
fn what_a_layer_from_elsewhere_may_call_is_told() {
    let properties = format!(
        "{}\n      Layers: ['arn:aws:lambda:eu-west-1:111122223333:layer:agent:3']",
        lines(PYTHON)
    );
    let template = sam(&properties).replace("'sqs:*'", "[sqs:SendMessage, xray:PutTraceSegments, ssm:GetParameter]");
    let out = listed(&[("template.yaml", &template), ("src/app.py", SEND)]);
    assert!(
        out.contains(
            "counted as used: ssm:GetParameter, xray:PutTraceSegments (a layer that is not in the repository, "
        ),
        "{out}"
    );
}
