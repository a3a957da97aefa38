//! Actions that are none, or not any more.
//! Service Authorization Reference, "Actions, resources, and condition keys for AWS services".

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::finding::{Confidence, Finding, Remedy, Severity};
use crate::iam::actions::{ActionSet, matching};
use crate::iam::catalogue::catalogue;
use crate::iam::{Clause, ClauseItem, DocumentOrigin, PolicyKind, Statement, glob};
use crate::phrase;
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written {
            continue;
        }
        let mut services: BTreeSet<Span> = BTreeSet::new();
        let beside = LazyCell::new(|| s.action.as_ref().map_or_else(ActionSet::empty, literal_actions));
        // What stands here in any case, and what fixes of earlier items write.
        let present = LazyCell::new(|| s.action.as_ref().map_or_else(ActionSet::empty, actions_in_every_branch));
        let mut written: BTreeSet<String> = BTreeSet::new();
        let clauses = s.action_clauses();
        for (clause, item, set) in
            clauses.flat_map(|c| c.items.iter().zip(c.item_actions()).map(move |(i, set)| (c, i, set)))
        {
            // A service that came in from elsewhere is one mistake, however many actions are made of it.
            if service_prefix_span(item).is_some_and(|span| !services.insert(span)) {
                continue;
            }
            if let Some((f, meant)) =
                unknown_action(cx, out, s, (item, set), UnknownNameEffect::new(&s, clause), &beside)
            {
                let same = f.rule == ids::ACTION_CASE;
                let is_new = |m: &&String| same || !is_among(&present, m) && written.insert((*m).clone());
                // Nothing is missing where the right name stands beside the wrong one.
                let is_beside = !meant.is_empty() && meant.iter().all(|m| is_among(&present, m));
                let is_beside = is_beside || meant.is_empty() && extends_action(&item.display(), &beside);
                let is_published = PUBLISHED.iter().any(|name| item.display().eq_ignore_ascii_case(name));
                let f = match (is_beside || is_published) && LOW_BESIDE.contains(&f.rule) {
                    true => f.severity(Severity::Low),
                    false => f,
                };
                let left: Vec<String> = meant.iter().filter(is_new).cloned().collect();
                // What is meant stands here already, or another fix writes it. What is only a guess is not a reason to remove.
                let is_said = left.is_empty() && !meant.is_empty() && cx.is_literal(item);
                let f = match is_said {
                    true if f.rule == ids::UNKNOWN_ACTION => f,
                    true => f.remedy(removal(item)),
                    false => suggest_spelling(cx, f, item, &left),
                };
                out.push(f.actions([item.display().to_lowercase()]));
            }
        }
    }
}

/// Names that stood in policies of AWS's consoles and guides for years. AWS accepts them, and nothing is missing without them.
const PUBLISHED: [&str; 2] = ["logs:PutLogEventsBatch", "SNS:Receive"];

/// Rules about a wrong name, which are low where the right one stands beside it.
const LOW_BESIDE: [RuleId; 3] = [ids::API_NAME_NOT_IAM_ACTION, ids::UNKNOWN_ACTION, ids::UNKNOWN_SERVICE];

/// Whether a name, or all that a pattern stands for, is among them.
fn is_among(present: &ActionSet, meant: &str) -> bool {
    let set = ActionSet::expand_all([meant]);
    !set.is_empty() && set.is_subset(present)
}

/// Whether the name is that of an action beside it and more: `logs:PutLogEventsBatch`.
fn extends_action(text: &str, beside: &ActionSet) -> bool {
    let longer = |name: &str| {
        text.get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name))
    };
    beside.iter().any(|a| longer(a.name()))
}

/// What a name that is no action comes to, by the element that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UnknownNameEffect {
    Grants,
    Denies,
    Excludes,
}

impl UnknownNameEffect {
    fn new(s: &Statement, clause: &Clause) -> Self {
        match (clause.negated, s.denies()) {
            (true, _) => Self::Excludes,
            (_, true) => Self::Denies,
            _ => Self::Grants,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Grants => "grants nothing",
            Self::Denies => "denies nothing",
            Self::Excludes => "excludes nothing",
        }
    }
}

