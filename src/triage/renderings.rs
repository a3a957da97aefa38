//! Templates that a tool made of a source: what the tool wrote by itself is not reported, and what the source says wrong is
//! reported once.
//!
//! **Invariant:** a finding goes only where another one stands for it, or where no one can edit the text.
//! AWS CDK Developer Guide, "Identifiers and the AWS CDK": a logical ID is made of the path of its construct and eight
//! hexadecimal digits, so that two templates with the same ones come from the same code.

use std::collections::{BTreeMap, BTreeSet};

use super::ReportedFinding;
use crate::finding::{Cause, Finding};
use crate::iam::{PrincipalType, Statement};
use crate::model::Resource;
use crate::phrase;
use crate::project::Project;
use crate::rules::{RuleId, ids};
use crate::source::{FileId, Sources, Span, file_name, parent_path, visible};

/// Functions and roles that constructs of the CDK bring with them, by the beginning of their logical IDs: the identifiers are
/// part of its source, so that they are the same in every application.
const PROVIDERS: [&str; 10] = [
    "AWSCDKCfnUtilsProviderCustomResourceProvider",
    "BucketNotificationsHandler050a0587b7544547bf325f094a3db834",
    "CustomCDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C",
    "CustomCDKECRDeployment",
    "CustomCrossRegionExport",
    "CustomS3AutoDeleteObjectsCustomResourceProvider",
    "CustomVpcRestrictDefaultSGCustomResourceProvider",
    "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a",
    "StackSetsAutoDeleteObjects",
    "awscdkawseks",
];
/// What is said about the wording of a list: the text of a synthesized template is no one's.
const WORDING: [RuleId; 5] = [
    ids::DUPLICATE_ACTION,
    ids::DUPLICATE_SID,
    ids::REDUNDANT_ACTION,
    ids::REDUNDANT_RESOURCE,
    ids::REDUNDANT_STATEMENT,
];
/// What constructs allow services: a rule that has an encrypted queue or topic as its target, a topic for alarms.
/// AWS CDK API Reference, `aws_events_targets`, `aws_cloudwatch_actions`.
const GRANTED: [&str; 4] = ["kms:decrypt", "kms:generatedatakey*", "sns:publish", "sqs:sendmessage"];
/// Places of copies that a note names.
const IN_FULL: usize = 3;
/// Shortest name of a construct that says where a template comes from.
const LEAST_NAME: usize = 6;

#[derive(Debug, Default)]
pub(super) struct Renderings {
    /// Templates that the CDK made.
    made: BTreeSet<FileId>,
    /// Files that are made of one source, by file.
    group: BTreeMap<FileId, usize>,
    /// Groups whose constructs are in Python of the repository.
    of_python: BTreeSet<usize>,
    /// What constructs of the CDK bring with them, in the order of the places.
    brought: Vec<Span>,
    /// Copies that the CDK staged, with the originals.
    copies: BTreeMap<FileId, FileId>,
}

/// What findings of several renderings have in common where they are one mistake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RenderingKey {
    group: usize,
    rule: String,
    address: String,
    statement: FindingContent,
    /// The n-th of these in its file.
    ordinal: usize,
}

/// What a finding objects to, in words that are the same in the source and in what is made of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FindingContent {
    sid: Option<String>,
    actions: Vec<String>,
    other: Vec<String>,
}

