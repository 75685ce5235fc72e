//! Type expressions of variables: `list(object({ name = string, size = optional(number, 1) }))`.

use std::collections::BTreeMap;
use std::fmt;

use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey};

use crate::model::{Block, Span};

use super::convert::{self, Primitive};
use super::value::{Data, Value};
use super::{functions, nearest};

/// The type of a variable.
#[derive(Clone, Debug)]
pub(crate) enum VarType {
    Any,
    Primitive(Primitive),
    List(Box<VarType>),
    Set(Box<VarType>),
    Map(Box<VarType>),
    Tuple(Vec<VarType>),
    Object(BTreeMap<String, Field>),
    /// A block of this word, by reference: what a module is given.
    Block(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    ty: VarType,
    optional: bool,
    default: Option<Value>,
}

impl fmt::Display for VarType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Block(word) => f.write_str(word),
            Self::Primitive(Primitive::String) => f.write_str("string"),
            Self::Primitive(Primitive::Number) => f.write_str("number"),
            Self::Primitive(Primitive::Bool) => f.write_str("bool"),
            Self::List(inner) => write!(f, "list({inner})"),
            Self::Set(inner) => write!(f, "set({inner})"),
            Self::Map(inner) => write!(f, "map({inner})"),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "tuple([{}])", items.join(", "))
            }
            Self::Object(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, field)| format!("{name} = {}", field.ty)).collect();
                write!(f, "object({{ {} }})", fields.join(", "))
            }
        }
    }
}

/// A type that is written wrongly: what is wrong, where, what to do.
pub(crate) struct BadType {
    pub(crate) text: String,
    pub(crate) span: Option<std::ops::Range<usize>>,
    pub(crate) help: String,
}

/// How defaults inside a type expression are evaluated.
pub(crate) type Default<'d> = &'d dyn Fn(&Expression) -> Option<Value>;

const WORDS: [&str; 10] =
    ["string", "number", "bool", "any", "list", "set", "map", "object", "tuple", "optional"];

/// Reads a type expression.
pub(crate) fn read(expr: &Expression, default: Default<'_>) -> Result<VarType, BadType> {
    use hcl_edit::Span as _;
    let bad = |text: String, help: &str| BadType { text, span: expr.span(), help: help.to_owned() };
    match expr {
        Expression::Variable(word) => match word.value().as_str() {
            "string" => Ok(VarType::Primitive(Primitive::String)),
            "number" => Ok(VarType::Primitive(Primitive::Number)),
            "bool" => Ok(VarType::Primitive(Primitive::Bool)),
            "any" => Ok(VarType::Any),
            "list" | "set" | "map" | "object" | "tuple" => {
                let word = word.value().as_str();
                let inside = if word == "object" { "({ name = string })" } else { "(string)" };
                Err(bad(format!("`{word}` needs a type inside"), &format!("write {word}{inside}")))
            }
            other if Block::from_word(other).is_some() => {
                Ok(VarType::Block(Block::from_word(other).map_or("", Block::word)))
            }
            other => {
                Err(bad(format!("{other:?} is not a type"), &nearest::help(other, "types", &WORDS)))
            }
        },
        Expression::FuncCall(call) => constructor(call, default, &bad),
        Expression::Parenthesis(inner) => read(inner.inner(), default),
        Expression::String(text) => Err(bad(
            "a type is not a text".to_owned(),
            &format!("write it without quotes: {}", text.value()),
        )),
        _ => Err(bad(
            "this is not a type".to_owned(),
            "types: string, number, bool, list(…), map(…), object({…})",
        )),
    }
}

fn constructor(
    call: &FuncCall,
    default: Default<'_>,
    bad: &dyn Fn(String, &str) -> BadType,
) -> Result<VarType, BadType> {
    let name = call.name.name.value().as_str();
    let args: Vec<&Expression> = call.args.iter().collect();
    let inner = |wrap: fn(Box<VarType>) -> VarType| match args.as_slice() {
        [only] => Ok(wrap(Box::new(read(only, default)?))),
        _ => Err(bad(format!("{name}() takes one type"), &format!("write {name}(string)"))),
    };
    match (name, args.as_slice()) {
        ("list", _) => inner(VarType::List),
        ("set", _) => inner(VarType::Set),
        ("map", _) => inner(VarType::Map),
        ("object", [Expression::Object(object)]) => fields(object, default, bad),
        ("object", _) => {
            Err(bad("object() takes its attributes".to_owned(), "write object({ name = string })"))
        }
        ("tuple", [Expression::Array(items)]) => Ok(VarType::Tuple(
            items.iter().map(|item| read(item, default)).collect::<Result<_, _>>()?,
        )),
        ("tuple", _) => {
            Err(bad("tuple() takes a list of types".to_owned(), "write tuple([string, number])"))
        }
        ("optional", _) => Err(bad(
            "optional() stands only in object({…})".to_owned(),
            "a variable is optional when it has a default",
        )),
        _ => {
            let known = functions::find(name).is_some();
            let help = if known {
                "a type cannot call functions".to_owned()
            } else {
                nearest::help(name, "types", &WORDS)
            };
            Err(bad(format!("{name:?} is not a type"), &help))
        }
    }
}

fn fields(
    object: &Object,
    default: Default<'_>,
    bad: &dyn Fn(String, &str) -> BadType,
) -> Result<VarType, BadType> {
    let mut out = BTreeMap::new();
    for (key, value) in object {
        let name = match key {
            ObjectKey::Ident(name) => name.value().as_str().to_owned(),
            ObjectKey::Expression(Expression::String(name)) => name.value().clone(),
            ObjectKey::Expression(_) => {
                return Err(bad(
                    "an attribute's name is a plain word".to_owned(),
                    "write object({ name = string })",
                ));
            }
        };
        out.insert(name, field(value.expr(), default)?);
    }
    Ok(VarType::Object(out))
}

