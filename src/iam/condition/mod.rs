//! What conditions narrow: the one answer for all rules.
//!
//! [`strength`] grades each line of a statement's `Condition` block, `dead` says which statements never apply.
//!
//! **Invariant:** strength is read as for an Allow: a condition is worth what it keeps out, which depends on whom the
//! statement is for. What is not known narrows; it is never nothing, and it pins only where the key by itself
//! does (`aws:PrincipalOrgID`).

pub mod dead;
mod key;
mod operator;
mod opposite;
mod value;

pub use key::{
    Facet, always_present, is_multivalued, is_owner_key, is_principal_key, key_type, operator_fits_type, tag_of,
};
pub use operator::{OPERATORS, Operator, OperatorFamily, SetOperator};
pub use value::{Network, is_any_address};

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use super::principal::is_open;
use super::{ClauseItem, Condition, Effect, Statement};
use crate::source::Span;
use key::ValueReading;

/// Keys that name what may be given to others: a boundary, a policy, a role to a service.
/// Service Authorization Reference, "AWS Identity and Access Management (IAM)", "Condition keys".
pub const GIVEN: [&str; 3] = ["iam:permissionsboundary", "iam:policyarn", "iam:passedtoservice"];

/// How much a condition keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    None,
    /// There, and worth nothing: see [`Weakness`].
    Decoration,
    Narrows,
    /// Names whom or what it lets in: an account, an organization, a principal, a source ARN with its account, a private
    /// endpoint.
    Pins,
}

/// Why a condition is worth less than it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weakness {
    /// The value lets everything through: `*`, `o-*`.
    AnyValue,
    /// `0.0.0.0/0`, `::/0`, or ranges that add up to as much.
    AnyAddress,
    /// An ARN with a wildcard for its account.
    AnyAccount,
    /// `…IfExists` on a key that may be absent.
    PassesWhenAbsent,
    /// `ForAllValues:` in an Allow is true where the key is absent, and nothing demands the key.
    ForAllValues,
    /// The caller chooses the value.
    Spoofable,
    /// Everyone is let in, and callers of any account can meet it.
    AnyCaller,
    /// In an identity policy: about who holds it, and the same for every resource.
    Holder,
    /// A tag of the role that `iam:PassRole` is for.
    PassedRole,
    /// Excludes a few and lets in the rest.
    Negated,
    /// A policy that may be given is one of full access.
    FullAccess,
    /// Only that the key is there or not, a value of no consequence, a flag turned the wrong way.
    Idle,
}

impl Weakness {
    /// For labels: "this condition …".
    pub fn text(self) -> &'static str {
        match self {
            Self::AnyValue => "matches any value",
            Self::AnyAddress => "matches any address",
            Self::AnyAccount => "matches any account",
            Self::PassesWhenAbsent => "passes when the key is absent",
            Self::ForAllValues => "passes when the key is absent (`ForAllValues`)",
            Self::Spoofable => "can be set freely by the caller",
            Self::AnyCaller => "can be met from any account",
            Self::Holder => "limits the caller, not the resources",
            Self::PassedRole => "does not work for `iam:PassRole`",
            Self::Negated => "only excludes some values",
            Self::FullAccess => "also matches a full-access policy",
            Self::Idle => "restricts nothing",
        }
    }
}

/// One line of a Condition block, weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeighedCondition {
    /// Lower case; holes as `${…}`.
    pub key: String,
    pub facet: Facet,
    pub grade: Grade,
    pub weakness: Option<Weakness>,
    /// Its values, and its key.
    pub span: Span,
    pub key_span: Span,
    pub operator_span: Span,
    /// Index into the statement's conditions.
    pub index: usize,
}

/// So many lines are looked through one by one.
const FEW: usize = 8;

/// What a statement's conditions amount to. They hold together, so of each facet the strongest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strength {
    pub bounds: Vec<WeighedCondition>,
    /// The Condition block, or a part of it, is not known.
    pub unknown: bool,
    /// For more than a few.
    by_key: HashMap<String, Vec<usize>>,
    best: Vec<(Facet, Grade)>,
}

/// What a condition does to a finding; rules.md, "Severities".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    Nothing,
    /// One step down.
    Lowers,
    Silences,
}

impl Strength {
    fn new(bounds: Vec<WeighedCondition>) -> Self {
        let mut out = Self::default();
        for (i, b) in bounds.iter().enumerate() {
            if bounds.len() > FEW {
                out.by_key.entry(b.key.clone()).or_default().push(i);
            }
            match out.best.iter_mut().find(|(facet, _)| *facet == b.facet) {
                Some((_, best)) => *best = b.grade.max(*best),
                None => out.best.push((b.facet, b.grade)),
            }
        }
        Self { bounds, ..out }
    }

