//! `overgrant check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::clock::Clock;
use super::fix::{FixDiff, PendingFixes, WriteOutcome};
use super::git::{GitArgs, SinceArg};
use super::input::{InputArgs, RuleArgs};
use super::repositories::{self, WholeReport};
use super::run::{self, RunOptions};
use super::terminal::{self, ColorChoice};
use super::watch::{self, ReadPaths, Watched};
use super::{CliFailure, baseline};
use crate::phrase;
use crate::report::{FindingOrder, OutputFormat, Page, RenderOptions};
use crate::rules::Ruleset;
use crate::settings::Settings;
use crate::source::{ProblemKind, join_path};
use crate::triage::{Baseline, Report};
use crate::unjudged::counted_kinds;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    rule_args: RuleArgs,
    #[command(flatten)]
    suppressing: SuppressionArgs,
    #[command(flatten)]
    fix_flags: FixFlags,
    #[command(flatten)]
    git: GitArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Report again whenever a file, the configuration, or the baseline changes; end with Ctrl-C
    #[arg(long, help_heading = "Output")]
    watch: bool,
}

impl Watched for CheckArgs {
    fn input(&self) -> &InputArgs {
        &self.input
    }

    fn outputs(&self) -> Vec<String> {
        let cwd = run::working_directory().unwrap_or_default();
        let paths = self.output.output.iter().map(|(_, path)| path);
        paths
            .map(|path| join_path(&cwd, &crate::discover::with_forward_slashes(path)))
            .collect()
    }

