//! x
use proc_macro::TokenStream;
/// x
#[proc_macro_attribute]
pub fn job(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}
/// x
#[proc_macro_attribute]
pub fn jobs(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}
