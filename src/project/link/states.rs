//! State machines: what the tasks of a definition call.
//!
//! **Invariant:** a definition with a state or task that is not understood is unknown. AWS Step Functions Developer Guide,
//! "Using Amazon States Language to define Step Functions workflows".

use super::index::ReferenceIndex;
use crate::formats::data;
use crate::iam::ActionSet;
use crate::iam::states::TaskActions;
use crate::model::Resource;
use crate::project::{Definition, Project};
use crate::source::{Hole, Piece, Text};
use crate::value::{MapEntry, Value, ValueKind};

pub(super) const MACHINE: &str = "AWS::StepFunctions::StateMachine";

/// How deep states may stand in states.
const MAX_DEPTH: usize = 32;

/// What the definition of a machine needs; `None` if it is not all known.
pub(super) fn definition(project: &Project<'_>, index: &ReferenceIndex, r: &Resource) -> Option<Definition> {
    let elsewhere = ["DefinitionS3Location", "DefinitionUri"];
    if elsewhere.iter().any(|name| r.has(name)) {
        return None;
    }
    let written = |name: &&str| r.get(name).filter(|v| !v.is_null());
    let mut all = ["Definition", "DefinitionString"].iter().filter_map(written);
    let (Some(value), None) = (all.next(), all.next()) else {
        return None;
    };
    let mut reader = DefinitionReader {
        project,
        index,
        substitutions: r.get("DefinitionSubstitutions"),
        out: Definition {
            span: value.span,
            required: Vec::new(),
            actions: ActionSet::empty(),
        },
    };
    reader.whole(value, 0)?;
    for (property, part) in [("LoggingConfiguration", "logging"), ("TracingConfiguration", "tracing")] {
        if r.has(property) {
            r.get(property)?;
            reader.add(TaskActions::of_part(part));
        }
    }
    reader.add(TaskActions::of_part("platform"));
    Some(reader.out)
}

/// No part of it is filled in by something else.
fn is_all_written(entries: &[MapEntry]) -> bool {
    entries.iter().all(|e| e.key.is_known())
}

struct DefinitionReader<'r, 'a> {
    project: &'r Project<'a>,
    index: &'r ReferenceIndex,
    substitutions: Option<&'r Value>,
    out: Definition,
}

impl DefinitionReader<'_, '_> {
    fn add(&mut self, actions: TaskActions) {
        self.out.actions.union_with(&actions.set());
        self.out.required.extend(actions.required);
    }

    /// A definition, or its JSON.
    fn whole(&mut self, value: &Value, depth: usize) -> Option<()> {
        match &value.kind {
            _ if depth > MAX_DEPTH => None,
            ValueKind::Json(inner) => self.whole(inner, depth + 1),
            ValueKind::OneOf(branches) => branches.iter().try_for_each(|b| self.whole(&b.value, depth + 1)),
            ValueKind::Str(text) => {
                let value = data::embedded_whole(text, value.span)?;
                self.states(&value, depth + 1)
            }
            _ => self.states(value, depth + 1),
        }
    }

    /// What has `States`: a machine, a branch, what a Map state runs.
    fn states(&mut self, machine: &Value, depth: usize) -> Option<()> {
        let machine = machine.decoded();
        let states = machine.get("States")?.decoded().entries()?;
        let all_known = is_all_written(machine.entries()?) && is_all_written(states);
        if depth > MAX_DEPTH || states.is_empty() || !all_known {
            return None;
        }
        states.iter().try_for_each(|e| self.state(&e.value, depth + 1))
    }

    fn state(&mut self, state: &Value, depth: usize) -> Option<()> {
        if let ValueKind::OneOf(branches) = &state.kind {
            let mut all = branches.iter().filter(|b| !b.value.is_null());
            return match depth > MAX_DEPTH {
                true => None,
                false => all.try_for_each(|b| self.state(&b.value, depth + 1)),
            };
        }
        let state = state.decoded();
        if !is_all_written(state.entries()?) {
            return None;
        }
        match &*state.get("Type")?.as_str()? {
            "Pass" | "Choice" | "Wait" | "Succeed" | "Fail" => Some(()),
            "Parallel" => {
                let branches = state.get("Branches")?.as_seq()?;
                branches.iter().try_for_each(|b| self.states(b, depth))
            }
            "Map" => self.map(state, depth),
            "Task" => {
                let mut actions = self.task(state.get("Resource")?)?;
                // Another role calls.
                if state.get("Credentials").is_some() {
                    actions.perhaps.append(&mut actions.required);
                    actions.required.push("sts:AssumeRole");
                }
                self.add(actions);
                Some(())
            }
            _ => None,
        }
    }

    fn map(&mut self, state: &Value, depth: usize) -> Option<()> {
        let runs = state.get("ItemProcessor").or_else(|| state.get("Iterator"))?;
        let mode = runs.decoded().path(&["ProcessorConfig", "Mode"]);
        if mode.is_some_and(|mode| mode.as_str().as_deref() != Some("INLINE")) {
            self.add(TaskActions::of_part("distributed"));
        }
        for (property, part) in [("ItemReader", "reader"), ("ResultWriter", "writer")] {
            let Some(value) = state.get(property) else { continue };
            self.add(TaskActions::of_part(part));
            if let Some(resource) = value.get("Resource") {
                let actions = self.task(resource)?;
                self.add(actions);
            }
        }
        self.states(runs, depth)
    }

    /// What a task with this resource needs.
    fn task(&self, resource: &Value) -> Option<TaskActions> {
        let text = self.substituted(&resource.to_text()?)?;
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
            "lambda" if rest.starts_with("function:") => TaskActions::of_integration("lambda:invoke"),
            "states" if rest.starts_with("activity:") && !account.is_empty() => Some(TaskActions::default()),
            "states" if region.is_empty() && account.is_empty() && plain(rest) => TaskActions::of_integration(rest),
            _ => None,
        }
    }

    /// What a task needs whose resource is, or begins with, a reference: a function, an activity.
    fn of_reference(&self, hole: &Hole) -> Option<TaskActions> {
        let ids = self.index.target(hole.target.as_ref()?);
        let mut kinds = ids.iter().map(|id| &*self.project.resources[*id].kind);
        let kind = kinds.next().filter(|kind| kinds.all(|k| k == *kind))?;
        match kind {
            "AWS::Lambda::Function" | "AWS::Lambda::Alias" | "AWS::Lambda::Version" => {
                TaskActions::of_integration("lambda:invoke")
            }
            "AWS::StepFunctions::Activity" => Some(TaskActions::default()),
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
