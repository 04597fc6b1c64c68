//! The attribute macros of `jobs-runtime`; use them through that crate, which re-exports them.
//!
//! [`macro@job`] makes a job of a function, [`macro@jobs`] lets methods be jobs, [`macro@recurring`] runs them by a
//! schedule.
//!
//! # How it is built
//!
//! `attribute` is each macro from end to end: `job_fn` and `jobs_impl` read the item, `options` the attribute,
//! `check` makes a `model` of both and reports everything that is wrong, `expand` turns the model into code and
//! can't fail. A `#[recurring]` is read by the `#[job]` or `#[jobs]` that it belongs to (`recurring_attribute`); one
//! that comes first moves behind it (`annotated`). The bodies of functions are never parsed, so a half-typed one
//! breaks nothing but itself. An item with errors is emitted again all the same, with as much of what callers use as
//! can be made, so that the errors shown are the ones to mend.

mod annotated;
mod attribute;
mod check;
mod diagnostic;
mod expand;
mod job_fn;
mod jobs_impl;
mod model;
mod names;
mod options;
mod recurring_attribute;
mod types;

use proc_macro::TokenStream;

/// Makes a job of a function.
///
/// The function stays as it is and can be called as before. Beside it stands a struct that holds the arguments
/// of one call, which can be stored and run later, perhaps by another process:
///
/// ```
/// use jobs_runtime::prelude::*;
/// # struct Mailer;
/// # impl Mailer { async fn welcome(&self, _id: i64, _email: &str) -> Result<(), std::io::Error> { Ok(()) } }
///
/// /// Sends the welcome mail.
/// #[job(queue = "mail", retry(attempts = 5), timeout = "30s")]
/// pub async fn send_welcome(mailer: Data<Mailer>, user_id: i64, email: String) -> Result<(), std::io::Error> {
///     mailer.welcome(user_id, &email).await
/// }
///
/// # async fn example() -> Result<(), EnqueueError> {
/// SendWelcome::enqueue(42, "ada@example.org").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Options
///
/// All are optional: `#[job]` alone is enough. What is wrong in them is an error when the program is compiled,
/// and all errors of a function are shown at once.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `queue = "mail"` | the queue: 1 to 100 of `a-z`, `0-9`, `_` and `-` | `"default"` |
/// | `priority = 5` | the priority within the queue, from -32768 to 32767; higher runs first | 0 |
/// | `retry(…)` | how often and when a failed job is run again, see [below](#retries) | ten times, as Hangfire does |
/// | `timeout = "30s"` | how long one run may take, see [durations](#durations) | no limit |
/// | `retention(succeeded = "7d", failed = "30d", deleted = "1h")` | how long the job is kept when a run has ended it, see [durations](#durations); failed ones are kept until someone decides, if nothing is said | as the storage says |
/// | `name = "mail.send_welcome"` | the name under which calls are stored, see [names](#names) | package and function |
/// | `aliases("send_mail")` | earlier names: what was stored under them still runs | none |
/// | `version = 2, upgrade(v1 = from_v1)` | the arguments have changed, see [versions](#versions) | 1 |
/// | `filters(Audit, Throttle::new(10))` | code round this job's creation, runs and moves: values that implement `Filter` | none |
/// | `as = WelcomeMail` | the name of the struct | the function's in upper camel case |
/// | `crate = "::my::jobs"` | the path of `jobs_runtime`, if it is re-exported elsewhere | `"::jobs_runtime"` |
///
/// A call can choose its own queue and priority, see `Enqueue`.
///
/// # Retries
///
/// `attempts` counts the retries that follow the first run, as in Hangfire. At most one backoff says when they
/// happen:
///
/// | in `retry(…)` | time before each retry | default of `attempts` |
/// |---|---|---|
/// | `attempts = 5` alone | Hangfire's: from 15 seconds to some two hours | 10 |
/// | `attempts = 0` | there is no retry | |
/// | `fixed = "10s"` | always the same | 10 |
/// | `linear = "5s"` | 5, 10, 15 … seconds | 10 |
/// | `exponential = "1s"` | 1, 2, 4 … seconds; `factor = 2` and `max = "24h"` if not said otherwise | 10 |
/// | `delays = ["1s", "5s"]` | these; the last one holds for all that follow | their number |
/// | `by = delay_before` | what `fn delay_before(n: u32) -> Duration` returns for retry n | 10 |
///
/// `jitter = 10` adds up to so many percent to each time, by chance, so that jobs that failed together don't
/// come back together. It is from 0 to 100; 10 by default with `exponential`, 0 else.
///
/// `when = is_transient` retries only after errors for which `fn is_transient(error: &MailError) -> bool` is true; after
/// others the job fails at once. Panics, and runs that take too long, are retried.
///
/// `on_exceeded = "delete"` deletes the job when the last retry has failed, for jobs that nobody will look after; by
/// default it is `"fail"`.
///
/// What contradicts is refused: two backoffs, `factor` or `max` without `exponential`, a `factor` below 2, a
/// `max` shorter than the first time, fewer `attempts` than `delays`, what says how to retry
/// beside `attempts = 0`, `when` for a function that returns no `Result`.
///
/// ```
/// # use jobs_runtime::prelude::*;
/// #[job(retry(attempts = 8, exponential = "500ms", factor = 3, max = "1h", jitter = 20))]
/// async fn poll_partner(partner: u32) {}
///
/// #[job(retry(delays = ["1s", "30s", "1h 30m"]))]
/// async fn charge(order: u64) {}
///
/// fn is_busy(error: &std::io::Error) -> bool {
///     error.kind() == std::io::ErrorKind::WouldBlock
/// }
///
/// #[job(retry(attempts = 3, when = is_busy, on_exceeded = "delete"))]
/// async fn upload(file: String) -> std::io::Result<()> {
///     Ok(())
/// }
///
/// # use std::time::Duration;
/// # assert_eq!(PollPartner::SETTINGS.retry.attempts, 8);
/// # const DELAYS: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(30), Duration::from_secs(5400)];
/// # assert_eq!(Charge::SETTINGS.retry, RetryPolicy::delays(DELAYS));
/// ```
///
/// # Durations
///
/// Numbers with the units `d`, `h`, `m`, `s` and `ms`, each unit once and from large to small: `"30s"`,
/// `"500ms"`, `"1h30m"`, `"1d 12h"`; at most a hundred years. A `timeout` is not zero.
///
/// # Versions
///
/// Stored calls outlive the code. Arguments may be added if they are an `Option` or `#[serde(default)]`, and removed. If they
/// change otherwise, the job gets another `version`, and `upgrade` names a function for each version before, `v1` and so on,
/// that makes the arguments of the next one. It takes any type that can be read from the stored JSON, and returns a `Result`
/// of any that can be written:
///
/// ```
/// # use jobs_runtime::prelude::*;
/// #[derive(serde::Deserialize)]
/// struct GreetV1 {
///     name: String,
/// }
///
/// fn from_v1(old: GreetV1) -> Result<Greet, std::convert::Infallible> {
///     Ok(Greet::new(old.name, 1))
/// }
///
/// #[job(version = 2, upgrade(v1 = from_v1))]
/// async fn greet(name: String, times: u32) {}
/// ```
///
/// A call that can't be upgraded fails for good. One that a later version of the program has stored is retried, so that a
/// server of that version can run it. `jobs_runtime::testing::assert_signatures` tells when a version is needed.
///
/// # Parameters
///
/// What the server supplies:
///
/// | parameter | value |
/// |---|---|
/// | `cx: JobContext` | what may be known of this run: id, attempt, queue … |
/// | `mailer: Data<Mailer>` | a value that the server was given; a server without it refuses to start |
/// | `token: CancellationToken` | cancelled when the job should stop |
/// | `mut tx: JobTx<sqlx::Postgres>` | a transaction that is committed together with the job's success |
/// | `#[inject] tenant: Tenant` | any type that implements `FromContext` |
///
/// The types are recognised by their names. All other parameters are the job's arguments, which are stored as
/// JSON. They own their values and implement serde's `Serialize` and `Deserialize`: a `String` instead of a
/// `&str`, no generics, no `impl Trait`. `#[serde(…)]` and documentation on an argument go to its field. An
/// argument is stored under its name without leading underscores: `_count`, which is not used today, is `count`.
///
/// ```
/// # use jobs_runtime::prelude::*;
/// #[job]
/// async fn import(
///     cx: JobContext,
///     file: String,
///     /// How many lines to skip.
///     #[serde(default)]
///     skip: u64,
/// ) {
///     println!("job {} reads {file} from line {skip}", cx.job_id());
/// }
///
/// let job = Import::new("users.csv", 1);
/// assert_eq!((job.file.as_str(), job.skip), ("users.csv", 1));
/// ```
///
/// # Result
///
/// A function returns nothing, a value, or a `Result` of either. The value is stored as JSON, so it implements
/// `Serialize` and `Deserialize` too. An error is anything that becomes a `Box<dyn Error + Send + Sync>`, such
/// as `anyhow::Error`, an error of your own or a `String`. Which it is is told by the name of the return type:
/// what is named `Result`, or ends with it, is a `Result`; a `Result` with another name is refused.
///
/// A function that is not `async` may block: it runs on the pool of threads for that.
///
/// # Names
///
/// A stored call names its job by a type and a method. For a function these are the package, with `_` for `-`,
/// and the function: `my_app.send_welcome`. Modules are not part of it, so that code can move without orphaning
/// stored jobs. `name = "mail.send_welcome"` is split at its last dot and replaces both; a `name` without a dot
/// replaces the method. To rename a function, keep its earlier name as an alias:
///
/// ```
/// # use jobs_runtime::prelude::*;
/// #[job(aliases("send_mail", "old_app.send_mail"))]
/// async fn send_welcome(user_id: i64) {}
///
/// assert_eq!(SendWelcome::NAME.method(), "send_welcome");
/// assert_eq!(SendWelcome::ALIASES[0].method(), "send_mail");
/// ```
///
/// A [schedule](macro@recurring#ids) that is named as the job goes on under its new name.
///
/// # What is generated
///
/// For the first example, somewhat simplified; all names are written as absolute paths, so it does not matter
/// what they mean around the function:
///
/// ```
/// # mod example {
/// # use jobs_runtime::{client::Enqueue, job::{HandlerDescriptor, JobSettings, Location, Requirements}, prelude::*};
/// # use std::time::Duration;
/// # use jobs_runtime::__private::{inventory, serde, serde::{Deserialize, Serialize}};
/// # pub struct Mailer;
/// # async fn send_welcome(mailer: Data<Mailer>, user_id: i64, email: String) -> Result<(), std::io::Error> {
/// #     let _ = (mailer, user_id, email);
/// #     Ok(())
/// # }
/// /// Sends the welcome mail.
/// #[derive(Serialize, Deserialize)]
/// # #[serde(crate = "jobs_runtime::__private::serde")]
/// pub struct SendWelcome {
///     /// The `user_id` argument.
///     pub user_id: i64,
///     /// The `email` argument.
///     pub email: String,
/// }
///
/// impl SendWelcome {
///     pub fn new(user_id: i64, email: impl Into<String>) -> Self {
///         Self { user_id, email: email.into() }
///     }
///
///     pub fn enqueue(user_id: i64, email: impl Into<String>) -> Enqueue<Self> {
///         Enqueue::new(Self::new(user_id, email))
///     }
/// }
///
/// impl Job for SendWelcome {
///     type Output = ();
///     const NAME: JobName = JobName::new("my_app", "send_welcome");
///     const SETTINGS: JobSettings = JobSettings::DEFAULT
///         .with_queue("mail")
///         .with_retry(RetryPolicy::HANGFIRE.with_attempts(5))
///         .with_timeout(Duration::new(30, 0));
///     const LOCATION: Option<Location> = Some(Location::new(file!(), line!()).in_package("my_app"));
///
///     fn requirements(requirements: &mut Requirements) {
///         <Data<Mailer> as FromContext>::requirements(requirements);
///     }
///
///     async fn perform(self, cx: JobContext) -> Result<(), JobError> {
///         let mailer = <Data<Mailer> as FromContext>::from_context(&cx).await?;
///         send_welcome(mailer, self.user_id, self.email).await.map_err(JobError::new)
///     }
/// }
///
/// inventory::submit! { HandlerDescriptor::of::<SendWelcome>() }
/// # }
/// ```
///
/// Struct and fields are as visible as the function, and have its documentation and its `#[cfg]`s. An argument
/// of type `String` is taken as `impl Into<String>`, every other by its exact type. The call of a function that
/// is not `async` is wrapped, so that it runs on the pool of blocking threads.
#[proc_macro_attribute]
pub fn job(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute::job(options.into(), item.into()).into()
}

