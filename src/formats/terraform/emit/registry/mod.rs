//! Modules of the public registry by their known shape: `terraform-aws-modules/iam` and `/lambda`, whose arguments hold
//! policies. What any other module is given is searched for policies and statements all the same.
//!
//! Documentation of the modules in the Terraform registry, versions 3 to 6 of `iam` and 2 to 8 of `lambda`.

mod provider;
mod trust;

use std::rc::Rc;
use std::sync::Arc;

pub(crate) use provider::is_of_another_provider;

use crate::iam::SourceFormat;
use crate::model::{Address, Resource};
use crate::source::{Hole, HoleKind, HoleTarget, Span};
use crate::value::{MapEntry, Value, ValueKind};

use crate::formats::terraform::emit::lambda_code;
use crate::formats::terraform::emit::resources::Emitter;
use crate::formats::terraform::eval::blocks;
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::eval::policy_document::{policy, statement};
use crate::formats::terraform::eval::registry_modules::{KnownModules, source};
use crate::formats::terraform::eval::values::pairs;
use crate::formats::terraform::parse::directory::Decl;

/// The policies that a call of a module that is not here makes.
pub(crate) fn resources<'a>(
    emitter: &mut Emitter<'_, 'a>,
    module: &Rc<TerraformModule<'a>>,
    name: &str,
    decl: &Decl<'a>,
) {
    let address = format!("module.{name}");
    let (known, source) = source(decl).unzip();
    let source = source.unwrap_or_default();
    let links = |name: &str| name.contains("arn") || name.contains("role") || name.contains("boundary");
    let instances = emitter.evaluator.instances(module, &address, decl);
    if known.is_none() && !instances.is_empty() {
        let written = decl.expr("source").and_then(|e| Some(e.tree.text(e.node)?.display()));
        emitter.note_missing_module(decl, written.unwrap_or_else(|| address.clone()));
    }
    for instance in instances {
        let address = match &instance.key {
            Some(key) => format!("{address}[{key}]"),
            None => address.clone(),
        };
        let items = blocks::items(emitter.evaluator, decl, &instance.env, &links);
        let call = ModuleArguments {
            source: source.clone(),
            scope: module.scope.clone(),
            address,
            arguments: items.into_iter().map(|i| i.entry).collect(),
            header: decl.block().header,
            extent: decl.block().span,
        };
        let made = match known {
            Some(KnownModules::Policy) => call.policy(),
            Some(KnownModules::Role) => call.role(),
            Some(KnownModules::Group) => call.group(),
            Some(KnownModules::User) => call.user(),
            Some(KnownModules::Lambda) => call.lambda(),
            None => Vec::new(),
        };
        for mut r in made {
            r.props = lambda_code::with_paths(
                emitter.evaluator.root,
                emitter.evaluator.sources,
                &r.kind,
                emitter.limit_size(r.props),
            );
            emitter.out.resources.push(r);
        }
        if known.is_none() {
            emitter.hand_on(module, decl, &instance.env, &call.address);
        }
        // Whatever is left: used ones are known by their place.
        for e in &call.arguments {
            emitter.emit_unattached(module, &call.address, "module", &e.value);
            if let Some(document) = call.statements(&e.value) {
                emitter.emit_unattached(module, &call.address, "module", &document);
            }
        }
    }
}

/// One call's arguments.
struct ModuleArguments {
    source: String,
    scope: Arc<str>,
    address: String,
    arguments: Vec<MapEntry>,
    header: Span,
    extent: Span,
}

impl ModuleArguments {
    fn entry(&self, name: &str) -> Option<&MapEntry> {
        let named = |e: &&MapEntry| e.key.known().as_deref() == Some(name);
        self.arguments.iter().rfind(named).filter(|e| !e.value.is_null())
    }

    fn first(&self, names: &[&str]) -> Option<&MapEntry> {
        names.iter().find_map(|n| self.entry(n))
    }

    /// A switch of the module; `default` where it is not given or not known.
    fn is_on(&self, name: &str, default: bool) -> bool {
        self.entry(name).map_or(default, |e| e.value.as_bool().unwrap_or(true))
    }

    fn resource(&self, kind: &str, part: &str, props: Vec<MapEntry>) -> Resource {
        Resource {
            kind: kind.into(),
            type_name: "module".into(),
            address: Address {
                scope: self.scope.clone(),
                name: format!("{}{part}", self.address).into(),
            },
            format: SourceFormat::Terraform,
            header: self.header,
            extent: self.extent,
            props: Value::map(props, self.extent),
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        }
    }

