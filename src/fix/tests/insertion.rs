//! What fixes put beside a token.

use super::*;

#[test]
fn strings_are_added_behind_a_string() {
    let cases = [
        ("p.json", r#"[«"a"», "c"]"#, r#"["a", "b", "c"]"#),
        ("p.json", r#"{"A": «"a"»}"#, r#"{"A": ["a", "b"]}"#),
        (
            "p.json",
            r#"[
  «"a"»
]"#,
            r#"[
  "a",
  "b"
]"#,
        ),
        (
            "p.json",
            r#"[
  «"a"», // a
  "c"
]"#,
            r#"[
  "a", // a
  "b",
  "c"
]"#,
        ),
        (
            "p.json",
            r#"[
  «"a"» // a
]"#,
            r#"[
  "a", // a
  "b"
]"#,
        ),
        ("p.json", "[\r\n  «\"a\"»\r\n]", "[\r\n  \"a\",\r\n  \"b\"\r\n]"),
        (
            "t.yaml",
            r"A:
  - «a» # a
B: 1
",
            r"A:
  - a # a
  - b
B: 1
",
        ),
        ("t.yaml", "A: «a»\n", "A: [a, b]\n"),
        (
            "main.tf",
            r#"a = [
  «"a"»,
]
"#,
            r#"a = [
  "a",
  "b",
]
"#,
        ),
        (
            "app.py",
            r"a = [
    «'a'»,  # a
]
",
            r"a = [
    'a',  # a
    'b',
]
",
        ),
        (
            "main.tf",
            r#"x = <<-EOF
  [
    «"a"»
  ]
  EOF
"#,
            r#"x = <<-EOF
  [
    "a",
    "b"
  ]
  EOF
"#,
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
            r#"{
  «"S"»: []
}"#,
            r#"{
  "Version": "2012-10-17",
  "S": []
}"#,
        ),
        (
            "t.yaml",
            "D:\n  «S»:\n    - a\n",
            r#"D:
  Version: "2012-10-17"
  S:
    - a
"#,
        ),
        (
            "t.yaml",
            "- «S»: a\n  T: b\n",
            r#"- Version: "2012-10-17"
  S: a
  T: b
"#,
        ),
        ("t.yaml", "D: {«S»: [a]}\n", "D: {Version: \"2012-10-17\", S: [a]}\n"),
        (
            "main.tf",
            r"x = f({
  «S» = []
})
",
            r#"x = f({
  Version = "2012-10-17"
  S = []
})
"#,
        ),
        (
            "main.tf",
            r"x = f({
  «Statement» = []
})
",
            r#"x = f({
  Version   = "2012-10-17"
  Statement = []
})
"#,
        ),
        (
            "main.tf",
            "x = f({ «S» : [], T : 1 })\n",
            "x = f({ Version = \"2012-10-17\", S : [], T : 1 })\n",
        ),
        (
            "app.py",
            r"x = {
    'Id': 1,
    «'S'»: [],
}
",
            r"x = {
    'Id': 1,
    'Version': '2012-10-17',
    'S': [],
}
",
        ),
        (
            "t.yaml",
            r#"p: |
  {
    «"S"»: []
  }
"#,
            r#"p: |
  {
    "Version": "2012-10-17",
    "S": []
  }
"#,
        ),
    ];
    check(&before, version(true));
    let behind = [
        ("p.json", r#"{«"S"»: []}"#, r#"{"S": [], "Version": "2012-10-17"}"#),
        (
            "p.json",
            r#"{
  «"S"»: {
    "a": 1
  }
}"#,
            r#"{
  "S": {
    "a": 1
  },
  "Version": "2012-10-17"
}"#,
        ),
        (
            "t.yaml",
            "- «S»: [a]\n",
            r#"- S: [a]
  Version: "2012-10-17"
"#,
        ),
        (
            "t.yaml",
            r"D:
  «S»:
    - a
E: 1
",
            r#"D:
  S:
    - a
  Version: "2012-10-17"
E: 1
"#,
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
            r"- Resource: '*'
  Condition:
    StringEquals:
      iam:PassedToService: 'ec2.amazonaws.com'
",
        ),
        (
            "main.tf",
            "x = f([{ «Resource» = \"*\" }])\n",
            "x = f([{ Resource = \"*\", Condition = { StringEquals = { \"iam:PassedToService\" = \"ec2.amazonaws.com\" } } }])\n",
        ),
    ];
    check(&nested, condition);
}
