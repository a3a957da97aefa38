//! Properties being rewritten, and values that the translator makes.

use crate::formats::cloudformation::eval::text;
use crate::source::{Hole, HoleKind, HoleTarget, Span, Text};
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

/// The properties of a resource on their way from SAM's names to CloudFormation's.
pub(super) struct SamProperties {
    pub(super) entries: Vec<MapEntry>,
}

impl SamProperties {
    /// Takes the property out; the last one where it is written twice.
    pub(super) fn take(&mut self, name: &str) -> Option<MapEntry> {
        let mut taken = None;
        self.entries.retain(|e| {
            let hit = e.key.known().as_deref() == Some(name);
            if hit {
                taken = Some(e.clone());
            }
            !hit
        });
        taken
    }

    pub(super) fn entry(&self, name: &str) -> Option<&MapEntry> {
        let hit = |e: &&MapEntry| e.key.known().as_deref() == Some(name);
        self.entries.iter().rev().find(hit)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.entry(name).map(|e| &e.value)
    }

    /// Gives the property CloudFormation's name; its key stays where it is written.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for e in &mut self.entries {
            if e.key.known().as_deref() == Some(from) {
                e.key = Text::synthetic(to, e.key_span);
            }
        }
    }

    pub(super) fn push(&mut self, name: &str, at: Span, value: Value) {
        self.entries.push(MapEntry::synthetic(name, at, value));
    }
}

/// A map that the translator makes: all of it lies at `at`.
pub(super) fn map(entries: Vec<(&str, Value)>, at: Span) -> Value {
    let entries = entries
        .into_iter()
        .map(|(name, value)| MapEntry::synthetic(name, at, value));
    Value::new(ValueKind::Map(entries.collect()), at)
}

/// What `!Ref` or `!GetAtt` of a resource of the template gives.
pub(super) fn resource(target: HoleTarget, at: Span) -> Value {
    let name = if target.attribute.is_empty() {
        target.address.to_string()
    } else {
        format!("{}.{}", target.address, target.attribute)
    };
    Value::text(Text::hole(Hole::new(HoleKind::Resource, name, at).to(target)), at)
}

/// The value under a condition, where there is one.
pub(super) fn under_condition(label: Option<&Guard>, value: Value) -> Value {
    match label {
        None => value,
        Some(label) => {
            let span = value.span;
            let branch = Branch {
                when: label.clone(),
                value,
            };
            Value::new(ValueKind::OneOf(vec![branch].into()), span)
        }
    }
}

/// A statement that allows `actions` on `resources`.
pub(super) fn allow(actions: &[&str], resources: Vec<Value>, at: Span) -> Value {
    let actions = actions.iter().map(|a| Value::synthetic(a, at)).collect();
    map(
        vec![
            ("Effect", Value::synthetic("Allow", at)),
            ("Action", Value::seq(actions, at)),
            ("Resource", Value::seq(resources, at)),
        ],
        at,
    )
}

/// A document of these statements.
pub(super) fn document(statements: Vec<Value>, at: Span) -> Value {
    map(
        vec![
            ("Version", Value::synthetic("2012-10-17", at)),
            ("Statement", Value::seq(statements, at)),
        ],
        at,
    )
}

/// `service` may do `action` to `resource`, for `source` only.
pub(super) fn allow_service(service: &str, action: &str, resource: Value, source: Value, at: Span) -> Value {
    let principal = match service {
        "*" => Value::synthetic("*", at),
        _ => map(vec![("Service", Value::synthetic(service, at))], at),
    };
    let source = map(vec![("aws:SourceArn", source)], at);
    map(
        vec![
            ("Effect", Value::synthetic("Allow", at)),
            ("Principal", principal),
            ("Action", Value::synthetic(action, at)),
            ("Resource", resource),
            ("Condition", map(vec![("ArnEquals", source)], at)),
        ],
        at,
    )
}

/// A policy in a role that the translator writes for `reason`.
pub(super) fn inline(reason: &str, statements: Vec<Value>, at: Span) -> Value {
    map(
        vec![
            ("PolicyName", Value::synthetic(reason, at)),
            ("GeneratedFor", Value::synthetic(reason, at)),
            ("PolicyDocument", document(statements, at)),
        ],
        at,
    )
}

/// The text `value` with `suffix` after it.
pub(super) fn suffixed(value: &Value, suffix: &str, at: Span) -> Value {
    match value.as_text() {
        Some(text) => {
            let mut text = text.clone();
            text.append(&Text::synthetic(suffix, at));
            Value::text(text, value.span)
        }
        None => value.clone(),
    }
}

/// A value inside an ARN that the translator makes.
pub(super) fn arn_part(value: Option<&Value>, name: &str, at: Span) -> Text {
    let parts = value.map(|v| text::part(v, at, at));
    match parts.as_deref() {
        Some([only]) => text::at_span(&only.text, at),
        _ => text::hole(HoleKind::Other, name, at),
    }
}
