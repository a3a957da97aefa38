//! Large repositories: nothing is lost in them, and twice as much is twice the work.

use std::io::Write as _;
use std::time::{Duration, Instant};

use overgrant::internals::iam::Ownership;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::source::Sources;

use crate::support::generated::{TREES, Tree, terraform};
use crate::support::repository::Repository;

/// Resources that each module of [`terraform`] declares.
const RESOURCES_PER_MODULE: usize = 5;

/// How many resources and documents there are, and the best time of three.
fn analysed(modules: usize) -> (usize, usize, Duration) {
    let files = terraform(modules);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let sources = Sources::from_strings(&files);
    let own = Ownership::default();
    let once = || {
        let start = Instant::now();
        let analysis = analyze(&sources, &own);
        let of = |kind: &str| {
            analysis
                .project
                .resources
                .iter()
                .filter(|r| r.type_name.starts_with(kind))
                .count()
        };
        (of("aws_"), analysis.project.documents.len(), start.elapsed())
    };
    (0..3).map(|_| once()).min_by_key(|r| r.2).unwrap()
}

#[test]
fn modules_are_all_seen_in_linear_time() {
    let (few, documents, short) = analysed(100);
    assert_eq!(few, 100 * RESOURCES_PER_MODULE);
    assert_eq!(documents, 100 * 3);
    let (many, documents, long) = analysed(400);
    assert_eq!(many, 400 * RESOURCES_PER_MODULE);
    assert_eq!(documents, 400 * 3);
    // Quadratic work would take sixteen times as long.
    assert!(long < short * 10 + Duration::from_millis(200), "{short:?} {long:?}");
}

/// A small size of each tree of `benches/whole_runs.rs`: all of it can be read, and the log shows what it took.
#[test]
fn a_small_size_of_each_generated_tree() {
    const PART: usize = 100;
    for Tree {
        name,
        unit,
        large,
        files,
    } in TREES
    {
        let count = large / PART;
        let files = files(count);
        let repository = Repository::new(&[]);
        files
            .iter()
            .for_each(|(path, text)| repository.write(path, text.as_bytes()));
        let start = Instant::now();
        let ran = repository.check(&["--isolated"]);
        let took = start.elapsed();
        let json = ran.json();
        assert_eq!(json["errors"], serde_json::json!([]), "{name}");
        assert_ne!(json["summary"]["statements"], 0, "{name}");
        // Past what captures the output of tests that pass.
        let _ = writeln!(
            std::io::stderr(),
            "{name}: {} ms, {count} times {unit}",
            took.as_millis()
        );
    }
}
