//! What methods of constructs grant: `table.grant_read_data(function)`, `bucket.grant(function, …)`, event sources.

use std::collections::BTreeSet;

use super::super::loose::document_with;
use super::super::resources::{CallLowering, method_of, synthetic_entry};
use super::{CdkObject, SourceStack};
use crate::iam::cdk::{CdkGrant, cdk_grant, cdk_grants};
use crate::iam::sdk;
use crate::python::{ArgName, BlockKind, CallExpr, ExprId, ExprKind, ScopeKind};
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Branch, Guard, Value, ValueKind};

/// Classes whose grants are those of another one.
const SAME: &[(&str, &str)] = &[
    ("Alias", "Function"),
    ("CfnTable", "Table"),
    ("DatabaseSecret", "Secret"),
    ("DockerImageFunction", "Function"),
    ("FifoQueue", "Queue"),
    ("GlobalTable", "Table"),
    ("NodejsFunction", "Function"),
    ("PythonFunction", "Function"),
    ("ServerlessCluster", "DatabaseCluster"),
    ("SingletonFunction", "Function"),
    ("StringListParameter", "StringParameter"),
    ("TableV2", "Table"),
    ("Version", "Function"),
];

/// A policy of a role that a call makes.
struct GrantedPolicy {
    /// `Table.grant_read_data`.
    name: String,
    /// Nobody may write it otherwise, or what it allows is not certain.
    is_generated: bool,
    actions: Vec<Value>,
    resources: Value,
    at: Span,
    when: Option<Guard>,
}

impl GrantedPolicy {
    fn value(self) -> Value {
        let at = self.at;
        let effect = synthetic_entry("Effect", Value::synthetic("Allow", at));
        let actions = synthetic_entry("Action", Value::seq(self.actions, at));
        let statement = Value::map(vec![effect, actions, synthetic_entry("Resource", self.resources)], at);
        let document = document_with(vec![statement], at);
        let document = match self.when {
            Some(when) => Value::new(ValueKind::OneOf([Branch { when, value: document }].into()), at),
            None => document,
        };
        let kind = if self.is_generated { "GeneratedFor" } else { "CdkGrant" };
        let name = synthetic_entry(kind, Value::synthetic(&self.name, at));
        Value::map(vec![name, synthetic_entry("PolicyDocument", document)], at)
    }
}

