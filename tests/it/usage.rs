//! What roles grant against what the code that runs with them calls: variants of one repository. Single repositories are in
//! `testdata/cases/usage`.

use overgrant::internals::iam;
use overgrant::internals::pipeline::{Analysis, analyze};
use overgrant::internals::source::Sources;

use crate::support::lint::{RULESET, found};
use crate::support::repository::Repository;

/// Every finding of the family, as the rule and what of the policy or code it points at, sorted.
pub(crate) fn usage_findings(files: &[(&str, &str)]) -> Vec<String> {
    let (sources, findings) = found(files);
    let mut out: Vec<String> = findings
        .iter()
        .filter(|f| RULESET.get(&f.rule).is_some_and(|r| r.family() == "usage"))
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
        r"Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
{indented}"
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
fn in_sam(properties: &str, code: &str, expected: &[&str]) {
    assert_eq!(
        usage_findings(&[("template.yaml", &sam(properties)), ("src/app.py", code)]),
        expected
    );
}

const TABLE: &str = r"import boto3, os
table = boto3.resource('dynamodb').Table(os.environ['T'])
";

#[test]
fn code_that_may_do_more_says_nothing() {
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['dynamodb:GetItem', 'dynamodb:DeleteTable']
        Resource: '*'";
    let get = format!(
        r"{TABLE}def handler(e, c):
    table.get_item(Key=e)
"
    );
    in_sam(policies, &get, &["unused-grant 'dynamodb:DeleteTable'"]);
    for more in [
        "import subprocess\n",
        "import requests_of_acme\n",
        "from botocore.auth import SigV4Auth\n",
        "from botocore.awsrequest import AWSRequest\n",
        "from . import helpers\n",
        "exec(open('x').read())\n",
        r"client = boto3.client(os.environ['SERVICE'])
client.delete_table(TableName='t')
",
    ] {
        in_sam(
            policies,
            &get.replace("def handler", &format!("{more}def handler")),
            &[],
        );
    }
    // A class of another name signs nothing.
    let other = get.replace("def handler", "class AWSRequesterOfX: pass\ndef handler");
    in_sam(policies, &other, &["unused-grant 'dynamodb:DeleteTable'"]);
    // Another handler, another language, code that is elsewhere.
    in_sam(
        &policies.replace(
            "Policies",
            r"PackageType: Image
Policies",
        ),
        "x = 1\n",
        &[],
    );
    let node = sam(policies).replace("python3.13", "nodejs22.x");
    assert_eq!(
        usage_findings(&[("template.yaml", &node), ("src/app.py", &get)]),
        [""; 0]
    );
    let bucket = sam(policies).replace("CodeUri: src/", "CodeUri: s3://bucket/key");
    assert_eq!(
        usage_findings(&[("template.yaml", &bucket), ("src/app.py", &get)]),
        [""; 0]
    );
}

#[test]
fn one_file_in_a_module_that_is_called_twice() {
    let code = r"import boto3
def handler(e, c):
    boto3.client('s3').get_object(Bucket='b', Key='k')
";
    let main = r#"module "a" {
  source = "./fn"
  name = "a"
}
module "b" {
  source = "./fn"
  name = "b"
}
"#;
    let called = terraform(
        r#"  statement {
    actions   = ["s3:GetObject", "s3:DeleteObject"]
    resources = ["*"]
  }"#,
    )
    .replace(
        r#"source_dir  = "${path.module}/src""#,
        r#"source_file  = "${path.module}/app.py""#,
    )
    .replace(
        r#""fn"
  assume"#,
        r"var.name
  assume",
    );
    let called = format!(
        r#"variable "name" {{}}
{called}"#
    );
    let found = usage_findings(&[("main.tf", main), ("fn/main.tf", &called), ("fn/app.py", code)]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|f| f == r#"unused-grant "s3:DeleteObject""#),
        "{found:?}"
    );
}

