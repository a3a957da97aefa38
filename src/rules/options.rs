//! What a rule leaves to its user: `options:` of a rule file, `[rules.NAME]` of the settings. The build script compiles this
//! file too.
//!
//! **Invariant:** a check sees values of the type that its rule declares; where no one gives one, the declared default.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One option as its rule declares it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OptionSpec {
    /// Kebab-case.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: OptionKind,
    /// Of `words`: the only ones there are.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// None for a list or a table that is empty until someone fills it.
    #[serde(default)]
    pub default: Option<OptionValue>,
    /// What it decides, in one sentence.
    pub doc: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionKind {
    /// A whole number, 0 or more.
    Number,
    /// A list of words.
    Words,
    /// A list of actions and patterns of actions.
    Actions,
    /// A table: an action or a pattern of actions, and condition keys.
    KeysByAction,
}

impl OptionKind {
    /// As in a rule file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Words => "words",
            Self::Actions => "actions",
            Self::KeysByAction => "keys-by-action",
        }
    }

    /// For messages: "expected …".
    pub fn expected(self) -> &'static str {
        match self {
            Self::Number => "a whole number, 0 or more",
            Self::Words => "a list of strings",
            Self::Actions => "a list of actions",
            Self::KeysByAction => "a table of actions, each with a list of condition keys",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionValue {
    Number(u32),
    Words(Vec<String>),
    Table(BTreeMap<String, Vec<String>>),
}

impl OptionValue {
    /// As it is written in `overgrant.toml`.
    pub fn toml(&self) -> String {
        let list = |words: &[String]| {
            let quoted: Vec<String> = words.iter().map(|w| format!("{w:?}")).collect();
            format!("[{}]", quoted.join(", "))
        };
        match self {
            Self::Number(n) => n.to_string(),
            Self::Words(words) => list(words),
            Self::Table(rows) => {
                let rows: Vec<String> = rows.iter().map(|(k, v)| format!("{k:?} = {}", list(v))).collect();
                format!("{{ {} }}", rows.join(", "))
            }
        }
    }
}

/// In YAML and JSON the shape tells the variant.
#[derive(Serialize, Deserialize)]
#[serde(untagged, remote = "OptionValue")]
enum Plain {
    Number(u32),
    Words(Vec<String>),
    Table(BTreeMap<String, Vec<String>>),
}

/// In the compiled blob nothing but a tag can.
#[derive(Serialize, Deserialize)]
#[serde(remote = "OptionValue")]
enum Tagged {
    Number(u32),
    Words(Vec<String>),
    Table(BTreeMap<String, Vec<String>>),
}

impl<'de> Deserialize<'de> for OptionValue {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            Plain::deserialize(d)
        } else {
            Tagged::deserialize(d)
        }
    }
}

impl Serialize for OptionValue {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            Plain::serialize(self, s)
        } else {
            Tagged::serialize(self, s)
        }
    }
}

/// Values by the name of their option.
pub type OptionValues = BTreeMap<String, OptionValue>;

impl OptionSpec {
    /// Whether `value` is of this option's type.
    pub fn accepts(&self, value: &OptionValue) -> bool {
        match (self.kind, value) {
            (OptionKind::Number, OptionValue::Number(_))
            | (OptionKind::Actions, OptionValue::Words(_))
            | (OptionKind::KeysByAction, OptionValue::Table(_)) => true,
            (OptionKind::Words, OptionValue::Words(words)) => {
                self.one_of.is_empty() || words.iter().all(|w| self.one_of.contains(w))
            }
            _ => false,
        }
    }
}

/// What is wrong with a rule's declarations or with the values that one of its examples gives: why, and the word at fault.
pub(super) fn find_mistake<'v>(
    specs: &[OptionSpec],
    given: impl IntoIterator<Item = &'v OptionValues>,
) -> Option<(String, String)> {
    for (i, spec) in specs.iter().enumerate() {
        let name = &spec.name;
        let kebab = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let why = if name.is_empty() || !name.bytes().all(kebab) {
            format!("the option `{name}` is not kebab-case")
        } else if name == "severity" || specs[..i].iter().any(|s| s.name == *name) {
            format!("duplicate option `{name}`")
        } else if spec.kind == OptionKind::Number && spec.default.is_none() {
            format!("the number `{name}` needs a default")
        } else if spec.default.as_ref().is_some_and(|d| !spec.accepts(d)) {
            format!("the default of `{name}` is not {}", spec.kind.expected())
        } else {
            continue;
        };
        return Some((why, name.clone()));
    }
    for (name, value) in given.into_iter().flatten() {
        match specs.iter().find(|s| s.name == *name) {
            None => return Some((format!("the rule has no option `{name}`"), name.clone())),
            Some(spec) if !spec.accepts(value) => {
                return Some((format!("`{name}` takes {}", spec.kind.expected()), name.clone()));
            }
            Some(_) => {}
        }
    }
    None
}

