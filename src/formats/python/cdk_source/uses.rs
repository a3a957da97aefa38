//! What is done with the functions and roles of a module: each place where one is named.
//!
//! **Invariant:** a place that is not understood may give the role more, and lets something else have a role that is named there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::super::cdk_policies::StatementGroup;
use super::super::resources::{CallLowering, method_of};
use super::{CdkObject, SourceStack};
use crate::python::{
    BindingValue, CallExpr, ExprId, ExprKind, ObjectChange, Program, PythonModule, Reaching, Usage, Wholes,
};
use crate::source::Span;

/// Modules of the CDK whose constructs call a function and give its role nothing. AWS CDK API Reference.
const CALLERS: &[&str] = &[
    "aws_apigateway",
    "aws_appsync",
    "aws_cdk",
    "aws_cloudwatch",
    "aws_cognito",
    "aws_elasticloadbalancingv2",
    "aws_events",
    "aws_iot_actions",
    "aws_lambda",
    "aws_logs_destinations",
    "aws_s3_notifications",
    "aws_scheduler",
    "aws_ses_actions",
    "aws_sns_subscriptions",
    "aws_stepfunctions",
    "core",
    "custom_resources",
];

/// Methods that may be handed a function and give its role nothing.
const RECEIVERS: &[&str] = &[
    "add_dependency",
    "add_event_notification",
    "add_integration",
    "add_lambda_data_source",
    "add_lambda_target",
    "add_method",
    "add_object_created_notification",
    "add_resource_suppressions",
    "add_routes",
    "add_subscription",
    "add_target",
    "add_targets",
    "add_to_resource_policy",
    "add_trigger",
    "allow_default_port_from",
    "allow_from",
    "allow_from_any_ipv4",
    "allow_to",
    "isinstance",
    "of",
    "print",
    "str",
];

/// Attributes and methods of a function, or of a role, that give it nothing.
const HARMLESS: &[&str] = &[
    "add_dependency",
    "add_environment",
    "add_event_source_mapping",
    "add_function_url",
    "add_layers",
    "add_permission",
    "apply_removal_policy",
    "architecture",
    "connections",
    "env",
    "function_arn",
    "function_name",
    "function_ref",
    "invalidate_version_based_on",
    "is_bound_to_vpc",
    "log_group",
    "permissions_node",
    "resource_arns_for_grant_invoke",
    "runtime",
    "stack",
    "timeout",
];

/// What stands for a function and has its role: what is granted to it is granted to the role.
const SAME_ROLE: &[&str] = &["add_alias", "current_version", "latest_version"];

/// What is done with the node of a construct that changes nothing of what it makes.
const OF_NODE: &[&str] = &[
    "add_dependency",
    "add_metadata",
    "addr",
    "id",
    "path",
    "try_get_context",
];

/// Module and place, by the name of the attribute.
type ReadAttributes = BTreeMap<Arc<str>, Vec<(usize, Span)>>;

/// Where attributes are read in stacks of the CDK in a way that may give what they hold more: by the name of the attribute.
#[derive(Debug, Default)]
pub(in crate::formats::python) struct AttributeUses {
    found: OnceLock<ReadAttributes>,
}

impl AttributeUses {
    fn get(&self, program: &Program<'_>) -> &ReadAttributes {
        self.found.get_or_init(|| {
            let all: Vec<Vec<(Arc<str>, Span)>> = program
                .modules
                .par_iter()
                .map(|m| open_attributes(program, m))
                .collect();
            let mut found = ReadAttributes::new();
            for (module, uses) in all.into_iter().enumerate() {
                for (name, span) in uses {
                    found.entry(name).or_default().push((module, span));
                }
            }
            found
        })
    }
}

/// The attributes of other objects that a module reads, or of its own that nothing in it sets.
fn open_attributes(program: &Program<'_>, m: &PythonModule) -> Vec<(Arc<str>, Span)> {
    let text = program.sources.text(m.file).as_bytes();
    let words = ["aws_cdk", "grant", "_policy("];
    if !words.iter().any(|w| memchr::memmem::find(text, w.as_bytes()).is_some()) {
        return Vec::new();
    }
    let wholes = m.wholes(|_| true);
    let set: BTreeSet<&str> = m.attributes.iter().map(|a| &*a.name).collect();
    let mut out = Vec::new();
    for expr in m.ids() {
        let ExprKind::Attr { of, name, .. } = &m.expr(expr).kind else {
            continue;
        };
        let own = matches!(&m.expr(*of).kind, ExprKind::Name(object) if &**object == "self");
        if m.expr(expr).usage == Usage::Load && !(own && set.contains(&**name)) && !is_harmless(m, &wholes, expr) {
            out.push((name.clone(), m.expr(expr).span));
        }
    }
    out
}

