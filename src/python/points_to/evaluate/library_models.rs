//! What calls of libraries, and of methods of clients and containers, give.

use crate::iam::sdk::{self, Client, LibraryResult, SdkResourceType};
use crate::python::points_to::abstract_value::{
    AbstractValue, ResourceOrigin, ScopeRef, ValueSet, ValueSetBuilder, is_aws, single,
};
use crate::python::points_to::evaluate::{CallFrame, ObjectEvaluator, is_under, sub_resource};
use crate::python::{CallExpr, ExprId, ScopeId, ScopeKind};
use std::sync::Arc;

impl ObjectEvaluator<'_> {
    /// What a call of a library function gives: `rules/facts/hand/python-functions.txt`, applied.
    pub(crate) fn library_call(
        &self,
        module: usize,
        expr: ExprId,
        call: &CallExpr,
        name: &str,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let argument = |i: usize| {
            call.positional(i)
                .map_or_else(|| self.nothing.clone(), |v| self.eval(module, v, frame))
        };
        match sdk::library_result(name) {
            Some(LibraryResult::Client) => self.clients(module, call, false, frame),
            Some(LibraryResult::Resource) => self.clients(module, call, true, frame),
            Some(LibraryResult::ClientOf(service)) => {
                sdk::client(service).map_or_else(|| self.nothing.clone(), |c| single(AbstractValue::Client(c)))
            }
            Some(LibraryResult::UnknownClient) => single(AbstractValue::SomeClient),
            Some(LibraryResult::Session) => single(AbstractValue::Session),
            Some(LibraryResult::Argument) => argument(0),
            Some(LibraryResult::SecondArgument) => argument(1),
            Some(LibraryResult::Arguments) => {
                let mut out = ValueSetBuilder::default();
                for i in 0..call.args.len() {
                    out.put_all(&argument(i));
                }
                out.finish()
            }
            // `next(all, None)`, `max(a, b)`
            Some(LibraryResult::Item) => {
                let mut out = ValueSetBuilder::default();
                out.put_all(&self.items(&argument(0), frame));
                out.put_all(&argument(1));
                out.finish()
            }
            Some(LibraryResult::NumberedItems) => numbered(&argument(0)),
            Some(LibraryResult::Partial) => single(AbstractValue::Partial((module, expr))),
            Some(LibraryResult::Dictionary) if call.positional(0).is_some() => argument(0),
            Some(LibraryResult::Dictionary | LibraryResult::KeywordArguments) => {
                single(AbstractValue::Literal((module, expr)))
            }
            Some(LibraryResult::Class) => {
                let mut out = ValueSetBuilder::default();
                for t in argument(0).iter() {
                    match t {
                        AbstractValue::Instance(c) => out.put(AbstractValue::Class(*c)),
                        // Its methods are those of the client.
                        AbstractValue::Client(_) | AbstractValue::SomeClient | AbstractValue::UnlistedClient(_) => {
                            out.put(t.clone());
                        }
                        _ => {}
                    }
                }
                out.finish()
            }
            Some(LibraryResult::Cast) => {
                let mut out = ValueSetBuilder::default();
                out.put_all(&argument(1));
                if let Some(t) = call.positional(0)
                    && !out.has_aws()
                {
                    out.put_all(&self.values_of_annotation(module, t, 0));
                }
                out.finish()
            }
            Some(LibraryResult::Attribute) => self.attribute_by_name(module, call, frame),
            Some(LibraryResult::Parent) => match self.class_around(module, expr) {
                Some(c) => single(AbstractValue::Super(
                    c,
                    self.receiver_of(module, expr, frame).unwrap_or(c),
                )),
                None => self.nothing.clone(),
            },
            Some(LibraryResult::Module) => {
                let mut out = ValueSetBuilder::default();
                let name = call.positional(0);
                for name in name.map_or_else(Vec::new, |v| self.texts(module, v, frame)) {
                    out.put(match self.program.import(self.module(module).file, 0, &name) {
                        Some(other) => AbstractValue::Module(other),
                        None => AbstractValue::Library(name),
                    });
                }
                out.finish()
            }
            Some(LibraryResult::Default) => self.default_of_field(module, expr, call, frame),
            // A class; functions of the library are not known by it.
            Some(LibraryResult::Itself) if is_class_name(name) => single(AbstractValue::Library(name.into())),
            Some(LibraryResult::Other) => self.nothing.clone(),
            Some(
                LibraryResult::Itself
                | LibraryResult::Json
                | LibraryResult::ParsedJson
                | LibraryResult::Text
                | LibraryResult::Dedented
                | LibraryResult::Variable,
            )
            | None => single(AbstractValue::Opaque),
        }
    }

    /// `getattr(object, name)`
    fn attribute_by_name(&self, module: usize, call: &CallExpr, frame: Option<&CallFrame<'_>>) -> ValueSet {
        let (Some(of), Some(arg)) = (call.positional(0), call.positional(1)) else {
            return self.nothing.clone();
        };
        let mut out = ValueSetBuilder::default();
        let names = self.texts(module, arg, frame);
        let values = self.eval(module, of, frame);
        for t in values.iter() {
            for attr in &names {
                out.put_all(&self.attribute(t, attr));
            }
        }
        if let Some(default) = call.positional(2) {
            let default = self.eval(module, default, frame);
            let of_aws = |t: &&AbstractValue| is_aws(t) || matches!(t, AbstractValue::Bound(of, _) if is_aws(of));
            default.iter().filter(of_aws).for_each(|t| out.put(t.clone()));
        }
        if !out.is_empty() && self.may_be_other_text(module, arg, frame) {
            out.put(AbstractValue::Opaque);
        }
        // Any attribute of something that may be a client.
        if names.is_empty()
            && values
                .iter()
                .all(|t| matches!(t, AbstractValue::Opaque | AbstractValue::More))
        {
            out.put(AbstractValue::More);
        }
        out.finish()
    }

    /// `field(default=…, default_factory=…)`
    fn default_of_field(
        &self,
        module: usize,
        expr: ExprId,
        call: &CallExpr,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let mut out = ValueSetBuilder::default();
        if let Some(v) = call.keyword("default") {
            out.put_all(&self.eval(module, v, frame));
        }
        if let Some(function) = call.keyword("default_factory").or_else(|| call.keyword("factory")) {
            let made = CallExpr {
                function,
                args: Vec::new(),
            };
            out.put_all(&self.call(module, expr, &made, frame));
        }
        out.finish()
    }

    /// What `next` gives for these.
    fn items(&self, values: &[AbstractValue], frame: Option<&CallFrame<'_>>) -> ValueSet {
        let mut out = ValueSetBuilder::default();
        for t in values {
            match t {
                AbstractValue::Literal(at) => out.put_all(&self.elements(*at, &[], None, frame)),
                AbstractValue::Entry(_, held) => out.put((**held).clone()),
                other => out.put(element(other).unwrap_or_else(|| other.clone())),
            }
        }
        out.finish()
    }

    /// The class around an expression.
    pub(crate) fn class_around(&self, module: usize, expr: ExprId) -> Option<ScopeRef> {
        let m = self.module(module);
        let mut at: ScopeId = m.expr(expr).scope;
        loop {
            let s = m.scope(at);
            match s.kind {
                ScopeKind::Class => return Some(ScopeRef { module, scope: at }),
                ScopeKind::Module => return None,
                _ => at = s.parent,
            }
        }
    }

    pub(crate) fn bound_call(
        &self,
        module: usize,
        expr: ExprId,
        call: &CallExpr,
        receiver: &AbstractValue,
        name: &str,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        if name == "__getattribute__"
            && let Some(attribute) = call.positional(0)
        {
            let mut out = ValueSetBuilder::default();
            for attribute in self.texts(module, attribute, frame) {
                out.put_all(&self.attribute(receiver, &attribute));
            }
            return out.finish();
        }
        match receiver {
            AbstractValue::Session => match name {
                "client" | "create_client" => self.clients(module, call, false, frame),
                "resource" => self.clients(module, call, true, frame),
                _ => self.nothing.clone(),
            },
            AbstractValue::Resource(..) if name == "batch_writer" => {
                single(AbstractValue::Library(BATCH_WRITER.into()))
            }
            AbstractValue::Resource(c, ty, of) => {
                if let Some(sub) = sub_resource(*c, *ty, name) {
                    // `summary.Object()` has its identifiers from what it is called on.
                    let origin = match of {
                        ResourceOrigin::Of(at, _) if call.args.is_empty() => ResourceOrigin::Of(*at, false),
                        _ => ResourceOrigin::Call((module, expr)),
                    };
                    return single(AbstractValue::Resource(*c, sub, origin));
                }
                match ty.method(name).and_then(|m| m.returns()) {
                    // It has its name from the call.
                    Some(t) if name == "get_queue_by_name" => {
                        single(AbstractValue::Resource(*c, t, ResourceOrigin::Call((module, expr))))
                    }
                    Some(t) => single(AbstractValue::Resource(*c, t, origin_of_answer(*c, t, false, *of))),
                    None => self.nothing.clone(),
                }
            }
            AbstractValue::Collection(c, ty, member, of, _) => match name {
                "all" | "filter" | "limit" | "page_size" => {
                    single(AbstractValue::Collection(*c, *ty, *member, *of, true))
                }
                // Of a list that was made of it.
                "copy" => single(receiver.clone()),
                "pop" => element(receiver).map_or_else(|| self.nothing.clone(), single),
                _ => self.nothing.clone(),
            },
            AbstractValue::Literal(at) => match name {
                "get" | "pop" | "popleft" | "setdefault" => {
                    let keys = call
                        .positional(0)
                        .map_or_else(Vec::new, |k| self.texts(module, k, frame));
                    let mut out = ValueSetBuilder::default();
                    out.put_all(&self.elements(*at, &keys, None, frame));
                    if let Some(default) = call.positional(1) {
                        out.put_all(&self.eval(module, default, frame));
                    }
                    out.finish()
                }
                "values" | "copy" => single(AbstractValue::Literal(*at)),
                "keys" => self.keys(*at),
                "items" => single(AbstractValue::Items(*at)),
                _ => self.nothing.clone(),
            },
            AbstractValue::Entry(key, held) => match name {
                "get" | "pop" | "popleft" | "setdefault" => {
                    let keys = call
                        .positional(0)
                        .map_or_else(Vec::new, |k| self.texts(module, k, frame));
                    let mut out = ValueSetBuilder::default();
                    if is_under(key, &keys) {
                        out.put((**held).clone());
                    }
                    if let Some(default) = call.positional(1) {
                        out.put_all(&self.eval(module, default, frame));
                    }
                    out.finish()
                }
                "values" | "copy" => single(receiver.clone()),
                "keys" => single(AbstractValue::Text(key.clone())),
                "items" => single(item(held)),
                _ => self.nothing.clone(),
            },
            AbstractValue::Text(s) => single(AbstractValue::Text(match name {
                "lower" | "casefold" => s.to_lowercase().into(),
                "upper" => s.to_uppercase().into(),
                "strip" => s.trim().into(),
                _ => return self.nothing.clone(),
            })),
            // `with client as c`
            AbstractValue::Client(_) | AbstractValue::UnlistedClient(_)
                if matches!(name, "__enter__" | "__aenter__") =>
            {
                single(receiver.clone())
            }
            AbstractValue::SomeClient | AbstractValue::UnlistedClient(_) | AbstractValue::More => {
                single(AbstractValue::Opaque)
            }
            _ => self.nothing.clone(),
        }
    }
}

