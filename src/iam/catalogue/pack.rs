//! Packs `rules/facts/` into the three files that the crate includes. Runs in the build script only.
//!
//! **Invariant:** what it writes is what [`super::layout`] says; the same text gives the same bytes; a name that is used but
//! not defined stops the build.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::{fs, io};

use super::layout::{
    Action, ActionMask, ApiName, CALLED_PERMISSIONS, Document, DocumentBlock, Fact, GONE, Key, ManagedPolicy, REQUIRED,
    SamTemplate, Service, Table, Type, WordRange, name_hash,
};
use super::library::{LibraryCall, LibraryEffect};
use super::text::{items, lines};

/// Packs `rules/facts` into cargo's output folder.
pub(crate) fn build() {
    println!("cargo:rerun-if-changed=rules/facts");
    println!("cargo:rerun-if-changed=src/iam/catalogue");
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    pack(Path::new("rules/facts"), Path::new(&out)).expect("rules/facts can be read and packed");
}

/// Packs the facts under `from` into `facts.words`, `facts.strings`, and `facts.documents` under `to`.
fn pack(from: &Path, to: &Path) -> io::Result<()> {
    let mut packer = Packer::new();
    packer.services(from)?;
    packer.managed_policies(from)?;
    packer.sam_templates(from)?;
    let slips = packer.sdk(from)?;
    packer.api_names(from, slips)?;
    packer.facts(from)?;
    packer.index_actions();
    packer.rank_actions(from)?;
    let blocks = packer.pack_documents();
    let (words, strings) = packer.finish();
    fs::write(to.join("facts.documents"), blocks)?;
    fs::write(to.join("facts.words"), words)?;
    fs::write(to.join("facts.strings"), strings)
}

pub(super) struct Packer {
    strings: String,
    starts: Vec<u32>,
    ids: HashMap<String, u32>,
    list_ids: HashMap<Vec<u32>, u32>,
    /// Documents of managed policies, in the order of their rows.
    documents: Vec<String>,
    sections: Vec<Vec<u32>>,
    /// Full action name in lower case to its row.
    pub(super) actions: BTreeMap<String, u32>,
}

/// Files of `hand/` that have tables of their own, are read as they are, or are for what writes the other files.
const NOT_PACKED: [&str; 6] = [
    "conditional-triggers",
    "corrections",
    "escalation",
    "exposure",
    "passed-roles",
    "resource-types",
];

impl Packer {
    fn new() -> Self {
        let mut packer = Self {
            strings: String::new(),
            starts: vec![0],
            ids: HashMap::new(),
            list_ids: HashMap::new(),
            documents: Vec::new(),
            sections: vec![Vec::new(); WordRange::COUNT],
            actions: BTreeMap::new(),
        };
        packer.list(&[]);
        packer.string("");
        packer
    }

    pub(super) fn string(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let id = self.starts.len() as u32 - 1;
        self.strings.push_str(text);
        self.starts.push(self.strings.len() as u32);
        self.ids.insert(text.to_owned(), id);
        id
    }

    pub(super) fn list(&mut self, items: &[u32]) -> u32 {
        if let Some(&at) = self.list_ids.get(items) {
            return at;
        }
        let pool = &mut self.sections[WordRange::Lists as usize];
        let at = pool.len() as u32;
        pool.push(items.len() as u32);
        pool.extend_from_slice(items);
        self.list_ids.insert(items.to_vec(), at);
        at
    }

    pub(super) fn string_list<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> u32 {
        let ids: Vec<u32> = texts.map(|t| self.string(t)).collect();
        self.list(&ids)
    }

    /// Adds a row; `cells` are in the order of the table's columns. Gives the row's number.
    pub(super) fn row<T: Table, const N: usize>(&mut self, cells: [u32; N]) -> u32 {
        assert!(N == T::WIDTH, "a row as wide as its table");
        let section = &mut self.sections[T::SECTION as usize];
        let row = section.len() / N;
        section.extend_from_slice(&cells);
        row as u32
    }