    fn run(&self, paths: &mut ReadPaths) -> Result<(), CliFailure> {
        self.check(Some(paths)).map(drop)
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Fixes")]
struct FixFlags {
    /// Apply safe fixes, which never change what a policy grants; with standard input, print the fixed text
    #[arg(long)]
    fix: bool,
    /// Also apply unsafe fixes
    #[arg(long)]
    unsafe_fixes: bool,
    /// Show what would change without writing; exit with 1 if there are changes
    #[arg(long, conflicts_with_all = ["format", "output"])]
    diff: bool,
}

/// Apply safe fixes (same as `check --fix`)
#[derive(Debug, Args)]
pub(super) struct FixArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    rule_args: RuleArgs,
    #[command(flatten)]
    suppressing: SuppressionArgs,
    /// Also apply unsafe fixes, which need a review
    #[arg(long = "unsafe", help_heading = "Fixes")]
    risky: bool,
    /// Show what would change without writing; exit with 1 if there are changes
    #[arg(long, help_heading = "Fixes", conflicts_with_all = ["format", "output"])]
    diff: bool,
    #[command(flatten)]
    since: SinceArg,
    #[command(flatten)]
    output: OutputArgs,
}

impl FixArgs {
    pub(super) fn run(self) -> Result<ExitCode, CliFailure> {
        let check = CheckArgs {
            input: self.input,
            rule_args: self.rule_args,
            suppressing: self.suppressing,
            fix_flags: FixFlags {
                fix: true,
                unsafe_fixes: self.risky,
                diff: self.diff,
            },
            git: GitArgs {
                staged: false,
                since: self.since,
            },
            output: self.output,
            watch: false,
        };
        check.run()
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Suppressions")]
struct SuppressionArgs {
    /// Ignore all suppressions
    #[arg(long)]
    no_ignores: bool,
    /// Also show suppressed findings
    #[arg(long)]
    show_suppressed: bool,
    /// Fail on unused suppressions
    #[arg(long)]
    strict_ignores: bool,
    /// Use this baseline file [default: from the configuration, else .overgrant-baseline.json at the repository root if it exists]
    #[arg(long, value_name = "FILE", conflicts_with = "no_baseline")]
    baseline: Option<PathBuf>,
    /// Ignore the baseline
    #[arg(long)]
    no_baseline: bool,
    /// Fail if the baseline lists fixed findings
    #[arg(long)]
    baseline_strict: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct OutputArgs {
    /// Choose the format of standard output
    #[arg(
        long,
        short,
        value_name = "FORMAT",
        env = "OVERGRANT_FORMAT",
        default_value = "human",
        hide_env = true
    )]
    format: OutputFormat,
    /// Describe every rule in SARIF, not only rules with findings
    #[arg(long)]
    sarif_all_rules: bool,
    /// Also write a report to a file (repeatable)
    #[arg(long, value_name = "FORMAT=PATH", value_parser = output)]
    output: Vec<(OutputFormat, PathBuf)>,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    hyperlinks: ColorChoice,
    /// Choose which findings come first in the formats for people
    #[arg(long, value_name = "ORDER", default_value = "severity")]
    sort: FindingOrder,
    /// Hide source lines
    #[arg(long)]
    no_source: bool,
    /// List similar findings separately
    #[arg(long)]
    no_collapse: bool,
    /// Skip the annotations that the human format adds on GitHub Actions
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    annotations: ColorChoice,
    /// Hide the summary
    #[arg(long, overrides_with = "summary")]
    no_summary: bool,
    /// Show the summary even with --quiet
    #[arg(long, overrides_with = "no_summary")]
    summary: bool,
    /// Show the number of findings for each rule and severity
    #[arg(long)]
    statistics: bool,
    /// Show files, bytes, and milliseconds for each stage
    #[arg(long)]
    timing: bool,
    /// Show findings only; given twice, only set the exit code
    #[arg(long, short, action = clap::ArgAction::Count)]
    quiet: u8,
    /// Show skipped files and timings
    #[arg(long, short)]
    verbose: bool,
    /// Exit with 0 even if there are findings
    #[arg(long)]
    exit_zero: bool,
    /// Exit with 2 if there is nothing to check
    #[arg(long)]
    error_on_empty: bool,
}

fn output(text: &str) -> Result<(OutputFormat, PathBuf), String> {
    use clap::ValueEnum as _;
    let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH")?;
    let format = OutputFormat::from_str(format, false).map_err(|_| {
        let all = OutputFormat::value_variants()
            .iter()
            .filter_map(OutputFormat::to_possible_value);
        let names: Vec<String> = all.map(|v| v.get_name().to_owned()).collect();
        format!("unknown format `{format}`; expected one of {}", names.join(", "))
    })?;
    if path.is_empty() {
        return Err("the path is empty".to_owned());
    }
    Ok((format, PathBuf::from(path)))
}

impl CheckArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        if !self.watch {
            return self.check(None);
        }
        let listed = self.input.files_from.as_deref() == Some(Path::new("-"));
        let piped = self.input.paths.iter().any(|path| path == Path::new("-"));
        for (is_given, what) in [
            (self.fix_flags.fix, "--fix"),
            (self.fix_flags.diff, "--diff"),
            (listed, "--files-from -"),
            (piped, "standard input"),
        ] {
            if is_given {
                return Err(CliFailure::Usage(format!("--watch cannot be used with {what}")));
            }
        }
        watch::watch(self)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Checks once. A run of many says which paths it read.
    fn check(&self, paths: Option<&mut ReadPaths>) -> Result<ExitCode, CliFailure> {
        let mut run_options = RunOptions {
            ignores: !self.suppressing.no_ignores,
            strict_ignores: self.suppressing.strict_ignores,
            report_skipped: self.output.verbose,
            repeats: paths.is_some(),
            ..RunOptions::default()
        };
        if self.git.staged && self.fix_flags.fix {
            let why = "--fix cannot be used with --staged: the index is not written";
            return Err(CliFailure::Usage(why.to_owned()));
        }
        let over = |settings: &mut Settings| self.rule_args.apply(settings);
        let progress = (self.output.quiet == 0).then(terminal::Progress::start);
        let (input, earlier) = self.git.prepare(&self.input, &mut run_options)?;
        let read = repositories::read(&input, &over, &run_options)?;
        let ruleset = repositories::ruleset(&read);
        for name in self.rule_args.selectors() {
            ensure_rule_exists(&ruleset, name.trim())?;
        }
        let baselines = self.baselines(&read)?;
        if let Some(earlier) = earlier {
            earlier.leave_out(&input, &over, &mut run_options)?;
        }
        let with_baseline = |baseline| RunOptions {
            baseline,
            ..run_options.clone()
        };
        let mut all: Vec<_> = read.into_iter().zip(baselines.into_iter().map(with_baseline)).collect();
        let FixFlags { fix, diff, .. } = self.fix_flags;
        let mut written = WriteOutcome::default();
        if fix || diff {
            let mut pending = Vec::new();
            for (read, run_options) in &mut all {
                pending.push(PendingFixes::apply_fixes(
                    read,
                    run_options,
                    self.fix_flags.unsafe_fixes,
                )?);
            }
            if self.output.quiet == 0 {
                pending.iter().for_each(PendingFixes::print_known);
            }
            let mut diffs = FixDiff::default();
            for (pending, (read, run_options)) in pending.into_iter().zip(&mut all) {
                match diff {
                    true => diffs.add(&pending.diff(read, run_options, |read| self.options(read, &read.root))),
                    false => written.add(pending.write(read)?),
                }
            }
            if diff {
                return diffs.print();
            }
            if self.output.quiet == 0 {
                written.print_note();
            }
        }
        repositories::check(all, |checked| {
            let Some(first) = checked.read.first() else {
                return Ok(ExitCode::SUCCESS);
            };
            let report = checked.report;
            let page = Page::new(
                report,
                checked.sources,
                checked.ruleset,
                self.options(first, checked.root),
            )
            .with_applied(&written.fixes);
            drop(progress);
            if let Some(paths) = paths {
                paths.add(checked);
            }
            self.print(&page, written.stdout_is_taken)?;
            self.notes(checked);
            Ok(match written.failed {
                true => ExitCode::from(2),
                false => self.exit(report),
            })
        })
    }

