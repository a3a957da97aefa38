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
        sam("DefinitionUri: machine.asl.json"),
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
