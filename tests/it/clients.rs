//! Where clients come from in real code, one construct a test: what is followed, and what must not be.

use crate::support::calls::{calls, lines, with};

// ---- classes ----

#[test]
fn a_base_class_makes_the_client_that_each_heir_names() {
    // The same base for all: each heir has its own service, and no other's operations.
    let code = "import boto3
class Hook:
    def __init__(self, aws_conn_id=None, client_type=None):
        self.client_type = client_type
    def make(self):
        return boto3.client(self.client_type)
    @property
    def conn(self):
        return self.make()
class Glue(Hook):
    def __init__(self, *args, **kwargs):
        kwargs['client_type'] = 'glue'
        super().__init__(*args, **kwargs)
    def go(self):
        self.conn.tag_resource(ResourceArn='a', TagsToAdd={})
class Queue(Hook):
    def __init__(self):
        super().__init__(client_type='sqs')
    def go(self):
        self.conn.list_queues()
        self.conn.tag_resource(ResourceArn='a', TagsToAdd={})
class Table(Hook):
    def __init__(self, **kwargs):
        kwargs.update({'client_type': 'dynamodb'})
        super().__init__(**kwargs)
    def go(self):
        self.conn.tag_resource(ResourceArn='a', Tags=[])
";
    calls(
        code,
        &[
            "15 Glue.go glue.TagResource",
            "20 Queue.go sqs.ListQueues",
            "21 Queue.go sqs.tag_resource",
            "27 Table.go dynamodb.TagResource",
        ],
    );
}

#[test]
fn heirs_in_other_modules() {
    let found = lines(&[
        (
            "hooks/base.py",
            r"import boto3
from functools import cached_property
class Base:
    service = None
    @cached_property
    def client(self):
        return boto3.client(self.service)
",
        ),
        ("hooks/__init__.py", "from .base import Base\n"),
        (
            "kms.py",
            r"from hooks import Base
class Keys(Base):
    service = 'kms'
    def go(self):
        self.client.tag_resource(KeyId='k', Tags=[])
",
        ),
        (
            "sns.py",
            r"from hooks import Base
class Topics(Base):
    service = 'sns'
    def go(self):
        self.client.tag_resource(ResourceArn='k', Tags=[])
",
        ),
    ]);
    assert_eq!(
        found,
        ["kms.py:5 Keys.go kms.TagResource", "sns.py:5 Topics.go sns.TagResource"]
    );
}

#[test]
fn the_class_names_the_service() {
    calls(
        "import boto3
class Service:
    def __init__(self, service, session):
        self.service = service.lower()
        self.client = boto3.client(self.service)
class SQS(Service):
    def __init__(self, session):
        super().__init__(__class__.__name__, session)
        self.client.list_queues()
class KMS(Service):
    def __init__(self, session):
        super().__init__(self.__class__.__name__, session)
        self.client.list_keys()
        self.client.list_queues()
",
        &[
            "9 SQS.__init__ sqs.ListQueues",
            "13 KMS.__init__ kms.ListKeys",
            "14 KMS.__init__ kms.list_queues",
        ],
    );
}

#[test]
fn singletons() {
    calls(
        "import boto3
class Clients:
    _instance = None
    def __new__(cls):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
            cls._instance.s3 = boto3.client('s3')
        return cls._instance
    def go(self):
        self.s3.list_buckets()
",
        &["10 Clients.go s3.ListBuckets"],
    );
    calls(
        "import boto3
class Clients:
    @classmethod
    def s3(cls):
        if not hasattr(cls, '_s3'):
            cls._s3 = boto3.client('s3')
        return cls._s3
Clients.s3().list_buckets()
Clients._s3.head_bucket(Bucket='b')
",
        &["8 <module> s3.ListBuckets", "9 <module> s3.HeadBucket"],
    );
}