/// Whether a use of something that may be a function gives its role nothing, by what is done with it in its module.
fn is_harmless(m: &PythonModule, wholes: &Wholes, expr: ExprId) -> bool {
    let Some(whole) = wholes[expr] else { return false };
    match &m.expr(whole).kind {
        ExprKind::Attr { name, .. } => HARMLESS.contains(&&**name) || name.starts_with("metric"),
        ExprKind::Call(call) if call.function != expr => is_harmless_method(method_of(m, call)),
        _ => false,
    }
}

fn is_harmless_method(name: &str) -> bool {
    RECEIVERS.contains(&name) || name.starts_with("add_resource_suppressions") || name.starts_with("allow_")
}

/// What the uses of a module are followed with.
pub(super) struct UseSearch {
    pub(super) wholes: Wholes,
    /// Statements that are part of a policy that is linked to a role.
    pub(super) put: BTreeSet<ExprId>,
    /// What is returned, or put into a container by an assignment.
    leaving: BTreeSet<ExprId>,
}

impl CallLowering<'_> {
    /// Adds to the roles what each place gives them that names one of them, or a function.
    pub(super) fn follow_uses(&self, stack: &mut SourceStack, groups: &[StatementGroup], uses: &AttributeUses) {
        let m = self.module_ref();
        let mut leaving: BTreeSet<ExprId> = m.scopes.iter().flat_map(|s| s.returns.iter().copied()).collect();
        for mutation in m.scopes.iter().flat_map(|s| &s.mutations) {
            match mutation.change {
                ObjectChange::Set(e) | ObjectChange::Append(e) | ObjectChange::Extend(e) | ObjectChange::Update(e) => {
                    leaving.insert(e);
                }
                ObjectChange::Other => {}
            }
        }
        let search = UseSearch {
            wholes: m.wholes(|_| true),
            put: groups
                .iter()
                .flat_map(|g| &g.members)
                .filter(|s| s.known)
                .map(|s| s.expr)
                .collect(),
            leaving,
        };
        self.note_policies_of_constructs(stack, &search);
        let exposed = self.exposed_attributes(stack);
        for expr in m.ids() {
            let e = m.expr(expr);
            if e.usage == Usage::Store {
                continue;
            }
            match &e.kind {
                ExprKind::Name(_) | ExprKind::Attr { .. } | ExprKind::Call(_) => {}
                _ => continue,
            }
            if let Some(object) = self.cdk_object(expr, stack, 0) {
                self.follow_use(stack, &search, expr, object);
                continue;
            }
            let objects = match &e.kind {
                ExprKind::Name(name) => self.possible_objects(stack, name, expr),
                ExprKind::Attr { name, .. } => exposed.get(name).cloned().unwrap_or_default(),
                _ => continue,
            };
            if !objects.is_empty() && !is_harmless(m, &search.wholes, expr) {
                for object in objects {
                    self.lose(stack, object, e.span);
                }
            }
        }
        if exposed.is_empty() {
            return;
        }
        // Attributes may be read by names that are not written here.
        let any = m.ids().find(|e| {
            m.call(*e)
                .is_some_and(|call| matches!(method_of(m, call), "getattr" | "vars"))
        });
        if let Some(at) = any.map(|e| m.expr(e).span) {
            let all: Vec<CdkObject> = exposed.values().flatten().copied().collect();
            all.into_iter().for_each(|object| self.lose(stack, object, at));
        }
        let uses = uses.get(self.program);
        for (name, objects) in &exposed {
            let elsewhere = uses
                .get(name)
                .into_iter()
                .flatten()
                .filter(|(module, _)| *module != self.module);
            for (_, span) in elsewhere {
                objects.iter().for_each(|object| self.lose(stack, *object, *span));
            }
        }
    }

    /// Nothing more is known of an object from here on.
    fn lose(&self, stack: &mut SourceStack, object: CdkObject, at: Span) {
        stack.widen(object, at);
        if let CdkObject::Role(role) = object {
            stack.hand_on(role, at);
        }
    }

    /// The functions and roles that attributes of objects hold, by the name of the attribute.
    fn exposed_attributes(&self, stack: &SourceStack) -> BTreeMap<Arc<str>, Vec<CdkObject>> {
        let m = self.module_ref();
        let mut out: BTreeMap<Arc<str>, Vec<CdkObject>> = BTreeMap::new();
        for attribute in &m.attributes {
            let Some(source) = &attribute.source else { continue };
            if let Some(object) = self.cdk_object(source.expr, stack, 0) {
                out.entry(attribute.name.clone()).or_default().push(object);
            }
        }
        out
    }

    /// The objects that a name may hold, where several places give it a value.
    fn possible_objects(&self, stack: &SourceStack, name: &str, expr: ExprId) -> Vec<CdkObject> {
        let m = self.module_ref();
        let Reaching::Found(found) = m.reaching_bindings(name, expr) else {
            return Vec::new();
        };
        let sources = found.bindings.iter().filter_map(|b| match &b.bound {
            BindingValue::Value(source) => Some(source.expr),
            _ => None,
        });
        sources.filter_map(|e| self.cdk_object(e, stack, 0)).collect()
    }

    fn follow_use(&self, stack: &mut SourceStack, search: &UseSearch, expr: ExprId, object: CdkObject) {
        let m = self.module_ref();
        let at = m.expr(expr).span;
        let Some(whole) = search.wholes[expr] else {
            if search.leaving.contains(&expr) {
                self.lose(stack, object, at);
            }
            return;
        };
        if search.leaving.contains(&expr) {
            return self.lose(stack, object, at);
        }
        match &m.expr(whole).kind {
            ExprKind::Attr { name, .. } => {
                let called =
                    search.wholes[whole].and_then(|c| Some((c, m.call(c).filter(|call| call.function == whole)?)));
                match called {
                    Some((call_expr, call)) => self.follow_method(stack, search, object, name, (call_expr, call)),
                    None => self.follow_attribute(stack, search, object, name, whole),
                }
            }
            ExprKind::Call(call) => self.follow_argument(stack, search, object, expr, (whole, call)),
            ExprKind::Comparison(_) | ExprKind::Join(_) => {}
            _ => self.follow_container(stack, search, object, expr),
        }
    }

    fn follow_method(
        &self,
        stack: &mut SourceStack,
        search: &UseSearch,
        object: CdkObject,
        name: &str,
        (expr, call): (ExprId, &CallExpr),
    ) {
        let at = self.module_ref().expr(expr).span;
        match name {
            "add_to_role_policy" | "add_to_policy" | "add_to_principal_policy" => {
                for arg in &call.args {
                    if !self.is_covered(arg.value, search) {
                        stack.widen(object, at);
                    }
                }
            }
            "add_managed_policy" => {
                for arg in &call.args {
                    self.attach_managed(stack, object, arg.value, search);
                }
            }
            "attach_inline_policy" => {
                for arg in &call.args {
                    self.attach_policy(stack, object, arg.value, search);
                }
            }
            "add_event_source" => self.add_event_source(stack, object, call),
            _ if SAME_ROLE.contains(&name) => stack.widen(object, at),
            _ if HARMLESS.contains(&name) || name.starts_with("metric") => {}
            // It allows others something on the function.
            _ if name.starts_with("grant_invoke") => {}
            _ => self.lose(stack, object, at),
        }
    }

    fn follow_attribute(
        &self,
        stack: &mut SourceStack,
        search: &UseSearch,
        object: CdkObject,
        name: &str,
        whole: ExprId,
    ) {
        let m = self.module_ref();
        let at = m.expr(whole).span;
        match (object, name) {
            // The role of a function is looked at by itself.
            (CdkObject::Function(_), "role" | "grant_principal") | (CdkObject::Role(_), "grant_principal") => {}
            _ if SAME_ROLE.contains(&name) => stack.widen(object, at),
            (_, "node") => {
                let read = search.wholes[whole].map(|e| &m.expr(e).kind);
                if !matches!(read, Some(ExprKind::Attr { name, .. }) if OF_NODE.contains(&&**name)) {
                    stack.widen(object, at);
                }
            }
            _ if HARMLESS.contains(&name) || name.starts_with("metric") => {}
            (CdkObject::Role(role), "role_arn" | "role_name" | "role_id" | "attr_arn" | "ref" | "attr_role_id") => {
                if self.is_with_l1(search, whole) {
                    // The role of a construct, by its name.
                    if name == "role_name" {
                        stack.widen(object, at);
                    }
                } else if !self.is_only_shown(search, whole) {
                    stack.hand_on(role, at);
                    let around = search.wholes[whole].and_then(|e| m.call(e));
                    if around.is_some_and(|call| method_of(m, call).starts_with("from_role_")) {
                        stack.widen(object, at);
                    }
                }
            }
            _ => self.lose(stack, object, at),
        }
    }

    /// Whether a name or ARN of a role stands where a resource of CloudFormation that is read has it.
    fn is_with_l1(&self, search: &UseSearch, expr: ExprId) -> bool {
        let m = self.module_ref();
        let above = std::iter::successors(search.wholes[expr], |e| search.wholes[*e]).take(3);
        let mut calls = above.filter_map(|e| m.call(e));
        calls.next().is_some_and(|call| self.is_l1_of_role(call, expr))
    }

    /// Whether a name or ARN of a role only stands in an output of the stack, or in what a statement is about.
    fn is_only_shown(&self, search: &UseSearch, expr: ExprId) -> bool {
        let m = self.module_ref();
        let above = std::iter::successors(Some(expr), |e| search.wholes[*e]).take(6);
        let mut calls = above.filter_map(|e| m.call(e));
        calls.any(|call| match method_of(m, call) {
            "CfnOutput" => call.keyword("export_name").is_none(),
            "PolicyStatement" | "print" => true,
            _ => false,
        })
    }

    fn follow_argument(
        &self,
        stack: &mut SourceStack,
        search: &UseSearch,
        object: CdkObject,
        expr: ExprId,
        (whole, call): (ExprId, &CallExpr),
    ) {
        let m = self.module_ref();
        let at = m.expr(expr).span;
        let name = method_of(m, call);
        let receiver = match &m.expr(call.function).kind {
            ExprKind::Attr { of, .. } => Some(*of),
            _ => None,
        };
        let is_grant = name.starts_with("grant") || self.is_of_grants(call);
        if is_grant && let Some(of) = receiver {
            return self.add_grant(stack, object, expr, (whole, call), of);
        }
        if name == "of"
            && receiver
                .and_then(|of| m.dotted(of))
                .is_some_and(|of| of.ends_with("Aspects"))
        {
            return stack.widen(object, at);
        }
        if let (Some(of), "attach_to_role", CdkObject::Role(_)) = (receiver, name, object) {
            return self.attach_policy(stack, object, of, search);
        }
        let runs = |role: ExprId| {
            let function = stack.functions.get(&whole);
            let mut each = function.into_iter().flatten();
            each.any(|f| f.role.as_ref().ok() == Some(&role)) && call.keyword("role") == Some(expr)
        };
        match object {
            CdkObject::Role(role) if runs(role) || is_harmless_method(name) || name == "CfnOutput" => {}
            CdkObject::Function(_) if is_harmless_method(name) || self.only_calls(call) => {}
            _ => self.lose(stack, object, at),
        }
    }

    /// Whether a construct of the CDK only calls the function that it is given.
    fn only_calls(&self, call: &CallExpr) -> bool {
        let class = self.cdk_class(call.function);
        class.is_some_and(|(module, _)| {
            CALLERS.iter().any(|caller| {
                module.strip_prefix(caller).is_some_and(|rest| {
                    // `aws_apigatewayv2_integrations`, `aws_events_targets`.
                    !matches!(*caller, "aws_cdk" | "core" | "aws_lambda") && rest != "_event_sources"
                        || rest.is_empty()
                        || rest == "_destinations"
                })
            })
        })
    }

    /// Something in a list, a dict, or one of two alternatives.
    fn follow_container(&self, stack: &mut SourceStack, search: &UseSearch, object: CdkObject, expr: ExprId) {
        let m = self.module_ref();
        let at = m.expr(expr).span;
        let mut inner = expr;
        let mut above = std::iter::successors(search.wholes[expr], |e| search.wholes[*e]).take(6);
        let call = above.find_map(|e| match &m.expr(e).kind {
            ExprKind::Call(call) => Some((e, call)),
            _ => {
                inner = e;
                None
            }
        });
        let Some((made, call)) = call.filter(|(_, call)| call.function != inner) else {
            return self.lose(stack, object, at);
        };
        let is_roles = call.keyword("roles") == Some(inner) && matches!(m.expr(inner).kind, ExprKind::List(_));
        let is_policy = matches!(&*self.class_of(call), "Policy" | "ManagedPolicy");
        match object {
            CdkObject::Role(_) if is_roles && is_policy => self.attach_policy(stack, object, made, search),
            CdkObject::Function(_) if is_harmless_method(method_of(m, call)) || self.only_calls(call) => {}
            CdkObject::Role(_) if is_harmless_method(method_of(m, call)) => {}
            _ => self.lose(stack, object, at),
        }
    }

    /// The annotation of the parameter that an expression is, or that an attribute holds.
    pub(super) fn annotation_of(&self, expr: ExprId) -> Option<String> {
        let m = self.module_ref();
        let mut at = expr;
        for _ in 0..4 {
            match &m.expr(at).kind {
                ExprKind::Name(name) => {
                    let Reaching::Found(found) = m.reaching_bindings(name, at) else {
                        return None;
                    };
                    let [one] = found.bindings.as_slice() else { return None };
                    match &one.bound {
                        BindingValue::Param(i) => {
                            let param = m.scope(found.scope).params.get(*i as usize)?;
                            let dotted = m.dotted(param.annotation?)?;
                            return dotted.rsplit('.').next().map(str::to_owned);
                        }
                        BindingValue::Value(source) if source.steps.is_empty() => at = source.expr,
                        _ => return None,
                    }
                }
                ExprKind::Attr { .. } => {
                    let function = m.function_of(m.expr(at).scope);
                    self.values.class_of_method(self.module, function)?;
                    at = self.values.assigned_attribute(self.module, at)?;
                }
                _ => return None,
            }
        }
        None
    }
}
