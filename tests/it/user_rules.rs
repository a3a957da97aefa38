//! Users' own rules: every subject of the language, and what is said of mistakes.

use overgrant::internals::rules::user::{self, UserRules};
use overgrant::internals::source::{ProblemKind, Sources};

use crate::support::repository::Repository;

/// A rule with this `match` and `report`, and these examples.
fn rule(id: &str, body: &str, examples: &str) -> String {
    format!(
        r"id: {id}
title: A rule of ours
severity: high
confidence: high
since: 0.1.0
why: it matters
do: something else
{body}
examples:
{examples}"
    )
}

fn tested(name: &str, body: &str, examples: &str) {
    let mut rules = UserRules::default();
    rules.add(
        &format!("r/{name}.yaml"),
        &rule(&format!("acme/{name}"), body, examples),
    );
    assert_eq!(rules.mistakes, [], "{name}");
    let tested = rules.test();
    assert!(tested.failures.is_empty(), "{}", tested.failures.join("\n"));
    assert!(tested.cases > 1, "{name}: {} cases", tested.cases);
}

#[test]
fn a_statement_by_service_level_and_condition() {
    tested(
        "writes-to-dynamodb",
        r#"match:
  statement:
    in: identity
    effect: allow
    action:
      any: {service: dynamodb, access-level: [write], not: {is: dynamodb:PutItem}}
      as: act
    resource: {any: {account: [other, any]}, as: res}
    condition: {none: {key: "aws:PrincipalTag/*"}}
report:
  at: act
  label: "{act.service}, writes"
  also: [{at: res, label: there}]
  message: "`{act}` writes to `{res}`"
"#,
        r#"
  bad:
    - title: another account's table
      policy: |
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
          "Action": ["dynamodb:GetItem", «"dynamodb:Delete*"», "dynamodb:PutItem"],
          "Resource": ‹"arn:aws:dynamodb:eu-west-1:444455556666:table/t"›}]}
  good:
    - title: ours
      own: {accounts: {"444455556666": ours}}
      policy: |
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:DeleteItem",
          "Resource": "arn:aws:dynamodb:eu-west-1:444455556666:table/t"}]}
    - title: by tag
      policy: |
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": "*",
          "Condition": {"StringEquals": {"aws:PrincipalTag/*": "x"}}}]}
"#,
    );
}

#[test]
fn a_trust_statement_by_principal() {
    tested(
        "no-ec2",
        r#"match:
  trust:
    effect: allow
    principal: {any: {type: service, glob: "ec2.*"}, as: who}
report:
  at: who
  message: "`{who}` may assume this role"
"#,
        r#"
  bad:
    - title: ec2
      kind: trust
      policy: |
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
          "Principal": {"Service": [«"ec2.amazonaws.com"», "lambda.amazonaws.com"]}}]}
  good:
    - title: lambda
      kind: trust
      policy: |
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
          "Principal": {"Service": "lambda.amazonaws.com"}}]}
"#,
    );
}

#[test]
fn a_document_by_its_statements() {
    tested(
        "guarded-buckets",
        r#"match:
  document:
    in: resource
    service: s3
    version: {any: {is: "2012-10-17"}, as: version}
    statement:
      none:
        effect: deny
        condition: {any: {key: "AWS:SecureTransport", operator: bool, value: {any: "false"}}}
report:
  at: version
  message: the bucket's policy lets plain HTTP through
"#,
        r#"
  bad:
    - title: no deny
      kind: resource
      service: s3
      policy: |
        {"Version": «"2012-10-17"», "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
          "Action": "s3:GetObject", "Resource": "arn:aws:s3:::example-bucket/*"}]}
  good:
    - title: a deny
      kind: resource
      service: s3
      policy: |
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
          "Resource": "arn:aws:s3:::example-bucket/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
"#,
    );
}

