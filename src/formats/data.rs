//! Data as it stands: a tree of JSON or YAML to a [`Value`], and JSON or YAML embedded in a text.
//!
//! **Invariant:** nothing is evaluated. A tag (`!Sub`) is an unknown value named after it, `{{ x }}` in a text a hole; aliases and merge keys are
//! followed, and a value that came through an alias says so in its `via`.

use super::text_templates::with_brace_holes;
use crate::source::{FileId, Piece, Problem, ProblemKind, Span, Text, TextBuilder, TextIndex};
use crate::syntax::data;
use crate::syntax::{NodeId, Tree, json, yaml};
use crate::value::{MapEntry, Value, ValueKind};

/// Reads JSON or YAML: by its first character, and by its name where that says JSON. What is not quite JSON may still be
/// YAML in flow style, unless it is called JSON and looks like it.
pub fn parse(file: FileId, path: &str, text: &str) -> Tree {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let bracketed = start.starts_with(['{', '[']);
    let named = path.ends_with(".json") || path.ends_with(".jsonc");
    if !(bracketed || named || start.starts_with("//") || start.starts_with("/*")) {
        return yaml::parse(file, text);
    }
    let tree = json::parse(file, text);
    if tree.problems.is_empty() || (named && bracketed) {
        return tree;
    }
    let other = yaml::parse(file, text);
    if other.problems.is_empty() { other } else { tree }
}

/// The value of a node.
pub fn value(tree: &Tree, id: NodeId) -> Value {
    data::value(tree, id, with_brace_holes)
}

/// The object or array that `text` is the JSON of (or the YAML, if it says `Statement:`), with what is wrong in it when
/// it is a policy document. `None` when it looks like something else.
pub fn embedded(text: &Text, span: Span) -> Option<(Value, Vec<Problem>)> {
    let (value, problems) = parse_embedded(text, span)?;
    Some((value, problems.into_iter().map(|p| p.embedded_in(span)).collect()))
}

/// What a file of JSON or YAML holds, if nothing is wrong with it.
pub fn whole_file(file: FileId, path: &str, text: &str) -> Option<Value> {
    let tree = parse(file, path, text);
    let root = *tree.roots.first().filter(|_| tree.problems.is_empty())?;
    Some(value(&tree, root))
}

/// JSON in a string, if nothing is wrong with it.
pub fn embedded_whole(text: &Text, span: Span) -> Option<Value> {
    let tree = looks_like_json(&text.with_placeholders()).then(|| json::parse_text(text, span))?;
    let root = *tree.roots.first().filter(|_| tree.problems.is_empty())?;
    Some(value(&tree, root))
}

fn parse_embedded(text: &Text, span: Span) -> Option<(Value, Vec<Problem>)> {
    let flat = text.with_placeholders();
    let tree = if looks_like_json(&flat) {
        json::parse_text(text, span)
    } else if looks_like_yaml(&flat) {
        return embedded_yaml(text, &flat, span);
    } else {
        return None;
    };
    let value = value(&tree, *tree.roots.first()?);
    Some((value, policy_problems(&flat, tree.problems)))
}

/// Broken JSON that no one would take for a policy is left alone.
fn policy_problems(flat: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let elements = || ["Effect", "Action", "Principal"].iter().any(|w| flat.contains(w));
    let is_policy = flat.contains("\"Statement\"") || flat.contains("Statement") && elements();
    if !is_policy {
        return Vec::new();
    }
    let mut problems = problems;
    for problem in &mut problems {
        if problem.kind == ProblemKind::Syntax {
            problem.kind = ProblemKind::PolicyJson;
        }
    }
    problems
}

/// An object or array of JSON, rather than `{proxy+}`, `{{resolve:…}}` or `[INFO] …`.
fn looks_like_json(flat: &str) -> bool {
    let flat = flat.trim_start_matches('\u{feff}').trim_start();
    let mut chars = flat.chars();
    let open = chars.next();
    let after = chars.as_str().trim_start();
    let next = after.chars().next();
    let hole = next.is_some_and(|c| Text::placeholder(c).is_some());
    match open {
        Some('{') => hole || matches!(next, Some('"' | '}')) || after.starts_with("//") || after.starts_with("/*"),
        Some('[') => hole && after.contains(']') || matches!(next, Some('"' | '{' | '[' | ']')),
        _ => false,
    }
}

fn looks_like_yaml(flat: &str) -> bool {
    flat.lines()
        .any(|l| l.trim_start_matches(['-', ' ']).trim_end().starts_with("Statement:"))
}

/// The value that `text` is the YAML of; `None` where it is broken or holds none.
pub fn from_yaml(text: &Text, span: Span) -> Option<Value> {
    let tree = yaml::parse(span.file, &text.with_placeholders());
    if !tree.problems.is_empty() {
        return None;
    }
    let place = SpanMapper::new(text, span);
    Some(place.value(&value(&tree, *tree.roots.first()?)))
}

fn embedded_yaml(text: &Text, flat: &str, span: Span) -> Option<(Value, Vec<Problem>)> {
    let tree = yaml::parse(span.file, flat);
    let place = SpanMapper::new(text, span);
    let value = value(&tree, *tree.roots.first()?);
    value.entries()?;
    let mut problems = policy_problems(flat, tree.problems);
    for problem in &mut problems {
        problem.span = place.span(problem.span);
    }
    Some((place.value(&value), problems))
}

