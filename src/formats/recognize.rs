//! Whether a value is an IAM policy, a policy whose elements are misspelled, or a statement.
//!
//! **Invariant:** the only place that decides this, for JSON, YAML, HCL, Python and text inside them. What only looks like a
//! policy is excluded here too: stack policies of CloudFormation, policies of other vendors (see `vendors`), and files of
//! other tools that show policies without granting them.

use crate::edit_distance;
use crate::iam::STATEMENT_ELEMENTS;
use crate::source::Text;
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{MapEntry, Value, ValueKind};

use super::{data, vendors};

/// How deep alternatives and encodings are followed.
const MAX_DEPTH: u32 = 8;
/// How many statements are looked at before the rest is assumed to be alike.
const MAX_STATEMENTS: usize = 500;
/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyShape {
    Policy,
    /// A policy that AWS rejects because its elements have other names, such as `Statements`.
    Misspelled,
    Other,
}

/// What `value` is, wherever it is written.
pub(super) fn shape(value: &Value) -> PolicyShape {
    let value = value.decoded();
    let Some(entries) = value.entries() else {
        return PolicyShape::Other;
    };
    let dated = value.get("Version").is_some_and(is_policy_version);
    let Some(statement) = value.get("Statement") else {
        return without_statement(value, entries, dated);
    };
    let open = value.get("Version").is_some_and(|v| v.as_hole().is_some());
    let shaped = statements(statement).any(is_statement_shaped)
        || dated
        || open && statements(statement).all(|s| s.as_hole().is_some() || has_element_name(s));
    let theirs = || is_stack_policy(statement) || !dated && is_event_pattern(statement);
    if shaped && !theirs() && !vendors::is_for_vendor(value) {
        PolicyShape::Policy
    } else {
        PolicyShape::Other
    }
}

/// Whether `value` is a policy, be it a misspelled one.
pub(super) fn is_policy(value: &Value) -> bool {
    shape(value) != PolicyShape::Other
}

/// [`is_policy`] for what is a whole file or a whole text: nothing around it gives its keys another meaning, so they may be
/// in lower case as well.
pub(super) fn is_policy_file(value: &Value) -> bool {
    is_policy(value) || is_misspelled_file(value)
}

/// A policy without a version, all statements of which were put there by other code: a program may use such an object for its
/// own purposes.
pub(super) fn is_assembled(value: &Value) -> bool {
    let value = value.decoded();
    value.get("Version").is_none()
        && value
            .get("Statement")
            .is_some_and(|s| !statements(s).any(|s| s.entries().is_some() && s.via.is_none()))
}

/// An object with at least two elements that say what a statement does.
pub(super) fn is_statement_shaped(value: &Value) -> bool {
    match &value.kind {
        ValueKind::OneOf(branches) => branches.iter().any(|b| is_plain_statement(&b.value)),
        _ => is_plain_statement(value),
    }
}

fn is_plain_statement(value: &Value) -> bool {
    let is_core = |e: &&MapEntry| e.key.known().is_some_and(|k| element(&k).is_some_and(is_core_element));
    let entries = value.entries();
    entries.is_some_and(|entries| entries.iter().filter(is_core).count() >= 2)
}

/// A whole statement outside a document: what, on what or for whom, and no key that belongs to another tool (Cloud Custodian's
/// filter `has-statement` has `PartialMatch`).
pub(super) fn is_lone_statement(value: &Value) -> bool {
    let effect = value.get("Effect").and_then(Value::as_str);
    let has = |names: &[&str]| names.iter().any(|n| value.get(n).is_some());
    let ours = |e: &MapEntry| e.key.known().is_none_or(|k| element(&k).is_some());
    matches!(effect.as_deref(), Some("Allow" | "Deny"))
        && has(&["Action", "NotAction"])
        && has(&["Resource", "NotResource", "Principal", "NotPrincipal"])
        && value.entries().is_some_and(|entries| entries.iter().all(ours))
        && !vendors::is_for_vendor(value)
}

