//! CloudTrail: which actions the calls of an event need, which resources its parameters name, and which actions it logs.
//!
//! **Invariant:** an event that is not known is `None`, never an event without actions.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use super::catalogue::{catalogue, tables};
use super::sdk::{self, Client, SdkOperation, Trigger};

const LOGGING: &str = "cloudtrail-logging";
const EVENTS: &str = "cloudtrail-events";
const RESOURCES: &str = "cloudtrail-resources";

/// How CloudTrail logs the calls of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionLogging {
    /// As management events, which trails log by default.
    Management,
    /// As data events of these resource types, which trails log only where that is switched on.
    Data(Vec<&'static str>),
    /// Not at all, or not as an event of its own.
    Never,
    /// AWS does not say it.
    Unclear,
}

/// How CloudTrail logs an action: `s3:GetObject`, in any case.
pub fn action_logging(action: &str) -> ActionLogging {
    let service = action.split_once(':').map_or(action, |(service, _)| service);
    let row = tables::row_of(LOGGING, action).or_else(|| tables::row_of(LOGGING, &format!("{service}:*")));
    match row.as_deref() {
        Some([_, "never", ..]) => ActionLogging::Never,
        Some([_, "data", types, ..]) => ActionLogging::Data(types.split(", ").collect()),
        Some([_, "unclear", ..]) => ActionLogging::Unclear,
        _ => ActionLogging::Management,
    }
}

/// What the calls of an event need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventActions {
    /// In any call, sorted. If one of several suffices, all of them. Empty: no permission is needed.
    pub actions: Vec<&'static str>,
    /// Needed in addition if one of the parameters is in the request.
    pub with_parameters: Vec<(Vec<&'static str>, &'static str)>,
}

/// The part of an event source before `.amazonaws.com`: `s3`.
pub fn source_label(source: &str) -> &str {
    let end = source.find(".amazonaws.").or_else(|| source.find(".aws."));
    end.map_or(source, |at| &source[..at])
}

/// The actions of an event: `event_actions("s3.amazonaws.com", "ListObjects")` is `s3:ListBucket`. `None` if it is not known.
pub fn event_actions(source: &str, name: &str) -> Option<EventActions> {
    let label = source_label(source).to_ascii_lowercase();
    let plain = without_version(name);
    for name in [name, plain] {
        if let Some(actions) = tables::actions_of(EVENTS, &format!("event {label} {name}")) {
            let mut actions: Vec<_> = actions.into_iter().filter(|a| *a != "none").collect();
            actions.sort_unstable();
            return Some(EventActions {
                actions,
                ..EventActions::default()
            });
        }
    }
    let named = tables::actions_of(EVENTS, &format!("source {label}"));
    let services = named.unwrap_or_default();
    let first = label.split('.').next().unwrap_or(&label);
    let services: Vec<&str> = match services.is_empty() {
        true => vec![&label, first],
        false => services,
    };
    for name in [name, plain] {
        let mut clients = services.iter().flat_map(|s| clients_of(s)).copied();
        if let Some(operation) = clients.find_map(|c| c.operation(name)) {
            return Some(of_operation(operation, &services));
        }
    }
    for name in [name, plain] {
        for service in &services {
            let full = format!("{service}:{name}");
            let of_name = || catalogue().action(&full).map(|a| vec![a]);
            if let Some(actions) = of_name().or_else(|| catalogue().api_name(&full)) {
                let mut actions: Vec<_> = actions.into_iter().map(|a| a.name()).collect();
                actions.sort_unstable();
                return Some(EventActions {
                    actions,
                    ..EventActions::default()
                });
            }
        }
    }
    None
}

fn of_operation(operation: SdkOperation, services: &[&str]) -> EventActions {
    // One that is logged for another service is not meant: `s3-outposts:ListAccessPoints`.
    let is_own = |action: &&str| {
        action
            .split_once(':')
            .is_some_and(|(service, _)| services.contains(&service))
    };
    let has_own = operation.alternative_actions().any(|a| is_own(&a));
    let alternatives = operation.alternative_actions().filter(|a| !has_own || is_own(a));
    let mut actions: Vec<_> = operation.required().chain(alternatives).collect();
    actions.sort_unstable();
    actions.dedup();
    let with_parameters = operation
        .conditional()
        .filter_map(|optional| match optional.trigger {
            Trigger::Params(params) if !params.is_empty() => Some((params, optional.action)),
            _ => None,
        })
        .collect();
    EventActions {
        actions,
        with_parameters,
    }
}

/// The clients with this name, then those whose actions have this prefix.
fn clients_of(service: &str) -> &'static [Client] {
    static CLIENTS: OnceLock<HashMap<&'static str, Vec<Client>>> = OnceLock::new();
    let all = CLIENTS.get_or_init(|| {
        let mut all: HashMap<&str, Vec<Client>> = HashMap::new();
        for client in sdk::clients() {
            all.entry(client.name()).or_default().push(client);
        }
        for client in sdk::clients().filter(|c| c.iam_prefix() != c.name()) {
            all.entry(client.iam_prefix()).or_default().push(client);
        }
        all
    });
    all.get(service).map_or(&[], Vec::as_slice)
}

/// The name without the day of the API's version at its end: `ListFunctions20150331`, `CreateDistribution2020_05_31`.
fn without_version(name: &str) -> &str {
    let is_version = |text: &str| {
        let (day, number) = text.split_once('v').unwrap_or((text, "0"));
        let digits = day.bytes().filter(u8::is_ascii_digit).count();
        digits == 8
            && day.starts_with("20")
            && day.bytes().all(|b| b.is_ascii_digit() || b == b'_')
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    };
    let start = name.find("20").filter(|at| *at > 0 && is_version(&name[*at..]));
    start.map_or(name, |at| &name[..at])
}

/// How an ARN is made of the parameters of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceTemplate {
    /// Text and names in turn, text first: `arn:`, `Partition`, `:s3:::`, `bucketName`.
    pub parts: Vec<&'static str>,
}

impl ResourceTemplate {
    fn parse(text: &'static str) -> Self {
        Self {
            parts: text.split("${").flat_map(|p| p.split('}')).collect(),
        }
    }

    /// The parameters in it, without `Partition`, `Region`, and `Account`.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        let names = self.parts.iter().skip(1).step_by(2).copied();
        names.filter(|n| !["Partition", "Region", "Account"].contains(n))
    }
}

/// The templates of an event, of which the first counts whose parameters are all there.
pub fn resource_templates(source: &str, name: &str) -> &'static [ResourceTemplate] {
    let label = source_label(source);
    let of_event = templates().get(&*format!("{label} {name}"));
    of_event.or_else(|| templates().get(label)).map_or(&[], Vec::as_slice)
}

/// The parameters of requests that name resources, of all sources, sorted.
pub fn resource_parameters() -> Vec<&'static str> {
    let all = templates().values().flatten();
    let mut names: Vec<_> = all.flat_map(ResourceTemplate::parameters).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn templates() -> &'static BTreeMap<&'static str, Vec<ResourceTemplate>> {
    static TEMPLATES: OnceLock<BTreeMap<&'static str, Vec<ResourceTemplate>>> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let lines = tables::fields(RESOURCES).filter_map(|fields| match fields[..] {
            [source, templates, ..] => Some((source, templates.split(", ").map(ResourceTemplate::parse).collect())),
            _ => None,
        });
        lines.collect()
    })
}
