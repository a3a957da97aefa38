//! What each role is granted, what its code calls, and what was used, as `overgrant evidence report` writes it.

mod html;
mod json;
mod text;

pub use html::{evidence_html, evidence_html_page};
pub use json::evidence_json;
#[cfg(feature = "cli")]
pub(crate) use json::schema;
pub use text::{evidence_human, evidence_markdown};

use std::collections::BTreeSet;

use crate::checks::RoleComparison;
use crate::iam::Action;
use crate::phrase;
use crate::project::targets::ResourceRefs;
use crate::project::{
    AbsenceProof, IdentityId, IdentityKind, IdentityUse, Project, UnplacedIdentity, UseCount, UseProof,
};
use crate::source::Span;

/// Maximum number of actions that a cell names.
const MAX_NAMED: usize = 3;

/// What `overgrant evidence report` shows.
pub struct EvidencePage<'a> {
    project: &'a Project<'a>,
    roles: Vec<RoleEvidence<'a>>,
    /// Roles and users of the logs that are none of the repository's, or may be several.
    others: Vec<&'a UnplacedIdentity>,
}

/// A role, user, or permission set, and what it used.
struct RoleEvidence<'a> {
    kind: IdentityKind,
    name: String,
    header: Span,
    seen: Seen<'a>,
    rows: Vec<GrantRow>,
    denied: Vec<(Action, UseCount)>,
}

/// Whether an identity is in the logs.
enum Seen<'a> {
    Yes(&'a IdentityUse),
    /// It certainly did nothing.
    Never(UseProof),
    /// It is not there, or may be another one.
    Unknown,
}

/// An item of `Action` of a statement that allows something.
struct GrantRow {
    /// `s3:*`
    granted: String,
    at: Span,
    /// How many actions it grants.
    actions: usize,
    called: Called,
    used: Vec<(Action, UseCount)>,
    /// How many of its actions certainly were not used.
    unused: usize,
}

