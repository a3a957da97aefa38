//! Identities of which the repository has the name only, and puts policies on.

use std::collections::BTreeMap;

use super::Breach;
use super::judge::{AskedTerms, ContractJudge, FoundAccess, trust_actions};
use super::names::{NamedResource, Outsider};
use super::statements::{action_token, may_grant, with_unknown_parts};
use crate::access::sets::{AskedCallers, AskedRequests, find_common};
use crate::iam::Document;
use crate::iam::glob::{self, CaseSensitivity};
use crate::project::DocumentId;
use crate::source::Text;

impl ContractJudge<'_> {
    /// Their ARNs, and what is put on them.
    fn externals(&self) -> BTreeMap<(String, String), Vec<DocumentId>> {
        let mut out: BTreeMap<(String, String), Vec<DocumentId>> = BTreeMap::new();
        for attachment in &self.project.elsewhere {
            let name = attachment.name.display();
            let arn = match name.starts_with("arn:") {
                true => name.clone(),
                false => format!("arn:aws:iam::{}:{}/{name}", self.place.account, attachment.kind.name()),
            };
            let documents = attachment.documents();
            if !documents.is_empty() {
                out.entry((arn, name)).or_default().extend(documents);
            }
        }
        out
    }

    pub(super) fn names_external(&self, text: &str) -> bool {
        self.externals().keys().any(|(arn, name)| is_called(text, arn, name))
    }

    pub(super) fn ask_externals(
        &self,
        who: Option<&[Outsider]>,
        excepted: &[Outsider],
        asked: &AskedTerms<'_>,
        found: &mut FoundAccess,
    ) {
        for ((arn, name), documents) in self.externals() {
            let is_meant = |o: &Outsider| matches!(o, Outsider::Named(text) if is_called(text, &arn, &name));
            if who.is_some_and(|who| !who.iter().any(is_meant)) || excepted.iter().any(is_meant) {
                continue;
            }
            for id in documents {
                let document = self.place.filled_document(&self.project.documents[id]);
                if may_grant(&document, asked) && !self.is_test(document.span) {
                    for target in &asked.resources {
                        self.ask_external((&arn, &name), &document, target, asked, found);
                    }
                }
            }
        }
    }

    fn ask_external(
        &self,
        (arn, name): (&str, &str),
        document: &Document,
        target: &NamedResource,
        asked: &AskedTerms<'_>,
        found: &mut FoundAccess,
    ) {
        let (resources, on): (Vec<Text>, &[_]) = match target {
            NamedResource::Any => (Vec::new(), &[]),
            NamedResource::Declared(resource) => (self.arns_of(*resource), std::slice::from_ref(resource)),
            NamedResource::Arn(text, on) => (vec![text.clone()], on),
        };
        let limits: Vec<&Document> = on
            .iter()
            .flat_map(|r| self.policies().on(*r))
            .map(|p| &p.document)
            .collect();
        let request = AskedRequests {
            callers: AskedCallers::identity(arn),
            actions: asked.actions.clone(),
            // Who may assume a role or use a key, their own policies say too.
            other_actions: Default::default(),
            resources,
            other_than: Vec::new(),
            account: self.place.account.clone(),
        };
        let access = find_common(&request, &[document], &limits, asked.beyond);
        let who = || Some(name.to_owned());
        for (at, why) in access.unknown {
            let s = document.statements.get(at);
            let why = s.map_or_else(|| why.to_owned(), |s| with_unknown_parts(s, why));
            found.doubt(who(), Some(s.map_or(document.span, |s| s.span)), why);
        }
        for grant in access.granted {
            let s = document.statements.get(grant.statement);
            let at = s
                .and_then(|s| action_token(s, &grant.request.action))
                .unwrap_or(document.span);
            let decided_there =
                trust_actions().contains_name(&grant.request.action) || grant.request.action.starts_with("kms:");
            match decided_there {
                true => found.doubt(who(), Some(at), "the policy of the role or key decides too"),
                false => found.breach(Breach {
                    who: name.to_owned(),
                    resource: document.resource,
                    request: Some(grant.request),
                    at,
                    path: None,
                }),
            }
        }
    }
}

fn is_called(text: &str, arn: &str, name: &str) -> bool {
    [arn, name]
        .iter()
        .any(|known| glob::matches(text, known, CaseSensitivity::Sensitive))
}