#[test]
fn a_resource_by_its_properties() {
    tested(
        "no-open-urls",
        r#"match:
  resource:
    kind: AWS::Lambda::Url
    where:
      AuthType: {is: NONE, as: auth}
    none:
      - where: {Cors.AllowOrigins: {glob: "https://*"}}
report:
  at: auth
  message: "anybody may call this function: `{auth}`"
"#,
        r#"
  bad:
    - title: open
      files:
        t.yaml: |
          Resources:
            U:
              Type: AWS::Lambda::Url
              Properties: {AuthType: «NONE», TargetFunctionArn: f}
  good:
    - title: closed
      files:
        t.yaml: |
          Resources:
            U:
              Type: AWS::Lambda::Url
              Properties: {AuthType: AWS_IAM, TargetFunctionArn: f}
    - title: not known
      files:
        t.yaml: |
          Parameters: {Auth: {Type: String}}
          Resources:
            U:
              Type: AWS::Lambda::Url
              Properties: {AuthType: !Ref Auth, TargetFunctionArn: f}
    - title: one origin
      files:
        t.yaml: |
          Resources:
            U:
              Type: AWS::Lambda::Url
              Properties: {AuthType: NONE, TargetFunctionArn: f, Cors: {AllowOrigins: [https://example.com]}}
"#,
    );
}

#[test]
fn an_identity_and_what_is_attached_to_it() {
    let role = |policy: &str, boundary: &str| {
        format!(
            r#"
        t.yaml: |
          Resources:
            R:
              Type: AWS::IAM::Role
              Properties:
                AssumeRolePolicyDocument: {{}}{boundary}
                ManagedPolicyArns: [{policy}]
"#
        )
    };
    let arn = "arn:aws:iam::aws:policy/PowerUserAccess";
    tested(
        "no-power-users",
        r#"match:
  attachment: {to: [role, user], aws-managed: true, policy: {one-of: [PowerUserAccess]}, as: policy}
report:
  at: policy
  message: "`{policy}` is put on somebody"
"#,
        &format!(
            r"  bad:
    - title: attached
      files:{}  good:
    - title: another
      files:{}",
            role(&format!("«{arn}»"), ""),
            role("arn:aws:iam::aws:policy/ReadOnlyAccess", "")
        ),
    );
    tested(
        "bounded-power-users",
        r#"match:
  identity: {kind: role, boundary: false, policy: {any: PowerUserAccess, as: policy}}
report:
  at: policy
  message: "`{policy}` without a boundary"
"#,
        &format!(
            r"  bad:
    - title: attached
      files:{}  good:
    - title: bounded
      files:{}",
            role(&format!("«{arn}»"), ""),
            role(
                arn,
                r"
                PermissionsBoundary: arn:aws:iam::aws:policy/ReadOnlyAccess"
            )
        ),
    );
}

#[test]
fn a_call_by_its_arguments() {
    tested(
        "no-console-for-bots",
        r#"match:
  call:
    service: iam
    operation: "*LoginProfile"
    where: {UserName: {matches: "^bot-", as: user}}
    as: call
report:
  at: user
  also: [{at: call, label: made here}]
  message: "`{user}` can log in to the console"
"#,
        r#"
  bad:
    - title: a literal
      files:
        app.py: |
          import boto3
          boto3.client("iam").create_login_profile(UserName=«"bot-a"», PasswordResetRequired=True)
  good:
    - title: elsewhere
      files:
        app.py: |
          import boto3
          boto3.client("iam").create_login_profile(UserName="ann", PasswordResetRequired=True)
"#,
    );
}

/// What is wrong, the place, and the message for each broken rule.
#[test]
fn mistakes_have_a_place_and_a_suggestion() {
    let examples = r"  bad: [{title: a, policy: '«{}»'}]
  good: [{title: b, policy: '{}'}]
";
    let report = "report: {at: act, message: said}";
    let cases = [
        (
            "match: {statement: {effect: allow, acton: {any: '*', as: act}}}".to_owned(),
            "acton",
            "the rule language has no `acton` here; did you mean `action`?",
        ),
        (
            format!(
                r"match: {{statement: {{effect: alow, action: {{any: '*', as: act}}}}}}
{report}"
            ),
            "alow",
            "the rule language has no `alow` here; did you mean `allow`?",
        ),
        (
            r"match: {statement: {action: {any: '*', as: act}}}
report: {at: actt, message: said}"
                .to_owned(),
            "actt",
            "unknown capture `actt`; did you mean `act`?",
        ),
        (
            format!(
                r"match: {{statement: {{action: {{any: '*', as: act}}, resource: {{any: '*', as: rest}}}}}}
{report}"
            ),
            "rest",
            "unused capture `rest`",
        ),
        (
            format!(
                r"match: {{statement: {{in: identity, action: {{any: '*', as: act}}, principal: {{any: x}}}}}}
{report}"
            ),
            "principal",
            "no document of these kinds has principals: this can never match",
        ),
        (
            format!(
                r"match: {{statement: {{action: {{any: {{one-of: '@verbs'}}, as: act}}}}}}
{report}"
            ),
            "@verbs",
            "unknown list `verbs`",
        ),
        (
            format!(
                r"match: {{statement: {{action: {{any: {{matches: 'a('}}, as: act}}}}}}
{report}"
            ),
            "a(",
            "invalid regular expression: unclosed group",
        ),
        (
            format!(
                r"match: {{statement: {{action: {{any: {{covers: 's3:GetObjekt'}}, as: act}}}}}}
{report}"
            ),
            "s3:GetObjekt",
            "unknown action `s3:GetObjekt`; did you mean `s3:GetObject`?",
        ),
        (
            format!(
                r"match: {{statement: {{action: {{any: {{is: 's3:GetObject', as: act}}}}}}}}
{report}"
            ),
            "as",
            "`as` belongs next to `any` or `all`, not inside",
        ),
        (
            format!(
                r"match: {{statement: {{action: {{any: {{service: '@ours'}}, as: act}}}}}}
{report}"
            ),
            "@ours",
            "unknown list `ours`",
        ),
        (
            "check: pass-role".to_owned(),
            "check",
            "only built-in rules can have `check`",
        ),
        (
            format!(
                r"match: {{statement: {{action: {{any: '*', as: act}}}}, trust: {{effect: allow}}}}
{report}"
            ),
            "match",
            "`match` needs exactly one subject",
        ),
        ("severity: [".to_owned(), "", ""),
    ];
    for (body, word, message) in cases {
        let text = rule("acme/broken", &body, examples);
        let mut rules = UserRules::default();
        rules.add("r/broken.yaml", &text);
        let [mistake] = rules.mistakes.as_slice() else {
            panic!("{body}: {:?}", rules.mistakes)
        };
        if !message.is_empty() {
            assert!(mistake.message.starts_with(message), "{body}: {}", mistake.message);
            assert_eq!(&text[mistake.range.clone()], word, "{body}");
        }
        let sources = Sources::from_strings(&[("r/broken.yaml", &text)]);
        let problems = rules.problems(&sources);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].kind, ProblemKind::Rule);
    }
}

#[test]
fn a_folder_of_rules_is_read_and_tested() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("lists")).unwrap();
    std::fs::write(dir.path().join("lists/verbs.txt"), "s3:DeleteBucket # for ever\n\n").unwrap();
    let examples = r#"
  bad:
    - title: a
      policy: '{"Statement": [{"Effect": "Allow", "Action": "s3:DeleteBucket", "Resource": «"*"»}]}'
  good:
    - title: b
      policy: '{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
