//! Connectors: the policies and permissions that let one resource reach another.
//! SAM Developer Guide, "AWS SAM connector reference".

use crate::formats::cloudformation::emit::resources::Base;
use crate::formats::cloudformation::eval::text::arn;
use crate::model::Resource;
use crate::source::{HoleTarget, Span, Text};
use crate::value::Value;

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::emit::sam::events::invoke;
use crate::formats::cloudformation::emit::sam::profiles::{
    BUCKET, ConnectorGrant, ConnectorOutput, DATA, FUNCTION, GRAPH, HTTP, MACHINE, PROFILES, REST, RULE, TABLE, TOPIC,
};
use crate::formats::cloudformation::emit::sam::props::{
    SamProperties, allow, allow_service, arn_part, document, resource, suffixed,
};

/// A resource that a connector starts or ends at.
pub(super) struct End {
    pub(super) kind: String,
    /// Its logical id, where it is named by that.
    pub(super) id: Option<String>,
    /// What is written of it: `Arn`, `RoleName`, `Qualifier`, ….
    pub(super) written: Value,
}

/// One connector: its logical id, its place, and what is written of it.
pub(super) struct ConnectorEntry<'a> {
    pub(super) id: String,
    pub(super) at: Span,
    pub(super) permissions: Option<&'a Value>,
    /// Which destination of a list this is.
    pub(super) place: Option<usize>,
}

impl ConnectorEntry<'_> {
    fn has_permission(&self, word: &str) -> bool {
        let hit = |item: &Value| item.as_str().as_deref() == Some(word);
        self.permissions.is_some_and(|p| p.items().iter().any(hit))
    }

    fn resource_name(&self, suffix: &str) -> String {
        match self.place {
            Some(i) => format!("{}{suffix}Destination{i}", self.id),
            None => format!("{}{suffix}", self.id),
        }
    }
}

impl Sam<'_, '_> {
    /// `AWS::Serverless::Connector`.
    pub(super) fn connector(&self, base: &Base, props: SamProperties, out: &mut Vec<Resource>) {
        if let (Some(source), Some(destination)) = (props.get("Source"), props.get("Destination")) {
            let Some(source) = self.endpoint(source) else {
                return;
            };
            self.connect(
                base,
                &base.id,
                base.header,
                (&source, destination),
                props.get("Permissions"),
                out,
            );
        }
    }

    /// The `Connectors` attribute of a resource, whose source is the resource.
    pub(in crate::formats::cloudformation) fn embedded_connectors(
        &self,
        base: &Base,
        connectors: &Value,
        out: &mut Vec<Resource>,
    ) {
        for connector in connectors.entries().unwrap_or(&[]) {
            let nothing = Value::map(Vec::new(), connector.key_span);
            let source = End {
                kind: canonical(&base.kind).to_owned(),
                id: Some(base.id.to_string()),
                // What `Id` cannot say stands under `SourceReference`.
                written: connector.value.get("SourceReference").cloned().unwrap_or(nothing),
            };
            let written = |name: &str| connector.value.path(&["Properties", name]);
            if let Some(destination) = written("Destination") {
                let id = format!("{}{}", base.id, connector.key.display());
                let ends = (&source, destination);
                self.connect(base, &id, connector.key_span, ends, written("Permissions"), out);
            }
        }
    }

    fn connect(
        &self,
        base: &Base,
        id: &str,
        at: Span,
        (source, destination): (&End, &Value),
        permissions: Option<&Value>,
        out: &mut Vec<Resource>,
    ) {
        for (i, end) in destination.items().iter().enumerate() {
            let wire = ConnectorEntry {
                id: id.to_owned(),
                at,
                permissions,
                place: destination.as_seq().map(|_| i),
            };
            if let Some(end) = self.endpoint(end) {
                out.extend(self.connector_output(base, &wire, source, &end));
            }
        }
    }

