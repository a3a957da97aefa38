//! `overgrant who-can`: who can do something, and who can become one of them.

use serde_json::Value;

use crate::support::repository::Repository;

const TERRAFORM: &str = r#"
resource "aws_iam_user" "ann" {
  name = "ann"
}
resource "aws_iam_user" "ben" {
  name = "ben"
}
resource "aws_iam_user_policy" "ben" {
  user   = aws_iam_user.ben.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:*", Resource = "*" },
    { Effect = "Deny", Action = "s3:GetObject", Resource = "*" },
  ] })
}
resource "aws_iam_user" "cat" {
  name = "cat"
}
resource "aws_iam_user_policy" "cat" {
  user   = aws_iam_user.cat.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:GetObject", Resource = "*", Condition = { StringEquals = { "aws:SourceVpc" = "vpc-1" } } },
  ] })
}
resource "aws_iam_role" "reader" {
  name               = "reader"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_user.ann.arn } },
  ] })
}
resource "aws_iam_role_policy" "reader" {
  role   = aws_iam_role.reader.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.ledger.arn}/*" },
  ] })
}
resource "aws_s3_bucket" "ledger" {
  bucket = "ledger"
}
"#;

/// Addresses and what is decided, and the paths.
fn who(json: &Value) -> (Vec<(String, String)>, Vec<String>) {
    let word = |v: &Value| v.as_str().unwrap().to_owned();
    let who = json["who"].as_array().unwrap().iter();
    let through = json["through"].as_array().unwrap().iter();
    (
        who.map(|w| (word(&w["address"]), word(&w["decision"]))).collect(),
        through
            .map(|p| format!("{} {}", word(&p["from"]["name"]), word(&p["to"]["name"])))
            .collect(),
    )
}

#[test]
fn those_who_can_and_those_who_become_one_of_them() {
    let r = Repository::new(&[("main.tf", TERRAFORM)]);
    let ask = |args: &[&str]| who(&r.run(&[&["who-can", "--format", "json"], args].concat()).json());
    let named = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    let (cat, reader) = (("aws_iam_user.cat", "unknown"), ("aws_iam_role.reader", "allowed"));
    let object = "arn:aws:s3:::ledger/2026.csv";
    let (found, through) = ask(&["s3:GetObject", object]);
    assert_eq!(found, named(&[cat, reader]));
    assert_eq!(through, ["ann reader"]);
    let (found, _) = ask(&["s3:GetObject", object, "--context", "aws:SourceVpc=vpc-1"]);
    assert_eq!(found, named(&[("aws_iam_user.cat", "allowed"), reader]));
    let (found, _) = ask(&["s3:GetObject", object, "--context", "aws:SourceVpc=vpc-2"]);
    assert_eq!(found, named(&[reader]));
    let (found, _) = ask(&[
        "s3:GetObject",
        "aws_s3_bucket.ledger",
        "--context",
        "aws:SourceVpc=vpc-2",
    ]);
    assert_eq!(found, named(&[]), "objects are in the bucket");
    let human = r.run(&["who-can", "s3:GetObject", object]).out;
    assert!(human.contains("aws_iam_role.reader"), "{human}");
    assert!(human.contains("user/ann → role/reader"), "{human}");
    let none = r.run(&["who-can", "ec2:RunInstances"]);
    assert_eq!(
        (none.out.as_str(), none.code),
        ("No one here can perform ec2:RunInstances on any resource.\n", 0)
    );
}

/// The name of a user is what its file says, in questions and in its ARN.
#[test]
fn users_are_called_by_their_names() {
    let trust = r#"
resource "aws_iam_role" "guarded" {
  name               = "guarded"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::111122223333:user/ann" } },
  ] })
}
"#;
    let text = format!("{TERRAFORM}{trust}");
    let settings = "[own]\naccounts = { prod = \"111122223333\" }\n";
    let r = Repository::new(&[("main.tf", text.as_str()), ("overgrant.toml", settings)]);
    let can = |who: &str| {
        r.run(&["can", who, "sts:AssumeRole", "aws_iam_role.guarded", "--format", "json"])
            .json()
    };
    for who in ["ann", "aws_iam_user.ann", "arn:aws:iam::111122223333:user/ann", "an?"] {
        let answer = can(who);
        assert_eq!(answer["principal"], "arn:aws:iam::111122223333:user/ann", "{who}");
        assert_eq!(answer["decision"], "allowed", "{who}");
    }
    assert_eq!(can("ben")["decision"], "implicitly-denied");
    let own = text.replace("user/ann\"", "user/${aws_iam_user.ben.name}\"");
    let r = Repository::new(&[("main.tf", own.as_str()), ("overgrant.toml", settings)]);
    let ben = r.run(&[
        "can",
        "ben",
        "sts:AssumeRole",
        "aws_iam_role.guarded",
        "--format",
        "json",
    ]);
    assert_eq!(ben.json()["decision"], "allowed");
}

#[test]
fn invalid_questions() {
    let r = Repository::new(&[("main.tf", TERRAFORM)]);
    for args in [
        &["s3:*"][..],
        &["GetObject"],
        &["s3:GetObject", "no-such-bucket"],
        &["s3:GetObject", "--in", "nowhere"],
    ] {
        let ran = r.run(&[&["who-can"], args].concat());
        assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{args:?}: {}", ran.err);
    }
}
