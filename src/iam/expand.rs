//! `overgrant expand`: what a pattern of actions stands for, as a person or a program reads it.
//!
//! **Invariant:** everything said is from the catalogue; a pattern that stands for nothing says why.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use super::actions::{ActionSet, Levels};
use super::catalogue::{AccessLevel, Action, catalogue};
use super::glob;
use crate::phrase;
use crate::source::one_line;

/// What a pattern stands for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpandedPattern {
    /// As asked; `not …` for `NotAction`.
    pub pattern: String,
    /// How many actions.
    pub count: usize,
    pub levels: Levels,
    /// The IAM prefixes of the actions.
    pub services: Vec<&'static str>,
    /// The most severe three.
    pub worst: Vec<&'static str>,
    /// In the order of their names.
    pub actions: Vec<ExpandedAction>,
    /// Why it stands for nothing, or for less than it seems.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The day the catalogue was taken.
    pub data_date: &'static str,
}

/// An action of the expansion.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpandedAction {
    pub name: &'static str,
    /// `write`; two for an action that AWS puts in two classes.
    pub levels: Vec<&'static str>,
    /// Empty: only `*` is valid as its resource.
    pub resource_types: Vec<EntryType>,
    /// The action's own and those of its resource types.
    pub condition_keys: Vec<&'static str>,
    /// Actions that are needed in addition.
    pub dependent: Vec<&'static str>,
    /// AWS has retired it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryType {
    pub name: &'static str,
    pub required: bool,
    pub arns: Vec<&'static str>,
}

/// What one item of `Action` stands for.
pub fn describe(pattern: &str) -> ExpandedPattern {
    let mut expansion = new(pattern.to_owned(), &ActionSet::expand(pattern));
    if expansion.count == 0 {
        expansion.note = Some(explain_no_match(pattern));
        if let Some(action) = catalogue().action(pattern) {
            expansion.actions.push(entry(action));
        }
    }
    expansion
}

/// What a whole `Action` (or, `negated`, `NotAction`) element stands for.
pub fn describe_clause<'a>(patterns: impl IntoIterator<Item = &'a str>, negated: bool) -> ExpandedPattern {
    let patterns: Vec<&str> = patterns.into_iter().collect();
    let set = ActionSet::expand_all(patterns.iter().copied());
    let title = patterns.join(", ");
    if negated {
        new(format!("not {title}"), &set.complement())
    } else {
        new(title, &set)
    }
}

fn new(pattern: String, set: &ActionSet) -> ExpandedPattern {
    ExpandedPattern {
        pattern,
        count: set.len(),
        levels: set.by_level(),
        services: set.services(),
        worst: set.most_severe(3),
        actions: set.iter().map(entry).collect(),
        note: None,
        data_date: catalogue().data_date(),
    }
}

fn entry(action: Action) -> ExpandedAction {
    let mut condition_keys: Vec<_> = action
        .condition_keys()
        .chain(
            action
                .resource_types()
                .flat_map(super::catalogue::ResourceType::condition_keys),
        )
        .map(|k| k.name())
        .collect();
    condition_keys.sort_unstable();
    condition_keys.dedup();
    ExpandedAction {
        name: action.name(),
        levels: std::iter::once(action.level())
            .chain(action.second_level())
            .map(AccessLevel::name)
            .collect(),
        resource_types: action
            .resource_types()
            .map(|t| EntryType {
                name: t.name(),
                required: t.required,
                arns: t.arn_formats().collect(),
            })
            .collect(),
        condition_keys,
        dependent: action.dependent().map(Action::name).collect(),
        gone: action.is_retired(),
    }
}

/// Why a pattern stands for nothing.
fn explain_no_match(pattern: &str) -> String {
    let date = catalogue().data_date();
    let Some((prefix, _)) = pattern.split_once(':') else {
        return "an action must be `service:Action`".to_owned();
    };
    if !glob::is_pattern(prefix) && catalogue().service(prefix).is_none() {
        let mut note = format!("unknown service prefix `{prefix}` (AWS data of {date})");
        if let Some(service) = catalogue().did_you_mean_service(prefix) {
            let _ = write!(note, "; did you mean `{service}`?");
        }
        return note;
    }
    if catalogue().action(pattern).is_some() {
        return "AWS has retired this action".to_owned();
    }
    if let Some(meant) = catalogue().api_name(pattern) {
        let meant: Vec<String> = meant.into_iter().map(|a| format!("`{}`", a.name())).collect();
        return format!("an API operation, not an action; its action is {}", meant.join(", "));
    }
    let mut note = format!("matches no action (AWS data of {date})");
    if let Some(action) = catalogue().did_you_mean_action(pattern, &ActionSet::empty()) {
        let _ = write!(note, "; did you mean `{action}`?");
    }
    note
}

impl ExpandedPattern {
    /// For a terminal: a summary line, then the actions by access level, the most severe level first; one action in full.
    pub fn human(&self) -> String {
        let mut text = format!(
            "{}: {}",
            one_line(&self.pattern),
            phrase::count(self.count, "action", "actions")
        );
        if self.services.len() > 1 {
            let _ = write!(text, " of {} services", self.services.len());
        }
        if self.count > 1 {
            let _ = write!(text, " ({})", self.levels);
        }
        text.push('\n');
        if let Some(note) = &self.note {
            let _ = writeln!(text, "  {note}");
        }
        if let [only] = self.actions.as_slice() {
            only.write_full(&mut text);
            return text;
        }
        let width = self.actions.iter().map(|a| a.name.len()).max().unwrap_or(0).min(48);
        for level in AccessLevel::ALL.into_iter().rev() {
            let mut of_level = self
                .actions
                .iter()
                .filter(|a| a.levels.first() == Some(&level.name()))
                .peekable();
            if of_level.peek().is_some() {
                let _ = writeln!(text, "\n{}", level.name());
            }
            for action in of_level {
                let types: Vec<&str> = action.resource_types.iter().map(|t| t.name).collect();
                let types = if types.is_empty() {
                    "*".to_owned()
                } else {
                    types.join(", ")
                };
                let _ = writeln!(text, "  {:width$}  {types}", action.name);
            }
        }
        self.keys(&mut text);
        text
    }
}

impl ExpandedPattern {
    /// The condition keys of all the actions, on lines that a terminal takes.
    fn keys(&self, text: &mut String) {
        const WIDTH: usize = 100;
        let keys: BTreeSet<&str> = self.actions.iter().flat_map(|a| &a.condition_keys).copied().collect();
        if keys.is_empty() {
            return;
        }
        text.push_str("\ncondition keys");
        let mut column = WIDTH;
        for key in keys {
            if column + key.len() > WIDTH {
                text.push_str("\n ");
                column = 2;
            }
            let _ = write!(text, " {key}");
            column += key.len() + 1;
        }
        text.push('\n');
    }
}

impl ExpandedAction {
    fn write_full(&self, text: &mut String) {
        let mut line = |head: &str, value: &str| {
            let _ = writeln!(text, "  {head:<15} {value}");
        };
        line("action", self.name);
        line("access level", &self.levels.join(", "));
        if self.resource_types.is_empty() {
            line("resources", "only *");
        }
        for resource_type in &self.resource_types {
            let mark = if resource_type.required { " (required)" } else { "" };
            for arn in &resource_type.arns {
                line("resource type", &format!("{}{mark}: {arn}", resource_type.name));
            }
        }
        for key in &self.condition_keys {
            line("condition key", key);
        }
        for action in &self.dependent {
            line("also needs", action);
        }
    }
}
