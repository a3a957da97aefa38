//! Fixes on their way to the disk.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::run::{self, Loaded, RunOptions};
use super::{CliFailure, terminal};
use crate::finding::AppliedFix;
use crate::fix::{self, AppliedFixes, LintedState, Texts};
use crate::phrase;
use crate::report::{Page, RenderOptions};
use crate::source::without_commands;

/// What fixing changes: nothing is on disk yet.
pub(super) struct PendingFixes {
    applied: AppliedFixes,
    /// What was read, by path.
    before: Texts,
    /// Fixes of files that are not UTF-8 were left out.
    left_out: bool,
    /// The baseline that knows findings with a fix, and how many.
    known: Option<(String, usize)>,
}

/// How writing went.
#[derive(Clone, Default)]
pub(super) struct WriteOutcome {
    files: usize,
    pub(super) fixes: Vec<AppliedFix>,
    /// Standard output holds the text that came on standard input.
    pub(super) stdout_is_taken: bool,
    /// Some file was not written.
    pub(super) failed: bool,
}

impl WriteOutcome {
    /// Adds what was written in another repository.
    pub(super) fn add(&mut self, more: Self) {
        self.files += more.files;
        self.fixes.extend(more.fixes);
        self.stdout_is_taken |= more.stdout_is_taken;
        self.failed |= more.failed;
    }

    pub(super) fn print_note(&self) {
        if self.files > 0 {
            lines(&self.fixes).for_each(|line| terminal::note(&format!("note: {line}")));
            let made = phrase::count(self.fixes.len(), "fix", "fixes");
            terminal::note(&format!(
                "note: applied {made} in {}",
                phrase::count(self.files, "file", "files")
            ));
        }
    }
}

/// What fixes would change.
#[derive(Default)]
pub(super) struct FixDiff {
    text: String,
    /// Files that could not be parsed completely.
    failed: usize,
    /// Unsafe fixes that were not asked for.
    unsafe_left: usize,
}

impl FixDiff {
    /// Adds the difference in another repository.
    pub(super) fn add(&mut self, more: &Self) {
        self.text.push_str(&more.text);
        self.failed += more.failed;
        self.unsafe_left += more.unsafe_left;
    }

    pub(super) fn print(&self) -> Result<ExitCode, CliFailure> {
        let (any, left, failed) = (!self.text.is_empty(), self.unsafe_left, self.failed);
        if !any && left > 0 {
            let fixes = if left == 1 {
                "1 unsafe fix is available".to_owned()
            } else {
                format!("{left} unsafe fixes are available")
            };
            terminal::note(&format!("note: no safe fixes; {fixes} (overgrant fix --unsafe --diff)"));
        }
        if !any && left == 0 && failed == 0 {
            terminal::note("note: nothing to fix");
        }
        if failed > 0 {
            let files = if failed == 1 {
                "1 file"
            } else {
                &format!("{failed} files")
            };
            terminal::note(&format!(
                "note: {files} could not be parsed completely; run `overgrant check` to see why"
            ));
        }
        // What is piped on is a patch, byte for byte but for commands to the runner of a pipeline.
        match std::io::stdout().is_terminal() {
            true => terminal::print_text(&self.text)?,
            false => terminal::print_page(&*without_commands(&self.text))?,
        };
        Ok(ExitCode::from(u8::from(any)))
    }
}

impl PendingFixes {
    /// Fixes what was read, which has the fixed texts afterwards.
    pub(super) fn apply_fixes(
        read: &mut Loaded<'_>,
        run_options: &RunOptions,
        risky: bool,
    ) -> Result<Self, CliFailure> {
        let before: Texts = texts(read);
        let mut applied = fix::apply_fixes(risky, |changed| {
            replace_texts(read, &before, changed);
            run::analyze_again(read, |read, analysis| {
                let report = read.report(analysis, run_options);
                Ok::<_, CliFailure>(LintedState::new(&analysis.project, &report))
            })
        })?;
        // What was converted on reading could not be written back as it was.
        let altered = &read.found.altered;
        for path in applied.texts.keys().filter(|path| altered.contains(*path)) {
            terminal::note(&format!("note: {path}: not fixed: the file is not UTF-8"));
        }
        let all = applied.texts.len();
        applied.texts.retain(|path, _| !altered.contains(path));
        let left_out = applied.texts.len() < all;
        let known = applied.known_left;
        replace_texts(read, &before, &applied.texts);
        for d in &applied.dropped {
            terminal::note(&format!(
                "note: {}:{}: not fixed: {}: {} ({})",
                d.path, d.line, d.rule, d.why, d.title
            ));
        }
        Ok(Self {
            applied,
            before,
            left_out,
            known: run_options
                .baseline
                .as_ref()
                .map(|(_, path)| path.clone())
                .zip(Some(known)),
        })
    }

    /// Says what the baseline kept from being fixed.
    pub(super) fn print_known(&self) {
        if let Some((path, known)) = self.known.as_ref().filter(|(_, known)| *known > 0) {
            let findings = phrase::count(*known, "finding", "findings");
            terminal::note(&format!(
                "note: {findings} in {path} not fixed; --no-baseline fixes what the baseline lists"
            ));
        }
    }

