//! The same policy, written in another way, is found the same: white space, the order of keys and lists, the case of what has
//! none.

use std::collections::{BTreeMap, BTreeSet};

use overgrant::internals::iam::{Ownership, size};
use overgrant::internals::pipeline::analyze;
use overgrant::internals::rules::{Ruleset, examples};
use overgrant::internals::source::Sources;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::support::lint::found;

/// Rules about how a policy is written, and not about what it says.
const WRITING: [&str; 2] = ["action-case", "duplicate-json-key"];

/// How often each rule speaks, and how gravely.
fn counts(text: &str) -> BTreeMap<(String, String), usize> {
    let mut out = BTreeMap::new();
    for f in found(&[("policy.json", text)]).1 {
        let severity = f.severity.map_or("", overgrant::internals::finding::Severity::name);
        if !WRITING.contains(&&*f.rule) {
            *out.entry((f.rule.to_string(), severity.to_owned())).or_default() += 1;
        }
    }
    out
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().rev().map(reversed).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), reversed(v))).collect()),
        other => other.clone(),
    }
}

fn swapped(text: &str) -> String {
    let turn = |c: char| match c.is_lowercase() {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    };
    text.chars().map(turn).collect()
}

/// Names of actions and condition keys in another case; the key of a tag has one.
fn recased(document: &Value) -> Value {
    let mut document = document.clone();
    let statements = match &mut document["Statement"] {
        Value::Array(all) => all.iter_mut().collect(),
        one => vec![one],
    };
    for statement in statements {
        let Some(statement) = statement.as_object_mut() else {
            continue;
        };
        for element in ["Action", "NotAction"] {
            match statement.get_mut(element) {
                Some(Value::String(s)) => *s = swapped(s),
                Some(Value::Array(all)) => {
                    for s in all.iter_mut() {
                        if let Value::String(s) = s {
                            *s = swapped(s);
                        }
                    }
                }
                _ => {}
            }
        }
        let Some(Value::Object(blocks)) = statement.get_mut("Condition") else {
            continue;
        };
        for block in blocks.values_mut() {
            if let Value::Object(lines) = block {
                let turned = std::mem::take(lines).into_iter().map(|(key, value)| {
                    let (head, tag) = key.split_once('/').map_or((&*key, None), |(h, t)| (h, Some(t)));
                    let head = swapped(head);
                    (tag.map_or(head.clone(), |t| format!("{head}/{t}")), value)
                });
                *lines = turned.collect();
            }
        }
    }
    document
}

/// What differs between a policy and its twins.
fn differences(text: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Vec::new();
    };
    let before = counts(text);
    let mut wrong = Vec::new();
    for (how, twin) in [
        ("minimised, keys sorted", value.to_string()),
        ("spaced", serde_json::to_string_pretty(&value).unwrap()),
        ("lists reversed", reversed(&value).to_string()),
        ("re-cased", recased(&value).to_string()),
    ] {
        let after = counts(&twin);
        if before != after {
            let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            let differ = all.into_iter().filter(|k| before.get(*k) != after.get(*k));
            let differ: Vec<String> = differ
                .map(|k| format!("{k:?} {:?} -> {:?}", before.get(k), after.get(k)))
                .collect();
            wrong.push(format!(
                r"{how}: {}
  {text}
  {twin}",
                differ.join(", ")
            ));
        }
    }
    wrong
}

/// The bare policies of all rules' examples.
fn policies(ruleset: &Ruleset) -> BTreeSet<String> {
    let bare = ruleset.iter().flat_map(examples::cases).filter(|c| c.files.len() == 1);
    let texts = bare.flat_map(|c| c.files.into_iter().filter(|(path, _)| path.ends_with(".json")));
    // A key that stands twice is lost in a twin.
    texts
        .map(|(_, text)| text)
        .filter(|text| serde_json::from_str::<Value>(text).is_ok_and(|v| v.get("Statement").is_some()))
        .filter(|text| !overgrant_duplicates(text))
        .collect()
}

fn overgrant_duplicates(text: &str) -> bool {
    let sources = Sources::new([("policy.json".to_owned(), text.into(), true)]);
    let own = Ownership::default();
    let project = analyze(&sources, &own).project;
    let duplicate = |d: &overgrant::internals::iam::Defect| {
        matches!(d.kind, overgrant::internals::iam::DefectKind::DuplicateKey { .. })
    };
    project.documents.iter().any(|d| d.defects.iter().any(duplicate))
}

