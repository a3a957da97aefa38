//! Contracts: access that a repository promises, as settings and access files say it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::ranged::{NonEmptyText, OneOrMany, RangedValue};
use crate::source::{join_path, parent_path};

/// What a contract names: identities, resources, or actions.
pub type ContractNames = OneOrMany<RangedValue<NonEmptyText>>;

/// One `[[contract]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ContractTerms {
    /// What the contract promises, in words.
    pub name: RangedValue<NonEmptyText>,
    /// Identities that the contract is about: addresses, logical IDs, names, ARNs, patterns of these, `public`,
    /// `other-accounts`, or `service:NAME`. If unset, everyone.
    pub who: Option<ContractNames>,
    /// Actions that they must not be able to perform; patterns are allowed.
    pub never: Option<ContractNames>,
    /// Actions that only those in `only` may perform; patterns are allowed.
    pub actions: Option<ContractNames>,
    /// Who may perform `actions`; an empty list allows no one.
    pub only: Option<ContractNames>,
    /// Resources that the actions are on: addresses, logical IDs, names, ARNs, or patterns of these. If unset, any resource.
    pub resources: Option<ContractNames>,
    /// `direct`: what they can do themselves. `any path`: also what they can do as someone whom they can become.
    #[serde(default)]
    pub reach: ContractReach,
    /// Reference policy, relative to this file: they may do nothing that it does not allow.
    pub policy: Option<RangedValue<NonEmptyText>>,
}

/// How far a contract looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum ContractReach {
    /// What an identity can do itself.
    #[default]
    #[serde(rename = "direct")]
    Direct,
    /// Also what it can do as someone whom it can become.
    #[serde(rename = "any path")]
    AnyPath,
}

/// A name that is written nowhere.
fn unwritten(text: String) -> RangedValue<NonEmptyText> {
    RangedValue {
        value: NonEmptyText(text),
        range: 0..0,
    }
}

impl ContractTerms {
    /// One without terms.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: unwritten(name.into()),
            who: None,
            never: None,
            actions: None,
            only: None,
            resources: None,
            reach: ContractReach::Direct,
            policy: None,
        }
    }

    /// A list of names that are written nowhere.
    pub fn list(names: impl IntoIterator<Item = impl Into<String>>) -> Option<ContractNames> {
        Some(OneOrMany(names.into_iter().map(|n| unwritten(n.into())).collect()))
    }

    /// Why it promises nothing that can be judged, and the key at fault; `None` if it does.
    pub fn fault(&self) -> Option<(Range<usize>, String)> {
        let lists = [
            (&self.who, "who"),
            (&self.never, "never"),
            (&self.actions, "actions"),
            (&self.resources, "resources"),
        ];
        let is_empty = |list: &Option<ContractNames>| list.as_ref().is_some_and(|list| list.is_empty());
        let at = self.name.range.clone();
        if let Some((_, key)) = lists.iter().find(|(list, _)| is_empty(list)) {
            return Some((at, format!("`{key}` is an empty list")));
        }
        let promises = [
            self.never.is_some(),
            self.only.is_some() || self.actions.is_some(),
            self.policy.is_some(),
        ];
        let message = match (promises.iter().filter(|p| **p).count(), &self.actions, &self.only) {
            (0, ..) => "this contract has neither `never`, nor `actions` and `only`, nor `policy`",
            (1, Some(_), None) => "`actions` needs `only`: who may perform them",
            (1, None, Some(_)) => "`only` needs `actions`: what they alone may perform",
            (1, ..) if self.policy.is_some() && self.resources.is_some() => "`policy` says which resources count",
            (1, ..) => return None,
            _ => "a contract has one of `never`, `actions` with `only`, and `policy`",
        };
        Some((at, message.to_owned()))
    }

    /// All that it names, of whatever kind, but its own name.
    pub fn names(&self) -> impl Iterator<Item = &RangedValue<NonEmptyText>> {
        let lists = [&self.who, &self.never, &self.actions, &self.only, &self.resources];
        lists.into_iter().flatten().flat_map(|list| list.iter())
    }

    /// With its places as bytes of another text.
    pub fn moved(mut self, to: impl Fn(&Range<usize>) -> Range<usize>) -> Self {
        let lists = [
            &mut self.who,
            &mut self.never,
            &mut self.actions,
            &mut self.only,
            &mut self.resources,
        ];
        let listed = lists.into_iter().flatten().flat_map(|list| &mut list.0);
        for value in listed.chain([&mut self.name]).chain(&mut self.policy) {
            value.range = to(&value.range);
        }
        self
    }
}

/// A contract, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredContract {
    /// The settings or the access file, as the path of a source.
    pub file: String,
    /// Its folder: names are looked for here first.
    pub folder: String,
    /// Places are bytes of the file.
    pub terms: ContractTerms,
    /// All that it may be about is read: what is not found there does not exist.
    pub whole: bool,
}

impl DeclaredContract {
    /// The file of its reference policy, as the path of a source.
    pub fn policy_path(&self) -> Option<String> {
        let policy = self.terms.policy.as_ref()?;
        Some(join_path(parent_path(&self.file), &policy.value.0))
    }
}
