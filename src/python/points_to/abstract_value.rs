//! What an expression of Python may stand for, as far as calls of AWS are concerned.

use std::sync::Arc;

use crate::iam::sdk::{Client, SdkMember, SdkResourceType};
use crate::python::{ExprId, ScopeId};

/// How many things one expression may stand for before the rest is only [`AbstractValue::More`].
pub(crate) const MAX_VALUES: usize = 48;

/// A scope of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeRef {
    /// Index of the module in the program.
    pub module: usize,
    pub scope: ScopeId,
}

/// An expression of a module.
pub(crate) type ExprRef = (usize, ExprId);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum AbstractValue {
    /// Something that we know nothing about.
    Opaque,
    /// Whatever else it is: there is more than we distinguish.
    More,
    /// A short literal string.
    Text(Arc<str>),
    /// A name of a library, qualified, or a builtin.
    Library(Arc<str>),
    Module(usize),
    /// A folder of modules without a file of its own: the importing module and the dotted name.
    Package(usize, Arc<str>),
    Function(ScopeRef),
    /// A function of a class and the class of its receiver.
    Method(ScopeRef, ScopeRef),
    Class(ScopeRef),
    Instance(ScopeRef),
    /// `super()` in this class, for instances of that one.
    Super(ScopeRef, ScopeRef),
    /// A list, tuple, dict or comprehension.
    Literal(ExprRef),
    /// What a container that was made by a call holds under a key, a position, or (empty) anywhere.
    Entry(Arc<str>, Arc<Self>),
    /// Its `.items()`, or `enumerate` of it; and one of these.
    Items(ExprRef),
    Pair(ExprRef),
    /// `functools.partial(…)`
    Partial(ExprRef),
    Session,
    Client(Client),
    /// A client of a service that we don't know.
    SomeClient,
    /// A client of a service that the API data lacks: its name.
    UnlistedClient(Arc<str>),
    /// An object of the resource API.
    Resource(Client, SdkResourceType, ResourceOrigin),
    /// `bucket.objects`: of what, and whether it was listed already (`.all()`).
    Collection(Client, SdkResourceType, SdkMember, ResourceOrigin, bool),
    /// `.meta` of a client or resource.
    Meta(Client),
    /// An attribute of a thing that has no body in the repository: a method, mostly.
    Bound(Arc<Self>, Arc<str>),
}

/// Where an object of the resource API comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ResourceOrigin {
    /// The call that made it, with its identifiers.
    Call(ExprRef),
    /// What an object reported of that this call made, an element of a collection of it; whether it holds its attributes.
    Of(ExprRef, bool),
    /// An operation's answer, which holds its attributes.
    Loaded,
    Unknown,
}

impl ResourceOrigin {
    /// The call that made it, or that made what reported of it.
    pub(crate) fn call(self) -> Option<ExprRef> {
        match self {
            Self::Call(at) | Self::Of(at, _) => Some(at),
            Self::Loaded | Self::Unknown => None,
        }
    }

    pub(crate) fn is_loaded(self) -> bool {
        matches!(self, Self::Loaded | Self::Of(_, true))
    }

    /// Whether another object reported of it, so that its own identifiers are not known.
    pub(crate) fn is_reported(self) -> bool {
        matches!(self, Self::Of(..))
    }
}

/// What an expression may stand for: sorted, without duplicates; empty when it is certainly nothing that matters.
pub(crate) type ValueSet = Arc<[AbstractValue]>;

/// Collects things.
#[derive(Debug, Default)]
pub(crate) struct ValueSetBuilder(Vec<AbstractValue>);

impl ValueSetBuilder {
    pub(crate) fn put(&mut self, value: AbstractValue) {
        match self.0.len() {
            n if n < MAX_VALUES * 4 => self.0.push(value),
            n if n == MAX_VALUES * 4 => self.0.push(AbstractValue::More),
            _ => {}
        }
    }

    pub(crate) fn put_all(&mut self, values: &[AbstractValue]) {
        for t in values {
            self.put(t.clone());
        }
    }

    /// Things that are held under `key`.
    pub(crate) fn put_entries(&mut self, key: &str, values: &[AbstractValue]) {
        let key: Arc<str> = key.into();
        for t in values.iter().filter(|t| !matches!(t, AbstractValue::Opaque)) {
            self.put(AbstractValue::Entry(key.clone(), Arc::new(t.clone())));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &AbstractValue> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn finish(self) -> ValueSet {
        self.finish_within(MAX_VALUES)
    }

    /// At most `max` of them, the last of which says whether there are more.
    pub(crate) fn finish_within(mut self, max: usize) -> ValueSet {
        self.0.sort();
        self.0.dedup();
        if self.0.len() > max {
            self.0.truncate(max - 1);
            if !self.0.contains(&AbstractValue::More) {
                self.0.push(AbstractValue::More);
                self.0.sort();
            }
        }
        self.0.into()
    }
}

pub(crate) fn single(value: AbstractValue) -> ValueSet {
    Arc::from([value])
}

/// The operations of AWS begin at one of these.
pub(crate) fn is_aws(value: &AbstractValue) -> bool {
    matches!(
        value,
        AbstractValue::Client(_)
            | AbstractValue::SomeClient
            | AbstractValue::UnlistedClient(_)
            | AbstractValue::Resource(..)
            | AbstractValue::Collection(..)
            | AbstractValue::Session
            | AbstractValue::Meta(_)
    )
}
