//! `diff`: what a change of policies grants.

mod denied;
mod doubts;
mod narrow;
mod operands;
mod paths;
mod settings;
mod subjects;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use self::denied::ComparedSides;
use self::doubts::{BEYOND_LIMITS, possible, unknown};
use self::operands::{DiffOperand, operands};
use self::paths::{ChangedPaths, PathList, SubjectMoves, changed_paths, paths_of, place};
use self::settings::changed_settings;
use self::subjects::{SubjectList, SubjectPair, pairs};
use super::input::{InputArgs, severity};
use super::run::{self, Loaded};
use super::{CliFailure, terminal};
use crate::access::sets::{Change, Describer, Difference, Undecided, Values, compare_as};
use crate::finding::Severity;
use crate::iam::Document;
use crate::paths::AccessPath;
use crate::pipeline::Analysis;
use crate::project::{AccessSubject, CombinedPolicy, Project, SubjectKind};
use crate::report::{
    DiffChange, DiffMove, DiffPage, DiffPath, DiffSide, DiffUnknown, diff_github, diff_human, diff_json, diff_markdown,
};
use crate::secrets::Mask;
use crate::settings::Settings;
use crate::source::{FileId, Hole, Sources, Span, join_path, parent_path, relative_path};
use crate::triage::Report;
use crate::unjudged::UnjudgedReason;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum DiffFormat {
    /// A sentence for each change, with the source and a request.
    #[default]
    Human,
    Json,
    /// For pull requests.
    Markdown,
    /// Annotations of a workflow, at the place in NEW.
    Github,
}

/// Say what NEW allows and OLD does not, and the reverse, with a request that proves it
#[derive(Debug, Args)]
#[command(override_usage = "overgrant diff [OPTIONS] OLD NEW\n       overgrant diff [OPTIONS] REF")]
pub(super) struct DiffArgs {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: DiffFormat,
    /// Fail if NEW allows something that OLD does not, of at least this severity
    #[arg(long, value_name = "SEVERITY", num_args = 0..=1, require_equals = true, default_missing_value = "low", value_parser = severity())]
    fail_on_new: Option<Severity>,
    /// Fail if anything could not be decided
    #[arg(long)]
    fail_on_unjudged: bool,
    /// Use colors
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: terminal::ColorChoice,
}

impl DiffArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let [of_old, of_new] = operands(&self.input.paths)?;
        let over = |_: &mut Settings| {};
        let (mut old, mut new) = (of_old.read(&self.input, &over)?, of_new.read(&self.input, &over)?);
        narrow::narrow(&mut old, &mut new, &of_old, &of_new);
        run::analyze(old, |old, old_analysis| {
            run::analyze(new, |new, new_analysis| {
                let old_report = old.report(old_analysis, of_old.run_options());
                let new_report = new.report(new_analysis, of_new.run_options());
                old.ensure_read()?;
                new.ensure_read()?;
                let mut a = DiffInput::new(old, old_analysis, &old_report, &of_old);
                let mut b = DiffInput::new(new, new_analysis, &new_report, &of_new);
                let both = [&old_analysis.project, &new_analysis.project].map(addresses);
                a.hide_what_is_only_in(&both[1], &both[0]);
                b.hide_what_is_only_in(&both[0], &both[1]);
                let found = pairs(&a.subjects, &b.subjects);
                let moved = moves(&a, &b, &found);
                let paths = match a.says_the_same_as(&b) {
                    true => ChangedPaths::default(),
                    false => {
                        let (from, to) = (&old_analysis.project, &new_analysis.project);
                        let (of_from, of_to) = rayon::join(|| paths_of(from), || paths_of(to));
                        let of_from = PathList::new(of_from, old, from, &|p| a.below(p), &moved);
                        let of_to = PathList::new(of_to, new, to, &|p| b.below(p), &SubjectMoves::default());
                        changed_paths(&of_from, &of_to)
                    }
                };
                let settings = changed_settings(
                    (&old_analysis.project, &|p| a.below(p)),
                    (&new_analysis.project, &|p| b.below(p)),
                    &moved,
                );
                let mut page = page(a, b, found, paths)?;
                page.unknown.extend(settings);
                self.finish(page)
            })
        })
    }

    fn finish(&self, page: DiffPage<'_>) -> Result<ExitCode, CliFailure> {
        let text = match self.format {
            DiffFormat::Human => diff_human(&page, terminal::width(), terminal::color(self.color)),
            DiffFormat::Json => diff_json(&page),
            DiffFormat::Markdown => diff_markdown(&page),
            DiffFormat::Github => diff_github(&page),
        };
        match self.format {
            DiffFormat::Human => terminal::print_text(&text)?,
            DiffFormat::Json | DiffFormat::Markdown | DiffFormat::Github => terminal::print_page(&text)?,
        };
        let is_broken = page.is_broken || !page.old.errors.is_empty() || !page.new.errors.is_empty();
        let gained = page.gained.iter().map(|c| c.change.severity);
        let mut severities = gained.chain(page.opened.iter().map(|p| p.path.severity));
        let fails = |least: Severity| severities.any(|s| s >= least);
        let fails = self.fail_on_new.is_some_and(fails) || self.fail_on_unjudged && !page.unknown.is_empty();
        Ok(ExitCode::from(u8::from(is_broken || fails)))
    }
}

