//! `[rules.NAME]`: values for what a rule leaves to its user.
//!
//! **Invariant:** a value is kept as written, with the place of each word, until the rules are known; then it becomes a
//! value of the type that the rule declares, or a fault at its place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::other_tools::{belongs_above, off_switch};
use super::values::{Shape, table};
use super::{OneOrMany, RangedValue, Selector};
use crate::edit_distance::nearest_word;
use crate::finding::Severity;
use crate::iam::ActionSet;
use crate::iam::catalogue::catalogue;
use crate::iam::glob;
use crate::phrase;
use crate::rules::Ruleset;
use crate::rules::options::{OptionKind, OptionSpec, OptionValue, OptionValues};

/// What is wrong at a place of the settings.
type Mistake = (usize, String);

/// An option as it is written.
type OptionShape = Shape<RangedValue<String>, OneOrMany<RangedValue<String>>>;

/// One `[rules.NAME]`, as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleSettings(#[serde(with = "table")] Vec<(RangedValue<String>, RangedValue<OptionShape>)>);

/// What `[rules]` sets, by rule.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleChoices {
    pub(super) severities: BTreeMap<String, Severity>,
    pub(super) options: BTreeMap<String, OptionValues>,
}

/// What the tables of `rules` amount to, or what is wrong with them.
/// They stand in the file shown as `path`.
pub(super) fn resolve(
    path: &str,
    rules: &[(Selector, RuleSettings)],
    ruleset: &Ruleset,
) -> Result<RuleChoices, Vec<Mistake>> {
    let mut out = RuleChoices::default();
    let mut mistakes = Vec::new();
    for (selector, settings) in rules {
        let rule = &selector.name;
        for (name, written) in &settings.0 {
            let at = name.range.start;
            if name.value == "severity" {
                match severity(rule, written) {
                    Ok(severity) => drop(out.severities.insert(rule.clone(), severity)),
                    Err(wrong) => mistakes.push(wrong),
                }
                continue;
            }
            // An unknown rule is a fault of its own.
            let Some(known) = ruleset.get(rule) else {
                if !ruleset.matching(rule).is_empty() {
                    let why = format!("`{rule}` is not a single rule: only `severity` can be set");
                    mistakes.push((at, why));
                }
                continue;
            };
            let Some(spec) = known.options().iter().find(|s| s.name == **name) else {
                let names = known.options().iter().map(|s| &*s.name).chain(["severity"]);
                let near = || match nearest_word(name, names.clone()) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => format!("; it has {}", phrase::list(names)),
                };
                let hint = off_switch(rule, name).or_else(|| belongs_above(path, name));
                let hint = hint.unwrap_or_else(near);
                mistakes.push((at, format!("`{rule}` has no option `{}`{hint}", name.value)));
                continue;
            };
            match value(spec, written) {
                Ok(value) => drop(
                    out.options
                        .entry(rule.clone())
                        .or_default()
                        .insert(name.value.clone(), value),
                ),
                Err(mut wrong) => mistakes.append(&mut wrong),
            }
        }
    }
    if mistakes.is_empty() { Ok(out) } else { Err(mistakes) }
}

fn severity(rule: &str, written: &RangedValue<OptionShape>) -> Result<Severity, Mistake> {
    let at = written.range.start;
    let Shape::Word(word) = &written.value else {
        return Err((at, format!("expected a string, found {}", describe_found(written))));
    };
    let known = Severity::ALL.into_iter().find(|s| s.name() == word);
    known.ok_or_else(|| match off_switch(rule, word) {
        Some(hint) => (at, format!("unknown value `{word}`{hint}")),
        None => (at, unknown_value(word, &Severity::ALL.map(Severity::name))),
    })
}

/// For messages: "not …".
fn describe_found(written: &OptionShape) -> String {
    match written {
        Shape::Number(n) => n.to_string(),
        Shape::Word(_) | Shape::List(_) => "strings".to_owned(),
        Shape::Table(_) => "a table".to_owned(),
        Shape::Other(name) => (*name).to_owned(),
    }
}

fn unknown_value(word: &str, known: &[&str]) -> String {
    match nearest_word(word, known.iter().copied()) {
        Some(near) => format!("unknown value `{word}`; did you mean `{near}`?"),
        None => format!("unknown value `{word}`; expected one of {}", known.join(", ")),
    }
}

fn value(spec: &OptionSpec, written: &RangedValue<OptionShape>) -> Result<OptionValue, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let plain = |words: &[RangedValue<String>]| -> Vec<String> { words.iter().map(|w| w.value.clone()).collect() };
    let words = match &written.value {
        Shape::Word(word) => Some(vec![RangedValue {
            value: word.clone(),
            range: written.range.clone(),
        }]),
        Shape::List(words) => Some(words.clone()),
        _ => None,
    };
    let value = match (spec.kind, &written.value, &words) {
        (OptionKind::Number, Shape::Number(n), _) => u32::try_from(*n).ok().map(OptionValue::Number),
        (OptionKind::Words, _, Some(words)) => {
            let known: Vec<&str> = spec.one_of.iter().map(String::as_str).collect();
            let strange = words
                .iter()
                .filter(|w| !known.is_empty() && !known.contains(&&*w.value));
            mistakes.extend(strange.map(|w| (w.range.start, unknown_value(w, &known))));
            Some(OptionValue::Words(plain(words)))
        }
        (OptionKind::Actions, _, Some(words)) => {
            mistakes.extend(words.iter().filter_map(unknown_action_fault));
            Some(OptionValue::Words(plain(words)))
        }
        (OptionKind::KeysByAction, Shape::Table(rows), _) => {
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
            let (expected, found) = (spec.kind.expected(), describe_found(written));
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
