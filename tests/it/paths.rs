//! `overgrant paths`: who can become an administrator or read data, through whom.

use std::path::Path;

use crate::support::repository::Repository;

/// A role that someone may assume.
pub(crate) fn role(name: &str, principal: &str) -> String {
    format!(
        r#"
resource "aws_iam_role" "{name}" {{
  name = "{name}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {principal} }}]
  }})
}}
"#
    )
}

/// An inline policy with statements of an identity.
pub(crate) fn policy(kind: &str, of: &str, statements: &str) -> String {
    format!(
        r#"
resource "aws_iam_{kind}_policy" "{of}" {{
  {kind} = aws_iam_{kind}.{of}.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{statements}] }})
}}
"#
    )
}

pub(crate) fn allow(actions: &str, resource: &str) -> String {
    let actions: Vec<String> = actions.split(' ').map(|a| format!("\"{a}\"")).collect();
    let resource = match resource.starts_with("aws_") {
        true => resource.to_owned(),
        false => format!("\"{resource}\""),
    };
    format!(
        "{{ Effect = \"Allow\", Action = [{}], Resource = {resource} }},",
        actions.join(", ")
    )
}

pub(crate) fn user(name: &str) -> String {
    format!("resource \"aws_iam_user\" \"{name}\" {{\n  name = \"{name}\"\n}}\n")
}

/// An administrator that a service may assume.
pub(crate) fn admin(name: &str, service: &str) -> String {
    let principal = format!("{{ Service = \"{service}.amazonaws.com\" }}");
    role(name, &principal) + &is_admin("role", name)
}

pub(crate) fn is_admin(kind: &str, name: &str) -> String {
    format!(
        "resource \"aws_iam_{kind}_policy_attachment\" \"{name}\" {{\n  {kind} = aws_iam_{kind}.{name}.name\n  policy_arn = \
         \"arn:aws:iam::aws:policy/AdministratorAccess\"\n}}\n"
    )
}

pub(crate) const ACCOUNT: &str = "{ AWS = \"arn:aws:iam::${data.aws_caller_identity.me.account_id}:root\" }";
pub(crate) const ME: &str = "data \"aws_caller_identity\" \"me\" {}\n";

/// `user/ann → role/build` and its gain, for each path.
pub(crate) fn paths_of(files: &[(&str, &str)], args: &[&str]) -> Vec<String> {
    let r = Repository::new(files);
    let json = r.run(&[&["paths", "--format", "json"], args].concat()).json();
    let end = |e: &serde_json::Value| format!("{}/{}", e["kind"].as_str().unwrap(), e["name"].as_str().unwrap());
    let path = |p: &serde_json::Value| {
        let hops = p["hops"].as_array().unwrap();
        assert_eq!(p["from"], hops[0]["from"]);
        assert_eq!(p["to"], hops[hops.len() - 1]["to"]);
        assert!(hops.windows(2).all(|w| w[0]["to"] == w[1]["from"]), "{p}");
        let all: Vec<String> = hops.iter().map(|h| end(&h["to"])).collect();
        format!(
            "{}: {} → {}",
            p["gain"].as_str().unwrap(),
            end(&p["from"]),
            all.join(" → ")
        )
    };
    json["paths"].as_array().unwrap().iter().map(path).collect()
}

pub(crate) fn paths(terraform: &str) -> Vec<String> {
    paths_of(&[("main.tf", terraform)], &[])
}

#[test]
fn the_page_shows_what_the_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("testdata/paths/main.tf")).unwrap();
    let r = Repository::new(&[("main.tf", &text)]);
    let printed = r.run(&["paths"]).out;
    let page = std::fs::read_to_string(root.join("docs/book/paths.md")).unwrap();
    let shown = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(printed.split("\n\n").next().unwrap(), shown.trim_end());
    let markdown = r.run(&["paths", "--format", "markdown"]).out;
    assert!(
        markdown.starts_with("- **high**: user/ann gains administrator access"),
        "{markdown}"
    );
}

