//! Values that no one has written yet, and what holds only as long as no one says otherwise: placeholders, defaults, flags.

use crate::support::repository::{Repository, findings_of, grades};

const BREAKING: [&str; 4] = [
    "json-syntax-error",
    "data-type-mismatch",
    "unreadable-input",
    "invalid-effect",
];

#[test]
fn a_placeholder_without_quotes_is_unknown_in_every_format() {
    let json = |value: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": {value}}}]}}"#
        )
    };
    let marks = [
        "$BUCKET_ARN",
        "$arn",
        "${arn}",
        "{{ arn }}",
        "{{ arns | to_json }}",
        "%s",
        "%(arn)s",
        "%BUCKET_ARN%",
        "<ARN>",
        "<your bucket ARN>",
        "<%= arn %>",
        "@ARN@",
        "@@ARN@@",
        "__ARN__",
        "#{arn}",
        "((arn))",
        "{arn}",
        "BUCKET_ARN",
        r#"[$FIRST, "arn:aws:s3:::orders/*", <SECOND>]"#,
    ];
    for mark in marks {
        let text = json(mark);
        let mut files = vec![
            ("policy.json", text.clone()),
            ("a.py", format!("POLICY = '''{text}'''\n")),
            (
                "t.yaml",
                format!(
                    r"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: |
        {text}
"
                ),
            ),
        ];
        if !mark.contains("${") {
            let heredoc = format!(
                r#"resource "aws_iam_policy" "p" {{
  policy = <<EOT
{text}
EOT
}}
"#
            );
            files.push(("main.tf", heredoc.replace("%{", "%%{")));
        }
        for (path, text) in files {
            let all = findings_of(&BREAKING, &[(path, &text)]);
            assert!(
                all.is_empty(),
                r"{path}: {text}
{:?}",
                grades(&all)
            );
        }
    }
    for mark in [
        "$ARN",
        "<ARN>",
        "%s",
        "@ARN@",
        "{{ arn }}",
        "${ARN}",
        "[$FIRST, <SECOND>]",
    ] {
        let yaml = format!(
            r"Version: '2012-10-17'
Statement:
  - Effect: Allow
    Action: s3:GetObject
    Resource: {mark}
"
        );
        let all = findings_of(&BREAKING, &[("policy.yaml", &yaml)]);
        assert!(
            all.is_empty(),
            r"{yaml}
{:?}",
            grades(&all)
        );
    }
    for mark in [
        "<ARN>",
        "{{ arn }}",
        "$ARN",
        "%s",
        "@@ARN@@",
        r#"[<FIRST>, "arn:aws:s3:::orders/*"]"#,
    ] {
        let text = format!(
            r#"resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Resource = {mark} }}] }})
}}
"#
        );
        let all = findings_of(&BREAKING, &[("main.tf", &text)]);
        assert!(
            all.is_empty(),
            r"{text}
{:?}",
            grades(&all)
        );
    }
    // Words are a mistake.
    for broken in ["orders", "arn:aws:s3:::orders", "'arn:aws:s3:::orders'"] {
        let all = findings_of(&BREAKING, &[("policy.json", &json(broken))]);
        assert_eq!(grades(&all), ["json-syntax-error high high"], "{broken}");
    }
}

