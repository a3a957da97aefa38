//! `cargo xtask evidence`: runs the query for DuckDB on DuckDB over generated logs, and compares what `collect` makes of its
//! result with what it makes of the logs. It needs Python with the package `duckdb`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cloudtrail::Logs;

pub const USAGE: &str = "  evidence     compare `evidence query` on DuckDB with `evidence collect`: --events N --seed S --python FILE --bin FILE";

const RUN: &str = "import duckdb, sys\nsql = open(sys.argv[1]).read()\n\
                   duckdb.execute('COPY (' + sql + ') TO ' + repr(sys.argv[2]) + ' (HEADER, FORMAT csv)')\n";

pub fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut events, mut seed) = (50_000, 1);
    let (mut python, mut bin) = ("python3".to_owned(), "target/release/overgrant".to_owned());
    while let Some(arg) = args.next() {
        let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
        let number = || value.parse().map_err(|_| format!("{arg} needs a number"));
        match arg.as_str() {
            "--events" => events = number()?,
            "--seed" => seed = number()?,
            "--python" => python = value,
            "--bin" => bin = value,
            _ => return Err(format!("unknown option {arg}\n{USAGE}")),
        }
    }
    let folder = std::env::temp_dir().join(format!("overgrant-evidence-{}", std::process::id()));
    let result = compare(&folder, events, seed, &python, &bin);
    // What is left in the folder for temporary files harms nobody.
    let _ = fs::remove_dir_all(&folder);
    result
}

fn compare(folder: &Path, events: u64, seed: u64, python: &str, bin: &str) -> Result<(), String> {
    let logs = folder.join("logs");
    Logs {
        folder: logs.clone(),
        events,
        days: 30,
        seed,
        per_file: 1_000,
    }
    .write()?;
    let (sql, rows) = (folder.join("query.sql"), folder.join("result.csv"));
    let pattern = format!("{}/**/*.json.gz", logs.display());
    let query = output(Command::new(bin).args(["evidence", "query", "--engine", "duckdb", "--table", &pattern]))?;
    fs::write(&sql, query).map_err(|e| e.to_string())?;
    output(Command::new(python).args(["-c", RUN]).arg(&sql).arg(&rows))?;
    let collect = |input: &PathBuf| output(Command::new(bin).args(["evidence", "collect"]).arg(input));
    let (streamed, queried) = (collect(&logs)?, collect(&rows)?);
    if streamed == queried {
        println!(
            "{events} events, seed {seed}: {} lines are the same",
            streamed.lines().count()
        );
        return Ok(());
    }
    let different = streamed.lines().zip(queried.lines()).find(|(a, b)| a != b);
    let (a, b) = different.unwrap_or(("the end of one", "the end of the other"));
    Err(format!("the results differ:\n  {a}\n  {b}"))
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
