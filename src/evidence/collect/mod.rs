//! Collecting evidence: events become rows, one at a time.
//!
//! **Invariant:** memory does not depend on the number of events; the order of files and events changes nothing.

mod clean;
mod details;
mod event;
mod facts;
mod reader;
mod rows;
mod split;

#[cfg(any(test, feature = "internals"))]
pub use reader::FileFailure;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use clean::{cleaned, cleaned_name};
use event::{LogEvent, is_denied};
use facts::EventFacts;
use rows::{Row, Trail};

use super::row::{
    Coverage, DataCoverage, EvidenceIdentity, EvidenceIdentityKind, LastUsed, Period, UnusedPermission, UsageEvidence,
    UsedRow, is_account,
};
use crate::date::Date;

/// Rows of one collector. Each has at most 20 KB.
const MOST_ROWS: usize = 100_000;
/// Days of which it is known that they have events.
const MOST_DAYS: usize = 40_000;
/// Names of events without a known action that are kept.
const MOST_UNKNOWN: usize = 1_000;

/// What was read, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectCounts {
    /// Events of CloudTrail, also those that a query counted.
    pub events: u64,
    /// Lines of last-accessed details, and findings.
    pub details: u64,
    /// Objects and lines that cannot be read.
    pub broken: u64,
    /// Objects that are neither events nor anything else that is collected.
    pub other: u64,
    /// Digest files.
    pub digests: u64,
    /// CloudTrail Insights events.
    pub insights: u64,
    /// Events whose time is not in UTC.
    pub other_clocks: u64,
    /// Events of more rows than are kept.
    pub dropped: u64,
    /// Events without a known action: event source, event name, how many.
    pub unknown: BTreeMap<(String, String), u64>,
}

/// What of a file was not read as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkippedCounts {
    /// Objects and lines that cannot be read.
    pub broken: u64,
    /// Objects that are neither events nor anything else that is collected.
    pub other: u64,
    /// Events whose time is not in UTC: they were read.
    pub other_clocks: u64,
}

/// Collects evidence from files.
#[derive(Debug, Default)]
pub struct Collector {
    rows: HashMap<String, Row>,
    trails: HashMap<String, Trail>,
    days: BTreeSet<Date>,
    last_used: BTreeSet<LastUsed>,
    unused: BTreeSet<UnusedPermission>,
    counts: CollectCounts,
    facts: HashMap<String, Arc<EventFacts>>,
    /// The day of the last event's time, which most of the next ones have.
    day: Option<(String, Date)>,
    key: String,
}

/// How often an event stands for: once, or what a query counted.
#[derive(Clone, Copy, Debug)]
struct EventWeight {
    count: u64,
    seen: Period,
    /// There were more resources.
    is_cut: bool,
}

/// Why an object is not counted as an event.
enum NoEvent {
    Other,
    Digest,
    Insight,
    Broken,
}

impl Collector {
    /// Adds what is in an event.
    fn event(&mut self, event: &LogEvent<'_>) -> Result<(), NoEvent> {
        let (Some(time), Some(_), Some(_)) = (event.event_time.get(), event.event_source.get(), event.event_name.get())
        else {
            return Err(match event.digest_end_time.get() {
                Some(_) => NoEvent::Digest,
                None => NoEvent::Other,
            });
        };
        let day = self.day_of(time).ok_or(NoEvent::Broken)?;
        let weight = EventWeight {
            count: 1,
            seen: Period { first: day, last: day },
            is_cut: false,
        };
        self.weighted(event, weight)?;
        self.saw_day(day);
        Ok(())
    }

    fn saw_day(&mut self, day: Date) {
        if self.days.len() < MOST_DAYS {
            self.days.insert(day);
        }
    }

    fn day_of(&mut self, time: &str) -> Option<Date> {
        if time.len() >= 20 && time.as_bytes().get(10) == Some(&b'T') && time.ends_with('Z') {
            let text = time.get(..10)?;
            if let Some((known, day)) = &self.day
                && known == text
            {
                return Some(*day);
            }
            let day = Date::parse(text)?;
            self.day = Some((text.to_owned(), day));
            return Some(day);
        }
        let day = Date::of_time(time)?;
        self.counts.other_clocks += 1;
        Some(day)
    }

