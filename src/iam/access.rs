//! Who a statement of a trust policy or resource policy lets in: the one answer for all rules and all kinds of policy.
//!
//! It follows from three things: the principal (`place`), the condition ([`strength`]) with the Deny statements of the
//! document ([`guard`]), and the account that owns the resource ([`owner`]).
//!
//! **Invariant:** the same principal under the same condition is the same [`Audience`], whatever the policy is on.
//! IAM User Guide, "Policy evaluation logic" and "The confused deputy problem".

use std::borrow::Cow;

use super::arn::{Arn, ArnField};
use super::condition::{
    Facet, Grade, Operator, StatementCallers, Strength, WeighedCondition, is_owner_key, strength, strength_of,
};
use super::glob::CaseSensitivity;
use super::principal::{IdentityType, PrincipalOrigin, is_public, origin_of};
use super::{Clause, Condition, Document, Ownership, PolicyKind, PrincipalItem, Statement, pattern};
use crate::source::Text;

/// Who comes in by one principal of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Callers of every account.
    Everyone(Limit),
    /// Every service of AWS, for any of its customers.
    EveryService(Limit),
    /// One service, for any of its customers unless the limit says for whom.
    Service { name: String, limit: Limit },
    /// All of an account, or a role or user of it, that is not the owner.
    Account { place: PrincipalOrigin, limit: Limit },
    /// The account that owns the resource, or someone in it.
    Owner(IdentityType),
    /// The account is not known: a value that is given from outside.
    SomeAccount { who: IdentityType, limit: Limit },
    /// An identity provider, a canonical user, a role of the repository, or what is not known.
    Other,
}

/// What a condition leaves of an audience, the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// All of it.
    None,
    /// Something is kept out, and anyone who meets the condition remains: an external ID, a tag of the resource.
    Some,
    /// Only those that call from the addresses that are named.
    Network,
    /// Named accounts, organizations, sources or private endpoints.
    Named,
}

impl Limit {
    pub fn new(strength: &Strength) -> Self {
        if strength.pins_caller() {
            Self::Named
        } else if strength.grade(Facet::From) >= Grade::Narrows {
            Self::Network
        } else if strength.narrows() {
            Self::Some
        } else {
            Self::None
        }
    }

    fn by_guard(guard: Grade) -> Self {
        match guard {
            Grade::Pins => Self::Named,
            Grade::Narrows => Self::Some,
            Grade::Decoration | Grade::None => Self::None,
        }
    }
}

/// Who comes in by `item`, a principal of the statement `s` of `d`.
pub fn audience(d: &Document, s: &Statement, item: &PrincipalItem, own: &Ownership) -> Audience {
    if allows_nothing(d, s) {
        return Audience::Other;
    }
    let home = owner(d, s);
    let guarded = || Limit::by_guard(guard(d, s, own));
    let place = match origin_of(item, own, home.as_deref()) {
        // One expression in one statement is one account, whatever it is.
        PrincipalOrigin::SomeAccount { who, name, .. } if is_owner_by_name(s, &name) => {
            PrincipalOrigin::OwnAccount { who, name: None }
        }
        place => place,
    };
    from_origin(place, &strength_for_others(d, s), guarded)
}

/// Services whose policies are documented to be about their own actions only.
pub const OWN_ACTIONS: [&str; 8] = [
    "s3",
    "sqs",
    "sns",
    "kms",
    "ecr",
    "secretsmanager",
    "lambda",
    "codeartifact",
];

/// Whether the statement lets no one do anything, no matter who is named: no action of it exists and applies to what the policy is on.
pub fn allows_nothing(d: &Document, s: &Statement) -> bool {
    let service = d.service.as_deref().filter(|name| OWN_ACTIONS.contains(name));
    s.matches_no_action(service.filter(|_| d.kind == PolicyKind::Resource))
}

/// The conditions of `s`, without those on the owner of what the policy is on. An endpoint's policy is on the way to
/// resources of many owners.
pub fn strength_for_others<'s>(d: &Document, s: &'s Statement) -> Cow<'s, Strength> {
    let weighed = strength(s);
    let idle = |b: &WeighedCondition| b.facet == Facet::Resource && is_owner_key(&b.key);
    if d.kind != PolicyKind::Resource || d.service.as_deref() == Some("ec2") || !weighed.bounds.iter().any(idle) {
        return Cow::Borrowed(weighed);
    }
    let left: Vec<Condition> = weighed
        .bounds
        .iter()
        .filter(|b| !idle(b))
        .filter_map(|b| s.conditions.get(b.index).cloned())
        .collect();
    let mut out = strength_of(&left, StatementCallers::new(s));
    out.unknown |= weighed.unknown;
    Cow::Owned(out)
}

