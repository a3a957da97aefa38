//! Known ways to more permissions: `rules/facts/hand/escalation.txt`.

use std::sync::OnceLock;

use super::pass_role::is_every_role;
use crate::iam::Statement;
use crate::iam::arn::{self, Breadth};
use crate::iam::condition::{Grade, strength};

/// What makes a way dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// On one's own policies or groups, or on another principal.
    Own,
    /// A role handed to something new.
    Pass,
    /// Through something that runs already.
    Target,
}

pub(super) struct Way {
    pub(super) how: How,
    pub(super) actions: Vec<&'static str>,
    pub(super) what: &'static str,
}

/// The table, read on first use.
pub(super) fn ways() -> &'static [Way] {
    static WAYS: OnceLock<Vec<Way>> = OnceLock::new();
    WAYS.get_or_init(|| {
        include_str!("../../../rules/facts/hand/escalation.txt")
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| {
                let mut fields = l.split('\t');
                let _name = fields.next()?;
                let how = match fields.next()? {
                    "self" => How::Own,
                    "pass" => How::Pass,
                    _ => How::Target,
                };
                let actions = fields.next()?.split(' ').collect();
                let what = fields.next()?;
                Some(Way { how, actions, what })
            })
            .collect()
    })
}

/// Whether a statement that grants `action` grants it widely enough for a way of this kind.
pub(super) fn suits(s: &Statement, action: &str, how: How) -> bool {
    let pass = action == "iam:PassRole";
    let strength = strength(s);
    if pass && strength.has("iam:PassedToService", Grade::Narrows) {
        return false;
    }
    // Somebody who may only attach named policies, or only with a boundary, is held.
    let held = |k: &&str| strength.has(k, Grade::Narrows);
    if how == How::Own && ["iam:PolicyARN", "iam:PermissionsBoundary"].iter().any(held) {
        return false;
    }
    let Some(resource) = &s.resource else { return false };
    resource.negated
        || resource.items.iter().any(|r| match how {
            How::Pass if pass => is_every_role(r),
            // What is made anew may be named in advance.
            How::Pass => arn::widest(&r.text) != Breadth::Unknown || r.text.as_hole().is_none(),
            How::Own | How::Target => arn::widest(&r.text) <= Breadth::WholeType,
        })
}

/// At most 60 characters, as labels are.
pub(super) fn clip(what: &str) -> String {
    if what.chars().count() <= 60 {
        what.to_owned()
    } else {
        what.chars().take(59).chain(['…']).collect()
    }
}