#[test]
fn fields_of_dataclasses_and_named_tuples() {
    calls(
        "import boto3
from dataclasses import dataclass, field
from typing import Any, NamedTuple
@dataclass
class A:
    s3: Any = field(default_factory=lambda: boto3.client('s3'))
    def go(self):
        self.s3.list_buckets()
class B(NamedTuple):
    sqs: Any
def use(b: B):
    b.sqs.list_queues()
use(B(boto3.client('sqs')))
",
        &["8 A.go s3.ListBuckets", "12 use sqs.ListQueues"],
    );
}

#[test]
fn objects_that_hold_clients() {
    calls(
        "import boto3
from types import SimpleNamespace
import threading
c = SimpleNamespace(s3=boto3.client('s3'), sqs=boto3.client('sqs'))
c.s3.list_buckets()
local = threading.local()
def f():
    local.kms = boto3.client('kms')
    local.kms.list_keys()
",
        &["5 <module> s3.ListBuckets", "9 f kms.ListKeys"],
    );
}

// ---- factories ----

#[test]
fn factories_give_what_each_call_names() {
    calls(
        "import boto3
def pair(name):
    return boto3.client(name), boto3.resource(name)
s3, _ = pair('s3')
_, ddb = pair('dynamodb')
s3.list_buckets()
s3.list_tables()
ddb.Table('t').scan()
",
        &[
            "6 <module> s3.ListBuckets",
            "7 <module> s3.list_tables",
            "8 <module> dynamodb.Scan",
        ],
    );
    calls(
        "import boto3
class Factory:
    def __init__(self, session):
        self.session = session
    def regional(self, service):
        clients = {}
        for region in self.session.get_available_regions(service):
            clients[region] = self.session.client(service, region_name=region)
        return clients
f = Factory(boto3.Session())
for c in f.regional('sqs').values():
    c.list_queues()
    c.list_keys()
for r, c in f.regional('kms').items():
    c.list_keys()
",
        &[
            "12 <module> sqs.ListQueues",
            "13 <module> sqs.list_keys",
            "15 <module> kms.ListKeys",
        ],
    );
    calls(
        "import boto3
def make(**kwargs):
    return boto3.client(**kwargs)
make(service_name='s3', region_name='eu-west-1').list_buckets()
def other(service, **kwargs):
    return boto3.client(service, **kwargs)
other('sqs', region_name='r').list_queues()
OPTIONS = {'service_name': 'kms'}
boto3.client(**OPTIONS).list_keys()
",
        &[
            "4 <module> s3.ListBuckets",
            "7 <module> sqs.ListQueues",
            "9 <module> kms.ListKeys",
        ],
    );
}

#[test]
fn partial_factories() {
    calls(
        "import boto3
from functools import partial
make = partial(boto3.client, region_name='eu-west-1')
make('s3').list_buckets()
sqs = partial(boto3.client, 'sqs')
sqs().list_queues()
",
        &["4 <module> s3.ListBuckets", "6 <module> sqs.ListQueues"],
    );
}

#[test]
fn cached_factories_and_default_sessions() {
    calls(
        "import boto3
from functools import cache
boto3.setup_default_session(region_name='eu-west-1')
@cache
def session():
    return boto3.session.Session()
@cache
def client(name):
    return session().client(name)
client('sns').list_topics()
boto3.DEFAULT_SESSION.client('s3').list_buckets()
",
        &["10 <module> sns.ListTopics", "11 <module> s3.ListBuckets"],
    );
}

// ---- functions that are handed on ----