#[test]
fn twins_of_the_examples_are_found_alike() {
    let ruleset = Ruleset::builtin();
    let texts = policies(&ruleset);
    assert!(texts.len() > 500, "{}", texts.len());
    let wrong: Vec<String> = texts.par_iter().flat_map_iter(|t| differences(t)).collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Against the shortest JSON that another writer makes.
#[test]
fn sizes_are_those_of_the_shortest_json() {
    for text in policies(&Ruleset::builtin()) {
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        let sources = Sources::new([("policy.json".to_owned(), text.as_str().into(), true)]);
        let own = Ownership::default();
        let project = analyze(&sources, &own).project;
        let [document] = project.documents.raw.as_slice() else {
            continue;
        };
        let size = size::size(&document.value);
        assert!(size.exact, "{text}");
        assert_eq!(size.characters, value.to_string().chars().count(), "{text}");
    }
}

fn some<T: Clone + std::fmt::Debug + 'static>(of: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    prop::sample::subsequence(of, 1..=3)
}

fn any_statement() -> impl Strategy<Value = Value> {
    const ACTIONS: &[&str] = &[
        "*",
        "s3:*",
        "s3:GetObject",
        "s3:Get*",
        "s3:ListBucket",
        "iam:PassRole",
        "iam:*",
        "iam:Create*",
        "ec2:RunInstances",
        "lambda:CreateFunction",
        "lambda:InvokeFunction",
        "sts:AssumeRole",
        "kms:Decrypt",
        "secretsmanager:GetSecretValue",
        "dynamodb:PutItem",
        "logs:PutLogEvents",
        "s3:ListObjects",
        "ec2:Desribe*",
    ];
    const RESOURCES: &[&str] = &[
        "*",
        "arn:aws:s3:::a",
        "arn:aws:s3:::a/*",
        "arn:aws:s3:::*",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:role/app",
        "arn:aws:dynamodb:eu-west-1:111122223333:table/t",
        "arn:aws:kms:*:*:key/*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:g:*",
        "arn:aws:sqs:eu-west-1:1111:q",
    ];
    const CONDITIONS: &[(&str, &str, &[&str])] = &[
        ("StringEquals", "aws:PrincipalOrgID", &["o-a1b2c3d4e5"]),
        ("StringLike", "iam:PassedToService", &["*", "ec2.amazonaws.com"]),
        ("IpAddress", "aws:SourceIp", &["0.0.0.0/0", "203.0.113.0/24"]),
        ("Bool", "aws:MultiFactorAuthPresent", &["true"]),
        ("ForAllValues:StringEquals", "aws:TagKeys", &["a", "b"]),
        ("StringEqualsIfExists", "aws:SourceVpce", &["vpce-0123456789abcdef0"]),
        ("StringEquals", "aws:ResourceTag/Team", &["x", "y"]),
        ("NumericLessThan", "s3:max-keys", &["10", "20"]),
    ];
    (
        some(ACTIONS),
        some(RESOURCES),
        prop::sample::subsequence(CONDITIONS, 0..=2),
        any::<[bool; 4]>(),
    )
        .prop_map(
            |(actions, resources, conditions, [deny, not_action, not_resource, principal])| {
                let mut s = json!({ "Effect": if deny { "Deny" } else { "Allow" } });
                s[if not_action { "NotAction" } else { "Action" }] = json!(actions);
                s[if not_resource && deny {
                    "NotResource"
                } else {
                    "Resource"
                }] = json!(resources);
                if principal {
                    s["Principal"] = json!({"AWS": ["*", "arn:aws:iam::444455556666:root"]});
                }
                for (operator, key, values) in conditions {
                    s["Condition"][operator][key] = json!(values);
                }
                s
            },
        )
}

/// More when asked: `OVERGRANT_TWINS=5000`.
fn case_count() -> u32 {
    std::env::var("OVERGRANT_TWINS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(case_count()) })]

    #[test]
    fn twins_of_any_policy_are_found_alike(statements in prop::collection::vec(any_statement(), 1..4)) {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let wrong = differences(&text);
        prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