/// Whether a resource is for more than one account of an organization: its policy names one, or the folders of the logs of
/// many accounts. CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail", "Creating a trail for an organization".
pub fn serves_organization(d: &Document) -> bool {
    d.statements.iter().any(|s| {
        let named = s.conditions.iter().any(|c| {
            let key = &c.lower_key;
            key.ends_with("orgid") || key.ends_with("orgpaths")
        });
        let resources = s.resource.iter().filter(|r| !r.negated).flat_map(|r| &r.items);
        let mut folders = resources.filter_map(|item| log_folder(&item.text));
        let first = folders.next();
        named
            || first
                .as_deref()
                .is_some_and(|f| is_organization(f) || folders.any(|other| other != f || is_organization(&other)))
    })
}

/// The folder after `AWSLogs/`: the account, or the organization, that the logs are of.
fn log_folder(text: &Text) -> Option<String> {
    let shown = text.display();
    let (_, folder) = shown.split_once("/AWSLogs/")?;
    Some(folder.split('/').next().unwrap_or_default().to_owned())
}

fn is_organization(folder: &str) -> bool {
    folder.starts_with("o-") || folder.starts_with("${") && folder.to_ascii_lowercase().contains("org")
}

/// Who comes in by `item` under conditions alone: for what is a statement in other words, such as a Lambda permission.
pub fn audience_under(item: &PrincipalItem, conditions: &[Condition], own: &Ownership) -> Audience {
    let place = origin_of(item, own, None);
    let reading = if is_public(&place) {
        StatementCallers::Open
    } else {
        StatementCallers::Named
    };
    from_origin(place, &strength_of(conditions, reading), || Limit::None)
}

fn from_origin(place: PrincipalOrigin, strength: &Strength, guard: impl Fn() -> Limit) -> Audience {
    let limit = Limit::new(strength);
    match place {
        // Only services send a source, for resources that are named.
        p if is_public(&p) && strength.source() >= Grade::Narrows => Audience::Everyone(Limit::Named),
        p if is_public(&p) && strength.is_bound("aws:PrincipalIsAWSService", Grade::Narrows) => {
            Audience::EveryService(limit.max(guard()))
        }
        p if is_public(&p) => Audience::Everyone(limit.max(guard())),
        PrincipalOrigin::AnyService => Audience::EveryService(limit.max(guard())),
        PrincipalOrigin::Service { name } => Audience::Service { name, limit },
        PrincipalOrigin::OwnAccount { who, .. } => Audience::Owner(who),
        PrincipalOrigin::SomeAccount { who, .. } => Audience::SomeAccount { who, limit },
        place @ PrincipalOrigin::OtherAccount { .. } => Audience::Account { place, limit },
        _ => Audience::Other,
    }
}

/// The account that owns what a resource policy is on: the one in the ARN of its target, or in the ARNs of its own resources,
/// where all name the same.
fn owner(d: &Document, s: &Statement) -> Option<String> {
    if d.account.is_some() {
        return d.account.clone();
    }
    let clause = s.resource.as_ref().filter(|c| !c.negated && s.principal.is_some())?;
    let mut accounts = clause.items.iter().map(|item| match Arn::parse(&item.text)?.account() {
        ArnField::Literal(account) => Some(account.into_owned()),
        _ => None,
    });
    let first = accounts.next()??;
    accounts.all(|a| a.as_ref() == Some(&first)).then_some(first)
}

/// Whether the account in each of a resource policy's own ARNs is this expression: `${local.account_id}`.
fn is_owner_by_name(s: &Statement, name: &str) -> bool {
    let clause = s.resource.as_ref().filter(|c| !c.negated && !c.items.is_empty());
    clause.is_some_and(|c| {
        c.items.iter().all(|item| {
            let arn = Arn::parse(&item.text);
            arn.is_some_and(|a| matches!(a.account(), ArnField::Hole(Some(_))) && a.account.display() == name)
        })
    })
}