/// A method that nothing which runs reads the name of is not run; whatever else may run it, may.
#[test]
fn methods_of_a_class_that_is_named() {
    let template = sam(r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['s3:GetObject', 's3:PutObject']
        Resource: '*'");
    let store = |head: &str, more: &str| {
        format!(
            r"import boto3
from fastapi import Base, register
{head}
    def __init__(self):
        self.s3 = boto3.client('s3')
    def load(self, key):
        return self.s3.get_object(Bucket='b', Key=key)
    def save(self, key):
        self.s3.put_object(Bucket='b', Key=key)
{more}"
        )
    };
    let run = |head: &str, more: &str, app: &str| {
        let store = store(head, more);
        let app = format!(
            r"import fastapi as other
from store import Store, Heir
def handler(e, c):
{app}"
        );
        usage_findings(&[
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
            r"def other_entry(e, c):
    Store().save(e)
",
            "    return Store().load(e)\n",
        ),
        (
            plain,
            "",
            r"    s = Store()
    if isinstance(s, Store):
        print(s)
    return s.load(e)
",
        ),
        (
            plain,
            r"class Heir(Store):
    pass
",
            "    return Heir().load(e)\n",
        ),
        (
            plain,
            "",
            r"    all = []
    all.append(Store())
    for s in all:
        s.load(e)
",
        ),
        (
            r"import dataclasses
@dataclasses.dataclass
class Store:",
            "",
            "    return Store().load(e)\n",
        ),
    ] {
        assert_eq!(run(head, more, app), unused, "{head} {more} {app}");
    }
    for (head, more, app) in [
        (
            plain,
            "",
            r"    s = Store()
    other.use(s)
    return s.load(e)
",
        ),
        (
            plain,
            "",
            r"    s = Store()
    other.use(steps=[('a', s)])
    return s.load(e)
",
        ),
        (
            plain,
            "",
            r"    other.use(Store)
    return Store().load(e)
",
        ),
        (
            plain,
            "",
            r"    all = [Store()]
    other.use(all)
    return Store().load(e)
",
        ),
        (
            plain,
            "",
            r"    all = []
    all.append(Store())
    other.use(all)
    return Store().load(e)
",
        ),
        (
            plain,
            "",
            r"    s = Store()
    getattr(s, e['what'])(e)
    return s.load(e)
",
        ),
        (
            plain,
            "",
            r"    s = Store()
    s.__dict__[e](s)
    return s.load(e)
",
        ),
        (
            plain,
            "",
            r"    import operator
    s = Store()
    operator.methodcaller(e)(s)
    return s.load(e)
",
        ),
        (
            plain,
            "",
            r"    s = other.wrap(1) or Store()
    s.save(e)
    return s.load(e)
",
        ),
        (
            plain,
            r"    def run(self):
        self.save('k')
",
            "    return Store().load(e)\n",
        ),
        (
            plain,
            r"    def __exit__(self, *a):
        self.save('k')
",
            r"    with Store() as s:
        return s.load(e)
",
        ),
        (
            plain,
            r"    @register
    def hook(self):
        self.save('k')
",
            "    return Store().load(e)\n",
        ),
        ("class Store(Base):", "", "    return Store().load(e)\n"),
        (
            r"@register
class Store:",
            "",
            "    return Store().load(e)\n",
        ),
        (
            plain,
            r"class Heir(Store):
    def load(self, key):
        self.save(key)
        return super().load(key)
",
            "    return Heir().load(e)\n",
        ),
        (
            plain,
            r"    def go(self):
        return self.step()
class Heir(Store):
    def step(self):
        self.save('k')
",
            r"    Store().load(e)
    return Heir().go()
",
        ),
    ] {
        assert_eq!(run(head, more, app), [""; 0], "{head} {more} {app}");
    }
}

#[test]
fn code_that_is_not_there_is_asked_for() {
    assert_eq!(wanted(&[("t.yaml", &sam("Timeout: 3"))]), ["src/", "src/app.py"]);
    let code = r"import boto3
def handler(e, c): pass
";
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
            &sam(r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['s3:GetObject', 's3:PutObject']
        Resource: '*'"),
        ),
        (
            "src/app.py",
            r"from lib import names, store
import shapes
def handler(e, c):
    return store.load(names.key(e))
",
        ),
        ("src/lib/__init__.py", ""),
        (
            "src/lib/names.py",
            r"import json
from .more import prefix
def key(e):
    return prefix + json.dumps(e)
",
        ),
        ("src/lib/more.py", "prefix = 'p'\n"),
        ("src/shapes.py", "from dataclasses import dataclass\n"),
        (
            "src/lib/store.py",
            r"import boto3
s3 = boto3.client('s3')
def load(key):
    return s3.get_object(Bucket='b', Key=key)
",
        ),
    ]);
    let run = |repository: &Repository| {
        repository
            .run(&["check", "--isolated", "--only", "usage", "--format", "json"])
            .rules()
    };
    assert_eq!(run(&repository), ["unused-grant"]);
    // A helper that may do more than can be seen.
    repository.write(
        "src/lib/more.py",
        br"import acme_cloud
prefix = acme_cloud.fetch()
",
    );
    assert_eq!(run(&repository), [""; 0]);
}

