//! Methods of clients and resource objects as values: what is read and not called where it stands counts as perhaps called,
//! or is a doubt.

use crate::support::calls::{analyze, line};
use crate::support::repository::Repository;

/// What runs from `handler`, without lines and functions; what is not resolved as `?`.
fn reached(code: &str) -> Vec<String> {
    analyze(&[("m.py", code)], |sources, calls| {
        let file = sources.ids().next().expect("a file");
        let reach = calls.reach(file, "handler");
        let shown = |i: &usize| {
            let line = line(sources, &calls.calls[*i]);
            line.rsplit(' ').next().unwrap_or_default().to_owned()
        };
        let mut out: Vec<String> = reach.calls.iter().map(shown).collect();
        out.extend(reach.unresolved.iter().map(|_| "?".to_owned()));
        out.sort();
        out.dedup();
        out
    })
}

/// `body` in a handler, with clients and objects around it.
fn program(body: &str) -> String {
    let body: String = body.lines().map(|l| format!("    {l}\n")).collect();
    format!(
        "import asyncio, functools, inspect, itertools, logging, operator, queue, random, sys
from typing import TYPE_CHECKING
import boto3
c = boto3.client('dynamodb')
s3 = boto3.client('s3')
sqs = boto3.client('sqs')
table = boto3.resource('dynamodb').Table('orders')
bucket = boto3.resource('s3').Bucket('acme')
kept = queue.Queue()
kept.put(sqs)
kept.put(bucket.Object('k'))
def run(f):
    return f()
def handler(event, context):
{body}"
    )
}

#[track_caller]
fn check(cases: &[(&str, &[&str])]) {
    for (body, expected) in cases {
        assert_eq!(reached(&program(body)), *expected, "{body}");
    }
}

#[test]
fn what_is_passed_to_code_that_calls_it() {
    check(&[
        ("event.submit(s3.upload_file, 'a', 'b', 'c')", &["s3.PutObject"]),
        ("event.submit(table.put_item, Item=event)", &["dynamodb.PutItem"]),
        (
            "Thread(target=bucket.download_file, args=(1,))",
            &["s3.GetObject", "s3.HeadObject"],
        ),
        ("functools.partial(table.put_item, Item={})()", &["dynamodb.PutItem"]),
        (
            "event.submit(s3.generate_presigned_url, 'get_object')",
            &["s3.GetObject"],
        ),
        // What does with it what nobody knows.
        ("event.keep(table.put_item)", &["dynamodb.PutItem?"]),
        ("event.keep(getattr(c, 'put_item'))", &["dynamodb.PutItem?"]),
        ("event.keep(s3.generate_presigned_url)", &["?"]),
        // The function of the repository calls it.
        ("run(c.list_tables)", &["dynamodb.ListTables"]),
    ]);
}

#[test]
fn what_only_looks_at_a_method_does_not_call_it() {
    check(&[
        ("callable(c.delete_item)", &[]),
        ("logging.info('%s', c.delete_item)", &[]),
        ("inspect.signature(c.delete_item)", &[]),
        ("f'{c.delete_item}'", &[]),
        ("c.delete_item is event", &[]),
        ("c.delete_item.__doc__", &[]),
    ]);
}

#[test]
fn methods_in_containers() {
    check(&[
        ("f = []\nf += [c.list_tables]\nf[0]()", &["dynamodb.ListTables"]),
        ("f = {}\nf |= {'a': c.list_tables}\nf['a']()", &["dynamodb.ListTables"]),
        ("({'a': c.list_tables} | event)['a']()", &["dynamodb.ListTables"]),
        ("for f in [c.list_tables] + event:\n    f()", &["dynamodb.ListTables"]),
        (
            "for f in itertools.chain([c.list_tables], event):\n    f()",
            &["dynamodb.ListTables"],
        ),
        ("random.choice([c.list_tables])()", &["dynamodb.ListTables"]),
        (
            "q = queue.Queue()\nq.put((c.list_tables, {}))\nf, kw = q.get(timeout=1)\nf(**kw)",
            &["dynamodb.ListTables?"],
        ),
        ("event.jobs = [(c.put_item, {})]", &["dynamodb.PutItem?"]),
        ("return c.put_item", &["dynamodb.PutItem?"]),
        ("c.put_item.__call__(TableName='t')", &["dynamodb.PutItem?"]),
        // One of them is called, nobody knows which.
        (
            "{'a': c.put_item, 'b': c.get_item}[event['x']](TableName='t')",
            &["dynamodb.GetItem?", "dynamodb.PutItem?"],
        ),
    ]);
}

