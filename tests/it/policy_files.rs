//! Policy documents as files of their own, exports and answers of the API.

use overgrant::internals::iam::{Ownership, PolicyKind};
use overgrant::internals::pipeline::analyze;
use overgrant::internals::source::Sources;

use crate::support::repository::Repository;

/// Every document of one file: kind, service, owner and the source of each action; then the problems.
fn documents_and_problems(path: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let sources = Sources::from_strings(&[(path, text)]);
    let own = Ownership::default();
    let project = analyze(&sources, &own).project;
    let documents = project
        .documents
        .iter()
        .map(|d| {
            let owner = d.owner.as_ref().map_or("-", |o| &*o.address);
            let actions: Vec<&str> = d
                .statements
                .iter()
                .filter_map(|s| s.action.as_ref())
                .flat_map(|a| a.items.iter().map(|i| sources.slice(i.span)))
                .collect();
            let service = match d.kind {
                PolicyKind::Resource => d.service.as_deref().unwrap_or("-"),
                _ => "-",
            };
            format!("{} {service} {owner} {}", d.kind.name(), actions.join(" "))
        })
        .collect();
    let problems = project
        .problems
        .iter()
        .map(|p| format!("{:?} {}: {}", p.kind, sources.slice(p.span), p.message))
        .collect();
    (documents, problems)
}

fn documents(path: &str, text: &str) -> Vec<String> {
    let (documents, problems) = documents_and_problems(path, text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    documents
}

const READ: &str = r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}"#;

