//! Operators, and equality with unknowns.

use crate::iam::Truth;
use crate::source::{Hole, HoleKind, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{Branch, Guard, Value, ValueKind};

use crate::formats::terraform::eval::branches::MAX_BRANCHES;
use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::to_string::format_number;
use crate::formats::terraform::eval::values::{is_spread, sorted_entries};

pub(crate) fn eval<'a>(evaluator: &TerraformEvaluator<'a>, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
    let span = tree.span(node);
    let name = tree.name(node);
    let mut children = tree.children(node);
    let (Some(left), right) = (children.next(), children.next()) else {
        return evaluator.unknown(HoleKind::Other, span);
    };
    if tree.kind(node) == Node::Unary {
        let value = evaluator.eval(tree, left, env);
        return spread_over(evaluator, &[value], span, &|values| {
            unary(evaluator, name, &values[0], span)
        });
    }
    let Some(right) = right else {
        return evaluator.unknown(HoleKind::Other, span);
    };
    let a = evaluator.eval(tree, left, env);
    // What stands after a decided `&&` or `||` is not looked at, as it may fail.
    match (name, a.as_bool()) {
        ("&&", Some(false)) => return Value::new(ValueKind::Bool(false), span),
        ("||", Some(true)) => return Value::new(ValueKind::Bool(true), span),
        _ => {}
    }
    let b = evaluator.eval(tree, right, env);
    spread_over(evaluator, &[a, b], span, &|values| {
        binary(evaluator, name, &values[0], &values[1], span)
    })
}

/// Applies `f` to each combination of the alternatives among `values`.
pub(crate) fn spread_over(
    evaluator: &TerraformEvaluator<'_>,
    values: &[Value],
    span: Span,
    f: &dyn Fn(&[Value]) -> Value,
) -> Value {
    let Some(at) = values.iter().position(|v| matches!(v.kind, ValueKind::OneOf(_))) else {
        return f(values);
    };
    let ValueKind::OneOf(branches) = &values[at].kind else {
        return f(values);
    };
    if combinations(values) > MAX_BRANCHES {
        return evaluator.unknown(HoleKind::Other, span);
    }
    let results: Option<Vec<(Guard, Value)>> = branches
        .iter()
        .map(|b| {
            let mut chosen = values.to_vec();
            chosen[at] = crate::formats::terraform::eval::values::inherit(&b.value, &values[at].via);
            // A second conditional on the same question has the same answer.
            for other in &mut chosen {
                let same = match &other.kind {
                    ValueKind::OneOf(others) => branch_in(others, &b.when),
                    _ => None,
                };
                if let Some(value) = same {
                    *other = value;
                }
            }
            let result = evaluator.descend(|| spread_over(evaluator, &chosen, span, f))?;
            Some((b.when.clone(), result))
        })
        .collect();
    match results {
        Some(results) => {
            let first = &results[0].1;
            if results.iter().all(|(_, v)| equals(evaluator, first, v).is_yes()) {
                return first.clone();
            }
            evaluator.one_of(results, span)
        }
        None => evaluator.unknown(HoleKind::Other, span),
    }
}

/// What a conditional is where `when` holds, if that decides it.
fn branch_in(branches: &[Branch], when: &Guard) -> Option<Value> {
    branches.iter().find(|b| when.implies(&b.when)).map(|b| b.value.clone())
}

/// How many combinations the alternatives among `values` have; conditionals on the same question count once.
fn combinations(values: &[Value]) -> usize {
    let mut seen: Vec<&Branch> = Vec::new();
    let mut product: usize = 1;
    for v in values {
        if let ValueKind::OneOf(branches) = &v.kind
            && let Some(first) = branches.first()
            && !seen.iter().any(|s| s.when == first.when)
        {
            seen.push(first);
            product = product.saturating_mul(branches.len());
        }
    }
    product
}

fn unary(evaluator: &TerraformEvaluator<'_>, name: &str, value: &Value, span: Span) -> Value {
    match name {
        "!" => match value.as_bool() {
            Some(b) => Value::new(ValueKind::Bool(!b), span),
            None => evaluator.derived(value, span),
        },
        "-" => match value.as_number() {
            Some(n) => number(-n, span),
            None => evaluator.derived(value, span),
        },
        _ => value.clone(),
    }
}

fn number(n: f64, span: Span) -> Value {
    Value::new(ValueKind::Num(format_number(n).into()), span)
}

fn truth(evaluator: &TerraformEvaluator<'_>, t: Truth, span: Span) -> Value {
    match t {
        Truth::Yes => Value::new(ValueKind::Bool(true), span),
        Truth::No => Value::new(ValueKind::Bool(false), span),
        Truth::Unknown => evaluator.unknown(HoleKind::Other, span),
    }
}

fn truth_of(value: &Value) -> Truth {
    value.as_bool().map_or(Truth::Unknown, Truth::from)
}

fn binary(evaluator: &TerraformEvaluator<'_>, name: &str, a: &Value, b: &Value, span: Span) -> Value {
    match name {
        "&&" => return truth(evaluator, truth_of(a).and(truth_of(b)), span),
        "||" => return truth(evaluator, truth_of(a).or(truth_of(b)), span),
        "==" => return truth(evaluator, equals(evaluator, a, b), span),
        "!=" => return truth(evaluator, !equals(evaluator, a, b), span),
        _ => {}
    }
    let (Some(x), Some(y)) = (a.as_number(), b.as_number()) else {
        let from = if a.as_number().is_none() { a } else { b };
        return evaluator.derived(from, span);
    };
    match name {
        "<" => Value::new(ValueKind::Bool(x < y), span),
        "<=" => Value::new(ValueKind::Bool(x <= y), span),
        ">" => Value::new(ValueKind::Bool(x > y), span),
        ">=" => Value::new(ValueKind::Bool(x >= y), span),
        "+" => number(x + y, span),
        "-" => number(x - y, span),
        "*" => number(x * y, span),
        "/" if y != 0.0 => number(x / y, span),
        "%" if y != 0.0 => number(x % y, span),
        _ => evaluator.unsupported("division by zero", span),
    }
}