impl Renderings {
    pub(super) fn new(project: &Project<'_>) -> Self {
        let mut templates: BTreeMap<FileId, Vec<&Resource>> = BTreeMap::new();
        for r in &project.resources {
            let template = r.format.is_cloudformation();
            if template && r.address.scope.as_ref() == project.sources.path(r.header.file) {
                templates.entry(r.header.file).or_default().push(r);
            }
        }
        let made = templates.iter().filter(|(_, resources)| is_of_cdk(resources));
        let mut found = Self {
            made: made.map(|(file, _)| *file).collect(),
            ..Self::default()
        };
        let ids: BTreeMap<FileId, BTreeSet<&str>> = (templates.iter())
            .map(|(file, resources)| (*file, resources.iter().map(|r| &*r.address.name).collect()))
            .collect();
        found.groups(&ids, project.sources);
        found.copies.clone_from(&project.copies);
        let of_made = templates
            .iter()
            .filter(|(file, _)| found.made.contains(file))
            .flat_map(|(_, r)| r);
        let brought = of_made.filter(|r| is_provider(&r.address.name)).map(|r| r.extent);
        found.brought = brought.collect();
        if !found.made.is_empty() {
            let names = python_names(project.sources);
            for file in &found.made {
                let is_there = |id: &&str| construct(id).is_some_and(|name| names.contains(name));
                if let Some(group) = found.group.get(file)
                    && ids.get(file).is_some_and(|ids| ids.iter().any(is_there))
                {
                    found.of_python.insert(*group);
                }
            }
        }
        found
    }

    /// Templates with at least half of their constructs in common are one group; what is packaged is one with its source.
    fn groups(&mut self, ids: &BTreeMap<FileId, BTreeSet<&str>>, sources: &Sources) {
        let mut by_id: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        let mut sizes: Vec<usize> = Vec::new();
        let mut apps: Vec<&str> = Vec::new();
        for file in &self.made {
            let Some(ids) = ids.get(file) else { continue };
            let constructs: Vec<&str> = ids.iter().copied().filter(|id| construct(id).is_some()).collect();
            let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
            for group in constructs.iter().filter_map(|id| by_id.get(id)).flatten() {
                *shared.entry(*group).or_default() += 1;
            }
            let app = app_folder(sources.path(*file));
            let same = shared
                .into_iter()
                .find(|(group, n)| apps[*group] == app && n * 2 >= constructs.len().min(sizes[*group]));
            let group = same.map_or_else(
                || {
                    sizes.push(constructs.len());
                    apps.push(app);
                    sizes.len() - 1
                },
                |(group, _)| group,
            );
            self.group.insert(*file, group);
            for id in constructs {
                let of = by_id.entry(id).or_default();
                if of.len() < MAX_GROUPS {
                    of.insert(group);
                }
            }
        }
        let mut next = sizes.len();
        let mut written: BTreeMap<(&str, &BTreeSet<&str>), FileId> = BTreeMap::new();
        let folder = |file: FileId| parent_path(sources.path(file));
        for (file, ids) in ids.iter().filter(|(f, _)| !is_packaged(sources.path(**f))) {
            written.entry((folder(*file), ids)).or_insert(*file);
        }
        for (file, ids) in ids.iter().filter(|(f, _)| is_packaged(sources.path(**f))) {
            if let Some(source) = written.get(&(folder(*file), ids)) {
                let group = *self.group.entry(*source).or_insert_with(|| {
                    next += 1;
                    next - 1
                });
                self.group.insert(*file, group);
            }
        }
    }

    /// Whether a finding is about text that the CDK writes by itself.
    pub(super) fn is_generated(&self, f: &Finding, project: &Project<'_>) -> bool {
        if f.rule == ids::MISSING_GRANT {
            let is_brought = |at: Span| self.brought.iter().any(|extent| extent.contains(at));
            return f.labels.iter().any(|l| is_brought(l.span));
        }
        if !f.span().is_some_and(|at| self.made.contains(&at.file)) {
            return false;
        }
        if is_provider(&f.subject.address) || WORDING.contains(&f.rule) {
            return true;
        }
        let Cause::Statement(d, s) = f.cause else { return false };
        let statement = (project.documents.get(d)).and_then(|d| d.statements.get(s));
        f.rule == ids::SERVICE_PRINCIPAL_WITHOUT_SOURCE && statement.is_some_and(is_grant)
    }

