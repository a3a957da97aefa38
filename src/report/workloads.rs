//! What runs with which role, and what is compared, as `overgrant workloads` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::json::{JsonSpan, JsonUnjudged, JsonUnread, SCHEMA_VERSION, span, unjudged, unread};
use super::unjudged::lines_of_cdk;
use super::workload_counts::WorkloadCounts;
use super::workload_settings::settings_for;
use crate::checks::{ComparedFigures, ComparedWorkload, CountedActions, Obstacle, RoleComparison};
use crate::phrase::count;
use crate::project::{CodePlace, IdentityId, Project, Workload, WorkloadContent, WorkloadKind};
use crate::source::{Problem, Sources, Span, json_without_commands, one_line, pretty_json, push_line};
use crate::unjudged::Unjudged;

/// What `overgrant workloads` shows: those that are declared in files that were asked for.
pub struct WorkloadsPage<'a> {
    project: &'a Project<'a>,
    workloads: Vec<ListedWorkload>,
    /// How many are in test code, which are not listed.
    in_tests: usize,
    /// How many functions of synthesized templates are those of code that is listed.
    rendered: usize,
    errors: &'a [Problem],
    unjudged: &'a [Unjudged],
}

/// Actions of one service that a line names.
const MAX_NAMED: usize = 4;

/// One workload, with what to add to the settings.
struct ListedWorkload {
    compared: ComparedWorkload,
    /// Where it is declared.
    at: Span,
    settings: Option<String>,
}

impl<'a> WorkloadsPage<'a> {
    /// `in_settings` says how the settings call a file.
    pub fn new(
        project: &'a Project<'a>,
        comparison: &RoleComparison<'_, '_>,
        errors: &'a [Problem],
        unjudged: &'a [Unjudged],
        in_settings: &dyn Fn(&str) -> String,
    ) -> Self {
        let mut workloads = Vec::new();
        for (i, w) in project.workloads.iter().enumerate() {
            let header = project.resources[w.resource].header;
            let has_none = w.kind == WorkloadKind::Instance && w.role_gap == Some(crate::project::RoleGap::NotSet);
            if has_none || !project.sources.file(header.file).in_scope {
                continue;
            }
            let compared = comparison.of(i);
            workloads.push(ListedWorkload {
                at: match (w.kind, w.code()) {
                    (WorkloadKind::Declared, Some(code)) => code.span,
                    _ => header,
                },
                settings: settings_for(project, &compared, in_settings),
                compared,
            });
        }
        workloads.sort_by_key(|w| (w.at, w.compared.workload));
        let mut page = Self {
            project,
            workloads: Vec::new(),
            in_tests: 0,
            rendered: 0,
            errors,
            unjudged,
        };
        // A module that several call makes the same for each.
        let mut seen = BTreeSet::new();
        for listed in workloads {
            if page.is_listed_elsewhere(&listed, comparison) {
                page.rendered += 1;
                continue;
            }
            if seen.insert((listed.at, paragraph(&page, &listed))) {
                page.workloads.push(listed);
            }
        }
        page
    }

    /// Whether what it is made of in the code of the CDK says the same, or only what is made of it says something.
    fn is_listed_elsewhere(&self, listed: &ListedWorkload, comparison: &RoleComparison<'_, '_>) -> bool {
        let compared = &listed.compared;
        if self.project.synthesized.contains_key(&compared.workload) {
            return true;
        }
        let Some(source) = self.project.rendered.get(&compared.workload) else {
            return false;
        };
        let source = comparison.of(*source);
        let is_same = |own: &Option<Obstacle>, other: &Option<Obstacle>| match own {
            Some(Obstacle::Rendered(_)) => true,
            Some(own) => other.as_ref().is_some_and(|other| own.name() == other.name()),
            None => false,
        };
        is_same(&compared.unused, &source.unused) && is_same(&compared.missing, &source.missing)
    }

    /// Leaves out those that are declared in test code.
    pub fn leave_out(&mut self, is_test: impl Fn(Span) -> bool) {
        let all = self.workloads.len();
        self.workloads.retain(|w| !is_test(w.at));
        self.in_tests += all - self.workloads.len();
    }

