//! The shape of the packed facts, shared by the packer (build script) and the reader.
//!
//! **Invariant:** three files. `facts.strings` is UTF-8 text, every distinct string once. `facts.documents` are the documents of
//! managed policies, compressed in the blocks of [`DocumentBlock`]. `facts.words` is little-endian `u32`s:
//! for each [`WordRange`] its start and length in words, then the sections. A cell is a number, a string id (index into
//! [`WordRange::StringStarts`]) or a list (index into [`WordRange::Lists`], where the length comes first; list 0 is the empty one).
#![allow(dead_code, reason = "the packer and the reader use a part each")]

/// A run of words.
#[derive(Clone, Copy)]
pub(crate) enum WordRange {
    /// Where each string starts, and at last where the last one ends.
    StringStarts,
    Lists,
    Services,
    Actions,
    /// The rows of [`WordRange::Actions`] plus one, each at [`name_hash`] of its name or the next place that is free (0); as
    /// many places as a power of two.
    ActionIndex,
    /// For each action how many are graver.
    Gravity,
    Types,
    Keys,
    /// One bitmask over all actions after another, in the order of [`ActionMask`].
    Masks,
    ManagedPolicies,
    Documents,
    DocumentBlocks,
    SamTemplates,
    ApiNames,
    Facts,
    Clients,
    Operations,
    Waiters,
    SdkTypes,
    Members,
}

impl WordRange {
    pub(crate) const COUNT: usize = Self::Members as usize + 1;
}

/// Where a name is looked for first, in any case: FNV-1a.
pub(crate) fn name_hash(name: &str) -> usize {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, step) as usize
}

/// The bitmasks over all actions.
#[derive(Clone, Copy)]
pub(crate) enum ActionMask {
    /// Not retired.
    Current,
    List,
    Read,
    Write,
    Tagging,
    PermissionsManagement,
    /// Has a resource type.
    Scopable,
}

impl ActionMask {
    pub(crate) const COUNT: usize = Self::Scopable as usize + 1;
}

/// Bit 31 of a list item that is a resource type: AWS marks it as required for the action.
pub(crate) const REQUIRED: u32 = 1 << 31;

/// Bits of [`Action::Flags`]: bits 0–2 the level, bits 4–6 the second level plus one (0: none).
pub(crate) const GONE: u32 = 1 << 8;
/// A third level in addition: what policy_sentry's reviewers call permissions management although AWS does not.
pub(crate) const CALLED_PERMISSIONS: u32 = 1 << 9;

/// Flags of [`Operation`].
pub(crate) const PASSES_ROLE: u32 = 1;
/// Passing a role is a guess from the names of the parameters, not AWS's word.
pub(crate) const PASS_GUESSED: u32 = 1 << 1;
/// The action is the operation's name, and no catalogue has it yet.
pub(crate) const ASSUMED: u32 = 1 << 2;
pub(crate) const PAGES: u32 = 1 << 3;

/// When an action that AWS lists beside an operation's own is needed; second in the list of a conditional action.
#[derive(Clone, Copy)]
pub(crate) enum NeededWhen {
    /// Nothing in the call tells.
    Unknown,
    /// One of these parameters is in the call.
    Params,
    /// An ordinary call never needs it.
    Never,
    /// The bucket's name has this shape.
    Bucket,
}

/// The kinds of [`Member`].
#[derive(Clone, Copy)]
pub(crate) enum MemberKind {
    Method,
    Collection,
    Sub,
    Batch,
    Reference,
}

/// A section made of rows of equal width.
pub(crate) trait Table: Copy {
    const SECTION: WordRange;
    const WIDTH: usize;
    fn column(self) -> usize;
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident in $section:ident: $($column:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) enum $name {
            $($column),+
        }

        impl Table for $name {
            const SECTION: WordRange = WordRange::$section;
            const WIDTH: usize = [$(Self::$column),+].len();

            fn column(self) -> usize {
                self as usize
            }
        }
    };
}

table! {
    /// Sorted by `prefix:` so that a service's actions are a range of [`Action`] in the same order.
    Service in Services: Prefix, FirstAction, Actions, FirstType, Types, FirstKey, Keys
}
table! {
    /// Sorted by full name in lower case. `Name` is the full name (`s3:GetObject`); lists hold rows of [`Type`] (with
    /// [`REQUIRED`]), of [`Key`] and of this table.
    Action in Actions: Name, Service, Flags, Types, Keys, Needs
}
table! {
    /// Sorted by name within a service.
    Type in Types: Name, Arns, Keys
}
table! {
    /// Sorted by name in lower case within a service. `Type` is AWS's word for it (`ArrayOfString`).
    Key in Keys: Name, Type
}
table! {
    /// Sorted by name in lower case. `Replacement` is the empty string where none is known; `Document` is a row of [`Document`]
    /// plus one, 0 where we have none.
    ManagedPolicy in ManagedPolicies: Name, Arn, Version, Flags, Document, Replacement
}
table! {
    /// Every distinct document once; `Start` is in the text of its block.
    Document in Documents: Block, Start, Length
}
table! {
    /// `Start` and `Length` are those of the LZ4 block, `Unpacked` is the length of its text.
    DocumentBlock in DocumentBlocks: Start, Length, Unpacked
}
table! {
    /// Sorted by name.
    SamTemplate in SamTemplates: Name, Json
}
table! {
    /// Names of API operations that are no actions, in lower case and sorted, with the actions that are meant.
    ApiName in ApiNames: Name, Actions
}
table! {
    /// Small hand-kept facts by kind and key; both sorted.
    Fact in Facts: Kind, Key, Values
}

table! {
    /// boto3's clients, sorted by name.
    Client in Clients: Name, Prefix, FirstOperation, Operations, FirstWaiter, Waiters, FirstType, Types
}
table! {
    /// Sorted by name in lower case within a client. `Method` is empty where it follows from the name. `Also` holds lists:
    /// an action, a `When`, its texts.
    Operation in Operations: Name, Method, Flags, Required, AnyOf, Also, PassTo, PassParams
}
table! {
    /// Sorted by name within a client; `Operation` is a row.
    Waiter in Waiters: Name, Operation
}
table! {
    /// boto3's resource types, sorted by name within a client; the type `client` holds what boto3 adds to the client.
    /// `Load` is a row of [`Operation`] plus one.
    SdkType in SdkTypes: Name, Ids, Load, FirstMember, Members
}
table! {
    /// Sorted by name, then kind, within a type. `Calls` and `Large` are rows of [`Operation`], `Needs` actions by name,
    /// `Gives` a row of [`SdkType`] plus one.
    Member in Members: Name, Kind, Calls, Large, Needs, Gives
}
