//! AWS's managed policies and the SAM policy templates.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::report::Report;
use super::source::{self, Dates};
use super::text;

/// The text of `managed-policies.txt` from one of the public trackers: a JSON file whose `policies` is an object by ARN or a
/// list (iann0036/iam-dataset), or a folder of files as `aws iam get-policy-version` gives them (z0ph/aws_managed_policies).
/// A tracker can miss a new version of a policy: the newer of its row and the one before stays.
pub fn managed(path: &str, before: &str, dates: &mut Dates, report: &mut Report) -> Result<String, String> {
    let mut rows: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut add = |path: &str, version: &str, updated: &str, document: &Value| {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let row = format!("{path}\t{version}\t{updated}\t{document}");
        rows.insert((name, path.to_owned()), row);
    };
    let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let day = |v: &Value| word(v).chars().take(10).collect::<String>();
    let place = Path::new(path);
    if place.is_dir() {
        let known: BTreeMap<&str, &str> = before
            .lines()
            .filter_map(|l| l.split('\t').next())
            .map(|p| (p.rsplit('/').next().unwrap_or(p), p))
            .collect();
        for file in source::files_in(place)?.iter().filter(|f| f.is_file()) {
            let version = &source::json(file)?["PolicyVersion"];
            let name = file.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
            if !version["Document"].is_object() {
                continue;
            }
            let path = known.get(name).copied().unwrap_or(name);
            add(
                path,
                &word(&version["VersionId"]),
                &day(&version["CreateDate"]),
                &version["Document"],
            );
        }
    } else {
        let file = source::json(place)?;
        if let Some(snapshot) = file["snapshot"].as_str() {
            dates.set(
                "managed-policies",
                snapshot,
                "iann0036/iam-dataset, z0ph/aws_managed_policies",
            );
        }
        let tail = |arn: &str| arn.split_once(":policy/").map_or(arn, |(_, p)| p).to_owned();
        if let Some(by_arn) = file["policies"].as_object() {
            for (arn, p) in by_arn {
                add(&tail(arn), &word(&p["version"]), &day(&p["updated"]), &p["document"]);
            }
        }
        for p in file["policies"].as_array().into_iter().flatten() {
            add(
                &tail(&word(&p["arn"])),
                &word(&p["version"]),
                &day(&p["updatedate"]),
                &p["document"],
            );
        }
    }
    if rows.is_empty() {
        return Err(format!("{path} holds no managed policies"));
    }
    let table = |text: &str| -> BTreeMap<String, String> {
        text.lines()
            .filter_map(|l| l.split_once('\t'))
            .map(|(path, rest)| (path.to_owned(), rest.to_owned()))
            .collect()
    };
    for line in before.lines() {
        let path = line.split('\t').next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        if let Some(row) = rows.get_mut(&(name, path.to_owned()))
            && version(line) > version(row)
        {
            line.clone_into(row);
        }
    }
    let after = rows.into_values().collect::<Vec<_>>().join("\n") + "\n";
    report.compare("managed policy", false, &table(before), &table(&after));
    Ok(after)
}

/// The number of a row's version, `12` of `v12`.
fn version(row: &str) -> Option<u32> {
    row.split('\t').nth(1)?.strip_prefix('v')?.parse().ok()
}

/// The text of `sam-templates.txt`: the parameters' names and the statements; descriptions are AWS's prose and stay out.
pub fn sam(path: &str, before: &str, report: &mut Report) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    let file: Value = serde_json::from_slice(&bytes).map_err(|e| format!("{path}: {e}"))?;
    let templates = file["Templates"]
        .as_object()
        .ok_or_else(|| format!("{path} has no Templates"))?;
    let mut rows = BTreeMap::new();
    for (name, template) in templates {
        let parameters = template["Parameters"].as_object().into_iter().flatten();
        let mut slim = Map::new();
        slim.insert(
            "Parameters".to_owned(),
            parameters
                .map(|(n, _)| (n.clone(), Value::Object(Map::new())))
                .collect(),
        );
        slim.insert("Definition".to_owned(), template["Definition"].clone());
        rows.insert(name.clone(), Value::Object(slim).to_string());
    }
    let old: BTreeMap<String, String> = text::lines(before)
        .map(|l| (l.at(0).to_owned(), l.at(1).to_owned()))
        .collect();
    report.compare("SAM template", false, &old, &rows);
    let lines: Vec<String> = rows.iter().map(|(name, json)| format!("{name}\t{json}")).collect();
    Ok(lines.join("\n") + "\n")
}
