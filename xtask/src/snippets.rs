//! Code blocks of the documentation, and `cargo xtask verify-docs`, which runs those that need more than the binary.
//!
//! A `console` block holds `$ overgrant …` lines with what they print; the tests run it in a copy of `testdata/example`. An
//! `sh` block is run here, in a clone of the repository, unless a comment above it says why not: `<!-- verify: no, WHY -->`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A code block.
#[derive(Clone, Debug)]
pub struct Snippet {
    /// The line of its first fence, from 1.
    pub line: usize,
    /// What follows the fence: `toml`, `console`.
    pub language: String,
    /// What the comment directly above it says after `verify:`.
    pub note: Option<String>,
    pub text: String,
}

/// The code blocks of a document, also those in lists.
pub fn snippets(document: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    let mut note = None;
    let mut lines = document.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if let Some(said) = bare.strip_prefix("<!-- verify: ").and_then(|n| n.strip_suffix(" -->")) {
            note = Some(said.to_owned());
            continue;
        }
        let language = bare.trim_start_matches('`');
        let fence = bare.get(..bare.len() - language.len()).unwrap_or_default();
        if fence.len() >= 3 {
            let mut text = String::new();
            for (_, line) in lines.by_ref() {
                if line.trim() == fence {
                    break;
                }
                text.push_str(line.get(indent..).unwrap_or(line.trim_start()));
                text.push('\n');
            }
            found.push(Snippet {
                line: number + 1,
                language: language.trim().to_owned(),
                note: note.take(),
                text,
            });
        }
        note = None;
    }
    found
}

/// The documents whose code blocks are run: the README and the chapters written by hand.
///
/// # Errors
/// `docs/book` cannot be read.
pub fn documents(root: &Path) -> Result<Vec<(String, String)>, String> {
    let mut paths = vec![PathBuf::from("README.md")];
    let dir = root.join("docs/book");
    let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let names = entries.filter_map(Result::ok).map(|e| e.file_name());
    let mut chapters: Vec<PathBuf> = names.map(|n| Path::new("docs/book").join(n)).collect();
    chapters.retain(|p| p.extension().is_some_and(|x| x == "md"));
    chapters.sort();
    paths.append(&mut chapters);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(root.join(&path)).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok((
            path.display().to_string().replace('\\', "/"),
            text.replace("\r\n", "\n"),
        ))
    };
    paths.into_iter().map(read).collect()
}

/// The root of the repository.
///
/// # Errors
/// The package is not inside a folder.
pub fn root() -> Result<PathBuf, String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .map(Path::to_owned)
        .ok_or("xtask has no parent folder".to_owned())
}

/// Builds the command and tells where it is.
///
/// # Errors
/// It does not compile.
pub fn built_binary(root: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--quiet",
        "--bin",
        "overgrant",
        "--message-format=json-render-diagnostics",
    ]);
    let ran = build.current_dir(root).output().map_err(|e| format!("cargo: {e}"))?;
    let messages = String::from_utf8_lossy(&ran.stdout).into_owned();
    let mut built = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    built
        .next_back()
        .ok_or_else(|| format!("overgrant was not built: {}", String::from_utf8_lossy(&ran.stderr)))
}

const USAGE: &str = "usage: cargo xtask verify-docs [--binary PATH] [--wheels DIR]

  --binary PATH  put this overgrant on the path, and build none
  --wheels DIR   also try `pip install overgrant`, with a wheel from this folder
";

