//! Several programs in one database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jobs_runtime::{
    client::{ChangeError, JobHandle},
    prelude::*,
    schedule::ScheduleId,
    server::JobServerBuilder,
    state::StateName,
    storage::{JobFilter, JobSummary, PageRequest, Storage, connect},
};
use jobs_tests::{
    Engine, Place, on_each_engine,
    work::{Nap, Work},
};

const TEN_SECONDS: Duration = Duration::from_secs(10);

on_each_engine! {
    // Each with tables of its own: schemas of PostgreSQL, prefixes of MySQL. Their schedules have the same id.
    async fn programs_with_their_own_tables_do_not_see_each_other(place: Place) {
        let (mut urls, mut _other) = ([place.url.clone(), place.url.clone()], None);
        match place.engine {
            Engine::MySql => urls = ["mail_", "shop_"].map(|prefix| place.url.clone().with("table_prefix", prefix)),
            Engine::Postgres => urls[1] = _other.insert(place.engine.place().await).url.clone(),
        }
        let [mail, shop] = urls.map(|url| url.to_string());
        let (mail, shop) = (connect(&mail).await.expect("opened"), connect(&shop).await.expect("opened"));
        let (mails, shops) = (Client::new(mail.clone()), Client::new(shop.clone()));
        let options = ScheduleOptions::new;
        mails.recurring().add_or_update("a", Work::new(1), EVERY_SECOND, options()).await.expect("added");
        shops.recurring().add_or_update("a", Nap::new(1), EVERY_SECOND, options()).await.expect("added");
        let [mail_server, shop_server] = [server(&mail).register::<Work>(), server(&shop).register::<Nap>()];
        let mail_server = mail_server.start().await.expect("started");
        let shop_server = shop_server.start().await.expect("started");
        let works = mails.enqueue_all((0..100).map(Work::new)).await.expect("stored");
        let naps = shops.enqueue_all([1; 100].map(Nap::new)).await.expect("stored");
        for (client, id) in [(&shops, works[0].id()), (&mails, naps[0].id())] {
            assert_eq!(client.job(id).await.expect("read"), None);
            assert!(matches!(client.delete(id).await, Err(ChangeError::NotFound { .. })));
        }
        until_slots_succeeded(&mail, "a", 2).await;
        until_slots_succeeded(&shop, "a", 2).await;
        assert!(mails.recurring().remove("a").await.expect("removed"));
        assert!(shops.recurring().get("a").await.expect("read").is_some());
        wait_for_all(&works).await;
        wait_for_all(&naps).await;
        for (storage, method) in [(&mail, "work"), (&shop, "nap")] {
            assert_eq!(storage.servers().await.expect("read").len(), 1);
            let jobs = list(storage, &JobFilter::all()).await;
            assert!(jobs.len() >= 102 && jobs.iter().all(|job| job.name.method() == method), "{jobs:#?}");
            assert_eq!(storage.counts().await.expect("counted").of(StateName::Failed).value, 0);
        }
        mail_server.shutdown(TEN_SECONDS).await.expect("shut down");
        shop_server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // With the same tables: each takes from its own queues, and leaves alone what it doesn't know.
    async fn programs_with_the_same_tables_leave_each_others_jobs_alone(place: Place) {
        let (mail, shop) = (place.open().await, place.open().await);
        let client = Client::new(mail.clone());
        let recurring = client.recurring();
        let of = |queue: &str| ScheduleOptions::new().queue(queue);
        recurring.add_or_update("mail", Work::new(1), EVERY_SECOND, of("mail")).await.expect("added");
        recurring.add_or_update("shop", Nap::new(1), EVERY_SECOND, of("shop")).await.expect("added");
        let works = client.enqueue_all((0..100).map(|n| Work::enqueue(n).queue("mail"))).await.expect("stored");
        let naps = client.enqueue_all([1; 100].map(|millis| Nap::enqueue(millis).queue("shop"))).await.expect("stored");
        // At first there is only one of the programs.
        let mail_server = server(&mail).register::<Work>().queues(["mail"]).queues_elsewhere(["default"]);
        let mail_server = mail_server.start().await.expect("started");
        wait_for_all(&works).await;
        until_slots_succeeded(&mail, "mail", 2).await;
        let of_shop = list(&mail, &JobFilter::all().queue("shop".parse().expect("a queue"))).await;
        assert_eq!(of_shop.len(), 100, "no slot of a job that no server knows");
        assert!(of_shop.iter().all(|job| job.state == StateName::Enqueued), "{of_shop:#?}");
        let shop_server = server(&shop).register::<Nap>().queues(["shop"]).queues_elsewhere(["default"]);
        let shop_server = shop_server.start().await.expect("started");
        wait_for_all(&naps).await;
        until_slots_succeeded(&mail, "shop", 2).await;
        let [mails, shops] = [&mail_server, &shop_server].map(|server| server.id().to_string());
        for job in list(&mail, &JobFilter::state(StateName::Succeeded)).await {
            let details = mail.job(job.id).await.expect("read").expect("a job");
            let run = details.history.iter().find(|entry| entry.state == StateName::Processing).expect("a run");
            let server = if job.name.method() == "work" { &mails } else { &shops };
            assert_eq!((run.data["server"].as_str(), details.job.attempts), (Some(server.as_str()), 1), "{details:#?}");
        }
        assert_eq!(mail.counts().await.expect("counted").of(StateName::Failed).value, 0);
        mail_server.shutdown(TEN_SECONDS).await.expect("shut down");
        shop_server.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}

const EVERY_SECOND: &str = "* * * * * *";

fn server(storage: &Arc<dyn Storage>) -> JobServerBuilder {
    JobServer::builder(storage.clone()).discover(false).workers(5).schedule_poll_interval(Duration::from_millis(500))
}

async fn wait_for_all<T: jobs_runtime::job::JobOutput>(jobs: &[JobHandle<T>]) {
    for job in jobs {
        job.wait(TEN_SECONDS).await.expect("done");
    }
}

async fn list(storage: &Arc<dyn Storage>, filter: &JobFilter) -> Vec<JobSummary> {
    storage.jobs(filter, &PageRequest::first(1_000)).await.expect("read").jobs
}

/// Waits until some jobs of a schedule are done.
async fn until_slots_succeeded(storage: &Arc<dyn Storage>, schedule: &str, slots: usize) {
    let filter = JobFilter::state(StateName::Succeeded).schedule(schedule.parse::<ScheduleId>().expect("an id"));
    let began = Instant::now();
    while list(storage, &filter).await.len() < slots {
        assert!(began.elapsed() < 3 * TEN_SECONDS, "{:#?}", storage.schedules(None, 10).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
