//! Values: of the type that operator and key want, and with a meaning.
//! IAM User Guide, "IAM JSON policy elements: Condition operators".

use super::{ConditionLine, lines};
use crate::date::Date;
use crate::finding::{Finding, Remedy};
use crate::iam::arn::{ArnShape, arn_shape, is_account_id};
use crate::iam::catalogue::catalogue;
use crate::iam::condition::{Network, Operator, OperatorFamily, is_any_address};
use crate::iam::variables::has_variable;
use crate::iam::{ClauseItem, pattern};
use crate::rules::{Context, FindingSink};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for line in lines(cx) {
        let Some(operator) = line.operator.filter(|o| o.family != OperatorFamily::Null) else {
            continue;
        };
        let at = |rule: &'static str, message: String| {
            cx.at_statement(rule, line.document, line.index, message)
                .other_evidence(line.key.clone())
        };
        let c = line.condition;
        if c.values.is_empty() && c.complete && c.list {
            out.push(
                at(
                    "condition-empty-values",
                    "the condition has no value to compare with".to_owned(),
                )
                .primary(c.span, "empty"),
            );
            continue;
        }
        types(&line, operator, &at, out);
        if operator.family == OperatorFamily::Bool && c.values.len() > 1 {
            out.push(at("condition-multiple-bool", "`Bool` takes one value".to_owned()).primary(c.span, "always true"));
        }
        numbers(&line, operator, &at, out);
        networks(cx, &line, operator, &at, out);
        for value in &c.values {
            let Some(text) = value.text.known() else { continue };
            if has_variable(&text) {
                if !matches!(operator.family, OperatorFamily::String | OperatorFamily::Arn) {
                    out.push(
                        at(
                            "condition-variable-operator",
                            format!("`{}` does not resolve policy variables", operator.name),
                        )
                        .primary(value.span, "variables work with String and ARN operators")
                        .secondary(c.operator.span, "this operator"),
                    );
                }
                continue;
            }
            if let Some(f) = form(operator, value, &text, &at).or_else(|| known_key(&line, operator, value, &text, &at))
            {
                out.push(f);
            }
        }
    }
}

type ReportValue<'a> = &'a dyn Fn(&'static str, String) -> Finding;

/// The type of a key as AWS documents it, without `ArrayOf`.
fn key_type(key: &str) -> Option<&'static str> {
    if let Some(global) = catalogue().global_condition_key(key) {
        return Some(global.type_name);
    }
    let (prefix, _) = key.split_once(':')?;
    let name = catalogue().service(prefix)?.condition_key(key)?.type_name();
    Some(name.strip_prefix("ArrayOf").unwrap_or(name))
}

fn types(line: &ConditionLine<'_>, operator: Operator, at: ReportValue<'_>, out: &mut FindingSink<'_>) {
    let Some(wanted) = key_type(&line.key) else { return };
    let c = line.condition;
    // The value of an encryption context is text of the caller's, often an ARN. Amazon CloudWatch Logs User Guide, "Encrypt log
    // data in CloudWatch Logs using AWS Key Management Service".
    if operator.family == OperatorFamily::Arn && line.key.starts_with("kms:encryptioncontext:") {
        return;
    }
    let fits = match wanted {
        "String" => matches!(operator.family, OperatorFamily::String),
        "ARN" => matches!(operator.family, OperatorFamily::Arn | OperatorFamily::String),
        "Bool" => operator.family == OperatorFamily::Bool,
        "Numeric" | "Long" | "Integer" => operator.family == OperatorFamily::Numeric,
        "Date" => matches!(operator.family, OperatorFamily::Date | OperatorFamily::Numeric),
        "IPAddress" => operator.family == OperatorFamily::IpAddress,
        "Binary" => operator.family == OperatorFamily::Binary,
        _ => true,
    };
    let name = c.key.display();
    if !fits {
        // Text compares with what is written as text; the others never match.
        let usable = operator.family == OperatorFamily::String && wanted == "Bool"
            || operator.family == OperatorFamily::Arn && wanted == "String";
        let rule = if usable {
            "condition-type-mismatch-usable"
        } else {
            "condition-type-mismatch"
        };
        out.push(
            at(
                rule,
                format!(
                    "`{name}` has the type {wanted}, which `{}` does not compare",
                    operator.name
                ),
            )
            .primary(c.operator.span, "different type")
            .secondary(c.key.span, format!("type {wanted}")),
        );
    } else if wanted == "ARN"
        && operator.family == OperatorFamily::String
        && !operator.wildcards
        && c.values.iter().all(|v| v.text.is_known())
    {
        out.push(
            at(
                "condition-type-mismatch-usable",
                format!("`{name}` is an ARN: prefer `ArnLike` or `ArnEquals`"),
            )
            .primary(c.operator.span, "compares character by character"),
        );
    }
}

