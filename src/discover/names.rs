//! What a file's name and folder say about it, before a byte is read. The list is the one of the user guide, "What is read".

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// May hold policies; its content decides.
    Iam,
    /// May hold credentials.
    Text,
}

/// Folders that hold what others wrote or tools made. Skipped unless named.
const VENDORED: &[&str] = &[
    ".aws-sam",
    ".eggs",
    ".git",
    ".hg",
    ".mypy_cache",
    ".next",
    ".nox",
    ".nuxt",
    ".pytest_cache",
    ".ruff_cache",
    ".serverless",
    ".svn",
    ".terraform",
    ".terragrunt-cache",
    ".tox",
    ".venv",
    "__pycache__",
    "bower_components",
    "cdk.out",
    "node_modules",
    "site-packages",
    "venv",
];

/// Hidden folders that are read all the same.
const HIDDEN_FOLDERS: &[&str] = &[".aws", ".chalice", ".circleci", ".ebextensions", ".github"];

/// Lock files: long, generated, and full of hashes.
const LOCK_FILES: &[&str] = &[
    "bun.lock",
    "composer.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "pnpm-lock.yaml",
    "pnpm-lock.yml",
    "project.assets.json",
];

/// Why a folder is not entered.
pub(super) fn folder_skipped(name: &str) -> Option<&'static str> {
    if VENDORED.contains(&name) {
        return Some("vendored or generated folder");
    }
    (name.starts_with('.') && !HIDDEN_FOLDERS.contains(&name)).then_some("hidden folder")
}

/// Whether a hidden file is read although it is hidden.
fn hidden_file_read(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.") || matches!(name, ".envrc" | ".gitlab-ci.yml" | ".gitlab-ci.yaml")
}

/// What `name`, met on a walk, promises; else why it is skipped.
pub(super) fn promise(name: &str) -> Result<Promise, &'static str> {
    if name.starts_with('.') && !hidden_file_read(name) {
        return Err("hidden file");
    }
    promise_of_named(name).ok_or("not a kind of file that is read")
}

/// Like [`promise`] for a file that the user named: hidden ones count, `None` means that nothing is known of its kind.
pub fn promise_of_named(name: &str) -> Option<Promise> {
    if LOCK_FILES.contains(&name) {
        return None;
    }
    if name == ".env" || name.starts_with(".env.") {
        return Some(Promise::Text);
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let lower = extension.to_ascii_lowercase();
    match lower.as_str() {
        "json" | "jsonc" | "yaml" | "yml" | "template" | "tf" | "tofu" | "tfvars" | "hcl" | "py" | "ipynb"
        | "tftpl" | "j2" | "tpl" => Some(Promise::Iam),
        "js" | "jsx" | "ts" | "tsx" if minified(stem) => None,
        "env" | "envrc" | "ini" | "cfg" | "conf" | "config" | "toml" | "properties" | "sh" | "bash" | "zsh" | "ps1"
        | "bat" | "js" | "ts" | "jsx" | "tsx" | "go" | "java" | "kt" | "rb" | "php" | "cs" | "rs" | "c" | "cpp"
        | "h" | "scala" | "swift" | "xml" | "txt" | "md" | "rst" | "csv" | "sql" | "gradle" | "groovy" => {
            Some(Promise::Text)
        }
        "" => matches!(
            name,
            "credentials" | "config" | "Makefile" | "Jenkinsfile" | "Dockerfile"
        )
        .then_some(Promise::Text),
        _ => name.starts_with("Dockerfile").then_some(Promise::Text),
    }
}

/// `app.min.js`, `vendor.bundle.js`, `main.1a2b3c4d.chunk.js`.
fn minified(stem: &str) -> bool {
    [".min", ".bundle", ".chunk", "-min"]
        .iter()
        .any(|end| stem.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_what_the_guide_says() {
        for name in [
            "p.json",
            "t.yaml",
            "t.yml",
            "a.template",
            "main.tf",
            "main.tofu",
            "x.tf.json",
            "a.py",
            "n.ipynb",
            "v.tfvars",
        ] {
            assert_eq!(promise(name), Ok(Promise::Iam), "{name}");
        }
        for name in [
            ".env",
            ".env.local",
            ".envrc",
            "a.ini",
            "run.sh",
            "App.java",
            "Dockerfile",
            "Dockerfile.dev",
            "Makefile",
            "credentials",
            "README.md",
        ] {
            assert_eq!(promise(name), Ok(Promise::Text), "{name}");
        }
        for name in [
            ".hidden.json",
            "package-lock.json",
            "app.min.js",
            "logo.png",
            "a.out",
            "LICENSE",
            "go.sum",
            "Cargo.lock",
        ] {
            assert!(promise(name).is_err(), "{name}");
        }
        assert_eq!(promise_of_named(".hidden.json"), Some(Promise::Iam));
    }

    #[test]
    fn folders_of_others_are_skipped_and_ours_are_entered() {
        for name in ["node_modules", ".terraform", ".git", "cdk.out", ".idea"] {
            assert!(folder_skipped(name).is_some(), "{name}");
        }
        for name in [".github", ".aws", ".circleci", "src", "vendor"] {
            assert!(folder_skipped(name).is_none(), "{name}");
        }
    }
}
