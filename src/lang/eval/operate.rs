//! Operators and conditions.

use hcl_edit::expr::{BinaryOp, BinaryOperator, Conditional, Expression, UnaryOp, UnaryOperator};
use rust_decimal::Decimal;

use crate::model::{Problem, Span};

use super::super::convert::{self, Primitive};
use super::super::value::{Data, Value};
use super::super::{codes, nearest};
use super::{Eval, Names, Res, Stop};

impl Eval<'_> {
    pub(super) fn unary(&self, op: &UnaryOp, env: Names<'_>) -> Res<Value> {
        let value = self.eval(&op.expr, env)?;
        let span = self.span(&op.expr);
        match op.operator.value() {
            UnaryOperator::Not => {
                let truth = self.operand(&value, Primitive::Bool, &span, "!")?;
                Ok(self.unless_unknown(&[&value], || truth_of(&truth).map(|t| Value::from(!t))))
            }
            UnaryOperator::Neg => {
                let number = self.operand(&value, Primitive::Number, &span, "-")?;
                Ok(self.unless_unknown(&[&value], || number.as_number().map(|n| Value::from(-n))))
            }
        }
    }

    pub(super) fn binary(&self, op: &BinaryOp, env: Names<'_>) -> Res<Value> {
        let operator = *op.operator.value();
        match operator {
            BinaryOperator::And | BinaryOperator::Or => self.logic(op, env),
            BinaryOperator::Eq | BinaryOperator::NotEq => {
                let left = self.borrow(&op.lhs_expr, env)?;
                let right = self.borrow(&op.rhs_expr, env)?;
                let sensitive = left.holds_sensitive() || right.holds_sensitive();
                match convert::equal(&left, &right) {
                    Some(same) => {
                        let wanted = operator == BinaryOperator::Eq;
                        Ok(Value::from(same == wanted).marked(sensitive))
                    }
                    None if left.holds_unknown() || right.holds_unknown() => {
                        Ok(Value::unknown().marked(sensitive))
                    }
                    None => {
                        let side =
                            if left.any(&Value::is_deferred) { &op.lhs_expr } else { &op.rhs_expr };
                        Err(self.deferred(&self.span(side), "one side of this comparison"))
                    }
                }
            }
            BinaryOperator::LessEq
            | BinaryOperator::GreaterEq
            | BinaryOperator::Less
            | BinaryOperator::Greater
            | BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Mul
            | BinaryOperator::Div
            | BinaryOperator::Mod => self.numeric(op, env),
        }
    }

    fn numeric(&self, op: &BinaryOp, env: Names<'_>) -> Res<Value> {
        let operator = *op.operator.value();
        let left = self.eval(&op.lhs_expr, env)?;
        let right = self.eval(&op.rhs_expr, env)?;
        let sign = operator.as_str();
        let a = self.operand(&left, Primitive::Number, &self.span(&op.lhs_expr), sign)?;
        let b = self.operand(&right, Primitive::Number, &self.span(&op.rhs_expr), sign)?;
        let sensitive = left.sensitive || right.sensitive;
        let (Some(x), Some(y)) = (a.as_number(), b.as_number()) else {
            return Ok(Value::unknown().marked(sensitive));
        };
        if matches!(operator, BinaryOperator::Div | BinaryOperator::Mod) && y.is_zero() {
            return Err(Problem::error(codes::ARITHMETIC, "division by zero")
                .at(&self.span(&op.rhs_expr), "this is 0")
                .into());
        }
        let number = |result: Option<Decimal>| match result {
            Some(number) => Ok(Value::from(number)),
            None => Err(Stop::from(
                Problem::error(codes::ARITHMETIC, "the result is too large to be kept exactly")
                    .at(&self.span(op), "more than 28 digits"),
            )),
        };
        let value = match operator {
            BinaryOperator::LessEq => Value::from(x <= y),
            BinaryOperator::GreaterEq => Value::from(x >= y),
            BinaryOperator::Less => Value::from(x < y),
            BinaryOperator::Greater => Value::from(x > y),
            BinaryOperator::Plus => number(x.checked_add(y))?,
            BinaryOperator::Minus => number(x.checked_sub(y))?,
            BinaryOperator::Mul => number(x.checked_mul(y))?,
            BinaryOperator::Div => number(x.checked_div(y))?,
            BinaryOperator::Mod => number(x.checked_rem(y))?,
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::And
            | BinaryOperator::Or => Value::unknown(),
        };
        Ok(value.marked(sensitive))
    }

    /// `&&` and `||`: the right side is evaluated only when it decides.
    fn logic(&self, op: &BinaryOp, env: Names<'_>) -> Res<Value> {
        let and = *op.operator.value() == BinaryOperator::And;
        let sign = op.operator.value().as_str();
        let side = |expr: &Expression| {
            let value = self.eval(expr, env)?;
            self.operand(&value, Primitive::Bool, &self.span(expr), sign)
        };
        let left = side(&op.lhs_expr)?;
        if truth_of(&left) == Some(!and) {
            return Ok(left);
        }
        let right = side(&op.rhs_expr)?;
        let sensitive = left.sensitive || right.sensitive;
        let value = match (truth_of(&left), truth_of(&right)) {
            (Some(_), Some(truth)) => Value::from(truth),
            (None, Some(truth)) if truth != and => Value::from(truth),
            (Some(_) | None, Some(_) | None) => Value::unknown(),
        };
        Ok(value.marked(sensitive))
    }

    pub(super) fn conditional(&self, conditional: &Conditional, env: Names<'_>) -> Res<Value> {
        let condition = self.condition(&conditional.cond_expr, env, "a condition")?;
        let Some(truth) = truth_of(&condition) else {
            return Ok(Value::unknown().marked(condition.sensitive));
        };
        let (chosen, other) = if truth {
            (&conditional.true_expr, &conditional.false_expr)
        } else {
            (&conditional.false_expr, &conditional.true_expr)
        };
        let value = self.eval(chosen, env)?;
        // The other side only lends its type. Where it has no value it lends none: a condition
        // is how people guard against exactly that.
        let other = match self.eval(other, env) {
            Ok(other) => other,
            Err(Stop::Problem(_) | Stop::Reported) => {
                return Ok(value.marked(condition.sensitive));
            }
            Err(limit @ Stop::Limit(_)) => return Err(limit),
        };
        match convert::unify(&value, &other) {
            Some((value, _)) => Ok(value.marked(condition.sensitive)),
            None => {
                let (left, right) = if truth { (&value, &other) } else { (&other, &value) };
                Err(Problem::error(
                    codes::CONDITION,
                    "the two results of this condition have different types",
                )
                .at(&self.span(&conditional.true_expr), left.kind())
                .at(&self.span(&conditional.false_expr), right.kind())
                .help("give both sides the same type; `null` fits every type")
                .into())
            }
        }
    }

    /// A condition as a truth value; unknown only when nothing is known of it.
    pub(super) fn condition(&self, expr: &Expression, env: Names<'_>, what: &str) -> Res<Value> {
        let value = self.eval(expr, env)?;
        let span = self.span(expr);
        if value.is_deferred() {
            return Err(self.deferred(&span, what));
        }
        match convert::to_primitive(&value, Primitive::Bool) {
            Some(truth) if !truth.is_null() => Ok(truth),
            Some(_) | None => {
                Err(Problem::error(codes::OPERAND, format!("{what} is true or false"))
                    .at(&span, format!("this is {}", value.brief()))
                    .into())
            }
        }
    }

    fn operand(&self, value: &Value, want: Primitive, span: &Span, sign: &str) -> Res<Value> {
        if value.is_deferred() {
            return Err(self.deferred(span, &format!("an operand of `{sign}`")));
        }
        match convert::to_primitive(value, want) {
            Some(converted) if !converted.is_null() => Ok(converted),
            Some(_) | None => {
                let mut problem =
                    Problem::error(codes::OPERAND, format!("`{sign}` works on {}", plural(want)))
                        .at(span, format!("this is {}", value.brief()));
                if sign == "+" && matches!(value.data, Data::String(_)) {
                    problem = problem.help("texts are joined in a template: \"${a}${b}\"");
                } else if sign == "+" && matches!(value.data, Data::List(_)) {
                    problem = problem.help("lists are joined by concat(a, b)");
                }
                Err(problem.into())
            }
        }
    }

    fn unless_unknown(&self, from: &[&Value], make: impl Fn() -> Option<Value>) -> Value {
        let sensitive = from.iter().any(|value| value.sensitive);
        make().unwrap_or_else(Value::unknown).marked(sensitive)
    }

    /// The problem of a name that is not declared.
    pub(super) fn no_name(&self, span: &Span, word: &str, name: &str) -> Stop {
        let what = match word {
            "var" => format!("there is no variable {name:?}"),
            "local" => format!("there is no local value {name:?}"),
            _ => format!("there is no {word} {name:?}"),
        };
        let names = self.scope.names(word);
        let help = nearest::help(name, "declared", &names);
        let help = match (word, help.is_empty()) {
            ("var", true) => format!("declare it: variable {name:?} {{}}"),
            ("local", true) => format!("declare it: locals {{ {name} = … }}"),
            (_, true) if !self.folder.is_empty() => format!(
                "a module knows only its own blocks; give it this one as a variable: \
                 variable {name:?} {{ type = {word} }}"
            ),
            (_, true) => format!("declare it: {word} {name:?} {{ … }}"),
            (_, false) => help,
        };
        Problem::error(codes::UNKNOWN_NAME, what).at(span, "not declared").help(help).into()
    }
}

pub(super) fn truth_of(value: &Value) -> Option<bool> {
    value.as_bool()
}

fn plural(want: Primitive) -> &'static str {
    match want {
        Primitive::String => "strings",
        Primitive::Number => "numbers",
        Primitive::Bool => "true and false",
    }
}