fn form(operator: Operator, value: &ClauseItem, text: &str, at: ReportValue<'_>) -> Option<Finding> {
    let wrong = |rule: &'static str, what: &str, label: &str| {
        Some(at(rule, format!("`{text}` is not a valid {what}")).primary(value.span, label))
    };
    match operator.family {
        OperatorFamily::Bool if !matches!(text.to_ascii_lowercase().as_str(), "true" | "false") => {
            wrong("condition-bool-value", "Boolean", "`true` or `false`")
        }
        OperatorFamily::Numeric if text.trim().parse::<f64>().is_err() => {
            wrong("condition-number-value", "number", "never matches")
        }
        OperatorFamily::Date if !is_date(text) => {
            wrong("condition-date-value", "date", "ISO 8601, or seconds since 1970")
        }
        OperatorFamily::IpAddress if Network::parse(text).is_none() => {
            wrong("condition-ip-value", "IP address or range", "never matches")
        }
        OperatorFamily::Binary if !is_base64(text) => wrong("condition-binary-value", "base64", "never matches"),
        OperatorFamily::Arn if matches!(arn_shape(&value.text), ArnShape::TooShort(_) | ArnShape::Other) => {
            wrong("condition-arn-value", "ARN", "never matches")
        }
        OperatorFamily::String
            if !operator.wildcards && (text.contains('*') || text.contains('?')) && !text.contains("://") =>
        {
            Some(
                at(
                    "condition-wildcard-without-like",
                    format!("wildcard in `{text}` is compared literally"),
                )
                .primary(value.span, "`*` and `?` are wildcards for `StringLike` only"),
            )
        }
        _ => None,
    }
}

/// Seconds since 1970, or a day with or without a time. "Date and time formats", https://www.w3.org/TR/NOTE-datetime.
fn is_date(text: &str) -> bool {
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return true;
    }
    let Some((day, rest)) = text.split_at_checked(10) else {
        return false;
    };
    Date::parse(day).is_some() && (rest.is_empty() || rest.strip_prefix(['T', 't', ' ']).is_some_and(is_time))
}

/// `23:59`, `23:59:59`, with fractions and a zone of at most fourteen hours.
fn is_time(text: &str) -> bool {
    let (clock, zone) = text.split_at(text.find(['Z', 'z', '+', '-']).unwrap_or(text.len()));
    let below =
        |part: Option<&str>, end: u8| part.is_some_and(|p| p.len() == 2 && p.parse::<u8>().is_ok_and(|n| n < end));
    let mut parts = clock.split(':');
    let hours_and_minutes = below(parts.next(), 24) && below(parts.next(), 60);
    let seconds = parts.next().is_none_or(|s| below(s.split('.').next(), 61)) && parts.next().is_none();
    let zone = match zone.split_at_checked(1) {
        None => true,
        Some(("Z" | "z", rest)) => rest.is_empty(),
        Some((_, offset)) => {
            let minutes = offset.get(2..).map(|m| m.strip_prefix(':').unwrap_or(m));
            below(offset.get(..2), 15) && below(minutes, 60)
        }
    };
    hours_and_minutes && seconds && zone
}

fn is_base64(text: &str) -> bool {
    text.len().is_multiple_of(4)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
}

