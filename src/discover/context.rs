//! Files that are read only to understand the ones that were named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;

use super::names::{NameHint, folder_skipped, hint_from_name, hint_from_requested_name};
use super::tree::EntryKind;
use super::{Discovery, SearchRequest, SourceTree, read, walk, with_forward_slashes};
use crate::formats::terraform;
use crate::source::{MATCHING, join_path};
use crate::unjudged::{Unjudged, UnjudgedReason};

/// More neighbours than this are left alone: such a folder is a heap, not a module.
const MAX_NEIGHBOURS: usize = 2_000;
/// Neighbours larger than this are data.
const MAX_CONTEXT_SIZE: u64 = 2 << 20;
/// Most bytes of neighbours that are looked at for the named files of one folder.
const MAX_CONTEXT_BYTES: u64 = 32 << 20;

/// Most entries of a folder and those inside it that are compared with a pattern.
const MAX_LISTED: usize = 50_000;

/// What a file can take part in, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FileFamily {
    Terraform,
    Python,
    /// Templates and policies.
    Data,
}

fn family(name: &str) -> Option<FileFamily> {
    let lower = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|e| lower.ends_with(e));
    if terraform::is_code_file(&lower) || terraform::is_values_file(&lower) || ends(&[".hcl"]) {
        Some(FileFamily::Terraform)
    } else if ends(&[".py", ".ipynb"]) {
        Some(FileFamily::Python)
    } else {
        (hint_from_requested_name(name) == Some(NameHint::Iam)).then_some(FileFamily::Data)
    }
}

/// The files that were named in one folder, and what may link others of the folder to them.
struct NamedFiles {
    families: Vec<FileFamily>,
    /// Their names; of Python what a handler (`app.handler`) says of it.
    names: Vec<String>,
}

impl NamedFiles {
    fn new(files: &[&str]) -> Self {
        let name = |file: &&str| file.strip_suffix("py").unwrap_or(file).to_owned();
        Self {
            families: files.iter().filter_map(|f| family(f)).collect(),
            names: files.iter().map(name).collect(),
        }
    }

    /// What a neighbour of this family must say for it to take part; `None` where it cannot.
    fn link(&self, of: FileFamily) -> Option<Link> {
        let has = |family| self.families.contains(&family);
        match of {
            // A module is all of its files; Python finds its neighbours by importing them.
            FileFamily::Terraform if has(FileFamily::Terraform) || has(FileFamily::Python) => Some(Link::Any),
            FileFamily::Python if has(FileFamily::Python) => Some(Link::Any),
            FileFamily::Data if has(FileFamily::Data) => Some(Link::NameOrExport),
            _ if self.families.is_empty() => None,
            _ => Some(Link::Name),
        }
    }
}

/// See [`NamedFiles::link`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Any,
    /// The name of a named file occurs in it.
    Name,
    /// Or it gives and takes by names that only a deployment resolves: CloudFormation exports, imports, and parameters.
    NameOrExport,
}

/// Reads the files that lie beside the named `files` of the absolute folder `dir` and that can take part in what those say,
/// but for those in `known`.
pub(super) fn read_neighbors(
    search: &SearchRequest<'_>,
    dir: &str,
    files: &[&str],
    known: &BTreeSet<String>,
    found: &mut Discovery,
) {
    let named = NamedFiles::new(files);
    let (Ok(entries), Ok(mentions)) = (search.tree.list(Path::new(dir)), AhoCorasick::new(&named.names)) else {
        return;
    };
    if search.only_lists {
        found.listed.folders.push(dir.to_owned());
    }
    if named.families.is_empty() {
        return;
    }
    let mut names: Vec<(String, Link)> = entries
        .into_iter()
        .filter(|(_, kind)| *kind == EntryKind::File)
        .map(|(name, _)| name)
        .filter(|name| hint_from_name(name) == Ok(NameHint::Iam))
        .filter_map(|name| Some((family(&name).and_then(|f| named.link(f))?, name)))
        .map(|(link, name)| (name, link))
        .collect();
    // What certainly takes part comes first.
    names.sort_by(|a, b| (a.1 != Link::Any, &a.0).cmp(&(b.1 != Link::Any, &b.0)));
    let before = found.bytes;
    for (name, link) in names.iter().take(MAX_NEIGHBOURS) {
        let absolute = join_path(dir, name);
        if known.contains(&search.display_path(&absolute)) {
            continue;
        }
        if found.bytes - before > MAX_CONTEXT_BYTES {
            break;
        }
        context_file(search, &absolute, found, |text| match link {
            Link::Any => true,
            Link::Name => mentions.is_match(text),
            Link::NameOrExport => {
                mentions.is_match(text)
                    || ["Export", "ImportValue", "ParameterKey"]
                        .iter()
                        .any(|word| text.contains(word))
            }
        });
    }
}

fn context_file(search: &SearchRequest<'_>, absolute: &str, found: &mut Discovery, takes_part: impl Fn(&str) -> bool) {
    if search.excluded(absolute) {
        return;
    }
    if search.only_lists {
        return found.listed.files.push(absolute.to_owned());
    }
    let shown = search.display_path(absolute);
    if let Ok(content) = search.tree.read(Path::new(absolute), MAX_CONTEXT_SIZE) {
        let mut kept = Discovery::default();
        search.add_content(&shown, content, false, false, &mut kept);
        kept.troubles.clear();
        kept.files.retain(|f| takes_part(&f.text));
        found.merge(kept);
    }
}

