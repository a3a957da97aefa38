//! Actions and resources that do not fit.
//! Service Authorization Reference, "Resource types" of each service.

use std::collections::BTreeMap;

use crate::checks::validity::matches_no_type;
use crate::finding::{Confidence, Finding, Remedy, Severity};
use crate::iam::catalogue::{Action, catalogue};
use crate::iam::resource_fit::Resources;
use crate::iam::{ActionSet, Clause, ClauseItem, Document, DocumentOrigin, PolicyKind, Statement, glob, pattern};
use crate::phrase;
use crate::project::targets::ResourceRefs;
use crate::project::{DocumentId, StatementRef};
use crate::rules::{Context, FindingSink, ids};
use crate::source::{Span, Text};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let named = |text: &Text| ResourceRefs::new(cx.project).as_arn(text);
    let mut misfits: Vec<(Span, &str, Finding)> = Vec::new();
    // Where an action fits, or may, by the calls of the module that it stands in, with the resources.
    let mut fitting: BTreeMap<Span, Vec<(&str, &Clause)>> = BTreeMap::new();
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written {
            continue;
        }
        if !matches!(
            s.document.kind,
            PolicyKind::Identity | PolicyKind::Session | PolicyKind::Boundary
        ) {
            continue;
        }
        let statement = &s.document.statements[s.index];
        let (Some(actions), Some(clause)) = (&statement.action, &statement.resource) else {
            continue;
        };
        if actions.negated {
            continue;
        }
        let scope = s.document.resource.and_then(|r| cx.project.resources.get(r));
        let scope = scope.map_or("", |r| &*r.address.scope);
        let Some(mut resources) = Resources::new(clause, named) else {
            for item in &actions.items {
                fitting.entry(item.span).or_default().push((scope, clause));
            }
            continue;
        };
        let shown = |item: &ClauseItem| resources.items().iter().any(|r| cx.is_example_value(r, item.span));
        let of_example: Vec<bool> = actions.items.iter().map(shown).collect();
        for ((item, set), of_example) in actions.items.iter().zip(actions.item_actions()).zip(of_example) {
            let Some(name) = item.text.known().filter(|_| !of_example) else {
                continue;
            };
            let fits = match glob::is_pattern(&name) {
                true => set.iter().any(|a| resources.may_fit(a)),
                false => set.iter().any(|a| resources.may_match(a)),
            };
            if fits {
                fitting.entry(item.span).or_default().push((scope, clause));
                part_of_service(cx, out, s, item, &mut resources);
            } else if !set.is_empty() && !names_nothing(clause) {
                let found = mismatched_actions(cx, s, item, set, &mut resources);
                misfits.extend(found.map(|f| (item.span, scope, f)));
            }
        }
    }
    // A module serves all its callers: what is in vain for one of them is not for another.
    for (span, scope, f) in misfits {
        let fits = fitting.get(&span).into_iter().flatten();
        let elsewhere = fits
            .filter(|(s, _)| *s != scope)
            .any(|(_, clause)| !names_nothing(clause));
        if !elsewhere {
            out.push(f);
        }
    }
}

/// An ARN of nothing is reported as that.
fn names_nothing(clause: &Clause) -> bool {
    clause.items.iter().any(matches_no_type)
}

/// `s3:*` on some ARNs covers actions that none of them fits. That is nothing to fix by itself: it is said beside the
/// finding about the wildcard.
fn part_of_service(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    s: StatementRef<'_>,
    item: &ClauseItem,
    resources: &mut Resources<'_>,
) {
    let d = s.document;
    let said =
        d.statements[s.index].allows() && out.is_selected(ids::SERVICE_WILDCARD) && d.kind != PolicyKind::Boundary;
    let text = item.text.known().filter(|_| said);
    let prefix = text.as_deref().and_then(|name| name.strip_suffix(":*"));
    let Some(service) = prefix.and_then(|prefix| catalogue().service(prefix)) else {
        return;
    };
    let unfit = service
        .actions()
        .filter(|a| !a.is_retired() && !resources.may_match(*a))
        .count();
    if unfit == 0 || s.resource.as_ref().is_some_and(names_nothing) {
        return;
    }
    out.push(
        cx.at_statement(
            ids::RESOURCE_ACTION_MISMATCH,
            s,
            format!(
                "no resource in this statement matches {unfit} of the actions of `{}`",
                item.display()
            ),
        )
        .primary(item.span, "this statement never allows some of these actions")
        .severity(Severity::Low)
        .actions([item.display().to_lowercase()])
        .resources(resources.items().iter().map(ClauseItem::display)),
    );
}

