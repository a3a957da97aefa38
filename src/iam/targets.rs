//! Targets of schedules, rules, and pipes, data sources, and integrations of APIs: the actions that the role of each needs.
//!
//! The table says who calls, what is called, and the pages of AWS that say so.

use super::arn::Arn;
use super::catalogue::tables;
use super::sdk;
use super::states::TaskActions;
use crate::source::Text;

const TABLE: &str = "target-needs";

/// What an ARN names, in the words of the table: `sqs`, `event-bus`.
pub fn service_of_arn(text: &Text) -> Option<String> {
    let arn = Arn::parse(text)?;
    let service = arn.service()?;
    let kind = arn.resource_type();
    let special = tables::actions_of(TABLE, &format!("arn {service}/{kind}"));
    match special.as_deref() {
        Some([name]) => Some((*name).to_owned()),
        // Without its type, what an ARN of these services names is not known.
        _ if matches!(&*service, "events" | "ssm") && !matches!(&*kind, "document") => None,
        _ => Some(service.into_owned()),
    }
}

/// The same of a resource, by its type in CloudFormation or Terraform.
pub fn service_of_type(kind: &str) -> Option<&'static str> {
    match tables::actions_of(TABLE, &format!("type {kind}"))?.as_slice() {
        [name] => Some(name),
        _ => None,
    }
}

impl TaskActions {
    /// Of an entry of the table: `schedule sqs`. `None` if it has none.
    pub fn of_target(key: &str) -> Option<Self> {
        let of = |ending: &str| tables::actions_of(TABLE, &format!("{key}{ending}"));
        let (certain, also, perhaps) = (of(""), of(" also"), of(" perhaps"));
        if certain.is_none() && also.is_none() && perhaps.is_none() {
            return None;
        }
        let certain = certain.unwrap_or_default();
        Some(Self {
            required: certain.iter().copied().chain(also.unwrap_or_default()).collect(),
            certain,
            perhaps: perhaps.unwrap_or_default(),
        })
    }

    /// Of one call, whose client an end point or an integration names: `runtime.sagemaker`, `InvokeEndpoint`.
    pub fn of_client_call(client: &str, operation: &str) -> Option<Self> {
        let client = client.to_lowercase();
        let client = client.rsplit_once('.').map_or(&*client, |(_, service)| service);
        let named = tables::actions_of(TABLE, &format!("client {client}"));
        let client = named
            .as_ref()
            .and_then(|names| names.first())
            .copied()
            .unwrap_or(client);
        Self::of_integration(&format!("aws-sdk:{client}:{operation}"))
    }

    /// Of one command of the AWS CLI, which says an operation with hyphens: `ecr`, `get-login-password`.
    pub fn of_cli_call(client: &str, command: &str) -> Option<Self> {
        let operation = sdk::client(client)?.operation(&command.replace('-', "_"))?;
        Self::of_client_call(client, operation.name())
    }

    /// The same, none of which is certain.
    #[must_use]
    pub fn uncertain(self) -> Self {
        Self {
            certain: Vec::new(),
            ..self
        }
    }
}

/// The operation that a function of AppSync's module for DynamoDB requests: `put` is `PutItem`.
pub fn dynamodb_helper(function: &str) -> Option<&'static str> {
    tables::actions_of(TABLE, &format!("helper {function}"))?
        .first()
        .copied()
}

/// Whether a program calls nothing of AWS.
pub fn is_harmless_command(program: &str) -> bool {
    tables::has(TABLE, &format!("command {program}"))
}
