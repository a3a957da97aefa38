//! One run: from arguments to a report. `check` and every command that looks at files go through here.

mod analyze;
mod edited;

pub(super) use analyze::{analyze, analyze_again, analyze_part, linked};
pub(super) use edited::EditEffect;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::clock::{Clock, source_date};
use super::evidence::files::LoadedEvidence;
use super::governed::{combined_selection, least_selection, ruleset};
use super::input::{InputArgs, Targets, classify_input};
use super::{CliFailure, terminal};
use crate::discover::{self, AnalysisRoot, Discovery, GitFailure, RunFolders, SearchRequest, SourceTree};
use crate::fix;
use crate::iam::PolicyKind;
use crate::pipeline::Analysis;
use crate::project::{Guardrail, GuardrailLevel, Project};
use crate::rules::{self, Ruleset};
use crate::settings::{Date, Glob, Governing, Settings};
use crate::source::{Problem, Sources, Span, is_within, join_path, parent_path, relative_path};
use crate::test_code::is_test_code;
use crate::triage::{
    BASELINE_FILE, Baseline, ComparedRevision, Extent, LoadedBaseline, Report, ReportedFinding, TriageOptions, triage,
};
use crate::unjudged::{Unjudged, UnjudgedReason};

/// Bytes of a settings file.
pub(super) const MAX_SETTINGS: u64 = 4 << 20;

/// What a run is asked in addition to its input.
#[derive(Clone, Debug, Default)]
pub(super) struct RunOptions {
    pub(super) ignores: bool,
    pub(super) strict_ignores: bool,
    /// Keep why each file was skipped.
    pub(super) report_skipped: bool,
    /// A folder that is named is analyzed by itself: the command describes what lies in it.
    pub(super) is_confined: bool,
    /// Of the rules, only those run that say what is secret and what could not be read.
    pub(super) shows_no_findings: bool,
    /// The family of rules whose question the command itself answers.
    pub(super) answers: Option<&'static str>,
    /// Only list what would be read.
    pub(super) only_lists: bool,
    /// The process goes on after the run.
    pub(super) repeats: bool,
    /// The baseline and its path.
    pub(super) baseline: Option<(Baseline, String)>,
    /// Where files are read from.
    pub(super) tree: SourceTree,
    /// The repository that the tree is of, absolute.
    pub(super) top: Option<String>,
    /// The files are those of an earlier revision, and this tree has the settings and rules.
    pub(super) later: Option<SourceTree>,
    /// What an earlier revision has.
    pub(super) earlier: Option<(Baseline, ComparedRevision)>,
    pub(super) staged: bool,
}

impl RunOptions {
    /// Where settings, rules, and baselines are read from.
    fn settings_tree(&self) -> &SourceTree {
        self.later.as_ref().unwrap_or(&self.tree)
    }
}

/// What was read, before anything is understood.
pub(super) struct Loaded<'a> {
    pub(super) cwd: String,
    /// The git root, else the working directory.
    pub(super) root: String,
    pub(super) governing: Governing<'a>,
    pub(super) found: Discovery,
    pub(super) tree: SourceTree,
    /// Where settings, rules, and baselines are read from.
    pub(super) settings_tree: SourceTree,
    /// Files of settings that say something else in `tree`.
    pub(super) changed_settings: BTreeSet<String>,
    /// See [`RunOptions::later`].
    pub(super) is_earlier: bool,
    /// What standard input is called, and its bytes.
    pub(super) stdin: Option<(String, Vec<u8>)>,
    pub(super) clock: Clock,
    /// Built-in rules and users' own.
    pub(super) ruleset: Ruleset,
    kinds: Vec<(Glob, PolicyKind)>,
    pub(super) evidence: LoadedEvidence,
    inside: RunFolders,
    /// The folders that are analyzed as a whole.
    roots: Vec<AnalysisRoot>,
    /// Folders that were walked, absolute.
    walked: Vec<String>,
    /// Files that were named, absolute.
    pub(super) named: BTreeSet<String>,
    /// Of these, absolute paths that lie in other repositories: their runs report them.
    left: Vec<String>,
    exclude: Vec<ignore::gitignore::Gitignore>,
    max_file_size: u64,
    jobs: usize,
    pub(super) context: bool,
    /// Files that are not analyzed: nothing that is asked depends on them.
    pub(super) left_alone: BTreeSet<String>,
    repeats: bool,
}

/// The absolute working directory.
pub(super) fn working_directory() -> Result<String, CliFailure> {
    let cwd = std::env::current_dir().map_err(|source| CliFailure::Io {
        what: "cannot determine the working directory".to_owned(),
        source,
    })?;
    Ok(discover::with_forward_slashes(&cwd))
}

