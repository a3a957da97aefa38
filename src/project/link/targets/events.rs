//! EventBridge: schedules, targets of rules, and pipes.

use super::{Parts, Understood, Users};
use crate::iam::states::TaskActions;
use crate::model::Resource;
use crate::project::{Definition, DefinitionGap, WorkloadKind};
use crate::source::{Span, Text};
use crate::value::{Value, ValueKind};

/// EventBridge Scheduler User Guide, "Managing targets".
pub(super) fn schedule(users: &mut Users<'_, '_, '_>, r: &Resource) {
    let Some(target) = r.get("Target").filter(|t| !t.is_null()) else {
        return;
    };
    let content = schedule_target(users, target);
    users.push(WorkloadKind::Schedule, target.get("RoleArn"), content);
}

fn schedule_target(users: &Users<'_, '_, '_>, target: &Value) -> Understood<Definition> {
    let arn = written(target, "Arn").ok_or_else(|| part("target", target.span))?;
    let mut parts = Parts::new(users.linking, arn.span);
    parts.add_named("target", arn, |service, text| match universal(text) {
        Some(call) => TaskActions::of_integration(&call),
        None => TaskActions::of_target(&format!("schedule {service}")),
    })?;
    dead_letters(&mut parts, "schedule", target)?;
    Ok(parts.out)
}

/// `aws-sdk:sqs:sendMessage` of `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`.
fn universal(arn: &Text) -> Option<String> {
    let flat = arn.with_placeholders();
    let fields: Vec<&str> = flat.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", _, "scheduler", "", "", call] if call.starts_with("aws-sdk:") => Some((*call).to_owned()),
        _ => None,
    }
}

/// Each target of a rule that has a role. Terraform's target is a resource of its own.
pub(super) fn rule(users: &mut Users<'_, '_, '_>, r: &Resource) {
    let of_rule = written_in(r, "RoleArn");
    let targets: Vec<&Value> = match r.get("Targets").filter(|t| !t.is_null()) {
        Some(targets) => alternatives(targets),
        None if r.has("Arn") => vec![&r.props],
        None => Vec::new(),
    };
    let mut any_of_rule = false;
    for target in targets {
        let role = match written(target, "RoleArn") {
            Some(own) => own,
            None => {
                let Some(role) = of_rule else { continue };
                any_of_rule = true;
                role
            }
        };
        let content = rule_target(users, target);
        users.push(WorkloadKind::Rule, Some(role), content);
    }
    // The targets are elsewhere.
    if let (Some(role), false, false) = (of_rule, any_of_rule, r.has("Arn")) {
        users.push(WorkloadKind::Rule, Some(role), Err(part("target", role.span)));
    }
}

fn rule_target(users: &Users<'_, '_, '_>, target: &Value) -> Understood<Definition> {
    let arn = written(target, "Arn").ok_or_else(|| part("target", target.span))?;
    let mut parts = Parts::new(users.linking, arn.span);
    parts.add_named("target", arn, |service, _| {
        TaskActions::of_target(&format!("rule {service}"))
    })?;
    if written(target, "DeadLetterConfig").is_some() {
        parts.may_need("rule dead-letter");
    }
    Ok(parts.out)
}

/// Amazon EventBridge User Guide, "Amazon EventBridge Pipes".
pub(super) fn pipe(users: &mut Users<'_, '_, '_>, r: &Resource) {
    let content = pipe_parts(users, r);
    users.push(WorkloadKind::Pipe, r.get("RoleArn"), content);
}

fn pipe_parts(users: &Users<'_, '_, '_>, r: &Resource) -> Understood<Definition> {
    let of = |name: &'static str, word: &'static str| written_in(r, name).ok_or_else(|| part(word, r.header));
    let (source, target) = (of("Source", "source")?, of("Target", "target")?);
    let mut parts = Parts::new(users.linking, source.span);
    parts.add_named("source", source, |service, _| {
        TaskActions::of_target(&format!("pipe source {service}"))
    })?;
    if let Some(enrichment) = written_in(r, "Enrichment") {
        parts.add_named("enrichment", enrichment, |service, _| {
            TaskActions::of_target(&format!("pipe enrichment {service}"))
        })?;
    }
    let how = r.path(&[
        "TargetParameters",
        "StepFunctionStateMachineParameters",
        "InvocationType",
    ]);
    let how = how
        .and_then(Value::as_str)
        .filter(|how| matches!(&**how, "FIRE_AND_FORGET" | "REQUEST_RESPONSE"));
    parts.add_named("target", target, |service, _| {
        let key = match &how {
            Some(how) if service == "states" => format!("pipe target states {how}"),
            _ => format!("pipe target {service}"),
        };
        TaskActions::of_target(&key)
    })?;
    if let Some(parameters) = written_in(r, "SourceParameters") {
        let entries = parameters.entries().ok_or_else(|| part("source", parameters.span))?;
        for entry in entries {
            dead_letters(&mut parts, "pipe", &entry.value)?;
        }
    }
    if r.has("LogConfiguration") {
        parts.may_need("pipe logging");
    }
    Ok(parts.out)
}

/// The queue that failed events go to.
fn dead_letters(parts: &mut Parts<'_, '_>, caller: &str, holder: &Value) -> Understood {
    let Some(config) = written(holder, "DeadLetterConfig") else {
        return Ok(());
    };
    let arn = written(config, "Arn").ok_or_else(|| part("dead-letter queue", config.span))?;
    parts.add_named("dead-letter queue", arn, |service, _| {
        TaskActions::of_target(&format!("{caller} dead-letter {service}"))
    })
}

/// The items of a list, also those that a condition decides about.
fn alternatives(list: &Value) -> Vec<&Value> {
    let mut out = Vec::new();
    let mut open = vec![list];
    while let Some(value) = open.pop() {
        match &value.kind {
            ValueKind::Seq(items) => open.extend(items.iter().rev()),
            ValueKind::OneOf(branches) => open.extend(branches.iter().rev().map(|b| &b.value)),
            ValueKind::Null => {}
            _ => out.push(value),
        }
    }
    out
}

fn written<'v>(of: &'v Value, name: &str) -> Option<&'v Value> {
    of.get(name).filter(|v| !v.is_null())
}

fn written_in<'v>(r: &'v Resource, name: &str) -> Option<&'v Value> {
    r.get(name).filter(|v| !v.is_null())
}

fn part(name: &str, span: Span) -> DefinitionGap {
    DefinitionGap::Part(name.to_owned(), span)
}
