//! What code is given by its function's environment: `needs` knows the resources.

use crate::support::repository::Repository;

const CODE: &str = "import boto3, os
table = boto3.resource('dynamodb').Table(os.environ['TABLE'])
s3 = boto3.client('s3')
BUCKET = os.environ.get('BUCKET')
def handler(e, c):
    table.put_item(Item=e)
    s3.get_object(Bucket=BUCKET, Key='in/x')
    s3.put_object(Bucket=os.getenv('NAME'), Key='out/x')
    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE_URL'], MessageBody='m')
    boto3.client('sns').publish(TopicArn=os.environ['TOPIC_ARN'], Message='m')
    boto3.client('secretsmanager').get_secret_value(SecretId=os.environ['SECRET'])
    boto3.client('lambda').invoke(FunctionName=os.environ['ELSEWHERE'])
";

const TEMPLATE: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
  Uploads: {Type: AWS::S3::Bucket}
  Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work}}
  News: {Type: AWS::SNS::Topic}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      Environment:
        Variables:
          TABLE: !Ref Orders
          BUCKET: !Ref Uploads
          QUEUE_URL: !Ref Work
          TOPIC_ARN: !Ref News
          SECRET: arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf
          NAME: reports
          ELSEWHERE: !ImportValue other
";

/// Action and resource of each statement of the policy, and what is said in addition.
fn needed_policy(files: &[(&str, &str)]) -> Vec<String> {
    let repository = Repository::new(files);
    let ran = repository.run(&["needs", ".", "--format", "policy"]);
    // What is printed is a policy that we have nothing to say against.
    repository.write("policy.json", ran.out.as_bytes());
    let checked = repository.run(&["check", "policy.json", "--format", "json", "--ignore", "resources"]);
    assert_eq!(checked.rules(), [""; 0], "{}", ran.out);
    let json = ran.json();
    let statements = json["Statement"].as_array().unwrap();
    let shown = statements.iter().map(|s| {
        let text = |v: &serde_json::Value| v.to_string().replace('"', "");
        format!("{} {}", text(&s["Action"]), text(&s["Resource"]))
    });
    shown.collect()
}

#[test]
fn the_environment_names_the_resources() {
    assert_eq!(
        needed_policy(&[("template.yaml", TEMPLATE), ("src/app.py", CODE)]),
        [
            "dynamodb:PutItem arn:aws:dynamodb:*:*:table/orders",
            "lambda:InvokeFunction arn:aws:lambda:*:*:function:*",
            "s3:GetObject arn:aws:s3:::*/in/x",
            "s3:PutObject arn:aws:s3:::reports/out/x",
            "secretsmanager:GetSecretValue arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
            "sns:Publish arn:aws:sns:*:*:*",
            "sqs:SendMessage arn:aws:sqs:*:*:work",
        ]
    );
}

#[test]
fn people_read_what_it_is_for() {
    let repository = Repository::new(&[("template.yaml", TEMPLATE), ("src/app.py", CODE)]);
    let out = repository.run(&["needs", "."]).out;
    let first: Vec<&str> = out.lines().take(5).collect();
    assert_eq!(
        first,
        [
            "src/app.py:6:5: dynamodb put_item in handler",
            "  needs dynamodb:PutItem",
            "  possibly kms:Decrypt",
            "  on arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders",
            "  for Fn",
        ]
    );
    assert!(out.ends_with("7 calls of 6 services, 7 actions\n"), "{out}");
    // What is not certain says why.
    repository.write(
        "src/app.py",
        br"import boto3
import smart_open
def handler(e, c, s3_client=None):
    s3_client.get_object(Bucket='b', Key='k')
    smart_open.open('s3://b/k')
",
    );
    let out = repository.run(&["needs", "."]).out;
    assert!(
        out.contains("s3 get_object in handler (possibly: the client is known only by its name)"),
        "{out}"
    );
    assert!(
        out.contains("s3 open in handler (possibly: called by a library)"),
        "{out}"
    );
}

#[test]
fn functions_that_share_code_have_their_own_resources() {
    let second = TEMPLATE
        .split_once("  Fn:\n")
        .unwrap()
        .1
        .replace("!Ref Orders", "archive");
    let two = format!(
        r"{TEMPLATE}  Second:
{second}"
    );
    let found = needed_policy(&[("template.yaml", &two), ("src/app.py", CODE)]);
    assert_eq!(
        found[0],
        "dynamodb:PutItem [arn:aws:dynamodb:*:*:table/archive,arn:aws:dynamodb:*:*:table/orders]"
    );
    // One of them does not say: it may be any.
    let silent = two.replace("          TABLE: archive\n", "");
    let found = needed_policy(&[("template.yaml", &silent), ("src/app.py", CODE)]);
    assert_eq!(found[0], "dynamodb:PutItem arn:aws:dynamodb:*:*:table/*");
}

#[test]
fn terraform_gives_names_and_arns() {
    let main = r#"
resource "aws_dynamodb_table" "orders" {
  name = "orders"
}
resource "aws_sns_topic" "news" {
  name = "news"
}
data "archive_file" "z" {
  type        = "zip"
  source_dir  = "src"
  output_path = "fn.zip"
}
resource "aws_lambda_function" "fn" {
  function_name = "fn"
  role          = "arn:aws:iam::111122223333:role/fn"
  handler       = "app.handler"
  runtime       = "python3.13"
  filename      = data.archive_file.z.output_path
  environment {
    variables = {
      TABLE     = aws_dynamodb_table.orders.name
      TOPIC_ARN = aws_sns_topic.news.arn
    }
  }
}
"#;
    let code = r"import boto3, os
def handler(e, c):
    boto3.client('dynamodb').get_item(TableName=os.environ['TABLE'], Key={})
    boto3.client('sns').publish(TopicArn=os.environ['TOPIC_ARN'], Message='m')
";
    assert_eq!(
        needed_policy(&[("main.tf", main), ("src/app.py", code)]),
        [
            "dynamodb:GetItem arn:aws:dynamodb:*:*:table/orders",
            "sns:Publish arn:aws:sns:*:*:news",
        ]
    );
}
