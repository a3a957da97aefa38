//! Grants that ask for tags.

use crate::paths::{admin, allow, paths, policy, role, user};

/// An instance with a role and tags.
fn instance(tags: &str) -> String {
    admin("boss", "ec2")
        + &format!(
            r#"
resource "aws_iam_instance_profile" "p" {{
  role = aws_iam_role.boss.name
}}
resource "aws_instance" "i" {{
  ami = "ami-1"
  iam_instance_profile = aws_iam_instance_profile.p.name
  tags = {{ {tags} }}
}}
"#
        )
}

fn under(effect: &str, action: &str, operator: &str, key: &str, value: &str) -> String {
    format!(
        "{{ Effect = \"{effect}\", Action = \"{action}\", Resource = \"*\", Condition = {{ {operator} = {{ \"{key}\" = \"{value}\" }} }} }},"
    )
}

#[test]
fn tags_of_the_resource() {
    let path = "admin: user/ann → instance/aws_instance.i → role/boss";
    let start = |operator: &str, key: &str, value: &str| under("Allow", "ssm:StartSession", operator, key, value);
    let equals = |key: &str, value: &str| start("StringEquals", key, value);
    let prod = "env = \"prod\"";
    for (tags, statements, expected) in [
        (prod, equals("ssm:resourceTag/env", "prod"), true),
        (prod, equals("aws:ResourceTag/env", "prod"), true),
        (prod, equals("aws:ResourceTag/env", "dev"), false),
        (prod, start("StringLike", "aws:ResourceTag/env", "p*"), true),
        (prod, start("StringLike", "aws:ResourceTag/env", "d*"), false),
        (prod, start("StringNotEquals", "aws:ResourceTag/env", "prod"), false),
        (prod, start("StringNotEquals", "aws:ResourceTag/env", "dev"), true),
        // What the provider adds, or what a variable says, may be anything.
        ("", equals("aws:ResourceTag/env", "dev"), true),
        ("env = var.env", equals("aws:ResourceTag/env", "dev"), true),
        // Who may set the tag chooses it.
        (
            prod,
            equals("aws:ResourceTag/env", "dev") + &allow("ec2:CreateTags", "*"),
            true,
        ),
        (
            prod,
            equals("aws:ResourceTag/env", "dev")
                + &under("Allow", "ec2:CreateTags", "StringEquals", "aws:ResourceTag/a", "b"),
            false,
        ),
        (
            prod,
            allow("ssm:StartSession", "*") + &under("Deny", "ssm:*", "StringEquals", "aws:ResourceTag/env", "prod"),
            false,
        ),
        (
            prod,
            allow("ssm:StartSession", "*") + &under("Deny", "ssm:*", "StringEquals", "aws:ResourceTag/env", "dev"),
            true,
        ),
    ] {
        let text =
            "variable \"env\" {}\n".to_owned() + &instance(tags) + &user("ann") + &policy("user", "ann", &statements);
        let found = paths(&text);
        assert_eq!(
            found.iter().any(|p| p == path),
            expected,
            "{tags} {statements} {found:?}"
        );
    }
}

#[test]
fn tags_of_the_caller() {
    let boss = admin("boss", "lambda");
    let ann = |team: &str| user("ann").replace("}", &format!("  tags = {{ team = \"{team}\" }}\n}}"));
    let assume = under(
        "Allow",
        "iam:UpdateAssumeRolePolicy",
        "StringEquals",
        "aws:PrincipalTag/team",
        "core",
    );
    let path = ["admin: user/ann → role/boss"];
    for (team, expected) in [("core", true), ("web", false)] {
        let found = paths(&(boss.clone() + &ann(team) + &policy("user", "ann", &assume)));
        assert_eq!(found, &path[..usize::from(expected)], "{team}");
    }
    // A session of a role may have other tags than the role.
    let ci = role("ci", "{ Service = \"ec2.amazonaws.com\" }").replacen(
        "  name = \"ci\"\n",
        "  name = \"ci\"\n  tags = { team = \"web\" }\n",
        1,
    );
    assert_eq!(
        paths(&(boss + &ci + &policy("role", "ci", &assume))),
        ["admin: role/ci → role/boss"]
    );
}
