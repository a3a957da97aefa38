//! Settings that decide who may do what and are no policies: what of them is another on the other side.

use std::collections::BTreeMap;

use super::paths::SubjectMoves;
use crate::project::{AccessSetting, Project, SettingOf};
use crate::report::DiffUnknown;

type SettingKey = (String, String, SettingOf, &'static str);

/// Settings of one side, by what tells which is which.
fn by_key(project: &Project<'_>, below: &dyn Fn(&str) -> String) -> BTreeMap<SettingKey, AccessSetting> {
    let all = project.access_settings().into_iter();
    let each = all.map(|s| ((below(&s.root), s.address.clone(), s.of, s.name), s));
    each.collect()
}

/// What cannot be said to be a gain or a loss, since only policies are compared as sets of requests.
pub(super) fn changed_settings(
    (old, below_old): (&Project<'_>, &dyn Fn(&str) -> String),
    (new, below_new): (&Project<'_>, &dyn Fn(&str) -> String),
    moves: &SubjectMoves,
) -> Vec<DiffUnknown> {
    let same_role = |before: &AccessSetting, after: &AccessSetting| {
        let both = before.role.as_ref().zip(after.role.as_ref());
        both.is_some_and(|((old_root, old), (new_root, new))| {
            let from = (below_old(old_root), old.clone());
            let to = moves.get(&from).unwrap_or(&from);
            (&to.0, &to.1) == (&below_new(new_root), new)
        })
    };
    let (mut old, mut new) = (by_key(old, below_old), by_key(new, below_new));
    // What is moved says the same elsewhere.
    let texts = |all: &BTreeMap<SettingKey, AccessSetting>,
                 others: &BTreeMap<SettingKey, AccessSetting>|
     -> Vec<(SettingOf, String)> {
        let alone = all.iter().filter(|(key, _)| !others.contains_key(*key));
        alone.map(|(_, s)| (s.of, s.text.clone())).collect()
    };
    let (only_old, only_new) = (texts(&old, &new), texts(&new, &old));
    let keys: Vec<SettingKey> = new.keys().chain(old.keys()).cloned().collect();
    let mut out = Vec::new();
    for key in keys {
        let (before, after) = (old.remove(&key), new.remove(&key));
        let found = match (before, after) {
            (Some(before), Some(after))
                if before.text != after.text
                    && !same_role(&before, &after)
                    && !(before.is_quiet && after.is_quiet && is_access(&after)) =>
            {
                Some((after, true, true, SettingChange::Another))
            }
            (None, Some(s))
                if !s.is_quiet && s.of == SettingOf::Access && !only_old.contains(&(s.of, s.text.clone())) =>
            {
                Some((s, true, true, SettingChange::Added))
            }
            (Some(s), None) if s.of != SettingOf::Role && !only_new.contains(&(s.of, s.text.clone())) => {
                let opens = s.of == SettingOf::Protection;
                (opens || !s.is_quiet).then_some((s, false, opens, SettingChange::Gone))
            }
            _ => None,
        };
        out.extend(found.map(|(setting, is_new, is_gain, change)| DiffUnknown {
            why: words(&setting, change),
            subject: setting.address,
            is_new,
            is_gain,
            span: Some(setting.span),
        }));
    }
    out
}

/// Of two values of an access control list that let nobody in, it does not matter which it is.
fn is_access(setting: &AccessSetting) -> bool {
    setting.of == SettingOf::Access && !setting.name.starts_with("Auth")
}

#[derive(Clone, Copy)]
enum SettingChange {
    Added,
    Gone,
    Another,
}

fn words(setting: &AccessSetting, change: SettingChange) -> String {
    let name = match setting.name {
        "" => "what it says".to_owned(),
        name => format!("`{name}`"),
    };
    match (setting.of, change) {
        (SettingOf::Role, _) => format!("runs as another role, by {name}"),
        (SettingOf::Access, SettingChange::Added) => format!("lets others in by {name}, which is not compared"),
        (SettingOf::Access, SettingChange::Gone) => {
            format!("no longer lets others in by {name}, which is not compared")
        }
        (SettingOf::Access, SettingChange::Another) => {
            format!("lets others in by another value of {name}, which is not compared")
        }
        (SettingOf::Protection, SettingChange::Gone) => {
            format!("no longer keeps others out by {name}, which is not compared")
        }
        (SettingOf::Protection, _) => format!("keeps others out by another value of {name}, which is not compared"),
    }
}
