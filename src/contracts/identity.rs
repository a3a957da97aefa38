//! What an identity of the repository may do of what a contract asks.
//!
//! Its own policies grant, within its boundary and the levels above the account, less what the resource's policy denies; trust
//! policies and key policies must allow it too. A resource's policy that names it grants by itself.
//! IAM User Guide, "Policy evaluation for requests within a single account" and "Cross-account policy evaluation logic".

use std::collections::BTreeSet;

use super::Breach;
use super::judge::{AskedTerms, ContractJudge, FoundAccess, trust_actions};
use super::names::NamedResource;
use super::statements::{
    may_allow, may_be_identity, may_grant, may_name, principal_token, token_of, united, with_unknown_parts,
    without_accounts,
};
use crate::access::sets::{AskedCallers, AskedRequests, CommonAccess, Witness, WitnessValue, find_common};
use crate::access::{AccessRequest, Caller, ContextValue, Decision, RequestContext, decide};
use crate::iam::arn::is_account_id;
use crate::iam::{ActionSet, Document, Statement};
use crate::project::{IdentityGates, IdentityId, ResourceId, ResourcePolicy};
use crate::source::{Piece, Span, Text};

/// Resources that a statement is on one by one, before the rest counts as unknown.
const MAX_EXCLUDED: usize = 24;

/// Stands for an account that is not the one of the caller.
const OTHER_ACCOUNT: &str = "210987654321";

/// What follows the ARN of a resource in the ARNs of what is in it. Service Authorization Reference, "Resource types".
const INSIDE: &[(&str, &str)] = &[
    ("apigateway", "/*"),
    ("dynamodb", "/*"),
    ("es", "/*"),
    ("kinesis", "/*"),
    ("lambda", ":*"),
    ("logs", ":*"),
    ("s3", "/*"),
    ("secretsmanager", "-??????"),
    ("sns", ":*"),
    ("states", ":*"),
];

/// One question about the policies of an identity.
struct IdentityQuestion<'q> {
    actions: &'q [String],
    other_actions: ActionSet,
    resources: Vec<Text>,
    other_than: Vec<Text>,
    /// Also has to allow it.
    gate: Option<&'q Document>,
    /// Only what these deny counts.
    limits: Vec<&'q Document>,
    /// What it is about.
    on: &'q [ResourceId],
    /// In another account than the identity.
    is_across: bool,
}

