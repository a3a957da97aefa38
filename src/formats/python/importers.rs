//! Files that name no SDK themselves but import, however indirectly, those that do (a handler is often such a file), or are
//! imported by them and call methods that a client has: they may be handed one.
//!
//! **Invariant:** a file is looked at without parsing it, once; a repository without Python that mentions AWS costs nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::sdk_copies::SdkCopies;
use crate::iam::sdk;
use crate::source::{FileId, Sources, join_path, parent_path};
use crate::test_code::is_test_code;

/// Most bytes of files that are read in addition.
const MAX_BYTES: usize = 16 << 20;
/// How long a chain of imports may be.
const MAX_ROUNDS: usize = 6;
/// The same for files that are imported.
const MAX_ROUNDS_DOWN: usize = 3;
/// More files of one name are not distinguished.
const MAX_NAMESAKES: usize = 8;

/// Python files that `files` import, and that these import, although nothing in them seems to concern AWS: whether all of a
/// program is understood depends on them too. Sorted.
pub(super) fn helpers(sources: &Sources, files: &[FileId], copies: &SdkCopies) -> Vec<FileId> {
    let known: BTreeSet<FileId> = files.iter().copied().collect();
    let others = others(sources, copies).filter(|f| !known.contains(f));
    let mut by_name: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
    for f in others {
        for name in importable_names(sources.path(f)) {
            by_name.entry(name).or_default().push(f);
        }
    }
    let has_links = sources.links().next().is_some();
    let mut found: BTreeSet<FileId> = BTreeSet::new();
    let mut fresh = if by_name.is_empty() { Vec::new() } else { files.to_vec() };
    let mut bytes = 0;
    while !fresh.is_empty() {
        let imported: Vec<(FileId, Vec<String>)> = fresh
            .par_iter()
            .map(|f| (*f, imports(sources.path(*f), sources.text(*f))))
            .collect();
        fresh.clear();
        for (importer, names) in &imported {
            let folder = parent_path(sources.path(*importer));
            for name in names {
                // Every function may have a `utils` of its own: the one beside the importer is meant.
                let in_folder = |folder: &str| -> Vec<FileId> {
                    let base = join_path(folder, name);
                    let paths = [format!("{base}.py"), format!("{base}/__init__.py")];
                    paths.iter().filter_map(|path| sources.find(path)).collect()
                };
                let all = by_name.get(name.as_str()).map_or(&[][..], Vec::as_slice);
                let mut near = in_folder(folder);
                // A name that no file has may be that of a link in a folder above.
                let mut above = folder;
                while near.is_empty() && all.is_empty() && has_links && !above.is_empty() {
                    above = parent_path(above);
                    near = in_folder(above);
                }
                let far = match near.is_empty() {
                    true => nearest(sources, folder, all),
                    false => Vec::new(),
                };
                for file in near.iter().chain(&far).filter(|f| !known.contains(f)) {
                    bytes += if found.contains(file) {
                        0
                    } else {
                        sources.text(*file).len()
                    };
                    if bytes <= MAX_HELPERS && found.insert(*file) {
                        fresh.push(*file);
                    }
                }
            }
        }
    }
    found.into_iter().collect()
}

/// Those of several files of one name that may be meant in a folder: all, or, of too many, those that share most of its path.
fn nearest(sources: &Sources, folder: &str, all: &[FileId]) -> Vec<FileId> {
    if all.len() <= MAX_NAMESAKES {
        return all.to_vec();
    }
    let shared = |file: &FileId| {
        let parts = sources.path(*file).split('/').zip(folder.split('/'));
        parts.take_while(|(a, b)| a == b).count()
    };
    let most = all.iter().map(shared).max().unwrap_or_default();
    let near: Vec<FileId> = all.iter().copied().filter(|f| most > 0 && shared(f) == most).collect();
    if near.len() <= MAX_NAMESAKES { near } else { Vec::new() }
}

/// Bytes of files that only help others.
const MAX_HELPERS: usize = 2 << 20;

/// A file that may be read in addition.
struct Other {
    file: FileId,
    imports: Vec<String>,
}

/// Python files beside `files` that import one of them, or that they import and that seem to use a client; sorted.
pub(super) fn importers(sources: &Sources, files: &[FileId], copies: &SdkCopies) -> Vec<FileId> {
    let mut known: BTreeSet<FileId> = files.iter().copied().collect();
    let ours: Vec<FileId> = files
        .iter()
        .copied()
        .filter(|f| sources.path(*f).ends_with(".py"))
        .collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let others: Vec<FileId> = others(sources, copies).filter(|f| !known.contains(f)).collect();
    let read = |f: FileId| Other {
        file: f,
        imports: imports(sources.path(f), sources.text(f)),
    };
    let others: Vec<Other> = others.into_par_iter().map(read).collect();
    let mut bytes = 0;
    let mut found = find_importers(sources, &ours, &others, &mut known, &mut bytes);
    found.extend(find_imported(sources, &ours, &others, &mut known, &mut bytes));
    found.sort_unstable();
    found
}

/// The repository's own Python files.
fn others<'s>(sources: &'s Sources, copies: &'s SdkCopies) -> impl Iterator<Item = FileId> + 's {
    let all = sources.ids().filter(|f| sources.path(*f).ends_with(".py"));
    all.filter(|f| sources.is_analyzed(*f) && !copies.has(sources, *f))
}

