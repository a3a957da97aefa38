//! `overgrant mcp`: a client that calls every tool, and one that does not keep to the protocol.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::git::committed;
use crate::support::repository::Repository;

/// Longer than any answer takes.
const MOST: Duration = Duration::from_secs(120);

struct Client {
    server: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    next: u64,
}

impl Client {
    /// A server that has said hello.
    fn new(r: &Repository, args: &[&str]) -> Self {
        let mut client = Self::silent(r, args);
        let hello = client.request(
            "initialize",
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}),
        );
        assert_eq!(hello["result"]["serverInfo"]["name"], "overgrant", "{hello}");
        assert!(
            hello["result"]["instructions"].as_str().unwrap().contains("`needs`"),
            "{hello}"
        );
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
        client
    }

    fn silent(r: &Repository, args: &[&str]) -> Self {
        let mut command = r.command(&[&["mcp"], args].concat());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = command.spawn().unwrap();
        let output = BufReader::new(server.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            input: server.stdin.take(),
            server,
            lines,
            next: 1,
        }
    }

    fn send(&mut self, lines: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{lines}").unwrap();
        input.flush().unwrap();
    }

    fn receive(&self) -> Value {
        let line = self.lines.recv_timeout(MOST).expect("the server answers");
        serde_json::from_str(&line).unwrap()
    }

    fn message(&mut self, method: &str, params: &Value) -> (u64, String) {
        let id = self.next;
        self.next += 1;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        (id, message.to_string())
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let (id, message) = self.message(method, &params);
        self.send(&message);
        let answer = self.receive();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// The answer of a call that did its work: its short text, and its JSON.
    fn answer(&mut self, tool: &str, arguments: Value) -> (String, Value) {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        let value = result["structuredContent"].clone();
        if !value.is_null() && tool != "fix" {
            // For clients that read only text.
            let text = result["content"][1]["text"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
        }
        (result["content"][0]["text"].as_str().unwrap().to_owned(), value)
    }

    /// Why a call failed.
    fn failure(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// Closes the input, and takes what is still said.
    fn finish(mut self) -> Vec<Value> {
        drop(self.input.take());
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(MOST) {
                Ok(line) => rest.push(serde_json::from_str(&line).unwrap()),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server does not end"),
            }
        }
        assert_eq!(self.server.wait().unwrap().code(), Some(0));
        rest
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

const NARROW: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}]}"#;
const WIDE: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
const TWICE: &str = "Version: '2012-10-17'\nStatement:\n  - Effect: Allow\n    Action: ['s3:GetObject', 's3:getobject']\n    Resource: 'arn:aws:s3:::a/*'\n";

fn example() -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("testdata/paths/main.tf")).unwrap();
    Repository::new(&[
        ("infra/main.tf", &text),
        ("old.json", NARROW),
        ("new.json", WIDE),
        ("twice.yaml", TWICE),
        (
            "app.py",
            "import boto3\n\n\ndef handler(event, context):\n    boto3.client('s3').get_object(Bucket='a', Key='k')\n",
        ),
    ])
}

/// Without the time that it took.
fn timeless(mut value: Value) -> Value {
    if let Some(summary) = value.get_mut("summary").and_then(Value::as_object_mut) {
        summary.remove("elapsed_ms");
    }
    value
}

#[test]
fn every_tool_says_what_it_takes_and_whether_it_writes() {
    let r = Repository::new(&[]);
    let mut client = Client::new(&r, &[]);
    let tools = client.request("tools/list", json!({}))["result"]["tools"].clone();
    let names: Vec<&str> = tools
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["check", "explain", "needs", "can", "who_can", "paths", "diff", "fix"]
    );
    for tool in tools.as_array().unwrap() {
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{tool}");
        assert_eq!(schema["additionalProperties"], false, "{tool}");
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name} of {tool}");
        }
        let hints = &tool["annotations"];
        let writes = tool["name"] == "fix";
        assert_eq!(hints["readOnlyHint"], !writes, "{tool}");
        assert_eq!(hints["destructiveHint"], writes, "{tool}");
        assert_eq!(hints["openWorldHint"], false, "{tool}");
        assert!(tool["description"].is_string() && hints["title"].is_string(), "{tool}");
    }
    assert!(client.finish().is_empty());
}

