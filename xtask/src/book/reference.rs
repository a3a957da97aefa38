//! The references of settings and commands.

use std::fmt::Write as _;

use serde_json::Value;

use super::BookSources;

/// A table of the settings, from their schema.
pub(super) fn settings(sources: &BookSources<'_>) -> Result<String, String> {
    let schema: Value = serde_json::from_str(&sources.output(&["config", "schema"])?)
        .map_err(|e| format!("overgrant config schema: {e}"))?;
    let mut rows = "| setting | values | default | meaning |\n|---|---|---|---|\n".to_owned();
    settings_rows("", &schema, &mut rows);
    Ok(rows)
}

/// A row for each property of a schema, and for those of the tables in it.
fn settings_rows(prefix: &str, schema: &Value, rows: &mut String) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let text = |key: &str| property[key].as_str().unwrap_or_default();
        let code = |value: &Value| format!("`{}`", value.to_string().replace('"', ""));
        let item = &property["anyOf"][0];
        let words = [&property["const"], &property["enum"], &item["enum"]];
        let words = words
            .into_iter()
            .flat_map(|w| w.as_array().cloned().unwrap_or(vec![w.clone()]));
        let words: Vec<String> = words.filter(|w| !w.is_null()).map(|w| code(&w)).collect();
        let values = match (text("type"), item["type"].as_str()) {
            _ if !words.is_empty() => words.join(", "),
            ("object", _) => "table".to_owned(),
            ("array", _) => "tables".to_owned(),
            ("", Some("object")) => "table or list".to_owned(),
            ("", Some(_)) => "list".to_owned(),
            ("", None) => text("format").to_owned(),
            (kind, _) => kind.to_owned(),
        };
        let required = schema["required"]
            .as_array()
            .is_some_and(|r| r.contains(&name.as_str().into()));
        let default = match &property["default"] {
            _ if required => "required".to_owned(),
            value if value.is_boolean() || value.is_number() || value.is_string() => code(value),
            _ => String::new(),
        };
        let _ = writeln!(
            rows,
            "| `{prefix}{name}` | {values} | {default} | {} |",
            text("description")
        );
        if name != "rules" {
            settings_rows(&format!("{prefix}{name}."), property, rows);
        }
        let key = if name == "rules" { "RULE" } else { "PATTERN" };
        settings_rows(
            &format!("{prefix}{name}.{key}."),
            &property["additionalProperties"],
            rows,
        );
        settings_rows(&format!("{prefix}{name}."), &property["items"], rows);
    }
}

/// The help of every command.
pub(super) fn commands(sources: &BookSources<'_>) -> Result<String, String> {
    let mut out = String::new();
    for name in subcommands(&sources.output(&["--help"])?) {
        let help = sources.output(&[name.as_str(), "--help"])?;
        let inner = subcommands(&help);
        let _ = writeln!(out, "\n## overgrant {name}\n\n```text\n{}\n```", help.trim_end());
        for part in inner {
            let help = sources.output(&[name.as_str(), part.as_str(), "--help"])?;
            let _ = writeln!(
                out,
                "\n### overgrant {name} {part}\n\n```text\n{}\n```",
                help.trim_end()
            );
        }
    }
    Ok(out)
}

/// The names under `Commands:` in a help text.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|l| *l != "Commands:").skip(1);
    listed
        .take_while(|l| !l.is_empty())
        .filter_map(|l| l.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .map(str::to_owned)
        .collect()
}
