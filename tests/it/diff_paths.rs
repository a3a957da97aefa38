//! `diff`: paths that open and close, one edit that reaches many, and trees of many files.

use serde_json::Value;

use crate::support::git::committed;
use crate::support::repository::Repository;

/// An administrator that functions can run as, and a role of CI.
const ROLES: &str = r#"resource "aws_iam_role" "admin" {
  name               = "admin"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy_attachment" "admin" {
  role       = aws_iam_role.admin.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
resource "aws_iam_role" "ci" {
  name               = "ci"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "ci" {
  role   = aws_iam_role.ci.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "*" },
    ]
  })
}
"#;

fn with_pass_role() -> String {
    ROLES.replace(
        "    Statement = [\n",
        "    Statement = [\n      { Effect = \"Allow\", Action = \"iam:PassRole\", Resource = aws_iam_role.admin.arn },\n",
    )
}

fn folders(old: &[(&str, &str)], new: &[(&str, &str)]) -> Repository {
    let r = Repository::new(&[]);
    for (side, files) in [("old", old), ("new", new)] {
        for (path, text) in files {
            r.write(&format!("{side}/{path}"), text.as_bytes());
        }
    }
    r
}

fn json(r: &Repository) -> Value {
    r.run(&["diff", "old", "new", "--format", "json"]).json()
}

fn messages(json: &Value, list: &str) -> Vec<String> {
    let all = json[list].as_array().unwrap().iter();
    all.map(|c| c["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_path_opens_where_its_last_permission_is_added() {
    let new = with_pass_role();
    let r = folders(&[("main.tf", ROLES)], &[("main.tf", &new)]);
    let found = json(&r);
    assert_eq!(
        messages(&found, "opened"),
        ["`role/ci` gains administrator access: `role/ci → role/admin`"]
    );
    assert_eq!(messages(&found, "closed"), [""; 0]);
    let opened = &found["opened"][0];
    let line = opened["span"]["start"]["line"].as_u64().unwrap();
    let text = r.read(opened["path"].as_str().unwrap());
    assert!(text.lines().nth(line as usize - 1).unwrap().contains("iam:PassRole"));
    assert_eq!(
        (&opened["gain"], &opened["severity"]),
        (&"admin".into(), &"high".into())
    );
    assert_eq!(r.run(&["diff", "old", "new", "--fail-on-new=high"]).code, 1);
    assert_eq!(r.run(&["diff", "new", "old", "--fail-on-new"]).code, 0);
    let back = r.run(&["diff", "new", "old", "--format", "json"]).json();
    assert_eq!(
        messages(&back, "closed"),
        ["`role/ci` loses administrator access: `role/ci → role/admin`"]
    );
    let markdown = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    assert!(
        markdown.contains("path opens: `role/ci` gains administrator access"),
        "{markdown}"
    );
    assert!(markdown.lines().count() <= 15, "{markdown}");
    let human = r.run(&["diff", "old", "new"]).out;
    assert!(
        human.contains("path opened: `role/ci`") && human.contains("1 path opened"),
        "{human}"
    );
    let github = r.run(&["diff", "old", "new", "--format", "github"]).out;
    assert!(github.contains("title=path opened::`role/ci` gains"), "{github}");
}

#[test]
fn a_path_that_stays_is_not_listed() {
    let old = with_pass_role();
    let shifted = format!("# One more line.\n\n{old}");
    let renamed = old
        .replace("aws_iam_role.ci", "aws_iam_role.build")
        .replace("\"aws_iam_role\" \"ci\"", "\"aws_iam_role\" \"build\"");
    let call = "module \"roles\" {\n  source = \"./roles\"\n}\n";
    let cases: [&[(&str, &str)]; 4] = [
        &[("main.tf", &old)],
        &[("main.tf", &shifted)],
        &[("main.tf", &renamed)],
        &[("main.tf", call), ("roles/main.tf", &old)],
    ];
    for new in cases {
        let found = json(&folders(&[("main.tf", &old)], new));
        for list in ["gained", "lost", "opened", "closed", "unknown"] {
            assert_eq!(found[list], serde_json::json!([]), "{list}: {found:#}");
        }
    }
}

/// Who has everything needs no path.
#[test]
fn a_path_of_a_new_administrator_does_not_close() {
    let old = with_pass_role();
    let new = format!(
        "{old}resource \"aws_iam_role_policy_attachment\" \"all\" {{\n  role       = aws_iam_role.ci.name\n  policy_arn = \"arn:aws:iam::aws:policy/AdministratorAccess\"\n}}\n"
    );
    for (old, new) in [(&old, &new), (&new, &old)] {
        let found = json(&folders(&[("main.tf", old)], &[("main.tf", new)]));
        for list in ["opened", "closed"] {
            assert_eq!(found[list], serde_json::json!([]), "{list}: {found:#}");
        }
        let changed = messages(&found, "gained").len() + messages(&found, "lost").len();
        assert_eq!(changed, 1, "{found:#}");
    }
}

#[test]
fn an_edit_that_reaches_many_is_one_entry() {
    let role = |n: usize| {
        format!(
            r#"resource "aws_iam_role" "r{n}" {{
  name               = "r{n}"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "ec2.amazonaws.com" }} }}] }})
}}
resource "aws_iam_role_policy_attachment" "r{n}" {{
  role       = aws_iam_role.r{n}.name
  policy_arn = aws_iam_policy.shared.arn
}}
"#
        )
    };
    let roles: String = (0..12).map(role).collect();
    let policy = |actions: &str| {
        format!(
            "{roles}resource \"aws_iam_policy\" \"shared\" {{\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = [{actions}], Resource = \"*\" }}] }})\n}}\n"
        )
    };
    let (old, new) = (
        policy("\"sqs:SendMessage\""),
        policy("\"sqs:SendMessage\", \"sqs:PurgeQueue\""),
    );
    let r = folders(&[("main.tf", &old)], &[("main.tf", &new)]);
    assert_eq!(messages(&json(&r), "gained").len(), 12);
    let markdown = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    let expected =
        "`aws_iam_role.r0`, `aws_iam_role.r1`, `aws_iam_role.r2`, and 9 more gain `sqs:PurgeQueue` on any resource";
    assert!(
        markdown.contains(expected) && markdown.lines().count() <= 5,
        "{markdown}"
    );
}

