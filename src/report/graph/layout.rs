//! Where nodes are drawn: in columns from starts on the left to gains on the right.

use std::collections::VecDeque;

use super::GraphPage;
use crate::paths::Gain;

/// The distance of the left edges of two nodes beside each other, and of the upper edges of two above each other.
pub(super) const ACROSS: usize = 300;
pub(super) const DOWN: usize = 56;
/// Of nodes in the same column, where it is wide.
const BESIDE: usize = 230;
pub(super) const NODE: (usize, usize) = (200, 40);
/// A column with no more nodes is not wrapped.
const MIN_ROWS: usize = 24;
/// Passes that bring nodes near to what they are linked with.
const SWEEPS: usize = 6;

/// Where each node is drawn.
#[derive(Debug)]
pub(super) struct GraphLayout {
    /// The column of each node; `None` for those that no edge leads from or to.
    pub(super) columns: Vec<Option<usize>>,
    /// The left upper corner of each node.
    pub(super) places: Vec<(usize, usize)>,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Below it are the nodes without edges.
    pub(super) apart: Option<usize>,
}

struct Neighbors {
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
}

impl GraphLayout {
    pub(super) fn new(page: &GraphPage) -> Self {
        let count = page.nodes.len();
        let mut neighbors = Neighbors {
            before: vec![Vec::new(); count],
            after: vec![Vec::new(); count],
        };
        for e in page.edges.iter().filter(|e| e.ends.0 != e.ends.1) {
            neighbors.before[e.ends.1].push(e.ends.0);
            neighbors.after[e.ends.0].push(e.ends.1);
        }
        for list in neighbors.before.iter_mut().chain(&mut neighbors.after) {
            list.sort_unstable();
            list.dedup();
        }
        let columns = columns(page, &neighbors);
        let rows = rows(page, &columns, &neighbors);
        place(columns, &rows)
    }
}

/// By the distance to a gain: a path goes one column to the right with each step.
fn columns(page: &GraphPage, neighbors: &Neighbors) -> Vec<Option<usize>> {
    let count = page.nodes.len();
    let mut distance: Vec<Option<usize>> = vec![None; count];
    let last = |gain: &'static str| {
        page.paths
            .iter()
            .filter(move |p| p.gain == gain)
            .filter_map(|p| p.ends.last())
    };
    for gain in Gain::ALL.map(Gain::name) {
        let own = (0..count).filter(|n| page.nodes[*n].gain == Some(gain));
        let mut queue: VecDeque<usize> = VecDeque::new();
        for n in own.chain(last(gain).copied()) {
            if distance[n].is_none() {
                distance[n] = Some(0);
                queue.push_back(n);
            }
        }
        while let Some(n) = queue.pop_front() {
            for from in &neighbors.before[n] {
                if distance[*from].is_none() {
                    distance[*from] = distance[n].map(|d| d + 1);
                    queue.push_back(*from);
                }
            }
        }
    }
    let linked = |n: usize| !neighbors.before[n].is_empty() || !neighbors.after[n].is_empty();
    let reaching = (0..count).filter(|n| linked(*n)).filter_map(|n| distance[n]);
    let most = reaching.max().unwrap_or(0).max(1);
    let mut columns: Vec<Option<usize>> = distance.iter().map(|d| d.map(|d| most - d.min(most))).collect();
    // What leads to no gain stands to the right of what leads there.
    let spread = |columns: &mut Vec<Option<usize>>, mut queue: VecDeque<usize>| {
        while let Some(n) = queue.pop_front() {
            for to in &neighbors.after[n] {
                if columns[*to].is_none() {
                    columns[*to] = columns[n].map(|c| (c + 1).min(most));
                    queue.push_back(*to);
                }
            }
        }
    };
    let placed = (0..count).filter(|n| columns[*n].is_some()).collect();
    spread(&mut columns, placed);
    let begins = (0..count).filter(|n| neighbors.before[*n].is_empty());
    for n in begins.chain(0..count) {
        if columns[n].is_none() && linked(n) {
            columns[n] = Some(0);
            spread(&mut columns, VecDeque::from([n]));
        }
    }
    (0..count).map(|n| columns[n].filter(|_| linked(n))).collect()
}