#[test]
fn whole_elements_that_are_placeholders_are_not_judged() {
    for (text, expected) in [
        (
            r#"{"Version": "2012-10-17", "Statement": $STATEMENTS}"#,
            "statements come from `STATEMENTS`",
        ),
        (
            r#"{"Version": "2012-10-17", "Statement": [{{ statements }}]}"#,
            "statements come from `statements`",
        ),
        (
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": %s, "Resource": "arn:aws:s3:::orders/*"}]}"#,
            "actions come from `%s`",
        ),
        (
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": <EFFECT>, "Action": "s3:*", "Resource": "*"}]}"#,
            "the effect is `EFFECT`",
        ),
    ] {
        let ran = Repository::new(&[("p.json", text)]).run(&["check", "--isolated", "-f", "json"]);
        let json = ran.json();
        let why: Vec<&str> = json["unjudged"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|u| u["why"].as_str())
            .collect();
        assert!(why.iter().any(|why| why.starts_with(expected)), "{text}: {why:?}");
        assert_eq!(json["findings"].as_array().unwrap().len(), 0, "{text}");
    }
}

#[test]
fn a_text_parameter_where_an_object_belongs_is_not_judged() {
    for element in ["Statement", "Principal", "Condition"] {
        let other = match element {
            "Statement" => "Statement: !Ref Text".to_owned(),
            _ => format!(
                "Statement: [{{Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::orders/*', {element}: !Ref Text}}]"
            ),
        };
        let text = format!(
            r"Parameters:
  Text: {{Type: String}}
Resources:
  P:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: orders
      PolicyDocument:
        Version: '2012-10-17'
        {other}
"
        );
        assert!(
            findings_of(&["data-type-mismatch"], &[("t.yaml", &text)]).is_empty(),
            "{element}"
        );
        let ran = Repository::new(&[("t.yaml", &text)]).run(&["check", "--isolated", "-f", "json"]);
        let listed = ran.json()["unjudged"].as_array().unwrap().len();
        assert_eq!(listed, usize::from(element != "Condition"), "{element}: {}", ran.out);
    }
}

#[test]
fn broken_json_that_nothing_uses_is_listed_and_no_finding() {
    let broken = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*",}]}"#;
    let loose = format!("TEXT = '''{broken}'''\n");
    assert!(findings_of(&BREAKING, &[("a.py", &loose)]).is_empty());
    let ran = Repository::new(&[("a.py", &loose)]).run(&["check", "--isolated", "-f", "json"]);
    assert!(ran.out.contains("cannot be parsed: trailing `,`"), "{}", ran.out);
    let used = format!(
        r"import boto3
boto3.client('iam').create_policy(PolicyName='p', PolicyDocument='''{broken}''')
"
    );
    assert_eq!(
        grades(&findings_of(&BREAKING, &[("a.py", &used)])),
        ["json-syntax-error high high"]
    );
}

#[test]
fn a_finding_at_a_default_says_so_and_is_less_certain() {
    let terraform = r#"variable "secure" {
  default = ["true", "false"]
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::orders/*", Condition = { Bool = { "aws:SecureTransport" = var.secure } } }]
  })
}
"#;
    let template = r#"Parameters:
  Topic: {Type: String, Default: "arn:aws:sns:orders"}
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sns:Publish", Resource: !Ref Topic}]
"#;
    for (path, text, rule, name) in [
        ("main.tf", terraform, "condition-multiple-bool", "var.secure"),
        ("t.yaml", template, "arn-missing-fields", "Topic"),
    ] {
        let all = findings_of(&[rule], &[(path, text)]);
        let [one] = all.as_slice() else {
            panic!("{path}: {:?}", grades(&all))
        };
        let notes = one["notes"].to_string();
        assert!(
            notes.contains(&format!("applies with the default of `{name}`")),
            "{notes}"
        );
        assert_ne!(one["confidence"], "high", "{path}");
        assert_ne!(one["severity"], "high", "{path}");
    }
    // What a caller leaves to the default of a module is what is deployed.
    let called = [
        ("m/main.tf", terraform),
        (
            "main.tf",
            r#"module "m" {
  source = "./m"
}
"#,
        ),
    ];
    let all = findings_of(&["condition-multiple-bool"], &called);
    assert!(
        all.len() == 1 && !all[0]["notes"].to_string().contains("at the default"),
        "{all:?}"
    );
}

#[test]
fn what_has_to_be_asked_for_is_of_low_severity() {
    let terraform = |default: &str, count: &str| {
        format!(
            r#"variable "on" {{
  default = {default}
}}
resource "aws_iam_role" "r" {{
  count = {count}
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "ec2.amazonaws.com" }} }}] }})
}}
resource "aws_iam_role_policy" "p" {{
  count = {count}
  role = aws_iam_role.r[0].name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "*", Resource = "*" }}] }})
}}
"#
        )
    };
    let template = |default: &str, equals: &str| {
        format!(
            r"Parameters:
  On: {{Type: String, Default: {default:?}}}
Conditions:
  IsOn: !Equals [!Ref On, {equals:?}]
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Condition: IsOn
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{{Effect: Allow, Action: '*', Resource: '*'}}]
"
        )
    };
    let module = r#"variable "on" {
  default = false
}
module "m" {
  source = "./m"
  count  = var.on ? 1 : 0
}
"#;
    let always = r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}
"#;
    let severity = |files: &[(&str, &str)]| {
        let all = findings_of(&["admin-star-star"], files);
        let [one] = all.as_slice() else {
            panic!("{files:?}: {:?}", grades(&all))
        };
        (one["severity"].as_str().unwrap().to_owned(), one["notes"].to_string())
    };
    for (path, text) in [
        ("main.tf", terraform("false", "var.on ? 1 : 0")),
        ("main.tf", terraform("false", "var.on == true ? 1 : 0")),
        ("main.tf", terraform("0", "var.on")),
        ("main.tf", terraform(r#""""#, r#"var.on != "" ? 1 : 0"#)),
        (
            "main.tf",
            format!(
                r#"variable "all" {{
  default = false
}}
{}"#,
                terraform("false", "var.on || var.all ? 1 : 0")
            ),
        ),
        ("t.yaml", template("false", "true")),
        ("t.yaml", template("no", "yes")),
    ] {
        let (severity, notes) = severity(&[(path, &text)]);
        assert_eq!(severity, "low", "{text}");
        assert!(notes.contains("by default, not deployed"), "{notes}");
    }
    let (low, notes) = severity(&[("main.tf", module), ("m/main.tf", always)]);
    assert!(low == "low" && notes.contains("if var.on is true"), "{low} {notes}");
    // On by default, set by someone, or a choice between environments.
    for (path, text) in [
        ("main.tf", terraform("true", "var.on ? 1 : 0")),
        ("main.tf", terraform(r#""dev""#, r#"var.on == "prod" ? 1 : 0"#)),
        (
            "main.tf",
            format!(
                r#"variable "skip" {{
  default = false
}}
{}"#,
                terraform(r#""dev""#, r#"var.on == "prod" && !var.skip ? 1 : 0"#)
            ),
        ),
        ("t.yaml", template("true", "true")),
        ("t.yaml", template("dev", "prod")),
    ] {
        assert_eq!(severity(&[(path, &text)]).0, "critical", "{text}");
    }
    let text = terraform("false", "var.on ? 1 : 0");
    let set = severity(&[("main.tf", &text), ("terraform.tfvars", "on = true\n")]).0;
    assert_eq!(set, "critical");
    let called = [
        ("m/main.tf", text.as_str()),
        (
            "main.tf",
            r#"module "m" {
  source = "./m"
  on     = true
}
"#,
        ),
    ];
    assert_eq!(severity(&called).0, "critical");
}

#[test]
fn an_empty_default_in_python_is_no_value() {
    let policy = "iam.put_role_policy(RoleName='r', PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::%s/*' % bucket}]}))";
    for (head, indent) in [
        ("def f(bucket=''):\n", "    "),
        ("def f(bucket=None):\n", "    "),
        ("bucket = os.environ.get('BUCKET', '')\n", ""),
        ("bucket = os.getenv('BUCKET', '')\n", ""),
        ("bucket = os.environ.get('BUCKET')\n", ""),
    ] {
        let text = format!(
            r"import boto3, json, os
iam = boto3.client('iam')
{head}{indent}{policy}
"
        );
        let ran = Repository::new(&[("a.py", &text)]).run(&["check", "--isolated", "-f", "json"]);
        assert_eq!(ran.json()["findings"].as_array().unwrap().len(), 0, "{text}{}", ran.out);
        let listed = Repository::new(&[("a.py", &text)])
            .run(&["policies", "--isolated", "-f", "json"])
            .out;
        assert!(!listed.contains("arn:aws:s3:::/*"), "{text}{listed}");
    }
}

#[test]
fn accounts_of_the_own_organization_are_no_strangers() {
    let role = |head: &str, principal: &str| {
        format!(
            r#"{head}
resource "aws_iam_role" "r" {{
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ AWS = {principal} }} }}] }})
}}
"#
        )
    };
    let count = |text: &str| findings_of(&["trust-cross-account-without-external-id"], &[("main.tf", text)]).len();
    let list = |name: &str| {
        format!(
            r#"variable "{name}" {{
  default = ["arn:aws:iam::444455556666:root"]
}}"#
        )
    };
    let id = |name: &str| {
        format!(
            r#"variable "{name}" {{
  default = "444455556666"
}}"#
        )
    };
    for (text, expected) in [
        (role("", r#""arn:aws:iam::444455556666:root""#), 1),
        (role(&list("accounts"), "var.accounts"), 1),
        (role(&list("partner_org_accounts"), "var.partner_org_accounts"), 1),
        (role(&list("organization_accounts"), "var.organization_accounts"), 0),
        (
            role(&id("org_account_id"), r#""arn:aws:iam::${var.org_account_id}:root""#),
            0,
        ),
        (
            role(
                r#"variable "org_account_id" {}"#,
                r#""arn:aws:iam::${var.org_account_id}:root""#,
            ),
            0,
        ),
        (
            role(
                r#"data "aws_organizations_organization" "o" {}"#,
                r#""arn:aws:iam::${data.aws_organizations_organization.o.master_account_id}:root""#,
            ),
            0,
        ),
    ] {
        assert_eq!(count(&text), expected, "{text}");
    }
}