#[test]
fn methods_of_lost_clients_and_objects() {
    check(&[
        (
            "send = event.lost.send_message\nsend(QueueUrl='q')",
            &["sqs.SendMessage?"],
        ),
        ("event.keep(event.lost.send_message)", &["sqs.SendMessage?"]),
        (
            "event.lost.delete()",
            &["dynamodb.DeleteTable?", "s3.DeleteBucket?", "s3.DeleteObject?"],
        ),
        (
            "event.submit(event.lost.delete)",
            &["dynamodb.DeleteTable?", "s3.DeleteBucket?", "s3.DeleteObject?"],
        ),
        (
            "for o in event.lost.objects.filter(Prefix='a'):\n    print(o.delete())",
            &[
                "dynamodb.DeleteTable?",
                "s3.DeleteBucket?",
                "s3.DeleteObject?",
                "s3.ListObjects?",
            ],
        ),
        (
            "event.lost.objects.filter(Prefix='a').delete()",
            &[
                "dynamodb.DeleteTable?",
                "s3.DeleteBucket?",
                "s3.DeleteObject?",
                "s3.DeleteObjects?",
                "s3.ListObjects?",
            ],
        ),
        ("getattr(event.lost, event.name)(QueueUrl='q')", &["?"]),
        ("event.lost.get_paginator(event.name)", &["?"]),
        // Not of AWS: its arguments say so, or it is a container.
        ("d = {}\nd.get('a')\nd.update(a=1)\nevent.delete('x')", &[]),
    ]);
}

#[test]
fn elements_of_collections() {
    check(&[
        (
            "max(bucket.objects.all(), key=id).get()",
            &["s3.GetObject", "s3.ListObjects"],
        ),
        (
            "l = list(bucket.objects.all())\nl.pop().delete()",
            &["s3.DeleteObject", "s3.ListObjects"],
        ),
        (
            "for o in itertools.islice(bucket.objects.all(), 9):\n    o.delete()",
            &["s3.DeleteObject", "s3.ListObjects"],
        ),
        (
            "for o in filter(None, bucket.objects.all()):\n    o.delete()",
            &["s3.DeleteObject", "s3.ListObjects"],
        ),
        (
            "event.map(lambda o: o.delete(), bucket.objects.all())",
            &["s3.DeleteObject", "s3.ListObjects"],
        ),
    ]);
}

#[test]
fn names_that_are_read_in_other_ways() {
    check(&[
        ("operator.attrgetter('list_tables')(c)()", &["dynamodb.ListTables?"]),
        ("operator.methodcaller('list_tables')(c)", &["dynamodb.ListTables?"]),
        ("operator.attrgetter(event.op)(c)()", &["?"]),
        ("functools.reduce(getattr, event.path, c)()", &["?"]),
        ("type(c).list_tables(c)", &["dynamodb.ListTables"]),
        ("dict(inspect.getmembers(c))['put_item']()", &["?"]),
        ("c.__getattribute__('list_tables')()", &["dynamodb.ListTables"]),
        ("locals()[event.op]()", &["?"]),
        ("sys.modules[event.op].run()", &["?"]),
    ]);
    let own = "import sys, boto3
def save(event):
    boto3.client('dynamodb').list_tables()
def handler(event, context):
    getattr(sys.modules[__name__], event['op'])(event)
";
    assert_eq!(reached(own), ["dynamodb.ListTables"]);
}

