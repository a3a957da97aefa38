//! Condition keys: whether they exist, and for which actions.
//! IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Condition keys" of each service.

use std::collections::BTreeMap;

use super::{ConditionLine, lines};
use crate::edit_distance::nearest_word;
use crate::finding::{Confidence, Finding, Remedy};
use crate::iam::actions::ActionSet;
use crate::iam::arn::fully_covered_types;
use crate::iam::catalogue::{Action, ResourceType, catalogue};
use crate::iam::condition::dead::{DeadReason, is_impossible_tag};
use crate::iam::condition::{OperatorFamily, needs_key, passes_without_key};
use crate::iam::{ClauseItem, PolicyKind, PrincipalType, pattern};
use crate::index::DocumentId;
use crate::phrase;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;

/// Keys of the services that sign people in, which are no services of the catalogue.
const FEDERATED: [&str; 4] = ["saml", "accounts.google.com", "graph.facebook.com", "www.amazon.com"];

/// Global keys that were taken back, which a rule of its own reports. IAM User Guide, "AWS global condition context keys".
const UNSUPPORTED: [&str; 1] = ["aws:arn"];

/// Global keys that AWS keeps for what was written with them. Amazon SNS Developer Guide, "Example cases for Amazon SNS
/// access control".
const DEPRECATED: [&str; 1] = ["aws:sourceowner"];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut seen: BTreeMap<(DocumentId, usize, String, String), (Span, String)> = BTreeMap::new();
    for line in lines(cx) {
        let c = line.condition;
        let Some(written) = c.key.text.known().map(|k| k.into_owned()) else {
            continue;
        };
        let slot = (
            line.statement.document_id,
            line.statement.index,
            c.operator.display(),
            line.key.to_owned(),
        );
        if let Some((first, spelled)) = seen.get(&slot)
            && *spelled != written
        {
            out.push(
                finding_at_key(
                    cx,
                    &line,
                    ids::CONDITION_DUPLICATE_KEY_CASE,
                    format!("`{written}` is repeated in a different case"),
                )
                .primary(c.key.span, "condition keys ignore case")
                .secondary(*first, "first use"),
            );
        }
        seen.entry(slot).or_insert((c.key.span, written.clone()));
        if let Some(f) = check_key(cx, &line, &written) {
            out.push(f);
        }
    }
}

fn finding_at_key(cx: &Context<'_>, line: &ConditionLine<'_>, rule: RuleId, message: String) -> Finding {
    cx.at_statement(rule, line.statement, message).other_evidence(line.key)
}

/// Another name in the place of a key.
fn corrected(cx: &Context<'_>, key: &ClauseItem, name: &str) -> Option<Remedy> {
    let remedy = || Remedy::granting(format!("write `{name}`")).replace(key.span, [name]);
    cx.is_literal(key).then(remedy)
}

