//! What a document is by its shape, where nothing says how it is used.

use std::sync::Arc;

use super::arn::Arn;
use super::{PolicyKind, PrincipalClause, PrincipalType, Statement};

/// The kind, and for a resource policy the service that its actions and resources name.
///
/// With a principal and only `sts:` actions that assume a role it is a trust policy, unless resources tell otherwise, and so it is
/// with one such action and no resource, and with a federated principal and no action; with a principal it is on some resource;
/// else it is for an identity. No statement: not known.
pub fn by_shape(statements: &[Statement]) -> (PolicyKind, Option<Arc<str>>) {
    // Of a statement that could not be read nobody knows what it is part of.
    let unread = |s: &Statement| s.open && s.keys.is_empty();
    if statements.iter().all(unread) {
        return (PolicyKind::Unknown, None);
    }
    // A principal that nobody can see may be none (a dynamic block over nothing): statements without one decide then.
    let vague = |p: &PrincipalClause| p.is_vague();
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
        let is = is_assume(&action);
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
pub fn is_assume(action: &str) -> bool {
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
            assert_eq!(is_assume(action), expected, "{action}");
        }
        assert_eq!(by_shape(&[]), (PolicyKind::Unknown, None));
    }
}