/// The nodes of each column from top to bottom, with few crossings.
fn rows(page: &GraphPage, columns: &[Option<usize>], neighbors: &Neighbors) -> Vec<Vec<usize>> {
    let width = columns.iter().flatten().max().map_or(0, |c| c + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); width];
    let mut order: Vec<usize> = (0..page.nodes.len()).collect();
    order.sort_by_key(|n| std::cmp::Reverse(page.nodes[*n].severity));
    for n in order {
        if let Some(c) = columns[n] {
            rows[c].push(n);
        }
    }
    // In thousandths of the height of the column.
    let mut height: Vec<usize> = vec![0; page.nodes.len()];
    let measure = |row: &[usize], height: &mut Vec<usize>| {
        for (i, n) in row.iter().enumerate() {
            height[*n] = (2 * i + 1) * 500_000 / row.len();
        }
    };
    rows.iter().for_each(|row| measure(row, &mut height));
    for sweep in 0..SWEEPS {
        let to_right = sweep % 2 == 0;
        let each: Vec<usize> = match to_right {
            true => (0..width).collect(),
            false => (0..width).rev().collect(),
        };
        for c in each {
            let beside = |n: usize| match to_right {
                true => &neighbors.before[n],
                false => &neighbors.after[n],
            };
            let mut row = std::mem::take(&mut rows[c]);
            row.sort_by_cached_key(|n| {
                let near = beside(*n);
                match near.len() {
                    0 => height[*n],
                    many => near.iter().map(|m| height[*m]).sum::<usize>() / many,
                }
            });
            measure(&row, &mut height);
            rows[c] = row;
        }
    }
    rows
}

fn place(columns: Vec<Option<usize>>, rows: &[Vec<usize>]) -> GraphLayout {
    let linked: usize = rows.iter().map(Vec::len).sum();
    // About 16 to 10.
    let square = (linked * ACROSS * 10 / (DOWN * 16)).isqrt();
    let most = square.max(MIN_ROWS);
    let tallest = rows.iter().map(|row| row.len().min(most)).max().unwrap_or(0);
    let mut places = vec![(0, 0); columns.len()];
    let (mut left, mut width) = (0, 0);
    for row in rows.iter().filter(|row| !row.is_empty()) {
        let wide = row.len().div_ceil(most);
        let tall = row.len().div_ceil(wide);
        let top = (tallest - tall) * DOWN / 2;
        for (i, n) in row.iter().enumerate() {
            places[*n] = (left + i / tall * BESIDE, top + i % tall * DOWN);
        }
        width = left + (wide - 1) * BESIDE + NODE.0;
        left += (wide - 1) * BESIDE + ACROSS;
    }
    let mut height = match tallest {
        0 => 0,
        rows => (rows - 1) * DOWN + NODE.1,
    };
    let apart: Vec<usize> = (0..columns.len()).filter(|n| columns[*n].is_none()).collect();
    let line = (!apart.is_empty()).then_some(if height == 0 { 0 } else { height + DOWN });
    if let Some(line) = line {
        let square = (apart.len() * DOWN * 16 / (BESIDE * 10)).isqrt() + 1;
        let across = ((width + BESIDE - NODE.0) / BESIDE).max(square).max(4);
        for (i, n) in apart.iter().enumerate() {
            places[*n] = (i % across * BESIDE, line + 32 + i / across * DOWN);
        }
        width = width.max((apart.len().min(across) - 1) * BESIDE + NODE.0);
        height = line + 32 + (apart.len().div_ceil(across) - 1) * DOWN + NODE.1;
    }
    GraphLayout {
        columns,
        places,
        width,
        height,
        apart: line,
    }
}