    /// One end of a connector: a resource of the template by `Id`, or one of which the type is written.
    fn endpoint(&self, value: &Value) -> Option<End> {
        let word = |name: &str| Some(value.get(name)?.as_str()?.into_owned());
        let id = word("Id");
        let kind = match &id {
            Some(id) => self.template.resources.get(id)?.kind.clone(),
            None => word("Type")?,
        };
        Some(End {
            kind: canonical(&kind).to_owned(),
            id,
            written: value.clone(),
        })
    }

    pub(super) fn connector_output(
        &self,
        base: &Base,
        wire: &ConnectorEntry<'_>,
        source: &End,
        destination: &End,
    ) -> Option<Resource> {
        let profile = PROFILES
            .iter()
            .find(|p| p.from == source.kind && p.to == destination.kind)?;
        match &profile.makes {
            ConnectorOutput::Policy(read, write) => self.policy(base, wire, (source, destination), read, write),
            ConnectorOutput::Reversed(read, write) => self.policy(base, wire, (destination, source), read, write),
            ConnectorOutput::Permission(service) => self.permitted_resource(base, wire, source, destination, service),
            ConnectorOutput::Resource((kind, suffix, list, action), service) => {
                let at = wire.at;
                let arn = self.arn(destination, at)?;
                let named = if *list == "Topics" {
                    arn.clone()
                } else {
                    self.attribute(destination, "QueueUrl", "", at)?
                };
                let source = self.arn(source, at)?;
                let statement = allow_service(service, action, arn, source, at);
                let mut props = SamProperties { entries: Vec::new() };
                props.push("SamTemplate", at, Value::synthetic("Connector", at));
                props.push("PolicyDocument", at, document(vec![statement], at));
                props.push(list, at, Value::seq(vec![named], at));
                wire.has_permission("Write")
                    .then(|| self.connector_resource(kind, suffix, base, wire, props))
            }
        }
    }

    fn policy(
        &self,
        base: &Base,
        wire: &ConnectorEntry<'_>,
        (holder, subject): (&End, &End),
        read: &[ConnectorGrant],
        write: &[ConnectorGrant],
    ) -> Option<Resource> {
        let at = wire.at;
        let role = self.role_of(holder, subject, at)?;
        let statements: Option<Vec<Value>> = [("Read", read), ("Write", write)]
            .iter()
            .filter(|(word, _)| wire.has_permission(word))
            .flat_map(|(_, grants)| grants.iter())
            .map(|grant| self.statement(grant, subject, at))
            .collect();
        let statements = statements.filter(|s| !s.is_empty())?;
        let mut props = SamProperties { entries: Vec::new() };
        props.push("SamTemplate", at, Value::synthetic("Connector", at));
        props.push("PolicyDocument", at, document(statements, at));
        props.push("Roles", at, Value::seq(vec![role], at));
        Some(self.connector_resource("AWS::IAM::ManagedPolicy", "Policy", base, wire, props))
    }

    fn permitted_resource(
        &self,
        base: &Base,
        wire: &ConnectorEntry<'_>,
        source: &End,
        destination: &End,
        service: &str,
    ) -> Option<Resource> {
        let at = wire.at;
        let function = self.arn(destination, at)?;
        let source_arn = match source.kind.as_str() {
            REST | HTTP => {
                let mut text = arn("arn:%partition:execute-api:%region:%account:", at);
                let id = self.attribute(source, "ResourceId", "", at)?;
                text.append(&arn_part(Some(&id), "ResourceId", at));
                text.append(&Text::synthetic("/", at));
                match source.written.get("Qualifier") {
                    Some(qualifier) => text.append(&arn_part(Some(qualifier), "Qualifier", at)),
                    None => text.append(&Text::synthetic("*", at)),
                }
                Value::text(text, at)
            }
            GRAPH => {
                let mut text = arn("arn:%partition:appsync:%region:%account:apis/", at);
                let id = self.attribute(source, "ResourceId", "ApiId", at)?;
                text.append(&arn_part(Some(&id), "ResourceId", at));
                Value::text(text, at)
            }
            _ => self.arn(source, at)?,
        };
        let mut props = invoke(function, service, at);
        props.push("SourceArn", at, source_arn);
        if source.kind == BUCKET {
            props.push("SourceAccount", at, Value::text(arn("%account", at), at));
        }
        let suffix = "WriteLambdaPermission";
        wire.has_permission("Write")
            .then(|| self.connector_resource("AWS::Lambda::Permission", suffix, base, wire, props))
    }

