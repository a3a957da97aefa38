//! One integration binary: everything a user would notice.
#![allow(clippy::unwrap_used)]

mod cli;
mod cloudformation_corpus;
mod cloudformation_eval;
mod cloudformation_robust;
mod cloudformation_sam;
mod cloudformation_templates;
mod credentials;
mod facts;
mod hcl;
mod needs;
mod oracle;
mod policy_files;
mod known;
mod python_values;
mod robust;
mod render;
mod rules;
mod serverless;
mod support;
mod suppress;
mod terraform_eval;
mod tidy;
mod user_rules;
