// A function of the unmodified aws-lambda-go: what a Go program sees of an environment.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type mine struct{ text string }

func (m mine) Error() string { return m.text }

func handle(ctx context.Context, event map[string]any) (any, error) {
	fmt.Println("go handles")
	switch event["do"] {
	case "error":
		return nil, errors.New("plain")
	case "typed":
		return nil, mine{"typed"}
	case "panic":
		panic("gone")
	case "exit":
		os.Exit(3)
	case "sleep":
		time.Sleep(time.Minute)
	case "stream":
		return io.Reader(strings.NewReader("streamed")), nil
	}
	info, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"id":       info.AwsRequestID,
		"arn":      info.InvokedFunctionArn,
		"title":    info.ClientContext.Client.AppTitle,
		"name":     lambdacontext.FunctionName,
		"memory":   lambdacontext.MemoryLimitInMB,
		"left":     time.Until(deadline).Milliseconds(),
		"trace":    ctx.Value("x-amzn-trace-id"),
		"variable": os.Getenv("_X_AMZN_TRACE_ID"),
		"echo":     event["echo"],
	}, nil
}

func main() {
	lambda.StartWithOptions(func(ctx context.Context, event json.RawMessage) (any, error) {
		var fields map[string]any
		if err := json.Unmarshal(event, &fields); err != nil {
			return nil, err
		}
		return handle(ctx, fields)
	}, lambda.WithEnableSIGTERM(func() { fmt.Println("go ends") }))
}
