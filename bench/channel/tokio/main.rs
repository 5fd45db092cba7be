// A bounded mpsc channel between two tasks of Tokio.
#[path = "../../kit/rust/kit.rs"]
mod kit;
#[path = "../../kit/rust/runtime.rs"]
mod runtime;

async fn exchange(places: usize, items: i64) -> i64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<i64>(places);
    let consumer = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(item) = receiver.recv().await {
            sum += item;
        }
        sum
    });
    let producer = tokio::spawn(async move {
        for i in 0..items {
            sender.send(i).await.unwrap();
        }
    });
    producer.await.unwrap();
    consumer.await.unwrap()
}

fn main() {
    let mut program = kit::Program::parse("channel", "tokio", 10_000_000, &["128", "1"]);
    let places = if program.case == "1" { 1 } else { 128 };
    let runtime = runtime::of(program.threads);
    runtime.block_on(exchange(places, program.size / 10));
    program.start();
    let sum = runtime.block_on(exchange(places, program.size));
    program.stop();
    program.finish(program.size, sum == program.size * (program.size - 1) / 2);
}
