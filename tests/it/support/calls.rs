//! Runs the analysis of calls on sources from strings.

use overgrant::internals::formats::python::Python;
use overgrant::internals::formats::{FileKinds, Format as _};
use overgrant::internals::python::Program;
use overgrant::internals::python::calls::{ApiCall, Calls, sorted};
use overgrant::internals::source::{FileId, Sources};

/// Runs `ask` on what was found.
pub(crate) fn analyze<T>(files: &[(&str, &str)], ask: impl FnOnce(&Sources, &Calls<'_>) -> T) -> T {
    let sources = Sources::from_strings(files);
    let ids: Vec<FileId> = sources
        .ids()
        .filter(|f| FileKinds::of(sources.path(*f), sources.text(*f)).is_read_by(&Python))
        .collect();
    let units = Python.lower(&sources, &ids);
    for u in &units {
        assert!(u.problems.is_empty(), "{:?}", u.problems);
    }
    let modules = sorted(units.into_iter().flat_map(|u| u.modules).collect());
    let program = Program::new(&sources, &modules);
    let calls = Calls::new(&program);
    ask(&sources, &calls)
}

/// `path:line function service.Operation`, with a question mark where it is not certain.
pub(crate) fn line(sources: &Sources, c: &ApiCall) -> String {
    let (start, _) = sources.positions(c.span);
    let path = match sources.path(c.span.file) {
        "m.py" => String::new(),
        p => format!("{p}:"),
    };
    format!(
        "{path}{} {} {}.{}{}",
        start.line,
        c.function,
        c.service,
        c.operation.unwrap_or(&c.method),
        if c.certain { "" } else { "?" }
    )
}

pub(crate) fn lines(files: &[(&str, &str)]) -> Vec<String> {
    analyze(files, |s, c| {
        c.listed().into_iter().map(|i| line(s, &c.calls[i])).collect()
    })
}

#[track_caller]
pub(crate) fn calls(code: &str, expected: &[&str]) {
    assert_eq!(lines(&[("m.py", code)]), expected, "{code}");
}

pub(crate) fn with<T>(code: &str, ask: impl FnOnce(&Sources, &Calls<'_>) -> T) -> T {
    analyze(&[("m.py", code)], ask)
}
