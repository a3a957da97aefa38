//! The language server: fixes, hovers, completion, and definitions, in all formats.

use serde_json::{Value, json};

use crate::support::language_client::{LanguageClient, rules};
use crate::support::repository::Repository;

const JSON: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:GetObject", "s3:Put*"],
    "Resource": "arn:aws:s3:::b/*",
    "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}
  }]
}
"#;

const YAML: &str = r#"Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal:
              Service: lambda.amazonaws.com
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/ReadOnlyAccess
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action:
                  - s3:GetObject
                  - s3:GetObject
                  - s3:Put*
                Resource: arn:aws:s3:::b/*
                Condition:
                  StringEquals:
                    aws:SourceAccount: "111122223333"
"#;

const HCL: &str = r#"data "aws_iam_policy_document" "d" {
  statement {
    effect    = "Allow"
    actions   = ["s3:GetObject", "s3:GetObject", "s3:Put*"]
    resources = ["arn:aws:s3:::b/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["111122223333"]
    }
  }
}
resource "aws_iam_policy" "p" {
  name   = "p"
  policy = data.aws_iam_policy_document.d.json
}
"#;

const PYTHON: &str = r#"import json
import boto3

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:GetObject", "s3:Put*"],
        "Resource": "arn:aws:s3:::b/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
    }],
}
boto3.client("iam").create_policy(PolicyName="p", PolicyDocument=json.dumps(POLICY))
"#;

const FORMATS: [(&str, &str); 4] = [("p.json", JSON), ("t.yaml", YAML), ("main.tf", HCL), ("app.py", PYTHON)];

/// Line and character of the first occurrence of `needle`, plus `after` characters.
fn place(text: &str, needle: &str, after: usize) -> (u32, u32) {
    let at = text.find(needle).unwrap_or_else(|| panic!("no {needle}")) + after;
    let line = text[..at].matches('\n').count();
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    (u32::try_from(line).unwrap(), u32::try_from(at - start).unwrap())
}

fn hover(client: &mut LanguageClient, path: &str, text: &str, needle: &str) -> String {
    let (line, character) = place(text, needle, 3);
    let at = client.at(path, line, character);
    let hover = client.request("textDocument/hover", at);
    hover["contents"]["value"].as_str().unwrap_or_default().to_owned()
}

/// The labels that are offered where the `|` of the text stands.
fn completions(client: &mut LanguageClient, path: &str, marked: &str) -> Vec<String> {
    let (line, character) = place(marked, "|", 0);
    client.open_text(path, &marked.replacen('|', "", 1));
    let at = client.at(path, line, character);
    let list = client.request("textDocument/completion", at);
    assert_eq!(list["isIncomplete"], true);
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
}

/// The text after an edit of a workspace is applied to it; later places first.
fn applied(client: &LanguageClient, path: &str, text: &str, edit: &Value) -> String {
    let uri = client.uri(path);
    let mut edits = edit["changes"][&uri]
        .as_array()
        .unwrap_or_else(|| panic!("{edit:#}"))
        .clone();
    let number = |v: &Value| usize::try_from(v.as_u64().unwrap()).unwrap();
    let offset = |p: &Value| {
        let before: usize = text.split_inclusive('\n').take(number(&p["line"])).map(str::len).sum();
        before + number(&p["character"])
    };
    edits.sort_by_key(|e| std::cmp::Reverse(offset(&e["range"]["start"])));
    let mut out = text.to_owned();
    for e in edits {
        let range = offset(&e["range"]["start"])..offset(&e["range"]["end"]);
        out.replace_range(range, e["newText"].as_str().unwrap());
    }
    out
}

fn actions(client: &mut LanguageClient, path: &str, range: &Value, only: &Value) -> Vec<Value> {
    let context = match only.is_null() {
        true => json!({"diagnostics": []}),
        false => json!({"diagnostics": [], "only": only}),
    };
    let document = json!({"uri": client.uri(path)});
    let params = json!({"textDocument": document, "range": range, "context": context});
    client
        .request("textDocument/codeAction", params)
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn hovers_explain_names_and_findings_in_all_formats() {
    let r = Repository::new(&FORMATS);
    let mut client = LanguageClient::start(&r);
    for (path, text) in FORMATS {
        client.open(path);
        client.diagnostics(path);
        let pattern = hover(&mut client, path, text, "s3:Put*");
        assert!(
            pattern.contains("`s3:Put*` matches") && pattern.contains("write"),
            "{path}: {pattern}"
        );
        let action = hover(&mut client, path, text, "s3:GetObject");
        assert!(action.contains("**`s3:GetObject`**: read"), "{path}: {action}");
        assert!(
            action.contains("object") && action.contains("arn:${Partition}:s3:::"),
            "{path}: {action}"
        );
        assert!(action.contains("Condition keys:"), "{path}: {action}");
        let key = hover(&mut client, path, text, "aws:SourceAccount");
        assert!(key.contains("global condition key"), "{path}: {key}");
        let operator = hover(&mut client, path, text, "StringEquals");
        assert!(operator.contains("**`StringEquals`**"), "{path}: {operator}");
        let arn = hover(&mut client, path, text, "arn:aws:s3:::b/*");
        assert!(
            arn.contains("Resource types:") && arn.contains("object"),
            "{path}: {arn}"
        );
    }
    let principal = hover(&mut client, "t.yaml", YAML, "lambda.amazonaws.com");
    assert!(principal.contains("service principal"), "{principal}");
    let policy = hover(&mut client, "t.yaml", YAML, "arn:aws:iam::aws:policy/ReadOnlyAccess");
    assert!(policy.contains("AWS managed policy"), "{policy}");
    // The explanation of the finding.
    client.open("p.json");
    let found = client.diagnostics("p.json");
    let redundant = found
        .iter()
        .find(|d| d["code"] == "duplicate-action")
        .unwrap_or_else(|| panic!("{found:#?}"));
    let start = &redundant["range"]["start"];
    let at = json!({"textDocument": {"uri": client.uri("p.json")}, "position": start});
    let shown = client.request("textDocument/hover", at);
    let shown = shown["contents"]["value"].as_str().unwrap();
    assert!(
        shown.contains("**[duplicate-action](https://") && shown.contains("Help: "),
        "{shown}"
    );
    client.stop();
}

#[test]
fn completion_offers_what_may_stand_there_in_all_formats() {
    let r = Repository::new(&FORMATS);
    let mut client = LanguageClient::start(&r);
    for (path, marked) in [
        ("p.json", JSON.replace("s3:Put*", "s3:Pu|")),
        ("t.yaml", YAML.replace("s3:Put*", "s3:Pu|")),
        ("main.tf", HCL.replace("s3:Put*", "s3:Pu|")),
        ("app.py", PYTHON.replace("s3:Put*", "s3:Pu|")),
    ] {
        let labels = completions(&mut client, path, &marked);
        assert!(labels.contains(&"s3:PutObject".to_owned()), "{path}: {labels:?}");
        assert!(!labels.iter().any(|l| l.starts_with("ec2:")), "{path}");
    }
    for (path, text) in FORMATS {
        let keys = completions(&mut client, path, &text.replace("aws:SourceAccount", "|"));
        for key in ["aws:SourceAccount", "s3:prefix", "aws:ResourceTag/"] {
            assert!(keys.contains(&key.to_owned()), "{path}: no {key}");
        }
        let operators = completions(&mut client, path, &text.replace("StringEquals", "String|"));
        assert!(
            operators.contains(&"StringLikeIfExists".to_owned()),
            "{path}: {operators:?}"
        );
        let arns = completions(&mut client, path, &text.replace("arn:aws:s3:::b/*", "arn:|"));
        assert!(
            arns.contains(&"arn:aws:s3:::BucketName/ObjectName".to_owned()),
            "{path}: {arns:?}"
        );
        let services = completions(&mut client, path, &text.replace("s3:Put*", "dyn|"));
        assert!(services.contains(&"dynamodb:".to_owned()), "{path}");
    }
    let principals = completions(&mut client, "t.yaml", &YAML.replace("lambda.amazonaws.com", "lam|"));
    assert!(
        principals.contains(&"lambda.amazonaws.com".to_owned()),
        "{principals:?}"
    );
    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let managed = completions(&mut client, "t.yaml", &YAML.replace(policy, "Read|"));
    assert!(managed.contains(&policy.to_owned()));
    client.stop();
}

#[test]
fn completion_offers_what_begins_with_what_is_written() {
    let r = Repository::new(&FORMATS);
    let mut client = LanguageClient::start(&r);
    for (path, text) in FORMATS {
        let actions = completions(&mut client, path, &text.replace("s3:Put*", "s3:pu|"));
        assert!(actions.contains(&"s3:PutObject".to_owned()), "{path}: {actions:?}");
        let begins = |label: &String| label.to_lowercase().starts_with("s3:pu");
        assert!(actions.iter().all(begins), "{path}: {actions:?}");
        if text.contains("lambda.amazonaws.com") {
            let principals = completions(&mut client, path, &text.replace("lambda.amazonaws.com", "lambda.|"));
            assert_eq!(principals[0], "lambda.amazonaws.com", "{path}: {principals:?}");
        }
        // What is written of an ARN stays.
        let arns = completions(
            &mut client,
            path,
            &text.replace("arn:aws:s3:::b/*", "arn:aws:s3:::acces|"),
        );
        let object = "arn:aws:s3:::acces/ObjectName".to_owned();
        assert!(arns.contains(&object), "{path}: {arns:?}");
    }
    // A string that is not closed does not take what follows.
    let open = JSON.replace("\"s3:Put*\"", "\"s3:Pu|");
    let (line, character) = place(&open, "|", 0);
    client.open_text("p.json", &open.replacen('|', "", 1));
    let at = client.at("p.json", line, character);
    let list = client.request("textDocument/completion", at);
    assert_eq!(list["items"][0]["textEdit"]["range"]["end"]["character"], character);
    // Values of a condition are no keys.
    let values = "Condition:\n  StringEquals:\n    iam:PassedToService: lambda.am|\n";
    assert_eq!(completions(&mut client, "t.yaml", values), ["lambda.amazonaws.com"]);
    let values = "Condition:\n  StringEquals:\n    aws:SourceArn: a|\n";
    assert!(completions(&mut client, "t.yaml", values).is_empty());
    assert!(completions(&mut client, "t.yaml", "Action:\n  -|\n").is_empty());
    client.stop();
}

#[test]
fn what_is_completed_takes_the_place_of_what_is_written() {
    let r = Repository::new(&[("p.json", JSON)]);
    let mut client = LanguageClient::start(&r);
    // Characters outside the first plane count two.
    let text = "{\"Id\": \"\u{1f600}\", \"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:Get\", \"Resource\": \"*\"}]}";
    client.open_text("p.json", text);
    let before = text.find("s3:Get").unwrap();
    let units = u32::try_from(text[..before].encode_utf16().count()).unwrap();
    let at = client.at("p.json", 0, units + 6);
    let list = client.request("textDocument/completion", at);
    let item = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|i| i["label"] == "s3:GetObject")
        .unwrap();
    assert_eq!(item["textEdit"]["newText"], "s3:GetObject");
    assert_eq!(item["textEdit"]["range"]["start"]["character"], units);
    assert_eq!(item["textEdit"]["range"]["end"]["character"], units + 6);
    client.stop();
}

#[test]
fn fixes_can_be_chosen_one_by_one_and_all_at_once() {
    for (path, text) in FORMATS {
        let r = Repository::new(&[(path, text)]);
        let mut client = LanguageClient::start(&r);
        client.open(path);
        let found = client.diagnostics(path);
        let redundant = found.iter().find(|d| d["code"] == "duplicate-action");
        let redundant = redundant.unwrap_or_else(|| panic!("{path}: {found:#?}"));
        assert_eq!(redundant["tags"], json!([1]), "{path}");
        let all = actions(&mut client, path, &redundant["range"], &Value::Null);
        let fix = all
            .iter()
            .find(|a| a["isPreferred"] == true)
            .unwrap_or_else(|| panic!("{path}: {all:#?}"));
        assert_eq!(fix["kind"], "quickfix");
        let fixed = applied(&client, path, text, &fix["edit"]);
        assert_eq!(fixed.matches("s3:GetObject").count(), 1, "{path}: {fixed}");
        client.change(path, &fixed);
        assert!(
            !rules(&client.diagnostics(path)).contains(&"duplicate-action"),
            "{path}"
        );
        // All that are safe in the file, as the command makes them.
        client.change(path, text);
        client.diagnostics(path);
        let all = actions(&mut client, path, &redundant["range"], &json!(["source.fixAll"]));
        let fixed = applied(&client, path, text, &all[0]["edit"]);
        r.run(&["fix", "--quiet", path]);
        assert_eq!(fixed, r.read(path), "{path}");
        client.stop();
    }
}

#[test]
fn what_is_unsafe_says_so() {
    let r = Repository::new(&[
        ("template.yaml", &unused_grant()),
        (
            "app.py",
            "import boto3\n\ndef handler(event, context):\n    boto3.client(\"s3\").get_object(Bucket=\"b\", Key=\"k\")\n",
        ),
    ]);
    let mut client = LanguageClient::start(&r);
    client.open("template.yaml");
    let found = client.diagnostics("template.yaml");
    let unused = found
        .iter()
        .find(|d| d["code"] == "unused-grant")
        .unwrap_or_else(|| panic!("{found:#?}"));
    let all = actions(&mut client, "template.yaml", &unused["range"], &Value::Null);
    let narrows = all.iter().find(|a| {
        a["title"]
            .as_str()
            .unwrap()
            .ends_with("(unsafe: changes what is granted)")
    });
    let narrows = narrows.unwrap_or_else(|| panic!("{all:#?}"));
    let fixed = applied(&client, "template.yaml", &unused_grant(), &narrows["edit"]);
    assert!(!fixed.contains("s3:DeleteObject"), "{fixed}");
    client.stop();
}

fn unused_grant() -> String {
    let function = "  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: .
      Role: !GetAtt Role.Arn
";
    let role = YAML.replace("s3:Put*", "s3:DeleteObject").replace(
        "      ManagedPolicyArns:\n        - arn:aws:iam::aws:policy/ReadOnlyAccess\n",
        "",
    );
    format!("Transform: AWS::Serverless-2016-10-31\n{role}{function}")
}

#[test]
fn suppressions_are_those_of_the_command() {
    for (path, text) in FORMATS {
        let r = Repository::new(&[(path, text)]);
        let mut client = LanguageClient::spawn(&r);
        let resolve = json!({"resolveSupport": {"properties": ["edit"]}});
        client.initialize(json!({"capabilities": {"textDocument": {"codeAction": resolve}}}));
        client.open(path);
        let found = client.diagnostics(path);
        let redundant = found.iter().find(|d| d["code"] == "duplicate-action").unwrap();
        let all = actions(&mut client, path, &redundant["range"], &Value::Null);
        let ignore = all
            .iter()
            .find(|a| a["title"].as_str().unwrap().starts_with("Ignore `duplicate-action`"));
        let ignore = ignore.unwrap_or_else(|| panic!("{path}: {all:#?}"));
        assert!(ignore["edit"].is_null(), "{path}");
        let ignore = client.request("codeAction/resolve", ignore.clone());
        let line = redundant["range"]["start"]["line"].as_u64().unwrap() + 1;
        let at = format!("{path}:{line}");
        r.run(&[
            "ignore",
            &at,
            "--rule",
            "duplicate-action",
            "--reason",
            "TODO: state the reason",
        ]);
        if path.ends_with(".json") {
            // No comment can stand there.
            let operations = ignore["edit"]["documentChanges"].as_array().unwrap();
            let text = operations[1]["edits"][0]["newText"].as_str().unwrap();
            assert_eq!(text, r.read("overgrant.toml"));
        } else {
            let ignored = applied(&client, path, text, &ignore["edit"]);
            assert_eq!(ignored, r.read(path), "{path}");
            client.change(path, &ignored);
            assert!(
                !rules(&client.diagnostics(path)).contains(&"duplicate-action"),
                "{path}"
            );
        }
        client.stop();
    }
}

#[test]
fn definitions_lead_from_roles_to_policies_and_code_and_back() {
    let main = r#"resource "aws_iam_role" "r" {
  name = "r"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = file("p.json")
}
data "archive_file" "code" {
  type        = "zip"
  source_file = "${path.module}/app.py"
  output_path = "${path.module}/app.zip"
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.r.arn
  filename      = data.archive_file.code.output_path
  runtime       = "python3.12"
  handler       = "app.handler"
}
"#;
    let app =
        "import boto3\n\ndef handler(event, context):\n    boto3.client(\"s3\").get_object(Bucket=\"b\", Key=\"k\")\n";
    let r = Repository::new(&[("main.tf", main), ("p.json", JSON), ("app.py", app)]);
    let mut client = LanguageClient::start(&r);
    let mut targets = |path: &str, text: &str, needle: &str| -> Vec<(String, u64)> {
        client.open_text(path, text);
        let (line, character) = place(text, needle, 2);
        let at = client.at(path, line, character);
        let found = client.request("textDocument/definition", at);
        let root = client.uri("");
        let found = found.as_array().unwrap().iter();
        let target = |l: &Value| {
            let uri = l["uri"]
                .as_str()
                .unwrap()
                .trim_start_matches(&*root)
                .trim_start_matches('/')
                .to_owned();
            (uri, l["range"]["start"]["line"].as_u64().unwrap())
        };
        found.map(target).collect()
    };
    // From the role to its policy and to the code that runs with it.
    let of_role = targets("main.tf", main, "\"aws_iam_role\" \"r\"");
    assert!(of_role.contains(&("p.json".to_owned(), 0)), "{of_role:?}");
    assert!(of_role.contains(&("app.py".to_owned(), 2)), "{of_role:?}");
    // From the function to its role, and from its handler to the code.
    let role = targets("main.tf", main, "aws_iam_role.r.arn");
    assert_eq!(role, [("main.tf".to_owned(), 0)]);
    let handler = targets("main.tf", main, "app.handler");
    assert_eq!(handler, [("app.py".to_owned(), 2)]);
    let function = targets("main.tf", main, "\"aws_lambda_function\" \"f\"");
    assert!(
        function.contains(&("app.py".to_owned(), 2)) && function.contains(&("main.tf".to_owned(), 0)),
        "{function:?}"
    );
    // Back: from the policy to the role, and from the code to the role.
    let of_policy = targets("p.json", JSON, "s3:Put*");
    assert!(of_policy.iter().any(|(path, _)| path == "main.tf"), "{of_policy:?}");
    let of_code = targets("app.py", app, "handler(event");
    assert!(of_code.contains(&("main.tf".to_owned(), 0)), "{of_code:?}");
}
