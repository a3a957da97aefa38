//! `who-can`: who can do something, and who can become one of them.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{ArgAction, Args};

use super::can::key_value;
use super::input::InputArgs;
use super::policies::ListFormat;
use super::question::{Question, check_action, is_arn, place};
use super::run::RunOptions;
use super::{CliFailure, repositories};
use crate::access::{Caller, Decision, decide};
use crate::paths::find_paths_into;
use crate::project::{Effects, IdentityId, Project, ResourceId};
use crate::report::{WhoAnswer, WhoCanPage, who_can_human, who_can_json};
use crate::secrets::Mask;
use crate::settings::Settings;

/// List who can perform an action, through which statements, and who can become one of them
#[derive(Debug, Args)]
#[command(mut_arg("paths", |a| a
    .long("in")
    .num_args(1)
    .action(ArgAction::Append)
    .help("Look in these files and folders [default: .]")))]
pub(super) struct WhoCanArgs {
    /// Ask about this action: `s3:GetObject`
    #[arg(value_name = "ACTION")]
    action: String,
    /// Ask about this resource: its ARN or its address [default: any resource]
    #[arg(value_name = "RESOURCE")]
    resource: Option<String>,
    /// Give the request a condition key; repeat it for further keys and values. Keys that are not given are unknown
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    context: Vec<(String, String)>,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
    #[command(flatten)]
    input: InputArgs,
}

impl WhoCanArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        check_action(&self.action)?;
        let over = |_: &mut Settings| {};
        let run_options = RunOptions::without_findings();
        let all = repositories::read(&self.input, &over, &run_options)?;
        let pages = repositories::each(all, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &run_options);
            let project = &analysis.project;
            let place = place(project, "", self.resource.as_deref());
            let missing = self
                .resource
                .as_deref()
                .filter(|r| !is_arn(r) && place.resources(r).is_empty());
            if missing.is_some() {
                return (None, false);
            }
            let named = callers(project).into_iter().filter_map(|(id, name)| {
                let caller = match id {
                    Some(id) => place.caller(id)?,
                    None if name == "public" => Caller::Anonymous,
                    None => Caller::parse(&name)?,
                };
                let question = Question {
                    context: &self.context,
                    resource: self.resource.as_deref(),
                    place: &place,
                    identity: id,
                    caller,
                    action: &self.action,
                };
                Some((id, name, question))
            });
            let asked: Vec<_> = named
                .map(|(id, name, question)| {
                    let (request, documents) = question.request();
                    (id, name, question, request, documents)
                })
                .collect();
            let mut able: BTreeSet<ResourceId> = BTreeSet::new();
            let mut who = Vec::new();
            for (id, name, question, request, documents) in &asked {
                let answer = decide(request, &documents.policies());
                let identity = id.map(|id| &project.identities[id]);
                match answer.decision {
                    Decision::Allowed => able.extend(identity.map(|i| i.resource)),
                    // Nothing is known of the policies of those outside: only what a policy here allows them counts.
                    Decision::Unknown if identity.is_some() => {}
                    _ => continue,
                }
                who.push(WhoAnswer {
                    principal: match identity {
                        Some(_) => question.principal(),
                        None => name.clone(),
                    },
                    address: identity.map(|i| project.resources[i.resource].address.full().into_owned()),
                    span: identity.map(|i| i.header),
                    answer,
                });
            }
            let effects = Effects::new(project);
            let page = WhoCanPage {
                sources: project.sources,
                action: &self.action,
                resource: self.resource.as_deref(),
                who,
                through: find_paths_into(project, &effects, &able),
                errors: &report.errors,
                unjudged: &report.unjudged,
            };
            let mask = Mask::new(project.sources, &report.secrets);
            let text = match self.format {
                ListFormat::Human => mask.text(who_can_human(&page)),
                ListFormat::Json => mask.json(who_can_json(&page)),
            };
            (Some(text), !report.errors.is_empty())
        });
        let failed = pages.iter().any(|(_, failed)| *failed);
        let texts: Vec<String> = pages.into_iter().filter_map(|(text, _)| text).collect();
        if texts.is_empty()
            && let Some(resource) = &self.resource
        {
            let what = format!("no resource here is `{resource}`, and it is not an ARN");
            return Err(CliFailure::Usage(what));
        }
        let text = match self.format {
            ListFormat::Human => texts.concat(),
            ListFormat::Json => repositories::merge_lists(texts),
        };
        self.format.print(&text, |_| false)?;
        Ok(ExitCode::from(u8::from(failed)))
    }
}

/// Those who may be asked about: the roles and users of the repository, everyone, and those whom its policies name by ARN.
fn callers(project: &Project<'_>) -> Vec<(Option<IdentityId>, String)> {
    let identities = project.identities.iter_enumerated();
    let mut out: Vec<(Option<IdentityId>, String)> = identities
        .filter(|(_, i)| project.sources.file(i.header.file).in_scope)
        .map(|(id, _)| (Some(id), String::new()))
        .collect();
    let statements = project.documents.iter().flat_map(|d| &d.statements);
    let principals = statements.filter_map(|s| s.principal.as_ref()).filter(|p| !p.negated);
    let named = principals.flat_map(|p| &p.items).filter_map(|i| i.value.text.known());
    let outside: BTreeSet<String> = named
        .filter(|t| t.starts_with("arn:") && !t.contains('*') && !t.ends_with(":root"))
        .map(|t| t.into_owned())
        .collect();
    out.push((None, "public".to_owned()));
    out.extend(outside.into_iter().map(|arn| (None, arn)));
    out
}
