//! Rules that compare policies with evidence of what was used, and the report of it.

use std::path::{Path, PathBuf};

use crate::support::repository::{Ran, Repository};

const RULES: &str = "unused-in-period,role-unused,denied-call";
const SETTINGS: (&str, &str) = ("overgrant.toml", "evidence = \"evidence.txt\"\n");
const ACCOUNT: &str = "111122223333";

/// A line of a file of evidence.
fn line(fields: &[&str]) -> String {
    fields.join("\t") + "\n"
}

/// 90 days of the management events of an account, and these lines.
fn logs(lines: &[String]) -> String {
    logs_of(ACCOUNT, "2026-08-01", "2026-10-29", lines)
}

fn logs_of(account: &str, first: &str, last: &str, lines: &[String]) -> String {
    let period = line(&["period", first, last]);
    let trail = line(&[
        "trail",
        account,
        "eu-west-1",
        first,
        last,
        "read",
        "write",
        "sts.amazonaws.com",
    ]);
    format!("overgrant-evidence 1\n{period}{trail}{}", lines.concat())
}

/// Data events of a DynamoDB table that the trail has.
fn table_events(table: &str) -> String {
    let arn = format!("arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/{table}");
    line(&[
        "data",
        ACCOUNT,
        "eu-west-1",
        "AWS::DynamoDB::Table",
        "read",
        "write",
        &arn,
    ])
}

/// 41 calls by a role.
fn used(role: &str, action: &str) -> String {
    row(role, action, "allowed", "2026-08-03", "-")
}

fn denied(role: &str, action: &str) -> String {
    row(role, action, "denied", "2026-08-03", "-")
}

fn row(role: &str, action: &str, result: &str, first: &str, resources: &str) -> String {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let (service, name) = action.split_once(':').unwrap();
    let source = format!("{service}.amazonaws.com");
    let who = [
        "use",
        "role",
        &arn,
        &source,
        name,
        action,
        result,
        "41",
        first,
        "2026-10-28",
    ];
    line(&[&who[..], &[resources, "-", "-"]].concat())
}

/// A role of a service, with statements as HCL.
fn role(name: &str, statements: &str) -> String {
    role_for("ecs-tasks.amazonaws.com", name, name, statements)
}

fn role_for(service: &str, label: &str, name: &str, statements: &str) -> String {
    format!(
        "resource \"aws_iam_role\" \"{label}\" {{\n  name = \"{name}\"\n  assume_role_policy = jsonencode({{ Version = \
         \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ Service = \
         \"{service}\" }} }}] }})\n}}\nresource \"aws_iam_role_policy\" \"{label}\" {{\n  role = \
         aws_iam_role.{label}.id\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{statements}] }})\n}}\n"
    )
}

fn allow(actions: &str) -> String {
    allow_on(actions, "\"*\"")
}

fn allow_on(actions: &str, resource: &str) -> String {
    format!("{{ Effect = \"Allow\", Action = {actions}, Resource = {resource} }}")
}

/// The messages of the rules with evidence.
fn messages(files: &[(&str, &str)]) -> Vec<String> {
    let ran = Repository::new(files).run(&["check", "--format", "json", "--only", RULES]);
    messages_of(&ran)
}

fn messages_of(ran: &Ran) -> Vec<String> {
    let findings = ran.findings();
    let texts = findings
        .iter()
        .map(|f| format!("{}: {}", f["rule"].as_str().unwrap(), f["message"].as_str().unwrap()));
    texts.collect()
}

/// The messages about one Terraform file with this evidence.
fn of_terraform(terraform: &str, evidence: &str) -> Vec<String> {
    messages(&[SETTINGS, ("main.tf", terraform), ("evidence.txt", evidence)])
}

const PERIOD: &str = "in 90 days (2026-08-01–2026-10-29)";

