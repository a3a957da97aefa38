//! `overgrant config show`: the settings as TOML, each line with where its value comes from.

use serde_json::Value;

use super::Settings;

/// The settings as TOML, each line with where its value comes from.
pub fn to_toml(settings: &Settings) -> String {
    let mut page = SettingsPage {
        settings,
        lines: String::new(),
        tables: String::new(),
    };
    page.add("", &serde_json::to_value(settings).unwrap_or_default());
    page.lines + &page.tables
}

/// `name` under `prefix`, as TOML writes a dotted key.
pub(super) fn dotted(prefix: &str, name: &str) -> String {
    let is_bare = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let name = if is_bare { name.to_owned() } else { quoted(name) };
    if prefix.is_empty() {
        name
    } else {
        format!("{prefix}.{name}")
    }
}

struct SettingsPage<'s> {
    settings: &'s Settings,
    lines: String,
    /// `[[…]]`, which come last in TOML.
    tables: String,
}

impl SettingsPage<'_> {
    fn add(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(entries) => entries.iter().for_each(|(k, v)| self.add(&dotted(name, k), v)),
            Value::Array(items) if items.iter().any(Value::is_object) => {
                for (i, item) in items.iter().enumerate() {
                    let origin = self.origin(&dotted(name, &i.to_string()));
                    self.tables += &line(&format!("\n[[{name}]]"), &origin);
                    for (k, v) in item.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
                        self.tables += &format!("{k} = {}\n", toml(v));
                    }
                }
            }
            value => self.lines += &line(&format!("{name} = {}", toml(value)), &self.origin(name)),
        }
    }

    /// The place of a key, or of the table that it is in.
    fn origin(&self, name: &str) -> String {
        let prefixes = std::iter::successors(Some(name), |n| n.rsplit_once('.').map(|(prefix, _)| prefix));
        let at = prefixes.into_iter().find_map(|n| self.settings.origins.get(n));
        at.map_or_else(
            || "default".to_owned(),
            |at| {
                let (path, line) = self.settings.location(*at);
                format!("{path}:{line}")
            },
        )
    }
}

fn line(text: &str, origin: &str) -> String {
    format!("{text:<48} # {origin}\n")
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{} = {}", dotted("", k), toml(v)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        value => value.to_string(),
    }
}
