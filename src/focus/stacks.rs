//! What stacks give each other: exports by name, and parameters that files hold. Also templates that one tool made.

use super::Groups;
use super::links::FileLinks;
use crate::source::{FileId, Sources, is_within, parent_path};

/// What one file exports, imports, and sets.
#[derive(Debug, Default)]
pub(super) struct StackWords {
    exports: bool,
    /// Words of the names that are imported.
    imported: Vec<String>,
    /// The parameters that it sets, of a file with parameters.
    set: Vec<String>,
    declares_parameters: bool,
    is_of_cdk: bool,
}

/// What follows `ImportValue`, in bytes.
const REACH: usize = 200;
/// Parts of names that every template has.
const COMMON: [&str; 9] = ["AWS", "AccountId", "Fn", "GetAtt", "Join", "Ref", "Region", "StackName", "Sub"];

impl StackWords {
    pub(super) fn of(name: &str, text: &str) -> Self {
        let bytes = text.as_bytes();
        let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
        let mut out = Self {
            exports: has("Export"),
            declares_parameters: has("Parameters"),
            is_of_cdk: has("aws:cdk:path"),
            ..Self::default()
        };
        for at in memchr::memmem::find_iter(bytes, b"ImportValue") {
            let mut end = (at + REACH).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let after = text.get(at + "ImportValue".len()..end).unwrap_or_default();
            let words = after.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
            let words = words.map(|word| word.trim_matches('-')).filter(|word| word.len() > 2 && !COMMON.contains(word));
            out.imported.extend(words.map(str::to_owned));
        }
        if crate::formats::cloudformation::is_parameter_file(name, text) {
            out.set = parameters(text);
        }
        out
    }
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
    map.split(['{', ',']).filter(|part| part.contains(':')).map(word).filter(|key| !key.is_empty()).collect()
}

pub(super) fn connect(sources: &Sources, links: &[FileLinks], groups: &mut Groups) {
    let all = || sources.ids().map(|id| (id, &links[id.0 as usize].stack));
    let exporting: Vec<FileId> = all().filter(|(_, s)| s.exports).map(|(id, _)| id).collect();
    for (id, stack) in all().filter(|(_, s)| !s.imported.is_empty()) {
        for exporter in &exporting {
            let text = sources.text(*exporter).as_bytes();
            let gives = |word: &String| memchr::memmem::find(text, word.as_bytes()).is_some();
            if stack.imported.iter().any(gives) {
                groups.join(id, *exporter);
            }
        }
    }
    let mut made = all().filter(|(_, s)| s.is_of_cdk).map(|(id, _)| id);
    if let Some(first) = made.next() {
        made.for_each(|other| groups.join(first, other));
    }
    let templates: Vec<FileId> = all().filter(|(_, s)| s.declares_parameters).map(|(id, _)| id).collect();
    for (id, stack) in all().filter(|(_, s)| !s.set.is_empty()) {
        connect_parameters(sources, (id, stack), &templates, groups);
    }
}

/// A file with parameters is for the nearest template that has all of them; several are as near.
fn connect_parameters(sources: &Sources, (id, stack): (FileId, &StackWords), templates: &[FileId], groups: &mut Groups) {
    let fits = |template: &&FileId| {
        let text = sources.text(**template).as_bytes();
        stack.set.iter().all(|key| memchr::memmem::find(text, key.as_bytes()).is_some())
    };
    let fitting: Vec<FileId> = templates.iter().filter(fits).copied().filter(|t| *t != id).collect();
    let mut folder = parent_path(sources.path(id));
    loop {
        let mut near = fitting.iter().filter(|t| is_within(sources.path(**t), folder)).peekable();
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
