//! What Python code calls of AWS: a small module for every construct, with the calls and their sites.

use overgrant::internals::python::calls::{EntryReach, UnresolvedCall};

use crate::support::calls::{analyze, calls, line, lines, with};

// ---- what a client is ----

#[test]
fn module_variables() {
    calls(
        r"import boto3
s3 = boto3.client('s3')
def handler(e, c):
    return s3.get_object(Bucket='b', Key='k')
",
        &["4 handler s3.GetObject"],
    );
}

#[test]
fn locals_and_chains() {
    calls(
        r"import boto3
def f():
    c = boto3.client(service_name='sqs')
    c.send_message(QueueUrl=u, MessageBody='')
    boto3.client('sns').publish(TopicArn=t, Message='')
",
        &["4 f sqs.SendMessage", "5 f sns.Publish"],
    );
}

#[test]
fn import_forms() {
    calls(
        r"import boto3 as b
b.client('s3').list_buckets()
",
        &["2 <module> s3.ListBuckets"],
    );
    calls(
        r"from boto3 import client
client('s3').list_buckets()
",
        &["2 <module> s3.ListBuckets"],
    );
    calls(
        r"from boto3 import client as make, resource
make('s3').list_buckets()
resource('s3').create_bucket(Bucket='b')
",
        &["2 <module> s3.ListBuckets", "3 <module> s3.CreateBucket"],
    );
    calls(
        r"try:
    import boto3
except ImportError:
    boto3 = None
boto3.client('s3').list_buckets()
",
        &["5 <module> s3.ListBuckets"],
    );
}

#[test]
fn sessions() {
    calls(
        r"import boto3
s = boto3.Session(profile_name='p')
s.client('s3').list_buckets()
",
        &["3 <module> s3.ListBuckets"],
    );
    calls(
        r"import boto3
boto3.session.Session().resource('dynamodb').Table('t').scan()
",
        &["2 <module> dynamodb.Scan"],
    );
    calls(
        r"from boto3.session import Session
class A:
    def __init__(self):
        self.session = Session()
    def f(self):
        self.session.client('ec2').describe_instances()
",
        &["6 A.f ec2.DescribeInstances"],
    );
    calls(
        r"import botocore.session
botocore.session.get_session().create_client('s3').list_buckets()
",
        &["2 <module> s3.ListBuckets"],
    );
}

#[test]
fn asynchronous_sessions() {
    calls(
        r"import aioboto3
async def f():
    async with aioboto3.Session().client('s3') as s3:
        await s3.get_object(Bucket='b', Key='k')
",
        &["4 f s3.GetObject"],
    );
    calls(
        r"from aiobotocore.session import get_session
async def f():
    session = get_session()
    async with session.create_client('sqs') as c:
        await c.receive_message(QueueUrl='q')
",
        &["5 f sqs.ReceiveMessage"],
    );
}

#[test]
fn meta_clients() {
    calls(
        r"import boto3
r = boto3.resource('s3')
r.meta.client.head_object(Bucket='b', Key='k')
",
        &["3 <module> s3.HeadObject"],
    );
    calls(
        r"import boto3
t = boto3.resource('dynamodb').Table('t')
t.meta.client.describe_table(TableName='t')
",
        &["3 <module> dynamodb.DescribeTable"],
    );
}

#[test]
fn attributes_of_objects_and_classes() {
    calls(
        r"import boto3
class Store:
    def __init__(self):
        self.s3 = boto3.client('s3')
    def get(self):
        return self.s3.get_object(Bucket='b', Key='k')
",
        &["6 Store.get s3.GetObject"],
    );
    calls(
        r"import boto3
class Store:
    s3 = boto3.client('s3')
    def get(self):
        return self.s3.get_object(Bucket='b', Key='k')
    @classmethod
    def put(cls):
        cls.s3.put_object(Bucket='b', Key='k')
Store.s3.list_buckets()
",
        &[
            "5 Store.get s3.GetObject",
            "8 Store.put s3.PutObject",
            "9 <module> s3.ListBuckets",
        ],
    );
    calls(
        r"import boto3
class Store:
    _c = None
    @property
    def client(self):
        if self._c is None:
            self._c = boto3.client('s3')
        return self._c
    def get(self):
        self.client.list_buckets()
",
        &["10 Store.get s3.ListBuckets"],
    );
    calls(
        r"import boto3
class Store:
    pass
s = Store()
s.client = boto3.client('s3')
",
        &[],
    );
}

#[test]
fn parameters_from_call_sites() {
    calls(
        r"import boto3
def fetch(client, key):
    return client.get_object(Bucket='b', Key=key)
fetch(boto3.client('s3'), 'k')
",
        &["3 fetch s3.GetObject"],
    );
    calls(
        r"import boto3
def fetch(key, *, client):
    return client.get_object(Bucket='b', Key=key)
fetch('k', client=boto3.client('s3'))
",
        &["3 fetch s3.GetObject"],
    );
    calls(
        r"import boto3
def a(c):
    b(c)
def b(c):
    d(c=c)
def d(c):
    c.list_buckets()
a(boto3.client('s3'))
",
        &["7 d s3.ListBuckets"],
    );
    calls(
        r"import boto3
def fetch(**kw):
    pass
def g(client):
    client.list_buckets()
g(**{'client': boto3.client('s3')})
",
        &["5 g s3.ListBuckets"],
    );
}

