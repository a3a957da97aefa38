//! `overgrant can --request`: requests from the documentation of AWS, with what it decides.
//!
//! A table of `testdata/can` is a page and its requests. `principal` and `for` may be a name of [`NAMES`], and a policy is a list
//! of statements in the short form `{allow: ACTION, on: RESOURCE, for: PRINCIPAL, if: CONDITION}`, of which each part is as in a
//! policy, and `deny`, `allow-not`, `deny-not`, `on-not`, and `for-not` are the other forms. `conditions` has the operator, the
//! values of the policy, those of the request (`~`: the key is absent), and whether it holds.

use std::path::Path;
use std::process::{Command, Stdio};

use overgrant::internals::access::{Decision, decide};
use overgrant::internals::formats::request_file::RequestFile;
use overgrant::internals::source::{FileId, Sources};
use serde::Deserialize;
use serde_json::{Value, json};

const NAMES: &[(&str, &str)] = &[
    ("root", "arn:aws:iam::111122223333:root"),
    ("bob", "arn:aws:iam::111122223333:user/bob"),
    ("alice", "arn:aws:iam::111122223333:user/alice"),
    ("role", "arn:aws:iam::111122223333:role/app"),
    ("session", "arn:aws:sts::111122223333:assumed-role/app/s1"),
    ("other-session", "arn:aws:sts::111122223333:assumed-role/app/s2"),
    ("federated", "arn:aws:sts::111122223333:federated-user/bob"),
    (
        "linked",
        "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    ),
    ("eve", "arn:aws:iam::444455556666:user/eve"),
    ("eve-role", "arn:aws:iam::444455556666:role/ext"),
    ("eve-session", "arn:aws:sts::444455556666:assumed-role/ext/s9"),
    ("eve-root", "arn:aws:iam::444455556666:root"),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    page: String,
    #[serde(default)]
    cases: Vec<Case>,
    #[serde(default)]
    conditions: Vec<(String, Value, Value, bool)>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    name: String,
    is: String,
    principal: Value,
    action: String,
    #[serde(default)]
    resource: Value,
    #[serde(default)]
    resource_account: Value,
    #[serde(default)]
    context: Value,
    /// Of all its policies; none where it is empty.
    #[serde(default = "current")]
    version: String,
    /// Each a list of statements.
    #[serde(default)]
    identity: Vec<Value>,
    resource_policy: Option<Value>,
    #[serde(default)]
    boundary: Vec<Value>,
    session: Option<Value>,
    #[serde(default)]
    scp: Vec<Vec<Value>>,
    #[serde(default)]
    rcp: Vec<Vec<Value>>,
    #[serde(default)]
    endpoint: Vec<Value>,
}

fn current() -> String {
    "2012-10-17".to_owned()
}

fn named(value: &Value) -> Value {
    match value {
        Value::String(text) if text == "anonymous" => json!({"type": "Anonymous"}),
        Value::String(text) => {
            let known = NAMES.iter().find(|(name, _)| name == text);
            json!(known.map_or(&**text, |(_, arn)| *arn))
        }
        Value::Array(items) => items.iter().map(named).collect(),
        Value::Object(types) => types.iter().map(|(kind, of)| (kind.clone(), named(of))).collect(),
        other => other.clone(),
    }
}

fn statement(short: &Value) -> Value {
    let mut out = serde_json::Map::new();
    for (key, value) in short.as_object().unwrap_or_else(|| panic!("no statement: {short}")) {
        let mut set = |key: &str, value: Value| out.insert(key.to_owned(), value);
        match &**key {
            "allow" | "deny" | "allow-not" | "deny-not" => {
                set("Effect", json!(if key.starts_with("allow") { "Allow" } else { "Deny" }));
                set(
                    if key.ends_with("-not") { "NotAction" } else { "Action" },
                    value.clone(),
                );
            }
            "on" => drop(set("Resource", value.clone())),
            "on-not" => drop(set("NotResource", value.clone())),
            "for" | "for-not" => {
                let who = match value {
                    Value::String(text) if text == "*" => value.clone(),
                    Value::String(_) | Value::Array(_) => json!({"AWS": named(value)}),
                    other => named(other),
                };
                set(if key == "for" { "Principal" } else { "NotPrincipal" }, who);
            }
            "if" => drop(set("Condition", value.clone())),
            "sid" => drop(set("Sid", value.clone())),
            other => panic!("unknown part of a statement: {other}"),
        }
    }
    Value::Object(out)
}

impl Case {
    fn document(&self, statements: &Value) -> Value {
        let statements = match statements {
            Value::Array(all) => all.iter().map(statement).collect(),
            one => vec![statement(one)],
        };
        match self.version.is_empty() {
            true => json!({"Statement": statements}),
            false => json!({"Version": self.version, "Statement": statements}),
        }
    }

    fn file(&self) -> Value {
        let all = |documents: &[Value]| -> Vec<Value> { documents.iter().map(|d| self.document(d)).collect() };
        let levels = |levels: &[Vec<Value>]| -> Vec<Vec<Value>> { levels.iter().map(|l| all(l)).collect() };
        let some = |documents: &[Value]| (!documents.is_empty()).then(|| all(documents));
        let context = if self.context.is_null() {
            json!({})
        } else {
            self.context.clone()
        };
        json!({
            "request": {
                "principal": named(&self.principal),
                "action": self.action,
                "resource": self.resource,
                "resource_account": self.resource_account,
                "context": context,
            },
            "policies": {
                "identity": all(&self.identity),
                "resource": self.resource_policy.as_ref().map(|d| self.document(d)),
                "boundary": some(&self.boundary),
                "session": self.session.as_ref().map(|d| self.document(d)),
                "scp": levels(&self.scp),
                "rcp": levels(&self.rcp),
                "endpoint": some(&self.endpoint),
            },
        })
    }
}

/// The decision about a request file, or what is wrong with it.
fn decided(file: &Value) -> Result<Decision, String> {
    let text = file.to_string();
    let sources = Sources::from_strings(&[("request.json", &*text)]);
    let file = RequestFile::read(&sources, FileId(0)).map_err(|e| e.to_string())?;
    Ok(decide(&file.request, &file.policies()).decision)
}

fn decision(file: &Value) -> String {
    match decided(file) {
        Ok(decision) => serde_json::to_value(decision).unwrap().as_str().unwrap().to_owned(),
        Err(e) => e,
    }
}

/// A request that a statement with a condition is about.
fn conditional((operator, policy, value, holds): &(String, Value, Value, bool)) -> Case {
    let mut context = serde_json::Map::new();
    context.insert("aws:PrincipalTag/own".to_owned(), json!("me"));
    if !value.is_null() {
        context.insert("test:Key".to_owned(), value.clone());
    }
    Case {
        name: format!("{operator} {policy} on {value}"),
        is: if *holds { "allowed" } else { "implicitly-denied" }.to_owned(),
        principal: json!("bob"),
        action: "test:Act".to_owned(),
        resource: json!("*"),
        resource_account: Value::Null,
        context: Value::Object(context),
        version: current(),
        identity: vec![json!({"allow": "test:Act", "on": "*", "if": {operator: {"test:key": policy}}})],
        resource_policy: None,
        boundary: Vec::new(),
        session: None,
        scp: Vec::new(),
        rcp: Vec::new(),
        endpoint: Vec::new(),
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/can");
    let mut out = Vec::new();
    for file in walkdir::WalkDir::new(root).sort_by_file_name() {
        let file = file.unwrap();
        if !file.file_type().is_file() {
            continue;
        }
        let text = std::fs::read_to_string(file.path()).unwrap();
        let table: Table = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.path().display()));
        assert!(!table.page.is_empty());
        let name = file.path().file_stem().unwrap().to_string_lossy().into_owned();
        let all = table.cases.into_iter().chain(table.conditions.iter().map(conditional));
        out.extend(all.map(|case| Case {
            name: format!("{name}: {}", case.name),
            ..case
        }));
    }
    out
}