/// The actions that a clause names one by one.
fn literal_actions(clause: &Clause) -> ActionSet {
    let mut all = ActionSet::empty();
    let items = clause.items.iter().zip(clause.item_actions());
    let literal = |i: &ClauseItem| i.text.known().is_some_and(|t| !glob::is_pattern(&t));
    items
        .filter(|(i, _)| literal(i))
        .for_each(|(_, set)| all.union_with(set));
    all
}

/// What a clause stands for whatever its branches are.
fn actions_in_every_branch(clause: &Clause) -> ActionSet {
    let mut all = ActionSet::empty();
    let items = clause.items.iter().zip(clause.item_actions());
    items
        .filter(|(i, _)| i.branch.is_none())
        .for_each(|(_, set)| all.union_with(set));
    all
}

fn removal(item: &ClauseItem) -> Remedy {
    Remedy::risky(format!("remove `{}`", item.display())).remove(item.span)
}

/// Where the service is written, when it is put before the name from another place: `"${each.value}:List*"`.
fn service_prefix_span(item: &ClauseItem) -> Option<Span> {
    let text = item.text.known()?;
    let (prefix, _) = text.split_once(':')?;
    let span = item.text.span_of(0..prefix.len())?;
    (!prefix.is_empty() && !item.span.contains(span)).then_some(span)
}

/// Another case of one action is the same action; another name is another permission.
fn suggest_spelling(cx: &Context<'_>, f: Finding, item: &ClauseItem, meant: &[String]) -> Finding {
    if meant.is_empty() || !cx.is_literal(item) {
        return f;
    }
    let title = format!("write {}", phrase::list(meant));
    let remedy = match f.rule {
        ids::ACTION_CASE => Remedy::safe(title),
        _ => Remedy::granting(title),
    };
    f.remedy(remedy.replace(item.span, meant))
}

