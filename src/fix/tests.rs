//! One change in every syntax that can carry it.

mod insertion;

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
            r#"[
  "a",
  «"b"»,
  "c"
]"#,
            r#"[
  "a",
  "c"
]"#,
        ),
        (
            "p.json",
            r#"[
  "a",
  "b",
  «"c"»
]"#,
            r#"[
  "a",
  "b"
]"#,
        ),
        ("p.json", "[\r\n  \"a\",\r\n  «\"c\"»\r\n]", "[\r\n  \"a\"\r\n]"),
        (
            "p.json",
            r#"[
  "a", // one
  «"b"» // two
]"#,
            r#"[
  "a" // one
]"#,
        ),
        (
            "p.json",
            r#"[
  "a", «"b"»,
  "c"
]"#,
            r#"[
  "a", "c"
]"#,
        ),
        ("p.json", r#"[«"a"»]"#, ""),
        (
            "t.yaml",
            r"- a
- «b» # why
- c
",
            "- a\n- c\n",
        ),
        ("t.yaml", "k:\n  - a\n  - «'b'»", "k:\n  - a"),
        ("t.yaml", "\u{feff}- «a»\n- b\n", "\u{feff}- b\n"),
        ("t.yaml", "k: [a, «b», c]\n", "k: [a, c]\n"),
        ("t.yaml", "k: [a, b, «c»]\n", "k: [a, b]\n"),
        (
            "t.yaml",
            r"k: [a,
    «b»,
  ]
",
            "k: [a,\n  ]\n",
        ),
        ("t.yaml", "- - «a»\n  - b\n", "- - b\n"),
        ("main.tf", "x = [\"a\", «\"b\"»]\n", "x = [\"a\"]\n"),
        (
            "main.tf",
            r#"x = [
  "a", # one
  «"b"», # two
]
"#,
            r#"x = [
  "a", # one
]
"#,
        ),
        (
            "main.tf",
            "x = f({ A = [\"a\", «\"b\"», \"c\"] })\n",
            "x = f({ A = [\"a\", \"c\"] })\n",
        ),
        ("app.py", "x = ['a', «'b'»]\n", "x = ['a']\n"),
        (
            "app.py",
            r"x = [
    'a',
    «'b'»,  # b
]
",
            "x = [\n    'a',\n]\n",
        ),
        ("app.py", "x = ('a', «'b'»)\n", ""),
        ("app.py", "x = ('a', 'b', «'c'»)\n", "x = ('a', 'b')\n"),
        // Inside strings.
        (
            "t.yaml",
            r#"p: |
  [
    "a",
    «"b"»,
    "c"
  ]
q: 1
"#,
            r#"p: |
  [
    "a",
    "c"
  ]
q: 1
"#,
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
            r#"x = <<EOF
[
  "a",
  «"b"»
]
EOF
"#,
            r#"x = <<EOF
[
  "a"
]
EOF
"#,
        ),
        (
            "main.tf",
            r#"x = <<-EOF
  [
    "${a}",
    «"b"»
  ]
  EOF
"#,
            r#"x = <<-EOF
  [
    "${a}"
  ]
  EOF
"#,
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
        (
            "p.json",
            r#"{
  "b": 1,
  «"a"»: ""
}"#,
            r#"{
  "b": 1
}"#,
        ),
        ("t.yaml", "- «a»: ''\n  b: 1\n", "- b: 1\n"),
        ("t.yaml", "- b: 1\n  «a»: ''\n", "- b: 1\n"),
        ("t.yaml", "k: {«a»: '', b: 1}\n", "k: {b: 1}\n"),
        (
            "main.tf",
            r#"s {
  «a» = ""
  b   = 1
}
"#,
            "s {\n  b   = 1\n}\n",
        ),
        (
            "main.tf",
            r#"x = f({
  «a» = ""
  b = 1
})
"#,
            "x = f({\n  b = 1\n})\n",
        ),
        ("main.tf", "x = f({ «a» = \"\", b = 1 })\n", "x = f({ b = 1 })\n"),
        (
            "main.tf",
            r"d {
  «s {
    a = 1
  }»

  s {
    a = 2
  }
}
",
            r"d {

  s {
    a = 2
  }
}
",
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
        ("app.ipynb", r#"{"a": «"b"»}"#, ""),
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
            r#"[
  «"*"»,
  "x"
]"#,
            r#"[
  "a:B",
  "c:D",
  "x"
]"#,
        ),
        ("t.yaml", "Action: «\"*\"»\n", "Action: [\"a:B\", \"c:D\"]\n"),
        ("t.yaml", "Action: «x:*»\n", "Action: [a:B, c:D]\n"),
        (
            "t.yaml",
            "Action:\n- «x:*» # all\n",
            r"Action:
- a:B
- c:D # all
",
        ),
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
            r#"p: |
  {
    "Action": [
      «"*"»
    ]
  }
"#,
            r#"p: |
  {
    "Action": [
      "a:B",
      "c:D"
    ]
  }
"#,
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
            r#"{
  "Action": «"*"»
}"#,
            r#"{
  "Action": [
    "a:A",
    "a:B",
    "a:C",
    "a:D"
  ]
}"#,
        ),
        (
            "t.yaml",
            r"- Effect: Allow
  Action: «x:*»
  Resource: 1
",
            r"- Effect: Allow
  Action:
    - a:A
    - a:B
    - a:C
    - a:D
  Resource: 1
",
        ),
        (
            "t.yaml",
            "- Action: «x:*»\n",
            r"- Action:
    - a:A
    - a:B
    - a:C
    - a:D
",
        ),
    ];
    check(&many, |at| RemedyStep::Replace {
        at,
        with: words(&["a:A", "a:B", "a:C", "a:D"]),
    });
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
