//! Constructs that libraries and frameworks bring: what they call, and what they run.

use overgrant::internals::python::calls::EntryReach;

use crate::support::calls::{analyze, calls, line, with};

/// What runs from `app.handler`, and whether that is certain.
#[track_caller]
fn runs(code: &str, expected: &[&str], exact: bool) {
    let code = format!(
        r"import boto3
s3 = boto3.client('s3')
def dead():
    s3.delete_object(Bucket='b', Key='k')
{code}"
    );
    let found = analyze(&[("m.py", &code)], |s, c| {
        let r: EntryReach = c.reach(s.find("m.py").unwrap(), "handler");
        let calls: Vec<String> = r.calls.iter().map(|i| line(s, &c.calls[*i])).collect();
        let named = r.named.len();
        (calls, named, r.exact)
    });
    let (calls, named, is_exact) = found;
    let calls: Vec<&str> = calls.iter().map(|c| c.split_once(' ').unwrap().1).collect();
    assert_eq!(calls, expected, "{code}");
    assert_eq!(is_exact, exact, "{code}");
    if exact {
        assert_eq!(named, expected.len(), "{code}");
    }
}

// ---- Powertools ----

#[test]
fn powertools_parameters() {
    calls(
        "from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.ssm import get_parameters_by_name
parameters.get_parameter('/a')
parameters.get_parameters('/p')
get_parameters_by_name({})
parameters.get_secret('s')
parameters.get_app_config(name='n', environment='e', application='a')
parameters.set_parameter(name='/x', value='v')
parameters.set_secret(name='/x', value='v')
",
        &[
            "3 <module> ssm.get_parameter",
            "4 <module> ssm.get_parameters",
            "5 <module> ssm.get_parameters_by_name",
            "6 <module> secretsmanager.get_secret",
            "7 <module> appconfig.get_app_config",
            "8 <module> ssm.set_parameter",
            "9 <module> secretsmanager.set_secret",
        ],
    );
}

#[test]
fn powertools_providers() {
    calls(
        "from aws_lambda_powertools.utilities.parameters import SSMProvider, SecretsProvider, DynamoDBProvider
from aws_lambda_powertools.utilities.parameters.appconfig import AppConfigProvider
ssm, secrets = SSMProvider(), SecretsProvider()
conf = AppConfigProvider(environment='e', application='a')
class Config:
    def __init__(self):
        self.table = DynamoDBProvider(table_name='t')
    def load(self):
        self.table.get('k')
        self.table.get_multiple('k')
def f():
    ssm.get('/a')
    ssm.get_multiple('/a')
    ssm.get_parameters_by_name({})
    ssm.set('/a', value='x')
    secrets.get('s')
    conf.get('x')
",
        &[
            "9 Config.load dynamodb.get",
            "10 Config.load dynamodb.get_multiple",
            "12 f ssm.get",
            "13 f ssm.get_multiple",
            "14 f ssm.get_parameters_by_name",
            "15 f ssm.set",
            "16 f secretsmanager.get",
            "17 f appconfig.get",
        ],
    );
}

#[test]
fn powertools_idempotency_batch_flags_and_streams() {
    calls(
        "from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
from aws_lambda_powertools.utilities.idempotency.persistence.dynamodb import DynamoDBPersistenceLayer as Store
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.feature_flags import AppConfigStore, FeatureFlags
from aws_lambda_powertools.utilities.streaming.s3_object import S3Object
layer = DynamoDBPersistenceLayer(table_name='t')
store = Store(table_name='t')
flags = FeatureFlags(store=AppConfigStore(environment='e', application='a', name='f'))
processor = BatchProcessor(event_type=EventType.SQS)
@idempotent(persistence_store=layer)
def handler(e, c):
    S3Object(bucket='b', key='k').read()
    return process_partial_response(event=e, record_handler=print, processor=processor, context=c)
",
        &[
            "7 <module> dynamodb.DynamoDBPersistenceLayer",
            "8 <module> dynamodb.DynamoDBPersistenceLayer",
            "9 <module> appconfig.AppConfigStore",
            "13 handler s3.S3Object",
        ],
    );
}

// ---- other libraries, as hints ----

#[test]
fn libraries_that_read_and_write() {
    calls(
        "import smart_open
from smart_open import open as sopen
import awswrangler as wr
from aws_secretsmanager_caching import SecretCache
smart_open.open('s3://b/k', 'wb')
sopen('s3://b/k')
sopen('/tmp/k')
wr.athena.read_sql_query('select 1', database='d')
wr.dynamodb.put_items(items=[], table_name='t')
wr.secretsmanager.get_secret_json('s')
SecretCache().get_secret_string('s')
",
        &[
            "5 <module> s3.open?",
            "6 <module> s3.open?",
            "8 <module> athena.read_sql_query?",
            "9 <module> dynamodb.put_items?",
            "10 <module> secretsmanager.get_secret_json?",
            "11 <module> secretsmanager.SecretCache?",
        ],
    );
}