/// Actions of which none fits: of one name, or all that a pattern stands for, which then grants nothing.
fn mismatched_actions(
    cx: &Context<'_>,
    s: StatementRef<'_>,
    item: &ClauseItem,
    set: &ActionSet,
    resources: &mut Resources<'_>,
) -> Option<Finding> {
    let shown = item.display();
    let subject = match glob::is_pattern(&shown) {
        true => format!("each action of `{shown}`"),
        false => format!("`{shown}`"),
    };
    let items = resources.items();
    let first = items.first().map_or(item.span, |r| r.span);
    let never = match s.denies() {
        true => "this statement never denies it",
        false => "this statement never allows it",
    };
    let doubled = is_granted_elsewhere(cx, s, set, resources);
    let beside = !doubled && is_granted_in_same_document(s.document, s.index, set);
    let about = |f: Finding| {
        let f = f
            .actions([shown.to_lowercase()])
            .resources(items.iter().map(ClauseItem::display));
        match doubled {
            false if beside => f
                .severity(Severity::Low)
                .note("another statement of the policy allows it on matching resources"),
            false => f,
            true => f
                .severity(Severity::Low)
                .note("another statement of the identity allows it on matching resources")
                .help("Remove the action from this statement."),
        }
    };
    if set.iter().all(|a| a.resource_types().len() == 0) {
        let rule = ids::STAR_ONLY_ACTION_ON_ARN;
        return Some(about(match set.iter().any(|a| resources.may_fit(a)) {
            false => cx
                .at_statement(rule, s, format!("{subject} supports only `*`, not an ARN"))
                .primary(item.span, never)
                .secondary(first, "must be `*` for this action"),
            true => cx
                .at_statement(rule, s, format!("the Service Authorization Reference has no resource type for {subject}"))
                .primary(item.span, "may need `*`")
                .secondary(first, "AWS may ignore this ARN for the action")
                .note("the reference is incomplete: AWS checks some actions against ARNs that it does not list")
                .help("Test whether the statement affects the action. If it does not, move the action to a statement with `\"Resource\": \"*\"`.")
                .severity(Severity::Low)
                .confidence(Confidence::Low),
        }));
    }
    let types = |a: Action| a.resource_types().map(|t| t.name());
    let mut wants: Vec<&str> = Vec::new();
    for kind in set.iter().flat_map(types) {
        if !wants.contains(&kind) {
            wants.push(kind);
        }
    }
    let s3 = set.iter().all(|a| a.service().prefix() == "s3")
        && resources
            .texts()
            .iter()
            .any(|t| t.with_placeholders().contains(":s3:::"));
    let each = |kind: &str| s3 && set.iter().all(|a| types(a).any(|t| t == kind));
    if each("object") && resources.texts().iter().any(|t| t.with_placeholders().ends_with(":*")) {
        return None;
    }
    let (rule, message, label) = if each("object") {
        (
            ids::S3_BUCKET_AND_OBJECT_BOTH_NEEDED,
            format!("{subject} applies to objects, but only a bucket is listed"),
            "add the object ARN (`/*`)",
        )
    } else if each("bucket") {
        (
            ids::S3_BUCKET_AND_OBJECT_BOTH_NEEDED,
            format!("{subject} applies to the bucket, but only objects are listed"),
            "add the bucket ARN (without `/*`)",
        )
    } else {
        (
            ids::RESOURCE_ACTION_MISMATCH,
            format!(
                "no resource in this statement matches {}",
                subject.replace("each", "any")
            ),
            "no resource type that the action supports",
        )
    };
    wants.truncate(3);
    let half = (rule == ids::S3_BUCKET_AND_OBJECT_BOTH_NEEDED && s.allows() && !doubled && !beside)
        .then(|| other_half(cx, s.resource.as_ref()?))
        .flatten();
    Some(about(
        cx.at_statement(rule, s, message)
            .primary(item.span, never)
            .secondary(first, label)
            .note(format!("resource types of `{shown}`: {}", phrase::list(&wants)))
            .remedies(half),
    ))
}

/// Another ARN in the place of one that is written out.
pub(super) fn rewritten(
    cx: &Context<'_>,
    item: &ClauseItem,
    new: impl FnOnce(&str) -> Option<String>,
) -> Option<Remedy> {
    let text = item.text.known().filter(|_| cx.is_literal(item))?;
    let new = new(&text)?;
    Some(Remedy::granting(format!("write `{}`", phrase::clip(&new, 60))).replace(item.span, [new]))
}

