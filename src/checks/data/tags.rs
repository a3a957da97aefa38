//! Tags that control access, and permissions to change them.
//! IAM User Guide, "What is ABAC for AWS?" and "Controlling access to AWS resources using tags".

use crate::checks::allow_statements::{AllowStatement, identity_allow_statements, names};
use crate::checks::self_reference::caller;
use crate::iam::ActionSet;
use crate::iam::arn::ArnShape;
use crate::iam::catalogue::AccessLevel;
use crate::iam::condition::{Grade, passes_without_key};
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::iam::resource_fit::may_be_of;
use crate::iam::size::{MOST_ITEMS, MOST_STATEMENTS};
use crate::iam::{ClauseItem, Statement, arn, catalogue, pattern};
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let all: Vec<AllowStatement<'_>> = identity_allow_statements(cx).collect();
    for of_document in all.chunk_by(|a, b| a.statement.document_id == b.statement.document_id) {
        if of_document.len() > MOST_STATEMENTS {
            continue;
        }
        own_tags(cx, out, of_document);
        let guarded: Vec<&AllowStatement<'_>> = of_document.iter().filter(|g| is_limited_by_tag(g)).collect();
        if guarded.is_empty() {
            continue;
        }
        for tagging in of_document.iter().filter(|g| !g.strength.narrows()) {
            if let Some(guarded) = guarded.iter().find(|g| tag_setting_actions(tagging, g).is_some()) {
                report(cx, out, tagging, guarded);
            }
        }
    }
}

/// A statement that checks a tag of the caller.
struct CallerTagStatement<'a> {
    index: usize,
    key: Span,
    /// A caller without the tag is allowed more.
    open_without: bool,
    /// The actions that a Deny denies.
    denied: Option<&'a ActionSet>,
}

/// Actions that change or remove the tags of a user or role: the action, the kind of identity, and whether it removes
/// them.
/// Service Authorization Reference, "AWS Identity and Access Management (IAM)".
const OWN_TAGS: [(&str, &str, bool); 4] = [
    ("iam:TagUser", "user", false),
    ("iam:TagRole", "role", false),
    ("iam:UntagUser", "user", true),
    ("iam:UntagRole", "role", true),
];

/// A statement that checks the caller's own tags, and another one that lets the caller set or remove them.
/// IAM User Guide, "IAM tutorial: Define permissions to access AWS resources based on tags".
fn own_tags<'p>(cx: &Context<'p>, out: &mut FindingSink<'_>, of_document: &[AllowStatement<'p>]) {
    let by_own = statements_by_caller_tag(cx, of_document);
    if by_own.is_empty() {
        return;
    }
    for tagging in of_document.iter().filter(|g| !g.strength.narrows()) {
        let found = OWN_TAGS.iter().find_map(|(name, kind, off)| {
            let action = catalogue().action(name).filter(|a| tagging.actions.contains(a.id()))?;
            let resource = tagging.statement.resource.as_ref().filter(|r| !r.negated)?;
            let itself =
                |r: &&ClauseItem| arn::covers_every(&r.text, kind) || (*kind == "user" && caller(&r.text).is_some());
            let item = resource.items.iter().find(itself)?;
            let defeats = |g: &&CallerTagStatement<'_>| {
                let denied = g.denied.is_some_and(|denied| denied.contains(action.id()));
                g.index != tagging.statement.index && !denied && (g.open_without || !off)
            };
            Some((action, item, by_own.iter().find(defeats)?, *off))
        });
        let Some((action, item, guarded, off)) = found else {
            continue;
        };
        let only: ActionSet = std::iter::once(action).collect();
        let Some(span) = tagging.span_granting(&only) else {
            continue;
        };
        let (does, label) = match off {
            true => ("removes", "removes any of its own tags"),
            false => ("changes", "sets any tag on itself"),
        };
        let message = format!(
            "`{}` {does} the holder's own tag, which another statement relies on",
            action.name()
        );
        out.push(
            cx.at_statement(ids::TAGGING_ABAC_BYPASS, tagging.statement, message)
                .primary(span, label)
                .secondary(guarded.key, "checks a tag of the caller")
                .actions(tagging.items_granting(&only).iter().map(|i| i.display().to_lowercase()))
                .resources([item.display()]),
        );
    }
}