    fn weighted(&mut self, event: &LogEvent<'_>, weight: EventWeight) -> Result<(), NoEvent> {
        let source = event.event_source.text();
        let name = event.event_name.text();
        let category = event.event_category.text();
        let event_type = event.event_type.text();
        if category == "Insight" || event_type == "AwsCloudTrailInsight" {
            return Err(NoEvent::Insight);
        }
        let facts = self.facts_of(source, name);
        let is_call = !matches!(event_type, "AwsServiceEvent" | "AwsConsoleSignIn");
        let anonymous = event::UserIdentity::default();
        let user = event.user_identity.as_ref().unwrap_or(&anonymous);
        let caller = user.caller();
        let via = user
            .invoked_by
            .get()
            .filter(|_| caller.kind != EvidenceIdentityKind::Service);
        let own_account = match caller.kind {
            EvidenceIdentityKind::Account => Some(&*caller.name),
            _ => caller.name.split(':').nth(4).filter(|a| is_account(a)),
        };
        let recipient = event.recipient_account_id.get().filter(|a| is_account(a));
        let account = recipient.filter(|a| own_account.is_some_and(|own| own != *a));
        let error = event.error_code.text();

        let mut key = std::mem::take(&mut self.key);
        key.clear();
        let denied = if is_denied(error) { "denied" } else { "allowed" };
        let head = [
            caller.kind.name(),
            &caller.name,
            source,
            name,
            denied,
            via.unwrap_or(""),
            account.unwrap_or(""),
        ];
        for field in head {
            key.push_str(field);
            key.push('\0');
        }
        match (is_call, &facts.actions) {
            (false, _) => {}
            (true, None) => {
                key.push('?');
                self.saw_unknown(source, name, weight.count);
            }
            (true, Some(known)) => {
                for action in &known.actions {
                    key.push_str(action);
                    key.push(' ');
                }
                for (parameters, action) in &known.with_parameters {
                    if parameters.iter().any(|p| event.request_parameters.has(p)) && !known.actions.contains(action) {
                        key.push_str(action);
                        key.push(' ');
                    }
                }
            }
        }
        let is_known = self.rows.contains_key(&key);
        if is_known || self.rows.len() < MOST_ROWS {
            if !is_known {
                self.rows.insert(key.clone(), Row::new(weight.seen));
            }
            if let Some(row) = self.rows.get_mut(&key) {
                row.count += weight.count;
                row.seen.extend(weight.seen);
                row.resources.is_cut |= weight.is_cut;
                facts.resources(event, recipient.or(own_account), |arn| row.resources.add(arn));
            }
        } else {
            self.counts.dropped += weight.count;
        }
        self.key = key;
        self.counts.events += weight.count;
        self.covers(
            event,
            recipient.or(own_account).or(user.account_id.get()),
            &facts,
            weight.seen,
        );
        Ok(())
    }

    fn saw_unknown(&mut self, source: &str, name: &str, count: u64) {
        let key = (cleaned(source).into_owned(), cleaned(name).into_owned());
        let unknown = &mut self.counts.unknown;
        if unknown.len() < MOST_UNKNOWN || unknown.contains_key(&key) {
            *unknown.entry(key).or_default() += count;
        }
    }