#[test]
fn a_file_that_cannot_be_used_is_one_clear_line() {
    let r = Repository::new(&[SETTINGS, ("main.tf", "")]);
    let ran = r.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.starts_with("error: cannot read the evidence in evidence.txt: "),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);

    r.write("evidence.txt", b"overgrant-evidence 9\n");
    let ran = r.run(&["check"]);
    assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{}", ran.err);
    assert!(ran.err.contains("version 9"), "{}", ran.err);
}

#[test]
fn a_line_that_cannot_be_read_is_a_problem_at_its_place() {
    let evidence = logs(&["use\trole\n".to_owned(), used("audit", "s3:ListAllMyBuckets")]);
    let r = Repository::new(&[SETTINGS, ("main.tf", ""), ("evidence.txt", &evidence)]);
    let ran = r.run(&["check", "--format", "json"]);
    let findings = ran.findings();
    assert_eq!(ran.rules(), ["unreadable-input"], "{}", ran.out);
    assert_eq!(findings[0]["path"], "evidence.txt");
    assert_eq!(ran.code, 1);
}

#[test]
fn the_flag_names_a_file_where_no_settings_do() {
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]"));
    let evidence = logs(&[used("audit", "s3:ListAllMyBuckets")]);
    let r = Repository::new(&[("main.tf", &terraform), ("logs/evidence.txt", &evidence)]);
    let args = ["check", "--format", "json", "--only", RULES];
    assert!(messages_of(&r.run(&args)).is_empty());
    let with = r.run(&[&args[..], &["--evidence", "logs/evidence.txt"]].concat());
    assert_eq!(
        messages_of(&with),
        [format!("unused-in-period: `s3:DeleteBucket` was not used {PERIOD}")]
    );
}

#[test]
fn a_wildcard_says_what_was_used_and_the_fix_keeps_that() {
    let terraform = role("images", &allow("\"codecommit:*\""));
    let evidence = logs(&[
        used("images", "codecommit:GetRepository"),
        used("images", "codecommit:ListRepositories"),
    ]);
    let files = [
        SETTINGS,
        ("main.tf", terraform.as_str()),
        ("evidence.txt", evidence.as_str()),
    ];
    let r = Repository::new(&files);
    let ran = r.run(&["check", "--format", "json", "--only", RULES]);
    let [finding] = &ran.findings()[..] else {
        panic!("{}", ran.out)
    };
    let message = finding["message"].as_str().unwrap();
    assert!(message.starts_with("`codecommit:*` grants "), "{message}");
    assert!(
        message.ends_with(&format!(" actions; 2 were used {PERIOD}")),
        "{message}"
    );
    let notes = finding["notes"].to_string();
    assert!(
        notes.contains("`codecommit:GetRepository` (41 times, last on 2026-10-28)"),
        "{notes}"
    );
    let fixed = r.run(&["fix", "--unsafe", "--only", RULES]);
    let text = r.read("main.tf");
    assert!(
        text.contains("codecommit:GetRepository") && text.contains("codecommit:ListRepositories"),
        "{text}\n{}",
        fixed.err
    );
    assert!(
        !text.contains("codecommit:*") && !text.contains("codecommit:DeleteRepository"),
        "{text}"
    );
}

#[test]
fn what_the_trail_does_not_log_is_never_unused() {
    let on_table = |actions: &str, table: &str| {
        let arn = format!("\"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/{table}\"");
        role("app", &allow_on(actions, &arn))
    };
    let both = "[\"dynamodb:PutItem\", \"dynamodb:DeleteItem\"]";
    let put = used("app", "dynamodb:PutItem");
    // No data events at all, or those of another table.
    assert!(of_terraform(&on_table(both, "orders"), &logs(std::slice::from_ref(&put))).is_empty());
    assert!(of_terraform(&on_table(both, "orders"), &logs(&[table_events("other"), put.clone()])).is_empty());
    assert!(of_terraform(&on_table(both, "*"), &logs(&[table_events("orders"), put.clone()])).is_empty());
    assert_eq!(
        of_terraform(&on_table(both, "orders"), &logs(&[table_events("orders"), put.clone()])),
        [format!("unused-in-period: `dynamodb:DeleteItem` was not used {PERIOD}")]
    );
    // CloudTrail has no event for it.
    let pass = role("app", &allow("[\"s3:ListAllMyBuckets\", \"iam:PassRole\"]"));
    assert!(of_terraform(&pass, &logs(&[used("app", "s3:ListAllMyBuckets")])).is_empty());
}

