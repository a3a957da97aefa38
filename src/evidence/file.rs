//! The text of the file: sorted lines, fields between tabs, one fact a line.

use std::fmt::{self, Write as _};

use super::row::{
    Coverage, DataCoverage, EvidenceIdentity, EvidenceIdentityKind, LastUsed, Period, UnusedKind, UnusedPermission,
    UsageEvidence, UsedRow, is_account,
};
use crate::date::Date;

/// The first line, without the version.
const HEADER: &str = "overgrant-evidence";
/// The version that is written and read.
const VERSION: &str = "1";
/// A field without a value.
const NONE: &str = "-";
/// An event whose action is not known.
const UNKNOWN: &str = "?";
/// After the resources, if some are left out.
const CUT: &str = "*";

/// Why a text is not an evidence file of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceFailure {
    #[error("not an evidence file: the first line is not `{HEADER} {VERSION}`")]
    OtherFile,
    #[error("evidence file of version {0}; this version of overgrant reads version {VERSION}: collect it again")]
    OtherVersion(String),
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceProblem {
    /// From 1.
    pub line: usize,
    /// Lower case, no final period.
    pub message: String,
}

impl fmt::Display for EvidenceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl UsageEvidence {
    /// Reads a file. What is wrong on a line is a problem, and the line is left out.
    ///
    /// # Errors
    ///
    /// The text is no evidence file, or one of another version.
    pub fn parse(text: &str) -> Result<(Self, Vec<EvidenceProblem>), EvidenceFailure> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().map(|l| l.trim_end_matches('\r')).zip(1usize..);
        let first = lines.next().map_or("", |(l, _)| l);
        match first.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix(' ')) {
            None => return Err(EvidenceFailure::OtherFile),
            Some(VERSION) => {}
            Some(other) => return Err(EvidenceFailure::OtherVersion(other.chars().take(20).collect())),
        }
        let mut evidence = Self::default();
        let mut problems = Vec::new();
        for (text, line) in lines.filter(|(l, _)| !l.is_empty() && !l.starts_with('#')) {
            if let Err(message) = evidence.line(text) {
                problems.push(EvidenceProblem { line, message });
            }
        }
        evidence.sort();
        Ok((evidence, problems))
    }

    fn line(&mut self, text: &str) -> Result<(), String> {
        let mut fields = LineFields(text.split('\t'));
        let word = fields.next("kind of the line")?;
        match word {
            "period" => {
                if self.period.is_some() {
                    return Err("second `period`".to_owned());
                }
                self.period = Some(fields.period()?);
            }
            "gap" => self.gaps.push(fields.period()?),
            "trail" => self.coverage.push(Coverage {
                account: fields.account()?,
                region: fields.text("Region")?,
                seen: fields.period()?,
                reads: fields.flag("read")?,
                writes: fields.flag("write")?,
                sources: fields.list("event sources")?,
                data: Vec::new(),
            }),
            "data" => {
                let (account, region) = (fields.account()?, fields.text("Region")?);
                let data = DataCoverage {
                    resource_type: fields.text("resource type")?,
                    reads: fields.flag("read")?,
                    writes: fields.flag("write")?,
                    containers: fields.list("resources")?,
                };
                let found = self
                    .coverage
                    .iter_mut()
                    .find(|c| c.account == account && c.region == region);
                found.ok_or("`data` without its `trail` before it")?.data.push(data);
            }
            "use" => self.rows.push(fields.row()?),
            "last-used" => self.last_used.push(LastUsed {
                identity: fields.identity()?,
                namespace: fields.text("service")?,
                action: fields.optional("action")?,
                last: fields.optional_day("last use")?,
                as_of: fields.optional_day("day of the report")?,
            }),
            "unused" => self.unused.push(UnusedPermission {
                identity: fields.identity()?,
                kind: fields.unused_kind()?,
                action: fields.optional("action")?,
                last: fields.optional_day("last use")?,
                as_of: fields.optional_day("day of the finding")?,
            }),
            other => return Err(format!("unknown line `{}`", short(other))),
        }
        // What else a newer writer adds is not known.
        Ok(())
    }

    /// Puts all lists in the order of the file.
    pub fn sort(&mut self) {
        self.gaps.sort();
        self.gaps.dedup();
        for row in &mut self.rows {
            row.resources.sort();
            row.resources.dedup();
        }
        self.rows.sort();
        for trail in &mut self.coverage {
            trail.sources.sort();
            trail.sources.dedup();
            for data in &mut trail.data {
                data.containers.sort();
                data.containers.dedup();
            }
            trail.data.sort();
        }
        self.coverage.sort();
        self.last_used.sort();
        self.last_used.dedup();
        self.unused.sort();
        self.unused.dedup();
    }

    /// The text of the file. Sort first.
    pub fn render(&self) -> String {
        let mut out = EvidenceWriter(format!("{HEADER} {VERSION}\n"));
        if let Some(period) = self.period {
            out.fact("period", [period.first.to_string(), period.last.to_string()]);
        }
        for gap in &self.gaps {
            out.fact("gap", [gap.first.to_string(), gap.last.to_string()]);
        }
        for trail in &self.coverage {
            let Coverage {
                account,
                region,
                seen,
                reads,
                writes,
                sources,
                data,
            } = trail;
            let period = [seen.first.to_string(), seen.last.to_string()];
            let [read, write] = flags(*reads, *writes);
            let [first, last] = period;
            out.fact(
                "trail",
                [account.clone(), region.clone(), first, last, read, write, list(sources)],
            );
            for d in data {
                let [read, write] = flags(d.reads, d.writes);
                let kind = d.resource_type.clone();
                out.fact(
                    "data",
                    [account.clone(), region.clone(), kind, read, write, list(&d.containers)],
                );
            }
        }
        for row in &self.rows {
            out.row(row);
        }
        for l in &self.last_used {
            let [kind, name] = identity(&l.identity);
            out.fact(
                "last-used",
                [
                    kind,
                    name,
                    l.namespace.clone(),
                    optional(l.action.as_ref()),
                    optional(l.last),
                    optional(l.as_of),
                ],
            );
        }
        for u in &self.unused {
            let [kind, name] = identity(&u.identity);
            let what = u.kind.name().to_owned();
            out.fact(
                "unused",
                [
                    kind,
                    name,
                    what,
                    optional(u.action.as_ref()),
                    optional(u.last),
                    optional(u.as_of),
                ],
            );
        }
        out.0
    }
}

