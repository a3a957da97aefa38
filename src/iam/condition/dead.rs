//! Statements that no request can match.
//! IAM User Guide, "Conditions with multiple context keys or values": the lines of a condition hold together.

use super::{Operator, OperatorFamily, always_present, is_multivalued, is_unsupported_resource_tag, needs_key, tag_of};
use crate::date::Date;
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::{self, Pattern};
use crate::iam::size::MOST_LINES;
use crate::iam::{ClauseItem, Condition, Effect, Statement};
use crate::source::Span;

/// Why a statement never applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadReason {
    /// `NotAction: "*"`, and `NotResource: "*"` in an Allow; in a Deny that has a rule of its own.
    AllExcluded,
    /// Two lines on one key that cannot both hold.
    Excluding,
    /// A key must be a value and must not be it.
    Contradiction,
    /// The time that it is limited to has passed.
    Passed,
    /// A tag key that no tag can have: it holds a wildcard, which is literal there.
    NoSuchTag,
    /// A key that every request has must not be there.
    AlwaysThere,
    /// A tag of the resource, which none of its actions supports.
    Unsupported,
}

/// A statement that never applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadStatement {
    pub why: DeadReason,
    /// What one would edit.
    pub span: Span,
    /// What it does not fit.
    pub other: Option<Span>,
    /// The condition key as written; empty where no condition is to blame.
    pub key: String,
}

/// Whether no request can match a statement from `today` on.
pub fn find_dead(s: &Statement, today: Date) -> Option<DeadStatement> {
    if let Some(dead) = all_excluded(s) {
        return Some(dead);
    }
    if s.conditions.len() > MOST_LINES {
        return None;
    }
    let at = |why, span, other, c: &Condition| {
        Some(DeadStatement {
            why,
            span,
            other,
            key: c.key.display(),
        })
    };
    for c in &s.conditions {
        if is_expired(c, today) {
            return at(DeadReason::Passed, c.span, None, c);
        }
        if is_impossible_tag(&c.key) && needs_key(c) {
            return at(DeadReason::NoSuchTag, c.key.span, None, c);
        }
        let absent = c.parsed.is_some_and(|o| requires_absence(o, c)) && c.complete && !c.values.is_empty();
        if absent && always_present(&c.lower_key) {
            return at(DeadReason::AlwaysThere, c.span, None, c);
        }
        if is_unsupported(s, c) {
            return at(DeadReason::Unsupported, c.key.span, None, c);
        }
    }
    let keys = s.conditions.iter().map(|c| c.key.display().to_lowercase());
    let lines: Vec<(String, &Condition)> = keys.zip(&s.conditions).collect();
    for (n, (key, c)) in lines.iter().enumerate() {
        for (_, other) in lines.iter().take(n).filter(|(k, _)| k == key) {
            if let Some((must, not)) = contradicts(key, other, c).or_else(|| contradicts(key, c, other)) {
                return at(DeadReason::Contradiction, must.span, Some(not.span), c);
            }
            if exclude_each_other(key, other, c) {
                return at(DeadReason::Excluding, c.span, Some(other.span), c);
            }
        }
    }
    None
}

fn all_excluded(s: &Statement) -> Option<DeadStatement> {
    let denies = matches!(&s.effect, Some(e) if e.value == Effect::Deny);
    let not_resource = s.resource.as_ref().filter(|_| !denies);
    let mut clauses = s.action.iter().chain(not_resource).filter(|c| c.negated);
    clauses.find_map(|clause| {
        let star = clause.items.iter().find(|x| pattern::is_star(&x.text))?;
        Some(DeadStatement {
            why: DeadReason::AllExcluded,
            span: star.span,
            other: Some(clause.key),
            key: String::new(),
        })
    })
}

/// Whether a key names a tag that cannot exist: tag keys have letters, digits, spaces and `_.:/=+-@`.
/// Amazon EC2 User Guide, "Tag your Amazon EC2 resources", "Tag restrictions".
pub fn is_impossible_tag(key: &ClauseItem) -> bool {
    let text = key.text.known();
    text.is_some_and(|k| tag_of(&k.to_lowercase()).is_some_and(|tag| tag.contains(['*', '?']) && !tag.contains("${")))
}

/// Whether a line asks for a tag of the resource that no request of the statement has.
fn is_unsupported(s: &Statement, c: &Condition) -> bool {
    needs_key(c) && is_unsupported_resource_tag(s, &c.lower_key)
}

/// Seconds since 1970-01-01: ISO 8601 in universal time, or a number.
/// IAM User Guide, "IAM JSON policy elements: Condition operators", "Date condition operators".
fn time(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let date = Date::parse(text.get(..10)?)?;
    let mut seconds = date.days() as f64 * 86_400.0;
    // An offset moves it by less than the day that is allowed for.
    let rest = text.get(10..)?.split(['Z', '+', '-']).next()?;
    if let Some(clock) = rest.strip_prefix('T') {
        for (part, worth) in clock.split(':').zip([3_600.0, 60.0, 1.0]) {
            seconds += part.parse::<f64>().ok()? * worth;
        }
    } else if !rest.is_empty() {
        return None;
    }
    Some(seconds)
}

