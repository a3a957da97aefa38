//! Files that are read only to understand the ones that were named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::names::{Promise, promise};
use super::{Found, Search, read, walk};
use crate::source::join_path;

/// More neighbours than this are left alone: such a folder is a heap, not a module.
const MAX_NEIGHBOURS: usize = 2_000;
/// Neighbours larger than this are data.
const MAX_CONTEXT_SIZE: u64 = 2 << 20;

/// Reads the files of our formats that lie beside a named file, in the absolute folder `dir`, but for those in `known`.
pub(super) fn neighbours(search: &Search<'_>, dir: &str, known: &BTreeSet<String>, found: &mut Found) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_file()))
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| promise(name) == Ok(Promise::Iam))
        .collect();
    names.sort();
    for name in names.iter().take(MAX_NEIGHBOURS) {
        let absolute = join_path(dir, name);
        if !known.contains(&search.shown(&absolute)) {
            context_file(search, &absolute, found);
        }
    }
}

fn context_file(search: &Search<'_>, absolute: &str, found: &mut Found) {
    if search.excluded(absolute) {
        return;
    }
    let shown = search.shown(absolute);
    if let Ok(content) = read::read(Path::new(absolute), MAX_CONTEXT_SIZE) {
        let mut kept = Found::default();
        search.keep(&shown, content, false, false, &mut kept);
        kept.troubles.clear();
        found.take(kept);
    }
}

/// Reads what analysis asked for: `wanted` holds paths as shown, a folder with a final `/`. Only inside `root` (absolute),
/// only what is there; whatever is read counts as context.
pub fn read_wanted(search: &Search<'_>, root: &str, wanted: &[String]) -> Found {
    let mut found = Found::default();
    for path in wanted {
        let absolute = join_path(&search.cwd, path);
        if absolute != root && !absolute.starts_with(&format!("{}/", root.trim_end_matches('/'))) {
            continue;
        }
        if path.ends_with('/') {
            if Path::new(&absolute).is_dir() {
                walk::walk(search, &[PathBuf::from(&absolute)], false, &mut found);
            }
        } else if Path::new(&absolute).is_file() {
            wanted_file(search, &absolute, &mut found);
        }
    }
    found.decide(search.tell);
    found.sort();
    found
}

/// A file that another one names is read whatever its content looks like: `templatefile("policy.tpl", …)`.
fn wanted_file(search: &Search<'_>, absolute: &str, found: &mut Found) {
    if let Ok(read::Content::Text(text) | read::Content::Mended(text)) =
        read::read(Path::new(absolute), MAX_CONTEXT_SIZE)
    {
        found.bytes += text.len() as u64;
        found.files.push(super::Input {
            path: search.shown(absolute),
            text: text.into(),
            in_scope: false,
        });
    }
}
