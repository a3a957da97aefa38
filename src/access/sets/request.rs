//! One request.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::callers;
use crate::iam::arn::is_account_id;
use crate::iam::{Action, catalogue};

/// Partitions of accounts that one may have. AWS General Reference, "Amazon Resource Names (ARNs)".
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WitnessPrincipal {
    /// An ARN, the name of a service, or the provider of an identity.
    Named(String),
    Anonymous,
}

impl Serialize for WitnessPrincipal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => to.serialize_str(name),
            Self::Anonymous => to.collect_map([("type", "Anonymous")]),
        }
    }
}

/// A request as AWS evaluates it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witness {
    pub principal: WitnessPrincipal,
    pub action: String,
    pub resource: String,
    /// The condition keys that it has, in lower case, with their values.
    pub context: BTreeMap<String, WitnessValue>,
    /// The caller as the sets have it.
    #[serde(skip)]
    pub(super) caller: String,
}

/// What a request has for a condition key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum WitnessValue {
    One(String),
    Many(Vec<String>),
}

impl WitnessValue {
    pub(super) fn new(mut values: Vec<String>) -> Self {
        match values.len() {
            1 => Self::One(values.remove(0)),
            _ => Self::Many(values),
        }
    }

    pub fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl Witness {
    /// The same by this identity. `None` where the context says another user.
    pub(super) fn by_identity(&self, arn: &str) -> Option<Self> {
        let user = arn
            .split_once(":user/")
            .map(|(_, path)| path.rsplit('/').next().unwrap_or(path));
        let said = self.context.get("aws:username").and_then(|v| v.values().first());
        let fits = said.is_none_or(|said| user == Some(said));
        let mut fields: Vec<&str> = arn.splitn(6, ':').collect();
        if let (Some(own), Some(partition)) = (fields.get_mut(1), self.partition()) {
            *own = partition;
        }
        fits.then(|| self.by(&format!("A:{}", fields.join(":"))))
    }

    /// That of the resource: no one has access in another one.
    fn partition(&self) -> Option<&str> {
        let of_resource = self.resource.strip_prefix("arn:")?.split(':').next()?;
        PARTITIONS.contains(&of_resource).then_some(of_resource)
    }

    /// Requests that tell most come first: not in a partition that few have, then by the action that is worst to give.
    pub(super) fn order(&self) -> (bool, u32) {
        let is_elsewhere = self.partition().is_some_and(|p| p != PARTITIONS[0]);
        let action = catalogue().action(&self.action);
        (is_elsewhere, action.map_or(u32::MAX, Action::severity_rank))
    }

    /// The same by callers of each partition, that of the resource first: of an account it is known that it is named, and not
    /// where it is.
    pub(super) fn in_each_partition(&self) -> Vec<Self> {
        let fields: Vec<&str> = self.caller.splitn(6, ':').collect();
        let ["A", arn, own, rest @ ..] = fields.as_slice() else {
            return vec![self.clone()];
        };
        let mut partitions: Vec<&str> = self.partition().into_iter().chain([*own]).chain(PARTITIONS).collect();
        let mut seen = BTreeSet::new();
        partitions.retain(|p| seen.insert(*p));
        let each = partitions
            .into_iter()
            .map(|p| [&["A", *arn, p], rest].concat().join(":"));
        each.map(|caller| self.by(&caller)).collect()
    }

    /// The same by a caller of the resource's account, and of the name that the context says. `None` where it is that already,
    /// or where who asks is said.
    pub(super) fn by_natural_caller(&self) -> Option<Self> {
        let arn = self.caller.strip_prefix("A:")?;
        let mut fields: Vec<&str> = arn.splitn(6, ':').collect();
        let of_resource = self.resource.split(':').nth(4).filter(|a| is_account_id(a));
        let name = self.context.get("aws:username").and_then(|v| v.values().first());
        let user = name.filter(|_| fields.get(5).is_some_and(|f| f.ends_with("/example")));
        let user = user.map(|name| format!("user/{name}"));
        *fields.get_mut(1)? = self.partition().unwrap_or(fields.get(1)?);
        *fields.get_mut(4)? = of_resource.unwrap_or(fields.get(4)?);
        if let Some(user) = &user {
            *fields.get_mut(5)? = user;
        }
        let caller = format!("A:{}", fields.join(":"));
        (caller != self.caller).then(|| self.by(&caller))
    }

    /// The same by another caller, as the sets have it.
    pub(super) fn by(&self, caller: &str) -> Self {
        let mut context = self.context.clone();
        for (key, _) in callers::repeated_keys(&self.caller) {
            context.remove(key);
        }
        for (key, value) in callers::repeated_keys(caller) {
            if self.context.contains_key(key) {
                context.insert(key.to_owned(), WitnessValue::One(value));
            }
        }
        Self {
            principal: callers::shown(caller),
            context,
            caller: caller.to_owned(),
            ..self.clone()
        }
    }
}
