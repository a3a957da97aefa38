//! The README and the documentation site: links lead somewhere, code blocks run, pictures and pages are what the command says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use overgrant::internals::report::OutputFormat;
use overgrant::internals::rules::Ruleset;
use xtask::book::{self, BookSources};
use xtask::links;
use xtask::snippets::{Snippet, documents, snippets};

use crate::support::repository::{Ran, Repository, finished};

const SITE: &str = env!("CARGO_PKG_HOMEPAGE");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.replace("\r\n", "\n")
}

fn book_pages() -> book::Pages {
    let sources = BookSources {
        root: &root(),
        binary: Path::new(env!("CARGO_BIN_EXE_overgrant")),
    };
    book::pages(&sources).unwrap()
}

/// What is wrong with a link to `target` from a page in `folder`, if pages and files are these.
fn fault(folder: &str, own: &str, target: &str, text_of: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let (path, heading) = target.split_once('#').map_or((target, None), |(p, h)| (p, Some(h)));
    let path = match path {
        "" => own.to_owned(),
        path => links::joined(folder, path),
    };
    let Some(text) = text_of(&path) else {
        return Some(format!("{target}: there is no {path}"));
    };
    let heading = heading.filter(|h| path.ends_with(".md") && !links::headings(&text).iter().any(|have| have == h))?;
    Some(format!("{target}: {path} has no heading #{heading}"))
}

/// One run of the generator, since it describes all rules.
#[test]
fn the_book_is_whole_and_its_links_lead_somewhere() {
    let pages = book_pages();
    let mut wrong = Vec::new();

    for rule in Ruleset::builtin().iter() {
        let name = book::page_name(&rule.id());
        match pages.get(&name) {
            None => wrong.push(format!("{name} is missing")),
            Some(text) => {
                for part in ["Why it matters", "What to do", "How to suppress"] {
                    if !text.contains(&format!("\n## {part}\n")) {
                        wrong.push(format!("{name} has no part `{part}`"));
                    }
                }
            }
        }
    }

    let listed: Vec<String> = links::links(&pages["SUMMARY.md"]).into_iter().map(|(_, t)| t).collect();
    let listed_once: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    assert_eq!(listed.len(), listed_once.len(), "SUMMARY.md names a page twice");
    for page in pages.keys().filter(|p| *p != "SUMMARY.md") {
        if !listed_once.contains(page.as_str()) {
            wrong.push(format!("SUMMARY.md does not name {page}"));
        }
    }

    let assets = book::assets(&root()).unwrap();
    let asset = |path: &str| assets.iter().any(|a| a.file_name().is_some_and(|n| n == path));
    let in_book = |path: &str| pages.get(path).cloned().or_else(|| asset(path).then(String::new));
    let in_repository = |path: &str| {
        let path = root().join(path);
        path.exists()
            .then(|| std::fs::read_to_string(&path).unwrap_or_default())
    };
    let repository = format!("{}/blob/main/", env!("CARGO_PKG_REPOSITORY"));
    let raw = env!("CARGO_PKG_REPOSITORY").replace("github.com", "raw.githubusercontent.com") + "/main/";
    let check = |document: &str, text: &str, resolve: &dyn Fn(&str) -> Option<String>, wrong: &mut Vec<String>| {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in links::links(text) {
            let found = if let Some(page) = target.strip_prefix(SITE) {
                let page = page.trim_start_matches('/').replace(".html", ".md");
                let page = if page.is_empty() { "index.md" } else { &page };
                fault("", "", page, &in_book)
            } else if let Some(path) = target.strip_prefix(&repository).or(target.strip_prefix(&raw)) {
                fault("", "", path, &in_repository)
            } else if target.contains("://") {
                None
            } else {
                fault(folder, document, &target, resolve)
            };
            wrong.extend(found.map(|f| format!("{document}:{line}: {f}")));
        }
    };
    for (path, text) in &pages {
        check(path, text, &in_book, &mut wrong);
    }
    let written = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "rules/README.md",
        "rules/facts/README.md",
    ];
    for path in written {
        check(path, &read(&root().join(path)), &in_repository, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn reports_lead_to_the_page_of_a_rule() {
    let r = Repository::new(&[(
        "p.json",
        r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
    )]);
    let sarif = r.run(&["check", "--format", "sarif", "--sarif-all-rules"]).json();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), Ruleset::builtin().iter().count());
    let site = |id: &str| format!("{SITE}/{}", book::page_name(id).replace(".md", ".html"));
    for rule in rules {
        assert_eq!(rule["helpUri"], site(rule["id"].as_str().unwrap()));
    }
    let links = r
        .run(&["check", "--hyperlinks", "always", "--only", "admin-star-star"])
        .out;
    let page = site("admin-star-star");
    assert!(
        links.contains(&format!("\u{1b}]8;;{page}\u{1b}\\admin-star-star")),
        "{links:?}"
    );
    let json = r
        .run(&["check", "--format", "json", "--only", "admin-star-star"])
        .json();
    assert_eq!(json["findings"][0]["url"], page);
}

