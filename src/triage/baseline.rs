//! Known findings, in a file that merges cleanly and leaks nothing.
//!
//! A finding is known by its fingerprint; a secret by a digest of it that is salted anew for each file, so that another
//! key in the same place is new. Entries of a file that is gone match by everything but the path: the file was moved.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};
use sha2::{Digest as _, Sha256};

use super::fingerprint::og1;
use super::{BaselineStats, Report, ReportedFinding, Status};
use crate::rules::Ruleset;
use crate::source::Sources;

/// Where the baseline is when nothing else is said.
pub const FILE: &str = ".overgrant-baseline.json";
const SCHEMA: u64 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    salt: String,
    pub entries: Vec<BaselineEntry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaselineEntry {
    pub path: String,
    pub rule: String,
    pub anchor: String,
    pub evidence: String,
    pub fingerprint: String,
    pub note: Option<String>,
}

/// What the file holds.
#[derive(Debug, Serialize)]
struct JsonBaseline<'a> {
    schema: u64,
    tool: &'static str,
    salt: &'a str,
    /// Sorted.
    entries: Vec<JsonBaselineEntry<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonBaselineEntry<'a> {
    fp: &'a str,
    rule: &'a str,
    path: &'a str,
    anchor: &'a str,
    evidence: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// Writes each item of a list on a line of its own.
struct ItemPerLine;

impl Formatter for ItemPerLine {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b"[\n")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b",\n" })
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n]")
    }
}

/// What has become of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaselineFate {
    /// The index of the finding that matches it.
    Found(usize),
    /// Its file was read, or is gone, and nothing matches.
    Fixed,
    /// Its file was not looked at.
    Unseen,
}

/// How a run compares with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Of each entry.
    pub fates: Vec<BaselineFate>,
    /// Indices of findings that match an entry of another path.
    pub moved: Vec<usize>,
}

impl Comparison {
    /// Entries that a finding matches.
    pub fn matched(&self) -> usize {
        self.fates
            .iter()
            .filter(|f| matches!(f, BaselineFate::Found(_)))
            .count()
    }

    pub fn fixed(&self) -> usize {
        self.fates.iter().filter(|f| **f == BaselineFate::Fixed).count()
    }
}

/// What a run looked at, by paths from the root.
#[derive(Clone, Copy)]
pub struct Extent<'a> {
    /// The file is still there.
    pub exists: &'a dyn Fn(&str) -> bool,
    /// All that can be found in the file was looked for: it was named, or it is gone from a folder that was named.
    pub covers: &'a dyn Fn(&str) -> bool,
    /// The rule was run on the file.
    pub runs: &'a dyn Fn(&str, &str) -> bool,
}

impl Baseline {
    /// Nothing known yet, and a salt that no other baseline has.
    pub fn empty() -> Self {
        let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
        let mut bytes = random().to_be_bytes().to_vec();
        bytes.extend(random().to_be_bytes());
        Self {
            salt: STANDARD.encode(bytes),
            entries: Vec::new(),
        }
    }

    /// Reads what [`Self::text`] wrote.
    pub fn parse(text: &str) -> Result<Self, String> {
        let whole: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if whole["schema"].as_u64() != Some(SCHEMA) {
            return Err(format!(
                "unknown schema {}; this version supports {SCHEMA}",
                whole["schema"]
            ));
        }
        let field = |e: &Value, name: &str| e[name].as_str().map(str::to_owned);
        let entries = whole["entries"].as_array().ok_or("`entries` is missing")?;
        let entries: Option<Vec<BaselineEntry>> = entries
            .iter()
            .map(|e| {
                Some(BaselineEntry {
                    path: field(e, "path")?,
                    rule: field(e, "rule")?,
                    anchor: field(e, "anchor")?,
                    evidence: field(e, "evidence")?,
                    fingerprint: field(e, "fp")?,
                    note: field(e, "note"),
                })
            })
            .collect();
        Ok(Self {
            salt: field(&whole, "salt").ok_or("`salt` is missing")?,
            entries: entries.ok_or("an entry is missing `fp`, `rule`, `path`, `anchor`, or `evidence`")?,
        })
    }

