//! The entry of the library: rules and settings, then sources in and a report out.

use crate::date::Date;
use crate::fix;
use crate::iam::catalogue::catalogue;
use crate::pipeline::analyze;
use crate::report::{OutputFormat, Page, RenderOptions};
use crate::rules::options::RuleOptions;
use crate::rules::{self, Ruleset, Selection};
use crate::settings::{Fault, Settings};
use crate::source::{Sources, join_path, relative_path};
use crate::test_code::is_test_code;
use crate::triage::{Report, TriageOptions, triage};

/// Rules and settings, ready to check any number of sources.
///
/// It reads no file and no environment: the same sources give the same report.
///
/// ```
/// use overgrant::{Linter, Ruleset, Settings, Severity, Sources};
///
/// let linter = Linter::new(Ruleset::builtin(), Settings::defaults("/repository"))?;
/// let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
/// let sources = Sources::from_strings(&[("policy.json", policy)]);
/// let report = linter.check(&sources);
///
/// let finding = report.active().next().expect("the policy allows everything");
/// assert_eq!(finding.rule(), "admin-star-star");
/// assert_eq!(finding.severity, Severity::Critical);
/// assert_eq!(sources.slice(finding.span()), r#""*""#);
/// assert_eq!(sources.positions(finding.span()).0.line, 1);
/// # Ok::<(), overgrant::SettingsErrors>(())
/// ```
#[derive(Clone, Debug)]
pub struct Linter {
    ruleset: Ruleset,
    settings: Settings,
    today: Date,
}

/// Settings that name what does not exist: one line for each fault, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SettingsErrors(pub Vec<Fault>);

impl Linter {
    /// A linter with these rules and settings.
    ///
    /// # Errors
    /// The settings name a rule or an option that `ruleset` does not have.
    pub fn new(ruleset: Ruleset, mut settings: Settings) -> Result<Self, SettingsErrors> {
        settings.resolve(&ruleset).map_err(SettingsErrors)?;
        let known = Date::parse(catalogue().data_date()).unwrap_or(Date::from_days(0));
        Ok(Self {
            today: known,
            ruleset,
            settings,
        })
    }

    /// Judges dates in policies and suppressions as of this day; otherwise as of the day of the facts about AWS.
    #[must_use]
    pub fn as_of(mut self, today: Date) -> Self {
        self.today = today;
        self
    }

    /// Checks sources whose paths are relative to the folder of the settings. Never fails: what could not be read or judged is
    /// in [`Report::errors`] and [`Report::unjudged`].
    pub fn check(&self, sources: &Sources) -> Report {
        let mut own = self.settings.ownership();
        own.today = Some(self.today);
        for contract in &mut own.contracts {
            contract.folder = relative_path(&self.settings.dir, &contract.folder);
        }
        let project = analyze(sources, &own).project;
        let selection = self
            .settings
            .selection
            .clone()
            .unwrap_or_else(|| Selection::all(&self.ruleset));
        let options = RuleOptions::for_all_files(self.settings.options.clone());
        let outcome = rules::run(&project, &self.ruleset, &selection.with_options(options));
        let options = TriageOptions {
            ruleset: &self.ruleset,
            settings: &|_| &self.settings,
            absolute: &|path| join_path(&self.settings.dir, path),
            is_test: &is_test_code,
            root: &self.settings.dir,
            today: self.today,
            is_whole: true,
            ignores: true,
            unmatched: &[],
            strict_ignores: false,
            baseline: None,
            earlier: None,
        };
        let mut report = triage(&project, outcome.findings, &options);
        report.add_unjudged(outcome.unjudged, &project, &options);
        report.broken = !outcome.failures.is_empty();
        report.fails_unjudged = self.settings.fail_on_unjudged && report.unjudged.iter().any(|u| u.counts());
        fix::write(sources, &mut report);
        report
    }

    /// The report of [`Linter::check`] on the same sources as text, with every secret masked.
    ///
    /// ```
    /// use overgrant::{Linter, OutputFormat, RenderOptions, Ruleset, Settings, Sources};
    ///
    /// let linter = Linter::new(Ruleset::builtin(), Settings::defaults("/repository"))?;
    /// let sources = Sources::from_strings(&[("notes.txt", "nothing here")]);
    /// let report = linter.check(&sources);
    /// let sarif = linter.render(&report, &sources, OutputFormat::Sarif, RenderOptions::default());
    /// assert!(sarif.contains("\"2.1.0\""));
    /// # Ok::<(), overgrant::SettingsErrors>(())
    /// ```
    pub fn render(&self, report: &Report, sources: &Sources, format: OutputFormat, options: RenderOptions) -> String {
        Page::new(report, sources, &self.ruleset, options).render(format)
    }
}