"#;
    let body = r"match: {statement: {action: {any: {one-of: '@verbs'}, as: act}}}
report: {at: act, message: said}";
    std::fs::write(
        dir.path().join("no-delete.yaml"),
        rule("acme/no-delete", body, examples),
    )
    .unwrap();
    std::fs::write(dir.path().join("other.yaml"), rule("no-prefix", body, examples)).unwrap();

    let (rules, tested) = user::test_rules(dir.path(), "mine");
    assert_eq!(rules.rules.len(), 1);
    assert_eq!(rules.rules[0].family(), "acme");
    assert_eq!(rules.mistakes.len(), 1);
    assert_eq!(rules.mistakes[0].path, "mine/other.yaml");
    assert!(rules.mistakes[0].message.contains("`acme/no-prefix`"));
    // The mark is on the wrong token: the failure shows both places and the file.
    let title = "acme/no-delete: bad example `a` as policy JSON";
    let [failure] = tested.failures.as_slice() else {
        panic!("{:?}", tested.failures)
    };
    assert!(failure.starts_with(title), "{failure}");
    assert!(failure.contains("reported and not marked: policy.json:"), "{failure}");
    assert!(failure.contains("likewise as CloudFormation YAML, "), "{failure}");
    assert_eq!(tested.wrong, 8);
    assert!(failure.contains(r#"`"s3:DeleteBucket"`: said"#), "{failure}");
    assert!(failure.contains("marked and not reported"), "{failure}");
}

/// The rules of the cookbook are whole files, and their examples hold.
#[test]
fn the_recipes_of_the_cookbook_work() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, cookbook) = text.split_once("## Cookbook").unwrap();
    let blocks = cookbook.split("```yaml\n").skip(1);
    let recipes: Vec<&str> = blocks.filter_map(|b| b.split("```").next()).collect();
    assert_eq!(recipes.len(), 10);
    let mut rules = UserRules::default();
    for recipe in recipes {
        let id = recipe.lines().next().unwrap().trim_start_matches("id: acme/");
        rules.add(&format!("r/{id}.yaml"), recipe);
    }
    assert_eq!(rules.mistakes, []);
    let tested = rules.test();
    assert!(tested.failures.is_empty(), "{}", tested.failures.join("\n"));
}

