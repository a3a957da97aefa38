//! Python: what expressions amount to, where their parts are written, and what boto3 calls become.

use overgrant::internals::formats::python::Python;
use overgrant::internals::iam::PolicyKind;
use overgrant::internals::model::{LoweredUnit, Resource, kinds};
use overgrant::internals::python::{BindingValue, ConstantEvaluator, Program, Reaching, ScopeId};
use overgrant::internals::source::{HoleKind, Sources};
use overgrant::internals::value::{Value, ValueKind};

use crate::support::lint::lower;

/// What `X` of `m.py` holds at the end.
fn value_in(files: &[(&str, &str)]) -> (Sources, Value) {
    let (sources, units) = lower(&Python, files);
    let modules: Vec<_> = units.into_iter().flat_map(|u| u.modules).collect();
    let program = Program::new(&sources, &modules);
    let m = program.index_of(sources.find("m.py").unwrap()).unwrap();
    let module = &modules[m];
    let Reaching::Found(found) = module.at_end("X", ScopeId::MODULE) else {
        panic!("no X")
    };
    let BindingValue::Value(source) = &found.bindings[0].bound else {
        panic!("no value")
    };
    let v = ConstantEvaluator::new(&program).final_value(m, ScopeId::MODULE, "X", found.bindings[0], source.expr);
    (sources, v)
}

fn value(code: &str) -> (Sources, Value) {
    value_in(&[("m.py", code)])
}

