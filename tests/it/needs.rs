//! What Python code calls of AWS: a small module for every construct, with the calls and their sites.

use overgrant::internals::python::calls::{EntryReach, UnresolvedCall};

use crate::support::calls::{analyse, calls, line, lines, with};

// ---- what a client is ----

#[test]
fn module_variables() {
    calls(
        "import boto3\ns3 = boto3.client('s3')\ndef handler(e, c):\n    return s3.get_object(Bucket='b', Key='k')\n",
        &["4 handler s3.GetObject"],
    );
}

#[test]
fn locals_and_chains() {
    calls(
        "import boto3\ndef f():\n    c = boto3.client(service_name='sqs')\n    c.send_message(QueueUrl=u, MessageBody='')\n    boto3.client('sns').publish(TopicArn=t, Message='')\n",
        &["4 f sqs.SendMessage", "5 f sns.Publish"],
    );
}

#[test]
fn import_forms() {
    calls(
        "import boto3 as b\nb.client('s3').list_buckets()\n",
        &["2 <module> s3.ListBuckets"],
    );
    calls(
        "from boto3 import client\nclient('s3').list_buckets()\n",
        &["2 <module> s3.ListBuckets"],
    );
    calls(
        "from boto3 import client as make, resource\nmake('s3').list_buckets()\nresource('s3').create_bucket(Bucket='b')\n",
        &["2 <module> s3.ListBuckets", "3 <module> s3.CreateBucket"],
    );
    calls(
        "try:\n    import boto3\nexcept ImportError:\n    boto3 = None\nboto3.client('s3').list_buckets()\n",
        &["5 <module> s3.ListBuckets"],
    );
}

#[test]
fn sessions() {
    calls(
        "import boto3\ns = boto3.Session(profile_name='p')\ns.client('s3').list_buckets()\n",
        &["3 <module> s3.ListBuckets"],
    );
    calls(
        "import boto3\nboto3.session.Session().resource('dynamodb').Table('t').scan()\n",
        &["2 <module> dynamodb.Scan"],
    );
    calls(
        "from boto3.session import Session\nclass A:\n    def __init__(self):\n        self.session = Session()\n    def f(self):\n        self.session.client('ec2').describe_instances()\n",
        &["6 A.f ec2.DescribeInstances"],
    );
    calls(
        "import botocore.session\nbotocore.session.get_session().create_client('s3').list_buckets()\n",
        &["2 <module> s3.ListBuckets"],
    );
}

#[test]
fn asynchronous_sessions() {
    calls(
        "import aioboto3\nasync def f():\n    async with aioboto3.Session().client('s3') as s3:\n        await s3.get_object(Bucket='b', Key='k')\n",
        &["4 f s3.GetObject"],
    );
    calls(
        "from aiobotocore.session import get_session\nasync def f():\n    session = get_session()\n    async with session.create_client('sqs') as c:\n        await c.receive_message(QueueUrl='q')\n",
        &["5 f sqs.ReceiveMessage"],
    );
}

#[test]
fn meta_clients() {
    calls(
        "import boto3\nr = boto3.resource('s3')\nr.meta.client.head_object(Bucket='b', Key='k')\n",
        &["3 <module> s3.HeadObject"],
    );
    calls(
        "import boto3\nt = boto3.resource('dynamodb').Table('t')\nt.meta.client.describe_table(TableName='t')\n",
        &["3 <module> dynamodb.DescribeTable"],
    );
}

#[test]
fn attributes_of_objects_and_classes() {
    calls(
        "import boto3\nclass Store:\n    def __init__(self):\n        self.s3 = boto3.client('s3')\n    def get(self):\n        return self.s3.get_object(Bucket='b', Key='k')\n",
        &["6 Store.get s3.GetObject"],
    );
    calls(
        "import boto3\nclass Store:\n    s3 = boto3.client('s3')\n    def get(self):\n        return self.s3.get_object(Bucket='b', Key='k')\n    @classmethod\n    def put(cls):\n        cls.s3.put_object(Bucket='b', Key='k')\nStore.s3.list_buckets()\n",
        &[
            "5 Store.get s3.GetObject",
            "8 Store.put s3.PutObject",
            "9 <module> s3.ListBuckets",
        ],
    );
    calls(
        "import boto3\nclass Store:\n    _c = None\n    @property\n    def client(self):\n        if self._c is None:\n            self._c = boto3.client('s3')\n        return self._c\n    def get(self):\n        self.client.list_buckets()\n",
        &["10 Store.get s3.ListBuckets"],
    );
    calls(
        "import boto3\nclass Store:\n    pass\ns = Store()\ns.client = boto3.client('s3')\n",
        &[],
    );
}

