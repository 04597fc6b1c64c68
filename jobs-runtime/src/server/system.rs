use std::{io, sync::Arc, thread};

use tokio::{sync::oneshot, task::JoinSet};

use super::{
    cancellation, completer, counters, delayed, dispatcher, expiry, heartbeat, recurring, rescue,
    shared::{Inlets, Shared},
    supervise::supervise,
};

/// The thread on which the server's background processes run.
#[derive(Debug)]
pub(super) struct System {
    claiming_ended: Option<oneshot::Receiver<()>>,
    completed: Option<oneshot::Receiver<()>>,
    ended: Option<oneshot::Receiver<()>>,
}

impl System {
    pub(super) fn start(shared: &Arc<Shared>, inlets: Inlets) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (claiming, claiming_ended) = oneshot::channel();
        let (completing, completed) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        let shared = Arc::clone(shared);
        let work = async move {
            let mut processes = JoinSet::new();
            let Inlets { claimed, to_run, ended, outcomes } = inlets;
            drop((to_run, ended));
            spawn_dispatcher(&mut processes, &shared, claimed.clone(), claiming);
            spawn_completer(&mut processes, &shared, outcomes, claimed, completing);
            spawn_others(&mut processes, &shared);
            shared.stop.everything.cancelled().await;
            processes.shutdown().await;
            // The server may have been dropped, and nobody waits.
            let _ = ending.send(());
        };
        thread::Builder::new().name("jobs-server".to_owned()).spawn(move || runtime.block_on(work))?;
        let system = Self { claiming_ended: Some(claiming_ended), completed: Some(completed), ended: Some(ended) };
        Ok(system)
    }

    /// Waits until no more jobs are claimed.
    pub(super) async fn claiming_ended(&mut self) {
        wait(&mut self.claiming_ended).await;
    }

    /// Waits until all outcomes are recorded, after all who could end jobs are gone.
    pub(super) async fn completed(&mut self) {
        wait(&mut self.completed).await;
    }

    /// Waits until the thread has ended its work.
    pub(super) async fn ended(&mut self) {
        wait(&mut self.ended).await;
    }
}

/// An error means that what is waited for is gone, which is as good.
async fn wait(event: &mut Option<oneshot::Receiver<()>>) {
    if let Some(event) = event.take() {
        let _ = event.await;
    }
}

fn spawn_dispatcher(
    processes: &mut JoinSet<()>,
    shared: &Arc<Shared>,
    claimed: async_channel::Sender<crate::storage::ClaimedJob>,
    ended: oneshot::Sender<()>,
) {
    let shared = Arc::clone(shared);
    processes.spawn(async move {
        let stopped = shared.stop.claiming.cancelled();
        let dispatching = supervise(&shared, "dispatcher", || dispatcher::run(&shared, &claimed));
        // While the storage fails, the dispatcher may be in a pause; it need not be waited for.
        tokio::pin!(dispatching);
        tokio::select! {
            biased;
            () = &mut dispatching => {}
            () = async { stopped.await; tokio::time::sleep(std::time::Duration::from_secs(5)).await } => {}
        }
        let _ = ended.send(());
    });
}

fn spawn_completer(
    processes: &mut JoinSet<()>,
    shared: &Arc<Shared>,
    outcomes: tokio::sync::mpsc::Receiver<crate::storage::Finish>,
    claimed: async_channel::Sender<crate::storage::ClaimedJob>,
    completed: oneshot::Sender<()>,
) {
    let shared = Arc::clone(shared);
    processes.spawn(async move {
        let inbox = completer::Inbox::new(outcomes);
        supervise(&shared, "completer", || completer::run(&shared, &inbox, &claimed)).await;
        let _ = completed.send(());
    });
}

/// Each of the others, by name; the heartbeat first.
fn spawn_others(processes: &mut JoinSet<()>, shared: &Arc<Shared>) {
    macro_rules! spawn {
        ($($name:ident),*) => {$(
            let of_process = Arc::clone(shared);
            processes.spawn(async move {
                supervise(&of_process, stringify!($name), || $name::run(&of_process)).await;
            });
        )*};
    }
    spawn!(heartbeat, rescue, delayed, expiry, counters, cancellation);
    if shared.settings.follow_schedules {
        spawn!(recurring);
    }
}
