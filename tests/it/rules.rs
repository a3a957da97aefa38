//! Every example of every rule, in every format.

use overgrant::grade::Severity;
use overgrant::rules::examples::{self, Case};
use overgrant::rules::{Profile, Ruleset, Selection};
use rayon::prelude::*;

#[test]
fn every_example_gives_exactly_its_marks() {
    let ruleset = Ruleset::builtin();
    let only = std::env::var("OVERGRANT_RULE").ok();
    let rules: Vec<_> = ruleset
        .iter()
        .filter(|r| only.as_deref().is_none_or(|o| r.id() == o) && !r.is_settled())
        .collect();
    let cases: Vec<Case> = rules.iter().flat_map(|r| examples::cases(r)).collect();
    let failures: Vec<String> = cases
        .par_iter()
        .filter(|c| c.is_supported())
        .filter_map(|c| {
            let ran = c.run(&ruleset);
            (!ran.wrong.is_empty()).then(|| c.describe(&ran))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases fail\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn a_selection_takes_names_families_and_globs() {
    let rules = Ruleset::builtin();
    let words = |w: &[&str]| -> Vec<String> { w.iter().map(|w| (*w).to_owned()).collect() };
    let select = |s: &[&str], x: &[&str], i: &[&str]| {
        Selection::new(&rules, Profile::Default, &words(s), &words(x), &words(i)).unwrap()
    };
    assert!(select(&[], &[], &[]).is_on("admin-star-star"));
    assert!(!select(&[], &[], &["actions"]).is_on("admin-star-star"));
    assert!(select(&["admin-*"], &[], &[]).is_on("admin-star-star"));
    assert_eq!(select(&["admin-star-star"], &[], &[]).len(), 1);
    assert!(select(&["admin-star-star"], &["action-star"], &[]).is_on("action-star"));
    assert_eq!(select(&["all"], &[], &[]).len(), rules.len());

    let unknown = Selection::new(&rules, Profile::Default, &words(&["admin-star"]), &[], &[]).unwrap_err();
    assert_eq!(unknown.name, "admin-star");
    assert_eq!(unknown.nearest.first().map(String::as_str), Some("admin-star-star"));
}

#[test]
fn a_severity_of_the_users_choice_wins() {
    let rules = Ruleset::builtin();
    let mut selection = Selection::only("admin-star-star");
    selection.set_severity(&rules, "admin-*", Severity::Low).unwrap();
    assert_eq!(selection.severity("admin-star-star"), Some(Severity::Low));
    assert!(selection.set_severity(&rules, "no-such-rule", Severity::Low).is_err());
}
