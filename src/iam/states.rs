//! The tasks of state machines: from the resource of a task to the actions that the machine's role needs.
//!
//! AWS Step Functions Developer Guide, "Integrating services with Step Functions".

use super::actions::ActionSet;
use super::catalogue::tables;
use super::sdk::{self, Client, SdkOperation};

/// What a task needs.
#[derive(Clone, Debug, Default)]
pub struct TaskActions {
    pub required: Vec<&'static str>,
    /// Those of `required` without which the call fails for sure.
    pub certain: Vec<&'static str>,
    /// Those that some calls need in addition: patterns.
    pub perhaps: Vec<&'static str>,
}

impl TaskActions {
    /// Of an entry of the table that is a part of machines rather than an integration: `distributed`, `logging`.
    pub fn of_part(part: &str) -> Self {
        let of = |key: &str| tables::actions_of("states-integrations", key);
        let required = of(part).unwrap_or_default();
        Self {
            certain: required.clone(),
            required,
            perhaps: of(&format!("{part} perhaps")).unwrap_or_default(),
        }
    }

    /// Of what follows `arn:aws:states:::` in the resource of a task: `dynamodb:putItem`, `ecs:runTask.sync`,
    /// `aws-sdk:s3:listBuckets`. `None` if it is not known.
    pub fn of_integration(integration: &str) -> Option<Self> {
        // `.sync:2` is another form of the answer.
        let integration = integration.strip_suffix(":2").unwrap_or(integration);
        let integration = integration.strip_suffix(".waitForTaskToken").unwrap_or(integration);
        if let Some(call) = integration.strip_prefix("aws-sdk:") {
            return Self::of_call(call);
        }
        let (_, operation) = integration.split_once(':')?;
        let waits = operation.ends_with(".sync");
        let mut out = Self::of_part(integration);
        if out.required.is_empty() {
            if waits {
                return None;
            }
            let call = Self::of_call(integration)?;
            out.required = call.required;
            out.certain = call.certain;
            out.perhaps.extend(call.perhaps);
        }
        if waits {
            out.perhaps.extend(Self::of_part("sync").perhaps);
            // The others look after what was started: without them, the task may still end.
            out.certain.truncate(1);
        }
        // Only an API with IAM authorization asks for it.
        out.certain.retain(|action| *action != "execute-api:Invoke");
        Some(out)
    }

    /// Of one call of an API: `s3:listBuckets`.
    fn of_call(call: &str) -> Option<Self> {
        let (client, operation) = operation_of(call)?;
        let mut perhaps = operation.all_actions();
        perhaps.extend(operation.kms_actions(client));
        perhaps.extend(sdk::companion_actions(client.name(), operation.name(), None));
        let rights = sdk::caller_rights(client.name(), operation.name());
        perhaps.extend(rights.flat_map(|right| right.actions.iter().copied()));
        Some(Self {
            certain: operation.required().collect(),
            required: operation.required().chain(operation.alternative_actions()).collect(),
            perhaps,
        })
    }

    /// All that it may need.
    pub fn set(&self) -> ActionSet {
        ActionSet::expand_all(self.required.iter().chain(&self.perhaps).copied())
    }
}

fn operation_of(call: &str) -> Option<(Client, SdkOperation)> {
    let (service, operation) = call.split_once(':')?;
    let service = service.to_lowercase();
    let named = tables::fields("states-clients").find(|f| f.first().is_some_and(|name| *name == service));
    let client = match named.as_ref().and_then(|f| f.get(1)) {
        Some(name) => sdk::client(name)?,
        None => sdk::clients().find(|c| c.name().replace('-', "") == service.replace('-', ""))?,
    };
    let found = client.operations().find(|o| o.name().eq_ignore_ascii_case(operation))?;
    Some((client, found))
}
