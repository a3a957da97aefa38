//! Roles that others assume: schedules and rules that start a function or a state machine, deployments, operators.
//! SAM Developer Guide, "Generated CloudFormation resources".

use crate::formats::cloudformation::emit::resources::Base;
use crate::model::Resource;
use crate::source::Span;
use crate::value::{MapEntry, Value};

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::emit::sam::props::{SamProperties, allow, inline, resource};
use crate::formats::cloudformation::emit::sam::role::SamRole;

impl Sam<'_, '_> {
    /// The role with which an event source starts `base`, where the event names none. A role for rules and APIs has the
    /// `boundary` of the state machine; one for the scheduler has what the event says.
    pub(super) fn start_role(
        &self,
        base: &Base,
        event: &MapEntry,
        kind: &str,
        boundary: Option<&MapEntry>,
    ) -> Option<Resource> {
        let at = event.key_span;
        let written = event.value.get("Properties");
        let given = |name: &str| written.and_then(|w| w.entry(name)).filter(|e| !e.value.is_null());
        let scheduler = kind == "ScheduleV2";
        let service = match kind {
            _ if given("RoleArn").is_some() => return None,
            "ScheduleV2" => "scheduler.amazonaws.com",
            "Schedule" | "CloudWatchEvent" | "EventBridgeRule" => "events.amazonaws.com",
            "Api" => "apigateway.amazonaws.com",
            _ => return None,
        };
        let (action, attribute) = match &*base.kind {
            "AWS::Serverless::StateMachine" => ("states:StartExecution", ""),
            _ => ("lambda:InvokeFunction", "Arn"),
        };
        let id = format!("{}{}", base.id, event.key.display());
        let started = resource(self.template.target(&base.id, attribute), at);
        let mut statements = vec![allow(&[action], vec![started], at)];
        if scheduler && let Some(letters) = given("DeadLetterConfig") {
            let made = || resource(self.template.target(&format!("{id}Queue"), "Arn"), at);
            let queue = letters.value.get("Arn").cloned().unwrap_or_else(made);
            statements.push(allow(&["sqs:SendMessage"], vec![queue], at));
        }
        let boundary = if scheduler {
            given("PermissionsBoundary")
        } else {
            boundary
        };
        let inline = vec![inline("EventSource", statements, at)];
        let props = SamProperties {
            entries: boundary.into_iter().cloned().collect(),
        };
        let mut role = self.service_role(base, format!("{id}Role"), at, service, (&props, Vec::new(), inline));
        role.extent = at.cover(event.value.span);
        Some(role)
    }

    /// The role of CodeDeploy, which all functions that are deployed step by step share.
    pub(super) fn deployment(&self, base: &Base, props: &SamProperties) -> Option<Resource> {
        let preference = props.entry("DeploymentPreference")?;
        let off = preference.value.get("Enabled").and_then(Value::as_bool) == Some(false);
        let own = preference.value.get("Role").is_some_and(|r| !r.is_null());
        if off || own || self.deploys.replace(true) {
            return None;
        }
        let id = "CodeDeployServiceRole".to_owned();
        let added = vec!["service-role/AWSCodeDeployRoleForLambda"];
        let nothing = SamProperties { entries: Vec::new() };
        let at = preference.key_span;
        let parts = (&nothing, added, Vec::new());
        let mut role = self.service_role(base, id, at, "codedeploy.amazonaws.com", parts);
        role.branch = None;
        Some(role)
    }

    /// SAM Developer Guide, "AWS::Serverless::CapacityProvider".
    pub(super) fn capacity_provider(&self, base: &Base, props: SamProperties, out: &mut Vec<Resource>) {
        if props.get("OperatorRole").is_none_or(Value::is_null) {
            let id = format!("{}OperatorRole", base.id);
            let added = vec!["AWSLambdaManagedEC2ResourceOperator"];
            let nothing = SamProperties { entries: Vec::new() };
            let parts = (&nothing, added, Vec::new());
            out.push(self.service_role(base, id, base.header, "lambda.amazonaws.com", parts));
        }
        out.push(self.make_resource("AWS::Lambda::CapacityProvider", &base.id, base, props));
    }

    /// A role of the translator's own: what it takes from `props`, AWS managed policies, policies inside it.
    pub(super) fn service_role(
        &self,
        base: &Base,
        id: String,
        at: Span,
        service: &'static str,
        (props, added, inline): (&SamProperties, Vec<&'static str>, Vec<Value>),
    ) -> Resource {
        let role = SamRole {
            id,
            at,
            service,
            policies: None,
            trust: None,
            added,
            inline,
            props,
            branch: None,
        };
        self.role(base, role)
    }
}
