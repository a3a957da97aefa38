//! Forty principals: half are administrators in ways that are hard to see, half only look like it.

use crate::support::repository::Repository;

const ALL: &str = r#"{ Effect = "Allow", Action = "*", Resource = "*" }"#;

/// A user with what comes after it; `U` in it is the user's name.
fn user(name: &str, rest: &str) -> String {
    let rest = rest
        .replace("U_", &format!("{name}_"))
        .replace("aws_iam_user.U", &format!("aws_iam_user.{name}"));
    format!("resource \"aws_iam_user\" \"{name}\" {{\n  name = \"{name}\"\n}}\n{rest}\n")
}

fn inline(name: &str, statements: &str) -> String {
    user(
        name,
        &format!(
            "resource \"aws_iam_user_policy\" \"U_p\" {{\n  user = aws_iam_user.U.name\n  policy = jsonencode({{ Version = \
             \"2012-10-17\", Statement = [{statements}] }})\n}}"
        ),
    )
}

fn attached(name: &str, arn: &str) -> String {
    user(
        name,
        &format!(
            "resource \"aws_iam_user_policy_attachment\" \"U_a\" {{\n  user = aws_iam_user.U.name\n  policy_arn = {arn}\n}}"
        ),
    )
}

/// A user in a group with this.
fn in_group(name: &str, group: &str) -> String {
    let group = group.replace("aws_iam_group.U", &format!("aws_iam_group.{name}"));
    user(
        name,
        &format!(
            "resource \"aws_iam_group\" \"{name}\" {{\n  name = \"{name}\"\n}}\nresource \"aws_iam_user_group_membership\" \
             \"U_m\" {{\n  user = aws_iam_user.U.name\n  groups = [aws_iam_group.{name}.name]\n}}\n{group}"
        ),
    )
}

fn bounded(name: &str, boundary: &str, rest: &str) -> String {
    inline(name, rest).replace(
        &format!("  name = \"{name}\"\n"),
        &format!("  name = \"{name}\"\n  permissions_boundary = {boundary}\n"),
    )
}

fn managed(name: &str, statements: &str) -> String {
    format!(
        "resource \"aws_iam_policy\" \"{name}\" {{\n  name = \"{name}\"\n  policy = jsonencode({{ Version = \"2012-10-17\", \
         Statement = [{statements}] }})\n}}\n"
    )
}

const ADMINISTRATOR: &str = "\"arn:aws:iam::aws:policy/AdministratorAccess\"";

