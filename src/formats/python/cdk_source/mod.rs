//! Functions that the CDK makes, with the roles that they run as, as a template has them.
//!
//! **Invariant:** what may give a role more than is seen stands on the role, and so does what may use it. A role that no function
//! of the module runs as is not here.

mod given;
mod grants;
mod l1;
mod places;
mod synthesized;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cdk_policies::StatementGroup;
use super::resources::{CallLowering, method_of, synthetic_entry};
use crate::model::{Address, LoweredUnit, Resource};
use crate::python::{ArgName, BlockKind, CallExpr, ExprId, ExprKind, ScopeKind};
use crate::source::{Hole, HoleKind, HoleTarget, Span};
use crate::value::Value;

pub(super) use uses::AttributeUses;

/// Classes of functions, with the module that has them.
const FUNCTIONS: &[(&str, &str)] = &[
    ("aws_lambda", "CfnFunction"),
    ("aws_lambda", "DockerImageFunction"),
    ("aws_lambda", "Function"),
    ("aws_lambda", "SingletonFunction"),
    ("aws_lambda_nodejs", "NodejsFunction"),
    ("aws_lambda_python", "PythonFunction"),
    ("aws_lambda_python_alpha", "PythonFunction"),
];

const LAYERS: &[(&str, &str)] = &[
    ("aws_lambda", "LayerVersion"),
    ("aws_lambda_python", "PythonLayerVersion"),
    ("aws_lambda_python_alpha", "PythonLayerVersion"),
];

/// A keyword of a function for which the CDK gives its role more.
struct FunctionFeature {
    keyword: &'static str,
    /// What says so in a template.
    property: &'static str,
    /// What the role is given then, as an entry of `lambda-baseline.txt`; empty where that is not known.
    needs: &'static str,
}

const fn feature(keyword: &'static str, property: &'static str, needs: &'static str) -> FunctionFeature {
    FunctionFeature {
        keyword,
        property,
        needs,
    }
}

/// CDK API reference, "FunctionProps".
const FEATURES: &[FunctionFeature] = &[
    feature("adot_instrumentation", "", ""),
    feature("dead_letter_queue", "DeadLetterConfig", "dead letter queue sqs"),
    feature("dead_letter_queue_enabled", "DeadLetterConfig", "dead letter queue sqs"),
    feature("dead_letter_topic", "DeadLetterConfig", "dead letter queue sns"),
    feature("events", "", ""),
    feature("filesystem", "FileSystemConfigs", "efs"),
    feature("insights_version", "Layers", ""),
    feature("on_failure", "EventInvokeConfig", ""),
    feature("on_success", "EventInvokeConfig", ""),
    feature("params_and_secrets", "Layers", ""),
    feature("profiling", "", ""),
    feature("profiling_group", "", ""),
    feature("tracing", "TracingConfig", "tracing"),
];

/// A call of a construct's class.
pub(super) struct ConstructCall<'c> {
    pub(super) expr: ExprId,
    pub(super) call: &'c CallExpr,
    pub(super) class: String,
}

impl<'c> ConstructCall<'c> {
    /// A keyword argument, also of a dict that is unpacked here.
    pub(super) fn keyword(&self, lowering: &'c CallLowering<'_>, name: &str) -> Option<ExprId> {
        self.call.keyword(name).or_else(|| {
            let spread = self.call.args.iter().filter(|a| a.name == ArgName::Spread);
            spread.filter_map(|a| lowering.value_in_dict(a.value, name)).next()
        })
    }
}

/// What a function or role of the CDK is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CdkObject {
    Function(ExprId),
    /// By the call that makes it: a role, or a function that has one of its own.
    Role(ExprId),
}

struct CdkFunction {
    address: Address,
    /// The key of its role, or what its role is.
    role: Result<ExprId, Option<Value>>,
}

#[derive(Default)]
struct CdkRole {
    name: Arc<str>,
    policies: Vec<Value>,
    /// What may give it more.
    widened: BTreeSet<Span>,
    handed_on: Option<Span>,
    /// The function runs in a network, for which the CDK adds a policy.
    in_network: bool,
}

/// The functions of a module and their roles.
#[derive(Default)]
pub(super) struct SourceStack {
    functions: BTreeMap<ExprId, CdkFunction>,
    roles: BTreeMap<ExprId, CdkRole>,
    /// Roles by what is attached to them: managed policies, policies, documents.
    attached: BTreeMap<ExprId, BTreeSet<ExprId>>,
    /// Managed policies of AWS that are put on something else.
    on_others: BTreeSet<ExprId>,
    scope: Arc<str>,
}

