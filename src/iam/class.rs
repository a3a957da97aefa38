//! Classes of actions by what they do, where AWS's access levels do not say it: what gives out credentials, what changes
//! nothing though its level is Write.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::actions::ActionSet;
use super::catalogue::catalogue;

/// The actions of one class of `rules/facts/hand/exposure.txt`, which describes each class.
pub fn class(name: &str) -> &'static ActionSet {
    static CLASSES: OnceLock<BTreeMap<&'static str, ActionSet>> = OnceLock::new();
    static NOTHING: OnceLock<ActionSet> = OnceLock::new();
    CLASSES
        .get_or_init(|| {
            let mut out: BTreeMap<&'static str, ActionSet> = BTreeMap::new();
            let lines = include_str!("../../rules/facts/hand/exposure.txt").lines();
            for (class, action) in lines.filter_map(|l| l.split_once('\t')) {
                if let Some(action) = catalogue().action(action) {
                    out.entry(class).or_insert_with(ActionSet::empty).insert(action);
                }
            }
            out
        })
        .get(name)
        .unwrap_or_else(|| NOTHING.get_or_init(ActionSet::empty))
}
