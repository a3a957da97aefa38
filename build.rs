//! Compiles what is data into blobs that the crate includes.
#![allow(clippy::print_stdout, clippy::exit, dead_code, unreachable_pub)]

#[path = "src/edit_distance.rs"]
mod edit_distance;
#[path = "src/rules/embed.rs"]
mod embed;
#[path = "src/model/resource_types/generate.rs"]
mod generate;
#[path = "src/grade.rs"]
mod grade;
#[path = "src/iam/catalogue/layout.rs"]
mod layout;
#[path = "src/iam/catalogue/library.rs"]
mod library;
#[path = "src/iam/catalogue/pack.rs"]
mod pack;
#[path = "src/iam/catalogue/pack_sdk.rs"]
mod pack_sdk;
#[path = "src/terms.rs"]
mod terms;
#[path = "src/iam/catalogue/text.rs"]
mod text;

use std::path::Path;

fn main() {
    // Schemas are derived in the crate only: the build script does without their library.
    if std::env::var_os("CARGO_FEATURE_CLI").is_some() {
        println!("cargo::rustc-cfg=rule_schema");
    }
    embed::build();
    pack::build();
    resource_types();
}

/// Writes the tables of `model::resource_types`.
fn resource_types() {
    const FILE: &str = "rules/facts/hand/resource-types.txt";
    let text = std::fs::read_to_string(FILE).expect("the table of resource types can be read");
    let tables = generate::tables(&text).unwrap_or_else(|(line, why)| {
        println!("cargo::error={FILE}:{line}: {why}");
        std::process::exit(1);
    });
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join("resource_types.rs"), tables).expect("OUT_DIR is writable");
}
