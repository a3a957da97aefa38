//! What roles grant against what the code that runs with them calls: small repositories in the manner of public samples, each
//! with all that is to be found in it, and nothing else.

use overgrant::internals::iam;
use overgrant::internals::pipeline::{Analysis, analyze};
use overgrant::internals::rules::{self, Ruleset, Selection};
use overgrant::internals::source::Sources;

use crate::support::repository::Repository;

/// Every finding of the family, as the rule and what of the policy or code it points at, sorted.
pub(crate) fn found(files: &[(&str, &str)]) -> Vec<String> {
    let sources = Sources::from_strings(files);
    let own = iam::Ownership::default();
    let analysis = analyze(&sources, &own);
    let ruleset = Ruleset::builtin();
    let outcome = rules::run(&analysis.project, &ruleset, &Selection::all(&ruleset));
    let mut out: Vec<String> = outcome
        .findings
        .iter()
        .filter(|f| ruleset.get(&f.rule).is_some_and(|r| r.family() == "usage"))
        .map(|f| {
            let others = f.labels[1..].iter();
            let others = others.filter(|l| l.text == "never called" || l.text.starts_with("grants "));
            let places = std::iter::once(&f.labels[0]).chain(others);
            let places: Vec<&str> = places.map(|l| sources.slice(l.span)).collect();
            format!("{} {}", f.rule, places.join(", "))
        })
        .collect();
    out.sort();
    out
}

fn wanted(files: &[(&str, &str)]) -> Vec<String> {
    let sources = Sources::from_strings(files);
    let own = iam::Ownership::default();
    let Analysis { wanted, .. } = analyze(&sources, &own);
    wanted
}

/// A SAM template with one function that has these properties in addition.
pub(crate) fn sam(properties: &str) -> String {
    let indented: String = properties.trim().lines().map(|l| format!("      {l}\n")).collect();
    format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Fn:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: python3.13\n      Handler: app.handler\n      CodeUri: src/\n{indented}"
    )
}

/// A function of Terraform with these policy statements, in a folder of its own.
pub(crate) fn terraform(statements: &str) -> String {
    format!(
        r#"
data "aws_iam_policy_document" "trust" {{
  statement {{
    actions = ["sts:AssumeRole"]
    principals {{
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }}
  }}
}}
resource "aws_iam_role" "fn" {{
  name               = "fn"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}}
resource "aws_iam_role_policy" "fn" {{
  role   = aws_iam_role.fn.id
  policy = data.aws_iam_policy_document.fn.json
}}
data "aws_iam_policy_document" "fn" {{
{statements}
}}
data "archive_file" "fn" {{
  type        = "zip"
  source_dir  = "${{path.module}}/src"
  output_path = "${{path.module}}/fn.zip"
}}
resource "aws_lambda_function" "fn" {{
  function_name = "fn"
  role          = aws_iam_role.fn.arn
  handler       = "app.handler"
  runtime       = "python3.12"
  filename      = data.archive_file.fn.output_path
}}
"#
    )
}

#[track_caller]
pub(crate) fn in_sam(properties: &str, code: &str, expected: &[&str]) {
    assert_eq!(
        found(&[("template.yaml", &sam(properties)), ("src/app.py", code)]),
        expected
    );
}

#[track_caller]
pub(crate) fn in_terraform(statements: &str, code: &str, expected: &[&str]) {
    assert_eq!(
        found(&[("main.tf", &terraform(statements)), ("src/app.py", code)]),
        expected
    );
}

const TABLE: &str = "import boto3, os\ntable = boto3.resource('dynamodb').Table(os.environ['T'])\n";

#[test]
fn sam_templates_and_their_policies() {
    // A CRUD template where reads are enough, and where they are not.
    in_sam(
        "Policies:\n  - DynamoDBCrudPolicy: {TableName: t}",
        &format!("{TABLE}def handler(e, c):\n    return table.query(KeyConditionExpression='x')\n"),
        &["unused-managed-grant DynamoDBCrudPolicy"],
    );
    in_sam(
        "Policies:\n  - DynamoDBCrudPolicy: {TableName: t}",
        &format!(
            "{TABLE}def handler(e, c):\n    table.update_item(Key=e)\n    table.delete_item(Key=e)\n    table.get_item(Key=e)\n"
        ),
        &[],
    );
    // Nothing of a template is called; the call has no grant.
    in_sam(
        "Policies:\n  - SQSSendMessagePolicy: {QueueName: q}",
        "import boto3\nsns = boto3.client('sns')\ndef handler(e, c):\n    sns.publish(TopicArn=e['t'], Message='m')\n",
        &["missing-grant sns.publish", "unused-managed-grant SQSSendMessagePolicy"],
    );
    // The template of the service that is called.
    in_sam(
        "Policies:\n  - ComprehendBasicAccessPolicy: {}",
        "import boto3, json\nclient = boto3.client('comprehend')\ndef handler(event, context):\n    return client.detect_sentiment(Text=event['body'], LanguageCode='en')\n",
        &[],
    );
    // Thumbnails: read from one bucket, write to another. Which bucket is whose is not distinguished.
    in_sam(
        "Layers: ['arn:aws:lambda:eu-west-1:111122223333:layer:imaging:2']\nPolicies:\n  - S3ReadPolicy: {BucketName: in}\n  - S3CrudPolicy: {BucketName: out}",
        "import boto3\nfrom PIL import Image\ns3 = boto3.client('s3')\ndef handler(event, context):\n    s3.download_file('in', 'k', '/tmp/k')\n    Image.open('/tmp/k').save('/tmp/o')\n    s3.upload_file('/tmp/o', 'out', 'k')\n",
        &[],
    );
    // No one grants anything.
    in_sam(
        "Timeout: 3",
        "import boto3\nses = boto3.client('ses')\ndef handler(event, context):\n    ses.send_email(Source='a', Destination={}, Message={})\n",
        &["missing-grant ses.send_email"],
    );
    // What the platform does with the role.
    in_sam(
        "Tracing: Active\nVpcConfig: {SubnetIds: [a], SecurityGroupIds: [b]}\nPolicies:\n  - Statement:\n      - Effect: Allow\n        Action: ['logs:CreateLogGroup', 'xray:PutTraceSegments', 'ec2:CreateNetworkInterface', 'sqs:ReceiveMessage', 'sqs:DeleteMessage']\n        Resource: '*'",
        &format!("{TABLE}def handler(e, c):\n    return 1\n"),
        &[],
    );
}

