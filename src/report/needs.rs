//! What code, state machines, and targets call of AWS, and the policy that allows it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use super::json::{JsonSpan, JsonUnread, SCHEMA_VERSION, span, unread};
use crate::phrase::count;
use crate::project::targets::ResourceRefs;
use crate::project::{CodePlace, Codebase, MachineTask, Project, Workload};
use crate::python::calls::{
    ApiCall, CallForm, Calls, ConditionalAction, MinimalGrant, UnresolvedCall, UnresolvedReason, minimal_grants,
};
use crate::source::{Problem, Sources, Span, Text, pretty_json, push_line};

/// What `overgrant needs` shows: the calls in files that were asked for.
#[derive(Debug)]
pub struct NeedsPage<'a> {
    sources: &'a Sources,
    /// With what the environments of their callers say of their resources.
    calls: Vec<ApiCall>,
    /// Of each of `calls`, the names of the workloads of the repository whose code may run it.
    reached_from: Vec<BTreeSet<&'a str>>,
    /// What the states of state machines and other definitions call, with the names of these.
    tasks: Vec<(&'a MachineTask, BTreeSet<&'a str>)>,
    unresolved: Vec<&'a UnresolvedCall>,
    errors: &'a [Problem],
}

impl<'a> NeedsPage<'a> {
    /// `inline` are the calls of each of [`Project::inline`].
    pub fn new(project: &'a Project<'_>, calls: &'a Calls<'_>, inline: &'a [Calls<'_>], errors: &'a [Problem]) -> Self {
        let sources = project.sources;
        let in_scope = |span: Span| sources.file(span.file).in_scope;
        let callers = Codebase::new(calls, inline).callers(project);
        let name = |w: usize| project.workloads[w].name(project);
        let places = ResourceRefs::new(project);
        let in_templates = inline.iter().enumerate().flat_map(|(i, code)| {
            let runs = |w: &Workload| w.code().is_some_and(|c| c.place == CodePlace::Inline(i));
            let all = project.workloads.iter().enumerate();
            let workloads: Vec<usize> = all.filter(|(_, w)| runs(w)).map(|(at, _)| at).collect();
            let listed = code.listed().into_iter();
            listed.map(move |i| (&code.calls[i], workloads.clone()))
        });
        let listed = calls
            .listed()
            .into_iter()
            .map(|i| (&calls.calls[i], callers[i].clone()));
        let mut found: Vec<(ApiCall, BTreeSet<&str>)> = listed
            .chain(in_templates)
            .filter(|(c, _)| in_scope(c.span))
            .map(|(c, workloads)| {
                let call = in_environments(&places, project, c, &workloads);
                (call, workloads.into_iter().map(name).collect())
            })
            .collect();
        found.sort_by_key(|(c, _)| c.span);
        let (found, reached_from) = found.into_iter().unzip();
        let mut tasks: BTreeMap<(Span, &str), (&MachineTask, BTreeSet<&str>)> = BTreeMap::new();
        for w in &project.workloads {
            let definition = w.definition().filter(|d| in_scope(d.span));
            for task in definition.iter().flat_map(|d| &d.tasks) {
                let of_task = tasks.entry((task.span, &task.operation));
                of_task.or_insert((task, BTreeSet::new())).1.insert(w.name(project));
            }
        }
        let all = std::iter::once(calls).chain(inline);
        let mut unresolved: Vec<&UnresolvedCall> = all.flat_map(|c| &c.unresolved).collect();
        unresolved.retain(|u| in_scope(u.span));
        unresolved.sort_by_key(|u| u.span);
        Self {
            sources,
            calls: found,
            reached_from,
            tasks: tasks.into_values().collect(),
            unresolved,
            errors,
        }
    }

    /// What a policy is made of.
    pub fn into_calls(self) -> NeededCalls {
        NeededCalls {
            unresolved: self.unresolved.iter().map(|u| u.why).collect(),
            calls: self.calls,
            tasks: self.tasks.into_iter().map(|(task, _)| task.clone()).collect(),
        }
    }

    fn location(&self, span: Span) -> String {
        let at = self.sources.positions(span).0;
        format!("{}:{}:{}", self.sources.path(span.file), at.line, at.column)
    }
}

/// Calls, of one repository or of several.
#[derive(Debug, Default)]
pub struct NeededCalls {
    calls: Vec<ApiCall>,
    tasks: Vec<MachineTask>,
    unresolved: Vec<UnresolvedReason>,
}

impl NeededCalls {
    pub fn add(&mut self, more: Self) {
        self.calls.extend(more.calls);
        self.tasks.extend(more.tasks);
        self.unresolved.extend(more.unresolved);
    }