// ---- clients ----

#[test]
fn context_managers_give_what_they_hold() {
    calls(
        "import boto3
from contextlib import ExitStack, closing, nullcontext
with closing(boto3.client('s3')) as s3:
    s3.list_buckets()
with boto3.client('sqs') as sqs:
    sqs.list_queues()
with ExitStack() as stack:
    kms = stack.enter_context(closing(boto3.client('kms')))
    kms.list_keys()
with nullcontext(boto3.client('sns')) as sns:
    sns.list_topics()
",
        &[
            "4 <module> s3.ListBuckets",
            "6 <module> sqs.ListQueues",
            "9 <module> kms.ListKeys",
            "11 <module> sns.ListTopics",
        ],
    );
}

#[test]
fn names_that_are_put_together() {
    calls(
        "import boto3
s3 = boto3.client('s3')
for verb in ('get', 'put'):
    getattr(s3, f'{verb}_object')(Bucket='b', Key='k')
getattr(s3, 'head_' + 'object')(Bucket='b', Key='k')
def of(suffix):
    return boto3.client('bedrock' + suffix)
of('-runtime').invoke_model(modelId='m')
",
        &[
            "4 <module> s3.GetObject",
            "4 <module> s3.PutObject",
            "5 <module> s3.HeadObject",
            "8 <module> bedrock-runtime.InvokeModel",
        ],
    );
}

#[test]
fn tuples_unpacked_and_methods_in_dicts() {
    calls(
        "import boto3
clients = (boto3.client('s3'), boto3.client('sqs'))
clients[1].list_queues()
first, *rest = clients
first.head_bucket(Bucket='b')
OPS = {'get': first.get_object, 'put': first.put_object}
OPS['get'](Bucket='b', Key='k')
make = {'client': boto3.client}
make['client']('kms').list_keys()
match input():
    case 'a':
        z = boto3.client('logs')
    case _:
        z = boto3.client('xray')
z.describe_log_groups()
z.get_trace_summaries()
",
        &[
            "3 <module> sqs.ListQueues",
            "5 <module> s3.HeadBucket",
            "6 <module> s3.PutObject?",
            "7 <module> s3.GetObject",
            "9 <module> kms.ListKeys",
            "15 <module> logs.DescribeLogGroups",
            "16 <module> xray.GetTraceSummaries",
        ],
    );
}

#[test]
fn generators_and_coroutines() {
    calls(
        "import boto3
def each():
    yield boto3.client('ecs')
for c in each():
    c.list_clusters()
next(each()).describe_clusters()
async def get():
    return boto3.client('kinesis')
async def go():
    c = await get()
    await c.list_streams()
",
        &[
            "5 <module> ecs.ListClusters",
            "6 <module> ecs.DescribeClusters",
            "11 go kinesis.ListStreams",
        ],
    );
}

