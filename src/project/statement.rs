//! Statements with the place where they stand.

use std::ops::Deref;

use super::{DocumentId, Project};
use crate::iam::{Document, Statement};

/// A statement and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct StatementRef<'p> {
    pub document_id: DocumentId,
    pub document: &'p Document,
    pub index: usize,
    pub statement: &'p Statement,
}

impl Deref for StatementRef<'_> {
    type Target = Statement;

    fn deref(&self) -> &Statement {
        self.statement
    }
}

impl Project<'_> {
    /// The statements of a document.
    pub fn statements(&self, document_id: DocumentId) -> impl Iterator<Item = StatementRef<'_>> + Clone {
        let document = &self.documents[document_id];
        let statements = document.statements.iter().enumerate();
        statements.map(move |(index, statement)| StatementRef {
            document_id,
            document,
            index,
            statement,
        })
    }

    /// One of the statements of a document, by its index.
    pub fn statement(&self, document_id: DocumentId, index: usize) -> StatementRef<'_> {
        let document = &self.documents[document_id];
        StatementRef {
            document_id,
            document,
            index,
            statement: &document.statements[index],
        }
    }
}