type Addresses = HashSet<Arc<str>>;

fn addresses(project: &Project<'_>) -> Addresses {
    project.resources.iter().map(|r| r.address.name.clone()).collect()
}

/// One side, with what is known of it.
struct DiffInput<'a> {
    side: DiffSide<'a>,
    subjects: SubjectList,
    /// Addresses of policies that identities have.
    used: BTreeSet<String>,
    /// What is compared, absolute.
    base: &'a str,
    /// Of each file, as compared.
    files: Vec<String>,
    /// A file was named, and not a folder.
    is_file: bool,
}

impl<'a> DiffInput<'a> {
    fn new(read: &Loaded<'_>, analysis: &'a Analysis<'_>, report: &'a Report, of: &'a DiffOperand) -> Self {
        let project = &analysis.project;
        let sources = project.sources;
        let below = |path: &str| path_below(&of.base, &read.cwd, path);
        Self {
            base: &of.base,
            subjects: SubjectList::new(project.access_subjects(), &below, read.left_alone.is_empty()),
            used: project.used_policies(),
            is_file: of.is_file(),
            files: sources.ids().map(|id| below(sources.path(id))).collect(),
            side: DiffSide {
                sources,
                errors: &report.errors,
                unjudged: &report.unjudged,
                mask: Mask::new(sources, &report.secrets),
                name: &of.name,
                cwd: read.cwd.clone(),
                root: read.root.clone(),
            },
        }
    }

    /// References to what the other side alone has: a resource was renamed, and they were not.
    fn hide_what_is_only_in(&mut self, other: &Addresses, own: &Addresses) {
        let gone: Addresses = other.difference(own).cloned().collect();
        if gone.is_empty() {
            return;
        }
        let is_gone = |hole: &Hole| Project::refers_to(hole, &gone) && !Project::refers_to(hole, own);
        for subject in &mut self.subjects.all {
            subject.policy.hide(&is_gone);
        }
    }

    /// A path as it is compared.
    fn below(&self, path: &str) -> String {
        path_below(self.base, &self.side.cwd, path)
    }

    /// All files have the same texts.
    fn says_the_same_as(&self, other: &Self) -> bool {
        self.files.len() == other.files.len() && self.texts() == other.texts()
    }

    fn texts(&self) -> BTreeMap<&str, &str> {
        let all = self.files.iter().zip(self.side.sources.ids());
        all.map(|(path, id)| (path.as_str(), &*self.side.sources.file(id).text))
            .collect()
    }

    /// Places where files could not be read completely, one of each file.
    fn broken(&self) -> BTreeMap<String, Span> {
        let errors = self.side.errors.iter().map(|p| p.span);
        let unjudged = self.side.unjudged.iter().filter_map(|u| {
            let is_broken = matches!(u.why, UnjudgedReason::Broken(_));
            u.span
                .filter(|span| is_broken && self.side.sources.file(span.file).in_scope)
        });
        let named = errors.chain(unjudged).filter(|span| span.is_in_source());
        let mut out = BTreeMap::new();
        for span in named {
            let path = self.files.iter().zip(self.side.sources.ids());
            if let Some((path, _)) = path.into_iter().find(|(_, id)| *id == span.file) {
                out.entry(path.clone()).or_insert(span);
            }
        }
        out
    }

    /// The text of the file at this path, as compared.
    fn text_of(&self, path: &str) -> Option<&str> {
        let (_, id) = self
            .files
            .iter()
            .zip(self.side.sources.ids())
            .find(|(p, _)| *p == path)?;
        Some(&self.side.sources.file(id).text)
    }