    fn services(&mut self, from: &Path) -> io::Result<()> {
        let mut files: Vec<(String, String)> = Vec::new();
        for entry in fs::read_dir(from.join("services"))? {
            let path = entry?.path();
            let prefix = path.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_owned();
            files.push((format!("{prefix}:"), fs::read_to_string(&path)?));
        }
        files.sort();

        let mut row = 0;
        for (prefix, text) in &files {
            let mut names: Vec<String> = lines(text)
                .filter(|l| l.at(0) == "action")
                .map(|l| format!("{prefix}{}", l.at(1)).to_lowercase())
                .collect();
            names.sort();
            for name in names {
                self.actions.insert(name, row);
                row += 1;
            }
        }
        assert!(row < u32::from(u16::MAX), "an action's number fits 16 bits");

        let mut masks = vec![vec![0u32; (row as usize).div_ceil(64) * 2]; ActionMask::COUNT];
        for (index, (prefix, text)) in files.iter().enumerate() {
            self.service(index as u32, prefix, text, &mut masks);
        }
        // What such a resource narrows is not what the action works on.
        for line in lines(&fs::read_to_string(from.join("hand/helper-resources.txt"))?) {
            let row = self.action(line.at(0)) as usize;
            masks[ActionMask::Scopable as usize][row / 32] &= !(1 << (row % 32));
        }
        self.sections[WordRange::Masks as usize] = masks.concat();
        Ok(())
    }

    fn service(&mut self, index: u32, prefix: &str, text: &str, masks: &mut [Vec<u32>]) {
        let mut keys = BTreeMap::new();
        let mut key_lines: Vec<_> = lines(text).filter(|l| l.at(0) == "key").collect();
        key_lines.sort_by_key(|l| l.at(1).to_lowercase());
        let first_key = self.rows::<Key>();
        for line in &key_lines {
            let cells = [self.string(line.at(1)), self.string(line.at(2))];
            keys.insert(line.at(1), self.row::<Key, 2>(cells));
        }

        let mut types = BTreeMap::new();
        let mut type_lines: Vec<_> = lines(text).filter(|l| l.at(0) == "type").collect();
        type_lines.sort_by_key(|l| l.at(1));
        let first_type = self.rows::<Type>();
        for line in &type_lines {
            let on: Vec<u32> = line.list("keys").map(|k| find(&keys, k, prefix)).collect();
            let cells = [
                self.string(line.at(1)),
                self.string_list(line.list("arn")),
                self.list(&on),
            ];
            types.insert(line.at(1), self.row::<Type, 3>(cells));
        }

        let mut actions: Vec<_> = lines(text).filter(|l| l.at(0) == "action").collect();
        actions.sort_by_key(|l| l.at(1).to_lowercase());
        let first_action = self.rows::<Action>();
        for line in &actions {
            let levels: Vec<u32> = items(line.at(2)).map(level).collect();
            let gone = line.has("gone");
            let on: Vec<u32> = line
                .list("on")
                .map(|t| match t.strip_suffix('*') {
                    Some(t) => find(&types, t, prefix) | REQUIRED,
                    None => find(&types, t, prefix),
                })
                .collect();
            let by: Vec<u32> = line.list("keys").map(|k| find(&keys, k, prefix)).collect();
            let needs: Vec<u32> = line.list("needs").map(|a| self.action(a)).collect();
            let flags = levels
                .first()
                .copied()
                .unwrap_or_else(|| panic!("no level in {prefix} {line:?}"))
                | levels.get(1).map_or(0, |l| (l + 1) << 4)
                | if gone { GONE } else { 0 }
                | if line.value("was") == Some("Permissions management") {
                    CALLED_PERMISSIONS
                } else {
                    0
                };
            let cells = [
                self.string(&format!("{prefix}{}", line.at(1))),
                index,
                flags,
                self.list(&on),
                self.list(&by),
                self.list(&needs),
            ];
            let row = self.row::<Action, 6>(cells) as usize;
            let mut set = |mask: usize| masks[mask][row / 32] |= 1 << (row % 32);
            set(ActionMask::List as usize + levels[0] as usize);
            if !gone {
                set(ActionMask::Current as usize);
            }
            if !on.is_empty() {
                set(ActionMask::Scopable as usize);
            }
        }

        let cells = [
            self.string(prefix.trim_end_matches(':')),
            first_action,
            actions.len() as u32,
            first_type,
            type_lines.len() as u32,
            first_key,
            key_lines.len() as u32,
        ];
        self.row::<Service, 7>(cells);
    }

    pub(super) fn rows<T: Table>(&self) -> u32 {
        (self.sections[T::SECTION as usize].len() / T::WIDTH) as u32
    }

