//! Fixes: what they make of files, and that they make nothing worse.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use overgrant::internals::finding::Fix;
use overgrant::internals::fix::{AppliedFixes, LintedState, Texts, apply_fixes};
use overgrant::internals::iam::{Action, ActionSet, Document, Ownership};
use overgrant::internals::rules::{self, Ruleset, examples};
use overgrant::internals::source::Sources;
use overgrant::internals::triage::Report;
use rayon::prelude::*;

use crate::support::golden;
use crate::support::lint::{LintedExample, bad_examples, report_of_own, report_of_project};
use crate::support::repository::Repository;

type Files = BTreeMap<String, String>;

fn changed_sources(files: &Files, changed: &Texts) -> Sources {
    let text = |path: &String, text: &String| changed.get(path).map_or_else(|| text.clone(), ToString::to_string);
    let all: Vec<(String, String)> = files.iter().map(|(p, t)| (p.clone(), text(p, t))).collect();
    Sources::new(all.into_iter().map(|(p, t)| (p, Arc::from(t), true)))
}

fn mended(files: &Files, risky: bool, own: &Ownership) -> AppliedFixes {
    let seen = |changed: &Texts| {
        let sources = changed_sources(files, changed);
        let mut analysis = overgrant::internals::pipeline::analyze(&sources, own);
        examples::give_evidence(&mut analysis.project);
        Ok::<_, Infallible>(LintedState::new(
            &analysis.project,
            &report_of_project(&sources, &analysis.project, &["all"], ""),
        ))
    };
    match apply_fixes(risky, seen) {
        Ok(mended) => mended,
    }
}

/// Whether anything that is found in an example has such a fix.
fn offers(linted: &LintedExample, is_such: impl Fn(&Fix) -> bool) -> bool {
    let mut found = linted.report.findings.iter();
    found.any(|f| f.fixes.iter().any(&is_such))
}

/// The actions that each document allows and denies, whatever statements these are in.
fn meaning(sources: &Sources) -> Vec<Vec<String>> {
    let own = Ownership::default();
    let analysis = overgrant::internals::pipeline::analyze(sources, &own);
    let of_document = |d: &Document| -> Vec<String> {
        let mut said: BTreeMap<(bool, bool), (ActionSet, BTreeSet<String>)> = BTreeMap::new();
        for s in &d.statements {
            let action = s.action.as_ref();
            let items: Vec<String> = action.iter().flat_map(|c| &c.items).map(|i| i.display()).collect();
            let what = (s.allows(), action.is_some_and(|a| a.negated));
            let (set, unknown) = said
                .entry(what)
                .or_insert_with(|| (ActionSet::empty(), BTreeSet::new()));
            set.union_with(&ActionSet::expand_all(items.iter().map(String::as_str)));
            let unread = items.iter().filter(|i| ActionSet::expand(i).is_empty());
            unknown.extend(unread.map(|i| i.to_lowercase()));
        }
        let said = said.iter().map(|(what, (set, unknown))| {
            let names: Vec<&str> = set.iter().map(Action::name).collect();
            format!("{what:?} {names:?} {unknown:?}")
        });
        said.collect()
    };
    let mut all: Vec<Vec<String>> = analysis.project.documents.iter().map(of_document).collect();
    all.sort();
    all
}