#[test]
fn parameters_from_call_sites() {
    calls(
        "import boto3\ndef fetch(client, key):\n    return client.get_object(Bucket='b', Key=key)\nfetch(boto3.client('s3'), 'k')\n",
        &["3 fetch s3.GetObject"],
    );
    calls(
        "import boto3\ndef fetch(key, *, client):\n    return client.get_object(Bucket='b', Key=key)\nfetch('k', client=boto3.client('s3'))\n",
        &["3 fetch s3.GetObject"],
    );
    calls(
        "import boto3\ndef a(c):\n    b(c)\ndef b(c):\n    d(c=c)\ndef d(c):\n    c.list_buckets()\na(boto3.client('s3'))\n",
        &["7 d s3.ListBuckets"],
    );
    calls(
        "import boto3\ndef fetch(**kw):\n    pass\ndef g(client):\n    client.list_buckets()\ng(**{'client': boto3.client('s3')})\n",
        &["5 g s3.ListBuckets"],
    );
}

#[test]
fn constructors_with_clients() {
    calls(
        "import boto3\nclass Wrapper:\n    def __init__(self, client):\n        self.client = client\n    def go(self):\n        self.client.describe_instances()\nWrapper(boto3.client('ec2')).go()\n",
        &["6 Wrapper.go ec2.DescribeInstances"],
    );
    calls(
        "import boto3\nclass Wrapper:\n    def __init__(self, client):\n        self.client = client\n    @classmethod\n    def make(cls):\n        return cls(boto3.client('iam'))\n    def go(self):\n        self.client.list_roles()\n",
        &["9 Wrapper.go iam.ListRoles"],
    );
    calls(
        "import boto3\nfrom dataclasses import dataclass\nfrom typing import Any\n@dataclass\nclass W:\n    name: str\n    client: Any\n    def go(self):\n        self.client.list_roles()\nW('x', client=boto3.client('iam'))\n",
        &["9 W.go iam.ListRoles"],
    );
}

#[test]
fn factories_are_told_apart_by_call() {
    calls(
        "import boto3\ndef make(name):\n    return boto3.client(name)\nkms = make('kms')\nsns = make(name='sns')\nkms.list_keys()\nsns.list_topics()\nkms.tag_resource(ResourceArn='a', Tags=[])\n",
        &[
            "6 <module> kms.ListKeys",
            "7 <module> sns.ListTopics",
            "8 <module> kms.TagResource",
        ],
    );
    calls(
        "import boto3\nfrom functools import lru_cache\n@lru_cache(maxsize=None)\ndef client():\n    return boto3.client('ssm')\ndef f():\n    client().get_parameter(Name='n')\n",
        &["7 f ssm.GetParameter"],
    );
    calls(
        "import boto3\n_c = None\ndef client():\n    global _c\n    if _c is None:\n        _c = boto3.client('ssm')\n    return _c\ndef f():\n    client().get_parameter(Name='n')\n",
        &["9 f ssm.GetParameter"],
    );
    calls(
        "import boto3\nclass F:\n    @staticmethod\n    def s3():\n        return boto3.client('s3')\nF.s3().list_buckets()\n",
        &["6 <module> s3.ListBuckets"],
    );
    calls(
        "import boto3\nget = lambda: boto3.client('s3')\nget().list_buckets()\n",
        &["3 <module> s3.ListBuckets"],
    );
}

