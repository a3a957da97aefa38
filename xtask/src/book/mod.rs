//! `cargo xtask book`: the sources of the documentation site, for mdBook.
//!
//! Chapters in `docs/book` are written by hand. A line `<!-- generated: NAME -->` in one of them is replaced by what the
//! command prints, and `<!-- include: PATH -->` by a document of the repository. Each rule and each family has a page.

mod reference;
mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Documents of the repository that are chapters of the book.
const CHAPTERS: [(&str, &str); 4] = [
    ("ARCHITECTURE.md", "architecture.md"),
    ("CHANGELOG.md", "changelog.md"),
    ("CONTRIBUTING.md", "contributing.md"),
    ("rules/README.md", "own-rules.md"),
];

/// Where the pages come from.
#[derive(Clone, Copy, Debug)]
pub struct BookSources<'a> {
    /// The root of the repository.
    pub root: &'a Path,
    /// The built command, whose help and rules are described.
    pub binary: &'a Path,
}

/// All pages, by their path in the book.
pub type Pages = BTreeMap<String, String>;

/// The page of a rule or of a family of rules.
pub fn page_name(rule: &str) -> String {
    format!("rules/{rule}.md")
}

impl BookSources<'_> {
    /// What the command prints with these arguments.
    fn output(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(self.binary);
        command.args(args).env("COLUMNS", "100").env("NO_COLOR", "1");
        // Settings of the working directory must not change what is described.
        command.current_dir(self.root.join("docs"));
        let ran = command
            .output()
            .map_err(|e| format!("{}: {e}", self.binary.display()))?;
        if !ran.status.success() {
            return Err(format!(
                "overgrant {}: {}",
                args.join(" "),
                String::from_utf8_lossy(&ran.stderr)
            ));
        }
        String::from_utf8(ran.stdout).map_err(|e| format!("overgrant {}: {e}", args.join(" ")))
    }

    fn document(&self, path: &str) -> Result<String, String> {
        read(&self.root.join(path))
    }
}

fn read(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.replace("\r\n", "\n"))
}

/// Every page of the book, and its table of contents.
///
/// # Errors
/// A chapter is missing or asks for something that there is not, or the command fails.
pub fn pages(sources: &BookSources<'_>) -> Result<Pages, String> {
    let catalog = rules::RuleCatalog::read(sources)?;
    let mut pages = Pages::new();
    for path in chapters(&sources.root.join("docs/book"))? {
        let text = read(&sources.root.join("docs/book").join(&path))?;
        let mut out = String::new();
        for line in text.lines() {
            match marker(line) {
                Some(("generated", "contents")) => out.push_str(&catalog.contents()),
                Some(("generated", "rules")) => out.push_str(&catalog.tables()),
                Some(("generated", "settings")) => out.push_str(&reference::settings(sources)?),
                Some(("generated", "commands")) => out.push_str(&reference::commands(sources)?),
                Some(("include", document)) => out.push_str(&included(sources, document)?),
                Some((kind, name)) => return Err(format!("docs/book/{path}: unknown mark `{kind}: {name}`")),
                None => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        add(&mut pages, path, out)?;
    }
    for (name, text) in catalog.pages() {
        add(&mut pages, page_name(&name), text)?;
    }
    Ok(pages)
}

fn add(pages: &mut Pages, path: String, text: String) -> Result<(), String> {
    match pages.insert(path.clone(), text) {
        Some(_) => Err(format!("two pages are called {path}")),
        None => Ok(()),
    }
}

/// `<!-- generated: rules -->` as its two words.
fn marker(line: &str) -> Option<(&str, &str)> {
    let inside = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    let (kind, name) = inside.split_once(": ")?;
    matches!(kind, "generated" | "include").then_some((kind, name))
}

fn chapters(dir: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    Ok(names)
}

/// A document of the repository, with links that lead to chapters or to the repository.
fn included(sources: &BookSources<'_>, document: &str) -> Result<String, String> {
    let text = sources.document(document)?;
    let manifest = sources.document("Cargo.toml")?;
    let repository = manifest
        .lines()
        .find_map(|l| l.strip_prefix("repository = \"")?.strip_suffix('"'))
        .ok_or("Cargo.toml names no repository")?;
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    Ok(crate::links::rewritten(&text, |target| {
        let (path, heading) = target.split_once('#').map_or((target, None), |(p, h)| (p, Some(h)));
        if path.is_empty() || path.contains("://") {
            return None;
        }
        let path = crate::links::joined(folder, path);
        let chapter = CHAPTERS.iter().find(|(from, _)| *from == path).map(|(_, to)| *to);
        let page = chapter.map_or_else(|| format!("{repository}/blob/main/{path}"), str::to_owned);
        Some(heading.map_or(page.clone(), |h| format!("{page}#{h}")))
    }))
}

/// Writes the pages and the schemas to `out`, for mdBook. Returns the number of pages.
///
/// # Errors
/// See [`pages`]; or `out` cannot be written.
pub fn write(sources: &BookSources<'_>, out: &Path) -> Result<usize, String> {
    let trouble = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| format!("{path}: {e}")
    };
    if out.exists() {
        std::fs::remove_dir_all(out).map_err(trouble(out))?;
    }
    let pages = pages(sources)?;
    for (path, text) in &pages {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(trouble(folder))?;
        }
        std::fs::write(&path, text).map_err(trouble(&path))?;
    }
    for path in assets(sources.root)? {
        let name = path.file_name().unwrap_or_default();
        std::fs::copy(&path, out.join(name)).map_err(trouble(&path))?;
    }
    Ok(pages.len())
}

/// Files that the site offers as they are: the JSON Schemas and the picture of a finding.
///
/// # Errors
/// `docs` cannot be read.
pub fn assets(root: &Path) -> Result<Vec<PathBuf>, String> {
    let dir = root.join("docs");
    let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|e| e.path())
        .filter(|p| {
            p.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.ends_with(".schema.json") || n.ends_with(".svg"))
        })
        .collect();
    files.push(root.join("rules/rule.schema.json"));
    files.sort();
    Ok(files)
}

/// `cargo xtask book`: writes the book's sources, as the command says that is built or named.
///
/// # Errors
/// See [`write`].
pub fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    const USAGE: &str = "usage: cargo xtask book [--binary PATH]";
    let mut binary = None;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--binary" => binary = Some(PathBuf::from(args.next().ok_or(USAGE)?)),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let root = crate::snippets::root()?;
    let binary = match binary {
        Some(path) => path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?,
        None => crate::snippets::built_binary(&root)?,
    };
    let out = root.join("target/book/src");
    let sources = BookSources {
        root: &root,
        binary: &binary,
    };
    let count = write(&sources, &out)?;
    println!("{count} pages in {}; now run: mdbook build docs", out.display());
    Ok(())
}
