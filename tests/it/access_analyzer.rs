//! Everything that AWS's own policy validation finds is found here too.

use overgrant::internals::rules::{Ruleset, examples};

const TABLE: &str = include_str!("../../testdata/access-analyzer.txt");

#[test]
fn every_finding_of_access_analyzer_has_a_rule_and_an_example() {
    let ruleset = Ruleset::builtin();
    let mut wrong = Vec::new();
    let mut codes = Vec::new();
    for line in TABLE.lines().filter(|l| !l.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [code, id, example] = fields[..] else {
            panic!("not three fields: {line}")
        };
        codes.push(code);
        if id == "-" {
            continue;
        }
        let Some(rule) = ruleset.get(id) else {
            wrong.push(format!("{code}: no rule `{id}`"));
            continue;
        };
        if !rule.docs().peers.iter().any(|p| p.rsplit(' ').next() == Some(code)) {
            wrong.push(format!("{code}: `{id}` does not name it among its peers"));
        }
        // As it is, or in one of the formats that a bare policy is written in.
        let mut shown = examples::cases(rule)
            .into_iter()
            .filter(|c| c.bad && c.title == example);
        if !shown.any(|case| !case.run(&ruleset).findings.is_empty()) {
            wrong.push(format!("{code}: no bad example `{example}` of `{id}` gives a finding"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(codes.is_sorted_by(|a, b| a < b), "sorted, each once");
    assert_eq!(codes.len(), 135);
}
