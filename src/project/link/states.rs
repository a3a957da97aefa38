//! State machines: what the tasks of a definition call.
//!
//! **Invariant:** a definition with a state or task that is not understood is unknown. AWS Step Functions Developer Guide,
//! "Using Amazon States Language to define Step Functions workflows".

use std::collections::BTreeSet;

use super::index::ReferenceIndex;
use crate::formats::data;
use crate::iam::ActionSet;
use crate::iam::states::TaskActions;
use crate::model::Resource;
use crate::project::{Definition, DefinitionGap, MachineTask, Project};
use crate::source::{Hole, Piece, Span, Text};
use crate::value::{MapEntry, Value, ValueKind};

pub(super) const MACHINE: &str = "AWS::StepFunctions::StateMachine";

/// How deep states may stand in states.
const MAX_DEPTH: usize = 32;

type Known<T = ()> = Result<T, DefinitionGap>;

/// What the definition of a machine needs, if it is all known. The file that holds it is added to `wanted`.
pub(super) fn definition(
    project: &Project<'_>,
    index: &ReferenceIndex,
    r: &Resource,
    wanted: &mut BTreeSet<String>,
) -> Known<Definition> {
    let written = |name: &&str| r.get(name).filter(|v| !v.is_null());
    let mut places = [
        "Definition",
        "DefinitionString",
        "DefinitionUri",
        "DefinitionS3Location",
    ]
    .iter();
    let mut all = places.by_ref().filter_map(written);
    let (Some(place), None) = (all.next(), all.next()) else {
        return Err(DefinitionGap::NotSaid);
    };
    let from_file;
    let mut holder = place.span.file;
    let value = match r.get("DefinitionPath").and_then(Value::as_str) {
        Some(path) => {
            let path = project.sources.resolved(&path);
            let Some(file) = project.sources.find(&path) else {
                wanted.insert(path.to_string());
                return Err(DefinitionGap::NoFile(path.into_owned()));
            };
            let read = data::whole_file(file, &path, project.sources.text(file));
            from_file = read.ok_or_else(|| DefinitionGap::Broken(Span::new(file, 0, 0)))?;
            holder = file;
            &from_file
        }
        None if r.has("DefinitionUri") || r.has("DefinitionS3Location") => return Err(DefinitionGap::Stored),
        None => place,
    };
    let mut reader = DefinitionReader {
        project,
        index,
        substitutions: r.get("DefinitionSubstitutions"),
        out: Definition {
            span: place.span,
            file: holder,
            tasks: Vec::new(),
            required: Vec::new(),
            actions: ActionSet::empty(),
        },
    };
    reader.whole(value, 0)?;
    for (property, part) in [("LoggingConfiguration", "logging"), ("TracingConfiguration", "tracing")] {
        if r.has(property) {
            reader.add(&TaskActions::of_part(part));
        }
    }
    reader.add(&TaskActions::of_part("platform"));
    Ok(reader.out)
}

/// Fails where a part of it is filled in by something else.
fn all_written(of: &Value) -> Known<&[MapEntry]> {
    let entries = of.entries().ok_or_else(|| gap_of(of))?;
    match entries.iter().find(|e| !e.key.is_known()) {
        Some(entry) => Err(DefinitionGap::Unknown(entry.value.span)),
        None => Ok(entries),
    }
}

/// Why a value cannot be read.
fn gap_of(value: &Value) -> DefinitionGap {
    match value.to_text() {
        Some(text) if !text.is_known() => DefinitionGap::Unknown(value.span),
        _ => DefinitionGap::Broken(value.span),
    }
}

struct DefinitionReader<'r, 'a> {
    project: &'r Project<'a>,
    index: &'r ReferenceIndex,
    substitutions: Option<&'r Value>,
    out: Definition,
}

/// What a resource of a task calls.
struct CalledOperation {
    service: String,
    operation: String,
    actions: TaskActions,
    resource: Option<Text>,
}

