//! Packs boto3's clients, operations and resource types. Runs in the build script only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use super::layout::{
    ASSUMED, Client, Member, MemberKind, NeededWhen, Operation, PAGES, PASS_GUESSED, PASSES_ROLE, SdkType, Waiter,
};
use super::pack::Packer;
use super::text::{CatalogueLine, lines};

impl Packer {
    /// Gives the names of operations that look like actions and are none, with the actions that are meant.
    pub(super) fn sdk(&mut self, from: &Path) -> io::Result<BTreeMap<String, BTreeSet<u32>>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(from.join("sdk"))? {
            let path = entry?.path();
            let client = path.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_owned();
            files.insert(client, fs::read_to_string(&path)?);
        }
        let mut slips = BTreeMap::new();
        for (client, text) in &files {
            let lines: Vec<CatalogueLine> = lines(text).collect();
            self.client(client, &lines, &mut slips);
        }
        Ok(slips)
    }

    fn client(&mut self, name: &str, lines: &[CatalogueLine<'_>], slips: &mut BTreeMap<String, BTreeSet<u32>>) {
        let head = lines
            .iter()
            .find(|l| l.at(0) == "client")
            .unwrap_or_else(|| panic!("rules/facts/sdk/{name}.txt begins with its client"));
        let prefix = head.value("prefix").unwrap_or("");
        let calls = head.value("calls");

        let mut sorted: Vec<&CatalogueLine> = lines.iter().filter(|l| l.at(0) == "operation").collect();
        sorted.sort_by_key(|l| l.at(1).to_lowercase());
        let first_operation = self.rows::<Operation>();
        let mut rows = BTreeMap::new();
        for line in &sorted {
            rows.insert(line.at(1), self.operation(prefix, calls, line, slips));
        }
        let row_of = |operation: &str| {
            *rows
                .get(operation)
                .unwrap_or_else(|| panic!("rules/facts/sdk: {name} has no operation `{operation}`"))
        };

        let waiters: BTreeMap<&str, u32> = lines_of_kind(lines, "waiter")
            .map(|l| (l.at(1), row_of(l.at(2))))
            .collect();
        let first_waiter = self.rows::<Waiter>();
        for (waiter, operation) in &waiters {
            let cells = [self.string(waiter), *operation];
            self.row::<Waiter, 2>(cells);
        }

        let types: BTreeMap<&str, &CatalogueLine> = lines_of_kind(lines, "type").map(|l| (l.at(1), l)).collect();
        let first_type = self.rows::<SdkType>();
        let type_rows: BTreeMap<&str, u32> = types.keys().copied().zip(first_type..).collect();
        for (type_name, line) in &types {
            let members: BTreeMap<(&str, u32), &CatalogueLine> = lines
                .iter()
                .filter(|l| l.at(1) == *type_name)
                .filter_map(|l| Some(((l.at(2), kind(l.at(0))? as u32), l)))
                .collect();
            let first_member = self.rows::<Member>();
            for ((member, kind), line) in &members {
                let rows = |field| line.list(field).map(row_of).collect::<Vec<_>>();
                let gives = line.value("gives").map_or(0, |t| {
                    1 + type_rows
                        .get(t)
                        .unwrap_or_else(|| panic!("rules/facts/sdk: {name} has no type `{t}`"))
                });
                let cells = [
                    self.string(member),
                    *kind,
                    self.list(&rows("calls")),
                    self.list(&rows("large")),
                    self.string_list(line.list("needs")),
                    gives,
                ];
                self.row::<Member, 6>(cells);
            }
            let cells = [
                self.string(type_name),
                self.string_list(line.list("ids")),
                line.value("load").map_or(0, |operation| row_of(operation) + 1),
                first_member,
                members.len() as u32,
            ];
            self.row::<SdkType, 5>(cells);
        }

        let cells = [
            self.string(name),
            self.string(prefix),
            first_operation,
            sorted.len() as u32,
            first_waiter,
            waiters.len() as u32,
            first_type,
            types.len() as u32,
        ];
        self.row::<Client, 8>(cells);
    }

    fn operation(
        &mut self,
        prefix: &str,
        calls: Option<&str>,
        line: &CatalogueLine<'_>,
        slips: &mut BTreeMap<String, BTreeSet<u32>>,
    ) -> u32 {
        let own = format!("{prefix}:{}", line.at(1));
        let mut required: Vec<&str> = line.list("all").collect();
        let any: Vec<&str> = line.list("any").collect();
        let none = line.has("none");
        if required.is_empty() && any.is_empty() && !none {
            required.push(&own);
        }
        if !required.contains(&own.as_str()) && !self.actions.contains_key(&own.to_lowercase()) {
            let meant: BTreeSet<u32> = required
                .iter()
                .chain(&any)
                .filter_map(|a| self.actions.get(&a.to_lowercase()).copied())
                .collect();
            if !meant.is_empty() {
                slips.entry(own.to_lowercase()).or_default().extend(meant);
            }
        }
        if !none {
            required.extend(calls);
        }
        let also: Vec<u32> = line.list("also").map(|a| self.conditional(a)).collect();
        let flag = |on: bool, bit: u32| if on { bit } else { 0 };
        let flags = flag(line.value("pass").is_some(), PASSES_ROLE)
            | flag(line.has("guess"), PASS_GUESSED)
            | flag(line.has("assumed"), ASSUMED)
            | flag(line.has("pages"), PAGES);
        let cells = [
            self.string(line.at(1)),
            self.string(line.value("method").unwrap_or("")),
            flags,
            self.string_list(required.into_iter()),
            self.string_list(any.into_iter()),
            self.list(&also),
            self.string_list(line.list("pass")),
            self.string_list(line.list("roles")),
        ];
        self.row::<Operation, 8>(cells)
    }

    /// `a:B` needed for reasons that no call shows, `a:B(P|Q)` with one of these parameters, `a:B!` never,
    /// `a:B@shape` for buckets whose name has this shape.
    fn conditional(&mut self, text: &str) -> u32 {
        let (action, when, texts) = if let Some(action) = text.strip_suffix('!') {
            (action, NeededWhen::Never, "")
        } else if let Some((action, shape)) = text.split_once('@') {
            (action, NeededWhen::Bucket, shape)
        } else if let Some((action, params)) = text.split_once('(') {
            (action, NeededWhen::Params, params.trim_end_matches(')'))
        } else {
            (text, NeededWhen::Unknown, "")
        };
        let mut list = vec![self.string(action), when as u32];
        for text in texts.split('|').filter(|t| !t.is_empty()) {
            list.push(self.string(text));
        }
        self.list(&list)
    }
}

fn lines_of_kind<'a, 'b>(lines: &'b [CatalogueLine<'a>], kind: &'b str) -> impl Iterator<Item = &'b CatalogueLine<'a>> {
    lines.iter().filter(move |l| l.at(0) == kind)
}

fn kind(word: &str) -> Option<MemberKind> {
    match word {
        "method" => Some(MemberKind::Method),
        "collection" => Some(MemberKind::Collection),
        "sub" => Some(MemberKind::Sub),
        "batch" => Some(MemberKind::Batch),
        "reference" => Some(MemberKind::Reference),
        _ => None,
    }
}