/// Filters and actions of Cloud Custodian that show statements. Cloud Custodian, "AWS Common Filters" and "AWS S3".
const SPECIFICATIONS: [&str; 8] = [
    "check-permissions",
    "cross-account",
    "has-statement",
    "missing-statement",
    "modify-policy",
    "policy",
    "remove-statements",
    "set-statements",
];

/// Whether the `type` of an object says that it is a specification of another tool.
pub(super) fn is_specification(kind: &str) -> bool {
    SPECIFICATIONS.contains(&kind)
}

/// Whether a key is, or is meant to be, the one that holds the statements of a document.
pub(super) fn is_statement_key(key: &str) -> bool {
    let plain = key.strip_suffix(['s', 'S']).unwrap_or(key);
    plain.eq_ignore_ascii_case("Statement")
}

/// Whether a value, or one of its alternatives, is a policy: as an object, encoded, or as text.
pub(super) fn is_policy_or_text(value: &Value) -> bool {
    let value = value.decoded();
    match &value.kind {
        ValueKind::Str(text) => is_policy_text(text),
        ValueKind::OneOf(_) => statements(value).any(|v| match &v.kind {
            ValueKind::Str(text) => is_policy_text(text),
            _ => is_policy(v),
        }),
        _ => is_policy(value),
    }
}

/// Whether a text may be the JSON of a policy, judged by its words; escapes in them count as what they spell.
pub(super) fn may_be_policy_text(text: &str) -> bool {
    let has = |word| text.contains(word);
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        && (has("\"Statement") && (has("\"Effect\"") || has("\"Action")) || has("\\u00") && has("tatement"))
}

/// Whether a text is the JSON of a policy: what cannot be read is judged by its words.
pub(super) fn is_policy_text(text: &Text) -> bool {
    if !may_be_policy_text(&text.with_placeholders()) {
        return false;
    }
    let Some(Some(span)) = (!text.is_empty()).then(|| text.span_of(0..text.len())) else {
        return true;
    };
    match data::embedded(text, span) {
        Some((value, _)) => !vendors::is_for_vendor(&value),
        None => true,
    }
}

/// Whether a policy is written somewhere in a file that could not be read: a key `Statement` that holds more than a word, or
/// a version of the policy language.
pub(super) fn contains_policy(tree: &Tree) -> bool {
    let text = |node| tree.text(node).and_then(Text::known);
    let is_policy = |(key, value): (NodeId, NodeId)| match text(key).as_deref() {
        Some("Statement") => matches!(tree.kind(value), Node::Map | Node::Seq | Node::Null | Node::Unknown),
        Some("Version") => text(value).is_some_and(|v| is_version(&v)),
        _ => false,
    };
    let mut open = tree.roots.clone();
    while let Some(node) = open.pop() {
        if tree.is_alias(node) {
            continue;
        }
        if tree.entries(node).any(is_policy) {
            return true;
        }
        open.extend(tree.children(node));
    }
    false
}

/// Whether a text has the keys of a policy, whatever its brackets are.
pub(super) fn contains_policy_elements(text: &str) -> bool {
    let words = ["\"Effect\"", "\"Action\"", "\"Principal\""];
    text.contains("\"Statement\"") && words.iter().any(|w| text.contains(w))
}

/// Whether an object with such keys is a recorded call of the AWS API: what it shows was granted elsewhere. AWS CloudTrail User
/// Guide, "CloudTrail record contents".
pub(super) fn has_event_keys(has: impl Fn(&str) -> bool) -> bool {
    has("eventSource") && has("eventName")
}

/// [`has_event_keys`] of a value.
pub(super) fn is_event(value: &Value) -> bool {
    value.entries().is_some() && has_event_keys(|key| value.get(key).is_some())
}

