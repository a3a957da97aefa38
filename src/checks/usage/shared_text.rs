//! Policies, and statements of policies, that are written in one place and given to several roles: by a loop, a module, a
//! variable.
//!
//! **Invariant:** nothing is said of such a text that would be wrong for one of the roles.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::comparison::RoleComparison;
use super::roles::UsedActions;
use super::unused::union;
use crate::project::{DocumentId, IdentityId};
use crate::source::Span;

/// Where each text of a policy is given to roles.
pub(super) struct SharedTexts<'c> {
    /// Documents by their place, and by the places of their statements.
    documents: BTreeMap<Span, Vec<DocumentId>>,
    /// By the documents that have a text.
    known: BTreeMap<Vec<DocumentId>, TextUse<'c>>,
}

/// What is used of a text.
#[derive(Clone)]
pub(super) struct TextUse<'c> {
    pub(super) used: Rc<UsedActions<'c>>,
    /// A role that has it, and of which not all use is known.
    pub(super) others: Option<IdentityId>,
}

impl<'c> SharedTexts<'c> {
    pub(super) fn new(comparison: &RoleComparison<'c, '_>) -> Self {
        let mut documents: BTreeMap<Span, Vec<DocumentId>> = BTreeMap::new();
        for id in comparison.holders.keys() {
            let d = &comparison.project.documents[*id];
            let mut spans: Vec<Span> = d.statements.iter().map(|s| s.span).collect();
            spans.push(d.span);
            spans.sort_unstable();
            spans.dedup();
            for span in spans {
                documents.entry(span).or_default().push(*id);
            }
        }
        Self {
            documents,
            known: BTreeMap::new(),
        }
    }

    /// The statements of a document, those together that the same documents have, with what is used of them.
    pub(super) fn parts(
        &mut self,
        comparison: &RoleComparison<'c, '_>,
        document: DocumentId,
    ) -> Vec<(TextUse<'c>, Vec<usize>)> {
        let d = &comparison.project.documents[document];
        let mut groups: BTreeMap<&[DocumentId], Vec<usize>> = BTreeMap::new();
        for (i, s) in d.statements.iter().enumerate() {
            let own = self.documents.get(&s.span);
            groups.entry(own.map_or(&[], Vec::as_slice)).or_default().push(i);
        }
        let groups: Vec<(Vec<DocumentId>, Vec<usize>)> =
            groups.into_iter().map(|(all, which)| (all.to_vec(), which)).collect();
        let mut out = Vec::new();
        for (all, which) in groups {
            let text = self
                .known
                .entry(all)
                .or_insert_with_key(|all| text_use(comparison, all));
            out.push((text.clone(), which));
        }
        out
    }
}

fn text_use<'c>(comparison: &RoleComparison<'c, '_>, documents: &[DocumentId]) -> TextUse<'c> {
    let mut used: Vec<&UsedActions<'c>> = Vec::new();
    let mut roles: BTreeSet<IdentityId> = BTreeSet::new();
    let mut others = None;
    for document in documents {
        let holders = comparison.holders.get(document).into_iter().flatten();
        match comparison.used_of_policy(*document) {
            Some(Ok(all)) => {
                let fresh = holders.map(|(role, _)| roles.insert(*role)).collect::<Vec<_>>();
                used.extend(
                    all.into_iter()
                        .zip(fresh)
                        .filter(|(_, fresh)| *fresh)
                        .map(|(used, _)| used),
                );
            }
            Some(Err(_)) => others = others.or_else(|| holders.map(|(role, _)| *role).next()),
            None => {}
        }
    }
    TextUse {
        used: Rc::new(union(&used)),
        others,
    }
}