    fn managed_policies(&mut self, from: &Path) -> io::Result<()> {
        let current = fs::read_to_string(from.join("managed-policies.txt"))?;
        let retired = fs::read_to_string(from.join("managed-policies-deprecated.txt"))?;
        let mut rows = BTreeMap::new();
        for line in lines(&current) {
            let path = line.at(0);
            let name = path.rsplit('/').next().unwrap_or(path);
            let cells = [
                self.string(name),
                self.string(&format!("arn:aws:iam::aws:policy/{path}")),
                self.string(line.at(1)),
                0,
                self.document(line.at(3)),
                self.string(""),
            ];
            rows.insert(name.to_lowercase(), cells);
        }
        for line in lines(&retired) {
            let path = line.at(0);
            let name = path.rsplit('/').next().unwrap_or(path);
            let replacement = self.string(line.value("use").unwrap_or(""));
            let cells = match rows.get(&name.to_lowercase()) {
                Some([name, arn, version, _, document, _]) => [*name, *arn, *version, 1, *document, replacement],
                None => [
                    self.string(name),
                    self.string(&format!("arn:aws:iam::aws:policy/{path}")),
                    self.string(""),
                    1,
                    0,
                    replacement,
                ],
            };
            rows.insert(name.to_lowercase(), cells);
        }
        for cells in rows.into_values() {
            self.row::<ManagedPolicy, 6>(cells);
        }
        Ok(())
    }

    /// The cell of a document: its row plus one, 0 for none.
    fn document(&mut self, json: &str) -> u32 {
        if json.is_empty() {
            return 0;
        }
        let row = self.documents.iter().position(|d| d == json).unwrap_or_else(|| {
            self.documents.push(json.to_owned());
            self.documents.len() - 1
        });
        row as u32 + 1
    }

    /// Adds the rows of the documents and gives their compressed blocks. A block is what one look-up unpacks.
    fn pack_documents(&mut self) -> Vec<u8> {
        const LEAST_BYTES: usize = 64 * 1024;
        let documents = std::mem::take(&mut self.documents);
        let (mut packed, mut text) = (Vec::new(), String::new());
        for (number, document) in documents.iter().enumerate() {
            let block = self.rows::<DocumentBlock>();
            self.row::<Document, 3>([block, text.len() as u32, document.len() as u32]);
            text.push_str(document);
            if text.len() >= LEAST_BYTES || number + 1 == documents.len() {
                let bytes = lz4_flex::block::compress(text.as_bytes());
                self.row::<DocumentBlock, 3>([packed.len() as u32, bytes.len() as u32, text.len() as u32]);
                packed.extend(bytes);
                text.clear();
            }
        }
        packed
    }

    fn sam_templates(&mut self, from: &Path) -> io::Result<()> {
        let text = fs::read_to_string(from.join("sam-templates.txt"))?;
        let sorted: BTreeMap<&str, &str> = lines(&text).map(|l| (l.at(0), l.at(1))).collect();
        for (name, json) in sorted {
            let cells = [self.string(name), self.string(json)];
            self.row::<SamTemplate, 2>(cells);
        }
        Ok(())
    }

    /// Names that are no actions: those that the SDK's operations gave, and the hand-kept ones over them.
    fn api_names(&mut self, from: &Path, mut meant: BTreeMap<String, BTreeSet<u32>>) -> io::Result<()> {
        let hand = fs::read_to_string(from.join("hand/api-names.txt"))?;
        for line in lines(&hand) {
            let actions = items(line.at(1)).map(|a| self.action(a)).collect();
            meant.insert(line.at(0).to_lowercase(), actions);
        }
        for (name, actions) in meant {
            let actions: Vec<u32> = actions.into_iter().collect();
            let cells = [self.string(&name), self.list(&actions)];
            self.row::<ApiName, 2>(cells);
        }
        Ok(())
    }

    fn action(&self, name: &str) -> u32 {
        *self
            .actions
            .get(&name.to_lowercase())
            .unwrap_or_else(|| panic!("rules/facts names `{name}`, which is no action"))
    }

