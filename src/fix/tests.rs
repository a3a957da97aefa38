//! One change in every syntax that can carry it.

use super::write::Writer;
use crate::finding::{Remedy, RemedyStep};
use crate::source::{FileId, Sources, Span};

const PATHS: [&str; 6] = ["p.json", "t.yaml", "main.tf", "app.py", "app.ipynb", "x.env"];

/// `text` without the marks `«…»`, and what stands between them.
fn marked(path: &str, text: &str) -> (Sources, Span) {
    let start = text.find('«').expect("a mark");
    let end = text.find('»').expect("an end") - '«'.len_utf8();
    let text = text.replace(['«', '»'], "");
    assert!(PATHS.contains(&path), "{path}");
    (
        Sources::from_strings(&[(path, &text)]),
        Span::new(FileId(0), start, end),
    )
}

/// What `change` makes of the marked text; "" where it cannot be written.
fn changed(path: &str, text: &str, change: impl Fn(Span) -> RemedyStep) -> String {
    let (sources, span) = marked(path, text);
    let remedy = Remedy::safe("x").change(change(span));
    let Some(fix) = Writer::new(&sources).fix(&remedy) else {
        return String::new();
    };
    let mut out = sources.text(FileId(0)).to_string();
    for edit in fix.edits.iter().rev() {
        out.replace_range(edit.span.range(), &edit.text);
    }
    out
}

