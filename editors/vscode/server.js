// Which binary is started, and how. Without anything of VS Code, so that Node alone can test it.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

/** Languages of files that may hold policies or code that calls AWS. */
const LANGUAGES = ["json", "jsonc", "yaml", "cloudformation", "terraform", "opentofu", "terraform-vars", "hcl", "python", "toml"];

/**
 * The binary of the setting; else, if the folders are trusted, one that is installed in a folder; else the one on the PATH.
 *
 * @param {string} setting
 * @param {string[]} folders
 * @param {boolean} isTrusted
 * @returns {string}
 */
function findBinary(setting, folders, isTrusted) {
  if (setting) {
    return setting;
  }
  const isWindows = process.platform === "win32";
  const places = isWindows
    ? ["node_modules/.bin/overgrant.cmd", ".venv/Scripts/overgrant.exe", "venv/Scripts/overgrant.exe"]
    : ["node_modules/.bin/overgrant", ".venv/bin/overgrant", "venv/bin/overgrant"];
  const inFolders = folders.flatMap((folder) => places.map((place) => path.join(folder, place)));
  const found = isTrusted ? inFolders.find((file) => fs.existsSync(file)) : undefined;
  return found ?? "overgrant";
}

/** What `child_process.spawn` gets. A `.cmd` file is run by a shell. */
function serverOptions(binary) {
  return { command: binary, args: ["lsp"], options: { shell: binary.endsWith(".cmd") } };
}

module.exports = { LANGUAGES, findBinary, serverOptions };