#[test]
fn dicts_lists_and_tuples() {
    calls(
        "import boto3\nC = {'kms': boto3.client('kms'), 'ec2': boto3.client('ec2')}\nC['kms'].tag_resource(ResourceArn='a', Tags=[])\nC.get('ec2').describe_vpcs()\n",
        &["3 <module> kms.TagResource", "4 <module> ec2.DescribeVpcs"],
    );
    calls(
        "import boto3\na, b = boto3.client('s3'), boto3.client('sqs')\nb.list_queues()\n",
        &["3 <module> sqs.ListQueues"],
    );
    calls(
        "import boto3\ndef pair():\n    return boto3.client('s3'), boto3.client('sqs')\ns, q = pair()\nq.list_queues()\ns.list_buckets()\n",
        &["5 <module> sqs.ListQueues", "6 <module> s3.ListBuckets"],
    );
    calls(
        "import boto3\n_cache = {}\ndef get(n):\n    if n not in _cache:\n        _cache[n] = boto3.client('kms')\n    return _cache[n]\nget('x').decrypt(CiphertextBlob=b'')\n",
        &["7 <module> kms.Decrypt"],
    );
    calls(
        "import boto3\nC = [boto3.client('s3', region_name=r) for r in R]\nfor c in C:\n    c.list_buckets()\n",
        &["4 <module> s3.ListBuckets"],
    );
    calls(
        "import boto3\nC = {n: boto3.client('s3') for n in R}\nfor n, c in C.items():\n    c.list_buckets()\nfor c in C.values():\n    c.head_bucket(Bucket='b')\n",
        &["4 <module> s3.ListBuckets", "6 <module> s3.HeadBucket"],
    );
    calls(
        "import boto3\nclass A:\n    def __init__(self):\n        self.clients = dict(s3=boto3.client('s3'), sqs=boto3.client('sqs'))\n    def f(self):\n        self.clients['sqs'].list_queues()\n",
        &["6 A.f sqs.ListQueues"],
    );
}

#[test]
fn annotated_types() {
    calls(
        "import boto3\nfrom mypy_boto3_s3 import S3Client\ndef f(c: S3Client):\n    c.get_object(Bucket='b', Key='k')\n",
        &["4 f s3.GetObject"],
    );
    calls(
        "from __future__ import annotations\nimport boto3\nfrom typing import TYPE_CHECKING, Optional\nif TYPE_CHECKING:\n    from mypy_boto3_sqs.client import SQSClient\ndef f(c: 'SQSClient', d: Optional[SQSClient] = None):\n    c.list_queues()\n    d.purge_queue(QueueUrl='q')\n",
        &["7 f sqs.ListQueues", "8 f sqs.PurgeQueue"],
    );
    calls(
        "import boto3\nfrom mypy_boto3_dynamodb.service_resource import Table\nclass R:\n    table: Table\n    def f(self, t: Table | None):\n        self.table.get_item(Key={})\n        t.query()\n",
        &["6 R.f dynamodb.GetItem", "7 R.f dynamodb.Query"],
    );
    calls(
        "import boto3\nfrom mypy_boto3_s3 import S3Client\ndef make() -> S3Client:\n    return whatever()\nmake().list_buckets()\n",
        &["5 <module> s3.ListBuckets"],
    );
}

#[test]
fn defaults_and_walrus() {
    calls(
        "import boto3\ndef f(c=boto3.client('s3')):\n    c.list_buckets()\n",
        &["3 f s3.ListBuckets"],
    );
    calls(
        "import boto3\ndef f(c=None):\n    c = c or boto3.client('s3')\n    c.list_buckets()\n",
        &["4 f s3.ListBuckets"],
    );
    calls(
        "import boto3\nif (c := boto3.client('s3')):\n    c.list_buckets()\n",
        &["3 <module> s3.ListBuckets"],
    );
    calls(
        "import boto3\ndef f(c=None):\n    if c is None:\n        c = boto3.client('s3')\n    c.list_buckets()\n",
        &["5 f s3.ListBuckets"],
    );
}

