//! Methods of boto3's clients that the API data does not have: those of newer versions, and of services that it lacks.
//!
//! **Invariant:** what they need is a guess: it counts as used, and no call certainly needs it.

use super::catalogue;
use super::sdk;

/// What a method may need, by its name and that of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlistedMethod {
    /// The action that its name stands for.
    Action(&'static str),
    /// Any action of the service with this prefix.
    AnyOf(&'static str),
}

/// What clients have beside the methods of their service (boto3 reference, "Client").
const GENERAL: &[&str] = &[
    "add_client_creator",
    "can_paginate",
    "close",
    "exceptions",
    "generate_presigned_post",
    "generate_presigned_url",
    "get_paginator",
    "get_waiter",
    "meta",
    "waiter_names",
];

/// Whether the name is one that a service may give to a method.
pub fn is_service_method(name: &str) -> bool {
    let mut letters = name.bytes();
    letters.next().is_some_and(|b| b.is_ascii_lowercase())
        && letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !GENERAL.contains(&name)
}

/// Whether boto3 may be given this as the name of a service.
pub fn is_client_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What a method of a client may need that the data does not have; `None` where the service has no actions that are known.
pub fn unlisted_method(client: &str, method: &str) -> Option<UnlistedMethod> {
    let prefix = match sdk::client(client) {
        Some(known) => known.iam_prefix(),
        None => client,
    };
    let service = catalogue().service(prefix)?;
    // botocore makes a method's name of an operation's by underscores alone.
    let action = catalogue().action(&format!("{prefix}:{}", method.replace('_', "")));
    Some(action.map_or_else(
        || UnlistedMethod::AnyOf(service.prefix()),
        |action| UnlistedMethod::Action(action.name()),
    ))
}
