//! The short forms in YAML: one word in place of a list of one, or in place of a test.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ConditionTest, ConditionsTest, Fixed, ItemTest, ValueTest};

/// A list; in YAML a single value stands for a list of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for Many<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Serialize> Serialize for Many<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a list of words")
            }

            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Vec<T>, E> {
                Ok(vec![T::deserialize(StrDeserializer::new(v))?])
            }

            fn visit_bool<E: serde::de::Error>(self, v: bool) -> Result<Vec<T>, E> {
                self.visit_str(if v { "true" } else { "false" })
            }

            fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Vec<T>, E> {
                self.visit_str(&v.to_string())
            }

            fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Vec<T>, E> {
                self.visit_str(&v.to_string())
            }

            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Vec<T>, E> {
                self.visit_str(&v.to_string())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, a: A) -> Result<Vec<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(a))
            }
        }
        if d.is_human_readable() {
            d.deserialize_any(V(PhantomData)).map(Self)
        } else {
            Vec::deserialize(d).map(Self)
        }
    }
}

/// A type that YAML can write as one word instead of a map.
trait WordForm: Sized {
    const EXPECTS: &'static str;
    /// `None` for an unknown word.
    fn from_word(word: &str) -> Option<Self>;
    fn from_map<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error>;
}

struct WordOrMap<T>(PhantomData<T>);

impl<'de, T: WordForm> Visitor<'de> for WordOrMap<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTS)
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<T, E> {
        T::from_word(v).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(v), &self))
    }

    fn visit_bool<E: serde::de::Error>(self, v: bool) -> Result<T, E> {
        self.visit_str(if v { "true" } else { "false" })
    }

    fn visit_map<A: MapAccess<'de>>(self, a: A) -> Result<T, A::Error> {
        T::from_map(MapAccessDeserializer::new(a))
    }
}

/// `Deserialize` and `Serialize` for a type with `#[serde(remote = "Self")]` and a short form.
macro_rules! short_form {
    ($ty:ident, $expects:literal, |$word:ident| $from:expr) => {
        impl WordForm for $ty {
            const EXPECTS: &'static str = $expects;

            fn from_word($word: &str) -> Option<Self> {
                $from
            }

            fn from_map<'de, D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::deserialize(d)
            }
        }

        impl<'de> Deserialize<'de> for $ty {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    d.deserialize_any(WordOrMap(PhantomData))
                } else {
                    Self::deserialize(d)
                }
            }
        }

        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, s)
            }
        }
    };
}

short_form!(ItemTest, "a word or a map of tests", |word| Some(Self {
    is: Many(vec![word.to_owned()]),
    ..Self::default()
}));
short_form!(ValueTest, "a word or a map of tests", |word| Some(Self {
    is: Many(vec![word.to_owned()]),
    ..Self::default()
}));
short_form!(
    ConditionsTest,
    "`absent`, `present`, `narrowing` or a map of tests",
    |word| {
        let mut test = Self::default();
        match word {
            "absent" => test.present = Some(false),
            "present" => test.present = Some(true),
            "narrowing" => test.any = ConditionTest::from_word(word).map(Box::new),
            _ => return None,
        }
        Some(test)
    }
);
short_form!(ConditionTest, "`narrowing` or a map of tests", |word| (word
    == "narrowing")
    .then(|| Self {
        narrowing: Some(true),
        ..Self::default()
    }));

impl<'de> Deserialize<'de> for Fixed {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        /// The compiled form, which names the variant.
        #[derive(Deserialize)]
        enum Compiled {
            Policy(String),
            Files(BTreeMap<String, String>),
        }
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Fixed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy or a map of file names to texts")
            }

            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Fixed, E> {
                Ok(Fixed::Policy(v.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, a: A) -> Result<Fixed, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(a)).map(Fixed::Files)
            }
        }
        if d.is_human_readable() {
            return d.deserialize_any(V);
        }
        Ok(match Compiled::deserialize(d)? {
            Compiled::Policy(text) => Self::Policy(text),
            Compiled::Files(files) => Self::Files(files),
        })
    }
}