impl CallLowering<'_> {
    /// A call such as `table.grant_read_data(function)`: `of` is the table, and `expr` the function.
    pub(super) fn add_grant(
        &self,
        stack: &mut SourceStack,
        object: CdkObject,
        expr: ExprId,
        (whole, call): (ExprId, &CallExpr),
        of: ExprId,
    ) {
        let m = self.module_ref();
        let at = self.method_span(call);
        let method = method_of(m, call);
        let grantee = ["grantee", "identity"].into_iter().find_map(|k| call.keyword(k));
        let is_grantee = grantee.or_else(|| call.positional(0)) == Some(expr);
        if !is_grantee {
            return stack.widen(object, at);
        }
        if self.is_grant_class(call) {
            let given =
                ["actions", "resource_arns"].map(|k| call.keyword(k).map(|e| self.values.value(self.module, e)));
            let [Some(actions), Some(resources)] = given else {
                return stack.widen(object, at);
            };
            let is_known =
                actions.as_seq().is_some() && actions.items().iter().all(|a| a.as_text().is_some_and(Text::is_known));
            if !is_known || call.has_unpacking() {
                return stack.widen(object, at);
            }
            let policy = GrantedPolicy {
                name: "Grant.add_to_principal".to_owned(),
                is_generated: false,
                actions: actions.items().to_vec(),
                resources,
                at,
                when: self.guard_of_grant(whole),
            };
            return self.give(stack, object, policy);
        }
        // `table.grants.read_data(function)`, `TableGrants.from_table(table).read_data(function)`
        let (facade, of) = match self.grants_of(of) {
            Some(inner) => (true, inner),
            None => (false, of),
        };
        let made = self.values.constructor_call(self.module, of);
        let class = self.class_of_resource(of, made);
        let class = match facade {
            true => class.map(|class| format!("{class}Grants")),
            false => class,
        };
        let when = self.guard_of_grant(whole);
        // A class or function of the repository may give more than its method is called after.
        let is_own = made
            .and_then(|e| m.call(e))
            .is_some_and(|call| class.is_none() && !self.is_method(call));
        if is_own {
            stack.widen(object, at);
        }
        let resources = match method.contains("stream") {
            // The stream of a table has an ARN of its own.
            true => Value::unknown_other("stream", at),
            false => self.resources_of(of, made, at),
        };
        if method == if facade { "actions" } else { "grant" } {
            let given = call.args.iter().filter(|a| a.value != expr);
            let mut actions = Vec::new();
            for arg in given {
                let value = self.values.value(self.module, arg.value);
                match arg.name {
                    ArgName::Positional if value.as_text().is_some_and(Text::is_known) => actions.push(value),
                    ArgName::Star if value.as_seq().is_some() => actions.extend(value.items().iter().cloned()),
                    _ => return stack.widen(object, at),
                }
            }
            let name = format!("{}.{method}", class.as_deref().unwrap_or_default());
            let policy = GrantedPolicy {
                name,
                is_generated: actions.is_empty(),
                actions,
                resources,
                at,
                when,
            };
            return self.give(stack, object, policy);
        }
        let all: Vec<&CdkGrant> = cdk_grants()
            .iter()
            .filter(|g| g.method == method && g.class.ends_with("Grants") == facade)
            .filter(|g| class.as_deref().is_none_or(|class| class == g.class))
            .collect();
        let Some(first) = all.first() else {
            return stack.widen(object, at);
        };
        // What is granted is known by the method alone, unless classes grant different actions by it.
        let is_same = all
            .iter()
            .all(|g| g.actions == first.actions && g.key_actions == first.key_actions);
        let is_known = class.is_some() || is_same && !is_own && !self.defines_method(method);
        if !is_known {
            stack.widen(object, at);
        }
        let union = |list: fn(&CdkGrant) -> &Vec<&'static str>| {
            let set: BTreeSet<&str> = all.iter().flat_map(|g| list(g)).copied().collect();
            set.into_iter().map(|a| Value::synthetic(a, at)).collect::<Vec<Value>>()
        };
        let name = format!("{}.{method}", first.class);
        let policy = GrantedPolicy {
            name: name.clone(),
            // With more arguments, it is on less, or less is granted.
            is_generated: !is_known || call.args.len() > 1,
            actions: union(|g| &g.actions),
            resources,
            at,
            when: when.clone(),
        };
        self.give(stack, object, policy);
        let keys = union(|g| &g.key_actions);
        if !keys.is_empty() && self.may_be_encrypted(made) {
            let key = Value::unknown_other("key", at);
            let policy = GrantedPolicy {
                name,
                is_generated: true,
                actions: keys,
                resources: key,
                at,
                when,
            };
            self.give(stack, object, policy);
        }
    }

    /// Whether a class of the repository has a method of this name.
    fn defines_method(&self, name: &str) -> bool {
        let scopes = self.program.modules.iter().flat_map(|m| &m.scopes);
        let mut functions = scopes.filter(|s| s.kind == ScopeKind::Function);
        functions.any(|s| s.qualname.rsplit_once('.').is_some_and(|(_, last)| last == name))
    }

    /// `Grant.add_to_principal(grantee=function, …)`
    fn is_grant_class(&self, call: &CallExpr) -> bool {
        let name = self.program.library(self.module, call.function).unwrap_or_default();
        name.starts_with("aws_cdk") && name.ends_with("aws_iam.Grant.add_to_principal")
    }

    /// What grants in the expression on which a method is called: `table` of `table.grants`, and of
    /// `TableGrants.from_table(table)`.
    fn grants_of(&self, of: ExprId) -> Option<ExprId> {
        let m = self.module_ref();
        let written = m.defining_expression(of).unwrap_or(of);
        match &m.expr(written).kind {
            ExprKind::Attr { of, name, .. } if &**name == "grants" => Some(*of),
            ExprKind::Call(call) => {
                let name = self.program.library(self.module, call.function)?;
                let (path, method) = name.rsplit_once('.')?;
                let is_one = path.starts_with("aws_cdk") && path.ends_with("Grants") && method.starts_with("from_");
                let given = call.positional(0).or_else(|| call.args.first().map(|a| a.value));
                given.filter(|_| is_one)
            }
            _ => None,
        }
    }

    /// Whether a call is one of a method that grants, but is not called so.
    pub(super) fn is_of_grants(&self, call: &CallExpr) -> bool {
        let of = match &self.module_ref().expr(call.function).kind {
            ExprKind::Attr { of, .. } => *of,
            _ => return false,
        };
        self.is_grant_class(call) || self.grants_of(of).is_some()
    }

    /// `function.add_event_source(SqsEventSource(queue))`
    pub(super) fn add_event_source(&self, stack: &mut SourceStack, object: CdkObject, call: &CallExpr) {
        let m = self.module_ref();
        let at = self.method_span(call);
        let source = call.argument(0, "source");
        let source = source.and_then(|e| self.values.constructor_call(self.module, e));
        let Some(made) = source.and_then(|e| m.call(e)) else {
            return stack.widen(object, at);
        };
        let class = self.class_of(made);
        let Some(grant) = cdk_grant(&class, "bind").filter(|_| made.keyword("on_failure").is_none()) else {
            return stack.widen(object, at);
        };
        let text = |a: &&'static str| Value::synthetic(a, at);
        let actions: Vec<Value> = grant.actions.iter().chain(&grant.key_actions).map(text).collect();
        if actions.is_empty() {
            return;
        }
        let policy = GrantedPolicy {
            name: class,
            is_generated: true,
            actions,
            resources: Value::unknown_other("source", at),
            at,
            when: None,
        };
        self.give(stack, object, policy);
    }

    /// What the CDK gives the role of a function for a feature of the platform.
    pub(super) fn give_feature(&self, stack: &mut SourceStack, function: ExprId, feature: &str, at: Span) {
        let text = |a: &'static str| Value::synthetic(a, at);
        let policy = GrantedPolicy {
            name: feature.to_owned(),
            is_generated: true,
            actions: sdk::lambda_baseline(feature)
                .unwrap_or_default()
                .into_iter()
                .map(text)
                .collect(),
            resources: Value::synthetic("*", at),
            at,
            when: None,
        };
        self.give(stack, CdkObject::Function(function), policy);
    }

    /// Whether a call is one of a method of something the CDK makes: `function.add_alias("live")`.
    fn is_method(&self, call: &CallExpr) -> bool {
        let ExprKind::Attr { of, .. } = &self.module_ref().expr(call.function).kind else {
            return false;
        };
        let made = self.values.constructor_call(self.module, *of);
        made.is_some_and(|made| self.class_of_resource(*of, Some(made)).is_some())
    }

    fn give(&self, stack: &mut SourceStack, object: CdkObject, policy: GrantedPolicy) {
        let value = policy.value();
        for role in stack.roles_of(object) {
            if let Some(role) = stack.roles.get_mut(&role) {
                role.policies.push(value.clone());
            }
        }
    }

    fn method_span(&self, call: &CallExpr) -> Span {
        let m = self.module_ref();
        match &m.expr(call.function).kind {
            ExprKind::Attr { name_span, .. } => *name_span,
            _ => m.expr(call.function).span,
        }
    }

    /// The class of what grants: as it is made or looked up, or as a parameter is annotated. `ITable` is a `Table`.
    fn class_of_resource(&self, of: ExprId, made: Option<ExprId>) -> Option<String> {
        let m = self.module_ref();
        let call = made.and_then(|e| m.call(e));
        let path = call.and_then(|call| self.program.library(self.module, call.function));
        let class = path.filter(|path| path.starts_with("aws_cdk")).and_then(|path| {
            let mut parts = path.rsplit('.');
            let last = parts.next()?;
            // `Table.from_table_name`
            let class = if last.starts_with("from_") { parts.next()? } else { last };
            Some(class.to_owned())
        });
        let class = class.or_else(|| {
            let name = self.annotation_of(of)?;
            let bare = name
                .strip_prefix('I')
                .filter(|rest| rest.starts_with(char::is_uppercase));
            Some(bare.unwrap_or(&name).to_owned())
        })?;
        let same = SAME
            .iter()
            .find(|(other, _)| *other == class)
            .map(|(_, class)| (*class).to_owned());
        let class = same.unwrap_or(class);
        cdk_grants().iter().any(|g| g.class == class).then_some(class)
    }

    /// What a grant is on, as far as it is known: the construct, and what is in it.
    fn resources_of(&self, of: ExprId, made: Option<ExprId>, at: Span) -> Value {
        let arn = made.and_then(|made| self.values.arn_of_construct(self.module, made));
        let Some(arn) = arn else {
            let shown = self.module_ref().dotted(of).unwrap_or_else(|| "resource".to_owned());
            return Value::unknown(Hole::new(HoleKind::Other, shown, at));
        };
        let inside = |end: &str| {
            let mut text = arn.clone();
            text.append(&Text::synthetic(end, at));
            Value::text(text, at)
        };
        let prefix = arn.with_placeholders().into_owned();
        let more: &[&str] = match () {
            () if prefix.contains(":s3:") => &["/*"],
            () if prefix.contains(":dynamodb:") => &["/index/*"],
            () if prefix.contains(":lambda:") => &[":*"],
            () if prefix.contains(":secretsmanager:") => &["-??????"],
            () => &[],
        };
        let mut all = vec![Value::text(arn.clone(), at)];
        all.extend(more.iter().map(|end| inside(end)));
        Value::seq(all, at)
    }

    /// Whether a resource may have a key of its own.
    fn may_be_encrypted(&self, made: Option<ExprId>) -> bool {
        let m = self.module_ref();
        let Some(call) = made.and_then(|e| m.call(e)) else {
            return true;
        };
        let says = |name: &str| name.contains("encrypt") || name.contains("master_key") || name == "key";
        call.args.iter().any(|a| match &a.name {
            ArgName::Keyword(name, _) => says(name),
            ArgName::Spread => true,
            _ => false,
        })
    }

    /// The condition under which a grant is made.
    fn guard_of_grant(&self, expr: ExprId) -> Option<Guard> {
        let m = self.module_ref();
        let block = m.expr(expr).block;
        match m.blocks[block].kind {
            BlockKind::Root => None,
            _ => m.label(block).map(|label| Guard::from(&**label)),
        }
    }
}
