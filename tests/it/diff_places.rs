//! Which token, which resources, and which subject a change of `diff` is said of.

use serde_json::Value;

use crate::support::diff::{compared_sides, sides, words};
use crate::support::repository::Repository;

/// A role in a module, with what stands before it and the actions and resources of its policy.
fn role(before: &str, actions: &str, resources: &str) -> String {
    format!(
        r#"{before}
resource "aws_iam_role" "r" {{
  name               = "r"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [
    {{ Effect = "Allow", Principal = {{ Service = "ec2.amazonaws.com" }}, Action = "sts:AssumeRole" }}] }})
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [
    {{ Effect = "Allow", Action = {actions}, Resource = {resources} }}] }})
}}
"#
    )
}

fn folders(path: &str, old: &str, new: &str) -> Repository {
    sides(&[(path, old)], &[(path, new)])
}

fn compared(path: &str, old: &str, new: &str) -> Value {
    compared_sides(&folders(path, old, new))
}

/// `actions on resources` of each change, with its severity.
fn said(json: &Value, list: &str) -> Vec<String> {
    let all = json[list].as_array().unwrap().iter();
    all.map(|c| {
        let severity = c["severity"].as_str().unwrap();
        format!("{} on {} ({severity})", words(&c["actions"]), words(&c["resources"]))
    })
    .collect()
}

/// The text at the place of the only change.
fn token(r: &Repository, json: &Value, list: &str) -> String {
    let [change] = json[list].as_array().unwrap().as_slice() else {
        panic!("{json:#}");
    };
    let text = r.read(change["path"].as_str().unwrap());
    let at = |end: &str| usize::try_from(change["span"][end]["offset"].as_u64().unwrap()).unwrap();
    text[at("start")..at("end")].to_owned()
}

