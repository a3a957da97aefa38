//! Paths in several repositories: each is read and analyzed in its own, and one report comes out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::CliFailure;
use super::input::{InputArgs, Targets};
use super::run::{self, Loaded, RunOptions};
use crate::discover::{Repositories, with_forward_slashes};
use crate::pipeline::Analysis;
use crate::rules::Ruleset;
use crate::settings::{Governing, Settings};
use crate::source::{Sources, is_within, join_path, json_without_commands, parent_path, pretty_json};
use crate::triage::{Report, merge_reports};

/// Reads what is named, each repository by itself: the one around each path, and those in a folder that is in none.
pub(super) fn read<'a>(
    input: &InputArgs,
    over: &'a dyn Fn(&mut Settings),
    run_options: &RunOptions,
) -> Result<Vec<Loaded<'a>>, CliFailure> {
    let mut parts = Partition::new(input)?;
    parts.add_targets(input.targets()?);
    if parts.by_repository.len() > 1 {
        parts.follow_settings(input, over)?;
    }
    let mut all = Vec::new();
    // What is in no repository comes first, and says which ones lie in it.
    while let Some((repository, mut targets)) = parts.by_repository.pop_first() {
        targets.repository = repository;
        let mut read = run::read_repository(input, over, run_options, targets)?;
        let met = std::mem::take(&mut read.found.repositories);
        all.push(read);
        if !met.is_empty() {
            met.into_iter().for_each(|folder| parts.add(PathBuf::from(folder)));
            parts.follow_settings(input, over)?;
        }
    }
    for i in 0..all.len() {
        for j in (0..all.len()).filter(|j| *j != i) {
            if let Ok([outer, inner]) = all.get_disjoint_mut([i, j]) {
                outer.leave_to(inner);
            }
        }
    }
    Ok(all)
}

/// What is named, by the repository that it lies in; `None` for what lies in none.
struct Partition {
    cwd: String,
    /// The folder that the command line names as the repository.
    root: Option<String>,
    repositories: Repositories,
    by_repository: BTreeMap<Option<String>, Targets>,
}

impl Partition {
    fn new(input: &InputArgs) -> Result<Self, CliFailure> {
        let cwd = run::working_directory()?;
        Ok(Self {
            root: (input.root.as_ref()).map(|dir| join_path(&cwd, &with_forward_slashes(dir))),
            cwd,
            repositories: Repositories::default(),
            by_repository: BTreeMap::new(),
        })
    }

    fn add_targets(&mut self, targets: Targets) {
        for path in targets.paths {
            self.add(path);
        }
        if let Some((name, bytes)) = targets.stdin {
            let repository = self.repository(&join_path(&self.cwd, &name));
            self.by_repository.entry(repository).or_default().stdin = Some((name, bytes));
        }
        if self.by_repository.is_empty() {
            // An empty list of files: the run says what it says without any.
            let repository = self.repository(&self.cwd.clone());
            self.by_repository.entry(repository).or_default();
        }
    }

    fn add(&mut self, path: PathBuf) {
        let repository = self.repository(&join_path(&self.cwd, &with_forward_slashes(&path)));
        self.by_repository.entry(repository).or_default().paths.push(path);
    }

    fn repository(&mut self, absolute: &str) -> Option<String> {
        match &self.root {
            Some(root) if is_within(absolute, root) => Some(root.clone()),
            _ => self.repositories.around(absolute),
        }
    }

    /// Where the settings name the folder that is analyzed as a whole, it counts instead of the repository.
    fn follow_settings(&mut self, input: &InputArgs, over: &dyn Fn(&mut Settings)) -> Result<(), CliFailure> {
        if input.isolated || self.root.is_some() {
            return Ok(());
        }
        let mut governing = Governing::new(&self.cwd, crate::discover::git_root(&self.cwd), over);
        if let Some(config) = &input.config {
            governing.force(config).map_err(CliFailure::Settings)?;
        }
        for (repository, targets) in std::mem::take(&mut self.by_repository) {
            let named = targets.stdin.iter().map(|(name, _)| name.clone());
            let names = targets.paths.iter().map(|path| with_forward_slashes(path)).chain(named);
            let mut roots = Vec::new();
            for name in names {
                let absolute = join_path(&self.cwd, &name);
                let dir = match Path::new(&absolute).is_dir() {
                    true => &*absolute,
                    false => parent_path(&absolute),
                };
                let settings = governing.load(dir).map_err(CliFailure::Settings)?;
                let root = settings.root.as_ref().map(|root| settings.absolute(root));
                let root = root.filter(|root| is_within(&absolute, root) && Path::new(root).is_dir());
                roots.push(root.or_else(|| repository.clone()));
            }
            let mut roots = roots.into_iter();
            for path in targets.paths {
                let root = roots.next().flatten();
                self.by_repository.entry(root).or_default().paths.push(path);
            }
            if let Some(stdin) = targets.stdin {
                let root = roots.next().flatten();
                self.by_repository.entry(root).or_default().stdin = Some(stdin);
            }
        }
        Ok(())
    }
}