    /// Gives entries under names that rules had before the present ones; returns how many there were.
    pub fn follow_renames(&mut self, ruleset: &Ruleset) -> usize {
        let mut ordinals: BTreeMap<[String; 4], usize> = BTreeMap::new();
        let mut followed = 0;
        self.entries.sort();
        for e in &mut self.entries {
            let current = ruleset.current_name(&e.rule).to_owned();
            if current == e.rule {
                continue;
            }
            // Equal entries are distinguished by an ordinal, which is in the fingerprint only.
            let equals = [&e.path, &e.rule, &e.anchor, &e.evidence].map(Clone::clone);
            let count = ordinals.entry(equals).or_default();
            e.fingerprint = og1(&current, &e.path, &e.anchor, &e.evidence, *count);
            *count += 1;
            e.rule = current;
            followed += 1;
        }
        followed
    }

    /// One entry a line, sorted; no line numbers, no times.
    pub fn text(&self) -> String {
        let mut entries: Vec<&BaselineEntry> = self.entries.iter().collect();
        entries.sort();
        let whole = JsonBaseline {
            schema: SCHEMA,
            tool: "overgrant",
            salt: &self.salt,
            entries: entries.into_iter().map(BaselineEntry::json).collect(),
        };
        let mut out = Vec::new();
        let written = whole.serialize(&mut Serializer::with_formatter(&mut out, ItemPerLine));
        debug_assert!(written.is_ok(), "the baseline is serializable");
        out.push(b'\n');
        String::from_utf8(out).unwrap_or_default()
    }

    /// The entries that `findings`, sorted, would have.
    pub fn entries_of(&self, sources: &Sources, findings: &[ReportedFinding]) -> Vec<BaselineEntry> {
        let mut seen: BTreeMap<(String, String, String, String), usize> = BTreeMap::new();
        findings
            .iter()
            .map(|f| {
                let id = &f.identity;
                let mut entry = BaselineEntry {
                    path: id.path.clone(),
                    rule: f.rule().to_owned(),
                    anchor: id.anchor.clone(),
                    evidence: id.evidence.clone(),
                    fingerprint: id.fingerprint.clone(),
                    note: None,
                };
                if !f.finding.secrets.is_empty() {
                    entry.evidence = self.digest(sources, f);
                    let key = (
                        entry.path.clone(),
                        entry.rule.clone(),
                        entry.anchor.clone(),
                        entry.evidence.clone(),
                    );
                    let ordinal = seen.entry(key).or_default();
                    entry.fingerprint = og1(&entry.rule, &entry.path, &entry.anchor, &entry.evidence, *ordinal);
                    *ordinal += 1;
                }
                entry
            })
            .collect()
    }

    /// What a run over an earlier revision found and nothing suppressed.
    pub fn of_report(sources: &Sources, report: &Report, counts: impl Fn(&ReportedFinding) -> bool) -> Self {
        let mut known = Self::empty();
        let entries = known
            .entries_of(sources, &report.findings)
            .into_iter()
            .zip(&report.findings);
        known.entries = entries
            .filter(|(_, f)| f.status != Status::Suppressed && counts(f))
            .map(|(entry, _)| entry)
            .collect();
        known
    }

    /// The secrets of a finding, hashed with the salt.
    fn digest(&self, sources: &Sources, f: &ReportedFinding) -> String {
        let mut hash = Sha256::new();
        hash.update(self.salt.as_bytes());
        for span in &f.finding.secrets {
            let secret = sources.slice(*span).trim_matches(['"', '\'']);
            hash.update((secret.len() as u64).to_be_bytes());
            hash.update(secret.as_bytes());
        }
        let digest: String = hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        format!("secret {digest}")
    }

    /// Matches `findings` against the entries.
    pub fn compare(&self, sources: &Sources, findings: &[ReportedFinding], extent: &Extent<'_>) -> Comparison {
        let now = self.entries_of(sources, findings);
        let by_print = indexed(&now, |e| &*e.fingerprint);
        let mut taken = vec![false; now.len()];
        let mut free = |among: Option<&Vec<usize>>| {
            let i = among?.iter().copied().find(|&i| !taken[i])?;
            taken[i] = true;
            Some(i)
        };
        let mut matched: Vec<Option<usize>> = (self.entries.iter())
            .map(|known| free(by_print.get(&*known.fingerprint)))
            .collect();
        let by_place = indexed(&now, BaselineEntry::stable_key);
        let mut moved = Vec::new();
        for (known, slot) in self.entries.iter().zip(&mut matched) {
            if slot.is_none() && !(extent.exists)(&known.path) {
                *slot = free(by_place.get(&known.stable_key()));
                moved.extend(*slot);
            }
        }
        let fate = |(known, found): (&BaselineEntry, Option<usize>)| match found {
            Some(i) => BaselineFate::Found(i),
            None if (extent.covers)(&known.path) && (extent.runs)(&known.rule, &known.path) => BaselineFate::Fixed,
            None => BaselineFate::Unseen,
        };
        Comparison {
            fates: self.entries.iter().zip(matched).map(fate).collect(),
            moved,
        }
    }
}