impl CalledOperation {
    fn of_integration(integration: &str) -> Option<Self> {
        let actions = TaskActions::of_integration(integration)?;
        let (service, operation) = integration.trim_start_matches("aws-sdk:").split_once(':')?;
        Some(Self {
            service: service.to_owned(),
            operation: operation.split('.').next().unwrap_or(operation).to_owned(),
            actions,
            resource: None,
        })
    }

    /// Of an activity: workers ask for it, and nothing is called.
    fn nothing() -> Self {
        Self {
            service: String::new(),
            operation: String::new(),
            actions: TaskActions::default(),
            resource: None,
        }
    }
}

impl DefinitionReader<'_, '_> {
    fn add(&mut self, actions: &TaskActions) {
        self.out.actions.union_with(&actions.set());
        self.out.required.extend(&actions.required);
    }

    fn add_task(&mut self, state: &str, span: Span, called: CalledOperation) {
        self.add(&called.actions);
        if !called.actions.required.is_empty() {
            self.out.tasks.push(MachineTask {
                state: state.to_owned(),
                is_state: true,
                span,
                service: called.service,
                operation: called.operation,
                actions: called.actions,
                resource: called.resource,
                named: None,
            });
        }
    }

    /// A definition, or its JSON.
    fn whole(&mut self, value: &Value, depth: usize) -> Known {
        match &value.kind {
            _ if depth > MAX_DEPTH => Err(DefinitionGap::Broken(value.span)),
            ValueKind::Json(inner) => self.whole(inner, depth + 1),
            ValueKind::OneOf(branches) => branches.iter().try_for_each(|b| self.whole(&b.value, depth + 1)),
            ValueKind::Str(text) => {
                let value = data::embedded_whole(text, value.span).ok_or_else(|| gap_of(value))?;
                self.states(&value, depth + 1)
            }
            _ => self.states(value, depth + 1),
        }
    }

    /// What has `States`: a machine, a branch, what a Map state runs.
    fn states(&mut self, machine: &Value, depth: usize) -> Known {
        let machine = machine.decoded();
        all_written(machine)?;
        let states = machine.get("States").map(Value::decoded);
        let states = states.ok_or(DefinitionGap::Broken(machine.span))?;
        let entries = all_written(states)?;
        if depth > MAX_DEPTH || entries.is_empty() {
            return Err(DefinitionGap::Broken(states.span));
        }
        entries
            .iter()
            .try_for_each(|e| self.state(&e.key.display(), &e.value, depth + 1))
    }

    fn state(&mut self, name: &str, state: &Value, depth: usize) -> Known {
        let unknown = || DefinitionGap::State(name.to_owned(), state.span);
        if let ValueKind::OneOf(branches) = &state.kind {
            let mut all = branches.iter().filter(|b| !b.value.is_null());
            return match depth > MAX_DEPTH {
                true => Err(unknown()),
                false => all.try_for_each(|b| self.state(name, &b.value, depth + 1)),
            };
        }
        let state = state.decoded();
        all_written(state)?;
        let kind = state.get("Type").and_then(Value::as_str).ok_or_else(unknown)?;
        match &*kind {
            "Pass" | "Choice" | "Wait" | "Succeed" | "Fail" => Ok(()),
            "Parallel" => {
                let branches = state.get("Branches").and_then(Value::as_seq).ok_or_else(unknown)?;
                branches.iter().try_for_each(|b| self.states(b, depth))
            }
            "Map" => self.map(name, state, depth),
            "Task" => {
                let resource = state.get("Resource").ok_or_else(unknown)?;
                let mut called = self.task(name, resource)?;
                // Another role calls.
                if state.get("Credentials").is_some() {
                    called.actions.perhaps.append(&mut called.actions.required);
                    called.actions.required.push("sts:AssumeRole");
                    called.actions.certain = called.actions.required.clone();
                    (called.service, called.operation) = ("sts".to_owned(), "assumeRole".to_owned());
                    called.resource = None;
                }
                self.add_task(name, resource.span, called);
                Ok(())
            }
            _ => Err(unknown()),
        }
    }

