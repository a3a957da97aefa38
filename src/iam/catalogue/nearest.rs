//! "Did you mean": the nearest known name by edit distance. Looks at every name, so it is for messages only.

use super::Catalogue;
use crate::iam::sdk;

impl Catalogue {
    /// The current action that `name` is a slip of the pen from: in its service, or, where there is no such service, with
    /// the same name in a service with a similar prefix.
    pub fn did_you_mean_action(&self, name: &str) -> Option<&'static str> {
        let (prefix, action) = name.split_once(':')?;
        let service = match self.service(prefix) {
            Some(service) => service,
            None => self.service(self.did_you_mean_service(prefix)?)?,
        };
        let current = service.actions().filter(|a| !a.is_gone());
        nearest(action, current.map(|a| (a.short_name(), a.name())))
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

/// The answer whose key differs from `wanted` in the fewest letters; a third of them at most, the first of equals.
pub(crate) fn nearest<'k, T>(wanted: &str, candidates: impl Iterator<Item = (&'k str, T)>) -> Option<T> {
    if wanted.len() > 128 {
        return None;
    }
    let wanted = wanted.to_ascii_lowercase();
    let mut limit = (wanted.len() / 3).clamp(1, 5);
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
