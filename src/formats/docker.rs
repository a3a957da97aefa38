//! Dockerfiles: what a container runs, and which folders of the build context it holds. Docker documentation, "Dockerfile
//! reference"; AWS Lambda Developer Guide, "Deploy Python Lambda functions with container images".

use crate::source::file_name;
use std::collections::BTreeMap;

/// What an image runs and holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The words of `ENTRYPOINT` and `CMD`.
    pub command: Vec<String>,
    /// What `COPY` and `ADD` take from the context.
    pub copied: Vec<String>,
    /// Folders of the context whose modules the code imports by their names: what a folder is copied to says which.
    pub roots: Vec<String>,
    /// The image that the last stage begins with.
    pub base: String,
}

/// What the names of images of other languages have. AWS Lambda Developer Guide, "Create a Lambda function using a container
/// image"; Docker Hub, official images.
const OTHER_LANGUAGES: &[&str] = &[
    "bun", "corretto", "dart", "deno", "dotnet", "elixir", "golang", "gradle", "java", "jdk", "jre", "maven", "node",
    "php", "ruby", "rust", "swift", "temurin",
];

impl Image {
    /// Whether it begins with the image of a language other than Python.
    pub fn is_of_other_language(&self) -> bool {
        let mut words = self.base.split(|c: char| !c.is_ascii_alphabetic());
        !self.base.contains("python") && words.any(|word| OTHER_LANGUAGES.iter().any(|l| word.starts_with(l)))
    }
}

/// The Python that a command starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// `package/main.py`
    Script(String),
    /// `python -m package.main`
    Module(String),
    /// `package.main:app`, of a server or a worker.
    Object { module: String, name: String },
    /// `package.main.handler`, of Lambda.
    Handler(String),
}

/// Words that start the ones after them.
const STARTERS: &[&str] = &[
    "aws-lambda-rie",
    "catatonit",
    "ddtrace-run",
    "dumb-init",
    "env",
    "exec",
    "lambda-entrypoint.sh",
    "newrelic-admin",
    "opentelemetry-instrument",
    "pipenv",
    "poetry",
    "run",
    "run-program",
    "tini",
    "uv",
];

/// Servers and workers that are given `module:object`.
const SERVERS: &[&str] = &[
    "celery",
    "daphne",
    "granian",
    "gunicorn",
    "hypercorn",
    "uvicorn",
    "waitress-serve",
];

/// Reads the text of a Dockerfile up to the end of the stage `target`, or of the last one.
pub fn read(text: &str, target: Option<&str>) -> Image {
    let mut stages: BTreeMap<String, (Vec<String>, Vec<String>, String)> = BTreeMap::new();
    let (mut name, mut base) = (String::new(), String::new());
    let (mut entry, mut command) = (Vec::new(), Vec::new());
    let mut copied = Vec::new();
    let (mut roots, mut folder) = (Vec::new(), String::new());
    for line in instructions(text) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        match word.to_ascii_uppercase().as_str() {
            "FROM" => {
                if target.is_some_and(|t| t == name) {
                    break;
                }
                stages.insert(std::mem::take(&mut name), (entry, command, base));
                let words: Vec<&str> = rest.split_whitespace().filter(|w| !w.starts_with("--")).collect();
                let from = words.first().copied().unwrap_or_default();
                (entry, command, base) = stages
                    .get(from)
                    .cloned()
                    .unwrap_or_else(|| (Vec::new(), Vec::new(), from.to_owned()));
                if let [_, as_, stage] = words.as_slice()
                    && as_.eq_ignore_ascii_case("as")
                {
                    name = (*stage).to_owned();
                }
            }
            "ENTRYPOINT" => {
                entry = command_words(rest);
                command = Vec::new();
            }
            "CMD" => command = command_words(rest),
            "COPY" | "ADD" if !rest.contains("--from") => {
                let all: Vec<String> = command_words(rest)
                    .into_iter()
                    .filter(|w| !w.starts_with("--"))
                    .collect();
                if let Some((target, sources)) = all.split_last() {
                    copied.extend(sources.iter().cloned());
                    roots.extend(sources.iter().filter_map(|source| import_root(source, target, &folder)));
                }
            }
            "WORKDIR" => folder = rest.trim().trim_end_matches('/').to_owned(),
            _ => {}
        }
    }
    entry.append(&mut command);
    Image {
        command: entry,
        copied,
        roots,
        base,
    }
}