/// Moves what was read from a text's characters to where the text was written.
pub(crate) struct SpanMapper<'t> {
    index: TextIndex<'t>,
    fallback: Span,
}

impl<'t> SpanMapper<'t> {
    pub(crate) fn new(text: &'t Text, fallback: Span) -> Self {
        Self {
            index: TextIndex::new(text),
            fallback,
        }
    }

    pub(crate) fn span(&self, span: Span) -> Span {
        self.index.span_of(span.range()).unwrap_or(self.fallback)
    }

    pub(crate) fn text(&self, text: &Text) -> Text {
        let mut out = TextBuilder::new();
        for piece in text.pieces() {
            let Piece::Lit(lit) = piece else { continue };
            for s in &lit.map.segments {
                let (at, src) = (s.at as usize, s.src as usize);
                let run = lit.text.get(at..at + s.len as usize).unwrap_or("");
                if s.len == s.src_len {
                    out.append(&self.index.slice(src..src + run.len()));
                } else {
                    out.unit(run, self.span(Span::new(lit.map.file, src, src + s.src_len as usize)));
                }
            }
        }
        out.finish(self.fallback)
    }

    fn value(&self, value: &Value) -> Value {
        let span = self.span(value.span);
        match &value.kind {
            ValueKind::Str(text) => {
                let text = self.text(text);
                match text.as_hole() {
                    Some(hole) => Value::unknown(hole.clone()),
                    None => Value::text(text, span),
                }
            }
            ValueKind::Seq(items) => Value::seq(items.iter().map(|v| self.value(v)).collect(), span),
            ValueKind::Map(entries) => {
                let entries = entries.iter().map(|e| MapEntry {
                    key: self.text(&e.key),
                    key_span: self.span(e.key_span),
                    value: self.value(&e.value),
                });
                Value::map(entries.collect(), span)
            }
            kind => Value::new(kind.clone(), span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Hole, HoleKind, Sources};

    const F: FileId = FileId(0);

    #[test]
    fn policy_in_a_block_scalar_keeps_its_places() {
        let src = r#"p: |
  {
    "Statement": [{"Effect": "Allow", "Action": "s3:*",}]
  }
"#;
        let sources = Sources::from_strings(&[("t.yaml", src)]);
        let tree = yaml::parse(F, src);
        let outer = value(&tree, tree.roots[0]);
        let text = outer.get("p").and_then(Value::as_text).expect("a text");
        let (inner, problems) = embedded(text, outer.span).expect("a document");
        let statement = &inner.get("Statement").expect("the statement").items()[0];
        assert_eq!(
            sources.slice(statement.get("Action").expect("an action").span),
            r#""s3:*""#
        );
        assert_eq!(
            sources.slice(inner.span),
            r#"{
    "Statement": [{"Effect": "Allow", "Action": "s3:*",}]
  }"#
        );
        assert_eq!(problems.len(), 1);
        assert_eq!(
            (sources.slice(problems[0].span), problems[0].kind),
            (",", ProblemKind::PolicyJson)
        );
    }

    #[test]
    fn yaml_in_a_text_keeps_its_places_and_holes() {
        let src = r"Version: x
Statement:
  - Action: [a, ";
        let mut text = Text::verbatim(src, F, 100);
        text.append(&Text::hole(Hole::new(HoleKind::Input, "act", Span::new(F, 150, 160))));
        text.append(&Text::verbatim("]\n    Effect: Allow\n", F, 160));
        let (v, problems) = embedded(&text, Span::new(F, 100, 180)).expect("a document");
        assert_eq!(problems, []);
        let statement = &v.get("Statement").expect("the statement").items()[0];
        let actions = statement.get("Action").expect("actions").items();
        assert_eq!(actions[0].span.start, 100 + src.find("a,").expect("there") as u32);
        assert_eq!(actions[1].as_hole().map(|h| &*h.name), Some("act"));
        assert_eq!(statement.get("Effect").expect("effect").span, Span::new(F, 174, 179));
    }

    #[test]
    fn other_texts_are_no_documents() {
        for text in [
            "{proxy+}",
            "{{resolve:ssm:x}}",
            "[INFO] x",
            "",
            "arn:aws:iam::aws:policy/x",
            "Statement of work",
        ] {
            assert!(
                embedded(&Text::verbatim(text, F, 0), Span::new(F, 0, 1)).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn aliases_are_followed_to_where_things_are_written() {
        let src = r"a: &x
  k: v
b: *x
c: !Ref y
d:
  <<: *x
  e: 1
";
        let tree = yaml::parse(F, src);
        let v = value(&tree, tree.roots[0]);
        let k = v.path(&["b", "k"]).expect("through the alias");
        assert_eq!(&src[k.span.range()], "v");
        let via = v.get("b").and_then(|b| b.via.as_ref()).expect("a use");
        assert_eq!(&src[via.span.range()], "*x");
        assert_eq!(v.get("c").and_then(Value::as_hole).map(|h| &*h.name), Some("Ref"));
        assert_eq!(v.path(&["d", "k"]).and_then(Value::as_str).as_deref(), Some("v"));
    }
}
