//! The language server: its life, its messages, and what it says of files and of texts that are not saved.

use serde_json::{Value, json};

use crate::support::generated;
use crate::support::language_client::{LanguageClient, rules};
use crate::support::repository::Repository;

const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
const READER: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k/*"}]}"#;

/// One finding in each of two files that belong together: the policy is in a file of its own.
const ROLE: &str = r#"resource "aws_iam_role" "r" {
  name = "r"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = file("p.json")
}
"#;

/// Rule, line, and column, from 0, of the new findings of a run of the command.
fn found_by_command(r: &Repository, path: &str) -> Vec<(String, u64, u64)> {
    let findings = r.run(&["check", "--format", "json", "."]).findings();
    let of_file = findings.iter().filter(|f| f["status"] == "new" && f["path"] == path);
    let place = |f: &Value| {
        let start = &f["span"]["start"];
        let number = |key: &str| start[key].as_u64().unwrap() - 1;
        (f["rule"].as_str().unwrap().to_owned(), number("line"), number("column"))
    };
    let mut found: Vec<_> = of_file.map(place).collect();
    found.sort();
    found
}

fn found_by_server(diagnostics: &[Value]) -> Vec<(String, u64, u64)> {
    let place = |d: &Value| {
        let start = &d["range"]["start"];
        let rule = d["code"].as_str().unwrap().to_owned();
        (
            rule,
            start["line"].as_u64().unwrap(),
            start["character"].as_u64().unwrap(),
        )
    };
    let findings = diagnostics.iter().filter(|d| d["code"] != "not-judged");
    let mut found: Vec<_> = findings.map(place).collect();
    found.sort();
    found
}

#[test]
fn the_server_says_what_the_command_says() {
    let r = Repository::new(&[("main.tf", ROLE), ("p.json", ADMIN), ("other.json", READER)]);
    let mut client = LanguageClient::start(&r);
    for path in ["main.tf", "p.json", "other.json"] {
        client.open(path);
        let diagnostics = client.diagnostics(path);
        assert_eq!(found_by_server(&diagnostics), found_by_command(&r, path), "{path}");
    }
    client.open_text("p.json", ADMIN);
    let diagnostics = client.diagnostics("p.json");
    let admin = diagnostics.iter().find(|d| d["code"] == "admin-star-star").unwrap();
    assert_eq!(admin["severity"], 1);
    assert_eq!(admin["source"], "overgrant");
    let href = admin["codeDescription"]["href"].as_str().unwrap();
    assert!(href.ends_with("/rules/admin-star-star.html"), "{href}");
    client.stop();
}

#[test]
fn labels_in_other_files_are_related_information() {
    let r = Repository::new(&[("main.tf", ROLE), ("p.json", ADMIN)]);
    let mut client = LanguageClient::start(&r);
    client.open("p.json");
    let diagnostics = client.diagnostics("p.json");
    let related = diagnostics
        .iter()
        .flat_map(|d| d["relatedInformation"].as_array().into_iter().flatten());
    let main = client.uri("main.tf");
    assert!(
        related.into_iter().any(|i| i["location"]["uri"] == *main),
        "{diagnostics:#?}"
    );
}

#[test]
fn texts_that_are_not_saved_count_instead_of_files() {
    let r = Repository::new(&[("main.tf", ROLE), ("p.json", READER)]);
    let mut client = LanguageClient::start(&r);
    client.open("main.tf");
    let before = client.diagnostics("main.tf");
    assert!(!rules(&before).contains(&"admin-star-star"));
    client.open("p.json");
    assert_eq!(
        found_by_server(&client.diagnostics("p.json")),
        found_by_command(&r, "p.json")
    );
    client.change("p.json", ADMIN);
    assert!(rules(&client.diagnostics("p.json")).contains(&"admin-star-star"));
    // What refers to the file hears of it, as it would if it were saved.
    client.open_text("main.tf", ROLE);
    let unsaved = client.diagnostics("main.tf");
    r.write("p.json", ADMIN.as_bytes());
    assert_eq!(found_by_server(&unsaved), found_by_command(&r, "main.tf"));
    r.write("p.json", READER.as_bytes());
    let closed = json!({"textDocument": {"uri": client.uri("p.json")}});
    client.notify("textDocument/didClose", closed);
    assert_eq!(client.next_diagnostics("p.json"), Vec::<Value>::new());
    // A file that is nowhere on disk.
    client.open_text("new.json", ADMIN);
    assert!(rules(&client.diagnostics("new.json")).contains(&"admin-star-star"));
    client.stop();
}

#[test]
fn a_file_that_begins_to_be_a_policy_is_one() {
    let r = Repository::new(&[("p.json", "{}")]);
    let mut client = LanguageClient::start(&r);
    client.open("p.json");
    assert_eq!(client.diagnostics("p.json"), Vec::<Value>::new());
    client.change("p.json", ADMIN);
    assert!(rules(&client.diagnostics("p.json")).contains(&"admin-star-star"));
    client.change("p.json", &ADMIN[..ADMIN.len() - 3]);
    let broken = client.diagnostics("p.json");
    assert!(
        rules(&broken).contains(&"json-syntax-error") || rules(&broken).contains(&"unreadable-input"),
        "{broken:#?}"
    );
    client.change("p.json", "{}");
    assert_eq!(client.diagnostics("p.json"), Vec::<Value>::new());
}

#[test]
fn edits_are_applied_in_utf16_and_in_utf8() {
    let text = "{\"Version\": \"2012-10-17\", \"Id\": \"\u{1f600}é\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}]}";
    let offered = json!({"capabilities": {"general": {"positionEncodings": ["utf-8", "utf-16"]}}});
    for (more, encoding) in [(json!({}), "utf-16"), (offered, "utf-8")] {
        let r = Repository::new(&[("p.json", text)]);
        let mut client = LanguageClient::spawn(&r);
        assert_eq!(client.initialize(more)["positionEncoding"], encoding);
        client.open("p.json");
        client.diagnostics("p.json");
        let before = &text[..text.find("s3:GetObject").unwrap()];
        let units = |text: &str| match encoding {
            "utf-8" => text.len(),
            _ => text.encode_utf16().count(),
        };
        let (start, end) = (units(before), units(before) + "s3:GetObject".len());
        let range = json!({"start": {"line": 0, "character": start}, "end": {"line": 0, "character": end}});
        client.edit("p.json", &json!([{"range": range, "text": "*"}]));
        let diagnostics = client.diagnostics("p.json");
        let admin = diagnostics.iter().find(|d| d["code"] == "admin-star-star").unwrap();
        // The quotes belong to the token.
        assert_eq!(admin["range"]["start"]["character"], start - 1, "{encoding}");
        assert_eq!(admin["range"]["end"]["character"], start + 2, "{encoding}");
        client.stop();
    }
}

#[test]
fn several_folders_are_read_and_may_come_and_go() {
    let r = Repository::new(&[("a/p.json", ADMIN), ("b/p.json", ADMIN), ("c/p.json", ADMIN)]);
    for folder in ["a", "b", "c"] {
        std::fs::create_dir(r.path(folder).join(".git")).unwrap();
    }
    let mut client = LanguageClient::spawn(&r);
    let folder = |client: &LanguageClient, name: &str| json!({"uri": client.uri(name), "name": name});
    let folders = json!([folder(&client, "a"), folder(&client, "b")]);
    client.initialize(json!({"rootUri": client.uri("a"), "workspaceFolders": folders}));
    let all = client.request("workspace/diagnostic", json!({"previousResultIds": []}));
    let uris = |all: &Value| -> Vec<String> {
        let items = all["items"].as_array().unwrap().iter();
        items.map(|item| item["uri"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(uris(&all), [client.uri("a/p.json"), client.uri("b/p.json")]);
    let event = json!({"added": [folder(&client, "c")], "removed": [folder(&client, "a")]});
    client.notify("workspace/didChangeWorkspaceFolders", json!({ "event": event }));
    let all = client.request("workspace/diagnostic", json!({"previousResultIds": []}));
    assert_eq!(uris(&all), [client.uri("b/p.json"), client.uri("c/p.json")]);
    client.stop();
}

#[test]
fn without_a_folder_single_files_are_checked() {
    let r = Repository::new(&[("main.tf", ROLE), ("p.json", ADMIN)]);
    let mut client = LanguageClient::spawn(&r);
    client.initialize(json!({"rootUri": null}));
    client.open("p.json");
    let diagnostics = client.diagnostics("p.json");
    assert_eq!(found_by_server(&diagnostics), found_by_command(&r, "p.json"));
    client.change("p.json", READER);
    assert!(!rules(&client.diagnostics("p.json")).contains(&"admin-star-star"));
    client.stop();
}

#[test]
fn buffers_without_a_file_are_checked_by_their_language() {
    let r = Repository::new(&[("main.tf", ROLE)]);
    let mut client = LanguageClient::start(&r);
    for (uri, language, text) in [
        ("untitled:Untitled-1", "json", ADMIN.to_owned()),
        (
            "untitled:Untitled-2",
            "terraform",
            format!("resource \"aws_iam_policy\" \"p\" {{\n  policy = <<EOT\n{ADMIN}\nEOT\n}}\n"),
        ),
        // As Neovim calls a buffer that has no name.
        ("file:///", "json", ADMIN.to_owned()),
    ] {
        let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
        client.notify("textDocument/didOpen", json!({ "textDocument": document }));
        let published = client.wait(|m| m["method"] == "textDocument/publishDiagnostics" && m["params"]["uri"] == uri);
        let found = published["params"]["diagnostics"].as_array().unwrap().clone();
        assert!(rules(&found).contains(&"admin-star-star"), "{uri}: {found:#?}");
    }
    client.stop();
}

#[test]
fn what_is_opened_again_is_published_again() {
    let r = Repository::new(&[("p.json", ADMIN)]);
    let mut client = LanguageClient::start(&r);
    client.open("p.json");
    let before = client.diagnostics("p.json");
    assert!(!before.is_empty());
    // In one write, as Neovim does for `:edit!`.
    let uri = client.uri("p.json");
    let document = json!({"uri": uri, "languageId": "json", "version": 1, "text": ADMIN});
    let both = [
        ("textDocument/didClose", json!({"textDocument": {"uri": uri}})),
        ("textDocument/didOpen", json!({ "textDocument": document })),
    ];
    let both: String = both
        .iter()
        .map(|(method, params)| json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string())
        .map(|text| format!("Content-Length: {}\r\n\r\n{text}", text.len()))
        .collect();
    client.write(both.as_bytes());
    let published = |m: &serde_json::Value| {
        let found = &m["params"]["diagnostics"];
        m["params"]["uri"] == *uri && found.as_array().is_some_and(|found| found.len() == before.len())
    };
    client.wait(published);
    client.stop();
}

#[test]
fn what_changes_on_disk_is_read_again() {
    let r = Repository::new(&[("main.tf", ROLE), ("p.json", READER)]);
    let mut client = LanguageClient::start(&r);
    client.open("p.json");
    client.diagnostics("p.json");
    client.open("main.tf");
    client.diagnostics("main.tf");
    r.write("p.json", ADMIN.as_bytes());
    let closed = json!({"textDocument": {"uri": client.uri("p.json")}});
    client.notify("textDocument/didClose", closed);
    let changes = json!([{"uri": client.uri("p.json"), "type": 2}]);
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    let pulled = client.request(
        "textDocument/diagnostic",
        json!({"textDocument": {"uri": client.uri("p.json")}}),
    );
    assert!(rules(pulled["items"].as_array().unwrap()).contains(&"admin-star-star"));
    let pulled = client.request(
        "textDocument/diagnostic",
        json!({"textDocument": {"uri": client.uri("main.tf")}}),
    );
    assert_eq!(
        found_by_server(pulled["items"].as_array().unwrap()),
        found_by_command(&r, "main.tf")
    );
    // The settings are files too.
    r.write("overgrant.toml", b"schema = 1\nignore = [\"admin-star-star\"]\n");
    let changes = json!([{"uri": client.uri("overgrant.toml"), "type": 1}]);
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    let pulled = client.request(
        "textDocument/diagnostic",
        json!({"textDocument": {"uri": client.uri("p.json")}}),
    );
    assert!(!rules(pulled["items"].as_array().unwrap()).contains(&"admin-star-star"));
    client.stop();
}

#[test]
fn faults_of_the_settings_are_shown_where_they_are() {
    let r = Repository::new(&[("p.json", ADMIN), ("overgrant.toml", "schema = 1\n")]);
    let mut client = LanguageClient::start(&r);
    client.open("p.json");
    client.diagnostics("p.json");
    client.open_text("overgrant.toml", "schema = 1\nignores = []\n");
    let faults = client.diagnostics("overgrant.toml");
    assert_eq!(faults[0]["code"], "settings");
    assert_eq!(faults[0]["range"]["start"]["line"], 1);
    let shown = client.wait(|m| m["method"] == "window/showMessage");
    assert!(
        shown["params"]["message"].as_str().unwrap().contains("ignores"),
        "{shown}"
    );
    client.change("overgrant.toml", "schema = 1\nignore = [\"admin-star-star\"]\n");
    assert_eq!(rules(&client.diagnostics("overgrant.toml")), Vec::<&str>::new());
    let pulled = client.request(
        "textDocument/diagnostic",
        json!({"textDocument": {"uri": client.uri("p.json")}}),
    );
    assert!(!rules(pulled["items"].as_array().unwrap()).contains(&"admin-star-star"));
}

#[test]
fn settings_of_the_client_count() {
    let r = Repository::new(&[
        ("p.json", ADMIN),
        ("quiet.toml", "schema = 1\nignore = [\"admin-star-star\"]\n"),
    ]);
    let mut client = LanguageClient::start(&r);
    client.open("p.json");
    assert!(rules(&client.diagnostics("p.json")).contains(&"admin-star-star"));
    let settings = json!({"overgrant": {"config": "quiet.toml"}});
    client.notify("workspace/didChangeConfiguration", json!({ "settings": settings }));
    assert!(!rules(&client.next_diagnostics("p.json")).contains(&"admin-star-star"));
}

#[test]
fn only_what_was_asked_for_is_the_settings() {
    let r = Repository::new(&[
        ("p.json", ADMIN),
        ("quiet.toml", "schema = 1\nignore = [\"admin-star-star\"]\n"),
    ]);
    let mut client = LanguageClient::spawn(&r);
    client.initialize(json!({"rootUri": client.uri(""), "capabilities": {"workspace": {"configuration": true}}}));
    client.open("p.json");
    assert!(rules(&client.diagnostics("p.json")).contains(&"admin-star-star"));
    let quiet = json!([{"config": "quiet.toml"}]);
    // The answer to a request that nobody made.
    client.send(&json!({"jsonrpc": "2.0", "id": 99, "result": quiet}));
    client.change("p.json", &format!("{ADMIN} "));
    assert!(rules(&client.diagnostics("p.json")).contains(&"admin-star-star"));
    client.notify("workspace/didChangeConfiguration", json!({ "settings": null }));
    let asked = client.wait(|m| m["method"] == "workspace/configuration");
    client.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": quiet}));
    assert!(!rules(&client.next_diagnostics("p.json")).contains(&"admin-star-star"));
    client.stop();
}

#[test]
fn clients_that_pull_are_told_when_and_get_what_is_new() {
    let r = Repository::new(&[("p.json", ADMIN)]);
    let mut client = LanguageClient::spawn(&r);
    let capabilities = json!({
        "textDocument": {"diagnostic": {"relatedDocumentSupport": false}},
        "workspace": {"diagnostics": {"refreshSupport": true}},
    });
    let offered = client.initialize(json!({ "capabilities": capabilities }));
    assert_eq!(offered["diagnosticProvider"]["workspaceDiagnostics"], true);
    client.open("p.json");
    client.wait(|m| m["method"] == "workspace/diagnostic/refresh");
    let document = json!({"uri": client.uri("p.json")});
    let first = client.request("textDocument/diagnostic", json!({ "textDocument": document }));
    assert_eq!(first["kind"], "full");
    let known = json!({"textDocument": document, "previousResultId": first["resultId"]});
    assert_eq!(client.request("textDocument/diagnostic", known)["kind"], "unchanged");
    let ids = json!([{"uri": client.uri("p.json"), "value": first["resultId"]}]);
    let all = client.request("workspace/diagnostic", json!({"previousResultIds": ids}));
    assert_eq!(all["items"][0]["kind"], "unchanged");
    client.change("p.json", READER);
    let all = client.request("workspace/diagnostic", json!({"previousResultIds": ids}));
    assert_eq!(all["items"][0]["kind"], "full");
    client.stop();
}

#[test]
fn requests_that_are_canceled_or_wrong_get_an_error() {
    let r = Repository::new(&[("p.json", ADMIN)]);
    let mut client = LanguageClient::spawn(&r);
    // Before `initialize`.
    assert_eq!(client.failure("textDocument/hover", json!({})), -32002);
    client.initialize(json!({}));
    assert_eq!(client.failure("textDocument/unheardOf", json!({})), -32601);
    assert_eq!(client.failure("textDocument/hover", json!({"textDocument": 1})), -32602);
    assert_eq!(client.failure("initialize", json!({})), -32600);
    // In one write: the cancellation is there when the request is looked at.
    let request =
        json!({"jsonrpc": "2.0", "id": "a", "method": "workspace/diagnostic", "params": {"previousResultIds": []}});
    let cancel = json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "a"}});
    let frame = |m: &Value| format!("Content-Length: {}\r\n\r\n{m}", m.to_string().len());
    client.write(format!("{}{}", frame(&request), frame(&cancel)).as_bytes());
    let answer = client.wait(|m| m["id"] == "a");
    assert!(
        answer["error"]["code"] == -32800 || answer.get("result").is_some(),
        "{answer}"
    );
    // Messages that are none.
    for (bytes, code) in [
        (&b"Content-Length: 5\r\n\r\n{\"a\":"[..], -32700),
        (b"Content-Length: 2\r\n\r\n[]", -32600),
        (b"Content-Type: x\r\n\r\n", -32700),
        (b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc", -32700),
        (b"Content-Length: x\r\n\r\n", -32700),
    ] {
        client.write(bytes);
        let answer = client.wait(|m| m.get("error").is_some());
        assert_eq!(answer["error"]["code"], code, "{}", String::from_utf8_lossy(bytes));
    }
    // Notifications that are wrong, or unknown, and places that are nowhere.
    client.notify("textDocument/didChange", json!({"x": 1}));
    client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": "file:///nowhere", "version": 1}, "contentChanges": []}),
    );
    client.notify("$/unheardOf", json!(null));
    client.open("p.json");
    assert!(rules(&client.diagnostics("p.json")).contains(&"admin-star-star"));
    let far = client.at("p.json", u32::MAX, u32::MAX);
    assert!(client.request("textDocument/hover", far).is_null());
    let upside_down = json!({"start": {"line": 9, "character": 0}, "end": {"line": 0, "character": 0}});
    client.edit("p.json", &json!([{"range": upside_down, "text": ""}]));
    client.diagnostics("p.json");
    client.stop();
}

#[test]
fn the_server_ends_with_its_input_and_after_exit() {
    let r = Repository::new(&[("p.json", ADMIN)]);
    let mut client = LanguageClient::start(&r);
    client.open("p.json");
    client.diagnostics("p.json");
    assert!(client.end_input().success());
    // In the middle of a message.
    let mut client = LanguageClient::start(&r);
    client.write(b"Content-Length: 100\r\n\r\n{");
    assert!(client.end_input().success());
    // Without `shutdown`.
    let mut client = LanguageClient::start(&r);
    client.notify("exit", Value::Null);
    assert_eq!(client.exit_status().code(), Some(1));
    let mut client = LanguageClient::start(&r);
    client.request("shutdown", Value::Null);
    assert_eq!(client.failure("textDocument/hover", json!({})), -32600);
}

/// Edits of files that others are linked to give what a server gives that is new, and the command.
#[test]
fn what_an_edit_cannot_change_stays_known() {
    let files = generated::repository(70);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let r = Repository::new(&files);
    let mut client = LanguageClient::start(&r);
    let (root, app) = ("services/s3/main.tf", "services/s3/app.py");
    client.open(root);
    client.diagnostics(root);
    client.open(app);
    client.diagnostics(app);
    let text = r.read(root);
    let steps = [
        text.replace("\"dynamodb:GetItem\"", "\"*\"")
            .replace("s3-${var.stage}", "other-${var.stage}"),
        text.replace("../../modules/role", "../../modules/none"),
        text.clone(),
    ];
    for step in steps {
        client.change(root, &step);
        let diagnostics = client.diagnostics(root);
        r.write(root, step.as_bytes());
        assert_eq!(found_by_server(&diagnostics), found_by_command(&r, root));
        let pulled = client.request(
            "textDocument/diagnostic",
            json!({"textDocument": {"uri": client.uri(app)}}),
        );
        let pulled = pulled["items"].as_array().unwrap();
        assert_eq!(found_by_server(pulled), found_by_command(&r, app));
    }
    client.stop();
}
