//! `terragrunt.hcl`: a call of the module that it names, with its inputs as arguments.
//!
//! Terragrunt documentation, "HCL Blocks" and "HCL Attributes": `terraform { source }`, `inputs`, `locals`, `generate`.

use std::ops::Range;

use crate::source::FileId;
use crate::syntax::hcl::{self, Attribute, Block, Body, Hcl, Label};

use super::directory::Role;

/// How many `generate` blocks of one file are read.
const MAX_GENERATED: usize = 20;

/// The Terraform files that the `generate` blocks write, where their contents stand in a heredoc. Terragrunt replaces
/// `${…}` in them before Terraform sees them, with the names of this file. Terragrunt documentation, "generate".
pub(super) fn generated(file: FileId, text: &str, hcl: &Hcl) -> Vec<Hcl> {
    let is_code = |b: &&Block| {
        let path = b
            .body
            .attribute("path")
            .and_then(|a| text.get(hcl.tree.span(a.value).range()));
        path.is_some_and(|p| {
            [".tf", ".tofu"]
                .iter()
                .any(|end| p.trim_end_matches('"').ends_with(end))
        })
    };
    let blocks = hcl.body.blocks("generate").filter(is_code).take(MAX_GENERATED);
    let mut made: Vec<Hcl> = blocks
        .filter_map(|b| {
            let contents = hcl.tree.span(b.body.attribute("contents")?.value);
            let written = text.get(contents.range())?;
            let body = written.starts_with("<<").then(|| written.split_once('\n'))??.1;
            let start = contents.start as usize + written.len() - body.len();
            let inner = body.trim_end().rsplit_once('\n')?.0;
            Some(hcl::parse(file, &only(text, start..start + inner.len())))
        })
        .collect();
    if !made.is_empty() {
        let mut names = hcl::parse(file, text);
        names.body.attributes.clear();
        names.body.blocks.retain(|b| &*b.kind == "locals");
        made.push(names);
    }
    made
}

/// The text with blanks around `range`, so that what is in it keeps its place, and with the escapes of templates undone.
fn only(text: &str, range: Range<usize>) -> String {
    let blank = |part: &str| -> String { part.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect() };
    let inner = text[range.clone()].replace("$${", "${ ").replace("%%{", "%{ ");
    blank(&text[..range.start]) + &inner + &blank(&text[range.end..])
}

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
