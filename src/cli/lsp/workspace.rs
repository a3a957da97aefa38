//! What is open and what was read: unsaved texts count instead of what is on disk, and what an edit cannot change is not
//! analyzed again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use lsp_types::{DiagnosticSeverity, Range, Uri};

use super::found::{FoundByFile, KeptFinding, plain};
use super::part::Part;
use super::text::Units;
use super::uri;
use crate::cli::input::InputArgs;
use crate::cli::run::{self, EditEffect, Loaded, RunOptions};
use crate::cli::{CliFailure, repositories};
use crate::discover::{MAX_FILE_SIZE, SourceTree};
use crate::pipeline::Analysis;
use crate::rules::Rule;
use crate::settings::{Fault, Settings};
use crate::source::{is_within, join_path};

/// A file that is open in the editor.
#[derive(Clone, Debug)]
pub(super) struct OpenText {
    /// As the client writes it.
    pub(super) uri: Uri,
    pub(super) version: i32,
    pub(super) text: Arc<str>,
}

/// What the client sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientSettings {
    /// Of a file of settings that counts instead of all others.
    pub(super) config: Option<String>,
    /// Leave out what was not judged.
    pub(super) hides_unjudged: bool,
}

pub(super) struct Workspace {
    pub(super) folders: Vec<String>,
    pub(super) open: BTreeMap<String, OpenText>,
    pub(super) settings: ClientSettings,
    pub(super) units: Units,
    /// The paths that buffers have which are not on disk, by their addresses.
    names: BTreeMap<String, String>,
    parts: Vec<Part>,
    /// Files must be read again.
    is_stale: bool,
    /// Something has changed since the client heard what is found.
    has_news: bool,
    /// Why nothing can be read.
    failure: Option<CliFailure>,
}

static OVER: fn(&mut Settings) = |_| {};

impl Workspace {
    pub(super) fn new(folders: Vec<String>, settings: ClientSettings, units: Units) -> Self {
        Self {
            folders,
            open: BTreeMap::new(),
            settings,
            units,
            names: BTreeMap::new(),
            parts: Vec::new(),
            is_stale: true,
            has_news: false,
            failure: None,
        }
    }

    /// The path of a document: where it is on disk, or would be.
    pub(super) fn key(&self, uri: &Uri) -> String {
        let named = || self.names.get(uri.as_str()).cloned();
        uri::path(uri).or_else(named).unwrap_or_else(|| uri.as_str().to_owned())
    }

    /// Gives a buffer that is not on disk a path in the first folder, with the ending of its language.
    pub(super) fn name_buffer(&mut self, uri: &Uri, language: &str) {
        if uri::path(uri).is_some() {
            return;
        }
        let ending = match language {
            "json" | "jsonc" => ".json",
            "yaml" | "cloudformation" => ".yaml",
            "terraform" | "tf" | "hcl" | "opentofu" => ".tf",
            "python" => ".py",
            _ => "",
        };
        let folder = self.folders.first().cloned();
        let folder = folder.or_else(|| run::working_directory().ok()).unwrap_or_default();
        let name: String = uri
            .as_str()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        self.names
            .insert(uri.as_str().to_owned(), join_path(&folder, &format!("{name}{ending}")));
    }

    /// What is on disk, or what is read, may be another than before.
    pub(super) fn invalidate(&mut self) {
        self.is_stale = true;
        self.has_news = true;
    }

    /// Something has changed since [`Workspace::take_news`].
    pub(super) fn has_work(&self) -> bool {
        self.has_news
    }

    /// Everything that is open is analyzed, and the client is to hear what is found.
    pub(super) fn take_news(&mut self) {
        self.update(false);
        self.has_news = false;
    }

    /// After a bug: everything is read again at the next change.
    pub(super) fn give_up(&mut self) {
        self.parts.clear();
        self.is_stale = true;
        self.has_news = false;
    }

    pub(super) fn failure(&self) -> Option<&CliFailure> {
        self.failure.as_ref()
    }

    /// Takes another text of an open file.
    pub(super) fn open_or_change(&mut self, path: &str, buffer: OpenText) {
        self.has_news = true;
        self.take_text(path, &buffer.text);
        self.open.insert(path.to_owned(), buffer);
        let is_inside = self.folders.iter().any(|folder| is_within(path, folder));
        let is_read = self.parts.iter().any(|part| part.is_asked_for(path));
        // A file outside the folders is one that is asked for, and so is one that is not on disk.
        self.is_stale |= !is_read && (!is_inside || !std::path::Path::new(path).exists());
    }

    fn take_text(&mut self, path: &str, text: &Arc<str>) {
        for part in &mut self.parts {
            if self.is_stale {
                return;
            }
            self.is_stale |= part.take_text(path, text) == EditEffect::Reading;
        }
    }

    pub(super) fn close(&mut self, path: &str) {
        if self.open.remove(path).is_none() {
            return;
        }
        self.has_news = true;
        let is_inside = self.folders.iter().any(|folder| is_within(path, folder));
        match std::fs::read_to_string(path) {
            Ok(text) if is_inside => self.take_text(path, &text.into()),
            _ => self.is_stale = true,
        }
    }