#[test]
fn requests_are_decided_as_the_documentation_says() {
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = decision(&case.file());
            (found != case.is).then(|| format!("{}: {found}, not {}", case.name, case.is))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n  {}",
        wrong.len(),
        cases.len(),
        wrong.join("\n  ")
    );
    assert!(cases.len() >= 300, "{} requests", cases.len());
}

/// How much a decision grants.
fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Allowed => 2,
        Decision::Unknown => 1,
        Decision::ImplicitlyDenied | Decision::ExplicitlyDenied => 0,
    }
}

fn lists(file: &mut Value) -> Vec<&mut Value> {
    let policies = file["policies"].as_object_mut().unwrap();
    let mut out = Vec::new();
    for value in policies.values_mut().filter(|v| !v.is_null()) {
        let mut stack = vec![value];
        while let Some(value) = stack.pop() {
            match value {
                Value::Array(items) => stack.extend(items),
                document => out.push(&mut document["Statement"]),
            }
        }
    }
    out
}

#[test]
fn another_deny_never_allows_more() {
    for case in cases() {
        let before = decided(&case.file()).unwrap();
        let more = |resource: &str| {
            let mut file = case.file();
            let deny = json!({"Effect": "Deny", "Action": case.action, "Resource": resource});
            file["policies"]["identity"]
                .as_array_mut()
                .unwrap()
                .push(json!({"Version": "2012-10-17", "Statement": deny}));
            decided(&file).unwrap()
        };
        assert_eq!(rank(before), rank(more("arn:aws:other:::nothing")), "{}", case.name);
        assert!(rank(more("*")) <= rank(before), "{}", case.name);
    }
}

