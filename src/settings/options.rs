//! `[rules.NAME]`: values for what a rule leaves to its user.
//!
//! **Invariant:** a value is kept as written, with the place of each word, until the rules are known; then it becomes a
//! value of the type that the rule declares, or a fault at its place.

use toml::de::DeValue;

use super::toml_reader::Reader;
use super::{Fault, Settings};
use crate::edit_distance::nearest_word;
use crate::iam::ActionSet;
use crate::iam::catalogue::catalogue;
use crate::iam::glob;
use crate::rules::Ruleset;
use crate::rules::options::{OptionKind, OptionSpec, OptionValue};

use toml::Spanned;

/// A string and where it stands.
pub(super) type SpannedWord = (String, Fault);

/// An option as the settings give it.
#[derive(Clone, Debug)]
pub struct WrittenOption {
    pub(super) rule: String,
    name: SpannedWord,
    value: OptionShape,
    /// Of the value.
    place: Fault,
}

#[derive(Clone, Debug)]
enum OptionShape {
    Number(i64),
    Words(Vec<SpannedWord>),
    Table(Vec<(SpannedWord, Vec<SpannedWord>)>),
    /// None that any option takes: its type.
    Other(&'static str),
}

impl OptionShape {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Words(_) => "strings",
            Self::Table(_) => "a table",
            Self::Other(name) => name,
        }
    }
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    rule: &str,
    name: SpannedWord,
    value: &Spanned<DeValue<'_>>,
) -> WrittenOption {
    let shape = match value.get_ref() {
        DeValue::Integer(_) => reader.integer(value).map(OptionShape::Number),
        DeValue::String(_) | DeValue::Array(_) => Some(OptionShape::Words(spanned_words(reader, value))),
        DeValue::Table(table) => {
            let mut rows = Vec::new();
            for (key, value) in table {
                let at = reader.fault_at(key.span().start, "");
                rows.push(((key.get_ref().to_string(), at), spanned_words(reader, value)));
            }
            Some(OptionShape::Table(rows))
        }
        _ => None,
    };
    WrittenOption {
        rule: rule.to_owned(),
        name,
        value: shape.unwrap_or(OptionShape::Other(value.get_ref().type_str())),
        place: reader.fault_at(value.span().start, ""),
    }
}

fn spanned_words(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Vec<SpannedWord> {
    let words = reader.strings(value);
    words.into_iter().map(|(w, at)| (w, reader.fault_at(at, ""))).collect()
}

fn at(place: &Fault, message: String) -> Fault {
    Fault {
        message,
        ..place.clone()
    }
}

/// Gives `settings.options` the values that were written; returns what is wrong with them.
pub(super) fn resolve(settings: &mut Settings, ruleset: &Ruleset) -> Vec<Fault> {
    let mut faults = Vec::new();
    for written in &settings.written_options {
        let (name, place) = &written.name;
        let rule = &written.rule;
        // An unknown rule has a fault of its own.
        let Some(known) = ruleset.get(rule) else {
            if !ruleset.matching(rule).is_empty() {
                let why = format!("`{rule}` is not one rule: only `severity` can be set for it");
                faults.push(at(place, why));
            }
            continue;
        };
        let Some(spec) = known.options().iter().find(|s| s.name == *name) else {
            let names = known.options().iter().map(|s| &*s.name).chain(["severity"]);
            let hint = match nearest_word(name, names.clone()) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => format!("; it has `{}`", names.collect::<Vec<_>>().join("`, `")),
            };
            faults.push(at(place, format!("`{rule}` has no option `{name}`{hint}")));
            continue;
        };
        match value(spec, written) {
            Ok(value) => {
                let values = settings.options.entry(rule.clone()).or_default();
                values.insert(name.clone(), value);
            }
            Err(mut wrong) => faults.append(&mut wrong),
        }
    }
    faults
}

fn value(spec: &OptionSpec, written: &WrittenOption) -> Result<OptionValue, Vec<Fault>> {
    let mut faults = Vec::new();
    let plain = |words: &[SpannedWord]| -> Vec<String> { words.iter().map(|(w, _)| w.clone()).collect() };
    let value = match (spec.kind, &written.value) {
        (OptionKind::Number, OptionShape::Number(n)) => u32::try_from(*n).ok().map(OptionValue::Number),
        (OptionKind::Words, OptionShape::Words(words)) => {
            let strange = words
                .iter()
                .filter(|(w, _)| !spec.one_of.is_empty() && !spec.one_of.contains(w));
            faults.extend(strange.map(|(w, place)| {
                let hint = match nearest_word(w, spec.one_of.iter().map(String::as_str)) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => format!("; expected one of {}", spec.one_of.join(", ")),
                };
                at(place, format!("unknown value `{w}`{hint}"))
            }));
            Some(OptionValue::Words(plain(words)))
        }
        (OptionKind::Actions, OptionShape::Words(words)) => {
            faults.extend(words.iter().filter_map(unknown_action_fault));
            Some(OptionValue::Words(plain(words)))
        }
        (OptionKind::KeysByAction, OptionShape::Table(rows)) => {
            faults.extend(rows.iter().filter_map(|(action, _)| unknown_action_fault(action)));
            faults.extend(rows.iter().flat_map(|(_, keys)| keys).filter_map(unknown_key_fault));
            let rows = rows.iter().map(|((action, _), keys)| (action.clone(), plain(keys)));
            Some(OptionValue::Table(rows.collect()))
        }
        _ => None,
    };
    match value {
        Some(value) if faults.is_empty() => Ok(value),
        Some(_) => Err(faults),
        None => {
            let (expected, found) = (spec.kind.expected(), written.value.type_name());
            let found = match written.value {
                OptionShape::Number(n) => n.to_string(),
                _ => found.to_owned(),
            };
            Err(vec![at(
                &written.place,
                format!("`{}` takes {expected}, not {found}", spec.name),
            )])
        }
    }
}

/// An action that AWS does not have would silence the rule where it was meant to speak.
fn unknown_action_fault((action, place): &SpannedWord) -> Option<Fault> {
    if !ActionSet::expand(action).is_empty() {
        return None;
    }
    if glob::is_pattern(action) {
        return Some(at(place, format!("`{action}` matches no action")));
    }
    let hint = match catalogue().did_you_mean_action(action, &ActionSet::empty()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!(" as of {}", catalogue().data_date()),
    };
    Some(at(place, format!("unknown action `{action}`{hint}")))
}

/// Global keys are all known; those of services and identity providers are theirs to define.
fn unknown_key_fault((key, place): &SpannedWord) -> Option<Fault> {
    if !key.contains(':') {
        return Some(at(place, format!("`{key}` is not a condition key: use `service:key`")));
    }
    let lower = key.to_lowercase();
    if !lower.starts_with("aws:") || catalogue().global_condition_key(&lower).is_some() {
        return None;
    }
    let hint = match catalogue().did_you_mean_global_key(&lower) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    Some(at(place, format!("unknown global condition key `{key}`{hint}")))
}