#[test]
fn constructors_with_clients() {
    calls(
        r"import boto3
class Wrapper:
    def __init__(self, client):
        self.client = client
    def go(self):
        self.client.describe_instances()
Wrapper(boto3.client('ec2')).go()
",
        &["6 Wrapper.go ec2.DescribeInstances"],
    );
    calls(
        r"import boto3
class Wrapper:
    def __init__(self, client):
        self.client = client
    @classmethod
    def make(cls):
        return cls(boto3.client('iam'))
    def go(self):
        self.client.list_roles()
",
        &["9 Wrapper.go iam.ListRoles"],
    );
    calls(
        r"import boto3
from dataclasses import dataclass
from typing import Any
@dataclass
class W:
    name: str
    client: Any
    def go(self):
        self.client.list_roles()
W('x', client=boto3.client('iam'))
",
        &["9 W.go iam.ListRoles"],
    );
}

#[test]
fn factories_are_told_apart_by_call() {
    calls(
        r"import boto3
def make(name):
    return boto3.client(name)
kms = make('kms')
sns = make(name='sns')
kms.list_keys()
sns.list_topics()
kms.tag_resource(ResourceArn='a', Tags=[])
",
        &[
            "6 <module> kms.ListKeys",
            "7 <module> sns.ListTopics",
            "8 <module> kms.TagResource",
        ],
    );
    calls(
        r"import boto3
from functools import lru_cache
@lru_cache(maxsize=None)
def client():
    return boto3.client('ssm')
def f():
    client().get_parameter(Name='n')
",
        &["7 f ssm.GetParameter"],
    );
    calls(
        r"import boto3
_c = None
def client():
    global _c
    if _c is None:
        _c = boto3.client('ssm')
    return _c
def f():
    client().get_parameter(Name='n')
",
        &["9 f ssm.GetParameter"],
    );
    calls(
        r"import boto3
class F:
    @staticmethod
    def s3():
        return boto3.client('s3')
F.s3().list_buckets()
",
        &["6 <module> s3.ListBuckets"],
    );
    calls(
        r"import boto3
get = lambda: boto3.client('s3')
get().list_buckets()
",
        &["3 <module> s3.ListBuckets"],
    );
}

#[test]
fn dicts_lists_and_tuples() {
    calls(
        r"import boto3
C = {'kms': boto3.client('kms'), 'ec2': boto3.client('ec2')}
C['kms'].tag_resource(ResourceArn='a', Tags=[])
C.get('ec2').describe_vpcs()
",
        &["3 <module> kms.TagResource", "4 <module> ec2.DescribeVpcs"],
    );
    calls(
        r"import boto3
a, b = boto3.client('s3'), boto3.client('sqs')
b.list_queues()
",
        &["3 <module> sqs.ListQueues"],
    );
    calls(
        r"import boto3
def pair():
    return boto3.client('s3'), boto3.client('sqs')
s, q = pair()
q.list_queues()
s.list_buckets()
",
        &["5 <module> sqs.ListQueues", "6 <module> s3.ListBuckets"],
    );
    calls(
        r"import boto3
_cache = {}
def get(n):
    if n not in _cache:
        _cache[n] = boto3.client('kms')
    return _cache[n]
get('x').decrypt(CiphertextBlob=b'')
",
        &["7 <module> kms.Decrypt"],
    );
    calls(
        r"import boto3
C = [boto3.client('s3', region_name=r) for r in R]
for c in C:
    c.list_buckets()
",
        &["4 <module> s3.ListBuckets"],
    );
    calls(
        r"import boto3
C = {n: boto3.client('s3') for n in R}
for n, c in C.items():
    c.list_buckets()
for c in C.values():
    c.head_bucket(Bucket='b')
",
        &["4 <module> s3.ListBuckets", "6 <module> s3.HeadBucket"],
    );
    calls(
        r"import boto3
class A:
    def __init__(self):
        self.clients = dict(s3=boto3.client('s3'), sqs=boto3.client('sqs'))
    def f(self):
        self.clients['sqs'].list_queues()
",
        &["6 A.f sqs.ListQueues"],
    );
}

#[test]
fn annotated_types() {
    calls(
        r"import boto3
from mypy_boto3_s3 import S3Client
def f(c: S3Client):
    c.get_object(Bucket='b', Key='k')
",
        &["4 f s3.GetObject"],
    );
    calls(
        r"from __future__ import annotations
import boto3
from typing import TYPE_CHECKING, Optional
if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
def f(c: 'SQSClient', d: Optional[SQSClient] = None):
    c.list_queues()
    d.purge_queue(QueueUrl='q')
",
        &["7 f sqs.ListQueues", "8 f sqs.PurgeQueue"],
    );
    calls(
        r"import boto3
from mypy_boto3_dynamodb.service_resource import Table
class R:
    table: Table
    def f(self, t: Table | None):
        self.table.get_item(Key={})
        t.query()
",
        &["6 R.f dynamodb.GetItem", "7 R.f dynamodb.Query"],
    );
    calls(
        r"import boto3
from mypy_boto3_s3 import S3Client
def make() -> S3Client:
    return whatever()
make().list_buckets()
",
        &["5 <module> s3.ListBuckets"],
    );
}