struct EvidenceWriter(String);

impl EvidenceWriter {
    fn fact<const N: usize>(&mut self, word: &str, fields: [String; N]) {
        self.0.push_str(word);
        for field in &fields {
            self.0.push('\t');
            // No value has a tab or an end of line; a hostile log may.
            self.0
                .extend(field.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        self.0.push('\n');
    }

    fn row(&mut self, row: &UsedRow) {
        let [kind, name] = identity(&row.identity);
        let mut resources = list(&row.resources);
        if row.resources_cut {
            match row.resources.is_empty() {
                true => CUT.clone_into(&mut resources),
                false => {
                    // Writing to a string cannot fail.
                    let _ = write!(resources, ", {CUT}");
                }
            }
        }
        self.fact(
            "use",
            [
                kind,
                name,
                row.event_source.clone(),
                row.event_name.clone(),
                row.actions.as_ref().map_or_else(|| UNKNOWN.to_owned(), |a| list(a)),
                if row.denied { "denied" } else { "allowed" }.to_owned(),
                row.count.to_string(),
                row.seen.first.to_string(),
                row.seen.last.to_string(),
                resources,
                optional(row.via.as_ref()),
                optional(row.account.as_ref()),
            ],
        );
    }
}

fn identity(identity: &EvidenceIdentity) -> [String; 2] {
    [identity.kind.name().to_owned(), identity.name.clone()]
}

fn flags(reads: bool, writes: bool) -> [String; 2] {
    [
        if reads { "read" } else { NONE }.to_owned(),
        if writes { "write" } else { NONE }.to_owned(),
    ]
}

fn optional(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| v.to_string())
}

fn list(items: &[String]) -> String {
    match items.is_empty() {
        true => NONE.to_owned(),
        false => items.join(", "),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn day(field: &str) -> Result<Date, String> {
    Date::parse(field).ok_or_else(|| format!("`{}` is not a day", short(field)))
}

/// The fields of a line, in their order.
struct LineFields<'a>(std::str::Split<'a, char>);

impl<'a> LineFields<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, String> {
        match self.0.next() {
            Some(field) if !field.is_empty() => Ok(field),
            _ => Err(format!("no {what}")),
        }
    }

