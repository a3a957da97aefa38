//! Functions, and the roles that they run with.

use std::sync::Arc;

use super::constructs;
use crate::formats::cloudformation::Template;
use crate::formats::cloudformation::eval::text;
use crate::iam::SourceFormat;
use crate::model::{Address, LoweredUnit, Resource};
use crate::source::{Hole, HoleKind, Span, Text, join_path};
use crate::syntax::NodeId;
use crate::value::{MapEntry, Value, ValueKind};

use super::generated::{document, map, normalize};

/// The role that all functions share which name none.
const SHARED_ROLE: &str = "IamRoleLambdaExecution";

/// Adds the service's functions and roles to `unit`.
pub(super) fn lower(template: &Template<'_>, root: NodeId, unit: &mut LoweredUnit) {
    let tree = template.env().tree;
    let section = |name: &str| {
        tree.get(root, name)
            .and_then(|node| template.value(template.env(), node))
    };
    let key = |name: &str| {
        let entry = tree
            .entries(root)
            .find(|(k, _)| tree.text(*k).and_then(Text::known).as_deref() == Some(name));
        entry.map(|(k, _)| tree.span(k))
    };
    let (Some(provider), Some(at)) = (section("provider"), key("provider")) else {
        return;
    };
    let cloud = provider.get("name").or(Some(&provider)).and_then(Value::as_str);
    if cloud.is_some_and(|name| name != "aws") {
        return;
    }
    let name = section("service");
    let constructs = section("constructs");
    let lift = section("lift");
    let automatic = lift
        .as_ref()
        .and_then(|l| l.get("automaticPermissions"))
        .and_then(Value::as_bool);
    let package = section("package");
    let service = FunctionLowering {
        artifact: package.as_ref().and_then(|package| package.get("artifact")),
        constructs: constructs.as_ref().filter(|_| automatic != Some(false)),
        template,
        name: name.as_ref(),
        provider: &provider,
        at,
    };
    let functions = section("functions").unwrap_or_else(|| Value::map(Vec::new(), at));
    let in_vpc = |f: &MapEntry| f.value.get("vpc").is_some();
    let any_in_vpc = functions
        .items()
        .iter()
        .filter_map(Value::entries)
        .flatten()
        .any(in_vpc);
    let shared = service.shared_role(any_in_vpc);
    let mut uses_shared = false;
    let mut lowered = Vec::new();
    for group in functions.items() {
        for function in group.entries().unwrap_or(&[]).iter().filter(|f| !f.key.is_broken()) {
            uses_shared |= service.function(function, shared.is_none(), &mut lowered);
        }
    }
    // Its statements are written whether or not a function of this file uses it.
    let written = |role: &Resource| role.get("Policies").is_some_and(|p| p.items().len() > 1);
    if let Some(role) = shared.filter(|role| uses_shared || written(role)) {
        unit.resources.push(role);
    }
    unit.resources.extend(lowered);
    unit.resources.extend(service.api_policy());
    let layers = section("layers").unwrap_or_else(|| Value::map(Vec::new(), at));
    let layers = layers.entries().unwrap_or(&[]).iter();
    unit.resources.extend(layers.filter_map(|layer| service.layer(layer)));
}

struct FunctionLowering<'t, 'w> {
    template: &'t Template<'w>,
    /// `service`: its name, or an object with it.
    name: Option<&'t Value>,
    provider: &'t Value,
    /// The package that something else makes, of all functions.
    artifact: Option<&'t Value>,
    /// What the plugin `serverless-lift` makes, where the functions may use it.
    constructs: Option<&'t Value>,
    /// The `provider` key.
    at: Span,
}

/// What a role is made of, wherever it is written.
#[derive(Default)]
struct RoleParts<'v> {
    statements: Option<&'v MapEntry>,
    managed: Option<&'v MapEntry>,
    boundary: Option<&'v MapEntry>,
    name: Option<&'v MapEntry>,
    path: Option<&'v MapEntry>,
    /// A function that runs with the role is in a VPC.
    in_vpc: bool,
}

