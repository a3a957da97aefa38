//! Text of files that a terminal or the runner of a pipeline would obey is shown as text in every output.

use crate::support::repository::Repository;
use overgrant::internals::report::OutputFormat;

/// As it stands in JSON, in TOML, and between double quotes in YAML, HCL, and Python.
const EVIL: &str = r"x\n::error::PWNED\r\n##vso[task.complete]##[add-mask]PWNED\u001b[31m\u202e";

/// Names of resources, statements, actions, values, paths, parameters, functions, and rules, all of them hostile.
fn hostile() -> Repository {
    let policy = |more: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "{EVIL}", "Effect": "Allow", "Action": ["*", "{EVIL}"], "Resource": ["*", "{EVIL}"], "Condition": {{"StringEquals": {{"{EVIL}": "{EVIL}"}}}}{more}}}]}}"#
        )
    };
    let principal = policy(&format!(r#", "Principal": {{"AWS": "{EVIL}"}}"#));
    let template = format!(
        r#"{{"Parameters": {{"{EVIL}": {{"Type": "String"}}}}, "Resources": {{"{EVIL}": {{"Type": "AWS::IAM::ManagedPolicy", "Properties": {{"PolicyDocument": {{"Version": "2012-10-17", "Statement": [{{"Sid": "{EVIL}", "Effect": "Allow", "Action": "*", "Resource": "*"}}, {{"Effect": "Allow", "Action": {{"Ref": "{EVIL}"}}, "Resource": "*"}}]}}}}}},
"F{EVIL}": {{"Type": "AWS::Lambda::Function", "Properties": {{"Handler": "{EVIL}", "Runtime": "python3.12", "Code": "./{EVIL}", "Role": {{"Fn::GetAtt": ["{EVIL}", "Arn"]}}}}}}}}}}"#
    );
    let terraform = format!(
        "variable \"x\" {{}}\nresource \"aws_iam_policy\" \"b\" {{\n  # ::error::PWNED\n  ::error::PWNED = 1\n  policy = var.x[\"{EVIL}\"]\n}}\nmodule \"{EVIL}\" {{\n  source = \"{EVIL}/x/aws\"\n}}\n"
    );
    let python = format!(
        "import boto3\ns = boto3.client(\"s3\")\ns.get_object(Bucket=\"{EVIL}\", Key=\"k\")\ns.put_objekt(A=\"\")\nboto3.client(\"iam\").create_policy(PolicyName=\"p\", PolicyDocument=event[\"{EVIL}\"])\n"
    );
    // A context line of a patch begins with a blank.
    let fixable = "Version: '2012-10-17'\nStatement:\n  - Effect: Allow\n    ? ::error::PWNED\n    : 1\n    Action: ['s3:getobject', 's3:GetObject']\n    # ##vso[task.complete]\n    Resource: '*'\n";
    let rule = format!(
        "id: \"acme/x\"\ntitle: \"{EVIL}\"\nseverity: high\nconfidence: high\nprofile: default\nsince: 0.1.0\nwhy: \"{EVIL}\"\ndo: \"{EVIL}\"\nmatch:\n  statement:\n    effect: allow\n    action: {{any: {{covers: \"*:*\"}}, as: act}}\nreport:\n  at: act\n  label: \"{EVIL}\"\n  message: \"{EVIL}\"\nexamples:\n  bad: []\n  good: []\n"
    );
    let settings = format!(
        "rule-dirs = [\"rules\"]\n[[exception]]\nrule = \"unknown-action\"\nreason = \"{EVIL}\"\npath = \"b.json\"\n"
    );
    let r = Repository::new(&[
        ("b.json", &principal),
        ("t.json", &template),
        ("main.tf", &terraform),
        ("app.py", &python),
        ("fix.yaml", fixable),
        ("rules/acme/x.yaml", &rule),
        ("overgrant.toml", &settings),
    ]);
    #[cfg(unix)]
    for (path, text) in [
        ("a\n::error::PWNED|##[error]`<img>\u{1b}[31m\u{202e}.json", policy("")),
        ("::error::PWNED.json", policy("")),
        ("##vso[task.complete].py", python.clone()),
        ("x\n::error::PWNED.txt", String::new()),
    ] {
        r.write(path, text.as_bytes());
    }
    r
}

