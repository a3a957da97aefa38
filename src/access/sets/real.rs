//! What the resources of an action look like.

use super::glob::{Sym, TextGlob};
use super::solve::Frame;
use crate::iam::Action;
use crate::iam::catalogue::ResourceType;

/// The account of examples. AWS Account Management Reference, "AWS account identifiers".
pub(super) const ACCOUNT: &str = "111122223333";

/// The resources that requests for an action can name, with examples. `loose`: names may have colons.
pub(super) fn resources_of(action: Action, loose: bool) -> Frame {
    let mut out = Frame::default();
    let mut required = false;
    let mut kinds: Vec<ResourceType> = action.resource_types().collect();
    kinds.sort_by_key(|k| !k.required);
    for kind in kinds {
        required |= kind.required;
        for format in kind.arn_formats() {
            let (glob, sample) = read(format, kind.name(), loose);
            out.resources.push(glob);
            out.samples.push(sample);
        }
    }
    if !required {
        out.resources.push(TextGlob::literal("*"));
        out.samples.push("*".to_owned());
    }
    out
}

fn read(format: &str, kind: &str, loose: bool) -> (TextGlob, String) {
    let mut syms = Vec::new();
    let mut sample = String::new();
    let mut rest = format;
    while let Some(open) = rest.find("${") {
        let (head, tail) = rest.split_at(open);
        let Some(close) = tail.find('}') else { break };
        syms.extend(head.chars().map(Sym::Char));
        sample.push_str(head);
        match &tail[2..close] {
            "Partition" => {
                syms.push(Sym::Field);
                sample.push_str("aws");
            }
            "Region" => {
                syms.push(Sym::Field);
                sample.push_str("us-east-1");
            }
            "Account" => {
                syms.push(Sym::Field);
                sample.push_str(ACCOUNT);
            }
            // A name of a bucket has no slash: the rest would be an object.
            "BucketName" if kind == "bucket" => {
                syms.extend([Sym::One, Sym::Segment]);
                sample.push_str("example-bucket");
            }
            name => {
                // Of names, those of objects have colons, and few others.
                let any = loose || kind.starts_with("object");
                syms.extend(if any {
                    [Sym::One, Sym::Star]
                } else {
                    [Sym::OneInField, Sym::Field]
                });
                sample.push_str(match name {
                    "BucketName" => "example-bucket",
                    _ => "example",
                });
            }
        }
        rest = &tail[close + 1..];
    }
    syms.extend(rest.chars().map(Sym::Char));
    sample.push_str(rest);
    (TextGlob::new(syms), sample)
}
