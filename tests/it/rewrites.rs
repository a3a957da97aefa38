//! The same policy in other words has no difference, and a wider or narrower one has it on the word that was changed.
//!
//! All cases of a test are folders of two trees, which are compared at once.

use std::collections::BTreeMap;

use overgrant::internals::iam::actions::matching;
use serde_json::{Value, json};

use crate::support::repository::Repository;

/// A line of a `Condition` block: operator, key, values.
type Line = (&'static str, &'static str, &'static [&'static str]);

#[derive(Clone)]
struct Words {
    effect: &'static str,
    sid: Option<String>,
    actions: Vec<String>,
    resources: Vec<String>,
    lines: Vec<(String, String, Vec<String>)>,
    /// Lists of one item are written as the item.
    scalar: bool,
}

fn words(effect: &'static str, actions: &[&str], resources: &[&str], lines: &[Line]) -> Words {
    let own = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect();
    Words {
        effect,
        sid: None,
        actions: own(actions),
        resources: own(resources),
        lines: lines
            .iter()
            .map(|(o, k, v)| ((*o).to_owned(), (*k).to_owned(), own(v)))
            .collect(),
        scalar: false,
    }
}

/// What the first statement of a policy allows, what the second one does under a condition, and what is denied of the first.
struct Row(
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    Line,
    &'static str,
);

