//! `overgrant.toml`: what a repository asks for.
//!
//! A setting is a field of [`Settings`] or of one of its tables. What reads it, its JSON Schema, `overgrant config show`, and
//! its row on the documentation site are derived from the field and its comment.
//!
//! **Invariant:** one file of settings governs one source file, the nearest above it; nothing is merged but what `extend`
//! names; an unknown key or a wrong value is an error with its place, never ignored.

mod find;
mod invalid_entry;
mod options;
mod other_tools;
mod read;
#[cfg(feature = "cli")]
mod schema;
mod show;
mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Confidence, Severity};
use crate::iam::{ContractTerms, DeclaredContract, DeclaredWorkload, Ownership, PolicyKind, SettingValue};
use crate::rules::options::OptionValues;
use crate::rules::{Profile, Ruleset, Selection};
use crate::source::join_path;

pub use crate::date::Date;
pub use find::{Governing, NAMES};
pub use options::RuleSettings;
pub use read::parse;
#[cfg(feature = "cli")]
pub use schema::json_schema;
pub use show::to_toml;
pub(crate) use values::markers;
pub use values::{
    Accounts, FailOn, ForeignMarker, Glob, NonEmptyText, OnByDefault, OneOrMany, RangedValue, SchemaVersion, Selector,
};

/// A fault in a settings file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct Fault {
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// The configuration that applies to a file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(title = "overgrant.toml"))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// Version of the layout of this file.
    #[serde(skip_serializing)]
    pub schema: SchemaVersion,
    /// Configuration file to read first, relative to this file.
    #[serde(skip_serializing)]
    pub extend: Option<String>,
    /// Lowest severity that makes the command fail.
    pub fail_on: FailOn,
    /// Fail if anything could not be judged.
    pub fail_on_unjudged: bool,
    /// Lowest severity to show.
    pub min_severity: Severity,
    /// Lowest confidence to show.
    pub min_confidence: Confidence,
    /// Set of rules to run.
    pub profile: Profile,
    /// Rules, families, or patterns to run; if empty, the rules of the profile.
    pub select: OneOrMany<Selector>,
    /// Rules to run in addition.
    pub extend_select: OneOrMany<Selector>,
    /// Rules not to run.
    pub ignore: OneOrMany<Selector>,
    /// Files to skip, in gitignore syntax; files that a checked file refers to are still read.
    pub exclude: OneOrMany<Glob>,
    /// Folder that is analyzed as a whole, whatever is named in it, relative to this file; if unset, the Git repository.
    pub root: Option<RangedValue<String>>,
    /// Skip files that `.gitignore` excludes.
    pub respect_gitignore: OnByDefault,
    /// Report all findings in test code, not only credentials that look real.
    pub tests: bool,
    /// Require a reason for every suppression.
    pub require_reason: bool,
    /// If above 0, every suppression must end within this number of days.
    #[cfg_attr(feature = "cli", schemars(range(min = 0)))]
    pub max_ignore_days: i64,
    /// Markers of other tools that count as suppressions.
    pub honor_foreign: OneOrMany<ForeignMarker>,
    /// Baseline file, relative to this file.
    pub baseline: Option<RangedValue<String>>,
    /// File of evidence from `overgrant evidence collect`, relative to this file: what was used counts, and what was not is
    /// reported.
    pub evidence: Option<RangedValue<String>>,
    /// Folders of your own rules, relative to this file.
    pub rule_dirs: OneOrMany<RangedValue<String>>,
    /// Files of service control policies that apply to the account of the deployment, as patterns; what they deny is not
    /// granted. The files of one pattern form one level, such as the root or an organizational unit; what no allow list of a
    /// level allows is not granted.
    pub service_control_policies: OneOrMany<Glob>,
    /// Accounts, organizations, and workloads that are yours.
    pub own: OwnSettings,
    /// Severity and options of rules, by rule name.
    #[serde(with = "values::table")]
    #[cfg_attr(feature = "cli", schemars(schema_with = "schema::rules"))]
    pub rules: Vec<(Selector, RuleSettings)>,
    /// Settings for files that match a path pattern.
    #[serde(with = "values::table")]
    #[cfg_attr(feature = "cli", schemars(with = "BTreeMap<String, PerFile>"))]
    pub per_file: Vec<(Glob, PerFile)>,
    /// Kind of bare policy documents, by path pattern.
    #[serde(rename = "policy-kind", with = "values::table")]
    #[cfg_attr(feature = "cli", schemars(with = "BTreeMap<String, PolicyKind>"))]
    pub policy_kinds: Vec<(Glob, PolicyKind)>,
    /// Code and the role that it runs with, where no template links them: containers, instances, scripts.
    #[serde(rename = "workload")]
    pub workloads: Vec<RangedValue<WorkloadSettings>>,
    /// Access that is promised: who may perform which actions on which resources, and who may not.
    #[serde(rename = "contract")]
    pub contracts: Vec<RangedValue<ContractTerms>>,
    /// Findings to suppress, each with a reason.
    #[serde(rename = "exception")]
    pub exceptions: Vec<RangedValue<Exception>>,

    /// The file they come from as it is shown; `None` for the defaults.
    #[serde(skip)]
    pub path: Option<String>,
    /// Its folder, absolute: what its patterns and paths are relative to.
    #[serde(skip)]
    pub dir: String,
    /// Severities by rule, as `[rules.NAME]` sets them. Filled in by [`Settings::resolve`], as is the rest of it.
    #[serde(skip)]
    pub severities: BTreeMap<String, Severity>,
    /// What `[rules.NAME]` sets in addition: by rule and option.
    #[serde(skip)]
    pub options: BTreeMap<String, OptionValues>,
    /// Names of rules that were renamed or are deprecated: they count, and a note names them.
    #[serde(skip)]
    pub outdated: Vec<Fault>,
    /// The rules that are on; `None` before [`Settings::resolve`], which lets every rule through.
    #[serde(skip)]
    pub selection: Option<Selection>,
    /// The file, and those that it extends.
    #[serde(skip)]
    files: Vec<read::SettingsFile>,
    /// Where each key stands, by its dotted name.
    #[serde(skip)]
    origins: BTreeMap<String, usize>,
}

