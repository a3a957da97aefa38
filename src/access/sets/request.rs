//! One request.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::callers;

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
