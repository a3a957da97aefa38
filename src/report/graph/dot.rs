//! Graphviz.

use std::fmt::Write as _;

use super::{GraphPage, about, lines};
use crate::finding::Severity;
use crate::source::one_line;

pub(super) fn render(page: &GraphPage) -> String {
    let mut out = String::from(
        "digraph access {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f6f8fa\", \
         color=\"#8c959f\", fontname=\"sans-serif\", fontsize=11];\n  edge [color=\"#8c959f\", fontname=\"sans-serif\", \
         fontsize=9];\n",
    );
    for (i, node) in page.nodes.iter().enumerate() {
        let look = match (node.gain, node.members) {
            (Some("admin"), _) => ", fillcolor=\"#ffd8d3\", color=\"#b3261e\"",
            (Some(_), _) => ", fillcolor=\"#fff1c2\", color=\"#8a6100\"",
            (None, Some(_)) => ", style=\"rounded,dashed\"",
            (None, None) => "",
        };
        let label = format!("{}\\n{}", escaped(&node.label), escaped(&about(node)));
        let tip = escaped(node.arn.as_deref().unwrap_or(&node.id));
        let _ = writeln!(out, "  n{i} [label=\"{label}\", tooltip=\"{tip}\"{look}];");
    }
    for line in lines(page) {
        let mut look = match line.severity {
            Some(Severity::Critical | Severity::High) => ", color=\"#b3261e\", penwidth=2".to_owned(),
            Some(_) => ", color=\"#8a6100\", penwidth=1.5".to_owned(),
            None => String::new(),
        };
        if line.has_conditions || line.is_unsure {
            look.push_str(", style=dashed");
        }
        let label = escaped(&line.by);
        let _ = writeln!(out, "  n{} -> n{} [label=\"{label}\"{look}];", line.from, line.to);
    }
    out.push_str("}\n");
    out
}

/// Between quotes. Graphviz reads entities and escapes in a label: DOT Language, "Character encodings"; "escString".
fn escaped(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}
