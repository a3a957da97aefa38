//! What paths gain, and how severe they are.

use crate::paths::{ACCOUNT, ME, allow, is_admin, policy, role, user};
use crate::support::repository::Repository;

/// "high admin: user/ann → user/root", for each path.
fn graded(terraform: &str, settings: &str) -> Vec<String> {
    let r = Repository::new(&[("main.tf", terraform), ("overgrant.toml", settings)]);
    let json = r.run(&["paths", "--format", "json"]).json();
    let end = |e: &serde_json::Value| format!("{}/{}", e["kind"].as_str().unwrap(), e["name"].as_str().unwrap());
    let line = |p: &serde_json::Value| {
        let hops = p["hops"].as_array().unwrap();
        let through: Vec<String> = hops.iter().map(|h| end(&h["to"])).collect();
        format!(
            "{} {}: {} → {}",
            p["severity"].as_str().unwrap(),
            p["gain"].as_str().unwrap(),
            end(&p["from"]),
            through.join(" → ")
        )
    };
    json["paths"].as_array().unwrap().iter().map(line).collect()
}

fn bucket(name: &str) -> String {
    format!("resource \"aws_s3_bucket\" \"{name}\" {{\n  bucket = \"{name}\"\n}}\n")
}

#[test]
fn administration_of_identities() {
    let ann = user("ann") + &policy("user", "ann", &allow("sts:AssumeRole", "aws_iam_role.keys.arn"));
    let keys = |actions: &str, on: &str| role("keys", ACCOUNT) + &policy("role", "keys", &allow(actions, on));
    let path = ["high identity-administration: user/ann → role/keys"];
    for (actions, on, given) in [
        ("iam:CreateAccessKey", "*", true),
        ("iam:UpdateAssumeRolePolicy", "arn:aws:iam::*:role/*", true),
        ("iam:AttachUserPolicy", "*", true),
        ("iam:CreateAccessKey", "arn:aws:iam::*:user/app-*", false),
        ("iam:ListUsers", "*", false),
    ] {
        let found = graded(&(ME.to_owned() + &ann + &keys(actions, on)), "");
        assert_eq!(found, &path[..usize::from(given)], "{actions} {on}");
    }
    // More is gained where there is an administrator.
    let root = user("root") + &is_admin("user", "root");
    let found = graded(&(ME.to_owned() + &ann + &keys("iam:CreateAccessKey", "*") + &root), "");
    assert_eq!(
        found,
        [
            "high admin: user/ann → role/keys → user/root",
            "high admin: role/keys → user/root"
        ]
    );
}

#[test]
fn identities_of_other_accounts() {
    let other = allow("sts:AssumeRole", "arn:aws:iam::444455556666:role/deploy");
    let bob = user("bob") + &policy("user", "bob", &other);
    let key = allow("iam:CreateAccessKey", "aws_iam_user.bob.arn");
    let ann = |statements: &str| user("ann") + &policy("user", "ann", statements);
    let path = "low account: user/ann → user/bob → role/deploy";
    let own = "[own]\naccounts = [\"111122223333\"]\n";
    assert_eq!(graded(&(ann(&key) + &bob), own), [path]);
    // Which account this is is not known, or it is that one.
    assert_eq!(graded(&(ann(&key) + &bob), ""), [""; 0]);
    let same = own.replace("111122223333", "444455556666");
    assert_eq!(graded(&(ann(&key) + &bob), &same), [""; 0]);
    // What it may do by itself, and chains of roles that are meant for it.
    assert_eq!(graded(&(ann(&(key + &other)) + &bob), own), [""; 0]);
    let hop = role("hop", ACCOUNT) + &policy("role", "hop", &other);
    let chain = ann(&allow("sts:AssumeRole", "aws_iam_role.hop.arn"));
    assert_eq!(graded(&(ME.to_owned() + &chain + &hop), own), [""; 0]);
}

#[test]
fn who_starts() {
    let reader = |principal: &str| {
        role("ci", principal)
            + &policy("role", "ci", &allow("sts:AssumeRole", "aws_iam_role.reader.arn"))
            + &role("reader", ACCOUNT)
            + &policy("role", "reader", &allow("s3:GetObject", "arn:aws:s3:::ledger/*"))
            + &bucket("ledger")
            + ME
    };
    let provider = "{ Federated = \"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com\" }";
    let from_ci = reader(provider).replacen("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", 1);
    let from_lambda = reader("{ Service = \"lambda.amazonaws.com\" }");
    let severity = |terraform: &str, settings: &str| {
        let found = graded(terraform, settings);
        let of_ci = found.iter().find(|p| p.contains("data: role/ci →"));
        of_ci.unwrap().split(' ').next().unwrap().to_owned()
    };
    let sensitive = "[own]\nsensitive = [\"aws_s3_bucket.led*\"]\n";
    let other = "[own]\nsensitive = [\"payroll\"]\n";
    assert_eq!(severity(&from_ci, ""), "medium");
    assert_eq!(severity(&from_ci, sensitive), "high");
    assert_eq!(severity(&from_ci, other), "medium");
    assert_eq!(severity(&from_lambda, ""), "low");
    assert_eq!(severity(&from_lambda, sensitive), "medium");
    // What anyone can call handles input.
    let function = "resource \"aws_lambda_function\" \"api\" {\n  function_name = \"api\"\n  role = aws_iam_role.ci.arn\n}\n\
                    resource \"aws_lambda_function_url\" \"api\" {\n  function_name = aws_lambda_function.api.function_name\n  \
                    authorization_type = \"NONE\"\n}\n";
    assert_eq!(severity(&(from_lambda + function), ""), "medium");
}

