package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// logIn logs in to the machine, through the bastion if there is one. The second value logs out.
func logIn(ctx context.Context, target endpoint, log logger) (*ssh.Client, func(), error) {
	direct := (&net.Dialer{}).DialContext
	if target.Proxy == nil {
		client, err := target.logIn(ctx, "dial", direct, log)
		return client, func() { _ = client.Close() }, err
	}
	bastion, err := target.Proxy.logIn(ctx, "dial proxy", direct, log)
	if err != nil {
		return nil, nil, err
	}
	client, err := target.logIn(ctx, "dial from proxy", bastion.DialContext, log)
	if err != nil {
		_ = bastion.Close()
		return nil, nil, err
	}
	return client, func() { _, _ = client.Close(), bastion.Close() }, nil
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// logIn tries again and again until the limit is reached. The waits are the official provider's.
func (e endpoint) logIn(ctx context.Context, what string, dial dialer, log logger) (*ssh.Client, error) {
	config := &ssh.ClientConfig{User: e.User, HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	if e.HostKey != nil {
		expected, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
		if err != nil {
			return nil, fmt.Errorf("failed to parse host key: %w", err)
		}
		expect(expected, config)
	}
	methods, done, err := e.methods()
	if err != nil {
		return nil, err
	}
	defer done()
	config.Auth = methods
	limit := strconv.Itoa(e.DialErrorLimit)
	if e.DialErrorLimit < 0 {
		limit = "inf"
	}
	wait := 100 * time.Millisecond
	for failures := 0; ; {
		client, err := e.attempt(ctx, dial, config)
		var another anotherKeyError
		switch {
		case err == nil:
			return client, nil
		case errors.As(err, &another):
			// It would be there the next time as well.
			return nil, fmt.Errorf("%s: %w", e.address(), another)
		case e.DialErrorLimit >= 0 && failures >= e.DialErrorLimit:
			// The limit is of repetitions, as in the official provider: a limit of 0 still dials once.
			return nil, fmt.Errorf("after %d failed attempts: %s %s: %w", failures, what, e.address(), err)
		}
		failures++
		log(ctx, pulumirpc.LogSeverity_INFO,
			fmt.Sprintf("%s %d/%s failed: retrying", strings.ToUpper(what[:1])+what[1:], failures, limit))
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(wait):
		}
		wait = min(wait*3/2, 5*time.Second)
	}
}

// attempt connects and logs in once, within the time of one dial.
func (e endpoint) attempt(ctx context.Context, dial dialer, config *ssh.ClientConfig) (_ *ssh.Client, err error) {
	if e.PerDialTimeout > 0 {
		late := fmt.Errorf("timed out after %d s", e.PerDialTimeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(e.PerDialTimeout)*time.Second, late)
		defer cancel()
	}
	connection, err := dial(ctx, "tcp", e.address())
	if err != nil {
		var operation *net.OpError
		if errors.As(err, &operation) {
			err = operation.Err // Without the address, which stands before it already.
		}
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	client, channels, requests, err := ssh.NewClientConn(connection, e.address(), config)
	if !stop() || err != nil {
		_ = connection.Close()
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	return ssh.NewClient(client, channels, requests), nil
}

func (e endpoint) address() string {
	return net.JoinHostPort(e.Host, strconv.FormatFloat(e.Port, 'f', -1, 64))
}

// anotherKeyError is that a machine has another host key than the expected one.
type anotherKeyError struct{ expected ssh.PublicKey }

func (e anotherKeyError) Error() string {
	return fmt.Sprintf("the host key is not the expected one, %s; not connected", ssh.FingerprintSHA256(e.expected))
}

// expect makes a login fail that is offered another host key.
func expect(expected ssh.PublicKey, config *ssh.ClientConfig) {
	fixed := ssh.FixedHostKey(expected)
	config.HostKeyCallback = func(host string, address net.Addr, key ssh.PublicKey) error {
		if fixed(host, address, key) != nil {
			return anotherKeyError{expected}
		}
		return nil
	}
	// A server with keys of several types is to show the one that is known; one that has none of that type is to show
	// another, and to be refused for that.
	known := []string{expected.Type()}
	if expected.Type() == ssh.KeyAlgoRSA {
		known = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	others := ssh.SupportedAlgorithms().HostKeys
	others = slices.DeleteFunc(others, func(name string) bool { return slices.Contains(known, name) })
	config.HostKeyAlgorithms = append(known, others...)
}

// methods gives the ways to log in: by the given key or else the agent's, then by password. The agent is spoken to
// until done is called.
func (e endpoint) methods() (methods []ssh.AuthMethod, done func(), err error) {
	done = func() {}
	socket := e.AgentSocketPath
	if socket == "" {
		socket = os.Getenv("SSH_AUTH_SOCK")
	}
	switch {
	case e.PrivateKey != nil:
		var signer ssh.Signer
		if e.PrivateKeyPassword == "" {
			signer, err = ssh.ParsePrivateKey([]byte(*e.PrivateKey))
		} else {
			signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(*e.PrivateKey), []byte(e.PrivateKeyPassword))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("failed to parse private key: %w", err)
		}
		methods = append(methods, ssh.PublicKeys(signer))
	case socket != "":
		connection, err := net.Dial("unix", socket)
		if err != nil {
			return nil, nil, fmt.Errorf("SSH agent at %s: %w", socket, err)
		}
		done = func() { _ = connection.Close() }
		methods = append(methods, ssh.PublicKeysCallback(agent.NewClient(connection).Signers))
	}
	if e.Password != nil {
		answer := func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = *e.Password
			}
			return answers, nil
		}
		methods = append(methods, ssh.Password(*e.Password), ssh.KeyboardInteractive(answer))
	}
	return methods, done, nil
}