#[test]
fn partial_bound_methods_and_getattr() {
    calls(
        "import boto3\nimport functools\ns3 = boto3.client('s3')\nget = functools.partial(s3.get_object, Bucket='b')\nget(Key='k')\n",
        &["4 <module> s3.GetObject"],
    );
    calls(
        "import boto3\ns3 = boto3.client('s3')\nm = s3.get_object\nm(Bucket='b', Key='k')\n",
        &["4 <module> s3.GetObject"],
    );
    calls(
        "import boto3\ns3 = boto3.client('s3')\ngetattr(s3, 'get_object')(Bucket='b', Key='k')\n",
        &["3 <module> s3.GetObject"],
    );
    calls(
        "import boto3\ns3 = boto3.client('s3')\ndef run(f):\n    f(Bucket='b', Key='k')\nrun(s3.get_object)\n",
        &["4 run s3.GetObject"],
    );
    calls(
        "import boto3, pool\ns3 = boto3.client('s3')\npool.submit(s3.get_object, Bucket='b', Key='k')\n",
        &["3 <module> s3.GetObject"],
    );
    calls(
        "import boto3\ns3 = boto3.client('s3')\nfor op in ('get_object', 'put_object'):\n    getattr(s3, op)(Bucket='b', Key='k')\n",
        &["4 <module> s3.GetObject", "4 <module> s3.PutObject"],
    );
}

#[test]
fn loops_over_literal_services() {
    calls(
        "import boto3\nfor s in ('s3', 'sqs'):\n    c = boto3.client(s)\n    c.list_buckets()\n    c.list_queues()\n",
        &["4 <module> s3.ListBuckets", "5 <module> sqs.ListQueues"],
    );
    calls(
        "import boto3\nSERVICES = ['s3', 'sns']\nclients = {s: boto3.client(s) for s in SERVICES}\nclients['sns'].publish(TopicArn='t', Message='')\n",
        &["4 <module> sns.Publish"],
    );
}

#[test]
fn other_modules() {
    assert_eq!(
        lines(&[
            ("clients.py", "import boto3\ns3 = boto3.client('s3')\n"),
            ("m.py", "from clients import s3\ns3.list_buckets()\n")
        ]),
        ["2 <module> s3.ListBuckets"]
    );
    assert_eq!(
        lines(&[
            ("app/aws/__init__.py", "from .base import make\n"),
            (
                "app/aws/base.py",
                "import boto3\ndef make(s):\n    return boto3.client(s)\n"
            ),
            (
                "app/run.py",
                "from app import aws\nfrom .aws import make as m\naws.make('s3').list_buckets()\nm('sqs').list_queues()\n"
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
                "import boto3\ntable = boto3.resource('dynamodb').Table('t')\n"
            ),
            (
                "fn/m.py",
                "from shared.db import table\ndef handler(e, c):\n    table.put_item(Item={})\n"
            )
        ]),
        ["fn/m.py:3 handler dynamodb.PutItem"]
    );
    assert_eq!(
        lines(&[
            ("pkg/a.py", "import boto3\nclient = boto3.client('s3')\n"),
            ("m.py", "import pkg.a\npkg.a.client.list_buckets()\n")
        ]),
        ["2 <module> s3.ListBuckets"]
    );
}

#[test]
fn with_statements() {
    calls(
        "import boto3\nfrom contextlib import contextmanager\n@contextmanager\ndef conn():\n    c = boto3.client('s3')\n    yield c\nwith conn() as c:\n    c.list_buckets()\n",
        &["8 <module> s3.ListBuckets"],
    );
    calls(
        "import boto3\nclass Conn:\n    def __enter__(self):\n        return boto3.client('s3')\n    def __exit__(self, *a): ...\nwith Conn() as c:\n    c.list_buckets()\n",
        &["7 <module> s3.ListBuckets"],
    );
}

