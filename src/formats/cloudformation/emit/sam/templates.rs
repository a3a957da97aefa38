//! SAM policy templates, expanded. SAM Developer Guide, "AWS SAM policy templates".

use serde_json::Value as Json;

use crate::iam::catalogue;
use crate::source::{HoleKind, Span, Text};
use crate::value::{MapEntry, Value, ValueKind};

use crate::formats::cloudformation::eval::env::MAX_NAME;
use crate::formats::cloudformation::eval::text;
use crate::formats::cloudformation::eval::text::TemplatePart;

/// The document of the policy template `name` with `parameters` put in; all of it lies at `at`, the reference.
pub(super) fn expand(name: &str, parameters: &Value, at: Span) -> Option<Value> {
    let template: Json = serde_json::from_str(catalogue().sam_template(name)?).ok()?;
    let expansion = PolicyTemplate { parameters, at };
    expansion.value(template.get("Definition")?, &[], 0)
}

struct PolicyTemplate<'a> {
    parameters: &'a Value,
    at: Span,
}

impl PolicyTemplate<'_> {
    /// `names` are the variables of the `Fn::Sub` around.
    fn value(&self, json: &Json, names: &[(String, Value)], depth: usize) -> Option<Value> {
        if depth > 16 {
            return None;
        }
        let at = self.at;
        Some(match json {
            Json::Null => Value::new(ValueKind::Null, at),
            Json::Bool(b) => Value::new(ValueKind::Bool(*b), at),
            Json::Number(n) => Value::new(ValueKind::Num(n.to_string().into()), at),
            Json::String(s) => Value::synthetic(s, at),
            Json::Array(items) => {
                let items = items.iter().filter_map(|i| self.value(i, names, depth + 1));
                Value::new(ValueKind::Seq(items.collect()), at)
            }
            Json::Object(object) => {
                if object.len() == 1 {
                    if let Some(Json::String(name)) = object.get("Ref") {
                        return Some(self.named(name, names));
                    }
                    if let Some(argument) = object.get("Fn::Sub") {
                        return Some(self.sub(argument, depth));
                    }
                }
                let entries = object.iter().filter_map(|(key, value)| {
                    Some(MapEntry {
                        key: Text::synthetic(key, at),
                        key_span: at,
                        value: self.value(value, names, depth + 1)?,
                    })
                });
                Value::new(ValueKind::Map(entries.collect()), at)
            }
        })
    }

    fn sub(&self, argument: &Json, depth: usize) -> Value {
        let (template, names) = match argument {
            Json::String(s) => (s.as_str(), None),
            Json::Array(parts) => (parts.first().and_then(Json::as_str).unwrap_or(""), parts.get(1)),
            _ => ("", None),
        };
        let names: Vec<(String, Value)> = names
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| Some((k.clone(), self.value(v, &[], depth + 1)?)))
            .collect();
        let mut parts: Vec<TemplatePart> = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}').filter(|(n, _)| n.len() < MAX_NAME) else {
                break;
            };
            if !before.is_empty() {
                parts.push(text::fixed(Text::synthetic(before, self.at)));
            }
            parts.push(text::part(&self.named(name, &names), self.at, self.at));
            rest = after;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(text::fixed(Text::synthetic(rest, self.at)));
        }
        text::concat(&parts, self.at)
    }

    fn named(&self, name: &str, names: &[(String, Value)]) -> Value {
        if let Some((_, value)) = names.iter().find(|(n, _)| n == name) {
            return value.clone();
        }
        if let Some(value) = self.parameters.get(name) {
            return self.expand_parameter(value);
        }
        let kind = text::pseudo(name).unwrap_or(HoleKind::Other);
        Value::text(text::hole(kind, name, self.at), self.at)
    }

    /// A parameter's value as a part of the expansion.
    fn expand_parameter(&self, value: &Value) -> Value {
        let at = self.at;
        match &value.kind {
            ValueKind::Str(t) => Value::text(text::at_span(t, at), at),
            ValueKind::Seq(items) => Value::new(
                ValueKind::Seq(items.iter().map(|v| self.expand_parameter(v)).collect()),
                at,
            ),
            _ => Value {
                span: at,
                ..value.clone()
            },
        }
    }
}