    /// The files that a subject is written in.
    fn files(&self, subject: &AccessSubject) -> BTreeSet<String> {
        let statements = subject.policy.document.statements.iter().map(|s| s.span);
        let spans = statements
            .chain(subject.policy.places.iter().copied())
            .chain([subject.span]);
        let ids: BTreeSet<FileId> = spans.filter(|s| s.is_in_source()).map(|s| s.file).collect();
        let mut paths = self.files.iter().zip(self.side.sources.ids());
        let of = |(path, id): (&String, FileId)| ids.contains(&id).then(|| unit(path));
        paths.by_ref().filter_map(of).collect()
    }
}

fn unit(path: &str) -> String {
    match path.ends_with(".tf") || path.ends_with(".tf.json") {
        true => format!("{}/", parent_path(path)),
        false => path.to_owned(),
    }
}

/// What is found under another address in NEW.
fn moves(old: &DiffInput<'_>, new: &DiffInput<'_>, found: &[SubjectPair]) -> SubjectMoves {
    let place = |list: &SubjectList, at: usize| Some((list.roots.get(at)?.clone(), list.all.get(at)?.address.clone()?));
    let moved = found.iter().filter(|pair| pair.moved);
    let both = moved.filter_map(|pair| Some((place(&old.subjects, pair.old?)?, place(&new.subjects, pair.new?)?)));
    both.collect()
}

fn page<'a>(
    old: DiffInput<'a>,
    new: DiffInput<'a>,
    found: Vec<SubjectPair>,
    paths: ChangedPaths,
) -> Result<DiffPage<'a>, CliFailure> {
    let mut unknown = Vec::new();
    let mut broken = BTreeSet::new();
    for (input, is_new) in [(&old, false), (&new, true)] {
        let side = &input.side;
        let is_empty = input.subjects.all.is_empty() && side.errors.is_empty();
        let other = if is_new { &old } else { &new };
        if is_empty && input.is_file {
            return Err(CliFailure::Usage(format!("`{}` has no policy", side.name)));
        }
        // What is broken in the same way on both sides is no change.
        let changed = input
            .broken()
            .into_iter()
            .filter(|(path, _)| input.text_of(path) != other.text_of(path));
        for (path, span) in changed {
            broken.insert(unit(&path));
            unknown.push(DiffUnknown {
                subject: match input.is_file {
                    true => side.name.to_owned(),
                    false => side.sources.path(span.file).to_owned(),
                },
                why: "could not be read".to_owned(),
                is_new,
                is_gain: is_new,
                span: Some(span),
            });
        }
    }
    let mut changed = Vec::new();
    let mut moved = Vec::new();
    for pair in found.iter().copied() {
        let (before, after) = (
            pair.old.map(|at| &old.subjects.all[at]),
            pair.new.map(|at| &new.subjects.all[at]),
        );
        if let (true, Some(before), Some(after)) = (pair.moved, before, after) {
            moved.push(DiffMove {
                subject: shown(after, new.side.sources, None),
                from: shown(before, old.side.sources, None),
                old_span: before.span,
                span: after.span,
            });
        }
        let text = |at: Option<usize>, list: &SubjectList| at.map(|at| list.texts[at].clone()).unwrap_or_default();
        let is_used = |s: Option<&AccessSubject>, other: &DiffInput<'_>| {
            let s = s.filter(|s| s.kind == SubjectKind::Document);
            s.and_then(|s| s.address.as_ref())
                .is_some_and(|a| other.used.contains(a))
        };
        let skips = match (before, after) {
            (Some(_), None) => is_used(before, &new),
            (None, Some(_)) => is_used(after, &old),
            _ => false,
        };
        let mut files = before.map(|s| old.files(s)).unwrap_or_default();
        files.extend(after.map(|s| new.files(s)).unwrap_or_default());
        let same = text(pair.old, &old.subjects) == text(pair.new, &new.subjects);
        if !skips && !same && files.is_disjoint(&broken) {
            changed.push(pair);
        }
    }
    let DiffInput {
        side: old_side,
        subjects: of_old,
        ..
    } = old;
    let DiffInput {
        side: new_side,
        subjects: of_new,
        ..
    } = new;
    let mut page = DiffPage {
        old: old_side,
        new: new_side,
        gained: Vec::new(),
        lost: Vec::new(),
        opened: Vec::new(),
        closed: Vec::new(),
        unknown,
        is_broken: !broken.is_empty(),
        moved,
        assumed: BTreeMap::new(),
    };
    for pair in changed {
        let SubjectPair { old, new, .. } = pair;
        let (before, after) = (old.map(|at| &of_old.all[at]), new.map(|at| &of_new.all[at]));
        let Some(named) = after.or(before) else { continue };
        let is_single = |list: &SubjectList| list.is_whole && list.all.len() == 1;
        let is_only = is_single(&of_old) && is_single(&of_new) && named.address.is_none();
        let sources = if after.is_some() {
            page.new.sources
        } else {
            page.old.sources
        };
        let subject = match is_only {
            true => page.new.name.to_owned(),
            false => {
                let side = new.map_or((&of_old, old), |at| (&of_new, Some(at)));
                let root = side.1.and_then(|at| side.0.roots.get(at));
                let in_several = [&of_old, &of_new].into_iter().any(|l| l.is_in_several_roots(named));
                shown(named, sources, root.map(String::as_str).filter(|_| in_several))
            }
        };
        let nothing = named.policy.nothing();
        let (before, after) = (
            before.map_or(&nothing, |s| &s.policy),
            after.map_or(&nothing, |s| &s.policy),
        );
        page.add(&subject, named, before, after);
        for (from, to, to_sources, is_gain) in [
            (&of_old, &of_new, page.new.sources, true),
            (&of_new, &of_old, page.old.sources, false),
        ] {
            let sides = ComparedSides {
                from,
                to,
                to_sources,
                is_gain,
            };
            let found = sides.no_longer_denied(&subject, &pair, &found);
            let changes = if is_gain { &mut page.gained } else { &mut page.lost };
            changes.extend(found.changes);
            page.unknown.extend(found.unknown);
        }
    }
    for changes in [&mut page.gained, &mut page.lost] {
        let mut seen = BTreeSet::new();
        changes.retain(|c| {
            let what = (
                c.change.actions.clone(),
                c.change.resources.clone(),
                c.change.principals.clone(),
            );
            seen.insert((c.subject.clone(), c.change.span, what))
        });
    }
    let worst = |c: &DiffChange| (Reverse(c.change.severity), c.change.span);
    page.gained.sort_by_key(worst);
    page.lost.sort_by_key(worst);
    page.add_paths(paths);
    Ok(page)
}

