//! AWS's own managed policies, all that are shipped: what is called wrong in them is wrong, and listed with the reason.

use std::collections::BTreeMap;
use std::path::Path;

use overgrant::internals::iam::Ownership;
use overgrant::internals::iam::catalogue::catalogue;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::rules::{Profile, Ruleset, Selection, run};
use overgrant::internals::source::Sources;

use crate::support::golden;

const LIST: &str = "managed-policies/mistakes.txt";

/// Beside the families `validity` and `conditions` (but the size, to which AWS does not hold its own policies): rules that say
/// that something is a mistake, not that it is too much.
const JUDGED: &[&str] = &[
    "action-bad-format",
    "api-name-not-iam-action",
    "deprecated-action",
    "duplicate-action",
    "empty-resource-list",
    "missing-arn-suffix-log-group",
    "redundant-action",
    "redundant-resource",
    "redundant-statement",
    "resource-action-mismatch",
    "s3-arn-colon-instead-of-slash",
    "s3-bucket-and-object-both-needed",
    "star-only-action-on-arn",
    "unknown-action",
    "unknown-service",
    "wildcard-in-service-prefix",
    "wildcard-matches-nothing",
];

/// The reasons that the list has: of a group (`rule, confidence, profile: reason`), and of a text in it, where it has its own
/// after a tab.
fn reasons() -> BTreeMap<(String, String), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(LIST);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut out = BTreeMap::new();
    let mut group = "";
    for line in text.lines() {
        if let Some(item) = line.strip_prefix("  ") {
            if let Some((marked, reason)) = item.split_once(' ').and_then(|(_, rest)| rest.split_once('\t')) {
                out.insert((group.to_owned(), marked.to_owned()), reason.to_owned());
            }
        } else if let Some((name, reason)) = line.split_once(": ") {
            group = name;
            out.insert((group.to_owned(), String::new()), reason.to_owned());
        }
    }
    out
}

#[test]
fn what_is_wrong_in_aws_own_policies_is_listed_with_the_reason() {
    let files: Vec<(String, &str)> = catalogue()
        .managed_policies()
        .filter_map(|p| Some((format!("{}.json", p.name), p.document_json()?)))
        .collect();
    assert!(files.len() > 1_500, "{} policies", files.len());
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let sources = Sources::from_strings(&files);
    let own = Ownership::default();
    let analysis = analyze(&sources, &own);
    let ruleset = Ruleset::builtin();
    let judged: Vec<String> = ruleset
        .iter()
        .filter(|r| matches!(r.family(), "validity" | "conditions") || JUDGED.contains(&r.id().as_str()))
        .filter(|r| r.profile() <= Profile::Strict && r.id() != "identity-policy-size")
        .map(|r| r.id().to_string())
        .collect();
    let selection = Selection::new(&ruleset, Profile::Strict, &judged, &[], &[]).unwrap();
    let outcome = run(&analysis.project, &ruleset, &selection);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);

    let mut groups: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for finding in &outcome.findings {
        let rule = ruleset.get(&finding.rule).unwrap();
        let confidence = finding.confidence.unwrap_or_else(|| rule.confidence());
        let group = format!("{}, {}, {}", finding.rule, confidence.name(), rule.profile().name());
        let marked = sources.slice(finding.span().unwrap()).trim_matches('"').to_owned();
        *groups.entry(group).or_default().entry(marked).or_default() += 1;
    }
    let reasons = reasons();
    let mut list = String::new();
    for (group, texts) in &groups {
        let reason = |text: &str| reasons.get(&(group.clone(), text.to_owned()));
        list += &format!("{group}: {}\n", reason("").map_or("?", String::as_str));
        for (marked, n) in texts {
            let own = reason(marked).map(|r| format!("\t{r}")).unwrap_or_default();
            list += &format!("  {n} {marked}{own}\n");
        }
    }
    golden::check(LIST, &list);
    assert!(
        !list.contains(": ?\n"),
        r"a group has no reason:
{list}"
    );
}
