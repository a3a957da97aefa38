//! Expressions, in the order of evaluation.

use crate::python::build::{MAX_DEPTH, ModuleBuilder, children};
use crate::python::syntax::{Field, K, Node, field, kind};
use crate::python::{
    AccessStep, Arg, ArgName, AttributeBinding, CallExpr, ExprId, ExprKind, FStringPart, ObjectChange, Pair, ScopeKind,
    Usage, ValueSource,
};
use crate::source::{Hole, Span, Text};

impl ModuleBuilder<'_, '_> {
    pub(super) fn expr(&mut self, node: Node<'_>) -> ExprId {
        let span = self.span(node);
        if self.depth >= MAX_DEPTH {
            self.module.partial = true;
            if self.text(node).contains("\"Effect\"") || self.text(node).contains("\"Statement\"") {
                self.unread.get_or_insert(span);
            }
            return self.push(ExprKind::Other(Vec::new()), span);
        }
        self.depth += 1;
        let id = self.expr_inner(node, span);
        self.depth -= 1;
        id
    }

    pub(super) fn expr_inner(&mut self, node: Node<'_>, span: Span) -> ExprId {
        match kind(node) {
            K::Identifier => {
                let n = self.name_of(node);
                self.push(ExprKind::Name(n), span)
            }
            K::ParenthesizedExpression | K::Type => match children(node).as_slice() {
                [one] => self.expr(*one),
                many => self.other(many, span),
            },
            K::Attribute => self.attribute(node, span),
            K::Call => self.call(node, span),
            K::String => self.string(&[node], span),
            K::ConcatenatedString => self.string(&children(node), span),
            K::Integer | K::Float => {
                let n = self.name_of(node);
                self.push(ExprKind::Num(n), span)
            }
            K::True => self.push(ExprKind::Bool(true), span),
            K::False => self.push(ExprKind::Bool(false), span),
            K::None => self.push(ExprKind::None, span),
            K::List | K::Set => {
                let mut items = self.exprs(node);
                items.extend(self.broken_part(node));
                self.push(ExprKind::List(items), span)
            }
            K::Tuple | K::ExpressionList | K::PatternList => {
                let items = self.exprs(node);
                self.push(ExprKind::Tuple(items), span)
            }
            K::Dictionary => self.dictionary(node, span),
            K::BinaryOperator => self.binary(node, span),
            K::ComparisonOperator => {
                let operands = self.exprs(node);
                self.push(ExprKind::Comparison(operands), span)
            }
            K::BooleanOperator => match (field(node, Field::Left), field(node, Field::Right)) {
                (Some(l), Some(r)) => {
                    let (left, right) = (self.expr(l), self.expr(r));
                    self.push(ExprKind::Either { left, right }, span)
                }
                _ => self.other(&children(node), span),
            },
            K::ConditionalExpression => match children(node).as_slice() {
                [then, test, other] => {
                    let test = self.expr(*test);
                    let (then, other) = (self.expr(*then), self.expr(*other));
                    self.push(ExprKind::Conditional { test, then, other }, span)
                }
                many => self.other(many, span),
            },
            K::Subscript => self.subscript(node, span),
            K::GenericType => match children(node).as_slice() {
                [of, parameters] => {
                    let of = self.expr(*of);
                    let items = self.exprs(*parameters);
                    let index = match items.as_slice() {
                        [one] => *one,
                        _ => self.push(ExprKind::Tuple(items), span),
                    };
                    self.push(ExprKind::Index { of, index }, span)
                }
                many => self.other(many, span),
            },
            K::Lambda => self.lambda(node, span),
            K::ListComprehension | K::SetComprehension | K::GeneratorExpression | K::DictionaryComprehension => {
                self.comprehension(node, span)
            }
            K::Await => match children(node).as_slice() {
                [one] => {
                    let e = self.expr(*one);
                    self.push(ExprKind::Await(e), span)
                }
                many => self.other(many, span),
            },
            K::ListSplat | K::ListSplatPattern => match children(node).as_slice() {
                [one] => {
                    let e = self.expr(*one);
                    self.push(ExprKind::Star(e), span)
                }
                many => self.other(many, span),
            },
            K::NamedExpression => match (field(node, Field::Name), field(node, Field::Value)) {
                (Some(n), Some(v)) => {
                    let value = self.expr(v);
                    let source = ValueSource {
                        expr: value,
                        steps: Vec::new(),
                    };
                    self.bind(n, Some(&source), None);
                    self.push(ExprKind::Walrus(value), span)
                }
                _ => self.other(&children(node), span),
            },
            K::Yield => {
                let parts = children(node);
                let items: Vec<ExprId> = parts.iter().map(|p| self.expr(*p)).collect();
                let scope = self.module.function_of(self.scope);
                self.module.scopes[scope].returns.extend(&items);
                self.push(ExprKind::Other(items), span)
            }
            K::Assignment => self.assignment(node, span),
            K::AugmentedAssignment => self.augmented(node, span),
            K::AsPattern => {
                self.as_pattern(node, false);
                self.push(ExprKind::Other(Vec::new()), span)
            }
            K::FunctionDefinition | K::ClassDefinition | K::IfStatement | K::ForStatement | K::Block => {
                self.statement(node);
                self.push(ExprKind::Other(Vec::new()), span)
            }
            _ => self.other(&children(node), span),
        }
    }

