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
