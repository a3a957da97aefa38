//! How a template is used: the parameters that each stack of the repository passes to it.
//!
//! **Invariant:** every use is judged. Uses with the same parameters are one; where a template is used in several ways, each
//! has a scope of its own, so that the resources of one are never those of another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::value::Value;

use super::template::Template;
use super::world::World;

/// How many ways of using one template are told apart.
const MAX_CALLERS: usize = 100;
/// How deep stacks nest.
const MAX_NESTING: usize = 24;

/// One way in which a template is used.
#[derive(Debug, Default)]
pub(crate) struct Caller {
    pub(super) given: BTreeMap<String, Value>,
    /// The scope of the template's names.
    pub(super) scope: Arc<str>,
    /// What `given` says, without where it is written.
    key: String,
}

impl World<'_> {
    /// Each way in which the template is used; one without parameters where nothing uses it.
    pub(super) fn callers(&self, index: usize) -> &[Caller] {
        self.callers.get(index).map_or(&[], Vec::as_slice)
    }

    /// The scope of a template that gets these parameters.
    pub(super) fn scope_of(&self, index: usize, given: &BTreeMap<String, Value>) -> Arc<str> {
        let key = key(given);
        let caller = self.callers(index).iter().find(|c| c.key == key);
        caller.map_or_else(|| self.docs[index].scope.clone(), |c| c.scope.clone())
    }

    pub(super) fn find_callers(&mut self) {
        let mut found: Vec<Option<Vec<Caller>>> = self.docs.iter().map(|_| None).collect();
        for index in 0..self.docs.len() {
            self.find(index, &mut found, &mut BTreeSet::new());
        }
        self.callers = found.into_iter().map(Option::unwrap_or_default).collect();
    }

    fn find(&self, index: usize, found: &mut Vec<Option<Vec<Caller>>>, open: &mut BTreeSet<usize>) {
        if found[index].is_some() || open.len() > MAX_NESTING || !open.insert(index) {
            return;
        }
        let mut uses: Vec<(String, BTreeMap<String, Value>)> = Vec::new();
        for (parent, node) in self.parents.get(&index).into_iter().flatten() {
            self.find(*parent, found, open);
            // A template that nests itself is refused.
            let Some(callers) = found[*parent].as_ref() else {
                continue;
            };
            let name = self.docs[*parent].name_of(*node);
            for caller in callers {
                uses.push((
                    name.clone(),
                    Template::given(self, *parent, &caller.given).passed(*node),
                ));
            }
        }
        open.remove(&index);
        found[index] = Some(told_apart(&self.docs[index].scope, uses));
    }
}

/// Uses with different parameters, each with a scope.
fn told_apart(scope: &Arc<str>, uses: Vec<(String, BTreeMap<String, Value>)>) -> Vec<Caller> {
    let mut callers: Vec<Caller> = Vec::new();
    for (name, given) in uses {
        let key = key(&given);
        if callers.iter().any(|c| c.key == key) {
            continue;
        }
        if callers.len() == MAX_CALLERS {
            break;
        }
        let mut own: Arc<str> = scope.clone();
        if !callers.is_empty() {
            own = format!("{scope}#{name}").into();
            if callers.iter().any(|c| c.scope == own) {
                own = format!("{scope}#{name}#{}", callers.len() + 1).into();
            }
        }
        callers.push(Caller { given, scope: own, key });
    }
    if callers.is_empty() {
        callers.push(Caller {
            scope: scope.clone(),
            ..Caller::default()
        });
    }
    callers
}

fn key(given: &BTreeMap<String, Value>) -> String {
    let mut out = String::new();
    for (name, value) in given {
        let said = value
            .as_text()
            .map_or_else(|| format!("{:?}", value.kind), |t| t.display());
        let _ = write!(out, "{name}={said:?};");
    }
    out
}
