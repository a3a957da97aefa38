//! Values that make others of the same condition redundant, and addresses.
//! IAM User Guide, "IAM JSON policy elements: Condition operators".

use super::{ConditionLine, lines};
use crate::finding::{Finding, Remedy};
use crate::iam::ClauseItem;
use crate::iam::condition::{Network, Operator, OperatorFamily, is_any_address};
use crate::rules::{Context, FindingSink, RuleId, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for line in lines(cx) {
        let Some(operator) = line.operator.filter(|o| o.family != OperatorFamily::Null) else {
            continue;
        };
        let at =
            |rule: RuleId, message: String| cx.at_statement(rule, line.statement, message).other_evidence(line.key);
        numbers(&line, operator, &at, out);
        networks(cx, &line, operator, &at, out);
    }
}

type ReportValue<'a> = &'a dyn Fn(RuleId, String) -> Finding;

/// Of several numbers to be under or over, one says it all.
fn numbers(line: &ConditionLine<'_>, operator: Operator, at: ReportValue<'_>, out: &mut FindingSink<'_>) {
    let c = line.condition;
    if operator.family != OperatorFamily::Numeric || c.values.len() < 2 || !operator.name.contains("Than") {
        return;
    }
    let Some(last) = c.values.last() else { return };
    if c.values
        .iter()
        .all(|v| v.text.known().is_some_and(|t| t.parse::<f64>().is_ok()))
    {
        out.push(
            at(
                ids::CONDITION_REDUNDANT_NUMBER,
                "redundant limit: only one of these has an effect".to_owned(),
            )
            .primary(last.span, "redundant")
            .secondary(c.operator.span, "compares with one number"),
        );
    }
}

fn networks(
    cx: &Context<'_>,
    line: &ConditionLine<'_>,
    operator: Operator,
    at: ReportValue<'_>,
    out: &mut FindingSink<'_>,
) {
    let c = line.condition;
    if operator.family != OperatorFamily::IpAddress {
        return;
    }
    let known: Vec<(&ClauseItem, Network)> = c
        .values
        .iter()
        .filter_map(|v| Some((v, Network::parse(&v.text.known()?)?)))
        .collect();
    for (v, n) in &known {
        if n.has_host_bits() {
            let f = at(
                ids::CONDITION_IP_HOST_BITS,
                format!("`{}` has host bits set", v.display()),
            )
            .primary(v.span, "matches the whole network");
            let network = n.without_host_bits();
            out.push(match cx.is_literal(v) {
                true => f.remedy(Remedy::safe(format!("write `{network}`")).replace(v.span, [network])),
                false => f,
            });
        }
    }
    if line.key != "aws:sourceip" || known.len() != c.values.len() || known.is_empty() || !c.complete {
        return;
    }
    let all: Vec<Network> = known.iter().map(|(_, n)| *n).collect();
    if is_any_address(&all) && !operator.negated && line.statement.allows() {
        out.push(
            at(ids::CONDITION_IP_ANY, "every address is allowed".to_owned()).primary(c.span, "matches any address"),
        );
        return;
    }
    let private: Vec<&ClauseItem> = known.iter().filter(|(_, n)| n.is_private()).map(|(v, _)| *v).collect();
    let Some(first) = private.first() else { return };
    if private.len() == known.len() {
        out.push(
            at(
                ids::CONDITION_IP_PRIVATE,
                "`aws:SourceIp` is never a private address".to_owned(),
            )
            .primary(first.span, "use `aws:VpcSourceIp`, or the public address"),
        );
    } else {
        out.push(
            at(
                ids::CONDITION_IP_PRIVATE_SUBSET,
                "`aws:SourceIp` is never a private address".to_owned(),
            )
            .primary(first.span, "never matches"),
        );
    }
}