/// Whether a value is null; an unknown reference to what always has a value is not.
pub(crate) fn is_null(value: &Value) -> Truth {
    match &value.kind {
        ValueKind::Null => Truth::Yes,
        ValueKind::Unknown(h) => match h.kind {
            HoleKind::Account | HoleKind::Partition | HoleKind::Region | HoleKind::UrlSuffix | HoleKind::Resource => {
                Truth::No
            }
            _ => Truth::Unknown,
        },
        ValueKind::OneOf(_) => Truth::Unknown,
        _ => Truth::No,
    }
}

/// Terraform's `==`, as far as it can be determined: equal content, wherever it is written.
pub(crate) fn equals(evaluator: &TerraformEvaluator<'_>, a: &Value, b: &Value) -> Truth {
    evaluator.descend(|| same_at(evaluator, a, b)).unwrap_or(Truth::Unknown)
}

fn same_at(evaluator: &TerraformEvaluator<'_>, a: &Value, b: &Value) -> Truth {
    match (&a.kind, &b.kind) {
        (ValueKind::Null, _) => is_null(b),
        (_, ValueKind::Null) => is_null(a),
        (ValueKind::Unknown(x), ValueKind::Unknown(y)) if x.target.is_some() && x.target == y.target => Truth::Yes,
        // What always has a value is never the empty string.
        (ValueKind::Unknown(_), ValueKind::Str(t)) | (ValueKind::Str(t), ValueKind::Unknown(_)) if t.is_empty() => {
            is_null_or_unknown(if a.is_unknown() { a } else { b })
        }
        (ValueKind::Unknown(hole), ValueKind::Str(t)) | (ValueKind::Str(t), ValueKind::Unknown(hole))
            if is_among_others(hole, t) =>
        {
            Truth::No
        }
        (ValueKind::Unknown(_) | ValueKind::OneOf(_), _) | (_, ValueKind::Unknown(_) | ValueKind::OneOf(_)) => {
            Truth::Unknown
        }
        (ValueKind::Bool(x), ValueKind::Bool(y)) => Truth::from(x == y),
        (ValueKind::Num(_), ValueKind::Num(_)) => match (a.as_number(), b.as_number()) {
            (Some(x), Some(y)) => Truth::from((x - y).abs() < f64::EPSILON),
            _ => Truth::Unknown,
        },
        (ValueKind::Str(x), ValueKind::Str(y)) => same_text(x, y),
        (ValueKind::Json(x), ValueKind::Json(y)) => equals(evaluator, x, y),
        (ValueKind::Json(_), ValueKind::Str(t)) | (ValueKind::Str(t), ValueKind::Json(_)) => {
            if t.is_empty() {
                Truth::No
            } else {
                Truth::Unknown
            }
        }
        (ValueKind::Seq(x), ValueKind::Seq(y)) => {
            if x.iter().chain(y.iter()).any(is_spread) {
                return Truth::Unknown;
            }
            if x.len() != y.len() {
                return Truth::No;
            }
            all(x.iter().zip(y.iter()).map(|(a, b)| equals(evaluator, a, b)))
        }
        (ValueKind::Map(_), ValueKind::Map(_)) => {
            let (x, y) = (sorted_entries(a), sorted_entries(b));
            if x.iter().chain(&y).any(|e| !e.key.is_known()) {
                return Truth::Unknown;
            }
            if x.len() != y.len() {
                return Truth::No;
            }
            all(x.iter().zip(&y).map(|(a, b)| {
                let keys = same_text(&a.key, &b.key);
                if keys.is_yes() {
                    equals(evaluator, &a.value, &b.value)
                } else {
                    keys
                }
            }))
        }
        _ => Truth::No,
    }
}

/// Whether a text is one that the rest of a set is not.
fn is_among_others(rest: &Hole, text: &Text) -> bool {
    let known = text.known();
    let others = rest.others.iter().flat_map(|others| others.iter());
    known.is_some_and(|known| others.into_iter().any(|other| **other == *known))
}

/// `No` for what is certainly a value, else `Unknown`: the most that can be said of a comparison with `""`.
fn is_null_or_unknown(value: &Value) -> Truth {
    if is_null(value).is_no() {
        Truth::No
    } else {
        Truth::Unknown
    }
}

fn all(each: impl Iterator<Item = Truth>) -> Truth {
    let mut result = Truth::Yes;
    for t in each {
        result = result.and(t);
        if result.is_no() {
            break;
        }
    }
    result
}

pub(crate) fn same_text(a: &crate::source::Text, b: &crate::source::Text) -> Truth {
    match (a.known(), b.known()) {
        (Some(x), Some(y)) => Truth::from(x == y),
        _ => {
            let (x, y) = (a.prefix(), b.prefix());
            let (known_a, known_b) = (a.is_known(), b.is_known());
            // With a hole, a text only tells how it begins.
            let may = match (known_a, known_b) {
                (true, false) => x.starts_with(&y),
                (false, true) => y.starts_with(&x),
                _ => x.starts_with(&y) || y.starts_with(&x),
            };
            if may { Truth::Unknown } else { Truth::No }
        }
    }
}
