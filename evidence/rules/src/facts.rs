//! Facts: all that a rule can see, in one canonical encoding.
//!
//! `shown.*` holds what the verifier of the bundle showed; `declared.*` what somebody declared, and is only his
//! word. Times are whole milliseconds since the Unix epoch. There are no fractions and no null.

use crate::bounds;
use crate::error::Broken;
use std::collections::BTreeMap;
use zeugma_crypto::hash::framed;
use zeugma_types::codec::put_bytes;
use zeugma_types::{Code, Decode, Encode, Purpose, Reader, Refusal};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// Values in an order that says something.
    List(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
}

/// A map of values, within the bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Value>);

impl Facts {
    /// Takes the map when it keeps the bounds.
    ///
    /// # Errors
    /// [`Broken::Rule`] with the path, what was found and the bound.
    pub fn new(map: BTreeMap<String, Value>) -> Result<Self, Broken> {
        let mut path = Vec::new();
        check_map(&map, &mut path, 1)?;
        let facts = Self(map);
        let length = facts.to_bytes().len();
        if length > bounds::FACTS {
            return Err(Broken::bound("facts", "bytes", length, bounds::FACTS));
        }
        Ok(facts)
    }

    /// Reads the JSON view.
    ///
    /// # Errors
    /// [`Broken`] for text that is not JSON, a name given twice, a fraction, null, or a broken bound.
    pub fn from_json(text: &str) -> Result<Self, Broken> {
        let value: Strict = serde_json::from_str(text)
            .map_err(|error| Broken::Text { what: "JSON view of facts", why: error.to_string() })?;
        match value.0 {
            Value::Map(map) => Self::new(map),
            other => {
                Err(Broken::rule("facts", format!("a map is asked; found {}", crate::error::kind(&other))))
            }
        }
    }

    /// Reads a table of TOML.
    ///
    /// # Errors
    /// [`Broken`] for a fraction, a date (write milliseconds) or a broken bound.
    pub fn from_toml(table: &toml::Table) -> Result<Self, Broken> {
        let map = table.iter().map(|(name, value)| Ok((name.clone(), of_toml(value, name)?)));
        Self::new(map.collect::<Result<_, Broken>>()?)
    }

    /// The JSON view, with names in order.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        json_map(&self.0)
    }

    /// The value at a path such as `shown.log.inclusion`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let mut value = self.0.get(names.next()?)?;
        for name in names {
            let Value::Map(map) = value else { return None };
            value = map.get(name)?;
        }
        Some(value)
    }

    /// The digest that a verdict names.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        framed(Purpose::Facts, &[&self.to_bytes()])
    }

    /// The members of the topmost map.
    #[must_use]
    pub const fn members(&self) -> &BTreeMap<String, Value> {
        &self.0
    }
}

fn check_map(map: &BTreeMap<String, Value>, path: &mut Vec<String>, depth: usize) -> Result<(), Broken> {
    if map.len() > bounds::FACT_MEMBERS {
        return Err(Broken::bound(shown(path), "members", map.len(), bounds::FACT_MEMBERS));
    }
    for (name, value) in map {
        path.push(name.clone());
        let name_is_plain =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !name_is_plain || name.len() > bounds::NAME {
            return Err(Broken::rule(
                shown(path),
                format!("a name is 1 to {} of a-z, A-Z, 0-9 and _; found {name:?}", bounds::NAME),
            ));
        }
        check(value, path, depth)?;
        path.pop();
    }
    Ok(())
}

fn check(value: &Value, path: &mut Vec<String>, depth: usize) -> Result<(), Broken> {
    if depth >= bounds::FACT_DEPTH && matches!(value, Value::List(_) | Value::Map(_)) {
        return Err(Broken::bound(shown(path), "depth", depth + 1, bounds::FACT_DEPTH));
    }
    match value {
        Value::Text(text) if text.len() > bounds::FACT_TEXT => {
            Err(Broken::bound(shown(path), "bytes of text", text.len(), bounds::FACT_TEXT))
        }
        Value::List(items) if items.len() > bounds::FACT_MEMBERS => {
            Err(Broken::bound(shown(path), "items", items.len(), bounds::FACT_MEMBERS))
        }
        Value::List(items) => items.iter().try_for_each(|item| check(item, path, depth + 1)),
        Value::Map(map) => check_map(map, path, depth + 1),
        Value::Flag(_) | Value::Number(_) | Value::Text(_) => Ok(()),
    }
}

fn shown(path: &[String]) -> String {
    if path.is_empty() { "facts".to_owned() } else { path.join(".") }
}