/// Today; the day of `SOURCE_DATE_EPOCH` where it is set, for runs that can be repeated.
pub(super) fn today() -> Date {
    let seconds = source_date().or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(now.as_secs()).ok()
    });
    Date::from_days(seconds.unwrap_or(0).div_euclid(86_400))
}

fn written(globs: &[Glob]) -> Vec<String> {
    globs.iter().map(|glob| glob.written.clone()).collect()
}

/// Finds and reads the files of one repository and their settings. `targets` lie in it, or all of them in none.
pub(super) fn read_repository<'a>(
    input: &InputArgs,
    over: &'a dyn Fn(&mut Settings),
    run_options: &RunOptions,
    mut targets: Targets,
) -> Result<Loaded<'a>, CliFailure> {
    let mut clock = Clock::start();
    if input.jobs > 0 {
        // Fails only when it was built before, by another run in this process.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(input.jobs).build_global();
    }
    let cwd = working_directory()?;
    let is_loose = targets.repository.is_none();
    let (tree, settings_tree) = (&run_options.tree, run_options.settings_tree());
    let git_root = discover::git_root(&cwd);
    let mut governing = Governing::new(&cwd, git_root.clone(), over).read_from(settings_tree);
    if let Some(config) = &input.config {
        governing.force(config).map_err(CliFailure::Settings)?;
    } else if input.isolated {
        governing.isolate();
    }
    let first = targets
        .paths
        .first()
        .map(|p| join_path(&cwd, &discover::with_forward_slashes(p)));
    let first = match first {
        Some(path) if settings_tree.is_dir(Path::new(&path)) => path,
        Some(path) => parent_path(&path).to_owned(),
        None => cwd.clone(),
    };
    let base = governing.load(&first).map_err(CliFailure::Settings)?;
    let set_root = base.root.as_ref().map(|root| base.absolute(root));
    let asked_root = input
        .root
        .as_ref()
        .map(|dir| join_path(&cwd, &discover::with_forward_slashes(dir)));
    let chosen_root = asked_root.or(set_root).or_else(|| run_options.top.clone());
    if let (Some(dir), Some(top)) = (&chosen_root, &run_options.top)
        && !is_within(dir, top)
    {
        return Err(GitFailure::RootOutside(top.clone()).into());
    }
    if let Some(dir) = chosen_root.as_ref().filter(|dir| !settings_tree.is_dir(Path::new(dir))) {
        let shown = relative_path(&cwd, dir);
        return Err(CliFailure::Usage(format!("the root is not a folder: {shown}")));
    }
    run_options.select_stored(
        &mut targets.paths,
        &cwd,
        chosen_root.as_ref().filter(|_| !input.no_context),
    );
    let targeted = targets
        .paths
        .iter()
        .map(|p| join_path(&cwd, &discover::with_forward_slashes(p)));
    let (walked, named): (Vec<String>, Vec<String>) = targeted.partition(|p| tree.is_dir(Path::new(p)));
    let inside = RunFolders::new(&cwd, chosen_root.as_deref(), walked.iter().chain(&named), tree);
    let stdin = targets.stdin.iter().map(|(name, _)| join_path(&cwd, name));
    let asked: Vec<String> = named.iter().cloned().chain(stdin).collect();
    let around = walked.iter().filter(|_| !run_options.is_confined).chain(&asked);
    let roots: BTreeSet<AnalysisRoot> = around.filter_map(|path| inside.analysis_root(path)).collect();
    let roots: Vec<AnalysisRoot> = roots.into_iter().collect();
    let leaves_repositories = is_loose && chosen_root.is_none();
    let root = chosen_root.or_else(|| {
        let repository = |path: &String| inside.analysis_root(path).filter(|root| root.max_entries.is_none());
        walked.iter().chain(&asked).find_map(repository).map(|root| root.path)
    });
    let root = root.or(git_root).unwrap_or_else(|| cwd.clone());
    let mut exclude = Vec::new();
    exclude.extend(InputArgs::patterns("--exclude", &cwd, &input.exclude)?);
    exclude.extend(InputArgs::patterns("exclude", &base.dir, &written(&base.exclude))?);
    let excluded = exclude.clone();
    let search = SearchRequest {
        cwd: cwd.clone(),
        tree,
        inside: &inside,
        paths: targets.paths,
        stdin: targets.stdin.clone(),
        include: InputArgs::patterns("--include", &cwd, &input.include)?,
        exclude,
        force_exclude: input.force_exclude,
        gitignore: !input.no_gitignore && base.respect_gitignore.0,
        max_file_size: input.max_file_size,
        context: !input.no_context,
        roots: roots.clone(),
        leaves_repositories,
        only_lists: run_options.only_lists,
        jobs: input.jobs,
        report_skipped: run_options.report_skipped,
        judge: &classify_input,
    };
    clock.record("settings");
    let mut found = search.run()?;
    clock.record("walk and read");
    let dirs: BTreeSet<String> = found
        .files
        .iter()
        .map(|f| parent_path(&governing.absolute(&f.path)).to_owned())
        .collect();
    for dir in &dirs {
        governing.load(dir).map_err(CliFailure::Settings)?;
    }
    let ruleset = ruleset(&governing, settings_tree, &mut found)?;
    governing.resolve(&ruleset).map_err(CliFailure::Settings)?;
    let evidence = LoadedEvidence::read(&governing, settings_tree, &mut found)?;
    let mut loaded = Loaded {
        ruleset,
        root,
        kinds: input.kinds()?,
        evidence,
        stdin: targets
            .stdin
            .map(|(name, bytes)| (governing.display_path(&join_path(&cwd, &name)), bytes)),
        cwd,
        governing,
        found,
        tree: tree.clone(),
        settings_tree: settings_tree.clone(),
        changed_settings: BTreeSet::new(),
        is_earlier: run_options.later.is_some(),
        clock,
        inside,
        roots,
        walked,
        named: named.into_iter().collect(),
        left: Vec::new(),
        exclude: excluded,
        max_file_size: input.max_file_size,
        jobs: input.jobs,
        context: !input.no_context,
        left_alone: BTreeSet::new(),
        repeats: run_options.repeats,
    };
    loaded.add_settings_files();
    loaded.ensure_read()?;
    Ok(loaded)
}

