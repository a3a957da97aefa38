//! State machines: what their definition calls is compared with their role.

use crate::support::repository::Repository;

/// Grants of the role that are reported as unused.
fn unused(file: &str, text: &str) -> Vec<String> {
    let r = Repository::new(&[(file, text)]);
    let json = r.check(&["--only", "unused-grant,unused-managed-grant"]).json();
    let findings = json["findings"].as_array().unwrap().iter();
    findings.map(|f| f["message"].as_str().unwrap().to_owned()).collect()
}

fn template(machine: &str) -> String {
    format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Principal: {{Service: states.amazonaws.com}}, Action: sts:AssumeRole}}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: [dynamodb:PutItem, "athena:*"]
                Resource: "*"
  Work:
    Type: AWS::Lambda::Function
    Properties: {{Runtime: nodejs22.x, Handler: index.handler, Code: {{S3Bucket: b, S3Key: k}}}}
  Machine:
{machine}"#
    )
}

const PUT: &str = "{StartAt: A, States: {A: {Type: Task, Resource: 'arn:aws:states:::dynamodb:putItem', End: true}}}";

#[test]
fn what_a_machine_never_calls_is_unused() {
    let sam = |definition: &str| {
        template(&format!(
            "    Type: AWS::Serverless::StateMachine\n    Properties:\n      Role: !GetAtt Role.Arn\n      {definition}\n"
        ))
    };
    let plain = |definition: &str| {
        template(&format!(
            "    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      RoleArn: !GetAtt Role.Arn\n      {definition}\n"
        ))
    };
    let in_branch = PUT.replace("StartAt: A", "StartAt: B").replace(
        "States: {",
        "States: {B: {Type: Parallel, Next: A, Branches: [{StartAt: C, States: {C: {Type: Pass, End: true}}}]}, ",
    );
    let sdk = PUT.replace("dynamodb:putItem", "aws-sdk:dynamodb:putItem");
    let json = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": true}}}"#;
    let function = PUT.replace(
        "States: {",
        "States: {B: {Type: Task, Resource: !GetAtt Work.Arn, Next: A}, ",
    );
    for text in [
        sam(&format!("Definition: {PUT}")),
        sam(&format!("Definition: {in_branch}")),
        sam(&format!("Definition: {sdk}")),
        plain(&format!("Definition: {PUT}")),
        plain(&format!("Definition: {function}")),
        plain(&format!("DefinitionString: '{json}'")),
        plain(&format!(
            "DefinitionString: !Sub '{}'",
            json.replace("arn:aws:", "arn:${AWS::Partition}:")
        )),
        plain(&format!(
            "DefinitionString: '{}'\n      DefinitionSubstitutions: {{Put: 'arn:aws:states:::dynamodb:putItem'}}",
            json.replace("arn:aws:states:::dynamodb:putItem", "${Put}")
        )),
    ] {
        let found = unused("template.yaml", &text);
        assert!(
            matches!(&*found, [one] if one.contains("`athena:*`")),
            "{text}\n{found:?}"
        );
    }
    // What is not understood may call anything.
    for text in [
        sam("DefinitionUri: nowhere.asl.json"),
        sam("DefinitionUri: s3://b/machine.asl.json"),
        sam(&format!(
            "Definition: {}",
            PUT.replace("dynamodb:putItem", "dynamodb:newThing")
        )),
        sam(&format!("Definition: {}", PUT.replace("Type: Task", "Type: New"))),
        plain("DefinitionS3Location: {Bucket: b, Key: k}"),
        plain("DefinitionString: !Ref Machine"),
        plain(&format!("DefinitionString: '{}'", json.replace("}}}", "}}"))),
        plain(&format!(
            "DefinitionString: '{}'",
            json.replace("arn:aws:states:::dynamodb:putItem", "${Put}")
        )),
    ] {
        assert_eq!(unused("template.yaml", &text), [""; 0], "{text}");
    }
}

