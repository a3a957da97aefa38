//! Files to declarations: what the files of a directory say, before anything is evaluated.
//!
//! Takes `.tf`, `.tf.json`, `.tfvars` and Terragrunt files; gives a [`directory::Directory`] for each folder.
//!
//! **Invariant:** nothing here knows a value or a resource type.

pub(crate) mod directory;
pub(crate) mod extents;
pub(crate) mod json;
pub(crate) mod terragrunt;
pub(crate) mod var_files;