    /// What would be given on the command line.
    fn input(&self) -> InputArgs {
        let mut paths: Vec<PathBuf> = self
            .folders
            .iter()
            .map(PathBuf::from)
            .filter(|dir| dir.is_dir())
            .collect();
        let outside = |path: &&String| {
            let is_inside = self.folders.iter().any(|folder| is_within(path, folder));
            !is_inside || !std::path::Path::new(path).exists()
        };
        paths.extend(self.open.keys().filter(outside).map(PathBuf::from));
        InputArgs {
            listed: Some(paths),
            max_file_size: MAX_FILE_SIZE,
            config: self.settings.config.clone(),
            ..InputArgs::default()
        }
    }

    /// Reads all files again. What is as it was stays analyzed.
    fn read(&mut self) -> Result<(), CliFailure> {
        let input = self.input();
        if input.listed.as_ref().is_none_or(Vec::is_empty) {
            self.parts.clear();
            return Ok(());
        }
        let unsaved = self.open.iter().map(|(path, b)| (path.clone(), b.text.clone()));
        let options = RunOptions {
            ignores: true,
            repeats: true,
            tree: SourceTree::with_unsaved(unsaved.collect()),
            ..RunOptions::default()
        };
        let all = repositories::read(&input, &OVER, &options)?;
        let mut before = std::mem::take(&mut self.parts);
        for read in all {
            let same = before.iter().position(|part| part.read.root == read.root);
            let before = same.map(|i| before.swap_remove(i));
            self.parts.push(Part::new(read, &options, before)?);
        }
        Ok(())
    }

    /// Analyzes what has changed and what is open; `all` if what is found in every file is asked for.
    pub(super) fn update(&mut self, all: bool) {
        if self.is_stale {
            self.is_stale = false;
            self.failure = self.read().err();
        }
        for part in &mut self.parts {
            part.update(self.open.keys(), all, self.units);
        }
    }

    /// Finds out what the open files are linked to, so that the next edit finds it known.
    pub(super) fn prepare(&mut self) {
        for part in &mut self.parts {
            part.prepare(self.open.keys());
        }
    }

    /// What is found in a file.
    pub(super) fn found_in(&self, path: &str) -> Vec<&KeptFinding> {
        let parts = self.parts.iter();
        let all = parts.filter_map(|part| part.found.get(path)).flatten();
        let mut out: Vec<&KeptFinding> = Vec::new();
        for found in all.filter(|f| {
            f.rule.is_some()
                || !self.settings.hides_unjudged
                || f.diagnostic.severity != Some(DiagnosticSeverity::INFORMATION)
        }) {
            // A file may be a part of two repositories.
            if !out.contains(&found) {
                out.push(found);
            }
        }
        out
    }

    /// What keeps everything from being read, by absolute path.
    pub(super) fn faults(&self) -> FoundByFile {
        let mut out = FoundByFile::new();
        if let Some(CliFailure::Settings(faults)) = &self.failure {
            let cwd = run::working_directory().unwrap_or_default();
            for Fault {
                path,
                line,
                column,
                message,
            } in faults
            {
                let number = |n: usize| u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
                let at = lsp_types::Position::new(number(*line), number(*column));
                let found = plain(
                    Range::new(at, at),
                    DiagnosticSeverity::ERROR,
                    "settings",
                    message.clone(),
                );
                out.entry(join_path(&cwd, path)).or_default().push(found);
            }
        }
        out
    }

    /// All files in which something is found.
    pub(super) fn files_with_findings(&self) -> BTreeSet<String> {
        self.parts.iter().flat_map(|part| part.found.keys().cloned()).collect()
    }

    /// Analyzes the file and what is linked to it, for questions that need more than what was found.
    pub(super) fn with_analysis<T>(
        &mut self,
        path: &str,
        mut ask: impl FnMut(&mut Loaded<'_>, &mut Analysis<'_>) -> Option<T>,
    ) -> Option<T> {
        self.update(false);
        self.parts.iter_mut().find_map(|part| part.ask(path, &mut ask))
    }

    /// The repositories that the file at this absolute path is a part of.
    pub(super) fn parts_of(&mut self, path: &str) -> impl Iterator<Item = &mut Part> {
        let parts = self.parts.iter_mut();
        parts.filter(move |part| part.read.text(&part.read.governing.display_path(path)).is_some())
    }

    /// The file at this absolute path was read.
    pub(super) fn reads(&self, path: &str) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| part.read.text(&part.read.governing.display_path(path)).is_some())
    }

    /// The rule of this name.
    pub(super) fn rule(&self, name: &str) -> Option<&Rule> {
        self.parts.iter().find_map(|part| part.read.ruleset.get(name))
    }

    /// The text of a file: the one in the editor, or what was read.
    pub(super) fn text(&self, path: &str) -> Option<Arc<str>> {
        if let Some(buffer) = self.open.get(path) {
            return Some(buffer.text.clone());
        }
        let texts = self.parts.iter();
        let mut texts = texts.filter_map(|part| part.read.text(&part.read.governing.display_path(path)));
        texts.next()
    }
}
