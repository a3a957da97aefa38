//! What a document is by its shape, where nothing says how it is used.

use std::sync::Arc;

use super::arn::{Arn, ArnField, is_account_id};
use super::condition::is_owner_key;
use super::principal::is_open;
use super::{Clause, PolicyKind, PrincipalClause, PrincipalType, Statement};

/// The kind, and for a resource policy the service that its actions and resources name.
///
/// With a principal and only `sts:` actions that assume a role it is a trust policy, unless resources tell otherwise, and so it is
/// with one such action and no resource, and with a federated principal and no action; with a principal it is on some resource;
/// else it is for an identity. No statement: not known.
pub fn kind_by_shape(statements: &[Statement]) -> (PolicyKind, Option<Arc<str>>) {
    // Of a statement that could not be read no one knows what it is part of.
    let unread = |s: &Statement| s.open && s.keys.is_empty();
    if statements.iter().all(unread) {
        return (PolicyKind::Unknown, None);
    }
    // A principal that no one can see may be none (a dynamic block over nothing): statements without one decide then.
    let vague = |p: &PrincipalClause| p.is_fully_unknown();
    let without = statements.iter().any(|s| s.principal.is_none());
    if without && statements.iter().all(|s| s.principal.as_ref().is_none_or(vague)) {
        return (PolicyKind::Identity, None);
    }
    let mut actions = statements
        .iter()
        .filter_map(|s| s.action.as_ref())
        .flat_map(|c| &c.items)
        .filter_map(|i| i.text.known())
        .peekable();
    let no_resource = statements.iter().all(|s| s.resource.is_none());
    let principals = || {
        let clauses = statements.iter().filter_map(|s| s.principal.as_ref());
        clauses.flat_map(|p| &p.items)
    };
    // Where no action is named: only a role lets in who signed in elsewhere.
    let federated = || principals().any(|p| p.kind == PrincipalType::Federated);
    let (mut assumes, mut any) = (true, false);
    if actions.peek().is_none() {
        assumes = federated();
    }
    for action in actions {
        let is = is_assume_role_action(&action);
        assumes &= is;
        any |= is;
    }
    // Of all policies without a resource only that of a role is about assuming it: another action beside is a mistake.
    if any && no_resource {
        return (PolicyKind::Trust, None);
    }
    // An endpoint policy for STS has principals, these actions and resources too; its principals are never of these types.
    let for_role = principals().any(|p| matches!(p.kind, PrincipalType::Service | PrincipalType::Federated));
    if assumes && (no_resource || for_role) {
        return (PolicyKind::Trust, None);
    }
    (PolicyKind::Resource, service(statements).map(Arc::from))
}

/// The actions that a role's trust policy is about.
pub fn is_assume_role_action(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let Some(name) = action.strip_prefix("sts:") else {
        return false;
    };
    matches!(
        name,
        "assumerole"
            | "assumerolewithsaml"
            | "assumerolewithwebidentity"
            | "tagsession"
            | "setsourceidentity"
            | "setcontext"
            | "assumerole*"
            | "*"
    )
}

/// The one service that actions name, else the one that resources name.
fn service(statements: &[Statement]) -> Option<String> {
    let one = |names: Vec<String>| -> Option<String> {
        let first = names.first()?.clone();
        names.iter().all(|n| *n == first).then_some(first)
    };
    let by_action = one(statements
        .iter()
        .filter_map(|s| s.action.as_ref())
        .flat_map(|c| &c.items)
        .filter_map(|i| i.text.known())
        .filter_map(|a| a.split_once(':').map(|(s, _)| s.to_ascii_lowercase()))
        .filter(|s| !s.contains('*'))
        .collect());
    by_action.or_else(|| {
        one(statements
            .iter()
            .filter_map(|s| s.resource.as_ref())
            .flat_map(|c| &c.items)
            .filter_map(|i| Some(Arn::parse(&i.text)?.service()?.into_owned()))
            .collect())
    })
}

/// Whether statements with principals are the policy of a VPC endpoint, which is on the way to resources of many owners, rather
/// than of one resource. `None`: nothing says so; `Some(false)`: it may be. `named`: its name says so too.
///
/// Certain: everyone comes in whose own organization, account or tags are asked for beside the owner of the resource, or who may
/// do everything with what an owner has. Likely: its resources are of several services or accounts, or it asks for the owner of all.
/// AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies"; IAM User Guide, "Data perimeters".
pub fn is_for_endpoint(statements: &[Statement], named: bool) -> Option<bool> {
    let known = |c: &Option<Clause>, is: fn(&str) -> bool| {
        let mut items = c.iter().filter(|c| !c.negated).flat_map(|c| &c.items);
        items.any(|i| i.text.known().is_some_and(|t| is(&t)))
    };
    let star = |c: &Option<Clause>| known(c, |t| t == "*");
    let has_key = |s: &Statement, is: fn(&str) -> bool| s.conditions.iter().any(|c| is(&c.lower_key));
    let of_owner = |s: &&Statement| s.allows() && s.principal.as_ref().is_some_and(is_open) && has_key(s, is_owner_key);
    let on_all =
        |s: &Statement| star(&s.resource) && (star(&s.action) || has_key(s, |k| k.starts_with("aws:principal")));
    let asking: Vec<&Statement> = statements.iter().filter(of_owner).collect();
    if asking.iter().any(|s| on_all(s)) {
        return Some(true);
    }
    let asks = asking.iter().any(|s| named || star(&s.resource));
    let arns = || {
        let allowed = statements.iter().filter(|s| s.allows());
        let clauses = allowed.filter_map(|s| s.resource.as_ref()).filter(|c| !c.negated);
        clauses.flat_map(|c| &c.items).filter_map(|i| Arn::parse(&i.text))
    };
    let several = |field: fn(&Arn<'_>) -> Option<String>| {
        let mut all = arns().filter_map(|arn| field(&arn));
        all.next().is_some_and(|first| all.any(|other| other != first))
    };
    let services = several(|arn| arn.service().map(|s| s.into_owned()));
    let accounts = several(|arn| match arn.account() {
        ArnField::Literal(account) if is_account_id(&account) => Some(account.into_owned()),
        _ => None,
    });
    (asks || services || accounts).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_that_assume() {
        for (action, expected) in [
            ("sts:AssumeRole", true),
            ("STS:assumerolewithwebidentity", true),
            ("sts:TagSession", true),
            ("sts:GetCallerIdentity", false),
            ("s3:GetObject", false),
            ("*", false),
        ] {
            assert_eq!(is_assume_role_action(action), expected, "{action}");
        }
        assert_eq!(kind_by_shape(&[]), (PolicyKind::Unknown, None));
    }
}