/// Whether the file with this root belongs to a tool that shows policies without granting them: rule files of overgrant, JSON
/// schemas, API models of AWS SDKs and of Smithy, policies of Cloud Custodian, recorded events of the AWS API.
pub(super) fn is_tool_file(tree: &Tree, root: NodeId) -> bool {
    let get = |node, key| tree.get(node, key);
    let has = |key| get(root, key).is_some();
    let text = |node| tree.text(node).and_then(Text::known);
    let rule = has("id") && has("severity") && has("examples");
    let schema = get(root, "$schema")
        .and_then(text)
        .is_some_and(|s| s.contains("json-schema.org"))
        && ["properties", "definitions", "$defs", "items", "type"]
            .iter()
            .any(|k| has(k));
    let model = has("metadata") && has("operations") && has("shapes") || has("smithy") && has("shapes");
    let custodian = |policies: NodeId| {
        tree.children(policies).next().is_some_and(|first| {
            let is_word = |n: NodeId| text(n).is_some_and(|t| !t.contains(':') && !t.contains('*'));
            get(first, "name").is_some()
                && get(first, "resource").is_some_and(is_word)
                && ["filters", "actions", "mode"].iter().any(|k| get(first, k).is_some())
        })
    };
    // Also in lists, and as the detail of an event of EventBridge.
    let is_event = |node: NodeId| has_event_keys(|key| tree.get(node, key).is_some());
    let listed = |node: NodeId| tree.children(node).next().is_some_and(is_event);
    // Amazon EventBridge User Guide, "Events": patterns for them have the same keys.
    let of_a_bus = |detail: NodeId| tree.kind(detail) == Node::Map && (has("source") || has("detail-type"));
    let event = is_event(root)
        || get(root, "detail").is_some_and(|detail| is_event(detail) || of_a_bus(detail))
        || ["Records", "events"].iter().any(|k| get(root, k).is_some_and(listed))
        || listed(root);
    rule || schema || model || event || get(root, "policies").is_some_and(custodian)
}

/// Properties that hold a policy in most types of AWS: `policy` of `aws_vpclattice_auth_policy`, `ResourcePolicy` of
/// `AWS::S3Tables::TablePolicy`.
const POLICY_PROPERTIES: &[&str] = &[
    "accesspolicies",
    "accesspolicy",
    "assumerolepolicy",
    "policy",
    "policydocument",
    "policytext",
    "repositorypolicy",
    "resourcepolicy",
];

/// Types, by a part of their names, whose policies are in another language.
const OTHER_POLICIES: &[&str] = &[
    "accountpolicy",
    "autoscaling",
    "bedrock",
    "corenetwork",
    "dataprotection",
    "dlm",
    "fms",
    "indexpolicy",
    "lifecycle",
    "loadbalanc",
    "opensearchserverless",
    "resiliencehub",
    "stackpolicy",
    "verifiedaccess",
    "verifiedpermissions",
];

/// Whether a property of a type, `AWS::S3::AccessPoint` or `aws_s3_access_point`, is a policy by its name. Where its value is
/// not known, nothing else says so.
pub(super) fn is_policy_property(kind: &str, name: &str) -> bool {
    let plain = |text: &str| text.replace(['_', ':'], "").to_ascii_lowercase();
    let (kind, name) = (plain(kind), plain(name));
    kind.starts_with("aws")
        && POLICY_PROPERTIES.contains(&name.as_str())
        && !OTHER_POLICIES.iter().any(|other| kind.contains(other))
}

/// A known version of the policy language. IAM User Guide, "IAM JSON policy elements: Version".
fn is_version(text: &str) -> bool {
    matches!(text, "2012-10-17" | "2008-10-17")
}

fn is_policy_version(value: &Value) -> bool {
    value.as_str().is_some_and(|v| is_version(&v))
}

/// The statements under `value`, in lists and alternatives.
fn statements(value: &Value) -> impl Iterator<Item = &Value> {
    let mut open: Vec<(&Value, u32)> = vec![(value, 0)];
    let next = move || {
        while let Some((value, depth)) = open.pop() {
            let value = value.decoded();
            match &value.kind {
                ValueKind::Seq(items) if depth < MAX_DEPTH => {
                    open.extend(items.iter().take(MAX_STATEMENTS).rev().map(|v| (v, depth + 1)));
                }
                ValueKind::OneOf(branches) if depth < MAX_DEPTH => {
                    open.extend(branches.iter().rev().map(|b| (&b.value, depth + 1)));
                }
                _ => return Some(value),
            }
        }
        None
    };
    std::iter::from_fn(next).take(MAX_STATEMENTS)
}

