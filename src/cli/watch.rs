//! `check --watch`: reports again when files change.
//!
//! The files are polled: that works on every system and for network folders, needs no handle for each folder, and an editor
//! that saves by renaming, or a folder that goes and comes back, is nothing special. A look costs one call for each file and
//! folder; the time between two looks grows with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant, SystemTime};

use rayon::prelude::*;

use super::input::InputArgs;
use super::repositories::{self, WholeReport};
use super::run::{self, Loaded, RunOptions};
use super::{CliFailure, terminal};
use crate::phrase;
use crate::settings::{NAMES, Settings};
use crate::source::{join_path, parent_path};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(40);
/// Looking takes at most this part of the time.
const SHARE: u32 = 5;
/// Most files of a folder of rules.
const MAX_RULE_FILES: usize = 10_000;

/// What tells one state of a file from another; `None` where the file is not there.
type FileState = Option<(SystemTime, u64)>;

/// What a run reads, as it is on disk.
#[derive(Debug, Default)]
struct WatchedFiles {
    files: BTreeMap<String, FileState>,
    /// Only a hint: a file that is not read changes them too.
    folders: BTreeMap<String, FileState>,
}

/// Paths that a run read, or would have read, in addition to what is found by walking. Absolute.
#[derive(Debug, Default)]
pub(super) struct ReadPaths(BTreeSet<String>);

impl ReadPaths {
    /// Files that others name, settings, rules, and baselines.
    pub(super) fn add(&mut self, checked: &WholeReport<'_>) {
        for read in checked.read {
            let files = read.found.files.iter();
            self.0.extend(files.map(|f| read.governing.absolute(&f.path)));
            self.0.extend(settings_files(read));
        }
    }
}

/// What a run reads of settings, rules, and evidence, absolute: also what is not there.
pub(super) fn settings_files(read: &Loaded<'_>) -> Vec<String> {
    let all = read.governing.all().iter();
    let mut files = vec![read.governing.absolute(&read.baseline_path())];
    for settings in all {
        files.extend(settings.path.iter().map(|path| read.governing.absolute(path)));
        let extended = settings.extend.iter().map(|path| join_path(&settings.dir, path));
        files.extend(extended);
        files.extend(settings.evidence.iter().map(|path| settings.absolute(path)));
        for dir in settings.rule_dirs.iter().map(|dir| settings.absolute(dir)) {
            let entries = walkdir::WalkDir::new(&dir).into_iter().flatten();
            let rules = entries.filter(|e| e.file_type().is_file()).take(MAX_RULE_FILES);
            files.extend(rules.map(|e| crate::discover::with_forward_slashes(e.path())));
            files.push(dir);
        }
    }
    files
}

/// What a command that watches does each time.
pub(super) trait Watched {
    fn input(&self) -> &InputArgs;

    /// Files that the run itself writes.
    fn outputs(&self) -> Vec<String>;

    fn run(&self, paths: &mut ReadPaths) -> Result<(), CliFailure>;
}

/// Runs `watched` now and whenever what it reads has changed. Ends only if the first run cannot be made for another reason than
/// the settings.
pub(super) fn watch(watched: &impl Watched) -> Result<(), CliFailure> {
    let mut is_first = true;
    let mut paths = ReadPaths::default();
    loop {
        let outputs: BTreeSet<String> = watched.outputs().into_iter().collect();
        let before = snapshot(watched.input(), &paths, &outputs);
        clear_screen();
        let mut read = ReadPaths::default();
        match watched.run(&mut read) {
            Ok(()) => paths = read,
            Err(failure) if is_first && !matches!(failure, CliFailure::Settings(_)) => return Err(failure),
            Err(failure) => terminal::note(&format!("error: {failure}")),
        }
        is_first = false;
        // What the run read that no walk shows is compared with what it is now: it has just been read.
        let mut known = snapshot(watched.input(), &paths, &outputs);
        known.files.extend(before.files);
        known.folders.extend(before.folders);
        let files = phrase::count(known.files.len(), "file", "files");
        let now = clock_time().unwrap_or_default();
        terminal::note(&format!("{now}watching {files} for changes; end with Ctrl-C"));
        wait(watched.input(), &paths, &outputs, known);
    }
}