impl FunctionLowering<'_, '_> {
    /// `provider.iam.role` as an object, or the older `provider.iamRoleStatements`; `None` where the provider names a role
    /// that exists already.
    fn shared_role(&self, in_vpc: bool) -> Option<Resource> {
        let provider = self.provider;
        if provider.get("role").is_some() || self.named_role().is_some() {
            return None;
        }
        let role = provider.path(&["iam", "role"]);
        let new = |name: &str| role.and_then(|r| r.entry(name));
        let parts = RoleParts {
            statements: new("statements").or_else(|| provider.entry("iamRoleStatements")),
            managed: new("managedPolicies").or_else(|| provider.entry("iamManagedPolicies")),
            boundary: new("permissionsBoundary")
                .or_else(|| new("permissionBoundary"))
                .or_else(|| provider.entry("rolePermissionsBoundary")),
            name: new("name"),
            path: new("path"),
            in_vpc,
        };
        let header = parts
            .statements
            .or(parts.managed)
            .filter(|e| e.key_span.file == self.at.file)
            .or_else(|| provider.get("iam").and_then(|iam| iam.entry("role")))
            .map_or(self.at, |e| e.key_span);
        Some(self.role(SHARED_ROLE, header, header.cover(provider.span), &parts, None))
    }

    /// `provider.iam.role` or `provider.role` that is not an object.
    fn named_role(&self) -> Option<&Value> {
        let new = self.provider.path(&["iam", "role"]);
        new.or_else(|| self.provider.get("role"))
            .filter(|role| !matches!(role.kind, ValueKind::Map(_) | ValueKind::Null))
    }

    fn role(&self, id: &str, header: Span, extent: Span, parts: &RoleParts<'_>, inherited: Option<&Value>) -> Resource {
        let made = |text: &str| Value::synthetic(text, header);
        let list = |text: &str| Value::seq(vec![made(text)], header);
        let trust = map(
            vec![
                ("Effect", made("Allow")),
                ("Action", list("sts:AssumeRole")),
                (
                    "Principal",
                    map(vec![("Service", list("lambda.amazonaws.com"))], header),
                ),
            ],
            header,
        );
        let mut props = vec![
            ("AssumeRolePolicyDocument", document(vec![trust], header, header)),
            ("SamTemplate", made("AssumeRolePolicyDocument")),
        ];
        let mut policies = Vec::new();
        if let Some(statements) = parts.statements {
            let mut items = statements.value.items().to_vec();
            items.extend(inherited.map_or(&[][..], Value::items).iter().cloned());
            let key = statements.key_span;
            let entries = vec![
                ("PolicyName", Value::synthetic("lambda", key)),
                ("PolicyDocument", document(items, key, statements.value.span)),
            ];
            policies.push(map(entries, key));
        }
        let logs = vec![
            ("PolicyName", made("logs")),
            ("GeneratedFor", made("logs")),
            ("PolicyDocument", self.logs(header)),
        ];
        policies.push(map(logs, header));
        policies.extend(self.constructs.and_then(|c| constructs::policy(c, header)));
        props.push(("Policies", Value::seq(policies, header)));
        let named = [
            ("ManagedPolicyArns", parts.managed),
            ("PermissionsBoundary", parts.boundary),
            ("RoleName", parts.name),
            ("Path", parts.path),
        ];
        let mut entries: Vec<MapEntry> = props
            .into_iter()
            .map(|(name, value)| MapEntry::synthetic(name, header, value))
            .collect();
        for (name, written) in named {
            entries.extend(written.map(|e| MapEntry::synthetic(name, e.key_span, e.value.clone())));
        }
        if parts.in_vpc || self.provider.get("vpc").is_some() {
            let vpc = "arn:%partition:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole";
            let added = Value::seq(vec![Value::text(text::arn(vpc, header), header)], header);
            entries.push(MapEntry::synthetic("GeneratedManagedPolicyArns", header, added));
        }
        self.resource("AWS::IAM::Role", "iam.role", id, header, extent, entries)
    }

