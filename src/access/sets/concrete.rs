//! A document by itself, asked by `decide`: the judge of every witness.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::request::{Witness, WitnessPrincipal};
use super::worlds;
use crate::access::{
    AccessAnswer, AccessRequest, Caller, ContextValue, Decision, PolicyGroup, RequestContext, RequestPolicies, decide,
};
use crate::iam::{Clause, ClauseItem, Document, SourceFormat, Statement, Truth};
use crate::source::{Piece, Text};
use crate::value::Guard;

/// What stands for the parts of a document that are not known, by their names.
pub type Values = BTreeMap<String, String>;

/// Whose resources are: those of another account than that of any caller, where both sides must allow a request, so that the
/// document decides. Within one account, one of them is mostly enough.
const ANOTHER_ACCOUNT: &str = "000000000000";

/// A document as the only one that decides.
#[derive(Debug)]
pub(super) struct LoneDocument<'d> {
    document: Cow<'d, Document>,
    has_principals: bool,
}

impl<'d> LoneDocument<'d> {
    /// With these values for what is not known. `has_principals`: it is on a resource, even where it has no statement.
    pub(super) fn new(document: &'d Document, values: &Values, has_principals: bool) -> Self {
        Self::of(Cow::Borrowed(document), values, has_principals)
    }

    fn of(document: Cow<'d, Document>, values: &Values, has_principals: bool) -> Self {
        Self {
            has_principals,
            document: match is_plain(&document) {
                true => document,
                false => Cow::Owned(filled(&document, values)),
            },
        }
    }

    /// In this case, the same as if all alternatives that it does not decide were there at once.
    pub(super) fn in_world(document: &'d Document, world: &Guard, values: &Values, has_principals: bool) -> Self {
        let mut document = Cow::Borrowed(document);
        if !world.is_always() {
            worlds::decide(document.to_mut(), world);
        }
        let mut out = Self::of(document, values, has_principals);
        let differs = |s: &Statement| s.branch.is_some() || items(s).any(|i| i.branch.is_some());
        if out.document.statements.iter().any(differs) {
            out.document.to_mut().statements.iter_mut().for_each(join_cases);
        }
        out
    }

    /// Whether it allows the request.
    pub(super) fn allows(&self, request: &Witness) -> Truth {
        self.asked(request, |answer| match answer.decision {
            Decision::Allowed => Truth::Yes,
            Decision::Unknown => Truth::Unknown,
            Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => Truth::No,
        })
        .unwrap_or(Truth::Unknown)
    }

    /// The first statement that denies the request.
    pub(super) fn denied_by(&self, request: &Witness) -> Option<usize> {
        self.asked(request, |answer| match answer.decision {
            Decision::ExplicitlyDenied => answer.by.first().map(|s| s.statement_index),
            _ => None,
        })?
    }

