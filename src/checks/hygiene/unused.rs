//! Roles and policies that nothing in the repository refers to.
//!
//! A reference is any mention of the address or of the name, in code, outputs and comments too: what is reported is mentioned
//! nowhere. What only attaches permissions to a role does not use it.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;

use crate::iam::principal::{PrincipalOrigin, origin_of};
use crate::iam::{PolicyKind, SourceFormat};
use crate::model::{Resource, kinds};
use crate::project::{Identity, ResourceId};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::{FileId, Span, parent_path};

const RULE: RuleId = ids::UNUSED_POLICY_OR_ROLE;

/// Where a resource that gives permissions names the role that gets them.
const HOLDERS: [&str; 4] = ["Role", "Roles", "RoleName", "Target"];

/// Roles that AWS finds by their fixed names. Service documentation of DMS, VM Import/Export, EMR, Elastic Beanstalk, ECS, RDS.
const FIXED: [&str; 5] = ["aws", "dms-", "vmimport", "emr_", "rds-monitoring-role"];

/// How a template covers other files, whose text is not read when there is no policy in it: an API's description names the
/// roles that it uses. CloudFormation User Guide, "AWS::Include transform"; Serverless Framework, "Variables".
const INCLUDES: [&str; 4] = ["AWS::Include", "BodyS3Location", "DefinitionUri", "${file("];

/// A role or policy, and the words that would refer to it.
struct Candidate<'a> {
    id: ResourceId,
    resource: &'a Resource,
    is_role: bool,
    address: &'a str,
    name: Option<String>,
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let identities: BTreeMap<ResourceId, &Identity> = cx.project.identities.iter().map(|i| (i.resource, i)).collect();
    let mut including: BTreeMap<FileId, bool> = BTreeMap::new();
    let candidates: Vec<Candidate<'_>> = cx
        .project
        .resources
        .iter_enumerated()
        .filter_map(|(id, r)| candidate(cx, id, r, identities.get(&id).copied()))
        .filter(|c| {
            let file = c.resource.header.file;
            !*including.entry(file).or_insert_with(|| {
                let text = cx.project.sources.text(file);
                INCLUDES.iter().any(|i| text.contains(i))
            })
        })
        .collect();
    let mentioned = are_mentioned(cx, &candidates);
    for (c, _) in candidates.iter().zip(mentioned).filter(|(_, mentioned)| !mentioned) {
        let what = if c.is_role { "role" } else { "policy" };
        let message = format!("nothing in the repository uses this {what}");
        out.push(
            cx.at_resource(RULE, c.id, message)
                .primary(c.resource.header, "mentioned nowhere else"),
        );
    }
}

fn candidate<'a>(
    cx: &Context<'a>,
    id: ResourceId,
    r: &'a Resource,
    identity: Option<&Identity>,
) -> Option<Candidate<'a>> {
    let is_role = match &*r.type_name {
        "aws_iam_role" | "AWS::IAM::Role" => true,
        "aws_iam_policy" | "AWS::IAM::ManagedPolicy" => false,
        _ => return None,
    };
    if r.format == SourceFormat::Python {
        return None;
    }
    let name = ["RoleName", "ManagedPolicyName", "PolicyName"]
        .iter()
        .find_map(|p| r.get(p));
    let name = name.and_then(|n| n.as_str()).map(|n| n.into_owned());
    let lower = name.as_deref().unwrap_or_default().to_lowercase();
    if is_role {
        if FIXED.iter().any(|f| lower.starts_with(f)) || !for_services_only(cx, identity?) {
            return None;
        }
    } else if ["Roles", "Users", "Groups"].iter().any(|p| r.has(p)) {
        return None;
    }
    Some(Candidate {
        id,
        resource: r,
        is_role,
        address: r.address.name.split('[').next().unwrap_or_default(),
        name,
    })
}