/// `[own]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct OwnSettings {
    /// Your AWS accounts, by name.
    pub accounts: Accounts,
    /// ID of your organization (o-…).
    pub organization: Option<String>,
    /// GitHub organizations whose workflows may assume your roles.
    pub github: OneOrMany<String>,
    /// AWS accounts of others that you trust, by name.
    pub trusted_accounts: Accounts,
    /// Data that matters most, by name, address, or ARN, with `*` and `?`: paths to it come first, and their severity is higher.
    pub sensitive: OneOrMany<String>,
}

/// One entry of `[per-file]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct PerFile {
    /// Rules not to run for these files.
    pub ignore: OneOrMany<Selector>,
    /// Lowest severity that makes the command fail for these files.
    pub fail_on: Option<FailOn>,
}

/// One `[[workload]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkloadSettings {
    /// Files or folders of Python, relative to this file.
    pub code: OneOrMany<RangedValue<NonEmptyText>>,
    /// Terraform address, logical ID, name, or ARN of the role; PATH:… searches only that path.
    pub role: RangedValue<NonEmptyText>,
    /// Logical ID, Terraform address, or name of the function, task, or job that has this code. Needed where several have the
    /// role and code that is not found.
    pub name: Option<RangedValue<NonEmptyText>>,
    /// Entry point: main.py, main.py:run, package.main:run, or a Dockerfile that names it. Without one, all of the code may
    /// run.
    pub entry: Option<RangedValue<NonEmptyText>>,
}