    /// The framework's own statements on the log groups of the service's functions.
    fn logs(&self, at: Span) -> Value {
        let named = |value: Option<&Value>, default: &str| match value.map(|v| v.get("name").unwrap_or(v)) {
            Some(value) => value
                .as_text()
                .cloned()
                .unwrap_or_else(|| text::hole(HoleKind::Other, default, at)),
            None => Text::synthetic(default, at),
        };
        let mut groups = text::arn("arn:%partition:logs:%region:%account:log-group:/aws/lambda/", at);
        groups.append(&named(self.name, "service"));
        groups.append(&Text::synthetic("-", at));
        groups.append(&named(self.provider.get("stage"), "dev"));
        let statement = |actions: &[&str], end: &str| {
            let mut resource = groups.clone();
            resource.append(&Text::synthetic(end, at));
            let actions = actions.iter().map(|a| Value::synthetic(a, at)).collect();
            let entries = vec![
                ("Effect", Value::synthetic("Allow", at)),
                ("Action", Value::seq(actions, at)),
                ("Resource", Value::seq(vec![Value::text(resource, at)], at)),
            ];
            map(entries, at)
        };
        let making = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"];
        let statements = vec![statement(&making, "*:*"), statement(&["logs:PutLogEvents"], "*:*:*")];
        document(statements, at, at)
    }

    /// One function with its role and URL; whether it runs with the shared role.
    fn function(&self, function: &MapEntry, no_shared: bool, out: &mut Vec<Resource>) -> bool {
        let header = function.key_span;
        let extent = header.cover(function.value.span);
        let id = format!("{}LambdaFunction", normalize(&function.key.display()));
        let get = |name: &str| function.value.entry(name);
        let inherit = |name: &str| get(name).or_else(|| self.provider.entry(name));
        let mut entries = Vec::new();
        for (from, to) in [
            ("handler", "Handler"),
            ("name", "FunctionName"),
            ("image", "Image"),
            ("layers", "Layers"),
        ] {
            entries.extend(get(from).map(|e| MapEntry::synthetic(to, e.key_span, e.value.clone())));
        }
        for (from, to) in [
            ("runtime", "Runtime"),
            ("timeout", "Timeout"),
            ("vpc", "VpcConfig"),
            ("kmsKeyArn", "KmsKeyArn"),
        ] {
            entries.extend(inherit(from).map(|e| MapEntry::synthetic(to, e.key_span, e.value.clone())));
        }
        // Serverless Framework, "serverless.yml reference": without a runtime, it is one of Node.js.
        if inherit("runtime").is_none() && get("image").is_none() {
            entries.push(MapEntry::synthetic(
                "Runtime",
                header,
                Value::synthetic("nodejs", header),
            ));
        }
        let (own, all) = (get("environment"), self.provider.entry("environment"));
        if let Some(first) = own.or(all) {
            let mut variables = own.and_then(|e| e.value.entries()).unwrap_or(&[]).to_vec();
            for e in all.and_then(|e| e.value.entries()).unwrap_or(&[]) {
                if !variables.iter().any(|v| v.key.display() == e.key.display()) {
                    variables.push(MapEntry {
                        value: e.value.clone().used_at(header),
                        ..e.clone()
                    });
                }
            }
            let variables = Value::map(variables, first.value.span);
            let environment = map(vec![("Variables", variables)], first.key_span);
            entries.push(MapEntry::synthetic("Environment", first.key_span, environment));
        }
        let nested = |name: &str| function.value.path(&["iam", "role"]).and_then(|r| r.entry(name));
        let per_function = RoleParts {
            statements: get("iamRoleStatements").or_else(|| nested("statements")),
            managed: nested("managedPolicies").or_else(|| get("iamManagedPolicies")),
            boundary: nested("permissionsBoundary").or_else(|| get("iamPermissionsBoundary")),
            name: get("iamRoleStatementsName").or_else(|| nested("name")),
            path: nested("path"),
            in_vpc: get("vpc").is_some(),
        };
        let mut uses_shared = false;
        let role = if let Some(role) = get("role") {
            self.role_reference(&role.value)
        } else if let Some(first) = per_function.statements.or(per_function.managed) {
            let role = format!("{}IamRoleLambdaExecution", normalize(&function.key.display()));
            let inherits = get("iamRoleStatementsInherit").and_then(|e| e.value.as_bool()) == Some(true);
            let inherited = self
                .provider
                .path(&["iam", "role", "statements"])
                .or_else(|| self.provider.get("iamRoleStatements"))
                .filter(|_| inherits);
            out.push(self.role(&role, first.key_span, extent, &per_function, inherited));
            self.reference(&role, "Arn", header)
        } else if let Some(role) = self.named_role().filter(|_| no_shared) {
            self.role_reference(role)
        } else {
            uses_shared = true;
            self.reference(SHARED_ROLE, "Arn", header)
        };
        entries.push(MapEntry::synthetic("Role", header, role));
        entries.extend(match get("image") {
            Some(image) => self.image(&image.value),
            None => self.package(&function.value, header).into_iter().collect(),
        });
        out.push(self.resource("AWS::Lambda::Function", "function", &id, header, extent, entries));
        out.extend(get("url").and_then(|url| self.url(&id, url)));
        // What an event needs is added to the roles that the framework makes.
        let adds_grants = get("role").is_none() && (uses_shared || per_function.statements.is_some());
        let events = get("events").map(|e| e.value.items()).unwrap_or_default();
        for (n, event) in events.iter().enumerate() {
            out.extend(self.route(&format!("{id}Route{n}"), event));
            if !adds_grants {
                out.extend(self.mapping(&id, n, event));
            }
        }
        uses_shared
    }

