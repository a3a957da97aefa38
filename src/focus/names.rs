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

/// Names that were looked for, and where they stand. What is not known yet is looked for when it is asked for.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    /// The names of all files, and what finds them.
    every: Option<(Vec<String>, AhoCorasick)>,
    /// By file: the names of other files that stand in it.
    standing: FxHashMap<FileId, Vec<String>>,
    /// By name: the files in which it stands.
    places: FxHashMap<String, FxHashSet<FileId>>,
    /// Files of which `places` does not know what stands in them.
    unread: FxHashSet<FileId>,
}

/// The files, the settings, and what each file names.
type Named<'s> = (&'s Sources, &'s Ownership, &'s [&'s FileLinks]);

impl NameIndex {
    /// The file has another text.
    pub(super) fn forget(&mut self, file: FileId) {
        self.standing.remove(&file);
        self.unread.insert(file);
    }

    /// Joins with the group of `start` the files that have a name which stands in one of the group, and those in which a name
    /// of the group stands.
    pub(super) fn connect(&mut self, named: Named<'_>, start: FileId, groups: &mut Groups) {
        let (sources, _, links) = named;
        let (by_name, by_file) = names_of(named);
        if !self.knows_all(&by_name) {
            return;
        }
        self.read_changed(named);
        let mut read: FxHashSet<FileId> = FxHashSet::default();
        loop {
            let (inside, outside): (Vec<FileId>, Vec<FileId>) = sources
                .ids()
                .filter(|id| links[id.0 as usize].may_link)
                .partition(|id| groups.are_joined(start, *id));
            let fresh: Vec<FileId> = inside.iter().copied().filter(|id| read.insert(*id)).collect();
            if fresh.is_empty() {
                return;
            }
            self.find_standing(sources, &fresh);
            let named = fresh.iter().flat_map(|id| &self.standing[id]);
            for file in named.filter_map(|name| by_name.get(name.as_str())).flatten() {
                groups.join(start, *file);
            }
            let own: FxHashSet<&str> = fresh
                .iter()
                .filter_map(|id| by_file.get(id))
                .flatten()
                .copied()
                .collect();
            if !self.find_places(sources, &inside, &outside, &own) {
                return;
            }
            for place in own.iter().filter_map(|name| self.places.get(*name)).flatten() {
                groups.join(start, *place);
            }
        }
    }

    /// Sees to it that all names can be found; whether they can.
    fn knows_all(&mut self, by_name: &FxHashMap<&str, Vec<FileId>>) -> bool {
        let known = self.every.take();
        // A name that no file has any more is found in vain.
        let known = known.filter(|(names, _)| by_name.keys().all(|name| is_in(names, name)));
        self.every = known.or_else(|| {
            let mut names: Vec<String> = by_name.keys().map(|name| (*name).to_owned()).collect();
            names.sort_unstable();
            let every = AhoCorasick::new(&names).ok()?;
            self.standing.clear();
            Some((names, every))
        });
        self.every.is_some()
    }

    /// Looks in the files that have changed for the names whose places are known.
    fn read_changed(&mut self, (sources, _, links): Named<'_>) {
        let changed = std::mem::take(&mut self.unread);
        if self.places.is_empty() || changed.is_empty() {
            return;
        }
        let mut names: Vec<&String> = self.places.keys().collect();
        names.sort_unstable();
        let Ok(known) = AhoCorasick::new(&names) else {
            self.places.clear();
            return;
        };
        let is_linked = |file: &&FileId| links[file.0 as usize].may_link;
        let found = changed.iter().filter(is_linked).flat_map(|file| {
            let standing = mentioned(sources.text(*file), &known);
            standing.map(|n| (*file, names[n].clone()))
        });
        let found: Vec<(FileId, String)> = found.collect();
        self.places.retain(|_, places| {
            places.retain(|file| !changed.contains(file));
            true
        });
        for (file, name) in found {
            self.places.entry(name).or_default().insert(file);
        }
    }

    /// Finds the names that stand in files.
    fn find_standing(&mut self, sources: &Sources, files: &[FileId]) {
        let Some((names, every)) = &self.every else { return };
        let unknown: Vec<FileId> = files
            .iter()
            .copied()
            .filter(|id| !self.standing.contains_key(id))
            .collect();
        let found: Vec<(FileId, Vec<String>)> = unknown
            .par_iter()
            .map(|id| {
                let standing: FxHashSet<usize> = mentioned(sources.text(*id), every).collect();
                (*id, standing.into_iter().map(|n| names[n].clone()).collect())
            })
            .collect();
        self.standing.extend(found);
    }

    /// Finds the files in which names stand; whether that can be done.
    fn find_places(
        &mut self,
        sources: &Sources,
        inside: &[FileId],
        outside: &[FileId],
        names: &FxHashSet<&str>,
    ) -> bool {
        let unknown: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !self.places.contains_key(*name))
            .collect();
        if unknown.is_empty() {
            return true;
        }
        let Ok(words) = AhoCorasick::new(&unknown) else {
            return false;
        };
        let found: Vec<(FileId, usize)> = inside
            .par_iter()
            .chain(outside)
            .flat_map_iter(|id| mentioned(sources.text(*id), &words).map(move |n| (*id, n)))
            .collect();
        self.places
            .extend(unknown.iter().map(|name| ((*name).to_owned(), FxHashSet::default())));
        for (file, n) in found {
            self.places.entry(unknown[n].to_owned()).or_default().insert(file);
        }
        true
    }
}

fn is_in(sorted: &[String], name: &str) -> bool {
    sorted.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
}

type FilesByName<'s> = FxHashMap<&'s str, Vec<FileId>>;
type NamesByFile<'s> = FxHashMap<FileId, Vec<&'s str>>;

/// The names of all files, and who has them.
fn names_of<'s>((sources, own, links): Named<'s>) -> (FilesByName<'s>, NamesByFile<'s>) {
    let mut by_name: FxHashMap<&str, Vec<FileId>> = FxHashMap::default();
    let mut by_file: FxHashMap<FileId, Vec<&str>> = FxHashMap::default();
    let mut add = |file: FileId, name: &'s str| {
        by_name.entry(name).or_default().push(file);
        by_file.entry(file).or_default().push(name);
    };
    for id in sources.ids() {
        links[id.0 as usize].names.iter().for_each(|name| add(id, name));
    }
    for entry in &own.workloads {
        let name = entry.role.text.rsplit(['/', ':', '.']).next().unwrap_or_default();
        if let Some(file) = sources.find(&entry.file).filter(|_| name.len() >= MIN_NAME) {
            add(file, name);
        }
    }
    (by_name, by_file)
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