#[test]
fn defaults_and_walrus() {
    calls(
        r"import boto3
def f(c=boto3.client('s3')):
    c.list_buckets()
",
        &["3 f s3.ListBuckets"],
    );
    calls(
        r"import boto3
def f(c=None):
    c = c or boto3.client('s3')
    c.list_buckets()
",
        &["4 f s3.ListBuckets"],
    );
    calls(
        r"import boto3
if (c := boto3.client('s3')):
    c.list_buckets()
",
        &["3 <module> s3.ListBuckets"],
    );
    calls(
        r"import boto3
def f(c=None):
    if c is None:
        c = boto3.client('s3')
    c.list_buckets()
",
        &["5 f s3.ListBuckets"],
    );
}

#[test]
fn partial_bound_methods_and_getattr() {
    calls(
        r"import boto3
import functools
s3 = boto3.client('s3')
get = functools.partial(s3.get_object, Bucket='b')
get(Key='k')
",
        &["4 <module> s3.GetObject"],
    );
    calls(
        r"import boto3
s3 = boto3.client('s3')
m = s3.get_object
m(Bucket='b', Key='k')
",
        &["4 <module> s3.GetObject"],
    );
    calls(
        r"import boto3
s3 = boto3.client('s3')
getattr(s3, 'get_object')(Bucket='b', Key='k')
",
        &["3 <module> s3.GetObject"],
    );
    calls(
        r"import boto3
s3 = boto3.client('s3')
def run(f):
    f(Bucket='b', Key='k')
run(s3.get_object)
",
        &["4 run s3.GetObject"],
    );
    calls(
        r"import boto3, pool
s3 = boto3.client('s3')
pool.submit(s3.get_object, Bucket='b', Key='k')
",
        &["3 <module> s3.GetObject"],
    );
    calls(
        r"import boto3
s3 = boto3.client('s3')
for op in ('get_object', 'put_object'):
    getattr(s3, op)(Bucket='b', Key='k')
",
        &["4 <module> s3.GetObject", "4 <module> s3.PutObject"],
    );
}

#[test]
fn loops_over_literal_services() {
    calls(
        r"import boto3
for s in ('s3', 'sqs'):
    c = boto3.client(s)
    c.list_buckets()
    c.list_queues()
",
        &["4 <module> s3.ListBuckets", "5 <module> sqs.ListQueues"],
    );
    calls(
        r"import boto3
SERVICES = ['s3', 'sns']
clients = {s: boto3.client(s) for s in SERVICES}
clients['sns'].publish(TopicArn='t', Message='')
",
        &["4 <module> sns.Publish"],
    );
}

#[test]
fn other_modules() {
    assert_eq!(
        lines(&[
            (
                "clients.py",
                r"import boto3
s3 = boto3.client('s3')
"
            ),
            (
                "m.py",
                r"from clients import s3
s3.list_buckets()
"
            )
        ]),
        ["2 <module> s3.ListBuckets"]
    );
    assert_eq!(
        lines(&[
            ("app/aws/__init__.py", "from .base import make\n"),
            (
                "app/aws/base.py",
                r"import boto3
def make(s):
    return boto3.client(s)
"
            ),
            (
                "app/run.py",
                r"from app import aws
from .aws import make as m
aws.make('s3').list_buckets()
m('sqs').list_queues()
"
            )
        ]),
        [
            "app/run.py:3 <module> s3.ListBuckets",
            "app/run.py:4 <module> sqs.ListQueues"
        ]
    );
    assert_eq!(
        lines(&[
            (
                "layer/python/shared/db.py",
                r"import boto3
table = boto3.resource('dynamodb').Table('t')
"
            ),
            (
                "fn/m.py",
                r"from shared.db import table
def handler(e, c):
    table.put_item(Item={})
"
            )
        ]),
        ["fn/m.py:3 handler dynamodb.PutItem"]
    );
    assert_eq!(
        lines(&[
            (
                "pkg/a.py",
                r"import boto3
client = boto3.client('s3')
"
            ),
            (
                "m.py",
                r"import pkg.a
pkg.a.client.list_buckets()
"
            )
        ]),
        ["2 <module> s3.ListBuckets"]
    );
}

#[test]
fn with_statements() {
    calls(
        r"import boto3
from contextlib import contextmanager
@contextmanager
def conn():
    c = boto3.client('s3')
    yield c
with conn() as c:
    c.list_buckets()
",
        &["8 <module> s3.ListBuckets"],
    );
    calls(
        r"import boto3
class Conn:
    def __enter__(self):
        return boto3.client('s3')
    def __exit__(self, *a): ...
with Conn() as c:
    c.list_buckets()
",
        &["7 <module> s3.ListBuckets"],
    );
}

