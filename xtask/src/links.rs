//! Links and headings of Markdown, as far as our documents use them.

/// `text` with every line outside code blocks replaced.
pub fn outside_fences(text: &str, mut change: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let marks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) => {
                if line.trim_end() == open {
                    fence = None;
                }
                out.push_str(line);
            }
            None if marks >= 3 => {
                fence = line.get(..marks);
                out.push_str(line);
            }
            None => out.push_str(&change(line)),
        }
        out.push('\n');
    }
    out
}

/// Byte ranges of the targets of the links `[…](target)` in a line; those in code are no links.
fn targets(line: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("](") {
        let start = at + 2;
        let in_code = line[..at].matches('`').count() % 2 == 1;
        if let Some(length) = line[start..].find(')')
            && !in_code
        {
            found.push(start..start + length);
        }
    }
    found
}

/// The targets of all links of a document, with the number of the line.
pub fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let marks = line.len() - line.trim_start_matches('`').len();
        if let Some(open) = &fence {
            if line.trim_end() == open {
                fence = None;
            }
        } else if marks >= 3 {
            fence = line.get(..marks).map(str::to_owned);
        } else {
            let in_line = targets(line).into_iter().filter_map(|r| line.get(r));
            found.extend(in_line.map(|t| (number, t.to_owned())));
        }
    }
    found
}

/// `text` with the targets of links replaced for which `change` gives another.
pub fn rewritten(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    outside_fences(text, |line| {
        let mut line = line.to_owned();
        for range in targets(&line).into_iter().rev() {
            if let Some(new) = line.get(range.clone()).and_then(&change) {
                line.replace_range(range, &new);
            }
        }
        line
    })
}

/// The path that `target` has, seen from `folder`.
pub fn joined(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The names that links use for the headings of a document.
pub fn headings(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    outside_fences(text, |line| {
        let level = line.len() - line.trim_start_matches('#').len();
        if (1..=6).contains(&level)
            && let Some(title) = line.get(level..).and_then(|l| l.strip_prefix(' '))
        {
            let id = heading_id(title);
            let same = found.iter().filter(|f| **f == id).count();
            found.push(if same == 0 { id } else { format!("{id}-{same}") });
        }
        line.to_owned()
    });
    found
}

/// As GitHub and mdBook make it: lower case, spaces as hyphens, no punctuation.
fn heading_id(title: &str) -> String {
    let words = title.trim().chars();
    words
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}
