//! Maintainer commands: `cargo xtask <command>`.

mod cloudtrail;
mod evidence;
mod facts;
mod sets;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let result = match args.next().as_deref() {
        Some("facts") => facts::run(args),
        Some("cloudtrail") => cloudtrail::run(args),
        Some("evidence") => evidence::run(args),
        Some("book") => xtask::book::run(args),
        Some("sets") => sets::run(&sets::STATEMENTS, args),
        Some("diffs") => sets::run(&sets::POLICIES, args),
        Some("verify-docs") => xtask::snippets::verify(args),
        _ => Err(format!(
            "usage: cargo xtask facts|book|cloudtrail|evidence|sets|diffs|verify-docs …\n\n  book         write the sources of the documentation site\n  sets         compare random pairs of statements: --pairs N --seed S\n  diffs        compare random pairs of policies: --pairs N --seed S\n  verify-docs  run the shell commands of the documentation\n{}\n{}\n\n{}",
            cloudtrail::USAGE,
            evidence::USAGE,
            facts::USAGE
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}
