//! A page for each rule and for each family, from `overgrant explain`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::BookSources;
use crate::links::outside_fences;

/// Languages that the examples of a rule are also shown in, as `--for` calls them.
const LANGUAGES: [(&str, &str); 4] = [
    ("cfn", "CloudFormation"),
    ("sam", "AWS SAM"),
    ("terraform", "Terraform"),
    ("python", "Python (boto3)"),
];

/// One rule, as the command describes it.
struct DescribedRule {
    id: String,
    family: String,
    title: String,
    severity: String,
    profile: String,
    fix: Option<String>,
    /// `overgrant explain --format markdown`.
    page: String,
    /// The examples in other languages, by the name of the language.
    examples: Vec<(&'static str, String)>,
}

/// All built-in rules, ordered by family and name.
pub(super) struct RuleCatalog {
    rules: Vec<DescribedRule>,
}

impl RuleCatalog {
    pub(super) fn read(sources: &BookSources<'_>) -> Result<Self, String> {
        let json = sources.output(&["explain", "*", "--format", "json"])?;
        let heads = serde_json::Deserializer::from_str(&json)
            .into_iter::<Value>()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| format!("overgrant explain '*' --format json: {e}"))?;
        let ids: Vec<String> = heads.iter().map(|h| text(h, "rule")).collect();
        let pages = split(&sources.output(&["explain", "*", "--format", "markdown"])?, &ids)?;
        let mut rules: Vec<DescribedRule> = heads
            .iter()
            .zip(pages)
            .map(|(head, page)| DescribedRule {
                id: text(head, "rule"),
                family: text(head, "family"),
                title: text(head, "title"),
                severity: text(head, "severity"),
                profile: text(head, "profile"),
                fix: head["fix"].as_str().map(str::to_owned),
                page,
                examples: Vec::new(),
            })
            .collect();
        for (name, title) in LANGUAGES {
            let all = sources.output(&["explain", "*", "--for", name, "--format", "markdown"])?;
            for (rule, page) in rules.iter_mut().zip(split(&all, &ids)?) {
                if let (Some(own), Some(other)) = (examples(&rule.page), examples(&page))
                    && own != other
                {
                    rule.examples.push((title, other.to_owned()));
                }
            }
        }
        rules.sort_by(|a, b| (&a.family, &a.id).cmp(&(&b.family, &b.id)));
        Ok(Self { rules })
    }

    fn families(&self) -> BTreeSet<&str> {
        self.rules.iter().map(|r| r.family.as_str()).collect()
    }

    fn of_family(&self, family: &str) -> impl Iterator<Item = &DescribedRule> {
        self.rules.iter().filter(move |r| r.family == family)
    }

    /// Lines of the table of contents.
    pub(super) fn contents(&self) -> String {
        let mut out = String::new();
        for family in self.families() {
            let _ = writeln!(out, "  - [{family}]({})", super::page_name(family));
            for rule in self.of_family(family) {
                let _ = writeln!(out, "    - [{}]({})", rule.id, super::page_name(&rule.id));
            }
        }
        out
    }

    /// The rules of each family, as tables.
    pub(super) fn tables(&self) -> String {
        let mut out = format!("{} rules in {} families.\n", self.rules.len(), self.families().len());
        for family in self.families() {
            let _ = writeln!(out, "\n## {family} ({})\n", self.of_family(family).count());
            out.push_str(&self.table(family, "rules/"));
        }
        out
    }

    fn table(&self, family: &str, folder: &str) -> String {
        let mut out = "| rule | severity | profile | fix | finds |\n|---|---|---|---|---|\n".to_owned();
        for r in self.of_family(family) {
            let title = r.title.replace('|', "\\|");
            let (fix, id) = (r.fix.as_deref().unwrap_or_default(), &r.id);
            let _ = writeln!(
                out,
                "| [`{id}`]({folder}{id}.md) | {} | {} | {fix} | {title} |",
                r.severity, r.profile
            );
        }
        out
    }

