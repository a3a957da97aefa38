//! A tree of JSON or YAML as a [`Value`].
//!
//! **Invariant:** recursion is bounded by [`MAX_DEPTH`]; what lies deeper is not known.

use crate::source::Text;
use crate::syntax::{MAX_DEPTH, NodeId, NodeKind, NodeStyle, Tree};
use crate::value::{MapEntry, Value, ValueKind};

/// The value of a node; `texts` is what becomes of each of its texts.
pub fn value(tree: &Tree, id: NodeId, texts: fn(Text) -> Text) -> Value {
    at_depth(tree, id, texts, 0)
}

fn at_depth(tree: &Tree, id: NodeId, texts: fn(Text) -> Text, depth: usize) -> Value {
    if tree.is_alias(id) {
        return at_depth(tree, tree.resolve(id), texts, depth).used_at(tree.span(id));
    }
    let span = tree.span(id);
    if depth > MAX_DEPTH {
        return Value::unknown_other("nested too deep", span);
    }
    let text = || tree.text(id).cloned().unwrap_or_default();
    match tree.kind(id) {
        NodeKind::Null => Value::new(ValueKind::Null, span),
        NodeKind::Bool => {
            let yes = text().known().is_some_and(|t| t.eq_ignore_ascii_case("true"));
            Value::new(ValueKind::Bool(yes), span)
        }
        NodeKind::Num => Value::new(ValueKind::Num(text().display().into()), span),
        NodeKind::Str => {
            let text = text();
            match text.as_hole() {
                Some(hole) if tree.node(id).style == NodeStyle::Plain => Value {
                    span,
                    ..Value::unknown(hole.clone())
                },
                _ => Value::text(texts(text), span),
            }
        }
        NodeKind::Seq => {
            let items = tree.children(id).map(|c| at_depth(tree, c, texts, depth + 1)).collect();
            Value::seq(items, span)
        }
        NodeKind::Map => {
            let entries: Option<Vec<MapEntry>> = tree
                .merged(id)
                .into_iter()
                .map(|(k, v)| {
                    Some(MapEntry {
                        key: tree.text(k)?.clone(),
                        key_span: tree.span(tree.resolve(k)),
                        value: at_depth(tree, v, texts, depth + 1),
                    })
                })
                .collect();
            // A key that is no scalar is what `{{ x }}` looks like to YAML.
            entries.map_or_else(
                || Value::unknown_other("template", span),
                |entries| Value::map(entries, span),
            )
        }
        NodeKind::Call => Value::unknown_other(tree.name(id), span),
        _ => Value::unknown_other("unknown", span),
    }
}
