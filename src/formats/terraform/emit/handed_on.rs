//! What modules, tools, and providers that are not read are given.

use crate::formats::vendors::is_vendor_type;
use crate::source::Span;
use crate::value::{MapEntry, Value};

/// Maximum number of values that are kept of one block.
const MAX_GIVEN: usize = 256;

/// Providers whose resources give a role to what trusts an identity provider: a name in them starts no function.
const OF_CLUSTERS: [&str; 3] = ["kubernetes_", "kubectl_", "helm_"];

/// Whether a resource of this type may hand on what it is given.
pub(crate) fn may_hand_on(type_name: &str) -> bool {
    let is_of_clusters = OF_CLUSTERS.iter().any(|prefix| type_name.starts_with(prefix));
    !(is_of_clusters || type_name.starts_with("aws_iam_") || is_vendor_type(type_name))
}

/// The properties of a [`crate::model::kinds::HANDED_ON`] that is given these arguments: every text that names a resource or
/// may be the name of a role. `None` if there is nothing like that.
pub(crate) fn given(arguments: &[MapEntry], at: Span) -> Option<Value> {
    let mut texts: Vec<MapEntry> = Vec::new();
    for argument in arguments {
        argument.value.each_setting(&mut |key, v| {
            let key = match key {
                "" => argument.key.display(),
                key => key.to_owned(),
            };
            if texts.len() < MAX_GIVEN && is_name(v, &key) {
                texts.push(MapEntry::synthetic(&key, argument.key_span, v.clone()));
            }
        });
    }
    (!texts.is_empty()).then(|| Value::map(texts, at))
}

/// Whether a value names a resource, or may be the name of a role: the key or the text says so. IAM User Guide, "IAM and AWS STS
/// quotas": the names of roles have at most 64 characters.
fn is_name(value: &Value, key: &str) -> bool {
    let Some(text) = value.to_text() else { return false };
    let shown = text.display();
    let says_role = |text: &str| text.to_ascii_lowercase().contains("role");
    text.holes().any(|h| h.target.is_some())
        || shown.contains(":role/")
        || (shown.len() <= 64 && (says_role(key) || says_role(&shown)))
}
