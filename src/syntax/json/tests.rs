use super::*;
use crate::source::{Hole, HoleKind};

const F: FileId = FileId(0);

fn show(tree: &Tree, id: NodeId) -> String {
    match tree.kind(id) {
        NodeKind::Map => {
            let inner: Vec<_> = tree
                .entries(id)
                .map(|(k, v)| format!("{}={}", show(tree, k), show(tree, v)))
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        NodeKind::Seq => {
            let inner: Vec<_> = tree.children(id).map(|c| show(tree, c)).collect();
            format!("[{}]", inner.join(","))
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
fn broken_json_is_read_on() {
    let cases = [
        (r#"{"a": [1, 2], "a": "x\n"}"#, "{a=[1,2],a=x\n}", vec![]),
        (
            r#"{"a": [1, 2,], }"#,
            "{a=[1,2]}",
            vec![",: trailing `,`", ",: trailing `,`"],
        ),
        (
            r#"{"a": 1 "b": 2}"#,
            "{a=1,b=2}",
            vec![r#""b": missing `,` before this"#],
        ),
        (
            r#"{"a" 1, "b": }"#,
            "{a=1,b=?,${unread}=${unread}}",
            vec!["1: missing `:` before this", "}: missing value before this"],
        ),
        (
            r#"{"a": [1, {"b": 2}"#,
            "{a=[1,{b=2},${unread}],${unread}=${unread}}",
            vec!["[: unclosed `[`"],
        ),
        (
            r#"{"a": [1, 2}"#,
            "{a=[1,2,${unread}],${unread}=${unread}}",
            vec!["[: unclosed `[`"],
        ),
        (
            r#"{"a": ["x", "b": 2}"#,
            "{a=[x,${unread}],b=2,${unread}=${unread}}",
            vec!["[: unclosed `[`"],
        ),
        (
            r#"{"a": [{"b": {"c": 1}, {"d": 2}], "e": 3}"#,
            "{a=[{b={c=1},${unread}=${unread}},{d=2},${unread}],e=3,${unread}=${unread}}",
            vec!["{: unclosed `{`"],
        ),
        (
            r#"{"a": "s3:G"#,
            "{a=s3:G${unread},${unread}=${unread}}",
            vec!["{: unclosed `{`", r#"": unclosed string"#],
        ),
        (
            r#"{"a": [1]], "b": 2}"#,
            "{a=[1],b=2,${unread}=${unread}}",
            vec!["]: `]` without `[`"],
        ),
        (
            r#"{"a": "x,
  "b": 2}"#,
            "{a=x,b=2,${unread}=${unread}}",
            vec![r#"": unclosed string"#],
        ),
        (
            r#"{"a": "x
  y", "b": 2}"#,
            "{a=x\n  y,b=2}",
            vec!["\n: line break in a string"],
        ),
        (
            "// hi\n{'a': b, c: True}",
            "{a=?,c=True}",
            vec![
                "// hi: JSON with comments, which AWS rejects",
                "'a': key in single quotes",
                "b: value without quotes",
                "c: key without quotes",
                "True: `True` is not JSON; write `true`",
            ],
        ),
        (
            r#"{"a": 1}
{"b": 2}"#,
            "{a=1} {b=2}",
            vec!["{: text after the end of the JSON value"],
        ),
        (
            r#"{"a": ${jsonencode({x = 1})}, "b": {{ .v }}}"#,
            "{a=${jsonencode({x = 1})},b=${.v}}",
            vec![
                "${jsonencode({x = 1})}: template expression is not evaluated",
                "{{ .v }}: template expression is not evaluated",
            ],
        ),
    ];
    for (src, tree, problems) in cases {
        assert_eq!(
            read(src),
            (tree.to_owned(), problems.into_iter().map(str::to_owned).collect()),
            "{src}"
        );
    }
}

#[test]
fn escapes_map_to_their_source() {
    let src = r#"["a\u0041\ud83d\ude00z"]"#;
    let tree = parse(F, src);
    let string = tree.children(tree.roots[0]).next().expect("one item");
    let text = tree.text(string).expect("a string");
    assert_eq!(text.known().as_deref(), Some("aA😀z"));
    let slice = |range| &src[text.span_of(range).expect("a place").range()];
    assert_eq!(slice(1..2), r"\u0041");
    assert_eq!(slice(2..6), r"\ud83d\ude00");
    assert_eq!(slice(6..7), "z");
}

#[test]
fn embedded_json_keeps_holes_and_places() {
    let mut text = Text::verbatim(r#"{"a": ["#, F, 10);
    let hole = |name, at| Text::hole(Hole::new(HoleKind::Other, name, Span::new(F, at, at + 4)));
    text.append(&hole("x", 17));
    text.append(&Text::verbatim(r#", "p/"#, F, 21));
    text.append(&hole("y", 26));
    text.append(&Text::verbatim(r#"/\n"], 1: 2}"#, F, 30));
    let tree = parse_text(&text, Span::new(F, 9, 99));
    assert_eq!(show(&tree, tree.roots[0]), "{a=[${x},p/${y}/\n],1=2}");
    let list = tree.get(tree.roots[0], "a").expect("an entry");
    assert_eq!(tree.span(list), Span::new(F, 16, 35));
    let items: Vec<_> = tree.children(list).collect();
    assert_eq!(tree.span(items[0]), Span::new(F, 17, 21));
    assert_eq!(tree.span(items[1]), Span::new(F, 23, 34));
    assert_eq!(tree.problems[0].span, Span::new(F, 37, 38));
    assert_eq!(tree.span(tree.roots[0]), Span::new(F, 10, 42));
}

#[test]
fn depth_is_bounded() {
    for open in ["[", r#"{"a":"#] {
        let tree = parse(F, &open.repeat(10_000));
        assert!(tree.node_count() < 5 * MAX_DEPTH);
        assert!(tree.problems.iter().any(|p| p.message.contains("nested deeper")));
    }
}