fn field(expr: &Expression, default: Default<'_>) -> Result<Field, BadType> {
    use hcl_edit::Span as _;
    let Expression::FuncCall(call) = expr else {
        return Ok(Field { ty: read(expr, default)?, optional: false, default: None });
    };
    if call.name.name.value().as_str() != "optional" {
        return Ok(Field { ty: read(expr, default)?, optional: false, default: None });
    }
    let bad = |text: &str| BadType {
        text: text.to_owned(),
        span: expr.span(),
        help: "write optional(string) or optional(string, \"default\")".to_owned(),
    };
    let args: Vec<&Expression> = call.args.iter().collect();
    let (ty, given) = match args.as_slice() {
        [ty] => (read(ty, default)?, None),
        [ty, given] => (read(ty, default)?, Some(*given)),
        _ => return Err(bad("optional() takes a type and perhaps a default")),
    };
    let default = match given {
        None => None,
        Some(given) => {
            let value = default(given).ok_or_else(|| bad("the default is a literal value"))?;
            Some(
                convert(value, &ty)
                    .map_err(|wrong| bad(&format!("the default does not fit: {}", wrong.text())))?,
            )
        }
    };
    Ok(Field { ty, optional: true, default })
}

/// A value that does not fit: where in it, what was expected and what was found.
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub(crate) path: String,
    pub(crate) expected: String,
    pub(crate) found: String,
    pub(crate) span: Option<Span>,
}

impl Mismatch {
    /// `expected a number, found a list (at nodes.max)`
    pub(crate) fn text(&self) -> String {
        let mut text = format!("expected {}, found {}", self.expected, self.found);
        if !self.path.is_empty() {
            text.push_str(&format!(" (at {})", self.path));
        }
        text
    }

    fn inside(mut self, step: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{joint}{}", self.path);
        self
    }
}

fn mismatch(value: &Value, expected: impl Into<String>) -> Mismatch {
    Mismatch {
        path: String::new(),
        expected: expected.into(),
        found: value.brief(),
        span: value.origin.clone(),
    }
}

/// Converts a value to a type, as Terraform converts the values of variables.
pub(crate) fn convert(value: Value, ty: &VarType) -> Result<Value, Mismatch> {
    if value.is_null() || value.is_wholly_unknown() {
        return Ok(value);
    }
    let (sensitive, origin) = (value.sensitive, value.origin.clone());
    let done = |data: Data| Ok(Value { data, sensitive, origin: origin.clone() });
    match ty {
        VarType::Any => Ok(value),
        VarType::Block(word) if value.block().is_some_and(|block| block.word == *word) => Ok(value),
        VarType::Block(word) => Err(mismatch(&value, format!("a {word} block"))),
        VarType::Primitive(want) => match convert::to_primitive(&value, *want) {
            Some(value) => Ok(value),
            None => Err(mismatch(&value, want.phrase())),
        },
        VarType::List(inner) | VarType::Set(inner) => {
            let Data::List(items) = value.data else {
                return Err(mismatch(&value, format!("a {ty}")));
            };
            let items = each(items, |_| inner.as_ref())?;
            let set = matches!(ty, VarType::Set(_));
            let items = if set { functions::as_set(items) } else { items };
            done(Data::List(items))
        }
        VarType::Tuple(types) => {
            if value.as_list().is_none_or(|items| items.len() != types.len()) {
                return Err(mismatch(&value, format!("a {ty}")));
            }
            let Data::List(items) = value.data else { return Ok(value) };
            done(Data::List(each(items, |place| types.get(place).unwrap_or(&VarType::Any))?))
        }
        VarType::Map(inner) => {
            let (Data::Map(map) | Data::Object(map)) = value.data else {
                return Err(mismatch(&value, format!("a {ty}")));
            };
            let entry = |(name, item): (String, Value)| {
                let item = convert(item, inner).map_err(|wrong| wrong.inside(&name))?;
                Ok((name, item))
            };
            done(Data::Map(map.into_iter().map(entry).collect::<Result<_, Mismatch>>()?))
        }
        VarType::Object(fields) => {
            let (Data::Map(map) | Data::Object(map)) = value.data else {
                return Err(mismatch(&value, format!("an {ty}")));
            };
            done(Data::Object(object(map, fields, origin.as_ref())?))
        }
    }
}

fn each<'t>(items: Vec<Value>, ty: impl Fn(usize) -> &'t VarType) -> Result<Vec<Value>, Mismatch> {
    let one = |(place, item): (usize, Value)| {
        convert(item, ty(place)).map_err(|wrong| wrong.inside(&format!("[{place}]")))
    };
    items.into_iter().enumerate().map(one).collect()
}

/// Attributes that the type does not name are dropped, as Terraform drops them.
fn object(
    mut map: BTreeMap<String, Value>,
    fields: &BTreeMap<String, Field>,
    origin: Option<&Span>,
) -> Result<BTreeMap<String, Value>, Mismatch> {
    let mut out = BTreeMap::new();
    for (name, field) in fields {
        let given = map.remove(name);
        let value = match (given, &field.default) {
            (Some(value), None) => value,
            (Some(value), Some(_)) if !value.is_null() => value,
            (Some(_) | None, Some(default)) => default.clone(),
            (None, None) if field.optional => Value::null(),
            (None, None) => {
                return Err(Mismatch {
                    path: String::new(),
                    expected: format!("an object with the attribute {name:?}"),
                    found: "one without it".to_owned(),
                    span: origin.cloned(),
                });
            }
        };
        let value = convert(value, &field.ty).map_err(|wrong| wrong.inside(name))?;
        out.insert(name.clone(), value);
    }
    Ok(out)
}
