//! Heredocs: `<<EOT` and `<<-EOT`.

use super::super::tree::{NodeId, NodeStyle};
use super::scan::{HclParser, continues_identifier};
use super::template::Literals;

/// How often the rest of a file is searched for the end of a heredoc that has none.
const MAX_LOST: u32 = 8;

impl HclParser<'_> {
    /// A heredoc at `<<`; `None`, and nothing taken, where it has no end.
    pub(super) fn heredoc(&mut self) -> Option<NodeId> {
        let start = self.pos;
        let mut at = start + 2;
        let flush = self.bytes.get(at) == Some(&b'-');
        at += usize::from(flush);
        let name_start = at;
        while at < self.end && continues_identifier(self.bytes[at]) {
            at += 1;
        }
        let name = self.src.get(name_start..at).filter(|n| !n.is_empty())?;
        let first_line = self.line_end(at);
        if !self.src[at..first_line].trim().is_empty() || self.lost_heredocs >= MAX_LOST {
            return None;
        }
        let body = (first_line + 1).min(self.end);
        let Some((body_end, end, indent)) = self.find_end(body, name, flush) else {
            self.lost_heredocs += 1;
            return None;
        };
        let outer_end = std::mem::replace(&mut self.end, body_end);
        let breaks = std::mem::replace(&mut self.breaks, false);
        let open = std::mem::take(&mut self.open);
        self.pos = body;
        if indent > 0 {
            self.skip_indent(indent);
        }
        let literals = Literals { quoted: false, indent };
        let nodes = self.template(literals);
        self.open = open;
        self.breaks = breaks;
        self.end = outer_end;
        self.pos = end;
        Some(self.template_node(NodeStyle::Heredoc, start, end, nodes))
    }

    /// Where the body ends, where the closing name ends, and how many blanks `<<-` leaves out of every line.
    fn find_end(&self, body: usize, name: &str, flush: bool) -> Option<(usize, usize, usize)> {
        let mut line_start = body;
        let mut indent = usize::MAX;
        while line_start < self.end {
            let line_end = self.line_end(line_start);
            let line = &self.src[line_start..line_end];
            let trimmed = line.trim();
            if trimmed == name {
                let end = line_start + line.trim_end().len();
                let indent = if flush && indent != usize::MAX { indent } else { 0 };
                return Some((line_start, end, indent));
            }
            if flush && !trimmed.is_empty() {
                let blanks = line.chars().take_while(|c| c.is_whitespace()).count();
                indent = indent.min(blanks);
            }
            line_start = line_end + 1;
        }
        None
    }

    /// A heredoc without an end: to the line that closes the block, a `}` in the first column, or to the end.
    pub(super) fn skip_lost_heredoc(&mut self) {
        self.pos = self.line_end(self.pos);
        if self.lost_heredocs >= MAX_LOST {
            return;
        }
        let rest = &self.src[self.pos..self.end];
        self.pos += rest.find("\n}").unwrap_or(rest.len());
    }
}
