//! The places that an ignore comment can cover: blocks, attributes, items of lists, entries of objects.

use crate::source::Span;
use crate::syntax::hcl::{Body, HclFile};
use crate::syntax::{NodeId, NodeKind};

pub(crate) fn collect(hcl: &HclFile, out: &mut Vec<Span>) {
    body(&hcl.body, out);
    for i in 0..u32::try_from(hcl.tree.node_count()).unwrap_or(u32::MAX) {
        let node = NodeId(i);
        match hcl.tree.kind(node) {
            NodeKind::Seq => out.extend(hcl.tree.children(node).map(|c| hcl.tree.span(c))),
            NodeKind::Map => out.extend(
                hcl.tree
                    .entries(node)
                    .map(|(k, v)| hcl.tree.span(k).cover(hcl.tree.span(v))),
            ),
            _ => {}
        }
    }
}

fn body(b: &Body, out: &mut Vec<Span>) {
    out.extend(b.attributes.iter().map(|a| a.span));
    for block in &b.blocks {
        out.push(block.span);
        body(&block.body, out);
    }
}