/// The options that are set, by the file whose settings set them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleOptions {
    /// By rule.
    sets: Vec<BTreeMap<String, OptionValues>>,
    /// Index into `sets` by file; the first where a file has none.
    of_file: Vec<u32>,
}

impl RuleOptions {
    /// One set for all files.
    pub fn for_all_files(set: BTreeMap<String, OptionValues>) -> Self {
        Self::by_file(vec![set], Vec::new())
    }

    /// `of_file` tells for each file, by its number, the index of its set.
    pub fn by_file(sets: Vec<BTreeMap<String, OptionValues>>, of_file: Vec<u32>) -> Self {
        Self { sets, of_file }
    }

    /// What is set for a rule in the file with this number.
    pub(super) fn values_of(&self, rule: &str, file: u32) -> Option<&OptionValues> {
        let set = self.of_file.get(file as usize).copied().unwrap_or(0);
        self.sets.get(set as usize)?.get(rule)
    }
}

/// A rule's options in force for one file.
#[derive(Clone, Copy, Debug)]
pub struct FileOptions<'a> {
    pub(super) specs: &'a [OptionSpec],
    pub(super) given: Option<&'a OptionValues>,
}

impl<'a> FileOptions<'a> {
    fn value(self, name: &str) -> Option<&'a OptionValue> {
        let default = || self.specs.iter().find(|s| s.name == name)?.default.as_ref();
        self.given.and_then(|g| g.get(name)).or_else(default)
    }

    pub fn number(self, name: &str) -> u32 {
        match self.value(name) {
            Some(OptionValue::Number(n)) => *n,
            _ => 0,
        }
    }

    pub fn words(self, name: &str) -> &'a [String] {
        match self.value(name) {
            Some(OptionValue::Words(words)) => words,
            _ => &[],
        }
    }

    pub fn table(self, name: &str) -> impl Iterator<Item = (&'a str, &'a [String])> {
        let table = match self.value(name) {
            Some(OptionValue::Table(table)) => Some(table),
            _ => None,
        };
        table.into_iter().flatten().map(|(k, v)| (&**k, &**v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_blob() {
        let yaml = "[{name: a, type: words, default: [x, y], doc: d}, {name: n, type: number, default: 3, doc: d}, \
                    {name: t, type: keys-by-action, default: {'iam:PassRole': [k]}, doc: d}]";
        let specs: Vec<OptionSpec> = serde_yaml::from_str(yaml).unwrap();
        let blob = postcard::to_stdvec(&specs).unwrap();
        let back: Vec<OptionSpec> = postcard::from_bytes(&blob).unwrap();
        assert_eq!(format!("{specs:?}"), format!("{back:?}"));
        assert_eq!(find_mistake(&specs, []), None);
    }

    #[test]
    fn mistakes_name_the_word() {
        let specs = |yaml: &str| -> Vec<OptionSpec> { serde_yaml::from_str(yaml).unwrap() };
        for (yaml, word) in [
            ("[{name: Bad_Name, type: words, doc: d}]", "Bad_Name"),
            ("[{name: severity, type: words, doc: d}]", "severity"),
            (
                "[{name: a, type: words, doc: d}, {name: a, type: number, default: 1, doc: d}]",
                "a",
            ),
            ("[{name: n, type: number, doc: d}]", "n"),
            ("[{name: n, type: number, default: [x], doc: d}]", "n"),
            ("[{name: w, type: words, one-of: [a], default: [b], doc: d}]", "w"),
        ] {
            assert_eq!(
                find_mistake(&specs(yaml), []).map(|m| m.1).as_deref(),
                Some(word),
                "{yaml}"
            );
        }
        let given: OptionValues = serde_yaml::from_str("{b: [x]}").unwrap();
        let one = specs("[{name: a, type: words, doc: d}]");
        assert_eq!(find_mistake(&one, [&given]).map(|m| m.1).as_deref(), Some("b"));
    }
}