    /// The least that allows all of it.
    fn grants(&self) -> Vec<MinimalGrant> {
        let mut of_tasks: Vec<(&'static str, &[Text])> = Vec::new();
        for t in &self.tasks {
            let on = t.resource.as_slice();
            of_tasks.extend(t.actions.required.iter().map(|action| (*action, on)));
        }
        minimal_grants(&self.calls, of_tasks)
    }

    /// Why a policy made of the calls may allow too little or too much, one sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.calls.is_empty() && self.tasks.is_empty() {
            out.push("no calls found".to_owned());
        }
        let (references, unsure): (Vec<&ApiCall>, Vec<&ApiCall>) = self
            .calls
            .iter()
            .filter(|c| !c.certain)
            .partition(|c| c.form == CallForm::Reference);
        let (references, unsure) = (references.len(), unsure.len());
        if unsure > 0 {
            let whose = if unsure == 1 { "its client" } else { "their clients" };
            out.push(format!(
                "{} included although {whose} could not be resolved",
                count(unsure, "call is", "calls are")
            ));
        }
        if references > 0 {
            out.push(format!(
                "{} included although no call of it is known",
                count(references, "method is", "methods are")
            ));
        }
        let mut whys: BTreeMap<&str, usize> = BTreeMap::new();
        for u in &self.unresolved {
            *whys.entry(u.text()).or_default() += 1;
        }
        out.extend(
            whys.into_iter()
                .map(|(why, n)| format!("{} left out: {why}", count(n, "place is", "places are"))),
        );
        let possible: BTreeSet<Cow<'_, str>> = self.calls.iter().flat_map(possible_actions).collect();
        let sure = self.grants();
        let possible: Vec<Cow<'_, str>> = possible
            .into_iter()
            .filter(|a| sure.iter().all(|g| !g.actions.contains(&&**a)))
            .collect();
        if !possible.is_empty() {
            out.push(format!("may also need: {}", possible.join(", ")));
        }
        out
    }

    /// The line at the end of a list for people.
    pub fn counts(&self) -> String {
        let mut services: BTreeSet<&str> = self.calls.iter().map(|c| &*c.service).collect();
        services.extend(self.tasks.iter().map(|t| &*t.service));
        let actions: BTreeSet<&str> = self.grants().into_iter().flat_map(|g| g.actions).collect();
        let mut out = format!(
            "{} of {}, {}",
            count(self.calls.len() + self.tasks.len(), "call", "calls"),
            count(services.len(), "service", "services"),
            count(actions.len(), "action", "actions")
        );
        if !self.unresolved.is_empty() {
            let _ = write!(
                out,
                ", {} not resolved",
                count(self.unresolved.len(), "place", "places")
            );
        }
        out.push('\n');
        out
    }
}

/// A call with the resources that it has for each of the workloads that make it.
fn in_environments(places: &ResourceRefs<'_>, project: &Project<'_>, call: &ApiCall, workloads: &[usize]) -> ApiCall {
    let known = |text: &Text| -> Vec<Text> {
        let each = workloads
            .iter()
            .map(|w| places.in_environment(&project.workloads[*w], text));
        let mut all: Vec<Text> = Vec::new();
        for one in each {
            // Where one of them does not say, it may be anything.
            let Some(one) = one else { return vec![text.clone()] };
            if all.iter().all(|t| t.display() != one.display()) {
                all.push(one);
            }
        }
        if all.is_empty() { vec![text.clone()] } else { all }
    };
    let mut out = call.clone();
    out.resources = call.resources.iter().flat_map(known).collect();
    out.source = call.source.as_ref().map(|s| s.iter().flat_map(known).collect());
    out
}

fn texts(all: &[Text]) -> Vec<String> {
    all.iter().map(Text::display).collect()
}

fn resources(call: &ApiCall) -> Vec<String> {
    let source = call.source.as_deref().unwrap_or_default();
    let mut all = texts(&call.resources);
    all.extend(
        texts(source)
            .into_iter()
            .filter(|t| !call.resources.iter().any(|r| r.display() == *t)),
    );
    all
}

