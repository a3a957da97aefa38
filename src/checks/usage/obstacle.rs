//! Why what runs is not compared with its role.
//!
//! **Invariant:** where a rule of this family is silent about a whole workload, or about a whole policy of its role, there is
//! an [`Obstacle`].

use crate::iam::SourceFormat;
use crate::phrase;
use crate::project::{
    ContentGap, DefinitionGap, Gap, IdentityId, Project, RoleGap, Uncertainty, UnknownPolicies, Workload, WorkloadKind,
};
use crate::python::calls::UnresolvedReason;
use crate::source::Span;
use crate::unjudged::Doubt;

/// Why a workload is not compared with its role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The role is not one of the repository's.
    Role(RoleGap),
    /// It has one of several roles.
    SeveralRoles,
    /// It is not known what runs.
    Content(ContentGap),
    /// None of the code was read.
    CodeNotRead,
    /// Where its code may hide calls: all of one kind.
    Doubts(Vec<Uncertainty>),
    /// Where the code begins to run is not known.
    UnknownEntry,
    /// The code may call as someone else.
    OtherIdentity(Span),
    /// The role is handed on: an environment or an export names it.
    HandedOn(Span),
    /// A setting of something that is not compared names the role.
    UsedElsewhere(Span),
    /// The trust policy lets someone else have the role: who.
    Trusts(String, Span),
    /// Nothing known says who may have the role.
    UnknownTrust,
    /// Other containers of this task (an index into [`Project::workloads`]) have the role.
    Containers(usize, Span),
    /// The start script of this instance may call AWS.
    StartScript(usize, Span),
    /// This workload has the role too, and is not understood.
    Neighbor(usize),
    /// The role has permissions that cannot be seen.
    UnknownPolicies(Gap),
    /// This policy is attached to another role as well, which is not compared.
    SharedPolicy(Span, IdentityId),
    /// A statement allows all but what it lists.
    NotAction(Span),
    /// It is the same as this workload, in the source of the CDK or in its output, which is compared.
    Rendered(usize),
    /// What is read together with a policy of the role is broken here.
    Broken(Span),
    /// This call, library, or part may use all that the role allows: what it is called.
    AnyAction(String, Span),
}

