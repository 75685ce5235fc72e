//! A thread whose stack no input can exhaust.

use crate::model::Problem;

use super::{codes, limits};

/// Runs work on a thread whose stack no input can exhaust.
pub(crate) fn on_large_stack<T: Send>(
    work: impl FnOnce() -> Result<T, Problem> + Send,
) -> Result<T, Problem> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("lang".to_owned())
            .stack_size(limits::STACK)
            .spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Problem::error(
                codes::INTERNAL,
                "a fault of mlinfra itself while reading the configuration",
            )
            .help("please report it with the configuration that caused it")),
            Err(error) => {
                Err(Problem::error(codes::INTERNAL, format!("no thread can be started: {error}")))
            }
        }
    })
}
