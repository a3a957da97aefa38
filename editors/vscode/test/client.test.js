// The extension's choice of a binary, and its server, spoken to with the library that the extension uses.
// OVERGRANT names the binary; otherwise it is the one of `cargo build`, or else the one on the PATH.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const { pathToFileURL } = require("node:url");
const rpc = require("vscode-jsonrpc/node");
const { findBinary, serverOptions } = require("../server.js");

const built = path.join(__dirname, "../../../target/debug/overgrant");
const binary = process.env.OVERGRANT ?? (fs.existsSync(built) ? built : findBinary("", [], true));

// A role in Terraform with more than its code calls; the same policy in the other formats.
const FILES = {
  "app/orders.py": `import boto3

boto3.client("iam").put_role_policy(
    RoleName="r",
    PolicyName="p",
    PolicyDocument={"Statement": [{"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:SendMessage"], "Resource": "*",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]},
)


def handler(event, context):
    boto3.client("dynamodb").get_item(TableName="orders", Key=event)
`,
  "infra/orders.tf": `resource "aws_iam_role" "orders" {
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "orders" {
  role   = aws_iam_role.orders.id
  policy = data.aws_iam_policy_document.orders.json
}

data "aws_iam_policy_document" "orders" {
  statement {
    actions   = ["dynamodb:*"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["111122223333"]
    }
  }
}

resource "aws_lambda_function" "orders" {
  runtime  = "python3.12"
  handler  = "orders.handler"
  filename = data.archive_file.orders.output_path
  role     = aws_iam_role.orders.arn
}

data "archive_file" "orders" {
  type        = "zip"
  source_dir  = "\${path.module}/../app"
  output_path = "orders.zip"
}
`,
  "policy.json": `{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": ["sqs:SendMessage", "sqs:SendMessage"],
    "Principal": { "Service": "lambda.amazonaws.com" },
    "Resource": "arn:aws:sqs:eu-west-1:111122223333:q",
    "Condition": { "StringEquals": { "aws:SourceAccount": "111122223333" } }
  }]
}
`,
  "template.yaml": `Resources:
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [q]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: [sqs:SendMessage, sqs:SendMessage]
            Principal:
              Service: lambda.amazonaws.com
            Resource: arn:aws:sqs:eu-west-1:111122223333:q
            Condition:
              StringEquals:
                aws:SourceAccount: "111122223333"
`,
};
const FORMATS = [
  { name: "policy.json", languageId: "json", code: "duplicate-action", action: "sqs:SendMessage" },
  { name: "template.yaml", languageId: "yaml", code: "duplicate-action", action: "sqs:SendMessage" },
  { name: "infra/orders.tf", languageId: "terraform", code: "unused-grant", action: "dynamodb:*" },
  { name: "app/orders.py", languageId: "python", code: "duplicate-action", action: "sqs:SendMessage" },
];

function folder(files) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "overgrant-"));
  fs.mkdirSync(path.join(root, ".git"));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
  return root;
}

test("the binary is that of the setting, of a trusted folder, or of the PATH", () => {
  const name = process.platform === "win32" ? "node_modules/.bin/overgrant.cmd" : "node_modules/.bin/overgrant";
  const root = folder({ [name]: "" });
  assert.equal(findBinary("/opt/overgrant", [root], true), "/opt/overgrant");
  assert.equal(findBinary("", [root], true), path.join(root, name));
  assert.equal(findBinary("", [root], false), "overgrant");
  assert.equal(findBinary("", [], true), "overgrant");
});

