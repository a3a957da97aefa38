//! Which rules are wanted.

use super::near::wild;

/// A rule name, a family, or a pattern with `*` or `?` over either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(pub String);

impl Selector {
    /// Whether it takes in rule `name` of `family`.
    pub fn takes(&self, family: &str, name: &str) -> bool {
        let s = self.0.as_str();
        s == name || s == family || (s.contains(['*', '?']) && (wild(s, name) || wild(s, family)))
    }
}

/// How the set of rules is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// 0 default, 1 strict, 2 audit: each holds the ones before it.
    pub profile: u8,
    /// Empty: the profile's set.
    pub select: Vec<Selector>,
    pub extend_select: Vec<Selector>,
    pub ignore: Vec<Selector>,
}

impl Selection {
    /// Profiles by name, in order.
    pub const PROFILES: [&str; 3] = ["default", "strict", "audit"];

    /// Whether rule `name` of `family`, which first appears in `profile`, is wanted. A rule that is selected by its own name
    /// is wanted in any profile; a family or a pattern picks among the rules of the profile.
    pub fn wants(&self, family: &str, name: &str, profile: u8) -> bool {
        let picked = |list: &[Selector]| {
            list.iter()
                .any(|s| s.0 == name || (profile <= self.profile && s.takes(family, name)))
        };
        let selected = if self.select.is_empty() {
            profile <= self.profile
        } else {
            picked(&self.select)
        };
        (selected || self.extend_select.iter().any(|s| s.takes(family, name)))
            && !self.ignore.iter().any(|s| s.takes(family, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Selector> {
        names.iter().map(|n| Selector((*n).to_owned())).collect()
    }

    #[test]
    fn families_names_and_patterns_select() {
        let mut s = Selection::default();
        assert!(s.wants("trust", "trust-account-root", 0));
        assert!(!s.wants("trust", "trust-account-root", 1));
        s.select = list(&["trust"]);
        assert!(s.wants("trust", "trust-account-root", 0));
        assert!(!s.wants("actions", "action-star", 0));
        s.select = list(&["trust-account-root"]);
        assert!(s.wants("trust", "trust-account-root", 2));
        s.ignore = list(&["trust-*"]);
        assert!(!s.wants("trust", "trust-account-root", 0));
        s.extend_select = list(&["actions"]);
        assert!(s.wants("actions", "action-star", 1));
    }
}