/// What of a grant the code calls.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Called {
    /// These actions, which may be none.
    Known(Vec<&'static str>),
    /// These; other calls may be hidden.
    Partly(Vec<&'static str>),
}

impl GrantRow {
    /// The third answer: what is granted, called, and used, in a few words.
    fn verdict(&self) -> String {
        let (known, called) = match &self.called {
            Called::Known(called) => (true, called),
            Called::Partly(called) => (false, called),
        };
        let used = self.used.len();
        if self.actions > 1 {
            return match (used, self.unused) {
                (0, 0) => "not in the logs".to_owned(),
                (used, 0) => format!("{used} of {} used", self.actions),
                (0, unused) if unused == self.actions => "not used".to_owned(),
                (used, unused) => format!("{used} of {} used, {unused} not used", self.actions),
            };
        }
        let text = match (called.is_empty(), used, self.unused) {
            (false, 1.., _) => "called and used",
            (true, 1.., _) if known => "used, no call seen",
            (true, 1.., _) => "used",
            (false, 0, 1..) => "called, not used",
            (true, 0, 1..) if known => "never called, not used",
            (true, 0, 1..) => "not used",
            (false, 0, 0) => "called, not in the logs",
            (true, 0, 0) if known => "never called, not in the logs",
            (true, 0, 0) => "not in the logs",
        };
        text.to_owned()
    }
}

impl<'a> EvidencePage<'a> {
    /// Of all identities that are declared in files that were asked for. `is_test` says what is test code.
    pub fn new(project: &'a Project<'a>, comparison: &RoleComparison<'_, '_>, is_test: impl Fn(Span) -> bool) -> Self {
        let recorded = project.recorded();
        let places = ResourceRefs::new(project);
        let mut roles = Vec::new();
        for (id, identity) in project.identities.iter_enumerated() {
            let is_asked = project.sources.file(identity.header.file).in_scope && !is_test(identity.header);
            if !is_asked || identity.kind == IdentityKind::Group || project.evidence_of(id).is_none() {
                continue;
            }
            let resource = &project.resources[identity.resource];
            let name = identity.name.as_ref().map(|name| name.display());
            let seen = match (recorded.of(id), recorded.absence(id)) {
                (Some(record), _) => Seen::Yes(record),
                (None, Some(absence)) => Seen::Never(match absence.proof {
                    AbsenceProof::Certain(proof)
                    | AbsenceProof::SameDeployment(proof)
                    | AbsenceProof::OwnAccount(proof) => proof,
                }),
                (None, None) => Seen::Unknown,
            };
            let denied = recorded.of(id).map_or_else(Vec::new, |record| counted(&record.denied));
            roles.push(RoleEvidence {
                kind: identity.kind,
                name: name.unwrap_or_else(|| resource.address.name.to_string()),
                header: identity.header,
                rows: rows(project, comparison, &places, id),
                seen,
                denied,
            });
        }
        roles.sort_by(|a, b| (a.header, &a.name).cmp(&(b.header, &b.name)));
        Self {
            project,
            roles,
            others: recorded.others.iter().collect(),
        }
    }

    /// How many identities are listed, and how many of them are in the logs.
    pub fn counts(&self) -> (usize, usize) {
        let seen = self.roles.iter().filter(|r| matches!(r.seen, Seen::Yes(_)));
        (self.roles.len(), seen.count())
    }

    fn location(&self, span: Span) -> String {
        let at = self.project.sources.positions(span).0;
        format!("{}:{}", self.project.sources.path(span.file), at.line)
    }
}

fn counted(counts: &std::collections::BTreeMap<crate::iam::ActionId, UseCount>) -> Vec<(Action, UseCount)> {
    let mut all: Vec<_> = counts.iter().map(|(id, count)| (id.action(), *count)).collect();
    all.sort_by_key(|(action, count)| (std::cmp::Reverse(count.calls), action.name()));
    all
}

/// A row for each item of what is allowed by the written policies of an identity, in the order of the text.
fn rows(
    project: &Project<'_>,
    comparison: &RoleComparison<'_, '_>,
    places: &ResourceRefs<'_>,
    id: IdentityId,
) -> Vec<GrantRow> {
    let record = project.recorded().of(id);
    let absent = project.recorded().absence(id).is_some();
    let (calls, known) = comparison.calls_of(id);
    let documents: BTreeSet<_> = project.identities[id].documents().collect();
    let mut out = Vec::new();
    for document in documents {
        for allowed in &project.granted(document).allowed {
            let statement = project.statement(document, allowed.statement);
            let items = statement.action.iter().filter(|clause| !clause.negated);
            for item in items.flat_map(|clause| &clause.items) {
                let granted = project.granted_by(statement, item);
                if granted.is_empty() {
                    continue;
                }
                let mut called = granted.clone();
                called.intersect(&calls);
                let called: Vec<&'static str> = called.iter().map(|a| a.name()).collect();
                let unused = match record {
                    Some(record) => record.unused_of(&granted, &statement, places).len(),
                    None if absent => granted.len(),
                    None => 0,
                };
                let used = record.map_or_else(Vec::new, |record| counted(&record.used));
                out.push(GrantRow {
                    granted: item.display(),
                    at: item.span,
                    actions: granted.len(),
                    called: match known {
                        true => Called::Known(called),
                        false => Called::Partly(called),
                    },
                    used: used.into_iter().filter(|(a, _)| granted.contains(a.id())).collect(),
                    unused,
                });
            }
        }
    }
    out.sort_by_key(|row| row.at);
    out
}

/// "`2026-08-01` to `2026-10-29`, 90 days", without marks.
fn period(proof: UseProof) -> String {
    match proof {
        UseProof::Logs { period, days } => format!("{} to {}, {days} days", period.first, period.last),
        UseProof::Analyzer(Some(day)) => format!("IAM Access Analyzer, {day}"),
        UseProof::Analyzer(None) => "IAM Access Analyzer".to_owned(),
        UseProof::LastAccessed(day) => format!("last-accessed details, {day}"),
    }
}

/// What is said of an identity in its heading.
fn status(role: &RoleEvidence<'_>) -> String {
    match &role.seen {
        Seen::Yes(record) => match record.covered {
            Some((days_of, days)) => period(UseProof::Logs { period: days_of, days }),
            None => "not covered by logs".to_owned(),
        },
        Seen::Never(proof) => format!("not used ({})", period(*proof)),
        Seen::Unknown => "not found in the evidence".to_owned(),
    }
}

/// What is called, in a few words: names for wildcards.
fn called_cell(row: &GrantRow) -> String {
    let (names, none) = match &row.called {
        Called::Known(names) => (names, "no"),
        Called::Partly(names) => (names, "no call seen"),
    };
    match names.as_slice() {
        [] => none.to_owned(),
        [_] if row.actions == 1 => "yes".to_owned(),
        names => short_list(names.iter().map(|name| (*name).to_owned())),
    }
}

/// What was used, in a few words.
fn used_cell(row: &GrantRow) -> String {
    match row.used.as_slice() {
        [] if row.unused > 0 => "no".to_owned(),
        [] => "not known".to_owned(),
        [(_, count)] if row.actions == 1 => format!("{}×", count.calls),
        used => short_list(
            used.iter()
                .map(|(action, count)| format!("{} {}×", action.name(), count.calls)),
        ),
    }
}

fn short_list(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(MAX_NAMED);
    let few: Vec<String> = all.take(MAX_NAMED).collect();
    match more {
        0 => few.join(", "),
        more => format!("{}, {more} more", few.join(", ")),
    }
}

/// The words of the table's head.
const HEAD: [&str; 4] = ["granted", "called", "used", "verdict"];

/// The cells of a row.
fn cells(page: &EvidencePage<'_>, row: &GrantRow) -> [String; 4] {
    let line = page.project.sources.positions(row.at).0.line;
    let granted = match row.actions {
        1 => format!("{} (line {line})", row.granted),
        n => format!("{} (line {line}, {n} actions)", row.granted),
    };
    [granted, called_cell(row), used_cell(row), row.verdict()]
}

/// The cells of a call that was denied.
fn denied_cells((action, count): &(Action, UseCount)) -> [String; 4] {
    let used = format!("denied {}×, last on {}", count.calls, count.last);
    [
        format!("{} (not allowed)", action.name()),
        String::new(),
        used,
        "denied".to_owned(),
    ]
}

/// What of the logs is no identity of the repository: a line for each, the first ones.
fn other_lines(page: &EvidencePage<'_>) -> Vec<String> {
    const MOST: usize = 20;
    let mut lines: Vec<String> = page
        .others
        .iter()
        .take(MOST)
        .map(|other| {
            let calls = phrase::count(other.calls, "call", "calls");
            let why = match other.candidates.as_slice() {
                [] => String::new(),
                candidates => {
                    let names = candidates.iter().take(MAX_NAMED).map(|id| {
                        let identity = &page.project.identities[*id];
                        page.location(identity.header)
                    });
                    let names: Vec<String> = names.collect();
                    format!(", may be {}", names.join(" or "))
                }
            };
            format!("{} ({calls}{why})", other.identity.name)
        })
        .collect();
    match page.others.len().saturating_sub(MOST) {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    lines
}
