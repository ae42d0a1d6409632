// A function of AWS's unmodified Java runtime interface client: what a Java program sees of an environment.
package clients;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.LinkedHashMap;
import java.util.Map;

public class Handler implements RequestHandler<Map<String, Object>, Object> {
  @Override
  public Object handleRequest(Map<String, Object> event, Context context) {
    System.out.println("java handles");
    context.getLogger().log("first\nsecond");
    String what = String.valueOf(event.get("do"));
    if (what.equals("error")) throw new IllegalStateException("plain");
    if (what.equals("exit")) System.exit(3);
    if (what.equals("sleep")) {
      try {
        Thread.sleep(60_000);
      } catch (InterruptedException e) {
        throw new RuntimeException(e);
      }
    }
    Map<String, Object> seen = new LinkedHashMap<>();
    seen.put("id", context.getAwsRequestId());
    seen.put("arn", context.getInvokedFunctionArn());
    seen.put("name", context.getFunctionName());
    seen.put("version", context.getFunctionVersion());
    seen.put("memory", context.getMemoryLimitInMB());
    seen.put("left", context.getRemainingTimeInMillis());
    seen.put("title", context.getClientContext() == null ? null : context.getClientContext().getClient().getAppTitle());
    seen.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
    seen.put("echo", event.get("echo"));
    return seen;
  }
}
