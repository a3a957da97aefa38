//! `overgrant.toml`: what a repository asks for.
//!
//! **Invariant:** one file of settings governs one source file, the nearest above it; nothing is merged but what `extend`
//! names; an unknown key or a wrong value is an error with its place, never ignored.

mod find;
mod options;
mod parse;
mod schema;
mod select;
mod toml_reader;
mod workload;

use std::collections::BTreeMap;

use ignore::gitignore::Gitignore;

use crate::finding::{Confidence, Severity};
use crate::iam::{Ownership, PolicyKind};
use crate::phrase;
use crate::rules::options::OptionValues;
use crate::rules::{Ruleset, Selection};

pub use crate::date::Date;
pub use find::{Governing, NAMES};
pub(crate) use parse::markers;
pub use parse::parse;
pub use schema::{json_schema, shown};
pub use select::{Choice, Selector};

/// A fault in a settings file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct Fault {
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// What makes the exit code 1; `None` is "never".
pub type FailOn = Option<Severity>;

/// The settings that govern a file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file they come from as it is shown; `None` for the defaults.
    pub path: Option<String>,
    /// Its folder, absolute: what its patterns and paths are relative to.
    pub dir: String,
    pub fail_on: FailOn,
    /// Something that was not judged makes the exit code 1.
    pub fail_on_unjudged: bool,
    pub min_severity: Severity,
    pub min_confidence: Confidence,
    pub choice: Choice,
    pub exclude: Vec<String>,
    pub respect_gitignore: bool,
    /// Findings in test code are reported as any others.
    pub tests: bool,
    /// A suppression without a reason does not suppress.
    pub require_reason: bool,
    /// Above 0: every suppression ends, at most so many days ahead.
    pub max_ignore_days: i64,
    /// Markers of other tools that count as suppressions: `gitleaks:allow`, `checkov:skip`.
    pub honor_foreign: Vec<String>,
    /// Absolute path.
    pub baseline: Option<String>,
    /// Folders of users' own rules, absolute.
    pub rule_dirs: Vec<String>,
    pub own: Ownership,
    /// Severity by rule name.
    pub severities: BTreeMap<String, Severity>,
    /// What `[rules.NAME]` sets in addition: by rule and option. Filled in by [`Settings::resolve`].
    pub options: BTreeMap<String, OptionValues>,
    pub per_file: Vec<PerFile>,
    pub policy_kinds: Vec<(Glob, PolicyKind)>,
    /// Files of service control policies that are attached above the account that is deployed to, one level a pattern.
    pub service_control_policies: Vec<Glob>,
    pub exceptions: Vec<Exception>,
    /// Dotted key to `path:line`, for `config show`.
    pub origins: BTreeMap<String, String>,
    /// Rule names and selectors as written, with their places, to be checked against the rules there are.
    pub named_rules: Vec<(String, Fault)>,
    /// Options as written, to be checked against what their rules declare.
    pub written_options: Vec<options::WrittenOption>,
    /// Names of rules that were renamed or are deprecated: they count, and the user is reported.
    pub outdated: Vec<Fault>,
    /// What `choice` amounts to; `None` before [`Settings::resolve`], which lets every rule through.
    pub rules: Option<Selection>,
}

impl Settings {
    /// What holds where no one says otherwise; patterns are relative to `dir`.
    pub fn defaults(dir: &str) -> Self {
        Self {
            path: None,
            dir: dir.to_owned(),
            fail_on: Some(Severity::Medium),
            fail_on_unjudged: false,
            min_severity: Severity::Low,
            min_confidence: Confidence::Low,
            choice: Choice::default(),
            exclude: Vec::new(),
            respect_gitignore: true,
            tests: false,
            require_reason: false,
            max_ignore_days: 0,
            honor_foreign: Vec::new(),
            baseline: None,
            rule_dirs: Vec::new(),
            own: Ownership::default(),
            severities: BTreeMap::new(),
            options: BTreeMap::new(),
            per_file: Vec::new(),
            policy_kinds: Vec::new(),
            service_control_policies: Vec::new(),
            exceptions: Vec::new(),
            origins: BTreeMap::new(),
            named_rules: Vec::new(),
            written_options: Vec::new(),
            outdated: Vec::new(),
            rules: None,
        }
    }

