//! Small parts of messages: counts, lists that are cut, texts that are cut.
//!
//! **Invariant:** nothing here knows what the texts are about.

use std::fmt;

/// Longest text of a label, in characters.
pub(crate) const MAX_LABEL: usize = 60;

/// "1 policy", "2 policies".
pub(crate) fn count<N: fmt::Display + PartialEq + From<u8>>(n: N, one: &str, many: &str) -> String {
    let noun = if n == N::from(1) { one } else { many };
    format!("{n} {noun}")
}

/// "`a`, `b`"
pub(crate) fn list<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    quoted(names, ", ")
}

/// "`a` or `b`", with " or " as the separator.
pub(crate) fn quoted<T: fmt::Display>(names: impl IntoIterator<Item = T>, separator: &str) -> String {
    let quoted: Vec<String> = names.into_iter().map(|n| format!("`{n}`")).collect();
    quoted.join(separator)
}

/// "`a`", "`a` and `b`", "`a`, `b`, and `c`".
pub(crate) fn all_of<T: fmt::Display>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [one, two] => format!("`{one}` and `{two}`"),
        [first @ .., last] => format!("{}, and `{last}`", list(first)),
    }
}

/// "; did you mean `a` or `b`?"; nothing where nothing is near.
pub(crate) fn did_you_mean(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; did you mean {}?", quoted(names, " or ")),
    }
}

/// " and 3 more", for what a list of `shown` items leaves out; nothing where it leaves out nothing.
pub(crate) fn and_more(shown: usize, left_out: usize) -> String {
    match (shown, left_out) {
        (_, 0) => String::new(),
        (0 | 1, n) => format!(" and {n} more"),
        (_, n) => format!(", and {n} more"),
    }
}

/// The text, cut to `most` characters.
pub(crate) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(list(["a", "b"]) + &and_more(2, 3), "`a`, `b`, and 3 more");
        assert_eq!(list(["a"]) + &and_more(1, 3), "`a` and 3 more");
        assert_eq!(list(["a"]) + &and_more(1, 0), "`a`");
        assert_eq!(all_of(&["a", "b"]), "`a` and `b`");
        assert_eq!(all_of(&["a", "b", "c"]), "`a`, `b`, and `c`");
        assert_eq!(count(1, "policy", "policies"), "1 policy");
        assert_eq!(
            (clip("abcd", 4), clip("abcde", 4)),
            ("abcd".to_owned(), "abc…".to_owned())
        );
    }
}
