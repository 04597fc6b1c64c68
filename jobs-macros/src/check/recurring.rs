//! The schedules of a job.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::spanned::Spanned as _;

use super::arguments;
use crate::{
    diagnostic::{Errors, Problem},
    model::{Model, Recurring},
    options::{
        recurring::RecurringOptions,
        schedule_id::{self, Id},
    },
    recurring_attribute::RecurringAttribute,
};

/// Reads all `#[recurring]`s of a function; what has an error is reported and left out.
pub(super) fn read(attributes: &[RecurringAttribute], model: &Model, errors: &Errors) -> Vec<Recurring> {
    let mut ids = Vec::new();
    attributes.iter().filter_map(|attribute| schedule(attribute, model, &mut ids, errors)).collect()
}

fn schedule<'a>(
    recurring: &'a RecurringAttribute,
    model: &Model,
    ids: &mut Ids<'a>,
    errors: &Errors,
) -> Option<Recurring> {
    let RecurringAttribute { attribute, condition, .. } = recurring;
    let options = RecurringOptions::parse(attribute, errors);
    let values = arguments::read(options.args.as_ref(), attribute, model, errors);
    check_id(&options.id, recurring, model, ids, errors);
    Some(Recurring {
        cron: options.cron?,
        tz: options.tz,
        id: match options.id {
            Id::Given(literal) => Some(literal.value()),
            Id::OfJob | Id::Wrong => None,
        },
        queue: options.queue,
        misfire: options.misfire,
        max_missed: options.max_missed,
        overlap: options.overlap,
        values,
        condition: condition.clone(),
        mention: recurring.mention(),
        span: attribute.path().span(),
    })
}

/// The ids so far, each with the condition under which its schedule is there.
type Ids<'a> = Vec<(String, Option<&'a TokenStream>)>;

/// Reports an id that an earlier schedule of the function has, and a job's name that can be no id.
fn check_id<'a>(id: &Id, recurring: &'a RecurringAttribute, model: &Model, ids: &mut Ids<'a>, errors: &Errors) {
    let of_job = || format!("{}.{}", model.name.type_name, model.name.method);
    let (id, at) = match id {
        Id::Given(literal) => (literal.value(), literal.to_token_stream()),
        Id::OfJob => (of_job(), recurring.attribute.to_token_stream()),
        Id::Wrong => return,
    };
    let condition = recurring.condition.as_ref();
    if ids.iter().any(|(earlier, other)| *earlier == id && can_both_hold(condition, *other)) {
        let problem = Problem::new(format!("two schedules have the id `{}`", id.escape_debug()));
        let problem = problem.help("give each `#[recurring]` of the function an `id` of its own");
        errors.at(at, problem.note("a schedule is found by its id, which is the job's name if none is given"));
    } else if let Some(fault) = schedule_id::fault(&id) {
        let problem = Problem::new(format!("the job's name can't be the schedule's id: {}", fault.what));
        errors.at(at, problem.help("give the schedule an id: `#[recurring(id = \"digest\", …)]`"));
    }
    ids.push((id, condition));
}

/// Different conditions may exclude each other.
fn can_both_hold(one: Option<&TokenStream>, other: Option<&TokenStream>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.to_string() == other.to_string(),
        _ => true,
    }
}