/// A path as it is compared, or the root of an address, which may be the n-th deployment of a folder: `app@2`.
fn path_below(base: &str, cwd: &str, path: &str) -> String {
    let nth = path
        .rfind('@')
        .filter(|at| path[at + 1..].bytes().all(|b| b.is_ascii_digit()));
    let (folder, nth) = path.split_at(nth.unwrap_or(path.len()));
    let below = relative_path(base, &join_path(cwd, folder));
    match below.as_str() {
        "" | "." if !nth.is_empty() => nth.to_owned(),
        _ => below + nth,
    }
}

/// A subject in words, with its root where several have the address.
fn shown(subject: &AccessSubject, sources: &Sources, root: Option<&str>) -> String {
    // A data source is a document, without a property.
    let address = subject.address.as_ref().map(|a| a.trim_end_matches('.').to_owned());
    let name = address.unwrap_or_else(|| sources.path(subject.span.file).to_owned());
    let trust = (subject.kind == SubjectKind::Trust).then_some("trust");
    let notes: Vec<&str> = trust
        .into_iter()
        .chain(root.filter(|r| !matches!(*r, "" | ".")))
        .collect();
    match notes.as_slice() {
        [] => name,
        notes => format!("{name} ({})", notes.join(", ")),
    }
}

impl DiffPage<'_> {
    fn add(&mut self, subject: &str, named: &AccessSubject, before: &CombinedPolicy, after: &CombinedPolicy) {
        let caller = named.caller.as_deref();
        let (old, new) = (&before.document, &after.document);
        let (only_old, only_new) = (before.beyond(after), after.beyond(before));
        let more = compare_as(old, &only_new, &Values::new(), caller);
        let less = compare_as(new, &only_old, &more.assumed, caller);
        let gained = changes(subject, named, &more, before, (after, &only_new));
        let lost = changes(subject, named, &less, after, (before, &only_old));
        // What was there may have been more, and what is there may be.
        let hides = |these: &CombinedPolicy, those: &CombinedPolicy| {
            let found = only_here(&these.unseen, &those.unseen).next();
            found.map(|(name, _)| format!("which depends on `{name}`"))
        };
        let both = [before, after];
        let limits_differ = before.limits != after.limits && !both.iter().any(|p| p.is_nothing());
        // Where there need not be a limit, what is beyond it is granted.
        let limits = limits_differ || both.iter().any(|p| p.is_limited());
        let limits = limits.then(|| BEYOND_LIMITS.to_owned());
        let doubts = [
            limits.clone().or_else(|| hides(before, after)),
            limits.or_else(|| hides(after, before)),
        ];
        for ((changes, is_gain), doubt) in [(gained, true), (lost, false)].into_iter().zip(doubts) {
            match (doubt, is_gain) {
                (None, true) => self.gained.extend(changes),
                (None, false) => self.lost.extend(changes),
                (Some(doubt), _) => self
                    .unknown
                    .extend(changes.into_iter().map(|c| possible(c, is_gain, &doubt))),
            }
        }
        for (found, is_gain) in [(&more, true), (&less, false)] {
            // Statements that are not there are listed by what they depend on.
            let is_listed =
                |d: &&Undecided| d.statement.is_none() && !(before.unseen.is_empty() && after.unseen.is_empty());
            self.unknown
                .extend(found.unknown.iter().filter(|d| !is_listed(d)).map(|doubt| {
                    let is_new = is_gain != doubt.in_other;
                    unknown(subject, doubt, if is_new { after } else { before }, is_new, is_gain)
                }));
        }
        if limits_differ {
            self.unknown.push(DiffUnknown {
                subject: subject.to_owned(),
                why: "has another boundary or control policy, in a form that is not compared".to_owned(),
                is_new: true,
                is_gain: true,
                span: Some(new.span),
            });
        }
        for (these, those, is_new) in [(after, before, true), (before, after, false)] {
            let [may, gets] = match is_new {
                true => ["may gain", "gets"],
                false => ["may lose", "no longer has"],
            };
            let unseen = only_here(&these.unseen, &those.unseen);
            let unseen = unseen.map(|(name, at)| (format!("{may} more than is known, by `{name}`"), at));
            let elsewhere = only_here(&these.elsewhere, &those.elsewhere);
            let elsewhere = elsewhere.map(|(name, at)| (format!("{gets} the policy `{name}`, which is not here"), at));
            self.unknown
                .extend(unseen.chain(elsewhere).map(|(why, at)| DiffUnknown {
                    subject: subject.to_owned(),
                    why,
                    is_new,
                    is_gain: is_new,
                    span: Some(*at),
                }));
        }
        self.assumed.extend(more.assumed);
        self.assumed.extend(less.assumed);
        let mut seen = BTreeSet::new();
        self.unknown
            .retain(|u| seen.insert((u.subject.clone(), u.why.clone(), u.span, u.is_gain)));
    }
}