#[test]
fn a_managed_policy_and_a_lifted_denial_are_few_lines() {
    let attached = format!(
        "{ROLES}resource \"aws_iam_role_policy_attachment\" \"more\" {{\n  role       = aws_iam_role.ci.name\n  policy_arn = \"arn:aws:iam::aws:policy/AmazonEC2FullAccess\"\n}}\n"
    );
    let r = folders(&[("main.tf", ROLES)], &[("main.tf", &attached)]);
    let markdown = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    assert!(
        markdown.lines().count() <= 6 && markdown.contains("`ec2:*`"),
        "{markdown}"
    );
    let denial = "{ Effect = \"Deny\", Action = \"*\", Resource = \"*\", Condition = { Bool = { \"aws:MultiFactorAuthPresent\" = \"false\" } } },\n";
    let allows: String = ["sqs", "sns", "ses", "s3", "ecs", "ecr", "ssm", "kms"]
        .iter()
        .map(|service| format!("      {{ Effect = \"Allow\", Action = \"{service}:*\", Resource = \"*\" }},\n"))
        .collect();
    let of = |statements: &str| ROLES.replace("    Statement = [\n", &format!("    Statement = [\n{statements}"));
    let r = folders(
        &[("main.tf", &of(&format!("{allows}      {denial}")))],
        &[("main.tf", &of(&allows))],
    );
    let markdown = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    assert!(
        markdown.lines().count() <= 15 && markdown.contains("denied before at old/main.tf"),
        "{markdown}"
    );
}

#[test]
fn a_folder_that_a_revision_does_not_have_gains_all() {
    let r = committed(&[("a.txt", "text")]);
    r.write("infra/main.tf", ROLES.as_bytes());
    let found = r.run(&["diff", "main", "infra", "--format", "json"]).json();
    assert_eq!(messages(&found, "gained").len(), 4, "{found:#}");
    assert_eq!(found["lost"], serde_json::json!([]));
    r.write(
        "p.json",
        br#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#,
    );
    let found = r.run(&["diff", "main", "p.json", "--format", "json"]).json();
    assert_eq!(messages(&found, "gained").len(), 1, "{found:#}");
}

/// What is not linked to a file that changed is not analyzed, and is no difference.
#[test]
fn one_changed_file_of_many_is_found() {
    let policy = |n: usize| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b{n}/*"}}]}}"#
        )
    };
    type Tree = Vec<(String, String)>;
    fn view(all: &Tree) -> Vec<(&str, &str)> {
        all.iter().map(|(path, text)| (&**path, &**text)).collect()
    }
    let mut a: Tree = (0..80).map(|n| (format!("p{n}/policy.json"), policy(n))).collect();
    a.push(("roles/main.tf".to_owned(), ROLES.to_owned()));
    let mut b = a.clone();
    b[80].1 = with_pass_role();
    let found = json(&folders(&view(&a), &view(&b)));
    assert_eq!(messages(&found, "opened").len(), 1, "{found:#}");
    assert_eq!(messages(&found, "gained").len(), 1, "{found:#}");
    assert_eq!(found["lost"], serde_json::json!([]));
    let same = json(&folders(&view(&a), &view(&a)));
    assert_eq!(same["gained"], serde_json::json!([]));
    // A document is not matched with another one only since the rest was left alone.
    let mut moved = a.clone();
    moved.remove(0);
    moved.push(("q/policy.json".to_owned(), policy(99)));
    let found = json(&folders(&view(&a), &view(&moved)));
    assert_eq!(
        (messages(&found, "gained").len(), messages(&found, "lost").len()),
        (1, 1),
        "{found:#}"
    );
}