/// The first line that a runner would obey, or character that would drive a terminal.
fn obeyed(text: &str, own: &[&str]) -> Option<String> {
    let is_own = |line: &str| own.iter().any(|begin| line.starts_with(begin));
    let command = |line: &&str| {
        line.trim_start().starts_with("::") && !is_own(line) || line.contains("##[") || line.contains("##vso[")
    };
    let driving = |c: char| c.is_control() && c != '\n';
    text.split(['\n', '\r', '\u{85}', '\u{2028}'])
        .find(command)
        .map(str::to_owned)
        .or_else(|| text.chars().find(|c| driving(*c)).map(|c| format!("{c:?} in {text}")))
}

#[test]
fn no_text_of_a_file_is_obeyed() {
    let r = hostile();
    let mut runs: Vec<Vec<&str>> = Vec::new();
    for format in OutputFormat::ALL.map(OutputFormat::name) {
        runs.push(vec!["check", "-f", format]);
        runs.push(vec!["check", "-v", "--profile", "audit", "--statistics", "-f", format]);
    }
    runs.extend(
        [
            &["policies"][..],
            &["policies", "-f", "json"],
            &["policies", "--unjudged"],
            &["policies", "--unjudged", "-f", "json"],
            &["needs"],
            &["needs", "-f", "json"],
            &["needs", "-f", "policy"],
            &["workloads"],
            &["workloads", "-f", "json"],
            &["workloads", "-f", "markdown"],
            &["graph"],
            &["graph", "-f", "svg"],
            &["graph", "-f", "dot"],
            &["graph", "-f", "mermaid"],
            &["files"],
            &["files", "-f", "json"],
            &["expand", "b.json"],
            &["fix", "--diff"],
            &["fix", "--unsafe", "--diff"],
            &["rules"],
            &["rules", "-f", "markdown"],
            &["explain", "acme/x"],
            &["explain", "b.json:1"],
            &["test-rules", "rules"],
            &["config", "show"],
            &["check", "\n::error::PWNED"],
            &["check", "--\n::error::PWNED\u{1b}[31m"],
            &["check", "--select", "a\n::error::PWNED"],
            &["check", "--config", "a\n::error::PWNED"],
        ]
        .map(<[&str]>::to_vec),
    );
    let own = ["::error file=", "::warning file=", "::notice file=", "::notice::"];
    for args in runs {
        let ran = r.run(&args);
        let own = if args.contains(&"github") { &own[..] } else { &[] };
        for text in [&ran.out, &ran.err] {
            assert_eq!(obeyed(text, own), None, "{args:?}");
            assert!(!text.contains("internal error"), "{args:?}: {text}");
        }
        if args.contains(&"json") {
            // The values are the true ones.
            assert!(ran.json().to_string().contains("##vso["), "{args:?}");
        }
    }
    let shown = r.run(&["check"]).out;
    assert!(shown.contains("error::PWNED") && !shown.contains('\u{202e}'), "{shown}");
}

#[test]
fn keys_of_settings_are_cited_on_one_line() {
    let settings = format!("\"{EVIL}\" = 1\n[rules.\"{EVIL}\"]\nseverity = \"{EVIL}\"\n");
    let r = Repository::new(&[("overgrant.toml", &settings), ("p.json", "{}")]);
    for args in [&["check"][..], &["config", "check"], &["rules"]] {
        let ran = r.run(args);
        assert_eq!(
            (ran.code, obeyed(&ran.err, &[]), obeyed(&ran.out, &[])),
            (2, None, None),
            "{args:?}"
        );
    }
}
