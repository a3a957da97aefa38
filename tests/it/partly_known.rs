//! Names of operations and services that are known only in part: what else they may be counts, so that nothing is unused that
//! the code may call. Code that runs without being called: packages, other rounds of a loop, other modules.

use crate::usage::{sam, usage_findings};

/// What is found where the role allows two calls of Amazon S3 and one more, in files of Python beside `app.py`.
fn found(app: &str, files: &[(&str, &str)]) -> Vec<String> {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 's3:PutObject', \
                    'sns:Publish']\n        Resource: '*'";
    let template = sam(policies);
    let app = format!("import boto3\n\ns3 = boto3.client('s3')\n\n\n{app}");
    let mut all = vec![("template.yaml", template.as_str()), ("src/app.py", app.as_str())];
    all.extend(files);
    usage_findings(&all)
}

/// The body of a handler.
fn handler(body: &str) -> String {
    format!("def handler(event, context):\n    {}\n", body.replace('\n', "\n    "))
}

const CALL: &str = "getattr(s3, op)(Bucket='b', Key='k')";

#[test]
fn a_known_name_beside_an_unknown_one_is_not_all() {
    for body in [
        "op = 'get_object' if event.get('r') else event['op']\n".to_owned() + CALL,
        "op = event.get('op') or 'get_object'\n".to_owned() + CALL,
        "op = 'get_object'\nif event.get('op'):\n    op = event['op']\n".to_owned() + CALL,
        "for op in ['get_object', event['op']]:\n    ".to_owned() + CALL,
        "ops = ['get_object']\nops.append(event['op'])\nfor op in ops:\n    ".to_owned() + CALL,
        "cfg = {'op': 'get_object'}\ncfg.update(event)\nop = cfg['op']\n".to_owned() + CALL,
        "op = f\"{event['verb']}_object\" if event else 'get_object'\n".to_owned() + CALL,
    ] {
        assert_eq!(found(&handler(&body), &[]), [""; 0], "{body}");
    }
    // All of it is known.
    for body in [
        "for op in ['get_object', 'put_object']:\n    ".to_owned() + CALL,
        "op = 'get_object' if event.get('r') else 'put_object'\n".to_owned() + CALL,
    ] {
        assert_eq!(found(&handler(&body), &[]), ["unused-grant 'sns:Publish'"], "{body}");
    }
}

#[test]
fn what_callers_give_in_place_of_a_default() {
    let run = |call: &str| format!("def run(key='k', op='get_object'):\n    {CALL}\n\n\n{}", handler(call));
    for call in [
        "run(op=event['op'])",
        "run('k', event['op'])",
        "run(**event)",
        "run(*event['all'])",
    ] {
        assert_eq!(found(&run(call), &[]), [""; 0], "{call}");
    }
    assert_eq!(
        found(&run("run()\nrun(op='put_object')"), &[]),
        ["unused-grant 'sns:Publish'"]
    );
    let client = "def send(name='s3'):\n    return boto3.client(name).get_object(Bucket='b', Key='k')\n\n\n";
    let app = client.to_owned() + &handler("s3.put_object(Bucket='b', Key='k')\nsend(event['service'])");
    assert_eq!(found(&app, &[]), ["unused-grant 'sns:Publish'"]);
}

#[test]
fn other_rounds_of_a_loop_and_other_places_that_assign() {
    let next = format!("op = 'get_object'\nfor _ in range(2):\n    {CALL}\n    op = 'put_object'");
    let app = format!(
        "class Job:\n    op = 'get_object'\n\n\n{}",
        handler("op = Job.op\ngetattr(s3, op)(Bucket='b', Key='k')")
    );
    let set = "from app import Job\n\nJob.op = 'put_object'\n";
    let only = ["unused-grant 'sns:Publish'"];
    assert_eq!(found(&handler(&next), &[]), only);
    assert_eq!(found(&format!("import jobs\n{app}"), &[("src/jobs.py", set)]), only);
    // What the loop binds first holds for each round.
    let bound =
        "for _ in range(2):\n    op = 'get_object'\n    getattr(s3, op)(Bucket='b', Key='k')\n    op = 'put_object'";
    assert_eq!(
        found(&handler(bound), &[]),
        ["unused-grant 's3:PutObject', 'sns:Publish'"]
    );
}

