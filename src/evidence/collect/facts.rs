//! What is known of an event by its name: its actions, and where it names resources.

use std::borrow::Cow;

use super::event::{LogEvent, RequestParameters};
use crate::iam::catalogue::{AccessLevel, catalogue};
use crate::iam::cloudtrail::{
    ActionLogging, EventActions, ResourceTemplate, action_logging, event_actions, resource_templates,
};

/// The facts of an event.
#[derive(Debug)]
pub(super) struct EventFacts {
    pub(super) actions: Option<EventActions>,
    /// Its first action only reads.
    pub(super) reads: bool,
    templates: &'static [ResourceTemplate],
    /// The resource type of its data events, if it is one.
    data_type: Option<&'static str>,
}

impl EventFacts {
    pub(super) fn new(source: &str, name: &str) -> Self {
        let actions = event_actions(source, name);
        let first = actions.as_ref().and_then(|a| a.actions.first().copied());
        let level = first.and_then(|a| catalogue().action(a)).map(|a| a.level());
        let reads = match level {
            Some(level) => matches!(level, AccessLevel::Read | AccessLevel::List),
            None => ["Get", "List", "Describe", "Head"]
                .iter()
                .any(|verb| name.starts_with(verb)),
        };
        let data_type = match first.map(action_logging) {
            Some(ActionLogging::Data(types)) => types.first().copied(),
            _ => None,
        };
        Self {
            actions,
            reads,
            templates: resource_templates(source, name),
            data_type,
        }
    }

    pub(super) fn data_type(&self) -> Option<&'static str> {
        self.data_type
    }

    /// Gives the ARNs of the resources that an event names.
    pub(super) fn resources(&self, event: &LogEvent<'_>, account: Option<&str>, mut add: impl FnMut(&str)) {
        let listed = event.resources.as_deref().unwrap_or_default();
        let arns = || {
            listed
                .iter()
                .filter_map(|r| r.arn.get())
                .filter(|a| a.starts_with("arn:"))
        };
        let mut found = false;
        for arn in arns() {
            // The bucket of an object, and so on.
            let is_around = arns().any(|other| {
                let rest = other.strip_prefix(arn);
                rest.is_some_and(|r| r.len() > 1 && r.starts_with('/'))
            });
            found = true;
            if !is_around {
                add(arn);
            }
        }
        if !found {
            let made = self.templates.iter().find_map(|t| arn_of(t, event, account));
            if let Some(arn) = made {
                add(&arn);
            }
        }
    }

    /// Gives the resource types of a data event, with the bucket, table, function, … of each.
    pub(super) fn data(&self, event: &LogEvent<'_>, account: Option<&str>, mut add: impl FnMut(&str, Option<&str>)) {
        let mut first = None;
        self.resources(event, account, |arn| {
            first.get_or_insert_with(|| arn.to_owned());
        });
        let container = first.as_deref().map(container_of);
        let listed = event.resources.as_deref().unwrap_or_default();
        let kinds = listed.iter().filter_map(|r| r.kind.get());
        // Objects of S3 are listed with their bucket, which is not what a selector names.
        let kind = kinds.filter(|k| *k != "AWS::S3::Bucket").min();
        if let Some(kind) = self.data_type.or(kind) {
            add(kind, container);
        }
    }
}

/// The bucket of an object, and the table of an index.
fn container_of(arn: &str) -> &str {
    let name = arn.splitn(6, ':').nth(5).unwrap_or("");
    let start = arn.len() - name.len();
    let end = match arn.split(':').nth(2) {
        Some("s3") => name.find('/'),
        Some("dynamodb") => name.match_indices('/').nth(1).map(|(at, _)| at),
        Some("lambda") => name.match_indices(':').nth(1).map(|(at, _)| at),
        _ => None,
    };
    end.map_or(arn, |end| &arn[..start + end])
}

fn arn_of(template: &ResourceTemplate, event: &LogEvent<'_>, account: Option<&str>) -> Option<String> {
    let mut arn = String::new();
    for (index, part) in template.parts.iter().enumerate() {
        if index % 2 == 0 {
            arn.push_str(part);
            continue;
        }
        match *part {
            "Partition" => arn.push_str(partition_of(event.aws_region.text())),
            "Region" => arn.push_str(event.aws_region.get()?),
            "Account" => arn.push_str(account?),
            name => {
                let value = parameter(&event.request_parameters, name)?;
                if value.starts_with("arn:") {
                    return Some(value.into_owned());
                }
                if value.starts_with("alias/") && arn.ends_with("key/") {
                    arn.truncate(arn.len() - "key/".len());
                }
                let value = match arn.ends_with('/') {
                    true => value.strip_prefix('/').unwrap_or(&value),
                    false => &value,
                };
                arn.push_str(value);
            }
        }
    }
    arn.starts_with("arn:").then_some(arn)
}

/// The value of a parameter; of the URL of a queue, its name.
fn parameter<'a>(parameters: &'a RequestParameters<'_>, name: &str) -> Option<Cow<'a, str>> {
    let value = parameters.get(name)?;
    Some(Cow::Borrowed(match name {
        "queueUrl" => value.rsplit('/').next().unwrap_or(value),
        _ => value,
    }))
}

fn partition_of(region: &str) -> &'static str {
    catalogue().region(region).map_or("aws", |r| r.partition)
}