#[test]
fn statements_in_sam() {
    let statement = |actions: &str| {
        format!("Policies:\n  - Statement:\n      - Effect: Allow\n        Action: {actions}\n        Resource: '*'")
    };
    // Job submission that passes a role.
    in_sam(
        &statement("['mediaconvert:CreateJob', 'mediaconvert:DescribeEndpoints', 'iam:PassRole']"),
        "import boto3, os\ndef handler(event, context):\n    mc = boto3.client('mediaconvert')\n    url = mc.describe_endpoints()['Endpoints'][0]['Url']\n    mc.create_job(Role=os.environ['R'], Settings={})\n",
        &[],
    );
    // ... and one that passes none.
    in_sam(
        &statement("['sqs:SendMessage', 'iam:PassRole']"),
        "import boto3\nsqs = boto3.client('sqs')\ndef handler(event, context):\n    sqs.send_message_batch(QueueUrl='u', Entries=[])\n",
        &["unused-grant 'iam:PassRole'"],
    );
    // Parameters and secrets by Powertools.
    in_sam(
        &statement("['ssm:GetParameter', 'secretsmanager:GetSecretValue']"),
        "from aws_lambda_powertools import Logger\nfrom aws_lambda_powertools.utilities import parameters\ndef handler(event, context):\n    return parameters.get_parameter('/a'), parameters.get_secret('b')\n",
        &[],
    );
    // A secret with the owner's key.
    in_sam(
        &statement("['secretsmanager:GetSecretValue', 'kms:Decrypt', 'secretsmanager:PutSecretValue']"),
        "import boto3\ndef handler(event, context):\n    return boto3.client('secretsmanager').get_secret_value(SecretId='s')\n",
        &["unused-grant 'secretsmanager:PutSecretValue'"],
    );
    // A query that reads its data with the caller's permissions.
    in_sam(
        &statement(
            "['athena:StartQueryExecution', 'athena:GetQueryResults', 's3:GetObject', 's3:PutObject', 'glue:GetTable']",
        ),
        "import boto3\nathena = boto3.client('athena')\ndef handler(event, context):\n    q = athena.start_query_execution(QueryString='select 1')\n    return athena.get_query_results(QueryExecutionId=q['QueryExecutionId'])\n",
        &[],
    );
    // A wildcard for one call.
    in_sam(
        &statement("'s3:*'"),
        "import boto3\ndef handler(event, context):\n    return boto3.client('s3').list_objects_v2(Bucket='b')\n",
        &["unused-grant 's3:*'"],
    );
    // A prefix that is used as a whole.
    in_sam(
        &statement("['events:PutEvents', 'translate:TranslateText', 'polly:SynthesizeSpeech', 's3:PutObject']"),
        "import boto3\nclients = {n: boto3.client(n) for n in ('events', 'translate', 'polly', 's3')}\nevents = boto3.client('events')\ntranslate = boto3.client('translate')\npolly = boto3.client('polly')\ns3 = boto3.client('s3')\ndef handler(event, context):\n    t = translate.translate_text(Text='a', SourceLanguageCode='en', TargetLanguageCode='de')\n    a = polly.synthesize_speech(Text=t['TranslatedText'], OutputFormat='mp3', VoiceId='V')\n    s3.put_object(Bucket='b', Key='k', Body=a['AudioStream'].read())\n    events.put_events(Entries=[])\n",
        &[],
    );
}

#[test]
fn code_that_may_do_more_says_nothing() {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['dynamodb:GetItem', 'dynamodb:DeleteTable']\n        Resource: '*'";
    let get = format!("{TABLE}def handler(e, c):\n    table.get_item(Key=e)\n");
    in_sam(policies, &get, &["unused-grant 'dynamodb:DeleteTable'"]);
    for more in [
        "import subprocess\n",
        "import requests_of_acme\n",
        "from botocore.auth import SigV4Auth\n",
        "from . import helpers\n",
        "exec(open('x').read())\n",
        "client = boto3.client(os.environ['SERVICE'])\nclient.delete_table(TableName='t')\n",
    ] {
        in_sam(
            policies,
            &get.replace("def handler", &format!("{more}def handler")),
            &[],
        );
    }
    // Another handler, another language, code that is elsewhere.
    in_sam(
        &policies.replace("Policies", "PackageType: Image\nPolicies"),
        "x = 1\n",
        &[],
    );
    let node = sam(policies).replace("python3.13", "nodejs22.x");
    assert_eq!(found(&[("template.yaml", &node), ("src/app.py", &get)]), [""; 0]);
    let bucket = sam(policies).replace("CodeUri: src/", "CodeUri: s3://bucket/key");
    assert_eq!(found(&[("template.yaml", &bucket), ("src/app.py", &get)]), [""; 0]);
}

