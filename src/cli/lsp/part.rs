//! One repository, as it was read and analyzed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::found::{FoundByFile, Keeper};
use super::text::Units;
use crate::cli::run::{self, EditEffect, Loaded, MAX_SETTINGS, RunOptions};
use crate::cli::{CliFailure, baseline, watch};
use crate::focus::LinkMemory;
use crate::pipeline::Analysis;
use crate::source::join_path;

/// If more files than this have changed on disk, everything is analyzed again.
const MAX_CHANGED: usize = 100;

pub(super) struct Part {
    pub(super) read: Loaded<'static>,
    pub(super) options: RunOptions,
    memory: LinkMemory,
    /// What is found in the files of `known`.
    pub(super) found: FoundByFile,
    /// Files, as shown, of which it is known what is found in them; all if there is nothing.
    known: Option<BTreeSet<String>>,
    /// Files that have changed, as shown, each with those that were linked to it before.
    pub(super) changed: BTreeMap<String, BTreeSet<String>>,
    /// What open files are linked to, as shown.
    linked: BTreeMap<String, BTreeSet<String>>,
    /// The text of each file of settings, rules, and the baseline, by absolute path; nothing if it is not there.
    settings: BTreeMap<String, Option<Arc<str>>>,
}

impl Part {
    /// What was read. Of what is as it was `before`, it stays known what is found there.
    pub(super) fn new(read: Loaded<'static>, options: &RunOptions, before: Option<Self>) -> Result<Self, CliFailure> {
        let path = read.baseline_path();
        let baseline = baseline::load(&path, &read)?.map(|b| (b, path));
        let text = |path: &String| Some(Arc::from(read.tree.text(path.as_ref(), MAX_SETTINGS).ok()?));
        let settings = watch::settings_files(&read);
        let settings = settings
            .into_iter()
            .map(|path| (text(&path), path))
            .map(|(text, path)| (path, text));
        let mut part = Self {
            settings: settings.collect(),
            options: RunOptions {
                baseline,
                ..options.clone()
            },
            read,
            memory: LinkMemory::default(),
            found: FoundByFile::new(),
            known: Some(BTreeSet::new()),
            changed: BTreeMap::new(),
            linked: BTreeMap::new(),
        };
        if let Some(before) = before {
            part.keep(before);
        }
        Ok(part)
    }

    /// Takes over what is still true.
    fn keep(&mut self, mut before: Self) {
        if before.settings != self.settings {
            return;
        }
        let Some(changed) = self
            .read
            .differing_from(&before.read)
            .filter(|paths| paths.len() <= MAX_CHANGED)
        else {
            return;
        };
        for path in changed {
            let linked = before.linked(&path);
            before.changed.entry(path).or_default().extend(linked);
        }
        self.read.share_texts(&before.read);
        self.memory = before.memory;
        self.found = before.found;
        self.known = before.known;
        self.changed = before.changed;
    }

    /// The file was named, or lies in a folder that was.
    pub(super) fn is_asked_for(&self, path: &str) -> bool {
        self.read.named.contains(path) || self.read.is_walked(path)
    }

    /// Takes another text of the file at this absolute path.
    pub(super) fn take_text(&mut self, path: &str, text: &Arc<str>) -> EditEffect {
        if let Some(before) = self.settings.get(path) {
            return match before.as_ref() == Some(text) {
                true => EditEffect::None,
                false => EditEffect::Reading,
            };
        }
        let shown = self.read.governing.display_path(path);
        let known = self.read.text(&shown);
        if known.as_ref() == Some(text) {
            return EditEffect::None;
        }
        let linked = known.is_some().then(|| self.linked(&shown));
        let effect = self.read.edit(&shown, text);
        if effect == EditEffect::Text {
            self.linked.remove(&shown);
            self.changed
                .entry(shown)
                .or_default()
                .extend(linked.into_iter().flatten());
        }
        effect
    }

    /// What is linked to a file now.
    fn linked(&mut self, shown: &str) -> BTreeSet<String> {
        match self.linked.get(shown) {
            Some(linked) => linked.clone(),
            None => run::linked(&mut self.read, shown, &mut self.memory),
        }
    }

    /// Finds out what the files at these absolute paths are linked to.
    pub(super) fn prepare<'p>(&mut self, open: impl Iterator<Item = &'p String>) {
        for path in open {
            let shown = self.read.governing.display_path(path);
            if self.read.text(&shown).is_some() && !self.linked.contains_key(&shown) {
                let linked = self.linked(&shown);
                self.linked.insert(shown, linked);
            }
        }
    }

    /// Analyzes what has changed, and what is open and not known yet; or everything.
    pub(super) fn update<'p>(&mut self, open: impl Iterator<Item = &'p String>, all: bool, units: Units) {
        let changed = std::mem::take(&mut self.changed);
        if all && self.known.is_some() {
            self.analyze(None, units);
            return;
        }
        for (path, mut around) in changed {
            around.insert(path.clone());
            // Of what nobody has asked for, it is enough that it is not known any more.
            if let Some(known) = &mut self.known
                && !around.iter().any(|path| known.contains(path))
            {
                continue;
            }
            // What was linked before still is, and nothing else.
            if self.analyze(Some(&around), units).as_ref() == Some(&around) {
                self.linked.insert(path, around);
            }
        }
        for path in open {
            let shown = self.read.governing.display_path(path);
            let is_new = self.known.as_ref().is_some_and(|known| !known.contains(&shown));
            if is_new && self.read.text(&shown).is_some() {
                self.analyze(Some(&BTreeSet::from([shown])), units);
            }
        }
    }

    /// Analyzes files and what is linked to them, or everything; the files that were analyzed, if these are not all.
    fn analyze(&mut self, around: Option<&BTreeSet<String>>, units: Units) -> Option<BTreeSet<String>> {
        let Self {
            read, options, memory, ..
        } = self;
        let (found, analyzed) = run::analyze_part(read, around, memory, |read, analysis| {
            let report = read.report(analysis, options);
            let sources = analysis.project.sources;
            let keeper = Keeper {
                read,
                sources,
                report: &report,
                units,
            };
            let ids = sources.ids().filter(|id| sources.is_analyzed(*id));
            let analyzed: BTreeSet<String> = ids.map(|id| sources.path(id).to_owned()).collect();
            (keeper.keep(), (analyzed.len() < sources.len()).then_some(analyzed))
        });
        let Some(analyzed) = analyzed else {
            self.found = found;
            self.known = None;
            self.linked.clear();
            return None;
        };
        let cwd = &self.read.cwd;
        for path in &analyzed {
            self.found.remove(&join_path(cwd, path));
            self.linked.remove(path);
        }
        self.found.extend(found);
        if let Some(known) = &mut self.known {
            known.extend(analyzed.iter().cloned());
        }
        Some(analyzed)
    }

    /// Analyzes the files at these paths, as shown, and what is linked to them.
    pub(super) fn analyze_around<T>(
        &mut self,
        around: &BTreeSet<String>,
        then: impl FnOnce(&mut Loaded<'_>, &mut Analysis<'_>) -> T,
    ) -> T {
        run::analyze_part(&mut self.read, Some(around), &mut self.memory, then)
    }

    /// An answer from the analysis of the file at this absolute path and of what is linked to it.
    pub(super) fn ask<T>(
        &mut self,
        path: &str,
        ask: &mut impl FnMut(&mut Loaded<'_>, &mut Analysis<'_>) -> Option<T>,
    ) -> Option<T> {
        let shown = self.read.governing.display_path(path);
        self.read.text(&shown)?;
        let around = BTreeSet::from([shown]);
        self.analyze_around(&around, ask)
    }
}
