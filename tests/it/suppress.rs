//! What takes findings out, and what is said about it.

use overgrant::internals::finding::Finding;
use overgrant::internals::rules::{Ruleset, examples};
use overgrant::internals::source::Sources;
use overgrant::internals::triage::{Report, Status};

use crate::support::lint::report;
use crate::support::repository::Repository;

fn statuses(report: &Report) -> Vec<(String, &'static str)> {
    let findings = report.findings.iter();
    findings.map(|f| (f.rule().to_owned(), f.status.name())).collect()
}

fn with_status(rule: &str, status: Status) -> (String, &'static str) {
    (rule.to_owned(), status.name())
}

/// A template with `%` where a comment may stand: above the resource, above the statement, on the action's line.
fn commented_template(resource: &str, statement: &str, action: &str) -> String {
    format!(
        r#"Resources:
  {resource}
  Admin:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          {statement}
          - Sid: All
            Effect: Allow
            Action: "*" {action}
            Resource: "*"
"#
    )
}

const SUPPRESSED: Status = Status::Suppressed;

#[test]
fn comments_cover_their_line_or_what_follows() {
    let ok = "# overgrant: ignore[admin-star-star] -- SEC-1";
    for text in [
        commented_template(ok, "", ""),
        commented_template("", ok, ""),
        commented_template("", "", ok),
    ] {
        let r = report(&[("t.yaml", &text)], &["admin-star-star"], "");
        assert_eq!(statuses(&r), [with_status("admin-star-star", SUPPRESSED)], "{text}");
        let s = r.findings[0].suppression.as_ref().unwrap();
        assert_eq!((s.reason.as_deref(), s.path.as_str()), (Some("SEC-1"), "t.yaml"));
    }
    // Stacked comments all cover what follows.
    let two = r"# overgrant: ignore[admin-star-star] -- a
          # overgrant: ignore[action-star] -- b";
    let r = report(
        &[("t.yaml", &commented_template("", two, ""))],
        &["admin-star-star"],
        "",
    );
    assert!(statuses(&r).contains(&with_status("admin-star-star", SUPPRESSED)));
}

#[test]
fn a_comment_covers_no_more_than_it_says() {
    let other = r#"  Other:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Action: "*", Resource: "*" }]
"#;
    let text = commented_template("# overgrant: ignore[admin-star-star] -- x", "", "") + other;
    let r = report(&[("t.yaml", &text)], &["admin-star-star"], "");
    assert_eq!(
        statuses(&r),
        [
            with_status("admin-star-star", SUPPRESSED),
            with_status("admin-star-star", Status::New)
        ]
    );
    let top = format!(
        r"# overgrant: ignore[admin-star-star] -- x
{}",
        commented_template("", "", "")
    );
    let whole = format!(
        r"# overgrant: ignore-file[admin-star-star] -- x
{}",
        commented_template("", "", "")
    );
    let r = report(&[("t.yaml", &whole)], &["admin-star-star"], "");
    assert_eq!(statuses(&r), [with_status("admin-star-star", SUPPRESSED)]);
    // Above the first key of a file it covers that key.
    let r = report(&[("t.yaml", &top)], &["admin-star-star"], "");
    assert_eq!(statuses(&r), [with_status("admin-star-star", SUPPRESSED)]);
}

#[test]
fn a_folded_rule_counts_as_met_and_does_not_hide_what_took_it_in() {
    let text = commented_template("", "", "# overgrant: ignore[action-star] -- x");
    let r = report(&[("t.yaml", &text)], &["admin-star-star", "action-star"], "");
    assert_eq!(statuses(&r), [with_status("admin-star-star", Status::New)]);
    assert!(r.findings[0].finding.folded.iter().any(|f| f == "action-star"));
}

