//! What feeds a function is polled with the function's role, however the mapping is written.

use crate::support::repository::Repository;

const CODE: &str = r"def handler(event, context):
    print(event)
";
const SQS: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const STREAM: &str = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2026-01-01";
const CLUSTER: &str = "arn:aws:kafka:us-east-1:111122223333:cluster/orders/1a2b3c4d";
const BROKER: &str = "arn:aws:mq:us-east-1:111122223333:broker:orders:b-1a2b3c4d";
const DOCUMENTS: &str = "arn:aws:rds:us-east-1:111122223333:cluster:orders";

/// A role with these actions, as a resource of CloudFormation.
fn role_resource(actions: &str) -> String {
    format!(
        r"  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}]}}
      Policies:
        - PolicyName: p
          PolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: [{actions}], Resource: '*'}}]}}
"
    )
}

fn sam_template(event: &str, role_line: &str, actions: &str) -> (String, String) {
    let text = format!(
        r"Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.12
      CodeUri: .
{role_line}      Events:
        E: {event}
{}",
        role_resource(actions)
    );
    ("template.yaml".to_owned(), text)
}

fn serverless_service(event: &str, role_line: &str, actions: &str) -> (String, String) {
    let role: String = role_resource(actions).lines().map(|l| format!("  {l}\n")).collect();
    let text = format!(
        r"service: a
provider:
  name: aws
  runtime: python3.12
{role_line}functions:
  f:
    handler: app.handler
    events:
      - {event}
resources:
  Resources:
{role}"
    );
    ("serverless.yml".to_owned(), text)
}

fn terraform_module(arn: &str, actions: &str) -> (String, String) {
    let actions: Vec<String> = actions.split(", ").map(|a| format!(r#""{a}""#)).collect();
    let text = format!(
        r#"resource "aws_iam_role" "r" {{
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = {{ Service = "lambda.amazonaws.com" }}, Action = "sts:AssumeRole" }}] }})
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.r.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = [{}], Resource = "*" }}] }})
}}
resource "aws_lambda_function" "f" {{
  function_name = "f"
  role          = aws_iam_role.r.arn
  handler       = "app.handler"
  runtime       = "python3.12"
  filename      = "app.zip"
}}
resource "aws_lambda_event_source_mapping" "m" {{
  event_source_arn = "{arn}"
  function_name    = aws_lambda_function.f.arn
}}
"#,
        actions.join(", ")
    );
    ("main.tf".to_owned(), text)
}

/// What `missing-grant` says of a file.
fn missing((path, text): (String, String)) -> Vec<String> {
    let r = Repository::new(&[(&path, &text), ("app.py", CODE)]);
    let json = r.run(&["check", "-f", "json", "--only", "missing-grant"]).json();
    let all = json["findings"].as_array().unwrap().iter();
    all.map(|f| f["message"].as_str().unwrap().to_owned()).collect()
}

/// Event of SAM, event of the Serverless Framework where it has one, ARN, what Lambda calls first, and all that it calls.
fn event_source_cases() -> Vec<(String, String, &'static str, &'static str, &'static str)> {
    let queue = "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes";
    let kinesis = "kinesis:GetRecords, kinesis:GetShardIterator, kinesis:DescribeStream";
    let dynamodb = "dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:DescribeStream";
    let kafka = "kafka:GetBootstrapBrokers, ec2:CreateNetworkInterface, ec2:DescribeNetworkInterfaces";
    let mq = "mq:DescribeBroker, secretsmanager:GetSecretValue, ec2:CreateNetworkInterface";
    let documents = "rds:DescribeDBClusters, secretsmanager:GetSecretValue";
    let start = "StartingPosition: LATEST";
    [
        (
            format!("{{Type: SQS, Properties: {{Queue: '{SQS}'}}}}"),
            format!("sqs: {SQS}"),
            SQS,
            queue,
        ),
        (
            format!("{{Type: Kinesis, Properties: {{Stream: '{STREAM}', {start}}}}}"),
            format!("stream: {STREAM}"),
            STREAM,
            kinesis,
        ),
        (
            format!("{{Type: DynamoDB, Properties: {{Stream: '{TABLE}', {start}}}}}"),
            format!("stream: {{type: dynamodb, arn: '{TABLE}'}}"),
            TABLE,
            dynamodb,
        ),
        (
            format!("{{Type: MSK, Properties: {{Stream: '{CLUSTER}', Topics: [t], {start}}}}}"),
            format!("msk: {{arn: '{CLUSTER}', topic: t}}"),
            CLUSTER,
            kafka,
        ),
        (
            format!("{{Type: MQ, Properties: {{Broker: '{BROKER}', Queues: [q]}}}}"),
            format!("rabbitmq: {{arn: '{BROKER}', queue: q}}"),
            BROKER,
            mq,
        ),
        (
            format!("{{Type: DocumentDB, Properties: {{Cluster: '{DOCUMENTS}', DatabaseName: d}}}}"),
            String::new(),
            DOCUMENTS,
            documents,
        ),
    ]
    .map(|(sam, serverless, arn, all)| (sam, serverless, arn, all.split(',').next().unwrap_or(all), all))
    .into()
}

#[test]
fn an_event_source_that_the_role_may_not_read_is_reported_in_every_format() {
    let sam_role = "      Role: !GetAtt R.Arn\n";
    let serverless_role = r"  iam:
    role: !GetAtt R.Arn
";
    for (event, other, arn, first, all) in event_source_cases() {
        for (actions, expected) in [("logs:PutLogEvents", true), (all, false)] {
            let mut files = vec![sam_template(&event, sam_role, actions), terraform_module(arn, actions)];
            if !other.is_empty() {
                files.push(serverless_service(&other, serverless_role, actions));
            }
            for file in files {
                let text = file.1.clone();
                let found = missing(file);
                let is_said = found.len() == 1 && found[0].starts_with(&format!("`{first}` is required to poll"));
                assert!(
                    is_said == expected && found.len() == usize::from(expected),
                    r"{found:?}
{text}"
                );
            }
        }
    }
}

#[test]
fn what_a_framework_grants_by_itself_is_not_missing() {
    for (event, other, ..) in event_source_cases().into_iter().take(3) {
        assert_eq!(
            missing(sam_template(&event, "", "logs:PutLogEvents")),
            [""; 0],
            "{event}"
        );
        assert_eq!(
            missing(serverless_service(&other, "", "logs:PutLogEvents")),
            [""; 0],
            "{other}"
        );
    }
}

#[test]
fn a_mapping_that_is_switched_off_polls_nothing() {
    let (path, text) = terraform_module(SQS, "logs:PutLogEvents");
    let off = text.replace(
        "  function_name    =",
        r"  enabled          = false
  function_name    =",
    );
    assert_eq!(missing((path, off)), [""; 0]);
}