/// The other half of a bucket and its objects, where one ARN is listed.
fn other_half(cx: &Context<'_>, clause: &Clause) -> Option<Remedy> {
    let [only] = clause.items.as_slice() else { return None };
    let text = only.text.known().filter(|_| cx.is_literal(only))?;
    let (bucket, key) = text.strip_prefix("arn:").filter(|t| t.contains(":s3:::")).map(|t| {
        let (bucket, key) = t.split_once('/').map_or((t, None), |(b, k)| (b, Some(k)));
        (format!("arn:{bucket}"), key)
    })?;
    let other = match key {
        Some(_) => bucket,
        None => format!("{bucket}/*"),
    };
    Some(Remedy::granting(format!("add `{}`", phrase::clip(&other, 60))).add(only.span, [other]))
}

/// Whether another statement of the document allows the actions on what they fit: here they are left over.
fn is_granted_in_same_document(d: &Document, here: usize, set: &ActionSet) -> bool {
    let allows = |s: &Statement| s.allows() && s.branch.is_none() && s.condition_key.is_none();
    let grants = |s: &Statement| {
        let actions = s.action.as_ref().filter(|a| !a.negated).and_then(|a| a.actions());
        let fits = |clause: &Clause| match Resources::new(clause, |_| None) {
            Some(mut resources) => set.iter().all(|a| resources.may_match(a)),
            None => clause.items.iter().any(|i| pattern::is_star(&i.text)),
        };
        actions.is_some_and(|all| set.is_subset(&all)) && s.resource.as_ref().is_some_and(fits)
    };
    let allowed = d.statements.get(here).is_some_and(Statement::allows);
    let mut others = (0..).zip(&d.statements).filter(|(i, _)| *i != here);
    allowed && others.any(|(_, s)| allows(s) && grants(s))
}

/// Whether everyone who holds the policy has the actions from another statement, on everything or on what these resources are
/// part of.
fn is_granted_elsewhere(cx: &Context<'_>, at: StatementRef<'_>, set: &ActionSet, resources: &Resources<'_>) -> bool {
    if !at.allows() {
        return false;
    }
    let grants = |id: DocumentId| {
        let mut statements = cx.project.statements(id);
        statements.any(|s| (id, s.index) != (at.document_id, at.index) && covers(&s, set, resources))
    };
    match cx.project.holders(at.document_id) {
        [] => grants(at.document_id),
        holders => holders
            .iter()
            .all(|id| cx.project.identities[*id].documents().any(grants)),
    }
}

/// Whether a statement allows the actions on everything, or on what holds each of these resources: a bucket its objects.
fn covers(s: &Statement, set: &ActionSet, resources: &Resources<'_>) -> bool {
    let allows = s.allows() && s.branch.is_none() && s.conditions.is_empty() && s.condition_key.is_none();
    let actions = s.action.as_ref().filter(|a| allows && !a.negated);
    let Some(clause) = s.resource.as_ref().filter(|c| !c.negated) else {
        return false;
    };
    if !actions.and_then(|a| a.actions()).is_some_and(|all| set.is_subset(&all)) {
        return false;
    }
    let always = || clause.items.iter().filter(|i| i.branch.is_none());
    if always().any(|i| pattern::is_star(&i.text)) {
        return true;
    }
    let Some(mut other) = Resources::new(clause, |_| None) else {
        return false;
    };
    let holds = |item: &ClauseItem| {
        let shown = item.display();
        always().any(|i| {
            let rest = shown.strip_prefix(i.display().trim_end_matches("/*"));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    set.iter().all(|a| other.may_match(a)) && resources.items().iter().all(holds)
}

/// `arn:aws:s3:::bucket:*`: no object's ARN has a colon after the bucket.
pub(super) fn s3_colon(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        for item in s.resource.iter().flat_map(|c| &c.items) {
            let flat = item.text.with_placeholders();
            let Some(rest) = flat.split(":s3:::").nth(1) else {
                continue;
            };
            let Some(bucket) = rest.strip_suffix(":*") else {
                continue;
            };
            if bucket.contains('/') || bucket.is_empty() {
                continue;
            }
            out.push(
                cx.at_statement(
                    ids::S3_ARN_COLON_INSTEAD_OF_SLASH,
                    s,
                    format!("`{}` matches no object: keys follow a slash", item.display()),
                )
                .primary(item.span, "write `/*`, not `:*`")
                .resources([item.display()])
                .remedies(rewritten(cx, item, |text| {
                    Some(format!("{}/*", text.strip_suffix(":*")?))
                })),
            );
        }
    }
}