/// An element that says what a statement does.
fn is_core_element(element: &str) -> bool {
    STATEMENT_ELEMENTS.contains(&element) && !matches!(element, "Sid" | "Condition")
}

/// The element of a statement that a key names, or is meant to name: another case, a plural, one letter amiss.
fn element(key: &str) -> Option<&'static str> {
    if let Some(found) = STATEMENT_ELEMENTS.iter().find(|e| **e == key) {
        return Some(found);
    }
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.strip_suffix('s').unwrap_or(&plain);
    let same = STATEMENT_ELEMENTS.iter().find(|e| e.eq_ignore_ascii_case(plain));
    let near = || {
        let long = STATEMENT_ELEMENTS.iter().filter(|e| e.len() > 4);
        let words = long.map(|e| (e.to_ascii_lowercase(), *e)).collect::<Vec<_>>();
        let candidates = words.iter().map(|(lower, e)| (lower.as_str(), *e));
        edit_distance::nearest_within(&plain.to_ascii_lowercase(), 1, candidates)
    };
    same.copied().or_else(near)
}

fn has_element_name(value: &Value) -> bool {
    let names = |e: &MapEntry| e.key.known().is_none_or(|k| is_core_element(&k));
    value
        .entries()
        .is_some_and(|entries| entries.is_empty() || entries.iter().any(names))
}

/// An object without `Statement`: one whose statements were forgotten, or stand under another key.
fn without_statement(value: &Value, entries: &[MapEntry], dated: bool) -> PolicyShape {
    let bare = |e: &MapEntry| matches!(e.key.known().as_deref(), Some("Version" | "Id"));
    let holds = |e: &MapEntry| statements(&e.value).any(is_meant_as_statement);
    if !dated {
        PolicyShape::Other
    } else if entries.len() <= 2 && entries.iter().all(bare) {
        PolicyShape::Policy
    } else if entries.iter().any(holds) && !vendors::is_for_vendor(value) {
        PolicyShape::Misspelled
    } else {
        PolicyShape::Other
    }
}

/// [`is_statement_shaped`], with an effect that is one where there is an effect at all.
fn is_meant_as_statement(value: &Value) -> bool {
    let named = |e: &&MapEntry| e.key.known().is_some_and(|k| element(&k) == Some("Effect"));
    let effect = value.entries().and_then(|entries| entries.iter().find(named));
    let is_effect = |e: &MapEntry| match e.value.as_str() {
        Some(effect) => effect.eq_ignore_ascii_case("allow") || effect.eq_ignore_ascii_case("deny"),
        None => e.value.as_hole().is_some(),
    };
    is_statement_shaped(value) && effect.is_none_or(is_effect)
}

/// A whole file that has only the keys of a policy, in other spellings.
fn is_misspelled_file(value: &Value) -> bool {
    let value = value.decoded();
    let Some(entries) = value.entries() else { return false };
    let key = |e: &MapEntry| e.key.known().map(|k| k.to_ascii_lowercase()).unwrap_or_default();
    let dated = |e: &MapEntry| key(e) == "version" && is_policy_version(&e.value);
    let statement = entries.iter().find(|e| is_statement_key(&key(e)));
    let has_only = |e: &MapEntry| matches!(&*key(e), "version" | "id") || is_statement_key(&key(e));
    // Plurals in lower case without a version are what many tools take as their input.
    let singular = |s: &Value| {
        let entries = s.entries().unwrap_or_default();
        entries
            .iter()
            .any(|e| matches!(e.key.known().as_deref(), Some("action" | "Action" | "Actions")))
    };
    value.get("Statement").is_none()
        && entries.iter().all(has_only)
        && statement.is_some_and(|s| {
            statements(&s.value).any(|s| is_meant_as_statement(s) && (entries.iter().any(dated) || singular(s)))
        })
        && !vendors::is_for_vendor(value)
}

