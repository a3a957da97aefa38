//! Clients that are kept where evaluation does not follow them: what is called on them is never said to be unused.

use crate::usage::{sam, usage_findings};

/// What keeps the client, and the code; each publishes to SNS.
const KEPT: &[(&str, &str)] = &[
    (
        "a dict of dicts by setdefault",
        r"K = {}
K.setdefault('eu', {})['sns'] = boto3.client('sns')
def handler(e, c):
    K['eu']['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a list of pairs",
        r"K = [('sns', boto3.client('sns'))]
def handler(e, c):
    dict(K)['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "zip",
        r"K = dict(zip(['sns', 'sqs'], [boto3.client(n) for n in ('sns', 'sqs')]))
def handler(e, c):
    K['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a default dict with a factory",
        r"from collections import defaultdict
class D(defaultdict):
    def __missing__(self, key):
        self[key] = boto3.client(key)
        return self[key]
K = D()
def handler(e, c):
    K['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a chain map",
        r"from collections import ChainMap
K = ChainMap({'sns': boto3.client('sns')})
def handler(e, c):
    K['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a deque",
        r"from collections import deque
K = deque()
K.append(boto3.client('sns'))
def handler(e, c):
    K.popleft().publish(TopicArn='t', Message='x')
",
    ),
    (
        "a queue",
        r"import queue
Q = queue.Queue()
Q.put(boto3.client('sns'))
def handler(e, c):
    Q.get().publish(TopicArn='t', Message='x')
",
    ),
    (
        "a simple queue through a helper",
        r"import queue
Q = queue.SimpleQueue()
def fill(v):
    Q.put(v)
def handler(e, c):
    fill(boto3.client('sns'))
    Q.get().publish(TopicArn='t', Message='x')
",
    ),
    (
        "thread-local storage",
        r"import threading
L = threading.local()
def init():
    L.__dict__['sns'] = boto3.client('sns')
def handler(e, c):
    init()
    L.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "globals",
        r"def init():
    globals()['topic'] = boto3.client('sns')
def handler(e, c):
    init()
    topic.publish(TopicArn='t', Message='x')
",
    ),
    (
        "vars of an object",
        r"class A:
    pass
a = A()
vars(a)['sns'] = boto3.client('sns')
def handler(e, c):
    a.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "__dict__.update",
        r"class A:
    def __init__(self, **kw):
        self.__dict__.update(kw)
a = A(sns=boto3.client('sns'))
def handler(e, c):
    a.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "__getattr__",
        r"class A:
    def __getattr__(self, name):
        return boto3.client(name)
def handler(e, c):
    A().sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "__getitem__",
        r"class A:
    def __getitem__(self, name):
        return boto3.client(name)
def handler(e, c):
    A()['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a proxy that hands on its methods",
        r"class A:
    def __init__(self, inner):
        self.inner = inner
    def __getattr__(self, name):
        return getattr(self.inner, name)
def handler(e, c):
    A(boto3.client('sns')).publish(TopicArn='t', Message='x')
",
    ),
    (
        "a metaclass",
        r"class M(type):
    def __new__(m, name, bases, body):
        body['sns'] = boto3.client('sns')
        return super().__new__(m, name, bases, body)
class A(metaclass=M):
    pass
def handler(e, c):
    A.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "__init_subclass__",
        r"class B:
    def __init_subclass__(cls, service=None, **kw):
        setattr(cls, 'client', boto3.client(service))
class A(B, service='sns'):
    pass
def handler(e, c):
    A.client.publish(TopicArn='t', Message='x')
",
    ),
    (
        "__set_name__",
        r"class F:
    def __set_name__(self, owner, name):
        self.made = boto3.client(name)
    def __get__(self, it, owner):
        return self.made
class A:
    sns = F()
def handler(e, c):
    A().sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "a class decorator",
        r"def having(name):
    def put(cls):
        setattr(cls, name, boto3.client(name))
        return cls
    return put
@having('sns')
class A:
    pass
def handler(e, c):
    A.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "type()",
        r"A = type('A', (), {'sns': boto3.client('sns')})
def handler(e, c):
    A.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "a named tuple",
        r"from collections import namedtuple
T = namedtuple('T', 'sns sqs')
t = T(boto3.client('sns'), boto3.client('sqs'))
def handler(e, c):
    t.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "replace of a data class",
        r"import dataclasses
@dataclasses.dataclass
class A:
    sns: object = None
a = dataclasses.replace(A(), sns=boto3.client('sns'))
def handler(e, c):
    a.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "a simple namespace by attribute",
        r"import types
ns = types.SimpleNamespace()
setattr(ns, 'sns', boto3.client('sns'))
def handler(e, c):
    ns.sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "a closure",
        r"def make():
    kept = {}
    def get(n):
        if n not in kept:
            kept[n] = boto3.client(n)
        return kept[n]
    return get
get = make()
def handler(e, c):
    get('sns').publish(TopicArn='t', Message='x')
",
    ),
    (
        "a function's attribute",
        r"def get():
    return get.client
get.client = boto3.client('sns')
def handler(e, c):
    get().publish(TopicArn='t', Message='x')
",
    ),
    (
        "a default argument that is changed",
        r"def get(kept={}):
    kept.setdefault('c', boto3.client('sns'))
    return kept
def handler(e, c):
    get()['c'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a partial",
        r"import functools
f = functools.partial(boto3.client('sns').publish, TopicArn='t')
def handler(e, c):
    f(Message='x')
",
    ),
    (
        "a partial of boto3.client",
        r"import functools
make = functools.partial(boto3.client, region_name='eu-west-1')
def handler(e, c):
    make('sns').publish(TopicArn='t', Message='x')
",
    ),
    (
        "a method in a table",
        r"sns = boto3.client('sns')
T = {'a': {'b': sns.publish}}
def handler(e, c):
    T['a']['b'](TopicArn='t', Message='x')
",
    ),
    (
        "methodcaller",
        r"import operator
sns = boto3.client('sns')
call = operator.methodcaller('publish', TopicArn='t', Message='x')
def handler(e, c):
    call(sns)
",
    ),
    (
        "attrgetter",
        r"import operator
class A:
    pass
a = A()
a.b = A()
a.b.sns = boto3.client('sns')
def handler(e, c):
    operator.attrgetter('b.sns')(a).publish(TopicArn='t', Message='x')
",
    ),
    (
        "getattr with the name of the method",
        r"sns = boto3.client('sns')
K = {}
K.update(c=sns)
def handler(e, c):
    getattr(K['c'], 'publish')(TopicArn='t', Message='x')
",
    ),
    (
        "getattr with a name from outside",
        r"K = {}
K.update(c=boto3.client('sns'))
def handler(e, c):
    getattr(K['c'], e['op'])(**e['args'])
",
    ),
    (
        "a registry with a decorator",
        r"R = {}
def register(name):
    def put(f):
        R.setdefault(name, []).append(f)
        return f
    return put
@register('go')
def go(e):
    boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    for f in R['go']:
        f(e)
",
    ),
    (
        "a client in the context",
        r"def prepare(c):
    c.identity = {'sns': boto3.client('sns')}
def handler(e, c):
    prepare(c)
    c.identity['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a future",
        r"from concurrent.futures import ThreadPoolExecutor
def handler(e, c):
    with ThreadPoolExecutor() as pool:
        f = pool.submit(boto3.client, 'sns')
    f.result().publish(TopicArn='t', Message='x')
",
    ),
    (
        "map over names",
        r"sns, sqs = map(boto3.client, ('sns', 'sqs'))
def handler(e, c):
    sns.publish(TopicArn='t', Message='x')
",
    ),
    (
        "reduce",
        r"import functools
K = functools.reduce(lambda a, n: {**a, n: boto3.client(n)}, ('sns', 'sqs'), {})
def handler(e, c):
    K['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a union of dicts",
        r"K = {} | {n: boto3.client(n) for n in ('sns', 'sqs')}
def handler(e, c):
    K['sns'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "dict.fromkeys",
        r"K = dict.fromkeys(['a'], boto3.client('sns'))
def handler(e, c):
    K['a'].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a generator that is sent a client",
        r"def g():
    c = yield
    while True:
        c.publish(TopicArn='t', Message='x')
        yield
def handler(e, c):
    it = g()
    next(it)
    it.send(boto3.client('sns'))
",
    ),
    (
        "a match statement",
        r"K = [boto3.client('sns')]
def handler(e, c):
    match K:
        case [one]:
            one.publish(TopicArn='t', Message='x')
",
    ),
    (
        "an exception that carries it",
        r"class Stop(Exception):
    pass
def go():
    raise Stop(boto3.client('sns'))
def handler(e, c):
    try:
        go()
    except Stop as s:
        s.args[0].publish(TopicArn='t', Message='x')
",
    ),
    (
        "a weak reference",
        r"import weakref
sns = boto3.client('sns')
r = weakref.ref(sns)
def handler(e, c):
    r().publish(TopicArn='t', Message='x')
",
    ),
    (
        "copy.copy of an object",
        r"import copy
class A:
    pass
a = A()
a.c = boto3.client('sns')
b = copy.copy(a)
def handler(e, c):
    b.c.publish(TopicArn='t', Message='x')
",
    ),
    (
        "a module made by hand",
        r"import types, sys
m = types.ModuleType('m')
m.sns = boto3.client('sns')
sys.modules['m'] = m
def handler(e, c):
    sys.modules['m'].sns.publish(TopicArn='t', Message='x')
",
    ),
];

/// What keeps the class that publishes to SNS; nothing names it.
const REGISTERED: &[(&str, &str)] = &[
    (
        "__new__ of a metaclass",
        r"R = {}
class M(type):
    def __new__(m, name, bases, body):
        R[name] = cls = super().__new__(m, name, bases, body)
        return cls
class Note(metaclass=M):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    R[e['k']]().go(e)
",
    ),
    (
        "__init__ of the metaclass of a base",
        r"R = {}
class M(type):
    def __init__(cls, name, bases, body):
        R[name] = cls
class Base(metaclass=M):
    pass
class Note(Base):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    R[e['k']]().go(e)
",
    ),
    (
        "__init_subclass__",
        r"R = {}
class Base:
    def __init_subclass__(cls, key=None, **kw):
        R[key] = cls
class Note(Base, key='note'):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    R[e['k']]().go(e)
",
    ),
    (
        "a decorator of the class",
        r"R = {}
def register(cls):
    R[cls.__name__] = cls
    return cls
@register
class Note:
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    R[e['k']]().go(e)
",
    ),
    (
        "a decorator with a key",
        r"class Registry:
    def __init__(self):
        self.all = {}
    def add(self, key):
        def put(cls):
            self.all[key] = cls
            return cls
        return put
R = Registry()
@R.add('note')
class Note:
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    R.all[e['k']]().go(e)
",
    ),
    (
        "__subclasses__",
        r"class Base:
    pass
class Note(Base):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    for cls in Base.__subclasses__():
        cls().go(e)
",
    ),
    (
        "__subclasses__ by getattr",
        r"class Base:
    pass
class Note(Base):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    for cls in getattr(Base, '__subclasses__')():
        cls().go(e)
",
    ),
    (
        "__subclasses__ of what a class method runs on",
        r"class Base:
    @classmethod
    def all(cls):
        return {c.__name__: c for c in cls.__subclasses__()}
class Note(Base):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    Base.all()[e['k']]().go(e)
",
    ),
    (
        "heirs of heirs",
        r"class Base:
    pass
class Middle(Base):
    pass
class Note(Middle):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def walk(cls):
    for heir in cls.__subclasses__():
        yield heir
        yield from walk(heir)
def handler(e, c):
    for cls in walk(Base):
        cls().go(e)
",
    ),
    (
        "a class in the body of another",
        r"class Steps:
    class Note:
        def go(self, e):
            boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    getattr(Steps, e['k'])().go(e)
",
    ),
    (
        "a base of a library",
        r"from plugins import Plugin, run
class Note(Plugin):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    run(e)
",
    ),
    (
        "type() with a method",
        r"def go(self, e):
    boto3.client('sns').publish(TopicArn='t', Message='x')
R = {'note': type('Note', (), {'go': go})}
def handler(e, c):
    R[e['k']]().go(e)
",
    ),
];

#[test]
fn what_a_registered_class_calls_is_not_unused() {
    let wrong = unused_publish(REGISTERED);
    assert!(wrong.is_empty(), "said to be unused, with the class kept by: {wrong:?}");
}

#[test]
fn what_a_class_calls_that_nothing_names_or_keeps_is_unused() {
    let code = r"class Base:
    pass
class Note(Base):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    Base().go(e)
";
    assert_eq!(
        unused_publish(&[("nothing", code)]),
        [""; 0],
        "a base whose heirs have the method"
    );
    let code = r"class Base:
    pass
class Note(Base):
    def go(self, e):
        boto3.client('sns').publish(TopicArn='t', Message='x')
def handler(e, c):
    Base()
";
    assert_eq!(unused_publish(&[("nothing", code)]), ["nothing"]);
}

#[test]
fn what_a_kept_client_calls_is_not_unused() {
    let wrong = unused_publish(KEPT);
    assert!(wrong.is_empty(), "said to be unused, with the client in: {wrong:?}");
}

/// Those of these where `sns:Publish` is said to be unused.
fn unused_publish<'a>(all: &[(&'a str, &str)]) -> Vec<&'a str> {
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['sns:Publish', 'polly:SynthesizeSpeech']
        Resource: '*'";
    let template = sam(policies);
    all.iter()
        .filter(|(_, code)| {
            let code = format!(
                r"import boto3
{code}"
            );
            let files = [("template.yaml", template.as_str()), ("src/app.py", &code)];
            usage_findings(&files).iter().any(|f| f.contains("sns:Publish"))
        })
        .map(|(name, _)| *name)
        .collect()
}

#[test]
fn what_no_client_has_is_still_unused() {
    let policies = r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['sns:Publish', 'polly:SynthesizeSpeech']
        Resource: '*'";
    let code = r"import boto3
K = {}
K.update(c=boto3.client('sns'))
def handler(e, c):
    K['c'].publish(TopicArn='t', Message='x')
";
    let files = [("template.yaml", sam(policies)), ("src/app.py", code.to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    assert_eq!(usage_findings(&files), ["unused-grant 'polly:SynthesizeSpeech'"]);
}
