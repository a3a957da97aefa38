//! Copies of AWS's SDK, as layers and packages have them: they are the library, and nothing that the repository says.

use std::collections::BTreeSet;

use crate::source::{FileId, Sources, is_within};

/// A file of each package that no one else's folder of that name has.
const PACKAGES: [&str; 3] = ["boto3/session.py", "botocore/signers.py", "s3transfer/manager.py"];

/// The folders of such packages.
#[derive(Debug, Default)]
pub(crate) struct SdkCopies {
    folders: BTreeSet<String>,
}

impl SdkCopies {
    pub(crate) fn new(sources: &Sources) -> Self {
        let mut folders = BTreeSet::new();
        for path in sources.ids().map(|file| sources.path(file)) {
            for package in PACKAGES {
                let before = path.strip_suffix(package);
                if let Some(before) = before.filter(|b| b.is_empty() || b.ends_with('/')) {
                    let name = package.split('/').next().unwrap_or(package);
                    let folder = format!("{before}{name}");
                    if sources.find(&format!("{folder}/__init__.py")).is_some() {
                        folders.insert(folder);
                    }
                }
            }
        }
        Self { folders }
    }

    /// Whether the file is part of one.
    pub(crate) fn has(&self, sources: &Sources, file: FileId) -> bool {
        self.folders.iter().any(|folder| is_within(sources.path(file), folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_copy_by_what_is_in_it() {
        let sources = Sources::from_strings(&[
            ("layer/python/boto3/__init__.py", ""),
            ("layer/python/boto3/session.py", ""),
            ("layer/python/boto3/s3/inject.py", ""),
            ("layer/python/app.py", ""),
            ("examples/boto3/create_role.py", ""),
            ("own/botocore/signers.py", ""),
        ]);
        let copies = SdkCopies::new(&sources);
        let found: Vec<&str> = sources
            .ids()
            .filter(|file| copies.has(&sources, *file))
            .map(|file| sources.path(file))
            .collect();
        assert_eq!(
            found,
            [
                "layer/python/boto3/__init__.py",
                "layer/python/boto3/s3/inject.py",
                "layer/python/boto3/session.py"
            ]
        );
    }
}