#[test]
fn the_site_describes_every_output_format() {
    let text = read(&root().join("docs/book/output.md"));
    let rows: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(rows, OutputFormat::ALL.map(OutputFormat::name));
}

/// A copy of the example that is shipped, for the blocks of one document.
fn example() -> Repository {
    let from = root().join("testdata/example");
    let r = Repository::new(&[]);
    for entry in walkdir::WalkDir::new(&from).into_iter().flatten() {
        if entry.file_type().is_file() {
            let path = entry
                .path()
                .strip_prefix(&from)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            r.write(&path, &std::fs::read(entry.path()).unwrap());
        }
    }
    r
}

/// The words of a command line; quotes keep words together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Runs the commands of a `console` block. What it shows after a command is what the command prints; `…` stands for any lines.
fn run_console(r: &Repository, snippet: &Snippet) -> Vec<String> {
    let mut wrong = Vec::new();
    for part in format!("\n{}", snippet.text).split("\n$ ").skip(1) {
        let (line, shown) = part.split_once('\n').unwrap_or((part, ""));
        let line = line.split(" # ").next().unwrap_or(line).trim();
        let words = words(line);
        let Some(("overgrant", args)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
            wrong.push(format!("`{line}` is not a call of overgrant"));
            continue;
        };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = r.command(&args);
        command.env("COLUMNS", "90").env("NO_COLOR", "1");
        let Ran { code, out, err } = finished(command);
        if code > 1 {
            wrong.push(format!("`{line}` fails: {err}"));
        }
        // Standard error comes first, as it would on a terminal.
        let printed = format!("{err}{out}");
        let mut rest = printed.as_str();
        for piece in format!("{shown}\n").split("…\n").filter(|p| !p.trim().is_empty()) {
            let piece = piece.trim_end();
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => {
                    wrong.push(format!("`{line}` prints\n{printed}\nand not\n{piece}"));
                    break;
                }
            }
        }
    }
    wrong
}

/// What is wrong with a block that is a file: settings, a rule, or another file in YAML or JSON.
fn check_file(snippet: &Snippet) -> Result<(), String> {
    let (language, text) = (snippet.language.as_str(), snippet.text.as_str());
    let ran = match language {
        "toml" if text.contains("[tool.overgrant") => example_with("pyproject.toml", text, &["config", "check"]),
        "toml" => example_with("overgrant.toml", text, &["config", "check"]),
        "yaml" if text.starts_with("id: ") => {
            let name = text.lines().next().unwrap().rsplit('/').next().unwrap();
            example_with(
                &format!("policies/rules/{name}.yaml"),
                text,
                &["test-rules", "policies/rules"],
            )
        }
        "yaml" => {
            return serde_yaml::from_str::<serde_yaml::Value>(text)
                .map(drop)
                .map_err(|e| e.to_string());
        }
        "json" => {
            return serde_json::from_str::<serde_json::Value>(text)
                .map(drop)
                .map_err(|e| e.to_string());
        }
        _ => return Ok(()),
    };
    match ran.code {
        0 => Ok(()),
        _ => Err(format!("{}{}", ran.out, ran.err)),
    }
}

fn example_with(path: &str, text: &str, args: &[&str]) -> Ran {
    let r = example();
    r.write(path, text.as_bytes());
    // The folder that the pages use for rules.
    r.write("policies/rules/.keep", b"");
    r.run(args)
}

