//! A function of the unmodified lambda_runtime: what a Rust program sees of an environment.
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Value};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    println!("rust handles");
    match event.payload["do"].as_str() {
        Some("error") => return Err("plain".into()),
        Some("panic") => panic!("gone"),
        Some("exit") => std::process::exit(3),
        Some("sleep") => tokio::time::sleep(Duration::from_secs(60)).await,
        _ => {}
    }
    let context = event.context;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    Ok(json!({
        "id": context.request_id,
        "arn": context.invoked_function_arn,
        "name": context.env_config.function_name,
        "memory": context.env_config.memory,
        "left": context.deadline.saturating_sub(now),
        "trace": context.xray_trace_id,
        "title": context.client_context.and_then(|c| Some(c.client.app_title)),
        "echo": event.payload["echo"],
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