    /// Looks up the rules that are named and the options that are set.
    pub fn resolve(&mut self, ruleset: &Ruleset) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        self.follow_renames(ruleset);
        for (name, place) in &self.named_rules {
            if ruleset.matching(name).is_empty() {
                let hint = phrase::did_you_mean(&ruleset.nearest(name));
                faults.push(Fault {
                    message: format!("unknown rule `{name}`{hint}"),
                    ..place.clone()
                });
            }
        }
        faults.append(&mut options::resolve(self, ruleset));
        if !faults.is_empty() {
            return Err(faults);
        }
        self.rules = self.choice.selection(ruleset).ok();
        Ok(())
    }

    /// Puts the present names of rules where a name from before stands.
    fn follow_renames(&mut self, ruleset: &Ruleset) {
        let choice = &mut self.choice;
        let selectors = choice
            .select
            .iter_mut()
            .chain(&mut choice.extend_select)
            .chain(&mut choice.ignore)
            .chain(self.per_file.iter_mut().flat_map(|p| &mut p.ignore))
            .chain(self.exceptions.iter_mut().flat_map(|e| &mut e.rules));
        for s in selectors {
            s.0 = ruleset.current(&s.0).to_owned();
        }
        let severities = std::mem::take(&mut self.severities);
        let current = |(name, severity): (String, Severity)| (ruleset.current(&name).to_owned(), severity);
        self.severities = severities.into_iter().map(current).collect();
        for written in &mut self.written_options {
            written.rule = ruleset.current(&written.rule).to_owned();
        }
        for (name, place) in &self.named_rules {
            if let Some(message) = ruleset.outdated(name) {
                self.outdated.push(Fault {
                    message,
                    ..place.clone()
                });
            }
        }
    }

    /// What `[per-file]` does not run in the file at the absolute path `file`, and what makes that file fail.
    pub fn for_file(&self, file: &str) -> (Vec<&Selector>, FailOn) {
        let mut ignore = Vec::new();
        let mut fail_on = self.fail_on;
        for part in self.per_file.iter().filter(|p| p.glob.matches(file)) {
            ignore.extend(&part.ignore);
            fail_on = part.fail_on.unwrap_or(fail_on);
        }
        (ignore, fail_on)
    }

    /// What `[policy-kind]` says of the file at the absolute path `file`.
    pub fn policy_kind(&self, file: &str) -> Option<PolicyKind> {
        self.policy_kinds
            .iter()
            .rev()
            .find(|(glob, _)| glob.matches(file))
            .map(|(_, kind)| *kind)
    }
}

/// A pattern in the manner of `.gitignore`, relative to the folder of the settings that hold it.
#[derive(Clone, Debug)]
pub struct Glob {
    pub written: String,
    matcher: Gitignore,
}

impl Glob {
    pub fn new(dir: &str, written: &str) -> Result<Self, String> {
        let globs = [written.to_owned()];
        match crate::discover::patterns(dir, &globs) {
            Ok(Some(matcher)) => Ok(Self {
                written: written.to_owned(),
                matcher,
            }),
            Ok(None) => Err("empty pattern".to_owned()),
            Err(e) => Err(e.to_string()),
        }
    }

    /// Whether it covers the file at the absolute path `file`.
    pub fn matches(&self, file: &str) -> bool {
        crate::discover::matches(&self.matcher, file)
    }
}

/// One entry of `[per-file]`.
#[derive(Clone, Debug)]
pub struct PerFile {
    pub glob: Glob,
    pub ignore: Vec<Selector>,
    pub fail_on: Option<FailOn>,
}

/// One `[[exception]]`.
#[derive(Clone, Debug)]
pub struct Exception {
    pub rules: Vec<Selector>,
    pub path: Glob,
    pub sid: Option<String>,
    pub pointer: Option<String>,
    pub resource: Option<String>,
    pub action: Option<String>,
    pub principal: Option<String>,
    pub fingerprint: Option<String>,
    pub reason: Option<String>,
    pub until: Option<Date>,
    pub owner: Option<String>,
    /// The settings file as shown, and the line of the entry.
    pub file: String,
    pub line: usize,
}
