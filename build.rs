//! Compiles what is data into blobs that the crate includes.
#![allow(clippy::print_stdout, clippy::exit, dead_code, unreachable_pub)]

#[path = "src/rules/embed.rs"]
mod embed;
#[path = "src/grade.rs"]
mod grade;

fn main() {
    embed::build();
}
