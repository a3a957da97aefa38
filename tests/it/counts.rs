//! Numbers in messages count what is granted in the end: what fits a resource, and is neither denied nor outside a boundary.

use overgrant::internals::iam::{ActionSet, Ownership, catalogue};
use overgrant::internals::rules::{self, Ruleset, Selection};
use overgrant::internals::source::Sources;

use crate::support::lint::found;
use crate::usage::{sam, terraform};

fn rule_messages(files: &[(&str, &str)], rule: &str) -> Vec<String> {
    let sources = Sources::from_strings(files);
    let own = Ownership::default();
    let analysis = overgrant::internals::pipeline::analyze(&sources, &own);
    let ruleset = Ruleset::builtin();
    let outcome = rules::run(&analysis.project, &ruleset, &Selection::all(&ruleset));
    let of_rule = outcome.findings.iter().filter(|f| f.rule == rule);
    of_rule.map(|f| f.message.clone()).collect()
}

/// How many actions of S3 take one of these types.
fn of_types(types: &[&str]) -> usize {
    let s3 = catalogue().service("s3").unwrap();
    let fits = |a: &overgrant::internals::iam::Action| {
        !a.is_retired() && a.resource_types().any(|t| types.contains(&t.name()))
    };
    s3.actions().filter(fits).count()
}

/// An identity policy that allows `s3:*` on a resource, and what stands beside the statement.
fn s3_policy(resource: &str, beside: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:*", "Resource": {resource}}}{beside}]}}"#
    )
}

