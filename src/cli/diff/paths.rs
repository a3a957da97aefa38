//! Which paths of one side the other side does not have.

use std::collections::{BTreeMap, HashMap};

use super::super::paths::leaves_out;
use super::super::run::Loaded;
use crate::paths::{AccessPath, Gain, PathEnd, PathQuery, Paths};
use crate::project::{Effects, Project};
use crate::source::Span;

/// The paths of one side, with what tells them apart.
pub(super) struct PathList {
    all: Vec<AccessPath>,
    /// Of each, from the most to the least certain: what it is, and what it is called.
    keys: Vec<[String; 3]>,
    /// There are more paths to data.
    more: bool,
}

/// Where something was before it was moved: its root and address, and those that it has now.
pub(super) type SubjectMoves = HashMap<(String, String), (String, String)>;

/// What of one side is not on the other one.
#[derive(Default)]
pub(super) struct ChangedPaths {
    pub(super) opened: Vec<AccessPath>,
    pub(super) closed: Vec<AccessPath>,
    /// Whether it opens, and the path, of which something is not known on one side.
    pub(super) unknown: Vec<(bool, AccessPath)>,
}

/// All paths by which something is gained, and whether there are more to data.
pub(super) fn paths_of(project: &Project<'_>) -> (Vec<AccessPath>, bool) {
    let effects = Effects::new(project);
    let found = Paths::new(project, &effects, &PathQuery::default());
    (found.iter().collect(), found.more)
}

impl PathList {
    /// `below` is the path of a root as it is compared; `moves` are those from the other side.
    pub(super) fn new(
        (mut all, more): (Vec<AccessPath>, bool),
        read: &Loaded<'_>,
        project: &Project<'_>,
        below: &dyn Fn(&str) -> String,
        moves: &SubjectMoves,
    ) -> Self {
        all.retain(|p| !p.spans().any(|s| leaves_out(read, project, s)));
        let place = |end: &PathEnd| match (end.resource, &end.address) {
            (Some(id), Some(address)) => {
                let at = (below(project.resources[id].address.root()), address.clone());
                let (root, address) = moves.get(&at).unwrap_or(&at);
                format!("{root}\n{address}")
            }
            _ => end.text(),
        };
        let local = |end: &PathEnd| match end.resource {
            Some(id) => format!("{} {}", end.kind, project.resources[id].address.name),
            None => end.text(),
        };
        let key = |p: &AccessPath, of: &dyn Fn(&PathEnd) -> String| {
            let to = match p.gain {
                // To be an administrator of an account is one gain, through whichever of them.
                Gain::Admin | Gain::IdentityAdministration | Gain::Account => account(&p.to).to_owned(),
                Gain::Data | Gain::Identity => of(&p.to),
            };
            format!("{}\n{}\n{to}", p.gain.name(), of(&p.from))
        };
        let keys = all
            .iter()
            .map(|p| [key(p, &place), key(p, &PathEnd::text), key(p, &local)]);
        Self {
            keys: keys.collect(),
            more,
            all,
        }
    }
}

/// The account that an end is in, where its ARN says so.
fn account(end: &PathEnd) -> &str {
    let arn = end.arn.as_deref().unwrap_or_default();
    arn.split(':').nth(4).unwrap_or_default()
}

fn is_certain(path: &AccessPath) -> bool {
    path.hops.iter().all(|h| h.unknown.is_empty())
}

/// Matches paths by their ends.
pub(super) fn changed_paths(old: &PathList, new: &PathList) -> ChangedPaths {
    let mut of_old: Vec<Option<usize>> = vec![None; old.all.len()];
    let mut of_new: Vec<Option<usize>> = vec![None; new.all.len()];
    for level in 0..3 {
        let mut found: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
        for (side, list, taken) in [(0, old, &of_old), (1, new, &of_new)] {
            for (at, keys) in list.keys.iter().enumerate().filter(|(at, _)| taken[*at].is_none()) {
                found.entry(&keys[level]).or_default()[side].push(at);
            }
        }
        for [a, b] in found.into_values() {
            for (a, b) in a.into_iter().zip(b) {
                of_old[a] = Some(b);
                of_new[b] = Some(a);
            }
        }
    }
    let mut out = ChangedPaths::default();
    for (list, other, taken, opens) in [(new, old, &of_new, true), (old, new, &of_old, false)] {
        for (path, other_at) in list.all.iter().zip(taken) {
            // Those to data may be only some.
            if path.gain == Gain::Data && (old.more || new.more) {
                continue;
            }
            let other = other_at.and_then(|at| other.all.get(at));
            match (is_certain(path), other.map(is_certain)) {
                (_, Some(true)) | (false, Some(false)) => {}
                (true, None) if opens => out.opened.push(path.clone()),
                (true, None) => out.closed.push(path.clone()),
                (true, Some(false)) | (false, None) => out.unknown.push((opens, path.clone())),
            }
        }
    }
    out
}

/// Where a path is changed: a place that one of the changes of policies names, else the last that the path needs.
pub(super) fn place(path: &AccessPath, changes: &[Span]) -> Option<Span> {
    let needs = || path.hops.iter().flat_map(|h| &h.needs).map(|n| n.span);
    let is_changed = |need: &Span| {
        let overlaps = |c: &Span| c.file == need.file && (c.contains(*need) || need.contains(*c));
        changes.iter().any(overlaps)
    };
    let found = needs().find(is_changed);
    found
        .or_else(|| needs().filter(|s| s.is_in_source()).next_back())
        .or(path.from.span)
}
