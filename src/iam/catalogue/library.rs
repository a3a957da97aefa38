//! The words of `rules/facts/hand/python-functions.txt` and `library-calls.txt`, shared by the packer and the reader.
//!
//! **Invariant:** what this reads is what the heads of these files say; any other word is an error.

/// What a call of a library function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibraryResult<'a> {
    Argument,
    SecondArgument,
    /// All that are given by position, joined.
    Arguments,
    Item,
    NumberedItems,
    Attribute,
    Partial,
    Class,
    Dictionary,
    KeywordArguments,
    Cast,
    Parent,
    Module,
    Default,
    Client,
    Resource,
    ClientOf(&'a str),
    UnknownClient,
    Session,
    Itself,
    Other,
    Json,
    ParsedJson,
    Text,
    Dedented,
    Variable,
}

/// What a library function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibraryEffect<'a> {
    Returns(LibraryResult<'a>),
    /// Takes the arguments of a session.
    SetsUpSession,
    /// Takes a key pair: the names of its positional parameters, joined by `, `.
    TakesKeys(&'a str),
    /// Its object calls what decorators gave it.
    RunsFunctions,
    /// Runs code that is chosen at run time.
    RunsText,
    ReadsAnyAttribute,
    /// Makes a function that reads, or calls, the attribute that argument 0 names.
    NamesAttributes,
    OnlyInspects,
}

const EFFECTS: &[(&str, LibraryEffect<'static>)] = {
    use LibraryEffect as Effect;
    use LibraryEffect::Returns;
    use LibraryResult as Result;
    &[
        ("returns argument 0", Returns(Result::Argument)),
        ("returns argument 1", Returns(Result::SecondArgument)),
        ("returns all arguments", Returns(Result::Arguments)),
        ("returns item of argument 0", Returns(Result::Item)),
        ("returns numbered items of argument 0", Returns(Result::NumberedItems)),
        ("returns attribute of argument 0", Returns(Result::Attribute)),
        ("returns call of argument 0", Returns(Result::Partial)),
        ("returns class of argument 0", Returns(Result::Class)),
        ("returns argument 0 or keyword arguments", Returns(Result::Dictionary)),
        ("returns keyword arguments", Returns(Result::KeywordArguments)),
        ("returns argument 1 as type argument 0", Returns(Result::Cast)),
        ("returns parent", Returns(Result::Parent)),
        ("returns module argument 0", Returns(Result::Module)),
        ("returns default", Returns(Result::Default)),
        ("returns client", Returns(Result::Client)),
        ("returns resource", Returns(Result::Resource)),
        ("returns unknown client", Returns(Result::UnknownClient)),
        ("returns session", Returns(Result::Session)),
        ("returns itself", Returns(Result::Itself)),
        ("returns other", Returns(Result::Other)),
        ("returns JSON of argument 0", Returns(Result::Json)),
        ("returns value of JSON argument 0", Returns(Result::ParsedJson)),
        ("returns text of argument 0", Returns(Result::Text)),
        ("returns dedented argument 0", Returns(Result::Dedented)),
        ("returns variable argument 0", Returns(Result::Variable)),
        ("sets up session", Effect::SetsUpSession),
        ("runs functions", Effect::RunsFunctions),
        ("runs text", Effect::RunsText),
        ("reads any attribute", Effect::ReadsAnyAttribute),
        ("names attributes", Effect::NamesAttributes),
        ("only inspects", Effect::OnlyInspects),
    ]
};

impl<'a> LibraryEffect<'a> {
    /// The effect that these words name.
    pub(crate) fn parse(words: &'a str) -> Option<Self> {
        if let Some((_, effect)) = EFFECTS.iter().find(|(known, _)| *known == words) {
            return Some(*effect);
        }
        if let Some(client) = words.strip_prefix("returns client of ") {
            return Some(Self::Returns(LibraryResult::ClientOf(client)));
        }
        words.strip_prefix("takes ").map(Self::TakesKeys)
    }
}

/// What a call of a library function needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryCall<'a> {
    /// The qualified name; a `*` at its end stands for the rest of the function's name.
    pub name: &'a str,
    pub actions: Vec<&'a str>,
    /// In place of `actions`, where `mode` says that it writes; empty where it makes no difference.
    pub writes: Vec<&'a str>,
    /// One of the actions is enough.
    pub any: bool,
    /// Every call needs them.
    pub certain: bool,
    /// Only where the first argument is a path of S3.
    pub on_s3: bool,
}

impl<'a> LibraryCall<'a> {
    pub(crate) fn parse(fields: &[&'a str]) -> Result<Self, String> {
        let [name, actions, options @ ..] = fields else {
            return Err("a line has a name and actions".to_owned());
        };
        let list = |text: &'a str| text.split(", ").collect();
        let mut call = Self {
            name,
            actions: list(actions),
            writes: Vec::new(),
            any: false,
            certain: false,
            on_s3: false,
        };
        for option in options {
            match *option {
                "any" => call.any = true,
                "certain" => call.certain = true,
                "s3" => call.on_s3 = true,
                other => match other.strip_prefix("writes=") {
                    Some(actions) => call.writes = list(actions),
                    None => return Err(format!("unknown option `{other}`")),
                },
            }
        }
        Ok(call)
    }

    /// Whether this is about the function of this qualified name.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => name.strip_prefix(start).is_some_and(|rest| !rest.contains('.')),
            None => self.name == name,
        }
    }
}
