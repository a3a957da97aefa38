//! The decision.
//!
//! IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access", "Policy evaluation for requests
//! within a single account", and "Cross-account policy evaluation logic". Where these pages leave a choice:
//!
//! - A request that nothing allows is implicitly denied also where it is not known whether a Deny applies.
//! - A role as the caller is a session of it whose name is not known.
//! - A session policy together with a user as the caller: the user is one who federated.
//! - Identity policies and a boundary do not apply to the root user ("You can't attach identity-based policies to the root
//!   user": IAM User Guide, "AWS account root user").

use super::policies::{DecidingStatement, PolicyGroup, PolicyRole, RequestPolicies};
use super::principal::{NamedCaller, Naming};
use super::request::{AccessRequest, Caller, CallerKind};
use super::statement::{ResourceRequest, has_identity_policies};
use crate::iam::service::RCP_SERVICES;
use crate::iam::{Effect, Truth};

/// What AWS does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    Allowed,
    ExplicitlyDenied,
    /// Something that has to allow it does not.
    ImplicitlyDenied,
    Unknown,
}

/// The decision, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessAnswer<'d> {
    pub decision: Decision,
    /// The statements that decided: those that deny, those that allow, or those that may. None where nothing allows.
    pub by: Vec<DecidingStatement<'d>>,
    /// One sentence without its period.
    pub why: String,
}

impl<'d> AccessAnswer<'d> {
    fn new(decision: Decision, by: Vec<DecidingStatement<'d>>, why: impl Into<String>) -> Self {
        Self {
            decision,
            by,
            why: why.into(),
        }
    }
}

/// Decides a request. Of several resources all must be allowed; the most severe answer counts.
pub fn decide<'d>(request: &AccessRequest, policies: &RequestPolicies<'d>) -> AccessAnswer<'d> {
    let gravity = |d: Decision| match d {
        Decision::Allowed => 0,
        Decision::Unknown => 1,
        Decision::ImplicitlyDenied => 2,
        Decision::ExplicitlyDenied => 3,
    };
    let mut answer: Option<AccessAnswer<'d>> = None;
    for resource in &request.resources {
        let mut one = Evaluation::new(request, resource, policies).answer();
        if request.resources.len() > 1 && one.decision != Decision::Allowed {
            one.why = format!("for `{resource}`: {}", one.why);
        }
        answer = Some(match answer {
            Some(before) if gravity(before.decision) > gravity(one.decision) => before,
            Some(mut before) if before.decision == one.decision => {
                for statement in one.by {
                    if !before.by.contains(&statement) {
                        before.by.push(statement);
                    }
                }
                before
            }
            _ => one,
        });
    }
    answer.unwrap_or_else(|| AccessAnswer::new(Decision::ImplicitlyDenied, Vec::new(), "no resource is named"))
}

/// What the policies of one role allow.
struct RoleGrants<'d> {
    naming: Naming,
    by: Vec<DecidingStatement<'d>>,
    maybe: Vec<DecidingStatement<'d>>,
}

/// A policy type that has to allow a request, and whether it does.
struct Gate {
    allowed: Truth,
    why: String,
}

struct Evaluation<'r, 'd> {
    request: &'r AccessRequest,
    about: ResourceRequest<'r>,
    policies: &'r RequestPolicies<'d>,
}

impl<'r, 'd> Evaluation<'r, 'd> {
    fn new(request: &'r AccessRequest, resource: &'r str, policies: &'r RequestPolicies<'d>) -> Self {
        Self {
            request,
            about: ResourceRequest::new(request, resource),
            policies,
        }
    }