#[test]
fn each_action_is_on_the_resources_that_it_is_new_on() {
    let bucket = r#"["arn:aws:s3:::b", "arn:aws:s3:::b/*"]"#;
    let (old, new) = (
        role("", r#""s3:GetObject""#, bucket),
        role("", r#"["s3:GetObject", "s3:ListBucket", "s3:DeleteObject"]"#, bucket),
    );
    let json = compared("main.tf", &old, &new);
    let both = [
        "s3:DeleteObject on arn:aws:s3:::b/* (medium)",
        "s3:ListBucket on arn:aws:s3:::b (low)",
    ];
    assert_eq!(said(&json, "gained"), both);
    assert_eq!(said(&compared("main.tf", &new, &old), "lost"), both);
    let r = folders("main.tf", &old, &new);
    let text = r.run(&["diff", "old", "new"]).out;
    let sentence = "gains `s3:DeleteObject` on `arn:aws:s3:::b/*`, and `s3:ListBucket` on";
    assert!(text.contains(sentence), "{text}");
    // What is one entry of the list is counted as one.
    assert!(text.contains("\n1 gained, 0 lost, 0 unknown"), "{text}");
    for format in ["markdown", "github"] {
        let text = r.run(&["diff", "old", "new", "--format", format]).out;
        assert!(text.contains("`s3:ListBucket` on `arn:aws:s3:::b`"), "{text}");
    }
}

#[test]
fn groups_of_actions_are_cut_and_counted() {
    let resources = r#"["arn:aws:s3:::b", "arn:aws:s3:::b/*", "arn:aws:sqs:eu-west-1:111122223333:q",
      "arn:aws:sns:eu-west-1:111122223333:t", "arn:aws:kms:eu-west-1:111122223333:key/k"]"#;
    let actions = r#"["s3:PutObject", "s3:ListBucket", "sqs:SendMessage", "sns:Publish", "kms:Decrypt"]"#;
    let old = role("", r#""s3:GetObject""#, "\"*\"");
    let r = folders("main.tf", &old, &role("", actions, resources));
    let json = r.run(&["diff", "old", "new", "--format", "json"]).json();
    assert_eq!(said(&json, "gained").len(), 5, "{json:#}");
    let text = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    assert!(text.contains("; and 2 others on other resources"), "{text}");
}

#[test]
fn patterns_with_colons_and_types_that_share_an_action_are_all_shown() {
    let cases = [
        (
            "logs:PutLogEvents",
            "logs:DeleteLogGroup",
            [
                "arn:aws:logs:eu-west-1:111122223333:log-group:/a:*",
                "arn:aws:logs:eu-west-1:111122223333:log-group:/b:*",
            ],
        ),
        (
            "elasticloadbalancing:SetSubnets",
            "elasticloadbalancing:AddTags",
            [
                "arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*",
                "arn:aws:elasticloadbalancing:*:*:targetgroup/*",
            ],
        ),
    ];
    for (before, action, [a, b]) in cases {
        let resources = format!("[\"{a}\", \"{b}\"]");
        let old = role("", &format!("[\"{before}\"]"), &resources);
        let new = role("", &format!("[\"{before}\", \"{action}\"]"), &resources);
        let json = compared("main.tf", &old, &new);
        assert_eq!(said(&json, "gained"), [format!("{action} on {a} {b} (medium)")]);
    }
}

#[test]
fn the_label_is_on_what_was_added_to_a_list() {
    let json = |actions: &str, resources: &str, principals: &str, values: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": [{principals}]}},
  "Action": [{actions}], "Resource": [{resources}], "Condition": {{"StringEquals": {{"aws:SourceVpc": [{values}]}}}}}}]}}"#
        )
    };
    let yaml = |actions: &str, resources: &str, principals: &str, values: &str| {
        format!(
            "Resources:\n  P:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: b\n      PolicyDocument:\n        \
             Version: '2012-10-17'\n        Statement:\n        - Effect: Allow\n          Principal: {{AWS: [{principals}]}}\n          \
             Action: [{actions}]\n          Resource: [{resources}]\n          Condition: {{StringEquals: {{'aws:SourceVpc': \
             [{values}]}}}}\n"
        )
    };
    let encoded = |actions: &str, resources: &str, principals: &str, values: &str| {
        format!(
            "resource \"aws_s3_bucket_policy\" \"p\" {{\n  bucket = \"b\"\n  policy = jsonencode({{\n    Version = \"2012-10-17\"\n    \
             Statement = [{{ Effect = \"Allow\", Principal = {{ AWS = [{principals}] }}, Action = [{actions}], Resource = \
             [{resources}], Condition = {{ StringEquals = {{ \"aws:SourceVpc\" = [{values}] }} }} }}]\n  }})\n}}\n"
        )
    };
    let data = |actions: &str, resources: &str, principals: &str, values: &str| {
        format!(
            "data \"aws_iam_policy_document\" \"p\" {{\n  statement {{\n    actions = [{actions}]\n    resources = [{resources}]\n    \
             principals {{\n      type = \"AWS\"\n      identifiers = [{principals}]\n    }}\n    condition {{\n      test = \
             \"StringEquals\"\n      variable = \"aws:SourceVpc\"\n      values = [{values}]\n    }}\n  }}\n}}\nresource \
             \"aws_s3_bucket_policy\" \"p\" {{\n  bucket = \"b\"\n  policy = data.aws_iam_policy_document.p.json\n}}\n"
        )
    };
    type Form<'f> = &'f dyn Fn(&str, &str, &str, &str) -> String;
    let forms: [(&str, Form<'_>); 4] = [
        ("p.json", &json),
        ("t.yaml", &yaml),
        ("main.tf", &encoded),
        ("data.tf", &data),
    ];
    let lists = [
        [
            r#""s3:GetObject""#,
            r#""s3:GetObject", "s3:PutObject""#,
            r#""s3:PutObject""#,
        ],
        [
            r#""arn:aws:s3:::b/x""#,
            r#""arn:aws:s3:::b/x", "arn:aws:s3:::b/y""#,
            r#""arn:aws:s3:::b/y""#,
        ],
        [
            r#""arn:aws:iam::111122223333:role/a""#,
            r#""arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b""#,
            r#""arn:aws:iam::111122223333:role/b""#,
        ],
        [r#""vpc-1""#, r#""vpc-1", "vpc-2""#, r#""vpc-2""#],
    ];
    for (path, form) in forms {
        for (changed, [_, _, expected]) in lists.iter().enumerate() {
            let of = |side: usize| -> Vec<&str> {
                let each = lists.iter().enumerate();
                each.map(|(at, list)| list[if at == changed { side } else { 0 }])
                    .collect()
            };
            let text = |side| {
                let [a, b, c, d] = of(side)[..] else { unreachable!() };
                form(a, b, c, d)
            };
            let r = folders(path, &text(0), &text(1));
            let found = r.run(&["diff", "old", "new", "--format", "json"]).json();
            assert_eq!(token(&r, &found, "gained"), *expected, "{path}: {found:#}");
            let found = r.run(&["diff", "new", "old", "--format", "json"]).json();
            assert_eq!(token(&r, &found, "lost"), *expected, "{path}: {found:#}");
        }
    }
}

#[test]
fn an_arn_of_a_resource_with_a_suffix_is_known() {
    let group =
        |rest: &str| format!("resource \"aws_cloudwatch_log_group\" \"g\" {{\n{rest}\n}}\nvariable \"n\" {{}}\n");
    let cases = [
        (
            group("name = \"/a\""),
            "aws_cloudwatch_log_group.g.arn",
            ":*",
            "logs:DeleteLogGroup",
        ),
        (
            group("name = var.n"),
            "aws_cloudwatch_log_group.g.arn",
            ":*",
            "logs:DeleteLogGroup",
        ),
        (
            group("name_prefix = \"a\""),
            "aws_cloudwatch_log_group.g.arn",
            ":*",
            "logs:DeleteLogGroup",
        ),
        (
            group("count = 2\nname = \"a${count.index}\""),
            "aws_cloudwatch_log_group.g[1].arn",
            ":*",
            "logs:DeleteLogGroup",
        ),
        (
            group("for_each = var.n\nname = each.key"),
            "aws_cloudwatch_log_group.g[\"k\"].arn",
            ":*",
            "logs:DeleteLogGroup",
        ),
        ("variable \"arn\" {}".to_owned(), "var.arn", ":*", "logs:DeleteLogGroup"),
        (
            "resource \"aws_s3_bucket\" \"b\" {\n  bucket = var.n\n}\nvariable \"n\" {}\n".to_owned(),
            "aws_s3_bucket.b.arn",
            "/*",
            "s3:DeleteObject",
        ),
        (
            "resource \"aws_dynamodb_table\" \"t\" {\n  name = \"t\"\n}\n".to_owned(),
            "aws_dynamodb_table.t.arn",
            "/index/*",
            "dynamodb:Query",
        ),
        (
            "resource \"aws_sfn_state_machine\" \"m\" {\n  name = \"m\"\n}\n".to_owned(),
            "aws_sfn_state_machine.m.arn",
            "",
            "states:DeleteStateMachine",
        ),
        (
            "resource \"aws_secretsmanager_secret\" \"s\" {\n  name = \"s\"\n}\n".to_owned(),
            "aws_secretsmanager_secret.s.arn",
            "-??????",
            "secretsmanager:DeleteSecret",
        ),
    ];
    for (before, reference, suffix, action) in cases {
        let on = format!("\"${{{reference}}}{suffix}\"");
        let old = role(&before, "[\"sqs:SendMessage\"]", &on);
        let new = role(&before, &format!("[\"sqs:SendMessage\", \"{action}\"]"), &on);
        let json = compared("main.tf", &old, &new);
        assert_eq!(said(&json, "gained").len(), 1, "{reference}: {json:#}");
        assert!(
            !json.to_string().contains("no resource of these"),
            "{reference}: {json:#}"
        );
    }
}

#[test]
fn the_arn_of_a_log_group_of_cloudformation_is_that_of_its_streams() {
    let template = |actions: &str, on: &str| {
        format!(
            "Resources:\n  G:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      LogGroupName: /a\n  R:\n    Type: AWS::IAM::Role\n    \
             Properties:\n      RoleName: r\n      AssumeRolePolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, \
             Principal: {{Service: ec2.amazonaws.com}}, Action: 'sts:AssumeRole'}}]}}\n      Policies:\n      - PolicyName: p\n        \
             PolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: [{actions}], Resource: {on}}}]}}\n"
        )
    };
    let json = compared(
        "t.yaml",
        &template("'logs:PutLogEvents'", "!GetAtt G.Arn"),
        &template("'logs:PutLogEvents', 'logs:DeleteLogGroup'", "!GetAtt G.Arn"),
    );
    let group = "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:/a:*";
    assert_eq!(
        said(&json, "gained"),
        [format!("logs:DeleteLogGroup on {group} (medium)")]
    );
}

#[test]
fn any_resource_is_more_than_one_thing() {
    let module = "module \"x\" {\n  source = \"a/b/c\"\n}\n";
    let both = r#"[module.x.arn, "${module.x.arn}/*"]"#;
    let read = r#"["s3:GetObject", "s3:ListBucket"]"#;
    let one = role(module, read, both);
    for many in ["[\"*\"]", "\"arn:aws:s3:::*\""] {
        let all = role(module, read, many);
        let json = compared("main.tf", &one, &all);
        assert_eq!(said(&json, "gained").len(), 1, "{json:#}");
        assert_eq!(json["unknown"], serde_json::json!([]), "{json:#}");
        let json = compared("main.tf", &all, &one);
        assert_eq!(said(&json, "lost").len(), 1, "{json:#}");
    }
    // It may be this bucket; and an input may be anything.
    let json = compared("main.tf", &one, &role(module, read, "\"arn:aws:s3:::b/*\""));
    assert_eq!(said(&json, "gained"), [""; 0], "{json:#}");
    let input = "variable \"resources\" {}\n";
    let json = compared(
        "main.tf",
        &role(input, read, "var.resources"),
        &role(input, read, "\"*\""),
    );
    assert_eq!(said(&json, "gained"), [""; 0], "{json:#}");
    assert!(json["unknown"].as_array().is_some_and(|u| !u.is_empty()), "{json:#}");
}

#[test]
fn entries_of_objects_with_unknown_keys_are_told_apart() {
    let text = |services: &str| {
        format!(
            r#"data "tfe_outputs" "g" {{}}
locals {{
  repos = distinct(concat(["z", "a"], data.tfe_outputs.g.nonsensitive_values.names))
  m     = {{ for repo in local.repos : KEY => repo }}
}}
resource "aws_ecr_repository" "r" {{
  for_each = toset(local.repos)
  name     = "x/${{each.key}}"
}}
data "aws_iam_policy_document" "d" {{
  for_each = local.m
  dynamic "statement" {{
    for_each = contains(["a"], each.value) ? [each.key] : []
    content {{
      actions = ["ecr:BatchGetImage"]
      principals {{
        type        = "Service"
        identifiers = [{services}]
      }}
    }}
  }}
}}
resource "aws_ecr_repository_policy" "p" {{
  for_each   = local.m
  repository = each.key
  policy     = data.aws_iam_policy_document.d[each.key].json
}}
"#
        )
    };
    let (old, new) = (
        text("\"lambda.amazonaws.com\""),
        text("\"lambda.amazonaws.com\", \"sagemaker.amazonaws.com\""),
    );
    for key in [
        "aws_ecr_repository.r[repo].name",
        "aws_ecr_repository.r[repo].arn",
        "uuid()",
        "data.tfe_outputs.g[repo]",
    ] {
        let json = compared("main.tf", &old.replace("KEY", key), &new.replace("KEY", key));
        let gained = json["gained"].as_array().unwrap();
        assert!(!gained.is_empty(), "{key}: {json:#}");
        let added = serde_json::json!(["sagemaker.amazonaws.com"]);
        assert!(gained.iter().all(|g| g["principals"] == added), "{key}: {json:#}");
    }
}

#[test]
fn a_subject_of_several_folders_is_named_with_its_own() {
    let r = Repository::new(&[]);
    for (side, action) in [("old", "s3:GetObject"), ("new", "s3:PutObject")] {
        for folder in ["examples/a", "examples/b"] {
            let text = role("", &format!("\"{action}\""), "\"arn:aws:s3:::b/*\"");
            r.write(&format!("{side}/{folder}/main.tf"), text.as_bytes());
        }
    }
    let json = r.run(&["diff", "old", "new", "--format", "json"]).json();
    let subjects: Vec<&Value> = json["gained"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["subject"])
        .collect();
    assert_eq!(subjects, ["aws_iam_role.r (examples/a)", "aws_iam_role.r (examples/b)"]);
}

#[test]
fn a_policy_that_is_not_attached_allows() {
    let policy = |action: &str| {
        format!(
            "data \"aws_iam_policy_document\" \"d\" {{\n  statement {{\n    actions = [\"{action}\"]\n    resources = [\"*\"]\n  }}\n}}\n"
        )
    };
    let r = folders("main.tf", &policy("s3:GetObject"), &policy("s3:PutObject"));
    let text = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    for sentence in [
        "`data.aws_iam_policy_document.d` (not attached here) allows `s3:PutObject`",
        "`data.aws_iam_policy_document.d` (not attached here) no longer allows `s3:GetObject`",
    ] {
        assert!(text.contains(sentence), "{text}");
    }
}