#[test]
fn machines_of_terraform() {
    let text = |definition: &str| {
        format!(
            r#"resource "aws_iam_role" "m" {{
  name               = "m"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "states.amazonaws.com" }} }}]
  }})
}}
resource "aws_iam_role_policy" "m" {{
  role   = aws_iam_role.m.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = ["sqs:SendMessage", "athena:*"], Resource = "*" }}]
  }})
}}
resource "aws_sfn_state_machine" "m" {{
  name       = "m"
  role_arn   = aws_iam_role.m.arn
  definition = {definition}
}}
"#
        )
    };
    let encoded = r#"jsonencode({ StartAt = "A", States = { A = { Type = "Task", Resource = "arn:aws:states:::sqs:sendMessage", End = true } } })"#;
    let heredoc = "<<EOF\n{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Task\", \"Resource\": \"arn:aws:states:::sqs:sendMessage.waitForTaskToken\", \"End\": true}}}\nEOF";
    for definition in [encoded, heredoc] {
        let found = unused("main.tf", &text(definition));
        assert!(
            matches!(&*found, [one] if one.contains("`athena:*`")),
            "{definition}\n{found:?}"
        );
    }
    for definition in [
        r#"file("machine.json")"#.to_owned(),
        "var.definition".to_owned(),
        encoded.replace("\"arn:aws:states:::sqs:sendMessage\"", "var.task"),
    ] {
        assert_eq!(unused("main.tf", &text(&definition)), [""; 0], "{definition}");
    }
}

#[test]
fn definitions_in_files() {
    let sam = |uri: &str| {
        template(&format!(
            "    Type: AWS::Serverless::StateMachine\n    Properties:\n      Role: !GetAtt Role.Arn\n      DefinitionUri: {uri}\n      \
             DefinitionSubstitutions: {{Put: 'arn:aws:states:::dynamodb:putItem', Work: !GetAtt Work.Arn}}\n"
        ))
    };
    let json = r#"{"StartAt": "A", "States": {
  "A": {"Type": "Task", "Resource": "${Put}", "Next": "B"},
  "B": {"Type": "Task", "Resource": "${Work}", "End": true}}}"#;
    let yaml = "StartAt: A\nStates:\n  A: {Type: Task, Resource: '${Put}', Next: B}\n  B: {Type: Task, Resource: '${Work}', End: true}\n";
    let plain = template(
        "    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      RoleArn: !GetAtt Role.Arn\n      DefinitionS3Location: \
         states/m.asl.json\n      DefinitionSubstitutions: {Put: 'arn:aws:states:::dynamodb:putItem', Work: !GetAtt Work.Arn}\n",
    );
    for (template, file, definition) in [
        (sam("states/m.asl.json"), "infra/states/m.asl.json", json),
        (sam("./states/m.asl.yaml"), "infra/states/m.asl.yaml", yaml),
        (sam("../m.asl.json"), "m.asl.json", json),
        (plain, "infra/states/m.asl.json", json),
    ] {
        let r = Repository::new(&[("infra/template.yaml", &template), (file, definition)]);
        let mut found = r.check(&["--only", "usage"]).findings();
        found.sort_by_key(|f| f["rule"].to_string());
        let messages: Vec<&str> = found.iter().map(|f| f["message"].as_str().unwrap()).collect();
        assert_eq!(
            messages,
            [
                "`lambda:InvokeFunction` is required but not allowed by the role",
                "`athena:*` grants 81 actions; the definition calls none of them",
            ],
            "{file}"
        );
        assert_eq!(found[0]["labels"][0]["path"], file);
        assert_eq!(found[0]["notes"][0], "called by the state `B` of `Machine`");
        let out = r.run(&["workloads"]).out;
        assert!(out.contains(&format!("  definition: {file}\n")), "{out}");
        assert!(
            out.contains("  compared: 2 states call 2 actions, the role grants "),
            "{out}"
        );
    }
    let out = Repository::new(&[("t.yaml", &sam("m.json"))]).run(&["workloads"]).out;
    assert!(
        out.contains("  definition not known: `m.json` is not among the files that were read\n"),
        "{out}"
    );
    for (definition, line) in [
        (
            "{",
            "definition not known: this is not a definition with states that can be read\n    m.json:1:1\n",
        ),
        (
            &json.replace("${Put}", "${Other}"),
            "definition not known: what the state `A` calls is not known\n    m.json:2:",
        ),
        (
            &json.replace("\"Type\": \"Task\", \"Resource\": \"${Put}\"", "\"Type\": \"New\""),
            "definition not known: the state `A` is not understood\n    m.json:2:",
        ),
    ] {
        let out = Repository::new(&[("t.yaml", &sam("m.json")), ("m.json", definition)])
            .run(&["workloads"])
            .out;
        assert!(out.contains(line), "{line}\n{out}");
    }
}

