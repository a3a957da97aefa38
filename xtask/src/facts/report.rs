//! What changed, and whether too much was lost.

use std::collections::{BTreeMap, BTreeSet};

/// Changes by kind of thing (`action`, `operation`).
#[derive(Default)]
pub struct Report {
    kinds: BTreeMap<&'static str, Changes>,
    losses: Vec<String>,
    notes: Vec<String>,
}

#[derive(Default)]
struct Changes {
    new: Vec<String>,
    gone: Vec<String>,
    renamed: Vec<(String, String)>,
    changed: Vec<String>,
}

impl Report {
    /// Compares two versions of a table. `whole` things (a service, a client) may not be lost, and of the others 1 %.
    pub fn compare(
        &mut self,
        kind: &'static str,
        whole: bool,
        old: &BTreeMap<String, String>,
        new: &BTreeMap<String, String>,
    ) {
        let mut gone: BTreeSet<&String> = old.keys().filter(|k| !new.contains_key(*k)).collect();
        let fresh: Vec<&String> = new.keys().filter(|k| !old.contains_key(*k)).collect();
        let changes = self.kinds.entry(kind).or_default();
        for name in fresh {
            let renamed = (!whole)
                .then(|| gone.iter().copied().find(|g| similar(g, name)).cloned())
                .flatten();
            match renamed {
                Some(before) => {
                    gone.remove(&before);
                    changes.renamed.push((before, name.clone()));
                }
                None => changes.new.push(name.clone()),
            }
        }
        changes.gone.extend(gone.iter().map(|g| (*g).clone()));
        for (name, value) in old {
            if new.get(name).is_some_and(|n| n != value) {
                changes.changed.push(name.clone());
            }
        }
        if whole && !gone.is_empty() {
            let names: Vec<&str> = gone.iter().map(|g| g.as_str()).collect();
            self.losses.push(format!("{kind} lost: {}", names.join(", ")));
        } else if gone.len() * 100 > old.len() {
            self.losses
                .push(format!("{} of {} {kind}s lost", gone.len(), old.len()));
        }
    }

    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    pub fn losses(&self) -> Vec<String> {
        self.losses.clone()
    }

    pub fn print(&self) {
        for (kind, changes) in &self.kinds {
            println!(
                "{kind}: {} new, {} gone, {} renamed, {} changed",
                changes.new.len(),
                changes.gone.len(),
                changes.renamed.len(),
                changes.changed.len()
            );
            let renamed = changes.renamed.iter().map(|(a, b)| format!("{a} → {b}"));
            for (sign, names) in [
                ("+", changes.new.clone()),
                ("-", changes.gone.clone()),
                ("~", renamed.collect()),
                ("*", changes.changed.clone()),
            ] {
                for name in names {
                    println!("  {sign} {name}");
                }
            }
        }
        for note in &self.notes {
            println!("note: {note}");
        }
    }
}

/// Names of one service that share all but a few letters: likely one thing renamed.
fn similar(a: &str, b: &str) -> bool {
    let (Some((x, a)), Some((y, b))) = (a.split_once(':'), b.split_once(':')) else {
        return false;
    };
    if x != y {
        return false;
    }
    let common = a
        .bytes()
        .zip(b.bytes())
        .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
        .count();
    let tail = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    let longest = a.len().max(b.len());
    (common + tail).min(longest) * 5 >= longest * 4
}