const ROWS: [Row; 17] = [
    Row(
        &["s3:GetObject", "s3:PutObject"],
        &["arn:aws:s3:::data/*", "arn:aws:s3:::logs/*"],
        &["sqs:SendMessage", "sqs:GetQueue*"],
        ("StringEquals", "aws:PrincipalOrgID", &["o-exampleorgid"]),
        "arn:aws:s3:::data/secret/*",
    ),
    Row(
        &["s3:Get*", "s3:PutObject", "s3:DeleteObject"],
        &["arn:aws:s3:::home/${aws:username}/*"],
        &["iam:ChangePassword", "iam:GetUser"],
        ("Bool", "aws:MultiFactorAuthPresent", &["true"]),
        "arn:aws:s3:::home/*/private/*",
    ),
    Row(
        &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGet*"],
        &["arn:aws:dynamodb:us-east-1:111122223333:table/orders"],
        &["kms:Decrypt", "kms:DescribeKey"],
        ("StringEquals", "kms:ViaService", &["dynamodb.us-east-1.amazonaws.com"]),
        "arn:aws:dynamodb:us-east-1:*:table/orders",
    ),
    Row(
        &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        &[
            "arn:aws:sqs:eu-west-1:111122223333:in",
            "arn:aws:sqs:eu-west-1:111122223333:out-*",
        ],
        &["sns:Publish", "sns:GetTopicAttributes"],
        ("ArnLike", "aws:SourceArn", &["arn:aws:s3:::uploads"]),
        "arn:aws:sqs:eu-west-1:111122223333:in",
    ),
    Row(
        &["lambda:InvokeFunction", "lambda:GetFunction"],
        &["arn:aws:lambda:us-east-1:111122223333:function:api-*"],
        &["ec2:StartInstances", "ec2:StopInstances"],
        ("StringEquals", "aws:ResourceTag/team", &["web", "data"]),
        "arn:aws:lambda:us-east-1:111122223333:function:api-admin",
    ),
    Row(
        &["iam:GetRole", "iam:ListRolePolicies"],
        &["arn:aws:iam::111122223333:role/app-*"],
        &["iam:PassRole", "iam:GetPolicy"],
        ("StringEquals", "iam:PassedToService", &["lambda.amazonaws.com"]),
        "arn:aws:iam::111122223333:role/app-admin",
    ),
    Row(
        &["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
        &["arn:aws:secretsmanager:us-east-1:111122223333:secret:app/*"],
        &["ssm:GetParameter", "ssm:GetParametersByPath"],
        ("IpAddress", "aws:SourceIp", &["203.0.113.0/24"]),
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/root-*",
    ),
    Row(
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        &["arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/api:*"],
        &["cloudwatch:PutMetricData", "cloudwatch:GetMetricData"],
        ("StringLike", "cloudwatch:namespace", &["App/*"]),
        "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/api:log-stream:x",
    ),
    Row(
        &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage"],
        &["arn:aws:ecr:us-east-1:111122223333:repository/app"],
        &["ecs:UpdateService", "ecs:DescribeServices"],
        (
            "ArnEquals",
            "ecs:cluster",
            &["arn:aws:ecs:us-east-1:111122223333:cluster/main"],
        ),
        "arn:aws:ecr:*:111122223333:repository/app",
    ),
    Row(
        &["ec2:RunInstances", "ec2:TerminateInstances"],
        &["arn:aws:ec2:us-east-1:111122223333:instance/*"],
        &["ec2:CreateTags", "ec2:DeleteTags"],
        ("StringNotEquals", "aws:RequestedRegion", &["eu-west-1", "eu-central-1"]),
        "arn:aws:ec2:us-east-1:111122223333:instance/i-0*",
    ),
    Row(
        &["kms:Encrypt", "kms:GenerateDataKey*"],
        &["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        &["s3:PutObject", "s3:AbortMultipartUpload"],
        ("StringEquals", "s3:x-amz-server-side-encryption", &["aws:kms"]),
        "arn:aws:kms:us-east-1:111122223333:key/*",
    ),
    Row(
        &["states:StartExecution", "states:DescribeStateMachine"],
        &["arn:aws:states:us-east-1:111122223333:stateMachine:orders"],
        &["events:PutRule", "events:PutTargets"],
        ("DateLessThan", "aws:CurrentTime", &["2099-01-01T00:00:00Z"]),
        "arn:aws:states:*:*:stateMachine:orders",
    ),
    Row(
        &["glue:GetTable", "glue:GetDatabase", "glue:GetPartition*"],
        &[
            "arn:aws:glue:us-east-1:111122223333:catalog",
            "arn:aws:glue:us-east-1:111122223333:database/sales",
            "arn:aws:glue:us-east-1:111122223333:table/sales/*",
        ],
        &["athena:StartQueryExecution", "athena:GetQueryResults"],
        ("StringEquals", "aws:PrincipalTag/team", &["data"]),
        "arn:aws:glue:us-east-1:111122223333:database/sales",
    ),
    Row(
        &["cloudformation:CreateStack", "cloudformation:UpdateStack"],
        &["arn:aws:cloudformation:us-east-1:111122223333:stack/app-*/*"],
        &["sts:AssumeRole", "sts:TagSession"],
        (
            "StringLike",
            "aws:PrincipalArn",
            &["arn:aws:iam::111122223333:role/ci-*"],
        ),
        "arn:aws:cloudformation:us-east-1:111122223333:stack/app-prod/*",
    ),
    Row(
        &["rds:StopDBInstance", "rds:StartDBInstance", "rds:Reboot*"],
        &["arn:aws:rds:us-east-1:111122223333:db:app"],
        &["rds:CreateDBSnapshot", "rds:AddTagsToResource"],
        ("StringEqualsIgnoreCase", "aws:ResourceTag/env", &["dev"]),
        "arn:aws:rds:us-east-1:111122223333:db:*",
    ),
    Row(
        &["codecommit:GitPull", "codecommit:GitPush"],
        &["arn:aws:codecommit:us-east-1:111122223333:app"],
        &["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
        ("StringEquals", "aws:SourceVpc", &["vpc-0abc"]),
        "arn:aws:codecommit:us-east-1:111122223333:app",
    ),
    Row(
        &["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
        &["arn:aws:route53:::hostedzone/Z1D633PJN98FT9"],
        &["acm:RequestCertificate", "acm:DescribeCertificate"],
        ("NumericLessThan", "s3:max-keys", &["100"]),
        "arn:aws:route53:::hostedzone/*",
    ),
];

impl Row {
    fn policy(&self) -> Vec<Words> {
        let Self(actions, resources, others, line, denied) = self;
        vec![
            words("Allow", actions, resources, &[]),
            words("Allow", others, &["*"], &[*line]),
            words("Deny", &actions[..2], &[denied], &[]),
        ]
    }
}

fn list(items: &[String], scalar: bool) -> Value {
    match items {
        [one] if scalar => json!(one),
        items => json!(items),
    }
}

fn policy(all: &[Words]) -> Value {
    let statement = |w: &Words| {
        let mut out = serde_json::Map::new();
        out.insert("Effect".into(), json!(w.effect));
        if let Some(sid) = &w.sid {
            out.insert("Sid".into(), json!(sid));
        }
        out.insert("Action".into(), list(&w.actions, w.scalar));
        out.insert("Resource".into(), list(&w.resources, w.scalar));
        let mut block = serde_json::Map::new();
        for (operator, key, values) in &w.lines {
            block.insert(operator.clone(), json!({key: list(values, w.scalar)}));
        }
        if !block.is_empty() {
            out.insert("Condition".into(), Value::Object(block));
        }
        Value::Object(out)
    };
    json!({"Version": "2012-10-17", "Statement": all.iter().map(statement).collect::<Vec<_>>()})
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Jsonencode,
    DataSource,
    Template,
    YamlTemplate,
}

const ROLE: &str = r#"resource "aws_iam_role" "app" {
  name               = "NAME"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "app" {
  role   = aws_iam_role.app.id
  policy = POLICY
}
"#;

fn role(name: &str, policy: &str) -> String {
    ROLE.replace("NAME", name).replace("POLICY", policy)
}

fn data_source(all: &[Words]) -> String {
    let mut out = "data \"aws_iam_policy_document\" \"app\" {\n".to_owned();
    let text = |t: &String| format!("{t:?}").replace("${", "&{");
    let texts = |all: &[String]| all.iter().map(text).collect::<Vec<_>>().join(", ");
    for w in all {
        out += "  statement {\n";
        if let Some(sid) = &w.sid {
            out += &format!("    sid = \"{sid}\"\n");
        }
        out += &format!(
            "    effect = \"{}\"\n    actions = [{}]\n    resources = [{}]\n",
            w.effect,
            texts(&w.actions),
            texts(&w.resources)
        );
        for (operator, key, values) in &w.lines {
            out += &format!(
                "    condition {{\n      test = \"{operator}\"\n      variable = \"{key}\"\n      values = [{}]\n    }}\n",
                texts(values)
            );
        }
        out += "  }\n";
    }
    out + "}\n"
}

fn template(name: &str, policy: &Value) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    ]});
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {"App": {"Type": "AWS::IAM::Role", "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": trust,
            "Policies": [{"PolicyName": "app", "PolicyDocument": policy}]
        }}}
    })
}

