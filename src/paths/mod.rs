//! The access model as a graph: who can become whom, through what, and what is gained.
//!
//! [`Paths`] gives the shortest paths, one for each start and gain. A path is hops from one end to the next: an identity, a
//! resource, or someone outside. Each hop records what it needs and where that is written.
//!
//! ```text
//! role/ci ── sts:AssumeRole ──▶ role/deploy ── lambda:UpdateFunctionCode ──▶ function/api ── runs as ──▶ role/api (administrator)
//! ```
//!
//! `graph` makes the nodes and edges: `assume` from trust policies and grants, `credentials` and `limits` from actions on identities,
//! `pass_role`, `running`, `launching`, and `sources` from methods that run something as a role, `entries`, `routes`, and `triggers` from what is public,
//! `data` and `keys` from what can be read. `home` says what is deployed together. `found` says which paths are searched for, `search`
//! and `elevation` find them, and `staging` shows where what is run is put. [`AccessGraph`] is the whole graph as plain ends and links, for drawing.
//!
//! **Invariant:** an edge is there only if the policies of the repository certainly allow what it needs; conditions that a
//! caller must meet are on the edge. What is denied, outside the boundary, or not trusted makes no edge. The cost is linear in
//! edges; what all of a kind can be reached by is one node. IAM User Guide, "Policy evaluation logic".

mod access_graph;
mod asking;
mod assume;
mod classes;
mod credentials;
mod data;
mod edge;
mod elevation;
mod entries;
mod finder;
mod found;
mod grants;
mod graph;
mod home;
mod keys;
mod launching;
mod limits;
mod method_table;
pub mod methods;
mod names;
mod pass_role;
mod path;
mod route;
mod routes;
mod running;
mod search;
mod sources;
mod staging;
mod tags;
mod triggers;
mod trust;

pub use access_graph::{AccessGraph, GraphEnd, GraphLink};
pub use finder::PathFinder;
pub use found::{PathGoal, PathQuery, Paths, find_admin_paths, find_paths_into};
pub use path::{AccessPath, Gain, Hop, Need, PathEnd};
