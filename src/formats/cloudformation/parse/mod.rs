//! Files to templates: sections by name, the templates of a repository, and how each is used.

pub(crate) mod bodies;
pub(crate) mod callers;
pub(crate) mod parameter_files;
pub(crate) mod template;
pub(crate) mod world;