fn check(cases: &[(&str, &str, &str)], change: impl Fn(Span) -> RemedyStep) {
    for (path, before, after) in cases {
        assert_eq!(&changed(path, before, &change), after, "{path}:\n{before}");
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

#[test]
fn items_are_taken_out_with_their_comma_and_line() {
    let cases = [
        ("p.json", r#"["a", «"b"», "c"]"#, r#"["a", "c"]"#),
        ("p.json", r#"["a", "b",«"c"»]"#, r#"["a", "b"]"#),
        ("p.json", r#"[ «"a"», "b" ]"#, r#"[ "b" ]"#),
        (
            "p.json",
            "[\n  \"a\",\n  «\"b\"»,\n  \"c\"\n]",
            "[\n  \"a\",\n  \"c\"\n]",
        ),
        (
            "p.json",
            "[\n  \"a\",\n  \"b\",\n  «\"c\"»\n]",
            "[\n  \"a\",\n  \"b\"\n]",
        ),
        ("p.json", "[\r\n  \"a\",\r\n  «\"c\"»\r\n]", "[\r\n  \"a\"\r\n]"),
        (
            "p.json",
            "[\n  \"a\", // one\n  «\"b\"» // two\n]",
            "[\n  \"a\" // one\n]",
        ),
        ("p.json", "[\n  \"a\", «\"b\"»,\n  \"c\"\n]", "[\n  \"a\", \"c\"\n]"),
        ("p.json", r#"[«"a"»]"#, ""),
        ("t.yaml", "- a\n- «b» # why\n- c\n", "- a\n- c\n"),
        ("t.yaml", "k:\n  - a\n  - «'b'»", "k:\n  - a"),
        ("t.yaml", "\u{feff}- «a»\n- b\n", "\u{feff}- b\n"),
        ("t.yaml", "k: [a, «b», c]\n", "k: [a, c]\n"),
        ("t.yaml", "k: [a, b, «c»]\n", "k: [a, b]\n"),
        ("t.yaml", "k: [a,\n    «b»,\n  ]\n", "k: [a,\n  ]\n"),
        ("t.yaml", "- - «a»\n  - b\n", "- - b\n"),
        ("main.tf", "x = [\"a\", «\"b\"»]\n", "x = [\"a\"]\n"),
        (
            "main.tf",
            "x = [\n  \"a\", # one\n  «\"b\"», # two\n]\n",
            "x = [\n  \"a\", # one\n]\n",
        ),
        (
            "main.tf",
            "x = f({ A = [\"a\", «\"b\"», \"c\"] })\n",
            "x = f({ A = [\"a\", \"c\"] })\n",
        ),
        ("app.py", "x = ['a', «'b'»]\n", "x = ['a']\n"),
        (
            "app.py",
            "x = [\n    'a',\n    «'b'»,  # b\n]\n",
            "x = [\n    'a',\n]\n",
        ),
        ("app.py", "x = ('a', «'b'»)\n", ""),
        ("app.py", "x = ('a', 'b', «'c'»)\n", "x = ('a', 'b')\n"),
        // Inside strings.
        (
            "t.yaml",
            "p: |\n  [\n    \"a\",\n    «\"b\"»,\n    \"c\"\n  ]\nq: 1\n",
            "p: |\n  [\n    \"a\",\n    \"c\"\n  ]\nq: 1\n",
        ),
        ("t.yaml", "p: '[\"a\", «\"b\"»]'\n", "p: '[\"a\"]'\n"),
        (
            "t.yaml",
            "p: \"[\\\"a\\\", «\\\"b\\\"», \\\"c\\\"]\"\n",
            "p: \"[\\\"a\\\", \\\"c\\\"]\"\n",
        ),
        ("p.json", r#"{"p": "[\"a\", «\"b\"»]"}"#, r#"{"p": "[\"a\"]"}"#),
        (
            "main.tf",
            "x = <<EOF\n[\n  \"a\",\n  «\"b\"»\n]\nEOF\n",
            "x = <<EOF\n[\n  \"a\"\n]\nEOF\n",
        ),
        (
            "main.tf",
            "x = <<-EOF\n  [\n    \"${a}\",\n    «\"b\"»\n  ]\n  EOF\n",
            "x = <<-EOF\n  [\n    \"${a}\"\n  ]\n  EOF\n",
        ),
        ("app.py", "x = '''[\"a\", «\"b\"»]'''\n", "x = '''[\"a\"]'''\n"),
        ("app.py", "x = f'[\"{a}\", «\"b\"»]'\n", "x = f'[\"{a}\"]'\n"),
        ("app.py", "x = \"[\\\"a\\\", «\\\"b\\\"»]\"\n", "x = \"[\\\"a\\\"]\"\n"),
    ];
    check(&cases, |at| RemedyStep::Remove { at });
}

#[test]
fn entries_are_taken_out_by_their_key() {
    let cases = [
        ("p.json", r#"{«"a"»: "", "b": 1}"#, r#"{"b": 1}"#),
        ("p.json", "{\n  \"b\": 1,\n  «\"a\"»: \"\"\n}", "{\n  \"b\": 1\n}"),
        ("t.yaml", "- «a»: ''\n  b: 1\n", "- b: 1\n"),
        ("t.yaml", "- b: 1\n  «a»: ''\n", "- b: 1\n"),
        ("t.yaml", "k: {«a»: '', b: 1}\n", "k: {b: 1}\n"),
        ("main.tf", "s {\n  «a» = \"\"\n  b   = 1\n}\n", "s {\n  b   = 1\n}\n"),
        (
            "main.tf",
            "x = f({\n  «a» = \"\"\n  b = 1\n})\n",
            "x = f({\n  b = 1\n})\n",
        ),
        ("main.tf", "x = f({ «a» = \"\", b = 1 })\n", "x = f({ b = 1 })\n"),
        (
            "main.tf",
            "d {\n  «s {\n    a = 1\n  }»\n\n  s {\n    a = 2\n  }\n}\n",
            "d {\n\n  s {\n    a = 2\n  }\n}\n",
        ),
        ("app.py", "x = {'b': 1, «'a'»: ''}\n", "x = {'b': 1}\n"),
        ("app.py", "x = {**b, «'a'»: ''}\n", ""),
    ];
    check(&cases, |at| RemedyStep::Remove { at });
}

#[test]
fn strings_are_replaced_in_their_own_manner() {
    let cases = [
        ("p.json", r#"{"a": «"b"»}"#, r#"{"a": "s3:Get*"}"#),
        ("t.yaml", "a: «b»\n", "a: s3:Get*\n"),
        ("t.yaml", "a: «'b'»\n", "a: 's3:Get*'\n"),
        ("t.yaml", "a: !Sub «'b'»\n", "a: !Sub 's3:Get*'\n"),
        ("main.tf", "a = «\"b\"»\n", "a = \"s3:Get*\"\n"),
        ("main.tf", "a = f({ «b» = 1 })\n", "a = f({ \"s3:Get*\" = 1 })\n"),
        ("app.py", "a = «'b'»\n", "a = 's3:Get*'\n"),
        ("app.py", "a = «r\"b\"»\n", "a = \"s3:Get*\"\n"),
        (
            "app.py",
            "a = \"{\\\"a\\\": «\\\"b\\\"»}\"\n",
            "a = \"{\\\"a\\\": \\\"s3:Get*\\\"}\"\n",
        ),
        ("app.py", "a = r\"{\\\"a\\\": «\\\"b\\\"»}\"\n", ""),
        ("app.py", "a = '{\"aaa\": «\"b\"»}'\n", "a = '{\"aaa\": \"s3:Get*\"}'\n"),
        (
            "app.py",
            "a = f'{{\"aaa\": «\"b\"»}}'\n",
            "a = f'{{\"aaa\": \"s3:Get*\"}}'\n",
        ),
        ("app.py", "a = «b + 'c'»\n", ""),
        ("main.tf", "a = «var.b»\n", ""),
        ("app.ipynb", "{\"a\": «\"b\"»}", ""),
    ];
    check(&cases, |at| RemedyStep::Replace {
        at,
        with: words(&["s3:Get*"]),
    });
}

#[test]
fn one_string_becomes_several() {
    let cases = [
        ("p.json", r#"{"Action": «"*"»}"#, r#"{"Action": ["a:B", "c:D"]}"#),
        (
            "p.json",
            r#"{"Action": ["x", «"*"»]}"#,
            r#"{"Action": ["x", "a:B", "c:D"]}"#,
        ),
        (
            "p.json",
            "[\n  «\"*\"»,\n  \"x\"\n]",
            "[\n  \"a:B\",\n  \"c:D\",\n  \"x\"\n]",
        ),
        ("t.yaml", "Action: «\"*\"»\n", "Action: [\"a:B\", \"c:D\"]\n"),
        ("t.yaml", "Action: «x:*»\n", "Action: [a:B, c:D]\n"),
        ("t.yaml", "Action:\n- «x:*» # all\n", "Action:\n- a:B\n- c:D # all\n"),
        ("main.tf", "actions = [«\"*\"»]\n", "actions = [\"a:B\", \"c:D\"]\n"),
        (
            "main.tf",
            "x = f({ Action = «\"*\"» })\n",
            "x = f({ Action = [\"a:B\", \"c:D\"] })\n",
        ),
        ("app.py", "x = {'Action': «'*'»}\n", "x = {'Action': ['a:B', 'c:D']}\n"),
        ("app.py", "x = f(«'*'»)\n", ""),
        (
            "t.yaml",
            "p: |\n  {\n    \"Action\": [\n      «\"*\"»\n    ]\n  }\n",
            "p: |\n  {\n    \"Action\": [\n      \"a:B\",\n      \"c:D\"\n    ]\n  }\n",
        ),
        (
            "main.tf",
            "x = \"{\\\"Action\\\": «\\\"*\\\"»}\"\n",
            "x = \"{\\\"Action\\\": [\\\"a:B\\\", \\\"c:D\\\"]}\"\n",
        ),
        ("p.json", r#"{«"Action"»: "*"}"#, ""),
    ];
    check(&cases, |at| RemedyStep::Replace {
        at,
        with: words(&["a:B", "c:D"]),
    });
    let many = [
        (
            "p.json",
            "{\n  \"Action\": «\"*\"»\n}",
            "{\n  \"Action\": [\n    \"a:A\",\n    \"a:B\",\n    \"a:C\",\n    \"a:D\"\n  ]\n}",
        ),
        (
            "t.yaml",
            "- Effect: Allow\n  Action: «x:*»\n  Resource: 1\n",
            "- Effect: Allow\n  Action:\n    - a:A\n    - a:B\n    - a:C\n    - a:D\n  Resource: 1\n",
        ),
        (
            "t.yaml",
            "- Action: «x:*»\n",
            "- Action:\n    - a:A\n    - a:B\n    - a:C\n    - a:D\n",
        ),
    ];
    check(&many, |at| RemedyStep::Replace {
        at,
        with: words(&["a:A", "a:B", "a:C", "a:D"]),
    });
}

#[test]
fn strings_are_added_behind_a_string() {
    let cases = [
        ("p.json", r#"[«"a"», "c"]"#, r#"["a", "b", "c"]"#),
        ("p.json", r#"{"A": «"a"»}"#, r#"{"A": ["a", "b"]}"#),
        ("p.json", "[\n  «\"a\"»\n]", "[\n  \"a\",\n  \"b\"\n]"),
        (
            "p.json",
            "[\n  «\"a\"», // a\n  \"c\"\n]",
            "[\n  \"a\", // a\n  \"b\",\n  \"c\"\n]",
        ),
        ("p.json", "[\n  «\"a\"» // a\n]", "[\n  \"a\", // a\n  \"b\"\n]"),
        ("p.json", "[\r\n  «\"a\"»\r\n]", "[\r\n  \"a\",\r\n  \"b\"\r\n]"),
        ("t.yaml", "A:\n  - «a» # a\nB: 1\n", "A:\n  - a # a\n  - b\nB: 1\n"),
        ("t.yaml", "A: «a»\n", "A: [a, b]\n"),
        ("main.tf", "a = [\n  «\"a\"»,\n]\n", "a = [\n  \"a\",\n  \"b\",\n]\n"),
        (
            "app.py",
            "a = [\n    «'a'»,  # a\n]\n",
            "a = [\n    'a',  # a\n    'b',\n]\n",
        ),
        (
            "main.tf",
            "x = <<-EOF\n  [\n    «\"a\"»\n  ]\n  EOF\n",
            "x = <<-EOF\n  [\n    \"a\",\n    \"b\"\n  ]\n  EOF\n",
        ),
        (
            "main.tf",
            "x = \"[\\n  «\\\"a\\\"»\\n]\"\n",
            "x = \"[\\n  \\\"a\\\",\\n  \\\"b\\\"\\n]\"\n",
        ),
    ];
    check(&cases, |behind| RemedyStep::Add {
        behind,
        items: words(&["b"]),
    });
}

#[test]
fn entries_are_put_beside_a_key() {
    let version = |before| {
        move |beside| RemedyStep::Enter {
            beside,
            before,
            key: "Version".to_owned(),
            value: "2012-10-17".into(),
        }
    };
    let before = [
        ("p.json", r#"{«"S"»: []}"#, r#"{"Version": "2012-10-17", "S": []}"#),
        (
            "p.json",
            "{\n  «\"S\"»: []\n}",
            "{\n  \"Version\": \"2012-10-17\",\n  \"S\": []\n}",
        ),
        (
            "t.yaml",
            "D:\n  «S»:\n    - a\n",
            "D:\n  Version: \"2012-10-17\"\n  S:\n    - a\n",
        ),
        (
            "t.yaml",
            "- «S»: a\n  T: b\n",
            "- Version: \"2012-10-17\"\n  S: a\n  T: b\n",
        ),
        ("t.yaml", "D: {«S»: [a]}\n", "D: {Version: \"2012-10-17\", S: [a]}\n"),
        (
            "main.tf",
            "x = f({\n  «S» = []\n})\n",
            "x = f({\n  Version = \"2012-10-17\"\n  S = []\n})\n",
        ),
        (
            "main.tf",
            "x = f({\n  «Statement» = []\n})\n",
            "x = f({\n  Version   = \"2012-10-17\"\n  Statement = []\n})\n",
        ),
        (
            "main.tf",
            "x = f({ «S» : [], T : 1 })\n",
            "x = f({ Version = \"2012-10-17\", S : [], T : 1 })\n",
        ),
        (
            "app.py",
            "x = {\n    'Id': 1,\n    «'S'»: [],\n}\n",
            "x = {\n    'Id': 1,\n    'Version': '2012-10-17',\n    'S': [],\n}\n",
        ),
        (
            "t.yaml",
            "p: |\n  {\n    «\"S\"»: []\n  }\n",
            "p: |\n  {\n    \"Version\": \"2012-10-17\",\n    \"S\": []\n  }\n",
        ),
    ];
    check(&before, version(true));
    let behind = [
        ("p.json", r#"{«"S"»: []}"#, r#"{"S": [], "Version": "2012-10-17"}"#),
        (
            "p.json",
            "{\n  «\"S\"»: {\n    \"a\": 1\n  }\n}",
            "{\n  \"S\": {\n    \"a\": 1\n  },\n  \"Version\": \"2012-10-17\"\n}",
        ),
        ("t.yaml", "- «S»: [a]\n", "- S: [a]\n  Version: \"2012-10-17\"\n"),
        (
            "t.yaml",
            "D:\n  «S»:\n    - a\nE: 1\n",
            "D:\n  S:\n    - a\n  Version: \"2012-10-17\"\nE: 1\n",
        ),
    ];
    check(&behind, version(false));
    let condition = |beside| RemedyStep::Enter {
        beside,
        before: false,
        key: "Condition".to_owned(),
        value: serde_json::json!({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}),
    };
    let nested = [
        (
            "t.yaml",
            "- «Resource»: '*'\n",
            "- Resource: '*'\n  Condition:\n    StringEquals:\n      iam:PassedToService: 'ec2.amazonaws.com'\n",
        ),
        (
            "main.tf",
            "x = f([{ «Resource» = \"*\" }])\n",
            "x = f([{ Resource = \"*\", Condition = { StringEquals = { \"iam:PassedToService\" = \"ec2.amazonaws.com\" } } }])\n",
        ),
    ];
    check(&nested, condition);
}

#[test]
fn comments_go_with_their_line() {
    let cases = [
        ("t.yaml", "a: 1\n  «# x»\nb: 2\n", "a: 1\nb: 2\n"),
        ("t.yaml", "a: 1  «# x»\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n"),
        ("main.tf", "a = 1 «/* x» */\n", "a = 1\n"),
        ("main.tf", "a = f(«/* x» */ 1)\n", "a = f( 1)\n"),
        ("x.env", "«# x»", ""),
    ];
    check(&cases, |at| RemedyStep::Comment { at });
}

#[test]
fn words_are_replaced_where_they_are_what_was_thought() {
    let with = |at| RemedyStep::Word {
        at,
        was: "S3".to_owned(),
        with: "s3".to_owned(),
    };
    check(
        &[
            (
                "main.tf",
                "a = \"arn:aws:«S3»:::${b}\"\n",
                "a = \"arn:aws:s3:::${b}\"\n",
            ),
            ("main.tf", "a = \"arn:aws:«s4»:::${b}\"\n", ""),
        ],
        with,
    );
}