    /// `None` where AWS has no such caller.
    fn asked<T>(&self, request: &Witness, of: impl FnOnce(&AccessAnswer<'_>) -> T) -> Option<T> {
        let caller = match &request.principal {
            WitnessPrincipal::Named(name) => Caller::parse(name)?,
            WitnessPrincipal::Anonymous => Caller::Anonymous,
        };
        let mut context = RequestContext::closed();
        for (key, value) in &request.context {
            context.set(key, ContextValue::Known(value.values().to_vec()));
        }
        let own = PolicyGroup::of([&*self.document]);
        let mut policies = RequestPolicies::default();
        match self.has_principals {
            true => {
                policies.identity.allows_all = true;
                policies.resource = own;
            }
            false => {
                policies.identity = own;
                policies.resource.allows_all = true;
                // As if it were of the caller's account.
                let is_s3 = request.action.starts_with("s3:").then_some("s3:ResourceAccount");
                let keys = [Some("aws:ResourceAccount"), is_s3].into_iter().flatten();
                for key in keys.filter(|key| !request.context.contains_key(&key.to_lowercase())) {
                    let account = caller.account().map(str::to_owned);
                    context.set(key, ContextValue::Known(account.into_iter().collect()));
                }
            }
        }
        let request = AccessRequest {
            resource_account: Some(ANOTHER_ACCOUNT.to_owned()),
            caller,
            action: request.action.clone(),
            resources: vec![request.resource.clone()],
            context,
        };
        Some(of(&decide(&request, &policies)))
    }
}

/// Whether the document by itself allows the request.
pub fn allows(document: &Document, request: &Witness, values: &Values) -> Truth {
    let has_principals = super::statements::names_principals(document);
    LoneDocument::new(document, values, has_principals).allows(request)
}

fn items(s: &Statement) -> impl Iterator<Item = &ClauseItem> {
    let clauses = [&s.action, &s.resource].into_iter().flatten().flat_map(|c| &c.items);
    let principals = s.principal.iter().flat_map(|p| &p.items).map(|i| &i.value);
    let values = s.conditions.iter().flat_map(|c| &c.values);
    clauses.chain(principals).chain(values)
}

/// Not all of it can be seen, in a way that `decide` does not know of.
pub(super) fn is_hidden(s: &Statement) -> bool {
    let hides_condition = s.condition_key.is_some() && s.conditions.is_empty() && !s.complete;
    let lacks = s.action.is_none() || s.resource.is_none() && s.principal.is_none();
    s.second_action.is_some() || s.second_resource.is_some() || hides_condition || lacks
}

fn join_cases(s: &mut Statement) {
    s.branch = None;
    s.strength = Default::default();
    s.nothing = Default::default();
    for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
        clause.sets = Default::default();
        clause.items.iter_mut().for_each(|i| i.branch = None);
    }
    let principals = s.principal.iter_mut().flat_map(|p| &mut p.items);
    let values = s.conditions.iter_mut().flat_map(|c| &mut c.values);
    for item in principals.map(|i| &mut i.value).chain(values) {
        item.branch = None;
    }
}

fn is_plain(document: &Document) -> bool {
    let plain = |s: &Statement| !is_hidden(s) && items(s).all(|i| i.text.is_known());
    document.branch.is_none() && document.statements.iter().all(plain)
}

fn filled(document: &Document, values: &Values) -> Document {
    let is_json = document.format == SourceFormat::Json;
    let mut out = document.clone();
    // What is only perhaps a statement says so itself.
    out.branch = None;
    for s in &mut out.statements {
        s.open |= is_hidden(s);
        s.strength = Default::default();
        s.nothing = Default::default();
        for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
            fill_clause(clause, is_json, values);
        }
        if let Some(p) = &mut s.principal {
            let fill = |i: &mut crate::iam::PrincipalItem| fill_item(&mut i.value, is_json, values);
            p.complete |= p.items.iter_mut().map(fill).fold(false, |any, one| any | one);
        }
        for c in &mut s.conditions {
            let fill = |i: &mut ClauseItem| fill_item(i, is_json, values);
            c.complete |= c.values.iter_mut().map(fill).fold(false, |any, one| any | one);
        }
    }
    out
}

fn fill_clause(clause: &mut Clause, is_json: bool, values: &Values) {
    let fill = |i: &mut ClauseItem| fill_item(i, is_json, values);
    clause.complete |= clause.items.iter_mut().map(fill).fold(false, |any, one| any | one);
    clause.sets = Default::default();
}

/// Whether the list that it is in is known to be complete: an unknown part of a JSON file hides nothing else.
fn fill_item(item: &mut ClauseItem, is_json: bool, values: &Values) -> bool {
    if item.text.is_known() {
        return false;
    }
    let mut out = Text::default();
    for piece in item.text.pieces() {
        match piece {
            Piece::Hole(hole) => match values.get(&*hole.name) {
                Some(value) => out.append(&Text::synthetic(value, hole.span)),
                None => out.push(piece.clone()),
            },
            Piece::Lit(_) => out.push(piece.clone()),
        }
    }
    item.text = out;
    is_json
}
