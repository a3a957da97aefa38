//! `evidence query`: the SQL that counts events where they are.

use std::process::ExitCode;

use clap::Args;

use super::super::{CliFailure, terminal};
use crate::evidence::query::{QueryEngine, query_text};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum EngineChoice {
    /// Amazon Athena, over a table of log files.
    Athena,
    /// CloudTrail Lake, over an event data store.
    Lake,
    /// DuckDB, over log files.
    Duckdb,
}

/// Print the SQL that counts the events of a table; `evidence collect` reads its result as CSV or JSON
#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// Write the SQL of this engine
    #[arg(long, value_name = "ENGINE")]
    engine: EngineChoice,
    /// Count the events of the last N days [default: all events]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// Read this table of Athena, the event data store of CloudTrail Lake with this ID, or these files (a pattern of DuckDB)
    /// [default: cloudtrail_logs_pp, EVENT_DATA_STORE_ID, logs/**/*.json.gz]
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

impl QueryArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let engine = match self.engine {
            EngineChoice::Athena => QueryEngine::Athena,
            EngineChoice::Lake => QueryEngine::Lake,
            EngineChoice::Duckdb => QueryEngine::DuckDb,
        };
        let table = self.table.as_deref().unwrap_or(engine.default_table());
        terminal::print_page(&query_text(engine, table, self.days))
    }
}
