//! Every example of every rule, in every format.

use overgrant::internals::grade::Severity;
use overgrant::internals::rules::examples::{self, ExampleCase, Form};
use overgrant::internals::rules::{self, PageStyle, Profile, Ruleset, Selection};
use rayon::prelude::*;

#[test]
fn every_example_gives_exactly_its_marks() {
    let ruleset = Ruleset::builtin();
    let only = std::env::var("OVERGRANT_RULE").ok();
    let rules: Vec<_> = ruleset
        .iter()
        .filter(|r| only.as_deref().is_none_or(|o| r.id() == o) && !r.is_about_suppressions())
        .collect();
    let cases: Vec<ExampleCase> = rules.iter().flat_map(|r| examples::cases(r)).collect();
    let failures: Vec<String> = cases
        .par_iter()
        .filter_map(|c| {
            let ran = c.run(&ruleset);
            (!ran.wrong.is_empty()).then(|| c.describe(&ran))
        })
        .collect();
    assert!(
        failures.is_empty(),
        r"{} of {} cases fail

{}",
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
    let mut selection = Selection::single_rule("admin-star-star");
    selection.set_severity(&rules, "admin-*", Severity::Low).unwrap();
    assert_eq!(selection.severity("admin-star-star"), Some(Severity::Low));
    assert!(selection.set_severity(&rules, "no-such-rule", Severity::Low).is_err());
}

#[test]
fn every_rule_has_a_page_in_every_style_and_form() {
    let ruleset = Ruleset::builtin();
    for rule in ruleset.iter() {
        for form in [
            None,
            Some(Form::CloudformationYaml),
            Some(Form::TerraformDocument),
            Some(Form::Python),
        ] {
            for style in [PageStyle::Human, PageStyle::Markdown, PageStyle::Json] {
                let page = rules::explain(rule, style, form, 100);
                assert!(page.contains(&*rule.id()), "{}", rule.id());
                assert!(!page.contains(['«', '»', '‹', '›']), "{}: marks in the page", rule.id());
                if style == PageStyle::Json {
                    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
                    assert!(page["bad"].as_array().is_some_and(|b| b.len() > 1), "{}", rule.id());
                }
            }
        }
    }
}

#[test]
fn a_page_shows_the_examples_in_the_form_asked_for() {
    let ruleset = Ruleset::builtin();
    let page = rules::explain(
        ruleset.get("admin-star-star").unwrap(),
        PageStyle::Human,
        Form::from_name("terraform"),
        100,
    );
    for part in [
        "Administrator access: all actions on all resources",
        "severity critical",
        r#"actions = ["*"]"#,
        "overgrant: ignore[admin-star-star]",
        "CWE-250",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn the_list_holds_every_rule() {
    let ruleset = Ruleset::builtin();
    let human = rules::listing(
        &ruleset,
        PageStyle::Human,
        None,
        overgrant::internals::Palette::default(),
    );
    let json: serde_json::Value = serde_json::from_str(&rules::listing(
        &ruleset,
        PageStyle::Json,
        None,
        overgrant::internals::Palette::default(),
    ))
    .unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(ruleset.len()));
    for rule in ruleset.iter() {
        assert!(human.contains(&format!("  {} ", rule.id())), "{}", rule.id());
    }
}
