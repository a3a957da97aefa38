//! Conditions on who asks: what is known of an identity of the repository.
//! IAM User Guide, "AWS global condition context keys".

use super::classes::{ROLE, USER};
use super::graph::NodeId;
use super::methods::is_service;
use super::names::NodeNames;
use crate::iam::arn::Arn;
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::{Pattern, is_star};
use crate::iam::service::service;
use crate::iam::{Action, ClauseItem, Condition, Statement, Truth};

/// Who asks, and for what.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a, 'p> {
    pub(super) names: &'a NodeNames<'p>,
    pub(super) who: NodeId,
    /// The prefixes of the services that get a role, where one is passed.
    pub(super) passed_to: Option<&'a [&'static str]>,
}

impl Asking<'_, '_> {
    /// Whether a condition holds; unknown for what is not about who asks.
    pub(super) fn meets(&self, c: &Condition) -> Truth {
        let Some(operator) = c.parsed.filter(|o| c.complete && o.set.is_none()) else {
            return Truth::Unknown;
        };
        if operator.name == "Null" {
            // What every request has is never absent.
            let absent = c
                .values
                .iter()
                .any(|v| v.text.known().is_some_and(|t| t.eq_ignore_ascii_case("true")));
            return match c.lower_key.as_str() {
                "aws:principalarn" | "aws:principaltype" | "aws:principalaccount" => (!absent).into(),
                _ => Truth::Unknown,
            };
        }
        let named = self.names.of(self.who);
        let class = named.and_then(|n| n.class);
        let any = |value: &dyn Fn(&ClauseItem) -> Truth| c.values.iter().map(value).fold(Truth::No, Truth::or);
        let is = |text: &str, v: &ClauseItem| match operator.wildcards {
            true => Pattern::new(&v.text, CaseSensitivity::Sensitive).matches(text, CaseSensitivity::Sensitive),
            false => match v.text.known() {
                Some(known) => (known == text).into(),
                None => Truth::Unknown,
            },
        };
        let name = named.and_then(|n| n.name.as_ref()?.known());
        let holds = match (c.lower_key.as_str(), class) {
            ("aws:principalarn", Some(_)) => any(&|v| self.is_named(v)),
            ("aws:username", Some(USER)) => match &name {
                Some(name) => any(&|v| is(name, v)),
                None => return Truth::Unknown,
            },
            // A session of a role has no user name.
            ("aws:username", Some(ROLE)) => return operator.negated.into(),
            ("aws:principaltype", Some(USER)) => any(&|v| is("User", v)),
            ("aws:principaltype", Some(ROLE)) => any(&|v| is("AssumedRole", v)),
            ("iam:passedtoservice", _) => match self.passed_to {
                Some(services) => any(&|v| match v.text.known() {
                    Some(_) if is_star(&v.text) || is_service(&service(&v.text), services) => Truth::Yes,
                    Some(t) if t.contains(['*', '?']) => Truth::Unknown,
                    Some(_) => Truth::No,
                    None => Truth::Unknown,
                }),
                None => return Truth::Unknown,
            },
            _ => return Truth::Unknown,
        };
        match operator.negated {
            true => !holds,
            false => holds,
        }
    }

    /// Whether all conditions of a statement hold.
    pub(super) fn meets_all(&self, s: &Statement) -> Truth {
        if s.condition_key.is_some() && s.conditions.is_empty() {
            return Truth::Unknown;
        }
        s.conditions.iter().map(|c| self.meets(c)).fold(Truth::Yes, Truth::and)
    }

    /// Whether a text is the ARN of the one who asks, or a pattern of it.
    fn is_named(&self, v: &ClauseItem) -> Truth {
        if is_star(&v.text) {
            return Truth::Yes;
        }
        if let Some(named) = self.names.named_by(&v.text) {
            return (named == self.who).into();
        }
        let Some(own) = self.names.of(self.who) else {
            return Truth::Unknown;
        };
        match Arn::parse(&v.text) {
            Some(arn) => Pattern::resource(&arn.resource.to_text()).overlaps(&Pattern::resource(own.rest())),
            None if v.text.is_known() => Truth::No,
            None => Truth::Unknown,
        }
    }

    /// Whether a Deny of a resource's policy certainly keeps the one who asks from an action.
    pub(super) fn is_denied_by(&self, s: &Statement, action: Action) -> bool {
        if s.branch.is_some() || s.open || s.dead.is_some() {
            return false;
        }
        let named = match &s.action {
            Some(clause) if !clause.negated => clause.item_naming(action).is_some(),
            Some(clause) => !clause.may_name(action),
            None => false,
        };
        let principal = s.principal.as_ref().is_some_and(|p| {
            let named = p
                .items
                .iter()
                .any(|i| self.names.named_by(&i.value.text) == Some(self.who));
            let all = p.items.iter().any(|i| is_star(&i.value.text));
            match p.negated {
                true => !named && p.items.iter().all(|i| i.value.text.is_known()),
                false => named || all,
            }
        });
        named && principal && self.meets_all(s).is_yes()
    }
}
