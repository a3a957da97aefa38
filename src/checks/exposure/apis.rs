//! API Gateway methods and routes without authorization.

use std::collections::BTreeMap;

use super::openapi::open_operations;
use crate::checks::references;
use crate::finding::{Confidence, Remedy, RemedyStep, Severity};
use crate::iam::SourceFormat;
use crate::index::ResourceId;
use crate::model::Resource;
use crate::phrase;
use crate::project::Project;
use crate::rules::{Context, FindingSink, ids};
use crate::source::{HoleTarget, Span, Text};
use crate::value::guard::combined;
use crate::value::{Guard, Value, ValueKind};

/// Methods and routes that anyone can call.
pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let apis = Apis::new(cx);
    let mut routes = Routes::default();
    for (id, r) in cx.project.deployed() {
        match &*r.kind {
            "AWS::ApiGateway::Method" | "AWS::ApiGatewayV2::Route" => {
                if let Some(open) = apis.open_route(id, r) {
                    routes.add(open);
                }
            }
            "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => {
                apis.open_operations_of_definition(id, r)
                    .into_iter()
                    .for_each(|open| routes.add(open));
            }
            _ => {}
        }
    }
    routes.report(cx, out);
}

/// Whether a value is this string, in any case.
pub(super) fn equals_ignoring_case(v: &Value, text: &str) -> bool {
    v.as_str().is_some_and(|t| t.eq_ignore_ascii_case(text))
}

/// The APIs of a project, by scope and name, each with its settings in every case.
pub(super) struct Apis<'a> {
    project: &'a Project<'a>,
    /// APIs whose resource policy is a separate resource.
    policed: Vec<&'a HoleTarget>,
    /// The parts of paths, by scope and name.
    paths: BTreeMap<(&'a str, &'a str), &'a Value>,
}

impl<'a> Apis<'a> {
    pub(super) fn new(cx: &Context<'a>) -> Self {
        let apis = cx.project.deployed().filter(|(_, r)| is_api(r));
        let policed = apis.filter_map(|(_, r)| target(r, "RestApiId").filter(|_| has_policy(r)));
        let paths = (cx.project.deployed())
            .filter(|(_, r)| &*r.kind == "AWS::ApiGateway::Resource")
            .filter_map(|(_, r)| Some(((&*r.address.scope, &*r.address.name), r.get("PathPart")?)))
            .collect();
        Self {
            project: cx.project,
            policed: policed.collect(),
            paths,
        }
    }

