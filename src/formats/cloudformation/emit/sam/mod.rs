//! SAM resources as the SAM translator turns them into CloudFormation's own.
//! Serverless Application Model, "Generated CloudFormation resources".
//!
//! **Invariant:** what a person wrote keeps its place; what the translator adds lies at the logical id, event or reference
//! that asks for it, under properties (`Generated…`) that no CloudFormation resource has where rules about written policies
//! would otherwise see it.

mod api;
mod connector;
mod events;
mod function;
mod globals;
mod graphql;
mod profiles;
mod props;
mod role;
mod sends;
mod starts;
mod templates;

use std::cell::Cell;

use crate::iam::SourceFormat;
use crate::model::Resource;
use crate::value::{Value, ValueKind};

use crate::formats::cloudformation::emit::resources::Base;
use crate::formats::cloudformation::eval::template::Template;
use props::SamProperties;

/// The translator at work on one template.
pub(crate) struct Sam<'t, 'w> {
    template: &'t Template<'w>,
    globals: Option<Value>,
    /// Whether the role of CodeDeploy is made already.
    deploys: Cell<bool>,
}

impl<'t, 'w> Sam<'t, 'w> {
    pub(crate) fn new(template: &'t Template<'w>) -> Self {
        let globals = template
            .doc
            .section("Globals")
            .filter(|_| template.doc.format == SourceFormat::Sam)
            .and_then(|node| template.value(template.env(), node));
        Self {
            template,
            globals,
            deploys: Cell::new(false),
        }
    }

    /// The resources that `base`, of a type `AWS::Serverless::*`, becomes.
    pub(crate) fn lower(&self, base: &Base, props: &Value, out: &mut Vec<Resource>) {
        let name = base.kind.strip_prefix("AWS::Serverless::").unwrap_or("");
        let own = props.entries().unwrap_or(&[]);
        let globals = self.globals.as_ref().and_then(|g| g.get(name));
        let props = SamProperties {
            entries: globals::merge_globals(globals, own, base.header),
        };
        match name {
            "Function" => self.function(base, props, out),
            "StateMachine" => self.state_machine(base, props, out),
            "Api" => self.api(base, props, out),
            "HttpApi" => self.http_api(base, props, out),
            "WebSocketApi" => self.web_socket_api(base, props, out),
            "SimpleTable" => out.push(self.make_resource("AWS::DynamoDB::Table", &base.id, base, props)),
            "LayerVersion" => {
                let mut props = props;
                let code = self.template.code_paths(base, props.get("ContentUri"));
                props.entries.extend(code);
                out.push(self.make_resource("AWS::Lambda::LayerVersion", &base.id, base, props));
            }
            "GraphQLApi" => self.graphql_api(base, props, out),
            "CapacityProvider" => self.capacity_provider(base, props, out),
            "Application" => self.application(base, props, out),
            "Connector" => self.connector(base, props, out),
            _ => out.push(self.make_resource(&base.kind, &base.id, base, props)),
        }
    }

    /// SAM Developer Guide, "AWS::Serverless::Application": a nested stack.
    fn application(&self, base: &Base, mut props: SamProperties, out: &mut Vec<Resource>) {
        if props
            .get("Location")
            .is_some_and(|l| !matches!(l.kind, ValueKind::Map(_)))
        {
            props.rename("Location", "TemplateURL");
        }
        let path = self.template.template_path(props.get("TemplateURL"));
        props.entries.extend(path);
        out.push(self.make_resource("AWS::CloudFormation::Stack", &base.id, base, props));
    }

    /// A resource that the translator makes for `base`.
    fn make_resource(&self, kind: &str, id: &str, base: &Base, props: SamProperties) -> Resource {
        Resource {
            kind: kind.into(),
            type_name: base.kind.clone(),
            address: self.template.address(id),
            format: SourceFormat::Sam,
            header: base.header,
            extent: base.extent,
            props: Value::map(props.entries, base.extent),
            metadata: base.metadata.clone(),
            instances: None,
            branch: base.branch.clone(),
            account: None,
        }
    }
}
