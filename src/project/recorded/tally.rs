//! What one identity of the repository used, as far as the logs tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::names::LoggedIdentity;
use super::{LEAST_DAYS, covered};
use crate::date::Date;
use crate::evidence::{Evidence, LastUsed, Logged, Period, UnusedKind, UsedRow};
use crate::iam::cloudtrail::{ActionLogging, action_logging};
use crate::iam::{Action, ActionId, ActionSet, Clause, Statement, catalogue, sdk};
use crate::project::targets::ResourceRefs;
use crate::source::{HoleKind, Piece, Text};

/// Items of `Resource` that are compared with what a trail logs.
const MAX_ITEMS: usize = 64;

/// Calls that need an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseCount {
    /// How many.
    pub calls: u64,
    /// The day of the last one, in UTC.
    pub last: Date,
}

impl UseCount {
    fn add(&mut self, calls: u64, last: Date) {
        self.calls = self.calls.saturating_add(calls);
        self.last = self.last.max(last);
    }
}

/// Why an action counts as not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseProof {
    /// The logs of this period, of which so many days have events, would have its calls.
    Logs { period: Period, days: i64 },
    /// A finding of IAM Access Analyzer, of this day.
    Analyzer(Option<Date>),
    /// IAM's last-accessed details, of this day.
    LastAccessed(Date),
}

/// What an identity of the repository used.
#[derive(Debug)]
pub struct IdentityUse {
    /// Index into [`super::ProjectEvidence::files`].
    pub file: usize,
    /// Roles or users of the logs that it is: ARNs, without paths.
    pub names: Vec<String>,
    /// By their whole names.
    pub exact: bool,
    /// The days that the logs of its accounts cover, and how many of them have events.
    pub covered: Option<(Period, i64)>,
    /// The days of its first and last call, in UTC; `None` if only other reports than logs name it.
    pub seen: Option<Period>,
    /// Calls that were allowed, by action.
    pub used: BTreeMap<ActionId, UseCount>,
    /// Calls that were denied, by action.
    pub denied: BTreeMap<ActionId, UseCount>,
    /// Calls of events whose actions are not known.
    pub unknown: u64,
    /// What was used, and what may have been used with it.
    possible: ActionSet,
    logged: Arc<LoggedActions>,
    by_analyzer: Option<(ActionSet, Option<Date>)>,
    by_last_accessed: Option<(ActionSet, Date)>,
}

/// What the logs of some accounts would have.
#[derive(Debug, Default)]
struct LoggedActions {
    /// On any resource.
    always: ActionSet,
    /// On some resources.
    data: Vec<DataActions>,
}

/// [`LoggedActions`] by accounts: identities of one account share them.
#[derive(Default)]
pub(super) struct LoggedByAccounts(BTreeMap<BTreeSet<String>, Arc<LoggedActions>>);

impl LoggedByAccounts {
    fn of(&mut self, evidence: &Evidence, accounts: &BTreeSet<String>) -> Arc<LoggedActions> {
        if let Some(known) = self.0.get(accounts) {
            return Arc::clone(known);
        }
        let made = Arc::new(logged_actions(evidence, accounts));
        self.0.insert(accounts.clone(), Arc::clone(&made));
        made
    }
}

/// Actions whose calls are data events of the same types.
#[derive(Debug)]
struct DataActions {
    actions: ActionSet,
    /// ARNs of what was seen in the trail, of each account.
    containers: Vec<BTreeSet<String>>,
}

/// Gathers what the names of one identity did.
pub(super) struct Tally<'e> {
    file: usize,
    evidence: &'e Evidence,
    names: Vec<String>,
    exact: bool,
    accounts: BTreeSet<String>,
    rows: Vec<usize>,
    /// Of each name.
    stated: Vec<Stated>,
}

/// What reports other than logs say of one name.
#[derive(Default)]
struct Stated {
    by_analyzer: ActionSetOn,
    by_last_accessed: ActionSetOn,
    /// The first of the last uses: the identity existed then.
    existed: Option<Date>,
}

