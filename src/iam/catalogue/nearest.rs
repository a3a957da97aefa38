//! "Did you mean": the nearest known name by edit distance. Looks at every name, so it is for messages only.

use super::Catalogue;
use crate::iam::sdk;

impl Catalogue {
    /// The current action that is meant by a name that is none: a slip of the pen; else the same thing with a verb that the
    /// service uses for it (`CreateItem` is `PutItem`); else the nearest name. It is looked for in the service, or, where
    /// there is no such service, in one with a similar prefix. `beside` are actions that are written with it: nobody
    /// means one of these by a name that is not nearly the same.
    pub fn did_you_mean_action(&self, name: &str, beside: &[String]) -> Option<&'static str> {
        let (prefix, action) = name.split_once(':')?;
        let service = match self.service(prefix) {
            Some(service) => service,
            None => self.service(self.did_you_mean_service(prefix)?)?,
        };
        let current = || {
            let current = service.actions().filter(|a| !a.is_gone());
            current.map(|a| (a.short_name(), a.name()))
        };
        let fresh = |(_, name): &(&str, &str)| !beside.iter().any(|b| b.eq_ignore_ascii_case(name));
        nearest_within(action, SLIP, current())
            .or_else(|| {
                other_verbs(action).find_map(|meant| {
                    let same = |(short, _): &(&str, &str)| short.eq_ignore_ascii_case(&meant);
                    current().filter(fresh).find(same).map(|(_, name)| name)
                })
            })
            .or_else(|| nearest(action, current().filter(fresh)))
    }

    /// The prefix that is meant: of the boto3 client with this name (`stepfunctions` → `states`), or the nearest one.
    pub fn did_you_mean_service(&self, prefix: &str) -> Option<&'static str> {
        if let Some(client) = sdk::client(&prefix.to_ascii_lowercase())
            && let Some(service) = self.service(client.iam_prefix())
        {
            return Some(service.prefix());
        }
        let current = self.services().filter(|s| !s.is_gone());
        nearest(prefix, current.map(|s| (s.prefix(), s.prefix())))
    }
}

/// So many letters are typed wrong without another word being meant.
const SLIP: usize = 2;

/// Verbs that AWS's services use for one another.
const VERBS: [&[&str]; 6] = [
    &["Put", "Create", "Add", "Insert", "Write", "Upload", "Register"],
    &["Get", "Describe", "Read", "Fetch", "View", "List"],
    &["Delete", "Remove", "Terminate", "Deregister", "Destroy"],
    &["Update", "Modify", "Put", "Set", "Change", "Edit"],
    &["Start", "Run", "Execute", "Begin"],
    &["Stop", "Cancel", "Abort", "End", "Terminate"],
];

/// The name with the other verbs that say what its verb says.
fn other_verbs(name: &str) -> impl Iterator<Item = String> + '_ {
    VERBS.into_iter().flat_map(move |verbs| {
        let noun = verbs.iter().find_map(|v| {
            let head = name.get(..v.len())?;
            head.eq_ignore_ascii_case(v).then(|| &name[v.len()..])
        });
        let noun = noun.filter(|n| !n.is_empty());
        noun.into_iter()
            .flat_map(move |n| verbs.iter().map(move |v| format!("{v}{n}")))
    })
}

/// The answer whose key differs from `wanted` in the fewest letters; a third of them at most, the first of equals.
pub(crate) fn nearest<'k, T>(wanted: &str, candidates: impl Iterator<Item = (&'k str, T)>) -> Option<T> {
    nearest_within(wanted, 5, candidates)
}

fn nearest_within<'k, T>(wanted: &str, most: usize, candidates: impl Iterator<Item = (&'k str, T)>) -> Option<T> {
    if wanted.len() > 128 {
        return None;
    }
    let wanted = wanted.to_ascii_lowercase();
    let mut limit = (wanted.len() / 3).clamp(1, most);
    let mut best = None;
    for (key, answer) in candidates {
        if let Some(distance) = distance(&wanted, &key.to_ascii_lowercase(), limit)
            && (best.is_none() || distance < limit)
        {
            limit = distance;
            best = Some(answer);
        }
    }
    best
}

/// How many letters to insert, remove, replace or swap with the next one make `a` of `b`; `None` beyond `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        if row.iter().all(|d| *d > limit) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|d| *d <= limit)
}