    /// The method or route, if anyone can call it in some case of its API.
    pub(super) fn open_route<'r>(&self, id: ResourceId, r: &'r Resource) -> Option<OpenRoute<'r>> {
        let mut cases = self.referenced_apis(r, "RestApiId");
        if cases.is_empty() {
            cases = self.referenced_apis(r, "ApiId");
        }
        if cases.len() < 2 {
            return self.open_method(id, r, cases.first().copied());
        }
        let possible = |case: &&&Resource| {
            let together = r.branch.as_ref().zip(case.branch.as_ref());
            !together.is_some_and(|(a, b)| a.excludes(b))
        };
        let possible: Vec<&Resource> = cases.iter().filter(possible).copied().collect();
        let each = possible.iter().copied();
        let mut found = each.filter_map(|case| Some((self.open_method(id, r, Some(case))?, case)));
        let (first, case) = found.next()?;
        Some(match 1 + found.count() == possible.len() {
            true => first,
            false => OpenRoute {
                when: case.branch.as_ref().map(|when| combined(r.branch.as_ref(), when)),
                ..first
            },
        })
    }

    /// The method or route, if anyone can call it and its API has these settings.
    fn open_method<'r>(&self, id: ResourceId, r: &'r Resource, api: Option<&Resource>) -> Option<OpenRoute<'r>> {
        let key = r.get("RouteKey").and_then(Value::as_str);
        let options = r.get("HttpMethod").is_some_and(|m| equals_ignoring_case(m, "OPTIONS"))
            || key.as_ref().is_some_and(|k| k.starts_with("OPTIONS"));
        let keyed = r.get("ApiKeyRequired").and_then(Value::as_bool) == Some(true);
        if options || keyed || key.as_ref().is_some_and(|k| !supports_authorization(api, k)) || self.is_private(r, api)
        {
            return None;
        }
        // A WebSocket API can only require authorization at `$connect`.
        let is_http = || {
            api.and_then(|api| api.get("ProtocolType"))
                .is_some_and(|p| equals_ignoring_case(p, "HTTP"))
        };
        let route = &*r.kind == "AWS::ApiGatewayV2::Route" && (key.is_some() || is_http());
        let (span, label) = match r.get("AuthorizationType") {
            Some(v) if equals_ignoring_case(v, "NONE") => (v.span, "no authorization"),
            Some(_) => return None,
            // `NONE` is the default. API Gateway Developer Guide, "Control and manage access to HTTP APIs in API
            // Gateway".
            None if route && !r.has("AuthorizerId") && r.has("RouteKey") => {
                (r.header, "no authorization is the default")
            }
            None => (open_event(r, api, r.get("SamEvent")?)?, "no authorizer"),
        };
        let method = r.get("HttpMethod").and_then(Value::as_str);
        let key = r.get("RouteKey").and_then(Value::as_str);
        let method = method.or_else(|| Some(key?.split(' ').next()?.to_owned().into()));
        Some(OpenRoute {
            id,
            r,
            when: r.branch.clone(),
            span,
            label,
            reads: method.is_some_and(|m| is_reading(&m)),
            meant: self.is_intentionally_public(r, api),
        })
    }

    /// Whether the path, or the name or description of the API, says that callers have no credentials, as for a
    /// webhook, a health check, or a sign-in.
    fn is_intentionally_public(&self, r: &Resource, api: Option<&Resource>) -> bool {
        let part = target(r, "ResourceId").and_then(|t| self.paths.get(&(&*t.scope, &*t.address)).copied());
        let event = r.get("SamEvent").and_then(|e| e.get("Path"));
        let path = [r.get("RouteKey"), event, part];
        let path = path.into_iter().flatten().filter_map(Value::as_text);
        path.map(Text::display).any(|p| suggests_public(&p)) || api.is_some_and(is_open_by_name)
    }

    /// The operations without security of an API with an OpenAPI definition.
    pub(super) fn open_operations_of_definition<'r>(&self, id: ResourceId, r: &'r Resource) -> Vec<OpenRoute<'r>> {
        let own = (&*r.address.scope, &*r.address.name);
        let policed = self.policed.iter().any(|t| (&*t.scope, &*t.address) == own);
        let definition = ["Body", "DefinitionBody"].iter().find_map(|name| r.get(name));
        let (Some(definition), false) = (definition, policed || is_closed(r) || guards(&r.props)) else {
            return Vec::new();
        };
        let open = open_operations(definition.decoded()).into_iter();
        let named = is_open_by_name(r);
        open.map(|o| OpenRoute {
            id,
            r,
            when: r.branch.clone(),
            span: o.key,
            label: "no security requirement",
            reads: is_reading(&o.method.key.display()),
            meant: named || suggests_public(&o.path.display()),
        })
        .collect()
    }

    /// Whether the API is private, and reachable only through VPC endpoints, or has a resource policy that controls
    /// access. API Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow".
    fn is_private(&self, method: &Resource, api: Option<&Resource>) -> bool {
        let named = target(method, "RestApiId");
        let Some(api) = api.filter(|_| named.is_some()) else {
            return false;
        };
        is_closed(api)
            || self
                .policed
                .iter()
                .any(|t| named.is_some_and(|n| (&t.scope, &t.address) == (&n.scope, &n.address)))
    }

    /// The API that a property names, in every case.
    fn referenced_apis(&self, r: &Resource, property: &str) -> Vec<&'a Resource> {
        let named = target(r, property).map_or(&[][..], |target| self.project.resources_at(target));
        let cases = named.iter().flat_map(|id| self.project.cases(*id));
        cases.filter(|r| is_api(r)).collect()
    }
}

fn is_api(r: &Resource) -> bool {
    matches!(&*r.kind, "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api")
}

/// The span where an event of a SAM function, its API, or `Globals` allows anyone to call it.
/// SAM Developer Guide, "ApiFunctionAuth" and "HttpApiFunctionAuth".
fn open_event(r: &Resource, api: Option<&Resource>, event: &Value) -> Option<Span> {
    let auth = event.get("Auth");
    if let Some(authorizer) = auth.and_then(|a| a.get("Authorizer")) {
        return equals_ignoring_case(authorizer, "NONE").then_some(authorizer.span);
    }
    if auth.is_some_and(|a| requires_api_key(a) || a.is_unknown()) {
        return None;
    }
    let props = match ["RestApiId", "ApiId"].iter().find_map(|name| event.get(name)) {
        Some(_) => &api?.props,
        None => r.get("Globals")?,
    };
    // An OpenAPI document has its own security schemes.
    if ["Body", "BodyS3Location", "DefinitionBody", "DefinitionUri"]
        .iter()
        .any(|name| props.get(name).is_some())
    {
        return None;
    }
    (!guards(props)).then_some(r.header)
}