/// Actions, and the day of the report.
type ActionSetOn = Option<(ActionSet, Option<Date>)>;

impl<'e> Tally<'e> {
    pub(super) fn new(file: usize, evidence: &'e Evidence) -> Self {
        Self {
            file,
            evidence,
            names: Vec::new(),
            exact: true,
            accounts: BTreeSet::new(),
            rows: Vec::new(),
            stated: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, logged: &LoggedIdentity, exact: bool) {
        self.names.push(logged.identity().name);
        self.exact &= exact;
        self.accounts.insert(logged.account.clone());
        self.rows.extend(&logged.rows);
        self.stated.push(Stated::new(self.evidence, logged));
    }

    pub(super) fn accounts(&self) -> &BTreeSet<String> {
        &self.accounts
    }

    /// Whether it did anything, or IAM says when it last did.
    pub(super) fn is_seen(&self) -> bool {
        !self.rows.is_empty() || self.stated.iter().any(|s| s.existed.is_some())
    }

    /// The day of a finding of IAM Access Analyzer that each of its names is unused.
    pub(super) fn unused_by_analyzer(&self) -> Option<Option<Date>> {
        let of = |name: &String| {
            let mut unused = self.evidence.unused.iter();
            unused.find(|u| u.kind == UnusedKind::Role && u.identity.name == *name)
        };
        let found: Option<Vec<_>> = self.names.iter().map(of).collect();
        found?.iter().map(|u| u.as_of).min()
    }

    /// `None` where it did nothing, as far as is known.
    pub(super) fn finish(self, logged: &mut LoggedByAccounts) -> Option<IdentityUse> {
        if !self.is_seen() && self.stated.iter().all(|s| s.by_analyzer.is_none()) {
            return None;
        }
        let evidence = self.evidence;
        let mut out = IdentityUse {
            file: self.file,
            exact: self.exact,
            covered: covered(evidence, &self.accounts),
            seen: None,
            used: BTreeMap::new(),
            denied: BTreeMap::new(),
            unknown: 0,
            possible: ActionSet::empty(),
            logged: Arc::default(),
            by_analyzer: None,
            by_last_accessed: None,
            names: self.names,
        };
        for row in self.rows.iter().map(|i| &evidence.rows[*i]) {
            out.add_row(row);
        }
        // A role that is younger than the period may still be about to use what it has.
        let old = |first: Date, last: Date| last.days() - first.days() >= LEAST_DAYS - 1;
        if let (Some((period, days)), Some(seen)) = (out.covered, out.seen)
            && days >= LEAST_DAYS
            && old(seen.first, period.last)
        {
            out.logged = logged.of(evidence, &self.accounts);
        }
        out.by_analyzer = common(self.stated.iter().map(|s| &s.by_analyzer));
        let first = out.seen.map(|seen| seen.first).into_iter();
        let first = first.chain(self.stated.iter().filter_map(|s| s.existed)).min();
        let stated = common(self.stated.iter().map(|s| &s.by_last_accessed));
        out.by_last_accessed = stated.and_then(|(actions, as_of)| {
            let as_of = as_of?;
            old(first?, as_of).then_some((actions, as_of))
        });
        Some(out)
    }
}

/// What all of some reports say, with the first of their days.
fn common<'s>(mut all: impl Iterator<Item = &'s ActionSetOn>) -> ActionSetOn {
    let (mut actions, mut day) = all.next()?.clone()?;
    for next in all {
        let (more, as_of) = next.as_ref()?;
        actions.intersect(more);
        day = day.min(*as_of);
    }
    (!actions.is_empty()).then_some((actions, day))
}