#[test]
fn class_hierarchies() {
    calls(
        "import boto3\nclass Base:\n    def __init__(self, service):\n        self.client = boto3.client(service)\nclass Queue(Base):\n    def __init__(self):\n        super().__init__('sqs')\n    def go(self):\n        self.client.list_queues()\n",
        &["9 Queue.go sqs.ListQueues"],
    );
    calls(
        "import boto3\nclass Base:\n    service = None\n    def go(self):\n        boto3.client(self.service).list_queues()\nclass Queue(Base):\n    service = 'sqs'\n",
        &["5 Base.go sqs.ListQueues"],
    );
    assert_eq!(
        lines(&[
            (
                "base.py",
                "import boto3\nclass Base:\n    @property\n    def s3(self):\n        return boto3.client('s3')\n"
            ),
            (
                "m.py",
                "from base import Base\nclass A(Base):\n    def f(self):\n        self.s3.list_buckets()\n"
            )
        ]),
        ["4 A.f s3.ListBuckets"]
    );
}

// ---- what a call is ----

#[test]
fn paginators_waiters_and_presigned() {
    calls(
        "import boto3\nc = boto3.client('s3')\nfor p in c.get_paginator('list_objects_v2').paginate(Bucket='b'):\n    pass\nc.get_waiter('bucket_exists').wait(Bucket='b')\nc.generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'})\nc.generate_presigned_post('b', 'k')\nc.close()\nc.can_paginate('x')\n",
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
        "import boto3\nc = boto3.client('rds')\nc.get_waiter(f'db_instance_{state}').wait()\nc.get_waiter(f'{kind}').wait()\n",
        &["3 <module> rds.DescribeDBInstances"],
    );
}

#[test]
fn transfers() {
    calls(
        "import boto3\nc = boto3.client('s3')\nc.upload_file('f', 'b', 'k')\nc.download_file('b', 'k', 'f')\nc.copy({}, 'b', 'k')\n",
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
        "import boto3\nddb = boto3.resource('dynamodb')\nt = ddb.Table('t')\nt.put_item(Item={})\nwith t.batch_writer() as w:\n    w.put_item(Item={})\n    w.delete_item(Key={})\n",
        &["4 <module> dynamodb.PutItem", "5 <module> dynamodb.BatchWriteItem"],
    );
    calls(
        "import boto3\ns3 = boto3.resource('s3')\nb = s3.Bucket('b')\nfor o in b.objects.filter(Prefix='p').limit(5):\n    o.get()\nb.objects.all().delete()\nb.upload_file('f', 'k')\ns3.Object('b', 'k').put(Body=b'')\nb.Object('k').delete()\nb.Policy().put(Policy='{}')\n",
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
        "import boto3\nec2 = boto3.resource('ec2')\nec2.instances.filter(Filters=[]).stop()\nec2.Instance('i').terminate()\nec2.Instance('i').wait_until_running()\n",
        &[
            "3 <module> ec2.DescribeInstances",
            "3 <module> ec2.StopInstances",
            "4 <module> ec2.TerminateInstances",
            "5 <module> ec2.DescribeInstances",
        ],
    );
    calls(
        "import boto3\nq = boto3.resource('sqs').get_queue_by_name(QueueName='n')\nq.send_message(MessageBody='')\n",
        &["2 <module> sqs.GetQueueUrl", "3 <module> sqs.SendMessage"],
    );
}

#[test]
fn lazy_attributes_load() {
    calls(
        "import boto3\nt = boto3.resource('dynamodb').Table('t')\nprint(t.name, t.item_count)\n",
        &["3 <module> dynamodb.DescribeTable"],
    );
    calls(
        "import boto3\no = boto3.resource('s3').Object('b', 'k')\no.load()\nx = o.content_length, o.bucket_name, o.key\n",
        &["3 <module> s3.HeadObject", "4 <module> s3.HeadObject"],
    );
}

#[test]
fn libraries() {
    calls(
        "from aws_lambda_powertools.utilities import parameters\nfrom aws_lambda_powertools.utilities.parameters import get_secret\nparameters.get_parameter('/n')\nget_secret('s')\n",
        &["3 <module> ssm.get_parameter", "4 <module> secretsmanager.get_secret"],
    );
    calls(
        "from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer\nDynamoDBPersistenceLayer(table_name='t')\n",
        &["2 <module> dynamodb.DynamoDBPersistenceLayer"],
    );
    calls(
        "import pandas as pd\npd.read_csv('s3://b/k')\npd.read_csv('local')\ndf.to_parquet(f's3://{b}/k')\n",
        &["2 <module> s3.read_csv?", "4 <module> s3.to_parquet?"],
    );
    calls(
        "import awswrangler as wr\nwr.s3.read_parquet('s3://b/p')\n",
        &["2 <module> s3.read_parquet?"],
    );
    calls(
        "import s3fs\nfs = s3fs.S3FileSystem()\nfs.open('b/k', 'wb')\nfs.ls('b')\n",
        &["3 <module> s3.open?", "4 <module> s3.ls?"],
    );
    calls(
        "from requests_aws4auth import AWS4Auth\na = AWS4Auth(k, s, 'eu-west-1', 'es')\n",
        &["2 <module> es.AWS4Auth?"],
    );
}