    /// Names and texts of the pages.
    pub(super) fn pages(&self) -> Vec<(String, String)> {
        let ids: BTreeSet<&str> = self.rules.iter().map(|r| r.id.as_str()).collect();
        let rules = self.rules.iter().map(|r| (r.id.clone(), r.page(&ids)));
        let families = self.families().into_iter().map(|family| {
            let table = self.table(family, "");
            let text = format!("# Rules: {family}\n\n{table}\n[All rules](../rules.md)\n");
            (family.to_owned(), text)
        });
        families.chain(rules).collect()
    }
}

impl DescribedRule {
    fn page(&self, ids: &BTreeSet<&str>) -> String {
        let mut page = self.page.clone();
        if let Some(end) = page.find("\n## How to suppress\n") {
            let mut more = String::new();
            for (title, examples) in &self.examples {
                let _ = write!(
                    more,
                    "\n<details>\n<summary>{title}</summary>\n\n{}\n</details>\n",
                    outside_fences(examples, |line| match line.strip_prefix("## ") {
                        Some(heading) => format!("**{}**", heading.split(':').next().unwrap_or(heading)),
                        None => line.to_owned(),
                    })
                );
            }
            page.insert_str(end, &more);
        }
        let page = outside_fences(&page, |line| self.line(line, ids));
        let fix = match self.fix.as_deref() {
            Some("safe") => "Has a safe fix: `overgrant fix`.\n\n",
            Some("unsafe") => "Has a fix that changes what is granted: `overgrant fix --unsafe`.\n\n",
            Some(_) => "Has safe fixes, `overgrant fix`, and others, `overgrant fix --unsafe`.\n\n",
            None => "",
        };
        page.replacen("## Why it matters\n", &format!("{fix}## Why it matters\n"), 1)
            .replacen(
                "## How to suppress\n",
                "## How to suppress\n\nFor other formats, and with an end date: [suppressions](../suppress.md).\n",
                1,
            )
    }

    /// A line of the page with links.
    fn line(&self, line: &str, ids: &BTreeSet<&str>) -> String {
        if let Some((before, address)) = line.strip_prefix("- ").and_then(|l| l.split_once("https://"))
            && !address.contains(' ')
        {
            return match before.trim_end_matches(": ") {
                "" => format!("- <https://{address}>"),
                name => format!("- [{name}](https://{address})"),
            };
        }
        if line.starts_with("Severity **") {
            return line.replace(
                &format!("family `{}`", self.family),
                &format!("family [`{0}`]({0}.md)", self.family),
            );
        }
        // Every second part of a line is code.
        let parts = line.split('`').enumerate();
        let linked = parts.map(|(i, part)| match (i % 2, part) {
            (0, text) => text.to_owned(),
            (_, id) if id != self.id && ids.contains(id) => format!("[`{id}`]({id}.md)"),
            (_, code) => format!("`{code}`"),
        });
        match line.matches('`').count() % 2 {
            0 => linked.collect(),
            _ => line.to_owned(),
        }
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The pages of several rules, which are printed one after the other.
fn split(all: &str, ids: &[String]) -> Result<Vec<String>, String> {
    let mut starts = Vec::new();
    let mut from = 0;
    for id in ids {
        let head = format!("# {id}\n\n");
        let at = all
            .get(from..)
            .and_then(|rest| {
                rest.match_indices(&head)
                    .find(|(i, _)| *i == 0 || rest[..*i].ends_with('\n'))
            })
            .map(|(i, _)| from + i)
            .ok_or_else(|| format!("`overgrant explain '*'` has no page of {id}"))?;
        starts.push(at);
        from = at + head.len();
    }
    let ends = starts.iter().skip(1).copied().chain([all.len()]);
    let pages = starts.iter().zip(ends);
    Ok(pages
        .map(|(start, end)| format!("{}\n", all[*start..end].trim_end()))
        .collect())
}

/// The part of a page with the examples.
fn examples(page: &str) -> Option<&str> {
    let start = page.find("\n## Bad: ")?;
    let end = page.find("\n## How to suppress\n")?;
    page.get(start + 1..end)
}
