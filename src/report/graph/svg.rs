//! A picture.

use std::fmt::Write as _;

use super::layout::{GraphLayout, NODE};
use super::{DrawnLine, DrawnNode, GraphPage, about, lines, short};
use crate::finding::Severity;
use crate::phrase;
use crate::report::offline::markup;
use crate::source::one_line;

const MARGIN: usize = 24;
/// More lines would be one surface.
const MAX_LINES: usize = 20_000;

const STYLE: &str = "svg{--bg:#fff;--fg:#1f2328;--dim:#59636e;--box:#f6f8fa;--line:#8c959f;--bad:#b3261e;--badbox:#ffdad6;\
--warn:#8a6100;--warnbox:#fff1c2;background:var(--bg);font:12px system-ui,sans-serif}\
@media(prefers-color-scheme:dark){svg{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;--box:#161b22;--line:#6e7681;--bad:#ff8a80;\
--badbox:#4a1512;--warn:#e3b341;--warnbox:#3b2e0a}}\
.bg{fill:var(--bg)}.n rect{fill:var(--box);stroke:var(--line)}.n text{fill:var(--fg)}.n .k{fill:var(--dim);font-size:10px}\
.n.admin rect{fill:var(--badbox);stroke:var(--bad)}.n.data rect{fill:var(--warnbox);stroke:var(--warn)}\
.n.set rect{stroke-dasharray:4 3}.n.focus rect{stroke-width:3}.e{fill:none;stroke:var(--line);opacity:.6}.e.bad{stroke:var(--bad);stroke-width:2;opacity:1}\
.e.warn{stroke:var(--warn);stroke-width:1.5;opacity:1}.e.maybe{stroke-dasharray:5 4}.c{fill:var(--dim)}marker path{fill:context-stroke}";

pub(super) fn render(page: &GraphPage) -> String {
    let layout = GraphLayout::new(page);
    // Lines that lead back go around on the right.
    let (width, height) = (layout.width.max(320) + 2 * MARGIN + 30, layout.height + 2 * MARGIN + 20);
    let title = format!(
        "Access graph: {}, {}, {}",
        phrase::count(page.nodes.len(), "node", "nodes"),
        phrase::count(page.edges.len(), "edge", "edges"),
        phrase::count(page.paths.len(), "path", "paths")
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"t\">\n<title id=\"t\">{title}</title>\n<style>{STYLE}</style>\n<defs><marker id=\"a\" \
         viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n<rect class=\"bg\" width=\"{width}\" \
         height=\"{height}\"/>\n<text class=\"c\" x=\"{MARGIN}\" y=\"20\">{title}</text>\n<g transform=\"translate({MARGIN} {})\">\n",
        MARGIN + 16
    );
    let all = lines(page);
    // The worst are drawn last: above the others.
    for line in all.iter().take(MAX_LINES).rev() {
        draw_line(&mut out, page, &layout, line);
    }
    if let Some(line) = layout.apart {
        let _ = writeln!(
            out,
            "<text class=\"c\" x=\"0\" y=\"{}\">without edges</text>",
            line + 20
        );
    }
    for (i, (node, place)) in page.nodes.iter().zip(&layout.places).enumerate() {
        draw_node(&mut out, node, *place, page.focus.contains(&i));
    }
    out.push_str("</g>\n");
    if all.len() > MAX_LINES {
        let more = phrase::count(all.len() - MAX_LINES, "edge", "edges");
        let _ = writeln!(out, "<!-- {more} not drawn -->");
    }
    out.push_str("</svg>\n");
    out
}

fn draw_node(out: &mut String, node: &DrawnNode, (x, y): (usize, usize), is_focus: bool) {
    let class = match (node.gain, node.members) {
        (Some("admin"), _) => " admin",
        (Some(_), _) => " data",
        (None, Some(_)) => " set",
        (None, None) => "",
    };
    let focus = if is_focus { " focus" } else { "" };
    let place = node.path.as_ref().zip(node.span.as_ref()).map(|(path, span)| {
        let (line, column) = span.place();
        format!("\n{}:{line}:{column}", one_line(path))
    });
    let tip = format!(
        "{}{}{}",
        one_line(&node.label),
        node.arn
            .as_ref()
            .map_or(String::new(), |a| format!("\n{}", one_line(a))),
        place.unwrap_or_default()
    );
    let _ = writeln!(
        out,
        "<g class=\"n{class}{focus}\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"6\"/><text x=\"{}\" \
         y=\"{}\">{}</text><text class=\"k\" x=\"{}\" y=\"{}\">{}</text></g>",
        markup(&tip),
        NODE.0,
        NODE.1,
        x + 10,
        y + 17,
        markup(&short(&node.label, 29)),
        x + 10,
        y + 32,
        markup(&about(node)),
    );
}

fn draw_line(out: &mut String, page: &GraphPage, layout: &GraphLayout, line: &DrawnLine) {
    let ((x1, y1), (x2, y2)) = (layout.places[line.from], layout.places[line.to]);
    let middle = NODE.1 / 2;
    let class = match line.severity {
        Some(Severity::Critical | Severity::High) => " bad",
        Some(_) => " warn",
        None => "",
    };
    let maybe = if line.has_conditions || line.is_unsure {
        " maybe"
    } else {
        ""
    };
    let (a, b) = (y1 + middle, y2 + middle);
    let d = if line.from == line.to {
        let right = x1 + NODE.0;
        format!(
            "M{} {y1}C{} {} {} {} {right} {}",
            right - 30,
            right - 20,
            y1 as i64 - 26,
            right + 26,
            y1 as i64 - 20,
            y1 + 12
        )
    } else if x2 >= x1 + NODE.0 {
        let right = x1 + NODE.0;
        let bend = ((x2 - right) / 2).clamp(24, 160);
        format!(
            "M{right} {a}C{} {a} {} {b} {x2} {b}",
            right + bend,
            x2 as i64 - bend as i64
        )
    } else {
        let (right, end) = (x1 + NODE.0, x2 + NODE.0);
        let bulge = right.max(end) + 50;
        format!("M{right} {a}C{bulge} {a} {bulge} {b} {end} {b}")
    };
    let tip = format!(
        "{} {}: {}",
        one_line(&page.nodes[line.from].label),
        line.by,
        one_line(&page.nodes[line.to].label)
    );
    let _ = writeln!(
        out,
        "<path class=\"e{class}{maybe}\" d=\"{d}\" marker-end=\"url(#a)\"><title>{}</title></path>",
        markup(&tip)
    );
}
