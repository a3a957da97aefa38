//! The report for terminals and as Markdown.

use std::fmt::Write as _;

use super::{EvidencePage, HEAD, RoleEvidence, cells, denied_cells, other_lines, status};
use crate::phrase;
use crate::source::{one_line, push_line};

/// A table for each identity, in columns.
pub fn evidence_human(page: &EvidencePage<'_>) -> String {
    let mut out = String::new();
    for role in &page.roles {
        let heading = format!(
            "{} {} ({}): {}",
            role.kind.name(),
            role.name,
            page.location(role.header),
            status(role)
        );
        push_line(&mut out, &heading);
        let table = table(page, role);
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        for row in table.iter().filter(|_| table.len() > 1) {
            let [granted, called, used, verdict] = row;
            let [a, b, c] = widths;
            let line = format!("  {granted:a$}  {called:b$}  {used:c$}  {verdict}");
            push_line(&mut out, line.trim_end());
        }
    }
    let others = other_lines(page);
    if !others.is_empty() {
        push_line(&mut out, "in the evidence, and not one identity of this repository:");
        others.iter().for_each(|line| push_line(&mut out, &format!("  {line}")));
    }
    out
}

/// A table for each identity.
pub fn evidence_markdown(page: &EvidencePage<'_>) -> String {
    let mut out = String::new();
    for role in &page.roles {
        let _ = write!(
            out,
            "### {} `{}`\n\n{}: {}\n\n",
            role.kind.name(),
            cell(&role.name),
            cell(&page.location(role.header)),
            cell(&status(role))
        );
        let table = table(page, role);
        for (i, row) in table.iter().enumerate().filter(|_| table.len() > 1) {
            let _ = writeln!(out, "| {} |", row.each_ref().map(|text| cell(text)).join(" | "));
            if i == 0 {
                out.push_str("|---|---|---|---|\n");
            }
        }
        if table.len() > 1 {
            out.push('\n');
        }
    }
    let others = other_lines(page);
    if !others.is_empty() {
        out.push_str("### In the evidence, and not one identity of this repository\n\n");
        others.iter().for_each(|line| {
            let _ = writeln!(out, "- {}", cell(line));
        });
        out.push('\n');
    }
    let (all, seen) = page.counts();
    let _ = writeln!(
        out,
        "{}, {seen} in the evidence",
        phrase::count(all, "identity", "identities")
    );
    out
}

/// The head and the rows.
fn table(page: &EvidencePage<'_>, role: &RoleEvidence<'_>) -> Vec<[String; 4]> {
    let head = HEAD.map(str::to_owned);
    let rows = role.rows.iter().map(|row| cells(page, row));
    let denied = role.denied.iter().map(denied_cells);
    std::iter::once(head).chain(rows).chain(denied).collect()
}

/// A text that is one cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        match c {
            '|' => out.push_str("\\|"),
            '<' => out.push_str("&lt;"),
            '*' => out.push_str("\\*"),
            '`' => out.push('\''),
            c => out.push(c),
        }
    }
    out
}