    /// The baseline of each repository.
    fn baselines(&self, all: &[run::Loaded<'_>]) -> Result<Vec<Option<(Baseline, String)>>, CliFailure> {
        if self.suppressing.no_baseline || self.input.isolated {
            return Ok(vec![None; all.len()]);
        }
        let Some(named) = &self.suppressing.baseline else {
            let own = |read: &run::Loaded<'_>| {
                let path = read.baseline_path();
                Ok(baseline::load(&path, read)?.map(|b| (b, path)))
            };
            return all.iter().map(own).collect();
        };
        let path = crate::discover::with_forward_slashes(named);
        let [read] = all else {
            return Err(baseline::several_repositories(&path));
        };
        match baseline::load(&path, read)? {
            Some(b) => Ok(vec![Some((b, path))]),
            None => Err(CliFailure::Usage(format!("no baseline at {path}"))),
        }
    }

    fn options(&self, read: &run::Loaded<'_>, root: &str) -> RenderOptions {
        let o = &self.output;
        RenderOptions {
            order: o.sort,
            color: terminal::color(o.color),
            hyperlinks: terminal::hyperlinks(o.hyperlinks),
            width: terminal::width(),
            source: !o.no_source,
            collapse: !o.no_collapse,
            show_suppressed: self.suppressing.show_suppressed,
            summary: self.shows_summary(),
            statistics: o.statistics,
            all_rules: o.sarif_all_rules,
            cwd: read.cwd.clone(),
            root: root.to_owned(),
        }
    }

    fn shows_summary(&self) -> bool {
        let o = &self.output;
        o.summary || !o.no_summary && o.quiet == 0
    }

    fn print(&self, page: &Page<'_>, stdout_is_taken: bool) -> Result<(), CliFailure> {
        for (format, path) in &self.output.output {
            super::write_file(path, &page.render_plain(*format))?;
        }
        if self.output.quiet < 2 {
            let mut text = page.render(self.output.format);
            let actions = std::env::var_os("GITHUB_ACTIONS").is_some_and(|v| v == "true");
            let annotate = match self.output.annotations {
                ColorChoice::Auto => actions,
                ColorChoice::Always => true,
                ColorChoice::Never => false,
            };
            if self.output.format == OutputFormat::Human && annotate {
                text.push_str(&page.render(OutputFormat::Github));
            }
            if stdout_is_taken {
                terminal::print_error(text.trim_end());
                return Ok(());
            }
            terminal::print_page(&text)?;
        }
        Ok(())
    }