#[test]
fn more_paths_than_are_listed() {
    let names: Vec<String> = (0..60).map(|i| format!("n{i}")).collect();
    let mut text = ME.to_owned() + &role("reader", ACCOUNT) + &policy("role", "reader", &allow("s3:GetObject", "*"));
    for name in &names {
        let hop = allow("sts:AssumeRole", "aws_iam_role.reader.arn");
        text += &(role(name, ACCOUNT) + &policy("role", name, &hop) + &bucket(name));
    }
    let r = Repository::new(&[("main.tf", &text)]);
    let all = r.run(&["paths", "--format", "json"]).json();
    assert_eq!(
        (all["paths"].as_array().unwrap().len(), &all["more"]),
        (2000, &true.into())
    );
    assert!(r.run(&["paths"]).out.contains("There are more paths to data"));
    let some = r.run(&["paths", "--format", "json", "--from", "n59"]).json();
    assert_eq!(
        (some["paths"].as_array().unwrap().len(), &some["more"]),
        (60, &false.into())
    );
    let some = r
        .run(&["paths", "--format", "json", "--to", "aws_s3_bucket.n59"])
        .json();
    assert_eq!(
        (some["paths"].as_array().unwrap().len(), &some["more"]),
        (61, &false.into())
    );
}

#[test]
fn limits_that_are_taken_away() {
    let all = allow("*", "*");
    let deny = "{ Effect = \"Deny\", Action = [\"iam:*\", \"s3:*\"], Resource = \"*\" },";
    let boundary = |statements: &str| {
        format!(
            "resource \"aws_iam_policy\" \"limit\" {{\n  name = \"limit\"\n  policy = jsonencode({{ Version = \"2012-10-17\", \
             Statement = [{statements}] }})\n}}\n"
        )
    };
    let bounded = |statements: &str| {
        let user = user("ann").replace("}", "  permissions_boundary = aws_iam_policy.limit.arn\n}");
        user + &policy("user", "ann", &all) + &boundary(statements)
    };
    let removes = "iam:DeleteUserPermissionsBoundary";
    let own = "high admin: user/ann → user/ann";
    for (what, statements, expected) in [
        ("it removes its own", allow(&format!("s3:* {removes}"), "*"), Some(own)),
        (
            "it sets another one",
            allow("s3:* iam:PutUserPermissionsBoundary", "*"),
            Some(own),
        ),
        (
            "of another user",
            allow(&format!("s3:* {removes}"), "arn:aws:iam::*:user/bob"),
            None,
        ),
        ("the boundary keeps itself", allow("s3:*", "*"), None),
        (
            "with a Deny",
            allow("*", "*") + &deny.replace("\"iam:*\", \"s3:*\"", &format!("\"{removes}\", \"iam:Put*\"")),
            None,
        ),
    ] {
        let found = graded(&bounded(&statements), "");
        assert_eq!(found.first().map(String::as_str), expected, "{what}");
    }
    // A Deny in a policy that can be taken off.
    let guarded = |more: &str, kind: &str| {
        let denies = match kind {
            "inline" => policy("user", "ann", deny).replace("\"ann\" {", "\"guard\" {"),
            _ => {
                boundary(deny)
                    + "resource \"aws_iam_user_policy_attachment\" \"guard\" {\n  user = aws_iam_user.ann.name\n  policy_arn = \
                       aws_iam_policy.limit.arn\n}\n"
            }
        };
        let bob = user("bob") + &policy("user", "bob", more);
        user("ann") + &policy("user", "ann", &all) + &denies + &bob
    };
    let keys = allow("iam:CreateAccessKey", "aws_iam_user.ann.arn");
    let on_ann = |action: &str| keys.clone() + &allow(action, "aws_iam_user.ann.arn");
    let path = "high admin: user/bob → user/ann";
    for (kind, more, expected) in [
        ("inline", on_ann("iam:DeleteUserPolicy"), Some(path)),
        ("attached", on_ann("iam:DetachUserPolicy"), Some(path)),
        ("inline", on_ann("iam:DetachUserPolicy"), None),
        ("attached", on_ann("iam:DeleteUserPolicy"), None),
        ("inline", allow("iam:DeleteUserPolicy", "*"), None),
    ] {
        let found = graded(&guarded(&more, kind), "");
        assert_eq!(found.first().map(String::as_str), expected, "{kind} {more}");
    }
}

#[test]
fn administrators_of_each_account() {
    let provider = |name: &str| format!("provider \"aws\" {{\n  alias = \"{name}\"\n  profile = \"{name}\"\n}}\n");
    let by = |name: &str, text: String| text.replace("\" {\n  ", &format!("\" {{\n  provider = aws.{name}\n  "));
    let ann = user("ann") + &policy("user", "ann", &allow("iam:CreateAccessKey", "aws_iam_user.root.arn"));
    let dev = ann + &user("root") + &is_admin("user", "root");
    let hop = role("hop", "{ AWS = aws_iam_user.root.arn }");
    let hop = hop + &policy("role", "hop", &allow("iam:UpdateLoginProfile", "*"));
    let prod = hop + &user("boss") + &is_admin("user", "boss");
    let text = provider("dev") + &provider("prod") + &by("dev", dev) + &by("prod", prod);
    assert_eq!(
        graded(&text, ""),
        [
            "high admin: user/ann → user/root",
            "high admin: user/ann → user/root → role/hop → user/boss",
            "high admin: role/hop → user/boss",
        ]
    );
}