fn check_key(cx: &Context<'_>, line: &ConditionLine<'_>, written: &str) -> Option<Finding> {
    let span = line.condition.key.span;
    let key = line.key;
    if is_impossible_tag(&line.condition.key) {
        let what = match (passes_without_key(line.condition), line.statement.is_written_as_deny()) {
            (Some(true), _) => "no tag has this key: always true",
            (_, true) => "no tag has this key: the Deny never applies",
            (_, false) => "no tag has this key: the Allow never applies",
        };
        let message = format!("a tag key cannot contain a wildcard: `{written}`");
        return Some(finding_at_key(cx, line, ids::CONDITION_WILDCARD_IN_TAG_KEY, message).primary(span, what));
    }
    let (prefix, name) = key.split_once(':')?;
    if key.contains("${") || prefix.contains(['.', '/']) || FEDERATED.contains(&prefix) {
        return None;
    }
    if prefix == "aws" {
        return global(cx, line, written, name);
    }
    if catalogue().service(prefix).is_none() && is_key_of_any_service(key) {
        return None;
    }
    let Some(service) = catalogue().service(prefix) else {
        return Some(
            finding_at_key(
                cx,
                line,
                ids::CONDITION_UNKNOWN_KEY,
                format!("unknown service prefix `{prefix}` in condition key `{written}`"),
            )
            .primary(span, "never in a request")
            .confidence(Confidence::Medium),
        );
    };
    if catalogue().global_condition_key(key).is_some() {
        // It comes with the credentials, whatever is called.
        return None;
    }
    if service.condition_key(key).is_none() {
        let near = nearest_word(key, service.condition_keys().map(|k| k.name()));
        let f = finding_at_key(
            cx,
            line,
            ids::CONDITION_UNKNOWN_KEY,
            format!("unknown condition key `{written}`"),
        )
        .primary(span, "never in a request")
        .confidence(Confidence::Medium)
        .note(format!("the key list is from {}", catalogue().data_date()));
        return Some(match near {
            Some(k) => f
                .help(format!("Did you mean `{k}`?"))
                .remedies(corrected(cx, &line.condition.key, k)),
            None => f,
        });
    }
    not_for_action(cx, line, written)
        .or_else(|| not_for_resource(cx, line, written))
        .or_else(|| service_specific_key(cx, line, written, prefix))
}

/// A service's own key for what a global one says of every service.
fn service_specific_key(cx: &Context<'_>, line: &ConditionLine<'_>, written: &str, prefix: &str) -> Option<Finding> {
    let tag = line.key.contains(":resourcetag/");
    let global = match line.key {
        "s3:resourceaccount" => "aws:ResourceAccount".to_owned(),
        _ if tag => format!("aws:ResourceTag/{}", written.split_once('/')?.1),
        _ => return None,
    };
    let set = actions(line)?;
    if tag && !set.iter().all(|a| a.supports_key(&global.to_lowercase())) {
        return None;
    }
    let message = format!("`{written}` works for one service only; `{global}` works for all");
    let f = finding_at_key(cx, line, ids::CONDITION_GLOBAL_VS_SPECIFIC_KEY, message);
    Some(f.primary(line.condition.key.span, format!("only in requests to `{prefix}`")))
}

/// A service whose keys have another prefix than its actions: `catalog:ChangeType` of `aws-marketplace`.
fn is_key_of_any_service(key: &str) -> bool {
    catalogue().services().any(|s| s.condition_key(key).is_some())
}

fn global(cx: &Context<'_>, line: &ConditionLine<'_>, written: &str, name: &str) -> Option<Finding> {
    let span = line.condition.key.span;
    let key = line.key;
    let without_tag = ["requesttag", "resourcetag", "principaltag"].contains(&name.trim_end_matches('/'));
    if without_tag || UNSUPPORTED.contains(&key) {
        return None;
    }
    if DEPRECATED.contains(&key) {
        // A service says for whom it acts, a principal whose it is.
        let service = line
            .statement
            .principal
            .as_ref()
            .is_some_and(|p| p.items.iter().all(|i| i.kind == PrincipalType::Service));
        // SNS writes it into the policy that a topic has by default, and services come in through it too.
        let document = Some(line.statement.document);
        let sns = document.is_some_and(|d| d.service.as_deref() == Some("sns"));
        let sid = line.statement.sid.as_ref().and_then(|sid| sid.text.known());
        if sns && sid.is_some_and(|sid| sid == "__default_statement_ID") {
            return None;
        }
        let instead = if sns && !service {
            "use `aws:SourceAccount` or `aws:PrincipalAccount`"
        } else if service {
            "use `aws:SourceAccount`"
        } else {
            "use `aws:PrincipalAccount`"
        };
        return Some(
            finding_at_key(
                cx,
                line,
                ids::CONDITION_DEPRECATED_GLOBAL_KEY,
                format!("`{written}` is deprecated"),
            )
            .primary(span, instead)
            .remedies(match (sns, service) {
                (true, false) => None,
                (_, true) => corrected(cx, &line.condition.key, "aws:SourceAccount"),
                (_, false) => corrected(cx, &line.condition.key, "aws:PrincipalAccount"),
            }),
        );
    }
    if catalogue().global_condition_key(key).is_none() {
        let near = catalogue().did_you_mean_global_key(key);
        let f = finding_at_key(
            cx,
            line,
            ids::CONDITION_UNKNOWN_GLOBAL_KEY,
            format!("unknown global condition key `{written}`"),
        )
        .primary(span, "never in a request");
        return Some(match near {
            Some(k) => f
                .help(format!("Did you mean `{k}`?"))
                .remedies(corrected(cx, &line.condition.key, k)),
            None => f.note(format!("the key list is from {}", catalogue().data_date())),
        });
    }
    if name.starts_with("resourcetag/") {
        return tag_support(cx, line, written).or_else(|| not_for_resource(cx, line, written));
    }
    if name.starts_with("requesttag/") || name == "tagkeys" {
        return not_for_action(cx, line, written).or_else(|| not_for_resource(cx, line, written));
    }
    None
}