#[test]
fn class_hierarchies() {
    calls(
        r"import boto3
class Base:
    def __init__(self, service):
        self.client = boto3.client(service)
class Queue(Base):
    def __init__(self):
        super().__init__('sqs')
    def go(self):
        self.client.list_queues()
",
        &["9 Queue.go sqs.ListQueues"],
    );
    calls(
        r"import boto3
class Base:
    service = None
    def go(self):
        boto3.client(self.service).list_queues()
class Queue(Base):
    service = 'sqs'
",
        &["5 Base.go sqs.ListQueues"],
    );
    assert_eq!(
        lines(&[
            (
                "base.py",
                r"import boto3
class Base:
    @property
    def s3(self):
        return boto3.client('s3')
"
            ),
            (
                "m.py",
                r"from base import Base
class A(Base):
    def f(self):
        self.s3.list_buckets()
"
            )
        ]),
        ["4 A.f s3.ListBuckets"]
    );
}

// ---- what a call is ----

#[test]
fn paginators_waiters_and_presigned() {
    calls(
        r"import boto3
c = boto3.client('s3')
for p in c.get_paginator('list_objects_v2').paginate(Bucket='b'):
    pass
c.get_waiter('bucket_exists').wait(Bucket='b')
c.generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'})
c.generate_presigned_post('b', 'k')
c.close()
c.can_paginate('x')
",
        &[
            "3 <module> s3.ListObjectsV2",
            "5 <module> s3.HeadBucket",
            "6 <module> s3.GetObject",
            "7 <module> s3.PutObject",
        ],
    );
}

#[test]
fn waiters_that_an_f_string_names() {
    calls(
        r"import boto3
c = boto3.client('rds')
c.get_waiter(f'db_instance_{state}').wait()
c.get_waiter(f'{kind}').wait()
",
        &[
            "3 <module> rds.DescribeDBInstances",
            // Any waiter of the client.
            "4 <module> rds.DescribeDBClusters?",
            "4 <module> rds.DescribeDBClusterSnapshots?",
            "4 <module> rds.DescribeDBInstances?",
            "4 <module> rds.DescribeDBSnapshots?",
            "4 <module> rds.DescribeTenantDatabases?",
        ],
    );
}

#[test]
fn transfers() {
    calls(
        r"import boto3
c = boto3.client('s3')
c.upload_file('f', 'b', 'k')
c.download_file('b', 'k', 'f')
c.copy({}, 'b', 'k')
",
        &[
            "3 <module> s3.PutObject",
            "4 <module> s3.HeadObject",
            "4 <module> s3.GetObject",
            "5 <module> s3.HeadObject",
            "5 <module> s3.CopyObject",
        ],
    );
}

#[test]
fn the_resource_api() {
    calls(
        r"import boto3
ddb = boto3.resource('dynamodb')
t = ddb.Table('t')
t.put_item(Item={})
with t.batch_writer() as w:
    w.put_item(Item={})
    w.delete_item(Key={})
",
        &["4 <module> dynamodb.PutItem", "5 <module> dynamodb.BatchWriteItem"],
    );
    calls(
        r"import boto3
s3 = boto3.resource('s3')
b = s3.Bucket('b')
for o in b.objects.filter(Prefix='p').limit(5):
    o.get()
b.objects.all().delete()
b.upload_file('f', 'k')
s3.Object('b', 'k').put(Body=b'')
b.Object('k').delete()
b.Policy().put(Policy='{}')
",
        &[
            "4 <module> s3.ListObjects",
            "5 <module> s3.GetObject",
            "6 <module> s3.ListObjects",
            "6 <module> s3.DeleteObjects",
            "7 <module> s3.PutObject",
            "8 <module> s3.PutObject",
            "9 <module> s3.DeleteObject",
            "10 <module> s3.PutBucketPolicy",
        ],
    );
    calls(
        r"import boto3
ec2 = boto3.resource('ec2')
ec2.instances.filter(Filters=[]).stop()
ec2.Instance('i').terminate()
ec2.Instance('i').wait_until_running()
",
        &[
            "3 <module> ec2.DescribeInstances",
            "3 <module> ec2.StopInstances",
            "4 <module> ec2.TerminateInstances",
            "5 <module> ec2.DescribeInstances",
        ],
    );
    calls(
        r"import boto3
q = boto3.resource('sqs').get_queue_by_name(QueueName='n')
q.send_message(MessageBody='')
",
        &["2 <module> sqs.GetQueueUrl", "3 <module> sqs.SendMessage"],
    );
}

#[test]
fn lazy_attributes_load() {
    calls(
        r"import boto3
t = boto3.resource('dynamodb').Table('t')
print(t.name, t.item_count)
",
        &["3 <module> dynamodb.DescribeTable"],
    );
    calls(
        r"import boto3
o = boto3.resource('s3').Object('b', 'k')
o.load()
x = o.content_length, o.bucket_name, o.key
",
        &["3 <module> s3.HeadObject", "4 <module> s3.HeadObject"],
    );
}

#[test]
fn libraries() {
    calls(
        r"from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters import get_secret
parameters.get_parameter('/n')
get_secret('s')
",
        &["3 <module> ssm.get_parameter", "4 <module> secretsmanager.get_secret"],
    );
    calls(
        r"from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
DynamoDBPersistenceLayer(table_name='t')
",
        &["2 <module> dynamodb.DynamoDBPersistenceLayer"],
    );
    calls(
        r"import pandas as pd
pd.read_csv('s3://b/k')
pd.read_csv('local')
df.to_parquet(f's3://{b}/k')
",
        &["2 <module> s3.read_csv?", "4 <module> s3.to_parquet?"],
    );
    calls(
        r"import awswrangler as wr
wr.s3.read_parquet('s3://b/p')
",
        &["2 <module> s3.read_parquet?"],
    );
    calls(
        r"import s3fs
fs = s3fs.S3FileSystem()
fs.open('b/k', 'wb')
fs.ls('b')
",
        &["3 <module> s3.open?", "4 <module> s3.ls?"],
    );
    calls(
        r"from requests_aws4auth import AWS4Auth
a = AWS4Auth(k, s, 'eu-west-1', 'es')
",
        &["2 <module> es.AWS4Auth?"],
    );
}

