//! Whether the condition of a statement holds for a request.
//!
//! IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for multivalued context keys", and
//! "Conditions with multiple context keys or values". Where these pages leave a choice:
//!
//! - A variable without a value makes the comparison fail, of a negated operator too: "any attempt to match it fails and causes
//!   the statement to be invalid" ("IAM policy elements: Variables and tags", "Principal key values").
//! - A key with several values under an operator without a set operator is compared as with `ForAnyValue`; a negated operator
//!   then asks that no value matches.
//! - For set operators, empty values are no values ("resolve to a null dataset, such as an empty string").
//! - A value that is not of the operator's type, on either side, does not match; a negated operator is then true.

use super::compare;
use super::request::{ContextValue, RequestContext};
use super::text::{Resolved, resolve};
use crate::iam::condition::{Operator, OperatorFamily, SetOperator, always_present};
use crate::iam::{ClauseItem, Condition, Truth};

/// All lines of a condition hold together.
pub(super) fn all_hold(conditions: &[Condition], context: &RequestContext, has_variables: bool) -> Truth {
    let mut all = Truth::Yes;
    for condition in conditions {
        all = all.and(holds(condition, context, has_variables));
        if all.is_no() {
            break;
        }
    }
    all
}

fn holds(c: &Condition, context: &RequestContext, has_variables: bool) -> Truth {
    let Some(operator) = c.parsed.filter(|_| c.key.text.is_known()) else {
        return Truth::Unknown;
    };
    let value = context.get(&c.lower_key);
    if operator.family == OperatorFamily::Null {
        return null(c, value);
    }
    let no_values = |values: &[String]| match operator.set {
        Some(_) => values.iter().all(String::is_empty),
        None => values.is_empty(),
    };
    let values = match value {
        ContextValue::Absent => return operator.without_key().into(),
        ContextValue::Unknown => return unknown_value(c, operator),
        ContextValue::Known(values) if values.is_empty() => return operator.without_key().into(),
        ContextValue::Known(values) if no_values(values) => return operator.is_for_all_values().into(),
        ContextValue::Known(values) => values,
    };
    let test = |value: &String| {
        let one = one_of(c, operator, value, context, has_variables);
        match operator.negated {
            true if one.is_invalid => Truth::No,
            true => !one.matched,
            false => one.matched,
        }
    };
    let present = values.iter().filter(|v| operator.set.is_none() || !v.is_empty());
    let every = operator.negated && operator.set.is_none() || operator.is_for_all_values();
    let answer = match every {
        true => present.map(test).fold(Truth::Yes, Truth::and),
        false => present.map(test).fold(Truth::No, Truth::or),
    };
    debug_assert!(matches!(
        operator.set,
        None | Some(SetOperator::ForAllValues | SetOperator::ForAnyValue)
    ));
    answer
}

/// How a value of the request compares with those of the policy, of which one is enough.
struct ValueComparison {
    matched: Truth,
    /// A variable has no value.
    is_invalid: bool,
}

fn one_of(
    c: &Condition,
    operator: Operator,
    value: &str,
    context: &RequestContext,
    has_variables: bool,
) -> ValueComparison {
    // IAM User Guide, "IAM JSON policy elements: Condition operators": which operators take policy variables.
    let takes_variables = matches!(
        operator.family,
        OperatorFamily::String | OperatorFamily::Arn | OperatorFamily::Bool
    );
    let mut out = ValueComparison {
        matched: if c.complete { Truth::No } else { Truth::Unknown },
        is_invalid: false,
    };
    for item in &c.values {
        let matched = match item.text.known() {
            None => Truth::Unknown,
            Some(text) => match resolve(&text, context, has_variables && takes_variables) {
                Resolved::Pattern(policy) => compare::matches(operator, &policy, value).into(),
                Resolved::Unknown => Truth::Unknown,
                Resolved::Missing => {
                    out.is_invalid = true;
                    continue;
                }
            },
        };
        let matched = if item.branch.is_some() {
            matched.and(Truth::Unknown)
        } else {
            matched
        };
        out.matched = out.matched.or(matched);
    }
    out
}

/// `Null`: whether the key is absent.
fn null(c: &Condition, value: &ContextValue) -> Truth {
    let is_absent = match value {
        ContextValue::Absent => Truth::Yes,
        ContextValue::Known(values) => values.is_empty().into(),
        ContextValue::Unknown if always_present(&c.lower_key) => Truth::No,
        ContextValue::Unknown => Truth::Unknown,
    };
    let asked = |item: &ClauseItem| match item.text.known() {
        Some(t) if t.eq_ignore_ascii_case("true") => is_absent,
        Some(t) if t.eq_ignore_ascii_case("false") => !is_absent,
        Some(_) => Truth::No,
        None => Truth::Unknown,
    };
    c.values.iter().map(asked).fold(Truth::No, Truth::or)
}

/// What holds for every value of a key, and for its absence where it may be absent.
fn unknown_value(c: &Condition, operator: Operator) -> Truth {
    let every = |item: &ClauseItem| item.branch.is_none() && item.text.known().as_deref() == Some("*");
    let matches_all = operator.wildcards && c.values.iter().any(every);
    let no_value = c.complete && c.values.is_empty();
    let (with_key, known) = match (matches_all, no_value) {
        (true, _) => (!operator.negated, true),
        (false, true) => (operator.negated, true),
        (false, false) => (false, false),
    };
    let agrees = always_present(&c.lower_key) || operator.without_key() == with_key;
    if known && agrees {
        with_key.into()
    } else {
        Truth::Unknown
    }
}
