//! The fixes of the examples of all rules, judged by the engine of `overgrant diff` and linted again.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use overgrant::internals::access::sets::{compare, compare_as};
use overgrant::internals::finding::Fix;
use overgrant::internals::fix::{self, LintedState, Texts, apply_fixes};
use overgrant::internals::iam::Ownership;
use overgrant::internals::pipeline::{Analysis, analyze};
use overgrant::internals::project::AccessSubject;
use overgrant::internals::rules::Profile;
use overgrant::internals::rules::examples::{self, ExampleCase};
use overgrant::internals::source::Sources;
use overgrant::internals::triage::Report;
use rayon::prelude::*;

use crate::support::golden;
use crate::support::lint::{LintedExample, RULESET, bad_examples, report_of_own};

fn sources(files: &BTreeMap<String, String>) -> Sources {
    Sources::new(files.iter().map(|(p, t)| (p.clone(), Arc::from(t.as_str()), true)))
}

/// The files after one fix.
fn fixed(files: &BTreeMap<String, String>, before: &Sources, fix: &Fix) -> BTreeMap<String, String> {
    let mut out = files.clone();
    for edit in fix.edits.iter().rev() {
        let text = out.get_mut(before.path(edit.span.file)).unwrap();
        text.replace_range(edit.span.range(), &edit.text);
    }
    out
}

/// How many findings of each rule there are, and how many of those that others stand for.
fn counts(report: &Report) -> [BTreeMap<String, usize>; 2] {
    let mut out = [BTreeMap::new(), BTreeMap::new()];
    for f in &report.findings {
        *out[0].entry(f.rule().to_owned()).or_default() += 1;
        for rule in &f.finding.folded {
            *out[1].entry((*rule).to_string()).or_default() += 1;
        }
    }
    out
}

/// What has policies, by what it is.
fn by_address(analysis: &Analysis<'_>) -> BTreeMap<(String, usize), AccessSubject> {
    let mut out = BTreeMap::new();
    for s in analysis.project.access_subjects() {
        let name = format!("{:?} {:?} {}", s.kind, s.address, s.root);
        let number = out.keys().filter(|(n, _): &&(String, usize)| *n == name).count();
        out.insert((name, number), s);
    }
    out
}

/// What all that has policies gains, loses, and may gain or lose.
fn difference(old: &Sources, new: &Sources, own: &Ownership) -> [Vec<String>; 3] {
    let (old, new) = (analyze(old, own), analyze(new, own));
    let (old, new) = (by_address(&old), by_address(&new));
    let mut out = [Vec::new(), Vec::new(), Vec::new()];
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let any = old.get(key).or(new.get(key)).unwrap().policy.nothing();
        let policy = |all: &'_ BTreeMap<_, AccessSubject>| match all.get(key) {
            Some(subject) => subject.policy.document.clone(),
            None => any.document.clone(),
        };
        let (before, after) = (&policy(&old), &policy(&new));
        let more = compare(before, after);
        let less = compare_as(after, before, &more.assumed, None);
        out[0].extend(more.gained.iter().map(|g| format!("{:?}", g.request)));
        out[1].extend(less.gained.iter().map(|g| format!("{:?}", g.request)));
        let unknown = more.unknown.iter().chain(&less.unknown);
        out[2].extend(unknown.map(|u| u.why.clone()));
    }
    out
}

/// Why a fix would not be kept, and which promise it breaks.
#[derive(Default)]
struct Judged {
    refused: Vec<String>,
    wrong: Vec<String>,
}

fn judge(case: &ExampleCase, before: &Sources, report: &Report, fix: &Fix) -> Judged {
    let Judged { mut refused, mut wrong } = Judged::default();
    let own = case.ownership();
    let after = sources(&fixed(&case.files, before, fix));
    let again = report_of_own(&after, &["all"], "", own);
    let ([old, folded], [new, _]) = (counts(report), counts(&again));
    if again.errors.len() > report.errors.len() {
        refused.push("the file is broken".to_owned());
    }
    let had = |rule: &String| old.get(rule).copied().unwrap_or(0) + folded.get(rule).copied().unwrap_or(0);
    refused.extend(
        new.iter()
            .filter(|(r, n)| **n > had(r) && RULESET.get(r).is_some_and(|r| r.profile() == Profile::Default))
            .map(|(r, _)| format!("brings {r}")),
    );
    if new.get(&case.rule) >= old.get(&case.rule) {
        refused.push("the finding stays".to_owned());
    }
    let [gained, lost, unknown] = difference(before, &after, own);
    if !fix.may_grant {
        wrong.extend(gained.iter().take(1).map(|g| format!("gains {g}")));
    }
    if fix.safe {
        wrong.extend(lost.iter().take(1).map(|l| format!("loses {l}")));
        wrong.extend(unknown.iter().take(1).map(|u| format!("may differ: {u}")));
    }
    Judged { refused, wrong }
}

/// Rules about suppressions are about what was found before.
const OF_SUPPRESSIONS: [&str; 3] = ["expired-ignore", "unknown-rule-in-ignore", "unused-ignore"];

