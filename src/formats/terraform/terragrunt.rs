//! `terragrunt.hcl`: a call of the module that it names, with its inputs as arguments.
//!
//! Terragrunt documentation, "HCL Blocks" and "HCL Attributes": `terraform { source }`, `inputs`, `locals`.

use crate::syntax::hcl::{Attribute, Block, Body, Hcl, Label};

use super::directory::Role;

/// The file as Terraform would write it: a module call, or, where it names no source, values for its own directory.
pub(super) fn rewrite(hcl: Hcl) -> (Role, Hcl) {
    let inputs = hcl.body.attribute("inputs").cloned();
    let mut attributes = Vec::new();
    if let Some(inputs) = &inputs {
        for (key, value) in hcl.tree.entries(inputs.value) {
            let Some(name) = hcl.tree.text(key).and_then(|t| t.known()) else {
                continue;
            };
            let name_span = hcl.tree.span(key);
            attributes.push(Attribute {
                name: name.as_ref().into(),
                name_span,
                value,
                span: name_span.cover(hcl.tree.span(value)),
            });
        }
    }
    let source = hcl
        .body
        .blocks("terraform")
        .find_map(|b| Some((b, b.body.attribute("source")?.clone())));
    let Some((block, source)) = source.map(|(b, s)| (b.clone(), s)) else {
        let body = Body {
            attributes,
            ..Body::default()
        };
        return (Role::Values, Hcl { tree: hcl.tree, body });
    };
    attributes.push(source);
    let call = Block {
        kind: "module".into(),
        kind_span: block.kind_span,
        labels: vec![Label {
            text: "terragrunt".into(),
            span: block.header,
        }],
        header: block.header,
        span: block.span,
        body: Body {
            attributes,
            ..Body::default()
        },
    };
    let mut blocks: Vec<Block> = hcl.body.blocks("locals").cloned().collect();
    blocks.push(call);
    let body = Body {
        blocks,
        ..Body::default()
    };
    (Role::Config, Hcl { tree: hcl.tree, body })
}
