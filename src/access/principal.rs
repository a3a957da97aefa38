//! Whom `Principal` and `NotPrincipal` name.
//! IAM User Guide, "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal".

use super::request::{Caller, CallerIdentity, CallerKind, ContextValue, RequestContext, last_part};
use crate::iam::arn::is_account_id;
use crate::iam::{PrincipalClause, PrincipalItem, PrincipalType, Truth};

/// How a clause names a caller. Each includes the next.
///
/// IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access", "Resource-based policies": what
/// a policy grants directly, a boundary or a session policy limits by an explicit Deny only; what it grants to the role of a
/// session, or to the user of a federated session, they limit. What it grants to an account, an identity policy must grant too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    /// In any way, also by its account.
    pub(super) any: Truth,
    /// Itself, or the role or user that its session is of.
    pub(super) beyond_account: Truth,
    /// The very principal that asks, or everyone.
    pub(super) direct: Truth,
}

impl Naming {
    pub(super) const ALL: Self = Self::level(Truth::Yes, Truth::Yes, Truth::Yes);
    pub(super) const NONE: Self = Self::level(Truth::No, Truth::No, Truth::No);
    const ACCOUNT: Self = Self::level(Truth::Yes, Truth::No, Truth::No);
    const INDIRECT: Self = Self::level(Truth::Yes, Truth::Yes, Truth::No);
    const UNKNOWN: Self = Self::level(Truth::Unknown, Truth::Unknown, Truth::Unknown);

    const fn level(any: Truth, beyond_account: Truth, direct: Truth) -> Self {
        Self {
            any,
            beyond_account,
            direct,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self::level(
            self.any.or(other.any),
            self.beyond_account.or(other.beyond_account),
            self.direct.or(other.direct),
        )
    }

    pub(super) fn and(self, truth: Truth) -> Self {
        Self::level(
            self.any.and(truth),
            self.beyond_account.and(truth),
            self.direct.and(truth),
        )
    }
}

/// Who asks, and what decides how it is named.
pub(super) struct NamedCaller<'a> {
    pub(super) caller: &'a Caller,
    pub(super) context: &'a RequestContext,
    /// It has a session policy, so that a user is one who federated.
    pub(super) has_session_policy: bool,
    pub(super) has_boundary: bool,
}