    /// Where the code of a function is. It is packed from the service's folder, or the function's `module`, and handlers are
    /// paths in it; of an `artifact`, only what it is called is known, if there is no such file (Serverless Framework,
    /// "Packaging").
    fn package(&self, function: &Value, header: Span) -> Option<MapEntry> {
        let handler = function.get("handler");
        let folder = function.get("module").map_or(Some(".".into()), Value::as_str)?;
        let at = handler.map_or(header, |handler| handler.span);
        let file = handler.and_then(Value::as_str).and_then(|handler| {
            let (module, _) = handler.rsplit_once('.')?;
            Some(format!("{}.py", module.trim_start_matches("./").replace('.', "/")))
        });
        let is_in = |folder: &str| {
            let tree = &self.template.doc.tree;
            let path = file
                .as_ref()
                .and_then(|file| self.template.local_path(tree, &format!("{folder}/{file}")));
            path.is_some_and(|path| self.template.world.sources.find(&path).is_some())
        };
        if is_in(&folder) {
            return self.code_paths(&folder, at);
        }
        if let Some(artifact) = function.path(&["package", "artifact"]).or(self.artifact) {
            return Some(MapEntry::synthetic("CodeUri", artifact.span, artifact.clone()));
        }
        // The service's folder may be the package that handlers begin with.
        let above = format!("{folder}/..");
        self.code_paths(if is_in(&above) { &above } else { &folder }, at)
    }

    fn code_paths(&self, folder: &str, at: Span) -> Option<MapEntry> {
        let path = self.template.local_path(&self.template.doc.tree, folder)?;
        Some(MapEntry::synthetic(
            "CodePaths",
            at,
            Value::seq(vec![Value::synthetic(&path, at)], at),
        ))
    }