/// Whether a line holds only for requests of a time that is over.
fn is_expired(c: &Condition, today: Date) -> bool {
    const DAY: f64 = 86_400.0;
    let key = &c.lower_key;
    // How long after the time a request may still meet it, beside a day for what the day of the run leaves open.
    // AWS STS API Reference: no session is longer than 36 hours.
    let late = match key.as_str() {
        "aws:currenttime" | "aws:epochtime" => DAY,
        "aws:tokenissuetime" => 3.0 * DAY,
        _ => return false,
    };
    let Some(o) = c.parsed else { return false };
    let upper =
        matches!(o.family, OperatorFamily::Date | OperatorFamily::Numeric) && !o.negated && !o.name.contains("Greater");
    let demanded = always_present(key) || needs_key(c);
    let now = today.days() as f64 * DAY;
    let over = |v: &ClauseItem| v.text.known().and_then(|t| time(&t)).is_some_and(|t| t + late < now);
    upper && demanded && c.complete && !c.values.is_empty() && c.values.iter().all(over)
}

/// The line that asks for values, and the other line, which excludes each of them.
fn contradicts<'c>(key: &str, must: &'c Condition, not: &'c Condition) -> Option<(&'c Condition, &'c Condition)> {
    let (x, y) = (must.parsed?, not.parsed?);
    let comparable =
        x.family == y.family && requires_presence(key, x) && x.set.is_none() && y.negated && y.set.is_none();
    if !comparable || !must.complete || must.values.is_empty() || x.wildcards {
        return None;
    }
    let excluded = |v: &ClauseItem| {
        v.text.is_known()
            && not.values.iter().any(|n| match y.wildcards {
                true => v
                    .text
                    .known()
                    .is_some_and(|v| pattern::matches(&n.text, &v, CaseSensitivity::Sensitive).is_yes()),
                false => v.text.known() == n.text.known(),
            })
    };
    must.values.iter().all(excluded).then_some((must, not))
}

/// Of two lines on one key.
fn exclude_each_other(key: &str, a: &Condition, b: &Condition) -> bool {
    if !a.complete || !b.complete || a.values.is_empty() || b.values.is_empty() {
        return false;
    }
    let (Some(x), Some(y)) = (a.parsed, b.parsed) else {
        return false;
    };
    if requires_absence(x, a) && requires_presence(key, y) || requires_absence(y, b) && requires_presence(key, x) {
        return true;
    }
    if !requires_presence(key, x)
        || !requires_presence(key, y)
        || x.set.is_some()
        || y.set.is_some()
        // A key with several values can be two things at once.
        || is_multivalued(key).unwrap_or(true)
    {
        return false;
    }
    match (x.family, y.family) {
        (OperatorFamily::String | OperatorFamily::Arn, OperatorFamily::String | OperatorFamily::Arn)
        | (OperatorFamily::Bool, OperatorFamily::Bool) => disjoint((x, a), (y, b)),
        (OperatorFamily::Numeric, OperatorFamily::Numeric) | (OperatorFamily::Date, OperatorFamily::Date) => {
            // Values of one line are alternatives: only lines of one value are bounds.
            matches!((number(a), number(b)), (Some(m), Some(n)) if are_disjoint(x, m, y, n) || are_disjoint(y, n, x, m))
        }
        _ => false,
    }
}

/// Says that the key is not there.
fn requires_absence(o: Operator, c: &Condition) -> bool {
    o.family == OperatorFamily::Null && c.values.iter().all(|v| v.text.known().as_deref() == Some("true"))
}

/// True only where the key is there and fits.
fn requires_presence(key: &str, o: Operator) -> bool {
    o.family != OperatorFamily::Null && !o.negated && (!o.if_exists || always_present(key)) && !o.is_for_all_values()
}

fn disjoint((x, a): (Operator, &Condition), (y, b): (Operator, &Condition)) -> bool {
    let plain = |o: &Operator| o.family == OperatorFamily::Bool || o.name.contains("IgnoreCase");
    let case = if [x, y].iter().any(plain) {
        CaseSensitivity::Insensitive
    } else {
        CaseSensitivity::Sensitive
    };
    let patterns = |o: Operator, c: &Condition| -> Option<Vec<Pattern>> {
        c.values.iter().map(|v| pattern_of(o, v, case)).collect()
    };
    let (Some(left), Some(right)) = (patterns(x, a), patterns(y, b)) else {
        return false;
    };
    left.len() * right.len() <= 400 && left.iter().all(|l| right.iter().all(|r| l.overlaps(r).is_no()))
}

/// `None` where a value is compared in another way than patterns are.
fn pattern_of(o: Operator, v: &ClauseItem, case: CaseSensitivity) -> Option<Pattern> {
    (o.wildcards || !pattern::has_wildcard(&v.text)).then(|| Pattern::new(&v.text, case))
}

fn number(c: &Condition) -> Option<f64> {
    match &c.values[..] {
        [one] => time(&one.text.known()?),
        _ => None,
    }
}

/// Whether what is at most `m` by `x` cannot be at least `n` by `y`.
fn are_disjoint(x: Operator, m: f64, y: Operator, n: f64) -> bool {
    let bare = |o: Operator| o.name.trim_start_matches("Numeric").trim_start_matches("Date");
    match (bare(x), bare(y)) {
        ("LessThanEquals" | "Equals", "GreaterThanEquals" | "Equals") => m < n,
        ("LessThan" | "LessThanEquals" | "Equals", "GreaterThan" | "GreaterThanEquals" | "Equals") => m <= n,
        _ => false,
    }
}