/// Values of keys whose form AWS fixes.
fn known_key(
    line: &ConditionLine<'_>,
    operator: Operator,
    value: &ClauseItem,
    text: &str,
    at: ReportValue<'_>,
) -> Option<Finding> {
    if operator.family != OperatorFamily::String || text.contains(['*', '?']) && operator.wildcards {
        return (line.key == "aws:principalorgid"
            && operator.wildcards
            && text.len() < 8
            && !pattern::is_star(&value.text))
        .then(|| {
            at(
                "condition-org-id-format",
                format!("`{text}` matches other organizations"),
            )
            .primary(value.span, "name the organization: `o-` and its ID")
        })
        .or_else(|| no_path(line, value, text, at));
    }
    if let Some(f) = no_path(line, value, text, at) {
        return Some(f);
    }
    let hex = |rest: &str| {
        rest.len() >= 8 && rest.len() <= 17 && rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    match line.key.as_str() {
        "aws:requestedregion" if catalogue().region(text).is_none() => {
            Some(at("condition-region-value", format!("unknown Region `{text}`")).primary(value.span, "never matches"))
        }
        "aws:sourcevpc" if !text.strip_prefix("vpc-").is_some_and(hex) => Some(
            at("condition-vpc-format", format!("`{text}` is not a VPC ID"))
                .primary(value.span, "`vpc-` and 8 or 17 hex digits"),
        ),
        "aws:sourcevpce" if !text.strip_prefix("vpce-").is_some_and(hex) => Some(
            at("condition-vpc-format", format!("`{text}` is not a VPC endpoint ID"))
                .primary(value.span, "`vpce-` and 8 or 17 hex digits"),
        ),
        "aws:principalorgid" | "aws:resourceorgid" | "aws:sourceorgid" if !is_org(text) => Some(
            at("condition-org-id-format", format!("`{text}` is not an organization ID"))
                .primary(value.span, "`o-` and 10 to 32 letters and digits"),
        ),
        "aws:sourceaccount" | "aws:principalaccount" | "aws:resourceaccount" if !is_account_id(text) => Some(
            at("condition-org-id-format", format!("`{text}` is not an account ID"))
                .primary(value.span, "must have 12 digits"),
        ),
        _ => None,
    }
}

/// AWS Organizations API Reference, `Organization`: `^o-[a-z0-9]{10,32}$`.
fn is_org(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|id| {
        (10..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// A path begins with an organization and a slash: `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`. IAM User Guide, "AWS global
/// condition context keys".
fn no_path(line: &ConditionLine<'_>, value: &ClauseItem, text: &str, at: ReportValue<'_>) -> Option<Finding> {
    let first = text.split('/').next().unwrap_or(text);
    let wild = first.contains(['*', '?']);
    let wrong = line.key.ends_with("orgpaths") && !wild && !(is_org(first) && text.contains('/'));
    wrong.then(|| {
        at(
            "condition-org-id-format",
            format!("`{text}` is not an organization path"),
        )
        .primary(value.span, "`o-…/r-…/` and OUs, each followed by a slash")
    })
}

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
                "condition-redundant-number",
                "redundant limit: only one of these has an effect".to_owned(),
            )
            .primary(last.span, "any one of them is enough")
            .secondary(c.operator.span, "one number is enough"),
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
            let f = at("condition-ip-host-bits", format!("`{}` has host bits set", v.display()))
                .primary(v.span, "AWS uses the whole network");
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
        out.push(at("condition-ip-any", "every address is allowed".to_owned()).primary(c.span, "matches any address"));
        return;
    }
    let private: Vec<&ClauseItem> = known.iter().filter(|(_, n)| n.is_private()).map(|(v, _)| *v).collect();
    let Some(first) = private.first() else { return };
    if private.len() == known.len() {
        out.push(
            at(
                "condition-ip-private",
                "`aws:SourceIp` is never a private address".to_owned(),
            )
            .primary(first.span, "use `aws:VpcSourceIp`, or the public address"),
        );
    } else {
        out.push(
            at(
                "condition-ip-private-subset",
                "`aws:SourceIp` is never a private address".to_owned(),
            )
            .primary(first.span, "this one never matches"),
        );
    }
}