    fn map(&mut self, name: &str, state: &Value, depth: usize) -> Known {
        let runs = state.get("ItemProcessor").or_else(|| state.get("Iterator"));
        let runs = runs.ok_or_else(|| DefinitionGap::State(name.to_owned(), state.span))?;
        let mode = runs.decoded().path(&["ProcessorConfig", "Mode"]);
        if let Some(mode) = mode.filter(|mode| mode.as_str().as_deref() != Some("INLINE")) {
            let called = CalledOperation {
                service: "states".to_owned(),
                operation: "startExecution".to_owned(),
                actions: TaskActions::of_part("distributed"),
                resource: None,
            };
            self.add_task(name, mode.span, called);
        }
        for (property, part) in [("ItemReader", "reader"), ("ResultWriter", "writer")] {
            let Some(value) = state.get(property) else { continue };
            self.add(&TaskActions::of_part(part));
            if let Some(resource) = value.get("Resource") {
                let called = self.task(name, resource)?;
                self.add_task(name, resource.span, called);
            }
        }
        self.states(runs, depth)
    }

    /// What the task of a state calls, whose resource this is.
    fn task(&self, state: &str, resource: &Value) -> Known<CalledOperation> {
        let called = resource.to_text().and_then(|text| self.operation(&text));
        called.ok_or_else(|| DefinitionGap::Task(state.to_owned(), resource.span))
    }

    fn operation(&self, text: &Text) -> Option<CalledOperation> {
        let text = self.substituted(text)?;
        match text.pieces() {
            [Piece::Hole(hole)] => return self.of_reference(hole),
            // A version or an alias of it.
            [Piece::Hole(hole), Piece::Lit(rest), ..] if rest.text.starts_with(':') => return self.of_reference(hole),
            [Piece::Hole(_), ..] => return None,
            _ => {}
        }
        let arn = text.with_placeholders();
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, service, region, account, rest] = fields.as_slice() else {
            return None;
        };
        let plain = |part: &str| !part.chars().any(|c| Text::placeholder(c).is_some());
        match *service {
            "lambda" if rest.starts_with("function:") => Some(CalledOperation {
                resource: Some(text.clone()),
                ..CalledOperation::of_integration("lambda:invoke")?
            }),
            "states" if rest.starts_with("activity:") && !account.is_empty() => Some(CalledOperation::nothing()),
            "states" if region.is_empty() && account.is_empty() && plain(rest) => CalledOperation::of_integration(rest),
            _ => None,
        }
    }

    /// What a task calls whose resource is, or begins with, a reference: a function, an activity.
    fn of_reference(&self, hole: &Hole) -> Option<CalledOperation> {
        let ids = self.index.target(hole.target.as_ref()?);
        let mut kinds = ids.iter().map(|id| &*self.project.resources[*id].kind);
        let kind = kinds.next().filter(|kind| kinds.all(|k| k == *kind))?;
        match kind {
            "AWS::Lambda::Function" | "AWS::Lambda::Alias" | "AWS::Lambda::Version" => {
                CalledOperation::of_integration("lambda:invoke")
            }
            "AWS::StepFunctions::Activity" => Some(CalledOperation::nothing()),
            _ => None,
        }
    }

    /// The text with what `DefinitionSubstitutions` puts in the place of `${name}`.
    fn substituted(&self, text: &Text) -> Option<Text> {
        let flat = text.with_placeholders().into_owned();
        let (Some(start), Some(end)) = (flat.find("${"), flat.find('}')) else {
            return Some(text.clone());
        };
        let name = flat.get(start + 2..end)?;
        let value = self.substitutions?.get(name)?.to_text()?;
        let mut out = text.slice(0..start);
        out.append(&value);
        out.append(&text.slice(end + 1..text.len()));
        // Several in one resource are rare.
        (!out.with_placeholders().contains("${")).then_some(out)
    }
}