/// The one report of a run.
pub(super) struct WholeReport<'r> {
    pub(super) read: &'r [Loaded<'r>],
    pub(super) report: &'r Report,
    pub(super) sources: &'r Sources,
    pub(super) ruleset: &'r Ruleset,
    /// Absolute: where the paths of code hosts start. Of several repositories, the folder around all of them.
    pub(super) root: &'r str,
}

/// Analyzes each repository, and hands over the one report of all.
pub(super) fn check<T>(mut all: Vec<(Loaded<'_>, RunOptions)>, then: impl FnOnce(&WholeReport<'_>) -> T) -> T {
    if all.len() == 1
        && let Some((read, run_options)) = all.pop()
    {
        return run::analyze(read, |read, analysis| {
            let report = read.report(analysis, &run_options);
            then(&WholeReport {
                report: &report,
                sources: analysis.project.sources,
                ruleset: &read.ruleset,
                root: &read.root,
                read: std::slice::from_ref(read),
            })
        });
    }
    let mut parts = Vec::new();
    for (read, run_options) in &mut all {
        read.clock.resume();
        parts.push(run::analyze_again(read, |read, analysis| {
            let report = read.report(analysis, run_options);
            (report, paths(analysis.project.sources))
        }));
    }
    let all: Vec<Loaded<'_>> = all.into_iter().map(|(read, _)| read).collect();
    let sources = sources(&all);
    let mut report = merge_reports(parts, &sources);
    if let Some(first) = all.first().filter(|_| report.stats.elapsed_ms.is_some()) {
        let ms = first.clock.total().as_millis();
        report.stats.elapsed_ms = Some(u64::try_from(ms).unwrap_or(u64::MAX));
    }
    then(&WholeReport {
        report: &report,
        sources: &sources,
        ruleset: &ruleset(&all),
        root: &folder_around(all.iter().map(|read| read.root.as_str())),
        read: &all,
    })
}

/// Analyzes each repository by itself.
pub(super) fn each<T>(all: Vec<Loaded<'_>>, mut then: impl FnMut(&mut Loaded<'_>, &mut Analysis<'_>) -> T) -> Vec<T> {
    if all.len() == 1 {
        return all.into_iter().map(|read| run::analyze(read, &mut then)).collect();
    }
    let analyze = |mut read: Loaded<'_>| run::analyze_again(&mut read, &mut then);
    all.into_iter().map(analyze).collect()
}

fn paths(sources: &Sources) -> Vec<String> {
    sources.ids().map(|id| sources.path(id).to_owned()).collect()
}

/// The rules of all repositories. Of two rules that users gave one name, the first counts.
pub(super) fn ruleset<'r>(all: &'r [Loaded<'_>]) -> Cow<'r, Ruleset> {
    let mut rulesets = all.iter().map(|read| &read.ruleset);
    let Some(first) = rulesets.next() else {
        return Cow::Owned(Ruleset::builtin());
    };
    rulesets.fold(Cow::Borrowed(first), |ruleset, more| {
        Cow::Owned(ruleset.into_owned().with_user_rules(more.iter().cloned()))
    })
}

/// The files of all repositories. One that another only reads is in scope where it is named.
fn sources(all: &[Loaded<'_>]) -> Sources {
    let files = all.iter().flat_map(|read| &read.found.files);
    let sources = Sources::new(files.map(|f| (f.path.clone(), f.text.clone(), f.in_scope)));
    sources.with_links(all.iter().flat_map(|read| read.found.links.iter().cloned()))
}

/// The nearest folder that holds all of these, which are absolute.
fn folder_around<'p>(mut folders: impl Iterator<Item = &'p str>) -> String {
    let mut around = folders.next().unwrap_or_default();
    for folder in folders {
        while !is_within(folder, around) {
            around = parent_path(around);
        }
    }
    if around.is_empty() {
        "/".to_owned()
    } else {
        around.to_owned()
    }
}

/// One list of the JSON lists of each repository, by path and position.
pub(super) fn merge_lists(lists: Vec<String>) -> String {
    let only = |mut lists: Vec<String>| lists.pop().unwrap_or_default();
    if lists.len() < 2 {
        return only(lists);
    }
    let mut merged = Value::Null;
    for list in &lists {
        let Ok(list) = serde_json::from_str::<Value>(list) else {
            continue;
        };
        match (merged.as_object_mut(), list) {
            (Some(merged), Value::Object(list)) => {
                for (key, value) in list {
                    if let (Some(Value::Array(all)), Value::Array(more)) = (merged.get_mut(&key), value) {
                        all.extend(more);
                    }
                }
            }
            (_, list) => merged = list,
        }
    }
    let place = |item: &Value| {
        let path = item["path"].as_str().unwrap_or_default().to_owned();
        (path, item["span"]["start"]["offset"].as_u64())
    };
    let lists = merged
        .as_object_mut()
        .into_iter()
        .flat_map(|fields| fields.values_mut());
    for list in lists.filter_map(Value::as_array_mut) {
        list.sort_by_cached_key(place);
    }
    json_without_commands(pretty_json(&merged))
}