#[test]
fn calls_as_somebody_else_are_not_missing() {
    for code in [
        "import boto3\ndef handler(e, c):\n    k = boto3.client('sts').assume_role(RoleArn=e['r'], RoleSessionName='s')['Credentials']\n    s3 = boto3.client('s3', aws_access_key_id=k['AccessKeyId'], aws_secret_access_key=k['SecretAccessKey'], aws_session_token=k['SessionToken'])\n    s3.put_object(Bucket='b', Key='k')\n",
        "import boto3\ns3 = boto3.client('s3', endpoint_url='https://storage.example.com')\ndef handler(e, c):\n    s3.put_object(Bucket='b', Key='k')\n",
        "import boto3\nfrom botocore import UNSIGNED\nfrom botocore.config import Config\ns3 = boto3.client('s3', config=Config(signature_version=UNSIGNED))\ndef handler(e, c):\n    s3.get_object(Bucket='b', Key='k')\n",
    ] {
        in_sam("Timeout: 3", code, &[]);
    }
    // An end point of the account's own.
    let socket = "import boto3\ndef handler(e, c):\n    g = boto3.client('apigatewaymanagementapi', endpoint_url=e['url'])\n    g.post_to_connection(ConnectionId='c', Data=b'')\n    boto3.client('s3').put_object(Bucket='b', Key='k')\n";
    in_sam(
        "Timeout: 3",
        socket,
        &[
            "missing-grant boto3.client('s3').put_object",
            "missing-grant g.post_to_connection",
        ],
    );
    // What runs on a developer's machine only, and what either of two actions allows.
    in_sam(
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ses:SendRawEmail\n        Resource: '*'",
        "import boto3\nses = boto3.client('sesv2')\ndef handler(e, c):\n    ses.send_email(Content={'Raw': {'Data': e}})\nif __name__ == '__main__':\n    print(boto3.client('s3').list_buckets())\n",
        &[],
    );
    // Named like clients, and not reached.
    in_sam(
        "Timeout: 3",
        "import boto3\nclass Mail:\n    def publish(self, Message): pass\ndef unused():\n    boto3.client('sns').publish(Message='m')\ndef handler(e, c):\n    Mail().publish(Message='m')\n    boto3.client('sts').get_caller_identity()\n",
        &[],
    );
}

#[test]
fn inline_code_has_its_places_in_the_template() {
    let template = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: ["ec2:DescribeInstances", "ec2:TerminateInstances"]
                Resource: "*"
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.run
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: !Sub |
          import boto3
          import cfnresponse
          ec2 = boto3.client("ec2", region_name="${AWS::Region}")
          def run(event, context):
              ec2.describe_instances()
              ec2.stop_instances(InstanceIds=[])
              cfnresponse.send(event, context, cfnresponse.SUCCESS, {})
"#;
    assert_eq!(
        found(&[("t.yaml", template)]),
        [
            "missing-grant ec2.stop_instances",
            "unused-grant \"ec2:TerminateInstances\""
        ]
    );
    // What launches may need more than their calls say.
    let launches = template.replace(
        "stop_instances(InstanceIds=[])",
        "run_instances(MaxCount=1, MinCount=1)",
    );
    assert_eq!(found(&[("t.yaml", &launches)]), ["missing-grant ec2.run_instances"]);
    let sqs = template
        .replace("ec2.describe_instances()", "boto3.client('sqs').list_queues()")
        .replace("ec2.stop_instances(InstanceIds=[])", "pass");
    assert_eq!(
        found(&[("t.yaml", &sqs)]),
        [
            "missing-grant boto3.client('sqs').list_queues",
            "unused-grant \"ec2:DescribeInstances\", \"ec2:TerminateInstances\""
        ]
    );
}

#[test]
fn terraform_roles_policies_and_archives() {
    let statement =
        |actions: &str| format!("  statement {{\n    actions   = [{actions}]\n    resources = [\"*\"]\n  }}");
    in_terraform(
        &statement("\"dynamodb:PutItem\", \"dynamodb:Scan\""),
        &format!("{TABLE}def handler(e, c):\n    table.put_item(Item=e)\n"),
        &["unused-grant \"dynamodb:Scan\""],
    );
    in_terraform(
        &statement("\"states:StartExecution\""),
        "import boto3, json, os\nfrom aws_lambda_powertools import Logger\nlogger = Logger()\nclient = boto3.client('stepfunctions')\ndef handler(event, context):\n    return client.start_execution(stateMachineArn=os.environ['ARN'], input=json.dumps(event))\n",
        &[],
    );
    in_terraform(
        &statement(
            "\"logs:CreateLogStream\", \"logs:PutLogEvents\", \"dynamodb:Query\", \"dynamodb:UpdateItem\", \"ses:SendEmail\", \"ses:SendRawEmail\"",
        ),
        "import boto3, os\ndynamodb = boto3.resource('dynamodb')\nses = boto3.client('ses')\ntable = dynamodb.Table(os.environ['T'])\ndef handler(e, c):\n    for r in carts():\n        tell(r)\ndef carts():\n    params = {'IndexName': 'i'}\n    return table.query(**params)['Items']\ndef tell(r):\n    ses.send_email(Source='s', Destination={}, Message={})\n    table.update_item(Key=r)\n",
        &[],
    );
    in_terraform(
        &statement("\"kinesis:PutRecord\""),
        "import boto3\nkinesis = boto3.client('kinesis')\ndef handler(e, c):\n    kinesis.put_records(StreamName='s', Records=[])\n",
        &[
            "missing-grant kinesis.put_records",
            "unused-grant \"kinesis:PutRecord\"",
        ],
    );
    in_terraform(
        &statement("\"dynamodb:*\""),
        &format!(
            "{TABLE}def handler(e, c):\n    with table.batch_writer() as batch:\n        batch.put_item(Item=e)\n"
        ),
        &["unused-grant \"dynamodb:*\""],
    );
}