// ---- what is no call ----

#[test]
fn mutations_give_no_call() {
    // The same module with one thing changed each time.
    let module = |import: &str, make: &str, call: &str| {
        format!(
            r"{import}
c = {make}
c.{call}
"
        )
    };
    calls(
        &module("import boto3", "boto3.client('s3')", "get_object(Bucket='b', Key='k')"),
        &["3 <module> s3.GetObject"],
    );
    // What the data does not have may be newer than it.
    for (service, method) in [("s3", "get_objects"), ("s3", "getobject"), ("sns", "get_object")] {
        let make = format!("boto3.client('{service}')");
        calls(
            &module("import boto3", &make, &format!("{method}(Bucket='b', Key='k')")),
            &[&format!("3 <module> {service}.{method}")],
        );
    }
    for (import, make, call) in [
        (
            "import boto3; boto3 = Fake()",
            "boto3.client('s3')",
            "get_object(Bucket='b', Key='k')",
        ),
        (
            "import mock as boto3",
            "boto3.client('s3')",
            "get_object(Bucket='b', Key='k')",
        ),
        (
            r"class boto3:
  @staticmethod
  def client(n): return Fake()
",
            "boto3.client('s3')",
            "get_object(Bucket='b', Key='k')",
        ),
        ("import boto3", "Fake()", "get_object(Bucket='b', Key='k')"),
    ] {
        calls(&module(import, make, call), &[]);
    }
}

#[test]
fn a_class_with_the_same_method_names_gives_no_call() {
    calls(
        r"import boto3
class Fake:
    def get_bucket_tagging(self, Bucket): ...
    def publish(self, **kw): ...
f = Fake()
f.get_bucket_tagging(Bucket='b')
f.publish(TopicArn='t', Message='m')
Fake().publish(Message='m')
db.query(TableName='t')
",
        &[],
    );
}

#[test]
fn a_shadowing_file_hides_the_library() {
    assert!(
        lines(&[
            (
                "boto3.py",
                r"def client(n):
    return None
"
            ),
            (
                "m.py",
                r"import boto3
boto3.client('s3').list_buckets()
"
            )
        ])
        .is_empty()
    );
}

/// A class of the repository with the client's methods may be what is called.
#[test]
fn what_stands_in_for_a_client_is_uncertain() {
    let code = |client: &str| {
        format!(
            r"import boto3
class Local:
    def create_model(self, **k): pass
class Session:
    def __init__(self, local):
        self.client = {client}
    def make(self):
        self.client.create_model(ModelName='m')
"
        )
    };
    calls(
        &code("boto3.client('sagemaker')"),
        &["8 Session.make sagemaker.CreateModel"],
    );
    calls(
        &code("Local() if local else boto3.client('sagemaker')"),
        &["8 Session.make sagemaker.CreateModel?"],
    );
}

/// Pages, waiters and transfers of what is a client by its name.
#[test]
fn pages_of_what_is_named_like_a_client() {
    calls(
        r"import boto3
def pages(sqs_client):
    return sqs_client.get_paginator('list_queues').paginate()
",
        &["3 pages sqs.ListQueues?"],
    );
    calls(
        r"import boto3
def wait(s3):
    s3.get_waiter('object_exists').wait(Bucket='b', Key='k')
    s3.upload_fileobj(open('x'), 'b', 'k')
",
        &["3 wait s3.HeadObject?", "4 wait s3.PutObject?"],
    );
}

#[test]
fn receivers_known_by_name_only_are_uncertain() {
    calls(
        r"import boto3
def f(s3_client, thing):
    s3_client.get_object(Bucket='b', Key='k')
    thing.get_object(Bucket='b', Key='k')
",
        &["3 f s3.GetObject?"],
    );
    calls(
        r"def f(s3_client):
    s3_client.get_object(Bucket='b', Key='k')
",
        &[],
    );
}

#[test]
fn what_cannot_be_resolved_is_said() {
    let (calls, unresolved) = with(
        r"import boto3
import os
c = boto3.client(os.environ['S'])
c.tag_resource(x=1)
c.select_object_content(Bucket='b')
s3 = boto3.client('s3')
getattr(s3, name)()
s3.get_paginator(name)
",
        |s, c| {
            (
                c.calls.iter().map(|c| line(s, c)).collect::<Vec<_>>(),
                c.unresolved
                    .iter()
                    .map(|u: &UnresolvedCall| format!("{} {}", s.positions(u.span).0.line, u.why.text()))
                    .collect::<Vec<_>>(),
            )
        },
    );
    assert_eq!(calls, ["5 <module> s3.SelectObjectContent?"]);
    assert_eq!(
        unresolved,
        [
            "4 client of unknown service",
            "7 operation chosen at run time",
            "8 operation chosen at run time"
        ]
    );
}

