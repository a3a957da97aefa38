//! The identity of a finding: what stays the same when lines move, files are reformatted or a policy goes from a heredoc
//! to `jsonencode`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{ReportedFinding, TriageOptions};
use crate::finding::Finding;
use crate::secrets::Mask;
use crate::source::{FileId, Sources, relative_path};

/// The parts of a fingerprint and the fingerprint itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingIdentity {
    /// Relative to [`TriageOptions::root`].
    pub path: String,
    /// Structural place: address, attribute without list indices, Sid.
    pub anchor: String,
    /// What the rule objected to, in words; empty for a secret.
    pub evidence: String,
    /// n-th among equals in document order, from 0.
    pub ordinal: usize,
    /// `og1:` and 12 hexadecimal digits.
    pub fingerprint: String,
}

impl FindingIdentity {
    /// The fingerprint that the finding would have if its rule had this name.
    pub(super) fn with_rule(&self, rule: &str) -> String {
        og1(rule, &self.path, &self.anchor, &self.evidence, self.ordinal)
    }
}

/// Fills in the identities, which baselines keep and which hold no secret; `reported` is sorted.
pub(super) fn identify(sources: &Sources, reported: &mut [ReportedFinding], terms: &TriageOptions<'_>, mask: &Mask) {
    let mut paths: BTreeMap<FileId, String> = BTreeMap::new();
    for f in reported.iter() {
        let file = f.span().file;
        let path = || relative_path(terms.root, &(terms.absolute)(sources.path(file)));
        paths.entry(file).or_insert_with(path);
    }
    reported.par_iter_mut().for_each(|f| {
        f.identity = FindingIdentity {
            path: paths[&f.span().file].clone(),
            anchor: mask.text(anchor(&f.finding)),
            evidence: evidence(sources, &f.finding, mask),
            ..FindingIdentity::default()
        };
    });
    let mut seen: HashMap<[&str; 4], usize> = HashMap::new();
    let ordinals: Vec<usize> = reported
        .iter()
        .map(|f| {
            let i = &f.identity;
            let count = seen.entry([f.rule(), &i.path, &i.anchor, &i.evidence]).or_default();
            *count += 1;
            *count - 1
        })
        .collect();
    reported.par_iter_mut().zip(ordinals).for_each(|(f, ordinal)| {
        let FindingIdentity {
            path, anchor, evidence, ..
        } = &f.identity;
        f.identity.fingerprint = og1(f.rule(), path, anchor, evidence, ordinal);
        f.identity.ordinal = ordinal;
    });
}

/// The first 12 hexadecimal digits of a hash over the parts, each with its length before it.
pub(super) fn og1(rule: &str, path: &str, anchor: &str, evidence: &str, ordinal: usize) -> String {
    let mut hash = Sha256::new();
    for part in [rule, path, anchor, evidence, &ordinal.to_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut out = "og1:".to_owned();
    for byte in hash.finalize().iter().take(6) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// `aws_iam_policy.ci/policy#BreakGlass`; list indices do not count.
fn anchor(f: &Finding) -> String {
    let s = &f.subject;
    let (address, attribute) = if s.apart {
        ("", "")
    } else {
        (s.address.as_str(), s.attribute.as_str())
    };
    let mut out = address.to_owned();
    for part in attribute.split('/').filter(|p| !p.is_empty()) {
        if !part.bytes().all(|b| b.is_ascii_digit()) {
            out.push('/');
            out.push_str(part);
        }
    }
    if let Some(sid) = &s.sid {
        out.push('#');
        out.push_str(sid);
    }
    out
}

/// `Action iam:*,s3:*; Resource *`: lower case, sorted, unknown parts as `${…}`. What no rule named is the token itself.
fn evidence(sources: &Sources, f: &Finding, mask: &Mask) -> String {
    if !f.secrets.is_empty() {
        return String::new();
    }
    let e = &f.evidence;
    let mut parts = Vec::new();
    for (name, list) in [
        ("Action ", &e.actions),
        ("Resource ", &e.resources),
        ("Principal ", &e.principals),
        ("", &e.other),
    ] {
        if !list.is_empty() {
            let mut items: Vec<String> = list.iter().map(|i| canonical(&mask.text(i.clone()))).collect();
            items.sort();
            items.dedup();
            parts.push(format!("{name}{}", items.join(",")));
        }
    }
    if f.more > 0 {
        parts.push(format!("{} more", f.more));
    }
    if parts.is_empty()
        && let Some(span) = f.span()
    {
        let token = mask.text(sources.slice(span).to_owned());
        let token: String = token.chars().take(200).collect();
        let words: Vec<&str> = token.split_whitespace().collect();
        return canonical(words.join(" ").trim_matches(['"', '\'']));
    }
    parts.join("; ")
}

/// Lower case, and every `${name}` as `${…}`.
fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find("${") {
        out.push_str(&rest[..i]);
        out.push_str("${…}");
        rest = match rest[i..].find('}') {
            Some(j) => &rest[i + j + 1..],
            None => "",
        };
    }
    out.push_str(rest);
    out.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_lengths_keep_them_apart() {
        let base = og1("r", "p", "a", "e", 0);
        assert_eq!(base.len(), 16);
        for other in [
            og1("r", "p", "a", "e", 1),
            og1("r", "p", "ae", "", 0),
            og1("rp", "", "a", "e", 0),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn unknown_parts_are_all_alike() {
        assert_eq!(canonical("arn:aws:s3:::${var.Bucket}/X${"), "arn:aws:s3:::${…}/x${…}");
    }
}