    /// What would change.
    pub(super) fn diff(
        self,
        read: &mut Loaded<'_>,
        run_options: &RunOptions,
        options: impl FnOnce(&Loaded<'_>) -> RenderOptions,
    ) -> FixDiff {
        // `patch` and `git apply` skip text before the first file.
        let changes: Vec<String> = lines(&self.applied.fixes).collect();
        let mut diffs = match changes.as_slice() {
            [] => String::new(),
            lines => format!(
                "# These fixes change what the policies grant:\n# {}\n",
                lines.join("\n# ")
            ),
        };
        diffs.extend(self.changed_files().map(|(path, old, new)| fix::diff(path, old, new)));
        replace_texts(read, &self.before, &BTreeMap::new());
        // What stands beside a change may be a secret.
        let (text, failed) = run::analyze_again(read, |read, analysis| {
            let report = read.report(analysis, run_options);
            let page = Page::new(&report, analysis.project.sources, &read.ruleset, options(read));
            (page.masked(diffs), report.stats.failed)
        });
        FixDiff {
            text,
            failed,
            unsafe_left: self.applied.unsafe_left,
        }
    }

    /// Writes the files, or the one text of standard input to standard output. A file that cannot be written stops no other.
    pub(super) fn write(mut self, read: &mut Loaded<'_>) -> Result<WriteOutcome, CliFailure> {
        let is_stdin = |path: &str| read.stdin.as_ref().is_some_and(|(name, _)| name == path);
        let mut files = 0;
        let mut failed = Vec::new();
        for (path, old, new) in self.changed_files().filter(|(path, ..)| !is_stdin(path)) {
            match replace(read, path, old, new) {
                Ok(()) => files += 1,
                Err(failure) => {
                    terminal::note(&format!("error: {failure}"));
                    failed.push(path.to_owned());
                }
            }
        }
        self.applied.texts.retain(|path, _| !failed.contains(path));
        replace_texts(read, &self.before, &self.applied.texts);
        let mut outcome = WriteOutcome {
            files,
            fixes: std::mem::take(&mut self.applied.fixes),
            stdout_is_taken: false,
            failed: self.left_out || !failed.is_empty(),
        };
        let Some((name, bytes)) = &read.stdin else {
            return Ok(outcome);
        };
        // Where nothing can be fixed, the text goes through as it came.
        let new = self
            .changed_files()
            .find(|(path, old, _)| path == name && old.as_bytes() == bytes);
        terminal::print_page(new.map_or(bytes.as_slice(), |(_, _, new)| new.as_bytes()))?;
        outcome.stdout_is_taken = true;
        Ok(outcome)
    }

    /// Path, old and new text.
    fn changed_files(&self) -> impl Iterator<Item = (&str, &Arc<str>, &Arc<str>)> {
        let changed = self.applied.texts.iter().filter_map(|(path, new)| {
            let old = self.before.get(path)?;
            Some((path.as_str(), old, new))
        });
        changed.filter(|(_, old, new)| old != new)
    }
}

/// "p.json:3: unused-grant: removes `s3:DeleteObject` on every resource", for each change that fixes make.
fn lines(fixes: &[AppliedFix]) -> impl Iterator<Item = String> {
    let of = |f: &AppliedFix| {
        let (path, line, rule) = (f.path.clone(), f.line, f.rule.clone());
        let changes = f.changes.clone().into_iter();
        changes.map(move |what| format!("{path}:{line}: {rule}: {what}"))
    };
    fixes.iter().flat_map(of)
}

fn texts(read: &Loaded<'_>) -> Texts {
    let files = read.found.files.iter();
    files.map(|f| (f.path.clone(), f.text.clone())).collect()
}

/// Makes `read` hold these texts, and those of before for all others.
fn replace_texts(read: &mut Loaded<'_>, before: &Texts, changed: &Texts) {
    for f in &mut read.found.files {
        if let Some(text) = changed.get(&f.path).or_else(|| before.get(&f.path)) {
            f.text = text.clone();
        }
    }
}

/// Writes a file in one step: anyone who reads it sees all of the old text or all of the new.
fn replace(read: &Loaded<'_>, path: &str, old: &str, new: &str) -> Result<(), CliFailure> {
    let io = |source| CliFailure::Io {
        what: format!("cannot write {path}"),
        source,
    };
    // Behind a link is the file that was meant, if it is one of the repository.
    let target = std::fs::canonicalize(read.governing.absolute(path)).map_err(io)?;
    let root = std::fs::canonicalize(&read.root).map_err(io)?;
    let linked = Path::new(&read.governing.absolute(path)).is_symlink();
    if linked && !target.starts_with(root) {
        return Err(CliFailure::Usage(format!(
            "{path} is a link to a file outside the repository"
        )));
    }
    if std::fs::read(&target).map_err(io)? != old.as_bytes() {
        return Err(CliFailure::Usage(format!(
            "{path} changed during the fix or is not UTF-8; it was not written"
        )));
    }
    let dir = target.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(io)?;
    file.write_all(new.as_bytes()).map_err(io)?;
    let permissions = std::fs::metadata(&target).map_err(io)?.permissions();
    file.as_file().set_permissions(permissions).map_err(io)?;
    file.persist(&target).map_err(|e| io(e.error))?;
    Ok(())
}
