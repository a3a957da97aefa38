//! `policies`, `files`, `expand`: what was seen.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::detail::levels;
use super::input::Input;
use super::run::{self, Wish};
use super::{Failure, terminal};
use crate::classify::classify;
use crate::iam::{ActionSet, catalogue};
use crate::report::{Mask, Seen, seen_human, seen_json};
use crate::settings::Settings;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ListFormat {
    #[default]
    Human,
    Json,
}

/// Every policy document found, as AWS will see it
#[derive(Debug, Args)]
pub(super) struct Policies {
    #[command(flatten)]
    input: Input,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

impl Policies {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let over = |_: &mut Settings| {};
        let wish = Wish::default();
        let read = run::read(&self.input, &over, &wish)?;
        run::understand(read, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &wish);
            let seen = Seen {
                project: &analysis.project,
                errors: &report.errors,
            };
            let text = match self.format {
                ListFormat::Human => seen_human(&seen),
                ListFormat::Json => seen_json(&seen),
            };
            let mask = Mask::new(analysis.project.sources, &report.secrets);
            terminal::page(&mask.text(text))?;
            Ok(ExitCode::from(u8::from(!report.errors.is_empty())))
        })
    }
}

/// What would be read, as which format, and why the rest is skipped
#[derive(Debug, Args)]
pub(super) struct Files {
    #[command(flatten)]
    input: Input,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

impl Files {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let over = |_: &mut Settings| {};
        let wish = Wish {
            tell: true,
            ..Wish::default()
        };
        let read = run::read(&self.input, &over, &wish)?;
        let files: Vec<(&str, String, bool)> = read
            .found
            .files
            .iter()
            .map(|f| (f.path.as_str(), kinds(&f.path, &f.text), f.in_scope))
            .collect();
        let text = match self.format {
            ListFormat::Human => {
                let mut out = String::new();
                for (path, kinds, in_scope) in &files {
                    let context = if *in_scope { "" } else { " (context)" };
                    out.push_str(&format!("{path}: {kinds}{context}\n"));
                }
                for s in &read.found.skipped {
                    out.push_str(&format!("{}: skipped, {}\n", s.path, s.why));
                }
                out
            }
            ListFormat::Json => {
                let files: Vec<Value> = files
                    .iter()
                    .map(|(path, kinds, in_scope)| json!({"path": path, "read_as": kinds, "context": !in_scope}))
                    .collect();
                let skipped: Vec<Value> = read
                    .found
                    .skipped
                    .iter()
                    .map(|s| json!({"path": s.path, "why": s.why}))
                    .collect();
                let whole = json!({"schema_version": "1.0", "files": files, "skipped": skipped});
                format!("{}\n", serde_json::to_string_pretty(&whole).unwrap_or_default())
            }
        };
        terminal::page(&text)
    }
}

fn kinds(path: &str, text: &str) -> String {
    let k = classify(path, text);
    let names: Vec<&str> = [
        (k.cloudformation, "CloudFormation"),
        (k.serverless, "Serverless"),
        (k.terraform, "Terraform"),
        (k.python, "Python"),
        (k.policy, "policy"),
        (k.text || k.key_hit, "credentials"),
    ]
    .into_iter()
    .filter_map(|(is, name)| is.then_some(name))
    .collect();
    if names.is_empty() {
        "text".to_owned()
    } else {
        names.join(", ")
    }
}

/// Actions that a pattern stands for, or that a file grants
#[derive(Debug, Args)]
pub(super) struct Expand {
    /// 's3:Get*', or a file with policies
    #[arg(value_name = "PATTERN|FILE", required = true)]
    what: Vec<String>,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

impl Expand {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let mut patterns: Vec<String> = Vec::new();
        for what in &self.what {
            if std::path::Path::new(what).is_file() {
                patterns.extend(patterns_of(what)?);
            } else if what == "*" || what.contains(':') {
                patterns.push(what.clone());
            } else {
                return Err(Failure::Usage(format!(
                    "`{what}` is neither a file nor a pattern such as `s3:Get*`"
                )));
            }
        }
        patterns.sort();
        patterns.dedup();
        let text = match self.format {
            ListFormat::Human => patterns.iter().map(|p| human(p)).collect::<Vec<_>>().join("\n"),
            ListFormat::Json => {
                let all: Vec<Value> = patterns.iter().map(|p| expanded(p)).collect();
                format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default())
            }
        };
        terminal::page(&text)?;
        let known = patterns.iter().any(|p| !ActionSet::expand(p).is_empty());
        Ok(ExitCode::from(u8::from(!known)))
    }
}

/// The known items of `Action` of every Allow statement of a file.
fn patterns_of(path: &str) -> Result<Vec<String>, Failure> {
    let over = |_: &mut Settings| {};
    let input = Input::of(path.into());
    let read = run::read(&input, &over, &Wish::default())?;
    run::understand(read, |_, analysis| {
        let sources = analysis.project.sources;
        let documents = analysis.project.documents.iter();
        Ok(documents
            .filter(|d| sources.file(d.span.file).in_scope)
            .flat_map(|d| &d.statements)
            .filter(|s| s.allows())
            .filter_map(|s| s.action.as_ref().filter(|a| !a.negated))
            .flat_map(|a| &a.items)
            .filter_map(|i| i.text.known().map(|t| t.into_owned()))
            .collect())
    })
}

fn human(pattern: &str) -> String {
    let set = ActionSet::expand(pattern);
    let mut out = format!("{pattern}: {}\n", levels(pattern));
    if set.is_empty() {
        if let Some(near) = catalogue().did_you_mean_action(pattern, &ActionSet::empty()) {
            out.push_str(&format!("  did you mean {near}?\n"));
        }
        return out;
    }
    let width = set.iter().map(|a| a.name().len()).max().unwrap_or(0);
    for a in set.iter() {
        let types: Vec<&str> = a.resource_types().map(|r| r.name()).collect();
        let line = format!("  {:width$}  {:<22}  {}", a.name(), a.level().name(), types.join(", "));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn expanded(pattern: &str) -> Value {
    let actions: Vec<Value> = ActionSet::expand(pattern)
        .iter()
        .map(|a| {
            let types: Vec<&str> = a.resource_types().map(|r| r.name()).collect();
            json!({"action": a.name(), "access_level": a.level().name(), "resource_types": types})
        })
        .collect();
    json!({"pattern": pattern, "actions": actions})
}