/// A compact spelling: strings quoted, unknown parts in `${}`, choices with `|`.
fn show_python(v: &Value) -> String {
    match &v.kind {
        ValueKind::Null => "null".into(),
        ValueKind::Bool(b) => b.to_string(),
        ValueKind::Num(n) => n.to_string(),
        ValueKind::Str(t) => format!("'{}'", t.display()),
        ValueKind::Seq(items) => format!("[{}]", items.iter().map(show_python).collect::<Vec<_>>().join(", ")),
        ValueKind::Map(entries) => format!(
            "{{{}}}",
            entries
                .iter()
                .map(|e| format!("{}: {}", e.key.display(), show_python(&e.value)))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        ValueKind::Json(inner) => format!("json({})", show_python(inner)),
        ValueKind::OneOf(branches) => branches
            .iter()
            .map(|b| show_python(&b.value))
            .collect::<Vec<_>>()
            .join(" | "),
        ValueKind::Unknown(h) => format!("${{{}}}", h.name),
    }
}

/// Every string that is known slices its file to itself, where nothing is escaped in it.
fn check_spans(sources: &Sources, v: &Value) {
    match &v.kind {
        ValueKind::Str(t) => {
            if let Some(known) = t.known()
                && !known.is_empty()
                && let Some(span) = t.span_of(0..t.len())
                && span.len() == known.len()
                && !known.contains('\n')
            {
                assert_eq!(sources.slice(span), known);
            }
        }
        ValueKind::Seq(items) => items.iter().for_each(|i| check_spans(sources, i)),
        ValueKind::Map(entries) => entries.iter().for_each(|e| check_spans(sources, &e.value)),
        ValueKind::Json(inner) => check_spans(sources, inner),
        _ => {}
    }
}

#[track_caller]
fn check_value(code: &str, expected: &str) {
    let (sources, v) = value(code);
    assert_eq!(show_python(&v), expected, "{code}");
    check_spans(&sources, &v);
}

/// What a joining evaluator knows of `X`.
#[track_caller]
fn joined(code: &str, expected: &str) {
    let (sources, units) = lower(&Python, &[("m.py", code)]);
    let modules: Vec<_> = units.into_iter().flat_map(|u| u.modules).collect();
    let program = Program::new(&sources, &modules);
    let mark = modules[0].ids().find_map(|e| {
        let call = modules[0].call(e)?;
        (modules[0].dotted(call.function)? == "judge").then(|| call.positional(0))?
    });
    let v = ConstantEvaluator::with_alternatives(&program).value(0, mark.expect("a call of judge"));
    let shown = match &v.kind {
        ValueKind::OneOf(branches) => {
            let one = |b: &overgrant::internals::value::Branch| format!("{}: {}", b.when, show_python(&b.value));
            branches.iter().map(one).collect::<Vec<_>>().join(" | ")
        }
        _ => show_python(&v),
    };
    assert_eq!(shown, expected, "{code}");
    check_spans(&sources, &v);
}

#[test]
fn values_that_may_be_meant() {
    // Parameters.
    joined(
        r"def f(a):
    judge(a)
",
        "${a}",
    );
    joined(
        r"def f(a='x'):
    judge(a)
",
        "by default: 'x' | otherwise: ${a}",
    );
    joined(
        r"def f(a=None, b=''):
    judge(a)
",
        "${a}",
    );
    joined(
        r"def f(a='x'):
    judge(a)
f()
f('y')
f(a=z)
",
        "for `f()`: 'x' | for `f('y')`: 'y' | for `f(a=z)`: ${z} | by default: 'x' | otherwise: ${a}",
    );
    joined(
        r"class C:
    def m(self, *, a):
        judge(a)
    def n(self):
        self.m(a='y')
",
        "for `self.m(a='y')`: 'y' | otherwise: ${a}",
    );
    joined(
        r"class C:
    def __init__(self, a):
        judge(a)
C('y')
",
        "for `C('y')`: 'y' | otherwise: ${a}",
    );
    // A call gives its arguments together.
    joined(
        r"def f(a, b):
    judge(a + '-' + b)
f('1', '2')
f('3', '4')
",
        "for `f('1', '2')`: '1-2' | for `f('3', '4')`: '3-4' | otherwise: '${a}-${b}'",
    );
    joined(
        r"def f(a):
    judge(a)
    f(a)
",
        "for `f(a)`: ${a} | otherwise: ${a}",
    );
    // Loops.
    joined(
        r"for a in ['x', 'y']:
    judge(a)
",
        "for item 1: 'x' | for item 2: 'y'",
    );
    joined(
        r"for a, b in [('1', '2'), ('3', '4')]:
    judge(f'{a}-{b}')
",
        "for item 1: '1-2' | for item 2: '3-4'",
    );
    joined(
        r"for k, v in {'a': '1', 'b': '2'}.items():
    judge(k + v)
",
        "for item 1: 'a1' | for item 2: 'b2'",
    );
    joined(
        r"for k in {'a': '1'}:
    judge(k)
",
        "'a'",
    );
    joined(
        r"for a in unknown:
    judge(a)
",
        "${a}",
    );
    // Dicts.
    joined(
        r"D = {'dev': '*', 'prod': 'x'}
judge(D[s])
",
        "for dev: '*' | for prod: 'x'",
    );
    joined(
        r"D = {'dev': '*'}
judge(D.get(s, 'x'))
",
        "for dev: '*' | for any other: 'x'",
    );
    joined(
        r"D = {'dev': '*', **more}
judge(D[s])
",
        "${D[s]}",
    );
    joined(
        r"D = {'dev': '*'}
judge(D.get('prod', 'x'))
",
        "'x'",
    );
    // What is there unless something else is.
    joined(
        r"import os
judge(os.environ.get('A', '*'))
",
        "unless env.A is set: '*' | if env.A is set: ${env.A}",
    );
    joined(
        r"import os
judge(os.getenv('A', ''))
",
        "${env.A}",
    );
    joined("judge(a or '*')\n", "if a: ${a} | unless a: '*'");
    joined(
        r"def f(a=None):
    judge(a or '*')
f('x')
",
        "for `f('x')`: 'x' | otherwise and if a: ${a} | otherwise and unless a: '*'",
    );
    // Texts.
    joined("judge('a' + ('b' if p else 'c'))\n", "if p: 'ab' | unless p: 'ac'");
    joined(
        r"x = 'b' if p else 'c'
judge(f'{x}-{x}')
",
        "if p: 'b-b' | unless p: 'c-c'",
    );
    // Changes are made to each.
    joined(
        r"def f(a=['x']):
    a.append('y')
    judge(a)
",
        "by default: ['x', 'y'] | otherwise: ${a}",
    );
}

#[test]
fn alternatives_are_bounded() {
    let dict = |n: usize| -> String { (0..n).map(|i| format!("'k{i}': 'v{i}', ")).collect() };
    let code = format!(
        r"D = {{{}}}
judge(D[a] + D[b] + D[c] + D[d] + D[e])
",
        dict(60)
    );
    let (_, units) = lower(&Python, &[("m.py", &code)]);
    assert_eq!(units.len(), 1);
    let sum = (0..40).fold("D[a]".to_owned(), |sum, i| format!("{sum} + D[a{i}]"));
    let (sources, units) = lower(
        &Python,
        &[(
            "m.py",
            &format!(
                r"D = {{{}}}
judge({sum})
",
                dict(8)
            ),
        )],
    );
    let modules: Vec<_> = units.into_iter().flat_map(|u| u.modules).collect();
    let program = Program::new(&sources, &modules);
    let values = ConstantEvaluator::with_alternatives(&program);
    for e in modules[0].ids() {
        if let ValueKind::OneOf(branches) = &values.value(0, e).kind {
            assert!(branches.len() <= 64);
        }
    }
}

#[test]
fn literals() {
    check_value(
        r#"X = {'a': [1, 2.5, True, False, None], 'b': ('x', "y")}"#,
        "{a: [1, 2.5, true, false, null], b: ['x', 'y']}",
    );
    check_value("X = {'s3:Get*', 's3:Put*'}", "['s3:Get*', 's3:Put*']");
    check_value("X = []", "[]");
}

#[test]
fn strings_of_every_kind() {
    check_value(r"X = 'a\tb\x41\u0042\\'", "'a\tbAB\\'");
    check_value(r"X = r'a\tb'", r"'a\tb'");
    check_value("X = b's3:*'", "'s3:*'");
    check_value(
        r#"X = ('arn:aws:s3:::'
     'bucket' "/*")"#,
        "'arn:aws:s3:::bucket/*'",
    );
    check_value(
        r"X = '''a
b'''",
        r"'a
b'",
    );
    check_value(
        r"X = 'a\
b'",
        "'ab'",
    );
    check_value(r"X = 'it\'s \101'", "'it's A'");
    check_value(
        r"B = 'b'
X = f'arn:aws:s3:::{B}/{{x}}'",
        "'arn:aws:s3:::b/{x}'",
    );
    check_value("X = f'arn:{part()}:s3'", "'arn:${part()}:s3'");
    check_value("X = f'a{x!r:>{w}}b' 'c'", "'a${x}bc'");
    check_value("X = rf'\\d{1}'", "'\\d1'");
    check_value(
        r"X = 's3\N{COLON}\N{latin capital letter g}et\N{ASTERISK}\N{DIGIT NINE}'",
        "'s3:Get*9'",
    );
    check_value(r"X = f's3\N{COLON}{a}\N{ASTERISK}'", "'s3:${a}*'");
    check_value(r"X = '\x2a\u002a\052\U0000002a'", "'****'");
    check_value(r"X = '\N{BULLET}\N{ASTERISK'", "'\u{fffd}\\N{ASTERISK'");
}

#[test]
fn escapes_map_back_to_their_bytes() {
    let (sources, v) = value(r#"X = "a\"b\u00e9c""#);
    let t = v.as_text().unwrap();
    assert_eq!(t.known().unwrap(), r#"a"béc"#);
    assert_eq!(sources.slice(t.span_of(1..2).unwrap()), r#"\""#);
    assert_eq!(sources.slice(t.span_of(3..5).unwrap()), "\\u00e9");
    assert_eq!(sources.slice(t.span_of(5..6).unwrap()), "c");
}

#[test]
fn joined_strings_keep_the_place_of_each_piece() {
    let (sources, v) = value(
        r"A = 'arn:aws:'
X = A + 's3' + ':::' 'b'",
    );
    let t = v.as_text().unwrap();
    assert_eq!(t.known().unwrap(), "arn:aws:s3:::b");
    assert_eq!(sources.slice(t.span_of(0..3).unwrap()), "arn");
    assert_eq!(sources.slice(t.span_of(13..14).unwrap()), "b");
}

#[test]
fn operators() {
    check_value("X = 'a' + 'b' + 'c'", "'abc'");
    check_value("X = ['a'] + ['b'] + other()", "['a', 'b', ${other()}]");
    check_value("X = 'arn:%s:s3:::%s' % ('aws', bucket)", "'arn:aws:s3:::${bucket}'");
    check_value("X = '%s%%' % 'a'", "'a%'");
    check_value("X = '%(a)s-%(b)s-%(c)s' % {'a': '1', 'b': 2}", "'1-2-${(c)s}'");
    check_value("X = {'a': 1} | {'b': 2, 'a': 3}", "{b: 2, a: 3}");
    check_value("X = 'a' if p else 'b'", "'a' | 'b'");
    check_value("X = None or 'b'", "'b'");
    check_value("X = a * 3", "${a * 3}");
}

#[test]
fn formatting() {
    check_value("X = 'arn:{}:{}'.format('aws', 's3')", "'arn:aws:s3'");
    check_value("X = '{0}{1}{0}'.format('a', 'b')", "'aba'");
    check_value(r#"X = '{{"a": "{b}"}}'.format(b='c')"#, r#"'{"a": "c"}'"#);
    check_value("X = '{name}-{other}'.format(name='n')", "'n-${other}'");
    check_value("X = 'a-NAME-b-NAME'.replace('NAME', 'x')", "'a-x-b-x'");
    check_value("X = ','.join(['a', 'b', c])", "'a,b,${c}'");
    check_value("X = '  a '.strip()", "'a'");
    check_value("X = 'Ab'.lower() + 'Ab'.upper()", "'abAB'");
    check_value(
        r"import textwrap
X = textwrap.dedent('''\
    a
      b
    ''')",
        r"'a
  b
'",
    );
    check_value("X = '{}'.format", "${'{}'.format}");
}

#[test]
fn names_bound_once_and_several_times() {
    check_value(
        r"A = 's3:*'
X = [A]",
        "['s3:*']",
    );
    check_value(
        r"A = 1
A = 2
X = A",
        "2",
    );
    check_value(
        r"if prod:
    A = 'a'
else:
    A = 'b'
X = A",
        "'a' | 'b'",
    );
    check_value(
        r"A = 'a'
if prod:
    A = 'b'
X = A",
        "'a' | 'b'",
    );
    check_value(
        r"try:
    A = 'a'
except Exception:
    A = None
X = [A]",
        "['a']",
    );
    check_value(
        r"A, B = 'a', 'b'
X = [B, A]",
        "['b', 'a']",
    );
    check_value(
        r"(A, *B) = ['a', 'b', 'c']
X = [A]",
        "['a']",
    );
    check_value(
        r"for A in ['a']:
    pass
X = A",
        "'a'",
    );
    check_value("X = Y", "${Y}");
    check_value("X = X", "${X}");
    check_value(
        r"A = B
B = A
X = A",
        "${A}",
    );
    check_value(
        r"class C:
    A = 'a'
X = C.A",
        "'a'",
    );
    check_value(
        r"with open('f') as A:
    pass
X = A",
        "${A}",
    );
    check_value("X = (A := 'a')", "'a'");
}

#[test]
fn the_way_of_a_value_is_kept() {
    let (sources, v) = value(
        r"A = ['s3:*']
B = A
X = {'Action': B}",
    );
    let action = v.get("Action").unwrap();
    let step = action.via.as_ref().unwrap();
    assert_eq!(sources.slice(step.span), "B");
    assert_eq!(sources.slice(step.from.as_ref().unwrap().span), "A");
    assert_eq!(sources.slice(action.span), "['s3:*']");
}

#[test]
fn changes_in_place() {
    check_value(
        r"X = []
X.append('a')
X.extend(['b', 'c'])
X += ['d']",
        "['a', 'b', 'c', 'd']",
    );
    check_value(
        r"X = {'a': []}
X['a'].append('x')
X['b'] = 'y'
X['a'] += z",
        "{a: ['x', ${z}], b: 'y'}",
    );
    check_value(
        r"X = {'a': 1}
X.update({'a': 2, 'c': 3})",
        "{a: 2, c: 3}",
    );
    check_value(
        r"X = [{'a': 1}]
X[0]['a'] = 's'",
        "[{a: 's'}]",
    );
    check_value(
        r"X = ['a']
X.pop()",
        "['a', ${…}]",
    );
    check_value(
        r"X = {'a': 1}
X[k] = 2",
        "{a: 1, ${…}: ${…}}",
    );
    check_value(
        r"A = ['a']
B = [A]
A.append('b')
X = B",
        "[['a']]",
    );
}

#[test]
fn spreads() {
    check_value(
        r"A = {'a': 1, 'b': 2}
X = {**A, 'b': 3}",
        "{a: 1, b: 2, b: 3}",
    );
    check_value("X = {'a': 1, **rest}", "{a: 1, ${rest}: ${rest}}");
    check_value(
        r"A = ['a']
X = [*A, 'b', *c]",
        "['a', 'b', ${c}]",
    );
}

#[test]
fn library_functions() {
    check_value(
        r"import json
X = json.dumps({'a': 1})",
        "json({a: 1})",
    );
    check_value(
        r"from json import dumps as d
X = d({'a': 1}, indent=2)",
        "json({a: 1})",
    );
    check_value(
        r"import json
X = json.loads(json.dumps({'a': 1}))",
        "{a: 1}",
    );
    check_value(
        r#"import json
X = json.loads('{"a": ["s3:*", 1, true, null]}')
X['b'] = 'c'"#,
        "{a: ['s3:*', 1, true, null], b: 'c'}",
    );
    check_value(
        r#"import json
X = json.loads('["a"]') + json.loads(s='"b"').split()"#,
        r#"['a', ${json.loads(s='"b"').split()}]"#,
    );
    check_value(
        r#"import json
X = json.loads('"s3"') + ':*'"#,
        "'s3:*'",
    );
    check_value(
        r"import json
X = json.loads('{')",
        "${json.loads('{')}",
    );
    check_value(
        r"import json
X = json.loads(text)",
        "${json.loads(text)}",
    );
    check_value("X = 'sss'.replace('s', 'tt')", "'tttttt'");
    check_value("X = dict(a='x', **{'b': 'y'})", "{a: 'x', b: 'y'}");
    check_value("X = list(('a',)) + sorted(['b'])", "['a', 'b']");
    check_value("X = str('a') + str(1)", "'a1'");
    check_value(
        r"import copy
A = {'a': 1}
X = copy.deepcopy(A)",
        "{a: 1}",
    );
    check_value(
        r"import os
X = os.environ['B'] + '/' + os.environ.get('C', 'd') + os.getenv('E')",
        "'${env.B}/${env.C}${env.E}'",
    );
}

#[test]
fn environment_variables_are_input() {
    let (_, v) = value(
        r"import os
X = 'arn:aws:s3:::' + os.environ['BUCKET']",
    );
    assert_eq!(show_python(&v), "'arn:aws:s3:::${env.BUCKET}'");
    assert_eq!(v.as_text().unwrap().holes().next().unwrap().kind, HoleKind::Input);
}

#[test]
fn the_own_account_is_known_as_such() {
    let (_, v) = value(
        r"import boto3
A = boto3.client('sts').get_caller_identity()['Account']
X = f'arn:aws:iam::{A}:root'",
    );
    assert_eq!(v.as_text().unwrap().holes().next().unwrap().kind, HoleKind::Account);
    let (_, v) = value(
        r"S = sts.get_caller_identity()
X = S.get('Account')",
    );
    assert_eq!(v.as_hole().unwrap().kind, HoleKind::Account);
}

#[test]
fn functions_and_loops_fill_their_names() {
    check_value(
        r"def arn(b, p='*'):
    return f'arn:aws:s3:::{b}/{p}'
X = [arn('a'), arn('b', 'c'), arn(b=z)]",
        "['arn:aws:s3:::a/*', 'arn:aws:s3:::b/c', 'arn:aws:s3:::${z}/*']",
    );
    check_value(
        r"def trust(service):
    return {'Principal': {'Service': service}}
X = trust('ec2')",
        "{Principal: {Service: 'ec2'}}",
    );
    check_value(
        "X = ['arn:aws:s3:::' + b for b in ('a', 'b')]",
        "['arn:aws:s3:::a', 'arn:aws:s3:::b']",
    );
    check_value("X = [b for b in buckets]", "[${b}, ${…}]");
    check_value("X = {k: 1 for k in ['a']}", "{a: 1}");
    check_value(
        r"def f(x):
    return f(x)
X = f(1)",
        "${f(1)}",
    );
    check_value(
        r"def f(x):
    return [x]
X = f(f(1))",
        "[[1]]",
    );
}

#[test]
fn other_modules_of_the_repository() {
    let x = |files: &[(&str, &str)]| show_python(&value_in(files).1);
    assert_eq!(
        x(&[
            (
                "m.py",
                r"from policies import P
X = [P]"
            ),
            ("policies.py", "P = 's3:*'")
        ]),
        "['s3:*']"
    );
    assert_eq!(
        x(&[
            (
                "m.py",
                r"import policies as p
X = p.P"
            ),
            ("policies.py", "P = 's3:*'")
        ]),
        "'s3:*'"
    );
    assert_eq!(
        x(&[
            (
                "m.py",
                r"from pkg.a import P
X = P"
            ),
            ("pkg/a.py", "from .b import P"),
            ("pkg/b.py", "P = 'b'")
        ]),
        "'b'"
    );
    assert_eq!(
        x(&[
            (
                "m.py",
                r"from pkg import *
X = P"
            ),
            ("pkg/__init__.py", "P = 'i'")
        ]),
        "'i'"
    );
    assert_eq!(
        x(&[
            (
                "m.py",
                r"from a import P
X = P"
            ),
            ("a.py", "from m import X as P")
        ]),
        "${P}"
    );
}

#[test]
fn parameters_are_input() {
    let (_, units) = lower(
        &Python,
        &[(
            "m.py",
            r"import boto3
def f(doc):
    boto3.client('iam').create_policy(PolicyName='p', PolicyDocument=doc)
",
        )],
    );
    let v = units[0].resources.raw[0].get("PolicyDocument").unwrap();
    assert_eq!(v.as_hole().unwrap().kind, HoleKind::Input);
}

// ---- calls ----

const DOC: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;

fn lowered_resources(code: &str) -> (Sources, Vec<Resource>, LoweredUnit) {
    let (sources, mut units) = lower(&Python, &[("m.py", code)]);
    let mut unit = units.remove(0);
    let resources = std::mem::take(&mut unit.resources)
        .into_iter()
        .filter(|r| &*r.kind != kinds::BOTO3_CLIENT)
        .collect();
    (sources, resources, unit)
}

/// One call of a client of `service` gives a resource of `kind` with these properties.
#[track_caller]
fn call_is(service: &str, call: &str, kind: &str, props: &[(&str, &str)]) {
    let code = format!(
        r"import boto3, json
DOC = {DOC}
c = boto3.client('{service}')
c.{call}
"
    );
    let (sources, resources, unit) = lowered_resources(&code);
    assert!(unit.loose.is_empty(), "{code}: {:?}", unit.loose);
    let found: Vec<_> = resources.iter().filter(|r| &*r.kind == kind).collect();
    assert_eq!(
        found.len(),
        1,
        "{code}: {:?}",
        resources.iter().map(|r| r.kind.clone()).collect::<Vec<_>>()
    );
    let r = found[0];
    for (name, expected) in props {
        let v = r.get(name).unwrap_or_else(|| panic!("{name} of {:?}", r.props));
        if *expected == "DOC" {
            assert!(v.decoded().get("Statement").is_some(), "{name}: {v:?}");
        } else {
            assert_eq!(show_python(v), *expected, "{name}");
        }
    }
    assert!(sources.slice(r.header).ends_with(call.split('(').next().unwrap()));
    check_spans(&sources, &r.props);
}

#[test]
fn iam_calls() {
    call_is(
        "iam",
        "create_role(RoleName='r', AssumeRolePolicyDocument=json.dumps(DOC), PermissionsBoundary='b')",
        "AWS::IAM::Role",
        &[
            ("RoleName", "'r'"),
            ("AssumeRolePolicyDocument", "DOC"),
            ("PermissionsBoundary", "'b'"),
        ],
    );
    call_is(
        "iam",
        "put_role_policy(RoleName='r', PolicyName='p', PolicyDocument=json.dumps(DOC))",
        "AWS::IAM::RolePolicy",
        &[("RoleName", "'r'"), ("PolicyName", "'p'"), ("PolicyDocument", "DOC")],
    );
    call_is(
        "iam",
        "put_user_policy(UserName='u', PolicyName='p', PolicyDocument=json.dumps(DOC))",
        "AWS::IAM::UserPolicy",
        &[("UserName", "'u'")],
    );
    call_is(
        "iam",
        "put_group_policy(GroupName='g', PolicyName='p', PolicyDocument=json.dumps(DOC))",
        "AWS::IAM::GroupPolicy",
        &[("GroupName", "'g'")],
    );
    call_is(
        "iam",
        "create_policy(PolicyName='p', PolicyDocument=json.dumps(DOC))",
        "AWS::IAM::ManagedPolicy",
        &[("ManagedPolicyName", "'p'"), ("PolicyDocument", "DOC")],
    );
    call_is(
        "iam",
        "create_policy_version(PolicyArn='a', PolicyDocument=json.dumps(DOC))",
        "AWS::IAM::ManagedPolicy",
        &[("PolicyDocument", "DOC")],
    );
}

#[test]
fn attachments_and_users() {
    let bare = |call: &str, kind: &str, props: &[(&str, &str)]| {
        let (_, resources, _) = lowered_resources(&format!(
            r"import boto3
c = boto3.client('iam')
c.{call}
"
        ));
        assert_eq!(resources.len(), 1, "{call}");
        assert_eq!(&*resources[0].kind, kind);
        for (k, v) in props {
            assert_eq!(show_python(resources[0].get(k).unwrap()), *v, "{call}");
        }
    };
    bare(
        "attach_role_policy(RoleName='r', PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess')",
        kinds::ATTACHMENT,
        &[
            ("Role", "'r'"),
            ("PolicyArn", "'arn:aws:iam::aws:policy/AdministratorAccess'"),
        ],
    );
    bare(
        "attach_user_policy(UserName='u', PolicyArn='p')",
        kinds::ATTACHMENT,
        &[("User", "'u'")],
    );
    bare(
        "attach_group_policy(GroupName='g', PolicyArn='p')",
        kinds::ATTACHMENT,
        &[("Group", "'g'")],
    );
    bare(
        "create_access_key(UserName='u')",
        "AWS::IAM::AccessKey",
        &[("UserName", "'u'")],
    );
    bare("create_user(UserName='u')", "AWS::IAM::User", &[("UserName", "'u'")]);
    bare(
        "create_group(GroupName='g')",
        "AWS::IAM::Group",
        &[("GroupName", "'g'")],
    );
    bare(
        "create_login_profile(UserName='u', Password='x')",
        kinds::BOTO3_CALL,
        &[("Operation", "'CreateLoginProfile'"), ("Service", "'iam'")],
    );
}

#[test]
fn resource_policies() {
    call_is(
        "s3",
        "put_bucket_policy(Bucket='b', Policy=json.dumps(DOC))",
        "AWS::S3::BucketPolicy",
        &[("Bucket", "'b'"), ("PolicyDocument", "DOC")],
    );
    call_is(
        "kms",
        "put_key_policy(KeyId='k', PolicyName='default', Policy=json.dumps(DOC))",
        "AWS::KMS::Key",
        &[("KeyPolicy", "DOC")],
    );
    call_is(
        "kms",
        "create_key(Policy=json.dumps(DOC))",
        "AWS::KMS::Key",
        &[("KeyPolicy", "DOC")],
    );
    call_is(
        "sqs",
        "set_queue_attributes(QueueUrl='q', Attributes={'Policy': json.dumps(DOC)})",
        "AWS::SQS::QueuePolicy",
        &[("PolicyDocument", "DOC"), ("Queues", "['q']")],
    );
    call_is(
        "sqs",
        "create_queue(QueueName='q', Attributes={'Policy': json.dumps(DOC)})",
        "AWS::SQS::QueuePolicy",
        &[("PolicyDocument", "DOC")],
    );
    call_is(
        "sns",
        "set_topic_attributes(TopicArn='t', AttributeName='Policy', AttributeValue=json.dumps(DOC))",
        "AWS::SNS::TopicPolicy",
        &[("PolicyDocument", "DOC"), ("Topics", "['t']")],
    );
    call_is(
        "sns",
        "create_topic(Name='t', Attributes={'Policy': json.dumps(DOC)})",
        "AWS::SNS::TopicPolicy",
        &[("PolicyDocument", "DOC")],
    );
    call_is(
        "secretsmanager",
        "put_resource_policy(SecretId='s', ResourcePolicy=json.dumps(DOC))",
        "AWS::SecretsManager::ResourcePolicy",
        &[("ResourcePolicy", "DOC")],
    );
    call_is(
        "ecr",
        "set_repository_policy(repositoryName='r', policyText=json.dumps(DOC))",
        "AWS::ECR::Repository",
        &[("RepositoryPolicyText", "DOC")],
    );
    call_is(
        "efs",
        "put_file_system_policy(FileSystemId='f', Policy=json.dumps(DOC))",
        "AWS::EFS::FileSystem",
        &[("FileSystemPolicy", "DOC")],
    );
    call_is(
        "backup",
        "put_backup_vault_access_policy(BackupVaultName='v', Policy=json.dumps(DOC))",
        "AWS::Backup::BackupVault",
        &[("AccessPolicy", "DOC")],
    );
    call_is(
        "opensearch",
        "create_domain(DomainName='d', AccessPolicies=json.dumps(DOC))",
        "AWS::OpenSearchService::Domain",
        &[("AccessPolicies", "DOC")],
    );
    call_is(
        "es",
        "update_elasticsearch_domain_config(DomainName='d', AccessPolicies=json.dumps(DOC))",
        "AWS::OpenSearchService::Domain",
        &[("AccessPolicies", "DOC")],
    );
    call_is(
        "apigateway",
        "create_rest_api(name='a', policy=json.dumps(DOC))",
        "AWS::ApiGateway::RestApi",
        &[("Policy", "DOC")],
    );
    call_is(
        "logs",
        "put_destination_policy(destinationName='d', accessPolicy=json.dumps(DOC))",
        "AWS::Logs::Destination",
        &[("DestinationPolicy", "DOC")],
    );
    call_is(
        "codeartifact",
        "put_domain_permissions_policy(domain='d', policyDocument=json.dumps(DOC))",
        "AWS::CodeArtifact::Domain",
        &[("PermissionsPolicyDocument", "DOC")],
    );
    call_is(
        "kinesis",
        "put_resource_policy(ResourceARN='s', Policy=json.dumps(DOC))",
        "AWS::Kinesis::ResourcePolicy",
        &[("ResourcePolicy", "DOC")],
    );
    call_is(
        "organizations",
        "create_policy(Name='n', Type='SERVICE_CONTROL_POLICY', Content=json.dumps(DOC))",
        "AWS::Organizations::Policy",
        &[("Content", "DOC"), ("Type", "'SERVICE_CONTROL_POLICY'")],
    );
    call_is(
        "iot",
        "create_policy(policyName='n', policyDocument=json.dumps(DOC))",
        "AWS::IoT::Policy",
        &[("PolicyDocument", "DOC")],
    );
    call_is(
        "ec2",
        "create_vpc_endpoint(VpcId='v', PolicyDocument=json.dumps(DOC))",
        "AWS::EC2::VPCEndpoint",
        &[("PolicyDocument", "DOC")],
    );
}

#[test]
fn documents_without_a_resource_of_their_own() {
    let loose = |service: &str, call: &str| {
        let code = format!(
            r"import boto3, json
DOC = {DOC}
c = boto3.client('{service}')
c.{call}
"
        );
        let (_, _, unit) = lowered_resources(&code);
        assert_eq!(unit.loose.len(), 1, "{call}");
        (
            unit.loose[0].kind,
            unit.loose[0].service.clone().unwrap_or_default().to_string(),
        )
    };
    assert_eq!(
        loose(
            "iam",
            "update_assume_role_policy(RoleName='r', PolicyDocument=json.dumps(DOC))"
        ),
        (Some(PolicyKind::Trust), String::new())
    );
    assert_eq!(
        loose(
            "sts",
            "assume_role(RoleArn='r', RoleSessionName='s', Policy=json.dumps(DOC))"
        ),
        (Some(PolicyKind::Session), String::new())
    );
    assert_eq!(
        loose(
            "glacier",
            "set_vault_access_policy(vaultName='v', policy={'Policy': json.dumps(DOC)})"
        ),
        (Some(PolicyKind::Resource), "glacier".into())
    );
    assert_eq!(
        loose(
            "logs",
            "put_resource_policy(policyName='v', policyDocument=json.dumps(DOC))"
        ),
        (Some(PolicyKind::Resource), "logs".into())
    );
    assert_eq!(
        loose(
            "dynamodb",
            "put_resource_policy(ResourceArn='v', Policy=json.dumps(DOC))"
        ),
        (Some(PolicyKind::Resource), "dynamodb".into())
    );
    assert_eq!(
        loose("events", "put_permission(Policy=json.dumps(DOC))"),
        (Some(PolicyKind::Resource), "events".into())
    );
}

#[test]
fn lambda_permissions() {
    let (_, r, _) = lowered_resources(
        r"import boto3
boto3.client('lambda').add_permission(FunctionName='f', StatementId='s', Action='lambda:InvokeFunction', Principal='*', SourceArn=arn)
",
    );
    assert_eq!(&*r[0].kind, "AWS::Lambda::Permission");
    assert_eq!(show_python(r[0].get("Principal").unwrap()), "'*'");
    assert_eq!(show_python(r[0].get("SourceArn").unwrap()), "${arn}");
    let (_, r, _) = lowered_resources(
        r"import boto3
boto3.client('lambda').create_function_url_config(FunctionName='f', AuthType='NONE')
",
    );
    assert_eq!(&*r[0].kind, "AWS::Lambda::Url");
    assert_eq!(show_python(r[0].get("TargetFunctionArn").unwrap()), "'f'");
    let (_, r, _) = lowered_resources(
        r"import boto3
boto3.client('events').put_permission(Action='events:PutEvents', Principal='*', StatementId='s')
",
    );
    assert_eq!(&*r[0].kind, "AWS::Events::EventBusPolicy");
}

#[test]
fn access_control_calls_keep_their_arguments() {
    let (_, r, _) = lowered_resources(
        r"import boto3
s3 = boto3.client('s3')
s3.put_object_acl(Bucket='b', Key='k', ACL='public-read')
s3.put_object(Bucket='b', Key='k')
s3.upload_file('f', 'b', 'k', ExtraArgs={'ACL': 'public-read'})
s3.delete_public_access_block(Bucket='b')
s3.generate_presigned_url('get_object', Params={'Bucket': 'b'}, ExpiresIn=604800)
",
    );
    let ops: Vec<String> = r.iter().map(|r| show_python(r.get("Operation").unwrap())).collect();
    assert_eq!(
        ops,
        [
            "'PutObjectAcl'",
            "'UploadFile'",
            "'DeletePublicAccessBlock'",
            "'GeneratePresignedUrl'"
        ]
    );
    assert_eq!(show_python(r[1].path(&["ExtraArgs", "ACL"]).unwrap()), "'public-read'");
    assert_eq!(show_python(r[1].get("Bucket").unwrap()), "'b'");
    assert_eq!(show_python(r[3].get("ClientMethod").unwrap()), "'get_object'");
}

#[test]
fn the_resource_api() {
    let code = format!(
        r"import boto3, json
DOC = {DOC}
iam = boto3.resource('iam')
iam.Role('r').attach_policy(PolicyArn='arn:aws:iam::aws:policy/X')
iam.Role('r').Policy('p').put(PolicyDocument=json.dumps(DOC))
iam.UserPolicy('u', 'q').put(PolicyDocument=json.dumps(DOC))
b = boto3.resource('s3').Bucket('b')
b.Policy().put(Policy=json.dumps(DOC))
iam.Policy('arn:p').attach_role(RoleName='r2')
iam.User('u').create_access_key_pair()
"
    );
    let (_, r, _) = lowered_resources(&code);
    let seen: Vec<String> = r
        .iter()
        .map(|r| {
            let props: Vec<String> = r
                .props
                .entries()
                .unwrap()
                .iter()
                .filter(|e| e.value.as_str().is_some())
                .map(|e| format!("{}={}", e.key.display(), show_python(&e.value)))
                .collect();
            format!("{} {}", r.kind, props.join(" "))
        })
        .collect();
    assert_eq!(
        seen,
        [
            "Overgrant::PolicyAttachment PolicyArn='arn:aws:iam::aws:policy/X' Role='r'",
            "AWS::IAM::RolePolicy RoleName='r' PolicyName='p'",
            "AWS::IAM::UserPolicy UserName='u' PolicyName='q'",
            "AWS::S3::BucketPolicy Bucket='b'",
            "Overgrant::PolicyAttachment Role='r2' PolicyArn='arn:p'",
            "AWS::IAM::AccessKey UserName='u'",
        ]
    );
}

#[test]
fn results_of_calls_refer_to_their_resource() {
    let (_, r, _) = lowered_resources(
        r"import boto3
def setup():
    iam = boto3.client('iam')
    role = iam.create_role(RoleName='r', AssumeRolePolicyDocument=doc)
    p = iam.create_policy(PolicyName='p', PolicyDocument=doc)
    iam.attach_role_policy(RoleName=role['Role']['RoleName'], PolicyArn=p['Policy']['Arn'])
",
    );
    assert_eq!(&*r[0].address.name, "setup>create_role");
    let target = r[2].get("Role").unwrap().as_hole().unwrap().target.clone().unwrap();
    assert_eq!(
        (&*target.scope, &*target.address, &*target.attribute),
        ("m.py", "setup>create_role", "RoleName")
    );
    let target = r[2]
        .get("PolicyArn")
        .unwrap()
        .as_hole()
        .unwrap()
        .target
        .clone()
        .unwrap();
    assert_eq!((&*target.address, &*target.attribute), ("setup>create_policy", "Arn"));
}

#[test]
fn clients_of_every_origin() {
    for client in [
        "boto3.Session(profile_name='p').client('iam')",
        "session.client('iam')",
        "boto3.resource('iam').meta.client",
        "get()",
        "unknown",
        "helper.client",
    ] {
        let (_, r, _) = lowered_resources(&format!(
            r"import boto3
from x import helper, unknown
session = boto3.Session()
def get():
    return boto3.client('iam')
c = {client}
c.put_role_policy(RoleName='r', PolicyName='p', PolicyDocument=doc)
"
        ));
        assert_eq!(r.len(), 1, "{client}");
    }
}

#[test]
fn a_method_of_another_object_is_no_call() {
    let (_, r, unit) = lowered_resources(
        r"import boto3
class Mailer:
    def put_role_policy(self, RoleName, PolicyName, PolicyDocument): ...
m = Mailer()
m.put_role_policy(RoleName='r', PolicyName='p', PolicyDocument=doc)
boto3.client('s3').create_policy(PolicyName='p', PolicyDocument=doc)
",
    );
    assert!(r.is_empty() && unit.loose.is_empty(), "{r:?}");
    // Without an SDK in sight, only a policy tells.
    let (_, r, _) = lowered_resources("m.put_role_policy(RoleName='r', PolicyName='p', PolicyDocument=doc)\n");
    assert!(r.is_empty());
    let (_, r, _) = lowered_resources(&format!(
        "m.put_role_policy(RoleName='r', PolicyName='p', PolicyDocument={DOC})\n"
    ));
    assert_eq!(r.len(), 1);
}

#[test]
fn sessions_and_clients_keep_their_arguments() {
    let (sources, units) = lower(
        &Python,
        &[(
            "m.py",
            r"import boto3
from boto3 import Session
KEY = 'k'
boto3.client('s3', aws_access_key_id=KEY, verify=False)
Session('a', 'b')
",
        )],
    );
    let r = &units[0].resources.raw;
    assert_eq!(r.len(), 2);
    assert!(r.iter().all(|r| &*r.kind == kinds::BOTO3_CLIENT));
    assert_eq!(show_python(r[0].get("Service").unwrap()), "'s3'");
    assert_eq!(show_python(r[0].get("Callee").unwrap()), "'boto3.client'");
    assert_eq!(show_python(r[0].get("aws_access_key_id").unwrap()), "'k'");
    assert_eq!(sources.slice(r[0].get("aws_access_key_id").unwrap().span), "'k'");
    assert_eq!(r[0].get("verify").unwrap().as_bool(), Some(false));
    assert_eq!(show_python(r[1].get("aws_secret_access_key").unwrap()), "'b'");
}

#[test]
fn environment_assignments() {
    let (_, r, _) = lowered_resources(
        r"import os
os.environ['A'] = 'a'
os.environ.setdefault('B', 'b')
os.environ.update({'C': 'c'})
os.putenv('D', 'd')
os.environ.update(E='e')
other['F'] = 'f'
",
    );
    let mut seen: Vec<String> = r
        .iter()
        .map(|r| {
            format!(
                "{}={}",
                show_python(r.get("Name").unwrap()),
                show_python(r.get("Value").unwrap())
            )
        })
        .collect();
    seen.sort();
    assert_eq!(seen, ["'A'='a'", "'B'='b'", "'C'='c'", "'D'='d'", "'E'='e'"]);
    assert!(r.iter().all(|r| &*r.kind == kinds::ENVIRON));
}

// ---- documents that no call takes ----

#[track_caller]
fn loose_of(code: &str) -> Vec<(String, String)> {
    let (sources, _, unit) = lowered_resources(code);
    unit.loose
        .iter()
        .map(|l| {
            let name = l.name.as_ref().map(|n| n.name.to_string()).unwrap_or_default();
            (name, sources.slice(l.value.span).to_owned())
        })
        .collect()
}

#[test]
fn loose_documents_have_the_name_of_their_variable() {
    let found = loose_of(&format!(
        r"POLICY = {DOC}
def f():
    local = {DOC}
    return g({DOC})
"
    ));
    let names: Vec<&str> = found.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["POLICY", "f.local", "f"]);
    assert!(found.iter().all(|(_, text)| text == DOC));
}

#[test]
fn a_document_is_lowered_once() {
    let found = loose_of(&format!(
        r"import boto3, json
P = {DOC}
iam = boto3.client('iam')
iam.create_policy(PolicyName='p', PolicyDocument=json.dumps(P))
"
    ));
    assert!(found.is_empty(), "{found:?}");
    let (_, units) = lower(
        &Python,
        &[
            (
                "a.py",
                r"import boto3, json
from b import P
boto3.client('iam').create_policy(PolicyName='p', PolicyDocument=json.dumps(P))
",
            ),
            ("b.py", &format!("P = {DOC}\n")),
        ],
    );
    assert_eq!(units[0].resources.len(), 2);
    assert!(units[1].loose.is_empty());
    // A statement list that a document uses is part of it.
    let found = loose_of(
        r"S = [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]
P = {'Version': '2012-10-17', 'Statement': S}
",
    );
    assert_eq!(found.len(), 1);
}

#[test]
fn json_texts_are_documents() {
    let json = DOC.replace('*', "%s");
    assert_eq!(loose_of(&format!("P = '''{DOC}'''\n")).len(), 1);
    let (_, _, unit) = lowered_resources(&format!("P = '''{json}''' % (a, 'x')\n"));
    assert_eq!(unit.loose.len(), 1);
    assert!(show_python(&unit.loose[0].value).contains("s3:${a}"));
    assert_eq!(&*unit.loose[0].name.as_ref().unwrap().name, "P");
    let doubled = DOC.replace('{', "{{").replace('}', "}}").replace('*', "{}");
    let (_, _, unit) = lowered_resources(&format!("P = '''{doubled}'''.format('x', 'y')\n"));
    assert_eq!(unit.loose.len(), 1);
    assert!(show_python(&unit.loose[0].value).contains(r#""Action": "s3:x""#));
    let (_, _, unit) = lowered_resources(&format!(
        "P = f'''{}'''\n",
        DOC.replace('{', "{{").replace('}', "}}").replace('*', "{a}")
    ));
    assert_eq!(unit.loose.len(), 1);
}

#[test]
fn changes_of_a_loose_document_count() {
    let (_, _, unit) = lowered_resources(
        r"def f():
    p = {'Version': '2012-10-17', 'Statement': []}
    p['Statement'].append({'Effect': 'Allow', 'Action': '*', 'Resource': '*'})
    return p
",
    );
    assert_eq!(unit.loose.len(), 1);
    assert!(show_python(&unit.loose[0].value).contains("Action: '*'"));
}

#[test]
fn statements_alone_and_of_the_cdk() {
    let (sources, _, unit) = lowered_resources(
        r"def s():
    return {'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}
",
    );
    assert_eq!(unit.loose.len(), 1);
    assert_eq!(unit.loose[0].value.get("Statement").unwrap().items().len(), 1);
    assert_eq!(
        sources.slice(unit.loose[0].value.span),
        "{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}"
    );
    let (sources, r, unit) = lowered_resources(
        r"from aws_cdk import aws_iam as iam
S = iam.PolicyStatement(effect=iam.Effect.ALLOW, actions=['s3:*'], resources=['*'], principals=[iam.AnyPrincipal(), iam.ServicePrincipal('ec2.amazonaws.com')])
iam.ManagedPolicy.from_aws_managed_policy_name('AdministratorAccess')
",
    );
    let s = &unit.loose[0].value.get("Statement").unwrap().items()[0];
    assert_eq!(
        show_python(s),
        "{Effect: 'Allow', Action: ['s3:*'], Resource: ['*'], Principal: {AWS: ['*'], Service: ['ec2.amazonaws.com']}}"
    );
    assert_eq!(sources.slice(s.entry("Action").unwrap().key_span), "actions");
    assert_eq!(
        show_python(r[0].get("PolicyArn").unwrap()),
        "'arn:aws:iam::aws:policy/AdministratorAccess'"
    );
}

#[test]
fn what_others_are_only_compared_with_is_no_policy() {
    let statement = "ADMIN = {'Effect': 'Allow', 'Action': '*', 'Resource': '*'}\n";
    let with = |more: &str| loose_of(&format!("{statement}{more}")).len();
    assert_eq!(
        with(
            r"def f(s):
    return s == ADMIN
"
        ),
        0
    );
    assert_eq!(
        with(
            r"def f(ss):
    if ADMIN in ss or ss[0] != ADMIN:
        return 1
"
        ),
        0
    );
    assert_eq!(
        with(
            r"def f(docs):
    docs.append({'Statement': [ADMIN]})
    return judge(docs)
"
        ),
        0
    );
    let document = r"DOC = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}
def f(d):
    return d == DOC
";
    assert_eq!(loose_of(document).len(), 0);
    // Nothing is said of its use, or it goes somewhere.
    assert_eq!(with(""), 1);
    assert_eq!(
        with(
            r"def f(s):
    put(ADMIN)
    return s == ADMIN
"
        ),
        1
    );
    assert_eq!(
        with(
            r"def f(s):
    return ADMIN
"
        ),
        1
    );
    assert_eq!(
        with(
            r"def f(docs):
    docs.append({'Version': '2012-10-17', 'Statement': [ADMIN]})
"
        ),
        1
    );
}

#[test]
fn dicts_of_other_shapes_are_left_alone() {
    assert!(
        loose_of(
            r"A = {'Statement': 'x'}
B = {'Effect': 'Allow'}
C = {'Statement': [{'sql': 1}]}
D = {'Effect': e, 'Action': 1}
"
        )
        .is_empty()
    );
}

// ---- files ----

#[test]
fn broken_syntax_is_one_problem_and_the_rest_is_read() {
    let code = format!(
        r"import boto3
def f(:
    pass
P = {DOC}
"
    );
    let (sources, units) = lower(&Python, &[("m.py", &code)]);
    assert_eq!(units[0].problems.len(), 1, "{:?}", units[0].problems);
    assert!(sources.positions(units[0].problems[0].span).0.line <= 3);
    assert_eq!(units[0].loose.len(), 1);
}

#[test]
fn an_unclosed_bracket_is_named() {
    let (sources, units) = lower(
        &Python,
        &[(
            "m.py",
            r"import boto3
x = foo(1,
y = 2
",
        )],
    );
    let p = &units[0].problems[0];
    assert_eq!(sources.positions(p.span).0.line, 2, "{p:?}");
}

#[test]
fn notebooks_are_read_by_cell() {
    let notebook = r##"{"cells": [
      {"cell_type": "markdown", "metadata": {}, "source": ["# {\"Statement\"}\n"]},
      {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["%matplotlib inline\n", "import boto3\n", "P = {\n", "  \"Version\": \"2012-10-17\",\n", "  \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"}]}\n"]},
      {"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = P"}
    ], "metadata": {}, "nbformat": 4}"##;
    let (sources, units) = lower(&Python, &[("n.ipynb", notebook)]);
    assert!(units[0].problems.is_empty(), "{:?}", units[0].problems);
    assert_eq!(units[0].loose.len(), 1);
    let action = units[0].loose[0].value.get("Statement").unwrap().items()[0]
        .get("Action")
        .unwrap();
    assert_eq!(sources.slice(action.as_text().unwrap().span_of(0..4).unwrap()), "s3:*");
}

#[test]
fn awkward_files_do_no_harm() {
    let deep = format!("X = {}{}", "[".repeat(20_000), "]".repeat(20_000));
    let chain = format!("X = {}'z'", "'a' + ".repeat(20_000));
    let dots = format!("X = a{}", ".b()".repeat(5_000));
    let list = format!("X = [{}]", "'s3:GetObject', ".repeat(100_000));
    let doubling: String = (1..60).map(|i| format!("a{i} = [a{}, a{}]\n", i - 1, i - 1)).collect();
    let doubling = format!(
        r"a0 = ['x']
{doubling}X = a59
"
    );
    let appends = format!(
        r"X = []
{}",
        "X.append('a')\n".repeat(5_000)
    );
    let ifs: String = (0..300).map(|i| format!("{}if a:\n", " ".repeat(i))).collect();
    for (name, code) in [
        ("deep", deep.as_str()),
        ("chain", &chain),
        ("dots", &dots),
        ("list", &list),
        ("doubling", &doubling),
        ("appends", &appends),
        ("ifs", &ifs),
        ("nul", "X = 'a\0b'\n"),
        ("bom", "\u{feff}X = 's3:*'\n"),
        ("crlf", "X = {\r\n 'a': 1}\r\n"),
        ("empty", ""),
        ("quotes", "X = '''"),
        ("prefix", "X = f'{"),
    ] {
        let (_, units) = lower(
            &Python,
            &[(
                "m.py",
                &format!(
                    r"import boto3
{code}"
                ),
            )],
        );
        assert_eq!(units.len(), 1, "{name}");
    }
}

#[test]
fn suppression_comments_ask_for_extents() {
    let (_, units) = lower(
        &Python,
        &[(
            "m.py",
            r"# overgrant: ignore[x] -- y
X = {'a': 1}
",
        )],
    );
    assert!(!units[0].extents.is_empty());
    let (_, units) = lower(&Python, &[("m.py", "X = {'a': 1}\n")]);
    assert!(units[0].extents.is_empty());
}