/// The folder that stands for the working folder of an image, where `source` is copied to `target` in or below it. Dockerfile
/// reference, "COPY": what is in a folder is copied, not the folder.
fn import_root(source: &str, target: &str, folder: &str) -> Option<String> {
    const FOLDERS: [&str; 4] = ["$LAMBDA_TASK_ROOT", "${LAMBDA_TASK_ROOT}", "/var/task", "."];
    let starts = FOLDERS.into_iter().chain((!folder.is_empty()).then_some(folder));
    let target = target.trim_end_matches('/');
    let below = match starts.filter_map(|start| target.strip_prefix(start)).next() {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest.trim_start_matches('/'),
        _ if target.starts_with('/') => return None,
        _ => target,
    };
    let source = source.trim_start_matches("./").trim_end_matches('/');
    let root = match below {
        "" => source,
        below => source
            .strip_suffix(below)
            .filter(|root| root.is_empty() || root.ends_with('/'))?,
    };
    Some(root.trim_end_matches('/').to_owned()).filter(|root| !root.is_empty() && root != ".")
}

/// Logical lines without comments.
fn instructions(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    for part in text.lines().map(str::trim) {
        if part.starts_with('#') {
            continue;
        }
        match part.strip_suffix('\\') {
            Some(more) => {
                line.push_str(more);
                line.push(' ');
            }
            None => {
                line.push_str(part);
                out.push(std::mem::take(&mut line));
            }
        }
    }
    out.push(line);
    out.retain(|l| !l.trim().is_empty());
    out
}

/// A list in JSON, or words as a shell splits them.
fn command_words(text: &str) -> Vec<String> {
    let text = text.trim();
    serde_json::from_str(text).unwrap_or_else(|_| {
        let unquoted = |w: &str| w.trim_matches(['"', '\'']).to_owned();
        text.split_whitespace().map(unquoted).collect()
    })
}

/// What `command` starts, where that is Python for certain.
pub fn started_program(command: &[String]) -> Option<Runs> {
    let base = |word: &str| file_name(word).to_owned();
    let starts = |word: &&String| word.starts_with('-') || STARTERS.contains(&base(word).as_str());
    let command = &command[command.iter().take_while(starts).count()..];
    if command.first().is_some_and(|w| is_shell(w)) {
        return in_shell(command);
    }
    let mut words = command.iter().map(String::as_str);
    let first = words.next()?;
    if SERVERS.contains(&base(first).as_str()) {
        return server_entry_point(words);
    }
    if !base(first).starts_with("python") {
        let path = first.split('.').all(is_name) && !first.starts_with('/') && !first.ends_with(".sh");
        return match first {
            _ if first.ends_with(".py") => Some(Runs::Script(first.to_owned())),
            _ if path && first.contains('.') && words.next().is_none() => Some(Runs::Handler(first.to_owned())),
            _ => None,
        };
    }
    while let Some(word) = words.next() {
        match word {
            "-m" => {
                let module = words.next()?;
                return match module {
                    "awslambdaric" => words.next().map(|h| Runs::Handler(h.to_owned())),
                    _ if SERVERS.contains(&module) => server_entry_point(words),
                    _ => module.split('.').all(is_name).then(|| Runs::Module(module.to_owned())),
                };
            }
            "-W" | "-X" => {
                words.next();
            }
            "-c" => return None,
            _ if word.starts_with('-') => {}
            _ => return word.ends_with(".py").then(|| Runs::Script(word.to_owned())),
        }
    }
    None
}

fn is_shell(word: &str) -> bool {
    matches!(file_name(word), "sh" | "bash" | "ash")
}

