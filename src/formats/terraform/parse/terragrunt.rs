//! `terragrunt.hcl`: a call of the module that it names, with its inputs as arguments.
//!
//! Terragrunt documentation, "HCL Blocks" and "HCL Attributes": `terraform { source }`, `inputs`, `locals`, `generate`.

use std::ops::Range;

use crate::source::{FileId, Problem, ProblemKind, Sources, join_path, parent_path};
use crate::syntax::hcl::{self, Attribute, BlockLabel, Body, HclBlock, HclFile};
use crate::syntax::{NodeId, NodeKind};

use crate::formats::terraform::parse::directory::{FileRole, is_hcl_file};

/// How many `generate` blocks of one file are read.
const MAX_GENERATED: usize = 20;

/// What the `generate` blocks of a file write.
#[derive(Default)]
pub(crate) struct GeneratedFile {
    /// The Terraform files.
    pub(crate) made: Vec<HclFile>,
    /// Files that hold some of them and are not here.
    pub(crate) wanted: Vec<String>,
    pub(crate) problems: Vec<Problem>,
}

/// The Terraform files that the `generate` blocks write, where their contents are written out or stand in another file.
/// Terragrunt replaces `${…}` in them before Terraform sees them, with the names of this file. Terragrunt documentation,
/// "generate".
pub(crate) fn generated(sources: &Sources, file: FileId, hcl: &HclFile) -> GeneratedFile {
    let text = sources.text(file);
    let is_code = |b: &&HclBlock| {
        let path = b
            .body
            .attribute("path")
            .and_then(|a| text.get(hcl.tree.span(a.value).range()));
        path.is_some_and(|p| is_hcl_file(p.trim_end_matches('"')))
    };
    let mut out = GeneratedFile::default();
    for (i, block) in hcl.body.blocks("generate").filter(is_code).enumerate() {
        let unread = |message: &str| Problem::new(ProblemKind::Exhausted, block.header, message);
        if i == MAX_GENERATED {
            out.problems
                .push(unread("too many `generate` blocks: the rest are not judged"));
            break;
        }
        let Some(contents) = block.body.attribute("contents") else {
            continue;
        };
        let node = contents.value;
        let span = hcl.tree.span(node);
        let written = text.get(span.range()).unwrap_or_default();
        let start = span.start as usize;
        if let Some(quoted) = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            let code = blank_out_others(text, start + 1..start + 1 + quoted.len(), without_escapes);
            out.made.push(hcl::parse(file, &code));
        } else if written.starts_with("<<") {
            let body = written.split_once('\n').map_or("", |(_, body)| body);
            let inner = body.trim_end().rsplit_once('\n').map_or("", |(inner, _)| inner);
            let start = start + written.len() - body.len();
            let code = blank_out_others(text, start..start + inner.len(), str::to_owned);
            out.made.push(hcl::parse(file, &code));
        } else {
            let path = file_argument(hcl, node).map(|name| join_path(parent_path(sources.path(file)), &name));
            match path.as_deref().map(|path| sources.find(path)) {
                Some(Some(other)) => out.made.push(hcl::parse(other, sources.text(other))),
                found => {
                    out.problems
                        .push(unread("what this block generates is not known, and not judged"));
                    out.wanted.extend(path.filter(|_| found.is_some()));
                }
            }
        }
    }
    if !out.made.is_empty() {
        let mut names = hcl::parse(file, text);
        names.body.attributes.clear();
        names.body.blocks.retain(|b| &*b.kind == "locals");
        out.made.push(names);
    }
    out
}

/// The file that `file("iam.tf")` or `file("${get_terragrunt_dir()}/iam.tf")` reads.
fn file_argument(hcl: &HclFile, node: NodeId) -> Option<String> {
    let tree = &hcl.tree;
    if tree.kind(node) != NodeKind::Call || tree.name(node) != "file" {
        return None;
    }
    let argument = tree.children(node).next()?;
    match tree.kind(argument) {
        NodeKind::Str => Some(tree.text(argument)?.known()?.into_owned()),
        NodeKind::Template => {
            let mut parts = tree.children(argument);
            let (here, rest) = (parts.next()?, parts.next()?);
            let is_here = tree.kind(here) == NodeKind::Call && tree.name(here) == "get_terragrunt_dir";
            let rest = tree.text(rest)?.known()?;
            (is_here && parts.next().is_none()).then(|| rest.trim_start_matches('/').to_owned())
        }
        _ => None,
    }
}

/// The text with blanks around `range`, so that what is in it keeps its place, and with the escapes of templates and those
/// that `unescape` knows undone.
fn blank_out_others(text: &str, range: Range<usize>, unescape: fn(&str) -> String) -> String {
    let blank = |part: &str| -> String { part.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect() };
    let inner = unescape(&text[range.clone()])
        .replace("$${", "${ ")
        .replace("%%{", "%{ ");
    blank(&text[..range.start]) + &inner + &blank(&text[range.end..])
}

/// A quoted text without its escapes, each of which stays as long as it is written.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'r') => out.push_str(" \n"),
            Some('t') => out.push_str("  "),
            // The blank is outside of the string that the quote opens or closes.
            Some('"') => {
                out.push_str(if open { "\" " } else { " \"" });
                open = !open;
            }
            Some(c) => out.extend([' ', c]),
            None => out.push(' '),
        }
    }
    out
}

/// The file as Terraform would write it: a module call, or, where it names no source, values for its own directory.
pub(crate) fn rewrite(hcl: HclFile) -> (FileRole, HclFile) {
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
        return (FileRole::Values, HclFile { tree: hcl.tree, body });
    };
    attributes.push(source);
    let call = HclBlock {
        kind: "module".into(),
        kind_span: block.kind_span,
        labels: vec![BlockLabel {
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
    let mut blocks: Vec<HclBlock> = hcl.body.blocks("locals").cloned().collect();
    blocks.push(call);
    let body = Body {
        blocks,
        ..Body::default()
    };
    (FileRole::Config, HclFile { tree: hcl.tree, body })
}