/// The statements of one document that check a tag of the caller.
fn statements_by_caller_tag<'a>(cx: &Context<'a>, of_document: &[AllowStatement<'a>]) -> Vec<CallerTagStatement<'a>> {
    let Some(document) = of_document.first().map(|g| g.statement.document_id) else {
        return Vec::new();
    };
    let statements = &cx.project.documents[document].statements;
    let limits = cx.project.granted(document).limits.iter().take(MOST_STATEMENTS);
    let denies = limits.map(|l| (l.statement, Some(&l.actions)));
    let allows = of_document.iter().map(|g| (g.statement.index, None));
    allows
        .chain(denies)
        .filter_map(|(index, denied)| {
            let (key, passes_without) = caller_tag(&statements[index])?;
            Some(CallerTagStatement {
                index,
                key,
                open_without: passes_without.is_some_and(|passes| passes != denied.is_some()),
                denied,
            })
        })
        .collect()
}

/// The span where a statement's conditions or resources name a tag of the caller, and whether the statement applies
/// to a caller without the tag (`None` if not known).
fn caller_tag(s: &Statement) -> Option<(Span, Option<bool>)> {
    let by_value = |v: &ClauseItem| {
        let value = v.text.with_placeholders().to_ascii_lowercase();
        value.contains("${aws:principaltag/")
    };
    let by_condition = s.conditions.iter().find_map(|c| {
        let key = &c.lower_key;
        if key.starts_with("aws:principaltag/") {
            Some((c.key.span, passes_without_key(c)))
        } else {
            c.values.iter().find(|v| by_value(v)).map(|v| (v.span, None))
        }
    });
    // An ARN with a variable that has no value matches nothing. IAM User Guide, "IAM policy elements: Variables and tags".
    let by_resource = || {
        let clause = s.resource.as_ref()?;
        let item = clause.items.iter().find(|r| by_value(r))?;
        Some((item.span, (!clause.negated).then_some(false)))
    };
    by_condition.or_else(by_resource)
}

fn report(cx: &Context<'_>, out: &mut FindingSink<'_>, tagging: &AllowStatement<'_>, guarded: &AllowStatement<'_>) {
    let Some(set) = tag_setting_actions(tagging, guarded) else {
        return;
    };
    let Some(bound) = guarded.strength.bounds.iter().find(|b| is_tag(&b.key)) else {
        return;
    };
    let Some(span) = tagging.span_granting(&set) else {
        return;
    };
    let changes = if set.len() == 1 { "changes" } else { "change" };
    out.push(
        cx.at_statement(
            ids::TAGGING_ABAC_BYPASS,
            tagging.statement,
            format!("{} {changes} a tag that another statement relies on", names(&set, 1)),
        )
        .primary(span, "sets any tag on these resources")
        .secondary(bound.key_span, "checks this tag")
        .actions(tagging.items_granting(&set).iter().map(|i| i.display().to_lowercase()))
        .other_evidence(bound.key.clone()),
    );
}

fn is_tag(key: &str) -> bool {
    key.contains(":resourcetag/") || key.starts_with("s3:existingobjecttag/")
}

/// Whether a tag condition limits what it grants.
fn is_limited_by_tag(g: &AllowStatement<'_>) -> bool {
    let mut bounds = g.strength.bounds.iter();
    bounds.any(|b| b.grade >= Grade::Narrows && is_tag(&b.key))
}

/// The actions of `tagging` that set the tags that limit `guarded`.
fn tag_setting_actions(tagging: &AllowStatement<'_>, guarded: &AllowStatement<'_>) -> Option<ActionSet> {
    let (a, b) = (tagging.statement, guarded.statement);
    if !a.accompanies(&b) && !b.accompanies(&a) {
        return None;
    }
    // A holder that has the actions without the condition does not need the tag.
    if tagging.statement.index == guarded.statement.index || guarded.actions.is_subset(&tagging.actions) {
        return None;
    }
    let services = guarded.actions.services();
    let set: ActionSet = tagging
        .actions
        .iter()
        .filter(|a| {
            (a.level() == AccessLevel::Tagging || a.second_level() == Some(AccessLevel::Tagging))
                && a.scopable()
                && services.contains(&a.service().prefix())
                && sets_tags(a.short_name())
        })
        .collect();
    (!set.is_empty() && overlap(tagging, guarded)).then_some(set)
}

/// Creating a resource with tags does not change the tags of others, and removing a tag does not meet a condition
/// that requires it.
fn sets_tags(name: &str) -> bool {
    let makes = name.starts_with("Create") && name != "CreateTags";
    !makes && !["Untag", "Remove", "Delete"].iter().any(|verb| name.starts_with(verb))
}

/// Whether some resource is certainly covered by both, and of a type that the limited actions apply to.
fn overlap(a: &AllowStatement<'_>, b: &AllowStatement<'_>) -> bool {
    let (Some(x), Some(y)) = (&a.statement.resource, &b.statement.resource) else {
        return false;
    };
    if x.negated || y.negated || x.items.len() + y.items.len() > MOST_ITEMS {
        return false;
    }
    let about = |r: &ClauseItem| {
        let arn = Pattern::resource(&r.text);
        let mut types = b.actions.iter().flat_map(|a| a.resource_types());
        types.any(|t| may_be_of(&r.text, t) && t.matches(&arn).may_be())
    };
    x.items.iter().filter(|r| about(r)).any(|r| {
        y.items.iter().any(|q| {
            matches!(arn::arn_shape(&r.text), ArnShape::Star | ArnShape::Arn(_))
                && pattern::overlaps(&r.text, &q.text, CaseSensitivity::Sensitive).is_yes()
        })
    })
}