#[test]
fn events_that_one_region_has_need_its_trail() {
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"iam:DeleteUser\"]"));
    let list = used("audit", "s3:ListAllMyBuckets");
    assert!(of_terraform(&terraform, &logs(std::slice::from_ref(&list))).is_empty());
    let global = line(&[
        "trail",
        ACCOUNT,
        "us-east-1",
        "2026-08-01",
        "2026-10-29",
        "read",
        "write",
        "iam.amazonaws.com",
    ]);
    assert_eq!(
        of_terraform(&terraform, &logs(&[global, list])),
        [format!("unused-in-period: `iam:DeleteUser` was not used {PERIOD}")]
    );
}

#[test]
fn a_policy_is_judged_alike_in_every_format() {
    let policy = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \
                  [\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"], \"Resource\": \"*\"}]}";
    let trust = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\", \
                 \"Principal\": {\"Service\": \"glue.amazonaws.com\"}}]}";
    let document = "data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    actions = [\"s3:ListAllMyBuckets\", \
                    \"s3:DeleteBucket\"]\n    resources = [\"*\"]\n  }\n}\n";
    let cloudformation = format!(
        "{{\"Resources\": {{\"R\": {{\"Type\": \"AWS::IAM::Role\", \"Properties\": {{\"RoleName\": \"audit\", \
         \"AssumeRolePolicyDocument\": {trust}}}}}, \"P\": {{\"Type\": \"AWS::IAM::ManagedPolicy\", \"Properties\": {{\"Roles\": \
         [{{\"Ref\": \"R\"}}], \"PolicyDocument\": {policy}}}}}}}}}"
    );
    let terraform = format!(
        "{document}resource \"aws_iam_role\" \"r\" {{\n  name = \"audit\"\n  assume_role_policy = jsonencode({trust})\n}}\nresource \
         \"aws_iam_policy\" \"p\" {{\n  name = \"p\"\n  policy = data.aws_iam_policy_document.d.json\n}}\nresource \
         \"aws_iam_role_policy_attachment\" \"a\" {{\n  role = aws_iam_role.r.name\n  policy_arn = aws_iam_policy.p.arn\n}}\n"
    );
    let python = format!(
        "import json\nimport boto3\n\niam = boto3.client(\"iam\")\niam.create_role(RoleName=\"audit\", \
         AssumeRolePolicyDocument=json.dumps({trust}))\niam.put_role_policy(RoleName=\"audit\", PolicyName=\"p\", \
         PolicyDocument=json.dumps({policy}))\n"
    );
    let evidence = logs(&[used("audit", "s3:ListAllMyBuckets")]);
    for (path, text) in [
        ("t.json", &cloudformation),
        ("main.tf", &terraform),
        ("make.py", &python),
    ] {
        let found = messages(&[SETTINGS, (path, text), ("evidence.txt", &evidence)]);
        assert_eq!(
            found,
            [format!("unused-in-period: `s3:DeleteBucket` was not used {PERIOD}")],
            "{path}"
        );
    }
}

#[test]
fn a_boundary_is_no_grant_and_people_are_named_by_their_permission_set() {
    let bounded = format!(
        "{}resource \"aws_iam_policy\" \"b\" {{\n  name = \"b\"\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = \
         [{}] }})\n}}\n",
        role("audit", &allow("\"s3:ListAllMyBuckets\"")).replacen(
            "{\n",
            "{\n  permissions_boundary = aws_iam_policy.b.arn\n",
            1
        ),
        allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]")
    );
    assert!(of_terraform(&bounded, &logs(&[used("audit", "s3:ListAllMyBuckets")])).is_empty());

    let set = "resource \"aws_ssoadmin_permission_set\" \"s\" {\n  name = \"Auditors\"\n  instance_arn = \
               \"arn:aws:sso:::instance/ssoins-1111222233334444\"\n}\nresource \"aws_ssoadmin_permission_set_inline_policy\" \"s\" {\n  \
               instance_arn = \"arn:aws:sso:::instance/ssoins-1111222233334444\"\n  permission_set_arn = \
               aws_ssoadmin_permission_set.s.arn\n  inline_policy = jsonencode({ Version = \"2012-10-17\", Statement = \
               [{ Effect = \"Allow\", Action = [\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"], Resource = \"*\" }] })\n}\n";
    let name = "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Auditors_0123456789abcdef";
    assert_eq!(
        of_terraform(set, &logs(&[used(name, "s3:ListAllMyBuckets")])),
        [format!("unused-in-period: `s3:DeleteBucket` was not used {PERIOD}")]
    );
}

