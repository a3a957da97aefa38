//! Plain patterns: `*` is any run of characters, `?` is one character, nothing else is special.
//! IAM User Guide, "IAM JSON policy elements: Resource" and "Action".

/// Whether letters compare as written: actions and condition keys do not, ARNs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseSensitivity {
    Sensitive,
    Insensitive,
}

/// Whether `text` is one of the strings of `pattern`. In `text` nothing is special.
pub fn matches(pattern: &str, text: &str, case: CaseSensitivity) -> bool {
    let (p, t) = (pattern.as_bytes(), text.as_bytes());
    let same = |a: u8, b: u8| match case {
        CaseSensitivity::Sensitive => a == b,
        CaseSensitivity::Insensitive => a.eq_ignore_ascii_case(&b),
    };
    let (mut i, mut j) = (0, 0);
    // Where to go on after the last `*`, should what follows it not match here.
    let mut retry: Option<(usize, usize)> = None;
    while j < t.len() {
        match p.get(i) {
            Some(b'*') => {
                i += 1;
                retry = Some((i, j));
            }
            Some(b'?') => {
                i += 1;
                j = next_char(t, j);
            }
            Some(&c) if same(c, t[j]) => {
                i += 1;
                j += 1;
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                let from = next_char(t, from);
                // What follows the star can begin only where its first character is.
                let skipped = match p.get(after) {
                    Some(b'?') | None => 0,
                    Some(&c) => match t[from..].iter().position(|&b| same(c, b)) {
                        Some(n) => n,
                        None => return false,
                    },
                };
                let from = from + skipped;
                retry = Some((after, from));
                (i, j) = (after, from);
            }
        }
    }
    p[i..].iter().all(|&c| c == b'*')
}

/// Whether every string of `inner` is one of `outer`.
pub fn covers(outer: &str, inner: &str, case: CaseSensitivity) -> bool {
    super::pattern::Pattern::plain(outer, case)
        .covers(&super::pattern::Pattern::plain(inner, case))
        .is_yes()
}

/// Whether some string is one of both.
#[cfg(any(test, feature = "internals"))]
pub fn overlaps(a: &str, b: &str, case: CaseSensitivity) -> bool {
    super::pattern::Pattern::plain(a, case)
        .overlaps(&super::pattern::Pattern::plain(b, case))
        .is_yes()
}

/// Has a `*` or a `?`.
pub fn is_pattern(text: &str) -> bool {
    text.bytes().any(|b| b == b'*' || b == b'?')
}

fn next_char(t: &[u8], mut j: usize) -> usize {
    j += 1;
    while t.get(j).is_some_and(|b| b & 0xC0 == 0x80) {
        j += 1;
    }
    j
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("s3:Get*", "S3:getObject", true),
            ("*", "", true),
            ("**", "x", true),
            ("?", "", false),
            ("?", "é", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("*a", "aaab", false),
            ("*?*?", "a", false),
            ("", "", true),
            ("ec2:*instance?", "ec2:RunInstances", true),
        ] {
            assert_eq!(
                matches(pattern, text, CaseSensitivity::Insensitive),
                expected,
                "{pattern} on {text}"
            );
        }
        assert!(!matches("arn:aws:s3:::B", "arn:aws:s3:::b", CaseSensitivity::Sensitive));
    }

    #[test]
    fn a_hard_pattern_is_not_exponential() {
        let pattern = "a*".repeat(60) + "b";
        assert!(!matches(&pattern, &"a".repeat(2000), CaseSensitivity::Sensitive));
    }

    #[test]
    fn inclusion_and_intersection() {
        for (a, b, covers_, overlaps_) in [
            ("s3:*", "s3:Get*", true, true),
            ("s3:Get*", "s3:*", false, true),
            ("s3:Get*", "s3:Put*", false, false),
            ("s3:*Object", "s3:Get*", false, true),
            ("s3:G*t", "s3:Get", true, true),
            ("*", "", true, true),
            ("*?", "?*", true, true),
            ("a?c", "a*c", false, true),
            ("?*", "*", false, true),
            ("iam:*Role", "iam:*Policy", false, false),
        ] {
            assert_eq!(covers(a, b, CaseSensitivity::Insensitive), covers_, "{a} covers {b}");
            assert_eq!(
                overlaps(a, b, CaseSensitivity::Insensitive),
                overlaps_,
                "{a} overlaps {b}"
            );
        }
    }
}