/// Editors check rule files against the committed schema.
#[test]
fn the_schema_of_rule_files_is_committed() {
    let repo = Repository::new(&[]);
    let schema = repo.run(&["config", "schema", "rule"]).out;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/rule.schema.json");
    if std::env::var_os("OVERGRANT_UPDATE").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == schema,
        "rules/rule.schema.json is stale: run `OVERGRANT_UPDATE=1 cargo test --test it user_rules`"
    );
}

/// What can never match is refused with its reason.
#[test]
fn tests_that_never_match_are_refused() {
    for (body, why) in [
        (
            r#"match: {statement: {in: scp, principal: {any: "*"}, as: s}}
report: {at: s, message: m}"#,
            "no document of these kinds has principals",
        ),
        (
            r"match: {statement: {lacks: Actions, as: s}}
report: {at: s, message: m}",
            "unknown element `Actions`: this can never match; did you mean `Action`?",
        ),
        (
            r"match: {resource: {where: {Port: {more-than: 5, less-than: 3}}, as: r}}
report: {at: r, message: m}",
            "no number is in this range",
        ),
        (
            r#"match: {resource: {where: {"Ports[]": {present: false}}, as: r}}
report: {at: r, message: m}"#,
            "an item of a list is never absent",
        ),
        (
            r"match: {call: {service: iam, operation: CreateRole, as: c}}
report: {at: c, message: m}",
            "`CreateRole` makes the resource `AWS::IAM::Role`: match that with `resource`",
        ),
        (
            r"match: {condition: {line: {known-operator: false, family: bool}}}
report: {at: key, message: m}",
            "an operator that is unknown has no properties",
        ),
    ] {
        let mut rules = UserRules::default();
        rules.add(
            "r/x.yaml",
            &rule(
                "acme/x",
                body,
                r"  bad: []
  good: []
",
            ),
        );
        let said: Vec<&str> = rules.mistakes.iter().map(|m| &*m.message).collect();
        assert!(said.len() == 1 && said[0].contains(why), "{body}: {said:?}");
    }
}