    /// Makes the findings of renderings that are one mistake one finding: that of the source, else that of the first file.
    pub(super) fn unite_renderings(
        &self,
        reported: &mut Vec<ReportedFinding>,
        sources: &Sources,
        left_out: &dyn Fn(&ReportedFinding) -> bool,
    ) {
        self.unite_copies(reported, sources, left_out);
        if self.group.is_empty() {
            return;
        }
        let at_source = match self.of_python.is_empty() {
            true => BTreeMap::new(),
            false => in_python(reported, sources, left_out),
        };
        let mut addresses: BTreeMap<(String, FindingContent), BTreeSet<&str>> = BTreeMap::new();
        for f in reported.iter().filter(|_| !at_source.is_empty()) {
            let group = self.group.get(&f.span().file);
            if group.is_some_and(|group| self.of_python.contains(group)) && f.is_active() && !left_out(f) {
                let content = (f.rule().to_owned(), statement_of(f));
                addresses.entry(content).or_default().insert(&f.finding.subject.address);
            }
        }
        let mut ordinals: BTreeMap<(FileId, RenderingKey), usize> = BTreeMap::new();
        let mut first: BTreeMap<RenderingKey, usize> = BTreeMap::new();
        // For the findings that stay, their copies.
        let mut copies: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        let mut order: Vec<usize> = (0..reported.len()).collect();
        // What was not asked about stands for nothing that was.
        let asked = |f: &ReportedFinding| sources.file(f.span().file).in_scope;
        order.sort_by_key(|i| {
            (
                !asked(&reported[*i]),
                is_packaged(sources.path(reported[*i].span().file)),
            )
        });
        for i in order {
            let f = &reported[i];
            let file = f.span().file;
            let Some(group) = self.group.get(&file).filter(|_| f.is_active() && !left_out(f)) else {
                continue;
            };
            let said = statement_of(f);
            let of_python = self.of_python.contains(group);
            let content = (f.rule().to_owned(), said.clone());
            let source = at_source.get(&content).filter(|source| {
                // Of more resources than the source has such mistakes, some are of what it does not show.
                let made = addresses.get(&content).map_or(0, BTreeSet::len);
                let named = |i: &usize| is_made_by(&f.finding.subject.address, &reported[*i]);
                made <= source.len() || source.iter().any(named)
            });
            if let Some(source) = source.filter(|_| of_python) {
                copies.entry(source.clone()).or_default().push(i);
                continue;
            }
            let mut mistake = RenderingKey {
                group: *group,
                rule: f.rule().to_owned(),
                address: f.finding.subject.address.clone(),
                statement: said,
                ordinal: 0,
            };
            let n = ordinals.entry((file, mistake.clone())).or_default();
            mistake.ordinal = *n;
            *n += 1;
            match first.get(&mistake) {
                Some(first) => copies.entry(vec![*first]).or_default().push(i),
                None => {
                    first.insert(mistake, i);
                }
            }
        }
        remove_copies(reported, copies, sources);
    }

    /// What is found in a file of an asset that the CDK staged is reported in the file that it is a copy of, and an unused grant
    /// of a template at the call in the source that makes it.
    fn unite_copies(
        &self,
        reported: &mut Vec<ReportedFinding>,
        sources: &Sources,
        left_out: &dyn Fn(&ReportedFinding) -> bool,
    ) {
        if self.copies.is_empty() && self.made.is_empty() {
            return;
        }
        let place = |f: &ReportedFinding, file: FileId, at: Span| (f.rule().to_owned(), file, at.start, at.end);
        let is_reported = |f: &ReportedFinding| f.is_active() && !left_out(f);
        let asked = |f: &ReportedFinding| sources.file(f.span().file).in_scope;
        let of_original = reported.iter().enumerate().filter(|(_, f)| is_reported(f) && asked(f));
        let by_place: BTreeMap<_, usize> = of_original
            .map(|(i, f)| (place(f, f.span().file, f.span()), i))
            .collect();
        let mut copies: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for (i, f) in reported.iter().enumerate().filter(|(_, f)| is_reported(f)) {
            let original = self.copies.get(&f.span().file).map(|file| place(f, *file, f.span()));
            let is_of_made = f.finding.rule == ids::UNUSED_GRANT && self.made.contains(&f.span().file);
            let labels = f.finding.labels.iter().skip(1).filter(|_| is_of_made);
            let mut calls = labels.map(|l| place(f, l.span.file, l.span));
            let kept = original.and_then(|at| by_place.get(&at));
            if let Some(kept) = kept.or_else(|| calls.find_map(|at| by_place.get(&at))) {
                copies.entry(vec![*kept]).or_default().push(i);
            }
        }
        remove_copies(reported, copies, sources);
    }
}

