//! Targets of schedules, rules, and pipes, data sources, integrations, and builds: what calls AWS as a role without code.
//!
//! **Invariant:** all that may be called is in the definition; where a part is not understood, there is no definition.

mod apis;
mod builds;
mod data_sources;
mod events;

use std::collections::BTreeSet;

use super::index::ReferenceIndex;
use super::workloads::{Linking, gap_of_role};
use crate::iam::states::TaskActions;
use crate::iam::targets::{service_of_arn, service_of_type};
use crate::iam::{ActionSet, SourceFormat};
use crate::model::Resource;
use crate::project::{
    ContentGap, Definition, DefinitionGap, MachineTask, Project, ResourceId, Workload, WorkloadContent, WorkloadKind,
    host,
};
use crate::source::{Piece, Span, Text};
use crate::value::Value;

/// Services whose actions are checked on what the definition names, rather than on a task definition or a role.
const CHECKED: &[&str] = &[
    "api-destination",
    "codebuild",
    "codepipeline",
    "dynamodb",
    "event-bus",
    "firehose",
    "kinesis",
    "lambda",
    "sns",
    "sqs",
    "states",
];

type Understood<T = ()> = Result<T, DefinitionGap>;

/// Adds what `r` runs with a role, if it is a resource of these kinds: each role that it names is a workload.
pub(super) fn add(
    linking: &Linking<'_, '_>,
    id: ResourceId,
    r: &Resource,
    wanted: &mut BTreeSet<String>,
    out: &mut Vec<Workload>,
) -> bool {
    let mut users = Users {
        linking,
        resource: id,
        out,
    };
    match &*r.kind {
        "AWS::Scheduler::Schedule" => events::schedule(&mut users, r),
        "AWS::Events::Rule" => events::rule(&mut users, r),
        "AWS::Pipes::Pipe" => events::pipe(&mut users, r),
        "AWS::AppSync::DataSource" => data_sources::data_source(&mut users, r, wanted),
        "AWS::ApiGateway::Method"
        | "AWS::ApiGateway::Integration"
        | "AWS::ApiGatewayV2::Integration"
        | "AWS::ApiGateway::RestApi"
        | "AWS::ApiGatewayV2::Api"
        | "AWS::Serverless::HttpApi" => apis::api(&mut users, r),
        "AWS::CodeBuild::Project" => builds::project(&mut users, r),
        kind => match host(kind) {
            Some(host) => users.push(
                WorkloadKind::Hosted(host),
                r.path(host.role),
                Err(DefinitionGap::Hosted(host.plural)),
            ),
            None => return false,
        },
    }
    true
}

/// What has a role in one resource.
struct Users<'u, 'l, 'a> {
    linking: &'u Linking<'l, 'a>,
    resource: ResourceId,
    out: &'u mut Vec<Workload>,
}

impl Users<'_, '_, '_> {
    fn push(&mut self, kind: WorkloadKind, role: Option<&Value>, content: Understood<Definition>) {
        let mut roles = Vec::new();
        if let Some(role) = role {
            self.linking.roles(role, &mut roles);
        }
        // A document of an API by itself has no roles: what includes it does.
        let is_part = self.linking.project.resources[self.resource].format == SourceFormat::Json;
        if is_part && roles.is_empty() {
            return;
        }
        self.out.push(Workload {
            kind,
            resource: self.resource,
            role_gap: roles.is_empty().then(|| gap_of_role(role)),
            roles,
            content: content.map(WorkloadContent::Definition).map_err(ContentGap::Definition),
        });
    }
}

/// The parts of something that calls AWS, one after the other.
struct Parts<'p, 'a> {
    project: &'p Project<'a>,
    index: &'p ReferenceIndex,
    out: Definition,
}

impl<'p, 'a> Parts<'p, 'a> {
    fn new(linking: &'p Linking<'_, 'a>, at: Span) -> Self {
        Self {
            project: linking.project,
            index: linking.index,
            out: Definition {
                span: at,
                file: at.file,
                tasks: Vec::new(),
                required: Vec::new(),
                actions: ActionSet::empty(),
            },
        }
    }

    /// A part that calls something.
    fn add(&mut self, part: &str, at: Span, service: &str, actions: TaskActions, named: Option<Text>) {
        self.out.actions.union_with(&actions.set());
        self.out.required.extend(&actions.required);
        if let Some(first) = actions.required.first() {
            self.out.tasks.push(MachineTask {
                state: part.to_owned(),
                is_state: false,
                span: at,
                service: service.to_owned(),
                operation: first.rsplit(':').next().unwrap_or(first).to_owned(),
                actions,
                resource: named.clone().filter(|text| text.prefix().starts_with("arn:")),
                named,
            });
        }
    }

    /// What may be needed in addition, by an entry of the table.
    fn may_need(&mut self, key: &str) {
        if let Some(actions) = TaskActions::of_target(key) {
            self.out.actions.union_with(&actions.set());
        }
    }

    /// A part that is named by an ARN or a reference. `actions` says what a service needs, or that nothing is known of it.
    fn add_named(
        &mut self,
        part: &str,
        value: &Value,
        actions: impl Fn(&str, &Text) -> Option<TaskActions>,
    ) -> Understood {
        let unknown = || DefinitionGap::Part(part.to_owned(), value.span);
        let mut found = Vec::new();
        let mut all_known = true;
        value.each_value(&mut |one| {
            let named = one.to_text().and_then(|text| {
                let service = self.service(&text)?;
                let actions = actions(&service, &text)?;
                Some((text, service, actions))
            });
            all_known &= named.is_some();
            found.extend(named);
        });
        if !all_known || found.is_empty() {
            return Err(unknown());
        }
        let alternatives = found.len() > 1;
        for (text, service, actions) in found {
            let actions = if alternatives { actions.uncertain() } else { actions };
            let named = Some(text).filter(|_| CHECKED.contains(&&*service));
            self.add(part, value.span, &service, actions, named);
        }
        Ok(())
    }

    /// What an ARN or a reference names, in the words of the table.
    fn service(&self, text: &Text) -> Option<String> {
        let hole = match text.pieces() {
            [Piece::Hole(hole)] => hole,
            // A version or an alias of it, or its stream.
            [Piece::Hole(hole), Piece::Lit(rest), ..] if rest.text.starts_with([':', '/']) => hole,
            [Piece::Hole(_), ..] => return None,
            _ if text.prefix().starts_with("smk://") => return Some("smk".to_owned()),
            _ => return service_of_arn(text),
        };
        let target = hole.target.as_ref()?;
        let ids = self.index.target(target);
        let mut kinds = ids.iter().map(|id| &*self.project.resources[*id].kind);
        let Some(kind) = kinds.next() else {
            // Of Terraform, what has no policy is not kept.
            let kind = target.address.split(['.', '[']).next()?;
            return service_of_type(kind).map(str::to_owned);
        };
        kinds
            .all(|k| k == kind)
            .then(|| service_of_type(kind))?
            .map(str::to_owned)
    }
}