// ---- what is no call ----

#[test]
fn mutations_give_no_call() {
    // The same module with one thing changed each time.
    let module = |import: &str, make: &str, call: &str| format!("{import}\nc = {make}\nc.{call}\n");
    calls(
        &module("import boto3", "boto3.client('s3')", "get_object(Bucket='b', Key='k')"),
        &["3 <module> s3.GetObject"],
    );
    for (import, make, call) in [
        ("import boto3", "boto3.client('s3')", "get_objects(Bucket='b', Key='k')"),
        ("import boto3", "boto3.client('s3')", "getobject(Bucket='b', Key='k')"),
        ("import boto3", "boto3.client('sns')", "get_object(Bucket='b', Key='k')"),
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
            "class boto3:\n  @staticmethod\n  def client(n): return Fake()\n",
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
        "import boto3\nclass Fake:\n    def get_bucket_tagging(self, Bucket): ...\n    def publish(self, **kw): ...\nf = Fake()\nf.get_bucket_tagging(Bucket='b')\nf.publish(TopicArn='t', Message='m')\nFake().publish(Message='m')\ndb.query(TableName='t')\n",
        &[],
    );
}

#[test]
fn a_shadowing_file_hides_the_library() {
    assert!(
        lines(&[
            ("boto3.py", "def client(n):\n    return None\n"),
            ("m.py", "import boto3\nboto3.client('s3').list_buckets()\n")
        ])
        .is_empty()
    );
}

