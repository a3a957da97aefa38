//! Which rules are wanted.

use crate::iam::glob::{self, CaseSensitivity};
use crate::rules::{Profile, Ruleset, Selection, UnknownRule};

/// A rule name, a family, or a pattern with `*` or `?` over rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(pub String);

impl Selector {
    /// Whether it covers rule `name` of `family`.
    pub fn covers(&self, family: &str, name: &str) -> bool {
        let s = self.0.as_str();
        s == name
            || s == family
            || s == "all"
            || (glob::is_pattern(s) && glob::matches(s, name, CaseSensitivity::Sensitive))
    }
}

/// How the set of rules is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub profile: Profile,
    /// Empty: the profile's set.
    pub select: Vec<Selector>,
    pub extend_select: Vec<Selector>,
    pub ignore: Vec<Selector>,
}

impl Choice {
    /// The rules that are on.
    pub fn selection(&self, ruleset: &Ruleset) -> Result<Selection, UnknownRule> {
        let names = |list: &[Selector]| -> Vec<String> { list.iter().map(|s| s.0.clone()).collect() };
        Selection::new(
            ruleset,
            self.profile,
            &names(&self.select),
            &names(&self.extend_select),
            &names(&self.ignore),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_families_and_patterns_take_in() {
        let takes = |s: &str| Selector(s.to_owned()).covers("trust", "trust-account-root");
        for s in ["trust", "trust-account-root", "trust-*", "*-root", "all"] {
            assert!(takes(s), "{s}");
        }
        for s in ["actions", "trust-account", "trust-?"] {
            assert!(!takes(s), "{s}");
        }
    }
}
