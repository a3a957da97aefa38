//! The build script's half: `rules/facts/hand/resource-types.txt` as the source text of [`super`]'s tables.
//!
//! **Invariant:** the tables are in the order of the names; a line that is not understood is an error.

use std::collections::{BTreeMap, BTreeSet};

/// The number of a line, from 1, and what is wrong with it.
pub(crate) type LineError = (usize, String);

type FactResult<T> = Result<T, String>;

/// The source text of the tables.
pub(crate) fn tables(text: &str) -> Result<String, LineError> {
    let mut tables = TypeTables::default();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_whitespace();
        let Some(word) = words.next().filter(|w| !w.starts_with('#')) else {
            continue;
        };
        let words: Vec<&str> = words.collect();
        match line.starts_with(' ') {
            true => tables.fact(word, &words),
            false => tables.top(word, &words),
        }
        .map_err(|why| (number, why))?;
    }
    Ok(tables.source())
}

#[derive(Default)]
struct TypeTables {
    /// IAM prefixes by namespace.
    namespaces: BTreeMap<String, String>,
    links: BTreeSet<String>,
    types: Vec<TypeBlock>,
    /// Rows by Terraform type.
    terraform: BTreeMap<String, String>,
    operations: Vec<String>,
}

/// The lines of one type, each as the source text of what it says.
#[derive(Default)]
struct TypeBlock {
    name: String,
    service: Option<String>,
    policies: Vec<String>,
}

impl TypeTables {
    /// A line that is not indented.
    fn top(&mut self, word: &str, words: &[&str]) -> FactResult<()> {
        match word {
            "namespaces" => words.iter().try_for_each(|w| {
                let (namespace, prefix) = pair(w)?;
                once(self.namespaces.insert(namespace.to_owned(), prefix.to_owned()), w)
            }),
            "links" => words.iter().try_for_each(|w| match self.links.insert((*w).to_owned()) {
                true => Ok(()),
                false => Err(format!("`{w}` is listed twice")),
            }),
            _ if word.contains("::") || word.starts_with("data.") => {
                none_left(words)?;
                if let Some(before) = self.types.last().filter(|t| *t.name >= *word) {
                    return Err(format!(
                        "`{word}` must stand before `{}`: types are sorted",
                        before.name
                    ));
                }
                self.types.push(TypeBlock {
                    name: word.to_owned(),
                    ..TypeBlock::default()
                });
                Ok(())
            }
            _ => Err(format!("`{word}` is neither a type nor a list for all types")),
        }
    }

    /// A line below a type.
    fn fact(&mut self, word: &str, words: &[&str]) -> FactResult<()> {
        let of = self.types.last_mut().ok_or("a fact before the first type")?;
        match word {
            "service" => once(of.service.replace(only(words)?.to_owned()), word),
            "terraform" => {
                let (name, arguments) = words.split_first().ok_or("`terraform` needs a type")?;
                let pairs = pairs(arguments)?;
                let row = format!(
                    "TerraformType {{ name: {name:?}, kind: {:?}, arguments: &{pairs:?} }}",
                    of.name
                );
                once(self.terraform.insert((*name).to_owned(), row), name)
            }
            "boto3" | "boto3-attribute" | "boto3-attributes" | "boto3-call" | "boto3-list" | "boto3-policy" => {
                let rows = operations(&of.name, word, words)?;
                self.operations.extend(rows);
                Ok(())
            }
            "policy" => {
                let [property, kind] = words else {
                    return Err("`policy` needs a property and a kind".to_owned());
                };
                of.policies
                    .push(format!("({:?}, {})", path(property)?, policy_kind(kind)?));
                Ok(())
            }
            _ => Err(format!("there is no fact `{word}`")),
        }
    }

    fn source(&self) -> String {
        let mut out = String::new();
        let mut table = |name: &str, row: &str, rows: Vec<String>| {
            out.push_str(&format!(
                "pub static {name}: &[{row}] = &[\n    {}\n];\n",
                rows.join(",\n    ")
            ));
        };
        let pairs = |map: &BTreeMap<String, String>| map.iter().map(|pair| format!("{pair:?}")).collect();
        table("NAMESPACES", "(&str, &str)", pairs(&self.namespaces));
        table("LINKS", "&str", self.links.iter().map(|l| format!("{l:?}")).collect());
        table("OPERATIONS", "LoweredOperation", self.operations.clone());
        table("TERRAFORM", "TerraformType", self.terraform.values().cloned().collect());
        table("TYPES", "TypeFacts", self.types.iter().map(TypeBlock::source).collect());
        out
    }
}

