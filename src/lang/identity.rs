//! What the stack is called, and what is read of it: `stack.name`, `stack.env`, `stack.region`.

use crate::model::Problem;

use super::load::Loader;
use super::value::Value;
use super::{Evaluated, codes, limits};

impl Loader<'_> {
    /// The stack's name says its environment.
    pub(super) fn name_env(&mut self, stack: &mut Evaluated) {
        let Some(env) = self.vars.env().filter(|_| self.vars.names_env()) else { return };
        let Some(label) = &mut stack.label else { return };
        label.push('-');
        label.push_str(env);
        if label.len() > limits::STACK_NAME {
            let text = format!("the stack's name is too long in environment {env:?}: {label}");
            let help = format!("it has at most {} characters", limits::STACK_NAME);
            let problem = Problem::error(codes::STACK, text).at(&stack.span, "its label");
            self.problems.push(problem.help(help));
        }
    }

    /// `stack.env` and its like.
    pub(super) fn fact(&self, name: &str) -> Option<Value> {
        let stack = self.stack.as_deref();
        match name {
            "env" => Some(self.env.clone()),
            "name" => stack?.label.clone().map(Value::from),
            _ => stack?.attr(name).cloned(),
        }
    }
}
