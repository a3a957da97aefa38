//! What runs with the permissions of a role, and where its code is.

use super::hosts::Host;
use super::{IdentityId, Project, ResourceId};
use crate::iam::ActionSet;
use crate::iam::states::TaskActions;
use crate::source::{FileId, Span, Text};

/// What runs with the permissions of a role: a function, a task, an instance.
#[derive(Debug)]
pub struct Workload {
    pub kind: WorkloadKind,
    pub resource: ResourceId,
    /// Several where a conditional has alternatives; empty where the role is not one of the repository's.
    pub roles: Vec<RunsAs>,
    /// Why `roles` is empty.
    pub role_gap: Option<RoleGap>,
    pub content: Result<WorkloadContent, ContentGap>,
}

/// What runs in a workload.
#[derive(Clone, Debug)]
pub enum WorkloadContent {
    /// Python of the repository.
    Code(WorkloadCode),
    /// Of a state machine, a target, or a build: what calls AWS in it is all known.
    Definition(Definition),
}

/// Why the role of a workload is not one of the repository's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleGap {
    /// Nothing names one.
    NotSet,
    /// What it is called elsewhere.
    Elsewhere(String),
    /// What it is taken from, which has no value here.
    Unknown(String),
    /// The CDK makes it.
    Synthesized,
}

/// Why it is not known what runs in a workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContentGap {
    /// Its runtime is not one of Python.
    Runtime(String),
    /// Nothing says where it is.
    NotSaid,
    /// What its place is taken from, which has no value here.
    UnknownPlace(String),
    /// What the name of its handler is taken from, which has no value here.
    UnknownHandler(String),
    /// An object of a bucket, by its key, that nothing here puts there.
    Stored(String),
    /// A file that something makes which is not read: its path.
    Package(String),
    /// A package whose path is this, made of files that are not known.
    PackageParts(String),
    /// An image of a registry.
    Image,
    /// The command of the image that is made of this Dockerfile does not start Python.
    Command(String),
    /// In the template, and not all known: as it is shown.
    Inline(String),
    /// In the template is a placeholder: the handler names another module.
    Placeholder,
    /// There is no Python in this folder.
    NoPython(String),
    /// The file of the handler or script, which was not read.
    NoFile(String),
    /// The file of the handler or script, which has no word of AWS.
    NoAws(String),
    /// The handler is this script of a shell, which starts the code.
    Script(String),
    /// The file of a script, or the handler, in another language.
    OtherLanguage(String),
    /// What the containers of a task start.
    Containers,
    /// What is started on an instance.
    Instance,
    /// The output of the CDK says it.
    Synthesized,
    Definition(DefinitionGap),
}

/// Why it is not known what a state machine, a target, or a build calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefinitionGap {
    /// It is in a bucket.
    Stored,
    /// The file that holds it, which was not read.
    NoFile(String),
    /// It is missing, or given twice.
    NotSaid,
    /// A part of it is known only when it is deployed.
    Unknown(Span),
    /// It cannot be parsed, or has no states.
    Broken(Span),
    /// A state of a type, or a part of one, that is not known: its name.
    State(String, Span),
    /// What a task calls, which is not known.
    Task(String, Span),
    /// What a part of a workload without states needs, which is not known: `target`.
    Part(String, Span),
    /// The request of a resolver or an integration does not say which operation it is.
    Request(String, Span),
    /// A data source that no resolver of the files uses.
    Unresolved,
    /// A command of a build that is not understood.
    Command(String, Span),
    /// The commands of a build are in the repository that it builds.
    Commands,
    /// What a service runs whose code is not read.
    Hosted(&'static str),
}

/// What the tasks of a state machine and Step Functions itself, a target, or a build call with its role.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What holds it, or says which file does.
    pub span: Span,
    pub file: FileId,
    /// In the order of the text.
    pub tasks: Vec<MachineTask>,
    pub required: Vec<&'static str>,
    /// All that may be needed, on any resource.
    pub actions: ActionSet,
}