#[test]
fn terraform_modules_and_single_files() {
    let module = r#"
module "fn" {
  source        = "terraform-aws-modules/lambda/aws"
  function_name = "fn"
  handler       = "app.handler"
  runtime       = "python3.12"
  source_path   = "${path.module}/src"
  attach_policy_statements = true
  policy_statements = {
    s3 = { effect = "Allow", actions = ["s3:GetObject", "s3:PutObjectAcl"], resources = ["arn:aws:s3:::b/*"] }
  }
}
"#;
    let code = "import boto3\ndef handler(e, c):\n    boto3.client('s3').get_object(Bucket='b', Key='k')\n";
    assert_eq!(
        found(&[("main.tf", module), ("src/app.py", code)]),
        ["unused-grant \"s3:PutObjectAcl\""]
    );
    // One file as the archive, in a module that is called twice.
    let main = "module \"a\" {\n  source = \"./fn\"\n  name = \"a\"\n}\nmodule \"b\" {\n  source = \"./fn\"\n  name = \"b\"\n}\n";
    let called = terraform(
        "  statement {\n    actions   = [\"s3:GetObject\", \"s3:DeleteObject\"]\n    resources = [\"*\"]\n  }",
    )
    .replace(
        "source_dir  = \"${path.module}/src\"",
        "source_file  = \"${path.module}/app.py\"",
    )
    .replace("\"fn\"\n  assume", "var.name\n  assume");
    let called = format!("variable \"name\" {{}}\n{called}");
    let found = found(&[("main.tf", main), ("fn/main.tf", &called), ("fn/app.py", code)]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|f| f == "unused-grant \"s3:DeleteObject\""),
        "{found:?}"
    );
}

#[test]
fn serverless_functions_share_a_role_or_have_their_own() {
    let shared = r#"
service: shop
provider:
  name: aws
  runtime: python3.12
  iam:
    role:
      statements:
        - Effect: Allow
          Action: ["sns:Publish", "dynamodb:PutItem", "dynamodb:GetItem"]
          Resource: "*"
functions:
  put:
    handler: handlers/put.handler
  get:
    handler: handlers/get.handler
"#;
    let put = "import boto3\ndef handler(e, c):\n    boto3.resource('dynamodb').Table('t').put_item(Item=e)\n";
    let get = "import boto3\ndef handler(e, c):\n    return boto3.resource('dynamodb').Table('t').get_item(Key=e)\n";
    assert_eq!(
        found(&[
            ("serverless.yml", shared),
            ("handlers/put.py", put),
            ("handlers/get.py", get)
        ]),
        ["unused-grant \"sns:Publish\""]
    );
    // One of the two cannot be seen.
    assert_eq!(found(&[("serverless.yml", shared), ("handlers/put.py", put)]), [""; 0]);
    let own = shared.replace(
        "    handler: handlers/get.handler\n",
        "    handler: handlers/get.handler\n    iamRoleStatements:\n      - Effect: Allow\n        Action: dynamodb:GetItem\n        Resource: \"*\"\n",
    );
    assert_eq!(
        found(&[
            ("serverless.yml", &own),
            ("handlers/put.py", put),
            ("handlers/get.py", get)
        ]),
        ["unused-grant \"sns:Publish\", \"dynamodb:GetItem\""]
    );
}

#[test]
fn several_files_of_code() {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:PutObject']\n        Resource: '*'";
    let template = sam(policies);
    let store = "import boto3\nclass Store:\n    def __init__(self):\n        self.s3 = boto3.client('s3')\n    def load(self, key):\n        return self.s3.get_object(Bucket='b', Key=key)\n    def save(self, key):\n        self.s3.put_object(Bucket='b', Key=key)\n";
    let both = "from lib.store import Store\ndef handler(e, c):\n    s = Store()\n    s.save(s.load(e))\n";
    let one = "from lib.store import Store\ndef handler(e, c):\n    return Store().load(e)\n";
    let files = |app| {
        [
            ("template.yaml", template.clone()),
            ("src/app.py", app),
            ("src/lib/__init__.py", String::new()),
            ("src/lib/store.py", store.to_owned()),
        ]
    };
    let run = |app: &str| {
        let files = files(app.to_owned());
        found(&files.iter().map(|(p, t)| (*p, t.as_str())).collect::<Vec<_>>())
    };
    assert_eq!(run(both), [""; 0]);
    assert_eq!(run(one), ["unused-grant 's3:PutObject'"]);
    let template = template.replace("'s3:GetObject', 's3:PutObject'", "'s3:GetObject'");
    let run = |app: &str| {
        found(&[
            ("template.yaml", &template),
            ("src/app.py", app),
            ("src/lib/__init__.py", ""),
            ("src/lib/store.py", store),
        ])
    };
    assert_eq!(run(both), ["missing-grant self.s3.put_object"]);
    assert_eq!(run(one), [""; 0]);
}

