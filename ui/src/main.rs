//! The page of Duplex, in the browser.
#![allow(
    unused_qualifications,
    reason = "rsx! names the types of event handlers in full"
)]

mod app;
mod components;
mod interop;
mod model;
mod net;
mod pages;
mod route;
mod state;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
        interop::dom::show_crash();
    }));
    dioxus::launch(app::App);
}
