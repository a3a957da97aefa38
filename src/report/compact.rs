//! One line for each finding, for editors and eyes that want no more.

use std::fmt::Write as _;

use super::Page;

pub(super) fn render(page: &Page<'_>) -> String {
    let mut out = String::new();
    for f in page.active() {
        let at = page.sources.positions(f.span()).0;
        let _ = writeln!(
            out,
            "{}:{}:{}: {}[{}] {}",
            page.shown_path(f.span().file),
            at.line,
            at.column,
            f.severity.name(),
            f.rule(),
            f.finding.message
        );
    }
    out
}
