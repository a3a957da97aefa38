//! How many workloads are compared with their roles, in one line.

use std::fmt::Write as _;

use crate::phrase::count;

/// How many workloads there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkloadCounts {
    pub(super) compared: usize,
    /// By one of the rules.
    pub(super) in_part: usize,
    pub(super) not_compared: usize,
    /// Not listed.
    pub(super) in_tests: usize,
    /// Not listed: they are in the code of the CDK and in its output.
    pub(super) rendered: usize,
}

impl WorkloadCounts {
    pub fn add(&mut self, more: Self) {
        self.compared += more.compared;
        self.in_part += more.in_part;
        self.not_compared += more.not_compared;
        self.in_tests += more.in_tests;
        self.rendered += more.rendered;
    }

    /// The line at the end of a list.
    pub fn line(&self) -> String {
        let all = self.compared + self.in_part + self.not_compared;
        let mut out = count(all, "workload", "workloads");
        for (n, what) in [
            (self.compared, "compared"),
            (self.in_part, "compared in part"),
            (self.not_compared, "not compared"),
            (self.in_tests, "more in test code"),
            (
                self.rendered,
                "more are the same in the source and the output of the CDK",
            ),
        ] {
            if n > 0 {
                let _ = write!(out, ", {n} {what}");
            }
        }
        out.push('\n');
        out
    }
}