#[test]
fn what_a_machine_calls_is_needed() {
    let machine = |definition: &str| {
        template(&format!(
            "    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      RoleArn: !GetAtt Role.Arn\n      Definition: {definition}\n"
        ))
    };
    let missing = |definition: &str| -> Vec<String> {
        let r = Repository::new(&[("template.yaml", &machine(definition))]);
        let found = r.check(&["--only", "missing-grant"]).findings();
        found
            .iter()
            .map(|f| f["message"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(missing(PUT), [""; 0]);
    assert_eq!(
        missing(&PUT.replace("dynamodb:putItem", "aws-sdk:sqs:purgeQueue")),
        ["`sqs:PurgeQueue` is required but not allowed by the role"]
    );
    // What only looks after the job that was started is not needed for sure.
    assert_eq!(
        missing(&PUT.replace("dynamodb:putItem", "codebuild:startBuild.sync")),
        ["`codebuild:StartBuild` is required but not allowed by the role"]
    );
    assert_eq!(missing(&PUT.replace("dynamodb:putItem", "apigateway:invoke")), [""; 0]);
    let by_arn = PUT.replace(
        "arn:aws:states:::dynamodb:putItem",
        "arn:aws:lambda:eu-west-1:111122223333:function:work",
    );
    let r = Repository::new(&[("template.yaml", &machine(&by_arn))]);
    let json = r.run(&["needs", "--format", "json"]).json();
    let call = &json["calls"][0];
    assert_eq!(call["service"], "lambda");
    assert_eq!(call["method"], "invoke");
    assert_eq!(call["in"], "A");
    assert_eq!(
        call["actions"]["required"],
        serde_json::json!(["lambda:InvokeFunction"])
    );
    assert_eq!(call["reached_from"], serde_json::json!(["Machine"]));
    let human = r.run(&["needs"]).out;
    assert!(
        human.contains(": lambda invoke in the state A\n  needs lambda:InvokeFunction\n"),
        "{human}"
    );
    assert!(human.ends_with("1 call of 1 service, 1 action\n"), "{human}");
    let policy = r.run(&["needs", "--format", "policy"]).json();
    assert_eq!(policy["Statement"][0]["Action"], "lambda:InvokeFunction");
    assert_eq!(
        policy["Statement"][0]["Resource"],
        "arn:aws:lambda:eu-west-1:111122223333:function:work"
    );
}

#[test]
fn a_role_of_code_and_a_machine() {
    let text = template(&format!(
        "    Type: AWS::StepFunctions::StateMachine\n    Properties:\n      RoleArn: !GetAtt Role.Arn\n      Definition: {PUT}\n"
    ));
    let text = text
        .replace(
            "Service: states.amazonaws.com",
            "Service: [states.amazonaws.com, lambda.amazonaws.com]",
        )
        .replace(
            "nodejs22.x, Handler: index.handler, Code: {S3Bucket: b, S3Key: k}",
            "python3.13, Handler: app.handler, Code: src, Role: !GetAtt Role.Arn",
        );
    let code = "import boto3\n\n\ndef handler(event, context):\n    boto3.client('dynamodb').put_item(TableName='t', Item={})\n";
    let r = Repository::new(&[("template.yaml", &text), ("src/app.py", code)]);
    let found = r.check(&["--only", "unused-grant"]).findings();
    assert_eq!(
        found[0]["message"],
        "`athena:*` grants 81 actions; what runs with the role calls none of them"
    );
}