impl Stated {
    fn new(evidence: &Evidence, logged: &LoggedIdentity) -> Self {
        let unused = logged.unused.iter().map(|i| &evidence.unused[*i]);
        let mut by_analyzer: ActionSetOn = None;
        for u in unused.filter(|u| u.kind == UnusedKind::Permission) {
            let Some(pattern) = &u.action else { continue };
            let (actions, day) = by_analyzer.get_or_insert_with(|| (ActionSet::empty(), u.as_of));
            actions.expand_into(pattern);
            *day = (*day).min(u.as_of);
        }
        let last_used: Vec<&LastUsed> = logged.last_used.iter().map(|i| &evidence.last_used[*i]).collect();
        let mut by_last_accessed: ActionSetOn = None;
        for l in &last_used {
            // A whole service, or an action; idle ones only.
            let Some(as_of) = l.as_of else { continue };
            if l.last.is_some_and(|last| as_of.days() - last.days() < LEAST_DAYS) {
                continue;
            }
            let (actions, day) = by_last_accessed.get_or_insert_with(|| (ActionSet::empty(), Some(as_of)));
            match &l.action {
                Some(action) => actions.expand_into(action),
                None => actions.expand_into(&format!("{}:*", l.namespace)),
            }
            *day = (*day).min(Some(as_of));
        }
        // What was used lately is not idle, whatever another report says.
        if let Some((actions, _)) = &mut by_last_accessed {
            for l in &last_used {
                let recent = |(last, as_of): (Date, Date)| as_of.days() - last.days() < LEAST_DAYS;
                if let (Some(action), true) = (&l.action, l.last.zip(l.as_of).is_some_and(recent)) {
                    actions.subtract(&ActionSet::expand(action));
                }
            }
        }
        Self {
            by_analyzer,
            by_last_accessed,
            existed: last_used.iter().filter_map(|l| l.last).min(),
        }
    }
}

impl IdentityUse {
    fn add_row(&mut self, row: &UsedRow) {
        let seen = self.seen.get_or_insert(row.seen);
        seen.extend(row.seen);
        let Some(names) = &row.actions else {
            if !row.denied {
                self.unknown = self.unknown.saturating_add(row.count);
                add_unknown(&mut self.possible, row);
            }
            return;
        };
        for name in names {
            let Some(action) = catalogue().action(name) else {
                continue;
            };
            let counts = match row.denied {
                true => &mut self.denied,
                false => &mut self.used,
            };
            let last = row.seen.last;
            counts
                .entry(action.id())
                .or_insert(UseCount { calls: 0, last })
                .add(row.count, last);
            if !row.denied {
                self.possible.insert(action);
                add_companions(&mut self.possible, action, &row.event_name);
            }
        }
    }

    /// Those of `actions`, granted by a statement, that are certainly not used.
    pub(crate) fn unused_of(&self, actions: &ActionSet, statement: &Statement, places: &ResourceRefs<'_>) -> ActionSet {
        let mut unused = self.judged_of(actions, statement, places);
        unused.subtract(&self.possible);
        // What was denied is called: it is granted since, or by another place.
        unused.subtract(&self.denied.keys().map(|id| id.action()).collect());
        unused
    }

    /// Those of `actions`, granted by a statement, of which a use would be known.
    pub(crate) fn judged_of(&self, actions: &ActionSet, statement: &Statement, places: &ResourceRefs<'_>) -> ActionSet {
        let mut judged = self.logged.always.clone();
        let stated = self.by_analyzer.iter().map(|(set, _)| set);
        for set in stated.chain(self.by_last_accessed.iter().map(|(set, _)| set)) {
            judged.union_with(set);
        }
        for data in self.logged.data.iter().filter(|data| data.actions.intersects(actions)) {
            let resource = statement.resource.as_ref();
            if resource.is_some_and(|r| data.has_all(r, places)) {
                judged.union_with(&data.actions);
            }
        }
        judged.intersect(actions);
        judged
    }

    /// How it is known that an action is not used.
    pub fn proof(&self, actions: &ActionSet) -> Option<UseProof> {
        let data = self.logged.data.iter().any(|d| d.actions.intersects(actions));
        if let Some((period, days)) = self.covered.filter(|_| data || self.logged.always.intersects(actions)) {
            return Some(UseProof::Logs { period, days });
        }
        let has = |set: &ActionSet| set.intersects(actions);
        let analyzer = self.by_analyzer.as_ref().filter(|(set, _)| has(set));
        let accessed = self.by_last_accessed.as_ref().filter(|(set, _)| has(set));
        let analyzer = analyzer.map(|(_, day)| UseProof::Analyzer(*day));
        analyzer.or_else(|| accessed.map(|(_, day)| UseProof::LastAccessed(*day)))
    }