/// A method that nothing which runs reads the name of is not run; whatever else may run it, may.
#[test]
fn methods_of_a_class_that_is_named() {
    let template = sam(
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:PutObject']\n        Resource: '*'",
    );
    let store = |head: &str, more: &str| {
        format!(
            "import boto3\nfrom fastapi import Base, register\n{head}\n    def __init__(self):\n        self.s3 = boto3.client('s3')\n    def load(self, key):\n        return self.s3.get_object(Bucket='b', Key=key)\n    def save(self, key):\n        self.s3.put_object(Bucket='b', Key=key)\n{more}"
        )
    };
    let run = |head: &str, more: &str, app: &str| {
        let store = store(head, more);
        let app = format!("import fastapi as other\nfrom store import Store, Heir\ndef handler(e, c):\n{app}");
        found(&[
            ("template.yaml", &template),
            ("src/app.py", &app),
            ("src/store.py", &store),
        ])
    };
    let unused = ["unused-grant 's3:PutObject'"];
    let plain = "class Store:";
    for (head, more, app) in [
        (plain, "", "    return Store().load(e)\n"),
        (
            plain,
            "def other_entry(e, c):\n    Store().save(e)\n",
            "    return Store().load(e)\n",
        ),
        (
            plain,
            "",
            "    s = Store()\n    if isinstance(s, Store):\n        print(s)\n    return s.load(e)\n",
        ),
        (plain, "class Heir(Store):\n    pass\n", "    return Heir().load(e)\n"),
        (
            plain,
            "",
            "    all = []\n    all.append(Store())\n    for s in all:\n        s.load(e)\n",
        ),
        (
            "import dataclasses\n@dataclasses.dataclass\nclass Store:",
            "",
            "    return Store().load(e)\n",
        ),
    ] {
        assert_eq!(run(head, more, app), unused, "{head} {more} {app}");
    }
    for (head, more, app) in [
        (plain, "", "    s = Store()\n    other.use(s)\n    return s.load(e)\n"),
        (
            plain,
            "",
            "    s = Store()\n    other.use(steps=[('a', s)])\n    return s.load(e)\n",
        ),
        (plain, "", "    other.use(Store)\n    return Store().load(e)\n"),
        (
            plain,
            "",
            "    all = [Store()]\n    other.use(all)\n    return Store().load(e)\n",
        ),
        (
            plain,
            "",
            "    all = []\n    all.append(Store())\n    other.use(all)\n    return Store().load(e)\n",
        ),
        (
            plain,
            "",
            "    s = Store()\n    getattr(s, e['what'])(e)\n    return s.load(e)\n",
        ),
        (
            plain,
            "",
            "    s = Store()\n    s.__dict__[e](s)\n    return s.load(e)\n",
        ),
        (
            plain,
            "",
            "    import operator\n    s = Store()\n    operator.methodcaller(e)(s)\n    return s.load(e)\n",
        ),
        (
            plain,
            "",
            "    s = other.wrap(1) or Store()\n    s.save(e)\n    return s.load(e)\n",
        ),
        (
            plain,
            "    def run(self):\n        self.save('k')\n",
            "    return Store().load(e)\n",
        ),
        (
            plain,
            "    def __exit__(self, *a):\n        self.save('k')\n",
            "    with Store() as s:\n        return s.load(e)\n",
        ),
        (
            plain,
            "    @register\n    def hook(self):\n        self.save('k')\n",
            "    return Store().load(e)\n",
        ),
        ("class Store(Base):", "", "    return Store().load(e)\n"),
        ("@register\nclass Store:", "", "    return Store().load(e)\n"),
        (
            plain,
            "class Heir(Store):\n    def load(self, key):\n        self.save(key)\n        return super().load(key)\n",
            "    return Heir().load(e)\n",
        ),
        (
            plain,
            "    def go(self):\n        return self.step()\nclass Heir(Store):\n    def step(self):\n        self.save('k')\n",
            "    Store().load(e)\n    return Heir().go()\n",
        ),
    ] {
        assert_eq!(run(head, more, app), [""; 0], "{head} {more} {app}");
    }
}

#[test]
fn functions_of_other_files() {
    let template = sam(
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:PutObject']\n        Resource: '*'",
    );
    let store = "import boto3\ns3 = boto3.client('s3')\ndef load(key):\n    return s3.get_object(Bucket='b', Key=key)\ndef save(key):\n    s3.put_object(Bucket='b', Key=key)\n";
    let app = "from store import load\ndef handler(e, c):\n    return load(e)\n";
    assert_eq!(
        found(&[
            ("template.yaml", &template),
            ("src/app.py", app),
            ("src/store.py", store)
        ]),
        ["unused-grant 's3:PutObject'"]
    );
}

#[test]
fn policies_that_others_hold_too() {
    let template = r#"
Resources:
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Roles: [!Ref FnRole, !Ref Other]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: ["sqs:SendMessage", "sqs:PurgeQueue"], Resource: "*"}]
  Other:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
"#;
    let code =
        "import boto3\ndef handler(e, c):\n    boto3.client('sqs').send_message(QueueUrl='q', MessageBody='m')\n";
    let held = format!(
        "{}{}",
        sam("Timeout: 3"),
        template.trim_start().trim_start_matches("Resources:\n")
    );
    assert_eq!(found(&[("template.yaml", &held), ("src/app.py", code)]), [""; 0]);
    let alone = held.replace(", !Ref Other", "");
    assert_eq!(
        found(&[("template.yaml", &alone), ("src/app.py", code)]),
        ["unused-grant \"sqs:PurgeQueue\""]
    );
}

#[test]
fn roles_that_are_handed_on() {
    let code = "import boto3\ndef handler(e, c):\n    boto3.client('sqs').list_queues()\n";
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['sqs:ListQueues', 'sqs:PurgeQueue']\n        Resource: '*'";
    in_sam(policies, code, &["unused-grant 'sqs:PurgeQueue'"]);
    // Other functions may be made with it; other stacks may use it.
    in_sam(
        &format!("Environment: {{Variables: {{ROLE: !GetAtt FnRole.Arn}}}}\n{policies}"),
        code,
        &[],
    );
    let exported = format!(
        "{}Outputs:\n  Role:\n    Value: !GetAtt FnRole.Arn\n    Export: {{Name: fn-role}}\n",
        sam(policies)
    );
    assert_eq!(found(&[("template.yaml", &exported), ("src/app.py", code)]), [""; 0]);
}

