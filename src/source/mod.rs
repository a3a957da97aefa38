//! Files, places in them, and text that remembers where it was written.
//!
//! **Invariant:** a stored [`Span`] always slices its file to the bytes that a person would point at, on character borders.
//! Offsets are UTF-8 bytes from the start of the file, half-open; lines and columns exist only in [`LineIndex`], which
//! reports and suppressions alone ask for. This module imports nothing from the rest of the crate.

mod build;
mod file;
mod lines;
mod part;
mod path;
mod problem;
mod span;
mod text;
mod visible;

/// Stands between a folder and the pattern of the files in it that an input reads (`fileset`). No path has this character.
pub const MATCHING: char = '\0';

pub use build::{TextBuilder, TextIndex};
pub use file::Sources;
pub use lines::{LineIndex, Position};
pub use part::TextSlice;
pub use path::{
    file_name, folders_around, is_synthesized, is_within, join_path, parent_path, relative_path, staged_folder,
};
pub use problem::{Problem, ProblemKind};
pub use span::{FileId, Span, WithSpan};
pub use text::{Hole, HoleKind, HoleTarget, Lit, OffsetMap, Piece, Segment, Segments, Text};
pub use visible::{
    begins_command, json_without_commands, one_line, pretty_json, push_line, visible, without_commands,
    xml_without_commands,
};
