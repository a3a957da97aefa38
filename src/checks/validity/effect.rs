//! Statements that no request can match.
//! IAM User Guide, "Conditions with multiple context keys or values": the lines of a condition hold together.

use crate::iam::catalogue::catalogue;
use crate::iam::condition::{Family, Operator};
use crate::iam::glob::Case;
use crate::iam::pattern::{self, Pattern};
use crate::iam::size::MOST_LINES;
use crate::iam::{Condition, Item, Origin, Statement};
use crate::project::DocumentId;
use crate::rules::{Context, Out};

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, d, i, s) in cx.statements() {
        if d.origin != Origin::Written {
            continue;
        }
        everything_excluded(cx, out, (id, i), s);
        if s.conditions.len() <= MOST_LINES {
            excluding(cx, out, (id, i), s);
        }
    }
}

/// `NotAction: "*"`, and `NotResource: "*"` in an Allow; in a Deny that has a rule of its own.
fn everything_excluded(cx: &Context<'_>, out: &mut Out<'_>, (id, i): (DocumentId, usize), s: &Statement) {
    let not_resource = s.resource.as_ref().filter(|_| !s.denies());
    for clause in s.action.iter().chain(not_resource).filter(|c| c.negated) {
        if let Some(star) = clause.items.iter().find(|x| pattern::is_star(&x.text)) {
            out.push(
                cx.at_statement("statement-no-effect", id, i, "the statement excludes everything")
                    .primary(star.span, "nothing is left")
                    .secondary(clause.key, "all but these"),
            );
        }
    }
}

/// Two lines about one key that cannot both hold.
fn excluding(cx: &Context<'_>, out: &mut Out<'_>, (id, i): (DocumentId, usize), s: &Statement) {
    let keys = s.conditions.iter().map(|c| c.key.display().to_lowercase());
    let lines: Vec<(String, &Condition)> = keys.zip(&s.conditions).collect();
    for (n, (key, c)) in lines.iter().enumerate() {
        let before = lines.iter().take(n).filter(|(k, _)| k == key);
        let other = before.map(|(_, o)| *o).find(|o| exclude(key, o, c));
        if let Some(other) = other {
            out.push(
                cx.at_statement(
                    "statement-no-effect",
                    id,
                    i,
                    format!(
                        "`{}` cannot be all of this: the statement never applies",
                        c.key.display()
                    ),
                )
                .primary(c.span, "must be this")
                .secondary(other.span, "and this at once")
                .other(key.clone()),
            );
            return;
        }
    }
}

/// Of two lines about one key.
fn exclude(key: &str, a: &Condition, b: &Condition) -> bool {
    if !a.complete || !b.complete || a.values.is_empty() || b.values.is_empty() {
        return false;
    }
    let (Some(x), Some(y)) = (operator(a), operator(b)) else {
        return false;
    };
    if absent(x, a) && demanded(y) || absent(y, b) && demanded(x) {
        return true;
    }
    if !demanded(x) || !demanded(y) || x.set.is_some() || y.set.is_some() || several(key) {
        return false;
    }
    match (x.family, y.family) {
        (Family::String | Family::Arn, Family::String | Family::Arn) => disjoint((x, a), (y, b)),
        (Family::Numeric, Family::Numeric) => {
            // Values of one line are alternatives: only lines of one value are bounds.
            matches!((number(a), number(b)), (Some(m), Some(n)) if apart(x, m, y, n) || apart(y, n, x, m))
        }
        _ => false,
    }
}

fn operator(c: &Condition) -> Option<Operator> {
    Operator::parse(&c.operator.text.known()?)
}

/// Says that the key is not there.
fn absent(o: Operator, c: &Condition) -> bool {
    o.family == Family::Null && c.values.iter().all(|v| v.text.known().as_deref() == Some("true"))
}

/// True only where the key is there and fits.
fn demanded(o: Operator) -> bool {
    o.family != Family::Null && !o.negated && !o.if_exists && !o.is_for_all_values()
}

/// A key with several values can be two things at once.
fn several(key: &str) -> bool {
    match catalogue().global_condition_key(key) {
        Some(global) => global.multivalued,
        None => match key.split_once(':').and_then(|(prefix, _)| catalogue().service(prefix)) {
            Some(service) => service.condition_key(key).is_none_or(|k| k.is_multivalued()),
            None => true,
        },
    }
}

fn disjoint((x, a): (Operator, &Condition), (y, b): (Operator, &Condition)) -> bool {
    let case = if [x, y].iter().any(|o| o.name.contains("IgnoreCase")) {
        Case::Insensitive
    } else {
        Case::Sensitive
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
fn pattern_of(o: Operator, v: &Item, case: Case) -> Option<Pattern> {
    (o.wildcards || !pattern::has_wildcard(&v.text)).then(|| Pattern::new(&v.text, case))
}

fn number(c: &Condition) -> Option<f64> {
    match &c.values[..] {
        [one] => one.text.known()?.trim().parse().ok(),
        _ => None,
    }
}

/// Whether what is at most `m` by `x` cannot be at least `n` by `y`.
fn apart(x: Operator, m: f64, y: Operator, n: f64) -> bool {
    match (x.name, y.name) {
        ("NumericLessThanEquals" | "NumericEquals", "NumericGreaterThanEquals" | "NumericEquals") => m < n,
        (
            "NumericLessThan" | "NumericLessThanEquals" | "NumericEquals",
            "NumericGreaterThan" | "NumericGreaterThanEquals" | "NumericEquals",
        ) => m <= n,
        _ => false,
    }
}