    /// What was used, and what may have been used with it: never called unused.
    pub fn possibly_used(&self) -> &ActionSet {
        &self.possible
    }

    /// Those that were certainly used.
    pub fn used_actions(&self) -> ActionSet {
        let mut all = ActionSet::empty();
        self.used.keys().for_each(|id| all.insert(id.action()));
        all
    }
}

impl DataActions {
    /// Whether the trail has the calls on all resources of a clause, in each account.
    fn has_all(&self, resource: &Clause, places: &ResourceRefs<'_>) -> bool {
        let is_plain = !resource.negated && resource.complete && !resource.items.is_empty();
        if !is_plain || resource.items.len() > MAX_ITEMS {
            return false;
        }
        let known = |text: &Text| {
            let arn = places.as_arn(text)?;
            let open = |p: &Piece| matches!(p, Piece::Hole(h) if !fills(h.kind));
            (!arn.pieces().iter().any(open)).then_some(arn)
        };
        let arns: Option<Vec<Text>> = resource.items.iter().map(|i| known(&i.text)).collect();
        let Some(arns) = arns else { return false };
        self.containers
            .iter()
            .all(|containers| arns.iter().all(|arn| containers.iter().any(|c| contains(c, arn))))
    }
}

/// Parts of an ARN that say where the deployment is.
fn fills(kind: HoleKind) -> bool {
    matches!(kind, HoleKind::Account | HoleKind::Partition | HoleKind::Region)
}

/// Whether a pattern of ARNs names only what is in a container: `arn:aws:s3:::a/x*` is in `arn:aws:s3:::a`.
fn contains(container: &str, arn: &Text) -> bool {
    let mut rest = container;
    for piece in arn.pieces() {
        match piece {
            Piece::Lit(lit) => {
                rest = match (rest.strip_prefix(&*lit.text), lit.text.strip_prefix(rest)) {
                    (Some(rest), _) => rest,
                    (None, Some(more)) => return more.is_empty() || more.starts_with(['/', ':']),
                    (None, None) => return false,
                };
            }
            // Up to the next colon.
            Piece::Hole(_) => rest = &rest[rest.find(':').unwrap_or(rest.len())..],
        }
    }
    rest.is_empty()
}

/// Actions that a call which was seen may have needed too.
fn add_companions(possible: &mut ActionSet, action: Action, event: &str) {
    for client in clients_of(action.service().prefix()).iter().copied() {
        for operation in [action.short_name(), event]
            .into_iter()
            .filter_map(|n| client.operation(n))
        {
            let all = operation.all_actions();
            all.into_iter()
                .chain(operation.kms_actions(client))
                .for_each(|a| possible.expand_into(a));
        }
    }
    action.dependent().for_each(|a| possible.insert(a));
}

/// The clients of a service, by the prefix of its actions.
fn clients_of(prefix: &str) -> &'static [sdk::Client] {
    static CLIENTS: OnceLock<HashMap<&'static str, Vec<sdk::Client>>> = OnceLock::new();
    let all = CLIENTS.get_or_init(|| {
        let mut all: HashMap<&'static str, Vec<sdk::Client>> = HashMap::new();
        sdk::clients().for_each(|c| all.entry(c.iam_prefix()).or_default().push(c));
        all
    });
    all.get(prefix).map_or(&[], Vec::as_slice)
}

/// Of an event whose action is not known: what the service has, or any action with its name.
fn add_unknown(possible: &mut ActionSet, row: &UsedRow) {
    let service = row.event_source.split('.').next().unwrap_or_default();
    match catalogue().service(service) {
        Some(service) => service.actions().for_each(|a| possible.insert(a)),
        None => possible.expand_into(&format!("*:{}", row.event_name)),
    }
}

