//! `[[workload]]`: code, and the role that it runs with.

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::toml_reader::Reader;
use crate::iam::{DeclaredWorkload, SettingValue};
use crate::source::{join_path, relative_path};

const KEYS: [&str; 3] = ["code", "role", "entry"];

/// The entries of `value`, with absolute paths of code; those that lack something are faults. `dir` is the folder of the
/// settings file.
pub(super) fn read_workloads(
    reader: &mut Reader<'_>,
    dir: &str,
    value: &toml::Spanned<DeValue<'_>>,
) -> Vec<DeclaredWorkload> {
    let Some(items) = value.get_ref().as_array() else {
        reader.fault(value.span().start, "expected tables, each written `[[workload]]`");
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        if let Some(table) = reader.table(item) {
            out.extend(read_workload(reader, dir, table, item.span().start));
        }
    }
    out
}

fn read_workload(reader: &mut Reader<'_>, dir: &str, table: &DeTable<'_>, at: usize) -> Option<DeclaredWorkload> {
    reader.unknown_keys(table, &KEYS, "[[workload]]");
    for key in ["code", "role"] {
        if table.get(key).is_none() {
            reader.fault(at, format!("this workload lacks `{key}`"));
        }
    }
    let [mut code, mut role, mut entry] = KEYS.map(|key| match table.get(key) {
        Some(value) => read_texts(reader, value, key == "code"),
        None => Vec::new(),
    });
    for path in &mut code {
        path.text = join_path(dir, &path.text);
    }
    if code.is_empty() {
        return None;
    }
    Some(DeclaredWorkload {
        file: reader.path.to_owned(),
        code,
        role: role.pop()?,
        entry: entry.pop(),
        whole: true,
    })
}

/// A string, or several where `list` lets them, with their places; an empty one is a fault.
fn read_texts(reader: &mut Reader<'_>, value: &toml::Spanned<DeValue<'_>>, list: bool) -> Vec<SettingValue> {
    let items = match value.get_ref().as_array().filter(|_| list) {
        Some(items) => items.iter().collect(),
        None => vec![value],
    };
    let mut out = Vec::new();
    for item in items {
        match reader.string(item) {
            Some(text) if text.trim().is_empty() => {
                reader.fault(item.span().start, "expected a text that is not empty")
            }
            Some(text) => out.push(SettingValue {
                text,
                place: item.span(),
            }),
            None => {}
        }
    }
    out
}

/// JSON Schema of the entries.
pub(super) fn schema() -> Value {
    let text = json!({"type": "string", "minLength": 1});
    json!({
        "type": "array",
        "description": "Code and the role that it runs with, where no template links them: containers, instances, scripts.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["code", "role"],
            "properties": {
                "code": {
                    "description": "Files or folders of Python, relative to this file.",
                    "anyOf": [text, {"type": "array", "items": text, "minItems": 1}]
                },
                "role": {
                    "type": "string",
                    "minLength": 1,
                    "description": "A Terraform address, a logical id, a role's name or ARN; PATH:… looks under that path only."
                },
                "entry": {
                    "type": "string",
                    "minLength": 1,
                    "description": "What runs first: main.py, main.py:run, package.main:run, or a Dockerfile that says it. Without it all of the code may run."
                }
            }
        }
    })
}

/// The entry on one line.
pub(super) fn to_line(workload: &DeclaredWorkload, dir: &str) -> String {
    let code: Vec<String> = workload.code.iter().map(|c| relative_path(dir, &c.text)).collect();
    let entry = workload
        .entry
        .as_ref()
        .map_or_else(String::new, |e| format!(", from {}", e.text));
    format!("workload: {} as {}{entry}", code.join(", "), workload.role.text)
}