/// What a shell starts that is given one plain command.
fn in_shell(command: &[String]) -> Option<Runs> {
    let [_, flag, script] = command else { return None };
    let plain = flag == "-c" && !script.contains(['&', ';', '|', '\n', '$', '`']);
    let inner: Vec<String> = script.split_whitespace().map(str::to_owned).collect();
    (plain && !inner.iter().any(|w| is_shell(w)))
        .then(|| started_program(&inner))
        .flatten()
}

fn is_name(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '/'))
}

/// `module:object` among the arguments of a server, or the module of a worker's application.
fn server_entry_point<'w>(words: impl Iterator<Item = &'w str>) -> Option<Runs> {
    let object = |module: &str, name: &str| Runs::Object {
        module: module.to_owned(),
        name: name.trim_end_matches("()").to_owned(),
    };
    let mut application = false;
    for word in words {
        let (module, name) = match (word.split_once(':'), application) {
            (Some(found), _) => found,
            (None, true) => (word, "app"),
            (None, false) => {
                application = matches!(word, "-A" | "--app");
                continue;
            }
        };
        let name = name.trim_end_matches("()");
        if module.split('.').all(is_name) && is_name(name) && !name.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(object(module, name));
        }
        application = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Runs> {
        started_program(&read(text, None).command)
    }

    fn handler(text: &str) -> Option<Runs> {
        Some(Runs::Handler(text.to_owned()))
    }

    #[test]
    fn commands_of_every_kind() {
        assert_eq!(
            of(r#"FROM x
CMD ["app.handler"]
"#),
            handler("app.handler")
        );
        assert_eq!(of("FROM x\ncmd app.handler\n"), handler("app.handler"));
        assert_eq!(
            of(r#"FROM x
ENTRYPOINT ["/usr/bin/python3.12", "-m", "awslambdaric"]
CMD ["src.app.run"]"#),
            handler("src.app.run")
        );
        let module = Some(Runs::Module("worker.run".to_owned()));
        assert_eq!(
            of(r#"FROM x
ENTRYPOINT ["tini", "--"]
CMD python -u \
  -m worker.run --fast"#),
            module
        );
        assert_eq!(
            of(r#"FROM x
CMD ["sh", "-c", "exec python -m worker.run"]"#),
            module
        );
        assert_eq!(
            of(r"FROM x
CMD poetry run python -W ignore /app/main.py"),
            Some(Runs::Script("/app/main.py".to_owned()))
        );
        let app = Some(Runs::Object {
            module: "svc.main".to_owned(),
            name: "app".to_owned(),
        });
        for command in [
            "gunicorn -w 4 -b 0.0.0.0:8000 svc.main:app",
            r#"["uvicorn", "svc.main:app", "--host", "0.0.0.0"]"#,
            "python -m gunicorn svc.main:app()",
            "celery -A svc.main worker",
        ] {
            assert_eq!(of(&format!("FROM x\nCMD {command}\n")), app, "{command}");
        }
    }

    #[test]
    fn what_is_not_certain_is_nothing() {
        for command in [
            r#"["/start.sh"]"#,
            r#"["sh", "-c", "aws s3 cp s3://b/x . && python main.py"]"#,
            "python -c 'print(1)'",
            r#"["node", "index.js"]"#,
            r#"["/start.sh", "python", "main.py"]"#,
        ] {
            assert_eq!(of(&format!("FROM x\nCMD {command}\n")), None, "{command}");
        }
        assert_eq!(of("FROM x\n"), None);
    }

    #[test]
    fn stages() {
        let text = r#"FROM python AS base
COPY --chown=1 lib/ /lib/
CMD ["a.handler"]
FROM base AS fn
COPY --from=base /x /x
ADD src app.py ./
FROM x AS test
CMD ["pytest"]
"#;
        assert_eq!(read(text, Some("fn")).command, ["a.handler"]);
        assert_eq!(read(text, Some("fn")).copied, ["lib/", "src", "app.py"]);
        assert_eq!(read(text, None).command, ["pytest"]);
    }
}