    /// Where the image is built, and what it runs. Serverless Framework, "Referencing container image as a target".
    fn image(&self, image: &Value) -> Vec<MapEntry> {
        let Some(name) = image.get("name").unwrap_or(image).as_str() else {
            return Vec::new();
        };
        let built = self
            .provider
            .path(&["ecr", "images"])
            .and_then(|images| images.get(&name));
        let Some(folder) = built.map(|b| b.get("path").unwrap_or(b)) else {
            return Vec::new();
        };
        let mut out: Vec<MapEntry> = Vec::new();
        if let Some(paths) = folder.as_str().and_then(|path| self.code_paths(&path, folder.span)) {
            let file = built.and_then(|b| b.get("file"));
            let file = file.map_or(Some("Dockerfile".into()), Value::as_str);
            let context = paths
                .value
                .items()
                .first()
                .and_then(Value::as_str)
                .map(|c| c.into_owned());
            if let (Some(context), Some(file)) = (context, file) {
                let dockerfile = Value::synthetic(&join_path(&context, &file), folder.span);
                out.push(MapEntry::synthetic("Dockerfile", folder.span, dockerfile));
            }
            out.push(paths);
        }
        out.extend(image.entry("command").map(|command| {
            let config = map(vec![("Command", command.value.clone())], command.key_span);
            MapEntry::synthetic("ImageConfig", command.key_span, config)
        }));
        out
    }

    /// One of the service's layers. Serverless Framework, "AWS Lambda Layers".
    fn layer(&self, layer: &MapEntry) -> Option<Resource> {
        let path = layer.value.get("path")?;
        let code = self.code_paths(&path.as_str()?, path.span)?;
        let id = format!("{}LambdaLayer", normalize(&layer.key.display()));
        let extent = layer.key_span.cover(layer.value.span);
        Some(self.resource(
            "AWS::Lambda::LayerVersion",
            "layer",
            &id,
            layer.key_span,
            extent,
            vec![code],
        ))
    }

    /// A role by ARN, by intrinsic, or by the logical id of one of the service's resources.
    fn role_reference(&self, role: &Value) -> Value {
        match role.as_str() {
            Some(name) if !name.starts_with("arn:") && !name.is_empty() => self.reference(&name, "Arn", role.span),
            _ => role.clone(),
        }
    }

    fn reference(&self, id: &str, attribute: &str, at: Span) -> Value {
        let name = if attribute.is_empty() {
            id.to_owned()
        } else {
            format!("{id}.{attribute}")
        };
        let hole = Hole::new(HoleKind::Resource, name, at).to(self.template.target(id, attribute));
        Value::text(Text::hole(hole), at)
    }

    /// `url: true`, or an object that may ask for `authorizer: aws_iam`.
    fn url(&self, function: &str, url: &MapEntry) -> Option<Resource> {
        if url.value.as_bool() == Some(false) || url.value.is_null() {
            return None;
        }
        let at = url.key_span;
        let authorizer = url.value.entry("authorizer");
        let signed = authorizer.is_some_and(|a| a.value.as_str().as_deref() == Some("aws_iam"));
        let place = authorizer.map_or(url.value.span, |a| a.value.span);
        let mut entries = vec![
            MapEntry::synthetic(
                "AuthType",
                at,
                Value::synthetic(if signed { "AWS_IAM" } else { "NONE" }, place),
            ),
            MapEntry::synthetic("TargetFunctionArn", at, self.reference(function, "", at)),
        ];
        entries.extend(
            url.value
                .entry("cors")
                .map(|e| MapEntry::synthetic("Cors", e.key_span, e.value.clone())),
        );
        let id = format!("{function}Url");
        Some(self.resource("AWS::Lambda::Url", "url", &id, at, at.cover(url.value.span), entries))
    }

