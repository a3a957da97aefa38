//! Of two large trees that differ in a few files, only what is linked to these is analyzed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::run::Loaded;
use super::operands::DiffOperand;
use crate::focus::focus;
use crate::settings::NAMES;
use crate::source::{Sources, relative_path};

/// Of fewer files, all are analyzed.
const MANY: usize = 64;

/// The files of one side, by their paths as they are compared.
struct ReadTexts<'r> {
    /// Each with its path on this side, and its text.
    files: BTreeMap<String, (&'r str, &'r Arc<str>)>,
}

impl<'r> ReadTexts<'r> {
    fn new(read: &'r Loaded<'_>, of: &DiffOperand) -> Self {
        let files = read.found.files.iter().map(|f| {
            let below = relative_path(&of.base, &read.governing.absolute(&f.path));
            (below, (&*f.path, &f.text))
        });
        Self { files: files.collect() }
    }
}

/// Leaves alone what nothing that changed can take part in. Not where settings change, or policies that limit everything.
pub(super) fn narrow(old: &mut Loaded<'_>, new: &mut Loaded<'_>, of_old: &DiffOperand, of_new: &DiffOperand) {
    let is_limited = |read: &Loaded<'_>| {
        let mut all = read.governing.all().iter();
        !read.context || all.any(|s| !s.service_control_policies.is_empty())
    };
    if of_old.is_file() || of_new.is_file() || is_limited(old) || is_limited(new) {
        return;
    }
    let (a, b) = (ReadTexts::new(old, of_old), ReadTexts::new(new, of_new));
    let differs = |path: &&String| a.files.get(*path).map(|f| f.1) != b.files.get(*path).map(|f| f.1);
    let mut changed: BTreeSet<String> = a.files.keys().chain(b.files.keys()).filter(differs).cloned().collect();
    if changed.iter().any(|path| NAMES.iter().any(|name| path.ends_with(name))) {
        return;
    }
    // What is linked to it on one side takes part on both.
    loop {
        let (Some(of_a), Some(of_b)) = (linked(old, &a, &changed), linked(new, &b, &changed)) else {
            return;
        };
        let before = changed.len();
        changed.extend(of_a);
        changed.extend(of_b);
        if changed.len() == before {
            break;
        }
    }
    let rest = |texts: &ReadTexts<'_>| -> BTreeSet<String> {
        let unlinked = texts.files.iter().filter(|(path, _)| !changed.contains(*path));
        unlinked.map(|(_, (path, _))| (*path).to_owned()).collect()
    };
    let (of_old, of_new) = (rest(&a), rest(&b));
    old.left_alone = of_old;
    new.left_alone = of_new;
}

/// The files that are linked to these; `None` where all are to be analyzed.
fn linked(read: &Loaded<'_>, texts: &ReadTexts<'_>, changed: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let all = texts.files.iter();
    let inputs = all.map(|(below, (path, text))| ((*path).to_owned(), Arc::clone(text), changed.contains(below)));
    let sources = Sources::new(inputs).with_links(read.found.links.iter().cloned());
    if !sources.ids().any(|id| sources.file(id).in_scope) {
        return (sources.len() >= MANY).then(BTreeSet::new);
    }
    let chosen = focus(&sources, &read.ownership(), &[])?;
    let named = texts.files.iter().filter(|(_, (path, _))| {
        let id = sources.find(path);
        id.is_some_and(|id| chosen.contains(&id))
    });
    Some(named.map(|(below, _)| below.clone()).collect())
}
