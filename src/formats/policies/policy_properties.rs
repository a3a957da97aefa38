//! Which property of a resource holds a policy, and of what kind, where its type or another property says it.

use crate::iam::PolicyKind;
use crate::model::{Resource, resource_types};
use crate::source::Text;
use crate::value::{MapEntry, Value};

/// The kind of policy at `path` (`Policies/0/PolicyDocument`) of a resource, where the table knows it.
pub(super) fn kind_at(resource: &Resource, path: &str) -> Option<PolicyKind> {
    if &*resource.kind == "AWS::Organizations::Policy" && path == "Content" {
        return Some(organization_kind(resource));
    }
    let general = generalize(path);
    let policies = resource_types::find(&resource.kind)?.policies;
    policies.iter().find(|(slot, _)| *slot == general).map(|(_, k)| *k)
}

/// Whether policies stand below `path` of a resource (`Policies`, `Policies/0`), where the table knows it.
pub(super) fn kind_below(resource: &Resource, path: &str) -> Option<PolicyKind> {
    let general = generalize(path);
    let below = |slot: &str| {
        let rest = slot.strip_prefix(&*general);
        rest.is_some_and(|rest| rest.starts_with(['/', '[']))
    };
    let policies = resource_types::find(&resource.kind)?.policies;
    policies.iter().find(|(slot, _)| below(slot)).map(|(_, k)| *k)
}

/// `AWS::Events::EventBusPolicy` holds a statement without a document around it, or the parts of one: EventBridge writes that
/// document itself, in the language of 2012. EventBridge API, `PutPermission`.
pub(super) fn lone_statement(resource: &Resource) -> Option<Value> {
    if &*resource.kind != "AWS::Events::EventBusPolicy" {
        return None;
    }
    let made = |key: &str, value: Value| MapEntry {
        key: Text::synthetic(key, resource.header),
        key_span: resource.header,
        value,
    };
    let word = |text: &str| Value::synthetic(text, resource.header);
    let written = |key: &str| resource.props.entry(key).filter(|e| !e.value.is_null());
    let (statement, span) = match written("Statement") {
        Some(statement) => (statement.clone(), statement.value.span),
        None => {
            let principal = written("Principal")?;
            let mut parts = vec![
                made("Effect", word("Allow")),
                made("Resource", word("*")),
                written("Action").map_or_else(|| made("Action", word("events:PutEvents")), Clone::clone),
            ];
            parts.push(match principal.value.as_str().as_deref() {
                Some("*") => principal.clone(),
                _ => {
                    let account = MapEntry {
                        key: Text::synthetic("AWS", principal.key_span),
                        ..principal.clone()
                    };
                    MapEntry {
                        value: Value::map(vec![account], principal.value.span),
                        ..principal.clone()
                    }
                }
            });
            if let Some(condition) = written("Condition") {
                let value = organization(&condition.value).unwrap_or_else(|| condition.value.clone());
                parts.push(MapEntry {
                    value,
                    ..condition.clone()
                });
            }
            let span = resource.header;
            (made("Statement", Value::map(parts, span)), span)
        }
    };
    Some(Value::map(vec![made("Version", word("2012-10-17")), statement], span))
}

/// `{Type: StringEquals, Key: aws:PrincipalOrgID, Value: …}` as IAM writes it.
fn organization(condition: &Value) -> Option<Value> {
    let condition = condition.items().first()?;
    let (operator, key, value) = (
        condition.entry("Type")?,
        condition.entry("Key")?,
        condition.entry("Value")?,
    );
    let entry = |of: &MapEntry, value: Value| {
        Some(MapEntry {
            key: Text::synthetic(&of.value.as_str()?, of.value.span),
            key_span: of.value.span,
            value,
        })
    };
    let line = Value::map(vec![entry(key, value.value.clone())?], condition.span);
    Some(Value::map(vec![entry(operator, line)?], condition.span))
}

/// `Policies/0/PolicyDocument` to `Policies[]/PolicyDocument`.
fn generalize(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('/') {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str("[]");
        } else {
            if !out.is_empty() {
                out.push('/');
            }
            out.push_str(part);
        }
    }
    out
}

/// Organizations API, `CreatePolicy`: the type decides; a policy without one is a service control policy.
fn organization_kind(resource: &Resource) -> PolicyKind {
    match resource.get("Type").and_then(Value::as_str).as_deref() {
        Some("RESOURCE_CONTROL_POLICY") => PolicyKind::Rcp,
        Some("SERVICE_CONTROL_POLICY") | None => PolicyKind::Scp,
        Some(_) => PolicyKind::Unknown,
    }
}

/// Policies of Organizations that are no IAM policies (tag policies, backup policies, …); stacks, whose templates are read as
/// templates, and whose own policies are about updates of their resources.
/// CloudFormation User Guide, "Prevent updates to stack resources".
pub(super) fn is_foreign(resource: &Resource) -> bool {
    let stack = matches!(
        &*resource.kind,
        "AWS::CloudFormation::Stack" | "AWS::CloudFormation::StackSet"
    );
    stack || &*resource.kind == "AWS::Organizations::Policy" && organization_kind(resource) == PolicyKind::Unknown
}