#[test]
fn code_that_is_not_there_is_asked_for() {
    assert_eq!(wanted(&[("t.yaml", &sam("Timeout: 3"))]), ["src/", "src/app.py"]);
    let code = "import boto3\ndef handler(e, c): pass\n";
    assert_eq!(wanted(&[("t.yaml", &sam("Timeout: 3")), ("src/app.py", code)]), [""; 0]);
    let node = sam("Timeout: 3").replace("python3.13", "nodejs22.x");
    assert_eq!(wanted(&[("t.yaml", &node)]), [""; 0]);
    let packed = sam("Timeout: 3").replace("CodeUri: src/", "CodeUri: dist.zip");
    assert_eq!(wanted(&[("t.yaml", &packed)]), [""; 0]);
}

/// A handler and helpers that say nothing of AWS are read when code needs them.
#[test]
fn helpers_are_read_from_disk() {
    let repository = Repository::new(&[
        (
            "template.yaml",
            &sam(
                "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:PutObject']\n        Resource: '*'",
            ),
        ),
        (
            "src/app.py",
            "from lib import names, store\nimport shapes\ndef handler(e, c):\n    return store.load(names.key(e))\n",
        ),
        ("src/lib/__init__.py", ""),
        (
            "src/lib/names.py",
            "import json\nfrom .more import prefix\ndef key(e):\n    return prefix + json.dumps(e)\n",
        ),
        ("src/lib/more.py", "prefix = 'p'\n"),
        ("src/shapes.py", "from dataclasses import dataclass\n"),
        (
            "src/lib/store.py",
            "import boto3\ns3 = boto3.client('s3')\ndef load(key):\n    return s3.get_object(Bucket='b', Key=key)\n",
        ),
    ]);
    let run = |repository: &Repository| {
        repository
            .run(&["check", "--isolated", "--only", "usage", "--format", "json"])
            .rules()
    };
    assert_eq!(run(&repository), ["unused-grant"]);
    // A helper that may do more than can be seen.
    repository.write("src/lib/more.py", b"import acme_cloud\nprefix = acme_cloud.fetch()\n");
    assert_eq!(run(&repository), [""; 0]);
}

/// Every function has helpers of the same name: those beside it are its own.
#[test]
fn helpers_of_one_name() {
    let mut template = "Transform: AWS::Serverless-2016-10-31\nResources:\n".to_owned();
    let mut files: Vec<(String, String)> = Vec::new();
    for i in 0..20 {
        let function = sam(
            "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:PutObject']\n        Resource: '*'",
        );
        let function = function.split_once("Resources:\n").unwrap().1;
        template.push_str(
            &function
                .replace("Fn:", &format!("Fn{i}:"))
                .replace("src/", &format!("f{i}/")),
        );
        let app = "import boto3\nimport utils\ndef handler(e, c):\n    boto3.client('s3').get_object(Bucket='b', Key=utils.key)\n";
        files.push((format!("f{i}/app.py"), app.to_owned()));
        files.push((format!("f{i}/utils.py"), "key = 'k'\n".to_owned()));
    }
    files.push(("template.yaml".to_owned(), template));
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    assert_eq!(found(&files).len(), 20);
}

/// The first thing that a reader sees is what the tool says.
#[test]
fn the_readme_opens_with_a_finding_of_the_example() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = readme.split("```\n").nth(1).unwrap();
    assert!(shown.starts_with("error[unused-grant]"), "{shown}");
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_overgrant"))
        .args(["check", "testdata/example", "--only", "unused-grant", "--isolated"])
        .env("NO_COLOR", "1")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("COLUMNS")
        .current_dir(root)
        .output()
        .unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    assert!(
        out.contains(shown),
        "README.md shows\n{shown}\nand the tool says\n{out}"
    );
}

/// A SAM function with these actions and events, and the code that puts an item.
fn fed(actions: &str, events: &str) -> Vec<String> {
    let policies = format!(
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: [{actions}]\n        Resource: '*'\n{events}"
    );
    let code = "import boto3\ndef handler(e, c):\n    boto3.client('dynamodb').put_item(TableName='t', Item=e)\n";
    found(&[("template.yaml", &sam(&policies)), ("src/app.py", code)])
}

#[test]
fn only_the_declared_event_source_is_polled() {
    let queue =
        "Events:\n  Jobs:\n    Type: SQS\n    Properties:\n      Queue: arn:aws:sqs:eu-west-1:111122223333:jobs\n";
    let all = "'dynamodb:PutItem', 'dynamodb:GetRecords', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'";
    assert_eq!(fed(all, queue), ["unused-grant 'dynamodb:GetRecords'"]);
    // Without a mapping here, one may be set up elsewhere; and what a parameter names may be anything.
    assert_eq!(fed(all, ""), [""; 0]);
    let unknown = queue.replace("arn:aws:sqs:eu-west-1:111122223333:jobs", "!Ref Source");
    assert_eq!(fed(all, &unknown), [""; 0]);
}

#[test]
fn a_role_that_may_not_read_from_the_source_is_reported_at_the_mapping() {
    let queue =
        "Events:\n  Jobs:\n    Type: SQS\n    Properties:\n      Queue: arn:aws:sqs:eu-west-1:111122223333:jobs\n";
    let code = "import json\ndef handler(e, c):\n    return json.dumps(e)\n";
    // SAM gives its own role the managed policy of the source.
    let own = found(&[("template.yaml", &sam(queue)), ("src/app.py", code)]);
    assert_eq!(own, [""; 0]);
    let template = "Resources:
  Jobs: {Type: 'AWS::SQS::Queue'}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
  Fn:
    Type: AWS::Lambda::Function
    Properties: {Runtime: python3.13, Handler: index.handler, Role: !GetAtt Role.Arn, Code: {ZipFile: 'def handler(e, c): pass'}}
  Map:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Fn, EventSourceArn: !GetAtt Jobs.Arn}
";
    assert_eq!(found(&[("t.yaml", template)]), ["missing-grant !GetAtt Jobs.Arn"]);
}

