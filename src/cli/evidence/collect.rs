//! `evidence collect`: logs become a small file.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Args, ValueHint};
use flate2::read::MultiGzDecoder;

use super::super::{CliFailure, terminal, write_file};
use crate::discover::with_forward_slashes;
use crate::evidence::collect::{CollectCounts, Collector};
use crate::evidence::{Evidence, Period};
use crate::phrase;

/// Names that a note lists.
const MOST_LISTED: usize = 10;
/// Endings of files that are read in a folder, without `.gz`.
const ENDINGS: [&str; 5] = [".json", ".jsonl", ".ndjson", ".log", ".csv"];

/// Collect what CloudTrail logs, last-accessed details, and findings of unused access say was used
#[derive(Debug, Args)]
pub(super) struct CollectArgs {
    /// Read these files and folders, of JSON or CSV, also with gzip; `-` reads standard input
    #[arg(value_name = "LOGS", required = true, value_hint = ValueHint::AnyPath)]
    logs: Vec<PathBuf>,
    /// Write to this file; `-` writes to standard output
    #[arg(long, short, value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
    output: PathBuf,
}

/// What was read, and which files could not be.
#[derive(Default)]
struct Collected {
    collector: Collector,
    /// Names of files, with what is wrong or was skipped.
    failures: Vec<(String, String)>,
}

impl CollectArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let (files, skipped) = self.files()?;
        let progress = terminal::Progress::start();
        let collected = collect(&files);
        drop(progress);
        let (evidence, counts) = collected.collector.finish();
        let mut failures = collected.failures;
        failures.sort();
        notes(&evidence, &counts, &failures, files.len(), skipped);
        if counts.events + counts.details == 0 {
            return Err(CliFailure::Usage("no event was read".to_owned()));
        }
        let text = evidence.render();
        if self.output == Path::new("-") {
            return terminal::print_page(&text);
        }
        write_file(&self.output, &text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The files in their order, and how many of folders are left out.
    fn files(&self) -> Result<(Vec<PathBuf>, usize), CliFailure> {
        let (mut files, mut skipped) = (Vec::new(), 0);
        let mut known = BTreeSet::new();
        for path in &self.logs {
            if path == Path::new("-") {
                files.push(path.clone());
                continue;
            }
            let io = |source| CliFailure::Io {
                what: with_forward_slashes(path),
                source,
            };
            if !std::fs::metadata(path).map_err(io)?.is_dir() {
                files.push(path.clone());
                continue;
            }
            for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
                let entry = entry.map_err(|e| io(e.into()))?;
                if !entry.file_type().is_file() {
                    continue;
                }
                match is_log_name(&entry.file_name().to_string_lossy()) {
                    true => files.push(entry.into_path()),
                    false => skipped += 1,
                }
            }
        }
        // A file that is named twice is counted once.
        files.retain(|f| known.insert(f.clone()));
        Ok((files, skipped))
    }
}

fn is_log_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_packed = name.ends_with(".gz");
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    is_packed && !name.ends_with(".tar") || ENDINGS.iter().any(|e| name.ends_with(e))
}

/// Reads the files, each worker with a collector of its own.
fn collect(files: &[PathBuf]) -> Collected {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Collected::default());
    rayon::broadcast(|_| {
        let mut own = Collected::default();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            own.read(path);
        }
        if let Ok(mut all) = all.lock() {
            all.collector.merge(own.collector);
            all.failures.append(&mut own.failures);
        }
    });
    all.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Collected {
    fn read(&mut self, path: &Path) {
        let name = match path == Path::new("-") {
            true => "standard input".to_owned(),
            false => with_forward_slashes(path),
        };
        let before = self.collector.skipped();
        let failure = match open(path) {
            Err(e) => Some(e.to_string()),
            Ok(input) => self.collector.read(input).map(|f| f.to_string()),
        };
        let after = self.collector.skipped();
        let parts = [
            (
                after.broken - before.broken,
                "object or line is not a valid event",
                "objects or lines are not valid events",
            ),
            (
                after.other - before.other,
                "object is not an event of CloudTrail",
                "objects are not events of CloudTrail",
            ),
            (
                after.other_clocks - before.other_clocks,
                "event has a time that is not in UTC",
                "events have times that are not in UTC",
            ),
        ];
        let parts = parts.into_iter().filter(|(n, ..)| *n > 0);
        let parts = parts.map(|(n, one, many)| phrase::count(n, one, many));
        for problem in failure.into_iter().chain(parts) {
            self.failures.push((name.clone(), problem));
        }
    }
}