impl Loaded<'_> {
    /// Where the baseline is, as shown: the settings say, else at the root.
    pub(super) fn baseline_path(&self) -> String {
        let named = self
            .governing
            .all()
            .iter()
            .find_map(|s| Some(s.absolute(s.baseline.as_ref()?)));
        self.governing
            .display_path(&named.unwrap_or_else(|| join_path(&self.root, BASELINE_FILE)))
    }

    /// What the settings and the command line say of bare documents, and what could not be read, as analysis would have it.
    fn apply_settings(&self, project: &mut Project<'_>) {
        let sources = project.sources;
        for t in &self.found.troubles {
            if let Some(file) = sources.find(&t.path) {
                project
                    .problems
                    .push(Problem::new(t.kind, Span::new(file, 0, 0), t.message.clone()));
            }
        }
        self.evidence.apply(project, &self.governing);
        let broken = self.found.broken_rules.iter();
        project.problems.extend(broken.filter_map(|m| m.problem(sources)));
        for (id, d) in project.documents.iter_mut_enumerated() {
            let path = sources.path(d.span.file);
            let absolute = self.governing.absolute(path);
            let settings = self.governing.settings_for(path);
            let free = d.owner.is_none() || d.kind == PolicyKind::Scp;
            let mut above = settings.service_control_policies.iter();
            if let Some(glob) = above.find(|glob| free && settings.covers(glob, &absolute)) {
                d.kind = PolicyKind::Scp;
                d.suggested = None;
                project.service_control_policies.push(Guardrail {
                    document: id,
                    level: GuardrailLevel::Named(glob.written.as_str().into()),
                });
                continue;
            }
            if d.owner.is_some() {
                continue;
            }
            let flagged = self
                .kinds
                .iter()
                .rev()
                .find(|(glob, _)| glob.matches(&self.cwd, &absolute))
                .map(|(_, k)| *k);
            if let Some(kind) = flagged.or_else(|| self.governing.settings_for(path).policy_kind(&absolute)) {
                d.kind = kind;
                d.suggested = None;
            }
        }
    }

    /// Runs the rules and settles what they found.
    pub(super) fn report(&mut self, analysis: &mut Analysis<'_>, run_options: &RunOptions) -> Report {
        self.apply_settings(&mut analysis.project);
        let project = &analysis.project;
        let selection = match run_options.shows_no_findings {
            true => least_selection(&self.ruleset),
            false => combined_selection(self.governing.all(), &self.ruleset, run_options.answers),
        };
        let selection = selection.with_options(self.options(project.sources));
        let outcome = rules::run(project, &self.ruleset, &selection);
        self.clock.record("rules");
        for failure in &outcome.failures {
            terminal::note(&format!(
                "internal error in {}: {}; please report it",
                failure.rule, failure.message
            ));
        }
        let governing = &self.governing;
        let exists = |path: &str| self.exists(path);
        let in_scope = self.in_scope(project.sources);
        let covers = |path: &str| self.covers(&in_scope, path);
        let runs = |rule: &str, path: &str| self.runs(rule, path);
        let is_test = |path: &str| self.is_test(path);
        let extent = Extent {
            exists: &exists,
            covers: &covers,
            runs: &runs,
        };
        let unmatched = self.unmatched_exceptions();
        let terms = TriageOptions {
            unmatched: &unmatched,
            is_test: &is_test,
            ruleset: &self.ruleset,
            settings: &|path| governing.settings_for(path),
            absolute: &|path| governing.absolute(path),
            root: &self.root,
            today: today(),
            is_whole: self.context,
            ignores: run_options.ignores,
            strict_ignores: run_options.strict_ignores,
            baseline: run_options
                .baseline
                .as_ref()
                .map(|(baseline, path)| LoadedBaseline { baseline, path, extent }),
            earlier: run_options.earlier.as_ref().map(|(baseline, of)| LoadedBaseline {
                baseline,
                path: &of.reference,
                extent,
            }),
        };
        let mut report = triage(project, outcome.findings, &terms);
        let is_here = |path: &str| self.tree.exists(Path::new(&join_path(&self.cwd, path)));
        let found = &self.found.unjudged;
        let judged = project.judged_sources(found, &is_here);
        let found = found.iter().filter(|u| !judged.contains(&*u.path)).cloned();
        let settings = governing.unread().iter();
        let settings = settings.map(|(path, why)| Unjudged::settings(path.as_str(), why));
        report.add_unjudged(
            outcome.unjudged.into_iter().chain(found).chain(settings),
            project,
            &terms,
        );
        let fails = |u: &Unjudged| u.counts() && governing.settings_for(&u.path).fail_on_unjudged;
        report.fails_unjudged = report.unjudged.iter().any(fails);
        report.broken = !outcome.failures.is_empty();
        self.clock.record("triage");
        if !self.is_earlier {
            fix::write(project.sources, &mut report);
        }
        self.clock.record("fixes");
        report.stats.skipped = self.found.skipped_count;
        report.stats.failed += self
            .found
            .unjudged
            .iter()
            .filter(|u| matches!(u.why, UnjudgedReason::Unread(_)))
            .count();
        report.stats.bytes = self.found.bytes;
        report.stats.staged = run_options.staged;
        report.compared = run_options.earlier.as_ref().map(|(_, of)| of.clone());
        if source_date().is_none() {
            let ms = self.clock.total().as_millis();
            report.stats.elapsed_ms = Some(u64::try_from(ms).unwrap_or(u64::MAX));
        }
        report
    }
}