/// JSON as block YAML.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(text) => *out += &format!("{pad}{key}: {text:?}\n"),
                    value => {
                        *out += &format!("{pad}{key}:\n");
                        yaml(value, indent + 2, out);
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::String(text) => *out += &format!("{pad}- {text:?}\n"),
                    item => {
                        *out += &format!("{pad}-\n");
                        yaml(item, indent + 2, out);
                    }
                }
            }
        }
        other => *out += &format!("{pad}{other}\n"),
    }
}

/// Files of a folder.
type Files = Vec<(String, String)>;

fn files(form: Form, name: &str, all: &[Words]) -> Files {
    let (path, text) = match form {
        Form::Json => ("policy.json", pretty(&policy(all))),
        Form::Jsonencode => {
            let json = pretty(&policy(all)).replace("${", "$${");
            ("main.tf", role(name, &format!("jsonencode({json})")))
        }
        Form::DataSource => {
            let reference = role(name, "data.aws_iam_policy_document.app.json");
            ("main.tf", reference + &data_source(all))
        }
        Form::Template => ("template.json", pretty(&template(name, &policy(all)))),
        Form::YamlTemplate => {
            let mut text = String::new();
            yaml(&template(name, &policy(all)), 0, &mut text);
            ("template.yaml", text)
        }
    };
    vec![(path.to_owned(), text)]
}

/// What is written of a wildcard.
fn expanded(action: &str) -> Vec<String> {
    match action.contains('*') {
        true => matching(action).map(|a| a.name().to_owned()).collect(),
        false => vec![action.to_owned()],
    }
}

fn split(all: &[Words], of: fn(&mut Words) -> &mut Vec<String>) -> Vec<Words> {
    let mut out = Vec::new();
    for w in all {
        for item in of(&mut w.clone()).clone() {
            let mut one = w.clone();
            *of(&mut one) = vec![item];
            out.push(one);
        }
    }
    out
}

fn mixed_case(action: &str) -> String {
    let (prefix, name) = action.split_once(':').unwrap();
    format!("{}:{}", prefix.to_uppercase(), name.to_lowercase())
}