/// The content, unpacked if it is packed.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut input: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path)?),
    };
    let mut head = Vec::new();
    (&mut input).take(2).read_to_end(&mut head)?;
    let is_packed = head == [0x1f, 0x8b];
    let whole = io::Cursor::new(head).chain(input);
    Ok(match is_packed {
        true => Box::new(MultiGzDecoder::new(BufReader::with_capacity(64 << 10, whole))),
        false => Box::new(whole),
    })
}

/// Says on standard error what was read, and what was not.
fn notes(evidence: &Evidence, counts: &CollectCounts, failures: &[(String, String)], files: usize, skipped: usize) {
    let note = |text: &str| terminal::note(&format!("note: {text}"));
    let accounts: BTreeSet<&str> = evidence.coverage.iter().map(|c| &*c.account).collect();
    let regions: BTreeSet<&str> = evidence.coverage.iter().map(|c| &*c.region).collect();
    let mut read = format!(
        "{} from {}",
        phrase::count(counts.events, "event", "events"),
        phrase::count(files, "file", "files")
    );
    if let Some(period) = evidence.period {
        let shown: Vec<&str> = regions.iter().copied().take(MOST_LISTED).collect();
        read += &format!(
            ", {}, of {} and {} ({}{})",
            days(period),
            phrase::count(accounts.len(), "account", "accounts"),
            phrase::count(regions.len(), "Region", "Regions"),
            shown.join(", "),
            phrase::and_more(shown.len(), regions.len() - shown.len())
        );
    }
    note(&read);
    if counts.details > 0 {
        note(&format!(
            "{} of last-accessed details and findings",
            phrase::count(counts.details, "line", "lines")
        ));
    }
    if !evidence.gaps.is_empty() {
        let shown: Vec<String> = evidence.gaps.iter().take(MOST_LISTED).map(|g| days(*g)).collect();
        let more = phrase::and_more(shown.len(), evidence.gaps.len() - shown.len());
        let total: i64 = evidence.gaps.iter().map(|g| g.days()).sum();
        note(&format!(
            "no event on {} inside the period: {}{more}",
            phrase::count(total.unsigned_abs(), "day", "days"),
            shown.join(", ")
        ));
    }
    let some = |count: u64, one: &str, many: &str| {
        if count > 0 {
            note(&phrase::count(count, one, many));
        }
    };
    some(counts.digests, "digest file was skipped", "digest files were skipped");
    some(
        counts.insights,
        "Insights event was skipped",
        "Insights events were skipped",
    );
    some(
        counts.dropped,
        "event was not counted: there are more different events than are kept",
        "events were not counted: there are more different events than are kept",
    );
    if skipped > 0 {
        note(&format!(
            "{} skipped by name",
            phrase::count(skipped, "file was", "files were")
        ));
    }
    if !counts.unknown.is_empty() {
        let total: u64 = counts.unknown.values().sum();
        let mut names: Vec<_> = counts.unknown.iter().collect();
        names.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        let shown: Vec<String> = names
            .iter()
            .take(MOST_LISTED)
            .map(|((source, name), n)| format!("{source} {name} ({n})"))
            .collect();
        let more = phrase::and_more(shown.len(), names.len() - shown.len());
        note(&format!(
            "{} without a known action: {}{more}",
            phrase::count(total, "event", "events"),
            shown.join(", ")
        ));
    }
    for (name, failure) in failures.iter().take(MOST_LISTED) {
        note(&format!("{name}: {failure}"));
    }
    if failures.len() > MOST_LISTED {
        note(&format!("{} more files like these", failures.len() - MOST_LISTED));
    }
}

fn days(period: Period) -> String {
    match period.first == period.last {
        true => period.first.to_string(),
        false => format!("{} to {}", period.first, period.last),
    }
}
