//! A terminal drawn in the page.

use duplex_domain::Size;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "ui-terminal")]
extern "C" {
    type TerminalHost;

    #[wasm_bindgen(constructor)]
    fn new_js(
        host: &web_sys::Element,
        cols: u16,
        rows: u16,
        on_keys: &JsValue,
        on_fit: &JsValue,
        on_failure: &JsValue,
    ) -> TerminalHost;

    #[wasm_bindgen(method)]
    fn write(this: &TerminalHost, bytes: &[u8]) -> bool;

    #[wasm_bindgen(method)]
    fn draw(this: &TerminalHost, bytes: &[u8]);

    #[wasm_bindgen(method)]
    fn resize(this: &TerminalHost, cols: u16, rows: u16);

    #[wasm_bindgen(method)]
    fn focus(this: &TerminalHost);

    #[wasm_bindgen(method)]
    fn allow(this: &TerminalHost, keys: bool);

    #[wasm_bindgen(method)]
    fn dispose(this: &TerminalHost);
}

/// A terminal in the page. Its code is loaded when the first one is made; what comes in until then is kept.
pub struct Drawn {
    host: TerminalHost,
    _on_keys: Closure<dyn FnMut(Vec<u8>)>,
    _on_fit: Closure<dyn FnMut(u16, u16)>,
    _on_failure: Closure<dyn FnMut()>,
}

impl Drawn {
    /// Makes a terminal in an element. `on_keys` gets what is typed, `on_fit` the size that would fill the element.
    pub fn new(
        element: &web_sys::Element,
        size: Size,
        on_keys: impl FnMut(Vec<u8>) + 'static,
        mut on_fit: impl FnMut(Size) + 'static,
        on_failure: impl FnMut() + 'static,
    ) -> Self {
        let on_keys = Closure::<dyn FnMut(Vec<u8>)>::new(on_keys);
        let on_fit =
            Closure::<dyn FnMut(u16, u16)>::new(move |cols, rows| on_fit(Size { cols, rows }));
        let on_failure = Closure::<dyn FnMut()>::new(on_failure);
        let host = TerminalHost::new_js(
            element,
            size.cols,
            size.rows,
            on_keys.as_ref(),
            on_fit.as_ref(),
            on_failure.as_ref(),
        );
        Self {
            host,
            _on_keys: on_keys,
            _on_fit: on_fit,
            _on_failure: on_failure,
        }
    }

    /// Appends output. False when it could not be kept.
    pub fn write(&self, bytes: &[u8]) -> bool {
        self.host.write(bytes)
    }

    /// Replaces everything shown.
    pub fn draw(&self, bytes: &[u8]) {
        self.host.draw(bytes);
    }

    /// Changes how many cells there are.
    pub fn resize(&self, size: Size) {
        self.host.resize(size.cols, size.rows);
    }

    /// Gives it the keyboard's focus.
    pub fn focus(&self) {
        self.host.focus();
    }

    /// Whether typed keys are reported.
    pub fn allow(&self, keys: bool) {
        self.host.allow(keys);
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.host.dispose();
    }
}