/// Every function has helpers of the same name: those beside it are its own.
#[test]
fn helpers_of_one_name() {
    let mut template = r"Transform: AWS::Serverless-2016-10-31
Resources:
"
    .to_owned();
    let mut files: Vec<(String, String)> = Vec::new();
    for i in 0..20 {
        let function = sam(r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['s3:GetObject', 's3:PutObject']
        Resource: '*'");
        let function = function.split_once("Resources:\n").unwrap().1;
        template.push_str(
            &function
                .replace("Fn:", &format!("Fn{i}:"))
                .replace("src/", &format!("f{i}/")),
        );
        let app = r"import boto3
import utils
def handler(e, c):
    boto3.client('s3').get_object(Bucket='b', Key=utils.key)
";
        files.push((format!("f{i}/app.py"), app.to_owned()));
        files.push((format!("f{i}/utils.py"), "key = 'k'\n".to_owned()));
    }
    files.push(("template.yaml".to_owned(), template));
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    assert_eq!(usage_findings(&files).len(), 20);
}

/// A SAM function with these actions and events, and the code that puts an item.
fn fed(actions: &str, events: &str) -> Vec<String> {
    let policies = format!(
        r"Policies:
  - Statement:
      - Effect: Allow
        Action: [{actions}]
        Resource: '*'
{events}"
    );
    let code = r"import boto3
def handler(e, c):
    boto3.client('dynamodb').put_item(TableName='t', Item=e)
";
    usage_findings(&[("template.yaml", &sam(&policies)), ("src/app.py", code)])
}

#[test]
fn only_the_declared_event_source_is_polled() {
    let queue = r"Events:
  Jobs:
    Type: SQS
    Properties:
      Queue: arn:aws:sqs:eu-west-1:111122223333:jobs
";
    let all = "'dynamodb:PutItem', 'dynamodb:GetRecords', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'";
    assert_eq!(fed(all, queue), ["unused-grant 'dynamodb:GetRecords'"]);
    // Without a mapping here, one may be set up elsewhere, of a source that the role may read from; and what a parameter names
    // may be anything.
    assert_eq!(fed(all, ""), [""; 0]);
    let others = "'dynamodb:PutItem', 'secretsmanager:GetSecretValue', 'kinesis:GetShardIterator'";
    assert_eq!(fed(others, "").len(), 1);
    let broker = "'dynamodb:PutItem', 'secretsmanager:GetSecretValue', 'mq:DescribeBroker'";
    assert_eq!(fed(broker, ""), [""; 0]);
    let unknown = queue.replace("arn:aws:sqs:eu-west-1:111122223333:jobs", "!Ref Source");
    assert_eq!(fed(all, &unknown), [""; 0]);
}

#[test]
fn an_end_point_of_aws_is_the_service_itself() {
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: 'firehose:PutRecord'
        Resource: '*'";
    let missing = |endpoint: &str| {
        let code = format!(
            r"import boto3, os
URL = {endpoint}
f = boto3.client('firehose', endpoint_url=URL)
def handler(e, c):
    f.put_record(Record={{}}, DeliveryStreamName='d')
    f.put_record_batch(DeliveryStreamName='d', Records=[])
"
        );
        usage_findings(&[("template.yaml", &sam(policies)), ("src/app.py", &code)])
    };
    for endpoint in [
        "'https://firehose.eu-west-1.amazonaws.com'",
        "'https://firehose.' + os.environ['AWS_REGION'] + '.amazonaws.com/'",
        r#"f"https://firehose.{os.environ['AWS_REGION']}.api.aws""#,
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
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: 'firehose:PutRecord'
        Resource: '*'";
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
                r"import boto3
URL = '{url}'
KW = {{}}
KW['endpoint_url'] = URL
def more():
    return {{'endpoint_url': URL}}
f = {made}
def handler(e, c):
    f.put_record_batch(DeliveryStreamName='d', Records=[])
"
            );
            let found = usage_findings(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
            let missing = found.iter().any(|f| f.starts_with("missing-grant"));
            assert_eq!(missing, is_aws, "{made} {url}");
        }
    }
    let code = r"import boto3
f = boto3.client('firehose', 'eu-west-1', None, True, None, 'http://localhost:4566')
def handler(e, c):
    f.put_record_batch(DeliveryStreamName='d', Records=[])
";
    let found = usage_findings(&[("template.yaml", &sam(policies)), ("src/app.py", code)]);
    assert!(!found.iter().any(|f| f.starts_with("missing-grant")), "{found:?}");
}

