//! What the CDK makes and only its output says all of: state machines, tasks, jobs, and functions of classes of the repository.

use std::collections::BTreeMap;

use super::super::resources::{CallLowering, synthetic_entry};
use super::{ConstructCall, FUNCTIONS, SourceStack};
use crate::model::LoweredUnit;
use crate::python::points_to::{ScopeRef, class_named};
use crate::python::{ExprId, ExprKind};
use crate::value::{Value, ValueKind};

/// Constructs by module, without `_alpha`, and class, with the type that they make.
const CONSTRUCTS: &[(&str, &str, &str)] = &[
    ("aws_batch", "EcsJobDefinition", "AWS::Batch::JobDefinition"),
    ("aws_batch", "EksJobDefinition", "AWS::Batch::JobDefinition"),
    ("aws_codebuild", "PipelineProject", "AWS::CodeBuild::Project"),
    ("aws_codebuild", "Project", "AWS::CodeBuild::Project"),
    ("aws_ecs", "Ec2TaskDefinition", "AWS::ECS::TaskDefinition"),
    ("aws_ecs", "FargateTaskDefinition", "AWS::ECS::TaskDefinition"),
    ("aws_ecs", "TaskDefinition", "AWS::ECS::TaskDefinition"),
    (
        "aws_ecs_patterns",
        "ApplicationLoadBalancedEc2Service",
        "AWS::ECS::TaskDefinition",
    ),
    (
        "aws_ecs_patterns",
        "ApplicationLoadBalancedFargateService",
        "AWS::ECS::TaskDefinition",
    ),
    (
        "aws_ecs_patterns",
        "NetworkLoadBalancedFargateService",
        "AWS::ECS::TaskDefinition",
    ),
    (
        "aws_ecs_patterns",
        "QueueProcessingFargateService",
        "AWS::ECS::TaskDefinition",
    ),
    ("aws_ecs_patterns", "ScheduledFargateTask", "AWS::ECS::TaskDefinition"),
    ("aws_glue", "CfnJob", "AWS::Glue::Job"),
    ("aws_glue", "Job", "AWS::Glue::Job"),
    ("aws_pipes", "CfnPipe", "AWS::Pipes::Pipe"),
    ("aws_pipes", "Pipe", "AWS::Pipes::Pipe"),
    ("aws_scheduler", "CfnSchedule", "AWS::Scheduler::Schedule"),
    ("aws_scheduler", "Schedule", "AWS::Scheduler::Schedule"),
    (
        "aws_stepfunctions",
        "CfnStateMachine",
        "AWS::StepFunctions::StateMachine",
    ),
    ("aws_stepfunctions", "StateMachine", "AWS::StepFunctions::StateMachine"),
];

/// Maximum number of classes of the repository between a construct and a class of the CDK.
const MAX_BASES: u32 = 8;

impl CallLowering<'_> {
    /// Adds these constructs of the module, without their properties.
    pub(in crate::formats::python) fn add_synthesized(&self, stack: &SourceStack, unit: &mut LoweredUnit) {
        let m = self.module_ref();
        if !self.uses_cdk() {
            return;
        }
        let mut taken = BTreeMap::new();
        for expr in m.ids() {
            if stack.functions.contains_key(&expr) || stack.objects.contains_key(&expr) {
                continue;
            }
            let Some(call) = m.call(expr) else { continue };
            let named = matches!(m.expr(call.function).kind, ExprKind::Name(_) | ExprKind::Attr { .. });
            let Some(kind) = named.then(|| self.synthesized_kind(call.function)).flatten() else {
                continue;
            };
            let class = m.dotted(call.function).unwrap_or_default();
            let class = class.rsplit('.').next().unwrap_or_default().to_owned();
            let address = self.address_of(&ConstructCall { expr, call, class }, &mut taken);
            let mark = Value::new(ValueKind::Bool(true), m.expr(call.function).span);
            unit.resources
                .push(self.made_resource(kind, expr, address, vec![synthetic_entry("Synthesized", mark)]));
        }
    }

    fn synthesized_kind(&self, class: ExprId) -> Option<&'static str> {
        if let Some((module, class)) = self.cdk_class(class) {
            return construct_kind(&module, &class);
        }
        self.kind_of_class(class_named(self.program, self.module, class)?, 0)
    }

    /// What a class of the repository makes, by its bases.
    fn kind_of_class(&self, class: ScopeRef, depth: u32) -> Option<&'static str> {
        let m = &self.program.modules[class.module];
        let of_base = |base: &ExprId| {
            if let Some((module, name)) = self.cdk_class_in(class.module, *base) {
                // A class with a constructor makes its functions where it is written.
                let is_function =
                    FUNCTIONS.contains(&(&*module, &*name)) && !m.scope(class.scope).bindings.contains_key("__init__");
                let function = is_function.then_some("AWS::Lambda::Function");
                return function.or_else(|| construct_kind(&module, &name));
            }
            let next = class_named(self.program, class.module, *base).filter(|next| *next != class);
            next.filter(|_| depth < MAX_BASES)
                .and_then(|next| self.kind_of_class(next, depth + 1))
        };
        m.scope(class.scope).bases.iter().find_map(of_base)
    }
}

fn construct_kind(module: &str, class: &str) -> Option<&'static str> {
    let module = module.trim_end_matches("_alpha");
    let mut all = CONSTRUCTS.iter();
    all.find(|(m, c, _)| *m == module && *c == class)
        .map(|(.., kind)| *kind)
}