    pub fn counts(&self) -> WorkloadCounts {
        let mut out = WorkloadCounts {
            in_tests: self.in_tests,
            rendered: self.rendered,
            ..WorkloadCounts::default()
        };
        for w in &self.workloads {
            match (&w.compared.unused, &w.compared.missing) {
                (None, None) => out.compared += 1,
                (Some(_), Some(_)) => out.not_compared += 1,
                _ => out.in_part += 1,
            }
        }
        out
    }

    fn workload(&self, listed: &ListedWorkload) -> &'a Workload {
        &self.project.workloads[listed.compared.workload]
    }

    fn text(&self, listed: &ListedWorkload, obstacle: &Obstacle) -> String {
        obstacle.text(self.project, self.workload(listed))
    }

    fn location(&self, span: Span) -> String {
        location(self.project.sources, span)
    }

    fn role(&self, role: IdentityId) -> (&'a str, Span) {
        let identity = &self.project.identities[role];
        let name = &self.project.resources[identity.resource].address.name;
        (name, identity.header)
    }
}

fn location(sources: &Sources, span: Span) -> String {
    let at = sources.positions(span).0;
    format!("{}:{}:{}", sources.path(span.file), at.line, at.column)
}

/// Where the code of a workload is, with its entry point, or where its definition stands.
fn content(page: &WorkloadsPage<'_>, w: &Workload) -> Option<String> {
    let sources = page.project.sources;
    match w.content.as_ref().ok()? {
        WorkloadContent::Definition(d) if d.file != d.span.file => Some(sources.path(d.file).to_owned()),
        WorkloadContent::Definition(definition) => Some(page.location(definition.span)),
        WorkloadContent::Code(code) => {
            let function = code.handler.as_ref().and_then(|h| h.function.as_deref());
            let place = match (&code.place, &code.handler) {
                (CodePlace::Inline(_), _) => "in the template".to_owned(),
                (CodePlace::Paths(_), Some(handler)) => sources.path(handler.file).to_owned(),
                (CodePlace::Paths(paths), None) => paths.join(", "),
            };
            Some(match function {
                Some(function) => format!("{place}, `{function}`"),
                None => place,
            })
        }
    }
}

fn figures(w: &Workload, figures: ComparedFigures) -> String {
    let calls = match (figures.calls, w.kind) {
        (0, WorkloadKind::Machine) => "no state calls AWS".to_owned(),
        (0, _) if w.definition().is_some_and(|d| !d.actions.is_empty()) => "its commands call AWS".to_owned(),
        (0, _) => "no calls of AWS".to_owned(),
        (n, WorkloadKind::Machine) => count(n, "state calls", "states call"),
        (n, kind) if kind.has_definition() => count(n, "part needs", "parts need"),
        (n, _) => count(n, "call needs", "calls need"),
    };
    let needed = match figures.calls {
        0 => String::new(),
        _ => format!(" {}", count(figures.needed, "action", "actions")),
    };
    format!(
        "{calls}{needed}, the role grants {}",
        count(figures.granted, "action", "actions")
    )
}

/// `s3` of `s3:GetObject`.
fn service_of(pattern: &str) -> &str {
    pattern.split(':').next().unwrap_or(pattern)
}

/// What counts as used because of a library or a call.
fn counted_line(page: &WorkloadsPage<'_>, counted: &CountedActions) -> String {
    let mut patterns: Vec<String> = Vec::new();
    for of_service in counted.patterns.chunk_by(|a, b| service_of(a) == service_of(b)) {
        let named = &of_service[..of_service.len().min(MAX_NAMED)];
        patterns.extend(named.iter().cloned());
        let more = of_service.len() - named.len();
        if more > 0 {
            patterns.push(format!("{more} more of {}", service_of(&of_service[0])));
        }
    }
    format!(
        "counted as used: {} ({}, {})",
        patterns.join(", "),
        counted.by,
        page.location(counted.span)
    )
}

