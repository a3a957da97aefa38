//! Mermaid, for Markdown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{DrawnLine, GraphPage, about, lines, short};
use crate::phrase;

/// Mermaid draws no longer text, and no more edges: Mermaid documentation, "Configuration", `maxTextSize`, `maxEdges`.
const MAX_TEXT: usize = 45_000;
const MAX_LINES: usize = 450;

pub(super) fn render(page: &GraphPage) -> String {
    let mut out = String::from("flowchart LR\n");
    let all = lines(page);
    let mut nodes: BTreeSet<usize> = page.focus.iter().copied().collect();
    let mut text = String::new();
    let mut drawn = 0;
    let mut size = 0;
    // Nodes are written once; what one takes is counted when it comes first.
    for line in all.iter().take(MAX_LINES) {
        let shown = shown_line(line);
        let new = [line.from, line.to].into_iter().filter(|n| !nodes.contains(n));
        let cost = shown.len() + new.map(|n| shown_node(page, n).len()).sum::<usize>();
        if size + cost > MAX_TEXT {
            break;
        }
        size += cost;
        drawn += 1;
        nodes.extend([line.from, line.to]);
        text.push_str(&shown);
    }
    if page.edges.is_empty() {
        nodes.extend(0..page.nodes.len().min(100));
    }
    for n in nodes {
        out.push_str(&shown_node(page, n));
    }
    out.push_str(&text);
    out.push_str(
        "  classDef admin fill:#ffd8d3,stroke:#b3261e,color:#1f2328\n  classDef data fill:#fff1c2,stroke:#8a6100,color:#1f2328\n  \
         classDef set stroke-dasharray:4 3\n",
    );
    if drawn < all.len() {
        let more = phrase::count(all.len() - drawn, "more edge", "more edges");
        let _ = writeln!(out, "  %% {more} not drawn; --focus WHO draws a part of the graph");
    }
    out
}

fn shown_node(page: &GraphPage, at: usize) -> String {
    let Some(node) = page.nodes.get(at) else {
        return String::new();
    };
    let class = match (node.gain, node.members) {
        (Some("admin"), _) => ":::admin",
        (Some(_), _) => ":::data",
        (None, Some(_)) => ":::set",
        (None, None) => "",
    };
    let label = escaped(&short(&node.label, 60));
    format!("  n{at}[\"{label}<br/>{}\"]{class}\n", escaped(&about(node)))
}

fn shown_line(line: &DrawnLine) -> String {
    let arrow = match (line.severity, line.has_conditions || line.is_unsure) {
        (_, true) => "-.->",
        (Some(_), false) => "==>",
        (None, false) => "-->",
    };
    let by = escaped(&short(&line.by, 80));
    format!("  n{} {arrow}|\"{by}\"| n{}\n", line.from, line.to)
}

/// As Mermaid writes characters that mean something to it, to HTML, or to Markdown: "Flowcharts", "Entity codes to escape
/// characters".
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() => out.push(c),
            ' ' | '-' | '_' | '/' | '.' | ',' | '…' => out.push(c),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}