#[test]
fn parameters_deep_in_the_request_decide_which_action_is_missing() {
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:GetObjectTagging', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem']
        Resource: ['arn:aws:s3:::b/*', 'arn:aws:dynamodb:*:*:table/t']";
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
        let code = format!(
            r"import boto3
def handler(e, c):
    {call}
"
        );
        let found = usage_findings(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
        assert_eq!(
            found.iter().any(|f| f.starts_with("missing-grant")),
            is_missing,
            "{call}: {found:?}"
        );
    }
}

#[test]
fn a_call_on_several_resources_needs_each() {
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:GetItem']
        Resource: 'arn:aws:dynamodb:*:*:table/t'
      - Effect: Allow
        Action: ['events:PutEvents']
        Resource: 'arn:aws:events:*:*:event-bus/t'
      - Effect: Allow
        Action: ['ssm:GetParameters']
        Resource: 'arn:aws:ssm:*:*:parameter/t'
";
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
        let code = format!(
            r"import boto3
def handler(e, c):
    boto3.client('{call}
"
        );
        let found = usage_findings(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
        assert_eq!(
            found.iter().any(|f| f.starts_with("missing-grant")),
            is_missing,
            "{call}: {found:?}"
        );
    }
}

#[test]
fn elements_belong_to_what_lists_them() {
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['s3:ListBucket', 's3:ListBucketVersions']
        Resource: 'arn:aws:s3:::listed'
      - Effect: Allow
        Action: ['s3:GetObject', 's3:DeleteObject', 's3:DeleteObjectVersion']
        Resource: 'arn:aws:s3:::b/*'
      - Effect: Allow
        Action: ['sqs:ReceiveMessage', 'sqs:GetQueueUrl']
        Resource: 'arn:aws:sqs:*:*:listed'
      - Effect: Allow
        Action: ['sqs:DeleteMessage', 'sqs:SendMessage']
        Resource: 'arn:aws:sqs:*:*:b'
";
    for (body, is_missing) in [
        (
            r"for o in bucket.objects.filter(Prefix='p'):
        o.get()",
            true,
        ),
        ("return [o.get() for o in bucket.objects.all()]", true),
        (
            r"for o in list(bucket.objects.limit(5)):
        o.delete()",
            true,
        ),
        (
            r"for o in sorted(bucket.objects.all()):
        o.delete()",
            true,
        ),
        ("list(bucket.objects.all())[0].get()", true),
        ("next(iter(bucket.objects.all())).get()", true),
        (
            r"for i, o in enumerate(bucket.objects.all()):
        o.get()",
            true,
        ),
        (
            r"for o in bucket.objects.all():
        o.Object().get()",
            true,
        ),
        (
            r"for v in bucket.object_versions.all():
        v.delete()",
            true,
        ),
        (
            r"for m in queue.receive_messages():
        m.delete()",
            true,
        ),
        ("queue.receive_messages()[0].delete()", true),
        (
            r"for o in s3.Bucket('b').objects.filter(Prefix='p'):
        o.get()",
            false,
        ),
        (
            r"for o in s3.Bucket('b').objects.all():
        o.Object().get()",
            false,
        ),
        (
            r"for o in s3.Bucket('b').objects.all():
        s3.Object('b', o.key).get()",
            false,
        ),
        (
            r"for o in s3.Bucket('b').objects.all():
        bucket.Object(o.key).get()",
            true,
        ),
        (
            r"for o in s3.Bucket(e['bucket']).objects.all():
        o.get()",
            false,
        ),
        (
            r"for q in queue.dead_letter_source_queues.all():
        q.send_message(MessageBody='')",
            false,
        ),
        (
            r"for x in s3.buckets.all():
        x.objects.all().delete()",
            false,
        ),
    ] {
        let code = format!(
            r"import boto3
s3 = boto3.resource('s3')
bucket = s3.Bucket('listed')
queue = boto3.resource('sqs').get_queue_by_name(QueueName='listed')

def handler(e, c):
    {body}
"
        );
        let found = usage_findings(&[("template.yaml", &sam(policies)), ("src/app.py", &code)]);
        let listing = |f: &str| [".all", ".filter", ".limit"].iter().any(|method| f.ends_with(method));
        let missing = found.iter().any(|f| f.starts_with("missing-grant") && !listing(f));
        assert_eq!(missing, is_missing, "{body}: {found:?}");
    }
}