#[test]
fn bare_documents_and_lists_of_them() {
    assert_eq!(documents("p.json", READ), [r#"identity - - "s3:GetObject""#]);
    assert_eq!(documents("p.json", TRUST), [r#"trust - - "sts:AssumeRole""#]);
    assert_eq!(
        documents("p.json", &format!("[{READ}, {TRUST}]")),
        [r#"identity - 0 "s3:GetObject""#, r#"trust - 1 "sts:AssumeRole""#]
    );
    let yaml = r"Version: 2012-10-17
Statement:
  - Effect: Allow
    Action: [s3:*, 'sqs:*']
    Resource: '*'
";
    assert_eq!(documents("p.yaml", yaml), ["identity - - s3:* 'sqs:*'"]);
    assert_eq!(
        documents(
            "p.yaml",
            &format!(
                r"---
{yaml}---
{yaml}"
            )
        )
        .len(),
        2
    );
    // A name decides only where that hides nothing.
    let deny = &READ.replace("Allow", "Deny");
    let all = &READ.replace("s3:GetObject", "*");
    for (path, text, kind) in [
        ("policies/scp/base.json", READ, "identity"),
        ("policies/scp/base.json", deny, "scp"),
        ("service-control-policies/full.json", all, "scp"),
        ("service_control_policies/base_scp.json", READ, "scp"),
        ("service-control/full.json", all, "identity"),
        ("ci-boundary.json", READ, "identity"),
        ("ci-boundary.json", deny, "boundary"),
        ("ci-boundary.json", all, "identity"),
        ("rcp.json", deny, "identity"),
    ] {
        let action = if text == all { "*" } else { "s3:GetObject" };
        assert_eq!(
            documents(path, text),
            [format!(r#"{kind} - - "{action}""#)],
            "{path} {text}"
        );
    }
    assert_eq!(documents("\u{feff}p.json", &format!("\u{feff}{READ}\r\n")).len(), 1);
}

/// A document that stands alone is the policy of a VPC endpoint where its conditions say so, or its name and its resources; what
/// only the name says is mentioned.
#[test]
fn policies_of_vpc_endpoints_that_stand_alone() {
    let policy = |action: &str, resource: &str, keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| format!(r#""{key}": "o-a1b2c3d4e5""#)).collect();
        let condition = format!(r#", "Condition": {{"StringEquals": {{{}}}}}"#, keys.join(", "));
        let condition = if keys.is_empty() { "" } else { &condition };
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": "*", "Action": "{action}", "Resource": {resource}{condition}}}]}}"#
        )
    };
    let (owner, caller) = ("aws:ResourceOrgID", "aws:PrincipalOrgID");
    let object = r#""arn:aws:s3:::reports/*""#;
    let several = r#"["arn:aws:s3:::reports/*", "arn:aws:dynamodb:eu-west-1:111122223333:table/t"]"#;
    for (path, text, expected) in [
        ("p.json", policy("*", r#""*""#, &[owner]), ""),
        ("p.json", policy("s3:*", r#""*""#, &[owner, caller]), ""),
        ("vpce/p.json", policy("s3:GetObject", several, &[]), ""),
        ("s3-vpc-endpoint.json", policy("s3:GetObject", object, &[owner]), ""),
        (
            "s3_endpoint_policy.json",
            policy("s3:GetObject", object, &[]),
            "low low",
        ),
        ("p.json", policy("*", several, &[]), "low low"),
        ("p.json", policy("s3:GetObject", object, &[]), "high high"),
        ("p.json", policy("s3:GetObject", object, &[owner]), "high high"),
        ("endpoint-user.json", policy("s3:GetObject", object, &[]), "high high"),
    ] {
        let ran = Repository::new(&[(path, &text)]).run(&["check", "-f", "json", "--only", "resource-policy-public"]);
        let json = ran.json();
        let found = json["findings"].as_array().unwrap();
        let word = |key: &str| found.first().map_or("", |f| f[key].as_str().unwrap());
        let shown = format!("{} {}", word("severity"), word("confidence"));
        assert_eq!(shown.trim(), expected, "{path}: {text}");
        let noted = found.iter().any(|f| f["notes"].to_string().contains("VPC endpoint"));
        assert_eq!(noted, expected == "low low", "{path}: {text}");
    }
}

#[test]
fn answers_and_inputs_of_the_api() {
    let quoted = serde_json::to_string(READ).unwrap();
    let escaped = r#"\"s3:GetObject\""#;
    let cases = [
        (
            format!(r#"{{"PolicyVersion": {{"VersionId": "v1", "Document": {READ}}}}}"#),
            r#"identity - PolicyVersion/Document "s3:GetObject""#.to_owned(),
        ),
        (
            format!(r#"{{"Policy": {quoted}}}"#),
            format!("identity - Policy {escaped}"),
        ),
        (
            format!(r#"{{"Bucket": "b", "Policy": {quoted}}}"#),
            format!("resource s3 Policy {escaped}"),
        ),
        (
            format!(r#"{{"Policy": {{"PolicySummary": {{"Type": "SERVICE_CONTROL_POLICY"}}, "Content": {quoted}}}}}"#),
            format!("scp - Policy/Content {escaped}"),
        ),
        (
            format!(r#"{{"PolicyInputList": [{quoted}], "ActionNames": []}}"#),
            format!("identity - PolicyInputList/0 {escaped}"),
        ),
        (
            format!(r#"{{"RoleName": "r", "AssumeRolePolicyDocument": {TRUST}}}"#),
            r#"trust - r "sts:AssumeRole""#.to_owned(),
        ),
        (
            format!(r#"{{"RoleName": "r", "PolicyName": "p", "PolicyDocument": {READ}}}"#),
            r#"identity - p "s3:GetObject""#.to_owned(),
        ),
        (
            format!(r#"{{"PolicyName": "p", "PolicyDocument": {quoted}}}"#),
            format!("identity - p {escaped}"),
        ),
        (
            format!(r#"{{"settings": {{"roles": [{{"x": {READ}}}]}}}}"#),
            r#"identity - settings/roles/0/x "s3:GetObject""#.to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(documents("answer.json", &text), [expected], "{text}");
    }
}

#[test]
fn account_export_gives_identities_and_their_policies() {
    let encoded = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22%2A%22%7D%7D%5D%7D";
    let text = format!(
        r#"{{
  "UserDetailList": [{{"UserName": "u", "UserPolicyList": [{{"PolicyName": "in", "PolicyDocument": {READ}}}], "GroupList": ["g"]}}],
  "GroupDetailList": [{{"GroupName": "g", "AttachedManagedPolicies": [{{"PolicyName": "m", "PolicyArn": "arn:aws:iam::111122223333:policy/m"}}]}}],
  "RoleDetailList": [{{"RoleName": "r", "AssumeRolePolicyDocument": "{encoded}", "RolePolicyList": [],
    "PermissionsBoundary": {{"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/m"}}}}],
  "Policies": [
    {{"PolicyName": "m", "Arn": "arn:aws:iam::111122223333:policy/m", "PolicyVersionList": [
      {{"VersionId": "v1", "IsDefaultVersion": false, "Document": {TRUST}}}, {{"VersionId": "v2", "IsDefaultVersion": true, "Document": {READ}}}]}},
    {{"PolicyName": "a", "Arn": "arn:aws:iam::aws:policy/a", "PolicyVersionList": [{{"Document": {READ}, "IsDefaultVersion": true}}]}}
  ]
}}"#
    );
    let mut found = documents("export.json", &text);
    found.sort();
    assert_eq!(
        found,
        [
            r#"identity - m "s3:GetObject""#,
            r#"identity - u "s3:GetObject""#,
            "trust - r %22sts%3AAssumeRole%22",
        ]
    );
    let sources = Sources::from_strings(&[("export.json", &text)]);
    let own = Ownership::default();
    let project = analyze(&sources, &own).project;
    let names: Vec<&str> = project.identities.iter().map(|i| sources.slice(i.header)).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(project.documents.iter().all(|d| d.kind != PolicyKind::Unknown));
}

#[test]
fn broken_policies_are_read_in_part_and_say_where() {
    let (found, problems) = documents_and_problems(
        "p.json",
        r#"{"Statement": [{"Effect": "Allow", "Action": ["s3:*",], "Resource": "*"}"#,
    );
    assert_eq!(found, [r#"identity - - "s3:*""#]);
    assert_eq!(problems, ["PolicyJson [: unclosed `[`", "PolicyJson ,: trailing `,`"]);
    let (found, problems) = documents_and_problems(
        "p.yaml",
        r#"Statement:
  - Effect: Allow
    Action: s3:*
    Resource: "*
    Sid: x
"#,
    );
    assert_eq!(found, ["identity - - s3:*"]);
    assert_eq!(problems, [r#"Syntax ": unclosed quote"#]);
}

#[test]
fn other_files_are_silent() {
    let cases = [
        (
            "schema.json",
            r#"{"properties": {"Statement": {"type": "array"}, "Action": 1}}"#,
        ),
        ("words.json", r#"{"a": "Statement of Action", }"#),
        (
            "template.json",
            r#"{"Resources": {"R": {"Type": "AWS::IAM::Role", "x": {"Statement": {"Effect": "Allow", "Action": "x"}}}}, "x": 1,}"#,
        ),
        (
            "state.json",
            r#"{"terraform_version": "1", "x": {"Statement": {"Effect": "Allow", "Action": "x"}}}"#,
        ),
    ];
    for (path, text) in cases {
        let (found, problems) = documents_and_problems(path, text);
        let ours = problems.iter().filter(|p| p.starts_with("PolicyJson")).count();
        assert_eq!((found.len(), ours), (0, 0), "{path}: {found:?} {problems:?}");
    }
}

#[test]
fn code_that_a_template_holds_is_read_for_policies() {
    let template = r#"Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Code:
        ZipFile: |
          import boto3, json
          iam = boto3.client("iam")

          def handler(event, context):
              iam.create_role(
                  RoleName="greengrass",
                  AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "greengrass.amazonaws.com"}, "Action": "sts:AssumeRole"}]}',
              )
              iam.put_role_policy(RoleName="greengrass", PolicyName="all", PolicyDocument=json.dumps({
                  "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}],
              }))

          OTHER = {"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}
"#;
    let found = documents("template.yaml", template);
    assert_eq!(found.len(), 3, "{found:?}");
    for (kind, action) in [
        ("trust", "sts:AssumeRole"),
        ("identity", "iot:*"),
        ("identity", "sqs:SendMessage"),
    ] {
        let hit = |d: &&String| d.starts_with(kind) && d.trim_end_matches('"').ends_with(action);
        assert!(found.iter().any(|d| hit(&d)), "{kind} {action} in {found:?}");
    }
    // Code of another language says nothing.
    let other = template.replace("python3.12", "nodejs20.x");
    assert_eq!(documents("template.yaml", &other), Vec::<String>::new());
}

#[test]
fn a_template_in_a_stack_is_read_once() {
    let text = r#"
resource "aws_cloudformation_stack" "s" {
  name        = "s"
  policy_body = jsonencode({ Statement = [{ Effect = "Allow", Action = "Update:*", Principal = "*", Resource = "*" }] })
  template_body = jsonencode({
    Parameters = { P = { Type = "String" } }
    Resources = { R = { Type = "AWS::IAM::ManagedPolicy", Properties = { PolicyDocument = {
      Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = { Ref = "P" } }]
    } } } }
  })
}
"#;
    assert_eq!(documents("main.tf", text), [r#"identity - R "sqs:SendMessage""#]);
}

/// The rules that report something in a policy file, with the rules that are folded into each.
fn reported_rules(text: &str) -> Vec<(String, Vec<String>)> {
    let json = Repository::new(&[("p.json", text)])
        .run(&["check", "--format", "json"])
        .json();
    let name = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    let found = json["findings"].as_array().unwrap().iter();
    found
        .map(|f| {
            (
                name(&f["rule"]),
                f["folded"].as_array().unwrap().iter().map(name).collect(),
            )
        })
        .collect()
}

#[test]
fn a_policy_that_is_longer_than_any_quota_is_told_whatever_it_is_for() {
    let policy = |buckets: usize| {
        let arns: Vec<String> = (0..buckets)
            .map(|n| format!(r#""arn:aws:s3:::reports-of-{n:04}/*""#))
            .collect();
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":[{}]}}]}}"#,
            arns.join(",")
        )
    };
    assert_eq!(reported_rules(&policy(300)), []);
    assert_eq!(
        reported_rules(&policy(400)),
        [("identity-policy-size".to_owned(), vec![])]
    );
}

#[test]
fn what_a_service_wildcard_does_not_reach_is_said_with_it() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::reports","arn:aws:s3:::reports/*"]}]}"#;
    let found = reported_rules(policy);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "service-wildcard");
    assert!(found[0].1.contains(&"resource-action-mismatch".to_owned()), "{found:?}");
}

#[test]
fn all_resources_but_a_few_are_as_wide_as_all() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SetQueueAttributes","NotResource":"arn:aws:sqs:eu-west-1:111122223333:jobs"}]}"#;
    let found = reported_rules(policy);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "allow-not-resource");
    assert!(found[0].1.contains(&"write-actions-on-star".to_owned()), "{found:?}");
}

#[test]
fn recorded_calls_of_the_api_grant_nothing_here() {
    let admin = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    let text = serde_json::Value::from(admin).to_string();
    let event = |key: &str, document: &str| {
        format!(
            r#"{{"eventSource": "iam.amazonaws.com", "{key}": "PutRolePolicy", "requestParameters": {{"policyDocument": {document}}}}}"#
        )
    };
    for (key, expected) in [("eventName", 0), ("name", 1)] {
        for document in [admin, &text] {
            let one = event(key, document);
            for (path, file) in [
                ("e.json", one.clone()),
                (
                    "e.json",
                    format!(r#"[{{"data": {{"Records": [{one}]}}, "log": "cloudtrail"}}]"#),
                ),
                (
                    "e.yaml",
                    format!(
                        r"- name: test
  log: {one}
"
                    ),
                ),
                (
                    "e.py",
                    format!(
                        r#"import boto3
EVENT = {{"detail": {one}}}
"#
                    ),
                ),
                (
                    "main.tf",
                    format!(
                        r"locals {{
  event = {{ detail = {one} }}
}}
"
                    ),
                ),
                (
                    "main.tf",
                    format!(
                        r"locals {{
  event = jsonencode({{ detail = {one} }})
}}
"
                    ),
                ),
            ] {
                let r = Repository::new(&[(path, &file)]);
                let ran = r.run(&["check", "-f", "json", "--only", "admin-star-star"]);
                assert_eq!(ran.rules().len(), expected, "{path}: {file}");
            }
        }
    }
}