impl SourceStack {
    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    fn target(&self, role: ExprId) -> Option<HoleTarget> {
        Some(HoleTarget {
            scope: self.scope.clone(),
            address: self.roles.get(&role)?.name.clone(),
            attribute: "".into(),
        })
    }

    /// The roles that what `made` makes is, or is attached to.
    pub(super) fn roles_with(&self, made: ExprId) -> Vec<HoleTarget> {
        let attached = self.attached.get(&made).into_iter().flatten().copied();
        let own = self.roles.contains_key(&made).then_some(made);
        own.into_iter()
            .chain(attached)
            .filter_map(|role| self.target(role))
            .collect()
    }

    /// Whether a managed policy of AWS is known to be put on something else only.
    pub(super) fn is_on_others(&self, made: ExprId) -> bool {
        self.on_others.contains(&made)
    }

    /// A reference to the roles that a managed policy of AWS is attached to; `None` where that is not known.
    pub(super) fn role_value(&self, made: ExprId, span: Span) -> Option<Value> {
        let roles = self.roles_with(made);
        let reference = |target: HoleTarget| {
            let name = target.address.clone();
            Value::unknown(Hole::new(HoleKind::Resource, name, span).to(target))
        };
        let mut all: Vec<Value> = roles.into_iter().map(reference).collect();
        match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(Value::seq(all, span)),
        }
    }

    fn role_of(&self, object: CdkObject) -> Option<ExprId> {
        match object {
            CdkObject::Role(role) => self.roles.contains_key(&role).then_some(role),
            CdkObject::Function(f) => self.functions.get(&f)?.role.as_ref().ok().copied(),
        }
    }

    fn widen(&mut self, object: CdkObject, at: Span) {
        if let Some(role) = self.role_of(object).and_then(|role| self.roles.get_mut(&role)) {
            role.widened.insert(at);
        }
    }

    /// What is handed on may also be used elsewhere.
    fn hand_on(&mut self, role: ExprId, at: Span) {
        if let Some(role) = self.roles.get_mut(&role) {
            role.handed_on.get_or_insert(at);
        }
    }
}

