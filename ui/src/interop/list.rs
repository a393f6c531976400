//! The scroller of a long list.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "ui-list")]
extern "C" {
    type List;

    #[wasm_bindgen(constructor)]
    fn new_js(
        scroller: &web_sys::Element,
        content: &web_sys::Element,
        on_view: &JsValue,
        on_heights: &JsValue,
    ) -> List;

    #[wasm_bindgen(method)]
    fn observe(this: &List, row: &web_sys::Element);

    #[wasm_bindgen(method, js_name = toEnd)]
    fn to_end(this: &List);

    #[wasm_bindgen(method, js_name = toRow)]
    fn to_row(this: &List, row: &str, top: f64);

    #[wasm_bindgen(method)]
    fn dispose(this: &List);
}

type OnView = Closure<dyn FnMut(f64, f64, bool)>;
type OnHeights = Closure<dyn FnMut(Vec<String>, Vec<f64>)>;

/// A scroller that follows its end, and reports what is in view and how high its rows are.
pub struct Scroller {
    list: List,
    _on_view: OnView,
    _on_heights: OnHeights,
}

impl Scroller {
    /// Begins to watch a scroller and its content. `on_view` gets the view's top and height and whether it is at
    /// the end; `on_heights` gets rows' names and heights, in pixels.
    pub fn new(
        scroller: &web_sys::Element,
        content: &web_sys::Element,
        on_view: impl FnMut(f64, f64, bool) + 'static,
        on_heights: impl FnMut(Vec<String>, Vec<f64>) + 'static,
    ) -> Self {
        let on_view: OnView = Closure::new(on_view);
        let on_heights: OnHeights = Closure::new(on_heights);
        Self {
            list: List::new_js(scroller, content, on_view.as_ref(), on_heights.as_ref()),
            _on_view: on_view,
            _on_heights: on_heights,
        }
    }

    /// Measures a row from now on.
    pub fn observe(&self, row: &web_sys::Element) {
        self.list.observe(row);
    }

    /// Goes to the end and stays there.
    pub fn to_end(&self) {
        self.list.to_end();
    }

    /// Brings a row to the top of the view; `top` is about where it is, in pixels.
    pub fn to_row(&self, row: &str, top: f64) {
        self.list.to_row(row, top);
    }
}

impl Drop for Scroller {
    fn drop(&mut self) {
        self.list.dispose();
    }
}
