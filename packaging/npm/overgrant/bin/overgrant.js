#!/usr/bin/env node
"use strict";

// Runs the binary of the optional dependency that npm installed for this platform.
const { spawnSync } = require("node:child_process");
const os = require("node:os");

const platform = `${process.platform}-${process.arch}`;
const name = process.platform === "win32" ? "overgrant.exe" : "overgrant";

/** The path of the binary; `OVERGRANT_BINARY` names another one. */
function binary() {
  if (process.env.OVERGRANT_BINARY) {
    return process.env.OVERGRANT_BINARY;
  }
  try {
    return require.resolve(`@overgrant/${platform}/bin/${name}`);
  } catch {
    const known = Object.keys(require("../package.json").optionalDependencies)
      .map((dependency) => dependency.split("/")[1])
      .join(", ");
    console.error(
      known.split(", ").includes(platform)
        ? `overgrant: @overgrant/${platform} is not installed. Install without --omit=optional, on the platform that runs it.`
        : `overgrant: there is no binary for ${platform}, only for ${known}. Use \`cargo install overgrant\`.`,
    );
    process.exit(2);
  }
}

const run = spawnSync(binary(), process.argv.slice(2), { stdio: "inherit" });
if (run.error) {
  console.error(`overgrant: ${run.error.message}`);
  process.exit(2);
}
// As a shell says it.
process.exit(run.signal ? 128 + os.constants.signals[run.signal] : run.status);