/// Reads what analysis asked for: `wanted` holds paths as shown, a folder with a final `/`, and patterns ([`MATCHING`]). Only
/// [`Inside`](super::RunFolders), only what is there. Folders are context. A single file is a part of what reads it: whether it is
/// in scope too, `in_scope` says of its absolute path.
pub fn read_wanted(search: &SearchRequest<'_>, wanted: &[String], in_scope: &dyn Fn(&str) -> bool) -> Discovery {
    let mut found = Discovery::default();
    for path in wanted {
        let (path, pattern) = match path.split_once(MATCHING) {
            Some((folder, pattern)) => (folder, Some(pattern)),
            None => (path.as_str(), None),
        };
        let absolute = join_path(&search.cwd, path);
        if !search.inside.contains(&absolute) || search.tree.leaves_out(&absolute) {
            continue;
        }
        match pattern {
            Some(pattern) => {
                let (files, mut more) = files_matching(search.tree, &absolute, pattern);
                for file in files.into_iter().filter(|file| search.inside.contains(file)) {
                    if found.bytes > MAX_CONTEXT_BYTES {
                        more = true;
                        break;
                    }
                    if !read_requested(search, &file, in_scope(&file), &mut found) {
                        let why = UnjudgedReason::Unread(
                            "not read, although a pattern lists it: too large, or not text".to_owned(),
                        );
                        found.unjudged.push(Unjudged::whole(search.display_path(&file), why));
                    }
                }
                if more {
                    let why =
                        UnjudgedReason::Unread(format!("too many files match `{pattern}`: the rest were not read"));
                    found.unjudged.push(Unjudged::whole(path, why));
                }
            }
            None if path.ends_with('/') => {
                if search.tree.is_dir(Path::new(&absolute)) {
                    let how = walk::WalkOptions {
                        in_scope: false,
                        filtered: true,
                        except: &[],
                        max_entries: None,
                    };
                    let mut walked = Discovery::default();
                    walk::walk(search, &[PathBuf::from(&absolute)], how, &mut walked);
                    // What is only read to understand others is not asked about.
                    walked.unjudged.clear();
                    found.merge(walked);
                }
            }
            None => {
                if search.tree.is_file(Path::new(&absolute)) {
                    read_requested(search, &absolute, in_scope(&absolute), &mut found);
                }
            }
        }
    }
    found.decide_about_code(search.report_skipped);
    found.sort();
    found
}

/// The files of the absolute folder `folder` that fit a pattern of Terraform's `fileset`, sorted, and whether there may be more.
fn files_matching(tree: &SourceTree, folder: &str, pattern: &str) -> (Vec<String>, bool) {
    let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build();
    let Ok(glob) = glob.map(|g| g.compile_matcher()) else {
        return (Vec::new(), false);
    };
    let deepest = if pattern.contains("**") {
        None
    } else {
        Some(pattern.split('/').count())
    };
    if let Some(files) = tree.stored_files(Path::new(folder)) {
        let is_skipped = |path: &str| path.rsplit('/').skip(1).any(|name| folder_skipped(name).is_some());
        let fits = |path: &&str| glob.is_match(path) && !is_skipped(path);
        let fitting = files.into_iter().filter(fits);
        let mut found: Vec<String> = fitting.map(|path| join_path(folder, path)).collect();
        let more = found.len() > MAX_NEIGHBOURS;
        found.truncate(MAX_NEIGHBOURS);
        return (found, more);
    }
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .max_depth(deepest)
        .filter_entry(|e| e.depth() == 0 || folder_skipped(&e.file_name().to_string_lossy()).is_none())
        .build();
    let mut found: Vec<String> = Vec::new();
    for (listed, entry) in walk.enumerate() {
        if listed == MAX_LISTED || found.len() == MAX_NEIGHBOURS {
            found.sort();
            return (found, true);
        }
        let Ok(entry) = entry else { continue };
        let fits = entry.path().strip_prefix(folder).is_ok_and(|rest| glob.is_match(rest));
        if fits && entry.file_type().is_some_and(|t| t.is_file()) {
            found.push(with_forward_slashes(entry.path()));
        }
    }
    found.sort();
    (found, false)
}

/// A file that another one names is read whatever its content looks like: `templatefile("policy.tpl", …)`. Whether it could
/// be read.
fn read_requested(search: &SearchRequest<'_>, absolute: &str, in_scope: bool, found: &mut Discovery) -> bool {
    use read::Content::{Converted, Repaired, Text};
    let content = search.tree.read(Path::new(absolute), MAX_CONTEXT_SIZE);
    let is_read = matches!(content, Ok(Text(_) | Converted(_) | Repaired(_)));
    if let Ok(Text(text) | Converted(text) | Repaired(text)) = content {
        found.bytes += text.len() as u64;
        found.files.push(super::InputFile {
            path: search.display_path(absolute),
            text: text.into(),
            in_scope,
        });
    }
    is_read
}
