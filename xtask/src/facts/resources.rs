//! boto3's resource API, from its own data files, and what it adds in code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::sdk::{Clients, Hand, newest, snake};
use super::source;

/// Adds the resource types to the clients.
pub fn add(dir: &str, hand: &Hand, clients: &mut Clients) -> Result<(), String> {
    let mut types: BTreeMap<String, Types> = BTreeMap::new();
    for folder in source::files_in(&Path::new(dir).join("boto3/data"))? {
        let Some(newest) = folder.is_dir().then(|| newest(&folder)).transpose()?.flatten() else {
            continue;
        };
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let model = source::json(&newest.join("resources-1.json"))?;
        let mut here = Types::default();
        let waiters = clients.get(name).map(|c| c.waiters().clone()).unwrap_or_default();
        here.add("ServiceResource", &model["service"], &waiters);
        for (type_name, definition) in model["resources"].as_object().into_iter().flatten() {
            here.add(type_name, definition, &waiters);
        }
        types.insert(name.to_owned(), here);
    }
    if types.is_empty() {
        return Err(format!("{dir} holds no boto3/data"));
    }
    for (client, methods) in &hand.injected {
        let here = types.entry(client.clone()).or_default();
        for (holder, method, rest) in methods {
            here.0.entry(holder.clone()).or_insert_with(|| Type {
                head: format!("type\t{holder}"),
                members: BTreeSet::new(),
            });
            if let Some(t) = here.0.get_mut(holder) {
                let line = format!("method\t{holder}\t{method}\t");
                t.members.retain(|m| !m.starts_with(&line));
                t.members.insert(format!("{line}{rest}"));
            }
        }
    }
    for (name, types) in types {
        if let Some(client) = clients.get_mut(&name) {
            client.types = types
                .0
                .into_values()
                .flat_map(|t| std::iter::once(t.head).chain(t.members))
                .collect();
        }
    }
    Ok(())
}

#[derive(Default)]
struct Types(BTreeMap<String, Type>);

struct Type {
    head: String,
    members: BTreeSet<String>,
}

impl Types {
    fn add(&mut self, name: &str, definition: &Value, waiters: &BTreeMap<String, String>) {
        let entries = |key: &str| definition[key].as_object().into_iter().flatten();
        let operation = |v: &Value| v["request"]["operation"].as_str().unwrap_or_default().to_owned();
        let gives = |v: &Value| match v["resource"]["type"].as_str() {
            Some(t) => format!("\tgives={t}"),
            None => String::new(),
        };
        let mut head = format!("type\t{name}");
        let ids: Vec<String> = definition["identifiers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|i| Some(snake(i["name"].as_str()?)))
            .collect();
        if !ids.is_empty() {
            head.push_str(&format!("\tids={}", ids.join(", ")));
        }
        if definition["load"].is_object() {
            head.push_str(&format!("\tload={}", operation(&definition["load"])));
        }
        let mut members = BTreeSet::new();
        for (action, v) in entries("actions") {
            members.insert(format!(
                "method\t{name}\t{}\tcalls={}{}",
                snake(action),
                operation(v),
                gives(v)
            ));
        }
        for (collection, v) in entries("hasMany") {
            let collection = snake(collection);
            members.insert(format!(
                "collection\t{name}\t{collection}\tcalls={}{}",
                operation(v),
                gives(v)
            ));
        }
        for (batch, v) in entries("batchActions") {
            members.insert(format!("batch\t{name}\t{}\tcalls={}", snake(batch), operation(v)));
        }
        for (waiter, v) in entries("waiters") {
            let polled = waiters.get(&snake(v["waiterName"].as_str().unwrap_or_default()));
            if let Some(polled) = polled {
                members.insert(format!("method\t{name}\twait_until_{}\tcalls={polled}", snake(waiter)));
            }
        }
        for (sub, v) in entries("has") {
            let from_data = v["resource"]["identifiers"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|i| i["source"] == "data");
            let line = if from_data {
                format!("reference\t{name}\t{}{}", snake(sub), gives(v))
            } else {
                format!("sub\t{name}\t{sub}{}", gives(v))
            };
            members.insert(line);
        }
        self.0.insert(name.to_owned(), Type { head, members });
    }
}
