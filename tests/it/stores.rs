//! Clients that are kept where evaluation does not follow them: what is called on them is never said to be unused.

use crate::usage::{found, sam};

/// What keeps the client, and the code; each publishes to SNS.
const KEPT: &[(&str, &str)] = &[
    (
        "a dict of dicts by setdefault",
        "K = {}\nK.setdefault('eu', {})['sns'] = boto3.client('sns')\ndef handler(e, c):\n    K['eu']['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a list of pairs",
        "K = [('sns', boto3.client('sns'))]\ndef handler(e, c):\n    dict(K)['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "zip",
        "K = dict(zip(['sns', 'sqs'], [boto3.client(n) for n in ('sns', 'sqs')]))\ndef handler(e, c):\n    K['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a default dict with a factory",
        "from collections import defaultdict\nclass D(defaultdict):\n    def __missing__(self, key):\n        self[key] = boto3.client(key)\n        return self[key]\nK = D()\ndef handler(e, c):\n    K['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a chain map",
        "from collections import ChainMap\nK = ChainMap({'sns': boto3.client('sns')})\ndef handler(e, c):\n    K['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a deque",
        "from collections import deque\nK = deque()\nK.append(boto3.client('sns'))\ndef handler(e, c):\n    K.popleft().publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a queue",
        "import queue\nQ = queue.Queue()\nQ.put(boto3.client('sns'))\ndef handler(e, c):\n    Q.get().publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a simple queue through a helper",
        "import queue\nQ = queue.SimpleQueue()\ndef fill(v):\n    Q.put(v)\ndef handler(e, c):\n    fill(boto3.client('sns'))\n    Q.get().publish(TopicArn='t', Message='x')\n",
    ),
    (
        "thread-local storage",
        "import threading\nL = threading.local()\ndef init():\n    L.__dict__['sns'] = boto3.client('sns')\ndef handler(e, c):\n    init()\n    L.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "globals",
        "def init():\n    globals()['topic'] = boto3.client('sns')\ndef handler(e, c):\n    init()\n    topic.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "vars of an object",
        "class A:\n    pass\na = A()\nvars(a)['sns'] = boto3.client('sns')\ndef handler(e, c):\n    a.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "__dict__.update",
        "class A:\n    def __init__(self, **kw):\n        self.__dict__.update(kw)\na = A(sns=boto3.client('sns'))\ndef handler(e, c):\n    a.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "__getattr__",
        "class A:\n    def __getattr__(self, name):\n        return boto3.client(name)\ndef handler(e, c):\n    A().sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "__getitem__",
        "class A:\n    def __getitem__(self, name):\n        return boto3.client(name)\ndef handler(e, c):\n    A()['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a proxy that hands on its methods",
        "class A:\n    def __init__(self, inner):\n        self.inner = inner\n    def __getattr__(self, name):\n        return getattr(self.inner, name)\ndef handler(e, c):\n    A(boto3.client('sns')).publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a metaclass",
        "class M(type):\n    def __new__(m, name, bases, body):\n        body['sns'] = boto3.client('sns')\n        return super().__new__(m, name, bases, body)\nclass A(metaclass=M):\n    pass\ndef handler(e, c):\n    A.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "__init_subclass__",
        "class B:\n    def __init_subclass__(cls, service=None, **kw):\n        setattr(cls, 'client', boto3.client(service))\nclass A(B, service='sns'):\n    pass\ndef handler(e, c):\n    A.client.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "__set_name__",
        "class F:\n    def __set_name__(self, owner, name):\n        self.made = boto3.client(name)\n    def __get__(self, it, owner):\n        return self.made\nclass A:\n    sns = F()\ndef handler(e, c):\n    A().sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a class decorator",
        "def having(name):\n    def put(cls):\n        setattr(cls, name, boto3.client(name))\n        return cls\n    return put\n@having('sns')\nclass A:\n    pass\ndef handler(e, c):\n    A.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "type()",
        "A = type('A', (), {'sns': boto3.client('sns')})\ndef handler(e, c):\n    A.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a named tuple",
        "from collections import namedtuple\nT = namedtuple('T', 'sns sqs')\nt = T(boto3.client('sns'), boto3.client('sqs'))\ndef handler(e, c):\n    t.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "replace of a data class",
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    sns: object = None\na = dataclasses.replace(A(), sns=boto3.client('sns'))\ndef handler(e, c):\n    a.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a simple namespace by attribute",
        "import types\nns = types.SimpleNamespace()\nsetattr(ns, 'sns', boto3.client('sns'))\ndef handler(e, c):\n    ns.sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a closure",
        "def make():\n    kept = {}\n    def get(n):\n        if n not in kept:\n            kept[n] = boto3.client(n)\n        return kept[n]\n    return get\nget = make()\ndef handler(e, c):\n    get('sns').publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a function's attribute",
        "def get():\n    return get.client\nget.client = boto3.client('sns')\ndef handler(e, c):\n    get().publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a default argument that is changed",
        "def get(kept={}):\n    kept.setdefault('c', boto3.client('sns'))\n    return kept\ndef handler(e, c):\n    get()['c'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a partial",
        "import functools\nf = functools.partial(boto3.client('sns').publish, TopicArn='t')\ndef handler(e, c):\n    f(Message='x')\n",
    ),
    (
        "a partial of boto3.client",
        "import functools\nmake = functools.partial(boto3.client, region_name='eu-west-1')\ndef handler(e, c):\n    make('sns').publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a method in a table",
        "sns = boto3.client('sns')\nT = {'a': {'b': sns.publish}}\ndef handler(e, c):\n    T['a']['b'](TopicArn='t', Message='x')\n",
    ),
    (
        "methodcaller",
        "import operator\nsns = boto3.client('sns')\ncall = operator.methodcaller('publish', TopicArn='t', Message='x')\ndef handler(e, c):\n    call(sns)\n",
    ),
    (
        "attrgetter",
        "import operator\nclass A:\n    pass\na = A()\na.b = A()\na.b.sns = boto3.client('sns')\ndef handler(e, c):\n    operator.attrgetter('b.sns')(a).publish(TopicArn='t', Message='x')\n",
    ),
    (
        "getattr with the name of the method",
        "sns = boto3.client('sns')\nK = {}\nK.update(c=sns)\ndef handler(e, c):\n    getattr(K['c'], 'publish')(TopicArn='t', Message='x')\n",
    ),
    (
        "getattr with a name from outside",
        "K = {}\nK.update(c=boto3.client('sns'))\ndef handler(e, c):\n    getattr(K['c'], e['op'])(**e['args'])\n",
    ),
    (
        "a registry with a decorator",
        "R = {}\ndef register(name):\n    def put(f):\n        R.setdefault(name, []).append(f)\n        return f\n    return put\n@register('go')\ndef go(e):\n    boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    for f in R['go']:\n        f(e)\n",
    ),
    (
        "a client in the context",
        "def prepare(c):\n    c.identity = {'sns': boto3.client('sns')}\ndef handler(e, c):\n    prepare(c)\n    c.identity['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a future",
        "from concurrent.futures import ThreadPoolExecutor\ndef handler(e, c):\n    with ThreadPoolExecutor() as pool:\n        f = pool.submit(boto3.client, 'sns')\n    f.result().publish(TopicArn='t', Message='x')\n",
    ),
    (
        "map over names",
        "sns, sqs = map(boto3.client, ('sns', 'sqs'))\ndef handler(e, c):\n    sns.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "reduce",
        "import functools\nK = functools.reduce(lambda a, n: {**a, n: boto3.client(n)}, ('sns', 'sqs'), {})\ndef handler(e, c):\n    K['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a union of dicts",
        "K = {} | {n: boto3.client(n) for n in ('sns', 'sqs')}\ndef handler(e, c):\n    K['sns'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "dict.fromkeys",
        "K = dict.fromkeys(['a'], boto3.client('sns'))\ndef handler(e, c):\n    K['a'].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a generator that is sent a client",
        "def g():\n    c = yield\n    while True:\n        c.publish(TopicArn='t', Message='x')\n        yield\ndef handler(e, c):\n    it = g()\n    next(it)\n    it.send(boto3.client('sns'))\n",
    ),
    (
        "a match statement",
        "K = [boto3.client('sns')]\ndef handler(e, c):\n    match K:\n        case [one]:\n            one.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "an exception that carries it",
        "class Stop(Exception):\n    pass\ndef go():\n    raise Stop(boto3.client('sns'))\ndef handler(e, c):\n    try:\n        go()\n    except Stop as s:\n        s.args[0].publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a weak reference",
        "import weakref\nsns = boto3.client('sns')\nr = weakref.ref(sns)\ndef handler(e, c):\n    r().publish(TopicArn='t', Message='x')\n",
    ),
    (
        "copy.copy of an object",
        "import copy\nclass A:\n    pass\na = A()\na.c = boto3.client('sns')\nb = copy.copy(a)\ndef handler(e, c):\n    b.c.publish(TopicArn='t', Message='x')\n",
    ),
    (
        "a module made by hand",
        "import types, sys\nm = types.ModuleType('m')\nm.sns = boto3.client('sns')\nsys.modules['m'] = m\ndef handler(e, c):\n    sys.modules['m'].sns.publish(TopicArn='t', Message='x')\n",
    ),
];

