//! What stacks give each other: exports by name, and parameters that files hold. Also templates that one tool made.

use std::collections::BTreeMap;

use super::Groups;
use super::links::FileLinks;
use crate::classify::has_data_ending;
use crate::source::{FileId, Sources, file_name, is_synthesized, is_within, parent_path, staged_folder};

/// What one file exports, imports, and sets.
#[derive(Debug, Default)]
pub(super) struct StackWords {
    /// The words of each name that is exported.
    exported: Vec<Vec<String>>,
    /// The words of each name that is imported; none where an expression gives it.
    imported: Vec<Vec<String>>,
    /// The parameters that it sets, of a file with parameters.
    set: Vec<String>,
    declares_parameters: bool,
    is_of_cdk: bool,
}

/// Lines after `ImportValue` or `Export` in which the name is looked for.
const REACH: usize = 4;
/// Words around the names of exports.
const COMMON: [&str; 7] = ["Export", "Fn", "Join", "Name", "Ref", "Select", "Sub"];

impl StackWords {
    pub(super) fn of(name: &str, text: &str) -> Self {
        let bytes = text.as_bytes();
        let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
        let mut out = Self {
            declares_parameters: has_data_ending(name) && has("Parameters") && has("Resources"),
            is_of_cdk: is_synthesized(text),
            ..Self::default()
        };
        let after = |word: &'static str| {
            let all = memchr::memmem::find_iter(bytes, word.as_bytes());
            all.map(move |at| name_words(text.get(at + word.len()..).unwrap_or_default()))
        };
        out.imported.extend(after("ImportValue"));
        if out.declares_parameters || has("Resources") {
            out.exported.extend(after("Export").filter(|words| !words.is_empty()));
        }
        if crate::formats::cloudformation::is_parameter_file(name, text) {
            out.set = parameters(text);
        }
        out
    }
}

impl StackWords {
    /// Whether a name may be one of those that `other` exports. Of a name that an expression gives, the text has what it may be.
    fn imports_from(&self, (sources, file): (&Sources, FileId), other: &Self) -> bool {
        let text = sources.text(file).as_bytes();
        let stands_here = |word: &String| memchr::memmem::find(text, word.as_bytes()).is_some();
        self.imported.iter().any(|name| match name.is_empty() {
            true => other.exported.iter().any(|given| given.iter().all(stands_here)),
            false => other
                .exported
                .iter()
                .any(|given| name.iter().all(|word| given.contains(word))),
        })
    }
}

/// The words of the name that follows, without what expressions give.
fn name_words(text: &str) -> Vec<String> {
    for line in text.lines().take(REACH) {
        let mut plain = String::new();
        for part in line.split("${") {
            plain.push_str(if plain.is_empty() {
                part
            } else {
                part.split_once('}').map_or("", |(_, rest)| rest)
            });
            plain.push(' ');
        }
        let words = plain.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
        let words = words.map(|word| word.trim_matches(['-', '_']));
        let words: Vec<&str> = words.filter(|word| word.len() > 2 && !COMMON.contains(word)).collect();
        if !words.is_empty() || line.contains("${") {
            return words.into_iter().map(str::to_owned).collect();
        }
    }
    Vec::new()
}

/// The names after `ParameterKey`, or the keys of `Parameters`.
fn parameters(text: &str) -> Vec<String> {
    let word = |text: &str| {
        let text = text.trim_start_matches(|c: char| c == '"' || c == ':' || c.is_whitespace());
        let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
        text[..end].to_owned()
    };
    let listed: Vec<String> = text.split("ParameterKey").skip(1).map(word).collect();
    if !listed.is_empty() {
        return listed;
    }
    let map = text.split("\"Parameters\"").nth(1).unwrap_or_default();
    let map = map.split('}').next().unwrap_or_default();
    map.split(['{', ','])
        .filter(|part| part.contains(':'))
        .map(word)
        .filter(|key| !key.is_empty())
        .collect()
}

pub(super) fn connect(sources: &Sources, links: &[&FileLinks], groups: &mut Groups) {
    let all = || sources.ids().map(|id| (id, &links[id.0 as usize].stack));
    let exporting: Vec<(FileId, &StackWords)> = all().filter(|(_, s)| !s.exported.is_empty()).collect();
    for (id, stack) in all().filter(|(_, s)| !s.imported.is_empty()) {
        for (exporter, given) in &exporting {
            if stack.imports_from((sources, id), given) {
                groups.join(id, *exporter);
            }
        }
    }
    let mut made = all().filter(|(_, s)| s.is_of_cdk).map(|(id, _)| id);
    if let Some(first) = made.next() {
        made.for_each(|other| groups.join(first, other));
    }
    connect_copies(sources, groups);
    let templates: Vec<FileId> = all().filter(|(_, s)| s.declares_parameters).map(|(id, _)| id).collect();
    for (id, stack) in all().filter(|(_, s)| !s.set.is_empty()) {
        connect_parameters(sources, (id, stack), &templates, groups);
    }
}

/// What the CDK staged is linked to the files that it is a copy of.
fn connect_copies(sources: &Sources, groups: &mut Groups) {
    let staged: Vec<FileId> = sources
        .ids()
        .filter(|id| staged_folder(sources.path(*id)).is_some())
        .collect();
    if staged.is_empty() {
        return;
    }
    let mut by_name: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
    for id in sources.ids() {
        by_name.entry(file_name(sources.path(id))).or_default().push(id);
    }
    for copy in staged {
        let named = by_name.get(file_name(sources.path(copy))).into_iter().flatten();
        for other in named.filter(|other| sources.text(**other) == sources.text(copy)) {
            groups.join(copy, *other);
        }
    }
}

/// A file with parameters is for the nearest template that has all of them; several are as near.
fn connect_parameters(
    sources: &Sources,
    (id, stack): (FileId, &StackWords),
    templates: &[FileId],
    groups: &mut Groups,
) {
    let fits = |template: &&FileId| {
        let text = sources.text(**template).as_bytes();
        let declares = |key: &String| {
            let end = |at: usize| text.get(at + key.len()).is_some_and(|b| matches!(b, b':' | b'"'));
            memchr::memmem::find_iter(text, key.as_bytes()).any(end)
        };
        stack.set.iter().all(declares)
    };
    let fitting: Vec<FileId> = templates.iter().filter(fits).copied().filter(|t| *t != id).collect();
    let mut folder = parent_path(sources.path(id));
    loop {
        let mut near = fitting
            .iter()
            .filter(|t| is_within(sources.path(**t), folder))
            .peekable();
        if near.peek().is_some() {
            near.for_each(|template| groups.join(id, *template));
            return;
        }
        if folder.is_empty() {
            return;
        }
        folder = parent_path(folder);
    }
}