/// Whether authorization can be set on the route. The routes of an HTTP API have a method and a path. A WebSocket API
/// authorizes only at `$connect`. Both have a `$default` route. API Gateway Developer Guide, "Control and manage
/// access to WebSocket APIs".
fn supports_authorization(api: Option<&Resource>, key: &str) -> bool {
    match key {
        "$connect" => true,
        "$default" => api
            .and_then(|api| api.get("ProtocolType"))
            .is_some_and(|p| equals_ignoring_case(p, "HTTP")),
        _ => key.contains(' '),
    }
}

/// A method or route that anyone can call.
pub(super) struct OpenRoute<'r> {
    id: ResourceId,
    r: &'r Resource,
    /// The condition under which it is open.
    when: Option<Guard>,
    span: Span,
    label: &'static str,
    /// Whether it only reads, by its method.
    reads: bool,
    /// Whether its names say that callers have no credentials.
    meant: bool,
}

/// Words in paths that are called before or without a sign-in.
const OPEN_WORDS: [&str; 18] = [
    "callback",
    "callbacks",
    "csp",
    "health",
    "healthcheck",
    "healthz",
    "hook",
    "hooks",
    "login",
    "logout",
    "oauth2",
    "ping",
    "saml",
    "signin",
    "signup",
    "webhook",
    "webhooks",
    "wellknown",
];

/// Whether a path or name contains one of these words: `/auth/callback`, `.well-known`, `GithubWebhook`.
fn suggests_public(text: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || lower && c.is_uppercase() {
            words.push(String::new());
        }
        lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    let is = |word: &str| OPEN_WORDS.contains(&word);
    let pairs = || words.windows(2).any(|pair| is(&pair.concat()));
    words.iter().any(|w| is(w)) || pairs()
}

fn is_open_by_name(api: &Resource) -> bool {
    let texts = ["Name", "Description"]
        .iter()
        .filter_map(|name| api.get(name)?.as_text());
    suggests_public(&api.address.name) || texts.map(Text::display).any(|t| suggests_public(&t))
}

/// RFC 9110, "Safe Methods".
fn is_reading(method: &str) -> bool {
    ["GET", "HEAD", "OPTIONS"]
        .iter()
        .any(|safe| method.eq_ignore_ascii_case(safe))
}

fn requires_api_key(auth: &Value) -> bool {
    auth.get("ApiKeyRequired").and_then(Value::as_bool) == Some(true)
}

/// Whether a SAM API, or `Globals`, requires authorization by default, or is private.
/// SAM Developer Guide, "ApiAuth" and "HttpApiAuth".
fn guards(props: &Value) -> bool {
    let auth = props.get("Auth");
    let default = auth.and_then(|a| a.get("DefaultAuthorizer"));
    let private = props.get("EndpointConfiguration").is_some_and(|e| {
        equals_ignoring_case(e, "PRIVATE") || e.get("Type").is_some_and(|t| equals_ignoring_case(t, "PRIVATE"))
    });
    let policed = auth.is_some_and(|a| a.get("ResourcePolicy").is_some()) || props.get("Policy").is_some();
    private
        || policed
        || default.is_some_and(|d| !d.is_null() && !equals_ignoring_case(d, "NONE"))
        || auth.is_some_and(|a| requires_api_key(a) || !matches!(a.kind, ValueKind::Map(_) | ValueKind::Null))
}

/// A private API, or one with a resource policy that controls access.
fn is_closed(api: &Resource) -> bool {
    let private = api
        .get("EndpointConfiguration")
        .into_iter()
        .flat_map(Value::items)
        .filter_map(|c| c.get("Types"))
        .flat_map(Value::items)
        .any(|t| equals_ignoring_case(t, "PRIVATE"));
    private || has_policy(api)
}

impl OpenRoute<'_> {
    /// The API that it belongs to, by scope and name. Events of SAM functions that do not name an API share one for
    /// each kind.
    /// SAM Developer Guide, "ServerlessRestApi" and "ServerlessHttpApi".
    fn api(&self) -> (String, String) {
        let scope = || self.r.address.scope.to_string();
        let named = ["RestApiId", "ApiId"].iter().find_map(|name| {
            let id = self.r.get(name)?;
            Some(match target(self.r, name) {
                Some(t) => (t.scope.to_string(), t.address.to_string()),
                None => (scope(), id.as_text().map_or_else(String::new, Text::display)),
            })
        });
        match named {
            Some(api) => api,
            None if self.r.has("SamEvent") => (scope(), self.r.kind.to_string()),
            None => (scope(), self.r.address.name.to_string()),
        }
    }
}