/// Lets the methods of a type be jobs.
///
/// Each method with [`#[job]`](macro@job) becomes a job with all its options and, with
/// [`#[recurring]`](macro@recurring), its schedules; the others stay as they are. The structs stand beside the impl
/// block, as visible as their methods.
///
/// ```
/// use jobs_runtime::prelude::*;
///
/// pub struct EmailService {
///     sender: String,
/// }
///
/// #[jobs]
/// impl EmailService {
///     /// Sends the welcome mail.
///     #[job(queue = "mail")]
///     pub async fn send_welcome(&self, email: String) -> Result<(), JobError> {
///         println!("{} writes to {email}", self.sender);
///         Ok(())
///     }
/// }
///
/// # async fn example() -> Result<(), EnqueueError> {
/// SendWelcome::enqueue("ada@example.org").await?;
/// # Ok(())
/// # }
/// # assert!(SendWelcome::NAME.to_string().ends_with("::EmailService.send_welcome"));
/// ```
///
/// The instance is the server's: `JobServer::builder(storage).data(EmailService { … })`, as if the method had a
/// parameter `Data<EmailService>`. Jobs that run at the same time share it, so a method takes `&self`, or no
/// instance at all; `self` and `&mut self` are refused, as are impls of traits and generic ones.
///
/// The stored type is package and type, such as `my_app::EmailService`.
///
/// # Options
///
/// `filters(Audit, Throttle::new(10))` are filters of all its jobs, one of each for each job; they stand round those that a
/// method has of its own.
///
/// `crate = "::my::jobs"` is the path of `jobs_runtime` for all methods, if it is re-exported elsewhere.
#[proc_macro_attribute]
pub fn jobs(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute::jobs(options.into(), item.into()).into()
}

