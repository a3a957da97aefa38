//! Patterns of the settings that match nothing: mostly a typing error, or what they were written for is gone.

use std::path::Path;

use super::run::Loaded;
use crate::discover::{self, SourceTree};
use crate::settings::{Fault, Glob, Settings};

/// Entries of a folder that are looked at. Of a larger one nothing is said.
const MAX_ENTRIES: usize = 50_000;

/// Bytes of a `.gitignore`.
const MAX_BYTES: u64 = 1 << 20;

/// Folders that tools make, which a fresh checkout does not have.
const MADE: &[&str] = &[
    ".aws-sam",
    ".build",
    ".serverless",
    "build",
    "cdk.out",
    "coverage",
    "dist",
    "node_modules",
    "out",
    "target",
    "vendor",
];

impl Loaded<'_> {
    /// The patterns of settings whose folder was walked as a whole, and that match no file in it.
    pub(super) fn unmatched_globs(&self) -> Vec<Fault> {
        if self.is_earlier || !matches!(self.tree, SourceTree::Disk { .. }) {
            return Vec::new();
        }
        let walked = self
            .governing
            .all()
            .iter()
            .filter(|s| s.path.is_some() && self.is_walked(&s.dir));
        walked.flat_map(|settings| self.unmatched_in(settings)).collect()
    }

    fn unmatched_in(&self, settings: &Settings) -> Vec<Fault> {
        let globs = settings.globs().filter(|(_, g)| !g.written.starts_with('!'));
        let fault = |(key, glob): (&str, &Glob)| {
            let message = format!("the pattern `{}` of `{key}` matches no file", glob.written);
            settings.glob_fault(glob, message)
        };
        let open = self.leave_out_matched(settings, globs.collect());
        open.into_iter().filter_map(fault).collect()
    }

    /// The paths of exceptions that match no file, whatever was read of the folder of their settings. It must have been walked
    /// as a whole.
    pub(super) fn unmatched_exceptions(&self) -> Vec<&Glob> {
        if self.is_earlier || !self.context || !matches!(self.tree, SourceTree::Disk { .. }) {
            return Vec::new();
        }
        let all = self.governing.all().iter();
        let walked = all.filter(|s| s.path.is_some() && self.is_walked(&s.dir));
        let open = walked.flat_map(|settings| {
            let globs = settings.exception_paths().filter(|g| !g.written.starts_with('!'));
            let globs = globs.map(|glob| ("path", glob));
            self.leave_out_matched(settings, globs.collect())
        });
        open.map(|(_, glob)| glob).collect()
    }

    /// The patterns that match no file in the folder of their settings.
    fn leave_out_matched<'g>(
        &self,
        settings: &Settings,
        mut open: Vec<(&'g str, &'g Glob)>,
    ) -> Vec<(&'g str, &'g Glob)> {
        let read = self.found.files.iter().map(|f| self.governing.absolute(&f.path));
        leave_unmatched(&mut open, &settings.dir, read);
        // What matches may have been skipped, or hold nothing that is read.
        if !open.is_empty() {
            let entries = walkdir::WalkDir::new(&settings.dir).into_iter();
            let mut entries = entries.filter_entry(|e| e.file_name() != ".git").take(MAX_ENTRIES + 1);
            let mut seen = 0;
            let files = entries.by_ref().inspect(|_| seen += 1).flatten();
            let files = files.filter(|e| !e.file_type().is_dir());
            leave_unmatched(
                &mut open,
                &settings.dir,
                files.map(|e| discover::with_forward_slashes(e.path())),
            );
            if seen > MAX_ENTRIES {
                return Vec::new();
            }
        }
        open.retain(|(key, glob)| {
            let core = core(&glob.written);
            match *key {
                "exclude" => !self.is_made(&settings.dir, core),
                "path" => !above(core).any(|folder| self.is_made(&settings.dir, folder)),
                _ => true,
            }
        });
        open
    }

    /// What a pattern, without what stands around its path, leads to is made by tools: it need not be there.
    fn is_made(&self, dir: &str, wanted: &str) -> bool {
        let last = wanted.rsplit('/').next().unwrap_or_default();
        let is_listed = |folder: &str| {
            let path = Path::new(folder).join(".gitignore");
            let text = discover::read_text(&path, MAX_BYTES).unwrap_or_default();
            text.lines().any(|line| core(line) == wanted)
        };
        MADE.contains(&last)
            || discover::in_skipped_folder("/", &format!("/{wanted}/x"))
            || is_listed(dir)
            || self.root != dir && is_listed(&self.root)
    }
}

/// The path of a pattern, without what lets it stand anywhere or match all below.
fn core(pattern: &str) -> &str {
    let pattern = pattern
        .trim()
        .trim_start_matches("**/")
        .trim_end_matches("/**")
        .trim_end_matches("/*");
    pattern.trim_matches('/')
}

/// The path, and the folders around it.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(folder, _)| folder))
}

/// Takes out the patterns that match one of the files, which are absolute, until none is left.
fn leave_unmatched(open: &mut Vec<(&str, &Glob)>, dir: &str, files: impl Iterator<Item = String>) {
    for file in files {
        if open.is_empty() {
            return;
        }
        open.retain(|(_, glob)| !glob.matches(dir, &file));
    }
}
