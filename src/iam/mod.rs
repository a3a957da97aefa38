//! What IAM means: documents, statements, patterns, the catalogue of what AWS has.
//!
//! **Invariant:** nothing here knows a file format; every part of a document carries the span a person would edit.
//! Questions about texts with holes are answered by [`Truth`].

pub mod access;
pub mod across;
pub mod actions;
pub mod administration;
pub mod arn;
pub mod arn_format;
mod breadth;
pub mod catalogue;
pub mod cdk;
pub mod class;
pub mod cloudtrail;
pub mod condition;
pub mod contract;
pub mod document;
pub mod document_permissions;
pub mod expand;
mod forms;
pub mod glob;
pub mod kind;
pub mod managed;
pub mod ownership;
pub mod partitions;
pub mod pattern;
mod policy_kind;
pub mod principal;
pub mod resource_fit;
pub mod sdk;
pub mod service;
pub mod size;
pub mod states;
pub mod targets;
pub mod truth;
pub mod unlisted;
pub mod variables;

pub use crate::terms::PolicyKind;
pub use actions::ActionSet;
pub use catalogue::{AccessLevel, Action, ActionId, catalogue};
pub use contract::{ContractNames, ContractReach, ContractTerms, DeclaredContract};
pub use document::*;
pub use document_permissions::DocumentPermissions;
pub use ownership::{DeclaredWorkload, Ownership, SettingValue};
pub use policy_kind::LikelyKind;
pub use truth::Truth;
