//! What the settings in play say of a run: its rules, their options, what is ours, and the settings as sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::CliFailure;
use super::run::{Loaded, MAX_SETTINGS, RunOptions, today};
use crate::discover::{self, Discovery, SourceTree};
use crate::iam::{DeclaredContract, DeclaredWorkload, Ownership};
use crate::rules::options::RuleOptions;
use crate::rules::{self, Ruleset, Selection, ids};
use crate::settings::{Governing, Settings};
use crate::source::{Sources, join_path};

/// The built-in rules and those of the folders that the settings name. A broken rule file becomes one of the files found, and
/// trouble.
pub(super) fn ruleset(
    governing: &Governing<'_>,
    tree: &SourceTree,
    found: &mut Discovery,
) -> Result<Ruleset, CliFailure> {
    let mut ruleset = Ruleset::builtin();
    let all = governing.all().iter();
    let dirs: BTreeSet<String> = all.flat_map(|s| s.rule_dirs.iter().map(|d| s.absolute(d))).collect();
    for dir in &dirs {
        let shown = governing.display_path(dir);
        let folder = Path::new(dir);
        if !tree.is_dir(folder) {
            return Err(missing_rules(&shown));
        }
        let loaded = match tree.stored_files(folder) {
            Some(files) => {
                rules::user::load_stored(&files, &shown, &|path| tree.text(&folder.join(path), MAX_SETTINGS))
            }
            None => rules::user::load(folder, &shown),
        };
        for mistake in &loaded.mistakes {
            let text = loaded.files.iter().find(|(path, _)| *path == mistake.path);
            found.files.retain(|f| f.path != mistake.path);
            found.files.push(discover::InputFile {
                path: mistake.path.clone(),
                text: text.map_or_else(|| "".into(), |(_, text)| text.clone()),
                in_scope: true,
            });
            found.broken_rules.push(mistake.clone());
        }
        ruleset = ruleset.with_user_rules(loaded.rules);
    }
    Ok(ruleset)
}

/// Rules that are asked for and not there would be missed by no one.
pub(super) fn missing_rules(folder: &str) -> CliFailure {
    CliFailure::Usage(format!(
        "no such folder: {folder}, which `rule-dirs` in the configuration names"
    ))
}

impl RunOptions {
    /// For commands that describe what lies in a folder.
    pub(super) fn confined() -> Self {
        Self {
            is_confined: true,
            ..Self::default()
        }
    }

    /// For commands that describe access, and show no findings.
    pub(super) fn without_findings() -> Self {
        Self {
            shows_no_findings: true,
            ..Self::confined()
        }
    }
}