/// The class of what `batch_writer` gives: the batches are counted where it is made.
const BATCH_WRITER: &str = "boto3.dynamodb.table.BatchWriter";

/// One of what iterating over `.items()` gives, for what is held in a container.
fn item(held: &Arc<AbstractValue>) -> AbstractValue {
    AbstractValue::Entry("".into(), Arc::new(AbstractValue::Entry("1".into(), held.clone())))
}

/// One of what iterating over a collection gives.
pub(crate) fn element(collection: &AbstractValue) -> Option<AbstractValue> {
    let AbstractValue::Collection(client, _, member, of, _) = collection else {
        return None;
    };
    let ty = member.returns()?;
    Some(AbstractValue::Resource(
        *client,
        ty,
        origin_of_answer(*client, ty, true, *of),
    ))
}

/// Where an object comes from that the answer (a list of them) to an operation of `of` reported of: most answers hold its
/// attributes, these hold no more than its identifiers (boto3's `resources-1.json`, `path`).
fn origin_of_answer(client: Client, ty: SdkResourceType, listed: bool, of: ResourceOrigin) -> ResourceOrigin {
    let loaded = match (client.name(), ty.name()) {
        ("sqs", "Message") => true,
        ("sns" | "sqs", _) => false,
        ("iam", "SamlProvider" | "ServerCertificate" | "GroupPolicy" | "RolePolicy" | "UserPolicy") => false,
        ("dynamodb", _) => !listed,
        _ => true,
    };
    match (of.call(), loaded) {
        (Some(at), _) => ResourceOrigin::Of(at, loaded),
        (None, true) => ResourceOrigin::Loaded,
        (None, false) => ResourceOrigin::Unknown,
    }
}

/// What `enumerate` gives for these.
fn numbered(values: &[AbstractValue]) -> ValueSet {
    let mut out = ValueSetBuilder::default();
    for t in values {
        match t {
            AbstractValue::Literal(at) => out.put(AbstractValue::Items(*at)),
            AbstractValue::Entry(_, held) => out.put(item(held)),
            other => {
                if let Some(e) = element(other) {
                    out.put(item(&Arc::new(e)));
                }
            }
        }
    }
    out.finish()
}

/// Whether the last part of a dotted name begins with a capital.
fn is_class_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or("");
    last.starts_with(|c: char| c.is_ascii_uppercase())
}