#[test]
fn a_call_that_was_denied_is_neither_use_nor_unused() {
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]"));
    let evidence = logs(&[used("audit", "s3:ListAllMyBuckets"), denied("audit", "s3:DeleteBucket")]);
    // Allowed since, or denied by something else.
    assert_eq!(of_terraform(&terraform, &evidence), [""; 0]);
}

#[test]
fn fewer_than_thirty_days_say_nothing_and_that_is_said_once() {
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]"));
    let late = row("audit", "s3:ListAllMyBuckets", "allowed", "2026-10-20", "-");
    let evidence = logs_of(ACCOUNT, "2026-10-10", "2026-10-29", std::slice::from_ref(&late));
    let r = Repository::new(&[SETTINGS, ("main.tf", &terraform), ("evidence.txt", &evidence)]);
    let ran = r.run(&["check", "--format", "json", "--only", RULES]);
    assert!(ran.findings().is_empty(), "{}", ran.out);
    assert_eq!(
        ran.unjudged(),
        ["evidence.txt: the evidence covers 20 days: what is not used in less than 30 is not reported"]
    );
    // A role that first appears ten days before the end may be new.
    assert!(of_terraform(&terraform, &logs(&[late])).is_empty());
}

#[test]
fn days_without_logs_are_not_days_of_the_period() {
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]"));
    let gap = |first: &str| line(&["gap", first, "2026-10-20"]);
    let of = |first: &str| of_terraform(&terraform, &logs(&[gap(first), used("audit", "s3:ListAllMyBuckets")]));
    assert_eq!(
        of("2026-10-11"),
        ["unused-in-period: `s3:DeleteBucket` was not used in 80 days (2026-08-01–2026-10-29)"]
    );
    assert!(of("2026-08-12").is_empty());
}

#[test]
fn a_policy_of_several_roles_is_unused_only_if_none_used_it() {
    let shared = |roles: &str| {
        format!(
            "resource \"aws_iam_policy\" \"p\" {{\n  name = \"p\"\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement \
             = [{}] }})\n}}\nresource \"aws_iam_role\" \"r\" {{\n  for_each = toset([{roles}])\n  name = each.key\n  \
             assume_role_policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \
             \"sts:AssumeRole\", Principal = {{ Service = \"ecs-tasks.amazonaws.com\" }} }}] }})\n}}\nresource \
             \"aws_iam_role_policy_attachment\" \"a\" {{\n  for_each = toset([{roles}])\n  role = \
             aws_iam_role.r[each.key].name\n  policy_arn = aws_iam_policy.p.arn\n}}\n",
            allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]")
        )
    };
    let terraform = shared("\"one\", \"two\"");
    let elsewhere = "resource \"aws_iam_role_policy_attachment\" \"x\" {\n  role = \"elsewhere\"\n  policy_arn = \
                     aws_iam_policy.p.arn\n}\n";
    let (one, two) = (used("one", "s3:ListAllMyBuckets"), used("two", "s3:ListAllMyBuckets"));
    let expected = [format!("unused-in-period: `s3:DeleteBucket` was not used {PERIOD}")];
    assert_eq!(of_terraform(&terraform, &logs(&[one.clone(), two.clone()])), expected);
    let by_two = used("two", "s3:DeleteBucket");
    assert!(of_terraform(&terraform, &logs(&[one.clone(), two, by_two])).is_empty());
    // The second one is in the same deployment, and did nothing.
    assert_eq!(
        of_terraform(&terraform, &logs(std::slice::from_ref(&one)))[..1],
        expected
    );
    // A role that is not in the repository has it too.
    assert!(
        of_terraform(
            &format!("{terraform}{elsewhere}"),
            &logs(&[one.clone(), used("two", "s3:ListAllMyBuckets")])
        )
        .is_empty()
    );
}

