//! What runs with the permissions of a role, and where its code is.

use super::{IdentityId, Project, ResourceId};
use crate::iam::ActionSet;
use crate::source::{FileId, Span};

/// What runs with the permissions of a role: a function, a task, an instance.
#[derive(Debug)]
pub struct Workload {
    pub kind: WorkloadKind,
    pub resource: ResourceId,
    /// Several where a conditional has alternatives; empty where the role is not one of the repository's.
    pub roles: Vec<RunsAs>,
    /// `None` where it is not in the repository, or not Python.
    pub code: Option<WorkloadCode>,
    /// Of a state machine; `None` where it is not all known.
    pub definition: Option<Definition>,
}

/// What the tasks of a state machine and Step Functions itself call with its role.
#[derive(Clone, Debug)]
pub struct Definition {
    pub span: Span,
    pub required: Vec<&'static str>,
    /// All that may be needed, on any resource.
    pub actions: ActionSet,
}

impl Workload {
    /// Its name for people.
    pub fn name<'p>(&'p self, project: &'p Project<'_>) -> &'p str {
        match &self.code {
            Some(WorkloadCode {
                place: CodePlace::Paths(paths),
                ..
            }) if self.kind == WorkloadKind::Declared => paths.first().map_or("", String::as_str),
            _ => &project.resources[self.resource].address.name,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadKind {
    /// A Lambda function.
    Function,
    /// An ECS task; its role is the task's, not the one that starts it.
    Task,
    /// An EC2 instance, or what instances are launched from.
    Instance,
    /// A job of AWS Glue.
    Job,
    /// A state machine of AWS Step Functions.
    Machine,
    /// What the settings say runs with the role, which is its resource.
    Declared,
}

/// A workload's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunsAs {
    pub role: IdentityId,
    /// The reference to it.
    pub span: Span,
}

/// A workload's code.
#[derive(Clone, Debug)]
pub struct WorkloadCode {
    /// What says where it is: a path, the handler.
    pub span: Span,
    pub place: CodePlace,
    /// Where it begins to run; without one, everything there may.
    pub handler: Option<Handler>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodePlace {
    /// Files and folders, as paths like `SourceFile::path`.
    Paths(Vec<String>),
    /// Index into [`Project::inline`].
    Inline(usize),
}

/// What runs first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handler {
    pub file: FileId,
    /// The function that is called; `None` where the file runs as a script.
    pub function: Option<String>,
}
