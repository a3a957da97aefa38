//! What serde objects to in a settings file, in our words.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeValue};

use super::other_tools;
use crate::edit_distance::nearest_word;

/// What serde objects to.
pub(super) struct InvalidEntry {
    /// The table in which it stands, with its name in brackets and without.
    pub(super) table: Range<usize>,
    section: Option<(String, String)>,
    pub(super) key: String,
    /// The key, or the value where it is a string.
    text: String,
    pub(super) type_name: &'static str,
}

/// Takes the key or value at `at` out of `value`.
pub(super) fn take_key(value: &mut Spanned<DeValue<'_>>, at: &Range<usize>) -> Option<InvalidEntry> {
    let table = value.span();
    match value.get_mut() {
        DeValue::Table(entries) => {
            for (key, value) in entries.iter_mut() {
                if let Some(inner) = take_key(value, at) {
                    let name = key.get_ref().to_string();
                    let brackets = match value.get_ref() {
                        DeValue::Array(_) => format!("[[{name}]]"),
                        _ => format!("[{name}]"),
                    };
                    let section = Some((brackets, name));
                    return Some(InvalidEntry { section, ..inner });
                }
            }
            let (key, _) = entries.iter().find(|(k, v)| k.span() == *at || v.span() == *at)?;
            let key = key.clone();
            let value = entries.remove(&key)?.into_inner();
            let text = if key.span() == *at {
                Some(&**key.get_ref())
            } else {
                value.as_str()
            };
            Some(InvalidEntry {
                table,
                section: None,
                text: text.unwrap_or_default().to_owned(),
                type_name: value.type_str(),
                key: key.into_inner().into_owned(),
            })
        }
        DeValue::Array(items) => {
            if let Some(inner) = items.iter_mut().find_map(|item| take_key(item, at)) {
                return Some(inner);
            }
            let i = items.iter().position(|item| item.span() == *at)?;
            let mut all: Vec<_> = std::mem::replace(items, DeArray::new()).into_iter().collect();
            let item = all.remove(i).into_inner();
            *items = all.into_iter().collect();
            Some(InvalidEntry {
                table,
                section: None,
                key: String::new(),
                text: item.as_str().unwrap_or_default().to_owned(),
                type_name: item.type_str(),
            })
        }
        _ => None,
    }
}

pub(super) fn missing_key(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

impl InvalidEntry {
    /// A message of serde in our words, of the file with this path.
    pub(super) fn message(&self, of_serde: &str, path: &str) -> String {
        let Self { text, type_name, .. } = self;
        let section = self.section.as_ref().map(|(_, name)| &**name);
        let above = || section.and_then(|_| other_tools::belongs_above(path, &self.key));
        // Any key may stand there, if its value fits.
        let misplaced = match section {
            Some("own" | "policy-kind") => above(),
            _ => None,
        };
        let known = |what: &str| -> Option<Vec<&str>> {
            let rest = of_serde.strip_prefix(&format!("unknown {what} `{text}`, expected "))?;
            Some(rest.split('`').skip(1).step_by(2).collect())
        };
        let hint = |near: &str| format!("; did you mean `{near}`?");
        if let Some(keys) = known("field") {
            let place = self
                .section
                .as_ref()
                .map_or("the configuration", |(brackets, _)| brackets);
            let instead = || other_tools::instead_of(section, text).map(|instead| format!("; {instead}"));
            let near = || nearest_word(text, keys).map_or_else(String::new, hint);
            let hint = above().or_else(instead).unwrap_or_else(near);
            return format!("unknown key `{text}` in {place}{hint}");
        }
        if let Some(words) = known("variant") {
            let all = || format!("; expected one of {}", words.join(", "));
            return format!(
                "unknown value `{text}`{}",
                misplaced.unwrap_or_else(|| nearest_word(text, words.iter().copied()).map_or_else(all, hint))
            );
        }
        if let Some(key) = missing_key(of_serde) {
            let name = section.unwrap_or("file");
            return format!("this {name} has no `{key}`");
        }
        let expected = match of_serde.rsplit_once(", expected ") {
            Some((found, expected)) if found.starts_with("invalid type: ") => expected,
            _ if of_serde == "wanted string or table" => "a string",
            _ => return of_serde.to_owned() + &misplaced.unwrap_or_default(),
        };
        let expected = match expected {
            _ if self.key == "rules" && *type_name == "array" => {
                return "expected tables, each written `[rules.RULE]`; to choose rules, use `select`".to_owned();
            }
            "a map" | "a table"
                if self.key == "per-file" || self.section.as_ref().is_some_and(|(s, _)| s == "[[per-file]]") =>
            {
                return "expected a table, written `[per-file]` with `\"GLOB\" = { ignore = [\"RULE\"] }`".to_owned();
            }
            "a sequence" => return format!("expected tables, each written `[[{}]]`", self.key),
            "a boolean" => "true or false",
            "i64" => "a whole number",
            "a map" => "a table",
            _ if expected.starts_with("struct ") => "a table",
            _ => expected,
        };
        let is_whole = expected == "a table" && matches!(section, Some("per-file" | "rules"));
        let hint = misplaced.or_else(|| is_whole.then(above).flatten());
        format!("expected {expected}, found {type_name}{}", hint.unwrap_or_default())
    }
}
