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
            false => tables.top_level_line(word, &words),
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

/// The lines of one type, most of them as the source text of what they say.
#[derive(Default)]
struct TypeBlock {
    name: String,
    service: Option<String>,
    policies: Vec<String>,
    arn: Option<ArnLines>,
    roles: Vec<String>,
    environments: Vec<String>,
    user_data: Vec<String>,
    password: Option<String>,
    examples: Vec<String>,
}

/// What a type says of its ARNs and names.
struct ArnLines {
    service: String,
    before: String,
    property: Option<String>,
    /// Attributes by what they are.
    attributes: BTreeMap<&'static str, Vec<String>>,
}

impl TypeTables {
    /// A line that is not indented.
    fn top_level_line(&mut self, word: &str, words: &[&str]) -> FactResult<()> {
        match word {
            "namespaces" => words.iter().try_for_each(|w| {
                let (namespace, prefix) = pair(w)?;
                expect_first(self.namespaces.insert(namespace.to_owned(), prefix.to_owned()), w)
            }),
            "links" => words.iter().try_for_each(|w| match self.links.insert((*w).to_owned()) {
                true => Ok(()),
                false => Err(format!("`{w}` is listed twice")),
            }),
            _ if word.contains("::") || word.starts_with("data.") => {
                expect_end(words)?;
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
            "terraform" => {
                let (name, arguments) = words.split_first().ok_or("`terraform` needs a type")?;
                let pairs = pairs(arguments)?;
                let row = format!(
                    "TerraformType {{ name: {name:?}, kind: {:?}, arguments: &{pairs:?} }}",
                    of.name
                );
                expect_first(self.terraform.insert((*name).to_owned(), row), name)
            }
            "boto3" | "boto3-attribute" | "boto3-attributes" | "boto3-call" | "boto3-list" | "boto3-policy" => {
                let rows = operations(&of.name, word, words)?;
                self.operations.extend(rows);
                Ok(())
            }
            _ => of.fact(word, words),
        }
    }

    fn source(&self) -> String {
        let mut out = String::new();
        let mut table = |name: &str, row: &str, rows: Vec<String>| {
            let rows = rows.join(",\n    ");
            out.push_str(&format!("pub static {name}: &[{row}] = &[\n    {rows}\n];\n"));
        };
        let namespaces = self.namespaces.iter().map(|pair| format!("{pair:?}"));
        table("NAMESPACES", "(&str, &str)", namespaces.collect());
        table("LINKS", "&str", self.links.iter().map(|l| format!("{l:?}")).collect());
        table("OPERATIONS", "LoweredOperation", self.operations.clone());
        table("TERRAFORM", "TerraformType", self.terraform.values().cloned().collect());
        table("TYPES", "TypeFacts", self.types.iter().map(TypeBlock::source).collect());
        out
    }
}

impl TypeBlock {
    fn fact(&mut self, word: &str, words: &[&str]) -> FactResult<()> {
        match word {
            "service" => expect_first(self.service.replace(single_word(words)?.to_owned()), word),
            "policy" => {
                let [property, kind] = words else {
                    return Err("`policy` needs a property and a kind".to_owned());
                };
                let row = format!("({:?}, {})", path(property)?, policy_kind(kind)?);
                self.policies.push(row);
                Ok(())
            }
            "arn" => {
                let form = single_word(words)?;
                let parts = form.strip_suffix("NAME").and_then(|form| form.split_once(':'));
                let (service, before) = parts.ok_or_else(|| format!("`{form}` must be `SERVICE:…NAME`"))?;
                let arn = ArnLines {
                    service: service.to_owned(),
                    before: before.to_owned(),
                    property: None,
                    attributes: BTreeMap::new(),
                };
                expect_first(self.arn.replace(arn), word)
            }
            "name" => {
                let property = path(single_word(words)?)?.to_owned();
                expect_first(self.arn()?.property.replace(property), word)
            }
            "attributes" => words.iter().try_for_each(|w| {
                let (kind, names) = pair(w)?;
                let kind = match kind {
                    "name" => "names",
                    "arn" => "arns",
                    "url" => "urls",
                    _ => return Err(format!("`{kind}` is not what an attribute can be")),
                };
                let names = items(names).into_iter().map(|n| if n == "Ref" { "" } else { n });
                let names = names.map(str::to_owned).collect();
                expect_first(self.arn()?.attributes.insert(kind, names), w)
            }),
            "role" | "profile" => {
                let row = role(word == "profile", words)?;
                self.roles.push(row);
                Ok(())
            }
            "environment" => {
                let [owner, property] = words else {
                    return Err("`environment` needs an owner and a property".to_owned());
                };
                let owner = match *owner {
                    "codebuild" => "CodeBuild",
                    "ecs" => "Ecs",
                    "lambda" => "Lambda",
                    _ => return Err(format!("`{owner}` has no environment")),
                };
                let row = format!("(EnvironmentOwner::{owner}, {})", names(property)?);
                self.environments.push(row);
                Ok(())
            }
            "user-data" => {
                self.user_data.push(names(single_word(words)?)?);
                Ok(())
            }
            "password" => {
                let [property, switch] = words else {
                    return Err("`password` needs a property and `managed-by=`".to_owned());
                };
                let switch = switch.strip_prefix("managed-by=").ok_or("`managed-by=` is missing")?;
                let row = format!("({:?}, {:?})", path(property)?, path(switch)?);
                expect_first(self.password.replace(row), word)
            }
            "example" => {
                let row = example(words)?;
                self.examples.push(row);
                Ok(())
            }
            _ => Err(format!("there is no fact `{word}`")),
        }
    }

