// Command pulumi-resource-command is podnet's stand-in for the plugin of Pulumi's command provider, for machines that
// cannot download the official one.
//
// It serves command:remote:Command and command:local:Command as version 1.2.1 does, so the same program and the same
// state work with either. What it leaves out is refused with a sentence that says so. See docs/command-provider.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

func main() {
	for _, argument := range os.Args[1:] {
		if !strings.HasPrefix(argument, "-") {
			if err := serve(argument); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, "this is a Pulumi plugin: the engine starts it, with its own address as the argument")
	os.Exit(1)
}

// serve says on stdout which port it serves on, and ends when it is told to or when the engine is gone.
func serve(engineAddress string) error {
	// Before the port is said: from then on the engine may send a signal, or die, at any time.
	engineProcess := os.Getppid()
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	logs, err := dialEngine(engineAddress)
	if err != nil {
		return err
	}
	provider := newProvider(logs)
	end := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: end,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(server, plugin.NewProviderServer(provider))
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	go func() {
		// An engine that was killed sends no signal: the commands would run on with nobody to take their result.
		for told.Err() == nil && os.Getppid() == engineProcess {
			select {
			case <-told.Done():
			case <-time.After(2 * time.Second):
			}
		}
		provider.cancel()
		close(end)
	}()
	return <-handle.Done
}
