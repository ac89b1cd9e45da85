package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// The end of a long output says why; all of it would not fit into a gRPC status.
const longestOutput = 16_000

// capture keeps what a command writes, and hands on its lines as they come.
type capture struct {
	mutex          sync.Mutex
	mixed          []byte // both streams, in the order in which they came
	stdout, stderr *stream
}

// stream is one of the two. log is nil where its lines are not logged.
type stream struct {
	capture *capture
	all     []byte
	logged  int
	log     func(line string)
}

func newCapture(logging string, log func(line string)) *capture {
	c := &capture{}
	c.stdout, c.stderr = &stream{capture: c}, &stream{capture: c}
	if logging == "stdout" || logging == "stdoutAndStderr" {
		c.stdout.log = log
	}
	if logging == "stderr" || logging == "stdoutAndStderr" {
		c.stderr.log = log
	}
	return c
}

func (s *stream) Write(data []byte) (int, error) {
	s.capture.mutex.Lock()
	defer s.capture.mutex.Unlock()
	s.all = append(s.all, data...)
	s.capture.mixed = append(s.capture.mixed, data...)
	for s.log != nil && bytes.IndexByte(data, '\n') >= 0 {
		line, _, found := bytes.Cut(s.all[s.logged:], []byte("\n"))
		if !found {
			break
		}
		s.logged += len(line) + 1
		s.log(asText(line))
	}
	return len(data), nil
}

// finish logs the last lines, which had no end.
func (c *capture) finish() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, s := range []*stream{c.stdout, c.stderr} {
		if s.log != nil && s.logged < len(s.all) {
			s.log(asText(s.all[s.logged:]))
		}
	}
}

// outputs gives both streams; one newline at the end is no part of them.
func (c *capture) outputs() outputs {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	output := func(s *stream) resource.PropertyValue {
		return resource.NewProperty(strings.TrimSuffix(asText(s.all), "\n"))
	}
	return outputs{"stdout": output(c.stdout), "stderr": output(c.stderr)}
}

func (c *capture) both() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return asText(c.mixed)
}

func asText(data []byte) string {
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

func failed(status, command, output string) error {
	if characters := []rune(output); len(characters) > longestOutput {
		cut := len(characters) - longestOutput
		output = fmt.Sprintf("[%d characters left out]\n%s", cut, string(characters[cut:]))
	}
	return fmt.Errorf("%s: running %q:\n%s", status, command, output)
}

// logger shows a message to the user. One that the engine does not take is no failure of a command. An INFO is shown
// only for as long as the resource is being worked on.
type logger func(ctx context.Context, severity pulumirpc.LogSeverity, message string)

// loggers gives the log of each resource, by its URN; "" for that of the whole run.
type loggers func(urn resource.URN) logger

func dialEngine(address string) (loggers, error) {
	connection, err := grpc.NewClient(
		address, grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	client := pulumirpc.NewEngineClient(connection)
	return func(urn resource.URN) logger {
		return func(ctx context.Context, severity pulumirpc.LogSeverity, message string) {
			passing := urn != "" && severity == pulumirpc.LogSeverity_INFO
			_, _ = client.Log(ctx, &pulumirpc.LogRequest{
				Severity: severity, Message: message, Urn: string(urn), Ephemeral: passing,
			})
		}
	}, err
}
