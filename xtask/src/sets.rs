//! `cargo xtask sets` and `cargo xtask diffs`, each with `--pairs N --seed S`: the random comparisons of `tests/it/sets.rs`,
//! many of them.

use std::process::Command;

/// A test that makes random pairs.
pub struct PairTest {
    name: &'static str,
    /// Pairs without `--pairs`.
    pairs: u64,
}

/// Of a few statements each.
pub const STATEMENTS: PairTest = PairTest {
    name: "sets::comparisons_agree_with_requests",
    pairs: 1_000_000,
};

/// Of whole policies.
pub const POLICIES: PairTest = PairTest {
    name: "sets::policies_of_several_statements_agree_with_requests",
    pairs: 100_000,
};

pub fn run(test: &PairTest, args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut pairs, mut seed) = (test.pairs, 1);
    let mut args = args;
    while let Some(arg) = args.next() {
        let value = args.next().and_then(|v| v.parse().ok());
        let value: u64 = value.ok_or_else(|| format!("{arg} needs a number"))?;
        match arg.as_str() {
            "--pairs" => pairs = value,
            "--seed" => seed = value,
            _ => return Err(format!("unknown option {arg}: --pairs N --seed S")),
        }
    }
    let status = Command::new("cargo")
        .args(["test", "--release", "--test", "it", test.name, "--", "--nocapture"])
        .env("OVERGRANT_PAIRS", pairs.to_string())
        .env("OVERGRANT_SEED", seed.to_string())
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("the comparisons do not agree with the requests".to_owned()),
    }
}