#[test]
fn exceptions_and_denials_are_not_read_as_grants() {
    let not_action = "{ Effect = \"Allow\", NotAction = [\"iam:*\"], Resource = \"*\" }";
    let deny = "{ Effect = \"Deny\", Action = [\"s3:DeleteBucket\"], Resource = \"*\" }";
    let statements = format!("{}, {not_action}, {deny}", allow("\"s3:ListAllMyBuckets\""));
    let evidence = logs(&[used("audit", "s3:ListAllMyBuckets")]);
    assert!(of_terraform(&role("audit", &statements), &evidence).is_empty());
}

#[test]
fn use_on_another_resource_is_use() {
    let statements = format!(
        "{}, {}",
        allow_on("\"s3:PutBucketTagging\"", "\"arn:aws:s3:::one\""),
        allow_on("\"s3:PutBucketTagging\"", "\"arn:aws:s3:::two\"")
    );
    let evidence = logs(&[row(
        "audit",
        "s3:PutBucketTagging",
        "allowed",
        "2026-08-03",
        "arn:aws:s3:::one",
    )]);
    assert!(of_terraform(&role("audit", &statements), &evidence).is_empty());
}

#[test]
fn what_a_call_may_need_in_addition_counts_as_used() {
    // Instances are tagged when they are started, without an event of its own.
    let terraform = role("audit", &allow("[\"ec2:RunInstances\", \"ec2:CreateTags\"]"));
    assert!(of_terraform(&terraform, &logs(&[used("audit", "ec2:RunInstances")])).is_empty());
    // An event whose action is not known may have needed anything of its service.
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/audit");
    let seen = ["2026-08-03", "2026-10-28", "-", "-", "-"];
    let unknown = [
        "use",
        "role",
        &arn,
        "s3.amazonaws.com",
        "NewOperation",
        "?",
        "allowed",
        "1",
    ];
    let unknown = line(&[&unknown[..], &seen[..]].concat());
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]"));
    assert!(of_terraform(&terraform, &logs(&[used("audit", "s3:ListAllMyBuckets"), unknown])).is_empty());
}

#[test]
fn a_name_that_is_known_in_part_matches_one_identity_or_none() {
    let variable = "variable \"env\" {}\n";
    let statements = allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]");
    let of_env = |label: &str| role_for("ecs-tasks.amazonaws.com", label, "${var.env}-audit", &statements);
    let evidence = logs(&[used("prod-audit", "s3:ListAllMyBuckets")]);
    assert_eq!(
        of_terraform(&format!("{variable}{}", of_env("a")), &evidence),
        [format!("unused-in-period: `s3:DeleteBucket` was not used {PERIOD}")]
    );
    let two = format!("{variable}{}{}", of_env("a"), of_env("b"));
    assert!(of_terraform(&two, &evidence).is_empty());
    let r = Repository::new(&[SETTINGS, ("main.tf", &two), ("evidence.txt", &evidence)]);
    let report = r.run(&["evidence", "report"]).out;
    assert!(
        report.contains("role/prod-audit (41 calls, may be main.tf:2 or main.tf:"),
        "{report}"
    );
    // A role of another project that has such a name, and does what this one may not.
    let other = logs(&[used("billing-audit", "ec2:DescribeInstances")]);
    assert!(of_terraform(&format!("{variable}{}", of_env("a")), &other).is_empty());
}