/// A policy in ten other ways, each with what it is compared with.
fn rewrites(form: Form, name: &str, all: &[Words]) -> Vec<(&'static str, Files, Files)> {
    let write = |all: &[Words]| files(form, name, all);
    let with = |change: &dyn Fn(&mut Words)| {
        let mut own = all.to_vec();
        own.iter_mut().for_each(change);
        write(&own)
    };
    let base = write(all);
    let reversed: Vec<Words> = all.iter().rev().cloned().collect();
    let moved: Files = match form {
        Form::Json | Form::Template | Form::YamlTemplate => {
            base.iter().map(|(p, t)| (format!("moved/{p}"), t.clone())).collect()
        }
        Form::Jsonencode | Form::DataSource => {
            let call = "module \"app\" {\n  source = \"./app\"\n}\n".to_owned();
            let files = base.iter().map(|(p, t)| (format!("app/{p}"), t.clone()));
            files.chain([("main.tf".to_owned(), call)]).collect()
        }
    };
    let other_form = match form {
        Form::Json => vec![("policy.json".to_owned(), policy(all).to_string())],
        Form::Jsonencode | Form::DataSource => files(Form::DataSource, name, all),
        Form::Template | Form::YamlTemplate => files(Form::YamlTemplate, name, all),
    };
    let first = &all[0].resources[0];
    let (head, tail) = first.split_at(12);
    let text = |change: &dyn Fn(&str) -> String| base.iter().map(|(p, t)| (p.clone(), change(t))).collect();
    let resolved: Files = match form {
        Form::Json => text(&|t| {
            t.replace("\"s3:", "\"\\u00733:")
                .replace("\"Effect\"", "\"\\u0045ffect\"")
        }),
        Form::Jsonencode | Form::DataSource => {
            let local = format!("locals {{\n  head = \"{head}\"\n}}\n");
            text(&|t| t.replace(&format!("\"{head}"), "\"${local.head}") + &local)
        }
        Form::Template | Form::YamlTemplate => text(&|t| {
            let join = format!("{{\"Fn::Join\": [\"\", [\"{head}\", \"{tail}\"]]}}");
            t.replace(&format!("\"{first}\""), &join)
        }),
    };
    vec![
        ("reordered", base.clone(), write(&reversed)),
        (
            "items reordered",
            base.clone(),
            with(&|w| {
                w.actions.reverse();
                w.resources.reverse();
            }),
        ),
        ("split", base.clone(), write(&split(all, |w| &mut w.actions))),
        ("merged", write(&split(all, |w| &mut w.resources)), base.clone()),
        (
            "expanded",
            base.clone(),
            with(&|w| w.actions = w.actions.iter().flat_map(|a| expanded(a)).collect()),
        ),
        ("other form", base.clone(), other_form),
        ("moved", base.clone(), moved),
        (
            "named",
            base.clone(),
            with(&|w| w.sid = Some(format!("{}Some", w.effect))),
        ),
        ("scalars", base.clone(), with(&|w| w.scalar = true)),
        (
            "case",
            base.clone(),
            with(&|w| w.actions.iter_mut().for_each(|a| *a = mixed_case(a))),
        ),
        ("resolved", base, resolved),
    ]
}

/// The cases of a test: a name, OLD, and NEW.
fn compared(cases: &[(String, Files, Files)]) -> (Repository, Value) {
    let r = Repository::new(&[]);
    for (name, old, new) in cases {
        for (side, files) in [("old", old), ("new", new)] {
            for (path, text) in files {
                r.write(&format!("{side}/{name}/{path}"), text.as_bytes());
            }
        }
    }
    let json = r.run(&["diff", "old", "new", "--format", "json"]).json();
    (r, json)
}

const FORMS: [(Form, &str); 3] = [
    (Form::Json, "json"),
    (Form::Jsonencode, "terraform"),
    (Form::Template, "cloudformation"),
];

fn documents() -> impl Iterator<Item = (Form, String, Vec<Words>)> {
    FORMS.into_iter().flat_map(|(form, of)| {
        let named = move |(n, row): (usize, &Row)| (form, format!("{of}{n}"), row.policy());
        ROWS.iter().enumerate().map(named)
    })
}

#[test]
fn rewrites_have_no_difference() {
    let mut cases = Vec::new();
    for (form, name, all) in documents() {
        for (n, (_, old, new)) in rewrites(form, &format!("{name}-NUMBER"), &all).into_iter().enumerate() {
            let case = format!("{name}-{n}");
            let own = |files: Files| -> Files {
                let fill = |(path, text): (String, String)| (path, text.replace(&format!("{name}-NUMBER"), &case));
                files.into_iter().map(fill).collect()
            };
            cases.push((case.clone(), own(old), own(new)));
        }
    }
    assert!(cases.len() > 500);
    let (_, json) = compared(&cases);
    for list in ["gained", "lost", "unknown", "opened", "closed", "errors"] {
        let all = json[list].as_array().unwrap();
        assert!(all.is_empty(), "{list}: {}\n{:#?}", all.len(), &all[..all.len().min(3)]);
    }
}

/// What was changed, and the texts of which one is marked; none where only the statement is known: by its number.
struct Widening {
    name: &'static str,
    policy: Vec<Words>,
    tokens: Vec<String>,
    statement: usize,
}

