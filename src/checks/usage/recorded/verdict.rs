//! What evidence says of grants that the code does not seem to need.

use std::rc::Rc;

use super::phrases::since;
use super::statements::RecordedStatements;
use crate::checks::usage::roles::UsedActions;
use crate::checks::usage::unused::{UsedDocument, union};
use crate::finding::{Confidence, Finding, Severity};
use crate::iam::ActionSet;
use crate::project::{IdentityId, IdentityUse, PolicyUse, Project, StatementRef, used_list};
use crate::rules::FindingSink;

/// Reports what of some statements is neither called nor used. What is used without a call that can be seen stays, with low
/// confidence, where nothing else of the statement is too much.
pub(in crate::checks::usage) fn check_text<'c>(
    grant: &UsedDocument<'_, 'c, '_>,
    statements: &[usize],
    recorded: &RecordedStatements<'_>,
    out: &mut FindingSink<'_>,
) {
    for statement in grant.allowed(statements) {
        let Some(by_code) = grant.judge(statement) else {
            continue;
        };
        let Some(record) = recorded.of(statement.span) else {
            out.push(by_code);
            continue;
        };
        let granted = grant.granted(statement);
        let too_much = granted.difference(&grant.needs_of(&granted, statement));
        let dynamic = record.used(&too_much);
        let used: ActionSet = record.used(&granted).into_iter().map(|(action, _)| action).collect();
        let mut with = grant.clone();
        with.used = Rc::new(and_used(&grant.used, &used));
        let called = (!dynamic.is_empty()).then(|| {
            let named = used_list(dynamic);
            format!("the logs show use without a call that can be seen: {named}")
        });
        let Some(finding) = with.judge(statement) else {
            out.push(used_after_all(by_code, called));
            continue;
        };
        let rest = too_much.difference(&used);
        let unused = record.unused(&rest, statement, grant.places);
        let finding = match record
            .proof(&unused)
            .filter(|_| !rest.is_empty() && rest.is_subset(&unused))
        {
            Some(proof) => finding
                .confidence(Confidence::High)
                .note(format!("not used {} either", since(proof))),
            None => finding,
        };
        out.push(called.into_iter().fold(finding, Finding::note));
    }
}

/// What the code uses, and what those who have a policy used.
pub(in crate::checks::usage) fn with_recorded<'c>(
    project: &Project<'_>,
    used: &Rc<UsedActions<'c>>,
    holders: &[(IdentityId, &PolicyUse)],
) -> Rc<UsedActions<'c>> {
    let recorded = holders.iter().filter_map(|(id, _)| project.recorded().of(*id));
    let recorded = recorded.map(IdentityUse::used_actions);
    let all = recorded.reduce(|mut all, more| {
        all.union_with(&more);
        all
    });
    all.map_or_else(|| Rc::clone(used), |all| Rc::new(and_used(used, &all)))
}

/// All of it is used: the finding is left for a look at the code.
fn used_after_all(mut finding: Finding, called: Option<String>) -> Finding {
    finding.remedies.clear();
    let finding = finding
        .severity(Severity::Low)
        .confidence(Confidence::Low)
        .help("Keep the grant, and make the call one that can be seen; or suppress the finding.");
    called.into_iter().fold(finding, Finding::note)
}

/// What the code uses, and what was used.
fn and_used<'c>(used: &UsedActions<'c>, more: &ActionSet) -> UsedActions<'c> {
    let mut all = union(&[used]);
    all.actions.union_with(more);
    all.needed.union_with(more);
    all
}

impl<'p> UsedDocument<'_, '_, 'p> {
    /// The statements that allow something.
    fn allowed(&self, statements: &[usize]) -> Vec<StatementRef<'p>> {
        let all = &self.cx.project.granted(self.document).allowed;
        let some = all.iter().filter(|a| statements.contains(&a.statement));
        some.map(|a| self.cx.project.statement(self.document, a.statement))
            .collect()
    }

    /// Those of `granted` that may be used on the resources of a statement.
    fn needs_of(&self, granted: &ActionSet, statement: StatementRef<'_>) -> ActionSet {
        self.used.possibly_used_on(granted, &statement, self.places)
    }
}
