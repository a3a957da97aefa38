//! `for` expressions, and what they share with `%{ for }`.

use super::super::tree::{NodeId, NodeKind};
use super::scan::HclParser;

impl HclParser<'_> {
    /// `for x in y : z` after an opening bracket; `None`, and nothing taken, where there is not one.
    pub(super) fn for_expression(&mut self, start: usize, close: u8) -> Option<NodeId> {
        let before = self.pos;
        let breaks = std::mem::replace(&mut self.breaks, true);
        self.blank();
        let is_for = self.looking_at("for") && {
            self.pos += 3;
            let blank = matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'#'));
            self.blank();
            blank && self.at_identifier()
        };
        if !is_for {
            self.pos = before;
            self.breaks = breaks;
            return None;
        }
        let bracket = if close == b']' { 1 } else { 2 };
        self.open[bracket] += 1;
        let mut name = String::new();
        let mut children = self.for_intro(&mut name);
        self.blank();
        if self.eat(":") {
            let first = self.expr();
            children.push(first);
            self.blank();
            if self.eat("=>") {
                name.push('o');
                let result = self.expr();
                children.push(result);
                self.blank();
            }
            if self.eat("...") {
                name.push('g');
                self.blank();
            }
            if self.looking_at("if") {
                self.pos += 2;
                let condition = self.expr();
                children.push(condition);
                self.blank();
            }
        } else {
            self.expected("`:`");
            children.clear();
        }
        self.breaks = breaks;
        self.open[bracket] -= 1;
        if self.peek() == Some(close) {
            self.pos += 1;
        } else {
            let wanted = format!("`{}`", char::from(close));
            self.expected(&wanted);
            self.breaks = true;
            while self.peek().is_some_and(|b| b == b',' || b == b'\n') || self.peek() == Some(b' ') {
                self.pos += 1;
            }
            self.recover_item();
            self.breaks = breaks;
            if self.peek() == Some(close) {
                self.pos += 1;
            }
        }
        let end = self.trimmed(self.pos).max(start + 1);
        let kind = if children.is_empty() {
            NodeKind::Unknown
        } else {
            NodeKind::For
        };
        let node = self.node(kind, start, end, &children);
        if kind == NodeKind::For {
            // An object without `=>` would be read as a list: nothing is known of it.
            if close == b'}' && !name.contains('o') {
                self.tree.set_kind(node, NodeKind::Unknown);
            }
            self.tree.set_name(node, &name);
        }
        Some(node)
    }

    /// `k, v in collection`, with `k` noted in `name` where there are two variables.
    pub(super) fn for_intro(&mut self, name: &mut String) -> Vec<NodeId> {
        let mut children = Vec::new();
        loop {
            self.blank();
            let start = self.pos;
            let variable = self.identifier().map_or("", |(n, _)| n);
            if variable.is_empty() {
                self.expected("a variable");
            }
            let node = self.named_node(NodeKind::Ident, variable, start, self.pos, &[]);
            children.push(node);
            self.blank();
            if children.len() == 2 || !self.eat(",") {
                break;
            }
        }
        if children.len() == 2 {
            name.push('k');
        }
        if self.looking_at("in") {
            self.pos += 2;
        } else {
            self.expected("`in`");
        }
        let collection = self.expr();
        children.push(collection);
        children
    }
}
