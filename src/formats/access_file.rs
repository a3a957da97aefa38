//! Access files: contracts next to what they guard.

use serde::Deserialize;

use super::{Format, FormatClaim, each_file};
use crate::classify::{FileClues, is_access_file};
use crate::iam::{ContractTerms, DeclaredContract};
use crate::model::LoweredUnit;
use crate::ranged::RangedValue;
use crate::source::{FileId, Problem, Sources, Span, parent_path};

/// `*.access.toml`.
pub struct AccessFile;

impl Format for AccessFile {
    fn title(&self) -> &'static str {
        "access contracts"
    }

    fn claim(&self, file: &FileClues<'_>) -> FormatClaim {
        match is_access_file(&file.name) {
            true => FormatClaim::Whole,
            false => FormatClaim::None,
        }
    }

    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<LoweredUnit> {
        each_file(files, |file| unit(sources, file))
    }
}

/// All of an access file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessTables {
    #[serde(default, rename = "contract")]
    contracts: Vec<RangedValue<ContractTerms>>,
}

fn unit(sources: &Sources, file: FileId) -> LoweredUnit {
    let text = sources.text(file);
    let mut out = LoweredUnit::default();
    let body = text.trim_start_matches('\u{feff}');
    let padded = " ".repeat(text.len() - body.len()) + body;
    let tables: AccessTables = match toml::from_str(&padded) {
        Ok(tables) => tables,
        Err(e) => {
            let at = e.span().unwrap_or_default();
            let message = e.message().trim().replace('\n', "; ").replace(" field `", " key `");
            let span = Span::new(file, at.start.min(text.len()), at.end.min(text.len()));
            out.problems.push(Problem::syntax(span, message));
            return out;
        }
    };
    let path = sources.path(file);
    for contract in tables.contracts {
        let terms = contract.value;
        match terms.fault() {
            Some((at, message)) => {
                let span = Span::new(file, at.start, at.end);
                out.problems.push(Problem::syntax(span, message));
            }
            None => out.contracts.push(DeclaredContract {
                file: path.to_owned(),
                folder: parent_path(path).to_owned(),
                terms,
                whole: true,
            }),
        }
    }
    out
}
