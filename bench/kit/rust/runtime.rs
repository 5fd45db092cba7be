// Tokio's runtime on as many threads as the program was told; for one, its own kind of runtime.
pub fn of(threads: usize) -> tokio::runtime::Runtime {
    let mut builder = if threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.worker_threads(threads).enable_all().build().expect("a runtime")
}
