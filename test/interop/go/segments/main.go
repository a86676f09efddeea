// A program as its author wrote it for the X-Ray SDK for Go: it is told where to send by
// AWS_XRAY_DAEMON_ADDRESS alone, asks there what to sample, and prints the trace ids of its segments.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-xray-sdk-go/xray"
)

func main() {
	for request := 0; request < 12; request++ {
		ctx, segment := xray.BeginSegment(context.Background(), "go-legacy")
		if err := xray.AddAnnotation(ctx, "tenant", "acme"); err != nil {
			panic(err)
		}
		if err := xray.AddMetadata(ctx, "cart", map[string]any{"items": []any{1, 2.5, "three"}}); err != nil {
			panic(err)
		}
		_ = xray.Capture(ctx, "price", func(context.Context) error { return errors.New("no price") })
		if segment.Sampled {
			fmt.Println(segment.TraceID)
		}
		segment.Close(nil)
		// The SDK fetches rules when it first decides, and meanwhile decides by its own.
		time.Sleep(250 * time.Millisecond)
	}
}
