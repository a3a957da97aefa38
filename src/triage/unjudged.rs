//! What of the project was not judged.

use std::collections::BTreeSet;

use crate::iam::{Document, PolicyPart, Reason, UnknownPart};
use crate::model::Resource;
use crate::project::Project;
use crate::source::{HoleKind, Problem, ProblemKind, Span, Text, file_name};
use crate::unjudged::{Language, Unjudged, UnjudgedKind, UnjudgedReason};

/// Policies, statements and files of `project` that were not judged, in scope, in no order.
pub(super) fn collect(project: &Project<'_>) -> Vec<Unjudged> {
    let mut out = Vec::new();
    for d in project
        .documents
        .iter()
        .chain(&project.unread)
        .filter(|d| in_scope(project, d))
    {
        let mut seen = BTreeSet::new();
        for u in &d.unresolved {
            // Of a statement one thing is enough to say.
            let holder = d.statements.iter().position(|s| s.span.contains(u.span));
            if let Some(entry) = unknown_part(project, d, u)
                && seen.insert(holder)
            {
                out.push(entry);
            }
        }
    }
    // Of a text that is broken the first place is enough to say.
    let mut broken = BTreeSet::new();
    let mut problems: Vec<&Problem> = project.problems.iter().collect();
    problems.sort_by_key(|p| p.span);
    for p in problems {
        let is_broken = matches!(p.kind, ProblemKind::Syntax | ProblemKind::PolicyJson);
        if project.sources.file(p.span.file).in_scope && (!is_broken || broken.insert((p.span.file, p.text))) {
            out.extend(problem(project, p));
        }
    }
    out.extend(project.resources.iter().filter_map(|r| nested(project, r)));
    out
}

/// A nested stack whose template is not among what was read, by its file name: where it is uploaded to says nothing about where
/// it is written.
fn nested(project: &Project<'_>, r: &Resource) -> Option<Unjudged> {
    let is_stack = matches!(&*r.kind, "AWS::CloudFormation::Stack" | "AWS::CloudFormation::StackSet");
    let location = (r.get("TemplateURL"))
        .or_else(|| r.path(&["Location", "ApplicationId"]))
        .filter(|v| is_stack && !v.is_null())?;
    let text = location.as_text();
    let name = text.map(Text::display).unwrap_or_default();
    let files = project.sources.ids().map(|f| project.sources.path(f));
    // `cdk synth` names the template by its content in the URL.
    let synthesized = |path: &str| path.ends_with(".nested.template.json");
    let is_here = files
        .into_iter()
        .any(|path| file_name(path) == file_name(&name) || synthesized(path));
    let in_scope = project.sources.file(r.header.file).in_scope;
    (in_scope && !is_here).then(|| {
        Unjudged::at(
            project.sources,
            r.header,
            UnjudgedKind::File,
            name,
            UnjudgedReason::Nested,
        )
    })
}

fn in_scope(project: &Project<'_>, d: &Document) -> bool {
    let mut places = d.used_at.iter().map(|u| u.span).chain([d.span]);
    places.any(|span| project.sources.file(span.file).in_scope)
}

/// A part of a document that decides what it allows and is not known. Of a resource or a condition value a part may stay
/// unknown: the rest of the statement is judged.
fn unknown_part(project: &Project<'_>, d: &Document, u: &UnknownPart) -> Option<Unjudged> {
    // Where the text is broken is one of the problems.
    if matches!(u.why, Reason::Alternatives | Reason::Hole(HoleKind::Broken)) {
        return None;
    }
    let what = match u.part {
        PolicyPart::Document => UnjudgedKind::Policy,
        PolicyPart::Statement | PolicyPart::Effect | PolicyPart::Action => UnjudgedKind::Statement,
        PolicyPart::Principal if u.whole => UnjudgedKind::Statement,
        PolicyPart::Principal | PolicyPart::Other => return None,
    };
    let at = known_place(project, d, u.span);
    let why = UnjudgedReason::Unknown(u.part, u.why);
    Some(Unjudged::at(project.sources, at, what, u.name.clone(), why))
}

/// The place of the unknown value, or where it is used if that is a file that was only read to understand others.
fn known_place(project: &Project<'_>, d: &Document, span: Span) -> Span {
    let in_scope = |span: &Span| project.sources.file(span.file).in_scope;
    let uses = d.used_at.iter().map(|u| u.span);
    [span, d.span].into_iter().chain(uses).find(in_scope).unwrap_or(span)
}

/// A problem whose message is a name.
fn named_problem(project: &Project<'_>, p: &Problem, why: UnjudgedReason) -> Unjudged {
    Unjudged::at(project.sources, p.span, UnjudgedKind::File, p.message.as_str(), why)
}

fn problem(project: &Project<'_>, p: &Problem) -> Option<Unjudged> {
    let message = || p.message.clone();
    let (what, why) = match p.kind {
        ProblemKind::Syntax => (UnjudgedKind::File, UnjudgedReason::Broken(message())),
        ProblemKind::PolicyJson | ProblemKind::PolicyText => (UnjudgedKind::Policy, UnjudgedReason::Broken(message())),
        ProblemKind::Input => {
            return Some(Unjudged::file(
                project.sources,
                p.span.file,
                UnjudgedReason::Unread(message()),
            ));
        }
        ProblemKind::Settings | ProblemKind::Rule => (UnjudgedKind::Settings, UnjudgedReason::Settings(message())),
        ProblemKind::Exhausted => (UnjudgedKind::File, UnjudgedReason::Exhausted(message())),
        ProblemKind::Module => return Some(named_problem(project, p, UnjudgedReason::Module)),
        ProblemKind::Macro => return Some(named_problem(project, p, UnjudgedReason::Macro)),
        ProblemKind::Template => {
            let why = UnjudgedReason::Language(Language::Template);
            return Some(Unjudged::file(project.sources, p.span.file, why));
        }
        ProblemKind::NotEvaluated | ProblemKind::Internal => return None,
    };
    Some(Unjudged::at(project.sources, p.span, what, "", why))
}
