//! Functions that the CDK makes, with the roles that they run as, as a template has them.
//!
//! **Invariant:** what may give a role more than is seen stands on the role, and so does what may use it. A role that no function
//! of the module runs as is not here.

mod conditions;
mod given;
mod grants;
mod l1;
mod makings;
mod places;
mod properties;
mod synthesized;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cdk_policies::StatementGroup;
use super::resources::{CallLowering, method_of};
use crate::model::{Address, LoweredUnit};
use crate::python::{ArgName, BindingValue, BlockKind, CallExpr, ExprId, ExprKind, Reaching, ScopeId, ScopeKind};
use crate::source::{Hole, HoleKind, HoleTarget, Span};
use crate::value::Value;

pub(super) use makings::Making;
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
            let find = |e| lowering.value_in_dict(e, name).or_else(|| lowering.more_given(e, name));
            spread.filter_map(|a| find(a.value)).next()
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
    making: Making,
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
    /// By the call that makes them: one for each time that it is made.
    functions: BTreeMap<ExprId, Vec<CdkFunction>>,
    /// The call `super().__init__(…)` that makes a function, by the call that makes an object of the class.
    objects: BTreeMap<ExprId, ExprId>,
    /// The same by the class.
    classes: BTreeMap<ScopeId, ExprId>,
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

    /// The roles of an object: of a function that is made several times, each of them once.
    fn roles_of(&self, object: CdkObject) -> Vec<ExprId> {
        let mut out: Vec<ExprId> = match object {
            CdkObject::Role(role) => self.roles.contains_key(&role).then_some(role).into_iter().collect(),
            CdkObject::Function(f) => {
                let made = self.functions.get(&f).into_iter().flatten();
                made.filter_map(|f| f.role.as_ref().ok().copied()).collect()
            }
        };
        out.sort_unstable();
        out.dedup();
        out
    }

    fn widen(&mut self, object: CdkObject, at: Span) {
        for role in self.roles_of(object) {
            if let Some(role) = self.roles.get_mut(&role) {
                role.widened.insert(at);
            }
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
            let makings = self.makings(&made);
            // What is granted to one is granted to all, as far as this is seen.
            let all = (makings.len() > 1).then(|| self.address_of(&made, &mut taken));
            let mut functions = Vec::new();
            for making in makings {
                let (address, role) = self.in_making(&making, || {
                    let address = self.address_of(&made, &mut taken);
                    let named = all.as_ref().unwrap_or(&address);
                    let role = self.role_of_function(&made, &mut stack, named, &mut taken);
                    (address, role)
                });
                functions.push(CdkFunction { address, role, making });
            }
            stack.functions.insert(expr, functions);
        }
        self.add_objects(&mut stack);
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

    /// Objects of classes of the repository that are functions: what other modules do with them may give their role more.
    fn add_objects(&self, stack: &mut SourceStack) {
        let m = self.module_ref();
        for made in stack.functions.keys().copied().collect::<Vec<_>>() {
            if !m.call(made).is_some_and(|call| self.is_super_call(call)) {
                continue;
            }
            if let Some(class) = self.own_class(made) {
                stack.classes.insert(class, made);
            }
            for (module, instance) in self.instances_of(made) {
                if module == self.module {
                    stack.objects.insert(instance, made);
                } else {
                    let at = self.program.modules[module].expr(instance).span;
                    stack.widen(CdkObject::Function(made), at);
                }
            }
        }
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
        for (expr, functions) in &stack.functions {
            let Some(made) = self.construct_call(*expr, FUNCTIONS) else {
                continue;
            };
            for function in functions {
                let resource = self.in_making(&function.making, || self.function_resource(&made, function, stack));
                unit.resources.push(resource);
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
        let named = self.cdk_class(call.function);
        let (module, class) = named.or_else(|| self.class_of_super(call, expr))?;
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
            ArgName::Spread => !is_written(a.value) && !self.is_given(a.value),
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
        let id = match &self.making.borrow().parent {
            Some(parent) => format!("{parent}/{id}"),
            None => id,
        };
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
        let role = role.map(|e| self.written(e).unwrap_or(e));
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
                        return match stack.roles_of(CdkObject::Function(f)).as_slice() {
                            [] => None,
                            [role] => Some(CdkObject::Role(*role)),
                            // It stands for the roles of all of them.
                            _ => Some(CdkObject::Function(f)),
                        };
                    }
                    Some(role @ CdkObject::Role(_)) => return Some(role),
                    None => {}
                }
            }
            ExprKind::Name(name) => {
                if let Some(made) = self.receiver_object(name, expr, stack) {
                    return Some(CdkObject::Function(made));
                }
                let made = m.defining_expression(expr)?;
                if made != expr && !matches!(m.expr(made).kind, ExprKind::Call(_)) {
                    return self.cdk_object(made, stack, depth + 1);
                }
            }
            _ => {}
        }
        let made = self.values.constructor_call(self.module, expr)?;
        let made = stack.objects.get(&made).copied().unwrap_or(made);
        match (stack.functions.contains_key(&made), stack.roles.contains_key(&made)) {
            (true, _) => Some(CdkObject::Function(made)),
            (false, true) => Some(CdkObject::Role(made)),
            (false, false) => None,
        }
    }

    /// The function that `self` is, in a method of a class that makes one.
    fn receiver_object(&self, name: &str, expr: ExprId, stack: &SourceStack) -> Option<ExprId> {
        if stack.classes.is_empty() {
            return None;
        }
        let Reaching::Found(found) = self.module_ref().reaching_bindings(name, expr) else {
            return None;
        };
        let is_receiver = matches!(found.bindings.as_slice(), [one] if matches!(one.bound, BindingValue::Param(0)));
        let class = self
            .values
            .class_of_method(self.module, found.scope)
            .filter(|_| is_receiver)?;
        stack.classes.get(&class).copied()
    }
}
