//! Functions and state machines: the resource, its role, its URL.

use crate::formats::cloudformation::emit::resources::Base;
use crate::model::Resource;
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::emit::sam::props::{SamProperties, map, resource};
use crate::formats::cloudformation::emit::sam::role::SamRole;

const BASIC: &str = "service-role/AWSLambdaBasicExecutionRole";
const DURABLE: &str = "service-role/AWSLambdaBasicDurableExecutionRolePolicy";
const VPC: &str = "service-role/AWSLambdaVPCAccessExecutionRole";
/// Where the code is that nothing says the place of: the folder of the template, which `sam build` and `sam package` take then
/// (aws-sam-cli, `DEFAULT_CODEURI` and `upload_local_artifacts`).
const OWN_FOLDER: &str = ".";
const XRAY: &str = "AWSXrayWriteOnlyAccess";

impl Sam<'_, '_> {
    /// SAM Developer Guide, "AWS::Serverless::Function" and "CloudFormation resources generated when you specify
    /// AWS::Serverless::Function".
    pub(super) fn function(&self, base: &Base, mut props: SamProperties, out: &mut Vec<Resource>) {
        let events = props.take("Events");
        let url = props.take("FunctionUrlConfig");
        let durable = props.get("DurableConfig").is_some_and(|v| !v.is_null());
        let mut added = vec![if durable { DURABLE } else { BASIC }];
        let traced = props
            .get("Tracing")
            .is_some_and(|t| t.as_str().as_deref() != Some("Disabled"));
        if traced {
            added.push(XRAY);
        }
        if props.get("VpcConfig").is_some_and(|v| !v.is_null()) {
            added.push(VPC);
        }
        let events = events.as_ref().and_then(|e| e.value.entries()).unwrap_or(&[]);
        added.extend(crate::formats::cloudformation::emit::sam::events::managed_policies(
            events,
        ));
        let inline = self.function_policies(base, &props, events);
        let role = self.generated_role(base, &mut props, "Role", "lambda.amazonaws.com", (added, inline));
        out.extend(self.deployment(base, &props));
        if let Some(tracing) = props.take("Tracing") {
            let mode = map(vec![("Mode", tracing.value)], tracing.key_span);
            props.push("TracingConfig", tracing.key_span, mode);
        }
        for (from, key) in [("InlineCode", "ZipFile"), ("ImageUri", "ImageUri")] {
            if let Some(code) = props.take(from) {
                props.push("Code", code.key_span, map(vec![(key, code.value)], code.key_span));
            }
        }
        props.rename("DeadLetterQueue", "DeadLetterConfig");
        let given = props.get("CodeUri").filter(|code| !code.is_null());
        let is_image = props
            .get("PackageType")
            .is_some_and(|kind| kind.as_str().as_deref() != Some("Zip"));
        let own_folder = Value::synthetic(OWN_FOLDER, base.header);
        let by_default =
            (given.is_none() && !is_image && props.get("Code").is_none() && props.get("Handler").is_some())
                .then_some(&own_folder);
        let code = self.template.code_paths(base, given.or(by_default));
        props.entries.extend(code);
        out.push(self.make_resource("AWS::Lambda::Function", &base.id, base, props));
        out.extend(role);
        out.extend(url.map(|url| self.url(base, url)));
        self.events(base, events, out);
    }

    /// SAM Developer Guide, "AWS::Serverless::StateMachine".
    pub(super) fn state_machine(&self, base: &Base, mut props: SamProperties, out: &mut Vec<Resource>) {
        let events = props.take("Events");
        let traced = props
            .get("Tracing")
            .and_then(|t| t.get("Enabled"))
            .and_then(Value::as_bool);
        let added = if traced == Some(true) { vec![XRAY] } else { Vec::new() };
        let events = events.as_ref().and_then(|e| e.value.entries()).unwrap_or(&[]);
        for event in events {
            let Some(kind) = crate::formats::cloudformation::emit::sam::events::kind_of(event) else {
                continue;
            };
            let boundary = props.entry("PermissionsBoundary");
            out.extend(self.start_role(base, event, &kind, boundary));
            out.extend(self.dead_letters(base, event, &kind));
        }
        let role = self.generated_role(base, &mut props, "RoleArn", "states.amazonaws.com", (added, Vec::new()));
        props.rename("Tracing", "TracingConfiguration");
        props.rename("Logging", "LoggingConfiguration");
        props.rename("Name", "StateMachineName");
        let definition = self.template.definition_path(props.get("DefinitionUri"));
        props.entries.extend(definition);
        out.push(self.make_resource("AWS::StepFunctions::StateMachine", &base.id, base, props));
        out.extend(role);
    }

    /// The role that is made where `Role` names none, and the reference to it under the property `name`. `Policies` beside
    /// a `Role` do nothing; they stay on the resource, since someone meant them.
    fn generated_role(
        &self,
        base: &Base,
        props: &mut SamProperties,
        name: &str,
        service: &'static str,
        (added, inline): (Vec<&'static str>, Vec<Value>),
    ) -> Option<Resource> {
        let at = base.header;
        let arn = resource(self.template.target(&format!("{}Role", base.id), "Arn"), at);
        let named = props.take("Role").filter(|r| !r.value.is_null());
        let branch: Option<Guard> = match named {
            None => {
                props.push(name, at, arn);
                None
            }
            // `!If [HasRole, !Ref RoleArn, !Ref AWS::NoValue]`: a role is made in the other branch.
            Some(MapEntry { value, key_span, .. }) => match &value.kind {
                ValueKind::OneOf(branches) if branches.len() == 1 => {
                    let label = branches[0].when.negated();
                    let mut branches = branches.to_vec();
                    branches.push(Branch {
                        when: label.clone(),
                        value: arn,
                    });
                    let value = Value {
                        kind: ValueKind::OneOf(branches.into()),
                        ..value
                    };
                    props.push(name, key_span, value);
                    Some(label)
                }
                _ => {
                    props.push(name, key_span, value);
                    return None;
                }
            },
        };
        let role = SamRole {
            id: format!("{}Role", base.id),
            at,
            service,
            policies: props.take("Policies"),
            trust: props.take("AssumeRolePolicyDocument"),
            added,
            inline,
            props,
            branch,
        };
        Some(self.role(base, role))
    }

    /// SAM Developer Guide, "FunctionUrlConfig". The permission for everyone that goes with `AuthType: NONE` says nothing
    /// that the URL does not.
    fn url(&self, base: &Base, url: MapEntry) -> Resource {
        let mut props = SamProperties {
            entries: url.value.entries().unwrap_or(&[]).to_vec(),
        };
        let target = resource(self.template.target(&base.id, ""), base.header);
        props.push("TargetFunctionArn", base.header, target);
        let mut made = self.make_resource("AWS::Lambda::Url", &format!("{}Url", base.id), base, props);
        made.header = url.key_span;
        made
    }
}
