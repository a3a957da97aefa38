//! Trust policies that allow everyone, every service, or everyone except some principals.
//! IAM User Guide, "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal".

use crate::finding::Severity;
use crate::iam::PolicyKind;
use crate::iam::access::{Audience, Limit, allows_nothing, audience};
use crate::iam::condition::{Grade, strength};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.kind != PolicyKind::Trust || !s.allows() {
            continue;
        }
        principals(cx, out, s);
    }
}

fn principals(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let Some(clause) = s.principal.as_ref().filter(|_| !allows_nothing(s.document, &s)) else {
        return;
    };
    if clause.negated {
        out.push(
            cx.at_statement(
                ids::TRUST_NOT_PRINCIPAL,
                s,
                "`NotPrincipal` allows everyone except the principals that it names",
            )
            .primary(clause.key, "everyone else can assume the role")
            .principals(clause.items.iter().map(|p| p.value.display())),
        );
        return;
    }
    for item in &clause.items {
        let limit = match audience(s.document, &s, item, cx.project.own) {
            Audience::EveryService(Limit::Named) => continue,
            Audience::EveryService(limit) => {
                let mut f = cx
                    .at_statement(ids::TRUST_SERVICE_STAR, s, "every AWS service can assume this role")
                    .primary(item.value.span, "every service, on behalf of any customer")
                    .principals([item.value.display()]);
                if limit > Limit::None {
                    f = f.severity(Severity::Medium);
                }
                out.push(f);
                continue;
            }
            Audience::Everyone(limit) => limit,
            _ => continue,
        };
        let strength = strength(&s);
        let f = match limit {
            Limit::Named => continue,
            Limit::Some | Limit::Network => {
                let mut f = cx
                    .at_statement(
                        ids::TRUST_WILDCARD_PRINCIPAL_WITH_CONDITION,
                        s,
                        "only a condition limits who can assume this role",
                    )
                    .primary(item.value.span, "everyone");
                for bound in strength.bounds.iter().filter(|b| b.grade >= Grade::Narrows) {
                    f = f.secondary(bound.span, "limits who can assume the role");
                }
                if limit == Limit::Network {
                    f = f.severity(Severity::Low);
                }
                f.doubt_condition(s.condition_key.filter(|_| strength.unknown))
            }
            Limit::None => {
                let mut f = cx
                    .at_statement(
                        ids::TRUST_WILDCARD_PRINCIPAL,
                        s,
                        "anyone with an AWS account can assume this role",
                    )
                    .primary(item.value.span, "everyone");
                for (place, why) in strength.ineffective_conditions() {
                    f = f.secondary(place, why);
                }
                f
            }
        };
        out.push(f.principals([item.value.display()]));
    }
}