/// What these write grants something that other rules report in their examples.
const OF_GRANTS: [&str; 2] = ["missing-grant", "unknown-service"];

/// These write the action that was meant in place of another one.
const OF_MEANT_ACTIONS: [&str; 1] = ["lambda-permission-wrong-action"];

fn without_proof(rule: &str) -> bool {
    let lists: [&[&str]; 3] = [&OF_SUPPRESSIONS, &OF_GRANTS, &OF_MEANT_ACTIONS];
    lists.iter().any(|list| list.contains(&rule))
}

#[test]
fn each_fix_of_an_example_is_clean_and_changes_what_it_may() {
    let judged: Vec<(String, Judged)> = bad_examples()
        .par_iter()
        .flat_map_iter(|linted| {
            let LintedExample {
                case,
                sources: before,
                report,
            } = linted;
            let own = report.findings.iter().filter(|f| f.rule() == case.rule);
            let fixes = own.flat_map(|f| f.fixes.iter().take(1));
            let one = |fix: &Fix| {
                let Judged { refused, wrong } = judge(case, before, report, fix);
                let name = |w: String| format!("{} `{}` {:?} ({}): {w}", case.rule, case.title, case.form, fix.title);
                let named = |all: Vec<String>| all.into_iter().map(name).collect();
                let judged = Judged {
                    refused: named(refused),
                    wrong: named(wrong),
                };
                (case.rule.clone(), judged)
            };
            fixes.map(one).collect::<Vec<_>>()
        })
        .filter(|(rule, _)| !OF_SUPPRESSIONS.contains(&rule.as_str()) && !OF_MEANT_ACTIONS.contains(&rule.as_str()))
        .collect();
    // What a run would not keep is listed, so that more of it is noticed.
    let refused: BTreeSet<&String> = judged.iter().flat_map(|(_, j)| &j.refused).collect();
    let refused: String = refused.into_iter().map(|line| format!("{line}\n")).collect();
    golden::check("fixes-refused.txt", &refused);
    let wrong: Vec<&String> = judged.iter().flat_map(|(_, j)| &j.wrong).collect();
    let is_clean = |j: &Judged| j.refused.is_empty() && j.wrong.is_empty();
    let clean: BTreeSet<&String> = judged.iter().filter(|(_, j)| is_clean(j)).map(|(r, _)| r).collect();
    let with_fix = RULESET.iter().filter(|r| r.fix().is_some()).map(|r| r.id().to_string());
    let missing: Vec<String> = with_fix.filter(|r| !clean.contains(r) && !without_proof(r)).collect();
    assert!(
        wrong.is_empty() && missing.is_empty(),
        "{} wrong: {wrong:#?}\nno clean fix in an example of {missing:?}",
        wrong.len()
    );
}

#[test]
fn each_rule_has_a_fix_or_a_reason_why_there_is_none() {
    let reasons = RULESET.iter().filter_map(|r| Some((r.id().to_string(), r.no_fix()?)));
    let mut sentences: BTreeMap<&str, usize> = BTreeMap::new();
    for (rule, why) in reasons {
        assert!(why.ends_with('.') && why.len() < 100, "{rule}: {why}");
        *sentences.entry(why).or_default() += 1;
    }
    assert!(sentences.len() < 20, "{sentences:#?}");
    let bare: Vec<String> = RULESET
        .iter()
        .filter(|r| r.fix().is_some() == r.no_fix().is_some())
        .map(|r| r.id().to_string())
        .collect();
    assert!(bare.is_empty(), "{bare:?}");
}

/// One fixed example of each rule, with what changes in the file and in the grants.
#[test]
fn what_fixes_change_is_written_down() {
    let mut out = String::new();
    for rule in RULESET.iter().filter(|r| r.fix().is_some()) {
        let cases = examples::cases(rule).into_iter().filter(|c| c.bad);
        let shown = cases.into_iter().find_map(|case| {
            let seen = |changed: &Texts| {
                let mut files = case.files.clone();
                files.extend(changed.iter().map(|(p, t)| (p.clone(), t.to_string())));
                let sources = sources(&files);
                let mut report = report_of_own(&sources, &["all"], "", case.ownership());
                report.findings.retain(|f| f.rule() == case.rule);
                let analysis = analyze(&sources, case.ownership());
                Ok::<_, Infallible>(LintedState::new(&analysis.project, &report))
            };
            let Ok(applied) = apply_fixes(true, seen);
            let diff = |(path, new): (&String, &Arc<str>)| fix::diff(path, &case.files[path], new);
            let diffs: String = applied.texts.iter().map(diff).collect();
            let changes = applied.fixes.iter().flat_map(|f| &f.changes);
            let changes: String = changes.map(|c| format!("# {c}\n")).collect();
            (!applied.fixes.is_empty()).then(|| format!("# {}\n{changes}{diffs}\n", case.title))
        });
        let _ = write!(
            out,
            "## {}\n{}",
            rule.id(),
            shown.unwrap_or_else(|| "none\n\n".to_owned())
        );
    }
    golden::check("fixes.diff", &out);
}
