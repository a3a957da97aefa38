//! What those who are not of the repository may do: policies on resources alone let them in.

use super::Breach;
use super::judge::{AskedTerms, ContractJudge, FoundAccess};
use super::names::{NamedResource, Outsider};
use super::statements::{is_account, may_grant, principal_token, with_unknown_parts, without_accounts};
use crate::access::sets::{AskedCallers, AskedRequests, WitnessPrincipal, find_common};
use crate::iam::access::{Audience, Limit, audience};
use crate::iam::{ActionSet, Document, PrincipalItem, PrincipalType, Statement};
use crate::project::ResourcePolicy;
use crate::value::Value;

/// Whether a statement lets someone in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Yes,
    /// It is for some of them.
    Perhaps(&'static str),
    No,
}

impl ContractJudge<'_> {
    /// Everything that policies on resources allow those outside; `who` is everyone where it is not given. `only` are not asked
    /// about, nor are the identities of the repository, each of which is asked about by itself.
    pub(super) fn ask_outsiders(
        &self,
        who: Option<&[Outsider]>,
        excepted: &[Outsider],
        asked: &AskedTerms<'_>,
        found: &mut FoundAccess,
    ) {
        if who.is_some_and(<[Outsider]>::is_empty) {
            return;
        }
        for target in &asked.resources {
            for policy in self.policies_about(target) {
                if self.is_test(policy.document.span) || !may_grant(&policy.document, asked) {
                    continue;
                }
                match who {
                    Some(who) => {
                        for outsider in who.iter().filter(|o| !excepted.contains(o)) {
                            self.ask_outsider(Some(outsider), excepted, policy, target, asked, found);
                        }
                    }
                    None => self.ask_outsider(None, excepted, policy, target, asked, found),
                }
            }
            self.note_other_grants(who, target, asked, found);
        }
    }

    fn ask_outsider(
        &self,
        who: Option<&Outsider>,
        excepted: &[Outsider],
        policy: &ResourcePolicy,
        target: &NamedResource,
        asked: &AskedTerms<'_>,
        found: &mut FoundAccess,
    ) {
        let own = self.own_accounts();
        // The own account decides about those in it.
        let is_own = |item: &PrincipalItem| {
            let shown = item.value.text.display();
            is_account(item) && own.iter().any(|account| shown.contains(account.as_str()))
        };
        let mut document = without_accounts(&policy.document, &|item| !is_own(item));
        let mut entries: Vec<Entry> = Vec::new();
        document.statements.retain(|s| {
            let entry = match s.is_written_as_deny() {
                true => Entry::Yes,
                false => self.entry(who, policy, s),
            };
            if entry != Entry::No {
                entries.push(entry);
            }
            entry != Entry::No
        });
        if document.statements.iter().all(Statement::is_written_as_deny) && !document.open {
            return;
        }
        let mut callers = who.map_or_else(AskedCallers::default, |o| o.callers(&own));
        if who.is_none() {
            callers = callers.without(&self.known_callers());
        }
        for other in excepted {
            callers = callers.without(&other.callers(&own));
        }
        let request = AskedRequests {
            callers,
            actions: asked.actions.clone(),
            other_actions: ActionSet::empty(),
            resources: self.asked_on(policy, target),
            other_than: Vec::new(),
            account: self.place.account.clone(),
        };
        let beside = policy
            .on
            .into_iter()
            .flat_map(|on| self.policies().on(on))
            .map(|p| &p.document);
        let limits: Vec<&Document> = beside.collect();
        let access = find_common(&request, &[&document], &limits, asked.beyond);
        for (at, why) in &access.unknown {
            let s = document.statements.get(*at);
            let why = s.map_or_else(|| (*why).to_owned(), |s| with_unknown_parts(s, why));
            let place = s.and_then(|s| principal_token(s, "")).unwrap_or(policy.document.span);
            found.doubt(policy.on.map(|on| self.address(on)), Some(place), why);
        }
        for grant in access.granted {
            let (Some(s), Some(entry)) = (document.statements.get(grant.statement), entries.get(grant.statement))
            else {
                continue;
            };
            let name = match &grant.request.principal {
                WitnessPrincipal::Anonymous => "anyone".to_owned(),
                WitnessPrincipal::Named(name) => name.clone(),
            };
            let is_everyone = s
                .principal
                .as_ref()
                .is_some_and(|p| p.negated || p.items.iter().any(is_star));
            let at = principal_token(s, &name).unwrap_or(policy.document.span);
            match entry {
                Entry::Perhaps(why) => found.doubt(policy.on.map(|on| self.address(on)), Some(at), *why),
                _ => found.breach(Breach {
                    who: if is_everyone {
                        "anyone".to_owned()
                    } else {
                        shown(s, name)
                    },
                    resource: policy.on,
                    request: Some(grant.request),
                    at,
                    path: None,
                }),
            }
        }
    }

    fn known_callers(&self) -> AskedCallers {
        let ids = self.project.identities.ids();
        ids.fold(AskedCallers::default(), |all, id| {
            all.with(&AskedCallers::identity(self.identity_arn(id)))
        })
    }

    /// Whether a statement is for these, apart from what it allows.
    fn entry(&self, who: Option<&Outsider>, policy: &ResourcePolicy, s: &Statement) -> Entry {
        let own = self.project.own;
        let Some(clause) = s.principal.as_ref() else {
            return Entry::No;
        };
        if clause.negated {
            return Entry::Yes;
        }
        let written = policy.written.map(|id| &self.project.documents[id]);
        let document = written.unwrap_or(&policy.document);
        let audiences = clause.items.iter().map(|item| (item, audience(document, s, item, own)));
        let of = |item: &PrincipalItem, a: &Audience| -> Entry {
            let is_open = !item.value.text.is_known();
            match (who, a) {
                (Some(Outsider::Public), Audience::Everyone(Limit::None | Limit::Some)) => Entry::Yes,
                (Some(Outsider::Public), Audience::Other) if is_open => Entry::Perhaps("who is let in is not known"),
                (Some(Outsider::Public), _) => Entry::No,
                (Some(Outsider::OtherAccounts), Audience::Everyone(Limit::Named)) => {
                    Entry::Perhaps("a condition names who is let in")
                }
                (Some(Outsider::OtherAccounts), Audience::Account { .. }) if own.accounts.is_empty() => {
                    Entry::Perhaps("the settings do not say which accounts are yours")
                }
                (Some(Outsider::OtherAccounts), Audience::SomeAccount { .. }) => {
                    Entry::Perhaps("the account that is let in is not known")
                }
                (Some(Outsider::OtherAccounts), Audience::Owner(_)) => Entry::No,
                _ => Entry::Yes,
            }
        };
        let entries: Vec<Entry> = audiences.map(|(item, a)| of(item, &a)).collect();
        let open = if clause.complete {
            Entry::No
        } else {
            Entry::Perhaps("who is let in is not known")
        };
        let all = || entries.iter().copied().chain([open]);
        all()
            .find(|e| *e == Entry::Yes)
            .or_else(|| all().find(|e| *e != Entry::No))
            .unwrap_or(Entry::No)
    }

    /// What lets people in and is no policy: access control lists, and grants of keys.
    fn note_other_grants(
        &self,
        who: Option<&[Outsider]>,
        target: &NamedResource,
        asked: &AskedTerms<'_>,
        found: &mut FoundAccess,
    ) {
        let outside = |o: &Outsider| matches!(o, Outsider::Public | Outsider::OtherAccounts);
        if who.is_some_and(|who| !who.iter().any(outside)) {
            return;
        }
        let services = asked.set.services();
        for (id, r) in self.project.resources.iter_enumerated() {
            let about = |property: &str| {
                let referred = r.get(property).and_then(Value::as_hole).and_then(|h| h.target.as_ref());
                referred.and_then(|t| self.project.resource_at(t)).map(|(id, _)| id)
            };
            let (on, setting, why) = match &*r.kind {
                "AWS::S3::Bucket" if services.contains(&"s3") => (Some(id), "AccessControl", "an access control list"),
                "AWS::S3::BucketAcl" if services.contains(&"s3") => {
                    (about("Bucket"), "AccessControl", "an access control list")
                }
                "AWS::KMS::Grant" if services.contains(&"kms") => {
                    (about("KeyId"), "GranteePrincipal", "a grant of the key")
                }
                _ => continue,
            };
            let Some(value) = r.get(setting) else { continue };
            let is_private = value.as_str().is_some_and(|v| {
                let v = v.to_ascii_lowercase().replace('-', "");
                matches!(
                    v.as_str(),
                    "private" | "logdeliverywrite" | "bucketownerfullcontrol" | "bucketownerread"
                )
            });
            let is_meant = match target {
                NamedResource::Any => true,
                NamedResource::Declared(resource) => on.is_none_or(|on| on == *resource),
                NamedResource::Arn(_, all) => on.is_none_or(|on| all.contains(&on)),
            };
            if is_meant && !is_private {
                let name = on.map(|on| self.address(on));
                found.doubt(name, Some(value.span), format!("{why} may let others in"));
            }
        }
    }
}

fn is_star(item: &PrincipalItem) -> bool {
    let everyone = item.kind == PrincipalType::Everyone;
    everyone || item.kind == PrincipalType::Aws && item.value.text.known().is_some_and(|t| t == "*")
}

/// The principal as the statement names it, where it names one alone.
fn shown(s: &Statement, name: String) -> String {
    match s.principal.as_ref().map(|p| p.items.as_slice()) {
        Some([one]) => one.value.text.known().map_or(name, |t| t.into_owned()),
        _ => name,
    }
}
