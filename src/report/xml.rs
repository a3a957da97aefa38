//! JUnit and checkstyle.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use super::Page;
use crate::finding::Severity;
use crate::source::FileId;
use crate::triage::ReportedFinding;
use crate::unjudged::Unjudged;

/// One line of text that XML 1.0 can hold: control characters are replaced, a tab or line break is a space.
fn xml_line(text: &str) -> String {
    let replaced = |c: char| match c {
        '\t' | '\n' => ' ',
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
        c => c,
    };
    text.chars().map(replaced).collect()
}

fn by_file<'a>(page: &Page<'a>) -> BTreeMap<FileId, Vec<&'a ReportedFinding>> {
    let mut files: BTreeMap<FileId, Vec<&ReportedFinding>> = BTreeMap::new();
    for file in page.sources.ids().filter(|id| page.sources.file(*id).in_scope) {
        files.entry(file).or_default();
    }
    for f in page.active() {
        files.entry(f.span().file).or_default().push(f);
    }
    files
}

/// One suite for each file: a failing case for each finding, a passing one for a clean file.
pub(super) fn junit(page: &Page<'_>) -> String {
    let case = |name: &str, class: &str, status: TestCaseStatus| {
        let mut case = TestCase::new(xml_line(name), status);
        case.set_classname(xml_line(class));
        case
    };
    let mut report = Report::new("overgrant");
    for (file, findings) in by_file(page) {
        let path = page.sources.path(file);
        let mut suite = TestSuite::new(xml_line(path));
        if findings.is_empty() {
            suite.add_test_case(case("clean", path, TestCaseStatus::success()));
        }
        for f in findings {
            let at = page.sources.positions(f.span()).0;
            let name = format!("{}:{}:{}", f.rule(), at.line, at.column);
            let place = format!("{}:{}:{}", page.path(f.span()), at.line, at.column);
            let help = f.finding.help.iter().map(|help| format!("\nhelp: {}", xml_line(help)));
            let text = xml_line(&format!("{place}: {}", f.finding.message)) + &help.collect::<String>();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(f.severity.name());
            status.set_message(xml_line(&f.finding.message));
            status.set_description(text);
            suite.add_test_case(case(&name, path, status));
        }
        report.add_test_suite(suite);
    }
    let unjudged: Vec<&Unjudged> = page.report.unjudged.iter().filter(|u| u.counts()).collect();
    if !unjudged.is_empty() {
        let mut suite = TestSuite::new("not judged");
        for u in unjudged {
            let line = u.span.map(|at| format!(":{}", page.sources.positions(at).0.line));
            let name = format!("{}{}", u.noun().0, line.unwrap_or_default());
            let mut status = TestCaseStatus::skipped();
            status.set_message(xml_line(&u.text()));
            suite.add_test_case(case(&name, &u.path, status));
        }
        report.add_test_suite(suite);
    }
    let mut text = report.to_string().unwrap_or_default();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

pub(super) fn checkstyle(page: &Page<'_>) -> String {
    checkstyle_bytes(page)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

fn checkstyle_bytes(page: &Page<'_>) -> std::io::Result<Vec<u8>> {
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = out.create_element("checkstyle").with_attribute(("version", "4.3"));
    root.write_inner_content(|out| {
        for (file, findings) in by_file(page).into_iter().filter(|(_, f)| !f.is_empty()) {
            let name = xml_line(page.sources.path(file));
            let element = out.create_element("file").with_attribute(("name", &*name));
            element.write_inner_content(|out| {
                for f in findings {
                    let at = page.sources.positions(f.span()).0;
                    let severity = match f.severity {
                        Severity::Critical | Severity::High => "error",
                        Severity::Medium => "warning",
                        Severity::Low => "info",
                    };
                    out.create_element("error")
                        .with_attribute(("line", &*at.line.to_string()))
                        .with_attribute(("column", &*at.column.to_string()))
                        .with_attribute(("severity", severity))
                        .with_attribute(("message", &*xml_line(&f.finding.message)))
                        .with_attribute(("source", &*format!("overgrant.{}", f.rule())))
                        .write_empty()?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    let mut bytes = out.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}