#[test]
fn every_tool_answers_as_the_command_line_does() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    let told = |args: &[&str]| timeless(r.run(&[args, &["--format", "json"]].concat()).json());
    for (tool, arguments, args, text) in [
        ("check", json!({}), &["check"][..], "Findings in"),
        (
            "check",
            json!({"paths": ["new.json"], "only": ["admin-star-star"]}),
            &["check", "--only", "admin-star-star", "new.json"],
            "Findings in 1 file: 1 critical.",
        ),
        (
            "check",
            json!({"paths": ["old.json"], "min_severity": "medium"}),
            &["check", "--min-severity", "medium", "old.json"],
            "No findings",
        ),
        (
            "explain",
            json!({"what": "pass-role-star"}),
            &["explain", "pass-role-star"],
            "pass-role-star: ",
        ),
        ("needs", json!({"paths": ["app.py"]}), &["needs", "app.py"], "1 call."),
        // A principal as in an ARN.
        (
            "can",
            json!({"who": "user/ann", "action": "s3:GetObject", "context": {"aws:SecureTransport": true, "aws:MultiFactorAuthAge": [5]}}),
            &[
                "can",
                "--context",
                "aws:SecureTransport=true",
                "--context",
                "aws:MultiFactorAuthAge=5",
                "ann",
                "s3:GetObject",
            ],
            ": s3:GetObject for ",
        ),
        (
            "can",
            json!({"who": "ann", "action": "s3:GetObject", "resource": "arn:aws:s3:::a/k", "context": {"aws:SourceVpc": "vpc-1"}, "paths": ["infra"]}),
            &[
                "can",
                "--in",
                "infra",
                "--context",
                "aws:SourceVpc=vpc-1",
                "ann",
                "s3:GetObject",
                "arn:aws:s3:::a/k",
            ],
            ": s3:GetObject for ",
        ),
        (
            "who_can",
            json!({"action": "sts:AssumeRole"}),
            &["who-can", "sts:AssumeRole"],
            "for sts:AssumeRole",
        ),
        ("paths", json!({"to": "admin"}), &["paths", "--to", "admin"], "path"),
        (
            "paths",
            json!({"from": "user ann"}),
            &["paths", "--from", "ann"],
            "path",
        ),
        (
            "diff",
            json!({"old": "old.json", "new": "new.json"}),
            &["diff", "old.json", "new.json"],
            "Gained: 1. Lost: 0.",
        ),
    ] {
        let (short, value) = client.answer(tool, arguments);
        assert_eq!(timeless(value), told(args), "{tool}");
        assert!(short.contains(text), "{tool}: {short}");
    }
    let (short, policy) = client.answer("needs", json!({"paths": ["app.py"], "policy": true}));
    assert_eq!(policy, r.run(&["needs", "--format", "policy", "app.py"]).json());
    assert!(
        short.starts_with("A policy that allows what the code calls, and no more.\nnote: "),
        "{short}"
    );
    let (page, _) = client.answer("explain", json!({"what": "new.json:1"}));
    assert_eq!(page, r.run(&["explain", "new.json:1"]).out.trim());
    assert!(client.finish().is_empty());
}

#[test]
fn a_file_is_checked_before_it_is_written() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    let check = |path: &str| json!({"paths": [path], "text": WIDE, "only": ["admin-star-star"]});
    for path in ["old.json", "not/yet.json"] {
        let (_, value) = client.answer("check", check(path));
        assert_eq!(value["findings"][0]["path"], path, "{value}");
    }
    assert_eq!(r.read("old.json"), NARROW);
    let both = json!({"paths": ["a.json", "b.json"], "text": "{}"});
    assert!(client.failure("check", both).contains("exactly one path"));
    let code = "import boto3\n\n\nboto3.client('s3').delete_object(Bucket='a', Key='k')\n";
    for path in ["app.py", "not_yet.py"] {
        let (short, value) = client.answer("needs", json!({"paths": [path], "text": code}));
        assert_eq!(short, "1 call.");
        assert_eq!(value["calls"][0]["actions"]["required"], json!(["s3:DeleteObject"]));
    }
    assert!(
        client
            .failure("needs", json!({"text": code}))
            .contains("exactly one path")
    );
}