    /// `http`, `httpApi` and `websocket` events without an authorizer. Serverless Framework, "API Gateway", "HTTP API" and
    /// "WebSocket".
    fn route(&self, id: &str, event: &Value) -> Option<Resource> {
        let events = event.entries()?;
        let of = |name: &str| events.iter().find(|e| e.key.known().as_deref() == Some(name));
        let (kind, route, api, made) = if let Some(route) = of("http") {
            ("AWS::ApiGateway::Method", route, "RestApiId", "ApiGatewayRestApi")
        } else if let Some(route) = of("httpApi") {
            ("AWS::ApiGatewayV2::Route", route, "ApiId", "HttpApi")
        } else if let Some(route) = of("websocket") {
            ("AWS::ApiGatewayV2::Route", route, "ApiId", "WebsocketsApi")
        } else {
            return None;
        };
        let says = |v: &Value, text: &str| v.as_str().is_some_and(|s| s.eq_ignore_ascii_case(text));
        let asks = ["authorizer", "private"]
            .iter()
            .any(|name| route.value.get(name).is_some());
        let private = self.provider.get("endpointType").is_some_and(|t| says(t, "private"));
        // What comes from elsewhere may have an authorizer.
        if asks || private || route.value.is_unknown() {
            return None;
        }
        let at = route.key_span;
        let mut entries = vec![MapEntry::synthetic(
            "AuthorizationType",
            at,
            Value::synthetic("NONE", at),
        )];
        entries.push(MapEntry::synthetic(api, at, self.reference(made, "", at)));
        let text = || {
            route
                .value
                .as_str()
                .map(|t| t.split(' ').next().unwrap_or_default().to_owned())
        };
        // A WebSocket API asks when a client connects. In short: `GET orders`, `*`, `$connect`.
        if made == "WebsocketsApi" {
            let key = route.value.get("route").cloned();
            entries.push(MapEntry::synthetic(
                "RouteKey",
                at,
                key.or_else(|| Some(Value::synthetic(&text()?, at)))?,
            ));
        } else if let Some(method) = route
            .value
            .get("method")
            .cloned()
            .or_else(|| Some(Value::synthetic(&text()?, at)))
        {
            entries.push(MapEntry::synthetic("HttpMethod", at, method));
        }
        Some(self.resource(kind, "event", id, at, at.cover(route.value.span), entries))
    }

    /// What feeds a function from a queue or stream. Serverless Framework, "Events".
    fn mapping(&self, function: &str, n: usize, event: &Value) -> Option<Resource> {
        const POLLED: [&str; 6] = ["activemq", "kafka", "msk", "rabbitmq", "sqs", "stream"];
        let source = event.entries()?.iter().find(|e| {
            let name = e.key.known();
            name.is_some_and(|name| POLLED.contains(&&*name))
        })?;
        let arn = source.value.get("arn").unwrap_or(&source.value);
        let at = source.key_span;
        let mut entries = vec![
            MapEntry::synthetic("EventSourceArn", at, arn.clone()),
            MapEntry::synthetic("FunctionName", at, self.reference(function, "", at)),
        ];
        entries.extend(
            source
                .value
                .entry("enabled")
                .map(|e| MapEntry::synthetic("Enabled", e.key_span, e.value.clone())),
        );
        let id = format!("{function}EventSourceMapping{n}");
        let extent = at.cover(source.value.span);
        Some(self.resource("AWS::Lambda::EventSourceMapping", "event", &id, at, extent, entries))
    }

    /// `provider.apiGateway.resourcePolicy`: the statements of the REST API's policy.
    fn api_policy(&self) -> Option<Resource> {
        let statements = self
            .provider
            .get("apiGateway")
            .and_then(|a| a.entry("resourcePolicy"))
            .or_else(|| self.provider.entry("resourcePolicy"))?;
        let at = statements.key_span;
        let items = statements.value.items().to_vec();
        let policy = document(items, at, statements.value.span);
        let extent = at.cover(statements.value.span);
        let entries = vec![MapEntry::synthetic("Policy", at, policy)];
        Some(self.resource(
            "AWS::ApiGateway::RestApi",
            "apiGateway",
            "ApiGatewayRestApi",
            at,
            extent,
            entries,
        ))
    }

    fn resource(
        &self,
        kind: &str,
        type_name: &str,
        id: &str,
        header: Span,
        extent: Span,
        entries: Vec<MapEntry>,
    ) -> Resource {
        Resource {
            kind: kind.into(),
            type_name: type_name.into(),
            address: Address {
                scope: Arc::clone(&self.template.doc.scope),
                name: id.into(),
            },
            format: SourceFormat::Serverless,
            header,
            extent,
            props: Value::map(entries, extent),
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        }
    }
}