#[test]
fn the_code_blocks_of_the_documentation_work() {
    const LANGUAGES: [&str; 9] = ["console", "sh", "toml", "yaml", "json", "text", "hcl", "python", "rust"];
    let mut wrong = Vec::new();
    for (path, text) in documents(&root()).unwrap() {
        let r = example();
        for snippet in snippets(&text) {
            let said = match snippet.language.as_str() {
                "console" => run_console(&r, &snippet),
                language if LANGUAGES.contains(&language) => check_file(&snippet).err().into_iter().collect(),
                language => vec![format!("a block in `{language}`, which nothing tests")],
            };
            wrong.extend(said.into_iter().map(|s| format!("{path}:{}: {s}", snippet.line)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_readme_is_short_and_its_tests_are_one_command() {
    let readme = read(&root().join("README.md"));
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    let tests = snippets(&readme)
        .iter()
        .flat_map(|s| s.text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|l| l.starts_with("cargo test"))
        .count();
    assert_eq!(tests, 1);
}

/// The picture in the README: what the command prints for the example, with the colors of a terminal.
#[test]
fn the_picture_of_a_finding_is_what_the_command_prints() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_overgrant"));
    command.args([
        "check",
        "testdata/example",
        "--tests",
        "--only",
        "unused-grant",
        "--isolated",
    ]);
    command.args([
        "--color",
        "always",
        "--hyperlinks",
        "never",
        "--no-summary",
        "--annotations",
        "never",
    ]);
    command.env("COLUMNS", "84").env_remove("NO_COLOR").current_dir(root());
    let picture = svg(&finished(command).out);
    let path = root().join("docs/finding.svg");
    if std::env::var_os("OVERGRANT_UPDATE").is_some() {
        std::fs::write(&path, &picture).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n") == picture,
        "docs/finding.svg is stale: run `OVERGRANT_UPDATE=1 cargo test --test it docs`"
    );
}

/// Text with terminal colors as a picture. It has its own dark ground, so it is legible on a light page and on a dark one.
fn svg(text: &str) -> String {
    const LINE: usize = 19;
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let (width, height) = (84 * 8 + 72, lines.len() * LINE + 40);
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>A finding of overgrant</title>
<style>
text {{ font-family: monospace; font-size: 14px; fill: #e6edf3; white-space: pre; }}
.bold {{ font-weight: bold; }}
.red {{ fill: #ff7b72; }}
.green {{ fill: #7ee787; }}
.yellow {{ fill: #e3b341; }}
.blue {{ fill: #79c0ff; }}
.cyan {{ fill: #56d4dd; }}
</style>
<rect x="0.5" y="0.5" width="{}" height="{}" rx="8" fill="#0d1117" stroke="#30363d"/>
"##,
        width - 1,
        height - 1
    );
    for (i, line) in lines.iter().enumerate() {
        let y = 32 + i * LINE;
        let _ = write!(out, r#"<text y="{y}">"#);
        let (mut bold, mut color, mut column) = (false, "", 0);
        // Each part but the first begins with the numbers of an escape sequence.
        for (n, part) in line.split("\u{1b}[").enumerate() {
            let shown = if n == 0 {
                part
            } else {
                let (codes, shown) = part.split_once('m').unwrap();
                match codes {
                    "0" => (bold, color) = (false, ""),
                    "1" => bold = true,
                    "31" | "38;5;9" => color = "red",
                    "32" | "38;5;10" => color = "green",
                    "33" | "38;5;11" => color = "yellow",
                    "34" | "38;5;12" => color = "blue",
                    "36" | "38;5;14" => color = "cyan",
                    other => panic!("no color for {other}"),
                }
                shown
            };
            let start = column + shown.chars().take_while(|c| *c == ' ').count();
            column += shown.chars().count();
            let text = shown.trim();
            if text.is_empty() {
                continue;
            }
            // Place and length keep the columns in any font.
            let (x, length) = (20.0 + 8.4 * start as f64, 8.4 * text.chars().count() as f64);
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let class = match (bold, color) {
                (true, _) => format!("bold {color}"),
                (false, color) => color.to_owned(),
            };
            let class = match class.trim() {
                "" => String::new(),
                class => format!(r#" class="{class}""#),
            };
            let _ = write!(
                out,
                r#"<tspan x="{x:.1}" textLength="{length:.1}"{class}>{text}</tspan>"#
            );
        }
        out.push_str("</text>\n");
    }
    out + "</svg>\n"
}

#[test]
fn links_and_headings_are_found() {
    let text = r"See [a](x.md#y) and `[b](c)`.
```sh
[c](d)
```
[e](f)
";
    assert_eq!(links::links(text), [(1, "x.md#y".to_owned()), (5, "f".to_owned())]);
    assert_eq!(links::joined("rules/facts", "../README.md"), "rules/README.md");
    let headings = links::headings("# Only what is new\n## `a`, b\n## `a`, b\n");
    assert_eq!(headings, ["only-what-is-new", "a-b", "a-b-1"]);
}
