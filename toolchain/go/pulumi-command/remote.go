package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/crypto/ssh"
)

const (
	// A machine that has died under a running command would otherwise never be noticed.
	timeBetweenQuestions = 15 * time.Second
	timeToAnswer         = 30 * time.Second

	acceptEnv = "This only works if the SSH server accepts the variable (AcceptEnv in its sshd_config). " +
		"Or write 'VAR=value command' as the command itself."
)

// runRemote logs in, runs the command to its end, logs out, and says how it ended if not well. If ctx ends first, the
// command is sent a signal before the connection is closed.
func runRemote(
	ctx context.Context, command string, a arguments, previous map[string]string, out *capture, log logger,
) (status string, err error) {
	client, logOut, err := logIn(ctx, *a.Connection, log)
	if err != nil {
		return "", err
	}
	defer logOut()
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	go keepAsking(ctx, client, lost)
	var running atomic.Pointer[ssh.Session]
	defer context.AfterFunc(ctx, func() {
		// To a machine that is dead even the signal may hang.
		time.AfterFunc(time.Second, func() { _ = client.Close() })
		if session := running.Load(); session != nil {
			_ = session.Signal(ssh.SIGTERM)
		}
		_ = client.Close()
	})()
	session, err := client.NewSession()
	if err != nil {
		return "", cmp.Or(context.Cause(ctx), fmt.Errorf("the SSH server refused the session: %w", err))
	}
	running.Store(session)
	for name, value := range a.Environment {
		if session.Setenv(name, value) != nil {
			return "", cmp.Or(gone(ctx, client), fmt.Errorf("could not set environment variable %q. %s", name, acceptEnv))
		}
	}
	for name, value := range previous {
		if session.Setenv(name, value) != nil {
			log(ctx, pulumirpc.LogSeverity_WARNING, fmt.Sprintf("Unable to set '%s'. %s", name, acceptEnv))
		}
	}
	session.Stdout, session.Stderr = out.stdout, out.stderr
	stdin, err := session.StdinPipe()
	if err != nil {
		return "", err
	}
	// An empty command would ask for a login shell.
	if err := session.Start(cmp.Or(command, " ")); err != nil {
		return cmp.Or(gone(ctx, client), err).Error(), nil
	}
	go func() {
		// A command that reads nothing may have ended already; that is no failure, and its status tells the rest.
		_, _ = io.WriteString(stdin, a.Stdin)
		_ = stdin.Close()
	}()
	err = session.Wait()
	var missing *ssh.ExitMissingError
	if errors.As(err, &missing) {
		err = cmp.Or(gone(ctx, client), errors.New("the remote command ended without an exit status"))
	}
	if err != nil {
		return err.Error(), nil
	}
	return "", nil
}

// gone says why the connection no longer stands, if it does not.
func gone(ctx context.Context, client *ssh.Client) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		return cmp.Or(context.Cause(ctx), fmt.Errorf("the connection was lost: %w", err))
	}
	return nil
}

// keepAsking asks the machine for a sign of life again and again, and calls lost when it gives none.
func keepAsking(ctx context.Context, client *ssh.Client, lost context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(timeBetweenQuestions):
		}
		silent := time.AfterFunc(timeToAnswer, func() {
			lost(fmt.Errorf("the connection was lost: no answer for %s", timeToAnswer))
		})
		_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
		silent.Stop()
		if err != nil {
			return // The session sees the same.
		}
	}
}
