//! HCL, as a file and as a template: no panic, every span in bounds and on character borders.
#![no_main]

use libfuzzer_sys::fuzz_target;
use overgrant::internals::source::FileId;
use overgrant::internals::syntax::{NodeId, Tree, hcl};

fuzz_target!(|text: &str| {
    in_bounds(&hcl::parse(FileId(0), text).tree, text);
    in_bounds(&hcl::parse_template(FileId(0), text), text);
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
