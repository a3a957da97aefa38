//! Compiles what is data into blobs that the crate includes.
#![allow(clippy::print_stdout, clippy::exit, dead_code, unreachable_pub)]

#[path = "src/edit_distance.rs"]
mod edit_distance;
#[path = "src/rules/embed.rs"]
mod embed;
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
#[path = "src/iam/catalogue/text.rs"]
mod text;

fn main() {
    embed::build();
    pack::build();
}
