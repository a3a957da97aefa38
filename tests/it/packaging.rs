//! What is published in several places is the same in all of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value as Json;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const WORKFLOW: &str = ".github/workflows/release.yml";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn json(path: &str) -> Json {
    serde_json::from_str(&read(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn toml_file(path: &str) -> toml::Table {
    toml::from_str(&read(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The first group of every match.
fn matches(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|c| c[1].to_owned()).collect()
}

fn set<'a>(items: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    items.into_iter().map(str::to_owned).collect()
}

/// The values of `key` in `packaging/targets.json`.
fn targets(key: &str) -> BTreeSet<String> {
    let list = json("packaging/targets.json");
    let list = list.as_array().unwrap().iter();
    list.filter_map(|t| t.get(key)?.as_str().map(str::to_owned)).collect()
}

#[test]
fn versions_agree() {
    let npm = json("packaging/npm/overgrant/package.json");
    assert_eq!(npm["version"], VERSION);
    for (name, version) in npm["optionalDependencies"].as_object().unwrap() {
        assert_eq!(version, VERSION, "{name}");
    }
    assert_eq!(json("editors/vscode/package.json")["version"], VERSION);
    let mirror = toml_file("packaging/pre-commit/pyproject.toml");
    assert_eq!(mirror["project"]["version"].as_str(), Some(VERSION));
    let needs = mirror["project"]["dependencies"].as_array().unwrap();
    assert_eq!(needs.len(), 1);
    assert_eq!(needs[0].as_str(), Some(&*format!("overgrant=={VERSION}")));
    let python = toml_file("pyproject.toml");
    let dynamic = python["project"]["dynamic"].as_array().unwrap();
    assert!(
        dynamic.iter().any(|d| d.as_str() == Some("version")),
        "the wheel has the version of Cargo.toml"
    );
    for path in ["README.md", "docs/book/ci.md", "packaging/pre-commit/README.md"] {
        let revisions = matches(r"rev: (\S+)", &read(path));
        assert_eq!(revisions, set([&*format!("v{VERSION}")]), "{path}");
    }
    assert!(read("action.yml").contains(&format!("default: \"{VERSION}\"")));
    assert!(read("packaging/homebrew/overgrant.rb.in").contains("version \"@VERSION@\""));
}

#[test]
fn names_and_descriptions_agree() {
    let cargo = toml_file("Cargo.toml");
    let cargo = &cargo["package"];
    let python = toml_file("pyproject.toml");
    let python = &python["project"];
    let npm = json("packaging/npm/overgrant/package.json");
    for key in ["name", "description", "license"] {
        let said = cargo[key].as_str();
        assert_eq!(python[key].as_str(), said, "{key} of pyproject.toml");
        assert_eq!(npm[key].as_str(), said, "{key} of package.json");
    }
    let repository = cargo["repository"].as_str().unwrap();
    assert_eq!(python["urls"]["Repository"].as_str(), Some(repository));
    assert_eq!(npm["repository"]["url"], *format!("git+{repository}.git"));
    let formula = read("packaging/homebrew/overgrant.rb.in");
    assert!(formula.contains(&format!("homepage \"{repository}\"")));
    let keywords = |list: &toml::Value| list.as_array().unwrap().clone();
    assert_eq!(keywords(&python["keywords"]), keywords(&cargo["keywords"]));
    let of_npm: BTreeSet<String> = npm["keywords"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| k.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        of_npm,
        set(keywords(&cargo["keywords"]).iter().filter_map(toml::Value::as_str))
    );
}

#[test]
fn every_channel_has_the_same_targets() {
    let built = targets("target");
    let workflow = read(WORKFLOW);
    assert_eq!(matches(r"\{ target: ([a-z0-9_-]+),", &workflow), built, "{WORKFLOW}");
    let npm = json("packaging/npm/overgrant/package.json");
    let platforms: BTreeSet<String> = npm["optionalDependencies"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| name.strip_prefix("@overgrant/").unwrap().to_owned())
        .collect();
    assert_eq!(platforms, targets("npm"));
    let image = matches(
        r"\b([a-z0-9]+):(?:x86_64|aarch64)",
        &read("packaging/container/context.sh"),
    );
    assert_eq!(image, targets("image"));
    let formula = read("packaging/homebrew/overgrant.rb.in");
    let archives = matches(r"/overgrant-([a-z0-9_-]+)\.tar\.gz", &formula);
    assert!(archives.is_subset(&built), "{archives:?}");
    assert_eq!(
        archives,
        matches(r"@SHA256 overgrant-([a-z0-9_-]+)\.tar\.gz@", &formula)
    );
    // What `cargo binstall` looks for is what is packed.
    let manifest = toml_file("Cargo.toml");
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let address = |table: &toml::Value| table["pkg-url"].as_str().unwrap().to_owned();
    assert!(address(binstall).ends_with("/v{ version }/{ name }-{ target }.tar.gz"));
    for (target, table) in binstall["overrides"].as_table().unwrap() {
        assert!(built.contains(target) && target.contains("windows"), "{target}");
        assert!(address(table).ends_with("/v{ version }/{ name }-{ target }.zip"));
    }
}

#[test]
fn the_hooks_of_the_mirror_are_those_of_the_repository() {
    let own = read(".pre-commit-hooks.yaml");
    let mirror = read("packaging/pre-commit/.pre-commit-hooks.yaml");
    assert_eq!(mirror, own.replace("language: rust", "language: python"));
    let hooks = matches(r"- id: (\S+)", &own);
    assert!(hooks.is_superset(&set(["overgrant", "overgrant-all", "overgrant-fix"])));
    let named = matches(r"(?m)^\| `(overgrant[a-z-]*)`", &read("packaging/pre-commit/README.md"));
    assert_eq!(named, hooks);
}

#[test]
fn what_the_release_names_exists() {
    let workflow = read(WORKFLOW);
    let mut named = matches(r"\b((?:packaging|testdata)/[\w./-]*\w)", &workflow);
    named.extend(matches(r"(?m)^\s+cp ((?:LICENSE-\w+))", &workflow));
    assert!(named.len() > 5, "{named:?}");
    for path in named {
        assert!(root().join(&path).exists(), "{WORKFLOW} names {path}");
    }
    let profile = toml_file("pyproject.toml")["tool"]["maturin"]["profile"].clone();
    let profiles = &toml_file("Cargo.toml")["profile"];
    assert!(profiles.get(profile.as_str().unwrap()).is_some());
    for action in matches(r"uses: (\S+)", &workflow) {
        let (_, pin) = action.split_once('@').unwrap();
        assert!(
            pin.len() == 40 && pin.bytes().all(|b| b.is_ascii_hexdigit()),
            "{action} is not pinned by a commit"
        );
    }
}

/// A shell and its script, where the machine has one.
#[cfg(unix)]
fn script(path: &str, arguments: &[&Path]) -> std::process::Output {
    std::process::Command::new("bash")
        .arg(root().join(path))
        .args(arguments)
        .output()
        .unwrap()
}

#[cfg(unix)]
#[test]
fn the_formula_has_the_checksums_of_its_archives() {
    let folder = tempfile::tempdir().unwrap();
    let sums = folder.path().join("SHA256SUMS");
    let version = Path::new("1.2.3");
    let lines: String = targets("target")
        .iter()
        .map(|target| format!("{target}-sum  overgrant-{target}.tar.gz\n"))
        .collect();
    std::fs::write(&sums, lines).unwrap();
    let made = script("packaging/homebrew/formula.sh", &[version, &sums]);
    let made_text = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success());
    assert!(!made_text.contains('@'), "{made_text}");
    for target in matches(r"/v1\.2\.3/overgrant-([a-z0-9_-]+)\.tar\.gz", &made_text) {
        assert!(made_text.contains(&format!("sha256 \"{target}-sum\"")), "{target}");
    }
    std::fs::write(&sums, "").unwrap();
    let refused = script("packaging/homebrew/formula.sh", &[version, &sums]);
    assert!(!refused.status.success(), "an archive without a checksum");
}

#[cfg(unix)]
#[test]
fn a_release_has_the_tag_of_its_version() {
    let tag = format!("v{VERSION}");
    let right = script("packaging/check-tag.sh", &[Path::new(&tag)]);
    assert_eq!(String::from_utf8(right.stdout).unwrap().trim(), VERSION);
    let wrong = script("packaging/check-tag.sh", &[Path::new("v0.0.0-other")]);
    assert!(!wrong.status.success());
}
