//! Names of identities, policies, and stored packages, by which files refer to each other wherever they are.

use aho_corasick::AhoCorasick;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Groups;
use super::links::{FileLinks, LinkingKind};
use crate::iam::Ownership;
use crate::source::{FileId, Sources};

/// Properties and arguments whose value is a name.
const KEYS: [&str; 8] = [
    "RoleName",
    "UserName",
    "GroupName",
    "ManagedPolicyName",
    "role_name",
    "user_name",
    "group_name",
    "managed_policy_name",
];
/// What stands before a name in an ARN of IAM.
const IN_ARNS: [&str; 4] = [":role/", ":policy/", ":user/", ":group/"];
/// Blocks of Terraform whose `name` is that of an identity or a policy.
const NAMED_BLOCKS: [&str; 5] = [
    "resource \"aws_iam_role\"",
    "resource \"aws_iam_policy\"",
    "resource \"aws_iam_user\"",
    "resource \"aws_iam_group\"",
    "resource \"aws_ssoadmin_permission_set\"",
];
/// Those whose `key` is that of an object.
const OBJECT_BLOCKS: [&str; 2] = ["resource \"aws_s3_object\"", "resource \"aws_s3_bucket_object\""];
/// Shortest name that is looked for, in bytes.
const MIN_NAME: usize = 3;

/// Adds the names that a text gives and refers to.
pub(super) fn collect(kind: LinkingKind, text: &str, out: &mut Vec<String>) {
    let bytes = text.as_bytes();
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    let is_plain = kind == LinkingKind::Other;
    let mut add_values = |key: &str, of: &[&str]| {
        for at in memchr::memmem::find_iter(bytes, key.as_bytes()) {
            let is_part = at.checked_sub(1).is_some_and(|before| is_of_word(bytes[before]));
            if !is_part && is_in_block(&text[..at], of) {
                out.extend(value_after(&text[at + key.len()..], is_plain));
            }
        }
    };
    KEYS.iter().for_each(|key| add_values(key, &[]));
    match kind {
        LinkingKind::Terraform => {
            add_values("name", &NAMED_BLOCKS);
            add_values("key", &OBJECT_BLOCKS);
            add_values("s3_key", &[]);
        }
        LinkingKind::Python => add_values("PolicyName", &[]),
        LinkingKind::Other if has("AWS::SSO::PermissionSet") => add_values("Name", &[]),
        LinkingKind::Other => {}
    }
    add_values("S3Key", &[]);
    for mark in IN_ARNS {
        for at in memchr::memmem::find_iter(bytes, mark.as_bytes()) {
            let of_aws = text[..at].ends_with(":aws");
            out.extend(arn_name(&text[at + mark.len()..]).filter(|_| !of_aws));
        }
    }
    out.sort_unstable();
    out.dedup();
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || "_+=,.@-/".contains(c)
}

/// Whether the block of Terraform around the end of the text is one of these; any is where there are none.
fn is_in_block(before: &str, of: &[&str]) -> bool {
    if of.is_empty() {
        return true;
    }
    let begin = memchr::memmem::rfind(before.as_bytes(), b"\nresource \"").map_or(0, |at| at + 1);
    of.iter().any(|kind| before[begin..].starts_with(kind))
}

/// `my-role` of `: my-role`, `" = "my-role"`, `: !Sub 'my-role'`; `None` of an expression. Without quotes only if it `is_plain`.
fn value_after(text: &str, is_plain: bool) -> Option<String> {
    let text = text.trim_start_matches(['"', '\'']).trim_start_matches(' ');
    let text = text.strip_prefix([':', '='])?.trim_start_matches(' ');
    let text = text.strip_prefix("!Sub").unwrap_or(text).trim_start_matches(' ');
    let inner = text.strip_prefix(['"', '\'']);
    let text = inner.or(is_plain.then_some(text))?;
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    let is_open = text[end..].starts_with(['$', '{', '(', '*', ':']);
    let name = text[..end].trim_end_matches([',', '.']);
    (name.len() >= MIN_NAME && !is_open && !matches!(name, "true" | "false" | "null")).then(|| name.to_owned())
}