/// What is said of the comparison: each line with the places that it is about.
fn lines<'w>(page: &WorkloadsPage<'_>, listed: &'w ListedWorkload) -> Vec<(String, Option<&'w Obstacle>)> {
    let (w, compared) = (page.workload(listed), &listed.compared);
    let figures = compared.figures.map(|f| figures(w, f)).unwrap_or_default();
    let text = |obstacle: &Obstacle| page.text(listed, obstacle);
    let mut out = match (&compared.unused, &compared.missing) {
        (None, None) => vec![(format!("compared: {figures}"), None)],
        // These have lines of their own.
        (Some(Obstacle::Role(_) | Obstacle::Content(_)), Some(_)) => vec![("not compared".to_owned(), None)],
        (Some(unused), Some(missing)) if unused == missing => {
            vec![(format!("not compared: {}", text(unused)), Some(unused))]
        }
        (Some(unused), Some(missing)) => vec![
            (format!("not compared by unused-grant: {}", text(unused)), Some(unused)),
            (
                format!("not compared by missing-grant: {}", text(missing)),
                Some(missing),
            ),
        ],
        (Some(unused), None) => vec![
            (format!("compared by missing-grant: {figures}"), None),
            (format!("not compared by unused-grant: {}", text(unused)), Some(unused)),
        ],
        (None, Some(missing)) => vec![
            (format!("compared by unused-grant: {figures}"), None),
            (
                format!("not compared by missing-grant: {}", text(missing)),
                Some(missing),
            ),
        ],
    };
    let left_out = compared.left_out.iter();
    let left_out = left_out.filter(|obstacle| compared.missing.as_ref() != Some(*obstacle));
    out.extend(left_out.map(|o| (format!("left out by unused-grant: {}", text(o)), Some(o))));
    out.extend(compared.counted.iter().map(|c| (counted_line(page, c), None)));
    out
}

/// The places that an obstacle is about.
const MAX_PLACES: usize = 5;

fn places(page: &WorkloadsPage<'_>, obstacle: &Obstacle) -> Vec<String> {
    let places = obstacle.places();
    let shown = places
        .iter()
        .take(MAX_PLACES)
        .map(|(span, name)| match name.is_empty() {
            true => page.location(*span),
            false => format!("{}: `{name}`", page.location(*span)),
        });
    let mut out: Vec<String> = shown.collect();
    match places.len().saturating_sub(MAX_PLACES) {
        0 => {}
        n => out.push(format!("and {n} more")),
    }
    out
}

/// A line for what the code is and one for the role, found or not.
fn known_parts(page: &WorkloadsPage<'_>, listed: &ListedWorkload) -> [(String, Option<Obstacle>); 2] {
    let w = page.workload(listed);
    let word = if w.kind.has_definition() { "definition" } else { "code" };
    let of_content = match (&w.content, content(page, w)) {
        (Err(gap), _) => {
            let obstacle = Obstacle::Content(gap.clone());
            (
                format!("{word} not known: {}", page.text(listed, &obstacle)),
                Some(obstacle),
            )
        }
        (Ok(_), shown) => (format!("{word}: {}", shown.unwrap_or_default()), None),
    };
    let of_role = match &w.role_gap {
        Some(gap) => {
            let obstacle = Obstacle::Role(gap.clone());
            (
                format!("role not known: {}", page.text(listed, &obstacle)),
                Some(obstacle),
            )
        }
        None => {
            let roles = w.roles.iter().map(|r| page.role(r.role));
            let roles: Vec<String> = roles
                .map(|(name, at)| format!("{name} ({})", page.location(at)))
                .collect();
            (format!("role: {}", roles.join(" or ")), None)
        }
    };
    [of_content, of_role]
}