    pub fn grade(&self, facet: Facet) -> Grade {
        let known = self.best.iter().find(|(f, _)| *f == facet);
        known
            .map_or(Grade::None, |(_, grade)| *grade)
            .max(if self.unknown && facet == Facet::Other {
                Grade::Narrows
            } else {
                Grade::None
            })
    }

    /// The strongest of all facets.
    pub fn strongest(&self) -> Grade {
        let known = self.best.iter().map(|(_, grade)| *grade).max().unwrap_or(Grade::None);
        if self.unknown { known.max(Grade::Narrows) } else { known }
    }

    /// Something is kept out.
    pub fn narrows(&self) -> bool {
        self.strongest() >= Grade::Narrows
    }

    /// Names an account, an organization, a principal, a source ARN with its account, or a private endpoint.
    pub fn pins_caller(&self) -> bool {
        self.grade(Facet::Who) == Grade::Pins
    }

    /// For a grant to everyone.
    pub fn for_public(&self) -> Verdict {
        if self.pins_caller() {
            Verdict::Silences
        } else {
            self.for_grant()
        }
    }

    /// For any other grant: a narrowing condition lowers and never silences.
    pub fn for_grant(&self) -> Verdict {
        if self.narrows() {
            Verdict::Lowers
        } else {
            Verdict::Nothing
        }
    }

    /// The bounds of `key` (any case).
    pub fn bounds_of<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'s WeighedCondition> {
        let many = self.bounds.len() > FEW;
        let list = many.then(|| self.by_key.get(&key.to_ascii_lowercase())).flatten();
        let few = if many { &[][..] } else { &self.bounds };
        let of_many = list.into_iter().flatten().map(|i| &self.bounds[*i]);
        of_many.chain(few.iter().filter(move |b| b.key.eq_ignore_ascii_case(key)))
    }

    /// Whether `key` (any case) is bound at `grade` or better.
    pub fn is_bound(&self, key: &str, grade: Grade) -> bool {
        self.bounds_of(key).any(|b| b.grade >= grade)
    }

    /// Only named policies may be attached, or only with a named boundary.
    pub fn limits_attachable_policies(&self) -> bool {
        let mut keys = GIVEN.iter().filter(|k| **k != "iam:passedtoservice");
        keys.any(|k| self.is_bound(k, Grade::Narrows))
    }

    pub fn mfa(&self) -> bool {
        self.grade(Facet::Mfa) >= Grade::Narrows
    }

    /// `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` or `aws:SourceOrgPaths`: what stops a confused deputy.
    pub fn source(&self) -> Grade {
        const KEYS: [&str; 5] = [
            "aws:sourcearn",
            "aws:sourceaccount",
            "aws:sourceorgid",
            "aws:sourceorgpaths",
            "aws:sourceowner",
        ];
        let bounds = KEYS.iter().flat_map(|key| self.bounds_of(key));
        bounds.map(|b| b.grade).max().unwrap_or(Grade::None)
    }

    /// Conditions that are there and worth nothing: what one would edit to make them worth something, and why.
    pub fn ineffective_conditions(&self) -> impl Iterator<Item = (Span, &'static str)> {
        let bounds = self.bounds.iter().filter(|b| b.grade == Grade::Decoration);
        bounds.map(|b| match b.weakness {
            Some(w @ (Weakness::PassesWhenAbsent | Weakness::ForAllValues)) => (b.operator_span, w.text()),
            weakness => (b.span, weakness.map_or("restricts nothing", Weakness::text)),
        })
    }
}

/// Whom a statement is for, which decides what a condition on the caller is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementCallers {
    /// No principal: those that hold the policy.
    Holders,
    /// The principals that it names.
    Named,
    /// Everyone, from any account.
    Open,
}

impl StatementCallers {
    pub fn new(statement: &Statement) -> Self {
        match &statement.principal {
            None => Self::Holders,
            Some(p) if is_open(p) && !matches!(&statement.effect, Some(e) if e.value == Effect::Deny) => Self::Open,
            Some(_) => Self::Named,
        }
    }
}

