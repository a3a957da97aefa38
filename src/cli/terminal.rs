//! Standard output and error: color, width, closed pipes.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::CliFailure;
use crate::layout::{Palette, fit};
use crate::source::visible;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal.
    #[default]
    Auto,
    Always,
    Never,
}

/// Whether to color what goes to standard output: the flag, then `NO_COLOR`, `FORCE_COLOR` and `CLICOLOR_FORCE`, then
/// whether it is a terminal that can.
pub(super) fn color(when: ColorChoice) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let forced = |name: &str| set(name) && std::env::var_os(name).is_some_and(|v| v != "0");
    match when {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if set("NO_COLOR") => false,
        ColorChoice::Auto if forced("FORCE_COLOR") || forced("CLICOLOR_FORCE") => true,
        ColorChoice::Auto => is_capable() || std::env::var_os("GITHUB_ACTIONS").is_some_and(|v| v == "true"),
    }
}

/// The colors of commands that have no flag for them.
pub(super) fn palette() -> Palette {
    Palette {
        color: color(ColorChoice::Auto),
    }
}

/// Whether to write OSC 8 links.
pub(super) fn hyperlinks(when: ColorChoice) -> bool {
    match when {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout),
    }
}

fn is_capable() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Columns: `COLUMNS`, else those of the terminal, else 100.
pub(super) fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    said.or_else(terminal)
        .filter(|w| (20..=1000).contains(w))
        .unwrap_or(100)
}

/// Columns that lines are broken at; none where a program may read them: standard output is no terminal, and `COLUMNS` is not
/// set.
pub(super) fn line_width() -> Option<usize> {
    (io::stdout().is_terminal() || std::env::var_os("COLUMNS").is_some()).then(width)
}

/// Writes a page of which the lines that are not indented are headings.
pub(super) fn print_chapters(text: &str) -> Result<ExitCode, CliFailure> {
    let palette = palette();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        match line.starts_with(' ') {
            true => out.push_str(line),
            false => out.push_str(&palette.strong(line)),
        }
        out.push('\n');
    }
    print_page(&out)
}

/// Writes a list for people: the place at the start of a line in its color, and lines broken at the width of a terminal, but for
/// those that are part of a document.
pub(super) fn print_list(text: &str, is_of_document: impl Fn(&str) -> bool) -> Result<ExitCode, CliFailure> {
    let (width, palette) = (line_width(), palette());
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if is_of_document(line) {
            out.push_str(line);
            continue;
        }
        let place = line.find(": ").filter(|_| !line.starts_with(' '));
        let (place, rest) = line.split_at(place.unwrap_or(0));
        let line = palette.place(place) + rest;
        match width {
            Some(width) => out.push_str(&fit(&line, width)),
            None => out.push_str(&line),
        }
    }
    print_page(&out)
}

/// Writes to standard output. A reader that has gone away is no error.
pub(super) fn print(text: &(impl AsRef<[u8]> + ?Sized)) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Writes a whole page: the end of a command that has nothing else to say.
pub(super) fn print_page(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<ExitCode, CliFailure> {
    print(text).map_err(|source| CliFailure::Io {
        what: "cannot write to standard output".to_owned(),
        source,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a page of plain text, which may cite files.
pub(super) fn print_text(text: &str) -> Result<ExitCode, CliFailure> {
    print_page(&*visible(text))
}

/// Runs shorter than this say nothing of themselves.
const PATIENCE: Duration = Duration::from_millis(500);

/// A line on the terminal that says that the run goes on; gone when this is dropped.
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(super) fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (done, waiting) = mpsc::channel();
        Self(Some((
            done,
            std::thread::spawn(move || {
                if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    let _ = write!(io::stderr().lock(), "overgrant: reading and checking …");
                    let _ = waiting.recv();
                    let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
                }
            }),
        )))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, line)) = self.0.take() {
            drop(done);
            let _ = line.join();
        }
    }
}

/// Writes a line to standard error that may cite a path.
pub(super) fn note(text: &str) {
    print_error(&visible(text));
}

/// Writes to standard error, colors and all; there is no one to tell when that fails.
pub(super) fn print_error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
