//! What the tests of the documentation share with the maintainer commands.

pub mod book;
pub mod links;
pub mod snippets;
