//! The report as one page that needs nothing from a network.

use std::fmt::Write as _;

use super::{EvidencePage, HEAD, RoleEvidence, cells, denied_cells, other_lines, status};
use crate::phrase;
use crate::report::offline::{PALETTE, markup_line as escaped};

const STYLE: &str = include_str!("page.css");

/// The part of a page that shows one repository: a table for each identity.
pub fn evidence_html(page: &EvidencePage<'_>) -> String {
    let mut out = String::new();
    for role in &page.roles {
        push_role(&mut out, page, role);
    }
    let others = other_lines(page);
    if !others.is_empty() {
        out.push_str("<section>\n<h2>In the evidence, and not one identity of this repository</h2>\n<ul>\n");
        for line in &others {
            let _ = writeln!(out, "<li>{}</li>", escaped(line));
        }
        out.push_str("</ul>\n</section>\n");
    }
    out
}

/// One page of such parts, for screens of any width, for print, and for readers of screens. The counts are those of identities,
/// and of those that are in the evidence.
pub fn evidence_html_page(parts: &[String], (all, seen): (usize, usize)) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>What is granted, called, and \
         used</title>\n<style>\n{PALETTE}{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>What is granted, called, and used</h1>\n<p>{}, \
         {seen} in the evidence.</p>\n{}</main>\n</body>\n</html>\n",
        phrase::count(all, "identity", "identities"),
        parts.concat()
    )
}

fn push_role(out: &mut String, page: &EvidencePage<'_>, role: &RoleEvidence<'_>) {
    let name = escaped(&role.name);
    let _ = write!(
        out,
        "<section>\n<h2>{} <code>{name}</code></h2>\n<p><code>{}</code>: {}</p>\n",
        role.kind.name(),
        escaped(&page.location(role.header)),
        escaped(&status(role))
    );
    if !role.rows.is_empty() || !role.denied.is_empty() {
        let _ = write!(
            out,
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Grants of {name}\">\n<table>\n<caption>Grants of \
             <code>{name}</code></caption>\n<thead>\n<tr>"
        );
        for word in HEAD {
            let _ = write!(out, "<th scope=\"col\">{word}</th>");
        }
        out.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in &role.rows {
            let class = match (row.used.is_empty(), row.unused) {
                (false, 0) => "used",
                (true, 1..) => "unused",
                (false, _) => "partly",
                (true, 0) => "unknown",
            };
            push_row(out, class, &cells(page, row));
        }
        for denied in &role.denied {
            push_row(out, "denied", &denied_cells(denied));
        }
        out.push_str("</tbody>\n</table>\n</div>\n");
    }
    out.push_str("</section>\n");
}

fn push_row(out: &mut String, class: &str, [granted, called, used, verdict]: &[String; 4]) {
    let _ = writeln!(
        out,
        "<tr class=\"{class}\"><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td></tr>",
        escaped(granted),
        escaped(called),
        escaped(used),
        escaped(verdict)
    );
}