/// `cargo xtask verify-docs`.
///
/// # Errors
/// A block fails.
pub fn verify(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut wheels, mut binary) = (None, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--wheels" => wheels = Some(PathBuf::from(args.next().ok_or(USAGE)?)),
            "--binary" => binary = Some(PathBuf::from(args.next().ok_or(USAGE)?)),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let root = root()?;
    let binary = match binary {
        Some(path) => path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?,
        None => built_binary(&root)?,
    };
    let place = Scratch::new(&root, &binary, wheels.as_deref())?;
    let (mut ran, mut skipped, mut failed) = (0, 0, Vec::new());
    for (path, text) in documents(&root)? {
        for snippet in snippets(&text).iter().filter(|s| s.language == "sh") {
            let at = format!("{path}:{}", snippet.line);
            if let Some(why) = place.obstacle(snippet) {
                println!("skipped  {at}: {why}");
                skipped += 1;
                continue;
            }
            let start = Instant::now();
            match place.run(&snippet.text) {
                Ok(()) => println!("ok       {at} ({:.1} s)", start.elapsed().as_secs_f64()),
                Err(why) => {
                    println!("failed   {at}: {why}");
                    failed.push(at);
                }
            }
            ran += 1;
        }
    }
    println!("{ran} blocks run, {skipped} skipped, {} failed", failed.len());
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {}", failed.join(", "))),
    }
}

/// A clone of the repository, a virtual environment, and the command on the path.
struct Scratch {
    dir: PathBuf,
    path: std::ffi::OsString,
    wheels: Option<PathBuf>,
}

impl Scratch {
    fn new(root: &Path, binary: &Path, wheels: Option<&Path>) -> Result<Self, String> {
        let dir = std::env::temp_dir().join(format!("overgrant-verify-docs-{}", std::process::id()));
        let clone = dir.join("repository");
        let environment = dir.join("venv");
        std::fs::create_dir_all(dir.join("home")).map_err(|e| format!("{}: {e}", dir.display()))?;
        for (program, args) in [
            (
                "git",
                vec!["clone", "--quiet", &root.to_string_lossy(), &clone.to_string_lossy()],
            ),
            ("python3", vec!["-m", "venv", &environment.to_string_lossy()]),
        ] {
            let status = Command::new(program).args(args).status();
            if !status.is_ok_and(|s| s.success()) {
                return Err(format!("{program} failed"));
            }
        }
        let mut folders = vec![environment.join("bin")];
        folders.extend(binary.parent().map(Path::to_owned));
        folders.extend(
            std::env::var_os("PATH")
                .iter()
                .flat_map(|p| std::env::split_paths(p).collect::<Vec<_>>()),
        );
        Ok(Self {
            path: std::env::join_paths(folders).map_err(|e| e.to_string())?,
            wheels: wheels.map(|w| w.canonicalize().unwrap_or(w.to_owned())),
            dir,
        })
    }

    /// Why a block cannot be run here.
    fn obstacle(&self, snippet: &Snippet) -> Option<String> {
        if let Some(why) = snippet.note.as_deref().and_then(|n| n.strip_prefix("no, ")) {
            return Some(why.to_owned());
        }
        let lines = snippet.text.lines().filter(|l| !l.trim().is_empty());
        for line in lines {
            let program = line.split_whitespace().next().unwrap_or_default();
            let known = ["cd", "for", "do", "done", "if", "then", "fi"].contains(&program) || program.contains('=');
            // What follows may be what is installed here.
            if line.trim_start().starts_with("pip install ") {
                break;
            }
            if !known && !self.has(program) {
                return Some(format!("`{program}` is not installed"));
            }
        }
        let published = snippet.note.as_deref() == Some("published");
        (published && self.wheels.is_none()).then(|| "needs the published package, or --wheels".to_owned())
    }

    fn has(&self, program: &str) -> bool {
        std::env::split_paths(&self.path).any(|folder| folder.join(program).is_file())
    }

    fn run(&self, script: &str) -> Result<(), String> {
        let mut command = Command::new("sh");
        command
            .args(["-eu", "-c", script])
            .current_dir(self.dir.join("repository"));
        // What a block writes into the home folder goes away with the rest.
        command.env("PATH", &self.path).env("HOME", self.dir.join("home"));
        if let Some(wheels) = &self.wheels {
            command.env("PIP_FIND_LINKS", wheels);
        }
        command.stdin(std::process::Stdio::null());
        let ran = command.output().map_err(|e| format!("sh: {e}"))?;
        if ran.status.success() {
            return Ok(());
        }
        let said = [ran.stdout, ran.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let tail: Vec<&str> = said.lines().rev().take(10).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        Err(format!("{}\n  {}", ran.status, tail.join("\n  ")))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