#[test]
fn what_never_runs_is_not_certain() {
    check(&[
        ("if False:\n    c.list_tables()", &["dynamodb.ListTables?"]),
        ("if TYPE_CHECKING:\n    c.list_tables()", &["dynamodb.ListTables?"]),
        ("return 1\nc.list_tables()", &["dynamodb.ListTables?"]),
        ("raise event\nc.list_tables()", &["dynamodb.ListTables?"]),
        ("if event:\n    return 1\nc.list_tables()", &["dynamodb.ListTables"]),
    ]);
}

/// Methods, with the operation that a program which reads them must have as used.
const METHODS: &[(&str, &str)] = &[
    ("c.put_item", "dynamodb.PutItem"),
    ("table.delete_item", "dynamodb.DeleteItem"),
    ("s3.upload_file", "s3.PutObject"),
    ("bucket.Object('k').copy_from", "s3.CopyObject"),
    ("event.lost.send_message", "sqs.SendMessage"),
    ("getattr(c, 'put_item')", "dynamodb.PutItem"),
    ("getattr(event.lost, 'send_message')", "sqs.SendMessage"),
];

/// Where `M` is a method that is read.
const READS: &[&str] = &[
    "event.submit(M)",
    "event.put((M, {}))",
    "event.x = M",
    "event['x'] = M",
    "setattr(event, 'x', M)",
    "return M",
    "yield M",
    "f = M\nevent.call(f)",
    "f = [M]\nf[0](A=1)",
    "f = []\nf.extend([M])\nf.pop()(A=1)",
    "f = {'a': M}\nevent.call(**f)",
    "f, g = M, 1\nevent.call(f)",
    "f = lambda: M\nf()(A=1)",
    "[f(A=1) for f in (M, M)]",
    "run(M)",
    "event.call(x=M)",
    "event.call(*[M])",
    "(M if event else None)(A=1)",
    "(event or M)(A=1)",
    "functools.partial(M, A=1)",
    "async def inner():\n    await asyncio.to_thread(M, A=1)\nasyncio.run(inner())",
    "class Inner:\n    call = M\nInner().call(A=1)",
    "class Inner:\n    def get(self):\n        return M\nInner().get()(A=1)",
    "def inner(f=M):\n    f(A=1)\ninner()",
    "next(iter([M]))(A=1)",
    "dict(a=M)['a'](A=1)",
];

#[test]
fn every_method_that_is_read_is_used_or_a_doubt() {
    for (method, operation) in METHODS {
        for read in READS {
            let code = program(&read.replace('M', method));
            let found = reached(&code);
            let is_used = found.iter().any(|f| f == "?" || f.trim_end_matches('?') == *operation);
            assert!(is_used, "{operation} in {found:?} of\n{code}");
        }
    }
}

#[test]
fn what_counts_as_used_beyond_the_calls_is_listed() {
    let template = "Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      Policies: [{Statement: [{Effect: Allow, Action: ['s3:*', 'iam:PassRole', 'ecs:*'], Resource: '*'}]}]
";
    let code = "import boto3\nimport pandas\n\ndef handler(event, context):\n    \
                boto3.client('ecs').update_service(service='s')\n";
    let r = Repository::new(&[("template.yaml", template), ("src/app.py", code)]);
    let out = r.run(&["workloads"]).out;
    assert!(out.contains(" of s3 (pandas, src/app.py:2:8)\n"), "{out}");
    assert!(
        out.contains("\n  counted as used: iam:PassRole (ecs:UpdateService, src/app.py:5:5)\n"),
        "{out}"
    );
    let json = r.run(&["workloads", "--format", "json"]).json();
    let counted = &json["workloads"][0]["counted_as_used"][0];
    let actions = counted["actions"].as_array().expect("actions");
    assert!(
        actions.contains(&"s3:GetObject".into()) && !actions.contains(&"s3:PutBucketPolicy".into()),
        "{actions:?}"
    );
    assert_eq!(counted["by"], "pandas");
}
