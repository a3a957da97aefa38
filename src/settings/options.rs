//! `[rules.NAME]`: values for what a rule leaves to its user.
//!
//! **Invariant:** a value is kept as written, with the place of each word, until the rules are known; then it becomes a
//! value of the type that the rule declares, or a fault at its place.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{OneOrMany, RangedValue, Selector, TableEntries};
use crate::edit_distance::nearest_word;
use crate::finding::Severity;
use crate::iam::ActionSet;
use crate::iam::catalogue::catalogue;
use crate::iam::glob;
use crate::rules::Ruleset;
use crate::rules::options::{OptionKind, OptionSpec, OptionValue, OptionValues};

/// What is wrong at a place of the settings.
type Mistake = (usize, String);

/// One `[rules.NAME]`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RuleSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(flatten)]
    options: TableEntries<RangedValue<String>, RangedValue<OptionShape>>,
}

impl<'de> Deserialize<'de> for RuleSettings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = RuleSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RuleSettings, A::Error> {
                let mut out = RuleSettings::default();
                while let Some(key) = entries.next_key::<RangedValue<String>>()? {
                    if key.value == "severity" {
                        out.severity = Some(entries.next_value()?);
                    } else {
                        out.options.push((key, entries.next_value()?));
                    }
                }
                Ok(out)
            }
        }

        from.deserialize_map(Keys)
    }
}

/// An option as it is written.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum OptionShape {
    Number(i64),
    Word(String),
    Words(Vec<RangedValue<String>>),
    Table(TableEntries<RangedValue<String>, OneOrMany<RangedValue<String>>>),
    /// None that any option takes: its type.
    Other(&'static str),
}