#[test]
fn classes_of_other_modules() {
    let core = "import boto3\n\n\nclass Base:\n    op = 'get_object'\n\n    def run(self):\n        \
                getattr(boto3.client('s3'), self.op)(Bucket='b', Key='k')\n";
    let more = "from core import Base\n\n\nclass Writer(Base):\n    op = 'put_object'\n";
    let app = format!(
        "from more import Writer\n{}",
        handler("Writer().run()\nboto3.client('sns').publish(TopicArn='t', Message='m')")
    );
    let found = found(&app, &[("src/core.py", core), ("src/more.py", more)]);
    assert!(!found.iter().any(|f| f.contains("s3:PutObject")), "{found:?}");
}

#[test]
fn classes_that_are_asked_for_or_changed() {
    let of_class = handler("s3.__class__.get_object(s3, Bucket='b', Key='k')\ns3.put_object(Bucket='b', Key='k')");
    assert_eq!(found(&of_class, &[]), ["unused-grant 'sns:Publish'"]);
    let swap =
        "class Draft:\n    def act(self):\n        s3.get_object(Bucket='b', Key='k')\n        self.__class__ = \
                Final\n\n\nclass Final:\n    def act(self):\n        s3.put_object(Bucket='b', Key='k')\n\n\n"
            .to_owned();
    let app = swap + &handler("draft = Draft()\ndraft.act()\ndraft.act()");
    assert_eq!(found(&app, &[]), ["unused-grant 'sns:Publish'"]);
}

#[test]
fn packages_run_before_their_modules() {
    let package = "import boto3\n\nboto3.client('sns').publish(TopicArn='t', Message='m')\n";
    let body = "s3.get_object(Bucket=B, Key='k')\ns3.put_object(Bucket=B, Key='k', Body=b'')";
    for import in [
        "from conf.thing import B",
        "import conf.thing as thing\nB = thing.B",
        "from conf import thing\nB = thing.B",
    ] {
        let app = format!("{import}\n\n\n{}", handler(body));
        let files = [("src/conf/__init__.py", package), ("src/conf/thing.py", "B = 'b'\n")];
        assert_eq!(found(&app, &files), [""; 0], "{import}");
    }
}

#[test]
fn processes_and_signatures_by_other_names() {
    for more in [
        "from os import system\n",
        "import os\nos.posix_spawn('/bin/aws', ['aws'], {})\n",
        "import asyncio\nasyncio.create_subprocess_shell('aws s3 ls')\n",
        "key = 'AWS4' + secret\n",
        "url = 'http://localhost:2772/applications/a'\n",
    ] {
        let app = more.to_owned() + &handler("s3.get_object(Bucket='b', Key='k')");
        assert_eq!(found(&app, &[]), [""; 0], "{more}");
    }
    // Stubs call nothing.
    let app = "from types_boto3_s3 import S3Client\n".to_owned() + &handler("s3.get_object(Bucket='b', Key='k')");
    assert_eq!(found(&app, &[]), ["unused-grant 's3:PutObject', 'sns:Publish'"]);
}