/// Open methods and routes by their API, for one finding for each API.
#[derive(Default)]
pub(super) struct Routes<'r> {
    by_api: BTreeMap<(String, String), Vec<OpenRoute<'r>>>,
}

/// How many routes of an API a finding shows.
const MAX_SHOWN: usize = 10;

impl<'r> Routes<'r> {
    pub(super) fn add(&mut self, open: OpenRoute<'r>) {
        self.by_api.entry(open.api()).or_default().push(open);
    }

    pub(super) fn report(self, cx: &Context<'r>, out: &mut FindingSink<'_>) {
        for mut routes in self.by_api.into_values() {
            routes.sort_by_key(|o| o.span);
            routes.dedup_by_key(|o| o.span);
            let Some((first, more)) = routes.split_first() else {
                continue;
            };
            let message = match more.len() {
                0 => "anyone can call this method".to_owned(),
                n => format!("anyone can call {} methods of this API", n + 1),
            };
            let mut f = cx
                .at_resource(ids::APIGW_METHOD_NO_AUTH, first.id, message)
                .primary(first.span, first.label);
            if routes.iter().all(|o| o.when.is_some()) {
                f = f.under_guard(first.when.as_ref());
            }
            if !first.r.header.touches(first.span) {
                f = f.scope(first.r.header, "");
            }
            for open in more.iter().take(MAX_SHOWN - 1) {
                f = f.secondary(open.span, open.label);
            }
            if more.len() >= MAX_SHOWN {
                f = f.note(format!(
                    "{} more of this API",
                    phrase::count(more.len() + 1 - MAX_SHOWN, "open method", "open methods")
                ));
            }
            f.remedies.extend(authorizer(cx, &routes));
            if routes.iter().all(|o| o.reads || o.meant) {
                f = f.severity(Severity::Low);
            }
            if routes.iter().all(|o| o.meant) {
                f = f.help("For a public method, verify each request in the integration, such as by its signature.");
            }
            // The API that imports the definition is not in the repository and may have a policy or a default
            // authorizer.
            if routes.iter().all(|o| o.r.format == SourceFormat::Json) {
                f = f
                    .confidence(Confidence::Low)
                    .note("the API that imports this definition may require authorization");
            }
            out.push(f);
        }
    }
}

/// The authorizer of the API on each of these routes, where there is one alone.
fn authorizer(cx: &Context<'_>, routes: &[OpenRoute<'_>]) -> Option<Remedy> {
    let kinds = ["AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer"];
    let mut all = cx.project.deployed().filter(|(_, r)| kinds.contains(&&*r.kind));
    let (_, authorizer) = all.next().filter(|_| all.next().is_none())?;
    let property = if authorizer.has("RestApiId") {
        "RestApiId"
    } else {
        "ApiId"
    };
    let kind = authorizer
        .get("Type")
        .or_else(|| authorizer.get("AuthorizerType"))?
        .as_str()?;
    let kind = match &*kind.to_ascii_uppercase() {
        "TOKEN" | "REQUEST" => "CUSTOM",
        "COGNITO_USER_POOLS" => "COGNITO_USER_POOLS",
        "JWT" => "JWT",
        _ => return None,
    };
    let id = references::id_of(authorizer, &routes.first()?.r.address.scope)?;
    let title = format!("require the authorizer `{}`", authorizer.address.name);
    let mut remedy = Remedy::risky(title);
    for route in routes {
        let same = target(route.r, property)? == target(authorizer, property)?;
        let setting = route
            .r
            .props
            .entry("AuthorizationType")
            .filter(|e| same && e.value.span == route.span)?;
        remedy = remedy.replace(setting.value.span, [kind]).change(RemedyStep::Enter {
            beside: setting.key_span,
            before: true,
            key: "AuthorizerId".to_owned(),
            value: id.clone(),
        });
    }
    Some(remedy)
}

fn has_policy(api: &Resource) -> bool {
    api.get("Policy").is_some_and(|p| !p.is_null())
}

fn target<'a>(r: &'a Resource, property: &str) -> Option<&'a HoleTarget> {
    r.get(property)?.as_hole()?.target.as_ref()
}