/// Those that import `files`, and those that import these.
fn find_importers(
    sources: &Sources,
    files: &[FileId],
    others: &[Other],
    known: &mut BTreeSet<FileId>,
    bytes: &mut usize,
) -> Vec<FileId> {
    let mut fresh = files.to_vec();
    let mut found = Vec::new();
    for _ in 0..MAX_ROUNDS {
        // Whether test code is among the files that a name may mean.
        let mut targets: HashMap<&str, bool> = HashMap::new();
        for path in fresh.iter().map(|f| sources.path(*f)) {
            let is_test = is_test_code(path);
            for name in importable_names(path) {
                *targets.entry(name).or_default() |= is_test;
            }
        }
        // What a test hands to the code that it imports is not what that is given when it is deployed.
        let is_wanted = |o: &Other| {
            let mut imported = o.imports.iter().filter_map(|i| targets.get(i.as_str())).peekable();
            imported.peek().is_some() && (imported.any(|is_test| *is_test) || !is_test_code(sources.path(o.file)))
        };
        let mut next = Vec::new();
        for o in others {
            if known.contains(&o.file) || !is_wanted(o) {
                continue;
            }
            *bytes += sources.text(o.file).len();
            if *bytes > MAX_BYTES {
                break;
            }
            known.insert(o.file);
            next.push(o.file);
        }
        if next.is_empty() {
            break;
        }
        found.extend(&next);
        fresh = next;
    }
    found
}

/// Those that `files` import and that seem to call a client, or to import what does.
fn find_imported(
    sources: &Sources,
    files: &[FileId],
    others: &[Other],
    known: &mut BTreeSet<FileId>,
    bytes: &mut usize,
) -> Vec<FileId> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, o) in others.iter().enumerate().filter(|(_, o)| !known.contains(&o.file)) {
        for name in importable_names(sources.path(o.file)) {
            by_name.entry(name).or_default().push(i);
        }
    }
    let mut fresh: Vec<(Option<usize>, Vec<String>)> = files
        .par_iter()
        .map(|f| (None, imports(sources.path(*f), sources.text(*f))))
        .collect();
    let mut found = Vec::new();
    // What is looked at, and which of those imported it first; ours have none.
    let mut by: BTreeMap<usize, Option<usize>> = BTreeMap::new();
    for _ in 0..MAX_ROUNDS_DOWN {
        let mut wanted: BTreeMap<usize, Option<usize>> = BTreeMap::new();
        for (importer, imports) in &fresh {
            let named = imports.iter().filter_map(|i| by_name.get(i.as_str()));
            // A name that many files bear says nothing.
            for i in named.filter(|all| all.len() <= MAX_NAMESAKES).flatten() {
                if !by.contains_key(i) {
                    wanted.entry(*i).or_insert(*importer);
                }
            }
        }
        fresh = wanted.keys().map(|i| (Some(*i), others[*i].imports.clone())).collect();
        by.extend(&wanted);
        for i in wanted.into_keys() {
            if !calls_client_method(sources.text(others[i].file)) {
                continue;
            }
            // It, and those that the client comes through.
            let mut at = Some(i);
            while let Some(i) = at.filter(|i| known.insert(others[*i].file)) {
                *bytes += sources.text(others[i].file).len();
                if *bytes > MAX_BYTES {
                    return found;
                }
                found.push(others[i].file);
                at = by.get(&i).copied().flatten();
            }
        }
    }
    found
}

/// What an importer would write of a path, from its end: `storage`, `services/storage`.
pub(super) fn importable_names(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_suffix(".py").unwrap_or(path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    let ends = path.match_indices('/').map(|(i, _)| &path[i + 1..]);
    std::iter::once(path).chain(ends)
}

/// Whether `.name(` stands somewhere in the text for a method of some client.
fn calls_client_method(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'(', bytes).any(|end| {
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let start = end - bytes[..end].iter().rev().take_while(|b| is_word(b)).count();
        let named = start > 0 && bytes[start - 1] == b'.';
        named && (sdk::is_client_method(&text[start..end]) || &text[start..end] == "get_paginator")
    })
}

/// What a file's import statements name, as paths without `.py`; relative ones from the top of the repository. A rough
/// reading of lines: too much does no harm.
pub(crate) fn imports(path: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("import ") {
            for name in rest.split(',') {
                let name = name.split_whitespace().next().unwrap_or("");
                out.push(name.replace('.', "/"));
            }
        } else if let Some(rest) = line.strip_prefix("from ") {
            let Some((from, names)) = rest.split_once(" import ") else {
                continue;
            };
            let from = from.trim();
            let level = from.len() - from.trim_start_matches('.').len();
            let module = from[level..].replace('.', "/");
            let base = if level == 0 {
                module
            } else {
                let up = "../".repeat(level - 1);
                join_path(parent_path(path), &format!("{up}{module}"))
            };
            let mut names = names.to_owned();
            if names.contains('(') && !names.contains(')') {
                for more in lines.by_ref().take(200) {
                    names.push_str(more.split('#').next().unwrap_or(""));
                    if more.contains(')') {
                        break;
                    }
                }
            }
            for name in names.split([',', '(', ')']) {
                let name = name.split_whitespace().next().unwrap_or("");
                if !name.is_empty() && name != "*" {
                    out.push(if base.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{base}/{name}")
                    });
                }
            }
            if !base.is_empty() {
                out.push(base);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_read_for_test_code_only() {
        let files = [
            ("src/store.py", "import boto3\n"),
            ("src/cli.py", "from store import save\n"),
            ("tests/fakes.py", "import boto3\n"),
            ("tests/test_fakes.py", "from fakes import client\n"),
            ("tests/test_store.py", "from store import save\n"),
        ];
        let sources = Sources::from_strings(&files);
        let ours: Vec<FileId> = ["src/store.py", "tests/fakes.py"]
            .iter()
            .filter_map(|p| sources.find(p))
            .collect();
        let found = importers(&sources, &ours, &SdkCopies::default());
        let paths: Vec<&str> = found.iter().map(|f| sources.path(*f)).collect();
        assert_eq!(paths, ["src/cli.py", "tests/test_fakes.py"]);
    }
}