/// The actions that a statement of a grant is about; `None` where they are not known, or are all.
fn actions(line: &ConditionLine<'_>) -> Option<ActionSet> {
    let clause = line.statement.action.as_ref().filter(|a| !a.negated && a.is_known())?;
    let set = clause.actions()?;
    (!set.is_empty() && !set.is_all()).then_some(set)
}

fn not_for_action(cx: &Context<'_>, line: &ConditionLine<'_>, written: &str) -> Option<Finding> {
    if line.statement.document.kind == PolicyKind::Trust {
        return None;
    }
    let set = actions(line)?;
    if !is_documented(line.key, &set) {
        return None;
    }
    let deaf = items_without_key(line);
    let none = set.iter().all(|a| !a.supports_key(line.key));
    let passes = passes_without_key(line.condition);
    if !none && (deaf.is_empty() || passes != Some(false)) {
        return None;
    }
    let message = match deaf.as_slice() {
        [one] if !none => format!("`{}` does not support the condition key `{written}`", one.display()),
        [one, others @ ..] if !none => {
            format!(
                "`{}` and {} more do not support `{written}`",
                one.display(),
                others.len()
            )
        }
        _ => format!("no action in this statement supports the condition key `{written}`"),
    };
    let what = match (passes, line.statement.is_written_as_deny()) {
        (Some(true), _) => "restricts nothing",
        (Some(false), true) => "the Deny never applies",
        (Some(false), false) => "the Allow never applies",
        (None, _) => "their requests never have this key",
    };
    let tag = line.key.starts_with("aws:") || line.key.contains("tag/");
    let is_documented_well = tag || set.iter().filter(|a| !a.supports_key(line.key)).all(has_action_keys);
    let f = finding_at_key(cx, line, ids::CONDITION_KEY_NOT_FOR_ACTION, message)
        .primary(line.condition.key.span, what)
        .confidence(if is_documented_well {
            Confidence::Medium
        } else {
            Confidence::Low
        });
    if none {
        return Some(f);
    }
    Some(deaf.iter().take(3).fold(f, |f, action| {
        f.secondary(action.span, "requests for this action do not have the key")
    }))
}

