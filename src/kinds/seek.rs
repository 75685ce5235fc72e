//! Finds links and deferred texts in whatever serde can write, without writing it.
//!
//! A plan looks into every object several times. Turning each into a JSON tree to walk
//! over costs more than all the rest of planning, so this serializer walks over the
//! object itself and only remembers the shapes of [`crate::model::Link`] and
//! [`crate::model::Text`].

use std::fmt::Display;

use serde::ser::{self, Serialize};
use serde_json::Value;

/// What was found.
pub(super) enum Shape<'a> {
    /// A link to an address, in its tag form.
    To(&'a str),
    /// A link to an object.
    Id(&'a str),
    /// The pieces of a deferred text, as JSON.
    Text(Value),
}

/// Hears of every shape, with the top-level field that holds it.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&'static str, Shape<'_>);

/// Looks through the fields of a struct.
pub(super) fn seek<T: Serialize>(whole: &T, sink: Sink<'_>) {
    // Serializing plain data cannot fail, and nothing here fails by itself.
    drop(whole.serialize(Seeker { sink, field: "", key: Key::Plain }));
}

/// The key under which a value stands, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Plain,
    To,
    Id,
    Text,
}

impl Key {
    fn of(text: &str) -> Self {
        match text {
            "$to" => Self::To,
            "$id" => Self::Id,
            "$text" => Self::Text,
            _ => Self::Plain,
        }
    }
}

struct Seeker<'s> {
    sink: Sink<'s>,
    /// The top-level field; empty above it.
    field: &'static str,
    key: Key,
}

impl Seeker<'_> {
    fn within(&mut self, key: Key) -> Seeker<'_> {
        Seeker { sink: &mut *self.sink, field: self.field, key }
    }

    fn value<T: ?Sized + Serialize>(&mut self, key: Key, value: &T) -> Result<(), Never> {
        if key == Key::Text {
            let pieces = serde_json::to_value(value).unwrap_or_default();
            (self.sink)(self.field, Shape::Text(pieces));
            return Ok(());
        }
        value.serialize(self.within(key))
    }
}

/// The error of what does not fail.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Never(String);

impl ser::Error for Never {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

/// Methods that have nothing to look at.
macro_rules! plain {
    ($($method:ident: $ty:ty),* $(,)?) => {
        $(fn $method(self, _: $ty) -> Result<Self::Ok, Self::Error> {
            Ok(Default::default())
        })*
    };
}

impl<'s> ser::Serializer for Seeker<'s> {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Within<'s>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    plain! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
        serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    fn serialize_str(self, text: &str) -> Result<(), Never> {
        match self.key {
            Key::To => (self.sink)(self.field, Shape::To(text)),
            Key::Id => (self.sink)(self.field, Shape::Id(text)),
            Key::Plain | Key::Text => {}
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        mut self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        self.value(Key::Plain, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Within<'s>, Never> {
        Ok(Within { seeker: self, next: Key::Plain })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Never> {
        Ok(self)
    }
}

/// The items of all that is written one after the other.
macro_rules! items {
    ($($item:ident: $method:ident),* $(,)?) => {
        $(impl ser::$item for Seeker<'_> {
            type Ok = ();
            type Error = Never;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Never> {
                self.value(Key::Plain, value)
            }

            fn end(self) -> Result<(), Never> {
                Ok(())
            }
        })*
    };
}

items! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field,
}

/// The fields of structs.
macro_rules! fields {
    ($($fields:ident),*) => {
        $(impl ser::$fields for Seeker<'_> {
            type Ok = ();
            type Error = Never;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Never> {
                let top = self.field.is_empty();
                if top {
                    self.field = name;
                }
                let done = self.value(Key::of(name), value);
                if top {
                    self.field = "";
                }
                done
            }

            fn end(self) -> Result<(), Never> {
                Ok(())
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

/// The entries of a map.
struct Within<'s> {
    seeker: Seeker<'s>,
    next: Key,
}

impl ser::SerializeMap for Within<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Never> {
        let mut found = Key::Plain;
        let mut hear = |_: &'static str, shape: Shape<'_>| {
            if let Shape::To(text) = shape {
                found = Key::of(text);
            }
        };
        // A text under a key of links is reported: so the key itself is learnt.
        key.serialize(Seeker { sink: &mut hear, field: "", key: Key::To })?;
        self.next = found;
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Never> {
        self.seeker.value(self.next, value)
    }

    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}