/// One `[[exception]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exception {
    /// Rules, families, or patterns to suppress.
    #[serde(rename = "rule")]
    pub rules: OneOrMany<Selector>,
    /// Path pattern in gitignore syntax.
    pub path: Glob,
    /// Sid of the statement.
    pub sid: Option<String>,
    /// JSON pointer to the statement, /Statement/0.
    pub pointer: Option<String>,
    /// Address of the resource that holds the policy.
    pub resource: Option<String>,
    /// Action that the finding reports.
    pub action: Option<String>,
    /// Principal that the finding reports.
    pub principal: Option<String>,
    /// og1:…
    pub fingerprint: Option<String>,
    /// Why the finding is intended.
    pub reason: String,
    /// Last day of the exception (YYYY-MM-DD).
    pub until: Option<Date>,
    /// Person or team responsible for the exception.
    pub owner: Option<String>,
}

impl Exception {
    /// The reason, unless it is blank.
    pub fn reason(&self) -> Option<&str> {
        Some(&*self.reason).filter(|r| !r.trim().is_empty())
    }
}

impl Settings {
    /// What holds where no one says otherwise; patterns are relative to `dir`.
    pub fn defaults(dir: &str) -> Self {
        Self {
            dir: dir.to_owned(),
            ..Self::default()
        }
    }

