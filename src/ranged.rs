//! Values of TOML files, with the place of each.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};

use serde::de::{DeserializeOwned, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

/// A value and where it stands: bytes, counted through the settings file and the files that it extends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RangedValue<T> {
    pub value: T,
    #[serde(skip)]
    pub range: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for RangedValue<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(from)?;
        Ok(Self {
            range: spanned.span(),
            value: spanned.into_inner(),
        })
    }
}

impl<T> Deref for RangedValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A value of any type: `L` in a list, `V` in a table.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged, bound(serialize = "L: Serialize, V: Serialize"))]
pub(crate) enum Shape<L, V> {
    Number(i64),
    Word(String),
    List(Vec<L>),
    Table(#[serde(serialize_with = "table::serialize")] Vec<(RangedValue<String>, V)>),
    /// Anything else: its type.
    Other(&'static str),
}

/// An item of a list: its faults stand at the item, not at the list.
#[derive(Deserialize)]
struct ListItem<T>(T);

impl<'de, L: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Shape<L, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any<L, V>(PhantomData<(L, V)>);

        impl<'de, L: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Any<L, V> {
            type Value = Shape<L, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_i64<E>(self, n: i64) -> Result<Self::Value, E> {
                Ok(Shape::Number(n))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Shape::Other("float"))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Shape::Other("boolean"))
            }

            fn visit_str<E>(self, word: &str) -> Result<Self::Value, E> {
                Ok(Shape::Word(word.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                while let Some(ListItem(item)) = items.next_element()? {
                    out.push(item);
                }
                Ok(Shape::List(out))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                loop {
                    match entries.next_key() {
                        Ok(Some(key)) => out.push((key, entries.next_value()?)),
                        Ok(None) => return Ok(Shape::Table(out)),
                        // The parser gives a date as a table whose key has no place.
                        Err(_) => return Ok(Shape::Other("datetime")),
                    }
                }
            }
        }

        from.deserialize_any(Any(PhantomData))
    }
}

pub(crate) fn not_a_list<E: Error>() -> E {
    E::invalid_type(Unexpected::Other("value"), &"a list of strings")
}

/// A list; a single string is a list of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let RangedValue { value, range } = RangedValue::<Shape<T, IgnoredAny>>::deserialize(from)?;
        match value {
            Shape::List(items) => Ok(Self(items)),
            Shape::Word(word) => {
                let value = Spanned::new(range, DeValue::String(word.into()));
                let item = T::deserialize(ValueDeserializer::from(value)).map_err(|e| D::Error::custom(e.message()))?;
                Ok(Self(vec![item]))
            }
            _ => Err(not_a_list()),
        }
    }
}

/// A table whose keys are the user's, as pairs.
pub(crate) mod table {
    use super::*;

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        entries: &[(K, V)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(entries.iter().map(|(k, v)| (k, v)))
    }

    pub(crate) fn deserialize<'de, K: Deserialize<'de>, V: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(K, V)>, D::Error> {
        struct Entries<K, V>(PhantomData<(K, V)>);

        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
            type Value = Vec<(K, V)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    out.push(entry);
                }
                Ok(out)
            }
        }

        from.deserialize_map(Entries(PhantomData))
    }
}

/// A text that is not blank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NonEmptyText(pub String);

impl<'de> Deserialize<'de> for NonEmptyText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.trim().is_empty() {
            return Err(D::Error::custom("expected a string that is not empty"));
        }
        Ok(Self(text))
    }
}