    /// Arguments under a property's name, the first that is given.
    fn first_given(&self, properties: &[(&str, &[&str])]) -> Vec<MapEntry> {
        let given = properties.iter().filter_map(|(property, names)| {
            let e = self.first(names)?;
            Some(MapEntry::synthetic(property, e.key_span, e.value.clone()))
        });
        given.collect()
    }

    /// The statements of an argument such as `policy_statements` as a document: an object or list of objects with the
    /// arguments of `aws_iam_policy_document`.
    fn statements(&self, value: &Value) -> Option<Value> {
        let items = match &value.kind {
            ValueKind::Seq(_) | ValueKind::Map(_) => pairs(value)?,
            ValueKind::Json(inner) => pairs(inner).filter(|_| inner.as_seq().is_some())?,
            _ => return None,
        };
        let is = |v: &Value| {
            let has = |k: &str| v.get(k).is_some();
            has("actions") || has("not_actions")
        };
        if items.is_empty() || !items.iter().all(|(_, v)| is(v) || v.is_unknown()) || !items.iter().any(|(_, v)| is(v))
        {
            return None;
        }
        let statements = items.iter().map(|(key, v)| {
            let at = match &key.kind {
                ValueKind::Str(_) => key.span,
                _ => v.span,
            };
            statement(&nested(v), at)
        });
        Some(policy(statements.collect(), value.span, value.span))
    }

    /// Inline documents under `Policies`, from arguments that hold JSON or statements.
    fn inline(&self, names: &[(&str, &str, bool)]) -> Option<MapEntry> {
        let mut policies = Vec::new();
        let mut at = None;
        for (name, switch, default) in names {
            let Some(e) = self.entry(name) else { continue };
            if !switch.is_empty() && !self.is_on(switch, *default) {
                continue;
            }
            let document = match self.statements(&e.value) {
                Some(document) => vec![document],
                None => match &e.value.kind {
                    ValueKind::Seq(items) => items.to_vec(),
                    ValueKind::Map(entries) => entries.iter().map(|e| e.value.clone()).collect(),
                    _ => vec![e.value.clone()],
                },
            };
            at.get_or_insert(e.key_span);
            for document in document {
                let entries = vec![MapEntry::synthetic("PolicyDocument", e.key_span, document)];
                policies.push(Value::map(entries, e.value.span));
            }
        }
        let at = at?;
        Some(MapEntry::synthetic("Policies", at, Value::seq(policies, at)))
    }

    /// `ManagedPolicyArns` of lists, objects and switches.
    fn managed_policy_arns(&self, lists: &[&str], switches: &[(&str, &str)]) -> Option<MapEntry> {
        let mut arns = Vec::new();
        let mut at = None;
        for name in lists {
            let Some(e) = self.entry(name) else { continue };
            at.get_or_insert(e.key_span);
            match pairs(&e.value) {
                Some(items) => arns.extend(items.into_iter().map(|(_, v)| v)),
                None => arns.push(e.value.clone()),
            }
        }
        for (switch, policy) in switches {
            if let Some(e) = self.entry(switch).filter(|e| e.value.as_bool() == Some(true)) {
                at.get_or_insert(e.key_span);
                let arn = format!("arn:aws:iam::aws:policy/{policy}");
                arns.push(Value::synthetic(&arn, e.key_span.cover(e.value.span)));
            }
        }
        let at = at?;
        Some(MapEntry::synthetic("ManagedPolicyArns", at, Value::seq(arns, at)))
    }

    fn policy(&self) -> Vec<Resource> {
        if !self.is_on("create_policy", true) || !self.is_on("create", true) {
            return Vec::new();
        }
        let props = self.first_given(&[
            ("ManagedPolicyName", &["name"]),
            ("Path", &["path"]),
            ("PolicyDocument", &["policy"]),
        ]);
        if props.iter().all(|e| e.key.known().as_deref() != Some("PolicyDocument")) {
            return Vec::new();
        }
        vec![self.resource("AWS::IAM::ManagedPolicy", "", props)]
    }