impl OptionShape {
    /// For messages: "not …".
    fn found(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Word(_) | Self::Words(_) => "strings".to_owned(),
            Self::Table(_) => "a table".to_owned(),
            Self::Other(name) => (*name).to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for OptionShape {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Shape;

        impl<'de> Visitor<'de> for Shape {
            type Value = OptionShape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, strings, or a table")
            }

            fn visit_i64<E>(self, n: i64) -> Result<OptionShape, E> {
                Ok(OptionShape::Number(n))
            }

            fn visit_f64<E>(self, _: f64) -> Result<OptionShape, E> {
                Ok(OptionShape::Other("float"))
            }

            fn visit_bool<E>(self, _: bool) -> Result<OptionShape, E> {
                Ok(OptionShape::Other("boolean"))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<OptionShape, E> {
                Ok(OptionShape::Word(word.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OptionShape, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = items.next_element()? {
                    words.push(word);
                }
                Ok(OptionShape::Words(words))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<OptionShape, A::Error> {
                let mut rows = TableEntries::default();
                loop {
                    match entries.next_key() {
                        Ok(Some(action)) => rows.push((action, entries.next_value()?)),
                        Ok(None) => return Ok(OptionShape::Table(rows)),
                        // The key that the parser gives a date has no place.
                        Err(_) => return Ok(OptionShape::Other("datetime")),
                    }
                }
            }
        }

        from.deserialize_any(Shape)
    }
}

/// The values of the options that `rules` sets, by rule and option, or what is wrong with them.
pub(super) fn resolve(
    rules: &TableEntries<Selector, RuleSettings>,
    ruleset: &Ruleset,
) -> Result<BTreeMap<String, OptionValues>, Vec<Mistake>> {
    let mut out: BTreeMap<String, OptionValues> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (selector, settings) in rules.iter() {
        let rule = &selector.name;
        for (name, written) in settings.options.iter() {
            let at = name.range.start;
            // An unknown rule is a fault of its own.
            let Some(known) = ruleset.get(rule) else {
                if !ruleset.matching(rule).is_empty() {
                    let why = format!("`{rule}` is not one rule: only `severity` can be set for it");
                    mistakes.push((at, why));
                }
                continue;
            };
            let Some(spec) = known.options().iter().find(|s| s.name == **name) else {
                let names = known.options().iter().map(|s| &*s.name).chain(["severity"]);
                let hint = match nearest_word(name, names.clone()) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => format!("; it has `{}`", names.collect::<Vec<_>>().join("`, `")),
                };
                mistakes.push((at, format!("`{rule}` has no option `{}`{hint}", name.value)));
                continue;
            };
            match value(spec, written) {
                Ok(value) => {
                    out.entry(rule.clone()).or_default().insert(name.value.clone(), value);
                }
                Err(mut wrong) => mistakes.append(&mut wrong),
            }
        }
    }
    if mistakes.is_empty() { Ok(out) } else { Err(mistakes) }
}

fn value(spec: &OptionSpec, written: &RangedValue<OptionShape>) -> Result<OptionValue, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let plain = |words: &[RangedValue<String>]| -> Vec<String> { words.iter().map(|w| w.value.clone()).collect() };
    let one = |word: &String| RangedValue {
        value: word.clone(),
        range: written.range.clone(),
    };
    let words = match &written.value {
        OptionShape::Word(word) => Some(vec![one(word)]),
        OptionShape::Words(words) => Some(words.clone()),
        _ => None,
    };
    let value = match (spec.kind, &written.value, &words) {
        (OptionKind::Number, OptionShape::Number(n), _) => u32::try_from(*n).ok().map(OptionValue::Number),
        (OptionKind::Words, _, Some(words)) => {
            let strange = words
                .iter()
                .filter(|w| !spec.one_of.is_empty() && !spec.one_of.contains(&w.value));
            mistakes.extend(strange.map(|w| {
                let hint = match nearest_word(w, spec.one_of.iter().map(String::as_str)) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => format!("; expected one of {}", spec.one_of.join(", ")),
                };
                (w.range.start, format!("unknown value `{}`{hint}", w.value))
            }));
            Some(OptionValue::Words(plain(words)))
        }
        (OptionKind::Actions, _, Some(words)) => {
            mistakes.extend(words.iter().filter_map(unknown_action_fault));
            Some(OptionValue::Words(plain(words)))
        }
        (OptionKind::KeysByAction, OptionShape::Table(rows), _) => {
            mistakes.extend(rows.iter().filter_map(|(action, _)| unknown_action_fault(action)));
            mistakes.extend(
                rows.iter()
                    .flat_map(|(_, keys)| keys.iter())
                    .filter_map(unknown_key_fault),
            );
            let rows = rows.iter().map(|(action, keys)| (action.value.clone(), plain(keys)));
            Some(OptionValue::Table(rows.collect()))
        }
        _ => None,
    };
    match value {
        Some(value) if mistakes.is_empty() => Ok(value),
        Some(_) => Err(mistakes),
        None => {
            let (expected, found) = (spec.kind.expected(), written.value.found());
            let why = format!("`{}` takes {expected}, not {found}", spec.name);
            Err(vec![(written.range.start, why)])
        }
    }
}

/// An action that AWS does not have would silence the rule where it was meant to speak.
fn unknown_action_fault(action: &RangedValue<String>) -> Option<Mistake> {
    let at = action.range.start;
    if !ActionSet::expand(action).is_empty() {
        return None;
    }
    let action = &action.value;
    if glob::is_pattern(action) {
        return Some((at, format!("`{action}` matches no action")));
    }
    let hint = match catalogue().did_you_mean_action(action, &ActionSet::empty()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!(" as of {}", catalogue().data_date()),
    };
    Some((at, format!("unknown action `{action}`{hint}")))
}

/// Global keys are all known; those of services and identity providers are theirs to define.
fn unknown_key_fault(key: &RangedValue<String>) -> Option<Mistake> {
    let (at, key) = (key.range.start, &key.value);
    if !key.contains(':') {
        return Some((at, format!("`{key}` is not a condition key: use `service:key`")));
    }
    let lower = key.to_lowercase();
    if !lower.starts_with("aws:") || catalogue().global_condition_key(&lower).is_some() {
        return None;
    }
    let hint = match catalogue().did_you_mean_global_key(&lower) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    Some((at, format!("unknown global condition key `{key}`{hint}")))
}
