//! Functions on numbers and truth values.

use crate::value::{Value, ValueKind};

use crate::formats::terraform::eval::evaluator::MAX_ITEMS;
use crate::formats::terraform::eval::functions::FunctionCall;
use crate::formats::terraform::eval::values::is_spread;

pub(super) fn apply(call: &FunctionCall<'_, '_>) -> Option<Value> {
    Some(match call.name {
        "abs" => map_number(call, f64::abs),
        "ceil" => map_number(call, f64::ceil),
        "floor" => map_number(call, f64::floor),
        "signum" => map_number(call, |n| if n == 0.0 { 0.0 } else { n.signum() }),
        "pow" => match (call.number(0), call.number(1)) {
            (Some(a), Some(b)) => call.num(a.powf(b)),
            _ => call.unknown(),
        },
        "log" => match (call.number(0), call.number(1)) {
            (Some(a), Some(b)) => call.num(a.log(b)),
            _ => call.unknown(),
        },
        "max" => fold(call, call.arguments, f64::max),
        "min" => fold(call, call.arguments, f64::min),
        "sum" => match call.get(0).and_then(Value::as_seq) {
            Some(items) => fold(call, items, |a, b| a + b),
            None => call.unknown(),
        },
        "parseint" => match (call.known_text(0), call.number(1)) {
            (Some(text), Some(base)) if (2.0..=36.0).contains(&base) => match i64::from_str_radix(&text, base as u32) {
                Ok(n) => call.num(n as f64),
                Err(_) => call.fail(),
            },
            _ => call.unknown(),
        },
        "range" => range(call),
        "alltrue" => quantified(call, false),
        "anytrue" => quantified(call, true),
        _ => return None,
    })
}

fn map_number(call: &FunctionCall<'_, '_>, f: impl Fn(f64) -> f64) -> Value {
    call.number(0).map_or_else(|| call.unknown(), |n| call.num(f(n)))
}

fn fold(call: &FunctionCall<'_, '_>, items: &[Value], f: impl Fn(f64, f64) -> f64) -> Value {
    let numbers: Option<Vec<f64>> = items.iter().map(Value::as_number).collect();
    match numbers.and_then(|n| n.into_iter().reduce(f)) {
        Some(n) => call.num(n),
        None => call.unknown(),
    }
}

fn range(call: &FunctionCall<'_, '_>) -> Value {
    let numbers: Option<Vec<f64>> = call.arguments.iter().map(Value::as_number).collect();
    let (from, to, step) = match numbers.as_deref() {
        Some([to]) => (0.0, *to, if *to < 0.0 { -1.0 } else { 1.0 }),
        Some([from, to]) => (*from, *to, if to < from { -1.0 } else { 1.0 }),
        Some([from, to, step]) if *step != 0.0 => (*from, *to, *step),
        _ => return call.unknown(),
    };
    let mut items = Vec::new();
    let mut n = from;
    while (step > 0.0 && n < to) || (step < 0.0 && n > to) {
        if items.len() >= MAX_ITEMS {
            return call.over_budget();
        }
        items.push(call.num(n));
        n += step;
    }
    call.seq(items)
}

/// `anytrue` where `wanted`, else `alltrue`.
fn quantified(call: &FunctionCall<'_, '_>, wanted: bool) -> Value {
    let Some(items) = call.get(0).and_then(Value::as_seq) else {
        return call.unknown();
    };
    if items.iter().any(|v| v.as_bool() == Some(wanted)) {
        return call.bool(wanted);
    }
    let known = items
        .iter()
        .all(|v| v.as_bool().is_some() || matches!(v.kind, ValueKind::Null));
    if known && !items.iter().any(is_spread) {
        call.bool(!wanted)
    } else {
        call.unknown()
    }
}
