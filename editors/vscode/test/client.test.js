// The extension's choice of a binary, and its server, spoken to with the library that the extension uses.
// OVERGRANT names the binary; otherwise it is the one of `cargo build`.
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

const binary = process.env.OVERGRANT ?? path.join(__dirname, "../../../target/debug/overgrant");

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

test("the server reports, fixes, and ends", async () => {
  const text = `{
  "Version": "2012-10-17",
  "Statement": [{ "Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObject"], "Resource": "arn:aws:s3:::b/k" }]
}
`;
  const root = folder({ "p.json": text });
  const uri = pathToFileURL(path.join(root, "p.json")).href;
  const { command, args, options } = serverOptions(binary);
  const child = spawn(command, args, options);
  const connection = rpc.createMessageConnection(
    new rpc.StreamMessageReader(child.stdout),
    new rpc.StreamMessageWriter(child.stdin),
  );
  const published = new Promise((resolve) => {
    connection.onNotification("textDocument/publishDiagnostics", (params) => {
      if (params.uri === uri) {
        resolve(params.diagnostics);
      }
    });
  });
  connection.listen();
  const { capabilities } = await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    capabilities: {},
    initializationOptions: { config: "", unjudged: true },
  });
  assert.equal(capabilities.hoverProvider, true);
  await connection.sendNotification("initialized", {});
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "json", version: 1, text },
  });
  const diagnostics = await published;
  const twice = diagnostics.find((diagnostic) => diagnostic.code === "duplicate-action");
  assert.ok(twice, JSON.stringify(diagnostics));
  const actions = await connection.sendRequest("textDocument/codeAction", {
    textDocument: { uri },
    range: twice.range,
    context: { diagnostics: [twice] },
  });
  const fix = actions.find((action) => action.isPreferred);
  assert.ok(fix.edit.changes[uri].length > 0);
  await connection.sendRequest("shutdown");
  const ended = new Promise((resolve) => child.on("exit", resolve));
  await connection.sendNotification("exit");
  assert.equal(await ended, 0);
  connection.dispose();
});
