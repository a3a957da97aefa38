//! One integration binary: everything a user would notice.
#![allow(clippy::unwrap_used)]

mod cli;
mod clients;
mod cloudformation_corpus;
mod cloudformation_eval;
mod cloudformation_robust;
mod cloudformation_sam;
mod cloudformation_templates;
mod constructs;
mod credentials;
mod effective;
mod facts;
mod fix;
mod hcl;
mod known;
mod linear;
mod linking;
mod managed_policies;
mod needs;
mod options;
mod oracle;
mod pairs;
mod policy_files;
mod python_values;
mod render;
mod robust;
mod rosetta;
mod rules;
mod serverless;
mod support;
mod suppress;
mod terraform_eval;
mod tidy;
mod usage;
mod user_rules;
mod workloads;