#[test]
fn a_name_that_cloudformation_makes_is_recognized() {
    let template = "Resources:\n  StoreRole:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument:\n        \
                    Version: '2012-10-17'\n        Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Service: \
                    glue.amazonaws.com}}]\n      Policies:\n        - PolicyName: p\n          PolicyDocument:\n            \
                    Version: '2012-10-17'\n            Statement: [{Effect: Allow, Action: [s3:ListAllMyBuckets, \
                    s3:DeleteBucket], Resource: '*'}]\n";
    let of = |name: &str| {
        let evidence = logs(&[used(name, "s3:ListAllMyBuckets")]);
        messages(&[SETTINGS, ("template.yaml", template), ("evidence.txt", &evidence)])
    };
    assert_eq!(
        of("orders-prod-StoreRole-1A2B3C4D5E6F"),
        [format!("unused-in-period: `s3:DeleteBucket` was not used {PERIOD}")]
    );
    assert!(of("orders-StoreRole-reader").is_empty());
}

const SEND: &str = "import boto3\n\n\ndef handler(event, context):\n    boto3.client('s3').list_buckets()\n";

fn function(actions: &str) -> String {
    role_for("lambda.amazonaws.com", "audit", "audit", &allow(actions))
        + "data \"archive_file\" \"code\" {\n  type = \"zip\"\n  source_dir = \"${path.module}/src\"\n  output_path = \
           \"${path.module}/f.zip\"\n}\nresource \"aws_lambda_function\" \"f\" {\n  function_name = \"f\"\n  role = \
           aws_iam_role.audit.arn\n  runtime = \"python3.13\"\n  handler = \"app.handler\"\n  filename = \
           data.archive_file.code.output_path\n}\n"
}

#[test]
fn what_is_neither_called_nor_used_is_more_certain_and_what_is_used_is_less() {
    let terraform = function("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]");
    let check = |lines: &[String]| {
        let evidence = logs(lines);
        let files = [
            SETTINGS,
            ("main.tf", &*terraform),
            ("src/app.py", SEND),
            ("evidence.txt", &*evidence),
        ];
        let only = format!("unused-grant,{RULES}");
        let ran = Repository::new(&files).run(&["check", "--format", "json", "--only", &only]);
        let [finding] = &ran.findings()[..] else {
            panic!("{}", ran.out)
        };
        assert_eq!(finding["rule"], "unused-grant");
        finding.clone()
    };
    let neither = check(&[used("audit", "s3:ListAllMyBuckets")]);
    assert_eq!(neither["confidence"], "high");
    assert!(
        neither["notes"]
            .to_string()
            .contains(&format!("not used {PERIOD} either")),
        "{neither}"
    );

    let used_all = check(&[used("audit", "s3:ListAllMyBuckets"), used("audit", "s3:DeleteBucket")]);
    assert_eq!(
        (&used_all["confidence"], &used_all["severity"]),
        (&"low".into(), &"low".into())
    );
    let notes = used_all["notes"].to_string();
    assert!(
        notes.contains("without a call that can be seen: `s3:DeleteBucket` (41 times"),
        "{notes}"
    );
}

