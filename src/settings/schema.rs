//! The JSON Schema of the settings.

use std::borrow::Cow;

use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema as schema};
use serde_json::{Value, json};

use super::values::{
    Accounts, ForeignMarker, Glob, NonEmptyText, OnByDefault, OneOrMany, RangedValue, SchemaVersion, Selector, markers,
};
use super::{Date, Settings};
use crate::finding::{Confidence, Severity};
use crate::iam::PolicyKind;
use crate::rules::options::{OptionKind, OptionSpec};
use crate::rules::{Profile, Ruleset};

/// JSON Schema (draft 2020-12) of `overgrant.toml`, for editors.
pub fn json_schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let generator = generator.with_transform(RecursiveTransform(plain));
    generator.into_generator().into_root_schema_for::<Settings>().to_value()
}

/// TOML has no null: what is not required is left out. Comments are one line.
fn plain(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get("type") {
        let stated = types.iter().find(|t| *t != "null").cloned();
        schema.insert("type".to_owned(), stated.unwrap_or_default());
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|w| !w.is_null());
    }
    let null = json!({"type": "null"});
    let is_option = |any: &Value| any.as_array().is_some_and(|any| any.contains(&null));
    if schema.get("anyOf").is_some_and(is_option)
        && let Some(Value::Array(any)) = schema.remove("anyOf")
        && let Some(Value::Object(stated)) = any.into_iter().next()
    {
        schema.ensure_object().extend(stated);
    }
    let is_plain = |default: &Value| default.is_boolean() || default.is_number() || default.is_string();
    if schema.get("default").is_some_and(|default| !is_plain(default)) {
        schema.remove("default");
    }
    if schema.get("format").is_some_and(|format| format == "int64") {
        schema.remove("format");
    }
    schema.remove("writeOnly");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// Schemas of types that read themselves.
macro_rules! schemas {
    ($($type:ident $(<$($of:ident),*>)? => $schema:expr,)*) => {$(
        impl $(<$($of: JsonSchema),*>)? JsonSchema for $type $(<$($of),*>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let schema: fn(&mut SchemaGenerator) -> Schema = $schema;
                schema(generator)
            }
        }
    )*};
}

schemas! {
    SchemaVersion => |_| schema!({"const": 1}),
    OnByDefault => |_| schema!({"type": "boolean"}),
    Severity => |_| schema!({"enum": Severity::ALL.map(Severity::name)}),
    Confidence => |_| schema!({"enum": Confidence::ALL.map(Confidence::name)}),
    Profile => |_| schema!({"enum": Profile::ALL.map(Profile::name)}),
    PolicyKind => |_| schema!({"enum": PolicyKind::ALL.map(PolicyKind::name)}),
    ForeignMarker => |_| schema!({"enum": markers::ALL}),
    Selector => |_| schema!({"type": "string"}),
    Glob => |_| schema!({"type": "string"}),
    NonEmptyText => |_| schema!({"type": "string", "minLength": 1}),
    Date => |_| schema!({"format": "date"}),
    Accounts => |_| {
        let id = json!({"type": "string", "pattern": "^[0-9]{12}$"});
        schema!({"anyOf": [{"type": "object", "additionalProperties": id}, {"type": "array", "items": id}]})
    },
    RangedValue<T> => |generator| T::json_schema(generator),
    OneOrMany<T> => |generator| {
        let item = T::json_schema(generator);
        schema!({"anyOf": [item, {"type": "array", "items": item}]})
    },
}

/// `[rules]`: the options of the built-in rules; of a user's own rule, a family, or a pattern only the severity.
pub(super) fn rules(_: &mut SchemaGenerator) -> Schema {
    let severity_only = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"severity": {"enum": Severity::ALL.map(Severity::name), "description": "Severity of the findings."}}
    });
    let with_options: serde_json::Map<String, Value> = Ruleset::builtin()
        .iter()
        .filter(|r| !r.options().is_empty())
        .map(|r| {
            let mut table = severity_only.clone();
            for spec in r.options() {
                table["properties"][&spec.name] = option_schema(spec);
            }
            (r.id().to_string(), table)
        })
        .collect();
    schema!({"type": "object", "properties": with_options, "additionalProperties": severity_only})
}

fn option_schema(spec: &OptionSpec) -> Value {
    let words = json!({"type": "array", "items": {"type": "string"}});
    let mut schema = match spec.kind {
        OptionKind::Number => json!({"type": "integer", "minimum": 0}),
        OptionKind::Words if !spec.one_of.is_empty() => json!({"type": "array", "items": {"enum": spec.one_of}}),
        OptionKind::Words | OptionKind::Actions => words,
        OptionKind::KeysByAction => json!({"type": "object", "additionalProperties": words}),
    };
    schema["description"] = json!(spec.doc);
    if let Some(default) = &spec.default {
        schema["default"] = json!(default);
    }
    schema
}
