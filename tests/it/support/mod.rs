//! What the modules of this binary share.

pub(crate) mod calls;
pub(crate) mod generated;
pub(crate) mod golden;
pub(crate) mod lint;
pub(crate) mod repository;
