//! Which paths of one side the other side does not have.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::paths::leaves_out;
use super::super::run::Loaded;
use crate::paths::{AccessGraph, AccessPath, Gain, PathEnd};
use crate::project::{Effects, Project};
use crate::source::Span;

/// The paths of one side, with what tells them apart.
pub(super) struct PathList {
    all: Vec<AccessPath>,
    /// Of each, from the most to the least certain: what it is, and what it is called.
    keys: Vec<[String; 3]>,
    /// Of each, its ends.
    ends: Vec<[String; 2]>,
    reach: DirectReach,
    /// The paths of roles where no one begins by their keys, and whether they are certain.
    idle: HashMap<String, bool>,
    /// There are more paths to data.
    is_cut: bool,
}

/// What no path is needed for.
#[derive(Default)]
struct DirectReach {
    administrators: HashSet<String>,
    /// Who can become one.
    elevated: HashSet<String>,
    links: HashSet<[String; 2]>,
    /// Of each start, the ends that stand for several.
    sets: HashMap<String, Vec<usize>>,
    members: HashMap<usize, HashSet<String>>,
}

impl DirectReach {
    fn new(graph: &AccessGraph, place: &dyn Fn(&PathEnd) -> String) -> Self {
        let mut out = Self::default();
        let named: Vec<String> = graph.ends.iter().map(|e| place(&e.end)).collect();
        let is_admin = |gain: &Option<Gain>| *gain == Some(Gain::Admin);
        for (end, name) in graph.ends.iter().zip(&named).filter(|(e, _)| is_admin(&e.gain)) {
            if end.members.is_none() {
                out.administrators.insert(name.clone());
            }
        }
        let admin = graph.paths.iter().filter(|(p, _)| p.gain == Gain::Admin);
        out.elevated = admin.map(|(p, _)| place(&p.from)).collect();
        let is_set = |at: usize| graph.ends.get(at).is_some_and(|e| e.members.is_some());
        for link in &graph.links {
            let (Some(from), Some(to)) = (named.get(link.from), named.get(link.to)) else {
                continue;
            };
            match (is_set(link.from), is_set(link.to)) {
                (false, false) => drop(out.links.insert([from.clone(), to.clone()])),
                (false, true) => out.sets.entry(from.clone()).or_default().push(link.to),
                (true, _) => drop(out.members.entry(link.from).or_default().insert(to.clone())),
            }
        }
        out
    }

    /// Whether a start has what a path gains without it, or something greater.
    fn has(&self, gain: Gain, ends: &[String; 2]) -> bool {
        let [from, to] = ends;
        let through_set = || {
            let sets = self.sets.get(from).into_iter().flatten();
            let mut members = sets.filter_map(|set| self.members.get(set));
            members.any(|all| all.contains(to))
        };
        let greater = match gain {
            Gain::Admin => false,
            Gain::Data => self.links.contains(ends) || through_set(),
            Gain::IdentityAdministration | Gain::Account | Gain::Identity => self.elevated.contains(from),
        };
        greater || self.administrators.contains(from)
    }
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

/// More paths to data are not listed.
const MAX_DATA_PATHS: usize = 2_000;

/// Who can become whom.
pub(super) fn paths_of(project: &Project<'_>) -> AccessGraph {
    AccessGraph::with_idle(project, &Effects::new(project))
}

impl PathList {
    /// `below` is the path of a root as it is compared; `moves` are those from the other side.
    pub(super) fn new(
        graph: AccessGraph,
        read: &Loaded<'_>,
        project: &Project<'_>,
        below: &dyn Fn(&str) -> String,
        moves: &SubjectMoves,
    ) -> Self {
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
        let reach = DirectReach::new(&graph, &place);
        let keys = |p: &AccessPath| [key(p, &place), key(p, &PathEnd::text), key(p, &local)];
        let is_shown = |p: &AccessPath| !p.spans().any(|s| leaves_out(read, project, s));
        let mut idle: HashMap<String, bool> = HashMap::new();
        for path in graph.idle.iter().filter(|p| is_shown(p)) {
            for key in keys(path) {
                *idle.entry(key).or_default() |= is_certain(path);
            }
        }
        let mut all: Vec<AccessPath> = graph.paths.into_iter().map(|(p, _)| p).collect();
        let is_cut = all.iter().filter(|p| p.gain == Gain::Data).count() >= MAX_DATA_PATHS;
        all.retain(is_shown);
        Self {
            keys: all.iter().map(keys).collect(),
            ends: all.iter().map(|p| [place(&p.from), place(&p.to)]).collect(),
            reach,
            idle,
            is_cut,
            all,
        }
    }

    /// Those who certainly become an administrator.
    fn administrators(&self) -> HashSet<&str> {
        let certain = self
            .all
            .iter()
            .zip(&self.ends)
            .filter(|(p, _)| p.gain == Gain::Admin && is_certain(p));
        certain.map(|(_, [from, _])| from.as_str()).collect()
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
        let administrators = other.administrators();
        let each = list.all.iter().zip(&list.keys).zip(&list.ends);
        for (((path, keys), ends), other_at) in each.zip(taken) {
            // Those to data may be only some.
            if path.gain == Gain::Data && (old.is_cut || new.is_cut) {
                continue;
            }
            if other_at.is_none() && other.reach.has(path.gain, ends) {
                continue;
            }
            // Who becomes an administrator has all data, and those paths are not listed.
            if path.gain == Gain::Data && other_at.is_none() && administrators.contains(ends[0].as_str()) {
                continue;
            }
            // What a role leads to is there, whether or not someone begins at it.
            let idle = || keys.iter().find_map(|key| other.idle.get(key)).copied();
            let known = other_at.and_then(|at| other.all.get(at));
            match (is_certain(path), known.map(is_certain).or_else(idle)) {
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
    found.or_else(|| needs().rfind(|s| s.is_in_source())).or(path.from.span)
}
