//! `can`: whether a principal may do something.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgAction, Args, ValueHint};

use super::input::InputArgs;
use super::policies::ListFormat;
use super::question::{Question, caller, check_action, is_arn, place};
use super::run::RunOptions;
use super::{CliFailure, input, repositories, terminal};
use crate::access::decide;
use crate::discover::{self, MAX_FILE_SIZE};
use crate::formats::request_file::RequestFile;
use crate::report::{RepositoryAnswer, access_human, access_json, repository_access_json};
use crate::secrets::Mask;
use crate::settings::Settings;
use crate::source::{FileId, Sources};

/// So many candidates are listed.
const MAX_CANDIDATES: usize = 20;

/// Tell whether a principal can perform an action, and which statements decide
#[derive(Debug, Args)]
#[command(mut_arg("paths", |a| a
    .long("in")
    .num_args(1)
    .action(ArgAction::Append)
    .help("Look in these files and folders [default: .]")))]
pub(super) struct CanArgs {
    /// Ask about this principal: the address, name, or ARN of a role or user, a pattern of these, a service, or `public`
    #[arg(value_name = "WHO", required_unless_present = "request", conflicts_with = "request")]
    who: Option<String>,
    /// Ask about this action, such as `s3:GetObject`
    #[arg(
        value_name = "ACTION",
        required_unless_present = "request",
        conflicts_with = "request"
    )]
    action: Option<String>,
    /// Ask about the resource with this ARN or address [default: any resource]
    #[arg(value_name = "RESOURCE", conflicts_with = "request")]
    resource: Option<String>,
    /// Set a condition key of the request; can be repeated, also for several values. Keys that are not set are unknown
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "request", value_parser = key_value)]
    context: Vec<(String, String)>,
    /// Decide the request in this JSON file, with the policies in it; `-` reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    request: Option<PathBuf>,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
    #[command(flatten)]
    input: InputArgs,
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, _)| key.contains(':'));
    let (key, value) = parts.ok_or("not a condition key and its value, such as aws:SourceVpc=vpc-1")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl CanArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        match (&self.request, &self.who, &self.action) {
            (Some(path), ..) => self.decide_file(path),
            (None, Some(who), Some(action)) => self.decide_in_repository(who, action),
            _ => Err(CliFailure::Usage("WHO and ACTION are missing".to_owned())),
        }
    }

    fn decide_file(&self, path: &Path) -> Result<ExitCode, CliFailure> {
        let (name, bytes) = match path == Path::new("-") {
            true => ("stdin.json".to_owned(), input::stdin(MAX_FILE_SIZE)?),
            false => (discover::with_forward_slashes(path), input::read(path, MAX_FILE_SIZE)?),
        };
        let text = String::from_utf8(bytes)
            .ok()
            .filter(|t| t.len() as u64 <= MAX_FILE_SIZE);
        let Some(text) = text else {
            let what = format!("{name} is not UTF-8 text of at most {MAX_FILE_SIZE} bytes");
            return Err(CliFailure::Usage(what));
        };
        let sources = Sources::from_strings(&[(&*name, &*text)]);
        let file = RequestFile::read(&sources, FileId(0)).map_err(|e| CliFailure::Usage(e.to_string()))?;
        let policies = file.policies();
        let answer = decide(&file.request, &policies);
        match self.format {
            ListFormat::Human => terminal::print_text(&access_human(&sources, &answer)),
            ListFormat::Json => terminal::print_page(&access_json(&sources, &answer)),
        }
    }

    fn decide_in_repository(&self, who: &str, action: &str) -> Result<ExitCode, CliFailure> {
        check_action(action)?;
        let over = |_: &mut Settings| {};
        let run_options = RunOptions::without_findings();
        let all = repositories::read(&self.input, &over, &run_options)?;
        let found = repositories::each(all, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &run_options);
            let project = &analysis.project;
            let mask = Mask::new(project.sources, &report.secrets);
            let place = place(project, who, self.resource.as_deref());
            let matched = place.identities(who);
            let candidates = matched.iter().map(|id| place.describe(*id)).collect::<Vec<_>>();
            let caller = match matched[..] {
                [id] => place.caller(id),
                [] => caller(who),
                _ => None,
            };
            let unknown = self
                .resource
                .as_deref()
                .filter(|r| !is_arn(r) && place.resources(r).is_empty());
            if let Some(resource) = unknown {
                let what = format!("no resource here is `{resource}`, and it is not an ARN");
                return (candidates, Some(Err(what)), false);
            }
            let text = caller.map(|caller| {
                let question = Question {
                    context: &self.context,
                    resource: self.resource.as_deref(),
                    place: &place,
                    identity: matched.first().copied(),
                    caller,
                    action,
                };
                let principal = question.principal();
                let (request, documents) = question.request();
                let answer = decide(&request, &documents.policies());
                Ok(match self.format {
                    ListFormat::Human => mask.text(access_human(project.sources, &answer)),
                    ListFormat::Json => mask.json(repository_access_json(&RepositoryAnswer {
                        sources: project.sources,
                        answer: &answer,
                        principal: &principal,
                        action,
                        resources: &request.resources,
                        errors: &report.errors,
                        unjudged: &report.unjudged,
                    })),
                })
            });
            (candidates, text, !report.errors.is_empty())
        });
        let candidates: Vec<&String> = found.iter().flat_map(|(candidates, ..)| candidates).collect();
        let failed = found.iter().any(|(.., failed)| *failed);
        // Where several repositories are asked, the one that declares who asks; else the first.
        let named = found.iter().find(|(candidates, ..)| !candidates.is_empty());
        let text = named.or(found.first()).and_then(|(_, text, _)| text.as_ref());
        match (&candidates[..], text) {
            ([] | [_], Some(Err(what))) => Err(CliFailure::Usage(what.clone())),
            ([] | [_], Some(Ok(text))) => {
                match self.format {
                    ListFormat::Human => terminal::print_text(text)?,
                    ListFormat::Json => terminal::print_page(text)?,
                };
                Ok(ExitCode::from(u8::from(failed)))
            }
            ([], None) => Err(CliFailure::Usage(format!(
                "no role or user here is `{who}`, and it is not an ARN, a service, or `public`"
            ))),
            ([one], None) => Err(CliFailure::Usage(format!("the name of {one} is not known"))),
            (many, _) => {
                let mut what = format!("`{who}` is more than one:");
                for one in many.iter().take(MAX_CANDIDATES) {
                    what.push_str("\n  ");
                    what.push_str(one);
                }
                if many.len() > MAX_CANDIDATES {
                    what.push_str(&format!("\n  and {} more", many.len() - MAX_CANDIDATES));
                }
                Err(CliFailure::Usage(what))
            }
        }
    }
}