/// Runs a job by a schedule.
///
/// It stands beside [`#[job]`](macro@job), above or below it. A server that starts stores the schedules of all jobs
/// that are linked into its program, and from then on each of their times, their slots, becomes a job:
///
/// ```
/// use jobs_runtime::prelude::*;
///
/// /// Sends the digest of the last days to all who want it.
/// #[job]
/// #[recurring(cron = "0 9 * * MON-FRI", tz = "Asia/Shanghai", args(region = "cn", days = 1))]
/// async fn morning_digest(cx: JobContext, region: String, days: u32) -> Result<(), std::io::Error> {
///     println!("job {} sends the last {days} days to {region}", cx.job_id());
///     Ok(())
/// }
/// ```
///
/// Expression, zone, id and arguments are checked when the program is compiled, with an error at each that is wrong.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `cron = "0 9 * * MON-FRI"` | when: see [the expression](#the-expression) | must be given |
/// | `tz = "Asia/Shanghai"` | the time zone that the expression means, by its name in the IANA database | `"UTC"` |
/// | `id = "digest-cn"` | the name of the schedule, see [ids](#ids) | the job's name |
/// | `queue = "reports"` | the queue of its jobs | the job's |
/// | `misfire = "strict"` | what becomes of slots that were missed, see [below](#missed-slots) | `"relaxed"` |
/// | `max_missed = 100` | how many of them become jobs, with `"strict"` only; from 1 to 10000 | 1000 |
/// | `overlap = "skip"` | `"skip"` if there is no job while an earlier one has not ended | `"allow"` |
/// | `args(days = 7)` | the arguments of its jobs, see [arguments](#arguments) | must be given if the job has any |
///
/// # The expression
///
/// Five fields: minute, hour, day of month, month, day of week; or six, with the second first. Its grammar is that of
/// Hangfire, and [described at `CronExpression`](../jobs_runtime/schedule/struct.CronExpression.html#grammar). Also
/// `"@hourly"`, `"@daily"`, `"@weekly"`, `"@monthly"`, `"@yearly"`, `"@every_minute"` and `"@every_second"`.
///
/// If the day of month and the day of week are both given, **both must hold**, unlike in Unix cron, where one is enough:
/// `"0 9 13 * FRI"` is each Friday the 13th.
///
/// It is a text in quotes, because it is checked when the program is compiled. One that never comes, such as the 31st
/// of February, is refused; a schedule that is only triggered by hand says so:
///
/// ```
/// # use jobs_runtime::prelude::*;
/// #[job]
/// #[recurring(cron = Cron::never(), id = "rebuild")]
/// async fn rebuild_index() {}
/// ```
///
/// # Arguments
///
/// `args` gives each argument of the job its value, by name and in any order. A value is any expression of the
/// argument's type, for a `String` whatever becomes one. It is evaluated when a server starts, in the module of the
/// function; `Self` means the type in methods, too. What the server supplies, such as `JobContext` and `Data<T>`, is
/// not an argument.
///
/// ```
/// # use jobs_runtime::prelude::*;
/// const RETENTION: u32 = 30;
///
/// #[job]
/// #[recurring(cron = "@daily", args(days = RETENTION, tables = vec!["log".to_owned(), "trace".to_owned()]))]
/// async fn clean_up(tables: Vec<String>, days: u32) {
///     println!("removes what is older than {days} days from {tables:?}");
/// }
/// ```
///
/// If the values are others than those that are stored, the schedule is written again; its slots stay. So a value that
/// differs at each start, such as the present time, or the order of a `HashSet`, is a change at each start. The order of
/// the fields in an object, as of a `HashMap`, does not matter.
///
/// # Ids
///
/// A schedule is stored under its id, and shown and triggered by it; if none is given it is the name of the job, such
/// as `my_app.clean_up`. An id has 1 to 200 characters, none of them a control character, and no blank at its beginning
/// or end. When the attribute changes, the schedule of the same id does.
///
/// A schedule without an `id` has another name when its job is renamed. If the job keeps its earlier name as an
/// [alias](macro@job#names), the schedule goes on under the new one: with its next slot, with what it has missed, and
/// paused if it was. Without the alias it begins anew, and the earlier one stays beside it.
///
/// A job can have several schedules, each with an id of its own:
///
/// ```
/// # use jobs_runtime::prelude::*;
/// #[recurring(id = "digest-eu", cron = "0 9 * * *", tz = "Europe/Berlin", args(region = "eu"))]
/// #[recurring(id = "digest-cn", cron = "0 9 * * *", tz = "Asia/Shanghai", args(region = "cn"))]
/// #[job]
/// async fn digest(region: String) {
///     println!("good morning, {region}");
/// }
/// ```
///
/// # Missed slots
///
/// Slots are missed while no server runs. The modes are Hangfire's:
///
/// | `misfire` | when a server runs again |
/// |---|---|
/// | `"relaxed"` | there is one job, however many slots were missed |
/// | `"strict"` | there is one job for each missed slot; of very many for the latest, as many as `max_missed` says |
/// | `"ignorable"` | there is none, but for a slot that was missed by less than twice the polling interval: 30 s by default |
///
/// With `"relaxed"` the slot of the job that makes up for others is the time at which it is made. A handler that computes
/// from its slot, as a report of the day does, needs `"strict"`.
///
/// With `overlap = "skip"` as well, of several missed slots only the first becomes a job, also with `"strict"`: while it
/// has not ended, the others are skipped.
///
/// # Schedules without their attribute
///
/// What was stored stays when its `#[recurring]` is removed from the source: the schedule goes on, and the next server of
/// the program that starts marks it as orphaned. To end it, call `client.recurring().remove(id)`, or build the servers with
/// `remove_orphaned_schedules(true)`, which removes all such schedules of their programs' packages.
///
/// # Methods and conditions
///
/// On a method it stands beside its `#[job]` in the [`#[jobs]`](macro@jobs) block. In a `#[cfg_attr]` the schedule is
/// there when the condition holds, and the job always:
///
/// ```
/// use jobs_runtime::prelude::*;
///
/// pub struct Warehouse {
///     name: String,
/// }
///
/// #[jobs]
/// impl Warehouse {
///     const LEAST: u64 = 10;
///
///     #[job]
///     #[cfg_attr(not(debug_assertions), recurring(cron = "0 */2 * * *", args(least = Self::LEAST)))]
///     pub async fn count_stock(&self, least: u64) {
///         println!("looks in {} for what there is less of than {least}", self.name);
///     }
/// }
/// ```
///
/// # What is generated
///
/// For this function what [`#[job]`](macro@job#what-is-generated) generates, and one more submission for each schedule;
/// somewhat simplified, because all names are written as absolute paths:
///
/// ```
/// # use jobs_runtime::prelude::*;
/// #[job]
/// #[recurring(cron = "0 9 * * *", id = "digest-eu", overlap = "skip", args(region = "eu", days = 7))]
/// async fn digest(region: String, days: u32) {}
/// ```
///
/// ```
/// # mod example {
/// # use jobs_runtime::client::Enqueue;
/// # use jobs_runtime::job::{HandlerDescriptor, Invocation, Location};
/// # use jobs_runtime::prelude::*;
/// # use jobs_runtime::schedule::RecurringDescriptor;
/// # use jobs_runtime::__private::{inventory, serde, serde::{Deserialize, Serialize}};
/// # async fn digest(region: String, days: u32) { let _ = (region, days); }
/// #[derive(Serialize, Deserialize)]
/// # #[serde(crate = "jobs_runtime::__private::serde")]
/// struct Digest {
///     region: String,
///     days: u32,
/// }
///
/// impl Digest {
///     fn new(region: impl Into<String>, days: u32) -> Self {
///         Self { region: region.into(), days }
///     }
///
///     fn enqueue(region: impl Into<String>, days: u32) -> Enqueue<Self> {
///         Enqueue::new(Self::new(region, days))
///     }
/// }
///
/// impl Job for Digest {
///     type Output = ();
///     const NAME: JobName = JobName::new("my_app", "digest");
///     const LOCATION: Option<Location> = Some(Location::new(file!(), line!()).in_package("my_app"));
///
///     async fn perform(self, _: JobContext) -> Result<(), JobError> {
///         digest(self.region, self.days).await;
///         Ok(())
///     }
/// }
///
/// inventory::submit! { HandlerDescriptor::of::<Digest>() }
///
/// inventory::submit! {
///     RecurringDescriptor::new(
///         || Digest::NAME,
///         || Invocation::of(&Digest { region: "eu".into(), days: 7 }),
///         "0 9 * * *",
///         "my_app",
///         Location::new(file!(), line!()).in_package("my_app"),
///     )
///     .id("digest-eu")
///     .overlap(Overlap::Skip)
/// }
/// # }
/// ```
#[proc_macro_attribute]
pub fn recurring(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute::recurring(options.into(), item.into()).into()
}
