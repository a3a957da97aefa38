//! A Deny that keeps out what an Allow lets in: `Deny * unless aws:PrincipalOrgID is ours`.
//! IAM User Guide, "Policy evaluation logic".

use crate::iam::condition::{Facet, Grade, Operator, Reading, strength_of};
use crate::iam::glob::Case;
use crate::iam::principal::{is_public, place};
use crate::iam::{Clause, Condition, Document, Own, Statement, pattern};
use crate::source::Text;

/// Keys that a guard carves out beside what it lets in; they open it to nobody else.
const CARVE_OUTS: [&str; 2] = ["aws:principalisawsservice", "aws:viaawsservice"];

/// How well the Deny statements of `d` limit what `allow` gives to everybody: by who asks, or from where.
pub(super) fn guard(d: &Document, allow: &Statement, own: &Own) -> Grade {
    d.statements
        .iter()
        .filter(|s| s.denies() && covers(s, allow, own))
        .map(|s| unless(&s.conditions))
        .max()
        .unwrap_or(Grade::None)
}

fn covers(deny: &Statement, allow: &Statement, own: &Own) -> bool {
    let everybody = deny
        .principal
        .as_ref()
        .is_some_and(|p| !p.negated && p.items.iter().any(|i| is_public(&place(i, own, None))));
    everybody
        && clause_covers(deny.action.as_ref(), allow.action.as_ref(), Case::Insensitive)
        && (allow.resource.is_none() || clause_covers(deny.resource.as_ref(), allow.resource.as_ref(), Case::Sensitive))
}

fn clause_covers(deny: Option<&Clause>, allow: Option<&Clause>, case: Case) -> bool {
    match (deny, allow) {
        (Some(d), Some(a)) if !d.negated && !a.negated => a
            .items
            .iter()
            .all(|x| d.items.iter().any(|y| pattern::covers(&y.text, &x.text, case).may_be())),
        _ => false,
    }
}

/// What passes a Deny with these conditions: it takes one that does not hold.
fn unless(conditions: &[Condition]) -> Grade {
    conditions
        .iter()
        .filter(|c| !CARVE_OUTS.contains(&c.key.text.display().to_lowercase().as_str()))
        .map(passes)
        .min()
        .unwrap_or(Grade::None)
}

fn passes(c: &Condition) -> Grade {
    let Some(operator) = c.operator.text.known().and_then(|o| Operator::parse(&o)) else {
        return Grade::Narrows;
    };
    if !operator.negated {
        return Grade::None;
    }
    let mut plain = c.clone();
    plain.operator.text = Text::made(&operator.name.replace("Not", ""), c.operator.span);
    let strength = strength_of(std::slice::from_ref(&plain), Reading::Open);
    strength.grade(Facet::Who).max(strength.grade(Facet::From))
}