// ---- what it needs ----

/// The one call of `code`, shown as its actions.
fn needed_actions(code: &str) -> String {
    with(code, |_, c| {
        assert_eq!(c.calls.len(), 1, "{code}: {:?}", c.calls);
        let a = &c.calls[0].actions;
        let mut out = a.required.join(" ");
        if !a.any_of.is_empty() {
            out.push_str(&format!(" any({})", a.any_of.join(" ")));
        }
        for x in &a.conditional {
            match &x.trigger {
                Some(t) => out.push_str(&format!(" {}<-{t}", x.action)),
                None if x.action == "iam:PassRole" => out.push_str(" iam:PassRole?"),
                None => {}
            }
        }
        out
    })
}

fn call(service: &str, call: &str) -> String {
    format!(
        r"import boto3
boto3.client('{service}').{call}
"
    )
}

#[test]
fn actions_of_operations() {
    assert_eq!(
        needed_actions(&call("s3", "list_objects_v2(Bucket='b')")),
        "s3:ListBucket"
    );
    assert_eq!(
        needed_actions(&call("s3", "copy_object(Bucket='b', Key='k', CopySource='x')")),
        "s3:GetObject s3:PutObject"
    );
    assert_eq!(
        needed_actions(&call("lambda", "invoke(FunctionName='f')")),
        "lambda:InvokeFunction"
    );
    assert_eq!(
        needed_actions(&call("stepfunctions", "start_execution(stateMachineArn='a')")),
        "states:StartExecution"
    );
    assert_eq!(needed_actions(&call("sts", "get_caller_identity()")), "");
}

#[test]
fn conditional_actions_and_what_triggers_them() {
    assert_eq!(
        needed_actions(&call("s3", "put_object(Bucket='b', Key='k', Body=b'')")),
        "s3:PutObject"
    );
    assert_eq!(
        needed_actions(&call(
            "s3",
            "put_object(Bucket='b', Key='k', ACL='private', Tagging='a=b')"
        )),
        "s3:PutObject s3:PutObjectAcl<-ACL s3:PutObjectTagging<-Tagging"
    );
    assert_eq!(
        needed_actions(&call("s3", "upload_file('f', 'b', 'k', ExtraArgs={'ACL': 'private'})")),
        "s3:PutObject s3:PutObjectAcl<-ACL"
    );
    assert_eq!(
        needed_actions(&call("s3", "get_object(Bucket='b', Key='k', VersionId='v')")),
        "s3:GetObjectVersion"
    );
    // Set in a branch, either is needed.
    assert_eq!(
        needed_actions(
            r"import boto3
def f(v):
    args = {'Bucket': 'b', 'Key': 'k'}
    if v:
        args['VersionId'] = v
    boto3.client('s3').get_object(**args)
"
        ),
        " any(s3:GetObject s3:GetObjectVersion)"
    );
    let delete = |objects: &str| {
        needed_actions(&call(
            "s3",
            &format!("delete_objects(Bucket='b', Delete={{'Objects': {objects}}})"),
        ))
    };
    assert_eq!(delete("[{'Key': k} for k in ks]"), "s3:DeleteObject");
    assert_eq!(delete("list({'Key': k} for k in ks)"), "s3:DeleteObject");
    assert_eq!(
        delete("[{'Key': v.key, 'VersionId': v.id} for v in vs]"),
        "s3:DeleteObjectVersion"
    );
    assert_eq!(
        delete("[v for v in vs]"),
        " any(s3:DeleteObject s3:DeleteObjectVersion)"
    );
}

#[test]
fn roles_are_passed_only_when_named() {
    assert_eq!(
        needed_actions(&call("ec2", "run_instances(ImageId='a')")),
        "ec2:RunInstances"
    );
    assert_eq!(
        needed_actions(&call(
            "ec2",
            "run_instances(ImageId='a', IamInstanceProfile={'Name': 'p'})"
        )),
        "ec2:RunInstances iam:PassRole<-IamInstanceProfile"
    );
    assert!(
        needed_actions(&call(
            "lambda",
            "create_function(FunctionName='f', Role='arn:r', Code={})"
        ))
        .contains("iam:PassRole<-Role")
    );
    assert!(needed_actions(&call("lambda", "create_function(**kw)")).contains("iam:PassRole?"));
    assert!(
        !needed_actions(&call(
            "events",
            "put_targets(Rule='r', Targets=[{'Id': '1', 'Arn': 'a'}])"
        ))
        .contains("PassRole")
    );
    assert!(
        needed_actions(&call(
            "events",
            "put_targets(Rule='r', Targets=[{'Id': '1', 'RoleArn': 'a'}])"
        ))
        .contains("iam:PassRole<-Targets")
    );
}

#[test]
fn partiql_by_its_first_word() {
    assert_eq!(
        needed_actions(&call("dynamodb", "execute_statement(Statement='SELECT * FROM t')")),
        " any(dynamodb:PartiQLSelect)"
    );
    assert!(needed_actions(&call("dynamodb", "execute_statement(Statement=s)")).contains("dynamodb:PartiQLInsert"));
}

