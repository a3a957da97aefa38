//! Contracts that a repository keeps now, for its first settings.

use std::collections::BTreeSet;

use super::judge::ContractJudge;
use super::{ContractState, JudgedContract};
use crate::iam::{ContractReach, ContractTerms, DeclaredContract};
use crate::project::{Effects, Identity, Project, ResourceId};

/// Resources and identities that are tried, each.
const MAX_TRIED: usize = 12;
/// Readers of data that a proposed contract lists.
const MAX_READERS: usize = 5;

/// The types that hold data, what reads it, and what they are called.
const DATA: [(&str, &str, &str); 3] = [
    ("AWS::SecretsManager::Secret", "secretsmanager:GetSecretValue", "secret"),
    ("AWS::DynamoDB::Table", "dynamodb:GetItem", "table"),
    ("AWS::S3::Bucket", "s3:GetObject", "bucket"),
];

/// Services and providers that run what builds and deploys.
const BUILDERS: [&str; 4] = [
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "codebuild.amazonaws.com",
    "codepipeline.amazonaws.com",
];

/// Up to three contracts that are kept: on who reads data, on who builds, and on the public.
pub fn propose<'p>(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Vec<ContractTerms> {
    let judge = ContractJudge::new(project, effects);
    let proposer = Proposer { judge, project };
    let all = [proposer.data(), proposer.builder(), proposer.public()];
    all.into_iter().flatten().collect()
}

struct Proposer<'p> {
    judge: ContractJudge<'p>,
    project: &'p Project<'p>,
}

impl Proposer<'_> {
    fn judged<T>(&self, terms: &ContractTerms, then: impl FnOnce(&JudgedContract<'_>) -> T) -> T {
        let contract = DeclaredContract {
            file: String::new(),
            folder: String::new(),
            terms: terms.clone(),
            whole: true,
        };
        then(&self.judge.contract(&contract))
    }

    fn is_kept(&self, terms: &ContractTerms) -> bool {
        self.judged(terms, |judged| judged.state() == ContractState::Kept)
    }

    /// The address, where it names this alone.
    fn address(&self, id: ResourceId) -> Option<String> {
        let address = self.judge.address(id);
        (self.judge.place.resources(&address) == [id]).then_some(address)
    }

    fn resources(&self, kind: &str) -> impl Iterator<Item = ResourceId> {
        let all = self.project.resources.iter_enumerated();
        let of_kind = all.filter(move |(_, r)| &*r.kind == kind && !self.judge.is_test(r.header));
        of_kind.map(|(id, _)| id).take(MAX_TRIED)
    }

    /// Only those who read some data now read it.
    fn data(&self) -> Option<ContractTerms> {
        let all = DATA.iter().flat_map(|(kind, action, what)| {
            let of_kind = self.resources(kind);
            of_kind.map(move |id| (id, *action, *what))
        });
        let proposed = all.filter_map(|(id, action, what)| {
            let address = self.address(id)?;
            let mut terms = ContractTerms {
                actions: ContractTerms::list([action]),
                resources: ContractTerms::list([address.clone()]),
                only: ContractTerms::list(Vec::<String>::new()),
                ..ContractTerms::named(format!("only its readers of today read the {what} {address}"))
            };
            let readers: BTreeSet<String> = self.judged(&terms, |judged| {
                let who = judged.breaches.iter().map(|b| b.who.clone());
                who.collect()
            });
            let is_role = |who: &String| self.judge.place.named_identities(who).len() == 1;
            if readers.is_empty() || readers.len() > MAX_READERS || !readers.iter().all(is_role) {
                return None;
            }
            terms.only = ContractTerms::list(readers);
            self.is_kept(&terms).then_some(terms)
        });
        proposed.into_iter().next()
    }

    fn builds(&self, identity: &Identity) -> bool {
        let trusted = identity
            .trust
            .iter()
            .flat_map(|d| &self.project.documents[*d].statements);
        let mut principals = trusted.filter_map(|s| s.principal.as_ref()).flat_map(|p| &p.items);
        principals.any(|item| {
            let shown = item.value.text.display();
            BUILDERS.iter().any(|builder| shown.contains(builder))
        })
    }

    /// What builds and deploys manages no identities.
    fn builder(&self) -> Option<ContractTerms> {
        let all = self
            .project
            .identities
            .iter()
            .filter(|i| self.builds(i))
            .take(MAX_TRIED);
        let proposed = all.filter_map(|identity| {
            let address = self.address(identity.resource)?;
            let terms = ContractTerms {
                who: ContractTerms::list([address.clone()]),
                never: ContractTerms::list(["iam:*", "organizations:*"]),
                ..ContractTerms::named(format!("{address} manages no identities"))
            };
            self.is_kept(&terms).then_some(terms)
        });
        proposed.into_iter().next()
    }

    /// Nothing public reaches a secret.
    fn public(&self) -> Option<ContractTerms> {
        self.resources("AWS::SecretsManager::Secret").next()?;
        let terms = ContractTerms {
            who: ContractTerms::list(["public"]),
            never: ContractTerms::list(["secretsmanager:GetSecretValue"]),
            reach: ContractReach::AnyPath,
            ..ContractTerms::named("nothing public reaches a secret")
        };
        self.is_kept(&terms).then_some(terms)
    }
}