impl Obstacle {
    /// The word of the JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::SeveralRoles => "several-roles",
            Self::Content(ContentGap::Definition(_)) => "definition",
            Self::Content(ContentGap::Runtime(_) | ContentGap::OtherLanguage(_)) => "language",
            Self::Content(_) | Self::CodeNotRead => "code",
            Self::Doubts(_) => "doubt",
            Self::UnknownEntry => "entry",
            Self::OtherIdentity(_) => "other-identity",
            Self::HandedOn(_) | Self::UsedElsewhere(_) | Self::Trusts(..) | Self::UnknownTrust => "shared-role",
            Self::Containers(..) => "containers",
            Self::StartScript(..) => "start-script",
            Self::Neighbor(_) => "neighbor",
            Self::UnknownPolicies(_) => "unknown-policies",
            Self::SharedPolicy(..) => "shared-policy",
            Self::NotAction(_) => "not-action",
            Self::Rendered(_) => "rendered",
            Self::Broken(_) => "broken",
            Self::AnyAction(..) => "any-action",
        }
    }

    /// One sentence, which says what to do where something can be done.
    pub fn text(&self, project: &Project<'_>, w: &Workload) -> String {
        let name = |w: usize| project.workloads[w].name(project);
        match self {
            Self::Role(gap) => {
                let is_unknown = matches!(gap, RoleGap::Unknown(_));
                role_text(gap, w.kind) + or_synthesize(project, w).filter(|_| is_unknown).unwrap_or_default()
            }
            Self::SeveralRoles => "a condition decides which of several roles it has".to_owned(),
            Self::Content(gap) => {
                let is_unknown = matches!(gap, ContentGap::UnknownPlace(_) | ContentGap::UnknownHandler(_));
                content_text(gap) + or_synthesize(project, w).filter(|_| is_unknown).unwrap_or_default()
            }
            Self::CodeNotRead => "none of its code was read: check that no setting excludes it".to_owned(),
            Self::Doubts(doubts) => doubt_text(doubts),
            Self::UnknownEntry => match w.code().and_then(|c| c.handler.as_ref()) {
                Some(_) => {
                    "the handler is not a function that is defined in the code, so which calls run is not certain"
                }
                None => "nothing says where its code begins to run: name the `entry` in the settings",
            }
            .to_owned(),
            Self::OtherIdentity(_) => {
                "its code may call as someone else, or another end point, so which calls need the role is not certain"
                    .to_owned()
            }
            Self::HandedOn(_) => {
                "the role is handed on here, so something else may use it: give each its own role".to_owned()
            }
            Self::UsedElsewhere(_) => {
                "something that is not compared has the role here as well: give each its own role".to_owned()
            }
            Self::Trusts(who, _) => format!("the role also trusts `{who}`, which may use it: give each its own role"),
            Self::UnknownTrust => "who else may use the role is not known: its trust policy is not".to_owned(),
            Self::Containers(w, _) => {
                format!(
                    "`{}` has several containers, and any of them may use the role",
                    name(*w)
                )
            }
            Self::StartScript(w, _) => format!("the start script of `{}` is not known, calls AWS, or starts more than Python", name(*w)),
            Self::Neighbor(other) => {
                let made_at = |w: &Workload| project.resources[w.resource].header;
                // One call of the CDK makes both: their roles are alike.
                let shares = match made_at(&project.workloads[*other]) == made_at(w) {
                    true => "is made by the same call, which is compared as one",
                    false => "has the same role",
                };
                format!("`{}` {shares}, and is not understood: see there", name(*other))
            }
            Self::UnknownPolicies(gap) => policies_text(gap.why).to_owned(),
            Self::SharedPolicy(_, role) => {
                let role = &project.identities[*role];
                let address = &project.resources[role.resource].address.name;
                format!("this policy is also attached to `{address}`, and not all that runs with that is known")
            }
            Self::NotAction(_) => {
                "`NotAction` allows all but what it lists: list what is needed to have it compared".to_owned()
            }
            Self::Rendered(w) => {
                let other = &project.workloads[*w];
                let at = project.sources.path(project.resources[other.resource].header.file);
                format!("it is the same as `{}` in `{at}`: see there", other.name(project))
            }
            Self::Broken(_) => {
                "a file with a policy of the role cannot be parsed completely: fix its syntax, so that nothing stays unread"
                    .to_owned()
            }
            Self::AnyAction(by, _) => format!(
                "`{by}` may use all that the role allows, so nothing of it is known to be unused: give what it does a role of \
                 its own"
            ),
        }
    }

    /// The places that it is about, with what stands there.
    pub fn places(&self) -> Vec<(Span, &str)> {
        use DefinitionGap::{Broken, Command, Part, Request, State, Task, Unknown};
        match self {
            Self::Doubts(doubts) => doubts.iter().map(|u| (u.span, &*u.name)).collect(),
            Self::HandedOn(span)
            | Self::UsedElsewhere(span)
            | Self::Trusts(_, span)
            | Self::Containers(_, span)
            | Self::StartScript(_, span)
            | Self::SharedPolicy(span, _)
            | Self::NotAction(span)
            | Self::Broken(span)
            | Self::AnyAction(_, span)
            | Self::OtherIdentity(span)
            | Self::UnknownPolicies(Gap { span, .. })
            | Self::Content(ContentGap::Definition(
                Unknown(span)
                | Broken(span)
                | State(_, span)
                | Task(_, span)
                | Part(_, span)
                | Request(_, span)
                | Command(_, span),
            )) => {
                vec![(*span, "")]
            }
            _ => Vec::new(),
        }
    }
}

/// What is said of a construct of the CDK that is not read in its source.
const SYNTHESIZED: &str = "the CDK decides it: run `cdk synth`, then name `cdk.out`";

