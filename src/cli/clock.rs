//! How long each stage of a run takes.

use std::time::{Duration, Instant};

/// Seconds since 1970 of `SOURCE_DATE_EPOCH`, where it is set.
pub(super) fn source_date() -> Option<i64> {
    std::env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()
}

/// Time by stage.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    start: Instant,
    last: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Clock {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self {
            start: now,
            last: now,
            laps: Vec::new(),
        }
    }

    /// The next stage starts now: the time since the last one was that of others.
    pub(super) fn resume(&mut self) {
        self.last = Instant::now();
    }

    /// The stages of several clocks, of which the first one started first.
    pub(super) fn merged<'c>(clocks: impl IntoIterator<Item = &'c Self>) -> Self {
        let mut clocks = clocks.into_iter();
        let mut merged = clocks.next().map_or_else(Self::start, Clone::clone);
        merged.laps.extend(clocks.flat_map(|clock| clock.laps.iter().copied()));
        merged
    }

    pub(super) fn record(&mut self, name: &'static str) {
        let now = Instant::now();
        self.laps.push((name, now - self.last));
        self.last = now;
    }

    /// Takes the stages of an analysis, which end now.
    pub(super) fn add(&mut self, laps: &mut Vec<(&'static str, Duration)>) {
        self.laps.append(laps);
        self.last = Instant::now();
    }

    pub(super) fn total(&self) -> Duration {
        self.start.elapsed()
    }

    /// The stages in their order, each once, which together take the whole time.
    pub(super) fn stages(&self) -> Vec<(&'static str, Duration)> {
        let mut stages: Vec<(&'static str, Duration)> = Vec::new();
        for (name, took) in &self.laps {
            match stages.iter_mut().find(|(stage, _)| stage == name) {
                Some((_, sum)) => *sum += *took,
                None => stages.push((name, *took)),
            }
        }
        let sum = stages.iter().map(|(_, took)| *took).sum();
        stages.push(("rest", self.total().saturating_sub(sum)));
        stages
    }
}