    fn role(&self) -> Vec<Resource> {
        if !self.is_on("create_role", true) || !self.is_on("create", true) {
            return Vec::new();
        }
        let mut props = self.first_given(&[
            ("RoleName", &["role_name", "name"]),
            ("Path", &["role_path", "path"]),
            (
                "PermissionsBoundary",
                &[
                    "role_permissions_boundary_arn",
                    "permissions_boundary",
                    "permissions_boundary_arn",
                ],
            ),
            ("MaxSessionDuration", &["max_session_duration"]),
        ]);
        props.extend(self.trust());
        props.extend(self.managed_policy_arns(
            &["custom_role_policy_arns", "role_policy_arns", "policies"],
            &[
                ("attach_admin_policy", "AdministratorAccess"),
                ("attach_poweruser_policy", "PowerUserAccess"),
                ("attach_readonly_policy", "ReadOnlyAccess"),
            ],
        ));
        props.extend(self.inline(&[
            ("inline_policy_statements", "", true),
            ("inline_policy_permissions", "", true),
            ("source_inline_policy_documents", "", true),
        ]));
        vec![self.resource("AWS::IAM::Role", "", props)]
    }

    fn group(&self) -> Vec<Resource> {
        let mut props = self.first_given(&[("GroupName", &["name"])]);
        props.extend(self.managed_policy_arns(&["custom_group_policy_arns", "policies"], &[]));
        if let Some(e) = self.entry("custom_group_policies") {
            let policies = e.value.items().iter().map(|p| {
                let mut entries = Vec::new();
                for (argument, property) in [("name", "PolicyName"), ("policy", "PolicyDocument")] {
                    if let Some(given) = p.entry(argument) {
                        entries.push(MapEntry::synthetic(property, given.key_span, given.value.clone()));
                    }
                }
                Value::map(entries, p.span)
            });
            let policies = Value::seq(policies.collect(), e.value.span);
            props.push(MapEntry::synthetic("Policies", e.key_span, policies));
        } else {
            props.extend(self.inline(&[("permissions", "", true)]));
        }
        vec![self.resource("AWS::IAM::Group", "", props)]
    }

    fn user(&self) -> Vec<Resource> {
        if !self.is_on("create_user", true) || !self.is_on("create", true) {
            return Vec::new();
        }
        let mut props = self.first_given(&[
            ("UserName", &["name"]),
            ("Path", &["path"]),
            ("PermissionsBoundary", &["permissions_boundary"]),
        ]);
        props.extend(self.managed_policy_arns(&["policy_arns", "policies"], &[]));
        props.extend(self.inline(&[
            ("inline_policy_statements", "", true),
            ("inline_policy_permissions", "", true),
        ]));
        let mut out = vec![self.resource("AWS::IAM::User", "", props)];
        if self.is_on("create_iam_access_key", true) && self.is_on("create_access_key", true) {
            let target = HoleTarget {
                scope: self.scope.clone(),
                address: self.address.as_str().into(),
                attribute: "name".into(),
            };
            let hole = Hole::new(HoleKind::Resource, format!("{}.name", self.address), self.header);
            let mut props = vec![MapEntry::synthetic(
                "UserName",
                self.header,
                Value::unknown(hole.to(target)),
            )];
            props.extend(self.first_given(&[("PgpKey", &["pgp_key"])]));
            out.push(self.resource("AWS::IAM::AccessKey", ".access_key", props));
        }
        out
    }

