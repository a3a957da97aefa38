//! One file: JSON in its several forms, or a table in CSV.

use std::io::{self, Chain, Cursor, Read};

use serde::Deserialize;

use super::event::{LogEvent, Scalar};
use super::split::{JsonPiece, JsonPieces, ObjectPlace};
use super::{Collector, NoEvent, details};

/// Bytes that say what a file is.
const HEAD_BYTES: usize = 64 << 10;

/// What is wrong with a file. What could be read was collected.
#[derive(Debug, thiserror::Error)]
pub enum FileFailure {
    #[error("ends in the middle of an event")]
    Truncated,
    #[error("not a CloudTrail log, a result of `evidence query`, last-accessed details, or findings")]
    OtherFormat,
    #[error("cannot be read to its end: {0}")]
    Unreadable(io::Error),
}

impl FileFailure {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Unreadable(error),
        }
    }
}

/// An event in the output of `aws cloudtrail lookup-events`, or in one of EventBridge.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(borrow, rename = "CloudTrailEvent")]
    event: Scalar<'a>,
    #[serde(borrow)]
    detail: Option<LogEvent<'a>>,
}

impl Collector {
    /// Reads a file's content, which is not compressed any more.
    pub fn read(&mut self, mut input: impl Read) -> Option<FileFailure> {
        let mut head = Vec::new();
        if let Err(e) = (&mut input).take(HEAD_BYTES as u64).read_to_end(&mut head) {
            // What came before the failure is as good as any other part.
            self.json(JsonPieces::new(head, io::empty()));
            return Some(FileFailure::of(e));
        }
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        match text.iter().find(|b| !b.is_ascii_whitespace()) {
            None => None,
            Some(b'{' | b'[') => self.json(JsonPieces::new(head, input)),
            _ if details::is_table(text) => {
                let text = text.to_vec();
                self.table(Cursor::new(text).chain(input))
            }
            _ if memchr::memchr(b'{', &head).is_some() => self.json(JsonPieces::new(head, input)),
            _ => Some(FileFailure::OtherFormat),
        }
    }

    fn json(&mut self, mut pieces: JsonPieces<impl Read>) -> Option<FileFailure> {
        let before = self.read_objects();
        let mut failure = None;
        while let Some(piece) = pieces.next() {
            match piece {
                JsonPiece::Object(bytes, place) => self.object(bytes, place),
                JsonPiece::Broken => self.counts.broken += 1,
                JsonPiece::Truncated => failure = Some(FileFailure::Truncated),
                JsonPiece::Unreadable(e) => {
                    failure = Some(FileFailure::of(e));
                }
            }
        }
        match failure {
            None if self.read_objects() == before => Some(FileFailure::OtherFormat),
            other => other,
        }
    }

    /// How much was understood.
    fn read_objects(&self) -> u64 {
        let c = &self.counts;
        c.events + c.details + c.digests + c.insights
    }

    fn object(&mut self, bytes: &[u8], place: ObjectPlace) {
        let result = match place {
            ObjectPlace::Records => match serde_json::from_slice::<LogEvent<'_>>(bytes) {
                Ok(event) => self.event(&event),
                Err(_) => Err(NoEvent::Broken),
            },
            ObjectPlace::Events => self.envelope(bytes).unwrap_or(Err(NoEvent::Other)),
            ObjectPlace::Findings => self.detail(bytes),
            ObjectPlace::Top => match serde_json::from_slice::<LogEvent<'_>>(bytes) {
                Ok(event) => match self.event(&event) {
                    Err(NoEvent::Other) => self.other(bytes),
                    result => result,
                },
                Err(_) => self.other(bytes),
            },
        };
        match result {
            Ok(()) => {}
            Err(NoEvent::Broken) => self.counts.broken += 1,
            Err(NoEvent::Other) => self.counts.other += 1,
            Err(NoEvent::Digest) => self.counts.digests += 1,
            Err(NoEvent::Insight) => self.counts.insights += 1,
        }
    }

    /// An object at the top that is no event.
    fn other(&mut self, bytes: &[u8]) -> Result<(), NoEvent> {
        match self.envelope(bytes) {
            Some(result) => result,
            None => self.detail(bytes),
        }
    }

    /// The event inside. `None` if there is no place for one.
    fn envelope(&mut self, bytes: &[u8]) -> Option<Result<(), NoEvent>> {
        let envelope = serde_json::from_slice::<Envelope<'_>>(bytes).ok()?;
        if let Some(text) = envelope.event.get() {
            return Some(match serde_json::from_str::<LogEvent<'_>>(text) {
                Ok(event) => self.event(&event),
                Err(_) => Err(NoEvent::Broken),
            });
        }
        envelope.detail.map(|event| self.event(&event))
    }

    fn table(&mut self, input: Chain<Cursor<Vec<u8>>, impl Read>) -> Option<FileFailure> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(_) => return Some(FileFailure::OtherFormat),
        };
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {
                    let cells = header.iter().zip(record.iter());
                    let row = cells.map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect();
                    if self.query_row(&row).is_err() {
                        self.counts.broken += 1;
                    }
                }
                Ok(false) => return None,
                Err(e) if e.is_io_error() => {
                    return Some(match e.into_kind() {
                        csv::ErrorKind::Io(e) => FileFailure::of(e),
                        _ => FileFailure::Truncated,
                    });
                }
                Err(_) => self.counts.broken += 1,
            }
        }
    }
}
