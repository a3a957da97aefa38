//! What the modules of this binary share.

pub mod golden;
pub mod repository;
