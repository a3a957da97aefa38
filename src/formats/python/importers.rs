//! Files that call nothing of AWS themselves but import, however indirectly, those that do: a handler is often such a file.
//!
//! **Invariant:** a file is looked at without parsing it, once a round; a repository without any file of ours costs nothing.

use std::collections::BTreeSet;

use crate::source::{FileId, Sources, join_path, parent_path};

/// Bytes of files that are taken in addition.
const MAX_BYTES: usize = 16 << 20;
/// How long a chain of imports may be.
const MAX_ROUNDS: usize = 6;

/// Python files beside `files` that import one of them, sorted.
pub(super) fn importers(sources: &Sources, files: &[FileId]) -> Vec<FileId> {
    let mut known: BTreeSet<FileId> = files.iter().copied().collect();
    let mut fresh: Vec<FileId> = files
        .iter()
        .copied()
        .filter(|f| sources.path(*f).ends_with(".py"))
        .collect();
    if fresh.is_empty() {
        return Vec::new();
    }
    let others: Vec<(FileId, Vec<String>)> = sources
        .ids()
        .filter(|f| !known.contains(f) && sources.path(*f).ends_with(".py"))
        .map(|f| (f, imports(sources.path(f), sources.text(f))))
        .filter(|(_, i)| !i.is_empty())
        .collect();
    let mut found = Vec::new();
    let mut bytes = 0;
    for _ in 0..MAX_ROUNDS {
        // What an importer would write, from the end: `storage`, `services/storage`.
        let mut targets: BTreeSet<&str> = BTreeSet::new();
        for f in &fresh {
            let path = sources.path(*f);
            let path = path.strip_suffix(".py").unwrap_or(path);
            let path = path.strip_suffix("/__init__").unwrap_or(path);
            targets.insert(path);
            for (i, _) in path.match_indices('/') {
                targets.insert(&path[i + 1..]);
            }
        }
        let mut next = Vec::new();
        for (f, imports) in &others {
            if known.contains(f) || !imports.iter().any(|i| targets.contains(i.as_str())) {
                continue;
            }
            bytes += sources.text(*f).len();
            if bytes > MAX_BYTES {
                break;
            }
            known.insert(*f);
            next.push(*f);
        }
        if next.is_empty() {
            break;
        }
        found.extend(&next);
        fresh = next;
    }
    found.sort_unstable();
    found
}

/// What a file's import statements name, as paths without `.py`; relative ones from the top of the repository. A rough
/// reading of lines: too much does no harm.
fn imports(path: &str, text: &str) -> Vec<String> {
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