impl NamedCaller<'_> {
    /// How an Allow names it. `NotPrincipal` in an Allow names everyone else.
    pub(super) fn naming(&self, clause: &PrincipalClause) -> Naming {
        let listed = self.listed(clause);
        match clause.negated {
            false => listed,
            true => Naming::level(!listed.any, !listed.any, !listed.any),
        }
    }

    /// Whether a Deny is for it.
    ///
    /// `NotPrincipal` leaves out a principal only if the account that it is of is named too, and for a session its role: "AWS
    /// might validate the account first, and then the user". Where sessions of the role are named, only they are left out. It
    /// never leaves out a principal with a permissions boundary.
    pub(super) fn is_denied(&self, clause: &PrincipalClause) -> Truth {
        if !clause.negated {
            return self.listed(clause).any;
        }
        let Caller::Identity(identity) = self.caller else {
            return !self.listed(clause).any;
        };
        if self.has_boundary {
            return Truth::Yes;
        }
        let everyone = |i: &PrincipalItem| self.item(i) == Naming::ALL && is_star(i);
        if clause.items.iter().any(everyone) {
            return Truth::No;
        }
        let any = |is: &dyn Fn(&str) -> bool| {
            let known = |i: &PrincipalItem| match i.value.text.known() {
                Some(text) => Truth::from(i.kind == PrincipalType::Aws && is(&text)),
                None => Truth::Unknown,
            };
            let open = Truth::from(clause.complete).or(Truth::Unknown).and(Truth::Unknown);
            let listed = clause.items.iter().map(known).fold(Truth::No, Truth::or);
            if clause.complete { listed } else { listed.or(open) }
        };
        let account = any(&|t| names_account(t, identity));
        let itself = any(&|t| t == identity.arn);
        let left_out = match identity.kind {
            CallerKind::Root => account,
            CallerKind::User => account.and(itself),
            CallerKind::FederatedUser => account.and(itself.or(any(&|t| names_user(t, identity)))),
            CallerKind::Role => account.and(itself),
            CallerKind::Session => {
                let sessions = any(&|t| is_session_of(t, identity));
                account.and(any(&|t| names_role(t, identity))).and(itself.or(!sessions))
            }
        };
        !left_out
    }

    fn listed(&self, clause: &PrincipalClause) -> Naming {
        let open = if clause.complete { Naming::NONE } else { Naming::UNKNOWN };
        clause.items.iter().map(|i| self.item(i)).fold(open, Naming::or)
    }

    fn item(&self, item: &PrincipalItem) -> Naming {
        let naming = self.known_item(item);
        match item.value.branch {
            Some(_) => naming.and(Truth::Unknown),
            None => naming,
        }
    }

    fn known_item(&self, item: &PrincipalItem) -> Naming {
        let Some(text) = item.value.text.known() else {
            return match (item.kind, self.caller) {
                (PrincipalType::Service, Caller::Identity(_) | Caller::Anonymous) => Naming::NONE,
                _ => Naming::UNKNOWN,
            };
        };
        let yes = |is: bool| if is { Naming::ALL } else { Naming::NONE };
        match (item.kind, self.caller) {
            (PrincipalType::Everyone, _) => Naming::ALL,
            // The same as the bare star.
            (PrincipalType::Aws, _) if text == "*" => Naming::ALL,
            (PrincipalType::Aws, Caller::Identity(identity)) => self.aws(&text, identity),
            (PrincipalType::Service, Caller::Service(name) | Caller::Provider(name))
            | (PrincipalType::Federated, Caller::Provider(name)) => yes(text == "*" || text == *name),
            (PrincipalType::CanonicalUser, Caller::CanonicalUser(id)) => yes(text == "*" || text == *id),
            // Which account it stands for is written nowhere.
            (PrincipalType::CanonicalUser, Caller::Identity(_)) => Naming::UNKNOWN.account_only(),
            (PrincipalType::Unknown, _) => Naming::UNKNOWN,
            _ => Naming::NONE,
        }
    }

    /// Wildcards are not possible in a part of an ARN.
    fn aws(&self, text: &str, identity: &CallerIdentity) -> Naming {
        if names_account(text, identity) {
            return match identity.kind {
                CallerKind::Root => Naming::ALL,
                _ => Naming::ACCOUNT,
            };
        }
        if text == identity.arn {
            return match identity.kind {
                CallerKind::Role => Naming::INDIRECT,
                CallerKind::User if self.has_session_policy => Naming::INDIRECT,
                _ => Naming::ALL,
            };
        }
        match identity.kind {
            CallerKind::Session if names_role(text, identity) => Naming::INDIRECT,
            CallerKind::FederatedUser if names_user(text, identity) => Naming::INDIRECT,
            // Which of its sessions asks is not known.
            CallerKind::Role if is_session_of(text, identity) => Naming::UNKNOWN,
            _ if !text.contains(':') => self.unique_id(text, identity),
            _ => Naming::NONE,
        }
    }

    /// A unique ID, which a policy shows where the principal of an ARN was deleted. IAM User Guide, "IAM identifiers",
    /// "Unique identifiers".
    fn unique_id(&self, text: &str, identity: &CallerIdentity) -> Naming {
        let ContextValue::Known(ids) = self.context.get("aws:userid") else {
            return Naming::NONE;
        };
        let own = |id: &String| match identity.is_role() {
            true => id.split(':').next() == Some(text),
            false => id == text,
        };
        match ids.iter().any(own) {
            true if identity.is_role() => Naming::INDIRECT,
            true => Naming::ALL,
            false => Naming::NONE,
        }
    }
}

impl Naming {
    fn account_only(self) -> Self {
        Self::level(self.any, Truth::No, Truth::No)
    }
}

fn is_star(item: &PrincipalItem) -> bool {
    item.value.text.known().as_deref() == Some("*")
}

fn names_account(text: &str, identity: &CallerIdentity) -> bool {
    match is_account_id(text) {
        true => text == identity.account,
        false => text == format!("arn:{}:iam::{}:root", identity.partition, identity.account),
    }
}

/// What follows `arn:partition:service::account:` of the caller.
fn of_account<'t>(text: &'t str, service: &str, identity: &CallerIdentity) -> Option<&'t str> {
    let head = format!("arn:{}:{service}::{}:", identity.partition, identity.account);
    text.strip_prefix(&*head)
}

/// The role of a session. The ARN of a session has no path.
fn names_role(text: &str, identity: &CallerIdentity) -> bool {
    let role = of_account(text, "iam", identity).and_then(|r| r.strip_prefix("role/"));
    role.is_some_and(|r| last_part(r) == identity.name)
}

/// The user that a federated session is of.
fn names_user(text: &str, identity: &CallerIdentity) -> bool {
    let user = of_account(text, "iam", identity).and_then(|r| r.strip_prefix("user/"));
    user.is_some_and(|u| last_part(u) == identity.name)
}

fn is_session_of(text: &str, identity: &CallerIdentity) -> bool {
    let session = of_account(text, "sts", identity).and_then(|r| r.strip_prefix("assumed-role/"));
    session
        .and_then(|s| s.rsplit_once('/'))
        .is_some_and(|(role, _)| last_part(role) == identity.name)
}
