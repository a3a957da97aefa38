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
    let mut key: Vec<char> = Vec::new();
    let mut rows = Rows::default();
    for (text, answer) in candidates {
        // A letter takes four bytes at most.
        if text.len() + limit < wanted.len() || text.len() > 4 * (wanted.len() + limit) {
            continue;
        }
        key.clear();
        if text.is_ascii() {
            if text.len() > wanted.len() + limit {
                continue;
            }
            key.extend(text.bytes().map(|b| char::from(b.to_ascii_lowercase())));
        } else {
            key.extend(text.to_lowercase().chars());
        }
        if let Some(distance) = rows.distance(&wanted, &key, limit)
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

/// Three rows of the table of distances between beginnings of two words.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    last: Vec<usize>,
    row: Vec<usize>,
}

impl Rows {
    /// How many letters to insert, remove, replace or swap with the next one make `a` of `b`; `None` beyond `limit`.
    fn distance(&mut self, a: &[char], b: &[char], limit: usize) -> Option<usize> {
        if a.len().abs_diff(b.len()) > limit {
            return None;
        }
        // What both begin or end with is no difference.
        let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let (a, b) = (&a[head..], &b[head..]);
        let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
        let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
        // Each letter that only one of them has is a difference; letters that share a bit only make it less.
        let letters = |word: &[char]| word.iter().fold(0_u128, |set, c| set | 1 << (*c as u32 % 128));
        let (of_a, of_b) = (letters(a), letters(b));
        if (of_a & !of_b).count_ones().max((of_b & !of_a).count_ones()) as usize > limit {
            return None;
        }
        let far = limit + 1;
        let Self { before, last, row } = self;
        for r in [&mut *before, &mut *row] {
            r.clear();
            r.resize(b.len() + 1, far);
        }
        last.clear();
        last.extend(0..=b.len());
        for i in 1..=a.len() {
            // Further from the diagonal everything is beyond the limit.
            let (start, end) = (i.saturating_sub(limit).max(1), (i + limit).min(b.len()));
            row[start - 1] = if start == 1 { i } else { far };
            let mut least = row[start - 1];
            for j in start..=end {
                let cost = usize::from(a[i - 1] != b[j - 1]);
                let above = if j == i + limit { far } else { last[j] };
                let mut d = (above + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    d = d.min(before[j - 2] + 1);
                }
                row[j] = d;
                least = least.min(d);
            }
            if least > limit {
                return None;
            }
            std::mem::swap(before, last);
            std::mem::swap(last, row);
        }
        last.last().copied().filter(|d| *d <= limit)
    }
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
