//! The language's tables as JSON Schema and as a page for people.

use serde_json::{Map, Value, json};

use crate::lang::schema::{Attribute, BlockSchema, Type};
use crate::lang::{LIFECYCLE, META, MODULE};
use crate::model::Block;

/// JSON Schema of a configuration in HCL's JSON form.
pub fn json(blocks: &[BlockSchema]) -> Value {
    let mut properties = Map::new();
    let mut lookups = Map::new();
    for block in blocks {
        match block.word.strip_prefix("lookup ") {
            Some(kind) => drop(lookups.insert(kind.to_owned(), labelled(block))),
            None => drop(properties.insert(block.word.to_owned(), labelled(block))),
        }
    }
    let lookups = json!({ "type": "object", "properties": lookups });
    properties.insert("lookup".to_owned(), lookups);
    properties.insert("locals".to_owned(), json!({ "type": "object" }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mlinfra configuration",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn labelled(block: &BlockSchema) -> Value {
    match block.label {
        Some(_) => json!({ "type": "object", "additionalProperties": body(block) }),
        None if block.repeats => json!({ "type": "array", "items": body(block) }),
        None => body(block),
    }
}

fn body(block: &BlockSchema) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let is_resource = Block::from_word(block.word).is_some();
    let is_module = block.word == MODULE.word;
    let meta = META.iter().filter(|_| is_resource || is_module);
    for Attribute { name, ty, required: must, default, doc } in meta.chain(block.attributes) {
        let mut shape = of(ty);
        if let Some(map) = shape.as_object_mut() {
            map.insert("description".to_owned(), json!(doc));
            if let Some(default) = default {
                map.insert("x-default".to_owned(), json!(default));
            }
        }
        properties.insert((*name).to_owned(), shape);
        if *must {
            required.push(*name);
        }
    }
    let lifecycle = [LIFECYCLE];
    for inner in block.blocks.iter().chain(lifecycle.iter().filter(|_| is_resource)) {
        insert(&mut properties, inner);
    }
    json!({
        "type": "object",
        "description": block.doc,
        "properties": properties,
        "required": required,
        // Any other attribute of a module is the value of one of its variables.
        "additionalProperties": is_module,
    })
}

/// A block within a block. Of a word of two parts the second is a label: `source "redis"`.
fn insert(properties: &mut Map<String, Value>, inner: &BlockSchema) {
    let Some((word, kind)) = inner.word.split_once(' ') else {
        properties.insert(inner.word.to_owned(), labelled(inner));
        return;
    };
    let kinds = properties.entry(word).or_insert_with(
        || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
    );
    // HCL's JSON form writes one block as an object and several as an array of them.
    let one_or_more = json!({ "anyOf": [body(inner), { "type": "array", "items": body(inner) }] });
    kinds["properties"][kind] = one_or_more;
}

fn of(ty: &Type) -> Value {
    match ty {
        Type::String | Type::TypeExpression | Type::Address => json!({ "type": "string" }),
        Type::Number => json!({ "type": "number" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Duration => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
        Type::Size => json!({ "type": "string", "pattern": "^[0-9]+(GiB|TiB|PiB)$" }),
        Type::Reference(word) => json!({ "type": "string", "x-reference": word }),
        Type::OneOf(words) => json!({ "enum": words }),
        Type::List(inner) => json!({ "type": "array", "items": of(inner) }),
        Type::Map(inner) => json!({ "type": "object", "additionalProperties": of(inner) }),
        Type::Either(types) => json!({ "anyOf": types.iter().map(of).collect::<Vec<_>>() }),
        Type::Object(attributes) => {
            let properties: Map<String, Value> =
                attributes.iter().map(|each| (each.name.to_owned(), of(&each.ty))).collect();
            json!({ "type": "object", "properties": properties })
        }
        Type::Any => json!({}),
    }
}

/// The reference as a page.
pub fn markdown(blocks: &[BlockSchema]) -> String {
    let mut out = String::from(
        "# Language reference\n\nMade from the tables in the code by `mlinfra schema --markdown`.\n",
    );
    for block in blocks {
        section(&mut out, block, "");
    }
    out.push_str(
        "\n## locals\n\nNames for expressions, read as `local.<name>`. Any number of blocks.\n",
    );
    every_block(&mut out, blocks);
    out
}

/// What stands in every block that becomes cloud objects.
fn every_block(out: &mut String, blocks: &[BlockSchema]) {
    let words: Vec<String> = blocks
        .iter()
        .filter(|block| Block::from_word(block.word).is_some())
        .map(|block| format!("`{}`", block.word))
        .collect();
    out.push_str("\n## On every block that becomes cloud objects\n\n");
    let words = words.join(", ");
    out.push_str(&format!("In {words} may also stand (and in `module`, without `lifecycle`):\n"));
    attributes(out, META);
    out.push_str(
        "\nUnder `for_each` a reference names a key, `bucket.data[\"eu\"].name`, or means all \
         instances as a map of blocks, `[for b in bucket.data : b.name]`. Under `count` it names a \
         place, `bucket.data[0].name`, or all of them, `bucket.data[*].name`. Keys and numbers \
         must be known when planning and must not be sensitive.\n",
    );
    section(out, &LIFECYCLE, "");
}

fn attributes(out: &mut String, attributes: &[Attribute]) {
    if !attributes.is_empty() {
        out.push_str("\n| attribute | type | default | meaning |\n|---|---|---|---|\n");
    }
    for Attribute { name, ty, required, default, doc } in attributes {
        let default = match (required, default) {
            (true, _) => "required".to_owned(),
            (false, Some(text)) => format!("`{text}`"),
            (false, None) => "–".to_owned(),
        };
        let doc = doc.replace('|', "\\|");
        out.push_str(&format!("| `{name}` | {} | {default} | {doc} |\n", words(ty)));
    }
}

fn section(out: &mut String, block: &BlockSchema, within: &str) {
    let label = block.label.map_or("", |_| " \"name\"");
    let level = if within.is_empty() { "##" } else { "###" };
    let word = match block.word.split_once(' ') {
        Some((word, kind)) => format!("{word} \"{kind}\""),
        None => block.word.to_owned(),
    };
    out.push_str(&format!("\n{level} {within}{word}{label}\n\n{}\n", block.doc));
    if let Some(label) = block.label {
        out.push_str(&format!("\nIts label is {label}.\n"));
    }
    attributes(out, block.attributes);
    if !block.exports.is_empty() {
        out.push_str("\n| can be read | meaning |\n|---|---|\n");
    }
    for export in block.exports {
        let word = block.word.replace(' ', ".");
        out.push_str(&format!("| `{word}.<name>.{}` | {} |\n", export.name, export.doc));
    }
    for inner in block.blocks {
        section(out, inner, &format!("{} / ", block.word));
    }
}

fn words(ty: &Type) -> String {
    match ty {
        Type::String => "text".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Integer => "whole number".to_owned(),
        Type::Bool => "`true` or `false`".to_owned(),
        Type::Duration => "duration, such as `\"10m\"`".to_owned(),
        Type::Size => "size, such as `\"200GiB\"`".to_owned(),
        Type::Reference(word) => format!("a {word}"),
        Type::OneOf(all) => {
            all.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(" or ")
        }
        Type::List(inner) => format!("list of {}", words(inner)),
        Type::Map(inner) => format!("map of {}", words(inner)),
        Type::Either(types) => types.iter().map(words).collect::<Vec<_>>().join(" or "),
        Type::Object(_) => "object".to_owned(),
        Type::Address => "address, such as `bucket.a`".to_owned(),
        Type::TypeExpression => "type, such as `list(string)`".to_owned(),
        Type::Any => "anything".to_owned(),
    }
}
