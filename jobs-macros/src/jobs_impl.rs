//! The annotated impl block, read and written again.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt as _, format_ident, quote};
use syn::{
    Attribute, Generics, ImplItem, PathArguments, Result, Token, Type, braced,
    parse::{Parse, ParseBuffer, ParseStream, discouraged::Speculative as _},
    token,
};

use crate::{
    diagnostic::{Errors, Problem},
    job_fn::{self, JobFn},
    types,
};

/// An impl block in which only the methods that are jobs are read.
pub(crate) struct JobsImpl {
    attributes: Vec<Attribute>,
    unsafety: Option<Token![unsafe]>,
    impl_token: Token![impl],
    generics: Generics,
    negative: Option<Token![!]>,
    pub(crate) trait_: Option<(Type, Token![for])>,
    pub(crate) self_ty: Type,
    brace: token::Brace,
    inner_attributes: Vec<Attribute>,
    pub(crate) items: Vec<Item>,
}

/// What stands in the block.
pub(crate) enum Item {
    Job(Box<JobFn>),
    Other(TokenStream),
}

impl JobsImpl {
    /// The name by which the type is stored.
    pub(crate) fn self_name(&self) -> Ident {
        types::last_segment(&self.self_ty).map_or_else(|| format_ident!("Service"), |segment| segment.ident.clone())
    }

    /// Reports what makes the block unfit for jobs; returns whether its methods can be jobs.
    pub(crate) fn check(&self, errors: &Errors) -> bool {
        if let Some((trait_, _)) = &self.trait_ {
            let problem = Problem::new("`#[jobs]` is not for the impl of a trait");
            errors.at(
                trait_,
                problem.help("write the jobs in an `impl` block of the type's own, and call the trait from them"),
            );
        }
        let arguments = types::last_segment(&self.self_ty).map(|segment| &segment.arguments);
        let plain = matches!(arguments, Some(PathArguments::None));
        if !self.generics.params.is_empty() {
            let problem = Problem::new("`#[jobs]` is not for a generic impl");
            errors.at(&self.generics.params, problem.help(CONCRETE).note(ONE_NAME));
        } else if !plain {
            let problem = Problem::new("`#[jobs]` needs a type with a plain name");
            errors.at(&self.self_ty, problem.help(CONCRETE).note(ONE_NAME));
        }
        if !self.items.iter().any(|item| matches!(item, Item::Job(_))) {
            let problem = Problem::new("no method of this impl block is a job");
            let help = "write `#[job]` on the methods that are jobs, or remove `#[jobs]`";
            errors.at(self.impl_token, problem.help(help));
        }
        self.trait_.is_none() && self.generics.params.is_empty() && plain
    }
}

const CONCRETE: &str = "name the type: `type SmtpMailer = Mailer<Smtp>;`, then `#[jobs] impl SmtpMailer { … }`";
const ONE_NAME: &str = "the type's name is part of the name under which its jobs are stored";

impl Parse for JobsImpl {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let unsafety = input.parse()?;
        let impl_token = input.parse()?;
        let mut generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
        let negative = input.parse()?;
        let first: Type = input.parse()?;
        let (trait_, self_ty) = match input.parse::<Option<Token![for]>>()? {
            Some(for_token) => (Some((first, for_token)), input.parse()?),
            None => (None, first),
        };
        generics.where_clause = input.parse()?;
        let content;
        let brace = braced!(content in input);
        let inner_attributes = content.call(Attribute::parse_inner)?;
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(content.parse()?);
        }
        Ok(Self {
            attributes,
            unsafety,
            impl_token,
            generics,
            negative,
            trait_,
            self_ty,
            brace,
            inner_attributes,
            items,
        })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let ahead = input.fork();
        match ahead.parse::<JobFn>() {
            Ok(function) if function.attributes.iter().any(|attribute| job_fn::is(attribute, "job")) => {
                input.advance_to(&ahead);
                Ok(Self::Job(Box::new(function)))
            }
            Ok(_) => Ok(Self::Other(tokens_before(&ahead, input)?)),
            Err(_) => {
                let ahead = input.fork();
                ahead.parse::<ImplItem>()?;
                Ok(Self::Other(tokens_before(&ahead, input)?))
            }
        }
    }
}

/// Takes what `ahead` has read already, as it is written.
fn tokens_before(ahead: &ParseBuffer<'_>, input: ParseStream<'_>) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && input.cursor() != ahead.cursor() {
        tokens.append(input.parse::<TokenTree>()?);
    }
    Ok(tokens)
}

/// The block again, without the attributes that only the macro knows.
impl ToTokens for JobsImpl {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, unsafety, impl_token, generics, negative, self_ty, inner_attributes, items, .. } = self;
        let (_, _, where_clause) = generics.split_for_impl();
        let trait_ = self.trait_.as_ref().map(|(trait_, for_token)| quote!(#trait_ #for_token));
        tokens.extend(quote!(#(#attributes)* #unsafety #impl_token #generics #negative #trait_ #self_ty #where_clause));
        self.brace.surround(tokens, |tokens| tokens.extend(quote!(#(#inner_attributes)* #(#items)*)));
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Job(function) => function.to_tokens(tokens),
            Self::Other(other) => other.to_tokens(tokens),
        }
    }
}