/// The example of the guide, call by call, with its code and its policy.
#[test]
fn the_example_of_the_guide_is_what_the_tools_answer() {
    const MAIN: &str = r#"
resource "aws_iam_role" "orders" {
  name = "orders"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "orders" {
  role   = aws_iam_role.orders.id
  policy = file("${path.module}/../policies/orders.json")
}

data "archive_file" "orders" {
  type        = "zip"
  source_dir  = "${path.module}/../orders"
  output_path = "${path.module}/orders.zip"
}

resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = aws_iam_role.orders.arn
  filename      = data.archive_file.orders.output_path
  handler       = "app.handler"
  runtime       = "python3.12"
}
"#;
    const POLICY: &str = "policies/orders.json";
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/book/agents.md");
    let guide = std::fs::read_to_string(guide).unwrap().replace("\r\n", "\n");
    let (_, guide) = guide.split_once("\n## An example\n").unwrap();
    let blocks = |language: &str| -> Vec<String> {
        let fence = format!("\n```{language}\n");
        let found = guide.split(&*fence).skip(1);
        found
            .map(|rest| rest.split("\n```").next().unwrap().to_owned())
            .collect()
    };
    let (code, draft) = (&blocks("python")[0], &blocks("json")[0]);
    let r = committed(&[
        ("orders/app.py", code),
        ("infra/main.tf", MAIN),
        (POLICY, r#"{"Version": "2012-10-17", "Statement": []}"#),
    ]);
    let mut client = Client::new(&r, &[]);
    let calls: Vec<String> = blocks("text")
        .iter()
        .flat_map(|block| {
            let calls = block.strip_prefix("> ").unwrap().split("\n> ");
            calls.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(calls.len(), 7);
    for call in &calls {
        let (line, expected) = call.split_once('\n').unwrap();
        let (tool, arguments) = line.split_once(' ').unwrap();
        let mut arguments: Value = serde_json::from_str(arguments).unwrap();
        let is_draft = arguments.get("text").is_some();
        if is_draft {
            arguments["text"] = json!(draft);
        }
        let (short, value) = client.answer(tool, arguments);
        // Notes may follow.
        assert_eq!(short.lines().next(), Some(expected), "{line}");
        if is_draft {
            r.write(POLICY, draft.as_bytes());
        }
        if tool == "needs" {
            r.write(POLICY, value.to_string().as_bytes());
        }
        if tool == "diff" {
            let gained = |i: usize| {
                (
                    value["gained"][i]["actions"][0].clone(),
                    value["gained"][i]["resources"][0].clone(),
                )
            };
            assert_eq!(
                [gained(0), gained(1)],
                [
                    (json!("dynamodb:PutItem"), json!("arn:aws:dynamodb:*:*:table/orders")),
                    (json!("s3:GetObject"), json!("arn:aws:s3:::acme-orders/*")),
                ]
            );
        }
    }
}

#[test]
fn only_fix_with_apply_writes() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    let (short, value) = client.answer("fix", json!({"paths": ["twice.yaml"]}));
    assert!(short.contains("Nothing was written."), "{short}");
    assert_eq!(value["diff"], r.run(&["fix", "--diff", "twice.yaml"]).out);
    assert!(value["diff"].as_str().unwrap().contains("twice.yaml"), "{value}");
    assert_eq!(
        (value["written"].clone(), r.read("twice.yaml")),
        (json!(false), TWICE.to_owned())
    );
    let (short, value) = client.answer("fix", json!({"paths": ["twice.yaml"], "apply": true}));
    assert!(short.starts_with("1 fix was made."), "{short}");
    assert_eq!(value["written"], true, "{value}");
    assert_eq!(value["report"]["applied"][0]["path"], "twice.yaml", "{value}");
    assert_ne!(r.read("twice.yaml"), TWICE);
    let (short, value) = client.answer("fix", json!({"paths": ["twice.yaml"]}));
    assert!(short.contains("nothing to fix") && value["diff"] == "", "{short}");
}

#[test]
fn nothing_is_called_clean_that_was_not_judged() {
    let r = Repository::new(&[(
        "main.tf",
        "resource \"aws_iam_role_policy\" \"p\" {\n  role = \"r\"\n  policy = var.policy\n}\n",
    )]);
    let (short, value) = Client::new(&r, &[]).answer("check", json!({}));
    assert_eq!(value["findings"], json!([]));
    assert!(
        short.starts_with("No findings in what could be judged") && short.contains("not judged."),
        "{short}"
    );
}

#[test]
fn long_lists_are_cut_to_the_worst() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    let (_, all) = client.answer("check", json!({}));
    let number = all["findings"].as_array().unwrap().len();
    assert!(all["left_out"].is_null() && number > 2, "{all}");
    let (short, value) = client.answer("check", json!({"limit": 1}));
    assert_eq!(value["findings"].as_array().unwrap().len(), 1);
    assert_eq!(value["findings"][0]["severity"], "critical", "{value}");
    assert_eq!(value["left_out"]["findings"], number - 1);
    assert!(short.contains("Left out: "), "{short}");
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let r = Repository::new(&[("in/a.json", NARROW), ("out/b.json", WIDE)]);
    let mut client = Client::new(&r, &["--root", "in"]);
    let absolute = r.path("out/b.json");
    let outside = absolute.to_str().unwrap();
    for (tool, arguments) in [
        ("check", json!({"paths": ["../out"]})),
        ("check", json!({"paths": [outside]})),
        ("check", json!({"paths": ["../out/b.json"], "text": "{}"})),
        ("explain", json!({"what": "../out/b.json:1"})),
        ("needs", json!({"paths": [".."]})),
        (
            "can",
            json!({"who": "x", "action": "s3:GetObject", "paths": ["../out"]}),
        ),
        ("who_can", json!({"action": "s3:GetObject", "paths": ["../out"]})),
        ("paths", json!({"paths": ["a/../../out"]})),
        ("diff", json!({"old": "a.json", "new": "../out/b.json"})),
        ("fix", json!({"paths": ["../out"], "apply": true})),
    ] {
        let why = client.failure(tool, arguments);
        assert!(why.contains("not in the served folder"), "{tool}: {why}");
    }
    let (_, value) = client.answer("check", json!({}));
    assert_eq!(value["summary"]["files"]["read"], 1, "{value}");
    // Git's paths start at the root of the repository.
    let r = committed(&[("in/a.json", NARROW), ("out/b.json", WIDE)]);
    let mut client = Client::new(&r, &["--root", "in"]);
    for old in ["HEAD:out/b.json", "HEAD:../out/b.json", "HEAD:a.json", "HEAD:"] {
        let why = client.failure("diff", json!({"old": old, "new": "a.json"}));
        assert!(why.contains("not in the served folder"), "{old}: {why}");
    }
    for old in ["HEAD:in/a.json", "HEAD:./a.json"] {
        let (short, _) = client.answer("diff", json!({"old": old, "new": "a.json"}));
        assert!(short.starts_with("Gained: 0. Lost: 0."), "{old}: {short}");
    }
    let ran = r.run(&["mcp", "--root", "nowhere"]);
    assert!(ran.code == 2 && ran.err.contains("cannot serve nowhere"), "{}", ran.err);
}

#[test]
fn wrong_calls_are_told_what_is_wrong() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    for (tool, arguments, expected) in [
        ("check", json!({"path": "a"}), "unknown field `path`"),
        ("check", json!({"paths": "a"}), "the argument `paths` is not valid: "),
        (
            "check",
            json!({"paths": ["a"], "limit": "5"}),
            "the argument `limit` is not valid: ",
        ),
        ("check", json!({"paths": ["nowhere.json"]}), "no such file"),
        (
            "check",
            json!({"only": ["no-such-rule"]}),
            "unknown rule `no-such-rule`",
        ),
        ("check", json!({"min_severity": "worst"}), "worst"),
        (
            "check",
            json!({"profile": "x"}),
            "[possible values: default, strict, audit]",
        ),
        ("explain", json!({}), "missing field `what`"),
        ("explain", json!({"what": "new.json"}), "needs the line of a finding"),
        ("explain", json!({"what": "--help"}), "unknown rule `--help`"),
        ("can", json!({"who": "ann", "action": "s3:*"}), "not an action"),
        (
            "can",
            json!({"who": "nobody-here", "action": "s3:GetObject"}),
            "nobody-here",
        ),
        (
            "can",
            json!({"who": "ann", "action": "s3:GetObject", "context": {"x": "y"}}),
            "`x` is not a condition key",
        ),
        (
            "can",
            json!({"who": "ann", "action": "s3:GetObject", "context": {"aws:SourceVpc": {}}}),
            "a value is a string, a Boolean, a number, or a list of these",
        ),
        ("diff", json!({"old": "no-such-revision"}), "no-such-revision"),
        ("diff", json!({"old": "--output=x", "new": "old.json"}), "--output=x"),
    ] {
        let why = client.failure(tool, arguments);
        assert!(why.contains(expected), "{tool}: {why}");
        // Nothing that is only of use at a terminal.
        assert!(
            !why.starts_with("error: ") && !why.contains("For more information"),
            "{tool}: {why}"
        );
    }
    let answer = client.request("tools/call", json!({"name": "rm", "arguments": {}}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert!(client.finish().is_empty());
}

#[test]
fn malformed_messages_do_not_end_the_server() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    // As by other servers of the protocol, what is not JSON is not answered: it has no id.
    client.send("{\"jsonrpc\": \"2.0\", \"id\": 7, \nnot json\n\u{0}\n[");
    client.send(&json!({"jsonrpc": "2.0", "id": 90, "method": 5}).to_string());
    assert_eq!(client.receive()["error"]["code"], -32600);
    let answer = client.request("no/such/method", json!({}));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    for params in [json!({"arguments": {}}), json!({"name": "check", "arguments": ["a"]})] {
        let answer = client.request("tools/call", params);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    let (short, _) = client.answer("check", json!({"paths": ["old.json"], "min_severity": "high"}));
    assert!(short.starts_with("No findings"), "{short}");
    assert!(client.finish().is_empty());
}

#[test]
fn a_canceled_call_is_not_answered() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    let (id, call) = client.message("tools/call", &json!({"name": "check", "arguments": {}}));
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "reason": "late"}});
    client.send(&format!("{call}\n{cancel}"));
    // The server goes on.
    let (short, _) = client.answer("check", json!({"paths": ["old.json"], "min_severity": "high"}));
    assert!(short.starts_with("No findings"), "{short}");
    let rest = client.finish();
    assert!(rest.iter().all(|answer| answer["id"] != id), "{rest:?}");
}