/** A server for the folder `root`, spoken to as the extension does. */
async function session(root) {
  const { command, args, options } = serverOptions(binary);
  const child = spawn(command, args, options);
  const connection = rpc.createMessageConnection(
    new rpc.StreamMessageReader(child.stdout),
    new rpc.StreamMessageWriter(child.stdin),
  );
  const uri = (name) => pathToFileURL(path.join(root, name)).href;
  const waiting = new Map();
  connection.onNotification("textDocument/publishDiagnostics", (params) => waiting.get(params.uri)?.(params.diagnostics));
  connection.listen();
  const { capabilities } = await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    capabilities: {},
    initializationOptions: { config: "", unjudged: true },
  });
  assert.equal(capabilities.hoverProvider, true);
  await connection.sendNotification("initialized", {});

  /** What is published for the file. */
  async function open(name, languageId, text = fs.readFileSync(path.join(root, name), "utf8")) {
    const published = new Promise((resolve) => waiting.set(uri(name), resolve));
    await connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri: uri(name), languageId, version: 1, text },
    });
    return published;
  }

  /** The answer to a request about the place `offset` of the file. */
  function ask(method, name, text, offset, more = {}) {
    const before = text.slice(0, offset).split("\n");
    const position = { line: before.length - 1, character: before.at(-1).length };
    return connection.sendRequest(`textDocument/${method}`, { textDocument: { uri: uri(name) }, position, ...more });
  }

  async function end() {
    await connection.sendRequest("shutdown");
    const ended = new Promise((resolve) => child.on("exit", resolve));
    await connection.sendNotification("exit");
    assert.equal(await ended, 0);
    connection.dispose();
  }
  return { connection, uri, open, ask, end };
}

for (const { name, languageId, code, action } of FORMATS) {
  test(`${name}: finding, fix, suppression, and hover`, async () => {
    const { connection, uri, open, ask, end } = await session(folder(FILES));
    const diagnostics = await open(name, languageId);
    const found = diagnostics.find((diagnostic) => diagnostic.code === code);
    assert.ok(found, JSON.stringify(diagnostics));
    assert.ok(found.codeDescription.href.endsWith(`/${code}.html`));
    const actions = await connection.sendRequest("textDocument/codeAction", {
      textDocument: { uri: uri(name) },
      range: found.range,
      context: { diagnostics: [found] },
    });
    const [fix, ignore] = ["Re", "Ignore"].map((start) => actions.find((offered) => offered.title.startsWith(start)));
    assert.ok(fix.edit.changes[uri(name)].length > 0);
    assert.equal(fix.isPreferred ?? false, code === "duplicate-action");
    assert.match(JSON.stringify(ignore.edit), new RegExp(code));
    const hover = await ask("hover", name, FILES[name], FILES[name].indexOf(action) + 1);
    assert.match(JSON.stringify(hover.contents), /unused-grant|write/);
    await end();
  });

  test(`${name}: completion of actions, condition keys, and service principals`, async () => {
    const { connection, uri, open, ask, end } = await session(folder(FILES));
    const cases = [
      [action, `${action.split(":")[0]}:`, action === "dynamodb:*" ? "dynamodb:GetItem" : action],
      ["aws:SourceAccount", "aws:SourceA", "aws:SourceAccount"],
      ["lambda.amazonaws.com", "lam", "lambda.amazonaws.com"],
    ];
    for (const [old, typed, expected] of cases) {
      const text = FILES[name].replace(old, typed);
      const offset = text.indexOf(typed) + typed.length;
      await open(name, languageId, text);
      const answer = await ask("completion", name, text, offset);
      const item = (answer.items ?? answer).find((offered) => offered.label === expected);
      assert.ok(item, `${expected} after ${typed}`);
      const { start } = item.textEdit.range;
      const line = text.split("\n")[start.line];
      assert.ok(line.slice(start.character).startsWith(typed), line.slice(start.character));
      assert.equal(item.textEdit.newText, expected);
      await connection.sendNotification("textDocument/didClose", { textDocument: { uri: uri(name) } });
    }
    await end();
  });
}

test("a finding names the places in other files, and a role leads to its code", async () => {
  const { uri, open, ask, end } = await session(folder(FILES));
  const name = "infra/orders.tf";
  const found = (await open(name, "terraform")).find((diagnostic) => diagnostic.code === "unused-grant");
  const files = found.relatedInformation.map((related) => related.location.uri);
  assert.ok(files.includes(uri("app/orders.py")), files);
  const places = await ask("definition", name, FILES[name], FILES[name].indexOf('"orders"') + 1);
  assert.ok([places].flat().some((place) => (place.uri ?? place.targetUri) === uri("app/orders.py")), JSON.stringify(places));
  await end();
});