fn widenings(all: &[Words]) -> Vec<Widening> {
    let mut out = Vec::new();
    let mut add = |name, statement: usize, tokens: &[&str], change: &dyn Fn(&mut Vec<Words>)| {
        let mut policy = all.to_vec();
        change(&mut policy);
        out.push(Widening {
            name,
            policy,
            tokens: tokens.iter().map(|t| (*t).to_owned()).collect(),
            statement,
        });
    };
    let service = all[0].actions[0].split(':').next().unwrap();
    let any = format!("{service}:*");
    let other = if service == "s3" {
        "sqs:PurgeQueue"
    } else {
        "s3:DeleteBucket"
    };
    add("action", 0, &[other], &|p| {
        p[0].actions.push(other.to_owned());
        p[0].resources.push("arn:aws:s3:::other".to_owned());
        p[0].resources
            .push("arn:aws:sqs:us-east-1:111122223333:other".to_owned());
    });
    add("wildcard", 0, &[&any], &|p| {
        *p[0].actions.last_mut().unwrap() = any.clone()
    });
    add("all resources", 0, &["*"], &|p| p[0].resources = vec!["*".to_owned()]);
    add("no condition", 1, &[], &|p| p[1].lines.clear());
    add("statement", 3, &["iam:CreateUser", "*"], &|p| {
        p.push(words("Allow", &["iam:CreateUser"], &["*"], &[]));
    });
    add("no denial", 0, &[], &|p| drop(p.remove(2)));
    add("smaller denial", 0, &[], &|p| drop(p[2].actions.remove(0)));
    let line = (
        "Bool".to_owned(),
        "aws:SecureTransport".to_owned(),
        vec!["false".to_owned()],
    );
    add("denial with a condition", 0, &[], &|p| p[2].lines.push(line.clone()));
    add("another action", 1, &["sns:*"], &|p| {
        p[1].actions.push("sns:*".to_owned())
    });
    add("everything", 0, &["*"], &|p| {
        p[0].actions = vec!["*".to_owned()];
    });
    out
}

/// Lines of the n-th statement: from its effect to the next one. The first effect of a file with a role is that of its trust.
fn lines_of(text: &str, form: Form, n: usize) -> (u64, u64) {
    let skipped = usize::from(form != Form::Json);
    let effects = text.lines().enumerate().filter(|(_, l)| l.contains("Effect"));
    let starts: Vec<u64> = effects.map(|(at, _)| at as u64 + 1).skip(skipped).collect();
    (starts[n], starts.get(n + 1).copied().unwrap_or(u64::MAX))
}

fn check_changes(list: &str, side: &str, pairs: impl Fn(Files, Files) -> (Files, Files)) {
    let mut cases = Vec::new();
    let mut expected = BTreeMap::new();
    for (form, name, all) in documents() {
        for (n, widening) in widenings(&all).into_iter().enumerate() {
            let case = format!("{name}-{n}");
            let (old, new) = pairs(files(form, &case, &all), files(form, &case, &widening.policy));
            cases.push((case.clone(), old, new));
            expected.insert(case, (form, widening));
        }
    }
    let (r, json) = compared(&cases);
    let mut found: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for change in json[list].as_array().unwrap() {
        let path = change["path"].as_str().unwrap();
        let rest = path.strip_prefix(side).unwrap_or_else(|| panic!("{path}"));
        found.entry(rest.split('/').next().unwrap()).or_default().push(change);
    }
    let mut wrong = Vec::new();
    for (case, (form, widening)) in &expected {
        let Some(changes) = found.get(&**case) else {
            wrong.push(format!("{case} {}: nothing", widening.name));
            continue;
        };
        let fits = |change: &&&Value| {
            let text = r.read(change["path"].as_str().unwrap());
            let at = |end: &str, what: &str| change["span"][end][what].as_u64().unwrap();
            let token = &text[at("start", "offset") as usize..at("end", "offset") as usize];
            let (first, next) = lines_of(&text, *form, widening.statement);
            let is_within = (first..next).contains(&at("start", "line"));
            let tokens = &widening.tokens;
            is_within && (tokens.is_empty() || tokens.iter().any(|t| token == format!("\"{t}\"")))
        };
        if !changes.iter().any(|c| fits(&c)) {
            let said: Vec<&Value> = changes.iter().map(|c| &c["message"]).collect();
            wrong.push(format!("{case} {}: {said:?} {}", widening.name, changes[0]["span"]));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n")
    );
}

#[test]
fn what_is_wider_is_gained_at_the_word() {
    check_changes("gained", "new/", |base, wide| (base, wide));
}

#[test]
fn what_is_narrower_is_lost_at_the_word() {
    check_changes("lost", "old/", |base, wide| (wide, base));
}
