//! Node kinds and field names of the grammar as numbers, looked up once.

use std::sync::OnceLock;

use tree_sitter::{Language, Node};

pub(super) fn language() -> Language {
    tree_sitter_python::LANGUAGE.into()
}

macro_rules! kinds {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The node kinds that the walker tells apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum K { $($name,)* Comment, Other }

        fn kind_named(text: &str) -> K {
            match text { $($text => K::$name,)* "comment" | "line_continuation" => K::Comment, _ => K::Other }
        }
    };
}

kinds! {
    AliasedImport = "aliased_import", ArgumentList = "argument_list", AsPattern = "as_pattern",
    Assignment = "assignment", Attribute = "attribute", AugmentedAssignment = "augmented_assignment",
    Await = "await", BinaryOperator = "binary_operator", Block = "block", BooleanOperator = "boolean_operator",
    Call = "call", CaseClause = "case_clause", ClassDefinition = "class_definition",
    ComparisonOperator = "comparison_operator", ConcatenatedString = "concatenated_string",
    ConditionalExpression = "conditional_expression", DecoratedDefinition = "decorated_definition",
    Decorator = "decorator", DefaultParameter = "default_parameter", DictionaryComprehension = "dictionary_comprehension",
    Dictionary = "dictionary", DictionarySplat = "dictionary_splat",
    DictionarySplatPattern = "dictionary_splat_pattern", DottedName = "dotted_name", ElifClause = "elif_clause",
    ElseClause = "else_clause", ExceptClause = "except_clause", ExceptGroupClause = "except_group_clause",
    ExpressionList = "expression_list", ExpressionStatement = "expression_statement", False = "false",
    FinallyClause = "finally_clause", Float = "float", ForInClause = "for_in_clause", ForStatement = "for_statement",
    FunctionDefinition = "function_definition", FutureImport = "future_import_statement",
    GeneratorExpression = "generator_expression", GenericType = "generic_type", GlobalStatement = "global_statement", Identifier = "identifier",
    IfClause = "if_clause", IfStatement = "if_statement", ImportFrom = "import_from_statement",
    Import = "import_statement", ImportPrefix = "import_prefix", Integer = "integer", Interpolation = "interpolation",
    KeywordArgument = "keyword_argument", Lambda = "lambda", List = "list", ListComprehension = "list_comprehension",
    ListPattern = "list_pattern", ListSplat = "list_splat", ListSplatPattern = "list_splat_pattern",
    MatchStatement = "match_statement", Module = "module", NamedExpression = "named_expression", None = "none",
    NonlocalStatement = "nonlocal_statement", NotOperator = "not_operator", Pair = "pair",
    ParenthesizedExpression = "parenthesized_expression", PatternList = "pattern_list",
    RaiseStatement = "raise_statement", RelativeImport = "relative_import", ReturnStatement = "return_statement", Set = "set",
    SetComprehension = "set_comprehension", Slice = "slice", String = "string", StringContent = "string_content",
    StringEnd = "string_end", StringStart = "string_start", Subscript = "subscript", True = "true",
    TryStatement = "try_statement", Tuple = "tuple", TuplePattern = "tuple_pattern", Type = "type",
    TypedDefaultParameter = "typed_default_parameter", TypedParameter = "typed_parameter",
    UnaryOperator = "unary_operator", WhileStatement = "while_statement", WildcardImport = "wildcard_import",
    WithItem = "with_item", WithStatement = "with_statement", Yield = "yield", Error = "ERROR",
}

macro_rules! fields {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The field names that the walker asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $($name,)* }
        const FIELDS: &[&str] = &[$($text,)*];
    };
}

fields! {
    Alias = "alias", Alternative = "alternative", Arguments = "arguments", Attribute = "attribute", Body = "body",
    Condition = "condition", Consequence = "consequence", Definition = "definition", Expression = "expression",
    Function = "function", Left = "left", ModuleName = "module_name", Name = "name", Object = "object",
    Operator = "operator", Parameters = "parameters", ReturnType = "return_type", Right = "right", Subject = "subject",
    Superclasses = "superclasses", Type = "type", Value = "value",
    Key = "key",
}

struct Tables {
    kinds: Vec<K>,
    fields: Vec<u16>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let language = language();
        let kinds = (0..language.node_kind_count())
            .map(|id| {
                let id = id as u16;
                match language.node_kind_for_id(id) {
                    Some(name) if language.node_kind_is_named(id) => kind_named(name),
                    _ => K::Other,
                }
            })
            .collect();
        let fields = FIELDS
            .iter()
            .map(|f| language.field_id_for_name(f).map_or(0, std::num::NonZeroU16::get))
            .collect();
        Tables { kinds, fields }
    })
}

pub fn kind(node: Node<'_>) -> K {
    if node.is_error() {
        return K::Error;
    }
    tables()
        .kinds
        .get(usize::from(node.kind_id()))
        .copied()
        .unwrap_or(K::Other)
}

pub fn field(node: Node<'_>, field: Field) -> Option<Node<'_>> {
    match tables().fields.get(field as usize) {
        Some(&id) if id != 0 => node.child_by_field_id(id),
        _ => None,
    }
}