    pub(super) fn exprs(&mut self, node: Node<'_>) -> Vec<ExprId> {
        children(node).into_iter().map(|c| self.expr(c)).collect()
    }

    pub(super) fn other(&mut self, parts: &[Node<'_>], span: Span) -> ExprId {
        let items = parts.iter().map(|p| self.expr(*p)).collect();
        self.push(ExprKind::Other(items), span)
    }

    pub(super) fn assignment(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let annotation = field(node, Field::Type).and_then(|t| self.annotation(t));
        let value = field(node, Field::Right).map(|r| self.expr(r));
        let Some(left) = field(node, Field::Left) else {
            return value.unwrap_or_else(|| self.push(ExprKind::Other(Vec::new()), span));
        };
        match value {
            Some(expr) => {
                let source = ValueSource {
                    expr,
                    steps: Vec::new(),
                };
                self.bind(left, Some(&source), annotation);
                expr
            }
            None => {
                // `x: T` alone says a type and binds nothing, but the type is worth knowing.
                if annotation.is_some() {
                    self.bind(left, None, annotation);
                }
                self.push(ExprKind::Other(Vec::new()), span)
            }
        }
    }

    pub(super) fn augmented(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let (Some(left), Some(right)) = (field(node, Field::Left), field(node, Field::Right)) else {
            return self.other(&children(node), span);
        };
        let value = self.expr(right);
        let place = self.expr(left);
        let op = field(node, Field::Operator).map_or("", |o| self.text(o));
        let change = match op {
            "+=" => ObjectChange::Extend(value),
            "|=" => ObjectChange::Update(value),
            _ => ObjectChange::Other,
        };
        self.record_change(place, change);
        if let ExprKind::Attr { of, name, name_span } = &self.module.exprs[place].kind {
            let (object, name, span) = (*of, name.clone(), *name_span);
            self.module.attributes.push(AttributeBinding {
                object,
                name,
                source: None,
                annotation: None,
                scope: self.scope,
                at: self.next_id(),
                span,
            });
        }
        self.push(ExprKind::Other(vec![value, place]), span)
    }

    /// `a.b.c`: long chains without recursion.
    pub(super) fn attribute(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let (Some(object), Some(name)) = (field(node, Field::Object), field(node, Field::Attribute)) else {
            return self.other(&children(node), span);
        };
        let of = self.expr(object);
        let (name, name_span) = (self.name_of(name), self.span(name));
        self.push(ExprKind::Attr { of, name, name_span }, span)
    }

    pub(super) fn call(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let (Some(f), Some(arguments)) = (field(node, Field::Function), field(node, Field::Arguments)) else {
            return self.other(&children(node), span);
        };
        let function = self.expr(f);
        self.module.exprs[function].usage = Usage::Callee;
        let mut args = Vec::new();
        if kind(arguments) == K::ArgumentList {
            for a in children(arguments) {
                let (name, value) = match kind(a) {
                    K::KeywordArgument => match (field(a, Field::Name), field(a, Field::Value)) {
                        (Some(n), Some(v)) => {
                            let name = ArgName::Keyword(self.name_of(n), self.span(n));
                            (name, v)
                        }
                        _ => continue,
                    },
                    K::ListSplat => match children(a).as_slice() {
                        [v] => (ArgName::Star, *v),
                        _ => continue,
                    },
                    K::DictionarySplat => match children(a).as_slice() {
                        [v] => (ArgName::Spread, *v),
                        _ => continue,
                    },
                    _ => (ArgName::Positional, a),
                };
                let value = self.expr(value);
                args.push(Arg { name, value });
            }
        } else {
            let value = self.expr(arguments);
            args.push(Arg {
                name: ArgName::Positional,
                value,
            });
        }
        // `x.append(v)`, `x["k"].update(v)`: a change of what `x` holds.
        if let ExprKind::Attr { of, name, .. } = &self.module.exprs[function].kind {
            let of = *of;
            let first = match args.first() {
                Some(a) if args.len() == 1 && a.name == ArgName::Positional => Some(a.value),
                _ => None,
            };
            let change = match (&**name, first) {
                ("append" | "add", Some(v)) => Some(ObjectChange::Append(v)),
                ("extend", Some(v)) => Some(ObjectChange::Extend(v)),
                ("update", Some(v)) => Some(ObjectChange::Update(v)),
                ("insert", _) if args.len() == 2 => Some(ObjectChange::Append(args[1].value)),
                ("setdefault" | "pop" | "clear" | "update" | "remove", _) => Some(ObjectChange::Other),
                _ => None,
            };
            if let Some(change) = change {
                self.record_change(of, change);
            }
        }
        self.push(ExprKind::Call(Box::new(CallExpr { function, args })), span)
    }

    pub(super) fn dictionary(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let mut pairs = Vec::new();
        for child in children(node) {
            match kind(child) {
                K::Pair => {
                    if let (Some(k), Some(v)) = (field(child, Field::Key), field(child, Field::Value)) {
                        let key = Some(self.expr(k));
                        let value = self.expr(v);
                        pairs.push(Pair { key, value });
                    }
                }
                K::DictionarySplat => {
                    for v in children(child) {
                        let value = self.expr(v);
                        pairs.push(Pair { key: None, value });
                    }
                }
                _ => {
                    self.expr(child);
                }
            }
        }
        if let Some(lost) = self.broken_part(node) {
            pairs.push(Pair {
                key: Some(lost),
                value: lost,
            });
        }
        self.push(ExprKind::Dict(pairs), span)
    }

    /// What a literal may hold in addition, where its syntax is broken.
    fn broken_part(&mut self, node: Node<'_>) -> Option<ExprId> {
        let end = node.end_byte();
        let at = self.code.span(end..end);
        node.has_error()
            .then(|| self.push(ExprKind::Str(Text::hole(Hole::broken(at))), at))
    }

    /// Left-deep chains (`"a" + "b" + …`) of any length without recursion.
    pub(super) fn binary(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let mut chain = Vec::new();
        let mut at = node;
        while kind(at) == K::BinaryOperator {
            let (Some(l), Some(r)) = (field(at, Field::Left), field(at, Field::Right)) else {
                break;
            };
            chain.push((at, r));
            at = l;
        }
        if chain.is_empty() {
            return self.other(&children(node), span);
        }
        let mut left = self.expr(at);
        for (n, r) in chain.into_iter().rev() {
            let right = self.expr(r);
            let op = field(n, Field::Operator).map_or_else(String::new, |o| self.text(o).to_owned());
            let op = self.name(&op);
            let span = self.span(n);
            left = self.push(ExprKind::Binary { op, left, right }, span);
        }
        left
    }

    pub(super) fn subscript(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let Some(value) = field(node, Field::Value) else {
            return self.other(&children(node), span);
        };
        let of = self.expr(value);
        let rest: Vec<Node<'_>> = children(node).into_iter().filter(|c| c.id() != value.id()).collect();
        let index = match rest.as_slice() {
            [one] => self.expr(*one),
            many => {
                let items = many.iter().map(|p| self.expr(*p)).collect();
                self.push(ExprKind::Tuple(items), span)
            }
        };
        self.push(ExprKind::Index { of, index }, span)
    }

    pub(super) fn lambda(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let params = field(node, Field::Parameters).map_or_else(Vec::new, |p| self.params(p));
        let outer = self.open_scope(ScopeKind::Lambda, "<lambda>", span, span);
        self.take_params(params);
        if let Some(body) = field(node, Field::Body) {
            let e = self.expr(body);
            self.module.scopes[self.scope].returns.push(e);
        }
        let id = self.close_scope(outer);
        self.push(ExprKind::Lambda(id), span)
    }

    pub(super) fn comprehension(&mut self, node: Node<'_>, span: Span) -> ExprId {
        let outer = self.open_scope(ScopeKind::Comprehension, "", span, span);
        let body = field(node, Field::Body);
        for child in children(node) {
            match kind(child) {
                K::ForInClause => {
                    let iter = field(child, Field::Right).map(|r| self.expr(r));
                    if let (Some(left), Some(expr)) = (field(child, Field::Left), iter) {
                        let source = ValueSource {
                            expr,
                            steps: vec![AccessStep::Each],
                        };
                        self.bind(left, Some(&source), None);
                    }
                }
                K::IfClause => {
                    for c in children(child) {
                        self.expr(c);
                    }
                }
                _ => {}
            }
        }
        let (key, element) = match body {
            Some(b) if kind(b) == K::Pair => (
                field(b, Field::Key).map(|k| self.expr(k)),
                field(b, Field::Value).map(|v| self.expr(v)),
            ),
            Some(b) => (None, Some(self.expr(b))),
            None => (None, None),
        };
        let element = element.unwrap_or_else(|| self.push(ExprKind::Other(Vec::new()), span));
        let scope = self.close_scope(outer);
        self.push(ExprKind::Comprehension { scope, key, element }, span)
    }

    /// One or several neighbouring string tokens.
    pub(super) fn string(&mut self, tokens: &[Node<'_>], span: Span) -> ExprId {
        let mut parts: Vec<FStringPart> = Vec::new();
        let mut text = Text::default();
        for token in tokens {
            if kind(*token) == K::String {
                self.string_token(*token, &mut text, &mut parts);
            }
        }
        if parts.is_empty() {
            return self.push(ExprKind::Str(text), span);
        }
        if !text.is_empty() {
            parts.push(FStringPart::Lit(text));
        }
        self.push(ExprKind::Join(parts), span)
    }

    pub(super) fn string_token(&mut self, node: Node<'_>, text: &mut Text, parts: &mut Vec<FStringPart>) {
        let range = node.byte_range();
        let all = self.code.slice(range.clone());
        let prefix: String = all
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let quoted = &all[prefix.len()..];
        let quotes = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") {
            3
        } else {
            1
        };
        let start = (range.start + prefix.len() + quotes).min(range.end);
        let mut end = range.end;
        let mut cursor = node.walk();
        let mut interpolations = Vec::new();
        for child in node.named_children(&mut cursor) {
            match kind(child) {
                K::Interpolation => interpolations.push(child),
                K::StringEnd => end = child.start_byte(),
                _ => {}
            }
        }
        let end = end.max(start);
        let (raw, formatted) = (prefix.contains('r'), prefix.contains('f') || prefix.contains('t'));
        let mut from = start;
        for i in interpolations {
            let r = i.byte_range();
            if r.start < from || r.end > end {
                continue;
            }
            self.code.decode(from..r.start, raw, formatted, text);
            from = r.end;
            if !text.is_empty() {
                parts.push(FStringPart::Lit(std::mem::take(text)));
            }
            let value = match field(i, Field::Expression) {
                Some(e) => self.expr(e),
                None => {
                    let span = self.span(i);
                    self.push(ExprKind::Other(Vec::new()), span)
                }
            };
            parts.push(FStringPart::Value(value));
        }
        self.code.decode(from..end, raw, formatted, text);
    }
}
