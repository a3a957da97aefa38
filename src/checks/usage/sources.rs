//! Event sources of functions: the actions that Lambda calls with the function's role to read from them, and mappings
//! whose role lacks them.
//!
//! AWS Lambda Developer Guide, "How Lambda processes records from stream and queue-based event sources": Lambda polls
//! with the permissions of the function's role, and a mapping whose role lacks them cannot be created.

use std::collections::BTreeSet;

use super::missing::remedy;
use super::platform;
use super::resource_grants::ResourceGrants;
use crate::finding::{Cause, Confidence};
use crate::iam::arn::Arn;
use crate::iam::{ActionSet, Truth, catalogue, sdk};
use crate::model::Resource;
use crate::phrase;
use crate::project::targets::ResourceRefs;
use crate::project::{Project, ResourceId, RunsAs};
use crate::rules::{Context, FindingSink, ids};
use crate::source::Hole;
use crate::value::{Value, ValueKind};

const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

/// A type of event source, by the service in its ARN and its resource types, with the actions that Lambda always calls, the one that reads first.
/// AWS Lambda Developer Guide, the page of each source, "Execution role permissions".
struct EventSource {
    service: &'static str,
    kinds: &'static [&'static str],
    actions: &'static [&'static str],
    /// Entries of [`sdk::lambda_features`] with the actions that Lambda may call.
    features: &'static [&'static str],
}

const SOURCES: &[EventSource] = &[
    EventSource {
        service: "sqs",
        kinds: &["AWS::SQS::Queue"],
        actions: &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        features: &["sqs event source"],
    },
    EventSource {
        service: "kinesis",
        kinds: &["AWS::Kinesis::Stream"],
        actions: &[
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:DescribeStream",
        ],
        features: &["kinesis event source"],
    },
    EventSource {
        service: "dynamodb",
        kinds: &["AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"],
        actions: &[
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:DescribeStream",
        ],
        features: &["dynamodb stream event source"],
    },
    EventSource {
        service: "kafka",
        kinds: &["AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster"],
        actions: &[
            "kafka:GetBootstrapBrokers",
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
        ],
        features: &["kafka with iam", "msk event source"],
    },
    EventSource {
        service: "mq",
        kinds: &["AWS::AmazonMQ::Broker"],
        actions: &[
            "mq:DescribeBroker",
            "secretsmanager:GetSecretValue",
            "ec2:CreateNetworkInterface",
        ],
        features: &["active mq event source"],
    },
    EventSource {
        service: "rds",
        kinds: &["AWS::DocDB::DBCluster"],
        actions: &["rds:DescribeDBClusters", "secretsmanager:GetSecretValue"],
        features: &["documentdb event source"],
    },
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let project = cx.project;
    if !out.is_selected(ids::MISSING_GRANT) || !project.resources.iter().any(|r| &*r.kind == MAPPING) {
        return;
    }
    let (places, by_resources) = (ResourceRefs::new(project), ResourceGrants::new(project));
    for (id, r) in project.resources.iter_enumerated() {
        let off = r.get("Enabled").and_then(Value::as_bool) == Some(false);
        if &*r.kind != MAPPING || off {
            continue;
        }
        let found = r
            .get("EventSourceArn")
            .filter(|arn| !is_consumer(arn))
            .and_then(|arn| Some((arn, source(&places, arn)?)));
        let (Some((arn, source)), Some(runs_as)) = (found, role(project, &places, r)) else {
            continue;
        };
        let effective = cx.effects.of(runs_as.role);
        if !effective.is_complete() {
            continue;
        }
        let lacks = |name: &&str| {
            catalogue().action(name).is_some_and(|a| {
                let granted = || by_resources.may_grant(runs_as.role, r, a, (&places, &[]));
                effective.allows(a) == Truth::No && !granted()
            })
        };
        let actions: Vec<&'static str> = source.actions.iter().copied().filter(lacks).collect();
        let Some((action, more)) = actions.split_first() else {
            continue;
        };
        let also = match more.len() {
            0 => String::new(),
            1 => "; 1 more action is missing".to_owned(),
            n => format!("; {n} more actions are missing"),
        };
        let identity = &project.identities[runs_as.role];
        let mut f = cx
            .at_resource(
                ids::MISSING_GRANT,
                id,
                format!("`{action}` is required to poll this source but is not allowed{also}"),
            )
            .cause(Cause::Place(arn.span))
            .primary(arn.span, "polled with the permissions of the function's role")
            .confidence(Confidence::High)
            .actions(actions.iter().map(|a| a.to_lowercase()))
            .secondary(runs_as.span, "the function runs with this role");
        if !identity.header.touches(runs_as.span) {
            f = f.secondary(identity.header, "no policy of this role allows the action");
        }
        f.remedies.extend(remedy(effective, &actions));
        out.push(f.help(format!("Allow {} on the event source.", phrase::all_of(&actions))));
    }
}