/// A way of taking over an administrator in one step: what ann is granted, and on what; what there is; the path.
#[test]
fn one_step_to_an_administrator() {
    let lambda = admin("boss", "lambda");
    let function =
        "resource \"aws_lambda_function\" \"f\" {\n  function_name = \"f\"\n  role = aws_iam_role.boss.arn\n}\n";
    let root = user("root") + &is_admin("user", "root");
    let plain = role("plain", ACCOUNT) + ME;
    let own = user("ann");
    for (what, actions, resource, there, expected) in [
        (
            "assume",
            "sts:AssumeRole",
            "arn:aws:iam::*:role/boss",
            role("boss", ACCOUNT) + &is_admin("role", "boss") + ME,
            "role/boss",
        ),
        (
            "trust policy",
            "iam:UpdateAssumeRolePolicy",
            "aws_iam_role.boss.arn",
            lambda.clone(),
            "role/boss",
        ),
        (
            "access key",
            "iam:CreateAccessKey",
            "arn:aws:iam::*:user/ro*",
            root.clone(),
            "user/root",
        ),
        (
            "password",
            "iam:UpdateLoginProfile",
            "aws_iam_user.root.arn",
            root.clone(),
            "user/root",
        ),
        (
            "new function",
            "iam:PassRole lambda:CreateFunction lambda:InvokeFunction",
            "*",
            lambda.clone(),
            "role/boss",
        ),
        (
            "task",
            "iam:PassRole ecs:RunTask",
            "*",
            admin("boss", "ecs-tasks"),
            "role/boss",
        ),
        (
            "code of a function",
            "lambda:UpdateFunctionCode",
            "arn:aws:lambda:*:*:function:f",
            lambda.clone() + function,
            "function/f → role/boss",
        ),
        (
            "own policy",
            "iam:PutUserPolicy",
            "arn:aws:iam::*:user/ann",
            String::new(),
            "user/ann",
        ),
        (
            "own policy by variable",
            "iam:AttachUserPolicy",
            "arn:aws:iam::*:user/$${aws:username}",
            String::new(),
            "user/ann",
        ),
        (
            "policy of a role that it assumes",
            "iam:PutRolePolicy sts:AssumeRole",
            "arn:aws:iam::*:role/plain",
            plain.clone(),
            "role/plain",
        ),
        (
            "policy of a role whose trust it changes",
            "iam:AttachRolePolicy iam:UpdateAssumeRolePolicy",
            "aws_iam_role.plain.arn",
            plain.clone(),
            "role/plain",
        ),
    ] {
        let terraform = own.clone() + &policy("user", "ann", &allow(actions, resource)) + &there;
        let found = paths(&terraform);
        assert_eq!(found, [format!("admin: user/ann → {expected}")], "{what}");
        // A Deny on the start closes every path.
        let deny = "{ Effect = \"Deny\", Action = \"*\", Resource = \"*\" },";
        let denied = own.clone() + &policy("user", "ann", &(allow(actions, resource) + deny)) + &there;
        assert_eq!(paths(&denied), [""; 0], "{what}, denied");
        // So does a boundary without the actions.
        let bounded = terraform.replace(
            "  name = \"ann\"\n",
            "  name = \"ann\"\n  permissions_boundary = aws_iam_policy.b.arn\n",
        ) + "resource \"aws_iam_policy\" \"b\" {\n  name = \"b\"\n  policy = jsonencode({ Version = \"2012-10-17\", Statement \
               = [{ Effect = \"Allow\", Action = \"s3:*\", Resource = \"*\" }] })\n}\n";
        assert_eq!(paths(&bounded), [""; 0], "{what}, bounded");
    }
}

#[test]
fn a_role_that_does_not_trust_the_caller_is_no_step() {
    for principal in [
        "{ Service = \"lambda.amazonaws.com\" }",
        "{ AWS = \"arn:aws:iam::999988887777:root\" }",
        "{ Federated = \"cognito-identity.amazonaws.com\" }",
    ] {
        let there = role("boss", principal) + &is_admin("role", "boss");
        let terraform = user("ann") + &policy("user", "ann", &allow("sts:AssumeRole", "*")) + &there;
        let of_ann: Vec<String> = paths(&terraform).into_iter().filter(|p| p.contains("ann")).collect();
        assert_eq!(of_ann, [""; 0], "{principal}");
    }
}

#[test]
fn a_trust_policy_that_asks_who_the_caller_is() {
    let asking = |value: &str| {
        role("boss", ACCOUNT).replace(
            "Principal =",
            &format!("Condition = {{ ArnLike = {{ \"aws:PrincipalArn\" = \"{value}\" }} }}, Principal ="),
        ) + &is_admin("role", "boss")
            + ME
            + &user("ann")
            + &policy("user", "ann", &allow("sts:AssumeRole", "*"))
    };
    assert_eq!(
        paths(&asking("arn:aws:iam::*:user/a*")),
        ["admin: user/ann → role/boss"]
    );
    assert_eq!(paths(&asking("arn:aws:iam::*:user/ben")), [""; 0]);
}