/// What else can be done about a value that the code of the CDK computes.
fn or_synthesize(project: &Project<'_>, w: &Workload) -> Option<&'static str> {
    let is_source = project.resources[w.resource].format == SourceFormat::Python;
    is_source.then_some(", or run `cdk synth` and name `cdk.out`")
}

fn role_text(gap: &RoleGap, kind: WorkloadKind) -> String {
    match gap {
        RoleGap::NotSet if kind == WorkloadKind::Task => "it has no task role".to_owned(),
        RoleGap::NotSet => "no role is set".to_owned(),
        RoleGap::Elsewhere(name) if kind == WorkloadKind::Instance => {
            format!(
                "the instance profile `{name}` is not in the files that were read: check the folder that has it as well"
            )
        }
        RoleGap::Elsewhere(name) => {
            format!("`{name}` is not in the files that were read: check the folder that has it as well")
        }
        RoleGap::Synthesized => SYNTHESIZED.to_owned(),
        RoleGap::Unknown(name) if name.is_empty() => "it depends on what is not known here".to_owned(),
        RoleGap::Unknown(name) => match name.strip_prefix("${file(").and_then(|rest| rest.split_once(')')) {
            Some((file, _)) => format!("`{name}` is the role, and `{file}` is not among the files"),
            None => format!("which role `{name}` is, is not known here"),
        },
    }
}

fn content_text(gap: &ContentGap) -> String {
    match gap {
        ContentGap::Runtime(name) => format!("the runtime is `{name}`, and only Python is read"),
        ContentGap::NotSaid => "nothing says where it is: name it in the settings".to_owned(),
        ContentGap::UnknownPlace(from) if from.is_empty() => {
            "where it is depends on what is not known here: name it in the settings".to_owned()
        }
        ContentGap::UnknownPlace(from) => {
            format!("where it is comes from `{from}`, which is not known here: name it in the settings")
        }
        ContentGap::UnknownHandler(from) => {
            format!("the handler is `{from}`, which is not known here: name the code and its `entry` in the settings")
        }
        ContentGap::Stored(key) => {
            format!("nothing that was read uploads `{key}`: if the code is in this repository, name it in the settings")
        }
        ContentGap::Package(path) => {
            format!("nothing that was read makes the package `{path}`: name the code in the settings")
        }
        ContentGap::PackageParts(path) => {
            format!("of what the package `{path}` is made is not known here: name the code in the settings")
        }
        ContentGap::Image => {
            "it is in a container image, and nothing says of which Dockerfile: name the code and the Dockerfile in the \
             settings"
                .to_owned()
        }
        ContentGap::Command(dockerfile) => {
            format!("what the image of `{dockerfile}` starts is not Python: name the code in the settings")
        }
        ContentGap::Inline(text) if text.starts_with("${") && text.ends_with('}') => {
            format!("the code in the template is `{text}`, which is not known here: name the code in the settings")
        }
        ContentGap::Inline(_) => "the code in the template is not all known".to_owned(),
        ContentGap::Placeholder => {
            "the code in the template is a placeholder, since the handler names another module: name the code in the settings"
                .to_owned()
        }
        ContentGap::NoPython(folder) => format!("no Python that uses AWS was read in `{folder}`"),
        ContentGap::NoFile(path) => {
            format!("`{path}` is not among the files that were read: if the code is elsewhere, name it in the settings")
        }
        ContentGap::NoAws(path) => format!("`{path}` has no word of AWS, so it was not analyzed"),
        ContentGap::Script(path) => {
            format!("the script `{path}` starts the code: name the file that it runs as the `entry` in the settings")
        }
        ContentGap::OtherLanguage(path) => format!("`{path}` is not Python, and only Python is read"),
        ContentGap::Containers => "what its containers start is not read: name the code in the settings".to_owned(),
        ContentGap::Instance => "no Python that it starts was found: name the code in the settings".to_owned(),
        ContentGap::Synthesized => SYNTHESIZED.to_owned(),
        ContentGap::Definition(gap) => definition_text(gap),
    }
}

fn definition_text(gap: &DefinitionGap) -> String {
    match gap {
        DefinitionGap::Stored => "it is in a bucket: write it in the template, or in a file next to it".to_owned(),
        DefinitionGap::NoFile(path) => format!("`{path}` is not among the files that were read"),
        DefinitionGap::NotSaid => "it is missing, or given twice".to_owned(),
        DefinitionGap::Unknown(_) => "a part of it has no value here".to_owned(),
        DefinitionGap::Broken(_) => "this is not a definition with states that can be read".to_owned(),
        DefinitionGap::State(state, _) => format!("the state `{state}` is not understood"),
        DefinitionGap::Task(state, _) => format!("what the state `{state}` calls is not known"),
        DefinitionGap::Part(part, _) => format!("what the {part} needs is not known here"),
        DefinitionGap::Request(name, _) => format!("which operation `{name}` requests is not known"),
        DefinitionGap::Unresolved => "no resolver or function that uses it was read".to_owned(),
        DefinitionGap::Command(command, _) => {
            format!("what the command `{}` calls is not known", phrase::clip(command, 60))
        }
        DefinitionGap::Commands => {
            "its commands are in the source that it builds, which may be another repository: write them in the project"
                .to_owned()
        }
        DefinitionGap::Hosted(plural) => format!("{plural} are not read"),
    }
}

fn doubt_text(doubts: &[Uncertainty]) -> String {
    match doubts.first().map(|u| u.doubt) {
        Some(Doubt::Library) => "what these imports call is not known",
        Some(Doubt::Unresolved(UnresolvedReason::Service)) => {
            "the service of this client is chosen at run time: write its name here"
        }
        Some(Doubt::Unresolved(UnresolvedReason::Operation)) => {
            "the operation that this calls is chosen at run time: write its name here"
        }
        Some(Doubt::Unresolved(UnresolvedReason::Dynamic)) => "which code this runs is chosen at run time",
        Some(Doubt::Unresolved(UnresolvedReason::Partial)) => {
            "this code could be analyzed only in part: if it cannot be parsed, fix its syntax"
        }
        Some(Doubt::Hidden) | None => "this may call AWS in a way that is not followed",
    }
    .to_owned()
}

fn policies_text(why: UnknownPolicies) -> &'static str {
    match why {
        UnknownPolicies::Elsewhere => "this policy of the role is not in the files that were read",
        UnknownPolicies::NotShownByAws => "AWS does not publish this policy of the role",
        UnknownPolicies::NoDocument => "the text of this policy of the role is not known",
        UnknownPolicies::Unclear => "what this policy of the role allows is not all known",
        UnknownPolicies::GroupElsewhere => "this group is not in the files that were read",
        UnknownPolicies::GivenToCode => "this code is handed the role or its function, and may give it more",
        UnknownPolicies::Unplaced => "which roles are given a policy here is not known, and this may be one of them",
    }
}