/// Removes copies, by the findings that stay, and notes there where they are.
fn remove_copies(reported: &mut Vec<ReportedFinding>, all: BTreeMap<Vec<usize>, Vec<usize>>, sources: &Sources) {
    let mut gone = BTreeSet::new();
    for (kept, copies) in all {
        note_copies(reported, &kept, &copies, sources);
        gone.extend(copies);
    }
    let mut i = 0;
    reported.retain(|_| {
        i += 1;
        !gone.contains(&(i - 1))
    });
}

/// Whether a construct of the CDK brings the resource of this logical ID with it.
fn is_provider(id: &str) -> bool {
    PROVIDERS.iter().any(|p| id.starts_with(p))
}

/// The folder of the app that a template was made of: what `cdk.out` stands in, else what the template's folder does. Logical IDs
/// are made of paths inside a stack, so that those of two apps may be equal.
fn app_folder(path: &str) -> &str {
    let out = path.match_indices("cdk.out").find(|(at, name)| {
        let before = path[..*at].chars().next_back();
        let after = path[at + name.len()..].chars().next();
        before.is_none_or(|c| c == '/') && after == Some('/')
    });
    match out {
        Some((at, _)) => path[..at].trim_end_matches('/'),
        None => parent_path(parent_path(path)),
    }
}

/// Groups that one logical ID is remembered for.
const MAX_GROUPS: usize = 8;

/// Says where the copies are. What a template says about the severity is right: it shows which values are deployed.
fn note_copies(reported: &mut [ReportedFinding], kept: &[usize], copies: &[usize], sources: &Sources) {
    let Some(&first) = kept.first() else { return };
    let place = |i: &usize| {
        let at = reported[*i].span();
        let line = sources.file(at.file).lines().line(at.start as usize);
        format!("`{}:{line}`", sources.path(at.file))
    };
    let places: BTreeSet<String> = copies.iter().map(place).collect();
    let shown: Vec<String> = places.iter().take(IN_FULL).cloned().collect();
    let also = match is_python(sources, reported[first].span().file) {
        true => "rendered from this",
        false => "rendered from the same source",
    };
    let more = phrase::and_more(IN_FULL, places.len().saturating_sub(IN_FULL));
    let text = format!("{also}: {}{more}", shown.join(", "));
    reported[first].finding.notes.push(visible(&text).into_owned());
    let Some(worst) = copies.iter().max_by_key(|i| reported[**i].severity) else {
        return;
    };
    let (severity, fails) = (reported[*worst].severity, copies.iter().any(|i| reported[*i].fails));
    let because = (reported[*worst].finding.notes.iter()).find(|n| n.starts_with("by default, "));
    let because = because.cloned();
    for &i in kept {
        let f = &mut reported[i];
        if !is_python(sources, f.span().file) {
            f.severity = f.severity.max(severity);
            f.fails |= fails;
        } else if severity < f.severity {
            f.severity = severity;
            f.fails &= fails;
            f.finding.notes.extend(because.clone());
        }
    }
}

