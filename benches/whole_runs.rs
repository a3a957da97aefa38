//! What a whole run costs, from the command line to the report, as the repository grows: the last columns stay the same where
//! the cost is linear.
//!
//! ```console
//! cargo bench --bench whole_runs                                    # all trees, each size twice the one before
//! cargo bench --bench whole_runs -- cloudformation                  # one of them
//! cargo bench --bench whole_runs -- --small                         # a sixteenth of it
//! cargo bench --bench whole_runs -- --write cloudformation 500 DIR  # only write the files, for other tools
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/it/support/generated.rs"]
mod generated;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use generated::{Files, TREES, Tree};

/// The one of the command: the figures are those of a run of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Each size is twice the one before; the last is the tree's own.
const SIZES: usize = 4;
/// The best of them counts.
const RUNS: usize = 3;
/// `--small` divides the sizes by this.
const SMALL: usize = 16;
/// The first argument of the process that is measured; its other arguments are those of the command.
const MEASURED: &str = "--measured";

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [MEASURED, ..] => return measured(&args[1..]),
        ["--write", name, count, folder] => {
            let tree = TREES.iter().find(|t| t.name == name).unwrap();
            write(Path::new(folder), &(tree.files)(count.parse().unwrap()));
        }
        _ => {
            let named = |t: &&Tree| args.iter().all(|a| a.starts_with("--") || *a == t.name);
            let divisor = if args.contains(&"--small") { SMALL } else { 1 };
            println!(
                "{:<18} {:>7}  {:>9} {:>6} {:>7} {:>7} {:>5}  {:>9}",
                "tree", "size", "read", "s", "MB", "MB/read", "cores", "ns/unit"
            );
            for tree in TREES.iter().filter(named) {
                curve(tree, divisor);
            }
        }
    }
    ExitCode::SUCCESS
}

fn curve(tree: &Tree, divisor: usize) {
    for halvings in (0..SIZES).rev() {
        let count = (tree.large / divisor) >> halvings;
        let files = (tree.files)(count);
        let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &files);
        let runs = (0..RUNS).map(|_| run(dir.path()));
        let best = runs.min_by_key(|r| r.wall).unwrap();
        let per_unit = best.wall.as_nanos() / count as u128;
        let megabytes = |bytes: usize| bytes as f64 / 1e6;
        println!(
            "{:<18} {count:>7}  {:>6.1} MB {:>6.3} {:>7.1} {:>7.1} {:>5.2}  {per_unit:>9} per {}",
            tree.name,
            megabytes(bytes),
            best.wall.as_secs_f64(),
            megabytes(best.memory),
            best.memory as f64 / bytes as f64,
            best.cpu.as_secs_f64() / best.wall.as_secs_f64(),
            tree.unit,
        );
    }
}

fn write(folder: &Path, files: &Files) {
    // The walk upwards for settings ends here.
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

struct Run {
    wall: Duration,
    /// Of all threads; none where the system does not tell.
    cpu: Duration,
    /// The most bytes that were resident; none where the system does not tell.
    memory: usize,
}

/// One run, in a process of its own: its start counts, and its memory is no one else's.
fn run(folder: &Path) -> Run {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([MEASURED, "check", ".", "--format", "json"]);
    command.current_dir(folder).stdin(Stdio::null());
    let start = Instant::now();
    let output = command.stdout(Stdio::null()).output().unwrap();
    let wall = start.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().next_back().unwrap_or_default();
    let figures: Vec<usize> = last.split(' ').filter_map(|n| n.parse().ok()).collect();
    let [code, kilobytes, ticks] = figures[..] else {
        panic!("the run ended early: {said}");
    };
    assert!(code < 2, "{said}");
    Run {
        wall,
        cpu: Duration::from_millis(10 * ticks as u64),
        memory: 1024 * kilobytes,
    }
}

/// The command; then, as the last line of standard error, its exit code, its memory in KiB, and its time in hundredths.
fn measured(args: &[&str]) -> ExitCode {
    let args = std::iter::once("overgrant").chain(args.iter().copied());
    let code = overgrant::cli::main(args.map(Into::into));
    let code = [ExitCode::SUCCESS, ExitCode::from(1)].iter().position(|c| *c == code);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = peak.map_or("0", |l| l.trim().trim_end_matches(" kB"));
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time; the name before the parenthesis may have spaces.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: usize = fields.skip(11).take(2).filter_map(|n| n.parse::<usize>().ok()).sum();
    eprintln!("{} {kilobytes} {ticks}", code.unwrap_or(2));
    ExitCode::SUCCESS
}