/// Anyone who else is trusted comes from outside the repository, and needs no mention in it.
fn for_services_only(cx: &Context<'_>, identity: &Identity) -> bool {
    let documents = identity.trust.iter().filter_map(|d| cx.project.documents.get(*d));
    let mut statements = documents
        .filter(|d| d.kind == PolicyKind::Trust)
        .flat_map(|d| &d.statements)
        .peekable();
    statements.peek().is_some()
        && statements.all(|s| {
            let Some(clause) = s.principal.as_ref().filter(|p| !p.negated && p.complete) else {
                return false;
            };
            let service = |p| matches!(origin_of(p, cx.project.own, None), PrincipalOrigin::Service { .. });
            !clause.items.is_empty() && clause.items.iter().all(service)
        })
}

/// For each candidate, whether something refers to it. Reads each file once.
fn are_mentioned(cx: &Context<'_>, candidates: &[Candidate<'_>]) -> Vec<bool> {
    // A nameless one cannot be looked for.
    let mut found: Vec<bool> = candidates.iter().map(|c| c.address.is_empty()).collect();
    let sources = cx.project.sources;
    // By word, and by the folder at and below which it means something: a template includes other files, a module has many.
    // A name means something everywhere.
    let mut words: BTreeMap<&str, BTreeMap<Option<&str>, Vec<usize>>> = BTreeMap::new();
    for (i, c) in candidates.iter().enumerate().filter(|(_, c)| !c.address.is_empty()) {
        let scope = parent_path(sources.path(c.resource.header.file));
        words
            .entry(c.address)
            .or_default()
            .entry(Some(scope))
            .or_default()
            .push(i);
        if let Some(name) = c.name.as_deref().filter(|n| !n.is_empty()) {
            words.entry(name).or_default().entry(None).or_default().push(i);
        }
    }
    let patterns: Vec<&str> = words.keys().copied().collect();
    let Ok(automaton) = AhoCorasick::new(&patterns) else {
        return vec![true; candidates.len()];
    };
    let attaching = attachment_references(cx);
    let scopes: BTreeSet<&str> = words.values().flat_map(BTreeMap::keys).copied().flatten().collect();
    let has_names = words.values().any(|by_scope| by_scope.contains_key(&None));
    for file in sources.ids() {
        let (path, text) = (sources.path(file), &**sources.text(file));
        let mut folders = std::iter::successors(Some(parent_path(path)), parent_folder);
        if !has_names && !folders.any(|folder| scopes.contains(folder)) {
            continue;
        }
        for hit in automaton.find_overlapping_iter(text) {
            let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
            let before = text[..hit.start()].chars().next_back();
            if joins(before) || joins(text[hit.end()..].chars().next()) {
                continue;
            }
            let span = Span::new(file, hit.start(), hit.end());
            let folders = std::iter::successors(Some(parent_path(path)), parent_folder).map(Some);
            let by_scope = &words[patterns[hit.pattern().as_usize()]];
            let meant = folders.chain([None]).filter_map(|scope| by_scope.get(&scope));
            for &i in meant.flatten() {
                let c = &candidates[i];
                let gives = || c.is_role && any_contains(&attaching, span);
                found[i] = found[i] || !(c.resource.extent.contains(span) || gives());
            }
        }
    }
    found
}

/// The folder that holds a folder.
fn parent_folder<'p>(dir: &&'p str) -> Option<&'p str> {
    (!dir.is_empty()).then(|| parent_path(dir))
}

/// Whether one of the sorted spans, which do not overlap, holds `inner`.
fn any_contains(spans: &[Span], inner: Span) -> bool {
    let after = spans.partition_point(|s| (s.file, s.start) <= (inner.file, inner.start));
    spans[..after].last().is_some_and(|s| s.contains(inner))
}

/// The places that name a role only to give it permissions, sorted.
fn attachment_references(cx: &Context<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    for r in &cx.project.resources {
        match &*r.kind {
            kinds::ATTACHMENT => spans.push(r.extent),
            "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" | "AWS::IAM::ManagedPolicy" => {
                spans.extend(HOLDERS.iter().filter_map(|p| r.get(p)).map(|v| v.span));
            }
            _ => {}
        }
    }
    spans.sort();
    spans
}
