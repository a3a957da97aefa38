//! A request of what a search found.

use std::collections::{BTreeMap, BTreeSet};

use super::callers;
use super::concrete::Values;
use super::fill::{value_of_hole, value_of_variable};
use super::glob::{Meaning, arn_head};
use super::keys::KeyState;
use super::real::{self, ACCOUNT};
use super::request::{Witness, WitnessValue};
use super::solve::Cell;
use super::statements::{ACTION, CALLER, FIRST_KEY, RESOURCE, Space};
use crate::iam::arn::is_account_id;
use crate::iam::{Action, PrincipalType};

/// A request, in which everything unknown has a value: also variables that the texts of the request do not have.
pub(super) fn witness(
    space: &Space,
    given: &Values,
    action: Option<Action>,
    cells: &[Option<Cell>],
    has_all_variables: bool,
) -> (Witness, Values) {
    let symbols = &space.symbols;
    let mut values = given.clone();
    for (name, kind) in &symbols.holes {
        values.entry(name.clone()).or_insert_with(|| {
            let value = format!("{}{}", arn_head(name, *kind), value_of_hole(*kind, name));
            match () {
                () if is_account_id(&value) => value,
                () if let Some(kind) = symbols.principals.get(name) => example_of_principal(*kind, &value, action),
                () if symbols.arns.contains(name) => format!("arn:aws:given:us-east-1:{ACCOUNT}:{value}"),
                () => value,
            }
        });
    }
    let mut states: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut absent: BTreeSet<&str> = BTreeSet::new();
    for (key, cell) in space.keys.iter().zip(cells.iter().skip(FIRST_KEY)) {
        match cell {
            Some(Cell::Key(KeyState::Values(found))) => drop(states.insert(key, found.clone())),
            Some(Cell::Key(KeyState::Absent)) => drop(absent.insert(key)),
            Some(Cell::Text(_)) | None => {}
        }
    }
    let text = |dimension: usize| match cells.get(dimension) {
        Some(Some(Cell::Text(text))) => text.clone(),
        _ => String::new(),
    };
    let (caller, mut resource, free) = (text(CALLER), text(RESOURCE), text(ACTION));
    if resource == real::ALL_OF_S3 {
        resource = "*".to_owned();
    }
    // Values of variables: as the keys say, otherwise of their own.
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let all = states.values().flatten().chain([&caller, &resource, &free]);
    let of_request = all.flat_map(|t| symbols.within(t)).map(|(_, meaning)| meaning);
    let others = symbols.meanings().filter(|_| has_all_variables);
    for meaning in of_request.chain(others) {
        if let Meaning::Variable(key) = meaning {
            let given = match states.get(&**key).map(Vec::as_slice) {
                Some([one]) if symbols.within(one).next().is_none() => Some(one.clone()),
                _ => None,
            };
            variables.insert(key.clone(), given.unwrap_or_else(|| value_of_variable(key)));
        }
    }
    let fill = |text: &str| -> String {
        let mut out = String::new();
        for c in text.chars() {
            match symbols.meaning(c) {
                Some(Meaning::Variable(key)) => out += variables.get(key).map_or("", String::as_str),
                Some(Meaning::Hole(kind, _, name)) => {
                    let value = values.get(name).map_or("", String::as_str);
                    let head = arn_head(name, *kind);
                    out += value.strip_prefix(head).filter(|_| out == head).unwrap_or(value);
                }
                None => out.push(c),
            }
        }
        out
    };
    let caller = fill(&caller);
    let mut context: BTreeMap<String, WitnessValue> = BTreeMap::new();
    for (key, found) in &states {
        let found = found.iter().map(|v| fill(v)).collect();
        context.insert((*key).to_owned(), WitnessValue::new(found));
    }
    for (key, value) in &variables {
        if !absent.contains(key.as_str()) {
            let value = WitnessValue::new(vec![value.clone()]);
            context.entry(key.clone()).or_insert(value);
        }
    }
    for (key, value) in callers::repeated_keys(&caller) {
        if space.caller_keys.contains(key) {
            context.insert(key.to_owned(), WitnessValue::new(vec![value]));
        }
    }
    let request = Witness {
        principal: callers::shown(&caller),
        action: action.map_or_else(|| fill(&free), |a| a.name().to_owned()),
        resource: fill(&resource),
        context,
        caller,
    };
    (request, values)
}

/// A principal of this type that is called so.
fn example_of_principal(kind: PrincipalType, name: &str, action: Option<Action>) -> String {
    match kind {
        PrincipalType::Federated => {
            let is_saml = action.is_some_and(|a| a.name().eq_ignore_ascii_case("sts:AssumeRoleWithSAML"));
            let kind = if is_saml { "saml-provider" } else { "oidc-provider" };
            format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}")
        }
        PrincipalType::Service => format!("{name}.amazonaws.com"),
        PrincipalType::CanonicalUser => {
            // Two of them differ.
            let digits: String = name.bytes().rev().map(|b| format!("{b:02x}")).collect();
            format!("{digits:0<64.64}")
        }
        PrincipalType::Aws | PrincipalType::Everyone | PrincipalType::Unknown => {
            format!("arn:aws:iam::{ACCOUNT}:role/{name}")
        }
    }
}