#[test]
fn ended_unknown_and_unused_ignores_are_told() {
    let cases = [
        (
            "# overgrant: ignore[admin-star-star] until=2026-11-21 -- x",
            "expired-ignore",
            Status::New,
        ),
        (
            "# overgrant: ignore[admin-star-star] until=2026-11-22 -- x",
            "",
            SUPPRESSED,
        ),
        (
            "# overgrant: ignore[admin-star-star] until=tomorrow -- x",
            "expired-ignore",
            Status::New,
        ),
        (
            "# overgrant: ignore[admin-star-sart] -- x",
            "unknown-rule-in-ignore",
            Status::New,
        ),
        ("# overgrant: ignore[*] -- x", "unknown-rule-in-ignore", Status::New),
        ("# overgrant: ignore", "unknown-rule-in-ignore", Status::New),
        (
            "# overgrant: ignore[admin-star-star]",
            "ignore-without-reason",
            SUPPRESSED,
        ),
        (
            "# overgrant: ignore[admin-star-star, trust-account-root] -- x",
            "",
            SUPPRESSED,
        ),
        ("# overgrant: ignore[admin-star-star, action-star] -- x", "", SUPPRESSED),
    ];
    for (comment, told, status) in cases {
        let r = report(
            &[("t.yaml", &commented_template("", "", comment))],
            &["admin-star-star"],
            "",
        );
        let mut expected = vec![with_status("admin-star-star", status)];
        if !told.is_empty() {
            expected.push(with_status(told, Status::New));
        }
        assert_eq!(statuses(&r), expected, "{comment}");
    }
    // A rule that ran and did not fire.
    let text = commented_template("", "", "# overgrant: ignore[admin-star-star, invalid-effect] -- x");
    let r = report(&[("t.yaml", &text)], &["admin-star-star", "invalid-effect"], "");
    assert_eq!(
        statuses(&r),
        [
            with_status("admin-star-star", SUPPRESSED),
            with_status("unused-ignore", Status::New)
        ]
    );
    let fix = &r.findings[1].fixes[0];
    let edit = &fix.edits[0];
    let mut mended = text.clone();
    mended.replace_range(edit.span.range(), &edit.text);
    assert!(mended.contains("ignore[admin-star-star] -- x"), "{mended}");
}

#[test]
fn settings_may_ask_for_reasons_and_ends() {
    let bare = commented_template("", "", "# overgrant: ignore[admin-star-star]");
    let r = report(&[("t.yaml", &bare)], &["admin-star-star"], "require-reason = true\n");
    assert_eq!(
        statuses(&r),
        [
            with_status("admin-star-star", Status::New),
            with_status("ignore-without-reason", Status::New)
        ]
    );
    let strict = "max-ignore-days = 30\n";
    for (until, status) in [
        ("", Status::New),
        ("until=2026-12-01", SUPPRESSED),
        ("until=2027-03-01", Status::New),
    ] {
        let text = commented_template("", "", &format!("# overgrant: ignore[admin-star-star] {until} -- x"));
        let r = report(&[("t.yaml", &text)], &["admin-star-star"], strict);
        assert_eq!(statuses(&r)[0], with_status("admin-star-star", status), "{until}");
    }
}

#[test]
fn metadata_of_a_resource() {
    let with = |entry: &str| {
        commented_template("", "", "").replace(
            "    Properties:",
            &format!(
                r"    Metadata:
      overgrant:
        ignore:
          - {entry}
    Properties:"
            ),
        )
    };
    let run = |entry: &str| statuses(&report(&[("t.yaml", &with(entry))], &["admin-star-star"], ""));
    let reason = "reason: SEC-1";
    assert_eq!(
        run(&format!("{{ id: admin-star-star, {reason} }}")),
        [with_status("admin-star-star", SUPPRESSED)]
    );
    assert_eq!(
        run(&format!("{{ id: [admin-star-star], sid: All, {reason} }}")),
        [with_status("admin-star-star", SUPPRESSED)]
    );
    assert!(
        run(&format!("{{ id: admin-star-star, sid: Other, {reason} }}"))
            .contains(&with_status("admin-star-star", Status::New))
    );
    let ended = run(&format!("{{ id: admin-star-star, until: 2020-01-01, {reason} }}"));
    assert!(
        ended.contains(&with_status("admin-star-star", Status::New))
            && ended.contains(&with_status("expired-ignore", Status::New))
    );
    let wrong = run(&format!("{{ id: admin-star-sart, {reason} }}"));
    assert!(wrong.contains(&with_status("unknown-rule-in-ignore", Status::New)));
}