    fn answer(&self) -> AccessAnswer<'d> {
        if let Some(why) = self.needs_no_permission() {
            return AccessAnswer::new(Decision::Allowed, Vec::new(), why);
        }
        let (denied, maybe_denied) = self.denials();
        if let Some(first) = denied.first() {
            let why = format!("{} denies it", first.role.phrase());
            return AccessAnswer::new(Decision::ExplicitlyDenied, denied, why);
        }
        let mut gates = self.guardrails();
        let (granted, by, maybe) = self.granted();
        let granted_why = granted.why.clone();
        gates.push(granted);
        if let Some(closed) = gates.iter().find(|g| g.allowed.is_no()) {
            return AccessAnswer::new(Decision::ImplicitlyDenied, Vec::new(), closed.why.clone());
        }
        if !maybe_denied.is_empty() {
            let why = format!("{} may deny it", maybe_denied[0].role.phrase());
            return AccessAnswer::new(Decision::Unknown, maybe_denied, why);
        }
        if let Some(unknown) = gates.iter().find(|g| g.allowed == Truth::Unknown) {
            let why = format!("not known: {}", unknown.why);
            return AccessAnswer::new(Decision::Unknown, maybe, why);
        }
        AccessAnswer::new(Decision::Allowed, by, granted_why)
    }

    /// AWS STS API Reference, "GetCallerIdentity": no permissions are required, and a Deny changes nothing.
    fn needs_no_permission(&self) -> Option<&'static str> {
        let is_signed = !matches!(self.request.caller, Caller::Anonymous);
        (is_signed && self.request.is_for("sts:GetCallerIdentity")).then_some("it needs no permission")
    }

    /// The groups that apply, by their roles.
    fn groups(&self) -> Vec<(PolicyRole, &'r PolicyGroup<'d>)> {
        let p = self.policies;
        let mut out = Vec::new();
        if has_identity_policies(&self.request.caller) {
            out.push((PolicyRole::Identity, &p.identity));
            out.extend(p.boundary.iter().map(|g| (PolicyRole::Boundary, g)));
        }
        if self.request.caller.identity().is_some() {
            out.extend(p.session.iter().map(|g| (PolicyRole::Session, g)));
        }
        out.push((PolicyRole::Resource, &p.resource));
        if self.is_limited_by_scp() {
            out.extend(p.scp.iter().enumerate().map(|(level, g)| (PolicyRole::Scp(level), g)));
        }
        if self.is_limited_by_rcp() {
            out.extend(p.rcp.iter().enumerate().map(|(level, g)| (PolicyRole::Rcp(level), g)));
        }
        out.extend(p.endpoint.iter().map(|g| (PolicyRole::Endpoint, g)));
        out
    }

    /// Service control policies limit the principals of an account, its root user too, and not AWS services, callers of no
    /// account, or service-linked roles. Whether the account is the management account, on which they have no effect, no
    /// request says: the policies that are given apply.
    /// AWS Organizations User Guide, "Service control policies (SCPs)", "SCP effects on permissions".
    fn is_limited_by_scp(&self) -> bool {
        self.request.caller.identity().is_some_and(|i| !i.is_service_linked())
    }

    /// Resource control policies limit everyone, AWS services and anonymous callers too, but not service-linked roles, and
    /// only for some services. AWS Organizations User Guide, "Resource control policies (RCPs)"; AWS KMS Developer Guide,
    /// "Resource control policies in AWS KMS" for `kms:RetireGrant`.
    fn is_limited_by_rcp(&self) -> bool {
        let is_linked = self.request.caller.identity().is_some_and(|i| i.is_service_linked());
        let service = self.request.service();
        !is_linked && RCP_SERVICES.contains(&&*service) && !self.request.is_for("kms:RetireGrant")
    }

    fn named(&self) -> NamedCaller<'_> {
        let p = self.policies;
        let own = has_identity_policies(&self.request.caller);
        NamedCaller {
            caller: &self.request.caller,
            context: &self.about.context,
            has_session_policy: p.session.is_some(),
            has_boundary: own && p.boundary.is_some(),
        }
    }

    /// The statements that deny, and those that may.
    fn denials(&self) -> (Vec<DecidingStatement<'d>>, Vec<DecidingStatement<'d>>) {
        let (mut yes, mut maybe) = (Vec::new(), Vec::new());
        let named = self.named();
        for (role, group) in self.groups() {
            if role == PolicyRole::Resource && self.is_never_locked_out() {
                continue;
            }
            for at in statements(role, group) {
                let denies = match at.statement.effect.as_ref().map(|e| e.value) {
                    Some(Effect::Deny) => Truth::Yes,
                    Some(Effect::Unknown) => Truth::Unknown,
                    _ => continue,
                };
                let principal = at.statement.principal.as_ref();
                let is_for = principal.map_or(Truth::Yes, |p| named.is_denied(p));
                if is_for.is_no() {
                    continue;
                }
                match denies.and(is_for).and(self.about.matches(at.document, at.statement)) {
                    Truth::Yes => yes.push(at),
                    Truth::Unknown => maybe.push(at),
                    Truth::No => {}
                }
            }
        }
        (yes, maybe)
    }

    /// Amazon S3 User Guide, "Bucket policies": the root user of the account of a bucket can read, write, and delete its
    /// policy whatever that says.
    fn is_never_locked_out(&self) -> bool {
        let actions = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];
        let is_root = self.request.caller.identity().is_some_and(|i| i.is_root());
        is_root && self.about.is_same_account() && actions.iter().any(|a| self.request.is_for(a))
    }

    fn grants(&self, role: PolicyRole, group: &PolicyGroup<'d>) -> RoleGrants<'d> {
        let named = self.named();
        let open = match (group.allows_all, group.is_open) {
            (true, _) => Naming::ALL,
            (false, true) => Naming::ALL.and(Truth::Unknown),
            (false, false) => Naming::NONE,
        };
        let mut out = RoleGrants {
            naming: open,
            by: Vec::new(),
            maybe: Vec::new(),
        };
        for at in statements(role, group) {
            let allows = match at.statement.effect.as_ref().map(|e| e.value) {
                Some(Effect::Allow) => Truth::Yes,
                Some(Effect::Unknown) => Truth::Unknown,
                _ => continue,
            };
            let principal = at.statement.principal.as_ref();
            let naming = principal.map_or(Naming::ALL, |p| named.naming(p));
            if naming.any.is_no() {
                continue;
            }
            let naming = naming.and(allows.and(self.about.matches(at.document, at.statement)));
            match naming.any {
                Truth::Yes => out.by.push(at),
                Truth::Unknown => out.maybe.push(at),
                Truth::No => {}
            }
            out.naming = out.naming.or(naming);
        }
        out
    }

    /// What must allow a request in addition to what grants it, in the order of the documentation.
    fn guardrails(&self) -> Vec<Gate> {
        let groups = self.groups();
        let mut gates: Vec<(PolicyRole, Gate)> = Vec::new();
        for (role, group) in groups {
            let what = match role {
                PolicyRole::Scp(level) => format!("no service control policy of level {} allows it", level + 1),
                PolicyRole::Rcp(level) => format!("no resource control policy of level {} allows it", level + 1),
                PolicyRole::Endpoint => "the endpoint policy does not allow it".to_owned(),
                _ => continue,
            };
            let allowed = self.grants(role, group).naming.any;
            gates.push((role, Gate { allowed, why: what }));
        }
        // Resource control policies come before service control policies.
        gates.sort_by_key(|(role, _)| match role {
            PolicyRole::Rcp(_) => 0,
            PolicyRole::Scp(_) => 1,
            _ => 2,
        });
        gates.into_iter().map(|(_, gate)| gate).collect()
    }

    /// Whether identity and resource policies grant it, within the boundary and the session policy; the statements that do,
    /// and those that may.
    fn granted(&self) -> (Gate, Vec<DecidingStatement<'d>>, Vec<DecidingStatement<'d>>) {
        let resource = self.grants(PolicyRole::Resource, &self.policies.resource);
        let Caller::Identity(identity) = &self.request.caller else {
            return gate(
                resource.naming.any,
                "the resource policy allows it",
                "no resource policy allows it",
                resource.by,
                resource.maybe,
            );
        };
        let decides = self.about.is_for_trust() || self.about.is_for_key();
        if identity.is_root() {
            return self.granted_to_root(resource, decides);
        }
        if let Some(why) = self.never_allowed(identity.kind) {
            return gate(Truth::No, "", why, Vec::new(), Vec::new());
        }
        let own = self.grants(PolicyRole::Identity, &self.policies.identity);
        let within = |role: PolicyRole, group: Option<&PolicyGroup<'d>>| {
            group.map_or(Truth::Yes, |g| self.grants(role, g).naming.any)
        };
        let boundary = within(PolicyRole::Boundary, self.policies.boundary.as_ref());
        let no_session = identity.kind == CallerKind::FederatedUser && self.policies.session.is_none();
        let session = match no_session {
            true => Truth::No,
            false => within(PolicyRole::Session, self.policies.session.as_ref()),
        };
        let limited = boundary.and(session);
        let needs_none = identity.kind == CallerKind::User && self.request.is_for("sts:GetSessionToken");
        let unlimited_identity = own.naming.any.or(needs_none.into());
        let by_identity = unlimited_identity.and(limited);
        let by_resource = (resource.naming.direct).or(resource.naming.beyond_account.and(limited));
        let same = self.about.is_same_account();
        let (allowed, yes) = match (same, decides) {
            (true, true) if by_resource.is_yes() => (by_resource, "the resource policy allows it"),
            (true, true) => (
                by_resource.or(by_identity.and(resource.naming.any)),
                "an identity policy allows it, and the resource policy delegates to the account",
            ),
            (true, false) if by_identity.is_yes() => (by_identity, "an identity policy allows it"),
            (true, false) => (by_identity.or(by_resource), "the resource policy allows it"),
            (false, _) => (
                by_identity.and(resource.naming.any),
                "an identity policy and the resource policy of the other account allow it",
            ),
        };
        let no = match () {
            () if no_session => "a federated user without a session policy has no permissions of its own",
            () if unlimited_identity.may_be() && boundary.is_no() => "the permissions boundary does not allow it",
            () if unlimited_identity.may_be() && session.is_no() => "the session policy does not allow it",
            () if !same && resource.naming.any.is_no() => "no resource policy of the other account allows it",
            () if decides && resource.naming.any.is_no() => match self.about.is_for_key() {
                true => "the key policy does not allow it",
                false => "the trust policy does not allow it",
            },
            () if resource.naming.beyond_account.may_be() && boundary.is_no() => {
                "the permissions boundary does not allow it"
            }
            () if resource.naming.beyond_account.may_be() && session.is_no() => "the session policy does not allow it",
            () => "no identity policy allows it",
        };
        let (mut by, mut maybe) = (Vec::new(), Vec::new());
        if by_identity.may_be() {
            by.extend(own.by);
            maybe.extend(own.maybe);
        }
        if !same || decides || by_resource.may_be() {
            by.extend(resource.by);
            maybe.extend(resource.maybe);
        }
        gate(allowed, yes, no, by, maybe)
    }

    /// The root user needs no policy in its own account, but for keys, and it cannot assume roles.
    /// AWS STS API Reference, "AssumeRole"; AWS KMS Developer Guide, "Key policies in AWS KMS".
    fn granted_to_root(
        &self,
        resource: RoleGrants<'d>,
        decides: bool,
    ) -> (Gate, Vec<DecidingStatement<'d>>, Vec<DecidingStatement<'d>>) {
        if self.about.is_for_trust() {
            return gate(
                Truth::No,
                "",
                "the root user cannot assume a role",
                Vec::new(),
                Vec::new(),
            );
        }
        if self.about.is_same_account() && !decides {
            return gate(
                Truth::Yes,
                "the root user has full access to its account",
                "",
                Vec::new(),
                Vec::new(),
            );
        }
        let no = match self.about.is_for_key() {
            true => "the key policy does not allow it",
            false => "no resource policy of the other account allows it",
        };
        let yes = "the resource policy allows it";
        gate(resource.naming.any, yes, no, resource.by, resource.maybe)
    }

    /// What AWS STS refuses to a kind of session. AWS STS API Reference, "GetFederationToken".
    fn never_allowed(&self, kind: CallerKind) -> Option<&'static str> {
        let service = self.request.service();
        let refused = kind == CallerKind::FederatedUser && (service == "iam" || service == "sts");
        refused.then_some("a federated user cannot call IAM or STS")
    }
}

fn gate<'d>(
    allowed: Truth,
    yes: &str,
    no: &str,
    by: Vec<DecidingStatement<'d>>,
    maybe: Vec<DecidingStatement<'d>>,
) -> (Gate, Vec<DecidingStatement<'d>>, Vec<DecidingStatement<'d>>) {
    let why = if allowed.is_yes() { yes } else { no }.to_owned();
    (Gate { allowed, why }, by, maybe)
}

fn statements<'d>(role: PolicyRole, group: &PolicyGroup<'d>) -> impl Iterator<Item = DecidingStatement<'d>> {
    group
        .documents
        .iter()
        .enumerate()
        .flat_map(move |(document_index, document)| {
            let document: &'d crate::iam::Document = document;
            let statements = document.statements.iter().enumerate();
            statements.map(move |(statement_index, statement)| DecidingStatement {
                role,
                document_index,
                document,
                statement_index,
                statement,
            })
        })
}