    /// The hand-kept tables: every other file of `hand/` with a line a fact, whose name is the kind.
    fn facts(&mut self, from: &Path) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(from.join("hand"))? {
            let path = entry?.path();
            let kind = path.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_owned();
            if !NOT_PACKED.contains(&&*kind) {
                files.push((kind, fs::read_to_string(&path)?));
            }
        }
        files.push(("sources".to_owned(), fs::read_to_string(from.join("sources.txt"))?));
        files.sort();
        for (kind, text) in &files {
            self.check_lines(kind, text);
            let kind = self.string(kind);
            let mut rows: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for l in lines(text) {
                let other = rows.insert(l.at(0).to_lowercase(), l.fields().collect());
                assert!(other.is_none(), "two lines about `{}`", l.at(0));
            }
            for (key, fields) in rows {
                let cells = [kind, self.string(&key), self.string_list(fields.into_iter())];
                self.row::<Fact, 3>(cells);
            }
        }
        Ok(())
    }

    /// Stops the build at a line that the readers of the table could not read.
    fn check_lines(&self, kind: &str, text: &str) {
        let check = |fields: &[&str]| match kind {
            "python-functions" => match fields[1..].iter().find(|words| LibraryEffect::parse(words).is_none()) {
                Some(words) => Err(format!("`{words}` is not an effect")),
                None if fields.len() < 2 => Err("a line has a name and an effect".to_owned()),
                None => Ok(()),
            },
            "library-calls" => {
                let call = LibraryCall::parse(fields)?;
                let unknown = |a: &&&str| !self.actions.contains_key(&a.to_lowercase());
                match call.actions.iter().chain(&call.writes).find(unknown) {
                    Some(action) => Err(format!("`{action}` is not an action")),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        };
        for (number, line) in (1..).zip(text.lines()) {
            for line in lines(line) {
                let fields: Vec<&str> = line.fields().collect();
                if let Err(why) = check(&fields) {
                    panic!("rules/facts/hand/{kind}.txt:{number}: {why}");
                }
            }
        }
    }

    /// Places for look-ups by name, twice as many as actions at least.
    fn index_actions(&mut self) {
        let mut places = vec![0; (self.actions.len() * 2).next_power_of_two()];
        let mask = places.len() - 1;
        for (name, row) in &self.actions {
            let mut at = name_hash(name) & mask;
            while places[at] != 0 {
                at = (at + 1) & mask;
            }
            places[at] = row + 1;
        }
        self.sections[WordRange::ActionIndex as usize] = places;
    }

    /// Orders the actions from the most severe.
    fn rank_actions(&mut self, from: &Path) -> io::Result<()> {
        let hand = fs::read_to_string(from.join("hand/notable-actions.txt"))?;
        let notable: BTreeMap<u32, u32> = lines(&hand)
            .map(|l| (self.action(l.at(0)), l.at(1).parse().expect("a rank is a number")))
            .collect();
        let cells = &self.sections[WordRange::Actions as usize];
        let gravity = |row: u32| {
            let cell = |column: Action| cells[row as usize * Action::WIDTH + column.column()];
            let (id, flags) = (cell(Action::Name) as usize, cell(Action::Flags));
            let name = &self.strings[self.starts[id] as usize..self.starts[id + 1] as usize];
            // Lists, reads, tags, writes, manages permissions.
            let level = match flags & 7 {
                _ if flags & CALLED_PERMISSIONS != 0 => 4,
                2 => 3,
                3 => 2,
                level => level,
            };
            let short = name.split_once(':').map_or("", |(_, short)| short);
            let destroys = ["Delete", "Terminate", "Put", "Update", "Create"]
                .iter()
                .position(|verb| short.starts_with(verb));
            (Reverse(level), destroys.unwrap_or(usize::MAX))
        };
        let mut order: Vec<u32> = self.actions.values().copied().collect();
        order.sort_by_key(|row| (notable.get(row).copied().unwrap_or(u32::MAX), gravity(*row), *row));
        let mut ranks = vec![0; order.len()];
        for (rank, row) in (0..).zip(order) {
            ranks[row as usize] = rank;
        }
        self.sections[WordRange::Gravity as usize] = ranks;
        Ok(())
    }

    fn finish(mut self) -> (Vec<u8>, String) {
        self.sections[WordRange::StringStarts as usize] = std::mem::take(&mut self.starts);
        let mut at = WordRange::COUNT * 2;
        let mut words = Vec::new();
        for section in &self.sections {
            words.extend([at as u32, section.len() as u32]);
            at += section.len();
        }
        words.extend(self.sections.iter().flatten());
        let bytes = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        (bytes, self.strings)
    }
}

fn find(rows: &BTreeMap<&str, u32>, name: &str, prefix: &str) -> u32 {
    *rows
        .get(name)
        .unwrap_or_else(|| panic!("rules/facts/services: {prefix} uses `{name}` but does not define it"))
}

fn level(name: &str) -> u32 {
    match name {
        "List" => 0,
        "Read" => 1,
        "Write" => 2,
        "Tagging" => 3,
        "Permissions management" => 4,
        _ => panic!("no access level `{name}`"),
    }
}