#[test]
fn exceptions_select_by_what_the_statement_is() {
    let text = commented_template("", "", "");
    let run = |selector: &str| {
        let toml = format!(
            r#"[[exception]]
rule = "admin-*"
path = "infra/*.yaml"
reason = "SEC-1"
{selector}
"#
        );
        statuses(&report(&[("infra/t.yaml", &text)], &["admin-star-star"], &toml))
    };
    for good in [
        "",
        r#"sid = "All""#,
        r#"pointer = "/Statement/0""#,
        r#"resource = "Admin""#,
        r#"action = "*""#,
        "until = 2026-11-22",
        r#"owner = "@acme/security""#,
    ] {
        assert_eq!(run(good), [with_status("admin-star-star", SUPPRESSED)], "{good}");
    }
    for bad in [
        r#"sid = "Other""#,
        r#"pointer = "/Statement/1""#,
        r#"resource = "Reader""#,
        r#"action = "s3:*""#,
        r#"principal = "*""#,
    ] {
        assert!(run(bad).contains(&with_status("admin-star-star", Status::New)), "{bad}");
        assert!(run(bad).contains(&with_status("unused-ignore", Status::New)), "{bad}");
    }
    assert!(run("until = 2026-11-21").contains(&with_status("expired-ignore", Status::New)));
    let print = report(&[("infra/t.yaml", &text)], &["admin-star-star"], "").findings[0]
        .identity
        .fingerprint
        .clone();
    assert_eq!(
        run(&format!(r#"fingerprint = "{print}""#)),
        [with_status("admin-star-star", SUPPRESSED)]
    );
}

#[test]
fn other_tools_markers_count_when_the_settings_say_so() {
    let text = commented_template("", "", "# checkov:skip=CKV_AWS_62:known");
    let r = report(&[("t.yaml", &text)], &["admin-star-star"], "");
    let peers = Ruleset::builtin().get("admin-star-star").unwrap().docs().peers.clone();
    assert!(peers.iter().any(|p| p == "checkov CKV_AWS_62"), "{peers:?}");
    assert_eq!(statuses(&r), [with_status("admin-star-star", Status::New)]);
    assert_eq!(
        (r.foreign[0].marker.as_str(), r.foreign[0].findings),
        ("checkov:skip", 1)
    );
    let honour = r#"honor-foreign = ["checkov:skip"]"#;
    let r = report(&[("t.yaml", &text)], &["admin-star-star"], honour);
    assert_eq!(statuses(&r), [with_status("admin-star-star", SUPPRESSED)]);
    let unmapped = commented_template("", "", "# checkov:skip=CKV_AWS_99999:known");
    let r = report(&[("t.yaml", &unmapped)], &["admin-star-star"], honour);
    assert_eq!(statuses(&r), [with_status("admin-star-star", Status::New)]);
}

#[test]
fn what_is_suppressed_is_counted_shown_on_request_and_revived_for_audits() {
    let text = commented_template("", "", "# overgrant: ignore[admin-star-star] until=2026-12-01 -- SEC-1");
    let r = Repository::new(&[("t.yaml", &text)]);
    let one = ["check", "--only", "admin-star-star"];
    let run = |more: &[&str]| r.run(&[&one[..], more].concat());
    let plain = run(&[]);
    assert_eq!(plain.code, 0);
    assert!(plain.out.contains("1 ignored"), "{}", plain.out);
    assert!(run(&["--show-suppressed"]).out.contains("ignored: SEC-1 (t.yaml:12)"));
    assert_eq!(run(&["-f", "json"]).with_status("suppressed"), ["admin-star-star"]);
    assert!(run(&["-f", "sarif"]).out.contains(r#""justification": "SEC-1""#));
    assert_eq!(run(&["--no-ignores"]).code, 1);
    let unused = commented_template("", "", "# overgrant: ignore[admin-star-star, invalid-effect] -- x");
    r.write("t.yaml", unused.as_bytes());
    let severity = |args: &[&str]| {
        let json = r.run(&[&["check", "-f", "json"], args].concat()).json();
        let findings = json["findings"].as_array().unwrap().clone();
        let of_rule = findings.into_iter().find(|f| f["rule"] == "unused-ignore").unwrap();
        of_rule["severity"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (severity(&[]).as_str(), severity(&["--strict-ignores"]).as_str()),
        ("low", "high")
    );
}

#[test]
fn identity_survives_moves_within_a_file_and_tells_copies_apart() {
    let prints = |text: &str| -> Vec<String> {
        let r = report(&[("t.yaml", text)], &["admin-star-star"], "");
        r.findings.iter().map(|f| f.identity.fingerprint.clone()).collect()
    };
    let text = commented_template("", "", "");
    let base = prints(&text);
    assert_eq!(
        prints(&format!(
            r"# moved

{text}"
        )),
        base
    );
    assert_eq!(prints(&text.replace(r#"Action: "*""#, r#"Action: [ "*" ]"#)), base);
    assert_ne!(prints(&text.replace("Admin:", "Root:")), base);
    let copy = text.replace(
        r#"            Resource: "*""#,
        r#"            Resource: "*"
          - Sid: All
            Effect: Allow
            Action: "*"
            Resource: "*""#,
    );
    let both = prints(&copy);
    assert_eq!(both.len(), 2);
    assert!(both[0] == base[0] && both[1] != base[0]);
}

/// Rules whose findings are made when the others are settled prove themselves here.
#[test]
fn examples_of_rules_about_ignores() {
    let ruleset = Ruleset::builtin();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for rule in ruleset.iter().filter(|r| r.is_about_suppressions()) {
        for case in examples::cases(rule).into_iter() {
            cases += 1;
            let files: Vec<(&str, &str)> = case.files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
            let r = report(&files, &["all"], "");
            let mine: Vec<Finding> = r
                .findings
                .into_iter()
                .filter(|f| rule.id() == f.rule())
                .map(|f| f.finding)
                .collect();
            let faults = case.mistakes(&mine, &Sources::from_strings(&files));
            if !faults.is_empty() {
                wrong.push(format!("{}: {}: {}", rule.id(), case.title, faults.join("; ")));
            }
        }
    }
    assert!(cases > 8);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What folds is one mistake, as grave as the most severe that it leads to.
#[test]
fn a_condition_that_lets_everybody_in_is_one_finding() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::reports/*","Condition":{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}]}"#;
    let report = report(&[("bucket.json", policy)], &["exposure", "conditions"], "");
    let found: Vec<_> = report.active().collect();
    assert_eq!(found.len(), 1, "{:?}", statuses(&report));
    assert_eq!(found[0].rule(), "condition-forallvalues-single-valued");
    assert_eq!(found[0].severity, overgrant::internals::finding::Severity::High);
    assert_eq!(found[0].finding.folded, ["resource-policy-public"]);
}

#[test]
fn what_is_wrong_in_one_statement_is_one_finding_and_each_line_may_be_ignored() {
    let main = |first: &str| {
        format!(
            r#"resource "aws_iam_policy" "p" {{
  policy = jsonencode({{
    Statement = [{{
      Effect   = "Allow"
      Resource = "*"
      Action = [
        "athena:*",{first}
        "glue:*",
        "kinesis:*",
      ]
    }}]
  }})
}}
"#
        )
    };
    let run = |text: &str| {
        let report = report(&[("main.tf", text)], &["service-wildcard"], "");
        let one = |f: &overgrant::internals::triage::ReportedFinding| {
            let labels = f
                .finding
                .labels
                .iter()
                .filter(|l| l.text.contains("every action"))
                .count();
            (f.status, labels)
        };
        report.findings.iter().map(one).collect::<Vec<_>>()
    };
    let all = run(&main(""));
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((all[0].0, all[0].1), (Status::New, 3), "{all:?}");
    let ignored = run(&main(" # overgrant: ignore[service-wildcard] -- SEC-1"));
    let new: Vec<_> = ignored.iter().filter(|f| f.0 == Status::New).collect();
    assert_eq!((ignored.len(), new.len()), (2, 1), "{ignored:?}");
    assert_eq!(new[0].1, 2, "{ignored:?}");
}