/// What keeps the class that publishes to SNS; nothing names it.
const REGISTERED: &[(&str, &str)] = &[
    (
        "__new__ of a metaclass",
        "R = {}\nclass M(type):\n    def __new__(m, name, bases, body):\n        R[name] = cls = super().__new__(m, name, bases, body)\n        return cls\nclass Note(metaclass=M):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    R[e['k']]().go(e)\n",
    ),
    (
        "__init__ of the metaclass of a base",
        "R = {}\nclass M(type):\n    def __init__(cls, name, bases, body):\n        R[name] = cls\nclass Base(metaclass=M):\n    pass\nclass Note(Base):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    R[e['k']]().go(e)\n",
    ),
    (
        "__init_subclass__",
        "R = {}\nclass Base:\n    def __init_subclass__(cls, key=None, **kw):\n        R[key] = cls\nclass Note(Base, key='note'):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    R[e['k']]().go(e)\n",
    ),
    (
        "a decorator of the class",
        "R = {}\ndef register(cls):\n    R[cls.__name__] = cls\n    return cls\n@register\nclass Note:\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    R[e['k']]().go(e)\n",
    ),
    (
        "a decorator with a key",
        "class Registry:\n    def __init__(self):\n        self.all = {}\n    def add(self, key):\n        def put(cls):\n            self.all[key] = cls\n            return cls\n        return put\nR = Registry()\n@R.add('note')\nclass Note:\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    R.all[e['k']]().go(e)\n",
    ),
    (
        "__subclasses__",
        "class Base:\n    pass\nclass Note(Base):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    for cls in Base.__subclasses__():\n        cls().go(e)\n",
    ),
    (
        "__subclasses__ by getattr",
        "class Base:\n    pass\nclass Note(Base):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    for cls in getattr(Base, '__subclasses__')():\n        cls().go(e)\n",
    ),
    (
        "__subclasses__ of what a class method runs on",
        "class Base:\n    @classmethod\n    def all(cls):\n        return {c.__name__: c for c in cls.__subclasses__()}\nclass Note(Base):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    Base.all()[e['k']]().go(e)\n",
    ),
    (
        "heirs of heirs",
        "class Base:\n    pass\nclass Middle(Base):\n    pass\nclass Note(Middle):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef walk(cls):\n    for heir in cls.__subclasses__():\n        yield heir\n        yield from walk(heir)\ndef handler(e, c):\n    for cls in walk(Base):\n        cls().go(e)\n",
    ),
    (
        "a class in the body of another",
        "class Steps:\n    class Note:\n        def go(self, e):\n            boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    getattr(Steps, e['k'])().go(e)\n",
    ),
    (
        "a base of a library",
        "from plugins import Plugin, run\nclass Note(Plugin):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    run(e)\n",
    ),
    (
        "type() with a method",
        "def go(self, e):\n    boto3.client('sns').publish(TopicArn='t', Message='x')\nR = {'note': type('Note', (), {'go': go})}\ndef handler(e, c):\n    R[e['k']]().go(e)\n",
    ),
];