/// A key of one of the resources that an action is checked for, on others as well: these do not have it, and no other
/// statement allows the action on them.
/// IAM User Guide, "Policy evaluation logic"; Amazon EC2 User Guide, "Example policies", "Launch instances".
fn not_for_resource(cx: &Context<'_>, line: &ConditionLine<'_>, written: &str) -> Option<Finding> {
    let s = line.statement;
    let resources = s.resource.as_ref().filter(|c| !c.negated)?;
    if !s.allows()
        || s.principal.is_some()
        || !needs_key(line.condition)
        || line.statement.document.open
        || !line.key.starts_with("ec2:")
    {
        return None;
    }
    let named = s.action.iter().filter(|c| !c.negated).flat_map(|c| &c.items);
    // What covers all of a type: `*`, `arn:aws:ec2:*:*:*`, `arn:aws:ec2:*:*:*/*`.
    let covering = |kind: &ResourceType| {
        resources
            .items
            .iter()
            .find(|i| pattern::is_star(&i.text) || fully_covered_types(&i.text).iter().any(|t| t.name() == kind.name()))
    };
    let (item, lacking, wide) = named
        .filter_map(|item| Some((item, catalogue().action(&item.text.known()?)?)))
        .find_map(|(item, action)| {
            let required = || action.resource_types().filter(|t| t.required);
            let has = |t: &ResourceType| t.condition_keys().any(|k| k.matches(line.key));
            let elsewhere = line.statement.document.statements.iter().enumerate().any(|(i, other)| {
                i != line.statement.index
                    && (other.open
                        || other.allows() && other.action.as_ref().is_none_or(|c| c.negated || c.may_name(action)))
            });
            // A volume may have it, and no instance ever does.
            if elsewhere || !action.resource_types().any(|t| has(&t)) {
                return None;
            }
            let (lacking, wide) = required()
                .filter(|t| !has(t))
                .find_map(|t| covering(&t).map(|wide| (t, wide)))?;
            Some((item, lacking, wide))
        })?;
    let message = format!(
        "`{}` is also authorized on `{}`, which does not support `{written}`",
        item.display(),
        lacking.name()
    );
    Some(
        finding_at_key(cx, line, ids::CONDITION_KEY_NOT_FOR_ACTION, message)
            .primary(line.condition.key.span, "the Allow never applies")
            .secondary(wide.span, "move these resources to a separate statement")
            .confidence(Confidence::Medium),
    )
}

/// The catalogue says which actions take the key. Some keys are documented for a service and for none of its actions
/// (`states:HTTPEndpoint`): any of them may take it.
fn is_documented(key: &str, set: &ActionSet) -> bool {
    let own = key.split_once(':').map_or("", |(prefix, _)| prefix);
    let takes = || {
        catalogue()
            .service(own)
            .is_some_and(|s| s.actions().any(|a| a.supports_key(key)))
    };
    !set.services().contains(&own) || takes()
}

/// The actions that are named one by one and do not take the key.
fn items_without_key<'a>(line: &ConditionLine<'a>) -> Vec<&'a ClauseItem> {
    let named = line.statement.statement.action.iter().flat_map(|clause| &clause.items);
    named
        .filter(|item| {
            let action = item.text.known().and_then(|name| catalogue().action(&name));
            action.is_some_and(|a| !a.is_retired() && !a.supports_key(line.key) && !is_published(a, line.key))
        })
        .collect()
}

/// The key policy that AWS writes for encrypted log groups has the description of the key under the encryption context too, and
/// logs are written without it. Amazon CloudWatch Logs User Guide, "Encrypt log data using AWS Key Management Service".
fn is_published(action: Action, key: &str) -> bool {
    action.name() == "kms:DescribeKey" && key.eq_ignore_ascii_case("kms:EncryptionContext:aws:logs:arn")
}

/// The reference is silent on the action's own keys, so one that it lacks proves little.
fn has_action_keys(action: Action) -> bool {
    let types = action.resource_types().flat_map(|t| t.condition_keys());
    action
        .condition_keys()
        .chain(types)
        .any(|k| !k.name().starts_with("aws:"))
}