impl DiffPage<'_> {
    fn add_paths(&mut self, mut paths: ChangedPaths) {
        if self.is_broken {
            // What is not there may be in a file that could not be read.
            let opened = paths.opened.drain(..).map(|p| (true, p));
            let closed = paths.closed.drain(..).map(|p| (false, p));
            paths.unknown.extend(opened.chain(closed));
        }
        let spans = |all: &[DiffChange]| -> Vec<Span> { all.iter().map(|c| c.change.span).collect() };
        let (gained, lost) = (spans(&self.gained), spans(&self.lost));
        let placed = |all: Vec<AccessPath>, changes: &[Span]| {
            let each = all.into_iter().map(|path| DiffPath {
                span: place(&path, changes),
                path,
            });
            each.collect()
        };
        self.opened = placed(paths.opened, &gained);
        self.closed = placed(paths.closed, &lost);
        self.unknown.extend(paths.unknown.into_iter().map(|(opens, path)| {
            let depends: Vec<&str> = path.hops.iter().flat_map(|h| &h.unknown).map(String::as_str).collect();
            let verb = if opens { "may gain" } else { "may lose" };
            let on = match depends.first() {
                Some(what) => format!(", which depends on {what}"),
                None => ", since not all files could be read".to_owned(),
            };
            DiffUnknown {
                why: format!("{verb} {} by a path to {}{on}", path.gain.text(), path.to.text()),
                is_new: opens,
                is_gain: opens,
                span: place(&path, if opens { &gained } else { &lost }),
                subject: path.from.text(),
            }
        }));
    }
}

/// What the other side does not name.
fn only_here<'m>(
    these: &'m BTreeMap<String, Span>,
    those: &'m BTreeMap<String, Span>,
) -> impl Iterator<Item = (&'m String, &'m Span)> {
    these.iter().filter(|(name, _)| !those.contains_key(*name))
}

/// What `to` allows and `from` does not, in words and places.
fn changes(
    subject: &str,
    named: &AccessSubject,
    found: &Difference,
    from: &CombinedPolicy,
    (to, document): (&CombinedPolicy, &Document),
) -> Vec<DiffChange> {
    let mut describer = Describer::new(&from.document, document);
    let mut out = Vec::new();
    for g in &found.gained {
        out.extend(describer.describe(g).into_iter().map(|change| DiffChange {
            subject: subject.to_owned(),
            is_unattached: named.is_unattached(),
            change: Change {
                span: to.place(g.statement, change.span),
                ..change
            },
        }));
    }
    out
}
