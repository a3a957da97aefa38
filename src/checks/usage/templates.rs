//! SAM policy templates and AWS managed policies, and narrower replacements.

use serde_json::Value as Json;

use crate::iam::{ActionSet, catalogue};

/// The narrowest SAM policy template with the same parameters as `name` that grants all of `needed`, and nothing
/// outside
/// `all`, the actions of `name`.
pub(super) fn narrower_template(name: &str, needed: &ActionSet, all: &ActionSet) -> Option<&'static str> {
    let own = parameters(name)?;
    catalogue()
        .sam_templates()
        .filter(|other| *other != name && parameters(other).as_ref() == Some(&own))
        .filter_map(|other| Some((granted_actions(catalogue().sam_template(other)?, "Definition"), other)))
        .filter(|(set, _)| needed.is_subset(set) && set.is_subset(all) && set != all)
        .min_by_key(|(set, other)| (set.len(), *other))
        .map(|(_, other)| other)
}

fn parameters(name: &str) -> Option<Vec<String>> {
    let template: Json = serde_json::from_str(catalogue().sam_template(name)?).ok()?;
    Some(template.get("Parameters")?.as_object()?.keys().cloned().collect())
}

/// The read-only AWS managed policy of the same family, if it is enough: `AmazonS3ReadOnlyAccess` for
/// `AmazonS3FullAccess`.
pub(super) fn narrower_policy(name: &str, needed: &ActionSet) -> Option<&'static str> {
    let family = name.strip_suffix("FullAccess")?;
    let policy = catalogue().managed_policy(&format!("{family}ReadOnlyAccess"))?;
    let set = granted_actions(policy.document_json().filter(|_| !policy.deprecated)?, "");
    needed.is_subset(&set).then_some(policy.name)
}

/// Actions in the Allow statements of a document, or of the document under `key`.
fn granted_actions(json: &str, key: &str) -> ActionSet {
    let mut set = ActionSet::empty();
    let Ok(json) = serde_json::from_str::<Json>(json) else {
        return set;
    };
    let document = json.get(key).unwrap_or(&json);
    let one_or_more = |v: &Json| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]);
    for statement in document.get("Statement").map(one_or_more).unwrap_or_default() {
        if statement.get("Effect").and_then(Json::as_str) == Some("Allow") {
            for action in statement.get("Action").map(one_or_more).unwrap_or_default() {
                action.as_str().into_iter().for_each(|a| set.expand_into(a));
            }
        }
    }
    set
}