#[test]
fn what_a_registered_class_calls_is_not_unused() {
    let wrong = unused_publish(REGISTERED);
    assert!(wrong.is_empty(), "said to be unused, with the class kept by: {wrong:?}");
}

#[test]
fn what_a_class_calls_that_nothing_names_or_keeps_is_unused() {
    let code = "class Base:\n    pass\nclass Note(Base):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    Base().go(e)\n";
    assert_eq!(
        unused_publish(&[("nothing", code)]),
        [""; 0],
        "a base whose heirs have the method"
    );
    let code = "class Base:\n    pass\nclass Note(Base):\n    def go(self, e):\n        boto3.client('sns').publish(TopicArn='t', Message='x')\ndef handler(e, c):\n    Base()\n";
    assert_eq!(unused_publish(&[("nothing", code)]), ["nothing"]);
}

#[test]
fn what_a_kept_client_calls_is_not_unused() {
    let wrong = unused_publish(KEPT);
    assert!(wrong.is_empty(), "said to be unused, with the client in: {wrong:?}");
}

/// Those of these where `sns:Publish` is said to be unused.
fn unused_publish<'a>(all: &[(&'a str, &str)]) -> Vec<&'a str> {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['sns:Publish', 'polly:SynthesizeSpeech']\n        Resource: '*'";
    let template = sam(policies);
    all.iter()
        .filter(|(_, code)| {
            let code = format!("import boto3\n{code}");
            let files = [("template.yaml", template.as_str()), ("src/app.py", &code)];
            found(&files).iter().any(|f| f.contains("sns:Publish"))
        })
        .map(|(name, _)| *name)
        .collect()
}

#[test]
fn what_no_client_has_is_still_unused() {
    let policies = "Policies:\n  - Statement:\n      - Effect: Allow\n        Action: ['sns:Publish', 'polly:SynthesizeSpeech']\n        Resource: '*'";
    let code = "import boto3\nK = {}\nK.update(c=boto3.client('sns'))\ndef handler(e, c):\n    K['c'].publish(TopicArn='t', Message='x')\n";
    let files = [("template.yaml", sam(policies)), ("src/app.py", code.to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    assert_eq!(found(&files), ["unused-grant 'polly:SynthesizeSpeech'"]);
}