/// What CloudFormation may change of a stack: written like a policy, and not one of IAM.
/// CloudFormation User Guide, "Prevent updates to stack resources".
fn is_stack_policy(of: &Value) -> bool {
    let update = |v: &Value| v.as_str().is_some_and(|name| name.starts_with("Update:"));
    let updates = |v: &Value| !v.items().is_empty() && v.items().iter().all(update);
    let is_one = |s: &Value| s.get("Action").or_else(|| s.get("NotAction")).is_some_and(updates);
    let mut all = statements(of).peekable();
    all.peek().is_some() && all.all(is_one)
}

/// A pattern that looks for policies in events: all its values are lists, the effect too.
/// Amazon EventBridge User Guide, "Creating Amazon EventBridge event patterns".
fn is_event_pattern(of: &Value) -> bool {
    let is_nested = |v: &Value| matches!(v.kind, ValueKind::Seq(_) | ValueKind::Map(_));
    let is_one = |s: &Value| {
        let entries = s.entries().unwrap_or_default();
        matches!(s.get("Effect").map(|v| &v.kind), Some(ValueKind::Seq(_)))
            && entries.iter().all(|e| is_nested(&e.value))
    };
    let mut all = statements(of).peekable();
    all.peek().is_some() && all.all(is_one)
}