impl Loaded<'_> {
    /// A path from the root leads to something.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.tree.exists(Path::new(&join_path(&self.root, path)))
    }

    /// What is found here, for later runs to leave out.
    pub(super) fn known_findings(&self, sources: &Sources, report: &Report) -> Baseline {
        // Settings are judged as they are now; what else their files hold is not what they held.
        let counts =
            |f: &ReportedFinding| f.family == "tool" || !self.changed_settings.contains(sources.path(f.span().file));
        Baseline::of_report(sources, report, counts)
    }

    /// The paths from the root of what was asked for and read.
    pub(super) fn in_scope(&self, sources: &Sources) -> BTreeSet<String> {
        let files = sources.ids().map(|id| sources.file(id)).filter(|f| f.in_scope);
        files
            .map(|f| relative_path(&self.root, &self.governing.absolute(&f.path)))
            .collect()
    }

    /// The file is one of `in_scope`, or it is gone from a folder that was walked, and all that takes part was analyzed.
    pub(super) fn covers(&self, in_scope: &BTreeSet<String>, path: &str) -> bool {
        let absolute = join_path(&self.root, path);
        self.context && (in_scope.contains(path) || !self.exists(path) && self.is_walked(&absolute))
    }

    /// The file at this absolute path was named, or it lies in a folder that was walked and where nothing says to leave it
    /// out: only its content, by itself, was of no interest.
    fn is_requested(&self, path: &str) -> bool {
        let inside = |top: &String| self.is_walked(path) && !discover::in_skipped_folder(top, path);
        let excluded = || self.exclude.iter().any(|e| discover::matches(e, path));
        if self.left.iter().any(|left| is_within(path, left)) {
            return false;
        }
        self.named.contains(path) || self.walked.iter().any(inside) && !excluded()
    }

    /// The file shown under this path is test code.
    pub(super) fn is_test(&self, path: &str) -> bool {
        is_test_code(self.inside.relative(&self.governing.absolute(path)))
    }

    /// Leaves to the run of `inner` what was named there, if its repository lies inside this one.
    pub(super) fn leave_to(&mut self, inner: &Self) {
        if inner.root != self.root && is_within(&inner.root, &self.root) {
            let asked = inner.walked.iter().chain(&inner.named);
            self.left.extend(asked.cloned());
            self.found.leave(&self.cwd, &self.left);
        }
    }

    /// All of the folder or repository around this absolute path was read.
    pub(super) fn is_analyzed_whole(&self, path: &str) -> bool {
        let around = self.roots.iter().any(|root| is_within(path, &root.path));
        self.context && around || self.is_walked(path)
    }

    /// A folder around this absolute path was walked.
    pub(super) fn is_walked(&self, path: &str) -> bool {
        self.walked.iter().any(|top| is_within(path, top))
    }
}
