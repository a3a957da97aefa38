//! Python, as a file and as a notebook, with all that is read out of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use overgrant::internals::formats::Format as _;
use overgrant::internals::formats::python::Python;
use overgrant::internals::source::Sources;

fuzz_target!(|text: &str| {
    let sources = Sources::from_strings(&[("a.py", text), ("b.ipynb", text)]);
    let ids: Vec<_> = sources.ids().collect();
    for unit in Python.lower(&sources, &ids) {
        for problem in &unit.problems {
            let file = sources.text(problem.span.file);
            assert!(file.get(problem.span.range()).is_some());
        }
    }
});
