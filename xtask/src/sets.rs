//! `cargo xtask sets --pairs N --seed S`: the random comparisons of `tests/it/sets.rs`, many of them.

use std::process::Command;

/// Pairs without `--pairs`.
const PAIRS: u64 = 1_000_000;

pub fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut pairs, mut seed) = (PAIRS, 1);
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
        .args(["test", "--release", "--test", "it", "sets::", "--", "--nocapture"])
        .env("OVERGRANT_PAIRS", pairs.to_string())
        .env("OVERGRANT_SEED", seed.to_string())
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("the comparisons do not agree with the requests".to_owned()),
    }
}