/// Properties that hold patterns for events and messages, in the spelling of any format; what looks like a policy in them is
/// what they look for. Amazon SNS Developer Guide, "Amazon SNS message filtering"; AWS Lambda Developer Guide, "Control which
/// events Lambda sends to your function".
pub(super) fn is_pattern_property(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name.replace('_', "").to_ascii_lowercase().as_str(),
        "eventpattern" | "filterpolicy" | "filtercriteria"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    fn value(text: &str) -> Value {
        let span = Span::new(FileId(0), 0, text.len());
        let text = Text::verbatim(text, FileId(0), 0);
        data::embedded(&text, span).expect("a text of JSON").0
    }

    const ALLOW: &str = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#;

    #[test]
    fn what_a_value_is() {
        let cases = [
            // Anywhere.
            (format!(r#"{{"Version": "2012-10-17", "Statement": [{ALLOW}]}}"#), PolicyShape::Policy),
            (format!(r#"{{"Statement": {ALLOW}}}"#), PolicyShape::Policy),
            (r#"{"Statement": [{"Action": "s3:*", "Resource": "*"}]}"#.into(), PolicyShape::Policy),
            (r#"{"Statement": [{"Effect": "Allow", "Actions": "s3:*", "Resources": "*"}]}"#.into(), PolicyShape::Policy),
            (r#"{"Version": "2012-10-17", "Statement": []}"#.into(), PolicyShape::Policy),
            (r#"{"Version": "2012-10-17"}"#.into(), PolicyShape::Policy),
            (r#"{"Version": "2012-10-17", "Id": "x"}"#.into(), PolicyShape::Policy),
            (r#"{"\u0053tatement": [{"\u0045ffect": "Allow", "Action": "*", "\u0052esource": "*"}]}"#.into(), PolicyShape::Policy),
            // A mistake in a policy, and no pattern.
            (r#"{"Statement": {"Effect": ["Allow"], "Principal": "*", "Action": ["s3:*"]}}"#.into(), PolicyShape::Policy),
            (r#"{"Version": "2012-10-17", "Statement": {"Effect": ["Allow"], "Action": ["s3:*"]}}"#.into(), PolicyShape::Policy),
            // Other names.
            (format!(r#"{{"Version": "2012-10-17", "Statements": [{ALLOW}]}}"#), PolicyShape::Misspelled),
            (r#"{"Version": "2012-10-17", "Statements": [{"Effect": "Deny", "Actions": "*", "Resources": "*"}]}"#.into(), PolicyShape::Misspelled),
            (r#"{"Version": "2012-10-17", "Statment": [{"efect": "allow", "Ressource": "*"}]}"#.into(), PolicyShape::Misspelled),
            // Not policies.
            (r#"{"Statement": "January", "Version": "3"}"#.into(), PolicyShape::Other),
            (r#"{"Version": "2024-01-31", "Statements": [{"Effect": "interest", "Actions": 3, "Resources": 12}]}"#.into(), PolicyShape::Other),
            (r#"{"Version": "2012-10-17", "Statements": [{"Effect": "interest", "Actions": 3, "Resources": 12}]}"#.into(), PolicyShape::Other),
            (r#"{"Version": "2012-10-17", "name": "orders"}"#.into(), PolicyShape::Other),
            (r#"{"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}"#.into(), PolicyShape::Other),
            (r#"{"Statement": {"Effect": ["Allow"], "Principal": ["*"], "Action": ["s3:*"]}}"#.into(), PolicyShape::Other),
            (r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:*", "Resource": "acs:oss:*:*:x"}]}"#.into(), PolicyShape::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(shape(&value(&text)), expected, "{text}");
        }
    }

    #[test]
    fn a_file_may_have_its_keys_in_lower_case() {
        let cases = [
            (
                r#"{"version": "2012-10-17", "statement": [{"effect": "Allow", "action": "*", "resource": "*"}]}"#,
                true,
            ),
            (
                r#"{"version": "2012-10-17", "statements": [{"effect": "Allow", "actions": "*", "resources": "*"}]}"#,
                true,
            ),
            (
                r#"{"statement": [{"effect": "Allow", "action": "s3:*", "resource": "*"}]}"#,
                true,
            ),
            // The input of a module or another tool.
            (
                r#"{"statements": [{"effect": "Allow", "actions": ["s3:*"], "resources": ["*"]}]}"#,
                false,
            ),
            (
                r#"{"name": "x", "statement": [{"effect": "Allow", "action": "s3:*", "resource": "*"}]}"#,
                false,
            ),
            // Tencent Cloud's CAM.
            (
                r#"{"version": "2.0", "statement": [{"effect": "allow", "action": ["cos:GetObject"], "resource": ["qcs::cos:ap:uid/1:x/*"]}]}"#,
                false,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(is_policy_file(&value(text)), expected, "{text}");
            assert!(!is_policy(&value(text)), "{text}");
        }
    }

    #[test]
    fn statements_of_other_tools_have_words_of_their_own() {
        let cases = [
            (ALLOW, true),
            (
                r#"{"Effect": "Deny", "Action": "*", "Principal": "*", "Resource": "x", "Conditions": {}}"#,
                true,
            ),
            (
                r#"{"Effect": "Deny", "Action": "*", "Principal": "*", "PartialMatch": ["Action"]}"#,
                false,
            ),
            (r#"{"Effect": "Allow", "Action": "s3:*"}"#, false),
            (r#"{"Effect": "Maybe", "Action": "s3:*", "Resource": "*"}"#, false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_lone_statement(&value(text)), expected, "{text}");
        }
        assert!(is_specification("has-statement") && !is_specification("identity"));
    }

    #[test]
    fn files_of_tools_that_only_show_policies() {
        let cases = [
            (
                r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "examples": []}"#,
                true,
            ),
            (r#"{"metadata": {}, "operations": {}, "shapes": {}}"#, true),
            (r#"{"smithy": "2.0", "shapes": {}}"#, true),
            (
                r#"{"policies": [{"name": "x", "resource": "aws.s3", "filters": []}]}"#,
                true,
            ),
            (
                r#"{"policies": [{"name": "x", "resource": "arn:aws:s3:::b", "actions": []}]}"#,
                false,
            ),
            (
                r#"{"$schema": "https://example.com/policy.json", "Statement": []}"#,
                false,
            ),
            (
                r#"{"eventSource": "iam.amazonaws.com", "eventName": "PutRolePolicy"}"#,
                true,
            ),
            (
                r#"{"Records": [{"eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy"}]}"#,
                true,
            ),
            (
                r#"{"detail": {"eventSource": "iam.amazonaws.com", "eventName": "CreateRole"}}"#,
                true,
            ),
            (r#"{"eventName": "x", "Statement": []}"#, false),
        ];
        for (text, expected) in cases {
            let tree = crate::syntax::json::parse(FileId(0), text);
            let root = tree.roots[0];
            assert_eq!(is_tool_file(&tree, root), expected, "{text}");
        }
    }
}
