package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// The engine kills the plugin five seconds after it has asked it to stop.
const timeToStop = 2 * time.Second

// runLocal runs a command on this machine to its end, and says how it ended if not well. If ctx ends first, the command
// and all that it has started are ended.
func runLocal(ctx context.Context, command string, a arguments, previous map[string]string, out *capture) string {
	if info, err := os.Stat(a.Dir); a.Dir != "" && (err != nil || !info.IsDir()) {
		// With a group of its own, its error would look like that of a missing program.
		return "chdir " + a.Dir + ": no such directory"
	}
	argv := append(a.Interpreter, command)
	process := exec.Command(argv[0], argv[1:]...)
	process.Dir = a.Dir
	process.Env = os.Environ()
	for _, variables := range []map[string]string{a.Environment, previous} {
		for name, value := range variables {
			process.Env = append(process.Env, name+"="+value)
		}
	}
	if a.Stdin != "" {
		process.Stdin = strings.NewReader(a.Stdin)
	}
	process.Stdout, process.Stderr = out.stdout, out.stderr
	// A group of its own, so that all of it can be ended at once; in the session of whoever runs it, for sudo knows by
	// its terminal who has typed a password.
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := process.Start(); err != nil {
		return err.Error()
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return err.Error()
		}
		return ""
	case <-ctx.Done():
	}
	_ = syscall.Kill(-process.Process.Pid, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(timeToStop):
	}
	_ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL)
	return context.Cause(ctx).Error()
}
