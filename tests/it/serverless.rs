//! serverless.yml.