/// Weighs a statement's conditions, once.
pub fn strength(statement: &Statement) -> &Strength {
    statement.strength.get_or_init(|| {
        let mut out = strength_of(&statement.conditions, StatementCallers::new(statement));
        if passes_roles(statement) {
            let only = statement.action.iter().flat_map(|c| &c.items).all(is_pass_role);
            out = Strength::new(out.bounds.into_iter().map(|b| b.for_pass_role(only)).collect());
        }
        let is_idle = |b: &WeighedCondition| {
            let c = statement.conditions.get(b.index);
            c.is_some_and(|c| passes_without_key(c) == Some(true) && is_unsupported_resource_tag(statement, &b.key))
        };
        if out.bounds.iter().any(is_idle) {
            let weighed = |b: WeighedCondition| match is_idle(&b) {
                true => b.without_effect(),
                false => b,
            };
            out = Strength::new(out.bounds.into_iter().map(weighed).collect());
        }
        // A block that is a hole as a whole leaves its key and no conditions.
        out.unknown |= statement.condition_key.is_some() && statement.conditions.is_empty() && !statement.complete;
        out
    })
}

fn passes_roles(s: &Statement) -> bool {
    s.action.iter().any(|c| !c.negated && c.items.iter().any(is_pass_role))
}

/// Whether a key (in lower case) is a tag of the resource that no action of an identity policy's statement supports: no request has it.
fn is_unsupported_resource_tag(s: &Statement, key: &str) -> bool {
    if s.principal.is_some() || !key.starts_with("aws:resourcetag/") {
        return false;
    }
    let actions = s.action.as_ref().filter(|a| !a.negated && a.is_known());
    let set = actions.and_then(|a| a.actions());
    set.is_some_and(|set| !set.is_empty() && !set.is_all() && !set.iter().any(|a| a.may_see_tag(key)))
}

/// `iam:PassRole` by its name.
pub fn is_pass_role(action: &ClauseItem) -> bool {
    let text = action.text.known();
    text.is_some_and(|t| t.eq_ignore_ascii_case("iam:PassRole"))
}

impl WeighedCondition {
    /// As a line that every request meets.
    fn without_effect(self) -> Self {
        Self {
            grade: Grade::Decoration,
            weakness: Some(Weakness::Idle),
            ..self
        }
    }

    /// IAM User Guide, "Grant a user permissions to pass a role to an AWS service": tags of the role do not limit who may pass
    /// it. `only`: the statement has no other actions.
    fn for_pass_role(self, only: bool) -> Self {
        let unreliable = self.key.starts_with("iam:resourcetag/") || only && self.key.starts_with("aws:resourcetag/");
        if unreliable && self.grade > Grade::Decoration {
            return Self {
                grade: Grade::Decoration,
                weakness: Some(Weakness::PassedRole),
                ..self
            };
        }
        self
    }
}

/// Weighs conditions that hold together.
pub fn strength_of(conditions: &[Condition], reading: StatementCallers) -> Strength {
    let demanded: RequiredKeys<'_> = LazyCell::new(Box::new(|| {
        let needing = conditions.iter().filter(|c| needs_key(c));
        needing.map(|c| c.lower_key.clone()).collect()
    }));
    Strength::new(
        conditions
            .iter()
            .enumerate()
            .map(|(index, c)| {
                let key = &c.lower_key;
                let (facet, values) = if c.key.text.as_hole().is_some() {
                    (Facet::Other, ValueReading::Text)
                } else {
                    let asked = (reading != StatementCallers::Holders)
                        .then(|| compared_owner_key(c, key))
                        .flatten();
                    key::facet_of_key(asked.as_deref().unwrap_or(key))
                };
                let (grade, weakness) = weigh(c, key, facet, values, &demanded);
                let (grade, weakness) = match facet_weakness(reading, facet, key, weakness) {
                    Some(nothing) if grade > Grade::Decoration => (Grade::Decoration, Some(nothing)),
                    _ => (grade, weakness),
                };
                WeighedCondition {
                    key: key.clone(),
                    facet,
                    grade,
                    weakness,
                    span: c.span,
                    key_span: c.key.span,
                    operator_span: c.operator.span,
                    index,
                }
            })
            .collect(),
    )
}

/// What the owner of a resource is compared with, where that is the account or organization of who asks:
/// `"aws:ResourceOrgID": "${aws:PrincipalOrgID}"` lets in one's own organization. In lower case.
pub fn compared_owner_key(c: &Condition, key: &str) -> Option<String> {
    let mut names = c.values.iter().map(|v| {
        let name = value::only_variable(&v.text)?.to_ascii_lowercase();
        key::is_caller_account_key(&name).then_some(name)
    });
    let first = names.next().filter(|_| is_owner_key(key))??;
    names.all(|name| name.is_some()).then_some(first)
}