#[test]
fn what_is_fixed_in_the_examples_of_all_rules_lints_clean() {
    let wrong: Vec<String> = bad_examples()
        .par_iter()
        .filter(|linted| offers(linted, |fix| fix.safe))
        .flat_map_iter(|LintedExample { case, .. }| {
            let mut wrong = Vec::new();
            let safe = mended(&case.files, false, case.ownership());
            let mut tell = |what: String| wrong.push(format!("{} `{}` {:?}: {what}", case.rule, case.title, case.form));
            if safe.fixes.is_empty() && safe.dropped.is_empty() {
                return wrong;
            }
            // An ignore that is spelled right may turn out to ignore nothing.
            for d in safe.dropped.iter().filter(|d| d.rule != "unknown-rule-in-ignore") {
                tell(format!("dropped: {d:?}"));
            }
            let before = changed_sources(&case.files, &Texts::new());
            let after = changed_sources(&case.files, &safe.texts);
            if meaning(&before) != meaning(&after) {
                tell(format!(
                    r"means something else:
{}",
                    safe.texts.values().map(|t| t.to_string()).collect::<String>()
                ));
            }
            // A second run finds nothing that the first one left.
            let files: Files = case
                .files
                .iter()
                .map(|(p, t)| {
                    (
                        p.clone(),
                        safe.texts.get(p).map_or_else(|| t.clone(), ToString::to_string),
                    )
                })
                .collect();
            let again = mended(&files, false, case.ownership());
            if !again.fixes.is_empty() {
                tell(format!("a second run makes {} fixes", again.fixes.len()));
            }
            wrong
        })
        .collect();
    assert!(
        wrong.is_empty(),
        r"{} wrong
{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_a_person_agreed_to_never_breaks_a_file() {
    let made: usize = bad_examples()
        .par_iter()
        .filter(|linted| offers(linted, |_| true))
        .map(|linted| {
            let LintedExample {
                case, report: before, ..
            } = linted;
            let risky = mended(&case.files, true, case.ownership());
            if risky.fixes.is_empty() {
                return 0;
            }
            let after = changed_sources(&case.files, &risky.texts);
            let after = report_of_own(&after, &["all"], "", case.ownership());
            assert!(
                after.errors.len() <= before.errors.len(),
                "{} {}",
                case.rule,
                case.title
            );
            // What was folded into a finding that is gone may be reported by itself.
            let all = |r: &Report| -> usize { r.findings.iter().map(|f| 1 + f.finding.folded.len()).sum() };
            assert!(risky.fixes.is_empty() || all(&after) < all(before), "{}", case.title);
            risky.fixes.len()
        })
        .sum();
    assert!(made > 100, "{made}");
}

const TEMPLATE: &str = r"Resources:
  # The reader.
  Reader:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Sid: ''
            Effect: allow
            Action:
              - s3:getobject # objects
              - 's3:PutObject'
              - s3:putobject
            Resource: arn:aws:s3:::reports/*
";

const FIXED: &str = r#"Resources:
  # The reader.
  Reader:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action:
              - s3:GetObject # objects
              - 's3:PutObject'
            Resource: arn:aws:s3:::reports/*
"#;

#[test]
fn fix_writes_the_file_and_exits_with_0_when_all_is_gone() {
    let repo = Repository::new(&[("template.yaml", TEMPLATE)]);
    let ran = repo.run(&["fix", "--select", "validity,actions", "template.yaml"]);
    assert_eq!(repo.read("template.yaml"), FIXED, "{}{}", ran.out, ran.err);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("All clear"), "{}", ran.out);
    assert!(ran.err.contains("fixes in 1 file"), "{}", ran.err);
    let again = repo.run(&["check", "--fix", "--select", "validity,actions", "template.yaml"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""), "{}", again.out);
    assert_eq!(repo.files(), ["template.yaml"]);
}

#[test]
fn a_diff_writes_nothing() {
    let repo = Repository::new(&[("template.yaml", TEMPLATE)]);
    let ran = repo.run(&["fix", "--diff", "--select", "validity,actions", "."]);
    golden::check("cli/fix.diff", &ran.out);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(repo.read("template.yaml"), TEMPLATE);
    let repo = Repository::new(&[("template.yaml", FIXED)]);
    let ran = repo.run(&["check", "--diff", "--select", "validity,actions", "."]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    // Of what could not be read it does not say that nothing would change.
    let repo = Repository::new(&[(
        "t.yaml",
        r"Resources:
  A:
    Type: AWS::IAM::Role
    Properties: [a, {b
",
    )]);
    let ran = repo.run(&["fix", "--diff", "."]);
    assert!(
        ran.err
            .contains("note: 1 file could not be parsed completely; run `overgrant check` to see why"),
        "{}",
        ran.err
    );
    // A diff has a form of its own.
    let ran = repo.run(&["fix", "--diff", "--format", "json", "."]);
    assert_eq!(ran.code, 2, "{}", ran.out);
}

#[test]
fn standard_input_is_fixed_to_standard_output() {
    let repo = Repository::new(&[]);
    let args = [
        "check",
        "--fix",
        "--select",
        "validity,actions",
        "--stdin-filename",
        "t.yaml",
        "-",
    ];
    let ran = repo.run_with_stdin(&args, TEMPLATE);
    assert_eq!((ran.out.as_str(), ran.code), (FIXED, 0), "{}", ran.err);
    // What is none of our business goes through as it came.
    let ran = repo.run_with_stdin(&args, "a: [1\n");
    assert_eq!(ran.out, "a: [1\n");
}

#[test]
fn line_ends_marks_and_permissions_stay() {
    let text = format!("\u{feff}{}", TEMPLATE.replace('\n', "\r\n"));
    let repo = Repository::new(&[("template.yaml", &text)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let path = repo.path("template.yaml");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("template.yaml", repo.path("link.yaml")).unwrap();
        repo.run(&["fix", "--select", "validity,actions", "link.yaml"]);
        assert!(repo.path("link.yaml").is_symlink());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
    repo.run(&["fix", "--select", "validity,actions", "template.yaml"]);
    let fixed = format!("\u{feff}{}", FIXED.replace('\n', "\r\n"));
    assert_eq!(repo.read("template.yaml"), fixed);
}

#[test]
fn what_is_ignored_or_not_in_utf_8_is_left_alone() {
    let ignored = TEMPLATE.replace(
        "- s3:putobject",
        "- s3:putobject # overgrant: ignore[duplicate-action] -- kept as the auditors list it",
    );
    let repo = Repository::new(&[("template.yaml", &ignored)]);
    let args = ["fix", "--only", "duplicate-action", "template.yaml"];
    let ran = repo.run(&args);
    assert_eq!((ran.code, repo.read("template.yaml")), (0, ignored), "{}", ran.err);

    let mut bytes = TEMPLATE.as_bytes().to_vec();
    bytes.extend(b"# caf\xe9\n");
    repo.write("template.yaml", &bytes);
    let ran = repo.run(&args);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("not UTF-8"), "{}", ran.err);
    assert_eq!(std::fs::read(repo.path("template.yaml")).unwrap(), bytes);
}

#[test]
fn a_fix_that_brings_a_new_finding_is_dropped_and_told() {
    // Once it is spelled right, the statement passes every role.
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Action": ["iam:PassRoles", "ec2:RunInstances"], "Resource": "*"}]}
"#;
    let repo = Repository::new(&[("p.json", policy)]);
    let ran = repo.run(&["fix", "--unsafe", "--only", "unknown-action,pass-role-star", "p.json"]);
    assert!(ran.err.contains("p.json:2: not fixed: unknown-action"), "{}", ran.err);
    assert_eq!((ran.code, repo.read("p.json").as_str()), (1, policy), "{}", ran.out);
    // Safe fixes only: nothing to do.
    let ran = repo.run(&["fix", "--only", "unknown-action", "p.json"]);
    assert_eq!(repo.read("p.json"), policy, "{}", ran.err);
    assert!(
        ran.out.contains("1 unsafe fix (overgrant fix --unsafe --diff)"),
        "{}",
        ran.out
    );
    let ran = repo.run(&["fix", "--unsafe", "--only", "unknown-action", "p.json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(repo.read("p.json"), policy.replace("PassRoles", "PassRole"));
}

#[test]
fn machines_are_told_the_edits() {
    let repo = Repository::new(&[("template.yaml", TEMPLATE)]);
    let ran = repo.run(&["check", "--format", "json", "--only", "empty-sid", "template.yaml"]);
    let fix = &ran.json()["findings"][0]["fixes"][0];
    assert_eq!(fix["safety"], "safe");
    let (start, end) = (&fix["edits"][0]["start"], &fix["edits"][0]["end"]);
    let (start, end) = (start.as_u64().unwrap() as usize, end.as_u64().unwrap() as usize);
    assert_eq!(&TEMPLATE[start..end], "Sid: ''\n            ");
    let ran = repo.run(&["check", "--format", "sarif", "--only", "empty-sid", "template.yaml"]);
    let fix = &ran.json()["runs"][0]["results"][0]["fixes"][0];
    let replaced = &fix["artifactChanges"][0]["replacements"][0]["deletedRegion"];
    assert_eq!(
        (&replaced["startLine"], &replaced["startColumn"]),
        (&8.into(), &13.into())
    );
    let ran = repo.run(&["check", "--format", "rdjson", "--only", "empty-sid", "template.yaml"]);
    assert_eq!(ran.json()["diagnostics"][0]["suggestions"][0]["text"], "");
}

/// What `overgrant rules` says of fixes is what findings offer.
#[test]
fn rules_say_which_fixes_they_offer() {
    let ruleset = Ruleset::builtin();
    let offers: Vec<(String, bool)> = bad_examples()
        .iter()
        .flat_map(|linted| {
            let offer = |f: &overgrant::internals::triage::ReportedFinding| {
                let rule = f.rule().to_owned();
                f.fixes.iter().map(|fix| (rule.clone(), fix.safe)).collect::<Vec<_>>()
            };
            linted.report.findings.iter().flat_map(offer).collect::<Vec<_>>()
        })
        .collect();
    let offered = |rule: &str| {
        let is = |safe: bool| offers.iter().any(|(r, s)| r == rule && *s == safe);
        match (is(true), is(false)) {
            (true, true) => Some("both"),
            (true, false) => Some("safe"),
            (false, true) => Some("unsafe"),
            (false, false) => None,
        }
    };
    let wrong: Vec<String> = ruleset
        .iter()
        .filter(|r| r.fix().map(rules::FixKind::name) != offered(&r.id()))
        .map(|r| format!("{}/{}: fix: {}", r.family(), r.id(), offered(&r.id()).unwrap_or("none")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One file, fixed by `--unsafe` for one rule.
#[track_caller]
fn fixed(rule: &str, path: &str, before: &str, after: &str) {
    let repo = Repository::new(&[(path, before)]);
    let ran = repo.run(&["fix", "--unsafe", "--only", rule, path]);
    assert_eq!(repo.read(path), after, "{}{}", ran.out, ran.err);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn passed_roles_go_to_the_services_that_get_them() {
    let trust = r#"resource "aws_iam_role" "task" {
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}
"#;
    let policy = |condition: &str| {
        format!(
            r#"{trust}resource "aws_iam_policy" "p" {{
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect   = "Allow"
      Action   = "iam:PassRole"
      Resource = aws_iam_role.task.arn
{condition}    }}]
  }})
}}
"#
        )
    };
    fixed(
        "pass-role-missing-passed-to-service",
        "main.tf",
        &policy(""),
        &policy(
            r#"      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
"#,
        ),
    );
    let json = |condition: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [
  {{"Effect": "Allow", "Action": ["lambda:CreateFunction"], "Resource": "*"}},
  {{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"{condition}}}
]}}
"#
        )
    };
    fixed(
        "pass-role-star",
        "p.json",
        &json(""),
        &json(r#", "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}"#),
    );
    // Nothing says which service: nothing is offered.
    let unsaid = json("").replace("lambda:CreateFunction", "s3:GetObject");
    let repo = Repository::new(&[("p.json", &unsaid)]);
    repo.run(&["fix", "--unsafe", "--only", "pass-role-star", "p.json"]);
    assert_eq!(repo.read("p.json"), unsaid);
}

#[test]
fn services_act_for_this_account() {
    let queue = |condition: &str| {
        format!(
            r#"Resources:
  P:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [q]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {{Service: sns.amazonaws.com}}
            Action: sqs:SendMessage
            Resource: "*"
{condition}"#
        )
    };
    let condition = r#"            Condition:
              StringEquals:
                aws:SourceAccount:
                  Ref: "AWS::AccountId"
"#;
    fixed(
        "service-principal-without-source",
        "t.yaml",
        &queue(""),
        &queue(condition),
    );
    let permission = |account: &str| {
        format!(
            r"Resources:
  P:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: f
      Principal: s3.amazonaws.com
      SourceArn: arn:aws:s3:::b
{account}"
        )
    };
    fixed(
        "s3-source-arn-needs-source-account",
        "t.yaml",
        &permission(""),
        &permission(
            r"      SourceAccount:
        Ref: AWS::AccountId
",
        ),
    );
    // Elsewhere the account is the one that the settings name.
    let policy = |condition: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"Service": "sns.amazonaws.com"}}, "Action": "sqs:SendMessage", "Resource": "*"{condition}}}]}}"#
        )
    };
    let settings = r#"[own]
accounts = { prod = "111122223333" }
[policy-kind]
"q.json" = "resource"
"#;
    let repo = Repository::new(&[("overgrant.toml", settings), ("q.json", &policy(""))]);
    repo.run(&[
        "fix",
        "--unsafe",
        "--only",
        "service-principal-without-source",
        "q.json",
    ]);
    assert_eq!(
        repo.read("q.json"),
        policy(r#", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}"#)
    );
}

#[test]
fn the_branch_that_deploys_is_not_guessed() {
    let role = |subject: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
  "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},
  "Condition": {{"StringEquals": {{"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
    "StringLike": {{"token.actions.githubusercontent.com:sub": "{subject}"}}}}}}]}}
"#
        )
    };
    let before = role("repo:acme/app:*");
    let repo = Repository::new(&[("t.json", &before)]);
    let args = ["fix", "--unsafe", "--only", "oidc-github-any-ref", "t.json"];
    let ran = repo.run(&args);
    assert_eq!(repo.read("t.json"), before, "{}{}", ran.out, ran.err);
}

#[test]
fn the_list_of_rules_has_a_column_for_fixes() {
    let repo = Repository::new(&[]);
    let human = repo
        .run(&["rules", "duplicate-action", "unused-grant", "action-star"])
        .out;
    let line = |rule: &str| {
        human
            .lines()
            .find(|l| l.trim_start().starts_with(rule))
            .unwrap()
            .to_owned()
    };
    assert!(line("duplicate-action").contains(" safe "), "{human}");
    assert!(line("unused-grant").contains(" unsafe "), "{human}");
    assert!(!line("action-star").contains("safe"), "{human}");
    let json = repo.run(&["rules", "unused-grant", "--format", "json"]).json();
    assert_eq!(json[0]["fix"], "unsafe");
}

#[test]
fn of_two_grants_the_wider_one_loses_what_the_narrow_one_has() {
    let policy = |wide: &str| {
        format!(
            r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{
      "Effect": "Allow",
      "Action": [{wide}],
      "Resource": "*"
    }},
    {{
      "Effect": "Allow",
      "Action": "cloudformation:CreateStack",
      "Resource": "arn:aws:cloudformation:eu-west-1:111122223333:stack/app/*"
    }}
  ]
}}
"#
        )
    };
    let before = policy(r#""s3:ListAllMyBuckets", "cloudformation:*""#);
    let after = policy(r#""s3:ListAllMyBuckets""#);
    let repo = Repository::new(&[("p.json", &before)]);
    repo.run(&["fix", "--only", "redundant-statement,service-wildcard", "."]);
    assert_eq!(repo.read("p.json"), before, "nothing of this is safe");
    repo.run(&["fix", "--unsafe", "--only", "redundant-statement,service-wildcard", "."]);
    assert_eq!(repo.read("p.json"), after);
}

#[test]
fn what_another_item_says_already_is_removed_and_not_written_twice() {
    let policy = |actions: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": [{actions}], "Resource": "arn:aws:s3:::orders/*"}}]}}"#
        )
    };
    for (rule, before, after) in [
        (
            "api-name-not-iam-action",
            r#""s3:GetObject", "s3:HeadObject""#,
            r#""s3:GetObject""#,
        ),
        (
            "api-name-not-iam-action",
            r#""s3:ListObjects", "s3:ListObjectsV2""#,
            r#""s3:ListBucket""#,
        ),
        (
            "unknown-service",
            r#""rds:DescribeDBClusters", "rsd:DescribeDBClusters""#,
            r#""rds:DescribeDBClusters""#,
        ),
    ] {
        let repo = Repository::new(&[("p.json", &policy(before))]);
        let ran = repo.run(&["fix", "--unsafe", "--only", rule, "p.json"]);
        assert_eq!(repo.read("p.json"), policy(after), "{} {}", ran.out, ran.err);
    }
}

#[test]
fn the_difference_says_what_is_no_longer_allowed() {
    let template = crate::usage::sam(
        "Policies: [{Statement: [{Effect: Allow, Action: ['dynamodb:*'], Resource: 'arn:aws:dynamodb:*:111122223333:table/t'}]}]",
    );
    let code = "import boto3\ndef handler(e, c):\n    boto3.client('dynamodb').get_item(TableName='t', Key={})\n";
    let r = crate::support::repository::Repository::new(&[("template.yaml", &template), ("src/app.py", code)]);
    let diff = r.run(&["fix", "--diff", "--unsafe"]).out;
    let head: Vec<&str> = diff.lines().take_while(|l| l.starts_with('#')).collect();
    assert_eq!(head[0], "# These fixes change what the policies grant:", "{diff}");
    let lost = "# template.yaml:9: unused-grant: removes `dynamodb:";
    let on = " more on `arn:aws:dynamodb:*:111122223333:table/t`";
    assert!(
        head.len() == 2 && head[1].starts_with(lost) && head[1].ends_with(on),
        "{diff}"
    );
}
