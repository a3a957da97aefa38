//! `can`: whether a principal may do something.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};

use super::{CliFailure, input, terminal};
use crate::access::decide;
use crate::discover::{self, MAX_FILE_SIZE};
use crate::formats::request_file::RequestFile;
use crate::report::{access_human, access_json};
use crate::source::{FileId, Sources};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum AnswerFormat {
    #[default]
    Human,
    Json,
}

/// Tell whether a principal can perform an action, and which statements decide
#[derive(Debug, Args)]
pub(super) struct CanArgs {
    /// Decide the request in this JSON file, with the policies in it; `-` reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
    request: Option<PathBuf>,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: AnswerFormat,
}

impl CanArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        match &self.request {
            Some(path) => self.decide_file(path),
            None => Ok(ExitCode::SUCCESS),
        }
    }

    fn decide_file(&self, path: &Path) -> Result<ExitCode, CliFailure> {
        let (name, bytes) = match path == Path::new("-") {
            true => ("stdin.json".to_owned(), input::stdin(MAX_FILE_SIZE)?),
            false => (discover::with_forward_slashes(path), read(path)?),
        };
        let text = String::from_utf8(bytes).ok().filter(|t| t.len() as u64 <= MAX_FILE_SIZE);
        let Some(text) = text else {
            let what = format!("{name} is not UTF-8 text of at most {MAX_FILE_SIZE} bytes");
            return Err(CliFailure::Usage(what));
        };
        let sources = Sources::from_strings(&[(&*name, &*text)]);
        let file = RequestFile::read(&sources, FileId(0)).map_err(|e| CliFailure::Usage(e.to_string()))?;
        let policies = file.policies();
        let answer = decide(&file.request, &policies);
        match self.format {
            AnswerFormat::Human => terminal::print_text(&access_human(&sources, &answer)),
            AnswerFormat::Json => terminal::print_page(&access_json(&sources, &answer)),
        }
    }
}

/// At most one byte more than is read of any file.
fn read(path: &Path) -> Result<Vec<u8>, CliFailure> {
    let io = |source| CliFailure::Io {
        what: format!("cannot read {}", discover::with_forward_slashes(path)),
        source,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}