impl ContractJudge<'_> {
    /// Everything that the identity may do of what is asked.
    pub(super) fn ask_identity(&self, id: IdentityId, asked: &AskedTerms<'_>, found: &mut FoundAccess) {
        for (target, direct) in asked.resources.iter().zip(&asked.direct) {
            match target {
                NamedResource::Declared(resource) => self.ask_declared(id, asked, *resource, &[], found),
                NamedResource::Any => self.ask_texts(id, asked, &[], &[], found),
                NamedResource::Arn(text, on) => self.ask_texts(id, asked, std::slice::from_ref(text), on, found),
            }
            self.ask_resource_policies(id, asked, target, direct, found);
        }
    }

    pub(super) fn make_arn(&self, id: IdentityId) -> String {
        let known = self.place.caller(id);
        if let Some(Caller::Identity(identity)) = known {
            return identity.arn;
        }
        let resource = self.project.identities[id].resource;
        let text = self.place.partial_arn(resource).unwrap_or_default();
        let pieces = text.pieces().iter().map(|p| match p {
            Piece::Lit(lit) => &*lit.text,
            Piece::Hole(_) => "unknown",
        });
        match pieces.collect::<String>() {
            arn if arn.is_empty() => format!("arn:aws:iam::{}:role/unknown", self.place.account),
            arn => arn,
        }
    }

    fn is_across(&self, id: IdentityId, resource: ResourceId) -> bool {
        let own = &self.project.resources[self.project.identities[id].resource];
        let other = &self.project.resources[resource];
        own.address.root() == other.address.root() && own.account != other.account
    }

    /// The ARNs of a resource and of what is in it; none where nothing of its ARN is known.
    pub(super) fn arns_of(&self, resource: ResourceId) -> Vec<Text> {
        let Some(arn) = self.place.partial_arn(resource) else {
            return Vec::new();
        };
        let prefix = arn.prefix();
        let service = prefix.split(':').nth(2).unwrap_or_default();
        let mut out = vec![arn.clone()];
        if let Some((_, tail)) = INSIDE.iter().find(|(of, _)| *of == service) {
            let mut inside = arn;
            inside.append(&Text::synthetic(tail, Span::NOWHERE));
            out.push(inside);
        }
        out
    }

    /// On one resource of the repository; `within` are ARNs in it, where only they are asked about.
    fn ask_declared(
        &self,
        id: IdentityId,
        asked: &AskedTerms<'_>,
        resource: ResourceId,
        within: &[Text],
        found: &mut FoundAccess,
    ) {
        let root = self.project.resources[self.project.identities[id].resource]
            .address
            .root();
        if self.is_another(root, resource) {
            return;
        }
        let policies: Vec<&ResourcePolicy> = self.policies().on(resource).collect();
        let documents = || policies.iter().map(|p| &p.document);
        let limits: Vec<&Document> = documents().collect();
        let gate = united(documents());
        let kind = &*self.project.resources[resource].kind;
        let is_across = self.is_across(id, resource);
        let mut resources = if within.is_empty() {
            self.arns_of(resource)
        } else {
            within.to_vec()
        };
        if resources.is_empty() {
            let why = format!("the ARN of `{}` is not known", self.address(resource));
            found.doubt(None, Some(self.project.resources[resource].header), why);
            return;
        }
        let on = [resource];
        let question = |actions, other_actions, resources, gate| IdentityQuestion {
            actions,
            other_actions,
            resources,
            other_than: Vec::new(),
            gate,
            limits: limits.clone(),
            on: &on,
            is_across,
        };
        match kind {
            "AWS::IAM::Role" => {
                let trust = trust_actions();
                let names: Vec<String> = trust
                    .iter()
                    .filter(|a| asked.set.contains(a.id()))
                    .map(|a| a.name().to_owned())
                    .collect();
                if !names.is_empty() {
                    let of_trust = question(&names, ActionSet::empty(), resources.clone(), Some(&gate));
                    self.ask_own_policies(id, asked, of_trust, found);
                }
                let rest = question(&asked.actions, trust, resources, None);
                self.ask_own_policies(id, asked, rest, found);
            }
            "AWS::KMS::Key" => {
                let of_key = question(&asked.actions, ActionSet::empty(), resources, Some(&gate));
                self.ask_own_policies(id, asked, of_key, found);
            }
            _ => {
                if kind == "AWS::SSM::Parameter" && within.is_empty() {
                    self.ask_paths_above(id, asked, &resources, found);
                }
                resources.dedup();
                let gate = Some(&gate).filter(|_| is_across);
                let plain = question(&asked.actions, ActionSet::empty(), resources, gate);
                self.ask_own_policies(id, asked, plain, found);
            }
        }
    }

    /// Reading all parameters below a path reads this one.
    fn ask_paths_above(&self, id: IdentityId, asked: &AskedTerms<'_>, arns: &[Text], found: &mut FoundAccess) {
        const BY_PATH: &str = "ssm:GetParametersByPath";
        let Some(arn) = arns.first().and_then(Text::known) else {
            return;
        };
        let above = arn.match_indices('/').skip(1).map(|(at, _)| arn[..at].to_owned());
        let above: Vec<Text> = above.map(|t| Text::synthetic(&t, Span::NOWHERE)).collect();
        if !asked.set.contains_name(BY_PATH) || above.is_empty() {
            return;
        }
        let question = IdentityQuestion {
            actions: &[BY_PATH.to_owned()],
            other_actions: ActionSet::empty(),
            resources: above,
            other_than: Vec::new(),
            gate: None,
            limits: Vec::new(),
            on: &[],
            is_across: false,
        };
        self.ask_own_policies(id, asked, question, found);
    }

    /// On all resources with these ARNs, or on any; `on` are those of the repository among them.
    fn ask_texts(
        &self,
        id: IdentityId,
        asked: &AskedTerms<'_>,
        texts: &[Text],
        on: &[ResourceId],
        found: &mut FoundAccess,
    ) {
        // What trust policies and key policies decide is asked of each that is here.
        let trust = trust_actions();
        let asks_trust = asked.set.intersects(&trust);
        let asks_keys = asked.set.services().contains(&"kms");
        let all: Vec<ResourceId> = match texts.is_empty() {
            true => self.project.resources.ids().collect(),
            false => on.to_vec(),
        };
        for resource in all {
            match &*self.project.resources[resource].kind {
                "AWS::IAM::Role" if asks_trust => self.ask_declared(id, asked, resource, &[], found),
                "AWS::KMS::Key" if asks_keys => self.ask_declared(id, asked, resource, &[], found),
                _ => {}
            }
        }
        let limits: Vec<&Document> = match texts.is_empty() {
            true => Vec::new(),
            false => on
                .iter()
                .flat_map(|r| self.policies().on(*r))
                .map(|p| &p.document)
                .collect(),
        };
        let question = IdentityQuestion {
            actions: &asked.actions,
            other_actions: ActionSet::empty(),
            resources: texts.to_vec(),
            other_than: Vec::new(),
            gate: None,
            limits,
            on,
            is_across: false,
        };
        self.ask_own_policies(id, asked, question, found);
    }

    fn ask_own_policies(
        &self,
        id: IdentityId,
        asked: &AskedTerms<'_>,
        mut question: IdentityQuestion<'_>,
        found: &mut FoundAccess,
    ) {
        let gates = self.gates(id);
        if !may_grant(&gates.grants.document, asked) {
            return;
        }
        let mut tried: BTreeSet<ResourceId> = BTreeSet::new();
        for _ in 0..MAX_EXCLUDED {
            let access = self.common(id, gates, &gates.grants.document, asked, &question);
            self.note_unknown(id, gates, &access, found);
            let mut denied: Vec<(usize, Witness, String)> = Vec::new();
            for grant in access.granted {
                let on = match question.on.is_empty() {
                    true => self.with_arn(&grant.request.resource),
                    false => question.on.to_vec(),
                };
                match self.decide(id, &grant.request, &on, question.is_across) {
                    (Decision::Allowed, _) => self.break_by(id, gates, grant.statement, grant.request, found),
                    // All policies about it were compared, with the parts of names that are not known.
                    (Decision::Unknown, _) if !question.on.is_empty() => {
                        self.break_by(id, gates, grant.statement, grant.request, found);
                    }
                    (Decision::Unknown, why) => {
                        let at = token_of(gates, grant.statement, &grant.request.action);
                        found.doubt(Some(self.name(id)), at, why);
                    }
                    (_, why) => denied.push((grant.statement, grant.request, why)),
                }
            }
            // What the policy of one resource denies, those of others may not.
            let mut is_narrowed = false;
            for (statement, request, why) in denied {
                let here: Vec<ResourceId> = match question.on.is_empty() {
                    true => self.with_arn(&request.resource),
                    false => Vec::new(),
                };
                if here.is_empty() {
                    found.doubt(Some(self.name(id)), token_of(gates, statement, &request.action), why);
                    continue;
                }
                for resource in here.into_iter().filter(|r| tried.insert(*r)) {
                    self.ask_declared(id, asked, resource, &[], found);
                    question.other_than.extend(self.arns_of(resource));
                    is_narrowed = true;
                }
            }
            if !is_narrowed {
                return;
            }
        }
        found.doubt(Some(self.name(id)), None, "too many resources to compare");
    }

    fn common(
        &self,
        id: IdentityId,
        gates: &IdentityGates,
        grants: &Document,
        asked: &AskedTerms<'_>,
        question: &IdentityQuestion<'_>,
    ) -> CommonAccess {
        let mut all: Vec<&Document> = vec![grants];
        all.extend(&gates.boundary);
        all.extend(gates.levels.iter().filter(|(_, full)| !full).map(|(d, _)| d));
        all.extend(question.gate);
        let mut limits: Vec<&Document> = gates.levels.iter().filter(|(_, full)| *full).map(|(d, _)| d).collect();
        limits.extend(&question.limits);
        let request = AskedRequests {
            callers: AskedCallers::identity(self.identity_arn(id)),
            actions: question.actions.to_vec(),
            other_actions: question.other_actions.clone(),
            resources: question.resources.clone(),
            other_than: question.other_than.clone(),
            account: self.place.account.clone(),
        };
        find_common(&request, &all, &limits, asked.beyond)
    }

    fn name(&self, id: IdentityId) -> String {
        self.address(self.project.identities[id].resource)
    }

    fn note_unknown(&self, id: IdentityId, gates: &IdentityGates, access: &CommonAccess, found: &mut FoundAccess) {
        for (statement, why) in &access.unknown {
            let who = Some(self.name(id));
            if gates.grants.document.statements.get(*statement).is_some() {
                let why = with_unknown_parts(&gates.grants.document.statements[*statement], why);
                found.doubt(who, token_of(gates, *statement, ""), why);
                continue;
            }
            // More may be granted than is here.
            let named: BTreeSet<Span> = gates.grants.elsewhere.values().copied().collect();
            for (span, what) in gates.unknown.iter().filter(|(span, _)| !named.contains(span)) {
                found.doubt(who.clone(), Some(*span), format!("it has {what}"));
            }
            for (name, span) in &gates.grants.elsewhere {
                found.doubt(
                    who.clone(),
                    Some(*span),
                    format!("the policy `{name}` is not in the repository"),
                );
            }
            if gates.unknown.is_empty() && gates.grants.elsewhere.is_empty() {
                let header = self.project.identities[id].header;
                found.doubt(who, Some(header), "a part of its policies is not known");
            }
        }
    }

    fn break_by(
        &self,
        id: IdentityId,
        gates: &IdentityGates,
        statement: usize,
        request: Witness,
        found: &mut FoundAccess,
    ) {
        let header = self.project.identities[id].header;
        found.breach(Breach {
            who: self.name(id),
            resource: Some(self.project.identities[id].resource),
            at: token_of(gates, statement, &request.action).unwrap_or(header),
            request: Some(request),
            path: None,
        });
    }

    /// What AWS decides of a request in which everything is said.
    fn decide(&self, id: IdentityId, witness: &Witness, on: &[ResourceId], is_across: bool) -> (Decision, String) {
        let caller = match self.place.caller(id).or_else(|| Caller::parse(self.identity_arn(id))) {
            Some(caller) => caller,
            None => {
                return (
                    Decision::Unknown,
                    "who it is when it is deployed is not known".to_owned(),
                );
            }
        };
        let mut context = RequestContext::closed();
        for (key, value) in &witness.context {
            context.set(key, ContextValue::Known(WitnessValue::values(value).to_vec()));
        }
        let mut documents = self.place.documents(Some(id), on);
        let said = on
            .iter()
            .flat_map(|r| self.policies().on(*r))
            .filter(|p| p.written.is_none());
        said.for_each(|p| documents.add_resource_policy(p.document.clone()));
        let account = witness.resource.split(':').nth(4).unwrap_or_default();
        let action = witness.action.to_ascii_lowercase();
        let is_decided_there = action.starts_with("sts:assume") || action.starts_with("kms:");
        let is_elsewhere = is_account_id(account) && Some(account) != caller.account();
        let is_hidden = on.is_empty() && (is_decided_there || is_elsewhere);
        if is_hidden {
            documents.open_resource();
        }
        let resource_account = match (is_across, on.is_empty()) {
            (true, _) => Some(OTHER_ACCOUNT.to_owned()),
            (false, false) => Some(self.place.account.clone()),
            (false, true) => None,
        };
        let request = AccessRequest {
            caller,
            action: witness.action.clone(),
            resources: vec![witness.resource.clone()],
            resource_account,
            context,
        };
        let policies = documents.policies();
        let answer = decide(&request, &policies);
        match answer.decision {
            Decision::Unknown if is_hidden => {
                let why = format!("the policy of `{}` is not in the repository", witness.resource);
                (Decision::Unknown, why)
            }
            decision => (decision, answer.why),
        }
    }

    /// The policies about what is meant that may allow an identity something by name, without what they leave to the account.
    pub(super) fn direct_policies<'s>(
        &'s self,
        target: &NamedResource,
        asked: &AskedTerms<'_>,
    ) -> Vec<(&'s ResourcePolicy, Document)> {
        let about = self.policies_about(target).into_iter();
        let granting = about.filter(|p| !self.is_test(p.document.span) && may_grant(&p.document, asked));
        let direct = granting.map(|p| {
            let mut direct = without_accounts(&p.document, &may_be_identity);
            // What is not about it cannot let anyone in.
            let is_open = direct.open;
            direct
                .statements
                .retain(|s| is_open || s.is_written_as_deny() || may_allow(s, asked));
            (p, direct)
        });
        direct
            .filter(|(_, d)| !d.statements.iter().all(Statement::is_written_as_deny))
            .collect()
    }

    /// What policies on resources allow it by name.
    fn ask_resource_policies(
        &self,
        id: IdentityId,
        asked: &AskedTerms<'_>,
        target: &NamedResource,
        direct: &[(&ResourcePolicy, Document)],
        found: &mut FoundAccess,
    ) {
        let root = self.project.resources[self.project.identities[id].resource]
            .address
            .root();
        let naming = direct.iter().filter(|(_, d)| may_name(d, self.identity_arn(id)));
        for (policy, direct) in naming {
            let is_apart = policy.on.is_some_and(|on| {
                let other = self.project.resources[on].address.root();
                self.is_across(id, on)
                    || self.is_another(root, on)
                    || self.is_another(other, self.project.identities[id].resource)
            });
            if is_apart {
                continue;
            }
            let gates = self.gates(id);
            let beside = policy
                .on
                .into_iter()
                .flat_map(|on| self.policies().on(on))
                .map(|p| &p.document);
            let mut limits: Vec<&Document> = beside.collect();
            limits.push(&gates.grants.document);
            limits.extend(&gates.boundary);
            let on: Vec<ResourceId> = policy.on.into_iter().collect();
            let request = AskedRequests {
                callers: AskedCallers::identity(self.identity_arn(id)),
                actions: asked.actions.clone(),
                other_actions: ActionSet::empty(),
                resources: self.asked_on(policy, target),
                other_than: Vec::new(),
                account: self.place.account.clone(),
            };
            let mut all = vec![direct];
            all.extend(gates.levels.iter().filter(|(_, full)| !full).map(|(d, _)| d));
            let access = find_common(&request, &all, &limits, asked.beyond);
            for (statement, why) in &access.unknown {
                let s = direct.statements.get(*statement);
                let why = s.map_or_else(|| (*why).to_owned(), |s| with_unknown_parts(s, why));
                found.doubt(Some(self.name(id)), s.and_then(|s| principal_token(s, "")), why);
            }
            for grant in access.granted {
                let Some(s) = direct.statements.get(grant.statement) else {
                    continue;
                };
                let at = principal_token(s, self.identity_arn(id)).unwrap_or(policy.document.span);
                let decision = self.decide(id, &grant.request, &on, false);
                let is_compared = !on.is_empty() && gates.boundary.is_none();
                match decision {
                    (Decision::Unknown, _) if is_compared => {
                        found.breach(self.breach_at(id, policy, grant.request, at))
                    }
                    (Decision::Allowed, _) => found.breach(self.breach_at(id, policy, grant.request, at)),
                    // A boundary limits what names a role, and nothing else here can deny it.
                    (Decision::ImplicitlyDenied, _) if gates.boundary.is_some() => {
                        let mut all = all.clone();
                        all.extend(&gates.boundary);
                        if !find_common(&request, &all, &limits, asked.beyond).is_nothing() {
                            found.doubt(
                                Some(self.name(id)),
                                Some(at),
                                "its permissions boundary limits it in part",
                            );
                        }
                    }
                    (_, why) => found.doubt(Some(self.name(id)), Some(at), why),
                }
            }
        }
    }

    fn breach_at(&self, id: IdentityId, policy: &ResourcePolicy, request: Witness, at: Span) -> Breach {
        Breach {
            who: self.name(id),
            resource: policy.on.or(Some(self.project.identities[id].resource)),
            request: Some(request),
            at,
            path: None,
        }
    }

    /// The policies that may be on what is meant.
    pub(super) fn policies_about<'s>(&'s self, target: &NamedResource) -> Vec<&'s ResourcePolicy> {
        let all = self.policies();
        match target {
            NamedResource::Any => all.all.iter().collect(),
            NamedResource::Declared(resource) => {
                let loose = all.all.iter().filter(|p| p.on.is_none());
                all.on(*resource).chain(loose).collect()
            }
            NamedResource::Arn(_, on) => {
                let loose = all.all.iter().filter(|p| p.on.is_none());
                on.iter().flat_map(|r| all.on(*r)).chain(loose).collect()
            }
        }
    }

    /// The resources that are asked about, of a policy on one of them.
    pub(super) fn asked_on(&self, policy: &ResourcePolicy, target: &NamedResource) -> Vec<Text> {
        match target {
            NamedResource::Declared(resource) => self.arns_of(*resource),
            NamedResource::Arn(text, _) => vec![text.clone()],
            NamedResource::Any => policy.on.map_or_else(Vec::new, |on| self.arns_of(on)),
        }
    }
}