#[test]
fn inline_code_is_the_code_of_a_handler_in_index_only() {
    let template = |handler: &str| {
        format!(
            "Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement: [{{Effect: Allow, Action: 's3:GetObject', Resource: '*'}}]
  Fn:
    Type: AWS::Lambda::Function
    Properties: {{Runtime: python3.13, Handler: {handler}, Role: !GetAtt Role.Arn, Code: {{ZipFile: 'def handler(e, c): pass'}}}}
"
        )
    };
    assert_eq!(
        found(&[("t.yaml", &template("index.handler"))]),
        ["unused-grant 's3:GetObject'"]
    );
    assert_eq!(found(&[("t.yaml", &template("scan.handler"))]), [""; 0]);
}

#[test]
fn a_handler_that_calls_nothing_uses_nothing() {
    let policies =
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: 'dynamodb:*'\n        Resource: '*'";
    let code = "import json\n\ndef handler(event, context):\n    return json.dumps(event)\n";
    let found = found(&[("template.yaml", &sam(policies)), ("src/app.py", code)]);
    assert_eq!(found, ["unused-grant 'dynamodb:*'"]);
}

#[test]
fn an_end_point_of_aws_is_the_service_itself() {
    let policies =
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: 'firehose:PutRecord'\n        Resource: '*'";
    let missing = |endpoint: &str| {
        let code = format!(
            "import boto3, os\nURL = {endpoint}\nf = boto3.client('firehose', endpoint_url=URL)\ndef handler(e, c):\n    f.put_record(Record={{}}, DeliveryStreamName='d')\n    f.put_record_batch(DeliveryStreamName='d', Records=[])\n"
        );
        found(&[("template.yaml", &sam(policies)), ("src/app.py", &code)])
    };
    for endpoint in [
        "'https://firehose.eu-west-1.amazonaws.com'",
        "'https://firehose.' + os.environ['AWS_REGION'] + '.amazonaws.com/'",
        "f\"https://firehose.{os.environ['AWS_REGION']}.api.aws\"",
        "None",
    ] {
        assert_eq!(missing(endpoint), ["missing-grant f.put_record_batch"], "{endpoint}");
    }
    for endpoint in [
        "'http://localhost:4566'",
        "os.environ['URL']",
        "'https://amazonaws.com.example.com'",
    ] {
        assert_eq!(missing(endpoint), [""; 0], "{endpoint}");
    }
}

