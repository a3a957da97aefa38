//! "Did you mean": the known name nearest to one that is not. The build script compiles this file too.

/// The answer whose key differs from `wanted` in the fewest letters, case aside; a third of them at most, the first of
/// equals. Looks at every candidate, so it is for messages only.
pub fn nearest<'k, T>(wanted: &str, candidates: impl IntoIterator<Item = (&'k str, T)>) -> Option<T> {
    nearest_within(wanted, 5, candidates)
}

/// [`nearest`] with at most so many letters wrong.
pub fn nearest_within<'k, T>(
    wanted: &str,
    most: usize,
    candidates: impl IntoIterator<Item = (&'k str, T)>,
) -> Option<T> {
    if wanted.len() > 128 {
        return None;
    }
    let wanted: Vec<char> = wanted.to_lowercase().chars().collect();
    let mut limit = (wanted.len() / 3).clamp(1, most);
    let mut best = None;
    for (key, answer) in candidates {
        // A letter takes four bytes at most.
        if key.len() > 4 * (wanted.len() + limit) {
            continue;
        }
        let key: Vec<char> = key.to_lowercase().chars().collect();
        if let Some(distance) = distance(&wanted, &key, limit)
            && (best.is_none() || distance < limit)
        {
            limit = distance;
            best = Some(answer);
        }
    }
    best
}

/// [`nearest`] among plain words.
pub fn nearest_word<'k>(wanted: &str, words: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    nearest(wanted, words.into_iter().map(|w| (w, w)))
}

/// How many letters to insert, remove, replace or swap with the next one make `a` of `b`; `None` beyond `limit`.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["ignore", "select", "profile", "min-severity", "StringEquals"];
        for (wanted, meant) in [
            ("igonre", Some("ignore")),
            ("min_severity", Some("min-severity")),
            ("stringequals", Some("StringEquals")),
            ("StringEqual", Some("StringEquals")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest_word(wanted, names), meant, "{wanted}");
        }
        assert_eq!(
            nearest_word("policy.jsn", ["policy.json", "main.tf"]),
            Some("policy.json")
        );
        assert_eq!(nearest_word("füße", ["fuße", "fuss"]), Some("fuße"));
    }
}