    fn arn(&mut self) -> FactResult<&mut ArnLines> {
        self.arn.as_mut().ok_or_else(|| "`arn` must stand before it".to_owned())
    }

    fn source(&self) -> String {
        let Self { name, service, .. } = self;
        let list = |rows: &[String]| format!("&[{}]", rows.join(", "));
        let password = self
            .password
            .as_ref()
            .map_or("None".to_owned(), |p| format!("Some({p})"));
        format!(
            "TypeFacts {{ name: {name:?}, service: {service:?}, policies: {}, arn: {}, roles: {}, environments: {}, \
             user_data: {}, password: {password}, examples: {} }}",
            list(&self.policies),
            self.arn.as_ref().map_or("None".to_owned(), ArnLines::source),
            list(&self.roles),
            list(&self.environments),
            list(&self.user_data),
            list(&self.examples),
        )
    }
}

impl ArnLines {
    fn source(&self) -> String {
        let Self {
            service,
            before,
            property,
            attributes,
        } = self;
        let of = |kind| attributes.get(kind).map_or_else(Vec::new, Clone::clone);
        format!(
            "Some(ArnForm {{ service: {service:?}, before: {before:?}, property: {property:?}, names: &{:?}, arns: &{:?}, \
             urls: &{:?} }})",
            of("names"),
            of("arns"),
            of("urls"),
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
    let only_pair = || pair(single_word(rest)?);
    let makes = match word {
        "boto3" => format!("Resource(&{:?})", pairs(rest)?),
        "boto3-attribute" => {
            keys = vec!["AttributeName"];
            format!("Attribute{:?}", only_pair()?)
        }
        "boto3-attributes" => {
            keys = vec!["Attributes"];
            format!("Attributes{:?}", only_pair()?)
        }
        "boto3-call" => {
            expect_end(rest)?;
            "Call".to_owned()
        }
        "boto3-list" => {
            let (from, to) = only_pair()?;
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

fn role(instance_profile: bool, words: &[&str]) -> FactResult<String> {
    let (property, words) = words.split_first().ok_or("a property is missing")?;
    let (mut services, mut arn_only, mut holder) = (Vec::new(), false, "Other");
    for word in words {
        match *word {
            "arn-only" => arn_only = true,
            "runs" => holder = "Runs",
            "launches" => holder = "Launches",
            _ => match word.strip_prefix("by=") {
                Some(list) => services = items(list),
                None => return Err(format!("`{word}` does not belong here")),
            },
        }
    }
    Ok(format!(
        "RoleProperty {{ path: {}, services: &{services:?}, instance_profile: {instance_profile}, arn_only: {arn_only}, \
         holder: RoleHolder::{holder} }}",
        names(property)?
    ))
}

fn example(words: &[&str]) -> FactResult<String> {
    let others = |words: &[&str]| {
        let pairs: Vec<_> = words.iter().map(|w| pair(w)).collect::<FactResult<_>>()?;
        Ok::<_, String>(format!("&{pairs:?}"))
    };
    match words {
        ["cloudformation", rest @ ..] => Ok(format!("PolicyExample::Cloudformation({})", others(rest)?)),
        ["terraform", kind, argument, rest @ ..] => {
            let others = others(rest)?;
            Ok(format!("PolicyExample::Terraform({kind:?}, {argument:?}, {others})"))
        }
        ["boto3", rest @ ..] => {
            let text = rest.join(" ");
            let (client, call) = text.split_once('.').ok_or("`boto3` needs `CLIENT.METHOD(…)`")?;
            Ok(format!("PolicyExample::Boto3({client:?}, {call:?})"))
        }
        _ => Err("an example is of `cloudformation`, `terraform TYPE ARGUMENT`, or `boto3`".to_owned()),
    }
}

fn items(text: &str) -> Vec<&str> {
    text.split(',').collect()
}

/// A path of properties as a list of their names.
fn names(text: &str) -> FactResult<String> {
    let names: Vec<&str> = path(text)?.split('/').collect();
    Ok(format!("&{names:?}"))
}

fn single_word<'w>(words: &[&'w str]) -> FactResult<&'w str> {
    match words {
        [one] => Ok(one),
        _ => Err("one word belongs here".to_owned()),
    }
}

fn expect_end(words: &[&str]) -> FactResult<()> {
    match words {
        [] => Ok(()),
        [first, ..] => Err(format!("`{first}` does not belong here")),
    }
}

/// An error where something was there before.
fn expect_first<T>(before: Option<T>, what: &str) -> FactResult<()> {
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
