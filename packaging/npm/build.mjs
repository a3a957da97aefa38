// Makes the npm packages: `node packaging/npm/build.mjs BINARIES OUT`.
//
// BINARIES has a folder for each target of ../targets.json, with the binary in it; a target without a folder is left out.
// OUT gets a folder for each package: `overgrant`, and `@overgrant/PLATFORM` for each binary. Publish `overgrant` last.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [binaries, out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node packaging/npm/build.mjs BINARIES OUT");
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const legal = ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"];
const main = JSON.parse(readFileSync(join(here, "overgrant/package.json"), "utf8"));

for (const { target, npm: platform } of JSON.parse(readFileSync(join(root, "packaging/targets.json"), "utf8"))) {
  const file = target.includes("windows") ? "overgrant.exe" : "overgrant";
  const from = join(binaries, target, file);
  if (!platform || !existsSync(from)) {
    continue;
  }
  const [os, cpu] = platform.split("-");
  const name = `@overgrant/${platform}`;
  const folder = join(out, name);
  mkdirSync(join(folder, "bin"), { recursive: true });
  cpSync(from, join(folder, "bin", file));
  chmodSync(join(folder, "bin", file), 0o755);
  legal.forEach((text) => cpSync(join(root, text), join(folder, text)));
  const { version, license, repository } = main;
  const description = `The binary of overgrant for ${platform}. Install the package \`overgrant\`.`;
  const manifest = { name, version, description, license, repository, files: ["bin", ...legal], os: [os], cpu: [cpu] };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, "README.md"), `# ${name}\n\n${description}\n`);
}
cpSync(join(here, "overgrant"), join(out, "overgrant"), { recursive: true });
["README.md", ...legal].forEach((text) => cpSync(join(root, text), join(out, "overgrant", text)));
