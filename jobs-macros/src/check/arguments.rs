//! `args(…)` of `#[recurring]`: a value for each argument of the job, and for nothing else.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, ext::IdentExt as _};

use crate::{
    diagnostic::{Errors, Problem, listed},
    model::{Argument, ArgumentValue, Injected, Model, Parameter},
    names,
    options::{
        args::{self, Assignment},
        list::{Entry, Value, nearest},
    },
    types,
};

/// The values of the job's arguments, in the order in which they are written.
pub(super) fn read(entry: Option<&Entry>, attribute: &Attribute, model: &Model, errors: &Errors) -> Vec<ArgumentValue> {
    if model.parameters.iter().any(|parameter| matches!(parameter, Parameter::Broken)) {
        // What the arguments are is known when the errors that were reported are mended.
        return Vec::new();
    }
    let reader = Reader { model, errors };
    let Some(assignments) = reader.assignments(entry) else { return Vec::new() };
    let (mut values, mut is_whole) = (Vec::<ArgumentValue>::new(), true);
    for Assignment { name, value } in assignments {
        let Some(argument) = reader.argument(&name) else {
            is_whole = false;
            continue;
        };
        let mut field = argument.name.clone();
        field.set_span(name.span());
        if values.iter().any(|earlier| earlier.name == field) {
            errors.at(&name, Problem::new(format!("`{name}` is given twice")).help("remove one of the two"));
            continue;
        }
        values.push(ArgumentValue { name: field, value: reader.resolve_self(value), is_string: argument.is_string });
    }
    if is_whole {
        reader.check_missing(&values, entry, attribute);
    }
    values
}

struct Reader<'a> {
    model: &'a Model,
    errors: &'a Errors,
}

impl<'a> Reader<'a> {
    /// What is written in `args(…)`; `None` if it has an error that hides what was meant.
    fn assignments(&self, entry: Option<&Entry>) -> Option<Vec<Assignment>> {
        let Some(entry) = entry else { return Some(Vec::new()) };
        let function = self.model.function.unraw();
        if self.model.arguments().next().is_none() {
            let problem = Problem::new(format!("`{function}` has no arguments")).help("remove `args`");
            let note = "what the server supplies, such as `JobContext` and `Data<T>`, is not an argument";
            self.errors.at(&entry.key, problem.note(note));
            return None;
        }
        let example = self.example();
        match &entry.value {
            Value::List(group) => args::parse(group.stream(), &example, self.errors),
            Value::Equals(_) | Value::None => {
                let problem = Problem::new("`args` takes the arguments in parentheses");
                self.errors.at(&entry.key, problem.help(format!("write `{example}`")));
                None
            }
        }
    }

    /// The argument of this name, or reports that there is none.
    fn argument(&self, name: &Ident) -> Option<&'a Argument> {
        let found = self.model.arguments().find(|argument| argument.name.unraw() == name.unraw());
        if found.is_none() {
            self.report_unknown(name);
        }
        found
    }

    fn report_unknown(&self, name: &Ident) {
        let names: Vec<String> = self.model.arguments().map(|argument| argument.name.unraw().to_string()).collect();
        let names = || names.iter().map(String::as_str);
        if self.is_supplied(name) {
            let problem = Problem::new(format!("`{name}` is not an argument, because the server supplies it"));
            self.errors.at(name, problem.help("remove it from `args`"));
            return;
        }
        let mut problem = Problem::new(format!("`{}` has no argument `{name}`", self.model.function.unraw()));
        if let Some(near) = nearest(name.to_string().trim_start_matches('_'), names()) {
            problem = problem.help(format!("did you mean `{near} = …`?"));
        }
        let note = match names().len() {
            1 => format!("its only argument is {}", listed(names())),
            _ => format!("its arguments are {}", listed(names())),
        };
        self.errors.at(name, problem.note(note));
    }

    /// Whether a parameter of this name is injected, or it is the instance of a method.
    fn is_supplied(&self, name: &Ident) -> bool {
        let has_instance = self.model.service.as_ref().is_some_and(|service| service.is_instance);
        has_instance && name == "self"
            || self.model.parameters.iter().any(|parameter| match parameter {
                Parameter::Injected(Injected { name: Some(injected), .. }) => {
                    names::argument_name(injected) == names::argument_name(name)
                }
                _ => false,
            })
    }

    fn check_missing(&self, values: &[ArgumentValue], entry: Option<&Entry>, attribute: &Attribute) {
        let is_missing = |argument: &&Argument| !values.iter().any(|value| value.name == argument.name);
        let missing: Vec<&Argument> = self.model.arguments().filter(is_missing).collect();
        if missing.is_empty() {
            return;
        }
        let texts: Vec<String> = missing.iter().map(|argument| text(argument)).collect();
        let texts = listed(texts.iter().map(String::as_str));
        let arguments = if missing.len() == 1 { "argument" } else { "arguments" };
        let problem =
            Problem::new(format!("no value for the {arguments} {texts} of `{}`", self.model.function.unraw()));
        let verb = if entry.is_some() { "write" } else { "add" };
        let mut problem = problem.help(format!("{verb} `{}`", self.example()));
        if missing.iter().any(|argument| argument.serde.iter().any(|serde| types::text(serde).contains("default"))) {
            problem = problem.note("`#[serde(default)]` is for calls that were stored without the argument");
        }
        for argument in missing.iter().filter(|argument| !types::is_value(&argument.ty)) {
            problem = problem.note(supplied_instead(argument));
        }
        match entry {
            Some(entry) => self.errors.at(&entry.key, problem),
            None => self.errors.at(attribute, problem),
        }
    }

    /// How all arguments are given.
    fn example(&self) -> String {
        let list: Vec<String> = self.model.arguments().map(|argument| format!("{} = …", argument.name)).collect();
        format!("args({})", list.join(", "))
    }

    /// The value as it is written outside of the impl block.
    fn resolve_self(&self, value: TokenStream) -> TokenStream {
        match &self.model.service {
            Some(service) => types::replace_self(value, &service.ty),
            None => value,
        }
    }
}

/// An argument as it is declared.
fn text(argument: &Argument) -> String {
    format!("{}: {}", argument.name.unraw(), types::text(&argument.ty))
}

/// How an argument is written if it was meant to come from the server.
fn supplied_instead(argument: &Argument) -> String {
    // `Data` shares its value as these do.
    let shared = types::last_segment(&argument.ty).filter(|segment| segment.ident == "Arc" || segment.ident == "Rc");
    let ty = types::text(shared.and_then(types::first_argument).unwrap_or(&argument.ty));
    format!(
        "if the server is to supply `{}`, take it as `Data<{ty}>`, or mark it with `#[inject]`",
        argument.name.unraw()
    )
}
