//! What a person sees in a terminal: every command in a real one, at three widths.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const WIDTHS: [u16; 3] = [80, 100, 140];

/// What the command writes to a terminal of this width.
fn on_terminal(args: &[&str], width: u16) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let size = Winsize {
        ws_row: 40,
        ws_col: width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    tcsetwinsize(&terminal, size).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_overgrant"));
    command
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .stdout(Stdio::from(OwnedFd::from(terminal)))
        .stderr(Stdio::null());
    for name in ["COLUMNS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS"] {
        command.env_remove(name);
    }
    let mut child = command.spawn().unwrap();
    // The last end of the terminal that is not the child's.
    drop(command);
    let mut bytes = Vec::new();
    // Linux reports the end of a terminal as an error.
    let _ = std::fs::File::from(controller).read_to_end(&mut bytes);
    child.wait().unwrap();
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

/// The text without colors and links.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        let end = match rest.as_bytes()[at + 1] {
            b']' => rest[at..].find("\u{1b}\\").unwrap() + 2,
            _ => rest[at..].find(|c: char| c.is_ascii_alphabetic()).unwrap() + 1,
        };
        rest = &rest[at + end..];
    }
    out + rest
}

/// Lines that are wider than the terminal although they could be broken: what has no space, and what is part of a document, stays
/// whole.
fn too_wide(text: &str, width: u16, is_of_document: impl Fn(&str) -> bool) -> Vec<String> {
    let wide = |line: &&str| line.chars().count() > usize::from(width);
    let can_break = |line: &&str| {
        let content = line.trim_start_matches(|c: char| !c.is_alphanumeric());
        content.contains(' ') && !line.contains('┌')
    };
    let lines = text.lines().filter(wide).filter(can_break);
    lines.filter(|line| !is_of_document(line)).map(str::to_owned).collect()
}

#[test]
fn every_page_fits_the_terminal() {
    let example = "testdata/example";
    let pages: [&[&str]; 7] = [
        &["check", "--tests", "--no-baseline", example],
        &["check", "--tests", "--format", "grouped", "--statistics", example],
        &["rules"],
        &["explain", "unused-grant"],
        &["policies", example],
        &["needs", example],
        &["files", example],
    ];
    for args in pages {
        let is_of_document = |line: &str| match args[0] {
            "policies" => line.starts_with("  "),
            // Examples are not broken.
            "explain" => line.starts_with("    ") || line.contains("http"),
            _ => false,
        };
        for width in WIDTHS {
            let text = on_terminal(args, width);
            let wide = too_wide(&plain(&text), width, is_of_document);
            assert!(wide.is_empty(), "{args:?} at {width} columns:\n{}", wide.join("\n"));
            if !text.is_empty() {
                assert!(text.contains('\u{1b}'), "{args:?} has no colors");
            }
        }
    }
}

#[test]
fn the_words_are_the_same_at_every_width() {
    for args in [
        &["rules"][..],
        &["needs", "testdata/example"],
        &["files", "testdata/example"],
    ] {
        let words = |width: u16| -> Vec<String> {
            plain(&on_terminal(args, width))
                .split_whitespace()
                .map(str::to_owned)
                .collect()
        };
        let narrow = words(80);
        assert!(narrow.len() > 10, "{args:?}");
        assert_eq!(narrow, words(140), "{args:?}");
    }
}
