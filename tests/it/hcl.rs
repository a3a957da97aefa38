//! The HCL parser: same structure as `hcl-edit` wherever that accepts the file, and no harm done by any bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Body as OracleBody, Structure};
use hcl_edit::template::{Directive, Element, Template};
use overgrant::internals::source::{FileId, Span};
use overgrant::internals::syntax::hcl::{self, Body, ForParts, HclFile};
use overgrant::internals::syntax::{NodeId, NodeKind, NodeStyle, Tree};

const F: FileId = FileId(0);

/// Every HCL file of our own test data, and of the folder that `OVERGRANT_CORPUS` names.
fn hcl_files() -> Vec<PathBuf> {
    let mut roots = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata"))];
    roots.extend(std::env::var_os("OVERGRANT_CORPUS").map(PathBuf::from));
    let mut found: Vec<PathBuf> = roots
        .iter()
        .flat_map(walkdir::WalkDir::new)
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|p| is_hcl(p) && p.is_file())
        .collect();
    found.sort();
    found
}

fn is_hcl(path: &Path) -> bool {
    matches!(
        path.extension().and_then(|e| e.to_str()),
        Some("tf" | "tofu" | "tfvars" | "hcl")
    )
}

#[test]
fn structure_equals_the_oracle() {
    let (mut compared, mut refused) = (0, Vec::new());
    for path in hcl_files() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let ours = hcl::parse(F, &text);
        let Ok(theirs) = hcl_edit::parser::parse_body(&text) else {
            refused.extend(ours.tree.problems.iter().map(|p| (path.clone(), p.message.clone())));
            continue;
        };
        assert_eq!(ours.tree.problems, [], "{}", path.display());
        let (mut a, mut b) = (String::new(), String::new());
        our_body(&ours, &ours.body, &mut a);
        oracle_body(&theirs, &mut b);
        assert_eq!(a, b, "{}", path.display());
        compared += 1;
    }
    assert!(compared > 0);
    for (path, message) in refused {
        // Shown with `--nocapture`; files that the oracle refuses are allowed to be broken.
        let _ = writeln!(std::io::stderr().lock(), "{}: {message}", path.display());
    }
}

use std::io::Write as _;

fn our_body(hcl: &HclFile, body: &Body, out: &mut String) {
    // Attributes and blocks are in two lists here and in one there: attributes first.
    for a in &body.attributes {
        let _ = write!(out, "{}={};", a.name, our_expr(&hcl.tree, a.value, ""));
    }
    for b in &body.blocks {
        let labels: Vec<&str> = b.labels.iter().map(|l| &*l.text).collect();
        let _ = write!(out, "{} {labels:?}{{", b.kind);
        our_body(hcl, &b.body, out);
        out.push('}');
    }
}

fn oracle_body(body: &OracleBody, out: &mut String) {
    for s in body {
        if let Structure::Attribute(a) = s {
            let _ = write!(out, "{}={};", a.key.as_str(), oracle_expr(&a.value));
        }
    }
    for s in body {
        if let Structure::Block(b) = s {
            let labels: Vec<&str> = b.labels.iter().map(|l| l.as_str()).collect();
            let _ = write!(out, "{} {labels:?}{{", b.ident.as_str());
            oracle_body(&b.body, out);
            out.push('}');
        }
    }
}

