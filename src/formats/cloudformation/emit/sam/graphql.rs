//! GraphQL APIs: the roles of their data sources and of their logs.
//! SAM Developer Guide, "AWS::Serverless::GraphQLApi".

use crate::formats::cloudformation::emit::resources::Base;
use crate::formats::cloudformation::eval::text::arn;
use crate::model::Resource;
use crate::value::{MapEntry, Value};

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::emit::sam::connector::{ConnectorEntry, End};
use crate::formats::cloudformation::emit::sam::profiles::{DATA, FUNCTION, TABLE};
use crate::formats::cloudformation::emit::sam::props::{SamProperties, arn_part, resource};

impl Sam<'_, '_> {
    pub(super) fn graphql_api(&self, base: &Base, props: SamProperties, out: &mut Vec<Resource>) {
        if let Some(logging) = props.entry("Logging")
            && logging.value.as_bool() != Some(false)
            && logging.value.get("CloudWatchLogsRoleArn").is_none()
        {
            let id = format!("{}CloudWatchRole", base.id);
            let added = vec!["service-role/AWSAppSyncPushToCloudWatchLogs"];
            let nothing = SamProperties { entries: Vec::new() };
            let parts = (&nothing, added, Vec::new());
            out.push(self.service_role(base, id, logging.key_span, "appsync.amazonaws.com", parts));
        }
        for (of, kind) in [("DynamoDb", TABLE), ("Lambda", FUNCTION)] {
            let sources = props
                .get("DataSources")
                .and_then(|d| d.get(of))
                .and_then(Value::entries);
            for source in sources.unwrap_or(&[]) {
                self.data_source(base, source, kind, out);
            }
        }
        out.push(self.make_resource("AWS::AppSync::GraphQLApi", &base.id, base, props));
    }

    fn data_source(&self, base: &Base, source: &MapEntry, kind: &str, out: &mut Vec<Resource>) {
        let written = &source.value;
        if written.get("ServiceRoleArn").is_some() {
            return;
        }
        let at = source.key_span;
        let (middle, connector, name) = match kind {
            TABLE => ("DynamoDBDataSource", "ToTableConnector", "TableArn"),
            _ => ("LambdaDataSource", "ToLambdaConnector", "FunctionArn"),
        };
        let id = format!("{}{}{middle}", base.id, source.key.display());
        let role = format!("{id}Role");
        let of_table = || {
            let mut text = arn("arn:%partition:dynamodb:%region:%account:table/", at);
            text.append(&arn_part(written.get("TableName"), "TableName", at));
            Value::text(text, at)
        };
        let reached = written.get(name).cloned().unwrap_or_else(of_table);
        let default = match kind {
            TABLE => vec!["Read", "Write"],
            _ => vec!["Write"],
        };
        let default = Value::seq(default.into_iter().map(|w| Value::synthetic(w, at)).collect(), at);
        let permissions = written.get("Permissions").unwrap_or(&default);
        let holder = resource(self.template.target(&role, ""), at);
        let end = |kind: &str, name: &str, value: Value| End {
            kind: kind.to_owned(),
            id: None,
            written: Value::map(vec![MapEntry::synthetic(name, at, value)], at),
        };
        let wire = ConnectorEntry {
            id: format!("{id}{connector}"),
            at,
            permissions: Some(permissions),
            place: None,
        };
        let nothing = SamProperties { entries: Vec::new() };
        let parts = (&nothing, Vec::new(), Vec::new());
        out.push(self.service_role(base, role, at, "appsync.amazonaws.com", parts));
        let (from, to) = (end(DATA, "RoleName", holder), end(kind, "Arn", reached));
        out.extend(self.connector_output(base, &wire, &from, &to));
    }
}
