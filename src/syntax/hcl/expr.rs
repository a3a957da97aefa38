//! Expressions. No function here fails: what is not understood is a node of kind `Unknown` and a problem.

use crate::source::{Problem, ProblemKind, Text};
use crate::syntax::placeholder;

use super::super::tree::{NodeId, NodeKind, NodeStyle};
use super::MAX_DEPTH;
use super::scan::{HclParser, continues_identifier, starts_identifier};

/// How many `!` or `-` may stand in a row.
const MAX_PREFIXES: usize = 16;
/// How many operators, or steps into a value, may follow each other.
const MAX_CHAIN: usize = 300;

impl HclParser<'_> {
    pub(super) fn expr(&mut self) -> NodeId {
        self.blank();
        if self.depth >= MAX_DEPTH {
            return self.too_deep();
        }
        self.depth += 1;
        let node = self.conditional();
        self.depth -= 1;
        node
    }

    fn too_deep(&mut self) -> NodeId {
        let start = self.pos;
        self.problem(start, start + 1, "expressions are nested too deeply");
        self.recover_item();
        self.unknown(start)
    }

    pub(super) fn unknown(&mut self, start: usize) -> NodeId {
        let end = self.trimmed(self.pos).max(start);
        self.node(NodeKind::Unknown, start, end, &[])
    }

    fn start(&self, node: NodeId) -> usize {
        self.tree.node(node).start as usize
    }

    fn end_of(&self, node: NodeId) -> usize {
        self.tree.node(node).end as usize
    }

    fn conditional(&mut self) -> NodeId {
        let condition = self.binary(1);
        let before = self.pos;
        self.blank();
        if self.peek() != Some(b'?') {
            self.pos = before;
            return condition;
        }
        self.pos += 1;
        let yes = self.expr();
        self.blank();
        if !self.eat(":") {
            self.expected("`:`");
            return self.node(
                NodeKind::Unknown,
                self.start(condition),
                self.end_of(yes),
                &[condition, yes],
            );
        }
        let no = self.expr();
        let (start, end) = (self.start(condition), self.end_of(no));
        self.node(NodeKind::Cond, start, end, &[condition, yes, no])
    }

    /// Operators from the precedence `min` up, 1 being the loosest (Terraform documentation, "Arithmetic and Logical
    /// Operators").
    pub(super) fn binary(&mut self, min: u8) -> NodeId {
        let mut left = self.unary();
        for _ in 0..MAX_CHAIN {
            let before = self.pos;
            self.blank();
            let Some((operator, precedence)) = self.operator().filter(|(_, p)| *p >= min) else {
                self.pos = before;
                return left;
            };
            self.pos += operator.len();
            self.blank();
            let right = self.binary(precedence + 1);
            let (start, end) = (self.start(left), self.end_of(right));
            left = self.named_node(NodeKind::Binary, operator, start, end, &[left, right]);
        }
        self.too_deep()
    }

    fn operator(&self) -> Option<(&'static str, u8)> {
        let next = self.peek_at(1);
        Some(match self.peek()? {
            b'|' if next == Some(b'|') => ("||", 1),
            b'&' if next == Some(b'&') => ("&&", 2),
            b'=' if next == Some(b'=') => ("==", 3),
            b'!' if next == Some(b'=') => ("!=", 3),
            b'>' if next == Some(b'=') => (">=", 4),
            b'<' if next == Some(b'=') => ("<=", 4),
            b'<' if next == Some(b'<') => return None,
            b'>' => (">", 4),
            b'<' => ("<", 4),
            b'+' => ("+", 5),
            b'-' => ("-", 5),
            b'*' => ("*", 6),
            b'/' => ("/", 6),
            b'%' if next != Some(b'{') => ("%", 6),
            _ => return None,
        })
    }

    fn unary(&mut self) -> NodeId {
        let mut prefixes: Vec<(usize, &'static str)> = Vec::new();
        loop {
            match self.peek() {
                Some(b'!') => prefixes.push((self.pos, "!")),
                Some(b'-') => prefixes.push((self.pos, "-")),
                _ => break,
            }
            if prefixes.len() > MAX_PREFIXES {
                return self.too_deep();
            }
            self.pos += 1;
            self.blank();
        }
        let mut node = self.postfix();
        for (start, operator) in prefixes.into_iter().rev() {
            let end = self.end_of(node);
            node = self.named_node(NodeKind::Unary, operator, start, end, &[node]);
        }
        node
    }

    /// A value and what is read out of it: `.name`, `[index]`, `.0`, `[*]`, `.*`.
    fn postfix(&mut self) -> NodeId {
        let mut node = self.primary();
        // Splats that are open: the source of each. What follows is applied to an `Ident` named `*`.
        let mut splats: Vec<(NodeId, bool)> = Vec::new();
        for _ in 0..MAX_CHAIN {
            let before = self.pos;
            self.blank();
            let crossed = self.bytes[before..self.pos].contains(&b'\n');
            let start = self.start(node);
            match self.peek() {
                Some(b'.') if self.peek_at(1) != Some(b'.') => {
                    self.pos += 1;
                    self.blank();
                    if let Some((name, _)) = self.identifier() {
                        node = self.named_node(NodeKind::Attr, name, start, self.pos, &[node]);
                    } else if self.peek() == Some(b'*') {
                        self.pos += 1;
                        splats.push((node, false));
                        node = self.named_node(NodeKind::Ident, "*", self.pos - 1, self.pos, &[]);
                    } else if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                        let index = self.digits();
                        node = self.node(NodeKind::Index, start, self.pos, &[node, index]);
                    } else {
                        self.expected("an attribute's name");
                        node = self.node(NodeKind::Unknown, start, self.pos, &[node]);
                    }
                }
                Some(b'[') if !crossed => {
                    if self.splat_bracket() {
                        splats.push((node, true));
                        node = self.named_node(NodeKind::Ident, "*", self.pos - 1, self.pos, &[]);
                        continue;
                    }
                    // An index after `.*` applies to the whole result, after `[*]` to each element.
                    if let Some((_, false)) = splats.last() {
                        node = self.close_splats(node, &mut splats);
                    }
                    let start = self.start(node);
                    self.pos += 1;
                    self.open[1] += 1;
                    let breaks = std::mem::replace(&mut self.breaks, true);
                    let index = self.expr();
                    self.blank();
                    self.breaks = breaks;
                    self.open[1] -= 1;
                    if !self.eat("]") {
                        self.expected("`]`");
                        self.recover_item();
                        self.eat("]");
                    }
                    node = self.node(NodeKind::Index, start, self.pos, &[node, index]);
                }
                _ => {
                    self.pos = before;
                    return self.close_splats(node, &mut splats);
                }
            }
        }
        self.too_deep()
    }

    fn close_splats(&mut self, mut node: NodeId, splats: &mut Vec<(NodeId, bool)>) -> NodeId {
        while let Some((source, _)) = splats.pop() {
            let (start, end) = (self.start(source), self.end_of(node));
            node = self.node(NodeKind::Splat, start, end, &[source, node]);
        }
        node
    }

    /// Takes `[*]` where it stands here.
    fn splat_bracket(&mut self) -> bool {
        let rest = &self.bytes[self.pos + 1..self.end];
        let inner = rest.iter().position(|b| !matches!(b, b' ' | b'\t'));
        let Some(star) = inner.filter(|i| rest[*i] == b'*') else {
            return false;
        };
        let Some(close) = rest[star + 1..].iter().position(|b| !matches!(b, b' ' | b'\t')) else {
            return false;
        };
        if rest[star + 1 + close] != b']' {
            return false;
        }
        self.pos += star + close + 3;
        true
    }

    /// The digits of a legacy index (`list.0.name`).
    fn digits(&mut self) -> NodeId {
        let start = self.pos;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
        self.literal(NodeKind::Num, start)
    }

    /// A scalar whose text is what is written from `start` to here.
    fn literal(&mut self, kind: NodeKind, start: usize) -> NodeId {
        let node = self.node(kind, start, self.pos, &[]);
        let text = Text::verbatim(&self.src[start..self.pos], self.file, start);
        self.tree.set_text(node, text);
        node
    }

    fn primary(&mut self) -> NodeId {
        let start = self.pos;
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'<') if self.looking_at("<<") => match self.heredoc() {
                Some(node) => node,
                None => {
                    self.problem(start, start + 2, "heredoc without an end");
                    self.skip_lost_heredoc();
                    self.unknown(start)
                }
            },
            Some(b'0'..=b'9') => self.number(),
            Some(b'(') => self.parenthesis(),
            Some(b'[') => self.list(),
            Some(b'{') if !self.looking_at("{{") => self.object(),
            Some(b) if starts_identifier(b) => self.identifier_or_call(),
            _ => match self.placeholder() {
                Some(node) => node,
                None if self.peek() == Some(b'{') => self.object(),
                None => {
                    self.expected("a value");
                    self.node(NodeKind::Unknown, start, start, &[])
                }
            },
        }
    }

    /// What another tool replaces before Terraform reads the file: `{{ arn }}`, `<ARN>`.
    fn placeholder(&mut self) -> Option<NodeId> {
        let start = self.pos;
        let rest = &self.src[start..self.line_end(start)];
        let (length, _) = placeholder::expression(rest, |_| true).or_else(|| placeholder::bare(rest))?;
        self.pos += length;
        let message = "template expression is not evaluated";
        let problem = Problem::new(ProblemKind::NotEvaluated, self.span(start, self.pos), message);
        self.tree.problems.push(problem);
        Some(self.node(NodeKind::Unknown, start, self.pos, &[]))
    }

    fn number(&mut self) -> NodeId {
        let start = self.pos;
        self.eat_digits();
        if self.peek() == Some(b'.') && self.peek_at(1).is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
            self.eat_digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek_at(1), Some(b'+' | b'-')));
            if self.peek_at(1 + sign).is_some_and(|b| b.is_ascii_digit()) {
                self.pos += 1 + sign;
                self.eat_digits();
            }
        }
        self.literal(NodeKind::Num, start)
    }

    fn eat_digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
    }

    fn identifier_or_call(&mut self) -> NodeId {
        let start = self.pos;
        self.identifier();
        // Functions of a provider: `provider::aws::arn_parse(…)`.
        while self.looking_at("::") && self.peek_at(2).is_some_and(starts_identifier) {
            self.pos += 2;
            self.identifier();
        }
        let name_end = self.pos;
        self.skip(false);
        if self.peek() == Some(b'(') {
            return self.call(start, name_end);
        }
        self.pos = name_end;
        let kind = match &self.src[start..name_end] {
            "true" | "false" => NodeKind::Bool,
            "null" => NodeKind::Null,
            name => {
                let node = self.tree.push(NodeKind::Ident, NodeStyle::Plain, start, name_end);
                self.tree.set_name(node, name);
                return node;
            }
        };
        self.literal(kind, start)
    }

    fn call(&mut self, start: usize, name_end: usize) -> NodeId {
        let open = self.pos;
        self.pos += 1;
        let arguments = self.items_until(b')', open, |p| {
            let argument = p.expr();
            let before = p.pos;
            p.blank();
            if !p.eat("...") {
                p.pos = before;
                return argument;
            }
            let from = p.start(argument);
            p.named_node(NodeKind::Unary, "...", from, p.pos, &[argument])
        });
        let end = self.pos;
        let node = self.node(NodeKind::Call, start, end, &arguments);
        let name = &self.src[start..name_end];
        self.tree.set_name(node, name);
        node
    }

    fn parenthesis(&mut self) -> NodeId {
        let start = self.pos;
        self.pos += 1;
        self.open[0] += 1;
        let breaks = std::mem::replace(&mut self.breaks, true);
        let inner = self.expr();
        self.blank();
        self.breaks = breaks;
        self.open[0] -= 1;
        if !self.eat(")") {
            self.expected("`)`");
            self.recover_item();
            self.eat(")");
        }
        self.node(NodeKind::Paren, start, self.pos, &[inner])
    }

    fn list(&mut self) -> NodeId {
        let start = self.pos;
        self.pos += 1;
        if let Some(node) = self.for_expression(start, b']') {
            return node;
        }
        let items = self.items_until(b']', start, Self::expr);
        self.node(NodeKind::Seq, start, self.pos, &items)
    }

    /// Items between commas up to `close`, which is taken; line breaks are blanks.
    fn items_until(&mut self, close: u8, open_at: usize, item: impl Fn(&mut Self) -> NodeId) -> Vec<NodeId> {
        let bracket = usize::from(close == b']');
        self.open[bracket] += 1;
        let breaks = std::mem::replace(&mut self.breaks, true);
        let misread = self.misread;
        let mut items = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                Some(b) if b == close => {
                    self.pos += 1;
                    break;
                }
                Some(b',') => {
                    self.expected("a value");
                    self.pos += 1;
                    continue;
                }
                Some(b) if !self.ends_here(b) => {}
                _ => {
                    self.unclosed(open_at);
                    break;
                }
            }
            let before = self.pos;
            items.push(item(self));
            let item_end = self.pos;
            self.blank();
            if self.at_attribute(item_end) {
                self.unclosed(open_at);
                self.pos = item_end;
                break;
            }
            match self.peek() {
                Some(b',') => self.pos += 1,
                Some(b) if b == close => {}
                None => {}
                Some(b) => {
                    if self.ends_here(b) {
                        continue;
                    }
                    let misread = self.misread;
                    self.expected(if close == b']' { "`,` or `]`" } else { "`,` or `)`" });
                    // A missing comma between two lines loses nothing.
                    let line_broken = self.bytes[before..self.pos].contains(&b'\n') && self.pos > before;
                    let starts_value = matches!(b, b'"' | b'[' | b'{' | b'(') || starts_identifier(b);
                    if line_broken && starts_value {
                        self.misread = misread;
                    } else {
                        self.recover_item();
                        if self.pos == before {
                            self.pos += 1;
                            while !self.src.is_char_boundary(self.pos) {
                                self.pos += 1;
                            }
                        }
                        self.eat(",");
                    }
                }
            }
        }
        self.breaks = breaks;
        self.open[bracket] -= 1;
        // A list may have held more; a call has the arguments that it has.
        if self.misread > misread && close == b']' {
            let at = self.trimmed(self.pos);
            items.push(self.tree.push_lost(at, self.span(at, at)));
        }
        items
    }

    /// Whether the list, call or object being read ends at `b` without its bracket: a bracket that an outer one waits
    /// for, or (see [`super::parse`]) a keyword of the top level.
    fn ends_here(&self, b: u8) -> bool {
        match b {
            b')' => self.open[0] > 0,
            b']' => self.open[1] > 0,
            // A block's brace is always open around an expression.
            b'}' => true,
            _ => self.columns && self.at_top_level(),
        }
    }

    /// On a new line after `from`, and at `name = …`: no item of a list or call looks like that.
    fn at_attribute(&self, from: usize) -> bool {
        if !self.at_identifier() || !self.bytes[from..self.pos].contains(&b'\n') {
            return false;
        }
        let rest = &self.bytes[self.pos..self.end];
        let name = rest
            .iter()
            .position(|b| !continues_identifier(*b))
            .unwrap_or(rest.len());
        let mut after = rest[name..].iter().skip_while(|b| **b == b' ');
        after.next() == Some(&b'=') && !matches!(after.next(), Some(b'=' | b'>'))
    }

    fn unclosed(&mut self, open_at: usize) {
        if self.peek().is_none() {
            self.unclosed |= !self.columns;
        }
        let bracket = char::from(self.bytes[open_at]);
        self.problem(open_at, open_at + 1, format!("unclosed `{bracket}`"));
    }

    fn object(&mut self) -> NodeId {
        let start = self.pos;
        self.pos += 1;
        if let Some(node) = self.for_expression(start, b'}') {
            return node;
        }
        self.open[2] += 1;
        let breaks = std::mem::replace(&mut self.breaks, false);
        let misread = self.misread;
        let mut entries = Vec::new();
        loop {
            self.skip(true);
            match self.peek() {
                Some(b'}') => {
                    self.pos += 1;
                    break;
                }
                Some(b',') => {
                    self.pos += 1;
                    continue;
                }
                Some(b @ (b')' | b']')) => {
                    if self.ends_here(b) {
                        self.unclosed(start);
                        break;
                    }
                    self.expected("a key");
                    self.pos += 1;
                    continue;
                }
                Some(b) if !self.ends_here(b) => {}
                _ => {
                    self.unclosed(start);
                    break;
                }
            }
            self.entry(&mut entries);
        }
        self.breaks = breaks;
        self.open[2] -= 1;
        let end = self.trimmed(self.pos);
        if self.misread > misread {
            let span = self.span(end, end);
            entries.extend([self.tree.push_lost(end, span), self.tree.push_lost(end, span)]);
        }
        self.node(NodeKind::Map, start, end, &entries)
    }

    fn entry(&mut self, entries: &mut Vec<NodeId>) {
        let before = self.pos;
        let key = self.key();
        self.skip(false);
        let assigned = self.peek() == Some(b':') || (self.peek() == Some(b'=') && self.peek_at(1) != Some(b'='));
        if assigned || self.peek() == Some(b'{') {
            if assigned {
                self.pos += 1;
            } else {
                // A block where an object's key stands: refused, and what it means is clear.
                self.expected("`=`");
            }
            let value = self.expr();
            entries.extend([key, value]);
            self.skip(false);
            match self.peek() {
                None | Some(b'\n' | b'}' | b',') => return,
                Some(b) if matches!(b, b')' | b']') && self.ends_here(b) => return,
                Some(_) => self.expected("a line break, `,` or `}`"),
            }
        } else {
            self.expected("`=`");
        }
        self.recover_item();
        if self.pos == before {
            self.pos += 1;
            while !self.src.is_char_boundary(self.pos) {
                self.pos += 1;
            }
        }
    }

    /// An object's key: a bare identifier is its own name.
    fn key(&mut self) -> NodeId {
        let start = self.pos;
        if let Some((name, _)) = self.identifier() {
            let end = self.pos;
            self.skip(false);
            if matches!(self.peek(), Some(b':' | b'=')) && self.peek_at(1) != Some(b'=') {
                self.pos = end;
                let node = self.tree.push(NodeKind::Str, NodeStyle::Plain, start, end);
                let text = Text::verbatim(name, self.file, start);
                self.tree.set_text(node, text);
                return node;
            }
            self.pos = start;
        }
        if self.depth >= MAX_DEPTH {
            return self.too_deep();
        }
        self.depth += 1;
        let node = self.binary(1);
        self.depth -= 1;
        node
    }
}