fn tag_support(cx: &Context<'_>, line: &ConditionLine<'_>, written: &str) -> Option<Finding> {
    if !matches!(
        line.statement.document.kind,
        PolicyKind::Identity | PolicyKind::Scp | PolicyKind::Boundary
    ) {
        return None;
    }
    if !needs_key(line.condition) {
        return matches_without_tag(cx, line, written);
    }
    let (rule, what) = if line.statement.is_written_as_deny() {
        (ids::CONDITION_TAG_UNSUPPORTED_DENY, "the Deny never applies")
    } else {
        (ids::CONDITION_TAG_UNSUPPORTED_ALLOW, "the Allow never applies")
    };
    if let Some(rest) = line.statement.action.as_ref().filter(|a| a.negated) {
        // What a service control policy leaves out in this way is a finding of its own.
        let blind = services_without_key(&rest.actions()?, line.key);
        return (!blind.is_empty() && line.statement.document.kind != PolicyKind::Scp).then(|| {
            let few = blind.iter().take(2);
            let few = match blind.len().saturating_sub(2) {
                0 => phrase::quoted(few, " and "),
                more => phrase::list(few) + &phrase::and_more(2, more),
            };
            let message = format!("actions of {few} do not support `{written}`");
            finding_at_key(cx, line, rule, message)
                .primary(line.condition.key.span, format!("{what} to them"))
                .secondary(rest.key, "matches every other service")
        });
    }
    if line
        .statement
        .dead
        .as_ref()
        .is_some_and(|d| d.why == DeadReason::Unsupported)
    {
        let message = format!("no action in this statement supports `{written}`");
        return Some(finding_at_key(cx, line, rule, message).primary(line.condition.key.span, what));
    }
    let (message, f) = unsupported_items(line, written)?;
    let f = f.into_iter().take(3).fold(
        finding_at_key(cx, line, rule, message).primary(line.condition.key.span, format!("{what} to it")),
        |f, item| f.secondary(item.span, "does not support the tag"),
    );
    Some(f)
}

/// The actions of a statement that do not support a tag which others of it support.
fn unsupported_items<'a>(line: &ConditionLine<'a>, written: &str) -> Option<(String, Vec<&'a ClauseItem>)> {
    let blind = |action: Action| !action.may_see_tag(line.key);
    let mut deaf = items_without_key(line);
    deaf.retain(|item| {
        item.text
            .known()
            .and_then(|name| catalogue().action(&name))
            .is_some_and(blind)
    });
    let message = match deaf.as_slice() {
        [] => return None,
        [one] => format!("`{}` does not support `{written}`", one.display()),
        [one, others @ ..] => format!(
            "`{}` and {} more do not support `{written}`",
            one.display(),
            others.len()
        ),
    };
    Some((message, deaf))
}

/// A condition on a tag that holds where the request has no such key: actions that do not support the tag are not limited.
fn matches_without_tag(cx: &Context<'_>, line: &ConditionLine<'_>, written: &str) -> Option<Finding> {
    if !line.statement.allows()
        || passes_without_key(line.condition) != Some(true)
        || line.operator?.family == OperatorFamily::Null
    {
        return None;
    }
    let set = actions(line)?;
    if !set.iter().any(|a| a.supports_key(line.key)) {
        return None;
    }
    let (message, deaf) = unsupported_items(line, written)?;
    let f = finding_at_key(cx, line, ids::CONDITION_KEY_NOT_FOR_ACTION, message)
        .primary(line.condition.key.span, "restricts nothing")
        .confidence(Confidence::Medium);
    Some(
        deaf.into_iter()
            .take(3)
            .fold(f, |f, item| f.secondary(item.span, "not limited by this condition")),
    )
}

/// Services of which no action tells the key, though some of their actions are meant.
fn services_without_key(set: &ActionSet, key: &str) -> Vec<&'static str> {
    let mut sees: BTreeMap<&'static str, bool> = BTreeMap::new();
    for action in set.iter().filter(|a| !a.is_retired()) {
        *sees.entry(action.service().prefix()).or_default() |= action.supports_key(key);
    }
    sees.into_iter().filter(|(_, sees)| !sees).map(|(s, _)| s).collect()
}