/// The type of event source of an ARN or of a reference to a resource.
fn source(places: &ResourceRefs<'_>, arn: &Value) -> Option<&'static EventSource> {
    if let Some(hole) = arn.as_hole() {
        let (_, made) = places.target(hole)?;
        return SOURCES.iter().find(|s| s.kinds.contains(&&*made.kind));
    }
    let text = arn.as_text()?;
    let service = Arn::parse(text)?.service()?;
    SOURCES.iter().find(|s| s.service == service)
}

/// Whether an ARN is that of a stream consumer, which needs other actions.
fn is_consumer(arn: &Value) -> bool {
    arn.as_text()
        .is_some_and(|text| text.with_placeholders().contains("/consumer/"))
}

/// The event sources of a function, according to the mappings in the repository.
#[derive(Clone, Debug, Default)]
pub(super) struct EventSources {
    /// Features: `sqs event source`.
    declared: BTreeSet<&'static str>,
    /// The source of a mapping is not known.
    open: bool,
    /// No mapping is here: there may be one elsewhere.
    absent: bool,
}

impl EventSources {
    /// Of the function `r`.
    pub(super) fn new(project: &Project<'_>, places: &ResourceRefs<'_>, r: &Resource) -> Self {
        let mut out = Self::default();
        let mut any = false;
        for mapping in project
            .resources
            .iter()
            .filter(|m| &*m.kind == MAPPING && may_be_source_of(m, r))
        {
            any = true;
            match mapping.get("EventSourceArn").and_then(|arn| source(places, arn)) {
                Some(source) => out.declared.extend(source.features),
                None => out.open = true,
            }
        }
        out.absent = !any;
        out
    }

    /// Actions that Lambda may call with the function's role, which grants `granted`, to read from them: from one that is not
    /// here only if the role allows the first action that every such source takes.
    pub(super) fn possible_actions(&self, granted: &ActionSet) -> ActionSet {
        let is_readable = |source: &&EventSource| {
            let first = source.actions.first().and_then(|name| catalogue().action(name));
            first.is_some_and(|action| granted.contains(action.id()))
        };
        let elsewhere = SOURCES.iter().filter(|_| self.absent).filter(is_readable);
        let mut all = match self.open {
            true => actions_of(sdk::lambda_features().filter(|f| platform::is_source(f))),
            false => actions_of(elsewhere.flat_map(|source| source.features.iter().copied())),
        };
        all.union_with(&self.required_actions());
        all
    }

    /// Actions that Lambda always calls.
    pub(super) fn required_actions(&self) -> ActionSet {
        actions_of(self.declared.iter().copied())
    }
}

fn actions_of<'f>(features: impl Iterator<Item = &'f str>) -> ActionSet {
    ActionSet::expand_all(features.flat_map(|f| sdk::lambda_baseline(f).unwrap_or_default()))
}

/// Whether an event source mapping may be for the function `r`.
fn may_be_source_of(mapping: &Resource, r: &Resource) -> bool {
    if mapping.address.scope != r.address.scope {
        return false;
    }
    let Some(function) = mapping.get("FunctionName") else {
        return true;
    };
    let holes: Vec<&Hole> = match &function.kind {
        ValueKind::Unknown(hole) => vec![hole],
        ValueKind::Str(text) => text.holes().collect(),
        _ => return true,
    };
    let mut targets = holes.iter().filter_map(|h| h.target.as_ref()).peekable();
    targets.peek().is_none() || targets.any(|t| t.scope == r.address.scope && t.address == r.address.name)
}

/// The role of the function that a mapping is for, if there is exactly one.
fn role(project: &Project<'_>, places: &ResourceRefs<'_>, mapping: &Resource) -> Option<RunsAs> {
    let function = mapping.get("FunctionName")?;
    let of = match function.as_str() {
        Some(name) => function_named(project, mapping, &name)?,
        None => places.target(function.as_hole()?)?.0,
    };
    let workload = project.workloads.iter().find(|w| w.resource == of)?;
    match workload.roles.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// The one function of the mapping's module or template with this name, or with an ARN that ends in it.
fn function_named(project: &Project<'_>, mapping: &Resource, name: &str) -> Option<ResourceId> {
    let name = name.rsplit_once(":function:").map_or(name, |(_, name)| name);
    let is_it = |r: &Resource| {
        &*r.kind == "AWS::Lambda::Function"
            && r.address.scope == mapping.address.scope
            && r.get("FunctionName").and_then(Value::as_str).as_deref() == Some(name)
    };
    let mut all = project.resources.iter_enumerated().filter(|(_, r)| is_it(r));
    let (id, _) = all.next()?;
    all.next().is_none().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_of_a_source_is_known_and_each_is_of_one_source() {
        let named: BTreeSet<&str> = SOURCES.iter().flat_map(|s| s.features.iter().copied()).collect();
        let known: BTreeSet<&str> = sdk::lambda_features().filter(|f| platform::is_source(f)).collect();
        assert!(named.is_subset(&known), "{named:?} {known:?}");
    }
}
