//! Templates inside strings of another syntax: `"${var.x}"` in a `.tf.json` file.

use crate::source::{Piece, Span, Text, TextBuilder, TextIndex};

use super::super::tree::{NodeId, Tree};
use super::parse_template;

/// Parses `text`, a string written at `span`, as a template, and adds its nodes to `tree`; every node has the span of
/// what it is in the file.
pub fn embed(tree: &mut Tree, text: &Text, span: Span) -> NodeId {
    let decoded = text.with_placeholders();
    let index = TextIndex::new(text);
    let inner = parse_template(span.file, &decoded);
    let place = |s: Span| index.span_of(s.range()).unwrap_or(span);
    let base = tree.node_count();
    let at = |n: NodeId| NodeId(n.0 + base as u32);
    let ids = (0..inner.node_count()).map(|i| NodeId(i as u32));
    for id in ids.clone() {
        let node = inner.node(id);
        let new = tree.push(node.kind, node.style, node.start as usize, node.end as usize);
        tree.set_span(new, place(inner.span(id)));
        if let Some(t) = inner.text(id) {
            let moved = map_spans(t, &index, span);
            tree.set_text(new, moved);
        } else if !inner.name(id).is_empty() {
            tree.set_name(new, inner.name(id));
        }
    }
    for id in ids {
        let children: Vec<NodeId> = inner.children(id).map(at).collect();
        tree.adopt(at(id), &children);
    }
    for problem in inner.problems {
        let mut problem = problem;
        problem.span = place(problem.span);
        tree.problems.push(problem);
    }
    let root = inner.roots.first().map_or(NodeId(base as u32), |r| at(*r));
    // A string is written with its quotes.
    tree.set_span(root, span);
    root
}

/// A text whose places are places in the decoded text, with those of the file.
fn map_spans(text: &Text, index: &TextIndex<'_>, span: Span) -> Text {
    let mut out = TextBuilder::new();
    for piece in text.pieces() {
        let Piece::Lit(lit) = piece else { continue };
        for s in &lit.map.segments {
            let (at, src) = (s.at as usize, s.src as usize);
            let run = lit.text.get(at..at + s.len as usize).unwrap_or("");
            if s.len == s.src_len {
                out.append(&index.slice(src..src + s.src_len as usize));
            } else {
                out.unit(run, index.span_of(src..src + s.src_len as usize).unwrap_or(span));
            }
        }
    }
    out.finish(span)
}