/// Actions that have an operation of their own: a use of them is an event.
fn with_operation() -> &'static ActionSet {
    static ACTIONS: OnceLock<ActionSet> = OnceLock::new();
    ACTIONS.get_or_init(|| {
        let operations = sdk::clients().flat_map(|c| c.operations());
        let required = operations.flat_map(|o| o.required());
        required.filter_map(|name| catalogue().action(name)).collect()
    })
}

/// Services whose events only the trail of one Region has, whatever the Region of the caller. AWS CloudTrail User Guide, "Global
/// service events".
const GLOBAL: [&str; 16] = [
    "account",
    "aws-portal",
    "billing",
    "budgets",
    "ce",
    "cloudfront",
    "globalaccelerator",
    "health",
    "iam",
    "organizations",
    "route53",
    "route53domains",
    "shield",
    "sts",
    "support",
    "waf",
];
/// The Regions that have them.
const GLOBAL_REGIONS: [&str; 4] = ["cn-north-1", "us-east-1", "us-gov-west-1", "us-west-2"];

/// What the trails of all these accounts log, on any resource, and on some.
fn logged_actions(evidence: &Evidence, accounts: &BTreeSet<String>) -> LoggedActions {
    let mut always = ActionSet::empty();
    let mut data: BTreeMap<(Vec<&'static str>, bool), ActionSet> = BTreeMap::new();
    let has_global = accounts.iter().all(|account| {
        let mut trails = evidence.coverage.iter().filter(|c| c.account == *account);
        trails.any(|c| GLOBAL_REGIONS.contains(&&*c.region))
    });
    for action in with_operation().iter() {
        if !has_global && GLOBAL.contains(&action.service().prefix()) {
            continue;
        }
        match action_logging(action.name()) {
            ActionLogging::Never | ActionLogging::Unclear => {}
            ActionLogging::Management => {
                let mut logged = accounts.iter().map(|a| evidence.logged(action.name(), Some(a), ""));
                if logged.all(|l| l == Logged::Yes) {
                    always.insert(action);
                }
            }
            ActionLogging::Data(types) => {
                let key = (types, !action.level().changes());
                data.entry(key).or_insert_with(ActionSet::empty).insert(action);
            }
        }
    }
    let data = data.into_iter().map(|((types, reads), actions)| DataActions {
        actions,
        containers: accounts
            .iter()
            .map(|account| {
                let trails = evidence.coverage.iter().filter(|c| c.account == *account);
                let seen = trails
                    .flat_map(|c| &c.data)
                    .filter(|d| types.contains(&&*d.resource_type));
                let seen = seen.filter(|d| if reads { d.reads } else { d.writes });
                seen.flat_map(|d| d.containers.iter().cloned()).collect()
            })
            .collect(),
    });
    let data = data.filter(|d| d.containers.iter().all(|c| !c.is_empty())).collect();
    LoggedActions { always, data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Hole, Span};

    #[test]
    fn a_container_has_what_is_below_it() {
        let plain = |text: &str| Text::synthetic(text, Span::NOWHERE);
        assert!(contains("arn:aws:s3:::a", &plain("arn:aws:s3:::a/x*")));
        assert!(contains("arn:aws:s3:::a", &plain("arn:aws:s3:::a")));
        assert!(!contains("arn:aws:s3:::a", &plain("arn:aws:s3:::ab/*")));
        assert!(!contains("arn:aws:s3:::a", &plain("arn:aws:s3:::*")));
        let mut table = plain("arn:aws:dynamodb:");
        table.append(&Text::hole(Hole::new(HoleKind::Region, "AWS::Region", Span::NOWHERE)));
        table.append(&plain(":111122223333:table/orders"));
        assert!(contains("arn:aws:dynamodb:eu-west-1:111122223333:table/orders", &table));
        assert!(!contains("arn:aws:dynamodb:eu-west-1:111122223333:table/o", &table));
    }
}
