//! Which settings govern which file.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Fault, Settings, parse};
use crate::discover::SourceTree;
use crate::rules::Ruleset;
use crate::source::{join_path, parent_path, relative_path};

/// Names of settings files, the strongest first.
pub const NAMES: [&str; 3] = ["overgrant.toml", ".overgrant.toml", "pyproject.toml"];

/// Changes that the command line makes to whatever settings govern a file.
type Override<'a> = dyn Fn(&mut Settings) + 'a;

/// All settings of a run.
pub struct Governing<'a> {
    cwd: String,
    tree: SourceTree,
    /// Where the search upwards ends.
    top: Option<String>,
    over: &'a Override<'a>,
    all: Vec<Settings>,
    by_dir: BTreeMap<String, usize>,
    /// One file of settings for everything, or none at all.
    forced: bool,
    /// Files of settings that cannot be read, as shown, and why.
    unread: Vec<(String, String)>,
}

impl std::fmt::Debug for Governing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Governing")
            .field("all", &self.all)
            .finish_non_exhaustive()
    }
}

impl<'a> Governing<'a> {
    /// `cwd` and `top` (the git root) are absolute. Nothing is read yet.
    pub fn new(cwd: &str, top: Option<String>, over: &'a Override<'a>) -> Self {
        let mut defaults = Settings::defaults(top.as_deref().unwrap_or(cwd));
        over(&mut defaults);
        Self {
            cwd: cwd.to_owned(),
            tree: SourceTree::default(),
            top,
            over,
            all: vec![defaults],
            by_dir: BTreeMap::new(),
            forced: false,
            unread: Vec::new(),
        }
    }

    /// Files come from this tree.
    #[must_use]
    pub fn read_from(mut self, tree: &SourceTree) -> Self {
        self.tree = tree.clone();
        self
    }

    /// The defaults and the command line count, no file.
    pub fn isolate(&mut self) {
        self.forced = true;
    }

    /// The file at `path` governs everything.
    pub fn force(&mut self, path: &str) -> Result<(), Vec<Fault>> {
        let absolute = join_path(&self.cwd, path);
        let text = self.text(&absolute).map_err(|e| {
            vec![Fault {
                path: path.to_owned(),
                line: 1,
                column: 1,
                message: format!("cannot read the configuration: {e}"),
            }]
        })?;
        self.all[0] = self.read(&absolute, &text)?;
        self.forced = true;
        Ok(())
    }

    fn text(&self, absolute: &str) -> Result<String, String> {
        (self.tree.text(Path::new(absolute), MAX_BYTES)).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => e.to_string(),
        })
    }

    fn read(&self, absolute: &str, text: &str) -> Result<Settings, Vec<Fault>> {
        let shown = relative_path(&self.cwd, absolute);
        let mut settings = parse(&shown, parent_path(absolute), text, &|other| self.text(other))?;
        (self.over)(&mut settings);
        Ok(settings)
    }

    /// The settings that govern files in the absolute folder `dir`, read now if they were not.
    pub fn load(&mut self, dir: &str) -> Result<&Settings, Vec<Fault>> {
        let index = self.index(dir)?;
        Ok(&self.all[index])
    }

    fn index(&mut self, dir: &str) -> Result<usize, Vec<Fault>> {
        if self.forced {
            return Ok(0);
        }
        let mut passed = Vec::new();
        let mut at = dir.to_owned();
        let index = loop {
            if let Some(&known) = self.by_dir.get(&at) {
                break known;
            }
            passed.push(at.clone());
            if let Some(settings) = self.in_folder(&at)? {
                self.all.push(settings);
                break self.all.len() - 1;
            }
            if self.top.as_deref() == Some(&*at) || at == "/" || at.is_empty() {
                break 0;
            }
            at = match parent_path(&at) {
                "" => "/".to_owned(),
                up => up.to_owned(),
            };
        };
        for dir in passed {
            self.by_dir.insert(dir, index);
        }
        Ok(index)
    }

    fn in_folder(&mut self, dir: &str) -> Result<Option<Settings>, Vec<Fault>> {
        for name in NAMES {
            let absolute = join_path(dir, name);
            if !self.tree.has_entry(Path::new(&absolute)) {
                continue;
            }
            let text = match self.text(&absolute) {
                Ok(text) => text,
                Err(why) => {
                    // Whether another tool's file has a table of settings cannot be said.
                    if name != "pyproject.toml" {
                        self.unread.push((self.display_path(&absolute), why));
                    }
                    continue;
                }
            };
            if name == "pyproject.toml" && !has_overgrant_table(&text) {
                // Most name no such table: they are not parsed for it.
                let named = text.contains("overgrant");
                let misplaced = || super::other_tools::misplaced_table(&self.display_path(&absolute), &text);
                match named.then(misplaced).flatten() {
                    Some(fault) => return Err(vec![fault]),
                    None => continue,
                }
            }
            return self.read(&absolute, &text).map(Some);
        }
        Ok(None)
    }

    /// The settings for the file shown as `path`; the defaults where its folder was never loaded.
    pub fn settings_for(&self, path: &str) -> &Settings {
        &self.all[self.index_of(path)]
    }

    /// Their index in [`Governing::all`].
    pub fn index_of(&self, path: &str) -> usize {
        if self.forced {
            return 0;
        }
        let absolute = join_path(&self.cwd, path);
        self.by_dir.get(parent_path(&absolute)).copied().unwrap_or(0)
    }

    /// An absolute path as it is shown.
    pub fn display_path(&self, absolute: &str) -> String {
        relative_path(&self.cwd, absolute)
    }

    pub fn absolute(&self, path: &str) -> String {
        join_path(&self.cwd, path)
    }

    /// Looks up the rules that any settings name.
    pub fn resolve(&mut self, ruleset: &Ruleset) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        for settings in &mut self.all {
            if let Err(mut more) = settings.resolve(ruleset) {
                faults.append(&mut more);
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Where settings name rules that were renamed or are deprecated.
    pub fn outdated(&self) -> impl Iterator<Item = &Fault> {
        self.all().iter().flat_map(|s| &s.outdated)
    }

    /// Files of settings that were met and cannot be read, as shown, and why.
    pub fn unread(&self) -> &[(String, String)] {
        &self.unread
    }

    /// All settings in play, the defaults first.
    pub fn all(&self) -> &[Settings] {
        &self.all
    }
}

/// Whether a `pyproject.toml` has our table.
fn has_overgrant_table(text: &str) -> bool {
    text.contains("overgrant")
        && toml::de::DeTable::parse(text).is_ok_and(|t| super::read::overgrant_table(t.get_ref()).is_some())
}

/// Bytes of a settings file, or of one that it extends.
const MAX_BYTES: u64 = 4 << 20;