fn of_toml(value: &toml::Value, at: &str) -> Result<Value, Broken> {
    let not = |found| Broken::NotAFact { at: at.to_owned(), found };
    Ok(match value {
        toml::Value::String(text) => Value::Text(text.clone()),
        toml::Value::Integer(number) => Value::Number(*number),
        toml::Value::Boolean(flag) => Value::Flag(*flag),
        toml::Value::Float(_) => return Err(not("a fraction")),
        toml::Value::Datetime(_) => return Err(not("a date (write whole milliseconds)")),
        toml::Value::Array(items) => {
            Value::List(items.iter().map(|item| of_toml(item, at)).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => Value::Map(
            table
                .iter()
                .map(|(name, value)| Ok((name.clone(), of_toml(value, &format!("{at}.{name}"))?)))
                .collect::<Result<_, Broken>>()?,
        ),
    })
}

fn json_map(map: &BTreeMap<String, Value>) -> serde_json::Value {
    map.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
}

impl Value {
    /// The JSON view.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => json_map(map),
        }
    }
}

/// JSON that is only what facts can be: no name twice, no fraction, no null.
struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> serde::de::Visitor<'de> for Visitor {
    type Value = Strict;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("text, a whole number of 64 bits, true or false, a list or a map")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Strict, E> {
        Ok(Strict(Value::Flag(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Strict, E> {
        Ok(Strict(Value::Number(number)))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Strict, E> {
        i64::try_from(number)
            .map(|number| Strict(Value::Number(number)))
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E>(self, text: &str) -> Result<Strict, E> {
        Ok(Strict(Value::Text(text.to_owned())))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut access: A) -> Result<Strict, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Strict(Value::List(items)))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Strict, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, Strict(value))) = access.next_entry::<String, Strict>()? {
            if map.contains_key(&name) {
                return Err(serde::de::Error::custom(format!("the name {name:?} is given twice")));
            }
            map.insert(name, value);
        }
        Ok(Strict(Value::Map(map)))
    }
}

impl Encode for Value {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Flag(flag) => out.extend([0, u8::from(*flag)]),
            Self::Number(number) => {
                out.push(1);
                out.extend(number.to_be_bytes());
            }
            Self::Text(text) => {
                out.push(2);
                put_bytes(out, text.as_bytes());
            }
            Self::List(items) => {
                out.push(3);
                zeugma_types::codec::put_list(out, items, |out, item| item.encode(out));
            }
            Self::Map(map) => {
                out.push(4);
                put_map(out, map);
            }
        }
    }
}

fn put_map(out: &mut Vec<u8>, map: &BTreeMap<String, Value>) {
    let members: Vec<_> = map.iter().collect();
    zeugma_types::codec::put_list(out, &members, |out, (name, value)| {
        put_bytes(out, name.as_bytes());
        value.encode(out);
    });
}

impl Value {
    /// A flag, a number or text: what a finding's argument may be.
    pub(crate) fn read_plain(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        // At the deepest level nothing may nest.
        Self::read(reader, bounds::FACT_DEPTH)
    }

    fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, Refusal> {
        let tag = reader.u8()?;
        if depth >= bounds::FACT_DEPTH && tag >= 3 {
            return Err(Refusal::new(Code::TooMany).needed(bounds::FACT_DEPTH).found(depth + 1));
        }
        match tag {
            0 => match reader.u8()? {
                flag @ (0 | 1) => Ok(Self::Flag(flag == 1)),
                other => Err(Refusal::new(Code::UnknownTag).needed(1_u64).found(other)),
            },
            1 => Ok(Self::Number(i64::from_be_bytes(reader.array()?))),
            2 => Ok(Self::Text(reader.text(bounds::FACT_TEXT)?)),
            3 => Ok(Self::List(reader.list(bounds::FACT_MEMBERS, |reader| Self::read(reader, depth + 1))?)),
            4 => Ok(Self::Map(read_map(reader, depth + 1)?)),
            other => Err(Refusal::new(Code::UnknownTag).needed(4_u64).found(other)),
        }
    }
}

/// Names stand in ascending order, each once.
fn read_map(reader: &mut Reader<'_>, depth: usize) -> Result<BTreeMap<String, Value>, Refusal> {
    let members = reader
        .list(bounds::FACT_MEMBERS, |reader| Ok((reader.text(bounds::NAME)?, Value::read(reader, depth)?)))?;
    if members.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(Refusal::new(Code::NotSorted));
    }
    Ok(members.into_iter().collect())
}

impl Encode for Facts {
    fn encode(&self, out: &mut Vec<u8>) {
        put_map(out, &self.0);
    }
}

impl Decode for Facts {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let map = read_map(reader, 1)?;
        Self::new(map).map_err(|_| Refusal::new(Code::NotCanonical))
    }
}