    fn facts_of(&mut self, source: &str, name: &str) -> Arc<EventFacts> {
        self.key.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.key, "{source}\0{name}");
        if let Some(facts) = self.facts.get(&self.key) {
            return Arc::clone(facts);
        }
        let facts = Arc::new(EventFacts::new(source, name));
        if self.facts.len() < MOST_ROWS {
            self.facts.insert(self.key.clone(), Arc::clone(&facts));
        }
        facts
    }

    /// Notes what the trail of an event logs.
    fn covers(&mut self, event: &LogEvent<'_>, account: Option<&str>, facts: &EventFacts, seen: Period) {
        let is_data = match (event.event_category.text(), event.management_event.text()) {
            ("Data", _) | ("", "false") => true,
            ("Management", _) | ("", "true") => false,
            ("", _) => facts.data_type().is_some(),
            _ => return,
        };
        let reads = match event.read_only.text() {
            "true" => true,
            "false" => false,
            _ => facts.reads,
        };
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        let _ = write!(
            key,
            "{}\0{}",
            account.unwrap_or("-"),
            event.aws_region.get().unwrap_or("-")
        );
        if !self.trails.contains_key(&key) && self.trails.len() < MOST_ROWS {
            self.trails.insert(key.clone(), Trail::new(seen));
        }
        if let Some(trail) = self.trails.get_mut(&key) {
            trail.seen.extend(seen);
            match is_data {
                true => facts.data(event, account, |kind, container| trail.data(kind, container, reads)),
                false => trail.management(event.event_source.text(), reads),
            }
        }
        self.key = key;
    }

    /// What was skipped until now.
    pub fn skipped(&self) -> SkippedCounts {
        SkippedCounts {
            broken: self.counts.broken,
            other: self.counts.other,
            other_clocks: self.counts.other_clocks,
        }
    }

    /// Adds what another collector found.
    pub fn merge(&mut self, other: Self) {
        for (key, row) in sorted(other.rows) {
            let is_full = self.rows.len() >= MOST_ROWS;
            match self.rows.get_mut(&key) {
                Some(own) => own.merge(row),
                None if is_full => self.counts.dropped += row.count,
                None => {
                    self.rows.insert(key, row);
                }
            }
        }
        for (key, trail) in sorted(other.trails) {
            match self.trails.get_mut(&key) {
                Some(own) => own.merge(trail),
                None => {
                    self.trails.insert(key, trail);
                }
            }
        }
        self.days.extend(other.days);
        self.last_used.extend(other.last_used);
        self.unused.extend(other.unused);
        let (own, other) = (&mut self.counts, other.counts);
        own.events += other.events;
        own.details += other.details;
        own.broken += other.broken;
        own.other += other.other;
        own.digests += other.digests;
        own.insights += other.insights;
        own.other_clocks += other.other_clocks;
        own.dropped += other.dropped;
        for (key, count) in other.unknown {
            *own.unknown.entry(key).or_default() += count;
        }
    }

    /// What was collected, and the counts.
    pub fn finish(self) -> (UsageEvidence, CollectCounts) {
        let mut rows: BTreeMap<UsedRow, Row> = BTreeMap::new();
        for (key, row) in sorted(self.rows) {
            let Some(used) = used_row(&key) else { continue };
            // Rows that differ in what is left out are one.
            match rows.get_mut(&used) {
                Some(own) => own.merge(row),
                None => {
                    rows.insert(used, row);
                }
            }
        }
        let rows = rows.into_iter().map(|(used, row)| UsedRow {
            count: row.count,
            seen: row.seen,
            resources_cut: row.resources.is_cut && !row.resources.arns.is_empty(),
            resources: row.resources.arns.into_iter().collect(),
            ..used
        });
        let coverage = sorted(self.trails).into_iter().map(|(key, trail)| {
            let (account, region) = key.split_once('\0').unwrap_or(("-", "-"));
            let data = trail.data.into_iter().map(|(resource_type, data)| DataCoverage {
                resource_type,
                reads: data.reads,
                writes: data.writes,
                containers: data.containers.into_iter().collect(),
            });
            Coverage {
                account: if is_account(account) { account } else { "-" }.to_owned(),
                region: cleaned(region).into_owned(),
                seen: trail.seen,
                reads: trail.reads,
                writes: trail.writes,
                sources: trail.sources.into_iter().collect(),
                data: data.collect(),
            }
        });
        let mut evidence = UsageEvidence {
            period: period_of(&self.days),
            gaps: gaps_of(&self.days),
            coverage: coverage.collect(),
            rows: rows.collect(),
            last_used: self.last_used.into_iter().collect(),
            unused: self.unused.into_iter().collect(),
        };
        evidence.sort();
        (evidence, self.counts)
    }
}

/// The entries in the order of their keys.
fn sorted<T>(map: HashMap<String, T>) -> Vec<(String, T)> {
    let mut all: Vec<_> = map.into_iter().collect();
    all.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    all
}

/// The row of a key, without what it counts.
fn used_row(key: &str) -> Option<UsedRow> {
    let mut fields = key.split('\0');
    let word = fields.next()?;
    let kind = EvidenceIdentityKind::ALL.into_iter().find(|k| k.name() == word)?;
    let name = fields.next()?;
    let name = match kind {
        EvidenceIdentityKind::Role
        | EvidenceIdentityKind::User
        | EvidenceIdentityKind::Federated
        | EvidenceIdentityKind::Root => cleaned_name(name),
        _ => cleaned(name),
    };
    let some = |text: &str| (!text.is_empty()).then(|| cleaned(text).into_owned());
    let day = Date::from_days(0);
    Some(UsedRow {
        identity: EvidenceIdentity {
            kind,
            name: name.into_owned(),
        },
        event_source: some(fields.next()?)?,
        event_name: some(fields.next()?)?,
        denied: fields.next()? == "denied",
        via: some(fields.next()?),
        account: some(fields.next()?),
        actions: match fields.next()? {
            "?" => None,
            actions => {
                let mut actions: Vec<String> = actions.split_whitespace().map(str::to_owned).collect();
                actions.sort();
                Some(actions)
            }
        },
        resources: Vec::new(),
        resources_cut: false,
        count: 0,
        seen: Period { first: day, last: day },
    })
}

fn period_of(days: &BTreeSet<Date>) -> Option<Period> {
    Some(Period {
        first: *days.first()?,
        last: *days.last()?,
    })
}

fn gaps_of(days: &BTreeSet<Date>) -> Vec<Period> {
    let next = days.iter().skip(1);
    let pairs = days.iter().zip(next);
    pairs
        .filter(|(a, b)| b.days() - a.days() > 1)
        .map(|(a, b)| Period {
            first: Date::from_days(a.days() + 1),
            last: Date::from_days(b.days() - 1),
        })
        .collect()
}
