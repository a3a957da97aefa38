use super::*;

const F: FileId = FileId(0);

fn show(tree: &Tree, id: NodeId) -> String {
    match tree.kind(id) {
        NodeKind::Map => {
            let entries = tree.merged(id).into_iter();
            let inner: Vec<_> = entries
                .map(|(k, v)| format!("{}={}", show(tree, k), show(tree, v)))
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        NodeKind::Seq => {
            let inner: Vec<_> = tree.children(id).map(|c| show(tree, c)).collect();
            format!("[{}]", inner.join(","))
        }
        NodeKind::Call => {
            let inner: Vec<_> = tree.children(id).map(|c| show(tree, c)).collect();
            format!("{}({})", tree.name(id), inner.join(","))
        }
        NodeKind::Unknown => "?".to_owned(),
        _ => tree.text(id).map(Text::display).unwrap_or_default(),
    }
}

fn read(src: &str) -> (String, Vec<String>) {
    let tree = parse(F, src);
    let roots: Vec<_> = tree.roots.iter().map(|r| show(&tree, *r)).collect();
    let problems = tree
        .problems
        .iter()
        .map(|p| format!("{}: {}", &src[p.span.range()], p.message))
        .collect();
    (roots.join(" "), problems)
}

#[test]
fn structures_tags_aliases_and_merges() {
    let cases = [
        (
            r"a: !Sub x
b: !GetAtt [r, Arn]
c: !If
  - x
  - !Ref y
",
            "{a=Sub(x),b=GetAtt([r,Arn]),c=If([x,Ref(y)])}",
        ),
        (
            r"a: &x {p: 1, q: 2}
b: *x
c:
  <<: *x
  q: 3
",
            "{a={p=1,q=2},b={p=1,q=2},c={q=3,p=1}}",
        ),
        ("a: &x !Ref y\nb: [*x, *x]\n", "{a=Ref(y),b=[Ref(y),Ref(y)]}"),
        (
            r"---
a: 1
---
b:
...
---
- 2
",
            "{a=1} {b=} [2]",
        ),
        (
            r#"p: !Sub '{
  "a": "it''s"
}'
q: 2
"#,
            r#"{p=Sub({ "a": "it's" }),q=2}"#,
        ),
    ];
    for (src, tree) in cases {
        assert_eq!(read(src), (tree.to_owned(), vec![]), "{src}");
    }
}

#[test]
fn broken_input_is_read_in_part() {
    let cases = [
        (
            r#"a: 1
b: "x
c: 3
"#,
            "{a=1,b=?,c=3}",
            vec![r#"": unclosed quote"#],
        ),
        (
            "a: 1\nb: [1, 2\n",
            "{a=1,b=[1,${unread}],${unread}=${unread}}",
            vec!["[1, 2: unclosed `[`"],
        ),
        (
            "a: 1\nb: c: d\ne: 3\n",
            "{a=1,e=3,${unread}=${unread}}",
            vec![": d: mapping values are not allowed in this context"],
        ),
        ("a: 1\nb: [1, 2\nc: 3\n", "{a=1,b=?,c=3}", vec!["[: unclosed `[`"]),
        ("a: *gone\n", "{a=?}", vec!["*gone: alias of an unknown anchor `gone`"]),
        (
            "a: &x [1, *x]\n",
            "{a=[1,?]}",
            vec!["*x: alias of a node that contains it"],
        ),
        (
            r#"{{ if .v }}
a: {{ .b }}:x
c: ["p{{ d }}"]
{{ end }}
"#,
            "{a=${.b}:x,c=[p${d}]}",
            vec!["{{ if .v }}: template expressions are not evaluated"],
        ),
    ];
    for (src, tree, problems) in cases {
        let problems: Vec<_> = problems.into_iter().map(str::to_owned).collect();
        assert_eq!(read(src), (tree.to_owned(), problems), "{src}");
    }
}

#[test]
fn alias_bombs_are_defused() {
    let mut src = "a0: &a0 [x, x]\n".to_owned();
    for i in 1..60 {
        src += &format!("a{i}: &a{i} [*a{p}, *a{p}]\n", p = i - 1);
    }
    assert!(read(&src).0.len() < 10_000_000);
    let mut src = "a0: &a0 [x]\n".to_owned();
    for i in 1..2000 {
        src += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    assert!(parse(F, &src).problems.iter().any(|p| p.kind == ProblemKind::Exhausted));
}

/// Every character of a scalar maps to a place that holds it, or to what stands for it.
#[test]
fn scalars_map_to_their_source() {
    let styles = [
        "k: |\n\n  foo\n    bar\n   \n\n  z é\n\n# c\n",
        r"k: >-
  foo
  bar

    more
  z
",
        r"k: |2+
    foo
  bar

",
        "k: |\r\n  foo\r\n  bar\r\n",
        "k: >\n  foo\n  bar",
        r#"k: "a\n\x41 b
  c\
  d

  e\u00e9f"
"#,
        "k: 'it''s\n  so'\n",
        "k: a b\n  c\n\n  d # e\n",
    ];
    for src in styles {
        let tree = parse(F, src);
        assert_eq!(tree.problems, [], "{src:?}");
        let node = tree.get(tree.roots[0], "k").expect("the entry");
        let text = tree.text(node).expect("a scalar");
        let value = text.known().expect("known");
        for (i, c) in value.char_indices() {
            let span = text.span_of(i..i + c.len_utf8()).expect("a place");
            let slice = &src[span.range()];
            let exact = slice == c.encode_utf8(&mut [0; 4]);
            let stands_for = slice.starts_with('\\') || slice == "''" || slice.trim().is_empty();
            assert!(exact || stands_for, "{src:?}: {c:?} at {slice:?}");
            assert!(slice.len() < value.len(), "{src:?}: {c:?} has no place of its own");
        }
    }
}
