//! How much of a pattern its statement gives in the end: what numbers in messages count.

use crate::iam::ActionSet;
use crate::iam::fit::Resources;
use crate::project::places::Places;
use crate::project::{DocumentId, Project};
use crate::source::Text;

/// What one statement gives of some actions.
#[derive(Clone, Debug)]
pub struct Given {
    /// Neither denied nor outside the boundary of each holder.
    pub kept: ActionSet,
    /// Those of `kept` that fit a resource of the statement. Where none certainly does, those that may.
    pub fitting: ActionSet,
}

impl Project<'_> {
    /// What a statement gives of `actions`, which it names.
    pub(crate) fn given(
        &self,
        places: &Places<'_>,
        document: DocumentId,
        statement: usize,
        actions: &ActionSet,
    ) -> Given {
        let kept = actions.minus(self.withheld(document).of(statement));
        let clause = self.documents[document as usize].statements[statement]
            .resource
            .as_ref();
        let named = |text: &Text| places.as_arn(text);
        let fitting = match clause.and_then(|c| Resources::of(c, named)) {
            Some(mut resources) => {
                let fitting: ActionSet = kept.iter().filter(|a| resources.fit(*a)).collect();
                match fitting.is_empty() {
                    true => kept.iter().filter(|a| resources.may_fit(*a)).collect(),
                    false => fitting,
                }
            }
            None => kept.clone(),
        };
        Given { kept, fitting }
    }
}
