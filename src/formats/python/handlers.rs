//! Files that a function's `Handler` names, although nothing in them concerns AWS: that a handler calls nothing is known only
//! if it is read.

use std::collections::BTreeSet;

use super::importers::importable_names;
use crate::source::{FileId, Sources, file_name};

/// Handlers of one repository that are looked for.
const MAX_HANDLERS: usize = 2_000;

/// The Python files that `templates` and stacks of the CDK name as handlers. Sorted.
pub fn handlers(sources: &Sources, templates: &[FileId]) -> Vec<FileId> {
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    let is_stack = |file: &FileId| {
        sources.path(*file).ends_with(".py")
            && sources.is_analyzed(*file)
            && memchr::memmem::find(sources.text(*file).as_bytes(), b"aws_cdk").is_some()
    };
    let stacks: Vec<FileId> = sources.ids().filter(is_stack).collect();
    for file in templates.iter().chain(&stacks) {
        for line in sources.text(*file).lines().filter(|line| line.contains("andler")) {
            if named.len() < MAX_HANDLERS {
                named.extend(handler(line));
            }
        }
    }
    // A stack may read the code that it writes into a template: `open("handler.py")`, for `index.handler`.
    for text in stacks.iter().map(|file| sources.text(*file)) {
        let inline: Vec<String> = text
            .lines()
            .filter_map(handler)
            .filter(|(m, _)| m == "index")
            .map(|(_, f)| f)
            .collect();
        let opened = text.lines().filter(|_| !inline.is_empty()).filter_map(opened_file);
        for path in opened {
            let module = path.trim_start_matches("./").trim_end_matches(".py");
            let free = MAX_HANDLERS.saturating_sub(named.len());
            named.extend(
                inline
                    .iter()
                    .take(free)
                    .map(|function| (module.to_owned(), function.clone())),
            );
        }
    }
    let is_dockerfile = |file: &FileId| file_name(sources.path(*file)).starts_with("Dockerfile");
    for file in sources.ids().filter(is_dockerfile) {
        for line in sources
            .text(file)
            .lines()
            .filter(|line| line.trim_start().starts_with("CMD"))
        {
            if named.len() < MAX_HANDLERS {
                named.extend(handler_of_command(line));
            }
        }
    }
    if named.is_empty() {
        return Vec::new();
    }
    let is_handler = |file: &FileId| {
        let path = sources.path(*file);
        path.ends_with(".py")
            && importable_names(path).any(|name| {
                let from = (name.to_owned(), String::new());
                let of_module = named.range(from..).take_while(|(module, _)| module == name);
                of_module
                    .into_iter()
                    .any(|(_, function)| defines_function(sources.text(*file), function))
            })
    };
    let analyzed = sources.ids().filter(|file| sources.is_analyzed(*file));
    analyzed.filter(is_handler).collect()
}

/// Module and function of a line such as `Handler: app.main`, `handler = "app.main"`, `"Handler": "app.main",`.
fn handler(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once([':', '='])?;
    let key = key.trim().trim_matches(['"', '\'', '-', ' ']);
    let value = value
        .split(" #")
        .next()?
        .split(',')
        .next()?
        .trim()
        .trim_matches(['"', '\'']);
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b));
    let (module, function) = value.rsplit_once('.')?;
    let module = module.trim_start_matches("./").replace('.', "/");
    let fits = plain && key.eq_ignore_ascii_case("handler") && !module.is_empty() && !function.is_empty();
    fits.then(|| (module, function.to_owned()))
}

/// The Python file that a line opens.
fn opened_file(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("open(")?;
    let path = rest.split(['"', '\'']).nth(1)?;
    path.ends_with(".py").then_some(path)
}

/// Module and function of `CMD ["app.main"]`.
fn handler_of_command(line: &str) -> Option<(String, String)> {
    let named = line.split('"').nth(1)?;
    handler(&format!("handler: {named}"))
}

/// Whether a line of the text defines the function.
fn defines_function(text: &str, function: &str) -> bool {
    let starts = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("def ")
            .and_then(|rest| rest.trim_start().strip_prefix(function))
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    };
    text.lines().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_read_from_each_format() {
        let app = || Some(("app".to_owned(), "main".to_owned()));
        for line in [
            "  Handler: app.main",
            r#"handler = "app.main""#,
            r#""Handler": "app.main","#,
            "- handler: 'app.main' # x",
        ] {
            assert_eq!(handler(line), app(), "{line}");
        }
        for line in [
            "Handler: !Ref H",
            r#"handler = "${var.m}.main""#,
            "# the handler",
            "Handler: main",
        ] {
            assert_eq!(handler(line), None, "{line}");
        }
    }

    #[test]
    fn only_a_file_that_defines_the_function_is_the_handler() {
        let files = [
            ("t.yaml", "Handler: app.main\n"),
            (
                "src/app.py",
                r"import json

def main(event, context):
    return 1
",
            ),
            ("other/app.py", "def run():\n    pass\n"),
            ("main.py", "def main(a):\n    pass\n"),
        ];
        let sources = Sources::from_strings(&files);
        let found = handlers(&sources, &[sources.find("t.yaml").unwrap()]);
        let paths: Vec<&str> = found.iter().map(|f| sources.path(*f)).collect();
        assert_eq!(paths, ["src/app.py"]);
    }
}
