// Starts the page's wasm.
import init from "../pkg/ui.js";
import wasm from "../pkg/ui_bg.wasm";
import { showCrash } from "./dom";

try {
  await init({ module_or_path: wasm });
} catch (error) {
  console.error(error);
  showCrash();
}
