//! Who becomes someone that can do what a contract asks about.

use std::collections::{BTreeMap, BTreeSet};

use super::Breach;
use super::judge::{ContractJudge, FoundAccess};
use super::names::Outsider;
use crate::access::sets::Witness;
use crate::finding::Confidence;
use crate::iam::glob::{self, CaseSensitivity};
use crate::paths::{AccessPath, PathEnd};
use crate::project::{IdentityId, ResourceId};

impl ContractJudge<'_> {
    /// Paths of `starts`, and of `outsiders` or everyone outside, to those who are `able`, or `maybe` are.
    pub(super) fn follow_paths(
        &self,
        starts: &BTreeSet<IdentityId>,
        outsiders: Option<&[Outsider]>,
        able: &BTreeMap<ResourceId, Option<Witness>>,
        maybe: &BTreeSet<ResourceId>,
        found: &mut FoundAccess,
    ) {
        let begins: BTreeSet<ResourceId> = starts.iter().map(|id| self.project.identities[*id].resource).collect();
        let is_start = |end: &PathEnd| match end.resource {
            Some(resource) => begins.contains(&resource),
            None => outsiders.is_none_or(|all| all.iter().any(|o| self.is_outsider(o, end))),
        };
        let ends: BTreeSet<ResourceId> = able.keys().copied().collect();
        let finder = self.finder();
        let mut reached: BTreeSet<(Option<ResourceId>, String)> = BTreeSet::new();
        let certain = finder.paths_into(&ends, &is_start);
        for path in certain.into_iter().chain(finder.paths_to_elevation(&is_start)) {
            let start = (path.from.resource, path.from.text());
            // Who can do it already needs no path.
            if path.from.resource.is_some_and(|r| ends.contains(&r)) || reached.contains(&start) {
                continue;
            }
            let request = path.to.resource.and_then(|r| able.get(&r).cloned()).flatten();
            if self.add_path(path, request, found) {
                reached.insert(start);
            }
        }
        for path in finder.paths_into(maybe, &is_start) {
            if !reached.contains(&(path.from.resource, path.from.text())) {
                let why = format!("it can become {}, of whom it is not known", path.to.text());
                found.doubt(Some(name_of(&path.from)), first_place(&path), why);
            }
        }
    }

    /// Whether the path certainly breaks the contract.
    fn add_path(&self, path: AccessPath, request: Option<Witness>, found: &mut FoundAccess) -> bool {
        let at = first_place(&path);
        let who = name_of(&path.from);
        if path.confidence == Confidence::Low {
            let unknown = path.hops.iter().flat_map(|h| &h.unknown).next();
            let why = unknown.map_or_else(|| "a step of a path is not known".to_owned(), Clone::clone);
            found.doubt(Some(who), at, why);
            return false;
        }
        let Some(at) = at else {
            found.doubt(Some(who), None, "a path has no place in the repository");
            return false;
        };
        found.breach(Breach {
            who,
            resource: path.from.resource.or(path.hops.first().and_then(|h| h.to.resource)),
            request,
            at,
            path: Some(path),
        });
        true
    }

    fn is_outsider(&self, outsider: &Outsider, end: &PathEnd) -> bool {
        match outsider {
            Outsider::Public => end.kind == "public",
            Outsider::OtherAccounts => {
                let own = self.own_accounts();
                let account = end
                    .arn
                    .as_deref()
                    .and_then(|a| a.split(':').nth(4))
                    .unwrap_or(&end.name);
                let has_account = end.kind == "account" || end.arn.is_some();
                has_account && !own.contains(account)
            }
            Outsider::Service(_) => false,
            Outsider::Named(text) => {
                let names = [Some(end.name.as_str()), end.arn.as_deref()];
                let mut names = names.into_iter().flatten();
                names.any(|name| glob::matches(text, name, CaseSensitivity::Sensitive))
            }
        }
    }
}

fn name_of(end: &PathEnd) -> String {
    end.address.clone().unwrap_or_else(|| match end.kind {
        "public" => "anyone".to_owned(),
        _ => end.text(),
    })
}

/// The first token of a path.
fn first_place(path: &AccessPath) -> Option<crate::source::Span> {
    let needs = path.hops.iter().flat_map(|h| &h.needs).map(|n| n.span);
    needs.into_iter().find(|s| s.is_in_source())
}
