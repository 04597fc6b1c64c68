use tokio::sync::watch;

use crate::state::StateName;

/// Wake-ups within a process: who waits for something registers first, looks next, and then sleeps until the
/// topic is signalled, so that nothing is missed in between.
///
/// A signal is a hint, and every waiter polls behind it.
#[derive(Debug, Default)]
pub struct Signals([watch::Sender<()>; 5]);

/// What a waiter waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Jobs entered a queue.
    Ready,
    /// Jobs were scheduled.
    Scheduled,
    /// Jobs were done with.
    Finished,
    /// Jobs were taken from the server that runs them.
    Revoked,
    /// Schedules were changed.
    Recurring,
}

impl Signals {
    /// Wakes all who wait for `topic`.
    pub fn notify(&self, topic: Topic) {
        self.0[topic as usize].send_replace(());
    }

    /// Wakes everyone, because something happened and it is not known what.
    pub fn notify_all(&self) {
        for topic in &self.0 {
            topic.send_replace(());
        }
    }

    /// Registers for `topic`.
    #[must_use]
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        Subscription(self.0[topic as usize].subscribe())
    }
}

/// A waiter's registration.
#[derive(Clone, Debug)]
pub struct Subscription(watch::Receiver<()>);

impl Subscription {
    /// Forgets the signals given so far; call it before looking at the storage.
    pub fn reset(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for a signal since the last [`reset`](Self::reset) or [`changed`](Self::changed).
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // The storage is gone; the waiter's own poll or shutdown ends the wait.
            std::future::pending::<()>().await;
        }
    }
}

/// What a committed write brought about; collected while it runs, announced when it is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// Jobs entered a queue.
    pub ready: bool,
    /// Jobs were scheduled.
    pub scheduled: bool,
    /// Jobs were done with.
    pub finished: bool,
    /// Jobs were taken from the server that runs them.
    pub revoked: bool,
    /// Schedules were changed.
    pub recurring: bool,
}

impl Effects {
    /// Notes that a job entered `state`.
    pub fn entered(&mut self, state: StateName) {
        match state {
            StateName::Enqueued => self.ready = true,
            StateName::Scheduled => self.scheduled = true,
            StateName::Succeeded | StateName::Failed | StateName::Deleted => self.finished = true,
            StateName::Awaiting | StateName::Processing => {}
        }
    }

    /// Wakes all whom it concerns.
    pub fn announce(self, signals: &Signals) {
        let topics = [
            (self.ready, Topic::Ready),
            (self.scheduled, Topic::Scheduled),
            (self.finished, Topic::Finished),
            (self.revoked, Topic::Revoked),
            (self.recurring, Topic::Recurring),
        ];
        for (_, topic) in topics.into_iter().filter(|(happened, _)| *happened) {
            signals.notify(topic);
        }
    }
}
