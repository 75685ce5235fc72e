//! The codes of this room's problems. They are stable: scripts and search engines know them.

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*

        /// Every code with its meaning, for documents and `explain`.
        pub const ALL: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

codes! {
    SYNTAX = "L001", "The file is not HCL at this place.";
    LIMIT = "L002", "A file or its evaluation is larger than any real configuration.";
    CHARACTER = "L003", "The file contains a character that no text file has.";
    UNKNOWN_BLOCK = "L010", "No block has this name.";
    LABEL = "L011", "The label of a block is missing, superfluous or not a name.";
    UNKNOWN_ATTRIBUTE = "L012", "The block or object has no such attribute.";
    MISSING = "L013", "A required attribute or block is not there.";
    DUPLICATE = "L014", "Something is declared twice.";
    TYPE = "L015", "A value is of another type than its place takes.";
    REFERENCE_KIND = "L016", "A reference points at another kind of block than its place takes.";
    CHOICE = "L017", "A value is none of those that its place takes.";
    BLOCK_COUNT = "L018", "A block stands more than once where it may stand once.";
    STACK = "L019", "A configuration has exactly one stack block, which depends on no resource.";
    UNKNOWN_NAME = "L020", "A reference to something that is not declared.";
    CYCLE = "L021", "Values depend on each other in a circle.";
    DEFERRED = "L022", "A value that is known only after apply stands where it decides something.";
    UNSUPPORTED = "L023", "A reference or function that this language does not have.";
    ADDRESS = "L024", "An attribute names no place of the configuration.";
    MODULE = "L025", "A module's folder cannot be used.";
    OPERAND = "L030", "An operator got a value that it cannot work on.";
    ARITHMETIC = "L031", "A calculation has no exact result.";
    NUMBER = "L032", "A number has more digits than can be kept exactly.";
    INDEX = "L033", "A list or object has no such element.";
    TEMPLATE = "L034", "A value cannot become text inside a template.";
    ITERATION = "L035", "A `for` cannot run over a value or build its result.";
    CONDITION = "L036", "The two sides of a condition have different types.";
    REPEAT = "L037", "for_each or count got a value that names no instances.";
    UNKNOWN_FUNCTION = "L040", "No function has this name.";
    ARGUMENT_COUNT = "L041", "A function got too few or too many arguments.";
    ARGUMENT = "L042", "A function cannot work on an argument.";
    REPEATABLE = "L043", "A function whose result differs from run to run.";
    VARIABLE_MISSING = "L050", "A variable has neither a value nor a default.";
    VARIABLE_UNKNOWN = "L051", "A value is given for a variable that is not declared.";
    VARIABLE_TYPE = "L052", "A variable's value does not fit its type.";
    VALIDATION = "L053", "A variable's value breaks one of its own rules.";
    TYPE_EXPRESSION = "L054", "A type is written wrongly.";
    VARIABLE_FILE = "L055", "A file of variable values holds something else.";
    SENSITIVE_OUTPUT = "L060", "An output shows a sensitive value without saying so.";
    INTERNAL = "L099", "A fault of mlinfra itself.";
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(super::ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