/// A class of the repository with the client's methods may be what is called.
#[test]
fn what_stands_in_for_a_client_is_uncertain() {
    let code = |client: &str| {
        format!(
            "import boto3\nclass Local:\n    def create_model(self, **k): pass\nclass Session:\n    def __init__(self, local):\n        self.client = {client}\n    def make(self):\n        self.client.create_model(ModelName='m')\n"
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
        "import boto3\ndef pages(sqs_client):\n    return sqs_client.get_paginator('list_queues').paginate()\n",
        &["3 pages sqs.ListQueues?"],
    );
    calls(
        "import boto3\ndef wait(s3):\n    s3.get_waiter('object_exists').wait(Bucket='b', Key='k')\n    s3.upload_fileobj(open('x'), 'b', 'k')\n",
        &["3 wait s3.HeadObject?", "4 wait s3.PutObject?"],
    );
}

#[test]
fn receivers_known_by_name_only_are_uncertain() {
    calls(
        "import boto3\ndef f(s3_client, thing):\n    s3_client.get_object(Bucket='b', Key='k')\n    thing.get_object(Bucket='b', Key='k')\n",
        &["3 f s3.GetObject?"],
    );
    calls(
        "def f(s3_client):\n    s3_client.get_object(Bucket='b', Key='k')\n",
        &[],
    );
}

#[test]
fn what_cannot_be_resolved_is_said() {
    let (calls, unresolved) = with(
        "import boto3\nimport os\nc = boto3.client(os.environ['S'])\nc.tag_resource(x=1)\nc.select_object_content(Bucket='b')\ns3 = boto3.client('s3')\ngetattr(s3, name)()\ns3.get_paginator(name)\n",
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
fn needs(code: &str) -> String {
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
    format!("import boto3\nboto3.client('{service}').{call}\n")
}

#[test]
fn actions_of_operations() {
    assert_eq!(needs(&call("s3", "list_objects_v2(Bucket='b')")), "s3:ListBucket");
    assert_eq!(
        needs(&call("s3", "copy_object(Bucket='b', Key='k', CopySource='x')")),
        "s3:GetObject s3:PutObject"
    );
    assert_eq!(
        needs(&call("lambda", "invoke(FunctionName='f')")),
        "lambda:InvokeFunction"
    );
    assert_eq!(
        needs(&call("stepfunctions", "start_execution(stateMachineArn='a')")),
        "states:StartExecution"
    );
    assert_eq!(needs(&call("sts", "get_caller_identity()")), "");
}

#[test]
fn conditional_actions_and_what_triggers_them() {
    assert_eq!(
        needs(&call("s3", "put_object(Bucket='b', Key='k', Body=b'')")),
        "s3:PutObject"
    );
    assert_eq!(
        needs(&call(
            "s3",
            "put_object(Bucket='b', Key='k', ACL='private', Tagging='a=b')"
        )),
        "s3:PutObject s3:PutObjectAcl<-ACL s3:PutObjectTagging<-Tagging"
    );
    assert_eq!(
        needs(&call("s3", "upload_file('f', 'b', 'k', ExtraArgs={'ACL': 'private'})")),
        "s3:PutObject s3:PutObjectAcl<-ACL"
    );
    assert_eq!(
        needs(&call("s3", "get_object(Bucket='b', Key='k', VersionId='v')")),
        "s3:GetObjectVersion"
    );
    // Set in a branch, either is needed.
    assert_eq!(
        needs(
            "import boto3\ndef f(v):\n    args = {'Bucket': 'b', 'Key': 'k'}\n    if v:\n        args['VersionId'] = v\n    boto3.client('s3').get_object(**args)\n"
        ),
        " any(s3:GetObject s3:GetObjectVersion)"
    );
    let delete = |objects: &str| {
        needs(&call(
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
    assert_eq!(needs(&call("ec2", "run_instances(ImageId='a')")), "ec2:RunInstances");
    assert_eq!(
        needs(&call(
            "ec2",
            "run_instances(ImageId='a', IamInstanceProfile={'Name': 'p'})"
        )),
        "ec2:RunInstances iam:PassRole<-IamInstanceProfile"
    );
    assert!(
        needs(&call(
            "lambda",
            "create_function(FunctionName='f', Role='arn:r', Code={})"
        ))
        .contains("iam:PassRole<-Role")
    );
    assert!(needs(&call("lambda", "create_function(**kw)")).contains("iam:PassRole?"));
    assert!(
        !needs(&call(
            "events",
            "put_targets(Rule='r', Targets=[{'Id': '1', 'Arn': 'a'}])"
        ))
        .contains("PassRole")
    );
    assert!(
        needs(&call(
            "events",
            "put_targets(Rule='r', Targets=[{'Id': '1', 'RoleArn': 'a'}])"
        ))
        .contains("iam:PassRole<-Targets")
    );
}

#[test]
fn partiql_by_its_first_word() {
    assert_eq!(
        needs(&call("dynamodb", "execute_statement(Statement='SELECT * FROM t')")),
        " any(dynamodb:PartiQLSelect)"
    );
    assert!(needs(&call("dynamodb", "execute_statement(Statement=s)")).contains("dynamodb:PartiQLInsert"));
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
        resources("import boto3, os\nboto3.resource('dynamodb').Table(os.environ['TABLE']).scan()\n"),
        "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${env.TABLE}"
    );
    assert_eq!(
        resources("import boto3\nboto3.resource('s3').Bucket('b').Object('k').get()\n"),
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
        let found = resources(&format!("import boto3\nboto3.resource('s3').{code}\n"));
        assert!(found.split(' ').all(|r| r == arn), "{code}: {found}");
    }
}

// ---- what runs ----

fn reached(files: &[(&str, &str)], file: &str, function: &str) -> (Vec<String>, bool) {
    analyse(files, |s, c| {
        let r: EntryReach = c.reach(s.find(file).unwrap(), function);
        (r.calls.iter().map(|i| line(s, &c.calls[*i])).collect(), r.exact)
    })
}

#[test]
fn only_what_the_handler_runs() {
    let code = "import boto3\ns3 = boto3.client('s3')\ndef used():\n    s3.list_buckets()\ndef unused():\n    s3.delete_bucket(Bucket='b')\ndef handler(e, c):\n    used()\n";
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
            "from services import storage\ndef handler(e, c):\n    return storage.Store().load()\n",
        ),
        ("services/__init__.py", ""),
        (
            "services/storage.py",
            "import boto3\nclass Store:\n    def __init__(self):\n        self.c = boto3.client('s3')\n    def load(self):\n        return self.c.get_object(Bucket='b', Key='k')\ndef other():\n    boto3.client('s3').delete_object(Bucket='b', Key='k')\n",
        ),
        ("unrelated.py", "import os\n"),
    ];
    let (calls, exact) = reached(&files, "app.py", "handler");
    assert!(exact);
    assert_eq!(calls, ["services/storage.py:6 Store.load s3.GetObject"]);
}

#[test]
fn frameworks_register_entries() {
    let code = "import boto3\nfrom aws_lambda_powertools.event_handler import APIGatewayRestResolver\napp = APIGatewayRestResolver()\nt = boto3.resource('dynamodb').Table('t')\n@app.get('/items')\ndef items():\n    return t.scan()\ndef dead():\n    t.delete()\ndef handler(e, c):\n    return app.resolve(e, c)\n";
    assert_eq!(
        reached(&[("m.py", code)], "m.py", "handler").0,
        ["7 items dynamodb.Scan"]
    );
    let code = "import boto3\nfrom flask import Flask\nfrom mangum import Mangum\napp = Flask(__name__)\n@app.route('/')\ndef index():\n    boto3.client('s3').list_buckets()\nhandler = Mangum(app)\n";
    assert_eq!(
        reached(&[("m.py", code)], "m.py", "handler").0,
        ["7 index s3.ListBuckets"]
    );
}

#[test]
fn methods_properties_callbacks_and_heirs_are_reached() {
    let code = "import boto3\nclass Base:\n    def run(self):\n        self.step()\n    def step(self): ...\nclass Step(Base):\n    @property\n    def c(self):\n        boto3.client('s3').list_buckets()\n    def step(self):\n        self.c\n        self.cb(lambda: boto3.client('sqs').list_queues())\ndef each(x):\n    boto3.client('sns').list_topics()\ndef handler(e, c):\n    Step().run()\n    list(map(each, e))\n";
    assert_eq!(reached(&[("m.py", code)], "m.py", "handler").0.len(), 3);
}

#[test]
fn code_chosen_at_run_time_is_unclear() {
    let files = [(
        "m.py",
        "import boto3, importlib\ndef handler(e, c):\n    importlib.import_module(e['m']).run()\n",
    )];
    let why = analyse(&files, |s, c| {
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
            "import boto3\ndef f():\n    boto3.client('s3').list_buckets()\n",
        ),
        (
            "b/y.py",
            "import boto3\ndef f():\n    boto3.client('sqs').list_queues()\n",
        ),
    ];
    let got = analyse(&files, |s, c| {
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
        "import boto3\ns3 = boto3.client('s3')\nx = s3.get_object(\n  Bucket='b', Key='k')\n",
        |s, c| {
            assert_eq!(s.slice(c.calls[0].span), "s3.get_object");
        },
    );
}

#[test]
fn recursion_and_cycles_end() {
    calls(
        "import boto3\ndef a(c):\n    return b(c)\ndef b(c):\n    return a(c) or c\na(boto3.client('s3')).list_buckets()\nclass X(X): pass\nclass Y(Z): pass\nclass Z(Y): pass\nx = x\nY().m()\n",
        &["6 <module> s3.ListBuckets"],
    );
    let many: String = (0..400)
        .map(|i| format!("def f{i}(c):\n    return f{}(c)\n", (i + 1) % 400))
        .collect();
    calls(
        &format!("import boto3\n{many}\nf0(boto3.client('s3')).list_buckets()\n"),
        // Too long a chain is cut short, and what it gives is not known.
        &["803 <module> s3.ListBuckets?"],
    );
}