fn paragraph(page: &WorkloadsPage<'_>, listed: &ListedWorkload) -> String {
    let mut out = String::new();
    let mut push = |line: &str| push_line(&mut out, &one_line(line));
    let w = page.workload(listed);
    push(&format!(
        "{}: {} {}",
        page.location(listed.at),
        w.kind.noun(),
        w.name(page.project)
    ));
    let known = known_parts(page, listed);
    let known = known.iter().map(|(line, obstacle)| (line.clone(), obstacle.as_ref()));
    for (line, obstacle) in known.chain(lines(page, listed)) {
        push(&format!("  {line}"));
        for place in obstacle.map(|o| places(page, o)).unwrap_or_default() {
            push(&format!("    {place}"));
        }
    }
    if let Some(settings) = &listed.settings {
        push("  add to overgrant.toml:");
        settings.lines().for_each(|line| push(&format!("    {line}")));
    }
    out
}

/// One paragraph for each workload; [`WorkloadCounts::line`] is the last line.
pub fn workloads_human(page: &WorkloadsPage<'_>) -> String {
    let mut out: String = page.workloads.iter().map(|listed| paragraph(page, listed)).collect();
    for p in page.errors {
        push_line(
            &mut out,
            &one_line(&format!("{}: not read: {}", page.location(p.span), p.message)),
        );
    }
    for line in lines_of_cdk(page.unjudged, page.project.sources) {
        push_line(&mut out, &line);
    }
    out
}

/// A table, and what to add to the settings.
pub fn workloads_markdown(page: &WorkloadsPage<'_>) -> String {
    let mut out = String::new();
    if !page.workloads.is_empty() {
        out.push_str("| workload | code | role | comparison |\n|---|---|---|---|\n");
    }
    let cell = |text: &str| one_line(text).replace('|', "\\|");
    let mut settings = String::new();
    for listed in &page.workloads {
        let w = page.workload(listed);
        let [(code, _), (role, _)] = known_parts(page, listed);
        let part = |text: String| match text.split_once(": ") {
            Some(("code" | "definition" | "role", place)) => place.to_owned(),
            _ => text,
        };
        let lines: Vec<String> = lines(page, listed).into_iter().map(|(line, _)| cell(&line)).collect();
        let _ = writeln!(
            out,
            "| {} {} ({}) | {} | {} | {} |",
            w.kind.noun(),
            cell(w.name(page.project)),
            cell(&page.location(listed.at)),
            cell(&part(code)),
            cell(&part(role)),
            lines.join("<br>")
        );
        settings.extend(listed.settings.as_deref());
    }
    if !settings.is_empty() {
        let _ = write!(
            out,
            "\nAdd to overgrant.toml what is right:\n\n```toml\n{settings}```\n"
        );
    }
    if !page.workloads.is_empty() {
        out.push('\n');
    }
    out
}

/// What `overgrant workloads --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonWorkloads<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    /// By path and position.
    workloads: Vec<JsonWorkload<'a>>,
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
    /// What could not be judged.
    unjudged: Vec<JsonUnjudged<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonWorkload<'a> {
    /// `function`, `task`, `instance`, `job`, `state machine`, `schedule`, `event rule`, `pipe`, `data source`,
    /// `API integration`, `build project`, `batch job`, `code of the settings`, or what a service runs whose code is not
    /// read: `SageMaker resource`, `canary`, `App Runner service`, and others.
    kind: &'static str,
    /// As the file calls it.
    name: &'a str,
    path: &'a str,
    span: JsonSpan,
    /// Null where it is not known, and for what has a definition.
    code: Option<JsonCode<'a>>,
    /// Of a state machine, a target, or a build; null where it is not known.
    definition: Option<JsonPlace<'a>>,
    /// Those of the repository; several where a condition decides.
    roles: Vec<JsonRole<'a>>,
    /// Null where it is not known what runs.
    figures: Option<JsonFigures>,
    unused_grant: JsonComparison<'a>,
    missing_grant: JsonComparison<'a>,
    /// What `unused_grant` leaves out of the policies of the role.
    left_out: Vec<JsonObstacle<'a>>,
    /// What of the role counts as used although no call needs it.
    counted_as_used: Vec<JsonCounted<'a>>,
    /// An entry of `overgrant.toml` that may help.
    settings: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonCode<'a> {
    /// Files and folders; empty for code in a template.
    paths: &'a [String],
    /// The file that runs first.
    entry: Option<&'a str>,
    /// The function of it that is called; null where the file runs as a script.
    function: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonRole<'a> {
    /// As the file calls it.
    address: &'a str,
    path: &'a str,
    span: JsonSpan,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonFigures {
    /// Calls of the code, or states and other parts that call something.
    calls: usize,
    /// Actions that these need.
    needed: usize,
    /// Actions that the roles grant, as far as their policies are known.
    granted: usize,
}

