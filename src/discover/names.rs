//! What a file's name and folder say about it, before a byte is read. The list is the one of the user guide, "What is read".

use crate::classify::{is_access_file, is_minified_style, without_template_ending};

use super::SkipReason;

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameHint {
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
    "node_modules",
    "site-packages",
    "venv",
];

/// Hidden folders in which tools keep copies of what others wrote. All other hidden folders are read: editors, development
/// containers, and CI systems have their settings there.
const CACHES: &[&str] = &[
    ".angular",
    ".bundle",
    ".bzr",
    ".cache",
    ".cargo",
    ".dart_tool",
    ".docusaurus",
    ".gradle",
    ".ipynb_checkpoints",
    ".jj",
    ".m2",
    ".npm",
    ".parcel-cache",
    ".pnpm-store",
    ".rustup",
    ".svelte-kit",
    ".turbo",
    ".yarn",
];

/// Endings of files that hold no text.
const BINARY: &[&str] = &[
    "7z", "a", "apk", "avi", "avif", "bin", "bmp", "br", "bz2", "class", "dat", "deb", "dll", "dmg", "doc", "docx",
    "dylib", "ear", "eot", "exe", "flac", "gif", "gz", "ico", "icns", "iso", "jar", "jpeg", "jpg", "lz4", "mkv", "mo",
    "mov", "mp3", "mp4", "node", "o", "obj", "odt", "ogg", "otf", "parquet", "pdb", "pdf", "pickle", "pkl", "png",
    "ppt", "pptx", "psd", "pyc", "pyd", "pyo", "rar", "rlib", "rpm", "so", "sqlite", "swf", "tar", "tgz", "tif",
    "tiff", "ttf", "war", "wasm", "wav", "webm", "webp", "whl", "woff", "woff2", "xls", "xlsx", "xz", "zip", "zst",
];

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

/// Folders whose names say that a tool made them: read where they are named, whatever `.gitignore` says of their content.
pub(super) fn is_generated(name: &str) -> bool {
    VENDORED.contains(&name) || ["build", "cdk.out", "dist", "vendor"].contains(&name)
}

/// Why a folder is not entered.
pub(super) fn folder_skipped(name: &str) -> Option<SkipReason> {
    if VENDORED.contains(&name) {
        return Some(SkipReason::VendoredFolder);
    }
    CACHES.contains(&name).then_some(SkipReason::ToolCache)
}

/// What `name`, met on a walk, promises; else why it is skipped. A name that says nothing is no reason to skip a file:
/// its content decides.
pub(super) fn hint_from_name(name: &str) -> Result<NameHint, SkipReason> {
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    if LOCK_FILES.contains(&name) || is_minified_style(name) {
        return Err(SkipReason::Generated);
    }
    if BINARY.contains(&&*extension) {
        return Err(SkipReason::BinaryName);
    }
    Ok(hint_from_requested_name(name).unwrap_or(NameHint::Text))
}

/// Whether a file of this name may hold parameters of a template, though it holds no policies.
pub(super) fn names_parameters(name: &str) -> bool {
    name == "samconfig.toml"
}

/// What the name of a file says about its kind: `None` means nothing.
pub fn hint_from_requested_name(name: &str) -> Option<NameHint> {
    if LOCK_FILES.contains(&name) {
        return None;
    }
    if name == ".env" || name.starts_with(".env.") {
        return Some(NameHint::Text);
    }
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    let lower = extension.to_ascii_lowercase();
    match lower.as_str() {
        "json" | "jsonc" | "yaml" | "yml" | "template" | "tf" | "tofu" | "tfvars" | "hcl" | "py" | "ipynb" => {
            Some(NameHint::Iam)
        }
        _ if without_template_ending(name).is_some() || is_access_file(name) => Some(NameHint::Iam),
        "pem" | "key" | "ppk" | "tfstate" | "log" | "html" | "mjs" | "cjs" | "mts" | "cts" | "snap" | "env"
        | "envrc" | "ini" | "cfg" | "conf" | "config" | "toml" | "properties" | "sh" | "bash" | "zsh" | "ps1"
        | "bat" | "js" | "ts" | "jsx" | "tsx" | "go" | "java" | "kt" | "rb" | "php" | "cs" | "rs" | "c" | "cpp"
        | "h" | "scala" | "swift" | "xml" | "txt" | "md" | "rst" | "csv" | "sql" | "gradle" | "groovy" => {
            Some(NameHint::Text)
        }
        "" => matches!(
            name,
            "credentials" | "config" | "Makefile" | "Jenkinsfile" | "Dockerfile"
        )
        .then_some(NameHint::Text),
        _ => name.starts_with("Dockerfile").then_some(NameHint::Text),
    }
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
            "ledger.access.toml",
        ] {
            assert_eq!(hint_from_name(name), Ok(NameHint::Iam), "{name}");
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
            // Nothing is known of these, or they are hidden: their content decides.
            "LICENSE",
            "deploy",
            "Vagrantfile",
            "id_rsa",
            "server.pem",
            "main.tf.bak",
            "prod.Dockerfile",
            "terraform.tfstate.backup",
            ".npmrc",
            ".travis.yml.orig",
        ] {
            assert_eq!(hint_from_name(name), Ok(NameHint::Text), "{name}");
        }
        for name in ["package-lock.json", "app.min.css", "logo.png", "site.tar.gz", "libx.so"] {
            assert!(hint_from_name(name).is_err(), "{name}");
        }
        assert_eq!(hint_from_requested_name(".hidden.json"), Some(NameHint::Iam));
    }

    #[test]
    fn folders_of_others_are_skipped_and_ours_are_entered() {
        for name in ["node_modules", ".terraform", ".git", ".gradle"] {
            assert!(folder_skipped(name).is_some(), "{name}");
        }
        for name in [
            ".github",
            ".aws",
            ".circleci",
            ".vscode",
            ".devcontainer",
            ".idea",
            "src",
            "vendor",
            "cdk.out",
            "build",
            "dist",
        ] {
            assert!(folder_skipped(name).is_none(), "{name}");
        }
    }
}
