//! Supervision: a panic over one key is caught and retried; a task that ends or panics ends the process.

use std::any::Any;
use std::convert::Infallible;
use std::fmt::Display;
use std::future::pending;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::task::JoinSet;

/// The message of a panic that was caught.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
pub struct Panicked(pub String);

impl Panicked {
    fn of(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self(text.unwrap_or_else(|| "no message".to_owned()))
    }
}

/// Runs a future to its end, and turns a panic in it into an error.
///
/// Of what the future shares with others, only locks may be left half-changed: they are read in spite of poisoning.
///
/// # Errors
/// [`Panicked`], with the panic's message.
pub async fn catch_panic<F: Future>(future: F) -> Result<F::Output, Panicked> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|payload| Panicked::of(&*payload))
}

/// A task that was to run for as long as the process, and did not.
#[derive(Debug, thiserror::Error)]
#[error("the task {task:?} {why}")]
pub struct TaskEnded {
    /// Its name.
    pub task: String,
    /// Its error, its panic, or that it returned.
    pub why: String,
}

/// Tasks that run for as long as the process. Dropped, all of them are aborted.
#[derive(Debug, Default)]
pub struct Tasks(JoinSet<TaskEnded>);

impl Tasks {
    /// Starts a task that never returns.
    pub fn spawn(&mut self, name: impl Into<String>, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_fallible(name, task.map(|()| Err::<Infallible, _>("returned")));
    }

    /// Starts a task that returns only with an error.
    pub fn spawn_fallible<E: Display>(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = Result<Infallible, E>> + Send + 'static,
    ) {
        let task_name = name.into();
        self.0.spawn(async move {
            let why = match catch_panic(task).await {
                Ok(Err(e)) => format!("ended: {e}"),
                Err(panicked) => panicked.to_string(),
            };
            TaskEnded { task: task_name, why }
        });
    }

    /// Waits for the first task that ends. While there is none, this waits as well.
    pub async fn ended(&mut self) -> TaskEnded {
        match self.0.join_next().await {
            Some(Ok(ended)) => ended,
            // A panic is caught within the task, and nobody aborts one.
            Some(Err(e)) => TaskEnded { task: "unnamed".to_owned(), why: e.to_string() },
            None => pending().await,
        }
    }

    /// Aborts every task, and waits until none is left.
    pub async fn abort(mut self) {
        self.0.shutdown().await;
    }

    /// Waits for a future, or for the first task that ends before it.
    ///
    /// # Errors
    /// [`TaskEnded`].
    pub async fn or_ended<F: Future>(&mut self, future: F) -> Result<F::Output, TaskEnded> {
        tokio::select! {
            output = future => Ok(output),
            ended = self.ended() => Err(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn catch_panic_returns_the_message_and_the_output() {
        assert_eq!(catch_panic(async { 7 }).await.unwrap(), 7);
        let panicked = catch_panic(async { panic!("at {}", "home") }).await.unwrap_err();
        assert_eq!(panicked.to_string(), "panicked: at home");
        let after_await = async {
            tokio::task::yield_now().await;
            panic!("later")
        };
        assert_eq!(catch_panic(after_await).await.unwrap_err().0, "later");
    }

    #[tokio::test]
    async fn a_task_that_panics_fails_or_returns_is_named() {
        async fn ended(start: impl FnOnce(&mut Tasks)) -> String {
            let mut tasks = Tasks::default();
            tasks.spawn("another", pending());
            start(&mut tasks);
            tasks.ended().await.to_string()
        }
        let panics = ended(|t| t.spawn("watch of regions", async { panic!("no such kind") })).await;
        assert_eq!(panics, r#"the task "watch of regions" panicked: no such kind"#);
        let fails = ended(|t| t.spawn_fallible("policy guard", async { Err("cannot be read") })).await;
        assert_eq!(fails, r#"the task "policy guard" ended: cannot be read"#);
        let returns = ended(|t| t.spawn("delivery", async {})).await;
        assert_eq!(returns, r#"the task "delivery" ended: returned"#);
    }

    #[tokio::test]
    async fn abort_leaves_no_task_behind() {
        let (mut tasks, shared) = (Tasks::default(), std::sync::Arc::new(()));
        let held = shared.clone();
        tasks.spawn("worker", async move {
            pending::<()>().await;
            drop(held);
        });
        tokio::task::yield_now().await;
        tasks.abort().await;
        assert_eq!(std::sync::Arc::strong_count(&shared), 1);
    }

    #[tokio::test]
    async fn or_ended_is_the_first_of_both() {
        let mut tasks = Tasks::default();
        assert_eq!(tasks.or_ended(async { 1 }).await.unwrap(), 1);
        tasks.spawn("short", async {});
        assert_eq!(tasks.or_ended(pending::<()>()).await.unwrap_err().task, "short");
    }
}
