//! What is counted of a row and of a trail.

use std::collections::{BTreeMap, BTreeSet};

use super::clean::cleaned;
use super::event::role_of_session;
use crate::evidence::row::{Period, UsedRow};

/// Event sources of a trail, and types of data events.
const MOST_SOURCES: usize = 1_000;
/// Containers of one type of data event.
const MOST_CONTAINERS: usize = 200;

/// ARNs, of which the first ones in their order are kept: which ones does not depend on the order of the events.
#[derive(Clone, Debug, Default)]
pub(super) struct ArnSet {
    pub(super) arns: BTreeSet<String>,
    pub(super) is_cut: bool,
}

impl ArnSet {
    pub(super) fn add(&mut self, arn: &str) {
        // Most of the events of a row name what is there already.
        if self.arns.contains(arn) {
            return;
        }
        let of_role = role_of_session(arn);
        let arn = cleaned(of_role.as_deref().unwrap_or(arn));
        if arn.contains(":federated-user/") {
            return;
        }
        if !self.arns.contains(&*arn) {
            bounded_insert(
                &mut self.arns,
                arn.into_owned(),
                UsedRow::MOST_RESOURCES,
                &mut self.is_cut,
            );
        }
    }

    fn merge(&mut self, other: Self) {
        self.is_cut |= other.is_cut;
        for arn in other.arns {
            bounded_insert(&mut self.arns, arn, UsedRow::MOST_RESOURCES, &mut self.is_cut);
        }
    }
}

fn bounded_insert(set: &mut BTreeSet<String>, item: String, most: usize, is_cut: &mut bool) {
    if set.len() >= most && set.last().is_some_and(|last| *last < item) {
        *is_cut = true;
        return;
    }
    set.insert(item);
    if set.len() > most {
        set.pop_last();
        *is_cut = true;
    }
}

/// What is counted of a row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) count: u64,
    pub(super) seen: Period,
    pub(super) resources: ArnSet,
}

impl Row {
    pub(super) fn new(seen: Period) -> Self {
        Self {
            count: 0,
            seen,
            resources: ArnSet::default(),
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.seen.extend(other.seen);
        self.resources.merge(other.resources);
    }
}

/// What is known of a trail.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    pub(super) seen: Period,
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) sources: BTreeSet<String>,
    pub(super) data: BTreeMap<String, TrailData>,
}

/// The data events of one type.
#[derive(Clone, Debug, Default)]
pub(super) struct TrailData {
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) containers: BTreeSet<String>,
}

impl Trail {
    pub(super) fn new(seen: Period) -> Self {
        Self {
            seen,
            reads: false,
            writes: false,
            sources: BTreeSet::new(),
            data: BTreeMap::new(),
        }
    }

    pub(super) fn management(&mut self, source: &str, reads: bool) {
        match reads {
            true => self.reads = true,
            false => self.writes = true,
        }
        if !self.sources.contains(source) && self.sources.len() < MOST_SOURCES {
            self.sources.insert(cleaned(source).into_owned());
        }
    }

    pub(super) fn data(&mut self, kind: &str, container: Option<&str>, reads: bool) {
        if !self.data.contains_key(kind) {
            if self.data.len() >= MOST_SOURCES {
                return;
            }
            self.data.insert(cleaned(kind).into_owned(), TrailData::default());
        }
        let Some(data) = self.data.get_mut(kind) else { return };
        match reads {
            true => data.reads = true,
            false => data.writes = true,
        }
        if let Some(container) = container
            && !data.containers.contains(container)
        {
            bounded_insert(
                &mut data.containers,
                cleaned(container).into_owned(),
                MOST_CONTAINERS,
                &mut false,
            );
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.reads |= other.reads;
        self.writes |= other.writes;
        self.sources.extend(other.sources);
        for (kind, data) in other.data {
            let own = self.data.entry(kind).or_default();
            own.reads |= data.reads;
            own.writes |= data.writes;
            for container in data.containers {
                bounded_insert(&mut own.containers, container, MOST_CONTAINERS, &mut false);
            }
        }
    }
}