/// What `overgrant needs --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonNeeds<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    /// By path and position.
    calls: Vec<JsonCall<'a>>,
    /// Places whose calls to AWS are unknown.
    unresolved: Vec<JsonUnresolved<'a>>,
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonCall<'a> {
    /// boto3's name of the service: `stepfunctions`; the prefix of the actions for calls into other libraries.
    service: &'a str,
    /// As written: `list_objects_v2`, `get_paginator`, `putItem` in a state machine.
    method: &'a str,
    /// `ListObjectsV2`; null for calls into other libraries and of state machines.
    operation: Option<&'static str>,
    actions: JsonActions<'a>,
    /// ARNs as far as they are known.
    resources: Vec<String>,
    path: &'a str,
    span: JsonSpan,
    /// The qualified name of the function, `<module>` at module level; of a state machine, the name of the state.
    #[serde(rename = "in")]
    function: &'a str,
    /// Names of the workloads whose code may run it.
    reached_from: &'a BTreeSet<&'a str>,
    /// The receiver is known to be a client of this service, and the method is called.
    certain: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonActions<'a> {
    /// All of these, with those that a parameter of this call needs.
    required: Vec<&'static str>,
    /// And one of these, if there are any.
    any_of: &'a [&'static str],
    conditional: Vec<JsonConditional<'a>>,
}

/// An action that only some calls of the operation need.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonConditional<'a> {
    /// With `*` for all of a service, where the API data does not have the method.
    action: Cow<'static, str>,
    /// The parameter of this call that needs it; null where it is only possible.
    parameter: Option<&'a str>,
    /// Of `iam:PassRole`: services.
    passed_to: &'a [&'static str],
    /// What it is needed on, where that is not what the call is about: roles that are passed.
    resources: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonUnresolved<'a> {
    path: &'a str,
    span: JsonSpan,
    why: &'static str,
}

/// The JSON Schema of the list of calls.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant needs --format json` writes.";
    super::json::schema_of::<JsonNeeds<'_>, JsonCall<'_>>("overgrant needs", about)
}

pub fn needs_json(needed: &NeedsPage<'_>) -> String {
    let sources = needed.sources;
    let calls = needed.calls.iter().zip(&needed.reached_from);
    let unresolved = needed.unresolved.iter().map(|u| JsonUnresolved {
        path: sources.path(u.span.file),
        span: span(sources, u.span),
        why: u.why.text(),
    });
    let calls = calls.map(|(c, reached_from)| (c.span, call(sources, c, reached_from)));
    let tasks = needed.tasks.iter();
    let tasks = tasks.map(|(t, reached_from)| (t.span, task(sources, t, reached_from)));
    let mut all: Vec<(Span, JsonCall<'_>)> = calls.chain(tasks).collect();
    all.sort_by_key(|(span, _)| *span);
    pretty_json(&JsonNeeds {
        schema_version: SCHEMA_VERSION,
        calls: all.into_iter().map(|(_, call)| call).collect(),
        unresolved: unresolved.collect(),
        errors: unread(sources, needed.errors),
    })
}

fn call<'a>(sources: &'a Sources, c: &'a ApiCall, reached_from: &'a BTreeSet<&'a str>) -> JsonCall<'a> {
    let conditional = |c: &'a ConditionalAction| JsonConditional {
        action: c.action.into(),
        parameter: c.trigger.as_deref(),
        passed_to: &c.passed_to,
        resources: texts(&c.resources),
    };
    let any_of_service = c.actions.service_pattern().map(|all| JsonConditional {
        action: all.into(),
        parameter: None,
        passed_to: &[],
        resources: Vec::new(),
    });
    let given = c.actions.conditional.iter().filter(|c| c.trigger.is_some());
    let mut required = c.actions.required.clone();
    for more in given {
        if !required.contains(&more.action) {
            required.push(more.action);
        }
    }
    JsonCall {
        service: &c.service,
        method: &c.method,
        operation: c.operation,
        actions: JsonActions {
            required,
            any_of: &c.actions.any_of,
            conditional: c
                .actions
                .conditional
                .iter()
                .map(conditional)
                .chain(any_of_service)
                .collect(),
        },
        resources: resources(c),
        path: sources.path(c.span.file),
        span: span(sources, c.span),
        function: &c.function,
        reached_from,
        certain: c.certain,
    }
}

fn task<'a>(sources: &'a Sources, t: &'a MachineTask, reached_from: &'a BTreeSet<&'a str>) -> JsonCall<'a> {
    JsonCall {
        service: &t.service,
        method: &t.operation,
        operation: None,
        actions: JsonActions {
            required: t.actions.required.clone(),
            any_of: &[],
            conditional: Vec::new(),
        },
        resources: t.resource.iter().map(Text::display).collect(),
        path: sources.path(t.span.file),
        span: span(sources, t.span),
        function: &t.state,
        reached_from,
        certain: true,
    }
}

/// What a call may need, as far as nothing in it tells.
fn possible_actions(c: &ApiCall) -> impl Iterator<Item = Cow<'static, str>> {
    let a = &c.actions;
    let possible = a.conditional.iter().filter(|c| c.trigger.is_none());
    let possible = possible.map(|c| Cow::Borrowed(c.action));
    possible.chain(a.service_pattern().map(Cow::Owned))
}

