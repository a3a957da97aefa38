//! What the resources of an action look like.

use std::collections::BTreeSet;

use super::glob::{Sym, TextGlob, is_symbol};
use super::solve::Frame;
use crate::iam::Action;
use crate::iam::catalogue::ResourceType;

/// The account of examples. AWS Account Management Reference, "AWS account identifiers".
pub(super) const ACCOUNT: &str = "111122223333";

/// `*` for an action of Amazon S3, which `arn:aws:s3:::*` matches too (`access/statement.rs`).
pub(super) const ALL_OF_S3: &str = "s3:*";

fn is_of_s3(action: Action) -> bool {
    action.name().starts_with("s3:")
}

/// Whether a pattern is of every bucket.
pub(super) fn is_every_bucket(pattern: &str) -> bool {
    pattern.starts_with("arn:") && pattern.ends_with(":s3:::*")
}

/// The third field of patterns of ARNs; `None` where a wildcard may stand for it.
pub(super) fn services_of(globs: &[TextGlob]) -> Option<BTreeSet<String>> {
    let of = |glob: &TextGlob| {
        let mut fields = glob.syms().split(|s| *s == Sym::Char(':'));
        let is_plain = |field: &[Sym]| {
            let chars = field.iter().map(|s| match s {
                Sym::Char(c) if !is_symbol(*c) => Some(*c),
                _ => None,
            });
            chars.collect::<Option<String>>()
        };
        let (first, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        // A star of the partition may reach further.
        let reaches = partition.contains(&Sym::Star);
        is_plain(first).filter(|_| !reaches).and_then(|_| is_plain(service))
    };
    globs.iter().map(of).collect()
}

/// Whether an action may be on a resource of one of these services.
pub(super) fn may_be_of(action: Action, services: &BTreeSet<String>) -> bool {
    let mut required = false;
    let named = action.resource_types().any(|kind| {
        required |= kind.required;
        let mut formats = kind.arn_formats();
        formats.any(|format| {
            let service = format.split(':').nth(2).unwrap_or_default();
            service.contains('$') || services.contains(service)
        })
    });
    named || !required && services.contains("s3") && is_of_s3(action)
}

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
            if format.ends_with(":log-group:${LogGroupName}") {
                // What most of its actions are checked against. CloudWatch Logs User Guide, "CloudWatch Logs resources and
                // operations".
                out.resources.push(glob.followed_by(":*"));
                out.samples.push(format!("{sample}:*"));
            }
            out.resources.push(glob);
            out.samples.push(sample);
        }
    }
    out.resources.extend(action.checked_arns().map(TextGlob::plain));
    if !required {
        let all = if is_of_s3(action) { ALL_OF_S3 } else { "*" };
        out.resources.push(TextGlob::literal(all));
        out.samples.push(all.to_owned());
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
                syms.extend([Sym::SomeInSegment, Sym::Segment]);
                sample.push_str("example-bucket");
            }
            name => {
                // Of names, those of objects have colons, and few others.
                let any = loose || kind.starts_with("object");
                syms.extend(if any {
                    [Sym::Some, Sym::Star]
                } else {
                    [Sym::SomeInField, Sym::Field]
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