#[test]
fn steps_are_joined() {
    let chain = user("ann")
        + &policy("user", "ann", &allow("sts:AssumeRole", "arn:aws:iam::*:role/one"))
        + &role("one", "{ AWS = aws_iam_user.ann.arn }")
        + &policy("role", "one", &allow("iam:CreateAccessKey", "arn:aws:iam::*:user/*"))
        + &user("root")
        + &is_admin("user", "root");
    assert_eq!(
        paths(&chain),
        ["admin: user/ann → role/one → user/root", "admin: role/one → user/root"]
    );
    // A role that writes the policies of the user who assumes it.
    let back = user("ann")
        + &role("one", "{ AWS = aws_iam_user.ann.arn }")
        + &policy("role", "one", &allow("iam:AttachUserPolicy", "aws_iam_user.ann.arn"));
    assert_eq!(paths(&back), ["admin: user/ann → role/one → user/ann"]);
}

#[test]
fn data_that_the_start_cannot_read_itself() {
    let bucket = "resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"ledger-${var.suffix}\"\n}\nvariable \"suffix\" {}\n";
    let reading = user("ann")
        + &role("reader", "{ AWS = aws_iam_user.ann.arn }")
        + &policy("role", "reader", &allow("s3:GetObject", "arn:aws:s3:::ledger-*/*"))
        + bucket;
    assert_eq!(paths(&reading), ["data: user/ann → role/reader → bucket/ledger"]);
    // The bucket keeps everyone else out.
    let guarded = |who: &str| {
        reading.clone()
            + &format!(
                "resource \"aws_s3_bucket_policy\" \"b\" {{\n  bucket = aws_s3_bucket.b.id\n  policy = jsonencode({{ Version = \
                 \"2012-10-17\", Statement = [{{ Effect = \"Deny\", Principal = \"*\", Action = \"s3:*\", Resource = \
                 \"${{aws_s3_bucket.b.arn}}/*\", Condition = {{ ArnNotLike = {{ \"aws:PrincipalArn\" = \
                 \"arn:aws:iam::*:role/{who}\" }} }} }}] }})\n}}\n"
            )
    };
    assert_eq!(paths(&guarded("other")), [""; 0]);
    assert_eq!(
        paths(&guarded("reader")),
        ["data: user/ann → role/reader → bucket/ledger"]
    );
}

#[test]
fn what_is_deployed_apart_is_related_by_name_only() {
    let ann = user("ann") + &policy("user", "ann", &allow("iam:CreateAccessKey", "*"));
    let root = user("root") + &is_admin("user", "root");
    let apart = [("a/main.tf", ann.as_str()), ("b/main.tf", root.as_str())];
    assert_eq!(paths_of(&apart, &[]), [""; 0]);
    let named = ann.replace("\"*\"", "\"arn:aws:iam::111122223333:user/root\"");
    let by_name = [("a/main.tf", named.as_str()), ("b/main.tf", root.as_str())];
    assert_eq!(paths_of(&by_name, &[]), ["admin: user/ann → user/root"]);
    let settings = ("overgrant.toml", "[own]\naccounts = { prod = \"111122223333\" }\n");
    let one_account = [apart[0], apart[1], settings];
    assert_eq!(paths_of(&one_account, &[]), ["admin: user/ann → user/root"]);
}

#[test]
fn starts_and_ends_are_chosen() {
    let all = user("ann")
        + &user("ben")
        + &policy("user", "ann", &allow("iam:CreateAccessKey", "aws_iam_user.root.arn"))
        + &policy("user", "ben", &allow("iam:CreateAccessKey", "aws_iam_user.root.arn"))
        + &user("root")
        + &is_admin("user", "root");
    let files = [("main.tf", all.as_str())];
    let ann = ["admin: user/ann → user/root"];
    assert_eq!(paths_of(&files, &["--from", "ann"]), ann);
    assert_eq!(paths_of(&files, &["--from", "aws_iam_user.ann", "--to", "admin"]), ann);
    assert_eq!(paths_of(&files, &["--from", "user/a*", "--to", "root"]), ann);
    assert_eq!(paths_of(&files, &["--to", "data"]), [""; 0]);
    assert_eq!(Repository::new(&files).run(&["paths", "no-such-file"]).code, 2);
}