#[test]
fn names_that_lists_attributes_and_arguments_carry_from_elsewhere() {
    let only = ["unused-grant 'sns:Publish'"];
    let each = format!("for op in OPS:\n    {CALL}");
    let alias = format!(
        "OPS = ['get_object']\nalias = OPS\n\n\ndef more(to):\n    to.append('put_object')\n\n\nmore(alias)\n{}",
        handler(&each)
    );
    assert_eq!(found(&alias, &[]), only);
    let other = format!("import extra\nfrom ops import OPS\n\n\n{}", handler(&each));
    let files = [
        ("src/ops.py", "OPS = ['get_object']\n"),
        ("src/extra.py", "import ops\n\nops.OPS.append('put_object')\n"),
    ];
    assert_eq!(found(&other, &files), only);
    let field =
        "from dataclasses import dataclass, replace\n\n\n@dataclass\nclass Step:\n    op: str = 'get_object'\n\n    \
                 def run(self):\n        getattr(s3, self.op)(Bucket='b', Key='k')\n\n\n"
            .to_owned();
    let body = "step = Step()\nstep.run()\nreplace(step, op='put_object').run()";
    assert_eq!(found(&(field + &handler(body)), &[]), only);
    let partial = format!(
        "from functools import partial\n\n\ndef run(op='get_object', key='k'):\n    {CALL}\n\n\np = partial(run, key='x')\n\n\n{}",
        handler("p()\np(op='put_object')")
    );
    assert_eq!(found(&partial, &[]), only);
    // Nothing tells what the event holds.
    for body in [
        format!("for op in ['get_object', *event['ops']]:\n    {CALL}"),
        format!("match event:\n    case {{'op': op}}:\n        pass\n    case _:\n        op = 'get_object'\n{CALL}"),
        format!("op = 'get_object'\nop += event['suffix']\n{CALL}"),
    ] {
        assert_eq!(found(&handler(&body), &[]), [""; 0], "{body}");
    }
    let mapped = format!(
        "def run(op='get_object'):\n    {CALL}\n\n\n{}",
        handler("run()\nlist(map(run, event['ops']))")
    );
    assert_eq!(found(&mapped, &[]), [""; 0]);
}

#[test]
fn code_that_a_string_names() {
    let only = ["unused-grant 's3:PutObject'"];
    let settings = "import boto3\n\n\nclass Production:\n    def ready(self):\n        boto3.client('sns').publish(TopicArn='t', \
                    Message='m')\n";
    for text in ["settings.Production", "settings:Production"] {
        let app = format!(
            "SETTINGS = '{text}'\n\n\n{}",
            handler("s3.get_object(Bucket='b', Key='k')")
        );
        assert_eq!(found(&app, &[("src/settings.py", settings)]), only, "{text}");
    }
}

#[test]
fn packages_around_the_handler_run_before_it() {
    let package = "import boto3\n\nboto3.client('sns').publish(TopicArn='t', Message='m')\n";
    let template = sam(
        "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['s3:GetObject', 'sns:Publish']\n        \
         Resource: '*'",
    )
    .replace("app.handler", "jobs.nightly.app.handler");
    let app = format!(
        "import boto3\n\ns3 = boto3.client('s3')\n\n\n{}",
        handler("s3.get_object(Bucket='b', Key='k')")
    );
    let files = [
        ("template.yaml", template.as_str()),
        ("src/jobs/nightly/app.py", &app),
        ("src/jobs/nightly/__init__.py", ""),
        ("src/jobs/__init__.py", package),
    ];
    assert_eq!(usage_findings(&files), [""; 0]);
}

#[test]
fn calls_that_a_flag_or_another_class_keeps_from_running_are_not_demanded() {
    let delete = "boto3.client('sqs').delete_queue(QueueUrl='u')";
    let missing = |app: &str| {
        let all = found(app, &[]);
        all.into_iter().filter(|f| f.starts_with("missing")).collect::<Vec<_>>()
    };
    assert_eq!(missing(&handler(delete)).len(), 1);
    for app in [
        format!("CLEAN = False\n\n\n{}", handler(&format!("if CLEAN:\n    {delete}"))),
        format!(
            "def run(clean=False):\n    if clean:\n        {delete}\n\n\n{}",
            handler("run()")
        ),
        format!(
            "class Job:\n    def clean(self):\n        {delete}\n\n    def run(self):\n        self.clean()\n\n\nclass \
             Kept(Job):\n    def clean(self):\n        pass\n\n\n{}",
            handler("Kept().run()")
        ),
    ] {
        assert_eq!(missing(&app), [""; 0], "{app}");
    }
    let on = format!("CLEAN = True\n\n\n{}", handler(&format!("if CLEAN:\n    {delete}")));
    assert_eq!(missing(&on).len(), 1);
}