/// What one state, or a part of something without states, calls.
#[derive(Clone, Debug)]
pub struct MachineTask {
    /// The name of the state, or what the part is: `target`, `source`.
    pub state: String,
    pub is_state: bool,
    /// What says what it calls.
    pub span: Span,
    /// As the integration names them: `dynamodb`, `putItem`; of a part, the service and its action.
    pub service: String,
    pub operation: String,
    pub actions: TaskActions,
    /// Of a function that is named by its ARN.
    pub resource: Option<Text>,
    /// The ARN or the reference that names what a part calls.
    pub named: Option<Text>,
}

impl MachineTask {
    /// Where it is, for a sentence.
    pub fn place(&self) -> String {
        match self.is_state {
            true => format!("the state {}", self.state),
            false => format!("the {}", self.state),
        }
    }
}

impl Workload {
    pub fn code(&self) -> Option<&WorkloadCode> {
        match &self.content {
            Ok(WorkloadContent::Code(code)) => Some(code),
            _ => None,
        }
    }

    pub fn definition(&self) -> Option<&Definition> {
        match &self.content {
            Ok(WorkloadContent::Definition(definition)) => Some(definition),
            _ => None,
        }
    }

    /// Its name for people.
    pub fn name<'p>(&'p self, project: &'p Project<'_>) -> &'p str {
        match self.code() {
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
    /// A schedule of EventBridge Scheduler.
    Schedule,
    /// A target of a rule of EventBridge.
    Rule,
    /// A pipe of EventBridge.
    Pipe,
    /// A data source of AppSync.
    DataSource,
    /// An integration of API Gateway with an AWS service.
    Integration,
    /// A project of CodeBuild.
    Build,
    /// A job definition of AWS Batch; its role is the container's.
    BatchJob,
    /// What another service runs, whose code is not read.
    Hosted(&'static Host),
    /// What the settings say runs with the role, which is its resource.
    Declared,
}

impl WorkloadKind {
    /// For people and machines.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Task => "task",
            Self::Instance => "instance",
            Self::Job => "job",
            Self::Machine => "state machine",
            Self::Schedule => "schedule",
            Self::Rule => "event rule",
            Self::Pipe => "pipe",
            Self::DataSource => "data source",
            Self::Integration => "API integration",
            Self::Build => "build project",
            Self::BatchJob => "batch job",
            Self::Hosted(host) => host.noun,
            Self::Declared => "code of the settings",
        }
    }

    /// Whether a definition says what it calls, rather than code.
    pub fn has_definition(self) -> bool {
        match self {
            Self::Machine
            | Self::Schedule
            | Self::Rule
            | Self::Pipe
            | Self::DataSource
            | Self::Integration
            | Self::Build
            | Self::Hosted(_) => true,
            Self::Function | Self::Task | Self::Instance | Self::Job | Self::BatchJob | Self::Declared => false,
        }
    }

    /// Whether a service with this principal runs it (the user guide of each service, "Execution role" or "Service role").
    pub fn is_run_by(self, principal: &str) -> bool {
        match self {
            Self::Function => matches!(principal, "lambda.amazonaws.com" | "edgelambda.amazonaws.com"),
            Self::Task | Self::BatchJob => principal == "ecs-tasks.amazonaws.com",
            Self::Machine => principal.starts_with("states."),
            Self::Job => principal == "glue.amazonaws.com",
            Self::Instance => principal.starts_with("ec2.amazonaws.com"),
            Self::Schedule => principal == "scheduler.amazonaws.com",
            Self::Rule => principal == "events.amazonaws.com",
            Self::Pipe => principal == "pipes.amazonaws.com",
            Self::DataSource => principal == "appsync.amazonaws.com",
            Self::Integration => principal == "apigateway.amazonaws.com",
            Self::Build => principal == "codebuild.amazonaws.com",
            Self::Hosted(host) => host.is_trusted_as(principal),
            Self::Declared => true,
        }
    }
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
