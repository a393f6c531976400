//! Makes the folder of the built page, so that the edge builds before the page does.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    // Another build of the page has other file names, which have to be embedded anew.
    println!("cargo::rerun-if-changed=../../ui/web/dist");
    std::fs::create_dir_all("../../ui/web/dist")
}
