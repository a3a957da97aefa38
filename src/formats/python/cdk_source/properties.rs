//! Functions and roles as resources, with the properties of a template.

use super::super::resources::{CallLowering, synthetic_entry};
use super::{CdkFunction, CdkRole, ConstructCall, FEATURES, SourceStack};
use crate::model::{Address, Resource};
use crate::python::ExprId;
use crate::source::{Hole, HoleKind, Span};
use crate::value::{Value, ValueKind};

impl CallLowering<'_> {
    pub(super) fn role_resource(&self, expr: ExprId, role: &CdkRole, stack: &SourceStack) -> Resource {
        let m = self.module_ref();
        let address = Address {
            scope: self.scope.clone(),
            name: role.name.clone(),
        };
        let at = m
            .call(expr)
            .map_or(m.expr(expr).span, |call| m.expr(call.function).span);
        let mut entries = self.l1_role(expr, role, stack).unwrap_or_default();
        let is_l1 = !entries.is_empty();
        let mut managed = Vec::new();
        if is_l1 {
            // All of it is in its keywords.
        } else if stack.functions.contains_key(&expr) {
            managed.push("AWSLambdaBasicExecutionRole");
            if role.in_network {
                managed.push("AWSLambdaVPCAccessExecutionRole");
            }
        } else if let Some(name) = m.call(expr).and_then(|call| call.keyword("role_name")) {
            entries.push(synthetic_entry("RoleName", self.values.value(self.module, name)));
        }
        let arn = |name: &&str| Value::synthetic(&format!("arn:aws:iam::aws:policy/service-role/{name}"), at);
        let managed: Vec<Value> = managed.iter().map(arn).collect();
        if !managed.is_empty() {
            entries.push(synthetic_entry("ManagedPolicyArns", Value::seq(managed, at)));
        }
        if !role.policies.is_empty() {
            entries.push(synthetic_entry("Policies", Value::seq(role.policies.clone(), at)));
        }
        let place = |span: &Span| Value::new(ValueKind::Bool(true), *span);
        if !role.widened.is_empty() {
            let places = role.widened.iter().map(place).collect();
            entries.push(synthetic_entry("Widened", Value::seq(places, at)));
        }
        if let Some(span) = &role.handed_on {
            entries.push(synthetic_entry("HandedOn", place(span)));
        }
        self.made_resource("AWS::IAM::Role", expr, address, entries)
    }

    pub(super) fn function_resource(
        &self,
        made: &ConstructCall<'_>,
        function: &CdkFunction,
        stack: &SourceStack,
    ) -> Resource {
        let m = self.module_ref();
        if made.class == "CfnFunction" {
            let entries = self.l1_properties(made.call, stack);
            return self.made_resource("AWS::Lambda::Function", made.expr, function.address.clone(), entries);
        }
        let mut entries = self.code_of_function(made);
        if let Some(runtime) = self.runtime(made) {
            entries.push(synthetic_entry("Runtime", runtime));
        }
        let role = match &function.role {
            Ok(key) => stack.target(*key).map(|target| {
                let at = made
                    .call
                    .keyword("role")
                    .map_or_else(|| m.expr(made.call.function).span, |role| m.expr(role).span);
                Value::unknown(Hole::new(HoleKind::Resource, target.address.clone(), at).to(target))
            }),
            Err(role) => role.clone(),
        };
        entries.extend(role.map(|role| synthetic_entry("Role", role)));
        let features = FEATURES.iter().map(|f| (f.keyword, f.property));
        let asked = features.chain([("vpc", "VpcConfig"), ("layers", "Layers")]);
        for (keyword, property) in asked.filter(|(_, property)| !property.is_empty()) {
            if let Some(value) = made.keyword(self, keyword) {
                let there = Value::new(ValueKind::Bool(true), m.expr(value).span);
                let value = match property {
                    "Layers" => Value::seq(vec![there], m.expr(value).span),
                    _ => there,
                };
                entries.push(synthetic_entry(property, value));
            }
        }
        self.made_resource("AWS::Lambda::Function", made.expr, function.address.clone(), entries)
    }

    /// `python3.12` of `Runtime.PYTHON_3_12`.
    fn runtime(&self, made: &ConstructCall<'_>) -> Option<Value> {
        let m = self.module_ref();
        if made.class == "NodejsFunction" {
            return Some(Value::synthetic("nodejs", m.expr(made.call.function).span));
        }
        let runtime = made.keyword(self, "runtime")?;
        let runtime = self.written(runtime).unwrap_or(runtime);
        let span = m.expr(runtime).span;
        if let Some(call) = m.call(runtime) {
            return call.positional(0).map(|e| self.values.value(self.module, e));
        }
        let dotted = m.dotted(runtime)?;
        let (_, name) = dotted.rsplit_once('.')?;
        let (language, version) = name.split_once('_').unwrap_or((name, ""));
        if language == "FROM" {
            return None;
        }
        let name = format!(
            "{}{}",
            language.to_lowercase(),
            version.to_lowercase().replace('_', ".")
        );
        Some(Value::synthetic(&name, span))
    }
}