impl Loaded<'_> {
    /// Fails if objects of a Git tree could not be read.
    pub(super) fn ensure_read(&self) -> Result<(), CliFailure> {
        let mut failures = [&self.tree, &self.settings_tree]
            .into_iter()
            .filter_map(SourceTree::failure);
        failures.next().map_or(Ok(()), |failure| Err(failure.clone().into()))
    }

    /// The rule is on in all settings, and no settings ignore it in the file at this path from the root.
    pub(super) fn runs(&self, rule: &str, path: &str) -> bool {
        let Some(rule) = self.ruleset.get(rule) else {
            return true;
        };
        let absolute = join_path(&self.root, path);
        let settings = self.governing.settings_for(&self.governing.display_path(&absolute));
        let (ignored, _) = settings.for_file(&absolute);
        let mut selections = self.governing.all().iter().filter_map(|s| s.selection.as_ref());
        selections.all(|selection| selection.is_on(&rule.id()))
            && !(self.exists(path) && ignored.iter().any(|s| s.covers(rule.family(), &rule.id())))
    }

    /// Settings with exceptions, workloads, or contracts are sources too: findings point into them, and are reported where they are asked for.
    pub(super) fn add_settings_files(&mut self) {
        let of_settings = |settings: &Settings| {
            let excepting = settings.path.clone().filter(|_| !settings.exceptions.is_empty());
            let own = settings.ownership();
            let linking = own.workloads.into_iter().map(|w| w.file);
            let promising = own.contracts.into_iter().map(|c| c.file);
            excepting
                .into_iter()
                .chain(linking)
                .chain(promising)
                .collect::<Vec<_>>()
        };
        let paths: Vec<String> = self.governing.all().iter().flat_map(of_settings).collect();
        for path in paths {
            let absolute = self.governing.absolute(&path);
            let known = self.found.files.iter_mut().find(|f| f.path == path);
            if known.is_some() && !self.is_earlier {
                continue;
            }
            if let Ok(text) = self.settings_tree.text(Path::new(&absolute), MAX_SETTINGS) {
                if let Some(known) = known {
                    if *known.text != *text {
                        known.text = text.into();
                        self.changed_settings.insert(path);
                    }
                    continue;
                }
                let is_piped = self.stdin.as_ref().is_some_and(|(name, _)| *name == path);
                let in_scope = is_piped || self.named.contains(&absolute) || self.is_walked(&absolute);
                self.found.files.push(discover::InputFile {
                    path,
                    text: text.into(),
                    in_scope,
                });
            }
        }
    }

    /// All of what the settings in play call ours.
    pub(super) fn ownership(&self) -> Ownership {
        let mut own = Ownership {
            today: Some(today()),
            ..Ownership::default()
        };
        for more in self.governing.all().iter().map(Settings::ownership) {
            own.accounts.extend(more.accounts);
            own.trusted_accounts.extend(more.trusted_accounts);
            own.github.extend(more.github);
            own.sensitive.extend(more.sensitive);
            own.workloads
                .extend(more.workloads.into_iter().map(|w| self.resolve_workload(w)));
            own.contracts
                .extend(more.contracts.into_iter().map(|c| DeclaredContract {
                    folder: self.governing.display_path(&c.folder),
                    ..c
                }));
            own.organization = own.organization.or(more.organization);
        }
        own.github.sort();
        own.github.dedup();
        own.sensitive.sort();
        own.sensitive.dedup();
        own
    }

    /// A workload of the settings with paths as they are shown.
    fn resolve_workload(&self, mut out: DeclaredWorkload) -> DeclaredWorkload {
        for code in &mut out.code {
            code.text = self.governing.display_path(&code.text);
        }
        out.whole = self.is_analyzed_whole(&self.governing.absolute(&out.file));
        out
    }

    /// The options of rules, each file's from the settings that govern it.
    pub(super) fn options(&self, sources: &Sources) -> RuleOptions {
        let sets: Vec<_> = self.governing.all().iter().map(|s| s.options.clone()).collect();
        if sets.iter().all(BTreeMap::is_empty) {
            return RuleOptions::default();
        }
        let set = |id| self.governing.index_of(sources.path(id)) as u32;
        RuleOptions::by_file(sets, sources.ids().map(set).collect())
    }
}

/// Every rule that any settings in play ask for, those whose findings hide secrets, and those that tell of broken input.
/// Without the rules of a family whose question is answered otherwise.
pub(super) fn combined_selection(all: &[Settings], ruleset: &Ruleset, without: Option<&str>) -> Selection {
    let mut names = always_on(ruleset);
    for settings in all {
        match &settings.selection {
            Some(rules) => names.extend(rules.iter().map(str::to_owned)),
            None => names.extend(Selection::all(ruleset).iter().map(str::to_owned)),
        }
    }
    names.retain(|name| without.is_none_or(|family| ruleset.get(name).is_none_or(|r| r.family() != family)));
    selection_of(ruleset, names)
}

/// The rules that say what is secret and what could not be read.
pub(super) fn least_selection(ruleset: &Ruleset) -> Selection {
    selection_of(ruleset, always_on(ruleset))
}

fn always_on(ruleset: &Ruleset) -> BTreeSet<String> {
    let always = ruleset
        .iter()
        .filter(|r| r.family() == "credentials" || matches!(r.id(), ids::UNREADABLE_INPUT | ids::JSON_SYNTAX_ERROR));
    always.map(|r| r.id().to_string()).collect()
}

fn selection_of(ruleset: &Ruleset, names: BTreeSet<String>) -> Selection {
    let names: Vec<String> = names.into_iter().collect();
    Selection::new(ruleset, rules::Profile::Audit, &names, &[], &[]).unwrap_or_default()
}
