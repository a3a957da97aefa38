//! Constructs that libraries and frameworks bring: what they call, and what they run.

use overgrant::internals::python::calls::EntryReach;

use crate::support::calls::{analyse, calls, line, with};

/// What runs from `app.handler`, and whether that is certain.
#[track_caller]
fn runs(code: &str, expected: &[&str], exact: bool) {
    let code = format!(
        "import boto3\ns3 = boto3.client('s3')\ndef dead():\n    s3.delete_object(Bucket='b', Key='k')\n{code}"
    );
    let found = analyse(&[("m.py", &code)], |s, c| {
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
    let why = with(
        "import boto3, operator\nm = operator.methodcaller('list_tables')\nm(boto3.client('dynamodb'))\n",
        |_, c| c.unresolved.iter().map(|u| u.why.text()).collect::<Vec<_>>(),
    );
    assert_eq!(why, ["code chosen at run time"]);
}

// ---- what runs ----

const USED: &str = "used s3.ListBuckets";
const WORK: &str = "def used():\n    s3.list_buckets()\n";

#[test]
fn handlers_in_every_form() {
    for form in [
        "def handler(e, c):\n    used()\n",
        "def real(e, c):\n    used()\nhandler = real\n",
        "handler = lambda e, c: used()\n",
        "class H:\n    def __call__(self, e, c):\n        used()\nhandler = H()\n",
        "class H:\n    def run(self, e, c):\n        used()\nhandler = H().run\n",
        "def make(x):\n    def h(e, c):\n        used()\n    return h\nhandler = make(1)\n",
        "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def inner(*a):\n        return f(*a)\n    return inner\n@deco\ndef handler(e, c):\n    used()\n",
        "import asyncio\nasync def main():\n    used()\ndef handler(e, c):\n    asyncio.run(main())\n",
        "r = used()\ndef handler(e, c):\n    return r\n",
    ] {
        runs(&format!("{WORK}{form}"), &[USED], true);
    }
}

#[test]
fn what_decorators_are_given_runs() {
    for form in [
        "from aws_lambda_powertools import Logger, Tracer\nlogger = Logger()\ntracer = Tracer()\n@logger.inject_lambda_context(log_event=True)\n@tracer.capture_lambda_handler\ndef handler(e, c):\n    used()\n",
        "from aws_lambda_powertools.utilities.data_classes import event_source, SQSEvent\n@event_source(data_class=SQSEvent)\ndef handler(e, c):\n    used()\n",
        "from aws_lambda_powertools.event_handler import APIGatewayHttpResolver\napp = APIGatewayHttpResolver()\n@app.get('/x')\ndef x():\n    used()\ndef handler(e, c):\n    return app.resolve(e, c)\n",
        "from aws_lambda_powertools.event_handler import AppSyncResolver\napp = AppSyncResolver()\n@app.resolver(type_name='Q', field_name='f')\ndef x():\n    used()\ndef handler(e, c):\n    return app.resolve(e, c)\n",
        "from fastapi import FastAPI\nfrom mangum import Mangum\napp = FastAPI()\n@app.get('/')\ndef root():\n    used()\nhandler = Mangum(app)\n",
        "from flask import Flask\nimport serverless_wsgi\napp = Flask(__name__)\n@app.route('/')\ndef root():\n    used()\ndef handler(e, c):\n    return serverless_wsgi.handle_request(app, e, c)\n",
        "from chalice import Chalice, Rate\nhandler = Chalice(app_name='x')\n@handler.route('/')\ndef root():\n    used()\n",
        "from chalice import Chalice, Rate\nhandler = Chalice(app_name='x')\n@handler.schedule(Rate(5, unit=Rate.MINUTES))\ndef tick(e):\n    used()\n",
        "from crhelper import CfnResource\nhelper = CfnResource()\n@helper.create\ndef make(e, c):\n    used()\ndef handler(e, c):\n    helper(e, c)\n",
    ] {
        runs(&format!("{WORK}{form}"), &[USED], true);
    }
}

/// A handler that a library makes of we know not what: all of the module counts.
#[test]
fn handlers_of_unknown_makers_count_all() {
    runs(
        &format!(
            "{WORK}from ask_sdk_core.skill_builder import SkillBuilder\nhandler = SkillBuilder().lambda_handler()\n"
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
            "from fastapi import FastAPI\nfrom mangum import Mangum\nfrom routes import items\napp = FastAPI()\napp.include_router(items.router)\nhandler = Mangum(app)\n",
        ),
        ("routes/__init__.py", ""),
        (
            "routes/items.py",
            "import boto3\nfrom fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/')\ndef items():\n    boto3.client('s3').list_buckets()\ndef dead():\n    boto3.client('s3').delete_bucket(Bucket='b')\n",
        ),
    ];
    let found = analyse(&files, |s, c| {
        let r: EntryReach = c.reach(s.find("m.py").unwrap(), "handler");
        let calls: Vec<String> = r.calls.iter().map(|i| line(s, &c.calls[*i])).collect();
        (calls, r.exact)
    });
    assert_eq!(found, (vec!["routes/items.py:6 items s3.ListBuckets".to_owned()], true));
}

/// What only a script does is no part of a function.
#[test]
fn scripts_run_what_they_guard() {
    let code = "import boto3\ns3 = boto3.client('s3')\ndef handler(e, c):\n    s3.list_buckets()\ndef local():\n    s3.delete_bucket(Bucket='b')\nif __name__ == '__main__':\n    local()\n";
    analyse(&[("m.py", code)], |s, c| {
        let file = s.find("m.py").unwrap();
        let named = |r: &EntryReach| r.named.iter().map(|i| line(s, &c.calls[*i])).collect::<Vec<_>>();
        assert_eq!(named(&c.reach(file, "handler")), ["4 handler s3.ListBuckets"]);
        assert_eq!(named(&c.script(file)), ["6 local s3.DeleteBucket"]);
    });
}

// ---- where matching of names goes wrong ----

/// Every action that code needs for certain, and those that it may need in addition.
fn actions(code: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    with(code, |_, c| {
        let mut needed: Vec<&str> = Vec::new();
        let mut possible: Vec<&str> = Vec::new();
        for a in c.calls.iter().map(|call| &call.actions) {
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
fn needs(code: &str, expected: &[&str]) {
    assert_eq!(actions(&format!("import boto3\n{code}")).0, expected, "{code}");
}

#[test]
fn operations_that_are_handed_around() {
    for form in [
        "getattr(c, 'get_object')(Bucket='b', Key='k')",
        "m = c.get_object\nm(Bucket='b', Key='k')",
        "import functools\nf = functools.partial(c.get_object, Bucket='b')\nf(Key='k')",
        "def run(op):\n    op(Bucket='b', Key='k')\nrun(c.get_object)",
    ] {
        needs(&format!("c = boto3.client('s3')\n{form}\n"), &["s3:GetObject"]);
    }
}

#[test]
fn urls_need_what_their_bearer_does() {
    needs(
        "c = boto3.client('s3')\nc.generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'})\n",
        &["s3:GetObject"],
    );
    needs(
        "boto3.client('s3').generate_presigned_post('b', 'k')\n",
        &["s3:PutObject"],
    );
}

#[test]
fn one_loop_over_services_and_regions() {
    needs(
        "for svc in ('s3', 's3'):\n    c = boto3.client(svc)\n    c.list_buckets()\n    c.get_bucket_tagging(Bucket='b')\n",
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
        needs(&format!("{form}\n"), expected);
    }
}

#[test]
fn other_classes_with_these_methods_need_nothing() {
    needs(
        "class Fake:\n    def get_bucket_tagging(self, Bucket): ...\nFake().get_bucket_tagging(Bucket='b')\n",
        &[],
    );
    needs(
        "class Mailer:\n    def publish(self, Message): ...\nMailer().publish(Message='m')\n",
        &[],
    );
    needs("db.query(TableName='t')\n", &[]);
}

#[test]
fn a_client_of_unknown_type_needs_nothing_and_is_said() {
    let code = "import boto3\ndef f(client):\n    client.tag_resource(ResourceArn='a', Tags=[])\n";
    assert!(actions(code).0.is_empty());
    let unknown = "import boto3, os\nc = boto3.client(os.environ['S'])\nc.tag_resource(ResourceArn='a', Tags=[])\n";
    assert!(actions(unknown).0.is_empty());
    let said = with(unknown, |_, c| {
        c.unresolved.iter().map(|u| u.why.text()).collect::<Vec<_>>()
    });
    assert_eq!(said, ["client of unknown service"]);
}

#[test]
fn parameters_that_are_not_given_need_nothing() {
    needs(
        "boto3.client('ec2').run_instances(ImageId='a', MinCount=1, MaxCount=1)\n",
        &["ec2:RunInstances"],
    );
    needs(
        "boto3.client('s3').put_object(Bucket='b', Key='k', Body=b'')\n",
        &["s3:PutObject"],
    );
    needs("boto3.client('s3').list_objects_v2(Bucket='b')\n", &["s3:ListBucket"]);
    // Nothing but the customer's key is left as possible.
    let (_, possible) = actions("import boto3\nboto3.client('s3').put_object(Bucket='b', Key='k', Body=b'')\n");
    assert!(possible.iter().all(|a| a.starts_with("kms:")), "{possible:?}");
}

#[test]
fn a_batch_writer_writes_batches() {
    needs(
        "table = boto3.resource('dynamodb').Table('t')\nwith table.batch_writer() as bw:\n    bw.put_item(Item={})\n    bw.delete_item(Key={})\n",
        &["dynamodb:BatchWriteItem"],
    );
}