    fn lambda(&self) -> Vec<Resource> {
        let is = |name: &str, value: bool| self.entry(name).and_then(|e| e.value.as_bool()) == Some(value);
        if is("create", false) {
            return Vec::new();
        }
        if is("create_layer", true) {
            let layer = self.first_given(&[("SourcePath", &["source_path"])]);
            return vec![self.resource("AWS::Lambda::LayerVersion", "", layer)];
        }
        if is("create_function", false) {
            return Vec::new();
        }
        let mut function = self.first_given(&[
            ("FunctionName", &["function_name"]),
            ("Handler", &["handler"]),
            ("Runtime", &["runtime"]),
            ("Role", &["lambda_role"]),
            ("SourcePath", &["source_path"]),
        ]);
        if let Some(e) = self.entry("environment_variables") {
            let variables = Value::map(
                vec![MapEntry::synthetic("Variables", e.key_span, e.value.clone())],
                e.value.span,
            );
            function.push(MapEntry::synthetic("Environment", e.key_span, variables));
        }
        let makes_role = self.is_on("create_role", true) && self.entry("lambda_role").is_none();
        let mut out = Vec::new();
        if makes_role {
            let target = HoleTarget {
                scope: self.scope.clone(),
                address: format!("{}.role", self.address).into(),
                attribute: "arn".into(),
            };
            let hole = Hole::new(HoleKind::Resource, format!("{}.role.arn", self.address), self.header);
            function.push(MapEntry::synthetic(
                "Role",
                self.header,
                Value::unknown(hole.to(target)),
            ));
            let mut props = self.first_given(&[
                ("RoleName", &["role_name"]),
                ("PermissionsBoundary", &["role_permissions_boundary"]),
            ]);
            props.extend(self.trust());
            let managed = [("policy", "attach_policy"), ("policies", "attach_policies")];
            let lists: Vec<&str> = managed
                .iter()
                .filter(|(_, s)| self.is_on(s, false))
                .map(|(n, _)| *n)
                .collect();
            props.extend(self.managed_policy_arns(&lists, &[]));
            props.extend(self.inline(&[
                ("policy_json", "attach_policy_json", false),
                ("policy_jsons", "attach_policy_jsons", false),
                ("policy_statements", "attach_policy_statements", false),
            ]));
            out.push(self.resource("AWS::IAM::Role", ".role", props));
        }
        out.insert(0, self.resource("AWS::Lambda::Function", "", function));
        if self.is_on("create_lambda_function_url", false) {
            let at = self
                .entry("create_lambda_function_url")
                .map_or(self.header, |e| e.key_span);
            let auth = match self.entry("authorization_type") {
                Some(e) => MapEntry::synthetic("AuthType", e.key_span, e.value.clone()),
                None => MapEntry::synthetic("AuthType", at, Value::synthetic("NONE", at)),
            };
            out.push(self.resource("AWS::Lambda::Url", ".url", vec![auth]));
        }
        self.invoke_permissions(&mut out);
        out
    }

    /// `allowed_triggers`: permissions to invoke.
    fn invoke_permissions(&self, out: &mut Vec<Resource>) {
        let Some(triggers) = self.entry("allowed_triggers").and_then(|e| pairs(&e.value)) else {
            return;
        };
        for (key, trigger) in triggers {
            let mut props = vec![MapEntry::synthetic(
                "Action",
                key.span,
                Value::synthetic("lambda:InvokeFunction", key.span),
            )];
            for (argument, property) in [
                ("principal", "Principal"),
                ("source_arn", "SourceArn"),
                ("source_account", "SourceAccount"),
                ("principal_org_id", "PrincipalOrgID"),
                ("action", "Action"),
            ] {
                if let Some(e) = trigger.entry(argument).filter(|e| !e.value.is_null()) {
                    props.push(MapEntry::synthetic(property, e.key_span, e.value.clone()));
                }
            }
            if let Some(e) = trigger.entry("service")
                && let (None, Some(service)) = (trigger.get("principal"), e.value.as_str())
            {
                let principal = format!("{service}.amazonaws.com");
                props.push(MapEntry::synthetic(
                    "Principal",
                    e.key_span,
                    Value::synthetic(&principal, e.value.span),
                ));
            }
            let part = format!(".trigger[{:?}]", key.as_str().unwrap_or_default());
            let mut r = self.resource("AWS::Lambda::Permission", &part, props);
            (r.header, r.extent) = (key.span, key.span.cover(trigger.span));
            out.push(r);
        }
    }
}

/// A statement's nested objects as the blocks of `aws_iam_policy_document` are: `principals` and `condition` may be one
/// object, a list, or an object of objects.
fn nested(value: &Value) -> Value {
    let ValueKind::Map(entries) = &value.kind else {
        return value.clone();
    };
    let entries = entries.iter().map(|e| {
        let name = e.key.known().map(|k| k.into_owned()).unwrap_or_default();
        let (block, inner) = match name.as_str() {
            "principals" | "not_principals" => (true, "identifiers"),
            "condition" | "conditions" => (true, "variable"),
            _ => (false, ""),
        };
        if !block {
            return e.clone();
        }
        let spread = match &e.value.kind {
            // An object whose values are the blocks.
            ValueKind::Map(inner_entries) if e.value.get(inner).is_none() => {
                let items = inner_entries.iter().map(|i| i.value.clone()).collect();
                Value::seq(items, e.value.span)
            }
            _ => e.value.clone(),
        };
        MapEntry {
            key: if name == "conditions" {
                crate::source::Text::synthetic("condition", e.key_span)
            } else {
                e.key.clone()
            },
            value: spread,
            ..e.clone()
        }
    });
    Value {
        kind: ValueKind::Map(entries.collect()),
        ..value.clone()
    }
}
