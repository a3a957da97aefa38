//! Known findings, in a file that merges cleanly and leaks nothing.
//!
//! A finding is known by its fingerprint; a secret by a digest of it that is salted anew for each file, so that another key
//! in the same place is new. Entries of a file that is gone match by everything but the path: the file was moved.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::fingerprint::og1;
use super::{BaselineStats, Reported, Status};
use crate::source::Sources;

/// Where the baseline is when nothing else is said.
pub const FILE: &str = ".overgrant-baseline.json";
const SCHEMA: u64 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    salt: String,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub path: String,
    pub rule: String,
    pub anchor: String,
    pub evidence: String,
    pub fingerprint: String,
    pub note: Option<String>,
}

/// How a run compares with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// For each entry, the index of the finding that matches it.
    pub matched: Vec<Option<usize>>,
    /// Indices of findings that match an entry of another path.
    pub moved: Vec<usize>,
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
                "schema {} is not known; this version reads {SCHEMA}",
                whole["schema"]
            ));
        }
        let field = |e: &Value, name: &str| e[name].as_str().map(str::to_owned);
        let entries = whole["entries"].as_array().ok_or("`entries` is missing")?;
        let entries: Option<Vec<Entry>> = entries
            .iter()
            .map(|e| {
                Some(Entry {
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
            entries: entries.ok_or("an entry lacks `fp`, `rule`, `path`, `anchor` or `evidence`")?,
        })
    }

    /// One entry a line, sorted; no line numbers, no times.
    pub fn text(&self) -> String {
        let mut entries = self.entries.clone();
        entries.sort();
        let lines: Vec<String> = entries
            .iter()
            .map(|e| {
                let mut line = json!({
                    "fp": e.fingerprint,
                    "rule": e.rule,
                    "path": e.path,
                    "anchor": e.anchor,
                    "evidence": e.evidence,
                });
                if let (Some(note), Some(map)) = (&e.note, line.as_object_mut()) {
                    map.insert("note".to_owned(), note.clone().into());
                }
                line.to_string()
            })
            .collect();
        let head = format!(
            "{{\"schema\":{SCHEMA},\"tool\":\"overgrant\",\"salt\":{},\"entries\":[",
            json!(self.salt)
        );
        format!("{head}\n{}\n]}}\n", lines.join(",\n"))
    }

    /// The entries that `findings`, sorted, would have.
    pub fn entries_of(&self, sources: &Sources, findings: &[Reported]) -> Vec<Entry> {
        let mut seen: BTreeMap<(String, String, String, String), usize> = BTreeMap::new();
        findings
            .iter()
            .map(|f| {
                let id = &f.identity;
                let mut entry = Entry {
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

    /// The secrets of a finding, hashed with the salt.
    fn digest(&self, sources: &Sources, f: &Reported) -> String {
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

    /// Matches `findings` against the entries; `exists` tells whether a path from the root is still there.
    pub fn compare(&self, sources: &Sources, findings: &[Reported], exists: &dyn Fn(&str) -> bool) -> Comparison {
        let now = self.entries_of(sources, findings);
        let mut by_print: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, e) in now.iter().enumerate() {
            by_print.entry(&e.fingerprint).or_insert(i);
        }
        let mut taken = vec![false; now.len()];
        let mut out = Comparison {
            matched: vec![None; self.entries.len()],
            moved: Vec::new(),
        };
        for (known, slot) in self.entries.iter().zip(&mut out.matched) {
            if let Some(&i) = by_print.get(&*known.fingerprint)
                && !taken[i]
            {
                taken[i] = true;
                *slot = Some(i);
            }
        }
        for (known, slot) in self.entries.iter().zip(&mut out.matched) {
            if slot.is_some() || exists(&known.path) {
                continue;
            }
            let same = |e: &Entry| (&e.rule, &e.anchor, &e.evidence) == (&known.rule, &known.anchor, &known.evidence);
            if let Some(i) = (0..now.len()).find(|&i| !taken[i] && same(&now[i])) {
                taken[i] = true;
                *slot = Some(i);
                out.moved.push(i);
            }
        }
        out
    }
}

/// A baseline and where it is.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub baseline: &'a Baseline,
    /// As shown.
    pub path: &'a str,
    /// Whether a path from the root is still there.
    pub exists: &'a dyn Fn(&str) -> bool,
}

/// Marks what is known; `read` are the paths from the root of the files in scope. Entries of files that were read, or are gone, and match nothing count as fixed.
pub(super) fn apply(
    known: &Known<'_>,
    sources: &Sources,
    reported: &mut [Reported],
    read: &BTreeSet<String>,
) -> BaselineStats {
    let comparison = known.baseline.compare(sources, reported, known.exists);
    let mut fixed = 0;
    for (entry, matched) in known.baseline.entries.iter().zip(&comparison.matched) {
        match matched {
            Some(i) if reported[*i].status == Status::New => reported[*i].status = Status::Baselined,
            Some(_) => {}
            None if read.contains(&entry.path) || !(known.exists)(&entry.path) => fixed += 1,
            None => {}
        }
    }
    for &i in &comparison.moved {
        if reported[i].status == Status::Baselined {
            reported[i].status = Status::Moved;
        }
    }
    BaselineStats {
        path: known.path.to_owned(),
        fixed,
    }
}