/// Whether a rule compares the workload with its role.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonComparison<'a> {
    compared: bool,
    /// Why not.
    obstacle: Option<JsonObstacle<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonObstacle<'a> {
    /// `role`, `code`, `doubt`, `shared-role`, …
    kind: &'static str,
    text: String,
    /// Where it lies.
    places: Vec<JsonPlace<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonCounted<'a> {
    /// Patterns of actions: `s3:*`.
    actions: &'a [String],
    /// The library that may call them, or the action of the call that may need them too.
    by: &'a str,
    /// Of the import, or of the call.
    path: &'a str,
    span: JsonSpan,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonPlace<'a> {
    path: &'a str,
    span: JsonSpan,
    /// What stands there, where that has a name.
    name: Option<String>,
}

/// The JSON Schema of the list of workloads.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant workloads --format json` writes.";
    super::json::schema_of::<JsonWorkloads<'_>, JsonWorkload<'_>>("overgrant workloads", about)
}

pub fn workloads_json(page: &WorkloadsPage<'_>) -> String {
    let sources = page.project.sources;
    json_without_commands(pretty_json(&JsonWorkloads {
        schema_version: SCHEMA_VERSION,
        workloads: page.workloads.iter().map(|w| json_workload(page, w)).collect(),
        errors: unread(sources, page.errors),
        unjudged: unjudged(sources, page.unjudged),
    }))
}

fn json_workload<'a>(page: &'a WorkloadsPage<'_>, listed: &'a ListedWorkload) -> JsonWorkload<'a> {
    let (sources, w) = (page.project.sources, page.workload(listed));
    let place = |at: Span, name: &str| JsonPlace {
        path: sources.path(at.file),
        span: span(sources, at),
        name: (!name.is_empty()).then(|| name.to_owned()),
    };
    let obstacle = |o: &Obstacle| JsonObstacle {
        kind: o.name(),
        text: page.text(listed, o),
        places: o.places().into_iter().map(|(at, name)| place(at, name)).collect(),
    };
    let comparison = |o: &Option<Obstacle>| JsonComparison {
        compared: o.is_none(),
        obstacle: o.as_ref().map(obstacle),
    };
    let role = |role: IdentityId| {
        let (address, at) = page.role(role);
        JsonRole {
            address,
            path: sources.path(at.file),
            span: span(sources, at),
        }
    };
    let counted = |c: &'a CountedActions| JsonCounted {
        actions: &c.patterns,
        by: &c.by,
        path: sources.path(c.span.file),
        span: span(sources, c.span),
    };
    let compared = &listed.compared;
    JsonWorkload {
        kind: w.kind.noun(),
        name: w.name(page.project),
        path: sources.path(listed.at.file),
        span: span(sources, listed.at),
        code: w.code().map(|code| JsonCode {
            paths: match &code.place {
                CodePlace::Paths(paths) => paths,
                CodePlace::Inline(_) => &[],
            },
            entry: code.handler.as_ref().map(|h| sources.path(h.file)),
            function: code.handler.as_ref().and_then(|h| h.function.as_deref()),
        }),
        definition: w.definition().map(|d| place(d.span, "")),
        roles: w.roles.iter().map(|r| role(r.role)).collect(),
        figures: compared.figures.map(|f| JsonFigures {
            calls: f.calls,
            needed: f.needed,
            granted: f.granted,
        }),
        unused_grant: comparison(&compared.unused),
        missing_grant: comparison(&compared.missing),
        left_out: compared.left_out.iter().map(obstacle).collect(),
        counted_as_used: compared.counted.iter().map(counted).collect(),
        settings: listed.settings.as_deref(),
    }
}