#[test]
fn an_end_point_counts_however_it_is_given() {
    let policies =
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: 'firehose:PutRecord'\n        Resource: '*'";
    for made in [
        "boto3.client('firehose', **{'endpoint_url': URL})",
        "boto3.client('firehose', **dict(endpoint_url=URL))",
        "boto3.client('firehose', **KW)",
        "boto3.Session().client('firehose', **KW)",
        "boto3.client('firehose', **more())",
        "boto3.client('firehose', 'eu-west-1', None, True, None, URL)",
    ] {
        for (url, is_aws) in [
            ("https://firehose.eu-west-1.amazonaws.com", true),
            ("http://localhost:4566", false),
        ] {
            let code = format!(
                "import boto3\nURL = '{url}'\nKW = {{}}\nKW['endpoint_url'] = URL\ndef more():\n    return {{'endpoint_url': URL}}\nf = {made}\ndef handler(e, c):\n    f.put_record_batch(DeliveryStreamName='d', Records=[])\n"
            );
            let found = found(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
            let missing = found.iter().any(|f| f.starts_with("missing-grant"));
            assert_eq!(missing, is_aws, "{made} {url}");
        }
    }
    let code = "import boto3\nf = boto3.client('firehose', 'eu-west-1', None, True, None, 'http://localhost:4566')\ndef handler(e, c):\n    f.put_record_batch(DeliveryStreamName='d', Records=[])\n";
    let found = found(&[("template.yaml", &sam(policies)), ("src/app.py", code)]);
    assert!(!found.iter().any(|f| f.starts_with("missing-grant")), "{found:?}");
}

#[test]
fn parameters_deep_in_the_request_decide_which_action_is_missing() {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:GetObjectTagging', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem']\n        Resource: ['arn:aws:s3:::b/*', 'arn:aws:dynamodb:*:*:table/t']";
    for (call, is_missing) in [
        (
            "boto3.client('s3').head_object(Bucket='b', Key='k', VersionId=e['v'])",
            true,
        ),
        ("boto3.client('s3').head_object(Bucket='b', Key='k')", false),
        ("boto3.client('s3').head_object(Bucket='b', Key='k', **e)", false),
        (
            "boto3.client('s3').get_object_tagging(Bucket='b', Key='k', VersionId='1')",
            true,
        ),
        (
            "boto3.client('s3').copy_object(Bucket='b', Key='k', CopySource={'Bucket': 'b', 'Key': 'j', 'VersionId': '1'})",
            true,
        ),
        (
            "boto3.client('s3').copy_object(Bucket='b', Key='k', CopySource='b/j?versionId=1')",
            true,
        ),
        (
            "boto3.client('s3').copy_object(Bucket='b', Key='k', CopySource='b/j')",
            false,
        ),
        (
            "boto3.client('s3').delete_objects(Bucket='b', Delete={'Objects': [{'Key': 'k'}, {'Key': 'j', 'VersionId': '1'}]})",
            true,
        ),
        (
            "boto3.client('s3').delete_objects(Bucket='b', Delete={'Objects': [{'Key': 'k'}]})",
            false,
        ),
        ("boto3.resource('s3').ObjectVersion('b', 'k', '1').get()", true),
        (
            "boto3.client('dynamodb').transact_write_items(TransactItems=[{'Put': {'TableName': 't', 'Item': {}}}])",
            true,
        ),
        (
            "boto3.client('dynamodb').transact_write_items(TransactItems=[{'Update': {'TableName': 't', 'Key': {}}}])",
            false,
        ),
        (
            "boto3.client('dynamodb').transact_write_items(TransactItems=[{'Update': {'TableName': 'u', 'Key': {}}}])",
            true,
        ),
        (
            "boto3.client('dynamodb').transact_write_items(TransactItems=e['items'])",
            false,
        ),
        (
            "boto3.client('dynamodb').batch_write_item(RequestItems={'u': []})",
            true,
        ),
        (
            "boto3.client('dynamodb').batch_write_item(RequestItems={'t': []})",
            false,
        ),
        (
            "boto3.resource('s3').Bucket('other').objects.filter(Prefix='p').delete()",
            true,
        ),
    ] {
        let code = format!("import boto3\ndef handler(e, c):\n    {call}\n");
        let found = found(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
        assert_eq!(
            found.iter().any(|f| f.starts_with("missing-grant")),
            is_missing,
            "{call}: {found:?}"
        );
    }
}

#[test]
fn a_call_on_several_resources_needs_each() {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:GetItem']\n        Resource: 'arn:aws:dynamodb:*:*:table/t'\n      - Effect: Allow\n        Action: ['events:PutEvents']\n        Resource: 'arn:aws:events:*:*:event-bus/t'\n      - Effect: Allow\n        Action: ['ssm:GetParameters']\n        Resource: 'arn:aws:ssm:*:*:parameter/t'\n";
    for (call, is_missing) in [
        ("dynamodb').batch_get_item(RequestItems={'t': {}, 'u': {}})", true),
        ("dynamodb').batch_get_item(RequestItems={'t': {}})", false),
        ("dynamodb').batch_write_item(RequestItems={'u': e['u'], 't': []})", true),
        (
            "dynamodb').batch_write_item(RequestItems={e['name']: [], 'u': []})",
            true,
        ),
        (
            "dynamodb').batch_write_item(RequestItems={e['name']: [], 't': []})",
            false,
        ),
        ("dynamodb').batch_write_item(RequestItems=e['items'])", false),
        (
            "dynamodb').transact_get_items(TransactItems=[{'Get': {'TableName': 't', 'Key': {}}}, {'Get': {'TableName': 'u', 'Key': {}}}])",
            true,
        ),
        (
            "events').put_events(Entries=[{'EventBusName': 't'}, {'EventBusName': 'u'}])",
            true,
        ),
        (
            "events').put_events(Entries=[{'EventBusName': 't'}, {'Detail': ''}])",
            true,
        ),
        ("events').put_events(Entries=[{'EventBusName': 't'}])", false),
        ("ssm').get_parameters(Names=['t', 'u'])", true),
        ("ssm').get_parameters(Names=['t'])", false),
    ] {
        let code = format!("import boto3\ndef handler(e, c):\n    boto3.client('{call}\n");
        let found = found(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
        assert_eq!(
            found.iter().any(|f| f.starts_with("missing-grant")),
            is_missing,
            "{call}: {found:?}"
        );
    }
}

#[test]
fn elements_belong_to_what_lists_them() {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:ListBucket', 's3:ListBucketVersions']\n        Resource: 'arn:aws:s3:::listed'\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:DeleteObject', 's3:DeleteObjectVersion']\n        Resource: 'arn:aws:s3:::b/*'\n      - Effect: Allow\n        Action: ['sqs:ReceiveMessage', 'sqs:GetQueueUrl']\n        Resource: 'arn:aws:sqs:*:*:listed'\n      - Effect: Allow\n        Action: ['sqs:DeleteMessage', 'sqs:SendMessage']\n        Resource: 'arn:aws:sqs:*:*:b'\n";
    for (body, is_missing) in [
        ("for o in bucket.objects.filter(Prefix='p'):\n        o.get()", true),
        ("return [o.get() for o in bucket.objects.all()]", true),
        ("for o in list(bucket.objects.limit(5)):\n        o.delete()", true),
        ("for o in sorted(bucket.objects.all()):\n        o.delete()", true),
        ("list(bucket.objects.all())[0].get()", true),
        ("next(iter(bucket.objects.all())).get()", true),
        ("for i, o in enumerate(bucket.objects.all()):\n        o.get()", true),
        ("for o in bucket.objects.all():\n        o.Object().get()", true),
        ("for v in bucket.object_versions.all():\n        v.delete()", true),
        ("for m in queue.receive_messages():\n        m.delete()", true),
        ("queue.receive_messages()[0].delete()", true),
        (
            "for o in s3.Bucket('b').objects.filter(Prefix='p'):\n        o.get()",
            false,
        ),
        (
            "for o in s3.Bucket('b').objects.all():\n        o.Object().get()",
            false,
        ),
        (
            "for o in s3.Bucket('b').objects.all():\n        s3.Object('b', o.key).get()",
            false,
        ),
        (
            "for o in s3.Bucket('b').objects.all():\n        bucket.Object(o.key).get()",
            true,
        ),
        ("for o in s3.Bucket(e['bucket']).objects.all():\n        o.get()", false),
        (
            "for q in queue.dead_letter_source_queues.all():\n        q.send_message(MessageBody='')",
            false,
        ),
        ("for x in s3.buckets.all():\n        x.objects.all().delete()", false),
    ] {
        let code = format!(
            "import boto3\ns3 = boto3.resource('s3')\nbucket = s3.Bucket('listed')\nqueue = boto3.resource('sqs').get_queue_by_name(QueueName='listed')\n\ndef handler(e, c):\n    {body}\n"
        );
        let found = found(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
        let listing = |f: &str| [".all", ".filter", ".limit"].iter().any(|method| f.ends_with(method));
        let missing = found.iter().any(|f| f.starts_with("missing-grant") && !listing(f));
        assert_eq!(missing, is_missing, "{body}: {found:?}");
    }
}
