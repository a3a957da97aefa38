//! The folder that is served: no path leads out of it.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::discover::with_forward_slashes;

pub(super) struct ServedFolder {
    /// Without links.
    path: PathBuf,
}

impl ServedFolder {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        match path.is_dir() {
            true => Ok(Self { path }),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn has_file(&self, named: &str) -> bool {
        self.inside(named).is_ok_and(|path| self.path.join(path).is_file())
    }

    /// Whether a path in a revision is in the folder. Git starts at the root of the repository, or at the folder if the path
    /// begins with a dot.
    pub(super) fn ensure_inside_in_revision(&self, named: &str) -> Result<(), String> {
        let is_relative = named.starts_with("./") || named.starts_with("../");
        let root = self.path.ancestors().find(|path| path.join(".git").exists());
        let from = root.filter(|_| !is_relative).unwrap_or(&self.path);
        match self.inside(&from.join(named).to_string_lossy()) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("`{named}` is not in the served folder")),
        }
    }

    /// The path of something in the folder, from the folder, as a command takes it: nothing that looks like a flag. It need not
    /// exist.
    pub(super) fn inside(&self, named: &str) -> Result<String, String> {
        let outside = || format!("`{named}` is not in the served folder");
        if named.is_empty() || named.contains('\0') {
            return Err("a path is empty or has a NUL".to_owned());
        }
        let mut whole = PathBuf::new();
        for part in self.path.join(named).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    whole.pop();
                }
                part => whole.push(part),
            }
        }
        // What is there may be a link to elsewhere.
        let existing = whole.ancestors().find_map(|path| path.canonicalize().ok());
        let is_inside = existing.is_some_and(|path| path.starts_with(&self.path));
        let relative = match whole.strip_prefix(&self.path) {
            Ok(relative) if is_inside => relative.to_owned(),
            // An absolute path through a link to the folder.
            _ => {
                let real = whole.canonicalize().map_err(|_| outside())?;
                real.strip_prefix(&self.path).map_err(|_| outside())?.to_owned()
            }
        };
        let relative = with_forward_slashes(&relative);
        Ok(match relative.as_str() {
            "" => ".".to_owned(),
            path if path.starts_with('-') => format!("./{path}"),
            path => path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ServedFolder;

    #[test]
    fn no_path_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("served");
        std::fs::create_dir_all(root.join("infra")).unwrap();
        std::fs::write(dir.path().join("secret.json"), "{}").unwrap();
        let folder = ServedFolder::new(&root).unwrap();
        let absolute = folder.path().join("infra/main.tf");
        for (named, expected) in [
            ("infra", "infra"),
            (".", "."),
            ("infra/../infra/./new.tf", "infra/new.tf"),
            ("-x.json", "./-x.json"),
            (absolute.to_str().unwrap(), "infra/main.tf"),
        ] {
            assert_eq!(folder.inside(named).as_deref(), Ok(expected));
        }
        for named in [
            "..",
            "../secret.json",
            "infra/../../secret.json",
            "/",
            "/etc/passwd",
            "",
            "a\0b",
        ] {
            assert!(folder.inside(named).is_err(), "{named}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path(), root.join("link")).unwrap();
            assert!(folder.inside("link/secret.json").is_err());
            assert!(folder.inside("link/new.json").is_err());
        }
    }
}
