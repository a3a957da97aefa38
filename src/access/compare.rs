//! Comparing one value of a request with one of a policy.
//! IAM User Guide, "IAM JSON policy elements: Condition operators".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::PolicyPattern;
use crate::date::Date;
use crate::iam::condition::{Network, Operator, OperatorFamily};

/// Whether a value of a request is what an operator asks for; of a negated operator, whether it is what that excludes. A value
/// that is not of the operator's type matches nothing.
pub(super) fn matches(operator: Operator, policy: &PolicyPattern, value: &str) -> bool {
    let text = policy.literal();
    match operator.family {
        OperatorFamily::String if operator.wildcards => policy.matches(value),
        OperatorFamily::String if operator.name.ends_with("IgnoreCase") => text.to_lowercase() == value.to_lowercase(),
        OperatorFamily::String => text == value,
        OperatorFamily::Arn => policy.matches_arn(value),
        OperatorFamily::Numeric => ordered(operator, number(value), number(&text)),
        OperatorFamily::Date => ordered(operator, seconds(value), seconds(&text)),
        OperatorFamily::Bool => {
            let is_bool = |t: &str| t.eq_ignore_ascii_case("true") || t.eq_ignore_ascii_case("false");
            is_bool(&text) && text.eq_ignore_ascii_case(value)
        }
        OperatorFamily::IpAddress => match (Network::parse(&text), Network::parse(value)) {
            (Some(network), Some(address)) => !value.contains('/') && network.contains(address),
            _ => false,
        },
        // The value of a request is binary: written as it is, or in base 64 as in the policy.
        OperatorFamily::Binary => text == value || STANDARD.decode(&*text).is_ok_and(|bytes| bytes == value.as_bytes()),
        // Asked before any value is compared.
        OperatorFamily::Null => false,
    }
}

fn ordered(operator: Operator, value: Option<f64>, policy: Option<f64>) -> bool {
    let (Some(value), Some(policy)) = (value, policy) else {
        return false;
    };
    let name = operator.name.trim_start_matches("Numeric").trim_start_matches("Date");
    match name {
        "LessThan" => value < policy,
        "LessThanEquals" => value <= policy,
        "GreaterThan" => value > policy,
        "GreaterThanEquals" => value >= policy,
        // `Equals`, and `NotEquals`, whose answer is turned round.
        _ => value == policy,
    }
}

/// An integer or a decimal.
pub(super) fn number(text: &str) -> Option<f64> {
    let is_plain = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
    let text = text.trim();
    text.parse()
        .ok()
        .filter(|n: &f64| n.is_finite() && text.bytes().all(is_plain))
}

/// Seconds since 1970-01-01: a number of them, or a date in a form of ISO 8601 that the W3C lists (year and month, day, time
/// with or without seconds and fractions, `Z` or an offset). Four digits are a number.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(number) = number(text) {
        return Some(number);
    }
    let (date, clock) = text.split_once(['T', 't']).map_or((text, None), |(d, c)| (d, Some(c)));
    let date = match date.len() {
        7 => Date::parse(&format!("{date}-01")),
        _ => Date::parse(date),
    };
    let day = date?.days() as f64 * 86_400.0;
    clock.map_or(Some(0.0), time_of_day).map(|time| day + time)
}

/// `10:15:30.5+02:00` in seconds of the day of universal time.
fn time_of_day(text: &str) -> Option<f64> {
    let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone);
    let parts: Vec<f64> = clock.split(':').map(number).collect::<Option<_>>()?;
    let [hour, minute, rest @ ..] = &parts[..] else {
        return None;
    };
    let second = match rest {
        [] => 0.0,
        [second] => *second,
        _ => return None,
    };
    if !(0.0..=24.0).contains(hour) || !(0.0..60.0).contains(minute) || !(0.0..61.0).contains(&second) {
        return None;
    }
    let time = hour * 3_600.0 + minute * 60.0 + second;
    let Some(offset) = zone.strip_prefix(['+', '-']) else {
        return Some(time);
    };
    let (hours, minutes) = offset
        .split_once(':')
        .unwrap_or_else(|| offset.split_at(offset.len().min(2)));
    let offset = number(hours)? * 3_600.0
        + if minutes.is_empty() {
            0.0
        } else {
            number(minutes)? * 60.0
        };
    Some(if zone.starts_with('+') {
        time - offset
    } else {
        time + offset
    })
}
