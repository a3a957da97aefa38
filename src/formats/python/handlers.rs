//! Files that a function's `Handler` names, although nothing in them concerns AWS: that a handler calls nothing is known only
//! if it is read.

use std::collections::BTreeSet;

use super::importers::importable_names;
use crate::source::{FileId, Sources, file_name};

/// Handlers of one repository that are looked for.
const MAX_HANDLERS: usize = 2_000;

/// The Python files that `templates` and stacks of the CDK name as handlers or scripts. Sorted.
pub fn handlers(sources: &Sources, templates: &[FileId]) -> Vec<FileId> {
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    let mut scripts: BTreeSet<String> = BTreeSet::new();
    let is_stack = |file: &FileId| {
        sources.path(*file).ends_with(".py")
            && sources.is_analyzed(*file)
            && memchr::memmem::find(sources.text(*file).as_bytes(), b"aws_cdk").is_some()
    };
    let stacks: Vec<FileId> = sources.ids().filter(is_stack).collect();
    for line in templates
        .iter()
        .chain(&stacks)
        .flat_map(|file| sources.text(*file).lines())
    {
        if line.contains("andler") {
            let free = MAX_HANDLERS.saturating_sub(named.len());
            named.extend(handlers_of(line).take(free));
        }
        if line.contains(".py") {
            let free = MAX_HANDLERS.saturating_sub(scripts.len());
            scripts.extend(scripts_of(line).take(free));
        }
    }
    // A stack may read the code that it writes into a template: `open("handler.py")`, for `index.handler`.
    for text in stacks.iter().map(|file| sources.text(*file)) {
        let inline: Vec<String> = text
            .lines()
            .flat_map(handlers_of)
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
                named.extend(handlers_of(line).take(1));
            }
        }
    }
    if named.is_empty() && scripts.is_empty() {
        return Vec::new();
    }
    let is_script = |path: &str| {
        let mut ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
        scripts.contains(path) || ends.any(|end| scripts.contains(end))
    };
    let is_handler = |file: &FileId| {
        let path = sources.path(*file);
        let is_named = |name: &str| {
            let from = (name.to_owned(), String::new());
            let mut of_module = named.range(from..).take_while(|(module, _)| module == name);
            of_module.any(|(_, function)| defines_function(sources.text(*file), function))
        };
        path.ends_with(".py") && (is_script(path) || importable_names(path).any(is_named))
    };
    let analyzed = sources.ids().filter(|file| sources.is_analyzed(*file));
    analyzed.filter(is_handler).collect()
}

/// The texts of a line: what stands in quotes, and what follows the first `:` or `=`.
fn texts_of(line: &str) -> impl Iterator<Item = &str> {
    let value = line
        .split_once([':', '='])
        .map(|(_, value)| value.split(" #").next().unwrap_or(value));
    let value = value.and_then(|value| value.split(',').next());
    let quoted = ['"', '\'']
        .into_iter()
        .flat_map(|quote| line.split(quote).skip(1).step_by(2));
    let all = value
        .into_iter()
        .map(|value| value.trim().trim_matches(['"', '\'']))
        .chain(quoted);
    all.filter(|text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b)))
}

/// Modules and functions that a line names: `Handler: app.main`, `Function(…, handler="app.main")`, `CMD ["app.main"]`.
fn handlers_of(line: &str) -> impl Iterator<Item = (String, String)> {
    texts_of(line).filter_map(|text| {
        let (module, function) = text.rsplit_once('.')?;
        let module = module.trim_start_matches("./").replace('.', "/");
        (!module.is_empty() && !function.is_empty()).then(|| (module, function.to_owned()))
    })
}

/// The paths of Python files that a line names; of an address of a bucket, the name: `s3://${Bucket}/jobs/sales.py`.
fn scripts_of(line: &str) -> impl Iterator<Item = String> {
    let paths = texts_of(line).filter(|text| text.ends_with(".py"));
    let addresses = line.split(['"', '\'', ' ', ',']).filter(|text| text.contains("://"));
    let stored = addresses.filter_map(|text| {
        let stem = file_name(text).strip_suffix(".py")?;
        let is_plain = !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        is_plain.then(|| file_name(text))
    });
    paths
        .chain(stored)
        .map(|text| text.trim_start_matches("./").trim_start_matches("../").to_owned())
}

/// The Python file that a line opens.
fn opened_file(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("open(")?;
    let path = rest.split(['"', '\'']).nth(1)?;
    path.ends_with(".py").then_some(path)
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
        let app = ("app".to_owned(), "main".to_owned());
        for line in [
            "  Handler: app.main",
            r#"handler = "app.main""#,
            r#""Handler": "app.main","#,
            "- handler: 'app.main' # x",
            "Function(self, 'Run', runtime=Runtime.PYTHON_3_14, handler='app.main')",
            r#"  default = "app.main""#,
            r#"CMD ["app.main"]"#,
        ] {
            assert!(handlers_of(line).any(|handler| handler == app), "{line}");
        }
        for line in [
            "Handler: !Ref H",
            r#"handler = "${var.m}.main""#,
            "# the handler",
            "Handler: main",
        ] {
            assert_eq!(handlers_of(line).next(), None, "{line}");
        }
    }

    #[test]
    fn a_handler_defines_the_function_and_a_script_has_the_path() {
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
            (
                "main.tf",
                "source = \"./jobs/daily.py\"\nscript = \"s3://${var.bucket}/code/sales.py\"\n",
            ),
            ("glue/sales.py", "import json\n"),
            ("etl/jobs/daily.py", "import json\n"),
            ("etl/daily.py", "import json\n"),
        ];
        let sources = Sources::from_strings(&files);
        let templates = ["t.yaml", "main.tf"].map(|path| sources.find(path).unwrap());
        let found = handlers(&sources, &templates);
        let paths: Vec<&str> = found.iter().map(|f| sources.path(*f)).collect();
        assert_eq!(paths, ["etl/jobs/daily.py", "glue/sales.py", "src/app.py"]);
    }
}