#[test]
fn a_role_is_unused_only_where_its_account_is_logged() {
    let terraform = role("audit", &allow("\"s3:ListAllMyBuckets\""));
    let own = "evidence = \"evidence.txt\"\n[own]\naccounts = { prod = \"111122223333\" }\n";
    let check = |settings: &str, evidence: &str| {
        messages(&[
            ("overgrant.toml", settings),
            ("main.tf", &terraform),
            ("evidence.txt", evidence),
        ])
    };
    let other = used("other", "s3:ListAllMyBuckets");
    let expected = [format!("role-unused: the role `audit` was not used {PERIOD}")];
    assert_eq!(check(own, &logs(std::slice::from_ref(&other))), expected);
    assert!(check(SETTINGS.1, &logs(std::slice::from_ref(&other))).is_empty());
    assert!(
        check(
            own,
            &logs_of("444455556666", "2026-08-01", "2026-10-29", std::slice::from_ref(&other))
        )
        .is_empty()
    );
    // A service has assumed it, or some role that the logs do not name.
    let assume = |resources: &str| {
        let event = [
            "use",
            "service",
            "ecs-tasks.amazonaws.com",
            "sts.amazonaws.com",
            "AssumeRole",
            "sts:AssumeRole",
        ];
        line(
            &[
                &event[..],
                &["allowed", "7", "2026-08-03", "2026-10-28", resources, "-", "-"],
            ]
            .concat(),
        )
    };
    for resources in ["arn:aws:iam::111122223333:role/team/audit", "*"] {
        assert!(
            check(own, &logs(&[other.clone(), assume(resources)])).is_empty(),
            "{resources}"
        );
    }
    assert_eq!(
        check(
            own,
            &logs(&[other.clone(), assume("arn:aws:iam::111122223333:role/other")])
        ),
        expected
    );
    let analyzer = [
        "unused",
        "role",
        "arn:aws:iam::111122223333:role/audit",
        "role",
        "-",
        "-",
        "2026-10-29",
    ];
    assert_eq!(
        check(SETTINGS.1, &logs(&[line(&analyzer)])),
        ["role-unused: the role `audit` was not used according to IAM Access Analyzer (2026-10-29)"]
    );
}

#[test]
fn reports_of_iam_count_without_logs() {
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"sqs:SendMessage\"]"));
    let arn = "arn:aws:iam::111122223333:role/audit";
    let s3 = line(&["last-used", "role", arn, "s3", "-", "2026-09-01", "2026-10-29"]);
    let recent = line(&["last-used", "role", arn, "s3", "-", "2026-10-20", "2026-10-29"]);
    let sqs = line(&["last-used", "role", arn, "sqs", "-", "-", "2026-10-29"]);
    let of = |lines: &[String]| of_terraform(&terraform, &format!("overgrant-evidence 1\n{}", lines.concat()));
    let details = "according to IAM's last-accessed details (2026-10-29)";
    assert_eq!(
        of(&[s3, sqs.clone()]),
        [format!(
            "unused-in-period: 2 actions are granted here; none was used {details}"
        )]
    );
    // A role whose first use is known to be nine days old may be new.
    assert!(of(&[recent, sqs]).is_empty());
    let analyzer = line(&[
        "unused",
        "role",
        arn,
        "permission",
        "sqs:SendMessage",
        "-",
        "2026-10-29",
    ]);
    assert_eq!(
        of(&[analyzer]),
        ["unused-in-period: `sqs:SendMessage` was not used according to IAM Access Analyzer (2026-10-29)"]
    );
}

#[test]
fn denied_calls_are_reported_where_nothing_allows_them_now() {
    let list = used("audit", "s3:ListAllMyBuckets");
    let evidence = logs(&[list, denied("audit", "s3:GetBucketTagging")]);
    let of = |statements: &str| of_terraform(&role("audit", statements), &evidence);
    assert_eq!(
        of(&allow("\"s3:ListAllMyBuckets\"")),
        ["denied-call: `s3:GetBucketTagging` was called 41 times and denied: no policy of the role allows it"]
    );
    assert!(
        of(&allow("[\"s3:ListAllMyBuckets\", \"s3:GetBucketTagging\"]"))
            .iter()
            .all(|m| !m.starts_with("denied-call"))
    );
    let deny = "{ Effect = \"Deny\", Action = \"s3:GetBucketT*\", Resource = \"*\" }";
    assert_eq!(
        of(&format!("{}, {deny}", allow("\"s3:ListAllMyBuckets\""))),
        ["denied-call: `s3:GetBucketTagging` was called 41 times and denied: a policy of the role denies it"]
    );
    // What people try is no reason to grant it.
    let people = role("audit", &allow("\"s3:ListAllMyBuckets\"")).replace(
        "Service = \"ecs-tasks.amazonaws.com\"",
        "AWS = \"arn:aws:iam::111122223333:root\"",
    );
    assert!(of_terraform(&people, &evidence).is_empty());
    let elsewhere = format!(
        "{}resource \"aws_iam_role_policy_attachment\" \"x\" {{\n  role = aws_iam_role.audit.name\n  policy_arn = \
         \"arn:aws:iam::111122223333:policy/more\"\n}}\n",
        role("audit", &allow("\"s3:ListAllMyBuckets\""))
    );
    assert!(of_terraform(&elsewhere, &evidence).is_empty());
}

