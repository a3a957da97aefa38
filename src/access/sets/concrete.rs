//! One request against one document: the judge of every witness.

use std::collections::BTreeMap;

use super::callers;
use super::glob::{Fields, Reading, Symbols, TextGlob};
use super::keys::{KeyState, KeyTest};
use super::request::Witness;
use crate::iam::{Clause, ClauseItem, Condition, Document, Effect, PrincipalClause, SourceFormat, Statement, Truth};

/// What stands for the parts of a document that are not known, by their names.
pub type Values = BTreeMap<String, String>;

struct WitnessCheck<'r> {
    request: &'r Witness,
    symbols: Symbols,
    /// The context, with the keys that repeat the principal.
    context: BTreeMap<String, Vec<String>>,
    variables: bool,
    is_json: bool,
}

/// Whether the document by itself allows the request.
pub fn allows(document: &Document, request: &Witness, values: &Values) -> Truth {
    let mut context: BTreeMap<String, Vec<String>> = request
        .context
        .iter()
        .map(|(key, value)| (key.to_lowercase(), value.values().to_vec()))
        .collect();
    for (key, value) in callers::repeated_keys(&request.caller) {
        context.entry(key.to_owned()).or_insert_with(|| vec![value]);
    }
    let single = context.iter().filter_map(|(key, values)| match values.as_slice() {
        [one] => Some((key.clone(), one.clone())),
        _ => None,
    });
    let version = document.version.as_ref().and_then(|v| v.text.known());
    let mut symbols = Symbols::default();
    symbols.fillings.clone_from(values);
    symbols.request = Some(single.collect());
    let mut evaluation = WitnessCheck {
        request,
        symbols,
        context,
        is_json: document.format == SourceFormat::Json,
        variables: version.is_some_and(|v| v == "2012-10-17"),
    };
    let mut allowed = Truth::No;
    let mut denied = Truth::No;
    for s in &document.statements {
        let effect = s.effect.as_ref().map_or(Effect::Invalid, |e| e.value);
        match effect {
            Effect::Allow => allowed = allowed.or(evaluation.matches(s)),
            Effect::Deny => denied = denied.or(evaluation.matches(s)),
            Effect::Unknown => {
                allowed = allowed.or(Truth::Unknown);
                denied = denied.or(Truth::Unknown);
            }
            Effect::Invalid => {}
        }
    }
    allowed.and(!denied)
}

/// The statements of this effect that match.
pub(super) fn matching<'d>(
    document: &'d Document,
    request: &Witness,
    values: &Values,
    effect: Effect,
) -> impl Iterator<Item = (usize, &'d Statement)> {
    let statements = document.statements.iter().enumerate();
    let of_effect = statements.filter(move |(_, s)| s.effect.as_ref().is_some_and(|e| e.value == effect));
    of_effect.filter(move |(index, _)| {
        let mut alone = document.clone();
        alone.statements = document.statements.get(*index).cloned().into_iter().collect();
        for s in &mut alone.statements {
            if let Some(e) = &mut s.effect {
                e.value = Effect::Allow;
            }
        }
        allows(&alone, request, values).is_yes()
    })
}

impl WitnessCheck<'_> {
    fn matches(&mut self, s: &Statement) -> Truth {
        let open = s.branch.is_some() || s.open || s.second_action.is_some() || s.second_resource.is_some();
        let hidden = s.condition_key.is_some() && s.conditions.is_empty() && !s.complete;
        let mut truth = match open || hidden {
            true => Truth::Unknown,
            false => Truth::Yes,
        };
        truth = truth.and(s.action.as_ref().map_or(Truth::Unknown, |c| self.action(c)));
        truth = truth.and(match &s.resource {
            Some(clause) => self.resource(clause),
            None => Truth::from(s.principal.is_some()).or(Truth::Unknown),
        });
        if let Some(principals) = &s.principal {
            truth = truth.and(self.principal(principals));
        }
        for c in &s.conditions {
            truth = truth.and(self.condition(c));
        }
        truth
    }

    fn any(
        &mut self,
        items: &[ClauseItem],
        complete: bool,
        mut one: impl FnMut(&mut Self, &ClauseItem) -> Truth,
    ) -> Truth {
        let complete = complete || self.is_json && items.iter().any(|i| !i.text.is_known());
        let mut truth = if complete { Truth::No } else { Truth::Unknown };
        for item in items {
            let found = one(self, item);
            truth = truth.or(match item.branch {
                Some(_) => found.and(Truth::Unknown),
                None => found,
            });
        }
        truth
    }

    fn glob(&mut self, item: &ClauseItem, reading: Reading) -> Result<TextGlob, Truth> {
        if item.text.holes().any(|h| !self.symbols.fillings.contains_key(&*h.name)) {
            return Err(Truth::Unknown);
        }
        // A variable without a value matches nothing.
        TextGlob::read(&item.text, reading, &mut self.symbols).map_err(|_| Truth::No)
    }

    fn action(&mut self, clause: &Clause) -> Truth {
        let reading = Reading {
            wildcards: true,
            any_case: true,
            ..Reading::default()
        };
        let found = self.any(&clause.items, clause.complete, |this, item| {
            let glob = this.glob(item, reading);
            glob.map_or_else(|truth| truth, |g| Truth::from(g.matches(&this.request.action)))
        });
        if clause.negated { !found } else { found }
    }

    fn resource(&mut self, clause: &Clause) -> Truth {
        let reading = Reading {
            wildcards: true,
            variables: self.variables,
            fields: Fields::Resource,
            ..Reading::default()
        };
        let found = self.any(&clause.items, clause.complete, |this, item| {
            let glob = this.glob(item, reading);
            glob.map_or_else(|truth| truth, |g| Truth::from(g.matches(&this.request.resource)))
        });
        if clause.negated { !found } else { found }
    }

    fn principal(&mut self, clause: &PrincipalClause) -> Truth {
        let complete = clause.complete || self.is_json && clause.items.iter().any(|i| !i.value.text.is_known());
        let mut found = if complete { Truth::No } else { Truth::Unknown };
        for item in &clause.items {
            let open = item
                .value
                .text
                .holes()
                .any(|h| !self.symbols.fillings.contains_key(&*h.name));
            let named = callers::named(item, false, &mut self.symbols);
            let one = match named {
                _ if open || item.value.branch.is_some() => Truth::Unknown,
                Ok(Some(globs)) => Truth::from(globs.iter().any(|g| g.matches(&self.request.caller))),
                Ok(None) | Err(_) => Truth::Unknown,
            };
            found = found.or(one);
        }
        if clause.negated { !found } else { found }
    }

    fn condition(&mut self, c: &Condition) -> Truth {
        let complete = c.complete || self.is_json && c.values.iter().any(|v| !v.text.is_known());
        let known = complete && c.key.text.is_known() && c.key.branch.is_none();
        let holes = c.values.iter().flat_map(|v| v.text.holes());
        let open = holes.into_iter().any(|h| !self.symbols.fillings.contains_key(&*h.name));
        if !known || open || c.values.is_empty() || c.values.iter().any(|v| v.branch.is_some()) {
            return Truth::Unknown;
        }
        let Some(test) = KeyTest::new(c, self.variables, false, &mut self.symbols) else {
            return Truth::Unknown;
        };
        let state = match self.context.get(&c.lower_key) {
            Some(values) if !values.is_empty() => KeyState::Values(values.clone()),
            _ => KeyState::Absent,
        };
        Truth::from(test.holds(&state))
    }
}