#[test]
fn decorators_that_hand_in_a_client() {
    calls(
        "import boto3
import functools
def with_s3(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(boto3.client('s3'), *args, **kwargs)
    return wrapper
def inject(name):
    def outer(f):
        def wrapper(*args):
            return f(*args, client=boto3.client(name))
        return wrapper
    return outer
@with_s3
def one(c, key):
    c.list_buckets()
@inject('sqs')
def two(client=None):
    client.list_queues()
",
        &["16 one s3.ListBuckets", "19 two sqs.ListQueues"],
    );
}

#[test]
fn work_that_others_run() {
    calls(
        "import boto3
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
import asyncio
s3, sqs, kms, sns = (boto3.client(n) for n in ('s3', 'sqs', 'kms', 'sns'))
q = boto3.client('sqs')
def a(key, c):
    c.list_buckets()
def b(c):
    c.list_queues()
def d(c):
    c.list_keys()
def e(c):
    c.list_topics()
with ThreadPoolExecutor() as pool:
    pool.submit(a, 'k', boto3.client('s3'))
    pool.map(b, [boto3.client('sqs')])
Thread(target=d, args=(boto3.client('kms'),)).start()
async def main():
    await asyncio.get_event_loop().run_in_executor(None, e, boto3.client('sns'))
    await asyncio.to_thread(q.purge_queue, QueueUrl='u')
",
        &[
            "8 a s3.ListBuckets",
            "10 b sqs.ListQueues",
            "12 d kms.ListKeys",
            "14 e sns.ListTopics",
            "21 main sqs.PurgeQueue",
        ],
    );
}

// ---- asynchronous clients ----

#[test]
fn asynchronous_clients() {
    calls(
        "import aioboto3
from aiobotocore.session import AioSession
from contextlib import AsyncExitStack
class Store:
    def __init__(self):
        self.session = aioboto3.Session()
    async def get(self):
        async with self.session.client('s3') as s3:
            paginator = s3.get_paginator('list_objects_v2')
            async for page in paginator.paginate(Bucket='b'):
                pass
    async def put(self):
        async with self.session.resource('dynamodb') as ddb:
            table = await ddb.Table('t')
            await table.put_item(Item={})
async def stacked():
    async with AsyncExitStack() as stack:
        c = await stack.enter_async_context(AioSession().create_client('sqs'))
        await c.list_queues()
",
        &[
            "9 Store.get s3.ListObjectsV2",
            "15 Store.put dynamodb.PutItem",
            "19 stacked sqs.ListQueues",
        ],
    );
}

// ---- annotations ----

#[test]
fn annotations_say_what_call_sites_do_not() {
    calls(
        r#"from __future__ import annotations
import boto3
from typing import TYPE_CHECKING, Iterator
from contextlib import contextmanager
if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client, S3ServiceResource
    from mypy_boto3_sqs import SQSClient
    from types_aiobotocore_kms import KMSClient
def f(clients: dict[str, S3Client], c: 'KMSClient | None', r: 'S3ServiceResource', q: "Optional['SQSClient']"):
    clients['eu'].list_buckets()
    c.list_keys()
    r.Bucket('b').create()
@contextmanager
def conn() -> Iterator[SQSClient]:
    yield outside()
with conn() as sqs:
    sqs.list_queues()
"#,
        &[
            "10 f s3.ListBuckets",
            "11 f kms.ListKeys",
            "12 f s3.CreateBucket",
            "17 <module> sqs.ListQueues",
        ],
    );
    calls(
        "import boto3
from botocore.client import BaseClient
def f(c: BaseClient):
    c.select_object_content(Bucket='b')
def g(c: BaseClient):
    c.list_queues()
g(boto3.client('sqs'))
",
        &["4 f s3.SelectObjectContent?", "6 g sqs.ListQueues"],
    );
}

// ---- modules ----

#[test]
fn clients_travel_through_packages() {
    let found = lines(&[
        (
            "svc/aws/clients.py",
            r"import boto3
s3 = boto3.client('s3')
__all__ = ['s3']
",
        ),
        (
            "svc/aws/__init__.py",
            r"from .clients import *
from . import queues
",
        ),
        (
            "svc/aws/queues.py",
            r"import boto3
from .clients import s3
sqs = boto3.client('sqs')
",
        ),
        (
            "svc/app.py",
            r"from .aws import s3, queues
from .aws.queues import sqs as q
import svc.aws.clients as cl
s3.list_buckets()
queues.sqs.list_queues()
q.purge_queue(QueueUrl='u')
cl.s3.head_bucket(Bucket='b')
queues.s3.list_buckets()
",
        ),
    ]);
    assert_eq!(
        found,
        [
            "svc/app.py:4 <module> s3.ListBuckets",
            "svc/app.py:5 <module> sqs.ListQueues",
            "svc/app.py:6 <module> sqs.PurgeQueue",
            "svc/app.py:7 <module> s3.HeadBucket",
            "svc/app.py:8 <module> s3.ListBuckets",
        ]
    );
}

#[test]
fn a_module_that_names_no_sdk_and_is_handed_a_client() {
    let found = lines(&[
        (
            "m.py",
            r"import boto3
from store import Store
from work import run
Store(boto3.client('s3')).load()
run(boto3.client('sqs'))
",
        ),
        (
            "store.py",
            r"class Store:
    def __init__(self, client):
        self.client = client
    def load(self):
        return self.client.get_object(Bucket='b', Key='k')
",
        ),
        (
            "work.py",
            r"import deeper
def run(c):
    deeper.run(c)
",
        ),
        (
            "deeper.py",
            r"def run(c):
    c.list_queues()
",
        ),
    ]);
    assert_eq!(
        found,
        ["deeper.py:2 run sqs.ListQueues", "store.py:5 Store.load s3.GetObject"]
    );
}

#[test]
fn modules_by_literal_names() {
    calls(
        "import importlib
b = importlib.import_module('boto3')
b.client('s3').list_buckets()
__import__('boto3').client('sqs').list_queues()
",
        &["3 <module> s3.ListBuckets", "4 <module> sqs.ListQueues"],
    );
}

// ---- loops ----

#[test]
fn loops_over_pairs_and_built_up_dicts() {
    calls(
        "import boto3
clients = {}
for name in ['s3', 'sqs']:
    clients[name] = boto3.client(name)
clients['sqs'].list_queues()
for service, op in (('kms', 'list_keys'), ('sns', 'list_topics')):
    getattr(boto3.client(service), op)()
for service in {'s3': 1, 'kms': 2}:
    boto3.client(service).list_buckets()
",
        &[
            "5 <module> sqs.ListQueues",
            "7 <module> kms.ListKeys?",
            "7 <module> sns.ListTopics?",
            "9 <module> s3.ListBuckets",
        ],
    );
}

// ---- the resource API ----

#[test]
fn listed_objects_are_loaded_already() {
    calls(
        "import boto3
s3 = boto3.resource('s3')
for o in s3.Bucket('b').objects.all():
    print(o.size, o.last_modified)
    o.Object().content_length
for i in boto3.resource('ec2').instances.all():
    print(i.state)
    i.reload()
for t in boto3.resource('dynamodb').tables.all():
    print(t.item_count)
for m in boto3.resource('sqs').Queue('u').receive_messages():
    print(m.body)
    m.delete()
boto3.resource('sqs').Queue('u').attributes
",
        &[
            "3 <module> s3.ListObjects",
            "5 <module> s3.HeadObject",
            "6 <module> ec2.DescribeInstances",
            "8 <module> ec2.DescribeInstances",
            "9 <module> dynamodb.ListTables",
            "10 <module> dynamodb.DescribeTable",
            "11 <module> sqs.ReceiveMessage",
            "13 <module> sqs.DeleteMessage",
            "14 <module> sqs.GetQueueAttributes",
        ],
    );
}

#[test]
fn batch_actions_and_sub_resources() {
    calls(
        "import boto3
b = boto3.resource('s3').Bucket('b')
b.object_versions.filter(Prefix='p').delete()
b.objects.limit(3)
b.Object('k').Acl().put(ACL='private')
b.Object('k').wait_until_exists()
boto3.resource('iam').Role('r').attach_policy(PolicyArn='a')
boto3.resource('iam').User('u').create_access_key_pair()
boto3.resource('sqs').Queue('u').delete_messages(Entries=[])
",
        &[
            "3 <module> s3.ListObjectVersions",
            "3 <module> s3.DeleteObjects",
            "4 <module> s3.ListObjects",
            "5 <module> s3.PutObjectAcl",
            "6 <module> s3.HeadObject",
            "7 <module> iam.AttachRolePolicy",
            "8 <module> iam.CreateAccessKey",
            "9 <module> sqs.DeleteMessageBatch",
        ],
    );
}

#[test]
fn operations_by_their_names() {
    calls(
        "import boto3
sns = boto3.client('sns')
sns._make_api_call('Publish', {'TopicArn': 't', 'Message': 'm'})
sns._make_api_call(operation_name='ListTopics', api_params={})
",
        &["3 <module> sns.Publish", "4 <module> sns.ListTopics"],
    );
}

// ---- what is no call ----

#[test]
fn other_objects_with_the_same_names() {
    for code in [
        // A mock, a queue of the language, a client of another library, a class of the repository.
        r"import boto3
from unittest.mock import MagicMock
s3 = MagicMock()
s3.get_object(Bucket='b', Key='k')
",
        r"import boto3
import queue
q = queue.Queue()
q.send_message(MessageBody='x')
",
        r"import boto3
from google.cloud import storage
client = storage.Client()
client.get_object(Bucket='b')
",
        r"import boto3
class Mailer:
    def publish(self, Message): ...
    def send(self):
        self.publish(Message='m')
mailer = Mailer()
mailer.publish(Message='m')
",
        r"import boto3
def list_buckets():
    pass
list_buckets()
",
        r"import boto3
client = {}
client.list_buckets = print
",
        r"import boto3
boto3.client('s3').meta.events.register('x', f)
boto3.client('s3').exceptions.NoSuchKey
",
        r"import boto3
s3 = boto3.client('s3')
s3 = None
s3.list_buckets()
",
    ] {
        calls(code, &[]);
    }
}

#[test]
fn one_change_and_there_is_no_call() {
    let code = "import boto3
def make(name):
    return boto3.client(name)
class Store:
    def __init__(self, client):
        self.client = client
    def load(self):
        return self.client.get_object(Bucket='b', Key='k')
Store(make('s3')).load()
";
    calls(code, &["8 Store.load s3.GetObject"]);
    // A method that the data does not have is one that it may not have yet.
    for (from, to, call) in [
        ("get_object(", "fetch_object(", "8 Store.load s3.fetch_object"),
        ("'s3'", "'sns'", "8 Store.load sns.get_object"),
    ] {
        calls(&code.replace(from, to), &[call]);
    }
    for (from, to) in [
        ("import boto3", "from fake import boto3"),
        (
            "import boto3\n",
            r"import boto3
boto3 = None
",
        ),
        ("return boto3.client(name)", "return Fake(name)"),
        ("Store(make('s3'))", "Store(1)"),
    ] {
        calls(&code.replace(from, to), &[]);
    }
    // A client of S3 is made, and nothing is known of the receiver: it may be that client.
    calls(
        &code.replace("self.client = client", "self.client = Fake()"),
        &["8 Store.load s3.GetObject?"],
    );
}

// ---- many ----

#[test]
fn each_heir_hands_its_own_methods_to_threads() {
    // What one helper is given by sixty classes is distinguished by the class that gives it.
    let mut code = "import boto3
from concurrent.futures import ThreadPoolExecutor
class Service:
    def __init__(self, service):
        self.pool = ThreadPoolExecutor()
        self.clients = {r: boto3.client(service, region_name=r) for r in ('eu-west-1', 'us-east-1')}
    def each(self, call, over=None):
        items = over if over is not None else self.clients.values()
        return [self.pool.submit(call, item) for item in items]
"
    .to_owned();
    let services = ["ecr", "sns", "dynamodb", "glue", "kms", "athena", "ecs", "eks"];
    for n in 0..60 {
        let service = services[n % services.len()];
        code.push_str(&format!(
            r"class S{n}(Service):
    def __init__(self):
        super().__init__('{service}')
        self.each(self.tags)
    def tags(self, client):
        client.tag_resource(Tags={{}})
"
        ));
    }
    let found = lines(&[("m.py", &code)]);
    assert_eq!(found.len(), 60, "{found:?}");
    for (n, line) in found.iter().enumerate() {
        let operation = format!("S{n}.tags {}.TagResource", services[n % services.len()]);
        assert!(line.ends_with(&operation), "{line}");
    }
}

#[test]
fn more_than_can_be_told_apart_is_said() {
    let services = [
        "accessanalyzer",
        "acm",
        "amplify",
        "apigateway",
        "appconfig",
        "appmesh",
        "appsync",
        "athena",
        "backup",
        "batch",
        "budgets",
        "cloudformation",
        "cloudfront",
        "cloudtrail",
        "cloudwatch",
        "codebuild",
        "codecommit",
        "codedeploy",
        "codepipeline",
        "config",
        "connect",
        "datasync",
        "dax",
        "dlm",
        "dms",
        "docdb",
        "drs",
        "ds",
        "dynamodb",
        "ec2",
        "ecr",
        "ecs",
        "efs",
        "eks",
        "elasticache",
        "elb",
        "elbv2",
        "emr",
        "es",
        "events",
        "firehose",
        "fsx",
    ];
    let all: String = services.iter().map(|s| format!("go(boto3.client('{s}'))\n")).collect();
    let code = format!(
        r"import boto3
def go(client):
    client.untag_resource(TagKeys=[])
{all}"
    );
    let said = with(&code, |_, c| {
        c.unresolved.iter().map(|u| u.why.text()).collect::<Vec<_>>()
    });
    assert_eq!(said, ["client of unknown service"]);
    let few: String = services
        .iter()
        .take(8)
        .map(|s| format!("go(boto3.client('{s}'))\n"))
        .collect();
    let code = format!(
        r"import boto3
def go(client):
    client.untag_resource(TagKeys=[])
{few}"
    );
    assert!(with(&code, |_, c| c.unresolved.is_empty()));
}

// ---- wrappers ----

#[test]
fn coroutines_of_plain_functions() {
    calls(
        "import boto3
from asgiref.sync import sync_to_async
class Hook:
    def _make(self):
        return boto3.client('sqs')
    async def conn(self):
        return await sync_to_async(self._make)()
    async def send(self):
        async with await self.conn() as sqs:
            await sqs.send_message(QueueUrl='u', MessageBody='b')
",
        &["10 Hook.send sqs.SendMessage"],
    );
}

#[test]
fn properties_of_classes() {
    calls(
        "import boto3
class Clients(type):
    @property
    def s3(cls):
        return boto3.client('s3')
class Aws(metaclass=Clients):
    pass
Aws.s3.list_buckets()
",
        &["8 <module> s3.ListBuckets"],
    );
}

#[test]
fn methods_made_of_others() {
    calls(
        "import boto3
from functools import partialmethod
class Store:
    def __init__(self):
        self.client = boto3.client('s3')
    def _run(self, operation, **kwargs):
        return getattr(self.client, operation)(**kwargs)
    read = partialmethod(_run, 'get_object')
    drop = partialmethod(_run, 'delete_object')
",
        &["7 Store._run s3.DeleteObject", "7 Store._run s3.GetObject"],
    );
}

#[test]
fn what_a_resource_of_dagster_depends_on() {
    calls(
        "import boto3
from dagster import ConfigurableIOManager, ConfigurableResource, ResourceDependency
class Bucket(ConfigurableResource):
    def client(self):
        return boto3.client('s3')
class Manager:
    def __init__(self, session):
        self.session = session
        self.session.list_objects(Bucket='b')
class Io(ConfigurableIOManager):
    bucket: ResourceDependency[Bucket]
    def inner(self):
        return Manager(session=self.bucket.client())
",
        &["9 Manager.__init__ s3.ListObjects"],
    );
}
