//! Conditions on who asks: what is known of an identity of the repository.
//! IAM User Guide, "AWS global condition context keys".

use std::borrow::Cow;

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
    /// The services that get a role, where one is passed.
    pub(super) passed_to: Option<&'a [&'static str]>,
    /// What it is asked for.
    pub(super) on: Option<NodeId>,
}

impl<'a, 'p> Asking<'a, 'p> {
    /// Who asks, and nothing else is known.
    pub(super) fn new(names: &'a NodeNames<'p>, who: NodeId) -> Self {
        Self {
            names,
            who,
            passed_to: None,
            on: None,
        }
    }

    /// The same for one thing.
    pub(super) fn on(self, node: NodeId) -> Self {
        Self { on: Some(node), ..self }
    }

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
        if let Some(value) = self.tag(c) {
            let holds = any(&|v| is(&value, v));
            return if operator.negated { !holds } else { holds };
        }
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

    /// The tag that a condition is about, where it is known: of what is asked for, or of a user who asks. Those of a role may
    /// be replaced by tags of its session. IAM User Guide, "Controlling access to AWS resources using tags".
    fn tag(&self, c: &Condition) -> Option<Cow<'p, str>> {
        let (kind, _) = c.lower_key.split_once('/')?;
        let key = c.key.text.known()?;
        let (_, tag) = key.split_once('/')?;
        let of = match kind {
            "aws:principaltag" => Some(self.who).filter(|n| self.names.is_of(*n, USER)),
            kind if is_resource_tag(kind) => self.on,
            _ => None,
        };
        self.names.tag(of?, tag)
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

/// Whether a condition key without its tag is about a tag of the resource: `aws:resourcetag`, `ssm:resourcetag`.
pub(super) fn is_resource_tag(kind: &str) -> bool {
    kind.split_once(':').is_some_and(|(_, name)| name == "resourcetag")
}

/// Whether a statement asks for tags of the resource.
pub(super) fn asks_for_tags(s: &Statement) -> bool {
    let mut kinds = s.conditions.iter().filter_map(|c| c.lower_key.split_once('/'));
    kinds.any(|(kind, _)| is_resource_tag(kind))
}