    /// Looks up the rules that are named and the options that are set.
    pub fn resolve(&mut self, ruleset: &Ruleset) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        let mut outdated = Vec::new();
        for selector in self.selectors() {
            let Some(at) = selector.range.as_ref().map(|r| r.start) else {
                continue;
            };
            let name = &selector.name;
            if ruleset.matching(name).is_empty() {
                faults.push((at, format!("unknown rule `{name}`{}", ruleset.hint_for_unknown(name))));
            }
            outdated.extend(ruleset.rename_notice(name).map(|message| (at, message)));
        }
        for selector in self.selectors() {
            selector.name = ruleset.current_name(&selector.name).to_owned();
        }
        self.outdated = self.faults(outdated);
        match options::resolve(self.path.as_deref().unwrap_or_default(), &self.rules, ruleset) {
            Ok(choices) => (self.severities, self.options) = (choices.severities, choices.options),
            Err(mut wrong) => faults.append(&mut wrong),
        }
        if !faults.is_empty() {
            return Err(self.faults(faults));
        }
        let names = |list: &[Selector]| -> Vec<String> { list.iter().map(|s| s.name.clone()).collect() };
        let (select, extend, ignore) = (names(&self.select), names(&self.extend_select), names(&self.ignore));
        self.selection = Selection::new(ruleset, self.profile, &select, &extend, &ignore).ok();
        Ok(())
    }

    /// All that names rules.
    fn selectors(&mut self) -> impl Iterator<Item = &mut Selector> {
        let chosen = [&mut self.select, &mut self.extend_select, &mut self.ignore];
        let of_files = self.per_file.iter_mut().map(|(_, p)| &mut p.ignore);
        let excepted = self.exceptions.iter_mut().map(|e| &mut e.value.rules);
        let lists = chosen.into_iter().chain(of_files).chain(excepted);
        lists
            .flat_map(|list| &mut list.0)
            .chain(self.rules.iter_mut().map(|(rule, _)| rule))
    }

    fn faults(&self, faults: Vec<(usize, String)>) -> Vec<Fault> {
        let fault = |(at, message)| read::file_at(&self.files, at).map(|f| f.fault(at, message));
        faults.into_iter().filter_map(fault).collect()
    }

    /// The settings file, as it is shown, and the line of the value at `at`.
    pub fn location(&self, at: usize) -> (&str, usize) {
        read::file_at(&self.files, at).map_or(("", 1), |f| (&*f.path, f.line(at)))
    }

    /// The patterns of this file, not of those that it extends, with the key of each.
    pub fn globs(&self) -> impl Iterator<Item = (&'static str, &Glob)> {
        let excluded = self.exclude.iter().map(|glob| ("exclude", glob));
        let limits = self.service_control_policies.iter();
        let limits = limits.map(|glob| ("service-control-policies", glob));
        let of_files = self.per_file.iter().map(|(glob, _)| ("per-file", glob));
        let of_kinds = self.policy_kinds.iter().map(|(glob, _)| ("policy-kind", glob));
        let all = excluded.chain(limits).chain(of_files).chain(of_kinds);
        let own = self.files.first();
        all.filter(move |(_, glob)| own.is_some_and(|own| own.has(glob.range.start)))
    }

    /// The paths of the exceptions of this file, not of those that it extends.
    pub fn exception_paths(&self) -> impl Iterator<Item = &Glob> {
        let own = self.files.first();
        let all = self.exceptions.iter().map(|e| &e.path);
        all.filter(move |glob| own.is_some_and(|own| own.has(glob.range.start)))
    }

    /// The settings file of a pattern, as it is shown, and the bytes of the pattern in it.
    pub fn place_of(&self, glob: &Glob) -> Option<(&str, std::ops::Range<usize>)> {
        let file = read::file_at(&self.files, glob.range.start)?;
        Some((&*file.path, file.bytes(&glob.range)))
    }

    /// A fault at a pattern.
    pub fn glob_fault(&self, glob: &Glob, message: String) -> Option<Fault> {
        self.faults(vec![(glob.range.start, message)]).pop()
    }

    /// The folder that the value at `at` is relative to.
    fn dir_of(&self, at: usize) -> &str {
        read::file_at(&self.files, at).map_or(&self.dir, |f| &f.dir)
    }

    /// A path of the settings, absolute.
    pub fn absolute(&self, path: &RangedValue<String>) -> String {
        join_path(self.dir_of(path.range.start), &path.value)
    }

    /// Whether a pattern of the settings covers the file at the absolute path `file`.
    pub fn covers(&self, glob: &Glob, file: &str) -> bool {
        glob.matches(self.dir_of(glob.range.start), file)
    }

    /// What `[per-file]` does not run in the file at the absolute path `file`, and what makes that file fail.
    pub fn for_file(&self, file: &str) -> (Vec<&Selector>, FailOn) {
        let mut ignore = Vec::new();
        let mut fail_on = self.fail_on;
        for (_, part) in self.per_file.iter().filter(|(glob, _)| self.covers(glob, file)) {
            ignore.extend(part.ignore.iter());
            fail_on = part.fail_on.unwrap_or(fail_on);
        }
        (ignore, fail_on)
    }

    /// What `[policy-kind]` says of the file at the absolute path `file`.
    pub fn policy_kind(&self, file: &str) -> Option<PolicyKind> {
        let mut kinds = self.policy_kinds.iter().rev();
        kinds.find(|(glob, _)| self.covers(glob, file)).map(|(_, kind)| *kind)
    }

    /// What the user says is theirs; the paths of code and the folders of contracts are absolute.
    pub fn ownership(&self) -> Ownership {
        Ownership {
            accounts: self.own.accounts.0.clone(),
            organization: self.own.organization.clone(),
            github: self.own.github.0.clone(),
            trusted_accounts: self.own.trusted_accounts.0.clone(),
            sensitive: self.own.sensitive.0.clone(),
            workloads: self.workloads.iter().filter_map(|w| self.declared(w)).collect(),
            contracts: self.contracts.iter().filter_map(|c| self.promised(c)).collect(),
            today: None,
        }
    }

    fn promised(&self, contract: &RangedValue<ContractTerms>) -> Option<DeclaredContract> {
        let file = read::file_at(&self.files, contract.range.start)?;
        Some(DeclaredContract {
            file: file.path.clone(),
            folder: file.dir.clone(),
            terms: contract.value.clone().moved(|range| file.bytes(range)),
            whole: true,
        })
    }

    fn declared(&self, workload: &RangedValue<WorkloadSettings>) -> Option<DeclaredWorkload> {
        let file = read::file_at(&self.files, workload.range.start)?;
        let value = |written: &RangedValue<NonEmptyText>| SettingValue {
            text: written.value.0.clone(),
            place: file.bytes(&written.range),
        };
        let code = workload.code.iter().map(value).map(|code| SettingValue {
            text: join_path(&file.dir, &code.text),
            ..code
        });
        Some(DeclaredWorkload {
            file: file.path.clone(),
            code: code.collect(),
            role: value(&workload.role),
            name: workload.name.as_ref().map(value),
            entry: workload.entry.as_ref().map(value),
            whole: true,
        })
        .filter(|declared| !declared.code.is_empty())
    }
}