impl CallLowering<'_> {
    /// The functions of the module with their roles, and what these are given. `groups` are its policies.
    pub(super) fn source_stack(&self, groups: &[StatementGroup], uses: &AttributeUses) -> SourceStack {
        let m = self.module_ref();
        let mut stack = SourceStack {
            scope: self.scope.clone(),
            ..SourceStack::default()
        };
        if !self.uses_cdk() {
            return stack;
        }
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for expr in m.ids() {
            let Some(made) = self.construct_call(expr, FUNCTIONS) else {
                continue;
            };
            let address = self.address_of(&made, &mut taken);
            let role = self.role_of_function(&made, &mut stack, &address, &mut taken);
            stack.functions.insert(expr, CdkFunction { address, role });
        }
        if !stack.is_empty() {
            self.add_roles_with_shared_policies(&mut stack, &mut taken);
            for f in stack.functions.keys().copied().collect::<Vec<_>>() {
                if let Some(made) = self.construct_call(f, FUNCTIONS) {
                    self.note_features(&made, &mut stack);
                }
            }
            self.follow_uses(&mut stack, groups, uses);
        }
        stack
    }

    /// Whether the module names the CDK.
    fn uses_cdk(&self) -> bool {
        let text = self.program.sources.text(self.module_ref().file);
        memchr::memmem::find(text.as_bytes(), b"aws_cdk").is_some()
    }

    /// Adds the functions, their roles and the layers of the module to its unit.
    pub(super) fn add_stack(&self, stack: &SourceStack, unit: &mut LoweredUnit) {
        if stack.is_empty() {
            return;
        }
        for (expr, role) in &stack.roles {
            unit.resources.push(self.role_resource(*expr, role, stack));
        }
        for (expr, function) in &stack.functions {
            if let Some(made) = self.construct_call(*expr, FUNCTIONS) {
                unit.resources.push(self.function_resource(&made, function, stack));
            }
        }
        unit.resources.raw.extend(self.l1_policies(stack));
        let m = self.module_ref();
        for expr in m.ids() {
            let Some(made) = self.construct_call(expr, LAYERS) else {
                continue;
            };
            if let Some(code) = self.code_of_layer(&made) {
                let address = self.address_of(&made, &mut BTreeMap::new());
                unit.resources
                    .push(self.made_resource("AWS::Lambda::LayerVersion", expr, address, vec![code]));
            }
        }
    }

    /// The call `expr`, where it makes one of these constructs.
    fn construct_call(&self, expr: ExprId, classes: &[(&str, &str)]) -> Option<ConstructCall<'_>> {
        let call = self.module_ref().call(expr)?;
        let (module, class) = self.cdk_class(call.function)?;
        let is_one = classes.contains(&(&*module, &*class));
        is_one.then_some(ConstructCall { expr, call, class })
    }

    /// Module and class of a class of the CDK: `aws_lambda`, `Function`.
    pub(super) fn cdk_class(&self, function: ExprId) -> Option<(String, String)> {
        self.cdk_class_in(self.module, function)
    }

    /// The same in another module.
    fn cdk_class_in(&self, in_module: usize, function: ExprId) -> Option<(String, String)> {
        if !matches!(
            self.program.modules[in_module].expr(function).kind,
            ExprKind::Name(_) | ExprKind::Attr { .. }
        ) {
            return None;
        }
        let path = self.program.library(in_module, function)?;
        let (path, class) = path.rsplit_once('.')?;
        let module = path.rsplit('.').next()?;
        path.starts_with("aws_cdk")
            .then(|| (module.to_owned(), class.to_owned()))
    }

    /// The value of a key, in a dict that is written out.
    fn value_in_dict(&self, expr: ExprId, name: &str) -> Option<ExprId> {
        let m = self.module_ref();
        match &m.expr(m.defining_expression(expr)?).kind {
            ExprKind::Dict(pairs) => {
                let is_it = |p: &&crate::python::Pair| p.key.is_some_and(|k| m.string(k).as_deref() == Some(name));
                pairs.iter().find(is_it).map(|p| p.value)
            }
            ExprKind::Call(call) if method_of(m, call) == "dict" => call.keyword(name),
            _ => None,
        }
    }

    /// Whether arguments may be given that are not seen.
    fn is_open(&self, call: &CallExpr) -> bool {
        let m = self.module_ref();
        let is_written = |e: ExprId| match m.defining_expression(e).map(|e| &m.expr(e).kind) {
            Some(ExprKind::Dict(pairs)) => pairs.iter().all(|p| p.key.is_some_and(|k| m.string(k).is_some())),
            Some(ExprKind::Call(call)) => method_of(m, call) == "dict" && !call.has_unpacking(),
            _ => false,
        };
        call.args.iter().any(|a| match a.name {
            ArgName::Star => true,
            ArgName::Spread => !is_written(a.value),
            _ => false,
        })
    }

    /// `Orders/Save`: the class around it and the ID of the construct.
    fn address_of(&self, made: &ConstructCall<'_>, taken: &mut BTreeMap<String, u32>) -> Address {
        let m = self.module_ref();
        let scope = m.scope(m.function_of(m.expr(made.expr).scope));
        let parent = m.scope(scope.parent);
        let around = match (&*scope.qualname, parent.kind) {
            (_, ScopeKind::Class) => &*parent.qualname,
            ("<module>", _) => "",
            (name, _) => name,
        };
        let id = made.call.argument(1, "id").map(|e| self.values.value(self.module, e));
        let id = id.and_then(|v| v.to_text().map(|text| text.display()));
        let id = id.unwrap_or_else(|| made.class.clone());
        let name = match around {
            "" => id,
            around => format!("{around}/{id}"),
        };
        let n = taken.entry(name.clone()).or_insert(0);
        *n += 1;
        let name = match n {
            1 => name,
            n => format!("{name}#{n}"),
        };
        Address {
            scope: self.scope.clone(),
            name: name.into(),
        }
    }

    fn role_of_function(
        &self,
        made: &ConstructCall<'_>,
        stack: &mut SourceStack,
        address: &Address,
        taken: &mut BTreeMap<String, u32>,
    ) -> Result<ExprId, Option<Value>> {
        let m = self.module_ref();
        let unknown = |e: ExprId| {
            let span = m.expr(e).span;
            let shown = m.dotted(e).unwrap_or_else(|| "role".to_owned());
            Value::unknown_other(shown, span)
        };
        let role = made.keyword(self, "role");
        let Some(role) = role.filter(|e| !matches!(m.expr(*e).kind, ExprKind::None)) else {
            if self.is_open(made.call) || made.class == "CfnFunction" {
                let mut spread = made.call.args.iter().filter(|a| a.name == ArgName::Spread);
                let given = spread
                    .find_map(|a| m.dotted(a.value))
                    .unwrap_or_else(|| "role".to_owned());
                return Err(Some(Value::unknown_other(given, m.expr(made.expr).span)));
            }
            stack.roles.insert(
                made.expr,
                CdkRole {
                    name: format!("{}/ServiceRole", address.name).into(),
                    ..CdkRole::default()
                },
            );
            return Ok(made.expr);
        };
        let named = (made.class == "CfnFunction")
            .then(|| self.role_of_reference(role))
            .flatten();
        if named.is_some_and(|key| stack.roles.contains_key(&key)) {
            return named.ok_or(None);
        }
        match self.cdk_object(role, stack, 0) {
            Some(CdkObject::Role(key)) if stack.roles.contains_key(&key) => return Ok(key),
            _ => {}
        }
        let Some(expr) = named.or_else(|| self.values.constructor_call(self.module, role)) else {
            return Err(Some(unknown(role)));
        };
        let is_role = |own: &ConstructCall<'_>| named.is_some() || made.class != "CfnFunction" && own.class == "Role";
        if let Some(own) = self.construct_call(expr, l1::ROLES).filter(is_role) {
            let name = self.address_of(&own, taken).name;
            let state = CdkRole {
                name,
                ..CdkRole::default()
            };
            stack.roles.entry(expr).or_insert(state);
            return Ok(expr);
        }
        let imported = m
            .call(expr)
            .filter(|c| matches!(method_of(m, c), "from_role_arn" | "from_role_name"));
        let arn = imported.and_then(|c| c.argument(2, "role_arn").or_else(|| c.argument(2, "role_name")));
        let arn = arn.map(|e| self.values.value(self.module, e));
        Err(Some(arn.unwrap_or_else(|| unknown(role))))
    }

    /// What a function asks for in addition, for which the CDK gives its role more.
    fn note_features(&self, made: &ConstructCall<'_>, stack: &mut SourceStack) {
        let m = self.module_ref();
        let function = CdkObject::Function(made.expr);
        if made.class == "CfnFunction" {
            return;
        }
        if made.keyword(self, "vpc").is_some()
            && let Some(role) = stack.roles.get_mut(&made.expr)
        {
            role.in_network = true;
        }
        for feature in FEATURES {
            let Some(value) = made.keyword(self, feature.keyword) else {
                continue;
            };
            let at = m.expr(value).span;
            match feature.needs {
                "" => stack.widen(function, at),
                needs => self.give_feature(stack, made.expr, needs, at),
            }
        }
        let e = m.expr(made.expr);
        let mut block = e.block;
        while !matches!(m.blocks[block].kind, BlockKind::Root | BlockKind::Perhaps) {
            block = m.blocks[block].parent;
        }
        let is_repeated =
            m.blocks[block].kind == BlockKind::Perhaps || m.scope(e.scope).kind == ScopeKind::Comprehension;
        if self.is_open(made.call) || is_repeated {
            stack.widen(function, m.expr(made.call.function).span);
        }
    }

    fn role_resource(&self, expr: ExprId, role: &CdkRole, stack: &SourceStack) -> Resource {
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
        let place = |span: &Span| Value::new(crate::value::ValueKind::Bool(true), *span);
        if !role.widened.is_empty() {
            let places = role.widened.iter().map(place).collect();
            entries.push(synthetic_entry("Widened", Value::seq(places, at)));
        }
        if let Some(span) = &role.handed_on {
            entries.push(synthetic_entry("HandedOn", place(span)));
        }
        self.made_resource("AWS::IAM::Role", expr, address, entries)
    }

    fn function_resource(&self, made: &ConstructCall<'_>, function: &CdkFunction, stack: &SourceStack) -> Resource {
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
                let there = Value::new(crate::value::ValueKind::Bool(true), m.expr(value).span);
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
        let runtime = m.defining_expression(runtime).unwrap_or(runtime);
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

    /// What an expression is, where it certainly is a function or role of the module.
    fn cdk_object(&self, expr: ExprId, stack: &SourceStack, depth: u32) -> Option<CdkObject> {
        let m = self.module_ref();
        if depth > 4 {
            return None;
        }
        match &m.expr(expr).kind {
            ExprKind::Attr { of, name, .. } if matches!(&**name, "role" | "grant_principal") => {
                match self.cdk_object(*of, stack, depth + 1) {
                    Some(CdkObject::Function(f)) => {
                        return stack.role_of(CdkObject::Function(f)).map(CdkObject::Role);
                    }
                    Some(role @ CdkObject::Role(_)) => return Some(role),
                    None => {}
                }
            }
            ExprKind::Name(_) => {
                let made = m.defining_expression(expr)?;
                if made != expr && !matches!(m.expr(made).kind, ExprKind::Call(_)) {
                    return self.cdk_object(made, stack, depth + 1);
                }
            }
            _ => {}
        }
        let made = self.values.constructor_call(self.module, expr)?;
        match (stack.functions.contains_key(&made), stack.roles.contains_key(&made)) {
            (true, _) => Some(CdkObject::Function(made)),
            (false, true) => Some(CdkObject::Role(made)),
            (false, false) => None,
        }
    }
}
