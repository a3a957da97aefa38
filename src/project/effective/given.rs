//! How much of a pattern its statement gives in the end: what numbers in messages count.

use crate::iam::arn::Breadth;
use crate::iam::resource_fit::Resources;
use crate::iam::{ActionSet, Clause, ClauseItem};
use crate::project::targets::ResourceRefs;
use crate::project::{Project, StatementRef};
use crate::source::Text;

/// What one statement gives of some actions.
#[derive(Clone, Debug)]
pub struct StatementGrant {
    /// Neither denied nor outside the boundary of each holder.
    pub kept: ActionSet,
    /// Those of `kept` that fit a resource of the statement. Where none certainly does, those that may.
    pub fitting: ActionSet,
    /// The statement names resources that are not known: only some of `fitting` may fit them.
    pub at_most: bool,
}

impl Project<'_> {
    /// What an item of a statement's `Action` effectively grants.
    pub(crate) fn granted_by(&self, s: StatementRef<'_>, item: &ClauseItem) -> ActionSet {
        let actions = item.text.known().map(|text| ActionSet::expand(&text));
        actions.map_or_else(ActionSet::empty, |actions| self.granted_part(s, &actions).fitting)
    }

    /// What a statement gives of `actions`, which it names.
    pub(crate) fn granted_part(&self, s: StatementRef<'_>, actions: &ActionSet) -> StatementGrant {
        let kept = actions.difference(self.withheld(s.document_id).for_statement(s.index));
        let clause = s.resource.as_ref();
        let named = |text: &Text| ResourceRefs::new(self).as_arn(text);
        let resources = clause.and_then(|c| Resources::new(c, named));
        let wide = |c: &Clause| c.negated || c.items.iter().any(|i| i.breadth() <= Breadth::WholeType);
        let at_most = resources.is_none() && clause.is_some_and(|c| !c.items.is_empty() && !wide(c));
        let fitting = match resources {
            Some(mut resources) => {
                let fitting: ActionSet = kept.iter().filter(|a| resources.fits_reference(*a)).collect();
                match fitting.is_empty() {
                    true => kept.iter().filter(|a| resources.may_fit(*a)).collect(),
                    false => fitting,
                }
            }
            None => kept.clone(),
        };
        StatementGrant { kept, fitting, at_most }
    }
}