#[test]
fn a_wider_allow_never_allows_less() {
    for case in cases() {
        let before = decided(&case.file()).unwrap();
        for part in ["Action", "Resource"] {
            let mut file = case.file();
            for statements in lists(&mut file) {
                for s in statements.as_array_mut().unwrap() {
                    if s["Effect"] == "Allow" && s.get(part).is_some() {
                        s[part] = json!("*");
                    }
                }
            }
            assert!(
                rank(decided(&file).unwrap()) >= rank(before),
                "{} with any {part}",
                case.name
            );
        }
    }
}

#[test]
fn order_and_spelling_change_nothing() {
    for case in cases() {
        let before = decided(&case.file()).unwrap();
        let mut file = case.file();
        let action = case.action.to_uppercase();
        file["request"]["action"] = json!(action);
        let context = file["request"]["context"].as_object().unwrap();
        let upper = context.iter().map(|(key, value)| (key.to_uppercase(), value.clone()));
        file["request"]["context"] = Value::Object(upper.collect());
        for statements in lists(&mut file) {
            let all = statements.as_array_mut().unwrap();
            all.reverse();
            for s in all.iter_mut() {
                for part in ["Action", "Resource"] {
                    if let Some(text) = s.get(part).filter(|v| v.is_string()) {
                        s[part] = json!([text.clone(), text.clone()]);
                    }
                }
            }
            if all.len() == 1 {
                *statements = all[0].clone();
            }
        }
        assert_eq!(decided(&file).unwrap(), before, "{}", case.name);
    }
}