    fn text(&mut self, what: &str) -> Result<String, String> {
        self.next(what).map(str::to_owned)
    }

    fn optional(&mut self, what: &str) -> Result<Option<String>, String> {
        let field = self.next(what)?;
        Ok((field != NONE).then(|| field.to_owned()))
    }

    fn list(&mut self, what: &str) -> Result<Vec<String>, String> {
        let field = self.next(what)?;
        Ok(match field {
            NONE => Vec::new(),
            _ => field.split(", ").map(str::to_owned).collect(),
        })
    }

    fn account(&mut self) -> Result<String, String> {
        let field = self.next("account")?;
        match is_account(field) || field == NONE {
            true => Ok(field.to_owned()),
            false => Err(format!("`{}` is not an account", short(field))),
        }
    }

    fn day(&mut self, what: &str) -> Result<Date, String> {
        day(self.next(what)?)
    }

    fn optional_day(&mut self, what: &str) -> Result<Option<Date>, String> {
        match self.next(what)? {
            NONE => Ok(None),
            field => day(field).map(Some),
        }
    }

    fn period(&mut self) -> Result<Period, String> {
        let (first, last) = (self.day("first day")?, self.day("last day")?);
        match first <= last {
            true => Ok(Period { first, last }),
            false => Err("the last day is before the first".to_owned()),
        }
    }

    fn flag(&mut self, word: &str) -> Result<bool, String> {
        match self.next(word)? {
            NONE => Ok(false),
            field if field == word => Ok(true),
            field => Err(format!("`{}` is neither `{word}` nor `{NONE}`", short(field))),
        }
    }

    fn identity(&mut self) -> Result<EvidenceIdentity, String> {
        let word = self.next("kind of the identity")?;
        let kind = EvidenceIdentityKind::ALL.into_iter().find(|k| k.name() == word);
        Ok(EvidenceIdentity {
            kind: kind.ok_or_else(|| format!("unknown kind of identity `{}`", short(word)))?,
            name: self.text("identity")?,
        })
    }

    fn unused_kind(&mut self) -> Result<UnusedKind, String> {
        let word = self.next("kind of the finding")?;
        let kind = UnusedKind::ALL.into_iter().find(|k| k.name() == word);
        kind.ok_or_else(|| format!("unknown kind of finding `{}`", short(word)))
    }

    fn row(&mut self) -> Result<UsedRow, String> {
        let identity = self.identity()?;
        let event_source = self.text("event source")?;
        let event_name = self.text("event name")?;
        let actions = match self.list("actions")? {
            one if one == [UNKNOWN] => None,
            actions => Some(actions),
        };
        let denied = match self.next("result")? {
            "allowed" => false,
            "denied" => true,
            other => return Err(format!("`{}` is neither `allowed` nor `denied`", short(other))),
        };
        let count = self.next("count")?;
        let count = count
            .parse()
            .map_err(|_| format!("`{}` is not a count", short(count)))?;
        let seen = self.period()?;
        let mut resources = self.list("resources")?;
        let resources_cut = resources.last().is_some_and(|r| r == CUT);
        if resources_cut {
            resources.pop();
        }
        Ok(UsedRow {
            identity,
            event_source,
            event_name,
            denied,
            via: self.optional("service that called")?,
            account: self.optional("account")?,
            actions,
            resources,
            resources_cut,
            count,
            seen,
        })
    }
}