    /// What is worth knowing and no finding.
    fn notes(&self, checked: &WholeReport<'_>) {
        let WholeReport {
            read: all,
            report,
            sources,
            ..
        } = *checked;
        let o = &self.output;
        if o.quiet == 0 {
            let outdated = all.iter().flat_map(|read| read.governing.outdated());
            let mut printed = BTreeSet::new();
            for outdated in outdated.map(ToString::to_string) {
                // Settings above several repositories are those of each.
                if printed.insert(outdated.clone()) {
                    terminal::note(&format!("note: {outdated}"));
                }
            }
            for fault in all.iter().flat_map(run::Loaded::unmatched_globs) {
                terminal::note(&format!("note: {fault}"));
            }
            let troubles = || all.iter().flat_map(|read| &read.found.troubles);
            for t in troubles().filter(|t| t.kind == ProblemKind::NotEvaluated) {
                terminal::note(&format!("note: {}: {}", t.path, t.message));
            }
            for p in &report.unevaluated {
                let path = sources.path(p.span.file);
                if troubles().any(|t| t.path == path && t.message == p.message) {
                    continue;
                }
                let at = sources.positions(p.span).0;
                terminal::note(&format!("note: {path}:{}:{}: {}", at.line, at.column, p.message));
            }
            let said = o.format.lists_unjudged(self.shows_summary());
            if let Some(counted) = counted_kinds(&report.unjudged).filter(|_| !said) {
                terminal::note(&format!(
                    "note: not judged: {counted}; run `overgrant policies --unjudged` to list them"
                ));
            }
            for f in &report.foreign {
                let findings = phrase::count(f.findings, "finding", "findings");
                terminal::note(&format!(
                    "note: {findings} with `{}`, which is ignored; set `honor-foreign` in overgrant.toml to honor it",
                    f.marker
                ));
            }
            for (s, left) in &report.ending {
                let days = if *left == 1 {
                    "1 day".to_owned()
                } else {
                    format!("{left} days")
                };
                terminal::note(&format!(
                    "note: the suppression at {}:{} ends in {days}",
                    s.path, s.line
                ));
            }
            for b in report.baselines.iter().filter(|b| b.fixed > 0) {
                let (findings, them) = match b.fixed {
                    1 => ("1 finding", "is fixed; run `overgrant baseline prune` to remove it"),
                    n => (
                        &*format!("{n} findings"),
                        "are fixed; run `overgrant baseline prune` to remove them",
                    ),
                };
                terminal::note(&format!("note: {findings} in {} {them}", b.path));
            }
            let leaked = report
                .active()
                .filter(|f| f.fails && baseline::is_leaked_secret(f))
                .count();
            if leaked > 0 && !report.baselines.is_empty() {
                let credentials = phrase::count(leaked, "credential", "credentials");
                let paths: Vec<&str> = report.baselines.iter().map(|b| b.path.as_str()).collect();
                terminal::note(&format!(
                    "note: {credentials} cannot be in {} unless `overgrant baseline update --include-secrets` adds them",
                    paths.join(", ")
                ));
            }
            if sources.is_empty() {
                terminal::note("note: no policies or code found; run `overgrant files` to see why");
            }
        }
        if o.verbose {
            for s in all.iter().flat_map(|read| &read.found.skipped) {
                terminal::note(&format!("skipped {}: {}", s.path, s.why));
            }
        }
        if o.timing || o.verbose {
            terminal::note(&format!(
                "{} files kept, {} more read as context, {} skipped, {} bytes read",
                report.stats.files,
                sources.ids().filter(|id| !sources.file(*id).in_scope).count(),
                report.stats.skipped,
                report.stats.bytes
            ));
            let clock = Clock::merged(all.iter().map(|read| &read.clock));
            for (stage, took) in clock.stages() {
                terminal::note(&format!("{:>9.3} ms  {stage}", took.as_secs_f64() * 1000.0));
            }
            terminal::note(&format!("{:>9.3} ms  total", clock.total().as_secs_f64() * 1000.0));
        }
    }

    fn exit(&self, report: &Report) -> ExitCode {
        let code = if report.broken || (self.output.error_on_empty && report.stats.files == 0) {
            2
        } else {
            let stale = self.suppressing.baseline_strict && report.baselines.iter().any(|b| b.fixed > 0);
            u8::from((report.fails() || stale) && !self.output.exit_zero)
        };
        ExitCode::from(code)
    }
}

/// A rule, family or pattern that exists.
pub(super) fn ensure_rule_exists(ruleset: &Ruleset, name: &str) -> Result<(), CliFailure> {
    if !ruleset.matching(name).is_empty() {
        if let Some(outdated) = ruleset.rename_notice(name) {
            terminal::note(&format!("note: {outdated}"));
        }
        return Ok(());
    }
    let hint = match ruleset.hint_for_unknown(name) {
        hint if hint.is_empty() => "; `overgrant rules` lists them".to_owned(),
        hint => hint,
    };
    Err(CliFailure::Usage(format!("unknown rule `{name}`{hint}")))
}