#[test]
fn a_wildcard_counts_what_fits_its_resources() {
    let objects = of_types(&["object"]);
    let both = of_types(&["bucket", "object"]);
    let all = ActionSet::expand("s3:*").len();
    assert!(objects < both && both < all);
    for (resource, why, count) in [
        (
            r#""arn:aws:s3:::reports/*""#,
            " that applies to these resources",
            objects,
        ),
        (
            r#"["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]"#,
            " that applies to these resources",
            both,
        ),
        (r#""*""#, "", all),
    ] {
        let found = rule_messages(&[("p.json", &s3_policy(resource, ""))], "service-wildcard");
        assert_eq!(
            found,
            [format!("every action of `s3`{why} is allowed, {count} in total")],
            "{resource}"
        );
    }
}

#[test]
fn a_wildcard_counts_what_is_not_denied() {
    let all = ActionSet::expand("s3:*").len();
    let deletes = ActionSet::expand("s3:Delete*").len();
    let deny = r#", {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}"#;
    let found = rule_messages(&[("p.json", &s3_policy(r#""*""#, deny))], "service-wildcard");
    let left = all - deletes;
    assert_eq!(
        found,
        [format!(
            "every action of `s3` that is not denied is allowed, {left} in total"
        )]
    );
}

const CODE: &str = r#"
import boto3

def handler(event, context):
    boto3.client("s3").get_object(Bucket="reports", Key="a")
"#;

#[test]
fn what_the_code_never_calls_is_counted_of_what_fits() {
    let objects = of_types(&["object"]);
    let expected = [format!("`s3:*` grants {objects} actions; the code uses 1 of them")];
    let template = sam(r#"
Policies:
  - Version: "2012-10-17"
    Statement:
      - {Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::reports/*"}
"#);
    assert_eq!(
        rule_messages(&[("t.yaml", &template), ("src/app.py", CODE)], "unused-grant"),
        expected
    );
    let configuration = terraform(
        r#"
  statement {
    actions   = ["s3:*"]
    resources = ["arn:aws:s3:::reports/*"]
  }
"#,
    );
    let files = [("main.tf", configuration.as_str()), ("src/app.py", CODE)];
    assert_eq!(rule_messages(&files, "unused-grant"), expected);
}

#[test]
fn what_the_code_never_calls_is_counted_of_what_is_not_denied() {
    let left = of_types(&["object"]) - 1;
    let template = sam(r#"
Policies:
  - Version: "2012-10-17"
    Statement:
      - {Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::reports/*"}
      - {Effect: Deny, Action: "s3:DeleteObject", Resource: "*"}
"#);
    assert_eq!(
        rule_messages(&[("t.yaml", &template), ("src/app.py", CODE)], "unused-grant"),
        [format!("`s3:*` grants {left} actions; the code uses 1 of them")]
    );
}

const EXCEPT: &str = ", except where a Deny applies";

fn statement_json(effect: &str, action: &str, resource: &str) -> String {
    format!(r#"{{"Effect": "{effect}", "Action": "{action}", {resource}}}"#)
}

/// The statements in one document, and as two policies of one role.
fn together_and_apart(allow: &str, deny: &str) -> [(&'static str, String); 2] {
    let template = format!(
        r#"Resources:
  Ops:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{}}
      Policies:
        - PolicyName: a
          PolicyDocument: {{"Version": "2012-10-17", "Statement": [{allow}]}}
        - PolicyName: b
          PolicyDocument: {{"Version": "2012-10-17", "Statement": [{deny}]}}
"#
    );
    [
        (
            "p.json",
            format!(r#"{{"Version": "2012-10-17", "Statement": [{allow}, {deny}]}}"#),
        ),
        ("template.yaml", template),
    ]
}

#[test]
fn every_is_not_said_of_what_a_deny_takes_away() {
    for (action, rule, denied, on, spares) in [
        (
            "sqs:*",
            "service-wildcard",
            "sqs:*",
            r#""Resource": "arn:aws:sqs:*:*:billing""#,
            true,
        ),
        (
            "sqs:*",
            "service-wildcard",
            "*",
            r#""Resource": "arn:aws:sqs:*:*:billing""#,
            true,
        ),
        (
            "sqs:*",
            "service-wildcard",
            "sns:*",
            r#""Resource": "arn:aws:sns:*:*:billing""#,
            false,
        ),
        (
            "sts:AssumeRole",
            "assume-role-star",
            "sts:*",
            r#""Resource": "arn:aws:iam::*:role/admin-*""#,
            true,
        ),
        (
            "iam:PassRole",
            "pass-role-star",
            "iam:Pass*",
            r#""Resource": "arn:aws:iam::*:role/admin-*""#,
            true,
        ),
        (
            "*",
            "admin-star-star",
            "s3:*",
            r#""Resource": "arn:aws:s3:::audit/*""#,
            true,
        ),
        (
            "s3:PutObject",
            "write-actions-on-star",
            "s3:*",
            r#""Resource": ["arn:aws:s3:::audit", "arn:aws:s3:::audit/*"]"#,
            true,
        ),
        (
            "secretsmanager:GetSecretValue",
            "secrets-read-star",
            "secretsmanager:*",
            r#""Resource": "arn:aws:secretsmanager:*:*:secret:prod/*""#,
            true,
        ),
        // Only under a condition: it is not certain.
        (
            "sqs:*",
            "service-wildcard",
            "sqs:*",
            r#""Resource": "arn:aws:sqs:*:*:billing", "Condition": {"Bool": {"aws:SecureTransport": "false"}}"#,
            false,
        ),
    ] {
        let allow = statement_json("Allow", action, r#""Resource": "*""#);
        for (name, text) in together_and_apart(&allow, &statement_json("Deny", denied, on)) {
            let found = rule_messages(&[(name, &text)], rule);
            assert_eq!(found.len(), 1, "{name} {action} {rule}: {found:?}");
            assert_eq!(
                found[0].ends_with(EXCEPT),
                spares,
                "{name} {action} {denied}: {found:?}"
            );
        }
    }
}

#[test]
fn resources_that_are_not_known_are_counted_at_most() {
    let all = ActionSet::expand("s3:*").len();
    let code = r#"import json
policy = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": ["${aws_s3_bucket.logs.arn}", "${aws_s3_bucket.logs.arn}/*"],
    }],
})
"#;
    let found = rule_messages(&[("logs.tf.json.template.py", code)], "service-wildcard");
    assert_eq!(
        found,
        [format!(
            "every action of `s3` that applies to these resources is allowed, up to {all} in total"
        )]
    );
}

#[test]
fn what_needs_a_star_is_not_counted_on_an_arn() {
    let service = catalogue().service("codecommit").unwrap();
    let fits = service
        .actions()
        .filter(|a| !a.is_retired() && a.resource_types().len() > 0)
        .count();
    let all = ActionSet::expand("codecommit:*").len();
    assert!(fits < all);
    for (resource, why, count) in [
        (
            "arn:aws:codecommit:eu-west-1:111122223333:*",
            " that applies to these resources",
            fits,
        ),
        ("*", "", all),
    ] {
        let policy = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "codecommit:*", "Resource": "{resource}"}}]}}"#
        );
        let found = rule_messages(&[("p.json", &policy)], "service-wildcard");
        assert_eq!(
            found,
            [format!(
                "every action of `codecommit`{why} is allowed, {count} in total"
            )],
            "{resource}"
        );
    }
}

#[test]
fn labels_of_unused_grants_add_up_to_the_message() {
    let finding = |actions: &str, resource: &str| {
        let template = sam(&format!(
            "Policies: [{{Statement: [{{Effect: Allow, Action: [{actions}], Resource: '{resource}'}}]}}]"
        ));
        let code = "import boto3\ndef handler(e, c):\n    boto3.client('dynamodb').get_item(TableName='t', Key={})\n";
        let (_, findings) = found(&[("template.yaml", &template), ("src/app.py", code)]);
        let unused = findings.into_iter().find(|f| f.rule == "unused-grant").unwrap();
        let labels: Vec<String> = unused.labels.iter().map(|l| l.text.to_string()).collect();
        let labels = labels
            .into_iter()
            .filter(|l| l.contains("never called") || l.contains("none of which"));
        (unused.message.clone(), labels.collect::<Vec<_>>(), unused.notes.clone())
    };
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/t";
    // What the ARN does not fit is granted by no one and labeled all the same.
    let (message, labels, _) = finding(
        "dynamodb:GetItem, dynamodb:PutItem, dynamodb:DescribeLimits, dynamodb:ListImports",
        table,
    );
    let never = labels.iter().filter(|l| *l == "never called").count();
    assert!(
        message.starts_with(&format!("{never} of the {} actions", never + 1)),
        "{message} {labels:?}"
    );
    let (message, labels, notes) = finding(
        "dynamodb:GetItem, dynamodb:PutItem, dynamodb:Scan, dynamodb:Query, dynamodb:UpdateItem, dynamodb:DeleteItem, \
         dynamodb:BatchGetItem, dynamodb:BatchWriteItem",
        table,
    );
    assert_eq!(
        (message.as_str(), labels.len()),
        ("7 of the 8 actions granted here are never called", 5)
    );
    assert_eq!(notes[0], "2 more items of the list grant actions that are never called");
    let (_, labels, _) = finding("'dynamodb:*Item', dynamodb:Scan", table);
    let count = ActionSet::expand("dynamodb:*Item").len();
    assert_eq!(
        labels,
        [
            format!("grants {count} actions, {} of which are never called", count - 1),
            "never called".to_owned()
        ]
    );
}

#[test]
fn the_help_of_a_service_wildcard_names_its_service() {
    let (_, findings) = found(&[("p.json", &s3_policy("\"*\"", "").replace("s3:*", "sqs:*"))]);
    let help = findings
        .iter()
        .find(|f| f.rule == "service-wildcard")
        .unwrap()
        .help
        .clone()
        .unwrap();
    assert!(
        help.contains("`overgrant expand 'sqs:*'`") && !help.contains("s3"),
        "{help}"
    );
}