#[test]
fn the_server_ends_with_its_input() {
    let r = Repository::new(&[]);
    assert!(Client::silent(&r, &[]).finish().is_empty());
    assert!(Client::new(&r, &[]).finish().is_empty());
}

/// A client that is asked for more than it can do at once.
#[test]
fn many_calls_at_once_are_all_answered() {
    let r = example();
    let mut client = Client::new(&r, &[]);
    let mut open: Vec<u64> = Vec::new();
    for path in ["old.json", "new.json", "twice.yaml", "app.py", "nowhere"].repeat(2) {
        let call = json!({"name": "check", "arguments": {"paths": [path]}});
        let (id, message) = client.message("tools/call", &call);
        client.send(&message);
        open.push(id);
    }
    let mut answered: Vec<u64> = open.iter().map(|_| client.receive()["id"].as_u64().unwrap()).collect();
    answered.sort_unstable();
    assert_eq!(answered, open);
}

/// What is still running when the input ends is stopped: the protocol library alone would wait for five seconds.
#[test]
fn the_end_of_the_input_stops_calls() {
    let r = example();
    // Seconds of work.
    let statement = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}"#;
    let statements = vec![statement; 100_000].join(",\n");
    let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    r.write("large.json", policy.as_bytes());
    let mut client = Client::new(&r, &[]);
    for _ in 0..6 {
        let call = json!({"name": "check", "arguments": {"paths": ["large.json"]}});
        let (_, message) = client.message("tools/call", &call);
        client.send(&message);
    }
    let start = Instant::now();
    let rest = client.finish();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert!(
        rest.iter()
            .all(|answer| answer["error"]["message"] == "the call was canceled"),
        "{rest:?}"
    );
}
