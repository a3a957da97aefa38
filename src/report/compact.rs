//! One line for each finding, for editors and eyes that want no more.

use super::Page;
use crate::source::push_line;

pub(super) fn render(page: &Page<'_>) -> String {
    let mut out = String::new();
    for f in page.active() {
        let at = page.sources.positions(f.span()).0;
        let line = format!(
            "{}:{}:{}: {}[{}] {}",
            page.path(f.span()),
            at.line,
            at.column,
            f.severity.name(),
            f.rule(),
            f.finding.message
        );
        push_line(&mut out, &line);
    }
    out
}
