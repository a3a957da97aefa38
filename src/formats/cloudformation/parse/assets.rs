//! What the manifests of assets say that the CDK writes beside its templates: which folder or file of `cdk.out` an object in a
//! bucket, or an image in a registry, is made of. AWS CDK, "Cloud assembly schema", `AssetManifest`.

use std::collections::BTreeMap;

use super::assembly::text;
use crate::source::join_path;
use crate::syntax::{NodeId, Tree};

/// A folder from which an image is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageAsset {
    pub(crate) folder: String,
    /// Its path.
    pub(crate) dockerfile: String,
    /// The stage that is built.
    pub(crate) target: Option<String>,
}

/// The assets of one folder of templates.
#[derive(Debug, Default)]
pub(crate) struct CloudAssets {
    /// Paths by the key of the object.
    files: BTreeMap<String, String>,
    /// By the tag of the image.
    images: BTreeMap<String, ImageAsset>,
}

impl CloudAssets {
    /// Adds what a manifest in `folder` says.
    pub(super) fn add(&mut self, folder: &str, tree: &Tree) {
        let Some(root) = tree.roots.first() else { return };
        let each = |section: &str, f: &mut dyn FnMut(NodeId, Vec<NodeId>)| {
            for (_, asset) in tree.get(*root, section).into_iter().flat_map(|s| tree.entries(s)) {
                let destinations = tree.get(asset, "destinations");
                let destinations = destinations.into_iter().flat_map(|d| tree.entries(d));
                if let Some(source) = tree.get(asset, "source") {
                    f(source, destinations.map(|(_, d)| d).collect());
                }
            }
        };
        let said = |node: NodeId, name: &str| text(tree, tree.get(node, name)?);
        each("files", &mut |source, destinations| {
            let Some(path) = said(source, "path") else { return };
            for key in destinations.iter().filter_map(|d| said(*d, "objectKey")) {
                self.files.insert(key, join_path(folder, &path));
            }
        });
        each("dockerImages", &mut |source, destinations| {
            let Some(directory) = said(source, "directory") else {
                return;
            };
            let at = join_path(folder, &directory);
            let file = said(source, "dockerFile").unwrap_or_else(|| "Dockerfile".to_owned());
            let image = ImageAsset {
                dockerfile: join_path(&at, &file),
                folder: at,
                target: said(source, "dockerBuildTarget"),
            };
            for tag in destinations.iter().filter_map(|d| said(*d, "imageTag")) {
                self.images.insert(tag, image.clone());
            }
        });
    }

    /// The folder or file that an object is made of, by its key, or by an address that ends with the key.
    pub(crate) fn file(&self, key: &str) -> Option<&str> {
        let last = key.rsplit('/').next();
        let found = self.files.get(key).or_else(|| self.files.get(last?));
        found.map(String::as_str)
    }

    /// What an image is built from: `….amazonaws.com/repository:tag`.
    pub(crate) fn image(&self, address: &str) -> Option<&ImageAsset> {
        self.images.get(address.rsplit_once(':')?.1)
    }
}