/// Runs the command on a text as its standard input.
fn run(text: &str, more: &[&str]) -> (i32, String, String) {
    use std::io::Write as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_overgrant"))
        .args(["can", "--request", "-"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

#[test]
fn the_answer_names_the_statements() {
    let file = json!({
        "request": {
            "principal": "arn:aws:iam::111122223333:user/bob",
            "action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k",
            "resource_account": null,
            "context": {},
        },
        "policies": {
            "identity": [{"Version": "2012-10-17", "Statement": [
                {"Sid": "Other", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"},
                {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
            ]}],
            "resource": null, "boundary": null, "session": null, "scp": [], "rcp": [], "endpoint": null,
        },
    });
    let (code, json, _) = run(&file.to_string(), &["--format", "json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["decision"], "allowed");
    assert_eq!(answer["why"], "an identity policy allows it");
    let by = answer["by"].as_array().unwrap();
    assert_eq!(by.len(), 1);
    assert_eq!(
        (&by[0]["sid"], &by[0]["policy"], &by[0]["statement"]),
        (&json!("Read"), &json!("identity"), &json!(1))
    );
    let (code, human, _) = run(&file.to_string(), &[]);
    assert_eq!(code, 0);
    assert!(
        human.starts_with("allowed: an identity policy allows it\n  stdin.json:1:"),
        "{human}"
    );
}

#[test]
fn an_invalid_file_is_an_error_with_its_place() {
    let request =
        r#""request": {"principal": "arn:aws:iam::111122223333:user/bob", "action": "s3:GetObject", "resource": "*"}"#;
    let with = |policies: &str| format!(r#"{{{request}, "policies": {policies}}}"#);
    let statement = |s: &str| {
        with(&format!(
            r#"{{"identity": [{{"Version": "2012-10-17", "Statement": [{s}]}}]}}"#
        ))
    };
    for (text, what) in [
        ("{".to_owned(), "not JSON"),
        ("[]".to_owned(), "a request file is a list"),
        ("{}".to_owned(), "needs `request`"),
        (
            r#"{"request": {"principal": "lambda.amazonaws.com"}}"#.to_owned(),
            "needs `action`",
        ),
        (
            r#"{"request": {"action": "s3:GetObject"}}"#.to_owned(),
            "needs `principal`",
        ),
        (
            r#"{"request": {"principal": "bob", "action": "s3:GetObject"}}"#.to_owned(),
            "`bob` is not the ARN",
        ),
        (
            r#"{"request": {"principal": "arn:aws:iam::111122223333:group/g", "action": "s3:GetObject"}}"#.to_owned(),
            "is not the ARN",
        ),
        (
            r#"{"request": {"principal": {"type": "Anonymous"}, "action": "GetObject"}}"#.to_owned(),
            "is not an action",
        ),
        (
            r#"{"request": {"principal": {"type": "Robot"}, "action": "s3:GetObject"}}"#.to_owned(),
            "is not a type of principal",
        ),
        (
            r#"{"request": {"principal": {"type": "Anonymous"}, "action": "s3:GetObject", "context": []}}"#.to_owned(),
            "`context` is a list",
        ),
        (
            r#"{"request": {"principal": {"type": "Anonymous"}, "action": "s3:GetObject", "resource_account": "12"}}"#
                .to_owned(),
            "12-digit",
        ),
        (with(r#"{"identitty": []}"#), "has no key `identitty`"),
        (with(r#"{"identity": {}}"#), "`identity` is an object, not a list"),
        (with(r#"{"scp": [{}]}"#), "`scp` is an object, not a list"),
        (with(r#"{"session": []}"#), "not an object"),
        (with(r#"{"identity": ["x"]}"#), "not an object"),
        (with(r#"{"identity": [{}]}"#), "`Statement` is missing"),
        (
            statement(r#"{"Effect": "Allow", "Resource": "*"}"#),
            "needs an `Action`",
        ),
        (statement(r#"{"Effect": "Allow", "Action": "*"}"#), "needs a `Resource`"),
        (statement(r#"{"Action": "*", "Resource": "*"}"#), "`Effect` is missing"),
        (
            statement(r#"{"Effect": "Permit", "Action": "*", "Resource": "*"}"#),
            "neither `Allow` nor `Deny`",
        ),
        (
            statement(r#"{"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}"#),
            "stands beside",
        ),
        (
            statement(r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Conditions": {}}"#),
            "`Conditions` is not an element",
        ),
        (
            statement(r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}"#),
            "cannot have a `Principal`",
        ),
        (
            statement(
                r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringIs": {"a:b": "c"}}}"#,
            ),
            "`StringIs` is not a condition operator",
        ),
        (
            with(r#"{"resource": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}"#),
            "needs a `Principal`",
        ),
        (
            with(r#"{"identity": [{"Version": "2020-01-01", "Statement": []}]}"#),
            "the version `2020-01-01`",
        ),
    ] {
        let (code, out, error) = run(&text, &["--format", "json"]);
        assert_eq!((code, &*out), (2, ""), "{text}");
        assert!(error.contains(what), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