/// Whether every principal of a statement is the root of the account that owns the resource, or may be: the default policy
/// of a key or a queue, which hands over to the account's own IAM policies. The account of a key does not stand in its policy:
/// one account that the policy names by its number may be it, and no second one, nor one beside the owner's.
/// AWS KMS Developer Guide, "Default key policy"; Amazon SQS Developer Guide, "Basic examples of Amazon SQS policies".
pub fn is_owners_root(d: &Document, s: &Statement, own: &Ownership) -> bool {
    let key = d.service.as_deref() == Some("kms");
    let Some(clause) = s.principal.as_ref().filter(|p| !p.negated && !p.items.is_empty()) else {
        return false;
    };
    clause.items.iter().all(|item| match audience(d, s, item, own) {
        Audience::Owner(IdentityType::Root) => true,
        Audience::SomeAccount {
            who: IdentityType::Root,
            ..
        } => key,
        Audience::Account {
            place:
                PrincipalOrigin::OtherAccount {
                    who: IdentityType::Root,
                    id,
                    ..
                },
            ..
        } => key && may_be_owner(d, &id, own),
        _ => false,
    })
}

/// Whether the account may be the one that owns what the policy is on: the first whose root is allowed in.
fn may_be_owner(d: &Document, account: &str, own: &Ownership) -> bool {
    let allowed = d.statements.iter().filter(|s| s.allows() && s.branch.is_none());
    let items = allowed.flat_map(|s| {
        let clause = s.principal.iter().filter(|p| !p.negated);
        clause.flat_map(|p| &p.items).map(|p| origin_of(p, own, None))
    });
    let mut first = None;
    for root in items {
        match root {
            PrincipalOrigin::OwnAccount {
                who: IdentityType::Root,
                ..
            } => return false,
            PrincipalOrigin::OtherAccount {
                who: IdentityType::Root,
                id,
                ..
            } => {
                first.get_or_insert(id);
            }
            _ => {}
        }
    }
    first.is_none_or(|id| id == account)
}

/// Whether who comes in is known, at least in part.
pub fn names_a_caller(s: &Statement) -> bool {
    let unknown = |item: &PrincipalItem| item.value.text.as_hole().is_some_and(|h| !h.kind.is_placeholder());
    s.principal
        .as_ref()
        .is_some_and(|p| p.negated || p.items.iter().any(|item| !unknown(item)))
}

/// Keys that a guard leaves out beside what it lets in; they open it to no one else.
const CARVE_OUTS: [&str; 2] = ["aws:principalisawsservice", "aws:viaawsservice"];

/// How well the Deny statements of `d` limit what `allow` gives to everyone, by who asks or from where:
/// `Deny * unless aws:PrincipalOrgID is …`.
pub fn guard(d: &Document, allow: &Statement, own: &Ownership) -> Grade {
    d.statements
        .iter()
        .filter(|s| s.denies() && covers(s, allow, own))
        .map(|s| deny_grade(&s.conditions))
        .max()
        .unwrap_or(Grade::None)
}

fn covers(deny: &Statement, allow: &Statement, own: &Ownership) -> bool {
    let everyone = deny
        .principal
        .as_ref()
        .is_some_and(|p| !p.negated && p.items.iter().any(|i| is_public(&origin_of(i, own, None))));
    everyone
        && clause_covers(
            deny.action.as_ref(),
            allow.action.as_ref(),
            CaseSensitivity::Insensitive,
        )
        && (allow.resource.is_none()
            || clause_covers(
                deny.resource.as_ref(),
                allow.resource.as_ref(),
                CaseSensitivity::Sensitive,
            ))
}

fn clause_covers(deny: Option<&Clause>, allow: Option<&Clause>, case: CaseSensitivity) -> bool {
    match (deny, allow) {
        (Some(d), Some(a)) if !d.negated && !a.negated => a
            .items
            .iter()
            .all(|x| d.items.iter().any(|y| pattern::covers(&y.text, &x.text, case).may_be())),
        _ => false,
    }
}

/// What passes a Deny with these conditions: it takes one that does not hold.
fn deny_grade(conditions: &[Condition]) -> Grade {
    conditions
        .iter()
        .filter(|c| !CARVE_OUTS.contains(&c.lower_key.as_str()))
        .map(key_absent_grade)
        .min()
        .unwrap_or(Grade::None)
}

fn key_absent_grade(c: &Condition) -> Grade {
    let Some(operator) = c.parsed else {
        return Grade::Narrows;
    };
    if !operator.negated {
        return Grade::None;
    }
    let name = operator.name.replace("Not", "");
    let mut plain = c.clone();
    plain.parsed = Operator::parse(&name);
    plain.operator.text = Text::synthetic(&name, c.operator.span);
    let strength = strength_of(std::slice::from_ref(&plain), StatementCallers::Open);
    strength.grade(Facet::Who).max(strength.grade(Facet::From))
}