fn our_expr(tree: &Tree, id: NodeId, star: &str) -> String {
    let children: Vec<NodeId> = tree.children(id).collect();
    let sub = |n: NodeId| our_expr(tree, n, star);
    let list = |ids: &[NodeId]| {
        ids.iter()
            .map(|n| our_expr(tree, *n, star))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let text = || tree.text(id).map(|t| t.display()).unwrap_or_default();
    match tree.kind(id) {
        NodeKind::Null | NodeKind::Bool => text(),
        NodeKind::Num => number_text(text().parse().unwrap()),
        NodeKind::Str if tree.node(id).style == NodeStyle::Heredoc => "(heredoc)".to_owned(),
        NodeKind::Str => format!("{:?}", text()),
        NodeKind::Seq => format!("[{}]", list(&children)),
        NodeKind::Map => format!("{{{}}}", list(&children)),
        NodeKind::Call => format!("{}({})", tree.name(id), list(&children)),
        NodeKind::Unknown => "?".to_owned(),
        NodeKind::Ident if tree.name(id) == "*" => star.to_owned(),
        NodeKind::Ident => tree.name(id).to_owned(),
        NodeKind::Attr => format!("{}.{}", sub(children[0]), tree.name(id)),
        NodeKind::Index => format!("{}[{}]", sub(children[0]), sub(children[1])),
        NodeKind::Splat => our_expr(tree, children[1], &format!("{}[*]", sub(children[0]))),
        NodeKind::Unary if tree.name(id) == "..." => format!("{}...", sub(children[0])),
        NodeKind::Unary => format!("({}{})", tree.name(id), sub(children[0])),
        NodeKind::Binary => format!("({} {} {})", sub(children[0]), tree.name(id), sub(children[1])),
        NodeKind::Cond => format!("({} ? {} : {})", sub(children[0]), sub(children[1]), sub(children[2])),
        NodeKind::Paren => format!("<{}>", sub(children[0])),
        NodeKind::For => {
            let f = ForParts::of(tree, id).unwrap();
            format!(
                "for({} {} in {} : {} {} {} {})",
                f.key.map(sub).unwrap_or_default(),
                sub(f.value),
                sub(f.collection),
                f.result_key.map(sub).unwrap_or_default(),
                sub(f.result),
                f.grouped,
                f.condition.map(sub).unwrap_or_default(),
            )
        }
        NodeKind::Template if tree.node(id).style == NodeStyle::Heredoc => {
            let parts: Vec<String> = children
                .iter()
                .filter(|c| tree.kind(**c) != NodeKind::Str)
                .map(|c| sub(*c))
                .collect();
            if parts.is_empty() {
                "(heredoc)".into()
            } else {
                format!("(heredoc {})", parts.join(" "))
            }
        }
        NodeKind::Template => {
            let parts: Vec<String> = children
                .iter()
                .filter(|c| !is_blank(tree, **c))
                .map(|c| sub(*c))
                .collect();
            format!("`{}`", parts.join(" "))
        }
        NodeKind::Directive if tree.name(id) == "for" => {
            let f = ForParts::of(tree, id).unwrap();
            format!("%for({} in {})", sub(f.value), sub(f.collection))
        }
        NodeKind::Directive => format!("%if({})", sub(children[0])),
    }
}

fn is_blank(tree: &Tree, id: NodeId) -> bool {
    tree.text(id).is_some_and(|t| t.display().trim().is_empty())
}

fn number_text(n: f64) -> String {
    format!("{n}")
}

fn oracle_expr(e: &Expression) -> String {
    match e {
        Expression::Null(_) => "null".into(),
        Expression::Bool(b) => b.to_string(),
        Expression::Number(n) => number_text(n.as_f64().unwrap()),
        Expression::String(s) => format!("{:?}", s.as_str()),
        Expression::Array(a) => format!("[{}]", a.iter().map(oracle_expr).collect::<Vec<_>>().join(" ")),
        Expression::Object(o) => {
            let entries: Vec<String> = o
                .iter()
                .map(|(k, v)| {
                    let key = match k {
                        ObjectKey::Ident(i) => format!("{:?}", i.as_str()),
                        ObjectKey::Expression(e) => oracle_expr(e),
                    };
                    format!("{key} {}", oracle_expr(v.expr()))
                })
                .collect();
            format!("{{{}}}", entries.join(" "))
        }
        Expression::StringTemplate(t) => {
            let parts: Vec<String> = t.iter().filter_map(|e| oracle_element(e, true)).collect();
            format!("`{}`", parts.join(" "))
        }
        Expression::HeredocTemplate(h) => {
            let parts = oracle_template(&h.template);
            if parts.is_empty() {
                "(heredoc)".into()
            } else {
                format!("(heredoc {parts})")
            }
        }
        Expression::Parenthesis(p) => format!("<{}>", oracle_expr(p.inner())),
        Expression::Variable(v) => v.as_str().to_owned(),
        Expression::Conditional(c) => format!(
            "({} ? {} : {})",
            oracle_expr(&c.cond_expr),
            oracle_expr(&c.true_expr),
            oracle_expr(&c.false_expr)
        ),
        Expression::FuncCall(f) => {
            let mut name: String = f.name.namespace.iter().map(|n| format!("{}::", n.as_str())).collect();
            name.push_str(f.name.name.as_str());
            let args: Vec<String> = f.args.iter().map(oracle_expr).collect();
            let spread = if f.args.expand_final() { "..." } else { "" };
            format!("{name}({}{spread})", args.join(" "))
        }
        Expression::Traversal(t) => {
            let mut out = oracle_expr(&t.expr);
            for op in &t.operators {
                match op.value() {
                    TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => out.push_str("[*]"),
                    TraversalOperator::GetAttr(i) => {
                        let _ = write!(out, ".{}", i.as_str());
                    }
                    TraversalOperator::Index(e) => {
                        let _ = write!(out, "[{}]", oracle_expr(e));
                    }
                    TraversalOperator::LegacyIndex(n) => {
                        let _ = write!(out, "[{}]", n.value());
                    }
                }
            }
            out
        }
        Expression::UnaryOp(u) => format!("({}{})", u.operator.value(), oracle_expr(&u.expr)),
        Expression::BinaryOp(b) => {
            format!(
                "({} {} {})",
                oracle_expr(&b.lhs_expr),
                b.operator.value(),
                oracle_expr(&b.rhs_expr)
            )
        }
        Expression::ForExpr(f) => format!(
            "for({} {} in {} : {} {} {} {})",
            f.intro.key_var.as_ref().map(|k| k.as_str()).unwrap_or_default(),
            f.intro.value_var.as_str(),
            oracle_expr(&f.intro.collection_expr),
            f.key_expr.as_ref().map(oracle_expr).unwrap_or_default(),
            oracle_expr(&f.value_expr),
            f.grouping,
            f.cond.as_ref().map(|c| oracle_expr(&c.expr)).unwrap_or_default(),
        ),
    }
}

fn oracle_template(t: &Template) -> String {
    let parts: Vec<String> = t.iter().filter_map(|e| oracle_element(e, false)).collect();
    parts.join(" ")
}

fn oracle_element(e: &Element, literals: bool) -> Option<String> {
    match e {
        Element::Literal(l) => (literals && !l.trim().is_empty()).then(|| format!("{:?}", l.as_str())),
        Element::Interpolation(i) => Some(oracle_expr(&i.expr)),
        Element::Directive(d) => Some(match &**d {
            Directive::If(d) => format!("%if({})", oracle_expr(&d.if_expr.cond_expr)),
            Directive::For(d) => format!(
                "%for({} in {})",
                d.for_expr.value_var.as_str(),
                oracle_expr(&d.for_expr.collection_expr)
            ),
        }),
    }
}

/// Every span of a parse lies in the text, on character borders; literals slice to themselves.
fn check_parse(text: &str) {
    let hcl = hcl::parse(F, text);
    sound_tree(text, &hcl.tree);
    sound_tree(text, &hcl::parse_template(F, text));
    fn body(text: &str, b: &Body) {
        for a in &b.attributes {
            assert!(text.get(a.span.range()).is_some());
        }
        for block in &b.blocks {
            assert!(text.get(block.span.range()).is_some() && text.get(block.header.range()).is_some());
            body(text, &block.body);
        }
    }
    body(text, &hcl.body);
}

fn sound_tree(text: &str, tree: &Tree) {
    for i in 0..tree.node_count() {
        let id = NodeId(i as u32);
        let span = tree.span(id);
        assert!(
            text.get(span.range()).is_some(),
            "{:?} {span:?} in {text:?}",
            tree.kind(id)
        );
        if let Some(t) = tree.text(id) {
            let whole = t.span_of(0..t.len());
            assert!(whole.is_none_or(|place| text.get(place.range()).is_some()), "{whole:?}");
            for (at, c) in t.with_placeholders().char_indices() {
                let place = t.span_of(at..at + c.len_utf8()).unwrap();
                assert!(text.get(place.range()).is_some());
            }
        }
    }
    for p in &tree.problems {
        assert!(text.get(p.span.range()).is_some(), "{p:?}");
    }
}

#[test]
fn nothing_but_a_byte_order_mark() {
    check_parse("\u{feff}");
    check_parse("\u{feff}${");
}

#[test]
fn no_cut_or_flip_does_harm() {
    for path in hcl_files().into_iter().take(60) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let step = 7.max(text.len() / 400);
        for cut in (0..text.len()).step_by(step) {
            if let Some(cut) = text.get(..cut) {
                check_parse(cut);
            }
        }
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..200 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let mut bytes = text.clone().into_bytes();
            if bytes.is_empty() {
                continue;
            }
            let at = (seed as usize >> 8) % bytes.len();
            bytes[at] = b"{}[]()\"$%~<\\\n:=.,*#/?!\xc3"[(seed as usize) % 23];
            check_parse(&String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn bounded_whatever_the_nesting() {
    let n = 100_000;
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{a=", "}"),
        ("f(", ")"),
        (r#""${"#, r#"}""#),
        ("!", ""),
        ("-", ""),
        ("a?b:", "c"),
        ("x[", "]"),
        ("%{if a}", "%{endif}"),
        (r#""%{if a}"#, ""),
        ("[for a in ", ":b]"),
        (
            "<<A\n", r"
A
",
        ),
        ("a {\n", "}\n"),
        ("1+", "1"),
        ("x.y.", "z"),
        ("x[*].", "z"),
        (r#""%{ for a in b }"#, ""),
        ("/*", ""),
        ("${", ""),
        ("a = <<B\n", ""),
        ("a = ${ \n", ""),
        (r#""a" "b" {"#, ""),
        ("a = [}\n", ""),
        ("]", "["),
        ("a = \"x\" ? { \n", ""),
    ] {
        for closed in [true, false] {
            let tail = if closed { close.repeat(n) } else { String::new() };
            let text = format!(
                r"a = {}{tail}
b = 1
",
                open.repeat(n)
            );
            let _ = hcl::parse(F, &text);
            let _ = hcl::parse(F, &format!("{}{tail}", open.repeat(n)));
            let _ = hcl::parse_template(F, &text);
        }
    }
}

/// All attributes of all blocks, as `name=shape`, in order.
fn attribute_shapes(text: &str) -> (Vec<String>, Vec<String>) {
    fn walk(hcl: &HclFile, body: &Body, out: &mut Vec<String>) {
        for a in &body.attributes {
            out.push(format!("{}={}", a.name, our_expr(&hcl.tree, a.value, "")));
        }
        for b in &body.blocks {
            walk(hcl, &b.body, out);
        }
    }
    let hcl = hcl::parse(F, text);
    let mut out = Vec::new();
    walk(&hcl, &hcl.body, &mut out);
    let problems = hcl
        .tree
        .problems
        .iter()
        .map(|p| format!("{} at `{}`", p.message, &text[p.span.range()]))
        .collect();
    (out, problems)
}

#[test]
fn one_bad_line_loses_one_line() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            r"a = 1
b == 2
c = 3
",
            &["a=1", "c=3"],
            &["expected `=` or `{`, found `=` at `=`"],
        ),
        (
            "a = \nb = 2\n",
            &["a=?", "b=2"],
            &[r"expected a value, found the end of the line at `
`"],
        ),
        (
            r#"a = "x
b = 2
"#,
            &[r#"a=`"x" ?`"#, "b=2"],
            &[r#"unclosed `"` at `"`"#],
        ),
        (
            r"a = [1,
?,
3]
b = 2
",
            &[r#"a=[1 ? 3 "${unread}"]"#, "b=2"],
            &["expected a value, found `?` at `?`"],
        ),
        (
            r"a = {
 x = 1
 y 2
 z = 3
}
b = 2
",
            &[r#"a={"x" 1 "z" 3 "${unread}" "${unread}"}"#, "b=2"],
            &["expected `=`, found `2` at `2`"],
        ),
        (
            r#"a = ["x"
 "y"]
b = 2
"#,
            &[r#"a=["x" "y"]"#, "b=2"],
            &[r#"expected `,` or `]`, found `"` at `"`"#],
        ),
        (
            r#"r "x" {
  a = [1, 2
  b = 2
}
r "y" {
  c = 3
}
"#,
            &[r#"a=[1 2 "${unread}"]"#, "b=2", "c=3"],
            &["unclosed `[` at `[`"],
        ),
        (
            r#"resource "x" "y" {
  a = 1
  s {
  b = 2

resource "x" "z" {
  c = 3
}
"#,
            &["a=1", "b=2", "c=3"],
            &["unclosed `{` at `{`", "unclosed `{` at `{`"],
        ),
        (
            r#"a ? "b" {
  c = 1
}
d = 2
"#,
            &["d=2", "c=1"],
            &["expected `=` or `{`, found `?` at `?`"],
        ),
        (
            r"a = 1 2
b = 2
",
            &["a=1", "b=2"],
            &["expected a line break, found `2` at `2`"],
        ),
        (
            r"a = <<EOT
x
y
",
            &["a=?"],
            &["heredoc without an end at `<<`"],
        ),
        (
            r#"r "x"
{
  a = 1
}
"#,
            &["a=1"],
            &[],
        ),
        (
            r"a = f(1, (2)
b = 2
",
            &["a=f(1 <2>)", "b=2"],
            &["unclosed `(` at `(`"],
        ),
    ];
    for (text, expected, problems) in cases {
        let (found, told) = attribute_shapes(text);
        assert_eq!(
            (found.as_slice(), told.as_slice()),
            (
                expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice(),
                problems.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice(),
            ),
            "{text}"
        );
    }
}

/// The decoded text of attribute `a`, and what each of its characters slices to.
fn decoded(text: &str) -> (String, Vec<String>) {
    let hcl = hcl::parse(F, text);
    assert_eq!(hcl.tree.problems, [], "{text}");
    let value = hcl.body.attribute("a").unwrap().value;
    let t = hcl.tree.text(value).unwrap_or_else(|| panic!("{text}")).clone();
    let known = t.known().unwrap().into_owned();
    let slices = known
        .char_indices()
        .map(|(i, c)| {
            let s: Span = t.span_of(i..i + c.len_utf8()).unwrap();
            text[s.range()].to_owned()
        })
        .collect();
    (known, slices)
}

#[test]
fn strings_decode_and_every_character_knows_its_place() {
    for (text, value) in [
        (r#"a = "plain""#, "plain"),
        (r#"a = "q\"b\\n\n\t\u00e9""#, "q\"b\\n\n\té"),
        (r#"a = "$${x} %%{y} $ % $x""#, "${x} %{y} $ % $x"),
        (
            r#"a = <<EOT
{
  "x": 1
}
EOT
"#,
            r#"{
  "x": 1
}
"#,
        ),
        (
            r#"a = <<-EOT
    {

      "x": $${1}
    }
  EOT
"#,
            r#"{

  "x": ${1}
}
"#,
        ),
        ("a = <<-EOT\r\n  x\r\n    y\r\n  EOT\r\n", "x\r\n  y\r\n"),
        ("\u{feff}a = \"x\"", "x"),
        (
            r"a = <<EOT
EOT
",
            "",
        ),
        (r#"a = """#, ""),
    ] {
        let (known, slices) = decoded(text);
        assert_eq!(known, value, "{text}");
        for (c, s) in known.chars().zip(&slices) {
            assert!(
                s.starts_with(c) || s.starts_with('\\') || s.starts_with("$${") || s.starts_with("%%{"),
                "{c:?} is {s:?} in {text}"
            );
        }
    }
}

#[test]
fn crlf_reads_as_lf() {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/testdata/terraform/syntax/everything.tf"
    ))
    .unwrap();
    let (plain, _) = attribute_shapes(&text);
    let (crlf, problems) = attribute_shapes(&text.replace('\n', "\r\n"));
    assert_eq!(problems, [""; 0]);
    assert_eq!(plain, crlf);
}