/// Findings in Python that makes constructs, suppressed ones too, by rule and what they object to.
fn in_python(
    reported: &[ReportedFinding],
    sources: &Sources,
    left_out: &dyn Fn(&ReportedFinding) -> bool,
) -> BTreeMap<(String, FindingContent), Vec<usize>> {
    let mut found: BTreeMap<(String, FindingContent), Vec<usize>> = BTreeMap::new();
    for (i, f) in reported.iter().enumerate() {
        let said = statement_of(f);
        let speaks = !said.actions.is_empty() || said.sid.is_some();
        let asked = sources.file(f.span().file).in_scope;
        if speaks && asked && is_cdk_python(sources, f.span().file) && !left_out(f) {
            found.entry((f.rule().to_owned(), said)).or_default().push(i);
        }
    }
    found
}

/// Whether a logical ID is made of the ID of the construct that a finding of the source is about.
fn is_made_by(logical_id: &str, source: &ReportedFinding) -> bool {
    let address = &source.finding.subject.address;
    let id = address
        .rsplit('/')
        .find(|part| !matches!(*part, "ServiceRole" | "Resource"));
    id.is_some_and(|id| address.contains('/') && logical_id.contains(&id.replace(['-', '_'], "")))
}

fn statement_of(f: &ReportedFinding) -> FindingContent {
    let evidence = &f.finding.evidence;
    let mut actions = evidence.actions.clone();
    actions.sort();
    // The CDK numbers the statements of some policies.
    let sid = f.finding.subject.sid.clone();
    FindingContent {
        sid: sid.filter(|sid| !sid.bytes().all(|b| b.is_ascii_digit())),
        actions,
        other: evidence.other.clone(),
    }
}

/// A statement as constructs add it: without a name of its own, for a service.
fn is_grant(s: &Statement) -> bool {
    let unnamed = s.sid.as_ref().is_none_or(|sid| {
        let text = sid.text.known();
        text.is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit()))
    });
    let mut principals = s.principal.iter().flat_map(|p| &p.items).peekable();
    let mut actions = s.action.iter().flat_map(|a| &a.items).peekable();
    unnamed
        && principals.peek().is_some()
        && principals.all(|p| p.kind == PrincipalType::Service)
        && actions.peek().is_some()
        && actions.all(|a| GRANTED.contains(&&*a.display().to_ascii_lowercase()))
}

/// The CDK says so in a template, or most of the logical IDs are its own: of one, the digits may be chance.
fn is_of_cdk(resources: &[&Resource]) -> bool {
    const FEW: usize = 3;
    let named = resources.iter().filter(|r| construct(&r.address.name).is_some());
    let named = named.count();
    resources
        .iter()
        .any(|r| &*r.kind == "AWS::CDK::Metadata" || r.construct_path().is_some())
        || named >= FEW && named * 2 > resources.len()
}

/// The name in a logical ID that ends in the eight digits of the CDK.
fn construct(id: &str) -> Option<&str> {
    let (name, digits) = id.split_at_checked(id.len().checked_sub(8)?)?;
    let is_digit = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
    let is_hash = digits.bytes().all(is_digit)
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().any(|b| b.is_ascii_uppercase());
    (is_hash && name.len() >= LEAST_NAME).then_some(name)
}

/// `aws cloudformation package` and `sam package` write such names by convention.
fn is_packaged(path: &str) -> bool {
    let name = file_name(path);
    name.to_ascii_lowercase().contains("packaged")
}

/// What Python that makes constructs writes between quotes, as a logical ID has it: letters and digits only.
fn python_names(sources: &Sources) -> BTreeSet<String> {
    let files = sources.ids().filter(|id| is_cdk_python(sources, *id));
    let literals = files.flat_map(|id| sources.text(id).split(['"', '\'']));
    let name = |text: &str| -> Option<String> {
        let short = text.len() <= 255 && !text.contains('\n');
        let name: String = short.then(|| text.chars().filter(char::is_ascii_alphanumeric).collect())?;
        (name.len() >= LEAST_NAME).then_some(name)
    };
    literals.filter_map(name).collect()
}

fn is_python(sources: &Sources, file: FileId) -> bool {
    sources.path(file).ends_with(".py")
}

fn is_cdk_python(sources: &Sources, file: FileId) -> bool {
    is_python(sources, file) && sources.text(file).contains("aws_cdk")
}