/// The last part of what follows `:role/`, where it is known.
fn arn_name(text: &str) -> Option<String> {
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    let is_open = text[end..].starts_with(['$', '{', '*', '?']);
    let name = text[..end].rsplit('/').next().unwrap_or_default();
    (name.len() >= MIN_NAME && !is_open).then(|| name.to_owned())
}

/// The names of all files, and who has them.
pub(super) struct Names<'s> {
    sources: &'s Sources,
    links: &'s [&'s FileLinks],
    by_name: FxHashMap<&'s str, Vec<FileId>>,
    by_file: FxHashMap<FileId, Vec<&'s str>>,
}

impl<'s> Names<'s> {
    pub(super) fn new(sources: &'s Sources, own: &'s Ownership, links: &'s [&'s FileLinks]) -> Self {
        let mut out = Self {
            sources,
            links,
            by_name: FxHashMap::default(),
            by_file: FxHashMap::default(),
        };
        for id in sources.ids() {
            for name in &links[id.0 as usize].names {
                out.add(id, name);
            }
        }
        for entry in &own.workloads {
            let name = entry.role.text.rsplit(['/', ':', '.']).next().unwrap_or_default();
            if let Some(file) = sources.find(&entry.file).filter(|_| name.len() >= MIN_NAME) {
                out.add(file, name);
            }
        }
        out
    }

    fn add(&mut self, file: FileId, name: &'s str) {
        self.by_name.entry(name).or_default().push(file);
        self.by_file.entry(file).or_default().push(name);
    }

    /// Joins with the group of `start` the files that have a name which stands in one of the group, and those in which a name
    /// of the group stands.
    pub(super) fn connect(&self, start: FileId, groups: &mut Groups) {
        let all: Vec<&str> = self.by_name.keys().copied().collect();
        let Ok(every) = AhoCorasick::new(&all) else { return };
        let mut looked_for: FxHashSet<&str> = FxHashSet::default();
        let mut read: FxHashSet<FileId> = FxHashSet::default();
        loop {
            let (inside, outside): (Vec<FileId>, Vec<FileId>) = self
                .sources
                .ids()
                .filter(|id| self.links[id.0 as usize].may_link)
                .partition(|id| groups.are_joined(start, *id));
            let fresh: Vec<FileId> = inside.iter().copied().filter(|id| read.insert(*id)).collect();
            if fresh.is_empty() {
                return;
            }
            let named: Vec<&str> = fresh
                .par_iter()
                .flat_map_iter(|id| mentioned(self.sources.text(*id), &every).map(|n| all[n]))
                .collect();
            for file in named.iter().flat_map(|name| &self.by_name[name]) {
                groups.join(start, *file);
            }
            let own = fresh.iter().filter_map(|id| self.by_file.get(id)).flatten();
            let own: Vec<&str> = own.copied().filter(|name| looked_for.insert(name)).collect();
            let Ok(own) = AhoCorasick::new(&own) else { return };
            if own.patterns_len() == 0 {
                continue;
            }
            let naming: Vec<FileId> = outside
                .into_par_iter()
                .filter(|id| mentioned(self.sources.text(*id), &own).next().is_some())
                .collect();
            naming.into_iter().for_each(|file| groups.join(start, file));
        }
    }
}

/// Which of the patterns stand in the text as whole words.
fn mentioned<'t>(text: &'t str, patterns: &'t AhoCorasick) -> impl Iterator<Item = usize> + 't {
    let joins = |byte: Option<&u8>| byte.is_some_and(|byte| is_of_word(*byte));
    patterns.find_overlapping_iter(text).filter_map(move |hit| {
        let bytes = text.as_bytes();
        let before = hit.start().checked_sub(1).and_then(|at| bytes.get(at));
        let is_whole = !joins(before) && !joins(bytes.get(hit.end()));
        is_whole.then(|| hit.pattern().as_usize())
    })
}