/// A finding about the action, and what was probably meant. `set` is what the item stands for; the actions `beside` it are
/// not meant.
fn unknown_action(
    cx: &Context<'_>,
    out: &FindingSink<'_>,
    s: StatementRef<'_>,
    (item, set): (&ClauseItem, &ActionSet),
    vain: UnknownNameEffect,
    beside: &ActionSet,
) -> Option<(Finding, Vec<String>)> {
    let nothing = Vec::new;
    let text = item.text.known()?;
    let text = &*text;
    if text.bytes().all(|b| b == b'*') && !text.is_empty() {
        return None;
    }
    let at = |rule: RuleId, message: String| cx.at_statement(rule, s, message);
    if text.is_empty() {
        // What is empty where it comes from is filled in before it is used.
        let of_resource = s.document.kind == PolicyKind::Resource;
        let message = match (item.branch.is_some(), of_resource) {
            (true, true) => "the action is empty in one branch and matches no request there",
            (false, true) => "the action is empty and matches no request",
            (true, false) => "the action is empty in one branch, and IAM rejects the policy there",
            (false, false) => "the action is empty: IAM rejects the policy",
        };
        let f = at(ids::ACTION_BAD_FORMAT, message.to_owned()).under_guard(item.branch.as_ref());
        // Not every service checks the policies of its resources as IAM does.
        let f = match of_resource {
            true => f.severity(Severity::Low).confidence(Confidence::Medium),
            false => f,
        };
        return (item.via.is_none()).then(|| (f.primary(item.span, "must be `service:Action`"), nothing()));
    }
    let Some((prefix, name)) = text.split_once(':') else {
        let f = at(
            ids::ACTION_BAD_FORMAT,
            format!("`{text}` is not in the form `service:Action`"),
        );
        return Some((f.primary(item.span, "missing service prefix"), nothing()));
    };
    if name.contains(':') {
        let f = at(ids::ACTION_BAD_FORMAT, format!("`{text}` has more than one colon"));
        return Some((f.primary(item.span, "must be `service:Action`"), nothing()));
    }
    if prefix.contains(['*', '?']) {
        // `*:*` is every action.
        let stars = |part: &str| part.bytes().all(|b| b == b'*');
        return (!stars(prefix) || !stars(name)).then(|| {
            let f = at(
                ids::WILDCARD_IN_SERVICE_PREFIX,
                format!("`{text}` has a wildcard in the service prefix"),
            );
            (
                f.primary(item.span, "IAM rejects a wildcard before the colon"),
                nothing(),
            )
        });
    }
    if let Some(action) = set.iter().next() {
        return (!glob::is_pattern(name) && action.name() != text).then(|| {
            let f = at(
                ids::ACTION_CASE,
                format!("`{text}` is documented as `{}`", action.name()),
            );
            let f = f.primary(item.span, format!("`{}`", action.name()));
            (f, vec![action.name().to_owned()])
        });
    }
    if !name.is_empty() && name.bytes().all(|b| b == b'*') && catalogue().service(prefix).is_some() {
        return None;
    }
    if catalogue().service(prefix).is_none() {
        let f = at(ids::UNKNOWN_SERVICE, format!("unknown service prefix `{prefix}`"))
            .primary(service_prefix_span(item).unwrap_or(item.span), vain.text())
            .confidence(Confidence::Medium);
        if out.is_only_counted(&f) {
            return Some((f, nothing()));
        }
        // The name comes from another place than the service, and is not what is wrong.
        if service_prefix_span(item).is_some() {
            return Some(match catalogue().did_you_mean_service(prefix) {
                Some(near) => (f.help(format!("Did you mean `{near}`?")), nothing()),
                None => (f.note(dated()), nothing()),
            });
        }
        return Some(match catalogue().did_you_mean_prefix(prefix, name) {
            Some(meant) => (f.help(format!("Did you mean `{meant}`?")), vec![meant]),
            None => (f.note(dated()), nothing()),
        });
    }
    if name.contains(['*', '?']) {
        // One pattern for many services: not each of them has such actions.
        if service_prefix_span(item).is_some() {
            return None;
        }
        if matching(text).next().is_none() {
            let f = at(ids::WILDCARD_MATCHES_NOTHING, format!("`{text}` matches no action"))
                .primary(item.span, vain.text())
                .note(dated());
            let f = if cx.is_literal(item) {
                f.remedy(removal(item))
            } else {
                f
            };
            return Some((f, nothing()));
        }
        let f = at(
            ids::DEPRECATED_ACTION,
            format!("AWS has retired every action that `{text}` matches"),
        )
        .primary(item.span, format!("now {}", vain.text()))
        .note(dated());
        let f = if cx.is_literal(item) {
            f.remedy(removal(item))
        } else {
            f
        };
        return Some((f, nothing()));
    }
    if let Some(action) = catalogue().action(text) {
        let f = at(ids::DEPRECATED_ACTION, format!("AWS has retired `{}`", action.name()))
            .primary(item.span, format!("now {}", vain.text()))
            .note(dated());
        let f = if cx.is_literal(item) {
            f.remedy(removal(item))
        } else {
            f
        };
        return Some((f, nothing()));
    }
    if let Some(meant) = catalogue().api_name(text) {
        let names: Vec<&str> = meant.iter().map(|a| a.name()).collect();
        let (shown, authorize) = (
            phrase::all_of(&names),
            if names.len() == 1 { "authorizes" } else { "authorize" },
        );
        let f = at(
            ids::API_NAME_NOT_IAM_ACTION,
            format!("`{text}` is an API operation, not an IAM action"),
        )
        .primary(item.span, vain.text())
        .help(match vain {
            UnknownNameEffect::Grants => format!("Use {shown}, which {authorize} the operation."),
            UnknownNameEffect::Denies => format!("Deny {shown} to deny the operation."),
            UnknownNameEffect::Excludes => format!("Exclude {shown} to exclude the operation."),
        });
        return Some((f, meant.iter().map(|a| a.name().to_owned()).collect()));
    }
    let f = at(ids::UNKNOWN_ACTION, format!("unknown action `{text}`"))
        .primary(item.span, vain.text())
        .note(dated());
    if out.is_only_counted(&f) {
        return Some((f, nothing()));
    }
    Some(match catalogue().did_you_mean_action(text, beside) {
        Some(near) => (f.help(format!("Did you mean `{near}`?")), vec![near.to_string()]),
        None => (f.confidence(Confidence::Low), nothing()),
    })
}

fn dated() -> String {
    format!("the action list is from {}", catalogue().data_date())
}
