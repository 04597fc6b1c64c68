//! What `#[recurring]` submits, for a server to find when it starts.

// The macros are imported by name, as in a program that doesn't use the prelude: none of them may count as unused.
#![deny(unused_imports)]

use std::sync::atomic::{AtomicU32, Ordering};

use jobs_runtime::{
    __private::inventory,
    client::Client,
    job,
    job::{Data, JobContext},
    jobs, recurring,
    schedule::{Cron, RecurringDescriptor},
};
use serde::{Deserialize, Serialize};

#[job]
#[recurring(
    cron = "0 9 * * MON-FRI",
    tz = "Asia/Shanghai",
    id = "digest-cn",
    queue = "reports",
    misfire = "strict",
    max_missed = 100,
    overlap = "skip",
    args(region = "eu", days = 3 + 4)
)]
async fn digest(cx: JobContext, region: String, days: u32) {
    drop((cx, region, days));
}

#[recurring(cron = "@daily")]
#[job(name = "mail.ping")]
async fn ping() {}

#[recurring(cron = "0 1 * * *", id = "first", misfire = "relaxed", overlap = "allow", args(count = 1))]
#[jobs_runtime::recurring(cron = "0 2 * * *", id = "second", misfire = "ignorable", args(count = 2))]
#[job]
#[recurring(cron = "*/30 * * * * *", id = "third", args(count = 3))]
#[recurring(cron = Cron::never(), id = "fourth", args(count = next()))]
async fn several(_count: u32) {}

static COUNT: AtomicU32 = AtomicU32::new(4);

fn next() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed)
}

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
}

struct Shop;

#[jobs]
impl Shop {
    const FIRST: u64 = 17;

    #[recurring(
        cron = "@hourly",
        args(order = Order { id: Self::FIRST }, r#type = Some('a'), label = 'x', map = Vec::<(u8, u8)>::new())
    )]
    #[job]
    fn check(&self, other: Data<Client>, order: Order, r#type: Option<char>, label: String, map: Vec<(u8, u8)>) {
        drop((other, order, r#type, label, map));
    }

    #[job]
    #[recurring(cron = "@weekly")]
    async fn sweep() {}
}

#[job]
#[cfg_attr(not(test), recurring(cron = "0 1 * * *", args(number = Unknown)))]
#[cfg_attr(test, recurring(cron = "0 2 * * *", args(number = 1)), must_use)]
#[cfg_attr(test, recurring(cron = "0 3 * * *", id = "conditional", args(number = 2)))]
fn conditional(number: u8) -> u8 {
    number
}

#[job]
#[cfg(any())]
#[recurring(cron = "@daily", args(number = Unknown))]
fn absent(number: Unknown) {}

/// All that are submitted for the job `name`, in the order of their lines.
fn schedules(name: &str) -> Vec<&'static RecurringDescriptor> {
    let all = inventory::iter::<RecurringDescriptor>.into_iter();
    let mut found: Vec<_> = all.filter(|schedule| call(schedule).starts_with(&format!("{name} "))).collect();
    found.sort_by_key(|schedule| text(schedule, "line: "));
    found
}

fn call(schedule: &RecurringDescriptor) -> String {
    schedule.invocation().expect("can be stored").to_string()
}

/// What follows `key` in the debug output.
fn text(schedule: &RecurringDescriptor, key: &str) -> String {
    let all = format!("{schedule:?}");
    let (_, rest) = all.split_once(key).unwrap_or_else(|| panic!("no {key} in {all}"));
    rest.split([' ', '}']).next().unwrap_or_default().trim_end_matches(',').to_owned()
}

#[test]
fn every_option_is_submitted() {
    let [digest] = schedules("ui_tests.digest")[..] else { panic!("one schedule") };
    assert_eq!(call(digest), r#"ui_tests.digest {"region":"eu","days":7}"#);
    let submitted = format!("{digest:?}");
    for part in [
        r#"cron: "0 9 * * MON-FRI", package: "ui_tests", location: Location { package: Some("ui_tests"), file: ""#,
        r#"schedules.rs", line: 19 }, id: Some("digest-cn"), tz: "Asia/Shanghai", queue: Some("reports"), "#,
        "misfire: Strict, max_missed: Some(100), overlap: Skip }",
    ] {
        assert!(submitted.contains(part), "{part}\n{submitted}");
    }
}

#[test]
fn what_is_not_said_is_left_as_it_is_by_default() {
    let [ping] = schedules("mail.ping")[..] else { panic!("one schedule") };
    let submitted = format!("{ping:?}");
    let rest = r#"line: 33 }, id: None, tz: "UTC", queue: None, misfire: Relaxed, max_missed: None, overlap: Allow }"#;
    assert!(submitted.ends_with(rest), "{submitted}");
}

#[test]
fn each_attribute_is_a_schedule_above_and_below_the_job() {
    let several = schedules("ui_tests.several");
    let ids: Vec<String> = several.iter().map(|schedule| text(schedule, "id: ")).collect();
    assert_eq!(ids, [r#"Some("first")"#, r#"Some("second")"#, r#"Some("third")"#, r#"Some("fourth")"#]);
    let calls: Vec<String> = several[..3].iter().map(|schedule| call(schedule)).collect();
    let expected = [1, 2, 3].map(|count| format!("ui_tests.several {{\"count\":{count}}}"));
    assert_eq!(calls, expected);
    assert_eq!(text(several[1], "misfire: "), "Ignorable");
    assert!(format!("{:?}", several[3]).contains(r#"cron: "0 0 31 2 *""#), "`Cron::never()`");
}

#[test]
fn values_are_evaluated_when_they_are_asked_for() {
    let several = schedules("ui_tests.several");
    assert_ne!(call(several[3]), call(several[3]));
}

#[test]
fn methods_have_schedules_too() {
    let [check] = schedules("ui_tests::Shop.check")[..] else { panic!("one schedule") };
    let arguments = r#"{"order":{"id":17},"type":"a","label":"x","map":[]}"#;
    assert_eq!(call(check), format!("ui_tests::Shop.check {arguments}"));
    assert_eq!(text(check, "line: "), "61");
    assert_eq!(schedules("ui_tests::Shop.sweep").len(), 1);
}

#[test]
fn a_schedule_is_there_when_its_condition_holds() {
    let calls: Vec<String> = schedules("ui_tests.conditional").into_iter().map(call).collect();
    assert_eq!(calls, [r#"ui_tests.conditional {"number":1}"#, r#"ui_tests.conditional {"number":2}"#]);
    assert!(schedules("ui_tests.absent").is_empty());
}