#[test]
fn code_from_methods_chosen_by_name_is_said() {
    let of = |name: &str| {
        let code = format!(
            "import boto3, operator
m = operator.methodcaller({name})
m(boto3.client('dynamodb'))
"
        );
        with(&code, |s, c| {
            let calls = c.calls.iter().map(|c| line(s, c));
            calls
                .chain(c.unresolved.iter().map(|u| u.why.text().to_owned()))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(of("'list_tables'"), ["2 <module> dynamodb.ListTables?"]);
    assert_eq!(of("input()"), ["operation chosen at run time"]);
}

// ---- what runs ----

const USED: &str = "used s3.ListBuckets";
const WORK: &str = r"def used():
    s3.list_buckets()
";

#[test]
fn handlers_in_every_form() {
    for form in [
        r"def handler(e, c):
    used()
",
        r"def real(e, c):
    used()
handler = real
",
        "handler = lambda e, c: used()\n",
        r"class H:
    def __call__(self, e, c):
        used()
handler = H()
",
        r"class H:
    def run(self, e, c):
        used()
handler = H().run
",
        r"def make(x):
    def h(e, c):
        used()
    return h
handler = make(1)
",
        r"import functools
def deco(f):
    @functools.wraps(f)
    def inner(*a):
        return f(*a)
    return inner
@deco
def handler(e, c):
    used()
",
        r"import asyncio
async def main():
    used()
def handler(e, c):
    asyncio.run(main())
",
        r"r = used()
def handler(e, c):
    return r
",
    ] {
        runs(&format!("{WORK}{form}"), &[USED], true);
    }
}

#[test]
fn what_decorators_are_given_runs() {
    for form in [
        r"from aws_lambda_powertools import Logger, Tracer
logger = Logger()
tracer = Tracer()
@logger.inject_lambda_context(log_event=True)
@tracer.capture_lambda_handler
def handler(e, c):
    used()
",
        r"from aws_lambda_powertools.utilities.data_classes import event_source, SQSEvent
@event_source(data_class=SQSEvent)
def handler(e, c):
    used()
",
        r"from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
app = APIGatewayHttpResolver()
@app.get('/x')
def x():
    used()
def handler(e, c):
    return app.resolve(e, c)
",
        r"from aws_lambda_powertools.event_handler import AppSyncResolver
app = AppSyncResolver()
@app.resolver(type_name='Q', field_name='f')
def x():
    used()
def handler(e, c):
    return app.resolve(e, c)
",
        r"from fastapi import FastAPI
from mangum import Mangum
app = FastAPI()
@app.get('/')
def root():
    used()
handler = Mangum(app)
",
        r"from flask import Flask
import serverless_wsgi
app = Flask(__name__)
@app.route('/')
def root():
    used()
def handler(e, c):
    return serverless_wsgi.handle_request(app, e, c)
",
        r"from chalice import Chalice, Rate
handler = Chalice(app_name='x')
@handler.route('/')
def root():
    used()
",
        r"from chalice import Chalice, Rate
handler = Chalice(app_name='x')
@handler.schedule(Rate(5, unit=Rate.MINUTES))
def tick(e):
    used()
",
        r"from crhelper import CfnResource
helper = CfnResource()
@helper.create
def make(e, c):
    used()
def handler(e, c):
    helper(e, c)
",
    ] {
        runs(&format!("{WORK}{form}"), &[USED], true);
    }
}

/// A handler that a library makes of we know not what: all of the module counts.
#[test]
fn handlers_of_unknown_makers_count_all() {
    runs(
        &format!(
            r"{WORK}from ask_sdk_core.skill_builder import SkillBuilder
handler = SkillBuilder().lambda_handler()
"
        ),
        &["dead s3.DeleteObject", USED],
        false,
    );
}

/// Routes in modules of their own are found by their import.
#[test]
fn routers_of_other_modules() {
    let files = [
        (
            "m.py",
            r"from fastapi import FastAPI
from mangum import Mangum
from routes import items
app = FastAPI()
app.include_router(items.router)
handler = Mangum(app)
",
        ),
        ("routes/__init__.py", ""),
        (
            "routes/items.py",
            r"import boto3
from fastapi import APIRouter
router = APIRouter()
@router.get('/')
def items():
    boto3.client('s3').list_buckets()
def dead():
    boto3.client('s3').delete_bucket(Bucket='b')
",
        ),
    ];
    let found = analyze(&files, |s, c| {
        let r: EntryReach = c.reach(s.find("m.py").unwrap(), "handler");
        let calls: Vec<String> = r.calls.iter().map(|i| line(s, &c.calls[*i])).collect();
        (calls, r.exact)
    });
    assert_eq!(found, (vec!["routes/items.py:6 items s3.ListBuckets".to_owned()], true));
}

/// What only a script does is no part of a function.
#[test]
fn scripts_run_what_they_guard() {
    let code = r"import boto3
s3 = boto3.client('s3')
def handler(e, c):
    s3.list_buckets()
def local():
    s3.delete_bucket(Bucket='b')
if __name__ == '__main__':
    local()
";
    analyze(&[("m.py", code)], |s, c| {
        let file = s.find("m.py").unwrap();
        let named = |r: &EntryReach| r.named.iter().map(|i| line(s, &c.calls[*i])).collect::<Vec<_>>();
        assert_eq!(named(&c.reach(file, "handler")), ["4 handler s3.ListBuckets"]);
        assert_eq!(named(&c.script(file)), ["6 local s3.DeleteBucket"]);
    });
}

// ---- where matching of names goes wrong ----

/// Every action that code needs for certain, and those that it may need in addition.
fn needed_and_possible(code: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    with(code, |_, c| {
        let mut needed: Vec<&str> = Vec::new();
        let mut possible: Vec<&str> = Vec::new();
        for a in c.listed().into_iter().map(|i| &c.calls[i].actions) {
            needed.extend(a.required.iter().chain(&a.any_of));
            for conditional in &a.conditional {
                match conditional.trigger {
                    Some(_) => needed.push(conditional.action),
                    None => possible.push(conditional.action),
                }
            }
        }
        (needed, possible)
    })
}

#[track_caller]
fn check_needs(code: &str, expected: &[&str]) {
    assert_eq!(
        needed_and_possible(&format!(
            r"import boto3
{code}"
        ))
        .0,
        expected,
        "{code}"
    );
}

#[test]
fn operations_that_are_handed_around() {
    for form in [
        "getattr(c, 'get_object')(Bucket='b', Key='k')",
        r"m = c.get_object
m(Bucket='b', Key='k')",
        r"def run(op):
    op(Bucket='b', Key='k')
run(c.get_object)",
    ] {
        check_needs(
            &format!(
                r"c = boto3.client('s3')
{form}
"
            ),
            &["s3:GetObject"],
        );
    }
    // The call of what `partial` makes may give a version.
    check_needs(
        r"import functools
c = boto3.client('s3')
f = functools.partial(c.get_object, Bucket='b')
f(Key='k')
",
        &["s3:GetObject", "s3:GetObjectVersion"],
    );
}

#[test]
fn urls_need_what_their_bearer_does() {
    check_needs(
        r"c = boto3.client('s3')
c.generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'})
",
        &["s3:GetObject"],
    );
    check_needs(
        "boto3.client('s3').generate_presigned_post('b', 'k')\n",
        &["s3:PutObject"],
    );
}

#[test]
fn one_loop_over_services_and_regions() {
    check_needs(
        r"for svc in ('s3', 's3'):
    c = boto3.client(svc)
    c.list_buckets()
    c.get_bucket_tagging(Bucket='b')
",
        &["s3:ListAllMyBuckets", "s3:GetBucketTagging"],
    );
}

#[test]
fn the_resource_api_calls_when_it_is_read() {
    for (form, expected) in [
        (
            "boto3.resource('ec2').instances.filter().stop()",
            &["ec2:DescribeInstances", "ec2:StopInstances"][..],
        ),
        (
            "boto3.resource('ec2').Instance('i').terminate()",
            &["ec2:TerminateInstances"],
        ),
        (
            "boto3.resource('s3').Bucket('b').objects.all().delete()",
            &["s3:ListBucket", "s3:DeleteObject"],
        ),
        (
            "boto3.resource('dynamodb').Table('t').item_count",
            &["dynamodb:DescribeTable"],
        ),
    ] {
        check_needs(&format!("{form}\n"), expected);
    }
}

#[test]
fn other_classes_with_these_methods_need_nothing() {
    check_needs(
        r"class Fake:
    def get_bucket_tagging(self, Bucket): ...
Fake().get_bucket_tagging(Bucket='b')
",
        &[],
    );
    check_needs(
        r"class Mailer:
    def publish(self, Message): ...
Mailer().publish(Message='m')
",
        &[],
    );
    check_needs("db.query(TableName='t')\n", &[]);
}

#[test]
fn a_client_of_unknown_type_needs_nothing_and_is_said() {
    let code = r"import boto3
def f(client):
    client.tag_resource(ResourceArn='a', Tags=[])
";
    assert!(needed_and_possible(code).0.is_empty());
    let unknown = r"import boto3, os
c = boto3.client(os.environ['S'])
c.tag_resource(ResourceArn='a', Tags=[])
";
    assert!(needed_and_possible(unknown).0.is_empty());
    let said = with(unknown, |_, c| {
        c.unresolved.iter().map(|u| u.why.text()).collect::<Vec<_>>()
    });
    assert_eq!(said, ["client of unknown service"]);
}

#[test]
fn parameters_that_are_not_given_need_nothing() {
    check_needs(
        "boto3.client('ec2').run_instances(ImageId='a', MinCount=1, MaxCount=1)\n",
        &["ec2:RunInstances"],
    );
    check_needs(
        "boto3.client('s3').put_object(Bucket='b', Key='k', Body=b'')\n",
        &["s3:PutObject"],
    );
    check_needs("boto3.client('s3').list_objects_v2(Bucket='b')\n", &["s3:ListBucket"]);
    // Nothing but the customer's key is left as possible.
    let (_, possible) = needed_and_possible(
        r"import boto3
boto3.client('s3').put_object(Bucket='b', Key='k', Body=b'')
",
    );
    assert!(possible.iter().all(|a| a.starts_with("kms:")), "{possible:?}");
}

#[test]
fn a_batch_writer_writes_batches() {
    check_needs(
        r"table = boto3.resource('dynamodb').Table('t')
with table.batch_writer() as bw:
    bw.put_item(Item={})
    bw.delete_item(Key={})
",
        &["dynamodb:BatchWriteItem"],
    );
}