#[test]
fn what_services_do_with_the_rights_of_the_caller() {
    for (service, method, expected) in [
        (
            "rekognition",
            "detect_labels(Image={'S3Object': {'Bucket': 'b', 'Name': 'k.jpg'}})",
            "rekognition:DetectLabels s3:GetObject<-Image.S3Object on arn:aws:s3:::b/k.jpg",
        ),
        (
            "rekognition",
            "detect_labels(Image={'Bytes': b''})",
            "rekognition:DetectLabels",
        ),
        (
            "textract",
            "analyze_id(DocumentPages=[{'S3Object': {'Bucket': 'b', 'Name': 'k'}}])",
            "textract:AnalyzeID s3:GetObject<-DocumentPages.[].S3Object on arn:aws:s3:::b/k",
        ),
        (
            "transcribe",
            "start_transcription_job(TranscriptionJobName='n', Media={'MediaFileUri': 's3://b/in.mp3'}, OutputBucketName='out')",
            "transcribe:StartTranscriptionJob s3:GetObject<-Media.MediaFileUri on arn:aws:s3:::b/in.mp3 \
             s3:PutObject<-OutputBucketName on arn:aws:s3:::out/*",
        ),
        (
            "rds-data",
            "execute_statement(resourceArn='r', secretArn='arn:aws:secretsmanager:eu-west-1:111122223333:secret:s', sql='')",
            "rds-data:ExecuteStatement secretsmanager:GetSecretValue<-secretArn on \
             arn:aws:secretsmanager:eu-west-1:111122223333:secret:s",
        ),
        (
            "lambda",
            "update_function_code(FunctionName='f', S3Bucket='b', S3Key='k')",
            "lambda:UpdateFunctionCode s3:GetObject<-S3Bucket on arn:aws:s3:::b/*",
        ),
        (
            "lambda",
            "update_function_code(FunctionName='f', ZipFile=b'')",
            "lambda:UpdateFunctionCode",
        ),
        (
            "cloudformation",
            "validate_template(TemplateURL=url)",
            "cloudformation:ValidateTemplate s3:GetObject<-TemplateURL",
        ),
    ] {
        let found = with(&call(service, method), |_, c| {
            let a = &c.calls[0].actions;
            let mut out = a.required.join(" ");
            for x in a.conditional.iter().filter(|x| x.trigger.is_some()) {
                out.push_str(&format!(" {}<-{}", x.action, x.trigger.as_ref().unwrap()));
                x.resources
                    .iter()
                    .for_each(|r| out.push_str(&format!(" on {}", r.display())));
            }
            out
        });
        assert_eq!(found, expected, "{service} {method}");
    }
}