/// Comes back when what the run reads is no longer as it was known, and has stopped changing.
fn wait(input: &InputArgs, paths: &ReadPaths, outputs: &BTreeSet<String>, mut known: WatchedFiles) {
    loop {
        let start = Instant::now();
        let now = known.again();
        let pause = PAUSE.max(start.elapsed() * SHARE);
        if now == known.states() {
            std::thread::sleep(pause);
            continue;
        }
        // The end of a burst: nothing has changed for as long as a look and a pause take.
        let mut last = now;
        loop {
            std::thread::sleep(pause);
            let now = known.again();
            if now == last {
                break;
            }
            last = now;
        }
        let mut now = snapshot(input, paths, outputs);
        // Files that were known and are not listed any more have gone, or nothing reads them.
        for path in known
            .files
            .keys()
            .filter(|path| !now.files.contains_key(*path))
            .cloned()
            .collect::<Vec<_>>()
        {
            let state = state(&path);
            now.files.insert(path, state);
        }
        if now.files != known.files {
            return;
        }
        known = now;
    }
}

impl WatchedFiles {
    fn states(&self) -> Vec<FileState> {
        self.files.values().chain(self.folders.values()).copied().collect()
    }

    /// The states of the same files and folders now.
    fn again(&self) -> Vec<FileState> {
        let paths: Vec<&String> = self.files.keys().chain(self.folders.keys()).collect();
        paths.into_par_iter().map(|path| state(path)).collect()
    }
}

fn state(path: &str) -> FileState {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// What a run would read now. Where the settings cannot be read, they do not count.
fn snapshot(input: &InputArgs, paths: &ReadPaths, outputs: &BTreeSet<String>) -> WatchedFiles {
    let over = |_: &mut Settings| {};
    let listing = RunOptions {
        only_lists: true,
        ..RunOptions::default()
    };
    let all = repositories::read(input, &over, &listing).or_else(|_| {
        let isolated = InputArgs {
            config: None,
            isolated: true,
            ..input.clone()
        };
        repositories::read(&isolated, &over, &listing)
    });
    let mut files: BTreeSet<String> = paths.0.clone();
    let mut folders = BTreeSet::new();
    for read in all.into_iter().flatten() {
        files.extend(settings_files(&read));
        files.extend(read.found.listed.files);
        folders.extend(read.found.listed.folders);
    }
    if let Some(config) = &input.config
        && let Ok(cwd) = run::working_directory()
    {
        files.insert(join_path(&cwd, config));
    }
    // Settings that may appear above what is walked.
    let mut above = BTreeSet::new();
    for folder in folders.iter().take(1).cloned().chain(run::working_directory()) {
        let mut at = &*folder;
        while !at.is_empty() && above.insert(at.to_owned()) {
            at = parent_path(at);
        }
    }
    files.extend(above.iter().flat_map(|dir| NAMES.map(|name| join_path(dir, name))));
    files.retain(|file| !outputs.contains(file));
    without_streams(&mut files);
    let states = |paths: BTreeSet<String>| {
        let paths: Vec<String> = paths.into_iter().collect();
        let states: Vec<FileState> = paths.par_iter().map(|path| state(path)).collect();
        paths.into_iter().zip(states).collect()
    };
    WatchedFiles {
        files: states(files),
        folders: states(folders),
    }
}

/// Files that the run writes to as its standard streams: each report would change them.
#[cfg(unix)]
fn without_streams(files: &mut BTreeSet<String>) {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path: &str| {
        let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some((meta.dev(), meta.ino()))
    };
    let streams: Vec<_> = ["/dev/stdout", "/dev/stderr"].into_iter().filter_map(id).collect();
    if !streams.is_empty() {
        files.retain(|file| id(file).is_none_or(|id| !streams.contains(&id)));
    }
}

#[cfg(not(unix))]
fn without_streams(_: &mut BTreeSet<String>) {}

/// Each report on a terminal has a screen of its own.
fn clear_screen() {
    if std::io::stdout().is_terminal() {
        let _ = terminal::print("\u{1b}[2J\u{1b}[3J\u{1b}[H");
    }
}

/// When a report was made, for people: UTC.
fn clock_time() -> Option<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = now.as_secs() % 86_400;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let is_seen = std::io::stderr().is_terminal();
    is_seen.then(|| format!("[{hours:02}:{minutes:02}:{seconds:02} UTC] "))
}
