//! `graph`: who can become whom, drawn.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::input::InputArgs;
use super::paths::{is_called, leaves_out};
use super::repositories;
use super::run::{self, RunOptions};
use super::{CliFailure, terminal};
use crate::discover::with_forward_slashes;
use crate::paths::AccessGraph;
use crate::phrase;
use crate::project::Effects;
use crate::report::{GraphFormat, GraphInput, GraphPage};
use crate::secrets::Mask;
use crate::settings::Settings;
use crate::source::{join_path, parent_path, relative_path};

/// Draw who can become whom, and how, as a page or a picture
#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Choose the format; without it, the name of the output file does [default: html]
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<GraphFormat>,
    /// Draw only what is next to this, and the paths through it: a name, an address, an ARN, a pattern, or `public`
    #[arg(long, value_name = "WHO")]
    focus: Option<String>,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl GraphArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions {
            ignores: true,
            ..RunOptions::confined()
        };
        let cwd = run::working_directory()?;
        let all = repositories::read(&self.input, &over, &run_options)?;
        let pages = repositories::each(all, |read, analysis| {
            let report = read.report(analysis, &run_options);
            let project = &analysis.project;
            let effects = Effects::new(project);
            let graph = AccessGraph::new(project, &effects, &|span| leaves_out(read, project, span));
            let mask = Mask::new(project.sources, &report.secrets);
            GraphPage::new(&GraphInput {
                project,
                graph: &graph,
                report: &report,
                mask: &mask,
            })
        });
        let page = GraphPage::merge(pages);
        let failed = page.has_errors();
        let page = match &self.focus {
            Some(who) => {
                let is_wanted = |names: &[&str]| is_called(who, names);
                if !page.has(&is_wanted) {
                    return Err(no_such(who, &page));
                }
                page.focused(&is_wanted)
            }
            None => page,
        };
        let output = self.output.as_deref().map(with_forward_slashes);
        let named = output.as_deref().and_then(GraphFormat::of_file);
        let format = self.format.or(named).unwrap_or_default();
        // Links lead from the folder of the page to the files.
        let folder = output
            .as_ref()
            .map_or_else(|| cwd.clone(), |path| parent_path(&join_path(&cwd, path)).to_owned());
        let text = page.render(format, &|path| relative_path(&folder, &join_path(&cwd, path)));
        match &self.output {
            Some(path) => super::write_file(path, &text)?,
            None => drop(terminal::print_page(&text)?),
        }
        Ok(ExitCode::from(u8::from(failed)))
    }
}

fn no_such(who: &str, page: &GraphPage) -> CliFailure {
    let candidates = page.candidates(who);
    let candidates = match candidates.is_empty() {
        true => "the files declare nothing that can be drawn".to_owned(),
        false => format!("candidates: {}", phrase::list(candidates)),
    };
    CliFailure::Usage(format!("no identity or resource is called `{who}`; {candidates}"))
}
