//! JSON, as a file and embedded: no panic, every span in bounds and on character borders.
#![no_main]

use libfuzzer_sys::fuzz_target;
use overgrant::internals::source::{FileId, Span, Text};
use overgrant::internals::syntax::{NodeId, Tree, json};

fuzz_target!(|text: &str| {
    let file = FileId(0);
    in_bounds(&json::parse(file, text), text);
    let embedded = Text::verbatim(text, file, 0);
    in_bounds(&json::parse_text(&embedded, Span::new(file, 0, text.len())), text);
});

fn in_bounds(tree: &Tree, text: &str) {
    for id in (0..tree.node_count() as u32).map(NodeId) {
        assert!(text.get(tree.span(id).range()).is_some());
        if let Some(value) = tree.text(id)
            && let Some(place) = value.span_of(0..value.len())
        {
            assert!(text.get(place.range()).is_some());
        }
    }
    for problem in &tree.problems {
        assert!(text.get(problem.span.range()).is_some());
    }
}