impl TypeBlock {
    fn source(&self) -> String {
        format!(
            "TypeFacts {{ name: {:?}, service: {:?}, policies: &[{}] }}",
            self.name,
            self.service,
            self.policies.join(", ")
        )
    }
}

/// The rows of `SERVICE METHOD,METHOD [if=KEYWORD,KEYWORD] …`: one for each method.
fn operations(kind: &str, word: &str, words: &[&str]) -> FactResult<Vec<String>> {
    let [services, methods, rest @ ..] = words else {
        return Err(format!("`{word}` needs a service and a method"));
    };
    let (mut keys, rest) = match rest {
        [first, rest @ ..] if first.starts_with("if=") => (items(&first["if=".len()..]), rest),
        _ => (Vec::new(), rest),
    };
    let owner = || pair(only(rest)?);
    let makes = match word {
        "boto3" => format!("Resource(&{:?})", pairs(rest)?),
        "boto3-attribute" => {
            keys = vec!["AttributeName"];
            format!("Attribute{:?}", owner()?)
        }
        "boto3-attributes" => {
            keys = vec!["Attributes"];
            format!("Attributes{:?}", owner()?)
        }
        "boto3-call" => {
            none_left(rest)?;
            "Call".to_owned()
        }
        "boto3-list" => {
            let (from, to) = owner()?;
            let from: Vec<String> = items(from).into_iter().map(names).collect::<FactResult<_>>()?;
            format!("Shares({}, &[{}])", names(to)?, from.join(", "))
        }
        _ => {
            let [keyword, kind] = rest else {
                return Err(format!("`{word}` needs a keyword and a kind of policy"));
            };
            keys = vec![keyword];
            format!("Document({keyword:?}, {})", policy_kind(kind)?)
        }
    };
    let services = match *services {
        "*" => Vec::new(),
        services => items(services),
    };
    let row = |method: &&str| {
        format!(
            "LoweredOperation {{ kind: {kind:?}, services: &{services:?}, method: {method:?}, keys: &{keys:?}, makes: \
             CallOutput::{makes} }}"
        )
    };
    Ok(items(methods).iter().map(row).collect())
}

fn items(text: &str) -> Vec<&str> {
    text.split(',').collect()
}

/// A path of names as a list of them.
fn names(text: &str) -> FactResult<String> {
    let names: Vec<&str> = path(text)?.split('/').collect();
    Ok(format!("&{names:?}"))
}

fn only<'w>(words: &[&'w str]) -> FactResult<&'w str> {
    match words {
        [one] => Ok(one),
        _ => Err("one word belongs here".to_owned()),
    }
}

fn none_left(words: &[&str]) -> FactResult<()> {
    match words {
        [] => Ok(()),
        [first, ..] => Err(format!("`{first}` does not belong here")),
    }
}

/// An error where something was there before.
fn once<T>(before: Option<T>, what: &str) -> FactResult<()> {
    match before {
        None => Ok(()),
        Some(_) => Err(format!("`{what}` is listed twice")),
    }
}

fn pair(word: &str) -> FactResult<(&str, &str)> {
    let parts = word.split_once('=').filter(|(a, b)| !a.is_empty() && !b.is_empty());
    parts.ok_or_else(|| format!("`{word}` must be `NAME=VALUE`"))
}

/// `argument=Property`, each argument once.
fn pairs<'w>(words: &[&'w str]) -> FactResult<Vec<(&'w str, &'w str)>> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for word in words {
        let (argument, property) = pair(word)?;
        if !seen.insert(argument) {
            return Err(format!("`{argument}` is listed twice"));
        }
        out.push((argument, path(property)?));
    }
    Ok(out)
}

/// Names of properties, joined by `/`, of which each may be a list, `[]`.
fn path(text: &str) -> FactResult<&str> {
    let is_name = |part: &str| {
        let name = part.strip_suffix("[]").unwrap_or(part);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    match text.split('/').all(is_name) {
        true => Ok(text),
        false => Err(format!("`{text}` is not the path of a property")),
    }
}

fn policy_kind(word: &str) -> FactResult<&'static str> {
    match word {
        "identity" => Ok("PolicyKind::Identity"),
        "resource" => Ok("PolicyKind::Resource"),
        "session" => Ok("PolicyKind::Session"),
        "trust" => Ok("PolicyKind::Trust"),
        _ => Err(format!("`{word}` is not a kind of policy")),
    }
}