    fn connector_resource(
        &self,
        kind: &str,
        suffix: &str,
        base: &Base,
        wire: &ConnectorEntry<'_>,
        props: SamProperties,
    ) -> Resource {
        let mut made = self.make_resource(kind, &wire.resource_name(suffix), base, props);
        made.header = wire.at;
        made
    }

    fn statement(&self, (actions, suffixes): &ConnectorGrant, subject: &End, at: Span) -> Option<Value> {
        let resources: Option<Vec<Value>> = suffixes
            .iter()
            .map(|suffix| match *suffix {
                "execution" => {
                    let mut text = arn("arn:%partition:states:%region:%account:execution:", at);
                    let name = self.attribute(subject, "Name", "Name", at)?;
                    text.append(&arn_part(Some(&name), "Name", at));
                    text.append(&Text::synthetic(":*", at));
                    Some(Value::text(text, at))
                }
                "rule" => {
                    let rule = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule";
                    let text = arn(&format!("arn:%partition:events:%region:%account:{rule}"), at);
                    Some(Value::text(text, at))
                }
                "" => self.arn(subject, at),
                suffix => Some(suffixed(&self.arn(subject, at)?, suffix, at)),
            })
            .collect();
        Some(allow(actions, resources?, at))
    }

    fn arn(&self, end: &End, at: Span) -> Option<Value> {
        // What `Ref` gives for these is the ARN.
        let attribute = match end.kind.as_str() {
            MACHINE | TOPIC | GRAPH | DATA => "",
            _ => "Arn",
        };
        self.attribute(end, "Arn", attribute, at)
    }

    /// What is written under `name`, or the attribute of the resource.
    fn attribute(&self, end: &End, name: &str, attribute: &str, at: Span) -> Option<Value> {
        match &end.id {
            Some(id) => Some(resource(self.template.target(id, attribute), at)),
            None => end.written.get(name).cloned(),
        }
    }

    /// The role that `end` runs with, or with which it reaches `other`.
    fn role_of(&self, end: &End, other: &End, at: Span) -> Option<Value> {
        let Some(id) = &end.id else {
            return end.written.get("RoleName").cloned();
        };
        let template = self.template;
        let tree = &template.doc.tree;
        let node = template.resources.get(id).and_then(|r| r.node);
        let props = node.and_then(|n| tree.get(n, "Properties"));
        let value = |name: &str| template.value(template.env(), tree.get(props?, name)?);
        let named = match end.kind.as_str() {
            RULE => {
                let hits = |t: &&Value| address(t.get("Arn")).is_some_and(|a| Some(&*a.address) == other.id.as_deref());
                let targets = value("Targets")?;
                address(targets.items().iter().find(hits)?.get("RoleArn"))?.clone()
            }
            DATA => address(value("ServiceRoleArn").as_ref())?.clone(),
            _ => {
                let own = value("Role").or_else(|| value("RoleArn"));
                let own = own.filter(|v| !v.is_null());
                match address(own.as_ref()) {
                    Some(target) => target.clone(),
                    None if own.is_some() => return None,
                    None => template.target(&format!("{id}Role"), ""),
                }
            }
        };
        Some(resource(named, at))
    }
}

/// The resource that a value refers to.
fn address(value: Option<&Value>) -> Option<&HoleTarget> {
    value?.as_hole()?.target.as_ref()
}

/// CloudFormation's type for a SAM type.
fn canonical(kind: &str) -> &str {
    match kind {
        "AWS::Serverless::Function" => FUNCTION,
        "AWS::Serverless::StateMachine" => MACHINE,
        "AWS::Serverless::SimpleTable" => TABLE,
        "AWS::Serverless::Api" => REST,
        "AWS::Serverless::HttpApi" => HTTP,
        "AWS::Serverless::GraphQLApi" => GRAPH,
        other => other,
    }
}