/// Why a condition that keeps something out elsewhere keeps no one out here; see [`Facet`].
fn facet_weakness(reading: StatementCallers, facet: Facet, key: &str, weakness: Option<Weakness>) -> Option<Weakness> {
    match (reading, facet) {
        (StatementCallers::Holders, _) => is_principal_key(key).then_some(Weakness::Holder),
        (_, Facet::Chosen) => Some(Weakness::Spoofable),
        (StatementCallers::Open, Facet::Caller | Facet::Mfa) => Some(Weakness::AnyCaller),
        // Everyone can make a role of the name that is asked for in an account of their own.
        (StatementCallers::Open, Facet::Who) if key == "aws:principalarn" => weakness
            .filter(|w| *w == Weakness::AnyAccount)
            .map(|_| Weakness::AnyCaller),
        _ => None,
    }
}

/// The keys that some condition needs to be there; see [`needs_key`].
type RequiredKeys<'a> = LazyCell<HashSet<String>, Box<dyn FnOnce() -> HashSet<String> + 'a>>;

fn weigh(
    c: &Condition,
    key: &str,
    facet: Facet,
    values: ValueReading,
    demanded: &RequiredKeys<'_>,
) -> (Grade, Option<Weakness>) {
    let decoration = |w| (Grade::Decoration, Some(w));
    match values {
        ValueReading::Spoofable => return decoration(Weakness::Spoofable),
        ValueReading::Idle => return decoration(Weakness::Idle),
        _ => {}
    }
    let Some(operator) = c.parsed else {
        // Not known, or no operator of IAM's: another rule's business.
        return (Grade::Narrows, None);
    };
    if operator.family == OperatorFamily::Null {
        return null(c, key, facet, values);
    }
    let (grade, weakness) = match facet {
        _ if operator.negated && values == ValueReading::Policy => value::all_policies_but(c, operator),
        Facet::Resource | Facet::Other if operator.negated => (Grade::Narrows, None),
        _ if operator.negated => decoration(Weakness::Negated),
        _ => value::weigh(c, operator, key, values),
    };
    // What holds nothing by its value is not fixed by another operator.
    if grade <= Grade::Decoration {
        return (grade, weakness);
    }
    if operator.if_exists && !always_present(key) {
        return decoration(Weakness::PassesWhenAbsent);
    }
    if operator.is_for_all_values() && !demanded.contains(key) {
        return decoration(Weakness::ForAllValues);
    }
    if c.complete || values.pins_by_itself() {
        (grade, weakness)
    } else {
        (grade.min(Grade::Narrows), weakness)
    }
}

/// `Null: false` says that the key is there. For who asks that is no restriction, for a tag or a parameter it is one.
fn null(c: &Condition, key: &str, facet: Facet, values: ValueReading) -> (Grade, Option<Weakness>) {
    let demanded = c.values.iter().any(|v| v.text.known().as_deref() == Some("false"));
    let unknown = c.values.iter().any(|v| !v.text.is_known()) || !c.complete;
    match facet {
        _ if unknown => (Grade::Narrows, None),
        Facet::Mfa if demanded && values == ValueReading::Age => (Grade::Narrows, None),
        Facet::Resource | Facet::Other if demanded => (Grade::Narrows, None),
        // What is made must carry a tag.
        Facet::Chosen if demanded && (key.starts_with("aws:requesttag/") || key == "aws:tagkeys") => {
            (Grade::Narrows, None)
        }
        _ => (Grade::Decoration, Some(Weakness::Idle)),
    }
}

/// Whether a request without the key meets a line; `None` where the operator is unknown or not valid, or a value is not known.
/// IAM User Guide, "IAM JSON policy elements: Condition operators".
pub fn passes_without_key(c: &Condition) -> Option<bool> {
    let operator = c.parsed?;
    if operator.family != OperatorFamily::Null {
        return Some(operator.without_key());
    }
    let says = c.values.first()?.text.known()?;
    Some(says.eq_ignore_ascii_case("true"))
}

/// Whether what a line on one of [`GIVEN`] names is as good as anything: any service, a policy of full access.
pub fn is_unrestrictive(c: &Condition) -> bool {
    let (_, values) = key::facet_of_key(&c.lower_key);
    c.parsed.is_some_and(|o| {
        c.values
            .iter()
            .any(|v| value::delegation_weakness(values, &v.text, o).is_some())
    })
}

/// Certainly false where a request does not have the key: `Null: false`, or a positive operator without `ForAllValues` and
/// `IfExists`.
/// IAM User Guide, "IAM JSON policy elements: Condition operators".
pub fn needs_key(c: &Condition) -> bool {
    let operator = c.parsed;
    operator.is_some_and(|o| match o.family {
        OperatorFamily::Null => c.values.iter().any(|v| v.text.known().as_deref() == Some("false")),
        _ => !o.negated && !o.if_exists && !o.is_for_all_values(),
    })
}

#[cfg(test)]
mod tests;