fn administrators() -> Vec<(&'static str, String)> {
    let group_inline = format!(
        "resource \"aws_iam_group_policy\" \"U_g\" {{\n  group = aws_iam_group.U.name\n  policy = jsonencode({{ Version = \
         \"2012-10-17\", Statement = [{ALL}] }})\n}}"
    );
    let group_attached = format!(
        "resource \"aws_iam_group_policy_attachment\" \"U_g\" {{\n  group = aws_iam_group.U.name\n  policy_arn = \
         {ADMINISTRATOR}\n}}"
    );
    vec![
        ("a01", attached("a01", ADMINISTRATOR)),
        ("a02", in_group("a02", &group_inline)),
        ("a03", in_group("a03", &group_attached)),
        ("a04", attached("a04", "aws_iam_policy.all.arn") + &managed("all", ALL)),
        (
            "a05",
            inline(
                "a05",
                r#"{ Effect = "Allow", NotAction = "aws-portal:ViewBilling", Resource = "*" }"#,
            ),
        ),
        (
            "a06",
            inline(
                "a06",
                r#"{ Effect = "Allow", Action = ["*"], Resource = ["arn:aws:s3:::a", "*"] }"#,
            ),
        ),
        (
            "a07",
            inline(
                "a07",
                r#"{ Effect = "Allow", Action = ["a*", "b*", "c*", "d*", "e*", "f*", "g*", "h*", "i*", "j*", "k*", "l*", "m*", "n*", "o*", "p*", "q*", "r*", "s*", "t*", "u*", "v*", "w*", "x*", "y*", "z*"], Resource = "*" }"#,
            ),
        ),
        (
            "a08",
            inline(
                "a08",
                r#"{ Effect = "Allow", NotAction = "iam:*", Resource = "*" }, { Effect = "Allow", Action = "iam:*", Resource = "*" }"#,
            ),
        ),
        (
            "a09",
            inline(
                "a09",
                r#"{ Effect = "Allow", Action = "*", Resource = "*", Condition = { StringLike = { "aws:PrincipalArn" = "*" } } }"#,
            ),
        ),
        (
            "a10",
            inline(
                "a10",
                &format!(
                    "{ALL}, {{ Effect = \"Deny\", Action = \"*\", Resource = \"*\", Condition = {{ DateLessThan = {{ \"aws:CurrentTime\" = \"2001-01-01T00:00:00Z\" }} }} }}"
                ),
            ),
        ),
        ("a11", bounded("a11", ADMINISTRATOR, ALL)),
        (
            "a12",
            bounded("a12", "aws_iam_policy.wide.arn", ALL) + &managed("wide", ALL),
        ),
        (
            "a13",
            inline("a13", "local.everything") + &format!("locals {{\n  everything = {ALL}\n}}\n"),
        ),
        (
            "a14",
            user(
                "a14",
                "resource \"aws_iam_user_policy_attachment\" \"U_a\" {\n  for_each = toset([\"AdministratorAccess\"])\n  user = aws_iam_user.U.name\n  policy_arn = \"arn:aws:iam::aws:policy/${each.value}\"\n}",
            ),
        ),
        (
            "a15",
            user(
                "a15",
                "resource \"aws_iam_user_policy\" \"U_p\" {\n  user = aws_iam_user.U.name\n  policy = data.aws_iam_policy_document.U_d.json\n}\ndata \"aws_iam_policy_document\" \"U_d\" {\n  statement {\n    actions = [\"*\"]\n    resources = [\"*\"]\n  }\n}",
            ),
        ),
        (
            "a16",
            user(
                "a16",
                "resource \"aws_iam_user_policy\" \"U_p\" {\n  user = \"a16\"\n  policy = \"{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"*\\\",\\\"Resource\\\":\\\"*\\\"}}\"\n}",
            ),
        ),
        (
            "a17",
            user(
                "a17",
                &format!(
                    "resource \"aws_iam_policy_attachment\" \"U_a\" {{\n  name = \"x\"\n  users = [aws_iam_user.U.name]\n  policy_arn = {ADMINISTRATOR}\n}}"
                ),
            ),
        ),
        (
            "a18",
            inline("a18", r#"{ Effect = "Allow", Action = "*:*", Resource = "*" }"#),
        ),
        (
            "a19",
            inline("a19", r#"{ Effect = "Allow", Action = "**", Resource = "**" }"#),
        ),
        (
            "a20",
            attached("a20", "\"arn:aws:iam::aws:policy/PowerUserAccess\"").replace("a20_a", "a20_b")
                + "resource \"aws_iam_user_policy_attachment\" \"a20_i\" {\n  user = aws_iam_user.a20.name\n  policy_arn = \"arn:aws:iam::aws:policy/IAMFullAccess\"\n}\n",
        ),
    ]
}

fn others() -> Vec<(&'static str, String)> {
    let deny = r#"{ Effect = "Deny", Action = "*", Resource = "*" }"#;
    let read = r#"{ Effect = "Allow", Action = "s3:Get*", Resource = "*" }"#;
    let group_deny = format!(
        "resource \"aws_iam_group_policy\" \"U_g\" {{\n  group = aws_iam_group.U.name\n  policy = jsonencode({{ Version = \
         \"2012-10-17\", Statement = [{deny}] }})\n}}\nresource \"aws_iam_user_policy\" \"b03_p\" {{\n  user = \
         aws_iam_user.b03.name\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{ALL}] }})\n}}"
    );
    let conditioned = |condition: &str| {
        format!("{{ Effect = \"Allow\", Action = \"*\", Resource = \"*\", Condition = {{ {condition} }} }}")
    };
    vec![
        ("b01", inline("b01", &format!("{ALL}, {deny}"))),
        ("b02", bounded("b02", "\"arn:aws:iam::aws:policy/ReadOnlyAccess\"", ALL)),
        ("b03", in_group("b03", &group_deny)),
        (
            "b04",
            bounded("b04", "aws_iam_policy.narrow.arn", ALL) + &managed("narrow", read),
        ),
        (
            "b05",
            inline("b05", r#"{ Effect = "Allow", NotAction = "*", Resource = "*" }"#),
        ),
        (
            "b06",
            inline("b06", r#"{ Effect = "Allow", Action = "*", NotResource = "*" }"#),
        ),
        (
            "b07",
            inline(
                "b07",
                &conditioned(r#"DateLessThan = { "aws:CurrentTime" = "2001-01-01T00:00:00Z" }"#),
            ),
        ),
        (
            "b08",
            inline(
                "b08",
                r#"{ Effect = "Allow", Action = "*", Resource = "arn:aws:s3:::*" }"#,
            ),
        ),
        (
            "b09",
            inline(
                "b09",
                &format!("{ALL}, {{ Effect = \"Deny\", NotAction = \"s3:Get*\", Resource = \"*\" }}"),
            ),
        ),
        ("b10", user("b10", "") + &managed("loose", ALL)),
        (
            "b11",
            user(
                "b11",
                &format!(
                    "resource \"aws_iam_group\" \"U_g\" {{\n  name = \"b11\"\n}}\nresource \"aws_iam_group_policy_attachment\" \"U_a\" {{\n  group = aws_iam_group.b11_g.name\n  policy_arn = {ADMINISTRATOR}\n}}"
                ),
            ),
        ),
        (
            "b12",
            bounded("b12", "aws_iam_policy.cut.arn", ALL) + &managed("cut", &format!("{ALL}, {deny}")),
        ),
        (
            "b13",
            inline("b13", &conditioned(r#"Null = { "aws:PrincipalArn" = "true" }"#)),
        ),
        ("b14", attached("b14", "\"arn:aws:iam::aws:policy/PowerUserAccess\"")),
        ("b15", attached("b15", "\"arn:aws:iam::aws:policy/ReadOnlyAccess\"")),
        (
            "b16",
            attached("b16", ADMINISTRATOR)
                .replace("_attachment\" \"b16_a\" {", "_attachment\" \"b16_a\" {\n  count = 0"),
        ),
        (
            "b17",
            inline(
                "b17",
                &format!("{ALL}, {{ Effect = \"Deny\", Action = \"iam:*\", Resource = \"*\" }}"),
            ),
        ),
        (
            "b18",
            inline("b18", r#"{ Effect = "Allow", Action = "*Admin*", Resource = "*" }"#),
        ),
        (
            "b19",
            user(
                "b19",
                &format!(
                    "resource \"aws_iam_user_policy\" \"U_p\" {{\n  user = \"someone-else\"\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{ALL}] }})\n}}"
                ),
            ),
        ),
        (
            "b20",
            inline("b20", &conditioned(r#"StringEquals = { "aws:username" = "a01" }"#)),
        ),
    ]
}

#[test]
fn forty_principals() {
    let (some, others) = (administrators(), others());
    assert_eq!((some.len(), others.len()), (20, 20));
    let all: String = some.iter().chain(&others).map(|(_, text)| text.as_str()).collect();
    let r = Repository::new(&[("main.tf", &all)]);
    let expected: Vec<&str> = some.iter().map(|(name, _)| *name).collect();

    let mut able: Option<Vec<String>> = None;
    for action in [
        "iam:CreateUser",
        "s3:DeleteBucket",
        "ec2:TerminateInstances",
        "kms:ScheduleKeyDeletion",
    ] {
        let json = r.run(&["who-can", action, "--format", "json"]).json();
        let allowed = json["who"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|w| w["decision"] == "allowed");
        let names: Vec<String> = allowed
            .map(|w| w["address"].as_str().unwrap().replace("aws_iam_user.", ""))
            .collect();
        able = Some(match able {
            Some(before) => before.into_iter().filter(|n| names.contains(n)).collect(),
            None => names,
        });
    }
    assert_eq!(able.unwrap(), expected, "by who-can");

    let graph = r.run(&["graph", "--format", "json"]).json();
    let nodes = graph["nodes"].as_array().unwrap().iter();
    let shown = nodes.filter(|n| n["gain"] == "admin" && n["kind"] == "user");
    let mut shown: Vec<&str> = shown.map(|n| n["name"].as_str().unwrap()).collect();
    shown.sort_unstable();
    assert_eq!(shown, expected, "by graph");
}