#[test]
fn resources_as_far_as_known() {
    let resources = |code: &str| {
        with(code, |_, c| {
            c.calls
                .iter()
                .flat_map(|c| c.resources.iter().map(|r| r.display()))
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(
        resources(&call("s3", "get_object(Bucket='b', Key='k/x')")),
        "arn:aws:s3:::b/k/x"
    );
    assert_eq!(resources(&call("s3", "list_objects_v2(Bucket='b')")), "arn:aws:s3:::b");
    assert_eq!(
        resources(&call("dynamodb", "get_item(TableName='t', Key={})")),
        "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/t"
    );
    assert_eq!(
        resources(
            r"import boto3, os
boto3.resource('dynamodb').Table(os.environ['TABLE']).scan()
"
        ),
        "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${env.TABLE}"
    );
    assert_eq!(
        resources(
            r"import boto3
boto3.resource('s3').Bucket('b').Object('k').get()
"
        ),
        "arn:aws:s3:::b/k"
    );
    assert_eq!(
        resources(&call(
            "sns",
            "publish(TopicArn='arn:aws:sns:eu-west-1:111122223333:t', Message='')"
        )),
        "arn:aws:sns:eu-west-1:111122223333:t"
    );
    assert_eq!(
        resources(&call(
            "sqs",
            "send_message(QueueUrl='https://sqs.eu-west-1.amazonaws.com/111122223333/q', MessageBody='')"
        )),
        "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:q"
    );
    assert_eq!(
        resources(&call("ssm", "get_parameter(Name='/a/b')")),
        "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/a/b"
    );
    assert_eq!(
        resources(&call("iam", "get_role(RoleName='r')")),
        "arn:aws:iam::${AWS::AccountId}:role/r"
    );
    assert_eq!(resources(&call("s3", "list_buckets()")), "");
    // Objects of the resource API know more of themselves than clients do.
    for (code, arn) in [
        ("Object('b', 'k').download_file('/tmp/f')", "arn:aws:s3:::b/k"),
        ("Object('b', 'k').upload_fileobj(f)", "arn:aws:s3:::b/k"),
        ("Bucket('b').upload_file('/tmp/f', 'k')", "arn:aws:s3:::b/k"),
        ("Bucket('b').download_file('k', '/tmp/f')", "arn:aws:s3:::b/k"),
        ("Bucket('b').copy({'Bucket': 'a', 'Key': 'x'}, 'k')", "arn:aws:s3:::b/k"),
    ] {
        let found = resources(&format!(
            r"import boto3
boto3.resource('s3').{code}
"
        ));
        assert!(found.split(' ').all(|r| r == arn), "{code}: {found}");
    }
}

// ---- what runs ----

fn reached(files: &[(&str, &str)], file: &str, function: &str) -> (Vec<String>, bool) {
    analyze(files, |s, c| {
        let r: EntryReach = c.reach(s.find(file).unwrap(), function);
        (r.calls.iter().map(|i| line(s, &c.calls[*i])).collect(), r.exact)
    })
}

#[test]
fn only_what_the_handler_runs() {
    let code = r"import boto3
s3 = boto3.client('s3')
def used():
    s3.list_buckets()
def unused():
    s3.delete_bucket(Bucket='b')
def handler(e, c):
    used()
";
    assert_eq!(
        reached(&[("m.py", code)], "m.py", "handler"),
        (vec!["4 used s3.ListBuckets".to_owned()], true)
    );
    assert_eq!(reached(&[("m.py", code)], "m.py", "nosuch").0.len(), 2);
    assert!(!reached(&[("m.py", code)], "m.py", "nosuch").1);
}

#[test]
fn through_files_that_name_no_sdk() {
    let files = [
        (
            "app.py",
            r"from services import storage
def handler(e, c):
    return storage.Store().load()
",
        ),
        ("services/__init__.py", ""),
        (
            "services/storage.py",
            r"import boto3
class Store:
    def __init__(self):
        self.c = boto3.client('s3')
    def load(self):
        return self.c.get_object(Bucket='b', Key='k')
def other():
    boto3.client('s3').delete_object(Bucket='b', Key='k')
",
        ),
        ("unrelated.py", "import os\n"),
    ];
    let (calls, exact) = reached(&files, "app.py", "handler");
    assert!(exact);
    assert_eq!(calls, ["services/storage.py:6 Store.load s3.GetObject"]);
}

#[test]
fn frameworks_register_entries() {
    let code = r"import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
app = APIGatewayRestResolver()
t = boto3.resource('dynamodb').Table('t')
@app.get('/items')
def items():
    return t.scan()
def dead():
    t.delete()
def handler(e, c):
    return app.resolve(e, c)
";
    assert_eq!(
        reached(&[("m.py", code)], "m.py", "handler").0,
        ["7 items dynamodb.Scan"]
    );
    let code = r"import boto3
from flask import Flask
from mangum import Mangum
app = Flask(__name__)
@app.route('/')
def index():
    boto3.client('s3').list_buckets()
handler = Mangum(app)
";
    assert_eq!(
        reached(&[("m.py", code)], "m.py", "handler").0,
        ["7 index s3.ListBuckets"]
    );
}

#[test]
fn methods_properties_callbacks_and_heirs_are_reached() {
    let code = r"import boto3
class Base:
    def run(self):
        self.step()
    def step(self): ...
class Step(Base):
    @property
    def c(self):
        boto3.client('s3').list_buckets()
    def step(self):
        self.c
        self.cb(lambda: boto3.client('sqs').list_queues())
def each(x):
    boto3.client('sns').list_topics()
def handler(e, c):
    Step().run()
    list(map(each, e))
";
    assert_eq!(reached(&[("m.py", code)], "m.py", "handler").0.len(), 3);
}

#[test]
fn code_chosen_at_run_time_is_unclear() {
    let files = [(
        "m.py",
        r"import boto3, importlib
def handler(e, c):
    importlib.import_module(e['m']).run()
",
    )];
    let why = analyze(&files, |s, c| {
        let r = c.reach(s.find("m.py").unwrap(), "handler");
        r.unresolved
            .iter()
            .map(|i| c.unresolved[*i].why.text())
            .collect::<Vec<_>>()
    });
    assert_eq!(why, ["code chosen at run time"]);
}

#[test]
fn folders_count_everything() {
    let files = [
        (
            "a/x.py",
            r"import boto3
def f():
    boto3.client('s3').list_buckets()
",
        ),
        (
            "b/y.py",
            r"import boto3
def f():
    boto3.client('sqs').list_queues()
",
        ),
    ];
    let got = analyze(&files, |s, c| {
        c.folder("a")
            .calls
            .iter()
            .map(|i| line(s, &c.calls[*i]))
            .collect::<Vec<_>>()
    });
    assert_eq!(got, ["a/x.py:3 f s3.ListBuckets"]);
}

#[test]
fn spans_slice_to_the_callee() {
    with(
        r"import boto3
s3 = boto3.client('s3')
x = s3.get_object(
  Bucket='b', Key='k')
",
        |s, c| {
            assert_eq!(s.slice(c.calls[0].span), "s3.get_object");
        },
    );
}

#[test]
fn recursion_and_cycles_end() {
    calls(
        r"import boto3
def a(c):
    return b(c)
def b(c):
    return a(c) or c
a(boto3.client('s3')).list_buckets()
class X(X): pass
class Y(Z): pass
class Z(Y): pass
x = x
Y().m()
",
        &["6 <module> s3.ListBuckets"],
    );
    let many: String = (0..400)
        .map(|i| {
            format!(
                r"def f{i}(c):
    return f{}(c)
",
                (i + 1) % 400
            )
        })
        .collect();
    calls(
        &format!(
            r"import boto3
{many}
f0(boto3.client('s3')).list_buckets()
"
        ),
        // Too long a chain is cut short, and what it gives is not known.
        &["803 <module> s3.ListBuckets?"],
    );
}
