//! Set operations.

use crate::iam::Truth;
use crate::value::Value;

use crate::formats::terraform::eval::evaluator::MAX_ITEMS;
use crate::formats::terraform::eval::functions::FunctionCall;
use crate::formats::terraform::eval::functions::collections::concat;
use crate::formats::terraform::eval::operators::same;
use crate::formats::terraform::eval::types::distinct;
use crate::formats::terraform::eval::values::is_spread;

pub(super) fn apply(call: &FunctionCall<'_, '_>) -> Option<Value> {
    Some(match call.name {
        "setunion" => match concat(call).as_seq() {
            Some(all) => call.seq(distinct(call.evaluator, all.to_vec())),
            None => call.unknown(),
        },
        "setintersection" => match lists(call) {
            Some(lists) => select(call, &lists, true),
            None => call.unknown(),
        },
        "setsubtract" => match lists(call) {
            Some(lists) => select(call, &lists, false),
            None => call.unknown(),
        },
        "setproduct" => match lists(call) {
            Some(lists) => product(call, &lists),
            None => call.unknown(),
        },
        _ => return None,
    })
}

fn lists(call: &FunctionCall<'_, '_>) -> Option<Vec<Vec<Value>>> {
    let lists: Option<Vec<Vec<Value>>> = call.arguments.iter().map(|a| Some(a.as_seq()?.to_vec())).collect();
    lists.filter(|l| !l.is_empty())
}

/// The items of the first list that are in all others (`within`) or in none of them.
fn select(call: &FunctionCall<'_, '_>, lists: &[Vec<Value>], within: bool) -> Value {
    let mut out = Vec::new();
    let size: usize = lists.iter().map(Vec::len).sum();
    if !call.evaluator.spend(lists[0].len().saturating_mul(size)) {
        return call.unknown();
    }
    for item in &lists[0] {
        let mut keep = true;
        for other in &lists[1..] {
            let mut found = Truth::No;
            for o in other {
                found = found.or(same(call.evaluator, item, o));
            }
            if found == Truth::Unknown || other.iter().any(is_spread) && !found.is_yes() {
                return call.unknown();
            }
            keep &= found.is_yes() == within;
        }
        if keep {
            out.push(item.clone());
        }
    }
    call.seq(distinct(call.evaluator, out))
}

fn product(call: &FunctionCall<'_, '_>, lists: &[Vec<Value>]) -> Value {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        if list.iter().any(is_spread) {
            return call.unknown();
        }
        if rows.len().saturating_mul(list.len()) > MAX_ITEMS {
            return call.over_budget();
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(move |item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    call.seq(rows.into_iter().map(|r| call.seq(r)).collect())
}
