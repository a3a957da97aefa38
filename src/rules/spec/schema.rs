//! The JSON schema of rule files, derived from their types.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Many, RuleFile};

/// A map of tests, or one word in place of the most common test.
pub(super) fn or_word(schema: &mut Schema) {
    let tests = std::mem::take(schema);
    *schema = json_schema!({ "anyOf": [{ "type": ["string", "boolean", "number"] }, tests] });
}

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// The schema of a rule file, for editors.
pub(crate) fn rule_file() -> serde_json::Value {
    let mut schema = schemars::schema_for!(RuleFile);
    schema.insert("title".to_owned(), "overgrant rule".into());
    schema.to_value()
}
