//! What AWS's names mean, as Markdown: actions and patterns of them, condition keys, ARNs, service principals, managed policies.

use crate::cli::detail::levels;
use crate::iam::actions::ActionSet;
use crate::iam::arn::{Arn, ArnField};
use crate::iam::catalogue::{AccessLevel, Action, KeyPresence, ManagedPolicy, ResourceType};
use crate::iam::pattern::Pattern;
use crate::iam::{arn_format, catalogue};
use crate::phrase;
use crate::source::{FileId, Text};

/// Actions that are named as examples of a pattern.
const MAX_EXAMPLES: usize = 12;
/// Items of a list: resource types, keys.
const MAX_LISTED: usize = 24;

/// `a`, `b`, and 3 more.
fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.len() - shown.len();
    match more {
        0 => shown.join(", "),
        _ => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// A pattern of actions; the page of the action where it is the name of one.
pub(super) fn actions(pattern: &str) -> Option<String> {
    if let Some(action) = catalogue().action(pattern) {
        return Some(one_action(action));
    }
    let has_service = pattern
        .split_once(':')
        .is_some_and(|(service, _)| catalogue().service(service).is_some());
    if !has_service && pattern != "*" && !pattern.contains('*') {
        return None;
    }
    let set = ActionSet::expand(pattern);
    if set.is_empty() {
        return None;
    }
    let examples: Vec<String> = set.most_severe(MAX_EXAMPLES).into_iter().map(str::to_owned).collect();
    let more = set.len() - examples.len();
    let most = if more > 0 { "Most sensitive: " } else { "" };
    Some(format!(
        "`{pattern}` matches {}.\n\n{most}{}",
        levels(pattern),
        list(&examples)
    ))
}

fn one_action(action: Action) -> String {
    let level = |level: AccessLevel| level.name();
    let mut out = format!("**`{}`**: {}", action.name(), level(action.level()));
    if let Some(second) = action.second_level() {
        out.push_str(&format!(", {}", level(second)));
    }
    if action.is_retired() {
        out.push_str("\n\nAWS does not list this action any more.");
    }
    let types: Vec<ResourceType> = action.resource_types().collect();
    if types.is_empty() {
        out.push_str("\n\nIt does not support resource-level permissions: its resource is `*`.");
    } else {
        out.push_str("\n\nResource types:\n");
        for kind in types.iter().take(MAX_LISTED) {
            let required = if kind.required { " (required)" } else { "" };
            out.push_str(&format!("- {}{required}: `{}`\n", kind.name(), kind.arn_format()));
        }
    }
    let mut keys: Vec<String> = action.condition_keys().map(|k| k.name().to_owned()).collect();
    keys.extend(
        types
            .iter()
            .flat_map(|t| t.condition_keys().map(|k| k.name().to_owned())),
    );
    keys.sort();
    keys.dedup();
    if !keys.is_empty() {
        out.push_str(&format!("\n\nCondition keys: {}", list(&keys)));
    }
    let dependent: Vec<String> = action.dependent().map(|a| a.name().to_owned()).collect();
    if !dependent.is_empty() {
        out.push_str(&format!("\n\nAlso needs: {}", list(&dependent)));
    }
    out
}

/// A condition key, global or of a service.
pub(super) fn condition_key(name: &str) -> Option<String> {
    let (service, _) = name.split_once(':')?;
    if let Some(key) = catalogue().global_condition_key(name) {
        let several = if key.multivalued {
            ", several values in one request"
        } else {
            ""
        };
        let presence = match key.presence {
            KeyPresence::Always => "It is in every request.".to_owned(),
            KeyPresence::Signed => "It is in every signed request.".to_owned(),
            KeyPresence::Only(only) => format!("AWS includes it only for {only}."),
        };
        let mut out = format!(
            "**`{}`**: global condition key, {}{several}\n\n{presence}",
            key.name, key.type_name
        );
        if key.spoofable {
            out.push_str("\n\nThe caller chooses its value.");
        }
        return Some(out);
    }
    let service = catalogue().service(service)?;
    let key = service.condition_key(name)?;
    let several = if key.is_multivalued() {
        ", several values in one request"
    } else {
        ""
    };
    let type_name = key.type_name().trim_start_matches("ArrayOf");
    let actions: Vec<String> = service
        .actions()
        .filter(|a| a.supports_key(name))
        .map(|a| a.name().to_owned())
        .collect();
    let count = phrase::count(actions.len(), "action supports it", "actions support it");
    Some(format!(
        "**`{}`**: condition key of `{}`, {type_name}{several}\n\n{count}: {}",
        key.name(),
        service.prefix(),
        list(&actions)
    ))
}

/// An ARN, or a pattern of ARNs.
pub(super) fn arn(text: &str) -> Option<String> {
    if let Some(policy) = text
        .starts_with("arn:")
        .then(|| catalogue().managed_policy(text))
        .flatten()
    {
        return Some(managed_policy(policy));
    }
    let whole = Text::verbatim(text, FileId(0), 0);
    let arn = Arn::parse(&whole)?;
    let field = |field: ArnField<'_>| match field {
        ArnField::Empty => "none".to_owned(),
        ArnField::Literal(text) => format!("`{text}`"),
        ArnField::Any => "any".to_owned(),
        ArnField::Pattern | ArnField::Hole(_) => "matches a pattern".to_owned(),
    };
    let service = arn.service()?;
    let (region, account) = (field(arn.region()), field(arn.account()));
    let mut out = format!("ARN of `{service}`: Region {region}, account {account}");
    let pattern = Pattern::resource(&whole);
    let types = arn_format::types_of(&service).unwrap_or_default();
    let types: Vec<&ResourceType> = types.iter().filter(|t| t.matches(&pattern).may_be()).collect();
    if types.is_empty() {
        return Some(out);
    }
    out.push_str("\n\nResource types:\n");
    for kind in types.iter().take(MAX_LISTED) {
        let actions = catalogue().actions();
        let count = actions
            .filter(|a| a.resource_types().any(|t| t.number() == kind.number()))
            .count();
        let count = phrase::count(count, "action", "actions");
        out.push_str(&format!("- {} (`{}`), {count}\n", kind.name(), kind.arn_format()));
    }
    Some(out)
}

/// A policy that AWS manages.
pub(super) fn managed_policy(policy: ManagedPolicy) -> String {
    let mut out = format!("**`{}`**: AWS managed policy, {}", policy.name, policy.version);
    if policy.deprecated {
        out.push_str("\n\nAWS has withdrawn it.");
        if let Some(other) = policy.replacement {
            out.push_str(&format!(" Use `{other}`."));
        }
    }
    if let Some(json) = policy.document_json() {
        let set = ActionSet::allowed_by(&serde_json::from_str(json).unwrap_or_default());
        let count = phrase::count(set.len(), "action", "actions");
        let examples: Vec<String> = set.most_severe(MAX_EXAMPLES).into_iter().map(str::to_owned).collect();
        if !set.is_empty() {
            out.push_str(&format!(
                "\n\nAllows {count}: {}.\n\nMost sensitive: {}",
                set.by_level(),
                list(&examples)
            ));
        }
    }
    out
}

/// A service principal.
pub(super) fn service_principal(name: &str) -> Option<String> {
    (name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn")).then_some(())?;
    Some(match catalogue().is_service_principal(name) {
        true => format!("**`{name}`**: service principal"),
        false => format!("`{name}` is not a service principal that AWS documents."),
    })
}
