//! What the names of a contract mean.

use std::collections::BTreeSet;

use super::judge::ContractJudge;
use crate::access::Caller;
use crate::access::sets::AskedCallers;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::pattern::{Pattern, is_star};
use crate::iam::{ActionSet, ContractNames, DeclaredContract};
use crate::project::{IdentityId, ResourceId};
use crate::source::{Span, Text, is_within};
use crate::terms::IdentityKind;

/// Someone who is not an identity of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outsider {
    /// Everyone, also without an account.
    Public,
    OtherAccounts,
    /// A pattern of the names of services.
    Service(String),
    /// An ARN, a pattern of ARNs, or an identity provider.
    Named(String),
}

/// Who is meant.
#[derive(Clone, Debug, Default)]
pub(super) struct NamedParties {
    pub(super) identities: BTreeSet<IdentityId>,
    pub(super) outsiders: Vec<Outsider>,
}

/// Resources that are meant.
#[derive(Clone, Debug)]
pub(super) enum NamedResource {
    Any,
    Declared(ResourceId),
    /// An ARN or a pattern of ARNs, and the resources of the repository that it is about.
    Arn(Text, Vec<ResourceId>),
}

/// Names that match nothing, by their places.
pub(super) type NamelessList = Vec<(Span, String)>;

impl ContractJudge<'_> {
    /// The place of a name in the file of a contract.
    pub(super) fn span_of(&self, contract: &DeclaredContract, range: &std::ops::Range<usize>) -> Span {
        let Some(file) = self.project.sources.find(&contract.file) else {
            return Span::NOWHERE;
        };
        match self.project.sources.text(file).get(range.clone()) {
            Some(_) => Span::new(file, range.start, range.end),
            None => Span::new(file, 0, 0),
        }
    }

    fn is_below(&self, contract: &DeclaredContract, span: Span) -> bool {
        is_within(self.project.sources.path(span.file), &contract.folder)
    }

    pub(super) fn parties(
        &self,
        contract: &DeclaredContract,
        names: &ContractNames,
        nameless: &mut NamelessList,
    ) -> NamedParties {
        let mut out = NamedParties::default();
        for name in names.iter() {
            let text = name.value.0.trim();
            let outsider = match text {
                "public" => Some(Outsider::Public),
                "other-accounts" => Some(Outsider::OtherAccounts),
                _ => text
                    .strip_prefix("service:")
                    .map(|service| match service.contains('.') {
                        true => Outsider::Service(service.to_owned()),
                        false => Outsider::Service(format!("{service}.amazonaws.com")),
                    }),
            };
            if let Some(outsider) = outsider {
                out.outsiders.push(outsider);
                continue;
            }
            let found = self.identities_named(contract, text);
            let is_outside = glob::is_pattern(text) && text.starts_with("arn:") || Caller::parse(text).is_some();
            let is_named = is_outside && self.is_principal(text) || self.names_external(text);
            if found.is_empty() && !is_named {
                nameless.push((self.span_of(contract, &name.range), text.to_owned()));
            }
            if found.is_empty() || glob::is_pattern(text) && is_outside {
                out.outsiders.push(Outsider::Named(text.to_owned()));
            }
            out.identities.extend(found);
        }
        out
    }

    /// Users and roles that a text names; of a group, its users.
    fn identities_named(&self, contract: &DeclaredContract, text: &str) -> BTreeSet<IdentityId> {
        let all = self.place.named_identities(text);
        let identity = |id: &IdentityId| &self.project.identities[*id];
        let below: Vec<IdentityId> = (all.iter().copied())
            .filter(|id| self.is_below(contract, identity(id).header))
            .collect();
        let chosen = if below.is_empty() { all } else { below };
        let mut out = BTreeSet::new();
        for id in chosen {
            if identity(&id).kind != IdentityKind::Group {
                out.insert(id);
                continue;
            }
            let users = self.project.identities.iter_enumerated();
            let members = users.filter(|(_, user)| user.known_groups().any(|g| g == id));
            out.extend(members.map(|(user, _)| user));
        }
        out
    }

    /// Whether a policy of the repository names a principal that a text means.
    fn is_principal(&self, text: &str) -> bool {
        let statements = self.project.documents.iter().flat_map(|d| &d.statements);
        let mut principals = statements.filter_map(|s| s.principal.as_ref()).flat_map(|p| &p.items);
        principals.any(|i| {
            let known = i.value.text.known();
            known.is_some_and(|known| glob::matches(text, &known, CaseSensitivity::Sensitive))
        })
    }

    pub(super) fn resources(
        &self,
        contract: &DeclaredContract,
        names: &ContractNames,
        nameless: &mut NamelessList,
    ) -> Vec<NamedResource> {
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        for name in names.iter() {
            let text = name.value.0.trim();
            if text == "*" {
                return vec![NamedResource::Any];
            }
            let all = self.place.resources(text);
            let header = |id: &ResourceId| self.project.resources[*id].header;
            let below: Vec<ResourceId> = (all.iter().copied())
                .filter(|id| self.is_below(contract, header(id)))
                .collect();
            let chosen = if below.is_empty() { all } else { below };
            let formed: Vec<ResourceId> = (chosen.iter().copied()).filter(|id| self.place.has_arn(*id)).collect();
            if text.starts_with("arn:") {
                let span = self.span_of(contract, &name.range);
                if formed.is_empty() && !self.is_resource(text) {
                    nameless.push((span, text.to_owned()));
                }
                out.push(NamedResource::Arn(Text::synthetic(text, span), formed));
                continue;
            }
            if formed.is_empty() {
                nameless.push((self.span_of(contract, &name.range), text.to_owned()));
            }
            let fresh = formed.into_iter().filter(|id| seen.insert(*id));
            out.extend(fresh.map(NamedResource::Declared));
        }
        out
    }

    /// Whether a policy of the repository names a resource that a text means.
    fn is_resource(&self, text: &str) -> bool {
        let statements = self.project.documents.iter().flat_map(|d| &d.statements);
        let asked = Pattern::plain(text, CaseSensitivity::Sensitive);
        let mut items = statements.flat_map(crate::iam::Statement::written_resources);
        items.any(|i| {
            let is_narrow = !is_star(&i.text);
            is_narrow && asked.overlaps(&Pattern::resource(&i.text)).is_yes()
        })
    }

    /// Actions that AWS does not have.
    pub(super) fn note_unknown_actions(
        &self,
        contract: &DeclaredContract,
        names: &ContractNames,
        nameless: &mut NamelessList,
    ) {
        let unknown = names
            .iter()
            .filter(|name| ActionSet::expand(name.value.0.trim()).is_empty());
        let places = unknown.map(|name| (self.span_of(contract, &name.range), name.value.0.clone()));
        nameless.extend(places);
    }
}

impl Outsider {
    /// Those callers, where these are the own accounts.
    pub(super) fn callers(&self, own: &BTreeSet<String>) -> AskedCallers {
        match self {
            Self::Public => AskedCallers::anonymous(),
            Self::OtherAccounts => {
                let all = AskedCallers::of_accounts();
                own.iter()
                    .fold(all, |callers, account| callers.without_account(account))
            }
            Self::Service(pattern) => AskedCallers::service(pattern),
            Self::Named(text) => AskedCallers::named(text),
        }
    }
}
