//! How a template is used: the parameters that each stack of the repository passes to it, and those in the files that it is
//! deployed with.
//!
//! **Invariant:** every use is judged, or counted as left out. Without stacks that nest it, a template is also judged as it
//! stands, unless it lacks a value that the files give. Uses with the same parameters are one; where a template is used in several ways, each
//! has a scope of its own, so that the resources of one are never those of another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::value::Value;

use crate::formats::cloudformation::eval::template::Template;
use crate::formats::cloudformation::eval::world::World;
use crate::formats::cloudformation::parse::parameter_files::{self, TemplateUse};

/// How many ways of using one template are distinguished.
const MAX_CALLERS: usize = 100;
/// How deep stacks nest.
const MAX_NESTING: usize = 24;

/// One way in which a template is used.
#[derive(Debug, Default)]
pub(crate) struct TemplateCaller {
    pub(crate) given: BTreeMap<String, Value>,
    /// The scope of the template's names.
    pub(crate) scope: Arc<str>,
    /// What `given` says, without where it is written.
    key: String,
}

/// The ways in which one template is used.
#[derive(Debug, Default)]
pub(crate) struct TemplateUses {
    each: Vec<TemplateCaller>,
    /// There are more than are distinguished.
    more: bool,
}

impl World<'_> {
    /// Each way in which the template is used; one without parameters where nothing uses it.
    pub(crate) fn callers(&self, index: usize) -> &[TemplateCaller] {
        self.callers.get(index).map_or(&[], |c| &c.each)
    }

    /// Whether some of the ways in which the template is used are not judged.
    pub(crate) fn omits_callers(&self, index: usize) -> bool {
        self.callers.get(index).is_some_and(|c| c.more)
    }

    /// The scope of a template that gets these parameters.
    pub(crate) fn scope_of(&self, index: usize, given: &BTreeMap<String, Value>) -> Arc<str> {
        let key = key(given);
        let caller = self.callers(index).iter().find(|c| c.key == key);
        caller.map_or_else(|| self.docs[index].scope.clone(), |c| c.scope.clone())
    }

    pub(crate) fn find_callers(&mut self) {
        let mut found: Vec<Option<TemplateUses>> = self.docs.iter().map(|_| None).collect();
        let mut files = match self.variables {
            Some(_) => BTreeMap::new(),
            None => parameter_files::find(self.sources, &self.docs),
        };
        for index in 0..self.docs.len() {
            self.find(index, &mut found, &mut files, &mut BTreeSet::new());
        }
        self.callers = found.into_iter().map(Option::unwrap_or_default).collect();
    }

    fn find(
        &self,
        index: usize,
        found: &mut Vec<Option<TemplateUses>>,
        files: &mut BTreeMap<usize, Vec<TemplateUse>>,
        open: &mut BTreeSet<usize>,
    ) {
        if found[index].is_some() || open.len() > MAX_NESTING || !open.insert(index) {
            return;
        }
        let mut uses: Vec<TemplateUse> = Vec::new();
        for (parent, node) in self.parents.get(&index).into_iter().flatten() {
            self.find(*parent, found, files, open);
            // A template that nests itself is refused.
            let Some(callers) = found[*parent].as_ref() else {
                continue;
            };
            let name = self.docs[*parent].name_of(*node);
            for caller in &callers.each {
                uses.push((
                    name.clone(),
                    Template::with_parameters(self, *parent, &caller.given).passed_parameters(*node),
                ));
            }
        }
        open.remove(&index);
        let files = files.remove(&index).unwrap_or_default();
        if uses.is_empty() && !files.is_empty() && !self.docs[index].needs_values() {
            uses.push((String::new(), BTreeMap::new()));
        }
        uses.extend(files);
        found[index] = Some(distinguish_uses(&self.docs[index].scope, uses));
    }
}

/// Uses with different parameters, each with a scope.
fn distinguish_uses(scope: &Arc<str>, uses: Vec<TemplateUse>) -> TemplateUses {
    let mut more = false;
    let mut callers: Vec<TemplateCaller> = Vec::new();
    for (name, given) in uses {
        let key = key(&given);
        if callers.iter().any(|c| c.key == key) {
            continue;
        }
        if callers.len() == MAX_CALLERS {
            more = true;
            break;
        }
        let mut own: Arc<str> = scope.clone();
        if !callers.is_empty() {
            own = format!("{scope}#{name}").into();
            if callers.iter().any(|c| c.scope == own) {
                own = format!("{scope}#{name}#{}", callers.len() + 1).into();
            }
        }
        callers.push(TemplateCaller { given, scope: own, key });
    }
    if callers.is_empty() {
        callers.push(TemplateCaller {
            scope: scope.clone(),
            ..TemplateCaller::default()
        });
    }
    TemplateUses { each: callers, more }
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