/// The calls and what they need; [`NeededCalls::counts`] is the last line.
pub fn needs_human(needed: &NeedsPage<'_>) -> String {
    let mut parts: Vec<(Span, String)> = Vec::new();
    for (t, reached_from) in &needed.tasks {
        let mut part = String::new();
        let at = needed.location(t.span);
        push_line(
            &mut part,
            &format!("{at}: {} {} in {}", t.service, t.operation, t.place()),
        );
        push_line(&mut part, &format!("  needs {}", t.actions.required.join(", ")));
        if let Some(resource) = &t.resource {
            push_line(&mut part, &format!("  on {}", resource.display()));
        }
        let names: Vec<&str> = reached_from.iter().copied().collect();
        push_line(&mut part, &format!("  for {}", names.join(", ")));
        parts.push((t.span, part));
    }
    for (c, reached_from) in needed.calls.iter().zip(&needed.reached_from) {
        let mut out = String::new();
        let line = format!(
            "{}: {} {} in {}{}",
            needed.location(c.span),
            c.service,
            c.method,
            c.function,
            match (c.certain, c.form, c.operation) {
                _ if c.is_unlisted() => " (the API data does not have this method)",
                (true, ..) => "",
                (false, CallForm::Reference, _) => " (possibly: the method is read here, no call of it is known)",
                (false, _, Some(_)) => " (possibly: the client is known only by its name)",
                (false, _, None) => " (possibly: called by a library)",
            }
        );
        push_line(&mut out, &line);
        let a = &c.actions;
        let mut lines: Vec<(&str, String)> = Vec::new();
        if !a.required.is_empty() {
            lines.push(("needs", a.required.join(", ")));
        }
        match a.any_of.as_slice() {
            [] => {}
            [one] => lines.push(("needs", (*one).to_owned())),
            many => lines.push(("one of", many.join(", "))),
        }
        for c in &a.conditional {
            let Some(parameter) = &c.trigger else { continue };
            let mut line = format!("{}, for {parameter}", c.action);
            if !c.passed_to.is_empty() {
                let _ = write!(line, ", passed to {}", c.passed_to.join(", "));
            }
            if !c.resources.is_empty() {
                let _ = write!(line, ": {}", texts(&c.resources).join(", "));
            }
            lines.push(("needs", line));
        }
        let mut possible: Vec<Cow<'_, str>> = possible_actions(c).collect();
        possible.dedup();
        if !possible.is_empty() {
            lines.push(("possibly", possible.join(", ")));
        }
        if lines.is_empty() {
            lines.push(("needs", "nothing".to_owned()));
        }
        lines.extend(resources(c).into_iter().map(|r| ("on", r)));
        if !reached_from.is_empty() {
            let names: Vec<&str> = reached_from.iter().copied().collect();
            lines.push(("for", names.join(", ")));
        }
        for (word, line) in lines {
            push_line(&mut out, &format!("  {word} {line}"));
        }
        parts.push((c.span, out));
    }
    parts.sort_by_key(|(span, _)| *span);
    let mut out: String = parts.into_iter().map(|(_, part)| part).collect();
    for u in &needed.unresolved {
        push_line(&mut out, &format!("{}: {}", needed.location(u.span), u.why.text()));
    }
    for p in needed.errors {
        push_line(
            &mut out,
            &format!("{}: not read: {}", needed.location(p.span), p.message),
        );
    }
    out
}

/// A policy ("Grammar of the IAM JSON policy language", IAM User Guide).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LeastPolicy {
    version: &'static str,
    statement: Vec<LeastStatement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LeastStatement {
    effect: &'static str,
    #[serde(serialize_with = "one_or_list")]
    action: Vec<&'static str>,
    #[serde(serialize_with = "one_or_list")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<LeastCondition>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LeastCondition {
    string_equals: PassedToService,
}

#[derive(Debug, Serialize)]
struct PassedToService {
    #[serde(rename = "iam:PassedToService", serialize_with = "one_or_list")]
    services: Vec<&'static str>,
}

fn one_or_list<T: Serialize, S: Serializer>(all: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    match all {
        [one] => one.serialize(serializer),
        _ => all.serialize(serializer),
    }
}

/// A policy document that allows what the calls need; without any, one without statements.
pub fn needs_policy(needed: &NeededCalls) -> String {
    let statement = |g: MinimalGrant| LeastStatement {
        effect: "Allow",
        action: g.actions,
        resource: g.resources,
        condition: (!g.passed_to.is_empty()).then_some(LeastCondition {
            string_equals: PassedToService { services: g.passed_to },
        }),
    };
    pretty_json(&LeastPolicy {
        version: "2012-10-17",
        statement: needed.grants().into_iter().map(statement).collect(),
    })
}