impl BaselineEntry {
    fn json(&self) -> JsonBaselineEntry<'_> {
        JsonBaselineEntry {
            fp: &self.fingerprint,
            rule: &self.rule,
            path: &self.path,
            anchor: &self.anchor,
            evidence: &self.evidence,
            note: self.note.as_deref(),
        }
    }

    /// What stays the same when its file is moved.
    fn stable_key(&self) -> (&str, &str, &str) {
        (&self.rule, &self.anchor, &self.evidence)
    }
}

/// Where entries of one key are, in order.
fn indexed<'e, K: Ord>(entries: &'e [BaselineEntry], key: impl Fn(&'e BaselineEntry) -> K) -> BTreeMap<K, Vec<usize>> {
    let mut out: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (i, entry) in entries.iter().enumerate() {
        out.entry(key(entry)).or_default().push(i);
    }
    out
}

/// A baseline and where it is.
#[derive(Clone, Copy)]
pub struct LoadedBaseline<'a> {
    pub baseline: &'a Baseline,
    /// As shown.
    pub path: &'a str,
    pub extent: Extent<'a>,
}

/// Marks what is known.
pub(super) fn apply(known: &LoadedBaseline<'_>, sources: &Sources, reported: &mut [ReportedFinding]) -> BaselineStats {
    let comparison = known.baseline.compare(sources, reported, &known.extent);
    for fate in &comparison.fates {
        if let BaselineFate::Found(i) = *fate
            && reported[i].status == Status::New
        {
            reported[i].status = Status::Baselined;
        }
    }
    for &i in &comparison.moved {
        if reported[i].status == Status::Baselined {
            reported[i].status = Status::Moved;
        }
    }
    BaselineStats {
        path: known.path.to_owned(),
        fixed: comparison.fixed(),
    }
}

/// Takes out what is known.
pub(super) fn remove_known(known: &LoadedBaseline<'_>, sources: &Sources, reported: &mut Vec<ReportedFinding>) {
    let comparison = known.baseline.compare(sources, reported, &known.extent);
    let mut is_new = vec![true; reported.len()];
    for fate in &comparison.fates {
        if let BaselineFate::Found(i) = *fate {
            is_new[i] = false;
        }
    }
    let mut is_new = is_new.into_iter();
    reported.retain(|_| is_new.next().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_a_line() {
        let mut baseline = Baseline {
            salt: "c2FsdA==".to_owned(),
            entries: Vec::new(),
        };
        let head = r#"{"schema":1,"tool":"overgrant","salt":"c2FsdA==","entries":["#;
        assert_eq!(baseline.text(), format!("{head}\n\n]}}\n"));
        let entry = |path: &str, note: Option<&str>| BaselineEntry {
            path: path.to_owned(),
            rule: "action-star".to_owned(),
            anchor: "p/policy".to_owned(),
            evidence: "\"*\" é".to_owned(),
            fingerprint: "og1:0123456789ab".to_owned(),
            note: note.map(str::to_owned),
        };
        baseline.entries = vec![entry("b.tf", Some("later")), entry("a.tf", None)];
        let line = |path: &str, rest: &str| {
            format!(
                r#"{{"fp":"og1:0123456789ab","rule":"action-star","path":"{path}","anchor":"p/policy","evidence":"\"*\" é"{rest}}}"#
            )
        };
        let (a, b) = (line("a.tf", ""), line("b.tf", r#","note":"later""#));
        assert_eq!(baseline.text(), format!("{head}\n{a},\n{b}\n]}}\n"));
        baseline.entries.sort();
        assert_eq!(Baseline::parse(&baseline.text()), Ok(baseline));
    }
}
