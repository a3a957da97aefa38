//! Large repositories: nothing is lost in them, and twice as much is twice the work.

use std::time::{Duration, Instant};

use overgrant::internals::iam::Ownership;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::source::Sources;

use crate::support::generated::{RESOURCES_PER_MODULE, terraform};

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