#[test]
fn the_report_needs_evidence() {
    let ran = Repository::new(&[("main.tf", "")]).run(&["evidence", "report"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("--evidence"), "{}", ran.err);
}

#[test]
fn the_report_as_a_page_is_one_file_without_scripts() {
    let terraform = role("audit", &allow("[\"s3:ListAllMyBuckets\", \"s3:DeleteBucket\"]"));
    let evidence = logs(&[
        used("audit", "s3:ListAllMyBuckets"),
        used("<b>other", "s3:ListAllMyBuckets"),
    ]);
    let r = Repository::new(&[SETTINGS, ("main.tf", &terraform), ("evidence.txt", &evidence)]);
    let html = r.run(&["evidence", "report", "--format", "html"]).out;
    assert!(
        html.starts_with("<!doctype html>") && html.contains("prefers-color-scheme: dark"),
        "{html}"
    );
    assert!(
        html.contains("<th scope=\"col\">") && html.contains("<caption>") && html.contains("lang=\"en\""),
        "{html}"
    );
    assert!(
        !html.contains("<script") && !html.contains("http://") && !html.contains("https://"),
        "{html}"
    );
    assert!(html.contains("&lt;b&gt;other") && !html.contains("<b>"), "{html}");
    let json = r.run(&["evidence", "report", "--format", "json"]).json();
    let identity = &json["identities"][0];
    assert_eq!(
        (&identity["name"], &identity["status"]),
        (&"audit".into(), &"used".into())
    );
    assert_eq!(identity["grants"][1]["verdict"], "not used");
    assert_eq!(json["others"][0]["calls"], 41);
}

fn evidence_repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/evidence-repo")
}

fn copied() -> Repository {
    let r = Repository::new(&[]);
    let root = evidence_repository();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().flatten() {
        if entry.file_type().is_file() {
            let inside = entry
                .path()
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            r.write(&inside, &std::fs::read(entry.path()).unwrap());
        }
    }
    r
}

/// From the logs to the findings and the report. `OVERGRANT_UPDATE=1` writes what is expected.
#[test]
fn from_logs_to_findings_and_the_report() {
    let r = copied();
    let ran = r.run(&["evidence", "collect", "logs", "-o", "evidence.txt"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let findings = r.run(&["check", "--format", "compact", "--no-summary"]).out;
    let report = r.run(&["evidence", "report"]).out;
    let root = evidence_repository();
    for (name, text) in [
        ("evidence.txt", r.read("evidence.txt")),
        ("findings.txt", findings),
        ("report.txt", report),
    ] {
        let path = root.join(name);
        if std::env::var_os("OVERGRANT_UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert_eq!(
            text, expected,
            "{name} is stale: run `OVERGRANT_UPDATE=1 cargo test --test it evidence_rules`"
        );
    }
}

#[test]
fn the_documentation_shows_the_report() {
    let ran = copied().run(&["evidence", "report", "orders.tf"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let shown = format!("$ overgrant evidence report orders.tf\n{}", ran.out);
    assert!(shown.lines().count() <= 10, "{shown}");
    for page in ["README.md", "docs/book/evidence.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        assert!(text.replace("\r\n", "\n").contains(&shown), "{page} has not\n{shown}");
    }
}
