//! The browser's storage, network, clock and document.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "ui-dom")]
extern "C" {
    /// A new id that sorts by time, 32 hexadecimal digits.
    #[wasm_bindgen(js_name = newId)]
    pub fn new_id() -> String;

    /// What is stored under a key.
    pub fn stored(key: &str) -> Option<String>;

    /// Stores a value, or forgets it.
    pub fn store(key: &str, value: Option<String>);

    /// Applies a theme: `light`, `dark`, or nothing for the system's.
    #[wasm_bindgen(js_name = setTheme)]
    pub fn set_theme(choice: &str);

    /// Names the page in its tab, and marks the tab's picture: `works`, `asks`, `failed`, or nothing.
    #[wasm_bindgen(js_name = setTab)]
    pub fn set_tab(title: &str, mark: &str);

    #[wasm_bindgen(js_name = nextFrame)]
    fn next_frame_js(then: &JsValue);

    #[wasm_bindgen(js_name = after)]
    fn after_js(milliseconds: u32, then: &JsValue);

    #[wasm_bindgen(js_name = watchPage)]
    fn watch_page_js(report: &JsValue);

    #[wasm_bindgen(js_name = request)]
    async fn request_js(method: &str, path: &str, body: Option<String>) -> JsValue;

    #[wasm_bindgen(js_name = copyText)]
    async fn copy_text_js(text: &str) -> JsValue;

    /// Shows a menu over the page, beside the button before it, with the focus on its first line.
    #[wasm_bindgen(js_name = openMenu)]
    pub fn open_menu(layer: &web_sys::Element);

    /// The place of what has the focus in its list; nothing outside of one.
    #[wasm_bindgen(js_name = focusedPlace)]
    pub fn focused_place() -> Option<usize>;

    /// Puts the focus on the first element that a selector finds.
    #[wasm_bindgen(js_name = focusOn)]
    pub fn focus_on(selector: &str);

    /// Makes a text area as high as its text.
    #[wasm_bindgen(js_name = growToFit)]
    pub fn grow_to_fit(area: &web_sys::HtmlElement);

    /// What is written in a text area.
    #[wasm_bindgen(js_name = areaText)]
    pub fn area_text(selector: &str) -> String;

    /// Writes into a text area.
    #[wasm_bindgen(js_name = setAreaText)]
    pub fn set_area_text(selector: &str, text: &str);

    /// Opens a dialog element over the page.
    #[wasm_bindgen(js_name = showDialog)]
    pub fn show_dialog(dialog: &web_sys::HtmlElement);

    /// Covers the page with a sentence and a way to reload it.
    #[wasm_bindgen(js_name = showCrash)]
    pub fn show_crash();

    /// Removes what was shown while the page loaded.
    #[wasm_bindgen(js_name = hideSkeleton)]
    pub fn hide_skeleton();

    #[wasm_bindgen(js_name = now)]
    fn now_js() -> f64;

    /// The page's socket.
    pub type Socket;

    #[wasm_bindgen(constructor)]
    fn new_js(generation: u32, path: &str, report: &JsValue) -> Socket;

    /// Sends a text. False when the socket is not open.
    #[wasm_bindgen(method)]
    pub fn send(this: &Socket, text: &str) -> bool;

    /// Closes the socket; nothing more is heard of it.
    #[wasm_bindgen(method)]
    pub fn close(this: &Socket);
}

/// Names the page in its tab.
pub fn set_title(title: &str) {
    set_tab(title, "");
}

/// What a socket reports: its generation, the kind of report, and its data.
pub type Report = Closure<dyn FnMut(u32, String, JsValue)>;

/// Opens a socket.
#[must_use]
pub fn open_socket(generation: u32, path: &str, report: &Report) -> Socket {
    Socket::new_js(generation, path, report.as_ref())
}

/// Calls back at the next frame, or soon where none are painted.
pub fn next_frame(then: impl FnOnce() + 'static) {
    next_frame_js(&Closure::once_into_js(then));
}

/// Calls back after a while.
pub fn after(milliseconds: u32, then: impl FnOnce() + 'static) {
    after_js(milliseconds, &Closure::once_into_js(then));
}

/// Waits.
pub async fn sleep(milliseconds: u32) {
    let (done, waiting) = futures_channel::oneshot::channel();
    after(milliseconds, move || {
        // Who waited may be gone.
        let _ = done.send(());
    });
    let _ = waiting.await;
}

/// Reports, as long as the page lives, that it is online, offline, visible, or has the focus.
pub fn watch_page(report: impl FnMut(String) + 'static) {
    let report = Closure::<dyn FnMut(String)>::new(report);
    watch_page_js(&report.into_js_value());
}

/// A request to the server: its status (0 when nothing was reached) and its body.
pub async fn request(method: &str, path: &str, body: Option<String>) -> (u16, String) {
    let answer = js_sys::Array::from(&request_js(method, path, body).await);
    let status = answer.get(0).as_f64().unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "statuses have three digits"
    )]
    let status = status as u16;
    (status, answer.get(1).as_string().unwrap_or_default())
}

/// Copies a text. False when the browser did not allow it.
pub async fn copy_text(text: &str) -> bool {
    copy_text_js(text).await.is_truthy()
}

/// This machine's time.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds since 1970 are whole and far below 2^53"
)]
pub fn now() -> duplex_domain::Time {
    duplex_domain::Time(now_js() as i64)
}
