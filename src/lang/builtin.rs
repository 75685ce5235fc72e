//! The blocks of the language itself. `stack/` lists them beside its own.

use super::schema::{Attribute, BlockSchema, Type};

/// `variable "name" {}`
pub const VARIABLE: BlockSchema = BlockSchema {
    word: "variable",
    label: Some("its name, read as `var.<name>`"),
    repeats: true,
    attributes: &[
        Attribute::new("type", Type::TypeExpression, "The type of its value.").or("any"),
        Attribute::new("default", Type::Any, "Its value when none is given."),
        Attribute::new("description", Type::String, "What it is for."),
        Attribute::new("sensitive", Type::Bool, "Its value is never shown.").or("false"),
        Attribute::new("nullable", Type::Bool, "Its value may be null.").or("true"),
    ],
    blocks: &[VALIDATION],
    exports: &[],
    doc: "A value that is given from outside: --var, --var-file or MLINFRA_VAR_name.",
};

/// `validation {}` in a variable.
pub const VALIDATION: BlockSchema = BlockSchema {
    word: "validation",
    label: None,
    repeats: true,
    attributes: &[
        Attribute::new("condition", Type::Bool, "Must be true.").required(),
        Attribute::new("error_message", Type::String, "What to say when it is not.").required(),
    ],
    blocks: &[],
    exports: &[],
    doc: "A rule that the value of a variable must keep.",
};

/// `output "name" {}`
pub const OUTPUT: BlockSchema = BlockSchema {
    word: "output",
    label: Some("its name"),
    repeats: true,
    attributes: &[
        Attribute::new("value", Type::Any, "What to show.").required(),
        Attribute::new("description", Type::String, "What it is."),
        Attribute::new("sensitive", Type::Bool, "Its value is shown only on demand.").or("false"),
    ],
    blocks: &[],
    exports: &[],
    doc: "A value that is shown after apply and read by other tools.",
};

/// What can be looked up: the first labels of `lookup` blocks.
pub(crate) const LOOKUPS: [&str; 6] = ["vpc", "subnets", "bucket", "image", "zones", "account"];

/// Attributes of every block that becomes cloud objects.
pub const META: &[Attribute] = &[
    Attribute::new(
        "for_each",
        Type::Any,
        "One instance for every entry of a map or object, or element of a set of texts: \
         `bucket.data[\"eu\"]`. The body reads `each.key` and `each.value`.",
    ),
    Attribute::new(
        "count",
        Type::Integer,
        "So many instances: `bucket.data[0]`. The body reads `count.index`.",
    ),
    Attribute::new(
        "depends_on",
        Type::List(&Type::Any),
        "Blocks and modules that stand before it and go after it, although nothing in it refers \
         to them.",
    ),
];

/// `lifecycle {}` in every block that becomes cloud objects.
pub const LIFECYCLE: BlockSchema = BlockSchema {
    word: "lifecycle",
    label: None,
    repeats: false,
    attributes: &[
        Attribute::new(
            "precious",
            Type::Bool,
            "While the block stands, a plan that would delete or replace an object of it is \
             refused.",
        )
        .or("false"),
        Attribute::new(
            "ignore",
            Type::List(&Type::String),
            "Fields of its objects, as plans name them, that may differ: others manage them.",
        )
        .or("[]"),
    ],
    blocks: &[],
    exports: &[],
    doc: "What a plan may do to the objects of the block.",
};

/// `module "name" {}`
pub const MODULE: BlockSchema = BlockSchema {
    word: "module",
    label: Some("the name by which other blocks read its outputs: `module.<name>.<output>`"),
    repeats: true,
    attributes: &[Attribute::new(
        "source",
        Type::String,
        "A folder inside the stack's own, from this file's folder on, such as \
             `\"./modules/team\"`.",
    )
    .required()],
    blocks: &[],
    exports: &[],
    doc: "Everything that the files of a folder declare, with values for its variables: every \
          other attribute is one. Inside, names are the module's own; blocks come in as values \
          of variables (`type = bucket`) and go out as outputs. Evaluated as a whole, after all \
          that it refers to; `file()` reads beside the module's files.",
};

/// `locals {}`
pub const LOCALS: BlockSchema = BlockSchema {
    word: "locals",
    label: None,
    repeats: true,
    attributes: &[],
    blocks: &[],
    exports: &[],
    doc: "Names for values, read as `local.name`. Any attributes may stand in it.",
};

/// Attributes of every block that becomes cloud objects; the block's own table lacks them.
pub(crate) const EVERY: [&str; 3] = ["for_each", "count", "depends_on"];
