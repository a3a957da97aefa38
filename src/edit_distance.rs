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
    let wanted = wanted.to_lowercase();
    let length = wanted.chars().count();
    let mut limit = (length / 3).clamp(1, most);
    let mut best = None;
    for (text, answer) in candidates {
        // A letter takes four bytes at most.
        if text.len() + limit < length || text.len() > 4 * (length + limit) {
            continue;
        }
        let key = text.to_lowercase();
        if key.chars().count().abs_diff(length) > limit {
            continue;
        }
        let distance = strsim::osa_distance(&wanted, &key);
        if distance <= limit && (best.is_none() || distance < limit) {
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
